// SPDX-License-Identifier: MIT
// render/what_if_text.c -- what cuts would free: a paragraph a cut, then a table by type.
#include <inttypes.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/line.h"

enum { DEFAULT_ROWS = 12, OBJECTS_END = 12, BYTES_END = 26, TYPE_START = 28, WORD_END = 10 };

// The reference as an expression.
static void put_reference(struct rch_page *page, const struct rch_named_reference *named)
{
    char text[RCH_CLEAN_BYTES];
    uint32_t room = page->max_columns - page->columns;
    const struct rch_holder *place = &named->place;
    if (named->is_object) {
        rch_page_words(page, "every reference to ");
        room = page->max_columns - page->columns;
    } else if (!place->num_hops && place->root_kind == RCH_ROOT_MODULE) {
        rch_page_words(page, "module ");
        room -= 7;
    }
    if (place->num_hops && rch_cut_extent(place) == RCH_CUT_ALL)
        rch_cut_text(text, place, room, page->clean_flags);
    else
        rch_path_text(text, place, room, page->clean_flags);
    rch_page_name(page, text, 0);
}

static void put_word(struct rch_page *page, const char *word)
{
    rch_page_words(page, "  %s", word);
    rch_page_tab(page, WORD_END);
}

static void put_freed(struct rch_page *page, const struct rch_freed *freed)
{
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    if (!freed->objects) {
        rch_page_words(page, "nothing (exact)");
    } else {
        rch_page_style(page, RCH_STYLE_BOLD);
        rch_page_words(page, "%s object%s, %s", rch_count_text(objects, freed->objects),
                       freed->objects == 1 ? "" : "s", rch_bytes_text(bytes, freed->bytes));
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_words(page, " (exact)");
    }
    rch_page_end(page);
}

// What stays next to the cut, and who keeps it.
static void put_kept(struct rch_page *page, const struct rch_kept *kept)
{
    char number[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES], path[RCH_CLEAN_BYTES];
    if (!kept->type)
        return;
    put_word(page, "stays");
    rch_page_words(page, "%s", rch_count_text(number, kept->num_of_type));
    if (!kept->is_beyond && kept->targets > kept->num_of_type)
        rch_page_words(page, " of the %s objects there", rch_count_text(all, kept->targets));
    rch_page_words(page, kept->is_beyond ? " of type " : ", of type ");
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_name(page, kept->type, page->max_columns / 2);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, kept->is_beyond ? ", which these objects refer to" : "");
    rch_page_end(page);
    if (!kept->other.fingerprint)
        return;
    rch_page_tab(page, WORD_END);
    rch_page_words(page, "held by ");
    rch_path_text(path, &kept->other, page->max_columns - page->columns, page->clean_flags);
    rch_page_name(page, path, 0);
    rch_page_end(page);
}

static void put_cut(struct rch_page *page, const struct rch_what_if *answer, uint32_t number)
{
    const struct rch_what_if_cut *cut = &answer->cuts[number];
    const struct rch_named_reference *named = cut->named;
    char num[RCH_NUMBER_BYTES];
    if (answer->num_cuts > 1) {
        rch_page_style(page, RCH_STYLE_BOLD);
        rch_page_words(page, "CUT %" PRIu32 " of %" PRIu32, number + 1, answer->num_cuts);
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_end(page);
    }
    put_word(page, "cut");
    put_reference(page, named);
    rch_page_end(page);
    if (named->place.num_cut_refs > 1) {
        put_word(page, "");
        rch_page_words(page, "%s references", rch_count_text(num, named->place.num_cut_refs));
        rch_page_end(page);
    }
    put_word(page, "frees");
    put_freed(page, &cut->frees);
    put_kept(page, &cut->kept);
    if (!cut->kept.targets) {
        put_word(page, "note");
        rch_page_wrap(
            page,
            "Nothing alive hangs on it: what has it is garbage or the asker's, or it is weak.",
            WORD_END);
    } else if (named->num_fixed && named->place.num_hops && !named->is_object) {
        put_word(page, "note");
        rch_page_wrap(
            page,
            "A program cannot take this reference out by itself, as with a tuple's item: it "
            "goes with what has it.",
            WORD_END);
    }
    rch_page_end(page);
}

