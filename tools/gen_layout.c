// SPDX-License-Identifier: MIT
// gen_layout.c -- print src/pylayout/v3_NN.c for the CPython whose headers this is compiled with
// (-DPy_BUILD_CORE, LP64; v3_NNt.c from those of a free-threaded build). A row says when a version has
// the field and where; every field of layout.h must get exactly one row, or the program fails and names it.
// tools/gen_layout compiles and runs it; see docs/howto/add-a-cpython-version.md.
#include <Python.h>
#include <structmember.h>

#include <pycore_context.h>
#include <pycore_gc.h>
#include <pycore_hamt.h>
#include <pycore_interp.h>
#include <pycore_pystate.h>
#include <pycore_runtime.h>
#if PY_MINOR_VERSION >= 10
#include <pycore_moduleobject.h>
#endif
#if PY_MINOR_VERSION >= 11
#include <pycore_code.h>
#include <pycore_dict.h>
#include <pycore_frame.h>
#include <pycore_object.h>
#if PY_MINOR_VERSION >= 14
#include <pycore_interpframe.h>
#include <pycore_tstate.h>
#endif
#else
#include <frameobject.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gen_layout_mirrors.h"
#include "gen_layout_versions.h"
#include "pylayout/layout.h"

#if PY_MAJOR_VERSION != 3 || PY_MINOR_VERSION < 9
#error "CPython 3.9 or later"
#endif
#if defined(Py_GIL_DISABLED) && PY_MINOR_VERSION != 13
#error "of the free-threaded builds only 3.13t is known: look at what changed before you add one"
#endif
_Static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "LP64 only");

static struct rch_layout seen;  // 1 where a row gave a value
static int num_errors;

static void put(const char *name, int32_t *is_seen, int64_t value)
{
    if (*is_seen || value <= INT32_MIN || value > INT32_MAX) {
        fprintf(stderr, "gen_layout: %s: given twice, or %lld does not fit\n", name,
                (long long)value);
        num_errors++;
    }
    *is_seen = 1;
    printf("    .%s = %lld,\n", name, (long long)value);
}

static void put_absent(const char *name, int32_t *is_seen)
{
    if (*is_seen) {
        fprintf(stderr, "gen_layout: %s: given twice\n", name);
        num_errors++;
    }
    *is_seen = 1;
    printf("    .%s = RCH_ABSENT,\n", name);
}

static void group(const char *title)
{
    printf("\n    // %s\n", title);
}

// One row. `when` is a condition of gen_layout_versions.h; type, member and value are not looked at
// when it is 0, so that they may name what this version lacks.
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define VAL(when, field, ...) CAT(VAL_, when)(field, (__VA_ARGS__))
#define VAL_1(field, value) put(#field, &seen.field, (int64_t)value);
#define VAL_0(field, value) put_absent(#field, &seen.field);
#define OFF(when, field, type, member) CAT(OFF_, when)(field, type, member)
#define OFF_1(field, type, member) put(#field, &seen.field, (int64_t)offsetof(type, member));
#define OFF_0(field, type, member) put_absent(#field, &seen.field);

static void head_rows(void)
{
    group("PyObject, PyVarObject, PyGC_Head");
    OFF(EVER, object_refcnt, PyObject, REFCNT)
    OFF(NO_GIL, object_ref_shared, PyObject, ob_ref_shared)
    OFF(NO_GIL, object_gc_bits, PyObject, ob_gc_bits)
    OFF(NO_GIL, object_mutex, PyObject, ob_mutex)
    OFF(NO_GIL, object_padding, PyObject, _padding)
    OFF(EVER, object_type, PyObject, ob_type)
    VAL(EVER, object_size, sizeof(PyObject))
    OFF(EVER, var_size, PyVarObject, ob_size)
    VAL(EVER, gc_head_size, GC_HEAD_BYTES)
    OFF(WITH_GIL, gc_prev, PyGC_Head, _gc_prev)
}

static void runtime_rows(void)
{
    group("_PyRuntimeState");
    OFF(EVER, runtime_interpreters_head, _PyRuntimeState, interpreters.head)
    OFF(EVER, runtime_main_interpreter, _PyRuntimeState, interpreters.main)
    OFF(NEVER, runtime_gc, _PyRuntimeState, gc)  // up to 3.8
    OFF(FROM_12, runtime_signals_handlers, _PyRuntimeState, signals.handlers)
    VAL(FROM_12, runtime_signals_handler_size, sizeof(_PyRuntime.signals.handlers[0]))
    VAL(FROM_12, runtime_signals_handler_func,
        offsetof(struct _signals_runtime_state, handlers[0].func) -
            offsetof(struct _signals_runtime_state, handlers))
    VAL(FROM_12, runtime_signals_num, Py_NSIG)
}

static void gil_rows(void)
{
    group("struct _gil_runtime_state");
    OFF(TO_11, runtime_gil, _PyRuntimeState, ceval.gil)
    OFF(FROM_12, interp_gil, PyInterpreterState, ceval.gil)
    OFF(EVER, gil_last_holder, struct _gil_runtime_state, last_holder)
    OFF(EVER, gil_locked, struct _gil_runtime_state, locked)
    VAL(EVER, gil_size, sizeof(struct _gil_runtime_state))
}

