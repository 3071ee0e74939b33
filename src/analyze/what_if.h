// SPDX-License-Identifier: MIT
// analyze/what_if.h -- what would become free if some references were not there? Exactly: what live roots
// reach with them, less what they reach without. Weak references hold nothing, nor do instances their types.
#ifndef RCH_ANALYZE_WHAT_IF_H
#define RCH_ANALYZE_WHAT_IF_H
#include "analyze/named_reference.h"
#include "base/progress.h"

struct rch_freed_type {
    const char *type;  // full name
    uint64_t objects, bytes;
};

/// The objects that the cut references lead to.
struct rch_cut_targets {
    uint64_t num;            // alive before the cut
    uint64_t kept;           // of these, alive after it
    const char *kept_type;    // of one that is kept: the collector's rather than an atom; NULL: none
    bool kept_is_atom;        // only atoms are kept: numbers and strings that others have too
    struct rch_holder other;  // who keeps that one: the preferred path to it. fingerprint NULL: none is kept
};

struct rch_what_if_cut {
    const char *text;                   // as it was asked
    struct rch_named_reference *named;  // what it names
    struct rch_freed frees;             // by this cut alone; `question` is 0
    struct rch_cut_targets targets;     // after this cut alone
};

struct rch_what_if {
    struct rch_arena arena;  // owns what follows, but for `lists`
    struct rch_what_if_cut *cuts;
    uint32_t num_cuts;
    struct rch_freed frees;          // by all cuts together
    struct rch_cut_targets targets;  // after all cuts, of all
    struct rch_freed_type *types;    // of all that becomes free: most bytes first, then by name
    uint32_t num_types;
    struct rch_reference_list *lists;  // one a cut, own the references
    bool is_partial;
};

enum { RCH_MAX_CUTS = 64 };

/// Cut what `texts` name (1 to RCH_MAX_CUTS of them), as named_reference.h has it. RCH_ENOTFOUND: one names
/// nothing, and unclear->near may help; RCH_EINVAL: one names several, unclear->found has them, or cannot be
/// read. `unclear` is valid after every return and the caller's to deinit. `rev` may be NULL: then it is made
/// and dropped. `progress` may be NULL. On success the caller owns *out. O(nodes + refs), one full sweep and
/// one over the freed part for every cut; another view and sweep for each of whose targets some are kept.
RCH_MUST_CHECK enum rch_status rch_what_if(const struct rch_graph *g, const struct rch_reverse *rev,
                                           const char *const *texts, uint32_t num,
                                           const struct rch_progress *progress,
                                           const struct rch_alloc *alloc, struct rch_what_if **out,
                                           struct rch_reference_list *unclear,
                                           struct rch_error *err);
void rch_what_if_free(struct rch_what_if *answer);  // NULL is fine

#endif
