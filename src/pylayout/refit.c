// SPDX-License-Identifier: MIT
// pylayout/refit.c -- what lies behind the collector's state in the interpreter state, whose place is
// not the same in all patch releases: confirm, find again, or give up field by field.
#include <stdbool.h>
#include <stddef.h>

#include "pylayout/validate.h"

#define SEARCH_BYTES (UINT64_C(1) << 20)
#define MAX_STATIC_TYPES 512
#define MIN_STATIC_TYPES 32
#define MAX_SHIFT 64

#define AT(field) offsetof(struct rch_layout, field)

struct refit {
    struct rch_layout *layout;
    struct rch_target *target;
    const struct rch_layout_probe *probe;
    uint32_t num_changed;
};

static void set(struct refit *refit, int32_t *field, int32_t value)
{
    if (*field != value)
        refit->num_changed++;
    *field = value;
}

static void move(struct refit *refit, int32_t *field, int32_t by)
{
    if (*field != RCH_ABSENT)
        set(refit, field, *field + by);
}

static bool has_type(struct refit *refit, uint64_t obj, uint64_t type)
{
    uint64_t seen;
    return obj != 0 && obj % 8 == 0 &&
           rch_target_read(refit->target, obj + (uint64_t)refit->layout->object_type, &seen,
                           sizeof(seen)) &&
           seen == type;
}

// Is this the array of the static types' states, with num of them? Each names its type, which is
// a type and knows its own index, from 1.
static bool is_state_array(struct refit *refit, uint64_t array, uint64_t num)
{
    const struct rch_layout *layout = refit->layout;
    if (num < MIN_STATIC_TYPES || num > MAX_STATIC_TYPES)
        return false;
    for (uint64_t i = 0; i < num; i++) {
        uint64_t state = array + i * (uint64_t)layout->static_type_state_size, type, index;
        if (!rch_target_read(refit->target, state + (uint64_t)layout->static_type_type, &type,
                             sizeof(type)) ||
            !has_type(refit, type, refit->probe->type_type) ||
            !rch_target_read(refit->target, type + (uint64_t)layout->type_subclasses, &index,
                             sizeof(index)) ||
            index != i + 1)
            return false;
    }
    return true;
}

static bool are_static_types_at(struct refit *refit, int64_t moved_by)
{
    const struct rch_layout *layout = refit->layout;
    uint64_t base = refit->probe->interp + (uint64_t)moved_by, num;
    return rch_target_read(refit->target, base + (uint64_t)layout->interp_num_static_types, &num,
                           sizeof(num)) &&
           is_state_array(refit, base + (uint64_t)layout->interp_static_types, num);
}

// How far the states are from where the table says; false if they are not in reach.
static bool find_static_types(struct refit *refit, int32_t *moved_by)
{
    const struct rch_layout *layout = refit->layout;
    int64_t first = layout->interp_num_static_types;
    for (uint64_t at = 0; at < SEARCH_BYTES; at += 8) {
        uint64_t num;
        if (!rch_target_read(refit->target, refit->probe->interp + at, &num, sizeof(num)))
            return false;
        int64_t by = (int64_t)at - first;
        if (num >= MIN_STATIC_TYPES && num <= MAX_STATIC_TYPES && are_static_types_at(refit, by)) {
            *moved_by = (int32_t)by;
            return true;
        }
    }
    return false;
}

static void refit_static_types(struct refit *refit, int32_t *moved_by)
{
    struct rch_layout *layout = refit->layout;
    *moved_by = 0;
    if (layout->interp_static_types == RCH_ABSENT || are_static_types_at(refit, 0))
        return;
    int32_t *const fields[] = {&layout->interp_static_types, &layout->interp_num_static_types,
                               &layout->interp_ext_static_types,
                               &layout->interp_num_ext_static_types};
    bool is_found = !refit->target->is_own && find_static_types(refit, moved_by);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (is_found)
            move(refit, fields[i], *moved_by);
        else
            set(refit, fields[i], RCH_ABSENT);
    }
}

