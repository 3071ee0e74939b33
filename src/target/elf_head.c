// SPDX-License-Identifier: MIT
// target/elf_head.c -- header, segments and build id of an ELF file.
#include <unistd.h>

#include "target/elf_impl.h"

#define MAX_NOTE_BYTES 65536u  // of one note segment

bool rch_elf_read(const struct rch_elf_source *source, uint64_t offset, void *buf, size_t num_bytes)
{
    uint64_t addr;
    if (offset > INT64_MAX - num_bytes)
        return false;
    if (!source->target)
        return pread(source->fd, buf, num_bytes, (off_t)offset) == (ssize_t)num_bytes;
    return !__builtin_add_overflow(source->start, offset, &addr) &&
           rch_target_read(source->target, addr, buf, num_bytes);
}

bool rch_elf_read_head(const struct rch_elf_source *source, struct rch_elf_head *head)
{
    unsigned char ident[EI_NIDENT];
    Elf64_Ehdr *header = &head->header;
    *head = (struct rch_elf_head){0};
    if (!rch_elf_read(source, 0, ident, sizeof(ident)) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
        ident[EI_DATA] != ELFDATA2LSB)
        return false;
    head->is_32_bit = ident[EI_CLASS] == ELFCLASS32;
    if (head->is_32_bit)
        return true;
    if (ident[EI_CLASS] != ELFCLASS64 || !rch_elf_read(source, 0, header, sizeof(*header)) ||
        (header->e_type != ET_DYN && header->e_type != ET_EXEC) ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return false;
    head->num_segments =
        header->e_phnum < RCH_ELF_MAX_SEGMENTS ? header->e_phnum : RCH_ELF_MAX_SEGMENTS;
    return rch_elf_read(source, header->e_phoff, head->segments,
                        head->num_segments * sizeof(head->segments[0]));
}

bool rch_elf_vaddr_of_page(const struct rch_elf_head *head, uint64_t offset, uint64_t *vaddr_out)
{
    for (uint32_t i = 0; i < head->num_segments; i++) {
        const Elf64_Phdr *segment = &head->segments[i];
        if (segment->p_type != PT_LOAD || segment->p_offset - segment->p_offset % 4096 != offset)
            continue;
        *vaddr_out = segment->p_vaddr - segment->p_offset % 4096;
        return true;
    }
    return false;
}

static uint64_t align_to(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

// The id among the notes at offset. Sizes in them are 32 bits wide, so nothing wraps around.
static uint32_t id_in_notes(const struct rch_elf_source *source, const Elf64_Phdr *segment,
                            uint8_t build_id[RCH_BUILD_ID_BYTES])
{
    uint64_t align = segment->p_align == 8 ? 8 : 4;
    for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= segment->p_filesz;) {
        Elf64_Nhdr note;
        char name[4];
        uint64_t name_at = segment->p_offset + at + sizeof(note);
        if (!rch_elf_read(source, segment->p_offset + at, &note, sizeof(note)))
            return 0;
        uint64_t text_at = align_to(sizeof(note) + (uint64_t)note.n_namesz, align);
        uint64_t next = align_to(text_at + note.n_descsz, align);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(name) && note.n_descsz > 0 &&
            note.n_descsz <= RCH_BUILD_ID_BYTES &&
            at + text_at + note.n_descsz <= segment->p_filesz &&
            rch_elf_read(source, name_at, name, sizeof(name)) && memcmp(name, "GNU", 4) == 0)
            return rch_elf_read(source, segment->p_offset + at + text_at, build_id, note.n_descsz)
                       ? note.n_descsz
                       : 0;
        at += next;
    }
    return 0;
}

uint32_t rch_elf_build_id(const struct rch_elf_source *source, const struct rch_elf_head *head,
                          uint64_t limit, uint8_t build_id[RCH_BUILD_ID_BYTES])
{
    for (uint32_t i = 0; i < head->num_segments; i++) {
        const Elf64_Phdr *segment = &head->segments[i];
        if (segment->p_type != PT_NOTE || segment->p_filesz > MAX_NOTE_BYTES ||
            segment->p_offset > limit || segment->p_filesz > limit - segment->p_offset)
            continue;
        uint32_t num_bytes = id_in_notes(source, segment, build_id);
        if (num_bytes > 0)
            return num_bytes;
    }
    return 0;
}

uint32_t rch_elf_file_build_id(int fd, uint8_t build_id[RCH_BUILD_ID_BYTES])
{
    struct rch_elf_source source = {.fd = fd};
    struct rch_elf_head head;
    if (!rch_elf_read_head(&source, &head) || head.is_32_bit)
        return 0;
    return rch_elf_build_id(&source, &head, INT64_MAX, build_id);
}
