// SPDX-License-Identifier: MIT
// capture/capture.c -- the walk and the finish, in order.
#define _GNU_SOURCE
#include "capture/capture.h"

#include <stdlib.h>
#include <time.h>

#include "capture/families.h"
#include "capture/finish.h"
#include "capture/reached.h"
#include "capture/room.h"
#include "capture/share.h"
#include "capture/state.h"

#define TYPE_SLOTS 4096u
#define SHAPE_SLOTS 4096u
#define MANY_ROWS ((size_t)1 << 31)  // address space, not memory
#define FEW_ROWS ((size_t)1 << 26)

struct rch_capture {
    struct rch__cap cap;
};

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

void rch__rows_deinit(struct rch__rows *rows)
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
    cap->num_type_slots = TYPE_SLOTS;
    cap->num_shape_slots = SHAPE_SLOTS;
    return cap->type_slots && cap->shape_slots
               ? RCH_OK
               : rch_fail(err, RCH_ENOMEM, "the tables of a capture");
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
    rch__rows_deinit(&cap->rows);
    rch__rows_deinit(&cap->late);
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
    uint64_t start = rch__now_ns(CLOCK_MONOTONIC);
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
    cap->pause_ns = rch__now_ns(CLOCK_MONOTONIC) - start;
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

static enum rch_status begin_step(struct rch__cap *cap, const char *phase, struct rch_error *err)
{
    cap->asking = (struct rch_asking){.progress = cap->asking.progress, .phase = phase};
    return rch__go_on(cap, RCH_ASK_EVERY, err);
}

// Two searches at random over the same references, neither of which writes what the other reads.
static void count_or_reach(void *ctx, uint32_t part, struct rch__worker *worker)
{
    struct rch__reached *reached = ctx;
    if (part == 0)
        rch__take_off_found(reached->cap, reached->has_weak, worker);
    else
        rch__reached_from_roots(reached, worker);
}

static enum rch_status find_roots(struct rch__cap *cap, struct rch__reached *reached,
                                  struct rch_error *err)
{
    rch__share(&cap->asking, 2, rch__share_pays(cap->rows.shape.num), count_or_reach, reached);
    RCH_TRY(rch__go_on(cap, 0, err));
    RCH_TRY(rch__hold_surplus(cap, err));
    RCH_TRY(begin_step(cap, "looking for garbage", err));
    return rch__find_garbage(cap, reached, err);
}

enum rch_status rch_capture_finish(struct rch_capture *capture, struct rch_graph **graph_out,
                                   struct rch_error *err)
{
    struct rch_capture *mine __attribute__((cleanup(free_capture))) = capture;
    struct rch__cap *cap = &mine->cap;
    struct rch__reached reached;
    RCH_TRY(begin_step(cap, "numbering", err));
    RCH_TRY(rch__number(cap, err));
    name_closures(cap);
    take_out_moved(cap);
    RCH_TRY(begin_step(cap, "balancing reference counts", err));
    RCH_TRY(rch__reached_init(&reached, cap, err));
    enum rch_status st = find_roots(cap, &reached, err);
    rch__reached_deinit(&reached);
    RCH_TRY(st);
    RCH_TRY(begin_step(cap, "making the graph", err));
    return rch__make_graph(cap, graph_out, err);
}
