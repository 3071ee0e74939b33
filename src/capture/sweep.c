// SPDX-License-Identifier: MIT
// capture/sweep.c -- visit every object once, in address order: first what the collector tracks, then
// all they lead to. References are logged as codes; their targets are marked a little later, when the
// prefetched bitmap cell has arrived. What turns up behind the sweep is visited at the end ("late").
#include "capture/room.h"

#define MARK_LAG 64
#define BATCH 16
#define LOOK_EVERY (1u << 21)  // steps, after which there may be less memory
#define VISIT_STEPS 2  // steps: what decoding an object takes
#define STORAGE_BYTES 192  // of a table to ask for: header, indices and first entries of a dict
#define GRANULES_PER_CELL 64u
#define HEADERS_AHEAD 6  // cells
#define STORAGE_AHEAD 2

void rch__fail(struct rch__cap *cap, enum rch_status status, const char *words)
{
    if (cap->status == RCH_OK)
        cap->status = rch_fail(&cap->err, status, "%s", words);
}

bool rch__log_grow(struct rch__cap *cap, struct rch__log *log, size_t num_more)
{
    if (cap->status != RCH_OK)
        return false;
    cap->status = rch_column_reserve(&log->codes, log->codes.num + num_more, &cap->err);
    return cap->status == RCH_OK;
}

static void put_aside_if_behind(struct rch__cap *cap, uint32_t code)
{
    if (!rch_is_ahead(&cap->index, code, cap->sweep_position, cap->sweep_granule) &&
        cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->pending, &code, 1, &cap->err);
}

void rch__discover(struct rch__cap *cap, uint32_t code)
{
    if (code != RCH_NO_CODE && rch_mark(&cap->index, code) && cap->is_sweeping_others)
        put_aside_if_behind(cap, code);
}

void rch__mark_log(struct rch__cap *cap, struct rch__log *log, size_t end)
{
    const uint32_t *codes = log->codes.mem;
    for (; log->num_marked < end; log->num_marked++) {
        uint32_t code = codes[log->num_marked];
        if (code != RCH_NO_CODE && rch_mark(&cap->index, code) && cap->is_sweeping_others)
            put_aside_if_behind(cap, code);
    }
}

static void mark_behind(struct rch__cap *cap)
{
    struct rch__log *log = cap->log;
    if (cap->is_sweeping_others)  // the next object to visit may be the one just found
        rch__mark_log(cap, log, log->codes.num);
    else if (log->codes.num > log->num_marked + MARK_LAG)
        rch__mark_log(cap, log, log->codes.num - MARK_LAG);
}

struct batch {
    rch_addr addrs[BATCH];
    uint32_t num;
};

// Three batches are under way at once: the first cache lines of one are being fetched, then the tables
// that decoding it will read, and the oldest is visited.
struct pipeline {
    struct batch batches[3];
    uint32_t newest;
};

// The header has arrived: ask for the tables that decoding will read.
static void prefetch_storage(struct rch__cap *cap, rch_addr object)
{
    const struct rch__type *type =
        rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type));
    for (int s = 0; s < 2 && type->storage[s]; s++) {
        rch_addr table = rch_load64(cap->t, object + (rch_addr)(int64_t)type->storage[s]);
        for (rch_addr line = 0; line < STORAGE_BYTES; line += 64)
            rch_target_prefetch(cap->t, table + line);
    }
}

static void visit_batch(struct rch__cap *cap, struct batch *batch)
{
    if (!rch__goes_on(cap, VISIT_STEPS * batch->num))
        batch->num = 0;
    for (uint32_t i = 0; i < batch->num && cap->status == RCH_OK; i++) {
        rch__visit(cap, &cap->rows, batch->addrs[i]);
        mark_behind(cap);
    }
    batch->num = 0;
}

// The newest batch is full, or there is no more to come.
static void step(struct rch__cap *cap, struct pipeline *pipeline)
{
    struct batch *before = &pipeline->batches[(pipeline->newest + 2) % 3];
    struct batch *oldest = &pipeline->batches[(pipeline->newest + 1) % 3];
    for (uint32_t i = 0; i < before->num; i++)
        prefetch_storage(cap, before->addrs[i]);
    visit_batch(cap, oldest);
    pipeline->newest = (pipeline->newest + 1) % 3;
}

static rch_addr granule_addr(struct rch__cap *cap, uint32_t region, uint32_t granule)
{
    return rch_code_addr(&cap->index, region << RCH_CODE_SHIFT | granule);
}

// At least one row for each, and as many references: there are hardly fewer.
static void expect_rows(struct rch__cap *cap)
{
    rch_column_expect(&cap->rows.shape, cap->num_marked);
    rch_column_expect(&cap->rows.size16, cap->num_marked);
    rch_column_expect(&cap->rows.refcount, cap->num_marked);
    rch_column_expect(&cap->rows.start, cap->num_marked);
    rch_column_expect(&cap->main_log.codes, cap->num_marked);
}

