// SPDX-License-Identifier: MIT
// target/core_head.c -- the headers of a core file: is it one, and of a process that we can read?
// Which memory does it say it has, and where? After this every range is known to be sane: whole
// pages, nothing twice, neither in memory nor in the file.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "target/core_impl.h"

#define MAX_SEGMENTS (UINT64_C(1) << 22)  // the kernel's own default is 65530 maps a process
#define END_ADDR (UINT64_C(1) << RCH_TARGET_ADDR_BITS)
#define KERNEL_HALF (UINT64_C(1) << 63)  // [vsyscall] lies there, and nothing else
#define HEADERS_AT_ONCE 64u

// --- the ELF header ---

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_386: return "32-bit x86";
    case EM_ARM: return "32-bit ARM";
    case EM_AARCH64: return "64-bit ARM";
    case EM_PPC64: return "PowerPC";
    case EM_S390: return "S/390";
    case EM_RISCV: return "RISC-V";
    default: return "another machine";
    }
}

static const char *other_type_words(uint16_t type)
{
    switch (type) {
    case ET_EXEC:
    case ET_DYN: return "is a program or a library, not a core file";
    case ET_REL: return "is an object file, not a core file";
    default: return "is ELF, but not a core file";
    }
}

static enum rch_status check_elf_header(const struct rch_core *core, const Elf64_Ehdr *header,
                                        const char *path, struct rch_error *err)
{
    const unsigned char *ident = header->e_ident;
    bool is_swapped = ident[EI_DATA] == ELFDATA2MSB;
    uint16_t type = is_swapped ? __builtin_bswap16(header->e_type) : header->e_type;
    uint16_t machine = is_swapped ? __builtin_bswap16(header->e_machine) : header->e_machine;
    if (memcmp(ident, ELFMAG, SELFMAG) != 0)
        return rch_fail(err, RCH_ECORRUPT, "%s is not a core file%s", path,
                        core->source.pack == RCH_CORE_PLAIN ? ""
                                                            : ", nor is what it decompresses to");
    if (type != ET_CORE)
        return rch_fail(err, RCH_ECORRUPT, "%s %s", path, other_type_words(type));
    if (machine != EM_X86_64)
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "%s is the core of a process on %s: only 64-bit x86 is supported", path,
                        machine_name(machine));
    if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "%s is the core of a 32-bit process: only 64-bit x86 is supported", path);
    if (header->e_phnum == 0 || header->e_phentsize != sizeof(Elf64_Phdr))
        return rch_fail_at(err, RCH_ECORRUPT, offsetof(Elf64_Ehdr, e_phentsize),
                           "%s has a damaged ELF header: %u program headers of %u bytes", path,
                           header->e_phnum, header->e_phentsize);
    return RCH_OK;
}

static enum rch_status read_elf_header(struct rch_core *core, const char *path, Elf64_Ehdr *header,
                                       struct rch_error *err)
{
    size_t num;
    memset(header, 0, sizeof(*header));
    RCH_TRY(rch_core_source_read(&core->source, 0, header, sizeof(*header), &num, err));
    if (num < sizeof(*header) && core->source.damage)
        return rch_fail_at(err, RCH_ECORRUPT, core->source.damaged_at,
                           "%s cannot be decompressed: %s", path, core->source.damage);
    if (num < sizeof(*header) && num >= SELFMAG && memcmp(header, ELFMAG, SELFMAG) == 0)
        return rch_fail_at(err, RCH_ECORRUPT, num, "%s is cut short within its ELF header", path);
    return check_elf_header(core, header, path, err);
}

// --- the program headers ---

static enum rch_status bad_segment(const struct rch_core_segment *segment, const char *words,
                                   struct rch_error *err)
{
    return rch_fail_at(err, RCH_ECORRUPT, segment->header_at,
                       "core file damaged: the segment whose header is at offset %" PRIu64 " %s",
                       segment->header_at, words);
}

static uint32_t map_flags(uint32_t flags)
{
    return (flags & PF_R ? RCH_MAP_READ : 0) | (flags & PF_W ? RCH_MAP_WRITE : 0) |
           (flags & PF_X ? RCH_MAP_EXEC : 0);
}

static enum rch_status check_segment(const Elf64_Phdr *header,
                                     const struct rch_core_segment *segment, struct rch_error *err)
{
    uint64_t end;
    if (__builtin_add_overflow(header->p_offset, header->p_filesz, &end) || end > INT64_MAX)
        return bad_segment(segment, "lies outside of any file", err);
    if (segment->is_note)
        return RCH_OK;
    if (__builtin_add_overflow(header->p_vaddr, header->p_memsz, &end))
        return bad_segment(segment, "goes past the end of memory", err);
    if ((header->p_vaddr | header->p_memsz) % RCH_CORE_PAGE != 0)
        return bad_segment(segment, "is not made of whole pages", err);
    if (header->p_filesz > header->p_memsz)
        return bad_segment(segment, "has more bytes in the file than in memory", err);
    return RCH_OK;
}

