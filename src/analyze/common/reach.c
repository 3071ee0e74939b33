// SPDX-License-Identifier: MIT
// analyze/common/reach.c -- breadth-first sweeps with one bit a node and a queue. Rows of the graph lie
// all over memory, so those of nodes further down the queue are asked for ahead of time.
#include "analyze/common/reach.h"

#include <stdlib.h>

enum { LOOK_FAR = 32, LOOK_NEAR = 16 };  // queue entries ahead: fetch row bounds, fetch the row

static const struct rch_cut_edge *find_cut(const struct rch_cuts *cuts, uint32_t e)
{
    const struct rch_cut_edge *rows = cuts->edges.mem;
    size_t low = 0, high = cuts->edges.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows[mid].edge < e)
            low = mid + 1;
        else
            high = mid;
    }
    return low < cuts->edges.num && rows[low].edge == e ? &rows[low] : NULL;
}

static bool is_cut(const struct rch_cuts *cuts, uint64_t active, uint32_t e)
{
    const struct rch_cut_edge *cut = cuts && active ? find_cut(cuts, e) : NULL;
    return cut && (cut->holders & active);
}

static inline void fetch_rows(const struct rch_graph *g, const rch_node *queue, uint32_t head,
                              uint32_t tail)
{
    if (head + LOOK_FAR < tail)
        __builtin_prefetch(&g->edge_start[queue[head + LOOK_FAR]]);
    if (head + LOOK_NEAR < tail)
        __builtin_prefetch(&g->edges[g->edge_start[queue[head + LOOK_NEAR]]]);
}

uint32_t rch_sweep(const struct rch_view *view, const struct rch_cuts *cuts, uint64_t active,
                   uint64_t *visited, rch_node *queue, uint32_t head, uint32_t tail)
{
    const struct rch_graph *g = view->g;
    const uint64_t *odd = cuts ? cuts->odd.mem : view->odd.mem;
    while (head < tail) {
        fetch_rows(g, queue, head, tail);
        rch_node v = queue[head++];
        bool is_odd = rch_bit(odd, v);
        uint32_t past = g->edge_start[v + 1];
        if (!rch_goes_on(view->asking, 1 + past - g->edge_start[v]))
            break;
        for (uint32_t e = g->edge_start[v]; e < past; e++) {
            rch_node to = g->edges[e];
            if (to == RCH_NO_NODE || rch_bit(visited, to))
                continue;
            if (is_odd && (!rch_edge_holds(view, v, e) || is_cut(cuts, active, e)))
                continue;
            rch_bit_set(visited, to);
            queue[tail++] = to;
        }
    }
    return tail;
}

// As rch_sweep, of everything that live roots reach when all cuts are made. Who is visited is all
// that is asked, so nodes without references, near half of a heap, are never queued.
static void sweep_base(const struct rch_view *view, const struct rch_cuts *cuts,
                       const uint64_t *inner, uint64_t *visited, rch_node *queue)
{
    const struct rch_graph *g = view->g;
    const uint64_t *odd = cuts->odd.mem;
    uint32_t tail = rch_start_live(view, visited, queue);
    for (uint32_t head = 0; head < tail;) {
        fetch_rows(g, queue, head, tail);
        rch_node v = queue[head++];
        bool is_odd = rch_bit(odd, v);
        uint32_t past = g->edge_start[v + 1];
        if (!rch_goes_on(view->asking, 1 + past - g->edge_start[v]))
            break;
        for (uint32_t e = g->edge_start[v]; e < past; e++) {
            rch_node to = g->edges[e];
            if (to == RCH_NO_NODE || rch_bit(visited, to))
                continue;
            if (is_odd && (!rch_edge_holds(view, v, e) || is_cut(cuts, UINT64_MAX, e)))
                continue;
            rch_bit_set(visited, to);
            queue[tail] = to;
            tail += rch_bit(inner, to);
        }
    }
}

