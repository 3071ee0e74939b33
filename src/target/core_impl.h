// SPDX-License-Identifier: MIT
// target/core_impl.h -- the parts of reading a core file, each in a file of its own: its bytes
// (core_source.c), its headers (core_head.c), its notes (core_notes.c), its maps and the files that
// were mapped (core_maps.c). Private to target/ and its tests.
#ifndef RCH_TARGET_CORE_IMPL_H
#define RCH_TARGET_CORE_IMPL_H
#include "base/arena.h"
#include "base/vec.h"
#include "target/image_impl.h"

#define RCH_CORE_PAGE UINT64_C(4096)  // x86-64 has no other
#define RCH_CORE_REPORT_EVERY (UINT64_C(64) << 20)

// --- the bytes of the core, plain or decompressed ---

enum rch_core_pack { RCH_CORE_PLAIN, RCH_CORE_GZIP, RCH_CORE_ZSTD };

struct rch_core_source {
    const struct rch_alloc *alloc;
    const struct rch_progress *progress;
    enum rch_core_pack pack;
    int fd;
    uint64_t file_bytes;  // of the file as it lies there
    uint64_t time_ns;     // when it was last written
    // The rest is for compressed ones.
    uint64_t pos;          // of the next byte that comes out
    uint64_t file_pos;     // of the next byte that goes in
    uint64_t reported_at;  // pos + file_pos when progress was last told
    bool has_reported;
    bool has_ended;       // nothing more comes out
    const char *damage;   // why it ended too early; NULL: it did not
    uint64_t damaged_at;  // offset in the file
    uint8_t *in, *discard;
    size_t in_at, in_bytes;
    void *unpacker;  // z_stream or ZSTD_DStream
    bool in_member;  // within a gzip member or a zstd frame
};

/// Open, and find out how it is compressed. On failure nothing is left open.
RCH_MUST_CHECK enum rch_status rch_core_source_open(const char *path,
                                                    const struct rch_image_options *options,
                                                    struct rch_core_source *source,
                                                    struct rch_error *err);
void rch_core_source_close(struct rch_core_source *source);
/// The bytes at an offset. Fewer than asked for, and RCH_OK, where the core ends early. A compressed
/// core is read from front to back: going back starts it anew.
RCH_MUST_CHECK enum rch_status rch_core_source_read(struct rch_core_source *source, uint64_t offset,
                                                    void *buf, size_t num_bytes, size_t *num_out,
                                                    struct rch_error *err);

// --- what it tells ---

struct rch_core_segment {
    uint64_t start, end;  // addresses, whole pages; both 0 for notes
    uint64_t offset;      // in the core
    uint64_t file_bytes;  // how many the core should have of it
    uint64_t bytes_had;   // how many it had
    uint64_t header_at;   // offset of the program header
    uint32_t flags;       // RCH_MAP_READ, ...
    bool is_note;
};

struct rch_core_order {
    uint64_t offset;
    size_t segment;
};

struct rch_core_file {  // a part of a file that was mapped (NT_FILE)
    uint64_t start, end, offset;
    const char *path;  // without " (deleted)"
    bool is_deleted;
};

struct rch_core {
    const struct rch_image_options *options;
    const struct rch_alloc *alloc;
    struct rch_core_source source;
    struct rch_image *image;
    struct rch_arena arena;   // of paths
    struct rch_vec segments;  // struct rch_core_segment; notes first, then by address
    struct rch_vec order;     // struct rch_core_order: those with contents, as they lie in the core
    struct rch_vec files;     // struct rch_core_file, as told; rch_core_add_maps() sorts them
    uint64_t file_bytes;      // all contents that the core should have
    uint64_t bytes_had;       // and has
    struct rch_vec threads;   // struct rch_os_thread
    uint32_t num_mappings;    // segments of which pages are mapped, not copied
    uint32_t pid;
    char name[16];
    // Of the auxiliary vector; 0: not known.
    uint64_t program_headers, entry, vdso, random;
    uint64_t damaged_note_at;   // offset in the core; 0: none
    uint64_t num_out_of_reach;  // segments at addresses that no target has
};

/// The ELF header and the program headers: fills segments and order. Refuses what is no core of a
/// 64-bit x86 process, and headers that contradict themselves.
RCH_MUST_CHECK enum rch_status rch_core_read_head(struct rch_core *core, const char *path,
                                                  struct rch_error *err);
/// Take in the notes of one segment that begins at `offset`. Where they are damaged or cut the
/// reading ends, and that is noted: no error.
RCH_MUST_CHECK enum rch_status rch_core_read_notes(struct rch_core *core, const uint8_t *bytes,
                                                   size_t num_bytes, uint64_t offset,
                                                   struct rch_error *err);
/// Give the image its maps, of segments and NT_FILE together, and those whose contents the core
/// leaves out the files that were mapped there, if they can be found and are the same; warn about
/// the others. After all contents are read.
RCH_MUST_CHECK enum rch_status rch_core_add_maps(struct rch_core *core, struct rch_error *err);

#endif
