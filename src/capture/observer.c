// SPDX-License-Identifier: MIT
// capture/observer.c -- see observer.h.
#include "capture/observer.h"

#include <stdio.h>

#include "capture/families.h"

#define CO_OPTIMIZED 1u
#define MAX_NAMES 100000
#define MAX_DEBUGGED 100  // frames below a prompt
#define MAX_ARGUMENTS 1000

// Frames of these files are a tool's. "/pdb.py" and the like are the standard library's.
static const char *const tool_paths[] = {"/pdb.py",   "/bdb.py",   "/cmd.py",     "/code.py",
                                         "/_pyrepl/", "/IPython/", "/ipykernel/", "/_pytest/",
                                         "/pluggy/",  "/pydevd",   "/doctest.py"};
// Code that was typed, not written in a file.
static const char *const typed_names[] = {"<stdin",         "<string>",      "<console>",
                                          "<ipython-input", "<python-input", "/ipykernel_",
                                          "<input>",        "<doctest"};

void rch__observe(struct rch__cap *cap, rch_addr object, enum rch_observer_scope scope)
{
    struct rch__observed row = {.scope = (uint32_t)scope};
    if (!object)
        return;
    row.code = rch_code(&cap->index, object);
    rch__discover(cap, row.code);
    if (row.code != RCH_NO_CODE && cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->observed, &row, 1, &cap->err);
}

void rch__observe_root(struct rch__cap *cap, uint32_t root, enum rch_observer_scope scope)
{
    struct rch__observed row = {.code = root, .scope = (uint32_t)scope, .is_root = true};
    if (root != UINT32_MAX && cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->observed, &row, 1, &cap->err);
}

static void observe_frame(struct rch__cap *cap, const struct rch__frame *frame,
                          enum rch_observer_scope scope)
{
    rch__observe_root(cap, frame->root, scope);
    rch__observe(cap, frame->object, scope);
}

static void file_of(struct rch__cap *cap, const struct rch__frame *frame, char *buf,
                    size_t buf_bytes)
{
    buf[0] = '\0';
    rch__read_str(cap, rch__field_at(cap, frame->code, cap->L->code_filename), buf, buf_bytes);
}

static bool has_part(const char *file, const char *const *parts, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (strstr(file, parts[i]))
            return true;
    return false;
}

static bool is_ours(struct rch__cap *cap, const struct rch__frame *frame)
{
    char file[1024];
    file_of(cap, frame, file, sizeof(file));
    return has_part(file, cap->opt.observer_paths, cap->opt.num_observer_paths);
}

static bool is_tool(struct rch__cap *cap, const struct rch__frame *frame)
{
    char file[1024];
    file_of(cap, frame, file, sizeof(file));
    return has_part(file, tool_paths, sizeof(tool_paths) / sizeof(tool_paths[0]));
}

static bool is_typed(struct rch__cap *cap, const struct rch__frame *frame)
{
    char file[1024];
    file_of(cap, frame, file, sizeof(file));
    return has_part(file, typed_names, sizeof(typed_names) / sizeof(typed_names[0]));
}

// ---- variables made at a prompt ------------------------------------------------------------------

