// SPDX-License-Identifier: MIT
// capture/count.h -- quick questions to the collector's lists of this process, without a capture: how
// many objects of some types, which types there are, what came since a mark. The GIL is held. Nothing is
// written, no code of the program runs, and no Python object is made.
#ifndef RCH_CAPTURE_COUNT_H
#define RCH_CAPTURE_COUNT_H
#include "base/vec.h"
#include "capture/tracked.h"

/// Objects that are exactly of one of these types. `counts` (may be NULL): one a type, added to;
/// `found` (rch_addr, may be NULL): where they are. RCH_EBUSY: a collection is under way. O(objects),
/// some nanoseconds each; the lists are walked from both ends, so that two loads are under way.
RCH_MUST_CHECK enum rch_status rch_count_instances(const struct rch_gc_lists *lists,
                                                   enum rch_list_extent extent,
                                                   const rch_addr *types, uint32_t num_types,
                                                   uint64_t *counts, struct rch_vec *found,
                                                   struct rch_error *err);

/// Types: objects whose type is `type` or a metaclass. Appends to `found` (rch_addr).
RCH_MUST_CHECK enum rch_status rch_list_types(const struct rch_gc_lists *lists,
                                              enum rch_list_extent extent, struct rch_vec *found,
                                              struct rch_error *err);

/// Objects that stand behind `mark`, a tracked object: in its list, and all of younger lists.
struct rch_later {
    bool is_known;        // false: 3.14 and later, and after gc.freeze(), order tells nothing
    bool is_uncollected;  // the mark is still in the youngest list
};
/// Appends to `found` (rch_addr, ascending after the call). Every object that was tracked when the mark
/// was made, and has not moved, is not among them: the collector moves objects back in its lists, never
/// forward. (gc.freeze() and then gc.unfreeze() between mark and question does, and is not noticed.)
RCH_MUST_CHECK enum rch_status rch_list_later(const struct rch_gc_lists *lists, rch_addr mark,
                                              struct rch_later *later_out, struct rch_vec *found,
                                              struct rch_error *err);

#endif
