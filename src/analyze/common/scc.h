// SPDX-License-Identifier: MIT
// analyze/common/scc.h -- strongly connected components: objects that all refer to each other, directly or
// not. What is in a cycle is in a component of two objects or more, or refers to itself.
#ifndef RCH_ANALYZE_SCC_H
#define RCH_ANALYZE_SCC_H
#include "analyze/common/view.h"

#define RCH_NO_COMPONENT UINT32_MAX

struct rch_scc {
    const struct rch_alloc *alloc;
    uint32_t num_nodes, num_components;
    uint32_t *component;  // of each node; RCH_NO_COMPONENT: not in `within`. References between two
                          // components lead to the one with the lower number
};

/// Components of the nodes of `within` (bits) and the references between them that hold.
///
/// D. Pearce, "A space-efficient algorithm for finding strongly connected components" (2016): Tarjan's,
/// with one number a node. No recursion. O(nodes + refs); keeps 4 bytes a node, 8.2 more while it
/// works. Asks the view's `asking`; on error nothing is left to free.
RCH_MUST_CHECK enum rch_status rch_scc_init(struct rch_scc *scc, const struct rch_view *view,
                                            const uint64_t *within, struct rch_error *err);
void rch_scc_deinit(struct rch_scc *scc);

#endif
