// SPDX-License-Identifier: MIT
// analyze/common/reach.h -- what is reachable, exactly: sweeps over the whole graph or a rest of it, with
// some references cut. Members of the question are passed through here, like everything else.
#ifndef RCH_ANALYZE_REACH_H
#define RCH_ANALYZE_REACH_H
#include "analyze/common/view.h"

enum { RCH_MAX_HOLDERS = 64 };  // holders are bits of a mask

struct rch_cut_edge {
    uint32_t edge;
    uint32_t source;
    uint64_t holders;  // bit i: cut when holder i is cut
};
/// Every reference that some holder's cut takes away.
struct rch_cuts {
    struct rch_vec edges;  // struct rch_cut_edge; sorted by edge after rch_cuts_close
    struct rch_block odd;  // bits: nodes to look at closely: the view's odd ones, and sources
};
RCH_MUST_CHECK enum rch_status rch_cuts_init(struct rch_cuts *cuts, const struct rch_view *view,
                                             struct rch_error *err);
void rch_cuts_deinit(struct rch_cuts *cuts);
RCH_MUST_CHECK enum rch_status rch_cuts_add(struct rch_cuts *cuts, rch_node source, uint32_t edge,
                                            uint64_t holders, struct rch_error *err);
/// Sort, join equal edges. After this the cuts can be asked.
void rch_cuts_close(struct rch_cuts *cuts);

/// Visit what queue[head, tail) reaches by references that hold, but those cut by a holder of
/// `active`. `visited` has a bit for each node in the queue or not to be entered; `queue` has room
/// for all nodes. `cuts` may be NULL. Returns the new tail. O(nodes + refs visited).
uint32_t rch_sweep(const struct rch_view *view, const struct rch_cuts *cuts, uint64_t active,
                   uint64_t *visited, rch_node *queue, uint32_t head, uint32_t tail);

/// Queue all live roots, after marking removed nodes as visited. Returns the tail.
uint32_t rch_start_live(const struct rch_view *view, uint64_t *visited, rch_node *queue);

/// Nodes that reach a node of queue[0, tail) without passing through a node of `stop`; those of the
/// queue are in. `seen` has their bits and those of nodes not to be entered. Returns the new tail.
uint32_t rch_sweep_back(const struct rch_view *view, const uint64_t *stop, uint64_t *seen,
                        rch_node *queue, uint32_t tail);

/// What live roots reach by references that cannot be cut. Passes through members.
void rch_sweep_fixed(struct rch_view *view, uint64_t *visited, rch_node *queue);

/// The graph with some holders cut: the part that stays whatever is cut, and the small rest.
struct rch_whatif {
    const struct rch_view *view;
    const struct rch_cuts *cuts;
    uint64_t *base;     // bits: reachable with all holders cut
    uint64_t *live;     // bits: reachable with none cut
    uint64_t *scratch;  // bits
    rch_node *queue;
    struct rch_freed region;  // live without base
    struct rch_block base_block, live_block, scratch_block;
};
/// One full sweep. The queue is borrowed and holds the region's nodes in [0, region.objects) after.
RCH_MUST_CHECK enum rch_status rch_whatif_init(struct rch_whatif *w, const struct rch_view *view,
                                               const struct rch_cuts *cuts, rch_node *queue,
                                               struct rch_error *err);
void rch_whatif_deinit(struct rch_whatif *w);
/// What of the region is reachable when the holders of `active` are cut; `scratch` has its bits,
/// the base's included. Overwrites the queue. O(region).
struct rch_freed rch_whatif_reach(struct rch_whatif *w, uint64_t active);

#endif
