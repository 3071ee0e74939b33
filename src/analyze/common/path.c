// SPDX-License-Identifier: MIT
// analyze/common/path.c -- costs are (penalty, hops) in one number. Folded references cost nothing, so an
// optimal path is not unique even without equal names; the walk therefore carries *sets* of places
// that the reader cannot tell apart, and cannot run in a circle.
#include "analyze/common/path.h"

#include <string.h>

#define PENALTY(n) ((uint64_t)(n) << 32)

struct place {
    uint64_t cost;  // from here to the target
    rch_node node;
    uint32_t from;  // place before this one on the walk
    uint32_t edge;  // and the edge from there
    bool is_settled, is_taken;
};
struct heap_row {
    uint64_t cost;
    uint32_t place;
};

struct finder {
    struct rch_view *view;
    const uint64_t *within;
    uint32_t *slot;  // node -> place + 1
    struct rch_vec places, heap;
    struct rch_vec now, later;  // uint32_t: places the walk is at, and goes to
    uint64_t best;              // cost from the best root, its own penalty included
};

#define PLACE(f, i) (&RCH_VEC_AT(&(f)->places, struct place, i))
#define ROW(f, i) (&RCH_VEC_AT(&(f)->heap, struct heap_row, i))

int rch_compare_strs(const struct rch_graph *g, rch_str a, rch_str b)
{
    return a == b ? 0 : strcmp(rch_str_get(g, a), rch_str_get(g, b));
}

int rch_compare_types(const struct rch_graph *g, uint32_t a, uint32_t b)
{
    int order = a == b ? 0 : rch_compare_strs(g, g->types[a].module, g->types[b].module);
    return order || a == b ? order : rch_compare_strs(g, g->types[a].name, g->types[b].name);
}

static enum rch_status heap_push(struct finder *f, uint64_t cost, uint32_t place,
                                 struct rch_error *err)
{
    struct heap_row row = {cost, place};
    RCH_TRY(rch_vec_append(&f->heap, &row, 1, err));
    size_t i = f->heap.num - 1;
    for (; i && ROW(f, (i - 1) / 2)->cost > cost; i = (i - 1) / 2)
        *ROW(f, i) = *ROW(f, (i - 1) / 2);
    *ROW(f, i) = row;
    return RCH_OK;
}

static struct heap_row heap_pop(struct finder *f)
{
    struct heap_row top = *ROW(f, 0), last = *ROW(f, f->heap.num - 1);
    size_t num = --f->heap.num, i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= num)
            break;
        if (child + 1 < num && ROW(f, child + 1)->cost < ROW(f, child)->cost)
            child++;
        if (ROW(f, child)->cost >= last.cost)
            break;
        *ROW(f, i) = *ROW(f, child);
        i = child;
    }
    if (num)
        *ROW(f, i) = last;
    return top;
}

static enum rch_status offer(struct finder *f, rch_node node, uint64_t cost, struct rch_error *err)
{
    uint32_t slot = f->slot[node];
    if (slot) {
        struct place *known = PLACE(f, slot - 1);
        if (known->cost <= cost)
            return RCH_OK;
        known->cost = cost;
        return heap_push(f, cost, slot - 1, err);
    }
    struct place place = {.cost = cost, .node = node};
    RCH_TRY(rch_vec_append(&f->places, &place, 1, err));
    f->slot[node] = (uint32_t)f->places.num;
    return heap_push(f, cost, (uint32_t)f->places.num - 1, err);
}

static uint64_t step_cost(struct finder *f, rch_node v, uint32_t e)
{
    struct rch_step step = rch_step_of(f->view, v, e);
    return PENALTY(step.penalty) + step.hops;
}

static uint64_t root_cost(const struct finder *f, rch_node root)
{
    const struct rch_graph *g = f->view->g;
    return PENALTY(rch_root_penalty(g->roots[root - g->num_objects].kind));
}

