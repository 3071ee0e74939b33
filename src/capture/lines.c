// SPDX-License-Identifier: MIT
// capture/lines.c -- which line of its file a frame executes: the frame tells its last instruction,
// the code object's line table to which line that belongs. Tables: Objects/lnotab_notes.txt (up to
// 3.9 lnotab, in 3.10 line table), Objects/locations.md (from 3.11).
#include "capture/threads.h"

#define MAX_TABLE_BYTES (1u << 24)
#define MAX_BYTES_IN_ALL (UINT64_C(1) << 30)  // about a second
#define NOT_STARTED (-1)
#define UNKNOWN INT64_MIN

// ---- the last instruction, as a byte offset into the code --------------------------------------

int64_t rch__last_instruction(struct rch__cap *cap, rch_addr code, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    if (L->frame_lasti != RCH_ABSENT) {
        int32_t at = (int32_t)rch_load32(cap->t, frame + (uint32_t)L->frame_lasti);
        bool counts_units = L->frame_stackdepth != RCH_ABSENT;  // 3.10: instructions of two bytes
        return at < 0 ? NOT_STARTED : counts_units ? at * 2ll : at;
    }
    // Up to 3.12 "previous", from 3.13 "current": in both, while the frame runs, the instruction that
    // it executes. Caches that follow an instruction belong to its line.
    int64_t at = (int64_t)(rch__field_at(cap, frame, L->iframe_prev_instr) -
                           (code + (uint32_t)L->code_code_adaptive));
    int64_t num = (int64_t)rch_load64(cap->t, code + (uint32_t)L->var_size) * 2;
    return at == -2 ? NOT_STARTED : at >= 0 && at < num ? at : UNKNOWN;
}

// ---- tables ------------------------------------------------------------------------------------

struct table {
    struct rch_target *t;
    rch_addr at, end;
};

static uint8_t next_byte(struct table *table)
{
    return table->at < table->end ? rch_load8(table->t, table->at++) : 0;
}

// Pairs: so many bytes on, so many lines on (signed).
static int64_t line_in_lnotab(struct table *table, int64_t line, int64_t lasti)
{
    int64_t at = 0;
    while (table->at < table->end) {
        at += next_byte(table);
        if (at > lasti)
            break;
        line += (int8_t)next_byte(table);
    }
    return line;
}

// Pairs: bytes of this piece, by how many lines it is after the last one; -128: it has no line.
static int64_t line_in_pairs(struct table *table, int64_t line, int64_t lasti)
{
    int64_t end = 0;
    while (table->at < table->end) {
        end += next_byte(table);
        int8_t delta = (int8_t)next_byte(table);
        if (delta != -128)
            line += delta;
        if (lasti < end)
            return delta == -128 ? 0 : line;
    }
    return 0;
}

// Six bits a byte, the low ones first; bit 6: one more follows. The lowest bit is the sign.
static int64_t next_signed(struct table *table)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 60; shift += 6) {
        uint8_t byte = next_byte(table);
        value |= (uint64_t)(byte & 63) << shift;
        if (!(byte & 64))
            break;
    }
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

// Entries begin with a byte that has bit 7: four bits of kind, three of length in instructions - 1.
static int64_t line_in_locations(struct table *table, int64_t line, int64_t lasti)
{
    enum { ONE_LINE_FIRST = 10, ONE_LINE_LAST = 12, NO_COLUMNS = 13, LONG = 14, NO_LINE = 15 };
    int64_t end = 0;
    while (table->at < table->end) {
        uint8_t first = next_byte(table);
        uint8_t kind = first >> 3 & 15;
        end += ((first & 7) + 1) * 2;
        if (kind == NO_COLUMNS || kind == LONG)
            line += next_signed(table);
        else if (kind >= ONE_LINE_FIRST && kind <= ONE_LINE_LAST)
            line += kind - ONE_LINE_FIRST;
        if (lasti < end)
            return kind == NO_LINE ? 0 : line;
        while (table->at < table->end && !(rch_load8(table->t, table->at) & 0x80))
            table->at++;
    }
    return 0;
}

// What a table of a hostile or torn process says of its size is not believed.
static bool may_read(struct rch__cap *cap, struct table *table, uint64_t num_bytes)
{
    uint8_t last;
    table->end = table->at + num_bytes;
    if (num_bytes > MAX_TABLE_BYTES || cap->line_bytes + num_bytes > MAX_BYTES_IN_ALL)
        return false;
    cap->line_bytes += num_bytes;
    return num_bytes == 0 || rch_target_read(cap->t, table->end - 1, &last, 1);
}

uint32_t rch__line_at(struct rch__cap *cap, rch_addr code, int64_t lasti)
{
    const struct rch_layout *L = cap->L;
    int64_t line = (int32_t)rch_load32(cap->t, code + (uint32_t)L->code_firstlineno);
    rch_addr bytes = rch__field_at(cap, code, L->code_linetable);
    if (lasti == UNKNOWN || !bytes)
        return 0;
    uint64_t num = rch_load64(cap->t, bytes + (uint32_t)L->var_size);
    struct table table = {.t = cap->t, .at = bytes + (uint32_t)L->bytes_data};
    if (!may_read(cap, &table, num))
        return 0;
    if (lasti == NOT_STARTED)
        ;
    else if (L->code_localsplusnames != RCH_ABSENT)
        line = line_in_locations(&table, line, lasti);
    else if (L->frame_stackdepth != RCH_ABSENT)
        line = line_in_pairs(&table, line, lasti);
    else
        line = line_in_lnotab(&table, line, lasti);
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}
