// SPDX-License-Identifier: MIT
// model/reverse.c -- counting sort of the references by target. Both passes touch memory at random,
// so they ask for the cache lines of references a little ahead; the cursors of the second pass live
// in `start` itself, which is shifted back by one at the end.
#include "model/reverse.h"

#include <inttypes.h>
#include <string.h>

#include "model/derived.h"

#define LOOK_FAR 48u   // references ahead: fetch start[target]
#define LOOK_NEAR 24u  // fetch the place it will be written to

static void count_some(const struct rch_graph *g, uint32_t begin, uint32_t end, uint32_t *count)
{
    const rch_node *edges = g->edges;
    for (uint32_t e = begin; e < end; e++) {
        if (g->num_edges - e > LOOK_FAR && edges[e + LOOK_FAR] != RCH_NO_NODE)
            __builtin_prefetch(&count[edges[e + LOOK_FAR]], 1);
        if (edges[e] != RCH_NO_NODE)
            count[edges[e]]++;
    }
}

static bool count_targets(const struct rch_graph *g, struct rch_asking *asking, uint32_t *count)
{
    for (uint32_t e = 0, end; e < g->num_edges; e = end) {
        end = g->num_edges - e < RCH_ASK_EVERY ? g->num_edges : e + RCH_ASK_EVERY;
        if (!rch_goes_on(asking, end - e))
            return false;
        count_some(g, e, end, count);
    }
    return true;
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

static bool place_sources(const struct rch_graph *g, struct rch_asking *asking,
                          struct rch_reverse *rev)
{
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (!rch_goes_on(asking, 1 + rch_num_refs(g, v)))
            return false;
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
    return true;
}

static enum rch_status canceled(struct rch_error *err)
{
    return rch_fail(err, RCH_ECANCELED, "collecting referrers was canceled");
}

static enum rch_status compute(struct rch_reverse *rev, const struct rch_graph *g,
                               const struct rch_alloc *alloc, const struct rch_progress *progress,
                               struct rch_error *err)
{
    struct rch_asking asking = {.progress = progress,
                                .phase = "collecting referrers",
                                .total = g->num_nodes + UINT64_C(2) * g->num_edges};
    RCH_BLOCK(start, alloc, (size_t)g->num_nodes + 1, sizeof(uint32_t));
    if (!start.mem)
        return rch_fail(err, RCH_ENOMEM, "referrers of %" PRIu32 " nodes", g->num_nodes);
    if (!count_targets(g, &asking, start.mem))
        return canceled(err);
    uint32_t num_refs = begins_of_counts(start.mem, g->num_nodes);
    RCH_BLOCK(source, alloc, num_refs, sizeof(rch_node));
    RCH_BLOCK(edge, alloc, num_refs, sizeof(uint32_t));
    if (!source.mem || !edge.mem)
        return rch_fail(err, RCH_ENOMEM, "referrers of %" PRIu32 " references", num_refs);
    rev->start = start.mem;
    rev->source = source.mem;
    rev->edge = edge.mem;
    if (!place_sources(g, &asking, rev))
        return canceled(err);
    rev->num_refs = num_refs;
    (void)rch_block_take(&start);
    (void)rch_block_take(&source);
    (void)rch_block_take(&edge);
    return RCH_OK;
}

static void take_kept(struct rch_reverse *rev, const struct rch_derived_rows *rows)
{
    rev->start = (uint32_t *)(uintptr_t)rows[0].rows;
    rev->source = (rch_node *)(uintptr_t)rows[1].rows;
    rev->edge = (uint32_t *)(uintptr_t)rows[2].rows;
    rev->num_refs = (uint32_t)rows[1].num;
    rev->is_kept = true;
}

enum rch_status rch_reverse_make(struct rch_reverse *rev, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, const struct rch_progress *progress,
                                 struct rch_error *err)
{
    struct rch_derived_rows rows[RCH_MAX_GROUP];
    *rev = (struct rch_reverse){.alloc = alloc, .num_nodes = g->num_nodes};
    if (rch_derived_get(g, RCH_GROUP_REVERSE, progress, rows)) {
        take_kept(rev, rows);
        return RCH_OK;
    }
    enum rch_status st = compute(rev, g, alloc, progress, err);
    if (st != RCH_OK) {
        *rev = (struct rch_reverse){.alloc = alloc};
        return st;
    }
    const struct rch_derived_rows own[RCH_MAX_GROUP] = {{rev->start, (uint64_t)g->num_nodes + 1},
                                                        {rev->source, rev->num_refs},
                                                        {rev->edge, rev->num_refs}};
    rev->is_kept = rch_derived_put(g, RCH_GROUP_REVERSE, own, alloc);
    return RCH_OK;
}

enum rch_status rch_reverse_init(struct rch_reverse *rev, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    return rch_reverse_make(rev, g, alloc, NULL, err);
}

void rch_reverse_deinit(struct rch_reverse *rev)
{
    if (!rev->is_kept) {
        rch_free(rev->alloc, rev->start, (size_t)rev->num_nodes + 1, sizeof(*rev->start));
        rch_free(rev->alloc, rev->source, rev->num_refs, sizeof(*rev->source));
        rch_free(rev->alloc, rev->edge, rev->num_refs, sizeof(*rev->edge));
    }
    rev->start = rev->source = rev->edge = NULL;
    rev->num_nodes = rev->num_refs = 0;
}
