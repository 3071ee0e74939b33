// SPDX-License-Identifier: MIT
// analyze/suspects/suspects.c -- the stages of suspects.h: the dominator tree, leads, who holds each of them, which
// of them are one suspect, what those keep, evidence, rank.
#include "analyze/suspects/suspects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/fingerprint.h"
#include "analyze/common/hops.h"
#include "analyze/keepers/retained.h"
#include "analyze/suspects/suspects_impl.h"

enum {
    DEFAULT_SUSPECTS = 10,
    DEFAULT_LEADS = 32,
    NUM_STAGES = 4,
    PER_NUMBER = 5,  // tenths of bits each doubling
    PER_BYTES = 3,
    PER_SHARE = 10,
    SMALL_BYTES = 4096,
    SMALL_SHARE = 64,  // of the heap
};

static enum rch_status go_on(const struct rch__search *s, uint64_t stage, struct rch_error *err)
{
    return rch_view_stage(&s->view, stage, NUM_STAGES, err);
}

static enum rch_status no_memory(const struct rch__search *s, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "suspects among %" PRIu32 " nodes", s->g->num_nodes);
}

// --- scores that need no answer ---

int32_t rch__doublings(uint64_t value, uint64_t unit, int32_t per_doubling)
{
    int32_t score = 0;
    if (unit == 0 || value < unit)
        return 0;
    double times = (double)value / (double)unit;
    for (; times >= 2; times /= 2)
        score += per_doubling;
    return score + (int32_t)((times - 1) * per_doubling);
}

int32_t rch__size_score(const struct rch__search *s, uint32_t type, uint64_t objects,
                        uint64_t bytes)
{
    static const int32_t by_origin[] = {
        [RCH__BUILTIN] = 0, [RCH__STDLIB] = 0, [RCH__PROGRAM] = 40, [RCH__OWN] = -200};
    return rch__doublings(objects, 1, PER_NUMBER) + rch__doublings(bytes, SMALL_BYTES, PER_BYTES) +
           rch__doublings(bytes, s->heap_bytes / SMALL_SHARE + 1, PER_SHARE) +
           by_origin[rch__origin_of(s, type)];
}

// --- preparation ---

