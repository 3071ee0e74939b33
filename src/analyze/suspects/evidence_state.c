// SPDX-License-Identifier: MIT
// analyze/suspects/evidence_state.c -- evidence in what the kept objects say of themselves: closed, finished,
// empty. One pass over them and their attributes.
#include <inttypes.h>
#include <string.h>

#include "analyze/suspects/evidence.h"

enum { MAX_LOOKED_AT = 1u << 20 };  // kept objects

/// Attributes that say, when they are True, that an object is done with.
static const char *const closed_names[] = {"closed",   "_closed",  "is_closed", "_is_closed",
                                           "_closing", "disposed", "_disposed"};

static bool says_closed(const char *name)
{
    for (size_t i = 0; i < sizeof(closed_names) / sizeof(closed_names[0]); i++)
        if (strcmp(name, closed_names[i]) == 0)
            return true;
    return false;
}

/// What a pass over one object's attributes has seen.
struct seen {
    bool is_closed;
    bool has_result;                 // result or exception: of a task, it has ended
    bool has_started, has_daemonic;  // of a thread object
};

static void see(struct seen *seen, const char *name, bool is_true)
{
    seen->is_closed = seen->is_closed || (is_true && says_closed(name));
    seen->has_result =
        seen->has_result || strcmp(name, "result") == 0 || strcmp(name, "exception") == 0;
    seen->has_started = seen->has_started || strcmp(name, "_started") == 0;
    seen->has_daemonic = seen->has_daemonic || strcmp(name, "_daemonic") == 0;
}

// The attributes of `owner` that `v` has: itself, or its dictionary.
static void see_attributes(struct rch__case *c, rch_node owner, rch_node v, struct seen *seen)
{
    const struct rch_graph *g = c->s->g;
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        rch_node to = g->edges[e];
        if (to == RCH_NO_NODE)
            continue;
        struct rch_shown shown = rch_shown_of(&c->s->view, v, e);
        if (shown.name != RCH_NO_STR)
            see(seen, rch_str_get(g, shown.name), to == c->s->true_node);
        else if (v == owner && rch_label_of(g, v, e - g->edge_start[v])->kind == RCH_EDGE_DICT)
            see_attributes(c, owner, to, seen);
    }
}

// The type of most objects that were counted.
struct tally {
    uint64_t num, best_num;
    uint32_t best_type;
    uint32_t *by_type;
};

static void count(const struct rch__search *s, struct tally *tally, rch_node v)
{
    uint32_t type = rch__type_at(s, v);
    tally->num++;
    if (++tally->by_type[type] > tally->best_num) {
        tally->best_num = tally->by_type[type];
        tally->best_type = type;
    }
}

static bool is_type_named(const struct rch_graph *g, rch_node v, const char *module,
                          const char *name)
{
    const struct rch_type *type = rch_type_of(g, v);
    return strcmp(rch_str_get(g, type->name), name) == 0 &&
           (!module || strstr(rch_str_get(g, type->module), module));
}

/// Which objects count is up to `is_one`; a sentence about the type of most of them.
static struct rch__verdict judge_kept(struct rch__case *c, int32_t score, uint32_t least,
                                      bool (*is_one)(struct rch__case *, rch_node),
                                      const char *words)
{
    const struct rch__search *s = c->s;
    RCH_BLOCK(block, s->alloc, s->g->num_types, sizeof(uint32_t));
    struct tally tally = {.by_type = block.mem};
    if (!block.mem) {
        c->is_out_of_memory = true;
        return (struct rch__verdict){0, NULL};
    }
    uint32_t num_looked_at = 0;
    for (rch_node v = 0; v < s->g->num_objects && num_looked_at < MAX_LOOKED_AT; v++) {
        if (!c->kept[v >> 6])
            v |= 63;
        if (v >= s->g->num_objects || !rch_bit(c->kept, v))
            continue;
        num_looked_at++;
        if (is_one(c, v))
            count(s, &tally, v);
    }
    if (tally.best_num < least)
        return (struct rch__verdict){0, NULL};
    const struct rch_type *type = &s->g->types[tally.best_type];
    const char *module = rch_str_get(s->g, type->module);
    return RCH__VERDICT(c, score, "%" PRIu64 " %s%s%s %s", tally.best_num, module,
                        *module ? "." : "", rch_str_get(s->g, type->name), words);
}

static uint32_t most(const struct rch__case *c)
{
    uint64_t quarter = c->lead->told.objects / 4;
    return quarter > 4 ? (uint32_t)quarter : 4;
}

// --- closed ---

static bool is_closed(struct rch__case *c, rch_node v)
{
    struct seen seen = {0};
    see_attributes(c, v, v, &seen);
    return seen.is_closed;
}

struct rch__verdict rch__judge_closed(struct rch__case *c)
{
    enum { CLOSED = 35 };
    if (c->s->true_node == RCH_NO_NODE)
        return (struct rch__verdict){0, NULL};
    return judge_kept(c, CLOSED, most(c), is_closed, "are closed, and still held");
}

// --- finished ---

static bool is_finished_task(struct rch__case *c, rch_node v)
{
    if (!is_type_named(c->s->g, v, "asyncio", "Task"))
        return false;
    struct seen seen = {0};
    see_attributes(c, v, v, &seen);
    return seen.has_result;
}

static bool is_active_thread(const struct rch__search *s, rch_node v)
{
    for (uint32_t i = s->rev->start[v]; i < s->rev->start[v + 1]; i++)
        if (s->rev->source[i] == s->active_threads)
            return true;
    return false;
}

// By its attributes, since classes of the program derive from Thread.
static bool is_finished_thread(struct rch__case *c, rch_node v)
{
    struct seen seen = {0};
    const struct rch_type *type = rch_type_of(c->s->g, v);
    if (type->flags & (RCH_TYPE_IS_TYPE | RCH_TYPE_IS_FUNCTION | RCH_TYPE_IS_MODULE))
        return false;
    see_attributes(c, v, v, &seen);
    return seen.has_started && seen.has_daemonic && !is_active_thread(c->s, v);
}

struct rch__verdict rch__judge_finished(struct rch__case *c)
{
    enum { FINISHED = 30 };
    struct rch__verdict tasks =
        judge_kept(c, FINISHED, most(c), is_finished_task, "have finished, and are still held");
    if (tasks.score)
        return tasks;
    if (c->s->active_threads == RCH_NO_NODE)
        return (struct rch__verdict){0, NULL};
    return judge_kept(c, FINISHED, most(c), is_finished_thread,
                      "do not run any more, or never did, and are still held");
}

// --- waste ---

static bool is_empty_container(struct rch__case *c, rch_node v)
{
    const struct rch_graph *g = c->s->g;
    static const char *const names[] = {"dict",  "list",        "set",
                                        "deque", "OrderedDict", "defaultdict"};
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++)
        if (g->edges[e] != RCH_NO_NODE)
            return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_type_named(g, v, NULL, names[i]))
            return true;
    return false;
}

struct rch__verdict rch__judge_empty(struct rch__case *c)
{
    enum { EMPTY = 5, LEAST = 64 };
    uint32_t least = most(c) > LEAST ? most(c) : LEAST;
    return judge_kept(c, EMPTY, least, is_empty_container, "among what they keep are empty");
}
