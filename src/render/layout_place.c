// SPDX-License-Identifier: MIT
// render/layout_place.c -- where items are on their layers: each as near to the mean of its neighbours
// as their order and extents allow, in the sense of least squares (pool adjacent violators), layer
// after layer, down and up. What is in one line pulls harder, so that chains come out straight.
#include <math.h>

#include "render/layout_impl.h"

enum { NUM_SWEEPS = 48, NUM_SWEEPS_MANY = 6, MAX_ITEMS_THOROUGH = 20000 };
static const double box_gap = 18, line_gap = 8, layer_gap = 11, max_extra_gap = 90;

struct block {           // items whose places are bound to each other
    double sum, weight;  // of what they want
    uint32_t num;
};

struct place {
    struct rch_lay *lay;
    double *want, *weight, *offset;  // of the items of one layer
    struct block *blocks;
};

static uint32_t layer_size(const struct rch_lay *lay, uint32_t layer)
{
    const uint32_t *start = lay->layer_start.mem;
    return start[layer + 1] - start[layer];
}
static struct rch_lay_item *item_at(const struct rch_lay *lay, uint32_t layer, uint32_t k)
{
    const uint32_t *start = lay->layer_start.mem, *layers = lay->layers.mem;
    return RCH_LAY_ITEM(lay, layers[start[layer] + k]);
}

static double gap_between(const struct rch_lay_item *a, const struct rch_lay_item *b)
{
    bool are_boxes = a->arrow == UINT32_MAX && b->arrow == UINT32_MAX;
    return a->after + b->before + (are_boxes ? box_gap : line_gap);
}

/// Do the two have nobody else on each other's side? So it is within an arrow and along a chain.
static bool is_only_link(const struct rch_lay *lay, uint32_t upper, uint32_t lower)
{
    const uint32_t *up = lay->up_start.mem, *down = lay->down_start.mem;
    return down[upper + 1] - down[upper] == 1 && up[lower + 1] - up[lower] == 1;
}

/// What the neighbours on one side want of an item, added to *want and *weight. `is_near_first`: those
/// that are far pull less, so that in the end lengths count and not their squares.
static void pull(const struct rch_lay *lay, const struct rch_lay_item *item, bool is_up,
                 bool is_near_first, double *want, double *weight)
{
    uint32_t i = (uint32_t)(item - (const struct rch_lay_item *)lay->items.mem);
    const uint32_t *start = is_up ? lay->up_start.mem : lay->down_start.mem;
    const uint32_t *list = is_up ? lay->up.mem : lay->down.mem;
    for (uint32_t k = start[i]; k < start[i + 1]; k++) {
        const struct rch_lay_item *other = RCH_LAY_ITEM(lay, list[k]);
        double force = is_only_link(lay, is_up ? list[k] : i, is_up ? i : list[k]) ? 16 : 1;
        if (is_near_first)
            force /= fabs(other->at - item->at) + 30;
        *want += force * other->at;
        *weight += force;
    }
}

/// Nearest places to what is wanted that keep order and gaps. Without the gaps (`offset`) this is
/// isotonic regression.
static void solve(const struct place *p, uint32_t layer)
{
    uint32_t num = layer_size(p->lay, layer), num_blocks = 0;
    for (uint32_t k = 0; k < num; k++) {
        p->offset[k] = k == 0 ? 0
                              : p->offset[k - 1] + gap_between(item_at(p->lay, layer, k - 1),
                                                               item_at(p->lay, layer, k));
        struct block block = {p->weight[k] * (p->want[k] - p->offset[k]), p->weight[k], 1};
        while (num_blocks && p->blocks[num_blocks - 1].sum * block.weight >=
                                 block.sum * p->blocks[num_blocks - 1].weight) {
            num_blocks--;
            block.sum += p->blocks[num_blocks].sum;
            block.weight += p->blocks[num_blocks].weight;
            block.num += p->blocks[num_blocks].num;
        }
        p->blocks[num_blocks++] = block;
    }
    for (uint32_t b = 0, k = 0; b < num_blocks; b++) {
        double at = p->blocks[b].sum / p->blocks[b].weight;
        for (uint32_t i = 0; i < p->blocks[b].num; i++, k++)
            item_at(p->lay, layer, k)->at = at + p->offset[k];
    }
}

