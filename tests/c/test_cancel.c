// SPDX-License-Identifier: MIT
// Claims about long work on a graph of some size: it asks whether to go on at least once in
// RCH_ASK_EVERY nodes and references, and told to stop at any of these times it stops and leaves
// nothing behind.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/common/ask.h"
#include "analyze/growth/growth.h"
#include "analyze/common/histogram.h"
#include "format/rch_file.h"
#include "made_graph.h"
#include "model/reverse.h"
#include "support.h"

enum { NUM_OBJECTS = 300000 };

static struct rch_graph *big;
static struct rch_reverse reverse;
static struct rch_ask_list few, one;

static int make_big(void **state)
{
    char addr[32];
    (void)state;
    big = make_big_graph(NUM_OBJECTS);
    snprintf(addr, sizeof(addr), "%llu", (unsigned long long)rch_addr_of(big, NUM_OBJECTS / 2));
    return rch_reverse_init(&reverse, big, rch_alloc_default(), NULL) != RCH_OK ||
           rch_ask(big, "made.Type49", rch_alloc_default(), &few, NULL) != RCH_OK ||
           rch_ask(big, addr, rch_alloc_default(), &one, NULL) != RCH_OK;
}

static int drop_big(void **state)
{
    (void)state;
    rch_ask_list_deinit(&few);
    rch_ask_list_deinit(&one);
    rch_reverse_deinit(&reverse);
    rch_graph_free(big);
    return 0;
}

// --- work, and how often it must ask ---

typedef enum rch_status work_fn(const struct rch_alloc *alloc, const struct rch_progress *progress,
                                struct rch_error *err);

static enum rch_status make_reverse(const struct rch_alloc *alloc,
                                    const struct rch_progress *progress, struct rch_error *err)
{
    struct rch_reverse rev;
    enum rch_status st = rch_reverse_make(&rev, big, alloc, progress, err);
    if (st == RCH_OK)
        rch_reverse_deinit(&rev);
    return st;
}

static enum rch_status make_retained(const struct rch_alloc *alloc,
                                     const struct rch_progress *progress, struct rch_error *err)
{
    struct rch_type_count *rows = NULL;
    uint32_t num = 0;
    RCH_TRY(rch_histogram(big, alloc, &rows, &num, err));
    enum rch_status st = rch_histogram_retained(big, alloc, progress, rows, num, err);
    rch_free(alloc, rows, num, sizeof(*rows));
    return st;
}

static enum rch_status answer(const struct rch_ask_list *list, const struct rch_alloc *alloc,
                              const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_why_options options = {.progress = progress};
    struct rch_answer *got = NULL;
    enum rch_status st =
        rch_why(big, &reverse, &list->asked[0].question, &options, alloc, &got, err);
    if (st == RCH_OK)
        rch_answer_free(got);
    return st;
}

static enum rch_status why_one(const struct rch_alloc *alloc, const struct rch_progress *progress,
                               struct rch_error *err)
{
    return answer(&one, alloc, progress, err);
}

static enum rch_status why_few(const struct rch_alloc *alloc, const struct rch_progress *progress,
                               struct rch_error *err)
{
    return answer(&few, alloc, progress, err);
}

// All objects are new: every one is at some place.
static enum rch_status grow(const struct rch_alloc *alloc, const struct rch_progress *progress,
                            struct rch_error *err)
{
    static const uint32_t str_start[] = {0, 1}, edge_start[] = {0};
    const struct rch_graph nothing = {.str_start = str_start,
                                      .str_bytes = "",
                                      .num_strs = 1,
                                      .num_str_bytes = 1,
                                      .edge_start = edge_start};
    const struct rch_growth_options options = {.progress = progress};
    struct rch_baseline *base = NULL;
    struct rch_growth *growth = NULL;
    RCH_TRY(rch_baseline_make(&nothing, alloc, &base, err));
    enum rch_status st = rch_growth(base, big, &reverse, &options, alloc, &growth, err);
    rch_baseline_free(base);
    if (st == RCH_OK)
        rch_growth_free(growth);
    return st;
}

struct asked {
    uint64_t calls, allowed;  // allowed 0: for ever
};

static bool count_call(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct asked *asked = ctx;
    assert_non_null(phase);
    (void)done, (void)total;
    return ++asked->calls != asked->allowed;
}

// Told to stop at the first, the second, ... call; of many calls at some of them, the last included.
static void check_work(work_fn *work, uint64_t least_calls)
{
    struct asked asked = {0};
    const struct rch_progress progress = {count_call, &asked};
    struct rch_error err;
    assert_ok(work(rch_alloc_default(), &progress, &err), &err);
    uint64_t num = asked.calls, step = num > 40 ? num / 40 : 1;
    if (num < least_calls)
        fail_msg("asked %llu times, not %llu", (unsigned long long)num,
                 (unsigned long long)least_calls);
    for (uint64_t at = 1; at <= num; at = at < num && at + step > num ? num : at + step) {
        struct tracked_alloc tracked;
        asked = (struct asked){.allowed = at};
        tracked_alloc_init(&tracked, 0);
        assert_status(work(&tracked.alloc, &progress, &err), RCH_ECANCELED, &err);
        tracked_alloc_finish(&tracked);
        assert_int_equal(asked.calls, at);  // nobody asks again
    }
}

static uint64_t passes(double nodes, double refs)
{
    return (uint64_t)(nodes * big->num_nodes + refs * reverse.num_refs) / RCH_ASK_EVERY;
}

static void collecting_referrers_can_be_canceled(void **state)
{
    (void)state;
    check_work(make_reverse, passes(1, 2));
}

static void retained_bytes_can_be_canceled(void **state)
{
    (void)state;
    check_work(make_retained, passes(8, 4));
}

static void a_question_about_one_object_can_be_canceled(void **state)
{
    (void)state;
    check_work(why_one, passes(1, 1));
}

static void a_diffuse_question_can_be_canceled(void **state)
{
    (void)state;
    check_work(why_few, passes(10, 10));
}

static void growth_can_be_canceled(void **state)
{
    (void)state;
    check_work(grow, passes(2, 2));
}

static void a_step_that_crosses_the_mark_asks(void **state)
{
    struct asked asked = {0};
    const struct rch_progress progress = {count_call, &asked};
    struct rch_asking asking = {.progress = &progress, .phase = "a test"};
    (void)state;
    for (uint32_t i = 0; i < 10 * RCH_ASK_EVERY; i++)
        assert_true(rch_goes_on(&asking, 1));
    assert_int_equal(asked.calls, 10);
    assert_true(rch_goes_on(&asking, 5 * RCH_ASK_EVERY));  // one large step: once is enough
    assert_int_equal(asked.calls, 11);
    asked.allowed = 12;
    assert_false(rch_goes_on(&asking, RCH_ASK_EVERY));
    assert_false(rch_goes_on(&asking, 1));  // it stays so
    assert_int_equal(asked.calls, 12);
    assert_true(rch_goes_on(NULL, RCH_ASK_EVERY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_that_crosses_the_mark_asks),
        cmocka_unit_test(collecting_referrers_can_be_canceled),
        cmocka_unit_test(retained_bytes_can_be_canceled),
        cmocka_unit_test(a_question_about_one_object_can_be_canceled),
        cmocka_unit_test(a_diffuse_question_can_be_canceled),
        cmocka_unit_test(growth_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, make_big, drop_big);
}
