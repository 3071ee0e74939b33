// SPDX-License-Identifier: MIT
// analyze/keepers/what_if.c -- the machinery of `why` (reach.h) on references that the asker chose: one sweep without
// all of them, then the small rest again and again.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/keepers/what_if.h"

#include <stdlib.h>

#include "analyze/common/hops.h"
#include "analyze/keepers/named_path.h"
#include "analyze/common/path.h"
#include "analyze/common/reach.h"

_Static_assert((int)RCH_MAX_CUTS == (int)RCH_MAX_HOLDERS, "a cut is a bit of a mask");

static const struct rch_question nobody = {"what if", NULL, 0};

struct asker {
    struct rch_view view;
    struct rch_what_if *answer;
    struct rch_cuts cuts;
    struct rch_whatif reach;
    struct rch_block queue;    // rch_node, room for all nodes
    struct rch_block region;   // rch_node: what all cuts free
    struct rch_asking asking;  // the view's
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a cut in a graph of %" PRIu32 " nodes", g->num_nodes);
}

static enum rch_status go_on(struct asker *a, uint64_t done, struct rch_error *err)
{
    return rch_view_stage(&a->view, done, a->answer->num_cuts + UINT64_C(2), err);
}

// --- what is cut ---

static enum rch_status find_references(struct asker *a, const char *const *texts, uint32_t num,
                                       struct rch_reference_list *unclear, struct rch_error *err)
{
    struct rch_what_if *answer = a->answer;
    for (uint32_t i = 0; i < num; i++) {
        struct rch_reference_list list;
        enum rch_status st = rch_find_reference(&a->view, texts[i], &list, err);
        if (st == RCH_OK && list.num_found > 1)
            st = rch_fail(err, RCH_EINVAL, "'%.100s' names %" PRIu32 " references", texts[i],
                          list.num_found);
        if (st != RCH_OK) {
            *unclear = list;
            return st;
        }
        answer->lists[i] = list;
        answer->cuts[i].named = list.found;
        answer->cuts[i].text = rch_arena_copy(&answer->arena, texts[i], strlen(texts[i]));
        answer->num_cuts++;
        if (!answer->cuts[i].text)
            return no_memory(a->view.g, err);
    }
    return RCH_OK;
}

static enum rch_status add_cuts(struct asker *a, struct rch_error *err)
{
    for (uint32_t i = 0; i < a->answer->num_cuts; i++) {
        const struct rch_named_reference *named = a->answer->cuts[i].named;
        if (!rch_goes_on(&a->asking, 1 + named->num_edges))
            break;
        for (uint32_t k = 0; k < named->num_edges; k++)  // a weak one is nothing to cut
            if (rch_edge_holds(&a->view, named->sources[k], named->edges[k]))
                RCH_TRY(rch_cuts_add(&a->cuts, named->sources[k], named->edges[k], UINT64_C(1) << i,
                                     err));
    }
    rch_cuts_close(&a->cuts);
    return rch_view_check(&a->view, err);
}

// --- what becomes free, by type ---

struct type_sum {
    uint32_t type;
    uint64_t objects, bytes;
};

static int by_name(const void *x, const void *y, void *g)
{
    return rch_compare_types(g, ((const struct type_sum *)x)->type,
                             ((const struct type_sum *)y)->type);
}

static int by_bytes(const void *x, const void *y)
{
    const struct rch_freed_type *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return strcmp(a->type, b->type);
}

// A class that was defined twice is one row. Returns how many rows are left.
static uint32_t join_types(const struct rch_graph *g, struct type_sum *sums)
{
    uint32_t num = 0, num_used = 0;
    for (uint32_t t = 0; t < g->num_types; t++)
        if (sums[t].objects)
            sums[num_used++] = sums[t];
    if (num_used)
        qsort_r(sums, num_used, sizeof(*sums), by_name, (void *)(uintptr_t)g);
    for (uint32_t i = 0; i < num_used; i++) {
        if (num && by_name(&sums[num - 1], &sums[i], (void *)(uintptr_t)g) == 0) {
            sums[num - 1].objects += sums[i].objects;
            sums[num - 1].bytes += sums[i].bytes;
        } else {
            sums[num++] = sums[i];
        }
    }
    return num;
}

