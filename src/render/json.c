// SPDX-License-Identifier: MIT
// render/json.c -- see json.h. No allocation, no recursion.
#include "render/json.h"

#include <inttypes.h>

#include "render/render.h"

static void new_line(struct rch_json *json)
{
    rch_put(json->sink, "\n");
    for (unsigned i = 0; i < json->depth; i++)
        rch_put(json->sink, "  ");
}

static void begin(struct rch_json *json, const char *key)
{
    if (json->needs_comma)
        rch_put(json->sink, json->flat_depth ? ", " : ",");
    if (json->depth && !json->flat_depth)
        new_line(json);
    if (key)
        rch_putf(json->sink, "\"%s\": ", key);
    json->needs_comma = true;
}

void rch_json_open(struct rch_json *json, const char *key, char bracket, bool is_flat)
{
    begin(json, key);
    rch_put_bytes(json->sink, &bracket, 1);
    json->depth++;
    if (is_flat && !json->flat_depth)
        json->flat_depth = json->depth;
    json->needs_comma = false;
}

void rch_json_close(struct rch_json *json, char bracket)
{
    bool was_flat = json->flat_depth != 0;
    if (json->flat_depth == json->depth)
        json->flat_depth = 0;
    json->depth--;
    if (json->needs_comma && !was_flat)
        new_line(json);
    rch_put_bytes(json->sink, &bracket, 1);
    json->needs_comma = true;
    if (json->depth == 0)
        rch_put(json->sink, "\n");
}

void rch_json_string(struct rch_json *json, const char *key, const char *text)
{
    if (!text) {
        rch_json_null(json, key);
        return;
    }
    begin(json, key);
    rch_put_json_string(json->sink, text);
}

void rch_json_count(struct rch_json *json, const char *key, uint64_t count)
{
    begin(json, key);
    rch_putf(json->sink, "%" PRIu64, count);
}

void rch_json_signed(struct rch_json *json, const char *key, int64_t number)
{
    begin(json, key);
    rch_putf(json->sink, "%" PRId64, number);
}

void rch_json_bool(struct rch_json *json, const char *key, bool value)
{
    begin(json, key);
    rch_put(json->sink, value ? "true" : "false");
}

void rch_json_null(struct rch_json *json, const char *key)
{
    begin(json, key);
    rch_put(json->sink, "null");
}

void rch_json_addr(struct rch_json *json, const char *key, rch_addr addr)
{
    if (addr == 0) {
        rch_json_null(json, key);
        return;
    }
    begin(json, key);
    rch_putf(json->sink, "\"0x%" PRIx64 "\"", addr);
}

void rch_json_strings(struct rch_json *json, const char *key, const char *const *texts,
                      uint32_t num)
{
    rch_json_open(json, key, '[', false);
    for (uint32_t i = 0; i < num; i++)
        rch_json_string(json, NULL, texts[i]);
    rch_json_close(json, ']');
}

void rch_json_warnings(struct rch_json *json, const struct rch_graph *g)
{
    rch_json_open(json, "warnings", '[', false);
    for (uint32_t i = 0; i < g->num_warnings; i++)
        rch_json_string(json, NULL, rch_str_get(g, g->warnings[i]));
    rch_json_close(json, ']');
}
