// SPDX-License-Identifier: MIT
// capture/locks.c -- which Python object a thread in a futex call waits for: the one among the variables
// and temporaries of its innermost frame that has this futex. Up to 3.13 locks point to a semaphore
// (Modules/_threadmodule.c, Python/thread_pthread.h); from 3.14 they are a byte, and the futex is in a record
// that names its address (Python/parking_lot.c).
#include <inttypes.h>
#include <stdio.h>

#include "capture/threads.h"

#define MAX_SLOTS 4096u
#define TAG_BITS 7u  // of a reference on the stack, from 3.14

struct search {
    struct rch__cap *cap;
    struct rch_target memory;  // a copy: what is tried here and cannot be read is no loss
    uint64_t futex;
};

static uint64_t parked_address(struct search *search)
{
    return rch_load64(&search->memory, search->futex - 8);  // struct wait_entry: addr, sema
}

// lock, RLock and SimpleQueue have their lock right behind the head.
static bool has_futex(struct search *search, rch_addr object)
{
    rch_addr lock = object + (uint32_t)search->cap->L->object_size;
    bool is_parked = search->cap->L->py_minor >= 14;
    return object && (is_parked ? lock == parked_address(search)
                                : rch_load64(&search->memory, lock) == search->futex);
}

/// The word itself, or what it is a method of.
static rch_addr locked_by(struct search *search, uint64_t word)
{
    const struct rch_layout *L = search->cap->L;
    rch_addr object = word & ~(uint64_t)TAG_BITS;
    if (!object)
        return 0;
    if (has_futex(search, object))
        return object;
    rch_addr self = rch_load64(&search->memory, object + (uint32_t)L->cfunction_self);
    if (has_futex(search, self))
        return self;
    self = rch_load64(&search->memory, object + (uint32_t)L->method_self);
    return has_futex(search, self) ? self : 0;
}

static const char *name_of_owner(const struct rch__cap *cap, uint64_t ident)
{
    for (size_t i = 0; ident && i < cap->threads.num; i++) {
        const struct rch__thread *thread = &RCH_VEC_AT(&cap->threads, struct rch__thread, i);
        if (thread->ident == ident)
            return thread->name;
    }
    return NULL;
}

bool rch__lock_words(struct rch__cap *cap, const struct rch__thread *thread, uint64_t futex,
                     char *words, size_t num_bytes)
{
    struct search search = {.cap = cap, .memory = *cap->t, .futex = futex};
    const struct rch_layout *L = cap->L;
    rch_addr object = 0;
    for (uint32_t i = 0; i < thread->num_slots && i < MAX_SLOTS && !object; i++)
        object = locked_by(&search, rch_load64(&search.memory, thread->slots + i * 8ull));
    if (!object)
        return false;
    const struct rch__type *type = rch__type_get(cap, rch__field_at(cap, object, L->object_type));
    const char *name = type && type->full_name ? type->full_name : "lock";
    bool has_owner = strcmp(name, "_thread.RLock") == 0;
    const char *owner =
        has_owner ? name_of_owner(cap, rch__field_at(cap, object, L->object_size + 8)) : NULL;
    snprintf(words, num_bytes, "futex (%s at 0x%" PRIx64 "%s%s)", name, object,
             owner ? ", held by thread " : "", owner ? owner : "");
    return true;
}
