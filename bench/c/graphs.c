// SPDX-License-Identifier: MIT
// bench/c/graphs.c -- the making of a graph: room, two passes over its shape, the leak at the end;
// then the builder takes the columns over.
#include "bench/c/graphs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/c/draft.h"

enum { ATOM_BYTES = 32, OBJECT_BYTES = 64 };  // distance of two addresses

void bench_node(struct bench_draft *d, rch_node v, enum bench_kind kind)
{
    static const uint16_t bytes[BENCH_NUM_KINDS] = {
        [BENCH_STR] = 58,     [BENCH_INT] = 28,       [BENCH_FLOAT] = 24,   [BENCH_BYTES] = 57,
        [BENCH_RECORD] = 184, [BENCH_DICT] = 232,     [BENCH_LIST] = 88,    [BENCH_TUPLE] = 64,
        [BENCH_LINK] = 48,    [BENCH_FUNCTION] = 160, [BENCH_WEAKREF] = 72, [BENCH_OBJECT] = 56,
        [BENCH_CELLS] = 48,   [BENCH_LEAK] = 56,
    };
    d->c.edge_start[v] = (uint32_t)d->num_refs;
    d->c.shape_of[v] = d->shapes[kind];
    d->c.size16[v] = bytes[kind];
}

static const struct bench_shape *const all_shapes[] = {&bench_heap_shape, &bench_random_shape,
                                                       &bench_chain_shape, &bench_star_shape,
                                                       &bench_grid_shape};

const char *bench_shape_name(uint32_t i)
{
    return i < sizeof(all_shapes) / sizeof(*all_shapes) ? all_shapes[i]->name : NULL;
}

const char *bench_shape_words(uint32_t i)
{
    return i < sizeof(all_shapes) / sizeof(*all_shapes) ? all_shapes[i]->words : NULL;
}

// --- labels and tables ---

struct layout {
    const char *type;
    uint8_t num_labels, num_tail;
    struct {
        const char *name;
        uint8_t kind, cls;
        uint16_t flags;
    } labels[BENCH_FUNCTION_FIELDS];
};

#define FIELD(name) {name, RCH_EDGE_FIELD, RCH_CLASS_STRONG, 0}
#define ATTRIBUTE(name) {name, RCH_EDGE_ATTRIBUTE, RCH_CLASS_STRONG, 0}
#define GROUP(kind) {NULL, kind, RCH_CLASS_STRONG, RCH_LABEL_GROUP}
#define ENTRIES {GROUP(RCH_EDGE_KEY), GROUP(RCH_EDGE_VALUE)}

static const struct layout layouts[BENCH_NUM_KINDS] = {
    [BENCH_STR] = {"str", 0, 0, {{0}}},
    [BENCH_INT] = {"int", 0, 0, {{0}}},
    [BENCH_FLOAT] = {"float", 0, 0, {{0}}},
    [BENCH_BYTES] = {"bytes", 0, 0, {{0}}},
    [BENCH_RECORD] = {"dict", 0, 2, ENTRIES},
    [BENCH_DICT] = {"dict", 0, 2, ENTRIES},
    [BENCH_LIST] = {"list", 0, 1, {GROUP(RCH_EDGE_ITEM)}},
    [BENCH_TUPLE] = {"tuple", 0, 1, {{NULL, RCH_EDGE_ITEM, RCH_CLASS_STRONG, RCH_LABEL_FIXED}}},
    [BENCH_LINK] = {"bench.Link", 2, 0, {ATTRIBUTE("next"), ATTRIBUTE("value")}},
    [BENCH_FUNCTION] = {"function",
                        BENCH_FUNCTION_FIELDS,
                        0,
                        {FIELD("__globals__"), FIELD("__code__"), FIELD("__name__"),
                         FIELD("__qualname__"), FIELD("__module__"), FIELD("__doc__"),
                         FIELD("__defaults__"), FIELD("__kwdefaults__"), FIELD("__dict__"),
                         FIELD("__closure__"), FIELD("__annotations__"), FIELD("__builtins__")}},
    [BENCH_WEAKREF] = {"weakref.ReferenceType",
                       2,
                       0,
                       {{"referent", RCH_EDGE_WEAK, RCH_CLASS_WEAK, 0}, FIELD("callback")}},
    [BENCH_OBJECT] = {"bench.Object", 0, 2, ENTRIES},
    [BENCH_CELLS] = {"bench.Cell", 2, 0, {ATTRIBUTE("down"), ATTRIBUTE("right")}},
    [BENCH_LEAK] = {"bench.Leaked", 1, 0, {ATTRIBUTE("config")}},
    [BENCH_ROOT] = {"root", 0, 1, {GROUP(RCH_EDGE_OBJECT)}},
};

