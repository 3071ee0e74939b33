// SPDX-License-Identifier: MIT
// target/elf.c -- symbols and sections of a module. The dynamic symbols are looked up in memory as the
// dynamic linker does, by hash, so neither the file nor its section headers are needed; what
// the linker does not see comes from the file.
#include <unistd.h>

#include "target/elf_impl.h"

#define MAX_DYNAMIC 256u      // entries of the dynamic section
#define MAX_CHAIN 65536u      // symbols that share a hash bucket
#define MAX_NAME_BYTES 64u

struct dynamic {
    struct rch_target target;  // a copy: its count of failed reads is ours
    uint64_t symbols, strings, strings_bytes;
    uint64_t hash, gnu_hash;
};

// glibc has replaced the addresses in the dynamic section by those in memory, musl has not.
static uint64_t in_memory(const struct rch_image *image, const struct rch_module *module,
                          uint64_t addr)
{
    uint64_t start = image->maps[module->first_map].start;
    uint64_t end = image->maps[module->first_map + module->num_maps - 1].end;
    return addr == 0 || (addr >= start && addr < end) ? addr : addr + module->bias;
}

static bool read_dynamic(const struct rch_image *image, const struct rch_module *module,
                         uint64_t addr, uint64_t num, struct dynamic *dynamic)
{
    for (uint64_t i = 0; i < num && i < MAX_DYNAMIC; i++) {
        Elf64_Dyn row;
        if (!rch_target_read(&dynamic->target, addr + i * sizeof(row), &row, sizeof(row)))
            return false;
        uint64_t value = row.d_un.d_val;
        switch (row.d_tag) {
        case DT_NULL: return dynamic->symbols && dynamic->strings;
        case DT_SYMTAB: dynamic->symbols = in_memory(image, module, value); break;
        case DT_STRTAB: dynamic->strings = in_memory(image, module, value); break;
        case DT_STRSZ: dynamic->strings_bytes = value; break;
        case DT_HASH: dynamic->hash = in_memory(image, module, value); break;
        case DT_GNU_HASH: dynamic->gnu_hash = in_memory(image, module, value); break;
        default: break;
        }
    }
    return dynamic->symbols && dynamic->strings;
}

static bool find_dynamic(const struct rch_image *image, const struct rch_module *module,
                         struct dynamic *dynamic)
{
    struct rch_elf_head head;
    *dynamic = (struct dynamic){.target = image->target};
    const struct rch_map *map = &image->maps[module->first_map];
    struct rch_elf_source source = {.target = &dynamic->target, .start = map->start};
    if (module->is_32_bit || map->offset != 0 || !rch_elf_read_head(&source, &head))
        return false;
    for (uint32_t i = 0; i < head.num_segments; i++) {
        const Elf64_Phdr *segment = &head.segments[i];
        if (segment->p_type == PT_DYNAMIC)
            return read_dynamic(image, module, segment->p_vaddr + module->bias,
                                segment->p_memsz / sizeof(Elf64_Dyn), dynamic);
    }
    return false;
}

// Is symbol number i defined here, under this name?
static bool is_symbol(struct dynamic *dynamic, uint64_t i, const char *name, Elf64_Sym *symbol)
{
    char text[MAX_NAME_BYTES];
    size_t num_bytes = strlen(name) + 1;
    return num_bytes <= sizeof(text) &&
           rch_target_read(&dynamic->target, dynamic->symbols + i * sizeof(*symbol), symbol,
                           sizeof(*symbol)) &&
           symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_TYPE(symbol->st_info) != STT_TLS && symbol->st_name < dynamic->strings_bytes &&
           rch_target_read(&dynamic->target, dynamic->strings + symbol->st_name, text, num_bytes) &&
           memcmp(text, name, num_bytes) == 0;
}

