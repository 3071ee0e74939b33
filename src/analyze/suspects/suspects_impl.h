// SPDX-License-Identifier: MIT
// analyze/suspects/suspects_impl.h -- what the files of suspects.h share.
#ifndef RCH_ANALYZE_SUSPECTS_IMPL_H
#define RCH_ANALYZE_SUSPECTS_IMPL_H
#include "analyze/common/bits.h"
#include "analyze/keepers/dominators.h"
#include "analyze/suspects/suspects.h"
#include "analyze/common/view.h"
#include "base/vec.h"

/// Whose a type is, by its module.
enum rch__origin {
    RCH__BUILTIN,  // no module: dict, function, method
    RCH__STDLIB,
    RCH__PROGRAM,  // the program and the packages it uses
    RCH__OWN,      // refchain's
};
/// `module`: "" or a dotted name. O(log names).
enum rch__origin rch__origin_of_module(const char *module);
/// Why a holder is known to be benign, or NULL. `name`: of the first hop of its path, NULL: none.
const char *rch__benign_reason(const char *root_name, const char *name);

/// Objects that may be a leak, before and after they are asked about.
struct rch__lead {
    bool owns_fds;     // they own descriptors, see fd_leads.c
    uint32_t type;     // index into graph->types, the first of its name
    rch_node anchor;   // right below this one in the dominator tree; RCH_NO_NODE: all of the type
    uint64_t objects;  // members
    uint64_t bytes;    // retained, nothing twice
    int32_t prior;     // tenths of bits, before it is asked about
    struct rch_block members;  // rch_node, sorted
    struct rch_answer *answer;
    // After the answer:
    bool is_own;       // of a type of the program
    uint64_t *prints;  // one a holder, equal where leads have the same; the arena's
    uint32_t num_prints;
    uint32_t number;   // index into what `encloses` of others is about
    bool *encloses;    // by number: all members of that lead are kept by these; the arena's
    bool is_around;    // it is told with a lead that hangs in it: it keeps other things too
    uint32_t suspect;  // the lead it is told with; itself: it leads a suspect
    struct rch_suspect told;
};

struct rch__search {
    const struct rch_graph *g;
    const struct rch_reverse *rev;
    const struct rch_alloc *alloc;
    const struct rch_suspects_options *options;
    struct rch_arena *arena;
    struct rch_domtree dom;
    uint64_t *retained;         // num_nodes + 1
    struct rch_block origins;   // uint8_t a type: enum rch__origin
    struct rch_block same;      // uint32_t a type: the first type of its name
    struct rch_view view;       // of nobody's question
    struct rch_asking asking;   // the view's
    struct rch_growth *growth;  // NULL: no baseline
    struct rch_vec leads;       // struct rch__lead
    uint64_t heap_bytes;
    rch_node true_node;       // the object True, or RCH_NO_NODE
    rch_node active_threads;  // threading._active, or RCH_NO_NODE
};
#define RCH__LEAD(s, i) (&RCH_VEC_AT(&(s)->leads, struct rch__lead, i))

static inline uint32_t rch__type_at(const struct rch__search *s, rch_node v)
{
    return ((const uint32_t *)s->same.mem)[s->g->shapes[s->g->shape_of[v]].type];
}
static inline enum rch__origin rch__origin_of(const struct rch__search *s, uint32_t type)
{
    return (enum rch__origin)((const uint8_t *)s->origins.mem)[type];
}

/// Tenths of bits: `per_doubling` for each time that `value` is twice `unit`; 0 below `unit`.
int32_t rch__doublings(uint64_t value, uint64_t unit, int32_t per_doubling);
/// What number, bytes and owner say of objects of this type.
int32_t rch__size_score(const struct rch__search *s, uint32_t type, uint64_t objects,
                        uint64_t bytes);

/// The module an object hangs below in the dominator tree, by the nearest module, class or root of a
/// module: its name; NULL: none. O(depth), at most 1,000.
const char *rch__module_above(const struct rch__search *s, rch_node v);

/// What the name of a module's variable refers to, or RCH_NO_NODE. O(modules + variables).
rch_node rch__variable(const struct rch__search *s, const char *module, const char *name);

// fd_leads.c: leads of the types that own descriptors, many alike. O(descriptors).
RCH_MUST_CHECK enum rch_status rch__find_fd_leads(struct rch__search *s, struct rch_error *err);
// type_leads.c: leads of whole types. O(nodes), 4 bytes a node.
RCH_MUST_CHECK enum rch_status rch__find_type_leads(struct rch__search *s, struct rch_error *err);
// crowd_leads.c: leads of objects right below one object. O(nodes), 12 bytes a node.
RCH_MUST_CHECK enum rch_status rch__find_crowd_leads(struct rch__search *s, struct rch_error *err);

// kept.c: what only the members of some leads keep, exactly: what no root reaches without them.
struct rch__keeper {
    struct rch__search *s;
    struct rch_block alive, members, kept, queue;  // bits, bits, bits, rch_node
};
/// One sweep. After an error too, rch__keep_end.
RCH_MUST_CHECK enum rch_status rch__keep_begin(struct rch__keeper *k, struct rch_error *err);
void rch__keep_of_nobody(struct rch__keeper *k);
void rch__keep_add(struct rch__keeper *k, const struct rch__lead *lead);
/// Fill in what the leads keep that were added since rch__keep_of_nobody, descriptors too; k->kept has its
/// bits until the next call. O(nodes + refs).
RCH_MUST_CHECK enum rch_status rch__keep(struct rch__keeper *k, struct rch_suspect *told,
                                         struct rch_error *err);
/// Are all members of this lead kept?
bool rch__keeps_all(const struct rch__keeper *k, const struct rch__lead *lead);
void rch__keep_end(struct rch__keeper *k);

// evidence.c
/// Fill in score and reasons of lead->told from all evidence. `kept` (bits): what only the members keep.
RCH_MUST_CHECK enum rch_status rch__judge(struct rch__search *s, struct rch__lead *lead,
                                          const uint64_t *kept, struct rch_error *err);

#endif
