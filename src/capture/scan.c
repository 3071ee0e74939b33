// SPDX-License-Identifier: MIT
// capture/scan.c -- from outside tp_traverse cannot be asked: a word of an object is taken for a
// reference when it leads to an object (trust.c). Named words become named references, the rest
// unnamed guesses. Nothing is followed into blocks of C: that makes more errors than finds.
#include "capture/families.h"

static rch_addr word_at(struct rch__cap *cap, rch_addr object, uint64_t offset)
{
    rch_addr word = rch_load64(cap->t, object + offset);
    return rch__is_object(cap, word) ? word : 0;
}

void rch__emit_likely_fields(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    for (uint32_t i = 0; i < type->num_fields; i++) {
        uint64_t offset = (uint64_t)(int64_t)type->fields[i].offset;
        rch__emit(cap, type->fields[i].is_guess ? word_at(cap, object, offset)
                                                : rch_load64(cap->t, object + offset));
    }
}

// By a field, or known to be no reference.
static bool is_told(const struct rch__type *type, int64_t offset)
{
    for (uint32_t i = 0; i < type->num_fields; i++)
        if (type->fields[i].offset == offset)
            return true;
    for (uint32_t i = 0; i < type->num_others; i++)
        if (type->others[i] == offset)
            return true;
    return false;
}

void rch__scan_words(struct rch__cap *cap, const struct rch__type *type, rch_addr base,
                     int64_t from, int64_t end)
{
    for (int64_t offset = from; offset + 8 <= end; offset += 8) {
        rch_addr word = type && is_told(type, offset) ? 0 : word_at(cap, base, (uint64_t)offset);
        if (word && word != base)
            rch__emit(cap, word);
    }
}

static int64_t items_bytes(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    int64_t num = (int64_t)rch_load64(cap->t, object + (uint32_t)cap->L->var_size), bytes;
    if (type->itemsize == 0 || type->itemsize % 8 || num < 0 ||
        __builtin_mul_overflow(num, type->itemsize, &bytes))
        return 0;
    return rch__is_memory(cap, object + (uint64_t)type->basicsize, (uint64_t)bytes) ? bytes : 0;
}

void rch__scan_own_words(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    rch__scan_words(cap, type, object, cap->L->object_size,
                    type->basicsize + items_bytes(cap, type, object));
}

void rch__scan(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    cap->num_traversed++;
    if (type->family && type->family->scan)
        type->family->scan(cap, type, object);
    else
        rch__scan_own_words(cap, type, object);
}
