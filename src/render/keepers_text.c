// SPDX-License-Identifier: MIT
// render/keepers_text.c -- who keeps the most, as tables: "1.2 MiB dict <- app.cache".
#include <inttypes.h>
#include <stdio.h>

#include "render/hop_text.h"
#include "render/line.h"

enum { DEFAULT_ROWS = 20, FIRST_END = 12, SECOND_END = 25, THIRD_END = 38, GAP = 2 };

static const char *root_kind_text(enum rch_root_kind kind)
{
    static const char *const words[RCH_NUM_ROOT_KINDS] = {
        [RCH_ROOT_MODULE] = "modules",
        [RCH_ROOT_FRAME] = "running functions",
        [RCH_ROOT_THREAD] = "threads",
        [RCH_ROOT_COROUTINE] = "coroutines",
        [RCH_ROOT_INTERPRETER] = "the interpreter",
        [RCH_ROOT_STATIC_TYPE] = "static types",
        [RCH_ROOT_C_HELD] = "held from C",
        [RCH_ROOT_GARBAGE] = "garbage, until the next collection",
    };
    return (unsigned)kind < RCH_NUM_ROOT_KINDS ? words[kind] : "other roots";
}

static void put_arrow(struct rch_page *page)
{
    rch_page_words(page, " ");
    rch_page_box(page, "\u2190", "<-", page->clean_flags & RCH_CLEAN_ASCII ? 2 : 1);
    rch_page_words(page, " ");
}

static void put_bold(struct rch_page *page, const char *name)
{
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_name(page, name, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
}

// "type <- path" from column `start` on; the path on a line of its own where both are long.
static void put_place(struct rch_page *page, const char *type, const struct rch_holder *place,
                      uint32_t start)
{
    char path[RCH_CLEAN_BYTES];
    uint32_t columns = rch_path_text(path, place, page->max_columns - start - 3, page->clean_flags);
    if (!place->num_hops && place->root_kind == RCH_ROOT_MODULE)  // the module or its namespace
        columns += 7;
    rch_page_tab(page, start);
    put_bold(page, type);
    if (page->columns + 4 + columns > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, start);
    }
    put_arrow(page);
    if (!place->num_hops && place->root_kind == RCH_ROOT_MODULE)
        rch_page_words(page, "module ");
    rch_page_name(page, path, 0);
    rch_page_end(page);
}

static void put_count(struct rch_page *page, uint64_t count, uint32_t end)
{
    char number[RCH_NUMBER_BYTES];
    rch_page_right(page, rch_count_text(number, count), end);
}

static void put_bytes(struct rch_page *page, uint64_t bytes, uint32_t end)
{
    char number[RCH_NUMBER_BYTES];
    rch_page_right(page, rch_bytes_text(number, bytes), end);
}

static void put_source(struct rch_page *page, const struct rch_render_options *options)
{
    if (options->source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, options->source, 0);
    }
    rch_page_end(page);
    rch_page_end(page);
}

static void put_partial(struct rch_page *page, bool is_partial)
{
    if (!is_partial)
        return;
    rch_page_words(page, "Part of the heap could not be read: some of this may be wrong.");
    rch_page_end(page);
}

static uint32_t rows_shown(uint32_t num_rows, const struct rch_render_options *options)
{
    uint32_t limit = options->all ? num_rows : options->limit ? options->limit : DEFAULT_ROWS;
    return limit < num_rows ? limit : num_rows;
}

// --- rows ---

static void put_module(struct rch_page *page, const struct rch_keeper *row)
{
    put_count(page, row->retained_objects, FIRST_END);
    put_bytes(page, row->retained, SECOND_END);
    rch_page_tab(page, SECOND_END + GAP);
    switch (row->kind) {
    case RCH_KEEPER_PLACE: rch_page_name(page, row->place.root_name, 0); break;
    case RCH_KEEPER_ROOTS:
        rch_page_words(page, "(%s)", root_kind_text(row->place.root_kind));
        break;
    case RCH_KEEPER_SHARED: rch_page_words(page, "(what several of these share)"); break;
    case RCH_KEEPER_ORPHANS: rch_page_words(page, "(what only the asker holds)"); break;
    }
    rch_page_end(page);
}

