// SPDX-License-Identifier: MIT
// capture/balance.c -- reference counts against references found. A count that is too high means a
// reference nobody can see: from the evaluation stack of a frame that is in C, or from C code.
#include <stdio.h>
#include <stdlib.h>

#include "capture/families.h"
#include "capture/finish.h"

#define PREFETCH_AHEAD 24

static void take_off(int32_t *counts, rch_node v)
{
    if (v != RCH_NO_NODE && counts[v] != RCH_IMMORTAL)
        counts[v]--;
}

static void take_off_references(struct rch__cap *cap, struct rch__worker *worker)
{
    int32_t *counts = cap->rows.refcount.mem;
    const rch_node *edges = cap->main_log.codes.mem;
    size_t num_edges = cap->main_log.codes.num;
    for (size_t i = 0; i < num_edges; i++) {
        if (i + PREFETCH_AHEAD < num_edges && edges[i + PREFETCH_AHEAD] != RCH_NO_NODE)
            __builtin_prefetch(&counts[edges[i + PREFETCH_AHEAD]], 1);
        take_off(counts, edges[i]);
        if (i % RCH_ASK_EVERY == 0 && !rch__worker_goes_on(worker, RCH_ASK_EVERY))
            return;
    }
}

// Weak references were taken off with the rest: give them back.
static void give_back_weak(struct rch__cap *cap, const uint64_t *has_weak)
{
    int32_t *counts = cap->rows.refcount.mem;
    const rch_node *edges = cap->main_log.codes.mem;
    size_t num_words = (cap->rows.shape.num + 63) / 64;
    for (size_t word = 0; word < num_words; word++) {
        for (uint64_t bits = has_weak[word]; bits; bits &= bits - 1) {
            rch_node v = (rch_node)(word * 64) + (rch_node)__builtin_ctzll(bits);
            uint32_t at = rch__row_start(cap, v) + rch__info_of(cap, v)->weak_ordinal;
            if (at < rch__row_end(cap, v) && edges[at] != RCH_NO_NODE &&
                counts[edges[at]] != RCH_IMMORTAL)
                counts[edges[at]]++;
        }
    }
}

// So were references on stacks that own no count (3.14+).
static void give_back_borrowed(struct rch__cap *cap)
{
    int32_t *counts = cap->rows.refcount.mem;
    for (size_t i = 0; i < cap->borrowed.num; i++) {
        rch_node v = rch_rank_of(&cap->index, RCH_VEC_AT(&cap->borrowed, uint32_t, i));
        if (counts[v] != RCH_IMMORTAL)
            counts[v]++;
    }
}

static void take_off_types(struct rch__cap *cap)
{
    int32_t *counts = cap->rows.refcount.mem;
    for (size_t i = 0; i < cap->types.num; i++) {
        const struct rch__type *type = RCH_VEC_AT(&cap->types, struct rch__type *, i);
        rch_node v = rch_rank_of(&cap->index, rch_code(&cap->index, type->addr));
        rch_builder_set_type_node(cap->b, type->model_type, v);
        if ((type->flags & RCH_TPFLAGS_HEAPTYPE) && counts[v] != RCH_IMMORTAL)
            counts[v] -= (int32_t)type->num_instances;
    }
}

/// The object at this word of a stack, if there is one.
static rch_node node_at(struct rch__cap *cap, uint64_t word)
{
    if (!word || word >> RCH_ADDR_BITS || (word & 7) ||
        !cap->index.region_of[word >> RCH_REGION_SHIFT])
        return RCH_NO_NODE;
    uint32_t code = rch_code(&cap->index, word & ~15ull);
    bool is_object = rch_cell_of(&cap->index, code)->seen >> (code & 63) & 1;
    return is_object && rch_code_addr(&cap->index, code) == word ? rch_rank_of(&cap->index, code)
                                                                 : RCH_NO_NODE;
}

// Words on a stack of unknown height: a reference if it explains a count that is too high.
static enum rch_status explain_by_stacks(struct rch__cap *cap, struct rch_error *err)
{
    int32_t *counts = cap->rows.refcount.mem;
    for (size_t r = 0; r < cap->roots.num; r++) {
        struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, r);
        if (!root->num_words)
            continue;
        uint32_t first = (uint32_t)cap->root_codes.num;
        for (uint32_t i = 0; i < root->num_codes; i++) {  // the row moves to the end to grow
            uint32_t code = RCH_VEC_AT(&cap->root_codes, uint32_t, root->first_code + i);
            RCH_TRY(rch_vec_append(&cap->root_codes, &code, 1, err));
        }
        for (uint32_t i = 0; i < root->num_words; i++) {
            rch_node v =
                node_at(cap, RCH_VEC_AT(&cap->stack_words, uint64_t, root->first_word + i));
            if (v == RCH_NO_NODE || counts[v] <= 0)
                continue;
            counts[v]--;
            RCH_TRY(rch_vec_append(&cap->root_codes, &v, 1, err));
        }
        root->first_code = first;
        root->num_codes = (uint32_t)cap->root_codes.num - first;
    }
    return RCH_OK;
}

