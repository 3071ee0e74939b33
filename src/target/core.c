// SPDX-License-Identifier: MIT
// target/core.c -- an image from an ELF core file: of the kernel or of gcore, plain or compressed. Pages
// that lie in the file as they lay in memory are mapped, others copied, in the order of the file, so
// that a compressed core is read once. What is not there is counted and told.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <inttypes.h>
#include <string.h>

#include "target/core_impl.h"

#define COPY_BYTES ((size_t)256 << 10)
#define MIN_MAP_BYTES (UINT64_C(128) << 10)  // less is sooner copied
#define MAX_MAPPINGS 16384u  // the kernel allows a process 65530, and each may need two
#define MAX_REST_BYTES (UINT64_C(64) << 20)
#define MAX_NOTE_BYTES (UINT64_C(256) << 20)

static uint64_t whole_pages(uint64_t num_bytes)
{
    return num_bytes - num_bytes % RCH_CORE_PAGE;
}

// --- memory ---

static enum rch_status tell_progress(const struct rch_core *core, uint64_t done,
                                     struct rch_error *err)
{
    if (core->source.pack == RCH_CORE_PLAIN &&
        !rch_go_on(core->options->progress, "read core", done, core->file_bytes))
        return rch_fail(err, RCH_ECANCELED, "canceled while reading the core file");
    return RCH_OK;
}

// Pages of zeros are not kept: where nothing is reserved, the image reads zeros.
static enum rch_status keep_page(struct rch_core *core, const struct rch_core_segment *segment,
                                 uint64_t addr, const uint8_t *page, size_t num_bytes,
                                 struct rch_error *err)
{
    uint8_t *to = rch_image_at(core->image, addr);
    if (page[0] == 0 && memcmp(page, page + 1, num_bytes - 1) == 0)
        return RCH_OK;
    if (!to) {
        uint64_t start = addr & ~(RCH_CHUNK_BYTES - 1), end = start + RCH_CHUNK_BYTES;
        RCH_TRY(rch_image_reserve(core->image, start > segment->start ? start : segment->start,
                                  end < segment->end ? end : segment->end, false, err));
        to = rch_image_at(core->image, addr);
    }
    memcpy(to, page, num_bytes);
    return RCH_OK;
}

static enum rch_status copy_segment(struct rch_core *core, struct rch_core_segment *segment,
                                    uint8_t *buf, struct rch_error *err)
{
    uint64_t since = 0;
    size_t num = COPY_BYTES;
    while (segment->bytes_had < segment->file_bytes && num == COPY_BYTES) {
        uint64_t left = segment->file_bytes - segment->bytes_had;
        RCH_TRY(rch_core_source_read(&core->source, segment->offset + segment->bytes_had, buf,
                                     left < COPY_BYTES ? (size_t)left : COPY_BYTES, &num, err));
        for (size_t at = 0; at < num; at += RCH_CORE_PAGE) {
            size_t num_bytes = num - at < RCH_CORE_PAGE ? num - at : RCH_CORE_PAGE;
            RCH_TRY(keep_page(core, segment, segment->start + segment->bytes_had + at, buf + at,
                              num_bytes, err));
        }
        segment->bytes_had += num;
        since += num;
        if (since >= RCH_CORE_REPORT_EVERY) {
            RCH_TRY(tell_progress(core, core->bytes_had + segment->bytes_had, err));
            since = 0;
        }
    }
    return RCH_OK;
}

// Where the core's pages are the target's pages they need no copy.
static void map_segment(struct rch_core *core, struct rch_core_segment *segment)
{
    const struct rch_core_source *source = &core->source;
    uint64_t there =
        segment->offset < source->file_bytes ? source->file_bytes - segment->offset : 0;
    uint64_t num = whole_pages(there < segment->file_bytes ? there : segment->file_bytes);
    if (source->pack == RCH_CORE_PLAIN && segment->offset % RCH_CORE_PAGE == 0 &&
        num >= MIN_MAP_BYTES && core->num_mappings < MAX_MAPPINGS) {
        core->num_mappings++;
        segment->bytes_had = rch_image_map_file(core->image, segment->start, segment->start + num,
                                                source->fd, segment->offset);
    }
}

