// SPDX-License-Identifier: MIT
// render/series_text.c -- what grew over a series of heaps, a block a place:
//
//      +37         100         137     149.2 KiB  minimq.transport.TCPTransport
//          <- multiprocessing.util._afterfork_registry.data[*]       rc1:0123456789abcdef
//             with 37 minimq.app.MQApp, 37 minimq.transport.Connection, 15 more types
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/line.h"
#include "render/report.h"
#include "render/spark.h"

enum {
    DEFAULT_ROWS = 20,
    GROWN_END = 11,
    FIRST_END = 22,
    LAST_END = 33,
    SPARK_START = 35,
    SPARK_COLUMNS = 12,
    BYTES_END = 46,  // of a row of two moments; of more: behind the bars
    BYTES_COLUMNS = 13,
    TYPE_GAP = 2,
    PATH_INDENT = 11,
    WITH_INDENT = 13,
    KNOWN_INDENT = 18,
    MAX_WITH = 6,
};

static void put_count(struct rch_page *page, const char *sign, uint64_t count, uint32_t end)
{
    char number[RCH_NUMBER_BYTES], text[RCH_NUMBER_BYTES + 2];
    snprintf(text, sizeof(text), "%s%s", sign, rch_count_text(number, count));
    rch_page_right(page, text, end);
}

static void put_dim(struct rch_page *page, const char *words)
{
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_words(page, "%s", words);
    rch_page_style(page, RCH_STYLE_PLAIN);
}

// What may be left out.
static void put_aside(struct rch_page *page, const char *words)
{
    if (page->columns + strlen(words) <= page->max_columns)
        put_dim(page, words);
}

// --- head ---

static void put_difference(struct rch_page *page, uint64_t before, uint64_t now)
{
    char number[RCH_NUMBER_BYTES];
    uint64_t change = now < before ? before - now : now - before;
    rch_page_words(page, "%s%s object%s", now < before ? "-" : "+", rch_count_text(number, change),
                   change == 1 ? "" : "s");
}

static void put_head(struct rch_page *page, const struct rch_rises *rises, const char *title,
                     const char *source)
{
    const struct rch_moment *first = &rises->moments[0], *last = first;
    uint64_t made = 0, gone = 0;
    char number[RCH_NUMBER_BYTES], other[RCH_NUMBER_BYTES];
    for (uint32_t i = 1; i < rises->num_moments; i++) {
        last = &rises->moments[i];
        made += last->made;
        gone += last->gone;
    }
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain %s", title);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "  ");
    put_difference(page, first->objects, last->objects);
    if (rises->has_identity && rises->num_moments > 1)
        rch_page_words(page, ": %s came, %s went", rch_count_text(number, made),
                       rch_count_text(other, gone));
    if (source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, source, 0);
    }
    rch_page_end(page);
    rch_page_end(page);
}

// --- rows ---

static uint32_t bytes_end(const struct rch_rises *rises)
{
    uint32_t bars = rises->num_moments < SPARK_COLUMNS ? rises->num_moments : SPARK_COLUMNS;
    return rises->num_moments > 2 ? SPARK_START + bars + BYTES_COLUMNS : BYTES_END;
}

static void put_labels(struct rch_page *page, const struct rch_rises *rises, enum rch_series_by by)
{
    uint32_t end = bytes_end(rises);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_right(page, "grown", GROWN_END);
    rch_page_right(page, "first", FIRST_END);
    rch_page_right(page, "last", LAST_END);
    if (by == RCH_SERIES_BY_IDENTITY) {
        rch_page_right(page, "new", LAST_END + 11);
        rch_page_right(page, "gone", LAST_END + 22);
        rch_page_right(page, "survivors", LAST_END + 34);
        end = LAST_END + 34;
    } else {
        rch_page_right(page, by == RCH_SERIES_BY_HOLDER ? "with below" : "size", end);
    }
    rch_page_tab(page, end + TYPE_GAP);
    rch_page_words(page, by == RCH_SERIES_BY_HOLDER ? "type, and where they hang" : "type");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_turnover(struct rch_page *page, const struct rch_rises *rises,
                         const struct rch_rise *row)
{
    uint64_t made = 0, gone = 0;
    for (uint32_t i = 1; row->made && i < rises->num_moments; i++) {
        made += row->made[i];
        gone += row->gone[i];
    }
    put_count(page, "", made, LAST_END + 11);
    put_count(page, "", gone, LAST_END + 22);
    put_count(page, "", row->survivors ? row->survivors[rises->num_moments - 1] : 0, LAST_END + 34);
    rch_page_tab(page, LAST_END + 34 + TYPE_GAP);
}

static void put_numbers(struct rch_page *page, const struct rch_rises *rises,
                        const struct rch_rise *row, enum rch_series_by by)
{
    char text[RCH_NUMBER_BYTES], bars[RCH_SPARK_BYTES];
    uint32_t num = rises->num_moments;
    uint64_t first = row->objects[0], last = row->objects[num - 1];
    put_count(page, last < first ? "-" : "+", last < first ? first - last : last - first,
              GROWN_END);
    put_count(page, "", first, FIRST_END);
    put_count(page, "", last, LAST_END);
    if (by == RCH_SERIES_BY_IDENTITY) {
        put_turnover(page, rises, row);
        return;
    }
    if (num > 2) {
        bool ascii = page->clean_flags & RCH_CLEAN_ASCII;
        uint32_t columns = rch_spark_text(bars, row->objects, num, SPARK_COLUMNS, ascii);
        rch_page_tab(page, SPARK_START);
        rch_page_box(page, bars, bars, columns);
    }
    uint64_t all = row->grown_bytes + row->below_bytes;
    rch_page_right(page, rch_bytes_text(text, all < row->grown_bytes ? UINT64_MAX : all),
                   bytes_end(rises));
    rch_page_tab(page, bytes_end(rises) + TYPE_GAP);
}

static void put_path(struct rch_page *page, const struct rch_rise *row)
{
    char path[RCH_CLEAN_BYTES];
    bool ascii = page->clean_flags & RCH_CLEAN_ASCII;
    uint32_t print = (uint32_t)strlen(row->holder.fingerprint);
    uint32_t room = page->max_columns - PATH_INDENT - 3;
    rch_page_tab(page, PATH_INDENT);
    rch_page_box(page, "\u2190", "<-", ascii ? 2 : 1);
    rch_page_words(page, " ");
    rch_path_text(path, &row->holder, room > print + 20 ? room - print - 2 : room,
                  page->clean_flags);
    rch_page_name(page, path, 0);
    if (page->columns + print + 1 > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, WITH_INDENT);
    } else {
        rch_page_tab(page, page->max_columns - print);
    }
    put_dim(page, row->holder.fingerprint);
    rch_page_end(page);
}

