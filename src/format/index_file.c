// SPDX-License-Identifier: MIT
// format/index_file.c -- see index_file.h: a header, a row a column, the columns. Written whole and
// renamed, so there is nothing to salvage in it: what does not fit is not used.
#include "format/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/index_impl.h"
#include "format/replace.h"

#define CHUNK_BYTES (8u << 20)  // between two calls of progress
#define SUFFIX ".idx"

static bool index_path(const char *snapshot_path, char path[PATH_MAX])
{
    int num = snprintf(path, PATH_MAX, "%s" SUFFIX, snapshot_path);
    return num > 0 && num < PATH_MAX;
}

// --- reading ---

static uint64_t head_checksum(const struct rch_index_header *header)
{
    return rch_checksum((const uint8_t *)header + sizeof(header->magic) + sizeof(header->checksum),
                        header->header_bytes - sizeof(header->magic) - sizeof(header->checksum));
}

static const char *header_trouble(const struct rch_index_header *header, size_t num_bytes)
{
    if (num_bytes < sizeof(*header) || memcmp(header->magic, RCH_INDEX_MAGIC, RCH_MAGIC_BYTES) != 0)
        return "it is no index";
    if (header->header_bytes < sizeof(*header) || header->header_bytes > num_bytes ||
        header->checksum != head_checksum(header))
        return "its header is damaged";
    if (header->major != RCH_INDEX_MAJOR || header->byte_order != RCH_FILE_BYTE_ORDER)
        return "it is of another version";
    uint64_t rows = header->num_columns * (uint64_t)sizeof(struct rch_index_row);
    if (header->header_bytes - sizeof(*header) != rows || header->file_bytes != num_bytes)
        return "it is cut short";
    return NULL;
}

static const char *offer_column(const uint8_t *bytes, size_t num_bytes,
                                const struct rch_index_row *row,
                                struct rch_derived_offer offers[RCH_NUM_DERIVED])
{
    uint32_t elem_bytes = rch_derived_elem_bytes(row->kind);
    if (elem_bytes == 0)  // of a later version
        return NULL;
    if (offers[row->kind].rows || row->elem_bytes != elem_bytes ||
        row->offset % RCH_FILE_ALIGN != 0 || row->offset > num_bytes ||
        row->num > (num_bytes - row->offset) / elem_bytes)
        return "a row of its header is wrong";
    offers[row->kind] = (struct rch_derived_offer){bytes + row->offset, row->num, row->checksum};
    return NULL;
}

const char *rch_index_take(struct rch_graph *g, const void *bytes, size_t num_bytes,
                           const struct rch_file_identity *identity,
                           void (*unmap)(void *bytes, size_t num_bytes))
{
    struct rch_derived_offer offers[RCH_NUM_DERIVED] = {{0}};
    const struct rch_index_header *header = bytes;
    const char *trouble = header_trouble(header, num_bytes);
    if (trouble)
        return trouble;
    if (header->snapshot_bytes != identity->bytes ||
        header->snapshot_checksum != identity->checksum)
        return RCH_INDEX_OF_ANOTHER;
    const struct rch_index_row *rows = (const struct rch_index_row *)(header + 1);
    for (uint32_t i = 0; i < header->num_columns; i++) {
        trouble = offer_column(bytes, num_bytes, &rows[i], offers);
        if (trouble)
            return trouble;
    }
    rch_derived_map(g, offers, rch_checksum, unmap, (void *)(uintptr_t)bytes, num_bytes);
    return NULL;
}

static void unmap_file(void *bytes, size_t num_bytes)
{
    munmap(bytes, num_bytes);
}

// The file's bytes; NULL: there is none that could be read.
static void *map_index(const char *path, size_t *num_bytes_out)
{
    struct stat st;
    void *bytes = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uint64_t)st.st_size <= PTRDIFF_MAX)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    *num_bytes_out = bytes == MAP_FAILED ? 0 : (size_t)st.st_size;
    return bytes == MAP_FAILED ? NULL : bytes;
}

enum rch_status rch_index_open(struct rch_graph *g, const char *snapshot_path,
                               const struct rch_alloc *alloc, char *trouble_out, size_t bytes,
                               struct rch_error *err)
{
    struct rch_file_identity identity;
    char path[PATH_MAX];
    size_t num_bytes;
    *trouble_out = '\0';
    RCH_TRY(rch_derived_attach(g, alloc, err));
    if (!rch_file_identity(g, &identity) || !index_path(snapshot_path, path))
        return RCH_OK;
    void *index = map_index(path, &num_bytes);
    if (!index)
        return RCH_OK;
    const char *trouble = rch_index_take(g, index, num_bytes, &identity, unmap_file);
    if (!trouble)
        return RCH_OK;
    munmap(index, num_bytes);
    if (strcmp(trouble, RCH_INDEX_OF_ANOTHER) != 0)  // a new snapshot of the old name: no trouble
        (void)snprintf(trouble_out, bytes, "%s: %s; not used, and made again", path, trouble);
    return RCH_OK;
}

