// SPDX-License-Identifier: MIT
// analyze/why/also.c -- kombu.pools.connections is a dict of pools of connections, and every entry of
// kombu.pools.producers refers to one of the same pools (and, through producers at rest, to its
// connection). Both keep the connections alive, so both must be cut; but to a reader it is one cache
// and something that leans on it.
#include "analyze/why/solve.h"

#include <string.h>

static bool same_module(const struct rch_draft *a, const struct rch_draft *b)
{
    return a->holder.root_kind == RCH_ROOT_MODULE && b->holder.root_kind == RCH_ROOT_MODULE &&
           strcmp(a->holder.root_name, b->holder.root_name) == 0;
}

// Mark everything that is not beyond the cut as visited, and queue what `far`'s cut refers to.
// UINT32_MAX: it refers to a visited object, or to a member.
static uint32_t start_at(struct rch_solver *s, uint32_t far, uint64_t *visited)
{
    const struct rch_graph *g = s->view.g;
    const struct rch_cut_edge *rows = s->cuts.edges.mem;
    uint32_t tail = 0;
    for (size_t i = 0; i < s->cuts.edges.num; i++) {
        rch_node to = g->edges[rows[i].edge];
        if (!(rows[i].holders >> far & 1) || !rch_bit(s->side, to))
            continue;
        if (rch_bit(visited, to) || rch_bit(s->sinks, to))
            return UINT32_MAX;
        s->queue[tail++] = to;  // as many at most as there are references to cut
    }
    for (uint32_t q = 0; q < tail; q++)
        rch_bit_set(visited, s->queue[q]);
    return tail;
}

// Is everything that `near`'s cut refers to reached from `far`'s cut too, and not by its first
// references? Then cutting `near` is of no use while `far` stands. O(nodes beyond the cut).
static bool spans(struct rch_solver *s, uint32_t far, uint32_t near, uint64_t *visited)
{
    const struct rch_graph *g = s->view.g;
    const struct rch_cut_edge *rows = s->cuts.edges.mem;
    for (size_t i = 0; i < rch_bits_words(g->num_nodes); i++)
        visited[i] = ~s->side[i] | s->sinks[i];
    uint32_t num_first = start_at(s, far, visited);
    if (num_first == UINT32_MAX || num_first == 0)
        return false;
    (void)rch_sweep(&s->view, NULL, 0, visited, s->queue, 0, num_first);
    for (uint32_t q = 0; q < num_first; q++)
        rch_bit_clear(visited, s->queue[q]);
    bool has_some = false;
    for (size_t i = 0; i < s->cuts.edges.num; i++) {
        rch_node to = g->edges[rows[i].edge];
        if (!(rows[i].holders >> near & 1) || !rch_bit(s->side, to))
            continue;
        if (rch_bit(s->sinks, to) || !rch_bit(visited, to))
            return false;
        has_some = true;
    }
    return has_some;
}

// Does every way from `far`'s cut to a sink pass through an object that `near`'s cut refers to,
// while `far` refers to none of those itself? O(nodes beyond the cut).
static bool leans_on(struct rch_solver *s, uint32_t far, uint32_t near, uint64_t *visited)
{
    const struct rch_graph *g = s->view.g;
    const struct rch_cut_edge *rows = s->cuts.edges.mem;
    for (size_t i = 0; i < rch_bits_words(g->num_nodes); i++)
        visited[i] = ~s->side[i];
    for (size_t i = 0; i < s->cuts.edges.num; i++) {
        if ((rows[i].holders >> near & 1) && !rch_bit(s->sinks, g->edges[rows[i].edge]))
            rch_bit_set(visited, g->edges[rows[i].edge]);
    }
    uint32_t tail = start_at(s, far, visited);
    if (tail == UINT32_MAX)
        return false;
    tail = rch_sweep(&s->view, NULL, 0, visited, s->queue, 0, tail);
    for (uint32_t q = 0; q < tail; q++) {
        if (rch_bit(s->sinks, s->queue[q]))
            return false;
    }
    return true;
}

// An order of drafts that does not depend on node numbers.
static int compare_drafts(const struct rch_draft *a, const struct rch_draft *b)
{
    int order = strcmp(a->holder.fingerprint, b->holder.fingerprint);
    return order ? order : strcmp(a->short_name, b->short_name);
}

static enum rch_status join(struct rch_solver *s, uint32_t far, uint32_t near,
                            struct rch_error *err)
{
    struct rch_draft *to = RCH_DRAFT(s, near), *from = RCH_DRAFT(s, far);
    RCH_TRY(rch_vec_append(&to->also, &from->short_name, 1, err));
    from->is_merged = true;
    for (size_t i = 0; i < s->cuts.edges.num; i++) {
        struct rch_cut_edge *row = &RCH_VEC_AT(&s->cuts.edges, struct rch_cut_edge, i);
        if (row->holders >> far & 1)
            row->holders |= UINT64_C(1) << near;
    }
    return RCH_OK;
}

enum rch_status rch_join_also(struct rch_solver *s, struct rch_error *err)
{
    uint32_t num = (uint32_t)s->drafts.num, leans[RCH_MAX_HOLDERS];
    RCH_BITS(visited, s->view.alloc, s->view.g->num_nodes);
    if (!visited.mem)
        return rch_fail(err, RCH_ENOMEM, "holders that lean on others");
    for (uint32_t far = 0; far < num; far++) {
        leans[far] = far;
        RCH_TRY(rch_view_check(&s->view, err));
        for (uint32_t near = 0; near < num; near++) {
            if (near == far || !same_module(RCH_DRAFT(s, far), RCH_DRAFT(s, near)) ||
                (leans[far] != far &&
                 compare_drafts(RCH_DRAFT(s, leans[far]), RCH_DRAFT(s, near)) <= 0))
                continue;
            if (leans_on(s, far, near, visited.mem) || spans(s, far, near, visited.mem))
                leans[far] = near;
        }
    }
    for (uint32_t far = 0; far < num; far++) {
        uint32_t near = far;
        for (uint32_t steps = 0; leans[near] != near && steps < num; steps++)
            near = leans[near];
        if (leans[near] == near && near != far)
            RCH_TRY(join(s, far, near, err));
    }
    return RCH_OK;
}
