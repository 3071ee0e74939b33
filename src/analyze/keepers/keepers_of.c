// SPDX-License-Identifier: MIT
// analyze/keepers/keepers_of.c -- what has the objects of a question in its hands: their immediate dominators in groups,
// and the nearest dominator of all of them.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/keepers/keepers_impl.h"
#include "analyze/common/path.h"

struct hand {  // a group of dominators in the making
    uint64_t num_dominators, members, retained_objects, retained;
    uint32_t past;     // in the order of the tree, behind what its last member dominates
    rch_node example;  // the one that keeps most
};

// Groups are numbered: one a type, then one a root, then what several roots hold, then orphans.
struct hands {
    struct rch__forest *f;
    const struct rch_question *question;
    struct rch_dominators_of *out;
    uint64_t *members, *seen;  // bits: of the question; dominators that are counted
    struct hand *by_group;
};

static enum rch_status no_memory(const struct rch_graph *g, struct rch_error *err)
{
    return rch_fail(err, RCH_ENOMEM, "dominators of %" PRIu32 " nodes", g->num_nodes);
}

static uint32_t shared_group(const struct rch_graph *g)
{
    return g->num_types + g->num_roots;
}

static uint32_t group_of(const struct hands *h, rch_node v, rch_node *owner_out)
{
    const struct rch_graph *g = h->f->g;
    *owner_out = RCH_NO_NODE;
    if (rch_is_orphan(&h->f->dom, v))
        return shared_group(g) + 1;
    rch_node owner = rch__object_above(h->f, v);
    if (owner == rch_super_root(&h->f->dom))
        return shared_group(g);
    *owner_out = owner;
    return rch_is_root(g, owner) ? g->num_types + (owner - g->num_objects)
                                 : g->shapes[g->shape_of[owner]].type;
}

static void note_dominator(struct hands *h, struct hand *hand, rch_node owner)
{
    const uint64_t *bytes = h->f->bytes;
    if (owner == RCH_NO_NODE || !rch_bit_add(h->seen, owner))
        return;
    if (!hand->num_dominators++ || bytes[owner] > bytes[hand->example] ||
        (bytes[owner] == bytes[hand->example] && owner < hand->example))
        hand->example = owner;
}

static void count_members(struct hands *h)
{
    const struct rch_graph *g = h->f->g;
    for (uint32_t i = 0; i < h->question->num_members && rch_goes_on(&h->f->asking, 4); i++) {
        rch_node v = h->question->members[i], owner;
        struct hand *hand = &h->by_group[group_of(h, v, &owner)];
        hand->members++;
        note_dominator(h, hand, owner);
        rch_bit_set(h->members, v);
        h->out->bytes += rch_size_bytes(g, v);
        if (rch_is_orphan(&h->f->dom, v)) {
            hand->retained_objects++;
            hand->retained += rch_size_bytes(g, v);
            h->out->retained_objects++;
            h->out->retained += rch_size_bytes(g, v);
        }
    }
}

// Members in the order of the tree: one below another of its group has been counted with that.
static void count_retained(struct hands *h)
{
    const struct rch__forest *f = h->f;
    const rch_node *order = f->order.mem;
    const uint32_t *count = f->count.mem;
    uint32_t past = 0;
    for (uint32_t i = 1; i < f->dom.num_reached && rch_goes_on(&h->f->asking, 1); i++) {
        rch_node v = order[i], owner;
        if (!rch_bit(h->members, v))
            continue;
        struct hand *hand = &h->by_group[group_of(h, v, &owner)];
        if (i >= hand->past) {
            hand->past = i + count[v];
            hand->retained_objects += rch__objects_under(f, v);
            hand->retained += f->bytes[v];
        }
        if (i >= past) {
            past = i + count[v];
            h->out->retained_objects += rch__objects_under(f, v);
            h->out->retained += f->bytes[v];
        }
    }
}

