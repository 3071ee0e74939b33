// SPDX-License-Identifier: MIT
// cli/cmd_cycles.c -- refchain cycles: objects that keep each other alive, and what to cut.
#include "analyze/cycles/cycles.h"
#include "cli/asking.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.cycles/1"},
    {RCH_OPT_GARBAGE, 'g', "garbage", NULL, "of TYPE, too, only what waits for the collector"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N kinds of cycles (20)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static enum rch_status answer(const struct rch_inquiry *ask, const struct rch_asked *asked,
                              void **out, struct rch_error *err)
{
    struct rch_cycles_options o = {.garbage_only = ask->args->garbage,
                                   .max_groups = ask->args->limit,
                                   .progress = ask->progress};
    struct rch_cycles *cycles = NULL;
    RCH_TRY(rch_cycles(ask->where->graph, ask->rev, asked ? &asked->question : NULL, &o,
                       rch_alloc_default(), &cycles, err));
    *out = cycles;
    return RCH_OK;
}

static void put(const struct rch_inquiry *ask, const void *cycles,
                const struct rch_render_options *render, struct rch_sink *sink)
{
    (ask->args->json ? rch_render_cycles_json : rch_render_cycles_text)(ask->where->graph, cycles,
                                                                        render, sink);
}

static void drop(void *cycles)
{
    rch_cycles_free(cycles);
}

static int run(const struct rch_args *args)
{
    static const struct rch_asker asker = {"cycles", answer, put, drop};
    return rch_ask_all(&asker, args);
}

const struct rch_command rch_command_cycles = {
    .name = "cycles",
    .words_help = "WHERE [TYPE|ADDRESS]",
    .min_words = 1,
    .max_words = 2,
    .summary = "Show objects that keep each other alive, and which references to cut",
    .details = RCH_WHERE_HELP
    "Without TYPE: garbage in cycles, which waits for the collector. With TYPE or ADDRESS, as for\n"
    "'refchain why': cycles that such objects are in, of living objects too; modules are left "
    "out.\n"
    "Cycles that look alike are told once, with a shortest one, what goes with them, the fewest\n"
    "names of references whose cutting ends them, and the types that have a __del__.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
