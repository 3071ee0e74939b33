// SPDX-License-Identifier: MIT
// render/layout.c -- boxes and arrows to items and links of layers, and back.
#include "render/layout.h"

#include <string.h>

#include "render/layout_impl.h"

static enum rch_status add_item(struct rch_lay *lay, const struct rch_lay_item *item,
                                struct rch_error *err)
{
    if (item->layer >= lay->num_layers)
        lay->num_layers = item->layer + 1;
    return rch_vec_append(&lay->items, item, 1, err);
}

static enum rch_status add_box(struct rch_lay *lay, uint32_t i, struct rch_error *err)
{
    const struct rch_layout_box *box = &lay->out->boxes[i];
    struct rch_lay_item item = {.before = box->across / 2,
                                .after = box->across / 2 + box->trailing,
                                .along = box->along,
                                .layer = 2 * ((uint32_t *)lay->layer_of.mem)[i],
                                .arrow = UINT32_MAX};
    return add_item(lay, &item, err);
}

static struct rch_lay_item item_of_arrow(const struct rch_lay *lay, uint32_t i, uint32_t layer,
                                         bool has_name)
{
    const struct rch_layout_arrow *arrow = &lay->out->arrows[i];
    struct rch_lay_item item = {.before = 3, .after = 3, .layer = layer, .arrow = i};
    if (has_name && arrow->across > 0) {
        *(arrow->is_line_after ? &item.before : &item.after) = arrow->across;
        item.along = arrow->along;
    }
    return item;
}

/// Between two boxes of one layer: it hangs below both, with its name.
static enum rch_status add_flat_arrow(struct rch_lay *lay, uint32_t i, struct rch_error *err)
{
    const struct rch_layout_arrow *arrow = &lay->out->arrows[i];
    uint32_t layer = 2 * ((uint32_t *)lay->layer_of.mem)[arrow->from] + 1;
    struct rch_lay_item item = item_of_arrow(lay, i, layer, true);
    uint32_t at = (uint32_t)lay->items.num;
    struct rch_lay_link links[] = {{arrow->from, at}, {arrow->to, at}};
    ((uint32_t *)lay->num_items.mem)[i] = 1;
    lay->out->arrows[i].is_flat = true;
    RCH_TRY(add_item(lay, &item, err));
    return rch_vec_append(&lay->links, links, 2, err);
}

/// Items of an arrow on all layers that it passes, the upper one first, and their links.
static enum rch_status add_arrow(struct rch_lay *lay, uint32_t i, struct rch_error *err)
{
    const uint32_t *layer = lay->layer_of.mem;
    const struct rch_layout_arrow *arrow = &lay->out->arrows[i];
    uint32_t *first = lay->first_item.mem, *num = lay->num_items.mem;
    bool is_back = ((uint8_t *)lay->is_back.mem)[i];
    uint32_t upper = is_back ? arrow->to : arrow->from, lower = is_back ? arrow->from : arrow->to;
    first[i] = (uint32_t)lay->items.num;
    if (upper == lower)
        return RCH_OK;
    if (layer[upper] == layer[lower])
        return add_flat_arrow(lay, i, err);
    uint32_t begin = 2 * layer[upper] + 1, end = 2 * layer[lower], last = upper;
    uint32_t name_layer = is_back ? end - 1 : begin;  // where it comes from
    for (uint32_t at = begin; at < end; at++) {
        struct rch_lay_item item = item_of_arrow(lay, i, at, at == name_layer);
        struct rch_lay_link link = {last, (uint32_t)lay->items.num};
        last = link.lower;
        RCH_TRY(add_item(lay, &item, err));
        RCH_TRY(rch_vec_append(&lay->links, &link, 1, err));
        num[i]++;
    }
    struct rch_lay_link link = {last, lower};
    return rch_vec_append(&lay->links, &link, 1, err);
}

static void fill_layers(struct rch_lay *lay)
{
    uint32_t *start = lay->layer_start.mem, *layers = lay->layers.mem;
    for (size_t i = 0; i < lay->items.num; i++)
        start[RCH_LAY_ITEM(lay, i)->layer + 1]++;
    for (uint32_t i = 0; i < lay->num_layers; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < lay->items.num; i++) {
        struct rch_lay_item *item = RCH_LAY_ITEM(lay, i);
        item->place = start[item->layer]++;
        layers[item->place] = (uint32_t)i;
    }
    for (uint32_t i = lay->num_layers; i > 0; i--)
        start[i] = start[i - 1];
    start[0] = 0;
    for (size_t i = 0; i < lay->items.num; i++)
        RCH_LAY_ITEM(lay, i)->place -= start[RCH_LAY_ITEM(lay, i)->layer];
}

