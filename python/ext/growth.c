// SPDX-License-Identifier: MIT
// python/ext/growth.c -- refchain._core.Baseline: what is remembered of a graph to tell what came later.
// It is an object of the collector's lists itself: made before the graph is captured it stands behind
// everything that is in there, and so tells which objects came after it (capture/count.h).
#include "interrupt.h"

#include "analyze/growth/growth.h"
#include "capture/count.h"
#include "render/render.h"

struct baseline_object {
    PyObject_HEAD struct rch_baseline *base;  // NULL until take()
};

static struct baseline_object *cast(PyObject *op)
{
    return (struct baseline_object *)op;
}

static struct core_state *state_of(PyObject *op)
{
    return PyType_GetModuleState(Py_TYPE(op));
}

static int Baseline_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void Baseline_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    rch_baseline_free(cast(op)->base);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

static PyObject *Baseline_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if ((args && PyTuple_GET_SIZE(args)) || (kwargs && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "Baseline() takes no arguments");
        return NULL;
    }
    struct baseline_object *self = PyObject_GC_New(struct baseline_object, type);
    if (!self)
        return NULL;
    self->base = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/// Stand behind all objects that there are now.
static PyObject *Baseline_mark(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    PyObject_GC_UnTrack(op);
    PyObject_GC_Track(op);
    Py_RETURN_NONE;
}

/// Remember a graph.
static PyObject *Baseline_take(PyObject *op, PyObject *graph)
{
    const struct rch_graph *g = Graph_graph(state_of(op), graph, NULL);
    if (!g)
        return NULL;
    struct rch_baseline *base = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st = rch_baseline_make(g, rch_alloc_default(), &base, &err);
    Py_END_ALLOW_THREADS if (st != RCH_OK) return set_rch_error(state_of(op), &err);
    rch_baseline_free(cast(op)->base);
    cast(op)->base = base;
    Py_RETURN_NONE;
}

/// Baselines move when they mark.
static void drop_own(PyObject *op, struct rch_vec *found)
{
    size_t num = 0;
    for (size_t i = 0; i < found->num; i++) {
        rch_addr addr = RCH_VEC_AT(found, rch_addr, i);
        if (Py_TYPE((PyObject *)(uintptr_t)addr) != Py_TYPE(op))
            RCH_VEC_AT(found, rch_addr, num++) = addr;
    }
    found->num = num;
}

/// What came after this object, as far as the lists tell. False: they do not.
static bool find_later(PyObject *op, struct rch_births *births, struct rch_vec *found)
{
    struct rch_target target;
    struct rch_later later;
    struct rch_error err = {0};
    struct rch_gc_lists lists = {&target, core_layout(), core_interp(), false, false};
    rch_target_own_init(&target);
    if (state_of(op)->layout_doubt ||
        rch_list_later(&lists, (uint64_t)(uintptr_t)op, &later, found, &err) != RCH_OK ||
        !later.is_known)
        return false;
    drop_own(op, found);
    *births = (struct rch_births){found->mem, found->num, later.is_uncollected};
    return true;
}

static PyObject *render(PyObject *op, const struct rch_graph *g, const struct rch_growth *growth,
                        enum rch_growth_by by, const struct rch_render_options *options)
{
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    rch_render_growth_text(growth, by, options, &text.sink);
    rch_render_growth_json(g, growth, options, &json.sink);
    return core_take_texts(state_of(op), &text, &json);
}

/// (text, JSON) of what came between the baseline and a graph. same_process: the graph is of this
/// process, and the collector's lists are asked which objects are new.
static PyObject *Baseline_growth(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"graph", "same_process", "by_type", "limit", "source", NULL};
    PyObject *graph;
    int same_process = 0, by_type = 0;
    unsigned int limit = 0;
    struct rch_render_options render_options = {.source = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|ppIz", names, &graph, &same_process, &by_type,
                                     &limit, &render_options.source))
        return NULL;
    const struct rch_reverse *rev = NULL;
    const struct rch_graph *g = Graph_graph(state_of(op), graph, by_type ? NULL : &rev);
    if (!g)
        return NULL;
    if (!cast(op)->base) {
        PyErr_SetString(PyExc_ValueError, "this baseline has not been taken");
        return NULL;
    }
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    struct rch_births births;
    bool has_births = same_process && find_later(op, &births, &found);
    struct core_asker asker;
    core_ask_begin(&asker, false);
    struct rch_growth_options options = {.progress = &asker.progress,
                                         .births = has_births ? &births : NULL,
                                         .types_only = by_type,
                                         .max_places = limit};
    struct rch_growth *growth = NULL;
    struct rch_error err = {0};
    render_options.limit = limit;
    core_release(&asker);  // both are immutable, and `op` and `graph` keep them alive
    enum rch_status st =
        rch_growth(cast(op)->base, g, rev, &options, rch_alloc_default(), &growth, &err);
    core_ask_end(&asker, st);
    if (st != RCH_OK)
        return set_rch_error(state_of(op), &err);
    PyObject *result =
        render(op, g, growth, by_type ? RCH_GROWTH_BY_TYPE : RCH_GROWTH_BY_HOLDER, &render_options);
    rch_growth_free(growth);
    return result;
}

static PyObject *Baseline_facts(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    const struct rch_baseline *base = cast(op)->base;
    return Py_BuildValue("{s:I,s:K}", "objects", base ? rch_baseline_objects(base) : 0u, "bytes",
                         (unsigned long long)(base ? rch_baseline_bytes(base) : 0));
}

static PyMethodDef Baseline_methods[] = {
    {"mark", Baseline_mark, METH_NOARGS, NULL},
    {"take", Baseline_take, METH_O, NULL},
    {"growth", (PyCFunction)(void (*)(void))Baseline_growth, METH_VARARGS | METH_KEYWORDS, NULL},
    {"facts", Baseline_facts, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Baseline_slots[] = {
    {Py_tp_new, Baseline_new},
    {Py_tp_dealloc, Baseline_dealloc},
    {Py_tp_traverse, Baseline_traverse},
    {Py_tp_methods, Baseline_methods},
    {Py_tp_doc, "What is remembered of a graph; see refchain.growth."},
    {0, NULL},
};

static PyType_Spec Baseline_spec = {
    .name = "refchain._core.Baseline",
    .basicsize = sizeof(struct baseline_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Baseline_slots,
};

int Baseline_add_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Baseline_spec, NULL);
    if (type && PyModule_AddObject(module, "Baseline", type) == 0)
        return 0;
    Py_XDECREF(type);
    return -1;
}
