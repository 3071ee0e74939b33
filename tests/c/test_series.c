// SPDX-License-Identifier: MIT
// Claims about a series of heaps: which places grew, and where growth is told.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/growth/series.h"
#include "render/spark.h"
#include "support.h"

static struct rch_series *series_of(struct rch_graph *const *graphs, uint32_t num,
                                    const struct rch_series_options *options)
{
    struct rch_series *series;
    struct rch_error err;
    static const struct rch_series_options places = {.places = true, .identity = true};
    assert_ok(rch_series_make(options ? options : &places, rch_alloc_default(), &series, &err),
              &err);
    for (uint32_t i = 0; i < num; i++)
        assert_ok(rch_series_add(series, graphs[i], NULL, "test", NULL, &err), &err);
    assert_int_equal(rch_series_num(series), num);
    return series;
}

static struct rch_rises *rises_of(const struct rch_series *series,
                                  const struct rch_rise_options *options)
{
    static const struct rch_rise_options plain = {.min_objects = 1};
    struct rch_rises *rises;
    struct rch_error err;
    assert_ok(rch_series_rises(series, options ? options : &plain, &rises, &err), &err);
    return rises;
}

/// "3+2 m.A @m .x [*]": grown, grown below, type, root, hops.
static void assert_row(const struct rch_rises *rises, uint32_t i, const char *want)
{
    char text[512];
    assert_true(i < rises->num_rows);
    const struct rch_rise *row = &rises->rows[i];
    size_t at = (size_t)snprintf(text, sizeof(text), "%" PRIu64 "+%" PRIu64 " %s @%s", row->grown,
                                 row->below, row->type, row->holder.root_name);
    for (uint32_t h = 0; h < row->holder.num_hops; h++) {
        const struct rch_hop *hop = &row->holder.hops[h];
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s", rch_edge_kind_word(hop->kind),
                               hop->name ? hop->name : "");
    }
    assert_string_equal(text, want);
}

#define NUM(graphs) (sizeof(graphs) / sizeof((graphs)[0]))

static void growth_in_every_step_comes_before_more_growth_in_one(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list k:56:list a1:16:m.A", "@module.m.x>l @module.m.y>k l[]>a1"),
        graph_of(state, "l:56:list k:56:list a1:16:m.A a2:16:m.A b1:9:m.B b2:9:m.B b3:9:m.B",
                 "@module.m.x>l @module.m.y>k l[]>a1 l[]>a2 k[]>b1 k[]>b2 k[]>b3"),
        graph_of(state, "l:56:list k:56:list a1:16:m.A a2:16:m.A b1:9:m.B b2:9:m.B b3:9:m.B",
                 "@module.m.x>l @module.m.y>k l[]>a1 l[]>a2 k[]>b1 k[]>b2 k[]>b3 l[]>a3 a3.z>a4"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_row(rises, 0, "3+0 m.B @m attributey item");
    rch_rises_free(rises);
    struct rch_graph *last = graph_of(
        state, "l:56:list k:56:list a1:16:m.A a2:16:m.A b1:9:m.B b2:9:m.B b3:9:m.B a3:16:m.A",
        "@module.m.x>l @module.m.y>k l[]>a1 l[]>a2 k[]>b1 k[]>b2 k[]>b3 l[]>a3");
    graphs[2] = last;
    rch_series_free(series);
    series = series_of(graphs, NUM(graphs), NULL);
    rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 2);
    assert_row(rises, 0, "2+0 m.A @m attributex item");
    assert_true(rises->rows[0].is_steady && rises->rows[0].is_even);
    assert_int_equal(rises->rows[0].each, 1);
    assert_int_equal(rises->rows[0].objects[0], 1);
    assert_int_equal(rises->rows[0].objects[2], 3);
    assert_row(rises, 1, "3+0 m.B @m attributey item");
    assert_false(rises->rows[1].is_steady);
    rch_rises_free(rises);
    struct rch_rise_options steady = {.steady_only = true};
    rises = rises_of(series, &steady);
    assert_int_equal(rises->num_rows, 1);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void a_longer_linked_list_is_one_place_with_more_objects(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "n1:16:m.N n2:16:m.N", "@module.m.head>n1 n1.next>n2"),
        graph_of(state, "n1:16:m.N n2:16:m.N n3:16:m.N", "@module.m.head>n1 n1.next>n2 n2.next>n3"),
        graph_of(state, "n1:16:m.N n2:16:m.N n3:16:m.N n4:16:m.N",
                 "@module.m.head>n1 n1.next>n2 n2.next>n3 n3.next>n4"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "2+0 m.N @m attributehead attributenext");
    assert_true(rises->rows[0].is_steady);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void growth_below_a_row_is_told_with_it(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list", "@module.m.x>l"),
        graph_of(state, "l:56:list a:16:m.A b:7:m.B c:7:m.B", "@module.m.x>l l[]>a a.y>b b.z>c"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "1+2 m.A @m attributex item");
    assert_int_equal(rises->rows[0].below_bytes, 14);
    assert_int_equal(rises->rows[0].num_with, 1);
    assert_string_equal(rises->rows[0].with[0].type, "m.B");
    assert_int_equal(rises->rows[0].with[0].objects, 2);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void what_multiplies_below_a_row_is_a_row(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "m1:16:m.M", "@module.m.x>m1"),
        graph_of(state, "m1:16:m.M l:56:list",
                 "@module.m.x>m1 m1.items>l l[]>a1 l[]>a2 l[]>a3 l[]>a4 l[]>a5 l[]>a6 l[]>a7 "
                 "l[]>a8 l[]>a9 l[]>b1 l[]>b2 l[]>b3 l[]>b4 l[]>b5 l[]>b6 l[]>b7"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 2);
    assert_row(rises, 0, "16+0 object @m attributex attributeitems item");
    assert_row(rises, 1, "1+0 list @m attributex attributeitems");
    rch_rises_free(rises);
    rch_series_free(series);
}

static void keys_go_with_values_and_the_heavier_of_both_leads(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "d:64:dict", "@module.m.x>d"),
        graph_of(state, "d:64:dict k1:50:str v1:16:m.V k2:50:str v2:16:m.V w1:90:m.W w2:90:m.W",
                 "@module.m.x>d d{k1}>v1 d{k2}>v2 v1.w>w1 v2.w>w2"),
        graph_of(state, "d:64:dict k1:50:m.K v1:16:m.V k2:50:m.K v2:16:m.V w1:90:m.W w2:90:m.W",
                 "@module.m.x>d d{k1}>v1 d{k2}>v2 k1.w>w1 k2.w>w2"),
    };
    struct rch_series *series = series_of(graphs, 2, NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "2+4 m.V @m attributex value");
    rch_rises_free(rises);
    rch_series_free(series);
    graphs[1] = graphs[2];
    series = series_of(graphs, 2, NULL);
    rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "2+4 m.K @m attributex key");
    rch_rises_free(rises);
    rch_series_free(series);
}

