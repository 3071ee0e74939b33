// SPDX-License-Identifier: MIT
// analyze/growth/series.c -- see series.h: what is kept of one graph after the other.
#include "analyze/growth/series.h"

#include <inttypes.h>
#include <string.h>

#include "analyze/common/hops.h"
#include "analyze/common/select.h"
#include "analyze/growth/series_impl.h"

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a series of heaps");
}

const char *rch_series_by_word(enum rch_series_by by)
{
    static const char *const words[] = {"holder", "type", "identity"};
    return words[by];
}

bool rch_series_by_of(const char *word, enum rch_series_by *by_out)
{
    for (int by = RCH_SERIES_BY_HOLDER; by <= RCH_SERIES_BY_IDENTITY; by++)
        if (strcmp(word, rch_series_by_word((enum rch_series_by)by)) == 0) {
            *by_out = (enum rch_series_by)by;
            return true;
        }
    return false;
}

// --- interning ---

struct string_key {
    const struct rch_series *s;
    const char *text;
};

static bool same_string(const void *ctx, uint32_t number)
{
    const struct string_key *key = ctx;
    return strcmp(rch__series_string(key->s, number), key->text) == 0;
}

enum rch_status rch__series_intern(struct rch_series *s, const char *text, uint32_t *out,
                                   struct rch_error *err)
{
    size_t num_bytes = strlen(text);
    uint32_t hash = rch_intern_hash(text, num_bytes);
    struct string_key key = {s, text};
    uint32_t found = rch_intern_find(&s->string_set, hash, same_string, &key);
    if (found == UINT32_MAX) {
        RCH_TRY(rch_intern_reserve(&s->string_set, err));
        const char *copy = rch_arena_copy(&s->arena, text, num_bytes);
        if (!copy)
            return no_memory(err);
        found = (uint32_t)s->strings.num;
        RCH_TRY(rch_vec_append(&s->strings, &copy, 1, err));
        rch_intern_add(&s->string_set, hash, found);
    }
    *out = found;
    return RCH_OK;
}

struct place_key {
    const struct rch_series *s;
    const struct rch__place *place;
};

static bool same_place(const void *ctx, uint32_t number)
{
    const struct place_key *key = ctx;
    const struct rch__place *a = &RCH_VEC_AT(&key->s->places, struct rch__place, number);
    const struct rch__place *b = key->place;
    bool is_root = a->parent == RCH__NO_ROW;  // the detail of a root is no part of it
    return a->parent == b->parent && a->kind == b->kind && a->name == b->name &&
           (is_root || a->type == b->type);
}

enum rch_status rch__series_place(struct rch_series *s, const struct rch__place *place,
                                  uint32_t *out, struct rch_error *err)
{
    uint32_t type = place->parent == RCH__NO_ROW ? 0 : place->type;
    uint32_t words[] = {place->parent, place->kind, place->name, type};
    uint32_t hash = rch_intern_hash(words, sizeof(words));
    struct place_key key = {s, place};
    uint32_t found = rch_intern_find(&s->place_set, hash, same_place, &key);
    if (found == UINT32_MAX) {
        RCH_TRY(rch_intern_reserve(&s->place_set, err));
        found = (uint32_t)s->places.num;
        RCH_TRY(rch_vec_append(&s->places, place, 1, err));
        rch_intern_add(&s->place_set, hash, found);
    }
    *out = found;
    return RCH_OK;
}

static bool same_type(const void *ctx, uint32_t number)
{
    const struct place_key *key = ctx;
    return RCH_VEC_AT(&key->s->types, struct rch__type_row, number).name == key->place->name;
}

enum rch_status rch__series_type(struct rch_series *s, uint32_t name, uint32_t *out,
                                 struct rch_error *err)
{
    const struct rch__place named = {.name = name};
    struct place_key key = {s, &named};
    uint32_t hash = rch_intern_hash(&name, sizeof(name));
    uint32_t found = rch_intern_find(&s->type_set, hash, same_type, &key);
    if (found == UINT32_MAX) {
        struct rch__type_row row = {name, s->options.pattern == NULL};
        RCH_TRY(rch_intern_reserve(&s->type_set, err));
        found = (uint32_t)s->types.num;
        RCH_TRY(rch_vec_append(&s->types, &row, 1, err));
        rch_intern_add(&s->type_set, hash, found);
    }
    *out = found;
    return RCH_OK;
}

// --- life ---

