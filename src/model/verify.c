// SPDX-License-Identifier: MIT
// model/verify.c -- every invariant of graph.h. The big columns are checked in blocks, all rows of
// a block without a branch; only a block that is bad is looked at again for the first bad row.
#include "model/verify.h"

#include <inttypes.h>

#define BLOCK_ROWS 4096u

static enum rch_status bad_row(struct rch_error *err, const char *column, uint64_t row,
                               const char *what)
{
    return rch_fail_at(err, RCH_ECORRUPT, row, "graph: %s[%" PRIu64 "] %s", column, row, what);
}

static uint32_t block_end(uint32_t begin, uint32_t num)
{
    return num - begin < BLOCK_ROWS ? num : begin + BLOCK_ROWS;
}

static bool column_missing(const void *column, uint32_t num)
{
    return num != 0 && !column;
}

static enum rch_status check_counts(const struct rch_graph *g, struct rch_error *err)
{
    if (g->num_tracked > g->num_objects || g->num_objects > g->num_nodes ||
        g->num_nodes == RCH_NO_NODE || g->num_roots != g->num_nodes - g->num_objects)
        return rch_fail(err, RCH_ECORRUPT,
                        "graph: %" PRIu32 " tracked, %" PRIu32 " objects, %" PRIu32
                        " roots and %" PRIu32 " nodes do not agree",
                        g->num_tracked, g->num_objects, g->num_roots, g->num_nodes);
    if (!g->edge_start || !g->str_start || column_missing(g->edges, g->num_edges) ||
        column_missing(g->shape_of, g->num_nodes) || column_missing(g->size16, g->num_nodes) ||
        column_missing(g->addr8, g->num_objects) || column_missing(g->roots, g->num_roots) ||
        column_missing(g->big_sizes, g->num_big_sizes) ||
        column_missing(g->addr_runs, g->num_addr_runs) ||
        column_missing(g->shapes, g->num_shapes) || column_missing(g->labels, g->num_labels) ||
        column_missing(g->types, g->num_types) || column_missing(g->texts, g->num_texts) ||
        column_missing(g->observers, g->num_observers) ||
        column_missing(g->threads, g->num_threads) ||
        column_missing(g->stack_frames, g->num_stack_frames) ||
        column_missing(g->fds, g->num_fds) || column_missing(g->fd_owners, g->num_fd_owners) ||
        column_missing(g->str_bytes, g->num_str_bytes) ||
        column_missing(g->warnings, g->num_warnings))
        return rch_fail(err, RCH_ECORRUPT, "graph: a column is missing");
    return RCH_OK;
}

static enum rch_status check_strings(const struct rch_graph *g, struct rch_error *err)
{
    if (g->num_strs == 0 || g->str_start[0] != 0 || g->str_start[g->num_strs] != g->num_str_bytes)
        return rch_fail(err, RCH_ECORRUPT, "graph: strings do not begin at 0 or end at %" PRIu32,
                        g->num_str_bytes);
    for (uint32_t i = 0; i < g->num_strs; i++) {
        uint32_t begin = g->str_start[i], end = g->str_start[i + 1];
        if (end <= begin || end > g->num_str_bytes)
            return bad_row(err, "str_start", i, "is out of order");
        if (g->str_bytes[end - 1] != '\0')
            return bad_row(err, "strings", i, "is not followed by a NUL");
    }
    if (g->str_start[1] != 1)
        return bad_row(err, "strings", 0, "is not empty");
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        if (g->warnings[i] >= g->num_strs)
            return bad_row(err, "warnings", i, "is no string");
    }
    return RCH_OK;
}

static enum rch_status check_types(const struct rch_graph *g, struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_types; i++) {
        const struct rch_type *type = &g->types[i];
        if (type->module >= g->num_strs || type->name >= g->num_strs)
            return bad_row(err, "types", i, "has a name that is no string");
        if (type->node >= g->num_objects && type->node != RCH_NO_NODE)
            return bad_row(err, "types", i, "is at a node that is no object");
    }
    return RCH_OK;
}

