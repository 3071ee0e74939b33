// SPDX-License-Identifier: MIT
// target/open_file.c -- open the file behind a map, and be sure that it is the one. The path is the
// target's, in its file system, and may be a lie or name another file by now.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // O_PATH
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/elf_impl.h"

#define MAX_PATH_BYTES 4096u

enum likeness { IS_OTHER, IS_PERHAPS, IS_SAME };

// A core says no inode; a live map always does. The device that the kernel shows for a map is not
// always the one that stat tells (overlayfs, btrfs), hence the PERHAPS.
static enum likeness like_map(const struct rch_map *map, const struct stat *stat)
{
    if (!S_ISREG(stat->st_mode))
        return IS_OTHER;
    if (map->inode == 0 || map->inode != stat->st_ino)
        return map->inode == 0 ? IS_PERHAPS : IS_OTHER;
    return map->dev == stat->st_dev ? IS_SAME : IS_PERHAPS;
}

// Inside the root, where the kernel can do that (Linux 5.6, no old container profile).
static int open_at(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(uint32_t)flags, .resolve = RESOLVE_IN_ROOT};
    if (root < 0)
        return open(path, flags);
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    return fd >= 0 || errno == ENOENT ? fd : openat(root, path + strspn(path, "/"), flags);
}

// Looked at before it is opened: to open a device or a pipe may do something. root -1: our own.
static int open_regular(int root, const char *path)
{
    struct stat before, after;
    int fd = open_at(root, path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    bool is_regular = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
    close(fd);
    if (!is_regular)
        return -1;
    fd = open_at(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 ||
        (fstat(fd, &after) == 0 && after.st_ino == before.st_ino && after.st_dev == before.st_dev))
        return fd;
    close(fd);
    return -1;
}

static int open_in_root(const struct rch_image *image, const char *path)
{
    if (!image->root || image->root[0] == '\0')
        return open_regular(-1, path);
    int root = open(image->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    int fd = open_regular(root, path);
    close(root);
    return fd;
}

static int keep_if(int fd, const struct rch_map *map, enum likeness least)
{
    struct stat stat;
    if (fd < 0)
        return -1;
    if (fstat(fd, &stat) == 0 && like_map(map, &stat) >= least)
        return fd;
    close(fd);
    return -1;
}

// The kernel's own links to the file: right whatever its name is by now.
static int open_by_kernel(const struct rch_image *image, const struct rch_map *map)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", image->pid);
    int fd = keep_if(open_regular(-1, path), map, IS_SAME);
    if (fd >= 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, image->pid,
             map->start, map->end);
    return keep_if(open_regular(-1, path), map, IS_PERHAPS);
}

static int open_live(const struct rch_image *image, const struct rch_map *map)
{
    bool is_named = !(map->flags & RCH_MAP_DELETED);
    int fd = is_named ? keep_if(open_in_root(image, map->path), map, IS_SAME) : -1;
    if (fd < 0)
        fd = open_by_kernel(image, map);
    if (fd < 0 && is_named && map->inode != 0)
        fd = keep_if(open_in_root(image, map->path), map, IS_PERHAPS);
    return fd;
}

// The map of the same file that has its header: this one, or one below it.
static const struct rch_map *header_map(const struct rch_image *image, const struct rch_map *map)
{
    const struct rch_map *first = map;
    while (first->offset != 0 && first > image->maps && strcmp(first[-1].path, map->path) == 0)
        first--;
    return first->offset == 0 ? first : NULL;
}

static bool have_same_id(const struct rch_elf_source *a, const struct rch_elf_head *a_head,
                         const struct rch_elf_source *b, const struct rch_elf_head *b_head,
                         uint64_t limit)
{
    uint8_t a_id[RCH_BUILD_ID_BYTES], b_id[RCH_BUILD_ID_BYTES];
    uint32_t a_bytes = rch_elf_build_id(a, a_head, limit, a_id);
    if (a_bytes == 0)  // none, or not in the core: the header must do
        return memcmp(&a_head->header, &b_head->header, sizeof(a_head->header)) == 0 &&
               a_head->num_segments == b_head->num_segments &&
               memcmp(a_head->segments, b_head->segments, sizeof(a_head->segments)) == 0;
    return rch_elf_build_id(b, b_head, INT64_MAX, b_id) == a_bytes &&
           memcmp(a_id, b_id, a_bytes) == 0;
}

// Is this the file whose header the image has? Yes, too, if the image has none to compare.
static bool fits_memory(const struct rch_image *image, const struct rch_map *map, int fd)
{
    const struct rch_map *first = header_map(image, map);
    struct rch_target target = image->target;
    struct rch_elf_source memory = {.target = &target, .start = first ? first->start : 0};
    struct rch_elf_source file = {.fd = fd};
    struct rch_elf_head memory_head, file_head;
    unsigned char magic[SELFMAG];
    if (!first || !rch_elf_read(&memory, 0, magic, sizeof(magic)) ||
        memcmp(magic, ELFMAG, sizeof(magic)) != 0 || !rch_elf_read_head(&memory, &memory_head))
        return true;
    return rch_elf_read_head(&file, &file_head) && file_head.is_32_bit == memory_head.is_32_bit &&
           (file_head.is_32_bit ||
            have_same_id(&memory, &memory_head, &file, &file_head, first->end - first->start));
}

int rch_image_open_file(const struct rch_image *image, const struct rch_map *map)
{
    if (map->path[0] != '/' || strlen(map->path) >= MAX_PATH_BYTES)
        return -1;
    if (image->kind == RCH_IMAGE_LIVE)
        return open_live(image, map);
    int fd = keep_if(open_in_root(image, map->path), map, IS_PERHAPS);
    if (fd < 0 || fits_memory(image, map, fd))
        return fd;
    close(fd);
    return -1;
}
