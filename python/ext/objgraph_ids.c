// SPDX-License-Identifier: MIT
// python/ext/objgraph_ids.c -- which objects are new since the last call, behind get_new_ids(). What is
// remembered of an object is its address and the number of its type's name, in one word. Sorted, as
// bytes: they cost 8 bytes an object and the collector does not see them.
#include "tracked.h"

#define NUMBER_BITS 20
#define DIGIT_BITS 11
#define NUM_DIGITS 4

struct ids {
    struct rch_vec words;  // uint64_t
    struct met_table types;
    PyObject *names;  // dict: name -> number
    int is_long;
    bool has_failed;
};

static bool number_name(struct ids *ids, struct met *row)
{
    PyObject *name = core_name_of_type(type_at(row->type), ids->is_long);
    if (!name && !PyErr_Occurred())
        name = PyUnicode_FromString("");
    PyObject *number = name ? PyDict_GetItemWithError(ids->names, name) : NULL;
    if (name && !number && !PyErr_Occurred()) {
        number = PyLong_FromSsize_t(PyDict_GET_SIZE(ids->names));
        if (number && PyDict_SetItem(ids->names, name, number) == 0)
            Py_DECREF(number);  // the dict has it
        else
            Py_CLEAR(number);
    }
    Py_XDECREF(name);
    row->label = number ? PyLong_AsUnsignedLong(number) : 0;
    if (number && row->label >> NUMBER_BITS)
        PyErr_SetString(PyExc_OverflowError, "more than a million names of types");
    return number && !PyErr_Occurred();
}

static bool id_batch(void *ctx, const struct rch_tracked_batch *batch)
{
    struct ids *ids = ctx;
    uint64_t words[RCH_TRACKED_BATCH];
    for (uint32_t i = 0; i < batch->num; i++) {
        bool is_new;
        struct met *row = met_get(&ids->types, batch->types[i], &is_new);
        if (!row || (is_new && !number_name(ids, row))) {
            ids->has_failed = true;
            return false;
        }
        words[i] = batch->objects[i] >> 3 << NUMBER_BITS | row->label;
    }
    ids->has_failed = rch_vec_append(&ids->words, words, batch->num, NULL) != RCH_OK;
    return !ids->has_failed;
}

static uint32_t digit_of(uint64_t word, int digit)
{
    return (uint32_t)(word >> (NUMBER_BITS + digit * DIGIT_BITS)) & ((1u << DIGIT_BITS) - 1);
}

/// By address, least significant digit first; digits that are all the same are skipped. `spare` has the
/// same size. Returns whichever of the two has the result.
static uint64_t *sort_words(uint64_t *words, uint64_t *spare, size_t num)
{
    static uint32_t counts[NUM_DIGITS][1 << DIGIT_BITS];  // under the GIL
    memset(counts, 0, sizeof(counts));
    for (size_t i = 0; i < num; i++)
        for (int d = 0; d < NUM_DIGITS; d++)
            counts[d][digit_of(words[i], d)]++;
    for (int d = 0; d < NUM_DIGITS; d++) {
        if (num == 0 || counts[d][digit_of(words[0], d)] == num)
            continue;
        uint32_t at = 0;
        for (uint32_t i = 0; i < 1u << DIGIT_BITS; i++) {
            uint32_t count = counts[d][i];
            counts[d][i] = at;
            at += count;
        }
        for (size_t i = 0; i < num; i++)
            spare[counts[d][digit_of(words[i], d)]++] = words[i];
        uint64_t *sorted = spare;
        spare = words;
        words = sorted;
    }
    return words;
}

struct id_row {  // of one name
    uint64_t num_old, num_current;
    PyObject *new_ids;
};

static void drop_id_rows(struct id_row *rows, size_t num)
{
    for (size_t i = 0; rows && i < num; i++)
        Py_XDECREF(rows[i].new_ids);
    PyMem_Free(rows);
}

static int note_new_id(struct id_row *rows, uint64_t word)
{
    PyObject *id = PyLong_FromUnsignedLongLong(word >> NUMBER_BITS << 3);
    struct id_row *row = &rows[word & ((1u << NUMBER_BITS) - 1)];
    int failed = !id || PyList_Append(row->new_ids, id) < 0;
    Py_XDECREF(id);
    return failed ? -1 : 0;
}

