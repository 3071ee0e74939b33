// SPDX-License-Identifier: MIT
// render/cycles_text.c -- cycles that look alike, a paragraph each: "Node.children[*] -> Node.parent ->
// Node", how often, what to cut.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/why_parts.h"

enum { TEXT_INDENT = 10, MAX_TYPES = 6, MAX_PART = 60, MAX_CYCLE_HOPS = 24 };

static const char *plural(uint64_t num)
{
    return num == 1 ? "" : "s";
}

static const char *short_type(const char *type)
{
    const char *dot = strrchr(type, '.');
    return dot && dot[1] ? dot + 1 : type;
}

// A piece of a long expression, on the next line if it does not fit.
static void put_piece(struct rch_page *page, const char *piece)
{
    uint64_t columns = rch_clean_columns(piece, page->clean_flags);
    if (page->columns > TEXT_INDENT && page->columns + columns > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, TEXT_INDENT + 2);
    }
    rch_page_name(page, piece, 0);
}

static void put_arrow(struct rch_page *page)
{
    if (page->columns + 4 > page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, TEXT_INDENT + 2);
    }
    bool is_ascii = page->clean_flags & RCH_CLEAN_ASCII;
    rch_page_words(page, " ");
    rch_page_box(page, "\u2192", "->", is_ascii ? 2 : 1);
    rch_page_words(page, " ");
}

static void put_hop(struct rch_page *page, const struct rch_hop *hop)
{
    char text[RCH_CLEAN_BYTES];
    rch_hop_text(text, hop, MAX_PART, page->clean_flags);
    if (text[0] != '.' && text[0] != '[')
        rch_page_words(page, " ");
    put_piece(page, text);
}

// Built-in containers in between are not named: Node.children[*].
static void put_cycle(struct rch_page *page, const struct rch_cycle_group *group)
{
    rch_page_label(page, "cycle");
    rch_page_style(page, RCH_STYLE_BOLD);
    put_piece(page, short_type(group->start));
    for (uint32_t i = 0; i < group->num_hops; i++) {
        const struct rch_hop *hop = &group->hops[i];
        bool is_last = i + 1 == group->num_hops;
        if (group->num_hops > MAX_CYCLE_HOPS && i == MAX_CYCLE_HOPS / 2) {
            uint32_t num = group->num_hops - MAX_CYCLE_HOPS;
            rch_page_words(page, " ... %" PRIu32 " more ... ", num);
            i += num;
            continue;
        }
        put_hop(page, hop);
        if (!is_last && !strchr(hop->type, '.'))
            continue;
        put_arrow(page);
        put_piece(page, short_type(is_last ? group->start : hop->type));
    }
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (!group->is_shortest)
        rch_page_words(page, "  (there may be a shorter one)");
    rch_page_end(page);
}

static void put_cut(struct rch_page *page, const struct rch_cycle_cut *cut, const char *label)
{
    char count[RCH_NUMBER_BYTES];
    rch_page_label(page, label);
    rch_page_style(page, RCH_STYLE_ALARM);
    rch_page_name(page, cut->owner, MAX_PART);
    if (cut->has_via)
        put_hop(page, &cut->via);
    put_hop(page, &cut->hop);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "   %s reference%s to ", rch_count_text(count, cut->refs),
                   plural(cut->refs));
    rch_page_name(page, cut->hop.type, 0);
    rch_page_end(page);
}

static void put_cuts(struct rch_page *page, const struct rch_cycle_group *group)
{
    for (uint32_t i = 0; i < group->num_cuts; i++)
        put_cut(page, &group->cuts[i], i ? "and" : "cut");
    rch_page_label(page, group->num_cuts ? "" : "cut");
    if (!group->is_cuttable)
        rch_page_words(page, "nothing: there is a cycle of references that nobody can cut");
    else if (!group->num_cuts)
        rch_page_words(page, "too entangled to name a few references that end all cycles");
    else
        rch_page_words(page, "%s; or make %s weak",
                       group->is_minimum ? "no fewer names do" : "perhaps fewer names do",
                       group->num_cuts == 1 ? "it" : "them");
    rch_page_end(page);
}

