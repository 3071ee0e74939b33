// SPDX-License-Identifier: MIT
// analyze/why/why.c -- the stages of an answer, in order:
//
//   1. members that references which cannot be cut hold are set aside
//   2. the minimum cut between live roots and the other members; if there are too many references to
//      cut, of those that no running function works with; still too many: paths in groups
//   3. one full sweep with all cuts made; the small rest is what the cuts are about
//   4. paths that name each cut, its figures, and who holds the members no live root reaches
#include <stdlib.h>
#include <string.h>

#include "analyze/why/solve.h"

enum { DEFAULT_HOLDERS = 8, DEFAULT_GROUPS = 8 };

// After each stage: what it did may be half done.
static enum rch_status go_on(struct rch_solver *s, const char *next, struct rch_error *err)
{
    s->asking.phase = next;
    if (!s->asking.is_canceled)
        s->asking.is_canceled = !rch_go_on(s->asking.progress, next, 0, 0);
    return rch_view_check(&s->view, err);
}

static enum rch_status take_memory(struct rch_solver *s, struct rch_error *err)
{
    const struct rch_alloc *alloc = s->view.alloc;
    uint32_t num = s->view.g->num_nodes;
    size_t words = rch_bits_words(num);
    s->queue_block = rch_block_make(alloc, num, sizeof(rch_node));
    s->slot_block = rch_block_make(alloc, num, sizeof(uint32_t));
    s->sinks_block = rch_block_make(alloc, words, sizeof(uint64_t));
    s->side_block = rch_block_make(alloc, words, sizeof(uint64_t));
    s->fixed_block = rch_block_make(alloc, words, sizeof(uint64_t));
    s->queue = s->queue_block.mem;
    s->slot = s->slot_block.mem;
    s->sinks = s->sinks_block.mem;
    s->side = s->side_block.mem;
    s->fixed = s->fixed_block.mem;
    if (!s->queue || !s->slot || !s->sinks || !s->side || !s->fixed)
        return rch_fail(err, RCH_ENOMEM, "an answer about %" PRIu32 " nodes", num);
    return rch_cuts_init(&s->cuts, &s->view, err);
}

static void drop(struct rch_solver *s)
{
    for (size_t i = 0; i < s->drafts.num; i++)
        rch_vec_deinit(&RCH_DRAFT(s, i)->also);
    rch_vec_deinit(&s->drafts);
    rch_whatif_deinit(&s->whatif);
    rch_cuts_deinit(&s->cuts);
    rch_block_drop(&s->queue_block);
    rch_block_drop(&s->slot_block);
    rch_block_drop(&s->sinks_block);
    rch_block_drop(&s->side_block);
    rch_block_drop(&s->fixed_block);
}

// Part the members: those that a path without any cuttable reference reaches, and the sinks.
static void set_aside_fixed(struct rch_solver *s)
{
    const struct rch_question *q = s->view.question;
    rch_sweep_fixed(&s->view, s->fixed, s->queue);
    rch_bits_minus(s->fixed, s->view.removed.mem, s->view.g->num_nodes);
    for (uint32_t i = 0; i < q->num_members; i++) {
        rch_node v = q->members[i];
        if (rch_bit(s->fixed, v)) {
            s->answer->uncuttable++;
        } else if (!rch_is_removed(&s->view, v)) {
            rch_bit_set(s->sinks, v);
            s->num_sinks++;
        }
    }
}

// --- figures ---

static struct rch_freed minus(struct rch_freed all, struct rch_freed left)
{
    return (struct rch_freed){all.question - left.question, all.objects - left.objects,
                              all.bytes - left.bytes};
}

static void count_holders(struct rch_solver *s)
{
    struct rch_whatif *w = &s->whatif;
    uint64_t all = 0, c_held = 0;
    uint32_t num = 0;
    for (uint32_t i = 0; i < s->drafts.num; i++) {
        const struct rch_draft *draft = RCH_DRAFT(s, i);
        if (draft->is_merged || !draft->holder.is_cuttable)
            continue;
        all |= UINT64_C(1) << i;
        num++;
        if (draft->holder.root_kind == RCH_ROOT_C_HELD)
            c_held |= UINT64_C(1) << i;
    }
    s->answer->all_cut = w->region;
    for (uint32_t i = 0; i < s->drafts.num; i++) {
        struct rch_draft *draft = RCH_DRAFT(s, i);
        uint64_t bit = UINT64_C(1) << i;
        if (!(all & bit))
            continue;
        struct rch_freed without = {0}, only = w->region;
        if (num > 1) {  // one holder alone is the whole region
            without = rch_whatif_reach(w, bit);
            if (!s->answer->is_diffuse)
                only = rch_whatif_reach(w, all & ~bit);
        }
        draft->holder.frees = minus(w->region, without);
        draft->holder.holds_only = draft->holder.frees.question;
        if (!s->answer->is_diffuse)
            draft->holder.holds = only.question;
    }
    if (c_held)
        s->answer->c_held =
            c_held == all ? w->region.question : rch_whatif_reach(w, all & ~c_held).question;
}

