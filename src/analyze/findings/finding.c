// SPDX-License-Identifier: MIT
// analyze/findings/finding.c -- see finding.h. One small function makes a row of each kind of result.
#include "analyze/findings/finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct rch_rule rules[] = {
    {"held-objects", "Objects are held",
     "The objects asked for are still alive: this holder keeps them. Cut the reference that is "
     "named, "
     "or accept the holder with 'refchain known add'.",
     RCH_LEVEL_WARNING},
    {"growth", "Objects came and stayed",
     "More objects hang at this place than earlier. Bound the container, remove "
     "entries "
     "when they are done with, or accept the place with 'refchain known add'.",
     RCH_LEVEL_WARNING},
    {"suspect", "Looks like a leak",
     "Nobody asked for these objects; they look like a leak for the reasons that are given. Cut "
     "the "
     "reference that is named, or accept the holder with 'refchain known add'.",
     RCH_LEVEL_WARNING},
};

const struct rch_rule *rch_rule_of(const char *id)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

void rch_findings_init(struct rch_findings *list, const struct rch_alloc *alloc)
{
    *list = (struct rch_findings){.num_unlisted = 0};
    rch_arena_init(&list->arena, alloc);
    rch_vec_init(&list->rows, alloc, sizeof(struct rch_finding));
}

void rch_findings_deinit(struct rch_findings *list)
{
    rch_vec_deinit(&list->rows);
    rch_arena_deinit(&list->arena);
}

enum rch_status rch_findings_add(struct rch_findings *list, const struct rch_finding *row,
                                 struct rch_error *err)
{
    if (!row->rule ||
        !row->message)  // a rule that is no row of the table, or an arena that is full
        return rch_fail(err, row->rule ? RCH_ENOMEM : RCH_EINVAL, "a finding");
    list->num_new++;
    return rch_vec_append(&list->rows, row, 1, err);
}

// The root of a holder, by its names: a holder does not say which node it is.
static bool is_root_of(const struct rch_graph *g, uint32_t i, const struct rch_holder *holder)
{
    return g->roots[i].kind == holder->root_kind &&
           strcmp(rch_str_get(g, g->roots[i].name), holder->root_name) == 0 &&
           strcmp(rch_str_get(g, g->roots[i].detail), holder->root_detail) == 0;
}

// Where a running function or a coroutine stands that holds; of other roots no graph knows the place.
static void find_place(const struct rch_graph *g, struct rch_finding *row)
{
    const struct rch_holder *holder = row->holder;
    if (!g || !holder->root_detail ||
        (holder->root_kind != RCH_ROOT_FRAME && holder->root_kind != RCH_ROOT_COROUTINE))
        return;
    for (uint32_t i = 0; i < g->num_stack_frames; i++) {
        const struct rch_stack_frame *frame = &g->stack_frames[i];
        if (frame->root == RCH_NO_NODE || !is_root_of(g, frame->root - g->num_objects, holder))
            continue;
        row->file = rch_str_bytes(g, frame->file) ? rch_str_get(g, frame->file) : NULL;
        row->line = frame->line;
        return;
    }
}

static const char *type_of(const struct rch_holder *holder, const char *otherwise)
{
    return holder->num_hops ? holder->hops[holder->num_hops - 1].type : otherwise;
}

static enum rch_status add_holder(struct rch_findings *list, const struct rch_graph *g,
                                  const struct rch_answer *answer, const struct rch_holder *holder,
                                  struct rch_error *err)
{
    struct rch_finding row = {.rule = rch_rule_of("held-objects"),
                              .fingerprint = holder->fingerprint,
                              .type = type_of(holder, answer->question),
                              .objects = holder->holds,
                              .bytes = holder->frees.bytes,
                              .holder = holder,
                              .advice = holder->advice};
    if (!holder->is_cuttable)
        row.message = rch_arena_printf(&list->arena,
                                       "%" PRIu64 " of %" PRIu64 " %s are kept alive by a path on "
                                       "which nothing can be cut",
                                       holder->holds, answer->objects, row.type);
    else
        row.message =
            rch_arena_printf(&list->arena,
                             "%" PRIu64 " of %" PRIu64 " %s are kept alive by this holder, %" PRIu64
                             " of them by it alone; to cut it frees %" PRIu64 " object%s in all",
                             holder->holds, answer->objects, row.type, holder->holds_only,
                             holder->frees.objects, holder->frees.objects == 1 ? "" : "s");
    find_place(g, &row);
    return rch_findings_add(list, &row, err);
}

