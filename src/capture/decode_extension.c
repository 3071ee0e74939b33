// SPDX-License-Identifier: MIT
// capture/decode_extension.c -- types of the standard library's C modules whose references or bytes
// lie in blocks of their own. No header declares these structs; they are alike in 3.9 to 3.15
// (but for SimpleQueue: its offsets come from pylayout). Offsets are those after a head of 16 bytes.
// Offsets: Modules/{_elementtree,_struct,arraymodule,itertoolsmodule}.c, Modules/_io/, datetime.h.
#include "capture/families.h"

#define FIXED RCH_LABEL_FIXED
#define MAX_CHILDREN (1ull << 32)
#define MAX_FORMAT_CODES (1u << 20)

enum offsets {
    ELEMENT_TEXT = 24,  // the low bit of text and tail says "a list to be joined"
    ELEMENT_TAIL = 32,
    ELEMENT_EXTRA = 40,
    EXTRA_ATTRIB = 0,
    EXTRA_LENGTH = 8,
    EXTRA_ALLOCATED = 16,
    EXTRA_CHILDREN = 24,
    EXTRA_FIRST_FOUR = 32,  // children in the block itself
    EXTRA_BYTES = 64,
    DATETIME_HAS_TZINFO = 24,
    DATETIME_TZINFO = 40,
    TIME_TZINFO = 32,
    ARRAY_ALLOCATED = 32,
    ARRAY_DESCRIPTION = 40,
    DESCRIPTION_ITEM_BYTES = 4,
    STRUCT_CODES = 32,
    FORMAT_CODE_BYTES = 32,  // the list ends with a code whose first word is 0
    BYTESIO_BUFFER = 16,
    BUFFERED_BUFFER = 56,
    BUFFERED_SIZE = 120,
    POOL = 16,  // itertools.product, permutations, combinations
    COMBINATIONS_LENGTH = 40,
    PERMUTATIONS_LENGTH = 48,
};

static uint64_t word(struct rch__cap *cap, rch_addr block, uint32_t offset)
{
    return rch_load64(cap->t, block + offset);
}

static uint64_t own_word(struct rch__cap *cap, rch_addr object, uint32_t offset)
{
    return word(cap, object, offset + rch__late_by(cap));
}

// ---- xml.etree.ElementTree.Element --------------------------------------------------------------

void rch__emit_element(struct rch__cap *cap, struct rch__type *type, rch_addr element)
{
    (void)type;
    rch__emit(cap, own_word(cap, element, ELEMENT_TEXT) & ~1ull);
    rch__emit(cap, own_word(cap, element, ELEMENT_TAIL) & ~1ull);
    rch_addr extra = own_word(cap, element, ELEMENT_EXTRA);
    if (!extra)
        return;
    rch__emit(cap, word(cap, extra, EXTRA_ATTRIB));
    uint64_t num = word(cap, extra, EXTRA_LENGTH);
    rch_addr children = word(cap, extra, EXTRA_CHILDREN);
    if (num >= MAX_CHILDREN || !rch__fits(cap, children, num, 8))
        return;
    for (uint64_t i = 0; i < num; i++)
        rch__emit(cap, rch_load64(cap->t, children + i * 8));
}

uint32_t rch__label_element(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_FIELD, "text", 0);
    rch__label_add(cap, RCH_EDGE_FIELD, "tail", 0);
    rch__label_add(cap, RCH_EDGE_FIELD, "attrib", FIXED);
    rch__label_add(cap, RCH_EDGE_ITEM, NULL, RCH_LABEL_GROUP);
    return 1;
}

uint64_t rch__size_element(struct rch__cap *cap, const struct rch__type *type, rch_addr element)
{
    uint64_t bytes = (uint64_t)type->basicsize;
    rch_addr extra = own_word(cap, element, ELEMENT_EXTRA);
    if (!extra)
        return bytes;
    bool has_block = word(cap, extra, EXTRA_CHILDREN) != extra + EXTRA_FIRST_FOUR;
    return bytes + EXTRA_BYTES + (has_block ? word(cap, extra, EXTRA_ALLOCATED) * 8 : 0);
}

// ---- datetime: the struct ends before tzinfo when there is none ---------------------------------

