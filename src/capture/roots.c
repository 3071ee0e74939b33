// SPDX-License-Identifier: MIT
// capture/roots.c -- what keeps objects alive from outside the heap: each module of sys.modules, the
// interpreter's own fields, exit and signal callbacks, threads, static types. Frames: frames.c.
#include <stdio.h>
#include <stdlib.h>

#include "capture/families.h"
#include "capture/observer.h"
#include "capture/threads.h"

#define FIXED RCH_LABEL_FIXED
#define GROUP RCH_LABEL_GROUP
#define MAX_THREADS 100000
#define MAX_CALLBACKS 10000000

// ---- making one root -----------------------------------------------------------------------------

void rch__root_begin(struct rch__cap *cap)
{
    struct rch__root root = {.first_code = (uint32_t)cap->root_codes.num,
                             .first_word = (uint32_t)cap->stack_words.num};
    cap->labels.num = 0;
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->roots, &root, 1, &cap->err);
}

void rch__root_code(struct rch__cap *cap, rch_addr target)
{
    uint32_t code = target ? rch_code(&cap->index, target) : RCH_NO_CODE;
    rch__discover(cap, code);
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->root_codes, &code, 1, &cap->err);
}

void rch__root_ref(struct rch__cap *cap, enum rch_edge_kind kind, const char *name, uint32_t flags,
                   rch_addr target)
{
    if (!target)
        return;
    rch__label_add(cap, kind, name, flags);
    rch__root_code(cap, target);
}

uint32_t rch__root_end_tail(struct rch__cap *cap, enum rch_root_kind kind, const char *name,
                            const char *detail, bool is_owner, uint32_t num_tail)
{
    if (cap->status != RCH_OK)
        return UINT32_MAX;
    struct rch__root *root = &RCH_VEC_AT(&cap->roots, struct rch__root, cap->roots.num - 1);
    root->num_codes = (uint32_t)cap->root_codes.num - root->first_code;
    root->num_words = (uint32_t)cap->stack_words.num - root->first_word;
    if (root->num_codes == 0 && root->num_words == 0) {
        cap->roots.num--;
        return UINT32_MAX;
    }
    root->is_owner = is_owner;
    root->root = (struct rch_root){
        .name = rch__intern(cap, name), .detail = rch__intern(cap, detail), .kind = (uint8_t)kind};
    struct rch_type type = {
        .module = RCH_NO_STR, .name = rch__intern(cap, "root"), .node = RCH_NO_NODE};
    uint32_t number = 0;
    if (cap->status == RCH_OK)
        cap->status = rch_builder_type(cap->b, &type, &number, &cap->err);
    root->shape = rch__shape_make(cap, NULL, number, num_tail);
    return (uint32_t)cap->roots.num - 1;
}

uint32_t rch__root_end(struct rch__cap *cap, enum rch_root_kind kind, const char *name,
                       const char *detail, bool is_owner)
{
    return rch__root_end_tail(cap, kind, name, detail, is_owner, 0);
}

// ---- modules -------------------------------------------------------------------------------------

struct module {  // one entry of sys.modules
    rch_addr object;
    char name[200];
    bool is_own_name;  // the name the module itself bears: others are aliases
};