static void what_is_replaced_has_not_grown(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list a:16:m.A b:16:m.A", "@module.m.x>l l[]>a l[]>b"),
        graph_of(state, "l:56:list gone:16:m.G c:16:m.A d:16:m.A", "@module.m.x>l l[]>c l[]>d"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 0);
    rch_rises_free(rises);
    struct rch_rise_options identity = {.by = RCH_SERIES_BY_IDENTITY};
    rises = rises_of(series, &identity);
    assert_true(rises->has_identity);
    assert_int_equal(rises->num_rows, 2);
    assert_string_equal(rises->rows[0].type, "m.G");
    assert_string_equal(rises->rows[1].type, "m.A");
    assert_int_equal(rises->rows[1].made[1], 1);
    assert_int_equal(rises->rows[1].gone[1], 1);
    assert_int_equal(rises->rows[1].survivors[1], 1);
    assert_int_equal(rises->moments[1].made, 2);
    assert_int_equal(rises->moments[1].survivors, 2);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void one_object_is_noise_unless_it_grows_in_every_step_or_is_large(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list k:56:list", "@module.m.x>l @module.m.y>k"),
        graph_of(state, "l:56:list k:56:list a:16:m.A big:65536:m.B",
                 "@module.m.x>l @module.m.y>k l[]>a k[]>big"),
        graph_of(state, "l:56:list k:56:list a:16:m.A big:65536:m.B a2:16:m.A",
                 "@module.m.x>l @module.m.y>k l[]>a k[]>big l[]>a2"),
    };
    struct rch_rise_options plain = {0};
    struct rch_series *series = series_of(graphs, 2, NULL);
    struct rch_rises *rises = rises_of(series, &plain);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "1+0 m.B @m attributey item");
    assert_int_equal(rises->num_hidden, 1);
    assert_int_equal(rises->hidden_objects, 1);
    rch_rises_free(rises);
    struct rch_error err;
    assert_ok(rch_series_add(series, graphs[2], NULL, NULL, NULL, &err), &err);
    rises = rises_of(series, &plain);
    assert_row(rises, 0, "2+0 m.A @m attributex item");
    assert_int_equal(rises->num_hidden, 0);
    rch_rises_free(rises);
    struct rch_rise_options share = {.min_percent = 50, .min_objects = 2};
    rises = rises_of(series, &share);  // an empty place has grown enough
    assert_int_equal(rises->num_rows, 1);
    assert_int_equal(rises->num_hidden, 1);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void a_pattern_chooses_types(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list", "@module.m.x>l"),
        graph_of(state, "l:56:list a:16:m.A b:7:m.B", "@module.m.x>l l[]>a a.y>b"),
    };
    struct rch_series_options options = {.pattern = "B", .places = true};
    struct rch_series *series = series_of(graphs, NUM(graphs), &options);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_row(rises, 0, "1+0 m.B @m attributex item attributey");
    rch_rises_free(rises);
    struct rch_rise_options by_type = {.by = RCH_SERIES_BY_TYPE, .min_objects = 1};
    rises = rises_of(series, &by_type);
    assert_int_equal(rises->num_rows, 1);
    assert_string_equal(rises->rows[0].type, "m.B");
    assert_false(rises->has_identity);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void what_owns_descriptors_names_the_row(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "l:56:list", "@module.m.x>l"),
        graph_of(state, "l:56:list a:16:app.Entry t:16:app.Transport s:9:_socket.socket",
                 "@module.m.x>l l[]>a a.t>t t.sock>s s%7 %7,socket"),
    };
    struct rch_series *series = series_of(graphs, NUM(graphs), NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows, 1);
    assert_string_equal(rises->rows[0].type, "app.Entry");
    assert_string_equal(rises->rows[0].resource, "app.Transport");
    assert_int_equal(rises->rows[0].resource_objects, 1);
    rch_rises_free(rises);
    rch_series_free(series);
}

