// SPDX-License-Identifier: MIT
// render/layout.h -- where the boxes and arrows of a picture go: in layers, arrows from one to the
// next (Sugiyama, Tagawa, Toda 1981). Between two layers of boxes there is one of the arrows' names:
// a name takes part like a box, so that nothing ever covers it.
//
// `across` runs along a layer, `along` from layer to layer; which of the two is x is for who draws.
#ifndef RCH_RENDER_LAYOUT_H
#define RCH_RENDER_LAYOUT_H
#include <stdbool.h>

#include "base/vec.h"

struct rch_layout_box {
    double across, along;  // in: extents
    double trailing;       // in: room to keep after it, across (for an arrow to itself)
    uint32_t layer;  // in: which it is on, UINT32_MAX: after all that point to it. All or none
    double at_across, at_along;     // out: its middle, without `trailing`
    double layer_begin, layer_end;  // out: of its layer, along
};

struct rch_layout_arrow {
    uint32_t from, to;               // in: boxes; equal ones are left alone
    double across, along;            // in: extents of its name, 0: none
    bool is_line_after;              // in: the line runs after the name, across (false: before it)
    bool is_flat;                    // out: both boxes are on one layer, its only bend is below it
    uint32_t first_bend, num_bends;  // out: `bends`, from `from` to `to`
    uint32_t name_bend;              // out: the bend where its name is, UINT32_MAX: none
};

/// A straight piece of an arrow, from one edge of a layer to the other. Between two bends it curves.
struct rch_layout_bend {
    double across;
    double along_begin, along_end;
};

struct rch_layout {
    const struct rch_alloc *alloc;
    struct rch_layout_box *boxes;  // the caller's
    uint32_t num_boxes;
    struct rch_layout_arrow *arrows;  // the caller's
    uint32_t num_arrows;
    struct rch_vec bends;  // struct rch_layout_bend
    double across, along;  // out: extents of all, from 0
    uint32_t num_crossings;
};

/// Fills what is marked `out`; boxes keep the order of their numbers where nothing speaks against it.
/// On success rch_layout_deinit frees, on failure there is nothing to free.
/// O(sweeps * pieces log pieces), pieces being arrows times the layers they pass.
RCH_MUST_CHECK enum rch_status rch_layout(struct rch_layout *layout, const struct rch_alloc *alloc,
                                          struct rch_layout_box *boxes, uint32_t num_boxes,
                                          struct rch_layout_arrow *arrows, uint32_t num_arrows,
                                          struct rch_error *err);
void rch_layout_deinit(struct rch_layout *layout);

#endif