// Are all `num` words here NULL, or objects -- of this type, when it is not 0?
static bool are_objects(struct refit *refit, int32_t offset, int32_t num, uint64_t type)
{
    for (int32_t i = 0; i < num; i++) {
        uint64_t obj, obj_type, meta = 0;
        if (!rch_target_read(refit->target,
                             refit->probe->interp + (uint64_t)offset + 8 * (uint64_t)i, &obj,
                             sizeof(obj)))
            return false;
        if (obj == 0)
            continue;
        if (obj % 8 != 0 ||
            !rch_target_read(refit->target, obj + (uint64_t)refit->layout->object_type, &obj_type,
                             sizeof(obj_type)) ||
            (type && obj_type != type))
            return false;
        // The type of a type is `type`, or a metaclass, whose type is `type`.
        for (int hop = 0; hop < 2 && obj_type != refit->probe->type_type; hop++) {
            if (obj_type == 0 || obj_type % 8 != 0 ||
                !rch_target_read(refit->target, obj_type + (uint64_t)refit->layout->object_type,
                                 &meta, sizeof(meta)))
                return false;
            obj_type = meta;
        }
        if (obj_type != refit->probe->type_type)
            return false;
    }
    return true;
}

// Keep the field, moved along with the static types, if num such objects are there; else drop it.
static void refit_objects(struct refit *refit, int32_t *field, int32_t moved_by, int32_t num,
                          uint64_t type)
{
    if (*field == RCH_ABSENT)
        return;
    if (are_objects(refit, *field + moved_by, num, type))
        move(refit, field, moved_by);
    else
        set(refit, field, RCH_ABSENT);
}

// Is there an array of that many callbacks, the first of which has a function and arguments?
static bool are_callbacks(struct refit *refit)
{
    const struct rch_layout *layout = refit->layout;
    uint64_t interp = refit->probe->interp, array, callback, func;
    uint32_t num;
    if (!rch_target_read(refit->target, interp + (uint64_t)layout->interp_atexit_num, &num,
                         sizeof(num)) ||
        !rch_target_read(refit->target, interp + (uint64_t)layout->interp_atexit_callbacks, &array,
                         sizeof(array)) ||
        num > (1u << 24) || array % 8 != 0 || (num > 0 && array == 0))
        return false;
    return num == 0 ||
           (rch_target_read(refit->target, array, &callback, sizeof(callback)) &&
            (callback == 0 || rch_target_read(refit->target, callback, &func, sizeof(func))));
}

// ---- a shift of all that follows the collector ---------------------------------------------------

static const size_t behind_gc[] = {
    AT(interp_modules),
    AT(interp_modules_by_index),
    AT(interp_sysdict),
    AT(interp_builtins),
    AT(interp_builtins_copy),
    AT(interp_importlib),
    AT(interp_import_func),
    AT(interp_codec_search_path),
    AT(interp_codec_search_cache),
    AT(interp_codec_error_registry),
    AT(interp_dict),
    AT(interp_before_forkers),
    AT(interp_after_forkers_parent),
    AT(interp_after_forkers_child),
    AT(interp_audit_hooks),
    AT(interp_asyncio_tasks),
    AT(interp_warnings_filters),
    AT(interp_warnings_once_registry),
    AT(interp_warnings_default_action),
    AT(interp_warnings_context),
    AT(interp_sysdict_copy),
    AT(interp_interned_strings),
    AT(interp_monitoring_callables),
    AT(interp_monitoring_tool_names),
    AT(interp_errnomap),
    AT(interp_dict_descriptor),
    AT(interp_weakref_descriptor),
    AT(interp_lazy_import_func),
    AT(interp_lazy_imports_filter),
    AT(interp_lazy_modules),
    AT(interp_lazy_pending),
    AT(interp_atexit_list),
    AT(interp_atexit_callbacks),
    AT(interp_atexit_num),
    AT(interp_pyexitmodule),
    AT(interp_static_types),
    AT(interp_num_static_types),
    AT(interp_ext_static_types),
    AT(interp_num_ext_static_types),
};

static int32_t *field_at(struct rch_layout *layout, size_t at)
{
    return (int32_t *)(void *)((char *)layout + at);
}

