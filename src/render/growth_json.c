// SPDX-License-Identifier: MIT
// render/growth_json.c -- growth as JSON, schema refchain.growth/1 (docs/json.md).
#include "render/report.h"
#include "render/why_parts.h"

static void put_types(struct rch_json *json, const struct rch_growth *growth)
{
    rch_json_open(json, "types", '[', false);
    for (uint32_t i = 0; i < growth->num_types; i++) {
        const struct rch_growth_type *row = &growth->types[i];
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", row->type);
        rch_json_count(json, "before", row->before);
        rch_json_count(json, "now", row->now);
        rch_json_count(json, "new", row->made);
        rch_json_count(json, "gone", row->gone);
        rch_json_count(json, "before_bytes", row->before_bytes);
        rch_json_count(json, "now_bytes", row->now_bytes);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_place(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_growth_place *place, const struct rch_findings *findings)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "type", place->type);
    rch_json_count(json, "objects", place->objects);
    rch_json_count(json, "bytes", place->bytes);
    rch_json_count(json, "below", place->below);
    rch_json_count(json, "below_bytes", place->below_bytes);
    rch_json_string(json, "fingerprint", place->holder.fingerprint);
    rch_json_known(json, findings, place->holder.fingerprint);
    rch_json_root(json, &place->holder);
    rch_json_path(json, g, place->holder.hops, place->holder.num_hops);
    rch_json_close(json, '}');
}

void rch_render_growth_json(const struct rch_graph *g, const struct rch_growth *growth,
                            const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.growth/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_count(&json, "before", growth->before);
    rch_json_count(&json, "now", growth->now);
    rch_json_count(&json, "new", growth->made);
    rch_json_count(&json, "gone", growth->gone);
    rch_json_count(&json, "kept", growth->kept);
    rch_json_count(&json, "surely_kept", growth->surely_kept);
    rch_json_count(&json, "reused", growth->reused);
    rch_json_count(&json, "new_bytes", growth->made_bytes);
    rch_json_count(&json, "garbage", growth->garbage);
    rch_json_count(&json, "observer", growth->observer);
    rch_json_count(&json, "unexplained", growth->unexplained);
    rch_json_bool(&json, "partial", growth->is_partial);
    put_types(&json, growth);
    rch_json_open(&json, "places", '[', false);
    for (uint32_t i = 0; i < growth->num_places; i++)
        put_place(&json, g, &growth->places[i], options->findings);
    rch_json_close(&json, ']');
    rch_json_count(&json, "places_omitted", growth->num_more_places);
    rch_json_count(&json, "objects_omitted", growth->more_objects);
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
