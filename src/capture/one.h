// SPDX-License-Identifier: MIT
// capture/one.h -- the references of one object by name, without a capture of the others.
#ifndef RCH_CAPTURE_ONE_H
#define RCH_CAPTURE_ONE_H
#include "capture/capture.h"

/// Called for each reference; `name` may be "" and is the callee's until it returns.
typedef void (*rch_reference_fn)(void *ctx, enum rch_edge_kind kind, const char *name,
                                 rch_addr target);

/// The references of the object at `addr`, which must be one, in the order a capture has them. Own
/// process, GIL held; runs no code but tp_traverse.
RCH_MUST_CHECK enum rch_status rch_references_of(const struct rch_capture_options *options,
                                                 const struct rch_alloc *alloc, rch_addr addr,
                                                 rch_reference_fn fn, void *ctx,
                                                 struct rch_error *err);

#endif
