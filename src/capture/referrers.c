// SPDX-License-Identifier: MIT
// capture/referrers.c -- see referrers.h. Mark what is tracked (gc_lists.c), number it, then traverse it
// in address order. Only references to marked objects are kept; whether a target is marked is asked a
// little later, when its cell of the bitmap has arrived. A counting sort turns them around.
#include "capture/referrers.h"

#include "capture/referents.h"
#include "capture/referrers_impl.h"

#define RAW 512
#define LOOK_FAR 32u
#define LOOK_NEAR 16u
#define MANY ((size_t)1 << 31)  // address space, not memory

struct raw {
    uint32_t code, source;
};

struct pass {
    struct rch_referrers *r;
    struct rch__cap *cap;
    struct rch__referents referents;
    struct raw raw[RAW];  // references whose targets are not looked at yet
    uint32_t num_raw;
    uint32_t num_rows;  // sources whose rows have begun
};

static void begin_rows(struct pass *pass, uint32_t source)
{
    while (pass->num_rows <= source)
        RCH_COLUMN_AT(&pass->r->row, uint32_t, pass->num_rows++) = (uint32_t)pass->r->targets.num;
}

// Look at the targets that were put aside.
static void settle(struct pass *pass)
{
    struct rch__cap *cap = pass->cap;
    struct rch_column *targets = &pass->r->targets;
    if (targets->num + RAW > targets->cap && cap->status == RCH_OK)
        cap->status = rch_column_reserve(targets, targets->num + RAW, &cap->err);
    for (uint32_t i = 0; i < pass->num_raw && cap->status == RCH_OK; i++) {
        uint32_t code = pass->raw[i].code;
        if (!(rch_cell_of(&cap->index, code)->seen >> (code & 63) & 1))
            continue;
        begin_rows(pass, pass->raw[i].source);
        RCH_COLUMN_AT(targets, uint32_t, targets->num++) = rch_rank_of(&cap->index, code);
    }
    pass->num_raw = 0;
}

// What lies where nothing is tracked is of no interest.
static int visit_target(void *referent, void *arg)
{
    struct pass *pass = arg;
    uint32_t code = rch_known_code(&pass->cap->index, (rch_addr)(uintptr_t)referent);
    if (code == RCH_NO_CODE)
        return 0;
    __builtin_prefetch(rch_cell_of(&pass->cap->index, code), 0);
    pass->raw[pass->num_raw++] = (struct raw){code, pass->referents.source};
    if (pass->num_raw == RAW)
        settle(pass);
    return 0;
}

// In the order of the nodes: address order; objects that are not tracked behind those that are.
static void number(struct rch_referrers *r, bool tracked, uint32_t node)
{
    const struct rch_index *index = &r->cap->index;
    for (uint32_t at = 0; at < index->num_sorted; at++) {
        uint32_t region = index->order[at];
        RCH_FOR_EACH_CELL (index, region, i) {
            const struct rch_cell *cell = &index->cells[region][i];
            for (uint64_t bits = tracked ? cell->tracked : cell->seen & ~cell->tracked; bits;
                 bits &= bits - 1)
                RCH_COLUMN_AT(&r->code_of, uint32_t, node++) =
                    region << RCH_CODE_SHIFT | i * 64u | (uint32_t)__builtin_ctzll(bits);
        }
    }
}

// ---- running frames, and what is the questioner's ------------------------------------------------

static bool is_observed_root(const struct rch__cap *cap, uint32_t number)
{
    for (size_t i = 0; i < cap->observed.num; i++) {
        const struct rch__observed *row = &RCH_VEC_AT(&cap->observed, struct rch__observed, i);
        if (row->is_root && row->code == number)
            return true;
    }
    return false;
}

static void find_frames(struct rch_referrers *r)
{
    struct rch__cap *cap = r->cap;
    for (size_t i = 0; i < cap->frames.num && cap->status == RCH_OK; i++) {
        uint32_t root = RCH_VEC_AT(&cap->frames, struct rch_stack_frame, i).root;
        if (root != UINT32_MAX && !is_observed_root(cap, root))
            cap->status = rch_vec_append(&r->roots, &root, 1, &cap->err);
    }
}

