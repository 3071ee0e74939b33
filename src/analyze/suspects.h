// SPDX-License-Identifier: MIT
// analyze/suspects.h -- the leak, found without a question: sets of objects that look like one, best
// first, each with who holds it (an answer as of rch_why), what it keeps, and why it is suspected.
//
// Where suspects come from (lead.h): all objects of each type that the program or a package of its
// defines, unless they are parts of objects of another such type (in the dominator tree they hang below
// those, one to a few each); and of any type, many objects that hang right below one object in the
// dominator tree. The best leads by number and bytes are asked who holds them. Leads that the same
// references hold are one suspect: that of most holders, of the program's own types, comes first in it.
//
// Rank: a sum of tenths of bits. Ten say "seen twice as often with a leak as without":
//
//   size       half a bit each doubling of the number, a quarter each doubling of the bytes kept;
//              bytes that are a large part of the heap count more: a drop in the dominator tree
//   resources  open sockets, then files, that only the suspect keeps
//   owner      types of the program and its packages before built-in ones, before the standard
//              library's; a place in the standard library counts against objects of its own and for
//              those of the program, which do not belong there
//   evidence   each row of the table in evidence.c, for and against
//
// Bits of different evidence add up as if it were independent, which it is not quite: the sum ranks, it
// is no probability. From RCH_SUSPECT_LIKELY on a suspect is called likely.
#ifndef RCH_ANALYZE_SUSPECTS_H
#define RCH_ANALYZE_SUSPECTS_H
#include "analyze/growth.h"
#include "analyze/why.h"
#include "base/vec.h"

#define RCH_SUSPECT_POSSIBLE 50  // tenths of bits; below it is not listed
#define RCH_SUSPECT_LIKELY 100

struct rch_suspects_options {
    const struct rch_baseline *baseline;  // of an earlier graph of the process; NULL: none
    uint32_t max_suspects;                // 0: 10
    uint32_t max_leads;                   // asked who holds them, each a rch_why. 0: 32
    const struct rch_progress *progress;  // may be NULL
};

struct rch_suspect_reason {
    const char *word;      // of the evidence: "resources", "exception"
    const char *sentence;  // raw: escape it when printing
    int32_t score;         // tenths of bits; below 0: against
};

struct rch_suspect_type {
    const char *type;
    uint64_t objects;
};

struct rch_suspect {
    const char *type;     // full name
    uint64_t objects;     // the set S
    uint64_t bytes;       // their shallow bytes
    uint64_t kept;        // objects that only these keep alive, S and those of `with` included
    uint64_t kept_bytes;  // their shallow bytes: what those retain, exact
    uint32_t sockets, files, other_fds;  // open descriptors whose owners are kept
    int32_t score;                       // tenths of bits
    bool is_likely;
    const struct rch_suspect_reason *reasons;  // those that count most first
    uint32_t num_reasons;
    const struct rch_suspect_type *with;  // types of further leads that the same references hold
    uint32_t num_with;
    const struct rch_answer *answer;  // who holds S
};

struct rch_suspects {
    struct rch_arena arena;        // owns what is not an answer
    struct rch_suspect *suspects;  // most suspicious first
    uint32_t num_suspects;
    uint32_t num_more;   // suspects that max_suspects leaves out
    uint32_t num_leads;  // asked who holds them
    uint64_t heap_objects, heap_bytes;
    bool has_baseline;
    bool is_partial;
    struct rch_vec answers;  // struct rch_answer *
};

/// Find suspects. `rev` may be NULL: then it is made and dropped. On success the caller owns *out.
/// Dominators and retained bytes, then O(nodes + refs) a lead: a few passes each. Some 50 bytes a node
/// while it works.
RCH_MUST_CHECK enum rch_status rch_suspects(const struct rch_graph *g,
                                            const struct rch_reverse *rev,
                                            const struct rch_suspects_options *options,
                                            const struct rch_alloc *alloc,
                                            struct rch_suspects **out, struct rch_error *err);
void rch_suspects_free(struct rch_suspects *suspects);  // NULL is fine

#endif
