// SPDX-License-Identifier: MIT
// analyze/paths/path_tree.c -- the best paths of many objects, merged. Trails give each object a class, its
// best path without keys and indices; a class's parent is the path without its last hop. So the tree
// is there already: what is left out are classes without members, and what is counted are the
// objects on the way back from members.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include <stdlib.h>

#include "analyze/common/chain.h"
#include "analyze/common/hops.h"
#include "analyze/paths/paths_impl.h"
#include "analyze/common/reach.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))
#define IN(t, i) (&RCH_VEC_AT(&(t)->ins, struct rch_trail_in, i))

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "a tree of paths");
}

// --- the tree ---

struct tree {
    struct rch_trails *t;
    uint32_t *below, *ends, *head, *after, *branch_of;  // of a class; after: of a trail node
    uint64_t *placed;                                   // bits: trail nodes
    struct rch_vec work;                                // uint32_t: trail nodes
    struct rch_paths *answer;
};

// Put a trail node into its class's list; plumbing stands for what refers to it.
static enum rch_status place(struct tree *tree, uint32_t index, struct rch_error *err)
{
    struct rch_trails *t = tree->t;
    tree->work.num = 0;
    RCH_TRY(rch_vec_append(&tree->work, &index, 1, err));
    while (tree->work.num) {
        uint32_t at = RCH_VEC_AT(&tree->work, uint32_t, --tree->work.num);
        if (!rch_goes_on(t->view->asking, 2))
            return rch_view_check(t->view, err);
        bool is_object = NODE(t, at)->ins == 0;
        if (!rch_bit_add(tree->placed, at))
            continue;
        for (uint32_t in = NODE(t, at)->ins; in; in = IN(t, in - 1)->next) {
            if (IN(t, in - 1)->fold == RCH_FOLD_FORWARD)
                RCH_TRY(rch_vec_append(&tree->work, &IN(t, in - 1)->from, 1, err));
            else
                is_object = true;
        }
        if (!is_object)
            continue;
        tree->after[at] = tree->head[NODE(t, at)->cls];
        tree->head[NODE(t, at)->cls] = at + 1;
    }
    return RCH_OK;
}

// The hop of a class, and its sources into the lists of its parent.
static enum rch_status fill_hop(struct tree *tree, uint32_t cls, struct rch_hop *hop,
                                struct rch_error *err)
{
    RCH_VEC(set, tree->t->view->alloc, uint32_t);
    for (uint32_t at = tree->head[cls]; at; at = tree->after[at - 1]) {
        uint32_t index = at - 1;
        RCH_TRY(rch_vec_append(&set, &index, 1, err));
    }
    RCH_TRY(rch_hop_back(tree->t, cls, &set, &tree->answer->arena, hop, err));
    for (size_t i = 0; i < set.num; i++)
        RCH_TRY(place(tree, RCH_VEC_AT(&set, uint32_t, i), err));
    return RCH_OK;
}

static int compare_branches(const void *a, const void *b, void *ctx)
{
    const struct tree *tree = ctx;
    if (!rch_goes_on(tree->t->view->asking, 4))
        return 0;  // a sort that nobody wants any more ends soon
    uint32_t c = *(const uint32_t *)a, d = *(const uint32_t *)b;
    uint32_t x = CLASS(tree->t, c)->parent, y = CLASS(tree->t, d)->parent;
    if (x != y)
        return x < y ? -1 : 1;
    if (tree->below[c] != tree->below[d])
        return tree->below[c] > tree->below[d] ? -1 : 1;
    return rch_trails_compare(tree->t, c, d);
}

static enum rch_status add_branch(struct tree *tree, uint32_t cls, const struct rch_hop *hop,
                                  struct rch_path_branch *branch, struct rch_error *err)
{
    const struct rch_graph *g = tree->t->view->g;
    const struct rch_trail_class *c = CLASS(tree->t, cls);
    bool is_root = c->parent == RCH_NO_CLASS;
    *branch = (struct rch_path_branch){
        .parent = is_root ? UINT32_MAX : tree->branch_of[c->parent],
        .depth = c->depth,
        .members = tree->below[cls],
        .ends = tree->ends[cls],
        .hop = *hop,
    };
    tree->branch_of[cls] = (uint32_t)(branch - tree->answer->branches);
    if (!is_root) {
        tree->answer->branches[branch->parent].num_branches++;
        return RCH_OK;
    }
    struct rch_holder *root = rch_arena_take(&tree->answer->arena, 1, sizeof(*root));
    branch->root = root;
    return root ? rch_tell_root(g, &g->roots[c->type], &tree->answer->arena, root, err)
                : no_memory(err);
}

