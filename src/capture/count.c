// SPDX-License-Identifier: MIT
// capture/count.c -- see count.h.
#include "capture/count.h"

#include <stdlib.h>

#include "base/alloc.h"

#define TYPE_SUBCLASS_SHIFT 31

typedef enum rch_status (*visit_fn)(void *ctx, rch_addr object, rch_addr type,
                                    struct rch_error *err);

struct visitor {
    visit_fn visit;
    void *ctx;
    struct rch_error *err;
    enum rch_status status;
};

static bool visit_batch(void *ctx, const struct rch_tracked_batch *batch)
{
    struct visitor *visitor = ctx;
    for (uint32_t i = 0; i < batch->num && visitor->status == RCH_OK; i++)
        visitor->status =
            visitor->visit(visitor->ctx, batch->objects[i], batch->types[i], visitor->err);
    return visitor->status == RCH_OK;
}

static enum rch_status walk(const struct rch_gc_lists *lists, enum rch_list_extent extent,
                            visit_fn visit, void *ctx, struct rch_error *err)
{
    struct visitor visitor = {visit, ctx, err, RCH_OK};
    RCH_TRY(rch_tracked_walk(lists, extent, visit_batch, &visitor, err));
    return visitor.status;
}

// --- instances ---

struct type_table {
    rch_addr *slots;  // open addressing; 0: free
    uint32_t *numbers;
    uint32_t mask;
    uint64_t *counts;
    struct rch_vec *found;
};

static uint32_t slot_of(const struct type_table *table, rch_addr type)
{
    uint32_t at = (uint32_t)(type >> 4) * 2654435761u & table->mask;
    while (table->slots[at] && table->slots[at] != type)
        at = (at + 1) & table->mask;
    return at;
}

static enum rch_status count_one(void *ctx, rch_addr object, rch_addr type, struct rch_error *err)
{
    const struct type_table *table = ctx;
    uint32_t at = slot_of(table, type);
    if (!table->slots[at])
        return RCH_OK;
    if (table->counts)
        table->counts[table->numbers[at]]++;
    return table->found ? rch_vec_append(table->found, &object, 1, err) : RCH_OK;
}

enum rch_status rch_count_instances(const struct rch_gc_lists *lists, enum rch_list_extent extent,
                                    const rch_addr *types, uint32_t num_types, uint64_t *counts,
                                    struct rch_vec *found, struct rch_error *err)
{
    size_t num_slots = 16;
    while (num_slots < 4 * (size_t)num_types)
        num_slots *= 2;
    RCH_BLOCK(slots, rch_alloc_default(), num_slots, sizeof(rch_addr));
    RCH_BLOCK(numbers, rch_alloc_default(), num_slots, sizeof(uint32_t));
    struct type_table table = {slots.mem, numbers.mem, (uint32_t)num_slots - 1, counts, found};
    if (!table.slots || !table.numbers)
        return rch_fail(err, RCH_ENOMEM, "a count of instances");
    for (uint32_t i = 0; i < num_types; i++) {
        uint32_t at = slot_of(&table, types[i]);
        table.slots[at] = types[i];
        table.numbers[at] = i;
    }
    return walk(lists, extent, count_one, &table, err);
}

// --- types ---

struct type_search {
    const struct rch_gc_lists *lists;
    struct rch_vec *found;
};

static enum rch_status find_type(void *ctx, rch_addr object, rch_addr type, struct rch_error *err)
{
    const struct type_search *search = ctx;
    uint64_t flags =
        rch_load64(search->lists->target, type + (uint32_t)search->lists->layout->type_flags);
    return flags >> TYPE_SUBCLASS_SHIFT & 1 ? rch_vec_append(search->found, &object, 1, err)
                                            : RCH_OK;
}

enum rch_status rch_list_types(const struct rch_gc_lists *lists, enum rch_list_extent extent,
                               struct rch_vec *found, struct rch_error *err)
{
    struct type_search search = {lists, found};
    return walk(lists, extent, find_type, &search, err);
}

// --- order ---

static enum rch_status append(void *ctx, rch_addr object, rch_addr type, struct rch_error *err)
{
    (void)type;
    return rch_vec_append(ctx, &object, 1, err);
}

static int compare_addrs(const void *a, const void *b)
{
    rch_addr x = *(const rch_addr *)a, y = *(const rch_addr *)b;
    return (x > y) - (x < y);
}

static uint32_t list_begun_by(const struct rch_gc_lists *lists, rch_addr node)
{
    uint32_t i = 0, num = rch_tracked_num_lists(lists);
    while (i < num && rch_tracked_head(lists, i) != node)
        i++;
    return i;
}

enum rch_status rch_list_later(const struct rch_gc_lists *lists, rch_addr mark,
                               struct rch_later *later_out, struct rch_vec *found,
                               struct rch_error *err)
{
    *later_out = (struct rch_later){0};
    RCH_TRY(rch_tracked_check(lists, err));
    rch_addr node = mark - (uint32_t)lists->layout->gc_head_size;
    uint32_t num = rch_tracked_num_lists(lists), list;
    if (lists->layout->py_minor > 13 || !rch_load64(lists->target, node))
        return RCH_OK;
    while (node = rch_load64(lists->target, node) & ~3ull,
           (list = list_begun_by(lists, node)) == num) {
        rch_addr object = node + (uint32_t)lists->layout->gc_head_size;
        RCH_TRY(rch_vec_append(found, &object, 1, err));
    }
    later_out->is_known = list != num - 1;
    later_out->is_uncollected = list == 0;
    struct visitor visitor = {append, found, err, RCH_OK};
    for (uint32_t i = 0; later_out->is_known && i < list; i++)
        rch_tracked_walk_list(lists, i, visit_batch, &visitor);
    if (found->num)
        qsort(found->mem, found->num, sizeof(rch_addr), compare_addrs);
    return visitor.status;
}