static bool tuple_has(struct rch__cap *cap, rch_addr tuple, const char *name)
{
    char text[256];
    uint64_t num = rch__field_at(cap, tuple, cap->L->var_size);
    for (uint64_t i = 0; tuple && i < num && i < MAX_NAMES; i++) {
        rch_addr item = rch_load64(cap->t, tuple + (uint32_t)cap->L->tuple_items + i * 8);
        if (rch__read_str(cap, item, text, sizeof(text)) && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

// Does the code, or a function defined in it (`global x`), mention the name?
static bool code_mentions(struct rch__cap *cap, rch_addr code, const char *name)
{
    rch_addr pending[64];
    size_t num = 0;
    rch_addr code_type = rch__field_at(cap, code, cap->L->object_type);
    pending[num++] = code;
    while (num) {
        rch_addr at = pending[--num];
        if (tuple_has(cap, rch__field_at(cap, at, cap->L->code_names), name))
            return true;
        rch_addr consts = rch__field_at(cap, at, cap->L->code_consts);
        uint64_t num_consts = rch__field_at(cap, consts, cap->L->var_size);
        for (uint64_t i = 0; i < num_consts && i < MAX_NAMES && num < 64; i++) {
            rch_addr item = rch_load64(cap->t, consts + (uint32_t)cap->L->tuple_items + i * 8);
            if (rch__field_at(cap, item, cap->L->object_type) == code_type)
                pending[num++] = item;
        }
    }
    return false;
}

static void move_entry(struct rch__cap *cap, rch_addr dict, const char *name, rch_addr key,
                       rch_addr value)
{
    struct rch__moved row = {.dict_code = rch_code(&cap->index, dict),
                             .key_code = rch_code(&cap->index, key),
                             .value_code = rch_code(&cap->index, value)};
    if (row.dict_code == RCH_NO_CODE || row.key_code == RCH_NO_CODE ||
        row.value_code == RCH_NO_CODE)
        return;
    rch__discover(cap, row.dict_code);
    rch__discover(cap, row.key_code);
    for (size_t i = 0; i < cap->moved.num; i++) {
        const struct rch__moved *before = &RCH_VEC_AT(&cap->moved, struct rch__moved, i);
        if (before->dict_code == row.dict_code && before->key_code == row.key_code)
            return;
    }
    rch__root_ref(cap, RCH_EDGE_ATTRIBUTE, name, 0, value);
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->moved, &row, 1, &cap->err);
}

struct prompt {         // what decides whose an entry of a namespace is
    rch_addr code;      // of the code that stands at the prompt
    bool has_refchain;  // a name of ours came before
};
typedef bool (*is_made_fn)(struct rch__cap *cap, struct prompt *prompt, const char *name,
                           rch_addr value);

/// Move the entries of a namespace for which `is_made` says so to the root being collected.
static void move_entries(struct rch__cap *cap, rch_addr dict, struct prompt *prompt,
                         is_made_fn is_made)
{
    if (!rch__is_dict(cap, dict) || rch__field_at(cap, dict, cap->L->dict_values))
        return;
    struct rch__entries e = rch__keys_entries(cap, rch__field_at(cap, dict, cap->L->dict_keys));
    for (int64_t i = 0; i < e.num && cap->status == RCH_OK; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        rch_addr key = rch_load64(cap->t, entry + (uint32_t)e.key_off);
        rch_addr value = rch_load64(cap->t, entry + (uint32_t)e.value_off);
        char name[256];
        if (value && rch__read_str(cap, key, name, sizeof(name)) &&
            is_made(cap, prompt, name, value))
            move_entry(cap, dict, name, key, value);
    }
}

static bool is_made_at_prompt(struct rch__cap *cap, struct prompt *prompt, const char *name,
                              rch_addr value)
{
    (void)value;
    return strncmp(name, "__", 2) != 0 && !code_mentions(cap, prompt->code, name);
}

// The module, or something that was imported from it.
static bool is_refchain(struct rch__cap *cap, rch_addr value)
{
    const struct rch_layout *L = cap->L;
    const struct rch__type *type = rch__type_get(cap, rch__field_at(cap, value, L->object_type));
    const char *family = type->family ? type->family->name : "";
    char text[1024];
    if (strcmp(family, "module") == 0)
        return rch__read_str(cap, rch__field_at(cap, value, L->module_name), text, sizeof(text)) &&
               (strcmp(text, "refchain") == 0 || strncmp(text, "refchain.", 9) == 0);
    if (strcmp(family, "function") != 0)
        return false;
    struct rch__frame frame = {.code = rch__field_at(cap, value, L->func_code)};
    return is_ours(cap, &frame);
}

// Of names that were typed nobody kept the code. Those after `import refchain` are the questioner's.
static bool is_made_after_import(struct rch__cap *cap, struct prompt *prompt, const char *name,
                                 rch_addr value)
{
    bool is_made = prompt->has_refchain && strncmp(name, "__", 2) != 0;
    prompt->has_refchain = prompt->has_refchain || is_refchain(cap, value);
    return is_made;
}

static bool is_last_result(struct rch__cap *cap, struct prompt *prompt, const char *name,
                           rch_addr value)
{
    (void)cap, (void)prompt, (void)value;
    return strcmp(name, "_") == 0;
}

static bool is_history(struct rch__cap *cap, struct prompt *prompt, const char *name,
                       rch_addr value)
{
    (void)cap, (void)prompt, (void)value;
    static const char *const names[] = {"_",   "__", "___", "_oh", "_ih", "_dh",
                                        "Out", "In", "_i",  "_ii", "_iii"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    if (name[0] != '_')
        return false;
    const char *digits = name + (name[1] == 'i' ? 2 : 1);
    return *digits && digits[strspn(digits, "0123456789")] == '\0';
}

// What was made at a prompt becomes a root of its own, so that it can be told from the rest of the
// namespace; a path through it still begins at the module.
static void observe_namespace(struct rch__cap *cap, rch_addr dict, struct prompt prompt,
                              is_made_fn is_made)
{
    char module[256];
    bool is_module =
        rch__read_str(cap, rch__dict_find(cap, dict, "__name__"), module, sizeof(module));
    rch__root_begin(cap);
    move_entries(cap, dict, &prompt, is_made);
    uint32_t root = is_module ? rch__root_end(cap, RCH_ROOT_MODULE, module, NULL, true)
                              : rch__root_end(cap, RCH_ROOT_FRAME, "<module>", NULL, true);
    rch__observe_root(cap, root, RCH_OBSERVER_DIRECT);
}

// Module level, a class body, or text given to exec() or eval().
static bool has_namespace(struct rch__cap *cap, const struct rch__frame *frame)
{
    return !(rch_load32(cap->t, frame->code + (uint32_t)cap->L->code_flags) & CO_OPTIMIZED);
}

// The namespace of a class body, or the copy of a function's locals that exec() works on.
static void observe_own_namespace(struct rch__cap *cap, const struct rch__frame *frame)
{
    if (has_namespace(cap, frame) && frame->locals != frame->globals)
        rch__observe(cap, frame->locals, RCH_OBSERVER_DIRECT);
}

// The code that stands at the prompt of a debugger: its variables are the questioner's where they
// are new, and so are copies of locals that the debugger made, in the frames below too (`up`).
static void observe_prompt(struct rch__cap *cap, const struct rch__frame *frames, size_t num)
{
    if (has_namespace(cap, &frames[0]))
        observe_namespace(cap, frames[0].globals, (struct prompt){.code = frames[0].code},
                          is_made_at_prompt);
    for (size_t i = 0; i < num && i < MAX_DEBUGGED; i++) {
        rch__observe(cap, frames[i].extra_locals, RCH_OBSERVER_ALL);
        if (!has_namespace(cap, &frames[i]))
            rch__observe(cap, frames[i].locals, RCH_OBSERVER_ALL);
        rch__observe(cap, rch__dict_find(cap, frames[i].globals, "__pdb_convenience_variables"),
                     RCH_OBSERVER_ALL);
    }
}

static bool is_typed_namespace(struct rch__cap *cap, const struct rch__frame *frame)
{
    return is_typed(cap, frame) && has_namespace(cap, frame);
}

static bool is_first_of_namespace(struct rch__cap *cap, const struct rch__frame *frames, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (frames[k].globals == frames[i].globals && is_typed_namespace(cap, &frames[k]))
            return false;
    return true;
}

void rch__observe_tool_frames(struct rch__cap *cap, const struct rch__frame *frames, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (is_ours(cap, &frames[i]) || is_tool(cap, &frames[i])) {
            observe_frame(cap, &frames[i], RCH_OBSERVER_ALL);
        } else if (is_typed_namespace(cap, &frames[i])) {
            observe_frame(cap, &frames[i], RCH_OBSERVER_ALL);
            observe_own_namespace(cap, &frames[i]);
            if (is_first_of_namespace(cap, frames, i))
                observe_namespace(cap, frames[i].globals, (struct prompt){0}, is_made_after_import);
        }
    }
}

// Code that runs as part of the code below it: comprehensions (up to 3.11), generator expressions.
static bool is_part_of_caller(struct rch__cap *cap, const struct rch__frame *frame)
{
    static const char *const names[] = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>",
                                        "<lambda>"};
    char name[32];
    if (!rch__read_str(cap, rch__field_at(cap, frame->code, cap->L->code_name), name, sizeof(name)))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

// What C code holds while it calls the function that asks: bound methods and calls with a dict of
// keywords copy the arguments. Words of a stack, as in frames.c.
static void observe_arguments(struct rch__cap *cap, const struct rch__frame *frame)
{
    uint32_t num = rch_load32(cap->t, frame->code + (uint32_t)cap->L->code_argcount);
    if (!frame->is_from_c || has_namespace(cap, frame))
        return;
    char name[200] = "?";
    rch__read_str(cap, rch__field_at(cap, frame->code, cap->L->code_name), name, sizeof(name));
    rch__root_begin(cap);
    rch__label_add(cap, RCH_EDGE_STACK, NULL, RCH_LABEL_FIXED);
    for (uint32_t i = 0; i < num && i < MAX_ARGUMENTS && cap->status == RCH_OK; i++) {
        uint64_t word = rch__untag(cap, rch_load64(cap->t, frame->slots + i * 8ull));
        if (word)
            cap->status = rch_vec_append(&cap->stack_words, &word, 1, &cap->err);
    }
    rch__observe_root(cap, rch__root_end_tail(cap, RCH_ROOT_FRAME, name, NULL, true, 1),
                      RCH_OBSERVER_ALL);
}

void rch__observe_frames(struct rch__cap *cap, const struct rch__frame *frames, size_t num)
{
    rch__observe_tool_frames(cap, frames, num);
    size_t at = 0;
    while (at < num && is_ours(cap, &frames[at]))
        at++;
    // Typed or exec'd code stands above a debugger's frames, or above the code that executes it.
    for (; at < num && (is_typed(cap, &frames[at]) || is_part_of_caller(cap, &frames[at])); at++)
        observe_frame(cap, &frames[at], RCH_OBSERVER_DIRECT);
    bool is_prompt = at < num && is_tool(cap, &frames[at]);
    while (at < num && is_tool(cap, &frames[at]))
        at++;
    for (size_t i = 0; i <= at && i < num; i++)
        observe_arguments(cap, &frames[i]);
    if (at == num)
        return;
    observe_frame(cap, &frames[at], RCH_OBSERVER_DIRECT);
    observe_own_namespace(cap, &frames[at]);
    if (is_prompt)
        observe_prompt(cap, &frames[at], num - at);
}

void rch__observe_shells(struct rch__cap *cap, rch_addr interp)
{
    rch__root_begin(cap);
    move_entries(cap, rch__field_at(cap, interp, cap->L->interp_builtins), NULL, is_last_result);
    rch_addr modules = rch__field_at(cap, interp, cap->L->interp_modules);
    rch_addr main_module =
        cap->has_ipython && modules ? rch__dict_find(cap, modules, "__main__") : 0;
    if (main_module)
        move_entries(cap, rch__field_at(cap, main_module, cap->L->module_dict), NULL, is_history);
    rch__observe_root(cap, rch__root_end(cap, RCH_ROOT_FRAME, "shell history", NULL, true),
                      RCH_OBSERVER_ALL);
}