static enum rch_status load_notes(struct rch_core *core, struct rch_core_segment *segment,
                                  uint8_t *buf, struct rch_error *err)
{
    RCH_VEC(notes, core->alloc, uint8_t);
    size_t num = COPY_BYTES;
    uint64_t want = segment->file_bytes < MAX_NOTE_BYTES ? segment->file_bytes : MAX_NOTE_BYTES;
    while (notes.num < want && num == COPY_BYTES) {
        uint64_t left = want - notes.num;
        RCH_TRY(rch_core_source_read(&core->source, segment->offset + notes.num, buf,
                                     left < COPY_BYTES ? (size_t)left : COPY_BYTES, &num, err));
        RCH_TRY(rch_vec_append(&notes, buf, num, err));
    }
    segment->bytes_had = notes.num;
    return rch_core_read_notes(core, notes.mem, notes.num, segment->offset, err);
}

// To the end of a compressed core, where its checksum is. What gcore has behind the contents is small.
static enum rch_status check_rest(struct rch_core *core, uint8_t *buf, struct rch_error *err)
{
    size_t num = COPY_BYTES;
    uint64_t at = core->source.pos, end = at + MAX_REST_BYTES;
    for (; core->source.pack != RCH_CORE_PLAIN && num == COPY_BYTES && at < end; at += num)
        RCH_TRY(rch_core_source_read(&core->source, at, buf, COPY_BYTES, &num, err));
    return RCH_OK;
}

static enum rch_status load_all(struct rch_core *core, struct rch_error *err)
{
    RCH_BLOCK(buf, core->alloc, COPY_BYTES, 1);
    if (!buf.mem)
        return rch_fail(err, RCH_ENOMEM, "a buffer to read a core file");
    for (size_t i = 0; i < core->order.num; i++) {
        size_t number = RCH_VEC_AT(&core->order, struct rch_core_order, i).segment;
        struct rch_core_segment *segment =
            &RCH_VEC_AT(&core->segments, struct rch_core_segment, number);
        if (segment->is_note) {
            RCH_TRY(load_notes(core, segment, buf.mem, err));
        } else {
            map_segment(core, segment);
            RCH_TRY(copy_segment(core, segment, buf.mem, err));
            core->image->bytes_copied += segment->bytes_had;
            rch_image_have(core->image, segment->start,
                           segment->start + whole_pages(segment->bytes_had));
        }
        core->bytes_had += segment->bytes_had;
    }
    RCH_TRY(check_rest(core, buf.mem, err));
    return tell_progress(core, core->bytes_had, err);
}

// --- what is told about it ---

static const char *untold(const struct rch_core *core)
{
    if (core->threads.num > 0)
        return "which files were mapped";
    if (core->files.num > 0)
        return "which threads there were";
    return "which threads and mapped files there were (gcore writes that last)";
}

static enum rch_status warn_of_damage(struct rch_core *core, struct rch_error *err)
{
    const struct rch_core_source *source = &core->source;
    if (source->damage)
        RCH_TRY(rch_image_warn(core->image, err,
                               "the compressed core is damaged at byte %" PRIu64 " of %" PRIu64
                               ": %s",
                               source->damaged_at, source->file_bytes, source->damage));
    if (core->bytes_had < core->file_bytes)
        RCH_TRY(rch_image_warn(core->image, err,
                               "the core is cut short: %" PRIu64 " of %" PRIu64
                               " bytes are missing (disk full? `ulimit -c`? copied while it was "
                               "being written?), so the answers are partial",
                               core->file_bytes - core->bytes_had, core->file_bytes));
    if (core->damaged_note_at)
        RCH_TRY(rch_image_warn(core->image, err,
                               "the core's notes are damaged at offset %" PRIu64
                               ": threads or names of mapped files may be missing",
                               core->damaged_note_at));
    if (core->threads.num == 0 || core->files.num == 0)
        RCH_TRY(rch_image_warn(core->image, err, "the core does not tell %s", untold(core)));
    if (core->num_out_of_reach)
        RCH_TRY(rch_image_warn(core->image, err,
                               "%" PRIu64 " segments lie beyond the 47-bit address space and were "
                               "left out",
                               core->num_out_of_reach));
    return RCH_OK;
}

