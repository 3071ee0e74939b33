// SPDX-License-Identifier: MIT
// render/suspects.h -- suspects as text and JSON; see render.h for sinks and options.
#ifndef RCH_RENDER_SUSPECTS_H
#define RCH_RENDER_SUSPECTS_H
#include "analyze/suspects/suspects.h"
#include "render/render.h"

/// Each suspect with its reasons and its holders as `why` tells them; options->limit: suspects.
void rch_render_suspects_text(const struct rch_graph *g, const struct rch_suspects *suspects,
                              const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.suspects/1
void rch_render_suspects_json(const struct rch_graph *g, const struct rch_suspects *suspects,
                              const struct rch_render_options *options, struct rch_sink *sink);

#endif
