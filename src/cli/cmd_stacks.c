// SPDX-License-Identifier: MIT
// cli/cmd_stacks.c -- refchain stacks: where every thread stands, and what it waits for.
#include "cli/cli.h"
#include "cli/where.h"
#include "render/stacks.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.stacks/1"},
    {RCH_OPT_LOCALS, 'l', "locals", NULL, "local variables too: name, type, length"},
    {RCH_OPT_THREAD, 't', "thread", "NAME|ID", "this thread only"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all calls"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N calls of a thread (200)"},
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static bool has_thread(const struct rch_graph *g, const char *wanted)
{
    for (uint32_t i = 0; i < g->num_threads; i++)
        if (rch_is_thread_shown(g, &g->threads[i], wanted))
            return true;
    return false;
}

/// Why there is nothing to show; NULL: there is something.
static const char *what_is_missing(const struct rch_graph *g, const char *wanted)
{
    if (g->num_threads == 0)
        return "no threads in it: written by a version of refchain that kept none, or damaged";
    return has_thread(g, wanted) ? NULL : "no thread has this name or number";
}

static int run(const struct rch_args *args)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    const char *missing = what_is_missing(where.graph, args->thread);
    if (missing) {
        rch_say("%s: %s", where.graph->num_threads ? args->thread : args->words[0], missing);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    render.locals = args->locals;
    render.thread = args->thread;
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_stacks_json(where.graph, &render, &sink);
    else
        rch_render_stacks_text(where.graph, &render, &sink);
    return rch_out_finish(&sink, code);
}

const struct rch_command rch_command_stacks = {
    .name = "stacks",
    .words_help = "WHERE",
    .min_words = 1,
    .max_words = 1,
    .summary = "Say where every thread stands, in Python, and what it waits for",
    .details =
        "WHERE is a snapshot, written by refchain.dump(\"app.rch\") inside the program.\n"
        "Most recent call first. What a thread waits for is known when the program was looked "
        "at\nfrom outside.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
