// SPDX-License-Identifier: MIT
// analyze/keepers/retained.h -- how many bytes would be freed if a node went away: the shallow bytes of
// every node it dominates. Immutable input: no Python, no I/O, no locks.
#ifndef RCH_ANALYZE_RETAINED_H
#define RCH_ANALYZE_RETAINED_H
#include "analyze/keepers/dominators.h"

/// Retained bytes of every node and, at rch_super_root(dom), of all that are reached; an orphan
/// retains itself. Sizes may come from a file, so sums are checked. One pass, O(nodes), 8 bytes a
/// node. The caller frees *bytes_out with rch_free(alloc, bytes, g->num_nodes + 1, 8).
RCH_MUST_CHECK enum rch_status rch_retained_bytes(const struct rch_graph *g,
                                                  const struct rch_domtree *dom,
                                                  const struct rch_alloc *alloc,
                                                  uint64_t **bytes_out, struct rch_error *err);

/// What the objects of each type retain together, nothing twice: the sum over those that no other
/// object of the type dominates. O(nodes), 12 bytes a node while it works. The caller frees
/// *by_type_out with rch_free(alloc, by_type, g->num_types, 8).
RCH_MUST_CHECK enum rch_status rch_retained_by_type(const struct rch_graph *g,
                                                    const struct rch_domtree *dom,
                                                    const uint64_t *bytes,
                                                    const struct rch_alloc *alloc,
                                                    uint64_t **by_type_out, struct rch_error *err);

/// order (num_reached): all reached nodes, each followed by what it dominates; count[v]: how many those
/// are, itself included. count (num_nodes + 1) is zeroed before; place (num_nodes + 1) is scratch. O(nodes);
/// when `asking` (may be NULL) is told to stop, not all is filled.
void rch_domtree_lay_out(const struct rch_domtree *dom, uint32_t *count, uint32_t *place,
                         struct rch_asking *asking, rch_node *order);

#endif
