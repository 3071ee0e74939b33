// SPDX-License-Identifier: MIT
// analyze/paths/best_paths.c -- see best_paths.h. What an end reads like is a hash of names, not of node
// numbers, and breaks ties, so that equal graphs give equal orders wherever their objects lie.
#include "analyze/paths/best_paths.h"

#include "analyze/common/chain.h"
#include "analyze/common/heap.h"
#include "analyze/common/mix.h"

enum { FIRST_TABLE = 1024, ENOUGH_STEPS = 2 << 20, END_STEPS = 16 };
#define NO_END UINT32_MAX

// A path without its beginning: from `node` by `edge` to what the end `next` begins with.
struct end {
    uint64_t cost;     // of its references
    uint64_t reading;  // hash of its hops
    rch_node node;
    uint32_t edge;
    uint32_t next;     // NO_END: the target by itself
    uint32_t depth;    // how many ends come after it
    uint32_t jump;     // one of these, far away: see after_at
    uint32_t same;     // the last one before it that was looked at and begins at this node
    uint32_t closed;   // itself or one that comes after it; those before that one are open
    uint32_t pending;  // type + 1: a fold back waits for the hop before it to take this type
    uint64_t back;     // hash of that reference, should there be no hop before it
    uint32_t twin;     // the next of those that read the same
    bool is_active;    // in the heap, or was
    bool is_open;      // of the first of twins: those that come are active at once
    bool is_done;
};

#define END(b, i) (&RCH_VEC_AT(&(b)->ends, struct end, i))

