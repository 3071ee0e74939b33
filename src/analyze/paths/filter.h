// SPDX-License-Identifier: MIT
// analyze/paths/filter.h -- references and roots that a question leaves out, given as patterns, and those
// that its paths take last. Both change the view: whatever looks through it follows.
//
//   of references                                      of roots
//   NAME          attribute, variable, field or key     KIND    "frame", "module" ...
//   OWNER.NAME    of objects of this type, or of this   NAME    "courier", "test_*"
//                 module; after the last dot
//   KIND          "item", "closure", "traceback" ...; also
//                 weak      what weak references hold themselves: their callbacks
//                 frame     frames that run, and what objects of type frame refer to
//                 observer  what the questioner's own variables refer to
//                 registry  tables of everything: sys.modules, __subclasses__ ...
//                 any other kind of root, as in the list of roots
//
// All three may be globs. A word of the list is that kind; a name that is such a word: "*.frame".
#ifndef RCH_ANALYZE_FILTER_H
#define RCH_ANALYZE_FILTER_H
#include "analyze/paths/paths.h"
#include "analyze/common/view.h"

struct rch_filter {
    struct rch_view *view;
    struct rch_vec rules;         // private
    struct rch_block label_mask;  // uint32_t a label: rows that may match there
    struct rch_block keys;        // bits: strings whose text some row's name matches
    struct rch_vec key_nodes;     // rch_node: the same
};

/// Understand the patterns. RCH_EINVAL for an empty one or too many. Borrows everything; on error
/// nothing is left to free. O(rows * (types + labels + strings kept)).
RCH_MUST_CHECK enum rch_status rch_filter_init(struct rch_filter *filter, struct rch_view *view,
                                               const struct rch_exclude *rows, uint32_t num_rows,
                                               struct rch_error *err);
void rch_filter_deinit(struct rch_filter *filter);

/// Rows (bit i: row i) that match reference `e` of node `v`, or root `v`.
uint32_t rch_filter_edge(const struct rch_filter *filter, rch_node v, uint32_t e);
uint32_t rch_filter_root(const struct rch_filter *filter, rch_node root);

/// From now on what matches holds nothing in the view; with the root of a module the module goes too. counts[i] gets how many references or roots
/// row i matched; one that several rows match counts for each. O(nodes, and references of the
/// shapes that may match), 4 bytes a reference that matches.
RCH_MUST_CHECK enum rch_status rch_filter_apply(struct rch_filter *filter, uint64_t *counts,
                                                struct rch_error *err);

/// From now on rch_step_of of the view charges for what explains least: weak references' callbacks,
/// registries, the questioner's variables. O(types + labels, and references of registries).
RCH_MUST_CHECK enum rch_status rch_view_postpone(struct rch_view *view, struct rch_error *err);

#endif
