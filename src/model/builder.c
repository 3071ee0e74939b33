// SPDX-License-Identifier: MIT
// model/builder.c -- tables by interning, nodes and references by appending. A call that fails
// changes nothing: room in all arrays is made first.
#include "model/builder.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/builder_impl.h"

#define MAX_NUM (UINT32_MAX - 1)  // of anything that a 32-bit number names

void rch_builder_tables_init(struct rch_builder_tables *tables, const struct rch_alloc *alloc)
{
    rch_vec_init(&tables->str_bytes, alloc, sizeof(char));
    rch_vec_init(&tables->str_start, alloc, sizeof(uint32_t));
    rch_vec_init(&tables->types, alloc, sizeof(struct rch_type));
    rch_vec_init(&tables->shapes, alloc, sizeof(struct rch_shape));
    rch_vec_init(&tables->labels, alloc, sizeof(struct rch_label));
    rch_vec_init(&tables->warnings, alloc, sizeof(rch_str));
}

void rch_builder_tables_deinit(struct rch_builder_tables *tables)
{
    rch_vec_deinit(&tables->str_bytes);
    rch_vec_deinit(&tables->str_start);
    rch_vec_deinit(&tables->types);
    rch_vec_deinit(&tables->shapes);
    rch_vec_deinit(&tables->labels);
    rch_vec_deinit(&tables->warnings);
}

void rch_builder_clear(struct rch_builder *b)
{
    rch_builder_tables_deinit(&b->tables);
    rch_intern_deinit(&b->str_set);
    rch_intern_deinit(&b->type_set);
    rch_vec_deinit(&b->objects);
    rch_vec_deinit(&b->roots);
    rch_vec_deinit(&b->root_shapes);
    rch_vec_deinit(&b->refs);
    rch_vec_deinit(&b->texts);
    rch_vec_deinit(&b->observers);
    rch_vec_deinit(&b->threads);
    rch_vec_deinit(&b->frames);
    rch_vec_deinit(&b->fds);
    rch_vec_deinit(&b->fd_owners);
}

enum rch_status rch_builder_new(const struct rch_alloc *alloc, struct rch_builder **builder_out,
                                struct rch_error *err)
{
    struct rch_builder *b = rch_calloc(alloc, 1, sizeof(*b));
    if (!b)
        return rch_fail(err, RCH_ENOMEM, "graph builder");
    b->alloc = alloc;
    rch_builder_tables_init(&b->tables, alloc);
    rch_intern_init(&b->str_set, alloc);
    rch_intern_init(&b->type_set, alloc);
    rch_vec_init(&b->objects, alloc, sizeof(struct rch_object));
    rch_vec_init(&b->roots, alloc, sizeof(struct rch_root));
    rch_vec_init(&b->root_shapes, alloc, sizeof(uint32_t));
    rch_vec_init(&b->refs, alloc, sizeof(struct rch_builder_ref));
    rch_vec_init(&b->texts, alloc, sizeof(struct rch_text_of));
    rch_vec_init(&b->observers, alloc, sizeof(struct rch_observer));
    rch_vec_init(&b->threads, alloc, sizeof(struct rch_thread));
    rch_vec_init(&b->frames, alloc, sizeof(struct rch_stack_frame));
    rch_vec_init(&b->fds, alloc, sizeof(struct rch_fd));
    rch_vec_init(&b->fd_owners, alloc, sizeof(struct rch_fd_owner));
    const uint32_t first_start = 0;
    rch_str empty;
    enum rch_status st = rch_vec_append(&b->tables.str_start, &first_start, 1, err);
    if (st == RCH_OK)
        st = rch_builder_string(b, "", 0, &empty, err);
    if (st != RCH_OK) {
        rch_builder_free(b);
        return st;
    }
    *builder_out = b;
    return RCH_OK;
}

void rch_builder_free(struct rch_builder *builder)
{
    if (!builder)
        return;
    rch_builder_clear(builder);
    rch_free(builder->alloc, builder, 1, sizeof(*builder));
}

struct rch_capture_info *rch_builder_info(struct rch_builder *b)
{
    return &b->info;
}

// --- strings ---

struct str_key {
    const struct rch_builder_tables *tables;
    const char *bytes;
    size_t num_bytes;
};

