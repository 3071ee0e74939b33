// SPDX-License-Identifier: MIT
// render/hop_text.c -- one table row a kind of reference; see hop_text.h.
#include "render/hop_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sink.h"

// A label is before + name + after; without a name it is `unnamed`.
struct wording {
    const char *before, *after, *unnamed, *one, *many;
};

static const struct wording wordings[RCH_NUM_EDGE_KINDS] = {
    [RCH_EDGE_REFERENCE] = {"<", ">", "<reference>", "reference", "references"},
    [RCH_EDGE_ATTRIBUTE] = {".", "", ".*", "attribute", "attributes"},
    [RCH_EDGE_ITEM] = {"[", "]", "[*]", "item", "items"},
    [RCH_EDGE_KEY] = {"<key \"", "\">", "<key>", "key", "keys"},
    [RCH_EDGE_VALUE] = {"[\"", "\"]", "[*]", "value", "values"},
    [RCH_EDGE_ELEMENT] = {"<element ", ">", "<element>", "element", "elements"},
    [RCH_EDGE_LOCAL] = {"local ", "", "<local>", "local variable", "local variables"},
    [RCH_EDGE_CLOSURE] = {"closure ", "", "<closure>", "closure variable", "closure variables"},
    [RCH_EDGE_SLOT] = {".", "", "<slot>", "slot", "slots"},
    [RCH_EDGE_FIELD] = {".", "", "<field>", "field", "fields"},
    [RCH_EDGE_DICT] = {".", "", ".__dict__", "dictionary", "dictionaries"},
    [RCH_EDGE_STACK] = {"<stack ", ">", "<stack>", "stack entry", "stack entries"},
    [RCH_EDGE_TRACEBACK] = {".", "", ".__traceback__", "traceback", "tracebacks"},
    [RCH_EDGE_WEAK] = {"<weak ", ">", "<weak>", "weak reference", "weak references"},
    [RCH_EDGE_OBJECT] = {"<", ">", "<object>", "object", "objects"},
};
static const struct wording no_wording = {"<", ">", "<reference>", "reference", "references"};

static const struct wording *wording_of(enum rch_edge_kind kind)
{
    return (unsigned)kind < RCH_NUM_EDGE_KINDS ? &wordings[kind] : &no_wording;
}

static bool is_python_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!is_letter && (at == name || c < '0' || c > '9') && c != '.')
            return false;
    }
    return *name != '\0';
}

/// Append already clean text; `*columns` grows by its columns, which must fit.
static void add_clean(char out[RCH_CLEAN_BYTES], uint32_t *columns, const char *text,
                      uint32_t text_columns)
{
    size_t num = strlen(out), num_text = strlen(text);
    if (num + num_text >= RCH_CLEAN_BYTES)
        return;
    memcpy(out + num, text, num_text + 1);
    *columns += text_columns;
}

static uint32_t three_parts(char out[RCH_CLEAN_BYTES], const char *before, const char *name,
                            const char *after, uint32_t max_columns, unsigned flags)
{
    uint32_t num_fixed = (uint32_t)(strlen(before) + strlen(after)), columns = 0;
    char clean[RCH_CLEAN_BYTES];
    out[0] = '\0';
    if (num_fixed >= max_columns)
        return rch_clean(out, name, max_columns, flags);
    uint32_t name_columns = rch_clean(clean, name, max_columns - num_fixed, flags);
    add_clean(out, &columns, before, (uint32_t)strlen(before));
    add_clean(out, &columns, clean, name_columns);
    add_clean(out, &columns, after, (uint32_t)strlen(after));
    return columns;
}

uint32_t rch_hop_text(char out[RCH_CLEAN_BYTES], const struct rch_hop *hop, uint32_t max_columns,
                      unsigned flags)
{
    const struct wording *words = wording_of(hop->kind);
    bool is_quoted = hop->kind == RCH_EDGE_VALUE || hop->kind == RCH_EDGE_KEY;
    bool is_dotted = words->before[0] == '.';
    char number[16];
    snprintf(number, sizeof(number), "%" PRIu32, hop->index);
    if (hop->name && is_quoted)
        return three_parts(out, words->before, hop->name, words->after, max_columns,
                           flags | RCH_CLEAN_QUOTED);
    if (hop->name && is_dotted && hop->kind != RCH_EDGE_ATTRIBUTE && !is_python_name(hop->name))
        return three_parts(out, "<", hop->name, ">", max_columns, flags);
    if (hop->name)
        return three_parts(out, words->before, hop->name, words->after, max_columns, flags);
    if (hop->kind == RCH_EDGE_ITEM && hop->index != UINT32_MAX)
        return three_parts(out, words->before, number, words->after, max_columns, flags);
    if (hop->kind == RCH_EDGE_VALUE && hop->key_type && hop->num_objects == 1)
        return three_parts(out, "[<", hop->key_type, ">]", max_columns, flags);
    return rch_clean(out, words->unnamed, max_columns, flags);
}

