// SPDX-License-Identifier: MIT
// analyze/growth/places.c -- where new objects hang. One run of trails gives each of them a class, its path
// without keys and indices; classes at which growth begins or multiplies become places, the others are
// added to the place above them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/growth/growth_impl.h"
#include "analyze/keepers/named_path.h"
#include "analyze/common/reach.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))
#define IN(t, i) (&RCH_VEC_AT(&(t)->ins, struct rch_trail_in, i))

enum { DEFAULT_PLACES = 20, MULTIPLIES = 8 };

struct spot {                     // what a class has
    uint64_t objects, bytes;      // new, of the class's own type
    uint64_t inner, inner_bytes;  // new, folded into it: attribute dictionaries
    uint64_t below, below_bytes;  // of a place: of the classes added to it
    uint64_t begins;              // objects that something held which is not new
    uint32_t above;               // the class to add it to: its parent, of a key that of the value
    uint32_t place;               // the class it is told at, or RCH_NO_CLASS
    bool is_late;                 // it is, or is below, a key that goes with its value
    uint32_t first;               // of `members`
};

struct search {
    const struct rch_graph *g;
    const uint64_t *made;  // bits
    struct rch_trails *t;
    struct spot *spots;
    uint64_t *clear;    // bits: trail nodes that are new but fold into something that is not
    uint32_t *members;  // trail nodes of class 0, 1, ...
    uint32_t *ranked;   // classes that are places
    uint32_t num_ranked;
    struct rch_growth *growth;
};

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static bool is_old(const struct search *s, uint32_t index)
{
    return !rch_bit(s->made, NODE(s->t, index)->node) || rch_bit(s->clear, index);
}

static void count_node(struct search *s, uint32_t index)
{
    const struct rch_trail_node *node = NODE(s->t, index);
    if (!rch_bit(s->made, node->node))
        return;
    struct spot *spot = &s->spots[node->cls];
    uint64_t bytes = rch_size_bytes(s->g, node->node);
    bool begins = false;
    for (uint32_t in = node->ins; in && !begins; in = IN(s->t, in - 1)->next)
        begins = is_old(s, IN(s->t, in - 1)->from);
    if (rch_trails_is_proper(s->t, node)) {
        spot->objects++;
        spot->bytes = add_up(spot->bytes, bytes);
        spot->begins += begins;
        return;
    }
    spot->inner++;
    spot->inner_bytes = add_up(spot->inner_bytes, bytes);
    if (begins)
        rch_bit_set(s->clear, index);
}

static bool is_better(const struct search *s, uint32_t c, uint32_t than)
{
    uint64_t x = s->spots[c].objects, y = s->spots[than].objects;
    return x != y ? x > y : rch_trails_compare(s->t, c, than) < 0;
}

// New keys of a mapping go with its new values, where there are as many.
static enum rch_status join_keys(struct search *s, const struct rch_alloc *alloc,
                                 struct rch_error *err)
{
    uint32_t num = (uint32_t)s->t->classes.num;
    RCH_BLOCK(block, alloc, num, sizeof(uint32_t));
    uint32_t *values = block.mem;  // of a class: its class of values with most objects, + 1
    if (!values)
        return rch_fail(err, RCH_ENOMEM, "places of %" PRIu32 " kinds of path", num);
    for (uint32_t c = 0; c < num; c++) {
        uint32_t parent = s->spots[c].above = CLASS(s->t, c)->parent;
        if (parent == RCH_NO_CLASS || CLASS(s->t, c)->kind != RCH_EDGE_VALUE)
            continue;
        if (!values[parent] || is_better(s, c, values[parent] - 1))
            values[parent] = c + 1;
    }
    for (uint32_t c = 0; c < num; c++) {
        uint32_t parent = CLASS(s->t, c)->parent;
        if (parent == RCH_NO_CLASS)
            continue;
        s->spots[c].is_late = s->spots[parent].is_late;
        if (CLASS(s->t, c)->kind != RCH_EDGE_KEY || s->spots[c].is_late || !values[parent] ||
            s->spots[values[parent] - 1].objects < s->spots[c].objects)
            continue;
        s->spots[c].above = values[parent] - 1;
        s->spots[c].is_late = true;
    }
    return RCH_OK;
}

