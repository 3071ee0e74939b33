// SPDX-License-Identifier: MIT
// analyze/why/mincut.c -- minimum cut by augmenting paths on the graph as it lies. There are at most
// k + 1 units of flow, so flow is kept as a short sorted list of the references it runs through;
// all other references are at their full capacity and need no look at their labels.
//
// A node with GROUP references is two: the node and its *port*. node -> port has capacity 1, the
// port's references have no limit. A port without flow is open, so it needs no state of its own.
#include "analyze/why/mincut.h"

#include <stdlib.h>

struct flow_arc {
    uint32_t edge, from;
    int32_t flow;  // units; at most 1 on a UNIT reference
};

struct port {  // of a node whose group carries the one unit it can
    rch_node node;
    uint32_t via;  // how it reaches the sinks in this search: an edge, or BACK_TO_NODE
    bool is_seen;
};
#define BACK_TO_NODE UINT32_MAX  // by taking back the unit node -> port

struct search {
    struct rch_view *view;
    const uint64_t *sinks;
    uint64_t *seen;     // bits
    uint64_t *touched;  // bits: nodes that flow goes out of
    rch_node *queue;
    uint32_t *via;  // the edge by which a seen node gets nearer to the sinks: one of its own, or
    uint32_t tail;  // another's that leads here and carries flow to take back
    rch_node root;  // the live root found, or RCH_NO_NODE
    struct rch_vec arcs;   // struct flow_arc, sorted by edge
    struct rch_vec ports;  // struct port, sorted by node
};

static void see(struct search *s, rch_node v, uint32_t edge)
{
    if (!rch_bit_add(s->seen, v))
        return;
    s->via[v] = edge;
    s->queue[s->tail++] = v;
    if (s->root == RCH_NO_NODE && rch_is_live_root(s->view, v))
        s->root = v;
}

static size_t first_arc(const struct search *s, uint32_t edge)
{
    size_t low = 0, high = s->arcs.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(&s->arcs, struct flow_arc, mid).edge < edge)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool has_flow(const struct search *s, uint32_t edge)
{
    size_t i = first_arc(s, edge);
    return i < s->arcs.num && RCH_VEC_AT(&s->arcs, struct flow_arc, i).edge == edge;
}

static struct port *port_of(const struct search *s, rch_node v)
{
    size_t low = 0, high = s->ports.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(&s->ports, struct port, mid).node < v)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->ports.num || RCH_VEC_AT(&s->ports, struct port, low).node != v)
        return NULL;
    return &RCH_VEC_AT(&s->ports, struct port, low);
}

// What flow goes to from here could send it back and reach the sinks as this does.
static void take_back(struct search *s, rch_node v, bool from_port)
{
    const struct rch_graph *g = s->view->g;
    for (size_t i = first_arc(s, g->edge_start[v]); i < s->arcs.num; i++) {
        const struct flow_arc *arc = &RCH_VEC_AT(&s->arcs, struct flow_arc, i);
        if (arc->from != v)
            break;
        if ((rch_arc_of(s->view, v, arc->edge) == RCH_ARC_GROUP) == from_port)
            see(s, g->edges[arc->edge], arc->edge);
    }
}

static void see_port(struct search *s, struct port *port, uint32_t via)
{
    if (port->is_seen)
        return;
    port->is_seen = true;
    port->via = via;
    take_back(s, port->node, true);
}

// `from` refers by edge `e` to a node that reaches the sinks, and has flow going out of it.
static void reach_touched(struct search *s, rch_node from, uint32_t e)
{
    switch (rch_arc_of(s->view, from, e)) {
    case RCH_ARC_NONE: return;
    case RCH_ARC_FIXED: see(s, from, e); return;
    case RCH_ARC_UNIT:
        if (!has_flow(s, e))
            see(s, from, e);
        return;
    case RCH_ARC_GROUP: {
        struct port *port = port_of(s, from);
        if (port)
            see_port(s, port, e);
        else
            see(s, from, e);
        return;
    }
    }
}

static void expand(struct search *s, rch_node v)
{
    const struct rch_view *view = s->view;
    const struct rch_reverse *rev = view->rev;
    if (rch_bit(s->touched, v)) {
        struct port *port = port_of(s, v);
        take_back(s, v, false);
        if (port)
            see_port(s, port, BACK_TO_NODE);
    }
    for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++) {
        rch_node from = rev->source[i];
        if (rch_bit(s->seen, from))
            continue;
        if (rch_bit(s->touched, from))
            reach_touched(s, from, rev->edge[i]);
        else if (!rch_bit(view->odd.mem, from) || rch_edge_holds(view, from, rev->edge[i]))
            see(s, from, rev->edge[i]);
    }
}

// Search backwards until a live root is seen or nothing is left to see.
static void search(struct search *s)
{
    const struct rch_view *view = s->view;
    const struct rch_reverse *rev = view->rev;
    uint32_t num = view->g->num_nodes;
    rch_bits_copy(s->seen, view->removed.mem, num);
    rch_bits_or(s->seen, s->sinks, num);
    s->root = RCH_NO_NODE;
    s->tail = 0;
    for (size_t i = 0; i < s->ports.num; i++)
        RCH_VEC_AT(&s->ports, struct port, i).is_seen = false;
    for (uint32_t i = 0; i < view->question->num_members; i++) {
        if (rch_bit(s->sinks, view->question->members[i]))
            s->queue[s->tail++] = view->question->members[i];
    }
    for (uint32_t head = 0; head < s->tail && s->root == RCH_NO_NODE; head++) {
        if (head + 16 < s->tail)
            __builtin_prefetch(&rev->start[s->queue[head + 16]]);
        if (head + 8 < s->tail)
            __builtin_prefetch(&rev->source[rev->start[s->queue[head + 8]]]);
        rch_node v = s->queue[head];
        if (!rch_goes_on(view->asking, 1 + rev->start[v + 1] - rev->start[v]))
            break;
        expand(s, v);
    }
}

