// SPDX-License-Identifier: MIT
// analyze/common/view.h -- the graph as one question sees it: which references hold at all, which of them
// can be cut, what the questioner holds himself. All other parts of the answer look through this.
#ifndef RCH_ANALYZE_VIEW_H
#define RCH_ANALYZE_VIEW_H
#include "analyze/common/bits.h"
#include "analyze/why/why.h"
#include <inttypes.h>

#include "base/vec.h"

/// What cutting one reference costs.
enum rch_arc {
    RCH_ARC_NONE,   // does not hold: weak, a hole, or the questioner's own
    RCH_ARC_FIXED,  // cannot be cut
    RCH_ARC_UNIT,   // one act
    RCH_ARC_GROUP,  // one act together with all other GROUP references of its node
};

enum rch_shape_trait {
    RCH_SHAPE_WEAK = 1,     // some label does not hold
    RCH_SHAPE_MAPPING = 2,  // has values: may be an attribute dictionary
    RCH_SHAPE_FIXED = 4,    // some label is FIXED
};

struct rch_view {
    const struct rch_graph *g;
    const struct rch_reverse *rev;
    const struct rch_alloc *alloc;
    const struct rch_question *question;
    struct rch_asking *asking;  // asked by all that goes through many nodes; NULL: nobody is asked
    struct rch_block traits;    // uint8_t a shape: enum rch_shape_trait
    struct rch_block members;   // bits: S
    struct rch_block removed;   // bits: observers of scope ALL
    /// bits: nodes with edges in `ignored`: observers of scope DIRECT and their temporaries, sources of
    /// what rch_view_ignore took out
    struct rch_block direct;
    struct rch_block odd;  // bits: nodes some of whose references do not hold; removed included
    /// uint32_t, sorted: edges that do not count: of DIRECT observers, excluded, and those that
    /// rch_view_ignore took out
    struct rch_vec ignored;
    struct rch_vec postponed;  // struct rch_postponed, sorted by edge: penalties of this question
    bool is_postponing;        // charge for them, weak references and observers (filter.h)
    struct rch_vec modules;    // struct rch_module_dict, sorted by dict
    struct rch_vec type_objects;  // struct rch_type_object, sorted by node
    uint32_t dict_cache[512];     // see rch_is_attr_dict; node + 1, high bit: it is
    struct {
        rch_node node;
        rch_str text;
    } text_cache[1024];
};

struct rch_postponed {
    uint32_t edge, penalty;
};
struct rch_module_dict {
    rch_node dict;
    uint32_t root;  // index into graph->roots
};
struct rch_type_object {
    rch_node node;
    uint32_t type;
};

/// Borrows everything. On error nothing is left to free. O(nodes). `asking` is NULL after it: set it,
/// and sweeps end early once it is canceled. Their results mean nothing then: look with rch_view_check.
RCH_MUST_CHECK enum rch_status rch_view_init(struct rch_view *view, const struct rch_graph *g,
                                             const struct rch_reverse *rev,
                                             const struct rch_question *question,
                                             const struct rch_alloc *alloc, struct rch_error *err);
void rch_view_deinit(struct rch_view *view);
/// From now on these references do not hold either; sources[i] is the node that edges[i] goes out of.
/// O(num * log num). On error the view is as good as before.
RCH_MUST_CHECK enum rch_status rch_view_ignore(struct rch_view *view, const uint32_t *edges,
                                               const rch_node *sources, uint32_t num,
                                               struct rch_error *err);
/// RCH_ECANCELED after somebody was told to stop.
static inline enum rch_status rch_view_check(const struct rch_view *view, struct rch_error *err)
{
    if (view->asking && view->asking->is_canceled)
        return rch_fail(err, RCH_ECANCELED, "%s was canceled", view->asking->phase);
    return RCH_OK;
}
/// A stage of the work begins: ask at once. RCH_ECANCELED now, or if somebody was told to stop before.
static inline enum rch_status rch_view_stage(const struct rch_view *view, uint64_t done,
                                             uint64_t total, struct rch_error *err)
{
    struct rch_asking *asking = view->asking;
    if (asking && !asking->is_canceled)
        asking->is_canceled = !rch_go_on(asking->progress, asking->phase, done, total);
    return rch_view_check(view, err);
}

static inline bool rch_is_member(const struct rch_view *view, rch_node v)
{
    return rch_bit(view->members.mem, v);
}
static inline bool rch_is_removed(const struct rch_view *view, rch_node v)
{
    return rch_bit(view->removed.mem, v);
}
/// A root that keeps things alive for the program.
static inline bool rch_is_live_root(const struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    return rch_is_root(g, v) && g->roots[v - g->num_objects].kind != RCH_ROOT_GARBAGE &&
           !rch_is_removed(view, v);
}

/// Does edge `e` of node `v` hold its target? False for holes. O(1) unless v is an observer.
bool rch_edge_holds(const struct rch_view *view, rch_node v, uint32_t e);
/// Some node refers to `v` as its attribute dictionary. O(references to v), remembered.
bool rch_is_attr_dict(struct rch_view *view, rch_node v);
/// The same, or a dictionary whose entries are labelled as attributes (3.9 shares keys among instances).
bool rch_is_namespace(struct rch_view *view, rch_node v);
/// What cutting edge `e` of `v` costs. Its target may be removed: the caller checks.
enum rch_arc rch_arc_of(struct rch_view *view, rch_node v, uint32_t e);
/// The first and past-the-last edge of the entry that `e` belongs to: a key and its value, one
/// item.
void rch_entry_of(const struct rch_graph *g, rch_node v, uint32_t e, uint32_t *first,
                  uint32_t *past);
/// The node that edge `e` goes out of. O(log nodes).
rch_node rch_source_of(const struct rch_graph *g, uint32_t e);
/// How many entries the repeating references of `v` make; 0 if `e` is not one of those.
uint32_t rch_num_entries(const struct rch_graph *g, rch_node v, uint32_t e);
/// The module whose attributes `dict` holds, or NULL. O(log modules).
const struct rch_root *rch_module_of_dict(const struct rch_view *view, rch_node dict);
/// The type (index) that this object is, or UINT32_MAX: no type, or one without objects. O(log types).
uint32_t rch_type_at(const struct rch_view *view, rch_node type_object);
/// rch_text_of_node, remembered.
rch_str rch_view_text(struct rch_view *view, rch_node v);

/// What a path may be charged for edge `e` of `v`: a penalty (the path misleads: an import, a
/// guess) and whether the reader sees a hop (0: folded into a neighbour).
struct rch_step {
    uint32_t penalty, hops;
};
enum { RCH_PENALTY_WEAK = 3, RCH_PENALTY_REGISTRY = 3, RCH_PENALTY_OBSERVER = 6 };
/// What the label alone says: all of it for references of objects that are no module dictionary, nor
/// odd, nor postponed.
struct rch_step rch_label_step(const struct rch_label *label, const struct rch_graph *g);
struct rch_step rch_step_of(struct rch_view *view, rch_node v, uint32_t e);
uint32_t rch_root_penalty(enum rch_root_kind kind);

/// How `e` shows: its kind (a value of an attribute dictionary is an attribute), its name
/// (RCH_NO_STR: none) and how it folds.
enum rch_fold { RCH_FOLD_NONE, RCH_FOLD_FORWARD, RCH_FOLD_BACK };
struct rch_shown {
    enum rch_edge_kind kind;
    enum rch_fold fold;
    rch_str name;
    bool is_guessed;
};
struct rch_shown rch_shown_of(struct rch_view *view, rch_node v, uint32_t e);

#endif
