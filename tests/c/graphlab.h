// SPDX-License-Identifier: MIT
// tests/c/graphlab.h -- what the files of the laboratory share: a graph out of lines of text.
#ifndef RCH_TESTS_GRAPHLAB_H
#define RCH_TESTS_GRAPHLAB_H
#include <stdbool.h>
#include <stdio.h>

#include "analyze/why/why.h"
#include "base/vec.h"
#include "model/builder.h"
#include "render/render.h"

enum { MAX_NODES = 4096 };

struct lab_node {
    rch_addr addr;
    uint32_t size, kind, flags, handle;
    char type[64], layout;
    struct rch_vec labels;  // struct rch_label
};

struct lab {
    struct rch_builder *builder;
    struct lab_node *nodes;
    uint32_t num_nodes, num_objects;
    struct rch_vec members;  // rch_node
};

/// Read the text. Close it also when that failed; the graph is the caller's.
bool lab_open(struct lab *lab, const char *text, struct rch_graph **graph_out);
void lab_close(struct lab *lab);
/// The members, ascending. Memory of the lab.
struct rch_question lab_question(struct lab *lab, const struct rch_graph *g);
/// A copy for Python, which calls graphlab_free. Ends the text.
char *lab_take(struct rch_text *text);
/// The key `name` of a JSON object, after a comma.
void lab_put_freed(FILE *out, const char *name, const struct rch_freed *freed);

#endif
