// SPDX-License-Identifier: MIT
// target/fd_ends.c -- who has the other end of a pipe, or of a UNIX socket without a name. The process
// itself is looked at first; only for ends that it does not have are the descriptors of other processes
// gone through, as far as we may and no further than a bound.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/fds_impl.h"

enum {
    MAX_PROCESSES = 1 << 15,
    MAX_LINKS = 1 << 18,  // some 300 ms
    MAX_NAMED = 3,        // of those who have an end
    LINK_BYTES = 64,      // longer ones are paths
};

struct who {
    uint32_t pid;  // 0: the process itself
    int32_t fd;
};

struct side {  // who can read from an inode, or write to it
    struct who named[MAX_NAMED];
    uint32_t num;
};

struct end {
    uint64_t inode;
    struct side readers, writers;
    bool is_wanted_elsewhere;
};

struct ends {
    struct rch_inode_map map;
    struct rch_vec items;  // struct end
    bool is_any_wanted;
    uint32_t num_links;
};

static void add_who(struct side *side, uint32_t pid, int32_t fd)
{
    if (side->num < MAX_NAMED)
        side->named[side->num] = (struct who){pid, fd};
    side->num++;
}

static void add_holder(struct end *end, uint32_t pid, int32_t fd, bool can_read, bool can_write)
{
    if (can_read)
        add_who(&end->readers, pid, fd);
    if (can_write)
        add_who(&end->writers, pid, fd);
}

static struct end *end_of(const struct ends *ends, uint64_t inode)
{
    uint32_t number = rch_inode_map_find(&ends->map, inode);
    return number == UINT32_MAX ? NULL : &RCH_VEC_AT(&ends->items, struct end, number);
}

/// Whoever is at the other end of this descriptor: of a pipe's read end those who write.
static const struct side *far_side(const struct end *end, const struct rch_fd_draft *draft)
{
    return draft->can_read && !draft->can_write ? &end->writers : &end->readers;
}

static bool is_itself(const struct who *who, const struct rch_fd_draft *draft)
{
    return who->pid == 0 && who->fd == draft->row.fd;
}

static enum rch_status want_ends(struct ends *ends, const struct rch_fd_scan *scan,
                                 struct rch_error *err)
{
    for (size_t i = 0; i < scan->drafts.num; i++) {
        const struct rch_fd_draft *draft = RCH_FD_DRAFT(&scan->drafts, i);
        struct end end = {.inode = draft->ends};
        uint32_t number;
        if (!draft->ends)
            continue;
        RCH_TRY(
            rch_inode_map_add(&ends->map, draft->ends, (uint32_t)ends->items.num, &number, err));
        if (number == ends->items.num)
            RCH_TRY(rch_vec_append(&ends->items, &end, 1, err));
    }
    for (size_t i = 0; i < scan->drafts.num; i++) {
        const struct rch_fd_draft *draft = RCH_FD_DRAFT(&scan->drafts, i);
        struct end *end = end_of(ends, draft->inode);
        if (end)
            add_holder(end, 0, draft->row.fd, draft->can_read, draft->can_write);
    }
    return RCH_OK;
}

/// Ends that this process does not have.
static void want_elsewhere(struct ends *ends, const struct rch_fd_scan *scan)
{
    for (size_t i = 0; i < scan->drafts.num; i++) {
        const struct rch_fd_draft *draft = RCH_FD_DRAFT(&scan->drafts, i);
        struct end *end = end_of(ends, draft->ends);
        if (!end)
            continue;
        const struct side *side = far_side(end, draft);
        if (side->num == 0 || (side->num == 1 && is_itself(&side->named[0], draft)))
            ends->is_any_wanted = end->is_wanted_elsewhere = true;
    }
}

// ---- other processes ----------------------------------------------------------------------------

