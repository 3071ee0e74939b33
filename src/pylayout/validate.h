// SPDX-License-Identifier: MIT
// pylayout/validate.h -- does a layout table fit this interpreter? Answered once, before anything
// is decoded, from a handful of objects whose addresses and contents are known otherwise.
// The memory read is not trusted: everything is bounded. With the plain own-memory target a table
// that does not fit may lead to unmapped addresses, so give rch_target_own_checked_init().
#ifndef RCH_PYLAYOUT_VALIDATE_H
#define RCH_PYLAYOUT_VALIDATE_H
#include <stddef.h>

#include "base/error.h"
#include "pylayout/layout.h"
#include "target/target.h"

/// Addresses of well-known objects. type_type is required; 0 elsewhere: not known, not checked.
struct rch_layout_probe {
    uint64_t type_type;                   // the type `type`
    uint64_t dict_type;                   // the type `dict`
    uint64_t interp;                      // the PyInterpreterState of this thread
    uint64_t tuple, tuple_item;           // a tuple of one element, and that
    uint64_t list, list_item;             // a list of one element, and that
    uint64_t dict, dict_key, dict_value;  // a dict whose only entry, ever, is this; no split table
    uint64_t str;                         // a compact ASCII str with the text below
    const char *str_text;                 // shorter than 64 bytes
    uint64_t function, function_code, function_globals;  // a Python function, its code, its globals
};

/// RCH_OK when all that could be checked agrees: `type` is its own type, has the flags and the name
/// it must have; the objects given hold what they are said to hold; the interpreter's module
/// tables are dicts, its threads point back at it, and the heads of the GC generations (and of
/// the permanent one) are circular doubly linked lists with thresholds that make sense.
/// RCH_EUNSUPPORTED otherwise, with the first disagreement in words in why_not (cut to why_bytes;
/// may be NULL when why_bytes is 0). Some thousand small reads; when the GC heads are not in place
/// they are searched for, with 200,000 reads at most.
RCH_MUST_CHECK enum rch_status rch_layout_validate(const struct rch_layout *layout,
                                                   struct rch_target *target,
                                                   const struct rch_layout_probe *probe,
                                                   char *why_not, size_t why_bytes);

/// In one patch release of a minor version all that follows the collector's state in the interpreter
/// state may lie some words further on than in another (in 3.14.5 it became three words longer).
/// Move those fields of a copy of a table to where sys.modules and the dicts of sys and builtins
/// are, 64 bytes away at most. To be called before rch_layout_validate(), which asks for those
/// dicts. Needs probe->interp and dict_type. Returns how many fields changed.
uint32_t rch_layout_shift(struct rch_layout *layout, struct rch_target *target,
                          const struct rch_layout_probe *probe);

/// The interpreter state's far end moves between patch releases (3.12.0 and 3.12.1 differ). Check
/// the fields there one by one: move the state of the static types to where it is found, set to
/// RCH_ABSENT what can be neither confirmed nor found. Needs probe->interp, type_type and
/// dict_type. For a copy of a table that rch_layout_validate() accepted; shifts it first. Returns
/// how many fields changed. Scans at most 1 MiB, and only when something disagrees.
uint32_t rch_layout_refit(struct rch_layout *layout, struct rch_target *target,
                          const struct rch_layout_probe *probe);

#endif