struct named {
    rch_str module, name;
    uint32_t type;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    if (x->module != y->module)
        return x->module < y->module ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

// Types of one name are one: a class that a function makes at every call.
static enum rch_status name_types(struct rch__search *s, struct rch_error *err)
{
    const struct rch_graph *g = s->g;
    s->origins = rch_block_make(s->alloc, g->num_types, sizeof(uint8_t));
    s->same = rch_block_make(s->alloc, g->num_types, sizeof(uint32_t));
    RCH_BLOCK(block, s->alloc, g->num_types, sizeof(struct named));
    struct named *named = block.mem;
    if (!s->origins.mem || !s->same.mem || !named)
        return no_memory(s, err);
    for (uint32_t i = 0; i < g->num_types; i++) {
        named[i] = (struct named){g->types[i].module, g->types[i].name, i};
        ((uint8_t *)s->origins.mem)[i] =
            (uint8_t)rch__origin_of_module(rch_str_get(g, g->types[i].module));
    }
    if (g->num_types)
        qsort(named, g->num_types, sizeof(*named), compare_named);
    for (uint32_t i = 0, first = 0; i < g->num_types; i++) {
        if (named[i].module != named[first].module || named[i].name != named[first].name)
            first = i;
        ((uint32_t *)s->same.mem)[named[i].type] = named[first].type;
    }
    return RCH_OK;
}

static enum rch_status prepare(struct rch__search *s, struct rch_error *err)
{
    const struct rch_progress *progress = s->options ? s->options->progress : NULL;
    static const struct rch_question nobody = {"suspects", NULL, 0};
    RCH_TRY(rch_view_init(&s->view, s->g, s->rev, &nobody, s->alloc, err));
    s->asking = (struct rch_asking){.progress = progress, .phase = "suspects"};
    s->view.asking = &s->asking;
    RCH_TRY(go_on(s, 0, err));
    s->true_node = rch__variable(s, "builtins", "True");
    s->active_threads = rch__variable(s, "threading", "_active");
    RCH_TRY(name_types(s, err));
    RCH_TRY(rch_domtree_init(&s->dom, s->g, s->alloc, progress, err));
    RCH_TRY(rch_retained_bytes(s->g, &s->dom, s->alloc, &s->retained, err));
    s->heap_bytes = s->retained[rch_super_root(&s->dom)];
    if (s->options && s->options->baseline) {
        struct rch_growth_options growth = {.max_places = 200, .progress = progress};
        RCH_TRY(rch_growth(s->options->baseline, s->g, s->rev, &growth, s->alloc, &s->growth, err));
    }
    return RCH_OK;
}

static void drop(struct rch__search *s)
{
    for (size_t i = 0; i < s->leads.num; i++) {
        rch_block_drop(&RCH__LEAD(s, i)->members);
        rch_answer_free(RCH__LEAD(s, i)->answer);
    }
    rch_vec_deinit(&s->leads);
    if (s->view.g)
        rch_view_deinit(&s->view);
    if (s->retained)
        rch_free(s->alloc, s->retained, (size_t)s->g->num_nodes + 1, sizeof(uint64_t));
    if (s->dom.idom)
        rch_domtree_deinit(&s->dom);
    rch_growth_free(s->growth);
    rch_block_drop(&s->origins);
    rch_block_drop(&s->same);
}

// --- who holds the leads ---

static bool is_member(const struct rch__search *s, const struct rch__lead *lead, rch_node v)
{
    if (rch__type_at(s, v) != lead->type || rch_is_orphan(&s->dom, v))
        return false;
    return lead->anchor == RCH_NO_NODE || s->dom.idom[v] == lead->anchor;
}

static enum rch_status take_members(struct rch__search *s, struct rch__lead *lead,
                                    struct rch_error *err)
{
    uint32_t num = 0;
    lead->members = rch_block_make(s->alloc, lead->objects, sizeof(rch_node));
    rch_node *members = lead->members.mem;
    if (!members)
        return no_memory(s, err);
    for (rch_node v = 0; v < s->g->num_objects && num < lead->objects && rch_goes_on(&s->asking, 1);
         v++)
        if (is_member(s, lead, v))
            members[num++] = v;
    lead->objects = num;
    return rch_view_check(&s->view, err);
}

/// How much of a holder's path tells which one it is: up to the container whose entries are cut, or the
/// reference that is; leads of different types that it holds have that in common. All garbage is one.
static uint32_t num_telling(const struct rch_holder *holder)
{
    if (holder->root_kind == RCH_ROOT_GARBAGE)
        return 0;
    if (!holder->is_cuttable || holder->cut >= holder->num_hops)
        return holder->num_hops;
    return holder->cut + !holder->cut_is_group;
}

static enum rch_status take_prints(struct rch__search *s, struct rch__lead *lead,
                                   struct rch_error *err)
{
    const struct rch_answer *answer = lead->answer;
    lead->prints = rch_arena_take(s->arena, answer->num_holders, sizeof(uint64_t));
    if (!lead->prints)
        return no_memory(s, err);
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        char print[RCH_FINGERPRINT_BYTES];
        rch_fingerprint(holder->root_kind, holder->root_name, holder->hops, num_telling(holder),
                        print);
        uint64_t number = strtoull(print + strlen("rc1:"), NULL, 16);
        bool is_new = true;
        for (uint32_t k = 0; k < lead->num_prints; k++)
            is_new = is_new && lead->prints[k] != number;
        if (is_new)
            lead->prints[lead->num_prints++] = number;
    }
    lead->is_own = rch__origin_of(s, lead->type) == RCH__PROGRAM;
    return RCH_OK;
}

static enum rch_status ask(struct rch__search *s, struct rch__lead *lead, struct rch_error *err)
{
    RCH_TRY(take_members(s, lead, err));
    const char *type = rch_type_text(s->g, lead->type, s->arena);
    if (!type)
        return no_memory(s, err);
    struct rch_question question = {type, lead->members.mem, (uint32_t)lead->objects};
    struct rch_why_options why = {.progress = s->options ? s->options->progress : NULL};
    lead->told.type = type;
    RCH_TRY(rch_why(s->g, s->rev, &question, &why, s->alloc, &lead->answer, err));
    return take_prints(s, lead, err);
}

