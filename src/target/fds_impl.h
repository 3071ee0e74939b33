// SPDX-License-Identifier: MIT
// target/fds_impl.h -- what the files that look into descriptors share: fds.c lists and classifies them,
// sockets.c tells addresses and states, fd_ends.c who has the other end. Private to target/ and its tests.
#ifndef RCH_TARGET_FDS_IMPL_H
#define RCH_TARGET_FDS_IMPL_H
#include <stdbool.h>

#include "target/fds.h"

// ---- text of /proc, line by line ----------------------------------------------------------------

/// A line longer than this is cut, the rest of it is dropped.
#define RCH_LINE_BYTES 4096u

struct rch_lines {
    int fd;
    size_t start, end;  // of what is read and not yet given, in buf
    bool skips;         // the rest of a line that was cut comes next
    char buf[4 * RCH_LINE_BYTES];
};
void rch_lines_init(struct rch_lines *lines, int fd);  // the caller closes fd
/// The next line without its newline, valid until the next call; NULL at the end.
char *rch_lines_next(struct rch_lines *lines);
/// Cut the next word off *at and return it; NULL when there is none.
char *rch_next_word(char **at);

// ---- a set of inode numbers, each with a number of the caller's ------------------------------------

struct rch_inode_slot {
    uint64_t inode;  // 0: free
    uint32_t value;
};
struct rch_inode_map {  // open addressing, linear probing, at most half full
    const struct rch_alloc *alloc;
    struct rch_inode_slot *slots;
    size_t cap, num;
};
void rch_inode_map_init(struct rch_inode_map *map, const struct rch_alloc *alloc);
void rch_inode_map_deinit(struct rch_inode_map *map);
/// The value that stands for `inode`: `value` if it is new.
RCH_MUST_CHECK enum rch_status rch_inode_map_add(struct rch_inode_map *map, uint64_t inode,
                                                 uint32_t value, uint32_t *value_out,
                                                 struct rch_error *err);
/// The value, or UINT32_MAX. O(1) expected.
uint32_t rch_inode_map_find(const struct rch_inode_map *map, uint64_t inode);

// ---- descriptors while they are looked into --------------------------------------------------------

struct rch_fd_draft {
    struct rch_os_fd row;
    uint64_t inode;  // of a socket or a pipe, else 0
    uint64_t
        ends;  // the inode whose holders are the other end: a pipe's own, a UNIX socket's peer; 0
    bool can_read, can_write;
};
#define RCH_FD_DRAFT(vec, i) (&RCH_VEC_AT((vec), struct rch_fd_draft, (i)))

struct rch_fd_scan {
    struct rch_os_fds *fds;
    const struct rch_alloc *alloc;
    uint32_t pid;
    char dir[32];           // "/proc/4711"
    int dir_fd;             // of it
    int list_fd;            // of its "fd"
    struct rch_vec drafts;  // struct rch_fd_draft, by fd
};

/// "socket:[812]" with "socket:[" -> 812; 0 if the text is something else.
uint64_t rch_inode_of_link(const char *link, const char *prefix);
/// May one read from, write to this descriptor of the directory /proc/PID/fd? False: it is gone.
bool rch_fd_access(int list_fd, const char *fd_name, bool *can_read_out, bool *can_write_out);

/// Protocol, state and addresses of all sockets.
RCH_MUST_CHECK enum rch_status rch_tell_sockets(struct rch_fd_scan *scan, struct rch_error *err);
/// Who has the other ends.
RCH_MUST_CHECK enum rch_status rch_tell_ends(struct rch_fd_scan *scan, struct rch_error *err);

// ---- sockets: the parts that tests feed with text of their own ----------------------------------

struct rch_socket {
    uint64_t inode, peer_inode;
    const char *protocol, *state, *local, *peer;  // NULL: not told
};
struct rch_sockets {
    struct rch_arena *arena;
    struct rch_inode_map map;  // inode -> number in `items`
    struct rch_vec items;      // struct rch_socket
};
void rch_sockets_init(struct rch_sockets *sockets, struct rch_arena *arena,
                      const struct rch_alloc *alloc);
void rch_sockets_deinit(struct rch_sockets *sockets);
/// Facts about this inode are wanted.
RCH_MUST_CHECK enum rch_status rch_sockets_want(struct rch_sockets *sockets, uint64_t inode,
                                                struct rch_error *err);
/// A line of /proc/PID/net/NAME, NAME being one of tcp, tcp6, udp ...; lines that are no socket, or of one
/// nobody wants, are passed over.
RCH_MUST_CHECK enum rch_status rch_sockets_take_line(struct rch_sockets *sockets, const char *name,
                                                     char *line, struct rch_error *err);

#endif