// The last node of the tree that has all members below it and is none itself; the super root if there is no
// other.
static enum rch_status find_common(struct hands *h, rch_node *common_out, struct rch_error *err)
{
    const struct rch_domtree *dom = &h->f->dom;
    RCH_BLOCK(block, h->f->alloc, (size_t)dom->num_nodes + 1, sizeof(uint32_t));
    uint32_t *num = block.mem;
    if (!num)
        return no_memory(h->f->g, err);
    *common_out = rch_super_root(dom);
    for (uint32_t i = dom->num_reached; i-- > 1;) {
        rch_node v = dom->preorder[i];
        if (!rch_goes_on(&h->f->asking, 1))
            return rch_view_check(&h->f->view, err);
        num[v] += rch_bit(h->members, v);
        if (num[v] == h->question->num_members) {
            while (v < dom->num_nodes && (rch_bit(h->members, v) || rch_bit(h->f->plumbing.mem, v)))
                v = dom->idom[v];
            *common_out = v;
            break;
        }
        num[dom->idom[v]] += num[v];
    }
    return RCH_OK;
}

// --- in words ---

static enum rch_status name_node(struct hands *h, rch_node v, struct rch_holder *place,
                                 const char **type_out, struct rch_error *err)
{
    const struct rch_graph *g = h->f->g;
    *type_out = rch_type_text(g, g->shapes[g->shape_of[v]].type, &h->out->arena);
    if (!*type_out)
        return no_memory(g, err);
    return rch_name_objects(&h->f->view, &v, 1, &h->out->arena, place, err);
}

static enum rch_status tell_common(struct hands *h, struct rch_error *err)
{
    const struct rch_graph *g = h->f->g;
    struct rch_dominators_of *out = h->out;
    rch_node common = rch_super_root(&h->f->dom);
    out->common_node = RCH_NO_NODE;
    if (h->question->num_members)
        RCH_TRY(find_common(h, &common, err));
    if (common == rch_super_root(&h->f->dom))
        return RCH_OK;
    out->has_common = true;
    out->common_objects = rch__objects_under(h->f, common);
    out->common_bytes = h->f->bytes[common];
    if (rch_is_root(g, common))
        return rch_name_root(g, common - g->num_objects, &out->arena, &out->common, err);
    out->common_node = common;
    return name_node(h, common, &out->common, &out->common_type, err);
}