static enum rch_status check_shapes(const struct rch_graph *g, struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_shapes; i++) {
        const struct rch_shape *shape = &g->shapes[i];
        uint64_t end = (uint64_t)shape->first_label + shape->num_labels + shape->num_tail;
        if (shape->type >= g->num_types)
            return bad_row(err, "shapes", i, "has no type");
        if (shape->num_tail > RCH_MAX_TAIL)
            return bad_row(err, "shapes", i, "has a tail of more than 3 labels");
        if (end > g->num_labels)
            return bad_row(err, "shapes", i, "has labels out of range");
    }
    for (uint32_t i = 0; i < g->num_labels; i++) {
        const struct rch_label *label = &g->labels[i];
        if (label->name >= g->num_strs)
            return bad_row(err, "labels", i, "has a name that is no string");
        if (label->kind >= RCH_NUM_EDGE_KINDS || label->cls > RCH_CLASS_GUESSED)
            return bad_row(err, "labels", i, "is of an unknown kind");
    }
    return RCH_OK;
}

static enum rch_status check_node_shapes(const struct rch_graph *g, struct rch_error *err)
{
    if (g->edge_start[0] != 0 || g->edge_start[g->num_nodes] != g->num_edges)
        return rch_fail(err, RCH_ECORRUPT,
                        "graph: edge_start does not begin at 0 or end at %" PRIu32, g->num_edges);
    uint32_t begin = 0;
    for (uint32_t v = 0; v < g->num_nodes; v++) {
        uint32_t end = g->edge_start[v + 1], s = g->shape_of[v];
        if (end < begin)
            return bad_row(err, "edge_start", v, "is out of order");
        if (s >= g->num_shapes)
            return bad_row(err, "shape_of", v, "is no shape");
        const struct rch_shape *shape = &g->shapes[s];
        if (end - begin > shape->num_labels && shape->num_tail == 0)
            return bad_row(err, "edge_start", v, "gives more references than the shape has labels");
        begin = end;
    }
    return RCH_OK;
}

static enum rch_status check_edges(const struct rch_graph *g, struct rch_error *err)
{
    const rch_node *edges = g->edges;
    const uint32_t num_objects = g->num_objects;
    for (uint32_t e = 0, end; e < g->num_edges; e = end) {
        end = block_end(e, g->num_edges);
        uint32_t bad = 0;
        for (uint32_t i = e; i < end; i++)
            bad |= (uint32_t)(edges[i] >= num_objects) & (uint32_t)(edges[i] != RCH_NO_NODE);
        for (uint32_t i = e; bad && i < end; i++) {
            if (edges[i] >= num_objects && edges[i] != RCH_NO_NODE)
                return bad_row(err, "edges", i, "leads to no object");
        }
    }
    return RCH_OK;
}

// Addresses of nodes [begin, end), all of one run and one half, ascend.
static enum rch_status check_ascending(const struct rch_graph *g, uint32_t begin, uint32_t end,
                                       struct rch_error *err)
{
    const uint32_t *addr8 = g->addr8;
    for (uint32_t v = begin, stop; v + 1 < end; v = stop) {
        stop = block_end(v, end - 1);
        uint32_t bad = 0;
        for (uint32_t i = v; i < stop; i++)
            bad |= (uint32_t)(addr8[i] >= addr8[i + 1]);
        for (uint32_t i = v; bad && i < stop; i++) {
            if (addr8[i] >= addr8[i + 1])
                return bad_row(err, "addr8", i + 1, "is out of order");
        }
    }
    return RCH_OK;
}

