// SPDX-License-Identifier: MIT
// capture/segments.c -- see segments.h. What has been met is marked in a bitmap of the heap (index.h).
#include "capture/segments.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "capture/index.h"

#define NUM_CURSORS 24u
#define SKIPPED 24576u   // nodes at each end of a list ...
#define WINDOW 1024u     // ... before those by which to judge how scattered it is
#define MOSTLY(num) ((num) / 8 * 7)
#define MAX_SEEDS 256u
#define SAMPLE_EVERY 4u
#define MAX_VISITED 256u  // referents of one object
#define TYPE_SUBCLASS UINT64_C(0x80000000)
#define HAVE_GC UINT64_C(0x4000)

typedef int (*visit_fn)(void *referent, void *arg);
typedef int (*traverse_fn)(void *object, visit_fn visit, void *arg);

struct cursor {
    rch_addr node;
    uint32_t segment, num;
    rch_addr objects[RCH_TRACKED_BATCH];
};

struct segment {
    rch_addr begin, end;  // its first node; the one behind its last
    uint32_t number;
};

struct walk {
    struct rch_target *t;
    const struct rch_layout *L;
    const struct rch_gc_lists *lists;
    rch_tracked_fn fn;
    void *ctx;
    struct rch_index index;
    struct rch_vec segments;  // struct segment
    struct cursor cursors[NUM_CURSORS];
    rch_addr seeds[MAX_SEEDS];
    uint32_t num_cursors, num_seeds, num_visited;
    uint32_t num_nodes, num_near;  // all; those of the window that follow closely
    bool wants_seeds;
    rch_addr lowest_head, highest_head;
    bool has_stopped, out_of_memory;
};

static rch_addr next_of(const struct walk *walk, rch_addr node)
{
    return rch_load64(walk->t, node) & ~3ull;
}

static uint32_t num_generations(const struct rch_gc_lists *lists)
{
    return rch_tracked_num_lists(lists) - 1;
}

static bool is_head(const struct walk *walk, rch_addr node)
{
    if (__builtin_expect(node < walk->lowest_head || node > walk->highest_head, 1))
        return false;
    for (uint32_t i = 0; i < rch_tracked_num_lists(walk->lists); i++)
        if (rch_tracked_head(walk->lists, i) == node)
            return true;
    return false;
}

// ---- is it worth it? -----------------------------------------------------------------------------

/// Are most nodes far from the one before, at both ends of the list, behind what lies there (the
/// interpreter's own objects, and the youngest)? Not if it is short.
static bool is_scattered(const struct rch_gc_lists *lists, rch_addr head)
{
    uint32_t back = (uint32_t)lists->layout->gc_prev, near_first = 0, near_last = 0;
    rch_addr first = rch_load64(lists->target, head) & ~3ull;
    rch_addr last = rch_load64(lists->target, head + back) & ~3ull;
    for (uint32_t i = 0; i < SKIPPED + WINDOW; i++) {
        rch_addr second = rch_load64(lists->target, first) & ~3ull;
        if (first == last || second == last)
            return false;
        rch_addr last_but_one = rch_load64(lists->target, last + back) & ~3ull;
        rch_look_ahead(lists->target, first, second);
        rch_look_ahead(lists->target, last, last_but_one);
        near_first += i >= SKIPPED && rch_is_near(first, second);
        near_last += i >= SKIPPED && rch_is_near(last, last_but_one);
        first = second;
        last = last_but_one;
    }
    return near_first < MOSTLY(WINDOW) && near_last < MOSTLY(WINDOW);
}

static bool is_any_scattered(const struct rch_gc_lists *lists)
{
    uint32_t i = 0, num = num_generations(lists);
    while (i < num && !is_scattered(lists, rch_tracked_head(lists, i)))
        i++;
    return i < num;
}

static bool knows_all_lists(const struct rch_gc_lists *lists)
{
    uint32_t num = rch_tracked_num_lists(lists);
    if (!lists->is_alone || num < 2)
        return false;
    rch_addr permanent = rch_tracked_head(lists, num - 1);
    return (rch_load64(lists->target, permanent) & ~3ull) == permanent;
}

// ---- seeds ---------------------------------------------------------------------------------------

/// The type, 0 for what may have no head of the collector's. Types themselves lead anywhere.
static rch_addr plain_type_of(const struct walk *walk, rch_addr object)
{
    rch_addr type = rch_load64(walk->t, object + (uint32_t)walk->L->object_type);
    uint64_t flags = rch_load64(walk->t, type + (uint32_t)walk->L->type_flags);
    return flags & HAVE_GC && !(flags & TYPE_SUBCLASS) &&
                   !rch_load64(walk->t, type + (uint32_t)walk->L->type_is_gc)
               ? type
               : 0;
}

