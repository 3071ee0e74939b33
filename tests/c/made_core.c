// SPDX-License-Identifier: MIT
// tests/c/made_core.c -- see made_core.h. Headers, notes and contents are put one after the other.
#define _GNU_SOURCE
#include "made_core.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/reg.h>
#include <zlib.h>
#include <zstd.h>

#include "support.h"

uint8_t made_byte(uint64_t addr)
{
    if (addr / MADE_PAGE % 8 == 7)
        return 0;
    return (uint8_t)(addr * UINT64_C(0x9e3779b97f4a7c15) >> 56 | 1);
}

static size_t append(struct made_bytes *bytes, const void *mem, size_t num)
{
    size_t at = bytes->num;
    if (num == 0)
        return at;
    bytes->mem = realloc(bytes->mem, at + num);
    assert_non_null(bytes->mem);
    if (mem)
        memcpy(bytes->mem + at, mem, num);
    else
        memset(bytes->mem + at, 0, num);
    bytes->num += num;
    return at;
}

static void pad_to(struct made_bytes *bytes, size_t multiple)
{
    append(bytes, NULL, (multiple - bytes->num % multiple) % multiple);
}

// --- notes ---

static void append_note(struct made_bytes *notes, uint32_t type, const void *desc, size_t num)
{
    Elf64_Nhdr header = {.n_namesz = 5, .n_descsz = (uint32_t)num, .n_type = type};
    append(notes, &header, sizeof(header));
    append(notes, "CORE\0\0\0", 8);
    append(notes, desc, num);
    pad_to(notes, 4);
}

static void append_thread(struct made_bytes *notes, uint32_t tid)
{
    struct elf_prstatus status = {.pr_pid = (pid_t)tid};
    for (unsigned i = 0; i < ELF_NGREG; i++)
        status.pr_reg[i] = 0x1000 * tid + i;
    status.pr_reg[ORIG_RAX] = tid % 2 ? (uint64_t)-1 : 232;
    append_note(notes, NT_PRSTATUS, &status, sizeof(status));
}

static void append_files(struct made_bytes *notes, const struct made_plan *plan)
{
    struct made_bytes desc = {0};
    append(&desc, &(uint64_t){plan->num_files}, 8);
    append(&desc, &(uint64_t){MADE_PAGE}, 8);
    for (size_t i = 0; i < plan->num_files; i++)
        append(&desc, &plan->files[i], 24);
    for (size_t i = 0; i < plan->num_files; i++)
        append(&desc, plan->files[i].path, strlen(plan->files[i].path) + 1);
    append_note(notes, NT_FILE, desc.mem, desc.num);
    free(desc.mem);
}

static struct made_bytes make_notes(const struct made_plan *plan)
{
    struct made_bytes notes = {0};
    struct elf_prpsinfo info = {.pr_sname = 'S', .pr_pid = (pid_t)plan->pid, .pr_fname = "made-up"};
    uint64_t auxv[][2] = {{AT_PHDR, plan->program_headers},
                          {AT_SYSINFO_EHDR, plan->vdso},
                          {AT_RANDOM, plan->random},
                          {AT_NULL, 0}};
    for (uint32_t i = 0; i < plan->num_threads; i++) {
        append_thread(&notes, plan->pid + i);
        if (i == 0) {
            append_note(&notes, NT_PRPSINFO, &info, sizeof(info));
            append_note(&notes, NT_AUXV, auxv, sizeof(auxv));
            append_files(&notes, plan);
        }
    }
    return notes;
}

// --- the core ---

static void append_contents(struct made_bytes *file, const struct made_segment *segment)
{
    size_t at = append(file, segment->bytes, segment->file_bytes);
    for (size_t i = 0; i < segment->file_bytes && !segment->bytes; i++)
        file->mem[at + i] = made_byte(segment->start + i);
}

static void put_header(struct made_core *core, const struct made_plan *plan, size_t counts_at)
{
    size_t num = plan->num_segments + 1;
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = core->headers_at,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)(num < PN_XNUM ? num : PN_XNUM),
        .e_shoff = counts_at,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = counts_at ? 1 : 0,
    };
    memcpy(core->file.mem, &header, sizeof(header));
}

