// SPDX-License-Identifier: MIT
// tests/c/test_ask.c -- questions from what users type, and names that are nearly right.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

#include "analyze/common/ask.h"
#include "analyze/common/near_name.h"

static struct rch_graph *a_graph(void **state)
{
    return graph_of(state,
                    "a:16:pkg.net.Socket b:16:pkg.net.Socket c:16:other.Socket d:16:dict e:16:dict "
                    "f:16:pkg.net.Pool",
                    "@module.m>a");
}

static struct rch_ask_list list;

static enum rch_status ask(const struct rch_graph *g, const char *pattern, struct rch_error *err)
{
    rch_ask_list_deinit(&list);
    return rch_ask(g, pattern, rch_alloc_default(), &list, err);
}

static int list_setup(void **state)
{
    (void)state;
    list = (struct rch_ask_list){0};
    rch_arena_init(&list.arena, rch_alloc_default());
    return 0;
}

static int list_teardown(void **state)
{
    rch_ask_list_deinit(&list);
    return graphs_teardown(state);
}

static void assert_asked(const struct rch_asked *asked, const char *text, uint32_t num_members)
{
    assert_string_equal(asked->question.text, text);
    assert_int_equal(asked->question.num_members, num_members);
    for (uint32_t i = 1; i < num_members; i++)
        assert_true(asked->question.members[i - 1] < asked->question.members[i]);
}

static void a_full_name_asks_for_its_instances(void **state)
{
    const struct rch_graph *g = a_graph(state);
    struct rch_error err;
    assert_ok(ask(g, "pkg.net.Socket", &err), &err);
    assert_int_equal(list.num_asked, 1);
    assert_asked(&list.asked[0], "pkg.net.Socket", 2);
    assert_int_equal(list.asked[0].question.members[0], graph_node(g, "a"));
    assert_ok(ask(g, "dict", &err), &err);
    assert_asked(&list.asked[0], "dict", 2);
}

static void a_shared_short_name_is_one_question_a_type_most_objects_first(void **state)
{
    const struct rch_graph *g = a_graph(state);
    struct rch_error err;
    assert_ok(ask(g, "Socket", &err), &err);
    assert_int_equal(list.num_asked, 2);
    assert_asked(&list.asked[0], "pkg.net.Socket", 2);
    assert_asked(&list.asked[1], "other.Socket", 1);
}

static void a_glob_is_one_question_about_all_it_matches(void **state)
{
    const struct rch_graph *g = a_graph(state);
    struct rch_error err;
    assert_ok(ask(g, "*.Socket", &err), &err);
    assert_int_equal(list.num_asked, 1);
    assert_int_equal(list.asked[0].kind, RCH_ASK_GLOB);
    assert_asked(&list.asked[0], "*.Socket", 3);
    assert_int_equal(list.asked[0].num_types, 2);
    assert_string_equal(list.asked[0].types[0].name, "pkg.net.Socket");
}

static void an_address_asks_for_one_object_in_hex_or_decimal(void **state)
{
    const struct rch_graph *g = a_graph(state);
    struct rch_error err;
    char text[32];
    rch_addr addr = rch_addr_of(g, graph_node(g, "c"));
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            snprintf(text, sizeof(text), "%s%" PRIx64, i ? "0X" : "0x", addr);
        else
            snprintf(text, sizeof(text), "%" PRIu64, addr);
        assert_ok(ask(g, text, &err), &err);
        assert_int_equal(list.asked[0].kind, RCH_ASK_ADDRESS);
        assert_int_equal(list.asked[0].question.members[0], graph_node(g, "c"));
        assert_string_equal(list.asked[0].types[0].name, "other.Socket");
    }
    assert_status(ask(g, "0x8", &err), RCH_ENOTFOUND, NULL);
    assert_status(ask(g, "0x", &err), RCH_EINVAL, NULL);
    assert_status(ask(g, "12abc", &err), RCH_EINVAL, NULL);
    assert_status(ask(g, "0xfffffffffffffffff", &err), RCH_EINVAL, NULL);
}

static void an_unknown_name_gives_near_ones(void **state)
{
    const struct rch_graph *g = a_graph(state);
    struct rch_error err;
    assert_status(ask(g, "Scoket", &err), RCH_ENOTFOUND, NULL);
    assert_int_equal(list.num_near, 2);
    assert_string_equal(list.near[0].name, "pkg.net.Socket");
    assert_int_equal(list.near[0].num_objects, 2);
    assert_non_null(strstr(err.message, "did you mean 'pkg.net.Socket'"));
    assert_status(ask(g, "Entirely", &err), RCH_ENOTFOUND, NULL);
    assert_int_equal(list.num_near, 0);
    assert_status(ask(g, "", &err), RCH_ENOTFOUND, NULL);
}

static void without_memory_nothing_leaks(void **state)
{
    const struct rch_graph *g = a_graph(state);
    static const char *const patterns[] = {"Socket", "*.Socket", "Scoket", "0x10000"};
    for (int i = 0; i < 4; i++) {
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_ask_list tried;
            enum rch_status st = rch_ask(g, patterns[i], alloc, &tried, NULL);
            if (st != RCH_ENOTFOUND)
                assert_ok_or_enomem(st);
            rch_ask_list_deinit(&tried);
        }
    }
}

static void distances_of_names(void **state)
{
    (void)state;
    assert_int_equal(rch_name_distance("tcptransport", "a.b.TCPTransport"), 0);
    assert_int_equal(rch_name_distance("Transport", "a.TCPTransport"), 1);
    assert_int_equal(rch_name_distance("Scoket", "a.Socket"), 2);
    assert_int_equal(rch_name_distance("Sokcets", "a.Socket"), 3);
    assert_int_equal(rch_name_distance("wrong.mod.Socket", "a.Socket"), 0);
    assert_int_equal(rch_name_distance("ab", "a.xy"), RCH_NOT_NEAR);
    assert_int_equal(rch_name_distance("Socket", "a.Lantern"), RCH_NOT_NEAR);
    assert_int_equal(rch_name_distance("", "a.b"), RCH_NOT_NEAR);
    assert_int_equal(rch_name_distance("x", ""), RCH_NOT_NEAR);
    char longer[301] = {0};
    memset(longer, 'x', 300);
    assert_int_equal(rch_name_distance("y", longer), RCH_NOT_NEAR);
}

#define list_test(f) cmocka_unit_test_setup_teardown(f, list_setup, list_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        list_test(a_full_name_asks_for_its_instances),
        list_test(a_shared_short_name_is_one_question_a_type_most_objects_first),
        list_test(a_glob_is_one_question_about_all_it_matches),
        list_test(an_address_asks_for_one_object_in_hex_or_decimal),
        list_test(an_unknown_name_gives_near_ones),
        list_test(without_memory_nothing_leaks),
        cmocka_unit_test(distances_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
