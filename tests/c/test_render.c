// SPDX-License-Identifier: MIT
// tests/c/test_render.c -- pages and JSON of answers made by hand: what they say, that no line is
// wider than the page whatever the names are, and that nothing hostile reaches a terminal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#include "render/clean.h"
#include "render/hop_text.h"
#include "render/line.h"
#include "render/render.h"

static const struct rch_graph a_graph = {.num_objects = 20123};

// ---- answers ------------------------------------------------------------------------------------

#define HOP(kind_, name_, type_, num_)                                                       \
    {.kind = RCH_EDGE_##kind_, .name = name_, .type = type_, .num_objects = num_,            \
     .index = UINT32_MAX, .example = RCH_NO_NODE}

static struct rch_hop story_hops[] = {
    HOP(ATTRIBUTE, "_afterfork_registry", "weakref.WeakValueDictionary", 1),
    HOP(ATTRIBUTE, "data", "dict", 1),
    HOP(KEY, NULL, "tuple", 137),
    HOP(ITEM, NULL, "method", 137),
    HOP(FIELD, "__self__", "minimq.transport.TCPTransport", 137),
};
static struct rch_hop pool_hops[] = {
    HOP(ATTRIBUTE, "connections", "minimq.pools.Connections", 1),
    HOP(VALUE, NULL, "minimq.pools.ConnectionPool", 100),
    HOP(ATTRIBUTE, "_transport", "minimq.transport.TCPTransport", 100),
};
static struct rch_hop raw_hops[] = {HOP(DICT, NULL, "dict", 3), HOP(VALUE, "x", "a.B", 30)};

struct story {
    struct rch_answer answer;
    struct rch_holder holders[2];
    struct rch_path_group groups[3];
};

static struct story story_of(void)
{
    story_hops[2].num_elements = 138;
    story_hops[3].index = 2;
    pool_hops[1].key_type = "int";
    struct story story = {
        .groups = {{story_hops, 5, 137}, {pool_hops, 3, 70}, {raw_hops, 2, 30}},
        .holders = {{.fingerprint = "rc1:7c1e09a4d2b3f001",
                     .root_kind = RCH_ROOT_MODULE,
                     .root_name = "multiprocessing.util",
                     .root_detail = "",
                     .hops = story_hops,
                     .num_hops = 5,
                     .is_cuttable = true,
                     .cut = 2,
                     .cut_is_group = true,
                     .num_cut_refs = 137,
                     .holds = 137,
                     .holds_only = 37,
                     .frees = {37, 1780, 618189},
                     .num_groups = 1,
                     .advice =
                         "The keys hold what the weak values were meant to let go of: a bound "
                         "method as part of a key keeps its object. Key by id() or drop the "
                         "entry when the transport is closed."},
                    {.fingerprint = "rc1:00000000deadbeef",
                     .root_kind = RCH_ROOT_FRAME,
                     .root_name = "main",
                     .root_detail = "app.py:12, thread MainThread",
                     .hops = pool_hops,
                     .num_hops = 3,
                     .is_cuttable = true,
                     .cut = 1,
                     .num_cut_refs = 1,
                     .holds = 100,
                     .num_groups = 2,
                     .num_more_groups = 4}},
        .answer = {.question = "minimq.transport.TCPTransport",
                   .objects = 137,
                   .bytes = 6576,
                   .num_holders = 2,
                   .all_cut = {137, 4210, 1262485}},
    };
    return story;
}

static const char *const also_names[] = {".producers", ".consumers"};

/// Wire up the pointers, which may not move afterwards.
static const struct rch_answer *wire(struct story *story)
{
    story->holders[0].groups = &story->groups[0];
    story->holders[1].groups = &story->groups[1];
    story->holders[1].also = also_names;
    story->holders[1].num_also = 2;
    story->answer.holders = story->holders;
    return &story->answer;
}

// ---- helpers ------------------------------------------------------------------------------------

static struct rch_text page;

