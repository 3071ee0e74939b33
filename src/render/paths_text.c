// SPDX-License-Identifier: MIT
// render/paths_text.c -- all ways that hold an object: one trace after the other, or the merged tree
// with the objects of each branch in a column of their own.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/why_parts.h"

enum {
    COUNT_END = 11,
    TREE_START = 13,
    MAX_LEVELS = 10,
    INDENT = 3,
    DEFAULT_SIBLINGS = 8,
    DEFAULT_LINES = 80,
    CHAIN_FIRST = 12,
    CHAIN_LAST = 6,
};

static const char *plural(uint64_t num)
{
    return num == 1 ? "" : "s";
}

// --- one object ---

static void put_summary(struct rch_page *page, const struct rch_paths *paths)
{
    char text[256];
    const char *from = paths->is_garbage ? "garbage" : "a root";
    rch_page_end(page);
    if (!paths->num_paths)
        snprintf(text, sizeof(text), "No path from a root leads to it%s.",
                 paths->num_excluded ? " now"
                                     : ": only the questioner holds it, or nothing that was found");
    else
        snprintf(text, sizeof(text), "%" PRIu32 " path%s from %s, best first%s.%s",
                 paths->num_paths, plural(paths->num_paths), from,
                 paths->is_all         ? "; no other reads differently"
                 : paths->has_given_up ? "; the search for more was given up"
                                       : "; there are more (-k)",
                 paths->is_garbage ? " No live root leads to it: it waits for the collector." : "");
    rch_page_wrap(page, text, 0);
}

static const char *rank_words(uint32_t penalty)
{
    return penalty == 0 ? "" : penalty < 3 ? "indirect" : "explains little";
}

static void put_path(struct rch_page *page, const struct rch_found_path *path, uint32_t i,
                     uint32_t num)
{
    const char *words = rank_words(path->penalty), *print = path->way.fingerprint;
    rch_page_end(page);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "PATH %" PRIu32 " of %" PRIu32, i + 1, num);
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (*words)
        rch_page_words(page, "   %s", words);
    rch_page_tab(page, page->max_columns - (uint32_t)strlen(print));
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_words(page, "%s", print);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    rch_page_trace(page, &path->way, path->way.hops, path->way.num_hops, false);
}

// --- several: the tree ---

struct level {
    uint32_t at, past;  // branches that are still to be shown, and where the parent's end
    uint32_t num_shown;
};

struct tree {
    struct rch_page *page;
    const struct rch_paths *paths;
    struct level levels[MAX_LEVELS];
    uint32_t num_levels, num_lines, max_lines, max_siblings;
    uint32_t name_width;
};

static uint32_t past_of(const struct rch_paths *paths, uint32_t i)
{
    uint32_t past = i + 1;
    while (past < paths->num_branches && paths->branches[past].depth > paths->branches[i].depth)
        past++;
    return past;
}

static void put_margin(struct tree *tree, uint64_t members)
{
    char count[RCH_NUMBER_BYTES];
    const char *text = members ? rch_count_text(count, members) : "";
    uint32_t columns = (uint32_t)strlen(text);
    rch_page_tab(tree->page, columns < COUNT_END ? COUNT_END - columns : 0);
    rch_page_words(tree->page, "%s", text);
    for (uint32_t i = 1; i < tree->num_levels; i++) {
        rch_page_tab(tree->page, TREE_START + (i - 1) * INDENT);
        if (tree->levels[i].at < tree->levels[i].past)
            rch_page_box(tree->page, "\u2502", "|", 1);
    }
    rch_page_tab(tree->page, TREE_START + (tree->num_levels - 1) * INDENT);
    tree->num_lines++;
}

