// SPDX-License-Identifier: MIT
// Claims about the quick questions to the collector's lists, on lists made by hand.
#include <string.h>

#include "capture/count.h"
#include "support.h"

enum { NUM_LISTS = 4, MAX_OBJECTS = 16, PERMANENT = 3 };

struct node {  // a list node, and the object behind it
    uint64_t next, prev, refcount, type;
};
struct type {
    uint64_t words[64];
};

static struct lists {
    uint64_t interp[512];
    struct node nodes[MAX_OBJECTS];
    struct type type, a, b;
    uint32_t num_nodes;
    struct rch_layout layout;
    struct rch_target target;
    struct rch_gc_lists lists;
} made;

static rch_addr addr_of(const void *mem)
{
    return (rch_addr)(uintptr_t)mem;
}

static uint64_t *word_at(rch_addr addr)
{
    return (uint64_t *)(uintptr_t)addr;
}

static rch_addr head_of(uint32_t list)
{
    const struct rch_layout *L = &made.layout;
    rch_addr gc = addr_of(made.interp) + (uint32_t)L->interp_gc;
    return list == PERMANENT
               ? gc + (uint32_t)L->gc_permanent
               : gc + (uint32_t)(L->gc_generation0 + (int32_t)list * L->gc_generation_size);
}

static void begin(uint32_t minor)
{
    memset(&made, 0, sizeof(made));
    made.layout = *rch_layout_for(3, minor);
    made.layout.interp_gc = 64;  // the real ones are far into a big struct
    rch_target_own_init(&made.target);
    made.lists =
        (struct rch_gc_lists){&made.target, &made.layout, addr_of(made.interp), false, true};
    for (uint32_t i = 0; i < NUM_LISTS; i++)
        *word_at(head_of(i)) = *word_at(head_of(i) + 8) = head_of(i);
    *word_at(addr_of(&made.type) + (uint32_t)made.layout.type_flags) = UINT64_C(1) << 31;
}

/// At the end of a list, as the collector puts it. Returns the object.
static rch_addr add(uint32_t list, const struct type *type)
{
    struct node *node = &made.nodes[made.num_nodes++];
    rch_addr head = head_of(list), last = *word_at(head + 8) & ~3ull;
    *node = (struct node){head, last | 2, 1, addr_of(type)};  // with a flag, as after a collection
    *word_at(last) = addr_of(node) | (last == head ? 0 : 1);
    *word_at(head + 8) = addr_of(node);
    return addr_of(&node->refcount);
}

static void instances_of_all_lists_are_counted(void **state)
{
    (void)state;
    begin(11);
    rch_addr types[] = {addr_of(&made.a), addr_of(&made.b)};
    for (uint32_t i = 0; i < NUM_LISTS; i++)  // 0, 1, 2 and 3 objects: both ends meet in each way
        for (uint32_t k = 0; k < i; k++)
            add(i, k % 2 ? &made.b : &made.a);
    add(1, &made.type);
    uint64_t counts[2] = {10, 0};
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    assert_ok(rch_count_instances(&made.lists, RCH_LISTS_ALL, types, 2, counts, &found, NULL),
              NULL);
    assert_int_equal(counts[0], 10 + 4);
    assert_int_equal(counts[1], 2);
    assert_int_equal(found.num, 6);
    assert_ok(rch_count_instances(&made.lists, RCH_LISTS_YOUNGEST, types, 2, counts, NULL, NULL),
              NULL);
    assert_int_equal(counts[0], 14);
    add(0, &made.b);
    assert_ok(rch_count_instances(&made.lists, RCH_LISTS_YOUNGEST, types, 2, counts, NULL, NULL),
              NULL);
    assert_int_equal(counts[1], 3);
}

