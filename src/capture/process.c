// SPDX-License-Identifier: MIT
// capture/process.c -- see process.h.
#include "capture/process.h"

static enum rch_status capture(const struct rch_image *image, const struct rch_os_fds *fds,
                               const struct rch_image_options *options,
                               struct rch_graph **graph_out, struct rch_error *err)
{
    struct rch_python python = {0};
    RCH_TRY(rch_python_find(image, options->alloc, &python, err));
    return rch_capture_image(image, &python, fds, options->max_memory, options->progress,
                             options->alloc, graph_out, err);
}

enum rch_status rch_capture_pid(uint32_t pid, const struct rch_image_options *options,
                                struct rch_process_read *read_out, struct rch_graph **graph_out,
                                struct rch_error *err)
{
    struct rch_image *image = NULL;
    struct rch_os_fds fds = {0};
    RCH_TRY(rch_image_open_pid(pid, options, &image, err));
    *read_out = (struct rch_process_read){image->pause_ns, image->bytes_copied};
    // Without its list a graph still has the descriptors that objects say they own.
    bool has_fds = rch_os_fds_init(&fds, pid, options->alloc, NULL) == RCH_OK;
    enum rch_status st = capture(image, has_fds ? &fds : NULL, options, graph_out, err);
    if (has_fds)
        rch_os_fds_deinit(&fds);
    rch_image_free(image);
    return st;
}

enum rch_status rch_capture_core(const char *path, const struct rch_image_options *options,
                                 struct rch_graph **graph_out, struct rch_error *err)
{
    struct rch_image *image = NULL;
    RCH_TRY(rch_image_open_core(path, options, &image, err));
    enum rch_status st = capture(image, NULL, options, graph_out, err);
    rch_image_free(image);
    return st;
}
