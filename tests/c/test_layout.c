// SPDX-License-Identifier: MIT
// test_layout.c -- the tables and their validation, against a small interpreter made of bytes that
// is laid out as each table says. (tests/py/test_layout_live.py does the same with real ones.)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "pylayout/layout.h"
#include "pylayout/validate.h"
#include "target/fake.h"

#define BASE UINT64_C(0x10000)
#define IMAGE_BYTES (1u << 20)
#define NUM_STATIC 40u

// Where things are in the image.
enum {
    TYPE = 0x10000,
    OBJECT = 0x11000,
    DICT = 0x12000,
    STR = 0x13000,
    NAMES = 0x14000,
    TUPLE1 = 0x15000,
    LIST1 = 0x15100,
    ITEMS = 0x15200,
    DICT1 = 0x15300,
    KEYS = 0x15400,
    STR1 = 0x15800,
    FUNC = 0x15900,
    MRO = 0x15a00,
    MODULES = 0x15b00,
    TSTATE = 0x16000,
    NODES = 0x17000,
    STATIC_TYPES = 0x18000,
    INTERP = 0x30000,
    ITEM = 0x14500,
    CODE = 0x14600,
    GLOBALS = 0x14700,
};

struct image {
    uint8_t *bytes;
    const struct rch_layout *layout;
    struct rch_layout_probe probe;
    struct rch_fake_segment segment;
    struct rch_fake fake;
    struct rch_target target;
};

static void put(struct image *image, uint64_t addr, int32_t offset, uint64_t value, size_t bytes)
{
    uint64_t at = addr + (uint64_t)(int64_t)offset - BASE;
    assert_true(at + bytes <= IMAGE_BYTES);
    memcpy(image->bytes + at, &value, bytes);
}

static void put64(struct image *image, uint64_t addr, int32_t offset, uint64_t value)
{
    put(image, addr, offset, value, 8);
}

static void put_types(struct image *image)
{
    const struct rch_layout *l = image->layout;
    put64(image, TYPE, l->object_type, TYPE);
    put64(image, TYPE, l->type_name, NAMES);
    memcpy(image->bytes + (NAMES - BASE), "type", 5);
    put64(image, TYPE, l->type_basicsize, (uint64_t)l->heaptype_size);
    put64(image, TYPE, l->type_flags, UINT64_C(1) << 31 | 1u << 12);
    put64(image, TYPE, l->type_base, OBJECT);
    put64(image, TYPE, l->type_mro, MRO);
    put64(image, MRO, l->var_size, 2);
    put64(image, MRO, l->tuple_items, TYPE);
    put64(image, MRO, l->tuple_items + 8, OBJECT);
    put64(image, OBJECT, l->object_type, TYPE);
    put64(image, DICT, l->object_type, TYPE);
    put64(image, STR, l->object_type, TYPE);
}

static void put_objects(struct image *image)
{
    const struct rch_layout *l = image->layout;
    put64(image, TUPLE1, l->var_size, 1);
    put64(image, TUPLE1, l->tuple_items, ITEM);
    put64(image, LIST1, l->var_size, 1);
    put64(image, LIST1, l->list_items, ITEMS);
    put64(image, ITEMS, 0, ITEM);
    put64(image, DICT1, l->object_type, DICT);
    put64(image, DICT1, l->dict_used, 1);
    put64(image, DICT1, l->dict_keys, KEYS);
    put64(image, KEYS, l->keys_nentries, 1);
    int32_t key = l->entry_key, value = l->entry_value;
    if (l->keys_kind != RCH_ABSENT) {
        put(image, KEYS, l->keys_kind, (uint64_t)l->keys_unicode, 1);
        put(image, KEYS, l->keys_log2_index_bytes, 3, 1);
        key = l->unicode_entry_key;
        value = l->unicode_entry_value;
    } else {
        put64(image, KEYS, l->keys_size, 8);
    }
    put64(image, KEYS, l->keys_indices + 8 + key, STR1);
    put64(image, KEYS, l->keys_indices + 8 + value, ITEM);
    put64(image, STR1, l->object_type, STR);
    put64(image, STR1, l->str_length, 5);
    put(image, STR1, l->str_state,
        (uint64_t)(l->str_compact_bit | l->str_ascii_bit | 1 << l->str_kind_shift), 4);
    memcpy(image->bytes + (STR1 - BASE) + (size_t)l->str_ascii_data, "alive", 5);
    put64(image, FUNC, l->func_code, CODE);
    put64(image, FUNC, l->func_globals, GLOBALS);
}

