// SPDX-License-Identifier: MIT
// format/file_layout.h -- docs/format.md as C: the structs at their places in the file. They are
// used in place, so their layout is checked here. Private to format/ and its tests.
#ifndef RCH_FORMAT_FILE_LAYOUT_H
#define RCH_FORMAT_FILE_LAYOUT_H
#include <stddef.h>
#include <stdint.h>

#include "model/graph.h"

#define RCH_FILE_MAJOR 1u
#define RCH_FILE_MINOR 1u
#define RCH_FILE_ALIGN 64u
#define RCH_FILE_BYTE_ORDER 0x01020304u
#define RCH_FILE_MAGIC "\x93RCH\r\n\x1a\n"
#define RCH_SECTION_MAGIC "\x93RCHSEC\n"
#define RCH_TRAILER_MAGIC "\x93RCHEND\n"
#define RCH_MAGIC_BYTES 8u

// kind name, number, bytes of an element. In the order in which they are written.
#define RCH_SECTION_LIST(X) \
    X(INFO, 1, 72)          \
    X(STR_START, 2, 4)      \
    X(STR_BYTES, 3, 1)      \
    X(TYPES, 4, 16)         \
    X(LABELS, 5, 8)         \
    X(SHAPES, 6, 16)        \
    X(ROOTS, 7, 16)         \
    X(WARNINGS, 17, 4)      \
    X(OBSERVERS, 15, 8)     \
    X(THREADS, 18, 32)      \
    X(STACK_FRAMES, 19, 16) \
    X(FDS, 20, 24)          \
    X(FD_OWNERS, 21, 8)     \
    X(ADDR_RUNS, 11, 16)    \
    X(BIG_SIZES, 12, 16)    \
    X(SHAPE_OF, 8, 4)       \
    X(SIZE16, 9, 2)         \
    X(ADDR8, 10, 4)         \
    X(TEXTS, 16, 8)         \
    X(EDGE_START, 13, 4)    \
    X(EDGES, 14, 4)
enum rch_section_kind {
    RCH_SECTION_DIRECTORY = 0,
#define RCH_SECTION_ENUM(name, number, elem_bytes) RCH_SECTION_##name = number,
    RCH_SECTION_LIST(RCH_SECTION_ENUM)
#undef RCH_SECTION_ENUM
        RCH_NUM_SECTION_KINDS = 22
};

struct rch_file_counts {
    uint32_t num_tracked, num_objects, num_nodes, num_edges;
};

struct rch_file_header {
    uint8_t magic[RCH_MAGIC_BYTES];
    uint16_t major, minor;
    uint32_t byte_order;
    uint32_t header_bytes;
    uint32_t flags;
    struct rch_file_counts counts;
    uint64_t reserved[2];
    uint64_t checksum;  // of what is before it
};

struct rch_section_header {
    uint8_t magic[RCH_MAGIC_BYTES];
    uint32_t kind;
    uint32_t codec;
    uint32_t elem_bytes;
    uint32_t sequence;
    uint64_t num;
    uint64_t payload_bytes;
    uint64_t payload_checksum;
    uint64_t reserved;
    uint64_t checksum;  // of what is before it
};

struct rch_directory_row {
    uint32_t kind;
    uint32_t sequence;
    uint64_t offset;  // of the section header
    uint64_t payload_bytes;
    uint64_t payload_checksum;
};

struct rch_file_trailer {
    uint8_t magic[RCH_MAGIC_BYTES];
    uint64_t directory_offset;
    uint64_t file_bytes;
    uint32_t num_sections;
    uint32_t reserved[7];
    uint64_t checksum;  // of what is before it
};

struct rch_file_info {
    struct rch_capture_info capture;
    struct rch_file_counts counts;
};

_Static_assert(sizeof(struct rch_file_header) == 64, "file header");
_Static_assert(sizeof(struct rch_section_header) == 64, "section header");
_Static_assert(sizeof(struct rch_file_trailer) == 64, "trailer");
_Static_assert(offsetof(struct rch_file_header, checksum) == 56, "file header");
_Static_assert(offsetof(struct rch_section_header, checksum) == 56, "section header");
_Static_assert(offsetof(struct rch_file_trailer, checksum) == 56, "trailer");
_Static_assert(sizeof(struct rch_directory_row) == 32, "directory row");
_Static_assert(sizeof(struct rch_file_info) == 72, "info");
_Static_assert(offsetof(struct rch_capture_info, time_ns) == 16, "info");
_Static_assert(offsetof(struct rch_capture_info, is_partial) == 48, "info");
_Static_assert(sizeof(struct rch_type) == 16 && sizeof(struct rch_shape) == 16, "types, shapes");
_Static_assert(sizeof(struct rch_label) == 8 && offsetof(struct rch_label, flags) == 6, "labels");
_Static_assert(sizeof(struct rch_root) == 16 && offsetof(struct rch_root, extra) == 12, "roots");
_Static_assert(sizeof(struct rch_addr_run) == 16 && offsetof(struct rch_addr_run, first_node) == 8,
               "addr_runs");
_Static_assert(sizeof(struct rch_big_size) == 16 && offsetof(struct rch_big_size, bytes) == 8,
               "big_sizes");
_Static_assert(sizeof(struct rch_thread) == 32 && offsetof(struct rch_thread, reserved) == 28,
               "threads");
_Static_assert(sizeof(struct rch_stack_frame) == 16 && offsetof(struct rch_stack_frame, root) == 12,
               "stack_frames");
_Static_assert(sizeof(struct rch_fd) == 24 && offsetof(struct rch_fd, peer) == 20, "fds");
_Static_assert(sizeof(struct rch_fd_owner) == 8, "fd_owners");
_Static_assert(sizeof(struct rch_observer) == 8 && sizeof(struct rch_text_of) == 8, "pairs");

/// XXH3 with 64 bits and seed 0.
uint64_t rch_checksum(const void *bytes, size_t num_bytes);

#endif
