// SPDX-License-Identifier: MIT
// Claims about all ways that hold an object, their order, their merged tree, and what is left out.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/paths/paths.h"
#include "large.h"
#include "support.h"

static enum rch_status find(const struct rch_graph *g, const char *members,
                            const struct rch_paths_options *options, const struct rch_alloc *alloc,
                            struct rch_paths **out, struct rch_error *err)
{
    char copy[256];
    rch_node nodes[32];
    uint32_t num = 0;
    assert_true(strlen(members) < sizeof(copy));
    strcpy(copy, members);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        nodes[num++] = graph_node(g, word);
    struct rch_question question = {"question", nodes, num};  // names in order of address
    return rch_paths(g, NULL, &question, options, alloc, out, err);
}

static void add_hop(char *text, size_t bytes, const struct rch_hop *hop)
{
    size_t at = strlen(text);
    snprintf(text + at, bytes - at, " %s:%s", rch_edge_kind_word(hop->kind),
             hop->name ? hop->name : "");
}

static struct rch_paths *paths_to(const struct rch_graph *g, const char *members, uint32_t max,
                                  const char *exclude, const char *exclude_root)
{
    struct rch_exclude rows[2];
    struct rch_paths_options options = {.max_paths = max, .excludes = rows};
    if (exclude)
        rows[options.num_excludes++] = (struct rch_exclude){exclude, false};
    if (exclude_root)
        rows[options.num_excludes++] = (struct rch_exclude){exclude_root, true};
    struct rch_paths *paths = NULL;
    struct rch_error err = {0};
    assert_ok(find(g, members, &options, rch_alloc_default(), &paths, &err), &err);
    return paths;
}

// "m attribute:x item: | n ...": root and hops of each path, best first.
static void assert_paths(const struct rch_graph *g, const char *target, const char *exclude,
                         const char *exclude_root, const char *want)
{
    char got[1024] = "";
    struct rch_paths *paths = paths_to(g, target, 10, exclude, exclude_root);
    for (uint32_t i = 0; i < paths->num_paths; i++) {
        const struct rch_holder *way = &paths->paths[i].way;
        size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "%s%s", i ? " | " : "", way->root_name);
        for (uint32_t h = 0; h < way->num_hops; h++)
            add_hop(got, sizeof(got), &way->hops[h]);
    }
    assert_string_equal(got, want);
    assert_true(paths->is_all && !paths->has_given_up);
    rch_paths_free(paths);
}

static void the_best_path_comes_first(void **state)
{
    struct rch_graph *g =
        graph_of(state, "c:64:m.C d:64:dict", "@module(n)>c @module(m)>d d.x>c c.y>t d.z>t");
    assert_paths(g, "t", NULL, NULL, "m attribute:z | n attribute:y | m attribute:x attribute:y");
}

static void paths_that_differ_by_keys_and_indices_are_one(void **state)
{
    struct rch_graph *g = graph_of(state, "l:64:list i:64:m.I j:64:m.I k:64:m.J",
                                   "@module(m)>l l[]>i l[]>j l[]>k i.x>t j.x>t k.x>t");
    assert_paths(g, "t", NULL, NULL, "m item: attribute:x | m item: attribute:x");  // m.I and m.J
}

static void what_waits_behind_a_loop_is_found_all_the_same(void **state)
{
    // b reads like a, and only by b does the way over x lead anywhere: that over a meets a again.
    struct rch_graph *g = graph_of(state, "t:16:m.T a:16:m.A b:16:m.A x:16:m.X r:16:m.R",
                                   "a.v>t b.v>t x.w>a x.w2>b a.u>x @module(m)>r r.p>a r.q>b");
    assert_paths(g, "t", NULL, NULL,
                 "m attribute:p attribute:v | m attribute:q attribute:v | "
                 "m attribute:p attribute:u attribute:w2 attribute:v");
}

static void a_path_begins_at_the_last_module_it_passes(void **state)
{
    struct rch_graph *g = graph_of(
        state, "mod:64:module md:64:dict other:64:module od:64:dict x:20:str k:20:str",
        "@module(m)>mod mod.__dict__+forward>md md{x}>t @module(n)>other other.__dict__+forward>od "
        "od{k}>mod");
    assert_paths(g, "t", NULL, NULL, "m attribute:x");
    assert_paths(g, "t", NULL, "m", "");  // the module goes with its root
    assert_paths(g, "mod", NULL, NULL, "m | n attribute:k");
}