static void put_holder(struct rch_page *page, const struct rch_keeper *row)
{
    put_count(page, row->objects, FIRST_END);
    put_bytes(page, row->bytes, SECOND_END);
    put_bytes(page, row->retained, THIRD_END);
    put_place(page, row->type, &row->place, THIRD_END + GAP);
}

static void put_below(struct rch_page *page, const struct rch_kept_type *below)
{
    char text[RCH_CLEAN_BYTES];
    put_count(page, below->objects, FIRST_END);
    put_bytes(page, below->bytes, SECOND_END);
    rch_page_tab(page, SECOND_END + GAP + 2);
    if (below->has_hop) {
        rch_hop_text(text, &below->hop, page->max_columns / 3, page->clean_flags);
        rch_page_name(page, text, 0);
        rch_page_words(page, "  ");
    } else {
        char number[RCH_NUMBER_BYTES];
        rch_page_words(page, "%s ", rch_count_text(number, below->num));
    }
    rch_page_name(page, below->type, 0);
    rch_page_end(page);
}

static void put_object(struct rch_page *page, const struct rch_keeper *row)
{
    put_count(page, row->retained_objects, FIRST_END);
    put_bytes(page, row->retained, SECOND_END);
    put_place(page, row->type, &row->place, SECOND_END + GAP);
    rch_page_style(page, RCH_STYLE_DIM);
    for (uint32_t i = 0; i < row->num_below; i++)
        put_below(page, &row->below[i]);
    if (row->num_more_below) {
        rch_page_tab(page, SECOND_END + GAP + 2);
        rch_page_words(page, "and %" PRIu32 " more type%s", row->num_more_below,
                       row->num_more_below == 1 ? "" : "s");
        rch_page_end(page);
    }
    rch_page_style(page, RCH_STYLE_PLAIN);
}

