// SPDX-License-Identifier: MIT
// bench/c/shapes.c -- the shapes that theory knows: random, chain, star, grid. Each is the worst case
// of something: of the cache, of depth, of one node's references, of many ways to one node.
#include <math.h>

#include "bench/c/draft.h"

enum { RANDOM_ROOTS = 100, REFS_OF_RANDOM_ROOT = 10 };

static uint32_t one_root(const struct bench_draft *d)
{
    (void)d;
    return 1;
}

static void root_of_first(struct bench_draft *d)
{
    bench_node(d, bench_root(d, 0), BENCH_ROOT);
    bench_ref(d, 0);
}

static uint32_t random_roots(const struct bench_draft *d)
{
    (void)d;
    return RANDOM_ROOTS;
}

static enum rch_status random_objects(struct bench_draft *d, struct rch_error *err)
{
    (void)err;
    for (rch_node v = 0; v < d->num_body; v++) {
        bench_node(d, v, BENCH_LIST);
        for (uint32_t num = 2 + v % 2; num; num--)
            bench_ref(d, bench_below(d, d->num_body));
    }
    d->asked = d->num_body / 2;
    return RCH_OK;
}

static void roots_of_random(struct bench_draft *d)
{
    for (uint32_t i = 0; i < RANDOM_ROOTS; i++) {
        bench_node(d, bench_root(d, i), BENCH_ROOT);
        for (uint32_t j = 0; j < REFS_OF_RANDOM_ROOT; j++)
            bench_ref(d, bench_below(d, d->num_body));
    }
}

static enum rch_status chain_objects(struct bench_draft *d, struct rch_error *err)
{
    (void)err;
    for (rch_node v = 0; v < d->num_body; v++) {
        bench_node(d, v, BENCH_LINK);
        bench_ref(d, v + 1 < d->num_body ? v + 1 : RCH_NO_NODE);
        bench_ref(d, d->next_atom < d->c.num_objects ? d->next_atom++ : RCH_NO_NODE);
    }
    d->asked = d->num_body < 1000 ? d->num_body - 1 : 1000;
    return RCH_OK;
}

static void chain_values(struct bench_draft *d)
{
    for (rch_node v = d->c.num_tracked; v < d->c.num_objects; v++)
        bench_node(d, v, BENCH_INT);
}

static enum rch_status star_objects(struct bench_draft *d, struct rch_error *err)
{
    (void)err;
    bench_node(d, 0, BENCH_LIST);
    for (rch_node v = 1; v < d->num_body; v++)
        bench_ref(d, v);
    for (rch_node v = 1; v < d->num_body; v++) {
        bench_node(d, v, BENCH_LINK);
        bench_ref(d, 0);
        bench_ref(d, RCH_NO_NODE);
    }
    d->asked = d->num_body / 2;
    return RCH_OK;
}

static enum rch_status grid_objects(struct bench_draft *d, struct rch_error *err)
{
    (void)err;
    uint32_t side = (uint32_t)sqrt((double)d->num_body);
    for (rch_node v = 0; v < d->num_body; v++) {
        bench_node(d, v, BENCH_CELLS);
        bench_ref(d, v + side < d->num_body ? v + side : RCH_NO_NODE);
        bench_ref(d, (v + 1) % side && v + 1 < d->num_body ? v + 1 : RCH_NO_NODE);
    }
    d->asked = d->num_body / 2 + side / 2;
    return RCH_OK;
}

const struct bench_shape bench_random_shape = {"random",
                                               "two or three references an object, anywhere",
                                               1,
                                               random_roots,
                                               random_objects,
                                               NULL,
                                               roots_of_random};
const struct bench_shape bench_chain_shape = {
    "chain",      "one linked list of numbers", 0.5, one_root, chain_objects, chain_values,
    root_of_first};
const struct bench_shape bench_star_shape = {
    "star",       "a list of objects that refer back to it", 1, one_root, star_objects, NULL,
    root_of_first};
const struct bench_shape bench_grid_shape = {
    "grid",
    "a square, each cell refers to the one below and the one to the right",
    1,
    one_root,
    grid_objects,
    NULL,
    root_of_first};