static void interp_rows(void)
{
    group("PyInterpreterState");
    OFF(EVER, interp_next, PyInterpreterState, next)
    OFF(EVER, interp_id, PyInterpreterState, id)
    OFF(EVER, interp_gc, PyInterpreterState, gc)
    OFF(EVER, interp_threads_head, PyInterpreterState, THREADS_HEAD)
    OFF(EVER, interp_modules, PyInterpreterState, IN_IMPORTS(modules))
    OFF(EVER, interp_modules_by_index, PyInterpreterState, IN_IMPORTS(modules_by_index))
    OFF(EVER, interp_sysdict, PyInterpreterState, sysdict)
    OFF(EVER, interp_builtins, PyInterpreterState, builtins)
    OFF(EVER, interp_builtins_copy, PyInterpreterState, builtins_copy)
    OFF(FROM_12, interp_sysdict_copy, PyInterpreterState, sysdict_copy)
    OFF(EVER, interp_importlib, PyInterpreterState, IN_IMPORTS(importlib))
    OFF(EVER, interp_import_func, PyInterpreterState, IN_IMPORTS(import_func))
    OFF(EVER, interp_codec_search_path, PyInterpreterState, IN_CODECS(search_path))
    OFF(EVER, interp_codec_search_cache, PyInterpreterState, IN_CODECS(search_cache))
    OFF(EVER, interp_codec_error_registry, PyInterpreterState, IN_CODECS(error_registry))
    OFF(EVER, interp_dict, PyInterpreterState, dict)
    OFF(EVER, interp_before_forkers, PyInterpreterState, before_forkers)
    OFF(EVER, interp_after_forkers_parent, PyInterpreterState, after_forkers_parent)
    OFF(EVER, interp_after_forkers_child, PyInterpreterState, after_forkers_child)
    OFF(EVER, interp_audit_hooks, PyInterpreterState, audit_hooks)
    OFF(FROM_14, interp_asyncio_tasks, PyInterpreterState, asyncio_tasks_head)
    OFF(EVER, interp_eval_pending, PyInterpreterState, ceval.pending)
    OFF(EVER, interp_warnings_filters, PyInterpreterState, warnings.filters)
    OFF(EVER, interp_warnings_once_registry, PyInterpreterState, warnings.once_registry)
    OFF(EVER, interp_warnings_default_action, PyInterpreterState, warnings.default_action)
    OFF(FROM_12, interp_interned_strings, PyInterpreterState, cached_objects.interned_strings)
    OFF(FROM_12, interp_monitoring_callables, PyInterpreterState, monitoring_callables)
    VAL(FROM_12, interp_monitoring_num_callables,
        sizeof(((PyInterpreterState *)0)->monitoring_callables) / sizeof(PyObject *))
    OFF(FROM_12, interp_monitoring_tool_names, PyInterpreterState, monitoring_tool_names)
    VAL(FROM_12, interp_monitoring_num_tools,
        sizeof(((PyInterpreterState *)0)->monitoring_tool_names) / sizeof(PyObject *))
    OFF(FROM_14, interp_warnings_context, PyInterpreterState, warnings.context)
    OFF(FROM_14, interp_errnomap, PyInterpreterState, exc_state.errnomap)
    OFF(FROM_15, interp_dict_descriptor, PyInterpreterState, cached_objects.dict_descriptor)
    OFF(FROM_15, interp_weakref_descriptor, PyInterpreterState, cached_objects.weakref_descriptor)
    OFF(FROM_15, interp_lazy_import_func, PyInterpreterState, imports.lazy_import_func)
    OFF(FROM_15, interp_lazy_imports_filter, PyInterpreterState, imports.lazy_imports_filter)
    OFF(FROM_15, interp_lazy_modules, PyInterpreterState, imports.lazy_modules)
    OFF(FROM_15, interp_lazy_pending, PyInterpreterState, imports.lazy_pending_submodules)
}

static void gc_rows(void)
{
    group("struct _gc_runtime_state, struct gc_generation");
    OFF(EVER, gc_enabled, struct _gc_runtime_state, enabled)
    OFF(WITH_GIL, gc_generation0, struct _gc_runtime_state, generations)
    VAL(WITH_GIL, gc_generation_size, sizeof(struct gc_generation))
    VAL(WITH_GIL, gc_num_generations, NUM_GENERATIONS)
    OFF(WITH_GIL, gc_permanent, struct _gc_runtime_state, permanent_generation)
    OFF(EVER, gc_collecting, struct _gc_runtime_state, collecting)
    OFF(EVER, gc_garbage, struct _gc_runtime_state, garbage)
    OFF(EVER, gc_callbacks, struct _gc_runtime_state, callbacks)
    OFF(WITH_GIL, gc_generation_threshold, struct gc_generation, threshold)
}

static void interp_array_rows(void)
{
    group("atexit callbacks");
    OFF(FROM_14, interp_atexit_list, PyInterpreterState, atexit.callbacks)
    OFF(FROM_10_TO_13, interp_atexit_callbacks, PyInterpreterState, atexit.callbacks)
    OFF(FROM_10_TO_13, interp_atexit_num, PyInterpreterState, atexit.ncallbacks)
    OFF(TO_9, interp_pyexitmodule, PyInterpreterState, pyexitmodule)
    OFF(TO_9, atexit_state_callbacks, struct atexit_state_mirror, atexit_callbacks)
    OFF(TO_9, atexit_state_num, struct atexit_state_mirror, ncallbacks)
    OFF(TO_13, atexit_func, struct atexit_callback_mirror, func)
    OFF(TO_13, atexit_args, struct atexit_callback_mirror, args)
    OFF(TO_13, atexit_kwargs, struct atexit_callback_mirror, kwargs)

    group("per-interpreter state of static types");
    OFF(FROM_12, interp_static_types, PyInterpreterState, STATIC_TYPES)
    OFF(FROM_12, interp_num_static_types, PyInterpreterState, NUM_STATIC_TYPES)
    VAL(FROM_12, static_type_state_size, sizeof(static_type_state))
    OFF(FROM_12, static_type_type, static_type_state, type)
    OFF(FROM_12, static_type_dict, static_type_state, tp_dict)
    OFF(FROM_12, static_type_subclasses, static_type_state, tp_subclasses)
    OFF(FROM_12, static_type_weaklist, static_type_state, tp_weaklist)
    OFF(FROM_13, interp_ext_static_types, PyInterpreterState, types.for_extensions.initialized)
    OFF(FROM_13, interp_num_ext_static_types, PyInterpreterState,
        types.for_extensions.num_initialized)
    VAL(FROM_13, ext_static_type_max, _Py_MAX_MANAGED_STATIC_EXT_TYPES)
}

