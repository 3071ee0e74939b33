// SPDX-License-Identifier: MIT
// capture/number.c -- ids are ranks in address order: translate the logged codes in place and move
// the rows that were met late to where their address belongs.
#include <string.h>

#include "capture/finish.h"
#include "capture/share.h"

#define PREFETCH_AHEAD 24
#define CODES_A_PART ((size_t)1 << 18)

// Ranks count bits: one instruction where the processor has it.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
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

struct translation {
    const struct rch_index *index;
    uint32_t *codes;
    size_t num;
};

static void translate_part(void *ctx, uint32_t part, struct rch__worker *worker)
{
    (void)worker;  // a part takes few milliseconds
    const struct translation *t = ctx;
    size_t first = part * CODES_A_PART, left = t->num - first;
    translate(t->index, t->codes + first, left < CODES_A_PART ? left : CODES_A_PART);
}

static enum rch_status translate_all(struct rch__cap *cap, uint32_t *codes, size_t num,
                                     struct rch_error *err)
{
    struct translation t = {&cap->index, codes, num};
    rch__share(&cap->asking, (uint32_t)((num + CODES_A_PART - 1) / CODES_A_PART),
               rch__share_pays(num), translate_part, &t);
    return rch__go_on(cap, 0, err);
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

#define NOT_LATE UINT32_MAX

static void place_row(struct rch__rows *rows, size_t to, const struct rch__rows *late, size_t at)
{
    RCH_COLUMN_AT(&rows->shape, uint32_t, to) = RCH_COLUMN_AT(&late->shape, uint32_t, at);
    RCH_COLUMN_AT(&rows->size16, uint16_t, to) = RCH_COLUMN_AT(&late->size16, uint16_t, at);
    RCH_COLUMN_AT(&rows->refcount, int32_t, to) = RCH_COLUMN_AT(&late->refcount, int32_t, at);
}

static void move_column(struct rch_column *column, size_t to, size_t from, size_t num)
{
    char *mem = column->mem;
    memmove(mem + to * column->elem_bytes, mem + from * column->elem_bytes,
            num * column->elem_bytes);
}

static void move_rows(struct rch__rows *rows, size_t to, size_t from, size_t num, uint32_t shift)
{
    uint32_t *start = rows->start.mem;
    move_column(&rows->shape, to, from, num);
    move_column(&rows->size16, to, from, num);
    move_column(&rows->refcount, to, from, num);
    for (size_t i = num; i-- > 0;)
        start[to + i] = start[from + i] + shift;
}

// From the back, until the rows before are where they belong. late_at: by node from first_late on, the
// late row that it is.
static enum rch_status merge(struct rch__cap *cap, const uint32_t *late_at, uint32_t first_late,
                             struct rch_error *err)
{
    struct rch__rows *rows = &cap->rows;
    uint32_t *edges = cap->main_log.codes.mem, *start = rows->start.mem;
    const uint32_t *late_edges = cap->late_log.codes.mem;
    uint32_t row = (uint32_t)rows->shape.num, row_end = (uint32_t)cap->main_log.codes.num;
    uint32_t to = row + (uint32_t)cap->late.shape.num;
    uint32_t end = row_end + (uint32_t)cap->late_log.codes.num;
    while (to > row) {
        uint32_t num = 0, late;
        while ((late = late_at[to - 1 - num - first_late]) == NOT_LATE)
            num++;
        RCH_TRY(rch__go_on(cap, 1 + num, err));
        if (num) {
            row -= num;
            to -= num;
            memmove(edges + start[row] + (end - row_end), edges + start[row],
                    (size_t)(row_end - start[row]) * sizeof(*edges));
            uint32_t shift = end - row_end;
            row_end = start[row];
            end = row_end + shift;
            move_rows(rows, to, row, num, shift);
        }
        uint32_t from = RCH_COLUMN_AT(&cap->late.start, uint32_t, late);
        num = late_end(cap, late) - from;
        end -= num;
        memcpy(edges + end, late_edges + from, num * sizeof(*edges));
        place_row(rows, --to, &cap->late, late);
        start[to] = end;
    }
    return RCH_OK;
}

static void renumber_big(struct rch__cap *cap, const uint32_t *late_at, uint32_t first_late)
{
    struct rch_big_size *big = cap->rows.big.mem;
    uint32_t row = first_late, num = (uint32_t)(cap->rows.shape.num + cap->late.shape.num);
    size_t i = 0;
    while (i < cap->rows.big.num && big[i].node < first_late)
        i++;
    for (uint32_t v = first_late; v < num && i < cap->rows.big.num; v++) {
        if (late_at[v - first_late] != NOT_LATE)
            continue;
        for (; i < cap->rows.big.num && big[i].node == row; i++)
            big[i].node = v;
        row++;
    }
}

// late_at: see merge. The codes of the late rows are done with after that.
static void locate_late(struct rch__cap *cap, uint32_t *late_at, uint32_t first_late)
{
    const uint32_t *codes = cap->late_codes.mem;
    struct rch_big_size *big = cap->late.big.mem;
    for (uint32_t i = 0; i < cap->late.shape.num; i++)
        late_at[rch_rank_of(&cap->index, codes[i]) - first_late] = i;
    for (size_t i = 0; i < cap->late.big.num; i++)
        big[i].node = rch_rank_of(&cap->index, codes[big[i].node]);
    rch_vec_deinit(&cap->late_codes);
}

static enum rch_status place_late(struct rch__cap *cap, struct rch_error *err)
{
    uint32_t num_late = (uint32_t)cap->late.shape.num, first = cap->index.num_tracked;
    size_t num = cap->rows.shape.num + num_late;
    if (num != (size_t)first + cap->index.num_others)
        return rch_fail(err, RCH_ECORRUPT, "visited %zu objects but found %zu", num,
                        (size_t)first + cap->index.num_others);
    if (!num_late)
        return RCH_OK;
    size_t bytes = cap->index.num_others * sizeof(uint32_t);
    uint32_t *late_at = rch_bigbuf_new(bytes);
    if (!late_at)
        return rch_fail(err, RCH_ENOMEM, "%u late rows", num_late);
    memset(late_at, 0xff, bytes);
    locate_late(cap, late_at, first);
    enum rch_status st = reserve_rows(cap, num, err);
    if (st == RCH_OK) {
        renumber_big(cap, late_at, first);
        st = merge(cap, late_at, first, err);
    }
    if (st == RCH_OK)
        st = rch_vec_append(&cap->rows.big, cap->late.big.mem, cap->late.big.num, err);
    rch_bigbuf_free(late_at, bytes);
    cap->rows.shape.num = cap->rows.size16.num = cap->rows.refcount.num = cap->rows.start.num = num;
    cap->main_log.codes.num += cap->late_log.codes.num;
    return st;
}

// Their rows are in place.
static void drop_late(struct rch__cap *cap)
{
    rch__rows_deinit(&cap->late);
    rch_column_deinit(&cap->late_log.codes);
}

enum rch_status rch__number(struct rch__cap *cap, struct rch_error *err)
{
    if (cap->main_log.codes.num + cap->late_log.codes.num >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "more than 4294967294 references");
    RCH_TRY(rch_index_rank(&cap->index, err));
    RCH_TRY(translate_all(cap, cap->main_log.codes.mem, cap->main_log.codes.num, err));
    RCH_TRY(translate_all(cap, cap->late_log.codes.mem, cap->late_log.codes.num, err));
    RCH_TRY(translate_all(cap, cap->root_codes.mem, cap->root_codes.num, err));
    RCH_TRY(place_late(cap, err));
    drop_late(cap);
    return RCH_OK;
}
