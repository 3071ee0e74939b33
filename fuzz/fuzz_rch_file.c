// SPDX-License-Identifier: MIT
// fuzz/fuzz_rch_file.c -- any bytes as a snapshot: opened strictly and with salvage, as they are
// and with all checksums made right, so that lies get past them. What opens is walked through.
#include <stdlib.h>
#include <string.h>

#include "analyze/why/fd_table.h"
#include "format/file_impl.h"
#include "fuzz.h"
#include "model/reverse.h"
#include "model/verify.h"
#include "render/render.h"

static void must(bool is_true)
{
    if (!is_true)
        __builtin_trap();
}

static volatile uint64_t walked;  // so that no read is optimised away

static void walk_node(const struct rch_graph *g, rch_node v)
{
    const struct rch_type *type = rch_type_of(g, v);
    uint64_t sum = strlen(rch_str_get(g, type->name)) + strlen(rch_str_get(g, type->module));
    sum += rch_size_bytes(g, v) + rch_text_of_node(g, v);
    for (uint32_t i = 0; i < rch_num_refs(g, v); i++) {
        const struct rch_label *label = rch_label_of(g, v, i);
        rch_node key = rch_key_of_value(g, v, i);
        must(key == RCH_NO_NODE || key < g->num_objects);
        sum += rch_str_bytes(g, label->name) + rch_index_of_ref(g, v, i);
        sum += strlen(rch_edge_kind_word((enum rch_edge_kind)label->kind));
    }
    if (!rch_is_root(g, v)) {
        rch_node found = rch_node_at(g, rch_addr_of(g, v));
        must(found != RCH_NO_NODE && rch_addr_of(g, found) == rch_addr_of(g, v));
    }
    walked += sum;
}

static enum rch_status count_bytes(void *ctx, const char *bytes, size_t num_bytes,
                                   struct rch_error *err)
{
    (void)bytes, (void)err;
    *(size_t *)ctx += num_bytes;
    return RCH_OK;
}

static void render_threads(const struct rch_graph *g)
{
    size_t num_bytes = 0;
    struct rch_sink sink = {.write = count_bytes, .ctx = &num_bytes};
    const struct rch_render_options options = {.locals = true, .limit = 100};
    rch_render_stacks_text(g, &options, &sink);
    rch_render_stacks_json(g, &options, &sink);
    must(sink.status == RCH_OK);
    walked += num_bytes;
}

static void walk_threads(const struct rch_graph *g)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < g->num_threads; i++) {
        const struct rch_thread *thread = &g->threads[i];
        sum += rch_str_bytes(g, thread->name) + rch_str_bytes(g, thread->waits_for);
        must(thread->root == RCH_NO_NODE || rch_is_root(g, thread->root));
        for (uint32_t k = 0; k < thread->num_frames && k < 1000; k++) {
            const struct rch_stack_frame *frame = &g->stack_frames[thread->first_frame + k];
            sum += strlen(rch_str_get(g, frame->file)) + rch_str_bytes(g, frame->function);
            must(frame->root == RCH_NO_NODE || rch_is_root(g, frame->root));
        }
    }
    for (uint32_t i = 0; i < g->num_fds; i++)
        sum += rch_str_bytes(g, g->fds[i].local) + rch_str_bytes(g, g->fds[i].peer);
    for (uint32_t i = 0; i < g->num_fd_owners; i++)
        must(!rch_is_root(g, g->fd_owners[i].node));
    walked += sum;
}

// Every descriptor is in one group, and every owner is an object.
static void walk_fds(const struct rch_graph *g, const struct rch_reverse *rev)
{
    struct rch_fd_table *table;
    uint64_t num_in_groups = 0;
    if (rch_fd_table(g, rev, rch_alloc_default(), &table, NULL) != RCH_OK)
        return;
    for (uint32_t i = 0; i < table->num_groups; i++) {
        num_in_groups += table->groups[i].num_rows;
        walked += strlen(table->groups[i].place);
    }
    must(num_in_groups == table->num_rows);
    for (uint32_t i = 0; i < table->num_rows; i++)
        for (uint32_t k = 0; k < table->rows[i].num_owners; k++)
            must(!rch_is_root(g, table->rows[i].owners[k]));
    rch_fd_table_free(table);
}

