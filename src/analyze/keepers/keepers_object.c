// SPDX-License-Identifier: MIT
// analyze/keepers/keepers_object.c -- the single objects that keep most. One pass marks the objects that mostly keep
// one other (they are on the way to it), one selects the heaviest of the rest, one collects what these dominate.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/keepers/keepers_impl.h"
#include "analyze/common/path.h"

enum { DEFAULT_ROWS = 20, MAX_BELOW = 3 };

struct below {  // one object that a row's object dominates directly
    uint32_t row, type;
    rch_node node;
};

struct picker {
    struct rch__forest *f;
    const struct rch_keepers_options *options;
    struct rch_keepers *out;
    const uint64_t *passage;  // bits
    rch_node *picked;         // the heaviest first
    uint32_t num, max;
    uint64_t num_candidates;
    struct rch_block row_of;  // struct row_of, `num` of them, by node
    struct rch_vec below;     // struct below
};

struct row_of {
    rch_node node;
    uint32_t row;
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "what keeps %" PRIu32 " nodes", g->num_nodes);
}

// --- which ---

static bool is_candidate(const struct rch__forest *f, const uint64_t *passage, rch_node v)
{
    return !rch_is_orphan(&f->dom, v) && !rch_bit(f->plumbing.mem, v) && !rch_bit(passage, v);
}

static void mark_passages(struct rch__forest *f, uint64_t *passage)
{
    for (rch_node v = 0; v < f->g->num_objects && rch_goes_on(&f->asking, 2); v++) {
        if (rch_is_orphan(&f->dom, v) || rch_bit(f->plumbing.mem, v))
            continue;
        rch_node above = rch__object_above(f, v);
        if (above < f->g->num_objects && rch__is_most(f->bytes[v], f->bytes[above]))
            rch_bit_set(passage, above);
    }
}

static uint64_t weight_of(const struct picker *p, rch_node v)
{
    switch (p->options->sort) {
    case RCH_SORT_OBJECTS: return rch__objects_under(p->f, v);
    case RCH_SORT_BYTES: return rch_size_bytes(p->f->g, v);
    default: return p->f->bytes[v];
    }
}

static bool is_heavier(const struct picker *p, rch_node a, rch_node b)
{
    uint64_t x = weight_of(p, a), y = weight_of(p, b);
    return x != y ? x > y : a < b;
}

static void pick(struct picker *p, rch_node v)
{
    p->num_candidates++;
    if (p->num == p->max && !is_heavier(p, v, p->picked[p->num - 1]))
        return;
    uint32_t at = p->num < p->max ? p->num++ : p->num - 1;
    for (; at > 0 && is_heavier(p, v, p->picked[at - 1]); at--)
        p->picked[at] = p->picked[at - 1];
    p->picked[at] = v;
}

// --- what is below them ---

static int by_node(const void *a, const void *b)
{
    const struct row_of *x = a, *y = b;
    return (x->node > y->node) - (x->node < y->node);
}

static int by_row(const void *a, const void *b)
{
    const struct below *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->type != y->type ? (x->type > y->type) - (x->type < y->type)
                              : (x->node > y->node) - (x->node < y->node);
}

static enum rch_status collect_below(struct picker *p, struct rch_error *err)
{
    const struct rch_graph *g = p->f->g;
    RCH_BITS(bits, p->f->alloc, g->num_nodes);
    p->row_of = rch_block_make(p->f->alloc, p->num, sizeof(struct row_of));
    struct row_of *rows = p->row_of.mem;
    if (!bits.mem || !rows)
        return no_memory(g, err);
    for (uint32_t i = 0; i < p->num; i++) {
        rows[i] = (struct row_of){p->picked[i], i};
        rch_bit_set(bits.mem, p->picked[i]);
    }
    if (p->num)
        qsort(rows, p->num, sizeof(*rows), by_node);
    for (rch_node v = 0; v < g->num_objects && rch_goes_on(&p->f->asking, 2); v++) {
        if (rch_is_orphan(&p->f->dom, v) || rch_bit(p->f->plumbing.mem, v))
            continue;
        struct row_of key = {rch__object_above(p->f, v), 0};
        if (key.node >= g->num_objects || !rch_bit(bits.mem, key.node))
            continue;
        const struct row_of *row = bsearch(&key, rows, p->num, sizeof(*rows), by_node);
        struct below below = {row->row, g->shapes[g->shape_of[v]].type, v};
        RCH_TRY(rch_vec_append(&p->below, &below, 1, err));
    }
    RCH_TRY(rch_view_check(&p->f->view, err));
    if (p->below.num)
        qsort(p->below.mem, p->below.num, sizeof(struct below), by_row);
    return RCH_OK;
}

