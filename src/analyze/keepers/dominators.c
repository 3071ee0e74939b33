// SPDX-License-Identifier: MIT
// analyze/keepers/dominators.c -- Semi-NCA (L. Georgiadis, 2005) on depth-first numbers: number the nodes,
// collect who refers to whom by number, semidominators from the last number to the first, then
// immediate dominators from the first to the last. No recursion: chains are millions of nodes long.
#include "analyze/keepers/dominators.h"

#include <inttypes.h>

#include "analyze/common/bits.h"
#include "model/derived.h"

#define UNSEEN UINT32_MAX         // no number yet
#define REMOVED (UINT32_MAX - 1)  // never gets one
#define LOOK_FAR 48u              // references or nodes ahead: fetch where the row begins
#define LOOK_NEAR 24u             // fetch the row
#define FETCH_REFS 8u             // references ahead of the one that is followed

struct row {
    uint32_t next, past;  // references not followed yet
};
struct link {
    uint32_t ancestor, label;  // label: least semidominator from here up to below the ancestor
};
union step {
    struct row row;    // while nodes are numbered
    struct link link;  // after that
};

// Everything but `number` and `refs_start` is indexed by depth-first number.
struct finder {
    const struct rch_graph *g;
    const uint64_t *weak;  // bits: nodes that may have weak references
    uint32_t *number;      // node -> number; later the stack of find_label; later the result
    rch_node *preorder;
    uint32_t *parent;
    union step *steps;
    uint32_t *semi;
    uint32_t *refs_start;  // node -> its referrers in `refs`
    uint32_t *refs;        // referrers' numbers
    uint32_t num_reached, first_garbage;
    struct rch_asking asking;
};

static void begin_phase(struct finder *f, const char *phase, uint64_t total)
{
    f->asking.phase = phase;
    f->asking.total = total;
    f->asking.steps = 0;
}

static enum rch_status go_on(struct finder *f, uint32_t steps, struct rch_error *err)
{
    if (rch_goes_on(&f->asking, steps))
        return RCH_OK;
    return rch_fail(err, RCH_ECANCELED, "dominators of %" PRIu32 " nodes", f->g->num_nodes);
}

static enum rch_status mark_weak(const struct rch_graph *g, const struct rch_alloc *alloc,
                                 uint64_t *weak, struct rch_error *err)
{
    RCH_BLOCK(block, alloc, g->num_shapes, sizeof(uint8_t));
    uint8_t *by_shape = block.mem, any = 0;
    if (!by_shape)
        return rch_fail(err, RCH_ENOMEM, "%" PRIu32 " shapes", g->num_shapes);
    for (uint32_t s = 0; s < g->num_shapes; s++) {
        const struct rch_shape *shape = &g->shapes[s];
        for (uint32_t i = 0; i < shape->num_labels + shape->num_tail; i++)
            by_shape[s] |= g->labels[shape->first_label + i].cls == RCH_CLASS_WEAK;
        any |= by_shape[s];
    }
    for (rch_node v = 0; any && v < g->num_nodes; v++)
        weak[v >> 6] |= (uint64_t)by_shape[g->shape_of[v]] << (v & 63);
    return RCH_OK;
}

static bool is_weak(const struct finder *f, rch_node v, uint32_t e)
{
    return rch_bit(f->weak, v) &&
           rch_label_of(f->g, v, e - f->g->edge_start[v])->cls == RCH_CLASS_WEAK;
}

// --- numbers ---

// Ask for what entering the target of reference `e` will look at.
static void fetch_target(const struct finder *f, uint32_t e)
{
    rch_node to = f->g->edges[e];
    if (to != RCH_NO_NODE) {
        __builtin_prefetch(&f->number[to], 1);
        __builtin_prefetch(&f->g->edge_start[to]);
    }
}

// After that: its references.
static void fetch_row(const struct finder *f, uint32_t e)
{
    rch_node to = f->g->edges[e];
    if (to != RCH_NO_NODE)
        __builtin_prefetch(&f->g->edges[f->g->edge_start[to]]);
}

