// SPDX-License-Identifier: MIT
// gen_layout_versions.h -- what differs by name between the minor versions: conditions for the
// rows of gen_layout.c, and one spelling for members that moved or were renamed.
#ifndef GEN_LAYOUT_VERSIONS_H
#define GEN_LAYOUT_VERSIONS_H

// FROM_n is 1 in 3.n and later, TO_n in 3.n and earlier; else 0.
#define EVER 1
#define NEVER 0
#if PY_MINOR_VERSION >= 10
#define FROM_10 1
#define TO_9 0
#else
#define FROM_10 0
#define TO_9 1
#endif
#if PY_MINOR_VERSION >= 11
#define FROM_11 1
#define TO_10 0
#else
#define FROM_11 0
#define TO_10 1
#endif
#if PY_MINOR_VERSION >= 12
#define FROM_12 1
#define TO_11 0
#else
#define FROM_12 0
#define TO_11 1
#endif
#if PY_MINOR_VERSION >= 13
#define FROM_13 1
#define TO_12 0
#else
#define FROM_13 0
#define TO_12 1
#endif
#if PY_MINOR_VERSION >= 14
#define FROM_14 1
#define TO_13 0
#else
#define FROM_14 0
#define TO_13 1
#endif
#if PY_MINOR_VERSION >= 15
#define FROM_15 1
#define TO_14 0
#else
#define FROM_15 0
#define TO_14 1
#endif
#if PY_MINOR_VERSION == 10
#define ONLY_10 1
#else
#define ONLY_10 0
#endif
#if PY_MINOR_VERSION == 11
#define ONLY_11 1
#else
#define ONLY_11 0
#endif
#if PY_MINOR_VERSION == 11 || PY_MINOR_VERSION == 12
#define FROM_11_TO_12 1
#else
#define FROM_11_TO_12 0
#endif
#if PY_MINOR_VERSION >= 10 && PY_MINOR_VERSION <= 13
#define FROM_10_TO_13 1
#else
#define FROM_10_TO_13 0
#endif
#if PY_MINOR_VERSION >= 10 && PY_MINOR_VERSION <= 14
#define FROM_10_TO_14 1
#else
#define FROM_10_TO_14 0
#endif
#if PY_MINOR_VERSION >= 11 && PY_MINOR_VERSION <= 13
#define FROM_11_TO_13 1
#else
#define FROM_11_TO_13 0
#endif

// A free-threaded build splits reference counts, has no lists for the collector, and the words before
// an object that belonged to their links are not there.
#ifdef Py_GIL_DISABLED
#define NO_GIL 1
#define WITH_GIL 0
#define SUFFIX "t"
#define BUILD "free-threaded build"
#define REFCNT ob_ref_local
#define GC_HEAD_BYTES 0
#define MANAGED_DICT MANAGED_DICT_OFFSET
#else
#define NO_GIL 0
#define WITH_GIL 1
#define SUFFIX ""
#define BUILD "GIL build"
#define REFCNT ob_refcnt
#define GC_HEAD_BYTES sizeof(PyGC_Head)
#define MANAGED_DICT (-3 * (int)sizeof(PyObject *))
#endif

#if PY_MINOR_VERSION >= 10
#define LINETABLE co_linetable
typedef PyModuleObject module_struct;
#else
#define LINETABLE co_lnotab
typedef struct module_mirror module_struct;
#endif

#if PY_MINOR_VERSION == 10
#define FRAME_COMPLETED FRAME_RETURNED
#endif

#if PY_MINOR_VERSION >= 11
#define THREADS_HEAD threads.head
#define CORO_ORIGIN cr_origin_or_finalizer
#define AGEN_FINALIZER ag_origin_or_finalizer
#define VALUES_ITEMS offsetof(PyDictValues, values)
typedef struct _dictkeysobject keys_struct;
typedef PyDictKeyEntry entry_struct;
#else
#define THREADS_HEAD tstate_head
#define CORO_ORIGIN cr_origin
#define AGEN_FINALIZER ag_finalizer
#define VALUES_ITEMS 0  // a bare array
typedef struct keys_mirror keys_struct;
typedef struct entry_mirror entry_struct;
#endif

#if PY_MINOR_VERSION >= 12
#define IN_IMPORTS(member) imports.member
#define IFRAME_FUNC f_funcobj
#define LONG_SIZE_OR_TAG long_value.lv_tag
#define LONG_DIGITS long_value.ob_digit
#define LONG_TAG_SHIFT 3  // NON_SIZE_BITS of Objects/longobject.c and pycore_long.h
#else
#define IN_IMPORTS(member) member
#define IFRAME_FUNC f_func
#define LONG_SIZE_OR_TAG ob_base.ob_size
#define LONG_DIGITS ob_digit
#define LONG_TAG_SHIFT 0
#endif

#if PY_MINOR_VERSION >= 13
#define IN_CODECS(member) codecs.member
#define IFRAME_CODE f_executable
#define IFRAME_INSTR instr_ptr
#define DELETE_LATER delete_later
#define STATIC_TYPES types.builtins.initialized
#define NUM_STATIC_TYPES types.builtins.num_initialized
typedef managed_static_type_state static_type_state;
#else
#define IN_CODECS(member) codec_##member
#define IFRAME_CODE f_code
#define IFRAME_INSTR prev_instr
#define STATIC_TYPES types.builtins
#define NUM_STATIC_TYPES types.num_builtins_initialized
#if PY_MINOR_VERSION == 12
#define DELETE_LATER trash.delete_later
typedef static_builtin_state static_type_state;
#else
#define DELETE_LATER trash_delete_later
#endif
#endif

// Frames of C code: one kind up to 3.13; 3.14 has this and, above it, one more.
#if PY_MINOR_VERSION >= 14
#define FIRST_OWNER_NOT_PYTHON FRAME_OWNED_BY_INTERPRETER
#else
#define FIRST_OWNER_NOT_PYTHON FRAME_OWNED_BY_CSTACK
#endif

#endif