static void frames_registries_and_weak_callbacks_come_last(void **state)
{
    struct rch_graph *g = graph_of(
        state, "sys:64:module sd:64:dict modules:20:str w:64:weakref.ref reg:200:dict k:20:str",
        "@module(sys)>sys sys.__dict__+forward>sd sd{modules}>reg reg{k}>t @frame(f)-local.a>t "
        "@module(m)>d d.deep>e e.deeper>t @module(w)>w w-field.callback>t w~e");
    assert_paths(g, "t", NULL, NULL,
                 "m attribute:deep attribute:deeper | w field:callback | "
                 "sys attribute:modules value:k | f local:a");
    assert_paths(g, "t", "registry", "frame",
                 "m attribute:deep attribute:deeper | w field:callback");
    assert_paths(g, "t", "weak", NULL,
                 "m attribute:deep attribute:deeper | sys attribute:modules value:k | f local:a");
}

static void an_attribute_is_excluded_by_its_owner(void **state)
{
    struct rch_graph *g = graph_of(state, "a:64:m.A ad:64:dict b:64:m.B bd:64:dict x:20:str",
                                   "@module(m)>a @module(n)>b a.__dict__+forward>ad "
                                   "b.__dict__+forward>bd ad{x}>t bd{x}>t");
    assert_paths(g, "t", "A.x", NULL, "n attribute:x");
    assert_paths(g, "t", "m.B.x", NULL, "m attribute:x");
    assert_paths(g, "t", "*.x", NULL, "");
    assert_paths(g, "t", "x", NULL, "");
    assert_paths(g, "t", "attribute", NULL, "");
    assert_paths(g, "t", "C.x", NULL, "m attribute:x | n attribute:x");
}

static void what_exclusion_drops_is_counted(void **state)
{
    struct rch_graph *g =
        graph_of(state, "", "@module(m)>a a.x>t a.y>t @module(n)>b b.x>t a.x>other");
    struct rch_paths *paths = paths_to(g, "t", 10, "x", "n");
    assert_int_equal(paths->num_paths, 1);
    assert_int_equal(paths->excluded[0].matched, 3);
    assert_int_equal(paths->excluded[0].dropped, 2);
    assert_int_equal(paths->excluded[1].matched, 1);
    assert_int_equal(paths->excluded[1].dropped, 1);
    assert_int_equal(paths->dropped, 2);
    rch_paths_free(paths);
}

static void patterns_without_sense_are_refused(void **state)
{
    static char much[512];
    memset(much, 'x', sizeof(much) - 1);
    const char *const bad[] = {"", ".", "A.", much};
    struct rch_graph *g = graph_of(state, "", "@module(m)>t");
    for (size_t i = 0; i < 4; i++) {
        struct rch_exclude row = {bad[i], false};
        struct rch_paths_options options = {.excludes = &row, .num_excludes = 1};
        struct rch_paths *paths = NULL;
        struct rch_error err = {0};
        enum rch_status st = find(g, "t", &options, rch_alloc_default(), &paths, &err);
        if (i == 1 || i == 2) {  // a name that nothing has
            assert_ok(st, &err);
            assert_int_equal(paths->excluded[0].matched, 0);
            rch_paths_free(paths);
        } else {
            assert_status(st, RCH_EINVAL, &err);
        }
    }
}

static void garbage_is_told_where_nothing_alive_leads(void **state)
{
    struct rch_graph *g = graph_of(state, "nobody", "@garbage(a)>a a.b>b b.a>a @module(m)>c c.d>d");
    struct rch_paths *paths = paths_to(g, "b", 5, NULL, NULL);
    assert_int_equal(paths->num_paths, 1);
    assert_true(paths->is_garbage && paths->is_all);
    assert_int_equal(paths->paths[0].way.root_kind, RCH_ROOT_GARBAGE);
    rch_paths_free(paths);
    paths = paths_to(g, "nobody", 5, NULL, NULL);
    assert_int_equal(paths->num_paths, 0);
    assert_int_equal(paths->unheld, 1);
    rch_paths_free(paths);
}

// "depth:members:ends:objects" of each branch.
static void assert_tree(const struct rch_paths *paths, const char *want)
{
    char got[512] = "";
    for (uint32_t i = 0; i < paths->num_branches; i++) {
        const struct rch_path_branch *b = &paths->branches[i];
        size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "%s%u:%u:%u:%u", i ? " " : "", b->depth, b->members,
                 b->ends, b->root ? 0 : b->hop.num_objects);
        assert_true(b->root ? b->parent == UINT32_MAX : b->parent < i);
    }
    assert_string_equal(got, want);
}