static enum rch_status ask_from(struct rch__search *s, size_t first, struct rch_error *err)
{
    uint32_t max = s->options && s->options->max_leads ? s->options->max_leads : DEFAULT_LEADS;
    for (size_t i = first; i < s->leads.num && i < max; i++)
        RCH_TRY(ask(s, RCH__LEAD(s, i), err));
    if (s->leads.num > max)
        s->leads.num = max;
    return RCH_OK;
}

static bool has_holder(const struct rch__lead *lead)
{
    return lead->answer->num_holders || lead->answer->garbage;
}

// What each keeps, and which of them that encloses.
static enum rch_status keep_each(struct rch__keeper *keeper, struct rch_error *err)
{
    struct rch__search *s = keeper->s;
    for (uint32_t i = 0; i < s->leads.num; i++) {
        struct rch__lead *lead = RCH__LEAD(s, i);
        lead->number = i;
        lead->encloses = rch_arena_take(s->arena, s->leads.num, sizeof(bool));
        if (!lead->encloses)
            return no_memory(s, err);
        RCH_TRY(go_on(s, 3, err));
        rch__keep_of_nobody(keeper);
        rch__keep_add(keeper, lead);
        RCH_TRY(rch__keep(keeper, &lead->told, err));
        for (uint32_t k = 0; k < s->leads.num; k++)
            lead->encloses[k] = k != i && rch__keeps_all(keeper, RCH__LEAD(s, k));
        RCH_TRY(rch_view_check(&s->view, err));
    }
    return RCH_OK;
}

// --- leads that are one suspect ---

static uint32_t resources(const struct rch__lead *lead)
{
    return lead->told.sockets + lead->told.files + lead->told.other_fds;
}

static bool owns_open(const struct rch__lead *lead)
{
    return lead->owns_fds && resources(lead);
}

// Those come first that tell most of what they are a part of.
static int compare_leads(const void *a, const void *b)
{
    const struct rch__lead *x = a, *y = b;
    if (x->answer->is_diffuse != y->answer->is_diffuse)
        return x->answer->is_diffuse ? 1 : -1;
    if (owns_open(x) != owns_open(y))
        return owns_open(x) ? -1 : 1;
    if (x->is_own != y->is_own)
        return x->is_own ? -1 : 1;
    if (resources(x) != resources(y))
        return resources(x) > resources(y) ? -1 : 1;
    if (x->num_prints != y->num_prints)
        return x->num_prints > y->num_prints ? -1 : 1;
    bool x_all = x->anchor == RCH_NO_NODE, y_all = y->anchor == RCH_NO_NODE;
    if (x_all != y_all)
        return x_all ? -1 : 1;
    if (x->prior != y->prior)
        return x->prior > y->prior ? -1 : 1;
    return strcmp(x->told.type, y->told.type);
}

static bool has_print(const struct rch__search *s, uint32_t suspect, uint64_t print)
{
    for (uint32_t i = 0; i < s->leads.num; i++) {
        const struct rch__lead *lead = RCH__LEAD(s, i);
        for (uint32_t k = 0; lead->suspect == suspect && k < lead->num_prints; k++)
            if (lead->prints[k] == print)
                return true;
    }
    return false;
}

/// Are half of the lead's holders those of a suspect?
static bool is_held_alike(const struct rch__search *s, const struct rch__lead *lead,
                          uint32_t suspect)
{
    uint32_t num = 0;
    for (uint32_t i = 0; i < lead->num_prints; i++)
        num += has_print(s, suspect, lead->prints[i]);
    return num && 2 * num >= lead->num_prints;
}

/// Does one keep the other, and little else? They are links of one chain.
static bool is_mostly(const struct rch__lead *outer, const struct rch__lead *inner)
{
    return outer->encloses[inner->number] && inner->told.kept_bytes >= outer->told.kept_bytes / 2;
}