// Parents before children, of each parent the biggest child first with all that is below it.
static enum rch_status put_in_order(struct tree *tree, const struct rch_hop *hops,
                                    struct rch_error *err)
{
    const struct rch_alloc *alloc = tree->t->view->alloc;
    uint32_t num_classes = (uint32_t)tree->t->classes.num;
    RCH_VEC(order, alloc, uint32_t);
    RCH_VEC(stack, alloc, uint32_t);
    RCH_BLOCK(first_block, alloc, (size_t)num_classes + 1, sizeof(uint32_t));
    uint32_t *first = first_block.mem;  // in `order`, + 1; of parent c at c + 1, of roots at 0
    if (!first)
        return no_memory(err);
    for (uint32_t c = 0; c < num_classes; c++) {
        if (tree->below[c])
            RCH_TRY(rch_vec_append(&order, &c, 1, err));
    }
    tree->answer->branches =
        rch_arena_take(&tree->answer->arena, order.num, sizeof(struct rch_path_branch));
    if (!tree->answer->branches)
        return no_memory(err);
    if (order.num)
        qsort_r(order.mem, order.num, sizeof(uint32_t), compare_branches, tree);
    RCH_TRY(rch_view_check(tree->t->view, err));
    for (uint32_t i = (uint32_t)order.num; i-- > 0;)
        first[CLASS(tree->t, RCH_VEC_AT(&order, uint32_t, i))->parent + 1] = i + 1;
    if (order.num)
        RCH_TRY(rch_vec_append(&stack, &first[0], 1, err));
    while (stack.num) {
        uint32_t at = RCH_VEC_AT(&stack, uint32_t, --stack.num) - 1;
        uint32_t cls = RCH_VEC_AT(&order, uint32_t, at), next = at + 2;
        if (!rch_goes_on(tree->t->view->asking, 4))
            return rch_view_check(tree->t->view, err);
        RCH_TRY(add_branch(tree, cls, &hops[cls],
                           &tree->answer->branches[tree->answer->num_branches], err));
        tree->answer->num_branches++;
        if (at + 1 < order.num && CLASS(tree->t, RCH_VEC_AT(&order, uint32_t, at + 1))->parent ==
                                      CLASS(tree->t, cls)->parent)
            RCH_TRY(rch_vec_append(&stack, &next, 1, err));
        if (first[cls + 1])
            RCH_TRY(rch_vec_append(&stack, &first[cls + 1], 1, err));
    }
    return RCH_OK;
}

static enum rch_status fill(struct tree *tree, struct rch_error *err)
{
    struct rch_trails *t = tree->t;
    uint32_t num = (uint32_t)t->classes.num;
    RCH_BLOCK(hops, t->view->alloc, num, sizeof(struct rch_hop));
    if (!hops.mem)
        return no_memory(err);
    for (uint32_t i = 0; i < t->nodes.num; i++) {
        if (!rch_goes_on(t->view->asking, 1))
            return rch_view_check(t->view, err);
        if (!rch_bit(t->sinks, NODE(t, i)->node))
            continue;
        tree->ends[NODE(t, i)->cls]++;
        tree->below[NODE(t, i)->cls]++;
        RCH_TRY(place(tree, i, err));
    }
    for (uint32_t c = num; c-- > 0;) {  // a class comes after its parent
        uint32_t parent = CLASS(t, c)->parent;
        if (!rch_goes_on(t->view->asking, 4))
            return rch_view_check(t->view, err);
        if (parent == RCH_NO_CLASS || !tree->below[c])
            continue;
        RCH_TRY(fill_hop(tree, c, (struct rch_hop *)hops.mem + c, err));
        tree->below[parent] += tree->below[c];
    }
    return put_in_order(tree, hops.mem, err);
}

