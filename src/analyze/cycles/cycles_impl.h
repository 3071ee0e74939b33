// SPDX-License-Identifier: MIT
// analyze/cycles/cycles_impl.h -- what the files of cycles.h share.
#ifndef RCH_ANALYZE_CYCLES_IMPL_H
#define RCH_ANALYZE_CYCLES_IMPL_H
#include "analyze/cycles/cycles.h"
#include "analyze/common/scc.h"

/// The components of one group, or one of them: nodes, and the references between nodes of the same.
struct rch__knot {
    struct rch_view *view;
    const struct rch_scc *scc;
    const rch_node *nodes;  // ascending within a component
    uint32_t num_nodes;
    uint32_t *local;  // of a node of the graph, its number in `nodes`; valid for those only
    struct rch_arena *arena;
};

/// Does edge `e` of `v` hold and stay in v's component?
static inline bool rch__is_inner(const struct rch__knot *knot, rch_node v, uint32_t e)
{
    rch_node to = knot->view->g->edges[e];
    return to != RCH_NO_NODE && knot->scc->component[to] == knot->scc->component[v] &&
           rch_edge_holds(knot->view, v, e);
}
/// The object that has `v` as its attribute dictionary, itself if it is none.
rch_node rch__owner_of(struct rch_view *view, rch_node v);
/// Who has the reference, by type, and its kind and name: what the references of one name share.
uint64_t rch__name_hash(struct rch_view *view, rch_node v, uint32_t e);
/// No hop leads to it: an attribute dictionary, a cell.
bool rch__is_plumbing(struct rch_view *view, rch_node v);

/// Ascending. O(words * log words).
RCH_MUST_CHECK enum rch_status rch__sort_words(struct rch_view *view, struct rch_vec *words,
                                               struct rch_error *err);

/// A shortest cycle in one component, of members of the question if it has any; fills start, hops,
/// example and is_shortest of the group. Breadth first from one object after the other: O(nodes *
/// refs) of the component, but not more than a few million references, see is_shortest.
RCH_MUST_CHECK enum rch_status rch__find_cycle(const struct rch__knot *knot,
                                               struct rch_cycle_group *group,
                                               struct rch_error *err);
/// The references to cut; fills cuts, is_minimum and is_cuttable. All sets of one, two, then three
/// names, those that a programmer would rather cut first, as far as a few million references
/// allow; then the best name after the other, and those that were not needed back.
RCH_MUST_CHECK enum rch_status rch__find_cuts(const struct rch__knot *knot,
                                              struct rch_cycle_group *group, struct rch_error *err);

/// Have instances of this type a __del__? Read from the dictionaries of the type and its bases.
/// `known`: 2 bits' worth a type (uint8_t), zeroed at first.
bool rch__has_del(struct rch_view *view, uint32_t type, uint8_t *known);

#endif
