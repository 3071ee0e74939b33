// SPDX-License-Identifier: MIT
// target/proc.h -- what /proc tells about a process and its threads: state, users, maps, pages.
// Private to target/. The files may be gone, cut short or odd at any time.
#ifndef RCH_TARGET_PROC_H
#define RCH_TARGET_PROC_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/vec.h"
#include "target/image.h"
#include "target/span.h"

/// Of /proc/PID/status and stat.
struct rch_proc_status {
    char name[16];
    char state;  // R, S, D, T, t, Z ...
    uint32_t tgid, ppid, tracer;
    uint32_t uid[3], gid[3];  // real, effective, saved
    uint64_t cap_permitted, cap_effective;
    int seccomp;                              // 0, 1 strict, 2 filtered
    uint64_t switches;                        // how often it went off its processor
    bool is_kernel_thread, is_kernel_worker;  // the latter: of io_uring, a thread of a process
};

/// A file of /proc/PID, whole, with a 0 behind it: its length, -1 if there is none (errno) or it
/// does not fit.
ssize_t rch_proc_read(uint32_t pid, const char *name, char *buf, size_t buf_bytes);
/// tid 0: of the process. False: there is no such process or thread, or it cannot be read.
bool rch_proc_status(uint32_t pid, uint32_t tid, struct rch_proc_status *status);
/// It is not there any more, or a zombie. False, too, when that cannot be told.
bool rch_proc_has_ended(uint32_t pid, uint32_t tid);

/// The first thread that has not ended, 0: there is none.
uint32_t rch_proc_live_thread(uint32_t pid);

/// The system call a thread sleeps in. False: it runs, or it is not told.
struct rch_proc_syscall {
    int64_t number;  // -1: it sleeps, but in none
    uint64_t args[6], sp, pc;
};
bool rch_proc_syscall(uint32_t pid, uint32_t tid, struct rch_proc_syscall *call);

/// Append struct rch_map to `maps`, in address order; paths belong to `texts`. RCH_EIO: cannot be read
/// (os_errno says why).
RCH_MUST_CHECK enum rch_status rch_proc_maps(uint32_t pid, struct rch_arena *texts,
                                             struct rch_vec *maps, struct rch_error *err);

enum rch_proc_pages {
    RCH_PAGES_OWN,      // written by the process, or to it: not of a file
    RCH_PAGES_PRESENT,  // in memory or swapped out, of whatever kind
};
/// Append to `spans` (struct rch_span) the pages of [start, end) that are so, by /proc/PID/pagemap.
RCH_MUST_CHECK enum rch_status rch_proc_pages(int pagemap, uint64_t start, uint64_t end,
                                              enum rch_proc_pages which, struct rch_vec *spans,
                                              struct rch_error *err);
/// A page that the process made a guard (MADV_GUARD_INSTALL, as glibc 2.42 does in thread stacks): the
/// map has access, the page has not. False: not, or it cannot be told (before Linux 6.15).
bool rch_proc_is_guard(int pagemap, uint64_t addr);

#endif
