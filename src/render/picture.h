// SPDX-License-Identifier: MIT
// render/picture.h -- what a picture shows, whoever draws it: boxes with lines of text, arrows with
// names, what is asked about, who holds it, where to cut. Drawn as DOT, as SVG, as a page around it.
// All text is raw, from the program under inspection: whoever draws it escapes it.
#ifndef RCH_RENDER_PICTURE_H
#define RCH_RENDER_PICTURE_H
#include "analyze/common/around.h"
#include "base/vec.h"
#include "render/render.h"

enum {
    RCH_PICTURE_LINES = 4,         // of a box
    RCH_PICTURE_MAX_NODES = 200,   // drawn at once: above that, group
    RCH_PICTURE_MAX_EDGES = 1000,  // drawn at once; further ones are left out, with a note
};

enum rch_picture_kind { RCH_PICTURE_OBJECT, RCH_PICTURE_ROOT, RCH_PICTURE_STUB };
enum rch_picture_node_flags {
    RCH_PICTURE_QUESTION = 1,  // what was asked about
    RCH_PICTURE_HOLDER = 2,    // the reference to cut goes out of it
};
enum rch_picture_edge_flags {
    RCH_PICTURE_CUT = 1,
    RCH_PICTURE_WEAK = 2,     // does not hold
    RCH_PICTURE_GUESSED = 4,  // or stands for more than one reference in a row
};

struct rch_picture_node {
    const char *lines[RCH_PICTURE_LINES];  // the first says what it is; NULL ends them
    const char *title;                     // on hover; NULL: the lines
    uint64_t count;                        // of objects it stands for, shown from 2 on
    uint32_t color;                        // of the box, 0xRRGGBB, or RCH_PICTURE_NO_COLOR
    uint8_t kind;                          // enum rch_picture_kind
    uint8_t flags;                         // enum rch_picture_node_flags
};
#define RCH_PICTURE_NO_COLOR UINT32_MAX

struct rch_picture_edge {
    uint32_t from, to;  // nodes; may be the same
    const char *label;  // NULL: none
    const char *any;    // the label without what differs among alike ones ("[*]"); NULL: the label
    const char *note;   // a second line: "cut here: all 3 keys"; NULL: none
    uint64_t count;     // references it stands for
    uint8_t flags;      // enum rch_picture_edge_flags
};

struct rch_picture {
    struct rch_arena arena;          // owns the text
    struct rch_vec nodes, edges;     // struct rch_picture_node, struct rch_picture_edge
    struct rch_vec notes;            // const char *: lines below
    const char *heading, *sentence;  // above; NULL: none
    bool
        is_by_distance;  // layers by distance from what was asked about; false: by where arrows lead
};

void rch_picture_init(struct rch_picture *picture, const struct rch_alloc *alloc);
void rch_picture_deinit(struct rch_picture *picture);
/// Copies the struct, not the text in it. *index_out may be NULL.
RCH_MUST_CHECK enum rch_status rch_picture_node(struct rch_picture *picture,
                                                const struct rch_picture_node *node,
                                                uint32_t *index_out, struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_picture_edge(struct rch_picture *picture,
                                                const struct rch_picture_edge *edge,
                                                struct rch_error *err);
/// Text of the picture's own, NULL when out of memory.
const char *rch_picture_text(struct rch_picture *picture, const char *fmt, ...) RCH_PRINTF(2, 3);
RCH_MUST_CHECK enum rch_status rch_picture_note(struct rch_picture *picture, const char *text,
                                                struct rch_error *err);

/// Who holds the objects of the question: paths from the roots, joined where they are one, with the
/// references to cut. `picture` is initialised. O(hops squared).
RCH_MUST_CHECK enum rch_status rch_picture_of_answer(struct rch_picture *picture,
                                                     const struct rch_graph *g,
                                                     const struct rch_answer *answer,
                                                     const struct rch_render_options *options,
                                                     struct rch_error *err);
/// What is around some objects. options->asked names them.
RCH_MUST_CHECK enum rch_status rch_picture_of_around(struct rch_picture *picture,
                                                     const struct rch_graph *g,
                                                     const struct rch_around *around,
                                                     const struct rch_render_options *options,
                                                     struct rch_error *err);
/// Put together what is alike until no more than `max_nodes` (at least 8) are left: same first line, reached by
/// references of the same name from the same. What is few and does not fit becomes a stub that says
/// how much it stands for. Does nothing if there are no more than that. O(n log n).
RCH_MUST_CHECK enum rch_status rch_picture_group(struct rch_picture *picture, uint32_t max_nodes,
                                                 struct rch_error *err);

/// DOT, for Graphviz.
void rch_render_dot(const struct rch_picture *picture, struct rch_sink *sink);
/// An <svg> element that needs nothing else; light and dark. At most RCH_PICTURE_MAX_NODES nodes:
/// RCH_EINVAL for more. The same picture gives the same bytes.
RCH_MUST_CHECK enum rch_status rch_render_svg(const struct rch_picture *picture,
                                              const struct rch_alloc *alloc, struct rch_sink *sink,
                                              struct rch_error *err);
/// A page of its own with the SVG, and `text` (may be NULL) below it.
RCH_MUST_CHECK enum rch_status rch_render_html(const struct rch_picture *picture, const char *text,
                                               const struct rch_alloc *alloc, struct rch_sink *sink,
                                               struct rch_error *err);

#endif