static enum rch_status make_tree(struct rch_trails *t, struct rch_paths *answer,
                                 struct rch_error *err)
{
    const struct rch_alloc *alloc = t->view->alloc;
    size_t num = t->classes.num;
    RCH_BLOCK(below, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(ends, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(head, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(branch_of, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(after, alloc, t->nodes.num, sizeof(uint32_t));
    RCH_BITS(placed, alloc, (uint32_t)t->nodes.num);
    if (!below.mem || !ends.mem || !head.mem || !branch_of.mem || !after.mem || !placed.mem)
        return no_memory(err);
    struct tree tree = {.t = t,
                        .below = below.mem,
                        .ends = ends.mem,
                        .head = head.mem,
                        .after = after.mem,
                        .branch_of = branch_of.mem,
                        .placed = placed.mem,
                        .answer = answer};
    rch_vec_init(&tree.work, alloc, sizeof(uint32_t));
    enum rch_status st = fill(&tree, err);
    rch_vec_deinit(&tree.work);
    return st;
}

// --- what exclusion drops ---

// An object's path is dropped by a row that matches on every way of its class. Nodes come after those
// they are reached from.
static enum rch_status count_dropped(struct rch__ways *w, struct rch_trails *t,
                                     struct rch_error *err)
{
    RCH_BLOCK(rows_block, w->view.alloc, t->nodes.num, sizeof(uint32_t));
    uint32_t *rows = rows_block.mem;
    if (!rows)
        return no_memory(err);
    for (uint32_t i = 0; i < t->nodes.num; i++) {
        const struct rch_trail_node *node = NODE(t, i);
        rows[i] = node->ins ? UINT32_MAX : rch_filter_root(w->filter, node->node);
        for (uint32_t in = node->ins; in && rows[i]; in = IN(t, in - 1)->next) {
            uint32_t from = IN(t, in - 1)->from;
            if (!rch_goes_on(w->view.asking, 4))
                return rch_view_check(&w->view, err);
            rows[i] &=
                rows[from] | rch_filter_edge(w->filter, NODE(t, from)->node, IN(t, in - 1)->edge);
        }
        if (rch_bit(t->sinks, node->node))
            rch__count_dropped(w->answer, rows[i]);
    }
    return RCH_OK;
}

// --- the search ---

struct search {
    struct rch__ways *w;
    rch_node *queue;
    uint32_t *slot;
    uint64_t *region, *visited;  // bits
};

// Nodes that lead to members, these included.
static void find_region(struct search *s)
{
    const struct rch_view *view = &s->w->view;
    const struct rch_question *q = view->question;
    uint32_t num = view->g->num_nodes, tail = 0;
    memset(s->visited, 0, rch_bits_words(num) * sizeof(*s->visited));
    rch_bits_copy(s->region, view->removed.mem, num);
    for (uint32_t i = 0; i < q->num_members; i++) {
        if (rch_bit_add(s->region, q->members[i]))
            s->queue[tail++] = q->members[i];
    }
    rch_sweep_back(view, s->visited, s->region, s->queue, tail);
    rch_bits_minus(s->region, view->removed.mem, num);
}

static bool is_start(const struct rch_view *view, enum rch_start from, rch_node root)
{
    return rch_is_live_root(view, root) ||
           (from == RCH_START_GARBAGE && !rch_is_removed(view, root));
}

static enum rch_status run_trails(struct search *s, struct rch_trails *t, enum rch_start from,
                                  struct rch_error *err)
{
    const struct rch_graph *g = s->w->view.g;
    uint32_t index;
    t->goes_on = true;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!rch_bit(s->region, root) || !is_start(&s->w->view, from, root))
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    return rch_trails_run(t, err);
}

// Members that garbage roots reach and live ones do not, and those that neither does.
static void count_rest(struct search *s, const struct rch_trails *t)
{
    const struct rch_view *view = &s->w->view;
    const struct rch_graph *g = view->g;
    struct rch_paths *answer = s->w->answer;
    uint32_t tail = 0;
    rch_bits_copy(s->visited, view->removed.mem, g->num_nodes);
    for (uint32_t i = 0; i < t->nodes.num; i++)
        rch_bit_set(s->visited, NODE(t, i)->node);
    for (rch_node v = g->num_objects; v < g->num_nodes; v++) {
        if (is_start(view, RCH_START_GARBAGE, v) && rch_bit_add(s->visited, v))
            s->queue[tail++] = v;
    }
    tail = rch_sweep(view, NULL, 0, s->visited, s->queue, 0, tail);
    answer->reached = t->num_reached;
    for (uint32_t i = 0; i < tail; i++)
        answer->garbage += rch_is_member(view, s->queue[i]);
    answer->unheld = answer->objects - answer->reached - answer->garbage;
}

static enum rch_status go_on(struct search *s, uint64_t stage, struct rch_error *err)
{
    enum { NUM_STAGES = 4 };
    return rch_view_stage(&s->w->view, stage, NUM_STAGES, err);
}

static enum rch_status search_from(struct search *s, enum rch_start from, bool is_counting,
                                   struct rch_error *err)
{
    struct rch__ways *w = s->w;
    struct rch_trails t;
    find_region(s);
    RCH_TRY(go_on(s, is_counting ? 1 : 2, err));
    enum rch_status st =
        rch_trails_init(&t, &w->view, s->region, w->view.members.mem, s->slot, err);
    if (st == RCH_OK)
        st = run_trails(s, &t, from, err);
    if (st == RCH_OK)
        st = go_on(s, 3, err);
    if (st == RCH_OK && is_counting)
        st = count_dropped(w, &t, err);
    else if (st == RCH_OK && (t.num_reached || from == RCH_START_GARBAGE))
        st = make_tree(&t, w->answer, err);
    if (st == RCH_OK && !is_counting && from == RCH_START_LIVE)
        count_rest(s, &t);
    rch_trails_deinit(&t);
    return st == RCH_OK ? rch_view_check(&w->view, err) : st;
}

enum rch_status rch__path_tree(struct rch__ways *w, struct rch_error *err)
{
    uint32_t num = w->view.g->num_nodes;
    RCH_BLOCK(queue, w->view.alloc, num, sizeof(rch_node));
    RCH_BLOCK(slot, w->view.alloc, num, sizeof(uint32_t));
    RCH_BITS(region, w->view.alloc, num);
    RCH_BITS(visited, w->view.alloc, num);
    if (!queue.mem || !slot.mem || !region.mem || !visited.mem)
        return no_memory(err);
    struct search s = {w, queue.mem, slot.mem, region.mem, visited.mem};
    if (w->filter) {
        RCH_TRY(search_from(&s, RCH_START_LIVE, true, err));
        RCH_TRY(rch__exclude(w, err));
    }
    RCH_TRY(search_from(&s, RCH_START_LIVE, false, err));
    w->answer->is_garbage = !w->answer->reached && w->answer->garbage;
    return w->answer->is_garbage ? search_from(&s, RCH_START_GARBAGE, false, err) : RCH_OK;
}
