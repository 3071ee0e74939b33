// SPDX-License-Identifier: MIT
// render/line.h -- one line of text at a time, never wider than the page: every piece is clean,
// counted in columns and cut to the room that is left. Styles cost no columns.
#ifndef RCH_RENDER_LINE_H
#define RCH_RENDER_LINE_H
#include "base/sink.h"
#include "render/clean.h"
#include "render/render.h"

#define RCH_PAGE_COLUMNS 100u

enum rch_style { RCH_STYLE_PLAIN, RCH_STYLE_BOLD, RCH_STYLE_DIM, RCH_STYLE_ALARM, RCH_STYLE_GOOD };

struct rch_page {
    struct rch_sink *sink;
    uint32_t max_columns;  // of a line
    uint32_t columns;      // used on this line
    uint32_t num_pending;  // spaces of them that are not written yet
    unsigned clean_flags;  // RCH_CLEAN_ASCII or 0
    bool was_blank;        // the line before this one
    bool color;
};

struct rch_page rch_page_of(const struct rch_render_options *options, struct rch_sink *sink);
void rch_page_style(struct rch_page *page, enum rch_style style);
/// A name from outside: cleaned, at most max_columns (0: what is left) of it, middle left out.
void rch_page_name(struct rch_page *page, const char *name, uint32_t max_columns);
/// Our own words: one column a character, printed as they are if they fit.
void rch_page_words(struct rch_page *page, const char *fmt, ...) RCH_PRINTF(2, 3);
/// Box drawing: `box` of `columns` columns, or `ascii` where only ASCII is shown.
void rch_page_box(struct rch_page *page, const char *box, const char *ascii, uint32_t columns);
/// Spaces up to this column; one at least unless the line is empty.
void rch_page_tab(struct rch_page *page, uint32_t column);
/// Our own words, so that they end before column `end`.
void rch_page_right(struct rch_page *page, const char *words, uint32_t end);
/// End the line; on an empty line this leaves a blank one, but never two in a row.
void rch_page_end(struct rch_page *page);
/// Words wrapped at the page's width; further lines start at `indent`. Cleans names within.
void rch_page_wrap(struct rch_page *page, const char *text, uint32_t indent);

#define RCH_NUMBER_BYTES 40
/// 1234567 -> "1,234,567".
const char *rch_count_text(char buf[RCH_NUMBER_BYTES], uint64_t count);
/// 6554 -> "6.4 KiB"; below 1 KiB "512 bytes". Rounded half up, one decimal, whatever the locale.
const char *rch_bytes_text(char buf[RCH_NUMBER_BYTES], uint64_t bytes);

#endif
