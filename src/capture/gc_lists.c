// SPDX-License-Identifier: MIT
// capture/gc_lists.c -- find what the collector tracks: walk its lists, all generations and the
// permanent one, of every interpreter. Each node of a list is a cache miss that waits for the one
// before. So several cursors walk at once: one from every list head and, where neighbours in the list
// are not neighbours in memory, further ones from tracked objects that already seen objects refer
// to. A cursor ends where another has been. Every node is covered as long as every head has a
// cursor. (research: inprocess-performance, 3)
#include <stdlib.h>

#include "capture/state.h"

#define MAX_HEADS 64
#define MAX_CURSORS 24
#define WINDOW 4096           // nodes, to judge how scattered a list is
#define NEAR_BYTES 1024       // the next node so close is as good as sequential
#define MAX_SEEDS 256
#define SAMPLE_EVERY 4
#define MAX_SAMPLED_REFS 256  // do not search a long list for seeds

struct walk {
    struct rch__cap *cap;
    rch_addr heads[MAX_HEADS];
    uint32_t num_heads;
    rch_addr cursors[MAX_CURSORS + MAX_HEADS];
    uint32_t num_cursors;
    uint32_t seeds[MAX_SEEDS];  // codes of objects
    uint32_t num_seeds;
    uint32_t num_nodes, num_near;  // all; those of the window that follow closely
    bool wants_seeds;
};

static rch_addr next_of(struct rch__cap *cap, rch_addr node)
{
    return rch_load64(cap->t, node) & ~3ull;
}

static bool is_head(const struct walk *walk, rch_addr node)
{
    for (uint32_t i = 0; i < walk->num_heads; i++)
        if (walk->heads[i] == node)
            return true;
    return false;
}

static void find_heads(struct walk *walk)
{
    struct rch__cap *cap = walk->cap;
    const struct rch_layout *L = cap->L;
    for (rch_addr interp = rch__next_interp(cap, 0); interp;
         interp = rch__next_interp(cap, interp)) {
        rch_addr gc = interp + (uint32_t)L->interp_gc;
        if (rch_load32(cap->t, gc + (uint32_t)L->gc_collecting) != 0)
            rch__fail(cap, RCH_EBUSY,
                      "a garbage collection is under way (are we called from a "
                      "finalizer or a gc callback?); ask again after it");
        for (int32_t i = 0; i <= L->gc_num_generations; i++) {
            rch_addr head = i < L->gc_num_generations
                                ? gc + (uint32_t)(L->gc_generation0 + i * L->gc_generation_size)
                                : gc + (uint32_t)L->gc_permanent;
            if (walk->num_heads == MAX_HEADS)
                rch__fail(cap, RCH_EUNSUPPORTED, "more than 16 interpreters in one process");
            else
                walk->heads[walk->num_heads++] = head;
        }
    }
}

/// True if the object of this list node was not met before.
static bool mark_tracked(struct rch__cap *cap, rch_addr node)
{
    uint32_t code = rch_code(&cap->index, node + (uint32_t)cap->L->gc_head_size);
    if (code == RCH_NO_CODE) {
        rch__fail(cap, cap->index.is_full ? RCH_EOVERFLOW : RCH_ENOMEM,
                  cap->index.is_full ? "objects on more than 63 GiB of heap"
                                     : "the index of objects");
        return false;
    }
    struct rch_cell *cell = rch_cell_of(&cap->index, code);
    uint64_t bit = 1ull << (code & 63);
    if (cell->tracked & bit)
        return false;
    cell->tracked |= bit;
    cell->seen |= bit;
    return true;
}

// Decode one object into the log, only to see which tracked objects it refers to.
static void sample(struct walk *walk, rch_addr object)
{
    struct rch__cap *cap = walk->cap;
    const struct rch_layout *L = cap->L;
    struct rch__type *type =
        rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)L->object_type));
    if (type->decode_rest || type->size(cap, type, object) > MAX_SAMPLED_REFS * 16)
        return;
    size_t start = cap->log->codes.num, num_borrowed = cap->borrowed.num;
    type->decode(cap, type, object);
    for (size_t i = start; i < cap->log->codes.num && walk->num_seeds < MAX_SEEDS; i++) {
        uint32_t code = RCH_COLUMN_AT(&cap->log->codes, uint32_t, i);
        if (code == RCH_NO_CODE || rch_is_tracked_code(&cap->index, code))
            continue;
        walk->seeds[walk->num_seeds++] = code;
        rch_target_prefetch(cap->t, rch_code_addr(&cap->index, code) - 16);
    }
    cap->log->codes.num = start;
    cap->borrowed.num = num_borrowed;
}

/// A list node to start another cursor at, or 0.
static rch_addr take_seed(struct walk *walk)
{
    struct rch__cap *cap = walk->cap;
    while (walk->num_seeds) {
        uint32_t code = walk->seeds[--walk->num_seeds];
        if (rch_is_tracked_code(&cap->index, code))
            continue;
        rch_addr object = rch_code_addr(&cap->index, code);
        struct rch__type *type =
            rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type));
        if (!(type->flags & RCH_TPFLAGS_HAVE_GC) || type->flags & RCH_TPFLAGS_TYPE_SUBCLASS)
            continue;
        rch_addr node = object - (uint32_t)cap->L->gc_head_size;
        if (rch_load64(cap->t, node) != 0)  // tracked: it is in a list
            return node;
    }
    return 0;
}

// After each window: are its nodes far apart? Else the hardware prefetches better than we can.
static void judge(struct walk *walk)
{
    walk->wants_seeds = walk->num_near < WINDOW / 8 * 7;
    walk->num_near = 0;
    if (!walk->wants_seeds)
        walk->num_seeds = 0;
}

/// One node further. False: this cursor has come to its end.
static bool step(struct walk *walk, rch_addr *cursor)
{
    struct rch__cap *cap = walk->cap;
    rch_addr node = *cursor;
    if (is_head(walk, node) || !mark_tracked(cap, node))
        return false;
    rch_addr next = next_of(cap, node);
    rch_target_prefetch(cap->t, next);
    walk->num_near += (next > node ? next - node : node - next) < NEAR_BYTES;
    if (++walk->num_nodes % WINDOW == 0)
        judge(walk);
    if (walk->wants_seeds && walk->num_nodes % SAMPLE_EVERY == 0 && walk->num_seeds < MAX_SEEDS / 2)
        sample(walk, node + (uint32_t)cap->L->gc_head_size);
    *cursor = next;
    return true;
}

static void walk_lists(struct walk *walk)
{
    for (uint32_t h = 0; h < walk->num_heads; h++)
        walk->cursors[walk->num_cursors++] = next_of(walk->cap, walk->heads[h]);
    while (walk->num_cursors && walk->cap->status == RCH_OK) {
        for (uint32_t i = 0; i < walk->num_cursors;) {
            if (step(walk, &walk->cursors[i]))
                i++;
            else
                walk->cursors[i] = walk->cursors[--walk->num_cursors];
        }
        rch_addr seed;
        while (walk->num_cursors < MAX_CURSORS && (seed = take_seed(walk)) != 0)
            walk->cursors[walk->num_cursors++] = seed;
    }
}

void rch__mark_tracked(struct rch__cap *cap)
{
    struct walk walk = {.cap = cap};
    find_heads(&walk);
    if (cap->status != RCH_OK)
        return;
    walk_lists(&walk);
}
