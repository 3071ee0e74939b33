// SPDX-License-Identifier: MIT
// capture/decode_code.c -- functions, whose closure tuple takes the names of the free variables, and
// code objects, which own much and show tp_traverse nothing. Layouts: funcobject.h, cpython/code.h.
#include "capture/families.h"

#define FIXED RCH_LABEL_FIXED
#define MAX_FREE_VARIABLES 4096
#define FAST_FREE 0x80  // co_localspluskinds: the slot belongs to a closure

struct named_offset {
    const char *name;
    size_t layout_member;
    uint8_t kind;
    uint16_t flags;
};
#define AT(member) offsetof(struct rch_layout, member)

static int32_t offset_of(const struct rch__cap *cap, const struct named_offset *row)
{
    return *(const int32_t *)(const void *)((const char *)cap->L + row->layout_member);
}

static void emit_rows(struct rch__cap *cap, const struct named_offset *rows, size_t num,
                      rch_addr object)
{
    for (size_t i = 0; i < num; i++)
        if (offset_of(cap, &rows[i]) != RCH_ABSENT)
            rch__emit(cap, rch_load64(cap->t, object + (uint32_t)offset_of(cap, &rows[i])));
}

static void label_rows(struct rch__cap *cap, const struct named_offset *rows, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (offset_of(cap, &rows[i]) != RCH_ABSENT)
            rch__label_add(cap, (enum rch_edge_kind)rows[i].kind, rows[i].name, rows[i].flags);
}

static const struct named_offset function_rows[] = {
    {"__code__", AT(func_code), RCH_EDGE_FIELD, FIXED},
    {"__globals__", AT(func_globals), RCH_EDGE_FIELD, FIXED},
    {"__builtins__", AT(func_builtins), RCH_EDGE_FIELD, FIXED},
    {"__name__", AT(func_name), RCH_EDGE_FIELD, FIXED},
    {"__qualname__", AT(func_qualname), RCH_EDGE_FIELD, FIXED},
    {"__defaults__", AT(func_defaults), RCH_EDGE_FIELD, 0},
    {"__kwdefaults__", AT(func_kwdefaults), RCH_EDGE_FIELD, 0},
    {"__closure__", AT(func_closure), RCH_EDGE_FIELD, FIXED | RCH_LABEL_FOLD_FORWARD},
    {"__doc__", AT(func_doc), RCH_EDGE_FIELD, FIXED},
    {"__dict__", AT(func_dict), RCH_EDGE_DICT, FIXED | RCH_LABEL_FOLD_FORWARD},
    {"__module__", AT(func_module), RCH_EDGE_FIELD, FIXED},
    {"__annotations__", AT(func_annotations), RCH_EDGE_FIELD, 0},
    {"__annotate__", AT(func_annotate), RCH_EDGE_FIELD, 0},
    {"__type_params__", AT(func_typeparams), RCH_EDGE_FIELD, FIXED},
};
#define NUM_FUNCTION_ROWS (sizeof(function_rows) / sizeof(function_rows[0]))

static void label_free_variables(struct rch__cap *cap, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    bool has_kinds = L->code_localspluskinds != RCH_ABSENT;
    rch_addr names = rch_load64(
        cap->t, code + (uint32_t)(has_kinds ? L->code_localsplusnames : L->code_freevars));
    rch_addr kinds = has_kinds ? rch_load64(cap->t, code + (uint32_t)L->code_localspluskinds) : 0;
    uint64_t num = names ? rch_load64(cap->t, names + (uint32_t)L->var_size) : 0;
    for (uint64_t i = 0; i < num && i < MAX_FREE_VARIABLES; i++) {
        if (kinds && !(rch_load8(cap->t, kinds + (uint32_t)L->bytes_data + i) & FAST_FREE))
            continue;
        rch_addr name = rch_load64(cap->t, names + (uint32_t)L->tuple_items + i * 8);
        rch__label_add_str(cap, RCH_EDGE_CLOSURE, rch__intern_str(cap, name), 0);
    }
}

// The closure is a tuple of its own in the graph; its labels come from the function's code.
static void name_closure(struct rch__cap *cap, rch_addr function, rch_addr closure)
{
    const struct rch_layout *L = cap->L;
    rch_addr code = rch_load64(cap->t, function + (uint32_t)L->func_code);
    struct rch__type *tuple =
        rch__type_get(cap, rch_load64(cap->t, closure + (uint32_t)L->object_type));
    uint32_t shape = rch__shape_find(cap, tuple, code);
    if (shape == RCH_NO_NODE) {
        rch__shape_begin(cap, tuple);
        label_free_variables(cap, code);
        rch__label_add(cap, RCH_EDGE_ITEM, NULL, FIXED);  // more cells than names: never seen
        shape = rch__shape_end(cap, tuple, code, 1);
    }
    struct rch__code_names row = {rch_code(&cap->index, closure), shape};
    if (cap->status == RCH_OK && row.tuple_code != RCH_NO_CODE)
        cap->status = rch_vec_append(&cap->closures, &row, 1, &cap->err);
}

