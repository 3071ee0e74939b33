// SPDX-License-Identifier: MIT
// analyze/growth/series_places.c -- the objects of one graph, counted by place. Trails give every object its
// class; a class becomes the place of the series that reads the same.
#include <inttypes.h>

#include "analyze/why/fd_holder.h"
#include "analyze/growth/series_impl.h"
#include "analyze/common/trail.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))

// A hop that was made so many hops before, or fewer, is a circle: Node.next of Node.next, or with
// a container between them.
enum { MAX_PERIOD = 4, NO_STRING = UINT32_MAX };

struct count {
    struct rch_series *s;
    const struct rch_graph *g;
    struct rch_trails *t;
    const uint32_t *type_names;  // of the graph's types
    uint32_t *strings;           // of the graph's strings, NO_STRING: not asked yet
    uint32_t *place_of;          // of classes
    struct rch_vec *tallies;
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "places in a graph of %" PRIu32 " nodes", g->num_nodes);
}

static enum rch_status string_of(struct count *c, rch_str text, uint32_t *out,
                                 struct rch_error *err)
{
    if (c->strings[text] == NO_STRING)
        RCH_TRY(rch__series_intern(c->s, rch_str_get(c->g, text), &c->strings[text], err));
    *out = c->strings[text];
    return RCH_OK;
}

// The place above from which the path goes in a circle, or RCH__NO_ROW.
static uint32_t circle_of(const struct rch_series *s, const struct rch__place *place)
{
    uint32_t at = place->parent;
    for (uint32_t i = 0; i < MAX_PERIOD && at != RCH__NO_ROW; i++) {
        const struct rch__place *above = &RCH_VEC_AT(&s->places, struct rch__place, at);
        if (above->parent == RCH__NO_ROW)
            break;
        if (above->kind == place->kind && above->name == place->name && above->type == place->type)
            return at;
        at = above->parent;
    }
    return RCH__NO_ROW;
}

static enum rch_status place_of_class(struct count *c, uint32_t number, struct rch_error *err)
{
    const struct rch_trail_class *cls = CLASS(c->t, number);
    struct rch__place place = {.parent = RCH__NO_ROW, .kind = cls->kind};
    if (cls->parent == RCH_NO_CLASS) {
        const struct rch_root *root = &c->g->roots[cls->type];
        RCH_TRY(string_of(c, root->name, &place.name, err));
        RCH_TRY(string_of(c, root->detail, &place.type, err));
        return rch__series_place(c->s, &place, &c->place_of[number], err);
    }
    place.parent = c->place_of[cls->parent];
    place.type = c->type_names[cls->type];
    RCH_TRY(string_of(c, cls->name, &place.name, err));
    c->place_of[number] = circle_of(c->s, &place);
    if (c->place_of[number] != RCH__NO_ROW)
        return RCH_OK;
    return rch__series_place(c->s, &place, &c->place_of[number], err);
}

// A key of an attribute dictionary, which folds into its object.
static bool is_attribute_name(const struct count *c, const struct rch_trail_node *node)
{
    if (CLASS(c->t, node->cls)->kind != RCH_EDGE_KEY || !node->ins)
        return false;
    const struct rch_trail_in *in = &RCH_VEC_AT(&c->t->ins, struct rch_trail_in, node->ins - 1);
    return !rch_trails_is_proper(c->t, NODE(c->t, in->from));
}

static void count_nodes(struct count *c)
{
    for (uint32_t i = 0; i < c->t->nodes.num && rch_goes_on(c->t->view->asking, 4); i++) {
        const struct rch_trail_node *node = NODE(c->t, i);
        if (rch_is_root(c->g, node->node))
            continue;
        uint32_t number = c->place_of[node->cls];
        struct rch__tally *tally = &RCH_VEC_AT(c->tallies, struct rch__tally, number);
        struct rch__place *place = &RCH_VEC_AT(&c->s->places, struct rch__place, number);
        tally->bytes += rch_size_bytes(c->g, node->node);
        if (is_attribute_name(c, node))
            place->is_names = true;
        if (!rch_trails_is_proper(c->t, node))
            continue;
        if (!tally->objects++)
            place->example = rch_addr_of(c->g, node->node);
    }
}

