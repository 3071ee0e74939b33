// SPDX-License-Identifier: MIT
// cli/cmd_dump.c -- refchain dump: snapshots of other processes and of cores are not in this version;
// says how to get one. The calling convention is settled, so that scripts can be written for it.
#include "cli/cli.h"
#include "cli/where.h"

static const struct rch_option options[] = {
    {RCH_OPT_OUTPUT, 'o', "output", "FILE", "the snapshot to write"},
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static int run(const struct rch_args *args)
{
    rch_say("%s: writing a snapshot of another process or of a core file is not in this version",
            args->words[0]);
    rch_say_way_out();
    return RCH_EXIT_CANNOT;
}

const struct rch_command rch_command_dump = {
    .name = "dump",
    .words_help = "PID|CORE -o FILE.rch",
    .min_words = 1,
    .max_words = 1,
    .summary = "Write a snapshot (in this version: only from inside the program)",
    .details = "This version writes snapshots from inside the program, in its code or at its pdb\n"
               "prompt, and not from outside:\n"
               "    import refchain; refchain.dump(\"app.rch\")\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
