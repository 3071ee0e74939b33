// SPDX-License-Identifier: MIT
// capture/decode_object.c -- the decoders that serve most types: pointers at fixed offsets, then the
// attributes, wherever this version keeps them, then what the family of the C base adds.
#include "capture/families.h"

#define MAX_VALUES 65536  // CPython has 30 at most

// A negative dictoffset counts from the end of the items (tuple, int, bytes subclasses up to 3.11).
static rch_addr dict_at_end(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    int64_t num = (int64_t)rch_load64(cap->t, object + (uint32_t)cap->L->var_size);
    uint64_t bytes = (uint64_t)(type->basicsize + (num < 0 ? -num : num) * type->itemsize);
    return rch_load64(cap->t, object + ((bytes + 7) & ~7ull) + (rch_addr)(int64_t)type->dictoffset);
}

static uint32_t finish_labels(struct rch__cap *cap, struct rch__type *type, uint64_t key)
{
    uint32_t num_tail = 0;
    if (type->family && type->family->label)
        num_tail = type->family->label(cap);
    if (num_tail == 0 && type->decode_rest) {
        rch__label_rest(cap);
        num_tail = 1;
    }
    return rch__shape_end(cap, type, key, num_tail);
}

static void emit_tail_slots(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    uint64_t num = rch_load64(cap->t, object + (uint32_t)cap->L->var_size);
    rch_addr shifted = object + ((num * (uint64_t)type->itemsize + 7) & ~7ull);
    for (uint32_t i = 0; i < type->num_tail; i++)
        rch__emit(cap, rch_load64(cap->t, shifted + (uint32_t)type->tail[i].offset));
}

static void emit_fields(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    if (type->has_guesses && cap->is_foreign)
        rch__emit_likely_fields(cap, type, object);
    else if (type->has_guesses)
        rch__emit_confirmed_fields(cap, type, object);
    else
        rch__emit_fields(cap, type, object);
    if (type->num_tail)
        emit_tail_slots(cap, type, object);
}

static void begin_labels(struct rch__cap *cap, const struct rch__type *type)
{
    rch__shape_begin(cap, type);
    for (uint32_t i = 0; i < type->num_tail && cap->status == RCH_OK; i++)
        cap->status = rch_vec_append(&cap->labels, &type->tail[i].label, 1, &cap->err);
}

static void emit_content(struct rch__cap *cap, struct rch__type *type, rch_addr object,
                         size_t start)
{
    if (type->family && type->family->emit)
        type->family->emit(cap, type, object);
    else if (type->decode_rest && cap->opt.can_traverse)
        rch__emit_rest(cap, type, object, start);
    else if (type->scans && cap->is_foreign)
        rch__scan(cap, type, object);
}

uint32_t rch__decode_plain(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    size_t start = cap->log->codes.num;
    emit_fields(cap, type, object);
    if (type->dictoffset)
        rch__emit(cap, dict_at_end(cap, type, object));
    emit_content(cap, type, object, start);
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    begin_labels(cap, type);
    if (type->dictoffset)
        rch__label_add(cap, RCH_EDGE_DICT, "__dict__", RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD);
    return finish_labels(cap, type, 0);
}

struct managed {  // where a managed object keeps its attributes (3.11+)
    rch_addr dict, values;
    int64_t num_values;
};

static struct managed managed_of(struct rch__cap *cap, const struct rch__type *type,
                                 rch_addr object)
{
    const struct rch_layout *L = cap->L;
    struct managed m = {0};
    rch_addr word = rch_load64(cap->t, object + (rch_addr)(int64_t)L->managed_dict);
    if (L->managed_dict_is_tagged == 1 && (word & 1))
        m.values = word + 1;
    else
        m.dict = word;
    if (L->managed_values != RCH_ABSENT)
        m.values = rch_load64(cap->t, object + (rch_addr)(int64_t)L->managed_values);
    if (L->inline_values_at_basicsize == 1 && (type->flags & RCH_TPFLAGS_INLINE_VALUES)) {
        m.values = object + (uint64_t)type->basicsize;
        if (!rch_load8(cap->t, m.values + (uint32_t)L->values_valid))
            m.values = 0;
    }
    if (m.values && type->cached_keys) {
        m.num_values = rch__keys_entries(cap, type->cached_keys).num;
        if (m.num_values > MAX_VALUES)
            m.num_values = 0;
        if (L->values_capacity != RCH_ABSENT &&
            m.num_values > rch_load8(cap->t, m.values + (uint32_t)L->values_capacity))
            m.num_values = rch_load8(cap->t, m.values + (uint32_t)L->values_capacity);
    }
    return m;
}

