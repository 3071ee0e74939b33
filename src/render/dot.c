// SPDX-License-Identifier: MIT
// render/dot.c -- a picture as DOT. Names are cleaned as everywhere; what DOT itself reads in a quoted
// string (backslashes, quotes, entities) is escaped.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/line.h"
#include "render/picture.h"

enum { LABEL_COLUMNS = 60, TITLE_COLUMNS = 200 };

static void put_quoted(struct rch_sink *sink, const char *clean)
{
    for (; *clean; clean++) {
        if (clean[0] == '\\' && clean[1] == '"') {
            rch_put(sink, "\\\\u{5c}");  // what dot -Txdot makes of \" nobody can read
            continue;
        }
        if (*clean == '"' || *clean == '\\')
            rch_put(sink, "\\");
        if (*clean == '&')
            rch_put(sink, "&amp;");
        else
            rch_put_bytes(sink, clean, 1);
    }
}

static void put_name(struct rch_sink *sink, const char *name, uint32_t max_columns)
{
    char clean[RCH_CLEAN_BYTES];
    rch_clean(clean, name, max_columns, 0);
    put_quoted(sink, clean);
}

/// Lines, each with DOT's \n between.
static void put_lines(struct rch_sink *sink, const struct rch_picture_node *node)
{
    char count[RCH_NUMBER_BYTES];
    for (int i = 0; i < RCH_PICTURE_LINES && node->lines[i]; i++) {
        rch_put(sink, i ? "\\n" : "");
        put_name(sink, node->lines[i], LABEL_COLUMNS);
        if (i == 0 && node->count > 1)
            rch_putf(sink, " \u00d7%s", rch_count_text(count, node->count));
    }
}

static void put_title(struct rch_sink *sink, const char *title)
{
    char line[512];
    for (size_t num; *title; title += num + (title[num] == '\n')) {
        num = strcspn(title, "\n");
        snprintf(line, sizeof(line), "%.*s", num < sizeof(line) ? (int)num : (int)sizeof(line) - 1,
                 title);
        put_name(sink, line, TITLE_COLUMNS);
        rch_put(sink, title[num] ? "\\n" : "");
    }
}

static const char *look_of(const struct rch_picture_node *node)
{
    if (node->flags & RCH_PICTURE_HOLDER)
        return ", fillcolor=\"#ffebe9\", color=\"#cf222e\", penwidth=3";
    if (node->flags & RCH_PICTURE_QUESTION)
        return ", fillcolor=\"#fff3c0\", color=\"#9a6700\", penwidth=2";
    if (node->kind == RCH_PICTURE_ROOT)
        return ", fillcolor=\"#ddf4ff\", color=\"#0969da\", style=\"filled,rounded\"";
    if (node->kind == RCH_PICTURE_STUB)
        return ", style=dashed, fontcolor=\"#59636e\"";
    return "";
}

static void put_node(struct rch_sink *sink, const struct rch_picture_node *node, uint32_t i)
{
    rch_putf(sink, "  n%" PRIu32 " [label=\"", i);
    put_lines(sink, node);
    rch_put(sink, "\"");
    rch_put(sink, look_of(node));
    if (node->color != RCH_PICTURE_NO_COLOR)
        rch_putf(sink, ", fillcolor=\"#%06" PRIx32 "\"", node->color & 0xffffff);
    if (node->title) {
        rch_put(sink, ", tooltip=\"");
        put_title(sink, node->title);
        rch_put(sink, "\"");
    }
    rch_put(sink, "];\n");
}

static void put_edge(struct rch_sink *sink, const struct rch_picture_edge *edge)
{
    rch_putf(sink, "  n%" PRIu32 " -> n%" PRIu32 " [label=\"", edge->from, edge->to);
    if (edge->label)
        put_name(sink, edge->label, LABEL_COLUMNS);
    if (edge->note) {
        rch_put(sink, "\\n");
        put_name(sink, edge->note, LABEL_COLUMNS);
    }
    rch_put(sink, "\"");
    if (edge->flags & RCH_PICTURE_CUT)
        rch_put(sink, ", color=\"#cf222e\", fontcolor=\"#cf222e\", penwidth=3");
    else if (edge->flags & RCH_PICTURE_WEAK)
        rch_put(sink, ", style=dotted");
    rch_put(sink, "];\n");
}

void rch_render_dot(const struct rch_picture *picture, struct rch_sink *sink)
{
    rch_put(sink, "digraph refchain {\n"
                  "  graph [fontname=\"monospace\", labelloc=t, labeljust=l");
    if (picture->heading) {
        rch_put(sink, ", label=\"");
        put_name(sink, picture->heading, TITLE_COLUMNS);
        rch_put(sink, "\\l");
        if (picture->sentence)
            put_name(sink, picture->sentence, TITLE_COLUMNS);
        rch_put(sink, "\\l\"");
    }
    rch_put(sink, "];\n"
                  "  node [shape=box, style=filled, fillcolor=\"#f6f8fa\", color=\"#8c959f\", "
                  "fontname=\"monospace\", fontsize=11];\n"
                  "  edge [color=\"#6e7781\", fontname=\"monospace\", fontsize=10];\n");
    for (uint32_t i = 0; i < picture->nodes.num; i++)
        put_node(sink, &RCH_VEC_AT(&picture->nodes, struct rch_picture_node, i), i);
    for (size_t i = 0; i < picture->edges.num; i++)
        put_edge(sink, &RCH_VEC_AT(&picture->edges, struct rch_picture_edge, i));
    rch_put(sink, "}\n");
}
