// SPDX-License-Identifier: MIT
// analyze/why/fd_table.h -- open descriptors and the objects that own them: each descriptor with its owner and
// the nearest object that has the owner, and those that are alike in groups.
#ifndef RCH_ANALYZE_FD_TABLE_H
#define RCH_ANALYZE_FD_TABLE_H
#include "analyze/why/why.h"
#include "base/fd_kind.h"

struct rch_fd_row {
    int32_t fd;
    bool is_listed;  // by the system; false: only an object says so
    enum rch_fd_kind kind;
    const char *protocol, *state, *local,
        *peer;               // the graph's; "" where not known. State "not open": an
                             // object has it, but the system does not list it
    const rch_node *owners;  // the main one first; none: no Python object owns it
    uint32_t num_owners;
    uint32_t group;
};

enum rch_fd_place {
    RCH_FD_NO_PLACE,
    RCH_FD_TO_PEER,       // sockets to one peer
    RCH_FD_AT_LOCAL,      // sockets of one local address
    RCH_FD_AT_PATH,       // one file
    RCH_FD_IN_DIRECTORY,  // several files of one directory
};

/// Descriptors of one kind, state and place, whose owners have one type and are had by one type.
struct rch_fd_group {
    enum rch_fd_kind kind;
    bool is_listed;
    const char *protocol, *state;
    enum rch_fd_place place_kind;
    const char *place;
    const char *owner;  // full name of the owners' type; NULL: no Python object owns them
    const char
        *holder;  // of the nearest objects that have the owners and are more than plumbing of I/O
                  // ("amqp.transport.TCPTransport"); NULL: none near
    const char *note;        // who else may own them, or NULL
    const uint32_t *rows;    // by descriptor
    const rch_node *owners;  // main ones, sorted, unique
    uint32_t num_rows, num_owners;
    struct rch_answer *answer;  // who holds the owners; NULL until rch_fd_table_why()
};

struct rch_fd_table {
    struct rch_arena arena;
    bool has_list;  // false: the snapshot has no list of the system's, only what objects say
    struct rch_fd_row *rows;      // by descriptor
    struct rch_fd_group *groups;  // most descriptors first, then by the first descriptor
    uint32_t num_rows, num_groups;
    uint32_t num_unowned;  // rows without owner
};

/// On success the caller owns *table_out. `rev` may be NULL: then it is made and dropped.
/// O(descriptors log descriptors), and O(nodes + refs) for `rev`.
RCH_MUST_CHECK enum rch_status rch_fd_table(const struct rch_graph *g,
                                            const struct rch_reverse *rev,
                                            const struct rch_alloc *alloc,
                                            struct rch_fd_table **table_out, struct rch_error *err);
void rch_fd_table_free(struct rch_fd_table *table);  // NULL is fine

/// Ask who holds the owners of the first `num_groups` groups that have owners. The cost is that of rch_why
/// for each of them.
RCH_MUST_CHECK enum rch_status rch_fd_table_why(struct rch_fd_table *table,
                                                const struct rch_graph *g,
                                                const struct rch_reverse *rev, uint32_t num_groups,
                                                const struct rch_why_options *options,
                                                struct rch_error *err);

const char *rch_fd_kind_word(enum rch_fd_kind kind);

#endif
