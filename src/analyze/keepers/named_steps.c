// SPDX-License-Identifier: MIT
// analyze/keepers/named_steps.c -- a text into steps, and the steps through the graph: at each step a set of objects,
// looked at together with the plumbing between them and their references as a reader knows them.
#include <ctype.h>
#include <stdlib.h>

#include "analyze/common/hops.h"
#include "analyze/keepers/named_impl.h"
#include "analyze/common/select.h"

enum { NAME_BYTES = 4096, NAME_STEPS = 4 };  // steps: what naming a reference takes

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "the name of a reference");
}

// --- text ---

static bool starts_with(const char *text, const char *words)
{
    return strncmp(text, words, strlen(words)) == 0;
}

// What is shown with a backslash before it comes back as it was: \" and \\.
static const char *unescaped(struct rch_arena *arena, const char *text, size_t num)
{
    char *copy = rch_arena_copy(arena, text, num);
    size_t at = 0;
    for (size_t i = 0; copy && i < num; i++) {
        if (text[i] == '\\' && i + 1 < num && (text[i + 1] == '"' || text[i + 1] == '\\'))
            i++;
        copy[at++] = text[i];
    }
    if (copy)
        copy[at] = '\0';
    return copy;
}

// The closing quote of a string that begins at `text`, or NULL.
static const char *closing_quote(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (*text == '"')
            return text;
    }
    return NULL;
}

static const char *parse_bracket(const char *at, struct rch_arena *arena, struct rch__step *step)
{
    const char *end;
    if (starts_with(at, "[*]")) {
        step->kind = RCH__STEP_ALL;
        return at + 3;
    }
    if (at[1] == '"') {
        end = closing_quote(at + 2);
        step->kind = RCH__STEP_TEXT;
        if (!end || end[1] != ']')
            return NULL;
        step->name = unescaped(arena, at + 2, (size_t)(end - at - 2));
        return end + 2;
    }
    if (at[1] == '<') {
        end = strstr(at, ">]");
        step->kind = RCH__STEP_TYPED;
        if (!end)
            return NULL;
        step->name = rch_arena_copy(arena, at + 2, (size_t)(end - at - 2));
        return end + 2;
    }
    char *past;
    unsigned long index = strtoul(at + 1, &past, 10);
    step->kind = RCH__STEP_INDEX;
    step->index = (uint32_t)index;
    return isdigit((unsigned char)at[1]) && *past == ']' && index < UINT32_MAX ? past + 1 : NULL;
}

// Up to where a name ends: at the next step, or at the end.
static size_t name_bytes(const char *at)
{
    return strcspn(at, ".[< ");
}

static const char *parse_name(const char *at, struct rch_arena *arena, struct rch__step *step)
{
    size_t num = name_bytes(at);
    bool is_clear = starts_with(at, "clear()") || starts_with(at, "cache_clear()");
    if (is_clear && at[num] == '\0' && step->kind == RCH__STEP_NAME)
        step->kind = RCH__STEP_CLEAR;
    step->name = rch_arena_copy(arena, at, num);
    return num ? at + num : NULL;
}

static const char *parse_step(const char *at, struct rch_arena *arena, struct rch__step *step)
{
    *step = (struct rch__step){.kind = RCH__STEP_NAME, .name = "", .text = at};
    if (*at == '.')
        return parse_name(at + 1, arena, step);
    if (*at == '[')
        return parse_bracket(at, arena, step);
    if (*at == '<') {
        const char *end = strchr(at, '>');
        step->kind = RCH__STEP_ANGLE;
        step->name = end ? unescaped(arena, at + 1, (size_t)(end - at - 1)) : "";
        return end ? end + 1 : NULL;
    }
    if (starts_with(at, "local ")) {
        step->kind = RCH__STEP_LOCAL;
        return parse_name(at + 6, arena, step);
    }
    if (starts_with(at, "closure ")) {
        step->kind = RCH__STEP_CLOSURE;
        return parse_name(at + 8, arena, step);
    }
    return NULL;
}

enum rch_status rch__parse_steps(const char *text, struct rch_arena *arena, struct rch_vec *steps,
                                 struct rch_error *err)
{
    for (const char *at = text; *at;) {
        struct rch__step step;
        at += strspn(at, " ");
        if (!*at)
            break;
        const char *past = parse_step(at, arena, &step);
        if (!step.name)
            return no_memory(err);
        if (!past)
            return rch_fail(err, RCH_EINVAL, "'%.80s' is not how a reference is written", at);
        RCH_TRY(rch_vec_append(steps, &step, 1, err));
        at = past;
    }
    return RCH_OK;
}

