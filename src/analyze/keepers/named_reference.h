// SPDX-License-Identifier: MIT
// analyze/keepers/named_reference.h -- from a reference as our answers print it back to the references of the graph:
//
//   kombu.pools.connections            an attribute of a module, or what is below it
//   multiprocessing.util._afterfork_registry.data.clear()      all entries of a container
//   app.cache["eu"][3].owner   app.cache[*]   app.seen <key>   app.seen <element>   app.cache[<tuple>]
//   courier.encoder_for closure results
//   local conn.sock in read()          of a running function; "frame read() local conn.sock" is the same
//   thread MainThread..., coroutine poll()..., interpreter: atexit callbacks..., static type ...,
//   held from C: ..., garbage: ...     other roots, in these words
//   kombu.pools                        a root alone: what if the module went from sys.modules
//   0x7f41c0de, 0x7f41c0de.sock        an object, every reference to it; or what it refers to
//
// A module may be given by the last parts of its name ("pools.connections"). Of roots that are called the
// same, one is meant by its detail: "local conn in read() (worker.py:12, thread Thread-1)".
#ifndef RCH_ANALYZE_NAMED_REFERENCE_H
#define RCH_ANALYZE_NAMED_REFERENCE_H
#include "analyze/why/why.h"

struct rch_view;

struct rch_named_reference {
    struct rch_holder place;  // where it is, as in an answer: root, hops, cut, cut_is_group and
    // num_cut_refs are filled; no hops: the root, or (is_object) an object
    bool is_object;           // every reference to the object of an address
    const uint32_t *edges;    // ascending; a mapping's key and value are two edges of one entry
    const rch_node *sources;  // of each edge
    uint32_t num_edges;
    uint32_t
        num_fixed;  // of the edges: no statement of a program removes these alone (a tuple's item)
};

struct rch_reference_list {
    struct rch_arena arena;             // owns everything below
    struct rch_named_reference *found;  // one; more: the text is ambiguous
    uint32_t num_found;
    const char *const
        *near;  // when nothing was found: texts that name something, the nearest first
    uint32_t num_near;
};

/// Find what `text` names. RCH_ENOTFOUND: nothing; the error's words say how far the text leads, and `near`
/// what may have been meant. The view needs reverse references. *list is valid after every return; the caller
/// ends it with rch_reference_list_deinit. O(roots) and the references of the objects on the way; every step
/// clears a bit a node.
RCH_MUST_CHECK enum rch_status rch_find_reference(struct rch_view *view, const char *text,
                                                  struct rch_reference_list *list,
                                                  struct rch_error *err);
void rch_reference_list_deinit(struct rch_reference_list *list);
/// "module ", "held from C: " ...: what stands before a root's name, read and written.
const char *rch_root_words(enum rch_root_kind kind);

#endif
