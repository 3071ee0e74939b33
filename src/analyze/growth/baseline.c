// SPDX-License-Identifier: MIT
// analyze/growth/baseline.c -- what is kept of the earlier graph, and the merge of its addresses with those of
// the later one. Both are sorted in two parts, tracked objects and the others, and an object may have
// changed sides; so each part is merged with both.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/growth/growth_impl.h"

int rch__compare_type_names(const struct rch__type_name *a, const struct rch__type_name *b)
{
    int order = strcmp(a->module, b->module);
    return order ? order : strcmp(a->name, b->name);
}

struct numbered_name {
    struct rch__type_name name;
    uint32_t type;
};

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered_name *x = a, *y = b;
    return rch__compare_type_names(&x->name, &y->name);
}

enum rch_status rch__type_names(const struct rch_graph *g, struct rch_vec *names,
                                struct rch_block *number_of, struct rch_error *err)
{
    RCH_BLOCK(sorted_block, names->alloc, g->num_types, sizeof(struct numbered_name));
    struct numbered_name *sorted = sorted_block.mem;
    uint32_t *numbers = number_of->mem;
    if (!sorted || !numbers)
        return rch_fail(err, RCH_ENOMEM, "names of %" PRIu32 " types", g->num_types);
    for (uint32_t t = 0; t < g->num_types; t++)
        sorted[t] = (struct numbered_name){
            {rch_str_get(g, g->types[t].module), rch_str_get(g, g->types[t].name)}, t};
    if (g->num_types)
        qsort(sorted, g->num_types, sizeof(*sorted), compare_numbered);
    for (uint32_t i = 0; i < g->num_types; i++) {
        if (i == 0 || compare_numbered(&sorted[i - 1], &sorted[i]) != 0)
            RCH_TRY(rch_vec_append(names, &sorted[i].name, 1, err));
        numbers[sorted[i].type] = (uint32_t)names->num - 1;
    }
    return RCH_OK;
}

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a baseline of %" PRIu32 " objects", g->num_objects);
}

static enum rch_status copy_names(struct rch_baseline *base, const struct rch_graph *g,
                                  const struct rch_vec *names, struct rch_error *err)
{
    struct rch__type_name *rows = base->names.mem;
    base->num_names = (uint32_t)names->num;
    for (uint32_t i = 0; i < base->num_names; i++) {
        const struct rch__type_name *from = &RCH_VEC_AT(names, struct rch__type_name, i);
        rows[i].module = rch_arena_copy(&base->arena, from->module, strlen(from->module));
        rows[i].name = rch_arena_copy(&base->arena, from->name, strlen(from->name));
        if (!rows[i].module || !rows[i].name)
            return no_memory(g, err);
    }
    return RCH_OK;
}

static enum rch_status fill(struct rch_baseline *base, const struct rch_graph *g,
                            const struct rch_alloc *alloc, struct rch_error *err)
{
    RCH_VEC(names, alloc, struct rch__type_name);
    RCH_BLOCK(numbers, alloc, g->num_types, sizeof(uint32_t));
    RCH_TRY(rch__type_names(g, &names, &numbers, err));
    base->addr8 = rch_block_make(alloc, g->num_objects, sizeof(uint32_t));
    base->runs = rch_block_make(alloc, g->num_addr_runs, sizeof(struct rch_addr_run));
    base->type_of = rch_block_make(alloc, g->num_objects, sizeof(uint32_t));
    base->names = rch_block_make(alloc, names.num, sizeof(struct rch__type_name));
    base->counts = rch_block_make(alloc, names.num, sizeof(uint64_t));
    base->bytes = rch_block_make(alloc, names.num, sizeof(uint64_t));
    uint32_t *type_of = base->type_of.mem;
    uint64_t *counts = base->counts.mem, *bytes = base->bytes.mem;
    if (!base->addr8.mem || !base->runs.mem || !type_of || !base->names.mem || !counts || !bytes)
        return no_memory(g, err);
    RCH_TRY(copy_names(base, g, &names, err));
    if (g->num_objects)
        memcpy(base->addr8.mem, g->addr8, g->num_objects * sizeof(*g->addr8));
    if (g->num_addr_runs)
        memcpy(base->runs.mem, g->addr_runs, g->num_addr_runs * sizeof(*g->addr_runs));
    for (rch_node v = 0; v < g->num_objects; v++) {
        uint32_t number = ((uint32_t *)numbers.mem)[g->shapes[g->shape_of[v]].type];
        type_of[v] = number;
        counts[number]++;
        if (__builtin_add_overflow(bytes[number], rch_size_bytes(g, v), &bytes[number]))
            bytes[number] = UINT64_MAX;
    }
    base->num_tracked = g->num_tracked;
    base->num_objects = g->num_objects;
    base->num_runs = g->num_addr_runs;
    return RCH_OK;
}

