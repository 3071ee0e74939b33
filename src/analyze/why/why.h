// SPDX-License-Identifier: MIT
// analyze/why/why.h -- the main question: why are these objects alive? The answer is the set of
// *holders*: a minimum cut between the roots and the question, each cut named from its root, with
// what it holds and exactly what cutting it frees. Graph in, plain structs out; no printing.
#ifndef RCH_ANALYZE_WHY_H
#define RCH_ANALYZE_WHY_H
#include "base/arena.h"
#include "base/progress.h"
#include "model/graph.h"
#include "model/reverse.h"

/// The question: a set S of objects.
struct rch_question {
    const char *text;         // as shown: "minimq.transport.TCPTransport", "object at 0x7f..."
    const rch_node *members;  // sorted, unique, objects only
    uint32_t num_members;
};

struct rch_why_options {
    uint32_t max_holders;  // k; more independent references than this: "diffuse". 0: 8; at most 64
    uint32_t max_groups;   // path groups listed per holder beyond the first. 0: 8
    bool raw;              // do not fold hops (D6)
    const struct rch_progress *progress;  // may be NULL
};

/// What becomes unreachable by one act.
struct rch_freed {
    uint64_t question;  // members of S
    uint64_t objects;   // all objects, S included
    uint64_t bytes;     // their shallow bytes
};

/// One hop of a path: a reference and the object it leads to, merged over all members of S whose
/// paths look alike. Strings live in the answer's arena and are raw: escape them when printing.
struct rch_hop {
    enum rch_edge_kind kind;
    const char *name;       // NULL: none, or not the same for all
    uint32_t index;         // list index or entry number, UINT32_MAX: none, or not the same for all
    const char *type;       // qualified name of the type of the object reached
    uint32_t num_objects;   // distinct objects at this hop
    rch_node example;       // one of them
    uint32_t num_elements;  // of the container this hop goes *out of*: how many entries it has, the
                            // most if there are several; 0: none
    const char *key_type;   // for value/key hops, and attributes whose name is not known: type of
                            // the key if all have the same, else NULL
    bool is_guessed;
    bool is_class;  // it leads to classes; `type` is then their metaclass
};

/// Members of S that one holder keeps alive by paths that look alike.
struct rch_path_group {
    const struct rch_hop *hops;
    uint32_t num_hops;
    uint32_t num_members;
};

struct rch_holder {
    const char *fingerprint;  // "rc1:" + 16 hex digits
    enum rch_root_kind root_kind;
    const char *root_name, *root_detail;
    const struct rch_hop *hops;  // from the root to a member of S; groups[0].hops. None: the member
    uint32_t num_hops;           // is the root itself (a module)
    bool is_cuttable;   // false: garbage, or nothing on the path can be cut; then the figures of
                        // the cut are 0, `cut` is UINT32_MAX and `holds` counts like paths
    uint32_t cut;       // hops[cut] is the reference to cut
    bool cut_is_group;  // cut all of them at once: entries of the container hops[cut] goes out of
    uint32_t num_cut_refs;  // how many references that is: those of the container that lead on to
                            // the question; a mapping's key and value are one, and go together
    uint64_t holds;         // members of S reachable when this is the only holder left (is_diffuse:
                            // those whose preferred path is this one)
    uint64_t holds_only;    // members of S that only this holder reaches
    struct rch_freed frees;               // by this cut alone
    const struct rch_path_group *groups;  // [0] is the one shown; sorted by num_members, then text
    uint32_t num_groups;
    uint32_t num_more_groups;  // not listed
    const char *const
        *also;  // other references from the same root to the same holder: ".producers"
    uint32_t num_also;
    const char *advice;  // one sentence, or NULL
};

struct rch_answer {
    struct rch_arena arena;  // owns everything below
    const char *question;
    uint64_t objects, bytes;     // of S
    struct rch_holder *holders;  // most held first, then by fingerprint
    uint32_t num_holders;
    uint32_t num_more_holders;  // groups of like paths not listed: is_diffuse, or not cuttable
    bool is_diffuse;           // no small cut: holders are groups of like paths, cuts counted alone
    struct rch_freed all_cut;  // by all holders' cuts together
    uint64_t garbage;          // members only garbage roots reach
    uint64_t c_held;           // members held by holders whose root is C-held
    uint64_t observer;         // members only the observer reaches
    uint64_t uncuttable;       // members reached by a path on which nothing can be cut
    uint64_t in_use;           // members that variables of running functions refer to, set aside
                               // because the answer would be diffuse with them
    uint64_t unexplained;      // no root reaches them at all
    // If not is_diffuse: objects = all_cut.question + garbage + observer + uncuttable + in_use +
    // unexplained.
    const char *const *in_use_names;  // "local self of read()": some of those variables
    uint32_t num_in_use_names;
    const char *const *observer_names;  // "local x of ask()": what of the observer holds members
    uint32_t num_observer_names;
    const char *const *warnings;
    uint32_t num_warnings;
    bool is_partial;
};

/// Answer. `rev` may be NULL: then it is made and dropped. On success the caller owns
/// *answer_out (rch_answer_free). O(nodes + refs), a few passes; temporary memory about 10 bytes a
/// node.
RCH_MUST_CHECK enum rch_status rch_why(const struct rch_graph *g, const struct rch_reverse *rev,
                                       const struct rch_question *question,
                                       const struct rch_why_options *options,
                                       const struct rch_alloc *alloc,
                                       struct rch_answer **answer_out, struct rch_error *err);
void rch_answer_free(struct rch_answer *answer);

#endif
