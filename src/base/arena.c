// SPDX-License-Identifier: MIT
// base/arena.c -- a list of chunks, each twice as big as the one before it up to 1 MiB; what does
// not fit the newest chunk opens a new one. Chunks come zeroed, so pieces need no clearing.
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_ALIGN 16u
#define ARENA_FIRST_BYTES 4096u
#define ARENA_MOST_BYTES (1u << 20)

struct rch_arena_chunk {
    struct rch_arena_chunk *older;
    size_t num_bytes;  // of data
    _Alignas(ARENA_ALIGN) char data[];
};

void rch_arena_init(struct rch_arena *arena, const struct rch_alloc *alloc)
{
    *arena = (struct rch_arena){.alloc = alloc};
}

void rch_arena_deinit(struct rch_arena *arena)
{
    struct rch_arena_chunk *chunk = arena->newest;
    while (chunk) {
        struct rch_arena_chunk *older = chunk->older;
        rch_free(arena->alloc, chunk, sizeof(*chunk) + chunk->num_bytes, 1);
        chunk = older;
    }
    arena->newest = NULL;
    arena->used_bytes = 0;
}

static struct rch_arena_chunk *open_chunk(struct rch_arena *arena, size_t min_bytes)
{
    size_t num_bytes = ARENA_FIRST_BYTES, all_bytes;
    if (arena->newest)
        num_bytes = arena->newest->num_bytes * 2;
    if (num_bytes > ARENA_MOST_BYTES)
        num_bytes = ARENA_MOST_BYTES;
    if (num_bytes < min_bytes)
        num_bytes = min_bytes;
    if (__builtin_add_overflow(num_bytes, sizeof(struct rch_arena_chunk), &all_bytes))
        return NULL;
    struct rch_arena_chunk *chunk = rch_calloc(arena->alloc, all_bytes, 1);
    if (!chunk)
        return NULL;
    chunk->older = arena->newest;
    chunk->num_bytes = num_bytes;
    arena->newest = chunk;
    arena->used_bytes = 0;
    return chunk;
}

void *rch_arena_take(struct rch_arena *arena, size_t num, size_t elem_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(num, elem_bytes, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    bytes = (bytes + (bytes == 0) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct rch_arena_chunk *chunk = arena->newest;
    if (!chunk || chunk->num_bytes - arena->used_bytes < bytes)
        chunk = open_chunk(arena, bytes);
    if (!chunk)
        return NULL;
    void *mem = chunk->data + arena->used_bytes;
    arena->used_bytes += bytes;
    return mem;
}

char *rch_arena_copy(struct rch_arena *arena, const char *bytes, size_t num_bytes)
{
    if (num_bytes >= PTRDIFF_MAX)
        return NULL;
    char *copy = rch_arena_take(arena, num_bytes + 1, 1);
    if (copy && num_bytes)
        memcpy(copy, bytes, num_bytes);
    return copy;
}

char *rch_arena_printf(struct rch_arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int num_bytes = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (num_bytes < 0)
        return NULL;
    char *text = rch_arena_take(arena, (size_t)num_bytes + 1, 1);
    if (!text)
        return NULL;
    va_start(args, fmt);
    int written = vsnprintf(text, (size_t)num_bytes + 1, fmt, args);
    va_end(args);
    return written == num_bytes ? text : NULL;
}
