// SPDX-License-Identifier: MIT
// model/verify.h -- fsck of the graph: every invariant that readers rely on, checked once. A graph
// that passes can be walked without further bounds checks, whatever file it came from.
#ifndef RCH_MODEL_VERIFY_H
#define RCH_MODEL_VERIFY_H
#include "model/graph.h"

/// RCH_ECORRUPT names the first broken invariant, the column and the index. O(nodes + refs), reads
/// each column once, allocates nothing.
RCH_MUST_CHECK enum rch_status rch_graph_verify(const struct rch_graph *g, struct rch_error *err);

#endif
