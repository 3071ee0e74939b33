// SPDX-License-Identifier: MIT
// analyze/common/edges.c -- what one reference means to a question: whether it holds, whether it can be
// cut, how it is shown, and how misleading it would be as part of an explanation.
#include "analyze/common/view.h"

static const struct rch_label *label_of_edge(const struct rch_graph *g, rch_node v, uint32_t e)
{
    return rch_label_of(g, v, e - g->edge_start[v]);
}

static bool is_ignored(const struct rch_view *view, uint32_t e)
{
    size_t low = 0, high = view->ignored.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(&view->ignored, uint32_t, mid) < e)
            low = mid + 1;
        else
            high = mid;
    }
    return low < view->ignored.num && RCH_VEC_AT(&view->ignored, uint32_t, low) == e;
}

bool rch_edge_holds(const struct rch_view *view, rch_node v, uint32_t e)
{
    const struct rch_graph *g = view->g;
    if (g->edges[e] == RCH_NO_NODE)
        return false;
    if (!rch_bit(view->odd.mem, v))
        return true;
    if (label_of_edge(g, v, e)->cls == RCH_CLASS_WEAK || rch_is_removed(view, v))
        return false;
    return !view->ignored.num || !is_ignored(view, e);
}

bool rch_is_attr_dict(struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    const uint8_t *traits = view->traits.mem;
    if (!(traits[g->shape_of[v]] & RCH_SHAPE_MAPPING))
        return false;
    const uint32_t known = UINT32_C(1) << 31;
    uint32_t *cached = &view->dict_cache[v % (sizeof(view->dict_cache) / sizeof(uint32_t))];
    if ((*cached & ~known) == v + 1 && v + 1 < known)
        return (*cached & known) != 0;
    bool is_attr = false;
    for (uint32_t i = view->rev->start[v]; !is_attr && i < view->rev->start[v + 1]; i++)
        is_attr = label_of_edge(g, view->rev->source[i], view->rev->edge[i])->kind == RCH_EDGE_DICT;
    if (v + 1 < known)
        *cached = (v + 1) | (is_attr ? known : 0);
    return is_attr;
}

bool rch_is_namespace(struct rch_view *view, rch_node v)
{
    const struct rch_graph *g = view->g;
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    const struct rch_type *type = &g->types[shape->type];
    if (rch_is_attr_dict(view, v))
        return true;
    if (!shape->num_labels || g->labels[shape->first_label].kind != RCH_EDGE_ATTRIBUTE ||
        type->module != RCH_NO_STR || strcmp(rch_str_get(g, type->name), "dict") != 0)
        return false;
    for (uint32_t i = view->rev->start[v]; i < view->rev->start[v + 1]; i++) {
        if (label_of_edge(g, view->rev->source[i], view->rev->edge[i])->kind == RCH_EDGE_DICT)
            return true;
    }
    return false;
}

static bool is_group(const struct rch_graph *g, rch_node v, const struct rch_label *label)
{
    if (label->flags & RCH_LABEL_GROUP)
        return true;
    if (!rch_is_root(g, v))
        return false;
    const struct rch_root *root = &g->roots[v - g->num_objects];
    return root->kind == RCH_ROOT_C_HELD || (root->flags & RCH_ROOT_CLEARABLE);
}

enum rch_arc rch_arc_of(struct rch_view *view, rch_node v, uint32_t e)
{
    const struct rch_graph *g = view->g;
    if (!rch_edge_holds(view, v, e))
        return RCH_ARC_NONE;
    const struct rch_label *label = label_of_edge(g, v, e);
    if ((label->kind == RCH_EDGE_VALUE || label->kind == RCH_EDGE_KEY) && rch_is_attr_dict(view, v))
        return label->kind == RCH_EDGE_VALUE ? RCH_ARC_UNIT : RCH_ARC_FIXED;
    if (is_group(g, v, label))
        return RCH_ARC_GROUP;
    bool is_fixed = (label->flags & RCH_LABEL_FIXED) || label->kind == RCH_EDGE_DICT ||
                    (label->kind == RCH_EDGE_OBJECT && rch_is_root(g, v));
    return is_fixed ? RCH_ARC_FIXED : RCH_ARC_UNIT;
}

void rch_entry_of(const struct rch_graph *g, rch_node v, uint32_t e, uint32_t *first,
                  uint32_t *past)
{
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    uint32_t begin = g->edge_start[v], ordinal = e - begin;
    *first = e;
    *past = e + 1;
    if (ordinal < shape->num_labels || !shape->num_tail)
        return;
    uint32_t in_tail = ordinal - shape->num_labels;
    *first = e - in_tail % shape->num_tail;
    *past = *first + shape->num_tail;
    if (*past > g->edge_start[v + 1])
        *past = g->edge_start[v + 1];
}

