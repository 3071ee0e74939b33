// SPDX-License-Identifier: MIT
// analyze/keepers/keepers_place.c -- the heap by named place. One run of trails over everything gives each object a
// class, its path without keys and indices; a class retains what its objects do that no other of it dominates.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/keepers/keepers_impl.h"
#include "analyze/common/path.h"
#include "analyze/common/reach.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))

enum { DEFAULT_ROWS = 20 };

struct spot {                 // what a class has
    uint64_t objects, bytes;  // its own; what folds into them counts as bytes
    uint64_t retained_objects, retained;
    uint32_t past;   // in the order of the tree: behind what its last object dominates
    uint32_t first;  // of `members`
    bool is_passage;
};

struct places {
    struct rch__forest *f;
    const struct rch_keepers_options *options;
    struct rch_trails *t;
    struct spot *spots;
    uint32_t *members;  // trail nodes of class 0, 1, ..., as many as `objects`
    uint32_t *ranked;
    uint32_t num_ranked;
    struct rch_keepers *out;
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "places of %" PRIu32 " nodes", g->num_nodes);
}

// Is the node what its class is named after? Else it folds into that: an attribute dictionary, a root. A root
// alone names the object that it refers to.
static bool is_proper(const struct places *p, const struct rch_trail_node *node)
{
    const struct rch_graph *g = p->f->g;
    const struct rch_trail_class *c = CLASS(p->t, node->cls);
    if (rch_is_root(g, node->node))
        return false;
    if (c->parent == RCH_NO_CLASS)
        return node->raw_depth == 1;
    return rch_compare_types(g, g->shapes[g->shape_of[node->node]].type, c->type) == 0;
}

static void count_own(struct places *p)
{
    const struct rch_graph *g = p->f->g;
    for (uint32_t i = 0; i < p->t->nodes.num && rch_goes_on(&p->f->asking, 4); i++) {
        const struct rch_trail_node *node = NODE(p->t, i);
        struct spot *spot = &p->spots[node->cls];
        spot->objects += is_proper(p, node);
        if (!rch_is_root(g, node->node))
            spot->bytes += rch_size_bytes(g, node->node);  // part of a sum that was checked
    }
}

// As rch_retained_by_type, for classes.
static void count_retained(struct places *p)
{
    struct rch__forest *f = p->f;
    const rch_node *order = f->order.mem;
    const uint32_t *count = f->count.mem;
    for (uint32_t i = 1; i < f->dom.num_reached && rch_goes_on(&f->asking, 2); i++) {
        rch_node v = order[i];
        uint32_t index = p->t->slot[v];
        if (!index || rch_is_root(f->g, v))  // garbage; a root is no object of its class
            continue;
        struct spot *spot = &p->spots[NODE(p->t, index - 1)->cls];
        if (i < spot->past)
            continue;
        spot->past = i + count[v];
        spot->retained_objects += rch__objects_under(f, v);
        spot->retained += f->bytes[v];
    }
}

static void mark_passages(struct places *p)
{
    for (uint32_t c = 0; c < p->t->classes.num; c++) {
        uint32_t above = CLASS(p->t, c)->parent;
        if (above != RCH_NO_CLASS && rch__is_most(p->spots[c].retained, p->spots[above].retained))
            p->spots[above].is_passage = true;
    }
}

static uint64_t weight_of(const struct places *p, const struct spot *spot)
{
    switch (p->options->sort) {
    case RCH_SORT_OBJECTS: return spot->objects;
    case RCH_SORT_BYTES: return spot->bytes;
    default: return spot->retained;
    }
}

static int compare_places(const void *a, const void *b, void *ctx)
{
    const struct places *p = ctx;
    if (!rch_goes_on(&p->f->asking, 4))
        return 0;  // a sort that nobody wants any more ends soon
    uint32_t c = *(const uint32_t *)a, d = *(const uint32_t *)b;
    uint64_t x = weight_of(p, &p->spots[c]), y = weight_of(p, &p->spots[d]);
    if (x != y)
        return x > y ? -1 : 1;
    return rch_trails_compare(p->t, c, d);
}

// When single objects and bytes are asked for, no place stands for another.
static void rank(struct places *p)
{
    bool skips = p->options->sort == RCH_SORT_RETAINED;
    if (skips)
        mark_passages(p);
    for (uint32_t c = 0; c < p->t->classes.num; c++)
        if (p->spots[c].objects && !p->spots[c].is_passage)
            p->ranked[p->num_ranked++] = c;
    if (p->num_ranked)
        qsort_r(p->ranked, p->num_ranked, sizeof(*p->ranked), compare_places, p);
}

