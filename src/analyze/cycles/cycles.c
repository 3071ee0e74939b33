// SPDX-License-Identifier: MIT
// analyze/cycles/cycles.c -- see cycles.h: which nodes to look at, their components, and those in groups. Two
// components look alike when the same kinds of objects refer to each other by the same names,
// however many there are of each.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/cycles/cycles.h"

#include <stdlib.h>

#include "analyze/common/chain.h"
#include "analyze/cycles/cycles_impl.h"
#include "analyze/common/hops.h"
#include "analyze/common/mix.h"
#include "analyze/common/reach.h"

enum { DEFAULT_GROUPS = 20, NAME_STEPS = 4 };  // steps: what naming a reference takes

struct knot_row {  // a component of the answer
    uint64_t look;
    uint64_t bytes;
    uint32_t first, num;  // of `nodes`
    uint32_t group;
    bool is_garbage;
};

struct group_row {
    uint64_t look, bytes, objects;
    uint32_t first, num;  // of the sorted knots
    bool is_garbage;
};

struct cycles {
    struct rch_view view;
    const struct rch_question *question;  // NULL: all garbage
    const struct rch_cycles_options *options;
    struct rch_scc scc;
    struct rch_cycles *answer;
    rch_node *queue;
    uint32_t *local;
    uint64_t *live, *garbage, *within;  // bits
    struct rch_vec nodes;               // rch_node: of the components, one after the other
    struct rch_vec knots, groups;       // knot_row, group_row
    uint8_t *has_del;                   // see rch__has_del
};

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "cycles");
}

// --- which nodes ---

static uint32_t queue_roots(struct cycles *c, bool is_garbage, uint64_t *visited)
{
    const struct rch_graph *g = c->view.g;
    uint32_t tail = 0;
    if (!is_garbage)
        return rch_start_live(&c->view, visited, c->queue);
    for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
        if (g->roots[v - g->num_objects].kind == RCH_ROOT_GARBAGE && rch_bit_add(visited, v))
            c->queue[tail++] = v;
    }
    return tail;
}

static uint64_t add_bytes(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

// What garbage refers to and nothing alive does.
static void find_garbage(struct cycles *c)
{
    const struct rch_graph *g = c->view.g;
    uint32_t tail = queue_roots(c, false, c->live);
    rch_sweep(&c->view, NULL, 0, c->live, c->queue, 0, tail);
    rch_bits_copy(c->garbage, c->live, g->num_nodes);
    tail = queue_roots(c, true, c->garbage);
    tail = rch_sweep(&c->view, NULL, 0, c->garbage, c->queue, 0, tail);
    rch_bits_minus(c->garbage, c->live, g->num_nodes);
    for (uint32_t i = 0; i < tail; i++) {
        if (rch_is_root(g, c->queue[i]))
            continue;
        c->answer->garbage++;
        c->answer->garbage_bytes =
            add_bytes(c->answer->garbage_bytes, rch_size_bytes(g, c->queue[i]));
    }
}

static void choose_nodes(struct cycles *c)
{
    const struct rch_graph *g = c->view.g;
    rch_bits_copy(c->within, c->garbage, g->num_nodes);
    if (!c->question || c->options->garbage_only)
        return;
    rch_bits_or(c->within, c->live, g->num_nodes);
    rch_bits_minus(c->within, c->view.removed.mem, g->num_nodes);
    for (size_t i = 0; i < c->view.modules.num; i++) {
        const struct rch_module_dict *row =
            &RCH_VEC_AT(&c->view.modules, struct rch_module_dict, i);
        rch_bit_clear(c->within, row->dict);
        rch_bit_clear(c->within, g->edges[g->edge_start[g->num_objects + row->root]]);
    }
}

// --- which components ---

static bool refers_to_itself(const struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        if (g->edges[e] == v && rch_edge_holds(view, v, e))
            return true;
    }
    return false;
}