rch_node rch_source_of(const struct rch_graph *g, uint32_t e)
{
    uint32_t low = 0, high = g->num_nodes;  // the last node whose row begins at or before e
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (g->edge_start[mid] <= e)
            low = mid;
        else
            high = mid;
    }
    return low;
}

uint32_t rch_num_entries(const struct rch_graph *g, rch_node v, uint32_t e)
{
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    if (e - g->edge_start[v] < shape->num_labels || !shape->num_tail)
        return 0;
    return (rch_num_refs(g, v) - shape->num_labels) / shape->num_tail;
}

rch_str rch_view_text(struct rch_view *view, rch_node v)
{
    if (v == RCH_NO_NODE)
        return RCH_NO_STR;
    size_t slot = v % (sizeof(view->text_cache) / sizeof(view->text_cache[0]));
    if (view->text_cache[slot].node != v) {
        view->text_cache[slot].node = v;
        view->text_cache[slot].text = rch_text_of_node(view->g, v);
    }
    return view->text_cache[slot].text;
}

// --- how it is shown ---

static enum rch_fold fold_of(struct rch_view *view, rch_node v, const struct rch_label *label)
{
    const struct rch_graph *g = view->g;
    if (label->kind == RCH_EDGE_OBJECT && rch_is_root(g, v) && !is_group(g, v, label)) {
        // The root is this object. What C or nobody holds is one of many: that is a hop.
        uint8_t kind = g->roots[v - g->num_objects].kind;
        return kind == RCH_ROOT_C_HELD || kind == RCH_ROOT_GARBAGE ? RCH_FOLD_NONE
                                                                   : RCH_FOLD_FORWARD;
    }
    if (label->flags & RCH_LABEL_FOLD_FORWARD)
        return RCH_FOLD_FORWARD;
    return label->flags & RCH_LABEL_FOLD_BACK ? RCH_FOLD_BACK : RCH_FOLD_NONE;
}

struct rch_shown rch_shown_of(struct rch_view *view, rch_node v, uint32_t e)
{
    const struct rch_graph *g = view->g;
    const struct rch_label *label = label_of_edge(g, v, e);
    struct rch_shown shown = {(enum rch_edge_kind)label->kind, fold_of(view, v, label), label->name,
                              label->cls == RCH_CLASS_GUESSED};
    if (label->kind == RCH_EDGE_VALUE && rch_is_attr_dict(view, v)) {
        shown.kind = RCH_EDGE_ATTRIBUTE;
        shown.name = rch_view_text(view, rch_key_of_value(g, v, e - g->edge_start[v]));
    }
    return shown;
}

// --- how misleading it is ---

enum { PENALTY_IMPORT = 1, PENALTY_GLOBALS = 1, PENALTY_UNNAMED = 4 };

uint32_t rch_root_penalty(enum rch_root_kind kind)
{
    static const uint8_t penalty[RCH_NUM_ROOT_KINDS] = {
        [RCH_ROOT_INTERPRETER] = 2, [RCH_ROOT_COROUTINE] = 3,   [RCH_ROOT_THREAD] = 4,
        [RCH_ROOT_FRAME] = 5,       [RCH_ROOT_STATIC_TYPE] = 6, [RCH_ROOT_C_HELD] = 8,
    };
    return penalty[kind];
}

const struct rch_root *rch_module_of_dict(const struct rch_view *view, rch_node dict)
{
    size_t low = 0, high = view->modules.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(&view->modules, struct rch_module_dict, mid).dict < dict)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == view->modules.num)
        return NULL;
    const struct rch_module_dict *row = &RCH_VEC_AT(&view->modules, struct rch_module_dict, low);
    return row->dict == dict ? &view->g->roots[row->root] : NULL;
}

// What a class says in its namespace: one without instances has no row among the types.
static rch_str module_in_namespace(struct rch_view *view, rch_node type_object)
{
    const struct rch_graph *g = view->g;
    rch_node dict = RCH_NO_NODE;
    for (uint32_t e = g->edge_start[type_object]; e < g->edge_start[type_object + 1]; e++) {
        if (g->edges[e] != RCH_NO_NODE && label_of_edge(g, type_object, e)->kind == RCH_EDGE_DICT) {
            dict = g->edges[e];
            break;
        }
    }
    for (uint32_t i = 0; dict != RCH_NO_NODE && i < rch_num_refs(g, dict); i++) {
        rch_node key = rch_key_of_value(g, dict, i);
        if (key != RCH_NO_NODE &&
            strcmp(rch_str_get(g, rch_view_text(view, key)), "__module__") == 0)
            return rch_view_text(view, g->edges[g->edge_start[dict] + i]);
    }
    return RCH_NO_STR;
}

