// SPDX-License-Identifier: MIT
// analyze/common/select.c -- a pattern is matched against the full name, the qualified name and the last
// part of it. Globbing is the two-pointer kind: it takes time, but no stack.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/common/select.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/bits.h"

static bool is_glob(const char *pattern)
{
    return strpbrk(pattern, "*?[") != NULL;
}

// Match one character against a [set] at `set`; *past is after the ']'. A '[' without an end is
// itself. [!x] and [^x] are all but x.
static bool match_set(const char *set, char c, const char **past)
{
    const char *p = set + 1;
    bool negated = *p == '!' || *p == '^', found = false;
    p += negated;
    for (const char *first = p; *p && (*p != ']' || p == first); p++) {
        unsigned char low = (unsigned char)*p;
        if (p[1] == '-' && p[2] && p[2] != ']')
            p += 2;
        found |= (unsigned char)c >= low && (unsigned char)c <= (unsigned char)*p;
    }
    if (*p != ']') {
        *past = set + 1;
        return c == '[';
    }
    *past = p + 1;
    return found != negated;
}

bool rch_match_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL, *past;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '[' ? match_set(pattern, *text, &past)
                                   : *pattern && (*pattern == '?' || *pattern == *text)) {
            pattern = *pattern == '[' ? past : pattern + 1;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot[1] ? dot + 1 : name;
}

static bool is_builtin(const char *module)
{
    return !*module || strcmp(module, "builtins") == 0;
}

// "module.name" against `text`, without joining them.
static bool is_full_name(const char *module, const char *name, const char *text)
{
    size_t len = strlen(module);
    return strncmp(text, module, len) == 0 && text[len] == '.' && strcmp(text + len + 1, name) == 0;
}

struct matcher {
    const struct rch_graph *g;
    const char *pattern;
    bool is_glob;
    char *buf;  // for full names
    size_t buf_bytes;
};

static bool matches(const struct matcher *m, uint32_t type)
{
    const struct rch_type *t = &m->g->types[type];
    const char *module = rch_str_get(m->g, t->module), *name = rch_str_get(m->g, t->name);
    if (m->is_glob) {
        rch_type_full_name(m->g, type, m->buf, m->buf_bytes);
        return rch_match_glob(m->pattern, m->buf);
    }
    if (strcmp(last_part(name), m->pattern) == 0 || strcmp(name, m->pattern) == 0)
        return true;
    return is_full_name(is_builtin(module) ? "builtins" : module, name, m->pattern);
}

static int compare_types(const void *a, const void *b, void *ctx)
{
    const struct rch_graph *g = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(rch_str_get(g, g->types[x].module), rch_str_get(g, g->types[y].module));
    if (!order)
        order = strcmp(rch_str_get(g, g->types[x].name), rch_str_get(g, g->types[y].name));
    return order ? order : (x > y) - (x < y);
}

static size_t longest_name(const struct rch_graph *g)
{
    size_t most = 0;
    for (uint32_t t = 0; t < g->num_types; t++) {
        size_t bytes = (size_t)rch_str_bytes(g, g->types[t].module) +
                       rch_str_bytes(g, g->types[t].name) + sizeof("builtins.");
        most = bytes > most ? bytes : most;
    }
    return most;
}

// Types that roots have, not objects.
static void find_root_types(const struct rch_graph *g, uint64_t *is_root, uint64_t *is_object)
{
    for (uint32_t v = 0; v < g->num_nodes; v++)
        rch_bit_set(v < g->num_objects ? is_object : is_root, g->shapes[g->shape_of[v]].type);
}

enum rch_status rch_select_types(const struct rch_graph *g, const char *pattern,
                                 struct rch_vec *types, struct rch_error *err)
{
    size_t buf_bytes = longest_name(g) + 1, first = types->num;
    RCH_BLOCK(buf, types->alloc, buf_bytes, 1);
    RCH_BITS(roots, types->alloc, g->num_types);
    RCH_BITS(objects, types->alloc, g->num_types);
    if (!buf.mem || !roots.mem || !objects.mem)
        return rch_fail(err, RCH_ENOMEM, "names of %" PRIu32 " types", g->num_types);
    find_root_types(g, roots.mem, objects.mem);
    struct matcher m = {g, pattern, is_glob(pattern), buf.mem, buf_bytes};
    for (uint32_t t = 0; t < g->num_types; t++) {
        if (rch_bit(roots.mem, t) && !rch_bit(objects.mem, t))
            continue;
        if (matches(&m, t))
            RCH_TRY(rch_vec_append(types, &t, 1, err));
    }
    if (types->num > first)
        qsort_r(&RCH_VEC_AT(types, uint32_t, first), types->num - first, sizeof(uint32_t),
                compare_types, (void *)(uintptr_t)g);
    return RCH_OK;
}

enum rch_status rch_select_instances(const struct rch_graph *g, const uint32_t *types,
                                     uint32_t num_types, struct rch_vec *nodes,
                                     struct rch_error *err)
{
    RCH_BITS(wanted_types, nodes->alloc, g->num_types);
    RCH_BLOCK(wanted_shapes, nodes->alloc, g->num_shapes, sizeof(uint8_t));
    uint64_t *by_type = wanted_types.mem;
    uint8_t *by_shape = wanted_shapes.mem;
    if (!by_type || !by_shape)
        return rch_fail(err, RCH_ENOMEM, "instances of %" PRIu32 " types", num_types);
    for (uint32_t i = 0; i < num_types; i++) {
        if (types[i] >= g->num_types)
            return rch_fail(err, RCH_EINVAL, "there is no type %" PRIu32, types[i]);
        rch_bit_set(by_type, types[i]);
    }
    for (uint32_t s = 0; s < g->num_shapes; s++)
        by_shape[s] = rch_bit(by_type, g->shapes[s].type);
    for (rch_node v = 0; v < g->num_objects; v++) {
        if (by_shape[g->shape_of[v]])
            RCH_TRY(rch_vec_append(nodes, &v, 1, err));
    }
    return RCH_OK;
}

void rch_type_full_name(const struct rch_graph *g, uint32_t type, char *buf, size_t buf_bytes)
{
    const char *module = rch_str_get(g, g->types[type].module);
    snprintf(buf, buf_bytes, "%s%s%s", module, *module ? "." : "",
             rch_str_get(g, g->types[type].name));
}
