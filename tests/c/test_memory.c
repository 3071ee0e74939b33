// SPDX-License-Identifier: MIT
// Claims about memory: what is left is the tightest limit there is, and what an analysis will need is
// told within 10 % of what it takes.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/growth/growth.h"
#include "analyze/common/histogram.h"
#include "analyze/common/need.h"
#include "analyze/why/why.h"
#include "base/memory.h"
#include "made_graph.h"
#include "model/derived.h"
#include "model/reverse.h"
#include "support.h"

#define MIB (UINT64_C(1) << 20)

// --- a made-up system ---

static char root[64];

static void put_file(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *out = fopen(full, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/test_memory.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", root);
    return system(command);
}

static void nothing_known_is_no_limit(void **state)
{
    (void)state;
    assert_true(rch_memory_left_in(root) == UINT64_MAX);
}

static void the_system_says_what_is_available(void **state)
{
    (void)state;
    put_file("/proc/meminfo", "MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable:    2048 kB\n");
    assert_int_equal(rch_memory_left_in(root), 2 * MIB);
    put_file("/proc/self/cgroup", "0::/\n");
    assert_int_equal(rch_memory_left_in(root), 2 * MIB);
}

static void a_group_of_version_2_limits(void **state)
{
    (void)state;
    put_file("/proc/meminfo", "MemAvailable: 1000000 kB\n");
    put_file("/proc/self/cgroup", "0::/a.slice/b\n");
    put_file("/sys/fs/cgroup/a.slice/b/memory.max", "104857600\n");
    put_file("/sys/fs/cgroup/a.slice/b/memory.current", "83886080\n");
    assert_int_equal(rch_memory_left_in(root), 20 * MIB);
    put_file("/sys/fs/cgroup/a.slice/b/memory.stat", "anon 5\ninactive_file 10485760\n");
    assert_int_equal(rch_memory_left_in(root), 30 * MIB);
    put_file("/sys/fs/cgroup/a.slice/b/memory.max", "max\n");
    assert_int_equal(rch_memory_left_in(root), UINT64_C(1000000) * 1024);
}

static void a_group_around_ours_limits(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup", "0::/a/b/c\n");
    put_file("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
    put_file("/sys/fs/cgroup/a/memory.max", "10485760\n");
    put_file("/sys/fs/cgroup/a/memory.current", "1048576\n");
    assert_int_equal(rch_memory_left_in(root), 9 * MIB);
    put_file("/sys/fs/cgroup/a/memory.current", "20971520\n");
    assert_int_equal(rch_memory_left_in(root), 0);
}

static void the_root_of_a_container_limits(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup", "0::/../../docker/1234\n");
    put_file("/sys/fs/cgroup/memory.max", "4194304\n");
    assert_int_equal(rch_memory_left_in(root), 4 * MIB);
}

static void a_group_of_version_1_limits(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup", "12:cpu,cpuacct:/x\n4:memory:/docker/1234\n1:name=systemd:/\n");
    put_file("/sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(rch_memory_left_in(root) == UINT64_MAX);
    put_file("/sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes", "8388608\n");
    put_file("/sys/fs/cgroup/memory/docker/1234/memory.usage_in_bytes", "6291456\n");
    put_file("/sys/fs/cgroup/memory/docker/1234/memory.stat", "total_inactive_file 1048576\n");
    assert_int_equal(rch_memory_left_in(root), 3 * MIB);
}

static void odd_lines_of_groups_do_no_harm(void **state)
{
    (void)state;
    put_file("/proc/self/cgroup", "\n:\n::\n0:\nmemory\n7:memory\n0::\n3:,,:/x\n");
    assert_true(rch_memory_left_in(root) == UINT64_MAX);
}

static uint64_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%llu", &pages), 1);
    fclose(in);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void a_limit_of_address_space_counts(void **state)
{
    struct rlimit before, now;
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();  // it needs more of it than it may take
#endif
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    now = before;
    now.rlim_cur = address_space() + 64 * MIB;
    assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
    uint64_t left = rch_memory_left();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_in_range(left, 32 * MIB, 64 * MIB);
}

static void a_refusal_says_what_is_needed_and_what_is_there(void **state)
{
    struct rch_error err;
    (void)state;
    assert_ok(rch_memory_check(1, 0, "a test", &err), &err);
    assert_status(rch_memory_check(3 * MIB, 2 * MIB, "a test", &err), RCH_ENOMEM, &err);
    assert_string_equal(err.message,
                        "a test: 3.0 MiB of memory needed, 2.0 MiB allowed; nothing was begun");
    assert_status(rch_memory_check(UINT64_MAX, 0, "a test", &err), RCH_ENOMEM, &err);
    assert_non_null(strstr(err.message, "free; nothing was begun. A snapshot (refchain dump)"));
}

// --- estimates ---

static struct rch_graph *big;

static int make_big(void **state)
{
    (void)state;
    big = make_big_graph(200000);
    return 0;
}

static int drop_big(void **state)
{
    (void)state;
    rch_graph_free(big);
    return 0;
}

static enum rch_status do_reverse(const struct rch_graph *g, const struct rch_alloc *alloc)
{
    struct rch_reverse rev;
    RCH_TRY(rch_reverse_init(&rev, g, alloc, NULL));
    rch_reverse_deinit(&rev);
    return RCH_OK;
}

static enum rch_status do_retained(const struct rch_graph *g, const struct rch_alloc *alloc)
{
    struct rch_type_count *rows;
    uint32_t num;
    RCH_TRY(rch_histogram(g, alloc, &rows, &num, NULL));
    enum rch_status st = rch_histogram_retained(g, alloc, NULL, rows, num, NULL);
    rch_free(alloc, rows, num, sizeof(*rows));
    return st;
}

static enum rch_status do_why(const struct rch_graph *g, const struct rch_alloc *alloc)
{
    const rch_node member = g->edges[g->edge_start[g->num_objects]];  // a module: few ways to it
    const struct rch_question question = {"one", &member, 1};
    struct rch_answer *answer;
    RCH_TRY(rch_why(g, NULL, &question, NULL, alloc, &answer, NULL));
    rch_answer_free(answer);
    return RCH_OK;
}

static enum rch_status do_growth(const struct rch_graph *g, const struct rch_alloc *alloc)
{
    struct rch_baseline *base;
    struct rch_growth *growth;
    RCH_TRY(rch_baseline_make(g, rch_alloc_default(), &base, NULL));
    enum rch_status st = rch_growth(base, g, NULL, NULL, alloc, &growth, NULL);
    rch_baseline_free(base);
    if (st == RCH_OK)
        rch_growth_free(growth);
    return st;
}

typedef enum rch_status do_fn(const struct rch_graph *g, const struct rch_alloc *alloc);

// A graph like `big` that keeps things in memory of `tracked`, or keeps nothing.
static void check_need(enum rch_work work, do_fn *what, bool keeps, do_fn *first)
{
    struct tracked_alloc tracked, beside;
    struct rch_graph g = *big;
    g.derived = NULL;
    tracked_alloc_init(&tracked, 0);
    tracked_alloc_init(&beside, 0);
    if (keeps)
        assert_ok(rch_derived_attach(&g, &beside.alloc, NULL), NULL);
    if (first)
        assert_ok(first(&g, &beside.alloc), NULL);
    uint64_t need = rch_need_bytes(&g, work);
    assert_ok(what(&g, &tracked.alloc), NULL);
    double share = (double)need / ((double)tracked.peak_bytes + 1);
    if (need + 65536 < tracked.peak_bytes || need > tracked.peak_bytes + 65536) {
        if (share < 0.9 || share > 1.1)
            fail_msg("%d%s: told %llu bytes, took %llu", work, keeps ? ", kept" : "",
                     (unsigned long long)need, (unsigned long long)tracked.peak_bytes);
    }
    rch_derived_free(g.derived);
    tracked_alloc_finish(&tracked);
    tracked_alloc_finish(&beside);
}

static void an_analysis_takes_what_was_told(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        check_need(RCH_WORK_REVERSE, do_reverse, keeps, NULL);
        check_need(RCH_WORK_RETAINED, do_retained, keeps, NULL);
        check_need(RCH_WORK_WHY, do_why, keeps, NULL);
        check_need(RCH_WORK_GROWTH, do_growth, keeps, NULL);
    }
}

static void what_is_kept_is_not_needed_again(void **state)
{
    (void)state;
    check_need(RCH_WORK_REVERSE, do_reverse, true, do_reverse);
    check_need(RCH_WORK_RETAINED, do_retained, true, do_retained);
    check_need(RCH_WORK_WHY, do_why, true, do_reverse);
    check_need(RCH_WORK_GROWTH, do_growth, true, do_reverse);
}

static void too_much_is_refused_with_words(void **state)
{
    struct rch_error err;
    (void)state;
    assert_ok(rch_need_check(big, RCH_WORK_RETAINED, 0, &err), &err);
    assert_status(rch_need_check(big, RCH_WORK_RETAINED, 1 * MIB, &err), RCH_ENOMEM, &err);
    assert_non_null(strstr(err.message, "retained bytes over 200000 objects: "));
    assert_non_null(strstr(err.message, "of memory needed, 1.0 MiB allowed; nothing was begun"));
}

int main(void)
{
#define root_test(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        root_test(nothing_known_is_no_limit),
        root_test(the_system_says_what_is_available),
        root_test(a_group_of_version_2_limits),
        root_test(a_group_around_ours_limits),
        root_test(the_root_of_a_container_limits),
        root_test(a_group_of_version_1_limits),
        root_test(odd_lines_of_groups_do_no_harm),
        cmocka_unit_test(a_limit_of_address_space_counts),
        cmocka_unit_test(a_refusal_says_what_is_needed_and_what_is_there),
        cmocka_unit_test(an_analysis_takes_what_was_told),
        cmocka_unit_test(what_is_kept_is_not_needed_again),
        cmocka_unit_test(too_much_is_refused_with_words),
    };
    return cmocka_run_group_tests(tests, make_big, drop_big);
}