static void put_types(struct rch_page *page, const struct rch_cycle_group *group)
{
    char text[RCH_CLEAN_BYTES], count[RCH_NUMBER_BYTES];
    rch_page_label(page, "types");
    for (uint32_t i = 0; i < group->num_types && i < MAX_TYPES; i++) {
        char name[RCH_CLEAN_BYTES];
        rch_clean(name, group->types[i].type, MAX_PART, page->clean_flags);
        bool is_last = i + 1 == group->num_types;
        snprintf(text, sizeof(text), "%.200s x%s%s", name,
                 rch_count_text(count, group->types[i].objects), is_last ? "" : ", ");
        put_piece(page, text);
    }
    if (group->num_types > MAX_TYPES)
        rch_page_words(page, "and %" PRIu32 " more", group->num_types - MAX_TYPES);
    rch_page_end(page);
    if (!group->has_del)
        return;
    rch_page_label(page, "__del__");
    for (uint32_t i = 0; i < group->num_types; i++) {
        if (!group->types[i].has_del)
            continue;
        put_piece(page, group->types[i].type);
        rch_page_words(page, "  ");
    }
    rch_page_end(page);
    rch_page_label(page, "");
    rch_page_words(page, "the collector calls them in no particular order");
    rch_page_end(page);
}

static void put_heading(struct rch_page *page, const struct rch_cycle_group *group, uint32_t i,
                        uint32_t num)
{
    char count[RCH_NUMBER_BYTES], least[RCH_NUMBER_BYTES], most[RCH_NUMBER_BYTES];
    char bytes[RCH_NUMBER_BYTES];
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "CYCLE %" PRIu32 " of %" PRIu32, i + 1, num);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "   %s %s", rch_count_text(count, group->components),
                   group->is_garbage ? "of garbage" : "alive");
    rch_page_words(page, ", %s", rch_count_text(least, group->least_objects));
    if (group->most_objects != group->least_objects)
        rch_page_words(page, " to %s", rch_count_text(most, group->most_objects));
    rch_page_words(page, " object%s%s", plural(group->most_objects),
                   group->components > 1 ? " each" : "");
    if (group->components > 1)
        rch_page_words(page, ", %s in all", rch_count_text(count, group->objects));
    rch_page_words(page, ", %s", rch_bytes_text(bytes, group->bytes));
    rch_page_end(page);
}

static void put_group(struct rch_page *page, const struct rch_cycles *cycles, uint32_t i)
{
    const struct rch_cycle_group *group = &cycles->groups[i];
    char count[RCH_NUMBER_BYTES], bytes[RCH_NUMBER_BYTES];
    put_heading(page, group, i, cycles->num_groups);
    rch_page_end(page);
    put_cycle(page, group);
    put_cuts(page, group);
    if (group->is_garbage) {
        rch_page_label(page, "frees");
        rch_page_style(page, RCH_STYLE_GOOD);
        rch_page_words(page, "%s object%s, %s, with what hangs on them",
                       rch_count_text(count, group->frees), plural(group->frees),
                       rch_bytes_text(bytes, group->frees_bytes));
        rch_page_style(page, RCH_STYLE_PLAIN);
        rch_page_end(page);
    }
    put_types(page, group);
}

static void put_head(struct rch_page *page, const struct rch_graph *g,
                     const struct rch_cycles *cycles, const struct rch_render_options *options)
{
    char text[320], components[RCH_NUMBER_BYTES], garbage[RCH_NUMBER_BYTES],
        bytes[RCH_NUMBER_BYTES];
    rch_page_question(page, "cycles", cycles->question ? cycles->question : "of garbage",
                      cycles->objects, cycles->bytes, g, options);
    rch_page_matches(page, options->asked);
    rch_page_end(page);
    if (!cycles->components)
        snprintf(text, sizeof(text), "No %s in a cycle.",
                 cycles->question ? "such object is" : "garbage is");
    else
        snprintf(text, sizeof(text),
                 "%s group%s of objects keep each other alive, of %" PRIu32 " kind%s.",
                 rch_count_text(components, cycles->components), plural(cycles->components),
                 cycles->num_groups + cycles->num_more_groups,
                 plural(cycles->num_groups + cycles->num_more_groups));
    rch_page_wrap(page, text, 0);
    if (!cycles->garbage)
        return;
    snprintf(text, sizeof(text),
             "Garbage in all: %s object%s, %s. It goes when the collector runs.",
             rch_count_text(garbage, cycles->garbage), plural(cycles->garbage),
             rch_bytes_text(bytes, cycles->garbage_bytes));
    rch_page_wrap(page, text, 0);
}

void rch_render_cycles_text(const struct rch_graph *g, const struct rch_cycles *cycles,
                            const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    put_head(&page, g, cycles, options);
    for (uint32_t i = 0; i < cycles->num_groups; i++)
        put_group(&page, cycles, i);
    if (cycles->num_more_groups) {
        rch_page_end(&page);
        rch_page_words(&page, "%" PRIu32 " more kind%s not shown (--limit)",
                       cycles->num_more_groups, plural(cycles->num_more_groups));
        rch_page_end(&page);
    }
    if (cycles->is_partial) {
        rch_page_words(&page, "Part of the heap could not be read: some of this may be wrong.");
        rch_page_end(&page);
    }
}
