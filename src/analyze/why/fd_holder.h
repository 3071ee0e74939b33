// SPDX-License-Identifier: MIT
// analyze/why/fd_holder.h -- whose socket is it? From an object that owns a descriptor up to the nearest object
// that means something to a reader.
#ifndef RCH_ANALYZE_FD_HOLDER_H
#define RCH_ANALYZE_FD_HOLDER_H
#include "model/graph.h"
#include "model/reverse.h"

/// The type (index into graph->types) of the nearest object that has `owner` and is not plumbing of I/O
/// itself: TCPTransport for a socket, Popen for a file behind a buffer. Where there is none: the outermost
/// plumbing (TextIOWrapper); UINT32_MAX: nothing. Ties go to the first name. Looks at a bounded number of
/// objects. `observers` (bits, may be NULL): objects that are not asked. only_layers: go no further than the
/// outermost plumbing.
uint32_t rch_fd_holder_type(const struct rch_graph *g, const struct rch_reverse *rev,
                            const uint64_t *observers, rch_node owner, bool only_layers);

#endif
