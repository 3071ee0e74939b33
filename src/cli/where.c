// SPDX-License-Identifier: MIT
// cli/where.c -- see where.h. A damaged snapshot is opened for what can still be used: half an answer
// with a warning helps more than none.
#include "cli/where.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/process.h"
#include "format/index_file.h"
#include "format/rch_file.h"
#include "model/derived.h"

// ---- which of the three --------------------------------------------------------------------------

static bool is_pid(const char *words, uint32_t *pid_out)
{
    struct stat st;
    if (!*words || strlen(words) > 9 || words[strspn(words, "0123456789")] != '\0' ||
        stat(words, &st) == 0)
        return false;
    *pid_out = (uint32_t)strtoul(words, NULL, 10);
    return true;
}

/// Does the file begin like an ELF file, or like something compressed? A snapshot does neither.
static bool is_core(const char *path)
{
    unsigned char head[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t num = read(fd, head, sizeof(head));
    close(fd);
    return num == (ssize_t)sizeof(head) &&
           (memcmp(head, ELFMAG, SELFMAG) == 0 || memcmp(head, "\x1f\x8b", 2) == 0 ||
            memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0);
}

enum rch_where_kind rch_where_kind_of(const char *words, uint32_t *pid_out)
{
    if (is_pid(words, pid_out))
        return RCH_WHERE_PROCESS;
    return is_core(words) ? RCH_WHERE_CORE : RCH_WHERE_SNAPSHOT;
}

// ---- a process or a core -------------------------------------------------------------------------

static int say_cannot(const char *what, const struct rch_error *err)
{
    rch_say_error(what, err);
    return RCH_EXIT_CANNOT;
}

static void say_read(uint32_t pid, const struct rch_process_read *read)
{
    double mib = (double)read->bytes_copied / (1 << 20);
    if (read->pause_ns == 0)
        rch_say("process %u slept all the while, so it was not stopped; %.1f MiB copied", pid, mib);
    else
        rch_say("process %u stood still for %.3f s, %.1f MiB copied", pid,
                (double)read->pause_ns / 1e9, mib);
}

static void say_warnings(const struct rch_graph *g)
{
    for (uint32_t i = 0; i < g->num_warnings; i++)
        rch_say("%s", rch_str_get(g, g->warnings[i]));
}

static int graph_of_image(const char *words, enum rch_where_kind kind, uint32_t pid,
                          const struct rch_args *args, struct rch_where *where)
{
    struct rch_watch watch;
    rch_watch_start(&watch);
    struct rch_image_options options = {.alloc = rch_alloc_default(),
                                        .memory_limit = args->memory_limit,
                                        .max_memory = args->max_memory,
                                        .sysroot = args->sysroot,
                                        .progress = &watch.progress};
    struct rch_process_read read = {0};
    struct rch_error err = {0};
    bool is_process = kind == RCH_WHERE_PROCESS;
    enum rch_status st = is_process ? rch_capture_pid(pid, &options, &read, &where->graph, &err)
                                    : rch_capture_core(words, &options, &where->graph, &err);
    rch_watch_end(&watch);
    if (read.bytes_copied)
        say_read(pid, &read);
    if (st != RCH_OK)
        return say_cannot(words, &err);
    say_warnings(where->graph);
    return where->graph->info.is_partial ? RCH_EXIT_PARTIAL : RCH_EXIT_OK;
}

// ---- a snapshot ----------------------------------------------------------------------------------

enum cache_wish { CACHE_OFF, CACHE_ON, CACHE_EVEN_SMALL };

static enum cache_wish cache_wish(const struct rch_args *args)
{
    const char *words = getenv("REFCHAIN_CACHE");
    if (args->no_cache || (words && strcmp(words, "off") == 0))
        return CACHE_OFF;
    return words && strcmp(words, "all") == 0 ? CACHE_EVEN_SMALL : CACHE_ON;
}

static void use_index(const char *words, const struct rch_args *args, struct rch_where *where)
{
    char trouble[1024];
    struct rch_error err = {0};
    where->keeps = cache_wish(args) == CACHE_OFF ? NULL : words;
    if (!where->keeps)
        return;
    if (rch_index_open(where->graph, words, rch_alloc_default(), trouble, sizeof(trouble), &err) !=
        RCH_OK)
        rch_say_error(words, &err);
    else if (*trouble)
        rch_say("%s", trouble);
}

// The answer is out; whether what it took can be kept is nobody's worry.
static void save_index(const struct rch_where *where)
{
    const struct rch_args any = {0};
    struct rch_watch watch;
    struct rch_error err = {0};
    const char *trouble = rch_derived_trouble(where->graph);
    if (trouble)
        rch_say("%s.idx: %s; not used, and made again", where->keeps, trouble);
    rch_watch_start(&watch);
    (void)!rch_index_save(where->graph, where->keeps, cache_wish(&any) == CACHE_EVEN_SMALL,
                          &watch.progress, &err);
    rch_watch_end(&watch);
}

static int graph_of_file(const char *words, const struct rch_args *args, struct rch_where *where)
{
    struct rch_error err = {0};
    enum rch_status st = rch_file_open(words, false, rch_alloc_default(), &where->graph, &err);
    if (st == RCH_ECORRUPT) {
        struct rch_error damage = err;
        if (rch_file_open(words, true, rch_alloc_default(), &where->graph, &err) == RCH_OK) {
            rch_say_error(words, &damage);
            rch_say("%s: damaged; going on with what can still be used, so answers are partial",
                    words);
            return RCH_EXIT_PARTIAL;
        }
    }
    if (!where->graph)
        return say_cannot(words, &err);
    use_index(words, args, where);
    if (where->graph->info.is_partial)
        rch_say("%s: the snapshot is partial: something could not be read when it was taken",
                words);
    return where->graph->info.is_partial ? RCH_EXIT_PARTIAL : RCH_EXIT_OK;
}

int rch_where_open(const char *words, const struct rch_args *args, struct rch_where *where)
{
    static const char *const kind_words[] = {[RCH_WHERE_SNAPSHOT] = "snapshot",
                                             [RCH_WHERE_PROCESS] = "process",
                                             [RCH_WHERE_CORE] = "core"};
    *where = (struct rch_where){0};
    uint32_t pid = 0;
    enum rch_where_kind kind = rch_where_kind_of(words, &pid);
    snprintf(where->source, sizeof(where->source), "%s %s", kind_words[kind], words);
    if (kind == RCH_WHERE_SNAPSHOT)
        return graph_of_file(words, args, where);
    return graph_of_image(words, kind, pid, args, where);
}

void rch_where_close(struct rch_where *where)
{
    if (where->graph && where->keeps)
        save_index(where);
    rch_graph_free(where->graph);
    where->graph = NULL;
}
