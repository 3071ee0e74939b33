// SPDX-License-Identifier: MIT
// model/builder_finish.c -- from nodes in order of addition to columns in address order: sort the
// objects, number them, spread the references over their sources by counting.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "model/builder_impl.h"
#include "model/verify.h"

struct draft {
    const struct rch_alloc *alloc;
    struct rch_columns c;
    rch_node *node_of;  // handle -> node
};

static void draft_drop(struct draft *d)
{
    const struct rch_alloc *alloc = d->alloc;
    const struct rch_columns *c = &d->c;
    rch_free(alloc, d->node_of, c->num_nodes, sizeof(*d->node_of));
    rch_free(alloc, c->edge_start, (size_t)c->num_nodes + 1, sizeof(*c->edge_start));
    rch_free(alloc, c->edges, c->num_edges, sizeof(*c->edges));
    rch_free(alloc, c->shape_of, c->num_nodes, sizeof(*c->shape_of));
    rch_free(alloc, c->size16, c->num_nodes, sizeof(*c->size16));
    rch_free(alloc, c->addr8, c->num_objects, sizeof(*c->addr8));
    rch_free(alloc, c->big_sizes, c->num_big_sizes, sizeof(*c->big_sizes));
    rch_free(alloc, c->addr_runs, c->num_addr_runs, sizeof(*c->addr_runs));
    rch_free(alloc, c->roots, c->num_roots, sizeof(*c->roots));
    rch_free(alloc, c->observers, c->num_observers, sizeof(*c->observers));
    rch_free(alloc, c->texts, c->num_texts, sizeof(*c->texts));
    rch_free(alloc, c->threads, c->num_threads, sizeof(*c->threads));
    rch_free(alloc, c->stack_frames, c->num_stack_frames, sizeof(*c->stack_frames));
    rch_free(alloc, c->fds, c->num_fds, sizeof(*c->fds));
    rch_free(alloc, c->fd_owners, c->num_fd_owners, sizeof(*c->fd_owners));
}

struct place {
    rch_addr addr;
    uint32_t handle;
    bool is_tracked;
};

static int by_half_and_addr(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->is_tracked != b->is_tracked)
        return a->is_tracked ? -1 : 1;
    return (a->addr > b->addr) - (a->addr < b->addr);
}

// Does a run that begins at `base` still reach `addr`?
static bool run_reaches(rch_addr base, rch_addr addr)
{
    return addr >= base && (addr - base) / 8 <= UINT32_MAX;
}

static uint32_t count_runs(const struct place *places, uint32_t num)
{
    uint32_t num_runs = 0;
    rch_addr base = 0;
    for (uint32_t v = 0; v < num; v++) {
        if (v == 0 || !run_reaches(base, places[v].addr)) {
            num_runs++;
            base = places[v].addr;
        }
    }
    return num_runs;
}

static void fill_addresses(struct draft *d, const struct place *places)
{
    struct rch_addr_run *run = d->c.addr_runs;
    for (uint32_t v = 0; v < d->c.num_objects; v++) {
        rch_addr addr = places[v].addr;
        if (v == 0)
            *run = (struct rch_addr_run){addr, v, 0};
        else if (!run_reaches(run->base, addr))
            *++run = (struct rch_addr_run){addr, v, 0};
        d->c.addr8[v] = (uint32_t)((addr - run->base) / 8);
    }
}

static void fill_objects(struct draft *d, const struct rch_builder *b, const struct place *places)
{
    const struct rch_object *objects = b->objects.mem;
    struct rch_big_size *big = d->c.big_sizes;
    for (uint32_t v = 0; v < d->c.num_objects; v++) {
        const struct rch_object *object = &objects[places[v].handle];
        d->node_of[places[v].handle] = v;
        d->c.shape_of[v] = object->shape;
        d->c.size16[v] = RCH_SIZE_BIG;
        if (object->size_bytes < RCH_SIZE_BIG)
            d->c.size16[v] = (uint16_t)object->size_bytes;
        else
            *big++ = (struct rch_big_size){v, 0, object->size_bytes};
    }
    for (uint32_t i = 0; i < d->c.num_roots; i++) {
        rch_node v = d->c.num_objects + i;
        d->node_of[v] = v;
        d->c.shape_of[v] = RCH_VEC_AT(&b->root_shapes, uint32_t, i);
        d->c.roots[i] = RCH_VEC_AT(&b->roots, struct rch_root, i);
    }
}

