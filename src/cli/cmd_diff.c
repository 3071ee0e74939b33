// SPDX-License-Identifier: MIT
// cli/cmd_diff.c -- refchain diff: what came between two graphs of one program, and where it hangs.
#include "analyze/growth.h"
#include "analyze/need.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.growth/1"},
    {RCH_OPT_TYPES, 't', "types", NULL, "what came and went by type, not where it hangs"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N places or types (20)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

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

static int compare(const struct rch_args *args, const struct rch_baseline *base, uint32_t pid,
                   int code)
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
        .types_only = args->types, .max_places = args->limit, .progress = &watch.progress};
    struct rch_growth *growth __attribute__((cleanup(free_growth))) = NULL;
    struct rch_error err = {0};
    enum rch_status st = rch_need_check(where.graph, RCH_WORK_GROWTH, args->max_memory, &err);
    if (st == RCH_OK)
        st = rch_growth(base, where.graph, NULL, &growth_options, rch_alloc_default(), &growth,
                        &err);
    rch_watch_end(&watch);
    if (st != RCH_OK) {
        rch_say_error("diff", &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_growth_json(where.graph, growth, &render, &sink);
    else
        rch_render_growth_text(growth, args->types ? RCH_GROWTH_BY_TYPE : RCH_GROWTH_BY_HOLDER,
                               &render, &sink);
    return rch_out_finish(&sink, code == RCH_EXIT_OK ? later : code);
}

static int run(const struct rch_args *args)
{
    struct rch_baseline *base __attribute__((cleanup(free_base))) = NULL;
    uint32_t pid = 0;
    int code = open_base(args, &base, &pid);
    return code == RCH_EXIT_CANNOT ? code : compare(args, base, pid, code);
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
