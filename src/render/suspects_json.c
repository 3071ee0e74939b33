// SPDX-License-Identifier: MIT
// render/suspects_json.c -- suspects as JSON, schema refchain.suspects/1 (docs/json.md).
#include "render/suspects.h"
#include "render/why_parts.h"

static void put_reasons(struct rch_json *json, const struct rch_suspect *suspect)
{
    rch_json_open(json, "reasons", '[', false);
    for (uint32_t i = 0; i < suspect->num_reasons; i++) {
        const struct rch_suspect_reason *reason = &suspect->reasons[i];
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "evidence", reason->word);
        rch_json_string(json, "sentence", reason->sentence);
        rch_json_signed(json, "score", reason->score);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_with(struct rch_json *json, const struct rch_suspect *suspect)
{
    rch_json_open(json, "with", '[', false);
    for (uint32_t i = 0; i < suspect->num_with; i++) {
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", suspect->with[i].type);
        rch_json_count(json, "objects", suspect->with[i].objects);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_suspect(struct rch_json *json, const struct rch_graph *g,
                        const struct rch_suspect *suspect, const struct rch_render_options *options)
{
    const struct rch_answer *answer = suspect->answer;
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "type", suspect->type);
    rch_json_count(json, "objects", suspect->objects);
    rch_json_string(json, "level", suspect->is_likely ? "likely" : "possible");
    rch_json_signed(json, "score", suspect->score);
    rch_json_string(json, "fingerprint",
                    answer->num_holders ? answer->holders[0].fingerprint : NULL);
    rch_json_open(json, "keeps", '{', true);
    rch_json_count(json, "objects", suspect->kept);
    rch_json_count(json, "bytes", suspect->kept_bytes);
    rch_json_count(json, "sockets", suspect->sockets);
    rch_json_count(json, "files", suspect->files);
    rch_json_count(json, "other_fds", suspect->other_fds);
    rch_json_close(json, '}');
    put_reasons(json, suspect);
    put_with(json, suspect);
    rch_json_string(json, "advice", answer->num_holders ? answer->holders[0].advice : NULL);
    struct rch_render_options parts = *options;
    parts.asked = NULL;
    parts.source = NULL;
    rch_json_answer(json, "why", g, answer, &parts);
    rch_json_close(json, '}');
}

void rch_render_suspects_json(const struct rch_graph *g, const struct rch_suspects *suspects,
                              const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.suspects/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_count(&json, "objects", suspects->heap_objects);
    rch_json_count(&json, "bytes", suspects->heap_bytes);
    rch_json_bool(&json, "baseline", suspects->has_baseline);
    rch_json_bool(&json, "partial", suspects->is_partial);
    rch_json_count(&json, "leads", suspects->num_leads);
    rch_json_open(&json, "suspects", '[', false);
    for (uint32_t i = 0; i < suspects->num_suspects; i++)
        put_suspect(&json, g, &suspects->suspects[i], options);
    rch_json_close(&json, ']');
    rch_json_count(&json, "suspects_omitted", suspects->num_more);
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
