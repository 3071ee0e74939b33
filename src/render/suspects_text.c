// SPDX-License-Identifier: MIT
// render/suspects_text.c -- suspects as a page: the verdict first, then each suspect with what it keeps,
// why it is suspected, and its holders as `why` draws them.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/suspects.h"
#include "render/why_parts.h"

enum { LABEL_INDENT = 2, TEXT_INDENT = 10, MAX_WITH = 6 };

static void put_head(struct rch_page *page, const struct rch_suspects *suspects, const char *source)
{
    char count[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain suspects");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "  %s objects, %s", rch_count_text(count, suspects->heap_objects),
                   rch_bytes_text(bytes, suspects->heap_bytes));
    if (source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, source, 0);
    }
    rch_page_end(page);
    rch_page_end(page);
}

static uint32_t num_likely(const struct rch_suspects *suspects)
{
    uint32_t num = 0;
    while (num < suspects->num_suspects && suspects->suspects[num].is_likely)
        num++;
    return num;
}

static void put_verdict(struct rch_page *page, const struct rch_suspects *suspects)
{
    char text[400];
    uint32_t likely = num_likely(suspects), all = suspects->num_suspects + suspects->num_more;
    const char *hint = suspects->has_baseline
                           ? ""
                           : " Whether they grow, --baseline with an earlier snapshot tells.";
    if (!all)
        snprintf(text, sizeof(text), "Nothing suspicious.");
    else if (likely)
        snprintf(text, sizeof(text), "%" PRIu32 " likely leak%s, %" PRIu32 " more possible.",
                 likely, likely == 1 ? "" : "s", all - likely);
    else
        snprintf(text, sizeof(text),
                 "No likely leak. %" PRIu32 " place%s where many objects are kept, as in any "
                 "program with data of its own.%s",
                 all, all == 1 ? "" : "s", hint);
    rch_page_wrap(page, text, 0);
}

static void put_label(struct rch_page *page, const char *label)
{
    rch_page_tab(page, LABEL_INDENT);
    rch_page_words(page, "%s", label);
    rch_page_tab(page, TEXT_INDENT);
}

static void put_number(struct rch_page *page, uint32_t num, const char *what)
{
    char count[RCH_NUMBER_BYTES];
    if (num)
        rch_page_words(page, ", %s %s%s", rch_count_text(count, num), what, num == 1 ? "" : "s");
}