// Check that no address comes twice, also not in the two halves.
static enum rch_status check_places(const struct place *places, uint32_t num_tracked, uint32_t num,
                                    struct rch_error *err)
{
    uint32_t other = num_tracked;
    for (uint32_t v = 0; v < num; v++) {
        bool is_twice = v > 0 && v != num_tracked && places[v].addr == places[v - 1].addr;
        if (v < num_tracked) {
            while (other < num && places[other].addr < places[v].addr)
                other++;
            is_twice |= other < num && places[other].addr == places[v].addr;
        }
        if (is_twice)
            return rch_fail_at(err, RCH_EINVAL, places[v].addr, "two objects at %#" PRIx64,
                               places[v].addr);
    }
    return RCH_OK;
}

static void count_nodes(struct rch_columns *c, const struct rch_builder *b)
{
    const struct rch_object *objects = b->objects.mem;
    c->num_objects = (uint32_t)b->objects.num;
    c->num_roots = (uint32_t)b->roots.num;
    c->num_nodes = c->num_objects + c->num_roots;
    c->num_edges = (uint32_t)b->refs.num;
    c->num_texts = (uint32_t)b->texts.num;
    c->num_observers = (uint32_t)b->observers.num;
    c->num_threads = (uint32_t)b->threads.num;
    c->num_stack_frames = (uint32_t)b->frames.num;
    c->num_fds = (uint32_t)b->fds.num;
    c->num_fd_owners = (uint32_t)b->fd_owners.num;
    for (uint32_t i = 0; i < c->num_objects; i++) {
        c->num_tracked += objects[i].is_tracked;
        c->num_big_sizes += objects[i].size_bytes >= RCH_SIZE_BIG;
    }
}

static enum rch_status make_room(struct draft *d, struct rch_error *err)
{
    struct rch_columns *c = &d->c;
    d->node_of = rch_calloc(d->alloc, c->num_nodes, sizeof(*d->node_of));
    c->edge_start = rch_calloc(d->alloc, (size_t)c->num_nodes + 1, sizeof(*c->edge_start));
    c->edges = rch_calloc(d->alloc, c->num_edges, sizeof(*c->edges));
    c->shape_of = rch_calloc(d->alloc, c->num_nodes, sizeof(*c->shape_of));
    c->size16 = rch_calloc(d->alloc, c->num_nodes, sizeof(*c->size16));
    c->addr8 = rch_calloc(d->alloc, c->num_objects, sizeof(*c->addr8));
    c->big_sizes = rch_calloc(d->alloc, c->num_big_sizes, sizeof(*c->big_sizes));
    c->addr_runs = rch_calloc(d->alloc, c->num_addr_runs, sizeof(*c->addr_runs));
    c->roots = rch_calloc(d->alloc, c->num_roots, sizeof(*c->roots));
    c->observers = rch_calloc(d->alloc, c->num_observers, sizeof(*c->observers));
    c->texts = rch_calloc(d->alloc, c->num_texts, sizeof(*c->texts));
    c->threads = rch_calloc(d->alloc, c->num_threads, sizeof(*c->threads));
    c->stack_frames = rch_calloc(d->alloc, c->num_stack_frames, sizeof(*c->stack_frames));
    c->fds = rch_calloc(d->alloc, c->num_fds, sizeof(*c->fds));
    c->fd_owners = rch_calloc(d->alloc, c->num_fd_owners, sizeof(*c->fd_owners));
    if (d->node_of && c->edge_start && c->edges && c->shape_of && c->size16 && c->addr8 &&
        c->big_sizes && c->addr_runs && c->roots && c->observers && c->texts && c->threads &&
        c->stack_frames && c->fds && c->fd_owners)
        return RCH_OK;
    return rch_fail(err, RCH_ENOMEM, "graph of %" PRIu32 " nodes and %" PRIu32 " references",
                    c->num_nodes, c->num_edges);
}

