// SPDX-License-Identifier: MIT
// capture/visit.c -- one object into one row: its shape, references, size and count. The first objects
// of each type are compared with tp_traverse; a decoder that misses something is switched off.
#include "capture/families.h"

static void switch_off(struct rch__cap *cap, struct rch__type *type)
{
    const char *what = type->family ? type->family->name : "its own";
    char tp_name[128];
    rch__read_tp_name(cap, type->addr, tp_name, sizeof(tp_name));
    if (cap->status == RCH_OK)
        cap->status =
            rch_builder_warn(cap->b, &cap->err,
                             "decoder '%s' disagrees with tp_traverse of %s: its references "
                             "are listed without names",
                             what, tp_name);
    type->num_fields = type->num_tail = 0;
    type->family = NULL;
    type->has_managed_dict = type->has_guesses = false;
    type->decode_rest = true;
    type->plain_shape = RCH_NO_NODE;
    type->decode = rch__decode_traversed;
    type->checks_left = 0;
}

static void take_row(struct rch__cap *cap, struct rch__rows *rows, uint32_t shape, uint64_t bytes,
                     uint32_t refcount, size_t start)
{
    size_t row = rows->shape.num;
    if (row == rows->shape.cap) {
        if (rch_column_reserve(&rows->shape, row + 1, &cap->err) != RCH_OK ||
            rch_column_reserve(&rows->size16, row + 1, &cap->err) != RCH_OK ||
            rch_column_reserve(&rows->refcount, row + 1, &cap->err) != RCH_OK ||
            rch_column_reserve(&rows->start, row + 1, &cap->err) != RCH_OK) {
            cap->status = cap->err.code;
            return;
        }
    }
    bool is_immortal = (int32_t)refcount < 0 || refcount >= 900000000u;  // 3.11 marks with ~10^9
    RCH_COLUMN_AT(&rows->shape, uint32_t, row) = shape;
    RCH_COLUMN_AT(&rows->size16, uint16_t, row) =
        (uint16_t)(bytes < RCH_SIZE_BIG ? bytes : RCH_SIZE_BIG);
    RCH_COLUMN_AT(&rows->refcount, int32_t, row) = is_immortal ? RCH_IMMORTAL : (int32_t)refcount;
    RCH_COLUMN_AT(&rows->start, uint32_t, row) = (uint32_t)start;
    rows->shape.num = row + 1;
    if (bytes >= RCH_SIZE_BIG) {
        struct rch_big_size big = {.node = (rch_node)row, .bytes = bytes};
        if (cap->status == RCH_OK)
            cap->status = rch_vec_append(&rows->big, &big, 1, &cap->err);
    }
}

static void note(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    if (type->is_observer)
        rch__observe(cap, object, RCH_OBSERVER_ALL);
    if (type->fd.offset || type->fd.attribute)
        rch__claim_fd(cap, type, object);
}

// Without the GIL the thread that made an object counts in one field and all others in another, above
// two flags; the count is the sum. It has one that is no reference of anybody while the object
// waits in a queue for its thread to add them up, or leaves counting to the collector.
uint32_t rch__split_refcount(struct rch__cap *cap, rch_addr object, uint32_t local)
{
    enum { FLAGS = 3, QUEUED = 2, DEFERRED = 64 };  // Include/object.h, pycore_gc.h
    int64_t shared = (int64_t)rch_load64(cap->t, object + (uint32_t)cap->L->object_ref_shared);
    uint8_t gc_bits = rch_load8(cap->t, object + (uint32_t)cap->L->object_gc_bits);
    if (local == UINT32_MAX)
        return local;
    int64_t count = local + (shared >> 2);
    if ((gc_bits & DEFERRED) || (shared & FLAGS) == QUEUED)
        count--;
    return count < 0 ? 0 : count > INT32_MAX ? INT32_MAX : (uint32_t)count;
}

void rch__visit(struct rch__cap *cap, struct rch__rows *rows, rch_addr object)
{
    uint32_t refcount = rch__refcount(cap, object);
    struct rch__type *type =
        rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type));
    size_t start = cap->log->codes.num;
    uint32_t shape = type->decode(cap, type, object);
    if (__builtin_expect(type->checks_left != 0, 0)) {
        type->checks_left--;
        if (!rch__agrees_with_traverse(cap, type, object, start)) {
            switch_off(cap, type);
            cap->log->codes.num = start;
            shape = type->decode(cap, type, object);
        }
    }
    if (__builtin_expect(cap->log->codes.num >= UINT32_MAX, 0))
        rch__fail(cap, RCH_EOVERFLOW,
                  "more than 4294967294 references; a snapshot cannot hold them");
    type->num_instances++;
    if (__builtin_expect(type->is_noted, 0))
        note(cap, type, object);
    uint64_t bytes = rch__sane_size(cap, type->size(cap, type, object)) + type->header_bytes;
    type->num_bytes += bytes;
    take_row(cap, rows, shape, bytes, refcount, start);
}
