// SPDX-License-Identifier: MIT
// render/picture_group.c -- a picture too large to read becomes one of groups: boxes are sorted by how they are reached
// from what was asked about, so a group is a normalised path with a number of objects. Each distance gets its
// share of the room; the largest groups take it.
#include <stdlib.h>
#include <string.h>

#include "render/line.h"
#include "render/picture.h"

#define NONE UINT32_MAX

enum { GROUPED_NODES = 40, MIN_NODES = 8, MAX_LABELS = 3 };

struct group {
    uint32_t node;         // one of it
    uint32_t parent;       // group, NONE: at the start
    uint32_t num_members;  // boxes
    uint64_t count;        // objects
    uint32_t num_runs;     // a stub: of how many kinds it is; 0: no stub
};

struct row {  // a box of one level, with what sorts it
    const char *any, *what;
    uint32_t parent, color, node;
    uint8_t is_out, kind, flags;
};
struct run {  // rows that are alike
    uint32_t first, num;
    uint64_t count;
};

struct grouping {
    struct rch_picture *picture;
    uint32_t num, max_groups, num_levels;
    uint32_t *level, *group_of;  // of boxes
    uint32_t *start, *arrows;    // arrows at each box
    uint32_t *queue;             // boxes, nearest first
    struct rch_vec groups;       // struct group
    struct rch_vec rows, runs;   // of one level
};

static struct rch_picture_node *node_at(const struct grouping *g, uint32_t i)
{
    return &RCH_VEC_AT(&g->picture->nodes, struct rch_picture_node, i);
}
static struct rch_picture_edge *edge_at(const struct rch_picture *picture, size_t i)
{
    return &RCH_VEC_AT(&picture->edges, struct rch_picture_edge, i);
}
static struct group *group_at(const struct grouping *g, uint32_t i)
{
    return &RCH_VEC_AT(&g->groups, struct group, i);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}
