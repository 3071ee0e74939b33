// SPDX-License-Identifier: MIT
// analyze/suspects/suspects.h -- the leak, found without a question: sets of objects that look like one, best
// first, each with who holds it (an answer as of rch_why), what it keeps, and why it is suspected.
//
// Where suspects come from. A *lead* is a set of objects worth a question:
//
//   fd_leads.c     all objects of a type of which many own open descriptors, as `fds` names owners
//   type_leads.c   all objects of a type of the program or its packages, unless they are parts of objects of
//                  another such type: below those in the dominator tree, a few to one
//   crowd_leads.c  objects of any other type, many right below one object in the dominator tree: what a
//                  container has accumulated and nothing else holds. Few, if they are much of the heap
//
// The best by number, bytes and owner are asked who holds them: a minimum cut, so that all holders show.
// Leads of which half the holders are the same are one suspect, and so are links of one chain, where one
// keeps the other and little else. It is told by the lead that owns descriptors, then by one of the
// program's own types, then by that of most holders.
//
// Rank: a sum of tenths of bits. Ten say "seen twice as often with a leak as without":
//
//   size       half a bit each doubling of the number; 0.3 each doubling of the bytes kept above 4 KiB, and one
//              each doubling above a 64th of the heap
//   owner      types of the program and its packages 4 bits; others hanging in the program's modules 2, in the
//              standard library's -8, whether the place is known and benign or not (benign_holders.def)
//   evidence   the table in evidence.c, one function a row: resources, what the paths of the holders go
//              through, growth, what objects say of themselves; for and against
//
// Bits of different evidence add up as if it were independent, which it is not quite: the sum ranks, it is
// no probability. A suspect is called likely from RCH_SUSPECT_LIKELY on, if there is an anomaly among its
// reasons: many objects in one container alone are as often a cache or a table that is meant. Likely ones
// come first.
#ifndef RCH_ANALYZE_SUSPECTS_H
#define RCH_ANALYZE_SUSPECTS_H
#include "analyze/growth/growth.h"
#include "analyze/why/why.h"
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
