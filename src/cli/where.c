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

#include "capture/outside.h"
#include "format/rch_file.h"

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

static void drop_image(struct rch_image **image)
{
    rch_image_free(*image);
}

static void drop_fds(struct rch_os_fds *fds)
{
    rch_os_fds_deinit(fds);
}

static int say_cannot(const char *what, const struct rch_error *err)
{
    rch_say_error(what, err);
    return RCH_EXIT_CANNOT;
}

static void say_pause(const struct rch_image *image)
{
    double mib = (double)image->bytes_copied / (1 << 20);
    if (image->pause_ns == 0)
        rch_say("process %u slept all the while, so it was not stopped; %.1f MiB copied",
                image->pid, mib);
    else
        rch_say("process %u stood still for %.3f s, %.1f MiB copied", image->pid,
                (double)image->pause_ns / 1e9, mib);
}

static void say_warnings(const struct rch_graph *g)
{
    for (uint32_t i = 0; i < g->num_warnings; i++)
        rch_say("%s", rch_str_get(g, g->warnings[i]));
}

static enum rch_status open_image(const char *words, enum rch_where_kind kind, uint32_t pid,
                                  const struct rch_image_options *options,
                                  struct rch_image **image_out, struct rch_error *err)
{
    if (kind == RCH_WHERE_PROCESS)
        return rch_image_open_pid(pid, options, image_out, err);
    return rch_image_open_core(words, options, image_out, err);
}

static enum rch_status capture(const struct rch_image *image, const struct rch_os_fds *fds,
                               const struct rch_progress *progress, struct rch_graph **graph_out,
                               struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_python python = {0};
    RCH_TRY(rch_python_find(image, alloc, &python, err));
    return rch_capture_image(image, &python, fds, progress, alloc, graph_out, err);
}

static int graph_of_image(const char *words, enum rch_where_kind kind, uint32_t pid,
                          const struct rch_args *args, struct rch_where *where)
{
    struct rch_watch watch;
    rch_watch_start(&watch);
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_image *image __attribute__((cleanup(drop_image))) = NULL;
    struct rch_os_fds fds __attribute__((cleanup(drop_fds))) = {0};
    struct rch_image_options options = {.alloc = alloc,
                                        .memory_limit = args->memory_limit,
                                        .sysroot = args->sysroot,
                                        .progress = &watch.progress};
    struct rch_error err = {0};
    enum rch_status st = open_image(words, kind, pid, &options, &image, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK)
        return say_cannot(words, &err);
    bool has_fds = false;
    if (kind == RCH_WHERE_PROCESS) {
        say_pause(image);
        has_fds = rch_os_fds_init(&fds, pid, alloc, &err) == RCH_OK;
        if (!has_fds)
            rch_say_error("descriptors", &err);
    }
    rch_watch_start(&watch);
    st = capture(image, has_fds ? &fds : NULL, &watch.progress, &where->graph, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK)
        return say_cannot(words, &err);
    say_warnings(where->graph);
    return where->graph->info.is_partial ? RCH_EXIT_PARTIAL : RCH_EXIT_OK;
}

// ---- a snapshot ----------------------------------------------------------------------------------

static int graph_of_file(const char *words, struct rch_where *where)
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
        return graph_of_file(words, where);
    return graph_of_image(words, kind, pid, args, where);
}

void rch_where_close(struct rch_where *where)
{
    rch_graph_free(where->graph);
    where->graph = NULL;
}