static void fill_neighbours(struct rch_lay *lay, uint32_t *start, uint32_t *list, bool is_up)
{
    for (size_t i = 0; i < lay->links.num; i++) {
        const struct rch_lay_link *link = &RCH_VEC_AT(&lay->links, struct rch_lay_link, i);
        start[(is_up ? link->lower : link->upper) + 1]++;
    }
    for (size_t i = 0; i < lay->items.num; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < lay->links.num; i++) {
        const struct rch_lay_link *link = &RCH_VEC_AT(&lay->links, struct rch_lay_link, i);
        list[start[is_up ? link->lower : link->upper]++] = is_up ? link->upper : link->lower;
    }
    for (size_t i = lay->items.num; i > 0; i--)
        start[i] = start[i - 1];
    start[0] = 0;
}

enum rch_status rch_lay_items(struct rch_lay *lay, struct rch_error *err)
{
    lay->first_item = rch_block_make(lay->alloc, lay->out->num_arrows, sizeof(uint32_t));
    lay->num_items = rch_block_make(lay->alloc, lay->out->num_arrows, sizeof(uint32_t));
    if (!lay->first_item.mem || !lay->num_items.mem)
        return rch_fail(err, RCH_ENOMEM, "arrows of a picture");
    for (uint32_t i = 0; i < lay->out->num_boxes; i++)
        RCH_TRY(add_box(lay, i, err));
    for (uint32_t i = 0; i < lay->out->num_arrows; i++)
        RCH_TRY(add_arrow(lay, i, err));
    lay->layers = rch_block_make(lay->alloc, lay->items.num, sizeof(uint32_t));
    lay->layer_start = rch_block_make(lay->alloc, (size_t)lay->num_layers + 1, sizeof(uint32_t));
    lay->up_start = rch_block_make(lay->alloc, lay->items.num + 1, sizeof(uint32_t));
    lay->down_start = rch_block_make(lay->alloc, lay->items.num + 1, sizeof(uint32_t));
    lay->up = rch_block_make(lay->alloc, lay->links.num, sizeof(uint32_t));
    lay->down = rch_block_make(lay->alloc, lay->links.num, sizeof(uint32_t));
    if (!lay->layers.mem || !lay->layer_start.mem || !lay->up_start.mem || !lay->down_start.mem ||
        !lay->up.mem || !lay->down.mem)
        return rch_fail(err, RCH_ENOMEM, "layers of a picture");
    fill_layers(lay);
    fill_neighbours(lay, lay->up_start.mem, lay->up.mem, true);
    fill_neighbours(lay, lay->down_start.mem, lay->down.mem, false);
    return RCH_OK;
}

static void lay_deinit(struct rch_lay *lay)
{
    struct rch_block *const blocks[] = {
        &lay->layer_of,    &lay->is_back,  &lay->first_item, &lay->num_items,  &lay->layers,
        &lay->layer_start, &lay->up_start, &lay->up,         &lay->down_start, &lay->down};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (blocks[i]->alloc)
            rch_block_drop(blocks[i]);
    rch_vec_deinit(&lay->items);
    rch_vec_deinit(&lay->links);
}

enum rch_status rch_layout(struct rch_layout *layout, const struct rch_alloc *alloc,
                           struct rch_layout_box *boxes, uint32_t num_boxes,
                           struct rch_layout_arrow *arrows, uint32_t num_arrows,
                           struct rch_error *err)
{
    *layout = (struct rch_layout){.alloc = alloc,
                                  .boxes = boxes,
                                  .num_boxes = num_boxes,
                                  .arrows = arrows,
                                  .num_arrows = num_arrows};
    rch_vec_init(&layout->bends, alloc, sizeof(struct rch_layout_bend));
    __attribute__((cleanup(lay_deinit))) struct rch_lay lay = {.alloc = alloc, .out = layout};
    rch_vec_init(&lay.items, alloc, sizeof(struct rch_lay_item));
    rch_vec_init(&lay.links, alloc, sizeof(struct rch_lay_link));
    enum rch_status st = rch_lay_rank(&lay, err);
    if (st == RCH_OK)
        st = rch_lay_items(&lay, err);
    if (st == RCH_OK)
        st = rch_lay_order(&lay, err);
    if (st == RCH_OK)
        st = rch_lay_place(&lay, err);
    if (st != RCH_OK)
        rch_layout_deinit(layout);
    return st;
}

void rch_layout_deinit(struct rch_layout *layout)
{
    rch_vec_deinit(&layout->bends);
}
