// SPDX-License-Identifier: MIT
// capture/headcount.c -- see headcount.h. A hash table with linear probing; a removed entry's place is
// filled from behind, so that chains stay short whatever comes and goes.
#include "capture/headcount.h"

#include <string.h>

enum { FIRST_SLOTS = 1024, MAX_UNCLEAR = 4096, TYPE_OFFSET = 8 };

static rch_addr word_at(rch_addr addr)
{
    rch_addr word;
    memcpy(&word, (const void *)(uintptr_t)addr, sizeof(word));
    return word;
}

enum rch_status rch_headcount_init(struct rch_headcount *h, const struct rch_alloc *alloc,
                                   struct rch_error *err)
{
    *h = (struct rch_headcount){.alloc = alloc, .table_slots = FIRST_SLOTS};
    rch_vec_init(&h->types, alloc, sizeof(struct rch_watched_type));
    rch_vec_init(&h->unclear, alloc, sizeof(rch_addr));
    h->table = rch_calloc(alloc, FIRST_SLOTS, sizeof(*h->table));
    return h->table ? RCH_OK : rch_fail(err, RCH_ENOMEM, "a count of instances");
}

void rch_headcount_deinit(struct rch_headcount *h)
{
    rch_vec_deinit(&h->types);
    rch_vec_deinit(&h->unclear);
    rch_free(h->alloc, h->table, h->table_slots, sizeof(*h->table));
    h->table = NULL;
}

// --- the table ---

static uint32_t find(const struct rch_headcount *h, rch_addr block)
{
    uint32_t at = rch_block_slot(h, block);
    while (h->table[at].block && h->table[at].block != block)
        at = (at + 1) & (h->table_slots - 1);
    return at;
}

static bool grow(struct rch_headcount *h)
{
    struct rch_block_entry *old = h->table;
    uint32_t num = h->table_slots;
    struct rch_block_entry *table =
        num < UINT32_MAX / 4 ? rch_calloc(h->alloc, 2 * (size_t)num, sizeof(*table)) : NULL;
    if (!table)
        return false;
    h->table = table;
    h->table_slots = 2 * num;
    for (uint32_t i = 0; i < num; i++)
        if (old[i].block)
            table[find(h, old[i].block)] = old[i];
    rch_free(h->alloc, old, num, sizeof(*old));
    return true;
}

static void count(struct rch_headcount *h, uint32_t what, uint64_t by)
{
    for (uint32_t w = 0; w < RCH_MAX_WATCHES; w++)
        if (what >> w & 1)
            h->counts[w] += by;
}

static void remove_at(struct rch_headcount *h, uint32_t at)
{
    uint32_t mask = h->table_slots - 1, hole = at;
    if (!(h->table[at].what & (RCH_BLOCK_TYPE | RCH_BLOCK_UNCLEAR)))
        count(h, h->table[at].what, UINT64_MAX);
    h->num_entries--;
    for (uint32_t i = (at + 1) & mask; h->table[i].block; i = (i + 1) & mask) {
        uint32_t home = rch_block_slot(h, h->table[i].block);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            h->table[hole] = h->table[i];
            hole = i;
        }
    }
    h->table[hole] = (struct rch_block_entry){0};
}

/// Overwrites what was there. False: out of memory.
static bool put(struct rch_headcount *h, rch_addr block, uint32_t what, size_t num_bytes)
{
    uint32_t at = find(h, block);
    if (h->table[at].block)
        remove_at(h, at);
    if (2 * (h->num_entries + 1) > h->table_slots && !grow(h)) {
        h->is_lossy = true;
        return false;
    }
    at = find(h, block);
    h->table[at] = (struct rch_block_entry){
        block, what, num_bytes < UINT32_MAX ? (uint32_t)num_bytes : UINT32_MAX};
    h->num_entries++;
    if (!(what & (RCH_BLOCK_TYPE | RCH_BLOCK_UNCLEAR)))
        count(h, what, 1);
    return true;
}

// --- types ---

static void find_sizes(struct rch_headcount *h)
{
    memset(h->sizes, 0, sizeof(h->sizes));
    h->any_size_above = false;
    for (size_t i = 0; i < h->types.num; i++) {
        const struct rch_watched_type *type = &RCH_VEC_AT(&h->types, struct rch_watched_type, i);
        size_t first = (type->min_bytes + 7) / 8, last = ((size_t)type->max_bytes + 7) / 8;
        for (size_t c = first; c <= last && c < RCH_SIZE_CLASSES; c++)
            h->sizes[c / 64] |= UINT64_C(1) << c % 64;
        h->any_size_above |= last >= RCH_SIZE_CLASSES;
    }
}

static struct rch_watched_type *find_type(const struct rch_headcount *h, rch_addr addr)
{
    for (size_t i = 0; i < h->types.num; i++) {
        struct rch_watched_type *type = &RCH_VEC_AT(&h->types, struct rch_watched_type, i);
        if (type->type == addr)
            return type;
    }
    return NULL;
}