static void the_tree_counts_objects_at_each_hop(void **state)
{
    struct rch_graph *g =
        graph_of(state, "t1:8:m.T t2:8:m.T t3:8:m.T t4:8:m.T l:64:list a:64:m.A b:64:m.A",
                 "@module(m)>o o.pool>l l[]>a l[]>b a.x>t1 b.x>t2 b.x>t3 o.one>t4");
    struct rch_paths *paths = paths_to(g, "t1 t2 t3 t4", 0, NULL, NULL);
    assert_tree(paths, "0:4:0:0 1:3:0:1 2:3:0:2 3:3:3:3 1:1:1:1");
    assert_int_equal(paths->reached, 4);
    rch_paths_free(paths);
    paths = paths_to(g, "t1 t2 t3 t4", 0, "pool", NULL);
    assert_tree(paths, "0:1:0:0 1:1:1:1");
    assert_int_equal(paths->unheld, 3);
    assert_int_equal(paths->excluded[0].dropped, 3);
    rch_paths_free(paths);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = graph_of(
        state, "l:64:list md:64:dict x:20:str mod:64:module",
        "@module(m)>mod mod.__dict__+forward>md md{x}>l l[]>t l[]>u u.y>t t.z>u @frame(f)>u");
    struct rch_exclude rows[] = {{"z", false}, {"frame", true}};
    for (int i = 0; i < 4; i++) {
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_paths_options options = {
                .excludes = rows, .num_excludes = i < 2 ? 0 : 2, .each = i == 1};
            struct rch_paths *paths = NULL;
            if (ok_or_enomem(find(g, i % 2 ? "t" : "t u", &options, alloc, &paths, NULL)))
                rch_paths_free(paths);
        }
    }
}

// --- large graphs ---

static struct rch_paths *paths_in(struct large *large, const rch_node *members, uint32_t num,
                                  uint32_t max)
{
    struct rch_question question = {"question", members, num};
    struct rch_paths_options options = {.max_paths = max};
    struct rch_paths *paths = NULL;
    struct rch_error err = {0};
    assert_ok(rch_paths(&large->g, NULL, &question, &options, rch_alloc_default(), &paths, &err),
              &err);
    return paths;
}

static void a_path_of_a_million_hops_needs_no_stack(void **state)
{
    static const enum large_kind kinds[] = {CHAIN, BACK, RING};
    rch_node last = LARGE - 1, both[] = {0, LARGE - 1};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct large large;
        large_init(&large, kinds[i]);
        struct rch_paths *paths = paths_in(&large, &last, 1, 2);
        assert_int_equal(paths->num_paths, 1);
        assert_int_equal(paths->paths[0].way.num_hops, LARGE);
        assert_true(paths->is_all);
        rch_paths_free(paths);
        paths = paths_in(&large, both, 2, 0);
        assert_int_equal(paths->num_branches, LARGE + 1);
        assert_int_equal(paths->branches[LARGE].ends, 1);
        rch_paths_free(paths);
        large_deinit(&large);
    }
}

static void a_million_ways_alike_are_one(void **state)
{
    rch_node last = LARGE - 1;
    (void)state;
    struct large large;
    large_init(&large, FAN);
    struct rch_paths *paths = paths_in(&large, &last, 1, 10);
    assert_int_equal(paths->num_paths, 2);  // straight, and by any of the others
    assert_true(paths->is_all);
    rch_paths_free(paths);
    large_deinit(&large);
}

static bool count_down(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)phase;
    (void)done;
    (void)total;
    return --*(int *)ctx > 0;
}

static void each_part_of_the_work_can_be_canceled(void **state)
{
    static const int reports[] = {1, 10, 16, 20, 100};
    rch_node members[] = {5, LARGE - 1};
    (void)state;
    struct large large;
    large_init(&large, CHAIN);
    for (int i = 0; i < 5; i++) {
        for (uint32_t num = 1; num <= 2; num++) {
            int left = num == 1 ? reports[i] : i + 1;
            struct rch_progress progress = {count_down, &left};
            struct rch_paths_options options = {.progress = &progress};
            struct rch_question question = {"question", members + 2 - num, num};
            struct tracked_alloc tracked;
            struct rch_paths *paths = NULL;
            tracked_alloc_init(&tracked, 0);
            enum rch_status st =
                rch_paths(&large.g, NULL, &question, &options, &tracked.alloc, &paths, NULL);
            assert_int_equal(st, left > 0 ? RCH_OK : RCH_ECANCELED);
            rch_paths_free(st == RCH_OK ? paths : NULL);
            tracked_alloc_finish(&tracked);
        }
    }
    large_deinit(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(the_best_path_comes_first),
        graph_test(paths_that_differ_by_keys_and_indices_are_one),
        graph_test(what_waits_behind_a_loop_is_found_all_the_same),
        graph_test(a_path_begins_at_the_last_module_it_passes),
        graph_test(frames_registries_and_weak_callbacks_come_last),
        graph_test(an_attribute_is_excluded_by_its_owner),
        graph_test(what_exclusion_drops_is_counted),
        graph_test(patterns_without_sense_are_refused),
        graph_test(garbage_is_told_where_nothing_alive_leads),
        graph_test(the_tree_counts_objects_at_each_hop),
        graph_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(a_path_of_a_million_hops_needs_no_stack),
        cmocka_unit_test(a_million_ways_alike_are_one),
        cmocka_unit_test(each_part_of_the_work_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