static enum rch_status tell_group(struct hands *h, uint32_t number, struct rch_error *err)
{
    const struct rch_graph *g = h->f->g;
    const struct hand *hand = &h->by_group[number];
    struct rch_dominator_group *group = &h->out->groups[h->out->num_groups++];
    *group = (struct rch_dominator_group){.kind = RCH_KEEPER_PLACE,
                                          .example = RCH_NO_NODE,
                                          .num_dominators = hand->num_dominators,
                                          .members = hand->members,
                                          .retained_objects = hand->retained_objects,
                                          .retained = hand->retained};
    if (number >= shared_group(g)) {
        group->kind = number == shared_group(g) ? RCH_KEEPER_SHARED : RCH_KEEPER_ORPHANS;
        return RCH_OK;
    }
    if (number >= g->num_types) {
        group->kind = RCH_KEEPER_ROOTS;
        return rch_name_root(g, number - g->num_types, &h->out->arena, &group->place, err);
    }
    group->example = hand->example;
    group->type = rch_type_text(g, number, &h->out->arena);
    return group->type ? RCH_OK : no_memory(g, err);
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int by_members(const void *a, const void *b)
{
    const struct rch_dominator_group *x = a, *y = b;
    if (x->members != y->members)
        return x->members > y->members ? -1 : 1;
    int order = compare_texts(x->type, y->type);
    return order ? order : compare_texts(x->place.root_name, y->place.root_name);
}

// The paths of all examples at once.
static enum rch_status name_examples(struct hands *h, struct rch_error *err)
{
    struct rch_dominators_of *out = h->out;
    RCH_BLOCK(nodes, h->f->alloc, out->num_groups, sizeof(rch_node));
    RCH_BLOCK(places, h->f->alloc, out->num_groups, sizeof(struct rch_holder));
    rch_node *examples = nodes.mem;
    struct rch_holder *holders = places.mem;
    uint32_t num = 0;
    if (!examples || !holders)
        return no_memory(h->f->g, err);
    for (uint32_t i = 0; i < out->num_groups; i++)
        if (out->groups[i].example != RCH_NO_NODE)
            examples[num++] = out->groups[i].example;
    RCH_TRY(rch_name_objects(&h->f->view, examples, num, &out->arena, holders, err));
    num = 0;
    for (uint32_t i = 0; i < out->num_groups; i++)
        if (out->groups[i].example != RCH_NO_NODE)
            out->groups[i].place = holders[num++];
    return RCH_OK;
}

static enum rch_status tell(struct hands *h, struct rch_error *err)
{
    struct rch_dominators_of *out = h->out;
    uint32_t num = shared_group(h->f->g) + 2, num_used = 0;
    for (uint32_t i = 0; i < num; i++)
        num_used += h->by_group[i].members != 0;
    out->groups = rch_arena_take(&out->arena, num_used, sizeof(*out->groups));
    if (!out->groups)
        return no_memory(h->f->g, err);
    for (uint32_t i = 0; i < num; i++)
        if (h->by_group[i].members)
            RCH_TRY(tell_group(h, i, err));
    if (num_used)
        qsort(out->groups, num_used, sizeof(*out->groups), by_members);
    RCH_TRY(name_examples(h, err));
    return tell_common(h, err);
}

static enum rch_status answer(struct rch__forest *f, const struct rch_question *question,
                              struct rch_dominators_of *out, struct rch_error *err)
{
    const struct rch_graph *g = f->g;
    RCH_BITS(members, f->alloc, g->num_nodes);
    RCH_BITS(seen, f->alloc, g->num_nodes);
    RCH_BLOCK(groups, f->alloc, (size_t)shared_group(g) + 2, sizeof(struct hand));
    struct hands h = {f, question, out, members.mem, seen.mem, groups.mem};
    const char *text = question->text ? question->text : "";
    out->question = rch_arena_copy(&out->arena, text, strlen(text));
    if (!h.members || !h.seen || !h.by_group || !out->question)
        return no_memory(g, err);
    out->members = question->num_members;
    out->is_partial = g->info.is_partial != 0;
    count_members(&h);
    count_retained(&h);
    RCH_TRY(rch_view_check(&f->view, err));
    return tell(&h, err);
}

static enum rch_status check(const struct rch_graph *g, const struct rch_question *question,
                             struct rch_error *err)
{
    for (uint32_t i = 0; i < question->num_members; i++)
        if (question->members[i] >= g->num_objects)
            return rch_fail(err, RCH_EINVAL, "member %" PRIu32 " of the question is no object", i);
    return RCH_OK;
}

static enum rch_status grow_and_answer(const struct rch_graph *g, const struct rch_reverse *rev,
                                       const struct rch_question *question,
                                       const struct rch_progress *progress,
                                       const struct rch_alloc *alloc, struct rch_dominators_of *out,
                                       struct rch_error *err)
{
    struct rch__forest f;
    RCH_TRY(rch__forest_init(&f, g, rev, progress, alloc, err));
    enum rch_status st = answer(&f, question, out, err);
    rch__forest_deinit(&f);
    return st;
}

enum rch_status rch_dominators_of(const struct rch_graph *g, const struct rch_reverse *rev,
                                  const struct rch_question *question,
                                  const struct rch_progress *progress,
                                  const struct rch_alloc *alloc, struct rch_dominators_of **out,
                                  struct rch_error *err)
{
    RCH_TRY(check(g, question, err));
    struct rch_reverse own = {0};
    if (!rev)
        RCH_TRY(rch_reverse_make(&own, g, alloc, progress, err));
    struct rch_dominators_of *made = rch_calloc(alloc, 1, sizeof(*made));
    enum rch_status st = made ? RCH_OK : no_memory(g, err);
    if (made) {
        rch_arena_init(&made->arena, alloc);
        st = grow_and_answer(g, rev ? rev : &own, question, progress, alloc, made, err);
    }
    if (!rev)
        rch_reverse_deinit(&own);
    if (st == RCH_OK)
        *out = made;
    else
        rch_dominators_of_free(made);
    return st;
}

void rch_dominators_of_free(struct rch_dominators_of *made)
{
    if (!made)
        return;
    const struct rch_alloc *alloc = made->arena.alloc;
    rch_arena_deinit(&made->arena);
    rch_free(alloc, made, 1, sizeof(*made));
}
