// SPDX-License-Identifier: MIT
// analyze/cycles/finalizer.c -- whether a type's instances have a __del__: its dictionary has such a key, or
// that of a base has. Bases are found by the references that types have to them.
#include "analyze/cycles/cycles_impl.h"

enum { UNKNOWN, HAS_NOT, HAS };

static bool has_key(struct rch_view *view, rch_node dict)
{
    const struct rch_graph *g = view->g;
    for (uint32_t i = 0; i < rch_num_refs(g, dict); i++) {
        rch_node key = rch_key_of_value(g, dict, i);
        if (key != RCH_NO_NODE && strcmp(rch_str_get(g, rch_view_text(view, key)), "__del__") == 0)
            return true;
    }
    return false;
}

// Does the type object say so itself?
static bool defines_del(struct rch_view *view, rch_node type_object)
{
    const struct rch_graph *g = view->g;
    for (uint32_t i = 0; i < rch_num_refs(g, type_object); i++) {
        rch_node to = g->edges[g->edge_start[type_object] + i];
        if (to != RCH_NO_NODE && rch_label_of(g, type_object, i)->kind == RCH_EDGE_DICT &&
            has_key(view, to))
            return true;
    }
    return false;
}

bool rch__has_del(struct rch_view *view, uint32_t type, uint8_t *known)
{
    const struct rch_graph *g = view->g;
    rch_node object = g->types[type].node;
    if (known[type] != UNKNOWN || object == RCH_NO_NODE)
        return known[type] == HAS;
    bool has = defines_del(view, object);
    for (uint32_t i = 0; !has && i < rch_num_refs(g, object); i++) {
        rch_node mro = g->edges[g->edge_start[object] + i];
        if (mro == RCH_NO_NODE ||
            strcmp(rch_str_get(g, rch_label_of(g, object, i)->name), "__mro__") != 0)
            continue;
        for (uint32_t e = g->edge_start[mro]; !has && e < g->edge_start[mro + 1]; e++)
            has = g->edges[e] != RCH_NO_NODE && g->edges[e] != object &&
                  defines_del(view, g->edges[e]);
    }
    known[type] = has ? HAS : HAS_NOT;
    return has;
}
