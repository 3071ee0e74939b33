// SPDX-License-Identifier: MIT
// pylayout/peek.c -- types, dicts, strs and small ints, read with a table that may not fit.
#include "pylayout/peek.h"

#define MAX_TEXT_BYTES 64u
#define MAX_ENTRIES (UINT64_C(1) << 20)
#define MAX_METACLASSES 4
#define FLAG_TYPE_SUBCLASS (1u << 31)

uint64_t rch_peek_word(const struct rch_peek *peek, uint64_t obj, int32_t offset)
{
    if (obj == 0 || obj % 8 != 0 || offset == RCH_ABSENT)
        return 0;
    return rch_load64(peek->target, obj + (uint64_t)(int64_t)offset);
}

bool rch_peek_is_type_named(const struct rch_peek *peek, uint64_t type, const char *name)
{
    char text[MAX_TEXT_BYTES];
    size_t num_bytes = strlen(name) + 1;
    uint64_t addr = rch_peek_word(peek, type, peek->layout->type_name);
    return addr != 0 && num_bytes <= sizeof(text) &&
           rch_target_read(peek->target, addr, text, num_bytes) &&
           memcmp(text, name, num_bytes) == 0;
}

bool rch_peek_is_object(const struct rch_peek *peek, uint64_t obj, uint64_t type_type)
{
    uint64_t type = rch_peek_word(peek, obj, peek->layout->object_type);
    for (int i = 0; i < MAX_METACLASSES && type != 0; i++) {
        if (type == type_type)
            return true;
        type = rch_peek_word(peek, type, peek->layout->object_type);
    }
    return false;
}

bool rch_peek_is_class(const struct rch_peek *peek, uint64_t obj, uint64_t type_type)
{
    uint64_t type = rch_peek_word(peek, obj, peek->layout->object_type);
    return rch_peek_is_object(peek, obj, type_type) &&
           (rch_peek_word(peek, type, peek->layout->type_flags) & FLAG_TYPE_SUBCLASS);
}

bool rch_peek_is_str(const struct rch_peek *peek, uint64_t str, const char *text)
{
    const struct rch_layout *layout = peek->layout;
    char found[MAX_TEXT_BYTES];
    uint32_t is_plain = (uint32_t)layout->str_compact_bit | (uint32_t)layout->str_ascii_bit;
    size_t num_bytes = strlen(text);
    return num_bytes < sizeof(found) && rch_peek_word(peek, str, layout->str_length) == num_bytes &&
           (rch_load32(peek->target, str + (uint64_t)layout->str_state) & is_plain) == is_plain &&
           rch_target_read(peek->target, str + (uint64_t)layout->str_ascii_data, found,
                           num_bytes) &&
           memcmp(found, text, num_bytes) == 0;
}

uint32_t rch_peek_small_int(const struct rch_peek *peek, uint64_t number)
{
    const struct rch_layout *layout = peek->layout;
    uint64_t size = rch_peek_word(peek, number, layout->long_size_or_tag);
    // Up to 3.11 a signed size; later a tag, whose low bits are 0 for a positive int but for one that
    // says that it is one of the small numbers kept for ever.
    if (layout->long_tag_shift > 0 && (size & 3) != 0)
        return 0;
    if (size >> layout->long_tag_shift != 1)
        return 0;
    return rch_load32(peek->target, number + (uint64_t)layout->long_digits);
}

// Bytes of the hash table that stands before the entries; 0: makes no sense.
static uint64_t index_bytes(const struct rch_peek *peek, uint64_t keys)
{
    const struct rch_layout *layout = peek->layout;
    if (layout->keys_log2_index_bytes != RCH_ABSENT) {
        uint8_t log2_bytes =
            rch_load8(peek->target, keys + (uint64_t)layout->keys_log2_index_bytes);
        return log2_bytes > 40 ? 0 : UINT64_C(1) << log2_bytes;
    }
    uint64_t size = rch_peek_word(peek, keys, layout->keys_size);
    if (size > UINT32_MAX)
        return 0;
    return size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
}

void rch_peek_dict_init(struct rch_peek_dict *entries, const struct rch_peek *peek, uint64_t dict)
{
    const struct rch_layout *layout = peek->layout;
    uint64_t keys = rch_peek_word(peek, dict, layout->dict_keys);
    uint64_t num_bytes = keys ? index_bytes(peek, keys) : 0;
    *entries = (struct rch_peek_dict){
        .peek = peek,
        .key = layout->entry_key,
        .value = layout->entry_value,
        .entry_bytes = layout->entry_size,
    };
    if (num_bytes == 0 || rch_peek_word(peek, dict, layout->dict_values) != 0)
        return;
    if (layout->keys_kind != RCH_ABSENT &&
        rch_load8(peek->target, keys + (uint64_t)layout->keys_kind) != layout->keys_general) {
        entries->key = layout->unicode_entry_key;
        entries->value = layout->unicode_entry_value;
        entries->entry_bytes = layout->unicode_entry_size;
    }
    entries->entries = keys + (uint64_t)layout->keys_indices + num_bytes;
    entries->num = rch_peek_word(peek, keys, layout->keys_nentries);
    if (entries->num > MAX_ENTRIES)
        entries->num = MAX_ENTRIES;
}

bool rch_peek_dict_next(struct rch_peek_dict *entries, uint64_t *key, uint64_t *value)
{
    while (entries->i < entries->num) {
        uint64_t entry = entries->entries + entries->i++ * (uint64_t)entries->entry_bytes;
        *key = rch_peek_word(entries->peek, entry, entries->key);
        *value = rch_peek_word(entries->peek, entry, entries->value);
        if (*key && *value)
            return true;
    }
    return false;
}

uint64_t rch_peek_dict_get(const struct rch_peek *peek, uint64_t dict, const char *key)
{
    struct rch_peek_dict entries;
    uint64_t found, value;
    rch_peek_dict_init(&entries, peek, dict);
    while (rch_peek_dict_next(&entries, &found, &value)) {
        if (rch_peek_is_str(peek, found, key))
            return value;
    }
    return 0;
}
