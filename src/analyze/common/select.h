// SPDX-License-Identifier: MIT
// analyze/common/select.h -- from what a user types to types and objects: short name, qualified name,
// glob,
// or address.
#ifndef RCH_ANALYZE_SELECT_H
#define RCH_ANALYZE_SELECT_H
#include "base/vec.h"
#include "model/graph.h"

/// Types that `pattern` names, as indices into graph->types, appended to `types` (uint32_t), those
/// with equal module and name together. "TCPTransport": last part of the qualified name, any
/// module;
/// "amqp.transport.TCPTransport", "builtins.dict" or "dict": full name; "*.TCP*": glob (* ? [a-z])
/// over the full name. A type without instances counts too: there are 0. O(types).
RCH_MUST_CHECK enum rch_status rch_select_types(const struct rch_graph *g, const char *pattern,
                                                struct rch_vec *types, struct rch_error *err);

/// The objects whose type is one of `types`, in node order, appended to `nodes` (rch_node).
/// O(objects).
RCH_MUST_CHECK enum rch_status rch_select_instances(const struct rch_graph *g,
                                                    const uint32_t *types, uint32_t num_types,
                                                    struct rch_vec *nodes, struct rch_error *err);

/// "module.Name", or "Name" for builtins: how a type is called everywhere in refchain.
/// `buf` gets a NUL-terminated, possibly shortened copy.
void rch_type_full_name(const struct rch_graph *g, uint32_t type, char *buf, size_t buf_bytes);

/// Does a glob (* ? [a-z] [!a-z]) match all of `text`?
bool rch_match_glob(const char *pattern, const char *text);

#endif
