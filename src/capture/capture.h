// SPDX-License-Identifier: MIT
// capture/capture.h -- from a running interpreter to a graph: find every object, read what it
// refers to, name the references, add the roots. Two steps, so that the interpreter stands still
// only for the first: walk (the target must not run) and finish (only our own memory is read).
#ifndef RCH_CAPTURE_CAPTURE_H
#define RCH_CAPTURE_CAPTURE_H
#include "base/progress.h"
#include "model/graph.h"
#include "pylayout/layout.h"
#include "target/fds.h"
#include "target/image.h"

/// Calls visit(referent, arg) for each reference of `object`, like CPython's tp_traverse.
typedef int (*rch_visit_fn)(void *referent, void *arg);
typedef int (*rch_traverse_fn)(void *object, rch_visit_fn visit, void *arg);

struct rch_capture_options {
    struct rch_target *target;
    const struct rch_layout *layout;
    uint32_t py_micro, pid;
    rch_addr first_interp;              // PyInterpreterState; others follow by their `next`
    rch_addr runtime;                   // _PyRuntime, or 0: signal handlers are then not read
    rch_addr type_type;                 // PyType_Type
    rch_addr subtype_traverse;          // tp_traverse of classes made by a class statement
    rch_addr calling_thread;            // PyThreadState of whoever asks, or 0 from outside
    rch_addr none;                      // None: a field that holds it is not worth a name
    uint64_t main_thread_id;            // ident of the main thread, or 0
    bool can_traverse;                  // tp_traverse may be called (own process, GIL held)
    const struct rch_image *image;      // from outside: what is read; NULL from inside
    const struct rch_os_fds *fds;       // its descriptors, to go into the graph; NULL: not wanted
    const char *const *observer_paths;  // parts of file names whose frames are the observer's
    uint32_t num_observer_paths;
    uint64_t max_memory;                  // bytes the capture may take at most; 0: what is free
    const struct rch_progress *progress;  // of the walk, and of the finish; may be NULL
};

struct rch_capture;  // a walk that is done

/// Walk. The target must stand still (own process: GIL held) until this returns. Runs no code of
/// the target but tp_traverse, creates no Python object, changes no reference count.
/// RCH_EBUSY: a collection is under way (from outside the graph is partial then). On success the
/// caller owns *capture_out.
RCH_MUST_CHECK enum rch_status rch_capture_walk(const struct rch_capture_options *options,
                                                const struct rch_alloc *alloc,
                                                struct rch_capture **capture_out,
                                                struct rch_error *err);
/// Ask somebody else whether to go on: what was given to the walk may be gone by now.
void rch_capture_set_progress(struct rch_capture *capture, const struct rch_progress *progress);
/// Make the graph: number the objects, translate, balance reference counts, find garbage. Consumes
/// the capture, also on error. Does not touch the target.
RCH_MUST_CHECK enum rch_status rch_capture_finish(struct rch_capture *capture,
                                                  struct rch_graph **graph_out,
                                                  struct rch_error *err);
void rch_capture_free(struct rch_capture *capture);  // for one that will not be finished

/// How many objects of one type there are: known before the finish, for those who want no more.
struct rch_capture_count {
    const char *full_name;  // the capture's
    uint64_t count, bytes;
};
/// Count of type number i; false past the last. Types without objects have a count of 0.
bool rch_capture_count(const struct rch_capture *capture, size_t i, struct rch_capture_count *out);

#endif