static enum rch_status fill_hop(struct picker *p, rch_node v, uint32_t e, struct rch_hop *hop,
                                struct rch_error *err)
{
    const struct rch_graph *g = p->f->g;
    uint32_t ordinal = e - g->edge_start[v];
    struct rch_shown shown = rch_shown_of(&p->f->view, v, e);
    if (shown.kind == RCH_EDGE_VALUE && shown.name == RCH_NO_STR)
        shown.name = rch_view_text(&p->f->view, rch_key_of_value(g, v, ordinal));
    *hop = (struct rch_hop){.kind = shown.kind, .num_objects = 1, .example = g->edges[e]};
    hop->index = rch_index_of_ref(g, v, ordinal);
    if (shown.name == RCH_NO_STR)
        return RCH_OK;
    hop->name =
        rch_arena_copy(&p->out->arena, rch_str_get(g, shown.name), rch_str_bytes(g, shown.name));
    return hop->name ? RCH_OK : no_memory(g, err);
}

// By which reference does `from`, or its plumbing, refer to `to`? `work` is scratch.
static enum rch_status find_hop(struct picker *p, rch_node from, rch_node to, struct rch_vec *work,
                                struct rch_kept_type *type, struct rch_error *err)
{
    const struct rch__forest *f = p->f;
    const struct rch_graph *g = f->g;
    work->num = 0;
    RCH_TRY(rch_vec_append(work, &from, 1, err));
    for (size_t i = 0; i < work->num; i++) {
        rch_node v = RCH_VEC_AT(work, rch_node, i);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            rch_node next = g->edges[e];
            if (next == RCH_NO_NODE || !rch_edge_holds(&f->view, v, e))
                continue;
            if (next == to) {
                type->has_hop = true;
                return fill_hop(p, v, e, &type->hop, err);
            }
            if (rch_bit(f->plumbing.mem, next) && f->dom.idom[next] == v)
                RCH_TRY(rch_vec_append(work, &next, 1, err));
        }
    }
    return RCH_OK;
}

static int by_bytes(const void *a, const void *b)
{
    const struct rch_kept_type *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->type, y->type);
}

static bool is_same_type(const struct rch_graph *g, uint32_t a, uint32_t b)
{
    return a == b || rch_compare_types(g, a, b) == 0;
}

// rows[0, num) of p->below are one row's, by type: add them up.
static enum rch_status add_up(struct picker *p, struct rch_keeper *row, const struct below *rows,
                              size_t num, struct rch_error *err)
{
    const struct rch_graph *g = p->f->g;
    RCH_VEC(types, p->f->alloc, struct rch_kept_type);
    for (size_t i = 0; i < num; i++) {
        if (i == 0 || !is_same_type(g, rows[i].type, rows[i - 1].type)) {
            struct rch_kept_type type = {.type = rch_type_text(g, rows[i].type, &p->out->arena)};
            if (!type.type)
                return no_memory(g, err);
            RCH_TRY(rch_vec_append(&types, &type, 1, err));
        }
        struct rch_kept_type *type = &RCH_VEC_AT(&types, struct rch_kept_type, types.num - 1);
        type->num++;
        type->objects += rch__objects_under(p->f, rows[i].node);
        type->bytes += p->f->bytes[rows[i].node];
        type->hop.example = rows[i].node;
    }
    struct rch_kept_type *sums = types.mem;
    if (types.num)
        qsort(sums, types.num, sizeof(*sums), by_bytes);
    row->num_below = types.num < MAX_BELOW ? (uint32_t)types.num : MAX_BELOW;
    row->num_more_below = (uint32_t)types.num - row->num_below;
    row->below = rch_arena_take(&p->out->arena, row->num_below, sizeof(*row->below));
    if (!row->below)
        return no_memory(g, err);
    RCH_VEC(work, p->f->alloc, rch_node);
    for (uint32_t i = 0; i < row->num_below; i++) {
        row->below[i] = sums[i];
        if (sums[i].num == 1)
            RCH_TRY(find_hop(p, row->node, sums[i].hop.example, &work, &row->below[i], err));
    }
    return RCH_OK;
}

