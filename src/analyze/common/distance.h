// SPDX-License-Identifier: MIT
// analyze/common/distance.h -- what the best path from any root to each node costs: the penalties of its
// root and references (rch_root_penalty, rch_step_of), then its hops as shown.
#ifndef RCH_ANALYZE_DISTANCE_H
#define RCH_ANALYZE_DISTANCE_H
#include "analyze/common/view.h"

#define RCH_FAR UINT64_MAX
#define RCH_COST(penalty, hops) (((uint64_t)(penalty) << 32) + (hops))

enum rch_start { RCH_START_LIVE, RCH_START_GARBAGE };  // from live roots; from garbage's too

struct rch_distances {
    const struct rch_alloc *alloc;
    uint32_t num_nodes;
    uint64_t *cost;  // RCH_FAR: no such root reaches it
};

/// Dijkstra's algorithm with the frontier of one cost in plain arrays (Dial's buckets; references
/// that are no hop of their own are followed within it) and a heap for the few references with a
/// penalty. O(nodes + refs + penalties log penalties); keeps 8 bytes a node, and about 8 more while
/// it works. Asks the view's `asking`; on error nothing is left to free.
RCH_MUST_CHECK enum rch_status rch_distances_init(struct rch_distances *d, struct rch_view *view,
                                                  enum rch_start start, struct rch_error *err);
void rch_distances_deinit(struct rch_distances *d);

#endif
