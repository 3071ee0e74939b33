// SPDX-License-Identifier: MIT
// capture/decode_frame.c -- frames, generators, coroutines: local variables by name. Up to 3.10 a
// frame is an object with the locals behind it; from 3.11 an "interpreter frame" lies inside a frame
// object, inside a generator, or on a thread's data stack. Layouts: frameobject.c, pycore_frame.h.
#include "capture/families.h"

#define FIXED RCH_LABEL_FIXED
#define MAX_SLOTS (1ull << 20)
#define FAST_FREE 0x80
#define FEW_NAMES 64

static void label_names(struct rch__cap *cap, rch_addr names, rch_addr kinds,
                        enum rch_edge_kind kind)
{
    const struct rch_layout *L = cap->L;
    uint64_t num = names ? rch_load64(cap->t, names + (uint32_t)L->var_size) : 0;
    if (num > FEW_NAMES && cap->is_foreign && !rch__is_of(cap, names, "tuple"))
        return;
    for (uint64_t i = 0; i < num && i < MAX_SLOTS; i++) {
        rch_addr name = rch_load64(cap->t, names + (uint32_t)L->tuple_items + i * 8);
        bool is_free =
            kinds && (rch_load8(cap->t, kinds + (uint32_t)L->bytes_data + i) & FAST_FREE);
        rch__label_add_str(cap, is_free ? RCH_EDGE_CLOSURE : kind, rch__intern_str(cap, name), 0);
    }
}

uint32_t rch__label_locals(struct rch__cap *cap, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    size_t before = cap->labels.num;
    if (L->code_localsplusnames != RCH_ABSENT) {
        label_names(cap, rch__field_at(cap, code, L->code_localsplusnames),
                    rch__field_at(cap, code, L->code_localspluskinds), RCH_EDGE_LOCAL);
    } else {
        label_names(cap, rch__field_at(cap, code, L->code_varnames), 0, RCH_EDGE_LOCAL);
        label_names(cap, rch__field_at(cap, code, L->code_cellvars), 0, RCH_EDGE_LOCAL);
        label_names(cap, rch__field_at(cap, code, L->code_freevars), 0, RCH_EDGE_CLOSURE);
    }
    return (uint32_t)(cap->labels.num - before);
}

static uint64_t count_of(struct rch__cap *cap, rch_addr code, int32_t tuple_offset)
{
    rch_addr tuple = rch__field_at(cap, code, tuple_offset);
    return tuple ? rch_load64(cap->t, tuple + (uint32_t)cap->L->var_size) : 0;
}

/// How many slots of localsplus have names.
static uint64_t num_named(struct rch__cap *cap, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    uint64_t num = L->code_localsplusnames != RCH_ABSENT
                       ? count_of(cap, code, L->code_localsplusnames)
                       : count_of(cap, code, L->code_varnames) +
                             count_of(cap, code, L->code_cellvars) +
                             count_of(cap, code, L->code_freevars);
    return num < MAX_SLOTS ? num : 0;
}

static void emit_slots(struct rch__cap *cap, rch_addr first, uint64_t num)
{
    if (!rch__fits(cap, first, num, 8))
        return;
    for (uint64_t i = 0; i < num && i < MAX_SLOTS; i++)
        rch__emit(cap, rch__frame_ref(cap, rch_load64(cap->t, first + i * 8)));
}

// ---- 3.11 and later -----------------------------------------------------------------------------

rch_addr rch__frame_ref(struct rch__cap *cap, uint64_t word)
{
    rch_addr target = rch__untag(cap, word);
    if (target && target != word) {
        uint32_t code = rch_code(&cap->index, target);
        if (code != RCH_NO_CODE && cap->status == RCH_OK)
            cap->status = rch_vec_append(&cap->borrowed, &code, 1, &cap->err);
    }
    return target;
}

