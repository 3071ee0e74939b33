// SPDX-License-Identifier: MIT
// target/core_maps.c -- which address was what: the segments of the core and the mapped files that
// its notes tell, put together into maps. A core leaves out what can be read from the files, so these
// are found and used, if they are the same: by build id, or else by their first page.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/core_impl.h"
#include "target/elf_impl.h"

#define ACCESS (RCH_MAP_READ | RCH_MAP_WRITE | RCH_MAP_EXEC)
#define VVAR_BYTES (UINT64_C(64) << 10)  // at most, directly below the vdso
#define MAX_WARNINGS 4u                  // of one kind

struct core_map {
    struct rch_map map;
    bool has_contents;  // the core has all or some of it
    bool has_gap;       // the core lacks all or some of it
    bool is_left_out;   // the core was never meant to have any of it
    bool is_cut;        // the core was meant to have more of it
};

struct maker {
    struct rch_core *core;
    struct rch_vec *maps;  // struct core_map
    bool has_own_memory;   // the core has anonymous memory: it was not filtered out
    uint64_t bytes_left_out;
    size_t num_not_found, num_other, num_unchecked;
    uint64_t bytes_not_found;
    char not_found[256];  // their names, as many as fit
    size_t num_named;
};

// --- segments and mapped files, cut where either begins or ends ---