enum side { SIDE_UP, SIDE_DOWN, SIDE_BOTH };

static void place_layer(const struct place *p, uint32_t layer, enum side side)
{
    uint32_t num = layer_size(p->lay, layer);
    for (uint32_t k = 0; k < num; k++) {
        const struct rch_lay_item *item = item_at(p->lay, layer, k);
        double want = 0, weight = 0;
        if (side != SIDE_DOWN)
            pull(p->lay, item, true, side == SIDE_BOTH, &want, &weight);
        if (side != SIDE_UP)
            pull(p->lay, item, false, side == SIDE_BOTH, &want, &weight);
        bool is_free = weight == 0;
        p->weight[k] = is_free ? 0.0001 : weight;
        p->want[k] = is_free ? item->at : want / weight;
    }
    solve(p, layer);
}

/// How far an item may go without touching its neighbours on the layer.
static void room_of(const struct rch_lay *lay, const struct rch_lay_item *item, double *least,
                    double *most)
{
    *least = -INFINITY;
    *most = INFINITY;
    if (item->place > 0) {
        const struct rch_lay_item *before = item_at(lay, item->layer, item->place - 1);
        *least = before->at + gap_between(before, item);
    }
    if (item->place + 1 < layer_size(lay, item->layer)) {
        const struct rch_lay_item *next = item_at(lay, item->layer, item->place + 1);
        *most = next->at - gap_between(item, next);
    }
}

/// The item below in the same line, UINT32_MAX: the line ends.
static uint32_t next_in_line(const struct rch_lay *lay, uint32_t i)
{
    const uint32_t *start = lay->down_start.mem, *down = lay->down.mem;
    if (start[i + 1] - start[i] != 1 || !is_only_link(lay, i, down[start[i]]))
        return UINT32_MAX;
    return down[start[i]];
}

/// Put as much of a line as there is room for on one height, from `i` down. Returns where to go on.
static uint32_t straighten(const struct rch_lay *lay, uint32_t i)
{
    double least = -INFINITY, most = INFINITY, sum = 0;
    uint32_t num = 0, end = i;
    for (; end != UINT32_MAX; end = next_in_line(lay, end), num++) {
        const struct rch_lay_item *item = RCH_LAY_ITEM(lay, end);
        double from, to;
        room_of(lay, item, &from, &to);
        if (fmax(least, from) > fmin(most, to))
            break;
        least = fmax(least, from);
        most = fmin(most, to);
        sum += item->at;
    }
    double at = fmax(least, fmin(most, sum / (num ? num : 1)));
    for (uint32_t k = i; num > 0; k = next_in_line(lay, k), num--)
        RCH_LAY_ITEM(lay, k)->at = at;
    return end == i ? next_in_line(lay, i) : end;
}

/// What the sweeps have left crooked.
static void straighten_all(const struct rch_lay *lay)
{
    const uint32_t *start = lay->up_start.mem, *up = lay->up.mem;
    for (uint32_t i = 0; i < lay->items.num; i++) {
        if (start[i + 1] - start[i] == 1 && is_only_link(lay, up[start[i]], i))
            continue;  // not where a line begins
        for (uint32_t at = i; at != UINT32_MAX;)
            at = straighten(lay, at);
    }
}

static void place_across(const struct place *p)
{
    struct rch_lay *lay = p->lay;
    bool is_many = lay->items.num > MAX_ITEMS_THOROUGH;
    int num_sweeps = is_many ? NUM_SWEEPS_MANY : NUM_SWEEPS;
    for (uint32_t layer = 0; layer < lay->num_layers; layer++) {
        for (uint32_t k = 0; k < layer_size(lay, layer); k++) {
            p->want[k] = 0;
            p->weight[k] = 1;
        }
        solve(p, layer);
    }
    for (int i = 0; i < num_sweeps; i++) {
        bool is_down = i % 2 == 0, is_last = i >= num_sweeps / 2;
        for (uint32_t k = 0; k < lay->num_layers; k++)
            place_layer(p, is_down ? k : lay->num_layers - 1 - k,
                        is_last   ? SIDE_BOTH
                        : is_down ? SIDE_UP
                                  : SIDE_DOWN);
    }
    straighten_all(lay);
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < lay->items.num; i++) {
        const struct rch_lay_item *item = RCH_LAY_ITEM(lay, i);
        least = fmin(least, item->at - item->before);
        most = fmax(most, item->at + item->after);
    }
    for (size_t i = 0; i < lay->items.num; i++)
        RCH_LAY_ITEM(lay, i)->at -= least;
    lay->out->across = lay->items.num ? most - least : 0;
}

