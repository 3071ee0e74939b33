// SPDX-License-Identifier: MIT
// base/memory.c -- see memory.h. Control groups nest, and the tightest limit on the way up counts; the
// group may be seen at the root of its file system, as in a container, so a path that is not there is
// tried as "/".
#include "base/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATH_ROOM (PATH_MAX + 128)
#define ALWAYS_FITS (UINT64_C(16) << 20)  // not worth a look at the system

struct group_files {
    const char *folder, *most, *used, *idle;
};
static const struct group_files version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                             "inactive_file"};
static const struct group_files version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                             "memory.usage_in_bytes", "total_inactive_file"};

// The number behind `name` on a line of a file, or the file's one number if name is ""; `otherwise` when
// there is no such file or it says "max".
static uint64_t number_in(const char *path, const char *name, uint64_t otherwise)
{
    char line[256];
    size_t num_name = strlen(name);
    FILE *file = fopen(path, "re");
    uint64_t value = otherwise;
    while (file && fgets(line, sizeof(line), file)) {
        uint64_t number;
        if (strncmp(line, name, num_name) == 0 &&
            sscanf(line + num_name, " %" SCNu64, &number) == 1)
            value = number;
    }
    if (file)
        (void)fclose(file);
    return value;
}

static uint64_t number_of_group(const char *root, const struct group_files *files,
                                const char *group, const char *file, const char *name,
                                uint64_t otherwise)
{
    char path[PATH_ROOM];
    int num = snprintf(path, sizeof(path), "%s%s%s/%s", root, files->folder, group, file);
    return num > 0 && (size_t)num < sizeof(path) ? number_in(path, name, otherwise) : otherwise;
}

static uint64_t left_in_one(const char *root, const struct group_files *files, const char *group)
{
    uint64_t most = number_of_group(root, files, group, files->most, "", UINT64_MAX);
    if (most >= (UINT64_MAX >> 1) / 4096 * 4096)  // version 1 says "no limit" so
        return UINT64_MAX;
    uint64_t used = number_of_group(root, files, group, files->used, "", 0);
    uint64_t idle = number_of_group(root, files, group, "memory.stat", files->idle, 0);
    used = used > idle ? used - idle : 0;
    return most > used ? most - used : 0;
}

// `group` and all groups around it.
static uint64_t left_in_groups(const char *root, const struct group_files *files, char *group)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        uint64_t left = left_in_one(root, files, group);
        least = left < least ? left : least;
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

// "4:memory:/a/b" of version 1, "0::/a/b" of version 2; ours is written over by the walk up.
static uint64_t left_by_line(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'),
         *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return UINT64_MAX;
    *group++ = '\0';
    if (strcmp(controllers + 1, "") == 0)
        return left_in_groups(root, &version_2, group);
    for (const char *word = controllers + 1; *word; word += strcspn(word, ",")) {
        word += *word == ',';
        if (strcspn(word, ",") == strlen("memory") && strncmp(word, "memory", 6) == 0)
            return left_in_groups(root, &version_1, group);
    }
    return UINT64_MAX;
}

uint64_t rch_memory_left_in(const char *root)
{
    char path[PATH_ROOM], line[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    uint64_t kib = number_in(path, "MemAvailable:", UINT64_MAX / 1024);
    uint64_t least = kib >= UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        uint64_t left = left_by_line(root, line);
        least = left < least ? left : least;
    }
    if (file)
        (void)fclose(file);
    return least;
}

static uint64_t left_of_address_space(void)
{
    struct rlimit limit;
    uint64_t pages = number_in("/proc/self/statm", "", 0);
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t rch_memory_left(void)
{
    uint64_t left = rch_memory_left_in(""), space = left_of_address_space();
    return left < space ? left : space;
}

static void put_bytes(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1024;
    (void)snprintf(text, 32, "%.*f %s", unit ? 1 : 0, value, units[unit]);
}

enum rch_status rch_memory_check(uint64_t need, uint64_t max_memory, const char *what,
                                 struct rch_error *err)
{
    char need_text[32], there_text[32];
    if (!max_memory && need < ALWAYS_FITS)
        return RCH_OK;
    uint64_t left = max_memory && need > max_memory ? 0 : rch_memory_left();
    put_bytes(need, need_text);
    if (max_memory && need > max_memory) {
        put_bytes(max_memory, there_text);
        return rch_fail(err, RCH_ENOMEM, "%s: %s of memory needed, %s allowed; nothing was begun",
                        what, need_text, there_text);
    }
    if (need <= left)
        return RCH_OK;
    put_bytes(left, there_text);
    return rch_fail(err, RCH_ENOMEM,
                    "%s: %s of memory needed, %s free; nothing was begun. "
                    "A snapshot (refchain dump) can be asked on a machine with more",
                    what, need_text, there_text);
}
