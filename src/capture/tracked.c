// SPDX-License-Identifier: MIT
// capture/tracked.c -- see tracked.h.
#include "capture/tracked.h"

struct walker {
    struct rch_target *t;
    const struct rch_layout *L;
    rch_tracked_fn fn;
    void *ctx;
    uint32_t list;
    bool has_stopped;
};

struct end {  // one of the two ends of a list
    rch_addr objects[RCH_TRACKED_BATCH], types[RCH_TRACKED_BATCH];
    uint32_t num;
    bool is_backward;
};

static void flush(struct walker *walker, struct end *end)
{
    for (uint32_t i = 0; i < end->num; i++)
        end->types[i] = rch_load64(walker->t, end->objects[i] + (uint32_t)walker->L->object_type);
    struct rch_tracked_batch batch = {.objects = end->objects,
                                      .types = end->types,
                                      .num = end->num,
                                      .segment = 2 * walker->list + end->is_backward,
                                      .is_backward = end->is_backward};
    if (end->num && !walker->has_stopped)
        walker->has_stopped = !walker->fn(walker->ctx, &batch);
    end->num = 0;
}

// The type may lie in the cache line after the links: ask for it, and read it a batch later.
static void take(struct walker *walker, struct end *end, rch_addr node)
{
    rch_addr object = node + (uint32_t)walker->L->gc_head_size;
    rch_target_prefetch(walker->t, object + (uint32_t)walker->L->object_type);
    end->objects[end->num++] = object;
    if (end->num == RCH_TRACKED_BATCH)
        flush(walker, end);
}

static void walk_list(struct walker *walker, rch_addr head)
{
    uint32_t gc_prev = (uint32_t)walker->L->gc_prev;
    struct end front = {.num = 0}, back = {.is_backward = true};
    rch_addr first = rch_load64(walker->t, head) & ~3ull;
    rch_addr last = rch_load64(walker->t, head + gc_prev) & ~3ull;
    if (first == head)
        return;
    while (!walker->has_stopped) {
        take(walker, &front, first);
        if (first == last)
            break;
        rch_addr second = rch_load64(walker->t, first) & ~3ull;
        rch_look_ahead(walker->t, first, second);
        first = second;
        take(walker, &back, last);
        if (last == first)
            break;
        rch_addr last_but_one = rch_load64(walker->t, last + gc_prev) & ~3ull;
        rch_look_ahead(walker->t, last, last_but_one);
        last = last_but_one;
    }
    flush(walker, &front);
    flush(walker, &back);
}

uint32_t rch_tracked_num_lists(const struct rch_gc_lists *lists)
{
    int32_t num = lists->layout->gc_num_generations;
    return num == RCH_ABSENT ? 0 : (uint32_t)num + 1;
}

rch_addr rch_tracked_head(const struct rch_gc_lists *lists, uint32_t list)
{
    const struct rch_layout *L = lists->layout;
    bool is_permanent = list == (uint32_t)L->gc_num_generations;
    return lists->interp + (uint32_t)L->interp_gc +
           (is_permanent ? (uint32_t)L->gc_permanent
                         : (uint32_t)L->gc_generation0 + list * (uint32_t)L->gc_generation_size);
}

enum rch_status rch_tracked_check(const struct rch_gc_lists *lists, struct rch_error *err)
{
    const struct rch_layout *L = lists->layout;
    rch_addr gc = lists->interp + (uint32_t)L->interp_gc;
    if (!lists->is_in_callback && rch_load32(lists->target, gc + (uint32_t)L->gc_collecting))
        return rch_fail(err, RCH_EBUSY, "a garbage collection is under way; ask again after it");
    return RCH_OK;
}

bool rch_tracked_walk_list(const struct rch_gc_lists *lists, uint32_t list, rch_tracked_fn fn,
                           void *ctx)
{
    struct walker walker = {
        .t = lists->target, .L = lists->layout, .fn = fn, .ctx = ctx, .list = list};
    walk_list(&walker, rch_tracked_head(lists, list));
    return !walker.has_stopped;
}

enum rch_status rch_tracked_walk(const struct rch_gc_lists *lists, enum rch_list_extent extent,
                                 rch_tracked_fn fn, void *ctx, struct rch_error *err)
{
    RCH_TRY(rch_tracked_check(lists, err));
    uint32_t num = rch_tracked_num_lists(lists);
    num = extent == RCH_LISTS_YOUNGEST ? 1 : extent == RCH_LISTS_GENERATIONS ? num - 1 : num;
    for (uint32_t i = 0; i < num && rch_tracked_walk_list(lists, i, fn, ctx);)
        i++;
    return RCH_OK;
}
