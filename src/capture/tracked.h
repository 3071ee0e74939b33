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
#define RCH_NEAR_BYTES 1024
#define RCH_STRIDES_AHEAD 24

/// Are two nodes of a list neighbours in memory? Then it goes on so, mostly.
static inline bool rch_is_near(rch_addr a, rch_addr b)
{
    return (b > a ? b - a : a - b) < RCH_NEAR_BYTES;
}
/// Ask for where a list of neighbours is likely to lead, further than the processor does by itself, which
/// stops at the end of a page. Any address will do.
static inline void rch_look_ahead(const struct rch_target *t, rch_addr from, rch_addr to)
{
    if (rch_is_near(from, to))
        rch_target_prefetch(t, to + (to - from) * RCH_STRIDES_AHEAD);
}

/// The lists of one interpreter: its generations, the youngest first, and what gc.freeze() put aside. Only
/// objects that the collector tracks are in them: instances of classes, containers, functions; not
/// numbers, strings, or instances of classes whose __slots__ are empty.
struct rch_gc_lists {
    struct rch_target *target;  // own memory, which stands still: the GIL is held
    const struct rch_layout *layout;
    rch_addr interp;
    bool is_in_callback;  // asked in a function of gc.callbacks: a collection is under way, but the
                          // lists are whole
    bool is_alone;        // no other interpreter of this process has tracked objects
};

enum rch_list_extent { RCH_LISTS_YOUNGEST, RCH_LISTS_GENERATIONS, RCH_LISTS_ALL };

/// A few objects of one list. Each list is read from both ends at once: two cache misses at a time.
struct rch_tracked_batch {
    const rch_addr *objects;
    const rch_addr *types;  // of those objects
    uint32_t num;
    uint32_t segment;  // twice the number of the list (0: the youngest), 1 more for its end; or see
                       // segments.h
    bool is_backward;  // the objects come from the end of the list, the last first
};
/// False stops the walk.
typedef bool (*rch_tracked_fn)(void *ctx, const struct rch_tracked_batch *batch);

/// RCH_EBUSY: a collection is under way.
RCH_MUST_CHECK enum rch_status rch_tracked_walk(const struct rch_gc_lists *lists,
                                                enum rch_list_extent extent, rch_tracked_fn fn,
                                                void *ctx, struct rch_error *err);
/// One list, number `list`; false if `fn` stopped it. The lists are known to be whole.
bool rch_tracked_walk_list(const struct rch_gc_lists *lists, uint32_t list, rch_tracked_fn fn,
                           void *ctx);
/// How many lists there are; the permanent one is the last. None without a GIL.
uint32_t rch_tracked_num_lists(const struct rch_gc_lists *lists);
/// The node that begins and ends a list.
rch_addr rch_tracked_head(const struct rch_gc_lists *lists, uint32_t list);
/// RCH_EBUSY if the lists are taken apart.
RCH_MUST_CHECK enum rch_status rch_tracked_check(const struct rch_gc_lists *lists,
                                                 struct rch_error *err);

#endif
