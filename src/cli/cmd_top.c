// SPDX-License-Identifier: MIT
// cli/cmd_top.c -- refchain top: how many objects and bytes, and how many are retained: by type, by module, by
// place, by single object, and by the dominators of a type.
#include "analyze/common/ask.h"
#include "analyze/common/histogram.h"
#include "analyze/keepers/keepers.h"
#include "analyze/common/need.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_BY, 'b', "by", "WHAT", "type (default), module, holder or dominator"},
    {RCH_OPT_SORT, 's', "sort", "KEY", "objects, bytes or retained; by type also the column"},
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.top/1, keepers/1 or dominators/1"},
    {RCH_OPT_ALL, 'a', "all", NULL, "all rows"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N rows (20)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { ALL_ROWS = 10000 };  // places and objects listed with --all

// --- by type ---

static enum rch_status count(const struct rch_args *args, const struct rch_graph *g,
                             struct rch_type_count **rows_out, uint32_t *num_out,
                             struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    if (args->sort == RCH_TOP_RETAINED)
        RCH_TRY(rch_need_check(g, RCH_WORK_RETAINED, args->max_memory, err));
    enum rch_status st = rch_histogram(g, alloc, rows_out, num_out, err);
    if (st == RCH_OK && args->sort == RCH_TOP_BYTES)
        rch_histogram_sort_bytes(g, *rows_out, *num_out);
    if (st != RCH_OK || args->sort != RCH_TOP_RETAINED)
        return st;
    struct rch_watch watch;
    rch_watch_start(&watch);
    st = rch_histogram_retained(g, alloc, &watch.progress, *rows_out, *num_out, err);
    rch_watch_end(&watch);
    if (st != RCH_OK)
        rch_free(alloc, *rows_out, *num_out, sizeof(**rows_out));
    return st;
}

static enum rch_status top_by_type(const struct rch_args *args, const struct rch_graph *g,
                                   const struct rch_render_options *render, struct rch_sink *sink,
                                   struct rch_error *err)
{
    struct rch_type_count *rows;
    uint32_t num_rows;
    RCH_TRY(count(args, g, &rows, &num_rows, err));
    if (args->json)
        rch_render_top_json(g, rows, num_rows, render, sink);
    else
        rch_render_top_text(g, rows, num_rows, render, sink);
    rch_free(rch_alloc_default(), rows, num_rows, sizeof(*rows));
    return RCH_OK;
}

// --- by what keeps it ---

static enum rch_status top_by_keeper(const struct rch_args *args, const struct rch_graph *g,
                                     const struct rch_render_options *render, struct rch_sink *sink,
                                     struct rch_error *err)
{
    struct rch_watch watch;
    rch_watch_start(&watch);
    struct rch_keepers_options keep = {
        .by = args->by == RCH_BY_MODULE   ? RCH_KEEPERS_MODULE
              : args->by == RCH_BY_HOLDER ? RCH_KEEPERS_HOLDER
                                          : RCH_KEEPERS_DOMINATOR,
        .sort = args->sort == RCH_TOP_OBJECTS ? RCH_SORT_OBJECTS
                : args->sort == RCH_TOP_BYTES ? RCH_SORT_BYTES
                                              : RCH_SORT_RETAINED,
        .max_rows = args->all ? ALL_ROWS : args->limit,
        .progress = &watch.progress,
    };
    struct rch_keepers *keepers = NULL;
    enum rch_status st = rch_keepers(g, NULL, &keep, rch_alloc_default(), &keepers, err);
    rch_watch_end(&watch);
    if (st == RCH_OK && args->json)
        rch_render_keepers_json(g, keepers, render, sink);
    else if (st == RCH_OK)
        rch_render_keepers_text(g, keepers, render, sink);
    rch_keepers_free(keepers);
    return st;
}

// --- by the dominators of a type ---

static enum rch_status top_of_question(const struct rch_args *args, const struct rch_graph *g,
                                       const struct rch_question *question,
                                       const struct rch_render_options *render,
                                       struct rch_sink *sink, struct rch_error *err)
{
    struct rch_watch watch;
    rch_watch_start(&watch);
    struct rch_dominators_of *answer = NULL;
    enum rch_status st =
        rch_dominators_of(g, NULL, question, &watch.progress, rch_alloc_default(), &answer, err);
    rch_watch_end(&watch);
    if (st == RCH_OK && args->json)
        rch_render_dominators_json(g, answer, render, sink);
    else if (st == RCH_OK)
        rch_render_dominators_text(g, answer, render, sink);
    rch_dominators_of_free(answer);
    return st;
}

static enum rch_status top_of_type(const struct rch_args *args, const struct rch_graph *g,
                                   const struct rch_render_options *render, struct rch_sink *sink,
                                   struct rch_error *err)
{
    struct rch_ask_list list __attribute__((cleanup(rch_ask_list_deinit)));
    RCH_TRY(rch_ask(g, args->words[1], rch_alloc_default(), &list, err));
    if (list.num_asked > 1 && args->json)
        return rch_fail(err, RCH_EINVAL, "%s names %u types: give one's full name", args->words[1],
                        list.num_asked);
    for (uint32_t i = 0; i < list.num_asked; i++) {
        if (i)
            rch_put(sink, "\n");
        RCH_TRY(top_of_question(args, g, &list.asked[i].question, render, sink, err));
    }
    return RCH_OK;
}

static int run(const struct rch_args *args)
{
    if (args->by == RCH_BY_IDENTITY) {
        rch_say("top: --by is type, module, holder or dominator");
        return rch_usage_error(&rch_command_top);
    }
    if (args->num_words > 1 && args->by != RCH_BY_DOMINATOR) {
        rch_say("top: a TYPE goes with --by dominator");
        return rch_usage_error(&rch_command_top);
    }
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    struct rch_render_options render = rch_out_options(args);
    render.source = where.source;
    render.retained = args->sort == RCH_TOP_RETAINED;
    struct rch_sink sink = rch_out_sink();
    enum rch_status st =
        args->by <= RCH_BY_TYPE ? top_by_type(args, where.graph, &render, &sink, &err)
        : args->num_words > 1   ? top_of_type(args, where.graph, &render, &sink, &err)
                                : top_by_keeper(args, where.graph, &render, &sink, &err);
    if (st == RCH_OK)
        return rch_out_finish(&sink, code);
    rch_say_error("top", &err);
    return RCH_EXIT_CANNOT;
}

const struct rch_command rch_command_top = {
    .name = "top",
    .words_help = "WHERE [TYPE]",
    .min_words = 1,
    .max_words = 2,
    .summary = "Count objects and bytes by type, module, place or object",
    .details = RCH_WHERE_HELP
    "By type: sizes are the objects' own, as sys.getsizeof; most objects first. With --sort\n"
    "retained: also the bytes that would be freed with them, what is only theirs; most first.\n"
    "--by module: what would go with a module, and the rest of the heap; rows add up.\n"
    "--by holder: objects by the place they are at, a path without keys and indices.\n"
    "--by dominator: the single objects that retain most, and what is below them. With a TYPE\n"
    "(as 'refchain why' takes it): what its objects' immediate dominators are.\n"
    "By holder and dominator a row is left out that mostly retains what one row below it does.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
