// SPDX-License-Identifier: MIT
// tests/c/graphlab_keepers.c -- the laboratory (graphlab.c): what cuts free, and who keeps most.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/keepers/keepers.h"
#include "analyze/keepers/what_if.h"
#include "graphlab.h"

char *graphlab_what_if(const char *text, const char *const *cuts, uint32_t num);
char *graphlab_keepers(const char *text, int by, int sort);
char *graphlab_dominators_of(const char *text);

// --- cuts ---

static void put_cut(FILE *out, const struct rch_graph *g, const struct rch_what_if_cut *cut)
{
    fprintf(out, "{\"edges\":[");
    for (uint32_t i = 0; i < cut->named->num_edges; i++)
        fprintf(out, "%s[%" PRIu32 ",%" PRIu32 "]", i ? "," : "", cut->named->sources[i],
                cut->named->edges[i] - g->edge_start[cut->named->sources[i]]);
    fprintf(out, "],\"fixed\":%" PRIu32 ",\"references\":%" PRIu32 ",\"targets\":%" PRIu64,
            cut->named->num_fixed, cut->named->place.num_cut_refs, cut->kept.targets);
    fprintf(out, ",\"kept\":%" PRIu64 ",\"other\":%d,\"stays\":%" PRIu64, cut->kept.kept_targets,
            cut->kept.other.fingerprint != NULL, cut->kept.num_of_type);
    lab_put_freed(out, "frees", &cut->frees);
    fprintf(out, "}");
}

static char *put_what_if(const struct rch_graph *g, const struct rch_what_if *answer)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    fprintf(out, "{\"cuts\":[");
    for (uint32_t i = 0; i < answer->num_cuts; i++) {
        fprintf(out, "%s", i ? "," : "");
        put_cut(out, g, &answer->cuts[i]);
    }
    fprintf(out, "],\"types\":{");
    for (uint32_t i = 0; i < answer->num_types; i++)
        fprintf(out, "%s\"%s\":[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", answer->types[i].type,
                answer->types[i].objects, answer->types[i].bytes);
    fprintf(out, "}");
    lab_put_freed(out, "frees", &answer->frees);
    fprintf(out, "}");
    fclose(out);
    return text;
}

static char *put_unclear(enum rch_status st, const struct rch_reference_list *unclear)
{
    char words[128];
    snprintf(words, sizeof(words), "{\"error\":%d,\"found\":%" PRIu32 ",\"near\":%" PRIu32 "}",
             (int)st, unclear->num_found, unclear->num_near);
    return strdup(words);
}

static char *ask_what_if(const struct rch_graph *g, const char *const *cuts, uint32_t num)
{
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    struct rch_error err = {0};
    enum rch_status st =
        rch_what_if(g, NULL, cuts, num, NULL, rch_alloc_default(), &answer, &unclear, &err);
    char *text = st == RCH_OK ? put_what_if(g, answer) : put_unclear(st, &unclear);
    rch_reference_list_deinit(&unclear);
    rch_what_if_free(answer);
    return text;
}

// What the cuts free and which references they are, as [node, ordinal]; or why not.
char *graphlab_what_if(const char *text, const char *const *cuts, uint32_t num)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = lab_open(&lab, text, &g) ? ask_what_if(g, cuts, num) : NULL;
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}

// --- who keeps most ---

static char *ask_keepers(const struct rch_graph *g, int by, int sort)
{
    struct rch_keepers_options options = {
        .by = (enum rch_keepers_by)by, .sort = (enum rch_keepers_sort)sort, .max_rows = MAX_NODES};
    struct rch_render_options render = {.all = true};
    struct rch_keepers *keepers = NULL;
    struct rch_text json;
    if (rch_keepers(g, NULL, &options, rch_alloc_default(), &keepers, NULL) != RCH_OK)
        return NULL;
    rch_text_init(&json, rch_alloc_default());
    rch_render_keepers_json(g, keepers, &render, &json.sink);
    rch_keepers_free(keepers);
    return lab_take(&json);
}

// refchain.keepers/1 with all rows. `by` and `sort` are numbers of the enums.
char *graphlab_keepers(const char *text, int by, int sort)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = lab_open(&lab, text, &g) ? ask_keepers(g, by, sort) : NULL;
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}

static char *ask_dominators_of(struct lab *lab, const struct rch_graph *g)
{
    struct rch_question question = {"question", lab->members.mem, (uint32_t)lab->members.num};
    struct rch_render_options render = {.all = true};
    struct rch_dominators_of *answer = NULL;
    struct rch_text json;
    if (rch_dominators_of(g, NULL, &question, NULL, rch_alloc_default(), &answer, NULL) != RCH_OK)
        return NULL;
    rch_text_init(&json, rch_alloc_default());
    rch_render_dominators_json(g, answer, &render, &json.sink);
    rch_dominators_of_free(answer);
    return lab_take(&json);
}

// refchain.dominators/1 of the members; objects have to be in order of address.
char *graphlab_dominators_of(const char *text)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = lab_open(&lab, text, &g) ? ask_dominators_of(&lab, g) : NULL;
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}
