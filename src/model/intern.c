// SPDX-License-Identifier: MIT
// model/intern.c -- hash table of numbers; see intern.h.
#include "model/intern.h"

#include <string.h>

#define FIRST_CAP 64u

void rch_intern_init(struct rch_intern *set, const struct rch_alloc *alloc)
{
    *set = (struct rch_intern){.alloc = alloc};
}

void rch_intern_deinit(struct rch_intern *set)
{
    rch_free(set->alloc, set->slots, set->cap, sizeof(*set->slots));
    set->slots = NULL;
    set->cap = set->num = 0;
}

uint32_t rch_intern_find(const struct rch_intern *set, uint32_t hash,
                         bool (*same)(const void *ctx, uint32_t number), const void *ctx)
{
    if (set->cap == 0)
        return UINT32_MAX;
    for (size_t i = hash & (set->cap - 1); set->slots[i].number_plus_1;
         i = (i + 1) & (set->cap - 1)) {
        uint32_t number = set->slots[i].number_plus_1 - 1;
        if (set->slots[i].hash == hash && same(ctx, number))
            return number;
    }
    return UINT32_MAX;
}

static void put(struct rch_intern_slot *slots, size_t cap, struct rch_intern_slot slot)
{
    size_t i = slot.hash & (cap - 1);
    while (slots[i].number_plus_1)
        i = (i + 1) & (cap - 1);
    slots[i] = slot;
}

enum rch_status rch_intern_reserve(struct rch_intern *set, struct rch_error *err)
{
    if ((set->num + 1) * 2 <= set->cap)
        return RCH_OK;
    size_t cap = set->cap ? set->cap * 2 : FIRST_CAP;
    struct rch_intern_slot *slots = rch_calloc(set->alloc, cap, sizeof(*slots));
    if (!slots)
        return rch_fail(err, RCH_ENOMEM, "hash table of %zu slots", cap);
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i].number_plus_1)
            put(slots, cap, set->slots[i]);
    }
    rch_free(set->alloc, set->slots, set->cap, sizeof(*set->slots));
    set->slots = slots;
    set->cap = cap;
    return RCH_OK;
}

void rch_intern_add(struct rch_intern *set, uint32_t hash, uint32_t number)
{
    put(set->slots, set->cap, (struct rch_intern_slot){hash, number + 1});
    set->num++;
}

uint32_t rch_intern_hash(const void *bytes, size_t num_bytes)
{
    const unsigned char *at = bytes;
    uint64_t hash = num_bytes * UINT64_C(0x9e3779b97f4a7c15);
    while (num_bytes > 0) {
        uint64_t word = 0;
        size_t now = num_bytes < sizeof(word) ? num_bytes : sizeof(word);
        memcpy(&word, at, now);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
        at += now;
        num_bytes -= now;
    }
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(hash ^ (hash >> 33));
}
