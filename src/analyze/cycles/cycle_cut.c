// SPDX-License-Identifier: MIT
// analyze/cycles/cycle_cut.c -- which references to cut so that nothing is in a cycle. Not single references,
// of which the fewest are hard to find (feedback arc set) and mean little, but *names*: all references
// of one look, such as Node.parent, are one line of the program. There are few of those, so that the
// fewest can mostly be found by trying.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include <stdlib.h>

#include "analyze/common/chain.h"
#include "analyze/cycles/cycles_impl.h"
#include "analyze/common/hops.h"
#include "analyze/common/mix.h"
#include "analyze/common/path.h"

enum { MAX_WORK = 8 << 20, MAX_TRIES = 64, MAX_NAMES = 3, NAME_STEPS = 4 };

struct name {  // references of one look
    uint64_t word;
    rch_node node;  // one that has such a reference
    uint32_t edge;
    uint64_t refs, targets;
    uint32_t score;  // least is what a programmer would rather cut
    bool is_cuttable, is_cut;
};

// The references of a knot as compressed rows of local numbers.
struct cutter {
    const struct rch__knot *knot;
    struct rch_vec names;            // struct name, by word; after rank() by score
    struct rch_vec words;            // uint64_t: of each inner reference
    uint32_t *start, *to, *name_of;  // to, name_of: of a reference
    uint32_t *degree, *queue;        // of a local node
    uint32_t first;                  // nodes from here on are the largest component
    uint64_t work;
};

#define NAME(c, i) (&RCH_VEC_AT(&(c)->names, struct name, i))

static bool is_cuttable(struct rch_view *view, rch_node v, uint32_t e)
{
    enum rch_arc arc = rch_arc_of(view, v, e);
    return arc == RCH_ARC_UNIT || arc == RCH_ARC_GROUP;
}

static uint64_t word_of(struct rch_view *view, rch_node v, uint32_t e)
{
    return rch_mix(rch__name_hash(view, v, e), is_cuttable(view, v, e));
}

static uint32_t find_name(const struct cutter *c, uint64_t word)
{
    size_t low = 0, high = c->names.num;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (NAME(c, mid)->word < word)
            low = mid + 1;
        else
            high = mid;
    }
    return (uint32_t)low;
}

// --- the names ---

static enum rch_status find_words(struct cutter *c, struct rch_error *err)
{
    const struct rch__knot *knot = c->knot;
    const struct rch_graph *g = knot->view->g;
    RCH_VEC(sorted, knot->view->alloc, uint64_t);
    for (uint32_t i = 0; i < knot->num_nodes; i++) {
        rch_node v = knot->nodes[i];
        if (!rch_goes_on(knot->view->asking, 1 + NAME_STEPS * rch_num_refs(g, v)))
            return rch_view_check(knot->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (!rch__is_inner(knot, v, e))
                continue;
            uint64_t word = word_of(knot->view, v, e);
            RCH_TRY(rch_vec_append(&c->words, &word, 1, err));
        }
    }
    RCH_TRY(rch_vec_append(&sorted, c->words.mem, c->words.num, err));
    RCH_TRY(rch__sort_words(knot->view, &sorted, err));
    for (size_t i = 0; i < sorted.num; i++) {
        struct name name = {.word = RCH_VEC_AT(&sorted, uint64_t, i)};
        if (i == 0 || RCH_VEC_AT(&sorted, uint64_t, i - 1) != name.word)
            RCH_TRY(rch_vec_append(&c->names, &name, 1, err));
    }
    return RCH_OK;
}

static void fill_rows(struct cutter *c)
{
    const struct rch__knot *knot = c->knot;
    const struct rch_graph *g = knot->view->g;
    uint32_t num = 0;
    for (uint32_t i = 0; i < knot->num_nodes; i++) {
        rch_node v = knot->nodes[i];
        c->start[i] = num;
        if (!rch_goes_on(knot->view->asking, 1 + NAME_STEPS * rch_num_refs(g, v)))
            break;
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (!rch__is_inner(knot, v, e))
                continue;
            uint32_t n = find_name(c, RCH_VEC_AT(&c->words, uint64_t, num));
            struct name *name = NAME(c, n);
            if (!name->refs++) {
                name->node = v;
                name->edge = e;
                name->is_cuttable = is_cuttable(knot->view, v, e);
            }
            c->to[num] = knot->local[g->edges[e]];
            c->name_of[num++] = n;
        }
    }
    c->start[knot->num_nodes] = num;
}

