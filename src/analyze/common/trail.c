// SPDX-License-Identifier: MIT
// analyze/common/trail.c -- see trail.h. Classes are interned in a hash table; a level's candidates are
// resolved in three passes: rank the classes, keep each node's least, expand the nodes.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/common/trail.h"

#include <stdlib.h>

#include "analyze/common/path.h"

struct candidate {
    uint32_t from;  // trail node
    uint32_t edge;
    uint32_t cls;
    uint32_t penalty, depth;
    uint8_t fold;
};

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))
#define IN(t, i) (&RCH_VEC_AT(&(t)->ins, struct rch_trail_in, i))

enum { FIRST_TABLE = 256, OFFER_STEPS = 8 };  // steps: what naming a reference takes

enum rch_status rch_trails_init(struct rch_trails *t, struct rch_view *view, const uint64_t *region,
                                const uint64_t *sinks, uint32_t *slot, struct rch_error *err)
{
    *t = (struct rch_trails){.view = view, .region = region, .sinks = sinks, .slot = slot};
    rch_vec_init(&t->classes, view->alloc, sizeof(struct rch_trail_class));
    rch_vec_init(&t->nodes, view->alloc, sizeof(struct rch_trail_node));
    rch_vec_init(&t->ins, view->alloc, sizeof(struct rch_trail_in));
    rch_vec_init(&t->table, view->alloc, sizeof(uint32_t));
    rch_vec_init(&t->now, view->alloc, sizeof(struct candidate));
    rch_vec_init(&t->folded, view->alloc, sizeof(struct candidate));
    rch_vec_init(&t->next, view->alloc, sizeof(struct candidate));
    rch_vec_init(&t->deferred, view->alloc, sizeof(struct candidate));
    rch_vec_init(&t->ranked, view->alloc, sizeof(uint32_t));
    return rch_vec_append(&t->table, NULL, FIRST_TABLE, err);
}

void rch_trails_deinit(struct rch_trails *t)
{
    for (size_t i = 0; i < t->nodes.num; i++)
        t->slot[NODE(t, i)->node] = 0;
    rch_vec_deinit(&t->classes);
    rch_vec_deinit(&t->nodes);
    rch_vec_deinit(&t->ins);
    rch_vec_deinit(&t->table);
    rch_vec_deinit(&t->now);
    rch_vec_deinit(&t->folded);
    rch_vec_deinit(&t->next);
    rch_vec_deinit(&t->deferred);
    rch_vec_deinit(&t->ranked);
}

// --- classes ---

static void class_names(const struct rch_graph *g, const struct rch_trail_class *c, rch_str *module,
                        rch_str *name)
{
    bool is_root = c->parent == RCH_NO_CLASS;
    *module = is_root ? RCH_NO_STR : g->types[c->type].module;
    *name = is_root ? g->roots[c->type].name : g->types[c->type].name;
}

static uint64_t hash_class(const struct rch_graph *g, const struct rch_trail_class *c)
{
    rch_str module, name;
    class_names(g, c, &module, &name);
    uint64_t h = (uint64_t)c->parent << 8 | c->kind;
    h = (h ^ c->name) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ module) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 32 ^ name) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

static bool same_class(const struct rch_graph *g, const struct rch_trail_class *a,
                       const struct rch_trail_class *b)
{
    rch_str module_a, name_a, module_b, name_b;
    if (a->parent != b->parent || a->kind != b->kind || a->name != b->name)
        return false;
    class_names(g, a, &module_a, &name_a);
    class_names(g, b, &module_b, &name_b);
    return module_a == module_b && name_a == name_b;
}

static enum rch_status grow_table(struct rch_trails *t, struct rch_error *err)
{
    size_t old = t->table.num;
    RCH_TRY(rch_vec_append(&t->table, NULL, old, err));
    uint32_t *rows = t->table.mem;
    memset(rows, 0, 2 * old * sizeof(*rows));
    for (uint32_t i = 0; i < t->classes.num; i++) {
        size_t at = hash_class(t->view->g, CLASS(t, i)) & (2 * old - 1);
        while (rows[at])
            at = (at + 1) & (2 * old - 1);
        rows[at] = i + 1;
    }
    return RCH_OK;
}