/// Where each layer begins and how deep it is: flat curves get more room.
static void place_along(const struct rch_lay *lay, double *begin, double *depth, double *extra)
{
    for (size_t i = 0; i < lay->items.num; i++) {
        const struct rch_lay_item *item = RCH_LAY_ITEM(lay, i);
        depth[item->layer] = fmax(depth[item->layer], item->along);
    }
    for (size_t i = 0; i < lay->links.num; i++) {
        const struct rch_lay_link *link = &RCH_VEC_AT(&lay->links, struct rch_lay_link, i);
        const struct rch_lay_item *upper = RCH_LAY_ITEM(lay, link->upper);
        double far = fabs(upper->at - RCH_LAY_ITEM(lay, link->lower)->at);
        extra[upper->layer] = fmax(extra[upper->layer], fmin(far * 0.07, max_extra_gap));
    }
    double at = 0;
    for (uint32_t layer = 0; layer < lay->num_layers; layer++) {
        begin[layer] = at;
        at += depth[layer];
        lay->out->along = at;
        at += layer_gap + extra[layer];
    }
}

static enum rch_status put_out(struct rch_lay *lay, const double *begin, const double *depth,
                               struct rch_error *err)
{
    const uint32_t *first = lay->first_item.mem, *num = lay->num_items.mem;
    struct rch_layout *out = lay->out;
    for (uint32_t i = 0; i < out->num_boxes; i++) {
        const struct rch_lay_item *item = RCH_LAY_ITEM(lay, i);
        out->boxes[i].at_across = item->at;
        out->boxes[i].at_along = begin[item->layer] + depth[item->layer] / 2;
        out->boxes[i].layer_begin = begin[item->layer];
        out->boxes[i].layer_end = begin[item->layer] + depth[item->layer];
    }
    for (uint32_t i = 0; i < out->num_arrows; i++) {
        struct rch_layout_arrow *arrow = &out->arrows[i];
        bool is_back = ((const uint8_t *)lay->is_back.mem)[i];
        arrow->first_bend = (uint32_t)out->bends.num;
        arrow->num_bends = num[i];
        arrow->name_bend = arrow->across > 0 && num[i] ? arrow->first_bend : UINT32_MAX;
        for (uint32_t k = 0; k < num[i]; k++) {
            const struct rch_lay_item *item =
                RCH_LAY_ITEM(lay, first[i] + (is_back ? num[i] - 1 - k : k));
            double head = begin[item->layer], foot = head + depth[item->layer];
            struct rch_layout_bend bend = {item->at, is_back ? foot : head, is_back ? head : foot};
            RCH_TRY(rch_vec_append(&out->bends, &bend, 1, err));
        }
    }
    return RCH_OK;
}

enum rch_status rch_lay_place(struct rch_lay *lay, struct rch_error *err)
{
    RCH_BLOCK(want, lay->alloc, lay->items.num, sizeof(double));
    RCH_BLOCK(weight, lay->alloc, lay->items.num, sizeof(double));
    RCH_BLOCK(offset, lay->alloc, lay->items.num, sizeof(double));
    RCH_BLOCK(blocks, lay->alloc, lay->items.num, sizeof(struct block));
    RCH_BLOCK(begin, lay->alloc, lay->num_layers, sizeof(double));
    RCH_BLOCK(depth, lay->alloc, lay->num_layers, sizeof(double));
    RCH_BLOCK(extra, lay->alloc, lay->num_layers, sizeof(double));
    if (!want.mem || !weight.mem || !offset.mem || !blocks.mem || !begin.mem || !depth.mem ||
        !extra.mem)
        return rch_fail(err, RCH_ENOMEM, "places in a picture");
    struct place place = {lay, want.mem, weight.mem, offset.mem, blocks.mem};
    place_across(&place);
    place_along(lay, begin.mem, depth.mem, extra.mem);
    return put_out(lay, begin.mem, depth.mem, err);
}
