// SPDX-License-Identifier: MIT
// analyze/findings/finding.h -- one thing to judge, whatever found it: a holder that `why` named, a place where
// objects came, a suspect. All that a report, a table for a pull request or a machine needs of it, and
// nothing of how it was found. Names are raw: escape them when printing.
#ifndef RCH_ANALYZE_FINDING_H
#define RCH_ANALYZE_FINDING_H
#include "analyze/findings/known.h"
#include "analyze/growth/series.h"
#include "analyze/suspects/suspects.h"
#include "analyze/why/why.h"
#include "base/vec.h"

enum rch_level { RCH_LEVEL_NOTE, RCH_LEVEL_WARNING, RCH_LEVEL_ERROR };

/// What kind of finding: a row of the table in finding.c. Ids are for ever, files and machines keep them.
struct rch_rule {
    const char *id;       // "held-objects"
    const char *name;     // a few words, for a heading: "Objects are held"
    const char *summary;  // what such a finding says, and what to do about it; whole sentences
    enum rch_level level;
};
/// NULL: there is no such rule.
const struct rch_rule *rch_rule_of(const char *id);

enum rch_finding_state {
    RCH_FINDING_NEW,
    RCH_FINDING_KNOWN,    // not counted
    RCH_FINDING_EXPIRED,  // was known until a day that is over: counts as new
};

struct rch_finding {
    const struct rch_rule *rule;
    const char *fingerprint;  // of the holder, "rc1:" + 16 hex digits; NULL: none, always new
    const char *type;         // full name; NULL: of several types, or none
    uint64_t objects, bytes;  // of the type; that go when this is repaired, or that came
    const struct rch_holder *holder;  // root and hops, as `why` prints them; NULL: no holder
    const char *file;                 // place in the source, as the program has it; NULL: not known
    uint32_t line;                    // 0: not known
    const char *message;              // one sentence, without the path
    const char *advice;               // one sentence, or NULL
    enum rch_finding_state state;     // set by rch_findings_judge
    const struct rch_known *known;    // the entry if KNOWN or EXPIRED, else NULL
};

struct rch_findings {
    struct rch_arena arena;  // for strings of the rows
    struct rch_vec rows;     // struct rch_finding, in the order in which they were added
    uint64_t num_unlisted;   // found, but without a row: nobody can say that they are known
    uint32_t num_new, num_known, num_expired;  // of the rows; all new until judged
    const char *judged_by;  // name of the list of what is known; NULL: not judged
};

void rch_findings_init(struct rch_findings *list, const struct rch_alloc *alloc);
void rch_findings_deinit(struct rch_findings *list);
static inline struct rch_finding *rch_finding_at(const struct rch_findings *list, size_t i)
{
    return &RCH_VEC_AT(&list->rows, struct rch_finding, i);
}
/// Append a copy of the row. What it points to must live as long as the list: it is the caller's, or
/// of list->arena.
RCH_MUST_CHECK enum rch_status rch_findings_add(struct rch_findings *list,
                                                const struct rch_finding *row,
                                                struct rch_error *err);

// `g` may be NULL below: then no place in the source is known.

/// A finding for each holder of the answer ("held-objects"). What waits for the collector, is the
/// asker's or in use is none. Rows point into the answer. O(holders * roots).
RCH_MUST_CHECK enum rch_status rch_findings_add_why(struct rch_findings *list,
                                                    const struct rch_graph *g,
                                                    const struct rch_answer *answer,
                                                    struct rch_error *err);
/// A finding for each place, or type, that grew ("growth"). Rows point into `rises`.
RCH_MUST_CHECK enum rch_status rch_findings_add_rises(struct rch_findings *list,
                                                      const struct rch_rises *rises,
                                                      struct rch_error *err);
/// A finding for each likely suspect ("suspect"), named by its first holder; possible ones are none. Rows
/// point into `suspects`.
RCH_MUST_CHECK enum rch_status rch_findings_add_suspects(struct rch_findings *list,
                                                         const struct rch_graph *g,
                                                         const struct rch_suspects *suspects,
                                                         struct rch_error *err);

/// Compare with what is known, a list called `name`. The findings point into `known` and to `name`
/// afterwards. O(rows * log known).
void rch_findings_judge(struct rch_findings *list, const struct rch_known_list *known,
                        const char *name, rch_day today);
/// The first row with this fingerprint, or NULL.
const struct rch_finding *rch_finding_of(const struct rch_findings *list, const char *fingerprint);

#endif
