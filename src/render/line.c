// SPDX-License-Identifier: MIT
// render/line.c -- keeps the promise of line.h: whatever is asked for, a line ends at max_columns.
#include "render/line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct rch_page rch_page_of(const struct rch_render_options *options, struct rch_sink *sink)
{
    uint32_t columns = options->columns ? options->columns : RCH_PAGE_COLUMNS;
    if (columns < 60)
        columns = 60;
    if (columns > RCH_PAGE_COLUMNS)
        columns = RCH_PAGE_COLUMNS;
    return (struct rch_page){.sink = sink,
                             .max_columns = columns,
                             .clean_flags = options->ascii ? RCH_CLEAN_ASCII : 0,
                             .color = options->color};
}

void rch_page_style(struct rch_page *page, enum rch_style style)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[1;31m", "\033[32m"};
    if (page->color)
        rch_put(page->sink, codes[style]);
}

static uint32_t room(const struct rch_page *page)
{
    return page->max_columns - page->columns;
}

/// Put clean text; the spaces of a tab come out only now, so that no line ends in them.
static void put_text(struct rch_page *page, const char *clean, uint32_t columns)
{
    if (!*clean)
        return;
    for (; page->num_pending; page->num_pending--)
        rch_put_bytes(page->sink, " ", 1);
    rch_put(page->sink, clean);
    page->columns += columns;
}

void rch_page_name(struct rch_page *page, const char *name, uint32_t max_columns)
{
    char clean[RCH_CLEAN_BYTES];
    if (max_columns == 0 || max_columns > room(page))
        max_columns = room(page);
    uint32_t columns = rch_clean(clean, name, max_columns, page->clean_flags);
    put_text(page, clean, columns);
}

void rch_page_words(struct rch_page *page, const char *fmt, ...)
{
    char words[RCH_PAGE_COLUMNS * 4];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    rch_page_name(page, words, 0);
}

void rch_page_box(struct rch_page *page, const char *box, const char *ascii, uint32_t columns)
{
    if (columns > room(page))
        return;
    put_text(page, page->clean_flags & RCH_CLEAN_ASCII ? ascii : box, columns);
}

void rch_page_tab(struct rch_page *page, uint32_t column)
{
    if (page->columns > 0 && column <= page->columns)
        column = page->columns + 1;
    if (column > page->max_columns)
        return;
    if (page->columns < column)
        page->num_pending += column - page->columns;
    page->columns = column > page->columns ? column : page->columns;
}

void rch_page_right(struct rch_page *page, const char *words, uint32_t end)
{
    uint32_t columns = (uint32_t)strlen(words);
    rch_page_tab(page, columns < end ? end - columns : page->columns);
    rch_page_words(page, "%s", words);
}

void rch_page_end(struct rch_page *page)
{
    bool is_blank = page->columns == 0;
    if (!is_blank || !page->was_blank)
        rch_put_bytes(page->sink, "\n", 1);
    page->was_blank = is_blank;
    page->columns = page->num_pending = 0;
}

/// One word at the cursor, on the next line if it does not fit and one would be longer.
static void wrap_word(struct rch_page *page, const char *word, size_t num_bytes, uint32_t indent)
{
    char clean[RCH_CLEAN_BYTES], raw[1024];
    if (num_bytes >= sizeof(raw))
        num_bytes = sizeof(raw) - 1;
    memcpy(raw, word, num_bytes);
    raw[num_bytes] = '\0';
    uint32_t width = page->max_columns - indent;
    uint32_t columns = rch_clean(clean, raw, width, page->clean_flags);
    if (page->columns > indent && columns + 1 > room(page))
        rch_page_end(page);
    if (page->columns > indent)
        rch_page_tab(page, page->columns + 1);
    else if (page->columns < indent)
        rch_page_tab(page, indent);
    put_text(page, clean, columns);
}

void rch_page_wrap(struct rch_page *page, const char *text, uint32_t indent)
{
    while (*text) {
        size_t num_bytes = strcspn(text, " ");
        if (num_bytes)
            wrap_word(page, text, num_bytes, indent);
        text += num_bytes + (text[num_bytes] != '\0');
    }
    rch_page_end(page);
}

const char *rch_count_text(char buf[RCH_NUMBER_BYTES], uint64_t count)
{
    char digits[24];
    size_t num = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count), at = 0;
    for (size_t i = 0; i < num; i++) {
        if (i > 0 && (num - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = '\0';
    return buf;
}

const char *rch_bytes_text(char buf[RCH_NUMBER_BYTES], uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    uint64_t whole = bytes, tenths = 0;
    while (whole >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        unit++;
        uint64_t one = UINT64_C(1) << (10 * unit);
        whole = bytes / one;
        // half up; (bytes % one) < 2^60, so that * 10 fits
        tenths = ((bytes % one) * 10 + one / 2) / one;
        if (tenths == 10) {
            whole++;
            tenths = 0;
        }
    }
    if (unit == 0)
        snprintf(buf, RCH_NUMBER_BYTES, "%" PRIu64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
    else
        snprintf(buf, RCH_NUMBER_BYTES, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, units[unit]);
    return buf;
}
