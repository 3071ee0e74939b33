// SPDX-License-Identifier: MIT
// render/paths_json.c -- all ways that hold an object as JSON, schema refchain.paths/1 (docs/json.md).
// Complete: limits of the text do not apply. The tree is a list, for it may be very deep.
#include "render/why_parts.h"

static void put_paths(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_paths *paths)
{
    rch_json_open(json, "paths", '[', false);
    for (uint32_t i = 0; i < paths->num_paths; i++) {
        const struct rch_found_path *path = &paths->paths[i];
        rch_json_open(json, NULL, '{', false);
        rch_json_string(json, "fingerprint", path->way.fingerprint);
        rch_json_count(json, "penalty", path->penalty);
        rch_json_count(json, "hops", path->hops);
        rch_json_root(json, &path->way);
        rch_json_path(json, g, path->way.hops, path->way.num_hops);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_bool(json, "all", paths->is_all);
    rch_json_bool(json, "given_up", paths->has_given_up);
}

static void put_tree(struct rch_json *json, const struct rch_graph *g,
                     const struct rch_paths *paths)
{
    rch_json_open(json, "tree", '[', false);
    for (uint32_t i = 0; i < paths->num_branches; i++) {
        const struct rch_path_branch *branch = &paths->branches[i];
        rch_json_open(json, NULL, '{', true);
        if (branch->root)
            rch_json_null(json, "parent");
        else
            rch_json_count(json, "parent", branch->parent);
        rch_json_count(json, "members", branch->members);
        rch_json_count(json, "ends", branch->ends);
        if (branch->root)
            rch_json_root(json, branch->root);
        else
            rch_json_hop(json, g, &branch->hop);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_excluded(struct rch_json *json, const struct rch_paths *paths)
{
    rch_json_open(json, "excluded", '[', false);
    for (uint32_t i = 0; i < paths->num_excluded; i++) {
        const struct rch_excluded *row = &paths->excluded[i];
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "pattern", row->pattern);
        rch_json_string(json, "of", row->is_root ? "roots" : "references");
        rch_json_count(json, "matched", row->matched);
        rch_json_count(json, "dropped", row->dropped);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_count(json, "dropped", paths->dropped);
}

void rch_render_paths_json(const struct rch_graph *g, const struct rch_paths *paths,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.paths/1");
    rch_json_question(&json, paths->question, options->asked);
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_count(&json, "objects", paths->objects);
    rch_json_count(&json, "bytes", paths->bytes);
    rch_json_bool(&json, "partial", paths->is_partial);
    put_paths(&json, g, paths);
    put_tree(&json, g, paths);
    rch_json_count(&json, "reached", paths->reached);
    rch_json_count(&json, "garbage", paths->garbage);
    rch_json_count(&json, "unheld", paths->unheld);
    rch_json_bool(&json, "from_garbage", paths->is_garbage);
    put_excluded(&json, paths);
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
