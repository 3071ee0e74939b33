// SPDX-License-Identifier: MIT
// target/image.c -- the copy of a process's memory: which piece of ours holds which chunk of it, what
// of it we had, and reading what is not simply there. What we had is a sorted list of address
// ranges: a process may map terabytes and use little of them.
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target/image_impl.h"
#include "target/pieces.h"
#include "target/span.h"

#define PAGE_BYTES UINT64_C(4096)
#define NUM_CHUNKS (UINT64_C(1) << (RCH_TARGET_ADDR_BITS - RCH_CHUNK_SHIFT))
#define END_ADDR (UINT64_C(1) << RCH_TARGET_ADDR_BITS)

struct piece {
    uint32_t chunk;
    bool is_loaded;  // its pages of files have been asked for
};

struct impl {
    struct rch_image image;  // what users see; first, so that a pointer to it is one to us
    struct rch_arena texts;
    struct rch_vec maps, threads, warnings;
    struct rch_vec map_fds;  // int, one a map, -1: no file
    struct rch_vec files;    // int, each once: to be closed
    struct rch_vec had;      // struct rch_span; in order and apart from one another once sealed
    struct rch_vec pieces;   // struct piece
    struct rch_pieces memory;
    uint32_t *piece_of;      // chunk -> number of its piece + 1
    const uint8_t **chunks;  // chunk -> memory, if complete
    bool had_overflowed;     // out of memory in rch_image_have()
};

static struct impl *impl_of(struct rch_image *image)
{
    return (struct impl *)image;
}

