// SPDX-License-Identifier: MIT
// cli/cmd_fds.c -- refchain fds: open descriptors, the objects that own them and who holds those.
#include "analyze/why/fd_table.h"
#include "analyze/common/need.h"
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_WHY, 'w', "why", NULL, "groups of descriptors that are alike, with their holders"},
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.fds/1"},
    {RCH_OPT_ALL, 'a', "all", NULL, "a line each, also for many that are alike; every group"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "at most N lines; with --why at most N groups (8)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { DEFAULT_GROUPS = 8 };

static void free_table(struct rch_fd_table **table)
{
    rch_fd_table_free(*table);
}

static enum rch_status make_table(const struct rch_graph *g, const struct rch_args *args,
                                  const struct rch_progress *progress,
                                  struct rch_fd_table **table_out, struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    const struct rch_why_options why = {.progress = progress};
    uint32_t num_groups = args->limit               ? args->limit
                          : args->all || args->json ? UINT32_MAX
                                                    : DEFAULT_GROUPS;
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse rev = {.alloc = alloc};
    RCH_TRY(rch_need_check(g, args->why ? RCH_WORK_WHY : RCH_WORK_REVERSE, args->max_memory, err));
    RCH_TRY(rch_reverse_make(&rev, g, alloc, progress, err));
    RCH_TRY(rch_fd_table(g, &rev, alloc, table_out, err));
    return args->why ? rch_fd_table_why(*table_out, g, &rev, num_groups, &why, err) : RCH_OK;
}

static int print(const struct rch_where *where, const struct rch_fd_table *table,
                 const struct rch_args *args, int code)
{
    struct rch_render_options render = rch_out_options(args);
    struct rch_sink sink = rch_out_sink();
    render.source = where->source;
    if (args->json)
        rch_render_fds_json(where->graph, table, &render, &sink);
    else if (args->why)
        rch_render_fds_why_text(where->graph, table, &render, &sink);
    else
        rch_render_fds_text(where->graph, table, &render, &sink);
    return rch_out_finish(&sink, code);
}

static int run(const struct rch_args *args)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_fd_table *table __attribute__((cleanup(free_table))) = NULL;
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    enum rch_status st = make_table(where.graph, args, &watch.progress, &table, &err);
    rch_watch_end(&watch);
    if (st == RCH_OK)
        return print(&where, table, args, code);
    rch_say_error("fds", &err);
    return RCH_EXIT_CANNOT;
}

const struct rch_command rch_command_fds = {
    .name = "fds",
    .words_help = "WHERE",
    .min_words = 1,
    .max_words = 1,
    .summary = "List open descriptors and the objects that own them",
    .details = RCH_WHERE_HELP
    "Sockets come with their addresses and states, files with their paths. The owner\n"
    "is the nearest object that has the socket or file: amqp.transport.TCPTransport.\n"
    "A descriptor that no Python object owns was inherited or opened by C code.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
