// SPDX-License-Identifier: MIT
// Claims about pictures: what is around an object, what is grouped, what hostile names become.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/picture.h"
#include "support.h"

#define PICTURE(name)                                                                    \
    __attribute__((cleanup(rch_picture_deinit))) struct rch_picture name;                \
    rch_picture_init(&name, rch_alloc_default())

static const struct rch_picture_node *node_at(const struct rch_picture *picture, size_t i)
{
    return &RCH_VEC_AT(&picture->nodes, struct rch_picture_node, i);
}
static const struct rch_picture_edge *edge_at(const struct rch_picture *picture, size_t i)
{
    return &RCH_VEC_AT(&picture->edges, struct rch_picture_edge, i);
}

static enum rch_status draw_around(const struct rch_graph *g, const char *name,
                                   const struct rch_around_options *options, uint32_t limit,
                                   const struct rch_alloc *alloc, struct rch_picture *picture)
{
    rch_node member = graph_node(g, name);
    struct rch_asked asked = {.question = {name, &member, 1}};
    struct rch_render_options render = {.asked = &asked};
    struct rch_around around;
    enum rch_status st = rch_around(&around, g, NULL, &asked.question, options, alloc, NULL);
    if (st != RCH_OK)
        return st;
    st = rch_picture_of_around(picture, g, &around, &render, NULL);
    rch_around_deinit(&around);
    return st == RCH_OK ? rch_picture_group(picture, limit, NULL) : st;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/// "from label to" of every arrow, sorted, "; " between; weak ones with "~".
static const char *arrows(const struct rch_picture *picture)
{
    static char text[8192], lines[200][160];
    const char *sorted[200];
    size_t at = 0, num = picture->edges.num;
    assert_true(num <= 200);
    text[0] = '\0';
    for (size_t i = 0; i < num; i++) {
        const struct rch_picture_edge *edge = edge_at(picture, i);
        snprintf(lines[i], sizeof(lines[i]), "%s%s %s %s",
                 edge->flags & RCH_PICTURE_WEAK ? "~" : "", node_at(picture, edge->from)->lines[0],
                 edge->label ? edge->label : "-", node_at(picture, edge->to)->lines[0]);
        sorted[i] = lines[i];
    }
    if (num)
        qsort(sorted, num, sizeof(sorted[0]), compare_lines);
    for (size_t i = 0; i < num; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "; " : "", sorted[i]);
    return text;
}

static const char *around(const struct rch_graph *g, const char *name,
                          struct rch_around_options options)
{
    PICTURE(picture);
    assert_ok(draw_around(g, name, &options, 100, rch_alloc_default(), &picture), NULL);
    return arrows(&picture);
}
#define BACK(g, name, ...) around(g, name, (struct rch_around_options){__VA_ARGS__})
#define AHEAD(g, name, ...) \
    around(g, name, (struct rch_around_options){.is_forward = true, __VA_ARGS__})

// ---- what is around ------------------------------------------------------------------------------

static void plumbing_is_no_hop(void **state)
{
    struct rch_graph *g = graph_of(
        state, "m::module md::dict obj::app.Pool d::dict f::function cells::tuple c::cell x::app.X",
        "@module(app)>m m-dict+fixed+forward>md md{pool}>obj obj-dict+fixed+forward>d d{conn}>x "
        "md{fn}>f f-field.__closure__+forward>cells cells-closure.v>c c-field.contents+back>x");
    assert_string_equal(BACK(g, "x", .depth = 2),
                        "app.Pool .conn app.X; function closure v app.X; "
                        "module app .fn function; module app .pool app.Pool");
    assert_string_equal(AHEAD(g, "obj", .depth = 1), "app.Pool .conn app.X");
    assert_string_equal(AHEAD(g, "f", .depth = 1), "function closure v app.X");
    assert_string_equal(BACK(g, "x", .depth = 1, .raw = true),
                        "cell .contents app.X; dict [\"conn\"] app.X");
}

static void the_depth_ends_a_walk_and_says_what_it_leaves_out(void **state)
{
    struct rch_graph *g = graph_of(state, "a::A b::B c::C d::D", "d.x>c e.x>c c.x>b b.x>a");
    assert_string_equal(BACK(g, "a", .depth = 1), "B .x A");
    assert_string_equal(BACK(g, "a", .depth = 2), "B .x A; C .x B");
    PICTURE(picture);
    assert_ok(draw_around(g, "a", &(struct rch_around_options){.depth = 2}, 100,
                          rch_alloc_default(), &picture),
              NULL);
    assert_string_equal(node_at(&picture, 2)->lines[1], "2 referrers not drawn");
}

static void weak_references_are_told_and_not_followed(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a::A w::weakref.ReferenceType l::list", "w~a l[]>w l[]>a");
    assert_string_equal(BACK(g, "a", .depth = 3), "list [1] A; ~weakref.ReferenceType <weak> A");
}

static void the_questioner_is_not_in_the_picture(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a::A l::list @frame.ask:::observer", "@frame.ask.x>a l[]>a");
    assert_string_equal(BACK(g, "a", .depth = 3), "list [0] A");
}

static void cycles_end(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a::A b::B c::cell",
                 "a.b>b b.a>a a.me>a c-field.contents+back>c c-field.contents+back>a");
    assert_string_equal(BACK(g, "a", .depth = 9), "A .b B; A .me A; B .a A");
    assert_string_equal(AHEAD(g, "a", .depth = 9), "A .b B; A .me A; B .a A");
}

