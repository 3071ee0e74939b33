// SPDX-License-Identifier: MIT
// python/ext/suspects.c -- the likely leaks of a Graph, as text and JSON.
#include "ext.h"

#include "analyze/suspects/suspects.h"
#include "render/suspects.h"

static PyObject *render(struct core_state *state, const struct rch_graph *g,
                        const struct rch_suspects *suspects,
                        const struct rch_render_options *options)
{
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    rch_render_suspects_text(g, suspects, options, &text.sink);
    rch_render_suspects_json(g, suspects, options, &json.sink);
    return core_take_texts(state, &text, &json);
}

/// (text, JSON) of the suspects of a Graph. The second argument: an earlier Graph of the process, or None.
PyObject *core_suspects(PyObject *module, PyObject *args)
{
    struct core_state *state = core_state_of(module);
    PyObject *graph, *earlier;
    int all;
    unsigned int limit;
    struct rch_render_options render_options = {.source = NULL};
    if (!PyArg_ParseTuple(args, "OOIpz", &graph, &earlier, &limit, &all, &render_options.source))
        return NULL;
    const struct rch_reverse *rev = NULL;
    const struct rch_graph *before = NULL, *g = Graph_graph(state, graph, &rev);
    if (g && earlier != Py_None)
        before = Graph_graph(state, earlier, NULL);
    if (!g || (!before && earlier != Py_None))
        return NULL;
    render_options.limit = limit;
    render_options.all = all;
    struct rch_baseline *base = NULL;
    struct rch_suspects *suspects = NULL;
    struct rch_error err = {0};
    enum rch_status st = RCH_OK;
    PyThreadState *save = PyEval_SaveThread();  // immutable graphs that the arguments keep alive
    if (before)
        st = rch_baseline_make(before, rch_alloc_default(), &base, &err);
    struct rch_suspects_options options = {.baseline = base, .max_suspects = limit};
    if (st == RCH_OK)
        st = rch_suspects(g, rev, &options, rch_alloc_default(), &suspects, &err);
    rch_baseline_free(base);
    PyEval_RestoreThread(save);
    if (st != RCH_OK)
        return set_rch_error(state, &err);
    PyObject *result = render(state, g, suspects, &render_options);
    rch_suspects_free(suspects);
    return result;
}