// The type that stands in the row's first line, if it is not the place's own: what has the sockets.
static const char *headline(const struct rch_rise *row)
{
    return row->resource && row->resource_objects == row->grown ? row->resource : row->type;
}

static void put_piece(struct rch_page *page, const char *name, uint64_t count, bool is_last)
{
    char number[RCH_NUMBER_BYTES], head[RCH_NUMBER_BYTES + 8];
    snprintf(head, sizeof(head), "%s ", rch_count_text(number, count));
    uint64_t columns = strlen(head) + rch_clean_columns(name, page->clean_flags) + 1;
    if (page->columns + columns > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, WITH_INDENT);
    } else if (page->columns > WITH_INDENT) {
        rch_page_words(page, " ");
    }
    rch_page_words(page, "%s", head);
    rch_page_name(page, name, 0);
    if (!is_last)
        rch_page_words(page, ",");
}

static void put_with(struct rch_page *page, const struct rch_rise *row)
{
    const char *shown = headline(row);
    bool is_other = shown != row->type;
    uint32_t num = 0, told = 0;
    for (uint32_t i = 0; i < row->num_with; i++)
        num += strcmp(row->with[i].type, shown) != 0;
    if (num + is_other == 0)
        return;
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_tab(page, WITH_INDENT);
    rch_page_words(page, "with");
    if (is_other)
        put_piece(page, row->type, row->grown, num == 0);
    for (uint32_t i = 0; i < row->num_with && told < MAX_WITH; i++) {
        if (strcmp(row->with[i].type, shown) != 0)
            put_piece(page, row->with[i].type, row->with[i].objects, ++told == num);
    }
    if (told < num)
        put_piece(page, num - told == 1 ? "more type" : "more types", num - told, true);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_row(struct rch_page *page, const struct rch_rises *rises,
                    const struct rch_rise *row, enum rch_series_by by,
                    const struct rch_findings *findings)
{
    put_numbers(page, rises, row, by);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_name(page, headline(row), 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    char number[RCH_NUMBER_BYTES], steady[RCH_NUMBER_BYTES + 24];
    snprintf(steady, sizeof(steady), "  %s%s each step", row->is_even ? "" : "at least ",
             rch_count_text(number, row->each));
    if (row->is_steady)
        put_aside(page, steady);
    if (row->resource && headline(row) != row->type)
        put_aside(page, "  sockets or files");
    rch_page_end(page);
    if (by != RCH_SERIES_BY_HOLDER)
        return;
    put_path(page, row);
    put_with(page, row);
    rch_page_known(page, findings, row->holder.fingerprint, PATH_INDENT, KNOWN_INDENT);
}

static void put_rest(struct rch_page *page, const struct rch_rises *rises, uint32_t num,
                     const char *thing)
{
    char number[RCH_NUMBER_BYTES];
    uint64_t more = rises->more_objects;
    for (uint32_t i = num; i < rises->num_rows; i++)
        more += rises->rows[i].grown + rises->rows[i].below;
    uint32_t num_more = rises->num_more + rises->num_rows - num;
    if (num_more) {
        rch_page_words(page, "%" PRIu32 " more %s%s grew, by %s objects.", num_more, thing,
                       num_more == 1 ? "" : "s", rch_count_text(number, more));
        rch_page_end(page);
    }
    if (rises->num_hidden) {
        rch_page_words(page, "Under the noise: %" PRIu32 " %s%s, %s object%s more.",
                       rises->num_hidden, thing, rises->num_hidden == 1 ? "" : "s",
                       rch_count_text(number, rises->hidden_objects),
                       rises->hidden_objects == 1 ? "" : "s");
        rch_page_end(page);
    }
    if (rises->is_partial) {
        rch_page_words(page, "Part of a heap could not be read: some of this may be wrong.");
        rch_page_end(page);
    }
}

void rch_render_rises_text(const struct rch_rises *rises, enum rch_series_by by, const char *title,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint32_t limit = options->all     ? rises->num_rows
                     : options->limit ? options->limit
                                      : DEFAULT_ROWS;
    uint32_t num = limit < rises->num_rows ? limit : rises->num_rows;
    if (!rises->num_moments)
        return;
    put_head(&page, rises, title, options->source);
    if (num)
        put_labels(&page, rises, by);
    for (uint32_t i = 0; i < num; i++)
        put_row(&page, rises, &rises->rows[i], by, options->findings);
    rch_page_end(&page);
    if (!num) {
        rch_page_words(&page, "Nothing grew%s.", rises->num_hidden ? " above the noise" : "");
        rch_page_end(&page);
    }
    put_rest(&page, rises, num, by == RCH_SERIES_BY_HOLDER ? "place" : "type");
    rch_page_judged(&page, options->findings);
}