static bool is_place(const struct search *s, uint32_t cls, uint32_t above)
{
    const struct spot *spot = &s->spots[cls];
    if (!spot->objects || above == RCH_NO_CLASS)
        return spot->objects != 0;
    bool goes_with_value = spot->above != CLASS(s->t, cls)->parent;
    return (spot->begins && !goes_with_value) ||
           spot->objects / MULTIPLIES > s->spots[above].objects;
}

static void find_spot(struct search *s, uint32_t cls)
{
    struct spot *spot = &s->spots[cls];
    uint32_t above = spot->above == RCH_NO_CLASS ? RCH_NO_CLASS : s->spots[spot->above].place;
    uint64_t further = spot->inner, bytes = spot->inner_bytes;
    spot->place = spot->objects || spot->inner ? above : RCH_NO_CLASS;
    if (is_place(s, cls, above)) {
        spot->place = cls;
        s->ranked[s->num_ranked++] = cls;
    } else {
        further += spot->objects;
        bytes = add_up(bytes, spot->bytes);
    }
    if (spot->place == RCH_NO_CLASS) {  // a new dictionary of an old object
        s->growth->more_objects += further;
        return;
    }
    struct spot *place = &s->spots[spot->place];
    place->below += further;
    place->below_bytes = add_up(place->below_bytes, bytes);
}

// A class comes after its parent, so one pass gives every class its place, but for keys that wait for
// their values.
static void find_spots(struct search *s)
{
    for (uint32_t c = 0; c < s->t->classes.num; c++)
        if (!s->spots[c].is_late)
            find_spot(s, c);
    for (uint32_t c = 0; c < s->t->classes.num; c++)
        if (s->spots[c].is_late)
            find_spot(s, c);
}

static int compare_places(const void *a, const void *b, void *ctx)
{
    const struct search *s = ctx;
    if (!rch_goes_on(s->t->view->asking, 2))
        return 0;
    uint32_t c = *(const uint32_t *)a, d = *(const uint32_t *)b;
    const struct spot *x = &s->spots[c], *y = &s->spots[d];
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    uint64_t all_x = add_up(x->bytes, x->below_bytes), all_y = add_up(y->bytes, y->below_bytes);
    if (all_x != all_y)
        return all_x > all_y ? -1 : 1;
    return rch_trails_compare(s->t, c, d);
}

static void sort_members(struct search *s)
{
    uint32_t sum = 0;
    for (uint32_t c = 0; c < s->t->classes.num; c++) {
        s->spots[c].first = sum;
        sum += (uint32_t)s->spots[c].objects;
    }
    for (uint32_t i = 0; i < s->t->nodes.num; i++) {
        const struct rch_trail_node *node = NODE(s->t, i);
        if (rch_bit(s->made, node->node) && rch_trails_is_proper(s->t, node))
            s->members[s->spots[node->cls].first++] = i;
    }
    for (uint32_t c = 0; c < s->t->classes.num; c++)
        s->spots[c].first -= (uint32_t)s->spots[c].objects;
}

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "places in a graph of %" PRIu32 " nodes", g->num_nodes);
}

static enum rch_status tell_place(struct search *s, uint32_t cls, struct rch_growth_place *place,
                                  struct rch_error *err)
{
    const struct spot *spot = &s->spots[cls];
    struct rch_arena *arena = &s->growth->arena;
    struct rch_trail_group group = {cls, spot->first, (uint32_t)spot->objects};
    uint32_t type = s->g->shapes[s->g->shape_of[NODE(s->t, s->members[spot->first])->node]].type;
    RCH_TRY(rch_name_paths(s->t, &group, s->members, arena, &place->holder, err));
    place->type = rch_type_text(s->g, type, arena);
    if (!place->type)
        return no_memory(s->g, err);
    place->objects = spot->objects;
    place->bytes = spot->bytes;
    place->below = spot->below;
    place->below_bytes = spot->below_bytes;
    return RCH_OK;
}

