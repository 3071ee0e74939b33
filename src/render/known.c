// SPDX-License-Identifier: MIT
// render/known.c -- what is known: as marks within other outputs, and as a list of its own.
#include <inttypes.h>
#include <stdio.h>

#include "render/report.h"

enum { PRINT_COLUMNS = 22, STATE_COLUMNS = 22, REASON_START = PRINT_COLUMNS + STATE_COLUMNS };

// ---- marks ----------------------------------------------------------------------------------------

static const struct rch_finding *judged(const struct rch_findings *findings,
                                        const char *fingerprint)
{
    const struct rch_finding *row = findings ? rch_finding_of(findings, fingerprint) : NULL;
    return row && row->known ? row : NULL;
}

void rch_page_known(struct rch_page *page, const struct rch_findings *findings,
                    const char *fingerprint, uint32_t label_indent, uint32_t indent)
{
    const struct rch_finding *row = judged(findings, fingerprint);
    char day[RCH_DAY_BYTES];
    if (!row)
        return;
    bool is_over = row->state == RCH_FINDING_EXPIRED;
    rch_page_tab(page, label_indent);
    rch_page_style(page, is_over ? RCH_STYLE_ALARM : RCH_STYLE_GOOD);
    rch_page_words(page, "known");
    if (row->known->until)
        rch_page_words(page, " %suntil %s", is_over ? "only " : "",
                       rch_day_text(day, row->known->until));
    rch_page_words(page, "%s:", is_over ? ", so it counts as new" : "");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_wrap(page, row->known->reason, indent);
}

void rch_page_judged(struct rch_page *page, const struct rch_findings *findings)
{
    if (!findings || !(findings->num_known + findings->num_expired))
        return;
    rch_page_words(page, "%" PRIu32 " of %zu known and not counted (", findings->num_known,
                   findings->rows.num);
    rch_page_name(page, findings->judged_by, 40);
    rch_page_words(page, "); %" PRIu32 " new", findings->num_new);
    if (findings->num_expired)
        rch_page_words(page, "; %" PRIu32 " known until a day that is over: counted",
                       findings->num_expired);
    rch_page_words(page, ".");
    rch_page_end(page);
}

static void put_known(struct rch_json *json, const char *key, const struct rch_known *known,
                      bool is_over)
{
    char day[RCH_DAY_BYTES];
    rch_json_open(json, key, '{', true);
    if (!key)
        rch_json_string(json, "fingerprint", known->fingerprint);
    rch_json_string(json, "reason", known->reason);
    rch_json_string(json, "until", known->until ? rch_day_text(day, known->until) : NULL);
    rch_json_bool(json, "expired", is_over);
}

void rch_json_known(struct rch_json *json, const struct rch_findings *findings,
                    const char *fingerprint)
{
    const struct rch_finding *row = judged(findings, fingerprint);
    if (!row)
        return;
    put_known(json, "known", row->known, row->state == RCH_FINDING_EXPIRED);
    rch_json_close(json, '}');
}

// ---- the list -------------------------------------------------------------------------------------

static bool is_over(const struct rch_known_report *report, uint32_t i)
{
    return rch_known_is_over(&report->list->items[i], report->today);
}

static bool is_stale(const struct rch_known_report *report, uint32_t i)
{
    return is_over(report, i) || (report->used && !report->used[i]);
}

static bool is_listed(const struct rch_known_report *report, uint32_t i)
{
    return !report->only_stale || is_stale(report, i);
}

uint32_t rch_known_num_stale(const struct rch_known_report *report)
{
    uint32_t num = 0;
    for (uint32_t i = 0; i < report->list->num_items; i++)
        num += is_stale(report, i);
    return num;
}

static void put_entry(struct rch_page *page, const struct rch_known_report *report, uint32_t i)
{
    const struct rch_known *known = &report->list->items[i];
    char day[RCH_DAY_BYTES];
    rch_page_words(page, "%s", known->fingerprint);
    rch_page_tab(page, PRINT_COLUMNS);
    if (is_over(report, i)) {
        rch_page_style(page, RCH_STYLE_ALARM);
        rch_page_words(page, "was until %s", rch_day_text(day, known->until));
        rch_page_style(page, RCH_STYLE_PLAIN);
    } else if (report->used && !report->used[i]) {
        rch_page_words(page, "not found any more");
    } else if (known->until) {
        rch_page_words(page, "until %s", rch_day_text(day, known->until));
    }
    rch_page_tab(page, REASON_START);
    rch_page_wrap(page, known->reason, REASON_START);
}

void rch_render_known_text(const struct rch_known_report *report,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint32_t num_stale = rch_known_num_stale(report), num = report->list->num_items;
    rch_page_name(&page, report->path, 50);
    rch_page_words(&page, ": %" PRIu32 " %s", num, num == 1 ? "entry" : "entries");
    if (report->only_stale || num_stale)
        rch_page_words(&page, ", %" PRIu32 " to look at", num_stale);
    rch_page_end(&page);
    for (uint32_t i = 0; i < num; i++)
        if (is_listed(report, i))
            put_entry(&page, report, i);
}

void rch_render_known_json(const struct rch_known_report *report,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    (void)options;
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.known/1");
    rch_json_string(&json, "file", report->path);
    rch_json_open(&json, "entries", '[', false);
    for (uint32_t i = 0; i < report->list->num_items; i++) {
        if (!is_listed(report, i))
            continue;
        put_known(&json, NULL, &report->list->items[i], is_over(report, i));
        rch_json_count(&json, "line", report->list->items[i].line);
        if (report->used)
            rch_json_bool(&json, "used", report->used[i]);
        rch_json_close(&json, '}');
    }
    rch_json_close(&json, ']');
    rch_json_close(&json, '}');
}
