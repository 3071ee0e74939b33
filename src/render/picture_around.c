// SPDX-License-Identifier: MIT
// render/picture_around.c -- what is around some objects, as a picture: a box an object, with its type.
#include <inttypes.h>
#include <string.h>

#include "analyze/common/hops.h"
#include "render/hop_text.h"
#include "render/line.h"
#include "render/picture.h"

enum { LABEL_COLUMNS = 120, MAX_TITLES = 1000 };

struct maker {
    struct rch_picture *picture;
    const struct rch_graph *g;
    const struct rch_around *around;
    const char **types;  // names of types met
    const char *any[RCH_NUM_EDGE_KINDS];
};

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "picture of what is around an object");
}

static const char *type_text(struct maker *m, uint32_t type)
{
    if (!m->types[type])
        m->types[type] = rch_type_text(m->g, type, &m->picture->arena);
    return m->types[type];
}

static const struct rch_around_node *around_at(const struct maker *m, size_t i)
{
    return &RCH_VEC_AT(&m->around->nodes, struct rch_around_node, i);
}

static enum rch_status add_root(struct maker *m, const struct rch_around_node *at,
                                struct rch_error *err)
{
    const struct rch_root *root = &m->g->roots[at->node - m->g->num_objects];
    enum rch_root_kind kind = (enum rch_root_kind)root->kind;
    const char *detail = rch_str_get(m->g, root->detail);
    struct rch_picture_node node = {.count = 1,
                                    .color = RCH_PICTURE_NO_COLOR,
                                    .kind = RCH_PICTURE_ROOT,
                                    .flags = at->depth == 0 ? RCH_PICTURE_QUESTION : 0};
    node.lines[0] = rch_picture_text(m->picture, "%s%s%s", rch_root_words(kind),
                                     rch_str_get(m->g, root->name), rch_root_suffix(kind));
    if (*detail)
        node.lines[1] = rch_picture_text(m->picture, "%s", detail);
    if (!node.lines[0] || (*detail && !node.lines[1]))
        return no_memory(err);
    return rch_picture_node(m->picture, &node, NULL, err);
}

static enum rch_status add_object(struct maker *m, const struct rch_around_node *at,
                                  struct rch_error *err)
{
    char bytes[RCH_NUMBER_BYTES], count[RCH_NUMBER_BYTES];
    struct rch_picture_node node = {.count = 1,
                                    .color = RCH_PICTURE_NO_COLOR,
                                    .flags = at->depth == 0 ? RCH_PICTURE_QUESTION : 0};
    node.lines[0] = type_text(m, m->g->shapes[m->g->shape_of[at->node]].type);
    if (!node.lines[0])
        return no_memory(err);
    if (m->around->nodes.num <= MAX_TITLES) {
        node.title = rch_picture_text(m->picture, "%s at 0x%" PRIx64 "\n%s", node.lines[0],
                                      rch_addr_of(m->g, at->node),
                                      rch_bytes_text(bytes, rch_size_bytes(m->g, at->node)));
        if (!node.title)
            return no_memory(err);
    }
    if (at->num_beyond) {
        const char *what = m->around->is_forward ? "reference" : "referrer";
        node.lines[1] =
            rch_picture_text(m->picture, "%s %s%s not drawn", rch_count_text(count, at->num_beyond),
                             what, at->num_beyond == 1 ? "" : "s");
        if (!node.lines[1])
            return no_memory(err);
    }
    return rch_picture_node(m->picture, &node, NULL, err);
}

/// The hop without what differs among the entries of a container.
static const char *any_text(struct maker *m, enum rch_edge_kind kind)
{
    char text[RCH_CLEAN_BYTES];
    if (m->any[kind])
        return m->any[kind];
    struct rch_hop hop = {.kind = kind, .index = UINT32_MAX, .num_objects = 2};
    rch_hop_text(text, &hop, LABEL_COLUMNS, 0);
    return m->any[kind] = rch_picture_text(m->picture, "%s", text);
}

