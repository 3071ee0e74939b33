// SPDX-License-Identifier: MIT
// target/fds.h -- the open descriptors of a process as the kernel tells them: files, pipes, sockets with
// their addresses and states. Of any process that we may read, ourselves included.
#ifndef RCH_TARGET_FDS_H
#define RCH_TARGET_FDS_H
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/fd_kind.h"
#include "base/vec.h"

/// Strings are never NULL, "" where there is nothing to tell, and raw: paths may hold anything.
struct rch_os_fd {
    int32_t fd;
    enum rch_fd_kind kind;
    const char *protocol;  // "TCP", "UDP", "UNIX stream" ...; "" for others
    const char *state;     // "ESTABLISHED", "LISTEN", "read end", "deleted", "3 watched"; ""
    const char *local;     // "127.0.0.1:40312", a path, "[::1]:8000", "@abstract", "pipe 81234"; ""
    const char *peer;  // "127.0.0.1:5672", a path; who has the other end of a pipe or of an unnamed
    // UNIX socket: "fd 8" of this process, "pid 812 fd 4"; what an epoll watches;
    // the process of a pidfd; ""
};

struct rch_os_fds {
    struct rch_arena arena;   // of the strings
    struct rch_vec rows;      // struct rch_os_fd, by fd
    uint32_t num_unreadable;  // descriptors that were there, and of which less than this is known
};

/// From /proc/PID/fd, fdinfo, net/{tcp,tcp6,udp,udp6,unix} of the process's own network namespace, and
/// sock_diag if that is ours too. pid 0: ourselves. Meant to be called while the process stands still, or
/// right after. One that ends meanwhile gives what was read until then. RCH_ENOTFOUND: no such process;
/// RCH_EUNSUPPORTED: it is not ours to look into. O(descriptors + sockets of the namespace), and for pipes
/// whose other end is elsewhere O(descriptors of all processes), bounded.
RCH_MUST_CHECK enum rch_status rch_os_fds_init(struct rch_os_fds *fds, uint32_t pid,
                                               const struct rch_alloc *alloc,
                                               struct rch_error *err);
void rch_os_fds_deinit(struct rch_os_fds *fds);

#endif
