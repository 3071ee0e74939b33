// SPDX-License-Identifier: MIT
// capture/index.c -- regions are mapped when the first object in them is met; untouched cells cost
// no memory. See index.h.
#include "capture/index.h"

#include "capture/bigbuf.h"

#define TABLE_ENTRIES ((size_t)1 << (RCH_ADDR_BITS - RCH_REGION_SHIFT))
#define GROUP 16u  // pages
#define THIN_REGIONS 8u
#define REGION_BYTES (RCH_CELLS_PER_REGION * sizeof(struct rch_cell))

enum rch_status rch_index_init(struct rch_index *index, struct rch_error *err)
{
    *index = (struct rch_index){0};
    index->region_of = rch_bigbuf_new_sparse(TABLE_ENTRIES * sizeof(uint16_t));
    if (!index->region_of)
        return rch_fail(err, RCH_ENOMEM, "the table of heap regions");
    return RCH_OK;
}

void rch_index_deinit(struct rch_index *index)
{
    for (uint32_t i = 0; i < index->num_regions; i++)
        rch_bigbuf_free(index->cells[i], REGION_BYTES);
    rch_bigbuf_free(index->region_of, TABLE_ENTRIES * sizeof(uint16_t));
    *index = (struct rch_index){0};
}

uint32_t rch_index_new_region(struct rch_index *index, rch_addr addr)
{
    rch_addr base = addr >> RCH_REGION_SHIFT << RCH_REGION_SHIFT;
    if (index->is_memory &&
        !index->is_memory(index->is_memory_ctx, base, (uint64_t)1 << RCH_REGION_SHIFT))
        return 0;
    if (index->num_regions == RCH_MAX_REGIONS) {
        index->is_full = true;
        return 0;
    }
    // A few regions are libraries and a small heap, thinly set; more is a heap worth huge pages.
    void *cells = index->num_regions < THIN_REGIONS ? rch_bigbuf_new_sparse(REGION_BYTES)
                                                    : rch_bigbuf_new(REGION_BYTES);
    if (!cells) {
        index->out_of_memory = true;
        return 0;
    }
    uint32_t region = index->num_regions++;
    index->cells[region] = cells;
    index->base[region] = base;
    index->region_of[addr >> RCH_REGION_SHIFT] = (uint16_t)(region + 1);
    return region + 1;
}

// Where a region holds many objects its pages are asked for by the dozen: a fault costs more than a page.
void rch_index_new_page(struct rch_index *index, uint32_t region, uint32_t page)
{
    uint64_t *touched = index->touched[region];
    uint32_t num = 0, first = page / GROUP * GROUP;
    for (uint32_t i = 0; i < RCH_PAGES_PER_REGION / 64; i++)
        num += (uint32_t)__builtin_popcountll(touched[i]);
    bool is_new_group = !(touched[page / 64] >> first % 64 & ((1ull << GROUP) - 1));
    if (num >= GROUP && is_new_group)
        rch_bigbuf_populate(&index->cells[region][first * RCH_CELLS_PER_PAGE],
                            GROUP * RCH_CELLS_PER_PAGE * sizeof(struct rch_cell));
    touched[page / 64] |= 1ull << page % 64;
}

void rch_index_sort(struct rch_index *index)
{
    for (uint32_t i = 0; i < index->num_regions; i++) {  // insertion: few regions, nearly sorted
        uint32_t at = i;
        while (at > 0 && index->base[index->order[at - 1]] > index->base[i]) {
            index->order[at] = index->order[at - 1];
            at--;
        }
        index->order[at] = (uint16_t)i;
    }
    for (uint32_t at = 0; at < index->num_regions; at++)
        index->position[index->order[at]] = at + 1;
    index->num_sorted = index->num_regions;
}

enum rch_status rch_index_rank(struct rch_index *index, struct rch_error *err)
{
    rch_index_sort(index);
    uint64_t tracked = 0, others = 0;
    for (uint32_t at = 0; at < index->num_regions; at++) {
        uint32_t region = index->order[at];
        RCH_FOR_EACH_CELL (index, region, i) {
            struct rch_cell *cell = &index->cells[region][i];
            if (!cell->seen)
                continue;
            cell->rank_tracked = (uint32_t)tracked;
            cell->rank_other = (uint32_t)others;
            tracked += (uint32_t)__builtin_popcountll(cell->tracked);
            others += (uint32_t)__builtin_popcountll(cell->seen & ~cell->tracked);
        }
    }
    if (tracked + others >= RCH_NO_NODE)
        return rch_fail(err, RCH_EOVERFLOW, "%llu objects; a snapshot holds 4294967294 at most",
                        (unsigned long long)(tracked + others));
    index->num_tracked = (uint32_t)tracked;
    index->num_others = (uint32_t)others;
    return RCH_OK;
}