static enum rch_status intern(struct bench_draft *d, const char *text, size_t num_bytes,
                              rch_str *str_out, struct rch_error *err)
{
    *str_out = RCH_NO_STR;
    return num_bytes ? rch_builder_string(d->builder, text, num_bytes, str_out, err) : RCH_OK;
}

static enum rch_status make_shape(struct bench_draft *d, enum bench_kind kind,
                                  struct rch_error *err)
{
    const struct layout *layout = &layouts[kind];
    const char *dot = strrchr(layout->type, '.');
    const char *name = dot ? dot + 1 : layout->type;
    struct rch_type row = {.node = RCH_NO_NODE};
    struct rch_label labels[BENCH_FUNCTION_FIELDS];
    uint32_t type, num = layout->num_labels + layout->num_tail;
    RCH_TRY(intern(d, layout->type, dot ? (size_t)(dot - layout->type) : 0, &row.module, err));
    RCH_TRY(intern(d, name, strlen(name), &row.name, err));
    RCH_TRY(rch_builder_type(d->builder, &row, &type, err));
    for (uint32_t i = 0; i < num; i++) {
        const char *label = layout->labels[i].name;
        rch_str str;
        RCH_TRY(intern(d, label, label ? strlen(label) : 0, &str, err));
        labels[i] = (struct rch_label){str, layout->labels[i].kind, layout->labels[i].cls,
                                       layout->labels[i].flags};
    }
    return rch_builder_shape(d->builder, type, labels, layout->num_labels, layout->num_tail,
                             &d->shapes[kind], err);
}

static enum rch_status name_roots(struct bench_draft *d, struct rch_error *err)
{
    for (uint32_t i = 0; i < d->c.num_roots; i++) {
        char name[32];
        uint32_t from_last = d->c.num_roots - i;
        int num = from_last == 1   ? snprintf(name, sizeof(name), "cache")
                  : from_last == 2 ? snprintf(name, sizeof(name), "registry")
                                   : snprintf(name, sizeof(name), "module%" PRIu32, i);
        RCH_TRY(intern(d, name, (size_t)num, &d->c.roots[i].name, err));
        d->c.roots[i].kind = RCH_ROOT_MODULE;
    }
    return RCH_OK;
}

// --- a graph ---

// The dict and the list that hold what is leaked, the leaked objects; later the roots of both.
static void leak(struct bench_draft *d, struct bench_graph *out)
{
    rch_node at = d->num_body, first = at + 2;
    bench_node(d, at, BENCH_DICT);
    for (uint32_t i = 0; i < BENCH_LEAKED; i++) {
        bench_ref(d, first + i);  // a key of its own makes no difference
        bench_ref(d, first + i);
    }
    bench_node(d, at + 1, BENCH_LIST);
    for (uint32_t i = 0; i < BENCH_CACHED; i++)
        bench_ref(d, first + i);
    for (uint32_t i = 0; i < BENCH_LEAKED; i++) {
        out->leaked[i] = first + i;
        bench_node(d, first + i, BENCH_LEAK);
        bench_ref(d, bench_below(d, d->num_body));
    }
}

static void hold_leak(struct bench_draft *d)
{
    for (uint32_t i = 0; i < 2; i++) {
        bench_node(d, bench_root(d, d->c.num_roots - 2 + i), BENCH_ROOT);
        bench_ref(d, d->num_body + i);
    }
}

static enum rch_status fill(struct bench_draft *d, const struct bench_shape *shape,
                            const struct bench_recipe *recipe, struct bench_graph *out,
                            struct rch_error *err)
{
    d->random = recipe->seed;
    d->num_refs = 0;
    d->next_atom = d->c.num_tracked + d->num_shared;
    RCH_TRY(shape->tracked_objects(d, err));
    leak(d, out);
    if (shape->untracked_objects)
        shape->untracked_objects(d);
    shape->roots(d);
    hold_leak(d);
    out->asked = d->asked;
    d->c.edge_start[d->c.num_nodes] = (uint32_t)d->num_refs;
    if (d->num_refs >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "%" PRIu64 " references", d->num_refs);
    return RCH_OK;
}

// Objects lie close together, those that the collector tracks in a region of their own.
static void place_objects(struct rch_columns *c)
{
    for (uint32_t v = 0; v < c->num_tracked; v++)
        c->addr8[v] = v * (OBJECT_BYTES / 8);
    for (uint32_t v = c->num_tracked; v < c->num_objects; v++)
        c->addr8[v] = (v - c->num_tracked) * (ATOM_BYTES / 8);
    c->addr_runs[0] = (struct rch_addr_run){.base = UINT64_C(0x7f0000000000)};
    if (c->num_addr_runs > 1)
        c->addr_runs[1] = (struct rch_addr_run){UINT64_C(0x560000000000), c->num_tracked, 0};
}

