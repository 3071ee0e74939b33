// SPDX-License-Identifier: MIT
// Claims about `why`: which references are the holders, what cutting them frees, which path names
// them. Each graph is one line; support.h tells the notation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/why/why.h"
#include "model/builder.h"
#include "support.h"

// A module with an attribute dictionary: root -> module -> dict, to which "NAME{key}>..." adds.
#define MODULE(name)                                                             \
    "@module." #name ">" #name "_m-dict+fixed+forward>" #name " "
#define MODULE_NODES(name) #name "_m::module " #name "::dict "

static struct rch_answer *last_answer;

static int teardown(void **state)
{
    rch_answer_free(last_answer);
    last_answer = NULL;
    return graphs_teardown(state);
}

static int compare_nodes(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = *(const rch_node *)b;
    return (x > y) - (x < y);
}

static uint32_t members_named(const struct rch_graph *g, const char *names, rch_node *members)
{
    char copy[256], *rest = copy;
    uint32_t num = 0;
    snprintf(copy, sizeof(copy), "%s", names);
    for (char *name; (name = strtok_r(rest, " ", &rest));)
        members[num++] = graph_node(g, name);
    if (num)
        qsort(members, num, sizeof(*members), compare_nodes);
    return num;
}

static const struct rch_answer *why_with(const struct rch_graph *g, const char *names,
                                         const struct rch_why_options *options)
{
    rch_node members[64];
    struct rch_question question = {names, members, members_named(g, names, members)};
    struct rch_error err;
    rch_answer_free(last_answer);
    last_answer = NULL;
    assert_ok(rch_why(g, NULL, &question, options, rch_alloc_default(), &last_answer, &err), &err);
    return last_answer;
}

static const struct rch_answer *why(const struct rch_graph *g, const char *names)
{
    return why_with(g, names, NULL);
}

// "module m .cache [value key] ^.x": a hop is kind-dependent; ^ is before the one to cut.
static const char *path_of(const struct rch_holder *h)
{
    static char text[1024];
    size_t at = (size_t)snprintf(text, sizeof(text), "%s %s", rch_root_kind_word(h->root_kind),
                                 h->root_name);
    for (uint32_t i = 0; i < h->num_hops; i++) {
        const struct rch_hop *hop = &h->hops[i];
        const char *name = hop->name ? hop->name : "*";
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s:%s", i == h->cut ? "^" : "",
                               rch_edge_kind_word(hop->kind), name);
        if (hop->num_objects != 1)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "x%u", hop->num_objects);
    }
    return text;
}

static void assert_freed(struct rch_freed freed, uint64_t question, uint64_t objects,
                         uint64_t bytes)
{
    assert_int_equal(freed.question, question);
    assert_int_equal(freed.objects, objects);
    assert_int_equal(freed.bytes, bytes);
}

static void an_empty_question_has_no_holders(void **state)
{
    const struct rch_answer *a = why(graph_of(state, "", "@interpreter.r>a"), "");
    assert_int_equal(a->num_holders, 0);
    assert_int_equal(a->objects, 0);
}

static void members_out_of_order_are_refused(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@interpreter.r>a>b");
    rch_node members[] = {graph_node(g, "b"), graph_node(g, "a")};
    struct rch_question question = {"", members, 2};
    struct rch_answer *answer = NULL;
    assert_status(rch_why(g, NULL, &question, NULL, rch_alloc_default(), &answer, NULL), RCH_EINVAL,
                  NULL);
    members[1] = members[0];
    assert_status(rch_why(g, NULL, &question, NULL, rch_alloc_default(), &answer, NULL), RCH_EINVAL,
                  NULL);
    members[1] = g->num_objects;
    assert_status(rch_why(g, NULL, &question, NULL, rch_alloc_default(), &answer, NULL), RCH_EINVAL,
                  NULL);
}

static void the_cut_is_nearest_to_the_question(void **state)
{
    const struct rch_answer *a = why(graph_of(state, "s:5", "@interpreter.r>a.x>b.y>c.z>s"), "s");
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]),
                        "interpreter r attribute:x attribute:y ^attribute:z");
    assert_freed(a->holders[0].frees, 1, 1, 5);
}

