// SPDX-License-Identifier: MIT
// model/intern.h -- a set of numbers found by the contents they stand for: open addressing, linear
// probing, at most half full. The contents stay with the caller. Private to the builder.
#ifndef RCH_MODEL_INTERN_H
#define RCH_MODEL_INTERN_H
#include <stdbool.h>

#include "base/alloc.h"
#include "base/error.h"

struct rch_intern_slot {
    uint32_t hash;
    uint32_t number_plus_1;  // 0: free
};
struct rch_intern {
    const struct rch_alloc *alloc;
    struct rch_intern_slot *slots;
    size_t cap;  // 0 or a power of two
    size_t num;
};

void rch_intern_init(struct rch_intern *set, const struct rch_alloc *alloc);
void rch_intern_deinit(struct rch_intern *set);

/// A number with this hash for which same(ctx, number) holds, or UINT32_MAX. O(1) expected.
uint32_t rch_intern_find(const struct rch_intern *set, uint32_t hash,
                         bool (*same)(const void *ctx, uint32_t number), const void *ctx);
/// Make room for one more; after that rch_intern_add cannot fail.
RCH_MUST_CHECK enum rch_status rch_intern_reserve(struct rch_intern *set, struct rch_error *err);
void rch_intern_add(struct rch_intern *set, uint32_t hash, uint32_t number);

/// Multiply-and-fold over words of 8 bytes, with the finaliser of MurmurHash3 (A. Appleby, public
/// domain). Not for files: the value depends on byte order.
uint32_t rch_intern_hash(const void *bytes, size_t num_bytes);

#endif
