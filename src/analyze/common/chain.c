// SPDX-License-Identifier: MIT
// analyze/common/chain.c -- see chain.h. A reference that folds forward is left out, one that folds back
// changes what the hop before it leads to.
#include "analyze/common/chain.h"

#include "analyze/common/fingerprint.h"
#include "analyze/common/hops.h"

bool rch_kind_repeats(enum rch_edge_kind kind)
{
    const struct rch_hop hop = {.kind = kind};
    return rch_hop_repeats(&hop);
}

enum rch_fold rch_chain_fold(const struct rch_shown *shown, bool is_first, bool is_last)
{
    if (shown->fold == RCH_FOLD_FORWARD && is_last && shown->kind != RCH_EDGE_OBJECT)
        return RCH_FOLD_NONE;  // a question about an attribute dictionary itself
    return shown->fold == RCH_FOLD_BACK && is_first ? RCH_FOLD_NONE : shown->fold;
}

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "hops of a path");
}

static enum rch_status set_target(const struct rch_graph *g, struct rch_hop *hop, rch_node to,
                                  struct rch_arena *arena, struct rch_error *err)
{
    hop->example = to;
    hop->type = rch_type_text(g, g->shapes[g->shape_of[to]].type, arena);
    return hop->type ? RCH_OK : no_memory(err);
}

static enum rch_status fill_hop(struct rch_view *view, struct rch_hop *hop, rch_node v, uint32_t e,
                                const struct rch_shown *shown, struct rch_arena *arena,
                                struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    uint32_t ordinal = e - g->edge_start[v];
    bool is_attribute = shown->kind == RCH_EDGE_ATTRIBUTE;
    rch_node key = shown->kind == RCH_EDGE_KEY ? g->edges[e] : rch_key_of_value(g, v, ordinal);
    rch_str name = shown->kind == RCH_EDGE_VALUE ? rch_view_text(view, key) : shown->name;
    *hop = (struct rch_hop){.kind = shown->kind,
                            .num_objects = 1,
                            .index = is_attribute ? UINT32_MAX : rch_index_of_ref(g, v, ordinal),
                            .num_elements = is_attribute ? 0 : rch_num_entries(g, v, e),
                            .is_guessed = shown->is_guessed};
    if (name != RCH_NO_STR)
        hop->name = rch_arena_copy(arena, rch_str_get(g, name), rch_str_bytes(g, name));
    else if (shown->kind == RCH_EDGE_DICT)
        hop->name = "__dict__";
    if (name != RCH_NO_STR && !hop->name)
        return no_memory(err);
    if (key != RCH_NO_NODE && (!is_attribute || name == RCH_NO_STR)) {
        hop->key_type = rch_type_text(g, g->shapes[g->shape_of[key]].type, arena);
        if (!hop->key_type)
            return no_memory(err);
    }
    return set_target(g, hop, g->edges[e], arena, err);
}

enum rch_status rch_chain_hop(struct rch_view *view, rch_node v, uint32_t e,
                              struct rch_arena *arena, struct rch_hop *hop, struct rch_error *err)
{
    struct rch_shown shown = rch_shown_of(view, v, e);
    return fill_hop(view, hop, v, e, &shown, arena, err);
}

enum rch_status rch_chain_hops(struct rch_view *view, rch_node from, const uint32_t *edges,
                               uint32_t num, struct rch_arena *arena, struct rch_hop **hops_out,
                               uint32_t *num_out, struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    uint32_t num_hops = 0;
    struct rch_hop *hops = rch_arena_take(arena, num, sizeof(*hops));
    if (!hops)
        return no_memory(err);
    for (uint32_t i = 0; i < num; from = g->edges[edges[i]], i++) {
        struct rch_shown shown = rch_shown_of(view, from, edges[i]);
        enum rch_fold fold = rch_chain_fold(&shown, num_hops == 0, i + 1 == num);
        if (fold == RCH_FOLD_NONE)
            RCH_TRY(fill_hop(view, &hops[num_hops++], from, edges[i], &shown, arena, err));
        else if (fold == RCH_FOLD_BACK)
            RCH_TRY(set_target(g, &hops[num_hops - 1], g->edges[edges[i]], arena, err));
    }
    *hops_out = hops;
    *num_out = num_hops;
    return RCH_OK;
}

enum rch_status rch_tell_root(const struct rch_graph *g, const struct rch_root *root,
                              struct rch_arena *arena, struct rch_holder *holder,
                              struct rch_error *err)
{
    holder->root_kind = (enum rch_root_kind)root->kind;
    holder->root_name =
        rch_arena_copy(arena, rch_str_get(g, root->name), rch_str_bytes(g, root->name));
    holder->root_detail =
        rch_arena_copy(arena, rch_str_get(g, root->detail), rch_str_bytes(g, root->detail));
    return holder->root_name && holder->root_detail ? RCH_OK : no_memory(err);
}

enum rch_status rch_chain_holder(struct rch_view *view, rch_node root, const uint32_t *edges,
                                 uint32_t num, struct rch_arena *arena, struct rch_holder *holder,
                                 struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    const struct rch_root *r = &g->roots[root - g->num_objects];
    struct rch_hop *hops = NULL;
    RCH_TRY(rch_chain_hops(view, root, edges, num, arena, &hops, &holder->num_hops, err));
    holder->hops = hops;
    holder->cut = UINT32_MAX;
    return rch_tell_root(g, r, arena, holder, err);
}

static int compare_names(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

int rch_chain_compare_hops(const struct rch_hop *a, uint32_t num_a, const struct rch_hop *b,
                           uint32_t num_b)
{
    int order = 0;
    for (uint32_t i = 0; !order && i < num_a && i < num_b; i++) {
        if (a[i].kind != b[i].kind)
            return a[i].kind < b[i].kind ? -1 : 1;
        order = compare_names(a[i].name, b[i].name);
        if (!order)
            order = strcmp(a[i].type, b[i].type);
        if (!order)
            order = (a[i].index > b[i].index) - (a[i].index < b[i].index);
    }
    return order ? order : (num_a > num_b) - (num_a < num_b);
}

int rch_chain_compare(const struct rch_holder *a, const struct rch_holder *b)
{
    if (a->root_kind != b->root_kind)
        return a->root_kind < b->root_kind ? -1 : 1;
    int order = strcmp(a->root_name, b->root_name);
    if (!order)
        order = rch_chain_compare_hops(a->hops, a->num_hops, b->hops, b->num_hops);
    return order ? order : compare_names(a->root_detail, b->root_detail);
}