struct held {
    const struct rch__type *type;
    rch_node node;
    int32_t excess;
};

static int compare_held(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    if (x->type->model_type != y->type->model_type)
        return x->type->model_type < y->type->model_type ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

// Strings, numbers and static types lead nowhere or live for ever: their counts are not told.
static enum rch_status collect_held(struct rch__cap *cap, struct rch_vec *held,
                                    struct rch_error *err)
{
    const int32_t *counts = cap->rows.refcount.mem;
    for (rch_node v = 0; v < cap->rows.shape.num; v++) {
        RCH_TRY(rch__go_on(cap, 1, err));
        if (counts[v] <= 0)
            continue;
        const struct rch__type *type = rch__info_of(cap, v)->type;
        bool is_tracked = v < cap->index.num_tracked;
        bool is_static_type = !is_tracked && (type->flags & RCH_TPFLAGS_TYPE_SUBCLASS);
        if (type->family && counts[v] <= type->family->num_hidden)
            continue;
        if (is_static_type || (!is_tracked && rch__row_start(cap, v) == rch__row_end(cap, v)))
            continue;
        struct held row = {type, v, counts[v]};
        RCH_TRY(rch_vec_append(held, &row, 1, err));
    }
    return RCH_OK;
}

static enum rch_status add_held_root(struct rch__cap *cap, const struct held *held, size_t num,
                                     struct rch_error *err)
{
    rch__root_begin(cap);
    int32_t most = 0, least = INT32_MAX;
    for (size_t i = 0; i < num && cap->status == RCH_OK; i++) {
        cap->status = rch_vec_append(&cap->root_codes, &held[i].node, 1, &cap->err);
        most = held[i].excess > most ? held[i].excess : most;
        least = held[i].excess < least ? held[i].excess : least;
    }
    char detail[64];
    snprintf(detail, sizeof(detail), "%s%d reference%s more than found",
             most > least ? "up to " : "", (int)most, most == 1 ? "" : "s");
    rch__label_add(cap, RCH_EDGE_REFERENCE, "held from C", RCH_LABEL_GROUP);
    uint32_t root =
        rch__root_end_tail(cap, RCH_ROOT_C_HELD, held[0].type->full_name, detail, true, 1);
    if (cap->status != RCH_OK) {
        *err = cap->err;
        return cap->status;
    }
    struct rch_root *row = &RCH_VEC_AT(&cap->roots, struct rch__root, root).root;
    row->flags = RCH_ROOT_CLEARABLE;
    row->extra = (uint32_t)most;
    return RCH_OK;
}

void rch__take_off_found(struct rch__cap *cap, const uint64_t *has_weak, struct rch__worker *worker)
{
    take_off_references(cap, worker);
    give_back_weak(cap, has_weak);
    give_back_borrowed(cap);
    take_off_types(cap);
    int32_t *counts = cap->rows.refcount.mem;
    for (size_t r = 0; r < cap->roots.num; r++) {
        const struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, r);
        for (uint32_t i = 0; root->is_owner && i < root->num_codes; i++)
            take_off(counts, RCH_VEC_AT(&cap->root_codes, uint32_t, root->first_code + i));
    }
}

enum rch_status rch__hold_surplus(struct rch__cap *cap, struct rch_error *err)
{
    RCH_TRY(explain_by_stacks(cap, err));
    RCH_VEC(held, cap->alloc, struct held);
    RCH_TRY(collect_held(cap, &held, err));
    if (held.num)
        qsort(held.mem, held.num, sizeof(struct held), compare_held);
    for (size_t i = 0, end; i < held.num; i = end) {
        const struct held *first = &RCH_VEC_AT(&held, struct held, i);
        for (end = i; end < held.num && RCH_VEC_AT(&held, struct held, end).type->model_type ==
                                            first->type->model_type;)
            end++;
        RCH_TRY(add_held_root(cap, first, end - i, err));
    }
    return RCH_OK;
}