static void what_cannot_be_cut_is_cut_before_it(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "b:7 c:8 s:5", "@interpreter.r>a.x>b.y+fixed>c.z+fixed>s"), "s");
    assert_string_equal(path_of(&a->holders[0]),
                        "interpreter r ^attribute:x attribute:y attribute:z");
    assert_freed(a->all_cut, 1, 3, 20);
}

static void a_container_is_cleared_in_one_act(void **state)
{
    const struct rch_answer *a = why(
        graph_of(state, "other:100", "@interpreter.r>a.x>l[]>b1>s1 l[]>b2>s2 l[]>b3>s3 l[]>other"),
        "s1 s2 s3");
    assert_int_equal(a->num_holders, 1);
    assert_true(a->holders[0].cut_is_group);
    assert_int_equal(a->holders[0].num_cut_refs, 3);
    assert_int_equal(a->holders[0].hops[1].num_elements, 4);
    assert_string_equal(path_of(&a->holders[0]),
                        "interpreter r attribute:x ^item:*x3 reference:*x3");
    assert_freed(a->all_cut, 3, 6, 96);  // the other item stays
}

static void one_item_that_matters_is_one_reference(void **state)
{
    const struct rch_answer *a = why(graph_of(state, "", "@interpreter.r>l[]>x l[]>s"), "s");
    assert_false(a->holders[0].cut_is_group);
    assert_int_equal(a->holders[0].num_cut_refs, 1);
    assert_int_equal(a->holders[0].hops[0].index, 1);
}

static void an_entry_goes_with_its_key(void **state)
{
    const struct rch_answer *a = why(graph_of(state, "k:30 s:5", "@interpreter.r>d{k}>s"), "s");
    assert_string_equal(path_of(&a->holders[0]), "interpreter r ^value:k");
    assert_string_equal(a->holders[0].hops[0].key_type, "str");
    assert_freed(a->all_cut, 1, 2, 35);
}

static void attributes_are_cut_one_by_one(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "d::dict", "@interpreter.r>o.__dict__>d{one}>s1 d{two}>s1"), "s1");
    assert_int_equal(a->num_holders, 2);
    assert_freed(a->holders[0].frees, 0, 0, 0);
    assert_freed(a->all_cut, 1, 1, 16);
    assert_string_equal(a->holders[0].hops[0].name[0] == 'o' ? path_of(&a->holders[0])
                                                             : path_of(&a->holders[1]),
                        "interpreter r ^attribute:one");
}

static void two_holders_tell_what_each_holds_and_frees(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@interpreter.r>l[]>s1 l[]>s2 l[]>s3 @interpreter.q>t[]>s3 t[]>s2"),
            "s1 s2 s3");
    assert_int_equal(a->num_holders, 2);
    assert_int_equal(a->holders[0].holds, 3);
    assert_int_equal(a->holders[0].holds_only, 1);
    assert_int_equal(a->holders[1].holds, 2);
    assert_int_equal(a->holders[1].holds_only, 0);
    assert_freed(a->holders[1].frees, 0, 0, 0);
    assert_freed(a->all_cut, 3, 3, 48);
}

static void a_member_does_not_explain_another(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@interpreter.r>a.head>s1.next>s2.next>s3"), "s1 s2 s3");
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]), "interpreter r ^attribute:head");
    assert_int_equal(a->holders[0].holds, 3);
    assert_freed(a->all_cut, 3, 3, 48);
}

static void weak_references_hold_nothing(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@interpreter.r>a.x>s @interpreter.r>w~s"), "s");
    assert_int_equal(a->num_holders, 1);
    assert_int_equal(a->holders[0].holds_only, 1);
}

static void a_module_itself_is_a_root(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, MODULE_NODES(os), MODULE(os) "@module.my>x.attr>os_m"), "os_m");
    assert_int_equal(a->uncuttable, 1);
    assert_int_equal(a->num_holders, 1);
    assert_false(a->holders[0].is_cuttable);
    assert_string_equal(path_of(&a->holders[0]), "module os");
    assert_int_equal(a->holders[0].cut, UINT32_MAX);
    assert_int_equal(a->num_warnings, 1);
}

