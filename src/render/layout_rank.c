// SPDX-License-Identifier: MIT
// render/layout_rank.c -- which layer a box is on. Arrows that close a cycle, as a walk in depth
// finds them, are turned round; then every box stands after all that point to it, and as near to its
// neighbours as that leaves room.
#include "render/layout_impl.h"

struct walk {
    struct rch_lay *lay;
    uint32_t *start, *arrows;  // arrows of each box, by number
    uint32_t *next;            // of a box: the arrow to look at next
    uint32_t *stack;
    uint8_t *state;  // 0: new, 1: on the stack, 2: done
};

static const struct rch_layout_arrow *arrow_of(const struct rch_lay *lay, uint32_t i)
{
    return &lay->out->arrows[i];
}

static void list_arrows(const struct walk *walk)
{
    const struct rch_layout *out = walk->lay->out;
    for (uint32_t i = 0; i < out->num_arrows; i++)
        walk->start[out->arrows[i].from + 1]++;
    for (uint32_t i = 0; i < out->num_boxes; i++)
        walk->start[i + 1] += walk->start[i];
    for (uint32_t i = 0; i < out->num_boxes; i++)
        walk->next[i] = walk->start[i];
    for (uint32_t i = 0; i < out->num_arrows; i++)
        walk->arrows[walk->next[out->arrows[i].from]++] = i;
    for (uint32_t i = 0; i < out->num_boxes; i++)
        walk->next[i] = walk->start[i];
}

static void walk_from(struct walk *walk, uint32_t box)
{
    uint8_t *is_back = walk->lay->is_back.mem;
    uint32_t depth = 0;
    if (walk->state[box])
        return;
    walk->stack[depth++] = box;
    walk->state[box] = 1;
    while (depth) {
        uint32_t top = walk->stack[depth - 1];
        if (walk->next[top] == walk->start[top + 1]) {
            walk->state[top] = 2;
            depth--;
            continue;
        }
        uint32_t arrow = walk->arrows[walk->next[top]++], to = arrow_of(walk->lay, arrow)->to;
        if (walk->state[to] == 1 && to != top)
            is_back[arrow] = 1;
        if (walk->state[to])
            continue;
        walk->state[to] = 1;
        walk->stack[depth++] = to;
    }
}

static enum rch_status find_back_arrows(struct rch_lay *lay, struct rch_error *err)
{
    uint32_t num = lay->out->num_boxes;
    RCH_BLOCK(start, lay->alloc, num + 1, sizeof(uint32_t));
    RCH_BLOCK(arrows, lay->alloc, lay->out->num_arrows, sizeof(uint32_t));
    RCH_BLOCK(next, lay->alloc, num, sizeof(uint32_t));
    RCH_BLOCK(stack, lay->alloc, num, sizeof(uint32_t));
    RCH_BLOCK(state, lay->alloc, num, sizeof(uint8_t));
    RCH_BLOCK(has_in, lay->alloc, num, sizeof(uint8_t));
    uint8_t *in = has_in.mem;
    if (!start.mem || !arrows.mem || !next.mem || !stack.mem || !state.mem || !in)
        return rch_fail(err, RCH_ENOMEM, "layers of a picture");
    struct walk walk = {lay, start.mem, arrows.mem, next.mem, stack.mem, state.mem};
    list_arrows(&walk);
    for (uint32_t i = 0; i < lay->out->num_arrows; i++)
        in[arrow_of(lay, i)->to] |= arrow_of(lay, i)->from != arrow_of(lay, i)->to;
    for (uint32_t i = 0; i < num;
         i++)  // where nothing points to first: cycles then turn where they are entered
        if (!in[i])
            walk_from(&walk, i);
    for (uint32_t i = 0; i < num; i++)
        walk_from(&walk, i);
    return RCH_OK;
}