// A circular list of the head and num more nodes, with flags in the low bits as CPython has them.
static void put_gc_list(struct image *image, uint64_t head, uint64_t first_node, uint32_t num)
{
    uint64_t node = head;
    for (uint32_t i = 0; i < num; i++) {
        uint64_t next = first_node + 16 * i;
        put64(image, node, 0, next);
        put64(image, next, image->layout->gc_prev, node | (node == head ? 0 : 1));
        node = next;
    }
    put64(image, node, 0, head);
    put64(image, head, image->layout->gc_prev, node);
}

static void put_interp(struct image *image)
{
    const struct rch_layout *l = image->layout;
    uint64_t gc = INTERP + (uint64_t)l->interp_gc, head = gc + (uint64_t)l->gc_generation0;
    put64(image, INTERP, l->interp_threads_head, TSTATE);
    put64(image, TSTATE, l->tstate_interp, INTERP);
    put64(image, MODULES, l->object_type, DICT);
    put64(image, INTERP, l->interp_modules, MODULES);
    put64(image, INTERP, l->interp_sysdict, MODULES);
    put64(image, INTERP, l->interp_builtins, MODULES);
    for (uint32_t i = 0; i < 3; i++) {
        put_gc_list(image, head, NODES + 0x400 * i, i * 3);
        put(image, head, l->gc_generation_threshold, i ? 10 : 700, 4);
        head += (uint64_t)l->gc_generation_size;
    }
    put_gc_list(image, gc + (uint64_t)l->gc_permanent, NODES + 0xc00, 2);
}

static void put_static_types(struct image *image, int32_t moved_by)
{
    const struct rch_layout *l = image->layout;
    if (l->interp_static_types == RCH_ABSENT)
        return;
    put64(image, INTERP, l->interp_num_static_types + moved_by, NUM_STATIC);
    for (uint32_t i = 0; i < NUM_STATIC; i++) {
        uint64_t type = STATIC_TYPES + 0x200 * i;
        put64(image, type, l->object_type, TYPE);
        put64(image, type, l->type_subclasses, i + 1);
        put64(image, INTERP,
              l->interp_static_types + moved_by + (int32_t)i * l->static_type_state_size +
                  l->static_type_type,
              type);
    }
    put64(image, INTERP, l->interp_interned_strings + moved_by, MODULES);
}

static struct image *image_of(const struct rch_layout *layout)
{
    struct image *image = test_calloc(1, sizeof(*image));
    image->bytes = test_calloc(1, IMAGE_BYTES);
    image->layout = layout;
    image->probe = (struct rch_layout_probe){
        .type_type = TYPE,
        .dict_type = DICT,
        .interp = INTERP,
        .tuple = TUPLE1,
        .tuple_item = ITEM,
        .list = LIST1,
        .list_item = ITEM,
        .dict = DICT1,
        .dict_key = STR1,
        .dict_value = ITEM,
        .str = STR1,
        .str_text = "alive",
        .function = FUNC,
        .function_code = CODE,
        .function_globals = GLOBALS,
    };
    image->segment = (struct rch_fake_segment){BASE, image->bytes, IMAGE_BYTES};
    image->fake = (struct rch_fake){&image->segment, 1};
    rch_target_fake_init(&image->target, &image->fake);
    put_types(image);
    put_objects(image);
    put_interp(image);
    return image;
}

static void free_image(struct image *image)
{
    test_free(image->bytes);
    test_free(image);
}

static enum rch_status validate(struct image *image, char *why, size_t why_bytes)
{
    return rch_layout_validate(image->layout, &image->target, &image->probe, why, why_bytes);
}

static const struct rch_layout *table(uint32_t minor)
{
    const struct rch_layout *layout = rch_layout_for(3, minor);
    assert_non_null(layout);
    return layout;
}

#define LAST_MINOR 15u
#define FOR_EACH_MINOR(minor) for (uint32_t minor = 9; minor <= LAST_MINOR; minor++)

static void versions_3_9_to_3_15_have_a_table_and_no_others(void **state)
{
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        assert_int_equal(table(minor)->py_major, 3);
        assert_int_equal(table(minor)->py_minor, minor);
    }
    assert_null(rch_layout_for(3, 8));
    assert_null(rch_layout_for(3, LAST_MINOR + 1));
    assert_null(rch_layout_for(2, 9));
    assert_null(rch_layout_for(UINT32_MAX, UINT32_MAX));
}