// --- what a step names ---

static bool is_called(const struct rch_graph *g, rch_str name, const char *want)
{
    return strcmp(rch_str_get(g, name), want) == 0;
}

static bool has_dotted_name(enum rch_edge_kind kind)
{
    return kind == RCH_EDGE_ATTRIBUTE || kind == RCH_EDGE_SLOT || kind == RCH_EDGE_FIELD ||
           kind == RCH_EDGE_DICT || kind == RCH_EDGE_TRACEBACK;
}

// <key>, <element> and the like: the words for references without a name; or the name itself.
static bool is_angle(struct rch_view *view, uint32_t e, const struct rch_shown *shown,
                     const char *want)
{
    static const struct {
        const char *word;
        enum rch_edge_kind kind;
    } words[] = {
        {"key", RCH_EDGE_KEY},       {"element", RCH_EDGE_ELEMENT},
        {"stack", RCH_EDGE_STACK},   {"reference", RCH_EDGE_REFERENCE},
        {"slot", RCH_EDGE_SLOT},     {"field", RCH_EDGE_FIELD},
        {"object", RCH_EDGE_OBJECT}, {"weak", RCH_EDGE_WEAK},
        {"local", RCH_EDGE_LOCAL},   {"closure", RCH_EDGE_CLOSURE},
    };
    const struct rch_graph *g = view->g;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (shown->kind == words[i].kind && strcmp(want, words[i].word) == 0)
            return true;
    size_t num = strlen(want);
    if (shown->kind == RCH_EDGE_KEY && starts_with(want, "key \"") && want[num - 1] == '"') {
        const char *text = rch_str_get(g, rch_view_text(view, g->edges[e]));
        return strlen(text) == num - 6 && strncmp(text, want + 5, num - 6) == 0;
    }
    return shown->name != RCH_NO_STR && is_called(g, shown->name, want);
}

static bool has_key_type(const struct rch_graph *g, rch_node key, const char *want)
{
    char name[NAME_BYTES];
    if (key == RCH_NO_NODE)
        return false;
    rch_type_full_name(g, g->shapes[g->shape_of[key]].type, name, sizeof(name));
    return strcmp(name, want) == 0;
}

static bool is_named_by(struct rch_view *view, rch_node v, uint32_t e, const struct rch__step *step)
{
    const struct rch_graph *g = view->g;
    uint32_t ordinal = e - g->edge_start[v];
    struct rch_shown shown = rch_shown_of(view, v, e);
    rch_node key = rch_key_of_value(g, v, ordinal);
    switch (step->kind) {
    case RCH__STEP_NAME:
        if (strcmp(step->name, "*") == 0)
            return has_dotted_name(shown.kind) && shown.fold != RCH_FOLD_FORWARD;
        if (shown.kind == RCH_EDGE_DICT && shown.name == RCH_NO_STR)
            return strcmp(step->name, "__dict__") == 0;
        return has_dotted_name(shown.kind) && is_called(g, shown.name, step->name);
    case RCH__STEP_INDEX:
        return shown.kind == RCH_EDGE_ITEM && rch_index_of_ref(g, v, ordinal) == step->index;
    case RCH__STEP_ALL: return shown.kind == RCH_EDGE_ITEM || shown.kind == RCH_EDGE_VALUE;
    case RCH__STEP_TEXT:
        return key != RCH_NO_NODE && rch_view_text(view, key) != RCH_NO_STR &&
               is_called(g, rch_view_text(view, key), step->name);
    case RCH__STEP_TYPED: return has_key_type(g, key, step->name);
    case RCH__STEP_ANGLE: return is_angle(view, e, &shown, step->name);
    case RCH__STEP_LOCAL:
        return shown.kind == RCH_EDGE_LOCAL && is_called(g, shown.name, step->name);
    case RCH__STEP_CLOSURE:
        return shown.kind == RCH_EDGE_CLOSURE && is_called(g, shown.name, step->name);
    case RCH__STEP_CLEAR: return rch_arc_of(view, v, e) == RCH_ARC_GROUP;
    }
    return false;
}

// --- the walk ---

