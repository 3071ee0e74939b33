// SPDX-License-Identifier: MIT
// pylayout/find_scan.c -- look for a runtime state where no name tells: by the cookie with which it
// begins since 3.13, and by shape. The shape: two words, the first and the last of a chain of
// interpreters, whose last has number 0, no next, dicts of sys and of modules of one type, and a
// thread that points back. Only data of files is looked at, and what follows it in memory (.bss).
#include "pylayout/find_impl.h"
#include "pylayout/peek.h"

#define COOKIE "xdebugpy"
#define PIECE_WORDS 4096u
#define MAX_TABLES 32u
#define MAX_BSS_BYTES (UINT64_C(16) << 20)  // other memory may follow on it without a gap
#define MAX_STEPS (1u << 22)                // along chains of interpreters, in the whole scan

struct scan {
    const struct rch_image *image;
    struct rch_target target;
    struct rch_candidates *candidates;
    const struct rch_layout *tables[MAX_TABLES];
    uint32_t num_tables, steps_left;
    uint64_t low, high;  // addresses that can be written lie in here
};

static void add(struct scan *scan, enum rch_candidate_kind kind, uint64_t runtime)
{
    struct rch_candidates *candidates = scan->candidates;
    for (uint32_t i = 0; i < candidates->num; i++) {
        if (candidates->items[i].runtime == runtime)
            return;
    }
    if (candidates->num < RCH_MAX_CANDIDATES)
        candidates->items[candidates->num++] = (struct rch_candidate){kind, runtime};
}

static bool is_writable(const struct rch_map *map)
{
    return (map->flags & (RCH_MAP_READ | RCH_MAP_WRITE)) == (RCH_MAP_READ | RCH_MAP_WRITE);
}

// Data of a file: a private writable map of it, or anonymous memory that follows on one.
static bool is_data(const struct rch_map *map, const struct rch_map *before)
{
    if (!is_writable(map) || (map->flags & RCH_MAP_SHARED))
        return false;
    return map->path[0] == '/' ||
           (map->path[0] == '\0' && before && before->end == map->start && before->path[0] == '/');
}

typedef void look_at_word(struct scan *scan, uint64_t addr, const uint64_t *word);

// Show each aligned word, with the one behind it, to `look`.
static void scan_range(struct scan *scan, uint64_t start, uint64_t end, look_at_word *look)
{
    uint64_t piece[PIECE_WORDS + 1], num;
    for (uint64_t at = start; end - at >= 8; at += num * 8) {
        num = (end - at) / 8;
        if (num > PIECE_WORDS)
            num = PIECE_WORDS;
        if (!rch_target_read(&scan->target, at, piece, (size_t)num * 8))
            continue;
        piece[num] = rch_load64(&scan->target, at + num * 8);
        for (uint64_t i = 0; i < num; i++)
            look(scan, at + i * 8, &piece[i]);
    }
}

static void scan_data(struct scan *scan, look_at_word *look)
{
    for (size_t i = 0; i < scan->image->num_maps; i++) {
        const struct rch_map *map = &scan->image->maps[i];
        uint64_t end = map->end;
        if (!is_data(map, i > 0 ? map - 1 : NULL))
            continue;
        if (map->path[0] == '\0' && end - map->start > MAX_BSS_BYTES)
            end = map->start + MAX_BSS_BYTES;
        scan_range(scan, map->start, end, look);
    }
}

static void look_for_cookie(struct scan *scan, uint64_t addr, const uint64_t *word)
{
    struct rch_debug_offsets offsets;
    if (memcmp(word, COOKIE, sizeof(*word)) == 0 &&
        rch_debug_offsets_read(&scan->target, addr, &offsets))
        add(scan, RCH_BY_COOKIE, addr);
}

void rch_find_by_cookie(const struct rch_image *image, struct rch_candidates *candidates)
{
    struct scan scan = {.image = image, .target = image->target, .candidates = candidates};
    scan_data(&scan, look_for_cookie);
}

// The type of an object, if that has a type whose type is itself: `type`.
static uint64_t plain_type_of(const struct rch_peek *peek, uint64_t obj)
{
    uint64_t type = rch_peek_word(peek, obj, peek->layout->object_type);
    uint64_t meta = rch_peek_word(peek, type, peek->layout->object_type);
    return meta && rch_peek_word(peek, meta, peek->layout->object_type) == meta ? type : 0;
}

static bool is_main_interp(const struct rch_peek *peek, uint64_t interp)
{
    const struct rch_layout *layout = peek->layout;
    if (rch_peek_word(peek, interp, layout->interp_next) != 0 ||
        rch_peek_word(peek, interp, layout->interp_id) != 0)
        return false;
    uint64_t tstate = rch_peek_word(peek, interp, layout->interp_threads_head);
    if (tstate == 0 || rch_peek_word(peek, tstate, layout->tstate_interp) != interp)
        return false;
    uint64_t type = plain_type_of(peek, rch_peek_word(peek, interp, layout->interp_sysdict));
    return type != 0 &&
           plain_type_of(peek, rch_peek_word(peek, interp, layout->interp_modules)) == type;
}

static bool leads_to(struct scan *scan, const struct rch_peek *peek, uint64_t head, uint64_t main)
{
    for (uint32_t i = 0; i < RCH_MAX_INTERPS && head != 0 && head != main; i++) {
        if (scan->steps_left == 0)
            return false;
        scan->steps_left--;
        head = rch_peek_word(peek, head, peek->layout->interp_next);
    }
    return head == main;
}

static bool may_be_interp(const struct scan *scan, uint64_t addr)
{
    return addr >= scan->low && addr < scan->high && addr % 8 == 0;
}

static void look_for_shape(struct scan *scan, uint64_t addr, const uint64_t *word)
{
    uint64_t head = word[0], main = word[1];
    if (!may_be_interp(scan, main) || !may_be_interp(scan, head))
        return;
    const struct rch_map *map = rch_image_map_at(scan->image, main);
    if (!map || !is_writable(map))
        return;
    for (uint32_t i = 0; i < scan->num_tables; i++) {
        struct rch_peek peek = {&scan->target, scan->tables[i]};
        if (is_main_interp(&peek, main) && leads_to(scan, &peek, head, main))
            add(scan, RCH_BY_SHAPE, addr - (uint64_t)scan->tables[i]->runtime_interpreters_head);
    }
}

static void find_bounds(struct scan *scan)
{
    scan->low = UINT64_MAX;
    for (size_t i = 0; i < scan->image->num_maps; i++) {
        const struct rch_map *map = &scan->image->maps[i];
        if (!is_writable(map))
            continue;
        scan->low = map->start < scan->low ? map->start : scan->low;
        scan->high = map->end;
    }
}

void rch_find_by_shape(const struct rch_image *image, struct rch_candidates *candidates)
{
    struct scan scan = {
        .image = image,
        .target = image->target,
        .candidates = candidates,
        .steps_left = MAX_STEPS,
    };
    for (uint32_t minor = RCH_MAX_MINOR; minor-- > 0;) {
        const struct rch_layout *table = rch_layout_for(3, minor);
        if (table && scan.num_tables < MAX_TABLES &&
            table->runtime_main_interpreter == table->runtime_interpreters_head + 8)
            scan.tables[scan.num_tables++] = table;
    }
    find_bounds(&scan);
    scan_data(&scan, look_for_shape);
}