static void without_the_gil_3_13_has_a_table_of_its_own(void **state)
{
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        const struct rch_layout *layout = rch_layout_free_threaded(3, minor);
        struct rch_layout copy = *table(minor);
        assert_int_equal(layout != NULL, minor == 13);
        assert_int_equal(copy.is_free_threaded, 0);
        assert_ptr_equal(rch_layout_origin(&copy), table(minor));
        assert_int_equal(copy.object_gc_bits, RCH_ABSENT);
        assert_int_not_equal(copy.gc_generation0, RCH_ABSENT);
    }
    struct rch_layout copy = *rch_layout_free_threaded(3, 13);
    assert_int_equal(copy.is_free_threaded, 1);
    assert_ptr_equal(rch_layout_origin(&copy), rch_layout_free_threaded(3, 13));
    assert_int_equal(copy.object_type, 24);
    assert_int_equal(copy.object_gc_bits, 11);
    assert_int_equal(copy.gc_generation0, RCH_ABSENT);
}

static int32_t value_of(const struct rch_layout *layout, const char *name)
{
    for (uint32_t i = 0; rch_layout_field_name(i); i++) {
        if (strcmp(rch_layout_field_name(i), name) == 0)
            return rch_layout_field_value(layout, i);
    }
    fail_msg("no field %s", name);
    return RCH_ABSENT;
}

static void a_field_is_found_by_number(void **state)
{
    uint32_t num = 0;
    (void)state;
    while (rch_layout_field_name(num))
        num++;
    assert_in_range(num, 300, 2000);
    assert_int_equal(rch_layout_field_value(table(13), num), RCH_ABSENT);
    assert_int_equal(rch_layout_field_value(table(13), UINT32_MAX), RCH_ABSENT);
    assert_int_equal(value_of(table(13), "interp_gc"), 7400);
    assert_int_equal(value_of(table(9), "dict_keys"), 32);
}

// Values that research on live interpreters found, not the headers.
static void the_tables_say_what_was_measured(void **state)
{
    static const struct {
        uint32_t minor;
        const char *name;
        int32_t value;
    } rows[] = {
        {9, "interp_gc", 616},
        {10, "interp_gc", 616},
        {11, "interp_gc", 648},
        {12, "interp_gc", 112},
        {9, "interp_modules", 856},
        {11, "interp_modules", 888},
        {12, "interp_modules", 944},
        {13, "interp_modules", 7656},
        {11, "managed_values", -32},
        {11, "managed_dict", -24},
        {12, "managed_values", RCH_ABSENT},
        {12, "managed_dict", -24},
        {12, "managed_dict_is_tagged", 1},
        {13, "managed_dict_is_tagged", 0},
        {13, "inline_values_at_basicsize", 1},
        {12, "inline_values_at_basicsize", 0},
        {10, "managed_dict", RCH_ABSENT},
        {13, "values_items", 8},
        {12, "values_items", 0},
        {9, "values_items", 0},
        {9, "frame_localsplus", 360},
        {10, "frame_localsplus", 352},
        {11, "gen_iframe", 80},
        {13, "gen_iframe", 72},
        {11, "gen_frame_state", 75},
        {13, "gen_frame_state", 67},
        {11, "iframe_owner", 69},
        {12, "iframe_owner", 70},
        {11, "iframe_localsplus", 72},
        {12, "cframe_current_frame", 0},
        {11, "cframe_current_frame", 8},
        {13, "tstate_current_frame", 72},
        {13, "heaptype_size", 928},
        {12, "heaptype_size", 920},
        {9, "heaptype_size", 880},
        {10, "member_t_object", 6},
        {13, "member_t_object_ex", 16},
        {11, "long_tag_shift", 0},
        {12, "long_tag_shift", 3},
        {12, "str_ascii_data", 40},
        {11, "str_ascii_data", 48},
        {10, "keys_indices", 40},
        {11, "keys_indices", 32},
        {10, "gen_state_suspended", -1},
        {13, "gen_state_suspended", -2},
        {14, "runtime_interpreters_head", 808},
        {14, "interp_threads_head", 7344},
        {14, "interp_gc", 7408},
        {14, "gc_permanent", 96},
        {14, "gc_collecting", 192},
        {15, "gc_permanent", 80},
        {15, "gc_collecting", 112},
        {14, "tuple_items", 32},
        {14, "heaptype_size", 936},
        {14, "iframe_stacktop", RCH_ABSENT},
        {14, "iframe_stackpointer", 64},
        {14, "iframe_owner", 74},
        {14, "iframe_localsplus", 80},
        {13, "iframe_is_tagged", 0},
        {14, "iframe_is_tagged", 1},
        {14, "frame_inline_data", 72},
        {15, "gen_state_suspended", 1},
        {15, "module_def", RCH_ABSENT},
        {15, "module_state_traverse", 64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (value_of(table(rows[i].minor), rows[i].name) != rows[i].value)
            fail_msg("3.%u %s: %d", (unsigned)rows[i].minor, rows[i].name,
                     (int)value_of(table(rows[i].minor), rows[i].name));
    }
}

static void an_interpreter_that_fits_is_accepted(void **state)
{
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        struct image *image = image_of(table(minor));
        char why[200] = "x";
        if (validate(image, why, sizeof(why)) != RCH_OK)
            fail_msg("3.%u: %s", (unsigned)minor, why);
        assert_string_equal(why, "");
        free_image(image);
    }
}

