// SPDX-License-Identifier: MIT
// bench/c/graphs.h -- made graphs to measure on: a shape, a number of objects and a seed give the
// same graph on every machine. Columns are filled directly: nothing but the graph takes memory.
#ifndef RCH_BENCH_GRAPHS_H
#define RCH_BENCH_GRAPHS_H
#include "model/graph.h"

#define BENCH_MAX_OBJECTS 400000000u
#define BENCH_MIN_OBJECTS 1000u
enum { BENCH_LEAKED = 137, BENCH_CACHED = 100 };

struct bench_recipe {
    const char *shape;  // bench_shape_name
    uint32_t num_objects;
    uint64_t seed;
};

/// Beside what its shape says, each graph has BENCH_LEAKED objects of the type bench.Leaked, all
/// held by a dict and BENCH_CACHED of them by a list too, each from a root of its own.
struct bench_graph {
    struct rch_graph *graph;  // the caller's: rch_graph_free
    rch_node asked;           // an object somewhere inside, to ask a path for
    rch_node leaked[BENCH_LEAKED];
};

/// Name and description of shape `i`; NULL past the last.
const char *bench_shape_name(uint32_t i);
const char *bench_shape_words(uint32_t i);

/// RCH_ENOTFOUND: no such shape; RCH_EINVAL: too few or too many objects; RCH_EOVERFLOW: more than
/// 2^32 references. O(objects), twice: the first time counts the references.
RCH_MUST_CHECK enum rch_status bench_graph_make(const struct bench_recipe *recipe,
                                                const struct rch_alloc *alloc,
                                                struct bench_graph *out, struct rch_error *err);

#endif
