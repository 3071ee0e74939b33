// SPDX-License-Identifier: MIT
// cli/where.c -- see where.h. A damaged snapshot is opened for what can still be used: half an answer
// with a warning helps more than none.
#include "cli/where.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/rch_file.h"

void rch_say_way_out(void)
{
    fputs("Snapshots are written from inside the program for now. In its code, or at its pdb "
          "prompt:\n"
          "    import refchain; refchain.dump(\"app.rch\")\n"
          "then:\n"
          "    refchain why app.rch TYPE\n",
          stderr);
}

static bool is_pid(const char *words)
{
    struct stat st;
    return *words && words[strspn(words, "0123456789")] == '\0' && stat(words, &st) != 0;
}

/// Does the file begin like an ELF core?
static bool is_core(const char *path)
{
    unsigned char head[18] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t num = read(fd, head, sizeof(head));
    close(fd);
    bool is_little = head[EI_DATA] == ELFDATA2LSB;
    return num == (ssize_t)sizeof(head) && memcmp(head, ELFMAG, SELFMAG) == 0 &&
           head[is_little ? 16 : 17] == ET_CORE;
}

/// Refuse what is no snapshot in words that help; true if refused.
static bool is_refused(const char *words)
{
    if (is_pid(words)) {
        rch_say("%s: attaching to a process is not in this version", words);
        rch_say_way_out();
        return true;
    }
    if (is_core(words)) {
        rch_say("%s: reading a core file is not in this version", words);
        rch_say_way_out();
        return true;
    }
    return false;
}

int rch_where_open(const char *words, struct rch_where *where)
{
    struct rch_error err = {0};
    *where = (struct rch_where){0};
    if (is_refused(words))
        return RCH_EXIT_CANNOT;
    snprintf(where->source, sizeof(where->source), "snapshot %s", words);
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
    if (!where->graph) {
        rch_say_error(words, &err);
        return RCH_EXIT_CANNOT;
    }
    if (where->graph->info.is_partial)
        rch_say("%s: the snapshot is partial: something could not be read when it was taken",
                words);
    return where->graph->info.is_partial ? RCH_EXIT_PARTIAL : RCH_EXIT_OK;
}

void rch_where_close(struct rch_where *where)
{
    rch_graph_free(where->graph);
    where->graph = NULL;
}
