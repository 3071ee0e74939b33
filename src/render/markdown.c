// SPDX-License-Identifier: MIT
// render/markdown.c -- findings as a comment for a pull request (GitHub's Markdown, which GitLab reads
// too): a table, and below it the way to each in a folded block. Whatever comes from the program stands in
// a code span or a fenced block, where nothing is markup, link or mention; what could end one of these
// is written as \xNN.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/report.h"
#include "render/why_parts.h"

enum { DEFAULT_ROWS = 20, MAX_TRACES = 10, MAX_NAME_COLUMNS = 120, TEXT_INDENT = 4 };

/// A name in a code span of a table's cell.
static void put_code(struct rch_sink *sink, const char *name)
{
    char clean[RCH_CLEAN_BYTES];
    rch_clean(clean, name, MAX_NAME_COLUMNS, 0);
    rch_put(sink, "`");
    for (const char *at = clean; *at; at++) {
        if (*at == '`' || *at == '|')
            rch_putf(sink, "\\x%02x", (unsigned)*at);
        else
            rch_put_bytes(sink, at, 1);
    }
    rch_put(sink, *clean ? "`" : " `");
}

static void put_state(struct rch_sink *sink, const struct rch_finding *row)
{
    char day[RCH_DAY_BYTES];
    if (row->state == RCH_FINDING_NEW) {
        rch_put(sink, "**new**");
        return;
    }
    if (row->known->until)
        rch_day_text(day, row->known->until);
    if (row->state == RCH_FINDING_EXPIRED)
        rch_putf(sink, "**known only until %s** ", day);
    else
        rch_putf(sink, "known%s%s ", row->known->until ? " until " : "",
                 row->known->until ? day : "");
    put_code(sink, row->known->reason);
}

static void put_row(struct rch_sink *sink, const struct rch_finding *row)
{
    char count[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES], path[RCH_CLEAN_BYTES];
    rch_put(sink, "| ");
    put_state(sink, row);
    rch_putf(sink, " | %s | %s | ", rch_count_text(count, row->objects),
             rch_bytes_text(bytes, row->bytes));
    put_code(sink, row->type ? row->type : "");
    rch_put(sink, " | ");
    path[0] = '\0';
    if (row->holder)
        rch_path_text(path, row->holder, MAX_NAME_COLUMNS, 0);
    put_code(sink, path);
    rch_put(sink, " | ");
    put_code(sink, row->fingerprint ? row->fingerprint : "");
    rch_put(sink, " |\n");
}

/// No line of the block begins with less than four spaces unless words of ours follow, so none ends it.
static void put_trace(struct rch_sink *sink, const struct rch_finding *row)
{
    struct rch_render_options options = {.columns = 0};
    struct rch_page page = rch_page_of(&options, sink);
    rch_put(sink, "\n<details><summary>");
    rch_putf(sink, "%s: %s</summary>\n\n```text\n", row->fingerprint ? row->fingerprint : "-",
             row->rule->name);
    rch_page_wrap(&page, row->message, TEXT_INDENT);
    if (row->file) {
        rch_page_words(&page, "at ");
        rch_page_name(&page, row->file, 80);
        if (row->line)
            rch_page_words(&page, ", line %" PRIu32, row->line);
        rch_page_end(&page);
    }
    if (row->holder)
        rch_page_trace(&page, row->holder);
    if (row->advice)
        rch_page_wrap(&page, row->advice, TEXT_INDENT);
    rch_put(sink, "```\n\n</details>\n");
}

static void put_heading(const struct rch_report *report, struct rch_sink *sink)
{
    const struct rch_findings *list = report->findings;
    rch_putf(sink, "### refchain %s ", report->command);
    put_code(sink, report->subject);
    rch_putf(sink, ": %" PRIu32 " new", list->num_new);
    if (list->num_expired)
        rch_putf(sink, ", %" PRIu32 " known until a day that is over", list->num_expired);
    if (list->num_known)
        rch_putf(sink, ", %" PRIu32 " known", list->num_known);
    rch_put(sink, "\n\n");
}

static void put_notes(const struct rch_report *report, uint64_t num_hidden, struct rch_sink *sink)
{
    char count[RCH_NUMBER_BYTES];
    num_hidden += report->findings->num_unlisted;
    if (num_hidden)
        rch_putf(sink, "\n%s more not listed.\n", rch_count_text(count, num_hidden));
    if (report->is_partial)
        rch_put(sink, "\n**Partial**: part of the heap could not be read; findings may be "
                      "missing.\n");
    for (uint32_t i = 0; report->g && i < report->g->num_warnings; i++) {
        rch_put(sink, "\nWarning: ");
        put_code(sink, rch_str_get(report->g, report->g->warnings[i]));
        rch_put(sink, "\n");
    }
}

// Rows that are counted come first, then the known ones; both in the order of the list.
static bool is_of_pass(const struct rch_finding *row, int pass)
{
    return (row->state == RCH_FINDING_KNOWN) == (pass == 1);
}

void rch_render_markdown(const struct rch_report *report, const struct rch_render_options *options,
                         struct rch_sink *sink)
{
    const struct rch_findings *list = report->findings;
    uint32_t limit = options->limit ? options->limit : DEFAULT_ROWS, num = 0, num_traces = 0;
    put_heading(report, sink);
    if (list->rows.num)
        rch_put(sink, "| | objects | size | type | held by | fingerprint |\n"
                      "| --- | ---: | ---: | --- | --- | --- |\n");
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < list->rows.num; i++)
            if (is_of_pass(rch_finding_at(list, i), pass) && num++ < limit)
                put_row(sink, rch_finding_at(list, i));
    if (!list->rows.num)
        rch_put(sink, "Nothing found.\n");
    for (size_t i = 0; i < list->rows.num && num_traces < MAX_TRACES && num_traces < limit; i++) {
        if (!is_of_pass(rch_finding_at(list, i), 0))
            continue;
        put_trace(sink, rch_finding_at(list, i));
        num_traces++;
    }
    put_notes(report, num > limit ? num - limit : 0, sink);
}