static void put_hop(struct tree *tree, const struct rch_path_branch *branch)
{
    struct rch_page *page = tree->page;
    char text[RCH_CLEAN_BYTES], count[RCH_NUMBER_BYTES];
    bool is_last = branch->num_branches == 0;
    put_margin(tree, branch->members);
    rch_page_box(page, is_last ? "\u2570\u2192 " : "\u251c\u2500 ", is_last ? "`> " : "|- ", 3);
    rch_hop_text(text, &branch->hop, tree->name_width, page->clean_flags);
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_name(page, text, 0);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_tab(page, page->columns + 2);
    rch_page_style(page, RCH_STYLE_DIM);
    rch_page_words(page, "%s%s", rch_edge_kind_word(branch->hop.kind),
                   branch->hop.is_guessed ? "?" : "");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_tab(page, page->columns + 2);
    rch_page_name(page, branch->hop.type, 0);
    if (branch->hop.num_objects > 1)
        rch_page_words(page, "  x%s", rch_count_text(count, branch->hop.num_objects));
    if (branch->ends && !is_last)
        rch_page_words(page, "  %s of them here", rch_count_text(count, branch->ends));
    rch_page_end(page);
}

static void put_gap(struct tree *tree, uint64_t num, const char *words)
{
    char count[RCH_NUMBER_BYTES];
    put_margin(tree, 0);
    rch_page_box(tree->page, "\u250a", ":", 1);
    rch_page_words(tree->page, "  %s %s", rch_count_text(count, num), words);
    rch_page_end(tree->page);
}

static void put_branch(struct tree *tree, const struct rch_path_branch *branch)
{
    if (!branch->root) {
        put_hop(tree, branch);
        return;
    }
    put_margin(tree, branch->members);
    rch_page_root(tree->page, branch->root);
}

// From branch i down to where the tree parts again, or ends. Returns that branch.
static uint32_t put_chain(struct tree *tree, uint32_t i)
{
    const struct rch_path_branch *branches = tree->paths->branches;
    uint32_t past = i;
    while (branches[past].num_branches == 1)
        past++;
    for (uint32_t at = i; at <= past; at++) {
        bool is_long = past - i + 1 > CHAIN_FIRST + CHAIN_LAST + 1;
        if (is_long && at == i + CHAIN_FIRST) {
            uint32_t to = past + 1 - CHAIN_LAST;
            put_gap(tree, to - at, "more hops (--json shows all)");
            at = to;
        }
        put_branch(tree, &branches[at]);
    }
    return past;
}

// The branches that are not shown of this level, in one line.
static void put_others(struct tree *tree, const struct level *level)
{
    char text[96], count[RCH_NUMBER_BYTES];
    uint64_t num = 0, members = 0;
    uint32_t depth = tree->paths->branches[level->at].depth;
    for (uint32_t i = level->at; i < level->past; i++) {
        const struct rch_path_branch *branch = &tree->paths->branches[i];
        num += branch->depth == depth;
        members += branch->depth == depth ? branch->members : 0;
    }
    snprintf(text, sizeof(text), "more, with %s of the objects", rch_count_text(count, members));
    put_gap(tree, num, text);
}

static void put_tree(struct tree *tree)
{
    const struct rch_paths *paths = tree->paths;
    tree->levels[0] = (struct level){0, paths->num_branches, 0};
    tree->num_levels = 1;
    while (tree->num_levels) {
        struct level *level = &tree->levels[tree->num_levels - 1];
        if (level->at >= level->past) {
            tree->num_levels--;
            continue;
        }
        if (level->num_shown >= tree->max_siblings || tree->num_lines >= tree->max_lines) {
            struct level rest = *level;
            level->at = level->past;
            put_others(tree, &rest);
            continue;
        }
        uint32_t i = level->at;
        level->at = past_of(paths, i);
        level->num_shown++;
        if (tree->num_levels == 1 && i)
            rch_page_end(tree->page);
        uint32_t last = put_chain(tree, i);
        if (paths->branches[last].num_branches > 1 && tree->num_levels < MAX_LEVELS)
            tree->levels[tree->num_levels++] = (struct level){last + 1, past_of(paths, last), 0};
        else if (paths->branches[last].num_branches)
            put_gap(tree, paths->branches[last].num_branches, "branches below (--json shows all)");
    }
}

