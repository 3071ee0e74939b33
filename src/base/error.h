// SPDX-License-Identifier: MIT
// base/error.h -- status codes and the caller-owned error: what went wrong, where, and in what
// words. Reporting an error allocates nothing, so a walk may fail a million times and not notice.
#ifndef RCH_BASE_ERROR_H
#define RCH_BASE_ERROR_H
#include <stdint.h>

#define RCH_MUST_CHECK __attribute__((warn_unused_result))
#define RCH_PRINTF(fmt_idx, arg_idx) __attribute__((format(printf, fmt_idx, arg_idx)))

// One row a code: name, the words for it. Python's exceptions come from the same rows.
#define RCH_STATUS_LIST(X)                                   \
    X(OK, "success")                                         \
    X(ENOMEM, "out of memory")                               \
    X(EINVAL, "invalid argument")                            \
    X(EOVERFLOW, "a number does not fit")                    \
    X(ECORRUPT, "corrupt data")                              \
    X(EFAULT, "unreadable memory")                           \
    X(EIO, "input/output error")                             \
    X(ENOTFOUND, "not found")                                \
    X(EUNSUPPORTED, "not supported")                         \
    X(EBUSY, "busy")                                         \
    X(ECANCELED, "canceled")

enum rch_status {
#define RCH_STATUS_ENUM(name, words) RCH_##name,
    RCH_STATUS_LIST(RCH_STATUS_ENUM)
#undef RCH_STATUS_ENUM
};

/// The caller's storage for one error. `where` is an address or a file offset, 0 if there is none.
struct rch_error {
    enum rch_status code;
    int os_errno;
    uint64_t where;
    char message[240];
};

/// Fill *err (may be NULL) and return `code`, so that a caller can write `return rch_fail(...)`.
/// os_errno is taken from `errno` for RCH_EIO and RCH_EFAULT and is 0 otherwise.
enum rch_status rch_fail(struct rch_error *err, enum rch_status code, const char *fmt, ...)
    RCH_PRINTF(3, 4);
enum rch_status rch_fail_at(struct rch_error *err, enum rch_status code, uint64_t where,
                            const char *fmt, ...) RCH_PRINTF(4, 5);

#ifdef __clang_analyzer__  // it sees one file at a time, so tell it that the code comes back
#define rch_fail(err, code, ...) ((void)(rch_fail)((err), (code), __VA_ARGS__), (code))
#define rch_fail_at(err, code, where, ...) \
    ((void)(rch_fail_at)((err), (code), (where), __VA_ARGS__), (code))
#endif

/// The code's words ("out of memory"); never NULL, also for a number that is no code.
const char *rch_status_words(enum rch_status code);

/// Return from the enclosing function with the status of `expr` unless it is RCH_OK.
#define RCH_TRY(expr)                          \
    do {                                       \
        enum rch_status rch_try_st = (expr);   \
        if (rch_try_st != RCH_OK)              \
            return rch_try_st;                 \
    } while (0)

#endif
