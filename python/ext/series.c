// SPDX-License-Identifier: MIT
// python/ext/series.c -- refchain._core.Series: what is remembered of graphs, to tell what grew over them
// (analyze/growth/series.h). All of it is memory of our own.
#include "ext.h"

#include "analyze/growth/series.h"
#include "base/vec.h"
#include "render/render.h"

struct series_object {
    PyObject_HEAD struct rch_series *series;
    enum rch_series_by by;
    bool is_busy;  // the GIL is released for work on it
};

static struct series_object *cast(PyObject *op)
{
    return (struct series_object *)op;
}

static struct core_state *state_of(PyObject *op)
{
    return PyType_GetModuleState(Py_TYPE(op));
}

static void Series_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    rch_series_free(cast(op)->series);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyObject *Series_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"by", "pattern", "identity", NULL};
    const char *word = "holder";
    struct rch_series_options options = {NULL, true, false};
    int identity = 0;
    enum rch_series_by by;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|szp", names, &word, &options.pattern,
                                     &identity))
        return NULL;
    if (!rch_series_by_of(word, &by))
        return PyErr_Format(PyExc_ValueError,
                            "by must be \"holder\", \"type\" or \"identity\", not '%s'", word);
    options.places = by == RCH_SERIES_BY_HOLDER;
    options.identity = identity;
    struct series_object *self = PyObject_New(struct series_object, type);
    if (!self)
        return NULL;
    *self = (struct series_object){.ob_base = self->ob_base, .by = by};
    struct rch_error err = {0};
    if (rch_series_make(&options, rch_alloc_default(), &self->series, &err) != RCH_OK) {
        self->series = NULL;
        Py_DECREF(self);
        return set_rch_error(PyType_GetModuleState(type), &err);
    }
    return (PyObject *)self;
}

/// The next moment: add(graph, source).
static PyObject *Series_add(PyObject *op, PyObject *args)
{
    PyObject *graph;
    const char *source = NULL;
    struct series_object *self = cast(op);
    if (!PyArg_ParseTuple(args, "O|z", &graph, &source))
        return NULL;
    const struct rch_reverse *rev = NULL;
    const struct rch_graph *g =
        Graph_graph(state_of(op), graph, self->by == RCH_SERIES_BY_HOLDER ? &rev : NULL);
    if (!g)
        return NULL;
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread works on this series");
        return NULL;
    }
    struct rch_error err = {0};
    enum rch_status st;
    self->is_busy = true;
    Py_BEGIN_ALLOW_THREADS st = rch_series_add(self->series, g, rev, source, NULL, &err);
    Py_END_ALLOW_THREADS self->is_busy = false;
    if (st != RCH_OK)
        return set_rch_error(state_of(op), &err);
    Py_RETURN_NONE;
}

/// The strings of a tuple, which keeps them alive.
static int take_texts(struct core_state *state, PyObject *tuple, struct rch_vec *texts)
{
    struct rch_error err = {0};
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        const char *text = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i));
        if (!text)
            return -1;
        if (rch_vec_append(texts, &text, 1, &err) != RCH_OK) {
            set_rch_error(state, &err);
            return -1;
        }
    }
    return 0;
}

/// (text, JSON) of what grew.
static PyObject *Series_rises(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"min_objects", "min_percent", "steady", "limit",
                            "title",       "source",      "known",  NULL};
    struct series_object *self = cast(op);
    struct rch_rise_options options = {.by = self->by};
    struct rch_render_options render = {.source = NULL};
    unsigned long long min_objects = 0;
    unsigned int min_percent = 0;
    int steady = 0;
    const char *title = "diff";
    PyObject *known = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|KIpIszO!", names, &min_objects, &min_percent,
                                     &steady, &options.max_rows, &title, &render.source,
                                     &PyTuple_Type, &known))
        return NULL;
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread works on this series");
        return NULL;
    }
    options.min_objects = min_objects;
    options.min_percent = min_percent;
    options.steady_only = steady;
    RCH_VEC(prints, rch_alloc_default(), const char *);
    if (known && take_texts(state_of(op), known, &prints) < 0)
        return NULL;
    options.known = prints.mem;
    options.num_known = (uint32_t)prints.num;
    struct rch_rises *rises = NULL;
    struct rch_error err = {0};
    if (rch_series_rises(self->series, &options, &rises, &err) != RCH_OK)
        return set_rch_error(state_of(op), &err);
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    render.all = true;
    rch_render_rises_text(rises, self->by, title, &render, &text.sink);
    rch_render_rises_json(rises, self->by, &render, &json.sink);
    rch_rises_free(rises);
    return core_take_texts(state_of(op), &text, &json);
}

static PyMethodDef Series_methods[] = {
    {"add", Series_add, METH_VARARGS, NULL},
    {"rises", (PyCFunction)(void (*)(void))Series_rises, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Series_slots[] = {
    {Py_tp_new, Series_new},
    {Py_tp_dealloc, Series_dealloc},
    {Py_tp_methods, Series_methods},
    {Py_tp_doc, "What is remembered of graphs; see refchain.diff and refchain.growth_loop."},
    {0, NULL},
};

static PyType_Spec Series_spec = {
    .name = "refchain._core.Series",
    .basicsize = sizeof(struct series_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Series_slots,
};

int Series_add_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Series_spec, NULL);
    if (type && PyModule_AddObject(module, "Series", type) == 0)
        return 0;
    Py_XDECREF(type);
    return -1;
}