// A table with an entry for every chunk there can be, nearly all of them 0: zero pages that cannot be
// written, so that no system counts them as memory, until an entry is set.
static void *table_new(size_t elem_bytes)
{
    void *mem = mmap(NULL, NUM_CHUNKS * elem_bytes, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return mem == MAP_FAILED ? NULL : mem;
}

static bool table_open(void *entry)
{
    uintptr_t page = (uintptr_t)entry & ~(uintptr_t)(PAGE_BYTES - 1);
    return mprotect((void *)page, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0;
}

static bool image_read(void *ctx, uint64_t addr, void *buf, size_t num_bytes);

enum rch_status rch_image_new(const struct rch_image_options *options, struct rch_image **image_out,
                              struct rch_error *err)
{
    const struct rch_alloc *alloc = options->alloc ? options->alloc : rch_alloc_default();
    struct impl *impl = rch_calloc(alloc, 1, sizeof(*impl));
    if (!impl)
        return rch_fail(err, RCH_ENOMEM, "an image");
    impl->image.target = (struct rch_target){.read = image_read, .ctx = impl};
    impl->image.exe = impl->image.root = "";
    rch_arena_init(&impl->texts, alloc);
    rch_vec_init(&impl->maps, alloc, sizeof(struct rch_map));
    rch_vec_init(&impl->threads, alloc, sizeof(struct rch_os_thread));
    rch_vec_init(&impl->warnings, alloc, sizeof(const char *));
    rch_vec_init(&impl->map_fds, alloc, sizeof(int));
    rch_vec_init(&impl->files, alloc, sizeof(int));
    rch_vec_init(&impl->had, alloc, sizeof(struct rch_span));
    rch_vec_init(&impl->pieces, alloc, sizeof(struct piece));
    enum rch_status st =
        rch_pieces_init(&impl->memory, options->memory_limit, options->temp_dir, err);
    impl->piece_of = table_new(sizeof(*impl->piece_of));
    impl->chunks = table_new(sizeof(*impl->chunks));
    if (st == RCH_OK && (!impl->piece_of || !impl->chunks))
        st = rch_fail(err, RCH_ENOMEM, "no address space for the tables of an image");
    if (st != RCH_OK) {
        rch_image_free(&impl->image);
        return st;
    }
    *image_out = &impl->image;
    return RCH_OK;
}

void rch_image_free(struct rch_image *image)
{
    if (!image)
        return;
    struct impl *impl = impl_of(image);
    const struct rch_alloc *alloc = impl->texts.alloc;
    for (size_t i = 0; i < impl->files.num; i++)
        (void)close(RCH_VEC_AT(&impl->files, int, i));
    rch_pieces_deinit(&impl->memory);
    if (impl->piece_of)
        (void)munmap(impl->piece_of, NUM_CHUNKS * sizeof(*impl->piece_of));
    if (impl->chunks)
        (void)munmap((void *)impl->chunks, NUM_CHUNKS * sizeof(*impl->chunks));
    rch_vec_deinit(&impl->maps);
    rch_vec_deinit(&impl->threads);
    rch_vec_deinit(&impl->warnings);
    rch_vec_deinit(&impl->map_fds);
    rch_vec_deinit(&impl->files);
    rch_vec_deinit(&impl->had);
    rch_vec_deinit(&impl->pieces);
    rch_arena_deinit(&impl->texts);
    rch_free(alloc, impl, 1, sizeof(*impl));
}

// --- what is told about the process ---------------------------------------------------------------

enum rch_status rch_image_add_map(struct rch_image *image, const struct rch_map *map,
                                  struct rch_error *err)
{
    struct impl *impl = impl_of(image);
    uint64_t end = image->num_maps ? image->maps[image->num_maps - 1].end : 0;
    const char *path = map->path ? map->path : "";
    struct rch_map copy = *map;
    if (map->start >= map->end || map->start < end)
        return rch_fail_at(err, RCH_EINVAL, map->start, "maps empty, out of order or overlapping");
    copy.path = rch_arena_copy(&impl->texts, path, strlen(path));
    if (!copy.path)
        return rch_fail(err, RCH_ENOMEM, "the path of a map");
    RCH_TRY(rch_vec_reserve(&impl->map_fds, 1, err));
    RCH_TRY(rch_vec_append(&impl->maps, &copy, 1, err));
    image->maps = impl->maps.mem;
    image->num_maps = impl->maps.num;
    return rch_vec_append(&impl->map_fds, &(int){-1}, 1, err);
}

enum rch_status rch_image_add_thread(struct rch_image *image, const struct rch_os_thread *thread,
                                     struct rch_error *err)
{
    struct impl *impl = impl_of(image);
    RCH_TRY(rch_vec_append(&impl->threads, thread, 1, err));
    image->threads = impl->threads.mem;
    image->num_threads = impl->threads.num;
    image->num_not_stopped += !thread->was_stopped;
    return RCH_OK;
}

enum rch_status rch_image_warn(struct rch_image *image, struct rch_error *err, const char *fmt, ...)
{
    struct impl *impl = impl_of(image);
    char text[512];
    va_list args;
    va_start(args, fmt);
    int num = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (num < 0)
        return RCH_OK;
    const char *copy = rch_arena_copy(&impl->texts, text, strlen(text));
    if (!copy)
        return rch_fail(err, RCH_ENOMEM, "a warning");
    RCH_TRY(rch_vec_append(&impl->warnings, &copy, 1, err));
    image->warnings = impl->warnings.mem;
    image->num_warnings = impl->warnings.num;
    return RCH_OK;
}

const char *rch_image_text(struct rch_image *image, const char *text)
{
    return rch_arena_copy(&impl_of(image)->texts, text, strlen(text));
}

size_t rch_image_map_after(const struct rch_image *image, uint64_t addr)
{
    size_t low = 0, high = image->num_maps;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (image->maps[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct rch_map *rch_image_map_at(const struct rch_image *image, uint64_t addr)
{
    size_t i = rch_image_map_after(image, addr);
    return i < image->num_maps && image->maps[i].start <= addr ? &image->maps[i] : NULL;
}

// --- our memory -----------------------------------------------------------------------------------

static struct piece *piece_of(const struct impl *impl, uint64_t chunk)
{
    uint32_t number = impl->piece_of[chunk];
    return number ? &RCH_VEC_AT(&impl->pieces, struct piece, number - 1) : NULL;
}

// Pieces for chunks [first, last], none of which has one.
static enum rch_status add_pieces(struct impl *impl, uint64_t first, uint64_t last,
                                  uint64_t want_bytes, struct rch_error *err)
{
    size_t num = last - first + 1;
    RCH_TRY(rch_vec_reserve(&impl->pieces, num, err));
    for (uint64_t chunk = first; chunk <= last; chunk++)
        if (!table_open(&impl->piece_of[chunk]) || !table_open(&impl->chunks[chunk]))
            return rch_fail(err, RCH_ENOMEM, "the tables of an image");
    RCH_TRY(rch_pieces_add(&impl->memory, num, want_bytes, err));
    for (uint64_t chunk = first; chunk <= last; chunk++) {
        struct piece piece = {.chunk = (uint32_t)chunk};
        RCH_TRY(rch_vec_append(&impl->pieces, &piece, 1, err));
        impl->piece_of[chunk] = (uint32_t)impl->pieces.num;
    }
    return RCH_OK;
}

// `is_copy`: what is reserved will be written, and so counts against the limit.
static enum rch_status reserve(struct impl *impl, uint64_t start, uint64_t end, bool is_copy,
                               struct rch_error *err)
{
    if (start >= end || end > END_ADDR)
        return rch_fail_at(err, RCH_EINVAL, start, "no range of addresses");
    uint64_t last = (end - 1) >> RCH_CHUNK_SHIFT;
    for (uint64_t chunk = start >> RCH_CHUNK_SHIFT; chunk <= last;) {
        uint64_t first = chunk;
        while (chunk <= last && !impl->piece_of[chunk])
            chunk++;
        if (chunk > first) {
            uint64_t from = first << RCH_CHUNK_SHIFT, to = chunk << RCH_CHUNK_SHIFT;
            uint64_t want = (end < to ? end : to) - (start > from ? start : from);
            RCH_TRY(add_pieces(impl, first, chunk - 1, is_copy ? want : 0, err));
        }
        while (chunk <= last && impl->piece_of[chunk])
            chunk++;
    }
    return RCH_OK;
}

enum rch_status rch_image_reserve(struct rch_image *image, uint64_t start, uint64_t end, bool fault,
                                  struct rch_error *err)
{
    struct impl *impl = impl_of(image);
    RCH_TRY(reserve(impl, start, end, true, err));
    for (uint64_t at = start; fault && at < end;) {
        size_t num = rch_image_run(image, at, end);
        rch_pieces_fault(&impl->memory, rch_image_at(image, at), num);
        at += num;
    }
    return RCH_OK;
}

uint8_t *rch_image_at(struct rch_image *image, uint64_t addr)
{
    struct impl *impl = impl_of(image);
    uint32_t number = addr < END_ADDR ? impl->piece_of[addr >> RCH_CHUNK_SHIFT] : 0;
    if (!number)
        return NULL;
    return impl->memory.mem + (uint64_t)(number - 1) * RCH_CHUNK_BYTES +
           (addr & (RCH_CHUNK_BYTES - 1));
}

size_t rch_image_run(const struct rch_image *image, uint64_t addr, uint64_t end)
{
    const struct impl *impl = (const struct impl *)image;
    uint64_t chunk = addr >> RCH_CHUNK_SHIFT;
    while ((chunk + 1) << RCH_CHUNK_SHIFT < end &&
           impl->piece_of[chunk + 1] == impl->piece_of[chunk] + 1)
        chunk++;
    uint64_t to = (chunk + 1) << RCH_CHUNK_SHIFT;
    return (end < to ? end : to) - addr;
}

uint64_t rch_image_map_file(struct rch_image *image, uint64_t start, uint64_t end, int fd,
                            uint64_t offset)
{
    uint64_t at = start;
    if (reserve(impl_of(image), start, end, false, NULL) != RCH_OK)
        return 0;
    while (at < end) {
        size_t num = rch_image_run(image, at, end);
        if (mmap(rch_image_at(image, at), num, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
                 (off_t)(offset + (at - start))) == MAP_FAILED)
            break;
        at += num;
    }
    return at - start;
}

void rch_image_have(struct rch_image *image, uint64_t start, uint64_t end)
{
    struct impl *impl = impl_of(image);
    struct rch_span span = {start, end};
    if (start >= end)
        return;
    if (impl->had.num) {
        struct rch_span *last = &RCH_VEC_AT(&impl->had, struct rch_span, impl->had.num - 1);
        if (last->end == start) {
            last->end = end;
            return;
        }
    }
    if (rch_vec_append(&impl->had, &span, 1, NULL) != RCH_OK)
        impl->had_overflowed = true;
}

void rch_image_back_by_file(struct rch_image *image, size_t map, int fd)
{
    struct impl *impl = impl_of(image);
    bool is_known = false;
    for (size_t i = impl->files.num; i-- > 0 && !is_known;)
        is_known = RCH_VEC_AT(&impl->files, int, i) == fd;
    if (!is_known && rch_vec_append(&impl->files, &fd, 1, NULL) != RCH_OK) {
        impl->had_overflowed = true;
        (void)close(fd);
        return;
    }
    RCH_VEC_AT(&impl->map_fds, int, map) = fd;
}

// --- what we had ----------------------------------------------------------------------------------

// The first part of [from, to) that we do not have; false: we have it all.
static bool next_gap(const struct impl *impl, uint64_t from, uint64_t to, struct rch_span *gap_out)
{
    const struct rch_span *spans = impl->had.mem;
    size_t i = rch_span_after(&impl->had, from);
    while (i < impl->had.num && from < to && spans[i].start <= from)
        from = spans[i++].end;
    if (from >= to)
        return false;
    *gap_out = (struct rch_span){from, to};
    if (i < impl->had.num && spans[i].start < to)
        gap_out->end = spans[i].start;
    return true;
}

static int compare_spans(const void *a, const void *b)
{
    const struct rch_span *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void sort_had(struct impl *impl)
{
    struct rch_span *spans = impl->had.mem;
    size_t num = 0;
    if (impl->had.num)
        qsort(spans, impl->had.num, sizeof(*spans), compare_spans);
    for (size_t i = 0; i < impl->had.num; i++) {
        if (num && spans[i].start <= spans[num - 1].end) {
            if (spans[i].end > spans[num - 1].end)
                spans[num - 1].end = spans[i].end;
        } else {
            spans[num++] = spans[i];
        }
    }
    impl->had.num = num;
}

// Guard pages and address space that was only set aside hold nothing that anybody could refer to.
static bool has_contents(const struct rch_map *map)
{
    return map->flags & (RCH_MAP_READ | RCH_MAP_WRITE | RCH_MAP_EXEC);
}

// Nothing of a process's own: the kernel's pages, and memory that others may write as well.
static bool is_wanted(const struct rch_map *map)
{
    if (map->flags & RCH_MAP_MISSING)
        return true;
    return has_contents(map) && !(map->flags & RCH_MAP_SHARED) &&
           strncmp(map->path, "[vvar", 5) != 0 && strcmp(map->path, "[vsyscall]") != 0;
}

// Put a chunk into target.chunks if it has contents and we have all of them.
static void publish(struct impl *impl, uint64_t chunk)
{
    uint64_t start = chunk << RCH_CHUNK_SHIFT, end = start + RCH_CHUNK_BYTES;
    const struct rch_image *image = &impl->image;
    bool is_mapped = false;
    struct rch_span gap;
    for (size_t i = rch_image_map_after(image, start); i < image->num_maps; i++) {
        const struct rch_map *map = &image->maps[i];
        if (map->start >= end)
            break;
        if (!has_contents(map))
            continue;
        is_mapped = true;
        if (next_gap(impl, map->start > start ? map->start : start, map->end < end ? map->end : end,
                     &gap))
            return;
    }
    if (is_mapped)
        impl->chunks[chunk] = rch_image_at(&impl->image, start);
}

static void count_missing(struct impl *impl)
{
    for (size_t i = 0; i < impl->maps.num; i++) {
        const struct rch_map *map = &impl->image.maps[i];
        struct rch_span gap;
        if (RCH_VEC_AT(&impl->map_fds, int, i) >= 0 || !is_wanted(map))
            continue;
        for (uint64_t at = map->start; next_gap(impl, at, map->end, &gap); at = gap.end)
            impl->image.bytes_missing += gap.end - gap.start;
    }
}

enum rch_status rch_image_seal(struct rch_image *image, struct rch_error *err)
{
    struct impl *impl = impl_of(image);
    if (impl->had_overflowed)
        return rch_fail(err, RCH_ENOMEM, "the list of what was copied");
    sort_had(impl);
    for (size_t i = 0; i < impl->pieces.num; i++)
        publish(impl, RCH_VEC_AT(&impl->pieces, struct piece, i).chunk);
    count_missing(impl);
    image->target.chunks = impl->chunks;
    return RCH_OK;
}

// --- reading what is not simply there ---------------------------------------------------------------

static size_t read_file(int fd, uint8_t *buf, size_t num_bytes, uint64_t offset)
{
    size_t done = 0;
    while (done < num_bytes) {
        ssize_t num = pread(fd, buf + done, num_bytes - done, (off_t)(offset + done));
        if (num < 0 && errno == EINTR)
            continue;
        if (num <= 0)
            break;
        done += (size_t)num;
    }
    return done;
}

// A range that lies in a gap. O(ranges), once for each part of a file that is wanted.
static bool insert_had(struct impl *impl, struct rch_span span)
{
    size_t i = rch_span_after(&impl->had, span.start);
    if (rch_vec_append(&impl->had, &span, 1, NULL) != RCH_OK)
        return false;
    struct rch_span *spans = impl->had.mem;
    memmove(spans + i + 1, spans + i, (impl->had.num - 1 - i) * sizeof(*spans));
    spans[i] = span;
    return true;
}

// As the kernel does it: the file's last page ends in zeros, behind it there is nothing.
static void load_gap(struct impl *impl, const struct rch_map *map, int fd, struct rch_span gap)
{
    uint8_t *to = rch_image_at(&impl->image, gap.start);
    size_t num_bytes = gap.end - gap.start;
    size_t done = read_file(fd, to, num_bytes, map->offset + (gap.start - map->start));
    size_t end = (done + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    if (end > num_bytes)
        end = num_bytes;
    memset(to + done, 0, end - done);
    if (end)
        (void)insert_had(impl, (struct rch_span){gap.start, gap.start + end});
}

// The first want of something in a chunk brings all its pages of files: a chunk that is whole is fast.
static void load_chunk(struct impl *impl, uint64_t chunk)
{
    uint64_t start = chunk << RCH_CHUNK_SHIFT, end = start + RCH_CHUNK_BYTES;
    const struct rch_image *image = &impl->image;
    struct piece *piece = piece_of(impl, chunk);
    if (piece && piece->is_loaded)
        return;
    for (size_t i = rch_image_map_after(image, start); i < image->num_maps; i++) {
        const struct rch_map *map = &image->maps[i];
        int fd = RCH_VEC_AT(&impl->map_fds, int, i);
        if (map->start >= end)
            break;
        uint64_t at = map->start > start ? map->start : start;
        uint64_t to = map->end < end ? map->end : end;
        for (struct rch_span gap; fd >= 0 && next_gap(impl, at, to, &gap); at = gap.end) {
            if (!piece && add_pieces(impl, chunk, chunk, to - at, NULL) != RCH_OK)
                return;
            piece = piece_of(impl, chunk);
            load_gap(impl, map, fd, gap);
        }
    }
    if (piece) {
        piece->is_loaded = true;
        publish(impl, chunk);
    }
}

// Of one chunk that is not whole.
static bool read_part(struct impl *impl, uint64_t addr, uint8_t *buf, size_t num_bytes)
{
    uint64_t chunk = addr >> RCH_CHUNK_SHIFT;
    struct rch_span gap;
    if (next_gap(impl, addr, addr + num_bytes, &gap)) {
        load_chunk(impl, chunk);
        if (!impl->chunks[chunk] && next_gap(impl, addr, addr + num_bytes, &gap))
            return false;
    }
    const uint8_t *from = rch_image_at(&impl->image, addr);
    if (from)
        memcpy(buf, from, num_bytes);
    else
        memset(buf, 0, num_bytes);  // had without a copy: never written by the process
    return true;
}

static bool image_read(void *ctx, uint64_t addr, void *buf, size_t num_bytes)
{
    struct impl *impl = ctx;
    uint8_t *to = buf;
    if (addr >= END_ADDR || num_bytes > END_ADDR - addr)
        return false;
    while (num_bytes) {
        uint64_t left = RCH_CHUNK_BYTES - (addr & (RCH_CHUNK_BYTES - 1));
        size_t part = left < num_bytes ? left : num_bytes;
        const uint8_t *chunk = impl->chunks[addr >> RCH_CHUNK_SHIFT];
        if (chunk)
            memcpy(to, chunk + (addr & (RCH_CHUNK_BYTES - 1)), part);
        else if (!read_part(impl, addr, to, part))
            return false;
        addr += part;
        to += part;
        num_bytes -= part;
    }
    return true;
}
