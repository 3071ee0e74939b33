// SPDX-License-Identifier: MIT
// analyze/growth/series_rises.c -- from counts of places to what grew. A place where growth begins, or has many
// times more than the place above, becomes a row; growth at other places is told with the row above it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/bits.h"
#include "analyze/common/fingerprint.h"
#include "analyze/growth/series_impl.h"

enum { DEFAULT_ROWS = 20, MULTIPLIES = 8, FEW_OBJECTS = 2, FEW_NAMES = 16 };

struct spot {                     // of a place
    uint64_t grown, grown_bytes;  // 0 if there are fewer
    uint64_t all_bytes;           // grown here and in all places under it
    uint64_t below, below_bytes;  // of a row: grown at places told with it
    uint32_t above;               // the place to tell it with, if that grew
    uint32_t row;                 // the place that it is told at, RCH__NO_ROW: it has not grown
    uint32_t fd_type;             // of a row: the type below it that has descriptors
    uint64_t each;                // grown in every step, so much at least; 0: not in every step
    bool is_even;                 // by the same in every step
    bool is_wanted;
    bool is_late;  // it is, or is below, a key that is told with its value, or the reverse
};

struct search {
    const struct rch_series *s;
    const struct rch_rise_options *options;
    struct spot *spots;
    uint32_t *ranked;
    uint32_t num, num_ranked;
    struct rch_rises *rises;
};

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "what grew in a series of heaps");
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static const struct rch__place *place_at(const struct search *q, uint32_t i)
{
    return &RCH_VEC_AT(&q->s->places, struct rch__place, i);
}

// --- how it grew ---

static const struct rch_vec *tallies_of(const struct search *q, uint32_t moment)
{
    const struct rch__moment *m = &q->s->moments[moment];
    return q->options->by == RCH_SERIES_BY_HOLDER ? &m->places : &m->types;
}

static void measure(const struct search *q, uint32_t i)
{
    struct spot *spot = &q->spots[i];
    uint32_t num = q->s->num_moments;
    struct rch__tally first = rch__tally_at(tallies_of(q, 0), i), last = first, before = first;
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t m = 1; m < num; m++, before = last) {
        last = rch__tally_at(tallies_of(q, m), i);
        uint64_t step = last.objects > before.objects ? last.objects - before.objects : 0;
        least = step < least ? step : least;
        most = step > most ? step : most;
    }
    spot->each = num > 1 ? least : 0;
    spot->is_even = spot->each && least == most;
    spot->grown = last.objects > first.objects ? last.objects - first.objects : 0;
    spot->grown_bytes = last.bytes > first.bytes ? last.bytes - first.bytes : 0;
    bool is_enough = !first.objects ||
                     (double)spot->grown * 100 >= (double)first.objects * q->options->min_percent;
    if ((q->options->steady_only && !spot->each) || !is_enough || !spot->is_wanted)
        spot->grown = 0;
}

// --- which places are rows ---

static const char *type_of(const struct search *q, uint32_t i)
{
    uint32_t name = q->options->by == RCH_SERIES_BY_HOLDER
                        ? place_at(q, i)->type
                        : RCH_VEC_AT(&q->s->types, struct rch__type_row, i).name;
    return rch__series_string(q->s, name);
}

// Equal text to the end does not happen: places with the same path are one.
static int compare_paths(const struct search *q, uint32_t a, uint32_t b)
{
    int order = strcmp(type_of(q, a), type_of(q, b));
    while (!order && q->options->by == RCH_SERIES_BY_HOLDER && a != b) {
        if (a == RCH__NO_ROW || b == RCH__NO_ROW)
            return a == RCH__NO_ROW ? -1 : 1;
        const struct rch__place *x = place_at(q, a), *y = place_at(q, b);
        order = strcmp(rch__series_string(q->s, x->name), rch__series_string(q->s, y->name));
        order = order ? order : (int)x->kind - (int)y->kind;
        if (!order && x->parent != RCH__NO_ROW && y->parent != RCH__NO_ROW)
            order = strcmp(type_of(q, a), type_of(q, b));
        a = x->parent;
        b = y->parent;
    }
    return order;
}

