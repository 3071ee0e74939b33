// SPDX-License-Identifier: MIT
// capture/reached.c -- see reached.h.
#include "capture/reached.h"

#include "capture/share.h"

#define PREFETCH_AHEAD 32
#define NODES_A_PART (1u << 16)  // a multiple of 64: parts share no word of the bits

// One pass in order, so that the search itself reads as few columns as it can.
static void prepare_part(void *ctx, uint32_t part, struct rch__worker *worker)
{
    (void)worker;  // a part takes less than a millisecond
    struct rch__reached *reached = ctx;
    const struct rch__cap *cap = reached->cap;
    rch_node first = part * NODES_A_PART, num = (rch_node)cap->rows.shape.num;
    rch_node past = num - first < NODES_A_PART ? num : first + NODES_A_PART;
    uint32_t num_leaves = 0;
    for (rch_node v = first; v < past; v++) {
        if (rch__info_of(cap, v)->weak_ordinal != UINT32_MAX)
            rch__bit_set(reached->has_weak, v);
        if (v >= cap->index.num_tracked && rch__row_start(cap, v) == rch__row_end(cap, v)) {
            rch__bit_set(reached->seen, v);
            num_leaves++;
        }
    }
    atomic_fetch_add_explicit(&reached->num_leaves, num_leaves, memory_order_relaxed);
}

enum rch_status rch__reached_init(struct rch__reached *reached, struct rch__cap *cap,
                                  struct rch_error *err)
{
    size_t num = cap->rows.shape.num;
    *reached = (struct rch__reached){.cap = cap,
                                     .bits_bytes = (num / 64 + 1) * sizeof(uint64_t),
                                     .queue_bytes = num * sizeof(rch_node)};
    reached->seen = rch_bigbuf_new(reached->bits_bytes);
    reached->has_weak = rch_bigbuf_new(reached->bits_bytes);
    reached->queue = rch_bigbuf_new(reached->queue_bytes);
    if (!reached->seen || !reached->has_weak || !reached->queue) {
        rch__reached_deinit(reached);
        return rch_fail(err, RCH_ENOMEM, "a search over %zu objects", num);
    }
    rch__share(&cap->asking, (uint32_t)(num / NODES_A_PART + (num % NODES_A_PART != 0)),
               rch__share_pays(num), prepare_part, reached);
    enum rch_status st = rch__go_on(cap, 0, err);
    if (st != RCH_OK)
        rch__reached_deinit(reached);
    return st;
}

void rch__reached_deinit(struct rch__reached *reached)
{
    rch_bigbuf_free(reached->seen, reached->bits_bytes);
    rch_bigbuf_free(reached->has_weak, reached->bits_bytes);
    rch_bigbuf_free(reached->queue, reached->queue_bytes);
    reached->seen = reached->has_weak = NULL;
    reached->queue = NULL;
}

void rch__reached_follow(struct rch__reached *reached, struct rch__worker *worker)
{
    const struct rch__cap *cap = reached->cap;
    const rch_node *edges = cap->main_log.codes.mem, *queue = reached->queue;
    const uint32_t *start = cap->rows.start.mem;
    for (uint32_t at = reached->num_followed; at < reached->num_queued; at++) {
        rch_node v = queue[at];
        if (at + PREFETCH_AHEAD < reached->num_queued)
            __builtin_prefetch(&start[queue[at + PREFETCH_AHEAD]]);
        if (at + PREFETCH_AHEAD / 2 < reached->num_queued)
            __builtin_prefetch(&edges[start[queue[at + PREFETCH_AHEAD / 2]]]);
        uint32_t end = rch__row_end(cap, v), weak = UINT32_MAX;
        if (!rch__worker_goes_on(worker, 1 + end - start[v]))
            return;
        if (rch__bit_get(reached->has_weak, v))
            weak = rch__info_of(cap, v)->weak_ordinal;
        for (uint32_t e = start[v]; e < end; e++)
            if (e - start[v] != weak)
                rch__reach(reached, edges[e]);
    }
    reached->num_followed = reached->num_queued;
}

void rch__reached_from_roots(struct rch__reached *reached, struct rch__worker *worker)
{
    const struct rch__cap *cap = reached->cap;
    for (size_t r = 0; r < cap->roots.num; r++) {
        const struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, r);
        for (uint32_t i = 0; i < root->num_codes; i++)
            rch__reach(reached, RCH_VEC_AT(&cap->root_codes, uint32_t, root->first_code + i));
    }
    rch__reached_follow(reached, worker);
}
