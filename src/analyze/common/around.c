// SPDX-License-Identifier: MIT
// analyze/common/around.c -- breadth first from the question. Plumbing is stepped over: going backwards, a
// dictionary of attributes stands for the objects it belongs to and a cell for who has it; forwards,
// an object's own dictionary is looked into and a cell looked through.
#include "analyze/common/around.h"

#include <string.h>

#include "analyze/common/view.h"

enum { MAX_STARTS = 20000, MAX_OBJECTS = 200000, MAX_LINKS = 600000, DEPTH = 3 };

struct walk {
    struct rch_around *around;
    struct rch_view view;
    const struct rch_graph *g;
    const struct rch_around_options *options;
    uint32_t max_objects, max_links;
    uint32_t *slot;                 // node -> index into around->nodes + 1
    uint64_t *known, *is_plumbing;  // bits: has plumbing_of looked, and what it found
    uint64_t *is_end;               // bits over nodes: do not go on from here
    uint64_t *in_path, *in_fronts;  // bits: are in the vectors of that name now
    struct rch_vec path, ends;      // rch_node: plumbing being stepped over; what is behind it
    struct rch_vec fronts;          // rch_node: an object and the plumbing before it
};

static bool is_weak(const struct rch_graph *g, rch_node v, uint32_t e)
{
    return rch_label_of(g, v, e - g->edge_start[v])->cls == RCH_CLASS_WEAK;
}

static bool counts(const struct walk *w, rch_node v, uint32_t e)
{
    return w->g->edges[e] != RCH_NO_NODE && !rch_is_removed(&w->view, v) &&
           (rch_edge_holds(&w->view, v, e) || is_weak(w->g, v, e));
}

static struct rch_shown shown_of(struct walk *w, rch_node v, uint32_t e)
{
    struct rch_shown shown = rch_shown_of(&w->view, v, e);
    if (w->options->raw) {
        shown.kind = (enum rch_edge_kind)rch_label_of(w->g, v, e - w->g->edge_start[v])->kind;
        shown.fold = RCH_FOLD_NONE;
    }
    if (shown.kind == RCH_EDGE_VALUE && shown.name == RCH_NO_STR)
        shown.name = rch_view_text(&w->view, rch_key_of_value(w->g, v, e - w->g->edge_start[v]));
    return shown;
}

static enum rch_status step_to(struct rch_vec *vec, uint64_t *is_in, rch_node v,
                               struct rch_error *err)
{
    return rch_bit_add(is_in, v) ? rch_vec_append(vec, &v, 1, err) : RCH_OK;
}

static void forget(struct rch_vec *vec, uint64_t *is_in)
{
    for (size_t i = 0; i < vec->num; i++)
        rch_bit_clear(is_in, RCH_VEC_AT(vec, rch_node, i));
    vec->num = 0;
}

// ---- what is stepped over ------------------------------------------------------------------------

/// A reference by which somebody has this dictionary for itself, not as the attributes of an object.
static bool is_own_use(enum rch_edge_kind kind)
{
    switch (kind) {
    case RCH_EDGE_ATTRIBUTE:
    case RCH_EDGE_ITEM:
    case RCH_EDGE_KEY:
    case RCH_EDGE_VALUE:
    case RCH_EDGE_ELEMENT:
    case RCH_EDGE_LOCAL:
    case RCH_EDGE_CLOSURE:
    case RCH_EDGE_SLOT: return true;
    default: return false;
    }
}

/// Does `v` only stand for what refers to it? Remembered.
static bool is_plumbing(struct walk *w, rch_node v)
{
    const struct rch_reverse *rev = w->view.rev;
    if (!rch_bit_add(w->known, v))
        return rch_bit(w->is_plumbing, v);
    bool is_part = false;
    for (uint32_t i = rev->start[v]; !is_part && i < rev->start[v + 1]; i++)
        is_part = counts(w, rev->source[i], rev->edge[i]) &&
                  shown_of(w, rev->source[i], rev->edge[i]).fold == RCH_FOLD_FORWARD;
    if (is_part)
        rch_bit_set(w->is_plumbing, v);
    return is_part;
}

