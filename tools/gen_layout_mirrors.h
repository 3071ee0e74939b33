// SPDX-License-Identifier: MIT
// gen_layout_mirrors.h -- structs of CPython that no installed header declares, as far as their
// members' places go. Each names the source file it follows; members are named as there. What a
// version changed is behind #if. tests/py/test_layout_live.py checks them against live objects.
#ifndef GEN_LAYOUT_MIRRORS_H
#define GEN_LAYOUT_MIRRORS_H

// Objects/dict-common.h
#if PY_MINOR_VERSION <= 10
struct keys_mirror {
    Py_ssize_t dk_refcnt, dk_size;
    void *dk_lookup;
    Py_ssize_t dk_usable, dk_nentries;
    char dk_indices[];
};
struct entry_mirror {
    Py_hash_t me_hash;
    PyObject *me_key, *me_value;
};
#endif

// Objects/odictobject.c
struct odict_mirror {
    PyDictObject od_dict;
    void *od_first, *od_last, *od_fast_nodes;
    Py_ssize_t od_fast_nodes_size;
    void *od_resize_sentinel;
    size_t od_state;
    PyObject *od_inst_dict, *od_weakreflist;
};
struct odict_node_mirror {
    PyObject *key;
    Py_hash_t hash;
    void *next, *prev;
};

// Objects/moduleobject.c
#if PY_MINOR_VERSION <= 9
struct module_mirror {
    PyObject_HEAD
    PyObject *md_dict;
    void *md_def, *md_state;
    PyObject *md_weaklist, *md_name;
};
#endif

// Objects/descrobject.c
struct mappingproxy_mirror {
    PyObject_HEAD
    PyObject *mapping;
};
struct property_mirror {
    PyObject_HEAD
    PyObject *prop_get, *prop_set, *prop_del, *prop_doc;
#if PY_MINOR_VERSION >= 10
    PyObject *prop_name;
#endif
};
struct wrapper_mirror {
    PyObject_HEAD
    void *descr;
    PyObject *self;
};

// Objects/funcobject.c: classmethod and staticmethod are alike
struct classmethod_mirror {
    PyObject_HEAD
    PyObject *callable, *dict;
};

// Objects/rangeobject.c
struct range_mirror {
    PyObject_HEAD
    PyObject *start, *stop, *step, *length;
};

// Python/hamt.c
#define HAMT_ARRAY_NODE_SIZE 32
struct hamt_bitmap_mirror {
    PyObject_VAR_HEAD
    uint32_t b_bitmap;
    PyObject *b_array[1];
};
struct hamt_array_mirror {
    PyObject_HEAD
    void *a_array[HAMT_ARRAY_NODE_SIZE];
    Py_ssize_t a_count;
};
struct hamt_collision_mirror {
    PyObject_VAR_HEAD
    int32_t c_hash;
    PyObject *c_array[1];
};

// Modules/atexitmodule.c: the state of the module up to 3.9
struct atexit_state_mirror {
    void *atexit_callbacks;
    int ncallbacks, callback_len;
};
struct atexit_callback_mirror {
    PyObject *func, *args, *kwargs;
};

// Modules/_collectionsmodule.c
#define DEQUE_BLOCKLEN 64
#define DEQUE_MAXFREEBLOCKS 16
struct deque_mirror {
    PyObject_VAR_HEAD
    void *leftblock, *rightblock;
    Py_ssize_t leftindex, rightindex;
    size_t state;
    Py_ssize_t maxlen;
#if PY_MINOR_VERSION >= 11
    Py_ssize_t numfreeblocks;
    void *freeblocks[DEQUE_MAXFREEBLOCKS];
#endif
    PyObject *weakreflist;
};
struct deque_block_mirror {
    void *leftlink;
    PyObject *data[DEQUE_BLOCKLEN];
    void *rightlink;
};
struct defaultdict_mirror {
    PyDictObject dict;
    PyObject *default_factory;
};

// Modules/_functoolsmodule.c
struct partial_mirror {
    PyObject_HEAD
    PyObject *fn, *args, *kw, *dict, *weakreflist;
#if PY_MINOR_VERSION >= 14
    PyObject *placeholder;
    Py_ssize_t phcount;
#endif
    void *vectorcall;
};
struct lru_link_mirror {
    PyObject_HEAD
    void *prev, *next;
    Py_hash_t hash;
    PyObject *key, *result;
};
struct lru_mirror {
    struct lru_link_mirror root;
    void *wrapper;
    int typed;
    PyObject *cache;
    Py_ssize_t hits;
    PyObject *func;
    Py_ssize_t maxsize, misses;
#if PY_MINOR_VERSION >= 10
    PyObject *kwd_mark;
    void *lru_list_elem_type;
#endif
    PyObject *cache_info_type, *dict, *weakreflist;
};

// Modules/_asynciomodule.c
struct future_mirror {
    PyObject_HEAD
    PyObject *fut_loop, *fut_callback0, *fut_context0, *fut_callbacks, *fut_exception;
#if PY_MINOR_VERSION >= 10
    PyObject *fut_exception_tb;
#endif
    PyObject *fut_result, *fut_source_tb, *fut_cancel_msg;
#if PY_MINOR_VERSION >= 14
    PyObject *fut_cancelled_exc, *fut_awaited_by;
    int fut_state;
    unsigned fut_flags;  // two bytes and bit fields
#elif PY_MINOR_VERSION >= 13
    PyObject *fut_cancelled_exc;
    int fut_state;
    unsigned fut_flags;  // bit fields
#else
    int fut_state, fut_log_tb, fut_blocking;
    PyObject *dict, *fut_weakreflist;
#if PY_MINOR_VERSION >= 11
    PyObject *fut_cancelled_exc;
#else
    _PyErr_StackItem fut_cancelled_exc_state;
#endif
#endif
};
struct task_mirror {
    struct future_mirror future;
#if PY_MINOR_VERSION >= 13
    int task_num_cancels_requested;
#endif
    PyObject *task_fut_waiter, *task_coro, *task_name, *task_context;
#if PY_MINOR_VERSION >= 14
    void *next, *prev;  // struct llist_node task_node
#endif
};
struct futureiter_mirror {
    PyObject_HEAD
    PyObject *future;
};
struct taskstep_mirror {
    PyObject_HEAD
    PyObject *sw_task, *sw_arg;
};
struct taskwakeup_mirror {  // a builtin method from 3.10 on
    PyObject_HEAD
    PyObject *ww_task;
};

// Modules/_threadmodule.c
struct local_mirror {
    PyObject_HEAD
#if PY_MINOR_VERSION >= 13
    PyObject *args, *kw, *weakreflist, *localdicts, *thread_watchdogs;
#else
    PyObject *key, *args, *kw, *weakreflist, *dummies, *wr_callback;
#endif
};
struct localdummy_mirror {
    PyObject_HEAD
    PyObject *localdict, *weakreflist;
};

// Modules/_queuemodule.c
struct simplequeue_mirror {
    PyObject_HEAD
#if PY_MINOR_VERSION >= 13
    Py_ssize_t has_threads_waiting;  // a byte
    Py_ssize_t put_idx, get_idx;
    PyObject **items;
    Py_ssize_t items_cap, num_items;
#else
    void *lock;
    int locked;
    PyObject *lst;
    Py_ssize_t lst_pos;
#endif
    PyObject *weakreflist;
};

#endif
