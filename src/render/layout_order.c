// SPDX-License-Identifier: MIT
// render/layout_order.c -- the order of items within their layers: sweeps down and up, each sorting a
// layer by the mean place of its neighbours in the layer before; the order with the fewest crossings
// is kept. Then neighbours change places where that saves crossings.
#include <stdlib.h>
#include <string.h>

#include "render/layout_impl.h"

enum { MAX_SWEEPS = 24, MAX_ITEMS_THOROUGH = 20000, MAX_SWEEPS_MANY = 4, MAX_SWAP_ROUNDS = 8 };

struct sorted {
    double sort;
    uint32_t place, item;
};

struct order {
    struct rch_lay *lay;
    uint32_t *best;  // copy of the layers with the fewest crossings so far
    uint32_t *tree;  // sums over places, for counting
    struct sorted *sorted;
};

static uint32_t layer_size(const struct rch_lay *lay, uint32_t layer)
{
    const uint32_t *start = lay->layer_start.mem;
    return start[layer + 1] - start[layer];
}
static uint32_t *layer_items(const struct rch_lay *lay, uint32_t layer)
{
    return (uint32_t *)lay->layers.mem + ((const uint32_t *)lay->layer_start.mem)[layer];
}

static int compare_places(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/// Places of the lower neighbours of `item`, ascending, in `out`; how many.
static uint32_t lower_places(const struct rch_lay *lay, uint32_t item, uint32_t *out)
{
    const uint32_t *start = lay->down_start.mem, *down = lay->down.mem;
    uint32_t num = 0;
    for (uint32_t i = start[item]; i < start[item + 1]; i++)
        out[num++] = RCH_LAY_ITEM(lay, down[i])->place;
    qsort(out, num, sizeof(*out), compare_places);
    return num;
}

/// Crossings between a layer and the next: pairs of links whose ends are in opposite order, counted
/// with sums over places (P. Fenwick).
static uint64_t count_below(const struct order *order, uint32_t layer, uint32_t *places)
{
    const struct rch_lay *lay = order->lay;
    uint32_t size = layer_size(lay, layer + 1), num_seen = 0;
    uint64_t num_crossings = 0;
    memset(order->tree, 0, ((size_t)size + 1) * sizeof(uint32_t));
    for (uint32_t k = 0; k < layer_size(lay, layer); k++) {
        uint32_t num = lower_places(lay, layer_items(lay, layer)[k], places);
        for (uint32_t i = 0; i < num; i++) {
            uint32_t num_before = 0;  // links seen that end at this place or before
            for (uint32_t at = places[i] + 1; at; at &= at - 1)
                num_before += order->tree[at];
            num_crossings += num_seen - num_before;
        }
        for (uint32_t i = 0; i < num; i++)
            for (uint32_t at = places[i] + 1; at <= size; at += at & -at)
                order->tree[at]++;
        num_seen += num;
    }
    return num_crossings;
}

static uint64_t count_all(const struct order *order, uint32_t *places)
{
    uint64_t num = 0;
    for (uint32_t layer = 0; layer + 1 < order->lay->num_layers; layer++)
        num += count_below(order, layer, places);
    return num;
}

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    if (x->sort != y->sort)
        return (x->sort > y->sort) - (x->sort < y->sort);
    return (x->place > y->place) - (x->place < y->place);
}

static void sort_layer(const struct order *order, uint32_t layer, bool by_upper)
{
    struct rch_lay *lay = order->lay;
    const uint32_t *start = by_upper ? lay->up_start.mem : lay->down_start.mem;
    const uint32_t *list = by_upper ? lay->up.mem : lay->down.mem;
    uint32_t *items = layer_items(lay, layer), num = layer_size(lay, layer);
    for (uint32_t k = 0; k < num; k++) {
        uint32_t item = items[k], degree = start[item + 1] - start[item];
        double sum = 0;
        for (uint32_t i = start[item]; i < start[item + 1]; i++)
            sum += RCH_LAY_ITEM(lay, list[i])->place;
        order->sorted[k] = (struct sorted){degree ? sum / degree : k, k, item};
    }
    qsort(order->sorted, num, sizeof(*order->sorted), compare_sorted);
    for (uint32_t k = 0; k < num; k++) {
        items[k] = order->sorted[k].item;
        RCH_LAY_ITEM(lay, items[k])->place = k;
    }
}

