// SPDX-License-Identifier: MIT
// capture/number.c -- ids are ranks in address order: translate the logged codes in place and move
// the rows that were met late to where their address belongs.
#include <stdlib.h>

#include "capture/finish.h"

#define PREFETCH_AHEAD 24

// Ranks count bits: one instruction where the processor has it.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("default", "popcnt")))
#endif
static void translate(const struct rch_index *index, uint32_t *codes, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (i + PREFETCH_AHEAD < num && codes[i + PREFETCH_AHEAD] != RCH_NO_CODE)
            __builtin_prefetch(rch_cell_of(index, codes[i + PREFETCH_AHEAD]));
        if (codes[i] != RCH_NO_CODE)
            codes[i] = rch_rank_of(index, codes[i]);
    }
}

struct late_row {
    rch_node node;
    uint32_t row;
};

static int compare_late(const void *a, const void *b)
{
    rch_node x = ((const struct late_row *)a)->node, y = ((const struct late_row *)b)->node;
    return (x > y) - (x < y);
}

static void move_column(struct rch_column *column, size_t from, size_t to, size_t num)
{
    char *mem = column->mem;
    memmove(mem + to * column->elem_bytes, mem + from * column->elem_bytes,
            num * column->elem_bytes);
}

static void copy_elem(struct rch_column *to, size_t at, const struct rch_column *from, size_t row)
{
    memcpy((char *)to->mem + at * to->elem_bytes, (const char *)from->mem + row * from->elem_bytes,
           to->elem_bytes);
}

static uint32_t late_end(const struct rch__cap *cap, uint32_t row)
{
    return row + 1 < cap->late.shape.num ? RCH_COLUMN_AT(&cap->late.start, uint32_t, row + 1)
                                         : (uint32_t)cap->late_log.codes.num;
}

static enum rch_status reserve_rows(struct rch__cap *cap, size_t num, struct rch_error *err)
{
    struct rch__rows *rows = &cap->rows;
    RCH_TRY(rch_column_reserve(&rows->shape, num, err));
    RCH_TRY(rch_column_reserve(&rows->size16, num, err));
    RCH_TRY(rch_column_reserve(&rows->refcount, num, err));
    RCH_TRY(rch_column_reserve(&rows->start, num, err));
    return rch_column_reserve(&cap->main_log.codes,
                              cap->main_log.codes.num + cap->late_log.codes.num, err);
}

// From the back: shift the rows after the last late one by one place more than the rows before it.
static void merge(struct rch__cap *cap, const struct late_row *late, uint32_t num_late)
{
    struct rch__rows *rows = &cap->rows;
    uint32_t *start = rows->start.mem, *edges = cap->main_log.codes.mem;
    const uint32_t *late_edges = cap->late_log.codes.mem;
    uint32_t row_end = (uint32_t)rows->shape.num, edge_end = (uint32_t)cap->main_log.codes.num;
    uint32_t shift = (uint32_t)cap->late_log.codes.num;
    for (uint32_t j = num_late; j-- > 0;) {
        uint32_t first = late[j].node - j;  // main rows before it
        uint32_t edge_first = first < row_end ? start[first] : edge_end;
        memmove(edges + edge_first + shift, edges + edge_first,
                (size_t)(edge_end - edge_first) * 4);
        for (uint32_t r = first; r < row_end; r++)
            start[r] += shift;
        move_column(&rows->start, first, first + j + 1, row_end - first);
        move_column(&rows->shape, first, first + j + 1, row_end - first);
        move_column(&rows->size16, first, first + j + 1, row_end - first);
        move_column(&rows->refcount, first, first + j + 1, row_end - first);
        uint32_t from = RCH_COLUMN_AT(&cap->late.start, uint32_t, late[j].row);
        uint32_t num = late_end(cap, late[j].row) - from;
        shift -= num;
        if (num)
            memcpy(edges + edge_first + shift, late_edges + from, (size_t)num * 4);
        start[late[j].node] = edge_first + shift;
        copy_elem(&rows->shape, late[j].node, &cap->late.shape, late[j].row);
        copy_elem(&rows->size16, late[j].node, &cap->late.size16, late[j].row);
        copy_elem(&rows->refcount, late[j].node, &cap->late.refcount, late[j].row);
        row_end = first;
        edge_end = edge_first;
    }
}

// Rows of `big` become nodes: a main row moves back by the late ones that belong before it.
static enum rch_status renumber_big(struct rch__cap *cap, const struct late_row *late,
                                    uint32_t num_late, struct rch_error *err)
{
    struct rch_big_size *big = cap->rows.big.mem;
    for (size_t i = 0; i < cap->rows.big.num; i++) {
        uint32_t low = 0, high = num_late;  // late rows whose node is not past this row
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (late[mid].node - mid <= big[i].node)
                low = mid + 1;
            else
                high = mid;
        }
        big[i].node += low;
    }
    for (size_t i = 0; i < cap->late.big.num; i++) {
        struct rch_big_size row = RCH_VEC_AT(&cap->late.big, struct rch_big_size, i);
        uint32_t code = RCH_VEC_AT(&cap->late_codes, uint32_t, row.node);
        row.node = rch_rank_of(&cap->index, code);
        RCH_TRY(rch_vec_append(&cap->rows.big, &row, 1, err));
    }
    return RCH_OK;
}

static enum rch_status place_late(struct rch__cap *cap, struct rch_error *err)
{
    uint32_t num_late = (uint32_t)cap->late.shape.num;
    size_t num = cap->rows.shape.num + num_late;
    if (num != (size_t)cap->index.num_tracked + cap->index.num_others)
        return rch_fail(err, RCH_ECORRUPT, "visited %zu objects but found %zu", num,
                        (size_t)cap->index.num_tracked + cap->index.num_others);
    RCH_BLOCK(block, cap->alloc, num_late, sizeof(struct late_row));
    struct late_row *late = block.mem;
    if (!late)
        return rch_fail(err, RCH_ENOMEM, "%u late rows", num_late);
    for (uint32_t i = 0; i < num_late; i++)
        late[i] = (struct late_row){
            rch_rank_of(&cap->index, RCH_VEC_AT(&cap->late_codes, uint32_t, i)), i};
    qsort(late, num_late, sizeof(*late), compare_late);
    RCH_TRY(reserve_rows(cap, num, err));
    RCH_TRY(renumber_big(cap, late, num_late, err));
    merge(cap, late, num_late);
    cap->rows.shape.num = cap->rows.size16.num = cap->rows.refcount.num = cap->rows.start.num = num;
    cap->main_log.codes.num += cap->late_log.codes.num;
    return RCH_OK;
}

enum rch_status rch__number(struct rch__cap *cap, struct rch_error *err)
{
    if (cap->main_log.codes.num + cap->late_log.codes.num >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "more than 4294967294 references");
    RCH_TRY(rch_index_rank(&cap->index, err));
    translate(&cap->index, cap->main_log.codes.mem, cap->main_log.codes.num);
    translate(&cap->index, cap->late_log.codes.mem, cap->late_log.codes.num);
    translate(&cap->index, cap->root_codes.mem, cap->root_codes.num);
    return place_late(cap, err);
}