// In 3.10 there is a cframe too, but it does not lead to the frame: tstate_frame does.
static void thread_rows(void)
{
    group("PyThreadState");
    OFF(EVER, tstate_next, PyThreadState, next)
    OFF(EVER, tstate_interp, PyThreadState, interp)
    OFF(TO_10, tstate_frame, PyThreadState, frame)
    OFF(FROM_11_TO_12, tstate_cframe, PyThreadState, cframe)
    OFF(FROM_11_TO_12, cframe_current_frame, _PyCFrame, current_frame)
    OFF(FROM_13, tstate_current_frame, PyThreadState, current_frame)
    OFF(EVER, tstate_thread_id, PyThreadState, thread_id)
    OFF(FROM_11, tstate_native_thread_id, PyThreadState, native_thread_id)
    OFF(EVER, tstate_c_profileobj, PyThreadState, c_profileobj)
    OFF(EVER, tstate_c_traceobj, PyThreadState, c_traceobj)
    OFF(TO_11, tstate_curexc_type, PyThreadState, curexc_type)
    OFF(TO_11, tstate_curexc_value, PyThreadState, curexc_value)
    OFF(TO_11, tstate_curexc_traceback, PyThreadState, curexc_traceback)
    OFF(FROM_12, tstate_current_exception, PyThreadState, current_exception)
    OFF(EVER, tstate_exc_info, PyThreadState, exc_info)
    OFF(EVER, tstate_exc_state, PyThreadState, exc_state)
    OFF(TO_10, exc_state_type, _PyErr_StackItem, exc_type)
    OFF(EVER, exc_state_value, _PyErr_StackItem, exc_value)
    OFF(TO_10, exc_state_traceback, _PyErr_StackItem, exc_traceback)
    OFF(EVER, exc_state_previous, _PyErr_StackItem, previous_item)
    OFF(EVER, tstate_dict, PyThreadState, dict)
    OFF(EVER, tstate_async_exc, PyThreadState, async_exc)
    OFF(EVER, tstate_async_gen_firstiter, PyThreadState, async_gen_firstiter)
    OFF(EVER, tstate_async_gen_finalizer, PyThreadState, async_gen_finalizer)
    OFF(EVER, tstate_context, PyThreadState, context)
    OFF(EVER, tstate_delete_later, PyThreadState, DELETE_LATER)
    OFF(TO_12, tstate_on_delete_data, PyThreadState, on_delete_data)
    OFF(FROM_13, tstate_threading_local_key, PyThreadState, threading_local_key)
    OFF(FROM_13, tstate_threading_local_sentinel, PyThreadState, threading_local_sentinel)
    OFF(FROM_14, tstate_running_loop, _PyThreadStateImpl, asyncio_running_loop)
    OFF(FROM_14, tstate_running_task, _PyThreadStateImpl, asyncio_running_task)
    OFF(FROM_11, tstate_datastack_chunk, PyThreadState, datastack_chunk)
    OFF(FROM_11, datastack_chunk_previous, _PyStackChunk, previous)
    OFF(FROM_11, datastack_chunk_size, _PyStackChunk, size)
    OFF(FROM_11, datastack_chunk_top, _PyStackChunk, top)
    OFF(FROM_11, datastack_chunk_data, _PyStackChunk, data)
}

static void frame_rows(void)
{
    group("PyFrameObject");
    OFF(EVER, frame_back, PyFrameObject, f_back)
    OFF(TO_10, frame_code, PyFrameObject, f_code)
    OFF(TO_10, frame_builtins, PyFrameObject, f_builtins)
    OFF(TO_10, frame_globals, PyFrameObject, f_globals)
    OFF(TO_10, frame_locals, PyFrameObject, f_locals)
    OFF(TO_10, frame_valuestack, PyFrameObject, f_valuestack)
    OFF(TO_9, frame_stacktop, PyFrameObject, f_stacktop)
    OFF(ONLY_10, frame_stackdepth, PyFrameObject, f_stackdepth)
    OFF(EVER, frame_trace, PyFrameObject, f_trace)
    OFF(TO_10, frame_gen, PyFrameObject, f_gen)
    OFF(TO_10, frame_lasti, PyFrameObject, f_lasti)
    OFF(ONLY_10, frame_state, PyFrameObject, f_state)
    OFF(TO_9, frame_executing, PyFrameObject, f_executing)
    OFF(TO_10, frame_localsplus, PyFrameObject, f_localsplus)
    OFF(FROM_11, frame_iframe, PyFrameObject, f_frame)
    OFF(FROM_11, frame_inline_data, PyFrameObject, _f_frame_data)
    OFF(FROM_13, frame_extra_locals, PyFrameObject, f_extra_locals)
    OFF(FROM_13, frame_locals_cache, PyFrameObject, f_locals_cache)
    OFF(FROM_14, frame_overwritten_locals, PyFrameObject, f_overwritten_fast_locals)

    group("_PyInterpreterFrame");
    OFF(FROM_11, iframe_code, _PyInterpreterFrame, IFRAME_CODE)
    OFF(FROM_11, iframe_func, _PyInterpreterFrame, IFRAME_FUNC)
    OFF(FROM_11, iframe_globals, _PyInterpreterFrame, f_globals)
    OFF(FROM_11, iframe_builtins, _PyInterpreterFrame, f_builtins)
    OFF(FROM_11, iframe_locals, _PyInterpreterFrame, f_locals)
    OFF(FROM_11, iframe_frame_obj, _PyInterpreterFrame, frame_obj)
    OFF(FROM_11, iframe_previous, _PyInterpreterFrame, previous)
    OFF(FROM_11, iframe_prev_instr, _PyInterpreterFrame, IFRAME_INSTR)
    OFF(FROM_11_TO_13, iframe_stacktop, _PyInterpreterFrame, stacktop)
    OFF(FROM_14, iframe_stackpointer, _PyInterpreterFrame, stackpointer)
    OFF(FROM_11, iframe_owner, _PyInterpreterFrame, owner)
    OFF(ONLY_11, iframe_is_entry, _PyInterpreterFrame, is_entry)
    OFF(FROM_11, iframe_localsplus, _PyInterpreterFrame, localsplus)
    VAL(EVER, iframe_is_tagged, PY_MINOR_VERSION >= 14)
    VAL(FROM_11, owner_thread, FRAME_OWNED_BY_THREAD)
    VAL(FROM_11, owner_generator, FRAME_OWNED_BY_GENERATOR)
    VAL(FROM_11, owner_frame_object, FRAME_OWNED_BY_FRAME_OBJECT)
    VAL(FROM_12, owner_cstack, FIRST_OWNER_NOT_PYTHON)
}