static int page_setup(void **state)
{
    (void)state;
    rch_text_init(&page, rch_alloc_default());
    return 0;
}

static int page_teardown(void **state)
{
    (void)state;
    rch_text_deinit(&page);
    return 0;
}

static const char *why_text(const struct rch_answer *answer, struct rch_render_options options)
{
    page.num_bytes = 0;
    rch_render_why_text(&a_graph, answer, &options, &page.sink);
    assert_int_equal(page.sink.status, RCH_OK);
    return page.bytes;
}

static const char *why_json(const struct rch_answer *answer, struct rch_render_options options)
{
    page.num_bytes = 0;
    rch_render_why_json(&a_graph, answer, &options, &page.sink);
    assert_int_equal(page.sink.status, RCH_OK);
    return page.bytes;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" in:\n%s", part, text);
}

/// Every line is at most `max` columns wide and has no control characters.
static void assert_fits(const char *text, uint64_t max)
{
    char line[4096];
    while (*text) {
        size_t num = strcspn(text, "\n");
        assert_true(num < sizeof(line));
        memcpy(line, text, num);
        line[num] = '\0';
        if (rch_clean_columns(line, 0) > max)
            fail_msg("too wide: \"%s\"", line);
        for (size_t i = 0; i < num; i++)
            assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
        text += num + (text[num] == '\n');
    }
}

static const char *clean(const char *text, uint32_t columns, unsigned flags)
{
    static char out[RCH_CLEAN_BYTES];
    uint32_t used = rch_clean(out, text, columns, flags);
    assert_true(used <= columns);
    assert_int_equal(used, rch_clean_columns(out, 0));
    return out;
}

// ---- names --------------------------------------------------------------------------------------

static void hostile_characters_come_out_as_escapes(void **state)
{
    (void)state;
    assert_string_equal(clean("a\nb\x1b[31mc", 99, 0), "a\\nb\\x1b[31mc");
    assert_string_equal(clean("\u202eevil\u200b", 99, 0), "\\u{202e}evil\\u{200b}");
    assert_string_equal(clean("\xff\xc0\x80\xed\xa0\x80", 99, 0), "\\xff\\xc0\\x80\\xed\\xa0\\x80");
    assert_string_equal(clean("\xc2\x85\xc2\x9b", 99, 0), "\\u{85}\\u{9b}");
    assert_string_equal(clean("\xe2\x82", 99, 0), "\\xe2\\x82");
    assert_string_equal(clean("a\"b\\", 99, RCH_CLEAN_QUOTED), "a\\\"b\\\\");
    assert_string_equal(clean("e\u0301\u0302\u0303", 99, 0), "e\u0301\u0302\\u{303}");
    assert_string_equal(clean("caf\u00e9", 99, RCH_CLEAN_ASCII), "caf\\u{e9}");
}

static void long_names_lose_their_middle(void **state)
{
    (void)state;
    assert_string_equal(clean("abcdefghij", 10, 0), "abcdefghij");
    assert_string_equal(clean("abcdefghijk", 10, 0), "abcde\u2026hijk");
    assert_string_equal(clean("abcdefghijk", 10, RCH_CLEAN_ASCII), "abcd...ijk");
    assert_string_equal(clean("\u6f22\u5b57\u6f22\u5b57\u6f22", 8, 0), "\u6f22\u5b57\u2026\u6f22");
    assert_string_equal(clean("abc", 0, 0), "");
    assert_string_equal(clean("ab", 1, 0), "\u2026");
}

static void any_bytes_at_any_width_stay_within_bounds(void **state)
{
    (void)state;
    uint64_t seed = 20240229;
    for (int round = 0; round < 3000; round++) {
        char text[400];
        size_t num = (size_t)(next_random(&seed) % (sizeof(text) - 1));
        static const char *const marks = "\u0301\u0302\u202e\u6f22x";
        for (size_t i = 0; i < num; i++) {
            uint64_t r = next_random(&seed);
            text[i] = round % 2 ? (char)(1 + r % 255) : marks[i % strlen(marks)];
        }
        text[num] = '\0';
        clean(text, (uint32_t)(next_random(&seed) % 210) % RCH_CLEAN_MAX_COLUMNS,
              round % 3 ? 0 : RCH_CLEAN_ASCII);
    }
}

