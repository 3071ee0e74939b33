// SPDX-License-Identifier: MIT
// Claims about walks of the collector's lists, on lists made by hand that lie scattered in memory.
#include <stdlib.h>
#include <string.h>

#include "capture/segments.h"
#include "support.h"

enum { NUM_LISTS = 4, NUM_NODES = 140000, NUM_REFS = 4, PERMANENT = 3, MANY = 60000 };

struct node {  // a list node, and the object behind it
    uint64_t next, prev, refcount, type, refs[NUM_REFS];
};

static struct made {
    uint64_t interp[512];
    struct node *nodes;      // in the order of memory
    struct node **in_order;  // in the order of the lists
    uint32_t num_in_order, num_free;
    struct node **unused;  // in random order
    uint64_t type[64], seed;
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

static int traverse(void *object, int (*visit)(void *, void *), void *arg)
{
    const struct node *node = (const struct node *)(const void *)((const uint8_t *)object -
                                                                  offsetof(struct node, refcount));
    int stop = 0;
    for (uint32_t i = 0; i < NUM_REFS && !stop; i++)
        if (node->refs[i])
            stop = visit((void *)(uintptr_t)node->refs[i], arg);
    return stop;
}

static rch_addr head_of(uint32_t list)
{
    return rch_tracked_head(&made.lists, list);
}

static int begin(void **state)
{
    (void)state;
    memset(&made, 0, sizeof(made));
    made.layout = *rch_layout_for(3, 11);
    made.layout.interp_gc = 64;  // the real ones are far into a big struct
    rch_target_own_init(&made.target);
    made.lists =
        (struct rch_gc_lists){&made.target, &made.layout, addr_of(made.interp), false, true};
    made.nodes = aligned_alloc(64, NUM_NODES * sizeof(struct node));
    made.in_order = calloc(NUM_NODES, sizeof(*made.in_order));
    made.unused = calloc(NUM_NODES, sizeof(*made.unused));
    if (!made.nodes || !made.in_order || !made.unused)
        return -1;
    memset(made.nodes, 0, NUM_NODES * sizeof(struct node));
    for (uint32_t i = 0; i < NUM_LISTS; i++)
        *word_at(head_of(i)) = *word_at(head_of(i) + 8) = head_of(i);
    *word_at(addr_of(made.type) + (uint32_t)made.layout.type_flags) = UINT64_C(1) << 14;
    int (*fn)(void *, int (*)(void *, void *), void *) = traverse;
    memcpy(word_at(addr_of(made.type) + (uint32_t)made.layout.type_traverse), &fn, sizeof(fn));
    made.num_free = NUM_NODES;
    for (uint32_t i = 0; i < NUM_NODES; i++)
        made.unused[i] = &made.nodes[i];
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(made.nodes);
    free(made.in_order);
    free(made.unused);
    return 0;
}

static void add(uint32_t list, struct node *node)
{
    rch_addr head = head_of(list), last = *word_at(head + 8) & ~3ull;
    node->next = head;
    node->prev = last | 2;  // with a flag, as after a collection
    node->type = addr_of(made.type);
    *word_at(last) = addr_of(node);
    *word_at(head + 8) = addr_of(node);
    if (list != PERMANENT)
        made.in_order[made.num_in_order++] = node;
}

static struct node *take_any(bool scattered)
{
    uint32_t at = scattered ? (uint32_t)(next_random(&made.seed) % made.num_free) : 0;
    struct node *node = made.unused[at];
    if (scattered)
        made.unused[at] = made.unused[--made.num_free];
    else
        made.unused++, made.num_free--;
    return node;
}

static void fill(uint32_t list, uint32_t num)
{
    for (uint32_t i = 0; i < num; i++)
        add(list, take_any(true));
}

static rch_addr object_of(const struct node *node)
{
    return addr_of(&node->refcount);
}

// Some of them to objects that no list has, and to memory that is none.
static void refer_to_each_other(void)
{
    for (uint32_t i = 0; i < NUM_NODES; i++)
        for (uint32_t r = 0; r < NUM_REFS; r++) {
            uint64_t random = next_random(&made.seed);
            made.nodes[i].type = addr_of(made.type);
            made.nodes[i].refs[r] = random % 9 == 0 ? 0
                                    : random % 9 == 1
                                        ? 0x7fff00001000 + random % 4096 * 16
                                        : object_of(&made.nodes[random / 9 % NUM_NODES]);
        }
}

struct seen {  // what a walk gave
    rch_addr *objects;
    uint32_t *segments, num, stop_after;
    bool *is_backward;
};

static bool note(void *ctx, const struct rch_tracked_batch *batch)
{
    struct seen *seen = ctx;
    for (uint32_t i = 0; i < batch->num; i++) {
        assert_true(seen->num < NUM_NODES);
        assert_int_equal(batch->types[i], addr_of(made.type));
        seen->objects[seen->num] = batch->objects[i];
        seen->is_backward[seen->num] = batch->is_backward;
        seen->segments[seen->num++] = batch->segment;
    }
    return seen->num < seen->stop_after;
}

static enum rch_status walk(const struct rch_alloc *alloc, struct seen *seen,
                            struct rch_vec *segments)
{
    *seen = (struct seen){.stop_after = UINT32_MAX};
    seen->objects = calloc(NUM_NODES, sizeof(rch_addr));
    seen->segments = calloc(NUM_NODES, sizeof(uint32_t));
    seen->is_backward = calloc(NUM_NODES, sizeof(bool));
    assert_true(seen->objects && seen->segments && seen->is_backward);
    rch_vec_init(segments, alloc, sizeof(struct rch_segment));
    return rch_segments_walk(&made.lists, note, seen, segments, NULL);
}

static void drop(struct seen *seen, struct rch_vec *segments)
{
    free(seen->objects);
    free(seen->segments);
    free(seen->is_backward);
    rch_vec_deinit(segments);
}

/// Put the segments one behind the other: is that the lists?
static void assert_order(const struct seen *seen, const struct rch_vec *segments)
{
    const struct rch_segment *rows = segments->mem;
    uint32_t *next = calloc(segments->num + 1, sizeof(*next));
    assert_non_null(next);
    assert_int_equal(seen->num, made.num_in_order);
    for (uint32_t i = 0; i < seen->num; i++) {
        assert_in_range(rows[seen->segments[i]].rank, 0, segments->num - 1);
        assert_int_equal(seen->is_backward[i], rows[seen->segments[i]].is_backward);
        next[rows[seen->segments[i]].rank + 1]++;
    }
    for (size_t r = 0; r < segments->num; r++)
        next[r + 1] += next[r];
    for (uint32_t i = 0; i < 2 * seen->num; i++) {  // what came backwards, from the last on
        bool is_second = i >= seen->num;
        uint32_t nth = is_second ? 2 * seen->num - 1 - i : i;
        if (seen->is_backward[nth] == is_second)
            assert_int_equal(seen->objects[nth],
                             object_of(made.in_order[next[rows[seen->segments[nth]].rank]++]));
    }
    free(next);
}

static void assert_walk_is_the_lists(uint32_t min_segments, uint32_t max_segments)
{
    struct seen seen;
    struct rch_vec segments;
    assert_ok(walk(rch_alloc_default(), &seen, &segments), NULL);
    assert_in_range(segments.num, min_segments, max_segments);
    assert_order(&seen, &segments);
    drop(&seen, &segments);
}

static void scattered_lists_are_walked_in_segments_and_in_order(void **state)
{
    (void)state;
    fill(0, 7);
    fill(2, MANY);
    refer_to_each_other();
    assert_walk_is_the_lists(NUM_LISTS + 10, 10000);
}

static void several_long_lists_are_in_order(void **state)
{
    (void)state;
    fill(0, MANY / 2);
    fill(2, MANY);
    refer_to_each_other();
    assert_walk_is_the_lists(NUM_LISTS + 10, 10000);
}

static void without_references_there_are_no_segments(void **state)
{
    (void)state;
    fill(2, MANY);
    assert_walk_is_the_lists(NUM_LISTS - 1, NUM_LISTS - 1);
}

static void short_lists_and_lists_of_neighbours_are_walked_from_both_ends(void **state)
{
    (void)state;
    assert_walk_is_the_lists(2 * NUM_LISTS, 2 * NUM_LISTS);
    fill(0, 1);
    fill(1, 2);
    fill(2, 3);
    refer_to_each_other();
    assert_walk_is_the_lists(2 * NUM_LISTS, 2 * NUM_LISTS);
    assert_int_equal(end(state), 0);
    assert_int_equal(begin(state), 0);
    struct node **unused = made.unused;
    for (uint32_t i = 0; i < MANY; i++)
        add(2, take_any(false));
    made.unused = unused;
    refer_to_each_other();
    assert_walk_is_the_lists(2 * NUM_LISTS, 2 * NUM_LISTS);
}

static void objects_of_other_lists_are_not_walked(void **state)
{
    (void)state;
    fill(2, MANY);
    fill(PERMANENT, 500);
    refer_to_each_other();
    assert_walk_is_the_lists(2 * NUM_LISTS, 2 * NUM_LISTS);
    assert_int_equal(end(state), 0);
    assert_int_equal(begin(state), 0);
    fill(2, MANY);
    refer_to_each_other();
    made.lists.is_alone = false;
    assert_walk_is_the_lists(2 * NUM_LISTS, 2 * NUM_LISTS);
}

static void whoever_has_enough_ends_the_walk(void **state)
{
    (void)state;
    fill(2, MANY);
    refer_to_each_other();
    struct seen seen;
    struct rch_vec segments;
    assert_ok(walk(rch_alloc_default(), &seen, &segments), NULL);
    seen.num = 0;
    seen.stop_after = 1000;
    segments.num = 0;
    assert_ok(rch_segments_walk(&made.lists, note, &seen, &segments, NULL), NULL);
    assert_in_range(seen.num, 1000, 1000 + RCH_TRACKED_BATCH);
    drop(&seen, &segments);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    fill(0, 9);
    fill(2, MANY);
    refer_to_each_other();
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct seen seen;
        struct rch_vec segments;
        if (ok_or_enomem(walk(alloc, &seen, &segments)))
            assert_order(&seen, &segments);
        drop(&seen, &segments);
    }
}

static void in_a_collection_nothing_is_walked(void **state)
{
    (void)state;
    struct seen seen;
    struct rch_vec segments;
    *word_at(addr_of(made.interp) + (uint32_t)(made.layout.interp_gc + made.layout.gc_collecting)) =
        1;
    assert_status(walk(rch_alloc_default(), &seen, &segments), RCH_EBUSY, NULL);
    assert_int_equal(seen.num, 0);
    drop(&seen, &segments);
}

#define walk_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        walk_test(scattered_lists_are_walked_in_segments_and_in_order),
        walk_test(several_long_lists_are_in_order),
        walk_test(without_references_there_are_no_segments),
        walk_test(short_lists_and_lists_of_neighbours_are_walked_from_both_ends),
        walk_test(objects_of_other_lists_are_not_walked),
        walk_test(whoever_has_enough_ends_the_walk),
        walk_test(memory_may_run_out),
        walk_test(in_a_collection_nothing_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
