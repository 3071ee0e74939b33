// SPDX-License-Identifier: MIT
// cli/judge.h -- what commands share that judge what they find: the list of what is known, the outputs for
// continuous integration, and the exit code.
#ifndef RCH_CLI_JUDGE_H
#define RCH_CLI_JUDGE_H
#include "cli/cli.h"
#include "cli/known_file.h"
#include "render/report.h"

/// Options of every command that judges.
#define RCH_JUDGE_OPTIONS                                                                            \
    {RCH_OPT_FORMAT, 0, "format", "FORMAT", "text, json, markdown (for a pull request) or sarif"},   \
    {RCH_OPT_KNOWN, 0, "known", "FILE", "leaks that are known (" RCH_KNOWN_DEFAULT " if it is here)"},\
    {RCH_OPT_FAIL_ON_NEW, 0, "fail-on-new", NULL, "exit with 1 if something is found that is not known"}

struct rch_judge {
    struct rch_findings findings;
    struct rch_known_file known;
};

/// Read what is known, before anything that takes time. RCH_EXIT_OK, or RCH_EXIT_CANNOT after saying why.
/// *judge must not be moved; end it with rch_judge_close after every return.
int rch_judge_open(struct rch_judge *judge, const struct rch_args *args);
void rch_judge_close(struct rch_judge *judge);
/// Does the judge have to see all findings, not only those of a page?
bool rch_judge_wants_all(const struct rch_args *args);
/// All findings are in judge->findings now: tell the known from the new.
void rch_judge_compare(struct rch_judge *judge);
/// Print them if the format is one that is made of findings (markdown, sarif); false: it is not.
bool rch_judge_print(const struct rch_judge *judge, const struct rch_args *args,
                     struct rch_report report, const struct rch_render_options *options,
                     struct rch_sink *sink);
/// The exit code, `code` if there is nothing to judge; says on standard error what is new.
int rch_judge_code(const struct rch_judge *judge, const struct rch_args *args, const char *command,
                   int code);

#endif
