// SPDX-License-Identifier: MIT
// pylayout/debug_offsets.c -- _Py_DebugOffsets: what an interpreter from 3.13 on says about its own
// layout. Words of 64 bits in an order of each minor version (Include/internal/pycore_runtime.h of 3.13,
// pycore_debug_offsets.h later).
#include <stddef.h>
#include <stdio.h>

#include "pylayout/find_impl.h"

#define COOKIE "xdebugpy"
#define FIRST_WORD 24u              // after the cookie, the version and free_threaded
#define MAX_OFFSET (1u << 20)       // an interpreter state has less than that
#define IGNORED UINT32_MAX

#define F(field) (uint32_t) offsetof(struct rch_layout, field)

struct group {
    uint32_t num;
    uint32_t fields[16];
};

// The first word of most groups is the size of the struct.
#define RUNTIME {3, {IGNORED, IGNORED, F(runtime_interpreters_head)}}
#define THREAD_HEAD IGNORED, IGNORED, F(tstate_next), F(tstate_interp), F(tstate_current_frame)
#define THREAD_IDS F(tstate_thread_id), F(tstate_native_thread_id), F(tstate_datastack_chunk)
#define CODE                                                                                      \
    IGNORED, F(code_filename), F(code_name), F(code_qualname), F(code_linetable),                  \
        F(code_firstlineno), F(code_argcount), F(code_localsplusnames), F(code_localspluskinds),   \
        F(code_code_adaptive)
#define FRAME IGNORED, F(iframe_previous), F(iframe_code), F(iframe_prev_instr),                   \
        F(iframe_localsplus), F(iframe_owner)
#define OBJECT {2, {F(object_size), F(object_type)}}
#define TUPLE {3, {IGNORED, F(tuple_items), F(var_size)}}
#define LIST {3, {IGNORED, F(list_items), F(var_size)}}
#define SET {4, {IGNORED, F(set_used), F(set_table), F(set_mask)}}
#define DICT {3, {F(dict_object_size), F(dict_keys), F(dict_values)}}
#define FLOAT {2, {IGNORED, IGNORED}}
#define LONG {3, {IGNORED, F(long_size_or_tag), F(long_digits)}}
#define BYTES {3, {IGNORED, F(var_size), F(bytes_data)}}
#define UNICODE IGNORED, F(str_state), F(str_length), F(str_ascii_data)

static const struct group groups_3_13[] = {
    RUNTIME,
    {13,
     {IGNORED, F(interp_id), F(interp_next), F(interp_threads_head), F(interp_gc),
      F(interp_modules), F(interp_sysdict), F(interp_builtins), IGNORED, IGNORED, IGNORED, IGNORED,
      IGNORED}},
    {9, {THREAD_HEAD, THREAD_IDS, IGNORED}},
    {6, {FRAME}},
    {10, {CODE}},
    OBJECT,
    {4, {F(statictype_size), F(type_name), F(type_repr), F(type_flags)}},
    TUPLE,
    LIST,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    {4, {UNICODE}},
    {2, {IGNORED, F(gc_collecting)}},
    {0},
};

static const struct group groups_3_14[] = {
    RUNTIME,
    {16,
     {IGNORED, F(interp_id), F(interp_next), F(interp_threads_head), IGNORED, F(interp_gc),
      F(interp_modules), F(interp_sysdict), F(interp_builtins), IGNORED, IGNORED, IGNORED, IGNORED,
      IGNORED, IGNORED, IGNORED}},
    {9, {THREAD_HEAD, THREAD_IDS, IGNORED}},
    {8, {FRAME, IGNORED, IGNORED}},
    {11, {CODE, IGNORED}},
    OBJECT,
    {4, {F(statictype_size), F(type_name), F(type_repr), F(type_flags)}},
    TUPLE,
    LIST,
    SET,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    {4, {UNICODE}},
    {2, {IGNORED, F(gc_collecting)}},
    {4, {IGNORED, F(gen_name), F(gen_iframe), F(gen_frame_state)}},
    {0},
};

