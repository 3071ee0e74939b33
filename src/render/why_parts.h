// SPDX-License-Identifier: MIT
// render/why_parts.h -- an answer within a larger page: `fds` tells holders group by group. Private to
// render/.
#ifndef RCH_RENDER_WHY_PARTS_H
#define RCH_RENDER_WHY_PARTS_H
#include "render/json.h"
#include "render/line.h"

/// What rch_render_why_text() says below its header: the short answer, every holder, the rest, and the
/// answer's warnings from number `first_warning` on.
void rch_page_answer(struct rch_page *page, const struct rch_answer *answer, uint32_t first_warning,
                     const struct rch_render_options *options);
/// The object of rch_render_why_json(), as the value of `key`; `options` as there.
void rch_json_answer(struct rch_json *json, const char *key, const struct rch_graph *g,
                     const struct rch_answer *answer, const struct rch_render_options *options);
/// "path": [...] and "root": {...}, as in an answer; g NULL: hops without examples.
void rch_json_path(struct rch_json *json, const struct rch_graph *g, const struct rch_hop *hops,
                   uint32_t num_hops);
void rch_json_root(struct rch_json *json, const struct rch_holder *holder);

/// "question": {...}: how it was put; `asked` NULL: a type.
void rch_json_question(struct rch_json *json, const char *text, const struct rch_asked *asked);
/// The keys of one hop, into an open object.
void rch_json_hop(struct rch_json *json, const struct rch_graph *g, const struct rch_hop *hop);

/// The first lines of a page: command, question, its size, the graph.
void rch_page_question(struct rch_page *page, const char *command, const char *question,
                       uint64_t objects, uint64_t num_bytes, const struct rch_graph *g,
                       const struct rch_render_options *options);
/// The types that the question names, where it does not say so itself.
void rch_page_matches(struct rch_page *page, const struct rch_asked *asked);
/// A path, a line a hop. `shows_cut`: with the reference to cut underlined.
void rch_page_trace(struct rch_page *page, const struct rch_holder *holder,
                    const struct rch_hop *hops, uint32_t num_hops, bool shows_cut);
/// The beginning of a line of an answer: "cut", "frees" ...; text follows at column 10.
void rch_page_label(struct rch_page *page, const char *label);
void rch_page_root(struct rch_page *page, const struct rch_holder *holder);  // its line

#endif
