// SPDX-License-Identifier: MIT
// analyze/cycles/cycles.h -- objects that keep each other alive: strongly connected components, those of
// garbage that wait for the collector and, when a type is asked for, those of living objects. Ones
// that look alike are one group.
//
// Modules and their dictionaries are no part of living components: through the globals of its
// functions each would connect everything it names, and is never garbage.
#ifndef RCH_ANALYZE_CYCLES_H
#define RCH_ANALYZE_CYCLES_H
#include "analyze/why/why.h"

struct rch_cycles_options {
    bool garbage_only;
    uint32_t max_groups;  // 0: 20
    const struct rch_progress *progress;
};

struct rch_cycle_type {
    const char *type;
    uint64_t objects, bytes;
    bool has_del;  // its instances have a __del__ of their own or inherited
};

/// References of one look: cut them all, make them weak or do not make them.
struct rch_cycle_cut {
    const char *owner;   // type of the object that has them, or that has the container that does:
    bool has_via;        // then
    struct rch_hop via;  // is the reference to the container
    struct rch_hop hop;  // kind, name; type: that of an object they lead to
    uint64_t refs;       // how many, in the whole group
};

struct rch_cycle_group {
    bool is_garbage;
    uint64_t components;
    uint64_t objects, bytes;               // of all components
    uint64_t least_objects, most_objects;  // of a component
    uint64_t frees, frees_bytes;           // garbage: what goes with them, the components included
    const struct rch_cycle_type *types;    // most objects first; not: attribute dictionaries, cells
    uint32_t num_types;
    const char *start;  // type of the object that the cycle begins and ends at
    struct rch_hop
        *hops;  // a shortest cycle of the smallest component, the last leads to the start
    uint32_t num_hops;
    bool is_shortest;  // false: the component is so large that a shorter one may have been missed
    rch_node example;  // the object it begins at
    const struct rch_cycle_cut *cuts;  // without these references nothing is in a cycle
    uint32_t num_cuts;
    bool is_minimum;   // no fewer names will do; false: few, but perhaps not the fewest
    bool is_cuttable;  // false: there is a cycle of references that nobody can cut
    bool has_del;
};

struct rch_cycles {
    struct rch_arena arena;               // owns everything below
    const char *question;                 // NULL: all garbage
    uint64_t components, objects, bytes;  // in cycles
    uint64_t garbage, garbage_bytes;      // all garbage of the graph, hanging on cycles or in them
    struct rch_cycle_group *groups;       // garbage first, then most bytes
    uint32_t num_groups, num_more_groups;
    bool is_partial;
};

/// Answer. `question` NULL: garbage only; otherwise components with a member of it. `rev` may be NULL:
/// then it is made and dropped. On success the caller ends *out with rch_cycles_free.
/// O(nodes + refs), and as much as all garbage for each group told.
RCH_MUST_CHECK enum rch_status rch_cycles(const struct rch_graph *g, const struct rch_reverse *rev,
                                          const struct rch_question *question,
                                          const struct rch_cycles_options *options,
                                          const struct rch_alloc *alloc, struct rch_cycles **out,
                                          struct rch_error *err);
void rch_cycles_free(struct rch_cycles *cycles);

#endif
