// SPDX-License-Identifier: MIT
// capture/bigbuf.c -- see bigbuf.h. A huge page costs one page fault instead of 512, but zeroing it costs
// more than a small heap needs: memory of unknown use begins with small pages.
#define _GNU_SOURCE
#include "capture/bigbuf.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_BYTES ((size_t)2 << 20)
#define PAGE_BYTES ((size_t)4096)
#define SMALL_START 65536u  // elements, when address space is short

static size_t round_up(size_t num_bytes, size_t unit)
{
    return (num_bytes + unit - 1) & ~(unit - 1);
}

static void *map(size_t num_bytes)
{
    void *mem = mmap(NULL, num_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return mem == MAP_FAILED ? NULL : mem;
}

// Aligned to a huge page, with the slack given back. The first num_small_bytes stay small pages.
static void *map_aligned(size_t num_bytes, size_t num_small_bytes)
{
    char *mem = map(num_bytes + HUGE_BYTES);
    if (!mem)
        return NULL;
    char *start = (char *)round_up((uintptr_t)mem, HUGE_BYTES);
    size_t before = (size_t)(start - mem), after = HUGE_BYTES - before;
    if (before)
        (void)munmap(mem, before);
    if (after)
        (void)munmap(start + num_bytes, after);
    (void)madvise(start + num_small_bytes, num_bytes - num_small_bytes, MADV_HUGEPAGE);  // advice
    return start;
}

void *rch_bigbuf_new(size_t num_bytes)
{
    size_t bytes = round_up(num_bytes ? num_bytes : 1, PAGE_BYTES);
    return bytes < HUGE_BYTES ? map(bytes) : map_aligned(bytes, 0);
}

void *rch_bigbuf_new_sparse(size_t num_bytes)
{
    return map(round_up(num_bytes ? num_bytes : 1, PAGE_BYTES));
}

void rch_bigbuf_populate(void *start, size_t num_bytes)
{
#ifdef MADV_POPULATE_WRITE
    (void)madvise(start, num_bytes, MADV_POPULATE_WRITE);  // from Linux 5.14 on
#else
    (void)start, (void)num_bytes;
#endif
}

void rch_bigbuf_free(void *mem, size_t num_bytes)
{
    if (mem)
        (void)munmap(mem, round_up(num_bytes ? num_bytes : 1, PAGE_BYTES));
}

enum rch_status rch_column_init(struct rch_column *column, size_t elem_bytes, size_t cap,
                                struct rch_error *err)
{
    size_t bytes;
    *column = (struct rch_column){.elem_bytes = elem_bytes, .cap = cap ? cap : 1};
    if (!__builtin_mul_overflow(column->cap, elem_bytes, &bytes))
        column->mem = bytes <= 2 * HUGE_BYTES
                          ? map(round_up(bytes, PAGE_BYTES))
                          : map_aligned(round_up(bytes, PAGE_BYTES), HUGE_BYTES);
    if (column->mem)
        return RCH_OK;
    column->cap = 0;
    return rch_column_reserve(column, SMALL_START, err);
}

void rch_column_deinit(struct rch_column *column)
{
    rch_bigbuf_free(column->mem, column->cap * column->elem_bytes);
    *column = (struct rch_column){.elem_bytes = column->elem_bytes};
}

enum rch_status rch_column_reserve(struct rch_column *column, size_t num, struct rch_error *err)
{
    if (num <= column->cap)
        return RCH_OK;
    size_t cap = column->cap + column->cap / 2, bytes;
    if (cap < num)
        cap = num;
    if (__builtin_mul_overflow(cap, column->elem_bytes, &bytes))
        return rch_fail(err, RCH_EOVERFLOW, "a column of %zu elements", cap);
    void *mem = rch_bigbuf_new(bytes);
    if (!mem)
        return rch_fail(err, RCH_ENOMEM, "a capture column of %zu bytes", bytes);
    if (column->mem)
        memcpy(mem, column->mem, column->num * column->elem_bytes);
    rch_bigbuf_free(column->mem, column->cap * column->elem_bytes);
    column->mem = mem;
    column->cap = cap;
    return RCH_OK;
}

void rch_column_expect(struct rch_column *column, size_t num)
{
    if (num <= column->cap && num >= HUGE_BYTES / column->elem_bytes / 2)
        (void)madvise(column->mem, HUGE_BYTES, MADV_HUGEPAGE);  // advice
}

void rch_column_trim(struct rch_column *column)
{
    size_t num = column->num ? column->num : 1;
    size_t keep = round_up(num * column->elem_bytes, PAGE_BYTES);
    size_t have = round_up(column->cap * column->elem_bytes, PAGE_BYTES);
    if (keep < have)
        (void)munmap((char *)column->mem + keep, have - keep);
    column->cap = num;
}
