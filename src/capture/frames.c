// SPDX-License-Identifier: MIT
// capture/frames.c -- running frames of every thread as roots, their local variables by name. Up to
// 3.10 a running frame is an object in the graph and the root refers to it; from 3.11 the root holds
// the locals itself.
#include <stdio.h>

#include "capture/families.h"
#include "capture/observer.h"
#include "capture/threads.h"

#define FIXED RCH_LABEL_FIXED
#define MAX_FRAMES 1000000
#define MAX_STACK_WORDS 100000
#define MAX_PACKED 1000
#define CO_OPTIMIZED 1u
#define CO_NEWLOCALS 2u
#define CO_PACKS 0xcu  // has *args or **kwargs
#define CO_GENERATORS 0x2a0u  // generator, coroutine, async generator

static void end_frame_root(struct rch__cap *cap, struct rch__frame *frame, const char *thread_name,
                           bool is_owner, uint32_t num_tail)
{
    char name[200], file[300], detail[512];
    if (!rch__read_str(cap, rch__field_at(cap, frame->code, cap->L->code_name), name, sizeof(name)))
        snprintf(name, sizeof(name), "?");
    rch__read_str(cap, rch__field_at(cap, frame->code, cap->L->code_filename), file, sizeof(file));
    snprintf(detail, sizeof(detail), "%s:%u, %s", file,
             rch_load32(cap->t, frame->code + (uint32_t)cap->L->code_firstlineno), thread_name);
    uint32_t flags = rch_load32(cap->t, frame->code + (uint32_t)cap->L->code_flags);
    frame->root =
        rch__root_end_tail(cap, flags & CO_GENERATORS ? RCH_ROOT_COROUTINE : RCH_ROOT_FRAME, name,
                           detail, is_owner, num_tail);
}

// The height of a stack is saved only when the frame called Python code. Otherwise keep its words:
// those that turn out to explain a reference too many were references (balance.c).
static void keep_stack_word(struct rch__cap *cap, uint64_t word)
{
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->stack_words, &word, 1, &cap->err);
}

static void keep_stack_words(struct rch__cap *cap, rch_addr first, uint64_t num)
{
    for (uint64_t i = 0; i < num && i < MAX_STACK_WORDS && cap->status == RCH_OK; i++)
        keep_stack_word(cap, rch_load64(cap->t, first + i * 8));
}

static void label_stack(struct rch__cap *cap)
{
    rch__label_add(cap, RCH_EDGE_STACK, NULL, FIXED);
    if (cap->status == RCH_OK)
        RCH_VEC_AT(&cap->labels, struct rch_label, cap->labels.num - 1).cls = RCH_CLASS_GUESSED;
}

// From 3.13 a call of a class that the interpreter knows well pushes a frame of its own below __init__,
// whose function and globals are never written: they are whatever was there before.
static bool is_class_call(struct rch__cap *cap, rch_addr code)
{
    return cap->L->py_minor >= 13 && (rch_load32(cap->t, code + (uint32_t)cap->L->code_flags) &
                                      (CO_OPTIMIZED | CO_NEWLOCALS)) == CO_OPTIMIZED;
}

// ---- 3.11 and later ------------------------------------------------------------------------------

static void root_of_iframe(struct rch__cap *cap, rch_addr iframe, struct rch__frame *frame,
                           const char *thread_name, bool is_innermost)
{
    const struct rch_layout *L = cap->L;
    int64_t top = rch__iframe_top(cap, iframe);
    if (is_innermost && !cap->opt.calling_thread)
        top = -1;  // it may be anywhere in its code: see rch__iframe_top()
    bool in_generator = rch_load8(cap->t, iframe + (uint32_t)L->iframe_owner) == L->owner_generator;
    frame->root = UINT32_MAX;
    if (cap->is_foreign && !rch__is_of(cap, frame->code, "code")) {
        cap->num_torn++;
        return;
    }
    rch__root_begin(cap);
    if (in_generator && top >= 0) {  // the generator tells its locals itself
        frame->object = iframe - (uint32_t)L->gen_iframe;
        rch__root_ref(cap, RCH_EDGE_OBJECT, NULL, FIXED, frame->object);
        end_frame_root(cap, frame, thread_name, false, 0);
        return;
    }
    if (!in_generator) {
        rch__root_ref(cap, RCH_EDGE_FIELD, "frame", FIXED,
                      rch__field_at(cap, iframe, L->iframe_frame_obj));
        rch__root_ref(cap, RCH_EDGE_FIELD, "f_locals", FIXED,
                      rch__field_at(cap, iframe, L->iframe_locals));
        rch__root_ref(cap, RCH_EDGE_FIELD, "function", FIXED,
                      is_class_call(cap, frame->code)
                          ? 0
                          : rch__frame_ref(cap, rch__field_at(cap, iframe, L->iframe_func)));
        rch__root_ref(cap, RCH_EDGE_FIELD, "f_code", FIXED,
                      rch__frame_ref(cap, rch__field_at(cap, iframe, L->iframe_code)));
    }
    rch_addr slots = iframe + (uint32_t)L->iframe_localsplus;
    uint32_t num_locals = rch__label_locals(cap, frame->code);
    for (uint32_t i = 0; i < num_locals; i++)
        rch__root_code(cap, rch__frame_ref(cap, rch_load64(cap->t, slots + i * 8ull)));
    label_stack(cap);
    for (int64_t i = num_locals; i < top; i++)
        rch__root_code(cap, rch__frame_ref(cap, rch_load64(cap->t, slots + (uint64_t)i * 8)));
    if (top < 0)
        keep_stack_words(cap, slots + num_locals * 8ull,
                         rch_load32(cap->t, frame->code + (uint32_t)L->code_stacksize));
    end_frame_root(cap, frame, thread_name, true, 1);
}

