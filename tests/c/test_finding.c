// SPDX-License-Identifier: MIT
// Claims about findings: what is one, and which of them count.
#include <string.h>

#include "analyze/findings/finding.h"
#include "support.h"

#define HEAP "a:10:m.A b:10:m.A pool:50:dict k:20:str l:20:str q:40:list"
#define EDGES "@module.m.x>pool pool{k}>a pool{l}>b @module.n.y>q q[]>a q[]>b"

static struct rch_answer *answered(const struct rch_graph *g, const char *names,
                                   const struct rch_alloc *alloc)
{
    rch_node members[8];
    uint32_t num = 0;
    char copy[64];
    strcpy(copy, names);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        members[num++] = graph_node(g, word);
    struct rch_question question = {"m.A", members, num};
    struct rch_answer *answer;
    return ok_or_enomem(rch_why(g, NULL, &question, NULL, alloc, &answer, NULL)) ? answer : NULL;
}

static struct rch_known_list known_of(const char *text)
{
    struct rch_known_list list;
    assert_ok(rch_known_parse(text, strlen(text), rch_alloc_default(), &list, NULL), NULL);
    return list;
}

static void every_holder_is_a_finding(void **state)
{
    struct rch_graph *g = graph_of(state, HEAP, EDGES);
    struct rch_answer *answer = answered(g, "a b", rch_alloc_default());
    struct rch_findings list;
    rch_findings_init(&list, rch_alloc_default());
    assert_ok(rch_findings_add_why(&list, g, answer, NULL), NULL);
    assert_int_equal(list.rows.num, answer->num_holders);
    assert_int_equal(answer->num_holders, 2);
    assert_int_equal(list.num_new, answer->num_holders);
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_finding *row = rch_finding_at(&list, i);
        assert_ptr_equal(row->holder, &answer->holders[i]);
        assert_string_equal(row->fingerprint, answer->holders[i].fingerprint);
        assert_string_equal(row->rule->id, "held-objects");
        assert_string_equal(row->type, "m.A");
        assert_int_equal(row->objects, answer->holders[i].holds);
        assert_int_equal(row->bytes, answer->holders[i].frees.bytes);
        assert_null(row->file);
        assert_ptr_equal(rch_finding_of(&list, row->fingerprint), row);
    }
    assert_null(rch_finding_of(&list, "rc1:0000000000000000"));
    rch_findings_deinit(&list);
    rch_answer_free(answer);
}

static void what_waits_for_the_collector_is_none(void **state)
{
    struct rch_graph *g = graph_of(state, "s:10:m.A", "@garbage.T>a.x>s.back>a @module.m>b");
    struct rch_answer *answer = answered(g, "a", rch_alloc_default());
    struct rch_findings list;
    rch_findings_init(&list, rch_alloc_default());
    assert_int_equal(answer->garbage, 1);
    assert_ok(rch_findings_add_why(&list, g, answer, NULL), NULL);
    assert_int_equal(list.rows.num, 0);
    rch_findings_deinit(&list);
    rch_answer_free(answer);
}

static void a_frame_that_holds_has_a_place_in_the_source(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "a:10:m.A pool:50:dict k:20:str !main,1 |f,other.py,3 |serve,/srv/app.py,41,@frame.serve",
        "@frame.serve-local.cache>pool pool{k}>a");
    struct rch_answer *answer = answered(g, "a", rch_alloc_default());
    struct rch_findings list;
    rch_findings_init(&list, rch_alloc_default());
    assert_ok(rch_findings_add_why(&list, g, answer, NULL), NULL);
    assert_int_equal(list.rows.num, 1);
    assert_string_equal(rch_finding_at(&list, 0)->file, "/srv/app.py");
    assert_int_equal(rch_finding_at(&list, 0)->line, 41);
    assert_ok(rch_findings_add_why(&list, NULL, answer, NULL), NULL);
    assert_null(rch_finding_at(&list, 1)->file);
    rch_findings_deinit(&list);
    rch_answer_free(answer);
}

