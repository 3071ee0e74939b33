// SPDX-License-Identifier: MIT
// capture/trust.c -- from outside: is this address memory, is there a type, may there be an object? What
// is read may be torn (a thread that did not stop), damaged (a core) or no pointer at all (a guess).
#include "capture/families.h"

#include <string.h>

#define MAX_METACLASSES 8
#define MAX_BASICSIZE (1 << 24)
#define MAX_ITEMSIZE (1 << 16)
#define MAX_NAME_BYTES 1024
#define FEW 64
#define MAX_MUTEX 3  // two bits
#define LOWEST_ADDR 0x10000  // vm.mmap_min_addr

// ---- memory --------------------------------------------------------------------------------------

// The map that ends past addr: the one it is in, or the next.
static size_t map_past(struct rch__cap *cap, rch_addr addr)
{
    const struct rch_image *image = cap->opt.image;
    if (cap->last_map < image->num_maps && image->maps[cap->last_map].start <= addr &&
        addr < image->maps[cap->last_map].end)
        return cap->last_map;
    cap->last_map = rch_image_map_after(image, addr);
    return cap->last_map;
}

bool rch__is_memory(struct rch__cap *cap, rch_addr addr, uint64_t num_bytes)
{
    const struct rch_image *image = cap->opt.image;
    rch_addr end;
    if (__builtin_add_overflow(addr, num_bytes, &end))
        return false;
    for (size_t at = map_past(cap, addr); at < image->num_maps; at++) {
        if (image->maps[at].start > addr || !(image->maps[at].flags & RCH_MAP_READ))
            return false;
        addr = image->maps[at].end;
        if (addr >= end)
            return true;
    }
    return false;
}

static bool is_any_memory(void *ctx, rch_addr addr, uint64_t num_bytes)
{
    struct rch__cap *cap = ctx;
    const struct rch_image *image = cap->opt.image;
    for (size_t at = map_past(cap, addr); at < image->num_maps; at++) {
        if (image->maps[at].start >= addr + num_bytes)
            return false;
        if (image->maps[at].flags & RCH_MAP_READ)
            return true;
    }
    return false;
}

bool rch__all_fit(struct rch__cap *cap, rch_addr first, uint64_t num, uint64_t stride)
{
    uint64_t bytes;
    if (num <= FEW ||
        (!__builtin_mul_overflow(num, stride, &bytes) && rch__is_memory(cap, first, bytes)))
        return true;
    cap->num_torn++;
    return false;
}

void rch__warn(struct rch__cap *cap, const char *words)
{
    cap->is_partial = true;
    if (cap->status == RCH_OK)
        cap->status = rch_builder_warn(cap->b, &cap->err, "%s", words);
}

bool rch__comes_back(struct rch__cap *cap, struct rch__ring *ring, rch_addr node)
{
    if (!cap->is_foreign)
        return false;
    if (ring->seen == node && ring->num) {
        cap->num_torn++;
        return true;
    }
    if (ring->num++ == ring->power) {
        ring->seen = node;
        ring->power = 2 * ring->power + 1;
    }
    return false;
}

uint64_t rch__sane_size(struct rch__cap *cap, uint64_t num_bytes)
{
    if (!cap->is_foreign || num_bytes <= cap->memory_bytes)
        return num_bytes;
    cap->num_torn++;
    return 0;
}

// ---- types ---------------------------------------------------------------------------------------

// A name is text. Where its page is missing (a core without its libraries) the type may still be one.
static bool has_name(struct rch__cap *cap, rch_addr type)
{
    rch_addr name = rch_load64(&cap->probe, type + (uint32_t)cap->L->type_name);
    uint8_t c;
    if (!name || !rch__is_memory(cap, name, 1))
        return false;
    for (uint32_t i = 0; i < MAX_NAME_BYTES && rch_target_read(&cap->probe, name + i, &c, 1); i++) {
        if (c == '\0')
            return i > 0;
        if (c < ' ' || c == 0x7f)
            return false;
    }
    return true;
}