static void code_rows(void)
{
    group("PyCodeObject");
    OFF(EVER, code_flags, PyCodeObject, co_flags)
    OFF(EVER, code_argcount, PyCodeObject, co_argcount)
    OFF(EVER, code_nlocals, PyCodeObject, co_nlocals)
    OFF(FROM_11, code_nlocalsplus, PyCodeObject, co_nlocalsplus)
    OFF(EVER, code_stacksize, PyCodeObject, co_stacksize)
    OFF(EVER, code_firstlineno, PyCodeObject, co_firstlineno)
    OFF(FROM_11, code_ncellvars, PyCodeObject, co_ncellvars)
    OFF(FROM_11, code_nfreevars, PyCodeObject, co_nfreevars)
    OFF(EVER, code_consts, PyCodeObject, co_consts)
    OFF(EVER, code_names, PyCodeObject, co_names)
    OFF(TO_10, code_varnames, PyCodeObject, co_varnames)
    OFF(TO_10, code_cellvars, PyCodeObject, co_cellvars)
    OFF(TO_10, code_freevars, PyCodeObject, co_freevars)
    OFF(TO_10, code_cell2arg, PyCodeObject, co_cell2arg)
    OFF(FROM_11, code_localsplusnames, PyCodeObject, co_localsplusnames)
    OFF(FROM_11, code_localspluskinds, PyCodeObject, co_localspluskinds)
    OFF(EVER, code_filename, PyCodeObject, co_filename)
    OFF(EVER, code_name, PyCodeObject, co_name)
    OFF(FROM_11, code_qualname, PyCodeObject, co_qualname)
    OFF(TO_10, code_code, PyCodeObject, co_code)
    OFF(EVER, code_linetable, PyCodeObject, LINETABLE)
    OFF(FROM_11, code_exceptiontable, PyCodeObject, co_exceptiontable)
    OFF(TO_10, code_zombieframe, PyCodeObject, co_zombieframe)
    OFF(EVER, code_weakreflist, PyCodeObject, co_weakreflist)
    OFF(ONLY_11, code_cached_code, PyCodeObject, _co_code)
    OFF(FROM_12, code_cached, PyCodeObject, _co_cached)
    OFF(EVER, code_extra, PyCodeObject, co_extra)
    OFF(FROM_11, code_code_adaptive, PyCodeObject, co_code_adaptive)
    OFF(FROM_12, code_cached_field_code, _PyCoCached, _co_code)
    OFF(FROM_12, code_cached_field_varnames, _PyCoCached, _co_varnames)
    OFF(FROM_12, code_cached_field_cellvars, _PyCoCached, _co_cellvars)
    OFF(FROM_12, code_cached_field_freevars, _PyCoCached, _co_freevars)
}

static void gen_rows(void)
{
    group("generators, coroutines, async generators; 3.10 has the state in frame_state");
    OFF(TO_10, gen_frame, PyGenObject, gi_frame)
    OFF(TO_9, gen_running, PyGenObject, gi_running)
    OFF(TO_11, gen_code, PyGenObject, gi_code)
    OFF(EVER, gen_name, PyGenObject, gi_name)
    OFF(EVER, gen_qualname, PyGenObject, gi_qualname)
    OFF(EVER, gen_exc_state, PyGenObject, gi_exc_state)
    OFF(EVER, gen_weakreflist, PyGenObject, gi_weakreflist)
    OFF(EVER, gen_origin, PyCoroObject, CORO_ORIGIN)
    OFF(EVER, gen_ag_hooks_finalizer, PyAsyncGenObject, AGEN_FINALIZER)
    OFF(FROM_11, gen_frame_state, PyGenObject, gi_frame_state)
    OFF(FROM_11, gen_iframe, PyGenObject, gi_iframe)
    VAL(FROM_10, gen_state_created, FRAME_CREATED)
    VAL(FROM_10, gen_state_suspended, FRAME_SUSPENDED)
    VAL(FROM_13, gen_state_suspended_yield_from, FRAME_SUSPENDED_YIELD_FROM)
    VAL(FROM_10, gen_state_executing, FRAME_EXECUTING)
    VAL(FROM_10_TO_14, gen_state_completed, FRAME_COMPLETED)
    VAL(FROM_10, gen_state_cleared, FRAME_CLEARED)
}

