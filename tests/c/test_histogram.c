// SPDX-License-Identifier: MIT
// Claims about the histogram.
#include <string.h>

#include "analyze/common/histogram.h"
#include "support.h"

static const char *name_of(const struct rch_graph *g, const struct rch_type_count *row)
{
    return rch_str_get(g, g->types[row->type].name);
}

static void most_instances_come_first_and_then_names(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a:10:m.B b:20:m.B c:5:m.A d:6:z.A e:7:m.C f:70000:m.C", "@module.m>a");
    struct rch_type_count *rows;
    uint32_t num;
    assert_ok(rch_histogram(g, rch_alloc_default(), &rows, &num, NULL), NULL);
    assert_int_equal(num, 4);  // no row for the root
    assert_string_equal(name_of(g, &rows[0]), "B");
    assert_int_equal(rows[0].count, 2);
    assert_int_equal(rows[0].bytes, 30);
    assert_string_equal(name_of(g, &rows[1]), "C");
    assert_int_equal(rows[1].bytes, 70007);
    assert_int_equal(rows[2].bytes, 5);
    assert_int_equal(rows[3].bytes, 6);
    rch_free(rch_alloc_default(), rows, num, sizeof(*rows));
}

static void an_empty_graph_has_no_rows(void **state)
{
    struct rch_graph *g = graph_of(state, "", "");
    struct rch_type_count *rows;
    uint32_t num = 7;
    assert_ok(rch_histogram(g, rch_alloc_default(), &rows, &num, NULL), NULL);
    assert_int_equal(num, 0);
    rch_free(rch_alloc_default(), rows, num, sizeof(*rows));
}

static void with_retained_bytes_those_come_first(void **state)
{
    struct rch_graph *g = graph_of(state, "a:10:m.B b:20:m.C c:5:m.C", "@module.m>a a>b a>c");
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_type_count *rows;
        uint32_t num;
        if (!ok_or_enomem(rch_histogram(g, alloc, &rows, &num, NULL)))
            continue;
        assert_string_equal(name_of(g, &rows[0]), "C");
        if (ok_or_enomem(rch_histogram_retained(g, alloc, NULL, rows, num, NULL))) {
            assert_string_equal(name_of(g, &rows[0]), "B");
            assert_int_equal(rows[0].retained, 35);
            assert_int_equal(rows[1].retained, 25);
        }
        rch_free(alloc, rows, num, sizeof(*rows));
    }
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *g = graph_of(state, "a:10:m.B b:20:m.C", "");
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_type_count *rows;
        uint32_t num;
        if (ok_or_enomem(rch_histogram(g, alloc, &rows, &num, NULL)))
            rch_free(alloc, rows, num, sizeof(*rows));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(most_instances_come_first_and_then_names),
        graph_test(an_empty_graph_has_no_rows),
        graph_test(with_retained_bytes_those_come_first),
        graph_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
