// SPDX-License-Identifier: MIT
// tests/c/made_graph.c -- see made_graph.h.
#include "made_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"

static void check(enum rch_status st, const char *what, const struct rch_error *err)
{
    if (st == RCH_OK)
        return;
    fprintf(stderr, "a made graph: %s: %s\n", what, err->message);
    exit(1);
}

static void *need(void *mem)
{
    if (!mem)
        exit(1);
    return mem;
}

enum { NUM_TYPES = 50, NUM_ROOTS = 8, EVERY_BIG = 1000 };

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

struct maker {
    struct rch_builder *builder;
    uint32_t num, shapes[NUM_TYPES], root_shape;
    uint64_t step;  // place of number i of the tree: i * step mod num
    struct rch_columns c;
};

static rch_str text_of(struct maker *m, const char *text)
{
    rch_str str = RCH_NO_STR;
    struct rch_error err = {0};
    check(rch_builder_string(m->builder, text, strlen(text), &str, &err), "text", &err);
    return str;
}

static uint32_t make_shape(struct maker *m, const char *name, enum rch_edge_kind kind,
                           uint16_t flags)
{
    struct rch_error err = {0};
    uint32_t type = 0, shape = 0;
    const struct rch_type row = {text_of(m, "made"), text_of(m, name), RCH_NO_NODE, 0};
    const struct rch_label label = {RCH_NO_STR, (uint8_t)kind, RCH_CLASS_STRONG, flags};
    check(rch_builder_type(m->builder, &row, &type, &err), name, &err);
    check(rch_builder_shape(m->builder, type, &label, 0, 1, &shape, &err), name, &err);
    return shape;
}

static void make_shapes(struct maker *m)
{
    char name[32];
    for (uint32_t i = 0; i < NUM_TYPES; i++) {
        snprintf(name, sizeof(name), "Type%02u", i);
        m->shapes[i] = make_shape(m, name, RCH_EDGE_ITEM, i % 2 ? RCH_LABEL_GROUP : 0);
    }
    m->root_shape = make_shape(m, "root", RCH_EDGE_OBJECT, 0);
}

static rch_node place_of(const struct maker *m, uint64_t i)
{
    return (rch_node)(i * m->step % m->num);
}

// Row of tree number i: its two children, then up to three nodes anywhere.
static void fill_edges(struct maker *m, uint32_t *degree)
{
    uint64_t seed = 1, num_edges = 0;
    for (uint32_t i = 0; i < m->num; i++)
        degree[place_of(m, i)] = 2 + (uint32_t)(next_random(&seed) % 2) * 3;
    m->c.edge_start = need(calloc((size_t)m->num + NUM_ROOTS + 1, sizeof(uint32_t)));
    for (uint32_t v = 0; v < m->num; v++) {
        m->c.edge_start[v] = (uint32_t)num_edges;
        num_edges += degree[v];
    }
    m->c.edges = need(calloc(num_edges + NUM_ROOTS, sizeof(rch_node)));
    for (uint64_t i = 0; i < m->num; i++) {
        rch_node v = place_of(m, i), *row = &m->c.edges[m->c.edge_start[v]];
        for (uint32_t k = 0; k < degree[v]; k++) {
            uint64_t child = 2 * i + 1 + k;
            if (k >= 2)
                row[k] = (rch_node)(next_random(&seed) % m->num);
            else
                row[k] = child < m->num ? place_of(m, child) : RCH_NO_NODE;
        }
    }
    for (uint32_t r = 0; r < NUM_ROOTS; r++) {
        m->c.edge_start[m->num + r] = (uint32_t)num_edges;
        m->c.edges[num_edges++] = place_of(m, r ? next_random(&seed) % m->num : 0);
    }
    m->c.edge_start[m->num + NUM_ROOTS] = (uint32_t)num_edges;
    m->c.num_edges = (uint32_t)num_edges;
}

static void fill_nodes(struct maker *m)
{
    uint32_t num = m->num + NUM_ROOTS;
    m->c.shape_of = need(calloc(num, sizeof(uint32_t)));
    m->c.size16 = need(calloc(num, sizeof(uint16_t)));
    m->c.addr8 = need(calloc(m->num, sizeof(uint32_t)));
    m->c.addr_runs = need(calloc(1, sizeof(struct rch_addr_run)));
    m->c.roots = need(calloc(NUM_ROOTS, sizeof(struct rch_root)));
    m->c.addr_runs[0].base = 0x10000;
    m->c.num_addr_runs = 1;
    uint64_t seed = 2;
    for (uint32_t v = 0; v < m->num; v++) {
        uint64_t random = next_random(&seed);
        bool is_rare =
            random % EVERY_BIG == 0;  // the last type is rare: a question with few members
        m->c.shape_of[v] =
            m->shapes[is_rare ? NUM_TYPES - 1 : random / EVERY_BIG % (NUM_TYPES - 1)];
        m->c.size16[v] = (uint16_t)(16 + 8 * (random >> 32 & 15));
        m->c.addr8[v] = v * 4;
    }
    for (uint32_t r = 0; r < NUM_ROOTS; r++) {
        char name[32];
        snprintf(name, sizeof(name), "module%u", r);
        m->c.shape_of[m->num + r] = m->root_shape;
        m->c.roots[r] = (struct rch_root){.name = text_of(m, name), .kind = RCH_ROOT_MODULE};
    }
}

struct rch_graph *make_big_graph(uint32_t num)
{
    struct maker m = {.num = num, .step = num * UINT64_C(618034) / 1000000 | 1};
    struct rch_error err = {0};
    struct rch_graph *g = NULL;
    while (gcd(m.step, num) != 1)
        m.step += 2;
    check(rch_builder_new(rch_alloc_default(), &m.builder, &err), "builder", &err);
    make_shapes(&m);
    uint32_t *degree = need(calloc(num, sizeof(*degree)));
    fill_edges(&m, degree);
    free(degree);
    fill_nodes(&m);
    m.c.num_objects = m.c.num_tracked = num;
    m.c.num_nodes = num + NUM_ROOTS;
    m.c.num_roots = NUM_ROOTS;
    check(rch_builder_adopt(m.builder, &m.c, NULL, NULL, &g, &err), "graph", &err);
    rch_builder_free(m.builder);
    return g;
}