enum rch_status rch__walker_init(struct rch__walker *w, struct rch_view *view,
                                 struct rch_arena *arena, struct rch_error *err)
{
    *w = (struct rch__walker){.view = view, .arena = arena};
    rch_vec_init(&w->work, view->alloc, sizeof(rch_node));
    rch_vec_init(&w->hits, view->alloc, sizeof(uint32_t));
    w->seen = rch_block_make(view->alloc, rch_bits_words(view->g->num_nodes), sizeof(uint64_t));
    return w->seen.mem ? RCH_OK : no_memory(err);
}

void rch__walker_deinit(struct rch__walker *w)
{
    rch_block_drop(&w->seen);
    rch_vec_deinit(&w->work);
    rch_vec_deinit(&w->hits);
}

static enum rch_status begin_at(struct rch__walker *w, struct rch_error *err)
{
    memset(w->seen.mem, 0, rch_bits_words(w->view->g->num_nodes) * sizeof(uint64_t));
    w->work.num = 0;
    return w->seen.mem ? RCH_OK : no_memory(err);
}

static enum rch_status add_node(struct rch__walker *w, rch_node v, struct rch_error *err)
{
    return rch_bit_add(w->seen.mem, v) ? rch_vec_append(&w->work, &v, 1, err) : RCH_OK;
}

// Targets of the hits; what they fold into (a cell's content) stands beside them.
static enum rch_status follow_hits(struct rch__walker *w, struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    RCH_TRY(begin_at(w, err));
    for (size_t i = 0; i < w->hits.num; i++)
        RCH_TRY(add_node(w, g->edges[RCH_VEC_AT(&w->hits, uint32_t, i)], err));
    for (size_t i = 0; i < w->work.num; i++) {
        rch_node v = RCH_VEC_AT(&w->work, rch_node, i);
        if (!rch_goes_on(w->view->asking, 1 + NAME_STEPS * rch_num_refs(g, v)))
            return rch_view_check(w->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++)
            if (g->edges[e] != RCH_NO_NODE && rch_shown_of(w->view, v, e).fold == RCH_FOLD_BACK)
                RCH_TRY(add_node(w, g->edges[e], err));
    }
    return RCH_OK;
}

// What the step names of the references of `work`, which grows by the plumbing in front of them. Plumbing
// itself is meant only where nothing else is: a class may have an attribute called __dict__.
static enum rch_status find_among(struct rch__walker *w, const struct rch__step *step,
                                  bool is_plumbing, struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    for (size_t i = 0; i < w->work.num; i++) {
        rch_node v = RCH_VEC_AT(&w->work, rch_node, i);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (!rch_goes_on(w->view->asking, NAME_STEPS))
                return rch_view_check(w->view, err);
            if (g->edges[e] == RCH_NO_NODE)
                continue;
            bool folds = rch_shown_of(w->view, v, e).fold == RCH_FOLD_FORWARD;
            if (folds == is_plumbing && is_named_by(w->view, v, e, step))
                RCH_TRY(rch_vec_append(&w->hits, &e, 1, err));
            if (folds)
                RCH_TRY(add_node(w, g->edges[e], err));
        }
    }
    return RCH_OK;
}

static enum rch_status find_hits(struct rch__walker *w, const struct rch__step *step,
                                 struct rch_error *err)
{
    w->hits.num = 0;
    RCH_TRY(find_among(w, step, false, err));
    return w->hits.num ? RCH_OK : find_among(w, step, true, err);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t count_targets(struct rch__walker *w, rch_node *example_out)
{
    const struct rch_graph *g = w->view->g;
    uint64_t *seen = w->seen.mem;
    uint32_t num = 0;
    *example_out = RCH_NO_NODE;
    memset(seen, 0, rch_bits_words(g->num_nodes) * sizeof(*seen));
    for (size_t i = 0; i < w->hits.num; i++) {
        rch_node to = g->edges[RCH_VEC_AT(&w->hits, uint32_t, i)];
        num += rch_bit_add(seen, to);
        *example_out = to < *example_out ? to : *example_out;
    }
    return num;
}

// What a cell stands for is what is in it.
static rch_node behind_cell(struct rch__walker *w, rch_node v)
{
    const struct rch_graph *g = w->view->g;
    for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++)
        if (g->edges[e] != RCH_NO_NODE && rch_shown_of(w->view, v, e).fold == RCH_FOLD_BACK)
            return g->edges[e];
    return v;
}

