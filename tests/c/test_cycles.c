// SPDX-License-Identifier: MIT
// Claims about cycles: which are one group, what goes with them, the names to cut, and who has a __del__.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/cycles/cycles.h"
#include "large.h"
#include "support.h"

static struct rch_cycles *cycles_of(const struct rch_graph *g, const char *member,
                                    bool garbage_only)
{
    rch_node node = member ? graph_node(g, member) : 0;
    struct rch_question question = {"question", &node, 1};
    struct rch_cycles_options options = {.garbage_only = garbage_only};
    struct rch_cycles *cycles = NULL;
    struct rch_error err = {0};
    assert_ok(rch_cycles(g, NULL, member ? &question : NULL, &options, rch_alloc_default(), &cycles,
                         &err),
              &err);
    return cycles;
}

static void add_hop(char *text, size_t bytes, const struct rch_hop *hop)
{
    size_t at = strlen(text);
    snprintf(text + at, bytes - at, ".%s", hop->name ? hop->name : "*");
}

// "3 of m.N: m.N.child.parent; cut m.N.parent": components, start, hops and cuts of one group.
static void assert_group(const struct rch_cycle_group *group, const char *want)
{
    char got[512];
    snprintf(got, sizeof(got), "%u: %s", (unsigned)group->components, group->start);
    for (uint32_t i = 0; i < group->num_hops; i++)
        add_hop(got, sizeof(got), &group->hops[i]);
    for (uint32_t i = 0; i < group->num_cuts; i++) {
        const struct rch_cycle_cut *cut = &group->cuts[i];
        size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "; cut %s", cut->owner);
        if (cut->has_via)
            add_hop(got, sizeof(got), &cut->via);
        add_hop(got, sizeof(got), &cut->hop);
        at = strlen(got);
        snprintf(got + at, sizeof(got) - at, " x%u", (unsigned)cut->refs);
    }
    assert_string_equal(got, want);
}

static void components_that_look_alike_are_one_group(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "a:1:m.N al:2:list b:4:m.N c:8:m.N cl:16:list d:32:m.N e:64:m.N tail:128:m.T o:256:m.O",
        "@garbage(a)>a a.kids>al al[]>b b.parent>a  @garbage(c)>c c.kids>cl cl[]>d cl[]>e "
        "d.parent>c "
        "e.parent>c e.tail>tail  @garbage(o)>o o.me>o");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->num_groups, 2);
    assert_int_equal(cycles->components, 3);
    assert_int_equal(cycles->garbage, 9);
    assert_int_equal(cycles->garbage_bytes, 511);
    assert_group(&cycles->groups[0], "1: m.O.me; cut m.O.me x1");
    assert_group(&cycles->groups[1], "2: m.N.kids.*.parent; cut m.N.parent x3");
    assert_true(cycles->groups[1].is_minimum && cycles->groups[1].is_shortest);
    assert_int_equal(cycles->groups[1].frees, 8);
    assert_int_equal(cycles->groups[1].frees_bytes, 255);
    assert_int_equal(cycles->groups[1].least_objects, 3);
    assert_int_equal(cycles->groups[1].most_objects, 4);
    rch_cycles_free(cycles);
}

static void living_cycles_are_told_of_a_type_and_not_through_modules(void **state)
{
    struct rch_graph *g =
        graph_of(state, "mod:64:module md:64:dict x:20:str a:8:m.A b:8:m.B",
                 "@module(m)>mod mod.__dict__+forward>md md{x}>a a.b>b b.a>a a.globals>md");
    struct rch_cycles *cycles = cycles_of(g, "a", false);
    assert_int_equal(cycles->num_groups, 1);
    assert_int_equal(cycles->objects, 2);
    assert_false(cycles->groups[0].is_garbage);
    assert_group(&cycles->groups[0], "1: m.A.b.a; cut m.A.b x1");
    rch_cycles_free(cycles);
    cycles = cycles_of(g, "a", true);
    assert_int_equal(cycles->num_groups, 0);
    rch_cycles_free(cycles);
    cycles = cycles_of(g, "md", false);
    assert_int_equal(cycles->num_groups, 0);
    rch_cycles_free(cycles);
}

