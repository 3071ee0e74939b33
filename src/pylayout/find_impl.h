// SPDX-License-Identifier: MIT
// pylayout/find_impl.h -- the steps of finding CPython: places where a runtime state may be, and the
// trial of a table on one of them. Private to pylayout/.
#ifndef RCH_PYLAYOUT_FIND_IMPL_H
#define RCH_PYLAYOUT_FIND_IMPL_H
#include "pylayout/find.h"
#include "target/elf.h"

#define RCH_MAX_CANDIDATES 32u
#define RCH_MAX_INTERPS 4096u
#define RCH_MAX_MINOR 64u  // tables are asked for up to here

/// A version as far as it is known. minor 0: not known at all.
struct rch_python_version {
    uint32_t major, minor, micro;
    bool is_certain;  // not just from the name of a file
};

enum rch_candidate_kind {
    RCH_BY_SYMBOL,
    RCH_BY_SECTION,
    RCH_BY_COOKIE,
    RCH_BY_SHAPE,
};

/// A place where a _PyRuntimeState may be.
struct rch_candidate {
    enum rch_candidate_kind kind;
    uint64_t runtime;
};

struct rch_candidates {
    struct rch_candidate items[RCH_MAX_CANDIDATES];
    uint32_t num;
};

/// Add the places in data of files that begin with the debug cookie (3.13+).
void rch_find_by_cookie(const struct rch_image *image, struct rch_candidates *candidates);
/// Add the places there that have the shape of a runtime state of any known version.
void rch_find_by_shape(const struct rch_image *image, struct rch_candidates *candidates);

/// _Py_DebugOffsets, with which the runtime state of 3.13+ begins.
struct rch_debug_offsets {
    uint32_t version_hex;  // PY_VERSION_HEX
    bool is_free_threaded;
};
/// Is the cookie here, and a version that makes sense?
bool rch_debug_offsets_read(struct rch_target *target, uint64_t runtime,
                            struct rch_debug_offsets *offsets);
/// Set the fields of the layout that they tell. How many were something else before; their
/// names, with commas, cut to words_bytes.
uint32_t rch_debug_offsets_apply(struct rch_target *target, uint64_t runtime,
                                 struct rch_layout *layout, char *words, size_t words_bytes);
/// Version of PY_VERSION_HEX; false if it is none.
bool rch_version_of_hex(uint64_t hex, struct rch_python_version *version);

enum rch_fit {
    RCH_FITS,
    RCH_FITS_NOT,
    RCH_FIT_NO_INTERPRETER,  // a runtime state that is not in use
    RCH_FIT_STARTING,        // an interpreter without its first modules yet, or any more
    RCH_FIT_TRACE_REFS,
};

/// Does this table fit the runtime state there? Fills in all of rch_python but for `how` and
/// is_free_threaded; the version as sys.hexversion has it, 0.0.0 if it cannot be read.
enum rch_fit rch_fit_layout(const struct rch_image *image, uint64_t runtime,
                            const struct rch_layout *layout, struct rch_python *python,
                            char *why_not, size_t why_bytes);

#endif
