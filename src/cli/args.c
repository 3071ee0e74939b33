// SPDX-License-Identifier: MIT
// cli/args.c -- the command line and its help, both from the option tables of the commands.
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"

enum { MAX_OPTIONS = 32, HELP_COLUMN = 28 };

int rch_usage_error(const struct rch_command *command)
{
    fprintf(stderr, "usage: refchain %s %s\nTry 'refchain %s --help'.\n", command->name,
            command->words_help, command->name);
    return RCH_EXIT_USAGE;
}

int rch_parse_args(const struct rch_command *command, int argc, char **argv,
                   struct rch_args *args_out)
{
    struct option longs[MAX_OPTIONS] = {{0}};
    char shorts[2 * MAX_OPTIONS + 1] = "";
    size_t num_shorts = 0;
    for (int i = 0; i < command->num_options; i++) {
        const struct rch_option *row = &command->options[i];
        longs[i] =
            (struct option){row->name, row->arg ? required_argument : no_argument, NULL, row->id};
        if (row->letter)
            shorts[num_shorts++] = row->letter;
        if (row->letter && row->arg)
            shorts[num_shorts++] = ':';
    }
    *args_out = (struct rch_args){0};
    optind = 1;
    for (int id; (id = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        for (int i = 0; i < command->num_options; i++)
            if (command->options[i].letter == id)
                id = command->options[i].id;
        if (id == RCH_OPT_HELP)
            return rch_print_command_help(command);
        if (id == '?' || !rch_take_option(command, id, optarg, args_out))
            return rch_usage_error(command);
    }
    args_out->json |= args_out->format == RCH_FORMAT_JSON;
    args_out->words = (const char *const *)argv + optind;
    args_out->num_words = argc - optind;
    if (args_out->num_words >= command->min_words && args_out->num_words <= command->max_words)
        return -1;
    rch_say("%s: too %s arguments", command->name,
            args_out->num_words < command->min_words ? "few" : "many");
    return rch_usage_error(command);
}

static void put_option(struct rch_sink *sink, const struct rch_option *row)
{
    char head[64];
    int num = snprintf(head, sizeof(head), "  %c%c%s--%s%s%s", row->letter ? '-' : ' ',
                       row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
                       row->arg ? " " : "", row->arg ? row->arg : "");
    rch_putf(sink, "%-*s%s%s\n", HELP_COLUMN, head, num >= HELP_COLUMN ? "  " : "", row->help);
}

int rch_print_command_help(const struct rch_command *command)
{
    struct rch_sink sink = rch_out_sink();
    rch_putf(&sink, "usage: refchain %s [options] %s\n\n%s.\n\n%s\nOptions:\n", command->name,
             command->words_help, command->summary, command->details);
    for (int i = 0; i < command->num_options; i++)
        put_option(&sink, &command->options[i]);
    return rch_out_finish(&sink, RCH_EXIT_OK);
}
