// SPDX-License-Identifier: MIT
// capture/unreferred.c -- tracked objects that no tracked object refers to, see referrers.h. What is
// tracked is marked as `seen`, too; each reference takes that away from its target.
#include "capture/referents.h"
#include "capture/referrers.h"
#include "capture/tracked.h"

#define LAG 256u  // targets whose cells are on their way

struct target {
    struct rch_cell *cell;
    uint64_t bit;
};

struct pass {
    struct rch__cap *cap;
    struct rch__referents referents;
    struct target targets[LAG];
    uint32_t num_targets;
};

static void settle(struct pass *pass)
{
    for (uint32_t i = 0; i < pass->num_targets; i++) {
        struct target target = pass->targets[i];
        if (target.cell->seen & target.bit)  // mostly it is not: leave the line clean
            target.cell->seen &= ~target.bit;
    }
    pass->num_targets = 0;
}

static int take_mark(void *referent, void *arg)
{
    struct pass *pass = arg;
    rch_addr addr = (rch_addr)(uintptr_t)referent;
    if (addr == pass->referents.last_type)
        return 0;
    uint32_t code = rch_known_code(&pass->cap->index, addr);
    if (code == RCH_NO_CODE)
        return 0;
    struct rch_cell *cell = rch_cell_of(&pass->cap->index, code);
    __builtin_prefetch(cell, 1);
    pass->targets[pass->num_targets++] = (struct target){cell, 1ull << (code & 63)};
    if (pass->num_targets == LAG)
        settle(pass);
    return 0;
}

static bool take_marks(void *ctx, const struct rch_tracked_batch *batch)
{
    struct pass *pass = ctx;
    for (uint32_t i = 0; i < batch->num; i++)
        take_mark((void *)(uintptr_t)batch->objects[i], pass);
    return true;
}

// What gc.freeze() put aside refers to others, but is not asked about; gc.get_objects() omits it.
static void leave_out_frozen(struct pass *pass)
{
    struct rch__cap *cap = pass->cap;
    pass->referents.last_type = 0;
    for (size_t i = 0; i < cap->interps.num; i++) {
        struct rch_gc_lists lists = {
            .target = cap->t, .layout = cap->L, .interp = RCH_VEC_AT(&cap->interps, rch_addr, i)};
        rch_tracked_walk_list(&lists, rch_tracked_num_lists(&lists) - 1, take_marks, pass);
    }
    settle(pass);
}

static enum rch_status list_marked(const struct rch_index *index, struct rch_vec *addrs,
                                   struct rch_error *err)
{
    for (uint32_t at = 0; at < index->num_sorted; at++) {
        uint32_t region = index->order[at];
        RCH_FOR_EACH_CELL (index, region, i) {
            const struct rch_cell *cell = &index->cells[region][i];
            for (uint64_t bits = cell->tracked & cell->seen; bits; bits &= bits - 1) {
                rch_addr addr = rch_code_addr(index, region << RCH_CODE_SHIFT | i * 64u |
                                                         (uint32_t)__builtin_ctzll(bits));
                RCH_TRY(rch_vec_append(addrs, &addr, 1, err));
            }
        }
    }
    return RCH_OK;
}

static void drop_capture(struct rch_capture **capture)
{
    rch_capture_free(*capture);
}

enum rch_status rch_unreferred(const struct rch_capture_options *options,
                               const struct rch_alloc *alloc, struct rch_vec *addrs,
                               struct rch_error *err)
{
    struct rch_capture *capture __attribute__((cleanup(drop_capture))) = NULL;
    struct rch__cap *cap = NULL;
    RCH_TRY(rch__capture_begin(options, alloc, &capture, &cap, err));
    rch__mark_tracked(cap);
    rch_index_sort(&cap->index);
    struct pass pass = {.cap = cap};
    pass.referents = (struct rch__referents){.cap = cap, .visit = take_mark, .arg = &pass};
    rch__visit_referents(&pass.referents);
    settle(&pass);
    leave_out_frozen(&pass);
    rch__check_index(cap);
    if (cap->status == RCH_OK)
        return list_marked(&cap->index, addrs, err);
    if (err)
        *err = cap->err;
    return cap->status;
}
