// SPDX-License-Identifier: MIT
// base/fd_kind.h -- the kinds of open descriptors: named here once, because target/ finds them and the
// graph, which knows nothing of target/, keeps them. Append only: the numbers are in snapshots.
#ifndef RCH_BASE_FD_KIND_H
#define RCH_BASE_FD_KIND_H

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

#endif