// Of the keys and values of one mapping: more of them, more below them; else values.
static bool leads(const struct search *q, uint32_t i, uint32_t than)
{
    const struct spot *x = &q->spots[i], *y = &q->spots[than];
    if (x->grown != y->grown)
        return x->grown > y->grown;
    if (x->all_bytes != y->all_bytes)
        return x->all_bytes > y->all_bytes;
    if (place_at(q, i)->kind != place_at(q, than)->kind)
        return place_at(q, i)->kind == RCH_EDGE_VALUE;
    return compare_paths(q, i, than) < 0;
}

// New keys of a mapping are told with its new values, where there are as many, or the values with the
// keys where those have more below them (the keys of a WeakValueDictionary that keep its values).
static void join_entries(struct search *q, uint32_t *leaders)
{
    for (uint32_t i = 0; i < q->num; i++) {
        uint32_t parent = place_at(q, i)->parent, kind = place_at(q, i)->kind;
        if (parent == RCH__NO_ROW || !q->spots[i].grown ||
            (kind != RCH_EDGE_KEY && kind != RCH_EDGE_VALUE))
            continue;
        if (!leaders[parent] || leads(q, i, leaders[parent] - 1))
            leaders[parent] = i + 1;
    }
    for (uint32_t i = 0; i < q->num; i++) {
        uint32_t parent = place_at(q, i)->parent, kind = place_at(q, i)->kind;
        if (parent == RCH__NO_ROW)
            continue;
        q->spots[i].is_late = q->spots[parent].is_late;
        uint32_t leader = leaders[parent];
        if (q->spots[i].is_late || !leader || leader - 1 == i || !q->spots[i].grown ||
            (kind != RCH_EDGE_KEY && kind != RCH_EDGE_VALUE) ||
            kind == place_at(q, leader - 1)->kind)
            continue;
        q->spots[i].above = leader - 1;
        q->spots[i].is_late = true;
    }
}

static void find_row(struct search *q, uint32_t i)
{
    struct spot *spot = &q->spots[i];
    uint32_t row = spot->above == RCH__NO_ROW ? RCH__NO_ROW : q->spots[spot->above].row;
    if (!spot->grown)
        return;
    if (row == RCH__NO_ROW || spot->grown / MULTIPLIES > q->spots[row].grown) {
        spot->row = i;
        q->ranked[q->num_ranked++] = i;
        return;
    }
    spot->row = row;
    q->spots[row].below = add_up(q->spots[row].below, spot->grown);
    q->spots[row].below_bytes = add_up(q->spots[row].below_bytes, spot->grown_bytes);
}

// What the objects at and below a row have open: the type with most of it.
static void find_resources(struct search *q)
{
    for (uint32_t i = 0; i < q->num; i++) {
        uint32_t type = place_at(q, i)->fd_type, row = q->spots[i].row;
        if (type && row != RCH__NO_ROW && 2 * q->spots[i].grown > q->spots[row].grown)
            q->spots[row].fd_type = type;
    }
}

static enum rch_status find_rows(struct search *q, struct rch_error *err)
{
    RCH_BLOCK(leaders, q->s->alloc, q->num, sizeof(uint32_t));
    if (!leaders.mem)
        return no_memory(err);
    for (uint32_t i = 0; i < q->num; i++) {
        q->spots[i].above = place_at(q, i)->parent;
        q->spots[i].row = RCH__NO_ROW;
    }
    for (uint32_t i = q->num; i-- > 0;) {  // children come after their parents
        struct spot *spot = &q->spots[i];
        spot->all_bytes = add_up(spot->all_bytes, spot->grown ? spot->grown_bytes : 0);
        if (spot->above != RCH__NO_ROW)
            q->spots[spot->above].all_bytes =
                add_up(q->spots[spot->above].all_bytes, spot->all_bytes);
    }
    if (!q->s->options.pattern)
        join_entries(q, leaders.mem);
    for (uint32_t late = 0; late < 2; late++)
        for (uint32_t i = 0; i < q->num; i++)
            if (q->spots[i].is_late == late)
                find_row(q, i);
    find_resources(q);
    return RCH_OK;
}

