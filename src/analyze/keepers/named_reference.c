// SPDX-License-Identifier: MIT
// analyze/keepers/named_reference.c -- which roots a text may begin with. The names of roots have dots and spaces of
// their own, so it is them that are looked for in the text, not the other way round.
#include "analyze/keepers/named_reference.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/keepers/named_impl.h"
#include "analyze/keepers/named_path.h"

enum { MAX_CANDIDATES = 4096 };

struct candidate {
    rch_node root;
    size_t num_bytes;  // of the text: its name
    bool is_whole;     // not just the last parts of the name
};

struct finder {
    struct rch_view *view;
    struct rch_reference_list *list;
    struct rch__walker walker;
    const char *text;                  // without the words below
    const char *detail;                // in brackets at the end, or NULL
    const char *function;              // "in read()" at the end, or NULL
    struct rch_vec candidates, found;  // struct candidate, struct rch_named_reference
    struct rch_near_list near;
    const char *best;  // how far the text leads
};

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "the name of a reference");
}

// --- the end of the text ---

// "... (worker.py:12, thread Thread-1)": if that is the detail of a root.
static enum rch_status split_detail(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    size_t num = strlen(f->text);
    for (uint32_t r = 0; num && f->text[num - 1] == ')' && r < g->num_roots && !f->detail; r++) {
        const char *detail = rch_str_get(g, g->roots[r].detail);
        size_t num_detail = strlen(detail);
        if (!num_detail || num < num_detail + 3)
            continue;
        const char *at = f->text + num - num_detail - 3;
        if (strncmp(at, " (", 2) == 0 && strncmp(at + 2, detail, num_detail) == 0) {
            f->text = rch_arena_copy(&f->list->arena, f->text, (size_t)(at - f->text));
            f->detail = detail;
        }
    }
    return f->text ? RCH_OK : no_memory(err);
}

// "local conn.sock in read()"
static enum rch_status split_function(struct finder *f, struct rch_error *err)
{
    size_t num = strlen(f->text);
    if (strncmp(f->text, "local ", 6) != 0 || num < 8 || strcmp(f->text + num - 2, "()") != 0)
        return RCH_OK;
    const char *last = NULL;
    for (const char *at = strstr(f->text, " in "); at; at = strstr(at + 1, " in "))
        last = at;
    if (!last)
        return RCH_OK;
    f->function = rch_arena_copy(&f->list->arena, last + 4, num - (size_t)(last - f->text) - 6);
    f->text = rch_arena_copy(&f->list->arena, f->text, (size_t)(last - f->text));
    return f->function && f->text ? RCH_OK : no_memory(err);
}

// --- roots whose names the text begins with ---

const char *rch_root_words(enum rch_root_kind kind)
{
    static const char *const words[RCH_NUM_ROOT_KINDS] = {
        [RCH_ROOT_MODULE] = "module ",
        [RCH_ROOT_FRAME] = "frame ",
        [RCH_ROOT_THREAD] = "thread ",
        [RCH_ROOT_COROUTINE] = "coroutine ",
        [RCH_ROOT_INTERPRETER] = "interpreter: ",
        [RCH_ROOT_STATIC_TYPE] = "static type ",
        [RCH_ROOT_C_HELD] = "held from C: ",
        [RCH_ROOT_GARBAGE] = "garbage: ",
    };
    return (unsigned)kind < RCH_NUM_ROOT_KINDS ? words[kind] : "root ";
}

// How many bytes of the text are this name, with brackets behind it or not; 0: it does not begin so.
static size_t match_name(const char *text, const char *name)
{
    size_t num = strlen(name);
    if (!num || strncmp(text, name, num) != 0)
        return 0;
    if (strncmp(text + num, "()", 2) == 0)
        num += 2;
    return strchr(".[< ", text[num]) ? num : 0;  // also at the end
}

