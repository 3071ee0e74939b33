// SPDX-License-Identifier: MIT
// tests/c/test_base.c -- errors, allocation, arena, vector, sink.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/progress.h"
#include "base/sink.h"
#include "base/vec.h"
#include "support.h"

// --- errors ---

static void an_error_carries_its_code_its_place_and_its_words(void **state)
{
    (void)state;
    struct rch_error err;
    assert_int_equal(rch_fail_at(&err, RCH_ECORRUPT, 4711, "row %d", 3), RCH_ECORRUPT);
    assert_int_equal(err.code, RCH_ECORRUPT);
    assert_int_equal(err.where, 4711);
    assert_string_equal(err.message, "row 3");
}

static void only_errors_of_the_system_carry_errno(void **state)
{
    (void)state;
    struct rch_error err;
    errno = ENOSPC;
    rch_fail(&err, RCH_EIO, "disk");
    assert_int_equal(err.os_errno, ENOSPC);
    errno = ENOSPC;
    rch_fail(&err, RCH_EINVAL, "number");
    assert_int_equal(err.os_errno, 0);
    assert_int_equal(errno, ENOSPC);
}

static void an_error_without_storage_is_its_code(void **state)
{
    (void)state;
    assert_int_equal(rch_fail(NULL, RCH_ENOMEM, "no matter"), RCH_ENOMEM);
    assert_int_equal(rch_fail_at(NULL, RCH_EFAULT, 1, "no matter"), RCH_EFAULT);
}

static void long_messages_are_cut_and_end_with_nul(void **state)
{
    (void)state;
    struct rch_error err;
    rch_fail(&err, RCH_EINVAL, "%0500d", 1);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void every_code_and_no_code_have_words(void **state)
{
    (void)state;
    assert_string_equal(rch_status_words(RCH_OK), "success");
    assert_string_equal(rch_status_words(RCH_ECANCELED), "canceled");
    assert_string_equal(rch_status_words((enum rch_status)999), "unknown error");
    assert_string_equal(rch_status_words((enum rch_status) - 1), "unknown error");
}

// --- allocation ---

static void arrays_come_zeroed_and_of_at_least_one_element(void **state)
{
    (void)state;
    struct tracked_alloc tracked;
    tracked_alloc_init(&tracked, 0);
    uint64_t *none = rch_calloc(&tracked.alloc, 0, sizeof(*none));
    assert_non_null(none);
    assert_int_equal(*none, 0);
    assert_int_equal(tracked.live_bytes, 8);
    uint64_t *three = rch_realloc(&tracked.alloc, none, 0, 3, sizeof(*three));
    assert_int_equal(three[0], 0);
    rch_free(&tracked.alloc, three, 3, sizeof(*three));
    rch_free(&tracked.alloc, NULL, 3, sizeof(*three));
    tracked_alloc_finish(&tracked);
}

static void sizes_that_overflow_give_no_memory(void **state)
{
    (void)state;
    const struct rch_alloc *alloc = rch_alloc_default();
    assert_null(rch_calloc(alloc, SIZE_MAX / 2, 4));
    assert_null(rch_calloc(alloc, SIZE_MAX, 1));
    char *one = rch_calloc(alloc, 1, 1);
    assert_null(rch_realloc(alloc, one, 1, SIZE_MAX / 2, 4));
    rch_free(alloc, one, 1, 1);
}

static void a_block_is_freed_unless_it_is_taken(void **state)
{
    (void)state;
    struct tracked_alloc tracked;
    char *kept = NULL;
    tracked_alloc_init(&tracked, 0);
    for (int i = 0; i < 2; i++) {
        RCH_BLOCK(block, &tracked.alloc, 10, 1);
        assert_non_null(block.mem);
        if (i == 1)
            kept = rch_block_take(&block);
    }
    assert_int_equal(tracked.num_live, 1);
    rch_free(&tracked.alloc, kept, 10, 1);
    tracked_alloc_finish(&tracked);
}

// --- arena ---

static void pieces_of_an_arena_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct tracked_alloc tracked;
    struct rch_arena arena;
    char *last = NULL;
    tracked_alloc_init(&tracked, 0);
    rch_arena_init(&arena, &tracked.alloc);
    for (size_t num = 0; num < 2000; num++) {
        unsigned char *piece = rch_arena_take(&arena, num, 1);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % 16, 0);
        assert_ptr_not_equal(piece, last);
        for (size_t i = 0; i < num; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xFF, num);
        last = (char *)piece;
    }
    assert_true(tracked.num_requests < 20);
    rch_arena_deinit(&arena);
    tracked_alloc_finish(&tracked);
}

