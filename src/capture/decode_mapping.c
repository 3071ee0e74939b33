// SPDX-License-Identifier: MIT
// capture/decode_mapping.c -- dict in its three storages (combined, with str keys only, split),
// OrderedDict, and the hash trie of contextvars. Layouts: Objects/dictobject.c, Objects/odictobject.c,
// Python/hamt.c.
#include "capture/families.h"

#define MAX_ODICT_NODES (1ull << 40)
#define MAX_SHARED_KEYS 65536

static void emit_entries(struct rch__cap *cap, const struct rch__entries *e)
{
    rch_addr entry = e->first;
    if (!rch__log_grow(cap, cap->log, 2 * (size_t)e->num))
        return;
    for (int64_t i = 0; i < e->num; i++, entry += (uint32_t)e->stride) {
        rch_addr value = rch_load64(cap->t, entry + (uint32_t)e->value_off);
        if (!value)
            continue;  // deleted
        rch__emit(cap, rch_load64(cap->t, entry + (uint32_t)e->key_off));
        rch__emit(cap, value);
    }
}

void rch__label_shared_keys(struct rch__cap *cap, rch_addr keys, int64_t num)
{
    struct rch__entries e = rch__keys_entries(cap, keys);
    for (int64_t i = 0; i < num && i < MAX_SHARED_KEYS; i++) {
        rch_addr key =
            i < e.num ? rch_load64(cap->t, e.first + (rch_addr)(i * e.stride) + (uint32_t)e.key_off)
                      : 0;
        rch__label_add_str(cap, RCH_EDGE_ATTRIBUTE, rch__intern_str(cap, key), 0);
    }
}

// Values of a split dict in the order of the shared keys; they may lie in an instance (3.13+).
static uint32_t decode_split(struct rch__cap *cap, struct rch__type *type, rch_addr dict,
                             rch_addr values)
{
    const struct rch_layout *L = cap->L;
    rch_addr keys = rch_load64(cap->t, dict + (uint32_t)L->dict_keys);
    struct rch__entries e = rch__keys_entries(cap, keys);
    int64_t num = e.num;
    if (L->values_capacity != RCH_ABSENT &&
        num > rch_load8(cap->t, values + (uint32_t)L->values_capacity))
        num = rch_load8(cap->t, values + (uint32_t)L->values_capacity);
    rch_addr first = values + (uint32_t)L->values_items;
    if (num > MAX_SHARED_KEYS || !rch__fits(cap, first, (uint64_t)num, 8))
        num = 0;
    while (num && !rch_load64(cap->t, first + (rch_addr)(num - 1) * 8))
        num--;
    for (int64_t i = 0; i < num; i++)
        rch__emit(cap, rch_load64(cap->t, first + (rch_addr)i * 8));
    uint32_t shape = rch__shape_find(cap, type, keys);
    if (shape != RCH_NO_NODE)
        return shape;
    rch__shape_begin(cap, type);
    rch__label_shared_keys(cap, keys, e.num);
    return rch__shape_end(cap, type, keys, 0);
}

uint32_t rch__decode_dict(struct rch__cap *cap, struct rch__type *type, rch_addr dict)
{
    rch_addr values = rch_load64(cap->t, dict + (uint32_t)cap->L->dict_values);
    if (values)
        return decode_split(cap, type, dict, values);
    struct rch__entries e =
        rch__keys_entries(cap, rch_load64(cap->t, dict + (uint32_t)cap->L->dict_keys));
    emit_entries(cap, &e);
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    return rch__shape_end(cap, type, 0, rch__label_dict(cap));
}

// Subclasses: their own storage is never split.
void rch__emit_dict(struct rch__cap *cap, struct rch__type *type, rch_addr dict)
{
    (void)type;
    if (rch_load64(cap->t, dict + (uint32_t)cap->L->dict_values))
        return;
    struct rch__entries e =
        rch__keys_entries(cap, rch_load64(cap->t, dict + (uint32_t)cap->L->dict_keys));
    emit_entries(cap, &e);
}

uint32_t rch__label_dict(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_KEY, NULL, RCH_LABEL_GROUP);
    rch__label_add(cap, RCH_EDGE_VALUE, NULL, RCH_LABEL_GROUP);
    return 2;
}

uint32_t rch__label_frozendict(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_KEY, NULL, RCH_LABEL_FIXED);
    rch__label_add(cap, RCH_EDGE_VALUE, NULL, RCH_LABEL_FIXED);
    return 2;
}

// Each node of the order list owns a reference to its key besides the dict's own.
void rch__emit_odict(struct rch__cap *cap, struct rch__type *type, rch_addr odict)
{
    (void)type;
    const struct rch_layout *L = cap->L;
    struct rch__entries e =
        rch__keys_entries(cap, rch_load64(cap->t, odict + (uint32_t)L->dict_keys));
    rch_addr node = rch_load64(cap->t, odict + (uint32_t)L->odict_od_first);
    for (int64_t i = 0; i < e.num; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        rch_addr value = rch_load64(cap->t, entry + (uint32_t)e.value_off);
        if (!value)
            continue;
        rch__emit(cap, rch_load64(cap->t, entry + (uint32_t)e.key_off));
        rch__emit(cap, value);
        rch__emit(cap, node ? rch_load64(cap->t, node + (uint32_t)L->odict_node_key) : 0);
        if (node)
            node = rch_load64(cap->t, node + (uint32_t)L->odict_node_next);
    }
}

