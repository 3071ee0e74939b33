// SPDX-License-Identifier: MIT
// Claims about choosing types and their instances by what a user types.
#include <stdio.h>
#include <string.h>

#include "analyze/common/select.h"
#include "support.h"

static struct rch_graph *zoo(void **state)
{
    return graph_of(state,
                    "a::amqp.transport.TCPTransport b::minimq.transport.TCPTransport "
                    "c::minimq.transport.TCPTransport d::dict e::pkg.mod/Outer.Inner "
                    "f::collections.deque",
                    "@module.m>a>b");
}

// The full names, separated by spaces.
static const char *selected(const struct rch_graph *g, const char *pattern)
{
    static char text[1024];
    size_t at = 0;
    RCH_VEC(types, rch_alloc_default(), uint32_t);
    assert_ok(rch_select_types(g, pattern, &types, NULL), NULL);
    text[0] = 0;
    for (size_t i = 0; i < types.num; i++) {
        char name[128];
        rch_type_full_name(g, RCH_VEC_AT(&types, uint32_t, i), name, sizeof(name));
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", name);
    }
    return text;
}

static void a_short_name_finds_every_module(void **state)
{
    assert_string_equal(selected(zoo(state), "TCPTransport"),
                        "amqp.transport.TCPTransport minimq.transport.TCPTransport");
    assert_string_equal(selected(zoo(state), "Inner"), "pkg.mod.Outer.Inner");
    assert_string_equal(selected(zoo(state), "Outer.Inner"), "pkg.mod.Outer.Inner");
}

static void a_full_name_finds_one_type(void **state)
{
    assert_string_equal(selected(zoo(state), "amqp.transport.TCPTransport"),
                        "amqp.transport.TCPTransport");
    assert_string_equal(selected(zoo(state), "dict"), "dict");
    assert_string_equal(selected(zoo(state), "builtins.dict"), "dict");
    assert_string_equal(selected(zoo(state), "transport.TCPTransport"), "");
}

static void a_glob_matches_the_full_name(void **state)
{
    struct rch_graph *g = zoo(state);
    assert_string_equal(selected(g, "*.TCP*"),
                        "amqp.transport.TCPTransport minimq.transport.TCPTransport");
    assert_string_equal(selected(g, "[a-c]*.?eque"), "collections.deque");
    assert_string_equal(selected(g, "[!a-l]*.TCPTransport"), "minimq.transport.TCPTransport");
    assert_string_equal(selected(g, "dic[t"), "");
    assert_string_equal(selected(g, "[]d]ict"), "dict");
    assert_string_equal(selected(g, "TCP*"), "");
}

static void a_glob_of_many_stars_takes_no_exponential_time(void **state)
{
    struct rch_graph *g = graph_of(
        state, "a::m.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
    assert_string_equal(selected(g, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), "");
}

static void roots_have_no_types_to_select(void **state)
{
    assert_string_equal(selected(zoo(state), "root"), "");
}

static void instances_come_in_node_order(void **state)
{
    struct rch_graph *g = zoo(state);
    RCH_VEC(types, rch_alloc_default(), uint32_t);
    RCH_VEC(nodes, rch_alloc_default(), rch_node);
    assert_ok(rch_select_types(g, "TCPTransport", &types, NULL), NULL);
    assert_ok(rch_select_instances(g, types.mem, (uint32_t)types.num, &nodes, NULL), NULL);
    assert_int_equal(nodes.num, 3);
    for (size_t i = 1; i < nodes.num; i++)
        assert_true(RCH_VEC_AT(&nodes, rch_node, i - 1) < RCH_VEC_AT(&nodes, rch_node, i));
    uint32_t none = g->num_types;
    assert_status(rch_select_instances(g, &none, 1, &nodes, NULL), RCH_EINVAL, NULL);
}

static void a_long_name_is_shortened_to_the_buffer(void **state)
{
    struct rch_graph *g = zoo(state);
    char name[8];
    rch_type_full_name(g, (uint32_t)(rch_type_of(g, graph_node(g, "a")) - g->types), name,
                       sizeof(name));
    assert_string_equal(name, "amqp.tr");
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = zoo(state);
    FOR_EACH_FAILING_ALLOC (alloc) {
        RCH_VEC(types, alloc, uint32_t);
        RCH_VEC(nodes, alloc, rch_node);
        if (ok_or_enomem(rch_select_types(g, "*", &types, NULL)))
            assert_ok_or_enomem(
                rch_select_instances(g, types.mem, (uint32_t)types.num, &nodes, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(a_short_name_finds_every_module),
        graph_test(a_full_name_finds_one_type),
        graph_test(a_glob_matches_the_full_name),
        graph_test(a_glob_of_many_stars_takes_no_exponential_time),
        graph_test(roots_have_no_types_to_select),
        graph_test(instances_come_in_node_order),
        graph_test(a_long_name_is_shortened_to_the_buffer),
        graph_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
