// SPDX-License-Identifier: MIT
// analyze/common/ask.c -- one pass over the objects sorts them into the questions they belong to, however
// many types a short name has.
#include "analyze/common/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/histogram.h"
#include "analyze/common/near_name.h"
#include "analyze/common/select.h"

enum { MAX_NEAR = 5, NAME_BYTES = 4096 };

static enum rch_status no_memory(struct rch_error *err, const char *pattern)
{
    return rch_fail(err, RCH_ENOMEM, "the question '%.100s'", pattern);
}

static bool has_same_name(const struct rch_graph *g, uint32_t a, uint32_t b)
{
    const struct rch_type *x = &g->types[a], *y = &g->types[b];
    return strcmp(rch_str_get(g, x->module), rch_str_get(g, y->module)) == 0 &&
           strcmp(rch_str_get(g, x->name), rch_str_get(g, y->name)) == 0;
}

static const char *full_name(struct rch_ask_list *list, const struct rch_graph *g, uint32_t type)
{
    char name[NAME_BYTES];
    rch_type_full_name(g, type, name, sizeof(name));
    return rch_arena_copy(&list->arena, name, strlen(name));
}

// Types of equal full name are one group: a class that was defined twice is one question.
struct groups {
    struct rch_asked_type *types;  // one a group
    rch_node **members;
    uint32_t num;
};

/// `group_of[type]` becomes the number of the type's group plus one; 0: not asked for.
static enum rch_status make_groups(struct rch_ask_list *list, const struct rch_graph *g,
                                   const struct rch_vec *types, uint32_t *group_of,
                                   struct groups *groups, struct rch_error *err)
{
    groups->types = rch_arena_take(&list->arena, types->num, sizeof(*groups->types));
    groups->members = rch_arena_take(&list->arena, types->num, sizeof(*groups->members));
    if (!groups->types || !groups->members)
        return no_memory(err, list->pattern);
    for (size_t i = 0; i < types->num; i++) {
        uint32_t type = RCH_VEC_AT(types, uint32_t, i);
        if (i == 0 || !has_same_name(g, RCH_VEC_AT(types, uint32_t, i - 1), type)) {
            const char *name = full_name(list, g, type);
            if (!name)
                return no_memory(err, list->pattern);
            groups->types[groups->num++].name = name;
        }
        group_of[type] = groups->num;
    }
    return RCH_OK;
}

static uint32_t group_at(const struct rch_graph *g, const uint32_t *group_of, rch_node v)
{
    return group_of[g->shapes[g->shape_of[v]].type];
}

static enum rch_status sort_members(struct rch_ask_list *list, const struct rch_graph *g,
                                    const uint32_t *group_of, struct groups *groups,
                                    struct rch_error *err)
{
    for (rch_node v = 0; v < g->num_objects; v++) {
        uint32_t group = group_at(g, group_of, v);
        if (group)
            groups->types[group - 1].num_objects++;
    }
    for (uint32_t i = 0; i < groups->num; i++) {
        uint32_t num = groups->types[i].num_objects;
        groups->members[i] = rch_arena_take(&list->arena, num ? num : 1, sizeof(rch_node));
        if (!groups->members[i])
            return no_memory(err, list->pattern);
        groups->types[i].num_objects = 0;
    }
    for (rch_node v = 0; v < g->num_objects; v++) {
        uint32_t group = group_at(g, group_of, v);
        if (group)
            groups->members[group - 1][groups->types[group - 1].num_objects++] = v;
    }
    return RCH_OK;
}

static int by_count(const void *a, const void *b)
{
    const struct rch_asked_type *x = a, *y = b;
    if (x->num_objects != y->num_objects)
        return x->num_objects < y->num_objects ? 1 : -1;
    return strcmp(x->name, y->name);
}

static int by_members(const void *a, const void *b)
{
    const struct rch_asked *x = a, *y = b;
    if (x->question.num_members != y->question.num_members)
        return x->question.num_members < y->question.num_members ? 1 : -1;
    return strcmp(x->question.text, y->question.text);
}

