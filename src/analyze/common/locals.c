// SPDX-License-Identifier: MIT
// analyze/common/locals.c -- see locals.h. Where the locals are: up to CPython 3.10 in a frame object that the
// root refers to, later in the root itself, for generators and coroutines in their object.
#include "analyze/common/locals.h"

#include <string.h>

static bool is_builtin(const struct rch_graph *g, rch_node v, const char *name)
{
    const struct rch_type *type = rch_type_of(g, v);
    return type->module == RCH_NO_STR && strcmp(rch_str_get(g, type->name), name) == 0;
}

static rch_node target_of(const struct rch_graph *g, rch_node v, uint32_t ordinal)
{
    return g->edges[g->edge_start[v] + ordinal];
}

struct rch_locals rch_locals_of(const struct rch_graph *g, rch_node root)
{
    struct rch_locals locals = {.graph = g, .holder = root};
    if (root == RCH_NO_NODE || rch_num_refs(g, root) == 0)
        return locals;
    rch_node first = target_of(g, root, 0);
    if (rch_label_of(g, root, 0)->kind == RCH_EDGE_OBJECT && first != RCH_NO_NODE)
        locals.holder = first;
    return locals;
}

// How many times the labels that repeat do, holes (what was deleted) left out. A mapping's entry is
// its key and its value: the value counts.
static uint64_t length_of(const struct rch_graph *g, rch_node v)
{
    static const char *const names[] = {"list", "tuple", "dict", "set", "frozenset"};
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    bool is_container = strcmp(rch_str_get(g, rch_type_of(g, v)->name), "deque") == 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !is_container; i++)
        is_container = is_builtin(g, v, names[i]);
    if (!is_container || shape->num_labels != 0 || shape->num_tail == 0)
        return UINT64_MAX;
    uint64_t length = 0;
    uint32_t counted = shape->num_tail > 1 ? 1 : 0;
    for (uint32_t i = counted; i < rch_num_refs(g, v); i += shape->num_tail)
        length += target_of(g, v, i) != RCH_NO_NODE;
    return length;
}

bool rch_local_next(struct rch_locals *locals, struct rch_local *out)
{
    const struct rch_graph *g = locals->graph;
    uint32_t num = locals->holder == RCH_NO_NODE ? 0 : rch_num_refs(g, locals->holder);
    while (locals->ordinal < num) {
        uint32_t i = locals->ordinal++;
        const struct rch_label *label = rch_label_of(g, locals->holder, i);
        rch_node v = target_of(g, locals->holder, i);
        bool is_closure = label->kind == RCH_EDGE_CLOSURE;
        if ((label->kind != RCH_EDGE_LOCAL && !is_closure) || v == RCH_NO_NODE)
            continue;
        if (is_builtin(g, v, "cell") && rch_num_refs(g, v) > 0)
            v = target_of(g, v, 0);
        if (v == RCH_NO_NODE)  // an empty cell
            continue;
        *out = (struct rch_local){label->name, v, is_closure, length_of(g, v)};
        return true;
    }
    return false;
}
