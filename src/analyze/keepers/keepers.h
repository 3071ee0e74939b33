// SPDX-License-Identifier: MIT
// analyze/keepers/keepers.h -- who keeps the most, from the dominator tree: modules, named places, single objects,
// and what has the objects of a question in its hands. All bytes are exact: what would be freed with the row's
// objects, nothing twice within a row.
#ifndef RCH_ANALYZE_KEEPERS_H
#define RCH_ANALYZE_KEEPERS_H
#include "analyze/why/why.h"

enum rch_keepers_by {
    // Every module: its root, the module object and its namespace. Further rows for other kinds of roots, for
    // what several of these share, and for what no root reaches: together they are the whole heap.
    RCH_KEEPERS_MODULE,
    // Objects whose preferred paths read alike, keys and indices left out. A place whose bytes mostly
    // (PASSAGE) stand at a single place below it is left out for that one. Rows overlap: a place below
    // another is counted in both.
    RCH_KEEPERS_HOLDER,
    // Single objects, those left out that mostly keep one other object: at the others the bytes part. Rows
    // overlap as above.
    RCH_KEEPERS_DOMINATOR,
};

/// Objects of one type that the row's object dominates directly (attribute dictionaries and cells left out).
struct rch_kept_type {
    const char *type;
    uint64_t num;             // of them
    uint64_t objects, bytes;  // retained by these
    bool has_hop;             // num is 1, and the row's object refers to it itself:
    struct rch_hop hop;       // by this reference; kind, name, index
};

enum rch_keeper_kind {
    RCH_KEEPER_PLACE,    // `place` says where
    RCH_KEEPER_ROOTS,    // all roots of the kind place.root_kind; place has no names
    RCH_KEEPER_SHARED,   // what no single root keeps
    RCH_KEEPER_ORPHANS,  // what no root reaches: the questioner's own
};

struct rch_keeper {
    enum rch_keeper_kind kind;
    struct rch_holder place;  // root, hops and fingerprint; fingerprint NULL: not PLACE, or MODULE
    const char *type;         // HOLDER, DOMINATOR: of the objects there
    rch_node node;            // DOMINATOR: the object; else RCH_NO_NODE
    uint64_t objects, bytes;  // its own: 0 for MODULE
    uint64_t retained_objects, retained;  // those included
    struct rch_kept_type *below;          // DOMINATOR: most bytes first
    uint32_t num_below, num_more_below;   // types; not listed
};

struct rch_keepers {
    struct rch_arena arena;  // owns everything below
    enum rch_keepers_by by;
    uint64_t objects, bytes;  // of the whole heap
    struct rch_keeper *rows;
    uint32_t num_rows, num_more_rows;  // listed; not listed
    bool is_partial;
};

enum rch_keepers_sort { RCH_SORT_RETAINED, RCH_SORT_OBJECTS, RCH_SORT_BYTES };
struct rch_keepers_options {
    enum rch_keepers_by by;
    enum rch_keepers_sort
        sort;           // the most first; of MODULE, OBJECTS and BYTES mean the retained ones
    uint32_t max_rows;  // 0: 20; MODULE: all
    const struct rch_progress *progress;  // may be NULL
};

/// Time and memory are those of the dominator tree, of reverse references and 16 bytes a node; HOLDER also has a path for every
/// object, 40 bytes a node and 16 a reference. `rev` may be NULL: then it is made and dropped. On success the
/// caller owns *out.
RCH_MUST_CHECK enum rch_status rch_keepers(const struct rch_graph *g, const struct rch_reverse *rev,
                                           const struct rch_keepers_options *options,
                                           const struct rch_alloc *alloc, struct rch_keepers **out,
                                           struct rch_error *err);
void rch_keepers_free(struct rch_keepers *keepers);  // NULL is fine

// --- the dominators of a question ---

/// The immediate dominators of the question's members, in groups of one type (roots: one a root, what several
/// roots hold: one group). An attribute dictionary or a cell stands for its owner.
struct rch_dominator_group {
    enum rch_keeper_kind
        kind;          // PLACE: objects of `type`; ROOTS: place.root_* is the root; SHARED; ORPHANS
    const char *type;  // of the dominators; NULL unless PLACE
    struct rch_holder place;              // PLACE: of the dominator that keeps most, `example`
    rch_node example;                     // or RCH_NO_NODE
    uint64_t num_dominators;              // 1 unless PLACE
    uint64_t members;                     // that these dominate immediately
    uint64_t retained_objects, retained;  // by those members, nothing twice
};
struct rch_dominators_of {
    struct rch_arena arena;  // owns everything below
    const char *question;
    uint64_t members, bytes;              // their own
    uint64_t retained_objects, retained;  // by all of them together
    struct rch_dominator_group *groups;   // most members first
    uint32_t num_groups;
    bool has_common;                        // one object or root is on all paths to all members
    struct rch_holder common;               // the nearest such that is no member itself
    rch_node common_node;                   // RCH_NO_NODE: the root named there
    const char *common_type;                // NULL: a root
    uint64_t common_objects, common_bytes;  // that it retains
    bool is_partial;
};

/// O(nodes + refs). Owned as above.
RCH_MUST_CHECK enum rch_status rch_dominators_of(
    const struct rch_graph *g, const struct rch_reverse *rev, const struct rch_question *question,
    const struct rch_progress *progress, const struct rch_alloc *alloc,
    struct rch_dominators_of **out, struct rch_error *err);
void rch_dominators_of_free(struct rch_dominators_of *answer);  // NULL is fine

#endif
