// SPDX-License-Identifier: MIT
// Claims about suspects: which objects become one, what it keeps, what each piece of evidence says.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/suspects/suspects.h"
#include "analyze/suspects/suspects_impl.h"
#include "support.h"

enum { TEXT = 16384, MANY = 12 };

struct words {
    char text[TEXT];
    size_t num;
};

/// Append `form` `num` times, each "#" in it as the number.
static void repeat(struct words *w, int num, const char *form)
{
    for (int i = 0; i < num; i++) {
        for (const char *c = form; *c; c++) {
            size_t room = TEXT - w->num;
            int used = *c == '#' ? snprintf(w->text + w->num, room, "%d", i)
                                 : snprintf(w->text + w->num, room, "%c", *c);
            assert_true(used > 0 && (size_t)used + 1 < room);
            w->num += (size_t)used;
        }
        w->text[w->num++] = ' ';
        w->text[w->num] = 0;
    }
}

static struct rch_suspects *find_with(const struct rch_graph *g,
                                      const struct rch_suspects_options *options)
{
    struct rch_suspects *suspects = NULL;
    struct rch_error err = {0};
    assert_ok(rch_suspects(g, NULL, options, rch_alloc_default(), &suspects, &err), &err);
    return suspects;
}

static void assert_number(const struct rch_suspects *suspects, uint32_t num)
{
    for (uint32_t i = 0; i < suspects->num_suspects && suspects->num_suspects != num; i++)
        print_message("suspect %s, %" PRIu64 " objects, score %d, root %s\n",
                      suspects->suspects[i].type, suspects->suspects[i].objects,
                      (int)suspects->suspects[i].score,
                      suspects->suspects[i].answer->num_holders
                          ? suspects->suspects[i].answer->holders[0].root_name
                          : "-");
    assert_int_equal(suspects->num_suspects, num);
}

static struct rch_suspects *find(void **state, const struct words *nodes, const struct words *edges)
{
    return find_with(graph_of(state, nodes->text, edges->text), NULL);
}

static const struct rch_suspect_reason *reason(const struct rch_suspect *suspect, const char *word)
{
    for (uint32_t i = 0; i < suspect->num_reasons; i++)
        if (strcmp(suspect->reasons[i].word, word) == 0)
            return &suspect->reasons[i];
    return NULL;
}

static void assert_reason(const struct rch_suspect *suspect, const char *word)
{
    if (!reason(suspect, word))
        fail_msg("%s: nothing about %s", suspect->type, word);
}

/// The first suspect is of this type, so many objects, and this evidence is told of it.
static void assert_first(const struct rch_suspects *suspects, const char *type, uint64_t objects,
                         const char *word)
{
    assert_true(suspects->num_suspects > 0);
    const struct rch_suspect *first = &suspects->suspects[0];
    assert_string_equal(first->type, type);
    assert_int_equal(first->objects, objects);
    assert_reason(first, word);
}

// --- leads ---

static void what_a_list_of_the_program_has_collected_is_possible(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "r#:100:app.Row");
    repeat(&nodes, 1, "main:64:module rows:200:list");
    repeat(&edges, 1, "@module.app>main main.rows>rows");
    repeat(&edges, MANY, "rows[]>r#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Row", MANY, "accumulation");
    assert_false(suspects->suspects[0].is_likely);
    assert_int_equal(suspects->suspects[0].kept, MANY);
    assert_int_equal(suspects->suspects[0].kept_bytes, MANY * 100);
    rch_suspects_free(suspects);
}

static void parts_are_told_with_what_they_are_parts_of(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "a#:100:app.Order p#:10:app.Part");
    repeat(&nodes, 1, "main:64:module all:200:list");
    repeat(&edges, 1, "@module.app>main main.all>all");
    repeat(&edges, MANY, "all[]>a# a#.part>p#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_number(suspects, 1);
    assert_first(suspects, "app.Order", MANY, "accumulation");
    assert_int_equal(suspects->suspects[0].kept_bytes, MANY * 110);
    rch_suspects_free(suspects);
}

static void two_holders_of_the_same_objects_are_one_suspect(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "a#:100:app.Order h#:20:app.Entry");
    repeat(&nodes, 1, "main:64:module all:200:list recent:300:list");
    repeat(&edges, 1, "@module.app>main main.all>all main.recent>recent");
    repeat(&edges, MANY, "all[]>a# recent[]>h# h#.order>a#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_number(suspects, 1);
    assert_first(suspects, "app.Order", MANY, "several-holders");
    assert_int_equal(suspects->suspects[0].answer->num_holders, 2);
    bool has_entries = false;
    for (uint32_t i = 0; i < suspects->suspects[0].num_with; i++)
        has_entries = has_entries || strcmp(suspects->suspects[0].with[i].type, "app.Entry") == 0;
    assert_true(has_entries);
    assert_int_equal(suspects->suspects[0].kept_bytes, MANY * 120);
    rch_suspects_free(suspects);
}

