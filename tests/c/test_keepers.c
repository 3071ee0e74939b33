// SPDX-License-Identifier: MIT
// Claims about who keeps the most.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/keepers/keepers.h"
#include "support.h"

static struct rch_keepers *keepers(const struct rch_graph *g, enum rch_keepers_by by,
                                   enum rch_keepers_sort sort, uint32_t max_rows)
{
    const struct rch_keepers_options options = {.by = by, .sort = sort, .max_rows = max_rows};
    struct rch_keepers *out = NULL;
    struct rch_error err = {0};
    assert_ok(rch_keepers(g, NULL, &options, rch_alloc_default(), &out, &err), &err);
    return out;
}

static const struct rch_keeper *module_row(const struct rch_keepers *k, const char *name)
{
    for (uint32_t i = 0; i < k->num_rows; i++)
        if (k->rows[i].kind == RCH_KEEPER_PLACE && strcmp(k->rows[i].place.root_name, name) == 0)
            return &k->rows[i];
    fail_msg("no module %s", name);
    return NULL;
}

// A function of a module that another module imports has the namespace of the first in __globals__.
static const char *const two_modules_nodes =
    "a:1:module da:2:dict fa:4:function b:8:module db:16:dict x:32 y:64 k0:1:str k1:1:str k2:1:str";
static const char *const two_modules =
    "@module.a>a a.__dict__>da da{k0}>fa da{k1}>x fa-field.__globals__+fixed>da "
    "@module.b>b b.__dict__>db db{k2}>fa db{k0}>y @frame.f-local.z>y";

static void a_module_keeps_its_namespace_whoever_refers_to_it(void **state)
{
    const struct rch_graph *g = graph_of(state, two_modules_nodes, two_modules);
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_MODULE, RCH_SORT_RETAINED, 0);
    assert_int_equal(module_row(k, "a")->retained, 1 + 2 + 32 + 1);  // module, namespace, x, k1
    assert_int_equal(module_row(k, "b")->retained, 8 + 16 + 1);      // not y: a frame has it too
    uint64_t objects = 0, bytes = 0;
    for (uint32_t i = 0; i < k->num_rows; i++) {
        objects += k->rows[i].retained_objects;
        bytes += k->rows[i].retained;
        assert_true(!i || k->rows[i - 1].retained >= k->rows[i].retained);
    }
    assert_int_equal(objects, g->num_objects);
    assert_int_equal(bytes, k->bytes);
    rch_keepers_free(k);
}

static void one_module_under_two_names_is_counted_once(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "p:4:module o:2", "@module.posix>p @module.os>p p.o>o");
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_MODULE, RCH_SORT_OBJECTS, 0);
    assert_int_equal(k->num_rows, 1);
    assert_int_equal(k->rows[0].retained, 6);
    assert_int_equal(k->bytes, 6);
    rch_keepers_free(k);
}

static void what_is_on_the_way_to_one_big_object_is_left_out(void **state)
{
    const struct rch_graph *g = graph_of(
        state,
        "m:10:module way:10:m.Way big:10:m.Big d:10:dict p0:400:m.Part p1:400:m.Part "
        "other:5:m.Other k0:1:str k1:1:str",
        "@module.m>m m.way>way way.big>big big.__dict__>d d{k0}>p0 d{k1}>p1 m.other>other");
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_DOMINATOR, RCH_SORT_RETAINED, 3);
    assert_int_equal(k->num_rows, 3);
    assert_string_equal(k->rows[0].type, "m.Big");  // neither the way nor the dictionary
    assert_int_equal(k->rows[0].retained, 822);
    assert_int_equal(k->rows[0].retained_objects, 6);
    assert_int_equal(k->rows[0].place.num_hops, 2);
    assert_string_equal(k->rows[0].place.hops[1].name, "big");
    assert_int_equal(k->rows[0].num_below, 2);
    assert_string_equal(k->rows[0].below[0].type, "m.Part");
    assert_int_equal(k->rows[0].below[0].num, 2);
    assert_int_equal(k->rows[0].below[0].bytes, 800);
    assert_string_equal(k->rows[1].type, "m.Part");
    assert_int_equal(k->num_more_rows, 3);  // other, k0, k1
    rch_keepers_free(k);
}

static void a_single_child_has_the_name_of_its_reference(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "m:1:module a:5:m.A b:4:m.B c:4:m.C", "@module.m>m m.a>a a.b>b a.c>c");
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_DOMINATOR, RCH_SORT_RETAINED, 1);
    assert_string_equal(k->rows[0].type, "m.A");
    assert_true(k->rows[0].below[0].has_hop);
    assert_string_equal(k->rows[0].below[0].hop.name, "b");
    rch_keepers_free(k);
}

static void places_have_neither_keys_nor_indices(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "m:1:module l:8:list a:16:m.A b:16:m.A x:100:m.X y:100:m.X s:1000:m.S",
                 "@module.m>m m.l>l l[]>a l[]>b a.x>x b.x>y x.s>s y.s>s");
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_HOLDER, RCH_SORT_OBJECTS, 2);
    assert_int_equal(k->rows[0].objects, 2);
    assert_int_equal(k->rows[1].objects, 2);
    assert_int_equal(k->num_more_rows, 3);
    assert_int_equal(k->rows[0].retained, 2 * 16 + 2 * 100);  // s is neither's alone
    rch_keepers_free(k);
    k = keepers(g, RCH_KEEPERS_HOLDER, RCH_SORT_RETAINED, 0);
    assert_string_equal(k->rows[0].place.hops[0].name, "l");  // the module is on the way to it
    assert_int_equal(k->rows[0].place.num_hops, 1);
    assert_int_equal(k->rows[0].retained, 8 + 2 * 16 + 2 * 100 + 1000);
    rch_keepers_free(k);
}

