// SPDX-License-Identifier: MIT
// render/why_json.c -- the answer as JSON, schema refchain.why/1. Every key and value is described in
// docs/json.md; keys are added, never changed. Complete: limits of the text do not apply.
#include <inttypes.h>
#include <stdio.h>

#include "render/report.h"
#include "render/why_parts.h"

static void put_freed(struct rch_json *json, const char *key, const struct rch_freed *freed)
{
    rch_json_open(json, key, '{', true);
    rch_json_count(json, "question", freed->question);
    rch_json_count(json, "objects", freed->objects);
    rch_json_count(json, "bytes", freed->bytes);
    rch_json_close(json, '}');
}

void rch_json_hop(struct rch_json *json, const struct rch_graph *g, const struct rch_hop *hop)
{
    rch_json_string(json, "edge", rch_edge_kind_word(hop->kind));
    bool has_index = hop->index != UINT32_MAX;
    char number[16];
    snprintf(number, sizeof(number), "%" PRIu32, hop->index);
    bool is_named_by_index = !hop->name && has_index && hop->kind == RCH_EDGE_ITEM;
    rch_json_string(json, "name", is_named_by_index ? number : hop->name);
    if (has_index)
        rch_json_count(json, "index", hop->index);
    else
        rch_json_null(json, "index");
    rch_json_string(json, "type", hop->type);
    rch_json_count(json, "objects", hop->num_objects);
    if (hop->key_type)
        rch_json_string(json, "key_type", hop->key_type);
    if (hop->num_elements)
        rch_json_count(json, "of_elements", hop->num_elements);
    if (hop->is_guessed)
        rch_json_bool(json, "guessed", true);
    rch_json_addr(json, "example",
                  g && hop->example < g->num_objects ? rch_addr_of(g, hop->example) : 0);
}