static void put_types(struct rch_page *page, const struct rch_what_if *answer,
                      const struct rch_render_options *options)
{
    uint32_t limit = options->all     ? answer->num_types
                     : options->limit ? options->limit
                                      : DEFAULT_ROWS;
    uint32_t num = limit < answer->num_types ? limit : answer->num_types;
    char number[RCH_NUMBER_BYTES];
    struct rch_freed rest = answer->frees;
    if (!num)
        return;
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_right(page, "objects", OBJECTS_END);
    rch_page_right(page, "size", BYTES_END);
    rch_page_tab(page, TYPE_START);
    rch_page_words(page, "type");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    for (uint32_t i = 0; i < num; i++) {
        const struct rch_freed_type *row = &answer->types[i];
        rch_page_right(page, rch_count_text(number, row->objects), OBJECTS_END);
        rch_page_right(page, rch_bytes_text(number, row->bytes), BYTES_END);
        rch_page_tab(page, TYPE_START);
        rch_page_name(page, row->type, 0);
        rch_page_end(page);
        rest.objects -= row->objects;
        rest.bytes -= row->bytes < rest.bytes ? row->bytes : rest.bytes;
    }
    if (num == answer->num_types)
        return;
    rch_page_right(page, rch_count_text(number, rest.objects), OBJECTS_END);
    rch_page_right(page, rch_bytes_text(number, rest.bytes), BYTES_END);
    rch_page_tab(page, TYPE_START);
    rch_page_words(page, "of %" PRIu32 " more type%s (--all)", answer->num_types - num,
                   answer->num_types - num == 1 ? "" : "s");
    rch_page_end(page);
}

void rch_render_what_if_text(const struct rch_graph *g, const struct rch_what_if *answer,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    char objects[RCH_NUMBER_BYTES];
    rch_page_style(&page, RCH_STYLE_BOLD);
    rch_page_words(&page, "refchain what-if");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    if (options->source) {
        rch_page_words(&page, "  ");
        rch_page_name(&page, options->source, page.max_columns / 2);
        rch_page_words(&page, ", ");
    } else {
        rch_page_words(&page, "  ");
    }
    rch_page_words(&page, "%s objects", rch_count_text(objects, g->num_objects));
    rch_page_end(&page);
    rch_page_end(&page);
    for (uint32_t i = 0; i < answer->num_cuts; i++)
        put_cut(&page, answer, i);
    if (answer->num_cuts > 1) {
        rch_page_style(&page, RCH_STYLE_BOLD);
        rch_page_words(&page, "TOGETHER");
        rch_page_style(&page, RCH_STYLE_PLAIN);
        rch_page_end(&page);
        put_word(&page, "frees");
        put_freed(&page, &answer->frees);
        put_kept(&page, &answer->kept);
        rch_page_end(&page);
    }
    put_types(&page, answer, options);
    if (answer->is_partial) {
        rch_page_words(&page,
                       "Part of the heap could not be read: less may become free than this.");
        rch_page_end(&page);
    }
}

void rch_render_unclear_text(const struct rch_reference_list *list,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    if (!list->num_found && !list->num_near)
        return;
    rch_page_words(&page, list->num_found ? "Say which one:" : "Did you mean:");
    rch_page_end(&page);
    for (uint32_t i = 0; i < list->num_found; i++) {
        const struct rch_named_reference *named = &list->found[i];
        rch_page_words(&page, "  ");
        put_reference(&page, named);
        if (named->place.root_detail && *named->place.root_detail) {
            rch_page_words(&page, " (");
            rch_page_name(&page, named->place.root_detail, 0);
            rch_page_words(&page, ")");
        }
        rch_page_end(&page);
    }
    for (uint32_t i = 0; i < list->num_near; i++) {
        rch_page_words(&page, "  ");
        rch_page_name(&page, list->near[i], 0);
        rch_page_end(&page);
    }
}
