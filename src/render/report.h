// SPDX-License-Identifier: MIT
// render/report.h -- findings for those who were not there: Markdown for a pull request, SARIF 2.1.0
// (OASIS, 2020) for machines; and the list of what is known. Names are hostile: in Markdown they stand
// in code spans and code blocks only, in SARIF clean and with its own marks escaped.
#ifndef RCH_RENDER_REPORT_H
#define RCH_RENDER_REPORT_H
#include "analyze/findings/finding.h"
#include "render/json.h"
#include "render/line.h"
#include "render/render.h"

struct rch_report {
    const char *command, *subject;  // "why", "courier.Transport"
    const char *version;            // of refchain
    const struct rch_graph
        *g;  // its warnings are told; NULL: of several graphs, or of none any more
    const struct rch_findings *findings;
    bool is_partial;
};

/// New ones first. options->limit findings (20), the way of each of the first ten new ones in a folded
/// block.
void rch_render_markdown(const struct rch_report *report, const struct rch_render_options *options,
                         struct rch_sink *sink);
/// All findings; known ones are suppressed, with their reason.
void rch_render_sarif(const struct rch_report *report, const struct rch_render_options *options,
                      struct rch_sink *sink);

/// The list of what is known.
struct rch_known_report {
    const struct rch_known_list *list;
    const char *path;
    rch_day today;
    const uint8_t *used;  // an entry is named by some output; NULL: nobody looked
    bool only_stale;      // only entries that are over or not used
};
/// How many entries are over or not used.
uint32_t rch_known_num_stale(const struct rch_known_report *report);
void rch_render_known_text(const struct rch_known_report *report,
                           const struct rch_render_options *options, struct rch_sink *sink);
/// schema refchain.known/1
void rch_render_known_json(const struct rch_known_report *report,
                           const struct rch_render_options *options, struct rch_sink *sink);

// ---- marks within other outputs -------------------------------------------------------------------

/// Of a holder that is known or was: "known   REASON (until 2026-12-31)", on a line of its own; the reason
/// begins at `indent`. Nothing for others and without findings.
void rch_page_known(struct rch_page *page, const struct rch_findings *findings,
                    const char *fingerprint, uint32_t label_indent, uint32_t indent);
/// "1 of 2 holders is known (.refchain-known) and not counted." Nothing if none is known or expired.
void rch_page_judged(struct rch_page *page, const struct rch_findings *findings);
/// "known": {"reason": ..., "until": ..., "expired": ...} where it is known or was.
void rch_json_known(struct rch_json *json, const struct rch_findings *findings,
                    const char *fingerprint);

#endif
