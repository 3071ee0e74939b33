// SPDX-License-Identifier: MIT
// tests/c/graphlab_paths.c -- the laboratory (graphlab.c): paths, cycles, components.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/scc.h"
#include "graphlab.h"

char *graphlab_paths(const char *text, uint32_t max_paths, int each, const char *excludes);
char *graphlab_cycles(const char *text, int has_question, int garbage_only);
char *graphlab_components(const char *text);

// --- paths and cycles: the JSON of the program ---

static char *find_paths(struct lab *lab, const struct rch_graph *g,
                        const struct rch_paths_options *options)
{
    struct rch_question question = lab_question(lab, g);
    struct rch_paths *paths = NULL;
    struct rch_error err;
    struct rch_render_options render = {.all = true};
    struct rch_text json;
    if (rch_paths(g, NULL, &question, options, rch_alloc_default(), &paths, &err) != RCH_OK)
        return strdup(err.message);
    rch_text_init(&json, rch_alloc_default());
    rch_render_paths_json(g, paths, &render, &json.sink);
    rch_paths_free(paths);
    return lab_take(&json);
}

// refchain.paths/1. `excludes`: patterns, a line each; '!' before one of roots.
char *graphlab_paths(const char *text, uint32_t max_paths, int each, const char *excludes)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    struct rch_exclude rows[RCH_MAX_EXCLUDES];
    struct rch_paths_options options = {.max_paths = max_paths, .each = each, .excludes = rows};
    char *copy = strdup(excludes), *rest = copy, *result = NULL;
    for (char *word;
         copy && (word = strsep(&rest, "\n")) && options.num_excludes < RCH_MAX_EXCLUDES;) {
        if (*word)
            rows[options.num_excludes++] =
                (struct rch_exclude){word + (*word == '!'), *word == '!'};
    }
    if (lab_open(&lab, text, &g))
        result = find_paths(&lab, g, &options);
    rch_graph_free(g);
    lab_close(&lab);
    free(copy);
    return result;
}

static char *find_cycles(struct lab *lab, const struct rch_graph *g, bool has_question,
                         bool garbage_only)
{
    struct rch_question question = lab_question(lab, g);
    struct rch_cycles_options options = {.garbage_only = garbage_only, .max_groups = MAX_NODES};
    struct rch_cycles *cycles = NULL;
    struct rch_error err;
    struct rch_render_options render = {.all = true};
    struct rch_text json;
    if (rch_cycles(g, NULL, has_question ? &question : NULL, &options, rch_alloc_default(), &cycles,
                   &err) != RCH_OK)
        return strdup(err.message);
    rch_text_init(&json, rch_alloc_default());
    rch_render_cycles_json(g, cycles, &render, &json.sink);
    rch_cycles_free(cycles);
    return lab_take(&json);
}

// refchain.cycles/1
char *graphlab_cycles(const char *text, int has_question, int garbage_only)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = NULL;
    if (lab_open(&lab, text, &g))
        result = find_cycles(&lab, g, has_question != 0, garbage_only != 0);
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}

static char *put_components(const struct rch_scc *scc)
{
    char *text = NULL;
    size_t num_bytes;
    FILE *out = open_memstream(&text, &num_bytes);
    if (!out)
        return NULL;
    fprintf(out, "{\"num\":%" PRIu32 ",\"of\":[", scc->num_components);
    for (uint32_t v = 0; v < scc->num_nodes; v++)
        fprintf(out, "%s%" PRIu32, v ? "," : "", scc->component[v]);
    fprintf(out, "]}");
    fclose(out);
    return text;
}

static char *find_components(struct lab *lab, const struct rch_graph *g)
{
    struct rch_question question = lab_question(lab, g);
    struct rch_reverse rev;
    struct rch_view view;
    struct rch_scc scc;
    char *text = NULL;
    size_t words = rch_bits_words(g->num_nodes);
    uint64_t *all = malloc(words * sizeof(*all));
    if (!all || rch_reverse_init(&rev, g, rch_alloc_default(), NULL) != RCH_OK) {
        free(all);
        return NULL;
    }
    memset(all, 0xff, words * sizeof(*all));
    if (rch_view_init(&view, g, &rev, &question, rch_alloc_default(), NULL) == RCH_OK) {
        if (rch_scc_init(&scc, &view, all, NULL) == RCH_OK) {
            text = put_components(&scc);
            rch_scc_deinit(&scc);
        }
        rch_view_deinit(&view);
    }
    rch_reverse_deinit(&rev);
    free(all);
    return text;
}

// The number of the component of each node.
char *graphlab_components(const char *text)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = lab_open(&lab, text, &g) ? find_components(&lab, g) : NULL;
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}
