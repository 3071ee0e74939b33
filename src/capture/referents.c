// SPDX-License-Identifier: MIT
// capture/referents.c -- see referents.h. An object passes through three stations: its head is asked for;
// when that has arrived, the table it has its references in; when that has, it is traversed.
#include "capture/referents.h"

#define RING 64u        // objects under way, a power of two
#define TO_STORAGE 16u  // objects between the stations
#define TO_TRAVERSE 40u
#define NUM_KINDS 256u  // slots of a cache
#define LINE 64u

// Loads without a target: it is our own memory, as tp_traverse has it.
static inline uint64_t word_at(rch_addr addr)
{
    uint64_t word;
    memcpy(&word, (const void *)(uintptr_t)addr, sizeof(word));
    return word;
}

static inline void ask_for(rch_addr addr)
{
    __builtin_prefetch((const void *)(uintptr_t)addr);
}

struct kind {  // what is asked of a type for each of its objects
    rch_addr type;
    rch_traverse_fn traverse;
    uint64_t flags;
    int32_t storage[2];  // offsets of pointers to tables; 0: none
    uint32_t num_lines;  // of such a table
};

struct pipeline {
    struct rch__referents *referents;
    uint64_t type_offset;  // of an object
    rch_addr objects[RING];
    const struct kind *kinds[RING];
    uint32_t num;
    struct kind cache[NUM_KINDS];  // direct-mapped
};

static struct kind kind_of(const struct rch_layout *L, rch_addr type)
{
    struct kind kind = {.type = type, .num_lines = 1};
    rch_addr traverse = word_at(type + (uint32_t)L->type_traverse);
    memcpy(&kind.traverse, &traverse, sizeof(kind.traverse));
    kind.flags = word_at(type + (uint32_t)L->type_flags);
    if (kind.flags & RCH_TPFLAGS_DICT_SUBCLASS) {
        kind.storage[0] = L->dict_keys;
        kind.storage[1] = L->dict_values;
        kind.num_lines = 3;  // header, indices and entries of a small one
    } else if (kind.flags & RCH_TPFLAGS_LIST_SUBCLASS) {
        kind.storage[0] = L->list_items;
    } else if (L->managed_dict != RCH_ABSENT && !L->inline_values_at_basicsize &&
               kind.flags & RCH_TPFLAGS_MANAGED_DICT) {
        kind.storage[0] = L->managed_values != RCH_ABSENT ? L->managed_values : L->managed_dict;
    }
    return kind;
}

static void traverse(struct rch__referents *referents, const struct kind *kind, rch_addr object)
{
    uint64_t flags_offset = (uint32_t)referents->cap->L->type_flags;
    if (!kind->traverse || (kind->flags & RCH_TPFLAGS_TYPE_SUBCLASS &&  // static types refuse
                            !(word_at(object + flags_offset) & RCH_TPFLAGS_HEAPTYPE)))
        return;
    kind->traverse((void *)(uintptr_t)object, referents->visit, referents->arg);
    if (kind->flags & RCH_TPFLAGS_HEAPTYPE)
        referents->last_type = kind->type;
}

void rch__visit_referents_of(struct rch__referents *referents, rch_addr object)
{
    const struct rch_layout *L = referents->cap->L;
    struct kind kind = kind_of(L, word_at(object + (uint32_t)L->object_type));
    traverse(referents, &kind, object);
}

// ---- the stations --------------------------------------------------------------------------------

static void ask_for_head(struct pipeline *pipeline, uint32_t nth, rch_addr object)
{
    pipeline->objects[nth % RING] = object;
    ask_for(object - 32);  // where a managed dict stands
    ask_for(object + pipeline->type_offset);
}

// Two types may take a slot from each other before an object is traversed; it is asked again then.
static void ask_for_storage(struct pipeline *pipeline, uint32_t nth)
{
    rch_addr object = pipeline->objects[nth % RING];
    rch_addr type = word_at(object + pipeline->type_offset);
    struct kind *kind =
        &pipeline->cache[(type >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 56 & (NUM_KINDS - 1)];
    if (__builtin_expect(kind->type != type, 0))
        *kind = kind_of(pipeline->referents->cap->L, type);
    pipeline->kinds[nth % RING] = kind;
    for (int s = 0; s < 2 && kind->storage[s]; s++) {
        rch_addr table = word_at(object + (rch_addr)(int64_t)kind->storage[s]);
        for (uint32_t line = 0; line < kind->num_lines; line++)
            ask_for(table + line * LINE);
    }
}

static void traverse_one(struct pipeline *pipeline, uint32_t nth)
{
    rch_addr object = pipeline->objects[nth % RING];
    const struct kind *kind = pipeline->kinds[nth % RING];
    if (__builtin_expect(kind->type == word_at(object + pipeline->type_offset), 1))
        traverse(pipeline->referents, kind, object);
    else
        rch__visit_referents_of(pipeline->referents, object);
    pipeline->referents->source++;
}

static void push(struct pipeline *pipeline, rch_addr object)
{
    uint32_t nth = pipeline->num++;
    ask_for_head(pipeline, nth, object);
    if (nth >= TO_STORAGE)
        ask_for_storage(pipeline, nth - TO_STORAGE);
    if (nth >= TO_TRAVERSE)
        traverse_one(pipeline, nth - TO_TRAVERSE);
}

static void drain(struct pipeline *pipeline)
{
    uint32_t num = pipeline->num;
    for (uint32_t i = num > TO_STORAGE ? num - TO_STORAGE : 0; i < num; i++)
        ask_for_storage(pipeline, i);
    for (uint32_t i = num > TO_TRAVERSE ? num - TO_TRAVERSE : 0; i < num; i++)
        traverse_one(pipeline, i);
}

void rch__visit_referents(struct rch__referents *referents)
{
    struct rch__cap *cap = referents->cap;
    RCH_BLOCK(block, cap->alloc, 1, sizeof(struct pipeline));
    struct pipeline *pipeline = block.mem;
    if (!pipeline) {
        rch__fail(cap, RCH_ENOMEM, "the referents of objects");
        return;
    }
    pipeline->referents = referents;
    pipeline->type_offset = (uint32_t)cap->L->object_type;
    for (uint32_t at = 0; at < cap->index.num_sorted && cap->status == RCH_OK; at++) {
        uint32_t region = cap->index.order[at];
        const struct rch_cell *cells = cap->index.cells[region];
        RCH_FOR_EACH_CELL (&cap->index, region, i)
            for (uint64_t bits = cells[i].tracked; bits; bits &= bits - 1)
                push(pipeline, rch_code_addr(&cap->index, region << RCH_CODE_SHIFT | i * 64u |
                                                              (uint32_t)__builtin_ctzll(bits)));
    }
    drain(pipeline);
}
