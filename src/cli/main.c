// SPDX-License-Identifier: MIT
// cli/main.c -- the table of subcommands.
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/interrupt.h"

#ifndef RCH_VERSION
#error "the build defines RCH_VERSION"
#endif

static const struct rch_command *const commands[] = {
    &rch_command_why,   &rch_command_paths,  &rch_command_what_if, &rch_command_suspects,
    &rch_command_top,   &rch_command_cycles, &rch_command_stacks,  &rch_command_fds,
    &rch_command_graph, &rch_command_diff,   &rch_command_watch,   &rch_command_known,
    &rch_command_dump,  &rch_command_doctor,
};
enum { NUM_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const char *rch_version(void)
{
    return RCH_VERSION;
}

static const struct rch_command *find_command(const char *name)
{
    for (int i = 0; i < NUM_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int print_help(void)
{
    struct rch_sink sink = rch_out_sink();
    rch_put(&sink, "usage: refchain COMMAND [options] ...\n\n"
                   "Says why Python objects are still alive: who holds them, by name, from a real "
                   "root.\n\nCommands:\n");
    for (int i = 0; i < NUM_COMMANDS; i++)
        rch_putf(&sink, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    rch_put(&sink,
            "\nOptions:\n"
            "  -h, --help     show this help; 'refchain COMMAND --help' for a command's\n"
            "  -V, --version  show the version\n\n"
            "Exit codes: 0 fine, 1 a new leak (--fail-on-new), 2 wrong usage, 3 the answer is\n"
            "partial, 4 no answer.\n");
    return rch_out_finish(&sink, RCH_EXIT_OK);
}

static int print_version(void)
{
    struct rch_sink sink = rch_out_sink();
    rch_putf(&sink, "refchain %s\n", rch_version());
    return rch_out_finish(&sink, RCH_EXIT_OK);
}

static int usage_error(void)
{
    fputs("usage: refchain COMMAND [options] ...\nTry 'refchain --help'.\n", stderr);
    return RCH_EXIT_USAGE;
}

// Snapshots, cores and the copy beyond the limit of memory are mapped. What a file no longer has is met
// in the middle of anything, so nothing can go on; calls below are safe in a signal handler.
static void end_for_lost_file(int number)
{
    static const char words[] =
        "refchain: a file that was being read has become shorter, or its disk "
        "failed; no answer\n";
    (void)number;
    ssize_t num = write(STDERR_FILENO, words, sizeof(words) - 1);
    (void)num;
    _exit(RCH_EXIT_CANNOT);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);  // writes then fail with EPIPE, and the end is quiet
    signal(SIGBUS, end_for_lost_file);
    if (argc < 2)
        return usage_error();
    const char *name = argv[1];
    bool asks_help = strcmp(name, "help") == 0;
    if (asks_help && argc > 2 && find_command(argv[2]))
        return rch_print_command_help(find_command(argv[2]));
    if (asks_help || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version();
    const struct rch_command *command = find_command(name);
    if (!command) {
        rch_say("'%s' is no command", name);
        return usage_error();
    }
    argv[1] = argv[0];  // getopt's messages begin with it
    struct rch_args args;
    int code = rch_parse_args(command, argc - 1, argv + 1, &args);
    if (code >= 0)
        return code;
    rch_interrupt_catch();
    code = command->run(&args);
    if (code == RCH_EXIT_CANNOT && rch_was_interrupted())
        rch_end_interrupted();
    return code;
}
