// SPDX-License-Identifier: MIT
// capture/capture.c -- the walk and the finish, in order; and the columns handed to the graph.
#define _GNU_SOURCE
#include "capture/capture.h"

#include <stdlib.h>
#include <time.h>

#include "capture/families.h"
#include "capture/finish.h"
#include "capture/room.h"
#include "capture/state.h"

#define TYPE_SLOTS 4096u
#define SHAPE_SLOTS 4096u
#define MANY_ROWS ((size_t)1 << 31)  // address space, not memory
#define FEW_ROWS ((size_t)1 << 26)
#define RUN_BYTES ((rch_addr)8 << 32)  // what addr8 can span

struct rch_capture {
    struct rch__cap cap;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

// ---- life of a capture ------------------------------------------------------------------------

static enum rch_status init_rows(struct rch__rows *rows, size_t cap, const struct rch_alloc *alloc,
                                 struct rch_error *err)
{
    rch_vec_init(&rows->big, alloc, sizeof(struct rch_big_size));
    RCH_TRY(rch_column_init(&rows->shape, sizeof(uint32_t), cap, err));
    RCH_TRY(rch_column_init(&rows->size16, sizeof(uint16_t), cap, err));
    RCH_TRY(rch_column_init(&rows->refcount, sizeof(int32_t), cap, err));
    return rch_column_init(&rows->start, sizeof(uint32_t), cap, err);
}

static void deinit_rows(struct rch__rows *rows)
{
    rch_column_deinit(&rows->shape);
    rch_column_deinit(&rows->size16);
    rch_column_deinit(&rows->refcount);
    rch_column_deinit(&rows->start);
    if (rows->big.alloc)
        rch_vec_deinit(&rows->big);
}

static void init_vecs(struct rch__cap *cap)
{
    const struct rch_alloc *a = cap->alloc;
    rch_vec_init(&cap->types, a, sizeof(struct rch__type *));
    rch_vec_init(&cap->labels, a, sizeof(struct rch_label));
    rch_vec_init(&cap->shape_infos, a, sizeof(struct rch__shape_info));
    rch_vec_init(&cap->late_codes, a, sizeof(uint32_t));
    rch_vec_init(&cap->pending, a, sizeof(uint32_t));
    rch_vec_init(&cap->roots, a, sizeof(struct rch__root));
    rch_vec_init(&cap->root_codes, a, sizeof(uint32_t));
    rch_vec_init(&cap->observed, a, sizeof(struct rch__observed));
    rch_vec_init(&cap->moved, a, sizeof(struct rch__moved));
    rch_vec_init(&cap->closures, a, sizeof(struct rch__code_names));
    rch_vec_init(&cap->texts, a, sizeof(struct rch__text));
    rch_vec_init(&cap->borrowed, a, sizeof(uint32_t));
    rch_vec_init(&cap->fds, a, sizeof(struct rch_fd));
    rch_vec_init(&cap->fd_claims, a, sizeof(struct rch__fd_claim));
    rch_vec_init(&cap->stack_words, a, sizeof(uint64_t));
    rch_vec_init(&cap->threads, a, sizeof(struct rch__thread));
    rch_vec_init(&cap->frames, a, sizeof(struct rch_stack_frame));
    rch_vec_init(&cap->interps, a, sizeof(rch_addr));
}

static enum rch_status init(struct rch__cap *cap, const struct rch_capture_options *options,
                            const struct rch_alloc *alloc, struct rch_error *err)
{
    cap->alloc = alloc;
    cap->opt = *options;
    cap->asking = (struct rch_asking){.progress = options->progress, .phase = "reading objects"};
    cap->t = options->target;
    cap->L = options->layout;
    cap->log = &cap->main_log;
    rch_arena_init(&cap->arena, alloc);
    init_vecs(cap);
    RCH_TRY(rch_builder_new(alloc, &cap->b, err));
    RCH_TRY(rch_index_init(&cap->index, err));
    RCH_TRY(init_rows(&cap->rows, MANY_ROWS, alloc, err));
    RCH_TRY(init_rows(&cap->late, FEW_ROWS, alloc, err));
    RCH_TRY(rch_column_init(&cap->main_log.codes, sizeof(uint32_t), MANY_ROWS * 2, err));
    RCH_TRY(rch_column_init(&cap->late_log.codes, sizeof(uint32_t), FEW_ROWS, err));
    cap->type_slots = rch_calloc(alloc, TYPE_SLOTS, sizeof(*cap->type_slots));
    cap->shape_slots = rch_calloc(alloc, SHAPE_SLOTS, sizeof(*cap->shape_slots));
    if (!cap->type_slots || !cap->shape_slots)
        return rch_fail(err, RCH_ENOMEM, "the tables of a capture");
    cap->num_type_slots = TYPE_SLOTS;
    cap->num_shape_slots = SHAPE_SLOTS;
    return RCH_OK;
}

static void drop_vecs(struct rch__cap *cap)
{
    struct rch_vec *vecs[] = {&cap->types,     &cap->labels,   &cap->shape_infos, &cap->late_codes,
                              &cap->pending,   &cap->roots,    &cap->root_codes,  &cap->observed,
                              &cap->moved,     &cap->closures, &cap->texts,       &cap->stack_words,
                              &cap->borrowed,  &cap->threads,  &cap->frames,      &cap->fds,
                              &cap->fd_claims, &cap->interps};
    for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++)
        rch_vec_deinit(vecs[i]);
}

