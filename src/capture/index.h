// SPDX-License-Identifier: MIT
// capture/index.h -- address -> node number without a hash table: a paged bitmap of the heap with
// ranks. One bit per 16-byte granule (no two objects share one), 32 bytes per KiB of heap that holds
// objects; a look-up touches one cache line. References are logged as 32-bit codes (region, granule)
// before anybody knows the final number, and translated in place at the end.
#ifndef RCH_CAPTURE_INDEX_H
#define RCH_CAPTURE_INDEX_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/graph.h"

#define RCH_REGION_SHIFT 26  // 64 MiB a region
#define RCH_GRANULE_SHIFT 4
#define RCH_CODE_SHIFT (RCH_REGION_SHIFT - RCH_GRANULE_SHIFT)
#define RCH_CELLS_PER_REGION (1u << (RCH_CODE_SHIFT - 6))
#define RCH_CELLS_PER_PAGE 128u  // of memory, which costs nothing until something is marked in it
#define RCH_PAGES_PER_REGION (RCH_CELLS_PER_REGION / RCH_CELLS_PER_PAGE)
#define RCH_MAX_REGIONS 1023u  // the last code is the hole: 63.9 GiB of heap that holds objects
#define RCH_ADDR_BITS 47
#define RCH_NO_CODE UINT32_MAX

struct rch_cell {      // 1 KiB of heap
    uint64_t seen;     // an object starts in this granule
    uint64_t tracked;  // ... and the collector tracks it
    uint64_t odd;      // it starts 8 bytes later (static storage is aligned to 8 only)
    uint32_t rank_tracked,
        rank_other;  // objects of that kind in all cells before, in address order
};

struct rch_index {
    uint16_t *region_of;  // address >> RCH_REGION_SHIFT -> region + 1; 0: none yet
    struct rch_cell *cells[RCH_MAX_REGIONS];
    rch_addr base[RCH_MAX_REGIONS];
    uint16_t order[RCH_MAX_REGIONS];     // regions by ascending base, after rch_index_sort
    uint32_t position[RCH_MAX_REGIONS];  // inverse of order; 0 for regions made after the sort
    uint64_t touched[RCH_MAX_REGIONS][RCH_PAGES_PER_REGION / 64];  // bits: pages with marks
    uint32_t num_regions, num_sorted;
    uint32_t num_tracked, num_others;  // after rch_index_rank
    bool is_full;                      // an address did not fit: too large a heap
    bool out_of_memory;
    /// Is any of these bytes memory of the target? NULL: the addresses are known to be. Asked before a
    /// region is made.
    bool (*is_memory)(void *ctx, rch_addr addr, uint64_t num_bytes);
    void *is_memory_ctx;
};

RCH_MUST_CHECK enum rch_status rch_index_init(struct rch_index *index, struct rch_error *err);
void rch_index_deinit(struct rch_index *index);

/// Slow path of rch_code: makes the region, or RCH_NO_CODE for an impossible address.
uint32_t rch_index_new_region(struct rch_index *index, rch_addr addr);

static inline struct rch_cell *rch_cell_of(const struct rch_index *index, uint32_t code)
{
    return &index->cells[code >> RCH_CODE_SHIFT][(code & ((1u << RCH_CODE_SHIFT) - 1)) >> 6];
}

/// The code of an address; the region is made when it is new.
static inline uint32_t rch_code(struct rch_index *index, rch_addr addr)
{
    if (__builtin_expect(addr >> RCH_ADDR_BITS != 0 || (addr & 7) != 0, 0))
        return RCH_NO_CODE;
    uint32_t region = index->region_of[addr >> RCH_REGION_SHIFT];
    if (__builtin_expect(region == 0, 0)) {
        region = rch_index_new_region(index, addr);
        if (region == 0)
            return RCH_NO_CODE;
    }
    uint32_t granule = (uint32_t)(addr >> RCH_GRANULE_SHIFT) & ((1u << RCH_CODE_SHIFT) - 1);
    uint32_t code = ((region - 1) << RCH_CODE_SHIFT) | granule;
    if (__builtin_expect((addr & 15) != 0, 0)) {
        struct rch_cell *cell = rch_cell_of(index, code);
        uint64_t bit = 1ull << (code & 63);
        if (cell->seen & ~cell->odd & bit)  // an object starts 8 bytes before: this is none
            return RCH_NO_CODE;
        cell->odd |= bit;
    }
    return code;
}