static enum rch_status fill_nodes(struct draft *d, const struct rch_builder *b,
                                  struct rch_error *err)
{
    RCH_BLOCK(sorted, b->alloc, b->objects.num, sizeof(struct place));
    if (!sorted.mem)
        return rch_fail(err, RCH_ENOMEM, "sorting %zu objects", b->objects.num);
    struct place *places = sorted.mem;
    for (uint32_t i = 0; i < d->c.num_objects; i++) {
        const struct rch_object *object = &RCH_VEC_AT(&b->objects, struct rch_object, i);
        places[i] = (struct place){object->addr, i, object->is_tracked};
    }
    if (d->c.num_objects)
        qsort(places, d->c.num_objects, sizeof(*places), by_half_and_addr);
    RCH_TRY(check_places(places, d->c.num_tracked, d->c.num_objects, err));
    d->c.num_addr_runs = count_runs(places, d->c.num_objects);
    RCH_TRY(make_room(d, err));
    fill_objects(d, b, places);
    fill_addresses(d, places);
    return RCH_OK;
}

// Counting sort by source; stable, so a node's references stay in the order of their labels.
static void fill_refs(struct draft *d, const struct rch_builder *b)
{
    const struct rch_builder_ref *refs = b->refs.mem;
    uint32_t *start = d->c.edge_start;
    for (size_t i = 0; i < b->refs.num; i++)
        start[d->node_of[refs[i].from] + 1]++;
    for (uint32_t v = 0; v < d->c.num_nodes; v++)
        start[v + 1] += start[v];
    for (size_t i = 0; i < b->refs.num; i++) {
        uint32_t place = start[d->node_of[refs[i].from]]++;
        d->c.edges[place] = refs[i].to == RCH_NO_NODE ? RCH_NO_NODE : d->node_of[refs[i].to];
    }
    memmove(start + 1, start, d->c.num_nodes * sizeof(*start));
    start[0] = 0;
}

static int by_node(const void *left, const void *right)
{
    const struct rch_text_of *a = left, *b = right;
    return (a->node > b->node) - (a->node < b->node);
}

static enum rch_status fill_rows(struct draft *d, const struct rch_builder *b,
                                 struct rch_error *err)
{
    for (uint32_t i = 0; i < d->c.num_observers; i++) {
        d->c.observers[i] = RCH_VEC_AT(&b->observers, struct rch_observer, i);
        d->c.observers[i].node = d->node_of[d->c.observers[i].node];
    }
    for (uint32_t i = 0; i < d->c.num_texts; i++) {
        d->c.texts[i] = RCH_VEC_AT(&b->texts, struct rch_text_of, i);
        d->c.texts[i].node = d->node_of[d->c.texts[i].node];
    }
    if (d->c.num_texts)
        qsort(d->c.texts, d->c.num_texts, sizeof(*d->c.texts), by_node);
    for (uint32_t i = 1; i < d->c.num_texts; i++) {
        if (d->c.texts[i].node == d->c.texts[i - 1].node)
            return rch_fail(err, RCH_EINVAL, "two texts of one object");
    }
    return RCH_OK;
}

static void fill_threads(struct draft *d, const struct rch_builder *b)
{
    struct rch_columns *c = &d->c;
    for (uint32_t i = 0; i < c->num_threads; i++) {
        c->threads[i] = RCH_VEC_AT(&b->threads, struct rch_thread, i);
        if (c->threads[i].root != RCH_NO_NODE)
            c->threads[i].root = d->node_of[c->threads[i].root];
    }
    for (uint32_t i = 0; i < c->num_stack_frames; i++) {
        c->stack_frames[i] = RCH_VEC_AT(&b->frames, struct rch_stack_frame, i);
        if (c->stack_frames[i].root != RCH_NO_NODE)
            c->stack_frames[i].root = d->node_of[c->stack_frames[i].root];
    }
}

