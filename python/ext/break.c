// SPDX-License-Identifier: MIT
// python/ext/break.c -- refchain._core.break_*: stop where a type has too many instances. Hooks on
// Python's object allocator keep a headcount (capture/headcount.h). When it may have reached its limit, the
// thread that made the last instance is asked to come by: at the end of the call under way it looks, counts
// in the collector's lists to be sure, and tells refchain._break.
//
//   asked how                  by whom                         where it comes by
//   a pending call             the main thread; 3.12 and       before the next instruction that looks for
//                              later every thread              them: within the line
//   a trace function, once     other threads up to 3.11        at its next line, call or return
#include "ext.h"

#include <pthread.h>

#include "capture/count.h"
#include "capture/headcount.h"

enum { TYPE_HEAD_BYTES = 16, MAX_INLINE_VALUES_BYTES = 8 * 40, MAX_DETOURS = 64 };

static struct engine {
    PyMemAllocatorEx below;  // what the hooks call
    bool is_hooked;          // our hooks are among the allocator's, perhaps not on top
    bool is_on;              // and count
    bool is_looking;         // between request and action: allocations of our own do not matter
    bool is_queued;          // a pending call is under way
    unsigned detours;        // pending calls that came to another thread
    bool has_told;
    pthread_t main_thread, maker;  // maker: of what made the request due
    PyInterpreterState *interp;
    struct rch_headcount heads;
    uint32_t due;       // watches that are to be looked at although their headcount says nothing
    PyObject *reached;  // refchain._break's function, called with (watch, count)
#if PY_VERSION_HEX < 0x030C0000
    PyThreadState *traced;  // thread with our trace function
    Py_tracefunc trace_below;
#endif
} engine;

static int come_by(void *arg);
static void request(void);

static PyThreadState *thread_now(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

static bool is_ours(void)
{
    PyThreadState *thread = thread_now();
    return thread && PyThreadState_GetInterpreter(thread) == engine.interp;
}

// ---- the hooks -----------------------------------------------------------------------------------

static void *took(void *block, size_t num_bytes)
{
    if (engine.is_on && block && !engine.is_looking && is_ours() &&
        (rch_headcount_took(&engine.heads, (rch_addr)(uintptr_t)block, num_bytes) || engine.due))
        request();
    return block;
}

static inline bool may_matter(size_t num_bytes)
{
    size_t size_class = (num_bytes + 7) / 8;
    return size_class < RCH_SIZE_CLASSES
               ? engine.heads.sizes[size_class / 64] >> size_class % 64 & 1
               : engine.heads.any_size_above;
}

static void *hook_malloc(void *ctx, size_t num_bytes)
{
    void *block = engine.below.malloc(ctx, num_bytes);
    return __builtin_expect(may_matter(num_bytes), 0) ? took(block, num_bytes) : block;
}

static void *hook_calloc(void *ctx, size_t num, size_t elem_bytes)
{
    void *block = engine.below.calloc(ctx, num, elem_bytes);
    return __builtin_expect(may_matter(num * elem_bytes), 0) ? took(block, num * elem_bytes)
                                                             : block;
}

static inline void gave_back(void *block)
{
    if (engine.is_on && block &&
        rch_headcount_may_know(&engine.heads, (rch_addr)(uintptr_t)block) && is_ours())
        rch_headcount_forget(&engine.heads, (rch_addr)(uintptr_t)block);
}

static void *hook_realloc(void *ctx, void *block, size_t num_bytes)
{
    void *moved = engine.below.realloc(ctx, block, num_bytes);
    if (moved && moved != block)
        gave_back(block);
    return moved;
}

static void hook_free(void *ctx, void *block)
{
    gave_back(block);
    engine.below.free(ctx, block);
}

static void put_hooks(void)
{
    if (!engine.is_hooked) {
        PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &engine.below);
        PyMemAllocatorEx hooks = {engine.below.ctx, hook_malloc, hook_calloc, hook_realloc,
                                  hook_free};
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &hooks);
        engine.is_hooked = true;
    }
    engine.is_on = true;
}

/// Hooks that others have put theirs upon stay, and do nothing.
static void take_hooks(void)
{
    PyMemAllocatorEx top;
    engine.is_on = false;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &top);
    if (engine.is_hooked && top.malloc == hook_malloc) {
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &engine.below);
        engine.is_hooked = false;
    }
}

// ---- asking a thread to come by ------------------------------------------------------------------

#if PY_VERSION_HEX >= 0x030C0000
// As 3.12 to 3.14 have it; without it only the main thread can be asked.
extern __attribute__((weak)) int _PyEval_AddPendingCall(PyInterpreterState *interp,
                                                        int (*call)(void *), void *arg, int flags);

