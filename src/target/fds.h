// SPDX-License-Identifier: MIT
// target/fds.h -- the open descriptors of a process as the kernel tells them: files, pipes, sockets with
// their addresses and states. Of any process that we may read, ourselves included.
#ifndef RCH_TARGET_FDS_H
#define RCH_TARGET_FDS_H
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

// Append only: the numbers are in snapshots.
#define RCH_FD_KIND_LIST(X)    \
    X(OTHER, "other")          \
    X(FILE, "file")            \
    X(DIRECTORY, "directory")  \
    X(DEVICE, "device")        \
    X(PIPE, "pipe")            \
    X(FIFO, "fifo")            \
    X(SOCKET, "socket")        \
    X(EPOLL, "epoll")          \
    X(EVENTFD, "eventfd")      \
    X(TIMERFD, "timerfd")      \
    X(SIGNALFD, "signalfd")    \
    X(INOTIFY, "inotify")      \
    X(PIDFD, "pidfd")          \
    X(MEMFD, "memfd")
enum rch_fd_kind {
#define RCH_FD_KIND_ENUM(name, word) RCH_FD_##name,
    RCH_FD_KIND_LIST(RCH_FD_KIND_ENUM)
#undef RCH_FD_KIND_ENUM
        RCH_NUM_FD_KINDS
};

struct rch_os_fd {
    int32_t fd;
    enum rch_fd_kind kind;
    const char *protocol;  // "TCP", "UDP", "UNIX stream" ...; "" for others
    const char *state;     // "ESTABLISHED"; ""
    const char *local;     // "127.0.0.1:40312", a path, "[::1]:8000", "pipe 81234"; ""
    const char *peer;      // "127.0.0.1:5672", for a pipe who else has it open: "pid 812 fd 4"; ""
};

struct rch_os_fds {
    struct rch_arena arena;  // of the strings
    struct rch_vec rows;     // struct rch_os_fd, by fd
    uint32_t num_unreadable;
};

/// From /proc/PID/fd, fdinfo, net/{tcp,tcp6,udp,udp6,unix} of the process's own network namespace. pid 0:
/// ourselves. Meant to be called while the process stands still, or right after.
RCH_MUST_CHECK enum rch_status rch_os_fds_init(struct rch_os_fds *fds, uint32_t pid,
                                               const struct rch_alloc *alloc,
                                               struct rch_error *err);
void rch_os_fds_deinit(struct rch_os_fds *fds);

#endif
