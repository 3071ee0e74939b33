// SPDX-License-Identifier: MIT
// analyze/paths/paths.c -- see paths.h: the question, what is excluded, and the best paths of one object.
// What exclusion drops is found by asking first without it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // qsort_r
#endif
#include "analyze/paths/paths.h"

#include <stdlib.h>

#include "analyze/paths/best_paths.h"
#include "analyze/common/chain.h"
#include "analyze/common/fingerprint.h"
#include "analyze/paths/paths_impl.h"

enum { DEFAULT_PATHS = 10, MAX_TIES = 64 };

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "paths");
}

// --- one object ---

struct way {
    rch_node root;
    uint64_t cost;
    uint32_t first, num;  // of the edges
};

struct ways {
    struct rch_vec rows;   // struct way
    struct rch_vec edges;  // uint32_t
    bool is_all, has_given_up;
};

// The best `max` paths, and those that cost as much as the last: which of these are told depends on
// how they read, not on where their objects lie.
static enum rch_status collect(struct rch_best_paths *b, uint32_t max, struct ways *ways,
                               struct rch_error *err)
{
    RCH_VEC(edges, b->view->alloc, uint32_t);
    for (;;) {
        struct way way = {.first = (uint32_t)ways->edges.num};
        RCH_TRY(rch_best_paths_next(b, &way.root, &way.cost, &edges, err));
        ways->has_given_up = b->has_given_up;
        ways->is_all = way.root == RCH_NO_NODE && !b->has_given_up;
        if (way.root == RCH_NO_NODE)
            return RCH_OK;
        size_t num = ways->rows.num;
        if (num >= max && (num >= (size_t)max + MAX_TIES ||
                           RCH_VEC_AT(&ways->rows, struct way, num - 1).cost < way.cost))
            return RCH_OK;
        way.num = (uint32_t)edges.num;
        RCH_TRY(rch_vec_append(&ways->rows, &way, 1, err));
        RCH_TRY(rch_vec_append(&ways->edges, edges.mem, edges.num, err));
    }
}

static enum rch_status search(struct rch__ways *w, const struct rch_distances *far, rch_node target,
                              struct ways *ways, struct rch_error *err)
{
    const struct rch_paths_options *o = w->options;
    struct rch_best_paths b;
    RCH_TRY(rch_best_paths_init(&b, &w->view, far, target, o->each, o->max_steps, err));
    enum rch_status st = collect(&b, o->max_paths ? o->max_paths : DEFAULT_PATHS, ways, err);
    rch_best_paths_deinit(&b);
    return st;
}

// Live roots first; if none reaches the target, garbage.
static enum rch_status find(struct rch__ways *w, rch_node target, struct ways *ways,
                            bool *is_garbage, struct rch_error *err)
{
    for (int start = RCH_START_LIVE; start <= RCH_START_GARBAGE; start++) {
        __attribute__((cleanup(rch_distances_deinit))) struct rch_distances far = {0};
        RCH_TRY(rch_distances_init(&far, &w->view, (enum rch_start)start, err));
        *is_garbage = start == RCH_START_GARBAGE;
        if (far.cost[target] != RCH_FAR)
            return search(w, &far, target, ways, err);
    }
    *is_garbage = false;
    ways->is_all = true;
    return RCH_OK;
}

static enum rch_status tell(struct rch__ways *w, const struct ways *ways, const struct way *way,
                            struct rch_found_path *path, struct rch_error *err)
{
    struct rch_arena *arena = &w->answer->arena;
    path->penalty = (uint32_t)(way->cost >> 32);
    path->hops = (uint32_t)way->cost;
    RCH_TRY(rch_chain_holder(&w->view, way->root, &RCH_VEC_AT(&ways->edges, uint32_t, way->first),
                             way->num, arena, &path->way, err));
    char *print = rch_arena_take(arena, RCH_FINGERPRINT_BYTES, 1);
    if (!print)
        return no_memory(err);
    rch_fingerprint(path->way.root_kind, path->way.root_name, path->way.hops, path->way.num_hops,
                    print);
    path->way.fingerprint = print;
    return RCH_OK;
}

