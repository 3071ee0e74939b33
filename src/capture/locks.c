// SPDX-License-Identifier: MIT
// capture/locks.c -- which Python object a thread in a futex call waits for: the one among the variables
// and temporaries of its innermost frame that has this futex. Up to 3.13 locks point to a semaphore
// (Modules/_threadmodule.c, Python/thread_pthread.h); in 3.13 queues and from 3.14 locks are a byte, and the
// futex is in a record that names its address (Python/parking_lot.c).
#include <inttypes.h>
#include <stdio.h>

#include "capture/threads.h"

#define MAX_SLOTS 4096u
#define TAG_BITS 7u  // of a reference on the stack, from 3.14

struct search {
    const struct rch_layout *L;
    struct rch_target memory;  // a copy: what is tried here and cannot be read is no loss
    uint64_t futex;
    rch_addr parked;  // the address in the record, 0: there is no record
};

// lock, RLock and SimpleQueue have their lock right behind the head.
static bool has_futex(struct search *search, rch_addr object)
{
    rch_addr lock = object + (uint32_t)search->L->object_size;
    return object && (lock == search->parked || rch_load64(&search->memory, lock) == search->futex);
}

/// The word itself, or what it is a method of.
static rch_addr locked_by(struct search *search, uint64_t word)
{
    const int32_t selves[] = {search->L->cfunction_self, search->L->method_self};
    rch_addr object = word & ~(uint64_t)TAG_BITS;
    if (!object || has_futex(search, object))
        return object;
    for (size_t i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
        rch_addr self = rch_load64(&search->memory, object + (uint32_t)selves[i]);
        if (has_futex(search, self))
            return self;
    }
    return 0;
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
    const struct rch_layout *L = cap->L;
    struct search search = {.L = L, .memory = *cap->t, .futex = futex};
    rch_addr object = 0;
    if (L->py_minor >= 13)
        search.parked = rch_load64(&search.memory, futex - 8);  // struct wait_entry: addr, sema
    for (uint32_t i = 0; i < thread->num_slots && i < MAX_SLOTS && !object; i++)
        object = locked_by(&search, rch_load64(&search.memory, thread->slots + i * 8ull));
    if (!object)
        return false;
    const struct rch__type *type = rch__type_get(cap, rch__field_at(cap, object, L->object_type));
    const char *name = type && type->full_name ? type->full_name : "a lock";
    const char *owner = NULL;
    if (strcmp(name, "_thread.RLock") == 0)
        owner = name_of_owner(cap, rch__field_at(cap, object, L->object_size + 8));
    snprintf(words, num_bytes, "futex (%s at 0x%" PRIx64 "%s%s)", name, object,
             owner ? ", held by thread " : "", owner ? owner : "");
    return true;
}