static void a_walk_forward_ends_at_modules_and_types(void **state)
{
    struct rch_graph *g = graph_of(state, "a::A t::type m::module x::X", "a.t>t a.m>m t.x>x m.x>x");
    assert_string_equal(AHEAD(g, "a", .depth = 5), "A .m module; A .t type");
    assert_string_equal(AHEAD(g, "t", .depth = 5), "type .x X");
}

static void a_walk_that_is_cut_short_says_so(void **state)
{
    struct rch_graph *g = graph_of(state, "a::A", "b.x>a c.x>a d.x>a e.x>a");
    rch_node member = graph_node(g, "a");
    struct rch_question question = {"a", &member, 1};
    struct rch_around around;
    struct rch_around_options options = {.depth = 1, .max_objects = 3};
    assert_ok(rch_around(&around, g, NULL, &question, &options, rch_alloc_default(), NULL), NULL);
    assert_true(around.is_cut_short);
    assert_int_equal(around.nodes.num, 3);
    rch_around_deinit(&around);
}

static void of_very_many_objects_some_are_taken_evenly(void **state)
{
    char words[512];
    size_t at = 0;
    for (int i = 0; i < 20; i++)
        at += (size_t)snprintf(words + at, sizeof(words) - at, "k%d.x>a%d ", i, i);
    struct rch_graph *g = graph_of(state, "", words);
    rch_node members[20];
    char name[8];
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "a%u", i);
        members[i] = graph_node(g, name);
    }
    struct rch_question question = {"a", members, 20};
    struct rch_around around;
    struct rch_around_options options = {.depth = 1, .max_starts = 5};
    assert_ok(rch_around(&around, g, NULL, &question, &options, rch_alloc_default(), NULL), NULL);
    assert_int_equal(around.num_starts, 5);
    assert_int_equal(around.nodes.num, 10);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(RCH_VEC_AT(&around.nodes, struct rch_around_node, i).node, members[4 * i]);
    rch_around_deinit(&around);
}

static void arrows_between_the_same_two_are_one(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a::A b::B l::list", "b.x>a b.y>a l[]>a l[]>a l[]>a l[]>a l[]>a");
    assert_string_equal(BACK(g, "a", .depth = 1), "B .x, .y A; list [*] A");
}

// ---- grouping ------------------------------------------------------------------------------------

/// A list with `num` holders of object a, each of them with a name of its own.
static struct rch_graph *crowd(void **state, int num)
{
    static char nodes[1 << 16], edges[1 << 16];
    size_t at = (size_t)snprintf(nodes, sizeof(nodes), "a::app.A l::list "), to = 0;
    edges[0] = '\0';
    for (int i = 0; i < num; i++) {
        at += (size_t)snprintf(nodes + at, sizeof(nodes) - at, "q%d::app.Request ", i);
        to += (size_t)snprintf(edges + to, sizeof(edges) - to, "q%d.conn>a l[]>q%d ", i, i);
    }
    return graph_of(state, nodes, edges);
}

static void a_crowd_becomes_one_box_that_counts(void **state)
{
    struct rch_graph *g = crowd(state, 1000);
    PICTURE(picture);
    assert_ok(draw_around(g, "a", &(struct rch_around_options){.depth = 3}, 100,
                          rch_alloc_default(), &picture),
              NULL);
    assert_string_equal(arrows(&picture), "app.Request .conn app.A; list [*] app.Request");
    assert_int_equal(picture.nodes.num, 3);
    assert_true(node_at(&picture, 0)->flags & RCH_PICTURE_QUESTION);
    assert_int_equal(node_at(&picture, 1)->count, 1000);
    assert_int_equal(edge_at(&picture, 0)->count + edge_at(&picture, 1)->count, 2000);
}