static void members_that_cannot_be_cut_are_counted_apart(void **state)
{
    const struct rch_answer *a = why(graph_of(state, MODULE_NODES(m), MODULE(m) "m{x}>s"), "m_m s");
    assert_int_equal(a->uncuttable, 1);
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]), "module m ^attribute:x");
    assert_freed(a->all_cut, 1, 1, 16);
}

static void the_module_that_defines_a_class_names_it(void **state)
{
    struct rch_graph *g = graph_of(
        state, MODULE_NODES(a) MODULE_NODES(zz) "fn::function modname::str",
        MODULE(a) MODULE(zz) "a{f}>fn zz{f}>fn fn-field.__module__+fixed>modname fn(c)>l[]>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]),  // equal penalties: name order
                        "module a attribute:f closure:c ^item:*");
    g = graph_of(state, MODULE_NODES(a) "fn::function zz::str zz_m::module zd::dict",
                 MODULE(a) "@module.zz>zz_m-dict+fixed+forward>zd a{f}>fn zd{f}>fn "
                           "fn-field.__module__+fixed>zz fn(c)>l[]>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]),
                        "module zz attribute:f closure:c ^item:*");
}

static void fewer_hops_come_before_names(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@module.a>x.p>y.q>c @module.b>z.r>c c.last>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]), "module b attribute:r ^attribute:last");
}

static void names_come_before_addresses(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@module.b>z.r>c @module.a>y.q>c c.last>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]), "module a attribute:q ^attribute:last");
    g = graph_of(state, "", "@module.a>z.r>c z.q>c c.last>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]), "module a attribute:q ^attribute:last");
}

static void a_long_path_from_a_module_comes_before_a_short_one_from_a_frame(void **state)
{
    struct rch_graph *g =
        graph_of(state, "", "@frame.f-local.v>c @module.m>x.a>y.b>z.c>c c.last>s");
    assert_string_equal(path_of(&why(g, "s")->holders[0]),
                        "module m attribute:a attribute:b attribute:c ^attribute:last");
}

static void plumbing_folds_into_hops(void **state)
{
    struct rch_graph *g =
        graph_of(state, MODULE_NODES(m) "fn::function od::dict cell::cell t::pkg.T",
                 MODULE(m) "m{f}>fn(x)>cell-field.contents+back>t.__dict__>od{attr}>s");
    const struct rch_answer *a = why(g, "s");
    assert_string_equal(path_of(&a->holders[0]), "module m attribute:f closure:x ^attribute:attr");
    assert_string_equal(a->holders[0].hops[1].type, "pkg.T");
    char print[32];
    snprintf(print, sizeof(print), "%s", a->holders[0].fingerprint);
    struct rch_why_options raw = {.raw = true};
    a = why_with(g, "s", &raw);
    assert_string_equal(path_of(&a->holders[0]),
                        "module m object:* dict:__dict__ value:f closure:x field:contents "
                        "dict:__dict__ ^value:attr");
    assert_string_equal(a->holders[0].fingerprint, print);
}

static void an_inline_value_and_a_dict_give_one_fingerprint(void **state)
{
    struct rch_graph *g = graph_of(state, "o::pkg.T od::dict", "@module.m>o.__dict__>od{x}>l[]>s");
    char print[32];
    snprintf(print, sizeof(print), "%s", why(g, "s")->holders[0].fingerprint);
    g = graph_of(state, "o::pkg.T", "@module.m>o.x>l[]>s2 l[]>s");
    assert_string_equal(why(g, "s")->holders[0].fingerprint, print);
    g = graph_of(state, "o::pkg.T", "@module.m>o.y>l[]>s");
    assert_string_not_equal(why(g, "s")->holders[0].fingerprint, print);
}

static void an_attribute_dictionary_itself_is_shown(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "d::dict", "@interpreter.r>a.x>o.__dict__>d{k}>v"), "d");
    assert_string_equal(path_of(&a->holders[0]), "interpreter r ^attribute:x dict:__dict__");
}

