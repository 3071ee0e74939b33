// SPDX-License-Identifier: MIT
// capture/types.c -- one record for each Python type met: its name, the pointers at fixed offsets in
// its instances (slots, C members, the family's fields), and how the rest is decoded.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/families.h"

#define MAX_BASES 64
#define MAX_MEMBERS 1024
#define MAX_TYPE_DEPTH 16  // types whose making needs another

void rch__read_tp_name(struct rch__cap *cap, rch_addr type, char *buf, size_t buf_bytes)
{
    rch__read_cstring(cap, rch_load64(cap->t, type + (uint32_t)cap->L->type_name), buf, buf_bytes);
}

// Made by a class statement, or the like; not by C code.
static bool is_class_statement(struct rch__cap *cap, rch_addr type)
{
    const struct rch_layout *L = cap->L;
    return (rch_load64(cap->t, type + (uint32_t)L->type_flags) & RCH_TPFLAGS_HEAPTYPE) &&
           rch_load64(cap->t, type + (uint32_t)L->type_traverse) == cap->opt.subtype_traverse;
}

static bool name_is_known(const struct rch__type *type, int32_t offset)
{
    for (uint32_t i = 0; i < type->num_fields; i++)
        if (type->fields[i].offset == offset)
            return true;
    return false;
}

static struct rch__field *add_field(struct rch__cap *cap, struct rch__type *type, const char *name,
                                    int64_t offset, enum rch_edge_kind kind, uint32_t flags)
{
    if (offset < cap->L->object_size || offset > INT32_MAX || name_is_known(type, (int32_t)offset))
        return NULL;
    struct rch__field *fields = rch_arena_take(&cap->arena, type->num_fields + 1, sizeof(*fields));
    if (!fields) {
        rch__fail(cap, RCH_ENOMEM, "the fields of a type");
        return NULL;
    }
    if (type->num_fields)
        memcpy(fields, type->fields, type->num_fields * sizeof(*fields));
    fields[type->num_fields] = (struct rch__field){
        .offset = (int32_t)offset,
        .label = {.name = rch__intern(cap, name),
                  .kind = (uint8_t)kind,
                  .cls = kind == RCH_EDGE_WEAK ? RCH_CLASS_WEAK : RCH_CLASS_STRONG,
                  .flags = (uint16_t)flags}};
    type->fields = fields;
    return &fields[type->num_fields++];
}

