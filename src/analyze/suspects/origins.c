// SPDX-License-Identifier: MIT
// analyze/suspects/origins.c -- whose a module is, and which holders are known to be benign: look-ups in the two
// tables beside it, which are data.
#include <stdlib.h>
#include <string.h>

#include "analyze/suspects/suspects_impl.h"

static const char *const stdlib_modules[] = {
#define STDLIB(name) name,
#include "analyze/suspects/stdlib_modules.def"
#undef STDLIB
};

struct benign {
    const char *root, *name, *reason;
};
static const struct benign benign_holders[] = {
#define BENIGN(root, name, reason) {root, name, reason},
#include "analyze/suspects/benign_holders.def"
#undef BENIGN
};

// Order of a name and the first `num` bytes of another.
static int compare_part(const char *name, const char *part, size_t num)
{
    int order = strncmp(name, part, num);
    return order ? order : (name[num] != '\0');
}

enum rch__origin rch__origin_of_module(const char *module)
{
    size_t num = strcspn(module, "."), low = 0;
    size_t high = sizeof(stdlib_modules) / sizeof(stdlib_modules[0]);
    if (num == 0)
        return RCH__BUILTIN;
    if (num == 8 && strncmp(module, "refchain", num) == 0)
        return RCH__OWN;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_part(stdlib_modules[middle], module, num);
        if (order == 0)
            return RCH__STDLIB;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return RCH__PROGRAM;
}

/// "re.*" fits "re" and "re._compiler", "pydoc*" all that begins so, any other only itself.
static bool fits(const char *pattern, const char *name)
{
    size_t num = strlen(pattern);
    if (num == 0 || pattern[num - 1] != '*')
        return strcmp(pattern, name) == 0;
    if (num >= 2 && pattern[num - 2] == '.')
        return strncmp(name, pattern, num - 2) == 0 &&
               (name[num - 2] == '.' || name[num - 2] == '\0');
    return strncmp(name, pattern, num - 1) == 0;
}

const char *rch__benign_reason(const char *root_name, const char *name)
{
    for (size_t i = 0; i < sizeof(benign_holders) / sizeof(benign_holders[0]); i++) {
        const struct benign *row = &benign_holders[i];
        if (fits(row->root, root_name) && fits(row->name, name ? name : ""))
            return row->reason;
    }
    return NULL;
}

static int compare_dicts(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = ((const struct rch_module_dict *)b)->dict;
    return (x > y) - (x < y);
}

static int compare_types(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = ((const struct rch_type_object *)b)->node;
    return (x > y) - (x < y);
}

static const void *find(rch_node v, const struct rch_vec *vec,
                        int (*compare)(const void *, const void *))
{
    return vec->num ? bsearch(&v, vec->mem, vec->num, vec->elem_bytes, compare) : NULL;
}

// The module that a node is, or belongs to as a class.
static const char *module_of(const struct rch__search *s, rch_node v)
{
    const struct rch_graph *g = s->g;
    if (rch_is_root(g, v)) {
        const struct rch_root *root = &g->roots[v - g->num_objects];
        return root->kind == RCH_ROOT_MODULE ? rch_str_get(g, root->name) : NULL;
    }
    const struct rch_module_dict *dict = find(v, &s->view.modules, compare_dicts);
    if (dict)
        return rch_str_get(g, g->roots[dict->root].name);
    const struct rch_type_object *type = find(v, &s->view.type_objects, compare_types);
    if (!type)
        return NULL;
    const char *module = rch_str_get(g, g->types[type->type].module);
    return *module ? module : "builtins";
}

const char *rch__module_above(const struct rch__search *s, rch_node v)
{
    enum { MAX_STEPS = 1000 };
    for (int i = 0; i < MAX_STEPS && v != RCH_NO_NODE && v != rch_super_root(&s->dom); i++) {
        const char *module = module_of(s, v);
        if (module)
            return module;
        v = s->dom.idom[v];
    }
    return NULL;
}

rch_node rch__variable(const struct rch__search *s, const char *module, const char *name)
{
    const struct rch_graph *g = s->g;
    for (size_t i = 0; i < s->view.modules.num; i++) {
        const struct rch_module_dict *row =
            &RCH_VEC_AT(&s->view.modules, struct rch_module_dict, i);
        if (strcmp(rch_str_get(g, g->roots[row->root].name), module) != 0)
            continue;
        for (uint32_t e = g->edge_start[row->dict]; e < g->edge_start[row->dict + 1]; e++) {
            rch_node key = rch_key_of_value(g, row->dict, e - g->edge_start[row->dict]);
            if (key != RCH_NO_NODE && g->edges[e] != RCH_NO_NODE &&
                strcmp(rch_str_get(g, rch_text_of_node(g, key)), name) == 0)
                return g->edges[e];
        }
    }
    return RCH_NO_NODE;
}
