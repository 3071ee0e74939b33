// SPDX-License-Identifier: MIT
// cli/args.c -- the command line and its help, both from the option tables of the commands.
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MAX_OPTIONS = 16, HELP_COLUMN = 28 };

static bool parse_count(const char *text, uint32_t *value_out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value == 0 || value > UINT32_MAX)
        return false;
    *value_out = (uint32_t)value;
    return true;
}

/// "500M", "8G", "1000000"
static bool parse_size(const char *text, uint64_t *value_out)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (errno || end == text || text[0] == '-' || (*end && (!unit || end[1])))
        return false;
    uint32_t shift = unit ? 10 * (uint32_t)(unit - units + 1) : 0;
    *value_out = (uint64_t)value << shift;
    return *value_out != 0 && *value_out >> shift == value;
}

static int usage_error(const struct rch_command *command)
{
    fprintf(stderr, "usage: refchain %s %s\nTry 'refchain %s --help'.\n", command->name,
            command->words_help, command->name);
    return RCH_EXIT_USAGE;
}

/// Take over one option; false when its value makes no sense.
static bool take_option(const struct rch_command *command, int id, struct rch_args *args)
{
    uint32_t *count = NULL;
    switch (id) {
    case RCH_OPT_JSON: args->json = true; return true;
    case RCH_OPT_RAW: args->raw = true; return true;
    case RCH_OPT_ALL: args->all = true; return true;
    case RCH_OPT_LOCALS: args->locals = true; return true;
    case RCH_OPT_WHY: args->why = true; return true;
    case RCH_OPT_SVG: args->svg = true; return true;
    case RCH_OPT_HTML: args->html = true; return true;
    case RCH_OPT_REFS: args->refs = true; return true;
    case RCH_OPT_TYPES: args->types = true; return true;
    case RCH_OPT_BACKREFS: args->backrefs = true; return true;
    case RCH_OPT_BASELINE: args->baseline = optarg; return true;
    case RCH_OPT_OUTPUT: args->output = optarg; return true;
    case RCH_OPT_SYSROOT: args->sysroot = optarg; return true;
    case RCH_OPT_MEMORY_LIMIT:
        if (parse_size(optarg, &args->memory_limit))
            return true;
        rch_say("%s: '%s' is not a size like 500M or 8G", command->name, optarg);
        return false;
    case RCH_OPT_SORT:
        args->sort_retained = strcmp(optarg, "retained") == 0;
        if (args->sort_retained || strcmp(optarg, "objects") == 0)
            return true;
        rch_say("%s: cannot sort by '%s', only by objects or retained", command->name, optarg);
        return false;
    case RCH_OPT_THREAD: args->thread = optarg; return true;
    case RCH_OPT_LIMIT: count = &args->limit; break;
    case RCH_OPT_MAX_HOLDERS: count = &args->max_holders; break;
    case RCH_OPT_DEPTH: count = &args->depth; break;
    default: return false;
    }
    if (parse_count(optarg, count))
        return true;
    rch_say("%s: '%s' is not a number from 1 on", command->name, optarg);
    return false;
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
        if (id == '?' || !take_option(command, id, args_out))
            return usage_error(command);
    }
    args_out->words = (const char *const *)argv + optind;
    args_out->num_words = argc - optind;
    if (args_out->num_words >= command->min_words && args_out->num_words <= command->max_words)
        return -1;
    rch_say("%s: too %s arguments", command->name,
            args_out->num_words < command->min_words ? "few" : "many");
    return usage_error(command);
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
