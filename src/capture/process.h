// SPDX-License-Identifier: MIT
// capture/process.h -- from a process number or the path of a core file to a graph, in one call.
#ifndef RCH_CAPTURE_PROCESS_H
#define RCH_CAPTURE_PROCESS_H
#include "capture/outside.h"

struct rch_process_read {  // what reading took, to be told
    uint64_t pause_ns;     // how long the process stood still, 0: not at all
    uint64_t bytes_copied;
};

/// The graph of a process, with its descriptors. Errors: those of rch_image_open_pid(),
/// rch_python_find() and rch_capture_image().
RCH_MUST_CHECK enum rch_status rch_capture_pid(uint32_t pid,
                                               const struct rch_image_options *options,
                                               struct rch_process_read *read_out,
                                               struct rch_graph **graph_out, struct rch_error *err);
/// The graph of a core file.
RCH_MUST_CHECK enum rch_status rch_capture_core(const char *path,
                                                const struct rch_image_options *options,
                                                struct rch_graph **graph_out,
                                                struct rch_error *err);

#endif