// From outside: a word that is no reference, whatever it looks like.
static void add_other(struct rch__cap *cap, struct rch__type *type, int64_t offset)
{
    if (!cap->is_foreign || offset < cap->L->object_size || offset > INT32_MAX)
        return;
    int32_t *others = rch_arena_take(&cap->arena, type->num_others + 1, sizeof(*others));
    if (!others) {
        rch__fail(cap, RCH_ENOMEM, "the fields of a type");
        return;
    }
    if (type->num_others)
        memcpy(others, type->others, type->num_others * sizeof(*others));
    others[type->num_others++] = (int32_t)offset;
    type->others = others;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

// From 3.15 subclasses of tuple may have slots: they lie behind the items, at the offset they would
// have without any.
static void add_tail_slot(struct rch__cap *cap, struct rch__type *type, const char *name,
                          int64_t offset)
{
    struct rch__field field = {
        .offset = (int32_t)offset,
        .label = {.name = rch__intern(cap, name), .kind = RCH_EDGE_SLOT, .cls = RCH_CLASS_STRONG}};
    struct rch__field *tail = rch_arena_take(&cap->arena, type->num_tail + 1u, sizeof(*tail));
    if (!tail) {
        rch__fail(cap, RCH_ENOMEM, "the slots of a type");
        return;
    }
    if (type->num_tail)
        memcpy(tail, type->tail, type->num_tail * sizeof(*tail));
    tail[type->num_tail++] = field;
    type->tail = tail;
}

// PyMemberDef[]: slots of Python classes, and what C types expose of their struct. `own`: the names of
// those that are references of its own, NULL: all.
static void add_members(struct rch__cap *cap, struct rch__type *type, rch_addr base, bool is_slots,
                        const char *own)
{
    const struct rch_layout *L = cap->L;
    rch_addr member = rch_load64(cap->t, base + (uint32_t)L->type_members);
    for (int i = 0; member && i < MAX_MEMBERS; i++, member += (uint32_t)L->member_size) {
        rch_addr name_addr = rch_load64(cap->t, member + (uint32_t)L->member_name);
        if (!name_addr)
            return;
        int32_t code = (int32_t)rch_load32(cap->t, member + (uint32_t)L->member_type);
        if (code != L->member_t_object && code != L->member_t_object_ex)
            continue;
        int64_t offset = (int64_t)rch_load64(cap->t, member + (uint32_t)L->member_offset);
        char name[128];
        rch__read_cstring(cap, name_addr, name, sizeof(name));
        uint32_t flags = rch_load32(cap->t, member + (uint32_t)L->member_flags);
        bool is_after_items = is_slots && L->py_minor >= 15 && (flags & RCH_MEMBER_AFTER_ITEMS);
        if (own && !has_word(own, name))
            add_other(cap, type, offset);
        else if (is_after_items && offset + 8 <= type->basicsize)
            add_tail_slot(cap, type, name, offset);
        else if (offset + 8 <= type->basicsize)
            add_field(cap, type, name, offset, is_slots ? RCH_EDGE_SLOT : RCH_EDGE_FIELD,
                      is_slots ? 0 : RCH_LABEL_FIXED);
    }
}

// One word of a `words` row (families.h) for the pointer at `offset`.
static void add_word(struct rch__cap *cap, struct rch__type *type, const char *word, int64_t offset)
{
    bool is_sure = *word == '!';
    int64_t weaklist =
        (int64_t)rch_load64(cap->t, type->addr + (uint32_t)cap->L->type_weaklistoffset);
    if (*word == '-')
        add_other(cap, type, offset);
    if (offset == weaklist)
        return;
    if (*word == '-' || offset + 8 > type->basicsize || (!is_sure && !type->traverse))
        return;
    struct rch__field *field =
        add_field(cap, type, word + is_sure, offset, RCH_EDGE_FIELD, RCH_LABEL_FIXED);
    if (field && !is_sure)
        field->is_guess = type->has_guesses = true;
}

// How many items a struct sequence has, those it hides included; 0: it is none.
static int64_t struct_sequence_items(struct rch__cap *cap, rch_addr type)
{
    const struct rch_layout *L = cap->L;
    rch_addr base = rch_load64(cap->t, type + (uint32_t)L->type_base);
    char name[16] = "";
    if (base)
        rch__read_tp_name(cap, base, name, sizeof(name));
    rch_addr num = strcmp(name, "tuple") == 0 && !is_class_statement(cap, type)
                       ? rch__dict_find(cap, rch__type_dict(cap, type), "n_fields")
                       : 0;
    return num ? rch_load32(cap->t, num + (uint32_t)L->long_digits) & 0x3fffffff : 0;
}

// Its items are members with names, but for a few that only have an index.
static void add_struct_sequence(struct rch__cap *cap, struct rch__type *type, rch_addr base,
                                int64_t num_items)
{
    int64_t bytes = type->basicsize;
    type->basicsize = INT32_MAX;  // its members lie behind the basic struct
    add_members(cap, type, base, false, NULL);
    type->basicsize = bytes;
    for (int64_t i = 0; i < num_items && i < MAX_MEMBERS; i++)
        add_field(cap, type, NULL, cap->L->tuple_items + i * 8, RCH_EDGE_ITEM, RCH_LABEL_FIXED);
}

static void add_words(struct rch__cap *cap, struct rch__type *type, const char *words)
{
    int64_t offset = cap->L->object_size;
    char word[64];
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, " ");
        snprintf(word, sizeof(word), "%.*s", (int)len, at);
        if (*word == '@') {
            offset = strtol(word + 1, NULL, 10) + rch__late_by(cap);
        } else {
            add_word(cap, type, word, offset);
            offset += 8;
        }
        at += len;
        at += *at == ' ';
    }
}

static int32_t layout_value(const struct rch__cap *cap, size_t member)
{
    int32_t value;
    memcpy(&value, (const char *)cap->L + member, sizeof(value));
    return value;
}

static void add_family(struct rch__cap *cap, struct rch__type *type, rch_addr base,
                       const struct rch__family *family)
{
    for (const struct rch__family_field *f = family->fields; f && f->name; f++) {
        int32_t offset = layout_value(cap, f->layout_member);
        int32_t inner = f->inner_member ? layout_value(cap, f->inner_member) : 0;
        if (offset != RCH_ABSENT && inner != RCH_ABSENT)
            add_field(cap, type, f->name, offset + inner, (enum rch_edge_kind)f->kind, f->flags);
    }
    if (family->own_members && type->traverse)
        add_members(cap, type, base, false, family->own_members);
    if (family->words)
        add_words(cap, type, family->words);
    type->family = family;
    type->decode_rest = family->has_rest || type->has_guesses;
    type->scans = family->has_rest;
}

