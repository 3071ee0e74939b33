// SPDX-License-Identifier: MIT
// render/fds_text.c -- open descriptors as a table, what is alike in one line; and group by group with the
// holders of their owners, in the traces of `why`.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/common/select.h"
#include "render/why_parts.h"

enum {
    MANY = 4,  // rows alike that are one line
    FD_END = 7,
    OWNER_LEAST = 26,
    GAP = 2,
    WHERE_BYTES = 8400,  // two names of the kernel's
    MAX_RANGES = 12,
};

// ---- words ----------------------------------------------------------------------------------------

static const char *what_of(const char *protocol, enum rch_fd_kind kind, bool is_listed)
{
    return !is_listed ? "?" : *protocol ? protocol : rch_fd_kind_word(kind);
}

static const char *owner_of(const struct rch_fd_group *group)
{
    return group->holder ? group->holder : group->owner ? group->owner : "no Python object";
}

static const char *arrow(const struct rch_page *page)
{
    return page->clean_flags & RCH_CLEAN_ASCII ? "->" : "\u2192";
}

/// Of a descriptor that only an object tells of, the object's type is all there is.
static void row_where(char out[WHERE_BYTES], const struct rch_page *page,
                      const struct rch_fd_row *row, const struct rch_fd_group *group)
{
    if (!row->is_listed) {
        snprintf(out, WHERE_BYTES, "%s", group->owner ? group->owner : "");
        return;
    }
    bool has_both = *row->local && *row->peer;
    snprintf(out, WHERE_BYTES, "%s%s%s%s%s", row->local, has_both ? " " : "",
             *row->peer ? arrow(page) : "", *row->peer ? " " : "", row->peer);
}

static void group_where(char out[WHERE_BYTES], const struct rch_page *page,
                        const struct rch_fd_group *group)
{
    bool is_peer = group->place_kind == RCH_FD_TO_PEER;
    bool is_directory = group->place_kind == RCH_FD_IN_DIRECTORY;
    const char *place = group->is_listed || !group->owner ? group->place : group->owner;
    const char *entries = !is_directory ? "" : strcmp(place, "/") == 0 ? "*" : "/*";
    snprintf(out, WHERE_BYTES, "%s%s%s%s", is_peer ? arrow(page) : "", is_peer ? " " : "", place,
             entries);
}

static const char *kind_plural(enum rch_fd_kind kind, bool is_one)
{
    switch (kind) {
    case RCH_FD_FILE: return is_one ? "file" : "files";
    case RCH_FD_DIRECTORY: return is_one ? "directory" : "directories";
    case RCH_FD_DEVICE: return is_one ? "device" : "devices";
    case RCH_FD_PIPE: return is_one ? "pipe" : "pipes";
    case RCH_FD_FIFO: return is_one ? "FIFO" : "FIFOs";
    case RCH_FD_SOCKET: return is_one ? "socket" : "sockets";
    default: return is_one ? "descriptor" : "descriptors";
    }
}

/// "141 TCP sockets to 127.0.0.1:5672, ESTABLISHED"
static void put_phrase(struct rch_page *page, const struct rch_fd_group *group)
{
    static const char *const before_place[] = {"", " to ", " at ", " ", " in "};
    char count[RCH_NUMBER_BYTES];
    bool is_one = group->num_rows == 1;
    const char *before =
        group->kind >= RCH_FD_EPOLL ? rch_fd_kind_word(group->kind) : group->protocol;
    rch_page_words(page, "%s %s%s%s", rch_count_text(count, group->num_rows), before,
                   *before ? " " : "", kind_plural(group->kind, is_one));
    if (group->place_kind != RCH_FD_NO_PLACE) {
        rch_page_words(page, "%s", before_place[group->place_kind]);
        rch_page_name(page, group->place, 50);
    }
    if (*group->state) {
        rch_page_words(page, ", ");
        rch_page_name(page, group->state, 30);
    }
}