static void put_escaped_keeps_to_its_bytes(void **state)
{
    (void)state;
    for (size_t max = 1; max < 30; max++) {
        page.num_bytes = 0;
        rch_put_escaped(&page.sink, "abc\x1b[0m\u6f22\u5b57 and so on and on", max);
        assert_true(page.num_bytes <= max);
    }
    page.num_bytes = 0;
    rch_put_escaped(&page.sink, "abcdefghij", 6);
    assert_string_equal(page.bytes, "abc\u2026");
    page.num_bytes = 0;
    rch_put_escaped(&page.sink, "abcdef", 6);
    assert_string_equal(page.bytes, "abcdef");
}

static void json_strings_are_valid_whatever_the_bytes(void **state)
{
    (void)state;
    rch_put_json_string(&page.sink, "q\" b\\ n\n e\x1b \xff \u202e \U0001f600 \x7f");
    assert_string_equal(page.bytes,
                        "\"q\\\" b\\\\ n\\n e\\u001b \uFFFD \\u202e \U0001f600 \\u007f\"");
}

static void numbers_are_grouped_and_rounded(void **state)
{
    (void)state;
    char buf[RCH_NUMBER_BYTES];
    assert_string_equal(rch_count_text(buf, 0), "0");
    assert_string_equal(rch_count_text(buf, 999), "999");
    assert_string_equal(rch_count_text(buf, 1234567), "1,234,567");
    assert_string_equal(rch_count_text(buf, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(rch_bytes_text(buf, 1), "1 byte");
    assert_string_equal(rch_bytes_text(buf, 1023), "1023 bytes");
    assert_string_equal(rch_bytes_text(buf, 1024), "1.0 KiB");
    assert_string_equal(rch_bytes_text(buf, 618189), "603.7 KiB");
    assert_string_equal(rch_bytes_text(buf, 1024 * 1024 - 1), "1.0 MiB");
    assert_string_equal(rch_bytes_text(buf, UINT64_MAX), "16.0 EiB");
}

static void hops_read_like_python(void **state)
{
    (void)state;
    static const struct {
        struct rch_hop hop;
        const char *text;
    } rows[] = {
        {HOP(ATTRIBUTE, "x", "", 1), ".x"},
        {HOP(VALUE, "a\"b", "", 1), "[\"a\\\"b\"]"},
        {HOP(VALUE, NULL, "", 5), "[*]"},
        {HOP(KEY, NULL, "", 1), "<key>"},
        {HOP(LOCAL, "conn", "", 1), "local conn"},
        {HOP(CLOSURE, "conn", "", 1), "closure conn"},
        {HOP(FIELD, "__self__", "", 1), ".__self__"},
        {HOP(FIELD, "left block", "", 1), "<left block>"},
        {HOP(ELEMENT, NULL, "", 1), "<element>"},
        {HOP(REFERENCE, NULL, "", 1), "<reference>"},
        {HOP(DICT, NULL, "", 1), ".__dict__"},
    };
    char out[RCH_CLEAN_BYTES];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rch_hop_text(out, &rows[i].hop, 80, 0);
        assert_string_equal(out, rows[i].text);
    }
    struct rch_hop item = HOP(ITEM, NULL, "", 1);
    item.index = 3;
    rch_hop_text(out, &item, 80, 0);
    assert_string_equal(out, "[3]");
}

// ---- pages --------------------------------------------------------------------------------------

static void the_two_holders_of_the_story_are_told(void **state)
{
    (void)state;
    struct story story = story_of();
    const char *text =
        why_text(wire(&story), (struct rch_render_options){.source = "snapshot app.rch"});
    assert_fits(text, 100);
    assert_has_not(text, " \n");
    assert_has(text, "refchain why  minimq.transport.TCPTransport   137 objects, 6.4 KiB\n"
                     "  snapshot app.rch, 20,123 objects\n");
    assert_has(text, "Kept alive by 2 holders. To free all 137, cut both.");
    assert_has(text, "HOLDER 1 of 2   holds 137 of 137, 37 held by it alone");
    assert_has(text, "rc1:7c1e09a4d2b3f001\n\n  module multiprocessing.util\n");
    assert_has(text, "  ├─ <key>                 key        tuple                          x137\n"
                     "  │  ~~~~~                 cut here: 137 of 138 keys\n"
                     "  ├─ [2]                   item       method                         x137\n"
                     "  ╰→ .__self__             field      minimq.transport.TCPTransport  x137\n");
    assert_has(text,
               "  cut     multiprocessing.util._afterfork_registry.data: 137 of its 138 keys\n");
    assert_has(text, "  frees   37 of 137 TCPTransport, 1,780 objects in all, 603.7 KiB (exact)\n");
    assert_has(text, "  frame main()   app.py:12, thread MainThread\n");
    assert_has(text, "  frees   nothing by itself: the other holders keep them all");
    assert_has(text, "  also    .producers, .consumers\n");
    assert_has(text,
               "ALL CUT   frees 137 of 137 TCPTransport, 4,210 objects in all, 1.2 MiB (exact)\n");
    assert_has(text, "5 more shapes of path are not shown (--all)");
    assert_has(text, "Held otherwise: garbage 0, from C 0, by the asker 0, unexplained 0.");
    text = why_text(wire(&story), (struct rch_render_options){.all = true});
    assert_has(text, "30 of them hang on it like this:");
    assert_has(text, "4 more shapes of path are not shown\n");
}

static void figures_of_the_interpreter_stand_only_on_their_lines(void **state)
{
    (void)state;
    struct story story = story_of(), other = story_of();
    other.answer.bytes = 9999;
    other.answer.all_cut = (struct rch_freed){137, 9999, 99999999};
    other.holders[0].frees = (struct rch_freed){37, 2222, 1};
    char *first = strdup(why_text(wire(&story), (struct rch_render_options){0}));
    const char *second = why_text(wire(&other), (struct rch_render_options){0});
    char *a_next = NULL, *b_next = NULL, *copy = strdup(second);
    char *a = strtok_r(first, "\n", &a_next), *b = strtok_r(copy, "\n", &b_next);
    for (int i = 0; a && b; i++) {
        bool may_differ = i == 0 || strncmp(a, "  frees ", 8) == 0 || strncmp(a, "ALL CUT", 7) == 0;
        if (!may_differ)
            assert_string_equal(a, b);
        a = strtok_r(NULL, "\n", &a_next);
        b = strtok_r(NULL, "\n", &b_next);
    }
    assert_true(!a && !b);
    free(first);
    free(copy);
}

static void colours_and_plain_text_say_the_same(void **state)
{
    (void)state;
    struct story story = story_of();
    char *plain = strdup(why_text(wire(&story), (struct rch_render_options){0}));
    const char *color = why_text(wire(&story), (struct rch_render_options){.color = true});
    assert_has(color, "\033[");
    char *at = plain;
    while (*color) {
        if (*color == '\033') {
            color += strcspn(color, "m") + 1;
            continue;
        }
        assert_int_equal(*color++, *at++);
    }
    assert_int_equal(*at, '\0');
    free(plain);
}

static void ascii_pages_have_only_ascii(void **state)
{
    (void)state;
    struct story story = story_of();
    const char *text = why_text(wire(&story), (struct rch_render_options){.ascii = true});
    for (const char *at = text; *at; at++)
        assert_true((unsigned char)*at < 0x80);
    assert_has(text, "  |- <key> ");
    assert_has(text, "  `> .__self__");
}

static void make_hostile(struct story *story, struct rch_hop *hops, const char *name)
{
    for (int i = 0; i < 5; i++) {
        hops[i] = story_hops[i];
        hops[i].name = hops[i].type = hops[i].key_type = name;
        hops[i].num_objects = UINT32_MAX;
        hops[i].num_elements = UINT32_MAX;
    }
    story->answer.question = name;
    for (int i = 0; i < 2; i++) {
        struct rch_holder *holder = &story->holders[i];
        holder->root_name = holder->root_detail = holder->advice = holder->fingerprint = name;
        holder->hops = hops;
        holder->num_hops = 5;
        holder->num_cut_refs = UINT32_MAX;
    }
    story->groups[1] = story->groups[2] = story->groups[0] = (struct rch_path_group){hops, 5, 1};
}

static void hostile_names_break_no_page(void **state)
{
    (void)state;
    static char longest[10001];
    memset(longest, 'n', sizeof(longest) - 1);
    static const char *const names[] = {
        "\"quote' \\",
        "two\nlines\r\n",
        "\x1b[2J\x1b]0;title\x07",
        "\u202egnp.\u2066",
        "\xff\xfe broken \xc3",
        "",
        " . ",
        "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22"
        "\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57",
        longest};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (unsigned variant = 0; variant < 8; variant++) {
            struct story story = story_of();
            struct rch_hop hops[5];
            make_hostile(&story, hops, names[i]);
            wire(&story);
            story.holders[0].root_kind = variant & 1 ? RCH_ROOT_C_HELD : RCH_ROOT_FRAME;
            hops[0].kind = variant & 1 ? RCH_EDGE_CLOSURE : RCH_EDGE_LOCAL;
            story.answer.observer_names = story.answer.warnings = names;
            story.answer.num_observer_names = story.answer.num_warnings = 9;
            uint32_t columns = variant & 2 ? 60 : 100;
            struct rch_render_options options = {
                .ascii = variant & 4, .all = variant & 1, .columns = columns, .source = names[i]};
            assert_fits(why_text(&story.answer, options), columns);
            const char *json = why_json(&story.answer, options);
            for (const char *at = json; *at; at++)
                assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        }
    }
}

