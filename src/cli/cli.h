// SPDX-License-Identifier: MIT
// cli/cli.h -- what the subcommands share: exit codes, parsed arguments, the ways out (standard
// output, messages, progress). The only part of refchain that prints.
#ifndef RCH_CLI_CLI_H
#define RCH_CLI_CLI_H
#include <stdio.h>

#include "base/progress.h"
#include "base/sink.h"
#include "render/render.h"

enum rch_exit {
    RCH_EXIT_OK = 0,
    RCH_EXIT_USAGE = 2,    // the command line is wrong
    RCH_EXIT_PARTIAL = 3,  // answered, but something is missing
    RCH_EXIT_CANNOT = 4,   // no answer
};

enum rch_option_id {
    RCH_OPT_HELP = 256,
    RCH_OPT_JSON,
    RCH_OPT_RAW,
    RCH_OPT_ALL,
    RCH_OPT_LIMIT,
    RCH_OPT_SORT,
    RCH_OPT_MAX_HOLDERS,
    RCH_OPT_OUTPUT,
    RCH_OPT_SYSROOT,
    RCH_OPT_MEMORY_LIMIT,
    RCH_OPT_LOCALS,
    RCH_OPT_THREAD,
    RCH_OPT_WHY,
    RCH_OPT_SVG,
    RCH_OPT_HTML,
    RCH_OPT_REFS,
    RCH_OPT_BACKREFS,
    RCH_OPT_DEPTH,
    RCH_OPT_TYPES,
    RCH_OPT_BASELINE,
};

/// One row of an option table: getopt's options and the help text both come from it.
struct rch_option {
    enum rch_option_id id;
    char letter;       // 0: none
    const char *name;  // without the dashes
    const char *arg;   // NULL: takes none
    const char *help;
};

/// The command line after parsing. Pointers are into argv.
struct rch_args {
    bool sort_retained;  // top
    bool json, raw, all, why, svg, html, refs, backrefs, types;
    uint32_t limit, max_holders, depth;
    const char *output, *sysroot;
    const char *baseline;   // of suspects
    uint64_t memory_limit;  // bytes, 0: not given
    const char *thread;     // of stacks
    bool locals;
    const char *const *words;  // what is not an option
    int num_words;
};

struct rch_command {
    const char *name;
    const char *words_help;  // "WHERE TYPE|0xADDRESS"
    int min_words, max_words;
    const char *summary;  // one line
    const char *details;  // paragraphs
    const struct rch_option *options;
    int num_options;
    int (*run)(const struct rch_args *args);  // returns an rch_exit
};
extern const struct rch_command rch_command_why, rch_command_top, rch_command_stacks,
    rch_command_fds, rch_command_graph, rch_command_diff, rch_command_dump, rch_command_doctor;
extern const struct rch_command rch_command_suspects;

/// Parse argv[1..] for `command`. Returns -1 to go on, otherwise the exit code to end with (help was
/// printed, or a usage error said).
int rch_parse_args(const struct rch_command *command, int argc, char **argv,
                   struct rch_args *args_out);
int rch_print_command_help(const struct rch_command *command);

/// A sink to standard output. End with rch_out_finish, which reports what could not be written.
struct rch_sink rch_out_sink(void);
/// Flush; returns `code`, or RCH_EXIT_CANNOT when the output is lost. A reader that went away
/// (EPIPE) is no error.
int rch_out_finish(const struct rch_sink *sink, int code);
/// Colour, width, character set of standard output as the environment says.
struct rch_render_options rch_out_options(const struct rch_args *args);

/// One line to standard error, "refchain: " before it; names in it come out escaped.
void rch_say(const char *fmt, ...) RCH_PRINTF(1, 2);
void rch_say_error(const char *what, const struct rch_error *err);
struct rch_sink rch_talk_sink(void);  // standard error

/// Progress (share, bytes, time left) on standard error once work takes longer than a second and somebody watches.
struct rch_watch {
    struct rch_progress progress;  // hand this down
    const char *phase;
    uint64_t start_ns, phase_ns, drawn_ns;
    bool is_terminal, has_drawn;
};
void rch_watch_start(struct rch_watch *watch);
void rch_watch_end(struct rch_watch *watch);  // clears the line

const char *rch_version(void);

#endif
