// SPDX-License-Identifier: MIT
// analyze/what_if.c -- the machinery of `why` (reach.h) on references that the asker chose: one sweep without
// all of them, then the small rest again and again.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/what_if.h"

#include <stdlib.h>

#include "analyze/hops.h"
#include "analyze/named_path.h"
#include "analyze/path.h"
#include "analyze/reach.h"

_Static_assert((int)RCH_MAX_CUTS == (int)RCH_MAX_HOLDERS, "a cut is a bit of a mask");

static const struct rch_question nobody = {"what if", NULL, 0};

struct asker {
    struct rch_view view;
    struct rch_what_if *answer;
    struct rch_cuts cuts;
    struct rch_whatif reach;
    struct rch_block queue;   // rch_node, room for all nodes
    struct rch_block region;  // rch_node: what all cuts free
    const struct rch_progress *progress;
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a cut in a graph of %" PRIu32 " nodes", g->num_nodes);
}

static enum rch_status go_on(struct asker *a, uint64_t done, struct rch_error *err)
{
    if (rch_go_on(a->progress, "what if", done, a->answer->num_cuts + UINT64_C(2)))
        return RCH_OK;
    return rch_fail(err, RCH_ECANCELED, "what if");
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
        for (uint32_t k = 0; k < named->num_edges; k++)  // a weak one is nothing to cut
            if (rch_edge_holds(&a->view, named->sources[k], named->edges[k]))
                RCH_TRY(rch_cuts_add(&a->cuts, named->sources[k], named->edges[k],
                                     UINT64_C(1) << i, err));
    }
    rch_cuts_close(&a->cuts);
    return RCH_OK;
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
    for (uint64_t i = 0; i < answer->frees.objects; i++) {
        struct type_sum *sum = &sums[g->shapes[g->shape_of[region[i]]].type];
        sum->objects++;
        if (__builtin_add_overflow(sum->bytes, rch_size_bytes(g, region[i]), &sum->bytes))
            sum->bytes = UINT64_MAX;
    }
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

// Count the targets of the cuts of `active` by `after` (bits: alive when these are made). *kept_out: one that
// stays, of the collector's if there is any.
static enum rch_status count_targets(struct asker *a, uint64_t active, const uint64_t *after,
                                     struct rch_cut_targets *targets, rch_node *kept_out,
                                     struct rch_error *err)
{
    const struct rch_graph *g = a->view.g;
    const struct rch_cut_edge *rows = a->cuts.edges.mem;
    RCH_BITS(seen, a->view.alloc, g->num_nodes);
    if (!seen.mem)
        return no_memory(g, err);
    for (size_t i = 0; i < a->cuts.edges.num; i++) {
        rch_node to = g->edges[rows[i].edge];
        if (!(rows[i].holders & active) || !rch_bit(a->reach.live, rows[i].source) ||
            !rch_bit_add(seen.mem, to))
            continue;
        targets->num++;
        if (!rch_bit(after, to))
            continue;
        targets->kept++;
        if (to < *kept_out)  // the collector's come first
            *kept_out = to;
    }
    return RCH_OK;
}

// The preferred path to an object when the cuts of `active` are made.
static enum rch_status tell_other(struct asker *a, uint64_t active, rch_node kept,
                                  struct rch_cut_targets *targets, struct rch_error *err)
{
    const struct rch_graph *g = a->view.g;
    struct rch_arena *arena = &a->answer->arena;
    targets->kept_type = rch_type_text(g, g->shapes[g->shape_of[kept]].type, arena);
    targets->kept_is_atom = kept >= g->num_tracked;
    if (!targets->kept_type)
        return no_memory(g, err);
    struct rch_view view;
    RCH_TRY(rch_view_init(&view, g, a->view.rev, &nobody, a->view.alloc, err));
    enum rch_status st = RCH_OK;
    for (uint32_t i = 0; i < a->answer->num_cuts && st == RCH_OK; i++) {
        const struct rch_named_reference *named = a->answer->cuts[i].named;
        if (active >> i & 1)
            st = rch_view_ignore(&view, named->edges, named->sources, named->num_edges, err);
    }
    if (st == RCH_OK)
        st = rch_name_objects(&view, &kept, 1, arena, &targets->other, err);
    rch_view_deinit(&view);
    return st;
}

static enum rch_status tell_targets(struct asker *a, uint64_t active, const uint64_t *after,
                                    struct rch_cut_targets *targets, struct rch_error *err)
{
    rch_node kept = RCH_NO_NODE;
    RCH_TRY(count_targets(a, active, after, targets, &kept, err));
    return targets->kept ? tell_other(a, active, kept, targets, err) : RCH_OK;
}

static enum rch_status tell_each(struct asker *a, struct rch_error *err)
{
    struct rch_what_if *answer = a->answer;
    for (uint32_t i = 0; i < answer->num_cuts; i++) {
        struct rch_what_if_cut *cut = &answer->cuts[i];
        RCH_TRY(go_on(a, i + UINT64_C(1), err));
        if (answer->num_cuts == 1) {
            cut->frees = answer->frees;
            cut->targets = answer->targets;
            break;
        }
        struct rch_freed left = rch_whatif_reach(&a->reach, UINT64_C(1) << i);
        cut->frees.objects = answer->frees.objects - left.objects;
        cut->frees.bytes = answer->frees.bytes - left.bytes;
        RCH_TRY(tell_targets(a, UINT64_C(1) << i, a->reach.scratch, &cut->targets, err));
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
    RCH_TRY(tell_targets(a, UINT64_MAX, a->reach.base, &answer->targets, err));
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
    struct asker a = {.answer = answer, .progress = progress};
    enum rch_status st = rch_view_init(&a.view, g, rev, &nobody, alloc, err);
    if (st == RCH_OK) {
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
        RCH_TRY(rch_reverse_init(&own, g, alloc, err));
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