static const struct group groups_3_15[] = {
    RUNTIME,
    {16,
     {IGNORED, F(interp_id), F(interp_next), F(interp_threads_head), IGNORED, F(interp_gc),
      F(interp_modules), F(interp_sysdict), F(interp_builtins), IGNORED, IGNORED, IGNORED, IGNORED,
      IGNORED, IGNORED, IGNORED}},
    {16,
     {THREAD_HEAD, IGNORED, IGNORED, IGNORED, THREAD_IDS, IGNORED, IGNORED, IGNORED,
      F(tstate_current_exception), F(tstate_exc_state)}},
    {1, {F(exc_state_value)}},
    {8, {FRAME, IGNORED, IGNORED}},
    {11, {CODE, IGNORED}},
    OBJECT,
    {6,
     {F(statictype_size), F(type_name), F(type_repr), F(type_flags), F(type_basicsize),
      F(type_dictoffset)}},
    {2, {F(heaptype_size), F(heaptype_cached_keys)}},
    TUPLE,
    LIST,
    SET,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    {5, {UNICODE, F(str_compact_data)}},
    {5, {IGNORED, F(gc_collecting), IGNORED, IGNORED, IGNORED}},
    {4, {IGNORED, F(gen_name), F(gen_iframe), F(gen_frame_state)}},
    {0},
};

static const struct group *groups_of(uint32_t version_hex)
{
    switch (version_hex >> 16) {
    case 0x030d: return groups_3_13;
    case 0x030e: return groups_3_14;
    case 0x030f: return groups_3_15;
    default: return NULL;
    }
}

bool rch_version_of_hex(uint64_t hex, struct rch_python_version *version)
{
    *version = (struct rch_python_version){
        .major = (uint32_t)(hex >> 24),
        .minor = hex >> 16 & 0xff,
        .micro = hex >> 8 & 0xff,
        .is_certain = true,
    };
    return hex >> 32 == 0 && version->major == 3 && version->minor > 0;
}

bool rch_debug_offsets_read(struct rch_target *target, uint64_t runtime,
                            struct rch_debug_offsets *offsets)
{
    struct {
        char cookie[8];
        uint64_t version, is_free_threaded;
    } head;
    struct rch_python_version version;
    if (!rch_target_read(target, runtime, &head, sizeof(head)) ||
        memcmp(head.cookie, COOKIE, sizeof(head.cookie)) != 0 ||
        !rch_version_of_hex(head.version, &version) || version.minor < 13)
        return false;
    offsets->version_hex = (uint32_t)head.version;
    offsets->is_free_threaded = head.is_free_threaded != 0;
    return true;
}

static const char *name_of(uint32_t field)
{
    return rch_layout_field_name((field - F(object_refcnt)) / (uint32_t)sizeof(int32_t));
}

static void add_word(char *words, size_t words_bytes, const char *word)
{
    size_t num = strlen(words);
    if (num < words_bytes)
        snprintf(words + num, words_bytes - num, "%s%s", num ? ", " : "", word);
}

uint32_t rch_debug_offsets_apply(struct rch_target *target, uint64_t runtime,
                                 struct rch_layout *layout, char *words, size_t words_bytes)
{
    struct rch_debug_offsets offsets;
    uint32_t num_changed = 0;
    words[0] = '\0';
    if (!rch_debug_offsets_read(target, runtime, &offsets))
        return 0;
    uint64_t at = runtime + FIRST_WORD;
    for (const struct group *group = groups_of(offsets.version_hex); group && group->num; group++) {
        for (uint32_t i = 0; i < group->num; i++, at += 8) {
            uint64_t value;
            if (group->fields[i] == IGNORED)
                continue;
            int32_t *field = (int32_t *)(void *)((char *)layout + group->fields[i]);
            if (*field == RCH_ABSENT || !rch_target_read(target, at, &value, sizeof(value)) ||
                value > MAX_OFFSET || (int32_t)value == *field)
                continue;
            *field = (int32_t)value;
            num_changed++;
            add_word(words, words_bytes, name_of(group->fields[i]));
        }
    }
    return num_changed;
}