// From 3.11 the root of a frame has its variables. Before, the frame object has them, and the root
// leads to that.
static void emit_frame(struct pass *pass, uint32_t number)
{
    struct rch__cap *cap = pass->cap;
    const struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, number);
    for (uint32_t i = 0; i < root->num_codes; i++) {
        uint32_t code = RCH_VEC_AT(&cap->root_codes, uint32_t, root->first_code + i);
        if (code == RCH_NO_CODE)
            continue;
        rch_addr object = rch_code_addr(&cap->index, code);
        if (cap->L->frame_iframe == RCH_ABSENT && i == 0)
            rch__visit_referents_of(&pass->referents, object);
        else
            visit_target((void *)(uintptr_t)object, pass);
    }
}

static void emit_frames(struct pass *pass)
{
    for (size_t i = 0; i < pass->r->roots.num; i++) {
        pass->referents.source = pass->r->num_objects + (uint32_t)i;
        emit_frame(pass, RCH_VEC_AT(&pass->r->roots, uint32_t, i));
    }
    settle(pass);
}

static void note_observer(struct rch_referrers *r)
{
    struct rch__cap *cap = r->cap;
    for (size_t i = 0; i < cap->observed.num && cap->status == RCH_OK; i++) {
        const struct rch__observed *row = &RCH_VEC_AT(&cap->observed, struct rch__observed, i);
        if (row->is_root)
            continue;
        rch_node node = rch_rank_of(&cap->index, row->code);
        cap->status = rch_vec_append(&r->hidden, &node, 1, &cap->err);
    }
    for (size_t i = 0; i < cap->moved.num && cap->status == RCH_OK; i++) {
        const struct rch__moved *row = &RCH_VEC_AT(&cap->moved, struct rch__moved, i);
        if (row->num_refs)
            continue;
        struct rch__moved_edge edge = {rch_rank_of(&cap->index, row->dict_code),
                                       rch_rank_of(&cap->index, row->value_code)};
        cap->status = rch_vec_append(&r->moved, &edge, 1, &cap->err);
    }
}

// ---- turning around --------------------------------------------------------------------------------

static void count_targets(const struct rch_referrers *r, uint32_t *start)
{
    const uint32_t *targets = r->targets.mem;
    for (size_t e = 0; e < r->targets.num; e++) {
        if (r->targets.num - e > LOOK_FAR)
            __builtin_prefetch(&start[targets[e + LOOK_FAR]], 1);
        start[targets[e]]++;
    }
    uint32_t sum = 0;
    for (uint32_t v = 0; v < r->num_objects; v++) {
        uint32_t count = start[v];
        start[v] = sum;
        sum += count;
    }
    start[r->num_objects] = sum;
}

static void place_sources(struct rch_referrers *r, uint32_t *start, uint32_t *source)
{
    const uint32_t *targets = r->targets.mem, *row = r->row.mem;
    for (uint32_t v = 0; v < r->num_nodes; v++) {
        for (uint32_t e = row[v]; e < row[v + 1]; e++) {
            if (r->targets.num - e > LOOK_FAR) {
                __builtin_prefetch(&start[targets[e + LOOK_FAR]], 1);
                __builtin_prefetch(&source[start[targets[e + LOOK_NEAR]]], 1);
            }
            source[start[targets[e]]++] = v;
        }
    }
    memmove(start + 1, start, r->num_objects * sizeof(*start));
    start[0] = 0;
}

static enum rch_status turn_around(struct rch_referrers *r, struct rch_error *err)
{
    RCH_TRY(rch_column_init(&r->start, sizeof(uint32_t), (size_t)r->num_objects + 1, err));
    RCH_TRY(rch_column_reserve(&r->start, (size_t)r->num_objects + 1, err));
    RCH_TRY(rch_column_init(&r->source, sizeof(uint32_t), r->targets.num + 1, err));
    RCH_TRY(rch_column_reserve(&r->source, r->targets.num + 1, err));
    count_targets(r, r->start.mem);
    place_sources(r, r->start.mem, r->source.mem);
    rch_column_deinit(&r->targets);
    rch_column_deinit(&r->row);
    return RCH_OK;
}

