// SPDX-License-Identifier: MIT
// render/series_json.c -- what grew over a series of heaps as JSON, schema refchain.diff/1 (docs/json.md).
#include "render/report.h"
#include "render/why_parts.h"

static void put_counts(struct rch_json *json, const char *key, const uint64_t *counts, uint32_t num)
{
    rch_json_open(json, key, '[', true);
    for (uint32_t i = 0; i < num; i++)
        rch_json_count(json, NULL, counts[i]);
    rch_json_close(json, ']');
}

static void put_moment(struct rch_json *json, const struct rch_moment *moment, bool has_identity)
{
    rch_json_open(json, NULL, '{', true);
    rch_json_string(json, "source", *moment->source ? moment->source : NULL);
    rch_json_count(json, "pid", moment->pid);
    rch_json_count(json, "time_ns", moment->time_ns);
    rch_json_count(json, "objects", moment->objects);
    rch_json_count(json, "bytes", moment->bytes);
    if (has_identity) {
        rch_json_count(json, "new", moment->made);
        rch_json_count(json, "gone", moment->gone);
        rch_json_count(json, "survivors", moment->survivors);
    }
    rch_json_bool(json, "partial", moment->is_partial);
    rch_json_close(json, '}');
}

static void put_place(struct rch_json *json, const struct rch_rise *row,
                      const struct rch_findings *findings)
{
    rch_json_count(json, "below", row->below);
    rch_json_count(json, "below_bytes", row->below_bytes);
    rch_json_open(json, "with", '[', false);
    for (uint32_t i = 0; i < row->num_with; i++) {
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", row->with[i].type);
        rch_json_count(json, "objects", row->with[i].objects);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_string(json, "resource", row->resource);
    rch_json_count(json, "resource_objects", row->resource_objects);
    rch_json_string(json, "fingerprint", row->holder.fingerprint);
    rch_json_known(json, findings, row->holder.fingerprint);
    rch_json_root(json, &row->holder);
    rch_json_path(json, NULL, row->holder.hops, row->holder.num_hops);
    rch_json_open(json, "addresses", '[', true);
    for (uint32_t i = 0; i < row->holder.num_hops; i++)
        rch_json_addr(json, NULL, row->addresses[i]);
    rch_json_close(json, ']');
}

static void put_row(struct rch_json *json, const struct rch_rises *rises,
                    const struct rch_rise *row, const struct rch_findings *findings)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "type", row->type);
    rch_json_count(json, "grown", row->grown);
    rch_json_count(json, "grown_bytes", row->grown_bytes);
    rch_json_bool(json, "steady", row->is_steady);
    rch_json_count(json, "each", row->each);
    rch_json_bool(json, "even", row->is_even);
    put_counts(json, "objects", row->objects, rises->num_moments);
    put_counts(json, "bytes", row->bytes, rises->num_moments);
    if (row->made) {
        put_counts(json, "new", row->made, rises->num_moments);
        put_counts(json, "gone", row->gone, rises->num_moments);
        put_counts(json, "survivors", row->survivors, rises->num_moments);
    }
    if (row->holder.fingerprint)
        put_place(json, row, findings);
    rch_json_close(json, '}');
}

void rch_render_rises_json(const struct rch_rises *rises, enum rch_series_by by,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.diff/1");
    rch_json_string(&json, "by", rch_series_by_word(by));
    rch_json_open(&json, "moments", '[', false);
    for (uint32_t i = 0; i < rises->num_moments; i++)
        put_moment(&json, &rises->moments[i], rises->has_identity);
    rch_json_close(&json, ']');
    rch_json_open(&json, "rows", '[', false);
    for (uint32_t i = 0; i < rises->num_rows; i++)
        put_row(&json, rises, &rises->rows[i], options->findings);
    rch_json_close(&json, ']');
    rch_json_count(&json, "rows_omitted", rises->num_more);
    rch_json_count(&json, "objects_omitted", rises->more_objects);
    rch_json_count(&json, "known", rises->num_known);
    rch_json_open(&json, "noise", '{', true);
    rch_json_count(&json, "places", rises->num_hidden);
    rch_json_count(&json, "objects", rises->hidden_objects);
    rch_json_count(&json, "bytes", rises->hidden_bytes);
    rch_json_close(&json, '}');
    rch_json_bool(&json, "partial", rises->is_partial);
    rch_json_close(&json, '}');
}