static enum rch_status explore(struct finder *f, rch_node target, struct rch_error *err)
{
    const struct rch_reverse *rev = f->view->rev;
    RCH_TRY(offer(f, target, 0, err));
    while (f->heap.num) {
        struct heap_row row = heap_pop(f);
        struct place *place = PLACE(f, row.place);
        if (row.cost > f->best)
            return RCH_OK;
        if (place->is_settled)
            continue;
        place->is_settled = true;
        rch_node v = place->node;
        if (!rch_goes_on(f->view->asking, 8 * (1 + rev->start[v + 1] - rev->start[v])))
            return rch_view_check(f->view, err);
        if (rch_is_live_root(f->view, v) && row.cost + root_cost(f, v) < f->best)
            f->best = row.cost + root_cost(f, v);
        for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++) {
            rch_node from = rev->source[i];
            if (!rch_bit(f->within, from) || !rch_edge_holds(f->view, from, rev->edge[i]))
                continue;
            uint32_t slot = f->slot[from];
            if (slot && PLACE(f, slot - 1)->is_settled)
                continue;
            RCH_TRY(offer(f, from, row.cost + step_cost(f, from, rev->edge[i]), err));
        }
    }
    return RCH_OK;
}

// --- the walk ---

static int compare_roots(const struct rch_graph *g, rch_node a, rch_node b)
{
    const struct rch_root *x = &g->roots[a - g->num_objects], *y = &g->roots[b - g->num_objects];
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = rch_compare_strs(g, x->name, y->name);
    return order ? order : rch_compare_strs(g, x->detail, y->detail);
}

static enum rch_status start_walk(struct finder *f, struct rch_error *err)
{
    rch_node least = RCH_NO_NODE;
    f->now.num = 0;
    for (uint32_t i = 0; i < f->places.num; i++) {
        const struct place *place = PLACE(f, i);
        if (!place->is_settled || !rch_is_live_root(f->view, place->node) ||
            place->cost + root_cost(f, place->node) != f->best)
            continue;
        int order = least == RCH_NO_NODE ? -1 : compare_roots(f->view->g, place->node, least);
        if (order < 0) {
            least = place->node;
            f->now.num = 0;
        }
        if (order <= 0)
            RCH_TRY(rch_vec_append(&f->now, &i, 1, err));
    }
    for (size_t i = 0; i < f->now.num; i++)
        PLACE(f, RCH_VEC_AT(&f->now, uint32_t, i))->is_taken = true;
    return RCH_OK;
}

// The place that edge `e` of place `p` leads to on an optimal path at this cost; UINT32_MAX: none.
static uint32_t next_place(struct finder *f, uint32_t p, uint32_t e, uint64_t *cost)
{
    rch_node v = PLACE(f, p)->node, to = f->view->g->edges[e];
    uint32_t slot = to == RCH_NO_NODE ? 0 : f->slot[to];
    if (!slot || !PLACE(f, slot - 1)->is_settled || PLACE(f, slot - 1)->is_taken ||
        PLACE(f, slot - 1)->cost > PLACE(f, p)->cost || !rch_edge_holds(f->view, v, e))
        return UINT32_MAX;
    *cost = step_cost(f, v, e);
    return PLACE(f, slot - 1)->cost + *cost == PLACE(f, p)->cost ? slot - 1 : UINT32_MAX;
}

static enum rch_status take(struct finder *f, struct rch_vec *set, uint32_t place, uint32_t from,
                            uint32_t edge, struct rch_error *err)
{
    struct place *p = PLACE(f, place);
    if (p->is_taken)
        return RCH_OK;
    p->is_taken = true;
    p->from = from;
    p->edge = edge;
    return rch_vec_append(set, &place, 1, err);
}

// Add what folded references lead to.
static enum rch_status close_set(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    for (size_t i = 0; i < f->now.num; i++) {
        uint32_t p = RCH_VEC_AT(&f->now, uint32_t, i);
        rch_node v = PLACE(f, p)->node;
        if (!rch_goes_on(f->view->asking, 4 * (1 + rch_num_refs(g, v))))
            return rch_view_check(f->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            uint64_t cost;
            uint32_t next = next_place(f, p, e, &cost);
            if (next != UINT32_MAX && cost == 0)
                RCH_TRY(take(f, &f->now, next, p, e, err));
        }
    }
    return RCH_OK;
}

// Order of two edges as the reader sees them.
static int compare_edges(struct rch_view *view, rch_node v, uint32_t e, rch_node w, uint32_t d)
{
    const struct rch_graph *g = view->g;
    struct rch_shown x = rch_shown_of(view, v, e), y = rch_shown_of(view, w, d);
    if (x.kind != y.kind)
        return x.kind < y.kind ? -1 : 1;
    int order = rch_compare_strs(g, x.name, y.name);
    if (!order)
        order = rch_compare_types(g, g->shapes[g->shape_of[g->edges[e]]].type,
                                  g->shapes[g->shape_of[g->edges[d]]].type);
    if (order)
        return order;
    uint32_t i = rch_index_of_ref(g, v, e - g->edge_start[v]);
    uint32_t j = rch_index_of_ref(g, w, d - g->edge_start[w]);
    if (i == j) {  // as many entries tell equal containers apart
        i = rch_num_entries(g, v, e);
        j = rch_num_entries(g, w, d);
    }
    return (i > j) - (i < j);
}

