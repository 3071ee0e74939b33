// SPDX-License-Identifier: MIT
// render/layout_impl.h -- what the steps of the layout share. Private to render/layout*.c.
#ifndef RCH_RENDER_LAYOUT_IMPL_H
#define RCH_RENDER_LAYOUT_IMPL_H
#include "render/layout.h"

// A box, or the place where an arrow passes a layer. Boxes come first, with their numbers.
struct rch_lay_item {
    double before, after;  // extents across on both sides of its line
    double along;
    double at;              // of its line, across
    double sort;            // for ordering: the mean place of its neighbours
    uint32_t layer, place;  // which, and which in it
    uint32_t arrow;         // UINT32_MAX: a box
};

struct rch_lay_link {  // between an item and one of the next layer
    uint32_t upper, lower;
};

struct rch_lay {
    const struct rch_alloc *alloc;
    struct rch_layout *out;
    struct rch_block layer_of;     // uint32_t a box: layer of boxes, so half of the layer
    struct rch_block is_back;      // uint8_t an arrow: it runs against the layers
    struct rch_vec items;          // struct rch_lay_item
    struct rch_vec links;          // struct rch_lay_link
    struct rch_block first_item;   // uint32_t an arrow: its items are consecutive, upper first
    struct rch_block num_items;    // uint32_t an arrow
    struct rch_block layers;       // uint32_t: items layer by layer, in order
    struct rch_block layer_start;  // uint32_t a layer + 1
    struct rch_block up_start, up, down_start, down;  // uint32_t: neighbours of items, by item
    uint32_t num_layers;
};

#define RCH_LAY_ITEM(lay, i) (&RCH_VEC_AT(&(lay)->items, struct rch_lay_item, i))

/// Layers of the boxes: every arrow that is not part of a cycle points to a later one.
RCH_MUST_CHECK enum rch_status rch_lay_rank(struct rch_lay *lay, struct rch_error *err);
/// Items and links of all layers, in order of the boxes' numbers.
RCH_MUST_CHECK enum rch_status rch_lay_items(struct rch_lay *lay, struct rch_error *err);
/// The order within the layers, for few crossings.
RCH_MUST_CHECK enum rch_status rch_lay_order(struct rch_lay *lay, struct rch_error *err);
/// Where on its layer each item is, and where the layers are.
RCH_MUST_CHECK enum rch_status rch_lay_place(struct rch_lay *lay, struct rch_error *err);

#endif