// kombu.pools: connections is a dict of pools; each entry of producers refers to one of them.
static void what_leans_on_a_holder_is_named_with_it(void **state)
{
    struct rch_graph *g =
        graph_of(state, MODULE_NODES(p) "pools::dict leaning::dict",
                 MODULE(p) "p{connections}>pools p{producers}>leaning "
                           "pools{k1}>pool1.queue>s1 pools{k2}>pool2.queue>s2 "
                           "pools{k3}>pool3.queue>s3 "
                           "leaning{k1}>pp1.connections>pool1 leaning{k2}>pp2.connections>pool2 "
                           "leaning{k3}>pp3.connections>pool3");
    const struct rch_answer *a = why(g, "s1 s2 s3");
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]),
                        "module p attribute:connections ^value:*x3 attribute:queuex3");
    assert_int_equal(a->holders[0].num_also, 1);
    assert_string_equal(a->holders[0].also[0], ".producers");
    assert_int_equal(a->holders[0].holds_only, 3);
}

// The same with producers at rest: each has a connection of its pool in hand.
static void what_leans_on_a_holder_may_hold_more_than_that(void **state)
{
    struct rch_graph *g =
        graph_of(state, MODULE_NODES(p) "pools::dict leaning::dict",
                 MODULE(p) "p{connections}>pools p{producers}>leaning "
                           "pools{k1}>pool1.queue>c1.t>s1 pools{k2}>pool2.queue>c2.t>s2 "
                           "pools{k3}>pool3.queue>c3.t>s3 leaning{k3}>pp3.connections>pool3 "
                           "pp3.producer>made3.connection>c3 "
                           "leaning{k1}>pp1.connections>pool1 leaning{k2}>pp2.connections>pool2 "
                           "pp1.producer>made1.connection>c1 pp2.producer>made2.connection>c2");
    const struct rch_answer *a = why(g, "s1 s2 s3");
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]),
                        "module p attribute:connections ^value:*x3 attribute:queuex3 "
                        "attribute:tx3");
    assert_int_equal(a->holders[0].num_also, 1);
    assert_string_equal(a->holders[0].also[0], ".producers");
    assert_int_equal(a->holders[0].holds_only, 3);
}

static void two_caches_of_one_module_stay_two(void **state)
{
    struct rch_graph *g =
        graph_of(state, MODULE_NODES(p) "c1::dict c2::dict",
                 MODULE(p) "p{one}>c1 p{two}>c2 c1{a}>w1>s1 c1{b}>w2>s2 c2{a}>v1>s1 c2{b}>v2>s2");
    const struct rch_answer *a = why(g, "s1 s2");
    assert_int_equal(a->num_holders, 2);
    assert_int_equal(a->holders[0].num_also, 0);
    assert_int_equal(a->holders[0].holds_only, 0);
    assert_freed(a->all_cut, 2, 8, 128);  // the keys go too
}

static void many_independent_references_are_diffuse(void **state)
{
    struct rch_graph *g = graph_of(state, "",
                                   "@interpreter.r>a1.x>s1 @interpreter.r>a2.x>s2 "
                                   "@interpreter.r>a3.x>s3 @interpreter.r>b1.y>s4");
    struct rch_why_options two = {.max_holders = 2};
    const struct rch_answer *a = why_with(g, "s1 s2 s3 s4", &two);
    assert_true(a->is_diffuse);
    assert_int_equal(a->num_holders, 2);
    assert_string_equal(path_of(&a->holders[0]), "interpreter r ^attribute:xx3");
    assert_int_equal(a->holders[0].num_cut_refs, 3);
    assert_int_equal(a->holders[0].holds, 3);
    assert_freed(a->holders[0].frees, 3, 3, 48);
    assert_freed(a->all_cut, 4, 4, 64);
    struct rch_why_options one = {.max_holders = 1};
    a = why_with(g, "s1 s2 s3 s4", &one);
    assert_int_equal(a->num_more_holders, 1);
}