static void what_is_not_known_is_not_checked(void **state)
{
    struct image *image = image_of(table(13));
    (void)state;
    image->probe = (struct rch_layout_probe){.type_type = TYPE};
    assert_int_equal(validate(image, NULL, 0), RCH_OK);
    image->probe.type_type = 0;
    assert_int_equal(validate(image, NULL, 0), RCH_EUNSUPPORTED);
    free_image(image);
}

static void each_disagreement_is_told_in_words(void **state)
{
    static const struct {
        uint64_t addr;
        const char *field, *words;
    } rows[] = {
        {TYPE, "object_type", "type(type)"},
        {TYPE, "type_name", "cannot read the name"},
        {TYPE, "type_basicsize", "the size of"},
        {TYPE, "type_flags", "the flags of type"},
        {TYPE, "type_base", "__base__"},
        {TYPE, "type_mro", "__mro__"},
        {TUPLE1, "tuple_items", "tuple[0]"},
        {LIST1, "var_size", "len(list)"},
        {LIST1, "list_items", "list[0]"},
        {DICT1, "dict_used", "len(dict)"},
        {DICT1, "dict_keys", "keys"},
        {DICT1, "dict_values", "values"},
        {STR1, "str_length", "len(str)"},
        {STR1, "str_state", "state"},
        {STR1, "str_ascii_data", "text"},
        {FUNC, "func_code", "__code__"},
        {FUNC, "func_globals", "__globals__"},
        {INTERP, "interp_modules", "sys.modules"},
        {INTERP, "interp_sysdict", "dict of sys"},
        {INTERP, "interp_builtins", "builtins"},
        {INTERP, "interp_threads_head", "thread"},
        {TSTATE, "tstate_interp", "thread"},
    };
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct image *image = image_of(table(minor));
            char why[200];
            put64(image, rows[i].addr, value_of(image->layout, rows[i].field), 0x7777777);
            assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
            if (!strstr(why, rows[i].words))
                fail_msg("3.%u %s: %s", (unsigned)minor, rows[i].field, why);
            free_image(image);
        }
    }
}

static void a_gc_state_elsewhere_is_found_and_named(void **state)
{
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        struct rch_layout wrong = *table(minor);
        struct image *image = image_of(table(minor));
        char why[200], want[80];
        wrong.interp_gc += 24;  // the next generation's head: links agree, the last one's do not
        image->layout = &wrong;
        assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
        snprintf(want, sizeof(want), "the GC state is %d bytes", (int)(wrong.interp_gc - 24));
        assert_non_null(strstr(why, want));
        free_image(image);
    }
}

static void while_the_collector_runs_the_lists_are_not_judged(void **state)
{
    struct image *image = image_of(table(12));
    const struct rch_layout *l = image->layout;
    (void)state;
    put64(image, INTERP, l->interp_gc + l->gc_generation0 + l->gc_prev, 12);
    assert_int_equal(validate(image, NULL, 0), RCH_EUNSUPPORTED);
    put(image, INTERP, l->interp_gc + l->gc_collecting, 1, 4);
    assert_int_equal(validate(image, NULL, 0), RCH_OK);
    free_image(image);
}

static void a_thread_list_without_end_is_given_up(void **state)
{
    struct image *image = image_of(table(13));
    (void)state;
    put64(image, TSTATE, image->layout->tstate_next, TSTATE);
    assert_int_equal(validate(image, NULL, 0), RCH_OK);  // capped: the threads seen were fine
    free_image(image);
}

