// SPDX-License-Identifier: MIT
// tests/c/work_lab.c -- long work on made graphs of any size: how long it goes without asking whether
// to go on.
//
//   work_lab make NODES FILE   write the made graph as a snapshot
//   work_lab gaps FILE         a line a phase: CPU time, how often it asked, longest CPU time without
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/common/ask.h"
#include "analyze/growth/growth.h"
#include "analyze/common/histogram.h"
#include "analyze/keepers/retained.h"
#include "analyze/why/why.h"
#include "analyze/cycles/cycles.h"
#include "analyze/keepers/keepers.h"
#include "analyze/paths/paths.h"
#include "analyze/growth/series.h"
#include "analyze/suspects/suspects.h"
#include "analyze/keepers/what_if.h"
#include "format/rch_file.h"
#include "made_graph.h"
#include "model/reverse.h"

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void check(enum rch_status st, const char *what, const struct rch_error *err)
{
    if (st == RCH_OK)
        return;
    fprintf(stderr, "work_lab: %s: %s\n", what, err->message);
    exit(1);
}

// --- gaps ---

struct gaps {
    const char *phase;
    double last, longest;
    uint64_t calls;
};

static bool note(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct gaps *gaps = ctx;
    double now = now_ms();
    (void)done, (void)total;
    if (now - gaps->last > gaps->longest) {
        gaps->longest = now - gaps->last;
        gaps->phase = phase;
    }
    gaps->last = now;
    gaps->calls++;
    return true;
}

static void begin(struct gaps *gaps)
{
    *gaps = (struct gaps){.phase = "", .last = now_ms()};
}

static void end(struct gaps *gaps, const char *name, double start)
{
    note(gaps, "(end)", 0, 0);
    printf("%-12s %8.1f ms  %6" PRIu64 " calls  longest %6.1f ms before %s\n", name,
           now_ms() - start, gaps->calls, gaps->longest, gaps->phase);
    fflush(stdout);
}

#define PHASE(name, ...)                        \
    do {                                        \
        begin(&gaps);                           \
        double phase_start = now_ms();          \
        check(__VA_ARGS__, name, &err);         \
        end(&gaps, name, phase_start);          \
    } while (0)

static void show_why(const struct rch_graph *g, const struct rch_reverse *rev, const char *pattern)
{
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    struct rch_why_options why = {.progress = &progress};
    struct rch_error err = {0};
    struct rch_ask_list list;
    struct rch_answer *answer = NULL;
    PHASE("ask", rch_ask(g, pattern, rch_alloc_default(), &list, &err));
    PHASE(pattern,
          rch_why(g, rev, &list.asked[0].question, &why, rch_alloc_default(), &answer, &err));
    rch_answer_free(answer);
    rch_ask_list_deinit(&list);
}

static void show_growth(const struct rch_graph *g, const struct rch_reverse *rev)
{
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    struct rch_growth_options options = {.progress = &progress};
    struct rch_error err = {0};
    struct rch_baseline *base = NULL;
    struct rch_growth *growth = NULL;
    PHASE("baseline", rch_baseline_make(g, rch_alloc_default(), &base, &err));
    PHASE("growth", rch_growth(base, g, rev, &options, rch_alloc_default(), &growth, &err));
    rch_growth_free(growth);
    rch_baseline_free(base);
}

static void show_ways(const struct rch_graph *g, const struct rch_reverse *rev, const char *pattern)
{
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    const struct rch_alloc *alloc = rch_alloc_default();
    const struct rch_exclude exclude = {"made.Type0*.*", false};
    struct rch_paths_options paths = {
        .excludes = &exclude, .num_excludes = 1, .progress = &progress};
    struct rch_cycles_options cycles = {.progress = &progress};
    struct rch_error err = {0};
    struct rch_ask_list list;
    struct rch_paths *ways = NULL;
    struct rch_cycles *circles = NULL;
    struct rch_dominators_of *hands = NULL;
    check(rch_ask(g, pattern, alloc, &list, &err), pattern, &err);
    const struct rch_question *question = &list.asked[0].question;
    PHASE("paths", rch_paths(g, rev, question, &paths, alloc, &ways, &err));
    PHASE("cycles", rch_cycles(g, rev, question, &cycles, alloc, &circles, &err));
    PHASE("dominators", rch_dominators_of(g, rev, question, &progress, alloc, &hands, &err));
    rch_paths_free(ways);
    rch_cycles_free(circles);
    rch_dominators_of_free(hands);
    rch_ask_list_deinit(&list);
}

