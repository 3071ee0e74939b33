// SPDX-License-Identifier: MIT
// capture/outside.h -- the graph of another process or of a core: the walk of capture.h over an image.
// Nothing that tp_traverse would confirm can be asked, so what an object refers to comes from decoders
// and, for types without one, from words that look like references and are checked to be.
#ifndef RCH_CAPTURE_OUTSIDE_H
#define RCH_CAPTURE_OUTSIDE_H
#include "capture/capture.h"
#include "pylayout/find.h"

/// The graph of `image`. `fds` may be NULL; max_memory: as in the options of a capture. What could not be read is counted, told in the graph's
/// warnings and in info.is_partial. Does not change the image, does not need it afterwards.
RCH_MUST_CHECK enum rch_status rch_capture_image(
    const struct rch_image *image, const struct rch_python *python, const struct rch_os_fds *fds,
    uint64_t max_memory, const struct rch_progress *progress, const struct rch_alloc *alloc,
    struct rch_graph **graph_out, struct rch_error *err);

#endif