static enum rch_status count_types(struct asker *a, struct rch_error *err)
{
    const struct rch_graph *g = a->view.g;
    struct rch_what_if *answer = a->answer;
    const rch_node *region = a->region.mem;
    RCH_BLOCK(block, a->view.alloc, g->num_types, sizeof(struct type_sum));
    struct type_sum *sums = block.mem;
    if (!sums)
        return no_memory(g, err);
    for (uint32_t t = 0; t < g->num_types; t++)
        sums[t].type = t;
    for (uint64_t i = 0; i < answer->frees.objects && rch_goes_on(&a->asking, 1); i++) {
        struct type_sum *sum = &sums[g->shapes[g->shape_of[region[i]]].type];
        sum->objects++;
        if (__builtin_add_overflow(sum->bytes, rch_size_bytes(g, region[i]), &sum->bytes))
            sum->bytes = UINT64_MAX;
    }
    RCH_TRY(rch_view_check(&a->view, err));
    uint32_t num = join_types(g, sums);
    answer->types = rch_arena_take(&answer->arena, num, sizeof(*answer->types));
    if (!answer->types)
        return no_memory(g, err);
    for (uint32_t i = 0; i < num; i++) {
        const char *name = rch_type_text(g, sums[i].type, &answer->arena);
        if (!name)
            return no_memory(g, err);
        answer->types[answer->num_types++] =
            (struct rch_freed_type){name, sums[i].objects, sums[i].bytes};
    }
    if (num)
        qsort(answer->types, num, sizeof(*answer->types), by_bytes);
    return RCH_OK;
}

// --- what stays, and why ---

struct tally {
    uint32_t num;      // objects of a type that stay
    rch_node example;  // the first of them
};

struct rest {
    const uint64_t *after;  // bits: alive when the cuts are made
    uint64_t *seen;         // bits
    struct tally *by_type;
    bool has_any;
};

static void note_kept(const struct rch_graph *g, struct rest *rest, rch_node v)
{
    struct tally *tally = &rest->by_type[g->shapes[g->shape_of[v]].type];
    if (!tally->num++ || v < tally->example)
        tally->example = v;
    rest->has_any = true;
}

static void count_targets(struct asker *a, uint64_t active, struct rest *rest,
                          struct rch_kept *kept)
{
    const struct rch_graph *g = a->view.g;
    const struct rch_cut_edge *rows = a->cuts.edges.mem;
    for (size_t i = 0; i < a->cuts.edges.num && rch_goes_on(&a->asking, 2); i++) {
        rch_node to = g->edges[rows[i].edge];
        if (!(rows[i].holders & active) || !rch_bit(a->reach.live, rows[i].source) ||
            rch_is_removed(&a->view, to) || !rch_bit_add(rest->seen, to))
            continue;
        kept->targets++;
        kept->kept_targets += rch_bit(rest->after, to);
        if (rch_bit(rest->after, to) && to < g->num_tracked)
            note_kept(g, rest, to);
    }
}

// What the freed objects refer to: instances, and by references that do not mislead.
static void count_beyond(struct asker *a, struct rest *rest)
{
    const struct rch_graph *g = a->view.g;
    const rch_node *region = a->region.mem;
    const uint32_t shared = RCH_TYPE_IS_TYPE | RCH_TYPE_IS_FUNCTION | RCH_TYPE_IS_MODULE;
    for (uint64_t i = 0; i < a->answer->frees.objects; i++) {
        rch_node v = region[i];
        if (!rch_goes_on(&a->asking, 1 + rch_num_refs(g, v)))
            return;
        for (uint32_t e = g->edge_start[v]; !rch_bit(rest->after, v) && e < g->edge_start[v + 1];
             e++) {
            rch_node to = g->edges[e];
            if (to != RCH_NO_NODE && to < g->num_tracked && rch_bit(rest->after, to) &&
                !rch_is_removed(&a->view, to) && !(rch_type_of(g, to)->flags & shared) &&
                rch_edge_holds(&a->view, v, e) && !rch_step_of(&a->view, v, e).penalty &&
                rch_bit_add(rest->seen, to))
                note_kept(g, rest, to);
        }
    }
}