static bool has_sizes(struct rch__cap *cap, rch_addr type)
{
    const struct rch_layout *L = cap->L;
    int64_t basicsize = (int64_t)rch_load64(&cap->probe, type + (uint32_t)L->type_basicsize);
    int64_t itemsize = (int64_t)rch_load64(&cap->probe, type + (uint32_t)L->type_itemsize);
    return basicsize >= L->object_type + 8 && basicsize <= MAX_BASICSIZE && itemsize >= 0 &&
           itemsize <= MAX_ITEMSIZE;
}

bool rch__is_type(struct rch__cap *cap, rch_addr addr)
{
    const struct rch_layout *L = cap->L;
    for (int i = 0; i < MAX_METACLASSES; i++) {
        if (addr == cap->opt.type_type)
            return true;
        if (!addr || (addr & 7) || !rch__is_memory(cap, addr, (uint32_t)L->statictype_size) ||
            !has_sizes(cap, addr) || !has_name(cap, addr))
            return false;
        addr = rch_load64(&cap->probe, addr + (uint32_t)L->object_type);
        if (!(rch_load64(&cap->probe, addr + (uint32_t)L->type_flags) & RCH_TPFLAGS_TYPE_SUBCLASS))
            return false;
    }
    return false;
}

static uint32_t decode_nothing(struct rch__cap *cap, struct rch__type *type, rch_addr object)
{
    (void)object;
    cap->num_torn++;
    if (type->plain_shape != RCH_NO_NODE)
        return type->plain_shape;
    rch__shape_begin(cap, type);
    return rch__shape_end(cap, type, 0, 0);
}

static uint64_t size_nothing(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    (void)cap, (void)type, (void)object;
    return 0;
}

static void make_not_a_type(struct rch__cap *cap)
{
    struct rch__type *type = rch_arena_take(&cap->arena, 1, sizeof(*type));
    struct rch_type row = {
        .module = RCH_NO_STR, .name = rch__intern(cap, "(not an object)"), .node = RCH_NO_NODE};
    if (!type) {
        rch__fail(cap, RCH_ENOMEM, "a type record");
        return;
    }
    type->decode = decode_nothing;
    type->size = size_nothing;
    type->plain_shape = RCH_NO_NODE;
    type->full_name = "(not an object)";
    if (cap->status == RCH_OK)
        cap->status = rch_builder_type(cap->b, &row, &type->model_type, &cap->err);
    cap->not_a_type = type;
}

void rch__trust_begin(struct rch__cap *cap)
{
    cap->is_foreign = cap->opt.image != NULL;
    if (!cap->is_foreign)
        return;
    cap->probe = *cap->t;
    for (size_t i = 0; i < cap->opt.image->num_maps; i++)
        cap->memory_bytes += cap->opt.image->maps[i].end - cap->opt.image->maps[i].start;
    cap->index.is_memory = is_any_memory;
    cap->index.is_memory_ctx = cap;
    make_not_a_type(cap);
    const struct rch_image *image = cap->opt.image;
    cap->is_partial = image->bytes_missing || image->num_not_stopped || image->num_warnings;
    for (size_t i = 0; i < image->num_warnings; i++)
        rch__warn(cap, image->warnings[i]);
}

void rch__trust_end(struct rch__cap *cap)
{
    uint64_t num = cap->t->num_failed + cap->num_torn;
    if (cap->is_foreign && num && cap->status == RCH_OK)
        cap->status = rch_builder_warn(cap->b, &cap->err,
                                       "%llu objects or fields could not be read, or were not what "
                                       "they should be",
                                       (unsigned long long)num);
}

// ---- objects -------------------------------------------------------------------------------------

// What was freed has no count, or the allocator's link in its place: a pointer, so more than 40 bits.
// (Old extensions count on where 3.12 has 32 bits of ones for immortal objects.)
static bool has_sane_count(const struct rch_layout *L, const uint8_t *object)
{
    uint64_t refcount;
    memcpy(&refcount, object + L->object_refcnt, sizeof(refcount));
    if (L->py_minor >= 14)  // the upper 16 bits are flags
        refcount = (uint32_t)refcount ? refcount & UINT64_MAX >> 16 : 0;
    return refcount != 0 && refcount >> 40 == 0;
}

