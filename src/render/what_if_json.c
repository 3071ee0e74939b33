// SPDX-License-Identifier: MIT
// render/what_if_json.c -- what cuts would free as JSON, schema refchain.what-if/1 (docs/json.md).
#include "render/why_parts.h"

static void put_freed(struct rch_json *json, const struct rch_freed *freed)
{
    rch_json_open(json, "frees", '{', true);
    rch_json_count(json, "objects", freed->objects);
    rch_json_count(json, "bytes", freed->bytes);
    rch_json_close(json, '}');
}

static void put_kept(struct rch_json *json, const struct rch_graph *g, const struct rch_kept *kept)
{
    rch_json_count(json, "targets", kept->targets);
    rch_json_count(json, "targets_kept", kept->kept_targets);
    if (!kept->type) {
        rch_json_null(json, "stays");
        return;
    }
    rch_json_open(json, "stays", '{', false);
    rch_json_string(json, "type", kept->type);
    rch_json_count(json, "objects", kept->num_of_type);
    rch_json_bool(json, "beyond", kept->is_beyond);
    rch_json_string(json, "fingerprint", kept->other.fingerprint);
    if (kept->other.fingerprint) {
        rch_json_root(json, &kept->other);
        rch_json_path(json, g, kept->other.hops, kept->other.num_hops);
    }
    rch_json_close(json, '}');
}

static void put_cut(struct rch_json *json, const struct rch_graph *g,
                    const struct rch_what_if_cut *cut)
{
    const struct rch_named_reference *named = cut->named;
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "cut", cut->text);
    rch_json_root(json, &named->place);
    rch_json_path(json, g, named->place.hops, named->place.num_hops);
    rch_json_bool(json, "is_object", named->is_object);
    rch_json_count(json, "references", named->place.num_cut_refs);
    rch_json_bool(json, "cuttable", named->is_object || !named->num_fixed);
    put_freed(json, &cut->frees);
    put_kept(json, g, &cut->kept);
    rch_json_close(json, '}');
}

void rch_render_what_if_json(const struct rch_graph *g, const struct rch_what_if *answer,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    uint32_t limit = options->limit ? options->limit : answer->num_types;
    uint32_t num = limit < answer->num_types ? limit : answer->num_types;
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.what-if/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_bool(&json, "partial", answer->is_partial);
    rch_json_open(&json, "cuts", '[', false);
    for (uint32_t i = 0; i < answer->num_cuts; i++)
        put_cut(&json, g, &answer->cuts[i]);
    rch_json_close(&json, ']');
    put_freed(&json, &answer->frees);
    put_kept(&json, g, &answer->kept);
    rch_json_open(&json, "types", '[', false);
    for (uint32_t i = 0; i < num; i++) {
        rch_json_open(&json, NULL, '{', true);
        rch_json_string(&json, "type", answer->types[i].type);
        rch_json_count(&json, "objects", answer->types[i].objects);
        rch_json_count(&json, "bytes", answer->types[i].bytes);
        rch_json_close(&json, '}');
    }
    rch_json_close(&json, ']');
    rch_json_count(&json, "types_omitted", answer->num_types - num);
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