static void a_place_that_grew_is_a_finding_with_what_is_below(void **state)
{
    struct rch_graph *before =
        graph_of(state, "pool:50:list a:10:m.A", "@module.m.x>pool pool[]>a");
    struct rch_graph *now = graph_of(state, "pool:50:list a:10:m.A b:10:m.A c:5:m.B",
                                     "@module.m.x>pool pool[]>a pool[]>b b.y>c");
    struct rch_series_options what = {.places = true};
    struct rch_rise_options listed = {.min_objects = 1};
    struct rch_series *series;
    struct rch_rises *rises;
    struct rch_findings list;
    rch_findings_init(&list, rch_alloc_default());
    assert_ok(rch_series_make(&what, rch_alloc_default(), &series, NULL), NULL);
    assert_ok(rch_series_add(series, before, NULL, NULL, NULL, NULL), NULL);
    assert_ok(rch_series_add(series, now, NULL, NULL, NULL, NULL), NULL);
    assert_ok(rch_series_rises(series, &listed, &rises, NULL), NULL);
    assert_ok(rch_findings_add_rises(&list, rises, NULL), NULL);
    assert_int_equal(list.rows.num, 1);
    const struct rch_finding *row = rch_finding_at(&list, 0);
    assert_string_equal(row->rule->id, "growth");
    assert_string_equal(row->type, "m.A");
    assert_int_equal(row->objects, 1);
    assert_int_equal(row->bytes, 10 + 5);
    assert_string_equal(row->fingerprint, rises->rows[0].holder.fingerprint);
    rch_findings_deinit(&list);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void only_what_is_known_and_not_over_is_not_new(void **state)
{
    struct rch_graph *g = graph_of(state, "", "");
    const struct rch_rule *rule = rch_rule_of("growth");
    struct rch_finding rows[] = {
        {.rule = rule, .fingerprint = "rc1:1111111111111111", .message = "a"},
        {.rule = rule, .fingerprint = "rc1:2222222222222222", .message = "b"},
        {.rule = rule, .fingerprint = "rc1:3333333333333333", .message = "c"},
        {.rule = rule, .fingerprint = NULL, .message = "d"},
    };
    struct rch_known_list known = known_of("rc1:1111111111111111 until=2026-12-31 a\n"
                                           "rc1:2222222222222222 until=2026-12-30 b\n");
    struct rch_findings list;
    (void)g;
    rch_findings_init(&list, rch_alloc_default());
    for (int i = 0; i < 4; i++)
        assert_ok(rch_findings_add(&list, &rows[i], NULL), NULL);
    assert_int_equal(list.num_new, 4);
    assert_null(list.judged_by);
    rch_findings_judge(&list, &known, "file", 20261231);
    assert_int_equal(rch_finding_at(&list, 0)->state, RCH_FINDING_KNOWN);
    assert_int_equal(rch_finding_at(&list, 1)->state, RCH_FINDING_EXPIRED);
    assert_int_equal(rch_finding_at(&list, 2)->state, RCH_FINDING_NEW);
    assert_int_equal(rch_finding_at(&list, 3)->state, RCH_FINDING_NEW);
    assert_string_equal(rch_finding_at(&list, 1)->known->reason, "b");
    assert_int_equal(list.num_new + 10 * list.num_known + 100 * list.num_expired, 112);
    assert_string_equal(list.judged_by, "file");
    rch_findings_deinit(&list);
    rch_known_deinit(&known);
}

static void a_rule_that_is_not_in_the_table_is_refused(void **state)
{
    (void)state;
    struct rch_findings list;
    struct rch_finding row = {.rule = rch_rule_of("no-such-rule"), .message = "x"};
    rch_findings_init(&list, rch_alloc_default());
    assert_status(rch_findings_add(&list, &row, NULL), RCH_EINVAL, NULL);
    rch_findings_deinit(&list);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = graph_of(state, HEAP, EDGES);
    struct rch_answer *answer = answered(g, "a b", rch_alloc_default());
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_findings list;
        rch_findings_init(&list, alloc);
        assert_ok_or_enomem(rch_findings_add_why(&list, g, answer, NULL));
        rch_findings_deinit(&list);
    }
    rch_answer_free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(every_holder_is_a_finding),
        graph_test(what_waits_for_the_collector_is_none),
        graph_test(a_frame_that_holds_has_a_place_in_the_source),
        graph_test(a_place_that_grew_is_a_finding_with_what_is_below),
        graph_test(only_what_is_known_and_not_over_is_not_new),
        graph_test(a_rule_that_is_not_in_the_table_is_refused),
        graph_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
