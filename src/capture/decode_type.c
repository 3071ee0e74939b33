// SPDX-License-Identifier: MIT
// capture/decode_type.c -- classes: namespace, bases, names, and the key table they share with the
// dictionaries of their instances. Layout: cpython/object.h, Objects/typeobject.c.
#include "capture/families.h"

#define FIXED RCH_LABEL_FIXED
#define MAX_SHARED_KEYS 1024

// From 3.12 a static built-in type keeps its subclasses with the interpreter; the word in the type is
// then a number.
static rch_addr subclasses_of(struct rch__cap *cap, rch_addr object, uint64_t flags)
{
    const struct rch_layout *L = cap->L;
    if (L->interp_static_types != RCH_ABSENT && (flags & RCH_TPFLAGS_STATIC_BUILTIN)) {
        rch_addr state = rch__static_type_state(cap, object);
        return state ? rch_load64(cap->t, state + (uint32_t)L->static_type_subclasses) : 0;
    }
    return rch__field_at(cap, object, L->type_subclasses);
}

static void emit_shared_keys(struct rch__cap *cap, rch_addr keys)
{
    struct rch__entries e = rch__keys_entries(cap, keys);
    for (int64_t i = 0; i < e.num && i < MAX_SHARED_KEYS; i++)
        rch__emit(cap,
                  rch_load64(cap->t, e.first + (rch_addr)(i * e.stride) + (uint32_t)e.key_off));
}

// A metaclass written in C may visit more (ctypes keeps its own facts there): unnamed, with the keys.
static void label_type(struct rch__cap *cap, bool has_rest)
{
    rch__label_add(cap, RCH_EDGE_DICT, "__dict__", FIXED | RCH_LABEL_FOLD_FORWARD);
    rch__label_add(cap, RCH_EDGE_FIELD, "__base__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__bases__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__mro__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "cache", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__subclasses__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "module", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__name__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__qualname__", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "__slots__", FIXED);
    if (has_rest)
        rch__label_rest(cap);
    else
        rch__label_add(cap, RCH_EDGE_FIELD, "shared key", FIXED);
}

uint32_t rch__decode_type(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    const struct rch_layout *L = cap->L;
    uint64_t flags = rch_load64(cap->t, object + (uint32_t)L->type_flags);
    bool is_heap = flags & RCH_TPFLAGS_HEAPTYPE;
    size_t start = cap->log->codes.num;
    if (!is_heap)
        rch__type_get(cap, object);  // a root, even if nothing is of this type
    rch__emit_fields(cap, type, object);
    rch__emit(cap, rch__type_dict(cap, object));
    rch__emit(cap, rch__field_at(cap, object, L->type_base));
    rch__emit(cap, rch__field_at(cap, object, L->type_bases));
    rch__emit(cap, rch__field_at(cap, object, L->type_mro));
    rch__emit(cap, rch__field_at(cap, object, L->type_cache));
    rch__emit(cap, subclasses_of(cap, object, flags));
    rch__emit(cap, is_heap ? rch__field_at(cap, object, L->heaptype_module) : 0);
    rch__emit(cap, is_heap ? rch__field_at(cap, object, L->heaptype_name) : 0);
    rch__emit(cap, is_heap ? rch__field_at(cap, object, L->heaptype_qualname) : 0);
    rch__emit(cap, is_heap ? rch__field_at(cap, object, L->heaptype_slots) : 0);
    rch_addr keys = is_heap ? rch__field_at(cap, object, L->heaptype_cached_keys) : 0;
    if (keys)
        emit_shared_keys(cap, keys);
    if (type->decode_rest && cap->opt.can_traverse)
        rch__emit_rest(cap, type, object, start);
    else if (type->scans && cap->is_foreign)
        rch__scan_words(cap, type, object, L->heaptype_size, type->basicsize);
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    label_type(cap, type->decode_rest);
    return rch__shape_end(cap, type, 0, 1);
}

uint64_t rch__size_type(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    const struct rch_layout *L = cap->L;
    uint64_t flags = rch_load64(cap->t, object + (uint32_t)L->type_flags);
    if (!(flags & RCH_TPFLAGS_HEAPTYPE)) {  // 3.11 and 3.12 count a header that is not there
        bool counts_header = L->py_minor == 11 || L->py_minor == 12;
        return (uint64_t)(uint32_t)L->statictype_size - (counts_header ? 0 : type->header_bytes);
    }
    if (type->decode_rest &&
        type->basicsize > L->heaptype_size)  // ctypes: facts, not keys; guessed
        return (uint64_t)type->basicsize;
    rch_addr keys = rch__field_at(cap, object, L->heaptype_cached_keys);
    return (uint32_t)L->heaptype_size + (keys ? rch__keys_bytes(cap, keys) : 0);
}
