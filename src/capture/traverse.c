// SPDX-License-Identifier: MIT
// capture/traverse.c -- tp_traverse as a last resort for types nobody decodes, and as the judge of
// those that are decoded. Only in our own process, with the GIL held. The visitor collects
// addresses; it touches no reference count.
#include <stdlib.h>

#include "capture/families.h"

struct visited {
    struct rch_vec addrs;  // rch_addr
    bool out_of_memory;
};

static int collect(void *referent, void *arg)
{
    struct visited *visited = arg;
    rch_addr addr = (rch_addr)(uintptr_t)referent;
    if (addr && rch_vec_append(&visited->addrs, &addr, 1, NULL) != RCH_OK)
        visited->out_of_memory = true;
    return 0;
}

static void traverse(struct rch__cap *cap, struct rch__type *type, rch_addr object,
                     struct visited *visited)
{
    rch_vec_init(&visited->addrs, cap->alloc, sizeof(rch_addr));
    visited->out_of_memory = false;
    if (!type->traverse || !cap->opt.can_traverse)
        return;
    if (type->flags & RCH_TPFLAGS_TYPE_SUBCLASS &&  // static types refuse, some by aborting
        !(rch_load64(cap->t, object + (uint32_t)cap->L->type_flags) & RCH_TPFLAGS_HEAPTYPE))
        return;
    rch_traverse_fn fn;
    memcpy(&fn, &type->traverse, sizeof(fn));
    fn((void *)(uintptr_t)object, collect, visited);
    if (visited->out_of_memory)
        rch__fail(cap, RCH_ENOMEM, "what tp_traverse visits");
}

// Take one occurrence of `addr` out of the list; the last moves into its place.
static bool take_out(struct rch_vec *addrs, rch_addr addr)
{
    for (size_t i = 0; i < addrs->num; i++) {
        if (RCH_VEC_AT(addrs, rch_addr, i) == addr) {
            RCH_VEC_AT(addrs, rch_addr, i) = RCH_VEC_AT(addrs, rch_addr, addrs->num - 1);
            addrs->num--;
            return true;
        }
    }
    return false;
}

void rch__emit_confirmed_fields(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    struct visited visited;
    traverse(cap, type, object, &visited);
    if (type->flags & RCH_TPFLAGS_HEAPTYPE)
        take_out(&visited.addrs, type->addr);
    for (uint32_t i = 0; i < type->num_fields; i++) {
        rch_addr word = rch_load64(cap->t, object + (uint32_t)type->fields[i].offset);
        bool is_visited = word && take_out(&visited.addrs, word);
        rch__emit(cap, is_visited || !type->fields[i].is_guess ? word : 0);
    }
    rch_vec_deinit(&visited.addrs);
}

void rch__emit_rest(struct rch__cap *cap, struct rch__type *type, rch_addr object, size_t start)
{
    if (object == cap->atexit_module && cap->L->interp_atexit_callbacks == RCH_ABSENT)
        return;  // up to 3.9 its callbacks are a root of their own (roots.c)
    struct visited visited;
    traverse(cap, type, object, &visited);
    if (type->flags & RCH_TPFLAGS_HEAPTYPE)
        take_out(&visited.addrs, type->addr);  // 3.9+: instances visit their type
    size_t end = cap->log->codes.num;
    for (size_t i = start; i < end; i++) {
        uint32_t code = RCH_COLUMN_AT(&cap->log->codes, uint32_t, i);
        if (code != RCH_NO_CODE)
            take_out(&visited.addrs, rch_code_addr(&cap->index, code));
    }
    for (size_t i = 0; i < visited.addrs.num; i++)
        rch__emit(cap, RCH_VEC_AT(&visited.addrs, rch_addr, i));
    cap->num_traversed++;
    rch_vec_deinit(&visited.addrs);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool rch__agrees_with_traverse(struct rch__cap *cap, struct rch__type *type, rch_addr object,
                               size_t start)
{
    struct visited visited;
    traverse(cap, type, object, &visited);
    size_t num = cap->log->codes.num - start;
    RCH_BLOCK(sorted, cap->alloc, num, sizeof(uint32_t));
    bool agrees = sorted.mem != NULL;
    if (agrees && num) {
        memcpy(sorted.mem, &RCH_COLUMN_AT(&cap->log->codes, uint32_t, start),
               num * sizeof(uint32_t));
        qsort(sorted.mem, num, sizeof(uint32_t), compare_u32);
    }
    for (size_t i = 0; agrees && i < visited.addrs.num; i++) {
        rch_addr addr = RCH_VEC_AT(&visited.addrs, rch_addr, i);
        if (addr == type->addr)
            continue;
        uint32_t code = rch_code(&cap->index, addr);
        agrees = (num && bsearch(&code, sorted.mem, num, sizeof(uint32_t), compare_u32) != NULL) ||
                 rch__is_told_by_dict(cap, type, object, addr);
    }
    rch_vec_deinit(&visited.addrs);
    return agrees;
}
