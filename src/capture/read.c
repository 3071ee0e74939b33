// SPDX-License-Identifier: MIT
// capture/read.c -- strings and dicts of the target, read as bytes. See state.h.
#include <stdio.h>
#include <string.h>

#include "capture/state.h"

#define MAX_DICT_ENTRIES (1ll << 40)
#define MAX_STATIC_TYPES 4096
#define MAX_INTERPRETERS 1024
#define INTERP_HEAD_BYTES 4096  // an interpreter's state is larger

void rch__read_cstring(struct rch__cap *cap, rch_addr addr, char *buf, size_t buf_bytes)
{
    size_t at = 0;
    while (addr && at + 1 < buf_bytes && (buf[at] = (char)rch_load8(cap->t, addr + at)) != '\0')
        at++;
    buf[at] = '\0';
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static uint32_t load_char(struct rch__cap *cap, rch_addr data, uint32_t kind, uint64_t i)
{
    if (kind == 1)
        return rch_load8(cap->t, data + i);
    return kind == 2 ? rch_load16(cap->t, data + 2 * i) : rch_load32(cap->t, data + 4 * i);
}

bool rch__read_str(struct rch__cap *cap, rch_addr object, char *buf, size_t buf_bytes)
{
    const struct rch_layout *L = cap->L;
    buf[0] = '\0';
    if (!object ||
        !rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)L->object_type))->is_str)
        return false;
    uint32_t state = rch_load32(cap->t, object + (uint32_t)L->str_state);
    uint64_t length = rch_load64(cap->t, object + (uint32_t)L->str_length);
    uint32_t kind = state >> L->str_kind_shift & (uint32_t)L->str_kind_mask;
    bool is_ascii = state & (uint32_t)L->str_ascii_bit,
         is_compact = state & (uint32_t)L->str_compact_bit;
    if ((kind != 1 && kind != 2 && kind != 4) || !length)
        return length == 0;
    rch_addr data = object + (uint32_t)(is_ascii ? L->str_ascii_data : L->str_compact_data);
    if (!is_compact)  // legacy, and subclasses of str: the characters are elsewhere
        data = rch_load64(cap->t, object + (uint32_t)L->str_legacy_any);
    size_t at = 0;
    for (uint64_t i = 0; data && i < length && at + 5 <= buf_bytes; i++)
        at += put_utf8(buf + at, load_char(cap, data, kind, i));
    buf[at] = '\0';
    return true;
}

rch_str rch__intern_str(struct rch__cap *cap, rch_addr object)
{
    char text[512];
    return rch__read_str(cap, object, text, sizeof(text)) ? rch__intern(cap, text) : RCH_NO_STR;
}

// Entries follow the indices; their width depends on the table's size (Objects/dictobject.c).
static struct rch__entries keys_entries_old(struct rch__cap *cap, rch_addr keys)
{
    const struct rch_layout *L = cap->L;
    uint64_t size = rch_load64(cap->t, keys + (uint32_t)L->keys_size);
    uint64_t width = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
    return (struct rch__entries){.first = keys + (uint32_t)L->keys_indices + size * width,
                                 .num =
                                     (int64_t)rch_load64(cap->t, keys + (uint32_t)L->keys_nentries),
                                 .stride = L->entry_size,
                                 .key_off = L->entry_key,
                                 .value_off = L->entry_value};
}

struct rch__entries rch__keys_entries(struct rch__cap *cap, rch_addr keys)
{
    const struct rch_layout *L = cap->L;
    struct rch__entries e;
    if (L->keys_kind == RCH_ABSENT) {
        e = keys_entries_old(cap, keys);
    } else {
        uint8_t log2_index_bytes = rch_load8(cap->t, keys + (uint32_t)L->keys_log2_index_bytes);
        bool is_general = rch_load8(cap->t, keys + (uint32_t)L->keys_kind) == L->keys_general;
        e = (struct rch__entries){
            .first = keys + (uint32_t)L->keys_indices + (1ull << (log2_index_bytes & 63)),
            .num = (int64_t)rch_load64(cap->t, keys + (uint32_t)L->keys_nentries),
            .stride = is_general ? L->entry_size : L->unicode_entry_size,
            .key_off = is_general ? L->entry_key : L->unicode_entry_key,
            .value_off = is_general ? L->entry_value : L->unicode_entry_value};
    }
    if (e.num < 0 || e.num > MAX_DICT_ENTRIES ||
        !rch__fits(cap, e.first, (uint64_t)e.num, (uint32_t)e.stride))
        e.num = 0;
    return e;
}

