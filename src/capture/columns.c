// SPDX-License-Identifier: MIT
// capture/columns.c -- the last step of the finish: what the walk logged becomes the columns of a graph,
// most of them where they lie.
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#include "capture/finish.h"
#include "capture/share.h"

#define MAX_COLUMNS 14
#define RUN_BYTES ((rch_addr)8 << 32)  // what addr8 can span

struct owner {  // remembers the size of each column, for the graph that frees them one by one
    size_t num;
    struct {
        void *mem;
        size_t bytes;
    } columns[MAX_COLUMNS];
};

static void own(struct owner *owner, void *mem, size_t bytes)
{
    owner->columns[owner->num].mem = mem;
    owner->columns[owner->num++].bytes = bytes;
}

static void unmap(void *ctx, void *mem)
{
    struct owner *owner = ctx;
    for (size_t i = 0; i < owner->num; i++) {
        if (owner->columns[i].mem != mem)
            continue;
        rch_bigbuf_free(mem, owner->columns[i].bytes);
        owner->columns[i] = owner->columns[--owner->num];
        break;
    }
    if (owner->num == 0)
        free(owner);
}

static void drop_owner(struct owner **owner)
{
    for (size_t i = 0; *owner && i < (*owner)->num; i++)
        rch_bigbuf_free((*owner)->columns[i].mem, (*owner)->columns[i].bytes);
    free(*owner);
}

static void *own_new(struct owner *owner, size_t num, size_t elem_bytes)
{
    void *mem = rch_bigbuf_new(num * elem_bytes);
    if (mem)
        own(owner, mem, num * elem_bytes);
    return mem;
}

static void *own_column(struct owner *owner, struct rch_column *column)
{
    rch_column_trim(column);
    void *mem = column->mem;
    own(owner, mem, column->cap * column->elem_bytes);
    *column = (struct rch_column){.elem_bytes = column->elem_bytes};
    return mem;
}

static void *own_vec(struct owner *owner, const struct rch_vec *vec, uint32_t *num_out)
{
    void *mem = own_new(owner, vec->num, vec->elem_bytes);
    if (mem && vec->num)
        memcpy(mem, vec->mem, vec->num * vec->elem_bytes);
    *num_out = (uint32_t)vec->num;
    return mem;
}

// ---- addresses ---------------------------------------------------------------------------------

#define HALVES 2  // what the collector tracks, and the rest
#define SLICES_A_REGION 8u
#define CELLS_A_SLICE (RCH_CELLS_PER_REGION / SLICES_A_REGION)

struct addresses {
    const struct rch_index *index;
    uint32_t *addr8;         // by node, out
    rch_addr *base[HALVES];  // by position of the region, of the run that its objects are in
};

static uint64_t cell_bits(const struct rch_cell *cell, uint32_t half)
{
    return half == 0 ? cell->tracked : cell->seen & ~cell->tracked;
}

static rch_addr bit_addr(const struct rch_index *index, uint32_t region, uint32_t cell,
                         uint64_t bits)
{
    uint32_t bit = (uint32_t)__builtin_ctzll(bits);
    return index->base[region] + ((rch_addr)(cell * 64u + bit) << RCH_GRANULE_SHIFT) +
           (index->cells[region][cell].odd >> bit & 1) * 8;
}

static void fill_slice(void *ctx, uint32_t part, struct rch__worker *worker)
{
    (void)worker;  // a part takes few milliseconds
    const struct addresses *a = ctx;
    uint32_t at = part / SLICES_A_REGION, first = part % SLICES_A_REGION * CELLS_A_SLICE;
    uint32_t region = a->index->order[at];
    const struct rch_cell *cells = a->index->cells[region];
    for (uint32_t i = rch_next_cell(a->index, region, first); i < first + CELLS_A_SLICE;
         i = rch_next_cell(a->index, region, i + 1)) {
        if (!cells[i].seen)
            continue;
        uint32_t *to = a->addr8 + cells[i].rank_tracked;
        for (uint64_t bits = cell_bits(&cells[i], 0); bits; bits &= bits - 1)
            *to++ = (uint32_t)((bit_addr(a->index, region, i, bits) - a->base[0][at]) / 8);
        to = a->addr8 + a->index->num_tracked + cells[i].rank_other;
        for (uint64_t bits = cell_bits(&cells[i], 1); bits; bits &= bits - 1)
            *to++ = (uint32_t)((bit_addr(a->index, region, i, bits) - a->base[1][at]) / 8);
    }
}

