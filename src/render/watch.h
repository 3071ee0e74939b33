// SPDX-License-Identifier: MIT
// render/watch.h -- how many objects of some types there are, sample after sample.
#ifndef RCH_RENDER_WATCH_H
#define RCH_RENDER_WATCH_H
#include "render/render.h"

struct rch_sample {
    uint64_t time_ns;   // since the epoch
    uint64_t pause_ns;  // how long the process stood still for it
    bool is_partial;
};

struct rch_watching {
    uint32_t pid;
    const char *const *names;  // as asked: types or globs
    uint32_t num_names;
    const struct rch_sample *samples;
    const uint64_t *counts;  // of sample s and name n: counts[s * num_names + n]
    uint32_t num_samples;    // 1 at least
};

/// All of it on a few lines, a row a name, to be drawn over again. Returns the number of lines.
uint32_t rch_render_watch_page(const struct rch_watching *watching,
                               const struct rch_render_options *options, struct rch_sink *sink);
/// The last sample on one line: "12:00:07  137 (+37) app.Transport".
void rch_render_watch_line(const struct rch_watching *watching,
                           const struct rch_render_options *options, struct rch_sink *sink);
/// The last sample as one line of JSON, schema refchain.watch/1.
void rch_render_watch_json(const struct rch_watching *watching, struct rch_sink *sink);
/// What became of it, from the first sample to the last.
void rch_render_watch_summary(const struct rch_watching *watching,
                              const struct rch_render_options *options, struct rch_sink *sink);

#endif