static uint32_t enter(struct finder *f, rch_node v, uint32_t parent)
{
    const struct rch_graph *g = f->g;
    uint32_t n = f->num_reached++;
    struct row row = {g->edge_start[v], g->edge_start[v + 1]};
    f->number[v] = n;
    f->preorder[n] = v;
    f->parent[n] = parent;
    f->steps[n].row = row;
    for (uint32_t e = row.next; e < row.past && e < row.next + FETCH_REFS; e++)
        fetch_target(f, e);
    return n;
}

// Enter the next node that number `n` refers to. Returns its number, or `n` if there is none left.
static uint32_t enter_next(struct finder *f, uint32_t n)
{
    rch_node v = f->preorder[n];
    struct row *row = &f->steps[n].row;
    while (row->next < row->past) {
        uint32_t e = row->next++;
        if (row->past - e > FETCH_REFS) {  // a wide one: lists of a million
            fetch_target(f, e + FETCH_REFS);
            fetch_row(f, e + FETCH_REFS / 2);
        }
        rch_node to = f->g->edges[e];
        if (to != RCH_NO_NODE && f->number[to] == UNSEEN && !is_weak(f, v, e))
            return enter(f, to, n);
    }
    return n;
}

static enum rch_status walk_from(struct finder *f, rch_node root, struct rch_error *err)
{
    for (uint32_t at = enter(f, root, 0); at != 0;) {
        uint32_t begin = f->steps[at].row.next, next = enter_next(f, at);
        RCH_TRY(go_on(f, 1 + f->steps[at].row.next - begin, err));
        at = next != at ? next : f->parent[at];
    }
    return RCH_OK;
}

static enum rch_status number_nodes(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    begin_phase(f, "numbering objects", UINT64_C(2) * g->num_nodes + g->num_edges);
    for (rch_node v = 0; v < g->num_nodes; v++)
        f->number[v] = UNSEEN;
    for (uint32_t i = 0; i < g->num_observers; i++) {
        if (g->observers[i].scope == RCH_OBSERVER_ALL)
            f->number[g->observers[i].node] = REMOVED;
    }
    f->preorder[f->num_reached++] = g->num_nodes;
    for (int is_garbage = 0; is_garbage < 2; is_garbage++) {
        f->first_garbage = f->num_reached;
        for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
            bool is_of_round =
                (g->roots[v - g->num_objects].kind == RCH_ROOT_GARBAGE) == is_garbage;
            if (is_of_round && f->number[v] == UNSEEN)
                RCH_TRY(walk_from(f, v, err));
        }
    }
    return RCH_OK;
}

// --- referrers: a counting sort by target, sources as numbers ---

static bool counts(const struct finder *f, rch_node v, uint32_t e)
{
    rch_node to = f->g->edges[e];
    if (to == RCH_NO_NODE || is_weak(f, v, e))
        return false;
    return f->number[v] < f->first_garbage || f->number[to] >= f->first_garbage;
}

static enum rch_status count_refs(struct finder *f, uint32_t *num_refs_out, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    begin_phase(f, "collecting referrers",
                UINT64_C(2) * (g->num_nodes + UINT64_C(1) + g->num_edges));
    for (rch_node v = 0; v < g->num_nodes; v++) {
        RCH_TRY(go_on(f, 1 + rch_num_refs(g, v), err));
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (g->num_edges - e > LOOK_FAR && g->edges[e + LOOK_FAR] != RCH_NO_NODE)
                __builtin_prefetch(&f->refs_start[g->edges[e + LOOK_FAR]], 1);
            if (f->number[v] < f->num_reached && counts(f, v, e))
                f->refs_start[g->edges[e]]++;
        }
    }
    uint32_t sum = 0;
    for (rch_node v = 0; v < g->num_nodes; v++) {
        sum += f->refs_start[v];
        f->refs_start[v] = sum;  // filled from the end: begins when all are placed
    }
    f->refs_start[g->num_nodes] = sum;
    *num_refs_out = sum;
    return RCH_OK;
}