uint32_t rch__label_odict(struct rch__cap *cap)
{
    rch__label_dict(cap);
    rch__label_add(cap, RCH_EDGE_KEY, NULL, RCH_LABEL_GROUP);
    return 3;
}

// ---- contextvars: pairs (key, value), or (no key, child node) -----------------------------------

void rch__emit_hamt_bitmap(struct rch__cap *cap, struct rch__type *type, rch_addr node)
{
    (void)type;
    uint64_t num = rch_load64(cap->t, node + (uint32_t)cap->L->var_size);
    rch_addr items = node + (uint32_t)cap->L->hamt_bitmap_items;
    for (uint64_t i = 0; i + 1 < num && i < 64; i += 2) {
        rch_addr key = rch_load64(cap->t, items + i * 8);
        rch_addr value = rch_load64(cap->t, items + i * 8 + 8);
        rch__emit(cap, key);
        rch__emit(cap, key ? value : 0);
        rch__emit(cap, key ? 0 : value);
    }
}

uint32_t rch__label_hamt_bitmap(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_KEY, NULL, RCH_LABEL_FIXED);
    rch__label_add(cap, RCH_EDGE_VALUE, NULL, RCH_LABEL_FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "node", RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD);
    return 3;
}

void rch__emit_hamt_array(struct rch__cap *cap, struct rch__type *type, rch_addr node)
{
    (void)type;
    for (uint32_t i = 0; i < (uint32_t)cap->L->hamt_array_num; i++)
        rch__emit(cap, rch_load64(cap->t, node + (uint32_t)cap->L->hamt_array_items + i * 8));
}

uint32_t rch__label_hamt_array(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_FIELD, "node", RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD);
    return 1;
}

void rch__emit_hamt_collision(struct rch__cap *cap, struct rch__type *type, rch_addr node)
{
    (void)type;
    uint64_t num = rch_load64(cap->t, node + (uint32_t)cap->L->var_size);
    for (uint64_t i = 0; i < num && i < (1u << 20); i++)
        rch__emit(cap, rch_load64(cap->t, node + (uint32_t)cap->L->hamt_collision_items + i * 8));
}

uint32_t rch__label_hamt_collision(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_KEY, NULL, RCH_LABEL_FIXED);
    rch__label_add(cap, RCH_EDGE_VALUE, NULL, RCH_LABEL_FIXED);
    return 2;
}

// ---- sizes --------------------------------------------------------------------------------------

static uint64_t keys_capacity(struct rch__cap *cap, rch_addr keys)
{
    const struct rch_layout *L = cap->L;
    if (L->keys_size != RCH_ABSENT)
        return rch_load64(cap->t, keys + (uint32_t)L->keys_size);
    return 1ull << (rch_load8(cap->t, keys + (uint32_t)L->keys_log2_size) & 63);
}

static uint64_t usable_fraction(uint64_t capacity)
{
    return (capacity << 1) / 3;
}

uint64_t rch__keys_bytes(struct rch__cap *cap, rch_addr keys)
{
    struct rch__entries e = rch__keys_entries(cap, keys);
    return (e.first - keys) + usable_fraction(keys_capacity(cap, keys)) * (uint32_t)e.stride;
}

// Up to 3.10 a split dict's values count for as many as the keys could hold; from 3.11 for as many
// as the shared keys can hold in all, even where the values lie in an instance (3.13).
static uint64_t values_bytes(struct rch__cap *cap, rch_addr keys)
{
    const struct rch_layout *L = cap->L;
    if (L->keys_kind == RCH_ABSENT)
        return usable_fraction(keys_capacity(cap, keys)) * 8;
    return 8 * (rch_load64(cap->t, keys + (uint32_t)L->keys_nentries) +
                rch_load64(cap->t, keys + (uint32_t)L->keys_usable));
}

uint64_t rch__size_dict(struct rch__cap *cap, const struct rch__type *type, rch_addr dict)
{
    const struct rch_layout *L = cap->L;
    rch_addr keys = rch_load64(cap->t, dict + (uint32_t)L->dict_keys);
    rch_addr values = rch_load64(cap->t, dict + (uint32_t)L->dict_values);
    uint64_t bytes = (uint64_t)type->basicsize;
    if (values)
        bytes += values_bytes(cap, keys);
    if (rch_load64(cap->t, keys + (uint32_t)L->keys_refcnt) == 1)
        bytes += rch__keys_bytes(cap, keys);
    return bytes;
}

uint64_t rch__size_odict(struct rch__cap *cap, const struct rch__type *type, rch_addr odict)
{
    const struct rch_layout *L = cap->L;
    uint64_t bytes = rch__size_dict(cap, type, odict);
    bytes += rch_load64(cap->t, odict + (uint32_t)L->odict_od_fast_nodes_size) * 8;
    uint64_t used = rch_load64(cap->t, odict + (uint32_t)L->dict_used);
    return used < MAX_ODICT_NODES ? bytes + used * (uint32_t)L->odict_node_size : bytes;
}