static void show_keepers(const struct rch_graph *g, const struct rch_reverse *rev)
{
    static const char *const names[] = {"by module", "by holder", "by dominator"};
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    struct rch_error err = {0};
    for (int by = RCH_KEEPERS_MODULE; by <= RCH_KEEPERS_DOMINATOR; by++) {
        struct rch_keepers_options options = {.by = (enum rch_keepers_by)by, .progress = &progress};
        struct rch_keepers *keepers = NULL;
        PHASE(names[by], rch_keepers(g, rev, &options, rch_alloc_default(), &keepers, &err));
        rch_keepers_free(keepers);
    }
}

static void show_rest(const struct rch_graph *g, const struct rch_reverse *rev)
{
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    const struct rch_alloc *alloc = rch_alloc_default();
    const struct rch_series_options moments = {NULL, true, true};
    const struct rch_suspects_options options = {.progress = &progress};
    const char *const cut = "module0";
    struct rch_error err = {0};
    struct rch_what_if *freed = NULL;
    struct rch_reference_list unclear;
    struct rch_suspects *suspects = NULL;
    struct rch_series *series = NULL;
    PHASE("what-if", rch_what_if(g, rev, &cut, 1, &progress, alloc, &freed, &unclear, &err));
    PHASE("suspects", rch_suspects(g, rev, &options, alloc, &suspects, &err));
    check(rch_series_make(&moments, alloc, &series, &err), "series", &err);
    PHASE("first moment", rch_series_add(series, g, rev, "1", &progress, &err));
    PHASE("next moment", rch_series_add(series, g, rev, "2", &progress, &err));
    rch_series_free(series);
    rch_suspects_free(suspects);
    rch_what_if_free(freed);
    rch_reference_list_deinit(&unclear);
}

static int show_gaps(const char *path)
{
    struct gaps gaps;
    struct rch_progress progress = {note, &gaps};
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_error err = {0};
    struct rch_graph *g = NULL;
    struct rch_type_count *rows = NULL;
    struct rch_reverse rev;
    uint32_t num = 0;
    char out[4096], one[32];
    PHASE("open", rch_file_open(path, false, alloc, &g, &err));
    PHASE("histogram", rch_histogram(g, alloc, &rows, &num, &err));
    PHASE("reverse", rch_reverse_make(&rev, g, alloc, &progress, &err));
    PHASE("retained", rch_histogram_retained(g, alloc, &progress, rows, num, &err));
    snprintf(one, sizeof(one), "0x%" PRIx64, rch_addr_of(g, g->num_objects / 2));
    show_why(g, &rev, one);
    show_why(g, &rev, "made.Type49");
    show_growth(g, &rev);
    show_ways(g, &rev, one);
    show_ways(g, &rev, "made.Type49");
    show_keepers(g, &rev);
    show_rest(g, &rev);
    snprintf(out, sizeof(out), "%s.copy", path);
    PHASE("write", rch_file_write(g, out, &progress, &err));
    remove(out);
    rch_free(alloc, rows, num, sizeof(*rows));
    rch_reverse_deinit(&rev);
    rch_graph_free(g);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0) {
        struct rch_error err = {0};
        struct rch_graph *g = make_big_graph((uint32_t)strtoul(argv[2], NULL, 10));
        check(rch_file_write(g, argv[3], NULL, &err), argv[3], &err);
        rch_graph_free(g);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "gaps") == 0)
        return show_gaps(argv[2]);
    fprintf(stderr, "usage: work_lab make NODES FILE | gaps FILE\n");
    return 2;
}