static void mark_inner(const struct rch_graph *g, uint64_t *inner)
{
    for (rch_node v = 0; v < g->num_nodes; v++)
        inner[v >> 6] |= (uint64_t)(g->edge_start[v + 1] > g->edge_start[v]) << (v & 63);
}

uint32_t rch_start_live(const struct rch_view *view, uint64_t *visited, rch_node *queue)
{
    const struct rch_graph *g = view->g;
    uint32_t tail = 0;
    rch_bits_or(visited, view->removed.mem, g->num_nodes);
    for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
        if (rch_is_live_root(view, v) && rch_bit_add(visited, v))
            queue[tail++] = v;
    }
    return tail;
}

uint32_t rch_sweep_back(const struct rch_view *view, const uint64_t *stop, uint64_t *seen,
                        rch_node *queue, uint32_t tail)
{
    const struct rch_reverse *rev = view->rev;
    for (uint32_t head = 0; head < tail;) {
        if (head + LOOK_FAR < tail)
            __builtin_prefetch(&rev->start[queue[head + LOOK_FAR]]);
        if (head + LOOK_NEAR < tail)
            __builtin_prefetch(&rev->source[rev->start[queue[head + LOOK_NEAR]]]);
        rch_node v = queue[head++];
        if (!rch_goes_on(view->asking, 1 + rev->start[v + 1] - rev->start[v]))
            break;
        for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++) {
            rch_node from = rev->source[i];
            if (rch_bit(seen, from) || rch_bit(stop, from))
                continue;
            if (rch_bit(view->odd.mem, from) && !rch_edge_holds(view, from, rev->edge[i]))
                continue;
            rch_bit_set(seen, from);
            queue[tail++] = from;
        }
    }
    return tail;
}

void rch_sweep_fixed(struct rch_view *view, uint64_t *visited, rch_node *queue)
{
    const struct rch_graph *g = view->g;
    const uint8_t *traits = view->traits.mem;
    uint32_t tail = rch_start_live(view, visited, queue);
    for (uint32_t head = 0; head < tail;) {
        rch_node v = queue[head++];
        if (!rch_goes_on(view->asking, 1 + rch_num_refs(g, v)))
            break;
        if (!(traits[g->shape_of[v]] & RCH_SHAPE_FIXED) && !rch_is_attr_dict(view, v))
            continue;
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            rch_node to = g->edges[e];
            if (to != RCH_NO_NODE && !rch_bit(visited, to) &&
                rch_arc_of(view, v, e) == RCH_ARC_FIXED) {
                rch_bit_set(visited, to);
                queue[tail++] = to;
            }
        }
    }
}

// --- cuts ---

enum rch_status rch_cuts_init(struct rch_cuts *cuts, const struct rch_view *view,
                              struct rch_error *err)
{
    uint32_t num = view->g->num_nodes;
    rch_vec_init(&cuts->edges, view->alloc, sizeof(struct rch_cut_edge));
    cuts->odd = rch_block_make(view->alloc, rch_bits_words(num), sizeof(uint64_t));
    if (!cuts->odd.mem)
        return rch_fail(err, RCH_ENOMEM, "cuts in a graph of %" PRIu32 " nodes", num);
    rch_bits_copy(cuts->odd.mem, view->odd.mem, num);
    return RCH_OK;
}

void rch_cuts_deinit(struct rch_cuts *cuts)
{
    rch_vec_deinit(&cuts->edges);
    rch_block_drop(&cuts->odd);
}

enum rch_status rch_cuts_add(struct rch_cuts *cuts, rch_node source, uint32_t edge,
                             uint64_t holders, struct rch_error *err)
{
    struct rch_cut_edge row = {edge, source, holders};
    rch_bit_set(cuts->odd.mem, source);
    return rch_vec_append(&cuts->edges, &row, 1, err);
}

