// SPDX-License-Identifier: MIT
// capture/count.c -- see count.h.
#include "capture/count.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { MAX_HEADS = 8, TYPE_SUBCLASS_SHIFT = 31 };

struct heads {
    rch_addr at[MAX_HEADS];  // youngest first, the permanent one last
    uint32_t num;
};

typedef enum rch_status (*visit_fn)(void *ctx, rch_addr object, rch_addr type,
                                    struct rch_error *err);

static rch_addr next_of(const struct rch_gc_lists *lists, rch_addr node)
{
    return rch_load64(lists->target, node) & ~3ull;
}

static rch_addr prev_of(const struct rch_gc_lists *lists, rch_addr node)
{
    return rch_load64(lists->target, node + (uint32_t)lists->layout->gc_prev) & ~3ull;
}

static enum rch_status find_heads(const struct rch_gc_lists *lists, struct heads *heads,
                                  struct rch_error *err)
{
    const struct rch_layout *L = lists->layout;
    rch_addr gc = lists->interp + (uint32_t)L->interp_gc;
    if (!lists->is_in_callback && rch_load32(lists->target, gc + (uint32_t)L->gc_collecting))
        return rch_fail(err, RCH_EBUSY, "a garbage collection is under way; ask again after it");
    heads->num = 0;
    for (int32_t i = 0; i < L->gc_num_generations && heads->num < MAX_HEADS - 1; i++)
        heads->at[heads->num++] = gc + (uint32_t)(L->gc_generation0 + i * L->gc_generation_size);
    heads->at[heads->num++] = gc + (uint32_t)L->gc_permanent;
    return RCH_OK;
}

static enum rch_status visit_node(const struct rch_gc_lists *lists, rch_addr node, visit_fn visit,
                                  void *ctx, struct rch_error *err)
{
    rch_addr object = node + (uint32_t)lists->layout->gc_head_size;
    return visit(ctx, object,
                 rch_load64(lists->target, object + (uint32_t)lists->layout->object_type), err);
}

static enum rch_status walk_list(const struct rch_gc_lists *lists, rch_addr head, visit_fn visit,
                                 void *ctx, struct rch_error *err)
{
    rch_addr first = next_of(lists, head), last = prev_of(lists, head);
    while (first != head) {
        rch_addr next = next_of(lists, first), before = prev_of(lists, last);
        rch_target_prefetch(lists->target, next);
        rch_target_prefetch(lists->target, before);
        RCH_TRY(visit_node(lists, first, visit, ctx, err));
        if (first == last)
            break;
        RCH_TRY(visit_node(lists, last, visit, ctx, err));
        if (next == last)
            break;
        first = next;
        last = before;
    }
    return RCH_OK;
}

static enum rch_status walk(const struct rch_gc_lists *lists, enum rch_list_extent extent,
                            visit_fn visit, void *ctx, struct rch_error *err)
{
    struct heads heads;
    RCH_TRY(find_heads(lists, &heads, err));
    for (uint32_t i = 0; i < (extent == RCH_LISTS_YOUNGEST ? 1 : heads.num); i++)
        RCH_TRY(walk_list(lists, heads.at[i], visit, ctx, err));
    return RCH_OK;
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

static uint32_t head_number(const struct heads *heads, rch_addr node)
{
    uint32_t i = 0;
    while (i < heads->num && heads->at[i] != node)
        i++;
    return i;
}

enum rch_status rch_list_later(const struct rch_gc_lists *lists, rch_addr mark,
                               struct rch_later *later_out, struct rch_vec *found,
                               struct rch_error *err)
{
    struct heads heads;
    *later_out = (struct rch_later){0};
    RCH_TRY(find_heads(lists, &heads, err));
    rch_addr node = mark - (uint32_t)lists->layout->gc_head_size;
    if (lists->layout->py_minor > 13 || !next_of(lists, node))
        return RCH_OK;
    uint32_t list;
    while (node = next_of(lists, node), (list = head_number(&heads, node)) == heads.num)
        RCH_TRY(visit_node(lists, node, append, found, err));
    later_out->is_known = list != heads.num - 1;
    later_out->is_uncollected = list == 0;
    for (uint32_t i = 0; later_out->is_known && i < list; i++)
        RCH_TRY(walk_list(lists, heads.at[i], append, found, err));
    if (found->num)
        qsort(found->mem, found->num, sizeof(rch_addr), compare_addrs);
    return RCH_OK;
}
