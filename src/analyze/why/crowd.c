// SPDX-License-Identifier: MIT
// analyze/why/crowd.c -- when no few references hold the question: group its members by the preferred
// path from the roots, and tell of the biggest groups. The same for members held by what cannot be
// cut, and for garbage, which nothing holds but itself.
#include <stdlib.h>

#include "analyze/why/solve.h"

#define CLASS(t, i) (&RCH_VEC_AT(&(t)->classes, struct rch_trail_class, i))
#define NODE(t, i) (&RCH_VEC_AT(&(t)->nodes, struct rch_trail_node, i))
#define IN(t, i) (&RCH_VEC_AT(&(t)->ins, struct rch_trail_in, i))

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static enum rch_status step_back(struct rch_trails *t, struct rch_vec *work, uint32_t index,
                                 struct rch_error *err)
{
    if (NODE(t, index)->stamp == t->stamp)
        return RCH_OK;
    NODE(t, index)->stamp = t->stamp;
    return rch_vec_append(work, &index, 1, err);
}

// Cut every path of the group at its last reference that can be cut.
static enum rch_status cut_group(struct rch_solver *s, struct rch_trails *t, uint32_t number,
                                 const struct rch_trail_group *group, const uint32_t *members,
                                 uint32_t *cut_from, uint32_t *cut_edge, struct rch_error *err)
{
    RCH_VEC(work, s->view.alloc, uint32_t);
    RCH_VEC(entries, s->view.alloc, uint32_t);
    rch_node only = RCH_NO_NODE;
    bool is_one_group = true;
    *cut_from = UINT32_MAX;
    t->stamp++;
    for (uint32_t i = 0; i < group->num; i++)
        RCH_TRY(step_back(t, &work, members[group->first + i], err));
    for (size_t i = 0; i < work.num; i++) {
        uint32_t in = NODE(t, RCH_VEC_AT(&work, uint32_t, i))->ins;
        if (!rch_goes_on(s->view.asking, 8))
            return rch_view_check(&s->view, err);
        for (; in; in = IN(t, in - 1)->next) {
            const struct rch_trail_in ref = *IN(t, in - 1);
            rch_node v = NODE(t, ref.from)->node;
            enum rch_arc arc = rch_arc_of(&s->view, v, ref.edge);
            if (arc == RCH_ARC_FIXED) {
                RCH_TRY(step_back(t, &work, ref.from, err));
                continue;
            }
            is_one_group &= arc == RCH_ARC_GROUP && (only == RCH_NO_NODE || only == v);
            only = v;
            RCH_TRY(rch_cut_entry(s, v, ref.edge, number, &entries, err));
            if (*cut_from == UINT32_MAX || CLASS(t, NODE(t, ref.from)->cls)->depth >
                                               CLASS(t, NODE(t, *cut_from)->cls)->depth) {
                *cut_from = ref.from;
                *cut_edge = ref.edge;
            }
        }
    }
    uint32_t num = 0, *firsts = entries.mem;
    if (entries.num)
        qsort(firsts, entries.num, sizeof(*firsts), compare_u32);
    for (size_t i = 0; i < entries.num; i++)
        num += i == 0 || firsts[i] != firsts[i - 1];
    RCH_DRAFT(s, number)->holder.num_cut_refs = num;
    RCH_DRAFT(s, number)->holder.cut_is_group = is_one_group && num > 1;
    return RCH_OK;
}

static enum rch_status tell_group(struct rch_solver *s, enum rch_crowd crowd, struct rch_trails *t,
                                  const struct rch_trail_group *group, const uint32_t *members,
                                  struct rch_error *err)
{
    uint32_t number, cut_from = UINT32_MAX, cut_edge = 0;
    RCH_TRY(rch_draft_add(s, &number, err));
    RCH_DRAFT(s, number)->holder.holds = group->num;
    if (crowd == RCH_CROWD_DIFFUSE)
        RCH_TRY(cut_group(s, t, number, group, members, &cut_from, &cut_edge, err));
    return rch_draft_fill(s, RCH_DRAFT(s, number), t, group, 1, members, cut_from, cut_edge, err);
}

static bool is_start(const struct rch_solver *s, enum rch_crowd crowd, const uint64_t *region,
                     rch_node root)
{
    if (!rch_bit(region, root))
        return false;
    return crowd == RCH_CROWD_GARBAGE ? !rch_is_live_root(&s->view, root)
                                      : rch_is_live_root(&s->view, root);
}

static enum rch_status run(struct rch_solver *s, enum rch_crowd crowd, struct rch_trails *t,
                           struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    uint32_t index;
    t->fixed_only = crowd == RCH_CROWD_FIXED;
    for (rch_node root = g->num_objects; root < g->num_nodes; root++) {
        if (!is_start(s, crowd, t->region, root))
            continue;
        RCH_TRY(rch_trails_root(t, root, &index, err));
        RCH_TRY(rch_trails_expand(t, index, err));
    }
    RCH_TRY(rch_trails_run(t, err));
    RCH_VEC(groups, s->view.alloc, struct rch_trail_group);
    RCH_VEC(members, s->view.alloc, uint32_t);
    RCH_TRY(rch_trails_groups(t, &groups, &members, err));
    uint32_t num = (uint32_t)groups.num > s->max_holders ? s->max_holders : (uint32_t)groups.num;
    for (uint32_t i = 0; i < num; i++)
        RCH_TRY(tell_group(s, crowd, t, &RCH_VEC_AT(&groups, struct rch_trail_group, i),
                           members.mem, err));
    s->answer->num_more_holders = (uint32_t)groups.num - num;
    return RCH_OK;
}

// Nodes that lead to an end, not through one.
static void find_region(struct rch_solver *s, const uint64_t *ends, const uint64_t *within,
                        uint64_t *region)
{
    const struct rch_question *q = s->view.question;
    uint32_t num = s->view.g->num_nodes, tail = 0;
    rch_bits_copy(region, s->view.removed.mem, num);
    for (uint32_t i = 0; i < q->num_members; i++) {
        if (rch_bit(ends, q->members[i]) && rch_bit_add(region, q->members[i]))
            s->queue[tail++] = q->members[i];
    }
    rch_sweep_back(&s->view, ends, region, s->queue, tail);
    rch_bits_minus(region, s->view.removed.mem, num);
    for (size_t i = 0; within && i < rch_bits_words(num); i++)
        region[i] &= within[i];
}

enum rch_status rch_tell_crowd(struct rch_solver *s, enum rch_crowd crowd, const uint64_t *ends,
                               const uint64_t *within, struct rch_error *err)
{
    RCH_BITS(region, s->view.alloc, s->view.g->num_nodes);
    if (!region.mem)
        return rch_fail(err, RCH_ENOMEM, "paths in a graph of %" PRIu32 " nodes",
                        s->view.g->num_nodes);
    find_region(s, ends, within, region.mem);
    RCH_TRY(rch_view_check(&s->view, err));
    struct rch_trails trails;
    enum rch_status st = rch_trails_init(&trails, &s->view, region.mem, ends, s->slot, err);
    if (st == RCH_OK)
        st = run(s, crowd, &trails, err);
    rch_trails_deinit(&trails);
    return st;
}