// All least edges out of the set; their targets are the next set.
static enum rch_status step(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    rch_node least_node = RCH_NO_NODE;
    uint32_t least_edge = 0;
    RCH_VEC(found, f->view->alloc, struct heap_row);  // place it leads to; cost: from << 32 | edge
    for (size_t i = 0; i < f->now.num; i++) {
        uint32_t p = RCH_VEC_AT(&f->now, uint32_t, i);
        rch_node v = PLACE(f, p)->node;
        if (!rch_goes_on(f->view->asking, 4 * (1 + rch_num_refs(g, v))))
            return rch_view_check(f->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            uint64_t cost;
            uint32_t next = next_place(f, p, e, &cost);
            if (next == UINT32_MAX || cost == 0)
                continue;
            int order = least_node == RCH_NO_NODE
                            ? -1
                            : compare_edges(f->view, v, e, least_node, least_edge);
            if (order > 0)
                continue;
            if (order < 0)
                found.num = 0;
            least_node = v;
            least_edge = e;
            struct heap_row row = {(uint64_t)p << 32 | e, next};
            RCH_TRY(rch_vec_append(&found, &row, 1, err));
        }
    }
    f->later.num = 0;
    for (size_t i = 0; i < found.num; i++) {
        const struct heap_row *row = &RCH_VEC_AT(&found, struct heap_row, i);
        RCH_TRY(
            take(f, &f->later, row->place, (uint32_t)(row->cost >> 32), (uint32_t)row->cost, err));
    }
    struct rch_vec swap = f->now;
    f->now = f->later;
    f->later = swap;
    return RCH_OK;
}

static enum rch_status walk(struct finder *f, rch_node target, rch_node *root_out,
                            struct rch_vec *edges, struct rch_error *err)
{
    struct place *end = PLACE(f, f->slot[target] - 1);
    RCH_TRY(start_walk(f, err));
    while (!end->is_taken && f->now.num) {
        RCH_TRY(close_set(f, err));
        if (!end->is_taken)
            RCH_TRY(step(f, err));
    }
    if (!end->is_taken)
        return rch_fail(err, RCH_ENOTFOUND, "no path from a root to node %" PRIu32, target);
    size_t first = edges->num;
    for (; !rch_is_root(f->view->g, end->node); end = PLACE(f, end->from))
        RCH_TRY(rch_vec_append(edges, &end->edge, 1, err));
    *root_out = end->node;
    for (size_t low = first, high = edges->num; low + 1 < high; low++) {
        high--;
        uint32_t swap = RCH_VEC_AT(edges, uint32_t, low);
        RCH_VEC_AT(edges, uint32_t, low) = RCH_VEC_AT(edges, uint32_t, high);
        RCH_VEC_AT(edges, uint32_t, high) = swap;
    }
    return RCH_OK;
}

enum rch_status rch_best_path(struct rch_view *view, const uint64_t *within, rch_node target,
                              uint32_t *slot, rch_node *root_out, struct rch_vec *edges,
                              struct rch_error *err)
{
    struct finder f = {.view = view, .within = within, .slot = slot, .best = UINT64_MAX};
    rch_vec_init(&f.places, view->alloc, sizeof(struct place));
    rch_vec_init(&f.heap, view->alloc, sizeof(struct heap_row));
    rch_vec_init(&f.now, view->alloc, sizeof(uint32_t));
    rch_vec_init(&f.later, view->alloc, sizeof(uint32_t));
    enum rch_status st = explore(&f, target, err);
    if (st == RCH_OK)
        st = walk(&f, target, root_out, edges, err);
    for (size_t i = 0; i < f.places.num; i++)
        slot[PLACE(&f, i)->node] = 0;
    rch_vec_deinit(&f.places);
    rch_vec_deinit(&f.heap);
    rch_vec_deinit(&f.now);
    rch_vec_deinit(&f.later);
    return st;
}
