// SPDX-License-Identifier: MIT
// render/svg.c -- a picture as SVG. Text is set in a font of fixed width, so that its extent is known
// without asking a font. No ids, no script, no reference outside: the element can stand in any page,
// several times.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/layout.h"
#include "render/line.h"
#include "render/markup.h"
#include "render/picture.h"

static const double column_px = 7.9,
                    small_column_px = 7.1;  // 13 px and 11.5 px, widest of the usual fonts
static const double line_px = 18, small_line_px = 15, pad_px = 10, margin_px = 16;
static const double head_column_px = 8.6, head_line_px = 24;
enum { BOX_COLUMNS = 38, NAME_COLUMNS = 30, PAGE_COLUMNS = 110, TITLE_BYTES = 6000 };

// Light, and dark where the reader's system says so. Colour is never the only sign: holders have a
// thicker line and say so, cuts are thicker and barred, what does not hold is dotted.
static const char style[] =
    ".rch-picture{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
    "'Liberation Mono',monospace;font-size:13px}\n"
    ".rch-picture .bg{fill:#fff}\n"
    ".rch-picture text{fill:#1f2328;white-space:pre}\n"
    ".rch-picture .head{font-size:14px;font-weight:bold}\n"
    ".rch-picture .b{font-weight:bold}\n"
    ".rch-picture .s{font-size:11.5px}\n"
    ".rch-picture .d{fill:#59636e}\n"
    ".rch-picture text.w{fill:#fff}\n"
    ".rch-picture text.k{fill:#000}\n"
    ".rch-picture .object rect{fill:#f6f8fa;stroke:#8c959f}\n"
    ".rch-picture .root rect{fill:#ddf4ff;stroke:#0969da}\n"
    ".rch-picture .question rect{fill:#fff3c0;stroke:#9a6700;stroke-width:2}\n"
    ".rch-picture .holder rect{fill:#ffebe9;stroke:#cf222e;stroke-width:3}\n"
    ".rch-picture .holder .s{fill:#a40e26;font-weight:bold}\n"
    ".rch-picture .stub rect{fill:none;stroke:#8c959f;stroke-dasharray:4 3}\n"
    ".rch-picture path{fill:none;stroke:#6e7781;stroke-width:1.3}\n"
    ".rch-picture .tip{fill:#6e7781;stroke:none}\n"
    ".rch-picture .hit{stroke:#000;stroke-opacity:0;stroke-width:9}\n"
    ".rch-picture .weak path{stroke-dasharray:2 4}\n"
    ".rch-picture .cut path{stroke:#cf222e;stroke-width:3}\n"
    ".rch-picture .cut .tip{fill:#cf222e;stroke:none}\n"
    ".rch-picture .cut .hit{stroke-width:9}\n"
    ".rch-picture .cut text{fill:#cf222e;font-weight:bold}\n"
    "@media(prefers-color-scheme:dark){\n"
    ".rch-picture .bg{fill:#0d1117}\n"
    ".rch-picture text{fill:#e6edf3}\n"
    ".rch-picture .d{fill:#9198a1}\n"
    ".rch-picture .object rect{fill:#1c2128;stroke:#768390}\n"
    ".rch-picture .root rect{fill:#10294d;stroke:#4493f8}\n"
    ".rch-picture .question rect{fill:#3b2f0b;stroke:#d29922}\n"
    ".rch-picture .holder rect{fill:#42191a;stroke:#f85149}\n"
    ".rch-picture .holder .s{fill:#ff9a92}\n"
    ".rch-picture .stub rect{fill:none;stroke:#768390}\n"
    ".rch-picture path{stroke:#848d97}\n"
    ".rch-picture .tip{fill:#848d97;stroke:none}\n"
    ".rch-picture .cut path{stroke:#ff7b72}\n"
    ".rch-picture .cut .tip{fill:#ff7b72;stroke:none}\n"
    ".rch-picture .cut text{fill:#ff7b72}\n"
    "}\n";