static bool match_root(const struct finder *f, const struct rch_root *root, struct candidate *out)
{
    const struct rch_graph *g = f->view->g;
    const char *name = rch_str_get(g, root->name),
               *words = rch_root_words((enum rch_root_kind)root->kind);
    if (f->detail && strcmp(f->detail, rch_str_get(g, root->detail)) != 0)
        return false;
    out->is_whole = true;
    out->num_bytes = 0;
    if (strncmp(f->text, "local ", 6) == 0)
        return root->kind == RCH_ROOT_FRAME && (!f->function || strcmp(f->function, name) == 0);
    if (strncmp(f->text, words, strlen(words)) == 0)
        out->num_bytes = match_name(f->text + strlen(words), name);
    if (out->num_bytes)
        out->num_bytes += strlen(words);
    if (out->num_bytes || root->kind != RCH_ROOT_MODULE)
        return out->num_bytes != 0;
    for (; name && !out->num_bytes; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        out->num_bytes = match_name(f->text, name);
        out->is_whole = name == rch_str_get(g, root->name);
    }
    return out->num_bytes != 0;
}

// The longest whole name first, then last parts of names.
static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->is_whole != y->is_whole)
        return x->is_whole ? -1 : 1;
    if (x->num_bytes != y->num_bytes)
        return x->num_bytes > y->num_bytes ? -1 : 1;
    return (x->root > y->root) - (x->root < y->root);
}

static enum rch_status find_candidates(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    for (uint32_t r = 0; r < g->num_roots && f->candidates.num < MAX_CANDIDATES; r++) {
        struct candidate c = {.root = g->num_objects + r};
        if (g->roots[r].kind < RCH_NUM_ROOT_KINDS && match_root(f, &g->roots[r], &c))
            RCH_TRY(rch_vec_append(&f->candidates, &c, 1, err));
    }
    if (f->candidates.num)
        qsort(f->candidates.mem, f->candidates.num, sizeof(struct candidate), compare_candidates);
    return RCH_OK;
}

// --- attempts ---

// What would have been near, for the attempt that came farthest.
static enum rch_status note_failure(struct finder *f, const struct rch_vec *steps,
                                    uint32_t num_done, struct rch_error *err)
{
    const struct rch__step *step = &RCH_VEC_AT(steps, struct rch__step, num_done);
    if (f->best && step->text < f->best)
        return RCH_OK;
    if (!f->best || step->text > f->best)
        f->near.num = 0;
    f->best = step->text;
    size_t num = (size_t)(step->text - f->text);
    while (num && f->text[num - 1] == ' ')
        num--;
    const char *prefix = rch_arena_copy(&f->list->arena, f->text, num);
    return prefix ? rch__near_steps(&f->walker, step, prefix, &f->near, err) : no_memory(err);
}

static enum rch_status attempt(struct finder *f, rch_node start, const char *rest,
                               const struct rch_holder *before, struct rch_error *err)
{
    struct rch_named_reference out;
    bool is_found;
    uint32_t num_done;
    RCH_VEC(steps, f->view->alloc, struct rch__step);
    RCH_TRY(rch__parse_steps(rest, &f->list->arena, &steps, err));
    RCH_TRY(rch__walk_steps(&f->walker, start, &steps, before, &out, &is_found, &num_done, err));
    if (is_found)
        return rch_vec_append(&f->found, &out, 1, err);
    return num_done < steps.num ? note_failure(f, &steps, num_done, err) : RCH_OK;
}

static enum rch_status attempt_roots(struct finder *f, struct rch_error *err)
{
    for (size_t i = 0; i < f->candidates.num; i++) {
        const struct candidate c = RCH_VEC_AT(&f->candidates, struct candidate, i);
        const struct candidate *last =
            i ? &RCH_VEC_AT(&f->candidates, struct candidate, i - 1) : NULL;
        if (f->found.num &&
            (c.is_whole != last->is_whole || (c.is_whole && c.num_bytes != last->num_bytes)))
            break;  // a longer name, or a whole one, has been found to be meant
        struct rch_holder place = {0};
        RCH_TRY(rch_name_root(f->view->g, c.root - f->view->g->num_objects, &f->list->arena, &place,
                              err));
        RCH_TRY(attempt(f, c.root, f->text + c.num_bytes, &place, err));
    }
    return RCH_OK;
}

