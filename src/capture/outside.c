// SPDX-License-Identifier: MIT
// capture/outside.c -- see outside.h.
#include "capture/outside.h"

enum rch_status rch_capture_image(const struct rch_image *image, const struct rch_python *python,
                                  const struct rch_os_fds *fds, const struct rch_progress *progress,
                                  const struct rch_alloc *alloc, struct rch_graph **graph_out,
                                  struct rch_error *err)
{
    struct rch_target target = image->target;  // ours: it counts what fails
    struct rch_capture_options options = {.target = &target,
                                          .layout = &python->layout,
                                          .py_micro = python->micro,
                                          .pid = image->pid,
                                          .first_interp = python->first_interp,
                                          .runtime = python->runtime,
                                          .type_type = python->type_type,
                                          .subtype_traverse = python->subtype_traverse,
                                          .none = python->none,
                                          .image = image,
                                          .fds = fds,
                                          .progress = progress};
    struct rch_capture *capture = NULL;
    RCH_TRY(rch_capture_walk(&options, alloc, &capture, err));
    return rch_capture_finish(capture, graph_out, err);
}