/// The box an arrow comes from and goes to once back arrows are turned.
static void ends_of(const struct rch_lay *lay, uint32_t i, uint32_t *upper, uint32_t *lower)
{
    bool is_back = ((const uint8_t *)lay->is_back.mem)[i];
    *upper = is_back ? arrow_of(lay, i)->to : arrow_of(lay, i)->from;
    *lower = is_back ? arrow_of(lay, i)->from : arrow_of(lay, i)->to;
}

/// Longest paths; there are no cycles, so this ends after as many rounds as there are layers.
static void rank_longest(struct rch_lay *lay)
{
    uint32_t *layer = lay->layer_of.mem;
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        for (uint32_t i = 0; i < lay->out->num_arrows; i++) {
            uint32_t upper, lower;
            ends_of(lay, i, &upper, &lower);
            if (upper == lower || layer[lower] > layer[upper])
                continue;
            layer[lower] = layer[upper] + 1;
            has_moved = true;
        }
    }
}

struct room {
    uint32_t least, most;  // layers a box may be on
    uint32_t num_in, num_out;
};

static void find_room(const struct rch_lay *lay, struct room *rooms)
{
    const uint32_t *layer = lay->layer_of.mem;
    for (uint32_t i = 0; i < lay->out->num_boxes; i++)
        rooms[i] = (struct room){0, UINT32_MAX, 0, 0};
    for (uint32_t i = 0; i < lay->out->num_arrows; i++) {
        uint32_t upper, lower;
        ends_of(lay, i, &upper, &lower);
        if (upper == lower)
            continue;
        struct room *above = &rooms[upper], *below = &rooms[lower];
        if (layer[lower] - 1 < above->most)
            above->most = layer[lower] - 1;
        if (layer[upper] + 1 > below->least)
            below->least = layer[upper] + 1;
        above->num_out++;
        below->num_in++;
    }
}

/// Boxes with more arrows out than in go down as far as they can. One at a time, as each move changes the
/// room of others; a few rounds do.
static enum rch_status tighten(struct rch_lay *lay, struct rch_error *err)
{
    enum { MAX_ROUNDS = 64 };
    RCH_BLOCK(block, lay->alloc, lay->out->num_boxes, sizeof(struct room));
    struct room *rooms = block.mem;
    uint32_t *layer = lay->layer_of.mem;
    if (!rooms)
        return rch_fail(err, RCH_ENOMEM, "layers of a picture");
    bool has_moved = true;
    for (int round = 0; has_moved && round < MAX_ROUNDS; round++) {
        has_moved = false;
        for (uint32_t i = lay->out->num_boxes; i-- > 0;) {
            find_room(lay, rooms);
            const struct room *room = &rooms[i];
            if (room->num_out <= room->num_in || room->most == UINT32_MAX || room->most == layer[i])
                continue;
            layer[i] = room->most;
            has_moved = true;
        }
    }
    return RCH_OK;
}

/// Layers as given.
static void take_layers(struct rch_lay *lay)
{
    uint32_t *layer = lay->layer_of.mem;
    uint8_t *is_back = lay->is_back.mem;
    for (uint32_t i = 0; i < lay->out->num_boxes; i++)
        layer[i] = lay->out->boxes[i].layer;
    for (uint32_t i = 0; i < lay->out->num_arrows; i++)
        is_back[i] = layer[arrow_of(lay, i)->from] > layer[arrow_of(lay, i)->to];
}

enum rch_status rch_lay_rank(struct rch_lay *lay, struct rch_error *err)
{
    lay->layer_of = rch_block_make(lay->alloc, lay->out->num_boxes, sizeof(uint32_t));
    lay->is_back = rch_block_make(lay->alloc, lay->out->num_arrows, sizeof(uint8_t));
    if (!lay->layer_of.mem || !lay->is_back.mem)
        return rch_fail(err, RCH_ENOMEM, "layers of a picture");
    if (lay->out->num_boxes && lay->out->boxes[0].layer != UINT32_MAX) {
        take_layers(lay);
        return RCH_OK;
    }
    RCH_TRY(find_back_arrows(lay, err));
    rank_longest(lay);
    return tighten(lay, err);
}
