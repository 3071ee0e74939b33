// SPDX-License-Identifier: MIT
// model/reverse.h -- who refers to a node: the same references, sorted by target. Derived, made
// when an analysis wants it. Counting sort, O(nodes + refs), 4 bytes a node + 8 bytes a reference.
#ifndef RCH_MODEL_REVERSE_H
#define RCH_MODEL_REVERSE_H
#include "base/progress.h"
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
    bool is_kept;      // the arrays are the graph's (model/derived.h)
};

/// Once made, a graph that keeps things (model/derived.h) keeps this too, and the next call costs
/// nothing. `progress` may be NULL; on error nothing is left to free.
RCH_MUST_CHECK enum rch_status rch_reverse_make(struct rch_reverse *rev, const struct rch_graph *g,
                                                const struct rch_alloc *alloc,
                                                const struct rch_progress *progress,
                                                struct rch_error *err);
/// The same, which nobody can cancel.
RCH_MUST_CHECK enum rch_status rch_reverse_init(struct rch_reverse *rev, const struct rch_graph *g,
                                                const struct rch_alloc *alloc,
                                                struct rch_error *err);
/// Before the graph is freed.
void rch_reverse_deinit(struct rch_reverse *rev);

#endif
