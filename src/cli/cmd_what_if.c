// SPDX-License-Identifier: MIT
// cli/cmd_what_if.c -- refchain what-if: what would become free if these references were not there.
#include "analyze/keepers/what_if.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_CUT, 'c', "cut", "REFERENCE",
     "a reference to cut, as answers print it; may be given again"},
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.what-if/1"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N types (12)"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all types"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static void free_answer(struct rch_what_if **answer)
{
    rch_what_if_free(*answer);
}

static int say_unclear(const struct rch_reference_list *unclear, const struct rch_args *args,
                       const struct rch_error *err)
{
    struct rch_render_options render = {.ascii = rch_out_options(args).ascii};
    struct rch_sink talk = rch_talk_sink();
    rch_say_error("what-if", err);
    rch_render_unclear_text(unclear, &render, &talk);
    return RCH_EXIT_CANNOT;
}

static int run(const struct rch_args *args)
{
    if (!args->num_cuts) {
        rch_say("what-if: say what to cut: --cut 'module.attribute'");
        return rch_usage_error(&rch_command_what_if);
    }
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_what_if *answer __attribute__((cleanup(free_answer))) = NULL;
    struct rch_reference_list unclear __attribute__((cleanup(rch_reference_list_deinit)));
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    enum rch_status st = rch_what_if(where.graph, NULL, args->cuts, args->num_cuts, &watch.progress,
                                     rch_alloc_default(), &answer, &unclear, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK)
        return say_unclear(&unclear, args, &err);
    if (answer->is_partial)
        code = RCH_EXIT_PARTIAL;
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_what_if_json(where.graph, answer, &render, &sink);
    else
        rch_render_what_if_text(where.graph, answer, &render, &sink);
    return rch_out_finish(&sink, code);
}

const struct rch_command rch_command_what_if = {
    .name = "what-if",
    .words_help = "WHERE --cut REFERENCE [--cut REFERENCE ...]",
    .min_words = 1,
    .max_words = 1,
    .summary = "Tell what would become free if references were cut",
    .details = RCH_WHERE_HELP
    "REFERENCE is written as 'refchain why' prints it after \"cut\": 'kombu.pools.connections',\n"
    "'app.cache.clear()', 'app.cache[\"eu\"].owner', 'app.seen <key>', 'local conn in read()'; "
    "also\n"
    "'app.cache[*]' (all entries), 'app' (a module as a whole) and 0x7f41c0de (an object: every\n"
    "reference to it). Each cut is told alone, and all of them together.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
