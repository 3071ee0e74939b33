// SPDX-License-Identifier: MIT
// analyze/common/trail.h -- all preferred paths from some starts to many objects at once, sorted into
// *classes*: paths that read the same once plumbing is folded and keys and indices are left out.
//
// Nodes are visited level by level, by (penalty, hops). A node's class is its least path in name
// order; it keeps every reference by which a path of that class comes in. So what is counted along
// a class does not depend on the order of nodes.
#ifndef RCH_ANALYZE_TRAIL_H
#define RCH_ANALYZE_TRAIL_H
#include "analyze/common/view.h"

#define RCH_NO_CLASS UINT32_MAX

/// A path as read, without its last hop, plus that hop. Depth 0 is a root by itself.
struct rch_trail_class {
    uint32_t parent;       // class, or RCH_NO_CLASS: this is a root
    uint32_t depth;        // hops
    uint32_t type;         // of the object reached; of a root: index into graph->roots
    rch_str name;          // of the hop; RCH_NO_STR for keys and indices
    uint8_t kind;          // enum rch_edge_kind; of a root: enum rch_root_kind
    uint32_t level, rank;  // order among the classes of one level
};

struct rch_trail_node {
    rch_node node;
    uint32_t cls;
    uint32_t ins;        // its first incoming reference + 1, an index into `ins`
    uint32_t raw_depth;  // references from the root, nothing folded
    uint32_t penalty;
    uint32_t stamp;  // for walks back
};

struct rch_trail_in {
    uint32_t from;  // index into nodes
    uint32_t edge;
    uint32_t next;  // index into ins + 1
    uint8_t fold;   // enum rch_fold
};

struct rch_trails {
    struct rch_view *view;
    const uint64_t *region;                      // bits: nodes that may be visited
    const uint64_t *sinks;                       // bits: where paths end
    bool fixed_only;                             // only by references that cannot be cut
    bool goes_on;                                // past sinks, which fold like other nodes
    uint32_t *slot;                              // node -> index into nodes + 1
    struct rch_vec classes, nodes, ins;          // rch_trail_class, rch_trail_node, rch_trail_in
    struct rch_vec table;                        // uint32_t: hash table of classes, index + 1
    struct rch_vec now, folded, next, deferred;  // candidates of this and later levels
    struct rch_vec ranked;                       // uint32_t: classes of this level
    uint32_t level, stamp;
    uint32_t num_sinks, num_reached;  // nothing is left to visit when these are equal
};

/// `slot` is a zeroed array, one number a node; rch_trails_deinit zeroes it again.
RCH_MUST_CHECK enum rch_status rch_trails_init(struct rch_trails *t, struct rch_view *view,
                                               const uint64_t *region, const uint64_t *sinks,
                                               uint32_t *slot, struct rch_error *err);
void rch_trails_deinit(struct rch_trails *t);

/// Begin at a root. The same root twice is the same trail node.
RCH_MUST_CHECK enum rch_status rch_trails_root(struct rch_trails *t, rch_node root,
                                               uint32_t *index_out, struct rch_error *err);
/// Go one given reference on, whatever else leads there.
RCH_MUST_CHECK enum rch_status rch_trails_follow(struct rch_trails *t, uint32_t from, uint32_t edge,
                                                 uint32_t *index_out, struct rch_error *err);
/// Let paths start with this reference, or with any reference of a trail node.
RCH_MUST_CHECK enum rch_status rch_trails_offer(struct rch_trails *t, uint32_t from, uint32_t edge,
                                                struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_trails_expand(struct rch_trails *t, uint32_t from,
                                                 struct rch_error *err);
/// Visit everything. O(refs visited), and sorting of each level's few classes.
RCH_MUST_CHECK enum rch_status rch_trails_run(struct rch_trails *t, struct rch_error *err);

/// Sinks that were reached, in groups of one class: most members first, then as text.
struct rch_trail_group {
    uint32_t cls;
    uint32_t first, num;  // of `members`
};
RCH_MUST_CHECK enum rch_status rch_trails_groups(const struct rch_trails *t,
                                                 struct rch_vec *groups,   // rch_trail_group
                                                 struct rch_vec *members,  // uint32_t: trail nodes
                                                 struct rch_error *err);
/// Is the node what its class is named after? False: it folds into that, an attribute dictionary for
/// instance. Of a root only the module itself is.
bool rch_trails_is_proper(const struct rch_trails *t, const struct rch_trail_node *node);
/// Order of two paths as text, hop by hop from the root; a prefix comes first.
int rch_trails_compare(const struct rch_trails *t, uint32_t a, uint32_t b);

#endif
