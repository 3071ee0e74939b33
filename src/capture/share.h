// SPDX-License-Identifier: MIT
// capture/share.h -- the parts of one job on two threads. Private to capture/.
#ifndef RCH_CAPTURE_SHARE_H
#define RCH_CAPTURE_SHARE_H
#include <stdbool.h>
#include <stdint.h>

/// Run part 0 ... num_parts - 1 of a job. A part touches nothing that another one writes, and fails by
/// what it leaves in `ctx`.
typedef void (*rch__part_fn)(void *ctx, uint32_t part);

/// Each part once, handed out in order to this thread and, if `pays`, to a second one that has no
/// signals, as long as there are parts left. All are done on return. Without a second thread (one
/// processor, no memory for it) this one runs them all; a second one that the system lets wait does
/// not hold the job up.
void rch__share(uint32_t num_parts, bool pays, rch__part_fn run, void *ctx);

/// Is a heap of so many objects worth a second thread? Starting one costs as much as some 1,000 objects.
static inline bool rch__share_pays(uint64_t num_objects)
{
    return num_objects >= 100000;
}

#endif
