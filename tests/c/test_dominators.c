// SPDX-License-Identifier: MIT
// Claims about the dominator tree and about retained bytes.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/keepers/retained.h"
#include "large.h"
#include "support.h"

struct tree {
    const struct rch_graph *g;
    const struct rch_alloc *alloc;
    struct rch_domtree dom;
    uint64_t *bytes, *by_type;
};

static void drop_tree(struct tree *t)
{
    rch_free(t->alloc, t->by_type, t->g->num_types, sizeof(uint64_t));
    rch_free(t->alloc, t->bytes, (size_t)t->g->num_nodes + 1, sizeof(uint64_t));
    rch_domtree_deinit(&t->dom);
}

static enum rch_status make_tree(struct tree *t, const struct rch_graph *g,
                                 const struct rch_alloc *alloc)
{
    *t = (struct tree){.g = g, .alloc = alloc};
    enum rch_status st = rch_domtree_init(&t->dom, g, alloc, NULL, NULL);
    if (st != RCH_OK)
        return st;
    st = rch_retained_bytes(g, &t->dom, alloc, &t->bytes, NULL);
    if (st == RCH_OK)
        st = rch_retained_by_type(g, &t->dom, t->bytes, alloc, &t->by_type, NULL);
    if (st != RCH_OK)
        drop_tree(t);
    return st;
}

// "a<b:30": the immediate dominator of a is b and a retains 30 bytes; b "-": an orphan, "*": the
// super root, which stands alone as "*:90".
static void check_word(const struct tree *t, const char *word)
{
    char name[64], above[64] = "";
    uint64_t bytes;
    if (sscanf(word, "*:%" SCNu64, &bytes) == 1) {
        assert_int_equal(t->bytes[rch_super_root(&t->dom)], bytes);
        return;
    }
    if (sscanf(word, "%63[^<]<%63[^:]:%" SCNu64, name, above, &bytes) != 3)
        fail_msg("no claim: %s", word);
    rch_node v = graph_node(t->g, name);
    rch_node want = *above == '-'   ? RCH_NO_NODE
                    : *above == '*' ? rch_super_root(&t->dom)
                                    : graph_node(t->g, above);
    if (t->dom.idom[v] != want || t->bytes[v] != bytes)
        fail_msg("%s: dominator %" PRIu32 ", %" PRIu64 " bytes", word, t->dom.idom[v], t->bytes[v]);
}

static void assert_tree(const struct rch_graph *g, const char *claims)
{
    char copy[512];
    struct tree t;
    assert_ok(make_tree(&t, g, rch_alloc_default()), NULL);
    assert_true(strlen(claims) < sizeof(copy));
    strcpy(copy, claims);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        check_word(&t, word);
    drop_tree(&t);
}

static void only_the_owner_of_both_ways_retains_a_shared_child(void **state)
{
    assert_tree(graph_of(state, "a:1 b:10 c:20 s:5", "@module.m>a a>b a>c b>s c>s"),
                "@module.m<*:36 a<@module.m:36 b<a:10 c<a:20 s<a:5 *:36");
}

static void what_two_roots_hold_belongs_to_neither(void **state)
{
    assert_tree(graph_of(state, "a:1 b:2 s:4", "@module.m>a @module.n>b a>s b>s"),
                "@module.m<*:1 @module.n<*:2 s<*:4 *:7");
}

static void loops_and_repeated_references_change_nothing(void **state)
{
    assert_tree(
        graph_of(state, "a:1 b:2 c:4", "@module.m>a @module.m>a a>a a>b a>b b>c b>b c>a c>b c>c"),
        "a<@module.m:7 b<a:6 c<b:4");
}

static void a_way_back_into_a_loop_counts(void **state)
{
    assert_tree(graph_of(state, "a:1 b:2 c:4 d:8", "@module.m>a @module.m>d a>b b>c c>a d>c"),
                "a<@module.m:3 b<a:2 c<@module.m:4 d<@module.m:8");
}

static void weak_references_hold_nothing(void **state)
{
    assert_tree(graph_of(state, "a:1 b:2 c:4", "@module.m>a a>b a~c b>c"), "b<a:6 c<b:4");
    assert_tree(graph_of(state, "a:1 c:4", "@module.m>a a~c"), "a<@module.m:1 c<-:4 *:1");
}

static void what_only_the_observer_holds_is_an_orphan(void **state)
{
    struct rch_graph *g =
        graph_of(state, "o:1:object:observer a:2 b:4", "@module.m>o @module.m>b o>a o>b");
    assert_tree(g, "o<-:1 a<-:2 b<@module.m:4 *:4");
}

static void garbage_takes_nothing_from_the_living(void **state)
{
    assert_tree(graph_of(state, "a:1 b:2 x:4 y:8", "@garbage.0>x x>b x>y y>x @module.m>a a>b"),
                "b<a:2 a<@module.m:3 x<@garbage.0:12 y<x:8 *:15");
}