// From the class itself down to the C type whose struct its instances extend.
static void collect_fields(struct rch__cap *cap, struct rch__type *type)
{
    const struct rch_layout *L = cap->L;
    rch_addr base = type->addr;
    bool c_type_seen = false;
    for (int depth = 0; base && depth < MAX_BASES; depth++) {
        rch_addr traverse = rch_load64(cap->t, base + (uint32_t)L->type_traverse);
        bool is_class = is_class_statement(cap, base);
        char name[128];
        rch__read_tp_name(cap, base, name, sizeof(name));
        const struct rch__family *family = is_class ? NULL : rch__family_find(name);
        int64_t num_items = c_type_seen ? 0 : struct_sequence_items(cap, base);
        if (num_items) {
            add_struct_sequence(cap, type, base, num_items);
            return;
        }
        if (family && (!c_type_seen || family->emit == NULL)) {
            // A C type that extends a known one may visit more than the row names.
            bool extends = c_type_seen && traverse != type->traverse;
            add_family(cap, type, base, family);
            type->decode_rest |= extends;
            type->scans |= extends;
            return;
        }
        add_members(cap, type, base, is_class, NULL);
        if (!is_class && traverse)
            type->decode_rest = type->scans = true;
        if (!is_class && !c_type_seen && strcmp(name, "object") != 0) {
            c_type_seen = true;
            if (type->is_python_class)  // instances visit what this C base visits
                type->decode_rest = type->scans = traverse != 0;
        }
        base = rch_load64(cap->t, base + (uint32_t)L->type_base);
    }
}

static void add_instance_dict(struct rch__cap *cap, struct rch__type *type)
{
    int64_t offset = (int64_t)rch_load64(cap->t, type->addr + (uint32_t)cap->L->type_dictoffset);
    type->has_managed_dict =
        cap->L->managed_dict != RCH_ABSENT && (type->flags & RCH_TPFLAGS_MANAGED_DICT);
    if (type->has_managed_dict || (type->family && type->family->decode == rch__decode_type))
        return;
    if (offset > 0)
        add_field(cap, type, "__dict__", offset, RCH_EDGE_DICT,
                  RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD);
    else if (offset < 0 && offset > -4096)
        type->dictoffset = (int32_t)offset;
}

static bool name_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Debuggers and test runners: what they hold, they hold because somebody is looking.
static bool is_observer_class(struct rch__cap *cap, rch_addr type_addr, const char *module)
{
    static const char *const tools[] = {"_pytest.", "pluggy.", "IPython.", "ipykernel."};
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (name_starts(module, tools[i]))
            return true;
    if (strcmp(module, "pluggy") == 0)
        return true;
    rch_addr base = type_addr;
    for (int depth = 0; base && depth < MAX_BASES; depth++) {
        char name[64], where[64];
        rch__read_tp_name(cap, base, name, sizeof(name));
        if (strcmp(name, "Bdb") == 0 &&
            rch__read_str(cap, rch__dict_find(cap, rch__type_dict(cap, base), "__module__"), where,
                          sizeof(where)) &&
            strcmp(where, "bdb") == 0)
            return true;
        base = rch_load64(cap->t, base + (uint32_t)cap->L->type_base);
    }
    return false;
}

// The type itself, not one that derives from it.
static bool is_of_family(const struct rch__type *type, const char *tp_name)
{
    return type->family && strcmp(type->family->name, tp_name) == 0;
}

// Has the type, or a C type it extends short of its family's, a __sizeof__ nobody here knows?
static bool size_is_guessed(struct rch__cap *cap, const struct rch__type *type)
{
    rch_addr base = type->addr;
    for (int depth = 0; base && depth < MAX_BASES; depth++) {
        char name[128];
        rch__read_tp_name(cap, base, name, sizeof(name));
        bool is_family = is_of_family(type, name);
        if (strcmp(name, "object") == 0 || (is_family && type->family->size))
            return false;
        if (!is_class_statement(cap, base) &&
            rch__dict_find(cap, rch__type_dict(cap, base), "__sizeof__"))
            return true;
        if (is_family)
            return false;
        base = rch_load64(cap->t, base + (uint32_t)cap->L->type_base);
    }
    return false;
}

