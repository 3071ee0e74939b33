// SPDX-License-Identifier: MIT
// model/derived.h -- what was computed from a graph and is kept with it, so that the next question
// need not compute it again: referrers, the dominator tree, retained bytes. Not part of the graph's
// value: a graph without it gives the same answers, later. The analyses look here by themselves
// (rch_reverse_init, rch_domtree_init, ...); format/ puts here what a file beside a snapshot has.
#ifndef RCH_MODEL_DERIVED_H
#define RCH_MODEL_DERIVED_H
#include "base/progress.h"
#include "model/graph.h"

// Columns: name, number, bytes of an element. Append only: the numbers are in files.
#define RCH_DERIVED_LIST(X)     \
    X(REV_START, 1, 4)          \
    X(REV_SOURCE, 2, 4)         \
    X(REV_EDGE, 3, 4)           \
    X(IDOM, 4, 4)               \
    X(PREORDER, 5, 4)           \
    X(RETAINED, 6, 8)           \
    X(TYPE_RETAINED, 7, 8)
// REV_*: struct rch_reverse. IDOM, PREORDER: struct rch_domtree. RETAINED: rch_retained_bytes;
// TYPE_RETAINED: rch_retained_by_type.
enum rch_derived_kind {
#define RCH_DERIVED_ENUM(name, number, elem_bytes) RCH_DERIVED_##name = number,
    RCH_DERIVED_LIST(RCH_DERIVED_ENUM)
#undef RCH_DERIVED_ENUM
        RCH_NUM_DERIVED = 8
};

/// Columns that come and go together: [first, past) of the kinds.
struct rch_derived_group {
    uint32_t first, past;
};
#define RCH_GROUP_REVERSE ((struct rch_derived_group){RCH_DERIVED_REV_START, RCH_DERIVED_IDOM})
#define RCH_GROUP_DOMTREE ((struct rch_derived_group){RCH_DERIVED_IDOM, RCH_DERIVED_RETAINED})
#define RCH_GROUP_RETAINED \
    ((struct rch_derived_group){RCH_DERIVED_RETAINED, RCH_DERIVED_TYPE_RETAINED})
#define RCH_GROUP_TYPE_RETAINED \
    ((struct rch_derived_group){RCH_DERIVED_TYPE_RETAINED, RCH_NUM_DERIVED})
enum { RCH_MAX_GROUP = 3 };  // columns of a group

struct rch_derived_rows {
    const void *rows;
    uint64_t num;
};

/// Give a graph a place to keep things in; rch_graph_free frees it. Once is enough. The allocators of
/// what is kept must outlive the graph. May be used by several threads at once.
RCH_MUST_CHECK enum rch_status rch_derived_attach(struct rch_graph *g,
                                                  const struct rch_alloc *alloc,
                                                  struct rch_error *err);

/// The columns of a group, which live as long as the graph; false: not there, compute them. Columns of
/// a file are checked when they are first asked for: their checksum, and that no number in them can
/// lead anybody astray (referrers: that they are exactly those of the references). A bad group is
/// dropped and told by rch_derived_trouble; false too when `progress` (may be NULL) cancels the check.
/// O(1), the first time of a file's O(its bytes).
bool rch_derived_get(const struct rch_graph *g, struct rch_derived_group group,
                     const struct rch_progress *progress,
                     struct rch_derived_rows rows_out[RCH_MAX_GROUP]);

/// Keep columns that were computed: arrays from `alloc` of exactly these numbers of elements (at
/// least 1). True: they are the graph's now. False: it keeps nothing, or has these already; they are
/// still the caller's.
bool rch_derived_put(const struct rch_graph *g, struct rch_derived_group group,
                     const struct rch_derived_rows rows[RCH_MAX_GROUP],
                     const struct rch_alloc *alloc);
/// The same with a copy of one column; without memory for it nothing is kept.
void rch_derived_put_copy(const struct rch_graph *g, struct rch_derived_group group,
                          const void *rows, uint64_t num, const struct rch_alloc *alloc);

/// What a file has of a column, not looked at yet.
struct rch_derived_offer {
    const void *rows;  // aligned to 8 bytes
    uint64_t num, checksum;
};
/// Take over what a file has: offers[kind], rows NULL: not there. `checksum` computes the offers';
/// `unmap` frees the file's bytes with the graph.
void rch_derived_map(struct rch_graph *g, const struct rch_derived_offer offers[RCH_NUM_DERIVED],
                     uint64_t (*checksum)(const void *bytes, size_t num_bytes),
                     void (*unmap)(void *bytes, size_t num_bytes), void *bytes, size_t num_bytes);

/// Is the group there, or offered by a file and not looked at yet?
bool rch_derived_has(const struct rch_graph *g, struct rch_derived_group group);
/// Something is kept that no file has.
bool rch_derived_has_new(const struct rch_graph *g);
/// All columns that are kept and good, for a file; rows NULL: not there.
void rch_derived_all(const struct rch_graph *g, struct rch_derived_rows rows_out[RCH_NUM_DERIVED]);
/// What was wrong with a column of a file, or NULL. Static text.
const char *rch_derived_trouble(const struct rch_graph *g);

uint32_t rch_derived_elem_bytes(uint32_t kind);  // 0: no such kind

struct rch_derived;
void rch_derived_free(struct rch_derived *derived);  // of rch_graph_free; NULL is fine

#endif
