// SPDX-License-Identifier: MIT
// capture/threads.h -- where every thread stands: rows of struct rch_thread and rch_stack_frame, kept
// beside the roots that hold the locals.
#ifndef RCH_CAPTURE_THREADS_H
#define RCH_CAPTURE_THREADS_H
#include "capture/observer.h"
#include "capture/state.h"

// lines.c
/// Byte offset of the instruction that a frame object (up to 3.10) or interpreter frame executes; for
/// rch__line_at only.
int64_t rch__last_instruction(struct rch__cap *cap, rch_addr code, rch_addr frame);
/// The line it belongs to, 0: none, or not known.
uint32_t rch__line_at(struct rch__cap *cap, rch_addr code, int64_t lasti);

// locks.c
/// The object whose futex the thread waits for, in words: "futex (_thread.RLock at 0x7f.., held by thread
/// worker)". False: none was found.
bool rch__lock_words(struct rch__cap *cap, const struct rch__thread *thread, uint64_t futex,
                     char *words, size_t num_bytes);

// threads.c
/// A thread whose frames follow, innermost first. `root`: number of its root or UINT32_MAX; `object`:
/// its threading.Thread, or 0.
void rch__thread_add(struct rch__cap *cap, rch_addr interp, rch_addr thread, rch_addr object,
                     const char *name, uint32_t root);
void rch__stack_frame_add(struct rch__cap *cap, rch_addr where, const struct rch__frame *frame);
/// Once all are there: what each waits for, and threads that run no Python. From outside only.
void rch__threads_finish(struct rch__cap *cap);

#endif
