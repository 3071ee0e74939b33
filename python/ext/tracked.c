// SPDX-License-Identifier: MIT
// python/ext/tracked.c -- see tracked.h. A walk of the collector's lists gives addresses; they become
// objects while the GIL has been held since, before anything is allocated that the collector tracks
// (which may set off a collection, and that anything).
#include "tracked.h"

#include "capture/capture.h"

/// Give the objects of gc.get_objects() to `fn`; -1 with an exception set.
static int walk_list(rch_tracked_fn fn, void *ctx, struct rch_vec *segments)
{
    if (rch_vec_append(segments, NULL, 1, NULL) != RCH_OK) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *list = gc ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
    Py_ssize_t num = list ? PyList_GET_SIZE(list) : -1;
    rch_addr objects[RCH_TRACKED_BATCH], types[RCH_TRACKED_BATCH];
    struct rch_tracked_batch batch = {.objects = objects, .types = types};
    for (Py_ssize_t i = 0; i < num; i++) {
        PyObject *object = PyList_GET_ITEM(list, i);
        objects[batch.num] = (rch_addr)(uintptr_t)object;
        types[batch.num++] = (rch_addr)(uintptr_t)Py_TYPE(object);
        if (batch.num < RCH_TRACKED_BATCH && i + 1 < num)
            continue;
        if (!fn(ctx, &batch))
            break;
        batch.num = 0;
    }
    Py_XDECREF(list);  // frees nothing else: nobody ran since it was made
    Py_XDECREF(gc);
    return num < 0 ? -1 : 0;
}

static bool is_alone(void)
{
    return PyInterpreterState_Next(PyInterpreterState_Head()) == NULL;
}

int core_walk(struct core_state *state, rch_tracked_fn fn, void *ctx, struct rch_vec *segments)
{
    struct rch_capture_options options = {0};
    struct rch_target target;
    struct rch_error err = {0};
    if (state->layout_doubt)
        return walk_list(fn, ctx, segments);
    core_fill_options(state, &options, &target);
    struct rch_gc_lists lists = {&target, options.layout, core_interp(), false, is_alone()};
    enum rch_status st = rch_segments_walk(&lists, fn, ctx, segments, &err);
    if (st == RCH_OK)
        return 0;
    if (st == RCH_EBUSY)
        return walk_list(fn, ctx, segments);
    set_rch_error(state, &err);
    return -1;
}

// ---- names ---------------------------------------------------------------------------------------

/// What type.__name__ or type.__module__ is, whatever a metaclass says: no code of the program runs.
/// A new reference to a str; NULL: there is none, and no exception is set unless out of memory.
static PyObject *type_text(PyTypeObject *type, const char *attribute)
{
    for (const PyGetSetDef *def = PyType_Type.tp_getset; def && def->name; def++) {
        if (strcmp(def->name, attribute) != 0)
            continue;
        PyObject *value = def->get((PyObject *)type, def->closure);
        if (value && PyUnicode_CheckExact(value))
            return value;
        PyObject *text = value && PyUnicode_Check(value) ? PyUnicode_FromObject(value) : NULL;
        Py_XDECREF(value);
        if (!text && !PyErr_ExceptionMatches(PyExc_MemoryError))
            PyErr_Clear();
        return text;
    }
    return NULL;
}

PyObject *core_name_of_type(PyTypeObject *type, int is_long)
{
    PyObject *name = type_text(type, "__name__");
    PyObject *module = name && is_long ? type_text(type, "__module__") : NULL;
    if (!module || PyUnicode_GET_LENGTH(module) == 0) {
        Py_XDECREF(module);
        return name;
    }
    PyObject *full = PyUnicode_FromFormat("%U.%U", module, name);
    Py_DECREF(module);
    Py_DECREF(name);
    return full;
}

// ---- the types met --------------------------------------------------------------------------------

bool met_init(struct met_table *table)
{
    *table = (struct met_table){.num_slots = 4096};
    rch_vec_init(&table->rows, rch_alloc_default(), sizeof(struct met));
    table->slots = PyMem_RawCalloc(table->num_slots, sizeof(uint32_t));
    return table->slots != NULL;
}

void met_deinit(struct met_table *table)
{
    if (table->slots)
        rch_vec_deinit(&table->rows);
    PyMem_RawFree(table->slots);
}

static uint32_t *met_slot(const struct met_table *table, rch_addr type)
{
    uint32_t mask = table->num_slots - 1;
    uint32_t at = (uint32_t)(type * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (table->slots[at] &&
           RCH_VEC_AT(&table->rows, struct met, table->slots[at] - 1).type != type)
        at = (at + 1) & mask;
    return &table->slots[at];
}

static bool met_grow(struct met_table *table)
{
    uint32_t *old = table->slots, num = table->num_slots;
    uint32_t *slots = PyMem_RawCalloc((size_t)num * 2, sizeof(uint32_t));
    if (!slots)
        return false;
    table->slots = slots;
    table->num_slots = num * 2;
    for (uint32_t i = 0; i < table->rows.num; i++)
        *met_slot(table, RCH_VEC_AT(&table->rows, struct met, i).type) = i + 1;
    PyMem_RawFree(old);
    return true;
}

struct met *met_find(struct met_table *table, rch_addr type, bool *is_new_out)
{
    *is_new_out = false;
    uint32_t *slot = met_slot(table, type);
    if (!*slot) {
        struct met row = {.type = type, .first = UINT64_MAX};
        if ((table->rows.num * 2 >= table->num_slots && !met_grow(table)) ||
            rch_vec_append(&table->rows, &row, 1, NULL) != RCH_OK) {
            table->out_of_memory = true;
            return NULL;
        }
        slot = met_slot(table, type);
        *slot = (uint32_t)table->rows.num;
        *is_new_out = true;
    }
    table->last = &RCH_VEC_AT(&table->rows, struct met, *slot - 1);
    return table->last;
}
