// SPDX-License-Identifier: MIT
// render/keepers_json.c -- who keeps the most as JSON, schemas refchain.keepers/1 and refchain.dominators/1
// (docs/json.md).
#include "render/why_parts.h"

static const char *kind_word(enum rch_keeper_kind kind)
{
    static const char *const words[] = {
        [RCH_KEEPER_PLACE] = "place",
        [RCH_KEEPER_ROOTS] = "roots",
        [RCH_KEEPER_SHARED] = "shared",
        [RCH_KEEPER_ORPHANS] = "asker",
    };
    return words[kind];
}

static void put_place(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_holder *place)
{
    rch_json_string(json, "fingerprint", place->fingerprint);
    if (place->root_name)
        rch_json_root(json, place);
    else
        rch_json_null(json, "root");
    rch_json_path(json, g, place->hops, place->num_hops);
}

static void put_below(struct rch_json *json, const struct rch_keeper *row)
{
    rch_json_open(json, "below", '[', false);
    for (uint32_t i = 0; i < row->num_below; i++) {
        const struct rch_kept_type *below = &row->below[i];
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", below->type);
        rch_json_count(json, "count", below->num);
        rch_json_count(json, "retained_objects", below->objects);
        rch_json_count(json, "retained", below->bytes);
        if (below->has_hop) {
            rch_json_string(json, "edge", rch_edge_kind_word(below->hop.kind));
            rch_json_string(json, "name", below->hop.name);
        }
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_count(json, "below_omitted", row->num_more_below);
}

static void put_row(struct rch_json *json, const struct rch_graph *g, enum rch_keepers_by by,
                    const struct rch_keeper *row)
{
    bool is_module = by == RCH_KEEPERS_MODULE;
    rch_json_open(json, NULL, '{', is_module);
    if (is_module && row->kind == RCH_KEEPER_PLACE) {
        rch_json_string(json, "kind", "module");
        rch_json_string(json, "module", row->place.root_name);
    } else if (is_module) {
        rch_json_string(json, "kind",
                        row->kind == RCH_KEEPER_ROOTS ? rch_root_kind_word(row->place.root_kind)
                                                      : kind_word(row->kind));
    } else {
        rch_json_string(json, "type", row->type);
    }
    if (row->node != RCH_NO_NODE)
        rch_json_addr(json, "address", rch_addr_of(g, row->node));
    if (!is_module) {
        rch_json_count(json, "objects", row->objects);
        rch_json_count(json, "bytes", row->bytes);
    }
    rch_json_count(json, "retained_objects", row->retained_objects);
    rch_json_count(json, "retained", row->retained);
    if (!is_module)
        put_place(json, g, &row->place);
    if (by == RCH_KEEPERS_DOMINATOR)
        put_below(json, row);
    rch_json_close(json, '}');
}

void rch_render_keepers_json(const struct rch_graph *g, const struct rch_keepers *keepers,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    static const char *const words[] = {"module", "holder", "dominator"};
    struct rch_json json = {.sink = sink};
    uint32_t limit = options->limit ? options->limit : keepers->num_rows;
    uint32_t num = limit < keepers->num_rows ? limit : keepers->num_rows;
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.keepers/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_string(&json, "by", words[keepers->by]);
    rch_json_count(&json, "objects", keepers->objects);
    rch_json_count(&json, "bytes", keepers->bytes);
    rch_json_bool(&json, "partial", keepers->is_partial);
    rch_json_open(&json, "rows", '[', false);
    for (uint32_t i = 0; i < num; i++)
        put_row(&json, g, keepers->by, &keepers->rows[i]);
    rch_json_close(&json, ']');
    rch_json_count(&json, "rows_omitted",
                   (uint64_t)keepers->num_more_rows + (keepers->num_rows - num));
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}

static void put_group(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_dominator_group *group)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "kind",
                    group->kind == RCH_KEEPER_PLACE   ? "object"
                    : group->kind == RCH_KEEPER_ROOTS ? "root"
                                                      : kind_word(group->kind));
    rch_json_string(json, "type", group->type);
    rch_json_count(json, "dominators", group->num_dominators);
    rch_json_count(json, "objects", group->members);
    rch_json_count(json, "retained_objects", group->retained_objects);
    rch_json_count(json, "retained", group->retained);
    if (group->example != RCH_NO_NODE)
        rch_json_addr(json, "example", rch_addr_of(g, group->example));
    put_place(json, g, &group->place);
    rch_json_close(json, '}');
}

static void put_common(struct rch_json *json, const struct rch_graph *g,
                       const struct rch_dominators_of *answer)
{
    if (!answer->has_common) {
        rch_json_null(json, "common");
        return;
    }
    rch_json_open(json, "common", '{', false);
    rch_json_string(json, "type", answer->common_type);
    if (answer->common_node != RCH_NO_NODE)
        rch_json_addr(json, "address", rch_addr_of(g, answer->common_node));
    rch_json_count(json, "retained_objects", answer->common_objects);
    rch_json_count(json, "retained", answer->common_bytes);
    put_place(json, g, &answer->common);
    rch_json_close(json, '}');
}

void rch_render_dominators_json(const struct rch_graph *g, const struct rch_dominators_of *answer,
                                const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.dominators/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_string(&json, "question", answer->question);
    rch_json_count(&json, "objects", answer->members);
    rch_json_count(&json, "bytes", answer->bytes);
    rch_json_count(&json, "retained_objects", answer->retained_objects);
    rch_json_count(&json, "retained", answer->retained);
    rch_json_bool(&json, "partial", answer->is_partial);
    put_common(&json, g, answer);
    rch_json_open(&json, "dominators", '[', false);
    for (uint32_t i = 0; i < answer->num_groups; i++)
        put_group(&json, g, &answer->groups[i]);
    rch_json_close(&json, ']');
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
