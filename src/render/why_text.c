// SPDX-License-Identifier: MIT
// render/why_text.c -- the answer as a page for somebody with an incident: what was asked and the
// short answer first, then every holder as a trace with the reference to cut underlined, then what
// else was seen. Figures that differ between CPython versions (bytes, numbers of other objects)
// stand only in the header and on lines that begin with "frees" or "ALL CUT".
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/report.h"
#include "render/why_parts.h"
#include "render/why_words.h"

enum { TRACE_INDENT = 5, GAP = 2, LABEL_INDENT = 2, TEXT_INDENT = 10, MAX_OBSERVER_NAMES = 4 };

/// "TCPTransport" of "minimq.transport.TCPTransport"; "" where the question is no type.
static const char *short_name(const struct rch_answer *answer,
                              const struct rch_render_options *options)
{
    if (options->asked && options->asked->kind != RCH_ASK_TYPE)
        return "";
    const char *dot = strrchr(answer->question, '.');
    return dot && dot[1] ? dot + 1 : answer->question;
}

/// A piece of the header: on the next line if it does not fit this one.
static void header_piece(struct rch_page *page, const char *piece)
{
    uint64_t columns = rch_clean_columns(piece, page->clean_flags);
    bool fits = page->columns + 3 + columns <= page->max_columns;
    if (!fits)
        rch_page_end(page);
    rch_page_tab(page, fits ? page->columns + 3 : LABEL_INDENT);
    rch_page_name(page, piece, 0);
}