static enum rch_status intern_class(struct rch_trails *t, const struct rch_trail_class *c,
                                    uint32_t *cls_out, struct rch_error *err)
{
    if (2 * (t->classes.num + 1) > t->table.num)
        RCH_TRY(grow_table(t, err));
    uint32_t *rows = t->table.mem;
    size_t mask = t->table.num - 1, at = hash_class(t->view->g, c) & mask;
    for (; rows[at]; at = (at + 1) & mask) {
        if (same_class(t->view->g, CLASS(t, rows[at] - 1), c)) {
            *cls_out = rows[at] - 1;
            return RCH_OK;
        }
    }
    RCH_TRY(rch_vec_append(&t->classes, c, 1, err));
    rows[at] = (uint32_t)t->classes.num;
    *cls_out = (uint32_t)t->classes.num - 1;
    return RCH_OK;
}

static int compare_last(const struct rch_graph *g, const struct rch_trail_class *a,
                        const struct rch_trail_class *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->parent == RCH_NO_CLASS)
        return rch_compare_strs(g, g->roots[a->type].name, g->roots[b->type].name);
    int order = rch_compare_strs(g, a->name, b->name);
    return order ? order : rch_compare_types(g, a->type, b->type);
}

int rch_trails_compare(const struct rch_trails *t, uint32_t a, uint32_t b)
{
    const struct rch_trail_class *x = CLASS(t, a), *y = CLASS(t, b);
    int if_prefix = (x->depth > y->depth) - (x->depth < y->depth);
    for (; x->depth > y->depth; x = CLASS(t, x->parent)) {}
    for (; y->depth > x->depth; y = CLASS(t, y->parent)) {}
    if (x == y)
        return if_prefix;
    // Climb to where they part. The level's ranks, where both have one, save the climb.
    while (x->parent != y->parent) {
        x = CLASS(t, x->parent);
        y = CLASS(t, y->parent);
        if (x->level && x->level == y->level)
            return (x->rank > y->rank) - (x->rank < y->rank);
    }
    int order = compare_last(t->view->g, x, y);
    return order ? order : if_prefix;
}

static bool is_repeating(enum rch_edge_kind kind)
{
    return kind == RCH_EDGE_ITEM || kind == RCH_EDGE_KEY || kind == RCH_EDGE_VALUE ||
           kind == RCH_EDGE_ELEMENT || kind == RCH_EDGE_STACK;
}

// The class of what `edge` of trail node `from` leads to.
static enum rch_status class_after(struct rch_trails *t, uint32_t from, uint32_t edge,
                                   uint32_t *cls_out, uint8_t *fold_out, struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    rch_node to = g->edges[edge];
    uint32_t cls = NODE(t, from)->cls;
    struct rch_shown shown = rch_shown_of(t->view, NODE(t, from)->node, edge);
    const struct rch_trail_class *last = CLASS(t, cls);
    bool is_end =
        !t->goes_on && rch_bit(t->sinks, to);  // a question about an attribute dictionary itself
    if (shown.fold == RCH_FOLD_FORWARD && is_end && shown.kind != RCH_EDGE_OBJECT)
        shown.fold = RCH_FOLD_NONE;
    if (shown.fold == RCH_FOLD_BACK && last->parent == RCH_NO_CLASS)
        shown.fold = RCH_FOLD_NONE;
    *fold_out = (uint8_t)shown.fold;
    *cls_out = cls;
    if (shown.fold == RCH_FOLD_FORWARD)
        return RCH_OK;
    struct rch_trail_class c = {.type = g->shapes[g->shape_of[to]].type};
    if (shown.fold == RCH_FOLD_BACK) {
        c.parent = last->parent;
        c.depth = last->depth;
        c.name = last->name;
        c.kind = last->kind;
    } else {
        c.parent = cls;
        c.depth = last->depth + 1;
        c.name = is_repeating(shown.kind) ? RCH_NO_STR : shown.name;
        c.kind = (uint8_t)shown.kind;
    }
    return intern_class(t, &c, cls_out, err);
}

