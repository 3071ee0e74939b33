// SPDX-License-Identifier: MIT
// format/read.c -- from a mapped file to a graph that points into it: header, trailer, directory,
// checksums, counts, and then every invariant. Nothing is copied.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file_impl.h"
#include "format/rch_file.h"
#include "model/verify.h"

static const struct {
    const char *name;
    uint32_t elem_bytes;
} kinds[RCH_NUM_SECTION_KINDS] = {
    [RCH_SECTION_DIRECTORY] = {"directory", sizeof(struct rch_directory_row)},
#define RCH_SECTION_ROW(name, number, elem_bytes) [number] = {#name, elem_bytes},
    RCH_SECTION_LIST(RCH_SECTION_ROW)
#undef RCH_SECTION_ROW
};

const char *rch_section_name(uint32_t kind)
{
    return kind < RCH_NUM_SECTION_KINDS ? kinds[kind].name : "unknown";
}

uint32_t rch_section_elem_bytes(uint32_t kind)
{
    return kind < RCH_NUM_SECTION_KINDS ? kinds[kind].elem_bytes : 0;
}

// --- headers, directory, trailer ---

static enum rch_status check_magic(const struct rch_reader *r, struct rch_error *err)
{
    if (r->num_bytes >= RCH_MAGIC_BYTES && memcmp(r->bytes, RCH_FILE_MAGIC, RCH_MAGIC_BYTES) == 0)
        return RCH_OK;
    bool was_close = r->num_bytes >= 4 && memcmp(r->bytes + 1, "RCH", 3) == 0;
    return rch_fail(err, RCH_ECORRUPT, "%s",
                    was_close ? "snapshot damaged by a transfer as text" : "not a snapshot");
}

enum rch_status rch_file_header_check(struct rch_reader *r, struct rch_error *err)
{
    struct rch_file_header header;
    RCH_TRY(check_magic(r, err));
    if (r->num_bytes < sizeof(header))
        return rch_fail(err, RCH_ECORRUPT, "snapshot cut short within its header");
    memcpy(&header, r->bytes, sizeof(header));
    if (header.checksum != rch_checksum(&header, offsetof(struct rch_file_header, checksum)))
        return rch_fail(err, RCH_ECORRUPT, "file header has a wrong checksum");
    if (header.byte_order != RCH_FILE_BYTE_ORDER || header.major != RCH_FILE_MAJOR ||
        header.header_bytes != sizeof(header))
        return rch_fail(err, RCH_EUNSUPPORTED, "snapshot of format version %u.%u, this is for %u.x",
                        header.major, header.minor, RCH_FILE_MAJOR);
    r->counts = header.counts;
    r->has_counts = true;
    r->minor = header.minor;
    return RCH_OK;
}

const struct rch_section_header *rch_section_header_at(const struct rch_reader *r, uint64_t offset)
{
    uint64_t bytes;
    if (offset % RCH_FILE_ALIGN != 0 || offset >= r->num_bytes ||
        r->num_bytes - offset < sizeof(struct rch_section_header))
        return NULL;
    const struct rch_section_header *header = (const void *)(r->bytes + offset);
    if (memcmp(header->magic, RCH_SECTION_MAGIC, RCH_MAGIC_BYTES) != 0 ||
        header->checksum != rch_checksum(header, offsetof(struct rch_section_header, checksum)))
        return NULL;
    if (header->codec == 0 &&
        (__builtin_mul_overflow(header->num, (uint64_t)header->elem_bytes, &bytes) ||
         bytes != header->payload_bytes))
        return NULL;
    return header;
}

// Does this build know how to read the payload?
static bool is_readable(const struct rch_section_header *header)
{
    if (header->codec != 0 || header->num > UINT32_MAX + UINT64_C(1))
        return false;
    uint32_t elem_bytes = rch_section_elem_bytes(header->kind);
    if (header->kind == RCH_SECTION_INFO)
        return header->num == 1 && header->elem_bytes >= elem_bytes;
    return header->elem_bytes == elem_bytes;
}

struct rch_section rch_section_check(const struct rch_reader *r, uint64_t offset)
{
    struct rch_section section = {.offset = offset};
    const struct rch_section_header *header = rch_section_header_at(r, offset);
    if (!header || !is_readable(header))
        return section;
    uint64_t bytes_here = r->num_bytes - offset - sizeof(*header);
    section.payload = r->bytes + offset + sizeof(*header);
    section.num = header->num;
    if (header->payload_bytes > bytes_here) {
        section.num = bytes_here / header->elem_bytes;
        section.state = RCH_SECTION_CUT;
    } else if (rch_checksum(section.payload, header->payload_bytes) != header->payload_checksum) {
        section.state = RCH_SECTION_DAMAGED;
    } else {
        section.state = RCH_SECTION_WHOLE;
    }
    return section;
}

