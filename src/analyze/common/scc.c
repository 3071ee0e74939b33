// SPDX-License-Identifier: MIT
// analyze/common/scc.c -- see scc.h. One array serves two stacks that grow towards each other: the nodes on
// the way from the start, and those done but not yet in a component. A node is on one of them.
#include "analyze/common/scc.h"

struct search {
    const struct rch_view *view;
    const uint64_t *within;
    uint32_t *rank;  // 0: not seen; up to `index`: order of the visit; from `last` down: components
    uint32_t *stack, *edge;  // front of the first is the way, with the edge each node is at
    uint64_t *is_root;       // bits: no reference to a node seen earlier was found
    uint32_t way, back;      // nodes on the way; where the other stack begins
    uint32_t index, last;
};

static void enter(struct search *s, rch_node v)
{
    s->stack[s->way] = v;
    s->edge[s->way++] = s->view->g->edge_start[v];
    rch_bit_set(s->is_root, v);
    s->rank[v] = s->index++;
}

// The node has no references left: it ends a component, or waits for the node that does.
static void leave(struct search *s, rch_node v)
{
    uint32_t num_nodes = s->view->g->num_nodes;
    s->way--;
    if (!rch_bit(s->is_root, v)) {
        s->stack[--s->back] = v;
        return;
    }
    s->index--;
    for (; s->back < num_nodes && s->rank[v] <= s->rank[s->stack[s->back]]; s->back++) {
        s->rank[s->stack[s->back]] = s->last;
        s->index--;
    }
    s->rank[v] = s->last--;
}

static void take_rank(struct search *s, rch_node v, rch_node to)
{
    if (s->rank[to] >= s->rank[v])
        return;
    s->rank[v] = s->rank[to];
    rch_bit_clear(s->is_root, v);
}

// Go on from the node that the way is at, until it goes one deeper or one back. Returns how many references
// that took, and one.
static uint32_t step(struct search *s)
{
    const struct rch_graph *g = s->view->g;
    rch_node v = s->stack[s->way - 1];
    uint32_t *e = &s->edge[s->way - 1], first = *e;
    if (*e > g->edge_start[v])  // came back from there
        take_rank(s, v, g->edges[*e - 1]);
    bool is_odd = rch_bit(s->view->odd.mem, v);
    for (; *e < g->edge_start[v + 1]; ++*e) {
        rch_node to = g->edges[*e];
        if (to == RCH_NO_NODE || !rch_bit(s->within, to) ||
            (is_odd && !rch_edge_holds(s->view, v, *e)))
            continue;
        if (!s->rank[to]) {
            uint32_t steps = ++*e - first;
            enter(s, to);
            return 1 + steps;
        }
        take_rank(s, v, to);
    }
    uint32_t steps = *e - first;
    leave(s, v);
    return 1 + steps;
}

static enum rch_status run(struct search *s, struct rch_error *err)
{
    uint32_t num = s->view->g->num_nodes;
    for (rch_node v = 0; v < num; v++) {
        if (!rch_bit(s->within, v) || s->rank[v])
            continue;
        enter(s, v);
        while (s->way) {
            if (!rch_goes_on(s->view->asking, step(s)))
                return rch_view_check(s->view, err);
        }
    }
    return RCH_OK;
}

enum rch_status rch_scc_init(struct rch_scc *scc, const struct rch_view *view,
                             const uint64_t *within, struct rch_error *err)
{
    uint32_t num = view->g->num_nodes;
    RCH_BLOCK(rank, view->alloc, num, sizeof(uint32_t));
    RCH_BLOCK(stack, view->alloc, num, sizeof(uint32_t));
    RCH_BLOCK(edge, view->alloc, num, sizeof(uint32_t));
    RCH_BITS(is_root, view->alloc, num);
    if (!rank.mem || !stack.mem || !edge.mem || !is_root.mem)
        return rch_fail(err, RCH_ENOMEM, "components of %" PRIu32 " nodes", num);
    const uint32_t first = UINT32_MAX - 1;
    struct search s = {.view = view,
                       .within = within,
                       .rank = rank.mem,
                       .stack = stack.mem,
                       .edge = edge.mem,
                       .is_root = is_root.mem,
                       .back = num,
                       .index = 1,
                       .last = first};
    RCH_TRY(run(&s, err));
    for (rch_node v = 0; v < num; v++)
        s.rank[v] = s.rank[v] ? first - s.rank[v] : RCH_NO_COMPONENT;
    *scc = (struct rch_scc){view->alloc, num, first - s.last, rch_block_take(&rank)};
    return RCH_OK;
}

void rch_scc_deinit(struct rch_scc *scc)
{
    rch_free(scc->alloc, scc->component, scc->num_nodes, sizeof(*scc->component));
    scc->component = NULL;
}