static enum rch_status tell(struct search *s, uint32_t max_places, struct rch_error *err)
{
    struct rch_growth *growth = s->growth;
    uint32_t num = s->num_ranked < max_places ? s->num_ranked : max_places;
    if (s->num_ranked)
        qsort_r(s->ranked, s->num_ranked, sizeof(*s->ranked), compare_places, s);
    growth->places = rch_arena_take(&growth->arena, num, sizeof(*growth->places));
    if (!growth->places)
        return no_memory(s->g, err);
    sort_members(s);
    for (uint32_t i = 0; i < num; i++) {
        RCH_TRY(tell_place(s, s->ranked[i], &growth->places[i], err));
        growth->num_places++;
    }
    growth->num_more_places = s->num_ranked - num;
    for (uint32_t i = num; i < s->num_ranked; i++)
        growth->more_objects += s->spots[s->ranked[i]].objects + s->spots[s->ranked[i]].below;
    return RCH_OK;
}

static enum rch_status rank(struct rch_trails *t, const uint64_t *made, uint32_t max_places,
                            struct rch_growth *growth, struct rch_error *err)
{
    const struct rch_alloc *alloc = t->view->alloc;
    RCH_BLOCK(spots, alloc, t->classes.num, sizeof(struct spot));
    RCH_BLOCK(ranked, alloc, t->classes.num, sizeof(uint32_t));
    RCH_BLOCK(members, alloc, t->nodes.num, sizeof(uint32_t));
    RCH_BITS(clear, alloc, (uint32_t)t->nodes.num);
    struct search s = {t->view->g,  made,       t, spots.mem, clear.mem,
                       members.mem, ranked.mem, 0, growth};
    if (!s.spots || !s.ranked || !s.members || !s.clear)
        return no_memory(s.g, err);
    for (uint32_t i = 0; i < t->nodes.num && rch_goes_on(t->view->asking, 2); i++)
        count_node(&s, i);
    RCH_TRY(rch_view_check(t->view, err));
    RCH_TRY(join_keys(&s, alloc, err));
    find_spots(&s);
    return tell(&s, max_places, err);
}

// Count the new objects that are reached from queue[0, tail) and not visited yet.
static uint64_t count_reached(const struct rch_view *view, const uint64_t *made, uint64_t *visited,
                              rch_node *queue, uint32_t tail)
{
    uint64_t num = 0;
    tail = rch_sweep(view, NULL, 0, visited, queue, 0, tail);
    for (uint32_t i = 0; i < tail; i++)
        num += !rch_is_root(view->g, queue[i]) && rch_bit(made, queue[i]);
    return num;
}

// What observers refer to; their references do not count, so no sweep follows them.
static uint32_t queue_observed(const struct rch_view *view, uint64_t *visited, rch_node *queue)
{
    const struct rch_graph *g = view->g;
    uint32_t tail = 0;
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (rch_is_removed(view, v) && rch_bit_add(visited, v))
            queue[tail++] = v;
    }
    for (uint32_t head = 0; head < tail; head++) {
        rch_node v = queue[head];
        for (uint32_t e = g->edge_start[v]; rch_is_removed(view, v) && e < g->edge_start[v + 1];
             e++) {
            rch_node to = g->edges[e];
            if (to != RCH_NO_NODE &&
                rch_label_of(g, v, e - g->edge_start[v])->cls != RCH_CLASS_WEAK &&
                rch_bit_add(visited, to))
                queue[tail++] = to;
        }
    }
    return tail;
}

