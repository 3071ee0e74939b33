// SPDX-License-Identifier: MIT
// capture/bigbuf.c -- see bigbuf.h. Huge pages pay from about a million objects on; below some
// MiB zeroing them costs more than they save.
#define _GNU_SOURCE
#include "capture/bigbuf.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGES_FROM_BYTES ((size_t)8 << 20)
#define PAGE_BYTES ((size_t)4096)

static size_t round_up(size_t num_bytes)
{
    return (num_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

// The whole mapping or nothing: mremap cannot move one whose parts are advised differently.
static void advise(char *mem, size_t num_bytes)
{
    if (num_bytes >= HUGE_PAGES_FROM_BYTES)  // advice only: the columns work without
        (void)madvise(mem, num_bytes, MADV_HUGEPAGE);
}

void *rch_bigbuf_new(size_t num_bytes)
{
    size_t bytes = round_up(num_bytes ? num_bytes : 1);
    void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                     -1, 0);
    if (mem == MAP_FAILED)
        return NULL;
    advise(mem, bytes);
    return mem;
}

void *rch_bigbuf_resize(void *mem, size_t old_bytes, size_t new_bytes)
{
    size_t old = round_up(old_bytes ? old_bytes : 1), now = round_up(new_bytes ? new_bytes : 1);
    if (old == now)
        return mem;
    void *moved = mremap(mem, old, now, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return NULL;
    if (now > old)
        advise(moved, now);
    return moved;
}

void rch_bigbuf_free(void *mem, size_t num_bytes)
{
    if (mem)
        (void)munmap(mem, round_up(num_bytes ? num_bytes : 1));
}

enum rch_status rch_column_init(struct rch_column *column, size_t elem_bytes, size_t cap,
                                struct rch_error *err)
{
    *column = (struct rch_column){.elem_bytes = elem_bytes};
    return rch_column_reserve(column, cap ? cap : 1, err);
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
    void *mem = column->mem ? rch_bigbuf_resize(column->mem, column->cap * column->elem_bytes, bytes)
                            : rch_bigbuf_new(bytes);
    if (!mem)
        return rch_fail(err, RCH_ENOMEM, "a capture column of %zu bytes", bytes);
    column->mem = mem;
    column->cap = cap;
    return RCH_OK;
}

void rch_column_trim(struct rch_column *column)
{
    size_t num = column->num ? column->num : 1;
    void *mem = rch_bigbuf_resize(column->mem, column->cap * column->elem_bytes,
                                  num * column->elem_bytes);
    if (mem) {
        column->mem = mem;
        column->cap = num;
    }
}