static void crowds_of_builtin_objects_are_found_below_one_object(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 40, "d#:400:dict");
    repeat(&nodes, 1, "main:64:module cache:200:dict");
    repeat(&edges, 1, "@module.app>main main.cache>cache");
    repeat(&edges, 40, "cache{k#}>d#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "dict", 40, "accumulation");
    rch_suspects_free(suspects);
}

static void tables_of_the_standard_library_are_not_suspected(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 40, "d#:400:dict e#:200:tuple");
    repeat(&nodes, 1, "main:64:module cache:200:dict other:64:module table:100:dict");
    repeat(&edges, 1,
           "@module.linecache>main main.cache>cache @module.asyncio>other other.t>table");
    repeat(&edges, 40, "cache{k#}>d# table{k#}>e#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_number(suspects, 0);
    rch_suspects_free(suspects);
}

static void the_programs_objects_in_the_standard_library_are_likely(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 40, "d#:400:app.Page");
    repeat(&nodes, 1, "main:64:module cache:200:dict");
    repeat(&edges, 1, "@module.linecache>main main.cache>cache");
    repeat(&edges, 40, "cache{k#}>d#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Page", 40, "place");
    assert_true(suspects->suspects[0].is_likely);
    rch_suspects_free(suspects);
}

static void attributes_by_name_are_no_accumulation(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 40, "p#:40:app.Field c#:100:type");
    repeat(&nodes, 1, "main:64:module");
    repeat(&edges, 1, "@module.app>main");
    repeat(&edges, 40, "main.c#>c# c#.field>p#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    for (uint32_t i = 0; i < suspects->num_suspects; i++) {
        assert_false(suspects->suspects[i].is_likely);
        assert_null(reason(&suspects->suspects[i], "accumulation"));
    }
    rch_suspects_free(suspects);
}

// --- what is kept ---

static void only_open_descriptors_of_the_kept_count(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "t#:48:app.Link s#:200:socket.socket");
    repeat(&nodes, 1, "main:64:module pool:200:list f:64:_io.FileIO other:200:socket.socket");
    repeat(&edges, 1, "@module.app>main main.pool>pool main.own>other");
    repeat(&edges, MANY, "pool[]>t# t#.sock>s# s#%1#");
    repeat(&edges, MANY - 2, "%1#,socket");
    repeat(&edges, 1, "t0.log>f f%50 %50,file other%60 %60,socket t0.again>s1");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Link", MANY, "resources");
    assert_int_equal(suspects->suspects[0].sockets, MANY - 2);
    assert_int_equal(suspects->suspects[0].files, 1);
    assert_int_equal(suspects->suspects[0].other_fds, 0);
    rch_suspects_free(suspects);
}

static void what_another_root_reaches_too_is_not_kept(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "r#:100:app.Row");
    repeat(&nodes, 1, "main:64:module rows:200:list shared:5000:app.Schema");
    repeat(&edges, 1, "@module.app>main main.rows>rows @module.other>shared");
    repeat(&edges, MANY, "rows[]>r# r#.schema>shared");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_int_equal(suspects->suspects[0].kept_bytes, MANY * 100);
    rch_suspects_free(suspects);
}

// --- evidence ---

static void a_chain_is_told(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 20, "n#:100:app.Node");
    repeat(&nodes, 1, "main:64:module");
    repeat(&edges, 1,
           "@module.app>main main.head>n0 n0.next>n1 n1.next>n2 n2.next>n3 n3.next>n4 "
           "n4.next>n5 n5.next>n6 n6.next>n7 n7.next>n8 n8.next>n9 n9.next>n10 "
           "n10.next>n11 n11.next>n12 n12.next>n13 n13.next>n14 n14.next>n15 "
           "n15.next>n16 n16.next>n17 n17.next>n18 n18.next>n19");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Node", 20, "chain");
    rch_suspects_free(suspects);
}

static void closed_objects_that_are_held_are_told(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "c#:100:app.Conn");
    repeat(&nodes, 1,
           "main:64:module pool:200:list b:64:module names:300:dict yes:28:bool:untracked "
           "True:50:str no:24:bool:untracked False:50:str");
    repeat(&edges, 1,
           "@module.app>main main.pool>pool @module.builtins>b b.__dict__>names "
           "names{True}>yes names{False}>no");
    repeat(&edges, MANY, "pool[]>c# c#._closed>yes");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Conn", MANY, "closed");
    assert_string_equal(reason(&suspects->suspects[0], "closed")->sentence,
                        "12 app.Conn are closed, and still held");
    rch_suspects_free(suspects);
}