static bool same_str(const void *ctx, uint32_t number)
{
    const struct str_key *key = ctx;
    const uint32_t *start = key->tables->str_start.mem;
    const char *bytes = key->tables->str_bytes.mem;
    return start[number + 1] - start[number] - 1 == key->num_bytes &&
           (key->num_bytes == 0 || memcmp(bytes + start[number], key->bytes, key->num_bytes) == 0);
}

static uint32_t num_strs(const struct rch_builder *b)
{
    return b->tables.str_start.num ? (uint32_t)(b->tables.str_start.num - 1) : 0;
}

static enum rch_status add_str(struct rch_builder *b, const char *bytes, size_t num_bytes,
                               uint32_t hash, rch_str *str_out, struct rch_error *err)
{
    struct rch_builder_tables *t = &b->tables;
    if (num_bytes >= UINT32_MAX - t->str_bytes.num || num_strs(b) >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "strings of more than 4 GiB");
    RCH_TRY(rch_vec_reserve(&t->str_bytes, num_bytes + 1, err));
    RCH_TRY(rch_vec_reserve(&t->str_start, 1, err));
    RCH_TRY(rch_intern_reserve(&b->str_set, err));
    RCH_TRY(rch_vec_append(&t->str_bytes, bytes, num_bytes, err));
    RCH_TRY(rch_vec_append(&t->str_bytes, NULL, 1, err));
    const uint32_t end = (uint32_t)t->str_bytes.num;
    *str_out = num_strs(b);
    RCH_TRY(rch_vec_append(&t->str_start, &end, 1, err));
    rch_intern_add(&b->str_set, hash, *str_out);
    return RCH_OK;
}

enum rch_status rch_builder_string(struct rch_builder *b, const char *bytes, size_t num_bytes,
                                   rch_str *str_out, struct rch_error *err)
{
    const struct str_key key = {&b->tables, bytes, num_bytes};
    uint32_t hash = rch_intern_hash(bytes, num_bytes);
    uint32_t found = rch_intern_find(&b->str_set, hash, same_str, &key);
    if (found == UINT32_MAX)
        return add_str(b, bytes, num_bytes, hash, str_out, err);
    *str_out = found;
    return RCH_OK;
}

enum rch_status rch_builder_warn(struct rch_builder *b, struct rch_error *err, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int num_bytes = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (num_bytes < 0)
        return rch_fail(err, RCH_EINVAL, "a warning that cannot be formatted");
    rch_str str;
    RCH_TRY(rch_builder_string(b, text, strlen(text), &str, err));
    for (size_t i = 0; i < b->tables.warnings.num; i++) {
        if (RCH_VEC_AT(&b->tables.warnings, rch_str, i) == str)
            return RCH_OK;
    }
    return rch_vec_append(&b->tables.warnings, &str, 1, err);
}

// --- types and shapes ---

struct type_key {
    const struct rch_type *types;
    struct rch_type type;
};

static bool same_type(const void *ctx, uint32_t number)
{
    const struct type_key *key = ctx;
    return memcmp(&key->types[number], &key->type, sizeof(key->type)) == 0;
}

