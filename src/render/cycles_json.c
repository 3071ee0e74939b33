// SPDX-License-Identifier: MIT
// render/cycles_json.c -- cycles as JSON, schema refchain.cycles/1 (docs/json.md).
#include "render/why_parts.h"

static void put_types(struct rch_json *json, const struct rch_cycle_group *group)
{
    rch_json_open(json, "types", '[', false);
    for (uint32_t i = 0; i < group->num_types; i++) {
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", group->types[i].type);
        rch_json_count(json, "objects", group->types[i].objects);
        rch_json_count(json, "bytes", group->types[i].bytes);
        rch_json_bool(json, "has_del", group->types[i].has_del);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_name(struct rch_json *json, const struct rch_hop *hop)
{
    rch_json_open(json, NULL, '{', true);
    rch_json_string(json, "edge", rch_edge_kind_word(hop->kind));
    rch_json_string(json, "name", hop->name);
    rch_json_string(json, "type", hop->type);
    rch_json_close(json, '}');
}

static void put_cuts(struct rch_json *json, const struct rch_cycle_group *group)
{
    rch_json_open(json, "cuts", '[', false);
    for (uint32_t i = 0; i < group->num_cuts; i++) {
        const struct rch_cycle_cut *cut = &group->cuts[i];
        rch_json_open(json, NULL, '{', false);
        rch_json_string(json, "owner", cut->owner);
        rch_json_open(json, "path", '[', true);
        if (cut->has_via)
            put_name(json, &cut->via);
        put_name(json, &cut->hop);
        rch_json_close(json, ']');
        rch_json_count(json, "references", cut->refs);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_bool(json, "cuttable", group->is_cuttable);
    rch_json_bool(json, "minimum", group->is_minimum);
}

static void put_group(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_cycle_group *group)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_bool(json, "garbage", group->is_garbage);
    rch_json_count(json, "components", group->components);
    rch_json_count(json, "objects", group->objects);
    rch_json_count(json, "bytes", group->bytes);
    rch_json_count(json, "least_objects", group->least_objects);
    rch_json_count(json, "most_objects", group->most_objects);
    rch_json_count(json, "frees_objects", group->frees);
    rch_json_count(json, "frees_bytes", group->frees_bytes);
    rch_json_string(json, "start", group->start);
    rch_json_addr(json, "example",
                  group->example < g->num_objects ? rch_addr_of(g, group->example) : 0);
    rch_json_path(json, g, group->hops, group->num_hops);
    rch_json_bool(json, "shortest", group->is_shortest);
    put_cuts(json, group);
    put_types(json, group);
    rch_json_bool(json, "has_del", group->has_del);
    rch_json_close(json, '}');
}

void rch_render_cycles_json(const struct rch_graph *g, const struct rch_cycles *cycles,
                            const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.cycles/1");
    if (cycles->question)
        rch_json_question(&json, cycles->question, options->asked);
    else
        rch_json_null(&json, "question");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_count(&json, "components", cycles->components);
    rch_json_count(&json, "objects", cycles->objects);
    rch_json_count(&json, "bytes", cycles->bytes);
    rch_json_count(&json, "garbage", cycles->garbage);
    rch_json_count(&json, "garbage_bytes", cycles->garbage_bytes);
    rch_json_bool(&json, "partial", cycles->is_partial);
    rch_json_open(&json, "groups", '[', false);
    for (uint32_t i = 0; i < cycles->num_groups; i++)
        put_group(&json, g, &cycles->groups[i]);
    rch_json_close(&json, ']');
    rch_json_count(&json, "groups_omitted", cycles->num_more_groups);
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
