// SPDX-License-Identifier: MIT
// analyze/common/mix.h -- hashes of several words, one after the other.
#ifndef RCH_ANALYZE_MIX_H
#define RCH_ANALYZE_MIX_H
#include <stdint.h>

/// Add a word to a hash. Begin with a hash or a constant, never with another word: their bits would
/// cancel each other. (A multiplication and a shift, as in MurmurHash; Appleby, public domain.)
static inline uint64_t rch_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
