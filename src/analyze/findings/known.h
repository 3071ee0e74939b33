// SPDX-License-Identifier: MIT
// analyze/findings/known.h -- leaks that are known and accepted for now: the text that a repository keeps, one
// entry a line, made a list and back. Text in, text out; no files, no clock.
//
//   # comment
//   rc1:97849f92b948a63c until=2026-12-31 fork handlers, repaired in courier 2.4
//   rc1:c309f236668f2073 the cache is as large as it should be
//
// A line is a comment (after spaces, "#"), empty, or a fingerprint, a last day if there is one, and the
// reason up to the end of the line. Entries stand in the order of their fingerprints when all were
// added by us, so that two branches seldom touch the same place; a reader takes any order.
#ifndef RCH_ANALYZE_KNOWN_H
#define RCH_ANALYZE_KNOWN_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/sink.h"

/// A day as a number that sorts: 20261231. 0: none.
typedef uint32_t rch_day;

struct rch_known {
    const char *fingerprint;  // "rc1:" + 16 hex digits
    const char *reason;
    rch_day until;  // the last day it is known; 0: for ever
    uint32_t line;  // in the text, from 1 on; 0: not read from one
};

struct rch_known_list {
    struct rch_arena arena;   // owns everything below
    struct rch_known *items;  // by fingerprint
    uint32_t num_items;
};

/// Read the text of a file. RCH_EINVAL with the number of the line and what is wrong there: no
/// fingerprint, no reason, no such day, twice the same, control characters. *list_out is valid after
/// every return; end it with rch_known_deinit.
RCH_MUST_CHECK enum rch_status rch_known_parse(const char *text, size_t num_bytes,
                                               const struct rch_alloc *alloc,
                                               struct rch_known_list *list_out,
                                               struct rch_error *err);
void rch_known_deinit(struct rch_known_list *list);
/// O(log entries); NULL: not known.
const struct rch_known *rch_known_find(const struct rch_known_list *list, const char *fingerprint);
/// used[i] = 1 for each entry whose fingerprint stands anywhere in a text, an output of ours in whatever
/// format. O(bytes * log entries).
void rch_known_mark_used(const struct rch_known_list *list, const char *text, size_t num_bytes,
                         uint8_t *used);
static inline bool rch_known_is_over(const struct rch_known *known, rch_day today)
{
    return known->until && today > known->until;
}

/// "2026-12-31" to a day; 0: no such day.
rch_day rch_day_of(const char *text);
#define RCH_DAY_BYTES 11
const char *rch_day_text(char out[RCH_DAY_BYTES], rch_day day);

/// Check an entry that a user gives: RCH_EINVAL says what is wrong with it.
RCH_MUST_CHECK enum rch_status rch_known_check(const struct rch_known *known,
                                               struct rch_error *err);
/// The text again with the entry added before the first greater one (and the comment above that), or
/// in the place of one with this fingerprint. All other lines stay byte for byte.
void rch_known_put_added(const char *text, size_t num_bytes, const struct rch_known *known,
                         struct rch_sink *sink);
/// The text without the entry of this fingerprint. Comments stay.
void rch_known_put_removed(const char *text, size_t num_bytes, const char *fingerprint,
                           struct rch_sink *sink);

#endif