void rch_capture_free(struct rch_capture *capture)
{
    if (!capture)
        return;
    struct rch__cap *cap = &capture->cap;
    const struct rch_alloc *alloc = cap->alloc;
    deinit_rows(&cap->rows);
    deinit_rows(&cap->late);
    rch_column_deinit(&cap->main_log.codes);
    rch_column_deinit(&cap->late_log.codes);
    rch_index_deinit(&cap->index);
    rch_builder_free(cap->b);
    drop_vecs(cap);
    rch_free(alloc, cap->type_slots, cap->num_type_slots, sizeof(*cap->type_slots));
    rch_free(alloc, cap->shape_slots, cap->num_shape_slots, sizeof(*cap->shape_slots));
    rch_arena_deinit(&cap->arena);
    rch_free(alloc, capture, 1, sizeof(*capture));
}

static void free_capture(struct rch_capture **capture)
{
    rch_capture_free(*capture);
}

// ---- walk --------------------------------------------------------------------------------------

enum rch_status rch__capture_begin(const struct rch_capture_options *options,
                                   const struct rch_alloc *alloc, struct rch_capture **capture_out,
                                   struct rch__cap **cap_out, struct rch_error *err)
{
    struct rch_capture *made __attribute__((cleanup(free_capture))) =
        rch_calloc(alloc, 1, sizeof(*made));
    if (!made)
        return rch_fail(err, RCH_ENOMEM, "a capture");
    RCH_TRY(init(&made->cap, options, alloc, err));
    rch__trust_begin(&made->cap);
    rch__find_interps(&made->cap);
    *cap_out = &made->cap;
    *capture_out = made;
    made = NULL;
    return RCH_OK;
}

void rch__check_index(struct rch__cap *cap)
{
    if (cap->index.is_full)
        rch__fail(cap, RCH_EOVERFLOW, "objects on more than 63 GiB of heap");
    if (cap->index.out_of_memory)
        rch__fail(cap, RCH_ENOMEM, "the index of objects");
}

enum rch_status rch_capture_walk(const struct rch_capture_options *options,
                                 const struct rch_alloc *alloc, struct rch_capture **capture_out,
                                 struct rch_error *err)
{
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    struct rch_capture *made __attribute__((cleanup(free_capture))) = NULL;
    struct rch__cap *cap = NULL;
    RCH_TRY(rch__capture_begin(options, alloc, &made, &cap, err));
    rch__take_fds(cap);
    rch__mark_tracked(cap);
    rch__check_room(cap);
    rch__collect_roots(cap);
    rch__sweep_tracked(cap);
    cap->num_tracked_rows = cap->rows.shape.num;
    rch__check_index(cap);
    rch__check_room(cap);
    rch__sweep_others(cap);
    rch__collect_static_types(cap);
    rch__trust_end(cap);
    rch__check_index(cap);
    rch__check_room_to_finish(cap);
    if (cap->status != RCH_OK) {
        if (err)
            *err = cap->err;
        return cap->status;
    }
    cap->num_unreadable = cap->t->num_failed + cap->num_torn;
    cap->t = NULL;  // the finish reads nothing of the target's
    cap->pause_ns = now_ns(CLOCK_MONOTONIC) - start;
    *capture_out = made;
    made = NULL;
    return RCH_OK;
}

void rch_capture_set_progress(struct rch_capture *capture, const struct rch_progress *progress)
{
    capture->cap.asking.progress = progress;
}

bool rch_capture_count(const struct rch_capture *capture, size_t i, struct rch_capture_count *out)
{
    if (i >= capture->cap.types.num)
        return false;
    const struct rch__type *type = RCH_VEC_AT(&capture->cap.types, struct rch__type *, i);
    *out = (struct rch_capture_count){type->full_name, type->num_instances, type->num_bytes};
    return true;
}

// ---- finish ------------------------------------------------------------------------------------

#define MAX_COLUMNS 14

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

struct addr_column {
    uint32_t *addr8;
    struct rch_vec *runs;
    rch_addr base;  // of the run at hand
    uint32_t num;
};

static enum rch_status start_run(struct addr_column *column, rch_addr addr, struct rch_error *err)
{
    struct rch_addr_run run = {.base = addr, .first_node = column->num};
    column->base = addr;
    return rch_vec_append(column->runs, &run, 1, err);
}