// Per component, 0: none of the answer; else one more than where its nodes begin.
static enum rch_status choose_components(struct cycles *c, uint32_t *count, uint64_t *is_asked,
                                         struct rch_error *err)
{
    const uint32_t *component = c->scc.component;
    uint32_t num_nodes = c->view.g->num_objects;
    uint32_t sum = 0;
    for (rch_node v = 0; v < num_nodes && rch_goes_on(c->view.asking, 1); v++) {
        if (component[v] == RCH_NO_COMPONENT)
            continue;
        count[component[v]]++;
        if (!c->question || rch_is_member(&c->view, v))
            rch_bit_set(is_asked, component[v]);
    }
    for (rch_node v = 0; v < num_nodes && rch_goes_on(c->view.asking, 2); v++) {
        uint32_t own = component[v];
        if (own != RCH_NO_COMPONENT && count[own] == 1 && !refers_to_itself(&c->view, v))
            count[own] = 0;
    }
    RCH_TRY(rch_view_check(&c->view, err));
    for (uint32_t i = 0; i < c->scc.num_components; i++) {
        struct knot_row row = {.first = sum, .num = count[i]};
        count[i] = 0;
        if (!row.num || !rch_bit(is_asked, i))
            continue;
        sum += row.num;
        count[i] = row.first + 1;
        RCH_TRY(rch_vec_append(&c->knots, &row, 1, err));
    }
    return rch_vec_append(&c->nodes, NULL, sum, err);
}

static enum rch_status find_components(struct cycles *c, struct rch_error *err)
{
    RCH_BLOCK(count_block, c->view.alloc, c->scc.num_components, sizeof(uint32_t));
    RCH_BITS(is_asked, c->view.alloc, c->scc.num_components);
    uint32_t *count = count_block.mem;
    if (!count || !is_asked.mem)
        return no_memory(err);
    RCH_TRY(choose_components(c, count, is_asked.mem, err));
    for (rch_node v = 0; v < c->view.g->num_objects && rch_goes_on(c->view.asking, 1); v++) {
        uint32_t own = c->scc.component[v];
        if (own != RCH_NO_COMPONENT && count[own])
            RCH_VEC_AT(&c->nodes, rch_node, count[own]++ - 1) = v;
    }
    for (size_t i = 0; i < c->knots.num; i++) {
        struct knot_row *row = &RCH_VEC_AT(&c->knots, struct knot_row, i);
        const rch_node *nodes = &RCH_VEC_AT(&c->nodes, rch_node, row->first);
        if (!rch_goes_on(c->view.asking, 1 + row->num))
            return rch_view_check(&c->view, err);
        row->is_garbage = rch_bit(c->garbage, nodes[0]);
        for (uint32_t n = 0; n < row->num; n++)
            row->bytes = add_bytes(row->bytes, rch_size_bytes(c->view.g, nodes[n]));
        c->answer->components++;
        c->answer->objects += row->num;
        c->answer->bytes = add_bytes(c->answer->bytes, row->bytes);
    }
    return RCH_OK;
}

// --- groups ---

rch_node rch__owner_of(struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    if (!rch_is_namespace(view, v))
        return v;
    for (uint32_t i = view->rev->start[v]; i < view->rev->start[v + 1]; i++) {
        rch_node from = view->rev->source[i];
        if (rch_label_of(g, from, view->rev->edge[i] - g->edge_start[from])->kind == RCH_EDGE_DICT)
            return from;
    }
    return v;
}

bool rch__is_plumbing(struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    if (rch_is_namespace(view, v))
        return true;
    return shape->num_labels && (g->labels[shape->first_label].flags & RCH_LABEL_FOLD_BACK);
}

static uint64_t type_word(const struct rch_graph *g, rch_node v)
{
    const struct rch_type *type = rch_type_of(g, v);
    return (uint64_t)type->module << 32 | type->name;
}

// A sort that nobody wants any more ends soon: all are equal to it.
static int compare_words(const void *a, const void *b, void *view)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return rch_goes_on(((struct rch_view *)view)->asking, 1) ? (x > y) - (x < y) : 0;
}

enum rch_status rch__sort_words(struct rch_view *view, struct rch_vec *words, struct rch_error *err)
{
    if (words->num)
        qsort_r(words->mem, words->num, sizeof(uint64_t), compare_words, view);
    return rch_view_check(view, err);
}

uint64_t rch__name_hash(struct rch_view *view, rch_node v, uint32_t e)
{
    struct rch_shown shown = rch_shown_of(view, v, e);
    uint64_t hash = rch_mix(1, type_word(view->g, rch__owner_of(view, v)));
    return rch_mix(rch_mix(hash, shown.kind),
                   rch_kind_repeats(shown.kind) ? RCH_NO_STR : shown.name);
}