// One run's nodes [begin, end), which may lie in both halves. *last: the address before `begin`.
static enum rch_status check_run(const struct rch_graph *g, const struct rch_addr_run *run,
                                 uint32_t begin, uint32_t end, rch_addr *last,
                                 struct rch_error *err)
{
    const rch_addr reach = 8 * (rch_addr)UINT32_MAX;
    if (run->base % 8 != 0 || run->base > UINT64_MAX - reach)
        return bad_row(err, "addr_runs", (uint64_t)(run - g->addr_runs), "has no possible base");
    while (begin < end) {
        uint32_t stop = begin < g->num_tracked && end > g->num_tracked ? g->num_tracked : end;
        rch_addr first = run->base + 8 * (rch_addr)g->addr8[begin];
        if (begin != 0 && begin != g->num_tracked && first <= *last)
            return bad_row(err, "addr8", begin, "is out of order");
        RCH_TRY(check_ascending(g, begin, stop, err));
        *last = run->base + 8 * (rch_addr)g->addr8[stop - 1];
        begin = stop;
    }
    return RCH_OK;
}

static enum rch_status check_addresses(const struct rch_graph *g, struct rch_error *err)
{
    if (g->num_objects && !g->num_addr_runs)
        return rch_fail(err, RCH_ECORRUPT, "graph: objects without addresses");
    rch_addr last = 0;
    for (uint32_t i = 0; i < g->num_addr_runs; i++) {
        uint32_t begin = g->addr_runs[i].first_node, end = g->num_objects;
        if (i + 1 < g->num_addr_runs)
            end = g->addr_runs[i + 1].first_node;
        if ((i == 0 && begin != 0) || begin >= end || end > g->num_objects)
            return bad_row(err, "addr_runs", i, "is out of order");
        RCH_TRY(check_run(g, &g->addr_runs[i], begin, end, &last, err));
    }
    return RCH_OK;
}

static enum rch_status check_big_sizes(const struct rch_graph *g, uint64_t *sum,
                                       struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_big_sizes; i++) {
        const struct rch_big_size *big = &g->big_sizes[i];
        if (big->node >= g->num_nodes || (i > 0 && big->node <= g->big_sizes[i - 1].node))
            return bad_row(err, "big_sizes", i, "is out of order");
        if (g->size16[big->node] != RCH_SIZE_BIG || big->bytes < RCH_SIZE_BIG)
            return bad_row(err, "big_sizes", i, "is for a small object");
        if (__builtin_add_overflow(*sum, big->bytes, sum))
            return bad_row(err, "big_sizes", i, "makes the sum overflow");
    }
    return RCH_OK;
}

// As many big sizes as nodes that need one; with check_big_sizes: exactly those.
static enum rch_status check_sizes(const struct rch_graph *g, struct rch_error *err)
{
    uint64_t sum = 0;
    uint32_t num_big = 0;
    for (uint32_t v = 0, end; v < g->num_nodes; v = end) {
        end = block_end(v, g->num_nodes);
        uint32_t block_sum = 0, block_big = 0;
        for (uint32_t i = v; i < end; i++) {
            block_sum += g->size16[i];
            block_big += (uint32_t)(g->size16[i] == RCH_SIZE_BIG);
        }
        sum += block_sum;
        num_big += block_big;
    }
    if (num_big != g->num_big_sizes)
        return rch_fail(err, RCH_ECORRUPT,
                        "graph: %" PRIu32 " big objects, but %" PRIu32 " big sizes", num_big,
                        g->num_big_sizes);
    return check_big_sizes(g, &sum, err);
}

static enum rch_status check_rows(const struct rch_graph *g, struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_roots; i++) {
        const struct rch_root *root = &g->roots[i];
        if (root->name >= g->num_strs || root->detail >= g->num_strs)
            return bad_row(err, "roots", i, "has a name that is no string");
        if (root->kind >= RCH_NUM_ROOT_KINDS)
            return bad_row(err, "roots", i, "is of an unknown kind");
    }
    for (uint32_t i = 0; i < g->num_observers; i++) {
        if (g->observers[i].node >= g->num_nodes)
            return bad_row(err, "observers", i, "is no node");
        if (g->observers[i].scope > RCH_OBSERVER_DIRECT)
            return bad_row(err, "observers", i, "is of an unknown scope");
    }
    for (uint32_t i = 0; i < g->num_texts; i++) {
        const struct rch_text_of *text = &g->texts[i];
        if (text->node >= g->num_objects || (i > 0 && text->node <= g->texts[i - 1].node))
            return bad_row(err, "texts", i, "is out of order");
        if (text->str >= g->num_strs)
            return bad_row(err, "texts", i, "is no string");
    }
    return RCH_OK;
}

