// SPDX-License-Identifier: MIT
// test_find.c -- finding CPython in made-up processes: by each clue, of each version, broken in every way.
// (tests/py/test_find.py does it with real ones.)
#include "fake_python.h"
#include "pylayout/find.h"
#include "support.h"

static enum rch_status find(struct fake_python *fake, struct rch_python *python,
                            struct rch_error *err)
{
    *err = (struct rch_error){0};
    return rch_python_find(&fake->image, rch_alloc_default(), python, err);
}

static const struct rch_layout *table(uint32_t minor)
{
    const struct rch_layout *layout = rch_layout_for(3, minor);
    assert_non_null(layout);
    return layout;
}

#define FOR_EACH_TABLE(layout)                        \
    for (uint32_t minor = 0; minor < 64; minor++)     \
        for (const struct rch_layout *layout = rch_layout_for(3, minor); layout; layout = NULL)

static void assert_is(const struct fake_python *fake, const struct rch_python *python)
{
    assert_int_equal(python->major, 3);
    assert_int_equal(python->minor, fake->layout->py_minor);
    assert_int_equal(python->micro, 4);
    assert_int_equal(python->runtime, fake->runtime);
    assert_int_equal(python->first_interp, fake->interp);
    assert_int_equal(python->type_type, fake->type_type);
    assert_int_equal(python->dict_type, fake->dict_type);
    assert_int_equal(python->none, fake->none);
    assert_int_equal(python->subtype_traverse, fake->subtype_traverse);
    assert_int_equal(python->layout.interp_static_types, fake->layout->interp_static_types);
    assert_int_equal(python->is_free_threaded, fake->layout->is_free_threaded);
    assert_false(python->is_debug_build);
}

static void assert_found(const struct rch_layout *layout, uint32_t clues, const char *how)
{
    struct fake_python fake;
    struct rch_python python;
    struct rch_error err;
    fake_python_init(&fake, layout, clues);
    assert_ok(find(&fake, &python, &err), &err);
    assert_is(&fake, &python);
    assert_string_equal(python.how, how);
    fake_python_deinit(&fake);
}

static void every_version_is_found_by_symbol(void **state)
{
    (void)state;
    FOR_EACH_TABLE(layout)
    {
        const char *how = "symbol _PyRuntime of /opt/app";
        assert_found(layout, FAKE_GNU_HASH, how);
        assert_found(layout, FAKE_HASH, how);
        assert_found(layout, FAKE_GNU_HASH | FAKE_RELATIVE, how);
        assert_found(layout, FAKE_HASH | FAKE_RELATIVE, how);
    }
}

static void a_cookie_is_found_in_the_data(void **state)
{
    (void)state;
    FOR_EACH_TABLE(layout)
    {
        if (layout->py_minor >= 13)
            assert_found(layout, FAKE_COOKIE, "debug cookie in the data of /opt/app");
    }
}

static void every_version_is_found_by_its_shape(void **state)
{
    (void)state;
    FOR_EACH_TABLE(layout)
    assert_found(layout, 0, "the shape of the data of /opt/app");
}

static void a_shape_is_found_without_an_elf_header_and_in_bss(void **state)
{
    struct fake_python fake;
    struct rch_python python;
    struct rch_error err;
    (void)state;
    fake_python_init(&fake, table(11), 0);
    fake_put64(&fake, FAKE_ELF, 0, 0);
    fake.maps[2].path = "";
    fake.maps[1].flags |= RCH_MAP_WRITE;
    assert_ok(find(&fake, &python, &err), &err);
    assert_is(&fake, &python);
    fake_python_deinit(&fake);
}

