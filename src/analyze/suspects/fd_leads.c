// SPDX-License-Identifier: MIT
// analyze/suspects/fd_leads.c -- leads of the types that own open descriptors: the nearest object that means something
// to a reader, as `fds` names it (TCPTransport for a socket), of a type with many.
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/why/fd_holder.h"
#include "analyze/suspects/suspects_impl.h"

enum { MIN_DESCRIPTORS = 8, MAX_LEADS = 6 };

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int compare_leads(const void *a, const void *b)
{
    const struct rch__lead *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects > y->objects ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

// For each descriptor's owner the type of what has it.
static enum rch_status find_types(const struct rch__search *s, struct rch_vec *types,
                                  struct rch_error *err)
{
    const struct rch_graph *g = s->g;
    for (uint32_t i = 0; i < g->num_fd_owners; i++) {
        rch_node owner = g->fd_owners[i].node;
        if (rch_is_orphan(&s->dom, owner))
            continue;
        uint32_t type = rch_fd_holder_type(g, s->rev, s->view.removed.mem, owner, false);
        type = type == UINT32_MAX ? g->shapes[g->shape_of[owner]].type : type;
        type = ((const uint32_t *)s->same.mem)[type];
        RCH_TRY(rch_vec_append(types, &type, 1, err));
    }
    if (types->num)
        qsort(types->mem, types->num, sizeof(uint32_t), compare_numbers);
    return RCH_OK;
}

static void measure(struct rch__search *s, struct rch__lead *lead)
{
    lead->objects = lead->bytes = 0;
    for (rch_node v = 0; v < s->g->num_objects && rch_goes_on(&s->asking, 1); v++) {
        if (rch__type_at(s, v) == lead->type && !rch_is_orphan(&s->dom, v)) {
            lead->objects++;
            lead->bytes += s->retained[v];
        }
    }
    lead->prior = rch__size_score(s, lead->type, lead->objects, lead->bytes);
}

enum rch_status rch__find_fd_leads(struct rch__search *s, struct rch_error *err)
{
    RCH_VEC(types, s->alloc, uint32_t);
    RCH_TRY(find_types(s, &types, err));
    for (size_t i = 0, past; i < types.num; i = past) {
        uint32_t type = RCH_VEC_AT(&types, uint32_t, i);
        for (past = i; past < types.num && RCH_VEC_AT(&types, uint32_t, past) == type; past++)
            continue;
        struct rch__lead lead = {
            .type = type, .anchor = RCH_NO_NODE, .owns_fds = true, .objects = past - i};
        if (past - i >= MIN_DESCRIPTORS)
            RCH_TRY(rch_vec_append(&s->leads, &lead, 1, err));
    }
    if (s->leads.num)
        qsort(s->leads.mem, s->leads.num, sizeof(struct rch__lead), compare_leads);
    if (s->leads.num > MAX_LEADS)
        s->leads.num = MAX_LEADS;
    for (size_t i = 0; i < s->leads.num; i++)
        measure(s, RCH__LEAD(s, i));
    return rch_view_check(&s->view, err);
}
