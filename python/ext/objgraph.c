// SPDX-License-Identifier: MIT
// python/ext/objgraph.c -- heap passes behind refchain.objgraph: how many objects of which type, those of
// a type, those at some addresses.
#include "tracked.h"

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
    PyObject *name = core_name_of_type((PyTypeObject *)type, is_long);
    if (!name && !PyErr_Occurred())
        return PyUnicode_FromString("");
    return name;
}

// ---- types ---------------------------------------------------------------------------------------

struct first {  // the first object of a type in a batch
    uint32_t row, segment;
    uint64_t nth;  // of the segment
};

struct type_count {
    struct met_table met;
    struct rch_vec firsts;    // struct first
    struct rch_vec segments;  // struct rch_segment
    struct rch_vec nums;      // uint64_t: objects met, by segment
    uint64_t num_batches;
};

static void type_count_init(struct type_count *count)
{
    *count = (struct type_count){.num_batches = 0};
    rch_vec_init(&count->firsts, rch_alloc_default(), sizeof(struct first));
    rch_vec_init(&count->segments, rch_alloc_default(), sizeof(struct rch_segment));
    rch_vec_init(&count->nums, rch_alloc_default(), sizeof(uint64_t));
}

static void type_count_deinit(struct type_count *count)
{
    met_deinit(&count->met);
    rch_vec_deinit(&count->firsts);
    rch_vec_deinit(&count->segments);
    rch_vec_deinit(&count->nums);
}

static bool note_first(struct type_count *count, struct met *row, uint32_t segment, uint64_t nth)
{
    const struct met *rows = count->met.rows.mem;
    struct first first = {(uint32_t)(row - rows), segment, nth};
    row->label = count->num_batches;
    return rch_vec_append(&count->firsts, &first, 1, NULL) == RCH_OK;
}

/// Objects that come backwards: the last of a batch comes first.
static bool count_batch(void *ctx, const struct rch_tracked_batch *batch)
{
    struct type_count *count = ctx;
    size_t num_segments = count->nums.num;
    count->num_batches++;
    if (batch->segment >= num_segments &&
        rch_vec_append(&count->nums, NULL, batch->segment + 1 - num_segments, NULL) != RCH_OK)
        return !(count->met.out_of_memory = true);
    uint64_t *num = &RCH_VEC_AT(&count->nums, uint64_t, batch->segment);
    for (uint32_t i = 0; i < batch->num; i++) {
        bool is_new;
        uint32_t at = batch->is_backward ? batch->num - 1 - i : i;
        struct met *row = met_get(&count->met, batch->types[at], &is_new);
        if (!row || (row->label != count->num_batches &&
                     !note_first(count, row, batch->segment, *num + at)))
            return !(count->met.out_of_memory = true);
        row->count++;
    }
    *num += batch->num;
    return true;
}

static int compare_first(const void *a, const void *b)
{
    uint64_t x = ((const struct met *)a)->first, y = ((const struct met *)b)->first;
    return (x > y) - (x < y);
}

#define SEGMENT_BITS 48  // a place: the rank of the segment, then the place in it
#define ADDR_MASK ((UINT64_C(1) << SEGMENT_BITS) - 1)

static void sort_types(struct type_count *count)
{
    const struct rch_segment *segments = count->segments.mem;
    for (size_t i = 0; i < count->firsts.num; i++) {
        struct first first = RCH_VEC_AT(&count->firsts, struct first, i);
        struct rch_segment segment = segments[first.segment];
        uint64_t place = (uint64_t)segment.rank << SEGMENT_BITS |
                         (segment.is_backward ? ADDR_MASK - first.nth : first.nth);
        struct met *row = &RCH_VEC_AT(&count->met.rows, struct met, first.row);
        row->first = place < row->first ? place : row->first;
    }
    if (count->met.rows.num)
        qsort(count->met.rows.mem, count->met.rows.num, sizeof(struct met), compare_first);
}

