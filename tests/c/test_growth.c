// SPDX-License-Identifier: MIT
// Claims about growth: which objects are new, and where they are told.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/growth/growth.h"
#include "support.h"

static struct rch_growth *grown_with(const struct rch_graph *before, const struct rch_graph *now,
                                     const struct rch_growth_options *options)
{
    struct rch_baseline *base;
    struct rch_growth *growth;
    struct rch_error err;
    assert_ok(rch_baseline_make(before, rch_alloc_default(), &base, &err), &err);
    assert_int_equal(rch_baseline_objects(base), before->num_objects);
    assert_ok(rch_growth(base, now, NULL, options, rch_alloc_default(), &growth, &err), &err);
    rch_baseline_free(base);
    assert_int_equal(growth->kept + growth->gone, before->num_objects);
    assert_int_equal(growth->kept + growth->made, now->num_objects);
    return growth;
}

static struct rch_growth *grown(const struct rch_graph *before, const struct rch_graph *now)
{
    return grown_with(before, now, NULL);
}

/// "3+2 m.A @m .x [*]": objects, below, type, root, hops.
static void assert_place(const struct rch_growth *growth, uint32_t i, const char *want)
{
    char text[512];
    assert_true(i < growth->num_places);
    const struct rch_growth_place *place = &growth->places[i];
    size_t at =
        (size_t)snprintf(text, sizeof(text), "%" PRIu64 "+%" PRIu64 " %s @%s", place->objects,
                         place->below, place->type, place->holder.root_name);
    for (uint32_t h = 0; h < place->holder.num_hops; h++) {
        const struct rch_hop *hop = &place->holder.hops[h];
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s", rch_edge_kind_word(hop->kind),
                               hop->name ? hop->name : "");
    }
    assert_string_equal(text, want);
}

static void assert_type(const struct rch_growth *growth, uint32_t i, const char *want)
{
    char text[256];
    assert_true(i < growth->num_types);
    const struct rch_growth_type *row = &growth->types[i];
    snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, row->type,
             row->before, row->now, row->made, row->gone);
    assert_string_equal(text, want);
}

#define OLD "cache:64:dict k1:50:str a:16:m.A"

static void nothing_comes_of_the_same_graph(void **state)
{
    struct rch_graph *g = graph_of(state, OLD, "@module.m.x>cache cache{k1}>a");
    struct rch_growth *growth = grown(g, g);
    assert_int_equal(growth->made + growth->gone + growth->num_places + growth->num_types, 0);
    assert_int_equal(growth->kept, 3);
    rch_growth_free(growth);
}

static void new_entries_are_one_place_and_their_keys_go_with_them(void **state)
{
    struct rch_graph *before = graph_of(state, OLD, "@module.m.x>cache cache{k1}>a");
    struct rch_graph *now = graph_of(state, OLD " k2:51:str k3:51:str b:16:m.A c:20:m.A d:7:m.B",
                                     "@module.m.x>cache cache{k1}>a cache{k2}>b cache{k3}>c b.y>d");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 1);
    assert_place(growth, 0, "2+3 m.A @m attributex value");
    assert_int_equal(growth->places[0].bytes, 36);
    assert_int_equal(growth->places[0].below_bytes, 51 + 51 + 7);
    assert_type(growth, 0, "str 1 3 2 0");
    assert_type(growth, 1, "m.A 1 3 2 0");
    assert_type(growth, 2, "m.B 0 1 1 0");
    assert_int_equal(growth->made_bytes, 36 + 51 + 51 + 7);
    rch_growth_free(growth);
}

static void a_place_has_the_fingerprint_that_why_gives_the_holder(void **state)
{
    struct rch_graph *before = graph_of(state, "cache:64:dict", "@module.m.x>cache");
    struct rch_graph *now =
        graph_of(state, "cache:64:dict k1:50:str b:16:m.A", "@module.m.x>cache cache{k1}>b");
    struct rch_growth *growth = grown(before, now);
    rch_node member = graph_node(now, "b");
    struct rch_question question = {"b", &member, 1};
    struct rch_answer *answer;
    struct rch_error err;
    assert_ok(rch_why(now, NULL, &question, NULL, rch_alloc_default(), &answer, &err), &err);
    assert_string_equal(growth->places[0].holder.fingerprint, answer->holders[0].fingerprint);
    rch_answer_free(answer);
    rch_growth_free(growth);
}