/// The objects that `v` stands for, in w->ends.
static enum rch_status find_owners(struct walk *w, rch_node v, struct rch_error *err)
{
    const struct rch_reverse *rev = w->view.rev;
    RCH_TRY(step_to(&w->path, w->in_path, v, err));
    for (size_t i = 0; i < w->path.num; i++) {
        rch_node at = RCH_VEC_AT(&w->path, rch_node, i);
        bool is_shown = !is_plumbing(w, at);
        bool is_module =
            !rch_is_root(w->g, at) && (rch_type_of(w->g, at)->flags & RCH_TYPE_IS_MODULE);
        for (uint32_t k = rev->start[at]; !is_shown && k < rev->start[at + 1]; k++) {
            rch_node from = rev->source[k];
            if (!counts(w, from, rev->edge[k]))
                continue;
            struct rch_shown shown = shown_of(w, from, rev->edge[k]);
            if (shown.fold == RCH_FOLD_FORWARD)
                RCH_TRY(step_to(&w->path, w->in_path, from, err));
            else
                is_shown = !is_module && is_own_use(shown.kind);
        }
        if (is_shown)
            RCH_TRY(rch_vec_append(&w->ends, &at, 1, err));
    }
    forget(&w->path, w->in_path);
    return RCH_OK;
}

static bool is_looked_through(const struct rch_graph *g, rch_node v)
{
    const struct rch_shape *shape = &g->shapes[g->shape_of[v]];
    for (uint32_t i = 0; i < shape->num_labels + shape->num_tail; i++)
        if (g->labels[shape->first_label + i].flags & RCH_LABEL_FOLD_BACK)
            return true;
    return false;
}

/// What is seen through `v`, a cell perhaps, in w->ends.
static enum rch_status find_contents(struct walk *w, rch_node v, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    RCH_TRY(step_to(&w->path, w->in_path, v, err));
    for (size_t i = 0; i < w->path.num; i++) {
        rch_node at = RCH_VEC_AT(&w->path, rch_node, i);
        bool is_shown = w->options->raw || !is_looked_through(g, at);
        for (uint32_t e = g->edge_start[at]; !is_shown && e < g->edge_start[at + 1]; e++)
            if (counts(w, at, e) && shown_of(w, at, e).fold == RCH_FOLD_BACK)
                RCH_TRY(step_to(&w->path, w->in_path, g->edges[e], err));
        if (is_shown)
            RCH_TRY(rch_vec_append(&w->ends, &at, 1, err));
    }
    forget(&w->path, w->in_path);
    return RCH_OK;
}

// ---- nodes and links -----------------------------------------------------------------------------

/// The index of node `v`, made if there is room; UINT32_MAX: there is none.
static enum rch_status add_node(struct walk *w, rch_node v, uint32_t depth, uint32_t *out,
                                struct rch_error *err)
{
    struct rch_vec *nodes = &w->around->nodes;
    *out = w->slot[v] - 1;
    if (w->slot[v])
        return RCH_OK;
    w->around->is_cut_short |= depth > 0 && nodes->num >= w->max_objects;
    if (depth > 0 && nodes->num >= w->max_objects)
        return RCH_OK;
    struct rch_around_node node = {v, depth, 0};
    w->slot[v] = (uint32_t)nodes->num + 1;
    *out = (uint32_t)nodes->num;
    return rch_vec_append(nodes, &node, 1, err);
}

static enum rch_status add_link(struct walk *w, uint32_t i, rch_node other, rch_node v, uint32_t e,
                                struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    struct rch_around_node here = RCH_VEC_AT(&w->around->nodes, struct rch_around_node, i);
    uint32_t k, ordinal = e - g->edge_start[v];
    bool is_new = w->slot[other] == 0;
    if (w->around->links.num >= w->max_links) {
        w->around->is_cut_short = true;
        return RCH_OK;
    }
    RCH_TRY(add_node(w, other, here.depth + 1, &k, err));
    if (k == UINT32_MAX)
        return RCH_OK;
    struct rch_shown shown = shown_of(w, v, e);
    rch_node key = shown.kind == RCH_EDGE_KEY ? g->edges[e]
                   : shown.kind == RCH_EDGE_VALUE || shown.kind == RCH_EDGE_ATTRIBUTE
                       ? rch_key_of_value(g, v, ordinal)
                       : RCH_NO_NODE;
    struct rch_around_link link = {
        .from = w->around->is_forward ? i : k,
        .to = w->around->is_forward ? k : i,
        .kind = shown.kind,
        .name = shown.name,
        .index = shown.kind == RCH_EDGE_ATTRIBUTE ? UINT32_MAX : rch_index_of_ref(g, v, ordinal),
        .key_type = key == RCH_NO_NODE ? UINT32_MAX : g->shapes[g->shape_of[key]].type,
        .is_guessed = shown.is_guessed,
        .is_weak = is_weak(g, v, e)};
    const char *name = rch_str_get(g, shown.name);
    bool is_end =
        link.is_weak || (shown.kind == RCH_EDGE_FIELD &&
                         (strcmp(name, "__globals__") == 0 || strcmp(name, "__builtins__") == 0));
    if (is_end && is_new)
        rch_bit_set(w->is_end, k);
    else if (!is_end && RCH_VEC_AT(&w->around->nodes, struct rch_around_node, k).depth > here.depth)
        rch_bit_clear(w->is_end, k);
    return rch_vec_append(&w->around->links, &link, 1, err);
}

