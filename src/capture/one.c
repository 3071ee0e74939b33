// SPDX-License-Identifier: MIT
// capture/one.c -- see one.h.
#include "capture/one.h"

#include "capture/state.h"

static void drop(struct rch_capture **capture)
{
    rch_capture_free(*capture);
}

enum rch_status rch_references_of(const struct rch_capture_options *options,
                                  const struct rch_alloc *alloc, rch_addr addr, rch_reference_fn fn,
                                  void *ctx, struct rch_error *err)
{
    struct rch_capture *capture __attribute__((cleanup(drop))) = NULL;
    struct rch__cap *cap = NULL;
    RCH_TRY(rch__capture_begin(options, alloc, &capture, &cap, err));
    rch__visit(cap, &cap->rows, addr);
    if (cap->status != RCH_OK) {
        if (err)
            *err = cap->err;
        return cap->status;
    }
    uint32_t shape = RCH_COLUMN_AT(&cap->rows.shape, uint32_t, 0);
    uint32_t first = RCH_COLUMN_AT(&cap->rows.start, uint32_t, 0);
    for (uint32_t e = first; e < cap->log->codes.num; e++) {
        uint32_t code = RCH_COLUMN_AT(&cap->log->codes, uint32_t, e);
        const struct rch_label *label = rch_builder_label(cap->b, shape, e - first);
        if (code != RCH_NO_CODE && label)
            fn(ctx, label->kind, rch_builder_str(cap->b, label->name),
               rch_code_addr(&cap->index, code));
    }
    return RCH_OK;
}
