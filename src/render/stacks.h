// SPDX-License-Identifier: MIT
// render/stacks.h -- what the text and the JSON of stacks share.
#ifndef RCH_RENDER_STACKS_H
#define RCH_RENDER_STACKS_H
#include "render/render.h"

/// Is it the thread of this name or number (NULL: any)?
bool rch_is_thread_shown(const struct rch_graph *g, const struct rch_thread *thread,
                         const char *wanted);

#endif