static void open_objects_are_not_called_closed(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "c#:100:app.Conn");
    repeat(&nodes, 1,
           "main:64:module pool:200:list b:64:module names:300:dict yes:28:bool:untracked "
           "True:50:str no:24:bool:untracked False:50:str");
    repeat(&edges, 1,
           "@module.app>main main.pool>pool @module.builtins>b b.__dict__>names "
           "names{True}>yes names{False}>no");
    repeat(&edges, MANY, "pool[]>c# c#._closed>no c#.ready>yes");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_null(reason(&suspects->suspects[0], "closed"));
    rch_suspects_free(suspects);
}

static void what_hangs_all_over_is_scattered(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 100, "w#:100:app.Widget h#:50:app.View#");
    repeat(&nodes, 1, "main:64:module");
    repeat(&edges, 100, "@module.view#>h# h#.widget#>w#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    for (uint32_t i = 0; i < suspects->num_suspects; i++)
        if (strcmp(suspects->suspects[i].type, "app.Widget") == 0)
            assert_true(reason(&suspects->suspects[i], "scattered")->score < 0);
    assert_true(suspects->num_suspects == 0 || !suspects->suspects[0].is_likely);
    rch_suspects_free(suspects);
}

static void functions_that_close_over_them_are_told(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "r#:100:app.Row");
    repeat(&nodes, 1, "main:64:module f:136:function rows:200:list");
    repeat(&edges, 1, "@module.app>main main.add>f f(seen)>rows");
    repeat(&edges, MANY, "rows[]>r#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Row", MANY, "closure");
    rch_suspects_free(suspects);
}

static void waste_among_what_they_keep_is_told(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 70, "r#:100:app.Row e#:64:dict");
    repeat(&nodes, 1, "main:64:module rows:200:list");
    repeat(&edges, 1, "@module.app>main main.rows>rows");
    repeat(&edges, 70, "rows[]>r# r#.extra>e#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_first(suspects, "app.Row", 70, "empty-containers");
    assert_string_equal(reason(&suspects->suspects[0], "empty-containers")->sentence,
                        "70 dict among what they keep are empty");
    assert_first(suspects, "app.Row", 70, "size");
    rch_suspects_free(suspects);
}

static void a_dictionary_with_entries_is_not_empty(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 70, "r#:100:app.Row e#:64:dict");
    repeat(&nodes, 1, "main:64:module rows:200:list");
    repeat(&edges, 1, "@module.app>main main.rows>rows");
    repeat(&edges, 70, "rows[]>r# r#.extra>e# e#{name}>r#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_null(reason(&suspects->suspects[0], "empty-containers"));
    rch_suspects_free(suspects);
}

static void garbage_is_one_suspect(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, MANY, "a#:100:app.Parent b#:50:app.Child");
    repeat(&edges, MANY, "@garbage.g#>a# a#.child>b# b#.parent>a#");
    struct rch_suspects *suspects = find(state, &nodes, &edges);
    assert_number(suspects, 1);
    assert_first(suspects, "app.Parent", MANY, "garbage");
    rch_suspects_free(suspects);
}

static void what_is_new_since_the_baseline_counts_for_and_what_is_not_against(void **state)
{
    struct words nodes = {0}, edges = {0}, early = {0}, early_edges = {0};
    repeat(&early, MANY, "r#:100:app.Row");
    repeat(&early, 1, "main:64:module rows:200:list all:200:list");
    repeat(&early_edges, 1, "@module.app>main main.rows>rows main.all>all");
    repeat(&early_edges, MANY, "rows[]>r#");
    nodes = early, edges = early_edges;
    repeat(&nodes, MANY, "o#:100:app.Order");
    repeat(&edges, MANY, "all[]>o#");
    struct rch_baseline *base = NULL;
    struct rch_error err = {0};
    assert_ok(rch_baseline_make(graph_of(state, early.text, early_edges.text), rch_alloc_default(),
                                &base, &err),
              &err);
    struct rch_suspects_options options = {.baseline = base};
    struct rch_suspects *suspects = find_with(graph_of(state, nodes.text, edges.text), &options);
    assert_true(suspects->has_baseline);
    assert_first(suspects, "app.Order", MANY, "growth");
    assert_true(suspects->suspects[0].is_likely);
    for (uint32_t i = 1; i < suspects->num_suspects; i++)
        assert_true(reason(&suspects->suspects[i], "growth")->score < 0);
    rch_suspects_free(suspects);
    rch_baseline_free(base);
}

// --- scores and names ---

static void doublings_are_linear_between_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(rch__doublings(0, 1, 10), 0);
    assert_int_equal(rch__doublings(1, 1, 10), 0);
    assert_int_equal(rch__doublings(2, 1, 10), 10);
    assert_int_equal(rch__doublings(3, 1, 10), 15);
    assert_int_equal(rch__doublings(1024, 1, 10), 100);
    assert_int_equal(rch__doublings(5, 10, 10), 0);
    assert_int_equal(rch__doublings(UINT64_MAX, 0, 10), 0);
    assert_in_range(rch__doublings(UINT64_MAX, 1, 10), 630, 640);
}