struct drawing {
    const struct rch_picture *picture;
    struct rch_sink *sink;
    uint32_t num_nodes, num_edges;
    struct rch_block boxes, arrows;  // struct rch_layout_box, struct rch_layout_arrow
    struct rch_block layers;         // uint32_t a box: where pictures are drawn by distance
    struct rch_layout layout;
    bool is_down;  // layers run from the top down; false: from left to right
    double top, width, height;
};

#define NODE(d, i) (&RCH_VEC_AT(&(d)->picture->nodes, struct rch_picture_node, i))
#define EDGE(d, i) (&RCH_VEC_AT(&(d)->picture->edges, struct rch_picture_edge, i))

// ---- text ----------------------------------------------------------------------------------------

static uint32_t clean_line(char out[RCH_CLEAN_BYTES], const struct rch_picture_node *node,
                           uint32_t line)
{
    if (line >= RCH_PICTURE_LINES || !node->lines[line])
        return 0;
    uint32_t columns = rch_clean(out, node->lines[line], BOX_COLUMNS, 0);
    if (line == 0 && node->count > 1) {
        char count[RCH_NUMBER_BYTES], times[RCH_NUMBER_BYTES + 8];
        int num = snprintf(times, sizeof(times), " \u00d7%s", rch_count_text(count, node->count));
        memcpy(out + strlen(out), times, (size_t)num + 1);  // a clean line leaves room for it
        columns += (uint32_t)num - 1;                       // the sign is two bytes
    }
    return columns;
}

static uint32_t clean_name(char out[RCH_CLEAN_BYTES], const char *name)
{
    return name ? rch_clean(out, name, NAME_COLUMNS, 0) : 0;
}

static void put_text(const struct drawing *d, double x, double y, const char *class_words,
                     const char *clean)
{
    rch_putf(d->sink, "<text x=\"%ld\" y=\"%ld\"", lround(x), lround(y));
    if (*class_words)
        rch_putf(d->sink, " class=\"%s\"", class_words);
    rch_put(d->sink, ">");
    rch_put_markup(d->sink, clean);
    rch_put(d->sink, "</text>\n");
}

// ---- extents -------------------------------------------------------------------------------------

struct extent {
    double x, y;
};

static struct extent extent_of_node(const struct rch_picture_node *node)
{
    char clean[RCH_CLEAN_BYTES];
    struct extent extent = {0, line_px + pad_px};
    for (uint32_t i = 0; i < RCH_PICTURE_LINES && node->lines[i]; i++) {
        bool is_small = i > 0 || node->kind == RCH_PICTURE_STUB;
        double width = clean_line(clean, node, i) * (is_small ? small_column_px : column_px);
        extent.x = fmax(extent.x, width);
        extent.y += i > 0 ? small_line_px : 0;
    }
    extent.x += 2 * pad_px;
    return extent;
}

static struct extent extent_of_name(const struct rch_picture_edge *edge)
{
    char clean[RCH_CLEAN_BYTES];
    double width = fmax(clean_name(clean, edge->label), clean_name(clean, edge->note));
    if (width == 0)
        return (struct extent){0, 0};
    return (struct extent){width * small_column_px + 8,
                           small_line_px * ((edge->label != NULL) + (edge->note != NULL)) + 4};
}

/// Sizes for one of the two directions.
static void measure(const struct drawing *d, bool is_down)
{
    struct rch_layout_box *boxes = d->boxes.mem;
    struct rch_layout_arrow *arrows = d->arrows.mem;
    for (uint32_t i = 0; i < d->num_nodes; i++) {
        struct extent extent = extent_of_node(NODE(d, i));
        boxes[i] = is_down ? (struct rch_layout_box){.across = extent.x, .along = extent.y}
                           : (struct rch_layout_box){.across = extent.y, .along = extent.x};
        boxes[i].layer = d->layers.mem ? ((uint32_t *)d->layers.mem)[i] : UINT32_MAX;
    }
    for (uint32_t i = 0; i < d->num_edges; i++) {
        const struct rch_picture_edge *edge = EDGE(d, i);
        struct extent extent = extent_of_name(edge);
        arrows[i] = (struct rch_layout_arrow){.from = edge->from,
                                              .to = edge->to,
                                              .across = is_down ? extent.x : extent.y,
                                              .along = is_down ? extent.y : extent.x,
                                              .is_line_after = !is_down};
        if (edge->from != edge->to)
            continue;
        struct rch_layout_box *box = &boxes[edge->from];
        box->trailing = fmax(box->trailing, is_down ? extent.x + 30 : 28);
        if (!is_down)
            box->along = fmax(box->along, 2 * (extent.x + 16));
    }
}