static enum rch_status find_directory(const struct rch_reader *r, struct rch_section *directory,
                                      struct rch_error *err)
{
    struct rch_file_trailer trailer;
    if (r->num_bytes < sizeof(struct rch_file_header) + sizeof(trailer) ||
        r->num_bytes % RCH_FILE_ALIGN != 0)
        return rch_fail_at(err, RCH_ECORRUPT, r->num_bytes, "snapshot cut short at %zu bytes",
                           r->num_bytes);
    uint64_t offset = r->num_bytes - sizeof(trailer);
    memcpy(&trailer, r->bytes + offset, sizeof(trailer));
    if (memcmp(trailer.magic, RCH_TRAILER_MAGIC, RCH_MAGIC_BYTES) != 0)
        return rch_fail_at(err, RCH_ECORRUPT, offset, "no trailer: snapshot cut short at %zu bytes",
                           r->num_bytes);
    if (trailer.checksum != rch_checksum(&trailer, offsetof(struct rch_file_trailer, checksum)))
        return rch_fail_at(err, RCH_ECORRUPT, offset, "trailer has a wrong checksum");
    if (trailer.file_bytes != r->num_bytes)
        return rch_fail_at(err, RCH_ECORRUPT, offset,
                           "snapshot of %" PRIu64 " bytes, but the file has %zu",
                           trailer.file_bytes, r->num_bytes);
    const struct rch_section_header *header = rch_section_header_at(r, trailer.directory_offset);
    *directory = rch_section_check(r, trailer.directory_offset);
    if (!header || header->kind != RCH_SECTION_DIRECTORY || directory->state != RCH_SECTION_WHOLE ||
        directory->num != trailer.num_sections)
        return rch_fail_at(err, RCH_ECORRUPT, trailer.directory_offset, "directory is damaged");
    return RCH_OK;
}

static enum rch_status read_section(struct rch_reader *r, const struct rch_directory_row *row,
                                    struct rch_error *err)
{
    const struct rch_section_header *header = rch_section_header_at(r, row->offset);
    if (!header || header->kind != row->kind || header->payload_bytes != row->payload_bytes ||
        header->payload_checksum != row->payload_checksum)
        return rch_fail_at(err, RCH_ECORRUPT, row->offset,
                           "section %s at %" PRIu64 " has a damaged header",
                           rch_section_name(row->kind), row->offset);
    if (row->kind >= RCH_NUM_SECTION_KINDS || row->kind == RCH_SECTION_DIRECTORY)
        return RCH_OK;
    struct rch_section *section = &r->sections[row->kind];
    if (section->state != RCH_SECTION_LOST)
        return rch_fail_at(err, RCH_ECORRUPT, row->offset, "section %s comes twice",
                           rch_section_name(row->kind));
    if (header->codec != 0)
        return rch_fail_at(err, RCH_EUNSUPPORTED, row->offset,
                           "section %s is compressed in an unknown way",
                           rch_section_name(row->kind));
    *section = rch_section_check(r, row->offset);
    if (section->state != RCH_SECTION_WHOLE)
        return rch_fail_at(err, RCH_ECORRUPT, row->offset,
                           "section %s at %" PRIu64 " has a wrong checksum or size",
                           rch_section_name(row->kind), row->offset);
    return RCH_OK;
}

static bool may_miss(uint32_t kind)
{
    return kind == RCH_SECTION_DIRECTORY || kind == RCH_SECTION_BIG_SIZES ||
           kind == RCH_SECTION_OBSERVERS || kind == RCH_SECTION_TEXTS ||
           kind == RCH_SECTION_WARNINGS || kind == RCH_SECTION_THREADS ||
           kind == RCH_SECTION_STACK_FRAMES || kind == RCH_SECTION_FDS ||
           kind == RCH_SECTION_FD_OWNERS;
}