const char *rch_root_suffix(enum rch_root_kind kind)
{
    return kind == RCH_ROOT_FRAME || kind == RCH_ROOT_COROUTINE ? "()" : "";
}

const char *rch_hop_plural(enum rch_edge_kind kind, uint64_t num)
{
    const struct wording *words = wording_of(kind);
    return num == 1 ? words->one : words->many;
}

// Parts of an expression are cut to this, the expression as a whole to the width of the page.
enum { MAX_PART_COLUMNS = 80, MAX_ROOT_COLUMNS = 80 };

/// Append to a bounded raw expression; what no longer fits is dropped from then on.
struct expression {
    char bytes[RCH_CLEAN_BYTES * 2];
    size_t num;
    bool is_full;
};

static void add_part(struct expression *expr, const char *part)
{
    size_t num = strlen(part);
    if (expr->is_full || expr->num + num + 8 >= sizeof(expr->bytes)) {
        expr->is_full = true;
        return;
    }
    memcpy(expr->bytes + expr->num, part, num + 1);
    expr->num += num;
}

static void add_hop(struct expression *expr, const struct rch_hop *hop, bool is_first,
                    unsigned flags)
{
    char part[RCH_CLEAN_BYTES];
    rch_hop_text(part, hop, MAX_PART_COLUMNS, flags);
    bool joins = part[0] == '.' || part[0] == '[';
    if (!joins && !is_first)
        add_part(expr, " ");
    add_part(expr, part);
}

enum rch_cut_extent rch_cut_extent(const struct rch_holder *holder)
{
    if (!holder->cut_is_group || holder->cut == 0 || holder->cut >= holder->num_hops)
        return RCH_CUT_ONE;
    uint32_t num_elements = holder->hops[holder->cut].num_elements;
    if (holder->hops[holder->cut - 1].num_objects > 1 || num_elements < holder->num_cut_refs)
        return RCH_CUT_IN_MANY;
    return num_elements == holder->num_cut_refs ? RCH_CUT_ALL : RCH_CUT_SOME;
}

/// How the container that the cut empties is emptied.
static const char *clear_call(const struct rch_holder *holder)
{
    const char *type = holder->hops[holder->cut - 1].type;
    return strcmp(type, "functools._lru_cache_wrapper") == 0 ? ".cache_clear()" : ".clear()";
}

/// The first `num` hops, and what is done to the object there.
static uint32_t expression_text(char out[RCH_CLEAN_BYTES], const struct rch_holder *holder,
                                uint32_t num, const char *call, uint32_t max_columns,
                                unsigned flags)
{
    struct expression expr = {.num = 0};
    char root[RCH_CLEAN_BYTES];
    bool is_module = holder->root_kind == RCH_ROOT_MODULE;
    rch_clean(root, holder->root_name, MAX_ROOT_COLUMNS, flags);
    // a frame's local is a name by itself: "local conn.sock in main()" reads well
    bool is_local =
        holder->root_kind == RCH_ROOT_FRAME && num > 0 && holder->hops[0].kind == RCH_EDGE_LOCAL;
    if (!is_module && !is_local)
        add_part(&expr, rch_root_words(holder->root_kind));
    if (!is_local) {
        add_part(&expr, root);
        add_part(&expr, rch_root_suffix(holder->root_kind));
    }
    for (uint32_t i = num > 0 && holder->hops[0].kind == RCH_EDGE_OBJECT; i < num; i++)
        add_hop(&expr, &holder->hops[i], expr.num == 0, flags);
    char where[RCH_CLEAN_BYTES] = "";
    if (is_local)
        three_parts(where, " in ", root, "()", max_columns / 3, flags);
    uint32_t num_where = (uint32_t)rch_clean_columns(where, flags);
    uint32_t room = max_columns - num_where - (uint32_t)strlen(call), columns = 0;
    columns = rch_clean(out, expr.bytes, room, flags);
    add_clean(out, &columns, call, (uint32_t)strlen(call));
    add_clean(out, &columns, where, num_where);
    return columns;
}

uint32_t rch_cut_text(char out[RCH_CLEAN_BYTES], const struct rch_holder *holder,
                      uint32_t max_columns, unsigned flags)
{
    if (holder->root_kind == RCH_ROOT_C_HELD && holder->cut == 0)
        return rch_clean(out, "release it in the C code that holds it", max_columns, flags);
    uint32_t num = holder->cut < holder->num_hops ? holder->cut + 1 : holder->num_hops;
    enum rch_cut_extent extent = rch_cut_extent(holder);
    return expression_text(out, holder, num - (extent != RCH_CUT_ONE),
                           extent == RCH_CUT_ALL ? clear_call(holder) : "", max_columns, flags);
}

uint32_t rch_path_text(char out[RCH_CLEAN_BYTES], const struct rch_holder *holder,
                       uint32_t max_columns, unsigned flags)
{
    return expression_text(out, holder, holder->num_hops, "", max_columns, flags);
}
