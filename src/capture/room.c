// SPDX-License-Identifier: MIT
// capture/room.c -- see room.h.
#include "capture/room.h"

#include <stdio.h>

#include "base/memory.h"

#define RESERVE_BYTES (UINT64_C(32) << 20)  // for those beside us; a small capture always has room
#define ROW_BYTES 14u                       // of an object in the columns of the walk
#define LATE_BYTES 14u                      // of one met behind the sweep: its row once more
#define PAGE_BYTES 4096u

uint64_t rch__bytes_taken(const struct rch__cap *cap)
{
    uint64_t rows = cap->rows.shape.num + cap->late.shape.num;
    uint64_t refs = cap->main_log.codes.num + cap->late_log.codes.num;
    return rows * ROW_BYTES + refs * sizeof(uint32_t) + cap->index_bytes +
           (cap->late_codes.cap + cap->pending.cap) * sizeof(uint32_t);
}

static void fail(struct rch__cap *cap, uint64_t need, uint64_t there, const char *words)
{
    char text[200];
    (void)snprintf(
        text, sizeof(text),
        "the graph of this heap needs %.1f MiB of memory or more, %.1f MiB %s; it was given "
        "up%s",
        (double)need / (1 << 20), (double)there / (1 << 20), words,
        cap->is_foreign ? "" : ". refchain dump PID reads it from outside");
    rch__fail(cap, RCH_ENOMEM, text);
}

void rch__need_room(struct rch__cap *cap, uint64_t more)
{
    uint64_t taken = rch__bytes_taken(cap), most = cap->opt.max_memory;
    if (most && taken + more > most)
        fail(cap, taken + more, most, "are allowed");
    if (taken + more < RESERVE_BYTES || cap->status != RCH_OK)
        return;
    uint64_t left = rch_memory_left();
    if (left < more + RESERVE_BYTES)
        fail(cap, taken + more, taken + left, "are there");
}

// Objects known of; and the pages of the index that are in use.
static uint64_t count_seen(struct rch__cap *cap)
{
    const struct rch_index *index = &cap->index;
    uint64_t num = 0, num_pages = 0;
    for (uint32_t region = 0; region < index->num_regions; region++) {
        for (uint32_t i = 0; i < RCH_PAGES_PER_REGION / 64; i++)
            num_pages += (uint64_t)__builtin_popcountll(index->touched[region][i]);
        RCH_FOR_EACH_CELL (index, region, i)
            num += (uint64_t)__builtin_popcountll(index->cells[region][i].seen);
    }
    cap->index_bytes = num_pages * PAGE_BYTES;
    return num;
}

void rch__check_room(struct rch__cap *cap)
{
    uint64_t seen = count_seen(cap), visited = cap->rows.shape.num;
    uint64_t left = seen > visited ? seen - visited : 0;
    rch__need_room(cap, left * (ROW_BYTES + sizeof(uint32_t)));
}

void rch__check_room_to_finish(struct rch__cap *cap)
{
    uint64_t num_late = cap->late.shape.num, num = cap->rows.shape.num + num_late;
    uint64_t others = num_late && num > cap->num_tracked_rows ? num - cap->num_tracked_rows : 0;
    uint64_t late = (others + cap->late_log.codes.num) * sizeof(uint32_t) + num_late * LATE_BYTES;
    uint64_t search = cap->num_tracked_rows * sizeof(rch_node) + num * 2 / 8;
    (void)count_seen(cap);
    rch__need_room(cap, late > search ? late : search);
}
