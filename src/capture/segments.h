// SPDX-License-Identifier: MIT
// capture/segments.h -- the collector's lists, walked at many places at once. A list of objects that lie
// anywhere in memory is a chain of cache misses, each waiting for the one before. So tracked objects that
// those already met refer to become the beginnings of segments: a segment is walked until it comes to
// where another one has been. One behind the other they are the lists, with every object once.
#ifndef RCH_CAPTURE_SEGMENTS_H
#define RCH_CAPTURE_SEGMENTS_H
#include "base/vec.h"
#include "capture/tracked.h"

#define RCH_MAX_SEGMENTS 65536u

struct rch_segment {
    uint32_t rank;         // which one it is in the order of gc.get_objects()
    uint32_t is_backward;  // its objects come in the opposite order
};

/// All objects of the generations, as rch_tracked_walk() gives them; `segments` (struct rch_segment, by
/// batch->segment) is filled when it is done. Where neighbours in the lists are neighbours in memory,
/// which the processor prefetches better, in short lists, and where there are objects in other lists (of
/// another interpreter, or put aside by gc.freeze()) it is rch_tracked_walk(). Runs no code but
/// tp_traverse. RCH_EBUSY: a collection is under way. O(objects); 32 bytes for a KiB of scattered heap.
RCH_MUST_CHECK enum rch_status rch_segments_walk(const struct rch_gc_lists *lists,
                                                 rch_tracked_fn fn, void *ctx,
                                                 struct rch_vec *segments, struct rch_error *err);

#endif