void rch__sweep_tracked(struct rch__cap *cap)
{
    struct pipeline pipeline = {.newest = 0};
    rch_index_sort(&cap->index);
    expect_rows(cap);
    uint32_t num_regions = cap->index.num_sorted;
    for (uint32_t at = 0; at < num_regions && cap->status == RCH_OK; at++) {
        uint32_t region = cap->index.order[at];
        const struct rch_cell *cells = cap->index.cells[region];
        RCH_FOR_EACH_CELL (&cap->index, region, i) {
            if (cap->status != RCH_OK)
                return;
            for (uint64_t bits = cells[i].tracked; bits; bits &= bits - 1) {
                uint32_t granule = i * GRANULES_PER_CELL + (uint32_t)__builtin_ctzll(bits);
                rch_addr addr = granule_addr(cap, region, granule);
                struct batch *batch = &pipeline.batches[pipeline.newest];
                rch_target_prefetch(cap->t, addr);
                batch->addrs[batch->num++] = addr;
                if (batch->num == BATCH)
                    step(cap, &pipeline);
            }
        }
    }
    for (int i = 0; i < 3; i++)
        step(cap, &pipeline);
    rch__mark_log(cap, cap->log, cap->log->codes.num);
}

// One at a time: what an object leads to may lie right behind it and must be swept next.
static void sweep_cell(struct rch__cap *cap, uint32_t region, uint32_t cell_number)
{
    const struct rch_cell *cell = &cap->index.cells[region][cell_number];
    uint64_t done = 0;
    for (;;) {
        uint64_t bits = cell->seen & ~cell->tracked & ~done;
        if (!bits || cap->status != RCH_OK || !rch__goes_on(cap, VISIT_STEPS))
            return;
        uint32_t bit = (uint32_t)__builtin_ctzll(bits);
        done = bit == 63 ? UINT64_MAX : (2ull << bit) - 1;  // what turns up below this is late
        uint32_t granule = cell_number * GRANULES_PER_CELL + bit;
        cap->sweep_granule = granule;
        uint64_t ahead = cell->seen & ~cell->tracked & ~done;
        if (ahead)
            rch_target_prefetch(cap->t, granule_addr(cap, region,
                                                     cell_number * GRANULES_PER_CELL +
                                                         (uint32_t)__builtin_ctzll(ahead)));
        rch__visit(cap, &cap->rows, granule_addr(cap, region, granule));
        mark_behind(cap);
    }
}

enum stage { HEADERS, STORAGE };

static void prefetch_cell(struct rch__cap *cap, uint32_t region, uint32_t cell_number,
                          enum stage stage)
{
    if (cell_number / RCH_CELLS_PER_PAGE !=
        cap->sweep_granule / GRANULES_PER_CELL / RCH_CELLS_PER_PAGE)
        return;  // there may be no such page
    const struct rch_cell *cell = &cap->index.cells[region][cell_number];
    for (uint64_t bits = cell->seen & ~cell->tracked; bits; bits &= bits - 1) {
        uint32_t granule = cell_number * GRANULES_PER_CELL + (uint32_t)__builtin_ctzll(bits);
        rch_addr addr = granule_addr(cap, region, granule);
        if (stage == HEADERS)
            rch_target_prefetch(cap->t, addr);
        else
            prefetch_storage(cap, addr);
    }
}

static void visit_late(struct rch__cap *cap)
{
    cap->log = &cap->late_log;
    cap->sweep_position = UINT32_MAX;  // everything is behind now
    while (cap->pending.num && cap->status == RCH_OK && rch__goes_on(cap, VISIT_STEPS)) {
        uint32_t code = RCH_VEC_AT(&cap->pending, uint32_t, --cap->pending.num);
        cap->status = rch_vec_append(&cap->late_codes, &code, 1, &cap->err);
        if (cap->status != RCH_OK)
            return;
        rch__visit(cap, &cap->late, rch_code_addr(&cap->index, code));
        rch__mark_log(cap, &cap->late_log, cap->late_log.codes.num);
    }
    rch_vec_deinit(&cap->pending);  // memory is at its peak when late rows move
}

void rch__sweep_others(struct rch__cap *cap)
{
    rch_index_sort(&cap->index);
    cap->is_sweeping_others = true;
    uint32_t num_regions = cap->index.num_sorted;
    for (uint32_t at = 0; at < num_regions && cap->status == RCH_OK; at++) {
        uint32_t region = cap->index.order[at];
        cap->sweep_position = at + 1;
        cap->sweep_granule = 0;
        RCH_FOR_EACH_CELL (&cap->index, region, i) {
            cap->sweep_granule = i * GRANULES_PER_CELL;
            prefetch_cell(cap, region, i + HEADERS_AHEAD, HEADERS);
            if (cap->scatter > 0)  // elsewhere tables come in order, too
                prefetch_cell(cap, region, i + STORAGE_AHEAD, STORAGE);
            sweep_cell(cap, region, i);
        }
    }
    cap->sweep_position = UINT32_MAX;
    rch__mark_log(cap, &cap->main_log, cap->main_log.codes.num);
    visit_late(cap);
}
