// SPDX-License-Identifier: MIT
// fuzz/fuzz_find.c -- a made-up process with a CPython, and any of its words changed: whatever is found
// in it must be told without a crash. The first byte picks version and clues; then come records of a
// place (4 bytes) and a word (8).
#include <string.h>

#include "fuzz.h"
#include "pylayout/find.h"
#include "tests/c/fake_python.h"

#define NUM_BYTES (FAKE_ELF_BYTES + FAKE_CODE_BYTES + FAKE_DATA_BYTES + FAKE_HEAP_BYTES)

static const struct rch_layout *pick_table(uint32_t number)
{
    const struct rch_layout *table = NULL;
    if (number == 7)
        return rch_layout_free_threaded(3, 13);
    for (uint32_t minor = 0; minor < 64; minor++) {
        const struct rch_layout *next = rch_layout_for(3, minor);
        if (next && (!table || number-- > 0))
            table = next;
    }
    return table;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes)
{
    static const uint32_t clues[] = {FAKE_GNU_HASH, FAKE_HASH | FAKE_RELATIVE, FAKE_COOKIE, 0};
    struct fake_python fake;
    struct rch_python python;
    struct rch_error err;
    uint8_t pick = num_bytes ? data[0] : 0;
    fake_python_init(&fake, pick_table(pick / 4 % 8), clues[pick % 4]);
    for (size_t at = 1; at + 12 <= num_bytes; at += 12) {
        uint32_t place;
        memcpy(&place, data + at, sizeof(place));
        memcpy(fake.bytes + place % (NUM_BYTES / 8) * 8, data + at + 4, 8);
    }
    if (rch_python_find(&fake.image, rch_alloc_default(), &python, &err) == RCH_OK &&
        (!python.type_type || !python.first_interp || !python.minor || !python.how[0]))
        __builtin_trap();
    fake_python_deinit(&fake);
    return 0;
}