/// [(type, number of objects)]
static PyObject *build_types(const struct met_table *table)
{
    for (size_t i = 0; i < table->rows.num; i++)
        Py_INCREF(type_at(RCH_VEC_AT(&table->rows, struct met, i).type));
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
    __attribute__((cleanup(type_count_deinit))) struct type_count count;
    type_count_init(&count);
    if (!met_init(&count.met))
        return PyErr_NoMemory();
    if (core_walk(core_state_of(module), count_batch, &count, &count.segments) < 0)
        return NULL;
    if (count.met.out_of_memory)
        return PyErr_NoMemory();
    sort_types(&count);
    return build_types(&count.met);
}

// ---- objects -------------------------------------------------------------------------------------

struct picked {               // objects that were asked for
    struct rch_vec addrs;     // rch_addr, in the upper 16 bits the segment
    struct rch_vec segments;  // struct rch_segment
    struct met_table types;
    PyObject *name;  // of the wanted type
    int is_long;
    const rch_addr *wanted;  // or wanted addresses, ascending
    size_t num_wanted;
    bool has_failed;
};

static bool is_wanted_type(struct picked *picked, rch_addr type)
{
    bool is_new;
    struct met *row = met_get(&picked->types, type, &is_new);
    if (!row) {
        picked->has_failed = true;
        return false;
    }
    if (is_new) {
        PyObject *name = core_name_of_type(type_at(type), picked->is_long);
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
    for (uint32_t i = 0; i < batch->num && !picked->has_failed; i++) {
        if (picked->name ? !is_wanted_type(picked, batch->types[i])
                         : !is_wanted_address(picked, batch->objects[i]))
            continue;
        rch_addr addr = batch->objects[i] | (rch_addr)batch->segment << SEGMENT_BITS;
        picked->has_failed |= rch_vec_append(&picked->addrs, &addr, 1, NULL) != RCH_OK;
    }
    return !picked->has_failed;
}

/// Into `out`, which is as long: in the order of gc.get_objects(), a counting sort by segment. `ends`:
/// one for each segment.
static void put_in_order(const struct picked *picked, size_t *ends, rch_addr *out)
{
    const struct rch_segment *segments = picked->segments.mem;
    const rch_addr *addrs = picked->addrs.mem;
    size_t sum = 0;
    for (size_t i = 0; i < picked->addrs.num; i++)
        ends[segments[addrs[i] >> SEGMENT_BITS].rank]++;
    for (size_t r = 0; r < picked->segments.num; r++)
        ends[r] = sum += ends[r];
    for (size_t i = picked->addrs.num; i-- > 0;)
        if (!segments[addrs[i] >> SEGMENT_BITS].is_backward)
            out[--ends[segments[addrs[i] >> SEGMENT_BITS].rank]] = addrs[i] & ADDR_MASK;
    for (size_t i = 0; i < picked->addrs.num; i++)
        if (segments[addrs[i] >> SEGMENT_BITS].is_backward)
            out[--ends[segments[addrs[i] >> SEGMENT_BITS].rank]] = addrs[i] & ADDR_MASK;
}

static void picked_deinit(struct picked *picked)
{
    if (!picked->addrs.alloc)
        return;
    rch_vec_deinit(&picked->addrs);
    rch_vec_deinit(&picked->segments);
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
    rch_vec_init(&picked->addrs, rch_alloc_default(), sizeof(rch_addr));
    rch_vec_init(&picked->segments, rch_alloc_default(), sizeof(struct rch_segment));
    if (!met_init(&picked->types))
        return PyErr_NoMemory();
    if (core_walk(state, pick_batch, picked, &picked->segments) < 0)
        return NULL;
    RCH_BLOCK(ends, rch_alloc_default(), picked->segments.num, sizeof(size_t));
    RCH_BLOCK(sorted, rch_alloc_default(), picked->addrs.num, sizeof(rch_addr));
    if (picked->has_failed || !ends.mem || !sorted.mem)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    put_in_order(picked, ends.mem, sorted.mem);
    return core_list_of_objects(sorted.mem, picked->addrs.num);
}

PyObject *core_tracked_of_type(PyObject *module, PyObject *args)
{
    __attribute__((cleanup(picked_deinit))) struct picked picked = {.num_wanted = 0};
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