/// "fd 3-7, 12"
static void put_numbers(struct rch_page *page, const struct rch_fd_table *table,
                        const struct rch_fd_group *group)
{
    uint32_t num_ranges = 0, i = 0;
    rch_page_words(page, "fd ");
    while (i < group->num_rows && num_ranges++ < MAX_RANGES) {
        int32_t first = table->rows[group->rows[i]].fd, last = first;
        while (++i < group->num_rows && table->rows[group->rows[i]].fd == last + 1)
            last++;
        const char *comma = num_ranges > 1 ? ", " : "";
        if (last > first)
            rch_page_words(page, "%s%" PRId32 "-%" PRId32, comma, first, last);
        else
            rch_page_words(page, "%s%" PRId32, comma, first);
    }
    if (i < group->num_rows)
        rch_page_words(page, " and %" PRIu32 " more", group->num_rows - i);
}

// ---- the table ------------------------------------------------------------------------------------

struct fd_columns {  // where each column begins, and how wide
    uint32_t what, state, where, owner;
    uint32_t where_width, owner_width;
};

static void widen(uint32_t *max, uint32_t columns)
{
    if (*max < columns)
        *max = columns;
}

static bool is_one_line(const struct rch_fd_group *group, const struct rch_render_options *options)
{
    return !options->all && group->num_rows >= MANY;
}

/// Does this row begin a line of its own? Of a group in one line only the first does.
static bool begins_line(const struct rch_fd_table *table, uint32_t i,
                        const struct rch_render_options *options)
{
    const struct rch_fd_group *group = &table->groups[table->rows[i].group];
    return !is_one_line(group, options) || group->rows[0] == i;
}

static void line_where(char out[WHERE_BYTES], const struct rch_page *page,
                       const struct rch_fd_table *table, uint32_t i,
                       const struct rch_render_options *options)
{
    const struct rch_fd_group *group = &table->groups[table->rows[i].group];
    if (is_one_line(group, options))
        group_where(out, page, group);
    else
        row_where(out, page, &table->rows[i], group);
}

static struct fd_columns lay_out(const struct rch_page *page, const struct rch_fd_table *table,
                                 const struct rch_render_options *options)
{
    char text[RCH_CLEAN_BYTES], where_text[WHERE_BYTES];
    uint32_t what = 4, state = 5, where = 5, owner = 5, max = page->max_columns;
    unsigned flags = page->clean_flags;
    for (uint32_t i = 0; i < table->num_rows; i++) {
        const struct rch_fd_row *row = &table->rows[i];
        if (!begins_line(table, i, options))
            continue;
        line_where(where_text, page, table, i, options);
        widen(&what, rch_clean(text, what_of(row->protocol, row->kind, row->is_listed), 16, flags));
        widen(&state, rch_clean(text, row->state, 16, flags));
        widen(&where, rch_clean(text, where_text, max, flags));
        widen(&owner, rch_clean(text, owner_of(&table->groups[row->group]), max, flags));
    }
    struct fd_columns at = {.what = FD_END + GAP};
    at.state = at.what + what + GAP;
    at.where = at.state + state + GAP;
    uint32_t room = max - at.where - GAP;
    if (where + owner > room) {  // two addresses want to be read whole, of a name both ends will do
        owner = where + OWNER_LEAST < room ? room - where
                : owner < OWNER_LEAST      ? owner
                                           : OWNER_LEAST;
        where = room - owner;
    }
    at.where_width = where;
    at.owner_width = owner;
    at.owner = at.where + where + GAP;
    return at;
}

static void put_fd(struct rch_page *page, const struct rch_fd_row *row,
                   const struct rch_fd_group *group, bool is_group)
{
    char text[RCH_NUMBER_BYTES + 1], count[RCH_NUMBER_BYTES];
    if (is_group)
        snprintf(text, sizeof(text), "x%s", rch_count_text(count, group->num_rows));
    else
        snprintf(text, sizeof(text), "%" PRId32, row->fd);
    uint32_t columns = (uint32_t)strlen(text);
    rch_page_tab(page, columns < FD_END ? FD_END - columns : 0);
    rch_page_words(page, "%s", text);
}

