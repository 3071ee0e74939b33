// SPDX-License-Identifier: MIT
// format/write.c -- the columns of a graph, one section each, straight from where they are. No heap
// memory; small pieces go through a buffer on the stack.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format/file_impl.h"

#define BUFFER_BYTES 8192u
#define CHUNK_BYTES (8u << 20)  // between two calls of progress

struct out {
    int fd;
    uint64_t offset;  // of what comes next
    uint64_t total;   // of the file, for progress
    const struct rch_progress *progress;
    size_t num_buffered;
    uint8_t buffer[BUFFER_BYTES];
};

struct column {
    const void *rows;
    uint64_t num;
    enum rch_section_kind kind;
    uint32_t elem_bytes;
};

#define MAX_COLUMNS RCH_NUM_SECTION_KINDS

static enum rch_status write_all(struct out *out, const uint8_t *bytes, size_t num_bytes,
                                 struct rch_error *err)
{
    while (num_bytes > 0) {
        ssize_t now = write(out->fd, bytes, num_bytes);
        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0)
            return rch_fail(err, RCH_EIO, "cannot write snapshot: %m");
        bytes += now;
        num_bytes -= (size_t)now;
    }
    return RCH_OK;
}

static enum rch_status flush(struct out *out, struct rch_error *err)
{
    RCH_TRY(write_all(out, out->buffer, out->num_buffered, err));
    out->num_buffered = 0;
    return RCH_OK;
}

static enum rch_status put_big(struct out *out, const uint8_t *bytes, size_t num_bytes,
                               struct rch_error *err)
{
    RCH_TRY(flush(out, err));
    while (num_bytes > 0) {
        size_t now = num_bytes < CHUNK_BYTES ? num_bytes : CHUNK_BYTES;
        if (!rch_go_on(out->progress, "write snapshot", out->offset, out->total))
            return rch_fail(err, RCH_ECANCELED, "writing the snapshot was canceled");
        RCH_TRY(write_all(out, bytes, now, err));
        out->offset += now;
        bytes += now;
        num_bytes -= now;
    }
    return RCH_OK;
}

// bytes NULL: zeros, fewer than a buffer
static enum rch_status put(struct out *out, const void *bytes, size_t num_bytes,
                           struct rch_error *err)
{
    if (num_bytes >= BUFFER_BYTES)
        return put_big(out, bytes, num_bytes, err);
    if (num_bytes > BUFFER_BYTES - out->num_buffered)
        RCH_TRY(flush(out, err));
    if (bytes && num_bytes)
        memcpy(out->buffer + out->num_buffered, bytes, num_bytes);
    else
        memset(out->buffer + out->num_buffered, 0, num_bytes);
    out->num_buffered += num_bytes;
    out->offset += num_bytes;
    return RCH_OK;
}

static uint64_t padding(uint64_t num_bytes)
{
    return -num_bytes & (RCH_FILE_ALIGN - 1);
}

static enum rch_status put_section(struct out *out, const struct column *column, uint32_t sequence,
                                   struct rch_directory_row *row, struct rch_error *err)
{
    uint64_t payload_bytes = column->num * column->elem_bytes;
    struct rch_section_header header = {
        .kind = (uint32_t)column->kind,
        .elem_bytes = column->elem_bytes,
        .sequence = sequence,
        .num = column->num,
        .payload_bytes = payload_bytes,
        .payload_checksum = rch_checksum(column->rows, payload_bytes),
    };
    memcpy(header.magic, RCH_SECTION_MAGIC, RCH_MAGIC_BYTES);
    header.checksum = rch_checksum(&header, offsetof(struct rch_section_header, checksum));
    *row = (struct rch_directory_row){header.kind, sequence, out->offset, payload_bytes,
                                      header.payload_checksum};
    RCH_TRY(put(out, &header, sizeof(header), err));
    RCH_TRY(put(out, column->rows, payload_bytes, err));
    return put(out, NULL, padding(payload_bytes), err);
}

