// SPDX-License-Identifier: MIT
// analyze/suspects/evidence.h -- what one piece of evidence says of one lead that has been asked about: a score in
// tenths of bits and a sentence for the reader; nothing to say: zeros. The table is in evidence.c.
#ifndef RCH_ANALYZE_EVIDENCE_H
#define RCH_ANALYZE_EVIDENCE_H
#include "analyze/suspects/suspects_impl.h"

struct rch__case {
    struct rch__search *s;
    const struct rch__lead *lead;  // told: what is kept is filled in
    const uint64_t *kept;          // bits: what only its members keep, them included
    struct rch_arena *arena;       // of sentences
    bool is_out_of_memory;         // a judge could not write its sentence
};
struct rch__verdict {
    int32_t score;
    const char *sentence;  // NULL: not told; the arena's or static. Raw: escape it when printing
};

/// A verdict with a sentence made by printf.
#define RCH__VERDICT(c, points, ...) \
    rch__verdict_of((c), (points), rch_arena_printf((c)->arena, __VA_ARGS__))
struct rch__verdict rch__verdict_of(struct rch__case *c, int32_t score, const char *sentence);

// evidence_size.c: number, bytes, resources, and how they hang together.
struct rch__verdict rch__judge_size(struct rch__case *c);
struct rch__verdict rch__judge_accumulation(struct rch__case *c);
struct rch__verdict rch__judge_chain(struct rch__case *c);
struct rch__verdict rch__judge_several(struct rch__case *c);
struct rch__verdict rch__judge_scattered(struct rch__case *c);
struct rch__verdict rch__judge_resources(struct rch__case *c);
struct rch__verdict rch__judge_garbage(struct rch__case *c);

struct rch__verdict rch__judge_growth(struct rch__case *c);
struct rch__verdict rch__judge_plain_data(struct rch__case *c);

// evidence_state.c: what the kept objects say of themselves. O(kept) each, at most a million.
struct rch__verdict rch__judge_closed(struct rch__case *c);
struct rch__verdict rch__judge_finished(struct rch__case *c);
struct rch__verdict rch__judge_empty(struct rch__case *c);

// evidence_path.c: what stands on the paths of the holders.
struct rch__verdict rch__judge_place(struct rch__case *c);
struct rch__verdict rch__judge_cache(struct rch__case *c);
struct rch__verdict rch__judge_callbacks(struct rch__case *c);
struct rch__verdict rch__judge_exception(struct rch__case *c);
struct rch__verdict rch__judge_weak_mapping(struct rch__case *c);
struct rch__verdict rch__judge_c_held(struct rch__case *c);
struct rch__verdict rch__judge_context(struct rch__case *c);
struct rch__verdict rch__judge_thread_local(struct rch__case *c);
struct rch__verdict rch__judge_suspended(struct rch__case *c);
struct rch__verdict rch__judge_class_container(struct rch__case *c);
struct rch__verdict rch__judge_default_argument(struct rch__case *c);
struct rch__verdict rch__judge_logging(struct rch__case *c);
struct rch__verdict rch__judge_closure(struct rch__case *c);

#endif
