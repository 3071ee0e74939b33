// SPDX-License-Identifier: MIT
// format/checksum.c -- XXH3 of the xxHash library (Y. Collet, BSD-2-Clause), compiled in.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/file_layout.h"

uint64_t rch_checksum(const void *bytes, size_t num_bytes)
{
    return XXH3_64bits(bytes, num_bytes);
}
