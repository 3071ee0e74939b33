// SPDX-License-Identifier: MIT
// analyze/growth/series.h -- how many objects hang at each place, moment after moment: what grows in every
// step. A place is a path from a root without keys and indices, and the type it ends at; the paths of a
// whole heap merge into one tree of places. No object is told from another, so the moments may be of
// different processes, and an address that is used again misleads nobody.
//
// After BLeak (Vilk and Berger, PLDI 2018) and LeakCanary's ObjectGrowthDetector: compare merged trees
// of preferred paths over repeats of a scenario. Paths that come back to where they were (a linked
// list, a tree) go in a circle, so that a longer list is the same place with more objects.
#ifndef RCH_ANALYZE_SERIES_H
#define RCH_ANALYZE_SERIES_H
#include "analyze/why/why.h"

enum { RCH_SERIES_MAX = 256 };  // moments

/// What is kept of graphs: 16 bytes a place and moment, names; with `identity` 8 bytes an object of the
/// first and of the last graph.
struct rch_series;

struct rch_series_options {
    const char *pattern;  // only objects of these types (select.h) are told; NULL: all
    bool places;          // where they hang; false: types only, which is cheap
    bool identity;        // which objects came and went, by address and type
};
/// `options` are copied, its pattern too. The caller owns *out.
RCH_MUST_CHECK enum rch_status rch_series_make(const struct rch_series_options *options,
                                               const struct rch_alloc *alloc,
                                               struct rch_series **out, struct rch_error *err);
void rch_series_free(struct rch_series *series);  // NULL is fine
uint32_t rch_series_num(const struct rch_series *series);

/// The next moment. `rev` may be NULL, `source` ("snapshot app.rch") too; nothing of the graph is kept.
/// After an error the series can only be freed. O(nodes + refs); for a time some 100 bytes an object.
RCH_MUST_CHECK enum rch_status rch_series_add(struct rch_series *series, const struct rch_graph *g,
                                              const struct rch_reverse *rev, const char *source,
                                              const struct rch_progress *progress,
                                              struct rch_error *err);

struct rch_moment {
    const char *source;  // "" if not known
    uint64_t objects, bytes;
    uint64_t time_ns;  // since the epoch
    uint32_t pid;
    uint64_t made, gone;  // since the moment before; 0 without `identity`
    uint64_t survivors;   // of the first moment's objects
    bool is_partial;
};

enum rch_series_by {
    RCH_SERIES_BY_HOLDER,    // a row a place
    RCH_SERIES_BY_TYPE,      // a row a type
    RCH_SERIES_BY_IDENTITY,  // a row a type of which objects came or went, also where none grew
};

const char *rch_series_by_word(enum rch_series_by by);  // "holder", "type", "identity"
bool rch_series_by_of(const char *word, enum rch_series_by *by_out);  // false: none of them

/// What is above noise. One object more at a place is no trend: a variable was set, a cache met one key.
/// Two moments cannot tell that from a leak, so they list from two objects (names of attributes, each a
/// variable of its own: from 16) or RCH_SERIES_BIG bytes on. From three moments on, growth in every step
/// is a trend whatever its size. What types remember of their subclasses is noise: it follows these.
struct rch_rise_options {
    enum rch_series_by by;
    uint64_t min_objects;  // from the first moment to the last; 0: as above
    uint32_t min_percent;  // of the first moment's; 0: any. A place that was empty has grown enough
    bool steady_only;      // only what grew in every step
    uint32_t max_rows;     // 0: 20; UINT32_MAX: all
    const char *const *known;  // fingerprints of places that are not told, may be NULL
    uint32_t num_known;
};
#define RCH_SERIES_BIG (64u << 10)

struct rch_rise_with {  // objects that came with those of a place
    const char *type;
    uint64_t objects;
};

struct rch_rise {
    const char *type;
    struct rch_holder holder;                 // as in growth.h; fingerprint NULL: a row of a type
    const uint64_t *objects, *bytes;          // one a moment
    const uint64_t *made, *gone, *survivors;  // one a moment, by type and with identity; else NULL
    uint64_t grown, grown_bytes;              // from first to last, 0 if there are fewer
    uint64_t below, below_bytes;              // growth at places below, at no row of their own
    const struct rch_rise_with *with;         // those, by type: types of modules first
    uint32_t num_with;
    const rch_addr *addresses;  // of an object at each hop, at the last moment that had one; or 0
    const char *resource;  // type of objects here or below that have sockets or files, NULL: none
    uint64_t resource_objects;  // how many of those came
    bool is_steady;             // grew in every step, and there are two at least
    uint64_t each;              // steady: by how much at least in a step
    bool is_even;               // steady: by the same in every step
};

struct rch_rises {
    struct rch_arena arena;  // owns everything below, but the strings, which are the series'
    const struct rch_moment *moments;
    uint32_t num_moments;
    bool has_identity;      // made, gone, survivors are known: all moments are of one process
    struct rch_rise *rows;  // steady ones first, then most grown
    uint32_t num_rows, num_more;
    uint64_t more_objects;                  // grown, at rows past max_rows, below included
    uint32_t num_known;                     // places that are known
    uint32_t num_hidden;                    // places under the noise level
    uint64_t hidden_objects, hidden_bytes;  // grown there, below included
    bool is_partial;
};

/// What grew. O(places). The caller owns *out.
RCH_MUST_CHECK enum rch_status rch_series_rises(const struct rch_series *series,
                                                const struct rch_rise_options *options,
                                                struct rch_rises **out, struct rch_error *err);
void rch_rises_free(struct rch_rises *rises);

#endif
