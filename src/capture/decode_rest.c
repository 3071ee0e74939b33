// SPDX-License-Identifier: MIT
// capture/decode_rest.c -- from outside, what tp_traverse of some C types would visit in blocks of their
// own. No header declares these structs. Offsets: Objects/moduleobject.c, Modules/{_pickle,
// _queuemodule,pyexpat,_elementtree,itertoolsmodule}.c, Modules/_sqlite/, Modules/_decimal/,
// Objects/capsule.c.
#include "capture/families.h"

#include <string.h>

#define MAX_BLOCK_BYTES (1ll << 40)
#define MAX_STATE_BYTES (1 << 20)
#define MAX_CONDITIONS 32
#define NEVER UINT32_MAX

enum offsets {
    TEE_NUM_READ = 24,
    TEE_VALUES = 40,
    TEE_MAX_VALUES = 57,
    CONTEXT_BYTES = 16,  // of sqlite's callback_context that are references
    DECIMAL_SIGNALS = 176,
    DECIMAL_CONDITIONS = 184,
    CONDITION_EXCEPTION = 24,
    CONDITION_BYTES = 32,
    CAPSULE_POINTER = 16,
    CAPSULE_TRAVERSE = 48,
    CAPSULE_BYTES = 24,  // of the table of C functions behind it that may be references
};

// A block of pointers, plain or among other words: all that lead to objects are references.
static void scan_block(struct rch__cap *cap, rch_addr block, uint64_t num, uint32_t elem_bytes)
{
    int64_t bytes;
    if (block && !__builtin_mul_overflow(num, elem_bytes, &bytes) && bytes > 0 &&
        bytes < MAX_BLOCK_BYTES && rch__is_memory(cap, block, (uint64_t)bytes))
        rch__scan_words(cap, NULL, block, 0, bytes);
}

static const struct block {
    const char *family;
    int32_t since, until;  // minor versions
    uint32_t outer;        // offset of a pointer to the struct that has the rest; NEVER: the object
    uint32_t block, num;   // offsets of the block and of its number of elements
    uint32_t more, fixed;  // added to the number; the number itself if `num` is NEVER
    uint32_t elem_bytes;
} blocks[] = {
    {"_pickle.Pickler", 11, 99, 16, 24, 0, 1, 0, 16},  // the memo: a hash table, its mask first
    {"_pickle.Unpickler", 11, 99, NEVER, 24, 32, 0, 0, 8},
    {"_queue.SimpleQueue", 13, 99, NEVER, 40, 48, 0, 0, 8},
    {"pyexpat.xmlparser", 9, 12, NEVER, 64, NEVER, 0, 22, 8},
    {"pyexpat.xmlparser", 13, 99, NEVER, 72, NEVER, 0, 22, 8},
    {"_elementtree._element_iterator", 9, 99, NEVER, 16, 24, 0, 0, 16},
};

void rch__scan_blocks(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    rch__scan_own_words(cap, type, object);
    object += rch__late_by(cap);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        const struct block *row = &blocks[i];
        if (cap->L->py_minor < row->since || cap->L->py_minor > row->until ||
            strcmp(type->family->name, row->family) != 0)
            continue;
        rch_addr base = row->outer == NEVER ? object : rch_load64(cap->t, object + row->outer);
        if (!rch__is_memory(cap, base, (uint64_t)row->block + 8))
            continue;
        uint64_t num = row->num == NEVER ? row->fixed : rch_load64(cap->t, base + row->num);
        scan_block(cap, rch_load64(cap->t, base + row->block), num + row->more, row->elem_bytes);
    }
}

// Slots past the last one read were never written.
void rch__scan_tee(struct rch__cap *cap, struct rch__type *type, rch_addr data)
{
    (void)type;
    data += rch__late_by(cap);
    uint32_t num = rch_load32(cap->t, data + TEE_NUM_READ);
    if (num <= TEE_MAX_VALUES)
        rch__scan_words(cap, NULL, data, TEE_VALUES, TEE_VALUES + 8ll * num);
}

// From 3.11 three callbacks have contexts of their own; they stand right before the exceptions, the first
// of which is called Warning.
void rch__scan_connection(struct rch__cap *cap, struct rch__type *type, rch_addr connection)
{
    rch__scan_own_words(cap, type, connection);
    if (cap->L->py_minor < 11)
        return;
    uint32_t first = (cap->L->py_minor == 11 ? 112 : 120) + rch__late_by(cap);
    for (uint32_t i = 0; i < 3; i++)
        scan_block(cap, rch_load64(cap->t, connection + first + i * 8), 1, CONTEXT_BYTES);
}

// What a capsule leads to is C's: a table of functions whose first word is often a class's address looks
// like an object where the heap lies low. From 3.12 the capsules of _socket and _curses have a traverse
// function, for the classes at the start of theirs.
void rch__scan_capsule(struct rch__cap *cap, struct rch__type *type, rch_addr capsule)
{
    capsule += rch__late_by(cap);
    if (cap->L->py_minor < 12 || type->basicsize < CAPSULE_TRAVERSE + 8 ||
        !rch_load64(cap->t, capsule + CAPSULE_TRAVERSE))
        return;
    scan_block(cap, rch_load64(cap->t, capsule + CAPSULE_POINTER), 1, CAPSULE_BYTES);
}

// ---- modules -------------------------------------------------------------------------------------

static void scan_conditions(struct rch__cap *cap, rch_addr conditions)
{
    for (uint32_t i = 0; conditions && i < MAX_CONDITIONS; i++, conditions += CONDITION_BYTES) {
        if (!rch__is_memory(cap, conditions, CONDITION_BYTES) || !rch_load64(cap->t, conditions))
            return;
        rch__scan_words(cap, NULL, conditions, CONDITION_EXCEPTION, CONDITION_BYTES);
    }
}

// The state of a module is a struct that mostly holds types; without m_traverse nobody visits it.
void rch__scan_module(struct rch__cap *cap, struct rch__type *type, rch_addr module)
{
    (void)type;
    const struct rch_layout *L = cap->L;
    bool has_def = L->module_def != RCH_ABSENT;  // up to 3.14; then the module has what was there
    rch_addr def = rch__field_at(cap, module, L->module_def);
    rch_addr state = rch__field_at(cap, module, L->module_state);
    rch_addr traverse = has_def ? rch__field_at(cap, def, L->moduledef_traverse)
                                : rch__field_at(cap, module, L->module_state_traverse);
    uint64_t bytes = has_def ? rch__field_at(cap, def, L->moduledef_size)
                             : rch__field_at(cap, module, L->module_state_size);
    if (!state || !traverse || bytes > MAX_STATE_BYTES)
        return;
    scan_block(cap, state, bytes / 8, 8);
    char name[16];
    bool is_decimal =
        L->py_minor >= 13 &&
        rch__read_str(cap, rch__field_at(cap, module, L->module_name), name, sizeof(name)) &&
        strcmp(name, "_decimal") == 0;
    if (is_decimal && bytes >= DECIMAL_CONDITIONS + 8) {
        scan_conditions(cap, rch_load64(cap->t, state + DECIMAL_SIGNALS));
        scan_conditions(cap, rch_load64(cap->t, state + DECIMAL_CONDITIONS));
    }
}
