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
#include "analyze/cycles/cycles.h"
#include "analyze/keepers/keepers.h"
#include "analyze/paths/paths.h"
#include "analyze/growth/series.h"
#include "analyze/suspects/suspects.h"
#include "analyze/keepers/what_if.h"
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

static enum rch_status find_paths(const struct rch_ask_list *list, const char *excluded,
                                  const struct rch_alloc *alloc,
                                  const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_exclude exclude = {excluded, false};
    const struct rch_paths_options options = {
        .excludes = &exclude, .num_excludes = excluded != NULL, .progress = progress};
    struct rch_paths *paths = NULL;
    enum rch_status st =
        rch_paths(big, &reverse, &list->asked[0].question, &options, alloc, &paths, err);
    if (st == RCH_OK)
        rch_paths_free(paths);
    return st;
}

static enum rch_status paths_to_one(const struct rch_alloc *alloc,
                                    const struct rch_progress *progress, struct rch_error *err)
{
    return find_paths(&one, NULL, alloc, progress, err);
}

// The scan for what is excluded looks at every reference: items, of all types.
static enum rch_status paths_to_few(const struct rch_alloc *alloc,
                                    const struct rch_progress *progress, struct rch_error *err)
{
    return find_paths(&few, "made.Type0*.*", alloc, progress, err);
}

static enum rch_status find_cycles(const struct rch_alloc *alloc,
                                   const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_cycles_options options = {.progress = progress};
    struct rch_cycles *cycles = NULL;
    enum rch_status st =
        rch_cycles(big, &reverse, &few.asked[0].question, &options, alloc, &cycles, err);
    if (st == RCH_OK)
        rch_cycles_free(cycles);
    return st;
}

static enum rch_status find_keepers(enum rch_keepers_by by, const struct rch_alloc *alloc,
                                    const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_keepers_options options = {.by = by, .progress = progress};
    struct rch_keepers *keepers = NULL;
    enum rch_status st = rch_keepers(big, &reverse, &options, alloc, &keepers, err);
    if (st == RCH_OK)
        rch_keepers_free(keepers);
    return st;
}

static enum rch_status keepers_by_module(const struct rch_alloc *alloc,
                                         const struct rch_progress *progress, struct rch_error *err)
{
    return find_keepers(RCH_KEEPERS_MODULE, alloc, progress, err);
}

static enum rch_status keepers_by_holder(const struct rch_alloc *alloc,
                                         const struct rch_progress *progress, struct rch_error *err)
{
    return find_keepers(RCH_KEEPERS_HOLDER, alloc, progress, err);
}

static enum rch_status keepers_by_dominator(const struct rch_alloc *alloc,
                                            const struct rch_progress *progress,
                                            struct rch_error *err)
{
    return find_keepers(RCH_KEEPERS_DOMINATOR, alloc, progress, err);
}

static enum rch_status dominators_of_few(const struct rch_alloc *alloc,
                                         const struct rch_progress *progress, struct rch_error *err)
{
    struct rch_dominators_of *answer = NULL;
    enum rch_status st =
        rch_dominators_of(big, &reverse, &few.asked[0].question, progress, alloc, &answer, err);
    if (st == RCH_OK)
        rch_dominators_of_free(answer);
    return st;
}

// All references to one object, and a module as a whole: what comes free is nothing, and then some.
static enum rch_status cut(const struct rch_alloc *alloc, const struct rch_progress *progress,
                           struct rch_error *err)
{
    char addr[32];
    snprintf(addr, sizeof(addr), "0x%llx", (unsigned long long)rch_addr_of(big, NUM_OBJECTS / 3));
    const char *const cuts[] = {addr, "module0"};
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    enum rch_status st =
        rch_what_if(big, &reverse, cuts, 2, progress, alloc, &answer, &unclear, err);
    rch_reference_list_deinit(&unclear);
    if (st == RCH_OK)
        rch_what_if_free(answer);
    return st;
}

static enum rch_status suspect(const struct rch_alloc *alloc, const struct rch_progress *progress,
                               struct rch_error *err)
{
    const struct rch_suspects_options options = {.max_leads = 3, .progress = progress};
    struct rch_suspects *suspects = NULL;
    enum rch_status st = rch_suspects(big, &reverse, &options, alloc, &suspects, err);
    if (st == RCH_OK)
        rch_suspects_free(suspects);
    return st;
}

// The second moment is compared with the first.
static enum rch_status add_moments(const struct rch_alloc *alloc,
                                   const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_series_options options = {NULL, true, true};
    struct rch_series *series = NULL;
    RCH_TRY(rch_series_make(&options, alloc, &series, err));
    enum rch_status st = rch_series_add(series, big, &reverse, "one", progress, err);
    if (st == RCH_OK)
        st = rch_series_add(series, big, &reverse, "two", progress, err);
    rch_series_free(series);
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

static void paths_to_one_object_can_be_canceled(void **state)
{
    (void)state;
    check_work(paths_to_one, passes(1, 1));
}

static void a_tree_of_paths_can_be_canceled(void **state)
{
    (void)state;
    check_work(paths_to_few, passes(10, 10));
}

static void cycles_can_be_canceled(void **state)
{
    (void)state;
    check_work(find_cycles, passes(10, 10));
}

static void who_keeps_most_can_be_canceled(void **state)
{
    (void)state;
    check_work(keepers_by_module, passes(8, 4));
    check_work(keepers_by_holder, passes(12, 12));
    check_work(keepers_by_dominator, passes(12, 4));
}

static void the_dominators_of_a_type_can_be_canceled(void **state)
{
    (void)state;
    check_work(dominators_of_few, passes(10, 4));
}

static void a_cut_can_be_canceled(void **state)
{
    (void)state;
    check_work(cut, passes(2, 2));
}

static void suspects_can_be_canceled(void **state)
{
    (void)state;
    check_work(suspect, passes(20, 20));
}

static void a_series_can_be_canceled(void **state)
{
    (void)state;
    check_work(add_moments, passes(10, 20));
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
        cmocka_unit_test(paths_to_one_object_can_be_canceled),
        cmocka_unit_test(a_tree_of_paths_can_be_canceled),
        cmocka_unit_test(cycles_can_be_canceled),
        cmocka_unit_test(who_keeps_most_can_be_canceled),
        cmocka_unit_test(the_dominators_of_a_type_can_be_canceled),
        cmocka_unit_test(a_cut_can_be_canceled),
        cmocka_unit_test(suspects_can_be_canceled),
        cmocka_unit_test(a_series_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, make_big, drop_big);
}