// What owns a descriptor tells it to its place.
static void mark_resources(struct count *c, const struct rch_reverse *rev)
{
    const struct rch_graph *g = c->g;
    for (uint32_t i = 0; i < g->num_fd_owners; i++) {
        rch_node owner = g->fd_owners[i].node;
        if (!c->t->slot[owner])
            continue;
        uint32_t type = rch_fd_holder_type(g, rev, c->t->view->removed.mem, owner, false);
        uint32_t cls = NODE(c->t, c->t->slot[owner] - 1)->cls;
        if (type != UINT32_MAX)
            RCH_VEC_AT(&c->s->places, struct rch__place, c->place_of[cls]).fd_type =
                c->type_names[type];
    }
}

static enum rch_status count_trails(struct count *c, const struct rch_reverse *rev,
                                    struct rch_error *err)
{
    RCH_BLOCK(strings, c->s->alloc, c->g->num_strs, sizeof(uint32_t));
    RCH_BLOCK(place_of, c->s->alloc, c->t->classes.num, sizeof(uint32_t));
    if (!strings.mem || !place_of.mem)
        return no_memory(c->g, err);
    c->strings = strings.mem;
    c->place_of = place_of.mem;
    for (uint32_t i = 0; i < c->g->num_strs; i++)
        c->strings[i] = NO_STRING;
    for (uint32_t i = 0; i < c->t->classes.num; i++) {
        if (!rch_goes_on(c->t->view->asking, 4))
            return rch_view_check(c->t->view, err);
        RCH_TRY(place_of_class(c, i, err));
    }
    RCH_TRY(rch_vec_append(c->tallies, NULL, c->s->places.num, err));
    count_nodes(c);
    mark_resources(c, rev);
    return rch_view_check(c->t->view, err);
}

static enum rch_status run(struct rch_trails *t, struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    uint32_t index;
    t->goes_on = true;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!rch_is_live_root(t->view, root))
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    return rch_trails_run(t, err);
}

static enum rch_status count(struct rch_series *s, struct rch_view *view,
                             const uint32_t *type_names, struct rch__moment *moment,
                             struct rch_error *err)
{
    const struct rch_graph *g = view->g;
    RCH_BLOCK(slot, s->alloc, g->num_nodes, sizeof(uint32_t));
    RCH_BITS(region, s->alloc, g->num_nodes);
    if (!slot.mem || !region.mem)
        return no_memory(g, err);
    for (rch_node v = 0; v < g->num_nodes; v++)
        if (!rch_is_removed(view, v))
            rch_bit_set(region.mem, v);
    RCH_TRY(rch_view_stage(view, 0, 2, err));
    struct rch_trails trails;
    enum rch_status st = rch_trails_init(&trails, view, region.mem, region.mem, slot.mem, err);
    if (st == RCH_OK)
        st = run(&trails, err);
    if (st == RCH_OK)
        st = rch_view_stage(view, 1, 2, err);
    struct count c = {s, g, &trails, type_names, NULL, NULL, &moment->places};
    if (st == RCH_OK)
        st = count_trails(&c, view->rev, err);
    rch_trails_deinit(&trails);
    return st;
}

enum rch_status rch__series_count_places(struct rch_series *s, const struct rch_graph *g,
                                         const struct rch_reverse *rev, const uint32_t *type_names,
                                         const struct rch_progress *progress,
                                         struct rch__moment *moment, struct rch_error *err)
{
    static const struct rch_question nobody = {"series", NULL, 0};  // the asker's variables count
    struct rch_view view;
    struct rch_asking asking = {.progress = progress, .phase = "places"};
    RCH_TRY(rch_view_init(&view, g, rev, &nobody, s->alloc, err));
    view.asking = &asking;
    enum rch_status st = count(s, &view, type_names, moment, err);
    rch_view_deinit(&view);
    return st;
}
