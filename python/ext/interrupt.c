// SPDX-License-Identifier: MIT
// python/ext/interrupt.c -- see interrupt.h.
#include "interrupt.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT_NS UINT64_C(20000000)

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool is_interrupted(const struct core_asker *asker)
{
    return asker->only_looks ? PyOS_InterruptOccurred() != 0 : PyErr_CheckSignals() < 0;
}

static bool report(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct core_asker *asker = ctx;
    (void)phase, (void)done, (void)total;
    if (asker->is_interrupted || !asker->is_main)
        return !asker->is_interrupted;
    uint64_t now = now_ns();
    if (now - asker->asked_ns < INTERRUPT_NS)
        return true;
    bool is_released = asker->thread != NULL;
    if (is_released)
        PyEval_RestoreThread(asker->thread);
    asker->is_interrupted = is_interrupted(asker);
    if (is_released)
        asker->thread = PyEval_SaveThread();
    asker->asked_ns = now_ns();
    return !asker->is_interrupted;
}

void core_ask_begin(struct core_asker *asker, bool only_looks)
{
    *asker = (struct core_asker){.progress = {report, asker},
                                 .asked_ns = now_ns(),
                                 .is_main = syscall(SYS_gettid) == getpid(),
                                 .only_looks = only_looks};
}

void core_release(struct core_asker *asker)
{
    asker->thread = PyEval_SaveThread();
}

void core_ask_end(struct core_asker *asker, enum rch_status st)
{
    if (asker->thread)
        PyEval_RestoreThread(asker->thread);
    asker->thread = NULL;
    if (!asker->is_interrupted)
        return;
    if (asker->only_looks) {
        PyErr_SetInterrupt();
        if (st == RCH_ECANCELED)
            (void)PyErr_CheckSignals();
    } else if (st != RCH_ECANCELED && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Clear();
        PyErr_SetInterrupt();
    } else if (st != RCH_ECANCELED) {
        PyErr_WriteUnraisable(NULL);
    }
}
