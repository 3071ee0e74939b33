// SPDX-License-Identifier: MIT
// pylayout/validate.c -- try a table out on objects that are known otherwise. The check of the GC
// heads is the strongest: four list heads at fixed distances, each circular in both directions,
// did not occur by chance in any interpreter state looked at. When they are not where the table
// says, they are searched for, to say in the answer where they are.
#include "pylayout/validate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define MAX_LIST_STEPS 256     // from each end of a GC list
#define MAX_ALL_STEPS 100000u  // along all lists that are tried
#define MAX_THREADS 4096
#define GC_SEARCH_BYTES 65536  // of the interpreter state
#define FLAG_READY (1u << 12)  // Py_TPFLAGS_READY
#define FLAG_TYPE_SUBCLASS (1u << 31)

struct check {
    const struct rch_layout *layout;
    struct rch_target *target;
    const struct rch_layout_probe *probe;
    char *why_not;
    size_t why_bytes;
    uint32_t steps_left;  // along GC lists
};

static bool reject(struct check *check, const char *fmt, ...) RCH_PRINTF(2, 3);
static bool reject(struct check *check, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (check->why_bytes > 0)
        vsnprintf(check->why_not, check->why_bytes, fmt, args);
    va_end(args);
    return false;
}

static bool load_word(struct check *check, uint64_t addr, int32_t offset, uint64_t *word)
{
    return rch_target_read(check->target, addr + (uint64_t)(int64_t)offset, word, sizeof(*word));
}

// The word at obj + offset must be `want`.
static bool holds(struct check *check, const char *what, uint64_t obj, int32_t offset,
                  uint64_t want)
{
    uint64_t word;
    if (!load_word(check, obj, offset, &word))
        return reject(check, "%s: cannot read %#" PRIx64 "%+" PRId32, what, obj, offset);
    if (word != want)
        return reject(check, "%s: %#" PRIx64 " at offset %" PRId32 ", expected %#" PRIx64, what,
                      word, offset, want);
    return true;
}

static bool check_type_name(struct check *check, uint64_t type, const char *want)
{
    uint64_t name_addr;
    char name[16] = {0};
    size_t num_bytes = strlen(want) + 1;
    if (!load_word(check, type, check->layout->type_name, &name_addr) ||
        !rch_target_read(check->target, name_addr, name, num_bytes))
        return reject(check, "cannot read the name of the type %s", want);
    if (memcmp(name, want, num_bytes) != 0)
        return reject(check, "the type %s has another name", want);
    return true;
}

static bool check_size_of(struct check *check, const char *what, uint64_t type, int64_t min,
                          int64_t max)
{
    int64_t size;
    if (!rch_target_read(check->target, type + (uint64_t)check->layout->type_basicsize, &size,
                         sizeof(size)))
        return reject(check, "cannot read the size of %s", what);
    if (size < min || size > max)
        return reject(check, "the size of %s is %" PRId64, what, size);
    return true;
}

static bool check_type(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    uint64_t type = check->probe->type_type, flags, base, mro;
    if (!holds(check, "type(type)", type, layout->object_type, type) ||
        !check_type_name(check, type, "type") ||
        !check_size_of(check, "a heap type", type, layout->heaptype_size - 64,
                       layout->heaptype_size + 1024))
        return false;
    if (!load_word(check, type, layout->type_flags, &flags))
        return reject(check, "cannot read the flags of type");
    if (!(flags & FLAG_TYPE_SUBCLASS) || !(flags & FLAG_READY))
        return reject(check, "the flags of type are %#" PRIx64, flags);
    // Its base is object: a type that has no base itself. Its mro is a tuple of the two.
    if (!load_word(check, type, layout->type_base, &base) ||
        !holds(check, "type(type.__base__)", base, layout->object_type, type) ||
        !holds(check, "the base of object", base, layout->type_base, 0))
        return reject(check, "type.__base__ is not object");
    if (!load_word(check, type, layout->type_mro, &mro) ||
        !holds(check, "len(type.__mro__)", mro, layout->var_size, 2) ||
        !holds(check, "type.__mro__[0]", mro, layout->tuple_items, type))
        return false;
    return holds(check, "type.__mro__[1]", mro, layout->tuple_items + 8, base);
}

static bool check_sequences(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    const struct rch_layout_probe *probe = check->probe;
    uint64_t items;
    if (probe->tuple &&
        (!holds(check, "len(tuple)", probe->tuple, layout->var_size, 1) ||
         !holds(check, "tuple[0]", probe->tuple, layout->tuple_items, probe->tuple_item)))
        return false;
    if (!probe->list)
        return true;
    if (!load_word(check, probe->list, layout->list_items, &items))
        return reject(check, "cannot read the list");
    return holds(check, "len(list)", probe->list, layout->var_size, 1) &&
           holds(check, "list[0]", items, 0, probe->list_item);
}