static void paths_that_look_alike_are_one_group(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@interpreter.r>l[]>a.x>s1 l[]>b.x>s2 l[]>c.y>s3"), "s1 s2 s3");
    assert_int_equal(a->num_holders, 1);
    assert_int_equal(a->holders[0].num_groups, 2);
    assert_int_equal(a->holders[0].groups[0].num_members, 2);
    assert_string_equal(a->holders[0].groups[1].hops[1].name, "y");
    assert_int_equal(a->holders[0].groups[0].hops[0].num_objects, 2);
    struct rch_why_options one = {.max_groups = 1};
    a = why_with(graph_of(state, "", "@interpreter.r>l[]>a.x>s1 l[]>c.y>s3"), "s1 s3", &one);
    assert_int_equal(a->holders[0].num_groups, 1);
    assert_int_equal(a->holders[0].num_more_groups, 1);
}

static void garbage_is_told_as_such(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@garbage.T>a.x>s1.back>a @interpreter.r>b"), "s1");
    assert_int_equal(a->garbage, 1);
    assert_int_equal(a->num_holders, 1);
    assert_false(a->holders[0].is_cuttable);
    assert_string_equal(path_of(&a->holders[0]), "garbage T object:* attribute:x");
    assert_non_null(a->holders[0].advice);
}

static void garbage_is_only_counted_beside_real_holders(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "", "@garbage.T>a.x>s1 @interpreter.r>b.x>s2"), "s1 s2");
    assert_int_equal(a->garbage, 1);
    assert_int_equal(a->num_holders, 1);
    assert_int_equal(a->all_cut.question, 1);
}

static void what_nothing_reaches_is_unexplained(void **state)
{
    const struct rch_answer *a = why(graph_of(state, "s", "@interpreter.r>b"), "s");
    assert_int_equal(a->unexplained, 1);
    assert_int_equal(a->num_holders, 0);
}

static void c_held_objects_are_cut_as_one(void **state)
{
    const struct rch_answer *a = why(
        graph_of(
            state, "",
            "@c-held.method>m1-field.__self__+fixed>s1 @c-held.method>m2-field.__self__+fixed>s2"),
        "s1 s2");
    assert_int_equal(a->num_holders, 1);
    assert_string_equal(path_of(&a->holders[0]), "c-held method ^object:*x2 field:__self__x2");
    assert_true(a->holders[0].cut_is_group);
    assert_int_equal(a->c_held, 2);
}

static void a_clearable_root_is_cut_as_one(void **state)
{
    const struct rch_answer *a =
        why(graph_of(state, "@interpreter.atexit:::clearable",
                     "@interpreter.atexit-item>m1-field.__self__+fixed>s1 "
                     "@interpreter.atexit-item>m2-field.__self__+fixed>s2"),
            "s1 s2");
    assert_int_equal(a->num_holders, 1);
    assert_int_equal(a->holders[0].num_cut_refs, 2);
    assert_non_null(strstr(a->holders[0].advice, "atexit"));
}

static void the_observer_is_never_the_answer(void **state)
{
    const struct rch_answer *a = why(
        graph_of(state, "pdb:::observer", "@interpreter.r>pdb.cmd>s @interpreter.r>a.x>t"), "s t");
    assert_int_equal(a->observer, 1);
    assert_int_equal(a->num_holders, 1);
    assert_int_equal(a->holders[0].holds, 1);
    assert_int_equal(a->num_observer_names, 1);
    assert_string_equal(a->observer_names[0], "attribute cmd of r");
}

static void the_callers_locals_do_not_hold_members(void **state)
{
    struct rch_graph *g = graph_of(state, "@frame.ask:::direct l::list",
                                   "@frame.ask-local.x>s1 @frame.ask-local.all>l[]>s1 l[]>s2 "
                                   "@frame.ask-local.pool>p.first>s3");
    const struct rch_answer *a = why(g, "s1 s2 s3");
    assert_int_equal(a->observer, 2);
    assert_int_equal(a->num_observer_names, 2);
    assert_string_equal(a->observer_names[0], "local all of ask()");
    assert_string_equal(a->observer_names[1], "local x of ask()");
    assert_int_equal(a->num_holders, 1);  // the caller's own pool counts
    assert_string_equal(path_of(&a->holders[0]), "frame ask local:pool ^attribute:first");
}