static int compare_found(const void *a, const void *b)
{
    const struct rch_found_path *x = a, *y = b;
    if (x->penalty != y->penalty)
        return x->penalty < y->penalty ? -1 : 1;
    if (x->hops != y->hops)
        return x->hops < y->hops ? -1 : 1;
    return rch_chain_compare(&x->way, &y->way);
}

static enum rch_status tell_all(struct rch__ways *w, const struct ways *ways, struct rch_error *err)
{
    struct rch_paths *answer = w->answer;
    uint32_t num = (uint32_t)ways->rows.num;
    uint32_t max = w->options->max_paths ? w->options->max_paths : DEFAULT_PATHS;
    struct rch_found_path *paths = rch_arena_take(&answer->arena, num, sizeof(*paths));
    if (!paths)
        return no_memory(err);
    for (uint32_t i = 0; i < num; i++)
        RCH_TRY(tell(w, ways, &RCH_VEC_AT(&ways->rows, struct way, i), &paths[i], err));
    if (num)
        qsort(paths, num, sizeof(*paths), compare_found);
    answer->paths = paths;
    answer->num_paths = num < max ? num : max;
    answer->is_all = ways->is_all && num <= max;
    answer->has_given_up = ways->has_given_up;
    return RCH_OK;
}

static void count_way(struct rch__ways *w, const struct ways *ways, const struct way *way)
{
    const struct rch_graph *g = w->view.g;
    uint32_t rows = rch_filter_root(w->filter, way->root);
    rch_node v = way->root;
    for (uint32_t i = 0; i < way->num; i++) {
        uint32_t e = RCH_VEC_AT(&ways->edges, uint32_t, way->first + i);
        rows |= rch_filter_edge(w->filter, v, e);
        v = g->edges[e];
    }
    rch__count_dropped(w->answer, rows);
}

static void ways_deinit(struct ways *ways)
{
    rch_vec_deinit(&ways->rows);
    rch_vec_deinit(&ways->edges);
}

static void ways_init(struct ways *ways, const struct rch_alloc *alloc)
{
    *ways = (struct ways){.is_all = false};
    rch_vec_init(&ways->rows, alloc, sizeof(struct way));
    rch_vec_init(&ways->edges, alloc, sizeof(uint32_t));
}

static enum rch_status count_without(struct rch__ways *w, rch_node target, struct rch_error *err)
{
    __attribute__((cleanup(ways_deinit))) struct ways ways;
    bool is_garbage;
    uint32_t max = w->options->max_paths ? w->options->max_paths : DEFAULT_PATHS;
    ways_init(&ways, w->view.alloc);
    RCH_TRY(find(w, target, &ways, &is_garbage, err));
    for (size_t i = 0; i < ways.rows.num && i < max; i++)
        count_way(w, &ways, &RCH_VEC_AT(&ways.rows, struct way, i));
    return RCH_OK;
}

enum rch_status rch__best_paths(struct rch__ways *w, rch_node target, struct rch_error *err)
{
    struct rch_paths *answer = w->answer;
    __attribute__((cleanup(ways_deinit))) struct ways ways;
    ways_init(&ways, w->view.alloc);
    if (w->filter) {
        RCH_TRY(count_without(w, target, err));
        RCH_TRY(rch__exclude(w, err));
    }
    RCH_TRY(find(w, target, &ways, &answer->is_garbage, err));
    RCH_TRY(tell_all(w, &ways, err));
    answer->garbage = answer->is_garbage && answer->num_paths;
    answer->reached = answer->num_paths && !answer->is_garbage;
    answer->unheld = !answer->num_paths;
    return RCH_OK;
}

// --- the question ---

void rch__count_dropped(struct rch_paths *answer, uint32_t rows)
{
    answer->dropped += rows != 0;
    for (; rows; rows &= rows - 1)
        answer->excluded[__builtin_ctz(rows)].dropped++;
}

