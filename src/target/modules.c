// SPDX-License-Identifier: MIT
// target/modules.c -- which programs and libraries an image has: runs of maps of one file whose
// first page is an ELF header and whose segments are where that header puts them.
#include <unistd.h>

#include "base/vec.h"
#include "target/elf_impl.h"

#define MAX_MODULES 65536u
#define MAX_MAPS 4096u  // of one module

struct finder {
    const struct rch_image *image;
    struct rch_target target;
    struct rch_elf_head head;  // of the module at hand
};

static bool is_live(const struct finder *finder)
{
    return finder->image->kind == RCH_IMAGE_LIVE;
}

static bool is_same_file(const struct rch_map *a, const struct rch_map *b)
{
    return a->inode == b->inode && a->dev == b->dev && strcmp(a->path, b->path) == 0;
}

static uint64_t page_of(uint64_t addr)
{
    return addr - addr % 4096;
}

static bool is_segment_mapped(const struct finder *finder, const struct rch_map *first,
                              uint64_t bias, const Elf64_Phdr *segment)
{
    uint64_t addr = page_of(segment->p_vaddr + bias);
    const struct rch_map *map = rch_image_map_at(finder->image, addr);
    return map && is_same_file(map, first) &&
           map->offset + (addr - map->start) == page_of(segment->p_offset);
}

// A file that was only mapped to be read (by a linker, say) has no segments in place. Text may have been
// moved to huge pages, so not all have to be.
static bool is_loaded(const struct finder *finder, const struct rch_map *first, uint64_t bias)
{
    uint32_t num = 0, num_mapped = 0;
    for (uint32_t i = 0; i < finder->head.num_segments; i++) {
        const Elf64_Phdr *segment = &finder->head.segments[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz == 0)
            continue;
        num++;
        num_mapped += is_segment_mapped(finder, first, bias, segment);
    }
    return num > 0 && (num == 1 || 2 * num_mapped > num);
}

static uint64_t end_of_segments(const struct finder *finder, uint64_t bias)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < finder->head.num_segments; i++) {
        const Elf64_Phdr *segment = &finder->head.segments[i];
        if (segment->p_type == PT_LOAD && segment->p_vaddr + segment->p_memsz + bias > end)
            end = segment->p_vaddr + segment->p_memsz + bias;
    }
    return end;
}

// The last map of the file that starts below `end`, after number `first`; other memory in between
// may be anonymous only.
static size_t last_map_of(const struct rch_image *image, size_t first, uint64_t end)
{
    size_t last = first;
    for (size_t i = first + 1; i < image->num_maps && i - first < MAX_MAPS; i++) {
        if (image->maps[i].start >= end)
            break;
        if (is_same_file(&image->maps[i], &image->maps[first]))
            last = i;
        else if (image->maps[i].path[0] == '/')
            break;
    }
    return last;
}

// Could a module start here? Its file is opened only then.
static bool may_start(struct finder *finder, const struct rch_map *map)
{
    unsigned char magic[SELFMAG];
    if (map->path[0] != '/' || (map->offset != 0 && !(map->flags & RCH_MAP_EXEC)))
        return false;
    return is_live(finder) || map->offset != 0 ||
           !rch_target_read(&finder->target, map->start, magic, sizeof(magic)) ||
           memcmp(magic, ELFMAG, sizeof(magic)) == 0;
}

// Header and build id. The file of a live process is surely the one mapped, and quicker to read; for
// a core it is memory that tells, and the file only if that is missing.
static bool read_head(struct finder *finder, const struct rch_map *map, int fd,
                      struct rch_module *module)
{
    const struct rch_elf_source memory = {.target = &finder->target, .start = map->start};
    const struct rch_elf_source file = {.fd = fd};
    const uint64_t map_bytes = map->end - map->start;
    struct rch_elf_head *head = &finder->head;
    bool is_in_memory =
        map->offset == 0 && !(is_live(finder) && fd >= 0) && rch_elf_read_head(&memory, head);
    if (!is_in_memory && (fd < 0 || !rch_elf_read_head(&file, head)))
        return false;
    if (is_in_memory)
        module->build_id_bytes = rch_elf_build_id(&memory, head, map_bytes, module->build_id);
    if (module->build_id_bytes == 0 && fd >= 0)
        module->build_id_bytes = rch_elf_file_build_id(fd, module->build_id);
    return true;
}

// Is this the first map of a module? Fills it in.
static bool find_module(struct finder *finder, size_t first, struct rch_module *module)
{
    const struct rch_image *image = finder->image;
    const struct rch_map *map = &image->maps[first];
    uint64_t vaddr;
    if (!may_start(finder, map))
        return false;
    int fd = rch_image_open_file(image, map);
    *module = (struct rch_module){.path = map->path, .first_map = first, .has_file = fd >= 0};
    bool is_elf = read_head(finder, map, fd, module);
    if (fd >= 0)
        close(fd);
    if (!is_elf)
        return false;
    module->is_32_bit = finder->head.is_32_bit;
    if (module->is_32_bit) {  // no more is asked about these
        module->num_maps = last_map_of(image, first, UINT32_MAX) - first + 1;
        return true;
    }
    if (!rch_elf_vaddr_of_page(&finder->head, map->offset, &vaddr))
        return false;
    module->bias = map->start - vaddr;
    module->num_maps = last_map_of(image, first, end_of_segments(finder, module->bias)) - first + 1;
    return is_loaded(finder, map, module->bias);
}

enum rch_status rch_modules_init(struct rch_modules *modules, const struct rch_image *image,
                                 const struct rch_alloc *alloc, struct rch_error *err)
{
    struct finder finder = {.image = image, .target = image->target};
    RCH_VEC(found, alloc, struct rch_module);
    *modules = (struct rch_modules){.alloc = alloc};
    for (size_t i = 0; i < image->num_maps && found.num < MAX_MODULES; i++) {
        struct rch_module module;
        if (!find_module(&finder, i, &module))
            continue;
        RCH_TRY(rch_vec_append(&found, &module, 1, err));
        i += module.num_maps - 1;
    }
    modules->num = found.num;
    modules->items = rch_calloc(alloc, found.num, sizeof(struct rch_module));
    if (!modules->items) {
        modules->num = 0;
        return rch_fail(err, RCH_ENOMEM, "modules of a process");
    }
    if (found.num > 0)
        memcpy(modules->items, found.mem, found.num * sizeof(struct rch_module));
    return RCH_OK;
}

void rch_modules_deinit(struct rch_modules *modules)
{
    rch_free(modules->alloc, modules->items, modules->num, sizeof(struct rch_module));
    *modules = (struct rch_modules){.alloc = modules->alloc};
}