static void sort_members(struct places *p)
{
    uint32_t sum = 0;
    for (uint32_t c = 0; c < p->t->classes.num; c++) {
        p->spots[c].first = sum;
        sum += (uint32_t)p->spots[c].objects;
    }
    for (uint32_t i = 0; i < p->t->nodes.num && rch_goes_on(&p->f->asking, 4); i++)
        if (is_proper(p, NODE(p->t, i)))
            p->members[p->spots[NODE(p->t, i)->cls].first++] = i;
    for (uint32_t c = 0; c < p->t->classes.num; c++)
        p->spots[c].first -= (uint32_t)p->spots[c].objects;
}

static enum rch_status tell(struct places *p, struct rch_error *err)
{
    const struct rch_graph *g = p->f->g;
    uint32_t max = p->options->max_rows ? p->options->max_rows : DEFAULT_ROWS;
    uint32_t num = p->num_ranked < max ? p->num_ranked : max;
    p->out->rows = rch_arena_take(&p->out->arena, num, sizeof(*p->out->rows));
    if (!p->out->rows)
        return no_memory(g, err);
    sort_members(p);
    RCH_TRY(rch_view_check(&p->f->view, err));
    for (uint32_t i = 0; i < num; i++) {
        const struct spot *spot = &p->spots[p->ranked[i]];
        struct rch_keeper *row = &p->out->rows[p->out->num_rows++];
        struct rch_trail_group group = {p->ranked[i], spot->first, (uint32_t)spot->objects};
        rch_node example = NODE(p->t, p->members[spot->first])->node;
        *row = (struct rch_keeper){.kind = RCH_KEEPER_PLACE, .node = RCH_NO_NODE};
        RCH_TRY(rch_name_paths(p->t, &group, p->members, &p->out->arena, &row->place, err));
        row->type = rch_type_text(g, g->shapes[g->shape_of[example]].type, &p->out->arena);
        row->objects = spot->objects;
        row->bytes = spot->bytes;
        row->retained_objects = spot->retained_objects;
        row->retained = spot->retained;
        if (!row->type)
            return no_memory(g, err);
    }
    p->out->num_more_rows = p->num_ranked - num;
    return RCH_OK;
}

static enum rch_status run(struct rch__forest *f, struct rch_trails *t, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    uint32_t index;
    t->goes_on = true;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!rch_is_live_root(&f->view, root))
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    return rch_trails_run(t, err);
}

static enum rch_status weigh(struct places *p, struct rch_error *err)
{
    const struct rch_alloc *alloc = p->f->alloc;
    RCH_BLOCK(spots, alloc, p->t->classes.num, sizeof(struct spot));
    RCH_BLOCK(ranked, alloc, p->t->classes.num, sizeof(uint32_t));
    RCH_BLOCK(members, alloc, p->t->nodes.num, sizeof(uint32_t));
    p->spots = spots.mem;
    p->ranked = ranked.mem;
    p->members = members.mem;
    if (!p->spots || !p->ranked || !p->members)
        return no_memory(p->f->g, err);
    count_own(p);
    count_retained(p);
    rank(p);
    RCH_TRY(rch_view_check(&p->f->view, err));
    return tell(p, err);
}

enum rch_status rch__keepers_by_place(struct rch__forest *f,
                                      const struct rch_keepers_options *options,
                                      struct rch_keepers *out, struct rch_error *err)
{
    uint32_t num = f->g->num_nodes;
    RCH_BLOCK(slot, f->alloc, num, sizeof(uint32_t));
    RCH_BITS(all, f->alloc, num);
    if (!slot.mem || !all.mem)
        return no_memory(f->g, err);
    memset(all.mem, 0xff, rch_bits_words(num) * sizeof(uint64_t));
    rch_bits_minus(all.mem, f->view.removed.mem, num);
    struct rch_trails trails;
    enum rch_status st = rch_trails_init(&trails, &f->view, all.mem, all.mem, slot.mem, err);
    struct places p = {.f = f, .options = options, .t = &trails, .out = out};
    if (st == RCH_OK)
        st = run(f, &trails, err);
    if (st == RCH_OK)
        st = rch__keepers_go_on(f, 2, err);
    if (st == RCH_OK)
        st = weigh(&p, err);
    rch_trails_deinit(&trails);
    return st;
}