static enum rch_status add_threads(struct rch_core *core, struct rch_error *err)
{
    struct rch_image *image = core->image;
    struct rch_os_thread *threads = core->threads.mem;
    image->pid = core->pid ? core->pid : core->threads.num ? threads[0].tid : 0;
    for (size_t i = 0; i < core->threads.num; i++) {
        if (threads[i].tid == core->pid)
            memcpy(threads[i].name, core->name, sizeof(core->name));
        RCH_TRY(rch_image_add_thread(image, &threads[i], err));
    }
    return RCH_OK;
}

static void name_program(struct rch_core *core)
{
    uint64_t addr = core->program_headers ? core->program_headers : core->entry;
    const struct rch_map *map = addr ? rch_image_map_at(core->image, addr) : NULL;
    if (map)
        core->image->exe = map->path;
}

// --- from a file to an image ---

static void core_init(struct rch_core *core, const struct rch_image_options *options)
{
    const struct rch_alloc *alloc = options->alloc ? options->alloc : rch_alloc_default();
    *core = (struct rch_core){.options = options, .alloc = alloc, .source = {.fd = -1}};
    rch_arena_init(&core->arena, alloc);
    rch_vec_init(&core->segments, alloc, sizeof(struct rch_core_segment));
    rch_vec_init(&core->order, alloc, sizeof(struct rch_core_order));
    rch_vec_init(&core->files, alloc, sizeof(struct rch_core_file));
    rch_vec_init(&core->threads, alloc, sizeof(struct rch_os_thread));
}

static void core_deinit(struct rch_core *core)
{
    rch_core_source_close(&core->source);
    rch_image_free(core->image);
    rch_vec_deinit(&core->threads);
    rch_vec_deinit(&core->files);
    rch_vec_deinit(&core->order);
    rch_vec_deinit(&core->segments);
    rch_arena_deinit(&core->arena);
}

static enum rch_status fill_image(struct rch_core *core, struct rch_error *err)
{
    struct rch_image *image = core->image;
    image->kind = RCH_IMAGE_CORE;
    image->time_ns = core->source.time_ns;
    image->root = core->options->sysroot ? rch_image_text(image, core->options->sysroot) : "";
    if (!image->root)
        return rch_fail(err, RCH_ENOMEM, "the name of the sysroot");
    RCH_TRY(tell_progress(core, 0, err));
    RCH_TRY(load_all(core, err));
    RCH_TRY(warn_of_damage(core, err));
    RCH_TRY(rch_core_add_maps(core, err));
    RCH_TRY(add_threads(core, err));
    name_program(core);
    return rch_image_seal(image, err);
}

enum rch_status rch_image_open_core(const char *path, const struct rch_image_options *options,
                                    struct rch_image **image_out, struct rch_error *err)
{
    __attribute__((cleanup(core_deinit))) struct rch_core core;
    core_init(&core, options);
    RCH_TRY(rch_core_source_open(path, options, &core.source, err));
    RCH_TRY(rch_core_read_head(&core, path, err));
    RCH_TRY(rch_image_new(options, &core.image, err));
    RCH_TRY(fill_image(&core, err));
    *image_out = core.image;
    core.image = NULL;
    return RCH_OK;
}
