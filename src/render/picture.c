// SPDX-License-Identifier: MIT
// render/picture.c -- make a picture piece by piece.
#include "render/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rch_picture_init(struct rch_picture *picture, const struct rch_alloc *alloc)
{
    memset(picture, 0, sizeof(*picture));
    rch_arena_init(&picture->arena, alloc);
    rch_vec_init(&picture->nodes, alloc, sizeof(struct rch_picture_node));
    rch_vec_init(&picture->edges, alloc, sizeof(struct rch_picture_edge));
    rch_vec_init(&picture->notes, alloc, sizeof(const char *));
}

void rch_picture_deinit(struct rch_picture *picture)
{
    rch_vec_deinit(&picture->nodes);
    rch_vec_deinit(&picture->edges);
    rch_vec_deinit(&picture->notes);
    rch_arena_deinit(&picture->arena);
}

enum rch_status rch_picture_node(struct rch_picture *picture, const struct rch_picture_node *node,
                                 uint32_t *index_out, struct rch_error *err)
{
    if (picture->nodes.num >= UINT32_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "a picture of too many boxes");
    if (index_out)
        *index_out = (uint32_t)picture->nodes.num;
    return rch_vec_append(&picture->nodes, node, 1, err);
}

enum rch_status rch_picture_edge(struct rch_picture *picture, const struct rch_picture_edge *edge,
                                 struct rch_error *err)
{
    if (edge->from >= picture->nodes.num || edge->to >= picture->nodes.num)
        return rch_fail(err, RCH_EINVAL, "an arrow to a box that is not in the picture");
    return rch_vec_append(&picture->edges, edge, 1, err);
}

const char *rch_picture_text(struct rch_picture *picture, const char *fmt, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int num = vsnprintf(small, sizeof(small), fmt, args);
    char *text = NULL;
    if (num >= 0 && (size_t)num < sizeof(small))
        text = rch_arena_copy(&picture->arena, small, (size_t)num);
    else if (num >= 0 && (text = rch_arena_take(&picture->arena, (size_t)num + 1, 1)))
        vsnprintf(text, (size_t)num + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

enum rch_status rch_picture_note(struct rch_picture *picture, const char *text,
                                 struct rch_error *err)
{
    if (!text)
        return rch_fail(err, RCH_ENOMEM, "a note of a picture");
    return rch_vec_append(&picture->notes, &text, 1, err);
}
