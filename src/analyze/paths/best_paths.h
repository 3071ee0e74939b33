// SPDX-License-Identifier: MIT
// analyze/paths/best_paths.h -- simple paths from the roots to one node, best first, one after the other.
//
// A search backwards from the target over ends of paths. The distance from the roots (distance.h)
// is just what an end still lacks, so the least sum comes first and the first path costs no more
// than its own length: A* with a perfect estimate (Hart, Nilsson, Raphael 1968), as in Yen's method
// with lazy deviations (Yen 1971; Hershberger, Maxel, Suri 2007). Ends at one node that read the
// same are one: the others wait behind it as twins, and come back when the first runs into itself
// on a path that is not simple. So a cache with a million entries alike costs one path, and yet
// every path that reads differently is found, in order. A path begins at the last module it passes,
// which is a root of its own: who imports that explains nothing more.
#ifndef RCH_ANALYZE_BEST_PATHS_H
#define RCH_ANALYZE_BEST_PATHS_H
#include "analyze/common/distance.h"

struct rch_best_paths {
    struct rch_view *view;
    const struct rch_distances *far;
    bool each;  // every path by itself, also through modules
    uint64_t max_steps, max_ends;
    bool has_found;                    // before that as many more steps as there are references
    struct rch_vec ends, heap, table;  // private
    struct rch_block type_hashes;      // uint64_t a type, 0: not yet known
    struct rch_block seen;     // uint32_t a node: the last end looked at that begins there, + 1
    struct rch_block modules;  // bits: modules that are roots, and their dictionaries
    uint64_t num_keys;
    bool has_given_up;  // max_steps; what was found is right, but there may be more
};

/// `far` must be of this view. 72 bytes an end and 24 while it waits, 4 a node, one for each
/// reference looked at. RCH_ENOMEM only; rch_best_paths_next asks the view's `asking`.
RCH_MUST_CHECK enum rch_status rch_best_paths_init(struct rch_best_paths *b, struct rch_view *view,
                                                   const struct rch_distances *far, rch_node target,
                                                   bool each, uint64_t max_steps,
                                                   struct rch_error *err);
void rch_best_paths_deinit(struct rch_best_paths *b);

/// The next path: its root, cost (RCH_COST) and references from the root on (uint32_t, replaced).
/// RCH_NO_NODE: there is none, or it gave up. O(references to the nodes that are looked at); on heaps
/// those of the path and of a few ways that lead into it again. At worst, in graphs made for it,
/// exponential: hence max_steps.
RCH_MUST_CHECK enum rch_status rch_best_paths_next(struct rch_best_paths *b, rch_node *root_out,
                                                   uint64_t *cost_out, struct rch_vec *edges,
                                                   struct rch_error *err);

#endif