static void put_heads(struct rch_page *page, enum rch_keepers_by by)
{
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_right(page, "objects", FIRST_END);
    rch_page_right(page, by == RCH_KEEPERS_HOLDER ? "size" : "retained", SECOND_END);
    if (by == RCH_KEEPERS_HOLDER)
        rch_page_right(page, "retained", THIRD_END);
    rch_page_tab(page, (by == RCH_KEEPERS_HOLDER ? THIRD_END : SECOND_END) + GAP);
    rch_page_words(page, "%s",
                   by == RCH_KEEPERS_MODULE   ? "module"
                   : by == RCH_KEEPERS_HOLDER ? "type, and where they are"
                                              : "object, where it is, and what is below it");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_rest(struct rch_page *page, const struct rch_keepers *keepers, uint32_t num)
{
    uint64_t objects = 0, bytes = 0;
    uint32_t more = keepers->num_rows - num;
    if (keepers->by != RCH_KEEPERS_MODULE || !more)
        return;
    for (uint32_t i = num; i < keepers->num_rows; i++) {
        objects += keepers->rows[i].retained_objects;
        bytes += keepers->rows[i].retained;
    }
    put_count(page, objects, FIRST_END);
    put_bytes(page, bytes, SECOND_END);
    rch_page_tab(page, SECOND_END + GAP);
    rch_page_words(page, "of %" PRIu32 " more (--all)", more);
    rch_page_end(page);
}

void rch_render_keepers_text(const struct rch_graph *g, const struct rch_keepers *keepers,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    static const char *const words[] = {"module", "holder", "dominator"};
    struct rch_page page = rch_page_of(options, sink);
    uint32_t num = rows_shown(keepers->num_rows, options);
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    (void)g;
    rch_page_style(&page, RCH_STYLE_BOLD);
    rch_page_words(&page, "refchain top");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_words(&page, "  by %s, of %s objects, %s", words[keepers->by],
                   rch_count_text(objects, keepers->objects),
                   rch_bytes_text(bytes, keepers->bytes));
    put_source(&page, options);
    put_heads(&page, keepers->by);
    for (uint32_t i = 0; i < num; i++) {
        if (keepers->by == RCH_KEEPERS_MODULE)
            put_module(&page, &keepers->rows[i]);
        else if (keepers->by == RCH_KEEPERS_HOLDER)
            put_holder(&page, &keepers->rows[i]);
        else
            put_object(&page, &keepers->rows[i]);
    }
    put_rest(&page, keepers, num);
    put_partial(&page, keepers->is_partial);
}

// --- the dominators of a question ---

static void put_common(struct rch_page *page, const struct rch_dominators_of *answer)
{
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    if (!answer->has_common) {
        rch_page_words(page, answer->members
                                 ? "No other single object or root is on all paths to them."
                                 : "There are none.");
        rch_page_end(page);
        return;
    }
    rch_page_words(
        page, "All paths to %s lead through this one, which keeps %s object%s, %s:",
        answer->members == 1 ? "it" : "them", rch_count_text(objects, answer->common_objects),
        answer->common_objects == 1 ? "" : "s", rch_bytes_text(bytes, answer->common_bytes));
    rch_page_end(page);
    put_place(page, answer->common_type ? answer->common_type : "root", &answer->common, 2);
}

static void put_group(struct rch_page *page, const struct rch_dominator_group *group)
{
    char text[RCH_CLEAN_BYTES], number[RCH_NUMBER_BYTES];
    put_count(page, group->members, FIRST_END);
    put_bytes(page, group->retained, SECOND_END);
    rch_page_tab(page, SECOND_END + GAP);
    switch (group->kind) {
    case RCH_KEEPER_PLACE:
        rch_page_words(page, "%s ", rch_count_text(number, group->num_dominators));
        put_place(page, group->type, &group->place, SECOND_END + GAP);
        return;
    case RCH_KEEPER_ROOTS:
        if (group->place.root_kind == RCH_ROOT_MODULE)
            rch_page_words(page, "module ");
        rch_path_text(text, &group->place, page->max_columns - page->columns, page->clean_flags);
        rch_page_name(page, text, 0);
        break;
    case RCH_KEEPER_SHARED: rch_page_words(page, "several roots"); break;
    case RCH_KEEPER_ORPHANS: rch_page_words(page, "the asker alone"); break;
    }
    rch_page_end(page);
}

void rch_render_dominators_text(const struct rch_graph *g, const struct rch_dominators_of *answer,
                                const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    uint32_t num = rows_shown(answer->num_groups, options);
    (void)g;
    rch_page_style(&page, RCH_STYLE_BOLD);
    rch_page_words(&page, "refchain top");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_words(&page, "  by dominator, of ");
    rch_page_name(&page, answer->question, page.max_columns / 2);
    rch_page_end(&page);
    rch_page_words(&page, "  %s object%s", rch_count_text(objects, answer->members),
                   answer->members == 1 ? "" : "s");
    rch_page_words(&page, ", %s", rch_bytes_text(bytes, answer->bytes));
    rch_page_words(&page, "; with what only %s %s object%s",
                   answer->members == 1 ? "it keeps" : "they keep",
                   rch_count_text(objects, answer->retained_objects),
                   answer->retained_objects == 1 ? "" : "s");
    rch_page_words(&page, ", %s", rch_bytes_text(bytes, answer->retained));
    put_source(&page, options);
    put_common(&page, answer);
    rch_page_end(&page);
    if (num) {
        rch_page_style(&page, RCH_STYLE_DIM);
        rch_page_right(&page, "objects", FIRST_END);
        rch_page_right(&page, "retained", SECOND_END);
        rch_page_tab(&page, SECOND_END + GAP);
        rch_page_words(&page, "their immediate dominators, and where one of these is");
        rch_page_style(&page, RCH_STYLE_PLAIN);
        rch_page_end(&page);
    }
    for (uint32_t i = 0; i < num; i++)
        put_group(&page, &answer->groups[i]);
    if (num < answer->num_groups) {
        rch_page_tab(&page, SECOND_END + GAP);
        rch_page_words(&page, "and %" PRIu32 " more (--all)", answer->num_groups - num);
        rch_page_end(&page);
    }
    put_partial(&page, answer->is_partial);
}
