// SPDX-License-Identifier: MIT
// hung.c -- a module for programs that are looked at from outside: hung.tell(path) writes what the
// interpreter itself says of its objects, then hangs for good in C, the GIL held. So nothing
// changes between what was written and what a reader finds.
//
// Lines, addresses in hexadecimal:
//   T type name    its struct is that of the C type of this name
//   O object type tracked referents...    what tp_traverse visits, each as often as it does
//   F number       objects that gc.freeze() put aside, which gc.get_objects() does not list
// Objects are those of gc.get_objects() and the untracked containers they lead to.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct list {
    PyObject **items;
    size_t num, cap;
};

struct set {  // open addressing; cap is a power of two
    PyObject **slots;
    size_t num, cap;
};

static void grow(void *mem_ptr, size_t *cap, size_t elem_bytes)
{
    void **mem = mem_ptr;
    *cap = *cap ? *cap * 2 : 1024;
    *mem = realloc(*mem, *cap * elem_bytes);
    if (!*mem)
        _exit(70);
}

static void append(struct list *list, PyObject *object)
{
    if (list->num == list->cap)
        grow(&list->items, &list->cap, sizeof(*list->items));
    list->items[list->num++] = object;
}

static void put(struct set *set, PyObject *object)
{
    size_t at = ((uintptr_t)object >> 4) * 0x9E3779B97F4A7C15u & (set->cap - 1);
    while (set->slots[at] && set->slots[at] != object)
        at = (at + 1) & (set->cap - 1);
    set->num += !set->slots[at];
    set->slots[at] = object;
}

/// True if it was not in the set.
static int add(struct set *set, PyObject *object)
{
    if (set->num * 2 >= set->cap) {
        struct set old = *set;
        set->cap = old.cap ? old.cap * 2 : 1 << 16;
        set->num = 0;
        set->slots = calloc(set->cap, sizeof(*set->slots));
        if (!set->slots)
            _exit(70);
        for (size_t i = 0; i < old.cap; i++)
            if (old.slots[i])
                put(set, old.slots[i]);
        free(old.slots);
    }
    size_t before = set->num;
    put(set, object);
    return set->num > before;
}

static int visit(PyObject *referent, void *arg)
{
    append(arg, referent);
    return 0;
}

static traverseproc subtype_traverse;

static int is_class_statement(PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_traverse == subtype_traverse;
}

static void tell_type(FILE *file, struct set *types, PyTypeObject *type)
{
    if (!add(types, (PyObject *)type))
        return;
    PyTypeObject *base = type;
    while (is_class_statement(base) && base->tp_base)
        base = base->tp_base;
    fprintf(file, "T %zx %s\n", (size_t)type, base->tp_name);
}

static void tell_object(FILE *file, PyObject *object, int is_tracked, struct list *found,
                        struct set *containers, struct set *types)
{
    struct list visited = {0};
    tell_type(file, types, Py_TYPE(object));
    fprintf(file, "O %zx %zx %d", (size_t)object, (size_t)Py_TYPE(object), is_tracked);
    if (Py_TYPE(object)->tp_traverse)
        (void)Py_TYPE(object)->tp_traverse(object, visit, &visited);
    for (size_t i = 0; i < visited.num; i++) {
        fprintf(file, " %zx", (size_t)visited.items[i]);
        if (PyObject_IS_GC(visited.items[i]) && add(containers, visited.items[i]))
            append(found, visited.items[i]);
    }
    fputc('\n', file);
    free(visited.items);
}

/// What gc.get_objects() lists. The list itself is gone when this returns.
static int list_tracked(struct list *found, struct set *containers, long *num_frozen)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *frozen = gc ? PyObject_CallMethod(gc, "get_freeze_count", NULL) : NULL;
    PyObject *objects = frozen ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
    *num_frozen = frozen ? PyLong_AsLong(frozen) : 0;
    Py_XDECREF(frozen);
    for (Py_ssize_t i = 0; objects && i < PyList_GET_SIZE(objects); i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (object != objects && add(containers, object))
            append(found, object);
    }
    int failed = !objects;
    Py_XDECREF(objects);
    Py_XDECREF(gc);
    return failed;
}

static PyObject *tell(PyObject *module, PyObject *args)
{
    (void)module;
    const char *path;
    char temp[4096];
    struct list found = {0};
    struct set containers = {0}, types = {0};
    long num_frozen;
    if (!PyArg_ParseTuple(args, "s", &path) || list_tracked(&found, &containers, &num_frozen))
        return NULL;
    snprintf(temp, sizeof(temp), "%s.part", path);
    FILE *file = fopen(temp, "w");
    if (!file)
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, temp);
    size_t num_tracked = found.num;
    for (size_t i = 0; i < found.num; i++)
        tell_object(file, found.items[i], i < num_tracked, &found, &containers, &types);
    fprintf(file, "F %lx\n", (unsigned long)num_frozen);
    fclose(file);
    rename(temp, path);
    for (;;)
        pause();
}

static PyMethodDef methods[] = {{"tell", tell, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "hung", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_hung(void)
{
    PyObject *plain = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "plain");
    if (!plain)
        return NULL;
    subtype_traverse = ((PyTypeObject *)plain)->tp_traverse;
    Py_DECREF(plain);
    PyObject *module = PyModule_Create(&definition);
#ifdef Py_GIL_DISABLED  // else importing it would bring the GIL back
    if (module)
        PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    return module;
}
