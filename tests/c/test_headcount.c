// SPDX-License-Identifier: MIT
// Claims about the headcount, on blocks that are handed out here.
#include <stdlib.h>
#include <string.h>

#include "capture/headcount.h"
#include "support.h"

enum { NUM_BLOCKS = 64, BLOCK_BYTES = 64 };

static _Alignas(16) uint64_t blocks[NUM_BLOCKS][BLOCK_BYTES / 8];
static char a_type, b_type;

static rch_addr addr_of(const void *mem)
{
    return (rch_addr)(uintptr_t)mem;
}

static rch_addr block(uint32_t i)
{
    return addr_of(blocks[i]);
}

/// What the maker of block i does with it: an instance behind a head of 16 bytes.
static void make(uint32_t i, const char *type)
{
    memset(blocks[i], 0, sizeof(blocks[i]));
    blocks[i][3] = addr_of(type);
}

static void freed(struct rch_headcount *h, rch_addr at)
{
    if (rch_headcount_may_know(h, at))
        rch_headcount_forget(h, at);
}

static struct rch_watched_type watched(const char *type, uint16_t watches)
{
    return (struct rch_watched_type){.type = addr_of(type),
                                     .head_bytes = 16,
                                     .min_bytes = 48,
                                     .max_bytes = 48,
                                     .watches = watches};
}

static void begin(struct rch_headcount *h, const struct rch_alloc *alloc, uint64_t limit)
{
    struct rch_watched_type type = watched(&a_type, 1);
    assert_ok(rch_headcount_init(h, alloc, NULL), NULL);
    rch_headcount_limit(h, 0, limit);
    assert_ok(rch_headcount_add_type(h, &type, NULL), NULL);
}

static void a_look_is_due_when_all_unclear_blocks_would_reach_the_limit(void **state)
{
    struct rch_headcount h;
    (void)state;
    begin(&h, rch_alloc_default(), 3);
    assert_false(rch_headcount_took(&h, block(0), 48));
    assert_false(rch_headcount_took(&h, block(1), 48));
    assert_false(rch_headcount_took(&h, block(9), 32));   // no instance is so small
    assert_false(rch_headcount_took(&h, block(9), 200));  // nor so big
    assert_true(rch_headcount_took(&h, block(2), 48));
    make(0, &a_type);
    make(1, &b_type);
    make(2, &a_type);
    assert_int_equal(rch_headcount_look(&h), 0);
    assert_int_equal(h.counts[0], 2);
    assert_true(rch_headcount_took(&h, block(3), 48));
    make(3, &a_type);
    assert_int_equal(rch_headcount_look(&h), 1);
    rch_headcount_deinit(&h);
}

static void freed_instances_are_taken_off(void **state)
{
    struct rch_headcount h;
    (void)state;
    begin(&h, rch_alloc_default(), 100);
    for (uint32_t i = 0; i < 10; i++) {
        make(i, &a_type);
        rch_headcount_took(&h, block(i), 48);
    }
    freed(&h, block(4));  // not looked at yet
    rch_headcount_look(&h);
    assert_int_equal(h.counts[0], 9);
    freed(&h, block(5));
    freed(&h, block(5));  // unknown by now
    assert_int_equal(h.counts[0], 8);
    rch_headcount_took(&h, block(5), 48);
    make(5, &b_type);
    rch_headcount_look(&h);
    assert_int_equal(h.counts[0], 8);
    rch_headcount_deinit(&h);
}

static void a_count_starts_anew_from_the_instances_that_were_found(void **state)
{
    struct rch_headcount h;
    (void)state;
    begin(&h, rch_alloc_default(), 100);
    rch_addr objects[20];
    for (uint32_t i = 0; i < 20; i++) {
        make(i, i == 7 ? &b_type : &a_type);
        objects[i] = block(i) + 16;
    }
    assert_ok(rch_headcount_reset(&h, 0, objects, 20, NULL), NULL);
    assert_int_equal(h.counts[0], 19);
    assert_ok(rch_headcount_reset(&h, 0, objects, 5, NULL), NULL);
    assert_int_equal(h.counts[0], 5);
    assert_int_equal(h.num_entries, 5);
    freed(&h, block(0));
    assert_int_equal(h.counts[0], 4);
    rch_headcount_deinit(&h);
}