// Half of the objects, in address order; a run ends where addr8 cannot reach further.
static enum rch_status fill_addresses(struct rch__cap *cap, struct addr_column *column,
                                      bool tracked, struct rch_error *err)
{
    bool starts_half = true;
    for (uint32_t at = 0; at < cap->index.num_regions; at++) {
        uint32_t region = cap->index.order[at];
        const struct rch_cell *cells = cap->index.cells[region];
        rch_addr region_base = cap->index.base[region];
        for (uint32_t i = 0; i < RCH_CELLS_PER_REGION; i++) {
            uint64_t bits = tracked ? cells[i].tracked : cells[i].seen & ~cells[i].tracked;
            RCH_TRY(rch__go_on(cap, (uint32_t)__builtin_popcountll(bits), err));
            for (; bits; bits &= bits - 1) {
                uint32_t bit = (uint32_t)__builtin_ctzll(bits);
                rch_addr addr = region_base + ((rch_addr)(i * 64u + bit) << RCH_GRANULE_SHIFT) +
                                (cells[i].odd >> bit & 1) * 8;
                if (__builtin_expect(starts_half || addr - column->base >= RUN_BYTES, 0)) {
                    RCH_TRY(start_run(column, addr, err));
                    starts_half = false;
                }
                column->addr8[column->num++] = (uint32_t)((addr - column->base) / 8);
            }
        }
    }
    return RCH_OK;
}

// Closure tuples get the names of the free variables.
static void name_closures(struct rch__cap *cap)
{
    for (size_t i = 0; i < cap->closures.num; i++) {
        struct rch__code_names row = RCH_VEC_AT(&cap->closures, struct rch__code_names, i);
        RCH_COLUMN_AT(&cap->rows.shape, uint32_t, rch_rank_of(&cap->index, row.tuple_code)) =
            row.shape;
    }
}

// What a prompt put into a namespace is the observer's reference now, not the namespace's; and what
// a root tells is not told by the object, too.
static void take_out_moved(struct rch__cap *cap)
{
    rch_node *edges = cap->main_log.codes.mem;
    for (size_t i = 0; i < cap->moved.num; i++) {
        struct rch__moved row = RCH_VEC_AT(&cap->moved, struct rch__moved, i);
        rch_node dict = rch_rank_of(&cap->index, row.dict_code);
        uint32_t first = rch__row_start(cap, dict), past = rch__row_end(cap, dict);
        for (uint32_t e = first; e < past && e - first < row.num_refs; e++)
            edges[e] = RCH_NO_NODE;
        if (row.num_refs)
            continue;
        rch_node key = rch_rank_of(&cap->index, row.key_code);
        rch_node value = rch_rank_of(&cap->index, row.value_code);
        for (uint32_t e = rch__row_start(cap, dict); e + 1 < rch__row_end(cap, dict); e++)
            if (edges[e] == key && edges[e + 1] == value) {
                edges[e + 1] = RCH_NO_NODE;
                break;
            }
    }
}

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

static enum rch_status fill_addr_columns(struct rch__cap *cap, struct owner *owner,
                                         struct rch_columns *c, struct rch_error *err)
{
    RCH_VEC(runs, cap->alloc, struct rch_addr_run);
    struct addr_column addrs = {.addr8 = own_new(owner, c->num_objects, sizeof(uint32_t)),
                                .runs = &runs};
    if (!addrs.addr8)
        return rch_fail(err, RCH_ENOMEM, "%u addresses", c->num_objects);
    RCH_TRY(fill_addresses(cap, &addrs, true, err));
    RCH_TRY(fill_addresses(cap, &addrs, false, err));
    c->addr8 = addrs.addr8;
    c->addr_runs = own_vec(owner, &runs, &c->num_addr_runs);
    return c->addr_runs ? RCH_OK : rch_fail(err, RCH_ENOMEM, "%zu runs of addresses", runs.num);
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
    info->time_ns = cap->opt.image ? cap->opt.image->time_ns : now_ns(CLOCK_REALTIME);
    info->pause_ns = cap->opt.image ? cap->opt.image->pause_ns : cap->pause_ns;
    info->num_unreadable = cap->num_unreadable;
    info->num_traversed = cap->num_traversed;
    info->is_partial = cap->is_partial || cap->num_unreadable != 0 || cap->num_skipped_interps != 0;
}

static enum rch_status make_graph(struct rch__cap *cap, struct rch_graph **graph_out,
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
    RCH_TRY(fill_addr_columns(cap, owner, &c, err));
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

static enum rch_status begin_step(struct rch__cap *cap, const char *phase, struct rch_error *err)
{
    cap->asking = (struct rch_asking){.progress = cap->asking.progress, .phase = phase};
    return rch__go_on(cap, RCH_ASK_EVERY, err);
}

enum rch_status rch_capture_finish(struct rch_capture *capture, struct rch_graph **graph_out,
                                   struct rch_error *err)
{
    struct rch_capture *mine __attribute__((cleanup(free_capture))) = capture;
    struct rch__cap *cap = &mine->cap;
    RCH_TRY(begin_step(cap, "numbering", err));
    RCH_TRY(rch__number(cap, err));
    name_closures(cap);
    take_out_moved(cap);
    RCH_TRY(begin_step(cap, "balancing reference counts", err));
    RCH_TRY(rch__balance(cap, err));
    RCH_TRY(begin_step(cap, "looking for garbage", err));
    RCH_TRY(rch__find_garbage(cap, err));
    rch_column_deinit(&cap->rows.refcount);
    RCH_TRY(begin_step(cap, "making the graph", err));
    return make_graph(cap, graph_out, err);
}
