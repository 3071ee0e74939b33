// SPDX-License-Identifier: MIT
// base/sink.c -- text to a callback; the first failure sticks and silences the rest.
#include "base/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rch_put_bytes(struct rch_sink *sink, const char *bytes, size_t num_bytes)
{
    if (sink->status == RCH_OK && num_bytes)
        sink->status = sink->write(sink->ctx, bytes, num_bytes, &sink->err);
}

void rch_put(struct rch_sink *sink, const char *text)
{
    rch_put_bytes(sink, text, strlen(text));
}

void rch_putf(struct rch_sink *sink, const char *fmt, ...)
{
    char small[512];
    va_list args;
    va_start(args, fmt);
    int num_bytes = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    if (num_bytes < 0 || sink->status != RCH_OK)
        return;
    if ((size_t)num_bytes < sizeof(small)) {
        rch_put_bytes(sink, small, (size_t)num_bytes);
        return;
    }
    RCH_BLOCK(big, rch_alloc_default(), (size_t)num_bytes + 1, 1);
    if (!big.mem) {
        sink->status = rch_fail(&sink->err, RCH_ENOMEM, "text of %d bytes", num_bytes);
        return;
    }
    va_start(args, fmt);
    int written = vsnprintf(big.mem, (size_t)num_bytes + 1, fmt, args);
    va_end(args);
    if (written == num_bytes)
        rch_put_bytes(sink, big.mem, (size_t)num_bytes);
}

static enum rch_status text_write(void *ctx, const char *bytes, size_t num_bytes,
                                  struct rch_error *err)
{
    struct rch_text *text = ctx;
    size_t need;
    if (__builtin_add_overflow(text->num_bytes, num_bytes, &need) || need >= PTRDIFF_MAX / 2)
        return rch_fail(err, RCH_EOVERFLOW, "text of more than PTRDIFF_MAX bytes");
    if (need + 1 > text->cap) {
        size_t cap = need + need / 2 + 128;
        char *grown = rch_realloc(text->alloc, text->cap ? text->bytes : NULL, text->cap, cap, 1);
        if (!grown)
            return rch_fail(err, RCH_ENOMEM, "text of %zu bytes", cap);
        text->bytes = grown;
        text->cap = cap;
    }
    memcpy(text->bytes + text->num_bytes, bytes, num_bytes);
    text->num_bytes = need;
    text->bytes[need] = '\0';
    return RCH_OK;
}

static char no_text[1];  // never written: cap 0

void rch_text_init(struct rch_text *text, const struct rch_alloc *alloc)
{
    *text = (struct rch_text){
        .sink = {.write = text_write, .ctx = text}, .alloc = alloc, .bytes = no_text};
}

void rch_text_deinit(struct rch_text *text)
{
    if (text->cap)
        rch_free(text->alloc, text->bytes, text->cap, 1);
    text->bytes = no_text;
    text->num_bytes = text->cap = 0;
}
