// SPDX-License-Identifier: MIT
// analyze/common/heap.h -- a binary heap of numbered items, least cost first, then least tie.
#ifndef RCH_ANALYZE_HEAP_H
#define RCH_ANALYZE_HEAP_H
#include <stdbool.h>

#include "base/vec.h"

struct rch_heap_row {
    uint64_t cost, tie;
    uint32_t item;
};

static inline bool rch_heap_before(const struct rch_heap_row *a, const struct rch_heap_row *b)
{
    return a->cost != b->cost ? a->cost < b->cost : a->tie < b->tie;
}

/// `heap`: a vector of rows, empty at first. O(log rows).
RCH_MUST_CHECK static inline enum rch_status rch_heap_push(struct rch_vec *heap,
                                                           const struct rch_heap_row *row,
                                                           struct rch_error *err)
{
    RCH_TRY(rch_vec_append(heap, row, 1, err));
    struct rch_heap_row *rows = heap->mem;
    size_t i = heap->num - 1;
    for (; i && rch_heap_before(row, &rows[(i - 1) / 2]); i = (i - 1) / 2)
        rows[i] = rows[(i - 1) / 2];
    rows[i] = *row;
    return RCH_OK;
}

/// Take the least row. The heap must not be empty. O(log rows).
static inline struct rch_heap_row rch_heap_pop(struct rch_vec *heap)
{
    struct rch_heap_row *rows = heap->mem, top = rows[0], last = rows[heap->num - 1];
    size_t num = --heap->num, i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= num)
            break;
        if (child + 1 < num && rch_heap_before(&rows[child + 1], &rows[child]))
            child++;
        if (!rch_heap_before(&rows[child], &last))
            break;
        rows[i] = rows[child];
        i = child;
    }
    if (num)
        rows[i] = last;
    return top;
}

#endif
