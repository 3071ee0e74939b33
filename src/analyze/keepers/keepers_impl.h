// SPDX-License-Identifier: MIT
// analyze/keepers/keepers_impl.h -- what the files of keepers.h share: the dominator tree with its sums, seen without
// plumbing.
#ifndef RCH_ANALYZE_KEEPERS_IMPL_H
#define RCH_ANALYZE_KEEPERS_IMPL_H
#include "analyze/keepers/keepers.h"
#include "analyze/keepers/named_path.h"
#include "analyze/keepers/retained.h"

struct rch__forest {
    const struct rch_graph *g;
    const struct rch_alloc *alloc;
    struct rch_view view;      // nobody asks: the asker's variables count
    struct rch_asking asking;  // the view's
    struct rch_domtree dom;
    uint64_t *bytes;         // retained; num_nodes + 1
    struct rch_block count;  // uint32_t, num_nodes + 1: dominated nodes, itself included
    struct rch_block order;  // rch_node, num_reached: see rch_domtree_lay_out
    struct rch_block
        plumbing;  // bits: nodes that stand for their dominator: attribute dictionaries, cells
};
/// Stays where it is: the view refers to it. On error nothing is left to free.
RCH_MUST_CHECK enum rch_status rch__forest_init(struct rch__forest *f, const struct rch_graph *g,
                                                const struct rch_reverse *rev,
                                                const struct rch_progress *progress,
                                                const struct rch_alloc *alloc,
                                                struct rch_error *err);
void rch__forest_deinit(struct rch__forest *f);

/// The nearest dominator that is no plumbing; the super root is num_nodes. `v` must be reached, and not the
/// super root.
rch_node rch__object_above(const struct rch__forest *f, rch_node v);
/// How many objects `v` dominates, itself included: roots are none.
uint64_t rch__objects_under(const struct rch__forest *f, rch_node v);
/// Do the bytes of `part` make up most of those of `whole`?
bool rch__is_most(uint64_t part, uint64_t whole);

/// Report that `stage` of the work after the tree is done; RCH_ECANCELED if it should end.
RCH_MUST_CHECK enum rch_status rch__keepers_go_on(const struct rch__forest *f, uint64_t stage,
                                                  struct rch_error *err);

// One file a kind of row.
RCH_MUST_CHECK enum rch_status rch__keepers_by_module(struct rch__forest *f,
                                                      const struct rch_keepers_options *options,
                                                      struct rch_keepers *out,
                                                      struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__keepers_by_object(struct rch__forest *f,
                                                      const struct rch_keepers_options *options,
                                                      struct rch_keepers *out,
                                                      struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__keepers_by_place(struct rch__forest *f,
                                                     const struct rch_keepers_options *options,
                                                     struct rch_keepers *out,
                                                     struct rch_error *err);

#endif
