// SPDX-License-Identifier: MIT
// analyze/growth/series_impl.h -- what the files of series.h share.
#ifndef RCH_ANALYZE_SERIES_IMPL_H
#define RCH_ANALYZE_SERIES_IMPL_H
#include "analyze/growth/growth.h"
#include "analyze/growth/series.h"
#include "base/vec.h"
#include "model/intern.h"

#define RCH__NO_ROW UINT32_MAX

struct rch__tally {  // of one row or type at one moment
    uint64_t objects, bytes;
};
struct rch__turnover {  // of one type between two moments
    uint64_t made, gone, survivors;
};

struct rch__place {
    uint32_t parent;      // RCH__NO_ROW: a root
    uint32_t name, type;  // strings; of a root: its name and detail
    uint32_t fd_type;     // objects there own descriptors, and who has those is of this type; 0: no
    rch_addr example;     // of an object there at the last moment that had one; 0: none
    bool is_names;        // names of attributes
    uint8_t kind;         // enum rch_edge_kind; of a root enum rch_root_kind
};

struct rch__type_row {
    uint32_t name;  // string
    bool is_wanted;
};

struct rch__moment {
    struct rch_moment facts;
    struct rch_vec places;     // rch__tally; rows past its end are empty
    struct rch_vec types;      // rch__tally
    struct rch_vec turnovers;  // rch__turnover, by type
};

struct rch_series {
    const struct rch_alloc *alloc;
    struct rch_series_options options;
    struct rch_arena arena;
    struct rch_vec strings;  // const char *; number 0 is ""
    struct rch_vec places;   // rch__place; a parent comes before its children
    struct rch_vec types;    // rch__type_row
    struct rch_intern string_set, place_set, type_set;
    struct rch_baseline *first, *last;
    struct rch__moment moments[RCH_SERIES_MAX];
    uint32_t num_moments;
};

static inline const char *rch__series_string(const struct rch_series *s, uint32_t number)
{
    return RCH_VEC_AT(&s->strings, const char *, number);
}
static inline struct rch__tally rch__tally_at(const struct rch_vec *tallies, uint32_t row)
{
    return row < tallies->num ? RCH_VEC_AT(tallies, struct rch__tally, row)
                              : (struct rch__tally){0};
}

/// The number of a string, of a place, of a type by its name; they are added if they are new.
RCH_MUST_CHECK enum rch_status rch__series_intern(struct rch_series *s, const char *text,
                                                  uint32_t *out, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__series_place(struct rch_series *s,
                                                 const struct rch__place *place, uint32_t *out,
                                                 struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch__series_type(struct rch_series *s, uint32_t name, uint32_t *out,
                                                struct rch_error *err);
/// Count the objects of a graph by place; `type_of` and `type_names`: by the graph's types.
RCH_MUST_CHECK enum rch_status rch__series_count_places(
    struct rch_series *s, const struct rch_graph *g, const struct rch_reverse *rev,
    const uint32_t *type_names, const struct rch_progress *progress, struct rch__moment *moment,
    struct rch_error *err);

#endif