// Where the entries of these keys start, relative to the keys; -1 if the sizes make no sense.
static int64_t entries_offset(struct check *check, uint64_t keys)
{
    const struct rch_layout *layout = check->layout;
    if (layout->keys_log2_index_bytes != RCH_ABSENT) {
        uint8_t log2_bytes =
            rch_load8(check->target, keys + (uint64_t)layout->keys_log2_index_bytes);
        return log2_bytes > 40 ? -1 : layout->keys_indices + (INT64_C(1) << log2_bytes);
    }
    uint64_t size = rch_load64(check->target, keys + (uint64_t)layout->keys_size);
    if (size == 0 || size > 0xff)  // a dict of one entry has 8 slots of one byte
        return -1;
    return layout->keys_indices + (int64_t)size;
}

static bool check_dict(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    const struct rch_layout_probe *probe = check->probe;
    uint64_t dict = probe->dict, keys;
    int32_t entry_key = layout->entry_key, entry_value = layout->entry_value;
    if (!dict)
        return true;
    if (!holds(check, "len(dict)", dict, layout->dict_used, 1) ||
        !holds(check, "the values of a combined dict", dict, layout->dict_values, 0))
        return false;
    if (!load_word(check, dict, layout->dict_keys, &keys) ||
        !holds(check, "the dict's number of entries", keys, layout->keys_nentries, 1))
        return reject(check, "the keys of the dict make no sense");
    int64_t offset = entries_offset(check, keys);
    if (offset < 0)
        return reject(check, "the index size of the dict makes no sense");
    if (layout->keys_kind != RCH_ABSENT) {
        int32_t kind = rch_load8(check->target, keys + (uint64_t)layout->keys_kind);
        if (kind == layout->keys_unicode) {
            entry_key = layout->unicode_entry_key;
            entry_value = layout->unicode_entry_value;
        } else if (kind != layout->keys_general) {
            return reject(check, "the kind of the dict's keys is %" PRId32, kind);
        }
    }
    return holds(check, "the dict's key", keys + (uint64_t)offset, entry_key, probe->dict_key) &&
           holds(check, "the dict's value", keys + (uint64_t)offset, entry_value,
                 probe->dict_value);
}

static bool check_str(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    const struct rch_layout_probe *probe = check->probe;
    char text[64];
    if (!probe->str || !probe->str_text)
        return true;
    size_t num_bytes = strlen(probe->str_text);
    if (num_bytes >= sizeof(text))
        return reject(check, "the str to check is too long");
    uint32_t state = rch_load32(check->target, probe->str + (uint64_t)layout->str_state);
    uint32_t flags = (uint32_t)layout->str_compact_bit | (uint32_t)layout->str_ascii_bit;
    uint32_t kind = state >> layout->str_kind_shift & (uint32_t)layout->str_kind_mask;
    if ((state & flags) != flags || kind != 1)
        return reject(check, "the state of an ASCII str is %#" PRIx32, state);
    if (!holds(check, "len(str)", probe->str, layout->str_length, num_bytes))
        return false;
    if (!rch_target_read(check->target, probe->str + (uint64_t)layout->str_ascii_data, text,
                         num_bytes) ||
        memcmp(text, probe->str_text, num_bytes) != 0)
        return reject(check, "the text of a str is not where it should be");
    return true;
}

static bool check_function(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    const struct rch_layout_probe *probe = check->probe;
    uint64_t function = probe->function;
    return !function ||
           (holds(check, "__code__", function, layout->func_code, probe->function_code) &&
            holds(check, "__globals__", function, layout->func_globals, probe->function_globals));
}

// Walk from the list head in one direction while the links agree; at most MAX_LIST_STEPS.
static bool links_agree(struct check *check, uint64_t head, bool forward)
{
    struct rch_target *target = check->target;
    uint64_t prev_offset = (uint64_t)check->layout->gc_prev;
    uint64_t ahead = forward ? 0 : prev_offset, behind = forward ? prev_offset : 0;
    // Flags live in the low bits: one of next, two of prev.
    uint64_t ahead_mask = forward ? ~UINT64_C(1) : ~UINT64_C(3);
    uint64_t behind_mask = forward ? ~UINT64_C(3) : ~UINT64_C(1);
    uint64_t node = head;
    for (int i = 0; i < MAX_LIST_STEPS; i++) {
        uint64_t next, back;
        if (check->steps_left == 0)
            return false;
        check->steps_left--;
        if (!rch_target_read(target, node + ahead, &next, sizeof(next)))
            return false;
        next &= ahead_mask;
        if (next == 0 || next % 8 != 0 ||
            !rch_target_read(target, next + behind, &back, sizeof(back)) ||
            (back & behind_mask) != node)
            return false;
        if (next == head)
            return true;
        node = next;
    }
    return true;
}

// Does the head lead, in both directions, to memory that list nodes could be in?
static bool leads_to_nodes(struct check *check, uint64_t head)
{
    uint64_t node, links[2];
    for (int32_t offset = 0; offset <= check->layout->gc_prev; offset += check->layout->gc_prev) {
        if (!load_word(check, head, offset, &node) || (node & ~UINT64_C(3)) == 0 ||
            !rch_target_read(check->target, node & ~UINT64_C(3), links, sizeof(links)))
            return false;
    }
    return true;
}

