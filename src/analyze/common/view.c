// SPDX-License-Identifier: MIT
// analyze/common/view.c -- set up the view: one pass over the nodes finds those whose references need a
// second look; the observers' own references are taken out; small tables for the naming rules.
#include "analyze/common/view.h"

#include <stdlib.h>

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void fill_traits(const struct rch_graph *g, uint8_t *traits, bool *has_weak)
{
    for (uint32_t s = 0; s < g->num_shapes; s++) {
        const struct rch_shape *shape = &g->shapes[s];
        for (uint32_t i = 0; i < shape->num_labels + shape->num_tail; i++) {
            const struct rch_label *label = &g->labels[shape->first_label + i];
            if (label->cls == RCH_CLASS_WEAK)
                traits[s] |= RCH_SHAPE_WEAK;
            if (label->kind == RCH_EDGE_VALUE)
                traits[s] |= RCH_SHAPE_MAPPING;
            if ((label->flags & RCH_LABEL_FIXED) || label->kind == RCH_EDGE_OBJECT ||
                label->kind == RCH_EDGE_DICT)
                traits[s] |= RCH_SHAPE_FIXED;
        }
        *has_weak |= (traits[s] & RCH_SHAPE_WEAK) != 0;
    }
}

static void mark_odd(struct rch_view *view, bool has_weak)
{
    const struct rch_graph *g = view->g;
    const uint8_t *traits = view->traits.mem;
    uint64_t *odd = view->odd.mem;
    for (uint32_t v = 0; has_weak && v < g->num_nodes; v++) {
        if (traits[g->shape_of[v]] & RCH_SHAPE_WEAK)
            rch_bit_set(odd, v);
    }
    for (uint32_t i = 0; i < g->num_observers; i++) {
        rch_node v = g->observers[i].node;
        bool is_all = g->observers[i].scope == RCH_OBSERVER_ALL;
        rch_bit_set(is_all ? view->removed.mem : view->direct.mem, v);
        rch_bit_set(odd, v);
    }
}

static void mark_members(struct rch_view *view)
{
    const struct rch_question *q = view->question;
    for (uint32_t i = 0; i < q->num_members; i++)
        rch_bit_set(view->members.mem, q->members[i]);
}

static bool is_builtin(const struct rch_view *view, rch_node v, const char *const *names,
                       size_t num)
{
    const struct rch_type *type = rch_type_of(view->g, v);
    if (rch_is_root(view->g, v) || type->module != RCH_NO_STR)
        return false;
    const char *name = rch_str_get(view->g, type->name);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

// A list, tuple, set, dict or cell with a member in it.
static bool has_members(const struct rch_view *view, rch_node v)
{
    static const char *const cell[] = {"cell"};
    const struct rch_graph *g = view->g;
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    bool is_cell = is_builtin(view, v, cell, 1);
    if (!is_cell && (shape->num_labels || !shape->num_tail))
        return false;
    for (uint32_t i = 0; !is_cell && i < shape->num_tail; i++) {
        uint8_t kind = g->labels[shape->first_label + i].kind;
        if (kind != RCH_EDGE_ITEM && kind != RCH_EDGE_ELEMENT && kind != RCH_EDGE_KEY &&
            kind != RCH_EDGE_VALUE)
            return false;
    }
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        if (g->edges[e] != RCH_NO_NODE && rch_is_member(view, g->edges[e]))
            return true;
    }
    return false;
}

static bool only_observers_refer_to(const struct rch_view *view, rch_node v)
{
    const struct rch_reverse *rev = view->rev;
    for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++) {
        rch_node from = rev->source[i];
        if (!rch_bit(view->direct.mem, from) && !rch_is_removed(view, from) &&
            rch_edge_holds(view, from, rev->edge[i]))
            return false;
    }
    return true;
}