static bool are_dicts_at(struct refit *refit, const struct rch_layout *table, int32_t by)
{
    const int32_t offsets[] = {table->interp_modules, table->interp_sysdict,
                               table->interp_builtins};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        uint64_t dict;
        if (!rch_target_read(refit->target,
                             refit->probe->interp + (uint64_t)(int64_t)(offsets[i] + by), &dict,
                             sizeof(dict)) ||
            !has_type(refit, dict, refit->probe->dict_type))
            return false;
    }
    return true;
}

uint32_t rch_layout_shift(struct rch_layout *layout, struct rch_target *target,
                          const struct rch_layout_probe *probe)
{
    struct refit refit = {.layout = layout, .target = target, .probe = probe};
    const struct rch_layout *table = rch_layout_origin(layout);
    int32_t by = 0;
    if (!table || !probe->interp || !probe->dict_type)
        return 0;
    while (by <= MAX_SHIFT && !are_dicts_at(&refit, table, by))
        by = by < 0 ? -by + 8 : by == 0 ? 8 : -by;
    if (by > MAX_SHIFT || by == 0)
        return 0;
    for (size_t i = 0; i < sizeof(behind_gc) / sizeof(behind_gc[0]); i++) {
        int32_t told = *(const int32_t *)(const void *)((const char *)table + behind_gc[i]);
        if (told != RCH_ABSENT && told > table->interp_gc)
            set(&refit, field_at(layout, behind_gc[i]), told + by);
    }
    return refit.num_changed;
}

// ---- field by field ------------------------------------------------------------------------------

static const struct {
    size_t at;
    bool is_dict;
} near_gc[] = {
    {AT(interp_modules_by_index), false},
    {AT(interp_builtins_copy), true},
    {AT(interp_sysdict_copy), true},
    {AT(interp_importlib), false},
    {AT(interp_import_func), false},
    {AT(interp_codec_search_path), false},
    {AT(interp_codec_search_cache), true},
    {AT(interp_codec_error_registry), true},
    {AT(interp_dict), true},
    {AT(interp_before_forkers), false},
    {AT(interp_after_forkers_parent), false},
    {AT(interp_after_forkers_child), false},
    {AT(interp_audit_hooks), false},
    {AT(interp_warnings_filters), false},
    {AT(interp_warnings_once_registry), false},
    {AT(interp_warnings_default_action), false},
    {AT(interp_warnings_context), false},
    {AT(interp_lazy_import_func), false},
    {AT(interp_lazy_imports_filter), false},
    {AT(interp_lazy_modules), false},
    {AT(interp_lazy_pending), true},
    {AT(interp_atexit_list), false},
    {AT(interp_pyexitmodule), false},
    {AT(interp_errnomap), true},
};

static void refit_near(struct refit *refit)
{
    for (size_t i = 0; i < sizeof(near_gc) / sizeof(near_gc[0]); i++)
        refit_objects(refit, field_at(refit->layout, near_gc[i].at), 0, 1,
                      near_gc[i].is_dict ? refit->probe->dict_type : 0);
}

uint32_t rch_layout_refit(struct rch_layout *layout, struct rch_target *target,
                          const struct rch_layout_probe *probe)
{
    struct refit refit = {.layout = layout, .target = target, .probe = probe};
    int32_t moved_by;
    refit.num_changed = rch_layout_shift(layout, target, probe);
    refit_static_types(&refit, &moved_by);
    refit_near(&refit);
    refit_objects(&refit, &layout->interp_dict_descriptor, moved_by, 1, 0);
    refit_objects(&refit, &layout->interp_weakref_descriptor, moved_by, 1, 0);
    refit_objects(&refit, &layout->interp_interned_strings, moved_by, 1, probe->dict_type);
    refit_objects(&refit, &layout->interp_monitoring_tool_names, moved_by,
                  layout->interp_monitoring_num_tools, 0);
    refit_objects(&refit, &layout->interp_monitoring_callables, moved_by,
                  layout->interp_monitoring_num_callables, 0);
    if (layout->interp_atexit_callbacks != RCH_ABSENT && !are_callbacks(&refit)) {
        set(&refit, &layout->interp_atexit_callbacks, RCH_ABSENT);
        set(&refit, &layout->interp_atexit_num, RCH_ABSENT);
    }
    return refit.num_changed;
}
