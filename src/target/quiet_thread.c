// SPDX-License-Identifier: MIT
// target/quiet_thread.c -- see quiet_thread.h.
#include "target/quiet_thread.h"

#include <signal.h>
#include <stddef.h>

#define STACK_BYTES ((size_t)512 << 10)

int rch_quiet_thread(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, before;
    (void)sigfillset(&all);
    int code = pthread_attr_init(&attr);
    if (code)
        return code;
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(thread, &attr, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return code;
}
