// SPDX-License-Identifier: MIT
// capture/finish.h -- from the log of a walk to the columns of a graph. Nothing here reads the target.
#ifndef RCH_CAPTURE_FINISH_H
#define RCH_CAPTURE_FINISH_H
#include "capture/share.h"
#include "capture/state.h"

/// Number the objects, translate all codes to nodes, bring late rows into place.
RCH_MUST_CHECK enum rch_status rch__number(struct rch__cap *cap, struct rch_error *err);
/// Take the references found off the reference counts. Writes no references and no roots. has_weak: a
/// bit an object, set where one of its references holds nothing.
void rch__take_off_found(struct rch__cap *cap, const uint64_t *has_weak,
                         struct rch__worker *worker);
/// After that: what is left over is held from C, by roots that are made here.
RCH_MUST_CHECK enum rch_status rch__hold_surplus(struct rch__cap *cap, struct rch_error *err);
/// What no root reaches is garbage: one root for each cycle (component) nothing else leads to.
struct rch__reached;
RCH_MUST_CHECK enum rch_status rch__find_garbage(struct rch__cap *cap, struct rch__reached *reached,
                                                 struct rch_error *err);
/// The columns of the graph. Takes those of the capture; its reference counts become addresses.
RCH_MUST_CHECK enum rch_status rch__make_graph(struct rch__cap *cap, struct rch_graph **graph_out,
                                               struct rch_error *err);
/// Which object owns which descriptor: struct rch_fd_owner, appended in the column's order.
RCH_MUST_CHECK enum rch_status rch__fd_owners(struct rch__cap *cap, struct rch_vec *owners,
                                              struct rch_error *err);

/// As rch__goes_on, as a status.
RCH_MUST_CHECK static inline enum rch_status rch__go_on(struct rch__cap *cap, uint32_t steps,
                                                        struct rch_error *err)
{
    if (rch__goes_on(cap, steps))
        return RCH_OK;
    if (err)
        *err = cap->err;
    return cap->status;
}

/// The references of object `v` in the log after rch__number.
static inline uint32_t rch__row_start(const struct rch__cap *cap, rch_node v)
{
    return RCH_COLUMN_AT(&cap->rows.start, uint32_t, v);
}
static inline uint32_t rch__row_end(const struct rch__cap *cap, rch_node v)
{
    return v + 1 < cap->rows.shape.num ? RCH_COLUMN_AT(&cap->rows.start, uint32_t, v + 1)
                                       : (uint32_t)cap->main_log.codes.num;
}
static inline const struct rch__shape_info *rch__info_of(const struct rch__cap *cap, rch_node v)
{
    return &RCH_VEC_AT(&cap->shape_infos, struct rch__shape_info,
                       RCH_COLUMN_AT(&cap->rows.shape, uint32_t, v));
}

#endif
