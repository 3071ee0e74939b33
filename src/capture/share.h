// SPDX-License-Identifier: MIT
// capture/share.h -- the parts of one job on two threads. Private to capture/.
#ifndef RCH_CAPTURE_SHARE_H
#define RCH_CAPTURE_SHARE_H
#include <stdatomic.h>

#include "base/progress.h"

/// One of the threads that work on a job.
struct rch__worker {
    struct rch_asking *asking;  // NULL: on the second thread, which asks nobody
    atomic_bool *is_canceled;   // of the job
};

/// Run part 0 ... num_parts - 1 of a job. A part touches nothing that another one writes, and fails by
/// what it leaves in `ctx`.
typedef void (*rch__part_fn)(void *ctx, uint32_t part, struct rch__worker *worker);

/// Each part once, handed out in order to this thread and, if `pays`, to a second one that has no
/// signals, as long as there are parts left. Without a second thread (one processor, no memory for it)
/// this one runs them all. False: canceled, and parts are missing. Nothing runs any more on return.
bool rch__share(struct rch_asking *asking, uint32_t num_parts, bool pays, rch__part_fn run,
                void *ctx);

/// `steps` (base/progress.h) of a part were done. False: leave it.
static inline bool rch__worker_goes_on(struct rch__worker *worker, uint32_t steps)
{
    if (worker->asking && !rch_goes_on(worker->asking, steps))
        atomic_store_explicit(worker->is_canceled, true, memory_order_relaxed);
    return !atomic_load_explicit(worker->is_canceled, memory_order_relaxed);
}

/// Is a heap of so many objects worth a second thread? Starting one costs as much as some 1,000 objects.
static inline bool rch__share_pays(uint64_t num_objects)
{
    return num_objects >= 100000;
}

#endif
