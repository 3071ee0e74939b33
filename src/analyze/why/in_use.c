// SPDX-License-Identifier: MIT
// analyze/why/in_use.c -- members that running functions work with right now: of 142 connections the one
// that a hung call waits on is a local variable of a dozen frames, and those would hide who holds
// the other 141. They are set aside, and told apart, where the answer would be diffuse otherwise.
#include <string.h>

#include "analyze/why/solve.h"

enum { MAX_NAMES = 8 };

static bool is_variable(const struct rch_graph *g, rch_node v, uint32_t e)
{
    enum rch_edge_kind kind = rch_label_of(g, v, e - g->edge_start[v])->kind;
    return kind == RCH_EDGE_LOCAL || kind == RCH_EDGE_STACK;
}

static enum rch_status add_name(struct rch_solver *s, const struct rch_root *root, rch_node v,
                                uint32_t e, struct rch_vec *names, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    const char *variable = rch_str_get(g, rch_label_of(g, v, e - g->edge_start[v])->name);
    if (names->num == MAX_NAMES)
        return RCH_OK;
    const char *name =
        rch_arena_printf(&s->answer->arena, "%s%s of %s()", *variable ? "local " : "the stack",
                         variable, rch_str_get(g, root->name));
    if (!name)
        return rch_fail(err, RCH_ENOMEM, "names of variables");
    return rch_vec_append(names, &name, 1, err);
}

// The members among the variables of one running function; `v` is its root or its frame object.
static enum rch_status take_variables(struct rch_solver *s, const struct rch_root *root, rch_node v,
                                      struct rch_vec *members, struct rch_vec *names,
                                      struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        rch_node to = g->edges[e];
        if (to == RCH_NO_NODE || !is_variable(g, v, e) || !rch_is_member(&s->view, to))
            continue;
        bool is_new = rch_bit(s->sinks, to);
        bool is_known = is_new;
        for (size_t i = 0; !is_known && i < members->num; i++)
            is_known = RCH_VEC_AT(members, rch_node, i) == to;
        if (is_new) {
            RCH_TRY(rch_vec_append(members, &to, 1, err));
            s->sinks[to / 64] &= ~(UINT64_C(1) << to % 64);
        }
        if (is_known)
            RCH_TRY(add_name(s, root, v, e, names, err));
    }
    return RCH_OK;
}

static enum rch_status take_all(struct rch_solver *s, struct rch_vec *members,
                                struct rch_vec *names, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    for (uint32_t r = 0; r < g->num_roots; r++) {
        const struct rch_root *root = &g->roots[r];
        rch_node v = g->num_objects + r;
        if ((root->kind != RCH_ROOT_FRAME && root->kind != RCH_ROOT_COROUTINE) ||
            rch_is_removed(&s->view, v))
            continue;
        RCH_TRY(take_variables(s, root, v, members, names, err));
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            bool is_frame = rch_label_of(g, v, e - g->edge_start[v])->kind == RCH_EDGE_OBJECT;
            if (is_frame && g->edges[e] != RCH_NO_NODE && !rch_is_removed(&s->view, g->edges[e]))
                RCH_TRY(take_variables(s, root, g->edges[e], members, names, err));
        }
    }
    return RCH_OK;
}

static enum rch_status tell(struct rch_solver *s, const struct rch_vec *names,
                            struct rch_error *err)
{
    const char **rows = rch_arena_take(&s->answer->arena, names->num, sizeof(*rows));
    if (!rows)
        return rch_fail(err, RCH_ENOMEM, "names of variables");
    if (names->num)
        memcpy(rows, names->mem, names->num * sizeof(*rows));
    s->answer->in_use_names = rows;
    s->answer->num_in_use_names = (uint32_t)names->num;
    return RCH_OK;
}

enum rch_status rch_find_cut_of_idle(struct rch_solver *s, bool *is_over, struct rch_error *err)
{
    RCH_VEC(members, s->view.alloc, rch_node);
    RCH_VEC(names, s->view.alloc, const char *);
    RCH_TRY(take_all(s, &members, &names, err));
    if (members.num && members.num < s->num_sinks)
        RCH_TRY(rch_find_cut(s, is_over, err));
    if (!*is_over) {
        s->answer->in_use = members.num;
        s->num_sinks -= members.num;
        return tell(s, &names, err);
    }
    for (size_t i = 0; i < members.num; i++)
        rch_bit_set(s->sinks, RCH_VEC_AT(&members, rch_node, i));
    return RCH_OK;
}
