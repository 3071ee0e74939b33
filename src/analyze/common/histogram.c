// SPDX-License-Identifier: MIT
// analyze/common/histogram.c -- count by shape first: shapes are few, and the pass over the nodes then
// touches only flat columns.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/common/histogram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/keepers/retained.h"
#include "model/derived.h"

static int compare_rows(const void *a, const void *b, void *ctx)
{
    const struct rch_graph *g = ctx;
    const struct rch_type_count *x = a, *y = b;
    if (x->retained != y->retained)
        return x->retained > y->retained ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    const struct rch_type *t = &g->types[x->type], *u = &g->types[y->type];
    int order = strcmp(rch_str_get(g, t->module), rch_str_get(g, u->module));
    if (!order)
        order = strcmp(rch_str_get(g, t->name), rch_str_get(g, u->name));
    return order ? order : (x->type > y->type) - (x->type < y->type);
}

static void sort_rows(const struct rch_graph *g, struct rch_type_count *rows, uint32_t num)
{
    if (num)
        qsort_r(rows, num, sizeof(*rows), compare_rows, (void *)(uintptr_t)g);
}

static int compare_bytes(const void *a, const void *b, void *ctx)
{
    const struct rch_type_count *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return compare_rows(a, b, ctx);
}

void rch_histogram_sort_bytes(const struct rch_graph *g, struct rch_type_count *rows, uint32_t num)
{
    if (num)
        qsort_r(rows, num, sizeof(*rows), compare_bytes, (void *)(uintptr_t)g);
}

static enum rch_status count(const struct rch_graph *g, struct rch_type_count *by_shape,
                             struct rch_error *err)
{
    for (rch_node v = 0; v < g->num_objects; v++) {
        struct rch_type_count *row = &by_shape[g->shape_of[v]];
        row->count++;
        if (__builtin_add_overflow(row->bytes, rch_size_bytes(g, v), &row->bytes))
            return rch_fail(err, RCH_EOVERFLOW, "bytes of all objects of a type");
    }
    return RCH_OK;
}

enum rch_status rch_histogram(const struct rch_graph *g, const struct rch_alloc *alloc,
                              struct rch_type_count **rows_out, uint32_t *num_out,
                              struct rch_error *err)
{
    RCH_BLOCK(shapes, alloc, g->num_shapes, sizeof(struct rch_type_count));
    RCH_BLOCK(types, alloc, g->num_types, sizeof(struct rch_type_count));
    struct rch_type_count *by_shape = shapes.mem, *by_type = types.mem;
    if (!by_shape || !by_type)
        return rch_fail(err, RCH_ENOMEM, "counts of %" PRIu32 " types", g->num_types);
    RCH_TRY(count(g, by_shape, err));
    uint32_t num = 0;
    for (uint32_t s = 0; s < g->num_shapes; s++) {
        struct rch_type_count *row = &by_type[g->shapes[s].type];
        num += by_shape[s].count && !row->count;
        row->count += by_shape[s].count;
        if (__builtin_add_overflow(row->bytes, by_shape[s].bytes, &row->bytes))
            return rch_fail(err, RCH_EOVERFLOW, "bytes of all objects of a type");
    }
    RCH_BLOCK(out, alloc, num, sizeof(struct rch_type_count));
    struct rch_type_count *rows = out.mem;
    if (!rows)
        return rch_fail(err, RCH_ENOMEM, "counts of %" PRIu32 " types", num);
    for (uint32_t t = 0, i = 0; t < g->num_types; t++) {
        if (by_type[t].count)
            rows[i++] = (struct rch_type_count){t, by_type[t].count, by_type[t].bytes, 0};
    }
    sort_rows(g, rows, num);
    *rows_out = rch_block_take(&out);
    *num_out = num;
    return RCH_OK;
}

static void put_retained(const struct rch_graph *g, const uint64_t *by_type,
                         struct rch_type_count *rows, uint32_t num)
{
    for (uint32_t i = 0; i < num; i++)
        rows[i].retained = by_type[rows[i].type];
    sort_rows(g, rows, num);
}

static enum rch_status fill_retained(const struct rch_graph *g, const struct rch_domtree *dom,
                                     const struct rch_alloc *alloc, struct rch_type_count *rows,
                                     uint32_t num, struct rch_error *err)
{
    uint64_t *bytes, *by_type;
    RCH_TRY(rch_retained_bytes(g, dom, alloc, &bytes, err));
    enum rch_status st = rch_retained_by_type(g, dom, bytes, alloc, &by_type, err);
    rch_free(alloc, bytes, (size_t)g->num_nodes + 1, sizeof(*bytes));
    if (st != RCH_OK)
        return st;
    put_retained(g, by_type, rows, num);
    rch_derived_put_copy(g, RCH_GROUP_TYPE_RETAINED, by_type, g->num_types, alloc);
    rch_free(alloc, by_type, g->num_types, sizeof(*by_type));
    return RCH_OK;
}

enum rch_status rch_histogram_retained(const struct rch_graph *g, const struct rch_alloc *alloc,
                                       const struct rch_progress *progress,
                                       struct rch_type_count *rows, uint32_t num,
                                       struct rch_error *err)
{
    struct rch_derived_rows kept[RCH_MAX_GROUP];
    if (rch_derived_get(g, RCH_GROUP_TYPE_RETAINED, progress, kept)) {
        put_retained(g, kept[0].rows, rows, num);
        return RCH_OK;
    }
    struct rch_domtree dom;
    RCH_TRY(rch_domtree_init(&dom, g, alloc, progress, err));
    enum rch_status st = fill_retained(g, &dom, alloc, rows, num, err);
    rch_domtree_deinit(&dom);
    return st;
}