static void a_cut_that_frees_nothing_is_reported_as_such(void **state)
{
    (void)state;
    struct story story = story_of();
    story.holders[0].frees = (struct rch_freed){0, 12, 2048};
    const char *text = why_text(wire(&story), (struct rch_render_options){0});
    assert_has(text,
               "  frees   none of the 137 TCPTransport, 12 objects in all, 2.0 KiB (exact)\n");
    assert_has(text, "  frees   nothing by itself");
}

static void the_cut_says_how_much_of_a_container_it_takes(void **state)
{
    (void)state;
    char out[RCH_CLEAN_BYTES];
    struct rch_hop hops[5];
    memcpy(hops, story_hops, sizeof(hops));
    struct rch_holder holder = {.root_kind = RCH_ROOT_FRAME,
                                .root_name = "main",
                                .hops = hops,
                                .num_hops = 5,
                                .cut = 2,
                                .cut_is_group = true,
                                .num_cut_refs = 7};
    hops[2].num_elements = 8;
    assert_int_equal(rch_cut_extent(&holder), RCH_CUT_SOME);
    hops[2].num_elements = 7;
    assert_int_equal(rch_cut_extent(&holder), RCH_CUT_ALL);
    rch_cut_text(out, &holder, 90, 0);
    assert_string_equal(out, "frame main()._afterfork_registry.data.clear()");
    hops[0].kind = RCH_EDGE_LOCAL;
    rch_cut_text(out, &holder, 90, 0);
    assert_string_equal(out, "local _afterfork_registry.data.clear() in main()");
    hops[1].num_objects = 2;
    assert_int_equal(rch_cut_extent(&holder), RCH_CUT_IN_MANY);
    holder.cut = 0;
    assert_int_equal(rch_cut_extent(&holder), RCH_CUT_ONE);
    rch_cut_text(out, &holder, 90, 0);
    assert_string_equal(out, "local _afterfork_registry in main()");
}