static void type_rows(void)
{
    group("PyTypeObject, PyHeapTypeObject");
    OFF(EVER, type_name, PyTypeObject, tp_name)
    OFF(EVER, type_basicsize, PyTypeObject, tp_basicsize)
    OFF(EVER, type_itemsize, PyTypeObject, tp_itemsize)
    OFF(EVER, type_dealloc, PyTypeObject, tp_dealloc)
    OFF(EVER, type_repr, PyTypeObject, tp_repr)
    OFF(EVER, type_flags, PyTypeObject, tp_flags)
    OFF(EVER, type_doc, PyTypeObject, tp_doc)
    OFF(EVER, type_traverse, PyTypeObject, tp_traverse)
    OFF(EVER, type_clear, PyTypeObject, tp_clear)
    OFF(EVER, type_weaklistoffset, PyTypeObject, tp_weaklistoffset)
    OFF(EVER, type_members, PyTypeObject, tp_members)
    OFF(EVER, type_getset, PyTypeObject, tp_getset)
    OFF(EVER, type_base, PyTypeObject, tp_base)
    OFF(EVER, type_dict, PyTypeObject, tp_dict)
    OFF(EVER, type_dictoffset, PyTypeObject, tp_dictoffset)
    OFF(EVER, type_new, PyTypeObject, tp_new)
    OFF(EVER, type_free, PyTypeObject, tp_free)
    OFF(EVER, type_is_gc, PyTypeObject, tp_is_gc)
    OFF(EVER, type_bases, PyTypeObject, tp_bases)
    OFF(EVER, type_mro, PyTypeObject, tp_mro)
    OFF(EVER, type_cache, PyTypeObject, tp_cache)
    OFF(EVER, type_subclasses, PyTypeObject, tp_subclasses)
    OFF(EVER, type_weaklist, PyTypeObject, tp_weaklist)
    OFF(EVER, heaptype_name, PyHeapTypeObject, ht_name)
    OFF(EVER, heaptype_slots, PyHeapTypeObject, ht_slots)
    OFF(EVER, heaptype_qualname, PyHeapTypeObject, ht_qualname)
    OFF(EVER, heaptype_cached_keys, PyHeapTypeObject, ht_cached_keys)
    OFF(EVER, heaptype_module, PyHeapTypeObject, ht_module)
    OFF(FROM_11, heaptype_getitem_cache, PyHeapTypeObject, _spec_cache.getitem)
    OFF(FROM_13, heaptype_init_cache, PyHeapTypeObject, _spec_cache.init)
    VAL(EVER, heaptype_size, sizeof(PyHeapTypeObject))
    VAL(EVER, statictype_size, sizeof(PyTypeObject))

    group("PyMemberDef");
    OFF(EVER, member_name, PyMemberDef, name)
    OFF(EVER, member_type, PyMemberDef, type)
    OFF(EVER, member_offset, PyMemberDef, offset)
    OFF(EVER, member_flags, PyMemberDef, flags)
    VAL(EVER, member_size, sizeof(PyMemberDef))
    VAL(EVER, member_t_object, T_OBJECT)
    VAL(EVER, member_t_object_ex, T_OBJECT_EX)
}

static void dict_rows(void)
{
    group("dict, its keys and values");
    OFF(EVER, dict_used, PyDictObject, ma_used)
    OFF(EVER, dict_keys, PyDictObject, ma_keys)
    OFF(EVER, dict_values, PyDictObject, ma_values)
    VAL(EVER, dict_object_size, sizeof(PyDictObject))
    OFF(EVER, keys_refcnt, keys_struct, dk_refcnt)
    OFF(TO_10, keys_size, keys_struct, dk_size)
    OFF(TO_10, keys_lookup, keys_struct, dk_lookup)
    OFF(FROM_11, keys_log2_size, keys_struct, dk_log2_size)
    OFF(FROM_11, keys_log2_index_bytes, keys_struct, dk_log2_index_bytes)
    OFF(FROM_11, keys_kind, keys_struct, dk_kind)
    OFF(EVER, keys_usable, keys_struct, dk_usable)
    OFF(EVER, keys_nentries, keys_struct, dk_nentries)
    OFF(EVER, keys_indices, keys_struct, dk_indices)
    VAL(FROM_11, keys_general, DICT_KEYS_GENERAL)
    VAL(FROM_11, keys_unicode, DICT_KEYS_UNICODE)
    VAL(FROM_11, keys_split, DICT_KEYS_SPLIT)
    OFF(EVER, entry_hash, entry_struct, me_hash)
    OFF(EVER, entry_key, entry_struct, me_key)
    OFF(EVER, entry_value, entry_struct, me_value)
    VAL(EVER, entry_size, sizeof(entry_struct))
    OFF(FROM_11, unicode_entry_key, PyDictUnicodeEntry, me_key)
    OFF(FROM_11, unicode_entry_value, PyDictUnicodeEntry, me_value)
    VAL(FROM_11, unicode_entry_size, sizeof(PyDictUnicodeEntry))
    VAL(EVER, values_items, VALUES_ITEMS)
    OFF(FROM_13, values_capacity, PyDictValues, capacity)
    OFF(FROM_13, values_size, PyDictValues, size)
    OFF(FROM_13, values_embedded, PyDictValues, embedded)
    OFF(FROM_13, values_valid, PyDictValues, valid)
    VAL(FROM_11_TO_12, values_prefix_size, -1)
    // 3.11 has no names for these words: _PyObject_ValuesPointer in pycore_object.h. 3.12 has one
    // word for both, tagged in bit 0 when it leads to values: PyDictOrValues.
    VAL(FROM_11, managed_dict, MANAGED_DICT)
    VAL(ONLY_11, managed_values, -4 * (int)sizeof(PyObject *))
    VAL(FROM_12, managed_weakref, MANAGED_WEAKREF_OFFSET)
    VAL(EVER, managed_dict_is_tagged, PY_MINOR_VERSION == 12)
    VAL(EVER, inline_values_at_basicsize, PY_MINOR_VERSION >= 13)
    OFF(EVER, dictview_dict, _PyDictViewObject, dv_dict)

    group("OrderedDict");
    OFF(EVER, odict_od_first, struct odict_mirror, od_first)
    OFF(EVER, odict_od_fast_nodes, struct odict_mirror, od_fast_nodes)
    OFF(EVER, odict_od_fast_nodes_size, struct odict_mirror, od_fast_nodes_size)
    OFF(EVER, odict_od_dict, struct odict_mirror, od_inst_dict)
    OFF(EVER, odict_od_weakreflist, struct odict_mirror, od_weakreflist)
    VAL(EVER, odict_object_size, sizeof(struct odict_mirror))
    OFF(EVER, odict_node_key, struct odict_node_mirror, key)
    OFF(EVER, odict_node_next, struct odict_node_mirror, next)
    VAL(EVER, odict_node_size, sizeof(struct odict_node_mirror))
}

