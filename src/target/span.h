// SPDX-License-Identifier: MIT
// target/span.h -- ranges of addresses, as sorted vectors of struct rch_span. Private to target/.
#ifndef RCH_TARGET_SPAN_H
#define RCH_TARGET_SPAN_H
#include "base/vec.h"

struct rch_span {
    uint64_t start, end;
};

/// Number of the first span that ends after addr; the spans are in order and apart. O(log spans).
static inline size_t rch_span_after(const struct rch_vec *spans, uint64_t addr)
{
    size_t low = 0, high = spans->num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(spans, struct rch_span, mid).end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

#endif
