// SPDX-License-Identifier: MIT
// analyze/keepers/named_path.c -- one sweep back from the objects bounds the search; one run of trails over what it
// found names all of them.
#include "analyze/keepers/named_path.h"

#include "analyze/common/fingerprint.h"
#include "analyze/common/reach.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "paths in a graph of %" PRIu32 " nodes", g->num_nodes);
}

enum rch_status rch_name_root(const struct rch_graph *g, uint32_t root, struct rch_arena *arena,
                              struct rch_holder *place, struct rch_error *err)
{
    const struct rch_root *row = &g->roots[root];
    place->root_kind = (enum rch_root_kind)row->kind;
    place->root_name =
        rch_arena_copy(arena, rch_str_get(g, row->name), rch_str_bytes(g, row->name));
    place->root_detail =
        rch_arena_copy(arena, rch_str_get(g, row->detail), rch_str_bytes(g, row->detail));
    return place->root_name && place->root_detail ? RCH_OK : no_memory(g, err);
}

enum rch_status rch_name_paths(struct rch_trails *t, const struct rch_trail_group *group,
                               const uint32_t *members, struct rch_arena *arena,
                               struct rch_holder *holder, struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    uint32_t cls = group->cls;
    while (CLASS(t, cls)->parent != RCH_NO_CLASS)
        cls = CLASS(t, cls)->parent;
    struct rch_hop *hops;
    char *print = rch_arena_take(arena, RCH_FINGERPRINT_BYTES, 1);
    if (!print)
        return no_memory(g, err);
    RCH_TRY(rch_name_root(g, CLASS(t, cls)->type, arena, holder, err));
    RCH_TRY(rch_folded_hops(t, group, members, arena, &hops, &holder->num_hops, err));
    holder->hops = hops;
    holder->cut = holder->num_hops ? holder->num_hops - 1 : 0;
    rch_fingerprint(holder->root_kind, holder->root_name, hops, holder->num_hops, print);
    holder->fingerprint = print;
    return RCH_OK;
}

// --- many objects at once ---

struct namer {
    struct rch_view *view;
    const rch_node *nodes;
    uint32_t num;
    struct rch_arena *arena;
    struct rch_holder *holders;
    uint64_t *sinks, *region, *nowhere;  // bits; `nowhere` is empty
    rch_node *queue;
    uint32_t *slot;
};

static enum rch_status run(const struct namer *n, struct rch_trails *t, bool of_garbage,
                           struct rch_error *err)
{
    const struct rch_graph *g = n->view->g;
    uint32_t index;
    t->goes_on = true;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!rch_bit(n->region, root) || rch_is_live_root(n->view, root) == of_garbage)
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    return rch_trails_run(t, err);
}

static enum rch_status tell(const struct namer *n, struct rch_trails *t, struct rch_error *err)
{
    for (uint32_t i = 0; i < n->num; i++) {
        uint32_t index = n->slot[n->nodes[i]];
        if (!index || n->holders[i].fingerprint)
            continue;
        index--;
        struct rch_trail_group group = {NODE(t, index)->cls, 0, 1};
        RCH_TRY(rch_name_paths(t, &group, &index, n->arena, &n->holders[i], err));
    }
    return RCH_OK;
}

// Those that have no name yet. False: all have.
static bool find_region(const struct namer *n)
{
    uint32_t num = n->view->g->num_nodes, tail = 0;
    memset(n->sinks, 0, rch_bits_words(num) * sizeof(*n->sinks));
    rch_bits_copy(n->region, n->view->removed.mem, num);
    for (uint32_t i = 0; i < n->num; i++) {
        if (!n->holders[i].fingerprint && rch_bit_add(n->sinks, n->nodes[i]) &&
            rch_bit_add(n->region, n->nodes[i]))
            n->queue[tail++] = n->nodes[i];
    }
    if (!tail)
        return false;
    rch_sweep_back(n->view, n->nowhere, n->region, n->queue, tail);
    rch_bits_minus(n->region, n->view->removed.mem, num);
    return true;
}

static enum rch_status name(const struct namer *n, bool of_garbage, struct rch_error *err)
{
    struct rch_trails trails;
    if (!find_region(n))
        return RCH_OK;
    RCH_TRY(rch_view_check(n->view, err));
    enum rch_status st = rch_trails_init(&trails, n->view, n->region, n->sinks, n->slot, err);
    if (st == RCH_OK)
        st = run(n, &trails, of_garbage, err);
    if (st == RCH_OK)
        st = tell(n, &trails, err);
    rch_trails_deinit(&trails);
    return st;
}

enum rch_status rch_name_objects(struct rch_view *view, const rch_node *nodes, uint32_t num,
                                 struct rch_arena *arena, struct rch_holder *holders,
                                 struct rch_error *err)
{
    uint32_t num_nodes = view->g->num_nodes;
    RCH_BITS(sinks, view->alloc, num_nodes);
    RCH_BITS(region, view->alloc, num_nodes);
    RCH_BITS(nowhere, view->alloc, num_nodes);
    RCH_BLOCK(queue, view->alloc, num_nodes, sizeof(rch_node));
    RCH_BLOCK(slot, view->alloc, num_nodes, sizeof(uint32_t));
    struct namer n = {view,      nodes,      num,         arena,     holders,
                      sinks.mem, region.mem, nowhere.mem, queue.mem, slot.mem};
    if (!n.sinks || !n.region || !n.nowhere || !n.queue || !n.slot)
        return no_memory(view->g, err);
    RCH_TRY(name(&n, false, err));
    return name(&n, true, err);
}
