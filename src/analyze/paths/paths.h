// SPDX-License-Identifier: MIT
// analyze/paths/paths.h -- all ways that hold an object: for one object the best paths from the roots,
// each of which reads differently and begins at the last
// module it passes; for several the tree of their best paths, merged, with counts.
//
// Best: least penalty, then fewest hops, then as text. What explains least comes last: running
// frames, what C holds, imports, references without a name (view.h), weak references' callbacks,
// registries and the questioner's own variables (filter.h).
#ifndef RCH_ANALYZE_PATHS_H
#define RCH_ANALYZE_PATHS_H
#include "analyze/why/why.h"

enum { RCH_MAX_EXCLUDES = 32 };

/// A pattern of what to leave out, see filter.h.
struct rch_exclude {
    const char *pattern;
    bool is_root;  // of roots; false: of references
};

struct rch_paths_options {
    uint32_t max_paths;  // k, of one object. 0: 10
    bool each;  // also paths that differ by keys and indices only, or lead through a module
    const struct rch_exclude *excludes;
    uint32_t num_excludes;  // at most RCH_MAX_EXCLUDES
    uint64_t max_steps;  // references looked at after the first path before giving up. 0: 2 million
    const struct rch_progress *progress;
};

struct rch_found_path {
    struct rch_holder way;   // root, hops and fingerprint; the other fields mean nothing
    uint32_t penalty, hops;  // what it was ranked by; ends of the path that fold are no hop here
};

/// What one pattern took away.
struct rch_excluded {
    const char *pattern;
    bool is_root;
    uint64_t matched;  // references, or roots, in the whole graph
    uint64_t dropped;  // of one object: paths of the k best; of several: objects whose best path it
                       // was on
};

/// A hop of the tree. Depth 0 is a root by itself, and `hop` means nothing.
struct rch_path_branch {
    uint32_t parent;  // index, UINT32_MAX: a root
    uint32_t depth;
    uint32_t members;  // of the question, that hang here or below
    uint32_t ends;     // of those, that are this hop's object
    uint32_t num_branches;
    struct rch_hop hop;
    const struct rch_holder *root;  // of a root: root_kind, root_name, root_detail; else NULL
};

struct rch_paths {
    struct rch_arena arena;  // owns everything below
    const char *question;
    uint64_t objects, bytes;       // of the question
    struct rch_found_path *paths;  // one object: best first
    uint32_t num_paths;
    bool is_all;                       // there is no other path (that reads differently)
    bool has_given_up;                 // there may be more, but they took too long to find
    struct rch_path_branch *branches;  // several: each after its parent, most members first
    uint32_t num_branches;
    struct rch_excluded *excluded;
    uint32_t num_excluded;
    uint64_t dropped;  // as in rch_excluded, by any of them
    uint64_t reached;  // members that a live root reaches; no such: garbage's paths are told
    uint64_t garbage;  // members that only garbage reaches
    uint64_t unheld;   // members that nothing reaches but the questioner, or what was excluded
    bool is_garbage;   // no live root reaches any: the paths begin at garbage
    bool is_partial;
};

/// Answer. `rev` may be NULL: then it is made and dropped. On success the caller ends *out with
/// rch_paths_free. One object: O(nodes + refs) for the first path (rch_distances), then what is
/// looked at for each further one: see best_paths.h. Several: O(nodes + refs).
RCH_MUST_CHECK enum rch_status rch_paths(const struct rch_graph *g, const struct rch_reverse *rev,
                                         const struct rch_question *question,
                                         const struct rch_paths_options *options,
                                         const struct rch_alloc *alloc, struct rch_paths **out,
                                         struct rch_error *err);
void rch_paths_free(struct rch_paths *paths);

#endif