static void sequence_rows(void)
{
    group("tuple, list, set, slice, range");
    OFF(EVER, tuple_items, PyTupleObject, ob_item)
    OFF(EVER, list_items, PyListObject, ob_item)
    OFF(EVER, list_allocated, PyListObject, allocated)
    OFF(EVER, set_fill, PySetObject, fill)
    OFF(EVER, set_used, PySetObject, used)
    OFF(EVER, set_mask, PySetObject, mask)
    OFF(EVER, set_table, PySetObject, table)
    OFF(EVER, set_smalltable, PySetObject, smalltable)
    OFF(EVER, set_entry_key, setentry, key)
    OFF(EVER, set_entry_hash, setentry, hash)
    VAL(EVER, set_entry_size, sizeof(setentry))
    OFF(EVER, set_weakreflist, PySetObject, weakreflist)
    OFF(EVER, slice_start, PySliceObject, start)
    OFF(EVER, slice_stop, PySliceObject, stop)
    OFF(EVER, slice_step, PySliceObject, step)
    OFF(EVER, range_start, struct range_mirror, start)
    OFF(EVER, range_stop, struct range_mirror, stop)
    OFF(EVER, range_step, struct range_mirror, step)
    OFF(EVER, range_length, struct range_mirror, length)
}

// The state word of a str in which only one bit field is set, to all ones.
#define STATE_WITH(field)                                                                   \
    ({                                                                                      \
        union {                                                                             \
            PyASCIIObject str;                                                              \
            char bytes[sizeof(PyASCIIObject)];                                              \
        } only = {.bytes = {0}};                                                            \
        uint32_t word;                                                                      \
        only.str.state.field = ~0;                                                          \
        memcpy(&word, only.bytes + offsetof(PyASCIIObject, state), sizeof(word));           \
        word;                                                                               \
    })

static void atom_rows(void)
{
    const uint32_t kind = STATE_WITH(kind), kind_shift = (uint32_t)__builtin_ctz(kind);

    group("str, bytes, bytearray, int");
    OFF(EVER, str_length, PyASCIIObject, length)
    OFF(EVER, str_state, PyASCIIObject, state)
    VAL(EVER, str_ascii_data, sizeof(PyASCIIObject))
    VAL(EVER, str_compact_data, sizeof(PyCompactUnicodeObject))
    OFF(EVER, str_utf8, PyCompactUnicodeObject, utf8)
    OFF(EVER, str_utf8_length, PyCompactUnicodeObject, utf8_length)
    OFF(TO_11, str_legacy_wstr, PyASCIIObject, wstr)
    OFF(TO_11, str_legacy_wstr_length, PyCompactUnicodeObject, wstr_length)
    OFF(EVER, str_legacy_any, PyUnicodeObject, data.any)
    VAL(EVER, str_legacy_object_size, sizeof(PyUnicodeObject))
    VAL(EVER, str_interned_mask, STATE_WITH(interned))
    VAL(EVER, str_kind_shift, kind_shift)
    VAL(EVER, str_kind_mask, kind >> kind_shift)
    VAL(EVER, str_compact_bit, STATE_WITH(compact))
    VAL(EVER, str_ascii_bit, STATE_WITH(ascii))
    VAL(TO_11, str_ready_bit, STATE_WITH(ready))
    VAL(FROM_12, str_statically_allocated_bit, STATE_WITH(statically_allocated))
    OFF(EVER, bytes_data, PyBytesObject, ob_sval)
    OFF(EVER, bytearray_alloc, PyByteArrayObject, ob_alloc)
    OFF(FROM_15, bytearray_object, PyByteArrayObject, ob_bytes_object)
    OFF(EVER, long_size_or_tag, PyLongObject, LONG_SIZE_OR_TAG)
    OFF(EVER, long_digits, PyLongObject, LONG_DIGITS)
    VAL(EVER, long_tag_shift, LONG_TAG_SHIFT)
}

