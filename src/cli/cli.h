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
    RCH_EXIT_FOUND = 1,    // asked to judge, and there is something that is not known
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
    RCH_OPT_FORMAT,
    RCH_OPT_KNOWN,
    RCH_OPT_FAIL_ON_NEW,
    RCH_OPT_FILE,
    RCH_OPT_REASON,
    RCH_OPT_UNTIL,
    RCH_OPT_CUT,
    RCH_OPT_BY,
    RCH_OPT_PATHS,
    RCH_OPT_EXCLUDE,
    RCH_OPT_EXCLUDE_ROOT,
    RCH_OPT_GARBAGE,
    RCH_OPT_TYPE,
    RCH_OPT_MIN_GROWTH,
    RCH_OPT_INTERVAL,
    RCH_OPT_COUNT,
    RCH_OPT_NO_CACHE,
    RCH_OPT_MAX_MEMORY,
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

enum rch_format { RCH_FORMAT_TEXT, RCH_FORMAT_JSON, RCH_FORMAT_MARKDOWN, RCH_FORMAT_SARIF };
enum rch_top_sort { RCH_TOP_OBJECTS = 1, RCH_TOP_BYTES, RCH_TOP_RETAINED };
/// of top and diff
enum rch_top_by {
    RCH_BY_TYPE = 1,
    RCH_BY_MODULE,
    RCH_BY_HOLDER,
    RCH_BY_DOMINATOR,
    RCH_BY_IDENTITY
};

/// The command line after parsing. Pointers are into argv.
struct rch_args {
    int sort, by;  // enum rch_top_sort, rch_top_by; 0: not given
    bool json, raw, all, why, svg, html, refs, backrefs;
    int format;  // enum rch_format; JSON: `json`, too
    bool fail_on_new;
    const char *known, *file, *reason, *until;
    uint32_t limit, max_holders, depth;
    uint32_t max_paths;
    struct rch_exclude excludes[RCH_MAX_EXCLUDES];
    uint32_t num_excludes;
    bool garbage;
    const char *output, *sysroot;
    const char *baseline;               // of suspects
    uint64_t memory_limit, max_memory;  // bytes, 0: not given
    const char *thread;                 // of stacks
    bool locals;
    const char *cuts[RCH_MAX_CUTS];  // of what-if
    uint32_t num_cuts;
    const char *type, *min_growth;  // of diff
    const char *interval;           // of watch
    uint32_t count;
    bool no_cache;
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
extern const struct rch_command rch_command_why, rch_command_paths, rch_command_what_if,
    rch_command_top, rch_command_suspects, rch_command_cycles, rch_command_stacks, rch_command_fds,
    rch_command_graph, rch_command_diff, rch_command_watch, rch_command_known, rch_command_dump,
    rch_command_doctor;

/// Take over the value of one option (option_values.c); false, after saying why, when it makes no sense.
bool rch_take_option(const struct rch_command *command, int id, const char *text,
                     struct rch_args *args);
/// Parse argv[1..] for `command`. Returns -1 to go on, otherwise the exit code to end with (help was
/// printed, or a usage error said).
int rch_parse_args(const struct rch_command *command, int argc, char **argv,
                   struct rch_args *args_out);
/// How the command is used, to standard error, after words of what is wrong. Returns RCH_EXIT_USAGE.
int rch_usage_error(const struct rch_command *command);
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