// Rows of types: every one for itself.
static void take_types(struct search *q)
{
    bool all = q->options->by == RCH_SERIES_BY_IDENTITY;
    for (uint32_t i = 0; i < q->num; i++) {
        uint64_t turned = 0;
        for (uint32_t m = 1; all && m < q->s->num_moments; m++) {
            const struct rch_vec *rows = &q->s->moments[m].turnovers;
            if (i < rows->num)
                turned += RCH_VEC_AT(rows, struct rch__turnover, i).made +
                          RCH_VEC_AT(rows, struct rch__turnover, i).gone;
        }
        if (q->spots[i].grown || (turned && q->spots[i].is_wanted))
            q->ranked[q->num_ranked++] = i;
    }
}

// --- noise, order ---

// What types remember of their subclasses, weakly: it follows the subclasses, which hang elsewhere.
static bool is_bookkeeping(const struct search *q, uint32_t i)
{
    uint32_t parent = place_at(q, i)->parent;
    return parent != RCH__NO_ROW && place_at(q, parent)->kind == RCH_EDGE_FIELD &&
           strcmp(rch__series_string(q->s, place_at(q, parent)->name), "__subclasses__") == 0;
}

static bool is_noise(const struct search *q, uint32_t i)
{
    const struct spot *spot = &q->spots[i];
    if (q->options->by == RCH_SERIES_BY_IDENTITY)
        return spot->grown < q->options->min_objects;
    bool is_trend = spot->each && q->s->num_moments > 2;
    if (q->options->by == RCH_SERIES_BY_HOLDER && q->options->min_objects != 1 &&
        is_bookkeeping(q, i))
        return true;
    if (q->options->min_objects)
        return spot->grown < q->options->min_objects;
    bool is_names = q->options->by == RCH_SERIES_BY_HOLDER && place_at(q, i)->is_names;
    return !is_trend && spot->grown < (is_names ? FEW_NAMES : FEW_OBJECTS) &&
           add_up(spot->grown_bytes, spot->below_bytes) < RCH_SERIES_BIG;
}

// `addresses` may be NULL.
static enum rch_status tell_holder(const struct search *q, uint32_t i, struct rch_holder *holder,
                                   const rch_addr **addresses, struct rch_error *err)
{
    uint32_t num = 0, at = i;
    for (; place_at(q, at)->parent != RCH__NO_ROW; at = place_at(q, at)->parent)
        num++;
    const struct rch__place *root = place_at(q, at);
    struct rch_hop *hops = rch_arena_take(&q->rises->arena, num, sizeof(*hops));
    char *print = rch_arena_take(&q->rises->arena, RCH_FINGERPRINT_BYTES, 1);
    rch_addr *examples = rch_arena_take(&q->rises->arena, num, sizeof(*examples));
    if (!hops || !print || !examples)
        return no_memory(err);
    for (at = i; num && place_at(q, at)->parent != RCH__NO_ROW; at = place_at(q, at)->parent) {
        const struct rch__place *place = place_at(q, at);
        struct rch_hop *hop = &hops[--num];
        examples[num] = place->example;
        uint64_t objects = rch__tally_at(tallies_of(q, q->s->num_moments - 1), at).objects;
        *hop =
            (struct rch_hop){.kind = (enum rch_edge_kind)place->kind,
                             .name = place->name ? rch__series_string(q->s, place->name) : NULL,
                             .index = UINT32_MAX,
                             .type = rch__series_string(q->s, place->type),
                             .num_objects = objects < UINT32_MAX ? (uint32_t)objects : UINT32_MAX,
                             .example = RCH_NO_NODE};
        holder->num_hops++;
    }
    holder->root_kind = (enum rch_root_kind)root->kind;
    holder->root_name = rch__series_string(q->s, root->name);
    holder->root_detail = rch__series_string(q->s, root->type);
    holder->hops = hops;
    holder->cut = holder->num_hops ? holder->num_hops - 1 : 0;
    rch_fingerprint(holder->root_kind, holder->root_name, hops, holder->num_hops, print);
    holder->fingerprint = print;
    if (addresses)
        *addresses = examples;
    return RCH_OK;
}

