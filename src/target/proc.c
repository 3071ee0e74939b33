// SPDX-License-Identifier: MIT
// target/proc.c -- see proc.h.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // pread with 64-bit offsets
#endif
#include "target/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)
#define MAX_MAPS_BYTES ((size_t)256 << 20)
#define KERNEL_THREAD 0x00200000u
#define KERNEL_WORKERS 0x00004010u  // PF_USER_WORKER, PF_IO_WORKER
// An entry of pagemap.
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_OF_FILE (UINT64_C(1) << 61)
#define ENTRY_GUARD (UINT64_C(1) << 58)
#define MOST_ENTRIES (UINT64_C(1) << 24)  // of one map: 64 GiB

// PAGEMAP_SCAN, Linux 6.7; older headers do not have it.
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct scan_region {
    uint64_t start, end, categories;
};
#define SCAN_PAGES _IOWR('f', 16, struct scan)
#define SCAN_OF_FILE 4u
#define SCAN_PRESENT 8u
#define SCAN_SWAPPED 16u
#define SCAN_ZERO 32u  // the kernel's page of zeros

static int open_proc(uint32_t pid, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

ssize_t rch_proc_read(uint32_t pid, const char *name, char *buf, size_t buf_bytes)
{
    int fd = open_proc(pid, name);
    size_t done = 0;
    ssize_t num = 1;
    if (fd < 0)
        return -1;
    while (num > 0 && done + 1 < buf_bytes) {
        num = read(fd, buf + done, buf_bytes - 1 - done);
        if (num < 0 && errno == EINTR)
            num = 1;
        else if (num > 0)
            done += (size_t)num;
    }
    int os_errno = num < 0 ? errno : EFBIG;
    close(fd);
    buf[done] = '\0';
    errno = os_errno;
    return num == 0 ? (ssize_t)done : -1;
}

// The numbers behind "\nname:\t".
static bool numbers_of(const char *text, const char *name, int base, uint64_t *values, size_t num)
{
    char key[64];
    (void)snprintf(key, sizeof(key), "\n%s:", name);
    const char *at = strstr(text, key);
    if (!at)
        return false;
    at += strlen(key);
    for (size_t i = 0; i < num; i++) {
        char *end;
        values[i] = strtoull(at, &end, base);
        if (end == at)
            return false;
        at = end;
    }
    return true;
}

static uint64_t number_of(const char *text, const char *name, int base)
{
    uint64_t value = 0;
    return numbers_of(text, name, base, &value, 1) ? value : 0;
}

static void parse_users(const char *text, const char *name, uint32_t ids[3])
{
    uint64_t values[3] = {0};
    (void)numbers_of(text, name, 10, values, 3);
    for (size_t i = 0; i < 3; i++)
        ids[i] = (uint32_t)values[i];
}

// The name may hold anything, also what looks like a later field; in stat it ends at the last ")", in
// status its newlines are escaped.
static void parse_stat(const char *text, struct rch_proc_status *status)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    unsigned flags = 0;
    char state = '?';
    if (!open || !close || close < open)
        return;
    size_t num = (size_t)(close - open - 1);
    if (num >= sizeof(status->name))
        num = sizeof(status->name) - 1;
    memcpy(status->name, open + 1, num);
    if (sscanf(close + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) == 2) {
        status->is_kernel_thread = flags & KERNEL_THREAD;
        status->is_kernel_worker = flags & KERNEL_WORKERS;
    }
    status->state = state;
}

static void name_file(char *name, size_t num_bytes, uint32_t tid, const char *file)
{
    if (tid)
        (void)snprintf(name, num_bytes, "task/%" PRIu32 "/%s", tid, file);
    else
        (void)snprintf(name, num_bytes, "%s", file);
}

bool rch_proc_status(uint32_t pid, uint32_t tid, struct rch_proc_status *status)
{
    char name[64], text[32768];  // a user may be in thousands of groups
    *status = (struct rch_proc_status){.state = '?'};
    name_file(name, sizeof(name), tid, "stat");
    errno = ESRCH;  // when there is nothing in it
    if (rch_proc_read(pid, name, text, sizeof(text)) <= 0)
        return false;
    parse_stat(text, status);
    name_file(name, sizeof(name), tid, "status");
    if (rch_proc_read(pid, name, text, sizeof(text)) <= 0)
        return false;
    status->tgid = (uint32_t)number_of(text, "Tgid", 10);
    status->ppid = (uint32_t)number_of(text, "PPid", 10);
    status->tracer = (uint32_t)number_of(text, "TracerPid", 10);
    parse_users(text, "Uid", status->uid);
    parse_users(text, "Gid", status->gid);
    status->cap_permitted = number_of(text, "CapPrm", 16);
    status->cap_effective = number_of(text, "CapEff", 16);
    status->seccomp = (int)number_of(text, "Seccomp", 10);
    status->switches = number_of(text, "voluntary_ctxt_switches", 10) +
                       number_of(text, "nonvoluntary_ctxt_switches", 10);
    return true;
}