static void truncated_memory_is_rejected_at_every_length(void **state)
{
    struct image *image = image_of(table(13));
    size_t last_needed = INTERP - BASE + 0x3000;
    char why[100];
    (void)state;
    for (size_t num = 0; num < last_needed; num += num < 0x8000 ? 56 : 1000) {
        uint8_t *cut = test_malloc(num + 1);  // its own block, so that an overrun is seen
        memcpy(cut, image->bytes, num);
        image->segment = (struct rch_fake_segment){BASE, cut, num};
        enum rch_status status = validate(image, why, sizeof(why));
        if (num < INTERP - BASE)
            assert_int_equal(status, RCH_EUNSUPPORTED);
        assert_true((status == RCH_OK) == (why[0] == '\0'));
        test_free(cut);
    }
    free_image(image);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static void garbage_is_rejected_in_bounded_time(void **state)
{
    uint64_t seed = 88172645463325252u;
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        struct image *image = image_of(table(minor));
        char why[100];
        for (size_t i = 0; i + 8 <= IMAGE_BYTES; i += 8) {  // addresses into the image itself
            uint64_t word = BASE + next_random(&seed) % IMAGE_BYTES / 8 * 8;
            memcpy(image->bytes + i, &word, 8);
        }
        assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
        put_types(image);
        put_objects(image);
        assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
        struct rch_layout layout = *table(minor);
        rch_layout_refit(&layout, &image->target, &image->probe);
        assert_int_equal(layout.interp_static_types, RCH_ABSENT);
        free_image(image);
    }
}

static void one_wrong_word_anywhere_never_crashes(void **state)
{
    uint64_t seed = 1234567;
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        struct image *image = image_of(table(minor));
        put_static_types(image, 0);
        for (int i = 0; i < 2000; i++) {
            uint64_t at = next_random(&seed) % (IMAGE_BYTES / 8) * 8, old, word;
            char why[100];
            if (i % 2)
                at = at % (NODES + 0x2000 - BASE);  // where most of what is read lies
            memcpy(&old, image->bytes + at, 8);
            word = i % 3 ? next_random(&seed) : BASE + next_random(&seed) % IMAGE_BYTES;
            memcpy(image->bytes + at, &word, 8);
            enum rch_status status = validate(image, why, sizeof(why));
            assert_true(status == RCH_OK || why[0] != '\0');
            memcpy(image->bytes + at, &old, 8);
        }
        free_image(image);
    }
}

static void a_reason_is_cut_to_the_room_given(void **state)
{
    struct image *image = image_of(table(11));
    char why[8];
    (void)state;
    put64(image, TYPE, image->layout->object_type, 0);
    assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
    assert_int_equal(strlen(why), sizeof(why) - 1);
    free_image(image);
}

static void a_far_end_in_place_is_left_alone(void **state)
{
    (void)state;
    FOR_EACH_MINOR(minor)
    {
        struct image *image = image_of(table(minor));
        struct rch_layout layout = *table(minor);
        put_static_types(image, 0);
        assert_int_equal(rch_layout_refit(&layout, &image->target, &image->probe), 0);
        assert_memory_equal(&layout, table(minor), sizeof(layout));
        free_image(image);
    }
}

static void static_types_that_moved_are_found_again(void **state)
{
    (void)state;
    for (uint32_t minor = 12; minor <= LAST_MINOR; minor++) {
        for (int32_t by = -3528; by <= 3528; by += 7056) {
            struct image *image = image_of(table(minor));
            struct rch_layout layout = *table(minor);
            put_static_types(image, by);
            assert_true(rch_layout_refit(&layout, &image->target, &image->probe) >= 3);
            assert_int_equal(layout.interp_static_types, table(minor)->interp_static_types + by);
            assert_int_equal(layout.interp_num_static_types,
                             table(minor)->interp_num_static_types + by);
            assert_int_equal(layout.interp_interned_strings,
                             table(minor)->interp_interned_strings + by);
            if (minor >= 13)
                assert_int_equal(layout.interp_ext_static_types,
                                 table(minor)->interp_ext_static_types + by);
            free_image(image);
        }
    }
}

// The interpreter state of a patch release in which the collector's state is longer or shorter.
static struct image *shifted_image(uint32_t minor, int32_t by)
{
    struct image *image = image_of(table(minor));
    struct rch_layout release = *table(minor);
    put64(image, INTERP, release.interp_modules, 0);
    put64(image, INTERP, release.interp_sysdict, 0);
    put64(image, INTERP, release.interp_builtins, 0);
    release.interp_modules += by;
    release.interp_sysdict += by;
    release.interp_builtins += by;
    image->layout = &release;
    put_interp(image);
    put64(image, INTERP, table(minor)->interp_codec_search_cache + by, MODULES);
    put_static_types(image, by);
    image->layout = table(minor);
    return image;
}