// --- nodes ---

static enum rch_status add_in(struct rch_trails *t, uint32_t index, uint32_t from, uint32_t edge,
                              uint8_t fold, struct rch_error *err)
{
    struct rch_trail_node *node = NODE(t, index);
    struct rch_trail_in in = {from, edge, node->ins, fold};
    RCH_TRY(rch_vec_append(&t->ins, &in, 1, err));
    node->ins = (uint32_t)t->ins.num;
    if (NODE(t, from)->raw_depth + 1 < node->raw_depth)
        node->raw_depth = NODE(t, from)->raw_depth + 1;
    return RCH_OK;
}

static enum rch_status add_node(struct rch_trails *t, rch_node v, uint32_t cls, uint32_t penalty,
                                uint32_t *index_out, struct rch_error *err)
{
    struct rch_trail_node node = {
        .node = v, .cls = cls, .raw_depth = UINT32_MAX, .penalty = penalty};
    RCH_TRY(rch_vec_append(&t->nodes, &node, 1, err));
    *index_out = (uint32_t)t->nodes.num - 1;
    t->slot[v] = (uint32_t)t->nodes.num;
    t->num_reached += rch_bit(t->sinks, v);
    return RCH_OK;
}

enum rch_status rch_trails_root(struct rch_trails *t, rch_node root, uint32_t *index_out,
                                struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    if (t->slot[root]) {
        *index_out = t->slot[root] - 1;
        return RCH_OK;
    }
    uint32_t cls, index = root - g->num_objects;
    struct rch_trail_class c = {
        .parent = RCH_NO_CLASS, .type = index, .kind = g->roots[index].kind};
    RCH_TRY(intern_class(t, &c, &cls, err));
    struct rch_trail_class *known = CLASS(t, cls);  // roots alike are one: with the least detail
    if (rch_compare_strs(g, g->roots[index].detail, g->roots[known->type].detail) < 0)
        known->type = index;
    RCH_TRY(add_node(t, root, cls, rch_root_penalty(g->roots[index].kind), index_out, err));
    NODE(t, *index_out)->raw_depth = 0;
    return RCH_OK;
}

enum rch_status rch_trails_follow(struct rch_trails *t, uint32_t from, uint32_t edge,
                                  uint32_t *index_out, struct rch_error *err)
{
    uint32_t cls;
    uint8_t fold;
    RCH_TRY(class_after(t, from, edge, &cls, &fold, err));
    RCH_TRY(add_node(t, t->view->g->edges[edge], cls, NODE(t, from)->penalty, index_out, err));
    return add_in(t, *index_out, from, edge, fold, err);
}

// --- levels ---

static bool comes_before(const struct candidate *a, const struct candidate *b)
{
    return a->penalty != b->penalty ? a->penalty < b->penalty : a->depth < b->depth;
}