enum rch_status rch_findings_add_why(struct rch_findings *list, const struct rch_graph *g,
                                     const struct rch_answer *answer, struct rch_error *err)
{
    for (uint32_t i = 0; i < answer->num_holders; i++)
        if (answer->holders[i].root_kind != RCH_ROOT_GARBAGE)  // it waits for the collector
            RCH_TRY(add_holder(list, g, answer, &answer->holders[i], err));
    if (answer->is_diffuse || answer->uncuttable)  // otherwise they are garbage, all of them
        list->num_unlisted += answer->num_more_holders;
    return RCH_OK;
}

static enum rch_status add_rise(struct rch_findings *list, const struct rch_rise *rise,
                                uint32_t num_moments, struct rch_error *err)
{
    struct rch_finding row = {.rule = rch_rule_of("growth"),
                              .fingerprint = rise->holder.fingerprint,
                              .type = rise->type,
                              .objects = rise->grown,
                              .holder = rise->holder.fingerprint ? &rise->holder : NULL};
    if (__builtin_add_overflow(rise->grown_bytes, rise->below_bytes, &row.bytes))
        row.bytes = UINT64_MAX;
    char steps[48] = "";
    if (rise->is_steady)
        snprintf(steps, sizeof(steps), " in each of %" PRIu32 " steps", num_moments - 1);
    row.message = rch_arena_printf(
        &list->arena, "%" PRIu64 " more %s%s, with %" PRIu64 " other objects below them",
        rise->grown, rise->type, steps, rise->below);
    return rch_findings_add(list, &row, err);
}

enum rch_status rch_findings_add_rises(struct rch_findings *list, const struct rch_rises *rises,
                                       struct rch_error *err)
{
    for (uint32_t i = 0; i < rises->num_rows; i++)
        if (rises->rows[i].grown)
            RCH_TRY(add_rise(list, &rises->rows[i], rises->num_moments, err));
    list->num_unlisted += rises->num_more;
    return RCH_OK;
}

static enum rch_status add_suspect(struct rch_findings *list, const struct rch_graph *g,
                                   const struct rch_suspect *suspect, struct rch_error *err)
{
    const struct rch_answer *answer = suspect->answer;
    const struct rch_holder *holder = answer->num_holders ? &answer->holders[0] : NULL;
    const struct rch_suspect_reason *reasons = suspect->reasons;
    uint32_t num = suspect->num_reasons;
    struct rch_finding row = {.rule = rch_rule_of("suspect"),
                              .fingerprint = holder ? holder->fingerprint : NULL,
                              .type = suspect->type,
                              .objects = suspect->objects,
                              .bytes = suspect->kept_bytes,
                              .holder = holder,
                              .advice = holder ? holder->advice : NULL};
    row.message =
        rch_arena_printf(&list->arena, "%" PRIu64 " %s look like a leak: %s%s%s", suspect->objects,
                         suspect->type, num ? reasons[0].sentence : "they are many",
                         num > 1 ? "; " : "", num > 1 ? reasons[1].sentence : "");
    if (holder)
        find_place(g, &row);
    return rch_findings_add(list, &row, err);
}

enum rch_status rch_findings_add_suspects(struct rch_findings *list, const struct rch_graph *g,
                                          const struct rch_suspects *suspects,
                                          struct rch_error *err)
{
    for (uint32_t i = 0; i < suspects->num_suspects; i++)
        if (suspects->suspects[i].is_likely)
            RCH_TRY(add_suspect(list, g, &suspects->suspects[i], err));
    return RCH_OK;
}

void rch_findings_judge(struct rch_findings *list, const struct rch_known_list *known,
                        const char *name, rch_day today)
{
    uint32_t counts[] = {[RCH_FINDING_NEW] = 0, [RCH_FINDING_KNOWN] = 0, [RCH_FINDING_EXPIRED] = 0};
    for (size_t i = 0; i < list->rows.num; i++) {
        struct rch_finding *row = rch_finding_at(list, i);
        row->known = row->fingerprint ? rch_known_find(known, row->fingerprint) : NULL;
        row->state = !row->known                            ? RCH_FINDING_NEW
                     : rch_known_is_over(row->known, today) ? RCH_FINDING_EXPIRED
                                                            : RCH_FINDING_KNOWN;
        counts[row->state]++;
    }
    list->judged_by = name;
    list->num_new = counts[RCH_FINDING_NEW];
    list->num_known = counts[RCH_FINDING_KNOWN];
    list->num_expired = counts[RCH_FINDING_EXPIRED];
}

const struct rch_finding *rch_finding_of(const struct rch_findings *list, const char *fingerprint)
{
    for (size_t i = 0; i < list->rows.num; i++) {
        const struct rch_finding *row = rch_finding_at(list, i);
        if (row->fingerprint && strcmp(row->fingerprint, fingerprint) == 0)
            return row;
    }
    return NULL;
}