enum rch_status rch_headcount_add_type(struct rch_headcount *h, const struct rch_watched_type *type,
                                       struct rch_error *err)
{
    struct rch_watched_type *known = find_type(h, type->type);
    if (known) {
        known->watches |= type->watches;
        return RCH_OK;
    }
    if (type->type_block && !put(h, type->type_block, RCH_BLOCK_TYPE, 0))
        return rch_fail(err, RCH_ENOMEM, "a count of instances");
    RCH_TRY(rch_vec_append(&h->types, type, 1, err));
    find_sizes(h);
    return RCH_OK;
}

static void drop_type(struct rch_headcount *h, rch_addr block)
{
    size_t num = 0;
    struct rch_watched_type *rows = h->types.mem;
    for (size_t i = 0; i < h->types.num; i++)
        if (rows[i].type_block != block)
            rows[num++] = rows[i];
    h->types.num = num;
    find_sizes(h);
}

// --- watches ---

/// Take one watch out of all entries.
static void clear_watch(struct rch_headcount *h, uint32_t watch)
{
    for (uint32_t i = 0; i < h->table_slots;) {
        struct rch_block_entry *entry = &h->table[i];
        bool is_instance = entry->block && !(entry->what & (RCH_BLOCK_TYPE | RCH_BLOCK_UNCLEAR));
        if (is_instance && entry->what == 1u << watch) {
            remove_at(h, i);  // another one may have moved here
            continue;
        }
        if (is_instance)
            entry->what &= ~(1u << watch);
        i++;
    }
    h->counts[watch] = 0;
}

void rch_headcount_limit(struct rch_headcount *h, uint32_t watch, uint64_t limit)
{
    struct rch_watched_type *rows = h->types.mem;
    size_t num = 0;
    h->limits[watch] = limit;
    clear_watch(h, watch);
    for (size_t i = 0; i < h->types.num; i++) {
        rows[i].watches &= (uint16_t)~(1u << watch);
        if (rows[i].watches)
            rows[num++] = rows[i];
        else if (rows[i].type_block)
            remove_at(h, find(h, rows[i].type_block));
    }
    h->types.num = num;
    find_sizes(h);
}

enum rch_status rch_headcount_reset(struct rch_headcount *h, uint32_t watch,
                                    const rch_addr *objects, size_t num, struct rch_error *err)
{
    clear_watch(h, watch);
    for (size_t i = 0; i < num; i++) {
        const struct rch_watched_type *type = find_type(h, word_at(objects[i] + TYPE_OFFSET));
        if (!type)
            continue;
        rch_addr block = objects[i] - type->head_bytes;
        if (!put(h, block, type->watches, 0))
            return rch_fail(err, RCH_ENOMEM, "a count of instances");
    }
    h->is_lossy = false;
    return RCH_OK;
}

bool rch_headcount_is_due(const struct rch_headcount *h)
{
    if (h->unclear.num >= MAX_UNCLEAR)
        return true;
    for (uint32_t w = 0; w < RCH_MAX_WATCHES; w++)
        if (h->limits[w] && h->counts[w] + h->unclear.num >= h->limits[w])
            return true;
    return false;
}

bool rch_headcount_note(struct rch_headcount *h, rch_addr block, size_t num_bytes)
{
    if (rch_vec_append(&h->unclear, &block, 1, NULL) != RCH_OK)
        h->is_lossy = true;
    else
        put(h, block, RCH_BLOCK_UNCLEAR, num_bytes);
    return rch_headcount_is_due(h);
}

void rch_headcount_forget(struct rch_headcount *h, rch_addr block)
{
    uint32_t at = find(h, block);
    if (!h->table[at].block)
        return;
    bool is_type = h->table[at].what & RCH_BLOCK_TYPE;
    remove_at(h, at);
    if (is_type)
        drop_type(h, block);
}

/// The watches that count this block, 0: it is no instance.
static uint32_t watches_of(const struct rch_headcount *h, const struct rch_block_entry *entry)
{
    for (size_t i = 0; i < h->types.num; i++) {
        const struct rch_watched_type *type = &RCH_VEC_AT(&h->types, struct rch_watched_type, i);
        if (entry->bytes >= type->min_bytes && entry->bytes >= type->head_bytes + 16 &&
            word_at(entry->block + type->head_bytes + TYPE_OFFSET) == type->type)
            return type->watches;
    }
    return 0;
}

uint32_t rch_headcount_look(struct rch_headcount *h)
{
    uint32_t reached = 0;
    for (size_t i = 0; i < h->unclear.num; i++) {
        uint32_t at = find(h, RCH_VEC_AT(&h->unclear, rch_addr, i));
        struct rch_block_entry *entry = &h->table[at];
        if (!entry->block || !(entry->what & RCH_BLOCK_UNCLEAR))
            continue;  // freed since
        entry->what = watches_of(h, entry);
        if (entry->what)
            count(h, entry->what, 1);
        else
            remove_at(h, at);
    }
    h->unclear.num = 0;
    for (uint32_t w = 0; w < RCH_MAX_WATCHES; w++)
        if (h->limits[w] && (h->counts[w] >= h->limits[w] || h->is_lossy))
            reached |= 1u << w;
    return reached;
}