// A struct of C that begins with a reference and a class looks like an instance of the class, if addresses
// are as small as counts: in programs that are not position independent they are.
static bool is_reference(struct rch__cap *cap, uint64_t refcount)
{
    uint64_t type;
    return refcount >= LOWEST_ADDR && !(refcount & 7) &&
           rch_target_read(&cap->probe, refcount + (uint32_t)cap->L->object_type, &type, 8) &&
           type && !(type & 7) && rch__type_get(cap, type) != cap->not_a_type;
}

// Without the GIL (rch__split_refcount()). Other pointers to a type, in tables and tuples, may have
// before them what looks like counts; but the rest of a head is no part of a pointer.
static bool has_sane_head(const struct rch_layout *L, const uint8_t *object)
{
    uint32_t local;
    int64_t shared;
    uint16_t padding;
    memcpy(&local, object + L->object_refcnt, sizeof(local));
    memcpy(&shared, object + L->object_ref_shared, sizeof(shared));
    memcpy(&padding, object + L->object_padding, sizeof(padding));
    int64_t others = shared >> 2;
    return padding == 0 && object[L->object_mutex] <= MAX_MUTEX && others == (int32_t)others &&
           others + local > 0;
}

// The record of the type of the object with this head, NULL: there is no object.
static const struct rch__type *type_of(struct rch__cap *cap, const uint8_t *object)
{
    rch_addr type_addr;
    memcpy(&type_addr, object + cap->L->object_type, sizeof(type_addr));
    bool is_split = cap->L->object_ref_shared != RCH_ABSENT;
    if (!type_addr || (type_addr & 7) ||
        !(is_split ? has_sane_head(cap->L, object) : has_sane_count(cap->L, object)))
        return NULL;
    const struct rch__type *type = rch__type_get(cap, type_addr);
    uint64_t refcount;
    memcpy(&refcount, object + cap->L->object_refcnt, sizeof(refcount));
    bool is_none = type == cap->not_a_type || (!is_split && is_reference(cap, refcount));
    return is_none ? NULL : type;
}

bool rch__is_object(struct rch__cap *cap, rch_addr addr)
{
    uint8_t head[RCH_MAX_HEAD_BYTES];
    return addr && !(addr & 7) && !(addr >> RCH_ADDR_BITS) &&
           rch_target_read(&cap->probe, addr, head, (uint32_t)cap->L->object_size) &&
           type_of(cap, head) != NULL;
}

bool rch__is_of(struct rch__cap *cap, rch_addr object, const char *family)
{
    if (!rch__is_object(cap, object))
        return false;
    const struct rch__type *type =
        rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type));
    return type->family && strcmp(type->family->name, family) == 0;
}

// Before the object is a header whose first word is the link to the next: zero when it is in no list.
static bool is_marked_tracked(const struct rch_layout *L, const uint8_t *header)
{
    uint64_t next;
    if (L->object_gc_bits != RCH_ABSENT)  // without the GIL there is none
        return header[L->object_gc_bits] & 1;
    memcpy(&next, header, sizeof(next));
    return next && !(next & 4);
}

bool rch__is_tracked_object(struct rch__cap *cap, rch_addr addr)
{
    const struct rch_layout *L = cap->L;
    uint32_t head = (uint32_t)L->gc_head_size, num_bytes = head + (uint32_t)L->object_size;
    uint8_t copy[2 * RCH_MAX_HEAD_BYTES];
    if ((addr & 15) || num_bytes > sizeof(copy))
        return false;
    const uint8_t *bytes = rch_target_at(&cap->probe, addr - head, num_bytes);
    if (!bytes && rch_target_read(&cap->probe, addr - head, copy, num_bytes))
        bytes = copy;
    if (!bytes || !is_marked_tracked(L, bytes))
        return false;
    const struct rch__type *type = type_of(cap, bytes + head);
    if (!type || !(type->flags & RCH_TPFLAGS_HAVE_GC))
        return false;
    return !(type->flags & RCH_TPFLAGS_TYPE_SUBCLASS) ||  // a static type has no header
           (rch_load64(&cap->probe, addr + (uint32_t)L->type_flags) & RCH_TPFLAGS_HEAPTYPE);
}