static bool is_met(const struct walk *walk, rch_addr object)
{
    uint32_t code = rch_known_code(&walk->index, object);
    return code == RCH_NO_CODE || rch_cell_of(&walk->index, code)->seen >> (code & 63) & 1;
}

// Whether it is tracked is asked later, when its head has arrived.
static int note_seed(void *referent, void *arg)
{
    struct walk *walk = arg;
    rch_addr object = (rch_addr)(uintptr_t)referent;
    if (walk->num_seeds < MAX_SEEDS && !is_met(walk, object)) {
        walk->seeds[walk->num_seeds++] = object;
        rch_target_prefetch(walk->t, object - (uint32_t)walk->L->gc_head_size);
    }
    return ++walk->num_visited >= MAX_VISITED;
}

static void note_seeds_of(struct walk *walk, rch_addr object)
{
    rch_addr type = plain_type_of(walk, object), traverse;
    traverse_fn fn;
    if (!type || !(traverse = rch_load64(walk->t, type + (uint32_t)walk->L->type_traverse)))
        return;
    memcpy(&fn, &traverse, sizeof(fn));
    walk->num_visited = 0;
    fn((void *)(uintptr_t)object, note_seed, walk);
}

/// A node that was not met, 0: none is known.
static rch_addr take_seed(struct walk *walk)
{
    while (walk->num_seeds) {
        rch_addr object = walk->seeds[--walk->num_seeds];
        rch_addr node = object - (uint32_t)walk->L->gc_head_size;
        if (!is_met(walk, object) && plain_type_of(walk, object) && rch_load64(walk->t, node) != 0)
            return node;
    }
    return 0;
}

// ---- walking -------------------------------------------------------------------------------------

static void flush(struct walk *walk, struct cursor *cursor)
{
    rch_addr types[RCH_TRACKED_BATCH];
    for (uint32_t i = 0; i < cursor->num; i++)
        types[i] = rch_load64(walk->t, cursor->objects[i] + (uint32_t)walk->L->object_type);
    struct rch_tracked_batch batch = {
        .objects = cursor->objects, .types = types, .num = cursor->num, .segment = cursor->segment};
    if (cursor->num && !walk->has_stopped)
        walk->has_stopped = !walk->fn(walk->ctx, &batch);
    cursor->num = 0;
}

/// False: it was marked before, or cannot be.
static bool mark(struct walk *walk, rch_addr node)
{
    uint32_t code = rch_code(&walk->index, node + (uint32_t)walk->L->gc_head_size);
    walk->out_of_memory |= code == RCH_NO_CODE;
    return code != RCH_NO_CODE && rch_mark(&walk->index, code);
}

/// Another segment from `node` on, which begins a list, or was not met.
static void start(struct walk *walk, rch_addr node)
{
    struct segment segment = {node, node, (uint32_t)walk->segments.num};
    if (rch_vec_append(&walk->segments, &segment, 1, NULL) != RCH_OK)
        walk->out_of_memory = true;
    else if (!is_head(walk, node) && mark(walk, node)) {
        struct cursor *cursor = &walk->cursors[walk->num_cursors++];
        cursor->node = node;
        cursor->segment = segment.number;
        cursor->num = 0;
    }
}

static void sample(struct walk *walk, rch_addr object)
{
    if (walk->num_nodes / SAMPLE_EVERY % WINDOW == 0) {
        walk->wants_seeds = walk->num_near < MOSTLY(SAMPLE_EVERY * WINDOW);
        walk->num_near = 0;
    }
    if (walk->wants_seeds && walk->num_seeds < MAX_SEEDS / 2)
        note_seeds_of(walk, object);
}

/// One node further. False: this cursor has come to its end.
static inline bool step(struct walk *walk, struct cursor *cursor)
{
    rch_addr object = cursor->node + (uint32_t)walk->L->gc_head_size;
    rch_target_prefetch(walk->t, object + (uint32_t)walk->L->object_type);
    cursor->objects[cursor->num++] = object;
    rch_addr next = next_of(walk, cursor->node);
    rch_target_prefetch(walk->t, next);
    rch_look_ahead(walk->t, cursor->node, next);
    walk->num_near += rch_is_near(cursor->node, next);
    cursor->node = next;
    if (walk->num_nodes++ % SAMPLE_EVERY == 0)
        sample(walk, object);
    bool goes_on = !is_head(walk, cursor->node) && mark(walk, cursor->node);
    if (cursor->num == RCH_TRACKED_BATCH || !goes_on)
        flush(walk, cursor);
    if (!goes_on)
        RCH_VEC_AT(&walk->segments, struct segment, cursor->segment).end = cursor->node;
    return goes_on;
}

