// SPDX-License-Identifier: MIT
// capture/decode_atom.c -- objects that refer to nothing: only their size matters, and, for str, the
// text of those that can be names.
#include <string.h>

#include "capture/families.h"

#define MAX_NAME_BYTES 100

uint64_t rch__size_plain(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    if (type->itemsize == 0)
        return (uint64_t)type->basicsize;
    int64_t num = (int64_t)rch_load64(cap->t, object + (uint32_t)cap->L->var_size);
    if (num < 0)
        num = -num;
    return (uint64_t)type->basicsize + (uint64_t)num * (uint64_t)type->itemsize;
}

// Interned strings that look like names: attribute names, parameters, keyword arguments. They name
// references; other text is content and stays out of the graph.
static void keep_name(struct rch__cap *cap, rch_addr str, uint64_t length)
{
    char text[MAX_NAME_BYTES];
    if (length == 0 || length >= MAX_NAME_BYTES)
        return;
    for (uint64_t i = 0; i < length; i++) {
        char c = (char)rch_load8(cap->t, str + (uint32_t)cap->L->str_ascii_data + i);
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '.' || c == '-')))
            return;
        text[i] = c;
    }
    text[length] = '\0';
    struct rch__text row = {rch_code(&cap->index, str), rch__intern(cap, text)};
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->texts, &row, 1, &cap->err);
}

/// Interned; or one that 3.11 is compiled with: names of its own such as __annotations__, which it puts
/// into dictionaries without marking them (they are immortal, and nothing else is in 3.11).
static bool is_name(struct rch__cap *cap, rch_addr str, uint32_t state)
{
    const struct rch_layout *L = cap->L;
    if (state & (uint32_t)L->str_interned_mask)
        return true;
    return L->py_minor == 11 && rch__refcount(cap, str) >= 900000000u;
}

static bool counts_subclass(const struct rch_layout *L)
{
    return L->py_minor >= 12;
}

uint64_t rch__size_str(struct rch__cap *cap, const struct rch__type *type, rch_addr str)
{
    const struct rch_layout *L = cap->L;
    uint32_t state = rch_load32(cap->t, str + (uint32_t)L->str_state);
    uint64_t length = rch_load64(cap->t, str + (uint32_t)L->str_length);
    uint32_t kind = state >> L->str_kind_shift & (uint32_t)L->str_kind_mask;
    bool is_ascii = state & (uint32_t)L->str_ascii_bit,
         is_compact = state & (uint32_t)L->str_compact_bit;
    uint64_t extra = 0;  // what a subclass adds counts from 3.12 on
    if (counts_subclass(L))
        extra = (uint64_t)type->basicsize - (uint32_t)L->str_legacy_object_size;
    if (is_compact && is_ascii) {
        if (is_name(cap, str, state))
            keep_name(cap, str, length);
        return (uint32_t)L->str_ascii_data + length + 1 + extra;
    }
    uint64_t bytes =
        extra + (is_compact ? (uint32_t)L->str_compact_data : (uint32_t)L->str_legacy_object_size);
    if (is_compact || rch_load64(cap->t, str + (uint32_t)L->str_legacy_any))
        bytes += (length + 1) * kind;
    rch_addr utf8 = rch_load64(cap->t, str + (uint32_t)L->str_utf8);
    if (utf8 && (is_compact || utf8 != rch_load64(cap->t, str + (uint32_t)L->str_legacy_any)))
        bytes += rch_load64(cap->t, str + (uint32_t)L->str_utf8_length) + 1;
    return bytes;
}

uint64_t rch__size_bytes(struct rch__cap *cap, const struct rch__type *type, rch_addr bytes)
{
    return (uint64_t)type->basicsize + rch_load64(cap->t, bytes + (uint32_t)cap->L->var_size);
}

uint64_t rch__size_bytearray(struct rch__cap *cap, const struct rch__type *type, rch_addr bytes)
{
    const struct rch_layout *L = cap->L;
    uint64_t alloc = rch_load64(cap->t, bytes + (uint32_t)L->bytearray_alloc);
    if (L->bytearray_object != RCH_ABSENT && alloc)  // 3.15+: the buffer is a bytes object
        alloc += (uint32_t)L->bytes_data + 1;
    return (uint64_t)type->basicsize + alloc;
}

uint64_t rch__size_int(struct rch__cap *cap, const struct rch__type *type, rch_addr number)
{
    const struct rch_layout *L = cap->L;
    uint64_t digits;
    if (L->long_tag_shift) {
        digits = rch_load64(cap->t, number + (uint32_t)L->long_size_or_tag) >> L->long_tag_shift;
    } else {
        int64_t size = (int64_t)rch_load64(cap->t, number + (uint32_t)L->long_size_or_tag);
        digits = (uint64_t)(size < 0 ? -size : size);
    }
    if (digits == 0 && L->py_minor >= 11)
        digits = 1;  // zero has a digit of its own
    uint64_t extra = counts_subclass(L) ? (uint64_t)(type->basicsize - L->long_digits) : 0;
    return (uint32_t)L->long_digits + extra + 4 * digits;
}
