// SPDX-License-Identifier: MIT
// capture/outside.c -- see outside.h.
#include "capture/outside.h"

#include <inttypes.h>

#include "capture/state.h"

// The process itself may have told these (its debug offsets), and buffers are as large as a head may be.
static bool has_sane_head(const struct rch_layout *L)
{
    return L->object_size >= RCH_HEAD_BYTES && L->object_size <= RCH_MAX_HEAD_BYTES &&
           L->object_type >= 0 && L->object_type + 8 <= L->object_size;
}

enum rch_status rch_capture_image(const struct rch_image *image, const struct rch_python *python,
                                  const struct rch_os_fds *fds, uint64_t max_memory,
                                  const struct rch_progress *progress,
                                  const struct rch_alloc *alloc, struct rch_graph **graph_out,
                                  struct rch_error *err)
{
    if (!has_sane_head(&python->layout))
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "process %" PRIu32 " says that the head of its objects is %" PRId32
                        " bytes, with the type at %" PRId32,
                        image->pid, python->layout.object_size, python->layout.object_type);
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
                                          .max_memory = max_memory,
                                          .progress = progress};
    struct rch_capture *capture = NULL;
    RCH_TRY(rch_capture_walk(&options, alloc, &capture, err));
    return rch_capture_finish(capture, graph_out, err);
}
