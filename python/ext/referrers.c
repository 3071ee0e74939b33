// SPDX-License-Identifier: MIT
// python/ext/referrers.c -- searches for what refers to objects, behind refchain.objgraph. Nodes become
// objects, with references of their own, before any other code can run; from then on only those are
// touched, whatever a predicate frees. One pass is kept for the next question, as garbage: the next
// collection takes it. A chain found in it is checked on the live heap, from the module on.
#include "ext.h"

#include <frameobject.h>  // up to 3.10 Python.h leaves it out

#include "base/vec.h"
#include "capture/one.h"
#include "capture/referrers.h"

#define OWN_FILES_MAX 4

struct kept {  // a pass, for further questions
    struct rch_referrers *referrers;
    uint8_t *is_goal;
    struct core_state *state;
};

static void free_kept(PyObject *capsule)
{
    struct kept *kept = PyCapsule_GetPointer(capsule, NULL);
    if (!kept)
        return;
    if (kept->state && kept->state->kept == kept)
        kept->state->kept = NULL;
    rch_referrers_free(kept->referrers);
    PyMem_RawFree(kept->is_goal);
    PyMem_RawFree(kept);
}

void core_forget(struct core_state *state)
{
    struct kept *kept = state->kept;
    if (!kept)
        return;
    rch_referrers_free(kept->referrers);
    PyMem_RawFree(kept->is_goal);
    *kept = (struct kept){.state = NULL};  // the capsule frees the rest
    state->kept = NULL;
}

/// Leave the pass to the collector: in a list that refers to itself and that nobody has.
static int keep(struct core_state *state, struct rch_referrers *referrers, uint8_t *is_goal)
{
    struct kept *kept = PyMem_RawCalloc(1, sizeof(*kept));
    if (!kept)
        return -1;
    *kept = (struct kept){referrers, is_goal, state};
    core_forget(state);  // a collection may have run code that asked, too
    PyObject *capsule = PyCapsule_New(kept, NULL, free_kept);
    if (!capsule) {
        PyMem_RawFree(kept);
        PyErr_Clear();
        return -1;
    }
    PyObject *cycle = PyList_New(0);
    int failed = !cycle || PyList_Append(cycle, capsule) < 0 || PyList_Append(cycle, cycle) < 0;
    Py_XDECREF(cycle);
    Py_DECREF(capsule);
    if (failed)
        PyErr_Clear();
    else
        state->kept = kept;
    return 0;
}

/// 1: the pass is made, 0: it cannot be (ask the gc module), -1: an exception is set.
static int make(struct core_state *state, PyObject *starts, PyObject *own_files, int is_plain,
                struct rch_referrers **out)
{
    struct rch_capture_options options = {0};
    struct rch_target target;
    const char *paths[OWN_FILES_MAX];
    Py_ssize_t num = PyTuple_GET_SIZE(starts);
    RCH_BLOCK(addrs, rch_alloc_default(), (size_t)num, sizeof(rch_addr));
    if (state->layout_doubt)
        return 0;
    if (!addrs.mem) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < num; i++)
        ((rch_addr *)addrs.mem)[i] = (rch_addr)(uintptr_t)PyTuple_GET_ITEM(starts, i);
    core_fill_options(state, &options, &target);
    options.observer_paths = paths;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(own_files) && i < OWN_FILES_MAX; i++)
        if (!(paths[options.num_observer_paths++] =
                  PyUnicode_AsUTF8(PyTuple_GET_ITEM(own_files, i))))
            return -1;
    struct rch_referrers_options what = {.capture = &options,
                                         .starts = addrs.mem,
                                         .num_starts = (uint32_t)num,
                                         .is_plain = is_plain};
    struct rch_error err = {0};
    enum rch_status st = rch_referrers_make(&what, rch_alloc_default(), out, &err);
    if (st == RCH_EBUSY)
        return 0;
    if (st == RCH_OK)
        return 1;
    set_rch_error(state, &err);
    return -1;
}