// --- the answer ---

static int compare_hops(const struct rch_holder *a, const struct rch_holder *b)
{
    for (uint32_t i = 0; i < a->num_hops && i < b->num_hops; i++) {
        if (a->hops[i].index != b->hops[i].index)
            return a->hops[i].index < b->hops[i].index ? -1 : 1;
        if (a->hops[i].num_objects != b->hops[i].num_objects)
            return a->hops[i].num_objects > b->hops[i].num_objects ? -1 : 1;
        if (a->hops[i].is_guessed != b->hops[i].is_guessed)
            return a->hops[i].is_guessed ? 1 : -1;
    }
    return (a->num_hops > b->num_hops) - (a->num_hops < b->num_hops);
}

static int compare_holders(const void *a, const void *b)
{
    const struct rch_holder *x = a, *y = b;
    if (x->holds != y->holds)
        return x->holds > y->holds ? -1 : 1;
    int order = strcmp(x->fingerprint, y->fingerprint);
    if (!order)
        order = compare_hops(x, y);
    if (!order)
        order = (x->frees.objects < y->frees.objects) - (x->frees.objects > y->frees.objects);
    return order ? order : (x->frees.bytes < y->frees.bytes) - (x->frees.bytes > y->frees.bytes);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "an answer");
}

static enum rch_status take_also(struct rch_solver *s, struct rch_draft *draft,
                                 struct rch_error *err)
{
    if (!draft->also.num)
        return RCH_OK;
    const char **names = rch_arena_take(&s->answer->arena, draft->also.num, sizeof(*names));
    if (!names)
        return no_memory(err);
    qsort(draft->also.mem, draft->also.num, sizeof(*names), compare_names);
    memcpy(names, draft->also.mem, draft->also.num * sizeof(*names));
    draft->holder.also = names;
    draft->holder.num_also = (uint32_t)draft->also.num;
    return RCH_OK;
}

static enum rch_status take_holders(struct rch_solver *s, struct rch_error *err)
{
    struct rch_answer *answer = s->answer;
    answer->holders = rch_arena_take(&answer->arena, s->drafts.num, sizeof(struct rch_holder));
    if (!answer->holders)
        return no_memory(err);
    for (size_t i = 0; i < s->drafts.num; i++) {
        struct rch_draft *draft = RCH_DRAFT(s, i);
        RCH_TRY(take_also(s, draft, err));
        if (!draft->is_merged)
            answer->holders[answer->num_holders++] = draft->holder;
    }
    if (answer->num_holders)
        qsort(answer->holders, answer->num_holders, sizeof(struct rch_holder), compare_holders);
    return RCH_OK;
}

static enum rch_status take_warnings(struct rch_solver *s, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    struct rch_answer *answer = s->answer;
    const char **rows = rch_arena_take(&answer->arena, (size_t)g->num_warnings + 1, sizeof(*rows));
    if (!rows)
        return no_memory(err);
    answer->warnings = rows;
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        rows[i] = rch_arena_copy(&answer->arena, rch_str_get(g, g->warnings[i]),
                                 rch_str_bytes(g, g->warnings[i]));
        if (!rows[i])
            return no_memory(err);
        answer->num_warnings++;
    }
    if (!answer->uncuttable)
        return RCH_OK;
    rows[answer->num_warnings] =
        rch_arena_printf(&answer->arena,
                         "%" PRIu64 " of %" PRIu64 " objects are held by references that cannot be "
                         "cut; the holders are those of the others",
                         answer->uncuttable, answer->objects);
    if (!s->num_sinks)
        rows[answer->num_warnings] = "nothing on the way to these objects can be cut";
    return rows[answer->num_warnings++] ? RCH_OK : no_memory(err);
}

// No reference is there to cut, but the members can at least be told where they hang.
static enum rch_status tell_members(struct rch_solver *s, enum rch_crowd crowd,
                                    const uint64_t *within, struct rch_error *err)
{
    const uint64_t *members = s->view.members.mem;
    for (size_t i = 0; i < rch_bits_words(s->view.g->num_nodes); i++)
        s->side[i] = members[i] & within[i];
    return rch_tell_crowd(s, crowd, s->side, within, err);
}