// --- addresses ---

static enum rch_status all_references_to(struct finder *f, rch_node v,
                                         const struct rch_holder *place, struct rch_error *err)
{
    const struct rch_reverse *rev = f->view->rev;
    struct rch_named_reference out = {.place = *place, .is_object = true};
    f->walker.hits.num = 0;
    for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++)
        RCH_TRY(rch_vec_append(&f->walker.hits, &rev->edge[i], 1, err));
    RCH_TRY(rch__take_edges(&f->walker, &out, err));
    out.place.num_cut_refs = out.num_edges;
    out.place.is_cuttable = true;
    return rch_vec_append(&f->found, &out, 1, err);
}

static enum rch_status find_address(struct finder *f, struct rch_error *err)
{
    char *end;
    errno = 0;
    rch_addr addr = strtoull(f->text, &end, 16);
    rch_node node = errno ? RCH_NO_NODE : rch_node_at(f->view->g, addr);
    if (node == RCH_NO_NODE || end == f->text + 2)
        return rch_fail(err, RCH_ENOTFOUND, "no object is at address %.40s", f->text);
    struct rch_holder place = {0};
    RCH_TRY(rch_name_objects(f->view, &node, 1, &f->list->arena, &place, err));
    if (!place.fingerprint)
        return rch_fail(err, RCH_ENOTFOUND, "nothing but the asker holds the object at 0x%" PRIx64,
                        addr);
    if (!*end)
        return all_references_to(f, node, &place, err);
    return attempt(f, node, end, &place, err);
}

// --- what was found ---

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static bool is_same_root(const struct rch_holder *a, const struct rch_holder *b)
{
    return a->root_kind == b->root_kind && compare_text(a->root_name, b->root_name) == 0 &&
           compare_text(a->root_detail, b->root_detail) == 0;
}

// Roots that read the same cannot be told apart: their references are one answer.
static enum rch_status join(struct finder *f, struct rch_named_reference *into,
                            const struct rch_named_reference *more, struct rch_error *err)
{
    f->walker.hits.num = 0;
    RCH_TRY(rch_vec_append(&f->walker.hits, into->edges, into->num_edges, err));
    RCH_TRY(rch_vec_append(&f->walker.hits, more->edges, more->num_edges, err));
    into->place.num_cut_refs += more->place.num_cut_refs;
    return rch__take_edges(&f->walker, into, err);
}

static enum rch_status take_found(struct finder *f, struct rch_error *err)
{
    struct rch_reference_list *list = f->list;
    list->found = rch_arena_take(&list->arena, f->found.num, sizeof(*list->found));
    if (!list->found)
        return no_memory(err);
    for (size_t i = 0; i < f->found.num; i++) {
        const struct rch_named_reference *row =
            &RCH_VEC_AT(&f->found, struct rch_named_reference, i);
        uint32_t k = 0;
        while (k < list->num_found && !is_same_root(&list->found[k].place, &row->place))
            k++;
        if (k < list->num_found)
            RCH_TRY(join(f, &list->found[k], row, err));
        else
            list->found[list->num_found++] = *row;
    }
    return RCH_OK;
}

// How many bytes of `text` its first `num` dotted parts are.
static size_t first_parts(const char *text, uint32_t num)
{
    size_t bytes = strcspn(text, ".[< ");
    for (; num > 1 && text[bytes] == '.'; num--)
        bytes += 1 + strcspn(text + bytes + 1, ".[< ");
    return bytes;
}

