// SPDX-License-Identifier: MIT
// format/file_impl.h -- what the files of format/ share, and what tests and fuzzers call instead of
// the functions that take a path. Private to format/ and its tests.
#ifndef RCH_FORMAT_FILE_IMPL_H
#define RCH_FORMAT_FILE_IMPL_H
#include "base/progress.h"
#include "format/file_layout.h"
#include "model/graph.h"

/// Write the bytes of a snapshot to a file descriptor, from where it stands. Does not sync it or
/// close it.
RCH_MUST_CHECK enum rch_status rch_file_write_fd(const struct rch_graph *g, int fd,
                                                 const struct rch_progress *progress,
                                                 struct rch_error *err);

/// What tells this snapshot from all others: of a graph that was opened from a whole file. False: it was
/// captured, built or salvaged.
struct rch_file_identity {
    uint64_t bytes;     // of the file
    uint64_t checksum;  // of its directory, which has the checksums of everything
};
bool rch_file_identity(const struct rch_graph *g, struct rch_file_identity *identity_out);

/// As rch_file_open, from memory aligned to 8 bytes that must stay until the graph is freed;
/// `unmap` (may be NULL) then frees it. On error the bytes stay the caller's.
RCH_MUST_CHECK enum rch_status rch_file_open_bytes(const void *bytes, size_t num_bytes,
                                                   bool salvage, const struct rch_alloc *alloc,
                                                   void (*unmap)(void *bytes, size_t num_bytes),
                                                   struct rch_graph **graph_out,
                                                   struct rch_error *err);

// What is known of a section; the better, the higher.
enum rch_section_state {
    RCH_SECTION_LOST,
    RCH_SECTION_CUT,      // the payload goes past the end of the file
    RCH_SECTION_DAMAGED,  // wrong checksum
    RCH_SECTION_WHOLE,
};
struct rch_section {
    const void *payload;
    uint64_t num;  // elements that are there: fewer than the header says if cut
    uint64_t offset;
    enum rch_section_state state;
};

#define RCH_MAX_REPAIRS RCH_NUM_SECTION_KINDS
struct rch_reader {
    const uint8_t *bytes;
    size_t num_bytes;
    const struct rch_alloc *alloc;
    bool has_counts;  // of the file header
    uint16_t minor;   // version; if the file header is lost, that of this build
    struct rch_file_counts counts;
    struct rch_section sections[RCH_NUM_SECTION_KINDS];
    // salvage only: memory that stands in for lost columns, and what to tell the user
    struct {
        void *mem;
        size_t num, elem_bytes;
    } repairs[RCH_MAX_REPAIRS];
    size_t num_repairs;
    struct rch_capture_info info;  // of the graph
    bool has_info;
    uint64_t directory_checksum;  // 0: salvaged
};

const char *rch_section_name(uint32_t kind);
uint32_t rch_section_elem_bytes(uint32_t kind);

/// The section header at `offset` if there is one, intact and without nonsense; else NULL. The
/// payload may go past the end of the file.
const struct rch_section_header *rch_section_header_at(const struct rch_reader *r, uint64_t offset);
/// The section with this header, its payload compared with the checksum. O(payload).
struct rch_section rch_section_check(const struct rch_reader *r, uint64_t offset);
RCH_MUST_CHECK enum rch_status rch_file_header_check(struct rch_reader *r, struct rch_error *err);

/// Find sections without the directory and replace what is lost, as docs/format.md says; all that
/// is needed is whole then. RCH_ECORRUPT if the rest is not worth it.
RCH_MUST_CHECK enum rch_status rch_file_salvage(struct rch_reader *r, struct rch_error *err);

#endif