// The hop that a step is, as an answer would show it.
static enum rch_status tell_hop(struct rch__walker *w, const struct rch__step *step,
                                struct rch_hop *hop, struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    *hop = (struct rch_hop){.index = UINT32_MAX};
    for (size_t i = 0; i < w->hits.num; i++) {
        uint32_t e = RCH_VEC_AT(&w->hits, uint32_t, i);
        rch_node v = rch_source_of(g, e);
        if (!rch_goes_on(w->view->asking, NAME_STEPS))
            return rch_view_check(w->view, err);
        struct rch_shown shown = rch_shown_of(w->view, v, e);
        uint32_t num = shown.kind == RCH_EDGE_ATTRIBUTE ? 0 : rch_num_entries(g, v, e);
        if (i == 0 || shown.kind < hop->kind)
            hop->kind = shown.kind;
        hop->num_elements = num > hop->num_elements ? num : hop->num_elements;
        hop->is_guessed |= shown.is_guessed;
    }
    hop->num_objects = count_targets(w, &hop->example);
    hop->example = behind_cell(w, hop->example);
    hop->type = rch_type_text(g, g->shapes[g->shape_of[hop->example]].type, w->arena);
    bool has_name = step->kind == RCH__STEP_NAME || step->kind == RCH__STEP_TEXT ||
                    step->kind == RCH__STEP_LOCAL || step->kind == RCH__STEP_CLOSURE;
    if (step->kind == RCH__STEP_INDEX)
        hop->index = step->index;
    if (step->kind == RCH__STEP_TYPED)
        hop->key_type = step->name;
    if (has_name && strcmp(step->name, "*") != 0)
        hop->name = step->name;
    if (step->kind == RCH__STEP_ANGLE && has_dotted_name(hop->kind))
        hop->name = step->name;
    return hop->type ? RCH_OK : no_memory(err);
}

// A mapping's key goes with its value. Returns how many entries these are.
static enum rch_status take_whole_entries(struct rch__walker *w, uint32_t *num_out,
                                          struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    uint32_t last = UINT32_MAX;
    size_t num = w->hits.num;
    *num_out = 0;
    for (size_t i = 0; i < num; i++) {
        uint32_t e = RCH_VEC_AT(&w->hits, uint32_t, i), first = e, past = e + 1;
        rch_node v = rch_source_of(g, e);
        if (!rch_goes_on(w->view->asking, NAME_STEPS))
            return rch_view_check(w->view, err);
        if (rch_arc_of(w->view, v, e) == RCH_ARC_GROUP)
            rch_entry_of(g, v, e, &first, &past);
        *num_out += first != last;
        last = first;
        for (uint32_t k = first; k < past; k++)
            if (k != e && rch_arc_of(w->view, v, k) == RCH_ARC_GROUP)
                RCH_TRY(rch_vec_append(&w->hits, &k, 1, err));
    }
    return RCH_OK;
}

enum rch_status rch__take_edges(struct rch__walker *w, struct rch_named_reference *out,
                                struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    uint32_t *hits = w->hits.mem, *edges = rch_arena_take(w->arena, w->hits.num, sizeof(*edges));
    rch_node *sources = rch_arena_take(w->arena, w->hits.num, sizeof(*sources));
    if (!edges || !sources)
        return no_memory(err);
    if (w->hits.num)
        qsort(hits, w->hits.num, sizeof(*hits), compare_u32);
    out->num_edges = out->num_fixed = 0;
    for (size_t i = 0; i < w->hits.num; i++) {
        if (i && hits[i] == hits[i - 1])
            continue;
        rch_node v = rch_source_of(g, hits[i]);
        if (!rch_goes_on(w->view->asking, NAME_STEPS))
            return rch_view_check(w->view, err);
        edges[out->num_edges] = hits[i];
        sources[out->num_edges++] = v;
        out->num_fixed += rch_arc_of(w->view, v, hits[i]) == RCH_ARC_FIXED;
    }
    out->edges = edges;
    out->sources = sources;
    return RCH_OK;
}

static enum rch_status take_reference(struct rch__walker *w, struct rch_named_reference *out,
                                      struct rch_hop *hops, uint32_t num_hops,
                                      struct rch_error *err)
{
    uint32_t num_entries;
    RCH_TRY(take_whole_entries(w, &num_entries, err));
    RCH_TRY(rch__take_edges(w, out, err));
    out->place.hops = hops;
    out->place.num_hops = num_hops;
    out->place.cut = num_hops ? num_hops - 1 : 0;
    out->place.num_cut_refs = num_entries;
    out->place.cut_is_group = num_hops && hops[num_hops - 1].num_elements && num_entries > 1;
    out->place.is_cuttable = out->num_fixed < out->num_edges;
    return RCH_OK;
}

