// SPDX-License-Identifier: MIT
// target/stop.h -- make the threads of a process stand still. Threads that run are stopped by ptrace;
// threads that sleep are left asleep and asked afterwards whether they slept all the while: a stop
// wakes them, and some system calls (epoll_wait, receiving with a timeout) then return to the
// program with EINTR. Private to target/.
//
// All ptrace calls come from a thread of our own. When it ends, however it ends, the kernel lets go
// of every thread of the process, also of those that did not stop in time.
#ifndef RCH_TARGET_STOP_H
#define RCH_TARGET_STOP_H
#include "base/alloc.h"
#include "target/image.h"

/// Whom to leave asleep.
enum rch_spare {
    RCH_SPARE_SLEEPERS,   // who has slept since rch_stop_new(), and who would notice
    RCH_SPARE_DISTURBED,  // who would notice
    RCH_SPARE_NOBODY,
};

struct rch_stop;
/// Nothing is stopped yet; who sleeps now and who does not is remembered.
RCH_MUST_CHECK enum rch_status rch_stop_new(uint32_t pid, const struct rch_alloc *alloc,
                                            struct rch_stop **stop_out, struct rch_error *err);
/// Stop what is not stopped and not spared. Again with another `spare` to stop more. RCH_EUNSUPPORTED: not
/// permitted (permit.h); RCH_EIO: it ended.
RCH_MUST_CHECK enum rch_status rch_stop_threads(struct rch_stop *stop, enum rch_spare spare,
                                                struct rch_error *err);
/// Is everybody asleep who was left asleep, and nobody new there? `is_last`: all evidence, which proves
/// that none of them ran since rch_stop_threads(); otherwise a quick look.
bool rch_stop_holds(struct rch_stop *stop, bool is_last);
/// Let all go on, with the signals that arrived meanwhile.
void rch_stop_release(struct rch_stop *stop);
void rch_stop_free(struct rch_stop *stop);  // releases; NULL is fine
/// May we? Tries with one thread, which goes on all the time. 0, or an errno.
int rch_stop_try(uint32_t tid);

size_t rch_stop_num_threads(const struct rch_stop *stop);
/// NULL: it ended. was_stopped: it was stopped, or slept. Valid until the next rch_stop_threads().
const struct rch_os_thread *rch_stop_thread(const struct rch_stop *stop, size_t i);
/// From the first stop to the last release, 0 if nobody was stopped.
uint64_t rch_stop_pause_ns(const struct rch_stop *stop);

#endif
