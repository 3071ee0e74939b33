// SPDX-License-Identifier: MIT
// analyze/keepers/named_path.h -- where objects are, in words: the preferred path to each of some objects, told as
// the holders of `why` are, with a root, folded hops and a fingerprint.
#ifndef RCH_ANALYZE_NAMED_PATH_H
#define RCH_ANALYZE_NAMED_PATH_H
#include "analyze/common/hops.h"

/// Tell a root (index into graph->roots): kind, name and detail of *place.
RCH_MUST_CHECK enum rch_status rch_name_root(const struct rch_graph *g, uint32_t root,
                                             struct rch_arena *arena, struct rch_holder *place,
                                             struct rch_error *err);

/// Tell the paths of one group of finished trails: root, hops and fingerprint of *holder, the last hop as
/// its cut. Its other fields stay as they are. Strings come from `arena`. O(references on those paths).
RCH_MUST_CHECK enum rch_status rch_name_paths(struct rch_trails *t,
                                              const struct rch_trail_group *group,
                                              const uint32_t *members, struct rch_arena *arena,
                                              struct rch_holder *holder, struct rch_error *err);

/// Tell the preferred path to each of `nodes`; to garbage, which no live root reaches, from its GARBAGE
/// root. holders[i].fingerprint stays NULL for what the view cannot reach at all (only the observer holds
/// it). A question about an attribute dictionary is told as its owner. O(nodes + refs) once for all.
RCH_MUST_CHECK enum rch_status rch_name_objects(struct rch_view *view, const rch_node *nodes,
                                                uint32_t num, struct rch_arena *arena,
                                                struct rch_holder *holders, struct rch_error *err);

#endif