static uint64_t sum_of_counts(const struct rch_picture *picture)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < picture->nodes.num; i++) {
        const struct rch_picture_node *node = node_at(picture, i);
        sum += node->kind == RCH_PICTURE_STUB ? strtoull(node->lines[0], NULL, 10) : node->count;
    }
    return sum;
}

static void what_does_not_fit_is_a_stub_that_counts(void **state)
{
    (void)state;
    char names[500][16];
    PICTURE(picture);
    struct rch_picture_node root = {.lines = {"root"},
                                    .count = 1,
                                    .flags = RCH_PICTURE_QUESTION,
                                    .color = RCH_PICTURE_NO_COLOR};
    assert_ok(rch_picture_node(&picture, &root, NULL, NULL), NULL);
    for (uint32_t i = 0; i < 500; i++) {
        snprintf(names[i], sizeof(names[i]), "kind %u", i % 250);
        struct rch_picture_node node = {
            .lines = {names[i]}, .count = 1, .color = RCH_PICTURE_NO_COLOR};
        struct rch_picture_edge edge = {.from = 0, .label = "x", .count = 1};
        assert_ok(rch_picture_node(&picture, &node, &edge.to, NULL), NULL);
        assert_ok(rch_picture_edge(&picture, &edge, NULL), NULL);
    }
    assert_ok(rch_picture_group(&picture, 50, NULL), NULL);
    assert_true(picture.nodes.num <= 50);
    assert_int_equal(sum_of_counts(&picture), 501);
    uint32_t num_stubs = 0;
    for (size_t i = 0; i < picture.nodes.num; i++)
        num_stubs += node_at(&picture, i)->kind == RCH_PICTURE_STUB;
    assert_int_equal(num_stubs, 1);
}

static void a_long_chain_is_cut_and_says_so(void **state)
{
    (void)state;
    PICTURE(picture);
    for (uint32_t i = 0; i < 1000; i++) {
        struct rch_picture_node node = {.lines = {"link"},
                                        .count = 1,
                                        .flags = i ? 0 : RCH_PICTURE_QUESTION,
                                        .color = RCH_PICTURE_NO_COLOR};
        assert_ok(rch_picture_node(&picture, &node, NULL, NULL), NULL);
        struct rch_picture_edge edge = {.from = i - 1, .to = i, .label = ".next", .count = 1};
        if (i)
            assert_ok(rch_picture_edge(&picture, &edge, NULL), NULL);
    }
    assert_ok(rch_picture_group(&picture, 200, NULL), NULL);
    assert_int_equal(picture.nodes.num, 20);
    assert_non_null(strstr(RCH_VEC_AT(&picture.notes, const char *, 0), "980"));
}

static void few_boxes_stay_as_they_are(void **state)
{
    struct rch_graph *g = crowd(state, 20);
    PICTURE(picture);
    assert_ok(draw_around(g, "a", &(struct rch_around_options){.depth = 3}, 22, rch_alloc_default(),
                          &picture),
              NULL);
    assert_int_equal(picture.nodes.num, 22);
    assert_int_equal(picture.edges.num, 40);
    assert_int_equal(picture.notes.num, 0);
}

// ---- drawing -------------------------------------------------------------------------------------

static const char *const evil[] = {"</script><script>alert(1)</script>",
                                   "]]>--><!--",
                                   "\" onload=\"x",
                                   "' ' &amp; &#x41; <b>",
                                   "\x1b[2J\x07\x01\x7f",
                                   "\xe2\x80\xae"
                                   "gnp.exe",
                                   "broken \xff\xc3",
                                   "\\",
                                   "\\\"",
                                   "\n\r\t",
                                   "\xef\xbf\xbe\xef\xbf\xbf",
                                   "{|}<>",
                                   ""};
enum { NUM_EVIL = sizeof(evil) / sizeof(evil[0]) };

static void fill_evil(struct rch_picture *picture)
{
    static char huge[10001];
    memset(huge, 'n', sizeof(huge) - 1);
    picture->heading = evil[0];
    picture->sentence = evil[5];
    for (uint32_t i = 0; i <= NUM_EVIL; i++) {
        const char *name = i < NUM_EVIL ? evil[i] : huge;
        struct rch_picture_node node = {.lines = {name, name},
                                        .title = i % 2 ? name : NULL,
                                        .color = i % 3 ? RCH_PICTURE_NO_COLOR : i * 0x50505,
                                        .kind = (uint8_t)(i % 3),
                                        .flags = (uint8_t)(i % 4)};
        assert_ok(rch_picture_node(picture, &node, NULL, NULL), NULL);
        struct rch_picture_edge edge = {
            .from = i, .to = i / 2, .label = name, .note = name, .flags = (uint8_t)(i % 8)};
        assert_ok(rch_picture_edge(picture, &edge, NULL), NULL);
        assert_ok(rch_picture_note(picture, name, NULL), NULL);
    }
}

