// SPDX-License-Identifier: MIT
// base/memory.h -- how much memory there is for work that is about to begin. Linux.
#ifndef RCH_BASE_MEMORY_H
#define RCH_BASE_MEMORY_H
#include <stdint.h>

#include "base/error.h"

/// Bytes that can be taken now without swapping: the least of what the system has available, what the
/// limits of our control group and of those around it leave (version 1 and 2; files in the cache that
/// are idle give way), and what RLIMIT_AS leaves. UINT64_MAX when nothing is known. Reads a few small
/// files.
uint64_t rch_memory_left(void);
/// The same of a made-up system: `root` is put before the paths of the files, such as /proc/meminfo.
/// RLIMIT_AS is not looked at. For tests.
uint64_t rch_memory_left_in(const char *root);

/// RCH_ENOMEM with words when `need` bytes for `what` ("referrers of 5 objects") are more than
/// `max_memory` (0: no limit was given) or than what is left.
RCH_MUST_CHECK enum rch_status rch_memory_check(uint64_t need, uint64_t max_memory,
                                                const char *what, struct rch_error *err);

#endif
