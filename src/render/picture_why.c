// SPDX-License-Identifier: MIT
// render/picture_why.c -- an answer as a picture: from the roots down to what was asked about. Paths are
// joined where they pass the same object; the reference to cut and what lets go of it stand out, and
// the lines below say the same in words.
#include <inttypes.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/line.h"
#include "render/picture.h"
#include "render/why_words.h"

enum { END_HOPS = 4, NEAR_CUT = 2, WHOLE_HOPS = 12, LABEL_COLUMNS = 120, MAX_DRAWN = 160 };

struct made {  // a box and how it came to be
    uint32_t node, parent;
    const struct rch_hop *hop;
};

struct maker {
    struct rch_picture *picture;
    const struct rch_graph *g;
    const struct rch_answer *answer;
    const struct rch_render_options *options;
    struct rch_vec made;   // struct made
    struct rch_vec roots;  // struct root
    uint32_t question;
};

struct root {
    uint32_t node;
    const struct rch_holder *holder;
};

static enum rch_status no_memory(struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "picture of an answer");
}

static struct rch_picture_node *node_of(struct maker *m, uint32_t i)
{
    return &RCH_VEC_AT(&m->picture->nodes, struct rch_picture_node, i);
}

/// One more line of a box, if there is room. `text` NULL: out of memory.
static enum rch_status add_line(struct maker *m, uint32_t node, const char *text,
                                struct rch_error *err)
{
    if (!text)
        return no_memory(err);
    for (int i = 0; i < RCH_PICTURE_LINES; i++) {
        if (node_of(m, node)->lines[i])
            continue;
        node_of(m, node)->lines[i] = text;
        break;
    }
    return RCH_OK;
}

static enum rch_status add_question(struct maker *m, struct rch_error *err)
{
    const struct rch_asked *asked = m->options->asked;
    char bytes[RCH_NUMBER_BYTES];
    struct rch_picture_node node = {.lines = {m->answer->question},
                                    .count = m->answer->objects,
                                    .color = RCH_PICTURE_NO_COLOR,
                                    .flags = RCH_PICTURE_QUESTION};
    RCH_TRY(rch_picture_node(m->picture, &node, &m->question, err));
    if (asked && asked->kind == RCH_ASK_ADDRESS && asked->num_types)
        RCH_TRY(add_line(m, m->question, rch_picture_text(m->picture, "%s", asked->types[0].name),
                         err));
    return add_line(m, m->question,
                    rch_picture_text(m->picture, "%s", rch_bytes_text(bytes, m->answer->bytes)),
                    err);
}

