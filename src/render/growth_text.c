// SPDX-License-Identifier: MIT
// render/growth_text.c -- growth as a table: "+80,000 dict <- hass.data.cache[*]".
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/report.h"

enum {
    DEFAULT_ROWS = 20,
    OBJECTS_END = 12,
    SIZE_END = 25,
    ALL_END = 38,
    PLACE_START = 40,
    // by type
    BEFORE_END = 24,
    NOW_END = 36,
    MADE_END = 48,
    GONE_END = 60,
    TYPE_START = 62
};

static void put_count(struct rch_page *page, const char *sign, uint64_t count, uint32_t end)
{
    char number[RCH_NUMBER_BYTES], text[RCH_NUMBER_BYTES + 2];
    snprintf(text, sizeof(text), "%s%s", sign, rch_count_text(number, count));
    rch_page_right(page, text, end);
}

static void put_head(struct rch_page *page, const struct rch_growth *growth, const char *source)
{
    char made[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES], gone[RCH_NUMBER_BYTES];
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain growth");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "  %s new objects, %s; %s gone", rch_count_text(made, growth->made),
                   rch_bytes_text(bytes, growth->made_bytes), rch_count_text(gone, growth->gone));
    if (source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, source, 0);
    }
    rch_page_end(page);
    rch_page_end(page);
}

static uint32_t rows_shown(uint32_t num_rows, const struct rch_render_options *options)
{
    uint32_t limit = options->all ? num_rows : options->limit ? options->limit : DEFAULT_ROWS;
    return limit < num_rows ? limit : num_rows;
}

static void put_arrow(struct rch_page *page)
{
    rch_page_words(page, " ");
    rch_page_box(page, "\u2190", "<-", page->clean_flags & RCH_CLEAN_ASCII ? 2 : 1);
    rch_page_words(page, " ");
}

static void put_place(struct rch_page *page, const struct rch_growth_place *place)
{
    char number[RCH_NUMBER_BYTES], path[RCH_CLEAN_BYTES];
    uint64_t all = place->bytes + place->below_bytes;
    put_count(page, "+", place->objects, OBJECTS_END);
    rch_page_right(page, rch_bytes_text(number, place->bytes), SIZE_END);
    rch_page_right(page, rch_bytes_text(number, all < place->bytes ? UINT64_MAX : all), ALL_END);
    rch_page_tab(page, PLACE_START);
    uint32_t columns =
        rch_path_text(path, &place->holder, page->max_columns - PLACE_START - 3, page->clean_flags);
    uint64_t type = rch_clean_columns(place->type, page->clean_flags);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_name(page, place->type, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (PLACE_START + type + 4 + columns > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, PLACE_START);
    }
    put_arrow(page);
    rch_page_name(page, path, 0);
    rch_page_end(page);
}

static void put_note(struct rch_page *page, uint64_t num, const char *words)
{
    char number[RCH_NUMBER_BYTES];
    if (!num)
        return;
    rch_page_words(page, "%s new object%s%s", rch_count_text(number, num), num == 1 ? "" : "s",
                   words);
    rch_page_end(page);
}

static void put_places(struct rch_page *page, const struct rch_growth *growth,
                       const struct rch_render_options *options)
{
    uint32_t num = rows_shown(growth->num_places, options);
    uint64_t more = growth->more_objects;
    for (uint32_t i = num; i < growth->num_places; i++)
        more += growth->places[i].objects + growth->places[i].below;
    if (num) {
        rch_page_style(page, RCH_STYLE_DIM);
        rch_page_right(page, "objects", OBJECTS_END);
        rch_page_right(page, "size", SIZE_END);
        rch_page_right(page, "with below", ALL_END);
        rch_page_tab(page, PLACE_START);
        rch_page_words(page, "type, and where they hang");
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_end(page);
    }
    for (uint32_t i = 0; i < num; i++) {
        put_place(page, &growth->places[i]);
        rch_page_known(page, options->findings, growth->places[i].holder.fingerprint, PLACE_START,
                       PLACE_START);
    }
    rch_page_end(page);
    if (!num)
        rch_page_words(page, "Nothing came.");
    rch_page_end(page);
    rch_page_judged(page, options->findings);
    put_note(page, more, " at places that are not listed");
    put_note(page, growth->garbage, " held by garbage only, until the next collection");
    put_note(page, growth->unexplained, " held by nothing that was found");
}

static void put_type(struct rch_page *page, const struct rch_growth_type *row)
{
    bool has_grown = row->now >= row->before;
    put_count(page, has_grown ? "+" : "-",
              has_grown ? row->now - row->before : row->before - row->now, OBJECTS_END);
    put_count(page, "", row->before, BEFORE_END);
    put_count(page, "", row->now, NOW_END);
    put_count(page, "", row->made, MADE_END);
    put_count(page, "", row->gone, GONE_END);
    rch_page_tab(page, TYPE_START);
    rch_page_name(page, row->type, 0);
    rch_page_end(page);
}

static void put_types(struct rch_page *page, const struct rch_growth *growth,
                      const struct rch_render_options *options)
{
    uint32_t num_grown = 0;
    while (num_grown < growth->num_types &&
           growth->types[num_grown].now > growth->types[num_grown].before)
        num_grown++;
    uint32_t num = rows_shown(options->all ? growth->num_types : num_grown, options);
    if (num) {
        rch_page_style(page, RCH_STYLE_DIM);
        rch_page_right(page, "grown", OBJECTS_END);
        rch_page_right(page, "before", BEFORE_END);
        rch_page_right(page, "now", NOW_END);
        rch_page_right(page, "new", MADE_END);
        rch_page_right(page, "gone", GONE_END);
        rch_page_tab(page, TYPE_START);
        rch_page_words(page, "type");
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_end(page);
    }
    for (uint32_t i = 0; i < num; i++)
        put_type(page, &growth->types[i]);
    rch_page_end(page);
    if (!num_grown)
        rch_page_words(page, "No type has grown.");
    else if (num < num_grown)
        rch_page_words(page, "%" PRIu32 " more type%s grew.", num_grown - num,
                       num_grown - num == 1 ? "" : "s");
    rch_page_end(page);
}

void rch_render_growth_text(const struct rch_growth *growth, enum rch_growth_by by,
                            const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    put_head(&page, growth, options->source);
    if (by == RCH_GROWTH_BY_TYPE)
        put_types(&page, growth, options);
    else
        put_places(&page, growth, options);
    if (growth->is_partial) {
        rch_page_words(&page, "Part of the heap could not be read: some of this may be wrong.");
        rch_page_end(&page);
    }
}
