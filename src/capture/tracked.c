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
                                      .list = walker->list,
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
        first = rch_load64(walker->t, first) & ~3ull;
        take(walker, &back, last);
        if (last == first)
            break;
        last = rch_load64(walker->t, last + gc_prev) & ~3ull;
    }
    flush(walker, &front);
    flush(walker, &back);
}

enum rch_status rch_tracked_walk(struct rch_target *target, const struct rch_layout *layout,
                                 rch_addr interp, rch_tracked_fn fn, void *ctx,
                                 struct rch_error *err)
{
    struct walker walker = {.t = target, .L = layout, .fn = fn, .ctx = ctx};
    rch_addr gc = interp + (uint32_t)layout->interp_gc;
    if (rch_load32(target, gc + (uint32_t)layout->gc_collecting) != 0)
        return rch_fail(err, RCH_EBUSY, "a garbage collection is under way");
    for (int32_t i = 0; i < layout->gc_num_generations && !walker.has_stopped; i++) {
        walker.list = (uint32_t)i;
        walk_list(&walker,
                  gc + (uint32_t)(layout->gc_generation0 + i * layout->gc_generation_size));
    }
    return RCH_OK;
}