static void function_rows(void)
{
    group("functions, methods, cells");
    OFF(EVER, func_code, PyFunctionObject, func_code)
    OFF(EVER, func_globals, PyFunctionObject, func_globals)
    OFF(FROM_10, func_builtins, PyFunctionObject, func_builtins)
    OFF(EVER, func_name, PyFunctionObject, func_name)
    OFF(EVER, func_qualname, PyFunctionObject, func_qualname)
    OFF(EVER, func_defaults, PyFunctionObject, func_defaults)
    OFF(EVER, func_kwdefaults, PyFunctionObject, func_kwdefaults)
    OFF(EVER, func_closure, PyFunctionObject, func_closure)
    OFF(EVER, func_doc, PyFunctionObject, func_doc)
    OFF(EVER, func_dict, PyFunctionObject, func_dict)
    OFF(EVER, func_weakreflist, PyFunctionObject, func_weakreflist)
    OFF(EVER, func_module, PyFunctionObject, func_module)
    OFF(EVER, func_annotations, PyFunctionObject, func_annotations)
    OFF(FROM_14, func_annotate, PyFunctionObject, func_annotate)
    OFF(FROM_12, func_typeparams, PyFunctionObject, func_typeparams)
    OFF(EVER, method_func, PyMethodObject, im_func)
    OFF(EVER, method_self, PyMethodObject, im_self)
    OFF(EVER, cfunction_ml, PyCFunctionObject, m_ml)
    OFF(EVER, cfunction_self, PyCFunctionObject, m_self)
    OFF(EVER, cfunction_module, PyCFunctionObject, m_module)
    OFF(EVER, cfunction_class, PyCMethodObject, mm_class)
    OFF(EVER, cell_ref, PyCellObject, ob_ref)
    OFF(EVER, methoddef_name, PyMethodDef, ml_name)
    OFF(EVER, methoddef_flags, PyMethodDef, ml_flags)

    group("descriptors");
    OFF(EVER, classmethod_callable, struct classmethod_mirror, callable)
    OFF(EVER, classmethod_dict, struct classmethod_mirror, dict)
    OFF(EVER, staticmethod_callable, struct classmethod_mirror, callable)
    OFF(EVER, staticmethod_dict, struct classmethod_mirror, dict)
    OFF(EVER, property_get, struct property_mirror, prop_get)
    OFF(EVER, property_set, struct property_mirror, prop_set)
    OFF(EVER, property_del, struct property_mirror, prop_del)
    OFF(EVER, property_doc, struct property_mirror, prop_doc)
    OFF(FROM_10, property_name, struct property_mirror, prop_name)
    OFF(EVER, descr_type, PyDescrObject, d_type)
    OFF(EVER, descr_name, PyDescrObject, d_name)
    OFF(EVER, descr_qualname, PyDescrObject, d_qualname)
    OFF(EVER, descr_wrapped_base, PyWrapperDescrObject, d_base)
    OFF(EVER, wrapper_descr, struct wrapper_mirror, descr)
    OFF(EVER, wrapper_self, struct wrapper_mirror, self)
}

static void misc_rows(void)
{
    group("modules");
    OFF(EVER, module_dict, module_struct, md_dict)
    OFF(TO_14, module_def, module_struct, md_def)
    OFF(EVER, module_state, module_struct, md_state)
    OFF(EVER, module_weaklist, module_struct, md_weaklist)
    OFF(EVER, module_name, module_struct, md_name)
    OFF(FROM_15, module_state_size, module_struct, md_state_size)
    OFF(FROM_15, module_state_traverse, module_struct, md_state_traverse)
    OFF(EVER, moduledef_size, PyModuleDef, m_size)
    OFF(EVER, moduledef_traverse, PyModuleDef, m_traverse)

    group("weakref, mappingproxy, traceback, exceptions, memoryview");
    OFF(EVER, weakref_object, PyWeakReference, wr_object)
    OFF(EVER, weakref_callback, PyWeakReference, wr_callback)
    OFF(EVER, weakref_hash, PyWeakReference, hash)
    OFF(EVER, weakref_prev, PyWeakReference, wr_prev)
    OFF(EVER, weakref_next, PyWeakReference, wr_next)
    OFF(EVER, mappingproxy_mapping, struct mappingproxy_mirror, mapping)
    OFF(EVER, traceback_next, PyTracebackObject, tb_next)
    OFF(EVER, traceback_frame, PyTracebackObject, tb_frame)
    OFF(EVER, exc_dict, PyBaseExceptionObject, dict)
    OFF(EVER, exc_args, PyBaseExceptionObject, args)
    OFF(FROM_11, exc_notes, PyBaseExceptionObject, notes)
    OFF(EVER, exc_traceback, PyBaseExceptionObject, traceback)
    OFF(EVER, exc_context, PyBaseExceptionObject, context)
    OFF(EVER, exc_cause, PyBaseExceptionObject, cause)
    OFF(EVER, memoryview_mbuf, PyMemoryViewObject, mbuf)
    OFF(EVER, memoryview_obj, PyMemoryViewObject, view.obj)
    OFF(EVER, managedbuffer_obj, _PyManagedBufferObject, master.obj)

    group("contextvars, HAMT nodes");
    OFF(EVER, context_prev, PyContext, ctx_prev)
    OFF(EVER, context_vars, PyContext, ctx_vars)
    OFF(EVER, contextvar_name, PyContextVar, var_name)
    OFF(EVER, contextvar_default, PyContextVar, var_default)
    OFF(WITH_GIL, contextvar_cached, PyContextVar, var_cached)
    OFF(EVER, token_ctx, PyContextToken, tok_ctx)
    OFF(EVER, token_var, PyContextToken, tok_var)
    OFF(EVER, token_oldval, PyContextToken, tok_oldval)
    OFF(EVER, hamt_root, PyHamtObject, h_root)
    OFF(EVER, hamt_bitmap_items, struct hamt_bitmap_mirror, b_array)
    OFF(EVER, hamt_array_items, struct hamt_array_mirror, a_array)
    VAL(EVER, hamt_array_num, HAMT_ARRAY_NODE_SIZE)
    OFF(EVER, hamt_collision_items, struct hamt_collision_mirror, c_array)
}

static void collections_rows(void)
{
    group("collections: deque, its blocks, defaultdict");
    OFF(EVER, deque_leftblock, struct deque_mirror, leftblock)
    OFF(EVER, deque_rightblock, struct deque_mirror, rightblock)
    OFF(EVER, deque_leftindex, struct deque_mirror, leftindex)
    OFF(EVER, deque_rightindex, struct deque_mirror, rightindex)
    OFF(EVER, deque_weakreflist, struct deque_mirror, weakreflist)
    VAL(EVER, deque_object_size, sizeof(struct deque_mirror))
    VAL(EVER, deque_block_len, DEQUE_BLOCKLEN)
    OFF(EVER, deque_block_left, struct deque_block_mirror, leftlink)
    OFF(EVER, deque_block_items, struct deque_block_mirror, data)
    OFF(EVER, deque_block_right, struct deque_block_mirror, rightlink)
    VAL(EVER, deque_block_size, sizeof(struct deque_block_mirror))
    OFF(EVER, defaultdict_factory, struct defaultdict_mirror, default_factory)

    group("functools: partial, lru_cache and its links");
    OFF(EVER, partial_fn, struct partial_mirror, fn)
    OFF(EVER, partial_args, struct partial_mirror, args)
    OFF(EVER, partial_kw, struct partial_mirror, kw)
    OFF(EVER, partial_dict, struct partial_mirror, dict)
    OFF(EVER, lru_root, struct lru_mirror, root)
    OFF(EVER, lru_func, struct lru_mirror, func)
    OFF(EVER, lru_cache, struct lru_mirror, cache)
    OFF(FROM_10, lru_kwd_mark, struct lru_mirror, kwd_mark)
    OFF(FROM_10, lru_link_type, struct lru_mirror, lru_list_elem_type)
    OFF(EVER, lru_cache_info_type, struct lru_mirror, cache_info_type)
    OFF(EVER, lru_dict, struct lru_mirror, dict)
    OFF(EVER, lru_weakreflist, struct lru_mirror, weakreflist)
    OFF(EVER, lru_link_next, struct lru_link_mirror, next)
    OFF(EVER, lru_link_key, struct lru_link_mirror, key)
    OFF(EVER, lru_link_result, struct lru_link_mirror, result)
}

