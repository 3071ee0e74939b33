// SPDX-License-Identifier: MIT
// analyze/why/cutset.c -- the usual answer: few references, each cut on its own. Each gets the path
// that
// names it: the preferred one from a root to the cut, then the shortest on to the question.
#include "analyze/common/path.h"
#include "analyze/why/solve.h"

// Does cutting `element` take this reference away?
static bool is_of_element(struct rch_solver *s, const struct rch_cut_element *element, uint32_t e)
{
    const struct rch_graph *g = s->view.g;
    if (element->edge != UINT32_MAX)
        return e == element->edge;
    return g->edges[e] != RCH_NO_NODE && rch_bit(s->side, g->edges[e]) &&
           rch_arc_of(&s->view, element->node, e) == RCH_ARC_GROUP;
}

static uint32_t count_distinct(const struct rch_vec *entries)
{
    uint32_t num = 0;  // in order of edges, so equal ones are neighbours
    for (size_t i = 0; i < entries->num; i++) {
        num += i == 0 || RCH_VEC_AT(entries, uint32_t, i) != RCH_VEC_AT(entries, uint32_t, i - 1);
    }
    return num;
}

static enum rch_status draft_element(struct rch_solver *s, const struct rch_cut_element *element,
                                     struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    uint32_t number;
    RCH_VEC(entries, s->view.alloc, uint32_t);
    RCH_TRY(rch_draft_add(s, &number, err));
    for (uint32_t e = g->edge_start[element->node]; e < g->edge_start[element->node + 1]; e++) {
        if (is_of_element(s, element, e))
            RCH_TRY(rch_cut_entry(s, element->node, e, number, &entries, err));
    }
    struct rch_draft *draft = RCH_DRAFT(s, number);
    draft->element = *element;
    draft->holder.num_cut_refs = count_distinct(&entries);
    draft->holder.cut_is_group = element->edge == UINT32_MAX && draft->holder.num_cut_refs > 1;
    return RCH_OK;
}

enum rch_status rch_find_cut(struct rch_solver *s, bool *is_over, struct rch_error *err)
{
    RCH_VEC(elements, s->view.alloc, struct rch_cut_element);
    RCH_TRY(rch_min_cut(&s->view, s->sinks, s->max_holders, s->queue, s->slot, &elements, s->side,
                        is_over, err));
    memset(s->slot, 0, s->view.g->num_nodes * sizeof(*s->slot));
    for (size_t i = 0; !*is_over && i < elements.num; i++)
        RCH_TRY(draft_element(s, &RCH_VEC_AT(&elements, struct rch_cut_element, i), err));
    return RCH_OK;
}

// Root to cut, then everything from the cut references on.
static enum rch_status run_trails(struct rch_solver *s, struct rch_trails *t,
                                  const struct rch_draft *draft, const struct rch_vec *prefix,
                                  uint32_t *cut_from, uint32_t *cut_edge, struct rch_error *err)
{
    const struct rch_graph *g = s->view.g;
    rch_node v = draft->element.node;
    RCH_TRY(rch_trails_root(t, draft->root, cut_from, err));
    for (size_t i = 0; i < prefix->num; i++)
        RCH_TRY(rch_trails_follow(t, *cut_from, RCH_VEC_AT(prefix, uint32_t, i), cut_from, err));
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
        if (!is_of_element(s, &draft->element, e))
            continue;
        *cut_edge = e;
        RCH_TRY(rch_trails_offer(t, *cut_from, e, err));
    }
    return rch_trails_run(t, err);
}

static enum rch_status name_draft(struct rch_solver *s, struct rch_draft *draft,
                                  struct rch_error *err)
{
    RCH_VEC(prefix, s->view.alloc, uint32_t);
    RCH_VEC(groups, s->view.alloc, struct rch_trail_group);
    RCH_VEC(members, s->view.alloc, uint32_t);
    RCH_TRY(rch_best_path(&s->view, s->whatif.base, draft->element.node, s->slot, &draft->root,
                          &prefix, err));
    uint32_t cut_from = 0, cut_edge = 0;
    struct rch_trails trails;
    enum rch_status st = rch_trails_init(&trails, &s->view, s->side, s->sinks, s->slot, err);
    if (st == RCH_OK)
        st = run_trails(s, &trails, draft, &prefix, &cut_from, &cut_edge, err);
    if (st == RCH_OK)
        st = rch_trails_groups(&trails, &groups, &members, err);
    if (st == RCH_OK)
        st = rch_draft_fill(s, draft, &trails, groups.mem, (uint32_t)groups.num, members.mem,
                            cut_from, cut_edge, err);
    rch_trails_deinit(&trails);
    return st;
}

enum rch_status rch_name_cut(struct rch_solver *s, struct rch_error *err)
{
    for (size_t i = 0; i < s->drafts.num; i++)
        RCH_TRY(name_draft(s, RCH_DRAFT(s, i), err));
    return RCH_OK;
}
