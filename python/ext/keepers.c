// SPDX-License-Identifier: MIT
// python/ext/keepers.c -- methods of refchain._core.Graph about what is kept: who keeps most, the dominators of a
// type, and what cuts would free.
#include "ext.h"

#include "analyze/common/ask.h"
#include "render/render.h"

static struct core_state *state_of(PyObject *op)
{
    return PyType_GetModuleState(Py_TYPE(op));
}

struct texts {
    struct rch_text text, json;
};

static void texts_init(struct texts *texts)
{
    rch_text_init(&texts->text, rch_alloc_default());
    rch_text_init(&texts->json, rch_alloc_default());
}

// --- who keeps most ---

/// (text, JSON) of the rows; `by` and `sort` are the numbers of the enums.
PyObject *Graph_keepers(PyObject *op, PyObject *args)
{
    unsigned int by, sort, limit;
    struct rch_render_options render = {.source = NULL};
    if (!PyArg_ParseTuple(args, "IIIz", &by, &sort, &limit, &render.source))
        return NULL;
    struct rch_keepers_options options = {
        .by = (enum rch_keepers_by)by, .sort = (enum rch_keepers_sort)sort, .max_rows = limit};
    const struct rch_reverse *rev;
    const struct rch_graph *g = Graph_graph(state_of(op), op, &rev);
    if (!g)
        return NULL;
    struct rch_keepers *keepers = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st = rch_keepers(g, rev, &options, rch_alloc_default(), &keepers, &err);
    Py_END_ALLOW_THREADS if (st != RCH_OK) return set_rch_error(state_of(op), &err);
    render.limit = limit;
    struct texts texts;
    texts_init(&texts);
    rch_render_keepers_text(g, keepers, &render, &texts.text.sink);
    render.limit = 0;  // all that were asked for
    rch_render_keepers_json(g, keepers, &render, &texts.json.sink);
    rch_keepers_free(keepers);
    return core_take_texts(state_of(op), &texts.text, &texts.json);
}

// --- the dominators of a question ---

static PyObject *dominators_of(PyObject *op, const struct rch_graph *g,
                               const struct rch_reverse *rev, const struct rch_question *question,
                               const struct rch_render_options *render)
{
    struct rch_dominators_of *answer = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st =
        rch_dominators_of(g, rev, question, NULL, rch_alloc_default(), &answer, &err);
    Py_END_ALLOW_THREADS if (st != RCH_OK) return set_rch_error(state_of(op), &err);
    struct texts texts;
    texts_init(&texts);
    rch_render_dominators_text(g, answer, render, &texts.text.sink);
    rch_render_dominators_json(g, answer, render, &texts.json.sink);
    rch_dominators_of_free(answer);
    return core_take_texts(state_of(op), &texts.text, &texts.json);
}

/// [(text, JSON)], one for each type that the pattern names.
PyObject *Graph_dominators(PyObject *op, PyObject *args)
{
    const char *pattern;
    struct rch_render_options render = {.source = NULL};
    if (!PyArg_ParseTuple(args, "sz", &pattern, &render.source))
        return NULL;
    const struct rch_reverse *rev;
    const struct rch_graph *g = Graph_graph(state_of(op), op, &rev);
    if (!g)
        return NULL;
    struct rch_ask_list list;
    struct rch_error err = {0};
    enum rch_status st = rch_ask(g, pattern, rch_alloc_default(), &list, &err);
    PyObject *answers = st == RCH_OK ? PyList_New(0) : set_rch_error(state_of(op), &err);
    for (uint32_t i = 0; answers && i < list.num_asked; i++) {
        PyObject *pair = dominators_of(op, g, rev, &list.asked[i].question, &render);
        if (!pair || PyList_Append(answers, pair) < 0)
            Py_CLEAR(answers);
        Py_XDECREF(pair);
    }
    rch_ask_list_deinit(&list);
    return answers;
}

// --- what if ---

/// The exception of `err`, with what may have been meant below its words.
static PyObject *raise_unclear(struct core_state *state, const struct rch_error *err,
                               const struct rch_reference_list *unclear)
{
    struct rch_render_options render = {.source = NULL};
    struct rch_text text;
    rch_text_init(&text, rch_alloc_default());
    rch_render_unclear_text(unclear, &render, &text.sink);
    if ((err->code != RCH_ENOTFOUND && err->code != RCH_EINVAL) || !text.num_bytes ||
        text.sink.status != RCH_OK) {
        rch_text_deinit(&text);
        return set_rch_error(state, err);
    }
    PyObject *exception = err->code == RCH_ENOTFOUND ? PyExc_LookupError : PyExc_ValueError;
    text.bytes[text.num_bytes - 1] = '\0';  // its last line's end
    PyErr_Format(exception, "%s\n%s", err->message, text.bytes);
    rch_text_deinit(&text);
    return NULL;
}

static PyObject *what_if(PyObject *op, const char *const *cuts, uint32_t num,
                         const struct rch_render_options *render)
{
    const struct rch_reverse *rev;
    const struct rch_graph *g = Graph_graph(state_of(op), op, &rev);
    if (!g)
        return NULL;
    struct rch_what_if *answer = NULL;
    struct rch_reference_list unclear;
    struct rch_error err = {0};
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st =
        rch_what_if(g, rev, cuts, num, NULL, rch_alloc_default(), &answer, &unclear, &err);
    Py_END_ALLOW_THREADS PyObject *result = NULL;
    if (st == RCH_OK) {
        struct texts texts;
        texts_init(&texts);
        rch_render_what_if_text(g, answer, render, &texts.text.sink);
        rch_render_what_if_json(g, answer, render, &texts.json.sink);
        result = core_take_texts(state_of(op), &texts.text, &texts.json);
    } else {
        raise_unclear(state_of(op), &err, &unclear);
    }
    rch_reference_list_deinit(&unclear);
    rch_what_if_free(answer);
    return result;
}

/// (text, JSON) of what the cuts, a tuple of str, would free.
PyObject *Graph_what_if(PyObject *op, PyObject *args)
{
    PyObject *names;
    struct rch_render_options render = {.source = NULL};
    if (!PyArg_ParseTuple(args, "O!z", &PyTuple_Type, &names, &render.source))
        return NULL;
    const char *cuts[RCH_MAX_CUTS];
    Py_ssize_t num = PyTuple_GET_SIZE(names);
    if (num > RCH_MAX_CUTS)
        return PyErr_Format(PyExc_ValueError, "more than %d cuts", (int)RCH_MAX_CUTS);
    for (Py_ssize_t i = 0; i < num; i++) {
        cuts[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (!cuts[i])
            return NULL;
    }
    return what_if(op, cuts, (uint32_t)num, &render);
}
