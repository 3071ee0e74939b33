// SPDX-License-Identifier: MIT
// render/render.h -- results to text and JSON. No analysis, no files: into a sink. Names come from
// the program under inspection and are hostile: all text goes through rch_put_escaped.
#ifndef RCH_RENDER_RENDER_H
#define RCH_RENDER_RENDER_H
#include "analyze/common/ask.h"
#include "analyze/cycles/cycles.h"
#include "analyze/why/fd_table.h"
#include "analyze/findings/finding.h"
#include "analyze/growth/growth.h"
#include "analyze/common/histogram.h"
#include "analyze/keepers/keepers.h"
#include "analyze/paths/paths.h"
#include "analyze/growth/series.h"
#include "analyze/keepers/what_if.h"
#include "analyze/why/why.h"
#include "base/sink.h"

struct rch_render_options {
    bool color;          // ANSI colours
    bool ascii;          // no box-drawing characters
    bool all;            // every path group, every type
    uint32_t limit;      // rows; 0: a sensible default
    uint32_t columns;    // width of the text; 0: 100
    const char *source;  // "snapshot app.rch", "this process (pid 4711)"; NULL: not shown
    bool retained;       // top: the column of retained bytes
    bool locals;         // stacks: with local variables
    const char *thread;  // stacks: only the one of this name or number; NULL: all
    const struct rch_findings *findings;  // judged: marks what is known; NULL: nothing is
    const struct rch_asked *asked;  // how the question was put; NULL: a type, named by the answer
};

void rch_render_why_text(const struct rch_graph *g, const struct rch_answer *answer,
                         const struct rch_render_options *options, struct rch_sink *sink);
/// One JSON object, schema refchain.why/1 (docs/json.md).
void rch_render_why_json(const struct rch_graph *g, const struct rch_answer *answer,
                         const struct rch_render_options *options, struct rch_sink *sink);

/// One question in several readings: the candidates with their counts, before the answers.
void rch_render_ambiguous_text(const struct rch_ask_list *list,
                               const struct rch_render_options *options, struct rch_sink *sink);
/// The same as JSON: {"schema":"refchain.why/1","ambiguous":[...],"answers":[...]}; answers[i]
/// belongs to list->asked[i].
void rch_render_ambiguous_json(const struct rch_graph *g, const struct rch_ask_list *list,
                               const struct rch_answer *const *answers,
                               const struct rch_render_options *options, struct rch_sink *sink);

/// "Did you mean" and the near names with their counts; nothing if there are none.
void rch_render_near_text(const struct rch_ask_list *list, const struct rch_render_options *options,
                          struct rch_sink *sink);

void rch_render_top_text(const struct rch_graph *g, const struct rch_type_count *rows,
                         uint32_t num_rows, const struct rch_render_options *options,
                         struct rch_sink *sink);
/// schema refchain.top/1
void rch_render_top_json(const struct rch_graph *g, const struct rch_type_count *rows,
                         uint32_t num_rows, const struct rch_render_options *options,
                         struct rch_sink *sink);

/// Who keeps the most, a line each; of single objects also what is below them.
void rch_render_keepers_text(const struct rch_graph *g, const struct rch_keepers *keepers,
                             const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.keepers/1
void rch_render_keepers_json(const struct rch_graph *g, const struct rch_keepers *keepers,
                             const struct rch_render_options *options, struct rch_sink *sink);
void rch_render_dominators_text(const struct rch_graph *g, const struct rch_dominators_of *answer,
                                const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.dominators/1
void rch_render_dominators_json(const struct rch_graph *g, const struct rch_dominators_of *answer,
                                const struct rch_render_options *options, struct rch_sink *sink);

/// What came: by place, a line each (two where the path is long), or what came and went by type.
enum rch_growth_by { RCH_GROWTH_BY_HOLDER, RCH_GROWTH_BY_TYPE };
void rch_render_growth_text(const struct rch_growth *growth, enum rch_growth_by by,
                            const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.growth/1
void rch_render_growth_json(const struct rch_graph *g, const struct rch_growth *growth,
                            const struct rch_render_options *options, struct rch_sink *sink);

/// What each cut frees and what of its targets stays, then what becomes free by type; limit: types.
void rch_render_what_if_text(const struct rch_graph *g, const struct rch_what_if *answer,
                             const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.what-if/1
void rch_render_what_if_json(const struct rch_graph *g, const struct rch_what_if *answer,
                             const struct rch_render_options *options, struct rch_sink *sink);
/// A name that names several references, or none: which, or what may have been meant. Nothing if there is
/// nothing to tell.
void rch_render_unclear_text(const struct rch_reference_list *list,
                             const struct rch_render_options *options, struct rch_sink *sink);
/// Cycles that look alike, a paragraph each.
void rch_render_cycles_text(const struct rch_graph *g, const struct rch_cycles *cycles,
                            const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.cycles/1
void rch_render_cycles_json(const struct rch_graph *g, const struct rch_cycles *cycles,
                            const struct rch_render_options *options, struct rch_sink *sink);

/// One object: a trace a path. Several: the tree of their best paths; limit: lines of it.
void rch_render_paths_text(const struct rch_graph *g, const struct rch_paths *paths,
                           const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.paths/1
void rch_render_paths_json(const struct rch_graph *g, const struct rch_paths *paths,
                           const struct rch_render_options *options, struct rch_sink *sink);
/// What grew over a series of heaps, a row a place or a type. title: "diff", "growth".
void rch_render_rises_text(const struct rch_rises *rises, enum rch_series_by by, const char *title,
                           const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.diff/1
void rch_render_rises_json(const struct rch_rises *rises, enum rch_series_by by,
                           const struct rch_render_options *options, struct rch_sink *sink);

/// Where each thread stands, most recent call first; limit: calls of a thread.
void rch_render_stacks_text(const struct rch_graph *g, const struct rch_render_options *options,
                            struct rch_sink *sink);
/// schema refchain.stacks/1; all calls if limit is 0
void rch_render_stacks_json(const struct rch_graph *g, const struct rch_render_options *options,
                            struct rch_sink *sink);

/// A line a descriptor; four or more alike are one line, unless options->all.
void rch_render_fds_text(const struct rch_graph *g, const struct rch_fd_table *table,
                         const struct rch_render_options *options, struct rch_sink *sink);
/// A group after the other with its holders, as far as rch_fd_table_why() was asked; then what no Python
/// object owns.
void rch_render_fds_why_text(const struct rch_graph *g, const struct rch_fd_table *table,
                             const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.fds/1
void rch_render_fds_json(const struct rch_graph *g, const struct rch_fd_table *table,
                         const struct rch_render_options *options, struct rch_sink *sink);

/// Text that a terminal shows as it is: control characters, escapes, bidirectional overrides and
/// broken UTF-8 come out as \xNN or \u{N}; at most `max_bytes` of output, then an ellipsis (0: no limit).
void rch_put_escaped(struct rch_sink *sink, const char *text, size_t max_bytes);
/// A JSON string literal with its quotes; broken UTF-8 becomes U+FFFD.
void rch_put_json_string(struct rch_sink *sink, const char *text);

#endif
