// SPDX-License-Identifier: MIT
// analyze/common/histogram.h -- how many objects of each type, and how many bytes. One pass, O(objects).
#ifndef RCH_ANALYZE_HISTOGRAM_H
#define RCH_ANALYZE_HISTOGRAM_H
#include "base/progress.h"
#include "model/graph.h"

struct rch_type_count {
    uint32_t type;  // index into graph->types
    uint32_t count;
    uint64_t bytes;     // shallow
    uint64_t retained;  // 0 before rch_histogram_retained
};

/// All types with at least one instance, most instances first, then by name. The caller frees
/// *rows_out with rch_free(alloc, rows, *num_out, sizeof **rows_out).
RCH_MUST_CHECK enum rch_status rch_histogram(const struct rch_graph *g,
                                             const struct rch_alloc *alloc,
                                             struct rch_type_count **rows_out, uint32_t *num_out,
                                             struct rch_error *err);

/// The same rows, most bytes first.
void rch_histogram_sort_bytes(const struct rch_graph *g, struct rch_type_count *rows, uint32_t num);

/// Fill in what the objects of each type retain (rch_retained_by_type), most bytes first. Memory
/// and time are those of the dominator tree. `progress` may be NULL.
RCH_MUST_CHECK enum rch_status rch_histogram_retained(const struct rch_graph *g,
                                                      const struct rch_alloc *alloc,
                                                      const struct rch_progress *progress,
                                                      struct rch_type_count *rows, uint32_t num,
                                                      struct rch_error *err);

#endif
