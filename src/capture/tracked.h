// SPDX-License-Identifier: MIT
// capture/tracked.h -- the objects that the collector tracks, in its order, as gc.get_objects() has
// them, without a list of them and without changing a reference count. For questions that need no
// graph: how many of which type, which of one type.
#ifndef RCH_CAPTURE_TRACKED_H
#define RCH_CAPTURE_TRACKED_H
#include "model/graph.h"
#include "pylayout/layout.h"
#include "target/target.h"

#define RCH_TRACKED_BATCH 64u

/// A few objects of one list. Each list is read from both ends at once: two cache misses at a time.
struct rch_tracked_batch {
    const rch_addr *objects;
    const rch_addr *types;  // of those objects
    uint32_t num;
    uint32_t list;     // 0: the youngest generation
    bool is_backward;  // the objects come from the end of the list, the last first
};
/// False stops the walk.
typedef bool (*rch_tracked_fn)(void *ctx, const struct rch_tracked_batch *batch);

/// All generations of an interpreter, not what gc.freeze() put aside. The target must stand still.
/// RCH_EBUSY: a collection is under way.
RCH_MUST_CHECK enum rch_status rch_tracked_walk(struct rch_target *target,
                                                const struct rch_layout *layout, rch_addr interp,
                                                rch_tracked_fn fn, void *ctx,
                                                struct rch_error *err);

#endif
