// SPDX-License-Identifier: MIT
// analyze/suspects/evidence_size.c -- evidence in numbers: how many, how large, how they hang together.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/suspects/evidence.h"
#include "analyze/common/fingerprint.h"

enum {
    ACCUMULATES = 20,
    BY_NAME = -15,
    CHAIN = 25,
    SEVERAL = 15,
    SEVERAL_OF_OTHERS = 5,
    SCATTERED = -50,
    PER_SOCKET = 12,  // each doubling
    PER_FILE = 8,
    SOME_GARBAGE = 14,  // as between two collections
    MUCH_GARBAGE = 40,
    MUCH = 2000,  // more than a collection of the young waits for
    MANY = 8,
};

struct rch__verdict rch__verdict_of(struct rch__case *c, int32_t score, const char *sentence)
{
    c->is_out_of_memory = c->is_out_of_memory || !sentence;
    return (struct rch__verdict){score, sentence};
}

static const char *plural(uint64_t num)
{
    return num == 1 ? "" : "s";
}

// Its score is that of rch__size_score(); here it is told where it is a large part of the heap.
struct rch__verdict rch__judge_size(struct rch__case *c)
{
    uint64_t heap = c->s->heap_bytes, kept = c->lead->told.kept_bytes;
    if (!heap || kept < heap / 20)
        return (struct rch__verdict){0, NULL};
    uint64_t percent = (uint64_t)((double)kept * 100.0 / (double)heap + 0.5);
    return RCH__VERDICT(c, 0, "they keep %" PRIu64 "%% of the heap", percent);
}

/// The reference of a path at which one becomes many: entries of a container, or what a root holds
/// together. UINT32_MAX: none.
static uint32_t multiplies_at(const struct rch_holder *holder)
{
    enum { TIMES = 4 };
    uint32_t best = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < holder->num_hops; i++) {
        uint32_t before = i ? holder->hops[i - 1].num_objects : 1;
        uint32_t num = holder->hops[i].num_objects;
        bool is_entry = rch_hop_repeats(&holder->hops[i]) ||
                        holder->hops[i].kind == RCH_EDGE_REFERENCE ||
                        (holder->is_cuttable && holder->cut_is_group && i == holder->cut);
        if (is_entry && num >= MANY && num / TIMES >= before && num / before > most) {
            best = i;
            most = num / before;
        }
    }
    return best;
}

/// All holders are single references, not entries: attributes of modules and classes, mostly.
static bool hangs_on_names(const struct rch_answer *answer)
{
    for (uint32_t i = 0; i < answer->num_holders; i++)
        if (!answer->holders[i].is_cuttable || answer->holders[i].cut_is_group)
            return false;
    return answer->num_holders && !answer->is_diffuse;
}

struct rch__verdict rch__judge_accumulation(struct rch__case *c)
{
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        uint32_t at = multiplies_at(holder);
        if (at == UINT32_MAX || holder->holds < answer->objects / 4)
            continue;
        uint32_t num = holder->hops[at].num_objects;
        if (!at)
            return RCH__VERDICT(
                c, ACCUMULATES,
                "they accumulate: %" PRIu32 " references out of one place hold them", num);
        uint32_t containers = holder->hops[at - 1].num_objects;
        if (containers > 1)
            return RCH__VERDICT(c, ACCUMULATES,
                                "they accumulate: %" PRIu32 " entries of %" PRIu32
                                " containers (%s) lead to them",
                                num, containers, holder->hops[at - 1].type);
        return RCH__VERDICT(c, ACCUMULATES,
                            "they accumulate: %" PRIu32
                            " entries of one container (%s) lead to them",
                            num, holder->hops[at - 1].type);
    }
    return (struct rch__verdict){hangs_on_names(answer) ? BY_NAME : 0, NULL};
}

static int compare_nodes(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = *(const rch_node *)b;
    return (x > y) - (x < y);
}

/// The nearest member that keeps a member, a few references above it; RCH_NO_NODE: none.
static rch_node member_above(const struct rch__search *s, const struct rch__lead *lead, rch_node v)
{
    enum { MAX_STEPS = 8 };
    rch_node above = s->dom.idom[v];
    for (int i = 0; i < MAX_STEPS && above != RCH_NO_NODE && above < s->g->num_objects; i++) {
        if (rch__type_at(s, above) == lead->type &&
            bsearch(&above, lead->members.mem, lead->objects, sizeof(above), compare_nodes))
            return above;
        above = s->dom.idom[above];
    }
    return RCH_NO_NODE;
}

struct rch__verdict rch__judge_chain(struct rch__case *c)
{
    const struct rch__lead *lead = c->lead;
    const rch_node *members = lead->members.mem;
    RCH_BITS(seen, c->s->alloc, c->s->g->num_nodes);
    uint64_t num = 0, links = 0;  // members below another; others that one is below
    c->is_out_of_memory = c->is_out_of_memory || !seen.mem;
    for (uint64_t i = 0; seen.mem && i < lead->objects; i++) {
        rch_node above = member_above(c->s, lead, members[i]);
        num += above != RCH_NO_NODE;
        links += above != RCH_NO_NODE && rch_bit_add(seen.mem, above);
    }
    if (num < MANY || num < lead->objects - lead->objects / 4 || links < num / 2)
        return (struct rch__verdict){0, NULL};
    return RCH__VERDICT(c, CHAIN, "%" PRIu64 " of them hang in a chain: one keeps the next", num);
}