static enum rch_status is_known(const struct search *q, uint32_t i, bool *out,
                                struct rch_error *err)
{
    struct rch_holder holder = {0};
    *out = false;
    if (!q->options->num_known || q->options->by != RCH_SERIES_BY_HOLDER)
        return RCH_OK;
    RCH_TRY(tell_holder(q, i, &holder, NULL, err));
    for (uint32_t k = 0; k < q->options->num_known && !*out; k++)
        *out = strcmp(q->options->known[k], holder.fingerprint) == 0;
    return RCH_OK;
}

// Leave out what is not to be told.
static enum rch_status choose(struct search *q, struct rch_error *err)
{
    uint32_t num = 0;
    for (uint32_t i = 0; i < q->num_ranked; i++) {
        const struct spot *spot = &q->spots[q->ranked[i]];
        bool known;
        RCH_TRY(is_known(q, q->ranked[i], &known, err));
        if (known) {
            q->rises->num_known++;
        } else if (!is_noise(q, q->ranked[i])) {
            q->ranked[num++] = q->ranked[i];
        } else {
            q->rises->num_hidden++;
            q->rises->hidden_objects += spot->grown + spot->below;
            q->rises->hidden_bytes += spot->grown_bytes + spot->below_bytes;
        }
    }
    q->num_ranked = num;
    return RCH_OK;
}

static int compare_ranked(const void *a, const void *b, void *ctx)
{
    const struct search *q = ctx;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct spot *x = &q->spots[i], *y = &q->spots[k];
    if (!x->each != !y->each)
        return x->each ? -1 : 1;
    if (x->grown != y->grown)
        return x->grown > y->grown ? -1 : 1;
    uint64_t all_x = add_up(x->grown_bytes, x->below_bytes);
    uint64_t all_y = add_up(y->grown_bytes, y->below_bytes);
    if (all_x != all_y)
        return all_x > all_y ? -1 : 1;
    return compare_paths(q, i, k);
}

// --- telling ---

static enum rch_status tell_counts(const struct search *q, uint32_t i, struct rch_rise *rise,
                                   struct rch_error *err)
{
    uint32_t num = q->s->num_moments;
    uint64_t *cells = rch_arena_take(&q->rises->arena, (size_t)num * 5, sizeof(uint64_t));
    if (!cells)
        return no_memory(err);
    rise->objects = cells;
    rise->bytes = cells + num;
    if (q->options->by != RCH_SERIES_BY_HOLDER && q->rises->has_identity) {
        rise->made = cells + 2 * (size_t)num;
        rise->gone = cells + 3 * (size_t)num;
        rise->survivors = cells + 4 * (size_t)num;
    }
    for (uint32_t m = 0; m < num; m++) {
        struct rch__tally tally = rch__tally_at(tallies_of(q, m), i);
        const struct rch_vec *turnovers = &q->s->moments[m].turnovers;
        cells[m] = tally.objects;
        cells[num + m] = tally.bytes;
        cells[4 * num + m] = m ? 0 : tally.objects;
        if (i >= turnovers->num)
            continue;
        const struct rch__turnover *turnover = &RCH_VEC_AT(turnovers, struct rch__turnover, i);
        cells[2 * num + m] = turnover->made;
        cells[3 * num + m] = turnover->gone;
        cells[4 * num + m] = turnover->survivors;
    }
    return RCH_OK;
}

struct with_row {
    uint32_t row, type;  // place, string
    uint64_t objects;
};