static enum rch_status root_node(struct maker *m, const struct rch_holder *holder, uint32_t *out,
                                 struct rch_error *err)
{
    for (size_t i = 0; i < m->roots.num; i++) {
        const struct root *root = &RCH_VEC_AT(&m->roots, struct root, i);
        if (root->holder->root_kind == holder->root_kind &&
            strcmp(root->holder->root_name, holder->root_name) == 0 &&
            strcmp(root->holder->root_detail ? root->holder->root_detail : "",
                   holder->root_detail ? holder->root_detail : "") == 0) {
            *out = root->node;
            return RCH_OK;
        }
    }
    const char *name = rch_picture_text(m->picture, "%s%s%s", rch_root_words(holder->root_kind),
                                        holder->root_name, rch_root_suffix(holder->root_kind));
    if (!name)
        return no_memory(err);
    struct rch_picture_node node = {
        .lines = {name}, .color = RCH_PICTURE_NO_COLOR, .kind = RCH_PICTURE_ROOT};
    if (holder->root_detail && *holder->root_detail)
        node.lines[1] = rch_picture_text(m->picture, "%s", holder->root_detail);
    RCH_TRY(rch_picture_node(m->picture, &node, out, err));
    struct root root = {*out, holder};
    return rch_vec_append(&m->roots, &root, 1, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/// Is it the same object, or the same objects by the same references of the same?
static bool is_same(const struct made *made, uint32_t parent, const struct rch_hop *hop)
{
    const struct rch_hop *old = made->hop;
    if (old->num_objects != hop->num_objects || old->example != hop->example ||
        strcmp(old->type, hop->type) != 0)
        return false;
    return hop->num_objects == 1 || (made->parent == parent && old->kind == hop->kind &&
                                     old->index == hop->index && same_text(old->name, hop->name));
}

static enum rch_status hop_node(struct maker *m, uint32_t parent, const struct rch_hop *hop,
                                uint32_t *out, struct rch_error *err)
{
    for (size_t i = 0; i < m->made.num; i++) {
        const struct made *made = &RCH_VEC_AT(&m->made, struct made, i);
        if (is_same(made, parent, hop)) {
            *out = made->node;
            return RCH_OK;
        }
    }
    struct rch_picture_node node = {
        .lines = {hop->type}, .count = hop->num_objects, .color = RCH_PICTURE_NO_COLOR};
    if (hop->num_objects == 1 && hop->example < m->g->num_objects) {
        node.title = rch_picture_text(m->picture, "%s at 0x%" PRIx64, hop->type,
                                      rch_addr_of(m->g, hop->example));
        if (!node.title)
            return no_memory(err);
    }
    RCH_TRY(rch_picture_node(m->picture, &node, out, err));
    struct made made = {*out, parent, hop};
    return rch_vec_append(&m->made, &made, 1, err);
}

/// The edge of a hop, once: holders may share it.
static enum rch_status hop_edge(struct maker *m, uint32_t from, uint32_t to,
                                const struct rch_hop *hop, const char *note, struct rch_error *err)
{
    char text[RCH_CLEAN_BYTES];
    rch_hop_text(text, hop, LABEL_COLUMNS, 0);
    for (size_t i = 0; i < m->picture->edges.num; i++) {
        struct rch_picture_edge *old = &RCH_VEC_AT(&m->picture->edges, struct rch_picture_edge, i);
        if (old->from != from || old->to != to || !same_text(old->label, text))
            continue;
        old->note = note ? note : old->note;
        old->flags |= note ? RCH_PICTURE_CUT : 0;
        return RCH_OK;
    }
    struct rch_picture_edge edge = {
        .from = from,
        .to = to,
        .label = rch_picture_text(m->picture, "%s", text),
        .note = note,
        .flags =
            (uint8_t)((note ? RCH_PICTURE_CUT : 0) | (hop->is_guessed ? RCH_PICTURE_GUESSED : 0))};
    return edge.label ? rch_picture_edge(m->picture, &edge, err) : no_memory(err);
}

static enum rch_status mark_holder(struct maker *m, uint32_t node, uint32_t number,
                                   const struct rch_holder *holder, struct rch_error *err)
{
    char holds[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES];
    node_of(m, node)->flags |= RCH_PICTURE_HOLDER;
    return add_line(m, node,
                    rch_picture_text(m->picture, "%s %" PRIu32 ": holds %s of %s",
                                     m->answer->is_diffuse ? "GROUP" : "HOLDER", number,
                                     rch_count_text(holds, holder->holds),
                                     rch_count_text(all, m->answer->objects)),
                    err);
}

// Both ends of a longer path, and what is near the cut. At most 2 * END_HOPS + 2 * NEAR_CUT + 3 boxes.
static bool is_drawn(uint32_t i, uint32_t num_hops, uint32_t cut)
{
    if (num_hops <= WHOLE_HOPS || i < END_HOPS || i + END_HOPS >= num_hops)
        return true;
    return cut != UINT32_MAX && i + NEAR_CUT >= cut && i <= cut + NEAR_CUT;
}

/// Where hops of a long path are left out.
static enum rch_status put_gap(struct maker *m, uint32_t *at, const struct rch_hop *hops,
                               uint32_t num, struct rch_error *err)
{
    enum { MAX_LISTED = 30 };
    char count[RCH_NUMBER_BYTES], hop[RCH_CLEAN_BYTES];
    uint32_t node;
    struct rch_picture_node stub = {
        .lines = {rch_picture_text(m->picture, "%s more hops", rch_count_text(count, num))},
        .color = RCH_PICTURE_NO_COLOR,
        .kind = RCH_PICTURE_STUB};
    for (uint32_t i = 0; i < num && i < MAX_LISTED; i++) {
        rch_hop_text(hop, &hops[i], LABEL_COLUMNS, 0);
        stub.title = rch_picture_text(m->picture, "%s%s%s  %s", stub.title ? stub.title : "",
                                      stub.title ? "\n" : "", hop, hops[i].type);
        if (!stub.title)
            return no_memory(err);
    }
    if (!stub.lines[0])
        return no_memory(err);
    RCH_TRY(rch_picture_node(m->picture, &stub, &node, err));
    struct rch_picture_edge edge = {.from = *at, .to = node};
    *at = node;
    return rch_picture_edge(m->picture, &edge, err);
}

/// number 0: a further group of paths, without the cut.
static enum rch_status put_path(struct maker *m, const struct rch_holder *holder, uint32_t number,
                                const struct rch_hop *hops, uint32_t num_hops,
                                struct rch_error *err)
{
    uint32_t at, num_left_out = 0, cut = number && holder->is_cuttable ? holder->cut : UINT32_MAX;
    RCH_TRY(root_node(m, holder, &at, err));
    for (uint32_t i = 0; i < num_hops; i++) {
        uint32_t to = m->question;
        if (!is_drawn(i, num_hops, cut)) {
            num_left_out++;
            continue;
        }
        if (num_left_out)
            RCH_TRY(put_gap(m, &at, &hops[i - num_left_out], num_left_out, err));
        num_left_out = 0;
        if (i + 1 < num_hops)
            RCH_TRY(hop_node(m, at, &hops[i], &to, err));
        const char *note = NULL;
        if (i == cut) {
            char here[RCH_CUT_HERE_BYTES];
            rch_cut_here(here, holder);
            RCH_TRY(mark_holder(m, at, number, holder, err));
            note = rch_picture_text(m->picture, "%s", here);
            if (!note)
                return no_memory(err);
        }
        RCH_TRY(hop_edge(m, at, to, &hops[i], note, err));
        at = to;
    }
    return RCH_OK;
}

static enum rch_status note_holder(struct maker *m, uint32_t i, struct rch_error *err)
{
    const struct rch_holder *holder = &m->answer->holders[i];
    char cut[RCH_CLEAN_BYTES], entries[RCH_CUT_HERE_BYTES], mine[RCH_NUMBER_BYTES],
        all[RCH_NUMBER_BYTES], objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    if (!holder->is_cuttable || holder->cut >= holder->num_hops)
        return RCH_OK;
    rch_cut_text(cut, holder, 96, 0);
    rch_cut_entries(entries, holder);
    RCH_TRY(rch_picture_note(
        m->picture, rch_picture_text(m->picture, "%2" PRIu32 "  cut    %s%s", i + 1, cut, entries),
        err));
    if (holder->frees.objects == 0)
        RCH_TRY(rch_picture_note(
            m->picture, "    frees  nothing by itself: the other holders keep them all", err));
    else
        RCH_TRY(rch_picture_note(m->picture,
                                 rch_picture_text(m->picture,
                                                  "    frees  %s of %s, %s object%s in all, %s%s",
                                                  rch_count_text(mine, holder->frees.question),
                                                  rch_count_text(all, m->answer->objects),
                                                  rch_count_text(objects, holder->frees.objects),
                                                  holder->frees.objects == 1 ? "" : "s",
                                                  rch_bytes_text(bytes, holder->frees.bytes),
                                                  m->answer->is_partial ? "" : " (exact)"),
                                 err));
    uint32_t num_hidden = holder->num_more_groups;
    if (!m->options->all && holder->num_groups > 1)
        num_hidden += holder->num_groups - 1;
    if (num_hidden == 0)
        return RCH_OK;
    return rch_picture_note(
        m->picture,
        rch_picture_text(
            m->picture,
            "    drawn  the path of %s of them; %" PRIu32 " more shape%s of path %s not",
            rch_count_text(mine, holder->num_groups ? holder->groups[0].num_members : 0),
            num_hidden, num_hidden == 1 ? "" : "s", num_hidden == 1 ? "is" : "are"),
        err);
}

static enum rch_status note_rest(struct maker *m, uint64_t num_hidden, struct rch_error *err)
{
    const struct rch_answer *a = m->answer;
    char mine[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES], objects[RCH_NUMBER_BYTES],
        bytes[RCH_NUMBER_BYTES];
    if (a->num_holders > 1 && a->holders[0].is_cuttable)
        RCH_TRY(rch_picture_note(
            m->picture,
            rch_picture_text(
                m->picture, "all cut    %s of %s freed, %s objects in all, %s%s",
                rch_count_text(mine, a->all_cut.question), rch_count_text(all, a->objects),
                rch_count_text(objects, a->all_cut.objects),
                rch_bytes_text(bytes, a->all_cut.bytes), a->is_partial ? "" : " (exact)"),
            err));
    const struct {
        uint64_t num;
        const char *words;
    } rest[] = {{a->garbage, "not held: garbage not yet collected"},
                {a->observer, "held only by whoever asks"},
                {a->uncuttable, "held where nothing can be cut"},
                {a->in_use, "in variables of running functions"},
                {a->unexplained, "not explained"},
                {num_hidden, "more holders are not drawn"}};
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        if (rest[i].num)
            RCH_TRY(
                rch_picture_note(m->picture,
                                 rch_picture_text(m->picture, "%s %s",
                                                  rch_count_text(all, rest[i].num), rest[i].words),
                                 err));
    if (a->is_partial)
        RCH_TRY(rch_picture_note(
            m->picture, "partial: something could not be read, figures are lower bounds", err));
    return RCH_OK;
}

static enum rch_status put_holders(struct maker *m, struct rch_error *err)
{
    const struct rch_answer *a = m->answer;
    uint32_t limit = m->options->limit ? m->options->limit : a->is_diffuse ? 8 : UINT32_MAX;
    uint32_t num = 0;
    for (; num < a->num_holders && num < limit && m->picture->nodes.num < MAX_DRAWN; num++) {
        const struct rch_holder *holder = &a->holders[num];
        RCH_TRY(put_path(m, holder, num + 1, holder->hops, holder->num_hops, err));
        for (uint32_t i = 1;
             m->options->all && i < holder->num_groups && m->picture->nodes.num < MAX_DRAWN; i++)
            RCH_TRY(
                put_path(m, holder, 0, holder->groups[i].hops, holder->groups[i].num_hops, err));
        RCH_TRY(note_holder(m, num, err));
    }
    return note_rest(m, a->num_holders - num + a->num_more_holders, err);
}

/// The text outlives the answer.
static enum rch_status adopt(struct maker *m, struct rch_error *err)
{
    for (size_t i = 0; i < m->picture->nodes.num; i++) {
        struct rch_picture_node *node = node_of(m, (uint32_t)i);
        if (!(node->lines[0] = rch_picture_text(m->picture, "%s", node->lines[0])))
            return no_memory(err);
    }
    return RCH_OK;
}

static enum rch_status make(struct maker *m, struct rch_error *err)
{
    char sentence[RCH_WHY_SENTENCE_BYTES], count[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    const struct rch_answer *a = m->answer;
    const char *source = m->options->source;
    rch_why_sentence(sentence, a);
    if (a->is_diffuse && strchr(sentence, '.'))
        strchr(sentence, '.')[1] = '\0';  // the picture shows what the rest says
    m->picture->sentence = rch_picture_text(m->picture, "%s", sentence);
    m->picture->heading = rch_picture_text(
        m->picture, "%s: %s object%s, %s%s%s", a->question, rch_count_text(count, a->objects),
        a->objects == 1 ? "" : "s", rch_bytes_text(bytes, a->bytes), source ? "   " : "",
        source ? source : "");
    if (!m->picture->sentence || !m->picture->heading)
        return no_memory(err);
    RCH_TRY(add_question(m, err));
    RCH_TRY(put_holders(m, err));
    return adopt(m, err);
}

enum rch_status rch_picture_of_answer(struct rch_picture *picture, const struct rch_graph *g,
                                      const struct rch_answer *answer,
                                      const struct rch_render_options *options,
                                      struct rch_error *err)
{
    struct maker m = {.picture = picture, .g = g, .answer = answer, .options = options};
    rch_vec_init(&m.made, picture->nodes.alloc, sizeof(struct made));
    rch_vec_init(&m.roots, picture->nodes.alloc, sizeof(struct root));
    enum rch_status st = make(&m, err);
    rch_vec_deinit(&m.made);
    rch_vec_deinit(&m.roots);
    return st;
}