// ---- nodes to objects ------------------------------------------------------------------------------

/// The frame object of a running frame: a new reference, NULL if it has gone meanwhile.
static PyObject *frame_object(const struct rch_referrers *referrers, rch_node node)
{
    uint64_t ident;
    uint32_t nth;
    rch_referrers_frame(referrers, node, &ident, &nth);
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread && (uint64_t)thread->thread_id != ident)
        thread = PyThreadState_Next(thread);
    PyFrameObject *frame = thread ? PyThreadState_GetFrame(thread) : NULL;
    while (frame && nth--) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    PyErr_Clear();
    return (PyObject *)frame;
}

/// A list of the objects; None stands for a frame that has gone. Consumes nothing.
static PyObject *objects_of(const struct rch_referrers *referrers, const rch_node *nodes,
                            size_t num)
{
    RCH_BLOCK(block, rch_alloc_default(), num, sizeof(PyObject *));
    PyObject **objects = block.mem;
    if (!objects)
        return PyErr_NoMemory();
    for (size_t i = 0; i < num; i++) {
        objects[i] = (PyObject *)(uintptr_t)rch_referrers_addr(referrers, nodes[i]);
        Py_XINCREF(objects[i]);
    }
    PyObject *list = PyList_New((Py_ssize_t)num);  // from here on a collection may run
    for (size_t i = 0; i < num; i++) {
        if (!objects[i] && list && !(objects[i] = frame_object(referrers, nodes[i]))) {
            Py_INCREF(Py_None);
            objects[i] = Py_None;
        }
        if (list)
            PyList_SET_ITEM(list, (Py_ssize_t)i, objects[i]);
        else
            Py_XDECREF(objects[i]);
    }
    return list;
}

/// Nodes of the objects with these ids (`by_id`) or of these objects themselves.
static int nodes_of(const struct rch_referrers *referrers, PyObject *tuple, int by_id,
                    struct rch_vec *nodes)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        rch_addr addr = (rch_addr)(uintptr_t)item;
        if (by_id)
            addr = PyLong_AsUnsignedLongLong(item);
        if (by_id && PyErr_Occurred()) {
            PyErr_Clear();  // no object has such an id
            continue;
        }
        rch_node node = rch_referrers_node(referrers, addr);
        if (node != RCH_NO_NODE && rch_vec_append(nodes, &node, 1, NULL) != RCH_OK) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

// ---- all that leads to some objects ----------------------------------------------------------------

