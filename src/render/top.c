// SPDX-License-Identifier: MIT
// render/top.c -- the histogram by type, as a table and as JSON (schema refchain.top/1).
#include <inttypes.h>
#include <string.h>

#include "analyze/common/select.h"
#include "render/json.h"
#include "render/line.h"

enum { DEFAULT_ROWS = 20, COUNT_END = 12, BYTES_END = 26, RETAINED_END = 40, TYPE_GAP = 2 };

struct totals {
    uint64_t objects, bytes;
};

static struct totals total_of(const struct rch_type_count *rows, uint32_t num_rows)
{
    struct totals totals = {0, 0};
    for (uint32_t i = 0; i < num_rows; i++) {
        totals.objects += rows[i].count;
        if (__builtin_add_overflow(totals.bytes, rows[i].bytes, &totals.bytes))
            totals.bytes = UINT64_MAX;
    }
    return totals;
}

static void to_type(struct rch_page *page, const struct rch_render_options *options)
{
    rch_page_tab(page, (options->retained ? RETAINED_END : BYTES_END) + TYPE_GAP);
}

static void put_row(struct rch_page *page, const struct rch_graph *g,
                    const struct rch_type_count *row, const struct rch_render_options *options)
{
    char number[RCH_NUMBER_BYTES], name[1024];
    rch_page_right(page, rch_count_text(number, row->count), COUNT_END);
    rch_page_right(page, rch_bytes_text(number, row->bytes), BYTES_END);
    if (options->retained)
        rch_page_right(page, rch_bytes_text(number, row->retained), RETAINED_END);
    to_type(page, options);
    rch_type_full_name(g, row->type, name, sizeof(name));
    rch_page_name(page, name, 0);
    rch_page_end(page);
}

static uint32_t rows_shown(uint32_t num_rows, const struct rch_render_options *options,
                           uint32_t by_default)
{
    uint32_t limit = options->all ? num_rows : options->limit ? options->limit : by_default;
    return limit < num_rows ? limit : num_rows;
}

void rch_render_top_text(const struct rch_graph *g, const struct rch_type_count *rows,
                         uint32_t num_rows, const struct rch_render_options *options,
                         struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    struct totals totals = total_of(rows, num_rows);
    uint32_t num_shown = rows_shown(num_rows, options, DEFAULT_ROWS);
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES], types[RCH_NUMBER_BYTES];
    rch_page_style(&page, RCH_STYLE_BOLD);
    rch_page_words(&page, "refchain top");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_words(&page, "  %s objects of %s types, %s", rch_count_text(objects, totals.objects),
                   rch_count_text(types, num_rows), rch_bytes_text(bytes, totals.bytes));
    if (options->source) {
        rch_page_tab(&page, page.columns + 3);
        rch_page_name(&page, options->source, 0);
    }
    rch_page_end(&page);
    rch_page_end(&page);
    rch_page_style(&page, RCH_STYLE_DIM);
    rch_page_right(&page, "objects", COUNT_END);
    rch_page_right(&page, "size", BYTES_END);
    if (options->retained)
        rch_page_right(&page, "retained", RETAINED_END);
    to_type(&page, options);
    rch_page_words(&page, "type");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_end(&page);
    for (uint32_t i = 0; i < num_shown; i++)
        put_row(&page, g, &rows[i], options);
    if (num_shown == num_rows)
        return;
    struct totals rest = total_of(rows + num_shown, num_rows - num_shown);
    rch_page_right(&page, rch_count_text(objects, rest.objects), COUNT_END);
    rch_page_right(&page, rch_bytes_text(bytes, rest.bytes), BYTES_END);
    to_type(&page, options);
    rch_page_words(&page, "of %s more types (--all)", rch_count_text(types, num_rows - num_shown));
    rch_page_end(&page);
}

void rch_render_top_json(const struct rch_graph *g, const struct rch_type_count *rows,
                         uint32_t num_rows, const struct rch_render_options *options,
                         struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    struct totals totals = total_of(rows, num_rows);
    uint32_t num_shown = rows_shown(num_rows, options, num_rows);
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.top/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_count(&json, "objects", totals.objects);
    rch_json_count(&json, "bytes", totals.bytes);
    rch_json_count(&json, "types", num_rows);
    rch_json_bool(&json, "partial", g->info.is_partial != 0);
    rch_json_open(&json, "rows", '[', false);
    for (uint32_t i = 0; i < num_shown; i++) {
        char name[4096];
        rch_type_full_name(g, rows[i].type, name, sizeof(name));
        rch_json_open(&json, NULL, '{', true);
        rch_json_string(&json, "type", name);
        rch_json_count(&json, "objects", rows[i].count);
        rch_json_count(&json, "bytes", rows[i].bytes);
        if (options->retained)
            rch_json_count(&json, "retained", rows[i].retained);
        rch_json_close(&json, '}');
    }
    rch_json_close(&json, ']');
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