/// Is some entry, of many in one container, what holds them?
static bool is_collected(const struct rch__lead *lead)
{
    for (uint32_t i = 0; i < lead->answer->num_holders; i++)
        if (lead->answer->holders[i].cut_is_group)
            return true;
    return false;
}

static uint32_t find_suspect(const struct rch__search *s, uint32_t i)
{
    struct rch__lead *lead = RCH__LEAD(s, i);
    for (uint32_t k = 0; k < i; k++)
        if (RCH__LEAD(s, k)->suspect == k && is_held_alike(s, lead, k)) {
            // The container itself is held by what holds its entries.
            lead->is_around = !is_collected(lead) && is_collected(RCH__LEAD(s, k));
            return k;
        }
    for (uint32_t k = 0; k < i; k++) {
        const struct rch__lead *other = RCH__LEAD(s, k);
        lead->is_around = is_mostly(lead, other);
        if (other->suspect == k && (lead->is_around || is_mostly(other, lead)))
            return k;
    }
    lead->is_around = false;
    return i;
}

static enum rch_status tell_others(struct rch__search *s, uint32_t suspect, struct rch_error *err)
{
    struct rch_suspect *told = &RCH__LEAD(s, suspect)->told;
    struct rch_suspect_type *with =
        rch_arena_take(s->arena, s->leads.num, sizeof(struct rch_suspect_type));
    if (!with)
        return no_memory(s, err);
    for (uint32_t k = suspect + 1; k < s->leads.num; k++) {
        const struct rch__lead *lead = RCH__LEAD(s, k);
        if (lead->suspect == suspect && !lead->is_around &&
            strcmp(lead->told.type, told->type) != 0)
            with[told->num_with++] = (struct rch_suspect_type){lead->told.type, lead->objects};
    }
    told->with = with;
    return RCH_OK;
}

static enum rch_status join(struct rch__search *s, struct rch_error *err)
{
    if (s->leads.num)
        qsort(s->leads.mem, s->leads.num, sizeof(struct rch__lead), compare_leads);
    for (uint32_t i = 0; i < s->leads.num; i++)
        RCH__LEAD(s, i)->suspect = UINT32_MAX;
    for (uint32_t i = 0; i < s->leads.num; i++)
        if (has_holder(RCH__LEAD(s, i)))
            RCH__LEAD(s, i)->suspect = find_suspect(s, i);
    for (uint32_t i = 0; i < s->leads.num; i++)
        if (RCH__LEAD(s, i)->suspect == i)
            RCH_TRY(tell_others(s, i, err));
    return RCH_OK;
}

// --- the result ---

// What a suspect's leads keep together, and what all evidence says of that.
static enum rch_status judge(struct rch__keeper *keeper, struct rch_error *err)
{
    struct rch__search *s = keeper->s;
    for (uint32_t i = 0; i < s->leads.num; i++) {
        struct rch__lead *lead = RCH__LEAD(s, i);
        if (lead->suspect != i)
            continue;
        RCH_TRY(go_on(s, 3, err));
        rch__keep_of_nobody(keeper);
        for (uint32_t k = i; k < s->leads.num; k++)
            if (RCH__LEAD(s, k)->suspect == i && !RCH__LEAD(s, k)->is_around)
                rch__keep_add(keeper, RCH__LEAD(s, k));
        RCH_TRY(rch__keep(keeper, &lead->told, err));
        lead->told.objects = lead->objects;
        lead->told.bytes = lead->answer->bytes;
        lead->told.answer = lead->answer;
        RCH_TRY(rch__judge(s, lead, keeper->kept.mem, err));
    }
    return RCH_OK;
}

static enum rch_status join_and_judge(struct rch__search *s, struct rch_error *err)
{
    __attribute__((cleanup(rch__keep_end))) struct rch__keeper keeper = {.s = s};
    RCH_TRY(rch__keep_begin(&keeper, err));
    RCH_TRY(keep_each(&keeper, err));
    RCH_TRY(join(s, err));
    return judge(&keeper, err);
}

static int compare_suspects(const void *a, const void *b)
{
    const struct rch_suspect *x = a, *y = b;
    if (x->is_likely != y->is_likely)
        return x->is_likely ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    int order = strcmp(x->type, y->type);
    return order ? order : (x->objects < y->objects) - (x->objects > y->objects);
}