static uint32_t type_flags(struct rch__cap *cap, const struct rch__type *type)
{
    const struct rch__family *family = type->family;
    bool is_type = family && family->decode == rch__decode_type;
    bool is_function = family && family->decode == rch__decode_function;
    bool is_module = family && strcmp(family->name, "module") == 0;
    return (type->flags & RCH_TPFLAGS_HEAPTYPE ? RCH_TYPE_HEAP : 0u) |
           (type->flags & RCH_TPFLAGS_TYPE_SUBCLASS && is_type ? RCH_TYPE_IS_TYPE : 0u) |
           (is_function ? RCH_TYPE_IS_FUNCTION : 0u) | (is_module ? RCH_TYPE_IS_MODULE : 0u) |
           (size_is_guessed(cap, type) ? RCH_TYPE_SIZE_GUESSED : 0u);
}

static void name_type(struct rch__cap *cap, struct rch__type *type, const char *tp_name)
{
    if (is_of_family(type, tp_name) && type->family->shown)
        tp_name = type->family->shown;  // one name in all versions, so one fingerprint
    char module[256] = "", name[256];
    const char *dot = strrchr(tp_name, '.');
    snprintf(name, sizeof(name), "%s",
             dot && !(type->flags & RCH_TPFLAGS_HEAPTYPE) ? dot + 1 : tp_name);
    if (type->flags & RCH_TPFLAGS_HEAPTYPE) {
        char text[256];
        rch_addr qualname = rch_load64(cap->t, type->addr + (uint32_t)cap->L->heaptype_qualname);
        if (rch__read_str(cap, qualname, text, sizeof(text)) && *text)
            snprintf(name, sizeof(name), "%s", text);
        rch_addr where = rch__dict_find(cap, rch__type_dict(cap, type->addr), "__module__");
        if (!rch__read_str(cap, where, module, sizeof(module)) && dot)
            snprintf(module, sizeof(module), "%.*s", (int)(dot - tp_name), tp_name);
    } else if (dot) {
        snprintf(module, sizeof(module), "%.*s", (int)(dot - tp_name), tp_name);
    }
    if (strcmp(module, "builtins") == 0)
        module[0] = '\0';
    type->is_observer = is_observer_class(cap, type->addr, module);
    type->full_name = rch_arena_printf(&cap->arena, "%s%s%s", module, *module ? "." : "", name);
    if (!type->full_name)
        type->full_name = "?";
    struct rch_type row = {
        .module = rch__intern(cap, module), .name = rch__intern(cap, name), .node = RCH_NO_NODE};
    row.flags = type_flags(cap, type);
    if (cap->status == RCH_OK)
        cap->status = rch_builder_type(cap->b, &row, &type->model_type, &cap->err);
}

static uint32_t header_bytes(const struct rch__cap *cap, const struct rch__type *type)
{
    uint32_t bytes = type->flags & RCH_TPFLAGS_HAVE_GC ? (uint32_t)cap->L->gc_head_size : 0;
    bool managed = type->has_managed_dict || (cap->L->managed_weakref != RCH_ABSENT &&
                                              (type->flags & RCH_TPFLAGS_MANAGED_WEAKREF));
    return managed ? bytes + 16 : bytes;
}

static bool insert_type(struct rch__cap *cap, struct rch__type *type)
{
    if (cap->types.num * 2 >= cap->num_type_slots) {
        uint32_t num = cap->num_type_slots * 2;
        struct rch__type **slots = rch_calloc(cap->alloc, num, sizeof(*slots));
        if (!slots)
            return false;
        rch_free(cap->alloc, cap->type_slots, cap->num_type_slots, sizeof(*slots));
        cap->type_slots = slots;
        cap->num_type_slots = num;
        for (size_t i = 0; i < cap->types.num; i++) {
            struct rch__type *old = RCH_VEC_AT(&cap->types, struct rch__type *, i);
            uint32_t at = (uint32_t)(old->addr >> 4) * 2654435761u & (num - 1);
            while (slots[at])
                at = (at + 1) & (num - 1);
            slots[at] = old;
        }
    }
    uint32_t at = (uint32_t)(type->addr >> 4) * 2654435761u & (cap->num_type_slots - 1);
    while (cap->type_slots[at])
        at = (at + 1) & (cap->num_type_slots - 1);
    cap->type_slots[at] = type;
    return rch_vec_append(&cap->types, &type, 1, &cap->err) == RCH_OK;
}

