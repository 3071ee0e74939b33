// SPDX-License-Identifier: MIT
// analyze/keepers/dominators.h -- the dominator tree: the immediate dominator of an object is the nearest
// one that all paths to it pass through; with it gone, the object would be gone. Immutable input.
#ifndef RCH_ANALYZE_DOMINATORS_H
#define RCH_ANALYZE_DOMINATORS_H
#include "base/progress.h"
#include "model/graph.h"

/// All roots are children of one node that is in no graph, the super root: number num_nodes.
/// Weak references do not count, nor does what an observer of scope ALL refers to. Garbage hangs
/// under its GARBAGE roots; what it refers to that is alive does not depend on it. Nodes that no
/// root reaches (the questioner's own) are orphans: in no tree.
struct rch_domtree {
    const struct rch_alloc *alloc;
    const struct rch_progress *progress;  // of rch_domtree_init; what adds up over the tree asks it
    uint32_t num_nodes;                   // of the graph
    uint32_t num_reached;                 // the super root included
    rch_node *idom;      // num_nodes + 1; RCH_NO_NODE for orphans and the super root
    rch_node *preorder;  // num_reached nodes, each after its immediate dominator; the first is the
                         // super root
    size_t preorder_room;  // elements there is memory for
    bool is_kept;          // the arrays are the graph's (model/derived.h)
};

static inline rch_node rch_super_root(const struct rch_domtree *dom)
{
    return dom->num_nodes;
}
static inline bool rch_is_orphan(const struct rch_domtree *dom, rch_node v)
{
    return v != dom->num_nodes && dom->idom[v] == RCH_NO_NODE;
}

/// Semi-NCA, close to linear in nodes and references. Keeps 8 bytes a node; 28.2 a node and 4 a
/// reference while it works. `progress` may be NULL; on error nothing is left to free. A graph that
/// keeps things keeps the tree, and the next call costs nothing; end it before the graph is freed.
RCH_MUST_CHECK enum rch_status rch_domtree_init(struct rch_domtree *dom, const struct rch_graph *g,
                                                const struct rch_alloc *alloc,
                                                const struct rch_progress *progress,
                                                struct rch_error *err);
void rch_domtree_deinit(struct rch_domtree *dom);

#endif