enum rch_status rch_series_make(const struct rch_series_options *options,
                                const struct rch_alloc *alloc, struct rch_series **out,
                                struct rch_error *err)
{
    struct rch_series *s = rch_calloc(alloc, 1, sizeof(*s));
    if (!s)
        return no_memory(err);
    s->alloc = alloc;
    s->options = *options;
    rch_arena_init(&s->arena, alloc);
    rch_vec_init(&s->strings, alloc, sizeof(const char *));
    rch_vec_init(&s->places, alloc, sizeof(struct rch__place));
    rch_vec_init(&s->types, alloc, sizeof(struct rch__type_row));
    rch_intern_init(&s->string_set, alloc);
    rch_intern_init(&s->place_set, alloc);
    rch_intern_init(&s->type_set, alloc);
    uint32_t empty;
    enum rch_status st = rch__series_intern(s, "", &empty, err);
    if (st == RCH_OK && options->pattern) {
        s->options.pattern = rch_arena_copy(&s->arena, options->pattern, strlen(options->pattern));
        st = s->options.pattern ? RCH_OK : no_memory(err);
    }
    if (st == RCH_OK)
        *out = s;
    else
        rch_series_free(s);
    return st;
}

static void drop_moment(struct rch__moment *moment)
{
    rch_vec_deinit(&moment->places);
    rch_vec_deinit(&moment->types);
    rch_vec_deinit(&moment->turnovers);
}

void rch_series_free(struct rch_series *s)
{
    if (!s)
        return;
    const struct rch_alloc *alloc = s->alloc;
    for (uint32_t i = 0; i < s->num_moments; i++)
        drop_moment(&s->moments[i]);
    if (s->last != s->first)
        rch_baseline_free(s->last);
    rch_baseline_free(s->first);
    rch_intern_deinit(&s->string_set);
    rch_intern_deinit(&s->place_set);
    rch_intern_deinit(&s->type_set);
    rch_vec_deinit(&s->strings);
    rch_vec_deinit(&s->places);
    rch_vec_deinit(&s->types);
    rch_arena_deinit(&s->arena);
    rch_free(alloc, s, 1, sizeof(*s));
}

uint32_t rch_series_num(const struct rch_series *s)
{
    return s->num_moments;
}

// --- one moment ---

// The series' strings and types of the graph's types.
static enum rch_status join_types(struct rch_series *s, const struct rch_graph *g, uint32_t *names,
                                  uint32_t *types, struct rch_error *err)
{
    struct rch_arena words;
    rch_arena_init(&words, s->alloc);
    enum rch_status st = RCH_OK;
    for (uint32_t t = 0; t < g->num_types && st == RCH_OK; t++) {
        const char *text = rch_type_text(g, t, &words);
        st = text ? rch__series_intern(s, text, &names[t], err) : no_memory(err);
        if (st == RCH_OK)
            st = rch__series_type(s, names[t], &types[t], err);
    }
    rch_arena_deinit(&words);
    return st;
}

static enum rch_status mark_wanted(struct rch_series *s, const struct rch_graph *g,
                                   const uint32_t *types, struct rch_error *err)
{
    if (!s->options.pattern)
        return RCH_OK;
    RCH_VEC(found, s->alloc, uint32_t);
    RCH_TRY(rch_select_types(g, s->options.pattern, &found, err));
    for (size_t i = 0; i < found.num; i++) {
        uint32_t type = types[RCH_VEC_AT(&found, uint32_t, i)];
        RCH_VEC_AT(&s->types, struct rch__type_row, type).is_wanted = true;
    }
    return RCH_OK;
}

static enum rch_status count_types(const struct rch_series *s, const struct rch_graph *g,
                                   const uint32_t *types, const struct rch_progress *progress,
                                   struct rch__moment *moment, struct rch_error *err)
{
    struct rch_asking asking = {.progress = progress, .phase = "types"};
    RCH_TRY(rch_vec_append(&moment->types, NULL, s->types.num, err));
    for (rch_node v = 0; v < g->num_objects; v++) {
        if (!rch_goes_on(&asking, 1))
            return rch_fail(err, RCH_ECANCELED, "types");
        uint64_t bytes = rch_size_bytes(g, v);
        struct rch__tally *tally =
            &RCH_VEC_AT(&moment->types, struct rch__tally, types[g->shapes[g->shape_of[v]].type]);
        tally->objects++;
        tally->bytes += bytes;
        moment->facts.bytes += bytes;
    }
    return RCH_OK;
}

static enum rch_status compare_with(struct rch_series *s, const struct rch_baseline *base,
                                    const struct rch_graph *g, const struct rch_progress *progress,
                                    struct rch_growth **out, struct rch_error *err)
{
    struct rch_growth_options options = {.types_only = true, .progress = progress};
    return rch_growth(base, g, NULL, &options, s->alloc, out, err);
}

static enum rch_status turnover_of(struct rch_series *s, const char *type,
                                   struct rch__moment *moment, struct rch__turnover **out,
                                   struct rch_error *err)
{
    uint32_t name = 0, number = 0;
    RCH_TRY(rch__series_intern(s, type, &name, err));
    RCH_TRY(rch__series_type(s, name, &number, err));
    if (number >= moment->turnovers.num)
        RCH_TRY(rch_vec_append(&moment->turnovers, NULL, number + 1 - moment->turnovers.num, err));
    *out = &RCH_VEC_AT(&moment->turnovers, struct rch__turnover, number);
    return RCH_OK;
}