static int compare_withs(const void *a, const void *b)
{
    const struct with_row *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

static int compare_told(const void *a, const void *b)
{
    const struct rch_rise_with *x = a, *y = b;
    bool own_x = strchr(x->type, '.') != NULL, own_y = strchr(y->type, '.') != NULL;
    if (own_x != own_y)
        return own_x ? -1 : 1;
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    return strcmp(x->type, y->type);
}

static enum rch_status tell_with(struct search *q, uint32_t i, const struct with_row *rows,
                                 size_t num, struct rch_rise *rise, struct rch_error *err)
{
    size_t first = 0, end = num;
    while (first < end) {  // the first row of this place
        size_t middle = first + (end - first) / 2;
        if (rows[middle].row < i)
            first = middle + 1;
        else
            end = middle;
    }
    for (end = first; end < num && rows[end].row == i; end++) {}
    struct rch_rise_with *with = rch_arena_take(&q->rises->arena, end - first, sizeof(*with));
    if (!with)
        return no_memory(err);
    uint32_t told = 0;
    for (size_t k = first; k < end; k++) {
        if (k > first && rows[k].type == rows[k - 1].type)
            with[told - 1].objects += rows[k].objects;
        else
            with[told++] =
                (struct rch_rise_with){rch__series_string(q->s, rows[k].type), rows[k].objects};
    }
    if (told)
        qsort(with, told, sizeof(*with), compare_told);
    rise->with = with;
    rise->num_with = told;
    return RCH_OK;
}

static void tell_resource(const char *type, struct rch_rise *rise)
{
    rise->resource = type;
    rise->resource_objects = strcmp(type, rise->type) == 0 ? rise->grown : 0;
    for (uint32_t i = 0; i < rise->num_with && !rise->resource_objects; i++)
        if (strcmp(type, rise->with[i].type) == 0)
            rise->resource_objects = rise->with[i].objects;
}

static enum rch_status find_withs(const struct search *q, struct rch_vec *rows,
                                  struct rch_error *err)
{
    for (uint32_t i = 0; q->options->by == RCH_SERIES_BY_HOLDER && i < q->num; i++) {
        struct with_row row = {q->spots[i].row, place_at(q, i)->type, q->spots[i].grown};
        if (row.row != RCH__NO_ROW && row.row != i)
            RCH_TRY(rch_vec_append(rows, &row, 1, err));
    }
    if (rows->num)
        qsort(rows->mem, rows->num, sizeof(struct with_row), compare_withs);
    return RCH_OK;
}

static enum rch_status tell_row(struct search *q, uint32_t i, const struct rch_vec *withs,
                                struct rch_rise *rise, struct rch_error *err)
{
    const struct spot *spot = &q->spots[i];
    *rise = (struct rch_rise){.type = type_of(q, i),
                              .grown = spot->grown,
                              .grown_bytes = spot->grown_bytes,
                              .below = spot->below,
                              .below_bytes = spot->below_bytes,
                              .is_steady = spot->each && q->s->num_moments > 2,
                              .each = spot->each,
                              .is_even = spot->is_even};
    RCH_TRY(tell_counts(q, i, rise, err));
    if (q->options->by != RCH_SERIES_BY_HOLDER)
        return RCH_OK;
    RCH_TRY(tell_with(q, i, withs->mem, withs->num, rise, err));
    if (spot->fd_type)
        tell_resource(rch__series_string(q->s, spot->fd_type), rise);
    return tell_holder(q, i, &rise->holder, &rise->addresses, err);
}

static enum rch_status tell(struct search *q, struct rch_error *err)
{
    RCH_VEC(withs, q->s->alloc, struct with_row);
    struct rch_rises *rises = q->rises;
    uint32_t max = q->options->max_rows ? q->options->max_rows : DEFAULT_ROWS;
    uint32_t num = q->num_ranked < max ? q->num_ranked : max;
    RCH_TRY(find_withs(q, &withs, err));
    if (q->num_ranked)
        qsort_r(q->ranked, q->num_ranked, sizeof(*q->ranked), compare_ranked, q);
    rises->rows = rch_arena_take(&rises->arena, num, sizeof(*rises->rows));
    if (!rises->rows)
        return no_memory(err);
    for (uint32_t i = 0; i < num; i++) {
        RCH_TRY(tell_row(q, q->ranked[i], &withs, &rises->rows[i], err));
        rises->num_rows++;
    }
    rises->num_more = q->num_ranked - num;
    for (uint32_t i = num; i < q->num_ranked; i++)
        rises->more_objects += q->spots[q->ranked[i]].grown + q->spots[q->ranked[i]].below;
    return RCH_OK;
}

static bool wants(const struct search *q, uint32_t i)
{
    if (q->options->by != RCH_SERIES_BY_HOLDER)
        return RCH_VEC_AT(&q->s->types, struct rch__type_row, i).is_wanted;
    return !q->s->options.pattern;
}

// With a pattern: places whose type is wanted.
static enum rch_status want_places(struct search *q, struct rch_error *err)
{
    RCH_BITS(wanted, q->s->alloc, (uint32_t)q->s->strings.num);
    if (!wanted.mem)
        return no_memory(err);
    for (uint32_t t = 0; t < q->s->types.num; t++) {
        const struct rch__type_row *type = &RCH_VEC_AT(&q->s->types, struct rch__type_row, t);
        if (type->is_wanted)
            rch_bit_set(wanted.mem, type->name);
    }
    for (uint32_t i = 0; i < q->num; i++)
        q->spots[i].is_wanted =
            place_at(q, i)->parent != RCH__NO_ROW && rch_bit(wanted.mem, place_at(q, i)->type);
    return RCH_OK;
}

static enum rch_status find(struct search *q, struct rch_error *err)
{
    bool by_place = q->options->by == RCH_SERIES_BY_HOLDER;
    q->num = (uint32_t)(by_place ? q->s->places.num : q->s->types.num);
    RCH_BLOCK(spots, q->s->alloc, q->num, sizeof(struct spot));
    RCH_BLOCK(ranked, q->s->alloc, q->num, sizeof(uint32_t));
    q->spots = spots.mem;
    q->ranked = ranked.mem;
    if (!q->spots || !q->ranked)
        return no_memory(err);
    for (uint32_t i = 0; i < q->num; i++)
        q->spots[i].is_wanted = wants(q, i);
    if (by_place && q->s->options.pattern)
        RCH_TRY(want_places(q, err));
    for (uint32_t i = 0; i < q->num && q->s->num_moments; i++)
        measure(q, i);
    if (by_place)
        RCH_TRY(find_rows(q, err));
    else
        take_types(q);
    RCH_TRY(choose(q, err));
    return tell(q, err);
}

static enum rch_status fill(const struct rch_series *s, const struct rch_rise_options *options,
                            struct rch_rises *rises, struct rch_error *err)
{
    struct rch_moment *moments = rch_arena_take(&rises->arena, s->num_moments, sizeof(*moments));
    if (!moments)
        return no_memory(err);
    rises->moments = moments;
    rises->num_moments = s->num_moments;
    rises->has_identity = s->options.identity;
    for (uint32_t m = 0; m < s->num_moments; m++) {
        moments[m] = s->moments[m].facts;
        rises->is_partial |= moments[m].is_partial;
        rises->has_identity &= moments[m].pid == moments[0].pid;
    }
    struct search q = {.s = s, .options = options, .rises = rises};
    return find(&q, err);
}

enum rch_status rch_series_rises(const struct rch_series *series,
                                 const struct rch_rise_options *options, struct rch_rises **out,
                                 struct rch_error *err)
{
    struct rch_rises *rises = rch_calloc(series->alloc, 1, sizeof(*rises));
    if (!rises)
        return no_memory(err);
    rch_arena_init(&rises->arena, series->alloc);
    enum rch_status st = fill(series, options, rises, err);
    if (st == RCH_OK)
        *out = rises;
    else
        rch_rises_free(rises);
    return st;
}

void rch_rises_free(struct rch_rises *rises)
{
    if (!rises)
        return;
    const struct rch_alloc *alloc = rises->arena.alloc;
    rch_arena_deinit(&rises->arena);
    rch_free(alloc, rises, 1, sizeof(*rises));
}
