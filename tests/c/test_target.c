// SPDX-License-Identifier: MIT
// test_target.c -- reads from our own memory and from made-up memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "target/fake.h"
#include "target/target.h"

static const uint8_t first[4] = {1, 2, 3, 4}, second[8] = {5, 6, 7, 8, 9, 10, 11, 12};
static const struct rch_fake_segment segments[] = {
    {0x1000, first, sizeof(first)},
    {0x1004, second, sizeof(second)},
    {UINT64_MAX - 7, second, sizeof(second)},
};
static struct rch_fake fake = {segments, 3};

static void own_memory_is_read_as_it_is(void **state)
{
    struct rch_target target;
    uint64_t word = UINT64_C(0x1122334455667788), copy;
    (void)state;
    rch_target_own_init(&target);
    assert_true(rch_target_read(&target, (uintptr_t)&word, &copy, sizeof(copy)));
    assert_int_equal(copy, word);
    assert_true(rch_target_read_slow(&target, (uintptr_t)&word, &copy, sizeof(copy)));
    assert_int_equal(copy, word);
    assert_int_equal(rch_load8(&target, (uintptr_t)&word), 0x88);
    assert_int_equal(rch_load32(&target, (uintptr_t)&word), 0x55667788);
    assert_int_equal(target.num_failed, 0);
}

static void checked_own_memory_fails_where_nothing_is_mapped(void **state)
{
    struct rch_target target;
    uint64_t word = 42;
    (void)state;
    rch_target_own_checked_init(&target);
    assert_int_equal(rch_load64(&target, (uintptr_t)&word), 42);
    assert_int_equal(target.num_failed, 0);
    assert_int_equal(rch_load64(&target, 8), 0);
    assert_int_equal(rch_load64(&target, UINT64_C(0x8000000000000000)), 0);
    assert_int_equal(rch_load64(&target, UINT64_MAX - 3), 0);
    assert_int_equal(target.num_failed, 3);
}

static void a_read_may_cross_from_one_segment_into_the_next(void **state)
{
    struct rch_target target;
    (void)state;
    rch_target_fake_init(&target, &fake);
    assert_int_equal(rch_load32(&target, 0x1002), 0x06050403);
    assert_int_equal(rch_load64(&target, 0x1004), UINT64_C(0x0c0b0a0908070605));
    assert_int_equal(target.num_failed, 0);
}

static void a_read_past_the_end_gives_zeros_and_is_counted(void **state)
{
    struct rch_target target;
    uint8_t bytes[16];
    (void)state;
    rch_target_fake_init(&target, &fake);
    memset(bytes, 0xff, sizeof(bytes));
    assert_false(rch_target_read(&target, 0x1008, bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(rch_load16(&target, 0xfff), 0);
    assert_int_equal(rch_load8(&target, 0x100c), 0);
    assert_int_equal(target.num_failed, 3);
}

static void the_last_byte_of_the_address_space_can_be_read_but_not_the_one_after(void **state)
{
    struct rch_target target;
    (void)state;
    rch_target_fake_init(&target, &fake);
    assert_int_equal(rch_load8(&target, UINT64_MAX), 12);
    assert_int_equal(rch_load64(&target, UINT64_MAX - 7), UINT64_C(0x0c0b0a0908070605));
    assert_int_equal(rch_load64(&target, UINT64_MAX - 6), 0);
    assert_int_equal(rch_load16(&target, UINT64_MAX), 0);
    assert_int_equal(target.num_failed, 2);
}

static void reading_nothing_always_works(void **state)
{
    struct rch_target target;
    char byte = 'x';
    (void)state;
    rch_target_fake_init(&target, &fake);
    assert_true(rch_target_read(&target, 0, &byte, 0));
    assert_int_equal(byte, 'x');
    assert_int_equal(target.num_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_memory_is_read_as_it_is),
        cmocka_unit_test(checked_own_memory_fails_where_nothing_is_mapped),
        cmocka_unit_test(a_read_may_cross_from_one_segment_into_the_next),
        cmocka_unit_test(a_read_past_the_end_gives_zeros_and_is_counted),
        cmocka_unit_test(the_last_byte_of_the_address_space_can_be_read_but_not_the_one_after),
        cmocka_unit_test(reading_nothing_always_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