static void a_callers_list_that_others_use_too_counts(void **state)
{
    struct rch_graph *g = graph_of(state, "@frame.ask:::direct l::list",
                                   "@frame.ask-local.all>l[]>s1 @module.m>o.all>l");
    const struct rch_answer *a = why(g, "s1");
    assert_int_equal(a->observer, 0);
    assert_string_equal(path_of(&a->holders[0]), "module m attribute:all ^item:*");
}

static void the_key_of_a_weak_value_dictionary_gets_its_advice(void **state)
{
    struct rch_graph *g = graph_of(
        state, MODULE_NODES(mu) "reg::weakref.WeakValueDictionary data::dict kt::tuple bm::method",
        MODULE(mu) "mu{_registry}>reg.data>data{kt}>v kt-item+fixed>bm-field.__self__+fixed>s");
    const struct rch_answer *a = why(g, "s");
    assert_string_equal(path_of(&a->holders[0]), "module mu attribute:_registry attribute:data "
                                                 "^key:* item:* field:__self__");
    assert_non_null(strstr(a->holders[0].advice, "WeakValueDictionary"));
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g =
        graph_of(state, MODULE_NODES(p) "c1::dict c2::dict pdb:::observer",
                 MODULE(p) "p{one}>c1 p{two}>c2 c1{a}>w1>s1 c1{b}>w2>s2 c2{a}>v1>s1 c2{b}>v2>s2 "
                           "@garbage.T>x>s3 @interpreter.i>pdb.q>s4");
    rch_node members[8];
    const char *names = "s1 s2 s3 s4";
    struct rch_question question = {names, members, members_named(g, names, members)};
    for (uint32_t k = 1; k <= 2; k++) {  // diffuse, and not
        struct rch_why_options options = {.max_holders = k, .raw = k == 1};
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_answer *answer = NULL;
            if (ok_or_enomem(rch_why(g, NULL, &question, &options, alloc, &answer, NULL)))
                rch_answer_free(answer);
        }
    }
}

static bool never(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)phase;
    (void)done;
    (void)total;
    return false;
}

static void the_caller_may_cancel(void **state)
{
    struct rch_graph *g = graph_of(state, "", "@interpreter.r>s");
    rch_node member = graph_node(g, "s");
    struct rch_question question = {"", &member, 1};
    struct rch_progress progress = {never, NULL};
    struct rch_why_options options = {.progress = &progress};
    struct rch_answer *answer = NULL;
    assert_status(rch_why(g, NULL, &question, &options, rch_alloc_default(), &answer, NULL),
                  RCH_ECANCELED, NULL);
    assert_null(answer);
}

// root -> node -> node -> ... of one type, each by its attribute `next`.
static struct rch_graph *chain(uint32_t num)
{
    struct rch_builder *b;
    struct rch_graph *g;
    rch_str next, link;
    uint32_t type, shape, root_shape, handle, root;
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_ok(rch_builder_string(b, "next", 4, &next, NULL), NULL);
    assert_ok(rch_builder_string(b, "Link", 4, &link, NULL), NULL);
    struct rch_type t = {.name = link, .node = RCH_NO_NODE};
    struct rch_label attribute = {.name = next, .kind = RCH_EDGE_ATTRIBUTE};
    struct rch_label object = {.kind = RCH_EDGE_OBJECT, .flags = RCH_LABEL_FIXED};
    assert_ok(rch_builder_type(b, &t, &type, NULL), NULL);
    assert_ok(rch_builder_shape(b, type, &attribute, 1, 0, &shape, NULL), NULL);
    assert_ok(rch_builder_shape(b, type, &object, 1, 0, &root_shape, NULL), NULL);
    for (uint32_t i = 0; i < num; i++) {
        struct rch_object o = {0x10000 + 64 * (rch_addr)i, 48, shape, true};
        assert_ok(rch_builder_object(b, &o, &handle, NULL), NULL);
    }
    struct rch_root r = {.name = link, .kind = RCH_ROOT_INTERPRETER};
    assert_ok(rch_builder_root(b, &r, root_shape, &root, NULL), NULL);
    for (uint32_t i = 0; i < num; i++)
        assert_ok(rch_builder_ref(b, i, i + 1 < num ? i + 1 : RCH_NO_NODE, NULL), NULL);
    assert_ok(rch_builder_ref(b, root, 0, NULL), NULL);
    assert_ok(rch_builder_finish(b, &g, NULL), NULL);
    rch_builder_free(b);
    return g;
}