static enum rch_status make_room(struct bench_draft *d, const struct bench_shape *shape,
                                 uint32_t num_objects, struct rch_error *err)
{
    struct rch_columns *c = &d->c;
    c->num_objects = num_objects;
    c->num_tracked = (uint32_t)(shape->tracked * num_objects);
    d->num_body = c->num_tracked - BENCH_LEAKED - 2;
    d->num_shared = (num_objects - c->num_tracked) / 100;
    c->num_roots = shape->num_roots(d) + 2;
    c->num_nodes = num_objects + c->num_roots;
    c->num_addr_runs = c->num_tracked < num_objects ? 2 : 1;
    c->edge_start = rch_calloc(d->alloc, (size_t)c->num_nodes + 1, sizeof(*c->edge_start));
    c->shape_of = rch_calloc(d->alloc, c->num_nodes, sizeof(*c->shape_of));
    c->size16 = rch_calloc(d->alloc, c->num_nodes, sizeof(*c->size16));
    c->addr8 = rch_calloc(d->alloc, c->num_objects, sizeof(*c->addr8));
    c->addr_runs = rch_calloc(d->alloc, c->num_addr_runs, sizeof(*c->addr_runs));
    c->roots = rch_calloc(d->alloc, c->num_roots, sizeof(*c->roots));
    if (!c->edge_start || !c->shape_of || !c->size16 || !c->addr8 || !c->addr_runs || !c->roots)
        return rch_fail(err, RCH_ENOMEM, "graph of %" PRIu32 " objects", num_objects);
    place_objects(c);
    return RCH_OK;
}

static enum rch_status make(struct bench_draft *d, const struct bench_shape *shape,
                            const struct bench_recipe *recipe, struct bench_graph *out,
                            struct rch_error *err)
{
    RCH_TRY(rch_builder_new(d->alloc, &d->builder, err));
    for (uint32_t kind = 0; kind < BENCH_NUM_KINDS; kind++)
        RCH_TRY(make_shape(d, kind, err));
    RCH_TRY(make_room(d, shape, recipe->num_objects, err));
    RCH_TRY(name_roots(d, err));
    RCH_TRY(fill(d, shape, recipe, out, err));
    d->c.num_edges = (uint32_t)d->num_refs;
    d->c.edges = rch_calloc(d->alloc, d->c.num_edges, sizeof(*d->c.edges));
    if (!d->c.edges)
        return rch_fail(err, RCH_ENOMEM, "graph of %" PRIu32 " references", d->c.num_edges);
    RCH_TRY(fill(d, shape, recipe, out, err));
    return rch_builder_adopt(d->builder, &d->c, NULL, NULL, &out->graph, err);
}

static void drop_columns(const struct rch_alloc *alloc, const struct rch_columns *c)
{
    rch_free(alloc, c->edge_start, (size_t)c->num_nodes + 1, sizeof(*c->edge_start));
    rch_free(alloc, c->edges, c->num_edges, sizeof(*c->edges));
    rch_free(alloc, c->shape_of, c->num_nodes, sizeof(*c->shape_of));
    rch_free(alloc, c->size16, c->num_nodes, sizeof(*c->size16));
    rch_free(alloc, c->addr8, c->num_objects, sizeof(*c->addr8));
    rch_free(alloc, c->addr_runs, c->num_addr_runs, sizeof(*c->addr_runs));
    rch_free(alloc, c->roots, c->num_roots, sizeof(*c->roots));
}

enum rch_status bench_graph_make(const struct bench_recipe *recipe, const struct rch_alloc *alloc,
                                 struct bench_graph *out, struct rch_error *err)
{
    const struct bench_shape *shape = NULL;
    for (uint32_t i = 0; bench_shape_name(i); i++) {
        if (strcmp(bench_shape_name(i), recipe->shape) == 0)
            shape = all_shapes[i];
    }
    if (!shape)
        return rch_fail(err, RCH_ENOTFOUND, "no graph is called '%s'", recipe->shape);
    if (recipe->num_objects < BENCH_MIN_OBJECTS || recipe->num_objects > BENCH_MAX_OBJECTS)
        return rch_fail(err, RCH_EINVAL, "objects: %u to %u", BENCH_MIN_OBJECTS, BENCH_MAX_OBJECTS);
    struct bench_draft draft = {.alloc = alloc};
    enum rch_status st = make(&draft, shape, recipe, out, err);
    if (st != RCH_OK)
        drop_columns(alloc, &draft.c);
    rch_builder_free(draft.builder);
    return st;
}
