// SPDX-License-Identifier: MIT
// analyze/growth/growth.c -- see growth.h: names of both sides are joined, objects told apart, rows counted.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/growth/growth.h"

#include <inttypes.h>
#include <stdlib.h>

#include "analyze/growth/growth_impl.h"

// The baseline's number of each of the graph's names; UINT32_MAX: it has no such name.
static void match_names(const struct rch_baseline *base, const struct rch_vec *names,
                        uint32_t *same)
{
    const struct rch__type_name *known = base->names.mem;
    uint32_t k = 0;
    for (uint32_t i = 0; i < names->num; i++) {
        const struct rch__type_name *name = &RCH_VEC_AT(names, struct rch__type_name, i);
        while (k < base->num_names && rch__compare_type_names(&known[k], name) < 0)
            k++;
        bool is_known = k < base->num_names && rch__compare_type_names(&known[k], name) == 0;
        same[i] = is_known ? k : UINT32_MAX;
    }
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

struct tally {  // of one name of either side
    struct rch__type_name name;
    struct rch_growth_type row;
};

static int64_t grown(const struct rch_growth_type *row)
{
    return (int64_t)(row->now - row->before);
}

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    if (grown(&x->row) != grown(&y->row))
        return grown(&x->row) > grown(&y->row) ? -1 : 1;
    if (x->row.made != y->row.made)
        return x->row.made > y->row.made ? -1 : 1;
    return rch__compare_type_names(&x->name, &y->name);
}

static enum rch_status take_types(struct rch_growth *growth, struct tally *tallies, uint32_t num,
                                  struct rch_error *err)
{
    if (num)
        qsort(tallies, num, sizeof(*tallies), compare_tallies);
    growth->types = rch_arena_take(&growth->arena, num, sizeof(*growth->types));
    if (!growth->types)
        return rch_fail(err, RCH_ENOMEM, "growth of %" PRIu32 " types", num);
    for (uint32_t i = 0; i < num; i++) {
        const struct rch__type_name *name = &tallies[i].name;
        struct rch_growth_type row = tallies[i].row;
        if (!row.made && !row.gone)
            continue;
        row.type = *name->module
                       ? rch_arena_printf(&growth->arena, "%s.%s", name->module, name->name)
                       : rch_arena_copy(&growth->arena, name->name, strlen(name->name));
        if (!row.type)
            return rch_fail(err, RCH_ENOMEM, "growth of %" PRIu32 " types", num);
        growth->types[growth->num_types++] = row;
    }
    return RCH_OK;
}

struct sides {
    const struct rch_baseline *base;
    const struct rch_graph *g;
    const struct rch_vec *names;  // of the graph
    const uint32_t *number_of, *same;
    const struct rch__identity *identity;
};

static void count_now(const struct sides *sides, struct tally *tallies, struct rch_growth *growth)
{
    const struct rch_graph *g = sides->g;
    for (rch_node v = 0; v < g->num_objects; v++) {
        uint32_t number = sides->number_of[g->shapes[g->shape_of[v]].type];
        uint32_t same = sides->same[number];
        struct tally *tally = &tallies[same == UINT32_MAX ? sides->base->num_names + number : same];
        uint64_t bytes = rch_size_bytes(g, v);
        tally->row.now++;
        tally->row.now_bytes = add_up(tally->row.now_bytes, bytes);
        if (!rch_bit(sides->identity->made, v))
            continue;
        tally->row.made++;
        growth->made++;
        growth->made_bytes = add_up(growth->made_bytes, bytes);
    }
}

