// SPDX-License-Identifier: MIT
// capture/threads.c -- rows for every thread and its frames: who it is to the kernel, whether it has
// the GIL, what it executes. See threads.h.
#include "capture/threads.h"

#include "target/waits.h"

#define GLIBC_TID 0x2d0  // in struct pthread, x86-64; pthread_self() points to it

// ---- who ---------------------------------------------------------------------------------------

static rch_addr gil_of(struct rch__cap *cap, rch_addr interp)
{
    const struct rch_layout *L = cap->L;
    if (L->runtime_gil != RCH_ABSENT)
        return cap->opt.runtime ? cap->opt.runtime + (uint32_t)L->runtime_gil : 0;
    return rch__field_at(cap, interp, L->interp_gil);
}

static bool has_gil(struct rch__cap *cap, rch_addr gil, rch_addr thread)
{
    return gil && rch_load32(cap->t, gil + (uint32_t)cap->L->gil_locked) == 1 &&
           rch__field_at(cap, gil, cap->L->gil_last_holder) == thread;
}

static const struct rch_os_thread *os_thread_of(const struct rch__cap *cap, uint64_t tid)
{
    const struct rch_image *image = cap->opt.image;
    for (size_t i = 0; image && i < image->num_threads; i++) {
        if (image->threads[i].tid == tid)
            return &image->threads[i];
    }
    return NULL;
}

// From 3.11 the thread state has it; before, threading.Thread for the threads it started, and for
// others glibc, which is believed where the kernel knows such a thread.
static uint32_t native_id_of(struct rch__cap *cap, rch_addr thread, rch_addr object)
{
    const struct rch_layout *L = cap->L;
    uint64_t id = 0;
    if (L->tstate_native_thread_id != RCH_ABSENT)
        id = rch__field_at(cap, thread, L->tstate_native_thread_id);
    else if (object)
        id = rch__int_value(cap, rch__attribute(cap, object, "_native_id"));
    if (id == 0 && cap->opt.image) {
        rch_addr self = rch__field_at(cap, thread, L->tstate_thread_id);
        id = self ? rch_load32(cap->t, self + GLIBC_TID) : 0;
        if (!os_thread_of(cap, id))
            id = 0;
    }
    return id <= UINT32_MAX ? (uint32_t)id : 0;
}

void rch__thread_add(struct rch__cap *cap, rch_addr interp, rch_addr thread, rch_addr object,
                     const char *name, uint32_t root)
{
    struct rch__thread row = {.gil = gil_of(cap, interp),
                              .ident = rch__field_at(cap, thread, cap->L->tstate_thread_id),
                              .name = rch_arena_copy(&cap->arena, name, strlen(name))};
    row.row = (struct rch_thread){.name = rch__intern(cap, name),
                                  .native_id = native_id_of(cap, thread, object),
                                  .root = root,
                                  .first_frame = (uint32_t)cap->frames.num};
    if (has_gil(cap, row.gil, thread))
        row.row.flags |= RCH_THREAD_HAS_GIL;
    if (thread == cap->opt.calling_thread)
        row.row.flags |= RCH_THREAD_ASKS;
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->threads, &row, 1, &cap->err);
}

// ---- where -------------------------------------------------------------------------------------

static void keep_slots(struct rch__cap *cap, rch_addr where, const struct rch__frame *frame)
{
    const struct rch_layout *L = cap->L;
    struct rch__thread *thread =
        &RCH_VEC_AT(&cap->threads, struct rch__thread, cap->threads.num - 1);
    rch_addr named = L->code_nlocalsplus != RCH_ABSENT
                         ? rch_load32(cap->t, frame->code + (uint32_t)L->code_nlocalsplus)
                         : (rch__field_at(cap, where, L->frame_valuestack) - frame->slots) / 8;
    thread->slots = frame->slots;
    if (named < UINT16_MAX)
        thread->num_slots =
            (uint32_t)named + rch_load32(cap->t, frame->code + (uint32_t)L->code_stacksize);
}