enum rch_status rch_baseline_make(const struct rch_graph *g, const struct rch_alloc *alloc,
                                  struct rch_baseline **out, struct rch_error *err)
{
    struct rch_baseline *base = rch_calloc(alloc, 1, sizeof(*base));
    if (!base)
        return no_memory(g, err);
    rch_arena_init(&base->arena, alloc);
    enum rch_status st = fill(base, g, alloc, err);
    if (st == RCH_OK)
        *out = base;
    else
        rch_baseline_free(base);
    return st;
}

void rch_baseline_free(struct rch_baseline *base)
{
    if (!base)
        return;
    const struct rch_alloc *alloc = base->arena.alloc;
    rch_block_drop(&base->addr8);
    rch_block_drop(&base->runs);
    rch_block_drop(&base->type_of);
    rch_block_drop(&base->names);
    rch_block_drop(&base->counts);
    rch_block_drop(&base->bytes);
    rch_arena_deinit(&base->arena);
    rch_free(alloc, base, 1, sizeof(*base));
}

uint32_t rch_baseline_objects(const struct rch_baseline *base)
{
    return base->num_objects;
}

size_t rch_baseline_bytes(const struct rch_baseline *base)
{
    return sizeof(*base) + (size_t)base->num_objects * 2 * sizeof(uint32_t) +
           base->num_runs * sizeof(struct rch_addr_run) +
           (size_t)base->num_names * (sizeof(struct rch__type_name) + 2 * sizeof(uint64_t));
}

// --- the merge ---

struct cursor {  // over addresses in order
    const uint32_t *addr8;
    const struct rch_addr_run *runs;
    uint32_t at, end, run, num_runs;
};

static struct cursor cursor_of(const struct rch_baseline *base, uint32_t first, uint32_t end)
{
    return (struct cursor){base->addr8.mem, base->runs.mem, first, end, 0, base->num_runs};
}

static rch_addr here(struct cursor *c)
{
    while (c->run + 1 < c->num_runs && c->runs[c->run + 1].first_node <= c->at)
        c->run++;
    return c->runs[c->run].base + 8 * (rch_addr)c->addr8[c->at];
}

/// Go on to `addr`; true if there is an object of this type.
static bool meets(struct cursor *c, rch_addr addr, const uint32_t *type_of, uint32_t type)
{
    while (c->at < c->end && here(c) < addr)
        c->at++;
    return c->at < c->end && here(c) == addr && type_of[c->at] == type;
}

static bool stands_later(const struct rch_births *births, size_t *at, rch_addr addr)
{
    while (*at < births->num_later && births->later[*at] < addr)
        (*at)++;
    return *at < births->num_later && births->later[*at] == addr;
}

struct part {
    const struct rch_baseline *base;
    const struct rch_graph *g;
    const uint32_t *number_of, *same;
    const struct rch_births *births;  // of this part
};

static void identify_part(const struct part *part, rch_node first, rch_node end,
                          struct rch__identity *out)
{
    const struct rch_graph *g = part->g;
    const struct rch_baseline *base = part->base;
    struct cursor tracked = cursor_of(base, 0, base->num_tracked);
    struct cursor others = cursor_of(base, base->num_tracked, base->num_objects);
    struct cursor now = {g->addr8, g->addr_runs, first, end, 0, g->num_addr_runs};
    size_t later = 0;
    for (; now.at < end && rch_goes_on(out->asking, 2); now.at++) {
        rch_addr addr = here(&now);
        const struct rch_type *type = rch_type_of(g, now.at);
        uint32_t same = part->same[part->number_of[type - g->types]];
        bool was_tracked = meets(&tracked, addr, base->type_of.mem, same);
        bool is_kept = was_tracked || meets(&others, addr, base->type_of.mem, same);
        if (is_kept && part->births) {
            bool is_later = stands_later(part->births, &later, addr);
            bool is_other = is_later && part->births->is_uncollected && was_tracked;
            out->surely_kept += !is_later;
            out->reused += is_other;
            is_kept = !is_other;
        }
        if (is_kept)
            out->kept[same]++;
        else
            rch_bit_set(out->made, now.at);
    }
}

void rch__identify(const struct rch_baseline *base, const struct rch_graph *g,
                   const uint32_t *number_of, const uint32_t *same, const struct rch_births *births,
                   struct rch__identity *out)
{
    struct part part = {base, g, number_of, same, births};
    identify_part(&part, 0, g->num_tracked, out);
    part.births = NULL;
    identify_part(&part, g->num_tracked, g->num_objects, out);
}