static void with_subinterpreters_the_newest_is_first(void **state)
{
    (void)state;
    for (uint32_t clues = 0; clues <= FAKE_GNU_HASH; clues++) {
        struct fake_python fake;
        struct rch_python python;
        struct rch_error err;
        fake_python_init(&fake, table(12), clues);
        uint64_t newest = fake.next + 64;
        fake_put64(&fake, newest, fake.layout->interp_id, 1);
        fake_put64(&fake, newest, fake.layout->interp_next, fake.interp);
        fake_put64(&fake, fake.runtime, fake.layout->runtime_interpreters_head, newest);
        assert_ok(find(&fake, &python, &err), &err);
        assert_int_equal(python.first_interp, newest);
        assert_int_equal(python.none, fake.none);
        fake_python_deinit(&fake);
    }
}

static void offsets_that_an_interpreter_tells_go_before_the_table(void **state)
{
    struct fake_python fake;
    struct rch_python python;
    struct rch_error err;
    struct rch_layout moved = *table(13);
    (void)state;
    moved.interp_sysdict += 4096;
    moved.interp_gc += 8192;
    fake_python_init(&fake, &moved, FAKE_COOKIE | FAKE_GNU_HASH);
    fake_put64(&fake, fake.runtime, 80, (uint64_t)moved.interp_gc);
    fake_put64(&fake, fake.runtime, 96, (uint64_t)moved.interp_sysdict);
    assert_ok(find(&fake, &python, &err), &err);
    assert_is(&fake, &python);
    assert_int_equal(python.layout.interp_gc, moved.interp_gc);
    assert_int_equal(python.layout.interp_sysdict, moved.interp_sysdict);
    assert_non_null(strstr(python.how, "differ from the table: interp_gc, interp_sysdict"));
    fake_python_deinit(&fake);
}

static void offsets_that_are_wrong_are_not_used(void **state)
{
    struct fake_python fake;
    struct rch_python python;
    struct rch_error err;
    (void)state;
    fake_python_init(&fake, table(13), FAKE_COOKIE | FAKE_GNU_HASH);
    fake_put64(&fake, fake.runtime, 80, 16);
    assert_ok(find(&fake, &python, &err), &err);
    assert_is(&fake, &python);
    assert_int_equal(python.layout.interp_gc, table(13)->interp_gc);
    assert_null(strstr(python.how, "differ"));
    fake_python_deinit(&fake);
}

// --- refusals -------------------------------------------------------------------------------------

// Finds nothing, with these words; frees the process.
static void assert_refused(struct fake_python *fake, enum rch_status want, const char *words)
{
    struct rch_python python;
    struct rch_error err;
    assert_status(find(fake, &python, &err), want, &err);
    if (!strstr(err.message, words))
        fail_msg("%s", err.message);
    fake_python_deinit(fake);
}

static void no_python_is_told_with_the_program(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(13), FAKE_GNU_HASH | FAKE_NO_PYTHON);
    assert_refused(&fake, RCH_ENOTFOUND, "no Python in process 4711 (/opt/app)");
    fake_python_init(&fake, table(13), FAKE_NO_PYTHON);
    fake.image.num_maps = 0;
    assert_refused(&fake, RCH_ENOTFOUND, "no Python in process 4711 (/opt/app)");
}

static void a_python_that_is_not_running_is_told(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(11), FAKE_GNU_HASH);
    fake_put64(&fake, fake.runtime, fake.layout->runtime_interpreters_head, 0);
    assert_refused(&fake, RCH_ENOTFOUND, "no interpreter is running");
    fake_python_init(&fake, table(11), FAKE_GNU_HASH);
    fake_put64(&fake, fake.interp, fake.layout->interp_sysdict, 0);
    assert_refused(&fake, RCH_ENOTFOUND, "no modules yet");
}

static void a_version_without_a_table_is_named(void **state)
{
    struct fake_python fake;
    struct rch_layout old = *table(9);
    (void)state;
    old.py_minor = 8;
    fake_python_init(&fake, &old, FAKE_GNU_HASH);
    assert_refused(&fake, RCH_EUNSUPPORTED, "CPython 3.8 is not known to this version of refchain");
}

