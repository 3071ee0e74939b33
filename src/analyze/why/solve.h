// SPDX-License-Identifier: MIT
// analyze/why/solve.h -- what the stages of one answer share. See why.c for their order.
#ifndef RCH_ANALYZE_SOLVE_H
#define RCH_ANALYZE_SOLVE_H
#include "analyze/common/hops.h"
#include "analyze/why/mincut.h"
#include "analyze/common/reach.h"

/// A holder in the making; its number is its bit in the cuts.
struct rch_draft {
    struct rch_holder holder;
    struct rch_cut_element element;  // of a minimum cut
    rch_node root;                   // RCH_NO_NODE: of no minimum cut
    const char *short_name;          // ".producers"
    struct rch_vec also;             // const char *
    bool is_merged;                  // into another one
};

struct rch_solver {
    struct rch_view view;
    struct rch_asking asking;  // the view's
    struct rch_answer *answer;
    uint32_t max_holders, max_groups;
    bool raw;
    struct rch_block queue_block, slot_block, sinks_block, side_block, fixed_block;
    rch_node *queue;  // room for all nodes
    uint32_t *slot;   // one number a node; zeroed between stages
    uint64_t *sinks;  // bits: members that can be cut off
    uint64_t *side;   // bits: nodes beyond the cut, the sinks included
    uint64_t *fixed;  // bits: what live roots reach by references that cannot be cut
    uint64_t num_sinks;
    struct rch_cuts cuts;
    struct rch_whatif whatif;
    struct rch_vec drafts;  // struct rch_draft
};
#define RCH_DRAFT(s, i) (&RCH_VEC_AT(&(s)->drafts, struct rch_draft, i))

/// Append a zeroed draft. *number_out is its bit.
RCH_MUST_CHECK enum rch_status rch_draft_add(struct rch_solver *s, uint32_t *number_out,
                                             struct rch_error *err);

/// Let holder `number` cut edge `e` of `v`, and if it is in a group the rest of its entry. The
/// first
/// edge of what was cut is appended to `entries` (uint32_t).
RCH_MUST_CHECK enum rch_status rch_cut_entry(struct rch_solver *s, rch_node v, uint32_t e,
                                             uint32_t number, struct rch_vec *entries,
                                             struct rch_error *err);

/// Fill a draft from groups [first, +num) of finished trails: root, hops, groups, fingerprint and
/// advice. `cut_from` (a trail node; UINT32_MAX: nothing is cut) and `cut_edge` say where the cut
/// is.
RCH_MUST_CHECK enum rch_status rch_draft_fill(struct rch_solver *s, struct rch_draft *draft,
                                              struct rch_trails *t,
                                              const struct rch_trail_group *groups, uint32_t num,
                                              const uint32_t *members, uint32_t cut_from,
                                              uint32_t cut_edge, struct rch_error *err);

// cutset.c: few independent holders. First find the cut (*is_over: there are too many), then, when
// `whatif` is there, name them.
RCH_MUST_CHECK enum rch_status rch_find_cut(struct rch_solver *s, bool *is_over,
                                            struct rch_error *err);
// in_use.c: after a cut that was over: once more without the members that running functions have in
// their variables. Not over: those are counted in the answer.
RCH_MUST_CHECK enum rch_status rch_find_cut_of_idle(struct rch_solver *s, bool *is_over,
                                                    struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_name_cut(struct rch_solver *s, struct rch_error *err);

// crowd.c: groups of like paths.
enum rch_crowd { RCH_CROWD_DIFFUSE, RCH_CROWD_FIXED, RCH_CROWD_GARBAGE };
/// `ends` (bits): whose paths to tell; for garbage, `within` (bits): nodes that only garbage
/// reaches.
RCH_MUST_CHECK enum rch_status rch_tell_crowd(struct rch_solver *s, enum rch_crowd crowd,
                                              const uint64_t *ends, const uint64_t *within,
                                              struct rch_error *err);

// also.c: join references of one module that lead to the question only through another's.
RCH_MUST_CHECK enum rch_status rch_join_also(struct rch_solver *s, struct rch_error *err);

// rest.c: members that no live root reaches: the questioner's, garbage, or unexplained. *within_out
// (bits, the caller drops the block): what only garbage roots reach.
RCH_MUST_CHECK enum rch_status rch_count_rest(struct rch_solver *s, struct rch_block *within_out,
                                              struct rch_error *err);

// advice.c: what usually helps, or NULL. Static text.
const char *rch_advice(enum rch_root_kind root_kind, const char *root_name,
                       const struct rch_hop *hops, uint32_t num_hops, uint32_t cut);

#endif