static void no_objects_is_an_answer(void **state)
{
    (void)state;
    struct rch_answer answer = {.question = "a.B"};
    const char *text = why_text(&answer, (struct rch_render_options){0});
    assert_has(text, "No such objects: none is alive.");
    assert_has_not(text, "Held otherwise");
    assert_has(why_json(&answer, (struct rch_render_options){0}), "\"holders\": []");
}

static void what_is_not_held_is_said_in_sentences(void **state)
{
    (void)state;
    const char *names[] = {"local x of ask()"};
    struct rch_answer answer = {.question = "a.B",
                                .objects = 5,
                                .garbage = 1,
                                .c_held = 2,
                                .observer = 3,
                                .uncuttable = 1,
                                .unexplained = 2,
                                .observer_names = names,
                                .num_observer_names = 1,
                                .warnings = names,
                                .num_warnings = 1,
                                .is_partial = true};
    const char *text = why_text(&answer, (struct rch_render_options){0});
    assert_fits(text, 100);
    assert_has(text, "There is no holder to cut.");
    assert_has(text, "1 is garbage not yet collected");
    assert_has(text, "2 are held from C: their reference counts are higher");
    assert_has(text, "3 are held only by whoever asks");
    assert_has(text, "local x of ask()");
    assert_has(text, "1 is reached by a path on which nothing can be cut.");
    assert_has(text, "2 are unexplained");
    assert_has(text, "PARTIAL:");
    assert_has(text, "warning: local x of ask()\n");
}