// --- writing ---

struct writer {
    const struct rch_graph *g;
    const struct rch_file_identity *identity;
    const struct rch_progress *progress;
    struct rch_derived_rows columns[RCH_NUM_DERIVED];
    struct {
        struct rch_index_header header;
        struct rch_index_row rows[RCH_NUM_DERIVED];
    } head;
};

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + RCH_FILE_ALIGN - 1) & ~(uint64_t)(RCH_FILE_ALIGN - 1);
}

static enum rch_status put(const struct writer *w, int fd, const void *bytes, uint64_t num_bytes,
                           uint64_t offset, struct rch_error *err)
{
    const uint8_t *at = bytes;
    while (num_bytes) {
        if (!rch_go_on(w->progress, "write index", offset, w->head.header.file_bytes))
            return rch_fail(err, RCH_ECANCELED, "writing the index was canceled");
        ssize_t num =
            pwrite(fd, at, num_bytes < CHUNK_BYTES ? num_bytes : CHUNK_BYTES, (off_t)offset);
        if (num < 0 && errno == EINTR)
            continue;
        if (num <= 0)
            return rch_fail(err, RCH_EIO, "cannot write the index: %m");
        at += num;
        offset += (uint64_t)num;
        num_bytes -= (uint64_t)num;
    }
    return RCH_OK;
}

static void plan(struct writer *w)
{
    struct rch_index_header *header = &w->head.header;
    *header = (struct rch_index_header){.major = RCH_INDEX_MAJOR,
                                        .minor = RCH_INDEX_MINOR,
                                        .byte_order = RCH_FILE_BYTE_ORDER,
                                        .snapshot_bytes = w->identity->bytes,
                                        .snapshot_checksum = w->identity->checksum};
    memcpy(header->magic, RCH_INDEX_MAGIC, RCH_MAGIC_BYTES);
    for (uint32_t kind = 0; kind < RCH_NUM_DERIVED; kind++)
        header->num_columns += w->columns[kind].rows != NULL;
    header->header_bytes =
        (uint32_t)(sizeof(*header) + header->num_columns * sizeof(struct rch_index_row));
    uint64_t offset = aligned(header->header_bytes);
    struct rch_index_row *row = w->head.rows;
    for (uint32_t kind = 0; kind < RCH_NUM_DERIVED; kind++) {
        if (!w->columns[kind].rows)
            continue;
        *row++ = (struct rch_index_row){.kind = kind,
                                        .elem_bytes = rch_derived_elem_bytes(kind),
                                        .offset = offset,
                                        .num = w->columns[kind].num};
        offset = aligned(offset + w->columns[kind].num * rch_derived_elem_bytes(kind));
    }
    header->file_bytes = offset;
}

static enum rch_status fill_index(void *ctx, int fd, struct rch_error *err)
{
    struct writer *w = ctx;
    plan(w);
    if (ftruncate(fd, (off_t)w->head.header.file_bytes) != 0)
        return rch_fail(err, RCH_EIO, "cannot write the index: %m");
    for (uint32_t i = 0; i < w->head.header.num_columns; i++) {
        struct rch_index_row *row = &w->head.rows[i];
        const void *rows = w->columns[row->kind].rows;
        uint64_t num_bytes = row->num * row->elem_bytes;
        row->checksum = rch_checksum(rows, num_bytes);
        RCH_TRY(put(w, fd, rows, num_bytes, row->offset, err));
    }
    w->head.header.checksum = head_checksum(&w->head.header);
    return put(w, fd, &w->head, w->head.header.header_bytes, 0, err);
}

enum rch_status rch_index_save(const struct rch_graph *g, const char *snapshot_path,
                               bool even_small, const struct rch_progress *progress,
                               struct rch_error *err)
{
    struct rch_file_identity identity;
    struct writer w = {.g = g, .identity = &identity, .progress = progress};
    char path[PATH_MAX];
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || !rch_derived_has_new(g) ||
        (g->num_nodes < RCH_INDEX_MIN_NODES && !even_small) || !rch_file_identity(g, &identity) ||
        !index_path(snapshot_path, path))
        return RCH_OK;
    rch_derived_all(g, w.columns);
    return rch_file_replace(path, 0600, false, fill_index, &w, err);
}
