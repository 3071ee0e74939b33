// SPDX-License-Identifier: MIT
// bench/c/analyses.h -- what is measured on a graph: one row an analysis.
#ifndef RCH_BENCH_ANALYSES_H
#define RCH_BENCH_ANALYSES_H
#include "analyze/keepers/dominators.h"
#include "bench/c/graphs.h"
#include "model/reverse.h"

/// What some analyses make and others need.
enum bench_part { BENCH_REVERSE = 1, BENCH_DOMTREE = 2, BENCH_RETAINED = 4 };

struct bench {
    struct bench_graph made;
    const struct rch_graph *g;
    const struct rch_alloc *alloc;
    unsigned has;  // enum bench_part
    struct rch_reverse reverse;
    struct rch_domtree domtree;
    uint64_t *retained;
};

/// To add one: a function `run_...` (its name is what bench/instructions.py counts) and a row.
struct bench_analysis {
    const char *name;
    unsigned needs, makes;  // enum bench_part; what it makes stays for those after it
    enum rch_status (*run)(struct bench *b, struct rch_error *err);
};
extern const struct bench_analysis bench_analyses[];  // the last one has no name

/// Drop all parts but those of `keep`.
void bench_drop(struct bench *b, unsigned keep);
/// Make the parts of `needs` that are missing.
RCH_MUST_CHECK enum rch_status bench_prepare(struct bench *b, unsigned needs,
                                             struct rch_error *err);

#endif
