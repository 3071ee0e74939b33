// SPDX-License-Identifier: MIT
// cli/cmd_diff.c -- refchain diff: what came between two graphs of one program, and where it hangs.
#include "analyze/growth.h"
#include "cli/cli.h"
#include "cli/judge.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.growth/1"},
    RCH_JUDGE_OPTIONS,
    {RCH_OPT_TYPES, 't', "types", NULL, "what came and went by type, not where it hangs"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N places or types (20)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { ALL_PLACES = 100000 };  // where each of them is judged

static void free_base(struct rch_baseline **base)
{
    rch_baseline_free(*base);
}

static void free_growth(struct rch_growth **growth)
{
    rch_growth_free(*growth);
}

// The earlier graph is closed before the later one is opened: only its baseline stays in memory.
static int open_base(const struct rch_args *args, struct rch_baseline **base_out, uint32_t *pid_out)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    if (rch_baseline_make(where.graph, rch_alloc_default(), base_out, &err) != RCH_OK) {
        rch_say_error("diff", &err);
        return RCH_EXIT_CANNOT;
    }
    *pid_out = where.graph->info.pid;
    return code;
}

static int print(const struct rch_where *where, const struct rch_growth *growth,
                 const struct rch_judge *judge, const struct rch_args *args, int code)
{
    struct rch_render_options render = rch_out_options(args);
    render.source = where->source;
    render.findings = &judge->findings;
    struct rch_report report = {.command = "diff",
                                .subject = args->words[1],
                                .g = where->graph,
                                .is_partial = code == RCH_EXIT_PARTIAL};
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_growth_json(where->graph, growth, &render, &sink);
    else if (!rch_judge_print(judge, args, report, &render, &sink))
        rch_render_growth_text(growth, args->types ? RCH_GROWTH_BY_TYPE : RCH_GROWTH_BY_HOLDER,
                               &render, &sink);
    return rch_out_finish(&sink, rch_judge_code(judge, args, "diff", code));
}

static int compare(const struct rch_args *args, const struct rch_baseline *base, uint32_t pid,
                   struct rch_judge *judge, int code)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int later = rch_where_open(args->words[1], args, &where);
    if (later == RCH_EXIT_CANNOT)
        return later;
    if (where.graph->info.pid != pid)
        rch_say(
            "warning: process %u and process %u: what is new is told by addresses, which are of "
            "one process",
            pid, where.graph->info.pid);
    struct rch_watch watch;
    rch_watch_start(&watch);
    struct rch_growth_options growth_options = {
        .types_only = args->types && !rch_judge_wants_all(args),
        .max_places = rch_judge_wants_all(args) ? ALL_PLACES : args->limit,
        .progress = &watch.progress};
    struct rch_growth *growth __attribute__((cleanup(free_growth))) = NULL;
    struct rch_error err = {0};
    enum rch_status st =
        rch_growth(base, where.graph, NULL, &growth_options, rch_alloc_default(), &growth, &err);
    rch_watch_end(&watch);
    if (st == RCH_OK)
        st = rch_findings_add_growth(&judge->findings, where.graph, growth, &err);
    if (st != RCH_OK) {
        rch_say_error("diff", &err);
        return RCH_EXIT_CANNOT;
    }
    rch_judge_compare(judge);
    return print(&where, growth, judge, args, code == RCH_EXIT_OK ? later : code);
}

static int run(const struct rch_args *args)
{
    struct rch_baseline *base __attribute__((cleanup(free_base))) = NULL;
    struct rch_judge judge __attribute__((cleanup(rch_judge_close)));
    uint32_t pid = 0;
    if (rch_judge_open(&judge, args) != RCH_EXIT_OK)
        return RCH_EXIT_CANNOT;
    int code = open_base(args, &base, &pid);
    return code == RCH_EXIT_CANNOT ? code : compare(args, base, pid, &judge, code);
}

const struct rch_command rch_command_diff = {
    .name = "diff",
    .words_help = "EARLIER LATER",
    .min_words = 2,
    .max_words = 2,
    .summary = "Tell what grew between two moments of a process",
    .details =
        "EARLIER and LATER are snapshots, cores, or the number of the process itself, each "
        "like this:\n" RCH_WHERE_HELP
        "An object is the same if its address and type are. New objects are listed where they "
        "hang:\nthe path from their root, without keys and indices.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
