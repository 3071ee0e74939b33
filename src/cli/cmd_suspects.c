// SPDX-License-Identifier: MIT
// cli/cmd_suspects.c -- refchain suspects: the likely leaks, without a question.
#include "analyze/suspects.h"
#include "cli/cli.h"
#include "cli/where.h"
#include "render/suspects.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.suspects/1"},
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

static int find_and_print(const struct rch_args *args, const struct rch_baseline *base,
                          uint32_t pid, int code)
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
    struct rch_suspects_options find = {.baseline = base,
                                        .max_suspects = args->all ? ALL_SUSPECTS : args->limit,
                                        .progress = &watch.progress};
    struct rch_suspects *suspects __attribute__((cleanup(free_suspects))) = NULL;
    struct rch_error err = {0};
    enum rch_status st =
        rch_suspects(where.graph, NULL, &find, rch_alloc_default(), &suspects, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK) {
        rch_say_error("suspects", &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_suspects_json(where.graph, suspects, &render, &sink);
    else
        rch_render_suspects_text(where.graph, suspects, &render, &sink);
    return rch_out_finish(&sink, code == RCH_EXIT_OK ? opened : code);
}

static int run(const struct rch_args *args)
{
    struct rch_baseline *base __attribute__((cleanup(free_base))) = NULL;
    uint32_t pid = 0;
    int code = args->baseline ? open_base(args, &base, &pid) : RCH_EXIT_OK;
    return code == RCH_EXIT_CANNOT ? code : find_and_print(args, base, pid, code);
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
