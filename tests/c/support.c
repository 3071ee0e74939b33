// SPDX-License-Identifier: MIT
// tests/c/support.c -- the tracking allocator and the asserts; the graph language is in
// graph_text.c.
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracked_piece {
    char *mem;
    size_t num_bytes;
};

static size_t find_piece(const struct tracked_alloc *t, const void *mem)
{
    for (size_t i = t->num_live; i-- > 0;) {
        if (t->live[i].mem == mem)
            return i;
    }
    fail_msg("%p is freed or resized, but not live", mem);
    return 0;
}

static void drop_piece(struct tracked_alloc *t, size_t i)
{
    free(t->live[i].mem);
    t->live_bytes -= t->live[i].num_bytes;
    t->live[i] = t->live[--t->num_live];
}

static void add_piece(struct tracked_alloc *t, char *mem, size_t num_bytes)
{
    if (t->num_live == t->cap_live) {
        t->cap_live = t->cap_live * 2 + 64;
        t->live = realloc(t->live, t->cap_live * sizeof(*t->live));
        assert_non_null(t->live);
    }
    t->live[t->num_live++] = (struct tracked_piece){mem, num_bytes};
    t->live_bytes += num_bytes;
    if (t->live_bytes > t->peak_bytes)
        t->peak_bytes = t->live_bytes;
}

// Always moves, so that a pointer kept across a resize is caught.
static void *tracked_resize(void *ctx, void *mem, size_t old_bytes, size_t new_bytes)
{
    struct tracked_alloc *t = ctx;
    size_t old = mem ? find_piece(t, mem) : 0;
    if (mem && t->live[old].num_bytes != old_bytes)
        fail_msg("a piece of %zu bytes is said to have %zu", t->live[old].num_bytes, old_bytes);
    if (new_bytes == 0) {
        if (mem)
            drop_piece(t, old);
        return NULL;
    }
    if (++t->num_requests == t->fail_at) {
        t->has_failed = true;
        return NULL;
    }
    char *fresh = malloc(new_bytes);
    if (!fresh)
        return NULL;
    memset(fresh, 0xA5, new_bytes);
    if (mem) {
        memcpy(fresh, mem, old_bytes < new_bytes ? old_bytes : new_bytes);
        drop_piece(t, old);
    }
    add_piece(t, fresh, new_bytes);
    return fresh;
}

void tracked_alloc_init(struct tracked_alloc *tracked, uint64_t fail_at)
{
    *tracked = (struct tracked_alloc){.alloc = {tracked_resize, tracked}, .fail_at = fail_at};
}

void tracked_alloc_finish(struct tracked_alloc *tracked)
{
    if (tracked->num_live)
        fail_msg("leak of %zu pieces, %" PRIu64 " bytes, with request %" PRIu64 " failing",
                 tracked->num_live, tracked->live_bytes, tracked->fail_at);
    free(tracked->live);
    tracked->live = NULL;
    tracked->cap_live = 0;
}

bool failing_rounds_next(struct failing_rounds *rounds)
{
    if (rounds->round > 0) {
        tracked_alloc_finish(&rounds->tracked);
        if (!rounds->tracked.has_failed)
            return false;
    }
    tracked_alloc_init(&rounds->tracked, ++rounds->round);
    return true;
}

bool ok_or_enomem_at(enum rch_status st, const char *expr, const char *file, int line)
{
    if (st != RCH_OK && st != RCH_ENOMEM) {
        print_error("%s:%d: %s: %s\n", file, line, expr, rch_status_words(st));
        _fail(file, line);
    }
    return st == RCH_OK;
}

void assert_status_at(enum rch_status st, enum rch_status want, const struct rch_error *err,
                      const char *expr, const char *file, int line)
{
    if (st == want)
        return;
    print_error("%s:%d: %s: \"%s\" instead of \"%s\"%s%s\n", file, line, expr, rch_status_words(st),
                rch_status_words(want), st != RCH_OK && err ? ": " : "",
                st != RCH_OK && err ? err->message : "");
    _fail(file, line);
}

uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void assert_same_column(const char *name, const void *a, const void *b, uint64_t num_a,
                               uint64_t num_b, size_t elem_bytes)
{
    if (num_a != num_b)
        fail_msg("%s: %" PRIu64 " rows and %" PRIu64, name, num_a, num_b);
    for (uint64_t i = 0; i < num_a; i++) {
        if (memcmp((const char *)a + i * elem_bytes, (const char *)b + i * elem_bytes, elem_bytes))
            fail_msg("%s: row %" PRIu64 " is not the same", name, i);
    }
}
#define SAME(column, num_a, num_b)                                                    \
    assert_same_column(#column, a->column, b->column, (num_a), (num_b), sizeof(*a->column))

void assert_same_graph(const struct rch_graph *a, const struct rch_graph *b)
{
    assert_int_equal(a->num_tracked, b->num_tracked);
    assert_int_equal(a->num_objects, b->num_objects);
    SAME(edge_start, a->num_nodes + 1ULL, b->num_nodes + 1ULL);
    SAME(edges, a->num_edges, b->num_edges);
    SAME(shape_of, a->num_nodes, b->num_nodes);
    SAME(size16, a->num_nodes, b->num_nodes);
    SAME(addr8, a->num_objects, b->num_objects);
    SAME(big_sizes, a->num_big_sizes, b->num_big_sizes);
    SAME(addr_runs, a->num_addr_runs, b->num_addr_runs);
    SAME(shapes, a->num_shapes, b->num_shapes);
    SAME(labels, a->num_labels, b->num_labels);
    SAME(types, a->num_types, b->num_types);
    SAME(roots, a->num_roots, b->num_roots);
    SAME(observers, a->num_observers, b->num_observers);
    SAME(texts, a->num_texts, b->num_texts);
    SAME(threads, a->num_threads, b->num_threads);
    SAME(stack_frames, a->num_stack_frames, b->num_stack_frames);
    SAME(fds, a->num_fds, b->num_fds);
    SAME(fd_owners, a->num_fd_owners, b->num_fd_owners);
    SAME(str_start, a->num_strs + 1ULL, b->num_strs + 1ULL);
    SAME(str_bytes, a->num_str_bytes, b->num_str_bytes);
    SAME(warnings, a->num_warnings, b->num_warnings);
    assert_memory_equal(&a->info, &b->info, sizeof(a->info));
}