static void a_free_threaded_build_has_a_table_of_its_own(void **state)
{
    const struct rch_layout *layout = rch_layout_free_threaded(3, 13);
    (void)state;
    assert_found(layout, FAKE_COOKIE | FAKE_GNU_HASH, "symbol _PyRuntime of /opt/app");
    assert_found(layout, FAKE_COOKIE, "debug cookie in the data of /opt/app");
}

static void a_free_threaded_build_without_a_table_is_named(void **state)
{
    struct fake_python fake;
    struct rch_layout unknown = *rch_layout_free_threaded(3, 13);
    (void)state;
    unknown.py_minor = 14;
    fake_python_init(&fake, &unknown, FAKE_COOKIE | FAKE_GNU_HASH);
    assert_refused(
        &fake, RCH_EUNSUPPORTED,
        "CPython 3.14 without the GIL; of the free-threaded builds only 3.13 can be read");
}

// Without its classes no instance could be read rightly, and there are no lists to find them on.
static void a_free_threaded_build_at_its_end_is_not_read(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, rch_layout_free_threaded(3, 13), FAKE_COOKIE | FAKE_GNU_HASH);
    fake_put64(&fake, fake.interp, fake.layout->interp_importlib, 0);
    assert_refused(&fake, RCH_ENOTFOUND, "no modules yet, or no more");
}

static void trace_refs_is_named(void **state)
{
    struct fake_python fake;
    struct rch_layout shifted = *table(11);
    (void)state;
    shifted.object_type += 16;
    shifted.type_name += 16;
    fake_python_init(&fake, &shifted, FAKE_GNU_HASH);
    assert_refused(&fake, RCH_EUNSUPPORTED, "Py_TRACE_REFS");
}

static void what_does_not_fit_is_told_in_words(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(11), FAKE_GNU_HASH);
    fake_put64(&fake, fake.interp, fake.layout->interp_gc + fake.layout->gc_permanent, 24);
    assert_refused(&fake, RCH_EUNSUPPORTED, "not laid out as known: the GC");
    fake_python_init(&fake, table(11), FAKE_GNU_HASH);
    fake_put64(&fake, fake.builtins, fake.layout->object_type, 0);
    assert_refused(&fake, RCH_EUNSUPPORTED, "not laid out as known");
    fake_python_init(&fake, table(11), FAKE_GNU_HASH);
    fake_put64(&fake, fake.interp, fake.layout->interp_next, fake.interp);
    assert_refused(&fake, RCH_EUNSUPPORTED, "chain of interpreters");
}

static void pypy_and_32_bits_are_named(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(11), FAKE_NO_PYTHON);
    for (int i = 0; i < 3; i++)
        fake.maps[i].path = "/usr/lib/libpypy3.9-c.so";
    assert_refused(&fake, RCH_EUNSUPPORTED, "PyPy (libpypy3.9-c.so)");
    fake_python_init(&fake, table(11), FAKE_NO_PYTHON);
    fake_put(&fake, FAKE_ELF, 4, 1, 1);  // ELFCLASS32
    assert_refused(&fake, RCH_EUNSUPPORTED, "32-bit");
}

// --- damage ---------------------------------------------------------------------------------------

// Any outcome is fine, but a success must name what is there.
static void find_anything(struct fake_python *fake)
{
    struct rch_python python;
    struct rch_error err;
    if (find(fake, &python, &err) == RCH_OK) {
        assert_true(python.type_type && python.dict_type && python.first_interp);
        assert_true(python.minor > 0 && python.how[0]);
    } else {
        assert_true(err.message[0]);
    }
}

