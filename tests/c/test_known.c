// SPDX-License-Identifier: MIT
// Claims about the list of what is known: what a line may be, what is said of one that is wrong, and
// that a change of one entry changes no other line.
#include <stdio.h>
#include <string.h>

#include "analyze/findings/known.h"
#include "support.h"

#define A "rc1:1111111111111111"
#define B "rc1:2222222222222222"
#define C "rc1:3333333333333333"

static struct rch_known_list parsed(const char *text)
{
    struct rch_known_list list;
    struct rch_error err = {0};
    assert_ok(rch_known_parse(text, strlen(text), rch_alloc_default(), &list, &err), &err);
    return list;
}

static void assert_wrong(const char *text, const char *words)
{
    struct rch_known_list list;
    struct rch_error err = {0};
    assert_status(rch_known_parse(text, strlen(text), rch_alloc_default(), &list, &err), RCH_EINVAL,
                  NULL);
    if (strcmp(err.message, words) != 0)
        fail_msg("\"%s\": %s", text, err.message);
    rch_known_deinit(&list);
}

static void assert_text(struct rch_text *text, const char *want)
{
    assert_string_equal(text->bytes, want);
    rch_text_deinit(text);
}

static void assert_added(const char *text, const struct rch_known *known, const char *want)
{
    struct rch_text out;
    rch_text_init(&out, rch_alloc_default());
    rch_known_put_added(text, strlen(text), known, &out.sink);
    assert_text(&out, want);
}

static void assert_removed(const char *text, const char *fingerprint, const char *want)
{
    struct rch_text out;
    rch_text_init(&out, rch_alloc_default());
    rch_known_put_removed(text, strlen(text), fingerprint, &out.sink);
    assert_text(&out, want);
}

// ---- reading ------------------------------------------------------------------------------------

static void an_entry_has_a_reason_and_perhaps_a_last_day(void **state)
{
    (void)state;
    struct rch_known_list list =
        parsed("# a comment\n\n" B "  until=2026-12-31\t the reason  # is this \n"
               "  " A " until a day\r\n   # another\n");
    assert_int_equal(list.num_items, 2);
    assert_string_equal(list.items[0].fingerprint, A);
    assert_string_equal(list.items[0].reason, "until a day");
    assert_int_equal(list.items[0].until, 0);
    assert_int_equal(list.items[0].line, 4);
    assert_string_equal(list.items[1].reason, "the reason  # is this");
    assert_int_equal(list.items[1].until, 20261231);
    assert_ptr_equal(rch_known_find(&list, B), &list.items[1]);
    assert_null(rch_known_find(&list, C));
    rch_known_deinit(&list);
}

static void an_empty_text_knows_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "#", "# only this", "  \t\r\n\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct rch_known_list list = parsed(texts[i]);
        assert_int_equal(list.num_items, 0);
        assert_null(rch_known_find(&list, A));
        rch_known_deinit(&list);
    }
}

static void a_wrong_line_is_told_with_its_number(void **state)
{
    (void)state;
    assert_wrong("nonsense\n",
                 "line 1: 'nonsense' is no fingerprint; one is rc1: and 16 of 0-9a-f");
    assert_wrong("#\n" A "0 too long\n",
                 "line 2: '" A "0' is no fingerprint; one is rc1: and 16 of 0-9a-f");
    assert_wrong("rc1:ABCDEF1111111111 capitals",
                 "line 1: 'rc1:ABCDEF1111111111' is no fingerprint; one is rc1: and 16 of 0-9a-f");
    assert_wrong(A "\n", "line 1: there is no reason");
    assert_wrong(A "   until=2026-12-31  \n", "line 1: there is no reason");
    assert_wrong("\n\n" A " until=2026-02-29 x",
                 "line 3: 'until=2026-02-29' is no day like until=2026-12-31");
    assert_wrong(A " until=tomorrow x", "line 1: 'until=tomorrow' is no day like until=2026-12-31");
    assert_wrong(A " x\n" B " y\n" A " z\n", "line 3: " A " is in line 1 already");
    assert_wrong(A " a\x1b[2Jb",
                 "line 1: the reason has a control character; it is one line of text");
    assert_wrong("<<<<<<< HEAD\n" A " x\n",
                 "line 1: '<<<<<<<' is left of a merge: keep the entries of both sides");
    assert_wrong(A " x\n=======\n",
                 "line 2: '=======' is left of a merge: keep the entries of both sides");
}

static void a_nul_is_no_text(void **state)
{
    (void)state;
    struct rch_known_list list;
    static const char text[] = A " a\0b\n";
    assert_status(rch_known_parse(text, sizeof(text) - 1, rch_alloc_default(), &list, NULL),
                  RCH_EINVAL, NULL);
    rch_known_deinit(&list);
}

static void a_day_is_one_of_the_calendar(void **state)
{
    (void)state;
    static const char *const no_days[] = {"",           "2026-1-1",   "2026-13-01",  "2026-00-10",
                                          "2026-04-31", "1900-02-29", "2026-12-31 ", "2026/12/31",
                                          "-026-12-31", "0000-01-01", "20261231"};
    for (size_t i = 0; i < sizeof(no_days) / sizeof(no_days[0]); i++)
        if (rch_day_of(no_days[i]) != 0)
            fail_msg("'%s' is a day", no_days[i]);
    assert_int_equal(rch_day_of("2024-02-29"), 20240229);
    assert_int_equal(rch_day_of("2000-02-29"), 20000229);
    assert_int_equal(rch_day_of("9999-12-31"), 99991231);
    char text[RCH_DAY_BYTES];
    assert_string_equal(rch_day_text(text, 10203), "0001-02-03");
}

