// SPDX-License-Identifier: MIT
// analyze/common/hops.h -- from a class of trails to the hops a reader sees, with counts over all members.
#ifndef RCH_ANALYZE_HOPS_H
#define RCH_ANALYZE_HOPS_H
#include "analyze/common/trail.h"

/// The hops of the paths of `group`, folded as the reader knows them. Strings and hops come from
/// `arena`. *hops_out has as many as the group's class is deep. O(references on those paths).
RCH_MUST_CHECK enum rch_status rch_folded_hops(struct rch_trails *t,
                                               const struct rch_trail_group *group,
                                               const uint32_t *members, struct rch_arena *arena,
                                               struct rch_hop **hops_out, uint32_t *num_out,
                                               struct rch_error *err);
/// Nothing folded: the shortest of the group's paths, and those as long.
RCH_MUST_CHECK enum rch_status rch_raw_hops(struct rch_trails *t,
                                            const struct rch_trail_group *group,
                                            const uint32_t *members, struct rch_arena *arena,
                                            struct rch_hop **hops_out, uint32_t *num_out,
                                            struct rch_error *err);
/// The last hop of class `cls`, of the objects in `set` (uint32_t: trail nodes of that class), which
/// gets the objects that the hop goes out of instead. O(references to the set).
RCH_MUST_CHECK enum rch_status rch_hop_back(struct rch_trails *t, uint32_t cls, struct rch_vec *set,
                                            struct rch_arena *arena, struct rch_hop *hop,
                                            struct rch_error *err);
/// "module.Name" of a type, in the arena; NULL when out of memory.
const char *rch_type_text(const struct rch_graph *g, uint32_t type, struct rch_arena *arena);

#endif
