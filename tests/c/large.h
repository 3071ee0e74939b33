// SPDX-License-Identifier: MIT
// tests/c/large.h -- graphs of a million objects, which no text makes: what recurses on data or looks at
// all pairs does not come back from these.
#ifndef RCH_TESTS_LARGE_H
#define RCH_TESTS_LARGE_H
#include "model/graph.h"

enum { LARGE = 1000000, SIZE = 16 };

enum large_kind {
    CHAIN,   // 0 > 1 > 2 ...
    BACK,    // as well, each refers to the one before it and to the first
    STAR,    // 0 > all others
    LADDER,  // as CHAIN, and 0 > every other
    RING,    // as CHAIN, and the last > 0
    FAN,     // as STAR, and all others > the last
};

/// Node LARGE is a root of kind module that refers to node 0. All objects are lists of one type.
struct large {
    struct rch_graph g;
    uint32_t *edge_start, *shape_of;
    rch_node *edges;
    uint16_t *size16;
};
void large_init(struct large *large, enum large_kind kind);
void large_deinit(struct large *large);

#endif
