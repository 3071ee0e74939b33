// SPDX-License-Identifier: MIT
// analyze/keepers/keepers.c -- the tree with its sums, and what modules keep. The namespace of a module is often held
// by others too (every function has its __globals__), so the module is three nodes of the tree: its root, the
// module object, the namespace. Nothing but the one before it can dominate any of them, so no module is within
// another and the rows add up to the heap.
#include "analyze/keepers/keepers_impl.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct rch_question nobody = {"keepers", NULL, 0};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "what keeps %" PRIu32 " nodes", g->num_nodes);
}

// --- the tree ---

// Nodes whose dominator refers to them by a reference that folds forward; cells, which fold back.
static void mark_plumbing(struct rch__forest *f, const uint8_t *folds)
{
    const struct rch_graph *g = f->g;
    uint64_t *plumbing = f->plumbing.mem;
    for (rch_node v = 0; v < g->num_objects && rch_goes_on(&f->asking, 1); v++) {
        if (!folds[g->shape_of[v]])
            continue;
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            rch_node to = g->edges[e];
            uint16_t flags = rch_label_of(g, v, e - g->edge_start[v])->flags;
            if (to == RCH_NO_NODE)
                continue;
            if ((flags & RCH_LABEL_FOLD_FORWARD) && f->dom.idom[to] == v)
                rch_bit_set(plumbing, to);
            if ((flags & RCH_LABEL_FOLD_BACK) && f->dom.idom[v] < g->num_nodes)
                rch_bit_set(plumbing, v);
        }
    }
}

static enum rch_status find_plumbing(struct rch__forest *f, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    RCH_BLOCK(block, f->alloc, g->num_shapes, sizeof(uint8_t));
    uint8_t *folds = block.mem;
    f->plumbing = rch_block_make(f->alloc, rch_bits_words(g->num_nodes), sizeof(uint64_t));
    if (!folds || !f->plumbing.mem)
        return no_memory(g, err);
    for (uint32_t s = 0; s < g->num_shapes; s++) {
        const struct rch_shape *shape = &g->shapes[s];
        for (uint32_t i = 0; i < shape->num_labels + shape->num_tail; i++)
            folds[s] |= (g->labels[shape->first_label + i].flags &
                         (RCH_LABEL_FOLD_FORWARD | RCH_LABEL_FOLD_BACK)) != 0;
    }
    mark_plumbing(f, folds);
    return rch_view_check(&f->view, err);
}

static enum rch_status grow(struct rch__forest *f, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    size_t num = (size_t)g->num_nodes + 1;
    RCH_TRY(rch_retained_bytes(g, &f->dom, f->alloc, &f->bytes, err));
    f->count = rch_block_make(f->alloc, num, sizeof(uint32_t));
    f->order = rch_block_make(f->alloc, f->dom.num_reached, sizeof(rch_node));
    RCH_BLOCK(place, f->alloc, num, sizeof(uint32_t));
    if (!f->count.mem || !f->order.mem || !place.mem)
        return no_memory(g, err);
    rch_domtree_lay_out(&f->dom, f->count.mem, place.mem, &f->asking, f->order.mem);
    RCH_TRY(rch_view_check(&f->view, err));
    return find_plumbing(f, err);
}

enum rch_status rch__forest_init(struct rch__forest *f, const struct rch_graph *g,
                                 const struct rch_reverse *rev, const struct rch_progress *progress,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    *f = (struct rch__forest){.g = g, .alloc = alloc};
    f->asking = (struct rch_asking){.progress = progress, .phase = "who keeps most"};
    RCH_TRY(rch_view_init(&f->view, g, rev, &nobody, alloc, err));
    f->view.asking = &f->asking;
    enum rch_status st = rch_domtree_init(&f->dom, g, alloc, progress, err);
    if (st != RCH_OK) {
        rch_view_deinit(&f->view);
        return st;
    }
    st = rch__keepers_go_on(f, 0, err);
    if (st == RCH_OK)
        st = grow(f, err);
    if (st == RCH_OK)
        st = rch__keepers_go_on(f, 1, err);
    if (st != RCH_OK)
        rch__forest_deinit(f);
    return st;
}

void rch__forest_deinit(struct rch__forest *f)
{
    rch_free(f->alloc, f->bytes, (size_t)f->g->num_nodes + 1, sizeof(*f->bytes));
    rch_block_drop(&f->count);
    rch_block_drop(&f->order);
    rch_block_drop(&f->plumbing);
    rch_domtree_deinit(&f->dom);
    rch_view_deinit(&f->view);
}

