// SPDX-License-Identifier: MIT
// format/index_impl.h -- the layout of the index beside a snapshot, and what tests and fuzzers call
// instead of the functions that take a path. Private to format/ and its tests.
#ifndef RCH_FORMAT_INDEX_IMPL_H
#define RCH_FORMAT_INDEX_IMPL_H
#include "format/file_impl.h"
#include "model/derived.h"

#define RCH_INDEX_MAGIC "\x93RIX\r\n\x1a\n"
#define RCH_INDEX_MAJOR 1u
#define RCH_INDEX_MINOR 0u

struct rch_index_header {
    uint8_t magic[RCH_MAGIC_BYTES];
    uint64_t checksum;  // of what is behind it, up to header_bytes: the rows included
    uint16_t major, minor;
    uint32_t byte_order;
    uint32_t header_bytes;  // with the rows
    uint32_t num_columns;
    uint64_t file_bytes;
    uint64_t snapshot_bytes, snapshot_checksum;  // struct rch_file_identity
    uint64_t reserved;
};
struct rch_index_row {
    uint32_t kind;  // enum rch_derived_kind
    uint32_t elem_bytes;
    uint64_t offset;  // of the column, a multiple of 64
    uint64_t num;
    uint64_t checksum;
};
_Static_assert(sizeof(struct rch_index_header) == 64, "index header");
_Static_assert(sizeof(struct rch_index_row) == 32, "index row");

#define RCH_INDEX_OF_ANOTHER "it is of another snapshot"

/// Check header and rows of an index and offer its columns to the graph, which keeps things already.
/// `bytes` (aligned to 8) are then the graph's and freed by `unmap`. Otherwise says what is wrong, and
/// they stay the caller's.
const char *rch_index_take(struct rch_graph *g, const void *bytes, size_t num_bytes,
                           const struct rch_file_identity *identity,
                           void (*unmap)(void *bytes, size_t num_bytes));

#endif