// New objects without a path from a live root: the observer's, those of garbage, and the rest.
static void count_rest(const struct rch_trails *t, const uint64_t *made, uint64_t *visited,
                       rch_node *queue, struct rch_growth *growth)
{
    const struct rch_graph *g = t->view->g;
    uint32_t tail = 0;
    uint64_t num_left = 0;
    for (uint32_t i = 0; i < t->nodes.num; i++)
        rch_bit_set(visited, NODE(t, i)->node);
    for (rch_node v = 0; v < g->num_objects; v++)
        num_left += rch_bit(made, v) && !t->slot[v];
    tail = queue_observed(t->view, visited, queue);
    growth->observer = count_reached(t->view, made, visited, queue, tail);
    tail = 0;
    for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
        if (g->roots[v - g->num_objects].kind == RCH_ROOT_GARBAGE && rch_bit_add(visited, v))
            queue[tail++] = v;
    }
    growth->garbage = count_reached(t->view, made, visited, queue, tail);
    growth->unexplained = num_left - growth->observer - growth->garbage;
}

// Nodes on the way from roots to new objects, these included.
static void find_region(const struct rch_view *view, const uint64_t *made, const uint64_t *nowhere,
                        uint64_t *region, rch_node *queue)
{
    uint32_t num = view->g->num_nodes, tail = 0;
    rch_bits_copy(region, view->removed.mem, num);
    for (rch_node v = 0; v < view->g->num_objects; v++) {
        if (rch_bit(made, v) && rch_bit_add(region, v))
            queue[tail++] = v;
    }
    rch_sweep_back(view, nowhere, region, queue, tail);
    rch_bits_minus(region, view->removed.mem, num);
}

static enum rch_status run(struct rch_trails *t, struct rch_error *err)
{
    const struct rch_graph *g = t->view->g;
    uint32_t index;
    t->goes_on = true;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!rch_bit(t->region, root) || !rch_is_live_root(t->view, root))
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    return rch_trails_run(t, err);
}

static enum rch_status search(struct rch_view *view, const uint64_t *made,
                              const struct rch_growth_options *options, struct rch_growth *growth,
                              struct rch_error *err)
{
    uint32_t num = view->g->num_nodes;
    RCH_BLOCK(queue, view->alloc, num, sizeof(rch_node));
    RCH_BLOCK(slot, view->alloc, num, sizeof(uint32_t));
    RCH_BITS(region, view->alloc, num);
    RCH_BITS(visited, view->alloc, num);
    if (!queue.mem || !slot.mem || !region.mem || !visited.mem)
        return no_memory(view->g, err);
    if (options && !rch_go_on(options->progress, "growth", 1, 3))
        return rch_fail(err, RCH_ECANCELED, "growth");
    find_region(view, made, visited.mem, region.mem, queue.mem);
    RCH_TRY(rch_view_check(view, err));
    struct rch_trails trails;
    enum rch_status st = rch_trails_init(&trails, view, region.mem, made, slot.mem, err);
    if (st == RCH_OK)
        st = run(&trails, err);
    if (st == RCH_OK && options && !rch_go_on(options->progress, "growth", 2, 3))
        st = rch_fail(err, RCH_ECANCELED, "growth");
    uint32_t max_places = options && options->max_places ? options->max_places : DEFAULT_PLACES;
    if (st == RCH_OK)
        st = rank(&trails, made, max_places, growth, err);
    if (st == RCH_OK)
        count_rest(&trails, made, visited.mem, queue.mem, growth);
    rch_trails_deinit(&trails);
    return st == RCH_OK ? rch_view_check(view, err) : st;
}

enum rch_status rch__find_places(const struct rch_graph *g, const struct rch_reverse *rev,
                                 const uint64_t *made, const struct rch_growth_options *options,
                                 const struct rch_alloc *alloc, struct rch_growth *growth,
                                 struct rch_error *err)
{
    static const struct rch_question nobody = {"growth", NULL, 0};  // the asker's variables count
    struct rch_view view;
    struct rch_asking asking = {.progress = options ? options->progress : NULL,
                                .phase = "finding places"};
    RCH_TRY(rch_view_init(&view, g, rev, &nobody, alloc, err));
    view.asking = &asking;
    enum rch_status st = search(&view, made, options, growth, err);
    rch_view_deinit(&view);
    return st;
}