static void fetch_place(const struct finder *f, uint32_t e)
{
    const struct rch_graph *g = f->g;
    if (g->num_edges - e <= LOOK_FAR)
        return;
    rch_node far = g->edges[e + LOOK_FAR], near = g->edges[e + LOOK_NEAR];
    if (far != RCH_NO_NODE)
        __builtin_prefetch(&f->refs_start[far], 1);
    if (near != RCH_NO_NODE)
        __builtin_prefetch(&f->refs[f->refs_start[near]], 1);
}

static enum rch_status place_refs(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    for (rch_node v = 0; v < g->num_nodes; v++) {
        RCH_TRY(go_on(f, 1 + rch_num_refs(g, v), err));
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            fetch_place(f, e);
            if (f->number[v] < f->num_reached && counts(f, v, e))
                f->refs[--f->refs_start[g->edges[e]]] = f->number[v];
        }
    }
    return RCH_OK;
}

// --- dominators ---

// Least semidominator on the way from `n` up to below the first node with a number under `done`,
// and shorten the way.
static uint32_t find_label(struct finder *f, uint32_t n, uint32_t done)
{
    union step *steps = f->steps;
    uint32_t *stack = f->number, depth = 0;
    while (steps[n].link.ancestor >= done) {
        stack[depth++] = n;
        n = steps[n].link.ancestor;
    }
    struct link top = steps[n].link;
    while (depth) {
        struct link *link = &steps[stack[--depth]].link;
        if (top.label > link->label)
            top.label = link->label;
        *link = top;
    }
    return top.label;
}

static void fetch_refs(const struct finder *f, uint32_t n)
{
    if (n <= LOOK_FAR)
        return;
    __builtin_prefetch(&f->refs_start[f->preorder[n - LOOK_FAR]]);
    __builtin_prefetch(&f->refs[f->refs_start[f->preorder[n - LOOK_NEAR]]]);
}

static enum rch_status find_semidominators(struct finder *f, struct rch_error *err)
{
    begin_phase(f, "finding dominators",
                UINT64_C(2) * f->num_reached + f->refs_start[f->g->num_nodes]);
    for (uint32_t n = f->num_reached; n-- > 1;) {
        fetch_refs(f, n);
        rch_node v = f->preorder[n];
        RCH_TRY(go_on(f, 1 + f->refs_start[v + 1] - f->refs_start[v], err));
        uint32_t least = rch_is_root(f->g, v) ? 0 : f->parent[n];
        for (uint32_t i = f->refs_start[v]; i < f->refs_start[v + 1]; i++) {
            uint32_t label = f->refs[i] <= n ? f->refs[i] : find_label(f, f->refs[i], n + 1);
            if (label < least)
                least = label;
        }
        f->semi[n] = least;
        f->steps[n].link = (struct link){f->parent[n], least};
    }
    return RCH_OK;
}

// semi[n] becomes the number of n's immediate dominator: those of lower numbers are known.
static enum rch_status put_idoms(struct finder *f, rch_node *idom, struct rch_error *err)
{
    uint32_t *dominator = f->semi;
    for (uint32_t n = 1; n < f->num_reached; n++) {
        uint32_t above = f->parent[n], semi = f->semi[n];
        RCH_TRY(go_on(f, 1, err));
        while (above > semi)
            above = dominator[above];
        dominator[n] = above;
    }
    for (rch_node v = 0; v <= f->g->num_nodes; v++)
        idom[v] = RCH_NO_NODE;
    for (uint32_t n = 1; n < f->num_reached; n++)
        idom[f->preorder[n]] = f->preorder[dominator[n]];
    return RCH_OK;
}

