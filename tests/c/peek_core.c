// SPDX-License-Identifier: MIT
// tests/c/peek_core.c -- reads a core file for tests: `peek_core [--sysroot DIR] PATH
// [ADDRESS:BYTES]...` prints what the image says and those bytes, in the format of peek_live. Exit
// code: the status.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/image.h"

static void show_image(const struct rch_image *image)
{
    (void)printf("pid %" PRIu32 "\ncopied %" PRIu64 "\nmissing %" PRIu64 "\n", image->pid,
                 image->bytes_copied, image->bytes_missing);
    (void)printf("exe %s\nroot %s\n", image->exe, image->root);
    for (size_t i = 0; i < image->num_maps; i++) {
        const struct rch_map *map = &image->maps[i];
        (void)printf("map %" PRIx64 "\t%" PRIx64 "\t%" PRIu32 "\t%" PRIx64 "\t%s\n", map->start,
                     map->end, map->flags, map->offset, map->path);
    }
    for (size_t i = 0; i < image->num_threads; i++) {
        const struct rch_os_thread *thread = &image->threads[i];
        (void)printf("thread %" PRIu32 "\t%c\t%d\t%d\t%" PRId64 "\t%" PRIx64 "\t%" PRIx64
                     "\t%" PRIx64 "\t%s\n",
                     thread->tid, thread->state, thread->was_stopped, thread->has_registers,
                     thread->syscall, thread->args[0], thread->pc, thread->sp, thread->name);
    }
    for (size_t i = 0; i < image->num_warnings; i++)
        (void)printf("warning %s\n", image->warnings[i]);
}

static void show_bytes(struct rch_image *image, const char *what)
{
    char *colon;
    uint64_t addr = strtoull(what, &colon, 16);
    size_t num = *colon == ':' ? strtoull(colon + 1, NULL, 10) : 8;
    uint8_t *bytes = malloc(num ? num : 1);
    if (!bytes || !rch_target_read(&image->target, addr, bytes, num)) {
        (void)printf("bytes %" PRIx64 " unreadable\n", addr);
    } else {
        (void)printf("bytes %" PRIx64 " ", addr);
        for (size_t i = 0; i < num; i++)
            (void)printf("%02x", bytes[i]);
        (void)printf("\n");
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    struct rch_image_options options = {0};
    struct rch_image *image;
    struct rch_error err;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--sysroot") == 0 && i + 1 < argc)
            options.sysroot = argv[++i];
    }
    if (i >= argc)
        return 100;
    enum rch_status st = rch_image_open_core(argv[i], &options, &image, &err);
    if (st != RCH_OK) {
        (void)printf("error %s: %s\n", rch_status_words(st), err.message);
        return (int)st;
    }
    show_image(image);
    for (i++; i < argc; i++)
        show_bytes(image, argv[i]);
    rch_image_free(image);
    return 0;
}
