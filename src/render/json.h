// SPDX-License-Identifier: MIT
// render/json.h -- a JSON writer: commas and indentation. Objects and arrays opened as `flat` stay
// on one line. Keys are our own words; values of strings are hostile and escaped.
#ifndef RCH_RENDER_JSON_H
#define RCH_RENDER_JSON_H
#include <stdbool.h>

#include "base/sink.h"
#include "model/graph.h"

struct rch_json {
    struct rch_sink *sink;
    unsigned depth;
    unsigned flat_depth;  // depth at which one line began; 0: none
    bool needs_comma;
};

/// Begin '{' or '['; `key` is NULL inside arrays and at the top.
void rch_json_open(struct rch_json *json, const char *key, char bracket, bool is_flat);
void rch_json_close(struct rch_json *json, char bracket);
void rch_json_string(struct rch_json *json, const char *key, const char *text);  // NULL: null
void rch_json_count(struct rch_json *json, const char *key, uint64_t count);
void rch_json_signed(struct rch_json *json, const char *key, int64_t number);
void rch_json_bool(struct rch_json *json, const char *key, bool value);
void rch_json_null(struct rch_json *json, const char *key);
/// "0x7f..." in quotes: JSON numbers lose bits above 2^53 in some readers. 0: null.
void rch_json_addr(struct rch_json *json, const char *key, rch_addr addr);
void rch_json_strings(struct rch_json *json, const char *key, const char *const *texts,
                      uint32_t num);
void rch_json_warnings(struct rch_json *json, const struct rch_graph *g);  // of the whole graph

#endif