static uint32_t most_kept(const struct rch_graph *g, const struct rest *rest)
{
    uint32_t best = 0;
    for (uint32_t t = 1; t < g->num_types; t++) {
        uint32_t num = rest->by_type[t].num, most = rest->by_type[best].num;
        if (num > most || (num && num == most && rch_compare_types(g, t, best) < 0))
            best = t;
    }
    return best;
}

// The preferred path to an object when the cuts of `active` are made.
static enum rch_status tell_other(struct asker *a, uint64_t active, rch_node v,
                                  struct rch_holder *other, struct rch_error *err)
{
    struct rch_view view;
    RCH_TRY(rch_view_init(&view, a->view.g, a->view.rev, &nobody, a->view.alloc, err));
    view.asking = &a->asking;
    enum rch_status st = RCH_OK;
    for (uint32_t i = 0; i < a->answer->num_cuts && st == RCH_OK; i++) {
        const struct rch_named_reference *named = a->answer->cuts[i].named;
        if (active >> i & 1)
            st = rch_view_ignore(&view, named->edges, named->sources, named->num_edges, err);
    }
    if (st == RCH_OK)
        st = rch_name_objects(&view, &v, 1, &a->answer->arena, other, err);
    rch_view_deinit(&view);
    return st;
}

// `after` (bits): what is alive when the cuts of `active` are made.
static enum rch_status tell_kept(struct asker *a, uint64_t active, const uint64_t *after,
                                 struct rch_kept *kept, struct rch_error *err)
{
    const struct rch_graph *g = a->view.g;
    RCH_BITS(seen, a->view.alloc, g->num_nodes);
    RCH_BLOCK(by_type, a->view.alloc, g->num_types, sizeof(struct tally));
    struct rest rest = {after, seen.mem, by_type.mem, false};
    if (!rest.seen || !rest.by_type)
        return no_memory(g, err);
    count_targets(a, active, &rest, kept);
    if (!rest.has_any) {
        count_beyond(a, &rest);
        kept->is_beyond = rest.has_any;
    }
    RCH_TRY(rch_view_check(&a->view, err));
    if (!rest.has_any)
        return RCH_OK;
    uint32_t type = most_kept(g, &rest);
    kept->type = rch_type_text(g, type, &a->answer->arena);
    kept->num_of_type = rest.by_type[type].num;
    if (!kept->type)
        return no_memory(g, err);
    return tell_other(a, active, rest.by_type[type].example, &kept->other, err);
}

static enum rch_status tell_each(struct asker *a, struct rch_error *err)
{
    struct rch_what_if *answer = a->answer;
    for (uint32_t i = 0; i < answer->num_cuts; i++) {
        struct rch_what_if_cut *cut = &answer->cuts[i];
        RCH_TRY(go_on(a, i + UINT64_C(1), err));
        if (answer->num_cuts == 1) {
            cut->frees = answer->frees;
            cut->kept = answer->kept;
            break;
        }
        struct rch_freed left = rch_whatif_reach(&a->reach, UINT64_C(1) << i);
        RCH_TRY(rch_view_check(&a->view, err));
        cut->frees.objects = answer->frees.objects - left.objects;
        cut->frees.bytes = answer->frees.bytes - left.bytes;
        RCH_TRY(tell_kept(a, UINT64_C(1) << i, a->reach.scratch, &cut->kept, err));
    }
    return RCH_OK;
}

// --- all of it ---