/// The first cell of a region that has objects of this half, or RCH_CELLS_PER_REGION.
static uint32_t first_cell(const struct rch_index *index, uint32_t region, uint32_t half)
{
    RCH_FOR_EACH_CELL (index, region, i)
        if (cell_bits(&index->cells[region][i], half))
            return i;
    return RCH_CELLS_PER_REGION;
}

// A run ends before the region that addr8 cannot reach to the end of.
static enum rch_status make_runs(const struct rch_index *index, uint32_t half, rch_addr *base_of,
                                 struct rch_vec *runs, struct rch_error *err)
{
    const rch_addr region_bytes = (rch_addr)1 << RCH_REGION_SHIFT;
    bool has_run = false;
    rch_addr base = 0;
    for (uint32_t at = 0; at < index->num_regions; at++) {
        uint32_t region = index->order[at], i = first_cell(index, region, half);
        if (i == RCH_CELLS_PER_REGION)
            continue;
        if (!has_run || index->base[region] + region_bytes - base > RUN_BYTES) {
            const struct rch_cell *cell = &index->cells[region][i];
            base = bit_addr(index, region, i, cell_bits(cell, half));
            struct rch_addr_run run = {.base = base,
                                       .first_node = half == 0
                                                         ? cell->rank_tracked
                                                         : index->num_tracked + cell->rank_other};
            RCH_TRY(rch_vec_append(runs, &run, 1, err));
            has_run = true;
        }
        base_of[at] = base;
    }
    return RCH_OK;
}

// The counts of references are done with: their column takes the addresses.
static enum rch_status fill_addresses(struct rch__cap *cap, struct owner *owner,
                                      struct rch_columns *c, struct rch_error *err)
{
    const struct rch_index *index = &cap->index;
    RCH_VEC(runs, cap->alloc, struct rch_addr_run);
    RCH_BLOCK(bases, cap->alloc, (size_t)index->num_regions * HALVES, sizeof(rch_addr));
    if (!bases.mem)
        return rch_fail(err, RCH_ENOMEM, "%u regions", index->num_regions);
    struct addresses a = {.index = index, .addr8 = cap->rows.refcount.mem};
    for (uint32_t half = 0; half < HALVES; half++) {
        a.base[half] = (rch_addr *)bases.mem + (size_t)half * index->num_regions;
        RCH_TRY(make_runs(index, half, a.base[half], &runs, err));
    }
    rch__share(&cap->asking, index->num_regions * SLICES_A_REGION, rch__share_pays(c->num_objects),
               fill_slice, &a);
    RCH_TRY(rch__go_on(cap, 0, err));
    c->addr8 = own_column(owner, &cap->rows.refcount);
    c->addr_runs = own_vec(owner, &runs, &c->num_addr_runs);
    return c->addr_runs ? RCH_OK : rch_fail(err, RCH_ENOMEM, "%zu runs of addresses", runs.num);
}

// ---- the small columns -------------------------------------------------------------------------

static int compare_texts(const void *a, const void *b)
{
    rch_node x = ((const struct rch_text_of *)a)->node, y = ((const struct rch_text_of *)b)->node;
    return (x > y) - (x < y);
}

static int compare_big(const void *a, const void *b)
{
    rch_node x = ((const struct rch_big_size *)a)->node, y = ((const struct rch_big_size *)b)->node;
    return (x > y) - (x < y);
}