// How many different objects the references of each name lead to.
static enum rch_status count_targets(struct cutter *c, struct rch_error *err)
{
    size_t num = c->words.num;
    RCH_VEC(sorted, c->knot->view->alloc, uint64_t);
    RCH_TRY(rch_vec_append(&sorted, NULL, num, err));
    uint64_t *pairs = sorted.mem;
    for (size_t i = 0; i < num; i++)
        pairs[i] = (uint64_t)c->name_of[i] << 32 | c->to[i];
    RCH_TRY(rch__sort_words(c->knot->view, &sorted, err));
    for (size_t i = 0; i < num; i++)
        NAME(c, pairs[i] >> 32)->targets += i == 0 || pairs[i] != pairs[i - 1];
    return RCH_OK;
}

// Names that are mostly given to references back to an owner: the ones to make weak.
static bool leads_back(const char *name)
{
    static const char *const names[] = {"parent",    "owner",   "prev",    "previous",
                                        "back",      "root",    "master",  "outer",
                                        "container", "manager", "document"};
    while (*name == '_')
        name++;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static uint32_t score_of(struct rch_view *view, const struct name *name)
{
    static const uint8_t of_kind[RCH_NUM_EDGE_KINDS] = {
        [RCH_EDGE_REFERENCE] = 6, [RCH_EDGE_ITEM] = 1,     [RCH_EDGE_KEY] = 2,
        [RCH_EDGE_VALUE] = 1,     [RCH_EDGE_ELEMENT] = 1,  [RCH_EDGE_LOCAL] = 3,
        [RCH_EDGE_CLOSURE] = 3,   [RCH_EDGE_FIELD] = 4,    [RCH_EDGE_DICT] = 6,
        [RCH_EDGE_STACK] = 6,     [RCH_EDGE_TRACEBACK] = 1};
    const struct rch_graph *g = view->g;
    struct rch_shown shown = rch_shown_of(view, name->node, name->edge);
    bool to_builtin = rch_type_of(g, g->edges[name->edge])->module == RCH_NO_STR;
    bool is_back = shown.name != RCH_NO_STR && leads_back(rch_str_get(g, shown.name));
    return of_kind[shown.kind] * 16u + to_builtin * 8u + !is_back * 4u +
           (name->targets == name->refs) * 2u;
}

// --- trying ---

static bool is_left(const struct cutter *c, uint32_t ref)
{
    return !NAME(c, c->name_of[ref])->is_cut;
}

// Kahn's algorithm on the nodes from `first` on: true if all of them can be put in an order. The ones
// that cannot keep a degree above 0. True, too, if nobody wants to know any more.
static bool is_acyclic(struct cutter *c, uint32_t first)
{
    uint32_t past = c->knot->num_nodes, tail = 0;
    c->work += past - first + (c->start[past] - c->start[first]);
    memset(c->degree + first, 0, (past - first) * sizeof(uint32_t));
    for (uint32_t r = c->start[first]; r < c->start[past]; r++)
        c->degree[c->to[r]] += is_left(c, r);
    if (!rch_goes_on(c->knot->view->asking, past - first + (c->start[past] - c->start[first])))
        return true;
    for (uint32_t i = first; i < past; i++) {
        if (!c->degree[i])
            c->queue[tail++] = i;
    }
    for (uint32_t head = 0; head < tail; head++) {
        uint32_t v = c->queue[head];
        if (!rch_goes_on(c->knot->view->asking, 1 + c->start[v + 1] - c->start[v]))
            return true;
        for (uint32_t r = c->start[v]; r < c->start[v + 1]; r++) {
            if (is_left(c, r) && --c->degree[c->to[r]] == 0)
                c->queue[tail++] = c->to[r];
        }
    }
    return tail == past - first;
}

// Components of a group look alike: mostly the largest says it for all.
static bool is_enough(struct cutter *c)
{
    return is_acyclic(c, c->first) && (c->first == 0 || is_acyclic(c, 0));
}

struct choice {
    uint32_t at[MAX_NAMES], num;
    uint32_t score;
};

static uint32_t score_of_choice(const struct cutter *c, const struct choice *choice)
{
    uint32_t score = 0;
    for (uint32_t i = 0; i < choice->num; i++)
        score += NAME(c, choice->at[i])->score;
    return score;
}

static void set_cut(struct cutter *c, const struct choice *choice, bool is_cut)
{
    for (uint32_t i = 0; i < choice->num; i++)
        NAME(c, choice->at[i])->is_cut = is_cut;
}

// The next `num` of the first `max` names, in order; false after the last.
static bool next_choice(struct choice *choice, uint32_t max)
{
    for (uint32_t i = choice->num; i-- > 0;) {
        if (choice->at[i] + (choice->num - i) >= max)
            continue;
        choice->at[i]++;
        for (uint32_t j = i + 1; j < choice->num; j++)
            choice->at[j] = choice->at[j - 1] + 1;
        return true;
    }
    return false;
}

// The best set of `num` names; false: none, or (*is_over) too much work to say.
static bool try_sets(struct cutter *c, uint32_t num, uint32_t max, struct choice *best,
                     bool *is_over)
{
    struct choice choice = {.num = num};
    bool has_best = false;
    for (uint32_t i = 0; i < num; i++)
        choice.at[i] = i;
    if (num > max)
        return false;
    do {
        uint32_t score = score_of_choice(c, &choice);
        if (has_best && score >= best->score)
            continue;
        if (c->work > MAX_WORK || !rch_goes_on(c->knot->view->asking, 1)) {
            *is_over = true;
            return has_best;
        }
        set_cut(c, &choice, true);
        if (is_enough(c)) {
            *best = choice;
            best->score = score;
            has_best = true;
        }
        set_cut(c, &choice, false);
    } while (next_choice(&choice, max));
    return has_best;
}

// The name to cut next: of those between nodes that are left, the one with the best score, then with
// the most references. UINT32_MAX: none can be cut.
static uint32_t choose_name(const struct cutter *c, uint64_t *count)
{
    uint32_t best = UINT32_MAX;
    memset(count, 0, c->names.num * sizeof(*count));
    for (uint32_t v = 0; v < c->knot->num_nodes; v++) {
        if (!rch_goes_on(c->knot->view->asking, 1 + c->start[v + 1] - c->start[v]))
            return UINT32_MAX;
        for (uint32_t r = c->start[v]; c->degree[v] && r < c->start[v + 1]; r++)
            count[c->name_of[r]] += is_left(c, r) && c->degree[c->to[r]];
    }
    for (uint32_t i = 0; i < c->names.num; i++) {
        const struct name *name = NAME(c, i);
        if (!count[i] || !name->is_cuttable || name->is_cut)
            continue;
        if (best == UINT32_MAX || name->score < NAME(c, best)->score ||
            (name->score == NAME(c, best)->score && count[i] > count[best]))
            best = i;
    }
    return best;
}

// One name after the other, then back with those that were not needed.
static enum rch_status cut_greedily(struct cutter *c, bool *is_done, struct rch_error *err)
{
    RCH_BLOCK(count, c->knot->view->alloc, c->names.num, sizeof(uint64_t));
    uint32_t order[MAX_TRIES], num = 0;
    if (!count.mem)
        return rch_fail(err, RCH_ENOMEM, "references of cycles");
    *is_done = false;
    while (!(*is_done = is_acyclic(c, 0)) && num < MAX_TRIES) {
        order[num] = choose_name(c, count.mem);
        if (order[num] == UINT32_MAX)
            break;
        NAME(c, order[num++])->is_cut = true;
    }
    for (uint32_t i = num; *is_done && i-- > 0;) {
        NAME(c, order[i])->is_cut = false;
        if (!is_acyclic(c, 0))
            NAME(c, order[i])->is_cut = true;
    }
    for (uint32_t i = 0; !*is_done && i < num; i++)
        NAME(c, order[i])->is_cut = false;
    return RCH_OK;
}

// --- telling ---

static int compare_names(const void *a, const void *b, void *ctx)
{
    struct rch_view *view = ctx;
    const struct rch_graph *g = view->g;
    const struct name *x = a, *y = b;
    if (x->is_cuttable != y->is_cuttable)
        return x->is_cuttable ? -1 : 1;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->refs != y->refs)
        return x->refs < y->refs ? -1 : 1;
    struct rch_shown shown_x = rch_shown_of(view, x->node, x->edge);
    struct rch_shown shown_y = rch_shown_of(view, y->node, y->edge);
    rch_node owner_x = rch__owner_of(view, x->node), owner_y = rch__owner_of(view, y->node);
    int order = rch_compare_types(g, g->shapes[g->shape_of[owner_x]].type,
                                  g->shapes[g->shape_of[owner_y]].type);
    return order ? order : rch_compare_strs(g, shown_x.name, shown_y.name);
}

