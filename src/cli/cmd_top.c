// SPDX-License-Identifier: MIT
// cli/cmd_top.c -- refchain top: how many objects of each type, and how many bytes.
#include "analyze/histogram.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.top/1, all types"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all types"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N types (20)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static int run(const struct rch_args *args)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    struct rch_type_count *rows;
    uint32_t num_rows;
    if (rch_histogram(where.graph, rch_alloc_default(), &rows, &num_rows, &err) != RCH_OK) {
        rch_say_error("top", &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        rch_render_top_json(where.graph, rows, num_rows, &render, &sink);
    else
        rch_render_top_text(where.graph, rows, num_rows, &render, &sink);
    rch_free(rch_alloc_default(), rows, num_rows, sizeof(*rows));
    return rch_out_finish(&sink, code);
}

const struct rch_command rch_command_top = {
    .name = "top",
    .words_help = "WHERE",
    .min_words = 1,
    .max_words = 1,
    .summary = "Count objects and bytes by type",
    .details = RCH_WHERE_HELP "Sizes are the objects' own, as sys.getsizeof; most objects first.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
