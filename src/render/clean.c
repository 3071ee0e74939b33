// SPDX-License-Identifier: MIT
// render/clean.c -- one decoder for all text output: well-formed UTF-8 as Unicode 15 table 3-7,
// widths from unicode_tables.h. At most two combining marks in a row are shown as such, so that a
// column never costs more than a few bytes and never grows into the lines above.
#include "render/clean.h"

#include <stdio.h>
#include <string.h>

#include "render/render.h"
#include "render/unicode_tables.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static bool in_ranges(const struct rch_code_range *ranges, size_t num, uint32_t code)
{
    size_t low = 0, high = num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ranges[mid].last < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < num && ranges[low].first <= code;
}

/// The code point at text[0] and its length; 0 if the bytes are not UTF-8.
static size_t decode(const unsigned char *text, size_t num_left, uint32_t *code_out)
{
    unsigned char lead = text[0];
    if (lead < 0x80) {
        *code_out = lead;
        return 1;
    }
    size_t num = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || num > num_left)
        return 0;
    uint32_t code = lead & (0x7Fu >> num);
    for (size_t i = 1; i < num; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[num] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *code_out = code;
    return num;
}

/// \xNN for a byte, \u{N} for a code point.
static void set_escape(struct rch_glyph *out, bool is_byte, uint32_t code)
{
    int num = is_byte ? snprintf(out->bytes, sizeof(out->bytes), "\\x%02x", code)
                      : snprintf(out->bytes, sizeof(out->bytes), "\\u{%x}", code);
    out->num_bytes = out->columns = (uint8_t)num;
}

static void set_text(struct rch_glyph *out, const char *bytes, size_t num_bytes, uint8_t columns)
{
    memcpy(out->bytes, bytes, num_bytes);
    out->num_bytes = (uint8_t)num_bytes;
    out->columns = columns;
}

static void set_ascii(struct rch_glyph *out, unsigned char byte, unsigned flags)
{
    char text[] = {'\\', (char)byte};
    bool is_quoted = (flags & RCH_CLEAN_QUOTED) && (byte == '"' || byte == '\\');
    if (byte >= 0x20 && byte < 0x7F)
        set_text(out, is_quoted ? text : text + 1, is_quoted ? 2 : 1, is_quoted ? 2 : 1);
    else if (byte == '\n' || byte == '\r' || byte == '\t')
        set_text(out, byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : "\\t", 2, 2);
    else
        set_escape(out, true, byte);
}

size_t rch_glyph_next(const char *text, size_t num_left, unsigned flags, struct rch_glyph *out)
{
    uint32_t code;
    size_t num = decode((const unsigned char *)text, num_left, &code);
    if (num == 0) {
        set_escape(out, true, (unsigned char)text[0]);
        return 1;
    }
    if (code < 0x80)
        set_ascii(out, (unsigned char)code, flags);
    else if ((flags & RCH_CLEAN_ASCII) || in_ranges(hidden_codes, LEN(hidden_codes), code))
        set_escape(out, false, code);
    else if (in_ranges(zero_codes, LEN(zero_codes), code))
        set_text(out, text, num, 0);
    else
        set_text(out, text, num, in_ranges(wide_codes, LEN(wide_codes), code) ? 2 : 1);
    return num;
}

// A walk over the glyphs of a text that shows a third combining mark in a row as an escape.
struct walk {
    const char *at, *end;
    unsigned flags, num_zero;
    struct rch_glyph glyph;
};

static struct walk walk_from(const char *text, unsigned flags)
{
    return (struct walk){.at = text, .end = text + strlen(text), .flags = flags};
}

static bool walk_next(struct walk *walk)
{
    if (walk->at >= walk->end)
        return false;
    const char *start = walk->at;
    size_t num_left = (size_t)(walk->end - start);
    walk->at += rch_glyph_next(start, num_left, walk->flags, &walk->glyph);
    walk->num_zero = walk->glyph.columns == 0 ? walk->num_zero + 1 : 0;
    if (walk->num_zero > 2) {
        rch_glyph_next(start, num_left, walk->flags | RCH_CLEAN_ASCII, &walk->glyph);
        walk->num_zero = 0;
    }
    return true;
}