static void a_chain_of_a_million_nodes_is_walked_without_recursion(void **state)
{
    (void)state;
    enum { NUM = 1000000 };
    struct rch_graph *g = chain(NUM);
    rch_node *members = calloc(NUM, sizeof(*members));
    assert_non_null(members);
    for (uint32_t i = 0; i < NUM; i++)
        members[i] = i;
    struct rch_question last = {"", members + NUM - 1, 1}, rest = {"", members + 1, NUM - 1};
    assert_ok(rch_why(g, NULL, &last, NULL, rch_alloc_default(), &last_answer, NULL), NULL);
    assert_int_equal(last_answer->holders[0].num_hops, NUM - 1);
    assert_int_equal(last_answer->holders[0].cut, NUM - 2);
    rch_answer_free(last_answer);
    last_answer = NULL;
    assert_ok(rch_why(g, NULL, &rest, NULL, rch_alloc_default(), &last_answer, NULL), NULL);
    assert_int_equal(last_answer->num_holders, 1);
    assert_int_equal(last_answer->holders[0].num_hops, 1);
    assert_int_equal(last_answer->holders[0].holds_only, NUM - 1);
    free(members);
    rch_graph_free(g);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_teardown(f, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(an_empty_question_has_no_holders),
        CLAIM(members_out_of_order_are_refused),
        CLAIM(the_cut_is_nearest_to_the_question),
        CLAIM(what_cannot_be_cut_is_cut_before_it),
        CLAIM(a_container_is_cleared_in_one_act),
        CLAIM(one_item_that_matters_is_one_reference),
        CLAIM(an_entry_goes_with_its_key),
        CLAIM(attributes_are_cut_one_by_one),
        CLAIM(two_holders_tell_what_each_holds_and_frees),
        CLAIM(a_member_does_not_explain_another),
        CLAIM(weak_references_hold_nothing),
        CLAIM(a_module_itself_is_a_root),
        CLAIM(members_that_cannot_be_cut_are_counted_apart),
        CLAIM(the_module_that_defines_a_class_names_it),
        CLAIM(fewer_hops_come_before_names),
        CLAIM(names_come_before_addresses),
        CLAIM(a_long_path_from_a_module_comes_before_a_short_one_from_a_frame),
        CLAIM(plumbing_folds_into_hops),
        CLAIM(an_inline_value_and_a_dict_give_one_fingerprint),
        CLAIM(an_attribute_dictionary_itself_is_shown),
        CLAIM(what_leans_on_a_holder_is_named_with_it),
        CLAIM(what_leans_on_a_holder_may_hold_more_than_that),
        CLAIM(two_caches_of_one_module_stay_two),
        CLAIM(many_independent_references_are_diffuse),
        CLAIM(paths_that_look_alike_are_one_group),
        CLAIM(garbage_is_told_as_such),
        CLAIM(garbage_is_only_counted_beside_real_holders),
        CLAIM(what_nothing_reaches_is_unexplained),
        CLAIM(c_held_objects_are_cut_as_one),
        CLAIM(a_clearable_root_is_cut_as_one),
        CLAIM(the_observer_is_never_the_answer),
        CLAIM(the_callers_locals_do_not_hold_members),
        CLAIM(a_callers_list_that_others_use_too_counts),
        CLAIM(the_key_of_a_weak_value_dictionary_gets_its_advice),
        CLAIM(running_out_of_memory_leaks_nothing),
        CLAIM(the_caller_may_cancel),
        CLAIM(a_chain_of_a_million_nodes_is_walked_without_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