static void walk_all(struct walk *walk)
{
    for (uint32_t i = 0; i < num_generations(walk->lists); i++)
        start(walk, next_of(walk, rch_tracked_head(walk->lists, i)));
    while (walk->num_cursors && !walk->has_stopped && !walk->out_of_memory) {
        rch_addr seed;
        while (walk->num_cursors < NUM_CURSORS && walk->segments.num < RCH_MAX_SEGMENTS &&
               (seed = take_seed(walk)) != 0)
            start(walk, seed);
        for (uint32_t i = 0; i < walk->num_cursors;) {
            if (step(walk, &walk->cursors[i]))
                i++;
            else
                walk->cursors[i] = walk->cursors[--walk->num_cursors];
        }
    }
}

// ---- order ---------------------------------------------------------------------------------------

static int compare_begin(const void *a, const void *b)
{
    rch_addr x = ((const struct segment *)a)->begin, y = ((const struct segment *)b)->begin;
    return (x > y) - (x < y);
}

/// From where list after list begins on to where each segment has ended.
static enum rch_status put_in_order(struct walk *walk, struct rch_vec *out, struct rch_error *err)
{
    struct segment *rows = walk->segments.mem;
    size_t num = walk->segments.num;
    uint32_t num_lists = num_generations(walk->lists), rank = 0;
    RCH_TRY(rch_vec_append(out, NULL, num, err));
    struct rch_segment *ranks = out->mem;
    RCH_BLOCK(block, rch_alloc_default(), num_lists, sizeof(rch_addr));
    rch_addr *begins = block.mem;
    if (!begins)
        return rch_fail(err, RCH_ENOMEM, "a walk of the collector's lists");
    for (uint32_t i = 0; i < num_lists; i++)
        begins[i] = rows[i].begin;
    qsort(rows, num, sizeof(*rows), compare_begin);
    for (uint32_t i = 0; i < num_lists; i++)
        for (struct segment key = {.begin = begins[i]}; rank < num;) {
            const struct segment *at = bsearch(&key, rows, num, sizeof(*rows), compare_begin);
            if (!at)
                break;
            ranks[at->number].rank = rank++;
            if (at->begin == at->end)  // an empty list
                break;
            key.begin = at->end;
        }
    return rank == num ? RCH_OK
                       : rch_fail(err, RCH_EINVAL, "the collector's lists have changed meanwhile");
}

static enum rch_status walk_segments(struct walk *walk, struct rch_vec *segments,
                                     struct rch_error *err)
{
    uint32_t num_lists = rch_tracked_num_lists(walk->lists);
    walk->lowest_head = UINT64_MAX;
    for (uint32_t i = 0; i < num_lists; i++) {
        rch_addr head = rch_tracked_head(walk->lists, i);
        walk->lowest_head = head < walk->lowest_head ? head : walk->lowest_head;
        walk->highest_head = head > walk->highest_head ? head : walk->highest_head;
    }
    walk_all(walk);
    if (walk->out_of_memory || walk->index.out_of_memory)
        return rch_fail(err, RCH_ENOMEM, "a walk of the collector's lists");
    return walk->has_stopped ? RCH_OK : put_in_order(walk, segments, err);
}

static enum rch_status two_for_each_list(const struct rch_gc_lists *lists, struct rch_vec *segments,
                                         struct rch_error *err)
{
    for (uint32_t i = 0; i < 2 * rch_tracked_num_lists(lists); i++) {
        struct rch_segment segment = {i, i % 2};
        RCH_TRY(rch_vec_append(segments, &segment, 1, err));
    }
    return RCH_OK;
}

enum rch_status rch_segments_walk(const struct rch_gc_lists *lists, rch_tracked_fn fn, void *ctx,
                                  struct rch_vec *segments, struct rch_error *err)
{
    RCH_TRY(rch_tracked_check(lists, err));
    if (!knows_all_lists(lists) || !is_any_scattered(lists)) {
        RCH_TRY(two_for_each_list(lists, segments, err));
        return rch_tracked_walk(lists, RCH_LISTS_GENERATIONS, fn, ctx, err);
    }
    const struct rch_alloc *alloc = segments->alloc;
    RCH_BLOCK(block, alloc, 1, sizeof(struct walk));
    struct walk *walk = block.mem;
    if (!walk)
        return rch_fail(err, RCH_ENOMEM, "a walk of the collector's lists");
    *walk = (struct walk){.t = lists->target,
                          .L = lists->layout,
                          .lists = lists,
                          .fn = fn,
                          .ctx = ctx,
                          .wants_seeds = true};
    rch_vec_init(&walk->segments, alloc, sizeof(struct segment));
    RCH_TRY(rch_index_init(&walk->index, err));
    enum rch_status st = walk_segments(walk, segments, err);
    rch_index_deinit(&walk->index);
    rch_vec_deinit(&walk->segments);
    return st;
}