// What an expression under way makes: nobody else refers to it, and it is gone when the call ends.
static bool is_temporary(const struct rch_view *view, rch_node v)
{
    static const char *const names[] = {"tuple",
                                        "list",
                                        "cell",
                                        "function",
                                        "list_iterator",
                                        "list_reverseiterator",
                                        "tuple_iterator",
                                        "set_iterator",
                                        "dict_keyiterator",
                                        "dict_valueiterator",
                                        "dict_itemiterator",
                                        "dict_keys",
                                        "dict_values",
                                        "dict_items",
                                        "enumerate",
                                        "zip",
                                        "map",
                                        "filter",
                                        "reversed",
                                        "generator"};
    return is_builtin(view, v, names, sizeof(names) / sizeof(names[0])) &&
           only_observers_refer_to(view, v);
}

static bool is_own_reference(const struct rch_view *view, rch_node v, uint32_t e)
{
    rch_node to = view->g->edges[e];
    return to != RCH_NO_NODE && rch_edge_holds(view, v, e) &&
           (rch_is_member(view, to) || has_members(view, to));
}

// Append the temporaries that these nodes hold to them; a few rounds, as one may hold another.
static enum rch_status add_temporaries(struct rch_view *view, struct rch_vec *nodes,
                                       struct rch_error *err)
{
    enum { MAX_ROUNDS = 8 };
    const struct rch_graph *g = view->g;
    size_t before = 0;
    for (int round = 0; round < MAX_ROUNDS && nodes->num > before; round++) {
        before = nodes->num;
        for (size_t i = 0; i < nodes->num; i++) {
            rch_node v = RCH_VEC_AT(nodes, rch_node, i);
            for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
                rch_node to = g->edges[e];
                if (to == RCH_NO_NODE || rch_bit(view->direct.mem, to) || rch_is_member(view, to) ||
                    !rch_edge_holds(view, v, e) || !is_temporary(view, to))
                    continue;
                rch_bit_set(view->direct.mem, to);
                rch_bit_set(view->odd.mem, to);
                RCH_TRY(rch_vec_append(nodes, &to, 1, err));
            }
        }
    }
    return RCH_OK;
}

static enum rch_status ignore_direct(struct rch_view *view, struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    RCH_VEC(nodes, view->alloc, rch_node);
    RCH_VEC(found, view->alloc, uint32_t);
    for (uint32_t i = 0; i < g->num_observers; i++) {
        if (g->observers[i].scope == RCH_OBSERVER_DIRECT)
            RCH_TRY(rch_vec_append(&nodes, &g->observers[i].node, 1, err));
    }
    RCH_TRY(add_temporaries(view, &nodes, err));
    for (size_t i = 0; i < nodes.num; i++) {
        rch_node v = RCH_VEC_AT(&nodes, rch_node, i);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (is_own_reference(view, v, e))
                RCH_TRY(rch_vec_append(&found, &e, 1, err));
        }
    }
    if (found.num)
        qsort(found.mem, found.num, sizeof(uint32_t), compare_u32);
    return rch_vec_append(&view->ignored, found.mem, found.num, err);  // rch_edge_holds from now on
}

static int compare_modules(const void *a, const void *b)
{
    const struct rch_module_dict *x = a, *y = b;
    return x->dict != y->dict ? (x->dict > y->dict) - (x->dict < y->dict)
                              : (x->root > y->root) - (x->root < y->root);
}

// root -> module object -> its dictionary
static enum rch_status find_modules(struct rch_view *view, struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    for (uint32_t r = 0; r < g->num_roots; r++) {
        rch_node root = g->num_objects + r;
        if (g->roots[r].kind != RCH_ROOT_MODULE || !rch_num_refs(g, root))
            continue;
        rch_node module = g->edges[g->edge_start[root]];
        for (uint32_t i = 0; module != RCH_NO_NODE && i < rch_num_refs(g, module); i++) {
            struct rch_module_dict row = {g->edges[g->edge_start[module] + i], r};
            if (row.dict != RCH_NO_NODE && rch_label_of(g, module, i)->kind == RCH_EDGE_DICT)
                RCH_TRY(rch_vec_append(&view->modules, &row, 1, err));
        }
    }
    if (view->modules.num)
        qsort(view->modules.mem, view->modules.num, sizeof(struct rch_module_dict),
              compare_modules);
    return RCH_OK;
}