static void put_headers(struct made_core *core, const struct made_plan *plan)
{
    size_t at = core->headers_at, offset = core->contents_at;
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = core->notes_at, .p_filesz = core->notes_num};
    memcpy(core->file.mem + at, &note, sizeof(note));
    for (size_t i = 0; i < plan->num_segments; i++) {
        const struct made_segment *segment = &plan->segments[i];
        Elf64_Phdr header = {
            .p_type = PT_LOAD,
            .p_flags = segment->flags,
            .p_offset = offset,
            .p_vaddr = segment->start,
            .p_filesz = segment->file_bytes,
            .p_memsz = segment->end - segment->start,
            .p_align = MADE_PAGE,
        };
        at += sizeof(header);
        memcpy(core->file.mem + at, &header, sizeof(header));
        offset += segment->file_bytes;
    }
}

struct made_core make_core(const struct made_plan *plan)
{
    struct made_core core = {.headers_at = sizeof(Elf64_Ehdr)};
    struct made_bytes notes = make_notes(plan);
    size_t counts_at = 0, headers_num = (plan->num_segments + 1) * sizeof(Elf64_Phdr);
    append(&core.file, NULL, sizeof(Elf64_Ehdr));
    if (!plan->has_headers_last)
        append(&core.file, NULL, headers_num);
    if (!plan->has_notes_last)
        core.notes_at = append(&core.file, notes.mem, notes.num);
    core.notes_num = notes.num;
    pad_to(&core.file, MADE_PAGE);
    append(&core.file, NULL, plan->skew);
    core.contents_at = core.file.num;
    for (size_t i = 0; i < plan->num_segments; i++)
        append_contents(&core.file, &plan->segments[i]);
    if (plan->has_notes_last)
        core.notes_at = append(&core.file, notes.mem, notes.num);
    if (plan->has_headers_last)
        core.headers_at = append(&core.file, NULL, headers_num);
    if (plan->num_segments + 1 >= PN_XNUM && !plan->has_no_count) {
        Elf64_Shdr counts = {.sh_info = (uint32_t)plan->num_segments + 1};
        counts_at = append(&core.file, &counts, sizeof(counts));
    }
    put_header(&core, plan, counts_at);
    put_headers(&core, plan);
    free(notes.mem);
    return core;
}

struct made_bytes make_library(size_t num_pages, uint8_t build_id)
{
    struct made_bytes file = {0};
    Elf64_Nhdr note = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID};
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = build_id ? 2 : 1,
    };
    Elf64_Phdr load = {.p_type = PT_LOAD, .p_filesz = num_pages * MADE_PAGE, .p_align = MADE_PAGE};
    size_t note_at = sizeof(header) + 2 * sizeof(load);
    load.p_memsz = load.p_filesz;
    Elf64_Phdr notes = {.p_type = PT_NOTE, .p_offset = note_at, .p_vaddr = note_at, .p_filesz = 36};
    append(&file, &header, sizeof(header));
    append(&file, &load, sizeof(load));
    append(&file, &notes, sizeof(notes));
    if (build_id) {
        append(&file, &note, sizeof(note));
        append(&file, "GNU", 4);
        size_t id_at = append(&file, NULL, 20);
        memset(file.mem + id_at, build_id, 20);
    }
    for (size_t at = append(&file, NULL, num_pages * MADE_PAGE - file.num); at < file.num; at++)
        file.mem[at] = (uint8_t)(at * 31 >> 3 | 1);
    return file;
}

// --- compressed ---

static void append_gzip(struct made_bytes *packed, const uint8_t *mem, size_t num)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, num), at = append(packed, NULL, bound);
    z.next_in = (Bytef *)(uintptr_t)mem;
    z.avail_in = (uInt)num;
    z.next_out = packed->mem + at;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed->num -= z.avail_out;
    deflateEnd(&z);
}

static void append_zstd(struct made_bytes *packed, const uint8_t *mem, size_t num)
{
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    size_t bound = ZSTD_compressBound(num), at = append(packed, NULL, bound);
    size_t used = ZSTD_compress(packed->mem + at, bound, mem, num, 3);
    assert_false(ZSTD_isError(used));
    packed->num -= bound - used;
    append(packed, skippable, sizeof(skippable));
}

static struct made_bytes pack(struct made_bytes bytes, size_t num_parts,
                              void (*append_part)(struct made_bytes *, const uint8_t *, size_t))
{
    struct made_bytes packed = {0};
    for (size_t i = 0, at = 0; i < num_parts; i++) {
        size_t end = bytes.num * (i + 1) / num_parts;
        append_part(&packed, bytes.mem + at, end - at);
        at = end;
    }
    return packed;
}

struct made_bytes pack_gzip(struct made_bytes bytes, size_t num_members)
{
    return pack(bytes, num_members, append_gzip);
}

struct made_bytes pack_zstd(struct made_bytes bytes, size_t num_frames)
{
    return pack(bytes, num_frames, append_zstd);
}
