// SPDX-License-Identifier: MIT
// bench/c/heap.c -- a graph like the heap of a Python program. The collector tracks 3 of 10 objects: trees of
// dicts, lists, tuples, instances and functions under up to a thousand modules, some deep, some
// wide, with references across and back, linked lists, weak references. The others are atoms, most
// of which one object refers to, and dicts of atoms. As in a snapshot of a process that had imported
// pytest, hypothesis and networkx and parsed 30,000 documents of JSON there are some 2.2 references an
// object, 9 of 10 objects have one referrer, and about half of the references to atoms go to 1 in
// 100 of them.
#include <inttypes.h>

#include "base/vec.h"
#include "bench/c/draft.h"

enum {
    OBJECTS_A_MODULE = 3000,  // tracked ones, below
    MAX_MODULES = 1000,
    RECORD_ENTRIES = 3,
    WIDEST = 4096,
    MOST_ATOMS = 64,  // that one object takes to keep up with how many there are to be
};

// A tree that is still to be laid out, in preorder: its objects are [at, at + size).
struct subtree {
    rch_node at;
    uint32_t size, links;  // links: it begins with a linked list of so many
};

struct layer {
    struct bench_draft *d;
    struct rch_vec todo;  // struct subtree, the next one last
};

static uint32_t heap_roots(const struct bench_draft *d)
{
    uint32_t num = d->num_body / OBJECTS_A_MODULE + 1;
    return (num < MAX_MODULES ? num : MAX_MODULES) + 1;  // the last one has the shared atoms
}

static rch_node begin_of_module(const struct bench_draft *d, uint32_t i)
{
    return (rch_node)((uint64_t)d->num_body * i / (heap_roots(d) - 1));
}

// The product of two random numbers: low ones are many times more frequent.
static uint32_t mostly_low(struct bench_draft *d, uint32_t bound)
{
    return bench_below(d, bench_below(d, bench_below(d, bound) + 1) + 1);
}

// How many atoms should have been taken when object `v` is laid out.
static uint32_t atoms_due(const struct bench_draft *d, rch_node v)
{
    uint64_t first = d->c.num_tracked + d->num_shared, num = d->c.num_objects - first;
    return (uint32_t)(first + num * (v + UINT64_C(1)) / d->num_body);
}

static rch_node shared_atom(struct bench_draft *d)
{
    return d->c.num_tracked + mostly_low(d, d->num_shared);
}

// An atom of v's own. One in five is a record: a dict with the RECORD_ENTRIES atoms behind it.
static rch_node own_atom(struct bench_draft *d)
{
    rch_node atom = d->next_atom++;
    if (bench_below(d, 5) == 0 && d->c.num_objects - d->next_atom > RECORD_ENTRIES) {
        d->c.shape_of[atom] = d->shapes[BENCH_RECORD];
        d->next_atom += RECORD_ENTRIES;
    }
    return atom;
}

static rch_node across(struct bench_draft *d, rch_node v)
{
    uint32_t near = v < 32 ? v : 32;
    switch (bench_below(d, 4)) {
    case 0: return mostly_low(d, d->num_body / 100 + 1);  // what all refer to: loggers, settings
    case 1: return bench_below(d, d->num_body);
    default: return v - (near ? bench_below(d, near) : 0);  // its parent, mostly
    }
}

static rch_node value(struct bench_draft *d, rch_node v)
{
    if (d->next_atom < atoms_due(d, v) && bench_below(d, 8) != 0)
        return own_atom(d);
    return bench_below(d, 6) == 0 ? across(d, v) : shared_atom(d);
}

static uint32_t num_children(struct bench_draft *d, uint32_t below)
{
    uint32_t most = bench_below(d, 20);
    most = most < 14 ? 4 : most < 19 ? 12 : mostly_low(d, WIDEST) + 1;
    uint32_t num = 1 + bench_below(d, most);
    return num < below ? num : below;
}

static enum bench_kind kind_for(struct bench_draft *d, uint32_t num)
{
    uint32_t dice = bench_below(d, 100);
    if (num <= 4 && dice < 15)
        return BENCH_FUNCTION;
    if (num == 0 && dice < 18)
        return BENCH_WEAKREF;
    if (dice < 48)
        return BENCH_DICT;
    return dice < 66 ? BENCH_LIST : dice < 82 ? BENCH_TUPLE : BENCH_OBJECT;
}

// References to `num` children, which are put on the stack, and to `num_values` values.
static void refer(struct layer *layer, const struct subtree *tree, uint32_t num,
                  uint32_t num_values, bool has_keys)
{
    struct subtree *children = layer->todo.mem;
    for (uint32_t i = 0; i < num; i++) {
        if (has_keys)
            bench_ref(layer->d, shared_atom(layer->d));
        bench_ref(layer->d, children[layer->todo.num - 1 - i].at);
    }
    for (uint32_t i = 0; i < num_values; i++) {
        if (has_keys)
            bench_ref(layer->d, shared_atom(layer->d));
        bench_ref(layer->d, value(layer->d, tree->at));
    }
}

