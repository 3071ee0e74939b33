// SPDX-License-Identifier: MIT
// cli/cmd_suspects.c -- refchain suspects: the likely leaks, without a question.
#include "analyze/suspects/suspects.h"
#include "cli/cli.h"
#include "cli/judge.h"
#include "cli/where.h"
#include "render/suspects.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.suspects/1"},
    RCH_JUDGE_OPTIONS,
    {RCH_OPT_BASELINE, 'b', "baseline", "FILE",
     "an earlier snapshot: what grew since is more suspicious"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N suspects, all told at length (10)"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all suspects, and every shape of path of every holder"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { ALL_SUSPECTS = 1000 };

static void free_base(struct rch_baseline **base)
{
    rch_baseline_free(*base);
}

static void free_suspects(struct rch_suspects **suspects)
{
    rch_suspects_free(*suspects);
}

// The earlier graph is closed before the one asked about is opened.
static int open_base(const struct rch_args *args, struct rch_baseline **base_out, uint32_t *pid_out)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->baseline, args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    *pid_out = where.graph->info.pid;
    if (rch_baseline_make(where.graph, rch_alloc_default(), base_out, &err) == RCH_OK)
        return code;
    rch_say_error("suspects", &err);
    return RCH_EXIT_CANNOT;
}

static int print(const struct rch_where *where, const struct rch_suspects *suspects,
                 const struct rch_judge *judge, const struct rch_args *args, int code)
{
    struct rch_render_options render = rch_out_options(args);
    render.source = where->source;
    render.findings = &judge->findings;
    struct rch_report report = {.command = "suspects",
                                .subject = args->words[0],
                                .g = where->graph,
                                .is_partial = code == RCH_EXIT_PARTIAL};
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_suspects_json(where->graph, suspects, &render, &sink);
    else if (!rch_judge_print(judge, args, report, &render, &sink))
        rch_render_suspects_text(where->graph, suspects, &render, &sink);
    return rch_out_finish(&sink, rch_judge_code(judge, args, "suspects", code));
}

static int find(const struct rch_args *args, const struct rch_baseline *base, uint32_t pid,
                struct rch_judge *judge, int code)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int opened = rch_where_open(args->words[0], args, &where);
    if (opened == RCH_EXIT_CANNOT)
        return opened;
    if (base && where.graph->info.pid != pid)
        rch_say(
            "warning: process %u and process %u: what is new is told by addresses, which are of "
            "one process",
            pid, where.graph->info.pid);
    struct rch_watch watch;
    rch_watch_start(&watch);
    bool wants_all = args->all || rch_judge_wants_all(args);
    struct rch_suspects_options options_of = {.baseline = base,
                                              .max_suspects =
                                                  wants_all ? ALL_SUSPECTS : args->limit,
                                              .progress = &watch.progress};
    struct rch_suspects *suspects __attribute__((cleanup(free_suspects))) = NULL;
    struct rch_error err = {0};
    enum rch_status st =
        rch_suspects(where.graph, NULL, &options_of, rch_alloc_default(), &suspects, &err);
    rch_watch_end(&watch);
    if (st == RCH_OK)
        st = rch_findings_add_suspects(&judge->findings, where.graph, suspects, &err);
    if (st != RCH_OK) {
        rch_say_error("suspects", &err);
        return RCH_EXIT_CANNOT;
    }
    rch_judge_compare(judge);
    return print(&where, suspects, judge, args, code == RCH_EXIT_OK ? opened : code);
}

static int run(const struct rch_args *args)
{
    struct rch_baseline *base __attribute__((cleanup(free_base))) = NULL;
    struct rch_judge judge __attribute__((cleanup(rch_judge_close)));
    uint32_t pid = 0;
    if (rch_judge_open(&judge, args) != RCH_EXIT_OK)
        return RCH_EXIT_CANNOT;
    int code = args->baseline ? open_base(args, &base, &pid) : RCH_EXIT_OK;
    return code == RCH_EXIT_CANNOT ? code : find(args, base, pid, &judge, code);
}

const struct rch_command rch_command_suspects = {
    .name = "suspects",
    .words_help = "WHERE",
    .min_words = 1,
    .max_words = 1,
    .summary = "Find what looks like a leak, without a question",
    .details = RCH_WHERE_HELP
    "Objects that somebody keeps and that look as if nobody wanted that, most suspicious "
    "first:\nhow many, what they keep of bytes, sockets and files, why they are suspected, and who "
    "holds\nthem, as 'why' tells it.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
