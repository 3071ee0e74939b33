// SPDX-License-Identifier: MIT
// capture/referrers.h -- who refers to whom among what the collector tracks, backwards: what
// gc.get_referrers() finds, for all objects in one pass. No names, no sizes and no roots, so a third of
// the cost of a capture. Own process only.
#ifndef RCH_CAPTURE_REFERRERS_H
#define RCH_CAPTURE_REFERRERS_H
#include "capture/capture.h"

struct rch_referrers;

struct rch_referrers_options {
    const struct rch_capture_options *capture;
    const rch_addr *starts;  // objects to be known though the collector may not track them
    uint32_t num_starts;
    bool is_plain;  // no more than gc.get_referrers(): no variables of running frames, and what the
                    // questioner made at a prompt counts as the program's
};

/// One pass. The GIL must be held; runs no code but tp_traverse, makes no object. RCH_EBUSY: a
/// collection is under way. The caller owns *out. O(objects + references).
RCH_MUST_CHECK enum rch_status rch_referrers_make(const struct rch_referrers_options *options,
                                                  const struct rch_alloc *alloc,
                                                  struct rch_referrers **out,
                                                  struct rch_error *err);
void rch_referrers_free(struct rch_referrers *referrers);  // NULL is fine

/// The node of an object; RCH_NO_NODE: it was neither tracked nor a start.
rch_node rch_referrers_node(const struct rch_referrers *referrers, rch_addr addr);
/// Where the object of a node was; 0 for a running frame.
rch_addr rch_referrers_addr(const struct rch_referrers *referrers, rch_node node);
/// For a running frame: the thread (as threading.get_ident()) and which of its frames, 0 the innermost.
void rch_referrers_frame(const struct rch_referrers *referrers, rch_node node, uint64_t *thread_out,
                         uint32_t *nth_out);
/// Objects, and behind them the running frames.
uint32_t rch_referrers_num_nodes(const struct rch_referrers *referrers);

struct rch_back_search {
    const rch_node *starts;
    size_t num_starts;
    const rch_node *ignored;  // never met
    size_t num_ignored;
    const uint8_t *is_goal;  // by node; a start may be one; NULL: there is none
    uint32_t max_depth;      // UINT32_MAX: no limit
    size_t max_nodes;        // stop looking behind nodes once so many were found
    bool wants_rows;
};
struct rch_back_result {
    struct rch_vec nodes;    // rch_node, in the order found; the starts first
    struct rch_vec parents;  // uint32_t: the position of the node it refers to, its own for starts
    struct rch_vec rows;     // uint32_t: for each of the first num_expanded the number of its
                             // referrers, then their positions
    size_t num_expanded;     // nodes whose referrers are all among `nodes`
    size_t goal;             // its position, SIZE_MAX: none was found
    bool is_cut_by_depth, is_cut_by_number;
};
void rch_back_result_init(struct rch_back_result *result, const struct rch_alloc *alloc);
void rch_back_result_deinit(struct rch_back_result *result);
/// Breadth first from the starts to what refers to them. Reads only our own memory. Not for two
/// threads at once.
RCH_MUST_CHECK enum rch_status rch_referrers_search(struct rch_referrers *referrers,
                                                    const struct rch_back_search *search,
                                                    struct rch_back_result *result,
                                                    struct rch_error *err);

/// Addresses of tracked objects that no tracked object refers to. As rch_referrers_make, but cheaper.
RCH_MUST_CHECK enum rch_status rch_unreferred(const struct rch_capture_options *options,
                                              const struct rch_alloc *alloc, struct rch_vec *addrs,
                                              struct rch_error *err);

#endif