// --- rows ---

static enum rch_status fill_rows(struct picker *p, struct rch_error *err)
{
    const struct rch_graph *g = p->f->g;
    RCH_BLOCK(block, p->f->alloc, p->num, sizeof(struct rch_holder));
    struct rch_holder *places = block.mem;
    p->out->rows = rch_arena_take(&p->out->arena, p->num, sizeof(*p->out->rows));
    if (!places || !p->out->rows)
        return no_memory(g, err);
    RCH_TRY(rch_name_objects(&p->f->view, p->picked, p->num, &p->out->arena, places, err));
    const struct below *below = p->below.mem;
    size_t at = 0;
    for (uint32_t i = 0; i < p->num; i++) {
        struct rch_keeper *row = &p->out->rows[i];
        rch_node v = p->picked[i];
        row->kind = RCH_KEEPER_PLACE;
        row->place = places[i];
        row->node = v;
        row->type = rch_type_text(g, g->shapes[g->shape_of[v]].type, &p->out->arena);
        row->objects = 1;
        row->bytes = rch_size_bytes(g, v);
        row->retained_objects = rch__objects_under(p->f, v);
        row->retained = p->f->bytes[v];
        if (!row->type)
            return no_memory(g, err);
        size_t first = at;
        while (at < p->below.num && below[at].row == i)
            at++;
        RCH_TRY(add_up(p, row, below + first, at - first, err));
    }
    p->out->num_rows = p->num;
    uint64_t more = p->num_candidates - p->num;
    p->out->num_more_rows = more < UINT32_MAX ? (uint32_t)more : UINT32_MAX;
    return RCH_OK;
}

static enum rch_status pick_and_fill(struct picker *p, struct rch_error *err)
{
    for (rch_node v = 0; v < p->f->g->num_objects && rch_goes_on(&p->f->asking, 1); v++)
        if (is_candidate(p->f, p->passage, v))
            pick(p, v);
    RCH_TRY(collect_below(p, err));
    RCH_TRY(rch__keepers_go_on(p->f, 2, err));
    return fill_rows(p, err);
}

enum rch_status rch__keepers_by_object(struct rch__forest *f,
                                       const struct rch_keepers_options *options,
                                       struct rch_keepers *out, struct rch_error *err)
{
    uint32_t max = options->max_rows ? options->max_rows : DEFAULT_ROWS;
    max = max < f->g->num_objects ? max : f->g->num_objects;
    RCH_BITS(passage, f->alloc, f->g->num_nodes);
    RCH_BLOCK(picked, f->alloc, max, sizeof(rch_node));
    if (!passage.mem || !picked.mem)
        return no_memory(f->g, err);
    mark_passages(f, passage.mem);
    struct picker p = {.f = f,
                       .options = options,
                       .out = out,
                       .passage = passage.mem,
                       .picked = picked.mem,
                       .max = max};
    rch_vec_init(&p.below, f->alloc, sizeof(struct below));
    enum rch_status st = max ? pick_and_fill(&p, err) : RCH_OK;
    rch_vec_deinit(&p.below);
    rch_block_drop(&p.row_of);
    return st;
}
