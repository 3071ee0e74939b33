// SPDX-License-Identifier: MIT
// python/ext/paths.c -- all ways that hold objects, and cycles: (text, JSON) of one reading of a question.
#include "ext.h"

#include "analyze/cycles/cycles.h"
#include "analyze/paths/paths.h"
#include "render/render.h"

PyObject *core_paths_of(struct core_state *state, const struct rch_graph *g,
                        const struct rch_reverse *rev, const struct rch_asked *asked,
                        const void *options, const struct rch_render_options *render)
{
    struct rch_paths *paths = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    PyThreadState *save = PyEval_SaveThread();
    st = rch_paths(g, rev, &asked->question, options, rch_alloc_default(), &paths, &err);
    PyEval_RestoreThread(save);
    if (st != RCH_OK)
        return set_rch_error(state, &err);
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    rch_render_paths_text(g, paths, render, &text.sink);
    rch_render_paths_json(g, paths, render, &json.sink);
    rch_paths_free(paths);
    return core_take_texts(state, &text, &json);
}

PyObject *core_cycles_of(struct core_state *state, const struct rch_graph *g,
                         const struct rch_reverse *rev, const struct rch_asked *asked,
                         const void *options, const struct rch_render_options *render)
{
    struct rch_cycles *cycles = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    PyThreadState *save = PyEval_SaveThread();
    st = rch_cycles(g, rev, asked ? &asked->question : NULL, options, rch_alloc_default(), &cycles,
                    &err);
    PyEval_RestoreThread(save);
    if (st != RCH_OK)
        return set_rch_error(state, &err);
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    rch_render_cycles_text(g, cycles, render, &text.sink);
    rch_render_cycles_json(g, cycles, render, &json.sink);
    rch_cycles_free(cycles);
    return core_take_texts(state, &text, &json);
}

/// Patterns of `list`, a sequence of str, to rows[*num ...]. They point into the strings. -1: an exception
/// is set.
static int take_patterns(PyObject *list, bool is_root, struct rch_exclude *rows, uint32_t *num)
{
    PyObject *const *items = PySequence_Fast_ITEMS(list);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); i++) {
        if (*num == RCH_MAX_EXCLUDES) {
            PyErr_Format(PyExc_ValueError, "at most %d patterns can be excluded", RCH_MAX_EXCLUDES);
            return -1;
        }
        const char *pattern = PyUnicode_AsUTF8(items[i]);
        if (!pattern)
            return -1;
        rows[(*num)++] = (struct rch_exclude){pattern, is_root};
    }
    return 0;
}

int core_take_excludes(PyObject *edges, PyObject *roots, struct rch_exclude *rows, uint32_t *num)
{
    *num = 0;
    return take_patterns(edges, false, rows, num) < 0 ? -1 : take_patterns(roots, true, rows, num);
}