static void moments_past_the_last_are_refused(void **state)
{
    struct rch_graph *g = graph_of(state, "a", "@module.m.x>a");
    struct rch_series *series = series_of(NULL, 0, NULL);
    struct rch_rises *rises = rises_of(series, NULL);
    assert_int_equal(rises->num_rows + rises->num_moments, 0);
    rch_rises_free(rises);
    struct rch_error err;
    for (uint32_t i = 0; i < RCH_SERIES_MAX; i++)
        assert_ok(rch_series_add(series, g, NULL, NULL, NULL, &err), &err);
    assert_status(rch_series_add(series, g, NULL, NULL, NULL, &err), RCH_EINVAL, &err);
    rch_series_free(series);
}

static bool cancel(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx, (void)phase, (void)total;
    return done < 1;
}

static void it_can_be_cancelled(void **state)
{
    struct rch_graph *g = graph_of(state, "a", "@module.m.x>a");
    struct rch_progress progress = {.report = cancel};
    struct rch_series *series = series_of(NULL, 0, NULL);
    struct rch_error err;
    assert_status(rch_series_add(series, g, NULL, NULL, &progress, &err), RCH_ECANCELED, &err);
    rch_series_free(series);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct rch_graph *graphs[] = {
        graph_of(state, "d:64:dict k1:50:str v1:16:m.V", "@module.m.x>d d{k1}>v1"),
        graph_of(state, "d:64:dict k1:50:str v1:16:m.V k2:50:str v2:16:m.V w1:90:m.W",
                 "@module.m.x>d d{k1}>v1 d{k2}>v2 v2.w>w1 w1%7 %7,socket"),
    };
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_series_options options = {"*", true, true};
        struct rch_rise_options plain = {0};
        struct rch_series *series;
        struct rch_rises *rises;
        if (!ok_or_enomem(rch_series_make(&options, alloc, &series, NULL)))
            continue;
        if (ok_or_enomem(rch_series_add(series, graphs[0], NULL, "a", NULL, NULL)) &&
            ok_or_enomem(rch_series_add(series, graphs[1], NULL, "b", NULL, NULL)) &&
            ok_or_enomem(rch_series_rises(series, &plain, &rises, NULL)))
            rch_rises_free(rises);
        rch_series_free(series);
    }
}

static void bars_show_least_and_most(void **state)
{
    (void)state;
    char text[RCH_SPARK_BYTES];
    uint64_t numbers[] = {100, 101, 103, 107};
    assert_int_equal(rch_spark_text(text, numbers, 4, 40, true), 4);
    assert_string_equal(text, "_.-#");
    assert_int_equal(rch_spark_text(text, numbers, 4, 2, true), 2);
    assert_string_equal(text, ".#");
    numbers[0] = numbers[1] = numbers[2] = 107;
    assert_int_equal(rch_spark_text(text, numbers, 4, 40, false), 4);
    assert_string_equal(text, "\u2581\u2581\u2581\u2581");
    assert_int_equal(rch_spark_text(text, numbers, 0, 40, true), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(growth_in_every_step_comes_before_more_growth_in_one),
        graph_test(a_longer_linked_list_is_one_place_with_more_objects),
        graph_test(growth_below_a_row_is_told_with_it),
        graph_test(what_multiplies_below_a_row_is_a_row),
        graph_test(keys_go_with_values_and_the_heavier_of_both_leads),
        graph_test(what_is_replaced_has_not_grown),
        graph_test(one_object_is_noise_unless_it_grows_in_every_step_or_is_large),
        graph_test(a_pattern_chooses_types),
        graph_test(what_owns_descriptors_names_the_row),
        graph_test(moments_past_the_last_are_refused),
        graph_test(it_can_be_cancelled),
        graph_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(bars_show_least_and_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