static void one_wrong_word_anywhere_never_crashes(void **state)
{
    static const uint32_t clues[] = {FAKE_GNU_HASH, FAKE_HASH, FAKE_COOKIE, 0};
    uint64_t seed = 20;
    (void)state;
    FOR_EACH_TABLE(layout)
    {
        for (size_t c = 0; c < 4; c++) {
            struct fake_python fake;
            fake_python_init(&fake, layout, clues[c]);
            uint64_t used = FAKE_ELF_BYTES + FAKE_CODE_BYTES + FAKE_DATA_BYTES +
                            (fake.interp - FAKE_HEAP) + 0x3000;
            for (int i = 0; i < 2000; i++) {
                uint64_t at = next_random(&seed) % (i % 3 ? used : 0x1000) / 8 * 8, old;
                uint64_t word = next_random(&seed);
                word = i % 2 ? word : i % 4 ? FAKE_HEAP + word % FAKE_HEAP_BYTES : word % 70000;
                memcpy(&old, fake.bytes + at, 8);
                memcpy(fake.bytes + at, &word, 8);
                find_anything(&fake);
                memcpy(fake.bytes + at, &old, 8);
            }
            fake_python_deinit(&fake);
        }
    }
}

static void memory_that_ends_anywhere_never_crashes(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(13), FAKE_GNU_HASH | FAKE_COOKIE);
    for (size_t i = 0; i < 4; i++) {
        struct rch_fake_segment whole = fake.segments[i];
        for (size_t num = 0; num < whole.num_bytes;
             num += num < 0x1000 ? 24 : whole.num_bytes / 40) {
            uint8_t *cut = test_malloc(num + 1);  // its own block, so that an overrun is seen
            memcpy(cut, whole.bytes, num);
            fake.segments[i] = (struct rch_fake_segment){whole.addr, cut, num};
            find_anything(&fake);
            test_free(cut);
        }
        fake.segments[i] = whole;
    }
    fake_python_deinit(&fake);
}

static void random_data_is_no_python(void **state)
{
    struct fake_python fake;
    uint64_t seed = 7;
    (void)state;
    fake_python_init(&fake, table(13), FAKE_NO_PYTHON);
    for (uint32_t i = 0; i < FAKE_DATA_BYTES + FAKE_HEAP_BYTES; i += 8) {
        uint64_t word = next_random(&seed) % (FAKE_HEAP_BYTES / 8) * 8 + FAKE_HEAP;
        memcpy(fake.bytes + FAKE_ELF_BYTES + FAKE_CODE_BYTES + i, &word, 8);
    }
    assert_refused(&fake, RCH_ENOTFOUND, "no Python in process");
}

static void out_of_memory_is_told(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, table(13), FAKE_GNU_HASH);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_python python;
        struct rch_error err;
        assert_ok_or_enomem(rch_python_find(&fake.image, alloc, &python, &err));
    }
    fake_python_deinit(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_is_found_by_symbol),
        cmocka_unit_test(a_cookie_is_found_in_the_data),
        cmocka_unit_test(every_version_is_found_by_its_shape),
        cmocka_unit_test(a_shape_is_found_without_an_elf_header_and_in_bss),
        cmocka_unit_test(with_subinterpreters_the_newest_is_first),
        cmocka_unit_test(offsets_that_an_interpreter_tells_go_before_the_table),
        cmocka_unit_test(offsets_that_are_wrong_are_not_used),
        cmocka_unit_test(no_python_is_told_with_the_program),
        cmocka_unit_test(a_python_that_is_not_running_is_told),
        cmocka_unit_test(a_version_without_a_table_is_named),
        cmocka_unit_test(a_free_threaded_build_has_a_table_of_its_own),
        cmocka_unit_test(a_free_threaded_build_without_a_table_is_named),
        cmocka_unit_test(a_free_threaded_build_at_its_end_is_not_read),
        cmocka_unit_test(trace_refs_is_named),
        cmocka_unit_test(what_does_not_fit_is_told_in_words),
        cmocka_unit_test(pypy_and_32_bits_are_named),
        cmocka_unit_test(one_wrong_word_anywhere_never_crashes),
        cmocka_unit_test(memory_that_ends_anywhere_never_crashes),
        cmocka_unit_test(random_data_is_no_python),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
