// SPDX-License-Identifier: MIT
// analyze/keepers/named_impl.h -- what the files of named_reference.h share: the steps of a text, and walking them.
#ifndef RCH_ANALYZE_NAMED_IMPL_H
#define RCH_ANALYZE_NAMED_IMPL_H
#include "analyze/keepers/named_reference.h"
#include "analyze/common/near_name.h"
#include "analyze/common/view.h"

enum rch__step_kind {
    RCH__STEP_NAME,     // .name; .* is all of them
    RCH__STEP_INDEX,    // [3]
    RCH__STEP_ALL,      // [*]
    RCH__STEP_TEXT,     // ["name"]
    RCH__STEP_TYPED,    // [<type of the key>]
    RCH__STEP_ANGLE,    // <key>, <element>, <name>
    RCH__STEP_LOCAL,    // local name
    RCH__STEP_CLOSURE,  // closure name
    RCH__STEP_CLEAR,    // .clear(), .cache_clear()
};
struct rch__step {
    enum rch__step_kind kind;
    const char *name;  // unescaped, in the arena; "" where there is none
    uint32_t index;    // INDEX
    const char *text;  // where the step begins
};

/// The steps that `text` consists of, appended to `steps` (struct rch__step). RCH_EINVAL: it does not.
RCH_MUST_CHECK enum rch_status rch__parse_steps(const char *text, struct rch_arena *arena,
                                                struct rch_vec *steps, struct rch_error *err);

/// Memory for walks, made once.
struct rch__walker {
    struct rch_view *view;
    struct rch_arena *arena;
    struct rch_block seen;  // bits: nodes that are in `work`
    struct rch_vec work;    // rch_node: the objects of this step, and the plumbing in front of them
    struct rch_vec hits;    // uint32_t: edges that the step names
};
RCH_MUST_CHECK enum rch_status rch__walker_init(struct rch__walker *w, struct rch_view *view,
                                                struct rch_arena *arena, struct rch_error *err);
void rch__walker_deinit(struct rch__walker *w);

/// Follow the steps from `start`, a root or an object, after the hops `before`. *out is filled if they lead to
/// a reference; otherwise *num_done says how many could be taken, and `work` has what the next one started
/// from.
RCH_MUST_CHECK enum rch_status rch__walk_steps(struct rch__walker *w, rch_node start,
                                               const struct rch_vec *steps,
                                               const struct rch_holder *before,
                                               struct rch_named_reference *out, bool *is_found,
                                               uint32_t *num_done, struct rch_error *err);
/// After a walk that stopped: collect names that are near the step's, each after `prefix`.
RCH_MUST_CHECK enum rch_status rch__near_steps(struct rch__walker *w, const struct rch__step *step,
                                               const char *prefix, struct rch_near_list *near,
                                               struct rch_error *err);
/// edges (ascending, no doubles), sources, num_edges and num_fixed of *out from `hits`.
RCH_MUST_CHECK enum rch_status rch__take_edges(struct rch__walker *w,
                                               struct rch_named_reference *out,
                                               struct rch_error *err);

#endif
