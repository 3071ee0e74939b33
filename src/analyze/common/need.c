// SPDX-License-Identifier: MIT
// analyze/common/need.c -- see need.h. A test compares these with what an allocator that counts has seen.
#include "analyze/common/need.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/derived.h"

static uint64_t count_refs(const struct rch_graph *g)
{
    uint64_t num = 0;
    for (uint32_t e = 0; e < g->num_edges; e++)
        num += g->edges[e] != RCH_NO_NODE;
    return num;
}

static uint64_t bits(uint64_t num_nodes, uint64_t num_sets)
{
    return (num_nodes / 64 + 1) * 8 * num_sets;
}

static uint64_t reverse_bytes(const struct rch_graph *g)
{
    return rch_derived_has(g, RCH_GROUP_REVERSE) ? 0
                                                 : 4 * (uint64_t)g->num_nodes + 8 * count_refs(g);
}

static uint64_t retained_bytes(const struct rch_graph *g)
{
    uint64_t n = g->num_nodes;
    uint64_t while_made = 28 * n + bits(n, 1) + 4 * count_refs(g);
    uint64_t added_up = g->derived ? 36 * n : 28 * n;
    if (rch_derived_has(g, RCH_GROUP_TYPE_RETAINED))
        return 0;
    if (rch_derived_has(g, RCH_GROUP_DOMTREE))  // and retained bytes beside it
        return 20 * n;
    return while_made > added_up ? while_made : added_up;
}

uint64_t rch_need_bytes(const struct rch_graph *g, enum rch_work work)
{
    uint64_t n = g->num_nodes;
    switch (work) {
    case RCH_WORK_REVERSE: return reverse_bytes(g);
    case RCH_WORK_RETAINED: return retained_bytes(g);
    case RCH_WORK_WHY: return reverse_bytes(g) + 8 * n + bits(n, 12);
    case RCH_WORK_GROWTH: return reverse_bytes(g) + 8 * n + bits(n, 7);
    }
    return 0;
}

enum rch_status rch_need_check(const struct rch_graph *g, enum rch_work work, uint64_t max_memory,
                               struct rch_error *err)
{
    static const char *const names[] = {[RCH_WORK_REVERSE] = "referrers",
                                        [RCH_WORK_RETAINED] = "retained bytes",
                                        [RCH_WORK_WHY] = "an answer",
                                        [RCH_WORK_GROWTH] = "growth"};
    char what[64];
    (void)snprintf(what, sizeof(what), "%s over %" PRIu32 " objects", names[work], g->num_objects);
    return rch_memory_check(rch_need_bytes(g, work), max_memory, what, err);
}