// A thread of another process may have been stopped while it linked an object into a list. It has the
// GIL for that, so of all lists one may be odd (*num_odd counts).
static bool is_generation(struct check *check, uint64_t head, int *num_odd)
{
    const struct rch_layout *layout = check->layout;
    uint32_t threshold;
    if (!rch_target_read(check->target, head + (uint64_t)layout->gc_generation_threshold,
                         &threshold, sizeof(threshold)) ||
        threshold > INT32_MAX)
        return false;
    if (links_agree(check, head, true) && links_agree(check, head, false))
        return true;
    return !check->target->is_own && ++*num_odd == 1 && leads_to_nodes(check, head);
}

// Are the collected generations, one after the other, and the permanent one here?
static bool are_generations(struct check *check, uint64_t gc)
{
    const struct rch_layout *layout = check->layout;
    uint64_t head = gc + (uint64_t)layout->gc_generation0;
    int num_odd = 0;
    for (int32_t i = 0; i < layout->gc_num_generations; i++) {
        if (!is_generation(check, head + (uint64_t)(i * layout->gc_generation_size), &num_odd))
            return false;
    }
    uint64_t permanent = gc + (uint64_t)layout->gc_permanent;
    uint32_t threshold;  // never collected, so 0
    return is_generation(check, permanent, &num_odd) &&
           rch_target_read(check->target, permanent + (uint64_t)layout->gc_generation_threshold,
                           &threshold, sizeof(threshold)) &&
           threshold == 0;
}

// Say where the GC state is instead. Wild reads ahead: not through plain loads.
static bool reject_gc(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    uint64_t interp = check->probe->interp;
    for (uint64_t at = 0; !check->target->is_own && at < GC_SEARCH_BYTES; at += 8) {
        uint64_t first;  // the youngest generation's first object
        if (!load_word(check, interp + at, layout->gc_generation0, &first))
            break;
        if (first != 0 && are_generations(check, interp + at))
            return reject(check,
                          "the GC state is %" PRIu64 " bytes into the interpreter state, the table "
                          "says %" PRId32,
                          at, layout->interp_gc);
    }
    return reject(check, "the GC generations are not %" PRId32 " bytes into the interpreter state",
                  layout->interp_gc);
}

static bool check_gc(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    uint64_t gc = check->probe->interp + (uint64_t)layout->interp_gc;
    uint32_t collecting;
    if (layout->gc_generation0 == RCH_ABSENT)
        return true;  // a collector without lists
    if (!rch_target_read(check->target, gc + (uint64_t)layout->gc_collecting, &collecting,
                         sizeof(collecting)))
        return reject(check, "cannot read the GC state");
    if (collecting == 1)  // prev links hold counts now: nothing to compare
        return true;
    return are_generations(check, gc) || reject_gc(check);
}

static bool check_threads(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    uint64_t interp = check->probe->interp, tstate;
    if (!load_word(check, interp, layout->interp_threads_head, &tstate) || tstate == 0)
        return reject(check, "the interpreter has no threads");
    for (int i = 0; tstate != 0 && i < MAX_THREADS; i++) {
        if (!holds(check, "a thread's interpreter", tstate, layout->tstate_interp, interp))
            return false;
        if (!load_word(check, tstate, layout->tstate_next, &tstate))
            return reject(check, "cannot read the list of threads");
    }
    return true;
}

static bool has_type(struct check *check, uint64_t place, uint64_t type)
{
    uint64_t obj, obj_type;
    return rch_target_read(check->target, place, &obj, sizeof(obj)) && obj != 0 &&
           load_word(check, obj, check->layout->object_type, &obj_type) && obj_type == type;
}

static bool check_interp(struct check *check)
{
    const struct rch_layout *layout = check->layout;
    const struct rch_layout_probe *probe = check->probe;
    const struct {
        const char *name;
        int32_t offset;
    } dicts[] = {
        {"sys.modules", layout->interp_modules},
        {"the dict of sys", layout->interp_sysdict},
        {"the dict of builtins", layout->interp_builtins},
    };
    if (!probe->interp)
        return true;
    if (!check_threads(check))
        return false;
    for (size_t i = 0; probe->dict_type && i < sizeof(dicts) / sizeof(dicts[0]); i++) {
        if (!has_type(check, probe->interp + (uint64_t)dicts[i].offset, probe->dict_type))
            return reject(check, "%s is not a dict %" PRId32 " bytes into the interpreter state",
                          dicts[i].name, dicts[i].offset);
    }
    return check_gc(check);
}

enum rch_status rch_layout_validate(const struct rch_layout *layout, struct rch_target *target,
                                    const struct rch_layout_probe *probe, char *why_not,
                                    size_t why_bytes)
{
    struct check check = {
        .layout = layout,
        .target = target,
        .probe = probe,
        .why_not = why_not,
        .why_bytes = why_bytes,
        .steps_left = MAX_ALL_STEPS,
    };
    if (why_bytes > 0)
        why_not[0] = '\0';
    if (!probe->type_type)
        reject(&check, "the address of `type` is not known");
    else if (check_type(&check) && check_sequences(&check) && check_dict(&check) &&
             check_str(&check) && check_function(&check) && check_interp(&check))
        return RCH_OK;
    return RCH_EUNSUPPORTED;
}