// Once there is a dict of the values in the object, they are told by the dict: it keeps them when the
// object goes, and so does whoever holds the dict. (From 3.14.4 tp_traverse has it so, too.)
static bool dict_tells(struct rch__cap *cap, const struct managed *m)
{
    return m->values && m->dict && rch__field_at(cap, m->dict, cap->L->dict_values) == m->values;
}

bool rch__is_told_by_dict(struct rch__cap *cap, const struct rch__type *type, rch_addr object,
                          rch_addr target)
{
    struct managed m = {0};
    if (type->has_managed_dict)
        m = managed_of(cap, type, object);
    for (int64_t i = 0; i < m.num_values && dict_tells(cap, &m); i++)
        if (rch_load64(cap->t, m.values + (uint32_t)cap->L->values_items + (rch_addr)i * 8) ==
            target)
            return true;
    return false;
}

rch_addr rch__attribute(struct rch__cap *cap, rch_addr object, const char *name)
{
    const struct rch__type *type =
        rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type));
    struct managed m = {0};
    if (type->has_managed_dict)
        m = managed_of(cap, type, object);
    else
        for (uint32_t i = 0; i < type->num_fields; i++)
            if (type->fields[i].label.kind == RCH_EDGE_DICT)
                m.dict = rch_load64(cap->t, object + (uint32_t)type->fields[i].offset);
    struct rch__entries e =
        m.num_values ? rch__keys_entries(cap, type->cached_keys) : (struct rch__entries){0};
    for (int64_t i = 0; i < m.num_values; i++) {
        char text[128];
        rch_addr key = rch_load64(cap->t, e.first + (rch_addr)(i * e.stride) + (uint32_t)e.key_off);
        if (key && rch__read_str(cap, key, text, sizeof(text)) && strcmp(text, name) == 0)
            return rch_load64(cap->t, m.values + (uint32_t)cap->L->values_items + (rch_addr)i * 8);
    }
    return rch__dict_find(cap, m.dict, name);
}

static uint32_t label_managed(struct rch__cap *cap, struct rch__type *type, const struct managed *m,
                              uint64_t key)
{
    begin_labels(cap, type);
    if (m->dict)
        rch__label_add(cap, RCH_EDGE_DICT, "__dict__", RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD);
    if (m->num_values)
        rch__label_shared_keys(cap, type->cached_keys, m->num_values);
    return finish_labels(cap, type, key);
}

uint32_t rch__decode_managed(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    size_t start = cap->log->codes.num;
    struct managed m = managed_of(cap, type, object);
    if (dict_tells(cap, &m))
        m.num_values = 0;
    emit_fields(cap, type, object);
    if (m.dict)
        rch__emit(cap, m.dict);
    rch_addr first = m.values + (uint32_t)cap->L->values_items;
    bool has_content = (type->family && type->family->emit) || type->decode_rest;
    int64_t num = m.num_values;
    while (!has_content && num && !rch_load64(cap->t, first + (rch_addr)(num - 1) * 8))
        num--;
    for (int64_t i = 0; i < num; i++)
        rch__emit(cap, rch_load64(cap->t, first + (rch_addr)i * 8));
    emit_content(cap, type, object, start);
    uint64_t key = 1 + (m.dict ? 1u : 0u) + 2 * (uint64_t)m.num_values;
    uint32_t shape = rch__shape_find(cap, type, key);
    return shape != RCH_NO_NODE ? shape : label_managed(cap, type, &m, key);
}

// No decoder, or one that was wrong: members by name, the rest unnamed.
uint32_t rch__decode_traversed(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    size_t start = cap->log->codes.num;
    rch__emit_fields(cap, type, object);
    rch__emit_rest(cap, type, object, start);
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    rch__label_add(cap, RCH_EDGE_REFERENCE, NULL, 0);
    return rch__shape_end(cap, type, 0, 1);
}