static enum rch_status find(struct finder *f, const struct rch_alloc *alloc, struct rch_error *err)
{
    size_t num = (size_t)f->g->num_nodes + 1;
    RCH_BITS(weak, alloc, f->g->num_nodes);
    RCH_BLOCK(parent, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(steps, alloc, num, sizeof(union step));
    RCH_BLOCK(semi, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(refs_start, alloc, num, sizeof(uint32_t));
    if (!weak.mem || !parent.mem || !steps.mem || !semi.mem || !refs_start.mem)
        return rch_fail(err, RCH_ENOMEM, "dominators of %" PRIu32 " nodes", f->g->num_nodes);
    RCH_TRY(mark_weak(f->g, alloc, weak.mem, err));
    f->weak = weak.mem;
    f->parent = parent.mem;
    f->steps = steps.mem;
    f->semi = semi.mem;
    f->refs_start = refs_start.mem;
    RCH_TRY(number_nodes(f, err));
    uint32_t num_refs = 0;
    RCH_TRY(count_refs(f, &num_refs, err));
    RCH_BLOCK(refs, alloc, num_refs, sizeof(uint32_t));
    f->refs = refs.mem;
    if (!f->refs)
        return rch_fail(err, RCH_ENOMEM, "dominators over %" PRIu32 " references", num_refs);
    RCH_TRY(place_refs(f, err));
    RCH_TRY(find_semidominators(f, err));
    return put_idoms(f, f->number, err);
}

static enum rch_status compute(struct rch_domtree *dom, const struct rch_graph *g,
                               const struct rch_alloc *alloc, const struct rch_progress *progress,
                               struct rch_error *err)
{
    size_t num = (size_t)g->num_nodes + 1;
    RCH_BLOCK(idom, alloc, num, sizeof(rch_node));
    RCH_BLOCK(preorder, alloc, num, sizeof(rch_node));
    if (!idom.mem || !preorder.mem)
        return rch_fail(err, RCH_ENOMEM, "dominators of %" PRIu32 " nodes", g->num_nodes);
    struct finder finder = {
        .g = g, .asking = {.progress = progress}, .number = idom.mem, .preorder = preorder.mem};
    RCH_TRY(find(&finder, alloc, err));
    dom->num_reached = finder.num_reached;
    dom->preorder_room = num;
    dom->idom = rch_block_take(&idom);
    dom->preorder = rch_block_take(&preorder);
    return RCH_OK;
}

enum rch_status rch_domtree_init(struct rch_domtree *dom, const struct rch_graph *g,
                                 const struct rch_alloc *alloc, const struct rch_progress *progress,
                                 struct rch_error *err)
{
    struct rch_derived_rows rows[RCH_MAX_GROUP];
    *dom = (struct rch_domtree){.alloc = alloc, .progress = progress, .num_nodes = g->num_nodes};
    if (rch_derived_get(g, RCH_GROUP_DOMTREE, progress, rows)) {
        dom->idom = (rch_node *)(uintptr_t)rows[0].rows;
        dom->preorder = (rch_node *)(uintptr_t)rows[1].rows;
        dom->num_reached = (uint32_t)rows[1].num;
        dom->is_kept = true;
        return RCH_OK;
    }
    RCH_TRY(compute(dom, g, alloc, progress, err));
    if (!g->derived)
        return RCH_OK;
    size_t num = (size_t)g->num_nodes + 1;
    void *less = rch_realloc(alloc, dom->preorder, num, dom->num_reached, sizeof(rch_node));
    if (!less)  // it stays as it is, and is not kept
        return RCH_OK;
    dom->preorder = less;
    dom->preorder_room = dom->num_reached;
    const struct rch_derived_rows own[RCH_MAX_GROUP] = {{dom->idom, num},
                                                        {dom->preorder, dom->num_reached}};
    dom->is_kept = rch_derived_put(g, RCH_GROUP_DOMTREE, own, alloc);
    return RCH_OK;
}

void rch_domtree_deinit(struct rch_domtree *dom)
{
    size_t num = (size_t)dom->num_nodes + 1;
    if (!dom->is_kept) {
        rch_free(dom->alloc, dom->idom, num, sizeof(rch_node));
        rch_free(dom->alloc, dom->preorder, dom->preorder_room, sizeof(rch_node));
    }
    dom->idom = dom->preorder = NULL;
}