static void a_new_container_with_few_objects_is_one_place(void **state)
{
    struct rch_graph *before = graph_of(state, "m1:16:m.M", "@module.m.x>m1");
    struct rch_graph *now = graph_of(state, "m1:16:m.M l:56:list a:16:m.A b:16:m.A",
                                     "@module.m.x>m1 m1.items>l l[]>a l[]>b");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 1);
    assert_place(growth, 0, "1+2 list @m attributex attributeitems");
    rch_growth_free(growth);
}

static void a_new_container_with_many_objects_gives_them_a_place_of_their_own(void **state)
{
    struct rch_graph *before = graph_of(state, "m1:16:m.M", "@module.m.x>m1");
    struct rch_graph *now = graph_of(state, "m1:16:m.M l:56:list",
                                     "@module.m.x>m1 m1.items>l l[]>a1 l[]>a2 l[]>a3 l[]>a4 "
                                     "l[]>a5 l[]>a6 l[]>a7 l[]>a8 l[]>a9 l[]>b1 l[]>b2 "
                                     "l[]>b3 l[]>b4 l[]>b5 l[]>b6 l[]>b7 a1.y>c");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 2);
    assert_place(growth, 0, "16+1 object @m attributex attributeitems item");
    assert_place(growth, 1, "1+0 list @m attributex attributeitems");
    rch_growth_free(growth);
}

static void what_an_old_object_holds_is_a_place_beside_new_ones_of_its_kind(void **state)
{
    // l has an old and a new m.S; the new m.H hang at the old one.
    const char *old = "l:56:list s1:16:m.S h:56:list";
    struct rch_graph *before = graph_of(state, old, "@module.m.x>l l[]>s1 s1.h>h");
    struct rch_graph *now =
        graph_of(state, "l:56:list s1:16:m.S h:56:list s2:16:m.S a:16:m.H b:16:m.H",
                 "@module.m.x>l l[]>s1 l[]>s2 s1.h>h h[]>a h[]>b");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 2);
    assert_place(growth, 0, "2+0 m.H @m attributex item attributeh item");
    assert_place(growth, 1, "1+0 m.S @m attributex item");
    rch_growth_free(growth);
}

static void attribute_dictionaries_fold_into_their_objects(void **state)
{
    struct rch_graph *before = graph_of(state, "l:56:list", "@module.m.x>l");
    struct rch_graph *now = graph_of(state, "l:56:list a:16:m.A ad:100:dict y:3:str b:16:m.B",
                                     "@module.m.x>l l[]>a a.__dict__>ad ad{y}>b");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 1);
    assert_place(growth, 0, "1+3 m.A @m attributex item");
    assert_int_equal(growth->places[0].below_bytes, 119);
    rch_growth_free(growth);
}

static void another_type_at_an_address_is_new(void **state)
{
    struct rch_graph *before = graph_of(state, "l:56:list a:16:m.A", "@module.m.x>l l[]>a");
    struct rch_graph *now = graph_of(state, "l:56:list a:16:m.B", "@module.m.x>l l[]>a");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->made, 1);
    assert_int_equal(growth->gone, 1);
    assert_place(growth, 0, "1+0 m.B @m attributex item");
    assert_type(growth, 0, "m.B 0 1 1 0");
    assert_type(growth, 1, "m.A 1 0 0 1");
    rch_growth_free(growth);
}

static void objects_that_changed_sides_are_the_same(void **state)
{
    struct rch_graph *before =
        graph_of(state, "l:56:list a:16:m.A:untracked b:16:m.B", "@module.m.x>l l[]>a l[]>b");
    struct rch_graph *now =
        graph_of(state, "l:56:list a:16:m.A b:16:m.B:untracked", "@module.m.x>l l[]>a l[]>b");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->made, 0);
    rch_growth_free(growth);
}

static void order_tells_an_object_at_a_used_address(void **state)
{
    struct rch_graph *g = graph_of(state, "l:56:list a:16:m.A u:16:m.A:untracked b:16:m.A",
                                   "@module.m.x>l l[]>a l[]>u l[]>b");
    rch_addr later[] = {rch_addr_of(g, graph_node(g, "a"))};
    struct rch_births births = {later, 1, true};
    struct rch_growth_options options = {.births = &births};
    struct rch_growth *growth = grown_with(g, g, &options);
    assert_int_equal(growth->made, 1);
    assert_int_equal(growth->reused, 1);
    assert_int_equal(growth->surely_kept, 2);  // l and b; of u nothing is known
    assert_type(growth, 0, "m.A 3 3 1 1");
    assert_place(growth, 0, "1+0 m.A @m attributex item");
    rch_growth_free(growth);
    births.is_uncollected = false;  // then it may have moved
    growth = grown_with(g, g, &options);
    assert_int_equal(growth->made, 0);
    assert_int_equal(growth->surely_kept, 2);
    rch_growth_free(growth);
}

