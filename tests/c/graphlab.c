// SPDX-License-Identifier: MIT
// tests/c/graphlab.c -- a laboratory for the property tests: a graph as lines of text goes in, the
// answer to `why` comes out as JSON; or two graphs or more, and what grew. A shared library that Python calls
// through ctypes.
//
//   o ADDR SIZE TYPE LAYOUT   an object; TYPE "mod.Name"; LAYOUT f: every reference has the label
//   of
//                             its line, l: items of a list, d: keys and values of a dict in turn
//   r KIND NAME FLAGS LAYOUT  a root, after all objects; KIND and FLAGS as numbers, LAYOUT f or l
//   e FROM TO KIND NAME FLAGS CLASS   a reference; numbers of lines o and r from 0; TO -1: a hole;
//                             NAME "-": none. All references of one node stand together, in order
//   t NODE TEXT               contents of a string
//   x NODE SCOPE              an observer
//   q NODE                    a member of the question
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/keepers/retained.h"
#include "analyze/why/why.h"
#include "model/builder.h"
#include "model/verify.h"
#include "render/render.h"
#include "graphlab.h"

char *graphlab_why(const char *text, uint32_t max_holders, int raw);
char *graphlab_growth(const char *before, const char *now, const uint64_t *later, size_t num_later,
                      int is_uncollected);
char *graphlab_series(const char *const *texts, uint32_t num);
char *graphlab_dominators(const char *text);
void graphlab_free(char *text);

static rch_str intern(struct lab *lab, const char *text)
{
    rch_str str = RCH_NO_STR;
    if (strcmp(text, "-") != 0 &&
        rch_builder_string(lab->builder, text, strlen(text), &str, NULL) != RCH_OK)
        return RCH_NO_STR;
    return str;
}

static bool read_node(struct lab *lab, const char *line)
{
    struct lab_node *node = &lab->nodes[lab->num_nodes];
    if (lab->num_nodes == MAX_NODES)
        return false;
    *node = (struct lab_node){.addr = 0};
    rch_vec_init(&node->labels, rch_alloc_default(), sizeof(struct rch_label));
    if (*line == 'o') {
        lab->num_objects++;
        lab->num_nodes++;
        return sscanf(line, "o %" SCNx64 " %" SCNu32 " %63s %c", &node->addr, &node->size,
                      node->type, &node->layout) == 4;
    }
    lab->num_nodes++;
    return sscanf(line, "r %" SCNu32 " %63s %" SCNu32 " %c", &node->kind, node->type, &node->flags,
                  &node->layout) == 4;
}

static bool read_label(struct lab *lab, const char *line)
{
    uint32_t from, kind, flags, cls;
    int32_t to;
    char name[64];
    if (sscanf(line, "e %" SCNu32 " %" SCNd32 " %" SCNu32 " %63s %" SCNu32 " %" SCNu32, &from, &to,
               &kind, name, &flags, &cls) != 6 ||
        from >= lab->num_nodes)
        return false;
    struct rch_label label = {intern(lab, name), (uint8_t)kind, (uint8_t)cls, (uint16_t)flags};
    return rch_vec_append(&lab->nodes[from].labels, &label, 1, NULL) == RCH_OK;
}

// The shape of a node from its layout, then the node itself.
static bool add_node(struct lab *lab, struct lab_node *node)
{
    static const struct rch_label list[] = {{0, RCH_EDGE_ITEM, 0, RCH_LABEL_GROUP}};
    static const struct rch_label dict[] = {{0, RCH_EDGE_KEY, 0, RCH_LABEL_GROUP},
                                            {0, RCH_EDGE_VALUE, 0, RCH_LABEL_GROUP}};
    static const struct rch_label held[] = {{0, RCH_EDGE_OBJECT, 0, RCH_LABEL_GROUP}};
    bool is_root = node >= lab->nodes + lab->num_objects;
    const struct rch_label *labels = node->labels.mem;
    uint32_t num = (uint32_t)node->labels.num, num_tail = 0, type, shape;
    if (node->layout != 'f') {
        labels = is_root ? held : node->layout == 'd' ? dict : list;
        num = 0;
        num_tail = node->layout == 'd' ? 2 : 1;
    }
    const char *dot = is_root ? NULL : strrchr(node->type, '.');
    char module[64] = "";
    if (dot)
        memcpy(module, node->type, (size_t)(dot - node->type));
    struct rch_type t = {intern(lab, dot ? module : "-"),
                         intern(lab, is_root ? "root"
                                     : dot   ? dot + 1
                                             : node->type),
                         RCH_NO_NODE, strcmp(node->type, "module") == 0 ? RCH_TYPE_IS_MODULE : 0};
    if (rch_builder_type(lab->builder, &t, &type, NULL) != RCH_OK ||
        rch_builder_shape(lab->builder, type, labels, num, num_tail, &shape, NULL) != RCH_OK)
        return false;
    if (is_root) {
        struct rch_root root = {.name = intern(lab, node->type),
                                .kind = (uint8_t)node->kind,
                                .flags = (uint8_t)node->flags};
        return rch_builder_root(lab->builder, &root, shape, &node->handle, NULL) == RCH_OK;
    }
    struct rch_object object = {node->addr, node->size, shape, true};
    return rch_builder_object(lab->builder, &object, &node->handle, NULL) == RCH_OK;
}

