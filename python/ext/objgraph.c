// SPDX-License-Identifier: MIT
// python/ext/objgraph.c -- heap passes behind refchain.objgraph. A walk of the collector's lists gives
// addresses; they become objects while the GIL has been held since, before anything is allocated that
// the collector tracks (which may set off a collection, and that anything).
#include "ext.h"

#include "base/vec.h"
#include "capture/capture.h"
#include "capture/tracked.h"

static PyTypeObject *type_at(rch_addr addr)
{
    return (PyTypeObject *)(uintptr_t)addr;
}

static PyObject *object_at(rch_addr addr)
{
    return (PyObject *)(uintptr_t)addr;
}

/// Give the objects of gc.get_objects() to `fn`; -1 with an exception set.
static int walk_list(rch_tracked_fn fn, void *ctx)
{
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

/// Give everything that the collector tracks to `fn`; -1 with an exception set. No code of the program
/// runs, and none of the objects goes before something is allocated that the collector tracks.
static int walk(struct core_state *state, rch_tracked_fn fn, void *ctx)
{
    struct rch_capture_options options = {0};
    struct rch_target target;
    struct rch_error err = {0};
    if (state->layout_doubt)
        return walk_list(fn, ctx);
    core_fill_options(state, &options, &target);
    struct rch_gc_lists lists = {&target, options.layout, core_interp(), false};
    enum rch_status st = rch_tracked_walk(&lists, RCH_LISTS_GENERATIONS, fn, ctx, &err);
    if (st == RCH_EBUSY)
        return walk_list(fn, ctx);
    if (st == RCH_OK)
        return 0;
    set_rch_error(state, &err);
    return -1;
}

// ---- names of types ------------------------------------------------------------------------------

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

static PyObject *type_name(PyTypeObject *type, int is_long)
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

PyObject *core_refcount(PyObject *module, PyObject *object)
{
    (void)module;
    return PyLong_FromSsize_t(Py_REFCNT(object));
}

// An object on a free list, which _asyncio of 3.12 shows, has no references: one more, given back, would
// free it a second time.
static int append_living(PyObject *object, void *list)
{
    return Py_REFCNT(object) > 0 ? PyList_Append(list, object) : 0;
}

PyObject *core_referents(PyObject *module, PyObject *object)
{
    (void)module;
    traverseproc traverse = PyObject_IS_GC(object) ? Py_TYPE(object)->tp_traverse : NULL;
    PyObject *list = PyList_New(0);
    if (list && traverse && traverse(object, append_living, list) != 0)
        Py_CLEAR(list);
    return list;
}

PyObject *core_type_name(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *type;
    int is_long;
    if (!PyArg_ParseTuple(args, "O!p", &PyType_Type, &type, &is_long))
        return NULL;
    PyObject *name = type_name((PyTypeObject *)type, is_long);
    if (!name && !PyErr_Occurred())
        return PyUnicode_FromString("");
    return name;
}

// ---- a table of the types met --------------------------------------------------------------------

struct met {
    rch_addr type;
    uint64_t count;
    uint64_t first;  // orders types by the first of their objects, as in gc.get_objects()
    uint32_t label;  // a number the asker gives it
};

struct met_table {
    struct rch_vec rows;  // struct met
    uint32_t *slots;      // row + 1; 0: free
    uint32_t num_slots;   // a power of two
    struct met *last;     // objects of a type often follow each other
    bool out_of_memory;
    uint64_t num_front, num_back;  // objects seen in this list
    uint32_t list;
};

static bool met_init(struct met_table *table)
{
    *table = (struct met_table){.num_slots = 4096};
    rch_vec_init(&table->rows, rch_alloc_default(), sizeof(struct met));
    table->slots = PyMem_RawCalloc(table->num_slots, sizeof(uint32_t));
    return table->slots != NULL;
}

static void met_deinit(struct met_table *table)
{
    rch_vec_deinit(&table->rows);
    PyMem_RawFree(table->slots);
}

static uint32_t *met_slot(const struct met_table *table, rch_addr type)
{
    uint32_t mask = table->num_slots - 1, at = (uint32_t)(type >> 4) * 2654435761u & mask;
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

/// The row of a type; *is_new_out: it was made. NULL: out of memory.
static struct met *met_get(struct met_table *table, rch_addr type, bool *is_new_out)
{
    *is_new_out = false;
    if (table->last && table->last->type == type)
        return table->last;
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

/// Where in gc.get_objects() the object comes that is `nth` of its batch.
static uint64_t met_place(struct met_table *table, const struct rch_tracked_batch *batch,
                          uint32_t nth)
{
    uint64_t list = (uint64_t)batch->list << 48, middle = 1ull << 47;
    if (batch->is_backward)
        return list + middle + (middle - 1 - (table->num_back + nth));
    return list + table->num_front + nth;
}

static void met_end_batch(struct met_table *table, const struct rch_tracked_batch *batch)
{
    *(batch->is_backward ? &table->num_back : &table->num_front) += batch->num;
}

static void met_begin_batch(struct met_table *table, const struct rch_tracked_batch *batch)
{
    if (batch->list == table->list)
        return;
    table->list = batch->list;
    table->num_front = table->num_back = 0;
}

static bool count_batch(void *ctx, const struct rch_tracked_batch *batch)
{
    struct met_table *table = ctx;
    met_begin_batch(table, batch);
    for (uint32_t i = 0; i < batch->num; i++) {
        bool is_new;
        struct met *row = met_get(table, batch->types[i], &is_new);
        if (!row)
            return false;
        row->count++;
        if (is_new || batch->is_backward) {
            uint64_t place = met_place(table, batch, i);
            if (place < row->first)
                row->first = place;
        }
    }
    met_end_batch(table, batch);
    return true;
}

static int compare_first(const void *a, const void *b)
{
    uint64_t x = ((const struct met *)a)->first, y = ((const struct met *)b)->first;
    return (x > y) - (x < y);
}

/// [(type, number of objects)]; takes over the references to the types.
static PyObject *build_types(const struct met_table *table)
{
    PyObject *list = PyList_New((Py_ssize_t)table->rows.num);
    for (size_t i = 0; i < table->rows.num; i++) {
        const struct met *row = &RCH_VEC_AT(&table->rows, struct met, i);
        PyObject *pair =
            list ? Py_BuildValue("(OK)", type_at(row->type), (unsigned long long)row->count) : NULL;
        if (pair)
            PyList_SET_ITEM(list, (Py_ssize_t)i, pair);
        else
            Py_CLEAR(list);
    }
    for (size_t i = 0; i < table->rows.num; i++)
        Py_DECREF(type_at(RCH_VEC_AT(&table->rows, struct met, i).type));
    return list;
}

PyObject *core_tracked_types(PyObject *module, PyObject *ignored)
{
    (void)ignored;
    __attribute__((cleanup(met_deinit))) struct met_table table;
    if (!met_init(&table))
        return PyErr_NoMemory();
    if (walk(core_state_of(module), count_batch, &table) < 0)
        return NULL;
    if (table.out_of_memory)
        return PyErr_NoMemory();
    for (size_t i = 0; i < table.rows.num; i++)
        Py_INCREF(type_at(RCH_VEC_AT(&table.rows, struct met, i).type));
    if (table.rows.num)
        qsort(table.rows.mem, table.rows.num, sizeof(struct met), compare_first);
    return build_types(&table);
}

// ---- objects -------------------------------------------------------------------------------------

struct picked {                  // objects that were asked for, in the order of gc.get_objects()
    struct rch_vec front, back;  // rch_addr
    struct met_table types;
    PyObject *name;  // of the wanted type
    int is_long;
    const rch_addr *wanted;  // or wanted addresses, ascending
    size_t num_wanted;
    uint32_t list;
    bool has_failed;
};

static void join_back(struct picked *picked)
{
    while (picked->back.num && !picked->has_failed) {
        rch_addr addr = RCH_VEC_AT(&picked->back, rch_addr, --picked->back.num);
        picked->has_failed = rch_vec_append(&picked->front, &addr, 1, NULL) != RCH_OK;
    }
}

static bool is_wanted_type(struct picked *picked, rch_addr type)
{
    bool is_new;
    struct met *row = met_get(&picked->types, type, &is_new);
    if (!row) {
        picked->has_failed = true;
        return false;
    }
    if (is_new) {
        PyObject *name = type_name(type_at(type), picked->is_long);
        picked->has_failed |= !name && PyErr_Occurred();
        row->label = name && PyUnicode_Compare(name, picked->name) == 0;
        Py_XDECREF(name);
    }
    return row->label;
}

static bool is_wanted_address(const struct picked *picked, rch_addr addr)
{
    size_t low = 0, high = picked->num_wanted;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (picked->wanted[mid] < addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < picked->num_wanted && picked->wanted[low] == addr;
}

static bool pick_batch(void *ctx, const struct rch_tracked_batch *batch)
{
    struct picked *picked = ctx;
    if (batch->list != picked->list) {
        join_back(picked);
        picked->list = batch->list;
    }
    struct rch_vec *out = batch->is_backward ? &picked->back : &picked->front;
    for (uint32_t i = 0; i < batch->num && !picked->has_failed; i++) {
        if (picked->name ? !is_wanted_type(picked, batch->types[i])
                         : !is_wanted_address(picked, batch->objects[i]))
            continue;
        picked->has_failed |= rch_vec_append(out, &batch->objects[i], 1, NULL) != RCH_OK;
    }
    return !picked->has_failed;
}

static void picked_deinit(struct picked *picked)
{
    if (!picked->front.alloc)
        return;
    rch_vec_deinit(&picked->front);
    rch_vec_deinit(&picked->back);
    met_deinit(&picked->types);
}

/// A list of the objects at these addresses, which were tracked since the GIL is held. They get their
/// references first: making the list may set off a collection.
PyObject *core_list_of_objects(const rch_addr *addrs, size_t num)
{
    for (size_t i = 0; i < num; i++)
        Py_INCREF(object_at(addrs[i]));
    PyObject *list = PyList_New((Py_ssize_t)num);
    for (size_t i = 0; i < num; i++) {
        if (list)
            PyList_SET_ITEM(list, (Py_ssize_t)i, object_at(addrs[i]));
        else
            Py_DECREF(object_at(addrs[i]));
    }
    return list;
}

static PyObject *pick(struct core_state *state, struct picked *picked)
{
    rch_vec_init(&picked->front, rch_alloc_default(), sizeof(rch_addr));
    rch_vec_init(&picked->back, rch_alloc_default(), sizeof(rch_addr));
    if (!met_init(&picked->types))
        return PyErr_NoMemory();
    if (walk(state, pick_batch, picked) < 0)
        return NULL;
    join_back(picked);
    if (picked->has_failed)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    return core_list_of_objects(picked->front.mem, picked->front.num);
}

PyObject *core_tracked_of_type(PyObject *module, PyObject *args)
{
    __attribute__((cleanup(picked_deinit))) struct picked picked = {.list = 0};
    if (!PyArg_ParseTuple(args, "Up", &picked.name, &picked.is_long))
        return NULL;
    return pick(core_state_of(module), &picked);
}

static int compare_addrs(const void *a, const void *b)
{
    rch_addr x = *(const rch_addr *)a, y = *(const rch_addr *)b;
    return (x > y) - (x < y);
}

PyObject *core_tracked_at(PyObject *module, PyObject *arg)
{
    if (!PyTuple_CheckExact(arg)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of addresses is wanted");
        return NULL;
    }
    size_t num = (size_t)PyTuple_GET_SIZE(arg);
    RCH_BLOCK(wanted, rch_alloc_default(), num, sizeof(rch_addr));
    if (!wanted.mem)
        return PyErr_NoMemory();
    for (size_t i = 0; i < num; i++) {
        unsigned long long addr = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(arg, (Py_ssize_t)i));
        if (addr == (unsigned long long)-1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_OverflowError))
                return NULL;
            PyErr_Clear();  // nothing has such an address
            addr = 0;
        }
        ((rch_addr *)wanted.mem)[i] = addr;
    }
    qsort(wanted.mem, num, sizeof(rch_addr), compare_addrs);
    __attribute__((cleanup(picked_deinit))) struct picked picked = {.wanted = wanted.mem,
                                                                    .num_wanted = num};
    return pick(core_state_of(module), &picked);
}

// ---- ids ----------------------------------------------------------------------------------------

// What get_new_ids() remembers of an object: its address and the number of its type's name, in one word.
// Sorted, as bytes: they cost 8 bytes an object and the collector does not see them.
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
    PyObject *name = type_name(type_at(row->type), ids->is_long);
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
    row->label = number ? (uint32_t)PyLong_AsUnsignedLong(number) : 0;
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
    if (walk(core_state_of(module), id_batch, &ids) < 0)
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
