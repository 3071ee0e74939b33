// SPDX-License-Identifier: MIT
// base/progress.h -- long work tells how far it is and asks whether to go on.
#ifndef RCH_BASE_PROGRESS_H
#define RCH_BASE_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>

/// `report` is called a few times a second at most; returning false cancels (RCH_ECANCELED).
struct rch_progress {
    bool (*report)(void *ctx, const char *phase, uint64_t done, uint64_t total);
    void *ctx;
};

static inline bool rch_go_on(const struct rch_progress *progress, const char *phase, uint64_t done,
                             uint64_t total)
{
    return !progress || !progress->report || progress->report(progress->ctx, phase, done, total);
}

#endif
