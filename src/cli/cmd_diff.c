// SPDX-License-Identifier: MIT
// cli/cmd_diff.c -- refchain diff: what grew over two or more graphs of a program, and where it hangs.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/need.h"
#include "analyze/growth/series.h"
#include "cli/cli.h"
#include "cli/judge.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.diff/1"},
    {RCH_OPT_BY, 0, "by", "KEY", "holder (default): where they hang; type; identity: new, gone"},
    {RCH_OPT_TYPE, 't', "type", "TYPE", "only objects of this type (name or glob)"},
    {RCH_OPT_MIN_GROWTH, 'm', "min-growth", "N|N%", "what grew by N objects, or by N percent"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all rows, also those under the noise"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N rows (20)"},
    RCH_JUDGE_OPTIONS,
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static void free_series(struct rch_series **series)
{
    rch_series_free(*series);
}

static void free_rises(struct rch_rises **rises)
{
    rch_rises_free(*rises);
}

static bool take_by(int by, enum rch_series_by *by_out)
{
    switch (by) {
    case 0:
    case RCH_BY_HOLDER: *by_out = RCH_SERIES_BY_HOLDER; return true;
    case RCH_BY_TYPE: *by_out = RCH_SERIES_BY_TYPE; return true;
    case RCH_BY_IDENTITY: *by_out = RCH_SERIES_BY_IDENTITY; return true;
    default: rch_say("diff: --by is holder, type or identity"); return false;
    }
}

/// "3" or "10%"
static bool parse_growth(const char *text, struct rch_rise_options *rise)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    bool is_share = strcmp(end, "%") == 0;
    if (errno || end == text || (*end && !is_share) || text[0] == '-' || !value ||
        value > UINT32_MAX) {
        rch_say("diff: '%s' is not a growth like 3 or 10%%", text);
        return false;
    }
    if (is_share)
        rise->min_percent = (uint32_t)value;
    else
        rise->min_objects = value;
    return true;
}

static bool parse(const struct rch_args *args, struct rch_rise_options *rise)
{
    *rise = (struct rch_rise_options){.by = RCH_SERIES_BY_HOLDER, .max_rows = args->limit};
    if (!take_by(args->by, &rise->by))
        return false;
    if (rise->by != RCH_SERIES_BY_HOLDER && rch_judge_wants_all(args)) {
        rch_say("diff: only places can be judged: --fail-on-new, markdown and sarif go with --by "
                "holder");
        return false;
    }
    if (args->min_growth && !parse_growth(args->min_growth, rise))
        return false;
    if (rch_judge_wants_all(args))
        rise->max_rows = UINT32_MAX;
    if (args->all) {
        rise->max_rows = UINT32_MAX;
        rise->min_objects = rise->min_objects ? rise->min_objects : 1;
    }
    if (rise->by == RCH_SERIES_BY_IDENTITY && !args->min_growth)
        rise->min_objects = 0;
    return true;
}

// One graph is open at a time. Returns the exit code so far, or RCH_EXIT_CANNOT.
static int add(const struct rch_args *args, int i, struct rch_series *series, uint32_t *pid)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[i], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    if (i && where.graph->info.pid != *pid)
        rch_say("warning: process %u and process %u: which objects are new cannot be told, only "
                "how many there are",
                *pid, where.graph->info.pid);
    *pid = where.graph->info.pid;
    struct rch_watch watch;
    struct rch_error err = {0};
    rch_watch_start(&watch);
    enum rch_status st = rch_need_check(where.graph, RCH_WORK_GROWTH, args->max_memory, &err);
    if (st == RCH_OK)
        st = rch_series_add(series, where.graph, NULL, where.source, &watch.progress, &err);
    rch_watch_end(&watch);
    if (st == RCH_OK)
        return code;
    rch_say_error("diff", &err);
    return RCH_EXIT_CANNOT;
}

static int print(const struct rch_args *args, const struct rch_rises *rises, enum rch_series_by by,
                 const struct rch_judge *judge, int code)
{
    const struct rch_moment *last = &rises->moments[rises->num_moments - 1];
    struct rch_render_options render = rch_out_options(args);
    render.source = last->source;
    render.findings = &judge->findings;
    struct rch_report report = {.command = "diff",
                                .subject = args->words[args->num_words - 1],
                                .is_partial = code == RCH_EXIT_PARTIAL};
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_rises_json(rises, by, &render, &sink);
    else if (!rch_judge_print(judge, args, report, &render, &sink))
        rch_render_rises_text(rises, by, "diff", &render, &sink);
    return rch_out_finish(&sink, rch_judge_code(judge, args, "diff", code));
}

static int tell(const struct rch_args *args, const struct rch_series *series,
                const struct rch_rise_options *rise, struct rch_judge *judge, int code)
{
    struct rch_rises *rises __attribute__((cleanup(free_rises))) = NULL;
    struct rch_error err = {0};
    enum rch_status st = rch_series_rises(series, rise, &rises, &err);
    if (st == RCH_OK && rise->by == RCH_SERIES_BY_HOLDER)
        st = rch_findings_add_rises(&judge->findings, rises, &err);
    if (st != RCH_OK) {
        rch_say_error("diff", &err);
        return RCH_EXIT_CANNOT;
    }
    rch_judge_compare(judge);
    return print(args, rises, rise->by, judge, code);
}

static int run(const struct rch_args *args)
{
    struct rch_judge judge __attribute__((cleanup(rch_judge_close)));
    struct rch_series *series __attribute__((cleanup(free_series))) = NULL;
    struct rch_rise_options rise;
    struct rch_error err = {0};
    if (rch_judge_open(&judge, args) != RCH_EXIT_OK)
        return RCH_EXIT_CANNOT;
    if (!parse(args, &rise))
        return rch_usage_error(&rch_command_diff);
    struct rch_series_options what = {args->type, rise.by == RCH_SERIES_BY_HOLDER, true};
    if (rch_series_make(&what, rch_alloc_default(), &series, &err) != RCH_OK) {
        rch_say_error("diff", &err);
        return RCH_EXIT_CANNOT;
    }
    uint32_t pid = 0;
    int code = RCH_EXIT_OK;
    for (int i = 0; i < args->num_words; i++) {
        int one = add(args, i, series, &pid);
        if (one == RCH_EXIT_CANNOT)
            return one;
        code = one ? one : code;
    }
    return tell(args, series, &rise, &judge, code);
}

const struct rch_command rch_command_diff = {
    .name = "diff",
    .words_help = "EARLIER LATER...",
    .min_words = 2,
    .max_words = RCH_SERIES_MAX,
    .summary = "Tell what grew between two or more moments of a process",
    .details =
        "EARLIER and LATER are snapshots, cores, or the number of the process itself, oldest "
        "first,\n"
        "each like this:\n" RCH_WHERE_HELP
        "A row is a place: the path from a root, without keys and indices. From three moments on,\n"
        "what grew in every step comes first. One object more at a place is under the noise "
        "unless\n"
        "it grew in every step; --min-growth 1 lists it.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