static void put_line(struct rch_page *page, const struct rch_graph *g,
                     const struct rch_fd_table *table, uint32_t i, const struct fd_columns *at,
                     const struct rch_render_options *options)
{
    const struct rch_fd_row *row = &table->rows[i];
    const struct rch_fd_group *group = &table->groups[row->group];
    char where[WHERE_BYTES];
    bool is_group = is_one_line(group, options);
    line_where(where, page, table, i, options);
    put_fd(page, row, group, is_group);
    rch_page_tab(page, at->what);
    rch_page_name(page, what_of(row->protocol, row->kind, row->is_listed), 16);
    rch_page_tab(page, at->state);
    rch_page_name(page, row->state, 16);
    rch_page_tab(page, at->where);
    rch_page_name(page, where, at->where_width);
    rch_page_tab(page, at->owner);
    rch_page_style(page, group->owner ? RCH_STYLE_PLAIN : RCH_STYLE_DIM);
    rch_page_name(page, owner_of(group), at->owner_width);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    for (uint32_t k = 1; !is_group && k < row->num_owners; k++) {
        char name[1024];
        rch_type_full_name(g, g->shapes[g->shape_of[row->owners[k]]].type, name, sizeof(name));
        rch_page_tab(page, at->where);
        rch_page_words(page, "also of ");
        rch_page_name(page, name, 0);
        rch_page_end(page);
    }
}

static void put_column_heads(struct rch_page *page, const struct fd_columns *at)
{
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_tab(page, FD_END - 2);
    rch_page_words(page, "fd");
    rch_page_tab(page, at->what);
    rch_page_words(page, "what");
    rch_page_tab(page, at->state);
    rch_page_words(page, "state");
    rch_page_tab(page, at->where);
    rch_page_words(page, "where");
    rch_page_tab(page, at->owner);
    rch_page_words(page, "owner");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

// ---- around it ------------------------------------------------------------------------------------

static void put_header(struct rch_page *page, const struct rch_fd_table *table,
                       const struct rch_render_options *options)
{
    char count[RCH_NUMBER_BYTES], owned[RCH_NUMBER_BYTES];
    uint32_t num_owned = table->num_rows - table->num_unowned;
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain fds");
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (table->has_list)
        rch_page_words(
            page, "  %s %s, %s owned by Python objects", rch_count_text(count, table->num_rows),
            table->num_rows == 1 ? "descriptor" : "descriptors", rch_count_text(owned, num_owned));
    else
        rch_page_words(page, "  %s %s owned by Python objects", rch_count_text(owned, num_owned),
                       num_owned == 1 ? "descriptor" : "descriptors");
    if (options->source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, options->source, 0);
    }
    rch_page_end(page);
}

static void put_notes(struct rch_page *page, const struct rch_graph *g,
                      const struct rch_fd_table *table)
{
    char text[256], count[RCH_NUMBER_BYTES];
    uint32_t num_gone = 0;
    for (uint32_t i = 0; i < table->num_rows; i++)
        num_gone += table->has_list && !table->rows[i].is_listed;
    rch_page_end(page);
    if (!table->has_list)
        rch_page_wrap(
            page,
            "The system's list of descriptors is not in here, so only those are shown that "
            "Python objects say they own, without what they lead to.",
            0);
    if (table->num_unowned) {
        snprintf(text, sizeof(text),
                 "%s %s: inherited, or opened by C code or by a bare os.open().",
                 rch_count_text(count, table->num_unowned),
                 table->num_unowned == 1 ? "is owned by no Python object"
                                         : "are owned by no Python object");
        rch_page_wrap(page, text, 0);
    }
    if (num_gone) {
        snprintf(
            text, sizeof(text),
            "%s %s not open: an object has the number of a descriptor that was closed behind its "
            "back.",
            rch_count_text(count, num_gone), num_gone == 1 ? "is" : "are");
        rch_page_wrap(page, text, 0);
    }
    for (uint32_t i = 0; i < table->num_groups; i++) {
        const struct rch_fd_group *group = &table->groups[i];
        if (!group->note)
            continue;
        put_numbers(page, table, group);
        rch_page_words(page, ":");
        rch_page_wrap(page, group->note, 4);
    }
    if (g->info.is_partial)
        rch_page_wrap(page,
                      "PARTIAL: part of the heap could not be read, so owners may be missing.", 0);
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        rch_page_words(page, "warning:");
        rch_page_wrap(page, rch_str_get(g, g->warnings[i]), 9);
    }
}

