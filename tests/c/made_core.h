// SPDX-License-Identifier: MIT
// tests/c/made_core.h -- core files and libraries made up for tests: small, and with a byte at each
// address that follows from the address.
#ifndef RCH_TESTS_MADE_CORE_H
#define RCH_TESTS_MADE_CORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MADE_PAGE UINT64_C(4096)

struct made_bytes {
    uint8_t *mem;
    size_t num;
};

struct made_segment {
    uint64_t start, end;
    uint64_t file_bytes;
    uint32_t flags;        // PF_R, ...
    const uint8_t *bytes;  // NULL: made_byte() of each address
};

struct made_file {
    uint64_t start, end, page_offset;
    const char *path;
};

struct made_plan {
    const struct made_segment *segments;
    size_t num_segments;
    const struct made_file *files;
    size_t num_files;
    uint32_t pid, num_threads;
    uint64_t program_headers, vdso, random;
    uint64_t skew;        // contents lie so many bytes past a page boundary
    bool has_notes_last;  // as gcore writes them, else the kernel's way
    bool has_headers_last;
    bool has_no_count;  // more than 65534 segments, and nowhere how many
};

struct made_core {
    struct made_bytes file;
    size_t headers_at, notes_at, notes_num, contents_at;  // offsets
};

/// What a made-up process has at an address. Every eighth page is zero, no other byte is.
uint8_t made_byte(uint64_t addr);
struct made_core make_core(const struct made_plan *plan);
/// A shared library of so many pages, with a build id of 20 such bytes; 0: without.
struct made_bytes make_library(size_t num_pages, uint8_t build_id);

/// In so many gzip members or zstd frames, with a skippable frame between those.
struct made_bytes pack_gzip(struct made_bytes bytes, size_t num_members);
struct made_bytes pack_zstd(struct made_bytes bytes, size_t num_frames);

#endif
