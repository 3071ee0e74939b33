// SPDX-License-Identifier: MIT
// target/fake.h -- a target made of byte segments at addresses of choice: for tests of code that
// reads memory it cannot trust. Nothing outside the segments can be read.
#ifndef RCH_TARGET_FAKE_H
#define RCH_TARGET_FAKE_H
#include "target/target.h"

struct rch_fake_segment {
    uint64_t addr;
    const void *bytes;
    size_t num_bytes;
};

/// Segments may touch (a read may cross from one into the next); where they overlap the first wins.
struct rch_fake {
    const struct rch_fake_segment *segments;
    size_t num_segments;
};

/// `fake` and its segments are the caller's and must outlive the target. A read costs
/// O(segments) for each segment it crosses.
void rch_target_fake_init(struct rch_target *target, struct rch_fake *fake);

#endif