static enum rch_status count_types(const struct sides *sides, const struct rch_alloc *alloc,
                                   struct rch_growth *growth, struct rch_error *err)
{
    const struct rch_baseline *base = sides->base;
    uint32_t num = base->num_names + (uint32_t)sides->names->num;
    RCH_BLOCK(block, alloc, num, sizeof(struct tally));
    struct tally *tallies = block.mem;
    if (!tallies)
        return rch_fail(err, RCH_ENOMEM, "growth of %" PRIu32 " types", num);
    for (uint32_t i = 0; i < sides->names->num; i++)
        tallies[base->num_names + i].name = RCH_VEC_AT(sides->names, struct rch__type_name, i);
    for (uint32_t i = 0; i < base->num_names; i++) {
        struct rch_growth_type *row = &tallies[i].row;
        tallies[i].name = ((const struct rch__type_name *)base->names.mem)[i];
        row->before = ((const uint64_t *)base->counts.mem)[i];
        row->before_bytes = ((const uint64_t *)base->bytes.mem)[i];
        row->gone = row->before - sides->identity->kept[i];
        growth->kept += sides->identity->kept[i];
        growth->gone += row->gone;
    }
    count_now(sides, tallies, growth);
    return take_types(growth, tallies, num, err);
}

static enum rch_status compare(const struct rch_baseline *base, const struct rch_graph *g,
                               const struct rch_reverse *rev,
                               const struct rch_growth_options *options,
                               const struct rch_alloc *alloc, struct rch_growth *growth,
                               struct rch_error *err)
{
    RCH_VEC(names, alloc, struct rch__type_name);
    RCH_BLOCK(numbers, alloc, g->num_types, sizeof(uint32_t));
    RCH_BLOCK(matches, alloc, g->num_types, sizeof(uint32_t));
    RCH_BLOCK(kept, alloc, base->num_names, sizeof(uint64_t));
    RCH_BITS(made, alloc, g->num_nodes);
    RCH_TRY(rch__type_names(g, &names, &numbers, err));
    if (!matches.mem || !kept.mem || !made.mem)
        return rch_fail(err, RCH_ENOMEM, "growth of %" PRIu32 " objects", g->num_objects);
    match_names(base, &names, matches.mem);
    struct rch_asking asking = {.progress = options ? options->progress : NULL,
                                .phase = "telling objects apart"};
    struct rch__identity identity = {.made = made.mem, .kept = kept.mem, .asking = &asking};
    rch__identify(base, g, numbers.mem, matches.mem, options ? options->births : NULL, &identity);
    if (asking.is_canceled)
        return rch_fail(err, RCH_ECANCELED, "growth");
    growth->before = base->num_objects;
    growth->now = g->num_objects;
    growth->surely_kept = identity.surely_kept;
    growth->reused = identity.reused;
    growth->is_partial = g->info.is_partial != 0;
    struct sides sides = {base, g, &names, numbers.mem, matches.mem, &identity};
    RCH_TRY(count_types(&sides, alloc, growth, err));
    if (options && options->types_only)
        return RCH_OK;
    return rch__find_places(g, rev, made.mem, options, alloc, growth, err);
}

enum rch_status rch_growth(const struct rch_baseline *base, const struct rch_graph *g,
                           const struct rch_reverse *rev, const struct rch_growth_options *options,
                           const struct rch_alloc *alloc, struct rch_growth **out,
                           struct rch_error *err)
{
    bool wants_reverse = !rev && !(options && options->types_only);
    struct rch_reverse own = {0};
    if (wants_reverse)
        RCH_TRY(rch_reverse_make(&own, g, alloc, options ? options->progress : NULL, err));
    struct rch_growth *growth = rch_calloc(alloc, 1, sizeof(*growth));
    enum rch_status st = growth ? RCH_OK : rch_fail(err, RCH_ENOMEM, "growth");
    if (growth) {
        rch_arena_init(&growth->arena, alloc);
        st = compare(base, g, wants_reverse ? &own : rev, options, alloc, growth, err);
        if (st == RCH_OK)
            *out = growth;
        else
            rch_growth_free(growth);
    }
    if (wants_reverse)
        rch_reverse_deinit(&own);
    return st;
}

void rch_growth_free(struct rch_growth *growth)
{
    if (!growth)
        return;
    const struct rch_alloc *alloc = growth->arena.alloc;
    rch_arena_deinit(&growth->arena);
    rch_free(alloc, growth, 1, sizeof(*growth));
}