static void a_diffuse_answer_says_so(void **state)
{
    (void)state;
    struct story story = story_of();
    story.answer.is_diffuse = true;
    const char *text = why_text(wire(&story), (struct rch_render_options){.limit = 1});
    assert_has(text, "Held from many places: no small number of cuts frees them all.");
    assert_has(text, "GROUP 1 of 2");
    assert_has_not(text, "GROUP 2 of 2");
    assert_has_not(text, "ALL CUT");
    assert_has(text, "1 more not shown (--limit 2)");
}

static void where_nothing_can_be_cut_the_path_is_shown_without_a_cut(void **state)
{
    (void)state;
    struct story story = story_of();
    story.answer.num_holders = 1;
    story.answer.num_more_holders = 3;
    story.answer.uncuttable = 137;
    story.answer.all_cut = story.holders[0].frees = (struct rch_freed){0};
    story.holders[0].is_cuttable = false;
    story.holders[0].cut = UINT32_MAX;
    const char *text = why_text(wire(&story), (struct rch_render_options){0});
    assert_has(text, "Held, but nothing on the way can be cut. This is where they hang:");
    assert_has(text, "GROUP 1 of 1   holds 137 of 137 ");
    assert_has(text, "3 more not shown\n");
    assert_has_not(text, "~~~");
    assert_has_not(text, "  frees");
    assert_has_not(text, "ALL CUT");
    assert_has(why_json(&story.answer, (struct rch_render_options){0}), "\"cut\": null");
    story.holders[0].num_hops = 0;  // the object is the root itself
    story.holders[0].hops = NULL;
    assert_has(why_text(&story.answer, (struct rch_render_options){0}),
               "module multiprocessing.util");
}

static void guessed_references_are_marked(void **state)
{
    (void)state;
    struct story story = story_of();
    struct rch_hop hops[5];
    memcpy(hops, story_hops, sizeof(hops));
    hops[1].is_guessed = true;
    story.holders[0].hops = hops;
    const char *text = why_text(wire(&story), (struct rch_render_options){0});
    assert_has(text, "attribute?");
    assert_has(text, "?  a reference found by guessing");
    assert_has(why_json(&story.answer, (struct rch_render_options){0}), "\"guessed\": true");
}