/// A question for each group that has objects; for the first if none has.
static enum rch_status ask_types(struct rch_ask_list *list, const struct groups *groups,
                                 struct rch_error *err)
{
    list->asked = rch_arena_take(&list->arena, groups->num, sizeof(*list->asked));
    if (!list->asked)
        return no_memory(err, list->pattern);
    for (uint32_t i = 0; i < groups->num; i++) {
        if (groups->types[i].num_objects == 0)
            continue;
        list->asked[list->num_asked++] = (struct rch_asked){
            .kind = RCH_ASK_TYPE,
            .question = {groups->types[i].name, groups->members[i], groups->types[i].num_objects},
            .types = &groups->types[i],
            .num_types = 1};
    }
    if (list->num_asked == 0)
        list->asked[list->num_asked++] =
            (struct rch_asked){.kind = RCH_ASK_TYPE,
                               .question = {groups->types[0].name, groups->members[0], 0},
                               .types = &groups->types[0],
                               .num_types = 1};
    qsort(list->asked, list->num_asked, sizeof(*list->asked), by_members);
    return RCH_OK;
}

static int by_node(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = *(const rch_node *)b;
    return (x > y) - (x < y);
}

/// One question for all groups.
static enum rch_status ask_glob(struct rch_ask_list *list, const struct groups *groups,
                                struct rch_error *err)
{
    uint32_t num = 0, at = 0, num_types = 0;
    for (uint32_t i = 0; i < groups->num; i++)
        num += groups->types[i].num_objects;
    rch_node *members = rch_arena_take(&list->arena, num ? num : 1, sizeof(*members));
    list->asked = rch_arena_take(&list->arena, 1, sizeof(*list->asked));
    if (!members || !list->asked)
        return no_memory(err, list->pattern);
    for (uint32_t i = 0; i < groups->num; i++) {
        memcpy(members + at, groups->members[i], groups->types[i].num_objects * sizeof(*members));
        at += groups->types[i].num_objects;
    }
    if (num > 1)
        qsort(members, num, sizeof(*members), by_node);
    qsort(groups->types, groups->num, sizeof(*groups->types), by_count);
    while (num_types < groups->num && groups->types[num_types].num_objects)
        num_types++;
    list->asked[0] = (struct rch_asked){.kind = RCH_ASK_GLOB,
                                        .question = {list->pattern, members, num},
                                        .types = groups->types,
                                        .num_types = num_types};
    list->num_asked = 1;
    return RCH_OK;
}

// ---- near names ---------------------------------------------------------------------------------

struct near {
    struct rch_asked_type type;
    uint32_t distance;
};

static bool is_nearer(const struct near *a, const struct near *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    return by_count(&a->type, &b->type) < 0;
}

/// Insert into the short sorted list, which keeps the best MAX_NEAR.
static uint32_t keep_nearest(struct near best[MAX_NEAR], uint32_t num, struct near candidate)
{
    for (uint32_t i = 0; i < num; i++)
        if (strcmp(best[i].type.name, candidate.type.name) == 0)
            return num;
    uint32_t at = num;
    while (at > 0 && is_nearer(&candidate, &best[at - 1]))
        at--;
    if (at == MAX_NEAR)
        return num;
    uint32_t num_after = num < MAX_NEAR ? num - at : MAX_NEAR - 1 - at;
    memmove(&best[at + 1], &best[at], num_after * sizeof(*best));
    best[at] = candidate;
    return num < MAX_NEAR ? num + 1 : MAX_NEAR;
}

static enum rch_status find_near(struct rch_ask_list *list, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    struct rch_type_count *rows;
    uint32_t num_rows, num = 0;
    struct near best[MAX_NEAR];
    RCH_TRY(rch_histogram(g, alloc, &rows, &num_rows, err));
    enum rch_status st = RCH_OK;
    for (uint32_t i = 0; i < num_rows && st == RCH_OK; i++) {
        char name[NAME_BYTES];
        rch_type_full_name(g, rows[i].type, name, sizeof(name));
        uint32_t distance = rch_name_distance(list->pattern, name);
        if (distance == RCH_NOT_NEAR)
            continue;
        const char *copy = rch_arena_copy(&list->arena, name, strlen(name));
        if (copy)
            num = keep_nearest(best, num, (struct near){{copy, rows[i].count}, distance});
        else
            st = no_memory(err, list->pattern);
    }
    rch_free(alloc, rows, num_rows, sizeof(*rows));
    RCH_TRY(st);
    struct rch_asked_type *near = rch_arena_take(&list->arena, MAX_NEAR, sizeof(*near));
    if (!near)
        return no_memory(err, list->pattern);
    for (uint32_t i = 0; i < num; i++)
        near[i] = best[i].type;
    list->near = near;
    list->num_near = num;
    return RCH_OK;
}

