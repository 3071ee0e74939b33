// SPDX-License-Identifier: MIT
// base/arena.h -- many small allocations, one free. Memory never moves.
#ifndef RCH_BASE_ARENA_H
#define RCH_BASE_ARENA_H
#include "base/alloc.h"
#include "base/error.h"

struct rch_arena_chunk;
struct rch_arena {
    const struct rch_alloc *alloc;
    struct rch_arena_chunk *newest;
    size_t used_bytes;  // of the newest chunk
};

void rch_arena_init(struct rch_arena *arena, const struct rch_alloc *alloc);
void rch_arena_deinit(struct rch_arena *arena);
/// Zeroed, 16-byte aligned, valid until the arena goes; NULL when out of memory.
void *rch_arena_take(struct rch_arena *arena, size_t num, size_t elem_bytes);
/// A NUL-terminated copy of `num_bytes` bytes.
char *rch_arena_copy(struct rch_arena *arena, const char *bytes, size_t num_bytes);
char *rch_arena_printf(struct rch_arena *arena, const char *fmt, ...) RCH_PRINTF(2, 3);

#endif