static int compare_words(struct id_row *rows, const uint64_t *old, size_t num_old,
                         const uint64_t *now, size_t num_now)
{
    for (size_t i = 0; i < num_old; i++)
        rows[old[i] & ((1u << NUMBER_BITS) - 1)].num_old++;
    for (size_t i = 0, k = 0; i < num_now; i++) {
        rows[now[i] & ((1u << NUMBER_BITS) - 1)].num_current++;
        while (k < num_old && old[k] >> NUMBER_BITS < now[i] >> NUMBER_BITS)
            k++;
        if ((k == num_old || old[k] != now[i]) && note_new_id(rows, now[i]) < 0)
            return -1;
    }
    return 0;
}

/// [(ids before, ids now, [new ids])] by number of the name.
static PyObject *build_id_rows(struct id_row *rows, size_t num)
{
    PyObject *list = PyList_New((Py_ssize_t)num);
    for (size_t i = 0; list && i < num; i++) {
        PyObject *row = Py_BuildValue("(KKO)", (unsigned long long)rows[i].num_old,
                                      (unsigned long long)rows[i].num_current, rows[i].new_ids);
        if (row)
            PyList_SET_ITEM(list, (Py_ssize_t)i, row);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *compare_ids(PyObject *old, const uint64_t *now, size_t num_now, size_t num_names)
{
    struct id_row *rows = PyMem_Calloc(num_names ? num_names : 1, sizeof(*rows));
    bool is_fine = rows != NULL;
    for (size_t i = 0; is_fine && i < num_names; i++)
        is_fine = (rows[i].new_ids = PyList_New(0)) != NULL;
    const uint64_t *before = old ? (const uint64_t *)(const void *)PyBytes_AS_STRING(old) : NULL;
    size_t num_before = old ? (size_t)PyBytes_GET_SIZE(old) / sizeof(uint64_t) : 0;
    is_fine = is_fine && compare_words(rows, before, num_before, now, num_now) == 0;
    PyObject *list = is_fine ? build_id_rows(rows, num_names) : NULL;
    drop_id_rows(rows, num_names);
    if (!list && !PyErr_Occurred())
        PyErr_NoMemory();
    return list;
}

static void ids_deinit(struct ids *ids)
{
    if (!ids->words.alloc)
        return;
    rch_vec_deinit(&ids->words);
    met_deinit(&ids->types);
}

PyObject *core_tracked_ids(PyObject *module, PyObject *args)
{
    __attribute__((cleanup(ids_deinit))) struct ids ids = {.has_failed = false};
    PyObject *old;
    if (!PyArg_ParseTuple(args, "OO!p", &old, &PyDict_Type, &ids.names, &ids.is_long))
        return NULL;
    if (old != Py_None && !PyBytes_CheckExact(old)) {
        PyErr_SetString(PyExc_TypeError, "bytes of a call before, or None");
        return NULL;
    }
    rch_vec_init(&ids.words, rch_alloc_default(), sizeof(uint64_t));
    if (!met_init(&ids.types))
        return PyErr_NoMemory();
    RCH_VEC(segments, rch_alloc_default(), struct rch_segment);  // the ids are sorted by address
    if (core_walk(core_state_of(module), id_batch, &ids, &segments) < 0)
        return NULL;
    RCH_BLOCK(spare, rch_alloc_default(), ids.words.num, sizeof(uint64_t));
    if (ids.has_failed || !spare.mem)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    uint64_t *now = sort_words(ids.words.mem, spare.mem, ids.words.num);
    PyObject *kept = PyBytes_FromStringAndSize((const char *)now,
                                               (Py_ssize_t)(ids.words.num * sizeof(uint64_t)));
    PyObject *rows = kept ? compare_ids(old == Py_None ? NULL : old, now, ids.words.num,
                                        (size_t)PyDict_GET_SIZE(ids.names))
                          : NULL;
    PyObject *result = rows ? Py_BuildValue("(OO)", kept, rows) : NULL;
    Py_XDECREF(kept);
    Py_XDECREF(rows);
    return result;
}