static bool read_rest(struct lab *lab, const char *line)
{
    uint32_t a, b;
    int32_t to;
    char text[64];
    if (sscanf(line, "e %" SCNu32 " %" SCNd32, &a, &to) == 2 && a < lab->num_nodes)
        return rch_builder_ref(lab->builder, lab->nodes[a].handle,
                               to < 0 ? RCH_NO_NODE : lab->nodes[to].handle, NULL) == RCH_OK;
    if (sscanf(line, "t %" SCNu32 " %63s", &a, text) == 2 && a < lab->num_nodes)
        return rch_builder_text(lab->builder, lab->nodes[a].handle, intern(lab, text), NULL) ==
               RCH_OK;
    if (sscanf(line, "x %" SCNu32 " %" SCNu32, &a, &b) == 2 && a < lab->num_nodes)
        return rch_builder_observer(lab->builder, lab->nodes[a].handle, (enum rch_observer_scope)b,
                                    NULL) == RCH_OK;
    if (sscanf(line, "q %" SCNu32, &a) == 1 && a < lab->num_objects)
        return rch_vec_append(&lab->members, &a, 1, NULL) == RCH_OK;
    return true;
}

static bool each_line(struct lab *lab, const char *text, const char *firsts,
                      bool (*read)(struct lab *, const char *))
{
    for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
        if (strchr(firsts, *text) && !read(lab, text))
            return false;
    }
    return true;
}

static bool build(struct lab *lab, const char *text, struct rch_graph **graph_out)
{
    struct rch_error err;
    if (!each_line(lab, text, "or", read_node) || !each_line(lab, text, "e", read_label))
        return false;
    for (uint32_t i = 0; i < lab->num_nodes; i++) {
        if (!add_node(lab, &lab->nodes[i]))
            return false;
    }
    return each_line(lab, text, "etxq", read_rest) &&
           rch_builder_finish(lab->builder, graph_out, &err) == RCH_OK &&
           rch_graph_verify(*graph_out, &err) == RCH_OK;
}

// --- the answer as JSON; names in a laboratory need no escapes ---

static void put_hops(FILE *out, const struct rch_hop *hops, uint32_t num)
{
    fprintf(out, "[");
    for (uint32_t i = 0; i < num; i++) {
        const struct rch_hop *h = &hops[i];
        fprintf(out, "%s[\"%s\",", i ? "," : "", rch_edge_kind_word(h->kind));
        fprintf(out, h->name ? "\"%s\"" : "null", h->name ? h->name : "");
        fprintf(out, ",%" PRId64 ",\"%s\",%" PRIu32 ",%" PRIu32 ",%d]",
                h->index == UINT32_MAX ? -1 : (int64_t)h->index, h->type, h->num_objects,
                h->num_elements, h->is_guessed);
    }
    fprintf(out, "]");
}

void lab_put_freed(FILE *out, const char *name, const struct rch_freed *freed)
{
    fprintf(out, ",\"%s\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", name, freed->question,
            freed->objects, freed->bytes);
}

static void put_holder(FILE *out, const struct rch_holder *h)
{
    fprintf(out,
            "{\"fingerprint\":\"%s\",\"root\":[\"%s\",\"%s\"],\"cut\":%" PRId64
            ",\"cuttable\":%d,\"group\":%d,\"refs\":%" PRIu32 ",\"holds\":%" PRIu64
            ",\"holds_only\":%" PRIu64,
            h->fingerprint, rch_root_kind_word(h->root_kind), h->root_name,
            h->cut == UINT32_MAX ? -1 : (int64_t)h->cut, h->is_cuttable, h->cut_is_group,
            h->num_cut_refs, h->holds, h->holds_only);
    lab_put_freed(out, "frees", &h->frees);
    fprintf(out, ",\"groups\":[");
    for (uint32_t i = 0; i < h->num_groups; i++) {
        fprintf(out, "%s{\"members\":%" PRIu32 ",\"hops\":", i ? "," : "",
                h->groups[i].num_members);
        put_hops(out, h->groups[i].hops, h->groups[i].num_hops);
        fprintf(out, "}");
    }
    fprintf(out, "],\"more_groups\":%" PRIu32 ",\"also\":[", h->num_more_groups);
    for (uint32_t i = 0; i < h->num_also; i++)
        fprintf(out, "%s\"%s\"", i ? "," : "", h->also[i]);
    fprintf(out, "]}");
}

