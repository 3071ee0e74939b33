// SPDX-License-Identifier: MIT
// model/graph.c -- look-ups in the graph's sorted columns. All of them trust the invariants that
// verify.h checks.
#include "model/graph.h"

#include "model/derived.h"

void rch_graph_free(struct rch_graph *graph)
{
    if (!graph)
        return;
    rch_derived_free(graph->derived);
    graph->release(graph);
}

uint64_t rch_size_bytes(const struct rch_graph *g, rch_node v)
{
    if (g->size16[v] != RCH_SIZE_BIG)
        return g->size16[v];
    uint32_t low = 0, high = g->num_big_sizes;  // the first with node >= v
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->big_sizes[mid].node < v)
            low = mid + 1;
        else
            high = mid;
    }
    return g->big_sizes[low].bytes;
}

rch_addr rch_addr_of(const struct rch_graph *g, rch_node v)
{
    uint32_t low = 0, high = g->num_addr_runs;  // the last run with first_node <= v
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (g->addr_runs[mid].first_node <= v)
            low = mid;
        else
            high = mid;
    }
    return g->addr_runs[low].base + 8 * (rch_addr)g->addr8[v];
}

// The object at `addr` among nodes [low, high), which are in address order.
static rch_node find_addr(const struct rch_graph *g, uint32_t low, uint32_t high, rch_addr addr)
{
    uint32_t end = high;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (rch_addr_of(g, mid) < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < end && rch_addr_of(g, low) == addr ? low : RCH_NO_NODE;
}

rch_node rch_node_at(const struct rch_graph *g, rch_addr addr)
{
    rch_node v = find_addr(g, 0, g->num_tracked, addr);
    return v != RCH_NO_NODE ? v : find_addr(g, g->num_tracked, g->num_objects, addr);
}

rch_str rch_text_of_node(const struct rch_graph *g, rch_node v)
{
    uint32_t low = 0, high = g->num_texts;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->texts[mid].node < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low < g->num_texts && g->texts[low].node == v ? g->texts[low].str : RCH_NO_STR;
}

rch_node rch_key_of_value(const struct rch_graph *g, rch_node v, uint32_t ordinal)
{
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    if (ordinal < shape->num_labels || shape->num_tail < 2)
        return RCH_NO_NODE;
    uint32_t pos = (ordinal - shape->num_labels) % shape->num_tail;
    const struct rch_label *tail = &g->labels[shape->first_label + shape->num_labels];
    if (tail[pos].kind != RCH_EDGE_VALUE)
        return RCH_NO_NODE;
    for (uint32_t back = 1; back <= pos; back++) {
        if (tail[pos - back].kind == RCH_EDGE_KEY)
            return g->edges[g->edge_start[v] + ordinal - back];
    }
    return RCH_NO_NODE;
}

uint32_t rch_index_of_ref(const struct rch_graph *g, rch_node v, uint32_t ordinal)
{
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    if (ordinal < shape->num_labels || shape->num_tail == 0)
        return UINT32_MAX;
    return (ordinal - shape->num_labels) / shape->num_tail;
}

const char *rch_edge_kind_word(enum rch_edge_kind kind)
{
    static const char *const words[] = {
#define RCH_EDGE_KIND_WORD(name, word) [RCH_EDGE_##name] = word,
        RCH_EDGE_KIND_LIST(RCH_EDGE_KIND_WORD)
#undef RCH_EDGE_KIND_WORD
    };
    return (size_t)kind < RCH_NUM_EDGE_KINDS ? words[kind] : "unknown";
}

const char *rch_root_kind_word(enum rch_root_kind kind)
{
    static const char *const words[] = {
#define RCH_ROOT_KIND_WORD(name, word) [RCH_ROOT_##name] = word,
        RCH_ROOT_KIND_LIST(RCH_ROOT_KIND_WORD)
#undef RCH_ROOT_KIND_WORD
    };
    return (size_t)kind < RCH_NUM_ROOT_KINDS ? words[kind] : "unknown";
}
