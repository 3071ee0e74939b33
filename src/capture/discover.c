// SPDX-License-Identifier: MIT
// capture/discover.c -- find tracked objects without the collector's lists: each aligned address of
// writable memory whose type word is that of a known type, whose count is sane and whose header says that it
// is in a list. For images in the middle of a collection, for damaged lists, and for builds without the
// GIL, which have no lists: there the object says itself that it is tracked. (research: cpython-memory, 1.4)
#include "capture/state.h"

#define ALIGNMENT 16
#define PIECE_BYTES ((uint64_t)64 << 10)
#define FILTER_BITS 18
#define PREV_IS_COUNT 2  // CPython's PREV_MASK_COLLECTING
#define MAX_PASSES 6  // a type, its metaclass, the metaclass of that ...

struct search {
    struct rch__cap *cap;
    uint64_t *filter;  // bits set for the addresses of known types
    size_t num_known;  // types in it
    uint8_t *piece;    // for memory that is not all there
};

static uint32_t filter_bit(uint64_t type)
{
    return (uint32_t)((type >> 3) * 0x9E3779B97F4A7C15ull >> (64 - FILTER_BITS));
}

/// Put in the types met since the last time. False: there were none.
static bool fill_filter(struct search *search)
{
    const struct rch__cap *cap = search->cap;
    size_t before = search->num_known;
    for (; search->num_known < cap->types.num; search->num_known++) {
        rch_addr type = RCH_VEC_AT(&cap->types, struct rch__type *, search->num_known)->addr;
        search->filter[filter_bit(type) >> 6] |= 1ull << (filter_bit(type) & 63);
    }
    return search->num_known > before;
}

// Does the next node of its list link back? While a list is being collected counts stand there, shifted
// by two flags: many a number looks like one, so that node must be an object too.
static bool is_linked(struct rch__cap *cap, rch_addr addr)
{
    const struct rch_layout *L = cap->L;
    if (L->gc_generation0 == RCH_ABSENT)
        return true;  // there are no lists
    rch_addr node = addr - (uint32_t)L->gc_head_size;
    rch_addr next = rch_load64(&cap->probe, node) & ~7ull;
    uint64_t back;
    if (!rch__is_memory(cap, next, 16) ||
        !rch_target_read(&cap->probe, next + (uint32_t)L->gc_prev, &back, sizeof(back)))
        return false;
    return (back & ~7ull) == node ||
           ((back & PREV_IS_COUNT) && (back >> 2) <= UINT32_MAX &&
            rch__is_tracked_object(cap, next + (uint32_t)L->gc_head_size));
}

// Without the GIL the collector leaves classes and functions that became immortal alone. They hold what
// they refer to, whether or not anybody refers to them.
static bool is_untracked_for_good(struct rch__cap *cap, rch_addr addr, const struct rch__type *type)
{
    return cap->L->object_ref_shared != RCH_ABSENT && (type->flags & RCH_TPFLAGS_HAVE_GC) &&
           rch__is_object(cap, addr) && rch__refcount(cap, addr) == UINT32_MAX;
}

// A class gets its record as soon as it is met, so that the next pass finds its instances.
static void judge(struct search *search, rch_addr addr)
{
    struct rch__cap *cap = search->cap;
    const struct rch__type *type =
        rch__type_get(cap, rch_load64(&cap->probe, addr + (uint32_t)cap->L->object_type));
    if (type->flags & RCH_TPFLAGS_TYPE_SUBCLASS) {
        if (!rch__is_object(cap, addr) || !rch__is_type(cap, addr))
            return;
        rch__type_get(cap, addr);  // static types too
    }
    if (rch__is_tracked_object(cap, addr) && is_linked(cap, addr))
        rch__mark_one_tracked(cap, addr);
    else if (is_untracked_for_good(cap, addr, type))
        rch__discover(cap, rch_code(&cap->index, addr));
}

static void search_words(struct search *search, rch_addr addr, const uint8_t *bytes, uint64_t num)
{
    uint32_t at_type = (uint32_t)search->cap->L->object_type;
    const uint64_t *filter = search->filter;
    for (uint64_t i = 0; i + at_type + 8 <= num; i += ALIGNMENT) {
        uint64_t word;
        memcpy(&word, bytes + i + at_type, 8);
        uint32_t bit = filter_bit(word);
        if (__builtin_expect(filter[bit >> 6] >> (bit & 63) & 1, 0) && !(word & 7))
            judge(search, addr + i);
    }
}

// Pieces end where an aligned object may begin, and none of its first words is in the next piece.
static void search_map(struct search *search, const struct rch_map *map)
{
    struct rch__cap *cap = search->cap;
    for (rch_addr at = map->start; at < map->end && cap->status == RCH_OK;) {
        uint64_t num = PIECE_BYTES - (at & (PIECE_BYTES - 1));
        if (!rch__goes_on(cap, PIECE_BYTES / ALIGNMENT))
            return;
        if (num > map->end - at)
            num = map->end - at;
        const uint8_t *bytes = rch_target_at(cap->t, at, num);
        if (!bytes && rch_target_read(&cap->probe, at, search->piece, num))
            bytes = search->piece;
        if (bytes)
            search_words(search, at, bytes, num);
        at += num;
    }
}

static bool may_have_objects(const struct rch_map *map)
{
    uint32_t wanted = RCH_MAP_READ | RCH_MAP_WRITE;
    return (map->flags & wanted) == wanted && !(map->flags & (RCH_MAP_SHARED | RCH_MAP_MISSING));
}

void rch__discover_tracked(struct rch__cap *cap)
{
    RCH_BLOCK(filter, cap->alloc, (1u << FILTER_BITS) / 64, sizeof(uint64_t));
    RCH_BLOCK(piece, cap->alloc, PIECE_BYTES, 1);
    struct search search = {.cap = cap, .filter = filter.mem, .piece = piece.mem};
    if (!filter.mem || !piece.mem) {
        rch__fail(cap, RCH_ENOMEM, "the search for objects");
        return;
    }
    rch__type_get(cap, cap->opt.type_type);
    for (int pass = 0; pass < MAX_PASSES && fill_filter(&search) && cap->status == RCH_OK; pass++)
        for (size_t i = 0; i < cap->opt.image->num_maps; i++)
            if (may_have_objects(&cap->opt.image->maps[i]))
                search_map(&search, &cap->opt.image->maps[i]);
}
