// SPDX-License-Identifier: MIT
// capture/room.h -- memory of a capture. Nobody knows before how many objects there are and how many
// references they have: the blocks of the allocator are 18 to 53 bytes of capture each, by the kind of
// heap (bench/heaps.py). What is needed is known while the heap is read, better with each part of it:
//
//   n: objects, t: those the collector tracks, r: references. Bytes, besides 32 a KiB of heap with objects
//
//   walk     14 n + 4 r
//   finish   the more of: for objects met behind the sweep, if there are any, 4 (n - t), and 14 of each and
//            4 of each of their references once more; 4 t + 2 bits n for the search from the roots.
//            Addresses take the place of reference counts
//   graph    14 n + 4 r stay
#ifndef RCH_CAPTURE_ROOM_H
#define RCH_CAPTURE_ROOM_H
#include "capture/state.h"

/// What the capture has taken so far.
uint64_t rch__bytes_taken(const struct rch__cap *cap);
/// Is there room for `more` bytes? Fails the capture with words if not: more than options.max_memory in
/// all, or less than that left on the system. O(1), and reads some small files.
void rch__need_room(struct rch__cap *cap, uint64_t more);
/// After the collector's lists, and after what they tell of: what is known of the rest by then. O(index).
void rch__check_room(struct rch__cap *cap);
/// After the walk: what the finish takes, within 10 %.
void rch__check_room_to_finish(struct rch__cap *cap);

#endif
