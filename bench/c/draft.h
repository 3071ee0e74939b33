// SPDX-License-Identifier: MIT
// bench/c/draft.h -- a graph while it is being made: shapes say which node comes next, of which
// kind, and what it refers to. Private to bench/c.
#ifndef RCH_BENCH_DRAFT_H
#define RCH_BENCH_DRAFT_H
#include "bench/c/graphs.h"
#include "model/builder.h"

enum bench_kind {
    BENCH_STR,
    BENCH_INT,
    BENCH_FLOAT,
    BENCH_BYTES,
    BENCH_RECORD,  // a dict of atoms, which the collector does not track
    BENCH_DICT,
    BENCH_LIST,
    BENCH_TUPLE,
    BENCH_LINK,      // two fields: next, value
    BENCH_FUNCTION,  // BENCH_FUNCTION_FIELDS fields
    BENCH_WEAKREF,   // a weak reference and a callback
    BENCH_OBJECT,    // an instance: its fields lie in a dict of their own, so any number of items
    BENCH_CELLS,     // down, right
    BENCH_LEAK,
    BENCH_ROOT,
    BENCH_NUM_KINDS
};
enum { BENCH_FUNCTION_FIELDS = 12 };

struct bench_draft {
    const struct rch_alloc *alloc;
    struct rch_builder *builder;
    struct rch_columns c;  // edges NULL: references are only counted
    uint64_t num_refs, random;
    uint32_t shapes[BENCH_NUM_KINDS];
    uint32_t num_body;    // tracked objects of the shape: nodes [0, num_body)
    uint32_t num_shared;  // untracked objects that many share: the first ones
    uint32_t next_atom;   // untracked object that nobody refers to yet
    rch_node asked;
};

struct bench_shape {
    const char *name, *words;
    double tracked;  // share of the objects
    uint32_t (*num_roots)(const struct bench_draft *d);
    enum rch_status (*tracked_objects)(struct bench_draft *d, struct rch_error *err);
    void (*untracked_objects)(struct bench_draft *d);  // NULL: there are none
    void (*roots)(struct bench_draft *d);
};
extern const struct bench_shape bench_heap_shape, bench_random_shape, bench_chain_shape,
    bench_star_shape, bench_grid_shape;

/// Nodes come in order; the references of one follow it in the order of its labels.
void bench_node(struct bench_draft *d, rch_node v, enum bench_kind kind);
static inline void bench_ref(struct bench_draft *d, rch_node to)
{
    if (d->c.edges)
        d->c.edges[d->num_refs] = to;
    d->num_refs++;
}
static inline rch_node bench_root(const struct bench_draft *d, uint32_t i)
{
    return d->c.num_objects + i;
}

/// SplitMix64 (Steele, Lea, Flood 2014).
static inline uint64_t bench_random(struct bench_draft *d)
{
    uint64_t z = d->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
/// A number below `bound`, which is not 0.
static inline uint32_t bench_below(struct bench_draft *d, uint32_t bound)
{
    return (uint32_t)((bench_random(d) >> 32) * bound >> 32);
}

#endif