bool rch_proc_has_ended(uint32_t pid, uint32_t tid)
{
    struct rch_proc_status status;
    if (rch_proc_status(pid, tid, &status))
        return status.state == 'Z' || status.state == 'X';
    return errno == ENOENT || errno == ESRCH;
}

uint32_t rch_proc_live_thread(uint32_t pid)
{
    char path[64];
    uint32_t live = 0;
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && live == 0 && (entry = readdir(dir)) != NULL;) {
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid && !rch_proc_has_ended(pid, tid))
            live = tid;
    }
    if (dir)
        (void)closedir(dir);
    return live;
}

bool rch_proc_syscall(uint32_t pid, uint32_t tid, struct rch_proc_syscall *call)
{
    char name[64], text[512];
    uint64_t values[8];
    int used = 0;
    *call = (struct rch_proc_syscall){.number = -1};
    name_file(name, sizeof(name), tid, "syscall");
    if (rch_proc_read(pid, name, text, sizeof(text)) <= 0 ||
        sscanf(text, "%" SCNd64 "%n", &call->number, &used) != 1)
        return false;
    size_t num = 0;
    for (const char *at = text + used; num < 8; num++) {
        char *end;
        values[num] = strtoull(at, &end, 16);
        if (end == at)
            break;
        at = end;
    }
    if (num != (call->number < 0 ? 2 : 8))
        return false;
    if (num == 8)
        memcpy(call->args, values, sizeof(call->args));
    call->sp = values[num - 2];
    call->pc = values[num - 1];
    return true;
}

// --- maps -----------------------------------------------------------------------------------------

// The whole file, with a 0 behind it, in `text`: a vector of char.
static enum rch_status read_all(uint32_t pid, const char *name, struct rch_vec *text,
                                struct rch_error *err)
{
    int fd = open_proc(pid, name);
    ssize_t num = 1;
    if (fd < 0)
        return rch_fail(err, RCH_EIO, "/proc/%" PRIu32 "/%s: %s", pid, name, strerror(errno));
    while (num > 0 && text->num < MAX_MAPS_BYTES) {
        enum rch_status st = rch_vec_reserve(text, (size_t)1 << 17, err);
        if (st != RCH_OK) {
            close(fd);
            return st;
        }
        num = read(fd, (char *)text->mem + text->num, text->cap - text->num);
        if (num > 0)
            text->num += (size_t)num;
        else if (num < 0 && errno == EINTR)
            num = 1;
    }
    int os_errno = errno;
    close(fd);
    errno = os_errno;
    if (num)
        return rch_fail(err, RCH_EIO, "/proc/%" PRIu32 "/%s: %s", pid, name,
                        num < 0 ? strerror(os_errno) : "too long");
    return rch_vec_append(text, "", 1, err);
}

static uint32_t flags_of(const char perms[5])
{
    uint32_t flags = 0;
    if (perms[0] == 'r')
        flags |= RCH_MAP_READ;
    if (perms[1] == 'w')
        flags |= RCH_MAP_WRITE;
    if (perms[2] == 'x')
        flags |= RCH_MAP_EXEC;
    if (perms[3] == 's')
        flags |= RCH_MAP_SHARED;
    return flags;
}

// A newline in a path is written as \012.
static void unescape(char *path)
{
    char *to = path;
    for (const char *at = path; *at; to++) {
        if (strncmp(at, "\\012", 4) == 0) {
            *to = '\n';
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
}

// "7f00-8000 rw-p 00001000 08:01 1234   /lib/x.so (deleted)". False: not like that.
static bool parse_map(char *line, struct rch_map *map)
{
    static const char gone[] = " (deleted)";
    char perms[5];
    unsigned dev_major, dev_minor;
    int used = 0;
    *map = (struct rch_map){.path = ""};
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &map->start,
               &map->end, perms, &map->offset, &dev_major, &dev_minor, &map->inode, &used) != 7)
        return false;
    char *path = line + used + strspn(line + used, " ");
    size_t num = strlen(path), num_gone = sizeof(gone) - 1;
    map->flags = flags_of(perms);
    map->dev = makedev(dev_major, dev_minor);
    if (num > num_gone && path[0] == '/' && strcmp(path + num - num_gone, gone) == 0) {
        path[num - num_gone] = '\0';
        map->flags |= RCH_MAP_DELETED;
    }
    unescape(path);
    map->path = path;
    return map->start < map->end;
}

