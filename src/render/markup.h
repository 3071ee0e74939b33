// SPDX-License-Identifier: MIT
// render/markup.h -- hostile text into XML and HTML, in element content and in attributes.
#ifndef RCH_RENDER_MARKUP_H
#define RCH_RENDER_MARKUP_H
#include <stdbool.h>

#include "base/sink.h"

/// Text that is clean already: & < > " ' come out as entities.
void rch_put_markup(struct rch_sink *sink, const char *text);
/// A name from outside, whole up to max_bytes (0: no limit): escapes for what cannot be seen, then entities.
/// Line feeds stay if `keeps_lines`.
void rch_put_markup_name(struct rch_sink *sink, const char *text, size_t max_bytes,
                         bool keeps_lines);

#endif