static bool queue_call(void)
{
    if (_PyEval_AddPendingCall)
        return _PyEval_AddPendingCall(engine.interp, come_by, NULL, 0) == 0;
    return Py_AddPendingCall(come_by, NULL) == 0;
}

static void request(void)
{
    if (engine.is_queued)
        return;
    engine.maker = pthread_self();
    engine.detours = 0;
    engine.is_queued = queue_call();
}

static bool is_in_wrong_thread(void)
{
    if (pthread_equal(engine.maker, pthread_self()) || engine.detours++ >= MAX_DETOURS)
        return false;
    return engine.is_queued = queue_call();
}
#else
static void set_tracing(PyThreadState *thread)
{
    bool is_traced = thread->c_tracefunc || thread->c_profilefunc;
#if PY_VERSION_HEX >= 0x030B0000
    thread->cframe->use_tracing = is_traced ? 255 : 0;
#elif PY_VERSION_HEX >= 0x030A0000
    thread->cframe->use_tracing = is_traced;
#else
    thread->use_tracing = is_traced;
#endif
}

/// Takes itself out, looks, and lets the function below see the event; or the one that a debugger has
/// just put there.
static int trace_once(PyObject *arg, PyFrameObject *frame, int what, PyObject *value)
{
    PyThreadState *thread = PyThreadState_Get();
    if (thread->c_tracefunc == trace_once)
        thread->c_tracefunc = engine.traced == thread ? engine.trace_below : NULL;
    engine.traced = NULL;
    (void)arg;
    if (come_by(frame) < 0)
        return -1;
    Py_tracefunc next = thread->c_tracefunc;
    return next && next != trace_once ? next(thread->c_traceobj, frame, what, value) : 0;
}

static void request(void)
{
    PyThreadState *thread = thread_now();
    if (pthread_equal(engine.main_thread, pthread_self())) {
        if (!engine.is_queued)
            engine.is_queued = Py_AddPendingCall(come_by, NULL) == 0;
        return;
    }
    if (thread->c_tracefunc == trace_once || thread->tracing)
        return;
    if (engine.traced && engine.traced->c_tracefunc == trace_once)
        return;  // another thread is asked already
    engine.traced = thread;
    engine.trace_below = thread->c_tracefunc;
    thread->c_tracefunc = trace_once;
    set_tracing(thread);
}

static bool is_in_wrong_thread(void)
{
    return false;
}
#endif

// ---- looking -------------------------------------------------------------------------------------

static enum rch_status recount(uint32_t watch, bool in_callback, uint64_t *count_out,
                               struct rch_error *err)
{
    struct rch_target target;
    struct rch_gc_lists lists = {&target, core_layout(), core_interp(), in_callback, false};
    RCH_VEC(types, rch_alloc_default(), rch_addr);
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    rch_target_own_init(&target);
    for (size_t i = 0; i < engine.heads.types.num; i++) {
        struct rch_watched_type *type =
            &RCH_VEC_AT(&engine.heads.types, struct rch_watched_type, i);
        if (type->watches >> watch & 1)
            RCH_TRY(rch_vec_append(&types, &type->type, 1, err));
    }
    RCH_TRY(rch_count_instances(&lists, RCH_LISTS_ALL, types.mem, (uint32_t)types.num, NULL, &found,
                                err));
    *count_out = found.num;
    return rch_headcount_reset(&engine.heads, watch, found.mem, found.num, err);
}

// What is called in between is not seen by trace functions.
static void pause_tracing(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030B0000
    PyThreadState_EnterTracing(thread);
#else
    thread->tracing++;
#endif
}

static void resume_tracing(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030B0000
    PyThreadState_LeaveTracing(thread);
#else
    thread->tracing--;
    set_tracing(thread);
#endif
}