static enum rch_status add_flow(struct rch_vec *arcs, uint32_t edge, rch_node from, int32_t flow,
                                struct rch_error *err)
{
    struct flow_arc arc = {edge, from, flow};
    return rch_vec_append(arcs, &arc, 1, err);
}

// Send one unit from the root that was found, along `via`, to a sink.
static enum rch_status augment(struct search *s, struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    rch_node v = s->root;
    bool at_port = false;
    while (!rch_bit(s->sinks, v)) {
        uint32_t e = at_port ? port_of(s, v)->via : s->via[v];
        if (at_port && e == BACK_TO_NODE) {
            at_port = false;
        } else if (e >= g->edge_start[v] && e < g->edge_start[v + 1]) {
            RCH_TRY(add_flow(&s->arcs, e, v, 1, err));
            v = g->edges[e];
            at_port = false;
        } else {
            rch_node back = rch_source_of(g, e);
            RCH_TRY(add_flow(&s->arcs, e, back, -1, err));
            at_port = rch_arc_of(s->view, back, e) == RCH_ARC_GROUP;
            v = back;
        }
    }
    return RCH_OK;
}

static int compare_arcs(const void *a, const void *b)
{
    uint32_t x = ((const struct flow_arc *)a)->edge, y = ((const struct flow_arc *)b)->edge;
    return (x > y) - (x < y);
}

// After an augmentation: join the units of each reference, and find the ports that carry one.
static enum rch_status settle(struct search *s, struct rch_error *err)
{
    struct flow_arc *arcs = s->arcs.mem;
    size_t num = 0;
    qsort(arcs, s->arcs.num, sizeof(*arcs), compare_arcs);
    for (size_t i = 0; i < s->arcs.num; i++) {
        rch_bit_clear(s->touched, arcs[i].from);
        if (num && arcs[num - 1].edge == arcs[i].edge)
            arcs[num - 1].flow += arcs[i].flow;
        else if (num && arcs[num - 1].flow == 0)
            arcs[num - 1] = arcs[i];
        else
            arcs[num++] = arcs[i];
    }
    if (num && arcs[num - 1].flow == 0)
        num--;
    s->arcs.num = num;
    s->ports.num = 0;
    for (size_t i = 0; i < num; i++) {
        rch_bit_set(s->touched, arcs[i].from);
        struct port port = {arcs[i].from, BACK_TO_NODE, false};
        bool is_known =
            s->ports.num && RCH_VEC_AT(&s->ports, struct port, s->ports.num - 1).node == port.node;
        if (!is_known && rch_arc_of(s->view, port.node, arcs[i].edge) == RCH_ARC_GROUP)
            RCH_TRY(rch_vec_append(&s->ports, &port, 1, err));
    }
    return RCH_OK;
}

// Each unit of flow crosses the nearest cut once: from a node not seen to one seen.
static enum rch_status collect(const struct search *s, struct rch_vec *elements,
                               struct rch_error *err)
{
    const struct rch_graph *g = s->view->g;
    for (size_t i = 0; i < s->arcs.num; i++) {
        const struct flow_arc *arc = &RCH_VEC_AT(&s->arcs, struct flow_arc, i);
        struct rch_cut_element element = {arc->from, arc->edge};
        if (!rch_bit(s->seen, arc->from) && rch_bit(s->seen, g->edges[arc->edge]) &&
            rch_arc_of(s->view, arc->from, arc->edge) == RCH_ARC_UNIT)
            RCH_TRY(rch_vec_append(elements, &element, 1, err));
    }
    for (size_t i = 0; i < s->ports.num; i++) {
        const struct port *port = &RCH_VEC_AT(&s->ports, struct port, i);
        struct rch_cut_element element = {port->node, UINT32_MAX};
        if (!rch_bit(s->seen, port->node) && port->is_seen)
            RCH_TRY(rch_vec_append(elements, &element, 1, err));
    }
    return RCH_OK;
}

static enum rch_status run(struct search *s, uint32_t max_elements, bool *is_over,
                           struct rch_error *err)
{
    *is_over = false;
    for (uint32_t num = 0;; num++) {
        search(s);
        RCH_TRY(rch_view_check(s->view, err));
        if (s->root == RCH_NO_NODE)
            return RCH_OK;
        if (num == max_elements) {
            *is_over = true;
            return RCH_OK;
        }
        RCH_TRY(augment(s, err));
        RCH_TRY(settle(s, err));
    }
}

enum rch_status rch_min_cut(struct rch_view *view, const uint64_t *sinks, uint32_t max_elements,
                            rch_node *queue, uint32_t *via, struct rch_vec *elements,
                            uint64_t *side, bool *is_over, struct rch_error *err)
{
    uint32_t num = view->g->num_nodes;
    RCH_BITS(touched, view->alloc, num);
    if (!touched.mem)
        return rch_fail(err, RCH_ENOMEM, "minimum cut of %" PRIu32 " nodes", num);
    struct search s = {.view = view,
                       .sinks = sinks,
                       .seen = side,
                       .touched = touched.mem,
                       .queue = queue,
                       .via = via};
    rch_vec_init(&s.arcs, view->alloc, sizeof(struct flow_arc));
    rch_vec_init(&s.ports, view->alloc, sizeof(struct port));
    enum rch_status st = run(&s, max_elements, is_over, err);
    if (st == RCH_OK && !*is_over)
        st = collect(&s, elements, err);
    rch_vec_deinit(&s.arcs);
    rch_vec_deinit(&s.ports);
    rch_bits_minus(side, view->removed.mem, num);
    return st;
}
