// SPDX-License-Identifier: MIT
// analyze/suspects/type_leads.c -- leads of whole types: all objects of a type of the program. A type whose objects
// are parts of those of another (each below one of them in the dominator tree, a few to one) is left to
// that one.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/suspects/suspects_impl.h"

enum {
    MIN_OBJECTS = 8,
    MAX_TYPES = 256,  // looked at closely, those of most objects
    MAX_LEADS = 20,
    FEW_TO_ONE = 4,  // more parts than this of one owner are no parts
    BIG_PART = 16,   // of the heap: fewer objects are a lead too
};

struct family {
    uint32_t type;
    uint64_t objects, bytes;  // bytes: of those that hang below no other of their type
};

struct types {
    struct rch__search *s;
    struct family *families;
    uint32_t num;
    size_t first;         // leads that were there before
    uint32_t *number_of;  // type -> family + 1
    uint32_t *parts;      // num x num: objects of the first below one of the second
};

static int compare_families(const void *a, const void *b)
{
    const struct family *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

static bool is_of_program(const struct rch__search *s, uint32_t type)
{
    uint32_t no = RCH_TYPE_IS_TYPE | RCH_TYPE_IS_FUNCTION | RCH_TYPE_IS_MODULE;
    return rch__origin_of(s, type) == RCH__PROGRAM && !(s->g->types[type].flags & no);
}

static void count_objects(struct types *t, struct family *by_type)
{
    struct rch__search *s = t->s;
    for (uint32_t i = 0; i < s->g->num_types; i++)
        by_type[i].type = i;
    for (rch_node v = 0; v < s->g->num_objects && rch_goes_on(&s->asking, 1); v++) {
        uint32_t type = rch__type_at(s, v);
        if (is_of_program(s, type) && !rch_is_orphan(&s->dom, v)) {
            by_type[type].objects++;
            by_type[type].bytes += s->retained[v];
        }
    }
    qsort(by_type, s->g->num_types, sizeof(*by_type), compare_families);
    while (t->num < s->g->num_types && t->num < MAX_TYPES && by_type[t->num].objects)
        t->num++;
    t->families = by_type;
}

// Whose parts the objects of a type are: of the nearest object above that is of one of the types too.
static void count_parts(struct types *t, uint32_t *nearest)
{
    struct rch__search *s = t->s;
    for (uint32_t i = 0; i < t->num; i++) {
        t->number_of[t->families[i].type] = i + 1;
        t->families[i].bytes = 0;
    }
    for (uint32_t i = 1; i < s->dom.num_reached && rch_goes_on(&s->asking, 2); i++) {
        rch_node v = s->dom.preorder[i], above = s->dom.idom[v];
        uint32_t owner = above == rch_super_root(&s->dom) ? 0 : nearest[above];
        nearest[v] = owner;
        if (rch_is_root(s->g, v) || !t->number_of[rch__type_at(s, v)])
            continue;
        uint32_t family = t->number_of[rch__type_at(s, v)];
        nearest[v] = family;
        if (owner)
            t->parts[(size_t)(family - 1) * t->num + (owner - 1)]++;
        if (owner != family)
            t->families[family - 1].bytes += s->retained[v];
    }
}

static bool is_part(const struct types *t, uint32_t family)
{
    const struct family *mine = &t->families[family];
    for (uint32_t i = 0; i < t->num; i++) {
        uint64_t below = t->parts[(size_t)family * t->num + i];
        if (i != family && below >= mine->objects - mine->objects / 4 &&
            t->families[i].objects >= MIN_OBJECTS &&
            mine->objects <= FEW_TO_ONE * t->families[i].objects)
            return true;
    }
    return false;
}

static int compare_priors(const void *a, const void *b)
{
    const struct rch__lead *x = a, *y = b;
    if (x->prior != y->prior)
        return x->prior > y->prior ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

static bool is_lead(const struct rch__search *s, uint32_t type, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (RCH__LEAD(s, i)->type == type)
            return true;
    return false;
}

static enum rch_status add_leads(struct types *t, struct rch_error *err)
{
    struct rch__search *s = t->s;
    for (uint32_t i = 0; i < t->num; i++) {
        const struct family *family = &t->families[i];
        bool is_big = family->objects > 1 && family->bytes > s->heap_bytes / BIG_PART;
        if ((family->objects < MIN_OBJECTS && !is_big) || is_part(t, i) ||
            is_lead(s, family->type, t->first))
            continue;
        struct rch__lead lead = {.type = family->type,
                                 .anchor = RCH_NO_NODE,
                                 .objects = family->objects,
                                 .bytes = family->bytes};
        lead.prior = rch__size_score(s, lead.type, lead.objects, lead.bytes);
        RCH_TRY(rch_vec_append(&s->leads, &lead, 1, err));
    }
    size_t num = s->leads.num - t->first;
    if (num)
        qsort(RCH__LEAD(s, t->first), num, sizeof(struct rch__lead), compare_priors);
    s->leads.num = t->first + (num < MAX_LEADS ? num : MAX_LEADS);
    return RCH_OK;
}

enum rch_status rch__find_type_leads(struct rch__search *s, struct rch_error *err)
{
    struct types t = {.s = s, .first = s->leads.num};
    RCH_BLOCK(families, s->alloc, s->g->num_types, sizeof(struct family));
    RCH_BLOCK(numbers, s->alloc, s->g->num_types, sizeof(uint32_t));
    RCH_BLOCK(nearest, s->alloc, s->g->num_nodes, sizeof(uint32_t));
    if (!families.mem || !numbers.mem || !nearest.mem)
        return rch_fail(err, RCH_ENOMEM, "suspects among %" PRIu32 " types", s->g->num_types);
    count_objects(&t, families.mem);
    RCH_BLOCK(parts, s->alloc, (size_t)t.num * t.num, sizeof(uint32_t));
    if (!parts.mem)
        return rch_fail(err, RCH_ENOMEM, "suspects among %" PRIu32 " types", t.num);
    t.number_of = numbers.mem;
    t.parts = parts.mem;
    count_parts(&t, nearest.mem);
    RCH_TRY(rch_view_check(&s->view, err));
    return add_leads(&t, err);
}
