// SPDX-License-Identifier: MIT
// bench/c/analyses.c -- one function an analysis, as the program calls it.
#include "bench/c/analyses.h"

#include "analyze/growth/growth.h"
#include "analyze/common/histogram.h"
#include "analyze/keepers/retained.h"
#include "analyze/why/why.h"
#include "model/verify.h"

static enum rch_status run_verify(struct bench *b, struct rch_error *err)
{
    return rch_graph_verify(b->g, err);
}

static enum rch_status run_histogram(struct bench *b, struct rch_error *err)
{
    struct rch_type_count *rows;
    uint32_t num;
    RCH_TRY(rch_histogram(b->g, b->alloc, &rows, &num, err));
    rch_free(b->alloc, rows, num, sizeof(*rows));
    return RCH_OK;
}

static enum rch_status run_reverse(struct bench *b, struct rch_error *err)
{
    return rch_reverse_init(&b->reverse, b->g, b->alloc, err);
}

static enum rch_status ask(struct bench *b, const rch_node *members, uint32_t num,
                           uint32_t *num_holders_out, struct rch_error *err)
{
    struct rch_question question = {"bench", members, num};
    struct rch_answer *answer;
    RCH_TRY(rch_why(b->g, &b->reverse, &question, NULL, b->alloc, &answer, err));
    *num_holders_out = answer->num_holders;
    rch_answer_free(answer);
    return RCH_OK;
}

static enum rch_status run_path(struct bench *b, struct rch_error *err)
{
    uint32_t num_holders;
    return ask(b, &b->made.asked, 1, &num_holders, err);
}

static enum rch_status run_holders(struct bench *b, struct rch_error *err)
{
    uint32_t num_holders;
    RCH_TRY(ask(b, b->made.leaked, BENCH_LEAKED, &num_holders, err));
    if (num_holders != 2)
        return rch_fail(err, RCH_ECORRUPT, "%u holders, there are 2", num_holders);
    return RCH_OK;
}

static enum rch_status run_growth(struct bench *b, struct rch_error *err)
{
    struct rch_growth_options options = {.births = NULL};
    struct rch_baseline *before;
    struct rch_growth *growth = NULL;
    RCH_TRY(rch_baseline_make(b->g, b->alloc, &before, err));
    enum rch_status st = rch_growth(before, b->g, NULL, &options, b->alloc, &growth, err);
    if (st == RCH_OK)
        rch_growth_free(growth);
    rch_baseline_free(before);
    return st;
}

static enum rch_status run_dominators(struct bench *b, struct rch_error *err)
{
    return rch_domtree_init(&b->domtree, b->g, b->alloc, NULL, err);
}

static enum rch_status run_retained(struct bench *b, struct rch_error *err)
{
    return rch_retained_bytes(b->g, &b->domtree, b->alloc, &b->retained, err);
}

static enum rch_status run_retained_by_type(struct bench *b, struct rch_error *err)
{
    uint64_t *by_type;
    RCH_TRY(rch_retained_by_type(b->g, &b->domtree, b->retained, b->alloc, &by_type, err));
    rch_free(b->alloc, by_type, b->g->num_types, sizeof(*by_type));
    return RCH_OK;
}

const struct bench_analysis bench_analyses[] = {
    {"verify", 0, 0, run_verify},
    {"histogram", 0, 0, run_histogram},
    {"reverse", 0, BENCH_REVERSE, run_reverse},
    {"path", BENCH_REVERSE, 0, run_path},
    {"holders", BENCH_REVERSE, 0, run_holders},
    {"growth", 0, 0, run_growth},
    {"dominators", 0, BENCH_DOMTREE, run_dominators},
    {"retained", BENCH_DOMTREE, BENCH_RETAINED, run_retained},
    {"retained_by_type", BENCH_DOMTREE | BENCH_RETAINED, 0, run_retained_by_type},
    {NULL, 0, 0, NULL},
};

void bench_drop(struct bench *b, unsigned keep)
{
    unsigned gone = b->has & ~keep;
    if (gone & BENCH_REVERSE)
        rch_reverse_deinit(&b->reverse);
    if (gone & BENCH_DOMTREE)
        rch_domtree_deinit(&b->domtree);
    if (gone & BENCH_RETAINED)
        rch_free(b->alloc, b->retained, (size_t)b->g->num_nodes + 1, sizeof(*b->retained));
    b->has &= keep;
}

enum rch_status bench_prepare(struct bench *b, unsigned needs, struct rch_error *err)
{
    for (const struct bench_analysis *a = bench_analyses; a->name; a++) {
        if (!(a->makes & needs & ~b->has))
            continue;
        RCH_TRY(a->run(b, err));  // what it needs itself comes before it, and is in `needs`
        b->has |= a->makes;
    }
    return RCH_OK;
}