/// Layers by distance from what was asked about: below it if most arrows lead away, otherwise above.
static void find_layers(struct drawing *d)
{
    uint32_t *layers = d->layers.mem, most = 0;
    for (uint32_t i = 0; i < d->num_nodes; i++)
        layers[i] = NODE(d, i)->flags & RCH_PICTURE_QUESTION ? 0 : UINT32_MAX;
    for (bool has_grown = true; has_grown;) {
        has_grown = false;
        for (uint32_t i = 0; i < d->num_edges; i++) {
            uint32_t a = EDGE(d, i)->from, b = EDGE(d, i)->to;
            uint32_t near = layers[a] < layers[b] ? a : b, far = a + b - near;
            if (layers[near] == UINT32_MAX || layers[far] <= layers[near] + 1)
                continue;
            layers[far] = layers[near] + 1;
            has_grown = true;
        }
    }
    int64_t num_away = 0;
    for (uint32_t i = 0; i < d->num_edges; i++) {
        uint32_t a = layers[EDGE(d, i)->from], b = layers[EDGE(d, i)->to];
        num_away += (a < b) - (a > b);
    }
    for (uint32_t i = 0; i < d->num_nodes; i++) {
        layers[i] = layers[i] == UINT32_MAX ? 0 : layers[i];
        most = layers[i] > most ? layers[i] : most;
    }
    for (uint32_t i = 0; i < d->num_nodes && num_away < 0; i++)
        layers[i] = most - layers[i];
}

static enum rch_status lay_out(struct drawing *d, bool is_down, struct rch_error *err)
{
    measure(d, is_down);
    d->is_down = is_down;
    RCH_TRY(rch_layout(&d->layout, d->picture->nodes.alloc, d->boxes.mem, d->num_nodes,
                       d->arrows.mem, d->num_edges, err));
    d->width = is_down ? d->layout.across : d->layout.along;
    d->height = is_down ? d->layout.along : d->layout.across;
    return RCH_OK;
}

/// How much a screen is too small for the drawing.
static double misfit(const struct drawing *d)
{
    return fmax(d->width / 1300, d->height / 850);
}

static enum rch_status lay_out_best(struct drawing *d, struct rch_error *err)
{
    RCH_TRY(lay_out(d, true, err));
    double down = misfit(d);
    rch_layout_deinit(&d->layout);
    RCH_TRY(lay_out(d, false, err));
    if (misfit(d) < down * 0.95)
        return RCH_OK;
    rch_layout_deinit(&d->layout);
    return lay_out(d, true, err);
}

// ---- arrows --------------------------------------------------------------------------------------

static double x_of(const struct drawing *d, double across, double along)
{
    return margin_px + (d->is_down ? across : along);
}
static double y_of(const struct drawing *d, double across, double along)
{
    return d->top + (d->is_down ? along : across);
}

static void put_point(const struct drawing *d, const char *command, double across, double along)
{
    rch_putf(d->sink, "%s%ld %ld", command, lround(x_of(d, across, along)),
             lround(y_of(d, across, along)));
}

/// Where an arrow leaves or enters a box: towards where it goes, within the middle of the side.
static double port(const struct rch_layout_box *box, double towards)
{
    double room = box->across * 0.35, away = (towards - box->at_across) * 0.35;
    return box->at_across + fmax(-room, fmin(room, away));
}

static void put_curve(const struct drawing *d, double from_across, double from_along,
                      double to_across, double to_along)
{
    double middle = (from_along + to_along) / 2;
    put_point(d, "C", from_across, middle);
    put_point(d, " ", to_across, middle);
    put_point(d, " ", to_across, to_along);
}