static enum rch_status solve(struct rch_solver *s, struct rch_error *err)
{
    struct rch_answer *answer = s->answer;
    set_aside_fixed(s);
    RCH_TRY(go_on(s, "looking for a cut", err));
    if (s->num_sinks)
        RCH_TRY(rch_find_cut(s, &answer->is_diffuse, err));
    if (answer->is_diffuse)
        RCH_TRY(rch_find_cut_of_idle(s, &answer->is_diffuse, err));
    RCH_TRY(go_on(s, answer->is_diffuse ? "grouping paths" : "making the cut", err));
    if (answer->is_diffuse)
        RCH_TRY(rch_tell_crowd(s, RCH_CROWD_DIFFUSE, s->sinks, NULL, err));
    rch_cuts_close(&s->cuts);
    RCH_TRY(rch_whatif_init(&s->whatif, &s->view, &s->cuts, s->queue, err));
    RCH_TRY(go_on(s, "naming holders", err));
    if (!answer->is_diffuse) {
        RCH_TRY(rch_name_cut(s, err));
        RCH_TRY(rch_join_also(s, err));
    }
    count_holders(s);
    RCH_TRY(go_on(s, "counting the rest", err));
    struct rch_block garbage = {0};
    enum rch_status st = rch_count_rest(s, &garbage, err);
    if (st == RCH_OK && !s->drafts.num && answer->uncuttable)
        st = tell_members(s, RCH_CROWD_FIXED, s->fixed, err);
    else if (st == RCH_OK && !s->drafts.num && answer->garbage)
        st = tell_members(s, RCH_CROWD_GARBAGE, garbage.mem, err);
    rch_block_drop(&garbage);
    RCH_TRY(st);
    RCH_TRY(rch_view_check(&s->view, err));
    RCH_TRY(take_holders(s, err));
    return take_warnings(s, err);
}

static enum rch_status start_answer(struct rch_answer *answer, const struct rch_graph *g,
                                    const struct rch_question *question, struct rch_error *err)
{
    const char *text = question->text ? question->text : "";
    answer->question = rch_arena_copy(&answer->arena, text, strlen(text));
    answer->objects = question->num_members;
    answer->is_partial = g->info.is_partial != 0;
    for (uint32_t i = 0; i < question->num_members; i++) {
        if (__builtin_add_overflow(answer->bytes, rch_size_bytes(g, question->members[i]),
                                   &answer->bytes))
            answer->bytes = UINT64_MAX;
    }
    return answer->question ? RCH_OK : no_memory(err);
}

static enum rch_status answer_with(const struct rch_graph *g, const struct rch_reverse *rev,
                                   const struct rch_question *question,
                                   const struct rch_why_options *options,
                                   const struct rch_alloc *alloc, struct rch_answer *answer,
                                   struct rch_error *err)
{
    struct rch_solver s = {
        .answer = answer, .max_holders = DEFAULT_HOLDERS, .max_groups = DEFAULT_GROUPS};
    if (options && options->max_holders)
        s.max_holders =
            options->max_holders < RCH_MAX_HOLDERS ? options->max_holders : RCH_MAX_HOLDERS;
    if (options && options->max_groups)
        s.max_groups = options->max_groups;
    s.raw = options && options->raw;
    RCH_TRY(rch_view_init(&s.view, g, rev, question, alloc, err));
    s.asking = (struct rch_asking){.progress = options ? options->progress : NULL,
                                   .phase = "setting aside what is fixed"};
    s.view.asking = &s.asking;
    rch_vec_init(&s.drafts, alloc, sizeof(struct rch_draft));
    enum rch_status st = start_answer(answer, g, question, err);
    if (st == RCH_OK)
        st = take_memory(&s, err);
    if (st == RCH_OK)
        st = solve(&s, err);
    drop(&s);
    rch_view_deinit(&s.view);
    return st;
}

enum rch_status rch_why(const struct rch_graph *g, const struct rch_reverse *rev,
                        const struct rch_question *question, const struct rch_why_options *options,
                        const struct rch_alloc *alloc, struct rch_answer **answer_out,
                        struct rch_error *err)
{
    for (uint32_t i = 0; i < question->num_members; i++) {
        if (question->members[i] >= g->num_objects ||
            (i && question->members[i] <= question->members[i - 1]))
            return rch_fail(err, RCH_EINVAL,
                            "member %" PRIu32 " of the question is no object, or not in order", i);
    }
    struct rch_reverse own = {0};
    if (!rev)
        RCH_TRY(rch_reverse_make(&own, g, alloc, options ? options->progress : NULL, err));
    struct rch_answer *answer = rch_calloc(alloc, 1, sizeof(*answer));
    enum rch_status st = answer ? RCH_OK : no_memory(err);
    if (answer) {
        rch_arena_init(&answer->arena, alloc);
        st = answer_with(g, rev ? rev : &own, question, options, alloc, answer, err);
        if (st == RCH_OK)
            *answer_out = answer;
        else
            rch_answer_free(answer);
    }
    if (!rev)
        rch_reverse_deinit(&own);
    return st;
}

void rch_answer_free(struct rch_answer *answer)
{
    if (!answer)
        return;
    const struct rch_alloc *alloc = answer->arena.alloc;
    rch_arena_deinit(&answer->arena);
    rch_free(alloc, answer, 1, sizeof(*answer));
}