// A container is known by what refers to it: the reference that leads to it within the cycle.
static enum rch_status tell_owner(const struct rch__knot *knot, rch_node v,
                                  struct rch_cycle_cut *cut, struct rch_error *err)
{
    struct rch_view *view = knot->view;
    const struct rch_graph *g = view->g;
    rch_node owner = rch__owner_of(view, v);
    const struct rch_reverse *rev = view->rev;
    uint32_t i = rev->start[owner];
    if (rch_type_of(g, owner)->module == RCH_NO_STR) {
        while (i < rev->start[owner + 1] &&
               (!rch__is_inner(knot, rev->source[i], rev->edge[i]) ||
                rch_shown_of(view, rev->source[i], rev->edge[i]).name == RCH_NO_STR))
            i++;
        cut->has_via = i < rev->start[owner + 1];
    }
    if (cut->has_via) {
        RCH_TRY(rch_chain_hop(view, rev->source[i], rev->edge[i], knot->arena, &cut->via, err));
        owner = rch__owner_of(view, rev->source[i]);
    }
    cut->owner = rch_type_text(g, g->shapes[g->shape_of[owner]].type, knot->arena);
    return cut->owner ? RCH_OK : rch_fail(err, RCH_ENOMEM, "references of cycles");
}

static enum rch_status tell(struct cutter *c, struct rch_cycle_group *group, struct rch_error *err)
{
    const struct rch__knot *knot = c->knot;
    uint32_t num = 0;
    for (size_t i = 0; i < c->names.num; i++)
        num += NAME(c, i)->is_cut;
    struct rch_cycle_cut *cuts = rch_arena_take(knot->arena, num, sizeof(*cuts));
    if (!cuts)
        return rch_fail(err, RCH_ENOMEM, "references of cycles");
    group->cuts = cuts;
    for (size_t i = 0; i < c->names.num; i++) {
        const struct name *name = NAME(c, i);
        if (!name->is_cut)
            continue;
        struct rch_cycle_cut *cut = &cuts[group->num_cuts++];
        cut->refs = name->refs;
        RCH_TRY(rch_chain_hop(knot->view, name->node, name->edge, knot->arena, &cut->hop, err));
        RCH_TRY(tell_owner(knot, name->node, cut, err));
        if (!rch_kind_repeats(cut->hop.kind))
            continue;
        cut->hop.name = cut->hop.key_type = NULL;  // all of them
        cut->hop.index = UINT32_MAX;
    }
    return RCH_OK;
}

