// SPDX-License-Identifier: MIT
// tests/c/peek.c -- tells the Python tests what an image has, a line each: `peek core PATH SYSROOT
// [ADDRESS BYTES]...`, SYSROOT "" for none. Bytes come in hexadecimal, "-" if they cannot be read.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/image.h"

static int complain(const char *what)
{
    fprintf(stderr, "peek: %s\n", what);
    return 1;
}

static void tell(const struct rch_image *image)
{
    printf("pid %" PRIu32 "\nexe %s\n", image->pid, image->exe);
    printf("bytes_copied %" PRIu64 "\nbytes_missing %" PRIu64 "\n", image->bytes_copied,
           image->bytes_missing);
    for (size_t i = 0; i < image->num_maps; i++) {
        const struct rch_map *map = &image->maps[i];
        printf("map %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %s\n", map->start, map->end,
               map->offset, map->flags, map->path);
    }
    for (size_t i = 0; i < image->num_threads; i++) {
        const struct rch_os_thread *thread = &image->threads[i];
        printf("thread %" PRIu32 " %" PRId64 " %" PRIu64 " %" PRIu64 " %s\n", thread->tid,
               thread->syscall, thread->pc, thread->sp, thread->name);
    }
    for (size_t i = 0; i < image->num_warnings; i++)
        printf("warning %s\n", image->warnings[i]);
}

static void tell_bytes(struct rch_image *image, uint64_t addr, size_t num_bytes)
{
    uint8_t *bytes = malloc(num_bytes + 1);
    bool is_had = bytes && rch_target_read(&image->target, addr, bytes, num_bytes);
    printf("read %" PRIu64 " ", addr);
    for (size_t i = 0; is_had && i < num_bytes; i++)
        printf("%02x", bytes[i]);
    printf("%s\n", is_had ? "" : "-");
    free(bytes);
}

int main(int argc, char **argv)
{
    struct rch_image_options options = {0};
    struct rch_image *image;
    struct rch_error err;
    if (argc < 4 || argc % 2 != 0 || strcmp(argv[1], "core") != 0)
        return complain("usage: peek core PATH SYSROOT [ADDRESS BYTES]...");
    options.sysroot = argv[3][0] ? argv[3] : NULL;
    if (rch_image_open_core(argv[2], &options, &image, &err) != RCH_OK)
        return complain(err.message);
    tell(image);
    for (int i = 4; i < argc; i += 2)
        tell_bytes(image, strtoull(argv[i], NULL, 0), strtoull(argv[i + 1], NULL, 0));
    rch_image_free(image);
    return 0;
}
