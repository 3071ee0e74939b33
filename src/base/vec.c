// SPDX-License-Identifier: MIT
// base/vec.c -- grows by half, so that freed blocks can be used again by later growth.
#include "base/vec.h"

#include <string.h>

#define VEC_FIRST_NUM 16u

void rch_vec_init(struct rch_vec *vec, const struct rch_alloc *alloc, size_t elem_bytes)
{
    *vec = (struct rch_vec){.alloc = alloc, .elem_bytes = elem_bytes};
}

void rch_vec_deinit(struct rch_vec *vec)
{
    rch_free(vec->alloc, vec->mem, vec->cap, vec->elem_bytes);
    vec->mem = NULL;
    vec->num = vec->cap = 0;
}

enum rch_status rch_vec_reserve(struct rch_vec *vec, size_t num, struct rch_error *err)
{
    size_t need, cap;
    if (__builtin_add_overflow(vec->num, num, &need))
        return rch_fail(err, RCH_EOVERFLOW, "array of more than SIZE_MAX elements");
    if (need <= vec->cap)
        return RCH_OK;
    if (__builtin_add_overflow(vec->cap, vec->cap / 2, &cap) || cap < need)
        cap = need;
    if (cap < VEC_FIRST_NUM)
        cap = VEC_FIRST_NUM;
    void *mem = rch_realloc(vec->alloc, vec->mem, vec->cap, cap, vec->elem_bytes);
    if (!mem)
        return rch_fail(err, RCH_ENOMEM, "array of %zu elements of %zu bytes", cap,
                        vec->elem_bytes);
    vec->mem = mem;
    vec->cap = cap;
    return RCH_OK;
}

enum rch_status rch_vec_append(struct rch_vec *vec, const void *elems, size_t num,
                               struct rch_error *err)
{
    if (num == 0)
        return RCH_OK;
    RCH_TRY(rch_vec_reserve(vec, num, err));
    char *end = (char *)vec->mem + vec->num * vec->elem_bytes;
    if (elems)
        memcpy(end, elems, num * vec->elem_bytes);
    else
        memset(end, 0, num * vec->elem_bytes);
    vec->num += num;
    return RCH_OK;
}
