// SPDX-License-Identifier: MIT
// capture/observer.c -- see observer.h.
#include "capture/observer.h"

#include <ctype.h>
#include <stdio.h>

#define CO_OPTIMIZED 1u
#define MAX_CODE_DEPTH 8
#define MAX_NAMES 100000

// Frames of these files are a tool's. "/pdb.py" and the like are the standard library's.
static const char *const tool_paths[] = {"/pdb.py", "/bdb.py", "/cmd.py", "/code.py", "/IPython/",
                                         "/ipykernel/", "/_pytest/", "/pluggy/", "/pydevd"};
// Code that was typed, not written in a file.
static const char *const typed_names[] = {"<stdin>", "<string>", "<console>", "<ipython-input"};

static rch_addr load(struct rch__cap *cap, rch_addr object, int32_t offset)
{
    return offset == RCH_ABSENT || !object ? 0 : rch_load64(cap->t, object + (uint32_t)offset);
}

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

static void file_of(struct rch__cap *cap, const struct rch__frame *frame, char *buf, size_t buf_bytes)
{
    buf[0] = '\0';
    rch__read_str(cap, load(cap, frame->code, cap->L->code_filename), buf, buf_bytes);
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
    uint64_t num = load(cap, tuple, cap->L->var_size);
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
    rch_addr code_type = load(cap, code, cap->L->object_type);
    pending[num++] = code;
    while (num) {
        rch_addr at = pending[--num];
        if (tuple_has(cap, load(cap, at, cap->L->code_names), name))
            return true;
        rch_addr consts = load(cap, at, cap->L->code_consts);
        uint64_t num_consts = load(cap, consts, cap->L->var_size);
        for (uint64_t i = 0; i < num_consts && i < MAX_NAMES && num < 64; i++) {
            rch_addr item = rch_load64(cap->t, consts + (uint32_t)cap->L->tuple_items + i * 8);
            if (load(cap, item, cap->L->object_type) == code_type)
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
    rch__root_ref(cap, RCH_EDGE_LOCAL, name, 0, value);
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->moved, &row, 1, &cap->err);
}

/// Move the entries of a namespace for which `is_made` says so to the root being collected.
static void move_entries(struct rch__cap *cap, rch_addr dict, rch_addr code,
                         bool (*is_made)(struct rch__cap *, const char *name, rch_addr code))
{
    if (!dict || load(cap, dict, cap->L->dict_values))
        return;
    struct rch__entries e = rch__keys_entries(cap, load(cap, dict, cap->L->dict_keys));
    for (int64_t i = 0; i < e.num && cap->status == RCH_OK; i++) {
        rch_addr entry = e.first + (rch_addr)(i * e.stride);
        rch_addr key = rch_load64(cap->t, entry + (uint32_t)e.key_off);
        rch_addr value = rch_load64(cap->t, entry + (uint32_t)e.value_off);
        char name[256];
        if (value && rch__read_str(cap, key, name, sizeof(name)) && is_made(cap, name, code))
            move_entry(cap, dict, name, key, value);
    }
}

static bool is_made_at_prompt(struct rch__cap *cap, const char *name, rch_addr code)
{
    return strncmp(name, "__", 2) != 0 && !code_mentions(cap, code, name);
}

static bool is_last_result(struct rch__cap *cap, const char *name, rch_addr code)
{
    (void)cap, (void)code;
    return strcmp(name, "_") == 0;
}

static bool is_history(struct rch__cap *cap, const char *name, rch_addr code)
{
    (void)cap, (void)code;
    static const char *const names[] = {"_", "__", "___", "_oh", "_ih", "_dh", "Out", "In", "_i", "_ii", "_iii"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    if (name[0] != '_')
        return false;
    const char *digits = name + (name[1] == 'i' ? 2 : 1);
    return *digits && digits[strspn(digits, "0123456789")] == '\0';
}

// The code that stands at the prompt: its variables are the questioner's where they are new, and so
// are copies of its locals that a debugger made.
static void observe_prompt(struct rch__cap *cap, const struct rch__frame *frame)
{
    uint32_t flags = rch_load32(cap->t, frame->code + (uint32_t)cap->L->code_flags);
    rch__observe(cap, frame->extra_locals, RCH_OBSERVER_ALL);
    if (flags & CO_OPTIMIZED) {
        rch__observe(cap, frame->locals, RCH_OBSERVER_ALL);
        return;
    }
    rch__root_begin(cap);
    move_entries(cap, frame->globals, frame->code, is_made_at_prompt);
    rch__observe_root(cap, rch__root_end(cap, RCH_ROOT_FRAME, "prompt", NULL, true),
                      RCH_OBSERVER_DIRECT);
}

void rch__observe_tool_frames(struct rch__cap *cap, const struct rch__frame *frames, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (is_ours(cap, &frames[i]) || is_tool(cap, &frames[i]))
            observe_frame(cap, &frames[i], RCH_OBSERVER_ALL);
}

void rch__observe_frames(struct rch__cap *cap, const struct rch__frame *frames, size_t num)
{
    rch__observe_tool_frames(cap, frames, num);
    size_t at = 0;
    while (at < num && is_ours(cap, &frames[at]))
        at++;
    // Typed at a prompt: the typed code and the debugger's frames stand above the code of interest.
    size_t below = at;
    while (below < num && is_typed(cap, &frames[below]))
        below++;
    bool is_prompt = below < num && is_tool(cap, &frames[below]);
    if (is_prompt) {
        for (; at < below; at++)
            observe_frame(cap, &frames[at], RCH_OBSERVER_ALL);
        while (at < num && is_tool(cap, &frames[at]))
            at++;
    }
    if (at == num)
        return;
    observe_frame(cap, &frames[at], RCH_OBSERVER_DIRECT);
    if (is_prompt)
        observe_prompt(cap, &frames[at]);
}

void rch__observe_shells(struct rch__cap *cap, rch_addr interp)
{
    rch__root_begin(cap);
    move_entries(cap, load(cap, interp, cap->L->interp_builtins), 0, is_last_result);
    rch_addr modules = load(cap, interp, cap->L->interp_modules);
    rch_addr main_module = cap->has_ipython && modules ? rch__dict_find(cap, modules, "__main__") : 0;
    if (main_module)
        move_entries(cap, load(cap, main_module, cap->L->module_dict), 0, is_history);
    rch__observe_root(cap, rch__root_end(cap, RCH_ROOT_FRAME, "shell history", NULL, true),
                      RCH_OBSERVER_ALL);
}