static enum rch_status solve(struct asker *a, struct rch_error *err)
{
    const struct rch_graph *g = a->view.g;
    struct rch_what_if *answer = a->answer;
    RCH_TRY(rch_cuts_init(&a->cuts, &a->view, err));
    RCH_TRY(add_cuts(a, err));
    a->queue = rch_block_make(a->view.alloc, g->num_nodes, sizeof(rch_node));
    if (!a->queue.mem)
        return no_memory(g, err);
    RCH_TRY(go_on(a, 0, err));
    RCH_TRY(rch_whatif_init(&a->reach, &a->view, &a->cuts, a->queue.mem, err));
    answer->frees = a->reach.region;
    a->region = rch_block_make(a->view.alloc, answer->frees.objects, sizeof(rch_node));
    if (!a->region.mem)
        return no_memory(g, err);
    memcpy(a->region.mem, a->queue.mem, answer->frees.objects * sizeof(rch_node));
    RCH_TRY(count_types(a, err));
    RCH_TRY(tell_kept(a, UINT64_MAX, a->reach.base, &answer->kept, err));
    return tell_each(a, err);
}

static enum rch_status ask(struct asker *a, const char *const *texts, uint32_t num,
                           struct rch_reference_list *unclear, struct rch_error *err)
{
    struct rch_what_if *answer = a->answer;
    answer->cuts = rch_arena_take(&answer->arena, num, sizeof(*answer->cuts));
    answer->lists = rch_arena_take(&answer->arena, num, sizeof(*answer->lists));
    if (!answer->cuts || !answer->lists)
        return no_memory(a->view.g, err);
    enum rch_status st = find_references(a, texts, num, unclear, err);
    if (st == RCH_OK)
        st = solve(a, err);
    rch_whatif_deinit(&a->reach);
    rch_cuts_deinit(&a->cuts);
    rch_block_drop(&a->queue);
    rch_block_drop(&a->region);
    return st;
}

static enum rch_status answer_with(const struct rch_graph *g, const struct rch_reverse *rev,
                                   const char *const *texts, uint32_t num,
                                   const struct rch_progress *progress,
                                   const struct rch_alloc *alloc, struct rch_what_if **out,
                                   struct rch_reference_list *unclear, struct rch_error *err)
{
    struct rch_what_if *answer = rch_calloc(alloc, 1, sizeof(*answer));
    if (!answer)
        return no_memory(g, err);
    rch_arena_init(&answer->arena, alloc);
    answer->is_partial = g->info.is_partial != 0;
    struct asker a = {.answer = answer, .asking = {.progress = progress, .phase = "what if"}};
    enum rch_status st = rch_view_init(&a.view, g, rev, &nobody, alloc, err);
    if (st == RCH_OK) {
        a.view.asking = &a.asking;
        st = ask(&a, texts, num, unclear, err);
        rch_view_deinit(&a.view);
    }
    if (st == RCH_OK)
        *out = answer;
    else
        rch_what_if_free(answer);
    return st;
}

enum rch_status rch_what_if(const struct rch_graph *g, const struct rch_reverse *rev,
                            const char *const *texts, uint32_t num,
                            const struct rch_progress *progress, const struct rch_alloc *alloc,
                            struct rch_what_if **out, struct rch_reference_list *unclear,
                            struct rch_error *err)
{
    *unclear = (struct rch_reference_list){.num_found = 0};
    rch_arena_init(&unclear->arena, alloc);
    if (num < 1 || num > RCH_MAX_CUTS)
        return rch_fail(err, RCH_EINVAL, "%" PRIu32 " cuts, and it can be 1 to %d", num,
                        (int)RCH_MAX_CUTS);
    struct rch_reverse own = {0};
    if (!rev)
        RCH_TRY(rch_reverse_make(&own, g, alloc, progress, err));
    enum rch_status st =
        answer_with(g, rev ? rev : &own, texts, num, progress, alloc, out, unclear, err);
    if (!rev)
        rch_reverse_deinit(&own);
    return st;
}

void rch_what_if_free(struct rch_what_if *answer)
{
    if (!answer)
        return;
    const struct rch_alloc *alloc = answer->arena.alloc;
    for (uint32_t i = 0; i < answer->num_cuts; i++)
        rch_reference_list_deinit(&answer->lists[i]);
    rch_arena_deinit(&answer->arena);
    rch_free(alloc, answer, 1, sizeof(*answer));
}