static enum rch_status find_look(struct cycles *c, struct knot_row *row, struct rch_vec *words,
                                 struct rch_error *err)
{
    const struct rch_graph *g = c->view.g;
    const struct rch__knot knot = {.view = &c->view, .scc = &c->scc};
    words->num = 0;
    for (uint32_t n = 0; n < row->num; n++) {
        rch_node v = RCH_VEC_AT(&c->nodes, rch_node, row->first + n);
        if (!rch_goes_on(c->view.asking, 1 + NAME_STEPS * rch_num_refs(g, v)))
            return rch_view_check(&c->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (!rch__is_inner(&knot, v, e) || rch_shown_of(&c->view, v, e).fold != RCH_FOLD_NONE)
                continue;
            uint64_t word = rch_mix(rch__name_hash(&c->view, v, e), type_word(g, g->edges[e]));
            RCH_TRY(rch_vec_append(words, &word, 1, err));
        }
    }
    const uint64_t *sorted = words->mem;
    RCH_TRY(rch__sort_words(&c->view, words, err));
    row->look = row->is_garbage;
    for (size_t i = 0; i < words->num; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1])
            row->look = rch_mix(row->look, sorted[i]);
    }
    return RCH_OK;
}

static int compare_knots(const void *a, const void *b)
{
    const struct knot_row *x = a, *y = b;
    if (x->look != y->look)
        return x->look < y->look ? -1 : 1;
    if (x->num != y->num)
        return x->num < y->num ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static int compare_groups(const void *a, const void *b)
{
    const struct group_row *x = a, *y = b;
    if (x->is_garbage != y->is_garbage)
        return x->is_garbage ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static enum rch_status find_groups(struct cycles *c, struct rch_error *err)
{
    RCH_VEC(words, c->view.alloc, uint64_t);
    struct knot_row *knots = c->knots.mem;
    for (size_t i = 0; i < c->knots.num; i++)
        RCH_TRY(find_look(c, &knots[i], &words, err));
    if (c->knots.num)
        qsort(knots, c->knots.num, sizeof(*knots), compare_knots);
    for (uint32_t i = 0; i < c->knots.num; i++) {
        struct group_row *last =
            c->groups.num ? &RCH_VEC_AT(&c->groups, struct group_row, c->groups.num - 1) : NULL;
        if (!last || last->look != knots[i].look) {
            struct group_row row = {
                .look = knots[i].look, .first = i, .is_garbage = knots[i].is_garbage};
            RCH_TRY(rch_vec_append(&c->groups, &row, 1, err));
            last = &RCH_VEC_AT(&c->groups, struct group_row, c->groups.num - 1);
        }
        last->num++;
        last->objects += knots[i].num;
        last->bytes = add_bytes(last->bytes, knots[i].bytes);
    }
    if (c->groups.num)
        qsort(c->groups.mem, c->groups.num, sizeof(struct group_row), compare_groups);
    return RCH_OK;
}

// --- telling a group ---

static int compare_types(const void *a, const void *b)
{
    const struct rch_cycle_type *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    return strcmp(x->type, y->type);
}

static enum rch_status add_type(struct cycles *c, uint32_t type, struct rch_vec *rows,
                                struct rch_error *err)
{
    struct rch_cycle_type row = {.type = rch_type_text(c->view.g, type, &c->answer->arena),
                                 .has_del = rch__has_del(&c->view, type, c->has_del)};
    return row.type ? rch_vec_append(rows, &row, 1, err) : no_memory(err);
}

static enum rch_status tell_types(struct cycles *c, const rch_node *nodes, uint32_t num,
                                  struct rch_cycle_group *group, struct rch_error *err)
{
    const struct rch_graph *g = c->view.g;
    RCH_VEC(sorted, c->view.alloc, uint64_t);  // type, node
    RCH_VEC(rows, c->view.alloc, struct rch_cycle_type);
    for (uint32_t i = 0; i < num; i++) {
        uint64_t word = (uint64_t)g->shapes[g->shape_of[nodes[i]]].type << 32 | nodes[i];
        if (!rch_goes_on(c->view.asking, 2))
            return rch_view_check(&c->view, err);
        if (!rch__is_plumbing(&c->view, nodes[i]))
            RCH_TRY(rch_vec_append(&sorted, &word, 1, err));
    }
    RCH_TRY(rch__sort_words(&c->view, &sorted, err));
    for (size_t i = 0; i < sorted.num; i++) {
        uint64_t word = RCH_VEC_AT(&sorted, uint64_t, i);
        if (i == 0 || RCH_VEC_AT(&sorted, uint64_t, i - 1) >> 32 != word >> 32)
            RCH_TRY(add_type(c, (uint32_t)(word >> 32), &rows, err));
        struct rch_cycle_type *row = &RCH_VEC_AT(&rows, struct rch_cycle_type, rows.num - 1);
        row->objects++;
        row->bytes = add_bytes(row->bytes, rch_size_bytes(g, (rch_node)word));
        group->has_del |= row->has_del;
    }
    struct rch_cycle_type *types = rch_arena_take(&c->answer->arena, rows.num, sizeof(*types));
    if (!types)
        return no_memory(err);
    if (rows.num) {
        qsort(rows.mem, rows.num, sizeof(*types), compare_types);
        memcpy(types, rows.mem, rows.num * sizeof(*types));
    }
    group->types = types;
    group->num_types = (uint32_t)rows.num;
    return RCH_OK;
}

// Garbage that nothing but the group's components keeps.
static void count_freed(struct cycles *c, const rch_node *nodes, uint32_t num, uint64_t *scratch,
                        struct rch_cycle_group *group)
{
    const struct rch_graph *g = c->view.g;
    uint64_t left = 0, left_bytes = 0;
    rch_bits_copy(scratch, c->live, g->num_nodes);
    for (uint32_t i = 0; i < num; i++)
        rch_bit_set(scratch, nodes[i]);
    uint32_t tail = queue_roots(c, true, scratch);
    tail = rch_sweep(&c->view, NULL, 0, scratch, c->queue, 0, tail);
    for (uint32_t i = 0; i < tail; i++) {
        if (rch_is_root(g, c->queue[i]))
            continue;
        left++;
        left_bytes = add_bytes(left_bytes, rch_size_bytes(g, c->queue[i]));
    }
    group->frees = c->answer->garbage - left;
    group->frees_bytes = c->answer->garbage_bytes - left_bytes;
}

static enum rch_status tell_group(struct cycles *c, const struct group_row *row, uint64_t *scratch,
                                  struct rch_cycle_group *group, struct rch_error *err)
{
    const struct knot_row *knots = &RCH_VEC_AT(&c->knots, struct knot_row, row->first);
    RCH_VEC(all, c->view.alloc, rch_node);
    *group = (struct rch_cycle_group){.is_garbage = row->is_garbage,
                                      .components = row->num,
                                      .objects = row->objects,
                                      .bytes = row->bytes,
                                      .least_objects = knots[0].num,
                                      .most_objects = knots[row->num - 1].num};
    for (uint32_t i = 0; i < row->num; i++)
        RCH_TRY(rch_vec_append(&all, &RCH_VEC_AT(&c->nodes, rch_node, knots[i].first), knots[i].num,
                               err));
    for (uint32_t i = 0; i < all.num; i++)
        c->local[RCH_VEC_AT(&all, rch_node, i)] = i;
    struct rch__knot knot = {&c->view,          &c->scc,  all.mem,
                             (uint32_t)all.num, c->local, &c->answer->arena};
    struct rch__knot smallest = knot;
    smallest.num_nodes = knots[0].num;
    RCH_TRY(tell_types(c, all.mem, (uint32_t)all.num, group, err));
    RCH_TRY(rch__find_cycle(&smallest, group, err));
    RCH_TRY(rch__find_cuts(&knot, group, err));
    if (row->is_garbage)
        count_freed(c, all.mem, (uint32_t)all.num, scratch, group);
    return rch_view_check(&c->view, err);
}

static enum rch_status tell_groups(struct cycles *c, struct rch_error *err)
{
    uint32_t max = c->options->max_groups ? c->options->max_groups : DEFAULT_GROUPS;
    uint32_t num = (uint32_t)c->groups.num < max ? (uint32_t)c->groups.num : max;
    RCH_BITS(scratch, c->view.alloc, c->view.g->num_nodes);
    RCH_BLOCK(has_del, c->view.alloc, c->view.g->num_types, sizeof(uint8_t));
    struct rch_cycles *answer = c->answer;
    answer->groups = rch_arena_take(&answer->arena, num, sizeof(*answer->groups));
    if (!answer->groups || !scratch.mem || !has_del.mem)
        return no_memory(err);
    c->has_del = has_del.mem;
    for (uint32_t i = 0; i < num; i++) {
        RCH_TRY(rch_view_stage(&c->view, i, num, err));
        RCH_TRY(tell_group(c, &RCH_VEC_AT(&c->groups, struct group_row, i), scratch.mem,
                           &answer->groups[i], err));
        answer->num_groups++;
    }
    answer->num_more_groups = (uint32_t)c->groups.num - num;
    return RCH_OK;
}

// --- the question ---

static enum rch_status search(struct cycles *c, struct rch_error *err)
{
    uint32_t num = c->view.g->num_nodes;
    RCH_BLOCK(queue, c->view.alloc, num, sizeof(rch_node));
    RCH_BITS(live, c->view.alloc, num);
    RCH_BITS(garbage, c->view.alloc, num);
    RCH_BITS(within, c->view.alloc, num);
    if (!queue.mem || !live.mem || !garbage.mem || !within.mem)
        return no_memory(err);
    c->queue = queue.mem;
    c->live = live.mem;
    c->garbage = garbage.mem;
    c->within = within.mem;
    find_garbage(c);
    RCH_TRY(rch_view_check(&c->view, err));
    choose_nodes(c);
    RCH_TRY(rch_scc_init(&c->scc, &c->view, within.mem, err));
    RCH_TRY(find_components(c, err));
    RCH_TRY(find_groups(c, err));
    RCH_BLOCK(local, c->view.alloc, num, sizeof(uint32_t));
    if (!local.mem)
        return no_memory(err);
    c->local = local.mem;
    return tell_groups(c, err);
}

static enum rch_status run(struct cycles *c, struct rch_error *err)
{
    const struct rch_alloc *alloc = c->view.alloc;
    c->scc = (struct rch_scc){.alloc = alloc};
    rch_vec_init(&c->nodes, alloc, sizeof(rch_node));
    rch_vec_init(&c->knots, alloc, sizeof(struct knot_row));
    rch_vec_init(&c->groups, alloc, sizeof(struct group_row));
    enum rch_status st = search(c, err);
    rch_scc_deinit(&c->scc);
    rch_vec_deinit(&c->nodes);
    rch_vec_deinit(&c->knots);
    rch_vec_deinit(&c->groups);
    return st;
}

static enum rch_status answer_question(const struct rch_graph *g, const struct rch_reverse *rev,
                                       const struct rch_question *question,
                                       const struct rch_cycles_options *options,
                                       const struct rch_alloc *alloc, struct rch_cycles *answer,
                                       struct rch_error *err)
{
    static const struct rch_question nobody = {"cycles", NULL, 0};
    struct cycles c = {.question = question, .options = options, .answer = answer};
    struct rch_asking asking = {.progress = options->progress, .phase = "cycles"};
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse own = {.alloc = alloc};
    answer->is_partial = g->info.is_partial;
    if (question) {
        answer->question = rch_arena_copy(&answer->arena, question->text, strlen(question->text));
        if (!answer->question)
            return no_memory(err);
    }
    if (!rev) {
        RCH_TRY(rch_reverse_make(&own, g, alloc, options->progress, err));
        rev = &own;
    }
    RCH_TRY(rch_view_init(&c.view, g, rev, question ? question : &nobody, alloc, err));
    c.view.asking = &asking;
    enum rch_status st = run(&c, err);
    rch_view_deinit(&c.view);
    return st;
}

enum rch_status rch_cycles(const struct rch_graph *g, const struct rch_reverse *rev,
                           const struct rch_question *question,
                           const struct rch_cycles_options *options, const struct rch_alloc *alloc,
                           struct rch_cycles **out, struct rch_error *err)
{
    static const struct rch_cycles_options none = {0};
    struct rch_cycles *answer = rch_calloc(alloc, 1, sizeof(*answer));
    if (!answer)
        return no_memory(err);
    rch_arena_init(&answer->arena, alloc);
    enum rch_status st =
        answer_question(g, rev, question, options ? options : &none, alloc, answer, err);
    if (st == RCH_OK)
        *out = answer;
    else
        rch_cycles_free(answer);
    return st;
}

void rch_cycles_free(struct rch_cycles *cycles)
{
    if (!cycles)
        return;
    const struct rch_alloc *alloc = cycles->arena.alloc;
    rch_arena_deinit(&cycles->arena);
    rch_free(alloc, cycles, 1, sizeof(*cycles));
}