// DT_GNU_HASH: {buckets, first hashed symbol, words of the filter, its shift}, the filter, the
// buckets, and a hash for each symbol, whose low bit ends a bucket's run.
static bool by_gnu_hash(struct dynamic *dynamic, const char *name, Elf64_Sym *symbol)
{
    uint32_t head[4], hash = 5381;
    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (!rch_target_read(&dynamic->target, dynamic->gnu_hash, head, sizeof(head)) || head[0] == 0)
        return false;
    uint64_t buckets = dynamic->gnu_hash + sizeof(head) + 8 * (uint64_t)head[2];
    uint64_t hashes = buckets + 4 * (uint64_t)head[0];
    uint64_t i = rch_load32(&dynamic->target, buckets + 4 * (uint64_t)(hash % head[0]));
    if (i < head[1])
        return false;
    for (uint32_t steps = 0; steps < MAX_CHAIN; steps++, i++) {
        uint32_t other;
        if (!rch_target_read(&dynamic->target, hashes + 4 * (i - head[1]), &other, sizeof(other)))
            return false;
        if ((other | 1) == (hash | 1) && is_symbol(dynamic, i, name, symbol))
            return true;
        if (other & 1)
            return false;
    }
    return false;
}

// DT_HASH: {buckets, symbols}, the buckets, and for each symbol the next of its bucket; 0 ends.
static bool by_hash(struct dynamic *dynamic, const char *name, Elf64_Sym *symbol)
{
    uint32_t head[2], hash = 0;
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (unsigned char)*c;
        hash ^= hash >> 24 & 0xf0;
        hash &= 0x0fffffff;
    }
    if (!rch_target_read(&dynamic->target, dynamic->hash, head, sizeof(head)) || head[0] == 0)
        return false;
    uint64_t buckets = dynamic->hash + sizeof(head), chains = buckets + 4 * (uint64_t)head[0];
    uint64_t i = rch_load32(&dynamic->target, buckets + 4 * (uint64_t)(hash % head[0]));
    for (uint32_t steps = 0; i != 0 && i < head[1] && steps < MAX_CHAIN; steps++) {
        if (is_symbol(dynamic, i, name, symbol))
            return true;
        i = rch_load32(&dynamic->target, chains + 4 * i);
    }
    return false;
}

uint64_t rch_module_dynamic_symbol(const struct rch_image *image, const struct rch_module *module,
                                   const char *name, uint64_t *bytes_out)
{
    struct dynamic dynamic;
    Elf64_Sym symbol;
    if (!find_dynamic(image, module, &dynamic) ||
        !(dynamic.gnu_hash ? by_gnu_hash(&dynamic, name, &symbol)
                           : dynamic.hash && by_hash(&dynamic, name, &symbol)))
        return 0;
    if (bytes_out)
        *bytes_out = symbol.st_size;
    return symbol.st_value + module->bias;
}

typedef uint64_t look_up_in_file(int fd, const char *name, uint64_t *bytes_out);

static uint64_t in_file(const struct rch_image *image, const struct rch_module *module,
                        const char *name, uint64_t *bytes_out, look_up_in_file *look_up)
{
    if (!module->has_file || module->is_32_bit)
        return 0;
    int fd = rch_image_open_file(image, &image->maps[module->first_map]);
    if (fd < 0)
        return 0;
    uint64_t value = look_up(fd, name, bytes_out);
    close(fd);
    return value ? value + module->bias : 0;
}

uint64_t rch_module_symbol(const struct rch_image *image, const struct rch_module *module,
                           const char *name, uint64_t *bytes_out)
{
    uint64_t addr = rch_module_dynamic_symbol(image, module, name, bytes_out);
    return addr ? addr : in_file(image, module, name, bytes_out, rch_elf_file_symbol);
}

uint64_t rch_module_section(const struct rch_image *image, const struct rch_module *module,
                            const char *name, uint64_t *bytes_out)
{
    return in_file(image, module, name, bytes_out, rch_elf_file_section);
}
