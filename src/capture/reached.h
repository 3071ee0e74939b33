// SPDX-License-Identifier: MIT
// capture/reached.h -- which objects the roots lead to. Private to capture/.
#ifndef RCH_CAPTURE_REACHED_H
#define RCH_CAPTURE_REACHED_H
#include <stdatomic.h>

#include "capture/finish.h"

static inline bool rch__bit_get(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}
static inline void rch__bit_set(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= 1ull << (i & 63);
}

struct rch__reached {
    struct rch__cap *cap;
    uint64_t *seen;  // set from the start for objects that refer to nothing: they are not followed
    uint64_t *has_weak;  // one of its references holds nothing
    rch_node *queue;     // room for every object; pages come as it is filled
    size_t bits_bytes, queue_bytes;
    uint32_t num_queued, num_followed;
    atomic_uint num_leaves;
    atomic_bool is_canceled;
};

/// After rch__number. One pass over the rows, on two threads.
RCH_MUST_CHECK enum rch_status rch__reached_init(struct rch__reached *reached, struct rch__cap *cap,
                                                 struct rch_error *err);
void rch__reached_deinit(struct rch__reached *reached);

/// The thread that owns the capture, where there is no second one.
static inline struct rch__worker rch__reached_alone(struct rch__reached *reached)
{
    return (struct rch__worker){&reached->cap->asking, &reached->is_canceled};
}
/// `v` and, at the next rch__reached_follow, all it leads to by references that hold.
static inline void rch__reach(struct rch__reached *reached, rch_node v)
{
    if (v == RCH_NO_NODE || rch__bit_get(reached->seen, v))
        return;
    rch__bit_set(reached->seen, v);
    reached->queue[reached->num_queued++] = v;
}
void rch__reached_follow(struct rch__reached *reached, struct rch__worker *worker);
/// What all roots that there are now lead to, or less if the worker is told to stop. Reads references and roots, no reference counts.
void rch__reached_from_roots(struct rch__reached *reached, struct rch__worker *worker);
static inline bool rch__has_reached_all(const struct rch__reached *reached)
{
    return reached->num_queued + reached->num_leaves == reached->cap->rows.shape.num;
}

#endif