void rch_render_fds_text(const struct rch_graph *g, const struct rch_fd_table *table,
                         const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    struct fd_columns at = lay_out(&page, table, options);
    uint32_t num = 0, limit = options->limit ? options->limit : UINT32_MAX;
    put_header(&page, table, options);
    if (table->num_rows)
        put_column_heads(&page, &at);
    for (uint32_t i = 0; i < table->num_rows; i++)
        if (begins_line(table, i, options) && num++ < limit)
            put_line(&page, g, table, i, &at, options);
    if (num > limit) {
        rch_page_words(&page, "%" PRIu32 " more lines (--limit %" PRIu32 ")", num - limit, num);
        rch_page_end(&page);
    }
    put_notes(&page, g, table);
}

// ---- holders --------------------------------------------------------------------------------------

static void put_how_held(struct rch_page *page, const struct rch_answer *answer)
{
    bool can_cut = answer->num_holders && answer->holders[0].is_cuttable;
    if (answer->is_diffuse)
        rch_page_words(page, "many holders");
    else if (can_cut)
        rch_page_words(page, "%" PRIu32 " %s", answer->num_holders,
                       answer->num_holders == 1 ? "holder" : "holders");
    else if (answer->objects && answer->garbage >= answer->objects)
        rch_page_words(page, "garbage");
    else
        rch_page_words(page, "no holder to cut");
}

static void put_dash(struct rch_page *page)
{
    rch_page_tab(page, page->columns + 1);
    rch_page_box(page, "\u2500", "-", 1);
    rch_page_tab(page, page->columns + 1);
}

static void put_group(struct rch_page *page, const struct rch_graph *g,
                      const struct rch_fd_table *table, const struct rch_fd_group *group,
                      const struct rch_render_options *options)
{
    struct rch_asked asked = {.kind = RCH_ASK_TYPE};
    struct rch_render_options why = *options;
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_BOLD);
    put_phrase(page, group);
    rch_page_style(page, RCH_STYLE_PLAIN);
    put_dash(page);
    if (page->columns + rch_clean_columns(owner_of(group), page->clean_flags) + 20 >
        page->max_columns) {
        rch_page_end(page);
        rch_page_tab(page, GAP);
    }
    rch_page_name(page, owner_of(group), page->max_columns - page->columns - 20);
    put_dash(page);
    put_how_held(page, group->answer);
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_tab(page, GAP);
    put_numbers(page, table, group);
    rch_page_words(page, ": ");
    rch_page_name(page, group->owner, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    why.asked = &asked;
    why.limit = 0;
    rch_page_answer(page, group->answer, g->num_warnings,
                    &why);  // the graph's come once, at the end
}

/// What has no answer: a line a group.
static void put_unowned(struct rch_page *page, const struct rch_fd_table *table)
{
    bool is_any = false;
    for (uint32_t i = 0; i < table->num_groups; i++) {
        const struct rch_fd_group *group = &table->groups[i];
        if (group->owner)
            continue;
        if (!is_any) {
            rch_page_end(page);
            rch_page_style(page, RCH_STYLE_BOLD);
            rch_page_words(page, "Owned by no Python object");
            rch_page_style(page, RCH_STYLE_PLAIN);
            rch_page_end(page);
        }
        is_any = true;
        rch_page_tab(page, GAP);
        put_phrase(page, group);
        rch_page_words(page, ": ");
        put_numbers(page, table, group);
        rch_page_end(page);
    }
}

void rch_render_fds_why_text(const struct rch_graph *g, const struct rch_fd_table *table,
                             const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint32_t num_hidden = 0;
    put_header(&page, table, options);
    for (uint32_t i = 0; i < table->num_groups; i++) {
        const struct rch_fd_group *group = &table->groups[i];
        if (group->answer)
            put_group(&page, g, table, group, options);
        num_hidden += group->owner && !group->answer;
    }
    if (num_hidden) {
        rch_page_end(&page);
        rch_page_words(&page, "%" PRIu32 " more %s not shown (--limit)", num_hidden,
                       num_hidden == 1 ? "group" : "groups");
        rch_page_end(&page);
    }
    put_unowned(&page, table);
    put_notes(&page, g, table);
}