// --- all of it ---

static enum rch_status choose(struct cutter *c, struct rch_cycle_group *group,
                              struct rch_error *err)
{
    uint32_t max = 0;
    bool is_over = false, is_done = false;
    struct choice best = {.num = 0};
    for (; max < c->names.num && NAME(c, max)->is_cuttable; max++)
        NAME(c, max)->is_cut = true;
    group->is_cuttable = is_acyclic(c, 0);
    for (uint32_t i = 0; i < max; i++)
        NAME(c, i)->is_cut = false;
    if (!group->is_cuttable)
        return RCH_OK;
    for (uint32_t num = 1; num <= MAX_NAMES && !is_over; num++) {
        bool has_found = try_sets(c, num, max, &best, &is_over);
        RCH_TRY(rch_view_check(c->knot->view, err));
        if (!has_found)
            continue;
        set_cut(c, &best, true);
        group->is_minimum = true;
        return tell(c, group, err);
    }
    RCH_TRY(cut_greedily(c, &is_done, err));
    RCH_TRY(rch_view_check(c->knot->view, err));
    return is_done ? tell(c, group, err) : RCH_OK;
}

static void rank(struct cutter *c)
{
    for (size_t i = 0; i < c->names.num; i++)
        NAME(c, i)->score = score_of(c->knot->view, NAME(c, i));
    qsort_r(c->names.mem, c->names.num, sizeof(struct name), compare_names, c->knot->view);
}