static void put_merged(struct rch_page *page, const struct rch_paths *paths,
                       const struct rch_render_options *options)
{
    char text[320], reached[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES];
    uint32_t num_roots = 0;
    for (uint32_t i = 0; i < paths->num_branches; i++)
        num_roots += paths->branches[i].root != NULL;
    rch_page_end(page);
    snprintf(text, sizeof(text),
             "The best paths of %s of %s objects, merged, from %" PRIu32 " root%s.%s",
             rch_count_text(reached, paths->is_garbage ? paths->garbage : paths->reached),
             rch_count_text(all, paths->objects), num_roots, plural(num_roots),
             paths->is_garbage ? " No live root leads to them: they wait for the collector." : "");
    rch_page_wrap(page, text, 0);
    rch_page_end(page);
    struct tree tree = {.page = page, .paths = paths, .name_width = page->max_columns / 3};
    tree.max_lines = options->all ? UINT32_MAX : options->limit ? options->limit : DEFAULT_LINES;
    tree.max_siblings = options->all ? UINT32_MAX : DEFAULT_SIBLINGS;
    put_tree(&tree);
}

// --- what is not there ---

static void put_excluded(struct rch_page *page, const struct rch_paths *paths)
{
    char text[RCH_CLEAN_BYTES], matched[RCH_NUMBER_BYTES], dropped[RCH_NUMBER_BYTES];
    bool is_one = paths->objects == 1;
    if (paths->num_excluded)
        rch_page_end(page);
    for (uint32_t i = 0; i < paths->num_excluded; i++) {
        const struct rch_excluded *row = &paths->excluded[i];
        rch_page_words(page, "excluded  %s ", row->is_root ? "root" : "references");
        rch_page_name(page, row->pattern, 40);
        snprintf(text, sizeof(text), ": %s of them, on %s of the best paths without this",
                 rch_count_text(matched, row->matched), rch_count_text(dropped, row->dropped));
        if (!row->matched)
            snprintf(text, sizeof(text), ": nothing here is called so");
        rch_page_words(page, "%s", text);
        rch_page_end(page);
    }
    if (paths->num_excluded > 1) {
        rch_page_words(page, "dropped   %s %s in all", rch_count_text(dropped, paths->dropped),
                       is_one ? "of the best paths" : "objects' best paths");
        rch_page_end(page);
    }
}

static void put_note(struct rch_page *page, uint64_t num, const char *words)
{
    char count[RCH_NUMBER_BYTES];
    if (!num)
        return;
    rch_page_words(page, "%s of the objects %s", rch_count_text(count, num), words);
    rch_page_end(page);
}

void rch_render_paths_text(const struct rch_graph *g, const struct rch_paths *paths,
                           const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    rch_page_question(&page, "paths", paths->question, paths->objects, paths->bytes, g, options);
    rch_page_matches(&page, options->asked);
    if (paths->objects == 1) {
        put_summary(&page, paths);
        for (uint32_t i = 0; i < paths->num_paths; i++)
            put_path(&page, &paths->paths[i], i, paths->num_paths);
    } else if (paths->objects) {
        put_merged(&page, paths, options);
        if (paths->unheld || (paths->garbage && !paths->is_garbage))
            rch_page_end(&page);
        if (!paths->is_garbage)
            put_note(&page, paths->garbage, "are held by garbage only, until it is collected");
        put_note(&page, paths->unheld,
                 paths->num_excluded ? "are held by what was excluded, or by nothing that was found"
                                     : "are held by the questioner, or by nothing that was found");
    }
    put_excluded(&page, paths);
    if (paths->is_partial) {
        rch_page_words(&page, "Part of the heap could not be read: some of this may be wrong.");
        rch_page_end(&page);
    }
}
