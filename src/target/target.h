// SPDX-License-Identifier: MIT
// target/target.h -- "read n bytes at this address". Own memory is a plain inlined load; a copy of
// another process or a core (image.h) a look-up and a load; a test double goes through one function
// pointer.
#ifndef RCH_TARGET_TARGET_H
#define RCH_TARGET_TARGET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

// An image of other memory (image.h) is looked up in pieces of 2 MiB.
#define RCH_CHUNK_SHIFT 21
#define RCH_CHUNK_BYTES (UINT64_C(1) << RCH_CHUNK_SHIFT)
#define RCH_TARGET_ADDR_BITS 47

struct rch_target {
    bool is_own;  // addresses are ours: loads are plain loads, and the caller vouches for them
    /// Images: where chunk number addr >> RCH_CHUNK_SHIFT lies in our memory, all of it readable;
    /// NULL for a chunk that needs the function below. 2^(47 - 21) entries. May be NULL itself.
    const uint8_t *const *chunks;
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

/// Where these bytes lie in our memory if one chunk of an image has them all, else NULL.
static inline const uint8_t *rch_target_at(const struct rch_target *target, uint64_t addr,
                                           size_t num_bytes)
{
    uint64_t inside = addr & (RCH_CHUNK_BYTES - 1);
    if (!target->chunks || addr >> RCH_TARGET_ADDR_BITS || inside + num_bytes > RCH_CHUNK_BYTES)
        return NULL;
    const uint8_t *chunk = target->chunks[addr >> RCH_CHUNK_SHIFT];
    return chunk ? chunk + inside : NULL;
}

/// Copy num_bytes at addr. On failure buf is zeroed and false returned.
static inline bool rch_target_read(struct rch_target *target, uint64_t addr, void *buf,
                                   size_t num_bytes)
{
    if (__builtin_expect(target->is_own, 1)) {
        memcpy(buf, (const void *)(uintptr_t)addr, num_bytes);
        return true;
    }
    const uint8_t *at = rch_target_at(target, addr, num_bytes);
    if (__builtin_expect(at != NULL, 1)) {
        memcpy(buf, at, num_bytes);
        return true;
    }
    return rch_target_read_slow(target, addr, buf, num_bytes);
}

/// Ask for the cache line at addr. Any address will do; nothing is read.
static inline void rch_target_prefetch(const struct rch_target *target, uint64_t addr)
{
    if (__builtin_expect(target->is_own, 1))
        __builtin_prefetch((const void *)(uintptr_t)addr);
    else if (target->chunks)
        __builtin_prefetch(rch_target_at(target, addr, 1));
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
