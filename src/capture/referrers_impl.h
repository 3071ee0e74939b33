// SPDX-License-Identifier: MIT
// capture/referrers_impl.h -- what referrers.c makes and referrers_search.c reads.
#ifndef RCH_CAPTURE_REFERRERS_IMPL_H
#define RCH_CAPTURE_REFERRERS_IMPL_H
#include "capture/referrers.h"
#include "capture/state.h"

struct rch__moved_edge {  // an entry of a namespace that the questioner made
    rch_node dict, value;
};

struct rch_referrers {
    const struct rch_alloc *alloc;
    struct rch_capture *capture;  // whose index stays
    struct rch__cap *cap;
    uint32_t num_objects, num_nodes;  // nodes past the objects are running frames
    struct rch_column code_of;        // uint32_t, by object
    struct rch_column targets;        // uint32_t, while the pass runs: of all sources in order
    struct rch_column row;            // uint32_t: where in `targets` a source begins
    struct rch_column start;          // uint32_t, by object: where in `source` its referrers begin
    struct rch_column source;         // uint32_t
    struct rch_column position;       // uint32_t, by node: 1 + position in the search at hand
    struct rch_vec roots;             // uint32_t, by frame: its number in cap->roots
    struct rch_vec hidden;            // rch_node: the questioner's objects
    struct rch_vec moved;             // struct rch__moved_edge
};

#endif