static rch_addr innermost_iframe(struct rch__cap *cap, rch_addr thread)
{
    const struct rch_layout *L = cap->L;
    if (L->tstate_current_frame != RCH_ABSENT)
        return rch__field_at(cap, thread, L->tstate_current_frame);
    return rch__field_at(cap, rch__field_at(cap, thread, L->tstate_cframe),
                         L->cframe_current_frame);
}

// From 3.12 a frame without code stands where C called Python.
static bool is_shim_at(struct rch__cap *cap, rch_addr iframe)
{
    const struct rch_layout *L = cap->L;
    return iframe && L->owner_cstack != RCH_ABSENT &&
           rch_load8(cap->t, iframe + (uint32_t)L->iframe_owner) >= L->owner_cstack;
}

static void collect_new(struct rch__cap *cap, rch_addr thread, const char *thread_name,
                        struct rch_vec *frames)
{
    const struct rch_layout *L = cap->L;
    rch_addr iframe = innermost_iframe(cap, thread);
    struct rch__ring ring = {0};
    for (int n = 0; iframe && n < MAX_FRAMES && cap->status == RCH_OK; n++) {
        if (rch__comes_back(cap, &ring, iframe))
            return;
        if (!is_shim_at(cap, iframe)) {
            struct rch__frame frame = {.code = rch__iframe_field(cap, iframe, L->iframe_code),
                                       .locals = rch__field_at(cap, iframe, L->iframe_locals),
                                       .globals = rch__field_at(cap, iframe, L->iframe_globals),
                                       .slots = iframe + (uint32_t)L->iframe_localsplus};
            frame.is_from_c = L->owner_cstack != RCH_ABSENT
                                  ? is_shim_at(cap, rch__field_at(cap, iframe, L->iframe_previous))
                                  : rch_load8(cap->t, iframe + (uint32_t)L->iframe_is_entry) != 0;
            if (is_class_call(cap, frame.code))
                frame.globals = 0;
            if (L->frame_extra_locals != RCH_ABSENT)
                frame.extra_locals = rch__field_at(
                    cap, rch__field_at(cap, iframe, L->iframe_frame_obj), L->frame_extra_locals);
            root_of_iframe(cap, iframe, &frame, thread_name, frames->num == 0);
            rch__stack_frame_add(cap, iframe, &frame);
            if (cap->status == RCH_OK)
                cap->status = rch_vec_append(frames, &frame, 1, &cap->err);
        }
        iframe = rch__field_at(cap, iframe, L->iframe_previous);
    }
}

// ---- up to 3.10 ----------------------------------------------------------------------------------

static bool stack_is_unknown(struct rch__cap *cap, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    if (L->frame_stackdepth != RCH_ABSENT)
        return (int32_t)rch_load32(cap->t, frame + (uint32_t)L->frame_stackdepth) < 0;
    return rch__field_at(cap, frame, L->frame_stacktop) == 0;
}