// A root of one of two kinds, or none.
static bool is_root_of(const struct rch_graph *g, rch_node v, enum rch_root_kind kind,
                       enum rch_root_kind or_kind)
{
    if (v == RCH_NO_NODE)
        return true;
    if (v < g->num_objects || v >= g->num_nodes)
        return false;
    uint8_t found = g->roots[v - g->num_objects].kind;
    return found == kind || found == or_kind;
}

static enum rch_status check_threads(const struct rch_graph *g, struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_threads; i++) {
        const struct rch_thread *thread = &g->threads[i];
        if (thread->name >= g->num_strs || thread->waits_for >= g->num_strs)
            return bad_row(err, "threads", i, "has a name that is no string");
        if (!is_root_of(g, thread->root, RCH_ROOT_THREAD, RCH_ROOT_THREAD))
            return bad_row(err, "threads", i, "has a root that is none of a thread");
        if (thread->first_frame > g->num_stack_frames ||
            thread->num_frames > g->num_stack_frames - thread->first_frame)
            return bad_row(err, "threads", i, "has frames that are not there");
    }
    for (uint32_t i = 0; i < g->num_stack_frames; i++) {
        const struct rch_stack_frame *frame = &g->stack_frames[i];
        if (frame->function >= g->num_strs || frame->file >= g->num_strs)
            return bad_row(err, "stack_frames", i, "has a name that is no string");
        if (!is_root_of(g, frame->root, RCH_ROOT_FRAME, RCH_ROOT_COROUTINE))
            return bad_row(err, "stack_frames", i, "has a root that is none of a frame");
    }
    return RCH_OK;
}

static enum rch_status check_fds(const struct rch_graph *g, struct rch_error *err)
{
    for (uint32_t i = 0; i < g->num_fds; i++) {
        const struct rch_fd *fd = &g->fds[i];
        if (fd->fd < 0 || (i > 0 && fd->fd <= g->fds[i - 1].fd))
            return bad_row(err, "fds", i, "is out of order");
        if (fd->protocol >= g->num_strs || fd->state >= g->num_strs || fd->local >= g->num_strs ||
            fd->peer >= g->num_strs)
            return bad_row(err, "fds", i, "has a name that is no string");
    }
    for (uint32_t i = 0; i < g->num_fd_owners; i++) {
        const struct rch_fd_owner *owner = &g->fd_owners[i], *before = owner - (i > 0);
        if (owner->node >= g->num_objects)
            return bad_row(err, "fd_owners", i, "is no object");
        if (owner->fd < 0 || owner->node < before->node ||
            (i > 0 && owner->node == before->node && owner->fd <= before->fd))
            return bad_row(err, "fd_owners", i, "is out of order");
    }
    return RCH_OK;
}

enum rch_status rch_graph_verify(const struct rch_graph *g, struct rch_error *err)
{
    RCH_TRY(check_counts(g, err));
    RCH_TRY(check_strings(g, err));
    RCH_TRY(check_types(g, err));
    RCH_TRY(check_shapes(g, err));
    RCH_TRY(check_node_shapes(g, err));
    RCH_TRY(check_edges(g, err));
    RCH_TRY(check_addresses(g, err));
    RCH_TRY(check_sizes(g, err));
    RCH_TRY(check_rows(g, err));
    RCH_TRY(check_threads(g, err));
    return check_fds(g, err);
}