static int by_fd(const void *left, const void *right)
{
    const struct rch_fd *a = left, *b = right;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

static int by_owner_and_fd(const void *left, const void *right)
{
    const struct rch_fd_owner *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

static enum rch_status fill_fds(struct draft *d, const struct rch_builder *b, struct rch_error *err)
{
    struct rch_columns *c = &d->c;
    for (uint32_t i = 0; i < c->num_fds; i++)
        c->fds[i] = RCH_VEC_AT(&b->fds, struct rch_fd, i);
    for (uint32_t i = 0; i < c->num_fd_owners; i++) {
        c->fd_owners[i] = RCH_VEC_AT(&b->fd_owners, struct rch_fd_owner, i);
        c->fd_owners[i].node = d->node_of[c->fd_owners[i].node];
    }
    if (c->num_fds)
        qsort(c->fds, c->num_fds, sizeof(*c->fds), by_fd);
    if (c->num_fd_owners)
        qsort(c->fd_owners, c->num_fd_owners, sizeof(*c->fd_owners), by_owner_and_fd);
    for (uint32_t i = 1; i < c->num_fds; i++) {
        if (c->fds[i].fd == c->fds[i - 1].fd)
            return rch_fail(err, RCH_EINVAL, "descriptor %" PRId32 " comes twice", c->fds[i].fd);
    }
    for (uint32_t i = 1; i < c->num_fd_owners; i++) {
        if (by_owner_and_fd(&c->fd_owners[i - 1], &c->fd_owners[i]) == 0)
            return rch_fail(err, RCH_EINVAL, "an owner of descriptor %" PRId32 " comes twice",
                            c->fd_owners[i].fd);
    }
    return RCH_OK;
}

// The types' handles become nodes; `undo` has their old numbers.
static enum rch_status map_types(const struct draft *d, struct rch_vec *types, rch_node *undo,
                                 struct rch_error *err)
{
    struct rch_type *rows = types->mem;
    for (size_t i = 0; i < types->num; i++) {
        if (rows[i].node != RCH_NO_NODE && rows[i].node >= d->c.num_objects)
            return rch_fail(err, RCH_EINVAL, "type %zu is no object", i);
    }
    for (size_t i = 0; i < types->num; i++) {
        undo[i] = rows[i].node;
        if (rows[i].node != RCH_NO_NODE)
            rows[i].node = d->node_of[rows[i].node];
    }
    return RCH_OK;
}

// A graph of the draft and the builder's tables, for verify only: nobody owns it.
static enum rch_status check_draft(const struct draft *d, const struct rch_builder *b,
                                   struct rch_error *err)
{
    struct rch_graph g = {0};
    rch_builder_fill_graph(&g, &d->c, &b->tables);
    return rch_graph_verify(&g, err);
}

enum rch_status rch_builder_finish(struct rch_builder *b, struct rch_graph **graph_out,
                                   struct rch_error *err)
{
    __attribute__((cleanup(draft_drop))) struct draft d = {.alloc = b->alloc};
    struct rch_vec *types = &b->tables.types;
    count_nodes(&d.c, b);
    RCH_TRY(fill_nodes(&d, b, err));
    fill_refs(&d, b);
    RCH_TRY(fill_rows(&d, b, err));
    fill_threads(&d, b);
    RCH_TRY(fill_fds(&d, b, err));
    RCH_BLOCK(undo, b->alloc, types->num, sizeof(rch_node));
    if (!undo.mem)
        return rch_fail(err, RCH_ENOMEM, "%zu types", types->num);
    RCH_TRY(map_types(&d, types, undo.mem, err));
    enum rch_status st = check_draft(&d, b, err);
    if (st == RCH_OK)
        st = rch_builder_adopt(b, &d.c, NULL, NULL, graph_out, err);
    if (st != RCH_OK) {
        for (size_t i = 0; i < types->num; i++)
            RCH_VEC_AT(types, struct rch_type, i).node = ((rch_node *)undo.mem)[i];
        return st;
    }
    rch_free(b->alloc, d.node_of, d.c.num_nodes, sizeof(*d.node_of));
    d.node_of = NULL;
    d.c = (struct rch_columns){0};  // the graph's now
    return RCH_OK;
}
