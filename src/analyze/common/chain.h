// SPDX-License-Identifier: MIT
// analyze/common/chain.h -- one path, given reference by reference, as the hops a reader sees. Where many
// paths are told as one, hops.h does that.
#ifndef RCH_ANALYZE_CHAIN_H
#define RCH_ANALYZE_CHAIN_H
#include "analyze/common/view.h"

/// The hops of edges[0, num), each of which begins where the one before it ends; the first goes out
/// of `from`. Strings and hops come from `arena`. O(num).
RCH_MUST_CHECK enum rch_status rch_chain_hops(struct rch_view *view, rch_node from,
                                              const uint32_t *edges, uint32_t num,
                                              struct rch_arena *arena, struct rch_hop **hops_out,
                                              uint32_t *num_out, struct rch_error *err);
/// Root and hops of a path into the fields of `holder` that tell them.
RCH_MUST_CHECK enum rch_status rch_chain_holder(struct rch_view *view, rch_node root,
                                                const uint32_t *edges, uint32_t num,
                                                struct rch_arena *arena, struct rch_holder *holder,
                                                struct rch_error *err);
/// One reference as a hop, folded or not.
RCH_MUST_CHECK enum rch_status rch_chain_hop(struct rch_view *view, rch_node v, uint32_t e,
                                             struct rch_arena *arena, struct rch_hop *hop,
                                             struct rch_error *err);
/// root_kind, root_name and root_detail of a holder.
RCH_MUST_CHECK enum rch_status rch_tell_root(const struct rch_graph *g, const struct rch_root *root,
                                             struct rch_arena *arena, struct rch_holder *holder,
                                             struct rch_error *err);
/// Fold that reference `e` of `v` has on a path: `is_first` (nothing of it is seen yet), `is_last`.
enum rch_fold rch_chain_fold(const struct rch_shown *shown, bool is_first, bool is_last);
/// Do hops of this kind differ by key or index only?
bool rch_kind_repeats(enum rch_edge_kind kind);
/// Order of two paths as read: root, then hop by hop; a prefix comes first.
int rch_chain_compare_hops(const struct rch_hop *a, uint32_t num_a, const struct rch_hop *b,
                           uint32_t num_b);
int rch_chain_compare(const struct rch_holder *a, const struct rch_holder *b);

#endif
