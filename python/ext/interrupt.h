// SPDX-License-Identifier: MIT
// python/ext/interrupt.h -- Ctrl-C during long work. Signals are looked at every INTERRUPT_MS while the
// work goes on, and the GIL is taken for that if it was released.
#ifndef RCH_EXT_INTERRUPT_H
#define RCH_EXT_INTERRUPT_H
#include "ext.h"

#include "base/progress.h"

struct core_asker {
    struct rch_progress progress;  // hand this down
    PyThreadState *thread;         // NULL: the GIL is held
    uint64_t asked_ns;
    bool is_main;         // only the main thread hears of signals
    bool only_looks;      // handlers run when the work has ended, not in the middle of it
    bool is_interrupted;  // the work was told to stop
};

/// Around work that holds the GIL, or with core_release around work that does not. only_looks: where a
/// handler must not run, because the heap is being read or a lock is held.
void core_ask_begin(struct core_asker *asker, bool only_looks);
void core_release(struct core_asker *asker);
/// Takes the GIL again. What a handler raised stays raised if the work was canceled for it (`st`);
/// if it had ended before, Ctrl-C is heard a moment later.
void core_ask_end(struct core_asker *asker, enum rch_status st);

#endif
