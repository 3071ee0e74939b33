// SPDX-License-Identifier: MIT
// test_capture.c -- captures of made-up processes that lie. (tests/py/test_outside.py takes those of real
// ones.)
#include "capture/outside.h"
#include "fake_python.h"
#include "support.h"

#define AT_OBJECT_SIZE 352  // in _Py_DebugOffsets of 3.13

static enum rch_status capture(struct fake_python *fake, struct rch_error *err)
{
    struct rch_python python;
    struct rch_graph *g = NULL;
    *err = (struct rch_error){0};
    assert_ok(rch_python_find(&fake->image, rch_alloc_default(), &python, err), err);
    enum rch_status st =
        rch_capture_image(&fake->image, &python, NULL, 0, NULL, rch_alloc_default(), &g, err);
    rch_graph_free(g);
    return st;
}

static void assert_size_is_refused(const struct rch_layout *layout, uint64_t size)
{
    struct fake_python fake;
    struct rch_error err;
    fake_python_init(&fake, layout, FAKE_COOKIE | FAKE_GNU_HASH);
    fake_put64(&fake, fake.runtime, AT_OBJECT_SIZE, size);
    assert_status(capture(&fake, &err), RCH_EUNSUPPORTED, &err);
    assert_non_null(strstr(err.message, "process 4711 says that the head of its objects is"));
    fake_python_deinit(&fake);
}

static void the_size_of_a_head_is_not_believed(void **state)
{
    (void)state;
    const struct rch_layout *layouts[] = {rch_layout_for(3, 13), rch_layout_free_threaded(3, 13)};
    for (size_t i = 0; i < 2; i++) {
        assert_size_is_refused(layouts[i], 8);
        assert_size_is_refused(layouts[i], 40);
        assert_size_is_refused(layouts[i], 1 << 20);
    }
}

static void made_up_processes_are_captured(void **state)
{
    (void)state;
    const struct rch_layout *layouts[] = {rch_layout_for(3, 12), rch_layout_for(3, 13),
                                          rch_layout_free_threaded(3, 13)};
    for (size_t i = 0; i < 3; i++) {
        struct fake_python fake;
        struct rch_error err;
        fake_python_init(&fake, layouts[i], FAKE_COOKIE | FAKE_GNU_HASH);
        assert_ok(capture(&fake, &err), &err);
        fake_python_deinit(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_size_of_a_head_is_not_believed),
        cmocka_unit_test(made_up_processes_are_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