uint32_t rch__decode_function(struct rch__cap *cap, struct rch__type *type, rch_addr function)
{
    emit_rows(cap, function_rows, NUM_FUNCTION_ROWS, function);
    rch_addr closure = rch_load64(cap->t, function + (uint32_t)cap->L->func_closure);
    if (closure && (!cap->is_foreign || rch__is_of(cap, closure, "tuple")))
        name_closure(cap, function, closure);
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    cap->labels.num = 0;
    label_rows(cap, function_rows, NUM_FUNCTION_ROWS);
    return rch__shape_end(cap, type, 0, 0);
}

static const struct named_offset code_rows[] = {
    {"co_consts", AT(code_consts), RCH_EDGE_FIELD, FIXED},
    {"co_names", AT(code_names), RCH_EDGE_FIELD, FIXED},
    {"co_varnames", AT(code_varnames), RCH_EDGE_FIELD, FIXED},
    {"co_cellvars", AT(code_cellvars), RCH_EDGE_FIELD, FIXED},
    {"co_freevars", AT(code_freevars), RCH_EDGE_FIELD, FIXED},
    {"co_localsplusnames", AT(code_localsplusnames), RCH_EDGE_FIELD, FIXED},
    {"co_localspluskinds", AT(code_localspluskinds), RCH_EDGE_FIELD, FIXED},
    {"co_filename", AT(code_filename), RCH_EDGE_FIELD, FIXED},
    {"co_name", AT(code_name), RCH_EDGE_FIELD, FIXED},
    {"co_qualname", AT(code_qualname), RCH_EDGE_FIELD, FIXED},
    {"co_code", AT(code_code), RCH_EDGE_FIELD, FIXED},
    {"co_linetable", AT(code_linetable), RCH_EDGE_FIELD, FIXED},
    {"co_exceptiontable", AT(code_exceptiontable), RCH_EDGE_FIELD, FIXED},
    {"co_code", AT(code_cached_code), RCH_EDGE_FIELD, FIXED},
};
#define NUM_CODE_ROWS (sizeof(code_rows) / sizeof(code_rows[0]))

static const struct named_offset cached_rows[] = {
    // behind one pointer, 3.12+
    {"co_code", AT(code_cached_field_code), RCH_EDGE_FIELD, FIXED},
    {"co_varnames", AT(code_cached_field_varnames), RCH_EDGE_FIELD, FIXED},
    {"co_cellvars", AT(code_cached_field_cellvars), RCH_EDGE_FIELD, FIXED},
    {"co_freevars", AT(code_cached_field_freevars), RCH_EDGE_FIELD, FIXED},
};
#define NUM_CACHED_ROWS (sizeof(cached_rows) / sizeof(cached_rows[0]))

uint32_t rch__decode_code(struct rch__cap *cap, struct rch__type *type, rch_addr code)
{
    emit_rows(cap, code_rows, NUM_CODE_ROWS, code);
    if (cap->L->code_cached != RCH_ABSENT) {
        rch_addr cached = rch_load64(cap->t, code + (uint32_t)cap->L->code_cached);
        if (cached)
            emit_rows(cap, cached_rows, NUM_CACHED_ROWS, cached);
    }
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    label_rows(cap, code_rows, NUM_CODE_ROWS);
    if (cap->L->code_cached != RCH_ABSENT)
        label_rows(cap, cached_rows, NUM_CACHED_ROWS);
    return rch__shape_end(cap, type, 0, 0);
}

// 3.9 and 3.10 cache look-ups in blocks of their own: co_opcache_map (a byte each instruction) and
// co_opcache follow co_extra (cpython/code.h); an entry is three words and a flag (pycore_code.h).
static uint64_t opcache_bytes(struct rch__cap *cap, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    if (L->py_minor > 10)
        return 0;
    rch_addr members =
        code + (uint32_t)L->code_extra + 8;  // map, cache, int flag, one byte of size
    if (!rch_load64(cap->t, members + 8))
        return 0;
    rch_addr bytecode = rch_load64(cap->t, code + (uint32_t)L->code_code);
    uint64_t instructions = rch_load64(cap->t, bytecode + (uint32_t)L->var_size) / 2;
    return instructions + 32ull * rch_load8(cap->t, members + 20);
}

// code.__sizeof__: the object with its bytecode, per-code extras, caches.
uint64_t rch__size_code(struct rch__cap *cap, const struct rch__type *type, rch_addr code)
{
    const struct rch_layout *L = cap->L;
    uint64_t bytes = ((rch__size_plain(cap, type, code) + 7) & ~7ull) + opcache_bytes(cap, code);
    rch_addr extra =
        L->code_extra != RCH_ABSENT ? rch_load64(cap->t, code + (uint32_t)L->code_extra) : 0;
    if (extra) {
        uint64_t num = rch_load64(cap->t, extra);
        bytes += num < 256 ? 16 + (num ? num - 1 : 0) * 8 : 0;
    }
    if (L->code_cell2arg != RCH_ABSENT && rch_load64(cap->t, code + (uint32_t)L->code_cell2arg)) {
        rch_addr cells = rch_load64(cap->t, code + (uint32_t)L->code_cellvars);
        bytes += cells ? 8 * rch_load64(cap->t, cells + (uint32_t)L->var_size) : 0;
    }
    return bytes;
}
