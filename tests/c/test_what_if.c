// SPDX-License-Identifier: MIT
// Claims about references by name, and about what cutting them frees.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/common/view.h"
#include "analyze/keepers/what_if.h"
#include "support.h"

static const char *const nodes =
    "app:64:module sub:64:module reg:64:app.Registry data:400:dict c:48:app.Client "
    "f:120:function cell:40:cell cache:56:app.Cache l:72:list t:56:tuple "
    "k0:52:str k1:52:str n:28:int:untracked s:200:socket.socket w:72:weakref.ref "
    "@frame.read:0:worker.py-12 @frame.write:0:worker.py-99 @interpreter(atexit):0::clearable";
static const char *const edges =
    "@module(app)>app app.reg>reg reg.__dict__>data data{k0}>c data{k1}>l data{n}>t "
    "@module(app.sub)>sub sub.f>f f(results)>cell cell-field.cell_contents+fixed+back>cache "
    "cache.items>l l[]>s l[]>c t[]+fixed>s w~s sub.w>w "
    "@frame.read-local.self>c @frame.write-local.self>s @frame.main-local.client>c "
    "@interpreter(atexit)>w";

// --- names ---

// The words of what a name leads to: "reg>data" edges, in order; or "?2" for two readings, "!" for none.
static void find(const struct rch_graph *g, const char *text, char *out, size_t out_bytes)
{
    static const struct rch_question nobody = {"test", NULL, 0};
    struct rch_reverse rev;
    struct rch_view view;
    struct rch_reference_list list;
    struct rch_error err = {0};
    size_t at = 0;
    assert_ok(rch_reverse_init(&rev, g, rch_alloc_default(), NULL), NULL);
    assert_ok(rch_view_init(&view, g, &rev, &nobody, rch_alloc_default(), NULL), NULL);
    enum rch_status st = rch_find_reference(&view, text, &list, &err);
    out[0] = '\0';
    if (st != RCH_OK) {
        assert_true(st == RCH_ENOTFOUND || st == RCH_EINVAL);
        assert_true(err.message[0]);
        snprintf(out, out_bytes, "!%s", list.num_near ? list.near[0] : "");
    } else if (list.num_found > 1) {
        snprintf(out, out_bytes, "?%" PRIu32, list.num_found);
    } else {
        for (uint32_t i = 0; i < list.found->num_edges && at < out_bytes; i++)
            at += (size_t)snprintf(out + at, out_bytes - at, "%s%s>%s", i ? " " : "",
                                   graph_name(g, list.found->sources[i]),
                                   graph_name(g, g->edges[list.found->edges[i]]));
    }
    rch_reference_list_deinit(&list);
    rch_view_deinit(&view);
    rch_reverse_deinit(&rev);
}

static void assert_names(const struct rch_graph *g, const char *text, const char *want)
{
    char got[512];
    find(g, text, got, sizeof(got));
    if (strcmp(got, want) != 0)
        fail_msg("'%s' leads to '%s', not to '%s'", text, got, want);
}

static void a_name_is_read_as_answers_print_it(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    assert_names(g, "app.reg", "app>reg");
    assert_names(g, "module app.reg", "app>reg");
    assert_names(g, "app.reg.k0", "data>c");  // a value of an attribute dictionary
    assert_names(g, "app.reg.__dict__", "reg>data");
    assert_names(g, "app.sub.*", "sub>f sub>w");
    assert_names(g, "app.sub.f closure results", "f>cell");
    assert_names(g, "app.sub.f closure results.items[0]", "l>s");
    assert_names(g, "app.sub.f closure results.items[*]", "l>s l>c");
    assert_names(g, "app.sub.f closure results.items.clear()", "l>s l>c");
    assert_names(g, "local client in main()", "@frame.main>c");
    assert_names(g, "frame main() local client", "@frame.main>c");
    assert_names(g, "app", "@module.app>app");
}

static void plumbing_is_meant_only_where_nothing_else_is(void **state)
{
    const struct rch_graph *g = graph_of(state, "m:1:module C:9:type d:9:dict __dict__:9:str",
                                         "@module.m>m m.C>C C.__dict__>d d{__dict__}>x");
    assert_names(g, "m.C.__dict__", "d>x");
    assert_names(g, "m.C.__dict__.y", "!");
}

static void the_longest_module_is_meant_and_its_last_parts_do(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    assert_names(g, "app.sub.f", "sub>f");
    assert_names(g, "sub.f", "sub>f");
    g = graph_of(state, "", "@module(a.x)>p p.v>o @module(b.x)>q q.v>r q.u>r");
    assert_names(g, "x.v", "?2");
    assert_names(g, "x.u", "q>r");
    assert_names(g, "b.x.v", "q>r");
}