enum format { DOT, SVG, HTML };

static enum rch_status draw(const struct rch_picture *picture, enum format format,
                            const struct rch_alloc *alloc, struct rch_text *text)
{
    enum rch_status st = RCH_OK;
    rch_text_init(text, alloc);
    if (format == DOT)
        rch_render_dot(picture, &text->sink);
    else if (format == SVG)
        st = rch_render_svg(picture, alloc, &text->sink, NULL);
    else
        st = rch_render_html(picture, evil[0], alloc, &text->sink, NULL);
    return st == RCH_OK ? text->sink.status : st;
}

/// Markup is what we write: known elements, balanced, no bytes that XML forbids.
static void assert_plain_markup(const char *text)
{
    int depth = 0;
    for (const char *at = text; *at; at++) {
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        assert_true(*at != 0x7f);
        if (*at != '<')
            continue;
        const char *end = strchr(at, '>');
        assert_non_null(end);
        assert_null(memchr(at + 1, '<', (size_t)(end - at - 1)));
        if (at[1] == '!' || strncmp(at, "<meta", 5) == 0)
            continue;
        depth += at[1] == '/' ? -1 : end[-1] == '/' ? 0 : 1;
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "\xe2\x80\xae"));
}

static void hostile_names_are_harmless_in_markup(void **state)
{
    (void)state;
    PICTURE(picture);
    fill_evil(&picture);
    for (enum format format = SVG; format <= HTML; format++) {
        struct rch_text text;
        assert_ok(draw(&picture, format, rch_alloc_default(), &text), NULL);
        assert_plain_markup(text.bytes);
        assert_non_null(strstr(text.bytes, "&lt;/script&gt;"));
        assert_null(strstr(text.bytes, " onload=\""));
        rch_text_deinit(&text);
    }
}

static void hostile_names_stay_within_their_quotes_in_dot(void **state)
{
    (void)state;
    PICTURE(picture);
    struct rch_text text;
    fill_evil(&picture);
    assert_ok(draw(&picture, DOT, rch_alloc_default(), &text), NULL);
    bool is_quoted = false;
    for (const char *at = text.bytes; *at; at++) {
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        if (*at == '\\' && is_quoted)
            at++;
        else if (*at == '"')
            is_quoted = !is_quoted;
        else
            assert_false(*at == '\n' && is_quoted);
        assert_true(is_quoted || !strchr("<>|", *at) || at[-1] == '-');
    }
    assert_false(is_quoted);
    rch_text_deinit(&text);
}

static void more_than_can_be_drawn_is_refused(void **state)
{
    (void)state;
    PICTURE(picture);
    struct rch_text text;
    struct rch_picture_node node = {.lines = {"x"}, .color = RCH_PICTURE_NO_COLOR};
    for (int i = 0; i <= RCH_PICTURE_MAX_NODES; i++)
        assert_ok(rch_picture_node(&picture, &node, NULL, NULL), NULL);
    assert_status(draw(&picture, SVG, rch_alloc_default(), &text), RCH_EINVAL, NULL);
    rch_text_deinit(&text);
    struct rch_picture_edge edge = {.from = 0, .to = RCH_PICTURE_MAX_NODES + 1};
    assert_status(rch_picture_edge(&picture, &edge, NULL), RCH_EINVAL, NULL);
}

static void nothing_can_be_drawn(void **state)
{
    (void)state;
    PICTURE(picture);
    struct rch_text text;
    assert_ok(draw(&picture, SVG, rch_alloc_default(), &text), NULL);
    assert_plain_markup(text.bytes);
    rch_text_deinit(&text);
}

// ---- answers -------------------------------------------------------------------------------------

static struct rch_graph *two_holders(void **state)
{
    return graph_of(state, "reg::dict pool::app.Pool items::list x0::app.X x1::app.X",
                    "@module(a).registry>reg reg{k0}>x0 reg{k1}>x1 @module(b).pool>pool "
                    "pool.items>items items[]>x0 items[]>x1");
}

