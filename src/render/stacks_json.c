// SPDX-License-Identifier: MIT
// render/stacks_json.c -- where each thread stands, as JSON (schema refchain.stacks/1).
#include "analyze/common/locals.h"
#include "analyze/common/select.h"
#include "render/json.h"
#include "render/stacks.h"

static void put_number_or_null(struct rch_json *json, const char *key, uint64_t number)
{
    if (number)
        rch_json_count(json, key, number);
    else
        rch_json_null(json, key);
}

static void put_locals(struct rch_json *json, const struct rch_graph *g, rch_node root)
{
    struct rch_locals locals = rch_locals_of(g, root);
    struct rch_local local;
    rch_json_open(json, "locals", '[', false);
    while (rch_local_next(&locals, &local)) {
        char type[4096];
        rch_type_full_name(g, g->shapes[g->shape_of[local.node]].type, type, sizeof(type));
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "name", rch_str_get(g, local.name));
        rch_json_string(json, "type", type);
        rch_json_addr(json, "address", rch_addr_of(g, local.node));
        if (local.length != UINT64_MAX)
            rch_json_count(json, "length", local.length);
        if (local.is_closure)
            rch_json_bool(json, "closure", true);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_frame(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_stack_frame *frame, bool with_locals)
{
    rch_json_open(json, NULL, '{', !with_locals);
    rch_json_string(json, "function", rch_str_get(g, frame->function));
    rch_json_string(json, "file", rch_str_get(g, frame->file));
    put_number_or_null(json, "line", frame->line);
    if (with_locals)
        put_locals(json, g, frame->root);
    rch_json_close(json, '}');
}

static void put_thread(struct rch_json *json, const struct rch_graph *g,
                       const struct rch_thread *thread, const struct rch_render_options *options)
{
    uint32_t num = thread->num_frames;
    if (options->limit && options->limit < num)
        num = options->limit;
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "name", rch_str_get(g, thread->name));
    put_number_or_null(json, "id", thread->native_id);
    rch_json_string(json, "waits_for",
                    thread->waits_for ? rch_str_get(g, thread->waits_for) : NULL);
    rch_json_bool(json, "has_gil", thread->flags & RCH_THREAD_HAS_GIL);
    rch_json_bool(json, "asks", thread->flags & RCH_THREAD_ASKS);
    rch_json_bool(json, "torn", thread->flags & RCH_THREAD_NOT_STOPPED);
    rch_json_count(json, "depth", thread->num_frames);
    rch_json_open(json, "frames", '[', false);
    for (uint32_t i = 0; i < num; i++)
        put_frame(json, g, &g->stack_frames[thread->first_frame + i], options->locals);
    rch_json_close(json, ']');
    rch_json_close(json, '}');
}

void rch_render_stacks_json(const struct rch_graph *g, const struct rch_render_options *options,
                            struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.stacks/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_bool(&json, "partial", g->info.is_partial != 0);
    rch_json_open(&json, "threads", '[', false);
    for (uint32_t i = 0; i < g->num_threads; i++)
        if (rch_is_thread_shown(g, &g->threads[i], options->thread))
            put_thread(&json, g, &g->threads[i], options);
    rch_json_close(&json, ']');
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