static enum rch_status link_ends(struct walk *w, uint32_t i, rch_node v, uint32_t e,
                                 struct rch_error *err)
{
    for (size_t k = 0; k < w->ends.num; k++) {
        rch_node other = RCH_VEC_AT(&w->ends, rch_node, k);
        if (!rch_is_removed(&w->view, other))
            RCH_TRY(add_link(w, i, other, v, e, err));
    }
    w->ends.num = 0;
    return RCH_OK;
}

// ---- one node ------------------------------------------------------------------------------------

static enum rch_status go_back(struct walk *w, uint32_t i, struct rch_error *err)
{
    const struct rch_reverse *rev = w->view.rev;
    rch_node v = RCH_VEC_AT(&w->around->nodes, struct rch_around_node, i).node;
    RCH_TRY(step_to(&w->fronts, w->in_fronts, v, err));
    for (size_t f = 0; f < w->fronts.num && w->fronts.num < w->max_objects;
         f++) {  // grows by cells
        rch_node front = RCH_VEC_AT(&w->fronts, rch_node, f);
        for (uint32_t k = rev->start[front]; k < rev->start[front + 1]; k++) {
            rch_node from = rev->source[k];
            uint32_t e = rev->edge[k];
            if (!counts(w, from, e))
                continue;
            enum rch_fold fold = shown_of(w, from, e).fold;
            if (fold == RCH_FOLD_BACK) {
                RCH_TRY(step_to(&w->fronts, w->in_fronts, from, err));
                continue;
            }
            if (w->options->raw || fold != RCH_FOLD_NONE)
                RCH_TRY(rch_vec_append(&w->ends, &from, 1, err));
            else
                RCH_TRY(find_owners(w, from, err));
            RCH_TRY(link_ends(w, i, from, e, err));
        }
    }
    forget(&w->fronts, w->in_fronts);
    return RCH_OK;
}

/// A key that is told by the name of its value.
static bool is_told_by_value(struct walk *w, rch_node v, uint32_t e)
{
    const struct rch_graph *g = w->g;
    return !w->options->raw && rch_label_of(g, v, e - g->edge_start[v])->kind == RCH_EDGE_KEY &&
           rch_view_text(&w->view, g->edges[e]) != RCH_NO_STR;
}

static enum rch_status go_forward(struct walk *w, uint32_t i, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    rch_node v = RCH_VEC_AT(&w->around->nodes, struct rch_around_node, i).node;
    RCH_TRY(step_to(&w->fronts, w->in_fronts, v, err));
    for (size_t f = 0; f < w->fronts.num && w->fronts.num < w->max_objects; f++) {
        rch_node front = RCH_VEC_AT(&w->fronts, rch_node, f);
        for (uint32_t e = g->edge_start[front]; e < g->edge_start[front + 1]; e++) {
            if (!counts(w, front, e) || is_told_by_value(w, front, e))
                continue;
            rch_node to = g->edges[e];
            if (shown_of(w, front, e).fold == RCH_FOLD_FORWARD) {
                RCH_TRY(step_to(&w->fronts, w->in_fronts, to, err));
                continue;
            }
            RCH_TRY(find_contents(w, to, err));
            RCH_TRY(link_ends(w, i, front, e, err));
        }
    }
    forget(&w->fronts, w->in_fronts);
    return RCH_OK;
}

static uint32_t num_beyond(const struct walk *w, rch_node v)
{
    if (w->options->is_forward) {
        uint32_t num = 0;
        for (uint32_t e = w->g->edge_start[v]; e < w->g->edge_start[v + 1]; e++)
            num += counts(w, v, e);
        return num;
    }
    return w->view.rev->start[v + 1] - w->view.rev->start[v];
}

