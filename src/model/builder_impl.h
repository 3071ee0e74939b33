// SPDX-License-Identifier: MIT
// model/builder_impl.h -- the builder's insides, shared by builder.c (adding) and builder_finish.c,
// builder_adopt.c (making the graph). Private to model/.
#ifndef RCH_MODEL_BUILDER_IMPL_H
#define RCH_MODEL_BUILDER_IMPL_H
#include "model/builder.h"
#include "model/intern.h"

struct rch_builder_ref {
    uint32_t from, to;  // handles; to may be RCH_NO_NODE
};

struct rch_builder_tables {
    struct rch_vec str_bytes;  // char
    struct rch_vec str_start;  // uint32_t, one more than strings
    struct rch_vec types;      // struct rch_type
    struct rch_vec shapes;     // struct rch_shape
    struct rch_vec labels;     // struct rch_label
    struct rch_vec warnings;   // rch_str
};

struct rch_builder {
    const struct rch_alloc *alloc;
    struct rch_builder_tables tables;
    struct rch_intern str_set, type_set;
    // node by node; nodes are handles until finish
    struct rch_vec objects;      // struct rch_object
    struct rch_vec roots;        // struct rch_root
    struct rch_vec root_shapes;  // uint32_t
    struct rch_vec refs;         // struct rch_builder_ref
    struct rch_vec texts;        // struct rch_text_of
    struct rch_vec observers;    // struct rch_observer
    struct rch_vec threads;      // struct rch_thread
    struct rch_vec frames;       // struct rch_stack_frame
    struct rch_vec fds;          // struct rch_fd
    struct rch_vec fd_owners;    // struct rch_fd_owner
    struct rch_capture_info info;
};

void rch_builder_tables_init(struct rch_builder_tables *tables, const struct rch_alloc *alloc);
void rch_builder_tables_deinit(struct rch_builder_tables *tables);
/// The graph's pointers and counts; info, release and owner stay as they are.
void rch_builder_fill_graph(struct rch_graph *g, const struct rch_columns *columns,
                            const struct rch_builder_tables *tables);
/// Leave the builder without contents; only rch_builder_free is of use after that.
void rch_builder_clear(struct rch_builder *b);

#endif