void rch_json_path(struct rch_json *json, const struct rch_graph *g, const struct rch_hop *hops,
                   uint32_t num_hops)
{
    rch_json_open(json, "path", '[', false);
    for (uint32_t i = 0; i < num_hops; i++) {
        rch_json_open(json, NULL, '{', true);
        rch_json_hop(json, g, &hops[i]);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

void rch_json_root(struct rch_json *json, const struct rch_holder *holder)
{
    rch_json_open(json, "root", '{', true);
    rch_json_string(json, "kind", rch_root_kind_word(holder->root_kind));
    rch_json_string(json, "name", holder->root_name);
    rch_json_string(json, "detail",
                    holder->root_detail && *holder->root_detail ? holder->root_detail : NULL);
    rch_json_close(json, '}');
}

static void put_groups(struct rch_json *json, const struct rch_graph *g,
                       const struct rch_holder *holder)
{
    rch_json_count(json, "path_objects", holder->num_groups ? holder->groups[0].num_members : 0);
    rch_json_open(json, "groups", '[', false);
    for (uint32_t i = 1; i < holder->num_groups; i++) {
        rch_json_open(json, NULL, '{', false);
        rch_json_count(json, "path_objects", holder->groups[i].num_members);
        rch_json_path(json, g, holder->groups[i].hops, holder->groups[i].num_hops);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_count(json, "groups_omitted", holder->num_more_groups);
}

static void put_holder(struct rch_json *json, const struct rch_graph *g,
                       const struct rch_holder *holder, const struct rch_findings *findings)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "fingerprint", holder->fingerprint);
    rch_json_known(json, findings, holder->fingerprint);
    rch_json_root(json, holder);
    rch_json_path(json, g, holder->hops, holder->num_hops);
    rch_json_bool(json, "cuttable", holder->is_cuttable);
    if (holder->is_cuttable)
        rch_json_count(json, "cut", holder->cut);
    else
        rch_json_null(json, "cut");
    rch_json_bool(json, "cut_is_group", holder->cut_is_group);
    rch_json_count(json, "cut_references", holder->num_cut_refs);
    rch_json_count(json, "holds", holder->holds);
    rch_json_count(json, "holds_only", holder->holds_only);
    put_freed(json, "frees_if_cut", &holder->frees);
    put_groups(json, g, holder);
    rch_json_strings(json, "also", holder->also, holder->num_also);
    rch_json_string(json, "advice", holder->advice);
    rch_json_close(json, '}');
}

static void put_types(struct rch_json *json, const struct rch_asked *asked)
{
    rch_json_open(json, "matches", '[', false);
    for (uint32_t i = 0; i < asked->num_types; i++) {
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "type", asked->types[i].name);
        rch_json_count(json, "objects", asked->types[i].num_objects);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

void rch_json_question(struct rch_json *json, const char *text, const struct rch_asked *asked)
{
    rch_json_open(json, "question", '{', !asked || asked->kind != RCH_ASK_GLOB);
    if (!asked || asked->kind == RCH_ASK_TYPE) {
        rch_json_string(json, "type", text);
    } else if (asked->kind == RCH_ASK_GLOB) {
        rch_json_string(json, "glob", text);
        put_types(json, asked);
    } else if (asked->kind == RCH_ASK_ADDRESS) {
        rch_json_addr(json, "address", asked->addr);
        rch_json_string(json, "type", asked->num_types ? asked->types[0].name : NULL);
    } else {
        rch_json_string(json, "text", text);
    }
    rch_json_close(json, '}');
}

void rch_json_answer(struct rch_json *json, const char *key, const struct rch_graph *g,
                     const struct rch_answer *answer, const struct rch_render_options *options)
{
    rch_json_open(json, key, '{', false);
    rch_json_string(json, "schema", "refchain.why/1");
    rch_json_question(json, answer->question, options->asked);
    if (options->source)
        rch_json_string(json, "source", options->source);
    rch_json_count(json, "objects", answer->objects);
    rch_json_count(json, "bytes", answer->bytes);
    rch_json_bool(json, "partial", answer->is_partial);
    rch_json_bool(json, "diffuse", answer->is_diffuse);
    rch_json_open(json, "holders", '[', false);
    for (uint32_t i = 0; i < answer->num_holders; i++)
        put_holder(json, g, &answer->holders[i], options->findings);
    rch_json_close(json, ']');
    rch_json_count(json, "holders_omitted", answer->num_more_holders);
    put_freed(json, "all_cut", &answer->all_cut);
    rch_json_count(json, "garbage", answer->garbage);
    rch_json_count(json, "c_held", answer->c_held);
    rch_json_count(json, "observer", answer->observer);
    rch_json_strings(json, "observer_names", answer->observer_names, answer->num_observer_names);
    rch_json_count(json, "uncuttable", answer->uncuttable);
    rch_json_count(json, "in_use", answer->in_use);
    rch_json_strings(json, "in_use_names", answer->in_use_names, answer->num_in_use_names);
    rch_json_count(json, "unexplained", answer->unexplained);
    rch_json_strings(json, "warnings", answer->warnings, answer->num_warnings);
    rch_json_close(json, '}');
}

void rch_render_why_json(const struct rch_graph *g, const struct rch_answer *answer,
                         const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_answer(&json, NULL, g, answer, options);
}

void rch_render_ambiguous_json(const struct rch_graph *g, const struct rch_ask_list *list,
                               const struct rch_answer *const *answers,
                               const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.why/1");
    rch_json_open(&json, "ambiguous", '[', false);
    for (uint32_t i = 0; i < list->num_asked; i++) {
        rch_json_open(&json, NULL, '{', true);
        rch_json_string(&json, "type", list->asked[i].question.text);
        rch_json_count(&json, "objects", list->asked[i].question.num_members);
        rch_json_close(&json, '}');
    }
    rch_json_close(&json, ']');
    rch_json_open(&json, "answers", '[', false);
    for (uint32_t i = 0; i < list->num_asked; i++) {
        struct rch_render_options one = *options;
        one.asked = &list->asked[i];
        rch_json_answer(&json, NULL, g, answers[i], &one);
    }
    rch_json_close(&json, ']');
    rch_json_close(&json, '}');
}