// Deep recursion is many frames of one code object at one instruction: read it once.
void rch__stack_frame_add(struct rch__cap *cap, rch_addr where, const struct rch__frame *frame)
{
    const struct rch_layout *L = cap->L;
    struct rch_stack_frame row = {.line = 0};
    int64_t at = rch__last_instruction(cap, frame->code, where);
    if (cap->status != RCH_OK || cap->threads.num == 0)
        return;
    bool is_same = cap->frames.num && frame->code == cap->last_code && at == cap->last_instruction;
    if (is_same) {
        row = RCH_VEC_AT(&cap->frames, struct rch_stack_frame, cap->frames.num - 1);
    } else {
        bool has_qualname = L->code_qualname != RCH_ABSENT;
        row.function = rch__intern_str(
            cap, rch__field_at(cap, frame->code, has_qualname ? L->code_qualname : L->code_name));
        row.file = rch__intern_str(cap, rch__field_at(cap, frame->code, L->code_filename));
        row.line = rch__line_at(cap, frame->code, at);
    }
    cap->last_code = frame->code;
    cap->last_instruction = at;
    row.root = frame->root;
    if (cap->status == RCH_OK)
        cap->status = rch_vec_append(&cap->frames, &row, 1, &cap->err);
    if (cap->status != RCH_OK)
        return;
    if (RCH_VEC_AT(&cap->threads, struct rch__thread, cap->threads.num - 1).row.num_frames++ == 0)
        keep_slots(cap, where, frame);
}

// ---- what for ----------------------------------------------------------------------------------

static bool is_gil(struct rch__cap *cap, uint64_t futex)
{
    for (size_t i = 0; futex && i < cap->threads.num; i++) {
        rch_addr gil = RCH_VEC_AT(&cap->threads, struct rch__thread, i).gil;
        if (gil && futex - gil < (uint32_t)cap->L->gil_size)
            return true;
    }
    return false;
}

static void fill_from_os(struct rch__cap *cap, struct rch__thread *thread,
                         const struct rch_os_thread *os)
{
    char words[RCH_WAITS_BYTES] = "futex (the GIL)";
    uint64_t futex = rch_waits_futex(cap->opt.image, os);
    bool is_known =
        futex && (is_gil(cap, futex) || rch__lock_words(cap, thread, futex, words, sizeof(words)));
    if (!is_known)
        rch_waits_words(cap->opt.image, os, cap->opt.fds, words);
    thread->row.waits_for = rch__intern(cap, words);
    if (!os->was_stopped)
        thread->row.flags |= RCH_THREAD_NOT_STOPPED;
}

static bool has_row(const struct rch__cap *cap, uint32_t tid)
{
    for (size_t i = 0; i < cap->threads.num; i++) {
        if (RCH_VEC_AT(&cap->threads, struct rch__thread, i).row.native_id == tid)
            return true;
    }
    return false;
}

// Threads of C code, which CPython has never seen.
static void add_others(struct rch__cap *cap)
{
    const struct rch_image *image = cap->opt.image;
    for (size_t i = 0; i < image->num_threads && cap->status == RCH_OK; i++) {
        const struct rch_os_thread *os = &image->threads[i];
        struct rch__thread other = {.row = {.native_id = os->tid,
                                            .root = UINT32_MAX,
                                            .first_frame = (uint32_t)cap->frames.num}};
        char name[sizeof(os->name) + 1] = "";
        if (has_row(cap, os->tid))
            continue;
        memcpy(name, os->name, sizeof(os->name));
        other.row.name = rch__intern(cap, name);
        fill_from_os(cap, &other, os);
        if (cap->status == RCH_OK)
            cap->status = rch_vec_append(&cap->threads, &other, 1, &cap->err);
    }
}

// ---- all of them -------------------------------------------------------------------------------

// CPython lists the newest first; people look for the main thread.
static void reverse(struct rch_vec *threads)
{
    for (size_t i = 0; i < threads->num / 2; i++) {
        struct rch__thread *a = &RCH_VEC_AT(threads, struct rch__thread, i);
        struct rch__thread *b = &RCH_VEC_AT(threads, struct rch__thread, threads->num - 1 - i);
        struct rch__thread old = *a;
        *a = *b;
        *b = old;
    }
}

void rch__threads_finish(struct rch__cap *cap)
{
    reverse(&cap->threads);
    if (!cap->opt.image)
        return;
    for (size_t i = 0; i < cap->threads.num && cap->status == RCH_OK; i++) {
        struct rch__thread *thread = &RCH_VEC_AT(&cap->threads, struct rch__thread, i);
        const struct rch_os_thread *os = os_thread_of(cap, thread->row.native_id);
        if (os)
            fill_from_os(cap, thread, os);
    }
    add_others(cap);
}
