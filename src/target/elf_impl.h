// SPDX-License-Identifier: MIT
// target/elf_impl.h -- the head of an ELF file, read from memory or from the file by the same code.
// Private to target/ and its tests.
#ifndef RCH_TARGET_ELF_IMPL_H
#define RCH_TARGET_ELF_IMPL_H
#include <elf.h>

#include "target/elf.h"

#define RCH_ELF_MAX_SEGMENTS 128

/// Bytes by their offset in the file: of the file itself, or of its first map.
struct rch_elf_source {
    struct rch_target *target;  // NULL: the file
    uint64_t start;             // of the first map
    int fd;
};
bool rch_elf_read(const struct rch_elf_source *source, uint64_t offset, void *buf,
                  size_t num_bytes);

struct rch_elf_head {
    bool is_32_bit;  // then nothing else is filled in
    Elf64_Ehdr header;
    uint32_t num_segments;
    Elf64_Phdr segments[RCH_ELF_MAX_SEGMENTS];
};

/// False if this is no little-endian ELF program or library.
bool rch_elf_read_head(const struct rch_elf_source *source, struct rch_elf_head *head);
/// The address that the page at this offset of the file asks for, before the bias; false if no segment
/// starts on that page.
bool rch_elf_vaddr_of_page(const struct rch_elf_head *head, uint64_t offset, uint64_t *vaddr_out);
/// The build id, by the note segments. In memory, only notes inside the first `limit` bytes are
/// looked at: the rest of the file is mapped elsewhere.
uint32_t rch_elf_build_id(const struct rch_elf_source *source, const struct rch_elf_head *head,
                          uint64_t limit, uint8_t build_id[RCH_BUILD_ID_BYTES]);

/// Open a regular file of the target by its absolute path, under image->root. -1: there is none.
int rch_open_in_root(const struct rch_image *image, const char *path);

/// In the section headers of the file: value of the symbol (its address before the bias), 0: none.
uint64_t rch_elf_file_symbol(int fd, const char *name, uint64_t *bytes_out);
uint64_t rch_elf_file_section(int fd, const char *name, uint64_t *bytes_out);

#endif
