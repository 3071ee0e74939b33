// SPDX-License-Identifier: MIT
// base/sink.h -- where text goes: a callback. Errors stick, so that a writer checks once, at the
// end.
#ifndef RCH_BASE_SINK_H
#define RCH_BASE_SINK_H
#include "base/alloc.h"
#include "base/error.h"

struct rch_sink {
    /// Write all of the bytes or fail; never called again after a failure.
    enum rch_status (*write)(void *ctx, const char *bytes, size_t num_bytes, struct rch_error *err);
    void *ctx;
    enum rch_status status;  // the first failure
    struct rch_error err;
};

void rch_put(struct rch_sink *sink, const char *text);
void rch_put_bytes(struct rch_sink *sink, const char *bytes, size_t num_bytes);
void rch_putf(struct rch_sink *sink, const char *fmt, ...) RCH_PRINTF(2, 3);

/// A sink into memory: bytes is NUL-terminated, "" at first, and valid until the next put or
/// rch_text_deinit. The sink points to the struct: do not move it.
struct rch_text {
    struct rch_sink sink;
    const struct rch_alloc *alloc;
    char *bytes;
    size_t num_bytes, cap;
};
void rch_text_init(struct rch_text *text, const struct rch_alloc *alloc);
void rch_text_deinit(struct rch_text *text);

#endif