static char *put_answer(const struct rch_answer *a)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    fprintf(out,
            "{\"objects\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"diffuse\":%d,\"garbage\":%" PRIu64
            ",\"c_held\":%" PRIu64 ",\"observer\":%" PRIu64 ",\"uncuttable\":%" PRIu64
            ",\"in_use\":%" PRIu64 ",\"unexplained\":%" PRIu64 ",\"more_holders\":%" PRIu32,
            a->objects, a->bytes, a->is_diffuse, a->garbage, a->c_held, a->observer, a->uncuttable,
            a->in_use, a->unexplained, a->num_more_holders);
    lab_put_freed(out, "all_cut", &a->all_cut);
    fprintf(out, ",\"observer_names\":[");
    for (uint32_t i = 0; i < a->num_observer_names; i++)
        fprintf(out, "%s\"%s\"", i ? "," : "", a->observer_names[i]);
    fprintf(out, "],\"holders\":[");
    for (uint32_t i = 0; i < a->num_holders; i++) {
        fprintf(out, "%s", i ? "," : "");
        put_holder(out, &a->holders[i]);
    }
    fprintf(out, "]}");
    fclose(out);
    return text;
}

static int compare_nodes(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = *(const rch_node *)b;
    return (x > y) - (x < y);
}

struct rch_question lab_question(struct lab *lab, const struct rch_graph *g)
{
    rch_node *members = lab->members.mem;
    for (size_t i = 0; i < lab->members.num; i++)
        members[i] = rch_node_at(g, lab->nodes[members[i]].addr);
    if (lab->members.num)
        qsort(members, lab->members.num, sizeof(*members), compare_nodes);
    return (struct rch_question){"question", members, (uint32_t)lab->members.num};
}

static char *ask(struct lab *lab, const struct rch_graph *g, uint32_t max_holders, bool raw)
{
    struct rch_question question = lab_question(lab, g);
    struct rch_why_options options = {.max_holders = max_holders, .raw = raw};
    struct rch_answer *answer = NULL;
    struct rch_error err;
    if (rch_why(g, NULL, &question, &options, rch_alloc_default(), &answer, &err) != RCH_OK)
        return strdup(err.message);
    char *text = put_answer(answer);
    rch_answer_free(answer);
    return text;
}

bool lab_open(struct lab *lab, const char *text, struct rch_graph **graph_out)
{
    *lab = (struct lab){.nodes = calloc(MAX_NODES, sizeof(struct lab_node))};
    rch_vec_init(&lab->members, rch_alloc_default(), sizeof(rch_node));
    return lab->nodes && rch_builder_new(rch_alloc_default(), &lab->builder, NULL) == RCH_OK &&
           build(lab, text, graph_out);
}

void lab_close(struct lab *lab)
{
    rch_builder_free(lab->builder);
    for (uint32_t i = 0; lab->nodes && i < lab->num_nodes; i++)
        rch_vec_deinit(&lab->nodes[i].labels);
    rch_vec_deinit(&lab->members);
    free(lab->nodes);
}

// The answer, or words that are no JSON; NULL for a text that makes no graph.
char *graphlab_why(const char *text, uint32_t max_holders, int raw)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = NULL;
    if (lab_open(&lab, text, &g))
        result = ask(&lab, g, max_holders, raw != 0);
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}

static char *compare_graphs(const struct rch_graph *before, const struct rch_graph *now,
                            const struct rch_births *births)
{
    struct rch_growth_options options = {.births = births, .max_places = MAX_NODES};
    struct rch_render_options render = {.all = true};
    struct rch_baseline *base = NULL;
    struct rch_growth *growth = NULL;
    struct rch_error err;
    struct rch_text json;
    rch_text_init(&json, rch_alloc_default());
    if (rch_baseline_make(before, rch_alloc_default(), &base, &err) == RCH_OK &&
        rch_growth(base, now, NULL, &options, rch_alloc_default(), &growth, &err) == RCH_OK)
        rch_render_growth_json(now, growth, &render, &json.sink);
    char *result = growth && json.sink.status == RCH_OK ? strdup(json.bytes) : strdup(err.message);
    rch_text_deinit(&json);
    rch_growth_free(growth);
    rch_baseline_free(base);
    return result;
}