rch_node rch__object_above(const struct rch__forest *f, rch_node v)
{
    rch_node above = f->dom.idom[v];
    while (above != rch_super_root(&f->dom) && rch_bit(f->plumbing.mem, above))
        above = f->dom.idom[above];
    return above;
}

uint64_t rch__objects_under(const struct rch__forest *f, rch_node v)
{
    const uint32_t *count = f->count.mem;
    return count[v] - (v < f->g->num_nodes && rch_is_root(f->g, v));
}

bool rch__is_most(uint64_t part, uint64_t whole)
{
    return part && part >= whole - whole / 10 * 3;  // 70 %: MAT's limit for an accumulation point
}

enum rch_status rch__keepers_go_on(const struct rch__forest *f, uint64_t stage,
                                   struct rch_error *err)
{
    enum { NUM_STAGES = 3 };
    return rch_view_stage(&f->view, stage, NUM_STAGES, err);
}

// --- modules ---

struct module_sums {
    struct rch__forest *f;
    uint64_t *counted;  // bits: roots and namespaces that are in a row
    struct rch_vec rows;
};

static void add_subtree(struct module_sums *s, struct rch_keeper *row, rch_node v)
{
    row->retained_objects += rch__objects_under(s->f, v);
    row->retained += s->f->bytes[v];  // parts of a sum that was checked
    rch_bit_set(s->counted, v);
}

// The node and, where it does not dominate it, what it refers to next: module object, namespace.
static void add_module(struct module_sums *s, struct rch_keeper *row, rch_node root)
{
    const struct rch_graph *g = s->f->g;
    const rch_node *idom = s->f->dom.idom;
    add_subtree(s, row, root);
    rch_node module = rch_num_refs(g, root) ? g->edges[g->edge_start[root]] : RCH_NO_NODE;
    if (module == RCH_NO_NODE || rch_is_orphan(&s->f->dom, module))
        return;
    if (idom[module] == rch_super_root(&s->f->dom) && !rch_bit(s->counted, module))
        add_subtree(s, row, module);
    for (uint32_t e = g->edge_start[module]; e < g->edge_start[module + 1]; e++) {
        rch_node to = g->edges[e];
        const struct rch_label *label = rch_label_of(g, module, e - g->edge_start[module]);
        if (to != RCH_NO_NODE && label->kind == RCH_EDGE_DICT && label->cls != RCH_CLASS_WEAK &&
            idom[to] == rch_super_root(&s->f->dom) && !rch_bit(s->counted, to))
            add_subtree(s, row, to);
    }
}

static enum rch_status add_row(struct module_sums *s, const struct rch_keeper *row,
                               struct rch_error *err)
{
    return row->retained_objects ? rch_vec_append(&s->rows, row, 1, err) : RCH_OK;
}

static enum rch_status add_modules(struct module_sums *s, struct rch_arena *arena,
                                   struct rch_error *err)
{
    const struct rch_graph *g = s->f->g;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        struct rch_keeper row = {.kind = RCH_KEEPER_PLACE, .node = RCH_NO_NODE};
        if (g->roots[root - g->num_objects].kind != RCH_ROOT_MODULE ||
            rch_is_orphan(&s->f->dom, root))
            continue;
        RCH_TRY(rch_name_root(g, root - g->num_objects, arena, &row.place, err));
        add_module(s, &row, root);
        RCH_TRY(add_row(s, &row, err));
    }
    return RCH_OK;
}

static enum rch_status add_others(struct module_sums *s, struct rch_error *err)
{
    const struct rch_graph *g = s->f->g;
    struct rch_keeper shared = {.kind = RCH_KEEPER_SHARED, .node = RCH_NO_NODE};
    struct rch_keeper orphans = {.kind = RCH_KEEPER_ORPHANS, .node = RCH_NO_NODE};
    struct rch_keeper kinds[RCH_NUM_ROOT_KINDS] = {{.kind = RCH_KEEPER_ROOTS}};
    for (rch_node v = 0; v < g->num_nodes && rch_goes_on(&s->f->asking, 1); v++) {
        if (rch_is_orphan(&s->f->dom, v) && !rch_is_root(g, v)) {
            orphans.retained_objects++;
            orphans.retained += rch_size_bytes(g, v);
        } else if (s->f->dom.idom[v] == rch_super_root(&s->f->dom) && !rch_bit(s->counted, v)) {
            uint8_t kind = rch_is_root(g, v) ? g->roots[v - g->num_objects].kind : 0;
            add_subtree(s, rch_is_root(g, v) ? &kinds[kind] : &shared, v);
        }
    }
    RCH_TRY(rch_view_check(&s->f->view, err));
    for (int i = 0; i < RCH_NUM_ROOT_KINDS; i++) {
        kinds[i].kind = RCH_KEEPER_ROOTS;
        kinds[i].node = RCH_NO_NODE;
        kinds[i].place.root_kind = (enum rch_root_kind)i;
        RCH_TRY(add_row(s, &kinds[i], err));
    }
    RCH_TRY(add_row(s, &shared, err));
    return add_row(s, &orphans, err);
}

