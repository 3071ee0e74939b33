// SPDX-License-Identifier: MIT
// cli/cmd_top.c -- refchain top: how many objects of each type, and how many bytes.
#include "analyze/histogram.h"
#include "analyze/need.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.top/1, all types"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all types"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N types (20)"},
    {RCH_OPT_SORT, 's', "sort", "KEY", "objects (default) or retained, with its column"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static enum rch_status count(const struct rch_args *args, const struct rch_graph *g,
                             struct rch_type_count **rows_out, uint32_t *num_out,
                             struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    if (args->sort_retained)
        RCH_TRY(rch_need_check(g, RCH_WORK_RETAINED, args->max_memory, err));
    enum rch_status st = rch_histogram(g, alloc, rows_out, num_out, err);
    if (st != RCH_OK || !args->sort_retained)
        return st;
    struct rch_watch watch;
    rch_watch_start(&watch);
    st = rch_histogram_retained(g, alloc, &watch.progress, *rows_out, *num_out, err);
    rch_watch_end(&watch);
    if (st != RCH_OK)
        rch_free(alloc, *rows_out, *num_out, sizeof(**rows_out));
    return st;
}

static int run(const struct rch_args *args)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    struct rch_type_count *rows;
    uint32_t num_rows;
    if (count(args, where.graph, &rows, &num_rows, &err) != RCH_OK) {
        rch_say_error("top", &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    render.retained = args->sort_retained;
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
    .details = RCH_WHERE_HELP
    "Sizes are the objects' own, as sys.getsizeof; most objects first. With --sort retained:\n"
    "also the bytes that would be freed with them, what is only theirs; most first.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