static uint32_t columns_of(const struct rch_graph *g, const struct rch_file_info *info,
                           struct column *columns)
{
    const struct {
        const void *rows;
        uint64_t num;
    } of[RCH_NUM_SECTION_KINDS] = {
        [RCH_SECTION_INFO] = {info, 1},
        [RCH_SECTION_STR_START] = {g->str_start, (uint64_t)g->num_strs + 1},
        [RCH_SECTION_STR_BYTES] = {g->str_bytes, g->num_str_bytes},
        [RCH_SECTION_TYPES] = {g->types, g->num_types},
        [RCH_SECTION_LABELS] = {g->labels, g->num_labels},
        [RCH_SECTION_SHAPES] = {g->shapes, g->num_shapes},
        [RCH_SECTION_ROOTS] = {g->roots, g->num_roots},
        [RCH_SECTION_WARNINGS] = {g->warnings, g->num_warnings},
        [RCH_SECTION_OBSERVERS] = {g->observers, g->num_observers},
        [RCH_SECTION_THREADS] = {g->threads, g->num_threads},
        [RCH_SECTION_STACK_FRAMES] = {g->stack_frames, g->num_stack_frames},
        [RCH_SECTION_FDS] = {g->fds, g->num_fds},
        [RCH_SECTION_FD_OWNERS] = {g->fd_owners, g->num_fd_owners},
        [RCH_SECTION_ADDR_RUNS] = {g->addr_runs, g->num_addr_runs},
        [RCH_SECTION_BIG_SIZES] = {g->big_sizes, g->num_big_sizes},
        [RCH_SECTION_SHAPE_OF] = {g->shape_of, g->num_nodes},
        [RCH_SECTION_SIZE16] = {g->size16, g->num_nodes},
        [RCH_SECTION_ADDR8] = {g->addr8, g->num_objects},
        [RCH_SECTION_TEXTS] = {g->texts, g->num_texts},
        [RCH_SECTION_EDGE_START] = {g->edge_start, (uint64_t)g->num_nodes + 1},
        [RCH_SECTION_EDGES] = {g->edges, g->num_edges},
    };
    static const struct {
        enum rch_section_kind kind;
        uint32_t elem_bytes;
    } order[] = {
#define RCH_SECTION_ORDER(name, number, elem_bytes) {RCH_SECTION_##name, elem_bytes},
        RCH_SECTION_LIST(RCH_SECTION_ORDER)
#undef RCH_SECTION_ORDER
    };
    uint32_t num = (uint32_t)(sizeof(order) / sizeof(order[0]));
    for (uint32_t i = 0; i < num; i++)
        columns[i] = (struct column){of[order[i].kind].rows, of[order[i].kind].num, order[i].kind,
                                     order[i].elem_bytes};
    return num;
}

static enum rch_status put_file_header(struct out *out, const struct rch_file_counts *counts,
                                       struct rch_error *err)
{
    struct rch_file_header header = {
        .major = RCH_FILE_MAJOR,
        .minor = RCH_FILE_MINOR,
        .byte_order = RCH_FILE_BYTE_ORDER,
        .header_bytes = sizeof(header),
        .counts = *counts,
    };
    memcpy(header.magic, RCH_FILE_MAGIC, RCH_MAGIC_BYTES);
    header.checksum = rch_checksum(&header, offsetof(struct rch_file_header, checksum));
    return put(out, &header, sizeof(header), err);
}

static enum rch_status put_end(struct out *out, const struct rch_directory_row *rows, uint32_t num,
                               struct rch_error *err)
{
    const struct column directory = {rows, num, RCH_SECTION_DIRECTORY, sizeof(*rows)};
    struct rch_directory_row own_row;
    struct rch_file_trailer trailer = {.directory_offset = out->offset, .num_sections = num};
    RCH_TRY(put_section(out, &directory, num, &own_row, err));
    trailer.file_bytes = out->offset + sizeof(trailer);
    memcpy(trailer.magic, RCH_TRAILER_MAGIC, RCH_MAGIC_BYTES);
    trailer.checksum = rch_checksum(&trailer, offsetof(struct rch_file_trailer, checksum));
    RCH_TRY(put(out, &trailer, sizeof(trailer), err));
    return flush(out, err);
}

static uint64_t section_bytes(uint64_t payload_bytes)
{
    return sizeof(struct rch_section_header) + payload_bytes + padding(payload_bytes);
}

static uint64_t file_bytes(const struct column *columns, uint32_t num)
{
    uint64_t bytes = sizeof(struct rch_file_header) + sizeof(struct rch_file_trailer) +
                     section_bytes(num * sizeof(struct rch_directory_row));
    for (uint32_t i = 0; i < num; i++)
        bytes += section_bytes(columns[i].num * columns[i].elem_bytes);
    return bytes;
}

enum rch_status rch_file_write_fd(const struct rch_graph *g, int fd,
                                  const struct rch_progress *progress, struct rch_error *err)
{
    const struct rch_file_info info = {
        .capture = g->info,
        .counts = {g->num_tracked, g->num_objects, g->num_nodes, g->num_edges},
    };
    struct column columns[MAX_COLUMNS];
    struct rch_directory_row rows[MAX_COLUMNS];
    struct out out = {.fd = fd, .progress = progress};
    uint32_t num = columns_of(g, &info, columns);
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return rch_fail(err, RCH_EUNSUPPORTED, "snapshots need a little-endian machine");
    out.total = file_bytes(columns, num);
    RCH_TRY(put_file_header(&out, &info.counts, err));
    for (uint32_t i = 0; i < num; i++) {
        if (!rch_go_on(progress, "write snapshot", out.offset, out.total))
            return rch_fail(err, RCH_ECANCELED, "writing the snapshot was canceled");
        RCH_TRY(put_section(&out, &columns[i], i, &rows[i], err));
    }
    return put_end(&out, rows, num, err);
}
