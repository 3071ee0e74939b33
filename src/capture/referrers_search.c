// SPDX-License-Identifier: MIT
// capture/referrers_search.c -- breadth first through what referrers.c has turned around.
#include "capture/referrers_impl.h"

rch_node rch_referrers_node(const struct rch_referrers *r, rch_addr addr)
{
    const struct rch_index *index = &r->cap->index;
    uint32_t code = addr & 7 ? RCH_NO_CODE : rch_known_code(index, addr);
    if (code == RCH_NO_CODE)
        return RCH_NO_NODE;
    if (!(rch_cell_of(index, code)->seen >> (code & 63) & 1) || rch_code_addr(index, code) != addr)
        return RCH_NO_NODE;
    return rch_rank_of(index, code);
}

rch_addr rch_referrers_addr(const struct rch_referrers *r, rch_node node)
{
    if (node >= r->num_objects)
        return 0;
    return rch_code_addr(&r->cap->index, RCH_COLUMN_AT(&r->code_of, uint32_t, node));
}

void rch_referrers_frame(const struct rch_referrers *r, rch_node node, uint64_t *thread_out,
                         uint32_t *nth_out)
{
    uint32_t root = RCH_VEC_AT(&r->roots, uint32_t, node - r->num_objects);
    *thread_out = 0;
    *nth_out = 0;
    for (size_t t = 0; t < r->cap->threads.num; t++) {
        const struct rch__thread *thread = &RCH_VEC_AT(&r->cap->threads, struct rch__thread, t);
        for (uint32_t i = 0; i < thread->row.num_frames; i++)
            if (RCH_VEC_AT(&r->cap->frames, struct rch_stack_frame, thread->row.first_frame + i)
                    .root == root) {
                *thread_out = thread->ident;
                *nth_out = i;
            }
    }
}

uint32_t rch_referrers_num_nodes(const struct rch_referrers *r)
{
    return r->num_nodes;
}

void rch_back_result_init(struct rch_back_result *result, const struct rch_alloc *alloc)
{
    *result = (struct rch_back_result){.goal = SIZE_MAX};
    rch_vec_init(&result->nodes, alloc, sizeof(rch_node));
    rch_vec_init(&result->parents, alloc, sizeof(uint32_t));
    rch_vec_init(&result->rows, alloc, sizeof(uint32_t));
}

void rch_back_result_deinit(struct rch_back_result *result)
{
    rch_vec_deinit(&result->nodes);
    rch_vec_deinit(&result->parents);
    rch_vec_deinit(&result->rows);
}

struct front {  // of a search
    struct rch_referrers *r;
    const struct rch_back_search *search;
    struct rch_back_result *result;
    uint32_t *position;
    struct rch_error *err;
};

#define IGNORED UINT32_MAX

static bool is_moved(const struct rch_referrers *r, rch_node source, rch_node target,
                     uint32_t num_times)
{
    uint32_t num_moved = 0;
    for (size_t i = 0; i < r->moved.num; i++) {
        struct rch__moved_edge edge = RCH_VEC_AT(&r->moved, struct rch__moved_edge, i);
        num_moved += edge.dict == source && edge.value == target;
    }
    return num_moved >= num_times;
}

static enum rch_status add_node(struct front *front, rch_node node, uint32_t parent)
{
    struct rch_back_result *result = front->result;
    front->position[node] = (uint32_t)result->nodes.num + 1;
    RCH_TRY(rch_vec_append(&result->nodes, &node, 1, front->err));
    return rch_vec_append(&result->parents, &parent, 1, front->err);
}

// What refers to the node at this position of the result.
static enum rch_status expand(struct front *front, uint32_t at)
{
    const struct rch_referrers *r = front->r;
    struct rch_back_result *result = front->result;
    rch_node target = RCH_VEC_AT(&result->nodes, rch_node, at);
    size_t row = result->rows.num;
    uint32_t num = 0, zero = 0;
    if (front->search->wants_rows)
        RCH_TRY(rch_vec_append(&result->rows, &zero, 1, front->err));
    if (target >= r->num_objects)
        return RCH_OK;
    const uint32_t *source = r->source.mem;
    uint32_t end = RCH_COLUMN_AT(&r->start, uint32_t, target + 1);
    for (uint32_t e = RCH_COLUMN_AT(&r->start, uint32_t, target); e < end;) {
        uint32_t first = e++;
        while (e < end && source[e] == source[first])  // it refers to it more than once
            e++;
        rch_node node = source[first];
        if (front->position[node] == IGNORED ||
            (r->moved.num && is_moved(r, node, target, e - first)))
            continue;
        if (!front->position[node])
            RCH_TRY(add_node(front, node, at));
        uint32_t place = front->position[node] - 1;
        num++;
        if (front->search->wants_rows)
            RCH_TRY(rch_vec_append(&result->rows, &place, 1, front->err));
    }
    if (front->search->wants_rows)
        RCH_VEC_AT(&result->rows, uint32_t, row) = num;
    return RCH_OK;
}

static enum rch_status run(struct front *front)
{
    const struct rch_back_search *search = front->search;
    struct rch_back_result *result = front->result;
    size_t level_end = result->nodes.num;
    uint32_t depth = 0;
    for (uint32_t at = 0; at < result->nodes.num; at++) {
        if (at == level_end) {
            depth++;
            level_end = result->nodes.num;
        }
        if (search->is_goal && search->is_goal[RCH_VEC_AT(&result->nodes, rch_node, at)]) {
            result->goal = at;
            return RCH_OK;
        }
        if (depth >= search->max_depth || result->nodes.num >= search->max_nodes) {
            result->is_cut_by_depth |= depth >= search->max_depth;
            result->is_cut_by_number |= result->nodes.num >= search->max_nodes;
            if (search->is_goal)
                continue;
            return RCH_OK;
        }
        RCH_TRY(expand(front, at));
        result->num_expanded = at + 1;
    }
    return RCH_OK;
}

static enum rch_status begin(struct front *front)
{
    const struct rch_referrers *r = front->r;
    for (size_t i = 0; i < r->hidden.num; i++)
        front->position[RCH_VEC_AT(&r->hidden, rch_node, i)] = IGNORED;
    for (size_t i = 0; i < front->search->num_ignored; i++)
        front->position[front->search->ignored[i]] = IGNORED;
    for (size_t i = 0; i < front->search->num_starts; i++) {
        rch_node start = front->search->starts[i];
        if (front->position[start] == 0 || front->position[start] == IGNORED)
            RCH_TRY(add_node(front, start, (uint32_t)front->result->nodes.num));
    }
    return RCH_OK;
}

enum rch_status rch_referrers_search(struct rch_referrers *r, const struct rch_back_search *search,
                                     struct rch_back_result *result, struct rch_error *err)
{
    struct front front = {
        .r = r, .search = search, .result = result, .position = r->position.mem, .err = err};
    enum rch_status st = begin(&front);
    if (st == RCH_OK)
        st = run(&front);
    for (size_t i = 0; i < result->nodes.num; i++)
        front.position[RCH_VEC_AT(&result->nodes, rch_node, i)] = 0;
    for (size_t i = 0; i < r->hidden.num; i++)
        front.position[RCH_VEC_AT(&r->hidden, rch_node, i)] = 0;
    for (size_t i = 0; i < search->num_ignored; i++)
        front.position[search->ignored[i]] = 0;
    return st;
}
