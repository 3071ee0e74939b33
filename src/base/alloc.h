// SPDX-License-Identifier: MIT
// base/alloc.h -- the allocator is a value that callers pass, one realloc-shaped function that
// also gets the old size: tests count and fail allocations, capture uses memory Python never sees.
#ifndef RCH_BASE_ALLOC_H
#define RCH_BASE_ALLOC_H
#include <stddef.h>
#include <stdint.h>

/// resize(ctx, mem, old_bytes, new_bytes): mem NULL allocates, new_bytes 0 frees and returns NULL,
/// otherwise like realloc. Returns NULL on failure and then leaves `mem` as it was.
struct rch_alloc {
    void *(*resize)(void *ctx, void *mem, size_t old_bytes, size_t new_bytes);
    void *ctx;
};

/// malloc/free of the C library.
const struct rch_alloc *rch_alloc_default(void);

/// Zeroed memory for `num` elements of `elem_bytes`; NULL when out of memory or on overflow.
/// num 0 gives a valid pointer to one zeroed element, so that NULL always means failure.
void *rch_calloc(const struct rch_alloc *alloc, size_t num, size_t elem_bytes);
/// Resize an array; on failure returns NULL and `mem` stays valid. New elements are not zeroed.
void *rch_realloc(const struct rch_alloc *alloc, void *mem, size_t old_num, size_t new_num,
                  size_t elem_bytes);
/// Free what rch_calloc/rch_realloc gave for this `num` and `elem_bytes`; mem may be NULL.
void rch_free(const struct rch_alloc *alloc, void *mem, size_t num, size_t elem_bytes);

/// An array freed when it goes out of scope, unless taken.
struct rch_block {
    const struct rch_alloc *alloc;
    void *mem;
    size_t num, elem_bytes;
};
struct rch_block rch_block_make(const struct rch_alloc *alloc, size_t num, size_t elem_bytes);
void rch_block_drop(struct rch_block *block);
/// Give up ownership: the caller frees the memory with rch_free(alloc, mem, num, elem_bytes).
void *rch_block_take(struct rch_block *block);
#define RCH_BLOCK(name, alloc, num, elem_bytes)                             \
    __attribute__((cleanup(rch_block_drop))) struct rch_block name =        \
        rch_block_make((alloc), (num), (elem_bytes))

#endif
