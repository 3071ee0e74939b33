// SPDX-License-Identifier: MIT
// analyze/growth/growth.h -- what came and went between two graphs of one program: by type, and what came by
// the place it hangs at, which is the path from its root without keys and indices. Of the earlier graph
// only a baseline is needed: where each object was, and of which type.
//
// What can be told of an object at an address where the baseline has one too:
//
//   the type is another                       it is new
//   it stands before the mark in the lists    it is the same one (struct rch_births)
//   behind a mark in the youngest list, and   it is new: the address was freed and used again
//   the old one was tracked
//   otherwise                                 taken as the same one; it may be another of its type
#ifndef RCH_ANALYZE_GROWTH_H
#define RCH_ANALYZE_GROWTH_H
#include "analyze/why/why.h"

/// Needs 8 bytes an object, and the names of the types. Nothing of the graph is kept.
struct rch_baseline;
RCH_MUST_CHECK enum rch_status rch_baseline_make(const struct rch_graph *g,
                                                 const struct rch_alloc *alloc,
                                                 struct rch_baseline **out, struct rch_error *err);
void rch_baseline_free(struct rch_baseline *base);  // NULL is fine
uint32_t rch_baseline_objects(const struct rch_baseline *base);
size_t rch_baseline_bytes(const struct rch_baseline *base);  // of memory

/// The order in which tracked objects came, as far as the collector's lists still tell: a mark was put
/// to the end of the youngest list when the baseline was taken.
struct rch_births {
    const rch_addr *later;  // ascending: tracked objects that stand behind the mark now
    size_t num_later;
    bool
        is_uncollected;  // the mark is in the youngest list: nothing tracked can have moved behind it
};

struct rch_growth_options {
    const struct rch_births *births;  // NULL: not known
    bool types_only;                  // no places
    uint32_t max_places;              // 0: 20
    const struct rch_progress *progress;
};

struct rch_growth_type {
    const char *type;      // full name
    uint64_t before, now;  // objects
    uint64_t made, gone;   // now - before = made - gone
    uint64_t before_bytes, now_bytes;
};

/// New objects of one type whose paths look alike.
struct rch_growth_place {
    struct rch_holder
        holder;  // fingerprint, root and hops, the last hop leads to the objects. No hops:
                 // the root itself (a module). The other fields mean nothing
    const char *type;
    uint64_t objects, bytes;
    uint64_t below,
        below_bytes;  // further new objects on paths through these, at no place of their own
};

struct rch_growth {
    struct rch_arena arena;  // owns everything below
    uint64_t before, now, made, gone, kept;
    uint64_t surely_kept;  // of `kept`: certainly the same objects
    uint64_t reused;       // of `made`: at an address that had an object of the same type
    uint64_t made_bytes;
    struct rch_growth_type *types;  // that changed: those that grew most first, then by name
    uint32_t num_types;
    struct rch_growth_place *places;  // most objects first
    uint32_t num_places;
    uint32_t num_more_places;  // not listed
    uint64_t more_objects;     // at those, and below
    uint64_t garbage;          // new objects that only garbage reaches: they wait for the collector
    uint64_t observer;         // new objects that only the observer holds, ourselves for instance
    uint64_t unexplained;      // new objects that nothing found holds
    bool is_partial;
};

/// Compare. An object is listed at a place of its own if something that is not new holds it, or if its
/// place has many times more objects than the one above it (a new cache with 80,000 entries); otherwise
/// it counts as `below`. The asker's variables are places like any other. `rev` may be NULL. On success
/// the caller owns *out. O(objects) for types, O(nodes + refs) for places.
RCH_MUST_CHECK enum rch_status rch_growth(const struct rch_baseline *base,
                                          const struct rch_graph *g, const struct rch_reverse *rev,
                                          const struct rch_growth_options *options,
                                          const struct rch_alloc *alloc, struct rch_growth **out,
                                          struct rch_error *err);
void rch_growth_free(struct rch_growth *growth);

#endif
