// SPDX-License-Identifier: MIT
// target/pieces.h -- memory of our own in pieces of 2 MiB, side by side and aligned, for the copy of
// another process: anonymous up to a limit, beyond it an unlinked file. Private to target/.
#ifndef RCH_TARGET_PIECES_H
#define RCH_TARGET_PIECES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct rch_pieces {
    uint8_t *mem;    // address space for `cap` pieces, of which `num` are in use
    void *reserved;  // what mmap gave: mem is the first multiple of 2 MiB in it
    size_t reserved_bytes;
    size_t cap, num;
    size_t num_anonymous;  // pieces from this one on are of the file
    uint64_t memory_limit, memory_bytes;
    const char *temp_dir;
    int fd;  // of the file, -1: none yet
};

/// `temp_dir` (NULL: $TMPDIR or /tmp) must live as long. memory_limit 0: half of the memory that is free.
RCH_MUST_CHECK enum rch_status rch_pieces_init(struct rch_pieces *pieces, uint64_t memory_limit,
                                               const char *temp_dir, struct rch_error *err);
void rch_pieces_deinit(struct rch_pieces *pieces);
/// `num` more pieces, zeroed, of which want_bytes will be written: that is what counts against the limit.
/// The number of the first is pieces->num before.
RCH_MUST_CHECK enum rch_status rch_pieces_add(struct rch_pieces *pieces, size_t num,
                                              uint64_t want_bytes, struct rch_error *err);
/// Make the kernel give the pages now. Whole pieces become huge pages where it can.
void rch_pieces_fault(struct rch_pieces *pieces, uint8_t *start, size_t num_bytes);

#endif
