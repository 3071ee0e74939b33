// SPDX-License-Identifier: MIT
// python/ext/tracked.h -- what the questions to the collector's lists have in common: the walk, names of
// types without code of the program, and a table of the types that were met.
#ifndef RCH_EXT_TRACKED_H
#define RCH_EXT_TRACKED_H
#include "base/vec.h"
#include "capture/segments.h"
#include "ext.h"

static inline PyTypeObject *type_at(rch_addr addr)
{
    return (PyTypeObject *)(uintptr_t)addr;
}

static inline PyObject *object_at(rch_addr addr)
{
    return (PyObject *)(uintptr_t)addr;
}

/// Give everything that the collector tracks to `fn`; -1 with an exception set. `segments` (struct
/// rch_segment) says when it is done how they come in gc.get_objects(). No code of the program runs, and none of the objects goes
/// before something is allocated that the collector tracks.
int core_walk(struct core_state *state, rch_tracked_fn fn, void *ctx, struct rch_vec *segments);

/// The name of a type, `is_long`: with its module. A new reference to a str; NULL: there is none, and
/// no exception is set unless out of memory.
PyObject *core_name_of_type(PyTypeObject *type, int is_long);

struct met {
    rch_addr type;
    uint64_t count;
    uint64_t first;  // orders types by the first of their objects
    uint64_t label;  // a number the asker gives it
};

struct met_table {
    struct rch_vec rows;  // struct met
    uint32_t *slots;      // row + 1; 0: free
    uint32_t num_slots;   // a power of two
    struct met *last;     // objects of a type often follow each other
    bool out_of_memory;
};

bool met_init(struct met_table *table);
void met_deinit(struct met_table *table);
/// The row of a type, made when it is new; NULL: out of memory.
struct met *met_find(struct met_table *table, rch_addr type, bool *is_new_out);

/// As met_find(), which is asked unless the row is that of the call before.
static inline struct met *met_get(struct met_table *table, rch_addr type, bool *is_new_out)
{
    *is_new_out = false;
    if (table->last && table->last->type == type)
        return table->last;
    return met_find(table, type, is_new_out);
}

#endif