// Answers of listed suspects move to the result.
static enum rch_status list(struct rch__search *s, struct rch_suspects *out, struct rch_error *err)
{
    uint32_t max =
        s->options && s->options->max_suspects ? s->options->max_suspects : DEFAULT_SUSPECTS;
    out->suspects = rch_arena_take(s->arena, s->leads.num, sizeof(struct rch_suspect));
    if (!out->suspects)
        return no_memory(s, err);
    RCH_TRY(rch_vec_reserve(&out->answers, s->leads.num, err));
    out->num_leads = (uint32_t)s->leads.num;
    for (uint32_t i = 0; i < s->leads.num; i++) {
        struct rch__lead *lead = RCH__LEAD(s, i);
        if (lead->suspect != i || lead->told.score < RCH_SUSPECT_POSSIBLE)
            continue;
        RCH_TRY(rch_vec_append(&out->answers, &lead->answer, 1, err));
        lead->answer = NULL;
        out->suspects[out->num_suspects++] = lead->told;
    }
    if (out->num_suspects)
        qsort(out->suspects, out->num_suspects, sizeof(struct rch_suspect), compare_suspects);
    if (out->num_suspects > max) {
        out->num_more = out->num_suspects - max;
        out->num_suspects = max;
    }
    return RCH_OK;
}

static enum rch_status find(struct rch__search *s, struct rch_suspects *out, struct rch_error *err)
{
    RCH_TRY(prepare(s, err));
    RCH_TRY(go_on(s, 1, err));
    RCH_TRY(rch__find_fd_leads(s, err));
    RCH_TRY(rch__find_type_leads(s, err));
    RCH_TRY(ask_from(s, 0, err));
    RCH_TRY(go_on(s, 2, err));
    size_t num = s->leads.num;
    RCH_TRY(rch__find_crowd_leads(s, err));
    RCH_TRY(ask_from(s, num, err));
    RCH_TRY(go_on(s, 3, err));
    RCH_TRY(join_and_judge(s, err));
    out->heap_objects = s->g->num_objects;
    out->heap_bytes = s->heap_bytes;
    out->has_baseline = s->growth != NULL;
    out->is_partial = s->g->info.is_partial != 0;
    return list(s, out, err);
}

enum rch_status rch_suspects(const struct rch_graph *g, const struct rch_reverse *rev,
                             const struct rch_suspects_options *options,
                             const struct rch_alloc *alloc, struct rch_suspects **out,
                             struct rch_error *err)
{
    struct rch_reverse own = {0};
    if (!rev)
        RCH_TRY(rch_reverse_make(&own, g, alloc, options ? options->progress : NULL, err));
    struct rch_suspects *suspects = rch_calloc(alloc, 1, sizeof(*suspects));
    enum rch_status st = suspects ? RCH_OK : rch_fail(err, RCH_ENOMEM, "suspects");
    if (suspects) {
        rch_arena_init(&suspects->arena, alloc);
        rch_vec_init(&suspects->answers, alloc, sizeof(struct rch_answer *));
        struct rch__search s = {.g = g,
                                .rev = rev ? rev : &own,
                                .alloc = alloc,
                                .options = options,
                                .arena = &suspects->arena};
        rch_vec_init(&s.leads, alloc, sizeof(struct rch__lead));
        st = find(&s, suspects, err);
        drop(&s);
        if (st == RCH_OK)
            *out = suspects;
        else
            rch_suspects_free(suspects);
    }
    if (!rev)
        rch_reverse_deinit(&own);
    return st;
}

void rch_suspects_free(struct rch_suspects *suspects)
{
    if (!suspects)
        return;
    const struct rch_alloc *alloc = suspects->arena.alloc;
    for (size_t i = 0; i < suspects->answers.num; i++)
        rch_answer_free(RCH_VEC_AT(&suspects->answers, struct rch_answer *, i));
    rch_vec_deinit(&suspects->answers);
    rch_arena_deinit(&suspects->arena);
    rch_free(alloc, suspects, 1, sizeof(*suspects));
}
