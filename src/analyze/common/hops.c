// SPDX-License-Identifier: MIT
// analyze/common/hops.c -- walk back from all members of a group at once, a set of objects a hop. What all
// references of a hop have in common is told; what differs among them is left out.
#include "analyze/common/hops.h"

#include <inttypes.h>

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))
#define IN(t, i) (&RCH_VEC_AT(&(t)->ins, struct rch_trail_in, i))

struct walk {
    struct rch_trails *t;
    struct rch_arena *arena;
    struct rch_vec set;      // uint32_t: trail nodes at this hop
    struct rch_vec sources;  // uint32_t: those the hop's references go out of
    bool raw;
};

// What the references of one hop have in common.
struct common {
    bool is_any, same_name, same_index, same_key;
    struct rch_shown shown;
    uint32_t index, key_type, num_elements;
};

const char *rch_type_text(const struct rch_graph *g, uint32_t type, struct rch_arena *arena)
{
    const char *module = rch_str_get(g, g->types[type].module);
    const char *name = rch_str_get(g, g->types[type].name);
    return *module ? rch_arena_printf(arena, "%s.%s", module, name)
                   : rch_arena_copy(arena, name, strlen(name));
}

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "hops of a path");
}

static enum rch_status add_once(struct rch_trails *t, struct rch_vec *set, uint32_t index,
                                uint32_t stamp, struct rch_error *err)
{
    if (!rch_goes_on(t->view->asking, 8))  // with the naming of the reference that led here
        return rch_view_check(t->view, err);
    if (NODE(t, index)->stamp == stamp)
        return RCH_OK;
    NODE(t, index)->stamp = stamp;
    return rch_vec_append(set, &index, 1, err);
}

static struct rch_shown shown_of(struct walk *w, rch_node v, uint32_t e)
{
    const struct rch_graph *g = w->t->view->g;
    struct rch_shown shown = rch_shown_of(w->t->view, v, e);
    const struct rch_label *label = rch_label_of(g, v, e - g->edge_start[v]);
    if (w->raw) {
        shown.kind = (enum rch_edge_kind)label->kind;
        shown.fold = RCH_FOLD_NONE;
    }
    if (shown.kind == RCH_EDGE_VALUE && shown.name == RCH_NO_STR)
        shown.name = rch_view_text(w->t->view, rch_key_of_value(g, v, e - g->edge_start[v]));
    return shown;
}

// The type of a mapping entry's key; UINT32_MAX: none.
static uint32_t key_type_of(const struct rch_graph *g, rch_node v, uint32_t e,
                            const struct rch_shown *shown)
{
    rch_node key = RCH_NO_NODE;
    if (shown->kind == RCH_EDGE_KEY)
        key = g->edges[e];
    else if (shown->kind == RCH_EDGE_VALUE ||
             (shown->kind == RCH_EDGE_ATTRIBUTE && shown->name == RCH_NO_STR))
        key = rch_key_of_value(g, v, e - g->edge_start[v]);
    return key == RCH_NO_NODE ? UINT32_MAX : g->shapes[g->shape_of[key]].type;
}

static bool same_type(const struct rch_graph *g, uint32_t a, uint32_t b)
{
    return a == b ||
           (a != UINT32_MAX && b != UINT32_MAX && g->types[a].module == g->types[b].module &&
            g->types[a].name == g->types[b].name);
}

static void note(struct walk *w, struct common *all, rch_node v, uint32_t e)
{
    const struct rch_graph *g = w->t->view->g;
    struct rch_shown shown = shown_of(w, v, e);
    if (all->is_any && shown.kind != all->shown.kind) {
        if (shown.kind > all->shown.kind)
            return;
        all->is_any = false;  // only unfolded paths differ here: tell of the first kind
    }
    uint32_t key_type = key_type_of(g, v, e, &shown);
    uint32_t index = shown.kind == RCH_EDGE_ATTRIBUTE
                         ? UINT32_MAX
                         : rch_index_of_ref(g, v, e - g->edge_start[v]);
    if (!all->is_any) {
        *all = (struct common){true, true, true, true, shown, index, key_type, 0};
    } else {
        all->same_name &= all->shown.name == shown.name;
        all->same_index &= all->index == index;
        all->same_key &= same_type(g, all->key_type, key_type);
        all->shown.is_guessed |= shown.is_guessed;
    }
    uint32_t num = shown.kind == RCH_EDGE_ATTRIBUTE ? 0 : rch_num_entries(g, v, e);
    if (num > all->num_elements)
        all->num_elements = num;
}