// Whoever asks from inside finds every frame at a call, with the top of its stack saved. From outside
// a frame that executes may be anywhere, and what 3.14 saved last (it leaves it there) is of before.
static bool is_executing_generator(struct rch__cap *cap, rch_addr iframe)
{
    const struct rch_layout *L = cap->L;
    rch_addr state = iframe - (uint32_t)L->gen_iframe + (uint32_t)L->gen_frame_state;
    return rch_load8(cap->t, iframe + (uint32_t)L->iframe_owner) == L->owner_generator &&
           (int8_t)rch_load8(cap->t, state) == L->gen_state_executing;
}

int64_t rch__iframe_top(struct rch__cap *cap, rch_addr iframe)
{
    const struct rch_layout *L = cap->L;
    if (L->iframe_stackpointer == RCH_ABSENT)
        return (int32_t)rch_load32(cap->t, iframe + (uint32_t)L->iframe_stacktop);
    if (!cap->opt.calling_thread && is_executing_generator(cap, iframe))
        return -1;
    rch_addr top = rch__field_at(cap, iframe, L->iframe_stackpointer);
    rch_addr slots = iframe + (uint32_t)L->iframe_localsplus;
    return top >= slots && top - slots <= MAX_SLOTS * 8 ? (int64_t)((top - slots) / 8) : -1;
}

void rch__emit_iframe(struct rch__cap *cap, rch_addr iframe)
{
    const struct rch_layout *L = cap->L;
    rch__emit(cap, rch__field_at(cap, iframe, L->iframe_frame_obj));
    rch__emit(cap, rch__field_at(cap, iframe, L->iframe_locals));
    rch__emit(cap, rch__frame_ref(cap, rch__field_at(cap, iframe, L->iframe_func)));
    rch__emit(cap, rch__frame_ref(cap, rch__field_at(cap, iframe, L->iframe_code)));
    int64_t top = rch__iframe_top(cap, iframe);
    if (top >= 0)  // -1: executing, the frame itself is a root then
        emit_slots(cap, iframe + (uint32_t)L->iframe_localsplus, (uint64_t)top);
}

uint32_t rch__label_iframe(struct rch__cap *cap, rch_addr code)
{
    rch__label_add(cap, RCH_EDGE_FIELD, "frame", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_locals", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "function", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_code", FIXED);
    rch__label_locals(cap, code);
    rch__label_add(cap, RCH_EDGE_STACK, NULL, FIXED);
    return 1;
}