static enum rch_status add_segment(struct rch_core *core, const Elf64_Phdr *header,
                                   uint64_t header_at, struct rch_error *err)
{
    struct rch_core_segment segment = {
        .offset = header->p_offset,
        .file_bytes = header->p_filesz,
        .header_at = header_at,
        .flags = map_flags(header->p_flags),
        .is_note = header->p_type == PT_NOTE,
    };
    if ((header->p_type != PT_LOAD || header->p_memsz == 0) && !segment.is_note)
        return RCH_OK;
    RCH_TRY(check_segment(header, &segment, err));
    if (!segment.is_note) {
        segment.start = header->p_vaddr;
        segment.end = header->p_vaddr + header->p_memsz;
        if (segment.end > END_ADDR) {
            core->num_out_of_reach += segment.start < KERNEL_HALF;
            return RCH_OK;
        }
    }
    if (core->segments.num >= MAX_SEGMENTS)
        return bad_segment(&segment, "is one of more than four million", err);
    core->file_bytes +=
        segment.file_bytes;  // no overflow: file ranges will be found to be disjoint
    return rch_vec_append(&core->segments, &segment, 1, err);
}

// With more than 65534 of them the number stands in the first section header, which the kernel
// writes last of all: it is not there in a core that is cut short, and far away in a compressed
// one. Then the headers go on until the contents begin.
static enum rch_status count_headers(struct rch_core *core, const Elf64_Ehdr *header,
                                     uint64_t *num_out, bool *is_known, struct rch_error *err)
{
    Elf64_Shdr first;
    size_t num;
    *num_out = header->e_phnum;
    *is_known = header->e_phnum != PN_XNUM;
    if (*is_known || core->source.pack != RCH_CORE_PLAIN || header->e_shoff == 0 ||
        header->e_shentsize != sizeof(first))
        return RCH_OK;
    RCH_TRY(rch_core_source_read(&core->source, header->e_shoff, &first, sizeof(first), &num, err));
    if (num == sizeof(first) && first.sh_info >= PN_XNUM) {
        *num_out = first.sh_info;
        *is_known = true;
    }
    return RCH_OK;
}

struct header_list {
    uint64_t at;        // offset of the next one
    uint64_t num_left;  // if that is known
    bool is_counted;
    uint64_t contents_at;  // if not: where the contents begin
};

static size_t headers_left(const struct header_list *list)
{
    uint64_t num = list->num_left;
    if (!list->is_counted)
        num =
            list->contents_at > list->at ? (list->contents_at - list->at) / sizeof(Elf64_Phdr) : 0;
    return num < HEADERS_AT_ONCE ? (size_t)num : HEADERS_AT_ONCE;
}

static enum rch_status read_headers(struct rch_core *core, struct header_list *list,
                                    struct rch_error *err)
{
    Elf64_Phdr headers[HEADERS_AT_ONCE];
    size_t num = headers_left(list), num_bytes;
    RCH_TRY(rch_core_source_read(&core->source, list->at, headers, num * sizeof(headers[0]),
                                 &num_bytes, err));
    if (num_bytes < num * sizeof(headers[0]))
        return rch_fail_at(err, RCH_ECORRUPT, list->at + num_bytes,
                           "core file cut short within its program headers, at byte %" PRIu64
                           ": nothing of the process's memory is in it",
                           list->at + num_bytes);
    for (size_t i = 0; i < num; i++) {
        const Elf64_Phdr *header = &headers[i];
        if (!list->is_counted && list->at + sizeof(*header) > list->contents_at)
            break;
        RCH_TRY(add_segment(core, header, list->at, err));
        if (header->p_filesz && header->p_offset < list->contents_at)
            list->contents_at = header->p_offset;
        list->at += sizeof(*header);
        list->num_left--;
    }
    return RCH_OK;
}

// --- nothing twice ---

static int compare_addresses(const void *a, const void *b)
{
    const struct rch_core_segment *x = a, *y = b;
    if (x->is_note != y->is_note)
        return x->is_note ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct rch_core_order *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum rch_status order_segments(struct rch_core *core, struct rch_error *err)
{
    struct rch_core_segment *segments = core->segments.mem;
    qsort(segments, core->segments.num, sizeof(*segments), compare_addresses);
    for (size_t i = 0; i < core->segments.num; i++) {
        struct rch_core_order order = {segments[i].offset, i};
        if (i > 0 && !segments[i].is_note && segments[i].start < segments[i - 1].end)
            return bad_segment(&segments[i], "overlaps another in memory", err);
        if (segments[i].file_bytes)
            RCH_TRY(rch_vec_append(&core->order, &order, 1, err));
    }
    if (core->order.num == 0)
        return rch_fail(err, RCH_ECORRUPT, "the core file has no contents of memory");
    struct rch_core_order *order = core->order.mem;
    qsort(order, core->order.num, sizeof(*order), compare_offsets);
    for (size_t i = 1; i < core->order.num; i++) {
        const struct rch_core_segment *last = &segments[order[i - 1].segment];
        if (order[i].offset - last->offset < last->file_bytes)
            return bad_segment(&segments[order[i].segment], "overlaps another in the file", err);
    }
    return RCH_OK;
}

enum rch_status rch_core_read_head(struct rch_core *core, const char *path, struct rch_error *err)
{
    Elf64_Ehdr header;
    struct header_list list = {.contents_at = INT64_MAX};
    RCH_TRY(read_elf_header(core, path, &header, err));
    RCH_TRY(count_headers(core, &header, &list.num_left, &list.is_counted, err));
    list.at = header.e_phoff;
    if (list.at < sizeof(header) || list.at > INT64_MAX)
        return rch_fail_at(err, RCH_ECORRUPT, offsetof(Elf64_Ehdr, e_phoff),
                           "%s has a damaged ELF header: program headers at offset %" PRIu64, path,
                           list.at);
    while (headers_left(&list) > 0)
        RCH_TRY(read_headers(core, &list, err));
    if (core->segments.num == 0)
        return rch_fail(err, RCH_ECORRUPT, "%s describes no memory of a process", path);
    return order_segments(core, err);
}
