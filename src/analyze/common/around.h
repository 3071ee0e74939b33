// SPDX-License-Identifier: MIT
// analyze/common/around.h -- what is around some objects: what refers to them, or what they refer to, up to a number
// of hops, folded as everywhere (a closure's cell, an instance's dictionary are no hops).
#ifndef RCH_ANALYZE_AROUND_H
#define RCH_ANALYZE_AROUND_H
#include "analyze/why/why.h"
#include "base/vec.h"

struct rch_around_options {
    uint32_t depth;                       // hops. 0: 3
    bool is_forward;                      // what they refer to; false: what refers to them
    bool raw;                             // nothing folded
    uint32_t max_starts;                  // of more members, so many are taken, evenly. 0: 20,000
    uint32_t max_objects, max_links;      // not more are looked at. 0: 200,000 and 600,000
    const struct rch_progress *progress;  // may be NULL
};

struct rch_around_node {
    rch_node node;
    uint32_t depth;  // hops from the nearest start, 0: a start
    uint32_t
        num_beyond;  // references to go on by that the depth cuts off, UINT32_MAX: not looked at
};

/// One reference as shown. `from` has it, also when the walk went backwards.
struct rch_around_link {
    uint32_t from, to;  // indices into nodes
    enum rch_edge_kind kind;
    rch_str name;       // RCH_NO_STR: none
    uint32_t index;     // list index, UINT32_MAX: none
    uint32_t key_type;  // of a mapping's entry: index into types; UINT32_MAX: none
    bool is_guessed, is_weak;
};

struct rch_around {
    struct rch_vec nodes;  // struct rch_around_node, nearest first
    struct rch_vec links;  // struct rch_around_link
    uint32_t num_starts;   // of the nodes, the first: members of the question
    bool is_forward;
    bool is_cut_short;  // there is more than was looked at
};

/// Walk from the question's members. What holds nothing (weak references, the questioner's own) is not gone
/// on with: weak ones are shown, the others not. Roots and modules end a walk. `rev` may be NULL: then it
/// is made and dropped. On success rch_around_deinit frees. O(nodes), and the references looked at.
RCH_MUST_CHECK enum rch_status rch_around(struct rch_around *around, const struct rch_graph *g,
                                          const struct rch_reverse *rev,
                                          const struct rch_question *question,
                                          const struct rch_around_options *options,
                                          const struct rch_alloc *alloc, struct rch_error *err);
void rch_around_deinit(struct rch_around *around);

#endif