static int compare_modules(const void *a, const void *b)
{
    const struct module *x = a, *y = b;
    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    if (x->is_own_name != y->is_own_name)
        return x->is_own_name ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void read_modules(struct rch__cap *cap, rch_addr modules, struct rch_vec *out)
{
    const struct rch_layout *L = cap->L;
    struct rch__entries e = rch__keys_entries(cap, rch__field_at(cap, modules, L->dict_keys));
    for (int64_t i = 0; i < e.num && cap->status == RCH_OK; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        struct module module = {.object = rch_load64(cap->t, entry + (uint32_t)e.value_off)};
        rch_addr key = rch_load64(cap->t, entry + (uint32_t)e.key_off);
        if (!module.object || module.object == cap->opt.none ||
            !rch__read_str(cap, key, module.name, sizeof(module.name)))
            continue;
        struct rch__type *type =
            rch__type_get(cap, rch_load64(cap->t, module.object + (uint32_t)L->object_type));
        char own[200];
        if (type->family && strcmp(type->family->name, "module") == 0)
            module.is_own_name =
                rch__read_str(cap, rch__field_at(cap, module.object, L->module_name), own,
                              sizeof(own)) &&
                strcmp(own, module.name) == 0;
        if (strcmp(module.name, "atexit") == 0)
            cap->atexit_module = module.object;
        if (strcmp(module.name, "threading") == 0)
            cap->threading_module = module.object;
        if (strcmp(module.name, "IPython") == 0)
            cap->has_ipython = true;
        cap->status = rch_vec_append(out, &module, 1, &cap->err);
    }
}

// A module that is in sys.modules under several names is one root.
static void collect_modules(struct rch__cap *cap, rch_addr interp)
{
    RCH_VEC(modules, cap->alloc, struct module);
    rch_addr dict = rch__field_at(cap, interp, cap->L->interp_modules);
    if (!rch__is_dict(cap, dict))
        return;
    read_modules(cap, dict, &modules);
    if (modules.num)
        qsort(modules.mem, modules.num, sizeof(struct module), compare_modules);
    rch_addr before = 0;
    for (size_t i = 0; i < modules.num; i++) {
        const struct module *module = &RCH_VEC_AT(&modules, struct module, i);
        if (module->object == before)
            continue;
        before = module->object;
        rch__root_begin(cap);
        rch__root_ref(cap, RCH_EDGE_OBJECT, NULL, FIXED, module->object);
        rch__root_end(cap, RCH_ROOT_MODULE, module->name, NULL, false);
    }
}

// ---- interpreter ---------------------------------------------------------------------------------

static void collect_interpreter_fields(struct rch__cap *cap, rch_addr interp)
{
    const struct rch_layout *L = cap->L;
    const struct {
        const char *name;
        int32_t offset;
    } rows[] = {{"sys.modules", L->interp_modules},
                {"modules by index", L->interp_modules_by_index},
                {"sys.__dict__", L->interp_sysdict},
                {"builtins", L->interp_builtins},
                {"builtins copy", L->interp_builtins_copy},
                {"importlib", L->interp_importlib},
                {"import function", L->interp_import_func},
                {"codec search path", L->interp_codec_search_path},
                {"codec search cache", L->interp_codec_search_cache},
                {"codec error registry", L->interp_codec_error_registry},
                {"interpreter dict", L->interp_dict},
                {"before fork", L->interp_before_forkers},
                {"after fork in parent", L->interp_after_forkers_parent},
                {"after fork in child", L->interp_after_forkers_child},
                {"audit hooks", L->interp_audit_hooks},
                {"warning filters", L->interp_warnings_filters},
                {"warnings shown once", L->interp_warnings_once_registry},
                {"default warning action", L->interp_warnings_default_action},
                {"sys.__dict__ copy", L->interp_sysdict_copy},
                {"interned strings", L->interp_interned_strings}};
    rch__root_begin(cap);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        rch__root_ref(cap, RCH_EDGE_FIELD, rows[i].name, FIXED,
                      rch__field_at(cap, interp, rows[i].offset));
    rch_addr gc = interp + (uint32_t)L->interp_gc;
    rch__root_ref(cap, RCH_EDGE_FIELD, "gc.garbage", FIXED, rch__field_at(cap, gc, L->gc_garbage));
    rch__root_ref(cap, RCH_EDGE_FIELD, "gc.callbacks", FIXED,
                  rch__field_at(cap, gc, L->gc_callbacks));
    rch__root_end(cap, RCH_ROOT_INTERPRETER, "interpreter", NULL, true);
}

// From 3.10 the array is in the interpreter state, before that in the state of module atexit (whose
// references are then told here and not at the module).
static void collect_atexit(struct rch__cap *cap, rch_addr interp)
{
    const struct rch_layout *L = cap->L;
    rch_addr callbacks, num;
    if (L->interp_atexit_callbacks != RCH_ABSENT) {
        callbacks = rch__field_at(cap, interp, L->interp_atexit_callbacks);
        num = rch_load32(cap->t, interp + (uint32_t)L->interp_atexit_num);
    } else {
        rch_addr state = rch__field_at(cap, cap->atexit_module, L->module_state);
        callbacks = rch__field_at(cap, state, L->atexit_state_callbacks);
        num = state ? rch_load32(cap->t, state + (uint32_t)L->atexit_state_num) : 0;
    }
    rch__root_begin(cap);
    for (uint64_t i = 0; callbacks && i < num && i < MAX_CALLBACKS; i++) {
        rch_addr callback = rch_load64(cap->t, callbacks + i * 8);
        rch__root_code(cap, rch__field_at(cap, callback, L->atexit_func));
        rch__root_code(cap, rch__field_at(cap, callback, L->atexit_args));
        rch__root_code(cap, rch__field_at(cap, callback, L->atexit_kwargs));
    }
    rch__label_add(cap, RCH_EDGE_ITEM, NULL, GROUP);
    rch__label_add(cap, RCH_EDGE_FIELD, "args", GROUP);
    rch__label_add(cap, RCH_EDGE_FIELD, "kwargs", GROUP);
    uint32_t root =
        rch__root_end_tail(cap, RCH_ROOT_INTERPRETER, "atexit callbacks", NULL, true, 3);
    if (root != UINT32_MAX && cap->status == RCH_OK)
        RCH_VEC_AT(&cap->roots, struct rch__root, root).root.flags = RCH_ROOT_CLEARABLE;
}

static void collect_signals(struct rch__cap *cap)
{
    const struct rch_layout *L = cap->L;
    if (!cap->opt.runtime || L->runtime_signals_handlers == RCH_ABSENT)
        return;
    rch__root_begin(cap);
    for (int32_t i = 0; i < L->runtime_signals_num; i++) {
        rch_addr handler = cap->opt.runtime + (uint32_t)(L->runtime_signals_handlers +
                                                         i * L->runtime_signals_handler_size);
        char name[32];
        snprintf(name, sizeof(name), "signal %d", (int)i);
        rch__root_ref(cap, RCH_EDGE_FIELD, name, 0,
                      rch__field_at(cap, handler, L->runtime_signals_handler_func));
    }
    rch__root_end(cap, RCH_ROOT_INTERPRETER, "signal handlers", NULL, true);
}

void rch__collect_static_types(struct rch__cap *cap)
{
    size_t num = cap->types.num;
    for (size_t i = 0; i < num && cap->status == RCH_OK; i++) {
        const struct rch__type *type = RCH_VEC_AT(&cap->types, struct rch__type *, i);
        if (type->flags & RCH_TPFLAGS_HEAPTYPE)
            continue;
        char name[256];
        rch__read_cstring(cap, rch__field_at(cap, type->addr, cap->L->type_name), name,
                          sizeof(name));
        rch__root_begin(cap);
        rch__root_ref(cap, RCH_EDGE_OBJECT, NULL, FIXED, type->addr);
        rch__root_end(cap, RCH_ROOT_STATIC_TYPE, name, NULL, false);
    }
}

// ---- threads -------------------------------------------------------------------------------------

uint64_t rch__int_value(struct rch__cap *cap, rch_addr number)
{
    const struct rch_layout *L = cap->L;
    if (!number ||
        rch__type_get(cap, rch__field_at(cap, number, L->object_type))->size != rch__size_int)
        return 0;
    uint64_t tag = rch_load64(cap->t, number + (uint32_t)L->long_size_or_tag);
    uint64_t digits = L->long_tag_shift ? tag >> L->long_tag_shift : tag, value = 0;
    for (uint64_t i = 0; i < digits && i < 3; i++)
        value |= (uint64_t)rch_load32(cap->t, number + (uint32_t)L->long_digits + i * 4)
                 << (30 * i);
    return value;
}

// threading._active: ident -> Thread
static rch_addr find_thread_object(struct rch__cap *cap, uint64_t ident)
{
    rch_addr dict = rch__field_at(cap, cap->threading_module, cap->L->module_dict);
    rch_addr active = rch__dict_find(cap, dict, "_active");
    if (!rch__is_dict(cap, active))
        return 0;
    struct rch__entries e = rch__keys_entries(cap, rch__field_at(cap, active, cap->L->dict_keys));
    for (int64_t i = 0; i < e.num && i < MAX_THREADS; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        rch_addr key = rch_load64(cap->t, entry + (uint32_t)e.key_off);
        rch_addr value = rch_load64(cap->t, entry + (uint32_t)e.value_off);
        if (value && rch__int_value(cap, key) == ident)
            return value;
    }
    return 0;
}

static void read_thread_name(struct rch__cap *cap, uint64_t ident, rch_addr object, bool is_first,
                             char *buf, size_t buf_bytes)
{
    bool is_main = cap->opt.main_thread_id ? ident == cap->opt.main_thread_id : is_first;
    char name[100];
    snprintf(buf, buf_bytes, "%s", is_main ? "MainThread" : "thread");
    if (object && rch__read_str(cap, rch__attribute(cap, object, "_name"), name, sizeof(name)) &&
        *name)
        snprintf(buf, buf_bytes, "%s", name);
}

static uint32_t collect_thread(struct rch__cap *cap, rch_addr thread, const char *name)
{
    const struct rch_layout *L = cap->L;
    const struct {
        const char *name;
        int32_t offset;
        enum rch_edge_kind kind;
    } rows[] = {{"thread-local data", L->tstate_dict, RCH_EDGE_FIELD},
                {"context", L->tstate_context, RCH_EDGE_FIELD},
                {"exception being raised", L->tstate_current_exception, RCH_EDGE_FIELD},
                {"exception type", L->tstate_curexc_type, RCH_EDGE_FIELD},
                {"exception being raised", L->tstate_curexc_value, RCH_EDGE_FIELD},
                {"traceback", L->tstate_curexc_traceback, RCH_EDGE_TRACEBACK},
                {"trace function", L->tstate_c_traceobj, RCH_EDGE_FIELD},
                {"profile function", L->tstate_c_profileobj, RCH_EDGE_FIELD},
                {"asynchronous exception", L->tstate_async_exc, RCH_EDGE_FIELD},
                {"async generator hook", L->tstate_async_gen_firstiter, RCH_EDGE_FIELD},
                {"async generator hook", L->tstate_async_gen_finalizer, RCH_EDGE_FIELD},
                {"thread-exit data", L->tstate_on_delete_data, RCH_EDGE_FIELD},
                {"thread-local key", L->tstate_threading_local_key, RCH_EDGE_FIELD},
                {"thread-local sentinel", L->tstate_threading_local_sentinel, RCH_EDGE_FIELD}};
    rch__root_begin(cap);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        rch__root_ref(cap, rows[i].kind, rows[i].name, FIXED,
                      rch__field_at(cap, thread, rows[i].offset));
    if (L->tstate_exc_state != RCH_ABSENT) {
        rch_addr state = thread + (uint32_t)L->tstate_exc_state;
        rch__root_ref(cap, RCH_EDGE_FIELD, "exception type", FIXED,
                      rch__field_at(cap, state, L->exc_state_type));
        rch__root_ref(cap, RCH_EDGE_FIELD, "exception being handled", FIXED,
                      rch__field_at(cap, state, L->exc_state_value));
        rch__root_ref(cap, RCH_EDGE_TRACEBACK, "traceback", FIXED,
                      rch__field_at(cap, state, L->exc_state_traceback));
    }
    return rch__root_end(cap, RCH_ROOT_THREAD, name, NULL, true);
}

static void collect_threads(struct rch__cap *cap, rch_addr interp)
{
    rch_addr thread = rch__field_at(cap, interp, cap->L->interp_threads_head);
    for (int n = 0; thread && n < MAX_THREADS && cap->status == RCH_OK; n++) {
        char name[100];
        rch_addr next = rch__field_at(cap, thread, cap->L->tstate_next);  // older ones
        bool is_first = !next && !rch__field_at(cap, interp, cap->L->interp_next);
        uint64_t ident = rch__field_at(cap, thread, cap->L->tstate_thread_id);
        rch_addr object = find_thread_object(cap, ident);
        read_thread_name(cap, ident, object, is_first, name, sizeof(name));
        uint32_t root = collect_thread(cap, thread, name);
        rch__thread_add(cap, interp, thread, object, name, root);
        rch__collect_frames(cap, thread, name);
        thread = next;
    }
}

void rch__collect_roots(struct rch__cap *cap)
{
    for (rch_addr interp = rch__next_interp(cap, 0); interp;
         interp = rch__next_interp(cap, interp)) {
        collect_modules(cap, interp);
        collect_interpreter_fields(cap, interp);
        collect_atexit(cap, interp);
        collect_threads(cap, interp);
        rch__observe_shells(cap, interp);
    }
    collect_signals(cap);
    rch__threads_finish(cap);
}
