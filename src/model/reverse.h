// SPDX-License-Identifier: MIT
// model/reverse.h -- who refers to a node: the same references, sorted by target. Derived, made
// when an analysis wants it. Counting sort, O(nodes + refs), 4 bytes a node + 8 bytes a reference.
#ifndef RCH_MODEL_REVERSE_H
#define RCH_MODEL_REVERSE_H
#include "model/graph.h"

/// The references to node v are [start[v], start[v + 1]): from node source[i], its reference number
/// edge[i] - edge_start[source[i]]. Sorted by source, then ordinal. Holes and type references are
/// not in it.
struct rch_reverse {
    const struct rch_alloc *alloc;
    uint32_t num_nodes, num_refs;
    uint32_t *start;   // num_nodes + 1
    rch_node *source;  // num_refs
    uint32_t *edge;    // num_refs; index into graph->edges
};

RCH_MUST_CHECK enum rch_status rch_reverse_init(struct rch_reverse *rev, const struct rch_graph *g,
                                                const struct rch_alloc *alloc,
                                                struct rch_error *err);
void rch_reverse_deinit(struct rch_reverse *rev);

#endif
