// SPDX-License-Identifier: MIT
// python/ext/known.h -- an answer's findings, judged by a list of what is known.
#ifndef RCH_EXT_KNOWN_H
#define RCH_EXT_KNOWN_H
#include "ext.h"

#include "render/report.h"

struct core_judge {
    struct rch_findings findings;
    struct rch_known_list known;
};
/// `known`: (text of the list, its name, today as 20261231), or None. -1: an exception is set. End it with
/// core_judge_end after every return; the findings point into `answer` and `known`.
int core_judge_start(struct core_state *state, struct core_judge *judge, const struct rch_graph *g,
                     const struct rch_answer *answer, PyObject *known);
void core_judge_end(struct core_judge *judge);
/// (Markdown, SARIF)
PyObject *core_reports(struct core_state *state, const struct core_judge *judge,
                       const struct rch_graph *g, const struct rch_answer *answer);

#endif
