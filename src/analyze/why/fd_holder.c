// SPDX-License-Identifier: MIT
// analyze/why/fd_holder.c -- breadth first against the references: through containers and the standard
// library's I/O layers, never through what refers to half the program (frames, functions, modules, types).
#include "analyze/why/fd_holder.h"

#include <string.h>

#include "analyze/common/bits.h"

enum {
    MAX_LOOKED_AT = 64,   // objects
    MAX_REFERRERS = 256,  // of one object
    MAX_DEPTH = 7,
    NO_TYPE = UINT32_MAX,
};

enum role {
    ROLE_NONE,       // says nothing, and is not passed through
    ROLE_CONTAINER,  // says nothing, what has it may
    ROLE_PLUMBING,   // a layer of I/O
    ROLE_HOLDER,     // means something
};

static bool is_one_of(const char *name, const char *const *names, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}
#define IS_ONE_OF(name, names) is_one_of((name), (names), sizeof(names) / sizeof((names)[0]))

static bool has_suffix(const char *text, const char *suffix)
{
    size_t num = strlen(text), num_suffix = strlen(suffix);
    return num >= num_suffix && strcmp(text + num - num_suffix, suffix) == 0;
}

static enum role role_of(const struct rch_graph *g, rch_node v)
{
    static const char *const containers[] = {"dict", "list", "tuple", "set", "frozenset"};
    static const char *const plumbing[] = {"_io",  "io",  "_socket",  "socket",    "select",
                                           "_ssl", "ssl", "tempfile", "selectors", "asyncio.trsock",
                                           "_pyio"};
    static const char *const silent[] = {"weakref",     "functools", "itertools", "operator",
                                         "contextlib",  "types",     "_thread",   "_contextvars",
                                         "contextvars", "threading"};
    if (rch_is_root(g, v))
        return ROLE_NONE;
    const struct rch_type *type = rch_type_of(g, v);
    const char *module = rch_str_get(g, type->module);
    if (type->flags & (RCH_TYPE_IS_TYPE | RCH_TYPE_IS_FUNCTION | RCH_TYPE_IS_MODULE))
        return ROLE_NONE;
    if (!*module)
        return IS_ONE_OF(rch_str_get(g, type->name), containers) ? ROLE_CONTAINER : ROLE_NONE;
    if (strcmp(module, "collections") == 0)
        return ROLE_CONTAINER;
    if (strcmp(module, "selectors") == 0 && !has_suffix(rch_str_get(g, type->name), "Selector"))
        return ROLE_NONE;  // its keys and mappings: whatever waits for a socket does not have it
    if (IS_ONE_OF(module, plumbing))
        return ROLE_PLUMBING;
    return IS_ONE_OF(module, silent) ? ROLE_NONE : ROLE_HOLDER;
}

struct place {  // an object come across
    rch_node node;
    uint8_t depth;
    bool is_plumbing;
    bool is_inner;  // of a layer of I/O that was come across too
};

struct climb {
    const struct rch_graph *g;
    const struct rch_reverse *rev;
    const uint64_t *observers;
    bool takes_guesses;
    struct place places[MAX_LOOKED_AT];  // in order of depth; the first is the owner
    uint32_t num;
    uint32_t holder;  // type
    uint8_t holder_depth;
};

static struct place *place_of(struct climb *climb, rch_node v)
{
    for (uint32_t i = 0; i < climb->num; i++)
        if (climb->places[i].node == v)
            return &climb->places[i];
    return NULL;
}

static uint32_t type_of(const struct rch_graph *g, rch_node v)
{
    return g->shapes[g->shape_of[v]].type;
}

/// Is the name of type a before that of b?
static bool is_before(const struct rch_graph *g, uint32_t a, uint32_t b)
{
    int order = strcmp(rch_str_get(g, g->types[a].module), rch_str_get(g, g->types[b].module));
    if (order == 0)
        order = strcmp(rch_str_get(g, g->types[a].name), rch_str_get(g, g->types[b].name));
    return order < 0;
}

/// `from` refers to place number `at`.
static void look_at(struct climb *climb, uint32_t at, rch_node from)
{
    const struct rch_graph *g = climb->g;
    enum role role = role_of(g, from);
    uint8_t depth = (uint8_t)(climb->places[at].depth + 1);
    if (role == ROLE_HOLDER &&
        (climb->holder == NO_TYPE || depth < climb->holder_depth ||
         (depth == climb->holder_depth && is_before(g, type_of(g, from), climb->holder)))) {
        climb->holder = type_of(g, from);
        climb->holder_depth = depth;
    }
    bool is_plumbing = role == ROLE_PLUMBING;
    if (is_plumbing)
        climb->places[at].is_inner = true;
    if ((is_plumbing || role == ROLE_CONTAINER) && climb->num < MAX_LOOKED_AT &&
        !place_of(climb, from))
        climb->places[climb->num++] =
            (struct place){.node = from, .depth = depth, .is_plumbing = is_plumbing};
}

static void climb_from(struct climb *climb, uint32_t at)
{
    const struct rch_reverse *rev = climb->rev;
    rch_node v = climb->places[at].node;
    uint32_t end = rev->start[v + 1];
    if (end - rev->start[v] > MAX_REFERRERS)
        end = rev->start[v] + MAX_REFERRERS;
    for (uint32_t i = rev->start[v]; i < end; i++) {
        rch_node from = rev->source[i];
        const struct rch_label *label =
            rch_label_of(climb->g, from, rev->edge[i] - climb->g->edge_start[from]);
        bool is_guessed = label->cls == RCH_CLASS_GUESSED;
        if (label->cls != RCH_CLASS_WEAK && (!is_guessed || climb->takes_guesses) &&
            !(climb->observers && rch_bit(climb->observers, from)))
            look_at(climb, at, from);
    }
}

/// The layer of I/O that no other layer has.
static uint32_t outermost(const struct climb *climb)
{
    uint32_t best = NO_TYPE;
    for (uint32_t i = 1; i < climb->num; i++) {
        const struct place *place = &climb->places[i];
        if (!place->is_plumbing || place->is_inner)
            continue;
        uint32_t type = type_of(climb->g, place->node);
        if (best == NO_TYPE || is_before(climb->g, type, best))
            best = type;
    }
    return best;
}

static uint32_t climb_up(struct climb *climb, rch_node owner)
{
    climb->places[0] = (struct place){.node = owner};
    climb->num = 1;
    climb->holder = NO_TYPE;
    for (uint32_t i = 0; i < climb->num && climb->places[i].depth < MAX_DEPTH; i++) {
        if (climb->holder != NO_TYPE && climb->places[i].depth >= climb->holder_depth)
            break;  // all that are as near have been looked at
        climb_from(climb, i);
    }
    return climb->holder != NO_TYPE ? climb->holder : outermost(climb);
}

uint32_t rch_fd_holder_type(const struct rch_graph *g, const struct rch_reverse *rev,
                            const uint64_t *observers, rch_node owner, bool only_layers)
{
    struct climb climb = {.g = g, .rev = rev, .observers = observers};
    uint32_t type = climb_up(&climb, owner);
    if (type == NO_TYPE) {
        climb.takes_guesses = true;
        type = climb_up(&climb, owner);
    }
    return only_layers ? outermost(&climb) : type;
}