static void sweep(const struct order *order, bool is_down)
{
    uint32_t num = order->lay->num_layers;
    for (uint32_t i = 1; i < num; i++)
        sort_layer(order, is_down ? i : num - 1 - i, is_down);
}

/// Crossings among the links of `a` and `b` if `a` comes first, towards one side.
static uint64_t count_pair(const struct rch_lay *lay, uint32_t a, uint32_t b, bool is_up)
{
    const uint32_t *start = is_up ? lay->up_start.mem : lay->down_start.mem;
    const uint32_t *list = is_up ? lay->up.mem : lay->down.mem;
    uint64_t num = 0;
    for (uint32_t i = start[a]; i < start[a + 1]; i++)
        for (uint32_t k = start[b]; k < start[b + 1]; k++)
            num += RCH_LAY_ITEM(lay, list[i])->place > RCH_LAY_ITEM(lay, list[k])->place;
    return num;
}

static bool swap_round(struct rch_lay *lay)
{
    bool has_swapped = false;
    for (uint32_t layer = 0; layer < lay->num_layers; layer++) {
        uint32_t *items = layer_items(lay, layer);
        for (uint32_t k = 0; k + 1 < layer_size(lay, layer); k++) {
            uint32_t a = items[k], b = items[k + 1];
            uint64_t now = count_pair(lay, a, b, true) + count_pair(lay, a, b, false);
            if (now == 0 || count_pair(lay, b, a, true) + count_pair(lay, b, a, false) >= now)
                continue;
            items[k] = b;
            items[k + 1] = a;
            RCH_LAY_ITEM(lay, b)->place = k;
            RCH_LAY_ITEM(lay, a)->place = k + 1;
            has_swapped = true;
        }
    }
    return has_swapped;
}

static void restore(struct order *order)
{
    struct rch_lay *lay = order->lay;
    memcpy(lay->layers.mem, order->best, lay->items.num * sizeof(uint32_t));
    for (uint32_t layer = 0; layer < lay->num_layers; layer++)
        for (uint32_t k = 0; k < layer_size(lay, layer); k++)
            RCH_LAY_ITEM(lay, layer_items(lay, layer)[k])->place = k;
}

enum rch_status rch_lay_order(struct rch_lay *lay, struct rch_error *err)
{
    RCH_BLOCK(best, lay->alloc, lay->items.num, sizeof(uint32_t));
    RCH_BLOCK(tree, lay->alloc, lay->items.num + 1, sizeof(uint32_t));
    RCH_BLOCK(places, lay->alloc, lay->links.num, sizeof(uint32_t));
    RCH_BLOCK(sorted, lay->alloc, lay->items.num, sizeof(struct sorted));
    if (!best.mem || !tree.mem || !places.mem || !sorted.mem)
        return rch_fail(err, RCH_ENOMEM, "order of a picture");
    struct order order = {lay, best.mem, tree.mem, sorted.mem};
    bool is_thorough = lay->items.num <= MAX_ITEMS_THOROUGH;
    int num_sweeps = is_thorough ? MAX_SWEEPS : MAX_SWEEPS_MANY;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i <= num_sweeps && least > 0; i++) {
        if (i > 0)
            sweep(&order, i % 2 == 1);
        uint64_t num = count_all(&order, places.mem);
        if (num >= least)
            continue;
        least = num;
        memcpy(order.best, lay->layers.mem, lay->items.num * sizeof(uint32_t));
    }
    restore(&order);
    for (int i = 0; is_thorough && least > 0 && i < MAX_SWAP_ROUNDS && swap_round(lay); i++)
        continue;
    lay->out->num_crossings = (uint32_t)count_all(&order, places.mem);
    return RCH_OK;
}
