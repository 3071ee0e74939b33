// SPDX-License-Identifier: MIT
// analyze/paths/paths_impl.h -- what the files of paths.h share.
#ifndef RCH_ANALYZE_PATHS_IMPL_H
#define RCH_ANALYZE_PATHS_IMPL_H
#include "analyze/common/distance.h"
#include "analyze/paths/filter.h"

struct rch__ways {
    struct rch_view view;
    const struct rch_paths_options *options;
    struct rch_filter *filter;  // NULL: nothing is excluded, or it is applied by now
    struct rch_paths *answer;
};

/// Count path or object `rows` for the patterns that match on it.
void rch__count_dropped(struct rch_paths *answer, uint32_t rows);
/// From now on what the patterns match holds nothing.
RCH_MUST_CHECK enum rch_status rch__exclude(struct rch__ways *w, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__best_paths(struct rch__ways *w, rch_node target,
                                               struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__path_tree(struct rch__ways *w, struct rch_error *err);

#endif