uint64_t rch_clean_columns(const char *text, unsigned flags)
{
    uint64_t columns = 0;
    for (struct walk walk = walk_from(text, flags); walk_next(&walk);)
        columns += walk.glyph.columns;
    return columns;
}

static size_t append(char *out, size_t num, const char *bytes, size_t num_bytes)
{
    memcpy(out + num, bytes, num_bytes);
    return num + num_bytes;
}

uint32_t rch_clean(char out[RCH_CLEAN_BYTES], const char *text, uint32_t max_columns,
                   unsigned flags)
{
    if (max_columns > RCH_CLEAN_MAX_COLUMNS)
        max_columns = RCH_CLEAN_MAX_COLUMNS;
    uint64_t total = rch_clean_columns(text, flags);
    const char *dots = flags & RCH_CLEAN_ASCII ? "..." : "\u2026";
    uint32_t dot_columns = flags & RCH_CLEAN_ASCII ? 3 : 1;
    bool is_cut = total > max_columns;
    if (is_cut && max_columns < dot_columns) {
        out[0] = '\0';
        return 0;
    }
    uint32_t room = is_cut ? max_columns - dot_columns : max_columns;
    uint32_t head = is_cut ? (room + 1) / 2 : room, columns = 0;
    size_t num = 0;
    uint64_t seen = 0;
    bool in_head = true, has_dots = false;
    for (struct walk walk = walk_from(text, flags); walk_next(&walk);) {
        uint32_t width = walk.glyph.columns;
        in_head = in_head && seen + width <= head;
        seen += width;
        bool in_tail = total - (seen - width) <= room - head && (width > 0 || has_dots);
        if (!in_head && !has_dots) {
            num = append(out, num, dots, strlen(dots));
            columns += dot_columns;
            has_dots = true;
        }
        if (in_head || in_tail) {
            num = append(out, num, walk.glyph.bytes, walk.glyph.num_bytes);
            columns += width;
        }
    }
    out[num] = '\0';
    return columns;
}

void rch_put_escaped(struct rch_sink *sink, const char *text, size_t max_bytes)
{
    static const char dots[] = "\u2026";
    size_t room = max_bytes ? max_bytes : SIZE_MAX, num = 0, num_kept = 0;
    const char *keep_end = text;  // what fits together with an ellipsis after it
    struct walk measure = walk_from(text, 0);
    while (num <= room && walk_next(&measure)) {
        num += measure.glyph.num_bytes;
        if (num <= room && room - num >= sizeof(dots) - 1) {
            keep_end = measure.at;
            num_kept = num;
        }
    }
    bool is_cut = num > room;
    for (struct walk walk = walk_from(text, 0);
         (!is_cut || walk.at < keep_end) && walk_next(&walk);)
        rch_put_bytes(sink, walk.glyph.bytes, walk.glyph.num_bytes);
    if (is_cut && room - num_kept >= sizeof(dots) - 1)
        rch_put(sink, dots);
}

void rch_put_json_string(struct rch_sink *sink, const char *text)
{
    rch_put(sink, "\"");
    size_t num_left = strlen(text);
    while (num_left) {
        uint32_t code = 0;
        size_t num = decode((const unsigned char *)text, num_left, &code);
        if (num == 0)
            rch_put(sink, "\uFFFD");
        else if (code == '"' || code == '\\')
            rch_putf(sink, "\\%c", (char)code);
        else if (code == '\n')
            rch_put(sink, "\\n");
        else if (code < 0x20 ||
                 (code >= 0x7F && in_ranges(hidden_codes, LEN(hidden_codes), code) &&
                  code < 0x10000) ||
                 code == 0x7F)
            rch_putf(sink, "\\u%04x", code);
        else
            rch_put_bytes(sink, text, num);
        num = num ? num : 1;
        text += num;
        num_left -= num;
    }
    rch_put(sink, "\"");
}