static void an_arena_copies_and_formats(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_arena arena;
        rch_arena_init(&arena, alloc);
        const char *copied = rch_arena_copy(&arena, "abcdef", 3);
        const char *printed = rch_arena_printf(&arena, "%s-%0*d", "x", 9000, 7);
        if (copied)
            assert_string_equal(copied, "abc");
        if (printed)
            assert_int_equal(strlen(printed), 9002);
        assert_null(rch_arena_take(&arena, SIZE_MAX, 2));
        assert_null(rch_arena_copy(&arena, "", SIZE_MAX));
        rch_arena_deinit(&arena);
    }
}

// --- vector ---

static void a_vector_keeps_what_is_appended(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        RCH_VEC(vec, alloc, uint32_t);
        bool ok = true;
        for (uint32_t i = 0; ok && i < 1000; i++)
            ok = ok_or_enomem(rch_vec_append(&vec, &i, 1, NULL));
        if (ok)
            ok = ok_or_enomem(rch_vec_append(&vec, NULL, 2, NULL));
        for (size_t i = 0; i < vec.num && i < 1000; i++)
            assert_int_equal(RCH_VEC_AT(&vec, uint32_t, i), i);
        if (ok)
            assert_int_equal(RCH_VEC_AT(&vec, uint32_t, 1001), 0);
    }
}

static void a_vector_that_cannot_grow_keeps_its_contents(void **state)
{
    (void)state;
    RCH_VEC(vec, rch_alloc_default(), uint32_t);
    const uint32_t one = 1;
    assert_ok(rch_vec_append(&vec, &one, 1, NULL), NULL);
    struct rch_error err;
    assert_status(rch_vec_reserve(&vec, SIZE_MAX, &err), RCH_EOVERFLOW, &err);
    assert_status(rch_vec_reserve(&vec, SIZE_MAX / 8, &err), RCH_ENOMEM, &err);
    assert_int_equal(vec.num, 1);
    assert_int_equal(RCH_VEC_AT(&vec, uint32_t, 0), 1);
}

// --- sink ---

static void text_grows_and_always_ends_with_nul(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_text text;
        rch_text_init(&text, alloc);
        assert_string_equal(text.bytes, "");
        for (int i = 0; i < 100; i++)
            rch_putf(&text.sink, "%03d,", i);
        rch_putf(&text.sink, "%01000d", 0);
        rch_put(&text.sink, "");
        rch_put_bytes(&text.sink, "end", 3);
        assert_int_equal(text.bytes[text.num_bytes], 0);
        if (ok_or_enomem(text.sink.status)) {
            assert_int_equal(text.num_bytes, 400 + 1000 + 3);
            assert_memory_equal(text.bytes, "000,001,", 8);
        }
        rch_text_deinit(&text);
        assert_string_equal(text.bytes, "");
    }
}

static enum rch_status full_disk(void *ctx, const char *bytes, size_t num_bytes,
                                 struct rch_error *err)
{
    (void)bytes;
    (void)num_bytes;
    ++*(int *)ctx;
    errno = ENOSPC;
    return rch_fail(err, RCH_EIO, "disk is full");
}

static void the_first_failure_of_a_sink_silences_the_rest(void **state)
{
    (void)state;
    int num_calls = 0;
    struct rch_sink sink = {.write = full_disk, .ctx = &num_calls};
    rch_put(&sink, "a");
    rch_put(&sink, "b");
    rch_putf(&sink, "%01000d", 1);
    assert_int_equal(num_calls, 1);
    assert_int_equal(sink.status, RCH_EIO);
    assert_int_equal(sink.err.os_errno, ENOSPC);
}

static void without_a_callback_work_goes_on(void **state)
{
    (void)state;
    const struct rch_progress none = {0};
    assert_true(rch_go_on(NULL, "x", 0, 1));
    assert_true(rch_go_on(&none, "x", 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_carries_its_code_its_place_and_its_words),
        cmocka_unit_test(only_errors_of_the_system_carry_errno),
        cmocka_unit_test(an_error_without_storage_is_its_code),
        cmocka_unit_test(long_messages_are_cut_and_end_with_nul),
        cmocka_unit_test(every_code_and_no_code_have_words),
        cmocka_unit_test(arrays_come_zeroed_and_of_at_least_one_element),
        cmocka_unit_test(sizes_that_overflow_give_no_memory),
        cmocka_unit_test(a_block_is_freed_unless_it_is_taken),
        cmocka_unit_test(pieces_of_an_arena_are_aligned_zeroed_and_apart),
        cmocka_unit_test(an_arena_copies_and_formats),
        cmocka_unit_test(a_vector_keeps_what_is_appended),
        cmocka_unit_test(a_vector_that_cannot_grow_keeps_its_contents),
        cmocka_unit_test(text_grows_and_always_ends_with_nul),
        cmocka_unit_test(the_first_failure_of_a_sink_silences_the_rest),
        cmocka_unit_test(without_a_callback_work_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