static PyObject *list_of_numbers(const struct rch_vec *numbers)
{
    PyObject *list = PyList_New((Py_ssize_t)numbers->num);
    for (size_t i = 0; list && i < numbers->num; i++) {
        PyObject *number = PyLong_FromUnsignedLong(RCH_VEC_AT(numbers, uint32_t, i));
        if (number)
            PyList_SET_ITEM(list, (Py_ssize_t)i, number);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *build_result(const struct rch_referrers *referrers,
                              const struct rch_back_result *result)
{
    PyObject *objects = objects_of(referrers, result->nodes.mem, result->nodes.num);
    PyObject *parents = objects ? list_of_numbers(&result->parents) : NULL;
    PyObject *rows = parents ? list_of_numbers(&result->rows) : NULL;
    PyObject *all =
        rows ? Py_BuildValue("(OOOnO)", objects, parents, rows, (Py_ssize_t)result->num_expanded,
                             result->is_cut_by_depth ? Py_True : Py_False)
             : NULL;
    Py_XDECREF(objects);
    Py_XDECREF(parents);
    Py_XDECREF(rows);
    return all;
}

static PyObject *search_all(struct core_state *state, struct rch_referrers *referrers,
                            PyObject *starts, PyObject *ignored, struct rch_back_search *search)
{
    RCH_VEC(start_nodes, rch_alloc_default(), rch_node);
    RCH_VEC(ignored_nodes, rch_alloc_default(), rch_node);
    if (nodes_of(referrers, starts, 0, &start_nodes) < 0 ||
        nodes_of(referrers, ignored, 1, &ignored_nodes) < 0)
        return NULL;
    search->starts = start_nodes.mem;
    search->num_starts = start_nodes.num;
    search->ignored = ignored_nodes.mem;
    search->num_ignored = ignored_nodes.num;
    __attribute__((cleanup(rch_back_result_deinit))) struct rch_back_result result;
    rch_back_result_init(&result, rch_alloc_default());
    struct rch_error err = {0};
    if (rch_referrers_search(referrers, search, &result, &err) != RCH_OK)
        return set_rch_error(state, &err);
    return build_result(referrers, &result);
}

PyObject *core_referrers(PyObject *module, PyObject *args)
{
    PyObject *starts, *ignored, *own_files;
    long long max_depth, max_nodes;
    int is_plain;
    if (!PyArg_ParseTuple(args, "O!O!O!LLp", &PyTuple_Type, &starts, &PyTuple_Type, &ignored,
                          &PyTuple_Type, &own_files, &max_depth, &max_nodes, &is_plain))
        return NULL;
    struct rch_referrers *referrers = NULL;
    struct core_state *state = core_state_of(module);
    PyObject_GC_UnTrack(args);  // ours alone, and no referrer of the program's
    PyObject_GC_UnTrack(starts);
    int made = make(state, starts, own_files, is_plain, &referrers);
    if (made < 0)
        return NULL;
    if (made == 0)
        Py_RETURN_NONE;
    struct rch_back_search search = {
        .max_depth = max_depth < 0 || max_depth > UINT32_MAX ? UINT32_MAX : (uint32_t)max_depth,
        .max_nodes = max_nodes < 0 ? SIZE_MAX : (size_t)max_nodes,
        .wants_rows = true};
    PyObject *result = search_all(state, referrers, starts, ignored, &search);
    rch_referrers_free(referrers);
    return result;
}

// ---- a chain from one of some objects --------------------------------------------------------------

/// The chain as addresses, the goal first.
static enum rch_status chain_of(const struct rch_referrers *referrers,
                                const struct rch_back_result *result, struct rch_vec *addrs,
                                struct rch_error *err)
{
    for (size_t at = result->goal;;) {
        rch_addr addr = rch_referrers_addr(referrers, RCH_VEC_AT(&result->nodes, rch_node, at));
        RCH_TRY(rch_vec_append(addrs, &addr, 1, err));
        uint32_t parent = RCH_VEC_AT(&result->parents, uint32_t, at);
        if (parent == at)
            return RCH_OK;
        at = parent;
    }
}

/// Why there is none: one word, see objgraph.py.
static const char *why_none(const struct rch_referrers *referrers,
                            const struct rch_back_result *result)
{
    uint32_t num_objects = 0;
    if (result->is_cut_by_depth)
        return "depth";
    if (result->nodes.num <= 1)
        return "unreferred";
    for (size_t i = 0; i < result->nodes.num; i++)
        num_objects += rch_referrers_addr(referrers, RCH_VEC_AT(&result->nodes, rch_node, i)) != 0;
    return num_objects < result->nodes.num ? "frame" : "unreached";
}

static int search_chain(struct core_state *state, struct rch_referrers *referrers, PyObject *object,
                        const struct rch_back_search *search, struct rch_vec *addrs,
                        const char **why_out)
{
    struct rch_back_search one = *search;
    rch_node start = rch_referrers_node(referrers, (rch_addr)(uintptr_t)object);
    struct rch_error err = {0};
    *why_out = "unreferred";
    if (start == RCH_NO_NODE)
        return 0;
    one.starts = &start;
    one.num_starts = 1;
    __attribute__((cleanup(rch_back_result_deinit))) struct rch_back_result result;
    rch_back_result_init(&result, rch_alloc_default());
    enum rch_status st = rch_referrers_search(referrers, &one, &result, &err);
    if (st == RCH_OK && result.goal != SIZE_MAX)
        st = chain_of(referrers, &result, addrs, &err);
    else if (st == RCH_OK)
        *why_out = why_none(referrers, &result);
    if (st == RCH_OK)
        return 0;
    set_rch_error(state, &err);
    return -1;
}

static uint8_t *mark_goals(const struct rch_referrers *referrers, PyObject *goals)
{
    uint8_t *is_goal = PyMem_RawCalloc(rch_referrers_num_nodes(referrers) + 1u, 1);
    for (Py_ssize_t i = 0; is_goal && i < PyTuple_GET_SIZE(goals); i++) {
        rch_node node =
            rch_referrers_node(referrers, (rch_addr)(uintptr_t)PyTuple_GET_ITEM(goals, i));
        if (node != RCH_NO_NODE)
            is_goal[node] = 1;
    }
    return is_goal;
}

static uint32_t depth_limit(long long max_depth)
{
    return max_depth < 0 || max_depth > UINT32_MAX ? UINT32_MAX : (uint32_t)max_depth;
}

/// (object, goals, ids to ignore, own files, max_depth, is_plain) -> the chain, goal first; a str that
/// says why there is none; None where the heap cannot be walked.
PyObject *core_chain_from(PyObject *module, PyObject *args)
{
    PyObject *object, *goals, *ignored, *own_files;
    long long max_depth;
    int is_plain;
    if (!PyArg_ParseTuple(args, "OO!O!O!Lp", &object, &PyTuple_Type, &goals, &PyTuple_Type,
                          &ignored, &PyTuple_Type, &own_files, &max_depth, &is_plain))
        return NULL;
    struct core_state *state = core_state_of(module);
    core_forget(state);
    PyObject *starts = PyTuple_Pack(1, object);
    struct rch_referrers *referrers = NULL;
    PyObject_GC_UnTrack(args);  // ours alone, and no referrer of the program's
    if (starts)
        PyObject_GC_UnTrack(starts);
    int made = starts ? make(state, starts, own_files, is_plain, &referrers) : -1;
    if (made <= 0) {
        Py_XDECREF(starts);
        if (made < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    uint8_t *is_goal = mark_goals(referrers, goals);
    RCH_VEC(ignored_nodes, rch_alloc_default(), rch_node);
    RCH_VEC(addrs, rch_alloc_default(), rch_addr);
    const char *why = NULL;
    int failed = !is_goal || nodes_of(referrers, ignored, 1, &ignored_nodes) < 0;
    struct rch_back_search search = {.ignored = ignored_nodes.mem,
                                     .num_ignored = ignored_nodes.num,
                                     .is_goal = is_goal,
                                     .max_depth = depth_limit(max_depth),
                                     .max_nodes = SIZE_MAX};
    failed = failed || search_chain(state, referrers, object, &search, &addrs, &why) < 0;
    PyObject *result = NULL;
    if (!failed)
        result = addrs.num ? core_list_of_objects(addrs.mem, addrs.num) : PyUnicode_FromString(why);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    Py_DECREF(starts);
    if (!result || is_plain || keep(state, referrers, is_goal) < 0) {
        PyMem_RawFree(is_goal);
        rch_referrers_free(referrers);
    }
    return result;
}

// ---- the pass that was kept ------------------------------------------------------------------------

static int is_it(PyObject *referent, void *wanted)
{
    return referent == wanted;
}

static int refers_to(PyObject *source, PyObject *target)
{
    traverseproc traverse = Py_TYPE(source)->tp_traverse;
    if (!traverse ||
        (PyType_Check(source) && !PyType_HasFeature((PyTypeObject *)source, Py_TPFLAGS_HEAPTYPE)))
        return 0;
    return traverse(source, is_it, target);
}

/// Is the chain still there? Its first object is one of `modules` now; each next one is alive because
/// the one before refers to it.
static int is_true(const struct rch_vec *addrs, PyObject *modules)
{
    PyObject *key, *value, *first = (PyObject *)(uintptr_t)RCH_VEC_AT(addrs, rch_addr, 0);
    Py_ssize_t at = 0;
    int found = 0;
    while (!found && PyDict_Next(modules, &at, &key, &value))
        found = value == first;
    for (size_t i = 0; found && i + 1 < addrs->num; i++)
        found = refers_to((PyObject *)(uintptr_t)RCH_VEC_AT(addrs, rch_addr, i),
                          (PyObject *)(uintptr_t)RCH_VEC_AT(addrs, rch_addr, i + 1));
    return found;
}

/// (object, sys.modules, max_depth) -> the chain in the pass that was kept, None if there is none that
/// is still true.
PyObject *core_chain_again(PyObject *module, PyObject *args)
{
    PyObject *object, *modules;
    long long max_depth;
    if (!PyArg_ParseTuple(args, "OO!L", &object, &PyDict_Type, &modules, &max_depth))
        return NULL;
    struct core_state *state = core_state_of(module);
    RCH_VEC(addrs, rch_alloc_default(), rch_addr);
    struct rch_back_search search = {.max_depth = depth_limit(max_depth), .max_nodes = SIZE_MAX};
    const char *why;
    if (!state->kept)
        Py_RETURN_NONE;
    search.is_goal = state->kept->is_goal;
    if (search_chain(state, state->kept->referrers, object, &search, &addrs, &why) < 0)
        return NULL;
    if (addrs.num == 0 || !is_true(&addrs, modules))
        Py_RETURN_NONE;
    return core_list_of_objects(addrs.mem, addrs.num);
}

// ---- objects without referrers ---------------------------------------------------------------------

PyObject *core_unreferred(PyObject *module, PyObject *ignored)
{
    (void)ignored;
    struct core_state *state = core_state_of(module);
    struct rch_capture_options options = {0};
    struct rch_target target;
    struct rch_error err = {0};
    if (state->layout_doubt)
        Py_RETURN_NONE;
    core_fill_options(state, &options, &target);
    RCH_VEC(addrs, rch_alloc_default(), rch_addr);
    enum rch_status st = rch_unreferred(&options, rch_alloc_default(), &addrs, &err);
    if (st == RCH_EBUSY)
        Py_RETURN_NONE;
    if (st != RCH_OK)
        return set_rch_error(state, &err);
    return core_list_of_objects(addrs.mem, addrs.num);
}

// ---- names -----------------------------------------------------------------------------------------

struct names {  // of the references from one object to another
    rch_addr target;
    PyObject *list;
};

static void note_name(void *ctx, enum rch_edge_kind kind, const char *name, rch_addr target)
{
    struct names *names = ctx;
    if (target != names->target || !names->list)
        return;
    PyObject *pair = Py_BuildValue("(ss)", rch_edge_kind_word(kind), name);
    if (!pair || PyList_Append(names->list, pair) < 0)
        Py_CLEAR(names->list);
    Py_XDECREF(pair);
}

/// (source, target) -> [(kind, name)] of the references between them.
PyObject *core_reference_names(PyObject *module, PyObject *args)
{
    PyObject *source, *target;
    if (!PyArg_ParseTuple(args, "OO", &source, &target))
        return NULL;
    struct core_state *state = core_state_of(module);
    struct rch_capture_options options = {0};
    struct rch_target own;
    struct rch_error err = {0};
    struct names names = {(rch_addr)(uintptr_t)target, PyList_New(0)};
    if (state->layout_doubt || !names.list)
        return names.list;
    core_fill_options(state, &options, &own);
    if (rch_references_of(&options, rch_alloc_default(), (rch_addr)(uintptr_t)source, note_name,
                          &names, &err) != RCH_OK) {
        Py_XDECREF(names.list);
        return set_rch_error(state, &err);
    }
    return names.list;
}
