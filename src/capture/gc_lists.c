// SPDX-License-Identifier: MIT
// capture/gc_lists.c -- find what the collector tracks: walk its lists, all generations and the
// permanent one, of every interpreter. Each node of a list is a cache miss that waits for the one
// before. So several cursors walk at once: one from every list head and, where neighbours in the list
// are not neighbours in memory, further ones from tracked objects that already seen objects refer
// to. A cursor ends where another has been. Every node is covered as long as every head has a
// cursor. (research: inprocess-performance, 3)
#include <stdlib.h>

#include "capture/state.h"
#include "capture/tracked.h"

#define MAX_CURSORS 24
#define WINDOW 4096           // nodes, to judge how scattered a list is
#define MAX_SEEDS 256
#define SAMPLE_EVERY 4
#define MAX_SAMPLED_REFS 256  // do not search a long list for seeds

struct cursor {
    rch_addr node, before;  // before: the node that led to it, 0: none did
};

struct walk {
    struct rch__cap *cap;
    const rch_addr *heads;  // ascending
    size_t num_heads;
    struct cursor cursors[MAX_CURSORS];
    uint32_t num_cursors;
    uint32_t seeds[MAX_SEEDS];  // codes of objects
    uint32_t num_seeds;
    uint32_t num_nodes, num_near;  // all; those of the window that follow closely
    bool wants_seeds;
    bool is_collecting;  // from outside: lists are taken apart, counts stand where links back were
    bool is_damaged;
};

static rch_addr next_of(struct rch__cap *cap, rch_addr node)
{
    return rch_load64(cap->t, node) & ~3ull;
}

static rch_addr prev_of(struct rch__cap *cap, rch_addr node)
{
    return rch_load64(cap->t, node + (uint32_t)cap->L->gc_prev) & ~3ull;
}

static bool is_head(const struct walk *walk, rch_addr node)
{
    size_t low = 0, high = walk->num_heads;
    if (node < walk->heads[0] || node > walk->heads[high - 1])
        return false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (walk->heads[mid] < node)
            low = mid + 1;
        else
            high = mid;
    }
    return walk->heads[low] == node;
}

static int compare_heads(const void *a, const void *b)
{
    rch_addr x = *(const rch_addr *)a, y = *(const rch_addr *)b;
    return (x > y) - (x < y);
}

static bool is_collecting(struct rch__cap *cap, rch_addr interp)
{
    const struct rch_layout *L = cap->L;
    return rch_load32(cap->t, interp + (uint32_t)(L->interp_gc + L->gc_collecting)) != 0;
}

static void find_heads(struct walk *walk, struct rch_vec *heads)
{
    struct rch__cap *cap = walk->cap;
    for (size_t n = 0; n < cap->interps.num; n++) {
        struct rch_gc_lists lists = {
            .target = cap->t, .layout = cap->L, .interp = RCH_VEC_AT(&cap->interps, rch_addr, n)};
        bool is_busy = is_collecting(cap, lists.interp);
        walk->is_collecting |= is_busy;
        if (is_busy && !cap->is_foreign)
            rch__fail(cap, RCH_EBUSY,
                      "a garbage collection is under way (are we called from a "
                      "finalizer or a gc callback?); ask again after it");
        for (uint32_t i = 0; i < rch_tracked_num_lists(&lists); i++) {
            rch_addr head = rch_tracked_head(&lists, i);
            if (cap->status == RCH_OK)
                cap->status = rch_vec_append(heads, &head, 1, &cap->err);
        }
    }
    if (heads->num)
        qsort(heads->mem, heads->num, sizeof(rch_addr), compare_heads);
    walk->heads = heads->mem;
    walk->num_heads = heads->num;
}

bool rch__mark_one_tracked(struct rch__cap *cap, rch_addr object)
{
    uint32_t code = rch_code(&cap->index, object);
    if (code == RCH_NO_CODE) {
        if (cap->is_foreign && !cap->index.is_full && !cap->index.out_of_memory)
            return false;
        rch__fail(cap, cap->index.is_full ? RCH_EOVERFLOW : RCH_ENOMEM,
                  cap->index.is_full ? "objects on more than 63 GiB of heap"
                                     : "the index of objects");
        return false;
    }
    struct rch_cell *cell = rch_cell_of(&cap->index, code);
    uint64_t bit = 1ull << (code & 63);
    if (cell->tracked & bit)
        return false;
    if (__builtin_expect(!cell->seen, 0))
        rch_touch(&cap->index, code);
    cell->tracked |= bit;
    cell->seen |= bit;
    cap->num_marked++;
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
    walk->cap->scatter += walk->wants_seeds ? 1 : -1;
    walk->num_near = 0;
    if (!walk->wants_seeds)
        walk->num_seeds = 0;
}

