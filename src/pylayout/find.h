// SPDX-License-Identifier: MIT
// pylayout/find.h -- find CPython in an image: its runtime state, its version, a layout that fits.
// By symbol, section, debug cookie (3.13+), and for static stripped programs by structure.
#ifndef RCH_PYLAYOUT_FIND_H
#define RCH_PYLAYOUT_FIND_H
#include <stdbool.h>

#include "pylayout/layout.h"
#include "target/image.h"

struct rch_python {
    struct rch_layout layout;      // a copy of the version's table, fitted to this process
    uint32_t major, minor, micro;  // micro 0, too, when it cannot be told
    bool is_free_threaded, is_debug_build;
    uint64_t runtime;       // _PyRuntime
    uint64_t first_interp;  // PyInterpreterState; others follow by their `next`
    uint64_t type_type;     // the type `type`
    uint64_t dict_type;
    uint64_t none;              // None, 0 if not found
    uint64_t subtype_traverse;  // tp_traverse of classes made by a class statement
    char how[200];              // "symbol _PyRuntime of /usr/lib/libpython3.11.so.1.0", for doctor
};

/// RCH_ENOTFOUND: no Python in this process. RCH_EUNSUPPORTED: there is one, but not one we read
/// (PyPy, 32-bit, Py_TRACE_REFS, a version without a table that fits); the message names it.
RCH_MUST_CHECK enum rch_status rch_python_find(const struct rch_image *image,
                                               const struct rch_alloc *alloc,
                                               struct rch_python *python_out,
                                               struct rch_error *err);

#endif
