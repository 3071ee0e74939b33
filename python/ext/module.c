// SPDX-License-Identifier: MIT
// python/ext/module.c -- refchain._core.
#include "ext.h"

#include "capture/process.h"
#include "format/rch_file.h"
#include "interrupt.h"

struct core_state *core_state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static PyObject *core_load(PyObject *module, PyObject *args)
{
    PyObject *bytes = NULL;
    int salvage = 0, cache = 0;  // 1: with the index beside it; 2: of a small one, too
    if (!PyArg_ParseTuple(args, "O&|pi", PyUnicode_FSConverter, &bytes, &salvage, &cache))
        return NULL;
    struct rch_graph *graph = NULL;
    struct rch_error err = {0};
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st =
        rch_file_open(PyBytes_AS_STRING(bytes), salvage, rch_alloc_default(), &graph, &err);
    Py_END_ALLOW_THREADS struct core_state *state = core_state_of(module);
    PyObject *op = st == RCH_OK ? Graph_steal(state, graph, NULL) : set_rch_error(state, &err);
    if (op && cache && Graph_use_index(op, PyBytes_AS_STRING(bytes), cache > 1) < 0)
        Py_CLEAR(op);
    Py_DECREF(bytes);
    return op;
}

static PyObject *core_attach(PyObject *module, PyObject *args)
{
    unsigned int pid = 0;
    if (!PyArg_ParseTuple(args, "I", &pid))
        return NULL;
    struct core_asker asker;
    core_ask_begin(&asker, false);
    struct rch_image_options options = {.alloc = rch_alloc_default(), .progress = &asker.progress};
    struct rch_process_read read = {0};
    struct rch_graph *graph = NULL;
    struct rch_error err = {0};
    core_release(&asker);
    enum rch_status st = rch_capture_pid(pid, &options, &read, &graph, &err);
    core_ask_end(&asker, st);
    struct core_state *state = core_state_of(module);
    return st == RCH_OK ? Graph_steal(state, graph, NULL) : set_rch_error(state, &err);
}

static PyObject *core_load_core(PyObject *module, PyObject *args)
{
    PyObject *path = NULL, *sysroot = NULL;
    if (!PyArg_ParseTuple(args, "O&|O&", PyUnicode_FSConverter, &path, PyUnicode_FSConverter,
                          &sysroot)) {
        Py_XDECREF(path);
        return NULL;
    }
    struct core_asker asker;
    core_ask_begin(&asker, false);
    struct rch_image_options options = {
        .alloc = rch_alloc_default(),
        .progress = &asker.progress,
        .sysroot = sysroot ? PyBytes_AS_STRING(sysroot) : NULL,
    };
    struct rch_graph *graph = NULL;
    struct rch_error err = {0};
    core_release(&asker);
    enum rch_status st = rch_capture_core(PyBytes_AS_STRING(path), &options, &graph, &err);
    core_ask_end(&asker, st);
    Py_DECREF(path);
    Py_XDECREF(sysroot);
    struct core_state *state = core_state_of(module);
    return st == RCH_OK ? Graph_steal(state, graph, NULL) : set_rch_error(state, &err);
}

static PyMethodDef core_methods[] = {
    {"suspects", core_suspects, METH_VARARGS, NULL},
    {"capture", (PyCFunction)(void (*)(void))core_capture, METH_VARARGS | METH_KEYWORDS, NULL},
    {"load", core_load, METH_VARARGS, NULL},
    {"load_core", core_load_core, METH_VARARGS, NULL},
    {"attach", core_attach, METH_VARARGS, NULL},
    {"known", core_known, METH_O, NULL},
    {"picture", core_picture, METH_VARARGS, NULL},
    {"break_start", core_break_start, METH_VARARGS, NULL},
    {"break_type", core_break_type, METH_VARARGS, NULL},
    {"break_count", core_break_count, METH_VARARGS, NULL},
    {"break_end", core_break_end, METH_VARARGS, NULL},
    {"break_young_types", core_break_young_types, METH_NOARGS, NULL},
    {"doctor", core_doctor, METH_NOARGS, NULL},
    {"type_name", core_type_name, METH_VARARGS, NULL},
    {"tracked_types", core_tracked_types, METH_NOARGS, NULL},
    {"tracked_of_type", core_tracked_of_type, METH_VARARGS, NULL},
    {"tracked_at", core_tracked_at, METH_O, NULL},
    {"tracked_ids", core_tracked_ids, METH_VARARGS, NULL},
    {"referrers", core_referrers, METH_VARARGS, NULL},
    {"chain_from", core_chain_from, METH_VARARGS, NULL},
    {"chain_again", core_chain_again, METH_VARARGS, NULL},
    {"unreferred", core_unreferred, METH_NOARGS, NULL},
    {"reference_names", core_reference_names, METH_VARARGS, NULL},
    {"refcount", core_refcount, METH_O, NULL},
    {"referents", core_referents, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/// tp_traverse of classes made by a class statement: found on one.
static int find_subtype_traverse(struct core_state *state)
{
    PyObject *made = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "_refchain_probe");
    if (!made)
        return -1;
    state->subtype_traverse = (uint64_t)(uintptr_t)((PyTypeObject *)made)->tp_traverse;
    Py_DECREF(made);
    return 0;
}

static int add_object(PyObject *module, const char *name, PyObject *object)
{
    Py_INCREF(object);
    if (PyModule_AddObject(module, name, object) == 0)
        return 0;
    Py_DECREF(object);
    return -1;
}

static int core_exec(PyObject *module)
{
    struct core_state *state = core_state_of(module);
    *state = (struct core_state){0};
    state->graph_type = Graph_make_type(module);
    state->picture_type = Picture_make_type(module);
    state->error = PyErr_NewExceptionWithDoc(
        "refchain.Error", "refchain cannot do what was asked; the message says why.", NULL, NULL);
    if (!state->graph_type || !state->picture_type || !state->error ||
        find_subtype_traverse(state) < 0 || core_check_layout(state) < 0)
        return -1;
    if (add_object(module, "Error", state->error) < 0 ||
        add_object(module, "Graph", (PyObject *)state->graph_type) < 0 ||
        add_object(module, "Picture", (PyObject *)state->picture_type) < 0 ||
        Baseline_add_type(module) < 0 || Series_add_type(module) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "__version__", RCH_VERSION);
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct core_state *state = core_state_of(module);
    Py_VISIT(state->graph_type);
    Py_VISIT(state->picture_type);
    Py_VISIT(state->error);
    return 0;
}

static int core_clear(PyObject *module)
{
    struct core_state *state = core_state_of(module);
    Py_CLEAR(state->graph_type);
    Py_CLEAR(state->picture_type);
    Py_CLEAR(state->error);
    return 0;
}

static void core_free(void *module)
{
    struct core_state *state = PyModule_GetState(module);
    if (state)
        core_forget(state);
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, (void *)core_exec},
    {0, NULL},
};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,     .m_name = "refchain._core", .m_size = sizeof(struct core_state),
    .m_methods = core_methods, .m_slots = core_slots,      .m_traverse = core_traverse,
    .m_clear = core_clear,     .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void)
{
#ifdef Py_GIL_DISABLED
    PyErr_SetString(PyExc_ImportError,
                    "refchain does not run inside free-threaded builds of CPython; it reads their "
                    "processes from outside, as an experiment: refchain why PID TYPE");
    return NULL;
#else
    return PyModuleDef_Init(&core_module);
#endif
}
