// SPDX-License-Identifier: MIT
// render/markup.c -- see markup.h.
#include "render/markup.h"

#include <string.h>

#include "render/render.h"

static const char *entity_of(char byte)
{
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static void put_markup_bytes(struct rch_sink *sink, const char *text, size_t num)
{
    size_t begin = 0;
    for (size_t i = 0; i < num; i++) {
        const char *entity = entity_of(text[i]);
        if (!entity)
            continue;
        rch_put_bytes(sink, text + begin, i - begin);
        rch_put(sink, entity);
        begin = i + 1;
    }
    rch_put_bytes(sink, text + begin, num - begin);
}

void rch_put_markup(struct rch_sink *sink, const char *text)
{
    put_markup_bytes(sink, text, strlen(text));
}

static enum rch_status write_markup(void *ctx, const char *bytes, size_t num_bytes,
                                    struct rch_error *err)
{
    struct rch_sink *sink = ctx;
    put_markup_bytes(sink, bytes, num_bytes);
    if (sink->status != RCH_OK && err)
        *err = sink->err;
    return sink->status;
}

void rch_put_markup_name(struct rch_sink *sink, const char *text, size_t max_bytes,
                         bool keeps_lines)
{
    struct rch_sink markup = {.write = write_markup, .ctx = sink};
    if (!keeps_lines) {
        rch_put_escaped(&markup, text, max_bytes);
        return;
    }
    char line[1024];
    size_t room = max_bytes ? max_bytes : SIZE_MAX;
    for (const char *at = text; *at && room;) {
        size_t num = strcspn(at, "\n"), num_part = num < sizeof(line) ? num : sizeof(line) - 1;
        while (num_part < num && num_part > 1 && (at[num_part] & 0xC0) == 0x80)
            num_part--;  // not within a character
        memcpy(line, at, num_part);
        line[num_part] = '\0';
        rch_put_escaped(&markup, line, room == SIZE_MAX ? 0 : room);
        room -= num_part < room ? num_part : room;
        at += num_part;
        if (*at == '\n' && num_part == num) {
            rch_put(sink, "\n");
            at++;
        }
    }
}
