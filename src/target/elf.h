// SPDX-License-Identifier: MIT
// target/elf.h -- what we need of ELF: symbols, sections, build ids, of the files mapped into an image.
// Nothing read is trusted: every offset is checked against the file or the image.
#ifndef RCH_TARGET_ELF_H
#define RCH_TARGET_ELF_H
#include "target/image.h"

#define RCH_BUILD_ID_BYTES 64

/// One program or library in the image: the maps of one file, first to last.
struct rch_module {
    const char *path;  // the image's
    size_t first_map, num_maps;
    uint64_t bias;  // address in memory = address in the file + bias
    uint8_t build_id[RCH_BUILD_ID_BYTES];
    uint32_t build_id_bytes;  // 0: none found
    bool is_32_bit;
    bool has_file;  // the file could be opened and its build id is the one in memory
};

struct rch_modules {
    const struct rch_alloc *alloc;
    struct rch_module *items;
    size_t num;
};

/// Find the ELF files mapped into the image, by the headers in memory or, quicker and the same, in the files.
RCH_MUST_CHECK enum rch_status rch_modules_init(struct rch_modules *modules,
                                                const struct rch_image *image,
                                                const struct rch_alloc *alloc,
                                                struct rch_error *err);
void rch_modules_deinit(struct rch_modules *modules);

/// Address of a symbol: from the dynamic symbols in memory, else from .dynsym and .symtab of the file.
/// 0: there is none. *bytes_out (may be NULL): its size.
uint64_t rch_module_symbol(const struct rch_image *image, const struct rch_module *module,
                           const char *name, uint64_t *bytes_out);
/// The same, from the dynamic symbols in memory only: opens no file.
uint64_t rch_module_dynamic_symbol(const struct rch_image *image, const struct rch_module *module,
                                   const char *name, uint64_t *bytes_out);
/// Address of a section in memory, from the file's section headers. 0: there is none.
uint64_t rch_module_section(const struct rch_image *image, const struct rch_module *module,
                            const char *name, uint64_t *bytes_out);
/// Build id of an ELF file. Its length, 0: none.
uint32_t rch_elf_file_build_id(int fd, uint8_t build_id[RCH_BUILD_ID_BYTES]);
/// Open the file of a map, for reading: under image->root, then (live) through /proc/PID/exe and
/// map_files. -1: not found, no regular file, or another than the one mapped (live: inode; cores: build
/// id or, without one, the header, as far as they are in the core). Names are looked up inside the
/// root: no link leads out of it. The caller closes it.
int rch_image_open_file(const struct rch_image *image, const struct rch_map *map);

#endif