static void modules_have_an_origin(void **state)
{
    (void)state;
    assert_int_equal(rch__origin_of_module(""), RCH__BUILTIN);
    assert_int_equal(rch__origin_of_module("abc"), RCH__STDLIB);
    assert_int_equal(rch__origin_of_module("zoneinfo._common"), RCH__STDLIB);
    assert_int_equal(rch__origin_of_module("_abc"), RCH__STDLIB);
    assert_int_equal(rch__origin_of_module("abcd"), RCH__PROGRAM);
    assert_int_equal(rch__origin_of_module("ab"), RCH__PROGRAM);
    assert_int_equal(rch__origin_of_module("__main__"), RCH__PROGRAM);
    assert_int_equal(rch__origin_of_module("refchain._core"), RCH__OWN);
}

static void benign_holders_have_reasons(void **state)
{
    (void)state;
    assert_non_null(rch__benign_reason("re", "_cache"));
    assert_non_null(rch__benign_reason("re._compiler", NULL));
    assert_null(rch__benign_reason("regex", "_cache"));
    assert_non_null(rch__benign_reason("linecache", "cache"));
    assert_null(rch__benign_reason("linecache", "other"));
    assert_null(rch__benign_reason("app", "cache"));
}

// --- failures ---

static void it_survives_failing_allocations_and_cancelling(void **state)
{
    struct words nodes = {0}, edges = {0};
    repeat(&nodes, 20, "t#:48:app.Link s#:200:socket.socket d#:100:dict");
    repeat(&nodes, 1, "main:64:module pool:200:list cache:200:dict");
    repeat(&edges, 1, "@module.app>main main.pool>pool main.cache>cache");
    repeat(&edges, 20, "pool[]>t# t#.sock>s# s#%1# cache{k#}>d#");
    struct rch_graph *g = graph_of(state, nodes.text, edges.text);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_suspects *suspects = NULL;
        if (ok_or_enomem(rch_suspects(g, NULL, NULL, alloc, &suspects, NULL)))
            assert_number(suspects, 2);
        rch_suspects_free(suspects);
    }
}

static bool stop_at(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)phase, (void)done, (void)total;
    return (*(int *)ctx)-- > 0;
}

static void every_report_may_cancel(void **state)
{
    struct rch_graph *g = graph_of(state, "m:1:module l:9:list", "@module.app>m m.x>l l[]>a l[]>b");
    enum rch_status st = RCH_ECANCELED;
    for (int calls = 0; st == RCH_ECANCELED; calls++) {
        int left = calls;
        struct rch_progress progress = {stop_at, &left};
        struct rch_suspects_options options = {.progress = &progress};
        struct rch_suspects *suspects = NULL;
        st = rch_suspects(g, NULL, &options, rch_alloc_default(), &suspects, NULL);
        rch_suspects_free(suspects);
        assert_true(calls < 100);
    }
    assert_int_equal(st, RCH_OK);
}

static void an_empty_graph_has_no_suspects(void **state)
{
    struct rch_suspects *suspects = find_with(graph_of(state, "", ""), NULL);
    assert_number(suspects, 0);
    rch_suspects_free(suspects);
    rch_suspects_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(what_a_list_of_the_program_has_collected_is_possible),
        graph_test(parts_are_told_with_what_they_are_parts_of),
        graph_test(two_holders_of_the_same_objects_are_one_suspect),
        graph_test(crowds_of_builtin_objects_are_found_below_one_object),
        graph_test(tables_of_the_standard_library_are_not_suspected),
        graph_test(the_programs_objects_in_the_standard_library_are_likely),
        graph_test(attributes_by_name_are_no_accumulation),
        graph_test(only_open_descriptors_of_the_kept_count),
        graph_test(what_another_root_reaches_too_is_not_kept),
        graph_test(a_chain_is_told),
        graph_test(closed_objects_that_are_held_are_told),
        graph_test(open_objects_are_not_called_closed),
        graph_test(what_hangs_all_over_is_scattered),
        graph_test(functions_that_close_over_them_are_told),
        graph_test(waste_among_what_they_keep_is_told),
        graph_test(a_dictionary_with_entries_is_not_empty),
        graph_test(garbage_is_one_suspect),
        graph_test(what_is_new_since_the_baseline_counts_for_and_what_is_not_against),
        graph_test(doublings_are_linear_between_powers_of_two),
        graph_test(modules_have_an_origin),
        graph_test(benign_holders_have_reasons),
        graph_test(it_survives_failing_allocations_and_cancelling),
        graph_test(every_report_may_cancel),
        graph_test(an_empty_graph_has_no_suspects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