static void emit_tzinfo(struct rch__cap *cap, rch_addr object, uint32_t offset)
{
    bool has_tzinfo = rch_load8(cap->t, object + DATETIME_HAS_TZINFO + rch__late_by(cap)) != 0;
    rch__emit(cap, has_tzinfo ? own_word(cap, object, offset) : 0);
}

void rch__emit_datetime(struct rch__cap *cap, struct rch__type *type, rch_addr datetime)
{
    (void)type;
    emit_tzinfo(cap, datetime, DATETIME_TZINFO);
}

void rch__emit_time(struct rch__cap *cap, struct rch__type *type, rch_addr time)
{
    (void)type;
    emit_tzinfo(cap, time, TIME_TZINFO);
}

uint32_t rch__label_tzinfo(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_FIELD, "tzinfo", FIXED);
    return 0;
}

// ---- SimpleQueue: a list, or from 3.13 a ring ---------------------------------------------------

void rch__emit_simplequeue(struct rch__cap *cap, struct rch__type *type, rch_addr queue)
{
    (void)type;
    const struct rch_layout *L = cap->L;
    rch_addr items = rch__field_at(cap, queue, L->simplequeue_items);
    uint64_t capacity = rch__field_at(cap, queue, L->simplequeue_capacity);
    uint64_t first = rch__field_at(cap, queue, L->simplequeue_first);
    uint64_t num = rch__field_at(cap, queue, L->simplequeue_num);
    for (uint64_t i = 0; items && i < num && num <= capacity && num < MAX_CHILDREN; i++)
        rch__emit(cap, rch_load64(cap->t, items + (first + i) % capacity * 8));
}

uint32_t rch__label_simplequeue(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_ITEM, NULL, RCH_LABEL_GROUP);
    return 1;
}

// ---- sizes --------------------------------------------------------------------------------------

uint64_t rch__size_array(struct rch__cap *cap, const struct rch__type *type, rch_addr array)
{
    rch_addr description = own_word(cap, array, ARRAY_DESCRIPTION);
    uint64_t item_bytes = rch_load32(cap->t, description + DESCRIPTION_ITEM_BYTES);
    return (uint64_t)type->basicsize + own_word(cap, array, ARRAY_ALLOCATED) * item_bytes;
}

uint64_t rch__size_struct(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    rch_addr codes = own_word(cap, object, STRUCT_CODES);
    uint64_t num = 0;
    while (codes && num < MAX_FORMAT_CODES && rch_load64(cap->t, codes + num * FORMAT_CODE_BYTES))
        num++;
    return (uint64_t)type->basicsize + (codes ? num + 1 : 0) * FORMAT_CODE_BYTES;
}

// The buffer counts while nobody else refers to it.
uint64_t rch__size_bytesio(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    rch_addr buffer = own_word(cap, object, BYTESIO_BUFFER);
    if (!buffer || rch__refcount(cap, buffer) != 1)
        return (uint64_t)type->basicsize;
    return (uint64_t)type->basicsize + (uint32_t)cap->L->bytes_data + 1 +
           word(cap, buffer, (uint32_t)cap->L->var_size);
}

uint64_t rch__size_buffered(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    uint64_t bytes =
        own_word(cap, object, BUFFERED_BUFFER) ? own_word(cap, object, BUFFERED_SIZE) : 0;
    return (uint64_t)type->basicsize + bytes;
}

// Up to 3.14 it has no __sizeof__ that counts the ring.
uint64_t rch__size_simplequeue(struct rch__cap *cap, const struct rch__type *type, rch_addr queue)
{
    bool counts_ring = cap->L->py_minor >= 15;
    uint64_t bytes = counts_ring ? 8 * rch__field_at(cap, queue, cap->L->simplequeue_capacity) : 0;
    return (uint64_t)type->basicsize + bytes;
}

static uint64_t pool_length(struct rch__cap *cap, rch_addr object)
{
    rch_addr pool = own_word(cap, object, POOL);
    return pool ? word(cap, pool, (uint32_t)cap->L->var_size) : 0;
}

uint64_t rch__size_product(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    return (uint64_t)type->basicsize + 8 * pool_length(cap, object);
}

uint64_t rch__size_combinations(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    return (uint64_t)type->basicsize + 8 * own_word(cap, object, COMBINATIONS_LENGTH);
}

uint64_t rch__size_permutations(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    return (uint64_t)type->basicsize +
           8 * (pool_length(cap, object) + own_word(cap, object, PERMUTATIONS_LENGTH));
}