enum rch_status rch_builder_type(struct rch_builder *b, const struct rch_type *type,
                                 uint32_t *type_out, struct rch_error *err)
{
    struct rch_vec *types = &b->tables.types;
    if (type->module >= num_strs(b) || type->name >= num_strs(b))
        return rch_fail(err, RCH_EINVAL, "a type whose name is no string");
    const struct type_key key = {types->mem, *type};
    uint32_t hash = rch_intern_hash(type, sizeof(*type));
    uint32_t found = rch_intern_find(&b->type_set, hash, same_type, &key);
    if (found != UINT32_MAX) {
        *type_out = found;
        return RCH_OK;
    }
    if (types->num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 types");
    RCH_TRY(rch_intern_reserve(&b->type_set, err));
    RCH_TRY(rch_vec_append(types, type, 1, err));
    *type_out = (uint32_t)(types->num - 1);
    rch_intern_add(&b->type_set, hash, *type_out);
    return RCH_OK;
}

void rch_builder_set_type_node(struct rch_builder *b, uint32_t type, rch_node node)
{
    if (type < b->tables.types.num)
        RCH_VEC_AT(&b->tables.types, struct rch_type, type).node = node;
}

static enum rch_status check_labels(const struct rch_builder *b, const struct rch_label *labels,
                                    size_t num, struct rch_error *err)
{
    for (size_t i = 0; i < num; i++) {
        if (labels[i].name >= num_strs(b) || labels[i].kind >= RCH_NUM_EDGE_KINDS ||
            labels[i].cls > RCH_CLASS_GUESSED)
            return rch_fail(err, RCH_EINVAL, "label %zu of a shape has no meaning", i);
    }
    return RCH_OK;
}

enum rch_status rch_builder_shape(struct rch_builder *b, uint32_t type,
                                  const struct rch_label *labels, uint32_t num_labels,
                                  uint32_t num_tail, uint32_t *shape_out, struct rch_error *err)
{
    struct rch_builder_tables *t = &b->tables;
    size_t num = (size_t)num_labels + num_tail;
    if (type >= t->types.num || num_tail > RCH_MAX_TAIL)
        return rch_fail(err, RCH_EINVAL, "shape of type %" PRIu32 " with a tail of %" PRIu32, type,
                        num_tail);
    if (t->shapes.num >= MAX_NUM || num > MAX_NUM - t->labels.num)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 shapes or labels");
    RCH_TRY(check_labels(b, labels, num, err));
    const struct rch_shape shape = {type, (uint32_t)t->labels.num, num_labels, num_tail};
    RCH_TRY(rch_vec_reserve(&t->labels, num, err));
    RCH_TRY(rch_vec_append(&t->shapes, &shape, 1, err));
    RCH_TRY(rch_vec_append(&t->labels, labels, num, err));
    *shape_out = (uint32_t)(t->shapes.num - 1);
    return RCH_OK;
}

// --- node by node ---

static size_t num_handles(const struct rch_builder *b)
{
    return b->objects.num + b->roots.num;
}

enum rch_status rch_builder_object(struct rch_builder *b, const struct rch_object *object,
                                   uint32_t *handle_out, struct rch_error *err)
{
    if (b->roots.num)
        return rch_fail(err, RCH_EINVAL, "an object added after a root");
    if (object->addr % 8 != 0 || object->shape >= b->tables.shapes.num)
        return rch_fail_at(err, RCH_EINVAL, object->addr,
                           "object with odd address or unknown shape %" PRIu32, object->shape);
    if (num_handles(b) >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 nodes");
    RCH_TRY(rch_vec_append(&b->objects, object, 1, err));
    *handle_out = (uint32_t)(num_handles(b) - 1);
    return RCH_OK;
}

enum rch_status rch_builder_root(struct rch_builder *b, const struct rch_root *root, uint32_t shape,
                                 uint32_t *handle_out, struct rch_error *err)
{
    if (shape >= b->tables.shapes.num || root->name >= num_strs(b) || root->detail >= num_strs(b) ||
        root->kind >= RCH_NUM_ROOT_KINDS)
        return rch_fail(err, RCH_EINVAL, "root of unknown shape, name or kind");
    if (num_handles(b) >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 nodes");
    RCH_TRY(rch_vec_reserve(&b->root_shapes, 1, err));
    RCH_TRY(rch_vec_append(&b->roots, root, 1, err));
    RCH_TRY(rch_vec_append(&b->root_shapes, &shape, 1, err));
    *handle_out = (uint32_t)(num_handles(b) - 1);
    return RCH_OK;
}

enum rch_status rch_builder_ref(struct rch_builder *b, uint32_t from, uint32_t to,
                                struct rch_error *err)
{
    if (from >= num_handles(b) || (to != RCH_NO_NODE && to >= b->objects.num))
        return rch_fail(err, RCH_EINVAL, "reference from %" PRIu32 " to %" PRIu32 ": no such node",
                        from, to);
    if (b->refs.num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 references");
    const struct rch_builder_ref ref = {from, to};
    return rch_vec_append(&b->refs, &ref, 1, err);
}

enum rch_status rch_builder_text(struct rch_builder *b, uint32_t handle, rch_str text,
                                 struct rch_error *err)
{
    if (handle >= b->objects.num || text >= num_strs(b))
        return rch_fail(err, RCH_EINVAL, "text of %" PRIu32 ": no such object", handle);
    const struct rch_text_of row = {handle, text};
    return rch_vec_append(&b->texts, &row, 1, err);
}

enum rch_status rch_builder_observer(struct rch_builder *b, uint32_t handle,
                                     enum rch_observer_scope scope, struct rch_error *err)
{
    if (handle >= num_handles(b) || (uint32_t)scope > RCH_OBSERVER_DIRECT)
        return rch_fail(err, RCH_EINVAL, "observer %" PRIu32 ": no such node", handle);
    const struct rch_observer row = {handle, scope};
    return rch_vec_append(&b->observers, &row, 1, err);
}

// --- threads and descriptors ---

// A root of one of two kinds, or none.
static bool is_root_of(const struct rch_builder *b, uint32_t handle, enum rch_root_kind kind,
                       enum rch_root_kind or_kind)
{
    if (handle == RCH_NO_NODE)
        return true;
    if (handle < b->objects.num || handle >= num_handles(b))
        return false;
    uint8_t found = RCH_VEC_AT(&b->roots, struct rch_root, handle - b->objects.num).kind;
    return found == kind || found == or_kind;
}

enum rch_status rch_builder_thread(struct rch_builder *b, const struct rch_thread *thread,
                                   struct rch_error *err)
{
    if (thread->name >= num_strs(b) || thread->waits_for >= num_strs(b) ||
        !is_root_of(b, thread->root, RCH_ROOT_THREAD, RCH_ROOT_THREAD))
        return rch_fail(err, RCH_EINVAL, "thread of unknown name or root");
    if (b->threads.num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 threads");
    struct rch_thread row = *thread;
    row.first_frame = (uint32_t)b->frames.num;
    row.num_frames = 0;
    return rch_vec_append(&b->threads, &row, 1, err);
}

enum rch_status rch_builder_frame(struct rch_builder *b, const struct rch_stack_frame *frame,
                                  struct rch_error *err)
{
    if (b->threads.num == 0 || frame->function >= num_strs(b) || frame->file >= num_strs(b) ||
        !is_root_of(b, frame->root, RCH_ROOT_FRAME, RCH_ROOT_COROUTINE))
        return rch_fail(err, RCH_EINVAL, "frame of no thread, of unknown name or root");
    if (b->frames.num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 frames");
    RCH_TRY(rch_vec_append(&b->frames, frame, 1, err));
    RCH_VEC_AT(&b->threads, struct rch_thread, b->threads.num - 1).num_frames++;
    return RCH_OK;
}

enum rch_status rch_builder_fd(struct rch_builder *b, const struct rch_fd *fd,
                               struct rch_error *err)
{
    if (fd->fd < 0 || fd->protocol >= num_strs(b) || fd->state >= num_strs(b) ||
        fd->local >= num_strs(b) || fd->peer >= num_strs(b))
        return rch_fail(err, RCH_EINVAL, "descriptor %" PRId32 " is negative or of unknown name",
                        fd->fd);
    if (b->fds.num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 descriptors");
    return rch_vec_append(&b->fds, fd, 1, err);
}

enum rch_status rch_builder_fd_owner(struct rch_builder *b, uint32_t handle, int32_t fd,
                                     struct rch_error *err)
{
    if (handle >= b->objects.num || fd < 0)
        return rch_fail(err, RCH_EINVAL, "owner %" PRIu32 " of descriptor %" PRId32 ": no such",
                        handle, fd);
    if (b->fd_owners.num >= MAX_NUM)
        return rch_fail(err, RCH_EOVERFLOW, "more than 2^32 owners of descriptors");
    const struct rch_fd_owner row = {handle, fd};
    return rch_vec_append(&b->fd_owners, &row, 1, err);
}

const struct rch_label *rch_builder_label(const struct rch_builder *b, uint32_t shape,
                                          uint32_t ordinal)
{
    const struct rch_shape *row = &RCH_VEC_AT(&b->tables.shapes, struct rch_shape, shape);
    if (ordinal >= row->num_labels && row->num_tail == 0)
        return NULL;
    if (ordinal >= row->num_labels)
        ordinal = row->num_labels + (ordinal - row->num_labels) % row->num_tail;
    return &RCH_VEC_AT(&b->tables.labels, struct rch_label, row->first_label + ordinal);
}

const char *rch_builder_str(const struct rch_builder *b, rch_str str)
{
    return &RCH_VEC_AT(&b->tables.str_bytes, char, RCH_VEC_AT(&b->tables.str_start, uint32_t, str));
}
