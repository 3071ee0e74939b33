// SPDX-License-Identifier: MIT
// target/view_pid.c -- a process as an image without a copy: every read goes to /proc/PID/mem.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "target/image_impl.h"
#include "target/proc.h"

static bool read_mem(void *ctx, uint64_t addr, void *buf, size_t num_bytes)
{
    int fd = (int)(intptr_t)ctx;
    return addr <= INT64_MAX - num_bytes &&
           pread(fd, buf, num_bytes, (off_t)addr) == (ssize_t)num_bytes;
}

static enum rch_status fill(struct rch_image *image, uint32_t pid, struct rch_arena *texts,
                            struct rch_vec *maps, struct rch_error *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/mem", pid);
    RCH_TRY(rch_proc_maps(pid, texts, maps, err));
    for (size_t i = 0; i < maps->num; i++)
        RCH_TRY(rch_image_add_map(image, &RCH_VEC_AT(maps, struct rch_map, i), err));
    if (image->num_maps == 0)
        return rch_fail(err, RCH_ENOTFOUND, "process %u has no memory: a zombie, or of the kernel",
                        pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rch_fail(err, RCH_EIO, "cannot read the memory of process %u", pid);
    rch_image_back_by_file(image, 0, fd);  // the image closes it
    snprintf(path, sizeof(path), "/proc/%u/root", pid);
    image->root = rch_image_text(image, path);
    image->target.read = read_mem;
    image->target.ctx = (void *)(intptr_t)fd;
    image->pid = pid;
    return image->root ? RCH_OK : rch_fail(err, RCH_ENOMEM, "an image");
}

enum rch_status rch_image_view_pid(uint32_t pid, const struct rch_image_options *options,
                                   struct rch_image **image_out, struct rch_error *err)
{
    const struct rch_alloc *alloc = options->alloc ? options->alloc : rch_alloc_default();
    struct rch_image *image = NULL;
    struct rch_arena texts;
    RCH_VEC(maps, alloc, struct rch_map);
    rch_arena_init(&texts, alloc);
    enum rch_status st = rch_image_new(options, &image, err);
    if (st == RCH_OK)
        st = fill(image, pid, &texts, &maps, err);
    rch_arena_deinit(&texts);
    if (st == RCH_OK)
        *image_out = image;
    else
        rch_image_free(image);
    return st;
}
