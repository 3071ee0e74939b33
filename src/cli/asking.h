// SPDX-License-Identifier: MIT
// cli/asking.h -- what commands share that answer "WHERE TYPE|ADDRESS": find the objects, answer every
// reading of the words, print.
#ifndef RCH_CLI_ASKING_H
#define RCH_CLI_ASKING_H
#include "analyze/common/ask.h"
#include "cli/cli.h"
#include "cli/where.h"

struct rch_inquiry {
    const struct rch_args *args;
    const struct rch_where *where;
    const struct rch_reverse *rev;
    const struct rch_progress *progress;
};

struct rch_asker {
    const char *name;
    /// Answer one reading, or without words the question about everything (`asked` NULL). *out is freed by drop, also when it is NULL.
    enum rch_status (*answer)(const struct rch_inquiry *ask, const struct rch_asked *asked,
                              void **out, struct rch_error *err);
    void (*put)(const struct rch_inquiry *ask, const void *answer,
                const struct rch_render_options *render, struct rch_sink *sink);
    void (*drop)(void *answer);
};

/// Returns an rch_exit.
int rch_ask_all(const struct rch_asker *asker, const struct rch_args *args);
/// The words name nothing: say so, and what may have been meant. Returns RCH_EXIT_CANNOT.
int rch_say_no_question(const struct rch_ask_list *list, const struct rch_args *args,
                        const struct rch_error *err);

#endif
