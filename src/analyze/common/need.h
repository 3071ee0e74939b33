// SPDX-License-Identifier: MIT
// analyze/common/need.h -- how much memory an analysis will take, told before it begins: so that it can be
// refused with words instead of being killed in the middle. The one place with the figures:
//
//   n: nodes, r: references without holes. Bytes, on top of the graph (14 n + 4 per reference, mapped)
//
//   referrers           4 n + 8 r, kept
//   retained bytes      while the tree is made 28.1 n + 4 r, then 28 n, with a graph that keeps things
//                       36 n; kept: 16 n
//   why                 referrers, and 9.6 n; a diffuse answer some 60 bytes more for each object
//                       on a way to the question, which nobody knows before
//   growth              referrers, and 8.6 n; some 100 bytes more for each object that is new or on
//                       the way to one; the baseline has 8 a object
//
// What a graph keeps already (model/derived.h) is not needed again.
#ifndef RCH_ANALYZE_NEED_H
#define RCH_ANALYZE_NEED_H
#include "model/graph.h"

enum rch_work {
    RCH_WORK_REVERSE,   // rch_reverse_make
    RCH_WORK_RETAINED,  // rch_histogram_retained
    RCH_WORK_WHY,       // rch_why, of one that is not diffuse
    RCH_WORK_GROWTH,    // rch_growth, of few new objects
};

/// Bytes at the peak. O(references), at the speed of memory.
uint64_t rch_need_bytes(const struct rch_graph *g, enum rch_work work);

/// RCH_ENOMEM with words if that is more than `max_memory` (0: no limit was given) or than there is.
RCH_MUST_CHECK enum rch_status rch_need_check(const struct rch_graph *g, enum rch_work work,
                                              uint64_t max_memory, struct rch_error *err);

#endif