enum rch_status rch__exclude(struct rch__ways *w, struct rch_error *err)
{
    uint64_t counts[RCH_MAX_EXCLUDES] = {0};
    RCH_TRY(rch_filter_apply(w->filter, counts, err));
    for (uint32_t i = 0; i < w->answer->num_excluded; i++)
        w->answer->excluded[i].matched = counts[i];
    w->filter = NULL;
    return RCH_OK;
}

static enum rch_status begin(struct rch_paths *answer, const struct rch_graph *g,
                             const struct rch_question *question, const struct rch_paths_options *o,
                             struct rch_error *err)
{
    answer->question = rch_arena_copy(&answer->arena, question->text, strlen(question->text));
    answer->excluded = rch_arena_take(&answer->arena, o->num_excludes, sizeof(struct rch_excluded));
    if (!answer->question || !answer->excluded)
        return no_memory(err);
    answer->num_excluded = o->num_excludes;
    for (uint32_t i = 0; i < o->num_excludes; i++) {
        const char *pattern = o->excludes[i].pattern;
        answer->excluded[i].pattern = rch_arena_copy(&answer->arena, pattern, strlen(pattern));
        answer->excluded[i].is_root = o->excludes[i].is_root;
        if (!answer->excluded[i].pattern)
            return no_memory(err);
    }
    answer->objects = question->num_members;
    for (uint32_t i = 0; i < question->num_members; i++) {
        if (__builtin_add_overflow(answer->bytes, rch_size_bytes(g, question->members[i]),
                                   &answer->bytes))
            answer->bytes = UINT64_MAX;
    }
    answer->is_partial = g->info.is_partial;
    return RCH_OK;
}

static enum rch_status run(struct rch__ways *w, struct rch_error *err)
{
    const struct rch_paths_options *o = w->options;
    struct rch_filter filter;
    const struct rch_question *q = w->view.question;
    RCH_TRY(rch_view_stage(&w->view, 0, 0, err));
    RCH_TRY(rch_view_postpone(&w->view, err));
    RCH_TRY(rch_filter_init(&filter, &w->view, o->excludes, o->num_excludes, err));
    w->filter = o->num_excludes ? &filter : NULL;
    enum rch_status st = RCH_OK;
    if (q->num_members == 1)
        st = rch__best_paths(w, q->members[0], err);
    else if (q->num_members)
        st = rch__path_tree(w, err);
    rch_filter_deinit(&filter);
    return st;
}

static enum rch_status answer_question(const struct rch_graph *g, const struct rch_reverse *rev,
                                       const struct rch_question *question,
                                       const struct rch_paths_options *options,
                                       const struct rch_alloc *alloc, struct rch_paths *answer,
                                       struct rch_error *err)
{
    struct rch__ways w = {.options = options, .answer = answer};
    struct rch_asking asking = {.progress = options->progress, .phase = "paths"};
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse own = {.alloc = alloc};
    RCH_TRY(begin(answer, g, question, options, err));
    if (!rev) {
        RCH_TRY(rch_reverse_make(&own, g, alloc, options->progress, err));
        rev = &own;
    }
    RCH_TRY(rch_view_init(&w.view, g, rev, question, alloc, err));
    w.view.asking = &asking;
    enum rch_status st = run(&w, err);
    rch_view_deinit(&w.view);
    return st;
}

enum rch_status rch_paths(const struct rch_graph *g, const struct rch_reverse *rev,
                          const struct rch_question *question,
                          const struct rch_paths_options *options, const struct rch_alloc *alloc,
                          struct rch_paths **out, struct rch_error *err)
{
    static const struct rch_paths_options none = {0};
    struct rch_paths *answer = rch_calloc(alloc, 1, sizeof(*answer));
    if (!answer)
        return no_memory(err);
    rch_arena_init(&answer->arena, alloc);
    enum rch_status st =
        answer_question(g, rev, question, options ? options : &none, alloc, answer, err);
    if (st == RCH_OK)
        *out = answer;
    else
        rch_paths_free(answer);
    return st;
}

void rch_paths_free(struct rch_paths *paths)
{
    if (!paths)
        return;
    const struct rch_alloc *alloc = paths->arena.alloc;
    rch_arena_deinit(&paths->arena);
    rch_free(alloc, paths, 1, sizeof(*paths));
}