// Names are found by word, but tried by score: renumber the references.
static enum rch_status renumber(struct cutter *c, struct rch_error *err)
{
    RCH_BLOCK(word_block, c->knot->view->alloc, c->names.num, sizeof(uint64_t));
    RCH_BLOCK(new_block, c->knot->view->alloc, c->names.num, sizeof(uint32_t));
    uint64_t *words = word_block.mem;
    uint32_t *number = new_block.mem;
    if (!words || !number)
        return rch_fail(err, RCH_ENOMEM, "references of cycles");
    for (size_t i = 0; i < c->names.num; i++)
        words[i] = NAME(c, i)->word;
    rank(c);
    for (uint32_t i = 0; i < c->names.num; i++) {
        uint64_t word = NAME(c, i)->word;
        size_t low = 0, high = c->names.num;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (words[mid] < word)
                low = mid + 1;
            else
                high = mid;
        }
        number[low] = i;
    }
    for (size_t r = 0; r < c->words.num; r++)
        c->name_of[r] = number[c->name_of[r]];
    return RCH_OK;
}

static uint32_t first_of_largest(const struct rch__knot *knot)
{
    uint32_t first = knot->num_nodes - 1;
    const uint32_t *component = knot->scc->component;
    while (first && component[knot->nodes[first - 1]] == component[knot->nodes[first]])
        first--;
    return first;
}

static enum rch_status run(struct cutter *c, struct rch_cycle_group *group, struct rch_error *err)
{
    const struct rch__knot *knot = c->knot;
    const struct rch_alloc *alloc = knot->view->alloc;
    RCH_TRY(find_words(c, err));
    RCH_BLOCK(start, alloc, (size_t)knot->num_nodes + 1, sizeof(uint32_t));
    RCH_BLOCK(to, alloc, c->words.num, sizeof(uint32_t));
    RCH_BLOCK(name_of, alloc, c->words.num, sizeof(uint32_t));
    RCH_BLOCK(degree, alloc, knot->num_nodes, sizeof(uint32_t));
    RCH_BLOCK(queue, alloc, knot->num_nodes, sizeof(uint32_t));
    if (!start.mem || !to.mem || !name_of.mem || !degree.mem || !queue.mem)
        return rch_fail(err, RCH_ENOMEM, "references of cycles");
    c->start = start.mem;
    c->to = to.mem;
    c->name_of = name_of.mem;
    c->degree = degree.mem;
    c->queue = queue.mem;
    c->first = first_of_largest(knot);
    fill_rows(c);
    RCH_TRY(rch_view_check(knot->view, err));
    RCH_TRY(count_targets(c, err));
    RCH_TRY(renumber(c, err));
    return choose(c, group, err);
}

enum rch_status rch__find_cuts(const struct rch__knot *knot, struct rch_cycle_group *group,
                               struct rch_error *err)
{
    struct cutter c = {.knot = knot};
    rch_vec_init(&c.names, knot->view->alloc, sizeof(struct name));
    rch_vec_init(&c.words, knot->view->alloc, sizeof(uint64_t));
    enum rch_status st = run(&c, group, err);
    rch_vec_deinit(&c.names);
    rch_vec_deinit(&c.words);
    return st;
}