static void look_at_link(struct ends *ends, uint32_t pid, int list_fd, const char *name)
{
    char link[LINK_BYTES];
    ssize_t num = readlinkat(list_fd, name, link, sizeof(link) - 1);
    if (num <= 0)
        return;
    link[num] = '\0';
    uint64_t pipe = rch_inode_of_link(link, "pipe:[");
    struct end *end = end_of(ends, pipe ? pipe : rch_inode_of_link(link, "socket:["));
    bool can_read = true, can_write = true;
    if (!end || !end->is_wanted_elsewhere)
        return;
    if (!pipe || rch_fd_access(list_fd, name, &can_read, &can_write))
        add_holder(end, pid, (int32_t)strtol(name, NULL, 10), can_read, can_write);
}

/// Closes list_fd.
static void look_at_process(struct ends *ends, uint32_t pid, int list_fd)
{
    DIR *dir = fdopendir(list_fd);
    struct dirent *entry;
    if (!dir) {
        close(list_fd);
        return;
    }
    while (ends->num_links < MAX_LINKS && (entry = readdir(dir))) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        ends->num_links++;
        look_at_link(ends, pid, list_fd, entry->d_name);
    }
    closedir(dir);
}

static void look_elsewhere(struct ends *ends, uint32_t own_pid)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    uint32_t num = 0;
    while (proc && num < MAX_PROCESSES && ends->num_links < MAX_LINKS && (entry = readdir(proc))) {
        uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (pid == 0 || pid == own_pid)
            continue;
        char path[32];
        snprintf(path, sizeof(path), "%u/fd", pid);
        int list_fd = openat(dirfd(proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (list_fd >= 0) {
            look_at_process(ends, pid, list_fd);
            num++;
        }
    }
    if (proc)
        closedir(proc);
}

// ---- words ----------------------------------------------------------------------------------------

static enum rch_status tell_who(struct rch_fd_scan *scan, struct rch_fd_draft *draft,
                                const struct side *side, struct rch_error *err)
{
    char text[40 * (MAX_NAMED + 1)] = "";
    size_t at = 0;
    uint32_t num_told = 0, num_others = side->num;
    for (uint32_t i = 0; i < side->num && i < MAX_NAMED; i++) {
        const struct who *who = &side->named[i];
        if (is_itself(who, draft)) {
            num_others--;
            continue;
        }
        const char *comma = num_told++ ? ", " : "";
        int num = who->pid ? snprintf(text + at, sizeof(text) - at, "%spid %u fd %d", comma,
                                      who->pid, who->fd)
                           : snprintf(text + at, sizeof(text) - at, "%sfd %d", comma, who->fd);
        at += (size_t)num;
    }
    if (num_told == 0)
        return RCH_OK;
    if (num_others > num_told)
        snprintf(text + at, sizeof(text) - at, " and %u more", num_others - num_told);
    draft->row.peer = rch_arena_copy(&scan->fds->arena, text, strlen(text));
    return draft->row.peer ? RCH_OK : rch_fail(err, RCH_ENOMEM, "the other end of a pipe");
}

static enum rch_status tell_ends(struct rch_fd_scan *scan, struct ends *ends, struct rch_error *err)
{
    RCH_TRY(want_ends(ends, scan, err));
    want_elsewhere(ends, scan);
    if (ends->is_any_wanted)
        look_elsewhere(ends, scan->pid ? scan->pid : (uint32_t)getpid());
    for (size_t i = 0; i < scan->drafts.num; i++) {
        struct rch_fd_draft *draft = RCH_FD_DRAFT(&scan->drafts, i);
        const struct end *end = end_of(ends, draft->ends);
        if (end)
            RCH_TRY(tell_who(scan, draft, far_side(end, draft), err));
    }
    return RCH_OK;
}

enum rch_status rch_tell_ends(struct rch_fd_scan *scan, struct rch_error *err)
{
    struct ends ends = {.num_links = 0};
    rch_inode_map_init(&ends.map, scan->alloc);
    rch_vec_init(&ends.items, scan->alloc, sizeof(struct end));
    enum rch_status st = tell_ends(scan, &ends, err);
    rch_vec_deinit(&ends.items);
    rch_inode_map_deinit(&ends.map);
    return st;
}
