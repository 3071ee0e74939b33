// SPDX-License-Identifier: MIT
// cli/cmd_dump.c -- refchain dump: a process or a core file (or a damaged snapshot) to a snapshot.
#include "cli/cli.h"
#include "cli/where.h"
#include "format/rch_file.h"

static const struct rch_option options[] = {
    {RCH_OPT_OUTPUT, 'o', "output", "FILE", "the snapshot to write"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static int run(const struct rch_args *args)
{
    if (!args->output) {
        rch_say("dump: where to? Give the file to write: -o app.rch");
        return RCH_EXIT_USAGE;
    }
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    enum rch_status st = rch_file_write(where.graph, args->output, &watch.progress, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK) {
        rch_say_error(args->output, &err);
        return RCH_EXIT_CANNOT;
    }
    rch_say("%s: %u objects, %u references", args->output, where.graph->num_objects,
            where.graph->num_edges);
    return code;
}

const struct rch_command rch_command_dump = {
    .name = "dump",
    .words_help = "WHERE -o FILE.rch",
    .min_words = 1,
    .max_words = 1,
    .summary = "Write a snapshot of a process or of a core file",
    .details = RCH_WHERE_HELP "The snapshot holds types, names and sizes, no values; only its "
                              "owner may read it. Questions to\n"
                              "it take a moment and need neither the process nor the machine.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