static int compare_files(const void *a, const void *b)
{
    const struct rch_core_file *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void sort_files(struct rch_core *core)
{
    struct rch_core_file *files = core->files.mem;
    size_t num = 0;
    if (core->files.num)
        qsort(files, core->files.num, sizeof(*files), compare_files);
    for (size_t i = 0; i < core->files.num; i++) {
        if (num == 0 || files[i].start >= files[num - 1].end)  // else a lie: the first counts
            files[num++] = files[i];
    }
    core->files.num = num;
}

static bool is_vvar(const struct rch_core *core, const struct rch_core_segment *segment)
{
    return segment->end <= core->vdso && core->vdso - segment->start <= VVAR_BYTES &&
           segment->flags == RCH_MAP_READ;
}

static const char *name_of(const struct rch_core *core, const struct rch_core_segment *segment)
{
    if (core->vdso && core->vdso >= segment->start && core->vdso < segment->end)
        return "[vdso]";
    if (core->vdso && is_vvar(core, segment))
        return "[vvar]";
    if (core->random && core->random >= segment->start && core->random < segment->end)
        return "[stack]";
    return "";
}

// The part [start, end) of a segment, of a mapped file, or of both.
static struct core_map part_of(const struct rch_core *core, const struct rch_core_segment *segment,
                               const struct rch_core_file *file, uint64_t start, uint64_t end)
{
    struct core_map part = {
        .map = {.start = start, .end = end, .path = "", .flags = RCH_MAP_READ},
        .has_gap = true,
        .is_left_out = true,
    };
    if (segment) {
        uint64_t had_end = segment->start + segment->bytes_had - segment->bytes_had % RCH_CORE_PAGE;
        part.map.flags = segment->flags;
        part.map.path = file ? "" : name_of(core, segment);
        part.has_contents = had_end > start;
        part.has_gap = had_end < end;
        part.is_cut = segment->bytes_had < segment->file_bytes;
        part.is_left_out = segment->file_bytes == 0;
    }
    if (file) {
        part.map.path = file->path;
        part.map.offset = file->offset + (start - file->start);
        part.map.flags |= file->is_deleted ? RCH_MAP_DELETED : 0;
    }
    return part;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum rch_status join(struct maker *maker, struct rch_error *err)
{
    const struct rch_core *core = maker->core;
    const struct rch_core_segment *segment = core->segments.mem;
    const struct rch_core_segment *segments_end = segment + core->segments.num;
    const struct rch_core_file *file = core->files.mem;
    const struct rch_core_file *files_end = file ? file + core->files.num : NULL;
    for (uint64_t at = 0;;) {
        while (segment < segments_end && segment->end <= at)
            segment++;
        while (file < files_end && file->end <= at)
            file++;
        uint64_t segment_at = segment < segments_end ? most(segment->start, at) : UINT64_MAX;
        uint64_t file_at = file < files_end ? most(file->start, at) : UINT64_MAX;
        uint64_t start = least(segment_at, file_at);
        if (start == UINT64_MAX)
            return RCH_OK;
        const struct rch_core_segment *in_segment = segment_at == start ? segment : NULL;
        const struct rch_core_file *in_file = file_at == start ? file : NULL;
        at = least(in_segment ? segment->end : segment_at, in_file ? file->end : file_at);
        struct core_map part = part_of(core, in_segment, in_file, start, at);
        maker->has_own_memory |=
            in_segment && !in_file && segment->file_bytes > 0 && (segment->flags & RCH_MAP_WRITE);
        RCH_TRY(rch_vec_append(maker->maps, &part, 1, err));
    }
}

// --- is the file the one that was mapped? ---

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

// The note that linkers put near the beginning. Its place is not asked of the program headers: tools that
// change a library may move those to its end, where the core does not have them.
static const uint8_t *find_build_id(const uint8_t *page, uint32_t *num_out)
{
    for (size_t at = 0; at + 16 <= RCH_CORE_PAGE; at += 4) {
        uint32_t num_bytes = word_at(page + at + 4);
        if (word_at(page + at) == 4 && word_at(page + at + 8) == NT_GNU_BUILD_ID &&
            memcmp(page + at + 12, "GNU", 4) == 0 && num_bytes > 0 &&
            num_bytes <= RCH_BUILD_ID_BYTES && at + 16 + num_bytes <= RCH_CORE_PAGE) {
            *num_out = num_bytes;
            return page + at + 16;
        }
    }
    *num_out = 0;
    return NULL;
}

static void hex(char *text, size_t text_bytes, const uint8_t *page)
{
    uint32_t num;
    const uint8_t *id = find_build_id(page, &num);
    if (!id)
        snprintf(text, text_bytes, "none");
    for (size_t i = 0; i < num && 2 * i + 2 < text_bytes; i++)
        snprintf(text + 2 * i, text_bytes - 2 * i, "%02x", id[i]);
}

static bool is_same_file(const uint8_t *in_core, const uint8_t *in_file)
{
    uint32_t num, num_other;
    const uint8_t *id = find_build_id(in_core, &num);
    const uint8_t *other = find_build_id(in_file, &num_other);
    if (!id && !other)
        return memcmp(in_core, in_file, RCH_CORE_PAGE) == 0;
    return num == num_other && memcmp(id, other, num) == 0;
}

static enum rch_status warn_other(struct maker *maker, const char *path, const uint8_t *in_core,
                                  const uint8_t *in_file, struct rch_error *err)
{
    char id[48], other[48];
    if (++maker->num_other > MAX_WARNINGS)
        return RCH_OK;
    hex(id, sizeof(id), in_core);
    hex(other, sizeof(other), in_file);
    return rch_image_warn(
        maker->core->image, err,
        "%s%s is not the file that was mapped and is not used: build id %s in the "
        "core, %s of the file; --sysroot DIR names where the right one is",
        maker->core->image->root, path, id, other);
}

// --- the maps of one file ---

struct group {
    struct core_map *first, *end;  // with anonymous memory in between
    const uint8_t *header;         // the file's first page, or NULL
    bool is_program;
    uint64_t bytes_wanted;
};

// The page at the beginning of a map, if the core has it and it is that of a program or library.
static const uint8_t *header_in_core(const struct maker *maker, const struct core_map *map)
{
    if (map->map.offset != 0 || !map->has_contents)
        return NULL;
    const uint8_t *page = rch_image_at(maker->core->image, map->map.start);
    return page && memcmp(page, ELFMAG, SELFMAG) == 0 ? page : NULL;
}

static struct group next_group(const struct maker *maker, struct core_map *first)
{
    struct core_map *maps = maker->maps->mem, *end = maps + maker->maps->num;
    struct group group = {.first = first, .end = first + 1};
    const char *path = first->map.path;
    for (struct core_map *map = first; path[0] == '/' && map < end; map++) {
        if (map->map.path[0] != '/')
            continue;
        const uint8_t *header = header_in_core(maker, map);
        if (map != first && (strcmp(map->map.path, path) != 0 || header))
            break;
        group.header = header ? header : group.header;
        group.is_program |= header || (map->map.flags & RCH_MAP_EXEC);
        if (map->has_gap && (map->map.flags & ACCESS))
            group.bytes_wanted += map->map.end - map->map.start;
        group.end = map + 1;
    }
    return group;
}

static void note_not_found(struct maker *maker, const struct group *group)
{
    size_t used = strlen(maker->not_found), left = sizeof(maker->not_found) - used;
    const char *path = group->first->map.path;
    maker->num_not_found++;
    maker->bytes_not_found += group->bytes_wanted;
    if (strlen(path) + 3 > left && maker->num_named > 0)
        return;
    snprintf(maker->not_found + used, left, "%s%s", used ? ", " : "", path);
    maker->num_named++;
}

// An open file, or -1 after a warning or a note for one.
static enum rch_status find_file(struct maker *maker, const struct group *group, int *fd_out,
                                 struct rch_error *err)
{
    uint8_t page[RCH_CORE_PAGE] = {0};
    const char *path = group->first->map.path;
    int fd = rch_open_in_root(maker->core->image, path);
    *fd_out = -1;
    if (fd < 0) {
        note_not_found(maker, group);
        return RCH_OK;
    }
    bool is_elf = pread(fd, page, sizeof(page), 0) > 0 && memcmp(page, ELFMAG, SELFMAG) == 0;
    if (is_elf && (!group->header || is_same_file(group->header, page))) {
        maker->num_unchecked += !group->header;
        *fd_out = fd;
        return RCH_OK;
    }
    (void)close(fd);
    if (group->header)
        return warn_other(maker, path, group->header, page, err);
    note_not_found(maker, group);
    return RCH_OK;
}

// Had the process not changed what the core lacks? Code, never. Other parts of files a core leaves out
// if they were not written (.data, relocations), unless it leaves out all that was written.
static bool is_as_in_file(const struct maker *maker, const struct core_map *map)
{
    uint32_t flags = map->map.flags & (RCH_MAP_EXEC | RCH_MAP_WRITE);
    return flags == RCH_MAP_EXEC || (!map->is_cut && maker->has_own_memory);
}

static enum rch_status add_map(struct maker *maker, struct core_map *map, int fd, bool *is_given,
                               struct rch_error *err)
{
    struct rch_image *image = maker->core->image;
    bool is_file = map->map.path[0] == '/';
    bool is_wanted = map->has_gap && (map->map.flags & ACCESS) && map->map.path[0] != '[';
    if (is_wanted && is_file && fd >= 0 && is_as_in_file(maker, map)) {
        RCH_TRY(rch_image_add_map(image, &map->map, err));
        rch_image_back_by_file(image, image->num_maps - 1, fd);
        *is_given = true;
        return RCH_OK;
    }
    bool is_anonymous = is_wanted && !is_file && map->is_left_out;
    // The kernel leaves out anonymous memory that was never written: zeros.
    if (is_anonymous && maker->has_own_memory)
        rch_image_have(image, map->map.start, map->map.end);
    else if (is_wanted && !map->has_contents && !(map->map.flags & RCH_MAP_SHARED))
        map->map.flags |= RCH_MAP_MISSING;
    if (is_anonymous && (map->map.flags & RCH_MAP_MISSING))
        maker->bytes_left_out += map->map.end - map->map.start;
    return rch_image_add_map(image, &map->map, err);
}

// Files of data that the core leaves out are neither looked for nor missed: nothing of Python's is in
// them, and unlike programs they may have changed without anything that tells. As others' memory, then.
static void ignore_data(struct core_map *map)
{
    if (map->map.path[0] == '/' && map->is_left_out)
        map->map.flags |= RCH_MAP_SHARED;
}

static enum rch_status add_group(struct maker *maker, struct group *group, struct rch_error *err)
{
    bool is_given = false;
    int fd = -1;
    enum rch_status status = RCH_OK;
    if (group->is_program && group->bytes_wanted > 0)
        RCH_TRY(find_file(maker, group, &fd, err));
    for (struct core_map *map = group->first; map < group->end && status == RCH_OK; map++) {
        if (!group->is_program)
            ignore_data(map);
        status = add_map(maker, map, fd, &is_given, err);
    }
    if (fd >= 0 && !is_given)
        (void)close(fd);
    return status;
}

// --- all of them ---

static enum rch_status warn_of_files(struct maker *maker, struct rch_error *err)
{
    struct rch_image *image = maker->core->image;
    size_t num_more = maker->num_not_found - maker->num_named;
    char more[48] = "";
    if (num_more)
        snprintf(more, sizeof(more), " and %zu more", num_more);
    if (maker->num_not_found)
        RCH_TRY(
            rch_image_warn(image, err,
                           "not found%s%s: %s%s; their code and constants (%" PRIu64
                           " bytes) are not in the core: --sysroot DIR names where the files of "
                           "that machine are",
                           image->root[0] ? " under " : " here", image->root, maker->not_found,
                           more, maker->bytes_not_found));
    if (maker->num_other > MAX_WARNINGS)
        RCH_TRY(rch_image_warn(image, err, "%zu more files are not those that were mapped",
                               maker->num_other - MAX_WARNINGS));
    if (maker->num_unchecked)
        RCH_TRY(
            rch_image_warn(image, err,
                           "%zu mapped files were taken unchecked: their first pages are not in "
                           "the core (it is cut short, or coredump_filter was without 0x10)",
                           maker->num_unchecked));
    if (maker->bytes_left_out)
        RCH_TRY(rch_image_warn(image, err,
                               "the core has none of the process's own memory (%" PRIu64
                               " bytes): write 0x33 to /proc/PID/coredump_filter before the dump",
                               maker->bytes_left_out));
    return RCH_OK;
}

enum rch_status rch_core_add_maps(struct rch_core *core, struct rch_error *err)
{
    RCH_VEC(maps, core->alloc, struct core_map);
    struct maker maker = {.core = core, .maps = &maps};
    sort_files(core);
    RCH_TRY(join(&maker, err));
    for (size_t i = 0; i < maps.num;) {
        struct group group = next_group(&maker, &RCH_VEC_AT(&maps, struct core_map, i));
        RCH_TRY(add_group(&maker, &group, err));
        i += (size_t)(group.end - group.first);
    }
    return warn_of_files(&maker, err);
}