static enum rch_status draw_answer(const struct rch_graph *g, const struct rch_alloc *alloc,
                                   struct rch_picture *picture)
{
    rch_node members[] = {graph_node(g, "x0"), graph_node(g, "x1")};
    struct rch_question question = {"app.X", members, 2};
    struct rch_answer *answer = NULL;
    enum rch_status st = rch_why(g, NULL, &question, NULL, alloc, &answer, NULL);
    if (st == RCH_OK)
        st = rch_picture_of_answer(picture, g, answer, &(struct rch_render_options){.all = true},
                                   NULL);
    rch_answer_free(answer);
    return st;
}

static void each_holder_has_its_path_and_its_cut(void **state)
{
    PICTURE(picture);
    assert_ok(draw_answer(two_holders(state), rch_alloc_default(), &picture), NULL);
    assert_string_equal(arrows(&picture), "app.Pool .items list; dict [*] app.X; list [*] app.X; "
                                          "module a .registry dict; module b .pool app.Pool");
    uint32_t num_cuts = 0, num_holders = 0;
    for (size_t i = 0; i < picture.edges.num; i++) {
        const struct rch_picture_edge *edge = edge_at(&picture, i);
        if (!(edge->flags & RCH_PICTURE_CUT))
            continue;
        num_cuts++;
        assert_non_null(strstr(edge->note, "cut here: all 2"));
        assert_true(node_at(&picture, edge->from)->flags & RCH_PICTURE_HOLDER);
    }
    for (size_t i = 0; i < picture.nodes.num; i++)
        num_holders += (node_at(&picture, i)->flags & RCH_PICTURE_HOLDER) != 0;
    assert_int_equal(num_cuts, 2);
    assert_int_equal(num_holders, 2);
    assert_string_equal(picture.sentence, "Kept alive by 2 holders. To free all 2, cut both.");
}

static void the_middle_of_a_long_path_is_left_out(void **state)
{
    static char edges[4096];
    size_t at = (size_t)snprintf(edges, sizeof(edges), "@module(a).first>n0 ");
    for (int i = 0; i < 40; i++)
        at += (size_t)snprintf(edges + at, sizeof(edges) - at, "n%d.next>n%d ", i, i + 1);
    snprintf(edges + at, sizeof(edges) - at, "n40.x>x0 n40.y>x1");
    PICTURE(picture);
    assert_ok(draw_answer(graph_of(state, "", edges), rch_alloc_default(), &picture), NULL);
    assert_true(picture.nodes.num < 20);
    bool has_stub = false;
    for (size_t i = 0; i < picture.nodes.num; i++) {
        const struct rch_picture_node *node = node_at(&picture, i);
        has_stub |= node->kind == RCH_PICTURE_STUB && strstr(node->lines[0], " more hops") &&
                    strstr(node->title, ".next  object");
    }
    assert_true(has_stub);
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    struct rch_graph *g = two_holders(state);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_picture picture;
        struct rch_text text;
        rch_picture_init(&picture, alloc);
        if (ok_or_enomem(draw_answer(g, alloc, &picture))) {
            assert_ok_or_enomem(draw(&picture, HTML, alloc, &text));
            rch_text_deinit(&text);
        }
        rch_picture_deinit(&picture);
    }
    g = crowd(state, 12);
    struct rch_around_options options = {.depth = 3};
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_picture picture;
        rch_picture_init(&picture, alloc);
        assert_ok_or_enomem(draw_around(g, "a", &options, 8, alloc, &picture));
        rch_picture_deinit(&picture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(plumbing_is_no_hop),
        graph_test(the_depth_ends_a_walk_and_says_what_it_leaves_out),
        graph_test(weak_references_are_told_and_not_followed),
        graph_test(the_questioner_is_not_in_the_picture),
        graph_test(cycles_end),
        graph_test(a_walk_forward_ends_at_modules_and_types),
        graph_test(a_walk_that_is_cut_short_says_so),
        graph_test(of_very_many_objects_some_are_taken_evenly),
        graph_test(arrows_between_the_same_two_are_one),
        graph_test(a_crowd_becomes_one_box_that_counts),
        graph_test(what_does_not_fit_is_a_stub_that_counts),
        graph_test(a_long_chain_is_cut_and_says_so),
        graph_test(few_boxes_stay_as_they_are),
        graph_test(hostile_names_are_harmless_in_markup),
        graph_test(hostile_names_stay_within_their_quotes_in_dot),
        graph_test(more_than_can_be_drawn_is_refused),
        graph_test(nothing_can_be_drawn),
        graph_test(each_holder_has_its_path_and_its_cut),
        graph_test(the_middle_of_a_long_path_is_left_out),
        graph_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