rch_addr rch__dict_find(struct rch__cap *cap, rch_addr dict, const char *key)
{
    if (!dict)
        return 0;
    struct rch__entries e =
        rch__keys_entries(cap, rch_load64(cap->t, dict + (uint32_t)cap->L->dict_keys));
    rch_addr values = rch_load64(cap->t, dict + (uint32_t)cap->L->dict_values);
    char text[128];
    for (int64_t i = 0; i < e.num; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        rch_addr name = rch_load64(cap->t, entry + (uint32_t)e.key_off);
        if (!name || !rch__read_str(cap, name, text, sizeof(text)) || strcmp(text, key) != 0)
            continue;
        return rch_load64(cap->t, values ? values + (uint32_t)cap->L->values_items + (rch_addr)i * 8
                                         : entry + (uint32_t)e.value_off);
    }
    return 0;
}

static rch_addr find_state(struct rch__cap *cap, rch_addr states, uint64_t num, rch_addr type)
{
    for (uint64_t i = 0; i < num && i < MAX_STATIC_TYPES; i++) {
        rch_addr state = states + i * (uint32_t)cap->L->static_type_state_size;
        if (rch_load64(cap->t, state + (uint32_t)cap->L->static_type_type) == type)
            return state;
    }
    return 0;
}

// From 3.12 an interpreter may have a GIL of its own: whoever asks from inside holds only the GIL of
// his, and another one's objects may change under our eyes.
static bool may_walk(struct rch__cap *cap, rch_addr interp)
{
    bool has_own_gil = cap->L->interp_static_types != RCH_ABSENT;
    return !cap->opt.calling_thread || !has_own_gil || interp == cap->home_interp;
}

static bool is_listed(const struct rch__cap *cap, rch_addr interp)
{
    for (size_t i = 0; i < cap->interps.num; i++)
        if (RCH_VEC_AT(&cap->interps, rch_addr, i) == interp)
            return true;
    return false;
}

// The interpreter of whoever asks; from outside the main one, which is the last of the list.
void rch__find_interps(struct rch__cap *cap)
{
    rch_addr interp = cap->opt.first_interp;
    cap->home_interp = rch__field_at(cap, cap->opt.calling_thread, cap->L->tstate_interp);
    for (uint32_t num = 0; interp && num < MAX_INTERPRETERS && cap->status == RCH_OK; num++) {
        if (cap->is_foreign &&
            (!rch__is_memory(cap, interp, INTERP_HEAD_BYTES) || is_listed(cap, interp))) {
            rch__warn(cap, "the list of interpreters is damaged");
            break;
        }
        if (!cap->opt.calling_thread)
            cap->home_interp = interp;
        if (may_walk(cap, interp))
            cap->status = rch_vec_append(&cap->interps, &interp, 1, &cap->err);
        else
            cap->num_skipped_interps++;
        interp = rch__field_at(cap, interp, cap->L->interp_next);
    }
    rch_addr main_interp = rch__field_at(cap, cap->opt.runtime, cap->L->runtime_main_interpreter);
    if (!cap->opt.calling_thread && is_listed(cap, main_interp))
        cap->home_interp = main_interp;
    if (cap->num_skipped_interps && cap->status == RCH_OK)
        cap->status =
            rch_builder_warn(cap->b, &cap->err,
                             "%u other interpreter(s) of this process may have a GIL of their "
                             "own and were not read",
                             cap->num_skipped_interps);
}

// Built-in types first, then those of extension modules (3.13: datetime).
rch_addr rch__static_type_state(struct rch__cap *cap, rch_addr type)
{
    const struct rch_layout *L = cap->L;
    if (L->interp_static_types == RCH_ABSENT)
        return 0;
    rch_addr interp = cap->home_interp;
    uint64_t num = rch_load64(cap->t, interp + (uint32_t)L->interp_num_static_types);
    rch_addr state = find_state(cap, interp + (uint32_t)L->interp_static_types, num, type);
    if (state || L->interp_ext_static_types == RCH_ABSENT)
        return state;
    return find_state(cap, interp + (uint32_t)L->interp_ext_static_types,
                      (uint32_t)L->ext_static_type_max, type);
}

rch_addr rch__type_dict(struct rch__cap *cap, rch_addr type)
{
    rch_addr dict = rch_load64(cap->t, type + (uint32_t)cap->L->type_dict);
    if (dict)
        return dict;
    rch_addr state = rch__static_type_state(cap, type);
    return state ? rch_load64(cap->t, state + (uint32_t)cap->L->static_type_dict) : 0;
}