// Survivors of types of which nothing changed are all that there were.
static enum rch_status take_turnovers(struct rch_series *s, const struct rch_growth *step,
                                      const struct rch_growth *whole, struct rch__moment *moment,
                                      struct rch_error *err)
{
    const struct rch_vec *had = &s->moments[0].types;
    RCH_TRY(rch_vec_append(&moment->turnovers, NULL, s->types.num, err));
    for (uint32_t t = 0; t < s->types.num; t++)
        RCH_VEC_AT(&moment->turnovers, struct rch__turnover, t).survivors =
            rch__tally_at(had, t).objects;
    struct rch__turnover *row;
    for (uint32_t i = 0; i < step->num_types; i++) {
        RCH_TRY(turnover_of(s, step->types[i].type, moment, &row, err));
        row->made = step->types[i].made;
        row->gone = step->types[i].gone;
    }
    for (uint32_t i = 0; i < whole->num_types; i++) {
        RCH_TRY(turnover_of(s, whole->types[i].type, moment, &row, err));
        row->survivors = whole->types[i].before - whole->types[i].gone;
    }
    moment->facts.made = step->made;
    moment->facts.gone = step->gone;
    moment->facts.survivors = whole->kept;
    return RCH_OK;
}

static enum rch_status identify(struct rch_series *s, const struct rch_graph *g,
                                const struct rch_progress *progress, struct rch__moment *moment,
                                struct rch_error *err)
{
    struct rch_baseline *now;
    moment->facts.survivors = g->num_objects;
    if (s->first) {
        struct rch_growth *step, *whole;
        RCH_TRY(compare_with(s, s->last, g, progress, &step, err));
        enum rch_status st = compare_with(s, s->first, g, progress, &whole, err);
        if (st == RCH_OK) {
            st = take_turnovers(s, step, whole, moment, err);
            rch_growth_free(whole);
        }
        rch_growth_free(step);
        RCH_TRY(st);
    }
    RCH_TRY(rch_baseline_make(g, s->alloc, &now, err));
    if (s->last != s->first)
        rch_baseline_free(s->last);
    s->last = now;
    if (!s->first)
        s->first = now;
    return RCH_OK;
}

static enum rch_status fill(struct rch_series *s, const struct rch_graph *g,
                            const struct rch_reverse *rev, const char *source,
                            const struct rch_progress *progress, struct rch__moment *moment,
                            struct rch_error *err)
{
    RCH_BLOCK(names, s->alloc, g->num_types, sizeof(uint32_t));
    RCH_BLOCK(types, s->alloc, g->num_types, sizeof(uint32_t));
    if (!names.mem || !types.mem)
        return no_memory(err);
    RCH_TRY(join_types(s, g, names.mem, types.mem, err));
    RCH_TRY(mark_wanted(s, g, types.mem, err));
    moment->facts = (struct rch_moment){.objects = g->num_objects,
                                        .time_ns = g->info.time_ns,
                                        .pid = g->info.pid,
                                        .is_partial = g->info.is_partial != 0};
    moment->facts.source =
        rch_arena_copy(&s->arena, source ? source : "", source ? strlen(source) : 0);
    if (!moment->facts.source)
        return no_memory(err);
    RCH_TRY(count_types(s, g, types.mem, progress, moment, err));
    if (s->options.identity)
        RCH_TRY(identify(s, g, progress, moment, err));
    if (!s->options.places)
        return RCH_OK;
    return rch__series_count_places(s, g, rev, names.mem, progress, moment, err);
}

enum rch_status rch_series_add(struct rch_series *s, const struct rch_graph *g,
                               const struct rch_reverse *rev, const char *source,
                               const struct rch_progress *progress, struct rch_error *err)
{
    if (s->num_moments == RCH_SERIES_MAX)
        return rch_fail(err, RCH_EINVAL, "a series has %d moments at most", RCH_SERIES_MAX);
    bool wants_reverse = !rev && s->options.places;
    struct rch_reverse own = {0};
    if (wants_reverse)
        RCH_TRY(rch_reverse_make(&own, g, s->alloc, progress, err));
    struct rch__moment *moment = &s->moments[s->num_moments++];
    rch_vec_init(&moment->places, s->alloc, sizeof(struct rch__tally));
    rch_vec_init(&moment->types, s->alloc, sizeof(struct rch__tally));
    rch_vec_init(&moment->turnovers, s->alloc, sizeof(struct rch__turnover));
    enum rch_status st = fill(s, g, wants_reverse ? &own : rev, source, progress, moment, err);
    if (wants_reverse)
        rch_reverse_deinit(&own);
    return st;
}
