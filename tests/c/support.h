// SPDX-License-Identifier: MIT
// tests/c/support.h -- what the C tests share: graphs from one line of text, an allocator that
// fails on request and tracks every byte, and asserts that show an error's words.
#ifndef RCH_TESTS_SUPPORT_H
#define RCH_TESTS_SUPPORT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/graph.h"

/// A graph from two lists of words (either may be empty; words of both kinds may stand in both).
///
///   node    name[:size[:type[:flags]]]      size in bytes (default 16), type "pkg.mod.Name", or
///           "pkg.mod/Outer.Inner", or "Name" of builtins (default object; a key: str)
///   root    @kind.name[:extra[:detail[:flags]]]   or   @kind(dotted.name)...
///           kind: the word of RCH_ROOT_KIND_LIST; extra: a number
///   flags   comma-separated: untracked, observer, direct (observer of that scope), clearable
///   edge    from[label][+flag...]>to[>to...]   "~" instead of ">": a weak reference; a hole has no
///           `to`
///
///   label   a>b         reference, without a name; from a root: object
///           a.x>b       attribute x; a.__dict__>b: the attribute dictionary, folds forward
///           a[]>b       item of a container that can be cleared (tail; GROUP)
///           a{k}>b      entry of a mapping, key node k: key and value (tail; GROUP). a{}>b:
///                       the key is a hole. If a's type is OrderedDict, the tail is key, value, key
///           a(x)>b      closure variable x, folds nothing: `a` is the function
///           a-kind>b, a-kind.x>b    any word of RCH_EDGE_KIND_LIST; element: tail, GROUP
///           a-fixed>b   the same as a+fixed>b
///   +flag   fixed, forward, back, group, guessed, weak
///
///   thread  !name[,id[,flags[,root[,waits]]]]   flags: joined by "+" of gil, asks, torn; root: as above
///   frame   |function,file[,line[,root]]        of the thread before it, innermost first
///   fd      %number,kind[,protocol[,state[,local[,peer]]]]   kind: a word of RCH_FD_KIND_LIST
///   owner   node%number
///           in all these "~" is a space
///
/// A node need not be declared. Nodes have addresses 0x10000, 0x10040, ... by first mention. Nodes
/// of type str are untracked and have their name as text. Types "function", "module" and "type"
/// have the flag of that name, types of a module are heap types; a node of type "type" is the type
/// object of the type with its name. A c-held root's references are a tail with GROUP.
/// Whatever is wrong with the text fails the test. graphs_teardown frees.
struct rch_graph *graph_of(void **state, const char *nodes, const char *edges);
int graphs_teardown(void **state);
#define graph_test(f) cmocka_unit_test_teardown(f, graphs_teardown)

/// The node of this name ("a", "@module.m") in a graph that graph_of made; fails if there is none.
rch_node graph_node(const struct rch_graph *g, const char *name);
/// The name graph_of's text gave to node v.
const char *graph_name(const struct rch_graph *g, rch_node v);

/// Equal in every column, table and count.
void assert_same_graph(const struct rch_graph *a, const struct rch_graph *b);

/// An allocator that knows what is live: a wrong size, a double free or a foreign pointer fails the
/// test at once. Request number fail_at (from 1; 0: none) gives NULL.
struct tracked_alloc {
    struct rch_alloc alloc;
    uint64_t num_requests, fail_at;
    bool has_failed;
    struct tracked_piece *live;
    size_t num_live, cap_live;
    uint64_t live_bytes, peak_bytes;
};
void tracked_alloc_init(struct tracked_alloc *tracked, uint64_t fail_at);
/// Fails the test if anything is live.
void tracked_alloc_finish(struct tracked_alloc *tracked);

/// Runs its body with `name`, a const struct rch_alloc *, whose 1st, then 2nd, ... request fails,
/// until none does. A leak after a round fails the test. The last round is the one without failure.
#define FOR_EACH_FAILING_ALLOC(name)                                                           \
    for (struct failing_rounds name##_rounds = {0}; failing_rounds_next(&name##_rounds);)      \
        for (const struct rch_alloc *name = &name##_rounds.tracked.alloc, *name##_once = name; \
             name##_once; name##_once = NULL)
struct failing_rounds {
    struct tracked_alloc tracked;
    uint64_t round;
};
bool failing_rounds_next(struct failing_rounds *rounds);

/// True for RCH_OK, false for RCH_ENOMEM, fails the test for any other status.
#define ok_or_enomem(st) ok_or_enomem_at((st), #st, __FILE__, __LINE__)
bool ok_or_enomem_at(enum rch_status st, const char *expr, const char *file, int line);
#define assert_ok_or_enomem(st) ((void)ok_or_enomem(st))

/// `err` is a struct rch_error * that the call fills, or NULL.
#define assert_ok(st, err) assert_status_at((st), RCH_OK, (err), #st, __FILE__, __LINE__)
#define assert_status(st, want, err) assert_status_at((st), (want), (err), #st, __FILE__, __LINE__)
void assert_status_at(enum rch_status st, enum rch_status want, const struct rch_error *err,
                      const char *expr, const char *file, int line);

/// A fixed sequence of numbers, for tests that want many different ones (splitmix64, S. Vigna,
/// public domain).
uint64_t next_random(uint64_t *seed);

#endif