static int compare_names(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int by_retained(const void *a, const void *b)
{
    const struct rch_keeper *x = a, *y = b;
    if (x->retained != y->retained)
        return x->retained > y->retained ? -1 : 1;
    return compare_names(x->place.root_name, y->place.root_name);
}

static int by_objects(const void *a, const void *b)
{
    const struct rch_keeper *x = a, *y = b;
    if (x->retained_objects != y->retained_objects)
        return x->retained_objects > y->retained_objects ? -1 : 1;
    return by_retained(a, b);
}

enum rch_status rch__keepers_by_module(struct rch__forest *f,
                                       const struct rch_keepers_options *options,
                                       struct rch_keepers *out, struct rch_error *err)
{
    RCH_BITS(counted, f->alloc, f->g->num_nodes);
    if (!counted.mem)
        return no_memory(f->g, err);
    struct module_sums s = {.f = f, .counted = counted.mem};
    rch_vec_init(&s.rows, f->alloc, sizeof(struct rch_keeper));
    enum rch_status st = add_modules(&s, &out->arena, err);
    if (st == RCH_OK)
        st = add_others(&s, err);
    if (st == RCH_OK) {
        if (s.rows.num)
            qsort(s.rows.mem, s.rows.num, sizeof(struct rch_keeper),
                  options->sort == RCH_SORT_OBJECTS ? by_objects : by_retained);
        out->rows = rch_arena_take(&out->arena, s.rows.num, sizeof(*out->rows));
        st = out->rows ? RCH_OK : no_memory(f->g, err);
    }
    if (st == RCH_OK) {
        if (s.rows.num)
            memcpy(out->rows, s.rows.mem, s.rows.num * sizeof(*out->rows));
        out->num_rows = (uint32_t)s.rows.num;
    }
    rch_vec_deinit(&s.rows);
    return st;
}

// --- all kinds ---

static enum rch_status fill(const struct rch_graph *g, const struct rch_reverse *rev,
                            const struct rch_keepers_options *options,
                            const struct rch_alloc *alloc, struct rch_keepers *out,
                            struct rch_error *err)
{
    struct rch__forest f;
    RCH_TRY(rch__forest_init(&f, g, rev, options->progress, alloc, err));
    out->by = options->by;
    out->objects = g->num_objects;
    out->is_partial = g->info.is_partial != 0;
    out->bytes = f.bytes[rch_super_root(&f.dom)];
    for (rch_node v = 0; v < g->num_objects; v++)
        if (rch_is_orphan(&f.dom, v) &&
            __builtin_add_overflow(out->bytes, rch_size_bytes(g, v), &out->bytes))
            out->bytes = UINT64_MAX;
    enum rch_status st =
        options->by == RCH_KEEPERS_MODULE   ? rch__keepers_by_module(&f, options, out, err)
        : options->by == RCH_KEEPERS_HOLDER ? rch__keepers_by_place(&f, options, out, err)
                                            : rch__keepers_by_object(&f, options, out, err);
    rch__forest_deinit(&f);
    return st;
}

enum rch_status rch_keepers(const struct rch_graph *g, const struct rch_reverse *rev,
                            const struct rch_keepers_options *options,
                            const struct rch_alloc *alloc, struct rch_keepers **out,
                            struct rch_error *err)
{
    struct rch_reverse own = {0};
    if (!rev)
        RCH_TRY(rch_reverse_make(&own, g, alloc, options->progress, err));
    struct rch_keepers *keepers = rch_calloc(alloc, 1, sizeof(*keepers));
    enum rch_status st = keepers ? RCH_OK : no_memory(g, err);
    if (keepers) {
        rch_arena_init(&keepers->arena, alloc);
        st = fill(g, rev ? rev : &own, options, alloc, keepers, err);
    }
    if (!rev)
        rch_reverse_deinit(&own);
    if (st == RCH_OK)
        *out = keepers;
    else
        rch_keepers_free(keepers);
    return st;
}

void rch_keepers_free(struct rch_keepers *keepers)
{
    if (!keepers)
        return;
    const struct rch_alloc *alloc = keepers->arena.alloc;
    rch_arena_deinit(&keepers->arena);
    rch_free(alloc, keepers, 1, sizeof(*keepers));
}
