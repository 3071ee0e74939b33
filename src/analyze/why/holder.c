// SPDX-License-Identifier: MIT
// analyze/why/holder.c -- put one holder together: its cut references, its hops as shown, its name.
#include <stdio.h>

#include "analyze/common/fingerprint.h"
#include "analyze/why/solve.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a holder");
}

enum rch_status rch_draft_add(struct rch_solver *s, uint32_t *number_out, struct rch_error *err)
{
    struct rch_draft draft = {.root = RCH_NO_NODE};
    draft.holder.cut = UINT32_MAX;
    rch_vec_init(&draft.also, s->view.alloc, sizeof(const char *));
    RCH_TRY(rch_vec_append(&s->drafts, &draft, 1, err));
    *number_out = (uint32_t)s->drafts.num - 1;
    return RCH_OK;
}

enum rch_status rch_cut_entry(struct rch_solver *s, rch_node v, uint32_t e, uint32_t number,
                              struct rch_vec *entries, struct rch_error *err)
{
    uint64_t bit = UINT64_C(1) << number;
    uint32_t first = e, past = e + 1;
    bool is_group = rch_arc_of(&s->view, v, e) == RCH_ARC_GROUP;
    if (is_group)
        rch_entry_of(s->view.g, v, e, &first, &past);
    for (uint32_t i = first; i < past; i++) {
        if (i == e || rch_arc_of(&s->view, v, i) == RCH_ARC_GROUP)
            RCH_TRY(rch_cuts_add(&s->cuts, v, i, bit, err));
    }
    return rch_vec_append(entries, &first, 1, err);
}

// Which hop the cut reference is part of.
static uint32_t cut_hop(struct rch_solver *s, struct rch_trails *t, uint32_t from, uint32_t edge,
                        uint32_t num_hops)
{
    uint32_t at = CLASS(t, NODE(t, from)->cls)->depth;
    enum rch_fold fold = rch_shown_of(&s->view, NODE(t, from)->node, edge).fold;
    if (fold == RCH_FOLD_BACK && at > 0)
        at--;
    return at < num_hops ? at : num_hops - 1;
}

// ".producers", ".cache.data[*].args": the names up to the reference to cut, as far as they fit.
static const char *short_name(struct rch_arena *arena, const struct rch_hop *hops,
                              uint32_t num_hops, uint32_t cut)
{
    char text[256];
    size_t at = 0;
    for (uint32_t i = 0; i < num_hops && i <= cut && at < sizeof(text) - 4; i++) {
        size_t room = sizeof(text) - at;
        int bytes = 0;
        if (rch_hop_repeats(&hops[i]))
            bytes = i == cut ? 0 : snprintf(text + at, room, "[*]");
        else if (hops[i].name)
            bytes = snprintf(text + at, room, ".%s", hops[i].name);
        if (bytes < 0 || (size_t)bytes >= room)
            break;
        at += (size_t)bytes;
    }
    return rch_arena_copy(arena, text, at);
}

static enum rch_status fill_groups(struct rch_solver *s, struct rch_draft *draft,
                                   struct rch_trails *t, const struct rch_trail_group *groups,
                                   uint32_t num, const uint32_t *members, struct rch_error *err)
{
    struct rch_arena *arena = &s->answer->arena;
    struct rch_path_group *rows = rch_arena_take(arena, num, sizeof(*rows));
    if (!rows)
        return no_memory(err);
    for (uint32_t i = 0; i < num; i++) {
        struct rch_hop *hops;
        uint32_t num_hops;
        RCH_TRY((s->raw ? rch_raw_hops : rch_folded_hops)(t, &groups[i], members, arena, &hops,
                                                          &num_hops, err));
        rows[i] = (struct rch_path_group){hops, num_hops, groups[i].num};
    }
    draft->holder.groups = rows;
    draft->holder.num_groups = num;
    draft->holder.hops = rows[0].hops;
    draft->holder.num_hops = rows[0].num_hops;
    return RCH_OK;
}

static enum rch_status fill_root(struct rch_solver *s, struct rch_holder *holder,
                                 const struct rch_trails *t, uint32_t cls, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    while (CLASS(t, cls)->parent != RCH_NO_CLASS)
        cls = CLASS(t, cls)->parent;
    const struct rch_root *root = &g->roots[CLASS(t, cls)->type];
    holder->root_kind = (enum rch_root_kind)root->kind;
    holder->root_name =
        rch_arena_copy(&s->answer->arena, rch_str_get(g, root->name), rch_str_bytes(g, root->name));
    holder->root_detail = rch_arena_copy(&s->answer->arena, rch_str_get(g, root->detail),
                                         rch_str_bytes(g, root->detail));
    return holder->root_name && holder->root_detail ? RCH_OK : no_memory(err);
}

enum rch_status rch_draft_fill(struct rch_solver *s, struct rch_draft *draft, struct rch_trails *t,
                               const struct rch_trail_group *groups, uint32_t num,
                               const uint32_t *members, uint32_t cut_from, uint32_t cut_edge,
                               struct rch_error *err)
{
    struct rch_holder *holder = &draft->holder;
    struct rch_arena *arena = &s->answer->arena;
    uint32_t num_shown = num > s->max_groups ? s->max_groups : num;
    struct rch_hop *folded;
    uint32_t num_folded, cut = UINT32_MAX;
    RCH_TRY(fill_root(s, holder, t, groups[0].cls, err));
    RCH_TRY(rch_folded_hops(t, &groups[0], members, arena, &folded, &num_folded, err));
    RCH_TRY(fill_groups(s, draft, t, groups, num_shown, members, err));
    holder->num_more_groups = num - num_shown;
    char *print = rch_arena_take(arena, RCH_FINGERPRINT_BYTES, 1);
    if (!print)
        return no_memory(err);
    rch_fingerprint(holder->root_kind, holder->root_name, folded, num_folded, print);
    holder->fingerprint = print;
    if (cut_from != UINT32_MAX && num_folded) {
        cut = cut_hop(s, t, cut_from, cut_edge, num_folded);
        holder->is_cuttable = true;
        holder->cut = s->raw ? NODE(t, cut_from)->raw_depth : cut;
    }
    draft->short_name = short_name(arena, folded, num_folded, cut);
    holder->advice = rch_advice(holder->root_kind, holder->root_name, folded, num_folded, cut);
    return draft->short_name ? RCH_OK : no_memory(err);
}
