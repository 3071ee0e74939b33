// SPDX-License-Identifier: MIT
// python/ext/capture.c -- tell capture/ where the interpreter is; the only facts taken from Python.h
// are addresses.
#include "interrupt.h"

#include <unistd.h>

#include "capture/capture.h"
#include "pylayout/validate.h"

#define MAX_PATHS 16

extern __attribute__((weak)) char _PyRuntime;  // exported by every CPython since 3.7

static uint64_t addr_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

static const struct rch_layout *own_layout(struct rch_layout *copy)
{
    const struct rch_layout *table = rch_layout_for(PY_MAJOR_VERSION, PY_MINOR_VERSION);
    if (!table)
        return NULL;
    *copy = *table;
    return copy;
}

static int fill_probe(struct rch_layout_probe *probe, PyObject *tuple, PyObject *list,
                      PyObject *dict, PyObject *str)
{
    probe->type_type = addr_of(&PyType_Type);
    probe->dict_type = addr_of(&PyDict_Type);
    probe->interp = addr_of(PyInterpreterState_Get());
    probe->tuple = addr_of(tuple);
    probe->tuple_item = addr_of(PyTuple_GET_ITEM(tuple, 0));
    probe->list = addr_of(list);
    probe->list_item = addr_of(PyList_GET_ITEM(list, 0));
    probe->dict = addr_of(dict);
    probe->dict_key = addr_of(str);
    probe->dict_value = addr_of(list);
    probe->str = addr_of(str);
    probe->str_text = "refchain_probe";
    return PyDict_SetItem(dict, str, list);
}

static struct rch_layout validated;  // of this interpreter's version; written once at import

static void fit_layout(struct core_state *state, const struct rch_layout_probe *probe)
{
    struct rch_target target;
    rch_target_own_checked_init(&target);
    if (!own_layout(&validated)) {
        snprintf(state->layout_words, sizeof(state->layout_words),
                 "CPython %d.%d is not known to this version of refchain (3.9 to 3.15 are)",
                 PY_MAJOR_VERSION, PY_MINOR_VERSION);
    } else {
        (void)rch_layout_shift(&validated, &target, probe);
        if (rch_layout_validate(&validated, &target, probe, state->layout_words,
                                sizeof(state->layout_words)) == RCH_OK)
            (void)rch_layout_refit(&validated, &target, probe);
    }
    if (state->layout_words[0])
        state->layout_doubt = state->layout_words;
}

int core_check_layout(struct core_state *state)
{
    PyObject *str = PyUnicode_FromString("refchain_probe"), *dict = PyDict_New();
    PyObject *tuple = str ? PyTuple_Pack(1, str) : NULL, *list = PyList_New(0);
    struct rch_layout_probe probe = {0};
    int failed = !str || !dict || !tuple || !list || PyList_Append(list, str) < 0 ||
                 fill_probe(&probe, tuple, list, dict, str) < 0;
    if (!failed)
        fit_layout(state, &probe);
    Py_XDECREF(str);
    Py_XDECREF(dict);
    Py_XDECREF(tuple);
    Py_XDECREF(list);
    return failed ? -1 : 0;
}

const struct rch_layout *core_layout(void)
{
    return &validated;
}

uint64_t core_interp(void)
{
    return addr_of(PyInterpreterState_Get());
}

/// Borrowed UTF-8 pointers into a tuple of str that the caller keeps.
static int read_paths(PyObject *tuple, const char **paths, uint32_t *num_out)
{
    Py_ssize_t num = tuple ? PyTuple_GET_SIZE(tuple) : 0;
    if (num > MAX_PATHS) {
        PyErr_SetString(PyExc_ValueError, "too many observer paths");
        return -1;
    }
    for (Py_ssize_t i = 0; i < num; i++)
        if (!(paths[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i))))
            return -1;
    *num_out = (uint32_t)num;
    return 0;
}

void core_fill_options(struct core_state *state, struct rch_capture_options *options,
                       struct rch_target *target)
{
    rch_target_own_init(target);
    options->target = target;
    options->layout = &validated;
    options->py_micro = PY_MICRO_VERSION;
    options->pid = (uint32_t)getpid();
    options->first_interp = addr_of(PyInterpreterState_Head());
    options->runtime = addr_of(&_PyRuntime);
    options->type_type = addr_of(&PyType_Type);
    options->subtype_traverse = state->subtype_traverse;
    options->calling_thread = addr_of(PyThreadState_Get());
    options->none = addr_of(Py_None);
    options->can_traverse = true;
}

/// With the GIL held throughout, so that the list of descriptors and the heap are of one moment. Without
/// /proc there is no such list, and a snapshot all the same.
static enum rch_status walk(struct core_state *state, struct rch_capture_options *options,
                            int with_fds, struct rch_capture **capture_out, struct rch_error *err)
{
    struct rch_target target;
    struct rch_os_fds fds;
    core_fill_options(state, options, &target);
    if (with_fds && rch_os_fds_init(&fds, 0, rch_alloc_default(), err) == RCH_OK)
        options->fds = &fds;
    struct core_asker asker;
    core_ask_begin(&asker, true);  // no handler runs while the heap is read
    options->progress = &asker.progress;
    enum rch_status st = rch_capture_walk(options, rch_alloc_default(), capture_out, err);
    core_ask_end(&asker, st);
    if (options->fds)
        rch_os_fds_deinit(&fds);
    return st;
}

PyObject *core_capture(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"observer_paths", "fds", "max_memory", NULL};
    struct core_state *state = core_state_of(module);
    PyObject *paths_tuple = NULL;
    const char *paths[MAX_PATHS];
    struct rch_capture_options options = {.observer_paths = paths};
    int with_fds = 0;
    unsigned long long max_memory = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O!pK", names, &PyTuple_Type, &paths_tuple,
                                     &with_fds, &max_memory) ||
        read_paths(paths_tuple, paths, &options.num_observer_paths) < 0)
        return NULL;
    if (state->layout_doubt) {
        PyErr_Format(state->error, "this interpreter cannot be read: %s", state->layout_doubt);
        return NULL;
    }
    options.max_memory = max_memory;
    struct rch_capture *capture = NULL;
    struct rch_error err = {0};
    if (walk(state, &options, with_fds, &capture, &err) != RCH_OK)
        return set_rch_error(state, &err);
    return Graph_steal(state, NULL, capture);
}

PyObject *core_doctor(PyObject *module, PyObject *ignored)
{
    (void)ignored;
    struct core_state *state = core_state_of(module);
    return Py_BuildValue("{s:s,s:O,s:z}", "version", RCH_VERSION, "layout_fits",
                         state->layout_doubt ? Py_False : Py_True, "layout_doubt",
                         state->layout_doubt);
}