/// Give the debugger that was just set on `frame` the line it stands at, not only the next one.
static int show_line(PyObject *frame, PyObject *trace_before)
{
    PyObject *trace = PyObject_GetAttrString(frame, "f_trace");
    if (!trace || trace == Py_None || trace == trace_before) {
        Py_XDECREF(trace);
        return trace ? 0 : -1;
    }
    PyObject *result = PyObject_CallFunction(trace, "OsO", frame, "line", Py_None);
    Py_DECREF(trace);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/// sys.breakpointhook() without a frame of ours between it and the code that is stopped.
static int enter_debugger(PyObject *show, bool is_tracing)
{
    PyThreadState *thread = PyThreadState_Get();
    PyObject *hook = PySys_GetObject("breakpointhook");  // borrowed
    PyObject *frame = (PyObject *)PyEval_GetFrame();     // borrowed
    if (!hook || !frame)
        return 0;
    Py_INCREF(frame);
    PyObject *before = PyObject_GetAttrString(frame, "f_trace");
    PyObject *done = before ? PyObject_CallNoArgs(hook) : NULL;
    pause_tracing(thread);
    PyObject *shown = done ? PyObject_CallNoArgs(show) : NULL;
    int status = shown ? 0 : -1;
    if (shown && !is_tracing)
        status = show_line(frame, before);
    resume_tracing(thread);
    Py_XDECREF(before);
    Py_XDECREF(done);
    Py_XDECREF(shown);
    Py_DECREF(frame);
    return status;
}

/// A limit is reached: refchain._break acts, or gives back a function that shows what happened before the
/// debugger's prompt.
static int tell(uint32_t watch, uint64_t count, bool is_tracing)
{
    PyObject *show = engine.reached ? PyObject_CallFunction(engine.reached, "IK", watch,
                                                            (unsigned long long)count)
                                    : Py_BuildValue("");
    if (!show)
        return -1;
    engine.has_told = true;
    int status = show == Py_None ? 0 : enter_debugger(show, is_tracing);
    Py_DECREF(show);
    return status;
}

static int look(uint32_t reached, bool is_tracing)
{
    engine.due = 0;
    for (uint32_t w = 0; w < RCH_MAX_WATCHES; w++) {
        uint64_t count = 0;
        struct rch_error err = {0};
        if (!(reached >> w & 1) || !engine.heads.limits[w])
            continue;
        if (recount(w, false, &count, &err) != RCH_OK) {
            engine.due |= 1u << w;  // a collection is under way: the next allocation asks again
            continue;
        }
        if (count >= engine.heads.limits[w] && tell(w, count, is_tracing) < 0)
            return -1;
    }
    return 0;
}

static uint32_t active(void)
{
    uint32_t watches = 0;
    for (uint32_t w = 0; w < RCH_MAX_WATCHES; w++)
        watches |= (uint32_t)(engine.heads.limits[w] != 0) << w;
    return watches;
}

/// Does the thread run code of refchain, such as break_at() itself? Then a little later.
static bool is_in_own_code(void)
{
    PyObject *globals = PyEval_GetGlobals();  // borrowed, as the next two are
    PyObject *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!text)
        PyErr_Clear();
    return text && (strcmp(text, "refchain") == 0 || strncmp(text, "refchain.", 9) == 0);
}

/// Up to 3.11 a collection runs within an allocation: the block is not an instance yet.
static bool is_collecting(void)
{
    const struct rch_layout *L = core_layout();
    uint64_t gc = core_interp() + (uint32_t)L->interp_gc;
    return *(const int *)(uintptr_t)(gc + (uint32_t)L->gc_collecting) != 0;
}

static int come_by(void *arg)
{
    engine.is_queued = false;
    if (!engine.is_on || engine.is_looking || is_in_wrong_thread())
        return 0;
    if (is_collecting()) {
        request();
        return 0;
    }
    uint32_t reached = rch_headcount_look(&engine.heads) | engine.due;
    if (!reached)
        return 0;
    engine.is_looking = true;
    if (is_in_own_code()) {
        engine.is_looking = false;
        engine.due = reached;
        request();
        return 0;
    }
    engine.has_told = false;
    int status = look(reached, arg != NULL);
    engine.is_looking = false;
    if (engine.has_told && active()) {  // nobody counted meanwhile
        engine.due = active();
        request();
    }
    return status;
}

// ---- from refchain._break ------------------------------------------------------------------------

static uint32_t head_bytes(const PyTypeObject *type)
{
    bool has_more = false;
    (void)type;  // up to 3.10
#if PY_VERSION_HEX >= 0x030C0000
    has_more = type->tp_flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF);
#elif PY_VERSION_HEX >= 0x030B0000
    has_more = type->tp_flags & Py_TPFLAGS_MANAGED_DICT;
#endif
    return TYPE_HEAD_BYTES + (has_more ? 2 * sizeof(PyObject *) : 0);
}

static struct rch_watched_type describe(PyTypeObject *type, uint32_t watch)
{
    struct rch_watched_type row = {
        .type = (rch_addr)(uintptr_t)type,
        .head_bytes = head_bytes(type),
        .watches = (uint16_t)(1u << watch),
    };
    row.min_bytes = row.head_bytes + (uint32_t)type->tp_basicsize;
    row.max_bytes = row.min_bytes;
#if PY_VERSION_HEX >= 0x030D0000
    if (type->tp_flags & Py_TPFLAGS_INLINE_VALUES)
        row.max_bytes += MAX_INLINE_VALUES_BYTES;
#endif
    if (type->tp_itemsize)
        row.max_bytes = UINT32_MAX;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        row.type_block = row.type - head_bytes(Py_TYPE(type));
    return row;
}

