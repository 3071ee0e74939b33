// SPDX-License-Identifier: MIT
// fuzz/fuzz_core.c -- any bytes as a core file: as they are, with pages of contents behind them, and
// compressed and cut. What opens is walked through.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "fuzz.h"
#include "target/image.h"

#define NUM_PAGES 48u
#define PAGE UINT64_C(4096)
#define MEMORY_LIMIT (UINT64_C(1) << 20)  // so that copies go to a file, too

static void must(bool is_true)
{
    if (!is_true)
        __builtin_trap();
}

static volatile uint64_t walked;  // so that no read is optimised away

static void walk_map(struct rch_image *image, const struct rch_map *map)
{
    must(map->start < map->end && map->end <= UINT64_C(1) << RCH_TARGET_ADDR_BITS);
    must(rch_image_map_at(image, map->start) == map &&
         rch_image_map_at(image, map->end - 1) == map);
    must(!(map->flags & RCH_MAP_MISSING) || !(map->flags & RCH_MAP_SHARED));
    walked += rch_load64(&image->target, map->start - 4) + strlen(map->path);
    walked += rch_load64(&image->target, map->end - 8);
    for (uint64_t i = 0, addr = map->start; i < NUM_PAGES && addr < map->end; i++, addr += PAGE)
        walked += rch_load64(&image->target, addr);
}

static void walk(struct rch_image *image)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < image->num_maps; i++) {
        must(i == 0 || image->maps[i - 1].end <= image->maps[i].start);
        walk_map(image, &image->maps[i]);
        bytes += image->maps[i].end - image->maps[i].start;
    }
    must(image->bytes_missing <= bytes && image->bytes_copied <= bytes);
    for (size_t i = 0; i < image->num_threads; i++)
        walked += strnlen(image->threads[i].name, sizeof(image->threads[i].name));
    for (size_t i = 0; i < image->num_warnings; i++)
        walked += strlen(image->warnings[i]);
    walked += strlen(image->exe);
}

static void open_and_walk(const uint8_t *bytes, size_t num_bytes, size_t num_pages)
{
    static uint8_t pages[NUM_PAGES * PAGE];
    struct rch_image_options options = {.memory_limit = MEMORY_LIMIT, .sysroot = "/nonexistent"};
    struct rch_image *image;
    struct rch_error err = {0};
    char path[64];
    int fd = memfd_create("core", MFD_CLOEXEC);
    must(fd >= 0);
    memset(pages, 0xa5, sizeof(pages));
    must(write(fd, bytes, num_bytes) == (ssize_t)num_bytes);
    must(write(fd, pages, num_pages * PAGE) == (ssize_t)(num_pages * PAGE));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (rch_image_open_core(path, &options, &image, &err) == RCH_OK) {
        walk(image);
        rch_image_free(image);
    } else {
        must(err.code != RCH_OK && err.message[0] != '\0');
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes)
{
    size_t bound = ZSTD_compressBound(num_bytes);
    uint8_t *packed = malloc(bound);
    if (!packed)
        return 0;
    open_and_walk(data, num_bytes, 0);
    open_and_walk(data, num_bytes, NUM_PAGES);
    size_t num_packed = ZSTD_compress(packed, bound, data, num_bytes, 1);
    must(!ZSTD_isError(num_packed));
    open_and_walk(packed, num_packed - num_packed / 8, 0);
    free(packed);
    return 0;
}