static void the_last_day_still_counts(void **state)
{
    (void)state;
    struct rch_known known = {.until = 20261231}, forever = {.until = 0};
    assert_false(rch_known_is_over(&known, 20261230));
    assert_false(rch_known_is_over(&known, 20261231));
    assert_true(rch_known_is_over(&known, 20270101));
    assert_false(rch_known_is_over(&forever, 99991231));
}

static void an_entry_is_used_where_its_fingerprint_stands(void **state)
{
    (void)state;
    struct rch_known_list list = parsed(A " a\n" B " b\n" C " c\n");
    uint8_t used[3] = {0};
    static const char text[] = "{\"fingerprint\": \"" C "\"} rrc1:1" A;
    rch_known_mark_used(&list, text, strlen(text), used);
    assert_int_equal(used[0] + 2 * used[1] + 4 * used[2], 1 + 4);
    rch_known_mark_used(&list, text, 3, used);
    rch_known_mark_used(&list, "", 0, used);
    assert_int_equal(used[1], 0);
    rch_known_deinit(&list);
}

// ---- writing ------------------------------------------------------------------------------------

static const struct rch_known b = {.fingerprint = B, .reason = " why not ", .until = 20301130};
#define B_LINE B " until=2030-11-30 why not\n"

static void an_entry_is_added_in_order(void **state)
{
    (void)state;
    assert_added("", &b, B_LINE);
    assert_added(A " a\n" C " c\n", &b, A " a\n" B_LINE C " c\n");
    assert_added("# head\n\n" C " c\n", &b, "# head\n\n" B_LINE C " c\n");
    assert_added(A " a", &b, A " a\n" B_LINE);
    assert_added(C " c\n# end\n", &b, B_LINE C " c\n# end\n");
}

static void the_comment_above_an_entry_stays_with_it(void **state)
{
    (void)state;
    assert_added(A " a\n# of c\n# too\n" C " c\n", &b, A " a\n" B_LINE "# of c\n# too\n" C " c\n");
    assert_added(A " a\n# end\n", &b, A " a\n# end\n" B_LINE);
}

static void an_entry_that_is_there_is_changed_in_its_place(void **state)
{
    (void)state;
    assert_added(C " c\n  # x\n" B " old\n" A " a\r\n", &b, C " c\n  # x\n" B_LINE A " a\r\n");
}

static void only_the_entry_is_removed(void **state)
{
    (void)state;
    assert_removed("# of a\n" A " a\n\n" B " b\n# end", A, "# of a\n\n" B " b\n# end\n");
    assert_removed(A " a\n", B, A " a\n");
    assert_removed(A " a", A, "");
}

static void what_is_added_can_be_read_again(void **state)
{
    (void)state;
    uint64_t seed = 7;
    struct rch_text text, next;
    rch_text_init(&text, rch_alloc_default());
    for (unsigned i = 0; i < 200; i++) {
        char print[32];
        snprintf(print, sizeof(print), "rc1:%016llx",
                 (unsigned long long)(next_random(&seed) % 60));
        struct rch_known known = {
            .fingerprint = print, .reason = "r", .until = i % 3 ? 20300101 : 0};
        rch_text_init(&next, rch_alloc_default());
        if (i % 4 == 3)
            rch_known_put_removed(text.bytes, text.num_bytes, print, &next.sink);
        else
            rch_known_put_added(text.bytes, text.num_bytes, &known, &next.sink);
        struct rch_known_list list = parsed(next.bytes);
        assert_int_equal(rch_known_find(&list, print) != NULL, i % 4 != 3);
        for (uint32_t k = 1; k < list.num_items; k++)  // the text is in order, too
            assert_int_equal(list.items[k].line, list.items[k - 1].line + 1);
        rch_known_deinit(&list);
        rch_text_deinit(&text);
        text = next;
        text.sink.ctx = &text;
    }
    rch_text_deinit(&text);
}

static void an_entry_that_could_not_be_read_is_refused(void **state)
{
    (void)state;
    static const struct rch_known wrong[] = {
        {"rc1:11", "x", 0, 0},           {A, "", 0, 0},     {A, " \t ", 0, 0}, {A, "a\nb", 0, 0},
        {A, "until=2026-12-31 x", 0, 0}, {A, "\x7f", 0, 0},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_status(rch_known_check(&wrong[i], NULL), RCH_EINVAL, NULL);
    char many[1100];
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_status(rch_known_check(&(struct rch_known){A, many, 0, 0}, NULL), RCH_EINVAL, NULL);
    assert_ok(rch_known_check(&(struct rch_known){A, "until the \u00fcber-release", 0, 0}, NULL),
              NULL);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    static const char text[] = "# x\n" A " a\n" B " until=2026-12-31 b\n";
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_known_list list;
        assert_ok_or_enomem(rch_known_parse(text, strlen(text), alloc, &list, NULL));
        rch_known_deinit(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_has_a_reason_and_perhaps_a_last_day),
        cmocka_unit_test(an_empty_text_knows_nothing),
        cmocka_unit_test(a_wrong_line_is_told_with_its_number),
        cmocka_unit_test(a_nul_is_no_text),
        cmocka_unit_test(a_day_is_one_of_the_calendar),
        cmocka_unit_test(the_last_day_still_counts),
        cmocka_unit_test(an_entry_is_used_where_its_fingerprint_stands),
        cmocka_unit_test(an_entry_is_added_in_order),
        cmocka_unit_test(the_comment_above_an_entry_stays_with_it),
        cmocka_unit_test(an_entry_that_is_there_is_changed_in_its_place),
        cmocka_unit_test(only_the_entry_is_removed),
        cmocka_unit_test(what_is_added_can_be_read_again),
        cmocka_unit_test(an_entry_that_could_not_be_read_is_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
