// SPDX-License-Identifier: MIT
// model/builder_adopt.c -- columns and tables change hands: from the builder and capture to a graph
// that frees them.
#include <inttypes.h>

#include "model/builder.h"
#include "model/builder_impl.h"

struct built {
    struct rch_graph graph;
    const struct rch_alloc *alloc;
    struct rch_builder_tables tables;
    struct rch_columns columns;
    void (*unmap)(void *ctx, void *mem);
    void *unmap_ctx;
};

static void drop_column(const struct built *built, void *mem, size_t num, size_t elem_bytes)
{
    if (!mem)
        return;
    if (built->unmap)
        built->unmap(built->unmap_ctx, mem);
    else
        rch_free(built->alloc, mem, num, elem_bytes);
}

static void built_release(struct rch_graph *graph)
{
    struct built *built = graph->owner;
    const struct rch_columns *c = &built->columns;
    drop_column(built, c->edge_start, (size_t)c->num_nodes + 1, sizeof(*c->edge_start));
    drop_column(built, c->edges, c->num_edges, sizeof(*c->edges));
    drop_column(built, c->shape_of, c->num_nodes, sizeof(*c->shape_of));
    drop_column(built, c->size16, c->num_nodes, sizeof(*c->size16));
    drop_column(built, c->addr8, c->num_objects, sizeof(*c->addr8));
    drop_column(built, c->big_sizes, c->num_big_sizes, sizeof(*c->big_sizes));
    drop_column(built, c->addr_runs, c->num_addr_runs, sizeof(*c->addr_runs));
    drop_column(built, c->roots, c->num_roots, sizeof(*c->roots));
    drop_column(built, c->observers, c->num_observers, sizeof(*c->observers));
    drop_column(built, c->texts, c->num_texts, sizeof(*c->texts));
    drop_column(built, c->threads, c->num_threads, sizeof(*c->threads));
    drop_column(built, c->stack_frames, c->num_stack_frames, sizeof(*c->stack_frames));
    drop_column(built, c->fds, c->num_fds, sizeof(*c->fds));
    drop_column(built, c->fd_owners, c->num_fd_owners, sizeof(*c->fd_owners));
    rch_builder_tables_deinit(&built->tables);
    rch_free(built->alloc, built, 1, sizeof(*built));
}

static enum rch_status check_counts(const struct rch_columns *c, struct rch_error *err)
{
    if (c->num_tracked > c->num_objects || c->num_objects > c->num_nodes ||
        c->num_nodes == RCH_NO_NODE || c->num_nodes - c->num_objects != c->num_roots)
        return rch_fail(err, RCH_EINVAL,
                        "columns of %" PRIu32 " tracked, %" PRIu32 " objects, %" PRIu32
                        " roots, %" PRIu32 " nodes",
                        c->num_tracked, c->num_objects, c->num_roots, c->num_nodes);
    bool has_all = c->edge_start && (c->edges || !c->num_edges) &&
                   ((c->shape_of && c->size16) || !c->num_nodes) &&
                   ((c->addr8 && c->addr_runs && c->num_addr_runs) || !c->num_objects) &&
                   (c->big_sizes || !c->num_big_sizes) && (c->roots || !c->num_roots) &&
                   (c->observers || !c->num_observers) && (c->texts || !c->num_texts) &&
                   (c->threads || !c->num_threads) && (c->stack_frames || !c->num_stack_frames) &&
                   (c->fds || !c->num_fds) && (c->fd_owners || !c->num_fd_owners);
    if (!has_all)
        return rch_fail(err, RCH_EINVAL, "a column is missing");
    if (c->edge_start[c->num_nodes] != c->num_edges)
        return rch_fail(err, RCH_EINVAL, "edge_start ends at %" PRIu32 " of %" PRIu32 " references",
                        c->edge_start[c->num_nodes], c->num_edges);
    return RCH_OK;
}

static void fill_columns(struct rch_graph *g, const struct rch_columns *c)
{
    g->num_tracked = c->num_tracked;
    g->num_objects = c->num_objects;
    g->num_nodes = c->num_nodes;
    g->num_edges = c->num_edges;
    g->edge_start = c->edge_start;
    g->edges = c->edges;
    g->shape_of = c->shape_of;
    g->size16 = c->size16;
    g->addr8 = c->addr8;
    g->big_sizes = c->big_sizes;
    g->num_big_sizes = c->num_big_sizes;
    g->addr_runs = c->addr_runs;
    g->num_addr_runs = c->num_addr_runs;
    g->roots = c->roots;
    g->num_roots = c->num_roots;
    g->observers = c->observers;
    g->num_observers = c->num_observers;
    g->texts = c->texts;
    g->num_texts = c->num_texts;
    g->threads = c->threads;
    g->num_threads = c->num_threads;
    g->stack_frames = c->stack_frames;
    g->num_stack_frames = c->num_stack_frames;
    g->fds = c->fds;
    g->num_fds = c->num_fds;
    g->fd_owners = c->fd_owners;
    g->num_fd_owners = c->num_fd_owners;
}

static void fill_tables(struct rch_graph *g, const struct rch_builder_tables *t)
{
    g->shapes = t->shapes.mem;
    g->num_shapes = (uint32_t)t->shapes.num;
    g->labels = t->labels.mem;
    g->num_labels = (uint32_t)t->labels.num;
    g->types = t->types.mem;
    g->num_types = (uint32_t)t->types.num;
    g->str_start = t->str_start.mem;
    g->num_strs = t->str_start.num ? (uint32_t)(t->str_start.num - 1) : 0;
    g->str_bytes = t->str_bytes.mem;
    g->num_str_bytes = (uint32_t)t->str_bytes.num;
    g->warnings = t->warnings.mem;
    g->num_warnings = (uint32_t)t->warnings.num;
}

void rch_builder_fill_graph(struct rch_graph *g, const struct rch_columns *columns,
                            const struct rch_builder_tables *tables)
{
    fill_columns(g, columns);
    fill_tables(g, tables);
}

enum rch_status rch_builder_adopt(struct rch_builder *b, const struct rch_columns *columns,
                                  void (*unmap)(void *ctx, void *mem), void *unmap_ctx,
                                  struct rch_graph **graph_out, struct rch_error *err)
{
    RCH_TRY(check_counts(columns, err));
    if (b->tables.str_start.num == 0)
        return rch_fail(err, RCH_EINVAL, "the builder has made its graph");
    struct built *built = rch_calloc(b->alloc, 1, sizeof(*built));
    if (!built)
        return rch_fail(err, RCH_ENOMEM, "graph");
    built->alloc = b->alloc;
    built->tables = b->tables;
    built->columns = *columns;
    built->unmap = unmap;
    built->unmap_ctx = unmap_ctx;
    rch_builder_fill_graph(&built->graph, columns, &built->tables);
    built->graph.info = b->info;
    built->graph.release = built_release;
    built->graph.owner = built;
    rch_builder_tables_init(&b->tables, b->alloc);  // they are the graph's now
    rch_builder_clear(b);
    *graph_out = &built->graph;
    return RCH_OK;
}