// refchain.growth/1 of two graphs. `later`: addresses of objects behind a mark; NULL: no order is known.
char *graphlab_growth(const char *before, const char *now, const uint64_t *later, size_t num_later,
                      int is_uncollected)
{
    struct lab old, new;
    struct rch_graph *g = NULL, *h = NULL;
    struct rch_births births = {later, num_later, is_uncollected != 0};
    bool is_open = lab_open(&old, before, &g), is_open_too = lab_open(&new, now, &h);
    char *result = is_open && is_open_too ? compare_graphs(g, h, later ? &births : NULL) : NULL;
    rch_graph_free(g);
    rch_graph_free(h);
    lab_close(&old);
    lab_close(&new);
    return result;
}

static char *tell_series(const struct rch_series *series)
{
    struct rch_rise_options options = {.min_objects = 1, .max_rows = UINT32_MAX};
    struct rch_render_options render = {.all = true};
    struct rch_rises *rises = NULL;
    struct rch_error err;
    struct rch_text json;
    rch_text_init(&json, rch_alloc_default());
    if (rch_series_rises(series, &options, &rises, &err) == RCH_OK)
        rch_render_rises_json(rises, options.by, &render, &json.sink);
    rch_rises_free(rises);
    return rises ? lab_take(&json) : strdup(err.message);
}

// refchain.diff/1 of several graphs, by place.
char *graphlab_series(const char *const *texts, uint32_t num)
{
    struct rch_series_options options = {.places = true};
    struct rch_series *series = NULL;
    struct rch_error err;
    if (rch_series_make(&options, rch_alloc_default(), &series, &err) != RCH_OK)
        return NULL;
    bool is_good = true;
    for (uint32_t i = 0; i < num && is_good; i++) {
        struct lab lab;
        struct rch_graph *g = NULL;
        is_good = lab_open(&lab, texts[i], &g) &&
                  rch_series_add(series, g, NULL, NULL, NULL, &err) == RCH_OK;
        rch_graph_free(g);
        lab_close(&lab);
    }
    char *result = is_good ? tell_series(series) : NULL;
    rch_series_free(series);
    return result;
}

// Immediate dominators (-1: none, the number of nodes: the super root), retained bytes and those of
// types. Objects are in order of address: that of the lines, if the lines are.
static char *put_dominators(const struct rch_graph *g, const struct rch_domtree *dom,
                            const uint64_t *bytes, const uint64_t *by_type)
{
    char *text = NULL;
    size_t num_bytes;
    FILE *out = open_memstream(&text, &num_bytes);
    if (!out)
        return NULL;
    fprintf(out, "{\"idom\":[");
    for (rch_node v = 0; v < g->num_nodes; v++)
        fprintf(out, "%s%" PRId64, v ? "," : "",
                rch_is_orphan(dom, v) ? -1 : (int64_t)dom->idom[v]);
    fprintf(out, "],\"retained\":[");
    for (rch_node v = 0; v <= g->num_nodes; v++)
        fprintf(out, "%s%" PRIu64, v ? "," : "", bytes[v]);
    fprintf(out, "],\"types\":{");
    for (uint32_t t = 0; t < g->num_types; t++)
        fprintf(out, "%s\"%s.%s\":%" PRIu64, t ? "," : "", rch_str_get(g, g->types[t].module),
                rch_str_get(g, g->types[t].name), by_type[t]);
    fprintf(out, "}}");
    fclose(out);
    return text;
}

static char *dominators(const struct rch_graph *g)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_domtree dom;
    uint64_t *bytes = NULL, *by_type = NULL;
    char *text = NULL;
    if (rch_domtree_init(&dom, g, alloc, NULL, NULL) != RCH_OK)
        return NULL;
    if (rch_retained_bytes(g, &dom, alloc, &bytes, NULL) == RCH_OK &&
        rch_retained_by_type(g, &dom, bytes, alloc, &by_type, NULL) == RCH_OK)
        text = put_dominators(g, &dom, bytes, by_type);
    rch_free(alloc, by_type, g->num_types, sizeof(*by_type));
    rch_free(alloc, bytes, (size_t)g->num_nodes + 1, sizeof(*bytes));
    rch_domtree_deinit(&dom);
    return text;
}

char *graphlab_dominators(const char *text)
{
    struct lab lab;
    struct rch_graph *g = NULL;
    char *result = lab_open(&lab, text, &g) ? dominators(g) : NULL;
    rch_graph_free(g);
    lab_close(&lab);
    return result;
}

char *lab_take(struct rch_text *text)
{
    char *result = text->sink.status == RCH_OK ? strdup(text->bytes) : NULL;
    rch_text_deinit(text);
    return result;
}

void graphlab_free(char *text)
{
    free(text);
}