static int check_watch(unsigned int watch)
{
    if (watch < RCH_MAX_WATCHES && engine.is_hooked)
        return 0;
    PyErr_SetString(PyExc_ValueError, "no such watch");
    return -1;
}

/// break_start(limit, reached, ident of the main thread): a watch without types; its number.
PyObject *core_break_start(PyObject *module, PyObject *args)
{
    struct core_state *state = core_state_of(module);
    unsigned long long limit;
    unsigned long main_thread;
    PyObject *reached;
    struct rch_error err = {0};
    uint32_t watch = 0;
    if (!PyArg_ParseTuple(args, "KOk", &limit, &reached, &main_thread))
        return NULL;
    if (state->layout_doubt) {
        PyErr_Format(state->error, "this interpreter cannot be read: %s", state->layout_doubt);
        return NULL;
    }
    if (!engine.heads.table &&
        rch_headcount_init(&engine.heads, rch_alloc_default(), &err) != RCH_OK)
        return set_rch_error(state, &err);
    while (watch < RCH_MAX_WATCHES && engine.heads.limits[watch])
        watch++;
    if (watch == RCH_MAX_WATCHES) {
        PyErr_Format(state->error, "no more than %d breaks at a time", RCH_MAX_WATCHES);
        return NULL;
    }
    Py_INCREF(reached);
    Py_XSETREF(engine.reached, reached);
    engine.interp = PyInterpreterState_Get();
    engine.main_thread = (pthread_t)main_thread;
    rch_headcount_limit(&engine.heads, watch, limit);
    put_hooks();
    return PyLong_FromUnsignedLong(watch);
}

/// break_type(watch, type): False if its instances are not tracked by the collector.
PyObject *core_break_type(PyObject *module, PyObject *args)
{
    unsigned int watch;
    PyTypeObject *type;
    struct rch_error err = {0};
    if (!PyArg_ParseTuple(args, "IO!", &watch, &PyType_Type, &type) || check_watch(watch) < 0)
        return NULL;
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC))
        Py_RETURN_FALSE;
    struct rch_watched_type row = describe(type, watch);
    if (rch_headcount_add_type(&engine.heads, &row, &err) != RCH_OK)
        return set_rch_error(core_state_of(module), &err);
    Py_RETURN_TRUE;
}

/// break_count(watch, in_callback): count anew; at the limit, the thread comes by. -1: a collection is
/// under way.
PyObject *core_break_count(PyObject *module, PyObject *args)
{
    unsigned int watch;
    int in_callback = 0;
    uint64_t count = 0;
    struct rch_error err = {0};
    if (!PyArg_ParseTuple(args, "I|p", &watch, &in_callback) || check_watch(watch) < 0)
        return NULL;
    enum rch_status st = recount(watch, in_callback, &count, &err);
    if (st == RCH_EBUSY)
        return PyLong_FromLong(-1);
    if (st != RCH_OK)
        return set_rch_error(core_state_of(module), &err);
    if (engine.heads.limits[watch] && count >= engine.heads.limits[watch]) {
        engine.due |= 1u << watch;
        request();
    }
    return PyLong_FromUnsignedLongLong(count);
}

PyObject *core_break_end(PyObject *module, PyObject *args)
{
    unsigned int watch;
    (void)module;
    if (!PyArg_ParseTuple(args, "I", &watch) || check_watch(watch) < 0)
        return NULL;
    rch_headcount_limit(&engine.heads, watch, 0);
    engine.due &= ~(1u << watch);
    if (!active())
        take_hooks();
    Py_RETURN_NONE;
}

/// Types in the youngest list of the collector, in one of its callbacks.
PyObject *core_break_young_types(PyObject *module, PyObject *ignored)
{
    struct rch_target target;
    struct rch_gc_lists lists = {&target, core_layout(), core_interp(), true, false};
    RCH_VEC(found, rch_alloc_default(), rch_addr);
    struct rch_error err = {0};
    (void)ignored;
    rch_target_own_init(&target);
    if (rch_list_types(&lists, RCH_LISTS_YOUNGEST, &found, &err) != RCH_OK)
        return set_rch_error(core_state_of(module), &err);
    PyObject *list = PyList_New((Py_ssize_t)found.num);
    for (size_t i = 0; list && i < found.num; i++) {
        PyObject *type = (PyObject *)(uintptr_t)RCH_VEC_AT(&found, rch_addr, i);
        Py_INCREF(type);
        PyList_SET_ITEM(list, (Py_ssize_t)i, type);
    }
    return list;
}