static enum rch_status fill_hop(struct walk *w, struct rch_hop *hop, const struct common *all,
                                uint32_t num_objects, uint32_t type, struct rch_error *err)
{
    const struct rch_graph *g = w->t->view->g;
    hop->kind = all->shown.kind;
    hop->index = all->same_index ? all->index : UINT32_MAX;
    hop->num_objects = num_objects;
    hop->num_elements = all->num_elements;
    hop->is_guessed = all->shown.is_guessed;
    hop->example = RCH_NO_NODE;
    for (uint32_t i = 0; i < num_objects; i++) {
        rch_node v = NODE(w->t, RCH_VEC_AT(&w->set, uint32_t, i))->node;
        if (v < hop->example)
            hop->example = v;
    }
    hop->is_class = g->types[type].flags & RCH_TYPE_IS_TYPE;
    hop->type = rch_type_text(g, type, w->arena);
    if (all->same_name && all->shown.name != RCH_NO_STR) {
        hop->name = rch_arena_copy(w->arena, rch_str_get(g, all->shown.name),
                                   rch_str_bytes(g, all->shown.name));
        if (!hop->name)
            return no_memory(err);
    } else if (hop->kind == RCH_EDGE_DICT) {
        hop->name = "__dict__";
    }
    if (all->same_key && all->key_type != UINT32_MAX) {
        hop->key_type = rch_type_text(g, all->key_type, w->arena);
        if (!hop->key_type)
            return no_memory(err);
    }
    return hop->type ? RCH_OK : no_memory(err);
}

// Sources that are plumbing, such as attribute dictionaries, stand for what refers to them.
static enum rch_status unfold_sources(struct walk *w, struct rch_error *err)
{
    struct rch_trails *t = w->t;
    uint32_t stamp = t->stamp;  // that the sources have
    w->set.num = 0;
    for (size_t i = 0; i < w->sources.num; i++) {
        uint32_t index = RCH_VEC_AT(&w->sources, uint32_t, i);
        bool is_object = NODE(t, index)->ins == 0;
        for (uint32_t in = NODE(t, index)->ins; in; in = IN(t, in - 1)->next) {
            if (IN(t, in - 1)->fold == RCH_FOLD_FORWARD)
                RCH_TRY(add_once(t, &w->sources, IN(t, in - 1)->from, stamp, err));
            else
                is_object = true;
        }
        if (is_object)
            RCH_TRY(rch_vec_append(&w->set, &index, 1, err));
    }
    return RCH_OK;
}

// One hop: of the objects in `set`, all of class `cls`. Afterwards `set` has those it goes out of.
static enum rch_status walk_hop(struct walk *w, uint32_t cls, struct rch_hop *hop,
                                struct rch_error *err)
{
    struct rch_trails *t = w->t;
    struct common all = {0};
    uint32_t num_objects = (uint32_t)w->set.num;
    uint32_t seen = ++t->stamp;
    for (size_t i = 0; i < w->set.num; i++)
        NODE(t, RCH_VEC_AT(&w->set, uint32_t, i))->stamp = seen;
    for (size_t i = 0; i < w->set.num; i++) {  // grows by cells and the like
        uint32_t index = RCH_VEC_AT(&w->set, uint32_t, i);
        for (uint32_t in = NODE(t, index)->ins; in; in = IN(t, in - 1)->next) {
            const struct rch_trail_in *ref = IN(t, in - 1);
            if (ref->fold == RCH_FOLD_BACK)
                RCH_TRY(add_once(t, &w->set, ref->from, seen, err));
            else if (ref->fold == RCH_FOLD_NONE)
                note(w, &all, NODE(t, ref->from)->node, ref->edge);
        }
    }
    RCH_TRY(fill_hop(w, hop, &all, num_objects, CLASS(t, cls)->type, err));
    uint32_t from = ++t->stamp;
    w->sources.num = 0;
    for (size_t i = 0; i < w->set.num; i++) {
        uint32_t index = RCH_VEC_AT(&w->set, uint32_t, i);
        for (uint32_t in = NODE(t, index)->ins; in; in = IN(t, in - 1)->next) {
            if (IN(t, in - 1)->fold == RCH_FOLD_NONE)
                RCH_TRY(add_once(t, &w->sources, IN(t, in - 1)->from, from, err));
        }
    }
    return unfold_sources(w, err);
}