static void variables_are_told_apart_by_function_and_detail(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    assert_names(g, "local self", "?2");
    assert_names(g, "local self in read()", "@frame.read>c");
    assert_names(g, "local self (worker.py-99)", "@frame.write>s");
    assert_names(g, "local self in read() (worker.py-99)", "!");
    assert_names(g, "frame read() local self (worker.py-12)", "@frame.read>c");
    assert_names(g, "local client", "@frame.main>c");
}

static void mappings_are_cut_by_the_entry(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "a:64:module d:400:dict k:52:str t:56:tuple x:16:m.X y:16:m.Y",
                 "@module.m>a a.d>d d{k}>x d{t}>y");
    assert_names(g, "m.d[\"k\"]", "d>k d>x");
    assert_names(g, "m.d[<tuple>]", "d>t d>y");
    assert_names(g, "m.d <key>", "d>k d>x d>t d>y");
    assert_names(g, "m.d[*]", "d>k d>x d>t d>y");
    assert_names(g, "m.d.clear()", "d>k d>x d>t d>y");
    assert_names(g, "m.d[\"z\"]", "!");
}

static void an_address_is_every_reference_to_the_object(void **state)
{
    const struct rch_graph *g = graph_of(state, "", "@module.m>a a.x>b a.y>b a[]>c b.z>c");
    char text[64];
    snprintf(text, sizeof(text), "0x%" PRIx64, rch_addr_of(g, graph_node(g, "b")));
    assert_names(g, text, "a>b a>b");
    strcat(text, ".z");
    assert_names(g, text, "b>c");
    assert_names(g, "0x1", "!");
    assert_names(g, "0x", "!");
}

static void what_is_not_there_has_near_names(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    assert_names(g, "app.regg", "!app.reg");
    assert_names(g, "ap.reg", "!app.reg");
    assert_names(g, "app.sub.g", "!");
    assert_names(g, "frame main() local cleint", "!frame main() local client");
    assert_names(g, "", "!");
    assert_names(g, "app.reg.", "!");
    assert_names(g, "app.reg[", "!");
    assert_names(g, "app.reg.clear().x", "!");
    assert_names(g, "nonsense <key>", "!");
}

// --- what is freed ---

static struct rch_what_if *ask(const struct rch_graph *g, const char *const *cuts, uint32_t num)
{
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    struct rch_error err = {0};
    assert_ok(rch_what_if(g, NULL, cuts, num, NULL, rch_alloc_default(), &answer, &unclear, &err),
              &err);
    rch_reference_list_deinit(&unclear);
    return answer;
}

static void cuts_are_told_alone_and_together(void **state)
{
    const struct rch_graph *g = graph_of(state, "m:1:module a:2 b:4 s:8:x.S r:16",
                                         "@module.m>m m.a>a m.b>b a.s>s b.s>s s.r>r");
    const char *const cuts[] = {"m.a", "m.b"};
    struct rch_what_if *answer = ask(g, cuts, 2);
    assert_int_equal(answer->cuts[0].frees.bytes, 2);
    assert_int_equal(answer->cuts[1].frees.bytes, 4);
    assert_int_equal(answer->frees.bytes, 30);
    assert_int_equal(answer->frees.objects, 4);
    assert_true(answer->cuts[0].kept.is_beyond && answer->cuts[0].kept.num_of_type == 1);
    assert_string_equal(answer->cuts[0].kept.type, "x.S");
    assert_string_equal(answer->cuts[0].kept.other.hops[0].name, "b");
    assert_null(answer->kept.type);
    assert_int_equal(answer->num_types, 2);
    assert_string_equal(answer->types[0].type, "object");
    assert_int_equal(answer->types[0].objects, 3);
    rch_what_if_free(answer);
}

static void the_next_holder_of_what_stays_is_named(void **state)
{
    const struct rch_graph *g = graph_of(state, "", "@module.m>m m.first>a m.second>b b[]>a");
    const char *const cut = "m.first";
    struct rch_what_if *answer = ask(g, &cut, 1);
    const struct rch_kept *kept = &answer->cuts[0].kept;
    assert_int_equal(answer->frees.objects, 0);
    assert_true(kept->targets == 1 && kept->kept_targets == 1 && !kept->is_beyond);
    assert_string_equal(kept->other.hops[0].name, "second");
    assert_int_equal(kept->other.num_hops, 2);
    rch_what_if_free(answer);
}