static uint64_t retained_of_type(const struct rch_graph *g, const char *node)
{
    struct tree t;
    assert_ok(make_tree(&t, g, rch_alloc_default()), NULL);
    uint64_t bytes = t.by_type[g->shapes[g->shape_of[graph_node(g, node)]].type];
    drop_tree(&t);
    return bytes;
}

static void a_type_counts_nothing_twice(void **state)
{
    struct rch_graph *g = graph_of(state, "a:1:m.N b:2:m.L c:4:m.N d:8:m.N e:16:m.L o:32:m.N",
                                   "@module.m>a @module.m>d a>b b>c d>e");
    assert_int_equal(retained_of_type(g, "a"), 1 + 2 + 4 + 8 + 16 + 32);  // o: an orphan
    assert_int_equal(retained_of_type(g, "b"), 2 + 4 + 16);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    struct rch_graph *g = graph_of(state, "a:1 b:2", "@module.m>a @module.m>b");
    struct rch_big_size big[] = {{graph_node(g, "a"), 0, UINT64_MAX - 1},
                                 {graph_node(g, "b"), 0, 2}};
    uint16_t size16[] = {RCH_SIZE_BIG, RCH_SIZE_BIG, 0};
    struct rch_graph lying = *g;
    lying.big_sizes = big;
    lying.num_big_sizes = 2;
    lying.size16 = size16;
    struct tree t;
    assert_status(make_tree(&t, &lying, rch_alloc_default()), RCH_EOVERFLOW, NULL);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = graph_of(state, "a:1 b:2 c:4", "@module.m>a a>b b>c c>a a~c");
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct tree t;
        if (ok_or_enomem(make_tree(&t, g, alloc)))
            drop_tree(&t);
    }
}

// --- large graphs ---

static void assert_large(enum large_kind kind)
{
    struct large large;
    struct tree t;
    large_init(&large, kind);
    assert_ok(make_tree(&t, &large.g, rch_alloc_default()), NULL);
    bool is_flat = kind == STAR || kind == LADDER;
    for (rch_node v = 1; v < LARGE; v++) {
        if (t.dom.idom[v] != (is_flat ? 0 : v - 1) ||
            t.bytes[v] != (is_flat ? SIZE : (uint64_t)SIZE * (LARGE - v)))
            fail_msg("node %" PRIu32 ": dominator %" PRIu32 ", %" PRIu64 " bytes", v, t.dom.idom[v],
                     t.bytes[v]);
    }
    assert_int_equal(t.dom.idom[0], LARGE);
    assert_int_equal(t.bytes[LARGE + 1], (uint64_t)SIZE * LARGE);
    assert_int_equal(t.by_type[0], (uint64_t)SIZE * LARGE);
    drop_tree(&t);
    large_deinit(&large);
}

static void a_million_in_a_row_need_no_stack(void **state)
{
    (void)state;
    assert_large(CHAIN);
}

static void a_million_in_a_row_that_look_back_are_no_slower(void **state)
{
    (void)state;
    assert_large(BACK);
}

static void a_star_is_flat(void **state)
{
    (void)state;
    assert_large(STAR);
}

static void a_row_with_short_cuts_is_flat(void **state)
{
    (void)state;
    assert_large(LADDER);
}

static bool count_down(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)phase;
    return done <= total && --*(int *)ctx > 0;
}

static void each_part_of_the_work_can_be_canceled(void **state)
{
    static const int reports[] = {1, 30, 80, 130, 200};  // 46, 61, 46 in the three parts
    (void)state;
    struct large large;
    large_init(&large, CHAIN);
    for (int i = 0; i < 5; i++) {
        struct tracked_alloc tracked;
        struct rch_domtree dom;
        int left = reports[i];
        struct rch_progress progress = {count_down, &left};
        tracked_alloc_init(&tracked, 0);
        enum rch_status st = rch_domtree_init(&dom, &large.g, &tracked.alloc, &progress, NULL);
        assert_int_equal(st, i < 4 ? RCH_ECANCELED : RCH_OK);
        if (st == RCH_OK)
            rch_domtree_deinit(&dom);
        tracked_alloc_finish(&tracked);
    }
    large_deinit(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(only_the_owner_of_both_ways_retains_a_shared_child),
        graph_test(what_two_roots_hold_belongs_to_neither),
        graph_test(loops_and_repeated_references_change_nothing),
        graph_test(a_way_back_into_a_loop_counts),
        graph_test(weak_references_hold_nothing),
        graph_test(what_only_the_observer_holds_is_an_orphan),
        graph_test(garbage_takes_nothing_from_the_living),
        graph_test(a_type_counts_nothing_twice),
        graph_test(sizes_that_do_not_fit_are_refused),
        graph_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(a_million_in_a_row_need_no_stack),
        cmocka_unit_test(a_million_in_a_row_that_look_back_are_no_slower),
        cmocka_unit_test(a_star_is_flat),
        cmocka_unit_test(a_row_with_short_cuts_is_flat),
        cmocka_unit_test(each_part_of_the_work_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