static void what_follows_the_collector_is_found_when_all_of_it_moved(void **state)
{
    (void)state;
    for (uint32_t minor = 13; minor <= LAST_MINOR; minor++) {
        for (int32_t by = -24; by <= 24; by += 48) {  // 3.14.4 and 3.14.5 differ by so much
            struct image *image = shifted_image(minor, by);
            struct rch_layout layout = *table(minor);
            char why[100];
            assert_int_equal(validate(image, why, sizeof(why)), RCH_EUNSUPPORTED);
            assert_true(rch_layout_shift(&layout, &image->target, &image->probe) >= 20);
            assert_int_equal(layout.interp_gc, table(minor)->interp_gc);
            assert_int_equal(layout.interp_threads_head, table(minor)->interp_threads_head);
            assert_int_equal(layout.interp_modules, table(minor)->interp_modules + by);
            assert_int_equal(layout.interp_codec_search_cache,
                             table(minor)->interp_codec_search_cache + by);
            assert_int_equal(layout.interp_num_static_types,
                             table(minor)->interp_num_static_types + by);
            assert_int_equal(layout.interp_monitoring_num_tools,
                             table(minor)->interp_monitoring_num_tools);
            image->layout = &layout;
            assert_int_equal(validate(image, why, sizeof(why)), RCH_OK);
            struct rch_layout once = layout;
            rch_layout_refit(&layout, &image->target, &image->probe);
            assert_memory_equal(&layout, &once, sizeof(layout));  // a second time changes nothing
            free_image(image);
        }
    }
}

static void what_is_nowhere_near_is_not_shifted(void **state)
{
    struct image *image = shifted_image(14, 72);
    struct rch_layout layout = *table(14);
    (void)state;
    assert_int_equal(rch_layout_shift(&layout, &image->target, &image->probe), 0);
    assert_memory_equal(&layout, table(14), sizeof(layout));
    free_image(image);
}

static void what_is_not_an_object_is_dropped(void **state)
{
    struct image *image = image_of(table(11));
    struct rch_layout layout = *table(11);
    (void)state;
    put64(image, INTERP, layout.interp_warnings_filters, 0x1234567);
    put64(image, INTERP, layout.interp_audit_hooks, MODULES);
    put(image, INTERP, layout.interp_atexit_num, 3, 4);  // with no array
    assert_int_equal(rch_layout_refit(&layout, &image->target, &image->probe), 3);
    assert_int_equal(layout.interp_warnings_filters, RCH_ABSENT);
    assert_int_equal(layout.interp_atexit_callbacks, RCH_ABSENT);
    assert_int_equal(layout.interp_atexit_num, RCH_ABSENT);
    assert_int_equal(layout.interp_audit_hooks, table(11)->interp_audit_hooks);
    free_image(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_3_9_to_3_15_have_a_table_and_no_others),
        cmocka_unit_test(without_the_gil_3_13_has_a_table_of_its_own),
        cmocka_unit_test(a_field_is_found_by_number),
        cmocka_unit_test(the_tables_say_what_was_measured),
        cmocka_unit_test(an_interpreter_that_fits_is_accepted),
        cmocka_unit_test(what_is_not_known_is_not_checked),
        cmocka_unit_test(each_disagreement_is_told_in_words),
        cmocka_unit_test(a_gc_state_elsewhere_is_found_and_named),
        cmocka_unit_test(while_the_collector_runs_the_lists_are_not_judged),
        cmocka_unit_test(a_thread_list_without_end_is_given_up),
        cmocka_unit_test(truncated_memory_is_rejected_at_every_length),
        cmocka_unit_test(garbage_is_rejected_in_bounded_time),
        cmocka_unit_test(one_wrong_word_anywhere_never_crashes),
        cmocka_unit_test(a_reason_is_cut_to_the_room_given),
        cmocka_unit_test(a_far_end_in_place_is_left_alone),
        cmocka_unit_test(static_types_that_moved_are_found_again),
        cmocka_unit_test(what_follows_the_collector_is_found_when_all_of_it_moved),
        cmocka_unit_test(what_is_nowhere_near_is_not_shifted),
        cmocka_unit_test(what_is_not_an_object_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
