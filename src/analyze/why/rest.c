// SPDX-License-Identifier: MIT
// analyze/why/rest.c -- members that no live root reaches: who else does? First what the questioner
// holds himself, then garbage that waits for the collector; what is left is unexplained.
#include <stdlib.h>
#include <string.h>

#include "analyze/why/solve.h"

enum { MAX_NAMES = 8 };

static uint64_t count_new(const struct rch_solver *s, const uint64_t *now, const uint64_t *before)
{
    const struct rch_question *q = s->view.question;
    uint64_t num = 0;
    for (uint32_t i = 0; i < q->num_members; i++)
        num += rch_bit(now, q->members[i]) && !rch_bit(before, q->members[i]);
    return num;
}

static void visit_observers(struct rch_solver *s, uint64_t *visited)
{
    const struct rch_graph *g = s->view.g;
    uint32_t tail = 0;
    for (uint32_t i = 0; i < g->num_observers; i++) {
        if (rch_bit_add(visited, g->observers[i].node))
            s->queue[tail++] = g->observers[i].node;
    }
    for (size_t i = 0; i < s->view.ignored.num; i++) {
        rch_node to = g->edges[RCH_VEC_AT(&s->view.ignored, uint32_t, i)];
        if (rch_bit_add(visited, to))
            s->queue[tail++] = to;
    }
    // The sweep does not follow references that do not count, so follow those of observers here.
    for (uint32_t head = 0; head < tail; head++) {
        rch_node v = s->queue[head];
        if (!rch_is_removed(&s->view, v))
            continue;
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            rch_node to = g->edges[e];
            if (to != RCH_NO_NODE &&
                rch_label_of(g, v, e - g->edge_start[v])->cls != RCH_CLASS_WEAK &&
                rch_bit_add(visited, to))
                s->queue[tail++] = to;
        }
    }
    rch_sweep(&s->view, NULL, 0, visited, s->queue, 0, tail);
}

static void visit_garbage(struct rch_solver *s, uint64_t *visited)
{
    const struct rch_graph *g = s->view.g;
    uint32_t tail = 0;
    for (uint32_t r = 0; r < g->num_roots; r++) {
        if (g->roots[r].kind == RCH_ROOT_GARBAGE && rch_bit_add(visited, g->num_objects + r))
            s->queue[tail++] = g->num_objects + r;
    }
    rch_sweep(&s->view, NULL, 0, visited, s->queue, 0, tail);
}

// --- what of the observer holds them ---

// Does this reference lead to a member only the observer reaches, or to a container of some?
static bool leads_to(const struct rch_solver *s, rch_node to, const uint64_t *with,
                     const uint64_t *without)
{
    const struct rch_graph *g = s->view.g;
    if (to == RCH_NO_NODE || !rch_bit(with, to) || rch_bit(without, to))
        return false;
    if (rch_is_member(&s->view, to))
        return true;
    for (uint32_t e = g->edge_start[to]; e < g->edge_start[to + 1]; e++) {
        rch_node v = g->edges[e];
        if (v != RCH_NO_NODE && rch_is_member(&s->view, v) && !rch_bit(without, v))
            return true;
    }
    return false;
}

// The root that stands for this object (a frame), or the object itself.
static rch_node owner_of(const struct rch_solver *s, rch_node v)
{
    const struct rch_reverse *rev = s->view.rev;
    for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++) {
        if (rch_is_root(s->view.g, rev->source[i]))
            return rev->source[i];
    }
    return v;
}

static const char *observer_name(struct rch_solver *s, rch_node v, uint32_t e)
{
    const struct rch_graph *g = s->view.g;
    struct rch_arena *arena = &s->answer->arena;
    struct rch_shown shown = rch_shown_of(&s->view, v, e);
    const char *word = rch_edge_kind_word(shown.kind), *name = rch_str_get(g, shown.name);
    rch_node owner = rch_is_root(g, v) ? v : owner_of(s, v);
    const char *space = *name ? " " : "";
    if (!rch_is_root(g, owner)) {
        const char *type = rch_type_text(g, g->shapes[g->shape_of[v]].type, arena);
        return type ? rch_arena_printf(arena, "%s%s%s of a %s", word, space, name, type) : NULL;
    }
    const struct rch_root *root = &g->roots[owner - g->num_objects];
    bool is_call = root->kind == RCH_ROOT_FRAME || root->kind == RCH_ROOT_COROUTINE;
    return rch_arena_printf(arena, "%s%s%s of %s%s", word, space, name, rch_str_get(g, root->name),
                            is_call ? "()" : "");
}

static enum rch_status add_name(struct rch_solver *s, struct rch_vec *names, rch_node v, uint32_t e,
                                struct rch_error *err)
{
    const char *name = observer_name(s, v, e);
    if (!name)
        return rch_fail(err, RCH_ENOMEM, "names of the observer's references");
    for (size_t i = 0; i < names->num; i++) {
        if (strcmp(RCH_VEC_AT(names, const char *, i), name) == 0)
            return RCH_OK;
    }
    return names->num < 64 ? rch_vec_append(names, &name, 1, err) : RCH_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum rch_status name_observers(struct rch_solver *s, const uint64_t *with,
                                      const uint64_t *without, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    RCH_VEC(names, s->view.alloc, const char *);
    for (uint32_t i = 0; i < g->num_observers; i++) {
        rch_node v = g->observers[i].node;
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (leads_to(s, g->edges[e], with, without))
                RCH_TRY(add_name(s, &names, v, e, err));
        }
    }
    uint32_t num = names.num > MAX_NAMES ? MAX_NAMES : (uint32_t)names.num;
    const char **rows = rch_arena_take(&s->answer->arena, num, sizeof(*rows));
    if (!rows)
        return rch_fail(err, RCH_ENOMEM, "names of the observer's references");
    if (names.num)
        qsort(names.mem, names.num, sizeof(const char *), compare_names);
    for (uint32_t i = 0; i < num; i++)
        rows[i] = RCH_VEC_AT(&names, const char *, i);
    s->answer->observer_names = rows;
    s->answer->num_observer_names = num;
    return RCH_OK;
}

enum rch_status rch_count_rest(struct rch_solver *s, struct rch_block *within_out,
                               struct rch_error *err)
{
    const struct rch_question *q = s->view.question;
    uint32_t num = s->view.g->num_nodes;
    uint64_t *live = s->whatif.live, *visited = s->whatif.scratch;
    rch_bits_minus(live, s->view.removed.mem, num);  // the sweep's marks of what it must not enter
    rch_bits_copy(visited, live, num);
    visit_observers(s, visited);
    s->answer->observer = count_new(s, visited, live);
    if (s->answer->observer)
        RCH_TRY(name_observers(s, visited, live, err));
    RCH_BITS(within, s->view.alloc, num);
    uint64_t *garbage = within.mem;
    if (!garbage)
        return rch_fail(err, RCH_ENOMEM, "reachability of %" PRIu32 " nodes", num);
    rch_bits_copy(garbage, visited, num);
    visit_garbage(s, garbage);
    s->answer->garbage = count_new(s, garbage, visited);
    for (uint32_t i = 0; i < q->num_members; i++)
        s->answer->unexplained += !rch_bit(garbage, q->members[i]);
    rch_bits_minus(garbage, visited, num);
    *within_out = within;
    within.mem = NULL;
    return RCH_OK;
}
