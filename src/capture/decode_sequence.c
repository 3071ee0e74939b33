// SPDX-License-Identifier: MIT
// capture/decode_sequence.c -- tuple, list, set, frozenset, deque. Layouts: Objects/tupleobject.c,
// listobject.c, setobject.c; Modules/_collectionsmodule.c.
#include "capture/families.h"

#define MAX_ITEMS (1ull << 40)

static void emit_items(struct rch__cap *cap, rch_addr items, uint64_t num)
{
    if (num > MAX_ITEMS || !rch__fits(cap, items, num, 8) || !rch__log_grow(cap, cap->log, num))
        return;
    for (uint64_t i = 0; i < num; i++)
        rch__emit(cap, rch_load64(cap->t, items + i * 8));
}

void rch__emit_tuple(struct rch__cap *cap, struct rch__type *type, rch_addr tuple)
{
    (void)type;
    emit_items(cap, tuple + (uint32_t)cap->L->tuple_items,
               rch_load64(cap->t, tuple + (uint32_t)cap->L->var_size));
}

uint32_t rch__label_tuple(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_ITEM, NULL, RCH_LABEL_FIXED);
    return 1;
}

void rch__emit_list(struct rch__cap *cap, struct rch__type *type, rch_addr list)
{
    (void)type;
    emit_items(cap, rch_load64(cap->t, list + (uint32_t)cap->L->list_items),
               rch_load64(cap->t, list + (uint32_t)cap->L->var_size));
}

uint32_t rch__label_list(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_ITEM, NULL, RCH_LABEL_GROUP);
    return 1;
}

uint64_t rch__size_list(struct rch__cap *cap, const struct rch__type *type, rch_addr list)
{
    return (uint64_t)type->basicsize +
           8 * rch_load64(cap->t, list + (uint32_t)cap->L->list_allocated);
}

void rch__emit_set(struct rch__cap *cap, struct rch__type *type, rch_addr set)
{
    (void)type;
    const struct rch_layout *L = cap->L;
    uint64_t mask = rch_load64(cap->t, set + (uint32_t)L->set_mask);
    rch_addr entry = rch_load64(cap->t, set + (uint32_t)L->set_table);
    if (mask >= MAX_ITEMS || !rch__fits(cap, entry, mask + 1, (uint32_t)L->set_entry_size))
        return;
    for (uint64_t i = 0; i <= mask; i++, entry += (uint32_t)L->set_entry_size) {
        rch_addr key = rch_load64(cap->t, entry + (uint32_t)L->set_entry_key);
        if (key &&
            rch_load64(cap->t, entry + (uint32_t)L->set_entry_hash) != UINT64_MAX)  // a dummy
            rch__emit(cap, key);
    }
}

uint32_t rch__label_set(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_ELEMENT, NULL, RCH_LABEL_GROUP);
    return 1;
}

uint32_t rch__label_frozenset(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_ELEMENT, NULL, RCH_LABEL_FIXED);
    return 1;
}

uint64_t rch__size_set(struct rch__cap *cap, const struct rch__type *type, rch_addr set)
{
    const struct rch_layout *L = cap->L;
    uint64_t bytes = (uint64_t)type->basicsize;
    if (rch_load64(cap->t, set + (uint32_t)L->set_table) != set + (uint32_t)L->set_smalltable)
        bytes +=
            (rch_load64(cap->t, set + (uint32_t)L->set_mask) + 1) * (uint32_t)L->set_entry_size;
    return bytes;
}

void rch__emit_deque(struct rch__cap *cap, struct rch__type *type, rch_addr deque)
{
    (void)type;
    const struct rch_layout *L = cap->L;
    uint64_t num = rch_load64(cap->t, deque + (uint32_t)L->var_size);
    uint64_t at = rch_load64(cap->t, deque + (uint32_t)L->deque_leftindex);
    rch_addr block = rch_load64(cap->t, deque + (uint32_t)L->deque_leftblock);
    struct rch__ring ring = {0};
    for (uint64_t i = 0; i < num && num < MAX_ITEMS && block; i++, at++) {
        if (at >= (uint32_t)L->deque_block_len) {
            block = rch_load64(cap->t, block + (uint32_t)L->deque_block_right);
            at = 0;
            if (!block || rch__comes_back(cap, &ring, block))
                return;
        }
        rch__emit(cap, rch_load64(cap->t, block + (uint32_t)L->deque_block_items + at * 8));
    }
}

uint64_t rch__size_deque(struct rch__cap *cap, const struct rch__type *type, rch_addr deque)
{
    const struct rch_layout *L = cap->L;
    uint64_t num = rch_load64(cap->t, deque + (uint32_t)L->var_size);
    uint64_t at = rch_load64(cap->t, deque + (uint32_t)L->deque_leftindex);
    uint64_t len = (uint32_t)L->deque_block_len, blocks = (at + num + len - 1) / len;
    return (uint64_t)type->basicsize + blocks * (uint32_t)L->deque_block_size;
}