static enum rch_status defer(struct rch_trails *t, const struct candidate *c, struct rch_error *err)
{
    RCH_TRY(rch_vec_append(&t->deferred, c, 1, err));
    struct candidate *heap = t->deferred.mem;
    size_t i = t->deferred.num - 1;
    for (; i && comes_before(c, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = *c;
    return RCH_OK;
}

static struct candidate pop_deferred(struct rch_trails *t)
{
    struct candidate *heap = t->deferred.mem;
    struct candidate top = heap[0], last = heap[t->deferred.num - 1];
    size_t num = --t->deferred.num, i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= num)
            break;
        if (child + 1 < num && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    if (num)
        heap[i] = last;
    return top;
}

// A candidate for a later level goes where that level will find it.
static enum rch_status offer(struct rch_trails *t, uint32_t from, uint32_t edge, bool is_start,
                             struct rch_error *err)
{
    if (!rch_goes_on(t->view->asking, OFFER_STEPS))
        return rch_view_check(t->view, err);
    struct rch_step step = rch_step_of(t->view, NODE(t, from)->node, edge);
    struct candidate c = {
        .from = from, .edge = edge, .penalty = NODE(t, from)->penalty + step.penalty};
    RCH_TRY(class_after(t, from, edge, &c.cls, &c.fold, err));
    c.depth = CLASS(t, c.cls)->depth;
    if (step.penalty || is_start)
        return defer(t, &c, err);
    return rch_vec_append(c.fold == RCH_FOLD_NONE ? &t->next : &t->folded, &c, 1, err);
}

enum rch_status rch_trails_offer(struct rch_trails *t, uint32_t from, uint32_t edge,
                                 struct rch_error *err)
{
    return offer(t, from, edge, true, err);
}

static enum rch_status expand(struct rch_trails *t, uint32_t from, bool is_start,
                              struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    rch_node v = NODE(t, from)->node;
    if (!rch_goes_on(t->view->asking, 1 + rch_num_refs(g, v)))
        return rch_view_check(t->view, err);
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        rch_node to = g->edges[e];
        if (to == RCH_NO_NODE || !rch_bit(t->region, to) || t->slot[to] ||
            !rch_edge_holds(t->view, v, e))
            continue;
        if (!t->fixed_only || rch_arc_of(t->view, v, e) == RCH_ARC_FIXED)
            RCH_TRY(offer(t, from, e, is_start, err));
    }
    return RCH_OK;
}

enum rch_status rch_trails_expand(struct rch_trails *t, uint32_t from, struct rch_error *err)
{
    return expand(t, from, true, err);
}

// A sort that nobody wants any more ends soon: all are equal to it.
static int compare_ranked(const void *a, const void *b, void *ctx)
{
    const struct rch_trails *t = ctx;
    if (!rch_goes_on(t->view->asking, OFFER_STEPS))
        return 0;
    return rch_trails_compare(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

static enum rch_status rank_classes(struct rch_trails *t, struct rch_error *err)
{
    uint32_t level = ++t->level;
    t->ranked.num = 0;
    for (size_t i = 0; i < t->now.num; i++) {
        uint32_t cls = RCH_VEC_AT(&t->now, struct candidate, i).cls;
        if (!rch_goes_on(t->view->asking, 1))
            return rch_view_check(t->view, err);
        if (CLASS(t, cls)->level == level)
            continue;
        CLASS(t, cls)->level = level;
        RCH_TRY(rch_vec_append(&t->ranked, &cls, 1, err));
    }
    uint32_t *ranked = t->ranked.mem;
    if (t->ranked.num > 1)
        qsort_r(ranked, t->ranked.num, sizeof(*ranked), compare_ranked, t);
    RCH_TRY(rch_view_check(t->view, err));
    for (uint32_t i = 0; i < t->ranked.num; i++)
        CLASS(t, ranked[i])->rank = i;
    return RCH_OK;
}

// Resolve the candidates in `now`; the nodes they make are [first, nodes.num).
static enum rch_status resolve(struct rch_trails *t, struct rch_error *err)
{
    uint32_t first = (uint32_t)t->nodes.num;
    RCH_TRY(rank_classes(t, err));
    for (size_t i = 0; i < t->now.num; i++) {
        const struct candidate c = RCH_VEC_AT(&t->now, struct candidate, i);
        rch_node to = t->view->g->edges[c.edge];
        uint32_t index = t->slot[to] - 1;
        if (!rch_goes_on(t->view->asking, 1))
            return rch_view_check(t->view, err);
        if (!t->slot[to]) {
            RCH_TRY(add_node(t, to, c.cls, c.penalty, &index, err));
        } else if (index < first) {
            continue;
        } else if (NODE(t, index)->cls != c.cls) {
            if (CLASS(t, NODE(t, index)->cls)->rank < CLASS(t, c.cls)->rank)
                continue;
            NODE(t, index)->cls = c.cls;
            NODE(t, index)->ins = 0;
            NODE(t, index)->raw_depth = UINT32_MAX;
        }
        RCH_TRY(add_in(t, index, c.from, c.edge, c.fold, err));
    }
    t->folded.num = 0;
    for (uint32_t i = first; t->num_reached < t->num_sinks && i < t->nodes.num; i++) {
        if (t->goes_on || !rch_bit(t->sinks, NODE(t, i)->node))
            RCH_TRY(expand(t, i, false, err));
    }
    return RCH_OK;
}

static void swap_vecs(struct rch_vec *a, struct rch_vec *b)
{
    struct rch_vec swap = *a;
    *a = *b;
    *b = swap;
}

enum rch_status rch_trails_run(struct rch_trails *t, struct rch_error *err)
{
    for (size_t i = 0; i < rch_bits_words(t->view->g->num_nodes); i++)
        t->num_sinks += (uint32_t)__builtin_popcountll(t->sinks[i] & t->region[i]);
    while (t->num_reached < t->num_sinks && (t->next.num || t->deferred.num)) {
        t->now.num = 0;
        const struct candidate *soonest = t->deferred.mem;
        if (t->next.num && (!t->deferred.num || !comes_before(soonest, t->next.mem)))
            swap_vecs(&t->now, &t->next);
        while (t->deferred.num) {
            struct candidate c = *(const struct candidate *)t->deferred.mem;
            if (t->now.num && comes_before(t->now.mem, &c))
                break;
            if (!rch_goes_on(t->view->asking, OFFER_STEPS))
                return rch_view_check(t->view, err);
            pop_deferred(t);
            RCH_TRY(rch_vec_append(&t->now, &c, 1, err));
        }
        while (t->now.num) {
            RCH_TRY(resolve(t, err));
            swap_vecs(&t->now, &t->folded);
        }
    }
    return rch_view_check(t->view, err);  // the region may be a part of what it should be
}

bool rch_trails_is_proper(const struct rch_trails *t, const struct rch_trail_node *node)
{
    const struct rch_graph *g = t->view->g;
    const struct rch_type *type = rch_type_of(g, node->node);
    const struct rch_trail_class *c = CLASS(t, node->cls);
    if (c->parent == RCH_NO_CLASS)
        return type->flags & RCH_TYPE_IS_MODULE;
    const struct rch_type *named = &g->types[c->type];
    return type->module == named->module && type->name == named->name;
}

// --- groups ---

static int compare_groups(const void *a, const void *b, void *ctx)
{
    const struct rch_trail_group *x = a, *y = b;
    if (!rch_goes_on(((const struct rch_trails *)ctx)->view->asking, OFFER_STEPS))
        return 0;
    if (x->num != y->num)
        return x->num > y->num ? -1 : 1;
    return rch_trails_compare(ctx, x->cls, y->cls);
}

enum rch_status rch_trails_groups(const struct rch_trails *t, struct rch_vec *groups,
                                  struct rch_vec *members, struct rch_error *err)
{
    RCH_BLOCK(place, t->view->alloc, t->classes.num, sizeof(uint32_t));
    uint32_t *at = place.mem, sum = 0;
    if (!at)
        return rch_fail(err, RCH_ENOMEM, "groups of %zu kinds of path", t->classes.num);
    for (size_t i = 0; i < t->nodes.num && rch_goes_on(t->view->asking, 1); i++)
        at[NODE(t, i)->cls] += rch_bit(t->sinks, NODE(t, i)->node);
    for (uint32_t c = 0; c < t->classes.num && rch_goes_on(t->view->asking, 1); c++) {
        struct rch_trail_group group = {c, sum, at[c]};
        at[c] = sum;
        sum += group.num;
        if (group.num)
            RCH_TRY(rch_vec_append(groups, &group, 1, err));
    }
    RCH_TRY(rch_view_check(t->view, err));
    RCH_TRY(rch_vec_append(members, NULL, sum, err));
    for (uint32_t i = 0; i < t->nodes.num && rch_goes_on(t->view->asking, 1); i++) {
        if (rch_bit(t->sinks, NODE(t, i)->node))
            RCH_VEC_AT(members, uint32_t, at[NODE(t, i)->cls]++) = i;
    }
    if (groups->num)
        qsort_r(groups->mem, groups->num, sizeof(struct rch_trail_group), compare_groups,
                (void *)(uintptr_t)t);
    return rch_view_check(t->view, err);
}
