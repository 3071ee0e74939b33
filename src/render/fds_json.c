// SPDX-License-Identifier: MIT
// render/fds_json.c -- open descriptors as JSON, schema refchain.fds/1: each of them, then the groups, with
// the answers about their owners where they were asked for.
#include "analyze/common/select.h"
#include "render/why_parts.h"

static void put_text(struct rch_json *json, const char *key, const char *text)
{
    rch_json_string(json, key, *text ? text : NULL);
}

static void put_owner(struct rch_json *json, const char *key, const struct rch_graph *g,
                      rch_node owner, const char *holder)
{
    char name[4096];
    rch_type_full_name(g, g->shapes[g->shape_of[owner]].type, name, sizeof(name));
    rch_json_open(json, key, '{', true);
    rch_json_addr(json, "address", rch_addr_of(g, owner));
    rch_json_string(json, "type", name);
    if (key)
        rch_json_string(json, "of", holder);
    rch_json_close(json, '}');
}

static void put_kind(struct rch_json *json, enum rch_fd_kind kind, bool is_listed)
{
    rch_json_string(json, "kind", is_listed ? rch_fd_kind_word(kind) : NULL);
}

static void put_row(struct rch_json *json, const struct rch_graph *g,
                    const struct rch_fd_table *table, const struct rch_fd_row *row)
{
    rch_json_open(json, NULL, '{', true);
    rch_json_count(json, "fd", (uint64_t)row->fd);
    put_kind(json, row->kind, row->is_listed);
    put_text(json, "protocol", row->protocol);
    put_text(json, "state", row->state);
    put_text(json, "local", row->local);
    put_text(json, "peer", row->peer);
    if (row->num_owners)
        put_owner(json, "owner", g, row->owners[0], table->groups[row->group].holder);
    else
        rch_json_null(json, "owner");
    rch_json_open(json, "also", '[', true);
    for (uint32_t i = 1; i < row->num_owners; i++)
        put_owner(json, NULL, g, row->owners[i], NULL);
    rch_json_close(json, ']');
    rch_json_count(json, "group", row->group);
    rch_json_close(json, '}');
}

static void put_group(struct rch_json *json, const struct rch_graph *g,
                      const struct rch_fd_table *table, const struct rch_fd_group *group)
{
    static const char *const places[] = {NULL, "peer", "local", "path", "directory"};
    struct rch_asked asked = {.kind = RCH_ASK_TYPE};
    rch_json_open(json, NULL, '{', false);
    rch_json_count(json, "descriptors", group->num_rows);
    put_kind(json, group->kind, group->is_listed);
    put_text(json, "protocol", group->protocol);
    put_text(json, "state", group->state);
    rch_json_string(json, "alike_in", places[group->place_kind]);
    put_text(json, "place", group->place);
    rch_json_string(json, "owner", group->owner);
    rch_json_string(json, "of", group->holder);
    rch_json_string(json, "note", group->note);
    rch_json_open(json, "fds", '[', true);
    for (uint32_t i = 0; i < group->num_rows; i++)
        rch_json_count(json, NULL, (uint64_t)table->rows[group->rows[i]].fd);
    rch_json_close(json, ']');
    if (group->answer)
        rch_json_answer(json, "why", g, group->answer,
                        &(struct rch_render_options){.asked = &asked});
    rch_json_close(json, '}');
}

void rch_render_fds_json(const struct rch_graph *g, const struct rch_fd_table *table,
                         const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.fds/1");
    if (options->source)
        rch_json_string(&json, "source", options->source);
    rch_json_bool(&json, "listed", table->has_list);
    rch_json_count(&json, "unowned", table->num_unowned);
    rch_json_bool(&json, "partial", g->info.is_partial != 0);
    rch_json_open(&json, "descriptors", '[', false);
    for (uint32_t i = 0; i < table->num_rows; i++)
        put_row(&json, g, table, &table->rows[i]);
    rch_json_close(&json, ']');
    rch_json_open(&json, "groups", '[', false);
    for (uint32_t i = 0; i < table->num_groups; i++)
        put_group(&json, g, table, &table->groups[i]);
    rch_json_close(&json, ']');
    rch_json_warnings(&json, g);
    rch_json_close(&json, '}');
}
