// SPDX-License-Identifier: MIT
// target/elf_file.c -- sections and symbols of an ELF file, by its section headers. Tables are read
// in pieces, so a file of any size costs the same memory: none.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // memmem
#endif
#include "target/elf_impl.h"

#define MAX_SECTIONS 65536u
#define MAX_NAME_BYTES 64u
#define MAX_SPELLINGS 64u  // places where one name ends in a string table
#define MAX_SYMBOL_TABLES 4u  // a file has two
#define PIECE_BYTES 16384u

struct sections {
    struct rch_elf_source source;
    uint64_t offset, num;
    uint64_t names_offset, names_bytes;
};

static bool section_at(const struct sections *sections, uint64_t i, Elf64_Shdr *section)
{
    return i < sections->num &&
           rch_elf_read(&sections->source, sections->offset + i * sizeof(*section), section,
                        sizeof(*section));
}

static bool open_sections(int fd, struct sections *sections)
{
    struct rch_elf_head head;
    Elf64_Shdr first, names;
    *sections = (struct sections){.source = {.fd = fd}};
    if (!rch_elf_read_head(&sections->source, &head) || head.is_32_bit ||
        head.header.e_shentsize != sizeof(first) || head.header.e_shoff > INT64_MAX / 2)
        return false;
    sections->offset = head.header.e_shoff;
    sections->num = 1;
    if (sections->offset == 0 || !section_at(sections, 0, &first))
        return false;
    // More than fit into the header's 16 bits are counted in the first section's.
    uint64_t num = head.header.e_shnum ? head.header.e_shnum : first.sh_size;
    uint64_t names_at =
        head.header.e_shstrndx == SHN_XINDEX ? first.sh_link : head.header.e_shstrndx;
    sections->num = num < MAX_SECTIONS ? num : MAX_SECTIONS;
    if (!section_at(sections, names_at, &names) || names.sh_type != SHT_STRTAB)
        return false;
    sections->names_offset = names.sh_offset;
    sections->names_bytes = names.sh_size;
    return true;
}

static bool is_named(const struct sections *sections, const Elf64_Shdr *section, const char *name)
{
    char text[MAX_NAME_BYTES];
    size_t num_bytes = strlen(name) + 1;
    return num_bytes <= sizeof(text) && section->sh_name < sections->names_bytes &&
           sections->names_offset <= (uint64_t)INT64_MAX - section->sh_name &&
           rch_elf_read(&sections->source, sections->names_offset + section->sh_name, text,
                        num_bytes) &&
           memcmp(text, name, num_bytes) == 0;
}

uint64_t rch_elf_file_section(int fd, const char *name, uint64_t *bytes_out)
{
    struct sections sections;
    Elf64_Shdr section;
    if (!open_sections(fd, &sections))
        return 0;
    for (uint64_t i = 1; section_at(&sections, i, &section); i++) {
        if (!(section.sh_flags & SHF_ALLOC) || !is_named(&sections, &section, name))
            continue;
        if (bytes_out)
            *bytes_out = section.sh_size;
        return section.sh_addr;
    }
    return 0;
}

struct spellings {
    uint32_t at[MAX_SPELLINGS];  // in the string table
    uint32_t num;
};

static bool is_spelling(const struct spellings *spellings, uint32_t at)
{
    for (uint32_t i = 0; i < spellings->num; i++) {
        if (spellings->at[i] == at)
            return true;
    }
    return false;
}

// Where the name stands in the string table, alone or as the end of a longer one.
static void find_spellings(const struct sections *sections, const Elf64_Shdr *strings,
                           const char *name, struct spellings *spellings)
{
    char piece[PIECE_BYTES];
    size_t name_bytes = strlen(name) + 1;
    spellings->num = 0;
    if (name_bytes > MAX_NAME_BYTES || strings->sh_size > UINT32_MAX)
        return;
    for (uint64_t at = 0; at < strings->sh_size; at += sizeof(piece) - (MAX_NAME_BYTES - 1)) {
        uint64_t rest = strings->sh_size - at;
        size_t num = rest < sizeof(piece) ? (size_t)rest : sizeof(piece);
        if (strings->sh_offset > INT64_MAX - at ||
            !rch_elf_read(&sections->source, strings->sh_offset + at, piece, num))
            return;
        for (const char *hit = piece;
             (hit = memmem(hit, num - (size_t)(hit - piece), name, name_bytes)); hit++) {
            uint32_t place = (uint32_t)(at + (uint64_t)(hit - piece));
            if (!is_spelling(spellings, place) && spellings->num < MAX_SPELLINGS)
                spellings->at[spellings->num++] = place;
        }
    }
}

static bool is_defined(const Elf64_Sym *symbol)
{
    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_TYPE(symbol->st_info) != STT_TLS;
}

static bool symbol_in_table(const struct sections *sections, const Elf64_Shdr *table,
                            const char *name, Elf64_Sym *found)
{
    Elf64_Sym piece[PIECE_BYTES / sizeof(Elf64_Sym)];
    Elf64_Shdr strings;
    struct spellings spellings;
    if (table->sh_entsize != sizeof(Elf64_Sym) || !section_at(sections, table->sh_link, &strings))
        return false;
    find_spellings(sections, &strings, name, &spellings);
    uint64_t num_left = spellings.num ? table->sh_size / sizeof(Elf64_Sym) : 0;
    for (uint64_t at = table->sh_offset; num_left > 0;) {
        size_t num = sizeof(piece) / sizeof(piece[0]);
        if (num > num_left)
            num = (size_t)num_left;
        if (at > INT64_MAX / 2 || !rch_elf_read(&sections->source, at, piece, num * sizeof(*piece)))
            return false;
        for (size_t i = 0; i < num; i++) {
            if (is_spelling(&spellings, piece[i].st_name) && is_defined(&piece[i])) {
                *found = piece[i];
                return true;
            }
        }
        at += num * sizeof(*piece);
        num_left -= num;
    }
    return false;
}

uint64_t rch_elf_file_symbol(int fd, const char *name, uint64_t *bytes_out)
{
    struct sections sections;
    Elf64_Shdr section;
    Elf64_Sym symbol;
    if (!open_sections(fd, &sections))
        return 0;
    uint32_t num_tables = 0;
    for (uint64_t i = 1; num_tables < MAX_SYMBOL_TABLES && section_at(&sections, i, &section);
         i++) {
        if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB)
            continue;
        num_tables++;
        if (!symbol_in_table(&sections, &section, name, &symbol))
            continue;
        if (bytes_out)
            *bytes_out = symbol.st_size;
        return symbol.st_value;
    }
    return 0;
}
