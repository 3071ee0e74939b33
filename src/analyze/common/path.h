// SPDX-License-Identifier: MIT
// analyze/common/path.h -- the path that names a holder: from the best root to a node, the same one on
// every run and every version of Python.
#ifndef RCH_ANALYZE_PATH_H
#define RCH_ANALYZE_PATH_H
#include "analyze/common/view.h"

/// Find the preferred path from a live root to `target` through nodes of `within` (bits):
/// least penalty first (rch_root_penalty, rch_step_of), then fewest hops, then the least names read
/// from the root; never node numbers. `edges` gets the edges (uint32_t) in order from the root.
/// `slot` is a zeroed array with one number a node, and is zeroed again after.
/// RCH_ENOTFOUND if no live root reaches it there.
///
/// Dijkstra's algorithm backwards from the target, then a walk forward over optimal edges.
RCH_MUST_CHECK enum rch_status rch_best_path(struct rch_view *view, const uint64_t *within,
                                             rch_node target, uint32_t *slot, rch_node *root_out,
                                             struct rch_vec *edges, struct rch_error *err);

/// Order of two strings, of two types by full name.
int rch_compare_strs(const struct rch_graph *g, rch_str a, rch_str b);
int rch_compare_types(const struct rch_graph *g, uint32_t a, uint32_t b);

#endif
