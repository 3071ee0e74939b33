// SPDX-License-Identifier: MIT
// analyze/cycles/cycle_way.c -- a shortest cycle: from each object breadth first until a reference leads back
// to it. Of equally short ones the least as text, beginning at an object of a class of the program,
// so that one cycle is told alike wherever it was entered.
#include "analyze/common/chain.h"
#include "analyze/cycles/cycles_impl.h"
#include "analyze/common/hops.h"
#include "analyze/common/path.h"

enum { MAX_REFS = 4 << 20, NOT_SEEN = UINT32_MAX };

struct finder {
    const struct rch__knot *knot;
    uint32_t *cost, *via;      // of a local node: hops from the start, edge it was reached by
    rch_node *from;            // and the node it was reached from
    struct rch_vec now, next;  // rch_node
    struct rch_vec seen;       // rch_node: whose cost is set
    struct rch_vec edges;      // uint32_t: the cycle from the start on
    rch_node start;
    uint32_t best_hops;
    uint64_t num_refs;
};

static void forget(struct finder *f)
{
    for (size_t i = 0; i < f->seen.num; i++)
        f->cost[f->knot->local[RCH_VEC_AT(&f->seen, rch_node, i)]] = NOT_SEEN;
    f->seen.num = f->now.num = f->next.num = 0;
}

static enum rch_status reach(struct finder *f, rch_node v, uint32_t e, uint32_t hops,
                             struct rch_error *err)
{
    rch_node to = f->knot->view->g->edges[e];
    uint32_t at = f->knot->local[to], cost = f->cost[f->knot->local[v]] + hops;
    if (f->cost[at] != NOT_SEEN && f->cost[at] <= cost)
        return RCH_OK;
    if (f->cost[at] == NOT_SEEN)
        RCH_TRY(rch_vec_append(&f->seen, &to, 1, err));
    f->cost[at] = cost;
    f->via[at] = e;
    f->from[at] = v;
    return rch_vec_append(hops ? &f->next : &f->now, &to, 1, err);
}

// The cycle that edge `e` of `v` closes.
static enum rch_status close(struct finder *f, rch_node v, uint32_t e, struct rch_error *err)
{
    f->edges.num = 0;
    RCH_TRY(rch_vec_append(&f->edges, &e, 1, err));
    for (; v != f->start; v = f->from[f->knot->local[v]])
        RCH_TRY(rch_vec_append(&f->edges, &f->via[f->knot->local[v]], 1, err));
    uint32_t *edges = f->edges.mem;
    for (size_t low = 0, high = f->edges.num; low + 1 < high; low++) {
        uint32_t swap = edges[low];
        edges[low] = edges[--high];
        edges[high] = swap;
    }
    return RCH_OK;
}

// Breadth first from `start`; *hops_out: of the shortest cycle through it with at most `most` hops,
// or NOT_SEEN.
static enum rch_status search(struct finder *f, rch_node start, uint32_t most, uint32_t *hops_out,
                              struct rch_error *err)
{
    struct rch_view *view = f->knot->view;
    const struct rch_graph *g = view->g;
    f->start = start;
    *hops_out = NOT_SEEN;
    forget(f);
    f->cost[f->knot->local[start]] = 0;
    RCH_TRY(rch_vec_append(&f->seen, &start, 1, err));
    RCH_TRY(rch_vec_append(&f->now, &start, 1, err));
    for (uint32_t level = 0; f->now.num && level <= most; level++) {
        for (size_t i = 0; i < f->now.num; i++) {
            rch_node v = RCH_VEC_AT(&f->now, rch_node, i);
            if (f->cost[f->knot->local[v]] != level)
                continue;
            if (!rch_goes_on(view->asking, 4 * (1 + rch_num_refs(g, v))))
                return rch_view_check(view, err);
            for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
                f->num_refs++;
                if (!rch__is_inner(f->knot, v, e))
                    continue;
                uint32_t hops = rch_step_of(view, v, e).hops;
                if (g->edges[e] != start) {
                    RCH_TRY(reach(f, v, e, hops, err));
                } else if (level + hops < *hops_out && level + hops <= most) {
                    *hops_out = level + hops;
                    RCH_TRY(close(f, v, e, err));
                }
            }
        }
        if (*hops_out <= level + 1)
            return RCH_OK;
        struct rch_vec swap = f->now;
        f->now = f->next;
        f->next = swap;
        f->next.num = 0;
    }
    return RCH_OK;
}

// --- the best of all ---

static bool is_builtin(const struct rch_graph *g, rch_node v)
{
    return rch_type_of(g, v)->module == RCH_NO_STR;
}

