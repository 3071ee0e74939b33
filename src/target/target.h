// SPDX-License-Identifier: MIT
// target/target.h -- "read n bytes at this address". Own memory is a plain inlined load; anything
// else (another process, a core, a test double) goes through one function pointer.
#ifndef RCH_TARGET_TARGET_H
#define RCH_TARGET_TARGET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

struct rch_target {
    bool is_own;  // addresses are ours: loads are plain loads, and the caller vouches for them
    /// Copy num_bytes at addr to buf; false if any byte cannot be read. Not used for own memory.
    bool (*read)(void *ctx, uint64_t addr, void *buf, size_t num_bytes);
    void *ctx;
    uint64_t num_failed;  // reads that failed, so far
};

/// This process. What is read must be readable: the caller vouches.
void rch_target_own_init(struct rch_target *target);

/// This process, read through the kernel: an address that is not mapped fails instead of crashing.
/// About a microsecond a read; to try out a layout before it is trusted. Nothing to free.
void rch_target_own_checked_init(struct rch_target *target);

/// rch_target_read() of what is not own memory. Fails without calling `read` when addr + num_bytes
/// wraps around.
bool rch_target_read_slow(struct rch_target *target, uint64_t addr, void *buf, size_t num_bytes);

/// Copy num_bytes at addr. On failure buf is zeroed and false returned.
static inline bool rch_target_read(struct rch_target *target, uint64_t addr, void *buf,
                                   size_t num_bytes)
{
    if (__builtin_expect(target->is_own, 1)) {
        memcpy(buf, (const void *)(uintptr_t)addr, num_bytes);
        return true;
    }
    return rch_target_read_slow(target, addr, buf, num_bytes);
}

// Loads: 0 when unreadable (num_failed counts).
#define RCH_TARGET_LOAD(bits)                                                                  \
    static inline uint##bits##_t rch_load##bits(struct rch_target *target, uint64_t addr)      \
    {                                                                                          \
        uint##bits##_t value;                                                                  \
        rch_target_read(target, addr, &value, sizeof(value));                                  \
        return value;                                                                          \
    }
RCH_TARGET_LOAD(8)
RCH_TARGET_LOAD(16)
RCH_TARGET_LOAD(32)
RCH_TARGET_LOAD(64)
#undef RCH_TARGET_LOAD

#endif