static uint32_t decode_new_frame(struct rch__cap *cap, struct rch__type *type, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    rch_addr iframe = rch__field_at(cap, frame, L->frame_iframe);
    rch__emit(cap, rch__field_at(cap, frame, L->frame_back));
    rch__emit(cap, rch__field_at(cap, frame, L->frame_trace));
    if (L->frame_extra_locals != RCH_ABSENT)
        rch__emit(cap, rch__field_at(cap, frame, L->frame_extra_locals));
    if (L->frame_locals_cache != RCH_ABSENT)
        rch__emit(cap, rch__field_at(cap, frame, L->frame_locals_cache));
    if (L->frame_overwritten_locals != RCH_ABSENT)
        rch__emit(cap, rch__field_at(cap, frame, L->frame_overwritten_locals));
    bool owns =
        iframe && rch_load8(cap->t, iframe + (uint32_t)L->iframe_owner) == L->owner_frame_object;
    rch_addr code = owns ? rch__iframe_field(cap, iframe, L->iframe_code) : 0;
    if (owns)
        rch__emit_iframe(cap, iframe);
    uint64_t key = owns ? code : 1;
    uint32_t shape = rch__shape_find(cap, type, key);
    if (shape != RCH_NO_NODE)
        return shape;
    rch__shape_begin(cap, type);
    cap->labels.num = 0;
    rch__label_add(cap, RCH_EDGE_FIELD, "f_back", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_trace", 0);
    if (L->frame_extra_locals != RCH_ABSENT)
        rch__label_add(cap, RCH_EDGE_FIELD, "f_extra_locals", FIXED);
    if (L->frame_locals_cache != RCH_ABSENT)
        rch__label_add(cap, RCH_EDGE_FIELD, "f_locals", FIXED);
    if (L->frame_overwritten_locals != RCH_ABSENT)
        rch__label_add(cap, RCH_EDGE_FIELD, "overwritten locals", FIXED);
    return rch__shape_end(cap, type, key, owns ? rch__label_iframe(cap, code) : 0);
}

// ---- up to 3.10 ---------------------------------------------------------------------------------

static uint64_t old_stack_depth(struct rch__cap *cap, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    if (L->frame_stackdepth != RCH_ABSENT) {
        int32_t depth = (int32_t)rch_load32(cap->t, frame + (uint32_t)L->frame_stackdepth);
        return depth > 0 ? (uint64_t)depth : 0;
    }
    rch_addr bottom = rch__field_at(cap, frame, L->frame_valuestack),
             top = rch__field_at(cap, frame, L->frame_stacktop);
    return top > bottom ? (top - bottom) / 8 : 0;
}

static uint32_t decode_old_frame(struct rch__cap *cap, struct rch__type *type, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    rch_addr code = rch__field_at(cap, frame, L->frame_code);
    rch__emit(cap, rch__field_at(cap, frame, L->frame_back));
    rch__emit(cap, rch__field_at(cap, frame, L->frame_trace));
    rch__emit(cap, rch__field_at(cap, frame, L->frame_locals));
    rch__emit(cap, rch__field_at(cap, frame, L->frame_globals));
    rch__emit(cap, rch__field_at(cap, frame, L->frame_builtins));
    rch__emit(cap, code);
    emit_slots(cap, frame + (uint32_t)L->frame_localsplus, num_named(cap, code));
    emit_slots(cap, rch__field_at(cap, frame, L->frame_valuestack), old_stack_depth(cap, frame));
    uint32_t shape = rch__shape_find(cap, type, code);
    if (shape != RCH_NO_NODE)
        return shape;
    rch__shape_begin(cap, type);
    cap->labels.num = 0;
    rch__label_add(cap, RCH_EDGE_FIELD, "f_back", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_trace", 0);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_locals", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_globals", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_builtins", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "f_code", FIXED);
    rch__label_locals(cap, code);
    rch__label_add(cap, RCH_EDGE_STACK, NULL, FIXED);
    return rch__shape_end(cap, type, code, 1);
}

uint32_t rch__decode_frame(struct rch__cap *cap, struct rch__type *type, rch_addr frame)
{
    return cap->L->frame_iframe != RCH_ABSENT ? decode_new_frame(cap, type, frame)
                                              : decode_old_frame(cap, type, frame);
}

// ---- generators ---------------------------------------------------------------------------------

static const struct {
    const char *name;
    size_t layout_member;
    uint16_t flags;
} generator_rows[] = {
    {"gi_frame", offsetof(struct rch_layout, gen_frame), FIXED | RCH_LABEL_FOLD_FORWARD},
    {"gi_code", offsetof(struct rch_layout, gen_code), FIXED},
    {"__name__", offsetof(struct rch_layout, gen_name), FIXED},
    {"__qualname__", offsetof(struct rch_layout, gen_qualname), FIXED},
};
#define NUM_GENERATOR_ROWS (sizeof(generator_rows) / sizeof(generator_rows[0]))

static int32_t generator_offset(const struct rch__cap *cap, size_t i)
{
    return *(const int32_t *)(const void *)((const char *)cap->L + generator_rows[i].layout_member);
}

// What only coroutines and async generators have stands right behind the common part.
static int32_t kind_offset(const struct rch__cap *cap, const struct rch__type *type)
{
    if (type->family && type->family->name[0] == 'c')
        return cap->L->gen_origin;
    return type->family && type->family->name[0] == 'a' ? cap->L->gen_ag_hooks_finalizer
                                                        : RCH_ABSENT;
}

static rch_addr suspended_frame(struct rch__cap *cap, rch_addr gen)
{
    const struct rch_layout *L = cap->L;
    if (L->gen_iframe == RCH_ABSENT)
        return 0;
    int8_t state = (int8_t)rch_load8(cap->t, gen + (uint32_t)L->gen_frame_state);
    return state < L->gen_state_cleared ? gen + (uint32_t)L->gen_iframe : 0;
}

uint32_t rch__decode_generator(struct rch__cap *cap, struct rch__type *type, rch_addr gen)
{
    const struct rch_layout *L = cap->L;
    bool three = L->exc_state_type != RCH_ABSENT;  // up to 3.10: type, value, traceback
    for (size_t i = 0; i < NUM_GENERATOR_ROWS; i++)
        if (generator_offset(cap, i) != RCH_ABSENT)
            rch__emit(cap, rch__field_at(cap, gen, generator_offset(cap, i)));
    if (three)
        rch__emit(cap, rch__field_at(cap, gen, L->gen_exc_state + L->exc_state_type));
    rch__emit(cap, rch__field_at(cap, gen, L->gen_exc_state + L->exc_state_value));
    if (three)
        rch__emit(cap, rch__field_at(cap, gen, L->gen_exc_state + L->exc_state_traceback));
    rch__emit(cap, rch__field_at(cap, gen, kind_offset(cap, type)));
    rch_addr iframe = suspended_frame(cap, gen);
    rch_addr code = iframe ? rch__iframe_field(cap, iframe, L->iframe_code) : 0;
    if (iframe)
        rch__emit_iframe(cap, iframe);
    bool keeps_code = !iframe && L->gen_code == RCH_ABSENT;  // 3.12+: until the generator goes
    if (keeps_code)
        rch__emit(cap, rch__frame_ref(
                           cap, rch__field_at(cap, gen + (uint32_t)L->gen_iframe, L->iframe_code)));
    uint64_t key = iframe ? code : 1;
    uint32_t shape = rch__shape_find(cap, type, key);
    if (shape != RCH_NO_NODE)
        return shape;
    rch__shape_begin(cap, type);
    cap->labels.num = 0;
    for (size_t i = 0; i < NUM_GENERATOR_ROWS; i++)
        if (generator_offset(cap, i) != RCH_ABSENT)
            rch__label_add(cap, RCH_EDGE_FIELD, generator_rows[i].name, generator_rows[i].flags);
    if (three)
        rch__label_add(cap, RCH_EDGE_FIELD, "exception type", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD, "exception", FIXED);
    if (three)
        rch__label_add(cap, RCH_EDGE_TRACEBACK, "exception traceback", FIXED);
    rch__label_add(cap, RCH_EDGE_FIELD,
                   type->family && type->family->name[0] == 'a' ? "finalizer" : "cr_origin", FIXED);
    if (keeps_code)
        rch__label_add(cap, RCH_EDGE_FIELD, "f_code", FIXED);
    return rch__shape_end(cap, type, key, iframe ? rch__label_iframe(cap, code) : 0);
}

// ---- sizes --------------------------------------------------------------------------------------

static uint64_t num_slots(struct rch__cap *cap, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    return num_named(cap, code) + rch_load32(cap->t, code + (uint32_t)L->code_stacksize);
}

uint64_t rch__size_frame(struct rch__cap *cap, const struct rch__type *type, rch_addr frame)
{
    const struct rch_layout *L = cap->L;
    if (L->frame_iframe == RCH_ABSENT)  // the struct has room for one slot
        return (uint64_t)type->basicsize +
               num_slots(cap, rch__field_at(cap, frame, L->frame_code)) * 8 - 8;
    rch_addr code =
        rch__iframe_field(cap, rch__field_at(cap, frame, L->frame_iframe), L->iframe_code);
    return (uint64_t)(uint32_t)L->frame_inline_data + (uint32_t)L->iframe_localsplus +
           num_slots(cap, code) * 8;  // wherever they lie
}

uint64_t rch__size_generator(struct rch__cap *cap, const struct rch__type *type, rch_addr gen)
{
    const struct rch_layout *L = cap->L;
    if (L->gen_iframe == RCH_ABSENT)
        return (uint64_t)type->basicsize;
    rch_addr code = rch__iframe_field(cap, gen + (uint32_t)L->gen_iframe, L->iframe_code);
    return (uint64_t)(uint32_t)L->gen_iframe + (uint32_t)L->iframe_localsplus +
           num_slots(cap, code) * 8;
}
