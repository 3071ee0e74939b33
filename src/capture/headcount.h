// SPDX-License-Identifier: MIT
// capture/headcount.h -- how many instances of some types are alive in this process, at any moment, from
// what Python's allocator gives out and takes back. A block that has the size of an instance is noted when
// it is given out; once its maker is done with it, its type is looked at. So no list is walked and no
// type is changed: a block of another size costs a bit test, a freed one a look-up in a small table.
//
// Blocks are read while they are alive, never later. The GIL guards everything here.
#ifndef RCH_CAPTURE_HEADCOUNT_H
#define RCH_CAPTURE_HEADCOUNT_H
#include "base/vec.h"
#include "model/graph.h"

enum { RCH_MAX_WATCHES = 16, RCH_SIZE_CLASSES = 512 };

struct rch_watched_type {
    rch_addr type;
    rch_addr type_block;  // where the memory of a heap type starts, 0: it lives for ever
    uint32_t head_bytes;  // before an instance: what the collector and the interpreter keep there
    uint32_t min_bytes;   // of an instance's block, the head included
    uint32_t max_bytes;   // UINT32_MAX: any
    uint16_t watches;     // bits
};

struct rch_block_entry {
    rch_addr block;  // 0: free slot
    uint32_t what;   // watches of an instance; or one of the two below
    uint32_t bytes;
};
enum { RCH_BLOCK_UNCLEAR = 1u << 30, RCH_BLOCK_TYPE = 1u << 31 };

struct rch_headcount {
    const struct rch_alloc *alloc;
    uint64_t sizes[RCH_SIZE_CLASSES / 64];  // bits: blocks of 8 * i bytes may be instances
    bool any_size_above;                    // so may all that are larger
    struct rch_vec types;                   // rch_watched_type
    struct rch_block_entry *table;          // open addressing; never full
    uint32_t table_slots, num_entries;
    struct rch_vec unclear;  // rch_addr: noted since the last look
    uint64_t counts[RCH_MAX_WATCHES], limits[RCH_MAX_WATCHES];  // limit 0: no such watch
    bool is_lossy;  // memory ran out: some are not counted
};

RCH_MUST_CHECK enum rch_status rch_headcount_init(struct rch_headcount *h,
                                                  const struct rch_alloc *alloc,
                                                  struct rch_error *err);
void rch_headcount_deinit(struct rch_headcount *h);

/// Start or end watch number `watch` (0 ... RCH_MAX_WATCHES - 1). A limit of 0 ends it.
void rch_headcount_limit(struct rch_headcount *h, uint32_t watch, uint64_t limit);
/// Count this type too; joins the watches of one that is known.
RCH_MUST_CHECK enum rch_status rch_headcount_add_type(struct rch_headcount *h,
                                                      const struct rch_watched_type *type,
                                                      struct rch_error *err);
/// Start a watch's count anew from its instances, as they were found in the collector's lists.
RCH_MUST_CHECK enum rch_status rch_headcount_reset(struct rch_headcount *h, uint32_t watch,
                                                   const rch_addr *objects, size_t num,
                                                   struct rch_error *err);

/// Out of line, for the blocks that matter. True: time to look (rch_headcount_look).
bool rch_headcount_note(struct rch_headcount *h, rch_addr block, size_t num_bytes);
void rch_headcount_forget(struct rch_headcount *h, rch_addr block);  // of any block

/// Does a watch have as many as its limit, if all unclear blocks are instances?
bool rch_headcount_is_due(const struct rch_headcount *h);
/// Look at the unclear blocks: their makers are done with them. Returns the watches (bits) that have
/// reached their limits; a block of another kind may look like an instance, so ask the collector's lists.
uint32_t rch_headcount_look(struct rch_headcount *h);

static inline uint32_t rch_block_slot(const struct rch_headcount *h, rch_addr block)
{
    return (uint32_t)((block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->table_slots - 1);
}
/// The allocator gave out a block.
static inline bool rch_headcount_took(struct rch_headcount *h, rch_addr block, size_t num_bytes)
{
    size_t size_class = (num_bytes + 7) / 8;
    bool wants = size_class < RCH_SIZE_CLASSES ? h->sizes[size_class / 64] >> size_class % 64 & 1
                                               : h->any_size_above;
    return __builtin_expect(wants, 0) && rch_headcount_note(h, block, num_bytes);
}
/// Is this block, which the allocator is about to take back, perhaps one that was noted?
static inline bool rch_headcount_may_know(const struct rch_headcount *h, rch_addr block)
{
    return __builtin_expect(h->table[rch_block_slot(h, block)].block != 0, 0);
}

#endif
