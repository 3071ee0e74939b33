// SPDX-License-Identifier: MIT
// base/vec.h -- a growable array of fixed-size elements. Amortised O(1) append, checked sizes.
#ifndef RCH_BASE_VEC_H
#define RCH_BASE_VEC_H
#include "base/alloc.h"
#include "base/error.h"

struct rch_vec {
    const struct rch_alloc *alloc;
    void *mem;
    size_t num, cap, elem_bytes;
};

void rch_vec_init(struct rch_vec *vec, const struct rch_alloc *alloc, size_t elem_bytes);
void rch_vec_deinit(struct rch_vec *vec);
/// Append `num` elements copied from `elems` (NULL: zeroed).
RCH_MUST_CHECK enum rch_status rch_vec_append(struct rch_vec *vec, const void *elems, size_t num,
                                              struct rch_error *err);
/// Make room for `num` more elements without changing the count.
RCH_MUST_CHECK enum rch_status rch_vec_reserve(struct rch_vec *vec, size_t num,
                                               struct rch_error *err);
#define RCH_VEC(name, alloc, type)                                               \
    __attribute__((cleanup(rch_vec_deinit))) struct rch_vec name;                \
    rch_vec_init(&name, (alloc), sizeof(type))
#define RCH_VEC_AT(vec, type, i) (((type *)(vec)->mem)[i])

#endif
