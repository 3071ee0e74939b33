// SPDX-License-Identifier: MIT
// model/builder.h -- the mutable side of the graph. Small tables (types, shapes, labels, strings,
// roots) grow here by interning; the big columns are handed over as whole arrays by capture, or
// added node by node by tests and tools.
#ifndef RCH_MODEL_BUILDER_H
#define RCH_MODEL_BUILDER_H
#include "base/vec.h"
#include "model/graph.h"

struct rch_builder;  // owns everything until rch_builder_finish

RCH_MUST_CHECK enum rch_status rch_builder_new(const struct rch_alloc *alloc,
                                               struct rch_builder **builder_out,
                                               struct rch_error *err);
void rch_builder_free(struct rch_builder *builder);  // NULL is fine

// Tables. Interning: equal contents give equal numbers, in order of first use. O(1) expected.
RCH_MUST_CHECK enum rch_status rch_builder_string(struct rch_builder *b, const char *bytes,
                                                  size_t num_bytes, rch_str *str_out,
                                                  struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_type(struct rch_builder *b, const struct rch_type *type,
                                                uint32_t *type_out, struct rch_error *err);
/// labels: num_labels fixed ones, then num_tail that repeat. Never interned: the caller caches.
RCH_MUST_CHECK enum rch_status rch_builder_shape(struct rch_builder *b, uint32_t type,
                                                 const struct rch_label *labels,
                                                 uint32_t num_labels, uint32_t num_tail,
                                                 uint32_t *shape_out, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_warn(struct rch_builder *b, struct rch_error *err,
                                                const char *fmt, ...) RCH_PRINTF(3, 4);
/// Type objects get their node numbers late: capture sets them when ids are known. In a graph built
/// node by node the number is a handle, which finish replaces. Later interning of the type as it
/// was, without the number, gives a new one.
void rch_builder_set_type_node(struct rch_builder *b, uint32_t type, rch_node node);

// Node by node. Objects first (in any address order: finish sorts them), then roots, then refs.
// A node's handle is its number of addition, objects and roots alike.
struct rch_object {
    rch_addr addr;  // unique, a multiple of 8
    uint64_t size_bytes;
    uint32_t shape;
    bool is_tracked;
};
RCH_MUST_CHECK enum rch_status rch_builder_object(struct rch_builder *b,
                                                  const struct rch_object *object,
                                                  uint32_t *handle_out, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_root(struct rch_builder *b, const struct rch_root *root,
                                                uint32_t shape, uint32_t *handle_out,
                                                struct rch_error *err);
/// The references of one node come in the order of their labels; `to` may be RCH_NO_NODE (a hole).
RCH_MUST_CHECK enum rch_status rch_builder_ref(struct rch_builder *b, uint32_t from, uint32_t to,
                                               struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_text(struct rch_builder *b, uint32_t handle,
                                                rch_str text, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_observer(struct rch_builder *b, uint32_t handle,
                                                    enum rch_observer_scope scope,
                                                    struct rch_error *err);
/// `root` of a thread or a frame is a handle, or RCH_NO_NODE. A thread's frames are those added after
/// it, innermost first: its first_frame and num_frames are not looked at.
RCH_MUST_CHECK enum rch_status rch_builder_thread(struct rch_builder *b,
                                                  const struct rch_thread *thread,
                                                  struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_frame(struct rch_builder *b,
                                                 const struct rch_stack_frame *frame,
                                                 struct rch_error *err);
/// In any order: finish sorts them.
RCH_MUST_CHECK enum rch_status rch_builder_fd(struct rch_builder *b, const struct rch_fd *fd,
                                              struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_builder_fd_owner(struct rch_builder *b, uint32_t handle,
                                                    int32_t fd, struct rch_error *err);
struct rch_capture_info *rch_builder_info(struct rch_builder *b);

/// Make the graph. On success *graph_out is the caller's (rch_graph_free) and the builder is empty,
/// good for rch_builder_free only; on error the builder still owns everything. What is added is
/// checked (rch_graph_verify). The allocator must outlive the graph. O(nodes log nodes + refs).
RCH_MUST_CHECK enum rch_status rch_builder_finish(struct rch_builder *b,
                                                  struct rch_graph **graph_out,
                                                  struct rch_error *err);

/// Big columns as whole arrays, already in node order, each from `alloc` of the builder with
/// exactly the counts given. Ownership passes on success. Roots' rows come last in every column.
/// Replaces the node-by-node calls above; tables stay as interned.
struct rch_columns {
    uint32_t num_tracked, num_objects, num_nodes, num_edges;
    uint32_t *edge_start, *shape_of, *addr8;
    rch_node *edges;
    uint16_t *size16;
    struct rch_big_size *big_sizes;
    uint32_t num_big_sizes;
    struct rch_addr_run *addr_runs;
    uint32_t num_addr_runs;
    struct rch_root *roots;
    uint32_t num_roots;
    struct rch_observer *observers;
    uint32_t num_observers;
    struct rch_text_of *texts;
    uint32_t num_texts;
    struct rch_thread *threads;
    uint32_t num_threads;
    struct rch_stack_frame *stack_frames;
    uint32_t num_stack_frames;
    struct rch_fd *fds;
    uint32_t num_fds;
    struct rch_fd_owner *fd_owners;
    uint32_t num_fd_owners;
};
/// `unmap` (may be NULL: the builder's allocator frees, sizes as given here) frees one column that
/// capture made; it is not called for NULL columns. Only counts are checked, in O(1): call
/// rch_graph_verify for the rest.
RCH_MUST_CHECK enum rch_status rch_builder_adopt(struct rch_builder *b,
                                                 const struct rch_columns *columns,
                                                 void (*unmap)(void *ctx, void *mem),
                                                 void *unmap_ctx, struct rch_graph **graph_out,
                                                 struct rch_error *err);

/// Label `ordinal` of a shape that was made (NULL: it has none), and the text of a string. Both stay the
/// builder's.
const struct rch_label *rch_builder_label(const struct rch_builder *b, uint32_t shape,
                                          uint32_t ordinal);
const char *rch_builder_str(const struct rch_builder *b, rch_str str);

#endif