static enum rch_status not_found(struct rch_ask_list *list, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    RCH_TRY(find_near(list, g, alloc, err));
    if (list->num_near)
        return rch_fail(err, RCH_ENOTFOUND, "no type is called '%.80s'; did you mean '%.100s'?",
                        list->pattern, list->near[0].name);
    return rch_fail(err, RCH_ENOTFOUND, "no type is called '%.80s'", list->pattern);
}

// ---- addresses ----------------------------------------------------------------------------------

static enum rch_status ask_address(struct rch_ask_list *list, const struct rch_graph *g,
                                   struct rch_error *err)
{
    bool is_hex = list->pattern[0] == '0' && (list->pattern[1] | 0x20) == 'x';
    char *end;
    errno = 0;
    rch_addr addr = strtoull(list->pattern, &end, is_hex ? 16 : 10);
    if (errno || *end != '\0' || (is_hex && !list->pattern[2]))
        return rch_fail(err, RCH_EINVAL, "'%.100s' is neither a type's name nor an address",
                        list->pattern);
    rch_node node = rch_node_at(g, addr);
    if (node == RCH_NO_NODE || node >= g->num_objects)
        return rch_fail(err, RCH_ENOTFOUND, "no object is at address 0x%" PRIx64, addr);
    struct rch_asked_type *type = rch_arena_take(&list->arena, 1, sizeof(*type));
    rch_node *member = rch_arena_take(&list->arena, 1, sizeof(*member));
    list->asked = rch_arena_take(&list->arena, 1, sizeof(*list->asked));
    const char *text = rch_arena_printf(&list->arena, "object at 0x%" PRIx64, addr);
    if (!type || !member || !list->asked || !text)
        return no_memory(err, list->pattern);
    *member = node;
    *type = (struct rch_asked_type){full_name(list, g, g->shapes[g->shape_of[node]].type), 1};
    if (!type->name)
        return no_memory(err, list->pattern);
    list->asked[0] = (struct rch_asked){.kind = RCH_ASK_ADDRESS,
                                        .question = {text, member, 1},
                                        .addr = addr,
                                        .types = type,
                                        .num_types = 1};
    list->num_asked = 1;
    return RCH_OK;
}

enum rch_status rch_ask(const struct rch_graph *g, const char *pattern,
                        const struct rch_alloc *alloc, struct rch_ask_list *list,
                        struct rch_error *err)
{
    *list = (struct rch_ask_list){.pattern = ""};
    rch_arena_init(&list->arena, alloc);
    const char *copy = rch_arena_copy(&list->arena, pattern, strlen(pattern));
    if (!copy)
        return no_memory(err, pattern);
    list->pattern = copy;
    if (*pattern >= '0' && *pattern <= '9')
        return ask_address(list, g, err);
    RCH_VEC(types, alloc, uint32_t);
    RCH_TRY(rch_select_types(g, pattern, &types, err));
    if (types.num == 0)
        return not_found(list, g, alloc, err);
    RCH_BLOCK(group_of, alloc, g->num_types, sizeof(uint32_t));
    if (!group_of.mem)
        return no_memory(err, pattern);
    struct groups groups = {.num = 0};
    RCH_TRY(make_groups(list, g, &types, group_of.mem, &groups, err));
    RCH_TRY(sort_members(list, g, group_of.mem, &groups, err));
    bool is_glob = strpbrk(pattern, "*?[") != NULL;
    RCH_TRY(is_glob ? ask_glob(list, &groups, err) : ask_types(list, &groups, err));
    bool is_empty = list->asked[0].question.num_members == 0;
    return is_empty ? find_near(list, g, alloc, err) : RCH_OK;
}

void rch_ask_list_deinit(struct rch_ask_list *list)
{
    rch_arena_deinit(&list->arena);
}