// ---- the pass --------------------------------------------------------------------------------------

static enum rch_status status_of(struct rch__cap *cap, struct rch_error *err)
{
    rch__check_index(cap);
    if (cap->status != RCH_OK && err)
        *err = cap->err;
    return cap->status;
}

static void mark_starts(struct rch__cap *cap, const struct rch_referrers_options *options)
{
    for (uint32_t i = 0; i < options->num_starts; i++) {
        uint32_t code = rch_code(&cap->index, options->starts[i]);
        if (code != RCH_NO_CODE)
            rch_mark(&cap->index, code);
    }
}

static enum rch_status make_columns(struct rch_referrers *r, struct rch_error *err)
{
    size_t num = (size_t)r->num_nodes + 1;
    RCH_TRY(rch_column_init(&r->code_of, sizeof(uint32_t), num, err));
    RCH_TRY(rch_column_reserve(&r->code_of, num, err));
    RCH_TRY(rch_column_init(&r->row, sizeof(uint32_t), num + 1, err));
    RCH_TRY(rch_column_reserve(&r->row, num + 1, err));
    RCH_TRY(rch_column_init(&r->position, sizeof(uint32_t), num, err));
    RCH_TRY(rch_column_reserve(&r->position, num, err));
    return rch_column_init(&r->targets, sizeof(uint32_t), MANY, err);
}

static enum rch_status run(struct rch_referrers *r, const struct rch_referrers_options *options,
                           struct rch_error *err)
{
    struct rch__cap *cap = r->cap;
    rch__mark_tracked(cap);
    if (!options->is_plain)
        rch__collect_roots(cap);
    mark_starts(cap, options);
    RCH_TRY(status_of(cap, err));
    RCH_TRY(rch_index_rank(&cap->index, err));
    if (!options->is_plain)
        find_frames(r);
    r->num_objects = cap->index.num_tracked + cap->index.num_others;
    r->num_nodes = r->num_objects + (uint32_t)r->roots.num;
    RCH_TRY(make_columns(r, err));
    number(r, true, 0);
    number(r, false, cap->index.num_tracked);
    struct pass pass = {.r = r, .cap = cap};
    pass.referents = (struct rch__referents){.cap = cap, .visit = visit_target, .arg = &pass};
    rch__visit_referents(&pass.referents);
    settle(&pass);
    emit_frames(&pass);
    begin_rows(&pass, r->num_nodes);
    note_observer(r);
    RCH_TRY(status_of(cap, err));
    if (r->targets.num >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "%zu references", r->targets.num);
    RCH_TRY(turn_around(r, err));
    cap->t = NULL;  // nothing of the target's is read any more
    return RCH_OK;
}

static void drop(struct rch_referrers **referrers)
{
    rch_referrers_free(*referrers);
}

enum rch_status rch_referrers_make(const struct rch_referrers_options *options,
                                   const struct rch_alloc *alloc, struct rch_referrers **out,
                                   struct rch_error *err)
{
    struct rch_referrers *r __attribute__((cleanup(drop))) = rch_calloc(alloc, 1, sizeof(*r));
    if (!r)
        return rch_fail(err, RCH_ENOMEM, "the referrers");
    r->alloc = alloc;
    rch_vec_init(&r->roots, alloc, sizeof(uint32_t));
    rch_vec_init(&r->hidden, alloc, sizeof(rch_node));
    rch_vec_init(&r->moved, alloc, sizeof(struct rch__moved_edge));
    RCH_TRY(rch__capture_begin(options->capture, alloc, &r->capture, &r->cap, err));
    RCH_TRY(run(r, options, err));
    *out = r;
    r = NULL;
    return RCH_OK;
}

void rch_referrers_free(struct rch_referrers *r)
{
    if (!r)
        return;
    struct rch_column *columns[] = {&r->code_of, &r->targets, &r->row,
                                    &r->start,   &r->source,  &r->position};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        rch_column_deinit(columns[i]);
    rch_vec_deinit(&r->roots);
    rch_vec_deinit(&r->hidden);
    rch_vec_deinit(&r->moved);
    rch_capture_free(r->capture);
    rch_free(r->alloc, r, 1, sizeof(*r));
}