static void what_garbage_shares_with_the_living_is_no_garbage(void **state)
{
    struct rch_graph *g =
        graph_of(state, "", "@garbage(a)>a a.b>b b.a>a a.x>x @module(m)>x x.y>y y.x>x");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->components, 1);
    assert_int_equal(cycles->garbage, 2);
    rch_cycles_free(cycles);
}

static void weak_references_close_no_cycle(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@garbage(a)>a a.b>b b~a");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->components, 0);
    assert_int_equal(cycles->garbage, 2);
    rch_cycles_free(cycles);
}

static void references_that_cannot_be_cut_are_not_offered(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@garbage(a)>a a-fixed>b b.x>a");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->groups[0].num_cuts, 1);
    assert_string_equal(cycles->groups[0].cuts[0].hop.name, "x");
    rch_cycles_free(cycles);
    g = graph_of(state, "", "@garbage(a)>a a-fixed>b b-fixed>a");
    cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->groups[0].num_cuts, 0);
    assert_false(cycles->groups[0].is_cuttable);
    rch_cycles_free(cycles);
}

static void more_than_three_names_are_found_one_by_one(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@garbage(a)>a a.p>a a.q>a a.r>a a.s>a a.t>a");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    assert_int_equal(cycles->groups[0].num_cuts, 5);
    assert_false(cycles->groups[0].is_minimum);
    rch_cycles_free(cycles);
}

static void a_finalizer_is_found_also_in_a_base(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "a:8:m.D b:8:m.N D:64:type N:64:type base:64:type dd:64:dict bd:64:dict nd:64:dict "
        "mro:64:tuple __del__:20:str",
        "@garbage(a)>a a.b>b b.a>a @module(m)>D @module(m2)>N D.__dict__+forward>dd "
        "N.__dict__+forward>nd "
        "D-field.__mro__+fixed>mro mro[]>D mro[]>base base.__dict__+forward>bd bd{__del__}>f");
    struct rch_cycles *cycles = cycles_of(g, NULL, false);
    const struct rch_cycle_group *group = &cycles->groups[0];
    assert_int_equal(group->num_types, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(group->types[i].has_del, strcmp(group->types[i].type, "m.D") == 0);
    assert_true(group->has_del);
    rch_cycles_free(cycles);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = graph_of(state, "a:1:m.N al:2:list d:64:dict k:20:str",
                                   "@garbage(a)>a a.kids>al al[]>b b.parent>a a.__dict__+forward>d "
                                   "d{k}>a @module(m)>x x.y>y y.x>x");
    rch_node x = graph_node(g, "x");
    struct rch_question question = {"question", &x, 1};
    for (int i = 0; i < 2; i++) {
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_cycles *cycles = NULL;
            if (ok_or_enomem(rch_cycles(g, NULL, i ? &question : NULL, NULL, alloc, &cycles, NULL)))
                rch_cycles_free(cycles);
        }
    }
}

// --- large graphs ---

static void assert_large(enum large_kind kind, uint32_t components, uint32_t objects)
{
    struct large large;
    rch_node some = 0;
    struct rch_question question = {"question", &some, 1};
    struct rch_cycles *cycles = NULL;
    large_init(&large, kind);
    assert_ok(rch_cycles(&large.g, NULL, &question, NULL, rch_alloc_default(), &cycles, NULL),
              NULL);
    assert_int_equal(cycles->components, components);
    assert_int_equal(cycles->objects, objects);
    if (components) {
        assert_int_equal(cycles->groups[0].num_hops, kind == RING ? LARGE : 2);
        assert_int_equal(cycles->groups[0].num_cuts, 1);
    }
    rch_cycles_free(cycles);
    large_deinit(&large);
}

static void a_million_objects_need_no_stack(void **state)
{
    (void)state;
    assert_large(CHAIN, 0, 0);
    assert_large(STAR, 0, 0);
    assert_large(LADDER, 0, 0);
    assert_large(RING, 1, LARGE);
    assert_large(BACK, 1, LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(components_that_look_alike_are_one_group),
        graph_test(living_cycles_are_told_of_a_type_and_not_through_modules),
        graph_test(what_garbage_shares_with_the_living_is_no_garbage),
        graph_test(weak_references_close_no_cycle),
        graph_test(references_that_cannot_be_cut_are_not_offered),
        graph_test(more_than_three_names_are_found_one_by_one),
        graph_test(a_finalizer_is_found_also_in_a_base),
        graph_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(a_million_objects_need_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
