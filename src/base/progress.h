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

/// For loops that do a little at a time and cannot fail: counts their steps (a node or a reference
/// each, of 100 ns at most) and asks once in RCH_ASK_EVERY, so that a wish to stop is heard within
/// some milliseconds. Once told to stop it stays so; whoever can fail looks at is_canceled.
#define RCH_ASK_EVERY (1u << 16)
struct rch_asking {
    const struct rch_progress *progress;  // NULL: nobody to ask
    const char *phase;
    uint64_t total;  // steps expected, 0: not known
    uint64_t steps;
    bool is_canceled;
};

/// `steps` were done since the last call. False: stop. `asking` NULL: goes on for ever.
static inline bool rch_goes_on(struct rch_asking *asking, uint32_t steps)
{
    if (!asking)
        return true;
    uint64_t before = asking->steps;
    asking->steps += steps;
    if (__builtin_expect(before / RCH_ASK_EVERY == asking->steps / RCH_ASK_EVERY, 1))
        return !asking->is_canceled;
    if (!asking->is_canceled)
        asking->is_canceled =
            !rch_go_on(asking->progress, asking->phase, asking->steps, asking->total);
    return !asking->is_canceled;
}

#endif