/// The same for what was met before, or lies near such: makes no region, marks nothing. RCH_NO_CODE:
/// no object that is known starts there.
static inline uint32_t rch_known_code(const struct rch_index *index, rch_addr addr)
{
    if (__builtin_expect(addr >> RCH_ADDR_BITS != 0, 0))
        return RCH_NO_CODE;
    uint32_t region = index->region_of[addr >> RCH_REGION_SHIFT];
    if (region == 0)
        return RCH_NO_CODE;
    uint32_t granule = (uint32_t)(addr >> RCH_GRANULE_SHIFT) & ((1u << RCH_CODE_SHIFT) - 1);
    uint32_t code = ((region - 1) << RCH_CODE_SHIFT) | granule;
    if (__builtin_expect((addr & 15) != 0, 0) &&
        !(rch_cell_of(index, code)->odd >> (code & 63) & 1))
        return RCH_NO_CODE;
    return code;
}

/// The first mark in a page is about to be made.
void rch_index_new_page(struct rch_index *index, uint32_t region, uint32_t page);

/// To be called before the first mark in a cell.
static inline void rch_touch(struct rch_index *index, uint32_t code)
{
    uint32_t region = code >> RCH_CODE_SHIFT;
    uint32_t page = (code & ((1u << RCH_CODE_SHIFT) - 1)) / (64 * RCH_CELLS_PER_PAGE);
    if (!(index->touched[region][page / 64] >> page % 64 & 1))
        rch_index_new_page(index, region, page);
}

/// The first cell, from `cell` on, of a page where something was marked; RCH_CELLS_PER_REGION: there is
/// none. Cells of one page follow each other:
///     RCH_FOR_EACH_CELL (index, region, i) ... index->cells[region][i] ...
static inline uint32_t rch_next_cell(const struct rch_index *index, uint32_t region, uint32_t cell)
{
    if (cell % RCH_CELLS_PER_PAGE)
        return cell;
    for (uint32_t page = cell / RCH_CELLS_PER_PAGE; page < RCH_PAGES_PER_REGION;
         page = (page / 64 + 1) * 64) {
        uint64_t bits = index->touched[region][page / 64] >> page % 64;
        if (bits)
            return (page + (uint32_t)__builtin_ctzll(bits)) * RCH_CELLS_PER_PAGE;
    }
    return RCH_CELLS_PER_REGION;
}
#define RCH_FOR_EACH_CELL(index, region, i)                                         \
    for (uint32_t i = rch_next_cell((index), (region), 0); i < RCH_CELLS_PER_REGION; \
         i = rch_next_cell((index), (region), i + 1))

/// Set `seen`; true if it was not set before.
static inline bool rch_mark(struct rch_index *index, uint32_t code)
{
    struct rch_cell *cell = rch_cell_of(index, code);
    uint64_t bit = 1ull << (code & 63), before = cell->seen;
    if (__builtin_expect(!before, 0))
        rch_touch(index, code);
    cell->seen = before | bit;
    return (before & bit) == 0;
}

static inline bool rch_is_tracked_code(const struct rch_index *index, uint32_t code)
{
    return (rch_cell_of(index, code)->tracked >> (code & 63)) & 1;
}

/// The address of an object's code.
static inline rch_addr rch_code_addr(const struct rch_index *index, uint32_t code)
{
    rch_addr offset = (rch_addr)(code & ((1u << RCH_CODE_SHIFT) - 1)) << RCH_GRANULE_SHIFT;
    uint64_t is_odd = rch_cell_of(index, code)->odd >> (code & 63) & 1;
    return index->base[code >> RCH_CODE_SHIFT] + offset + is_odd * 8;
}

/// Put the regions in address order. New ones made later get position 0.
void rch_index_sort(struct rch_index *index);
/// Does `code` come after (region position, granule) in the sweep? Regions that were not sorted do not.
static inline bool rch_is_ahead(const struct rch_index *index, uint32_t code, uint32_t position,
                                uint32_t granule)
{
    uint32_t at = index->position[code >> RCH_CODE_SHIFT];
    return at > position || (at == position && (code & ((1u << RCH_CODE_SHIFT) - 1)) > granule);
}

/// Number everything: fills the ranks and the two counts. Sorts first.
RCH_MUST_CHECK enum rch_status rch_index_rank(struct rch_index *index, struct rch_error *err);

/// After ranking: the node of a code that was marked.
static inline rch_node rch_rank_of(const struct rch_index *index, uint32_t code)
{
    const struct rch_cell *cell = rch_cell_of(index, code);
    uint64_t bit = 1ull << (code & 63);
    if (cell->tracked & bit)
        return cell->rank_tracked + (uint32_t)__builtin_popcountll(cell->tracked & (bit - 1));
    return index->num_tracked + cell->rank_other +
           (uint32_t)__builtin_popcountll(cell->seen & ~cell->tracked & (bit - 1));
}

#endif
