// SPDX-License-Identifier: MIT
// base/error.c -- fill the caller's error struct; no allocation, no locale, no output.
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static void fill(struct rch_error *err, enum rch_status code, uint64_t where, int os_errno,
                 const char *fmt, va_list args) RCH_PRINTF(5, 0);

static void fill(struct rch_error *err, enum rch_status code, uint64_t where, int os_errno,
                 const char *fmt, va_list args)
{
    err->code = code;
    err->os_errno = code == RCH_EIO || code == RCH_EFAULT ? os_errno : 0;
    err->where = where;
    if (vsnprintf(err->message, sizeof(err->message), fmt, args) < 0)
        err->message[0] = '\0';
}

enum rch_status(rch_fail)(struct rch_error *err, enum rch_status code, const char *fmt, ...)
{
    int os_errno = errno;
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, 0, os_errno, fmt, args);
        va_end(args);
        errno = os_errno;
    }
    return code;
}

enum rch_status(rch_fail_at)(struct rch_error *err, enum rch_status code, uint64_t where,
                             const char *fmt, ...)
{
    int os_errno = errno;
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, where, os_errno, fmt, args);
        va_end(args);
        errno = os_errno;
    }
    return code;
}

const char *rch_status_words(enum rch_status code)
{
    static const char *const words[] = {
#define RCH_STATUS_WORDS(name, text) [RCH_##name] = text,
        RCH_STATUS_LIST(RCH_STATUS_WORDS)
#undef RCH_STATUS_WORDS
    };
    size_t i = (size_t)code;
    return i < sizeof(words) / sizeof(words[0]) ? words[i] : "unknown error";
}
