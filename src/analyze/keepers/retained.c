// SPDX-License-Identifier: MIT
// analyze/keepers/retained.c -- sums over the dominator tree. A type's sum needs the tree in an order where
// what a node dominates stands right behind it; places in that order follow from the counts alone.
#include "analyze/keepers/retained.h"

#include <inttypes.h>
#include <string.h>

#include "model/derived.h"

static struct rch_asking asking_of(const struct rch_domtree *dom, uint32_t num_passes)
{
    return (struct rch_asking){.progress = dom->progress,
                               .phase = "adding up",
                               .total = num_passes * (uint64_t)dom->num_nodes};
}

static enum rch_status canceled(struct rch_error *err)
{
    return rch_fail(err, RCH_ECANCELED, "adding up retained bytes was canceled");
}

#define LOOK_AHEAD 16u  // nodes: ask for what they will need, it lies anywhere

enum rch_status rch_retained_bytes(const struct rch_graph *g, const struct rch_domtree *dom,
                                   const struct rch_alloc *alloc, uint64_t **bytes_out,
                                   struct rch_error *err)
{
    RCH_BLOCK(block, alloc, (size_t)g->num_nodes + 1, sizeof(uint64_t));
    uint64_t *bytes = block.mem;
    if (!bytes)
        return rch_fail(err, RCH_ENOMEM, "retained bytes of %" PRIu32 " nodes", g->num_nodes);
    struct rch_derived_rows kept[RCH_MAX_GROUP];
    if (dom->is_kept && rch_derived_get(g, RCH_GROUP_RETAINED, NULL, kept)) {
        memcpy(bytes, kept[0].rows, kept[0].num * sizeof(*bytes));
        *bytes_out = rch_block_take(&block);
        return RCH_OK;
    }
    struct rch_asking asking = asking_of(dom, 2);
    for (rch_node v = 0; v < g->num_nodes && rch_goes_on(&asking, 1); v++)
        bytes[v] = rch_size_bytes(g, v);
    for (uint32_t i = dom->num_reached; i-- > 1;) {  // dominators come last, the super root at 0
        if (i > LOOK_AHEAD) {
            __builtin_prefetch(&dom->idom[dom->preorder[i - LOOK_AHEAD]]);
            __builtin_prefetch(&bytes[dom->preorder[i - LOOK_AHEAD]]);
        }
        rch_node v = dom->preorder[i], above = dom->idom[v];
        if (!rch_goes_on(&asking, 1))
            return canceled(err);
        if (__builtin_add_overflow(bytes[above], bytes[v], &bytes[above]))
            return rch_fail(err, RCH_EOVERFLOW, "retained bytes of node %" PRIu32, above);
    }
    if (dom->is_kept)
        rch_derived_put_copy(g, RCH_GROUP_RETAINED, bytes, (uint64_t)g->num_nodes + 1, alloc);
    *bytes_out = rch_block_take(&block);
    return RCH_OK;
}

void rch_domtree_lay_out(const struct rch_domtree *dom, uint32_t *count, uint32_t *place,
                         struct rch_asking *asking, rch_node *order)
{
    for (uint32_t i = dom->num_reached; i-- > 0;) {
        if (i > LOOK_AHEAD) {
            __builtin_prefetch(&dom->idom[dom->preorder[i - LOOK_AHEAD]]);
            __builtin_prefetch(&count[dom->preorder[i - LOOK_AHEAD]], 1);
        }
        rch_node v = dom->preorder[i];
        if (!rch_goes_on(asking, 1))
            return;
        count[v]++;
        if (i)
            count[dom->idom[v]] += count[v];
    }
    for (uint32_t i = 0; i < dom->num_reached && rch_goes_on(asking, 1); i++) {
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
    struct rch_asking asking = asking_of(dom, 4);
    rch_domtree_lay_out(dom, count, places.mem, &asking, orders.mem);
    for (uint32_t i = 1; i < dom->num_reached; i++) {
        if (!rch_goes_on(&asking, 1))
            return canceled(err);
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
    for (rch_node v = 0; v < g->num_objects && rch_goes_on(&asking, 1); v++) {
        if (rch_is_orphan(dom, v))
            RCH_TRY(add(&sum[g->shapes[g->shape_of[v]].type], bytes[v], err));
    }
    if (asking.is_canceled)
        return canceled(err);
    *by_type_out = rch_block_take(&sums);
    return RCH_OK;
}
