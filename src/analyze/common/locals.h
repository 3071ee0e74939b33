// SPDX-License-Identifier: MIT
// analyze/common/locals.h -- the local variables of a running frame, by name: from the references of its
// root. No allocation.
#ifndef RCH_ANALYZE_LOCALS_H
#define RCH_ANALYZE_LOCALS_H
#include "model/graph.h"

struct rch_local {
    rch_str name;
    rch_node node;    // its value; what a cell holds, not the cell
    bool is_closure;  // a variable of an enclosing function
    uint64_t length;  // of a built-in container, as len(); UINT64_MAX: not known
};

struct rch_locals {  // a place among the references of a frame
    const struct rch_graph *graph;
    rch_node holder;
    uint32_t ordinal;
};

/// Begin with the frame's first variable. `root` is struct rch_stack_frame's: RCH_NO_NODE has none.
struct rch_locals rch_locals_of(const struct rch_graph *g, rch_node root);
/// The next one that has a value, in the order of the function's variables; false at the end.
bool rch_local_next(struct rch_locals *locals, struct rch_local *out);

#endif
