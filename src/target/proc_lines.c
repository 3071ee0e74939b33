// SPDX-License-Identifier: MIT
// target/proc_lines.c -- files of /proc line by line in a fixed buffer, however long they are; and the map
// of inode numbers that the lines are looked up in.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "target/fds_impl.h"

enum { FIRST_SLOTS = 64 };

void rch_lines_init(struct rch_lines *lines, int fd)
{
    lines->fd = fd;
    lines->start = lines->end = 0;
    lines->skips = false;
}

/// Read more behind what is there; false at the end of the file.
static bool fill(struct rch_lines *lines)
{
    memmove(lines->buf, lines->buf + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    ssize_t num;
    do
        num = read(lines->fd, lines->buf + lines->end, sizeof(lines->buf) - 1 - lines->end);
    while (num < 0 && errno == EINTR);
    if (num <= 0)
        return false;
    lines->end += (size_t)num;
    return true;
}

/// Take num_bytes bytes and the newline behind them, if any.
static char *take(struct rch_lines *lines, size_t num_bytes, bool has_newline)
{
    char *line = lines->buf + lines->start;
    line[num_bytes] = '\0';
    lines->start += num_bytes + has_newline;
    return line;
}

char *rch_lines_next(struct rch_lines *lines)
{
    for (;;) {
        size_t num = lines->end - lines->start;
        char *line = lines->buf + lines->start;
        char *newline = num ? memchr(line, '\n', num) : NULL;
        if (newline && lines->skips) {
            lines->skips = false;
            lines->start += (size_t)(newline - line) + 1;
        } else if (newline && newline - line < RCH_LINE_BYTES) {
            return take(lines, (size_t)(newline - line), true);
        } else if (num >= RCH_LINE_BYTES) {
            bool is_new = !lines->skips;
            lines->skips = true;
            if (is_new)
                return take(lines, RCH_LINE_BYTES - 1,
                            true);  // its last byte makes room for the NUL
            lines->start = lines->end;
        } else if (!fill(lines)) {
            bool is_rest = lines->skips || num == 0;
            lines->skips = false;
            return is_rest ? NULL : take(lines, lines->end - lines->start, false);
        }
    }
}

char *rch_next_word(char **at)
{
    char *word = *at + strspn(*at, " \t");
    if (!*word)
        return NULL;
    char *end = word + strcspn(word, " \t");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

// ---- inode numbers ------------------------------------------------------------------------------

void rch_inode_map_init(struct rch_inode_map *map, const struct rch_alloc *alloc)
{
    *map = (struct rch_inode_map){.alloc = alloc};
}

void rch_inode_map_deinit(struct rch_inode_map *map)
{
    rch_free(map->alloc, map->slots, map->cap, sizeof(*map->slots));
    map->slots = NULL;
    map->cap = map->num = 0;
}

/// The slot that has the inode, or the free one where it belongs.
static struct rch_inode_slot *slot_of(struct rch_inode_slot *slots, size_t cap, uint64_t inode)
{
    size_t at = (size_t)(inode * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);
    while (slots[at].inode && slots[at].inode != inode)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static enum rch_status grow(struct rch_inode_map *map, struct rch_error *err)
{
    size_t cap = map->cap ? map->cap * 2 : FIRST_SLOTS;
    struct rch_inode_slot *slots = rch_calloc(map->alloc, cap, sizeof(*slots));
    if (!slots)
        return rch_fail(err, RCH_ENOMEM, "%zu inodes of descriptors", map->num);
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].inode)
            *slot_of(slots, cap, map->slots[i].inode) = map->slots[i];
    rch_free(map->alloc, map->slots, map->cap, sizeof(*slots));
    map->slots = slots;
    map->cap = cap;
    return RCH_OK;
}

enum rch_status rch_inode_map_add(struct rch_inode_map *map, uint64_t inode, uint32_t value,
                                  uint32_t *value_out, struct rch_error *err)
{
    if ((map->num + 1) * 2 > map->cap)
        RCH_TRY(grow(map, err));
    struct rch_inode_slot *slot = slot_of(map->slots, map->cap, inode);
    if (!slot->inode) {
        *slot = (struct rch_inode_slot){inode, value};
        map->num++;
    }
    *value_out = slot->value;
    return RCH_OK;
}

uint32_t rch_inode_map_find(const struct rch_inode_map *map, uint64_t inode)
{
    if (!inode || !map->cap)
        return UINT32_MAX;
    const struct rch_inode_slot *slot = slot_of(map->slots, map->cap, inode);
    return slot->inode ? slot->value : UINT32_MAX;
}