static void put_keeps(struct rch_page *page, const struct rch_suspect *suspect)
{
    char objects[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    put_label(page, "keeps");
    rch_page_words(page, "%s %s, %s", rch_count_text(objects, suspect->kept),
                   suspect->kept == 1 ? "object" : "objects",
                   rch_bytes_text(bytes, suspect->kept_bytes));
    put_number(page, suspect->sockets, "open socket");
    put_number(page, suspect->files, "open file");
    put_number(page, suspect->other_fds, "other descriptor");
    rch_page_end(page);
}

static void put_reasons(struct rch_page *page, const struct rch_suspect *suspect)
{
    for (uint32_t i = 0; i < suspect->num_reasons; i++) {
        const struct rch_suspect_reason *reason = &suspect->reasons[i];
        put_label(page, i ? "" : "because");
        if (reason->score < 0) {
            rch_page_words(page, "but ");
            rch_page_wrap(page, reason->sentence, TEXT_INDENT);
        } else {
            rch_page_wrap(page, reason->sentence, TEXT_INDENT);
        }
    }
}

static void put_with(struct rch_page *page, const struct rch_suspect *suspect)
{
    char count[RCH_NUMBER_BYTES];
    if (!suspect->num_with)
        return;
    put_label(page, "with");
    for (uint32_t i = 0; i < suspect->num_with && i < MAX_WITH; i++) {
        uint64_t columns = rch_clean_columns(suspect->with[i].type, page->clean_flags) + 12;
        if (i && page->columns + columns > page->max_columns) {
            rch_page_end(page);
            rch_page_tab(page, TEXT_INDENT);
        } else if (i) {
            rch_page_tab(page, page->columns + 1);
        }
        rch_page_words(page, "%s ", rch_count_text(count, suspect->with[i].objects));
        rch_page_name(page, suspect->with[i].type, 0);
        if (i + 1 < suspect->num_with)
            rch_page_words(page, i + 1 < MAX_WITH ? "," : " and more");
    }
    rch_page_end(page);
}

static void put_suspect(struct rch_page *page, const struct rch_suspect *suspect, uint32_t number,
                        uint32_t num, const struct rch_render_options *options)
{
    char count[RCH_NUMBER_BYTES];
    const char *print = suspect->answer->num_holders ? suspect->answer->holders[0].fingerprint : "";
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "SUSPECT %" PRIu32 " of %" PRIu32 "  %s: %s ", number, num,
                   suspect->is_likely ? "likely" : "possible",
                   rch_count_text(count, suspect->objects));
    uint32_t columns = (uint32_t)strlen(print) + 2;
    uint32_t room = page->max_columns - page->columns;
    rch_page_name(page, suspect->type, room > columns + 20 ? room - columns : 0);
    rch_page_style(page, RCH_STYLE_DIM);
    if (page->columns + columns <= page->max_columns)
        rch_page_tab(page, page->max_columns - columns + 2);
    rch_page_name(page, print, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    put_keeps(page, suspect);
    put_reasons(page, suspect);
    put_with(page, suspect);
    rch_page_end(page);
    struct rch_render_options parts = *options;
    parts.limit = 0;
    parts.asked = NULL;
    rch_page_answer(page, suspect->answer, suspect->answer->num_warnings, &parts);
}

/// A line for one that is not told at length.
static void put_line(struct rch_page *page, const struct rch_suspect *suspect, uint32_t number)
{
    enum { COUNT_COLUMN = 4, TYPE_COLUMN = 16 };
    char count[RCH_NUMBER_BYTES], path[RCH_CLEAN_BYTES];
    rch_page_words(page, "%3" PRIu32, number);
    rch_page_tab(page, COUNT_COLUMN);
    rch_page_words(page, "%10s", rch_count_text(count, suspect->objects));
    rch_page_tab(page, TYPE_COLUMN);
    rch_page_name(page, suspect->type, 40);
    if (suspect->answer->num_holders) {
        rch_page_words(page, " ");
        rch_page_box(page, "\u2190", "<-", page->clean_flags & RCH_CLEAN_ASCII ? 2 : 1);
        rch_page_words(page, " ");
        uint32_t room = page->max_columns > page->columns ? page->max_columns - page->columns : 1;
        rch_path_text(path, &suspect->answer->holders[0], room, page->clean_flags);
        rch_page_name(page, path, 0);
    }
    rch_page_end(page);
}

/// How many are told at length: those that are likely, one at least, and no more than asked for.
static uint32_t num_full(const struct rch_suspects *suspects,
                         const struct rch_render_options *options)
{
    enum { DEFAULT_FULL = 3 };
    uint32_t num = num_likely(suspects), most = DEFAULT_FULL;
    if (options->all)
        return suspects->num_suspects;
    if (options->limit)
        return options->limit < suspects->num_suspects ? options->limit : suspects->num_suspects;
    num = num ? num : 1;
    num = num < most ? num : most;
    return num < suspects->num_suspects ? num : suspects->num_suspects;
}

static void put_others(struct rch_page *page, const struct rch_suspects *suspects, uint32_t full)
{
    uint32_t all = suspects->num_suspects + suspects->num_more;
    rch_page_end(page);
    if (full < suspects->num_suspects) {
        rch_page_words(page, "Less suspicious (--all tells more):");
        rch_page_end(page);
    }
    for (uint32_t i = full; i < suspects->num_suspects; i++)
        put_line(page, &suspects->suspects[i], i + 1);
    if (all > suspects->num_suspects) {
        rch_page_words(page, "%" PRIu32 " more not shown (--limit %" PRIu32 ")",
                       all - suspects->num_suspects, all);
        rch_page_end(page);
    }
}

void rch_render_suspects_text(const struct rch_graph *g, const struct rch_suspects *suspects,
                              const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint32_t all = suspects->num_suspects + suspects->num_more;
    uint32_t full = num_full(suspects, options);
    put_head(&page, suspects, options->source);
    put_verdict(&page, suspects);
    for (uint32_t i = 0; i < full; i++)
        put_suspect(&page, &suspects->suspects[i], i + 1, all, options);
    put_others(&page, suspects, full);
    if (suspects->is_partial)
        rch_page_wrap(
            &page, "PARTIAL: part of the heap could not be read, so suspects may be missing.", 0);
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        rch_page_words(&page, "warning:");
        rch_page_wrap(&page, rch_str_get(g, g->warnings[i]), 9);
    }
}
