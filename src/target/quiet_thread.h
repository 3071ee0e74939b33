// SPDX-License-Identifier: MIT
// target/quiet_thread.h -- a thread of ours in somebody's process: it handles none of its signals.
#ifndef RCH_TARGET_QUIET_THREAD_H
#define RCH_TARGET_QUIET_THREAD_H
#include <pthread.h>

/// Like pthread_create: 0 or an errno. All signals are blocked in it; its stack has 512 KiB.
int rch_quiet_thread(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