// Split what is below the tree's first object among `num` children, and put them on the stack, the
// first one on top.
static enum rch_status split(struct layer *layer, const struct subtree *tree, uint32_t num,
                             struct rch_error *err)
{
    uint32_t left = tree->size - 1, links = 0;
    rch_node past = tree->at + tree->size;
    if (num == 1)
        links = tree->links ? tree->links - 1 : 0;
    for (uint32_t i = num; i > 0; i--) {
        uint32_t fair = left / i, size = left;
        if (i > 1)
            size = 1 + bench_below(layer->d, 2 * fair - 1);
        if (size > left - (i - 1))
            size = left - (i - 1);
        struct subtree child = {past - size, size, links};
        RCH_TRY(rch_vec_append(&layer->todo, &child, 1, err));
        past -= size;
        left -= size;
    }
    return RCH_OK;
}

static enum rch_status lay_link(struct layer *layer, const struct subtree *tree,
                                struct rch_error *err)
{
    RCH_TRY(split(layer, tree, 1, err));
    bench_node(layer->d, tree->at, BENCH_LINK);
    refer(layer, tree, 1, 1, false);
    return RCH_OK;
}

static enum rch_status lay_out(struct layer *layer, struct subtree *tree, struct rch_error *err)
{
    struct bench_draft *d = layer->d;
    uint32_t below = tree->size - 1;
    if (below && !tree->links && bench_below(d, 200) == 0)
        tree->links = 1 + bench_below(d, 16u << bench_below(d, 12));
    if (below && tree->links)
        return lay_link(layer, tree, err);
    uint32_t num = below ? num_children(d, below) : 0;
    uint32_t missing =
        atoms_due(d, tree->at) > d->next_atom ? atoms_due(d, tree->at) - d->next_atom : 0;
    uint32_t num_values = bench_below(d, 4) + (missing < MOST_ATOMS ? missing / 4 : MOST_ATOMS);
    enum bench_kind kind = kind_for(d, num);
    RCH_TRY(split(layer, tree, num, err));
    bench_node(d, tree->at, kind);
    if (kind == BENCH_WEAKREF) {
        bench_ref(d, bench_below(d, d->num_body));
        bench_ref(d, RCH_NO_NODE);
        return RCH_OK;
    }
    if (kind == BENCH_FUNCTION)
        num_values = BENCH_FUNCTION_FIELDS - 4 - num;
    refer(layer, tree, num, num_values, kind == BENCH_DICT || kind == BENCH_OBJECT);
    for (uint32_t i = 0; kind == BENCH_FUNCTION && i < 4; i++)
        bench_ref(d, RCH_NO_NODE);
    return RCH_OK;
}

static enum rch_status heap_objects(struct bench_draft *d, struct rch_error *err)
{
    struct layer layer = {.d = d};
    enum rch_status st = RCH_OK;
    rch_vec_init(&layer.todo, d->alloc, sizeof(struct subtree));
    for (uint32_t i = 0; i + 1 < heap_roots(d) && st == RCH_OK; i++) {
        rch_node at = begin_of_module(d, i);
        struct subtree module = {at, begin_of_module(d, i + 1) - at, 0};
        st = rch_vec_append(&layer.todo, &module, 1, err);
        while (layer.todo.num && st == RCH_OK) {
            struct subtree tree = RCH_VEC_AT(&layer.todo, struct subtree, layer.todo.num - 1);
            layer.todo.num--;
            st = lay_out(&layer, &tree, err);
        }
    }
    rch_vec_deinit(&layer.todo);
    d->asked = d->num_body / 2;
    return st;
}

static void heap_atoms(struct bench_draft *d)
{
    for (rch_node v = d->c.num_tracked; v < d->c.num_objects; v++) {
        if (v < d->next_atom && d->c.shape_of[v] == d->shapes[BENCH_RECORD]) {
            bench_node(d, v, BENCH_RECORD);
            for (uint32_t i = 1; i <= RECORD_ENTRIES; i++) {
                bench_ref(d, shared_atom(d));
                bench_ref(d, v + i);
            }
            continue;
        }
        uint32_t dice = bench_below(d, 20);
        bench_node(d, v,
                   dice < 12   ? BENCH_STR
                   : dice < 16 ? BENCH_INT
                   : dice < 19 ? BENCH_FLOAT
                               : BENCH_BYTES);
    }
}

static void heap_modules(struct bench_draft *d)
{
    uint32_t last = heap_roots(d) - 1;
    for (uint32_t i = 0; i < last; i++) {
        bench_node(d, bench_root(d, i), BENCH_ROOT);
        bench_ref(d, begin_of_module(d, i));
    }
    bench_node(d, bench_root(d, last), BENCH_ROOT);
    for (uint32_t i = 0; i < d->num_shared; i++)
        bench_ref(d, d->c.num_tracked + i);
    for (rch_node v = d->next_atom; v < d->c.num_objects; v++)
        bench_ref(d, v);
}

const struct bench_shape bench_heap_shape = {
    "heap",       "like a Python program's: trees, atoms, a few that all refer to, references back",
    0.3,          heap_roots,
    heap_objects, heap_atoms,
    heap_modules};
