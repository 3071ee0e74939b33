// SPDX-License-Identifier: MIT
// capture/shapes.c -- shapes made once for each (type, key): the key is 0, a shared key table, a
// code object ... whatever decides how the references of an object are labelled.
#include <string.h>

#include "capture/state.h"

rch_str rch__intern(struct rch__cap *cap, const char *text)
{
    rch_str str = RCH_NO_STR;
    if (text && *text && cap->status == RCH_OK)
        cap->status = rch_builder_string(cap->b, text, strlen(text), &str, &cap->err);
    return str;
}

void rch__label_add_str(struct rch__cap *cap, enum rch_edge_kind kind, rch_str name, uint32_t flags)
{
    struct rch_label label = {.name = name, .kind = (uint8_t)kind, .flags = (uint16_t)flags};
    label.cls = kind == RCH_EDGE_WEAK ? RCH_CLASS_WEAK : RCH_CLASS_STRONG;
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->labels, &label, 1, &cap->err);
}

void rch__label_add(struct rch__cap *cap, enum rch_edge_kind kind, const char *name, uint32_t flags)
{
    rch__label_add_str(cap, kind, rch__intern(cap, name), flags);
}

void rch__label_rest(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_REFERENCE, NULL, 0);
    if (cap->is_foreign && cap->status == RCH_OK)
        RCH_VEC_AT(&cap->labels, struct rch_label, cap->labels.num - 1).cls = RCH_CLASS_GUESSED;
}

void rch__shape_begin(struct rch__cap *cap, const struct rch__type *type)
{
    cap->labels.num = 0;
    for (uint32_t i = 0; i < type->num_fields && cap->status == RCH_OK; i++)
        cap->status = rch_vec_append(&cap->labels, &type->fields[i].label, 1, &cap->err);
}

static uint32_t hash_shape(const struct rch__type *type, uint64_t key)
{
    uint64_t h =
        ((uint64_t)(uintptr_t)type >> 4) * 0x9E3779B97F4A7C15ull ^ key * 0xC2B2AE3D27D4EB4Full;
    return (uint32_t)(h >> 32);
}

static void insert(struct rch__shape_entry *slots, uint32_t num_slots,
                   struct rch__shape_entry entry)
{
    uint32_t at = hash_shape(entry.type, entry.key) & (num_slots - 1);
    while (slots[at].type)
        at = (at + 1) & (num_slots - 1);
    slots[at] = entry;
}

static bool grow(struct rch__cap *cap)
{
    uint32_t num = cap->num_shape_slots * 2;
    struct rch__shape_entry *slots = rch_calloc(cap->alloc, num, sizeof(*slots));
    if (!slots) {
        rch__fail(cap, RCH_ENOMEM, "the table of shapes");
        return false;
    }
    for (uint32_t i = 0; i < cap->num_shape_slots; i++)
        if (cap->shape_slots[i].type)
            insert(slots, num, cap->shape_slots[i]);
    rch_free(cap->alloc, cap->shape_slots, cap->num_shape_slots, sizeof(*slots));
    cap->shape_slots = slots;
    cap->num_shape_slots = num;
    return true;
}

uint32_t rch__shape_make(struct rch__cap *cap, struct rch__type *type, uint32_t model_type,
                         uint32_t num_tail)
{
    struct rch__shape_info info = {.type = type, .weak_ordinal = UINT32_MAX};
    uint32_t shape = 0;
    for (size_t i = 0; i < cap->labels.num; i++)
        if (RCH_VEC_AT(&cap->labels, struct rch_label, i).cls == RCH_CLASS_WEAK)
            info.weak_ordinal = (uint32_t)i;
    if (cap->status == RCH_OK)
        cap->status =
            rch_builder_shape(cap->b, model_type, cap->labels.mem,
                              (uint32_t)cap->labels.num - num_tail, num_tail, &shape, &cap->err);
    if (cap->status == RCH_OK)  // shapes are numbered in order
        cap->status = rch_vec_append(&cap->shape_infos, &info, 1, &cap->err);
    return shape;
}

uint32_t rch__shape_end(struct rch__cap *cap, struct rch__type *type, uint64_t key,
                        uint32_t num_tail)
{
    uint32_t shape = rch__shape_make(cap, type, type->model_type, num_tail);
    if (cap->num_shapes * 2 >= cap->num_shape_slots && !grow(cap))
        return 0;
    insert(cap->shape_slots, cap->num_shape_slots, (struct rch__shape_entry){type, key, shape});
    cap->num_shapes++;
    type->shape_key = key;
    type->shape = shape;
    if (key == 0)
        type->plain_shape = shape;
    return shape;
}

uint32_t rch__shape_find(struct rch__cap *cap, struct rch__type *type, uint64_t key)
{
    if (key == 0)
        return type->plain_shape;
    if (type->shape_key == key)
        return type->shape;
    uint32_t at = hash_shape(type, key) & (cap->num_shape_slots - 1);
    for (; cap->shape_slots[at].type; at = (at + 1) & (cap->num_shape_slots - 1)) {
        const struct rch__shape_entry *entry = &cap->shape_slots[at];
        if (entry->type == type && entry->key == key) {
            type->shape_key = key;
            type->shape = entry->shape;
            return entry->shape;
        }
    }
    return RCH_NO_NODE;
}
