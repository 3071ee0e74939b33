// SPDX-License-Identifier: MIT
// tests/c/large.c -- see large.h.
#include "large.h"

#include <stdlib.h>

#include "support.h"

static uint32_t put_refs(enum large_kind kind, rch_node v, rch_node *edges)
{
    uint32_t num = 0;
    if (kind != STAR && kind != FAN && v + 1 < LARGE)
        edges[num++] = v + 1;
    if (kind == BACK && v) {
        edges[num++] = v - 1;
        edges[num++] = 0;
    }
    if ((kind == RING && v + 1 == LARGE) || (kind == FAN && v && v + 1 < LARGE))
        edges[num++] = kind == RING ? 0 : LARGE - 1;
    for (rch_node to = 1; v == 0 && (kind == STAR || kind == LADDER || kind == FAN) && to < LARGE;
         to++)
        edges[num++] = to;
    return num;
}

void large_init(struct large *large, enum large_kind kind)
{
    static const struct rch_label item[] = {{0, RCH_EDGE_ITEM, 0, 0}};
    static const struct rch_shape list[] = {{0, 0, 0, 1}};
    static const struct rch_type types[] = {{0, 0, RCH_NO_NODE, 0}};
    static const uint32_t str_start[] = {0, 1};
    static const struct rch_root root[] = {{.kind = RCH_ROOT_MODULE}};
    *large = (struct large){.edge_start = calloc(LARGE + 2, sizeof(uint32_t)),
                            .shape_of = calloc(LARGE + 1, sizeof(uint32_t)),
                            .edges = calloc(4 * LARGE, sizeof(rch_node)),
                            .size16 = calloc(LARGE + 1, sizeof(uint16_t))};
    assert_true(large->edge_start && large->shape_of && large->edges && large->size16);
    uint32_t num = 0;
    for (rch_node v = 0; v < LARGE; v++) {
        large->edge_start[v] = num;
        large->size16[v] = SIZE;
        num += put_refs(kind, v, large->edges + num);
    }
    large->edge_start[LARGE] = num++;  // the root refers to node 0
    large->edge_start[LARGE + 1] = num;
    large->g = (struct rch_graph){.num_tracked = LARGE,
                                  .num_objects = LARGE,
                                  .num_nodes = LARGE + 1,
                                  .num_edges = num,
                                  .num_roots = 1,
                                  .num_shapes = 1,
                                  .num_labels = 1,
                                  .num_types = 1,
                                  .num_strs = 1,
                                  .num_str_bytes = 1,
                                  .str_start = str_start,
                                  .str_bytes = "",
                                  .edge_start = large->edge_start,
                                  .edges = large->edges,
                                  .shape_of = large->shape_of,
                                  .size16 = large->size16,
                                  .shapes = list,
                                  .labels = item,
                                  .types = types,
                                  .roots = root};
}

void large_deinit(struct large *large)
{
    free(large->edge_start);
    free(large->shape_of);
    free(large->edges);
    free(large->size16);
}