static bool derives_from(struct rch__cap *cap, rch_addr type, const char *tp_name)
{
    char name[64];
    for (int depth = 0; type && depth < MAX_BASES; depth++) {
        if (!(rch_load64(cap->t, type + (uint32_t)cap->L->type_flags) & RCH_TPFLAGS_HEAPTYPE)) {
            rch__read_tp_name(cap, type, name, sizeof(name));
            if (strcmp(name, tp_name) == 0)
                return true;
        }
        type = rch_load64(cap->t, type + (uint32_t)cap->L->type_base);
    }
    return false;
}

// For prefetching (sweep.c).
static void note_storage(const struct rch__cap *cap, struct rch__type *type)
{
    const struct rch__family *family = type->family;
    if (type->has_managed_dict && !cap->L->inline_values_at_basicsize) {
        bool has_values = cap->L->managed_values != RCH_ABSENT;
        type->storage[0] = has_values ? cap->L->managed_values : cap->L->managed_dict;
    }
    if (!family || !family->emit)
        return;
    if (family->emit == rch__emit_dict) {
        type->storage[0] = cap->L->dict_keys;
        type->storage[1] = cap->L->dict_values;
    } else if (family->emit == rch__emit_list) {
        type->storage[0] = cap->L->list_items;
    }
}

static void choose_decoder(struct rch__cap *cap, struct rch__type *type)
{
    const struct rch__family *family = type->family;
    type->size = family && family->size ? family->size : rch__size_plain;
    type->checks_left = cap->opt.can_traverse && type->traverse &&
                                (type->flags & RCH_TPFLAGS_HAVE_GC) && !type->decode_rest &&
                                !(family && family->is_unchecked)
                            ? RCH_CHECKED_INSTANCES
                            : 0;
    if (type->has_managed_dict)
        type->decode = rch__decode_managed;
    else if (family && family->decode && !type->dictoffset &&
             (!type->is_python_class || family->decode != rch__decode_dict))
        type->decode = family->decode;
    else
        type->decode = rch__decode_plain;
}

static struct rch__type *make_type(struct rch__cap *cap, rch_addr addr)
{
    const struct rch_layout *L = cap->L;
    struct rch__type *type = rch_arena_take(&cap->arena, 1, sizeof(*type));
    static struct rch__type none;  // read only: stands in when memory is gone
    if (!type || cap->status != RCH_OK) {
        rch__fail(cap, RCH_ENOMEM, "a type record");
        none.decode = rch__decode_plain;
        none.size = rch__size_plain;
        return &none;
    }
    type->addr = addr;
    type->flags = rch_load64(cap->t, addr + (uint32_t)L->type_flags);
    type->basicsize = (int64_t)rch_load64(cap->t, addr + (uint32_t)L->type_basicsize);
    type->itemsize = (int64_t)rch_load64(cap->t, addr + (uint32_t)L->type_itemsize);
    type->traverse = rch_load64(cap->t, addr + (uint32_t)L->type_traverse);
    type->is_python_class = is_class_statement(cap, addr);
    type->is_str = derives_from(cap, addr, "str");
    type->plain_shape = RCH_NO_NODE;
    if (type->flags & RCH_TPFLAGS_HEAPTYPE)
        type->cached_keys = rch_load64(cap->t, addr + (uint32_t)L->heaptype_cached_keys);
    if (!insert_type(cap, type))
        rch__fail(cap, RCH_ENOMEM, "the table of types");
    add_other(cap, type, (int64_t)rch_load64(cap->t, addr + (uint32_t)L->type_weaklistoffset));
    collect_fields(cap, type);
    type->scans = type->scans && type->traverse;
    add_instance_dict(cap, type);
    type->header_bytes = header_bytes(cap, type);
    choose_decoder(cap, type);
    note_storage(cap, type);
    char tp_name[256];
    rch__read_tp_name(cap, addr, tp_name, sizeof(tp_name));
    name_type(cap, type, tp_name);
    rch__find_fd(cap, type);
    type->is_noted = type->is_observer || type->fd.offset || type->fd.attribute;
    rch__discover(cap, rch_code(&cap->index, addr));
    return type;
}

struct rch__type *rch__type_of_addr(struct rch__cap *cap, rch_addr addr)
{
    if (!cap->is_foreign)
        return make_type(cap, addr);
    if (cap->type_depth == MAX_TYPE_DEPTH || !rch__is_type(cap, addr))
        return cap->not_a_type;
    cap->type_depth++;
    struct rch__type *type = make_type(cap, addr);
    cap->type_depth--;
    return type;
}