static enum rch_status walk_folded(struct walk *w, uint32_t cls, struct rch_hop *hops,
                                   struct rch_error *err)
{
    struct rch_trails *t = w->t;
    for (uint32_t at = CLASS(t, cls)->depth; at-- > 0; cls = CLASS(t, cls)->parent)
        RCH_TRY(walk_hop(w, cls, &hops[at], err));
    return RCH_OK;
}

enum rch_status rch_hop_back(struct rch_trails *t, uint32_t cls, struct rch_vec *set,
                             struct rch_arena *arena, struct rch_hop *hop, struct rch_error *err)
{
    struct walk w = {.t = t, .arena = arena, .set = *set};
    rch_vec_init(&w.sources, t->view->alloc, sizeof(uint32_t));
    enum rch_status st = walk_hop(&w, cls, hop, err);
    *set = w.set;
    rch_vec_deinit(&w.sources);
    return st;
}

static enum rch_status walk_raw(struct walk *w, uint32_t depth, struct rch_hop *hops,
                                struct rch_error *err)
{
    struct rch_trails *t = w->t;
    const struct rch_graph *g = t->view->g;
    for (uint32_t at = depth; at-- > 0;) {
        struct common all = {0};
        uint32_t num_objects = (uint32_t)w->set.num, stamp = ++t->stamp;
        w->sources.num = 0;
        for (size_t i = 0; i < w->set.num; i++) {
            uint32_t index = RCH_VEC_AT(&w->set, uint32_t, i);
            for (uint32_t in = NODE(t, index)->ins; in; in = IN(t, in - 1)->next) {
                const struct rch_trail_in *ref = IN(t, in - 1);
                if (NODE(t, ref->from)->raw_depth != at)
                    continue;
                note(w, &all, NODE(t, ref->from)->node, ref->edge);
                RCH_TRY(add_once(t, &w->sources, ref->from, stamp, err));
            }
        }
        rch_node first = NODE(t, RCH_VEC_AT(&w->set, uint32_t, 0))->node;
        RCH_TRY(fill_hop(w, &hops[at], &all, num_objects, g->shapes[g->shape_of[first]].type, err));
        struct rch_vec swap = w->set;
        w->set = w->sources;
        w->sources = swap;
    }
    return RCH_OK;
}

static enum rch_status walk(struct rch_trails *t, const struct rch_trail_group *group,
                            const uint32_t *members, struct rch_arena *arena, bool raw,
                            struct rch_hop **hops_out, uint32_t *num_out, struct rch_error *err)
{
    struct walk w = {.t = t, .arena = arena, .raw = raw};
    uint32_t depth = CLASS(t, group->cls)->depth;
    if (raw) {
        depth = UINT32_MAX;
        for (uint32_t i = 0; i < group->num; i++) {
            uint32_t length = NODE(t, members[group->first + i])->raw_depth;
            depth = length < depth ? length : depth;
        }
    }
    struct rch_hop *hops = rch_arena_take(arena, depth, sizeof(*hops));
    if (!hops)
        return no_memory(err);
    rch_vec_init(&w.set, t->view->alloc, sizeof(uint32_t));
    rch_vec_init(&w.sources, t->view->alloc, sizeof(uint32_t));
    enum rch_status st = RCH_OK;
    for (uint32_t i = 0; st == RCH_OK && i < group->num; i++) {
        uint32_t index = members[group->first + i];
        if (!raw || NODE(t, index)->raw_depth == depth)
            st = rch_vec_append(&w.set, &index, 1, err);
    }
    if (st == RCH_OK)
        st = raw ? walk_raw(&w, depth, hops, err) : walk_folded(&w, group->cls, hops, err);
    rch_vec_deinit(&w.set);
    rch_vec_deinit(&w.sources);
    *hops_out = hops;
    *num_out = depth;
    return st;
}

enum rch_status rch_folded_hops(struct rch_trails *t, const struct rch_trail_group *group,
                                const uint32_t *members, struct rch_arena *arena,
                                struct rch_hop **hops_out, uint32_t *num_out, struct rch_error *err)
{
    return walk(t, group, members, arena, false, hops_out, num_out, err);
}

enum rch_status rch_raw_hops(struct rch_trails *t, const struct rch_trail_group *group,
                             const uint32_t *members, struct rch_arena *arena,
                             struct rch_hop **hops_out, uint32_t *num_out, struct rch_error *err)
{
    return walk(t, group, members, arena, true, hops_out, num_out, err);
}
