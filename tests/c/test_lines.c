// SPDX-License-Identifier: MIT
// test_lines.c -- line tables of every format, made up: what CPython would say, and nothing bad from
// tables that make no sense. tests/py/test_stacks.py compares with real code objects.
#include <string.h>

#include "capture/threads.h"
#include "support.h"
#include "target/fake.h"

#define CODE 0x1000u
#define TABLE 0x2000u
#define FIRST_LINE 10

static uint8_t code[512], table[512];
static const struct rch_fake_segment segments[] = {{CODE, code, sizeof(code)},
                                                   {TABLE, table, sizeof(table)}};
static struct rch_fake fake = {segments, 2};
static struct rch_target target;

static struct rch__cap cap_with(uint32_t minor, const void *bytes, uint64_t num_bytes)
{
    const struct rch_layout *L = rch_layout_for(3, minor);
    const uint32_t first_line = FIRST_LINE;
    const uint64_t table_addr = TABLE, num_units = 100;
    rch_target_fake_init(&target, &fake);
    memset(code, 0, sizeof(code));
    memset(table, 0, sizeof(table));
    memcpy(code + L->code_firstlineno, &first_line, sizeof(first_line));
    memcpy(code + L->code_linetable, &table_addr, sizeof(table_addr));
    memcpy(code + L->var_size, &num_units, sizeof(num_units));
    memcpy(table + L->var_size, &num_bytes, sizeof(num_bytes));
    memcpy(table + L->bytes_data, bytes, num_bytes < 400 ? num_bytes : 400);
    return (struct rch__cap){.t = &target, .L = L};
}

struct place {
    int64_t lasti;
    uint32_t line;
};

static void check(uint32_t minor, const void *bytes, size_t num_bytes, const struct place *places)
{
    struct rch__cap cap = cap_with(minor, bytes, num_bytes);
    for (; places->line != UINT32_MAX; places++)
        assert_int_equal(rch__line_at(&cap, CODE, places->lasti), places->line);
    assert_int_equal(target.num_failed, 0);
}
#define END {0, UINT32_MAX}

static void a_lnotab_adds_up(void **state)
{
    (void)state;
    // 6 bytes, +1 line; 50 bytes, +127 and +127 and +46; 4 bytes, -5
    static const uint8_t bytes[] = {6, 1, 50, 127, 0, 127, 0, 46, 4, 0xFB};
    static const struct place places[] = {{-1, 10},  {0, 10},   {4, 10},   {6, 11},    {54, 11},
                                          {56, 311}, {58, 311}, {60, 306}, {500, 306}, END};
    check(9, bytes, sizeof(bytes), places);
}

static void a_table_of_3_10_has_pieces_without_a_line(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {4, 1, 2, 0x80, 0, 127, 254, 10, 6, 0xFE};
    static const struct place places[] = {{-1, 10},   {0, 11},    {2, 11},    {4, 0},   {6, 148},
                                          {258, 148}, {260, 146}, {264, 146}, {266, 0}, END};
    check(10, bytes, sizeof(bytes), places);
}

static void locations_are_of_every_kind(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x80 | 13 << 3 | 1,
        2,  // 4 bytes, +1, without columns
        0x80 | 3 << 3 | 7,
        0x41,  // 16 bytes, the same line
        0x80 | 11 << 3,
        5,
        9,               // 2 bytes, +1
        0x80 | 15 << 3,  // 2 bytes without a line
        0x80 | 14 << 3,
        0x59,
        0x09,  // 2 bytes, long: -(9 << 6 | 25) / 2 lines ...
        0,
        1,
        1,  // ... end line, columns
        0x80 | 12 << 3 | 2,
        0,
        0,  // 6 bytes, +2
    };
    static const struct place places[] = {{-1, 10}, {0, 11}, {2, 11}, {4, 11},  {18, 11},
                                          {20, 12}, {22, 0}, {26, 0}, {500, 0}, END};
    for (uint32_t minor = 11; minor <= 13; minor++)
        check(minor, bytes, sizeof(bytes), places);
}

static void a_big_step_takes_several_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x80 | 13 << 3, 0x40, 0x40, 0x02,   // +(2 << 12) / 2
                                    0x80 | 13 << 3, 0x41, 0x40, 0x02};  // and back
    static const struct place places[] = {{0, 10 + 4096}, {2, 10}, END};
    check(12, bytes, sizeof(bytes), places);
}

static void a_table_that_lies_about_its_size_gives_no_line(void **state)
{
    (void)state;
    for (uint32_t minor = 9; minor <= 13; minor++) {
        static const uint64_t sizes[] = {1000, 1u << 23, 1u << 30, UINT64_MAX};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            static const uint8_t bytes[400] = {1, 1};
            struct rch__cap cap = cap_with(minor, bytes, sizes[i]);
            assert_int_equal(rch__line_at(&cap, CODE, 4), 0);
            assert_in_range(target.num_failed, 0, 1);
        }
    }
}

static void any_bytes_give_a_line_or_none(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[400];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)next_random(&seed);
        struct rch__cap cap =
            cap_with(9 + (uint32_t)(round % 5), bytes, next_random(&seed) % sizeof(bytes));
        assert_in_range(rch__line_at(&cap, CODE, (int64_t)(next_random(&seed) % 300) - 1), 0,
                        INT32_MAX);
        assert_int_equal(target.num_failed, 0);
    }
}

static void an_instruction_outside_the_code_has_no_line(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x80 | 13 << 3 | 7, 0, 0x80 | 13 << 3 | 7, 0};
    struct rch__cap cap = cap_with(12, bytes, sizeof(bytes));
    const struct rch_layout *L = cap.L;
    const struct {
        uint64_t instr;
        uint32_t line;
    } rows[] = {{CODE, 0}, {UINT64_MAX, 0}, {0, 0}};
    uint8_t *frame = code + 300;
    uint64_t start = CODE + (uint32_t)L->code_code_adaptive;
    for (size_t i = 0; i < 3; i++) {
        memcpy(frame + L->iframe_prev_instr, &rows[i].instr, 8);
        int64_t at = rch__last_instruction(&cap, CODE, CODE + 300);
        assert_int_equal(rch__line_at(&cap, CODE, at), rows[i].line);
    }
    for (uint64_t instr = start - 2; instr <= start + 200; instr += 2) {
        memcpy(frame + L->iframe_prev_instr, &instr, 8);
        int64_t at = rch__last_instruction(&cap, CODE, CODE + 300);
        bool is_known = instr < start + 32;
        assert_int_equal(rch__line_at(&cap, CODE, at), is_known ? FIRST_LINE : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lnotab_adds_up),
        cmocka_unit_test(a_table_of_3_10_has_pieces_without_a_line),
        cmocka_unit_test(locations_are_of_every_kind),
        cmocka_unit_test(a_big_step_takes_several_bytes),
        cmocka_unit_test(a_table_that_lies_about_its_size_gives_no_line),
        cmocka_unit_test(any_bytes_give_a_line_or_none),
        cmocka_unit_test(an_instruction_outside_the_code_has_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