static void weak_references_and_garbage_free_nothing(void **state)
{
    const struct rch_graph *g =
        graph_of(state, "", "@module.m>m m-weak.w+weak>a m.b>a @garbage.0>x x.y>y");
    const char *const weak = "m <w>", *const garbage = "garbage: 0 <object>.y";
    struct rch_what_if *answer = ask(g, &weak, 1);
    assert_int_equal(answer->frees.objects, 0);
    assert_int_equal(answer->cuts[0].kept.targets, 0);
    rch_what_if_free(answer);
    answer = ask(g, &garbage, 1);
    assert_int_equal(answer->frees.objects, 0);
    assert_int_equal(answer->cuts[0].kept.targets, 0);
    rch_what_if_free(answer);
}

static void it_says_which_cut_is_unclear(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    const char *const cuts[] = {"app.reg", "local self"};
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    struct rch_error err = {0};
    assert_status(rch_what_if(g, NULL, cuts, 2, NULL, rch_alloc_default(), &answer, &unclear, &err),
                  RCH_EINVAL, &err);
    assert_int_equal(unclear.num_found, 2);
    assert_null(answer);
    rch_reference_list_deinit(&unclear);
    assert_status(rch_what_if(g, NULL, cuts, 0, NULL, rch_alloc_default(), &answer, &unclear, &err),
                  RCH_EINVAL, &err);
    rch_reference_list_deinit(&unclear);
}

static bool stop_at_once(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx, (void)phase;
    assert_true(done <= total);
    return false;
}

static void it_can_be_canceled(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    const struct rch_progress progress = {stop_at_once, NULL};
    const char *const cut = "app.reg";
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    assert_status(
        rch_what_if(g, NULL, &cut, 1, &progress, rch_alloc_default(), &answer, &unclear, NULL),
        RCH_ECANCELED, NULL);
    rch_reference_list_deinit(&unclear);
}

static void every_allocation_may_fail(void **state)
{
    const struct rch_graph *g = graph_of(state, nodes, edges);
    const char *const texts[] = {"app.reg.k0", "sub.f closure results.items.clear()", "app.regg",
                                 "0x10080"};
    for (uint32_t i = 0; i < 4; i++) {
        const char *const cuts[] = {"app.sub.f", texts[i]};
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_what_if *answer = NULL;
            struct rch_reference_list unclear;
            struct rch_error err = {0};
            enum rch_status st =
                rch_what_if(g, NULL, cuts, 2, NULL, alloc, &answer, &unclear, &err);
            assert_true(st == RCH_OK || st == RCH_ENOMEM || (i == 2 && st == RCH_ENOTFOUND));
            assert_true((st == RCH_OK) == (answer != NULL));
            rch_reference_list_deinit(&unclear);
            rch_what_if_free(answer);
        }
    }
}

static void a_long_chain_is_no_recursion(void **state)
{
    enum { LENGTH = 400 };
    static char words[64 * LENGTH], text[8 * LENGTH];
    size_t at = (size_t)snprintf(words, sizeof(words), "@module.m>n0");
    size_t end = (size_t)snprintf(text, sizeof(text), "m");
    for (int i = 1; i < LENGTH; i++) {
        at += (size_t)snprintf(words + at, sizeof(words) - at, " n%d.x>n%d", i - 1, i);
        end += (size_t)snprintf(text + end, sizeof(text) - end, ".x");
    }
    const struct rch_graph *g = graph_of(state, "n0:16:module", words);
    const char *const cut = text;
    struct rch_what_if *answer = ask(g, &cut, 1);
    assert_int_equal(answer->frees.objects, 1);
    assert_int_equal(answer->cuts[0].named->place.num_hops, LENGTH - 1);
    rch_what_if_free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(a_name_is_read_as_answers_print_it),
        graph_test(plumbing_is_meant_only_where_nothing_else_is),
        graph_test(the_longest_module_is_meant_and_its_last_parts_do),
        graph_test(variables_are_told_apart_by_function_and_detail),
        graph_test(mappings_are_cut_by_the_entry),
        graph_test(an_address_is_every_reference_to_the_object),
        graph_test(what_is_not_there_has_near_names),
        graph_test(cuts_are_told_alone_and_together),
        graph_test(the_next_holder_of_what_stays_is_named),
        graph_test(weak_references_and_garbage_free_nothing),
        graph_test(it_says_which_cut_is_unclear),
        graph_test(it_can_be_canceled),
        graph_test(every_allocation_may_fail),
        graph_test(a_long_chain_is_no_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
