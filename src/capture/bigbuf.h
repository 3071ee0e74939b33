// SPDX-License-Identifier: MIT
// capture/bigbuf.h -- growing columns of hundreds of megabytes without copying them: address space
// is reserved in advance and pages come as they are touched, huge ones past the first 2 MiB. Memory
// of our own, which Python's allocator never sees.
#ifndef RCH_CAPTURE_BIGBUF_H
#define RCH_CAPTURE_BIGBUF_H
#include <stddef.h>

#include "base/error.h"

/// Fresh zeroed memory for `num_bytes`, or NULL. In huge pages as far as they are filled: for memory that
/// is touched from the start on.
void *rch_bigbuf_new(size_t num_bytes);
/// The same in small pages: for memory that is touched here and there.
void *rch_bigbuf_new_sparse(size_t num_bytes);
/// These whole pages are about to be written, all of them. Advice.
void rch_bigbuf_populate(void *start, size_t num_bytes);
void rch_bigbuf_free(void *mem, size_t num_bytes);  // NULL is fine

/// A column with a count, for the parts that are appended to.
struct rch_column {
    void *mem;
    size_t num, cap, elem_bytes;
};
/// `cap`: as many elements as there may well be; address space only. With little address space
/// (RLIMIT_AS) the column starts small and is copied when it grows.
RCH_MUST_CHECK enum rch_status rch_column_init(struct rch_column *column, size_t elem_bytes,
                                               size_t cap, struct rch_error *err);
void rch_column_deinit(struct rch_column *column);
/// Room for `num` elements in all.
RCH_MUST_CHECK enum rch_status rch_column_reserve(struct rch_column *column, size_t num,
                                                  struct rch_error *err);
/// So many elements will come, at least: if they fill half a huge page, the first ones shall be in one,
/// too. Before the first is written.
void rch_column_expect(struct rch_column *column, size_t num);
/// Give back what is past the count; `cap` becomes it.
void rch_column_trim(struct rch_column *column);
#define RCH_COLUMN_AT(column, type, i) (((type *)(column)->mem)[i])

#endif
