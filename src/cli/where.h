// SPDX-License-Identifier: MIT
// cli/where.h -- WHERE, the first argument of most commands: a snapshot file. A process or a core
// file is recognised and refused here, the one place that has to learn them.
#ifndef RCH_CLI_WHERE_H
#define RCH_CLI_WHERE_H
#include "cli/cli.h"

struct rch_where {
    struct rch_graph *graph;
    char source[512];  // "snapshot app.rch", for the header
};

/// Open it; says on standard error what went wrong or what is missing. RCH_EXIT_OK, RCH_EXIT_PARTIAL
/// (`where` can be used, something is missing) or RCH_EXIT_CANNOT. The caller ends it with
/// rch_where_close after either of the first two.
int rch_where_open(const char *words, struct rch_where *where);
void rch_where_close(struct rch_where *where);

/// How to get a snapshot, as lines on standard error.
void rch_say_way_out(void);

#endif
