// SPDX-License-Identifier: MIT
// analyze/suspects/evidence.c -- the table of evidence: what it is called and the function that judges it. New
// evidence is a function (evidence_*.c) and a row here.
#include "analyze/suspects/evidence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct evidence {
    const char *word;
    struct rch__verdict (*judge)(struct rch__case *c);
    bool is_anomaly;  // of a leak, not only of many objects: may make a suspect likely
};

static const struct evidence table[] = {
    {"size", rch__judge_size, false},
    {"accumulation", rch__judge_accumulation, false},
    {"place", rch__judge_place, true},
    {"chain", rch__judge_chain, true},
    {"several-holders", rch__judge_several, false},
    {"scattered", rch__judge_scattered, false},
    {"resources", rch__judge_resources, true},
    {"garbage", rch__judge_garbage, true},
    {"cache", rch__judge_cache, true},
    {"callbacks", rch__judge_callbacks, true},
    {"exception", rch__judge_exception, true},
    {"weak-mapping", rch__judge_weak_mapping, true},
    {"held-from-c", rch__judge_c_held, true},
    {"context", rch__judge_context, true},
    {"thread-local", rch__judge_thread_local, true},
    {"suspended", rch__judge_suspended, true},
    {"class-container", rch__judge_class_container, true},
    {"default-argument", rch__judge_default_argument, true},
    {"logging", rch__judge_logging, true},
    {"closure", rch__judge_closure, false},
    {"growth", rch__judge_growth, true},
    {"closed", rch__judge_closed, true},
    {"finished", rch__judge_finished, true},
    {"empty-containers", rch__judge_empty, false},
    {"plain-data", rch__judge_plain_data, false},
};
enum { NUM_EVIDENCE = sizeof(table) / sizeof(table[0]), ANOMALY = 15 };

static int compare_reasons(const void *a, const void *b)
{
    const struct rch_suspect_reason *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return strcmp(x->word, y->word);
}

enum rch_status rch__judge(struct rch__search *s, struct rch__lead *lead, const uint64_t *kept,
                           struct rch_error *err)
{
    struct rch__case c = {s, lead, kept, s->arena, false};
    struct rch_suspect *told = &lead->told;
    struct rch_suspect_reason *reasons =
        rch_arena_take(s->arena, NUM_EVIDENCE, sizeof(struct rch_suspect_reason));
    if (!reasons)
        return rch_fail(err, RCH_ENOMEM, "evidence");
    told->score = rch__size_score(s, lead->type, told->objects, told->kept_bytes);
    bool has_anomaly = false;
    for (size_t i = 0; i < NUM_EVIDENCE; i++) {
        struct rch__verdict verdict = table[i].judge(&c);
        if (c.is_out_of_memory)
            return rch_fail(err, RCH_ENOMEM, "evidence");
        told->score += verdict.score;
        has_anomaly =
            has_anomaly || (table[i].is_anomaly && verdict.sentence && verdict.score >= ANOMALY);
        if (verdict.sentence)
            reasons[told->num_reasons++] =
                (struct rch_suspect_reason){table[i].word, verdict.sentence, verdict.score};
    }
    if (told->num_reasons)
        qsort(reasons, told->num_reasons, sizeof(*reasons), compare_reasons);
    told->reasons = reasons;
    told->is_likely = has_anomaly && told->score >= RCH_SUSPECT_LIKELY;
    return RCH_OK;
}
