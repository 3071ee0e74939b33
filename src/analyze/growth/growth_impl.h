// SPDX-License-Identifier: MIT
// analyze/growth/growth_impl.h -- what the files of growth.h share.
#ifndef RCH_ANALYZE_GROWTH_IMPL_H
#define RCH_ANALYZE_GROWTH_IMPL_H
#include "analyze/common/bits.h"
#include "analyze/growth/growth.h"
#include "base/progress.h"
#include "base/vec.h"

struct rch__type_name {
    const char *module, *name;
};

struct rch_baseline {
    struct rch_arena arena;                 // owns the names
    struct rch_block addr8, runs, type_of;  // as in a graph; type_of: uint32_t, index into names
    struct rch_block names;                 // rch__type_name, ascending, no two alike
    struct rch_block counts, bytes;         // uint64_t, one a name
    uint32_t num_tracked, num_objects, num_runs, num_names;
};

/// Order of names as text.
int rch__compare_type_names(const struct rch__type_name *a, const struct rch__type_name *b);
/// The names of a graph's types, ascending and without doubles, and for each type its number among
/// them (uint32_t). The strings are the graph's.
RCH_MUST_CHECK enum rch_status rch__type_names(const struct rch_graph *g, struct rch_vec *names,
                                               struct rch_block *number_of, struct rch_error *err);

/// What was found out about the objects of a graph. Types are numbers of rch__type_names.
struct rch__identity {
    uint64_t *made;  // bits: objects that are new
    uint64_t *kept;  // by the baseline's names: objects that are still there
    uint64_t surely_kept, reused;
    struct rch_asking *asking;  // NULL: nobody is asked
};
/// `same`: by the graph's names, the baseline's number of that name or UINT32_MAX. The arrays of `out`
/// are the caller's, zeroed. O(objects). Ends early once `asking` is canceled.
void rch__identify(const struct rch_baseline *base, const struct rch_graph *g,
                   const uint32_t *number_of, const uint32_t *same, const struct rch_births *births,
                   struct rch__identity *out);

/// Fill places, garbage and others.
RCH_MUST_CHECK enum rch_status rch__find_places(const struct rch_graph *g,
                                                const struct rch_reverse *rev, const uint64_t *made,
                                                const struct rch_growth_options *options,
                                                const struct rch_alloc *alloc,
                                                struct rch_growth *growth, struct rch_error *err);

#endif