// Is the word among the items of a tuple, or the values of a dict (*args, **kwargs)?
static bool is_packed(struct rch__cap *cap, rch_addr pack, uint64_t word)
{
    const struct rch_layout *L = cap->L;
    const struct rch__type *type = rch__type_get(cap, rch__field_at(cap, pack, L->object_type));
    struct rch__entries e = {0};
    if (type->flags & RCH_TPFLAGS_TUPLE_SUBCLASS) {
        e.first = pack + (uint32_t)L->tuple_items;
        e.num = (int64_t)rch__field_at(cap, pack, L->var_size);
        e.stride = 8;
    } else if (rch__is_dict(cap, pack) && !rch__field_at(cap, pack, L->dict_values)) {
        e = rch__keys_entries(cap, rch__field_at(cap, pack, L->dict_keys));
    }
    for (int64_t i = 0; i < e.num && i < MAX_PACKED; i++)
        if (rch_load64(cap->t, e.first + (rch_addr)(i * e.stride) + (uint32_t)e.value_off) == word)
            return true;
    return false;
}

static bool is_local(struct rch__cap *cap, rch_addr frame, uint64_t word)
{
    rch_addr code = rch__field_at(cap, frame, cap->L->frame_code);
    uint32_t num = rch_load32(cap->t, code + (uint32_t)cap->L->code_nlocals);
    bool has_packs = rch_load32(cap->t, code + (uint32_t)cap->L->code_flags) & CO_PACKS;
    for (uint32_t i = 0; i < num && i < MAX_STACK_WORDS; i++) {
        rch_addr local = rch_load64(cap->t, frame + (uint32_t)cap->L->frame_localsplus + i * 8ull);
        if (local == word || (local && has_packs && is_packed(cap, local, word)))
            return true;
    }
    return false;
}

// Arguments stay on the stack of the caller until the call ends: they are the call's. So of its
// caller's stack a frame gets the words that are its own locals, and the caller the others.
static bool keep_old_stack(struct rch__cap *cap, rch_addr frame, rch_addr callee, bool is_callees)
{
    bool has_some = false;
    if (!frame || !stack_is_unknown(cap, frame))
        return false;
    rch_addr stack = rch__field_at(cap, frame, cap->L->frame_valuestack);
    uint32_t num = rch_load32(cap->t, rch__field_at(cap, frame, cap->L->frame_code) +
                                          (uint32_t)cap->L->code_stacksize);
    for (uint32_t i = 0; i < num && i < MAX_STACK_WORDS; i++) {
        uint64_t word = rch_load64(cap->t, stack + i * 8ull);
        if (!word || (callee && is_local(cap, callee, word)) != is_callees)
            continue;
        has_some = true;
        keep_stack_word(cap, word);
    }
    return has_some;
}

static bool is_frame_at(struct rch__cap *cap, rch_addr object)
{
    if (!cap->is_foreign || rch__is_of(cap, object, "frame"))
        return true;
    cap->num_torn++;
    return false;
}

static void collect_old(struct rch__cap *cap, rch_addr thread, const char *thread_name,
                        struct rch_vec *frames)
{
    const struct rch_layout *L = cap->L;
    rch_addr object = rch__field_at(cap, thread, L->tstate_frame), callee = 0;
    struct rch__ring ring = {0};
    for (int n = 0; object && n < MAX_FRAMES && cap->status == RCH_OK; n++) {
        if (rch__comes_back(cap, &ring, object) || !is_frame_at(cap, object))
            return;
        struct rch__frame frame = {.object = object,
                                   .code = rch__field_at(cap, object, L->frame_code),
                                   .locals = rch__field_at(cap, object, L->frame_locals),
                                   .globals = rch__field_at(cap, object, L->frame_globals),
                                   .slots = object + (uint32_t)L->frame_localsplus};
        rch__root_begin(cap);
        rch__root_ref(cap, RCH_EDGE_OBJECT, NULL, FIXED, object);
        label_stack(cap);
        (void)keep_old_stack(cap, object, callee, false);
        frame.is_from_c =
            !keep_old_stack(cap, rch__field_at(cap, object, L->frame_back), object, true);
        end_frame_root(cap, &frame, thread_name, true, 1);
        rch__stack_frame_add(cap, object, &frame);
        cap->status =
            cap->status == RCH_OK ? rch_vec_append(frames, &frame, 1, &cap->err) : cap->status;
        callee = object;
        object = rch__field_at(cap, object, L->frame_back);
    }
}

void rch__collect_frames(struct rch__cap *cap, rch_addr thread, const char *thread_name)
{
    RCH_VEC(frames, cap->alloc, struct rch__frame);
    if (cap->L->frame_iframe != RCH_ABSENT)
        collect_new(cap, thread, thread_name, &frames);
    else
        collect_old(cap, thread, thread_name, &frames);
    if (thread == cap->opt.calling_thread)
        rch__observe_frames(cap, frames.mem, frames.num);
    else
        rch__observe_tool_frames(cap, frames.mem, frames.num);
}
