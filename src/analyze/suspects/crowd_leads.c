// SPDX-License-Identifier: MIT
// analyze/suspects/crowd_leads.c -- leads of many objects of one type right below one object in the dominator tree:
// what a container, a cache or a registry has accumulated and nothing else holds. Objects of the program's
// own types are here only if those of the whole type have no few holders: then their crowds tell more.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/suspects/suspects_impl.h"

enum {
    MIN_OBJECTS = 16,
    MAX_CROWDS = 12,
    MAX_ROWS = 4096,  // kept while looking
    BIG_PART = 16,    // of the heap: fewer objects are a lead too
    SAME_OWNER = 40,  // tenths of bits
};

struct tally {
    uint32_t stamp;  // the object whose children are counted
    uint32_t objects;
    uint64_t bytes;
};

struct crowds {
    struct rch__search *s;
    uint32_t *start;  // num_nodes + 1: children of a node
    rch_node *child;
    struct tally *tallies;  // by type
    uint32_t *seen;         // types of the children at hand
    uint32_t stamp;
    struct rch_vec rows;  // struct rch__lead
};

// Children of all nodes but the super root, by counting.
static void sort_children(struct crowds *c)
{
    const struct rch_domtree *dom = &c->s->dom;
    uint32_t sum = 0;
    for (uint32_t i = 1; i < dom->num_reached && rch_goes_on(&c->s->asking, 1); i++)
        if (dom->idom[dom->preorder[i]] != rch_super_root(dom))
            c->start[dom->idom[dom->preorder[i]]]++;
    for (rch_node v = 0; v <= dom->num_nodes; v++) {
        sum += c->start[v];
        c->start[v] = sum;
    }
    for (uint32_t i = dom->num_reached; i-- > 1 && rch_goes_on(&c->s->asking, 2);) {
        rch_node v = dom->preorder[i];
        if (dom->idom[v] != rch_super_root(dom))
            c->child[--c->start[dom->idom[v]]] = v;
    }
}

// What the place says before anybody is asked: built-in objects in the standard library are its tables.
static int32_t score_place(const struct crowds *c, uint32_t type, rch_node anchor)
{
    const char *module = rch__module_above(c->s, anchor);
    if (!module || rch__origin_of(c->s, type) == RCH__PROGRAM)
        return 0;
    return rch__origin_of_module(module) == RCH__PROGRAM ? SAME_OWNER / 2 : -2 * SAME_OWNER;
}

static bool wants_type(const struct rch__search *s, uint32_t type)
{
    uint32_t no = RCH_TYPE_IS_MODULE;
    if (rch__origin_of(s, type) == RCH__OWN || s->g->types[type].flags & no)
        return false;
    if (rch__origin_of(s, type) != RCH__PROGRAM)
        return true;
    for (size_t i = 0; i < s->leads.num; i++) {
        const struct rch__lead *lead = RCH__LEAD(s, i);
        if (lead->type == type)
            return lead->answer && lead->answer->is_diffuse;
    }
    return false;
}

static int compare_rows(const void *a, const void *b)
{
    const struct rch__lead *x = a, *y = b;
    if (x->prior != y->prior)
        return x->prior > y->prior ? -1 : 1;
    return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

static void keep_best(struct rch_vec *rows, size_t num)
{
    if (rows->num)
        qsort(rows->mem, rows->num, sizeof(struct rch__lead), compare_rows);
    if (rows->num > num)
        rows->num = num;
}

static enum rch_status add_row(struct crowds *c, rch_node anchor, uint32_t type,
                               struct rch_error *err)
{
    const struct rch__search *s = c->s;
    const struct tally *tally = &c->tallies[type];
    bool is_big = tally->objects > 1 && tally->bytes > s->heap_bytes / BIG_PART;
    if ((tally->objects < MIN_OBJECTS && !is_big) || !wants_type(s, type))
        return RCH_OK;
    struct rch__lead row = {
        .type = type, .anchor = anchor, .objects = tally->objects, .bytes = tally->bytes};
    row.prior = rch__size_score(s, type, row.objects, row.bytes) + score_place(c, type, anchor);
    if (c->rows.num >= MAX_ROWS)
        keep_best(&c->rows, MAX_ROWS / 2);
    return rch_vec_append(&c->rows, &row, 1, err);
}

static enum rch_status look_below(struct crowds *c, rch_node anchor, struct rch_error *err)
{
    uint32_t num_seen = 0;
    c->stamp++;
    for (uint32_t i = c->start[anchor]; i < c->start[anchor + 1]; i++) {
        rch_node v = c->child[i];
        if (rch_is_root(c->s->g, v))
            continue;
        uint32_t type = rch__type_at(c->s, v);
        struct tally *tally = &c->tallies[type];
        if (tally->stamp != c->stamp) {
            *tally = (struct tally){.stamp = c->stamp};
            c->seen[num_seen++] = type;
        }
        tally->objects++;
        tally->bytes += c->s->retained[v];
    }
    for (uint32_t i = 0; i < num_seen; i++)
        RCH_TRY(add_row(c, anchor, c->seen[i], err));
    return RCH_OK;
}

static enum rch_status look(struct crowds *c, struct rch_error *err)
{
    const struct rch_graph *g = c->s->g;
    sort_children(c);
    RCH_TRY(rch_view_check(&c->s->view, err));
    for (rch_node v = 0; v < g->num_nodes; v++) {
        uint32_t num = c->start[v + 1] - c->start[v];
        if (!rch_goes_on(&c->s->asking, 1 + num))
            return rch_view_check(&c->s->view, err);
        if (num >= MIN_OBJECTS || (num > 1 && c->s->retained[v] > c->s->heap_bytes / BIG_PART))
            RCH_TRY(look_below(c, v, err));
    }
    keep_best(&c->rows, MAX_CROWDS);
    return rch_vec_append(&c->s->leads, c->rows.mem, c->rows.num, err);
}

enum rch_status rch__find_crowd_leads(struct rch__search *s, struct rch_error *err)
{
    const struct rch_graph *g = s->g;
    RCH_BLOCK(start, s->alloc, (size_t)g->num_nodes + 2, sizeof(uint32_t));
    RCH_BLOCK(child, s->alloc, s->dom.num_reached, sizeof(rch_node));
    RCH_BLOCK(tallies, s->alloc, g->num_types, sizeof(struct tally));
    RCH_BLOCK(seen, s->alloc, g->num_types, sizeof(uint32_t));
    if (!start.mem || !child.mem || !tallies.mem || !seen.mem)
        return rch_fail(err, RCH_ENOMEM, "crowds among %" PRIu32 " nodes", g->num_nodes);
    struct crowds c = {
        .s = s, .start = start.mem, .child = child.mem, .tallies = tallies.mem, .seen = seen.mem};
    rch_vec_init(&c.rows, s->alloc, sizeof(struct rch__lead));
    enum rch_status st = look(&c, err);
    rch_vec_deinit(&c.rows);
    return st;
}