static enum rch_status read_directory(struct rch_reader *r, struct rch_error *err)
{
    struct rch_section directory = {0};
    RCH_TRY(find_directory(r, &directory, err));
    const struct rch_directory_row *rows = directory.payload;
    for (uint64_t i = 0; i < directory.num; i++)
        RCH_TRY(read_section(r, &rows[i], err));
    for (uint32_t kind = 0; kind < RCH_NUM_SECTION_KINDS; kind++) {
        if (r->sections[kind].state == RCH_SECTION_LOST && !may_miss(kind))
            return rch_fail(err, RCH_ECORRUPT, "section %s is missing", rch_section_name(kind));
    }
    struct rch_file_info info;
    memcpy(&info, r->sections[RCH_SECTION_INFO].payload, sizeof(info));
    r->directory_checksum = rch_checksum(directory.payload, directory.num * sizeof(*rows));
    if (memcmp(&info.counts, &r->counts, sizeof(info.counts)) != 0)
        return rch_fail(err, RCH_ECORRUPT, "counts of the file header and of INFO do not agree");
    r->info = info.capture;
    return RCH_OK;
}

// --- sections to a graph ---

struct mapped {
    struct rch_graph graph;
    struct rch_reader reader;
    void (*unmap)(void *bytes, size_t num_bytes);
};

static void free_repairs(struct rch_reader *r)
{
    for (size_t i = 0; i < r->num_repairs; i++)
        rch_free(r->alloc, r->repairs[i].mem, r->repairs[i].num, r->repairs[i].elem_bytes);
    r->num_repairs = 0;
}

static void mapped_release(struct rch_graph *graph)
{
    struct mapped *mapped = graph->owner;
    const struct rch_alloc *alloc = mapped->reader.alloc;
    free_repairs(&mapped->reader);
    if (mapped->unmap)
        mapped->unmap((void *)(uintptr_t)mapped->reader.bytes, mapped->reader.num_bytes);
    rch_free(alloc, mapped, 1, sizeof(*mapped));
}

bool rch_file_identity(const struct rch_graph *g, struct rch_file_identity *identity_out)
{
    if (g->release != mapped_release)
        return false;
    const struct mapped *mapped = g->owner;
    identity_out->bytes = mapped->reader.num_bytes;
    identity_out->checksum = mapped->reader.directory_checksum;
    return identity_out->checksum != 0;
}

static enum rch_status check_counts(const struct rch_reader *r, struct rch_error *err)
{
    const struct rch_file_counts *c = &r->counts;
    const uint64_t want[RCH_NUM_SECTION_KINDS] = {
        [RCH_SECTION_SHAPE_OF] = c->num_nodes,
        [RCH_SECTION_SIZE16] = c->num_nodes,
        [RCH_SECTION_ADDR8] = c->num_objects,
        [RCH_SECTION_EDGE_START] = (uint64_t)c->num_nodes + 1,
        [RCH_SECTION_EDGES] = c->num_edges,
        [RCH_SECTION_ROOTS] = (uint64_t)c->num_nodes - c->num_objects,
    };
    for (uint32_t kind = 0; kind < RCH_NUM_SECTION_KINDS; kind++) {
        const struct rch_section *s = &r->sections[kind];
        bool is_counted = kind == RCH_SECTION_SHAPE_OF || kind == RCH_SECTION_SIZE16 ||
                          kind == RCH_SECTION_ADDR8 || kind == RCH_SECTION_EDGE_START ||
                          kind == RCH_SECTION_EDGES || kind == RCH_SECTION_ROOTS;
        bool is_start = kind == RCH_SECTION_EDGE_START || kind == RCH_SECTION_STR_START;
        if ((is_counted && s->num != want[kind]) || s->num > UINT32_MAX + (uint64_t)is_start ||
            (kind == RCH_SECTION_STR_START && s->num < 2))
            return rch_fail_at(err, RCH_ECORRUPT, s->offset,
                               "section %s has %" PRIu64 " rows, which cannot be",
                               rch_section_name(kind), s->num);
    }
    return RCH_OK;
}