static void json_holds_the_keys_of_the_schema(void **state)
{
    (void)state;
    struct story story = story_of();
    const char *json =
        why_json(wire(&story), (struct rch_render_options){.source = "snapshot app.rch"});
    assert_has(json, "{\n  \"schema\": \"refchain.why/1\",\n"
                     "  \"question\": {\"type\": \"minimq.transport.TCPTransport\"},\n");
    assert_has(json, "\"root\": {\"kind\": \"module\", \"name\": \"multiprocessing.util\", "
                     "\"detail\": null}");
    assert_has(json,
               "{\"edge\": \"attribute\", \"name\": \"_afterfork_registry\", \"index\": null, "
               "\"type\": \"weakref.WeakValueDictionary\", \"objects\": 1, \"example\": null}");
    assert_has(json, "\"cut\": 2,");
    assert_has(json, "\"frees_if_cut\": {\"question\": 37, \"objects\": 1780, \"bytes\": 618189}");
    assert_has(json, "\"all_cut\": {\"question\": 137, \"objects\": 4210, \"bytes\": 1262485}");
    assert_has(json, "\"garbage\": 0,");
}

static void questions_in_several_readings_are_listed(void **state)
{
    (void)state;
    struct rch_asked asked[2] = {{.question = {"a.Big", NULL, 12345}},
                                 {.question = {"b.Big", NULL, 1}}};
    struct rch_ask_list list = {.pattern = "Big", .asked = asked, .num_asked = 2};
    struct rch_render_options options = {0};
    rch_render_ambiguous_text(&list, &options, &page.sink);
    assert_string_equal(page.bytes, "Big names 2 types; one answer for each follows.\n"
                                    "      12,345  a.Big\n           1  b.Big\n");
    struct rch_answer answer = {.question = "a.Big"};
    const struct rch_answer *answers[] = {&answer, &answer};
    page.num_bytes = 0;
    rch_render_ambiguous_json(&a_graph, &list, answers, &options, &page.sink);
    assert_has(page.bytes, "\"ambiguous\": [\n    {\"type\": \"a.Big\", \"objects\": 12345},");
}

static void a_sink_that_fails_ends_the_page_quietly(void **state)
{
    (void)state;
    struct story story = story_of();
    wire(&story);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_text text;
        rch_text_init(&text, alloc);
        struct rch_render_options options = {0};
        rch_render_why_text(&a_graph, &story.answer, &options, &text.sink);
        assert_ok_or_enomem(text.sink.status);
        rch_text_deinit(&text);
    }
}

#define page_test(f) cmocka_unit_test_setup_teardown(f, page_setup, page_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        page_test(hostile_characters_come_out_as_escapes),
        page_test(long_names_lose_their_middle),
        page_test(any_bytes_at_any_width_stay_within_bounds),
        page_test(put_escaped_keeps_to_its_bytes),
        page_test(json_strings_are_valid_whatever_the_bytes),
        page_test(numbers_are_grouped_and_rounded),
        page_test(hops_read_like_python),
        page_test(the_two_holders_of_the_story_are_told),
        page_test(figures_of_the_interpreter_stand_only_on_their_lines),
        page_test(colours_and_plain_text_say_the_same),
        page_test(ascii_pages_have_only_ascii),
        page_test(hostile_names_break_no_page),
        page_test(a_cut_that_frees_nothing_is_reported_as_such),
        page_test(the_cut_says_how_much_of_a_container_it_takes),
        page_test(no_objects_is_an_answer),
        page_test(what_is_not_held_is_said_in_sentences),
        page_test(a_diffuse_answer_says_so),
        page_test(where_nothing_can_be_cut_the_path_is_shown_without_a_cut),
        page_test(guessed_references_are_marked),
        page_test(json_holds_the_keys_of_the_schema),
        page_test(questions_in_several_readings_are_listed),
        page_test(a_sink_that_fails_ends_the_page_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