static void objects_within_others_of_their_place_count_once(void **state)
{
    const struct rch_graph *g = graph_of(state, "m:1:module l:8:list a:16:m.A b:32:m.A",
                                         "@module.m>m m.l>l l[]>a l[]>a a.next>b");
    struct rch_keepers *k = keepers(g, RCH_KEEPERS_HOLDER, RCH_SORT_BYTES, 1);
    assert_int_equal(k->rows[0].bytes, 32);
    assert_int_equal(k->rows[0].retained, 32);
    rch_keepers_free(k);
}

// --- the dominators of a question ---

static struct rch_dominators_of *dominators(const struct rch_graph *g, const char *const *names,
                                            uint32_t num)
{
    rch_node members[8];
    for (uint32_t i = 0; i < num; i++)
        members[i] = graph_node(g, names[i]);
    const struct rch_question question = {"question", members, num};
    struct rch_dominators_of *out = NULL;
    struct rch_error err = {0};
    assert_ok(rch_dominators_of(g, NULL, &question, NULL, rch_alloc_default(), &out, &err), &err);
    return out;
}

static void dominators_are_grouped_by_type(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "m:1:module l:8:list a:16:m.A b:16:m.A s:4:m.S t:4:m.S u:4:m.S v:4:m.S",
                 "@module.m>m m.l>l l[]>a l[]>b a.s>s b.t>t a.u>u b.u>u @module.n>n n.v>v m.v>v");
    const char *const names[] = {"s", "t", "u", "v"};
    struct rch_dominators_of *d = dominators(g, names, 4);
    assert_int_equal(d->num_groups, 3);
    assert_string_equal(d->groups[0].type, "m.A");
    assert_int_equal(d->groups[0].num_dominators, 2);
    assert_int_equal(d->groups[0].members, 2);
    assert_string_equal(d->groups[1].type ? d->groups[1].type : "several", "several");
    assert_int_equal(d->groups[1].kind, RCH_KEEPER_SHARED);
    assert_string_equal(d->groups[2].type, "list");
    assert_false(d->has_common);
    rch_dominators_of_free(d);
    d = dominators(g, names, 3);
    assert_true(d->has_common);
    assert_string_equal(d->common_type, "list");
    assert_string_equal(d->common.hops[0].name, "l");
    rch_dominators_of_free(d);
}

static void no_members_have_no_dominators(void **state)
{
    const struct rch_graph *g = graph_of(state, "", "@module.m>m");
    struct rch_dominators_of *d = dominators(g, NULL, 0);
    assert_int_equal(d->num_groups, 0);
    assert_false(d->has_common);
    rch_dominators_of_free(d);
}

// --- limits ---

static void an_empty_graph_has_no_keepers(void **state)
{
    const struct rch_graph *g = graph_of(state, "", "");
    for (int by = RCH_KEEPERS_MODULE; by <= RCH_KEEPERS_DOMINATOR; by++) {
        struct rch_keepers *k = keepers(g, (enum rch_keepers_by)by, RCH_SORT_RETAINED, 0);
        assert_int_equal(k->num_rows, 0);
        rch_keepers_free(k);
    }
}

static void every_allocation_may_fail(void **state)
{
    const struct rch_graph *g = graph_of(state, two_modules_nodes, two_modules);
    for (int by = RCH_KEEPERS_MODULE; by <= RCH_KEEPERS_DOMINATOR; by++) {
        const struct rch_keepers_options options = {.by = (enum rch_keepers_by)by};
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_keepers *out = NULL;
            if (ok_or_enomem(rch_keepers(g, NULL, &options, alloc, &out, NULL)))
                rch_keepers_free(out);
        }
    }
    rch_node members[] = {graph_node(g, "x"), graph_node(g, "y")};
    const struct rch_question question = {"question", members, 2};
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_dominators_of *out = NULL;
        if (ok_or_enomem(rch_dominators_of(g, NULL, &question, NULL, alloc, &out, NULL)))
            rch_dominators_of_free(out);
    }
}

static bool count_down(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)phase;
    return done <= total && (*(int *)ctx)-- > 0;
}

static void each_stage_can_be_canceled(void **state)
{
    const struct rch_graph *g = graph_of(state, two_modules_nodes, two_modules);
    for (int by = RCH_KEEPERS_MODULE; by <= RCH_KEEPERS_DOMINATOR; by++) {
        int reports = by == RCH_KEEPERS_MODULE ? 2 : 3;
        for (int i = 0; i <= reports; i++) {
            struct tracked_alloc tracked;
            int left = i;
            const struct rch_progress progress = {count_down, &left};
            const struct rch_keepers_options options = {.by = (enum rch_keepers_by)by,
                                                        .progress = &progress};
            struct rch_keepers *out = NULL;
            tracked_alloc_init(&tracked, 0);
            enum rch_status st = rch_keepers(g, NULL, &options, &tracked.alloc, &out, NULL);
            assert_int_equal(st, i < reports ? RCH_ECANCELED : RCH_OK);
            rch_keepers_free(out);
            tracked_alloc_finish(&tracked);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(a_module_keeps_its_namespace_whoever_refers_to_it),
        graph_test(one_module_under_two_names_is_counted_once),
        graph_test(what_is_on_the_way_to_one_big_object_is_left_out),
        graph_test(a_single_child_has_the_name_of_its_reference),
        graph_test(places_have_neither_keys_nor_indices),
        graph_test(objects_within_others_of_their_place_count_once),
        graph_test(dominators_are_grouped_by_type),
        graph_test(no_members_have_no_dominators),
        graph_test(an_empty_graph_has_no_keepers),
        graph_test(every_allocation_may_fail),
        graph_test(each_stage_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
