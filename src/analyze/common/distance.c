// SPDX-License-Identifier: MIT
// analyze/common/distance.c -- see distance.h. What a reference costs is a property of its label nearly
// always, so it is looked up in a table; module dictionaries, weak references' owners, roots and
// references that this question charges for take the slow way.
#include "analyze/common/distance.h"

#include "analyze/common/heap.h"

enum { LOOK_FAR = 32, LOOK_NEAR = 16 };

struct sweep {
    struct rch_view *view;
    uint64_t *cost;
    uint64_t *slow;         // bits: nodes whose references need rch_edge_holds and rch_step_of
    const uint64_t *steps;  // what a reference of this label costs
    struct rch_vec now, next, later;  // rch_node of the cost at hand and of one hop more; heap rows
    uint64_t level;                   // the cost at hand
};

static inline enum rch_status add(struct rch_vec *vec, rch_node v, struct rch_error *err)
{
    if (vec->num == vec->cap)
        RCH_TRY(rch_vec_reserve(vec, vec->num + 1024, err));
    ((rch_node *)vec->mem)[vec->num++] = v;
    return RCH_OK;
}

// A way to `to` that costs `step` more than the level.
static inline enum rch_status reach(struct sweep *s, rch_node to, uint64_t step,
                                    struct rch_error *err)
{
    uint64_t cost = s->level + step;
    if (s->cost[to] <= cost)
        return RCH_OK;
    s->cost[to] = cost;
    if (step <= 1)
        return add(step ? &s->next : &s->now, to, err);
    struct rch_heap_row row = {.cost = cost, .item = to};
    return rch_heap_push(&s->later, &row, err);
}

static enum rch_status expand_slow(struct sweep *s, rch_node v, struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        rch_node to = g->edges[e];
        if (!rch_edge_holds(s->view, v, e))
            continue;
        struct rch_step step = rch_step_of(s->view, v, e);
        RCH_TRY(reach(s, to, RCH_COST(step.penalty, step.hops), err));
    }
    return RCH_OK;
}

static enum rch_status expand(struct sweep *s, rch_node v, struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    if (rch_bit(s->slow, v))
        return expand_slow(s, v, err);
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    const uint64_t *steps = s->steps + shape->first_label;
    uint32_t label = 0, past_label = shape->num_labels + shape->num_tail;
    for (uint32_t e = g->edge_start[v], past = g->edge_start[v + 1]; e < past; e++) {
        rch_node to = g->edges[e];
        if (to != RCH_NO_NODE)
            RCH_TRY(reach(s, to, steps[label], err));
        if (++label == past_label)
            label = shape->num_labels;
    }
    return RCH_OK;
}

static enum rch_status run_level(struct sweep *s, struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    for (size_t i = 0; i < s->now.num; i++) {
        const rch_node *queue = s->now.mem;
        if (i + LOOK_FAR < s->now.num)
            __builtin_prefetch(&g->edge_start[queue[i + LOOK_FAR]]);
        if (i + LOOK_NEAR < s->now.num)
            __builtin_prefetch(&g->edges[g->edge_start[queue[i + LOOK_NEAR]]]);
        if (s->cost[queue[i]] != s->level)
            continue;  // found cheaper since, and done then
        if (!rch_goes_on(s->view->asking, 1 + rch_num_refs(g, queue[i])))
            return rch_view_check(s->view, err);
        RCH_TRY(expand(s, queue[i], err));
    }
    return RCH_OK;
}

static enum rch_status run(struct sweep *s, struct rch_error *err)
{
    while (s->next.num || s->later.num) {
        struct rch_vec swap = s->now;
        swap.num = 0;
        s->level++;
        if (!s->next.num)  // what came by a penalty waits for its own cost
            s->level = ((const struct rch_heap_row *)s->later.mem)->cost;
        s->now = s->next;
        s->next = swap;
        while (s->later.num && ((struct rch_heap_row *)s->later.mem)->cost <= s->level)
            RCH_TRY(add(&s->now, rch_heap_pop(&s->later).item, err));
        RCH_TRY(run_level(s, err));
    }
    return RCH_OK;
}

static enum rch_status start(struct sweep *s, enum rch_start from, struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
        bool is_start = rch_is_live_root(s->view, v) ||
                        (from == RCH_START_GARBAGE && !rch_is_removed(s->view, v));
        if (!is_start)
            continue;
        rch_bit_set(s->slow, v);
        uint32_t penalty = rch_root_penalty((enum rch_root_kind)g->roots[v - g->num_objects].kind);
        s->cost[v] = RCH_COST(penalty, 0);
        struct rch_heap_row row = {.cost = s->cost[v], .item = v};
        RCH_TRY(rch_heap_push(&s->later, &row, err));
    }
    return RCH_OK;
}

// Nothing is cheaper than what is not to be entered; those are far when all is done.
static void set_removed(struct sweep *s, uint64_t cost)
{
    const struct rch_graph *g = s->view->g;
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (rch_is_removed(s->view, v))
            s->cost[v] = cost;
    }
}

static void mark_slow(struct sweep *s, uint64_t *steps)
{
    struct rch_view *view = s->view;
    const struct rch_graph *g = view->g;
    rch_bits_or(s->slow, view->odd.mem, g->num_nodes);
    rch_bits_or(s->slow, view->direct.mem, g->num_nodes);
    for (size_t i = 0; i < view->modules.num; i++)
        rch_bit_set(s->slow, RCH_VEC_AT(&view->modules, struct rch_module_dict, i).dict);
    for (size_t i = 0; i < view->postponed.num; i++)
        rch_bit_set(s->slow,
                    rch_source_of(g, RCH_VEC_AT(&view->postponed, struct rch_postponed, i).edge));
    for (uint32_t i = 0; i < g->num_labels; i++) {
        struct rch_step step = rch_label_step(&g->labels[i], g);
        steps[i] = RCH_COST(step.penalty, step.hops);
    }
}

enum rch_status rch_distances_init(struct rch_distances *d, struct rch_view *view,
                                   enum rch_start from, struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    struct sweep s = {.view = view};
    RCH_BLOCK(cost, view->alloc, g->num_nodes, sizeof(uint64_t));
    RCH_BLOCK(steps, view->alloc, g->num_labels, sizeof(uint64_t));
    RCH_BITS(slow, view->alloc, g->num_nodes);
    if (!cost.mem || !steps.mem || !slow.mem)
        return rch_fail(err, RCH_ENOMEM, "paths to %" PRIu32 " nodes", g->num_nodes);
    s.cost = cost.mem;
    s.steps = steps.mem;
    s.slow = slow.mem;
    memset(s.cost, 0xff, (size_t)g->num_nodes * sizeof(uint64_t));
    mark_slow(&s, steps.mem);
    set_removed(&s, 0);
    rch_vec_init(&s.now, view->alloc, sizeof(rch_node));
    rch_vec_init(&s.next, view->alloc, sizeof(rch_node));
    rch_vec_init(&s.later, view->alloc, sizeof(struct rch_heap_row));
    enum rch_status st = start(&s, from, err);
    if (st == RCH_OK)
        st = run(&s, err);
    rch_vec_deinit(&s.now);
    rch_vec_deinit(&s.next);
    rch_vec_deinit(&s.later);
    set_removed(&s, RCH_FAR);
    if (st == RCH_OK)
        *d = (struct rch_distances){view->alloc, g->num_nodes, rch_block_take(&cost)};
    return st;
}

void rch_distances_deinit(struct rch_distances *d)
{
    rch_free(d->alloc, d->cost, d->num_nodes, sizeof(*d->cost));
    d->cost = NULL;
}