// The walk kept interned strings that look like names (decode_atom.c); here they get their nodes.
static enum rch_status fill_texts(struct rch__cap *cap, struct owner *owner, struct rch_columns *c,
                                  struct rch_error *err)
{
    struct rch_text_of *texts = own_new(owner, cap->texts.num, sizeof(*texts));
    if (!texts)
        return rch_fail(err, RCH_ENOMEM, "%zu names", cap->texts.num);
    for (size_t i = 0; i < cap->texts.num; i++) {
        struct rch__text row = RCH_VEC_AT(&cap->texts, struct rch__text, i);
        texts[i] = (struct rch_text_of){rch_rank_of(&cap->index, row.code), row.str};
    }
    qsort(texts, cap->texts.num, sizeof(*texts), compare_texts);
    uint32_t num = 0;
    for (size_t i = 0; i < cap->texts.num; i++)  // an object measured twice is there twice
        if (num == 0 || texts[num - 1].node != texts[i].node)
            texts[num++] = texts[i];
    c->texts = texts;
    c->num_texts = num;
    return RCH_OK;
}

static enum rch_status fill_observers(struct rch__cap *cap, struct owner *owner,
                                      struct rch_columns *c, struct rch_error *err)
{
    struct rch_observer *rows = own_new(owner, cap->observed.num, sizeof(*rows));
    if (!rows)
        return rch_fail(err, RCH_ENOMEM, "%zu observers", cap->observed.num);
    for (size_t i = 0; i < cap->observed.num; i++) {
        struct rch__observed row = RCH_VEC_AT(&cap->observed, struct rch__observed, i);
        rch_node node = row.is_root ? (rch_node)cap->rows.shape.num + row.code
                                    : rch_rank_of(&cap->index, row.code);
        rows[i] = (struct rch_observer){.node = node, .scope = row.scope};
    }
    c->observers = rows;
    c->num_observers = (uint32_t)cap->observed.num;
    return RCH_OK;
}

static enum rch_status fill_fds(struct rch__cap *cap, struct owner *owner, struct rch_columns *c,
                                struct rch_error *err)
{
    RCH_VEC(owners, cap->alloc, struct rch_fd_owner);
    RCH_TRY(rch__fd_owners(cap, &owners, err));
    c->fds = own_vec(owner, &cap->fds, &c->num_fds);
    c->fd_owners = own_vec(owner, &owners, &c->num_fd_owners);
    return c->fds && c->fd_owners ? RCH_OK
                                  : rch_fail(err, RCH_ENOMEM, "%zu descriptors", cap->fds.num);
}

// Rows of the roots follow those of the objects, in every column.
static enum rch_status append_roots(struct rch__cap *cap, struct owner *owner,
                                    struct rch_columns *c, struct rch_error *err)
{
    struct rch__rows *rows = &cap->rows;
    size_t num = rows->shape.num, num_roots = cap->roots.num, num_codes = 0;
    for (size_t r = 0; r < num_roots; r++)
        num_codes += RCH_VEC_AT(&cap->roots, struct rch__root, r).num_codes;
    if (num + num_roots >= RCH_NO_NODE || cap->main_log.codes.num + num_codes >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "%zu objects and %zu roots", num, num_roots);
    RCH_TRY(rch_column_reserve(&rows->shape, num + num_roots, err));
    RCH_TRY(rch_column_reserve(&rows->size16, num + num_roots, err));
    RCH_TRY(rch_column_reserve(&rows->start, num + num_roots + 1, err));
    RCH_TRY(rch_column_reserve(&cap->main_log.codes, cap->main_log.codes.num + num_codes, err));
    struct rch_root *roots = own_new(owner, num_roots, sizeof(*roots));
    if (!roots)
        return rch_fail(err, RCH_ENOMEM, "%zu roots", num_roots);
    size_t at = cap->main_log.codes.num;
    for (size_t r = 0; r < num_roots; r++) {
        const struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, r);
        roots[r] = root->root;
        RCH_COLUMN_AT(&rows->shape, uint32_t, num + r) = root->shape;
        RCH_COLUMN_AT(&rows->size16, uint16_t, num + r) = 0;
        RCH_COLUMN_AT(&rows->start, uint32_t, num + r) = (uint32_t)at;
        if (root->num_codes)
            memcpy(&RCH_COLUMN_AT(&cap->main_log.codes, uint32_t, at),
                   &RCH_VEC_AT(&cap->root_codes, uint32_t, root->first_code), root->num_codes * 4u);
        at += root->num_codes;
    }
    RCH_COLUMN_AT(&rows->start, uint32_t, num + num_roots) = (uint32_t)at;
    cap->main_log.codes.num = at;
    rows->shape.num = rows->size16.num = num + num_roots;
    rows->start.num = num + num_roots + 1;
    c->roots = roots;
    c->num_roots = (uint32_t)num_roots;
    return RCH_OK;
}