struct run {  // the whole way of an arrow: straight within layers, curved between them
    double from_across, from_along, from_edge;
    double to_across, to_along, to_edge, tip_along;
    const struct rch_layout_bend *bends;
    uint32_t num_bends;
};

/// Half of a box as drawn, along.
static double half_along(const struct drawing *d, uint32_t i)
{
    struct extent extent = extent_of_node(NODE(d, i));
    return (d->is_down ? extent.y : extent.x) / 2;
}

static struct run run_of(const struct drawing *d, uint32_t i)
{
    enum { TIP = 7 };
    const struct rch_layout_arrow *arrow = &((struct rch_layout_arrow *)d->arrows.mem)[i];
    const struct rch_layout_box *boxes = d->boxes.mem;
    const struct rch_layout_box *from = &boxes[arrow->from], *to = &boxes[arrow->to];
    struct run run = {.num_bends = arrow->num_bends};
    run.bends = &RCH_VEC_AT(&d->layout.bends, struct rch_layout_bend, arrow->first_bend);
    double sign = to->at_along > from->at_along ? 1 : -1;
    run.from_across = port(from, run.bends[0].across);
    run.from_along = from->at_along + sign * half_along(d, arrow->from);
    run.from_edge = sign > 0 ? from->layer_end : from->layer_begin;
    run.to_across = port(to, run.bends[run.num_bends - 1].across);
    run.tip_along = to->at_along - sign * half_along(d, arrow->to);
    run.to_along = run.tip_along - sign * TIP;
    run.to_edge = (sign > 0 ? to->layer_begin : to->layer_end) - sign * TIP;
    return run;
}

static void put_way(const struct drawing *d, const struct run *run, const char *class_words)
{
    rch_putf(d->sink, "<path%s d=\"", class_words);
    put_point(d, "M", run->from_across, run->from_along);
    if (run->from_along != run->from_edge)
        put_point(d, "L", run->from_across, run->from_edge);
    double across = run->from_across, along = run->from_edge;
    for (uint32_t k = 0; k < run->num_bends; k++) {
        const struct rch_layout_bend *bend = &run->bends[k];
        put_curve(d, across, along, bend->across, bend->along_begin);
        if (bend->along_begin != bend->along_end)
            put_point(d, "L", bend->across, bend->along_end);
        across = bend->across;
        along = bend->along_end;
    }
    put_curve(d, across, along, run->to_across, run->to_edge);
    if (run->to_edge != run->to_along)
        put_point(d, "L", run->to_across, run->to_along);
    rch_put(d->sink, "\"/>\n");
}

static void put_tip(const struct drawing *d, const struct run *run)
{
    rch_put(d->sink, "<path class=\"tip\" d=\"");
    put_point(d, "M", run->to_across, run->tip_along);
    put_point(d, "L", run->to_across - 4, run->to_along);
    put_point(d, "L", run->to_across + 4, run->to_along);
    rch_put(d->sink, "Z\"/>\n");
}

/// Between two boxes of one layer: an arc below both.
static void put_flat(const struct drawing *d, uint32_t i)
{
    enum { TIP = 7 };
    const struct rch_layout_arrow *arrow = &((struct rch_layout_arrow *)d->arrows.mem)[i];
    const struct rch_layout_box *boxes = d->boxes.mem;
    const struct rch_layout_box *from = &boxes[arrow->from], *to = &boxes[arrow->to];
    const struct rch_layout_bend *bend =
        &RCH_VEC_AT(&d->layout.bends, struct rch_layout_bend, arrow->first_bend);
    struct run run = {.from_across = port(from, bend->across), .to_across = port(to, bend->across)};
    double low = bend->along_begin + 2, edge = from->layer_end;
    run.tip_along = to->at_along + half_along(d, arrow->to);
    run.to_along = run.tip_along + TIP;
    for (int hit = 1; hit >= 0; hit--) {
        rch_putf(d->sink, "<path%s d=\"", hit ? " class=\"hit\"" : "");
        put_point(d, "M", run.from_across, from->at_along + half_along(d, arrow->from));
        put_point(d, "L", run.from_across, edge);
        put_point(d, "C", run.from_across, low);
        put_point(d, " ", run.to_across, low);
        put_point(d, " ", run.to_across, fmax(edge, run.to_along));
        put_point(d, "L", run.to_across, run.to_along);
        rch_put(d->sink, "\"/>\n");
    }
    put_tip(d, &run);
}