static void more_types_than_slots_are_told_apart(void **state)
{
    (void)state;
    begin(11);
    rch_addr types[100];
    uint64_t counts[100] = {0};
    for (uint32_t i = 0; i < 100; i++)
        types[i] = addr_of(made.interp) + 8 * i;
    types[77] = addr_of(&made.a);
    add(2, &made.a);
    add(2, &made.b);
    assert_ok(rch_count_instances(&made.lists, RCH_LISTS_ALL, types, 100, counts, NULL, NULL),
              NULL);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(counts[i], i == 77);
}

static void in_a_collection_only_its_callbacks_may_ask(void **state)
{
    (void)state;
    begin(11);
    *word_at(addr_of(made.interp) + (uint32_t)(made.layout.interp_gc + made.layout.gc_collecting)) =
        1;
    struct rch_error err;
    rch_addr type = addr_of(&made.a);
    uint64_t count = 0;
    assert_status(rch_count_instances(&made.lists, RCH_LISTS_ALL, &type, 1, &count, NULL, &err),
                  RCH_EBUSY, &err);
    made.lists.is_in_callback = true;
    assert_ok(rch_count_instances(&made.lists, RCH_LISTS_ALL, &type, 1, &count, NULL, &err), &err);
}

static void types_are_found_by_the_flag_of_their_type(void **state)
{
    (void)state;
    begin(11);
    add(0, &made.a);
    rch_addr type = add(0, &made.type);
    add(2, &made.type);
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    assert_ok(rch_list_types(&made.lists, RCH_LISTS_YOUNGEST, &found, NULL), NULL);
    assert_int_equal(found.num, 1);
    assert_true(RCH_VEC_AT(&found, rch_addr, 0) == type);
    assert_ok(rch_list_types(&made.lists, RCH_LISTS_ALL, &found, NULL), NULL);
    assert_int_equal(found.num, 3);
}

static void assert_later(rch_addr mark, bool is_known, bool is_uncollected, size_t num)
{
    struct rch_later later;
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    assert_ok(rch_list_later(&made.lists, mark, &later, &found, NULL), NULL);
    assert_int_equal(later.is_known, is_known);
    assert_int_equal(later.is_uncollected, is_uncollected);
    if (is_known)
        assert_int_equal(found.num, num);
    for (size_t i = 1; is_known && i < found.num; i++)
        assert_true(RCH_VEC_AT(&found, rch_addr, i - 1) < RCH_VEC_AT(&found, rch_addr, i));
}

static void what_stands_behind_a_mark_and_what_is_younger_is_later(void **state)
{
    (void)state;
    begin(11);
    add(2, &made.a);
    add(1, &made.a);
    rch_addr mark = add(1, &made.b);
    add(0, &made.a);
    add(1, &made.a);
    add(0, &made.a);
    assert_later(mark, true, false, 3);
}

static void a_mark_in_the_youngest_list_was_not_collected(void **state)
{
    (void)state;
    begin(13);
    add(0, &made.a);
    rch_addr mark = add(0, &made.b);
    add(0, &made.a);
    assert_later(mark, true, true, 1);
}

static void order_tells_nothing_where_the_lists_are_mixed(void **state)
{
    (void)state;
    begin(11);
    rch_addr frozen = add(PERMANENT, &made.b);
    assert_later(frozen, false, false, 0);
    begin(14);
    assert_later(add(0, &made.b), false, false, 0);
    begin(11);
    struct node untracked = {0};
    assert_later(addr_of(&untracked.refcount), false, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_of_all_lists_are_counted),
        cmocka_unit_test(more_types_than_slots_are_told_apart),
        cmocka_unit_test(in_a_collection_only_its_callbacks_may_ask),
        cmocka_unit_test(types_are_found_by_the_flag_of_their_type),
        cmocka_unit_test(what_stands_behind_a_mark_and_what_is_younger_is_later),
        cmocka_unit_test(a_mark_in_the_youngest_list_was_not_collected),
        cmocka_unit_test(order_tells_nothing_where_the_lists_are_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