static rch_node node_of_root(uint32_t root, uint32_t num_objects)
{
    return root == UINT32_MAX ? RCH_NO_NODE : num_objects + root;
}

static enum rch_status fill_threads(struct rch__cap *cap, struct owner *owner,
                                    struct rch_columns *c, struct rch_error *err)
{
    struct rch_thread *threads = own_new(owner, cap->threads.num, sizeof(*threads));
    c->stack_frames = own_vec(owner, &cap->frames, &c->num_stack_frames);
    if (!threads || !c->stack_frames)
        return rch_fail(err, RCH_ENOMEM, "%zu threads", cap->threads.num);
    for (size_t i = 0; i < cap->threads.num; i++) {
        threads[i] = RCH_VEC_AT(&cap->threads, struct rch__thread, i).row;
        threads[i].root = node_of_root(threads[i].root, c->num_objects);
    }
    for (uint32_t i = 0; i < c->num_stack_frames; i++)
        c->stack_frames[i].root = node_of_root(c->stack_frames[i].root, c->num_objects);
    c->threads = threads;
    c->num_threads = (uint32_t)cap->threads.num;
    return RCH_OK;
}

static void fill_info(struct rch__cap *cap)
{
    struct rch_capture_info *info = rch_builder_info(cap->b);
    info->pid = cap->opt.pid;
    info->py_major = (uint32_t)cap->L->py_major;
    info->py_minor = (uint32_t)cap->L->py_minor;
    info->py_micro = cap->opt.py_micro;
    info->time_ns = cap->opt.image ? cap->opt.image->time_ns : rch__now_ns(CLOCK_REALTIME);
    info->pause_ns = cap->opt.image ? cap->opt.image->pause_ns : cap->pause_ns;
    info->num_unreadable = cap->num_unreadable;
    info->num_traversed = cap->num_traversed;
    info->is_partial = cap->is_partial || cap->num_unreadable != 0 || cap->num_skipped_interps != 0;
}

enum rch_status rch__make_graph(struct rch__cap *cap, struct rch_graph **graph_out,
                                struct rch_error *err)
{
    struct owner *owner __attribute__((cleanup(drop_owner))) = calloc(1, sizeof(*owner));
    if (!owner)
        return rch_fail(err, RCH_ENOMEM, "a graph");
    struct rch_columns c = {.num_tracked = cap->index.num_tracked,
                            .num_objects = (uint32_t)cap->rows.shape.num};
    RCH_TRY(fill_observers(cap, owner, &c, err));
    RCH_TRY(fill_texts(cap, owner, &c, err));
    RCH_TRY(fill_fds(cap, owner, &c, err));
    RCH_TRY(fill_addresses(cap, owner, &c, err));
    RCH_TRY(append_roots(cap, owner, &c, err));
    RCH_TRY(fill_threads(cap, owner, &c, err));
    if (cap->rows.big.num)
        qsort(cap->rows.big.mem, cap->rows.big.num, sizeof(struct rch_big_size), compare_big);
    c.big_sizes = own_vec(owner, &cap->rows.big, &c.num_big_sizes);
    if (!c.big_sizes)
        return rch_fail(err, RCH_ENOMEM, "%zu large objects", cap->rows.big.num);
    c.num_nodes = (uint32_t)cap->rows.shape.num;
    c.num_edges = (uint32_t)cap->main_log.codes.num;
    c.edge_start = own_column(owner, &cap->rows.start);
    c.shape_of = own_column(owner, &cap->rows.shape);
    c.size16 = own_column(owner, &cap->rows.size16);
    c.edges = own_column(owner, &cap->main_log.codes);
    fill_info(cap);
    RCH_TRY(rch_builder_adopt(cap->b, &c, unmap, owner, graph_out, err));
    owner = NULL;
    return RCH_OK;
}