enum rch_status rch__walk_steps(struct rch__walker *w, rch_node start, const struct rch_vec *steps,
                                const struct rch_holder *before, struct rch_named_reference *out,
                                bool *is_found, uint32_t *num_done, struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    struct rch_hop *hops = rch_arena_take(w->arena, before->num_hops + steps->num, sizeof(*hops));
    if (!hops)
        return no_memory(err);
    if (before->num_hops)
        memcpy(hops, before->hops, before->num_hops * sizeof(*hops));
    *out = (struct rch_named_reference){.place = *before};
    *is_found = false;
    w->hits.num = 0;
    for (uint32_t e = g->edge_start[start]; !steps->num && e < g->edge_start[start + 1]; e++)
        if (g->edges[e] != RCH_NO_NODE)
            RCH_TRY(rch_vec_append(&w->hits, &e, 1, err));
    RCH_TRY(begin_at(w, err));
    RCH_TRY(add_node(w, start, err));
    for (*num_done = 0; *num_done < steps->num; ++*num_done) {
        const struct rch__step *step = &RCH_VEC_AT(steps, struct rch__step, *num_done);
        if (*num_done)
            RCH_TRY(follow_hits(w, err));
        RCH_TRY(find_hits(w, step, err));
        if (!w->hits.num || (step->kind == RCH__STEP_CLEAR && *num_done + 1 < steps->num))
            return RCH_OK;
        RCH_TRY(tell_hop(w, step, &hops[before->num_hops + *num_done], err));
    }
    *is_found = w->hits.num != 0;
    return take_reference(w, out, hops, before->num_hops + (uint32_t)steps->num, err);
}

// The name by which a step of this kind would call the reference; RCH_NO_STR: by none.
static rch_str name_for(struct rch__walker *w, rch_node v, uint32_t e, enum rch__step_kind kind)
{
    const struct rch_graph *g = w->view->g;
    if (g->edges[e] == RCH_NO_NODE)
        return RCH_NO_STR;
    struct rch_shown shown = rch_shown_of(w->view, v, e);
    if (kind == RCH__STEP_TEXT)
        return rch_view_text(w->view, rch_key_of_value(g, v, e - g->edge_start[v]));
    bool is_alike =
        kind == RCH__STEP_NAME ? has_dotted_name(shown.kind) : shown.kind == RCH_EDGE_LOCAL;
    return is_alike ? shown.name : RCH_NO_STR;
}

static enum rch_status add_near(struct rch__walker *w, const struct rch__step *step, rch_str name,
                                const char *prefix, struct rch_near_list *near,
                                struct rch_error *err)
{
    const char *text = rch_str_get(w->view->g, name);
    uint32_t distance = rch_name_distance(step->name, text);
    if (!rch_near_fits(near, distance))
        return RCH_OK;
    bool is_text = step->kind == RCH__STEP_TEXT;
    const char *before = is_text ? "[\"" : step->kind == RCH__STEP_NAME ? "." : " local ";
    text = rch_arena_printf(w->arena, "%s%s%s%s", prefix, before, text, is_text ? "\"]" : "");
    if (!text)
        return no_memory(err);
    rch_near_add(near, distance, text);
    return RCH_OK;
}

enum rch_status rch__near_steps(struct rch__walker *w, const struct rch__step *step,
                                const char *prefix, struct rch_near_list *near,
                                struct rch_error *err)
{
    const struct rch_graph *g = w->view->g;
    if (step->kind != RCH__STEP_TEXT && step->kind != RCH__STEP_NAME &&
        step->kind != RCH__STEP_LOCAL)
        return RCH_OK;
    for (size_t i = 0; i < w->work.num; i++) {
        rch_node v = RCH_VEC_AT(&w->work, rch_node, i);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (!rch_goes_on(w->view->asking, NAME_STEPS))
                return rch_view_check(w->view, err);
            rch_str name = name_for(w, v, e, step->kind);
            if (name != RCH_NO_STR)
                RCH_TRY(add_near(w, step, name, prefix, near, err));
        }
    }
    return RCH_OK;
}
