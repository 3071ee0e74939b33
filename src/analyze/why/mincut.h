// SPDX-License-Identifier: MIT
// analyze/why/mincut.h -- the fewest acts that part the question from the live roots, as close to the
// question as equal numbers allow.
#ifndef RCH_ANALYZE_MINCUT_H
#define RCH_ANALYZE_MINCUT_H
#include "analyze/common/view.h"

/// One act: cut one reference, or all GROUP references of a node that lead on to the question.
struct rch_cut_element {
    rch_node node;  // the reference goes out of it
    uint32_t edge;  // UINT32_MAX: the group of `node`
};

/// `sinks`: bits of the members to part from the roots; none may be reachable by references that
/// cannot be cut. `queue` and `via` have room for all nodes. More than `max_elements` acts needed:
/// *is_over is set. Otherwise `elements` gets the acts, and `side` (bits) the nodes beyond the cut:
/// all that reach a sink when it is made.
///
/// Ford and Fulkerson's augmenting paths, shortest first (Edmonds and Karp), searched backwards
/// from
/// the sinks, so that the last search sees just the near side of the nearest minimum cut. Each
/// search is O(nodes + refs) at worst; at most max_elements + 1 of them.
RCH_MUST_CHECK enum rch_status rch_min_cut(struct rch_view *view, const uint64_t *sinks,
                                           uint32_t max_elements, rch_node *queue, uint32_t *via,
                                           struct rch_vec *elements, uint64_t *side, bool *is_over,
                                           struct rch_error *err);

#endif