// Is this module's name near the beginning of the text, as far as it has as many parts?
static enum rch_status add_near_module(struct finder *f, const char *name, struct rch_error *err)
{
    struct rch_arena *arena = &f->list->arena;
    uint32_t num_parts = 1;
    for (const char *at = name; *at; at++)
        num_parts += *at == '.';
    size_t num = first_parts(f->text, num_parts);
    const char *typed = rch_arena_copy(arena, f->text, num);
    if (!typed)
        return no_memory(err);
    uint32_t distance = rch_name_distance(typed, name);
    if (!rch_near_fits(&f->near, distance))
        return RCH_OK;
    const char *text = rch_arena_printf(arena, "%s%s", name, f->text + num);
    if (!text)
        return no_memory(err);
    rch_near_add(&f->near, distance, text);
    return RCH_OK;
}

static enum rch_status find_near_modules(struct finder *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    for (uint32_t r = 0; r < g->num_roots; r++)
        if (g->roots[r].kind == RCH_ROOT_MODULE)
            RCH_TRY(add_near_module(f, rch_str_get(g, g->roots[r].name), err));
    return RCH_OK;
}

static enum rch_status not_found(struct finder *f, const char *text, struct rch_error *err)
{
    struct rch_reference_list *list = f->list;
    if (strstr(text, "\u2026"))
        return rch_fail(err, RCH_ENOTFOUND,
                        "'%.100s' is shortened: where it has an ellipsis the whole name is needed",
                        text);
    if (!f->best)
        RCH_TRY(find_near_modules(f, err));
    const char **near = rch_arena_take(&list->arena, RCH_MAX_NEAR, sizeof(*near));
    if (!near)
        return no_memory(err);
    memcpy(near, f->near.texts, f->near.num * sizeof(*near));
    list->near = near;
    list->num_near = f->near.num;
    if (!f->best)
        return rch_fail(err, RCH_ENOTFOUND, "'%.100s' begins with no module and no other root",
                        text);
    int num = (int)(f->best - f->text);
    while (num && f->text[num - 1] == ' ')
        num--;
    if (!num)
        return rch_fail(err, RCH_ENOTFOUND, "no running function has '%.100s'", text);
    return rch_fail(err, RCH_ENOTFOUND, "'%.*s' is there, but nothing in it is called '%.60s'",
                    num < 100 ? num : 100, f->text, f->best);
}

static enum rch_status find(struct finder *f, const char *text, struct rch_error *err)
{
    f->text = rch_arena_copy(&f->list->arena, text, strlen(text));
    if (!f->text)
        return no_memory(err);
    RCH_TRY(split_detail(f, err));
    RCH_TRY(split_function(f, err));
    if (strncmp(f->text, "0x", 2) == 0) {
        RCH_TRY(find_address(f, err));
    } else {
        RCH_TRY(find_candidates(f, err));
        RCH_TRY(attempt_roots(f, err));
    }
    return f->found.num ? take_found(f, err) : not_found(f, text, err);
}

enum rch_status rch_find_reference(struct rch_view *view, const char *text,
                                   struct rch_reference_list *list, struct rch_error *err)
{
    struct finder f = {.view = view, .list = list};
    *list = (struct rch_reference_list){.num_found = 0};
    rch_arena_init(&list->arena, view->alloc);
    rch_vec_init(&f.candidates, view->alloc, sizeof(struct candidate));
    rch_vec_init(&f.found, view->alloc, sizeof(struct rch_named_reference));
    enum rch_status st = rch__walker_init(&f.walker, view, &list->arena, err);
    if (st == RCH_OK)
        st = find(&f, text, err);
    rch__walker_deinit(&f.walker);
    rch_vec_deinit(&f.candidates);
    rch_vec_deinit(&f.found);
    return st;
}

void rch_reference_list_deinit(struct rch_reference_list *list)
{
    rch_arena_deinit(&list->arena);
}
