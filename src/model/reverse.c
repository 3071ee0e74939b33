// SPDX-License-Identifier: MIT
// model/reverse.c -- counting sort of the references by target. Both passes touch memory at random,
// so they ask for the cache lines of references a little ahead; the cursors of the second pass live
// in `start` itself, which is shifted back by one at the end.
#include "model/reverse.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_FAR 48u   // references ahead: fetch start[target]
#define LOOK_NEAR 24u  // fetch the place it will be written to

static void count_targets(const struct rch_graph *g, uint32_t *count)
{
    const rch_node *edges = g->edges;
    for (uint32_t e = 0; e < g->num_edges; e++) {
        if (g->num_edges - e > LOOK_FAR && edges[e + LOOK_FAR] != RCH_NO_NODE)
            __builtin_prefetch(&count[edges[e + LOOK_FAR]], 1);
        if (edges[e] != RCH_NO_NODE)
            count[edges[e]]++;
    }
}

// Turn counts into begins; returns the sum.
static uint32_t begins_of_counts(uint32_t *start, uint32_t num_nodes)
{
    uint32_t sum = 0;
    for (uint32_t v = 0; v < num_nodes; v++) {
        uint32_t count = start[v];
        start[v] = sum;
        sum += count;
    }
    start[num_nodes] = sum;
    return sum;
}

static void fetch_ahead(const struct rch_graph *g, const struct rch_reverse *rev, uint32_t e)
{
    if (g->num_edges - e <= LOOK_FAR)
        return;
    rch_node far = g->edges[e + LOOK_FAR], near = g->edges[e + LOOK_NEAR];
    if (far != RCH_NO_NODE)
        __builtin_prefetch(&rev->start[far], 1);
    if (near != RCH_NO_NODE) {
        uint32_t place = rev->start[near];
        __builtin_prefetch(&rev->source[place], 1);
        __builtin_prefetch(&rev->edge[place], 1);
    }
}

static void place_sources(const struct rch_graph *g, struct rch_reverse *rev)
{
    for (rch_node v = 0; v < g->num_nodes; v++) {
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            fetch_ahead(g, rev, e);
            rch_node target = g->edges[e];
            if (target == RCH_NO_NODE)
                continue;
            uint32_t place = rev->start[target]++;
            rev->source[place] = v;
            rev->edge[place] = e;
        }
    }
    memmove(rev->start + 1, rev->start, g->num_nodes * sizeof(*rev->start));
    rev->start[0] = 0;
}

enum rch_status rch_reverse_init(struct rch_reverse *rev, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    *rev = (struct rch_reverse){.alloc = alloc, .num_nodes = g->num_nodes};
    RCH_BLOCK(start, alloc, (size_t)g->num_nodes + 1, sizeof(uint32_t));
    if (!start.mem)
        return rch_fail(err, RCH_ENOMEM, "referrers of %" PRIu32 " nodes", g->num_nodes);
    count_targets(g, start.mem);
    uint32_t num_refs = begins_of_counts(start.mem, g->num_nodes);
    RCH_BLOCK(source, alloc, num_refs, sizeof(rch_node));
    RCH_BLOCK(edge, alloc, num_refs, sizeof(uint32_t));
    if (!source.mem || !edge.mem)
        return rch_fail(err, RCH_ENOMEM, "referrers of %" PRIu32 " references", num_refs);
    rev->num_refs = num_refs;
    rev->start = rch_block_take(&start);
    rev->source = rch_block_take(&source);
    rev->edge = rch_block_take(&edge);
    place_sources(g, rev);
    return RCH_OK;
}

void rch_reverse_deinit(struct rch_reverse *rev)
{
    rch_free(rev->alloc, rev->start, (size_t)rev->num_nodes + 1, sizeof(*rev->start));
    rch_free(rev->alloc, rev->source, rev->num_refs, sizeof(*rev->source));
    rch_free(rev->alloc, rev->edge, rev->num_refs, sizeof(*rev->edge));
    rev->start = rev->source = rev->edge = NULL;
    rev->num_nodes = rev->num_refs = 0;
}
