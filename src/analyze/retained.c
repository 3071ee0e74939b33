// SPDX-License-Identifier: MIT
// analyze/retained.c -- sums over the dominator tree. A type's sum needs the tree in an order where
// what a node dominates stands right behind it; places in that order follow from the counts alone.
#include "analyze/retained.h"

#include <inttypes.h>

#define LOOK_AHEAD 16u  // nodes: ask for what they will need, it lies anywhere

enum rch_status rch_retained_bytes(const struct rch_graph *g, const struct rch_domtree *dom,
                                   const struct rch_alloc *alloc, uint64_t **bytes_out,
                                   struct rch_error *err)
{
    RCH_BLOCK(block, alloc, (size_t)g->num_nodes + 1, sizeof(uint64_t));
    uint64_t *bytes = block.mem;
    if (!bytes)
        return rch_fail(err, RCH_ENOMEM, "retained bytes of %" PRIu32 " nodes", g->num_nodes);
    for (rch_node v = 0; v < g->num_nodes; v++)
        bytes[v] = rch_size_bytes(g, v);
    for (uint32_t i = dom->num_reached; i-- > 1;) {  // dominators come last, the super root at 0
        if (i > LOOK_AHEAD) {
            __builtin_prefetch(&dom->idom[dom->preorder[i - LOOK_AHEAD]]);
            __builtin_prefetch(&bytes[dom->preorder[i - LOOK_AHEAD]]);
        }
        rch_node v = dom->preorder[i], above = dom->idom[v];
        if (__builtin_add_overflow(bytes[above], bytes[v], &bytes[above]))
            return rch_fail(err, RCH_EOVERFLOW, "retained bytes of node %" PRIu32, above);
    }
    *bytes_out = rch_block_take(&block);
    return RCH_OK;
}

// order: all reached nodes, each followed by what it dominates; count[v]: how many those are,
// itself included. place: scratch.
static void lay_out(const struct rch_domtree *dom, uint32_t *count, uint32_t *place,
                    rch_node *order)
{
    for (uint32_t i = dom->num_reached; i-- > 0;) {
        if (i > LOOK_AHEAD) {
            __builtin_prefetch(&dom->idom[dom->preorder[i - LOOK_AHEAD]]);
            __builtin_prefetch(&count[dom->preorder[i - LOOK_AHEAD]], 1);
        }
        rch_node v = dom->preorder[i];
        count[v]++;
        if (i)
            count[dom->idom[v]] += count[v];
    }
    for (uint32_t i = 0; i < dom->num_reached; i++) {
        if (dom->num_reached - i > LOOK_AHEAD) {
            __builtin_prefetch(&dom->idom[dom->preorder[i + LOOK_AHEAD]]);
            __builtin_prefetch(&count[dom->preorder[i + LOOK_AHEAD]]);
            __builtin_prefetch(&place[dom->preorder[i + LOOK_AHEAD]], 1);
        }
        rch_node v = dom->preorder[i];
        uint32_t at = 0;
        if (i) {
            at = place[dom->idom[v]];
            place[dom->idom[v]] += count[v];
        }
        order[at] = v;
        place[v] = at + 1;
    }
}

static enum rch_status add(uint64_t *sum, uint64_t bytes, struct rch_error *err)
{
    if (__builtin_add_overflow(*sum, bytes, sum))
        return rch_fail(err, RCH_EOVERFLOW, "retained bytes of a type");
    return RCH_OK;
}

enum rch_status rch_retained_by_type(const struct rch_graph *g, const struct rch_domtree *dom,
                                     const uint64_t *bytes, const struct rch_alloc *alloc,
                                     uint64_t **by_type_out, struct rch_error *err)
{
    size_t num = (size_t)g->num_nodes + 1;
    RCH_BLOCK(sums, alloc, g->num_types, sizeof(uint64_t));
    RCH_BLOCK(counts, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(places, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(orders, alloc, dom->num_reached, sizeof(rch_node));
    RCH_BLOCK(pasts, alloc, g->num_types, sizeof(uint32_t));
    uint64_t *sum = sums.mem;
    uint32_t *count = counts.mem, *past = pasts.mem;
    const rch_node *order = orders.mem;
    if (!sum || !count || !places.mem || !order || !past)
        return rch_fail(err, RCH_ENOMEM, "retained bytes of %" PRIu32 " types", g->num_types);
    lay_out(dom, count, places.mem, orders.mem);
    for (uint32_t i = 1; i < dom->num_reached; i++) {
        if (dom->num_reached - i > LOOK_AHEAD) {
            __builtin_prefetch(&g->shape_of[order[i + LOOK_AHEAD]]);
            __builtin_prefetch(&count[order[i + LOOK_AHEAD]]);
            __builtin_prefetch(&bytes[order[i + LOOK_AHEAD]]);
        }
        rch_node v = order[i];
        uint32_t type = g->shapes[g->shape_of[v]].type;
        if (rch_is_root(g, v) || i < past[type])  // a dominator of its type has counted it
            continue;
        past[type] = i + count[v];
        RCH_TRY(add(&sum[type], bytes[v], err));
    }
    for (rch_node v = 0; v < g->num_objects; v++) {
        if (rch_is_orphan(dom, v))
            RCH_TRY(add(&sum[g->shapes[g->shape_of[v]].type], bytes[v], err));
    }
    *by_type_out = rch_block_take(&sums);
    return RCH_OK;
}