static int compare_cuts(const void *a, const void *b)
{
    uint32_t x = ((const struct rch_cut_edge *)a)->edge, y = ((const struct rch_cut_edge *)b)->edge;
    return (x > y) - (x < y);
}

void rch_cuts_close(struct rch_cuts *cuts)
{
    struct rch_cut_edge *rows = cuts->edges.mem;
    size_t num = 0;
    if (!cuts->edges.num)
        return;
    qsort(rows, cuts->edges.num, sizeof(*rows), compare_cuts);
    for (size_t i = 0; i < cuts->edges.num; i++) {
        if (num && rows[num - 1].edge == rows[i].edge)
            rows[num - 1].holders |= rows[i].holders;
        else
            rows[num++] = rows[i];
    }
    cuts->edges.num = num;
}

// --- what if ---

static struct rch_freed add_up(const struct rch_view *view, const rch_node *nodes, uint32_t num)
{
    struct rch_freed sum = {.objects = num};
    for (uint32_t i = 0; i < num; i++) {
        sum.question += rch_is_member(view, nodes[i]);
        // Sizes may come from a file: a sum that does not fit stays at the top.
        if (__builtin_add_overflow(sum.bytes, rch_size_bytes(view->g, nodes[i]), &sum.bytes))
            sum.bytes = UINT64_MAX;
    }
    return sum;
}

// Queue the targets of cut references that are not cut now, from queue[tail] on. Sources outside
// `visited` are not reached yet: if they are later, the sweep follows their references itself.
static uint32_t start_cuts(const struct rch_whatif *w, uint64_t active, uint64_t *visited,
                           uint32_t tail)
{
    const struct rch_cut_edge *rows = w->cuts->edges.mem;
    for (size_t i = 0; i < w->cuts->edges.num; i++) {
        rch_node to = w->view->g->edges[rows[i].edge];
        if (!(rows[i].holders & active) && rch_bit(w->base, rows[i].source) &&
            rch_bit_add(visited, to))
            w->queue[tail++] = to;
    }
    return tail;
}

enum rch_status rch_whatif_init(struct rch_whatif *w, const struct rch_view *view,
                                const struct rch_cuts *cuts, rch_node *queue, struct rch_error *err)
{
    uint32_t num = view->g->num_nodes;
    size_t words = rch_bits_words(num);
    *w = (struct rch_whatif){.view = view, .cuts = cuts, .queue = queue};
    w->base_block = rch_block_make(view->alloc, words, sizeof(uint64_t));
    w->live_block = rch_block_make(view->alloc, words, sizeof(uint64_t));
    w->scratch_block = rch_block_make(view->alloc, words, sizeof(uint64_t));
    w->base = w->base_block.mem;
    w->live = w->live_block.mem;
    w->scratch = w->scratch_block.mem;
    if (!w->base || !w->live || !w->scratch)
        return rch_fail(err, RCH_ENOMEM, "reachability of %" PRIu32 " nodes", num);
    mark_inner(view->g, w->scratch);
    sweep_base(view, cuts, w->scratch, w->base, queue);
    rch_bits_copy(w->live, w->base, num);
    uint32_t tail = start_cuts(w, 0, w->live, 0);
    tail = rch_sweep(view, cuts, 0, w->live, queue, 0, tail);
    w->region = add_up(view, queue, tail);
    return rch_view_check(view, err);
}

void rch_whatif_deinit(struct rch_whatif *w)
{
    rch_block_drop(&w->base_block);
    rch_block_drop(&w->live_block);
    rch_block_drop(&w->scratch_block);
}

struct rch_freed rch_whatif_reach(struct rch_whatif *w, uint64_t active)
{
    rch_bits_copy(w->scratch, w->base, w->view->g->num_nodes);
    uint32_t tail = start_cuts(w, active, w->scratch, 0);
    tail = rch_sweep(w->view, w->cuts, active, w->scratch, w->queue, 0, tail);
    return add_up(w->view, w->queue, tail);
}