/// The name beside the line (layers down) or above it, and a bar across a line to cut.
static void put_name(const struct drawing *d, const struct rch_picture_edge *edge,
                     const struct rch_layout_bend *bend)
{
    char clean[RCH_CLEAN_BYTES];
    struct extent extent = extent_of_name(edge);
    double middle = (bend->along_begin + bend->along_end) / 2;
    double head = fmin(bend->along_begin, bend->along_end);
    double x = d->is_down ? x_of(d, bend->across + 7, 0) : x_of(d, 0, head + 4);
    double y = d->is_down ? y_of(d, 0, middle - extent.y / 2) + small_line_px - 2
                          : y_of(d, bend->across - extent.y, 0) + small_line_px - 3;
    if (edge->label) {
        clean_name(clean, edge->label);
        put_text(d, x, y, "s", clean);
        y += small_line_px;
    }
    if (edge->note) {
        clean_name(clean, edge->note);
        put_text(d, x, y, "s", clean);
    }
    if (!(edge->flags & RCH_PICTURE_CUT))
        return;
    double at = d->is_down ? middle : fmax(bend->along_begin, bend->along_end);
    rch_put(d->sink, "<path d=\"");
    put_point(d, "M", bend->across - 6, at + 4);
    put_point(d, "L", bend->across + 6, at - 4);
    rch_put(d->sink, "\"/>\n");
}

static void put_edge_title(const struct drawing *d, const struct rch_picture_edge *edge)
{
    char count[RCH_NUMBER_BYTES];
    rch_put(d->sink, "<title>");
    rch_put_markup_name(d->sink, NODE(d, edge->from)->lines[0], TITLE_BYTES, false);
    rch_put(d->sink, " ");
    rch_put_markup_name(d->sink, edge->label ? edge->label : "\u2192", TITLE_BYTES, false);
    if (edge->flags & RCH_PICTURE_WEAK)
        rch_put(d->sink, " (weak: does not hold)");
    if (edge->flags & RCH_PICTURE_GUESSED)
        rch_put(d->sink, " (guessed)");
    if (edge->count > 1)
        rch_putf(d->sink, ", %s references", rch_count_text(count, edge->count));
    if (edge->note) {
        rch_put(d->sink, "\n");
        rch_put_markup_name(d->sink, edge->note, TITLE_BYTES, false);
    }
    rch_put(d->sink, "</title>\n");
}

/// An arrow from a box to itself: after the box, across.
static void put_self(const struct drawing *d, const struct rch_picture_edge *edge)
{
    const struct rch_layout_box *box = &((struct rch_layout_box *)d->boxes.mem)[edge->from];
    double side = box->at_across + box->across / 2, along = box->at_along;
    char clean[RCH_CLEAN_BYTES];
    rch_put(d->sink, "<path d=\"");
    put_point(d, "M", side, along - 7);
    put_point(d, "C", side + 24, along - 12);
    put_point(d, " ", side + 24, along + 12);
    put_point(d, " ", side + 7, along + 7);
    rch_put(d->sink, "\"/>\n<path class=\"tip\" d=\"");
    put_point(d, "M", side, along + 6);
    put_point(d, "L", side + 7, along + 2);
    put_point(d, "L", side + 7, along + 10);
    rch_put(d->sink, "Z\"/>\n");
    if (!edge->label)
        return;
    clean_name(clean, edge->label);
    put_text(d, x_of(d, side + 22, along + 14), y_of(d, side + 18, along + 4), "s", clean);
}

static void put_straight(const struct drawing *d, uint32_t i)
{
    struct run run = run_of(d, i);
    put_way(d, &run, " class=\"hit\"");
    put_way(d, &run, "");
    put_tip(d, &run);
}

