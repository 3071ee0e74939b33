// SPDX-License-Identifier: MIT
// base/alloc.c -- checked sizes on top of one realloc-shaped function. An array of 0 elements
// takes the room of one, so that NULL always means "out of memory".
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // madvise
#endif
#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES ((uintptr_t)4096)
#define HUGE_FROM_BYTES ((size_t)4 << 20)

static void *libc_resize(void *ctx, void *mem, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(mem);
        return NULL;
    }
    return realloc(mem, new_bytes);
}

const struct rch_alloc *rch_alloc_default(void)
{
    static const struct rch_alloc libc_alloc = {libc_resize, NULL};
    return &libc_alloc;
}

// Bytes of an array, at least 1; false on overflow.
static bool array_bytes(size_t num, size_t elem_bytes, size_t *bytes_out)
{
    if (__builtin_mul_overflow(num ? num : 1, elem_bytes ? elem_bytes : 1, bytes_out))
        return false;
    return *bytes_out <= PTRDIFF_MAX;
}

// Big arrays are read and written all over, and pages of 2 MiB then spare most of the look-ups of where
// a page is, and faults. It is advice: where it is not taken nothing is lost.
static void *zeroed(size_t bytes)
{
    char *mem = calloc(1, bytes);  // fresh pages are zero already
#ifdef MADV_HUGEPAGE
    if (mem && bytes >= HUGE_FROM_BYTES) {
        size_t skip = (size_t)(-(uintptr_t)mem % PAGE_BYTES);
        (void)madvise(mem + skip, bytes - skip, MADV_HUGEPAGE);
    }
#endif
    return mem;
}

void *rch_calloc(const struct rch_alloc *alloc, size_t num, size_t elem_bytes)
{
    size_t bytes;
    if (!array_bytes(num, elem_bytes, &bytes))
        return NULL;
    if (alloc->resize == libc_resize)
        return zeroed(bytes);
    void *mem = alloc->resize(alloc->ctx, NULL, 0, bytes);
    if (mem)
        memset(mem, 0, bytes);
    return mem;
}

void *rch_realloc(const struct rch_alloc *alloc, void *mem, size_t old_num, size_t new_num,
                  size_t elem_bytes)
{
    size_t old_bytes = 0, new_bytes;
    if (mem && !array_bytes(old_num, elem_bytes, &old_bytes))
        return NULL;
    if (!array_bytes(new_num, elem_bytes, &new_bytes))
        return NULL;
    return alloc->resize(alloc->ctx, mem, old_bytes, new_bytes);
}

void rch_free(const struct rch_alloc *alloc, void *mem, size_t num, size_t elem_bytes)
{
    size_t bytes;
    if (mem && array_bytes(num, elem_bytes, &bytes))
        alloc->resize(alloc->ctx, mem, bytes, 0);
}

struct rch_block rch_block_make(const struct rch_alloc *alloc, size_t num, size_t elem_bytes)
{
    return (struct rch_block){alloc, rch_calloc(alloc, num, elem_bytes), num, elem_bytes};
}

void rch_block_drop(struct rch_block *block)
{
    rch_free(block->alloc, block->mem, block->num, block->elem_bytes);
    block->mem = NULL;
}

void *rch_block_take(struct rch_block *block)
{
    void *mem = block->mem;
    block->mem = NULL;
    return mem;
}
