// SPDX-License-Identifier: MIT
// analyze/common/ask.h -- from what a user types to questions with their objects. A short name that several
// types share gives one question a type; a glob is one question about all it matches.
#ifndef RCH_ANALYZE_ASK_H
#define RCH_ANALYZE_ASK_H
#include "analyze/why/why.h"

enum rch_ask_kind {
    RCH_ASK_TYPE,     // all instances of one type
    RCH_ASK_GLOB,     // all instances of all types whose full name matches
    RCH_ASK_ADDRESS,  // one object
    RCH_ASK_OBJECTS,  // given by the caller
};

struct rch_asked_type {
    const char *name;  // full name
    uint32_t num_objects;
};

struct rch_asked {
    enum rch_ask_kind kind;
    struct rch_question question;
    rch_addr addr;                       // ADDRESS: where it is, otherwise 0
    const struct rch_asked_type *types;  // TYPE, ADDRESS: one; GLOB: most objects first
    uint32_t num_types;
};

struct rch_ask_list {
    struct rch_arena arena;  // owns everything below
    const char *pattern;
    struct rch_asked *asked;  // most objects first, then by name; more than one: ambiguous
    uint32_t num_asked;
    const struct rch_asked_type
        *near;          // types with objects whose names look like the pattern, best
    uint32_t num_near;  // first; only filled when nothing was found
};

/// Questions that `pattern` asks: a type's short or full name, a glob over full names, or an object's
/// address (0x... or decimal, as id() gives it). Types without objects are left out, unless there is
/// no other: then one question without members. RCH_ENOTFOUND when there is no such type or object:
/// the error's message says so and `near` lists what may have been meant.
/// *list_out is valid after every return; the caller ends it with rch_ask_list_deinit.
/// O(types + objects), plus O(types * name length squared) when nothing is found.
RCH_MUST_CHECK enum rch_status rch_ask(const struct rch_graph *g, const char *pattern,
                                       const struct rch_alloc *alloc, struct rch_ask_list *list_out,
                                       struct rch_error *err);
void rch_ask_list_deinit(struct rch_ask_list *list);

#endif
