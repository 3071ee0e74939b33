// SPDX-License-Identifier: MIT
// python/ext/ext.h -- what the files of the extension share. Here Python objects and C structs meet:
// convert, release the GIL, call, translate errors. No logic.
#ifndef RCH_EXT_H
#define RCH_EXT_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/error.h"
#include "model/graph.h"

struct kept;
struct core_state {  // of the module
    PyTypeObject *graph_type, *picture_type;
    PyObject *error;           // refchain.Error
    const char *layout_doubt;  // why the layout table is not used, NULL: it fits
    char layout_words[240];
    uint64_t subtype_traverse;
    struct kept *kept;  // of referrers.c, NULL: none
};

/// Raise the Python exception for a status; returns NULL. The one place where codes become exceptions.
PyObject *set_rch_error(struct core_state *state, const struct rch_error *err);

struct rch_text;
/// What was rendered, as a str or the exception of its sink; the text is freed.
PyObject *core_take_text(struct core_state *state, struct rch_text *text);
/// The same of two: (text, JSON).
PyObject *core_take_texts(struct core_state *state, struct rch_text *text, struct rch_text *json);

struct rch_capture;
/// A new Graph that owns `graph`, or else `capture`, which the first question finishes (also when
/// it fails).
PyObject *Graph_steal(struct core_state *state, struct rch_graph *graph,
                      struct rch_capture *capture);
PyTypeObject *Graph_make_type(PyObject *module);
/// Let a Graph of the snapshot at `path` use and write the index beside it (format/index_file.h).
/// -1: an exception is set.
int Graph_use_index(PyObject *op, const char *path, bool even_small);
struct rch_reverse;
/// The graph of a Graph; with `rev_out`, its references backwards too (NULL: it has none). Both live as
/// long as the object. NULL: an exception is set.
const struct rch_graph *Graph_graph(struct core_state *state, PyObject *op,
                                    const struct rch_reverse **rev_out);
int Baseline_add_type(PyObject *module);
int Series_add_type(PyObject *module);
// Methods of Graph, of keepers.c.
PyObject *Graph_keepers(PyObject *op, PyObject *args);
PyObject *Graph_dominators(PyObject *op, PyObject *args);
PyObject *Graph_what_if(PyObject *op, PyObject *args);

PyTypeObject *Picture_make_type(PyObject *module);
struct rch_answer;
struct rch_around;
struct rch_render_options;
/// New Pictures; the structs are only read.
PyObject *Picture_of_answer(struct core_state *state, const struct rch_graph *g,
                            const struct rch_answer *answer,
                            const struct rch_render_options *options);
/// options->limit: how many boxes at most before they are grouped.
PyObject *Picture_of_around(struct core_state *state, const struct rch_graph *g,
                            const struct rch_around *around,
                            const struct rch_render_options *options);
struct rch_asked;
struct rch_exclude;
/// (text, JSON); `options` is the struct of rch_paths or rch_cycles.
PyObject *core_paths_of(struct core_state *state, const struct rch_graph *g,
                        const struct rch_reverse *rev, const struct rch_asked *asked,
                        const void *options, const struct rch_render_options *render);
PyObject *core_cycles_of(struct core_state *state, const struct rch_graph *g,
                         const struct rch_reverse *rev, const struct rch_asked *asked,
                         const void *options, const struct rch_render_options *render);
/// Patterns of two tuples, which have to live on; rows: RCH_MAX_EXCLUDES. -1: an exception is set.
int core_take_excludes(PyObject *edges, PyObject *roots, struct rch_exclude *rows, uint32_t *num);
/// A Picture of lists: ([box], [arrow], heading, sentence, max_boxes), see picture.c.
PyObject *core_picture(PyObject *module, PyObject *args);

/// Walk this process. GIL held for the walk, released for the rest.
PyObject *core_capture(PyObject *module, PyObject *args, PyObject *kwargs);
/// Check the layout table against this interpreter; fills state->layout_doubt.
int core_check_layout(struct core_state *state);
PyObject *core_doctor(PyObject *module, PyObject *ignored);

struct rch_capture_options;
struct rch_target;
/// Where this interpreter is, and how it is read; `target` is initialised and stays the caller's.
void core_fill_options(struct core_state *state, struct rch_capture_options *options,
                       struct rch_target *target);

// Of objgraph.c.
PyObject *core_type_name(PyObject *module, PyObject *args);
PyObject *core_refcount(PyObject *module, PyObject *object);
PyObject *core_referents(PyObject *module, PyObject *object);
PyObject *core_tracked_types(PyObject *module, PyObject *ignored);
PyObject *core_tracked_of_type(PyObject *module, PyObject *args);
PyObject *core_tracked_at(PyObject *module, PyObject *arg);
PyObject *core_tracked_ids(PyObject *module, PyObject *args);
// Of referrers.c.
/// Free the pass that was kept for the next question.
void core_forget(struct core_state *state);
PyObject *core_referrers(PyObject *module, PyObject *args);
PyObject *core_chain_from(PyObject *module, PyObject *args);
PyObject *core_chain_again(PyObject *module, PyObject *args);
PyObject *core_unreferred(PyObject *module, PyObject *ignored);
PyObject *core_reference_names(PyObject *module, PyObject *args);
/// New list of objects that are known to be alive since the GIL is held.
PyObject *core_list_of_objects(const rch_addr *addrs, size_t num);
// known.c
/// [(fingerprint, reason, last day or None, line)] of the text of a list.
PyObject *core_known(PyObject *module, PyObject *text);
// break.c
PyObject *core_break_start(PyObject *module, PyObject *args);
PyObject *core_break_type(PyObject *module, PyObject *args);
PyObject *core_break_count(PyObject *module, PyObject *args);
PyObject *core_break_end(PyObject *module, PyObject *args);
PyObject *core_break_young_types(PyObject *module, PyObject *ignored);

// suspects.c
PyObject *core_suspects(PyObject *module, PyObject *args);

struct core_state *core_state_of(PyObject *module);
/// Of this interpreter; to be trusted if state->layout_doubt is NULL.
struct rch_layout;
const struct rch_layout *core_layout(void);
uint64_t core_interp(void);

#endif
