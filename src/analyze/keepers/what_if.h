// SPDX-License-Identifier: MIT
// analyze/keepers/what_if.h -- what would become free if some references were not there? Exactly: what live roots
// reach with them, less what they reach without. Weak references hold nothing, nor do instances their types.
#ifndef RCH_ANALYZE_WHAT_IF_H
#define RCH_ANALYZE_WHAT_IF_H
#include "analyze/keepers/named_reference.h"
#include "base/progress.h"

struct rch_freed_type {
    const char *type;  // full name
    uint64_t objects, bytes;
};

/// What stays alive next to a cut because something else holds it too.
struct rch_kept {
    uint64_t targets;       // objects that the cut references lead to, alive before the cut
    uint64_t kept_targets;  // of these, alive after it
    const char *type;  // of most of the collector's objects among them. If there are none, of most
                       // that what becomes free refers to (classes, functions and modules left
                       // out). NULL: none of either
    uint64_t num_of_type;  // how many those are
    bool is_beyond;        // they are the latter
    struct rch_holder
        other;  // who keeps one of them: the preferred path. fingerprint NULL: only the asker
};

struct rch_what_if_cut {
    const char *text;                   // as it was asked
    struct rch_named_reference *named;  // what it names
    struct rch_freed frees;             // by this cut alone; `question` is 0
    struct rch_kept kept;               // after this cut alone
};

struct rch_what_if {
    struct rch_arena arena;  // owns what follows, but for `lists`
    struct rch_what_if_cut *cuts;
    uint32_t num_cuts;
    struct rch_freed frees;        // by all cuts together
    struct rch_kept kept;          // after all cuts
    struct rch_freed_type *types;  // of all that becomes free: most bytes first, then by name
    uint32_t num_types;
    struct rch_reference_list *lists;  // one a cut, own the references
    bool is_partial;
};

enum { RCH_MAX_CUTS = 64 };

/// Cut what `texts` name (1 to RCH_MAX_CUTS of them), as named_reference.h has it. RCH_ENOTFOUND: one names
/// nothing, and unclear->near may help; RCH_EINVAL: one names several, unclear->found has them, or cannot be
/// read. `unclear` is valid after every return and the caller's to deinit. `rev` may be NULL: then it is made
/// and dropped. `progress` may be NULL. On success the caller owns *out. O(nodes + refs), one full sweep and
/// one over the freed part for every cut; another view and sweep for each next to which something stays.
RCH_MUST_CHECK enum rch_status rch_what_if(const struct rch_graph *g, const struct rch_reverse *rev,
                                           const char *const *texts, uint32_t num,
                                           const struct rch_progress *progress,
                                           const struct rch_alloc *alloc, struct rch_what_if **out,
                                           struct rch_reference_list *unclear,
                                           struct rch_error *err);
void rch_what_if_free(struct rch_what_if *answer);  // NULL is fine

#endif
