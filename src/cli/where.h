// SPDX-License-Identifier: MIT
// cli/where.h -- WHERE on a command line: a process, a core file or a snapshot, made a graph. The one
// place that tells them apart.
#ifndef RCH_CLI_WHERE_H
#define RCH_CLI_WHERE_H
#include "cli/cli.h"

enum rch_where_kind { RCH_WHERE_SNAPSHOT, RCH_WHERE_PROCESS, RCH_WHERE_CORE };

struct rch_where {
    struct rch_graph *graph;
    char source[512];   // "snapshot app.rch", for the header
    const char *keeps;  // path of a snapshot whose index is kept beside it, or NULL
};

/// What the words name, by how they look and how the file begins.
enum rch_where_kind rch_where_kind_of(const char *words, uint32_t *pid_out);
/// Open it, with the options of RCH_WHERE_OPTIONS; says on standard error what went wrong, what is
/// missing, and how long a process stood still. RCH_EXIT_OK, RCH_EXIT_PARTIAL (`where` can be used,
/// something is missing) or RCH_EXIT_CANNOT. The caller ends it with rch_where_close after either of the
/// first two.
int rch_where_open(const char *words, const struct rch_args *args, struct rch_where *where);
void rch_where_close(struct rch_where *where);

/// Options of every command that takes WHERE.
#define RCH_WHERE_OPTIONS                                                                            \
    {RCH_OPT_SYSROOT, 0, "sysroot", "DIR", "cores: where the files of the other machine are"},       \
    {RCH_OPT_MEMORY_LIMIT, 0, "memory-limit", "SIZE", "copy so much to memory at most (8G), the rest to disk"}, \
    {RCH_OPT_MAX_MEMORY, 0, "max-memory", "SIZE", "do not begin work that needs more (what is free)"}, \
    {RCH_OPT_NO_CACHE, 0, "no-cache", NULL, "snapshots: neither use nor write SNAPSHOT.idx"}

#define RCH_WHERE_HELP                                                                               \
    "WHERE is a process number (read only: it stands still for a moment and goes on), a core file\n" \
    "(also .gz, .zst), or a snapshot, made by 'refchain dump' or by refchain.dump(\"app.rch\") inside.\n"

#endif
