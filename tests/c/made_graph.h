// SPDX-License-Identifier: MIT
// tests/c/made_graph.h -- a graph of any size for tests and benchmarks of long work: always the same
// one for a size.
#ifndef RCH_TESTS_MADE_GRAPH_H
#define RCH_TESTS_MADE_GRAPH_H
#include "model/graph.h"

/// A binary tree whose nodes lie anywhere, hung from eight modules, and as many references again that
/// lead anywhere: 3.5 a node, some holes. 50 types, made.Type00 to made.Type49; one object in a thousand
/// is of the last. Ends the program when memory is short. The caller frees it.
struct rch_graph *make_big_graph(uint32_t num_objects);

#endif