static void two_watches_share_a_type(void **state)
{
    struct rch_headcount h;
    struct rch_watched_type more = watched(&a_type, 2), other = watched(&b_type, 2);
    (void)state;
    begin(&h, rch_alloc_default(), 100);
    rch_headcount_limit(&h, 1, 2);
    assert_ok(rch_headcount_add_type(&h, &more, NULL), NULL);
    assert_ok(rch_headcount_add_type(&h, &other, NULL), NULL);
    make(0, &a_type);
    make(1, &b_type);
    rch_headcount_took(&h, block(0), 48);
    rch_headcount_took(&h, block(1), 48);
    assert_int_equal(rch_headcount_look(&h), 2);
    assert_int_equal(h.counts[0], 1);
    assert_int_equal(h.counts[1], 2);
    rch_headcount_limit(&h, 1, 0);
    assert_int_equal(h.counts[0], 1);
    assert_int_equal(h.types.num, 1);
    freed(&h, block(0));
    assert_int_equal(h.counts[0], 0);
    rch_headcount_deinit(&h);
}

static void a_type_that_goes_away_is_not_looked_for(void **state)
{
    struct rch_headcount h;
    struct rch_watched_type type = watched(&a_type, 1);
    (void)state;
    assert_ok(rch_headcount_init(&h, rch_alloc_default(), NULL), NULL);
    rch_headcount_limit(&h, 0, 5);
    type.type_block = block(60);
    assert_ok(rch_headcount_add_type(&h, &type, NULL), NULL);
    freed(&h, block(60));
    assert_int_equal(h.types.num, 0);
    make(0, &a_type);  // whose address another type may have now
    rch_headcount_took(&h, block(0), 48);
    rch_headcount_look(&h);
    assert_int_equal(h.counts[0], 0);
    rch_headcount_deinit(&h);
}

static void the_table_agrees_with_a_plain_list_whatever_comes_and_goes(void **state)
{
    enum { MANY = 20000 };
    struct rch_headcount h;
    uint64_t seed = 7, num = 0;
    bool *is_there = calloc(MANY, 1);
    uint64_t *mem = calloc(MANY, BLOCK_BYTES);
    (void)state;
    begin(&h, rch_alloc_default(), UINT64_MAX);
    for (uint32_t step = 0; step < 200000; step++) {
        uint32_t i = (uint32_t)(next_random(&seed) % MANY);
        rch_addr at = addr_of(mem + (size_t)i * BLOCK_BYTES / 8);
        if (is_there[i]) {
            freed(&h, at);
            num--;
        } else {
            mem[(size_t)i * BLOCK_BYTES / 8 + 3] = addr_of(&a_type);
            if (rch_headcount_took(&h, at, 48))
                rch_headcount_look(&h);
            num++;
        }
        is_there[i] = !is_there[i];
        if (step % 997 == 0) {
            rch_headcount_look(&h);
            assert_int_equal(h.counts[0], num);
        }
    }
    rch_headcount_deinit(&h);
    free(mem);
    free(is_there);
}

static void without_memory_it_asks_for_a_count(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_headcount h;
        struct rch_watched_type type = watched(&a_type, 1);
        if (!ok_or_enomem(rch_headcount_init(&h, alloc, NULL)))
            continue;
        rch_headcount_limit(&h, 0, 1000);
        if (ok_or_enomem(rch_headcount_add_type(&h, &type, NULL))) {
            for (uint32_t i = 0; i < NUM_BLOCKS; i++) {
                make(i, &a_type);
                rch_headcount_took(&h, block(i), 48);
            }
            uint32_t reached = rch_headcount_look(&h);
            assert_true(h.counts[0] == NUM_BLOCKS || reached == 1);
        }
        rch_headcount_deinit(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_is_due_when_all_unclear_blocks_would_reach_the_limit),
        cmocka_unit_test(freed_instances_are_taken_off),
        cmocka_unit_test(a_count_starts_anew_from_the_instances_that_were_found),
        cmocka_unit_test(two_watches_share_a_type),
        cmocka_unit_test(a_type_that_goes_away_is_not_looked_for),
        cmocka_unit_test(the_table_agrees_with_a_plain_list_whatever_comes_and_goes),
        cmocka_unit_test(without_memory_it_asks_for_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