static enum rch_status add_map(struct rch_arena *texts, struct rch_vec *maps, struct rch_map *map,
                               struct rch_error *err)
{
    const struct rch_map *last =
        maps->num ? &RCH_VEC_AT(maps, struct rch_map, maps->num - 1) : NULL;
    if (last && last->end > map->start)
        return RCH_OK;  // the kernel lists them in order; of a running process, perhaps one twice
    if (last && strcmp(last->path, map->path) == 0)
        map->path = last->path;
    else
        map->path = rch_arena_copy(texts, map->path, strlen(map->path));
    if (!map->path)
        return rch_fail(err, RCH_ENOMEM, "the path of a map");
    return rch_vec_append(maps, map, 1, err);
}

enum rch_status rch_proc_maps(uint32_t pid, struct rch_arena *texts, struct rch_vec *maps,
                              struct rch_error *err)
{
    RCH_VEC(text, maps->alloc, char);
    RCH_TRY(read_all(pid, "maps", &text, err));
    for (char *line = text.mem; line && *line;) {
        struct rch_map map;
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (parse_map(line, &map))
            RCH_TRY(add_map(texts, maps, &map, err));
        line = end ? end + 1 : NULL;
    }
    return RCH_OK;
}

// --- pages ----------------------------------------------------------------------------------------

static enum rch_status add_pages(struct rch_vec *spans, size_t first, uint64_t start, uint64_t end,
                                 struct rch_error *err)
{
    if (spans->num > first) {
        struct rch_span *last = &RCH_VEC_AT(spans, struct rch_span, spans->num - 1);
        if (last->end == start) {
            last->end = end;
            return RCH_OK;
        }
    }
    return rch_vec_append(spans, &(struct rch_span){start, end}, 1, err);
}

static bool is_wanted(uint64_t entry, enum rch_proc_pages which)
{
    if (!(entry & (ENTRY_PRESENT | ENTRY_SWAPPED)))
        return false;
    return which == RCH_PAGES_PRESENT || !(entry & ENTRY_OF_FILE);
}

// Eight bytes a page, mapped or not: slow over address space that is only set aside.
static enum rch_status read_entries(int pagemap, uint64_t start, uint64_t end,
                                    enum rch_proc_pages which, struct rch_vec *spans,
                                    struct rch_error *err)
{
    uint64_t entries[4096];
    size_t first = spans->num;
    if ((end - start) / PAGE_BYTES > MOST_ENTRIES)
        return rch_fail_at(err, RCH_EUNSUPPORTED, start, "a map too large for this kernel");
    for (uint64_t addr = start; addr < end;) {
        uint64_t left = (end - addr) / PAGE_BYTES * sizeof(*entries);
        size_t want = left < sizeof(entries) ? left : sizeof(entries);
        ssize_t got = pread(pagemap, entries, want, (off_t)(addr / PAGE_BYTES * sizeof(*entries)));
        if (got < 0 && errno == EINTR)
            continue;
        size_t num = got > 0 ? (size_t)got / sizeof(*entries) : 0;
        if (num == 0)
            return rch_fail_at(err, RCH_EIO, addr, "/proc/PID/pagemap: %s",
                               got < 0 ? strerror(errno) : "ends early");
        for (size_t i = 0; i < num; i++, addr += PAGE_BYTES)
            if (is_wanted(entries[i], which))
                RCH_TRY(add_pages(spans, first, addr, addr + PAGE_BYTES, err));
    }
    return RCH_OK;
}

enum rch_status rch_proc_pages(int pagemap, uint64_t start, uint64_t end, enum rch_proc_pages which,
                               struct rch_vec *spans, struct rch_error *err)
{
    struct scan_region regions[512];
    uint64_t unwanted = which == RCH_PAGES_OWN ? SCAN_OF_FILE | SCAN_ZERO : 0;
    size_t first = spans->num;
    struct scan scan = {.size = sizeof(scan),
                        .start = start,
                        .end = end,
                        .vec = (uint64_t)(uintptr_t)regions,
                        .vec_len = sizeof(regions) / sizeof(*regions),
                        .category_inverted = unwanted,
                        .category_mask = unwanted,
                        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED};
    while (scan.start < end) {
        int num = ioctl(pagemap, SCAN_PAGES, &scan);
        if (num < 0 && errno == EINTR)
            continue;
        if (num < 0 && scan.start == start)
            return read_entries(pagemap, start, end, which, spans, err);
        if (num < 0 || scan.walk_end <= scan.start)
            return rch_fail_at(err, RCH_EIO, scan.start, "/proc/PID/pagemap: %s", strerror(errno));
        for (int i = 0; i < num; i++)
            RCH_TRY(add_pages(spans, first, regions[i].start, regions[i].end, err));
        scan.start = scan.walk_end;
    }
    return RCH_OK;
}

bool rch_proc_is_guard(int pagemap, uint64_t addr)
{
    uint64_t entry;
    off_t at = (off_t)(addr / PAGE_BYTES * sizeof(entry));
    return pagemap >= 0 && pread(pagemap, &entry, sizeof(entry), at) == (ssize_t)sizeof(entry) &&
           (entry & ENTRY_GUARD);
}