static bool ends_here(const struct walk *w, uint32_t i, const struct rch_around_node *node)
{
    if (rch_bit(w->is_end, i))
        return true;
    if (!w->options->is_forward || node->depth == 0 || rch_is_root(w->g, node->node))
        return rch_is_root(w->g, node->node) && !w->options->is_forward;
    return (rch_type_of(w->g, node->node)->flags & (RCH_TYPE_IS_MODULE | RCH_TYPE_IS_TYPE)) != 0;
}

static enum rch_status run(struct walk *w, struct rch_error *err)
{
    const struct rch_question *q = w->view.question;
    uint32_t depth = w->options->depth ? w->options->depth : DEPTH, ignored;
    uint32_t num = w->options->max_starts ? w->options->max_starts : MAX_STARTS;
    w->around->num_starts = num = q->num_members < num ? q->num_members : num;
    for (uint64_t i = 0; i < num; i++)
        RCH_TRY(add_node(w, q->members[i * q->num_members / num], 0, &ignored, err));
    for (uint32_t i = 0; i < w->around->nodes.num; i++) {
        struct rch_around_node *node = &RCH_VEC_AT(&w->around->nodes, struct rch_around_node, i);
        if (ends_here(w, i, node))
            continue;
        if (node->depth >= depth)
            node->num_beyond = num_beyond(w, node->node);
        else
            RCH_TRY(w->options->is_forward ? go_forward(w, i, err) : go_back(w, i, err));
    }
    return RCH_OK;
}

static enum rch_status walk(struct rch_around *around, const struct rch_graph *g,
                            const struct rch_reverse *rev, const struct rch_question *question,
                            const struct rch_around_options *options, const struct rch_alloc *alloc,
                            struct rch_error *err)
{
    size_t words = rch_bits_words(g->num_nodes);
    struct walk w = {.around = around, .g = g, .options = options};
    w.max_objects = options->max_objects ? options->max_objects : MAX_OBJECTS;
    w.max_links = options->max_links ? options->max_links : MAX_LINKS;
    RCH_BLOCK(slot, alloc, g->num_nodes, sizeof(uint32_t));
    RCH_BLOCK(known, alloc, words, sizeof(uint64_t));
    RCH_BLOCK(plumbing, alloc, words, sizeof(uint64_t));
    RCH_BLOCK(is_end, alloc, words, sizeof(uint64_t));
    RCH_BLOCK(in_path, alloc, words, sizeof(uint64_t));
    RCH_BLOCK(in_fronts, alloc, words, sizeof(uint64_t));
    if (!slot.mem || !known.mem || !plumbing.mem || !is_end.mem || !in_path.mem || !in_fronts.mem)
        return rch_fail(err, RCH_ENOMEM, "what is around an object");
    w.slot = slot.mem;
    w.known = known.mem;
    w.is_plumbing = plumbing.mem;
    w.is_end = is_end.mem;
    w.in_path = in_path.mem;
    w.in_fronts = in_fronts.mem;
    RCH_TRY(rch_view_init(&w.view, g, rev, question, alloc, err));
    rch_vec_init(&w.path, alloc, sizeof(rch_node));
    rch_vec_init(&w.ends, alloc, sizeof(rch_node));
    rch_vec_init(&w.fronts, alloc, sizeof(rch_node));
    enum rch_status st = run(&w, err);
    rch_vec_deinit(&w.path);
    rch_vec_deinit(&w.ends);
    rch_vec_deinit(&w.fronts);
    rch_view_deinit(&w.view);
    return st;
}

enum rch_status rch_around(struct rch_around *around, const struct rch_graph *g,
                           const struct rch_reverse *rev, const struct rch_question *question,
                           const struct rch_around_options *options, const struct rch_alloc *alloc,
                           struct rch_error *err)
{
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse made = {.alloc = alloc};
    if (!rev)
        RCH_TRY(rch_reverse_make(&made, g, alloc, options->progress, err));
    memset(around, 0, sizeof(*around));
    around->is_forward = options->is_forward;
    rch_vec_init(&around->nodes, alloc, sizeof(struct rch_around_node));
    rch_vec_init(&around->links, alloc, sizeof(struct rch_around_link));
    enum rch_status st = walk(around, g, rev ? rev : &made, question, options, alloc, err);
    if (st != RCH_OK)
        rch_around_deinit(around);
    return st;
}

void rch_around_deinit(struct rch_around *around)
{
    rch_vec_deinit(&around->nodes);
    rch_vec_deinit(&around->links);
}