/// From outside: may this be a node of a list, where its neighbour says it is? A node before it may
/// just have been taken out; the way back then still leads through that.
static bool is_node(struct walk *walk, const struct cursor *at)
{
    struct rch__cap *cap = walk->cap;
    if (!walk->is_collecting && at->before) {
        rch_addr back = prev_of(cap, at->node);
        if (back != at->before &&
            (next_of(cap, back) != at->node || prev_of(cap, back) != at->before))
            return false;
    }
    return rch__is_tracked_object(cap, at->node + (uint32_t)cap->L->gc_head_size);
}

/// A node that was just being put at the end of a list: the head still calls the one before the last.
static bool is_half_linked(const struct walk *walk, const struct cursor *at)
{
    for (size_t h = 0; h < walk->num_heads && at->before; h++)
        if (prev_of(walk->cap, walk->heads[h]) == at->before)
            return true;
    return false;
}

/// One node further. False: this cursor has come to its end.
static bool step(struct walk *walk, struct cursor *cursor)
{
    struct rch__cap *cap = walk->cap;
    rch_addr node = cursor->node;
    if (is_head(walk, node))
        return false;
    if (cap->is_foreign && !is_node(walk, cursor)) {
        walk->is_damaged |= !is_half_linked(walk, cursor);
        return false;
    }
    if (!rch__mark_one_tracked(cap, node + (uint32_t)cap->L->gc_head_size))
        return false;
    rch_addr next = next_of(cap, node);
    rch_target_prefetch(cap->t, next);
    rch_look_ahead(cap->t, node, next);
    walk->num_near += rch_is_near(node, next);
    if (++walk->num_nodes % WINDOW == 0)
        judge(walk);
    if (walk->wants_seeds && walk->num_nodes % SAMPLE_EVERY == 0 && walk->num_seeds < MAX_SEEDS / 2)
        sample(walk, node + (uint32_t)cap->L->gc_head_size);
    *cursor = (struct cursor){next, node};
    return true;
}

static void walk_lists(struct walk *walk)
{
    size_t num_begun = 0;
    do {
        rch_addr seed;
        for (; num_begun < walk->num_heads && walk->num_cursors < MAX_CURSORS; num_begun++)
            walk->cursors[walk->num_cursors++] =
                (struct cursor){next_of(walk->cap, walk->heads[num_begun]), walk->heads[num_begun]};
        while (walk->num_cursors < MAX_CURSORS && (seed = take_seed(walk)) != 0)
            walk->cursors[walk->num_cursors++] = (struct cursor){seed, 0};
        if (!rch__goes_on(walk->cap, walk->num_cursors))
            return;
        for (uint32_t i = 0; i < walk->num_cursors;) {
            if (step(walk, &walk->cursors[i]))
                i++;
            else
                walk->cursors[i] = walk->cursors[--walk->num_cursors];
        }
    } while ((walk->num_cursors || num_begun < walk->num_heads) && walk->cap->status == RCH_OK);
}

/// From outside: a list whose last node was not met closes somewhere before its end.
static bool has_lost_tails(struct walk *walk)
{
    struct rch__cap *cap = walk->cap;
    for (size_t h = 0; h < walk->num_heads; h++) {
        rch_addr tail = prev_of(cap, walk->heads[h]);
        if (tail == walk->heads[h])
            continue;
        rch_addr object = tail + (uint32_t)cap->L->gc_head_size;
        uint32_t code =
            rch__is_memory(cap, object, 16) ? rch_code(&cap->index, object) : RCH_NO_CODE;
        if (code == RCH_NO_CODE || !rch_is_tracked_code(&cap->index, code))
            return true;
    }
    return false;
}

static void mark_without_lists(struct rch__cap *cap)
{
    if (!cap->is_foreign) {
        rch__fail(cap, RCH_EUNSUPPORTED, "CPython without the GIL is read from outside only");
        return;
    }
    if (cap->status == RCH_OK)
        cap->status = rch_builder_warn(cap->b, &cap->err, RCH_FREE_THREADED_WARNING);
    for (size_t n = 0; n < cap->interps.num; n++)
        if (is_collecting(cap, RCH_VEC_AT(&cap->interps, rch_addr, n))) {
            rch__warn(cap, "a garbage collection was under way: some objects that it was about to "
                           "free may be there");
            break;
        }
    rch__discover_tracked(cap);
}

void rch__mark_tracked(struct rch__cap *cap)
{
    struct walk walk = {.cap = cap};
    if (cap->L->gc_generation0 == RCH_ABSENT) {
        mark_without_lists(cap);
        return;
    }
    RCH_VEC(heads, cap->alloc, rch_addr);
    find_heads(&walk, &heads);
    if (cap->status != RCH_OK || !walk.num_heads)
        return;
    walk_lists(&walk);
    if (!cap->is_foreign || cap->status != RCH_OK)
        return;
    if (walk.is_collecting)
        rch__warn(cap, "a garbage collection was under way: objects were searched for by their "
                       "types, and some that it was about to free may be among them");
    else if (walk.is_damaged || has_lost_tails(&walk))
        rch__warn(cap,
                  "a list of the garbage collector is damaged, or was being changed: objects "
                  "were searched for by their types, and some may be missing or freed already");
    else
        return;
    rch__discover_tracked(cap);
}