static uint64_t mix_text(const struct rch_graph *g, uint64_t hash, rch_str str)
{
    const char *text = rch_str_get(g, str);
    uint64_t words = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        words = (words ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return rch_mix(hash, words);
}

// --- readings ---

static uint64_t type_hash(const struct rch_best_paths *b, uint32_t type)
{
    const struct rch_graph *g = b->view->g;
    uint64_t *known = (uint64_t *)b->type_hashes.mem + type;
    if (!*known)
        *known = mix_text(g, mix_text(g, 1, g->types[type].module), g->types[type].name) | 1;
    return *known;
}

// The reading of `next` with a reference before it.
static void read_edge(struct rch_best_paths *b, struct end *end, const struct end *next)
{
    const struct rch_graph *g = b->view->g;
    struct rch_shown shown = rch_shown_of(b->view, end->node, end->edge);
    bool is_root = rch_is_root(g, end->node);
    enum rch_fold fold = rch_chain_fold(&shown, is_root, next->next == NO_END);
    rch_str name = rch_kind_repeats(shown.kind) ? RCH_NO_STR : shown.name;
    uint64_t words = mix_text(g, rch_mix(2, shown.kind), name);
    uint32_t type = g->shapes[g->shape_of[g->edges[end->edge]]].type;
    end->reading = next->reading;
    end->pending = next->pending;
    end->back = next->back;
    if (b->each)
        return;
    if (fold == RCH_FOLD_BACK) {
        end->pending = end->pending ? end->pending : type + 1;
        end->back = words;
    } else if (fold == RCH_FOLD_NONE || (is_root && end->pending)) {
        words = fold == RCH_FOLD_NONE ? words : end->back;
        type = end->pending ? end->pending - 1 : type;
        end->reading = rch_mix(rch_mix(end->reading, words), type_hash(b, type));
        end->back = end->pending = 0;
    }
    if (is_root) {  // roots alike are one
        const struct rch_root *root = &g->roots[end->node - g->num_objects];
        end->reading = mix_text(g, rch_mix(end->reading, root->kind), root->name);
    }
}

// --- the table of ends that are the first to read so at a node ---

static rch_node place_of(const struct rch_best_paths *b, const struct end *end)
{
    return rch_is_root(b->view->g, end->node) ? RCH_NO_NODE : end->node;
}

static size_t slot_of(const struct rch_best_paths *b, const struct end *end)
{
    const uint32_t *rows = b->table.mem;
    size_t mask = b->table.num - 1;
    size_t at =
        rch_mix(rch_mix(rch_mix(end->reading, place_of(b, end)), end->pending), end->back) & mask;
    for (; rows[at]; at = (at + 1) & mask) {
        const struct end *known = END(b, rows[at] - 1);
        if (known->reading == end->reading && known->pending == end->pending &&
            known->back == end->back && place_of(b, known) == place_of(b, end))
            break;
    }
    return at;
}

static enum rch_status grow_table(struct rch_best_paths *b, struct rch_error *err)
{
    RCH_VEC(old, b->view->alloc, uint32_t);
    RCH_TRY(rch_vec_append(&old, b->table.mem, b->table.num, err));
    RCH_TRY(rch_vec_append(&b->table, NULL, b->table.num, err));
    uint32_t *rows = b->table.mem;
    memset(rows, 0, b->table.num * sizeof(*rows));
    for (size_t i = 0; i < old.num; i++) {
        uint32_t row = RCH_VEC_AT(&old, uint32_t, i);
        if (row)
            rows[slot_of(b, END(b, row - 1))] = row;
    }
    return RCH_OK;
}

// --- ends ---

static enum rch_status activate(struct rch_best_paths *b, uint32_t index, struct rch_error *err)
{
    struct end *end = END(b, index);
    // Of equals the one that is furthest on, so that a path is finished before another is begun.
    uint64_t tie = ~end->cost << 32 | (uint32_t)end->reading;
    struct rch_heap_row row = {end->cost + b->far->cost[end->node], tie, index};
    end->is_active = true;
    return rch_heap_push(&b->heap, &row, err);
}

// An end that reads like another at its node waits, unless it is better or the other is open.
static enum rch_status join(struct rch_best_paths *b, uint32_t first, uint32_t index, uint32_t *row,
                            struct rch_error *err)
{
    struct end *known = END(b, first), *end = END(b, index);
    if (known->is_open || (!known->is_done && end->cost < known->cost)) {
        end->is_open = known->is_open;
        if (!known->is_open) {  // takes its place
            known->is_active = false;
            end->twin = first;
            *row = index + 1;
            return activate(b, index, err);
        }
        return activate(b, index, err);
    }
    end->twin = known->twin;
    known->twin = index;
    return RCH_OK;
}

static void set_jump(const struct rch_best_paths *b, struct end *end, uint32_t index)
{
    end->jump = index;
    end->closed = index;
    if (end->next == NO_END)
        return;
    const struct end *next = END(b, end->next);
    const struct end *jump = END(b, next->jump), *far = END(b, jump->jump);
    end->depth = next->depth + 1;
    end->jump = next->depth - jump->depth == jump->depth - far->depth ? jump->jump : end->next;
}

static enum rch_status add_end(struct rch_best_paths *b, const struct end *end,
                               struct rch_error *err)
{
    if (b->ends.num >= b->max_ends) {
        b->has_given_up = true;
        return RCH_OK;
    }
    uint32_t index = (uint32_t)b->ends.num;
    RCH_TRY(rch_vec_append(&b->ends, end, 1, err));
    set_jump(b, END(b, index), index);
    if (b->each)
        return activate(b, index, err);
    if (2 * (b->num_keys + 1) > b->table.num)
        RCH_TRY(grow_table(b, err));
    uint32_t *row = &RCH_VEC_AT(&b->table, uint32_t, slot_of(b, end));
    if (*row)
        return join(b, *row - 1, index, row, err);
    *row = index + 1;
    b->num_keys++;
    return activate(b, index, err);
}

// A module is a root of its own: what leads into it by another way explains nothing more.
static bool ends_at_module(const struct rch_best_paths *b, const struct end *next, rch_node from,
                           uint32_t e)
{
    const struct rch_graph *g = b->view->g;
    if (b->each || next->next == NO_END || !rch_bit(b->modules.mem, next->node))
        return false;
    if (rch_is_root(g, from))
        return g->roots[from - g->num_objects].kind != RCH_ROOT_MODULE;
    return !rch_bit(b->modules.mem, from) ||
           rch_label_of(g, from, e - g->edge_start[from])->kind != RCH_EDGE_DICT;
}

// Does the root still hold the module, and the module its dictionary?
static bool holds_dict(const struct rch_view *view, rch_node root, rch_node dict)
{
    const struct rch_graph *g = view->g;
    rch_node module = g->edges[g->edge_start[root]];
    if (!rch_is_live_root(view, root) || !rch_edge_holds(view, root, g->edge_start[root]) ||
        rch_is_removed(view, module) || rch_is_removed(view, dict))
        return false;
    for (uint32_t e = g->edge_start[module]; e < g->edge_start[module + 1]; e++) {
        if (g->edges[e] == dict && rch_edge_holds(view, module, e) &&
            rch_label_of(g, module, e - g->edge_start[module])->kind == RCH_EDGE_DICT)
            return true;
    }
    return false;
}

static void mark_modules(struct rch_best_paths *b)
{
    const struct rch_view *view = b->view;
    const struct rch_graph *g = view->g;
    for (size_t i = 0; i < view->modules.num; i++) {
        const struct rch_module_dict *row = &RCH_VEC_AT(&view->modules, struct rch_module_dict, i);
        rch_node root = g->num_objects + row->root;
        if (!holds_dict(view, root, row->dict))
            continue;
        rch_bit_set(b->modules.mem, row->dict);
        rch_bit_set(b->modules.mem, g->edges[g->edge_start[root]]);
    }
}

static enum rch_status expand(struct rch_best_paths *b, uint32_t index, struct rch_error *err)
{
    struct rch_view *view = b->view;
    const struct rch_reverse *rev = view->rev;
    const struct end next = *END(b, index);
    for (uint32_t i = rev->start[next.node]; i < rev->start[next.node + 1]; i++) {
        rch_node from = rev->source[i];
        if (!rch_goes_on(view->asking, END_STEPS))
            return rch_view_check(view, err);
        if (b->far->cost[from] == RCH_FAR || from == next.node ||
            !rch_edge_holds(view, from, rev->edge[i]) ||
            ends_at_module(b, &next, from, rev->edge[i]))
            continue;
        struct rch_step step = rch_step_of(view, from, rev->edge[i]);
        struct end end = {.cost = next.cost + RCH_COST(step.penalty, step.hops),
                          .node = from,
                          .edge = rev->edge[i],
                          .next = index,
                          .twin = NO_END};
        read_edge(b, &end, &next);
        RCH_TRY(add_end(b, &end, err));
        if (b->has_given_up)
            return RCH_OK;
    }
    return RCH_OK;
}

// Let the twins of an end go their own ways.
static enum rch_status open_twins(struct rch_best_paths *b, uint32_t index, struct rch_error *err)
{
    uint32_t first = RCH_VEC_AT(&b->table, uint32_t, slot_of(b, END(b, index))) - 1;
    uint32_t twin = END(b, first)->twin;
    END(b, first)->is_open = true;
    END(b, first)->twin = NO_END;
    while (twin != NO_END) {
        uint32_t after = END(b, twin)->twin;
        END(b, twin)->twin = NO_END;
        if (!END(b, twin)->is_active)
            RCH_TRY(activate(b, twin, err));
        twin = after;
    }
    return RCH_OK;
}

// The end that comes after `at`, or is it, with this depth. Skew-binary jumps (Myers 1983), O(log depth).
static uint32_t after_at(const struct rch_best_paths *b, uint32_t at, uint32_t depth)
{
    while (END(b, at)->depth > depth) {
        uint32_t jump = END(b, at)->jump;
        at = END(b, jump)->depth >= depth ? jump : END(b, at)->next;
    }
    return at;
}

// The first end from `at` on whose twins are not open yet; NO_END: none. Paths are halved (as for
// disjoint sets), so that asking often costs nearly nothing.
static uint32_t first_closed(struct rch_best_paths *b, uint32_t at)
{
    while (at != NO_END && END(b, at)->closed != at) {
        uint32_t after = END(b, at)->closed;
        if (after != NO_END)
            END(b, at)->closed = END(b, after)->closed;
        at = after;
    }
    return at;
}

// Does the end pass through its own node again? Then whatever else reads like a part of it between
// the two may not, and gets its chance.
static enum rch_status runs_into_itself(struct rch_best_paths *b, uint32_t index, bool *does,
                                        struct rch_error *err)
{
    uint32_t *last = (uint32_t *)b->seen.mem + END(b, index)->node;
    uint32_t at = *last;
    while (at && (END(b, at - 1)->depth >= END(b, index)->depth ||
                  after_at(b, index, END(b, at - 1)->depth) != at - 1))
        at = END(b, at - 1)->same;
    *does = at != 0;
    if (!at) {
        END(b, index)->same = *last;
        *last = index + 1;
        return RCH_OK;
    }
    uint32_t depth = END(b, at - 1)->depth;
    for (uint32_t i = first_closed(b, index); !b->each && i != NO_END && END(b, i)->depth > depth;
         i = first_closed(b, i)) {
        END(b, i)->closed = END(b, i)->next;
        RCH_TRY(open_twins(b, i, err));
    }
    return RCH_OK;
}

enum rch_status rch_best_paths_init(struct rch_best_paths *b, struct rch_view *view,
                                    const struct rch_distances *far, rch_node target, bool each,
                                    uint64_t max_steps, struct rch_error *err)
{
    *b = (struct rch_best_paths){
        .view = view,
        .far = far,
        .each = each,
        .max_steps = max_steps ? max_steps : ENOUGH_STEPS,
    };
    b->max_ends = view->rev->num_refs + b->max_steps;
    rch_vec_init(&b->ends, view->alloc, sizeof(struct end));
    rch_vec_init(&b->heap, view->alloc, sizeof(struct rch_heap_row));
    rch_vec_init(&b->table, view->alloc, sizeof(uint32_t));
    b->type_hashes = rch_block_make(view->alloc, view->g->num_types, sizeof(uint64_t));
    b->seen = rch_block_make(view->alloc, view->g->num_nodes, sizeof(uint32_t));
    b->modules = rch_block_make(view->alloc, rch_bits_words(view->g->num_nodes), sizeof(uint64_t));
    bool has_memory = b->type_hashes.mem && b->seen.mem && b->modules.mem;
    if (has_memory)
        mark_modules(b);
    enum rch_status st = has_memory ? RCH_OK : rch_fail(err, RCH_ENOMEM, "paths");
    if (st == RCH_OK)
        st = rch_vec_append(&b->table, NULL, FIRST_TABLE, err);
    struct end end = {.node = target, .next = NO_END, .twin = NO_END};
    if (st == RCH_OK && far->cost[target] != RCH_FAR)
        st = add_end(b, &end, err);
    if (st != RCH_OK)
        rch_best_paths_deinit(b);
    return st;
}

void rch_best_paths_deinit(struct rch_best_paths *b)
{
    rch_vec_deinit(&b->ends);
    rch_vec_deinit(&b->heap);
    rch_vec_deinit(&b->table);
    rch_block_drop(&b->type_hashes);
    rch_block_drop(&b->seen);
    rch_block_drop(&b->modules);
}

enum rch_status rch_best_paths_next(struct rch_best_paths *b, rch_node *root_out,
                                    uint64_t *cost_out, struct rch_vec *edges,
                                    struct rch_error *err)
{
    *root_out = RCH_NO_NODE;
    while (b->heap.num && !b->has_given_up) {
        struct rch_heap_row row = rch_heap_pop(&b->heap);
        struct end *end = END(b, row.item);
        bool is_loop = false;
        if (!end->is_active || end->is_done)
            continue;  // another took its place
        if (!rch_goes_on(b->view->asking, END_STEPS))
            return rch_view_check(b->view, err);
        end->is_done = true;
        if (rch_is_root(b->view->g, end->node)) {
            *root_out = end->node;
            *cost_out = row.cost;
            if (!b->has_found)
                b->max_ends = b->ends.num + b->max_steps;
            b->has_found = true;
            edges->num = 0;
            for (uint32_t at = row.item; END(b, at)->next != NO_END; at = END(b, at)->next)
                RCH_TRY(rch_vec_append(edges, &END(b, at)->edge, 1, err));
            return RCH_OK;
        }
        RCH_TRY(runs_into_itself(b, row.item, &is_loop, err));
        if (!is_loop && !b->has_given_up)
            RCH_TRY(expand(b, row.item, err));
    }
    return RCH_OK;
}