static void put_edge(const struct drawing *d, uint32_t i)
{
    const struct rch_picture_edge *edge = EDGE(d, i);
    const struct rch_layout_arrow *arrow = &((struct rch_layout_arrow *)d->arrows.mem)[i];
    const char *class_words = edge->flags & RCH_PICTURE_CUT    ? " class=\"cut\""
                              : edge->flags & RCH_PICTURE_WEAK ? " class=\"weak\""
                                                               : "";
    rch_putf(d->sink, "<g%s>", class_words);
    put_edge_title(d, edge);
    if (edge->from == edge->to) {
        put_self(d, edge);
    } else {
        if (arrow->is_flat)
            put_flat(d, i);
        else
            put_straight(d, i);
        if (arrow->name_bend != UINT32_MAX)
            put_name(d, edge,
                     &RCH_VEC_AT(&d->layout.bends, struct rch_layout_bend, arrow->name_bend));
    }
    rch_put(d->sink, "</g>\n");
}

// ---- boxes ---------------------------------------------------------------------------------------

static const char *class_of(const struct rch_picture_node *node)
{
    if (node->flags & RCH_PICTURE_HOLDER)
        return "holder";
    if (node->flags & RCH_PICTURE_QUESTION)
        return "question";
    return node->kind == RCH_PICTURE_ROOT   ? "root"
           : node->kind == RCH_PICTURE_STUB ? "stub"
                                            : "object";
}

static void put_node_title(const struct drawing *d, const struct rch_picture_node *node)
{
    rch_put(d->sink, "<title>");
    for (uint32_t i = 0; i < RCH_PICTURE_LINES && node->lines[i] && !node->title; i++) {
        rch_put(d->sink, i ? "\n" : "");
        rch_put_markup_name(d->sink, node->lines[i], TITLE_BYTES, false);
    }
    if (node->title)
        rch_put_markup_name(d->sink, node->title, TITLE_BYTES, true);
    rch_put(d->sink, "</title>\n");
}

static bool is_dark(uint32_t color)
{
    uint32_t sum = 2 * (color >> 16 & 255) + 5 * (color >> 8 & 255) + (color & 255);
    return sum < 8 * 128;
}

static void put_node(const struct drawing *d, uint32_t i)
{
    const struct rch_picture_node *node = NODE(d, i);
    const struct rch_layout_box *box = &((struct rch_layout_box *)d->boxes.mem)[i];
    struct extent extent = extent_of_node(node);
    double x = x_of(d, box->at_across, box->at_along) - extent.x / 2;
    double y = y_of(d, box->at_across, box->at_along) - extent.y / 2;
    bool has_color = node->color != RCH_PICTURE_NO_COLOR;
    char clean[RCH_CLEAN_BYTES], classes[16];
    rch_putf(d->sink, "<g class=\"%s\">", class_of(node));
    put_node_title(d, node);
    rch_putf(d->sink, "<rect x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%ld\" rx=\"%d\"", lround(x),
             lround(y), lround(extent.x), lround(extent.y),
             node->kind == RCH_PICTURE_ROOT ? 14 : 4);
    if (has_color)
        rch_putf(d->sink, " style=\"fill:#%06x\"", node->color & 0xffffff);
    rch_put(d->sink, "/>\n");
    for (uint32_t k = 0; k < RCH_PICTURE_LINES && node->lines[k]; k++) {
        bool is_stub = node->kind == RCH_PICTURE_STUB;
        const char *ink = has_color ? is_dark(node->color) ? " w" : " k" : k || is_stub ? " d" : "";
        snprintf(classes, sizeof(classes), "%s%s", k || is_stub ? "s" : "b", ink);
        clean_line(clean, node, k);
        put_text(d, x + pad_px, y + pad_px / 2 + 14 + small_line_px * k, classes, clean);
    }
    rch_put(d->sink, "</g>\n");
}

// ---- the whole -----------------------------------------------------------------------------------

static double text_width(const char *text, double column)
{
    char clean[RCH_CLEAN_BYTES];
    return text ? rch_clean(clean, text, PAGE_COLUMNS, 0) * column : 0;
}