struct rch__verdict rch__judge_several(struct rch__case *c)
{
    const struct rch_answer *answer = c->lead->answer;
    if (answer->is_diffuse || answer->num_holders < 2 || answer->objects < MANY ||
        !answer->holders[0].is_cuttable)
        return (struct rch__verdict){0, NULL};
    uint64_t alone = 0;
    for (uint32_t i = 0; i < answer->num_holders; i++)
        alone += answer->holders[i].frees.question;
    if (alone >= answer->all_cut.question)
        return (struct rch__verdict){0, NULL};  // each has its own
    bool is_own = rch__origin_of(c->s, c->lead->type) == RCH__PROGRAM;
    return RCH__VERDICT(c, is_own ? SEVERAL : SEVERAL_OF_OTHERS,
                        "%" PRIu32 " independent holders keep them: who repairs one sees most stay",
                        answer->num_holders);
}

struct rch__verdict rch__judge_scattered(struct rch__case *c)
{
    const struct rch_answer *answer = c->lead->answer;
    if (!answer->is_diffuse)
        return (struct rch__verdict){0, NULL};
    uint64_t most = answer->num_holders ? answer->holders[0].holds : 0;
    if (most >= answer->objects - answer->objects / 4)
        return (struct rch__verdict){0, NULL};  // paths that look alike are one place in the code
    return (struct rch__verdict){
        SCATTERED, "no few references hold them: they belong to many places of the program"};
}

struct rch__verdict rch__judge_resources(struct rch__case *c)
{
    const struct rch_suspect *told = &c->lead->told;
    uint32_t num = told->sockets + told->files + told->other_fds;
    int32_t score = rch__doublings(told->sockets, 1, PER_SOCKET) +
                    rch__doublings((uint64_t)told->files + told->other_fds, 1, PER_FILE);
    if (!num)
        return (struct rch__verdict){0, NULL};
    if (told->sockets == num)
        return RCH__VERDICT(c, score, "they keep %" PRIu32 " socket%s open", num, plural(num));
    if (told->files == num)
        return RCH__VERDICT(c, score, "they keep %" PRIu32 " file%s open", num, plural(num));
    return RCH__VERDICT(
        c, score,
        "they keep %" PRIu32 " descriptors open: %" PRIu32 " socket%s, %" PRIu32 " file%s", num,
        told->sockets, plural(told->sockets), told->files, plural(told->files));
}

struct rch__verdict rch__judge_garbage(struct rch__case *c)
{
    const struct rch_answer *answer = c->lead->answer;
    if (answer->garbage < MANY || answer->garbage < answer->objects / 2)
        return (struct rch__verdict){0, NULL};
    return RCH__VERDICT(c, answer->garbage < MUCH ? SOME_GARBAGE : MUCH_GARBAGE,
                        "%" PRIu64 " of them are reached by nothing but reference cycles: the "
                        "collector is off, or has not come by",
                        answer->garbage);
}

// --- growth ---

/// New objects of a lead of a whole type, or at the places of its holders.
static uint64_t num_new(const struct rch__case *c)
{
    const struct rch_growth *growth = c->s->growth;
    const struct rch_answer *answer = c->lead->answer;
    uint64_t num = 0;
    if (c->lead->anchor == RCH_NO_NODE) {
        for (uint32_t i = 0; i < growth->num_types; i++)
            if (strcmp(growth->types[i].type, c->lead->told.type) == 0)
                return growth->types[i].made;
        return 0;
    }
    for (uint32_t i = 0; i < growth->num_places; i++)
        for (uint32_t k = 0; k < answer->num_holders; k++)
            if (strcmp(growth->places[i].holder.fingerprint, answer->holders[k].fingerprint) == 0)
                num += growth->places[i].objects;
    return num;
}

struct rch__verdict rch__judge_growth(struct rch__case *c)
{
    enum { STAYS = -40, LEAST = 20, PER_NEW = 10, MOST = 80 };
    if (!c->s->growth)
        return (struct rch__verdict){0, NULL};
    uint64_t num = num_new(c), all = c->lead->told.objects;
    num = num < all ? num : all;
    if (num == 0)
        return (struct rch__verdict){STAYS, "none of them is new since the baseline"};
    int32_t score = LEAST + rch__doublings(num, 1, PER_NEW);
    return RCH__VERDICT(c, score < MOST ? score : MOST,
                        "%" PRIu64 " of the %" PRIu64 " are new since the baseline", num, all);
}

// --- plain data ---

// Tables of numbers and words are in every program.
struct rch__verdict rch__judge_plain_data(struct rch__case *c)
{
    enum { PLAIN = -15 };
    static const char *const names[] = {"str", "int", "float", "complex", "code", "frozenset"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(c->lead->told.type, names[i]) == 0)
            return (struct rch__verdict){PLAIN, NULL};
    return (struct rch__verdict){0, NULL};
}