static void garbage_and_the_observers_objects_are_no_places(void **state)
{
    struct rch_graph *before = graph_of(state, "m1:16:m.M", "@module.m.x>m1");
    struct rch_graph *now =
        graph_of(state, "m1:16:m.M g:16:m.G w:16:m.W:observer o:16:m.O u:16:m.U",
                 "@module.m.x>m1 @garbage.g>g g.me>g @module.m.w>w w.y>o");
    struct rch_growth *growth = grown(before, now);
    assert_int_equal(growth->num_places, 0);
    assert_int_equal(growth->garbage, 1);
    assert_int_equal(growth->observer, 2);  // w itself, and o
    assert_int_equal(growth->unexplained, 1);
    rch_growth_free(growth);
}

static void only_types_need_no_places(void **state)
{
    struct rch_graph *before = graph_of(state, "", "");
    struct rch_graph *now = graph_of(state, "a:16:m.A b:20:m.A", "@module.m.x>a");
    struct rch_growth_options options = {.types_only = true};
    struct rch_growth *growth = grown_with(before, now, &options);
    assert_int_equal(growth->num_places, 0);
    assert_type(growth, 0, "m.A 0 2 2 0");
    assert_int_equal(growth->types[0].now_bytes, 36);
    rch_growth_free(growth);
    growth = grown_with(now, before, &options);
    assert_type(growth, 0, "m.A 2 0 0 2");
    rch_growth_free(growth);
}

static void places_past_the_limit_are_counted(void **state)
{
    struct rch_graph *before = graph_of(state, "m1:16:m.M", "@module.m.x>m1");
    struct rch_graph *now = graph_of(state, "m1:16:m.M a:16:m.A b:16:m.B c:16:m.C d:16:m.D",
                                     "@module.m.x>m1 m1.a>a m1.b>b m1.c>c c.d>d");
    struct rch_growth_options options = {.max_places = 1};
    struct rch_growth *growth = grown_with(before, now, &options);
    assert_place(growth, 0, "1+1 m.C @m attributex attributec");  // most bytes with all below
    assert_int_equal(growth->num_places, 1);
    assert_int_equal(growth->num_more_places, 2);
    assert_int_equal(growth->more_objects, 2);
    rch_growth_free(growth);
}

static bool cancel(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx, (void)phase, (void)total;
    return done < 2;
}

static void it_can_be_cancelled(void **state)
{
    struct rch_graph *g = graph_of(state, OLD, "@module.m.x>cache cache{k1}>a");
    struct rch_progress progress = {.report = cancel};
    struct rch_growth_options options = {.progress = &progress};
    struct rch_baseline *base;
    struct rch_growth *growth;
    struct rch_error err;
    assert_ok(rch_baseline_make(g, rch_alloc_default(), &base, &err), &err);
    assert_status(rch_growth(base, g, NULL, &options, rch_alloc_default(), &growth, &err),
                  RCH_ECANCELED, &err);
    rch_baseline_free(base);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *before = graph_of(state, OLD, "@module.m.x>cache cache{k1}>a");
    struct rch_graph *now = graph_of(state, OLD " k2:51:str b:16:m.A c:20:m.A d:7:m.B",
                                     "@module.m.x>cache cache{k1}>a cache{k2}>b a.z>c b.y>d");
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_baseline *base;
        struct rch_growth *growth;
        if (!ok_or_enomem(rch_baseline_make(before, alloc, &base, NULL)))
            continue;
        if (ok_or_enomem(rch_growth(base, now, NULL, NULL, alloc, &growth, NULL)))
            rch_growth_free(growth);
        rch_baseline_free(base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(nothing_comes_of_the_same_graph),
        graph_test(new_entries_are_one_place_and_their_keys_go_with_them),
        graph_test(a_place_has_the_fingerprint_that_why_gives_the_holder),
        graph_test(a_new_container_with_few_objects_is_one_place),
        graph_test(a_new_container_with_many_objects_gives_them_a_place_of_their_own),
        graph_test(what_an_old_object_holds_is_a_place_beside_new_ones_of_its_kind),
        graph_test(attribute_dictionaries_fold_into_their_objects),
        graph_test(another_type_at_an_address_is_new),
        graph_test(objects_that_changed_sides_are_the_same),
        graph_test(order_tells_an_object_at_a_used_address),
        graph_test(garbage_and_the_observers_objects_are_no_places),
        graph_test(only_types_need_no_places),
        graph_test(places_past_the_limit_are_counted),
        graph_test(it_can_be_cancelled),
        graph_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
