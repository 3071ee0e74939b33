// SPDX-License-Identifier: MIT
// analyze/common/bits.h -- sets of nodes, one bit each. 3 million nodes are 375 KB: they stay in the cache
// while the graph itself does not.
#ifndef RCH_ANALYZE_BITS_H
#define RCH_ANALYZE_BITS_H
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

static inline size_t rch_bits_words(uint32_t num)
{
    return (size_t)num / 64 + 1;
}
/// A set of numbers below `num`, empty, freed at the end of the scope; name.mem NULL: out of
/// memory.
#define RCH_BITS(name, alloc, num) RCH_BLOCK(name, alloc, rch_bits_words(num), sizeof(uint64_t))

static inline bool rch_bit(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}
static inline void rch_bit_set(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}
static inline void rch_bit_clear(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}
/// True if it was not set.
static inline bool rch_bit_add(uint64_t *bits, uint32_t i)
{
    uint64_t word = bits[i >> 6], bit = UINT64_C(1) << (i & 63);
    bits[i >> 6] = word | bit;
    return !(word & bit);
}
static inline void rch_bits_copy(uint64_t *to, const uint64_t *from, uint32_t num)
{
    memcpy(to, from, rch_bits_words(num) * sizeof(*to));
}
static inline void rch_bits_or(uint64_t *to, const uint64_t *from, uint32_t num)
{
    for (size_t i = 0; i < rch_bits_words(num); i++)
        to[i] |= from[i];
}
static inline void rch_bits_minus(uint64_t *to, const uint64_t *from, uint32_t num)
{
    for (size_t i = 0; i < rch_bits_words(num); i++)
        to[i] &= ~from[i];
}

#endif