static enum rch_status add_link(struct maker *m, const struct rch_around_link *link,
                                struct rch_error *err)
{
    char text[RCH_CLEAN_BYTES];
    struct rch_hop hop = {.kind = link->kind,
                          .name = link->name == RCH_NO_STR ? NULL : rch_str_get(m->g, link->name),
                          .index = link->index,
                          .num_objects = 1};
    if (link->key_type != UINT32_MAX && !(hop.key_type = type_text(m, link->key_type)))
        return no_memory(err);
    rch_hop_text(text, &hop, LABEL_COLUMNS, 0);
    bool is_entry = link->kind == RCH_EDGE_ITEM || link->kind == RCH_EDGE_KEY ||
                    link->kind == RCH_EDGE_VALUE || link->kind == RCH_EDGE_ELEMENT;
    struct rch_picture_edge edge = {
        .from = link->from,
        .to = link->to,
        .label = rch_picture_text(m->picture, "%s", text),
        .any = is_entry ? any_text(m, link->kind) : NULL,
        .count = 1,
        .flags = (uint8_t)((link->is_weak ? RCH_PICTURE_WEAK : 0) |
                           (link->is_guessed ? RCH_PICTURE_GUESSED : 0)),
    };
    if (!edge.label || (is_entry && !edge.any))
        return no_memory(err);
    return rch_picture_edge(m->picture, &edge, err);
}

static enum rch_status add_words(struct maker *m, const struct rch_render_options *options,
                                 struct rch_error *err)
{
    const struct rch_around *around = m->around;
    char count[RCH_NUMBER_BYTES], some[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES];
    uint32_t depth = 0, num_asked = options->asked ? options->asked->question.num_members : 0;
    for (size_t i = 0; i < around->nodes.num; i++)
        depth = around_at(m, i)->depth > depth ? around_at(m, i)->depth : depth;
    const char *name = options->asked ? options->asked->question.text : "objects";
    size_t num = around->nodes.num - around->num_starts;
    m->picture->heading =
        rch_picture_text(m->picture, "What %s%s%s%s%s", around->is_forward ? "" : "refers to ",
                         name, around->is_forward ? " refers to" : "", options->source ? "   " : "",
                         options->source ? options->source : "");
    m->picture->sentence = rch_picture_text(
        m->picture, "%s object%s or root%s, at most %" PRIu32 " hop%s away%s",
        num ? rch_count_text(count, num) : "No", num == 1 ? "" : "s", num == 1 ? "" : "s", depth,
        depth == 1 ? "" : "s", around->is_cut_short ? "; there are more, not looked at" : "");
    if (num_asked > around->num_starts)
        RCH_TRY(rch_picture_note(
            m->picture,
            rch_picture_text(
                m->picture, "around %s of the %s objects, chosen evenly: \u00d7 counts those",
                rch_count_text(some, around->num_starts), rch_count_text(all, num_asked)),
            err));
    if (num == 0)
        m->picture->sentence =
            around->is_forward ? "It refers to nothing." : "Nothing refers to it.";
    m->picture->is_by_distance = true;
    return m->picture->heading && m->picture->sentence ? RCH_OK : no_memory(err);
}

enum rch_status rch_picture_of_around(struct rch_picture *picture, const struct rch_graph *g,
                                      const struct rch_around *around,
                                      const struct rch_render_options *options,
                                      struct rch_error *err)
{
    RCH_BLOCK(types, picture->nodes.alloc, g->num_types, sizeof(const char *));
    struct maker m = {.picture = picture, .g = g, .around = around, .types = types.mem};
    if (!types.mem)
        return no_memory(err);
    for (size_t i = 0; i < around->nodes.num; i++) {
        const struct rch_around_node *at = around_at(&m, i);
        RCH_TRY(rch_is_root(g, at->node) ? add_root(&m, at, err) : add_object(&m, at, err));
    }
    for (size_t i = 0; i < around->links.num; i++)
        RCH_TRY(add_link(&m, &RCH_VEC_AT(&around->links, struct rch_around_link, i), err));
    return add_words(&m, options, err);
}