static void walk(const struct rch_graph *g)
{
    struct rch_reverse rev;
    must(rch_graph_verify(g, NULL) == RCH_OK);
    for (rch_node v = 0; v < g->num_nodes; v++)
        walk_node(g, v);
    walk_threads(g);
    render_threads(g);
    for (uint32_t i = 0; i < g->num_warnings; i++)
        walked += strlen(rch_str_get(g, g->warnings[i]));
    if (rch_reverse_init(&rev, g, rch_alloc_default(), NULL) == RCH_OK) {
        must(rev.start[g->num_nodes] == rev.num_refs);
        walk_fds(g, &rev);
    }
    rch_reverse_deinit(&rev);
}

static void open_and_walk(const uint8_t *bytes, size_t num_bytes)
{
    for (int salvage = 0; salvage < 2; salvage++) {
        struct rch_graph *g;
        struct rch_error err;
        if (rch_file_open_bytes(bytes, num_bytes, salvage, rch_alloc_default(), NULL, &g, &err) !=
            RCH_OK)
            continue;
        walk(g);
        rch_graph_free(g);
    }
}

#define SEAL(header) \
    ((header)->checksum = rch_checksum((header), offsetof(__typeof__(*(header)), checksum)))

// Section headers by their magic; payloads that lie within the file.
static void seal_sections(uint8_t *bytes, size_t num_bytes, uint64_t *directory_offset)
{
    for (size_t at = 0; num_bytes - at >= sizeof(struct rch_section_header); at += RCH_FILE_ALIGN) {
        struct rch_section_header *header = (void *)(bytes + at);
        if (memcmp(header->magic, RCH_SECTION_MAGIC, RCH_MAGIC_BYTES) == 0) {
            if (header->payload_bytes <= num_bytes - at - sizeof(*header))
                header->payload_checksum = rch_checksum(header + 1, header->payload_bytes);
            if (header->kind == RCH_SECTION_DIRECTORY)
                *directory_offset = at;
            SEAL(header);
        }
        if (num_bytes - at < RCH_FILE_ALIGN)
            break;
    }
}

static void seal_directory(uint8_t *bytes, size_t num_bytes, uint64_t offset)
{
    struct rch_section_header *directory = (void *)(bytes + offset);
    struct rch_directory_row *rows = (void *)(directory + 1);
    uint64_t most = (num_bytes - offset - sizeof(*directory)) / sizeof(*rows);
    for (uint64_t i = 0; i < directory->num && i < most; i++) {
        if (rows[i].offset % RCH_FILE_ALIGN != 0 || rows[i].offset >= num_bytes ||
            num_bytes - rows[i].offset < sizeof(struct rch_section_header))
            continue;
        const struct rch_section_header *header = (const void *)(bytes + rows[i].offset);
        rows[i].kind = header->kind;
        rows[i].payload_bytes = header->payload_bytes;
        rows[i].payload_checksum = header->payload_checksum;
    }
    if (directory->payload_bytes <= num_bytes - offset - sizeof(*directory))
        directory->payload_checksum = rch_checksum(rows, directory->payload_bytes);
    SEAL(directory);
}

static void seal(uint8_t *bytes, size_t num_bytes)
{
    uint64_t directory_offset = 0;
    if (num_bytes < 2 * RCH_FILE_ALIGN)
        return;
    struct rch_file_header *header = (void *)bytes;
    SEAL(header);
    seal_sections(bytes, num_bytes, &directory_offset);
    if (directory_offset)
        seal_directory(bytes, num_bytes, directory_offset);
    if (num_bytes % RCH_FILE_ALIGN == 0) {
        struct rch_file_trailer *trailer = (void *)(bytes + num_bytes - sizeof(*trailer));
        trailer->file_bytes = num_bytes;
        SEAL(trailer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes)
{
    uint8_t *bytes = calloc(num_bytes ? num_bytes : 1, 1);
    if (!bytes)
        return 0;
    if (num_bytes)
        memcpy(bytes, data, num_bytes);
    open_and_walk(bytes, num_bytes);
    seal(bytes, num_bytes);
    open_and_walk(bytes, num_bytes);
    free(bytes);
    return 0;
}