static int compare_starts(const struct rch__knot *knot, rch_node a, rch_node b)
{
    const struct rch_graph *g = knot->view->g;
    bool x = is_builtin(g, a), y = is_builtin(g, b);
    if (x != y)
        return x ? 1 : -1;
    return rch_compare_types(g, g->shapes[g->shape_of[a]].type, g->shapes[g->shape_of[b]].type);
}

static enum rch_status tell(struct finder *f, struct rch_cycle_group *group, struct rch_error *err)
{
    const struct rch_graph *g = f->knot->view->g;
    RCH_TRY(rch_chain_hops(f->knot->view, f->start, f->edges.mem, (uint32_t)f->edges.num,
                           f->knot->arena, &group->hops, &group->num_hops, err));
    group->start = rch_type_text(g, g->shapes[g->shape_of[f->start]].type, f->knot->arena);
    group->example = f->start;
    for (uint32_t i = 0; i < group->num_hops; i++) {
        if (group->hops[i].kind == RCH_EDGE_ITEM)
            group->hops[i].index = UINT32_MAX;
    }
    return group->start ? RCH_OK : rch_fail(err, RCH_ENOMEM, "a cycle");
}

// Take the cycle at hand if it is better than the one told.
static enum rch_status consider(struct finder *f, uint32_t hops, struct rch_cycle_group *group,
                                struct rch_error *err)
{
    struct rch_cycle_group other = *group;
    if (hops == f->best_hops) {
        int order = compare_starts(f->knot, f->start, group->example);
        if (order > 0)
            return RCH_OK;
        if (order == 0) {
            RCH_TRY(tell(f, &other, err));
            if (rch_chain_compare_hops(other.hops, other.num_hops, group->hops, group->num_hops) <
                0)
                *group = other;
            return RCH_OK;
        }
    }
    f->best_hops = hops;
    return tell(f, group, err);
}

static enum rch_status run(struct finder *f, struct rch_cycle_group *group, struct rch_error *err)
{
    enum { MAX_TIES = 64 };
    const struct rch__knot *knot = f->knot;
    bool has_members = false;
    uint32_t num_ties = 0;
    for (uint32_t i = 0; i < knot->num_nodes; i++)
        has_members |= rch_is_member(knot->view, knot->nodes[i]);
    f->best_hops = NOT_SEEN;
    group->is_shortest = true;
    for (uint32_t i = 0; i < knot->num_nodes; i++) {
        rch_node v = knot->nodes[i];
        uint32_t hops;
        if (!rch_goes_on(knot->view->asking, 2))
            return rch_view_check(knot->view, err);
        if (has_members ? !rch_is_member(knot->view, v) : rch__is_plumbing(knot->view, v))
            continue;
        if (f->num_refs > MAX_REFS && f->best_hops != NOT_SEEN) {
            group->is_shortest = false;
            return RCH_OK;
        }
        RCH_TRY(search(f, v, f->best_hops, &hops, err));
        if (hops == NOT_SEEN || hops > f->best_hops ||
            (hops == f->best_hops && num_ties > MAX_TIES))
            continue;
        num_ties = hops == f->best_hops ? num_ties + 1 : 0;
        RCH_TRY(consider(f, hops, group, err));
    }
    if (f->best_hops != NOT_SEEN)
        return RCH_OK;
    uint32_t hops;  // plumbing only
    RCH_TRY(search(f, knot->nodes[0], NOT_SEEN, &hops, err));
    return tell(f, group, err);
}

enum rch_status rch__find_cycle(const struct rch__knot *knot, struct rch_cycle_group *group,
                                struct rch_error *err)
{
    const struct rch_alloc *alloc = knot->view->alloc;
    RCH_BLOCK(cost, alloc, knot->num_nodes, sizeof(uint32_t));
    RCH_BLOCK(via, alloc, knot->num_nodes, sizeof(uint32_t));
    RCH_BLOCK(from, alloc, knot->num_nodes, sizeof(rch_node));
    if (!cost.mem || !via.mem || !from.mem)
        return rch_fail(err, RCH_ENOMEM, "a cycle of %" PRIu32 " objects", knot->num_nodes);
    struct finder f = {.knot = knot, .cost = cost.mem, .via = via.mem, .from = from.mem};
    memset(f.cost, 0xff, knot->num_nodes * sizeof(uint32_t));
    rch_vec_init(&f.now, alloc, sizeof(rch_node));
    rch_vec_init(&f.next, alloc, sizeof(rch_node));
    rch_vec_init(&f.seen, alloc, sizeof(rch_node));
    rch_vec_init(&f.edges, alloc, sizeof(uint32_t));
    enum rch_status st = run(&f, group, err);
    rch_vec_deinit(&f.now);
    rch_vec_deinit(&f.next);
    rch_vec_deinit(&f.seen);
    rch_vec_deinit(&f.edges);
    return st;
}