static void fill_graph(struct rch_graph *g, const struct rch_reader *r)
{
#define ROWS(kind) r->sections[RCH_SECTION_##kind].payload
#define NUM(kind) ((uint32_t)r->sections[RCH_SECTION_##kind].num)
    *g = (struct rch_graph){
        .num_tracked = r->counts.num_tracked,
        .num_objects = r->counts.num_objects,
        .num_nodes = r->counts.num_nodes,
        .num_edges = r->counts.num_edges,
        .edge_start = ROWS(EDGE_START),
        .edges = ROWS(EDGES),
        .shape_of = ROWS(SHAPE_OF),
        .size16 = ROWS(SIZE16),
        .addr8 = ROWS(ADDR8),
        .big_sizes = ROWS(BIG_SIZES),
        .addr_runs = ROWS(ADDR_RUNS),
        .shapes = ROWS(SHAPES),
        .labels = ROWS(LABELS),
        .types = ROWS(TYPES),
        .roots = ROWS(ROOTS),
        .observers = ROWS(OBSERVERS),
        .texts = ROWS(TEXTS),
        .threads = ROWS(THREADS),
        .stack_frames = ROWS(STACK_FRAMES),
        .fds = ROWS(FDS),
        .fd_owners = ROWS(FD_OWNERS),
        .str_start = ROWS(STR_START),
        .str_bytes = ROWS(STR_BYTES),
        .warnings = ROWS(WARNINGS),
        .num_big_sizes = NUM(BIG_SIZES),
        .num_addr_runs = NUM(ADDR_RUNS),
        .num_shapes = NUM(SHAPES),
        .num_labels = NUM(LABELS),
        .num_types = NUM(TYPES),
        .num_roots = NUM(ROOTS),
        .num_observers = NUM(OBSERVERS),
        .num_texts = NUM(TEXTS),
        .num_threads = NUM(THREADS),
        .num_stack_frames = NUM(STACK_FRAMES),
        .num_fds = NUM(FDS),
        .num_fd_owners = NUM(FD_OWNERS),
        .num_strs = (uint32_t)(r->sections[RCH_SECTION_STR_START].num - 1),
        .num_str_bytes = NUM(STR_BYTES),
        .num_warnings = NUM(WARNINGS),
        .info = r->info,
        .release = mapped_release,
    };
#undef ROWS
#undef NUM
}

static enum rch_status open_reader(struct rch_reader *r, bool salvage, struct rch_error *err)
{
    enum rch_status st = rch_file_header_check(r, err);
    if (st == RCH_OK)
        st = read_directory(r, err);
    if (st == RCH_ECORRUPT && salvage) {
        r->directory_checksum = 0;
        st = rch_file_salvage(r, err);
    }
    return st;
}

enum rch_status rch_file_open_bytes(const void *bytes, size_t num_bytes, bool salvage,
                                    const struct rch_alloc *alloc,
                                    void (*unmap)(void *bytes, size_t num_bytes),
                                    struct rch_graph **graph_out, struct rch_error *err)
{
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return rch_fail(err, RCH_EUNSUPPORTED, "snapshots need a little-endian machine");
    struct mapped *mapped = rch_calloc(alloc, 1, sizeof(*mapped));
    if (!mapped)
        return rch_fail(err, RCH_ENOMEM, "opening a snapshot");
    struct rch_reader *r = &mapped->reader;
    *r = (struct rch_reader){
        .bytes = bytes, .num_bytes = num_bytes, .alloc = alloc, .minor = RCH_FILE_MINOR};
    enum rch_status st = open_reader(r, salvage, err);
    if (st == RCH_OK)
        st = check_counts(r, err);
    if (st == RCH_OK) {
        fill_graph(&mapped->graph, r);
        st = rch_graph_verify(&mapped->graph, err);
    }
    if (st != RCH_OK) {
        free_repairs(r);
        rch_free(alloc, mapped, 1, sizeof(*mapped));
        return st;
    }
    mapped->unmap = unmap;
    mapped->graph.owner = mapped;
    *graph_out = &mapped->graph;
    return RCH_OK;
}

// --- files ---

static void unmap_file(void *bytes, size_t num_bytes)
{
    munmap(bytes, num_bytes);
}

static void close_fd(const int *fd)
{
    int os_errno = errno;
    if (*fd >= 0)
        close(*fd);
    errno = os_errno;
}

enum rch_status rch_file_open(const char *path, bool salvage, const struct rch_alloc *alloc,
                              struct rch_graph **graph_out, struct rch_error *err)
{
    __attribute__((cleanup(close_fd))) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return rch_fail(err, RCH_EIO, "cannot open %s: %m", path);
    if (!S_ISREG(st.st_mode))
        return rch_fail(err, RCH_EINVAL, "%s is not a regular file", path);
    if (st.st_size == 0)
        return rch_fail(err, RCH_ECORRUPT, "%s is empty", path);
    if ((uint64_t)st.st_size > PTRDIFF_MAX)
        return rch_fail(err, RCH_EOVERFLOW, "%s is too big for this machine", path);
    size_t num_bytes = (size_t)st.st_size;
    void *bytes = mmap(NULL, num_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return rch_fail(err, errno == ENOMEM ? RCH_ENOMEM : RCH_EIO, "cannot map %s: %m", path);
    enum rch_status status =
        rch_file_open_bytes(bytes, num_bytes, salvage, alloc, unmap_file, graph_out, err);
    if (status != RCH_OK)
        munmap(bytes, num_bytes);
    return status;
}