void rch_page_question(struct rch_page *page, const char *command, const char *question,
                       uint64_t objects, uint64_t num_bytes, const struct rch_graph *g,
                       const struct rch_render_options *options)
{
    char count[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES], piece[2 * RCH_NUMBER_BYTES + 16];
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain %s  ", command);
    rch_page_name(page, question, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    snprintf(piece, sizeof(piece), "%s %s, %s", rch_count_text(count, objects),
             objects == 1 ? "object" : "objects", rch_bytes_text(bytes, num_bytes));
    header_piece(page, piece);
    char heap[RCH_CLEAN_BYTES + 64], source[RCH_CLEAN_BYTES];
    rch_clean(source, options->source ? options->source : "", 60, page->clean_flags);
    snprintf(heap, sizeof(heap), "%s%s%s objects%s", source, options->source ? ", " : "",
             rch_count_text(count, g->num_objects), options->source ? "" : " in all");
    header_piece(page, heap);
    rch_page_end(page);
}

static void put_counted_name(struct rch_page *page, uint32_t num, const char *name)
{
    char count[RCH_NUMBER_BYTES];
    rch_page_words(page, "%12s  ", rch_count_text(count, num));
    rch_page_name(page, name, 0);
    rch_page_end(page);
}

void rch_page_matches(struct rch_page *page, const struct rch_asked *asked)
{
    enum { MAX_MATCHES = 10 };
    if (!asked || asked->kind == RCH_ASK_TYPE || asked->num_types == 0)
        return;
    rch_page_end(page);
    if (asked->kind == RCH_ASK_ADDRESS) {
        rch_page_words(page, "Its type is ");
        rch_page_name(page, asked->types[0].name, 0);
        rch_page_end(page);
        return;
    }
    rch_page_words(page, "Types that match:");
    rch_page_end(page);
    for (uint32_t i = 0; i < asked->num_types && i < MAX_MATCHES; i++)
        put_counted_name(page, asked->types[i].num_objects, asked->types[i].name);
    if (asked->num_types > MAX_MATCHES) {
        rch_page_words(page, "%12s  and %" PRIu32 " more types", "",
                       asked->num_types - MAX_MATCHES);
        rch_page_end(page);
    }
}

static void put_summary(struct rch_page *page, const struct rch_answer *answer,
                        const struct rch_render_options *options)
{
    char text[RCH_WHY_SENTENCE_BYTES];
    rch_why_sentence(text, answer);
    rch_page_end(page);
    rch_page_wrap(page, text, 0);
    rch_page_judged(page, options->findings);
}

// ---- the trace ----------------------------------------------------------------------------------

struct trace_columns {
    uint32_t name, kind, type, count;  // where each column begins, and how wide
    uint32_t name_width, type_width;
};

static uint32_t count_columns(const struct rch_hop *hop)
{
    char count[RCH_NUMBER_BYTES];
    return hop->num_objects > 1 ? 1 + (uint32_t)strlen(rch_count_text(count, hop->num_objects)) : 0;
}

static uint32_t kind_columns(const struct rch_hop *hop)
{
    return (uint32_t)strlen(rch_edge_kind_word(hop->kind)) + hop->is_guessed;
}

/// Share the page between names and types: each gets what it needs, else half of the room.
static struct trace_columns lay_out(const struct rch_page *page, const struct rch_hop *hops,
                                    uint32_t num_hops)
{
    char text[RCH_CLEAN_BYTES];
    uint32_t name = 0, kind = 0, type = 0, count = 0;
#define WIDEN(max, value)         \
    do {                          \
        uint32_t wide_ = (value); \
        if ((max) < wide_)        \
            (max) = wide_;        \
    } while (0)
    for (uint32_t i = 0; i < num_hops; i++) {
        WIDEN(name, rch_hop_text(text, &hops[i], page->max_columns, page->clean_flags));
        WIDEN(kind, kind_columns(&hops[i]));
        WIDEN(type, rch_clean(text, hops[i].type, page->max_columns, page->clean_flags));
        WIDEN(count, count_columns(&hops[i]));
    }
#undef WIDEN
    uint32_t room = page->max_columns - TRACE_INDENT - kind - 2 * GAP - (count ? count + GAP : 0);
    if (name + type > room && name <= room / 2)
        type = room - name;
    else if (name + type > room && type <= room / 2)
        name = room - type;
    else if (name + type > room)
        name = type = room / 2;
    struct trace_columns at = {.name = TRACE_INDENT, .name_width = name, .type_width = type};
    at.kind = at.name + name + GAP;
    at.type = at.kind + kind + GAP;
    at.count = at.type + type + GAP;
    return at;
}

void rch_page_root(struct rch_page *page, const struct rch_holder *holder)
{
    rch_page_words(page, "%s", rch_root_words(holder->root_kind));
    rch_page_name(page, holder->root_name, 60);
    rch_page_words(page, "%s", rch_root_suffix(holder->root_kind));
    if (holder->root_detail && *holder->root_detail) {
        rch_page_tab(page, page->columns + 3);
        rch_page_style(page, RCH_STYLE_DIM);
        rch_page_name(page, holder->root_detail, 0);
        rch_page_style(page, RCH_STYLE_PLAIN);
    }
    rch_page_end(page);
}

static void put_underline(struct rch_page *page, const struct rch_holder *holder, bool is_last,
                          const struct trace_columns *at, uint32_t name_columns)
{
    const struct rch_hop *hop = &holder->hops[holder->cut];
    char here[RCH_CUT_HERE_BYTES];
    rch_page_tab(page, LABEL_INDENT);
    if (!is_last)
        rch_page_box(page, "\u2502", "|", 1);
    rch_page_tab(page, at->name);
    rch_page_style(page, RCH_STYLE_ALARM);
    for (uint32_t i = 0; i < name_columns; i++)
        rch_page_box(page, "~", "~", 1);
    rch_page_tab(page, at->kind);
    rch_cut_here(here, holder);
    rch_page_words(page, "%s", here);
    if (hop->key_type && !hop->name && holder->num_cut_refs > 1 && hop->kind == RCH_EDGE_VALUE) {
        rch_page_words(page, ", key type ");
        rch_page_name(page, hop->key_type, 0);
    }
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

/// One hop; returns the columns its name took.
static uint32_t put_hop(struct rch_page *page, const struct rch_hop *hop, bool is_last, bool is_cut,
                        const struct trace_columns *at)
{
    char name[RCH_CLEAN_BYTES], count[RCH_NUMBER_BYTES];
    uint32_t columns = rch_hop_text(name, hop, at->name_width, page->clean_flags);
    rch_page_tab(page, LABEL_INDENT);
    rch_page_box(page, is_last ? "\u2570\u2192 " : "\u251c\u2500 ", is_last ? "`> " : "|- ", 3);
    rch_page_style(page, is_cut ? RCH_STYLE_ALARM : RCH_STYLE_BOLD);
    rch_page_name(page, name, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_tab(page, at->kind);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_words(page, "%s%s", rch_edge_kind_word(hop->kind), hop->is_guessed ? "?" : "");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_tab(page, at->type);
    rch_page_name(page, hop->type, at->type_width);
    if (hop->num_objects > 1) {
        rch_page_tab(page, at->count);
        rch_page_words(page, "x%s", rch_count_text(count, hop->num_objects));
    }
    rch_page_end(page);
    return columns;
}

// Of a very long path (a linked list) both ends are shown, and what is near the cut.
static bool is_shown(uint32_t i, uint32_t num_hops, uint32_t cut)
{
    enum { MAX_HOPS = 60, END_HOPS = 20, NEAR_CUT = 3 };
    if (num_hops <= MAX_HOPS || i < END_HOPS || i + END_HOPS >= num_hops)
        return true;
    return i + NEAR_CUT >= cut && i <= (uint64_t)cut + NEAR_CUT;
}

static void put_gap(struct rch_page *page, uint32_t num)
{
    char count[RCH_NUMBER_BYTES];
    rch_page_tab(page, LABEL_INDENT);
    rch_page_box(page, "\u250a", ":", 1);
    rch_page_tab(page, TRACE_INDENT);
    rch_page_words(page, "%s more (--json shows all)", rch_count_text(count, num));
    rch_page_end(page);
}

/// `shows_cut` false: a further group of paths, drawn without the underline.
void rch_page_trace(struct rch_page *page, const struct rch_holder *holder,
                    const struct rch_hop *hops, uint32_t num_hops, bool shows_cut)
{
    struct trace_columns at = lay_out(page, hops, num_hops);
    rch_page_end(page);
    rch_page_tab(page, LABEL_INDENT);
    rch_page_root(page, holder);
    for (uint32_t i = 0, num_left_out = 0; i < num_hops; i++) {
        bool is_last = i + 1 == num_hops, is_cut = shows_cut && i == holder->cut;
        if (!is_shown(i, num_hops, shows_cut ? holder->cut : 0)) {
            num_left_out++;
            continue;
        }
        if (num_left_out)
            put_gap(page, num_left_out);
        num_left_out = 0;
        uint32_t columns = put_hop(page, &hops[i], is_last, is_cut, &at);
        if (is_cut)
            put_underline(page, holder, is_last, &at, columns);
    }
    rch_page_end(page);
}

// ---- what stands below a trace ------------------------------------------------------------------

void rch_page_label(struct rch_page *page, const char *label)
{
    rch_page_tab(page, LABEL_INDENT);
    rch_page_words(page, "%s", label);
    rch_page_tab(page, TEXT_INDENT);
}

static void put_cut(struct rch_page *page, const struct rch_holder *holder)
{
    char cut[RCH_CLEAN_BYTES], entries[RCH_CUT_HERE_BYTES];
    if (holder->cut >= holder->num_hops)
        return;
    rch_cut_entries(entries, holder);
    rch_page_label(page, "cut");
    uint32_t room = page->max_columns - page->columns - (uint32_t)strlen(entries);
    rch_cut_text(cut, holder, room, page->clean_flags);
    rch_page_style(page, RCH_STYLE_ALARM);
    rch_page_name(page, cut, room);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "%s", entries);
    rch_page_end(page);
}

/// "37 of 137 TCPTransport, 1,780 objects in all, 603.7 KiB (exact)"
static void put_freed(struct rch_page *page, const struct rch_answer *answer,
                      const struct rch_freed *freed, const char *name, const char *none_words)
{
    char mine[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES], objects[RCH_NUMBER_BYTES];
    char bytes[RCH_NUMBER_BYTES];
    rch_page_style(page, RCH_STYLE_GOOD);
    if (freed->question == 0 && freed->objects == 0) {
        rch_page_words(page, "%s", none_words);
    } else {
        if (freed->question == 0)
            rch_page_words(page, "none of the %s", rch_count_text(all, answer->objects));
        else
            rch_page_words(page, "%s of %s", rch_count_text(mine, freed->question),
                           rch_count_text(all, answer->objects));
        rch_page_words(page, "%s", *name ? " " : "");
        rch_page_name(page, name, 36);
        rch_page_words(page, ", %s %s in all, %s", rch_count_text(objects, freed->objects),
                       freed->objects == 1 ? "object" : "objects",
                       rch_bytes_text(bytes, freed->bytes));
    }
    rch_page_words(page, "%s", answer->is_partial ? "" : " (exact)");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_list(struct rch_page *page, const char *const *names, uint32_t num, uint32_t max)
{
    for (uint32_t i = 0; i < num && i < max; i++) {
        char clean[RCH_CLEAN_BYTES];
        uint32_t width = page->max_columns - TEXT_INDENT;
        uint32_t columns = rch_clean(clean, names[i], width, page->clean_flags);
        if (i > 0)
            rch_page_words(page, ",");
        if (page->columns + columns + 2 > page->max_columns) {
            rch_page_end(page);
            rch_page_tab(page, TEXT_INDENT);
        } else if (i > 0) {
            rch_page_tab(page, page->columns + 1);
        }
        rch_page_name(page, clean, 0);
    }
    if (num > max)
        rch_page_words(page, " and %" PRIu32 " more", num - max);
    rch_page_end(page);
}

static void put_more_groups(struct rch_page *page, const struct rch_holder *holder, bool is_all)
{
    char text[256], count[RCH_NUMBER_BYTES];
    for (uint32_t i = 1; is_all && i < holder->num_groups; i++) {
        const struct rch_path_group *group = &holder->groups[i];
        snprintf(text, sizeof(text),
                 "%s of them hang on it like this:", rch_count_text(count, group->num_members));
        rch_page_end(page);
        rch_page_label(page, "other");
        rch_page_wrap(page, text, TEXT_INDENT);
        rch_page_trace(page, holder, group->hops, group->num_hops, false);
    }
    uint64_t num_hidden = holder->num_more_groups;
    if (!is_all && holder->num_groups > 1)
        num_hidden += holder->num_groups - 1;
    if (num_hidden == 0)
        return;
    rch_page_label(page, "shown");
    snprintf(text, sizeof(text),
             "the path of %s of them; %" PRIu64 " more %s of path %s not shown%s",
             rch_count_text(count, holder->num_groups ? holder->groups[0].num_members : 0),
             num_hidden, num_hidden == 1 ? "shape" : "shapes", num_hidden == 1 ? "is" : "are",
             is_all ? "" : " (--all)");
    rch_page_wrap(page, text, TEXT_INDENT);
}

static void put_heading(struct rch_page *page, const struct rch_answer *answer, uint32_t i)
{
    const struct rch_holder *holder = &answer->holders[i];
    char holds[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES], only[RCH_NUMBER_BYTES];
    bool is_holder = holder->is_cuttable && !answer->is_diffuse;
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "%s %" PRIu32 " of %" PRIu32, is_holder ? "HOLDER" : "GROUP", i + 1,
                   answer->num_holders);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "   holds %s of %s", rch_count_text(holds, holder->holds),
                   rch_count_text(all, answer->objects));
    if (holder->is_cuttable)
        rch_page_words(page, ", %s held by it alone", rch_count_text(only, holder->holds_only));
    uint32_t columns = (uint32_t)strlen(holder->fingerprint);
    if (page->columns + columns < page->max_columns)
        rch_page_tab(page, page->max_columns - columns);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_name(page, holder->fingerprint, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_holder(struct rch_page *page, const struct rch_answer *answer, uint32_t i,
                       const struct rch_render_options *options)
{
    const struct rch_holder *holder = &answer->holders[i];
    put_heading(page, answer, i);
    rch_page_known(page, options->findings, holder->fingerprint, LABEL_INDENT, TEXT_INDENT);
    rch_page_trace(page, holder, holder->hops, holder->num_hops, holder->is_cuttable);
    if (holder->is_cuttable) {
        put_cut(page, holder);
        rch_page_label(page, "frees");
        put_freed(page, answer, &holder->frees, short_name(answer, options),
                  "nothing by itself: the other holders keep them all");
    }
    if (holder->num_also) {
        rch_page_label(page, "also");
        put_list(page, holder->also, holder->num_also, options->all ? UINT32_MAX : 6);
    }
    if (holder->advice) {
        rch_page_label(page, "advice");
        rch_page_wrap(page, holder->advice, TEXT_INDENT);
    }
    put_more_groups(page, holder, options->all);
}

static void put_hidden_holders(struct rch_page *page, const struct rch_answer *answer,
                               uint32_t limit)
{
    uint64_t num_cut = answer->num_holders > limit ? answer->num_holders - limit : 0;
    uint64_t num_hidden = num_cut + answer->num_more_holders;
    if (num_hidden == 0)
        return;
    rch_page_end(page);
    rch_page_words(page, "%" PRIu64 " more not shown", num_hidden);
    if (num_cut)
        rch_page_words(page, " (--limit %" PRIu32 ")", answer->num_holders);
    rch_page_end(page);
}

// ---- what is not a holder -----------------------------------------------------------------------

static void put_sentence(struct rch_page *page, uint64_t num, const char *one, const char *many)
{
    char count[RCH_NUMBER_BYTES], text[320];
    if (num == 0)
        return;
    snprintf(text, sizeof(text), "%s %s", rch_count_text(count, num), num == 1 ? one : many);
    rch_page_wrap(page, text, 0);
}

static void put_observer(struct rch_page *page, const struct rch_answer *answer)
{
    put_sentence(page, answer->observer,
                 "is held only by whoever asks, not by the program: no leak.",
                 "are held only by whoever asks, not by the program: no leak.");
    if (answer->num_observer_names) {
        rch_page_words(page, "Left out, it is the asker's own: ");
        put_list(page, answer->observer_names, answer->num_observer_names, MAX_OBSERVER_NAMES);
    }
}

static void put_in_use(struct rch_page *page, const struct rch_answer *answer)
{
    put_sentence(page, answer->in_use, "is in use: running functions have it in their variables.",
                 "are in use: running functions have them in their variables.");
    if (answer->num_in_use_names) {
        rch_page_words(page, "In use as ");
        put_list(page, answer->in_use_names, answer->num_in_use_names, MAX_OBSERVER_NAMES);
    }
}

static void put_rest(struct rch_page *page, const struct rch_answer *answer, uint32_t first_warning)
{
    rch_page_end(page);
    put_sentence(
        page, answer->garbage,
        "is garbage not yet collected: only a reference cycle keeps it; gc.collect() frees it.",
        "are garbage not yet collected: only reference cycles keep them; gc.collect() "
        "frees them.");
    put_sentence(page, answer->c_held,
                 "is held from C: its reference count is higher than the references found.",
                 "are held from C: their reference counts are higher than the references found.");
    put_observer(page, answer);
    put_sentence(page, answer->uncuttable, "is reached by a path on which nothing can be cut.",
                 "are reached by paths on which nothing can be cut.");
    put_in_use(page, answer);
    put_sentence(page, answer->unexplained, "is unexplained: no path leads to it.",
                 "are unexplained: no path leads to them.");
    if (!answer->garbage && !answer->c_held && !answer->observer && !answer->uncuttable &&
        !answer->in_use && !answer->unexplained)
        rch_page_wrap(page, "Held otherwise: garbage 0, from C 0, by the asker 0, unexplained 0.",
                      0);
    if (answer->is_partial)
        rch_page_wrap(page,
                      "PARTIAL: part of the heap could not be read, so holders may be missing.", 0);
    for (uint32_t i = first_warning; i < answer->num_warnings; i++) {
        rch_page_words(page, "warning:");
        rch_page_wrap(page, answer->warnings[i], 9);
    }
}

static void put_guess_note(struct rch_page *page, const struct rch_answer *answer)
{
    bool has_guess = false;
    for (uint32_t i = 0; i < answer->num_holders; i++)
        for (uint32_t k = 0; k < answer->holders[i].num_hops; k++)
            has_guess = has_guess || answer->holders[i].hops[k].is_guessed;
    if (!has_guess)
        return;
    rch_page_words(page, "?");
    rch_page_wrap(
        page, "a reference found by guessing: a word in memory that is an object's address.", 3);
}

void rch_page_answer(struct rch_page *page, const struct rch_answer *answer, uint32_t first_warning,
                     const struct rch_render_options *options)
{
    put_summary(page, answer, options);
    uint32_t limit = options->limit ? options->limit : answer->is_diffuse ? 8 : UINT32_MAX;
    for (uint32_t i = 0; i < answer->num_holders && i < limit; i++)
        put_holder(page, answer, i, options);
    put_hidden_holders(page, answer, limit);
    if (answer->num_holders > 1 && !answer->is_diffuse && answer->holders[0].is_cuttable) {
        rch_page_end(page);
        rch_page_style(page, RCH_STYLE_BOLD);
        rch_page_words(page, "ALL CUT   ");
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_words(page, "frees ");
        put_freed(page, answer, &answer->all_cut, short_name(answer, options), "nothing");
    }
    put_guess_note(page, answer);
    if (answer->objects)
        put_rest(page, answer, first_warning);
}

void rch_render_why_text(const struct rch_graph *g, const struct rch_answer *answer,
                         const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    rch_page_question(&page, "why", answer->question, answer->objects, answer->bytes, g, options);
    rch_page_matches(&page, options->asked);
    rch_page_answer(&page, answer, 0, options);
}

void rch_render_ambiguous_text(const struct rch_ask_list *list,
                               const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    rch_page_name(&page, list->pattern, 50);
    rch_page_words(&page, " names %" PRIu32 " types; one answer for each follows.",
                   list->num_asked);
    rch_page_end(&page);
    for (uint32_t i = 0; i < list->num_asked; i++)
        put_counted_name(&page, list->asked[i].question.num_members, list->asked[i].question.text);
}

void rch_render_near_text(const struct rch_ask_list *list, const struct rch_render_options *options,
                          struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    if (list->num_near == 0)
        return;
    rch_page_words(&page, "Did you mean");
    rch_page_end(&page);
    for (uint32_t i = 0; i < list->num_near; i++)
        put_counted_name(&page, list->near[i].num_objects, list->near[i].name);
}