static int compare_texts(const char *a, const char *b)
{
    if (a == b || !a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

// ---- arrows between the same two -----------------------------------------------------------------

struct pair {
    uint32_t from, to, edge;
    bool is_weak;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = compare_numbers(x->from, y->from);
    order = order ? order : compare_numbers(x->to, y->to);
    order = order ? order : compare_numbers(x->is_weak, y->is_weak);
    return order ? order : compare_numbers(x->edge, y->edge);
}

static const char *any_of(const struct rch_picture_edge *edge)
{
    return edge->any ? edge->any : edge->label;
}

/// "x, y", "[*]", "x, y, z and 5 more" of several arrows; NULL: out of memory.
static const char *join_labels(struct rch_picture *picture, const struct pair *pairs, size_t num)
{
    const char *labels[MAX_LABELS], *any = any_of(edge_at(picture, pairs[0].edge));
    size_t num_labels = 0, num_more = 0;
    bool is_one_kind = true;
    for (size_t i = 0; i < num; i++) {
        const struct rch_picture_edge *edge = edge_at(picture, pairs[i].edge);
        bool is_known = edge->label == NULL;
        is_one_kind = is_one_kind && compare_texts(any, any_of(edge)) == 0;
        for (size_t k = 0; k < num_labels && !is_known; k++)
            is_known = strcmp(labels[k], edge->label) == 0;
        if (!is_known && num_labels < MAX_LABELS)
            labels[num_labels++] = edge->label;
        else
            num_more += !is_known;
    }
    if (num_more && is_one_kind)
        return any;
    const char *text = rch_picture_text(picture, "%s", labels[0]);
    for (size_t i = 1; i < num_labels && text; i++)
        text = rch_picture_text(picture, "%s, %s", text, labels[i]);
    return text && num_more ? rch_picture_text(picture, "%s and %zu more", text, num_more) : text;
}

static enum rch_status join_run(struct rch_picture *picture, const struct pair *pairs, size_t num,
                                struct rch_vec *out, struct rch_error *err)
{
    struct rch_picture_edge all = *edge_at(picture, pairs[0].edge);
    bool has_label = all.label != NULL, is_weak = all.flags & RCH_PICTURE_WEAK;
    all.from = pairs[0].from;
    all.to = pairs[0].to;
    for (size_t i = 1; i < num; i++) {
        const struct rch_picture_edge *edge = edge_at(picture, pairs[i].edge);
        has_label |= edge->label != NULL;
        all.count += edge->count;
        all.note = all.note ? all.note : edge->note;
        all.flags |= edge->flags;
        is_weak = is_weak && (edge->flags & RCH_PICTURE_WEAK);
    }
    if (!is_weak)
        all.flags &= (uint8_t)~RCH_PICTURE_WEAK;
    if (num > 1 && has_label && !(all.label = join_labels(picture, pairs, num)))
        return rch_fail(err, RCH_ENOMEM, "names of arrows");
    return rch_vec_append(out, &all, 1, err);
}

/// One arrow for all between the same two boxes, in the order of their first. `pairs` says where each
/// goes now.
static enum rch_status join_arrows(struct rch_picture *picture, struct rch_vec *pairs,
                                   struct rch_error *err)
{
    RCH_VEC(joined, picture->edges.alloc, struct rch_picture_edge);
    struct pair *all = pairs->mem;
    if (pairs->num)
        qsort(all, pairs->num, sizeof(*all), compare_pairs);
    for (size_t i = 0, end; i < pairs->num; i = end) {
        for (end = i + 1; end < pairs->num && all[end].from == all[i].from &&
                          all[end].to == all[i].to && all[end].is_weak == all[i].is_weak;)
            end++;
        RCH_TRY(join_run(picture, all + i, end - i, &joined, err));
    }
    struct rch_vec swap = picture->edges;
    picture->edges = joined;
    joined = swap;
    return RCH_OK;
}

static enum rch_status join_all(struct rch_picture *picture, const struct grouping *g,
                                struct rch_error *err)
{
    RCH_VEC(pairs, picture->edges.alloc, struct pair);
    for (size_t i = 0; i < picture->edges.num; i++) {
        const struct rch_picture_edge *edge = edge_at(picture, i);
        struct pair pair = {edge->from, edge->to, (uint32_t)i, false};
        if (g) {
            pair.from = g->group_of[edge->from];
            pair.to = g->group_of[edge->to];
            if (pair.from == NONE || pair.to == NONE)
                continue;
            const struct group *from = group_at(g, pair.from), *to = group_at(g, pair.to);
            if ((from->num_runs && from->parent != pair.to) ||
                (to->num_runs && to->parent != pair.from))
                continue;  // a stub only hangs on what it was reached from
        }
        pair.is_weak = pair.from != pair.to && (edge->flags & RCH_PICTURE_WEAK);
        RCH_TRY(rch_vec_append(&pairs, &pair, 1, err));
    }
    return join_arrows(picture, &pairs, err);
}

// ---- distances -----------------------------------------------------------------------------------

static void list_arrows(struct grouping *g)
{
    struct rch_picture *picture = g->picture;
    for (size_t i = 0; i < picture->edges.num; i++) {
        g->start[edge_at(picture, i)->from + 1]++;
        g->start[edge_at(picture, i)->to + 1]++;
    }
    for (uint32_t i = 0; i < g->num; i++)
        g->start[i + 1] += g->start[i];
    for (size_t i = 0; i < picture->edges.num; i++) {
        g->arrows[g->start[edge_at(picture, i)->from]++] = (uint32_t)i;
        g->arrows[g->start[edge_at(picture, i)->to]++] = (uint32_t)i;
    }
    for (uint32_t i = g->num; i > 0; i--)
        g->start[i] = g->start[i - 1];
    g->start[0] = 0;
}

static uint32_t spread(struct grouping *g, uint32_t head, uint32_t tail)
{
    for (; head < tail; head++) {
        uint32_t at = g->queue[head];
        for (uint32_t i = g->start[at]; i < g->start[at + 1]; i++) {
            const struct rch_picture_edge *edge = edge_at(g->picture, g->arrows[i]);
            uint32_t other = edge->from == at ? edge->to : edge->from;
            if (g->level[other] != NONE)
                continue;
            g->level[other] = g->level[at] + 1;
            g->queue[tail++] = other;
            if (g->level[other] >= g->num_levels)
                g->num_levels = g->level[other] + 1;
        }
    }
    return tail;
}

static void find_levels(struct grouping *g)
{
    uint32_t tail = 0;
    g->num_levels = 1;
    for (uint32_t i = 0; i < g->num; i++) {
        g->level[i] = g->group_of[i] = NONE;
        if (!(node_at(g, i)->flags & RCH_PICTURE_QUESTION))
            continue;
        g->level[i] = 0;
        g->queue[tail++] = i;
    }
    tail = spread(g, 0, tail);
    for (uint32_t i = 0; i < g->num; i++) {  // what nothing asked about is joined to
        if (g->level[i] != NONE)
            continue;
        g->level[i] = 0;
        g->queue[tail] = i;
        tail = spread(g, tail, tail + 1);
    }
}

// ---- groups --------------------------------------------------------------------------------------

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = compare_numbers(x->parent, y->parent);
    order = order ? order : compare_numbers(x->is_out, y->is_out);
    order = order ? order : compare_texts(x->any, y->any);
    order = order ? order : compare_texts(x->what, y->what);
    order = order ? order : compare_numbers(x->kind, y->kind);
    order = order ? order : compare_numbers(x->flags, y->flags);
    return order ? order : compare_numbers(x->color, y->color);
}
static int compare_rows_fully(const void *a, const void *b)
{
    int order = compare_rows(a, b);
    return order ? order
                 : compare_numbers(((const struct row *)a)->node, ((const struct row *)b)->node);
}
static int compare_runs(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    int order = compare_numbers(y->count, x->count);
    return order ? order : compare_numbers(x->first, y->first);
}

/// How a box is reached: the least of the ways from groups one step nearer. False: from none of those.
static bool fill_row(const struct grouping *g, uint32_t i, struct row *row)
{
    const struct rch_picture_node *node = node_at(g, i);
    *row = (struct row){NULL, node->lines[0], NONE, node->color, i, 0, node->kind, node->flags};
    for (uint32_t k = g->start[i]; k < g->start[i + 1] && g->level[i]; k++) {
        const struct rch_picture_edge *edge = edge_at(g->picture, g->arrows[k]);
        uint32_t other = edge->from == i ? edge->to : edge->from, group = g->group_of[other];
        if (g->level[other] + 1 != g->level[i] || group == NONE || group_at(g, group)->num_runs)
            continue;
        struct row way = *row;
        way.parent = group;
        way.is_out = edge->from == i;
        way.any = any_of(edge);
        if (row->parent == NONE || compare_rows(&way, row) < 0)
            *row = way;
    }
    return row->parent != NONE || g->level[i] == 0;
}

static enum rch_status find_runs(struct grouping *g, const uint32_t *boxes, uint32_t num,
                                 struct rch_error *err)
{
    struct row row;
    g->rows.num = g->runs.num = 0;
    for (uint32_t i = 0; i < num; i++)
        if (fill_row(g, boxes[i], &row))
            RCH_TRY(rch_vec_append(&g->rows, &row, 1, err));
    struct row *rows = g->rows.mem;
    if (g->rows.num)
        qsort(rows, g->rows.num, sizeof(*rows), compare_rows_fully);
    for (uint32_t i = 0; i < g->rows.num; i++) {
        if (i == 0 || compare_rows(&rows[i - 1], &rows[i]) != 0)
            RCH_TRY(rch_vec_append(&g->runs, &(struct run){i, 0, 0}, 1, err));
        struct run *run = &RCH_VEC_AT(&g->runs, struct run, g->runs.num - 1);
        uint64_t count = node_at(g, rows[i].node)->count;
        run->num++;
        run->count += count ? count : 1;
    }
    if (g->runs.num)
        qsort(g->runs.mem, g->runs.num, sizeof(struct run), compare_runs);
    return RCH_OK;
}

/// The stub that takes a run with this parent: its own, or the last if there is no room for another.
static enum rch_status stub_for(struct grouping *g, uint32_t first_stub, uint32_t max_stubs,
                                uint32_t parent, uint32_t node, uint32_t *out,
                                struct rch_error *err)
{
    for (*out = first_stub; *out < g->groups.num; ++*out)
        if (group_at(g, *out)->parent == parent)
            return RCH_OK;
    if (g->groups.num - first_stub >= max_stubs) {
        *out = (uint32_t)g->groups.num - 1;
        return RCH_OK;
    }
    return rch_vec_append(&g->groups, &(struct group){.node = node, .parent = parent}, 1, err);
}

/// Groups for the runs of a level: the largest get their own, at most `room` groups in all.
static enum rch_status take_runs(struct grouping *g, uint32_t room, struct rch_error *err)
{
    uint32_t num = (uint32_t)g->runs.num;
    uint32_t num_own = num <= room ? num : room - (room + 2) / 3;
    uint32_t first_stub = (uint32_t)g->groups.num + num_own;
    for (uint32_t i = 0; i < num; i++) {
        const struct run *run = &RCH_VEC_AT(&g->runs, struct run, i);
        const struct row *rows = &RCH_VEC_AT(&g->rows, struct row, run->first);
        uint32_t at = (uint32_t)g->groups.num;
        if (i < num_own)
            RCH_TRY(rch_vec_append(
                &g->groups, &(struct group){.node = rows->node, .parent = rows->parent}, 1, err));
        else
            RCH_TRY(stub_for(g, first_stub, room - num_own, rows->parent, rows->node, &at, err));
        struct group *group = group_at(g, at);
        group->num_members += run->num;
        group->count += run->count;
        group->num_runs += i >= num_own;
        for (uint32_t k = 0; k < run->num; k++)
            g->group_of[rows[k].node] = at;
    }
    return RCH_OK;
}

/// The boxes of each level are consecutive in the queue only within one start: collect them.
static enum rch_status find_groups(struct grouping *g, struct rch_error *err)
{
    RCH_VEC(boxes, g->picture->nodes.alloc, uint32_t);
    uint32_t max_levels = g->max_groups / 2 < g->num_levels ? g->max_groups / 2 : g->num_levels;
    for (uint32_t level = 0; level < max_levels; level++) {
        boxes.num = 0;
        for (uint32_t i = 0; i < g->num; i++)
            if (g->level[i] == level)
                RCH_TRY(rch_vec_append(&boxes, &i, 1, err));
        RCH_TRY(find_runs(g, boxes.mem, (uint32_t)boxes.num, err));
        uint32_t left = g->max_groups - (uint32_t)g->groups.num;
        RCH_TRY(take_runs(g, left / (max_levels - level), err));
    }
    return RCH_OK;
}

// ---- the new picture -----------------------------------------------------------------------------

static enum rch_status make_node(struct grouping *g, const struct group *group,
                                 struct rch_picture_node *out, struct rch_error *err)
{
    char count[RCH_NUMBER_BYTES], kinds[RCH_NUMBER_BYTES];
    *out = *node_at(g, group->node);
    out->count = group->count;
    if (group->num_members == 1 && !group->num_runs)
        return RCH_OK;
    memset(&out->lines[1], 0, sizeof(out->lines) - sizeof(out->lines[0]));
    out->title = NULL;
    if (!group->num_runs)
        return RCH_OK;
    out->lines[0] = rch_picture_text(g->picture, "%s more", rch_count_text(count, group->count));
    out->lines[1] =
        rch_picture_text(g->picture, "of %s kind%s", rch_count_text(kinds, group->num_runs),
                         group->num_runs == 1 ? "" : "s");
    out->kind = RCH_PICTURE_STUB;
    out->flags = 0;
    out->color = RCH_PICTURE_NO_COLOR;
    out->count = 0;
    return out->lines[0] && out->lines[1] ? RCH_OK : rch_fail(err, RCH_ENOMEM, "a group of boxes");
}

/// Where arrows are many, those between groups of one distance go: they tell least and cross most.
static bool drop_flat_arrows(struct grouping *g)
{
    struct rch_vec *edges = &g->picture->edges;
    size_t num = edges->num, num_kept = 0;
    if (num <= g->groups.num + g->groups.num / 2)
        return false;
    for (size_t i = 0; i < num; i++) {
        struct rch_picture_edge edge = *edge_at(g->picture, i);
        uint32_t from = g->level[group_at(g, edge.from)->node];
        if (edge.from == edge.to || from != g->level[group_at(g, edge.to)->node])
            *edge_at(g->picture, num_kept++) = edge;
    }
    edges->num = num_kept;
    return num_kept < num;
}

static enum rch_status put_groups(struct grouping *g, struct rch_error *err)
{
    RCH_VEC(nodes, g->picture->nodes.alloc, struct rch_picture_node);
    uint32_t num_left_out = 0;
    for (uint32_t i = 0; i < g->num; i++)
        num_left_out += g->group_of[i] == NONE;
    for (uint32_t i = 0; i < g->groups.num; i++) {
        struct rch_picture_node node;
        RCH_TRY(make_node(g, group_at(g, i), &node, err));
        RCH_TRY(rch_vec_append(&nodes, &node, 1, err));
    }
    RCH_TRY(join_all(g->picture, g, err));
    bool has_dropped = drop_flat_arrows(g);
    struct rch_vec swap = g->picture->nodes;
    g->picture->nodes = nodes;
    nodes = swap;
    char count[RCH_NUMBER_BYTES];
    const char *text = rch_picture_text(
        g->picture, "grouped: alike boxes are one, \u00d7 says how many%s%s%s",
        num_left_out ? "; " : "", num_left_out ? rch_count_text(count, num_left_out) : "",
        num_left_out ? " behind those left out are not drawn" : "");
    if (has_dropped)
        RCH_TRY(
            rch_picture_note(g->picture, "arrows between boxes of one distance are left out", err));
    return rch_picture_note(g->picture, text, err);
}

static enum rch_status group_all(struct grouping *g, struct rch_error *err)
{
    list_arrows(g);
    find_levels(g);
    RCH_TRY(find_groups(g, err));
    return put_groups(g, err);
}

enum rch_status rch_picture_group(struct rch_picture *picture, uint32_t max_nodes,
                                  struct rch_error *err)
{
    const struct rch_alloc *alloc = picture->nodes.alloc;
    size_t num = picture->nodes.num;
    if (max_nodes < MIN_NODES)
        max_nodes = MIN_NODES;
    if (num <= max_nodes)
        return join_all(picture, NULL, err);
    RCH_BLOCK(level, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(group_of, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(start, alloc, num + 1, sizeof(uint32_t));
    RCH_BLOCK(queue, alloc, num, sizeof(uint32_t));
    RCH_BLOCK(arrows, alloc, 2 * picture->edges.num, sizeof(uint32_t));
    if (!level.mem || !group_of.mem || !start.mem || !queue.mem || !arrows.mem)
        return rch_fail(err, RCH_ENOMEM, "groups of %zu boxes", num);
    struct grouping g = {.picture = picture,
                         .num = (uint32_t)num,
                         .max_groups = max_nodes < GROUPED_NODES ? max_nodes : GROUPED_NODES,
                         .level = level.mem,
                         .group_of = group_of.mem,
                         .start = start.mem,
                         .arrows = arrows.mem,
                         .queue = queue.mem};
    rch_vec_init(&g.groups, alloc, sizeof(struct group));
    rch_vec_init(&g.rows, alloc, sizeof(struct row));
    rch_vec_init(&g.runs, alloc, sizeof(struct run));
    enum rch_status st = group_all(&g, err);
    rch_vec_deinit(&g.groups);
    rch_vec_deinit(&g.rows);
    rch_vec_deinit(&g.runs);
    return st;
}