static void asyncio_rows(void)
{
    group("_asyncio: Future, Task and their helpers");
    OFF(EVER, future_loop, struct future_mirror, fut_loop)
    OFF(EVER, future_callback0, struct future_mirror, fut_callback0)
    OFF(EVER, future_context0, struct future_mirror, fut_context0)
    OFF(EVER, future_callbacks, struct future_mirror, fut_callbacks)
    OFF(EVER, future_exception, struct future_mirror, fut_exception)
    OFF(FROM_10, future_exception_tb, struct future_mirror, fut_exception_tb)
    OFF(EVER, future_result, struct future_mirror, fut_result)
    OFF(EVER, future_source_tb, struct future_mirror, fut_source_tb)
    OFF(EVER, future_cancel_msg, struct future_mirror, fut_cancel_msg)
    OFF(FROM_11, future_cancelled_exc, struct future_mirror, fut_cancelled_exc)
    OFF(TO_10, future_cancelled_exc_state, struct future_mirror, fut_cancelled_exc_state)
    OFF(FROM_14, future_awaited_by, struct future_mirror, fut_awaited_by)
    OFF(TO_12, future_dict, struct future_mirror, dict)
    OFF(EVER, task_fut_waiter, struct task_mirror, task_fut_waiter)
    OFF(EVER, task_coro, struct task_mirror, task_coro)
    OFF(EVER, task_name, struct task_mirror, task_name)
    OFF(EVER, task_context, struct task_mirror, task_context)
    OFF(FROM_14, task_next, struct task_mirror, next)
    OFF(FROM_14, task_prev, struct task_mirror, prev)
    OFF(EVER, futureiter_future, struct futureiter_mirror, future)
    OFF(EVER, taskstep_task, struct taskstep_mirror, sw_task)
    OFF(EVER, taskstep_arg, struct taskstep_mirror, sw_arg)
    OFF(TO_9, taskwakeup_task, struct taskwakeup_mirror, ww_task)

    group("_thread: local, its dummy");
    OFF(TO_12, local_key, struct local_mirror, key)
    OFF(EVER, local_args, struct local_mirror, args)
    OFF(EVER, local_kw, struct local_mirror, kw)
    OFF(TO_12, local_dummies, struct local_mirror, dummies)
    OFF(TO_12, local_wr_callback, struct local_mirror, wr_callback)
    OFF(FROM_13, local_dicts, struct local_mirror, localdicts)
    OFF(FROM_13, local_thread_watchdogs, struct local_mirror, thread_watchdogs)
    OFF(TO_12, localdummy_dict, struct localdummy_mirror, localdict)

    group("_queue: SimpleQueue, a list or from 3.13 a ring");
    OFF(TO_12, simplequeue_list, struct simplequeue_mirror, lst)
    OFF(FROM_13, simplequeue_first, struct simplequeue_mirror, get_idx)
    OFF(FROM_13, simplequeue_items, struct simplequeue_mirror, items)
    OFF(FROM_13, simplequeue_capacity, struct simplequeue_mirror, items_cap)
    OFF(FROM_13, simplequeue_num, struct simplequeue_mirror, num_items)
}

static void check_all_given(void)
{
#define CHECK_GIVEN(name)                                             \
    if (!seen.name) {                                                 \
        fprintf(stderr, "gen_layout: no row for " #name "\n");        \
        num_errors++;                                                 \
    }
    RCH_LAYOUT_FIELDS(CHECK_GIVEN)
#undef CHECK_GIVEN
}

int main(void)
{
    printf("// SPDX-License-Identifier: MIT\n"
           "// pylayout/v3_%02d" SUFFIX ".c -- where CPython 3.%d keeps what (" BUILD ", LP64). Made by\n"
           "// tools/gen_layout from the headers of %s: change that, not this.\n"
           "#include \"pylayout/tables.h\"\n\n"
           "const struct rch_layout rch_layout_v3_%02d" SUFFIX " = {\n"
           "    .py_major = %d,\n"
           "    .py_minor = %d,\n",
           PY_MINOR_VERSION, PY_MINOR_VERSION, PY_VERSION, PY_MINOR_VERSION, PY_MAJOR_VERSION,
           PY_MINOR_VERSION);
    if (NO_GIL)
        printf("    .is_free_threaded = 1,\n");
    static void (*const groups[])(void) = {
        head_rows, runtime_rows, interp_rows,  gc_rows,       interp_array_rows, thread_rows,
        frame_rows, code_rows,   gen_rows,     type_rows,     dict_rows,         sequence_rows,
        atom_rows, function_rows, misc_rows,   collections_rows, asyncio_rows, gil_rows,
    };
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        groups[i]();
    printf("};\n");
    check_all_given();
    return num_errors || fflush(stdout) ? 1 : 0;
}