static int compare_type_objects(const void *a, const void *b)
{
    return compare_u32(&((const struct rch_type_object *)a)->node,
                       &((const struct rch_type_object *)b)->node);
}

static enum rch_status find_type_objects(struct rch_view *view, struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    for (uint32_t t = 0; t < g->num_types; t++) {
        struct rch_type_object row = {g->types[t].node, t};
        if (row.node != RCH_NO_NODE)
            RCH_TRY(rch_vec_append(&view->type_objects, &row, 1, err));
    }
    if (view->type_objects.num)
        qsort(view->type_objects.mem, view->type_objects.num, sizeof(struct rch_type_object),
              compare_type_objects);
    return RCH_OK;
}

static enum rch_status fill(struct rch_view *view, struct rch_error *err)
{
    if (!view->traits.mem || !view->members.mem || !view->removed.mem || !view->direct.mem ||
        !view->odd.mem)
        return rch_fail(err, RCH_ENOMEM, "view of %" PRIu32 " nodes", view->g->num_nodes);
    bool has_weak = false;
    fill_traits(view->g, view->traits.mem, &has_weak);
    mark_odd(view, has_weak);
    mark_members(view);
    RCH_TRY(ignore_direct(view, err));
    RCH_TRY(find_modules(view, err));
    return find_type_objects(view, err);
}

enum rch_status rch_view_init(struct rch_view *view, const struct rch_graph *g,
                              const struct rch_reverse *rev, const struct rch_question *question,
                              const struct rch_alloc *alloc, struct rch_error *err)
{
    size_t words = rch_bits_words(g->num_nodes);
    memset(view, 0, sizeof(*view));
    view->g = g;
    view->rev = rev;
    view->alloc = alloc;
    view->question = question;
    view->traits = rch_block_make(alloc, g->num_shapes, sizeof(uint8_t));
    view->members = rch_block_make(alloc, words, sizeof(uint64_t));
    view->removed = rch_block_make(alloc, words, sizeof(uint64_t));
    view->direct = rch_block_make(alloc, words, sizeof(uint64_t));
    view->odd = rch_block_make(alloc, words, sizeof(uint64_t));
    rch_vec_init(&view->ignored, alloc, sizeof(uint32_t));
    rch_vec_init(&view->postponed, alloc, sizeof(struct rch_postponed));
    rch_vec_init(&view->modules, alloc, sizeof(struct rch_module_dict));
    rch_vec_init(&view->type_objects, alloc, sizeof(struct rch_type_object));
    for (size_t i = 0; i < sizeof(view->text_cache) / sizeof(view->text_cache[0]); i++)
        view->text_cache[i].node = RCH_NO_NODE;
    enum rch_status st = fill(view, err);
    if (st != RCH_OK)
        rch_view_deinit(view);
    return st;
}

void rch_view_deinit(struct rch_view *view)
{
    rch_block_drop(&view->traits);
    rch_block_drop(&view->members);
    rch_block_drop(&view->removed);
    rch_block_drop(&view->direct);
    rch_block_drop(&view->odd);
    rch_vec_deinit(&view->ignored);
    rch_vec_deinit(&view->postponed);
    rch_vec_deinit(&view->modules);
    rch_vec_deinit(&view->type_objects);
}

enum rch_status rch_view_ignore(struct rch_view *view, const uint32_t *edges,
                                const rch_node *sources, uint32_t num, struct rch_error *err)
{
    RCH_TRY(rch_vec_append(&view->ignored, edges, num, err));
    for (uint32_t i = 0; i < num; i++) {
        rch_bit_set(view->direct.mem, sources[i]);
        rch_bit_set(view->odd.mem, sources[i]);
    }
    if (view->ignored.num)
        qsort(view->ignored.mem, view->ignored.num, sizeof(uint32_t), compare_u32);
    return RCH_OK;
}