uint32_t rch_type_at(const struct rch_view *view, rch_node type_object)
{
    size_t low = 0, high = view->type_objects.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (RCH_VEC_AT(&view->type_objects, struct rch_type_object, mid).node < type_object)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == view->type_objects.num)
        return UINT32_MAX;
    const struct rch_type_object *row =
        &RCH_VEC_AT(&view->type_objects, struct rch_type_object, low);
    return row->node == type_object ? row->type : UINT32_MAX;
}

static rch_str module_of_type(struct rch_view *view, rch_node type_object)
{
    uint32_t type = rch_type_at(view, type_object);
    return type != UINT32_MAX ? view->g->types[type].module
                              : module_in_namespace(view, type_object);
}

static rch_str module_of_function(struct rch_view *view, rch_node function)
{
    const struct rch_graph *g = view->g;
    const struct rch_shape *shape = &g->shapes[g->shape_of[function]];
    uint32_t num = rch_num_refs(g, function);
    for (uint32_t i = 0; i < shape->num_labels && i < num; i++) {
        const struct rch_label *label = &g->labels[shape->first_label + i];
        if (label->kind == RCH_EDGE_FIELD && strcmp(rch_str_get(g, label->name), "__module__") == 0)
            return rch_view_text(view, g->edges[g->edge_start[function] + i]);
    }
    return RCH_NO_STR;
}

// A module's attribute that the module did not make: another module, or what one defines.
static bool is_import(struct rch_view *view, rch_node dict, rch_node value)
{
    const struct rch_graph *g = view->g;
    uint32_t flags = rch_type_of(g, value)->flags;
    if (!(flags & (RCH_TYPE_IS_TYPE | RCH_TYPE_IS_FUNCTION | RCH_TYPE_IS_MODULE)))
        return false;
    const struct rch_root *module = rch_module_of_dict(view, dict);
    if (!module)
        return false;
    if (flags & RCH_TYPE_IS_MODULE)
        return true;
    rch_str from =
        flags & RCH_TYPE_IS_TYPE ? module_of_type(view, value) : module_of_function(view, value);
    return from != RCH_NO_STR && from != module->name &&
           strcmp(rch_str_get(g, from), rch_str_get(g, module->name)) != 0;
}

static bool is_globals(const struct rch_graph *g, const struct rch_label *label)
{
    const char *name = rch_str_get(g, label->name);
    return label->kind == RCH_EDGE_FIELD &&
           (strcmp(name, "__globals__") == 0 || strcmp(name, "__builtins__") == 0);
}

// What this question charges on top, see filter.h.
static uint32_t postponed_by(const struct rch_view *view, rch_node v, uint32_t e)
{
    const struct rch_graph *g = view->g;
    const uint8_t *traits = view->traits.mem;
    uint32_t penalty = 0;
    if (!view->is_postponing)
        return 0;
    if (traits[g->shape_of[v]] & RCH_SHAPE_WEAK)
        penalty += RCH_PENALTY_WEAK;
    if (rch_bit(view->direct.mem, v))
        penalty += RCH_PENALTY_OBSERVER;
    size_t low = 0, high = view->postponed.num;
    const struct rch_postponed *rows = view->postponed.mem;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows[mid].edge < e)
            low = mid + 1;
        else
            high = mid;
    }
    return low < view->postponed.num && rows[low].edge == e ? penalty + rows[low].penalty : penalty;
}

struct rch_step rch_label_step(const struct rch_label *label, const struct rch_graph *g)
{
    bool folds = label->flags & (RCH_LABEL_FOLD_FORWARD | RCH_LABEL_FOLD_BACK);
    struct rch_step step = {0, !folds};
    if (label->cls == RCH_CLASS_GUESSED || label->kind == RCH_EDGE_REFERENCE)
        step.penalty += PENALTY_UNNAMED;
    if (is_globals(g, label))
        step.penalty += PENALTY_GLOBALS;
    return step;
}

struct rch_step rch_step_of(struct rch_view *view, rch_node v, uint32_t e)
{
    const struct rch_graph *g = view->g;
    const struct rch_label *label = label_of_edge(g, v, e);
    struct rch_step step = rch_label_step(label, g);
    step.hops = fold_of(view, v, label) == RCH_FOLD_NONE;
    if (label->kind == RCH_EDGE_VALUE && is_import(view, v, g->edges[e]))
        step.penalty += PENALTY_IMPORT;
    step.penalty += postponed_by(view, v, e);
    return step;
}