static void put_head(struct drawing *d)
{
    const struct rch_picture *picture = d->picture;
    double foot = d->top + d->height;
    double width = fmax(d->width, fmax(text_width(picture->heading, head_column_px),
                                       text_width(picture->sentence, column_px)));
    size_t num_notes = picture->notes.num;
    for (size_t i = 0; i < num_notes; i++)
        width =
            fmax(width, text_width(RCH_VEC_AT(&picture->notes, const char *, i), small_column_px));
    long full_width = lround(width + 2 * margin_px);
    long full_height =
        lround(foot + margin_px + (num_notes ? 8 + small_line_px * (double)num_notes : 0));
    rch_putf(d->sink,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:space=\"preserve\" "
             "class=\"rch-picture\" width=\"%ld\" "
             "height=\"%ld\" viewBox=\"0 0 %ld %ld\">\n<title>",
             full_width, full_height, full_width, full_height);
    rch_put_markup_name(d->sink, picture->heading ? picture->heading : "refchain", TITLE_BYTES,
                        false);
    rch_putf(d->sink,
             "</title>\n<style>%s</style>\n<rect class=\"bg\" width=\"%ld\" height=\"%ld\"/>\n",
             style, full_width, full_height);
    char clean[RCH_CLEAN_BYTES];
    if (picture->heading) {
        rch_clean(clean, picture->heading, PAGE_COLUMNS, 0);
        put_text(d, margin_px, margin_px + 12, "head", clean);
    }
    if (picture->sentence) {
        rch_clean(clean, picture->sentence, PAGE_COLUMNS, 0);
        put_text(d, margin_px, margin_px + 12 + (picture->heading ? head_line_px : 0), "", clean);
    }
    for (size_t i = 0; i < num_notes; i++) {
        rch_clean(clean, RCH_VEC_AT(&picture->notes, const char *, i), PAGE_COLUMNS, 0);
        put_text(d, margin_px, foot + 8 + margin_px / 2 + small_line_px * (double)(i + 1), "s",
                 clean);
    }
}

static void drawing_deinit(struct drawing *d)
{
    rch_block_drop(&d->boxes);
    rch_block_drop(&d->arrows);
    rch_block_drop(&d->layers);
    if (d->layout.alloc)
        rch_layout_deinit(&d->layout);
}

enum rch_status rch_render_svg(const struct rch_picture *picture, const struct rch_alloc *alloc,
                               struct rch_sink *sink, struct rch_error *err)
{
    if (picture->nodes.num > RCH_PICTURE_MAX_NODES)
        return rch_fail(err, RCH_EINVAL, "a picture of %zu boxes: %d can be drawn",
                        picture->nodes.num, RCH_PICTURE_MAX_NODES);
    size_t num_edges =
        picture->edges.num < RCH_PICTURE_MAX_EDGES ? picture->edges.num : RCH_PICTURE_MAX_EDGES;
    __attribute__((cleanup(drawing_deinit))) struct drawing d = {
        .picture = picture,
        .sink = sink,
        .num_nodes = (uint32_t)picture->nodes.num,
        .num_edges = (uint32_t)num_edges,
        .boxes = rch_block_make(alloc, picture->nodes.num, sizeof(struct rch_layout_box)),
        .arrows = rch_block_make(alloc, num_edges, sizeof(struct rch_layout_arrow)),
        .layers = rch_block_make(alloc, picture->nodes.num, sizeof(uint32_t)),
    };
    if (!d.boxes.mem || !d.arrows.mem || !d.layers.mem)
        return rch_fail(err, RCH_ENOMEM, "a picture of %zu boxes", picture->nodes.num);
    if (picture->is_by_distance)
        find_layers(&d);
    else
        rch_block_drop(&d.layers);
    RCH_TRY(lay_out_best(&d, err));
    d.top = margin_px + (picture->heading ? head_line_px : 0) +
            (picture->sentence ? line_px + 4 : 0) + (picture->heading || picture->sentence ? 6 : 0);
    put_head(&d);
    for (uint32_t i = 0; i < d.num_edges; i++)
        put_edge(&d, i);
    for (uint32_t i = 0; i < d.num_nodes; i++)
        put_node(&d, i);
    rch_put(sink, "</svg>\n");
    return RCH_OK;
}
