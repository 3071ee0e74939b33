// SPDX-License-Identifier: MIT
// target/core_notes.c -- the notes of a core file: threads and their registers, pid and name, the
// auxiliary vector, which files were mapped where. A note that lies about its size ends the
// reading; what came before it counts.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <elf.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/reg.h>

#include "target/core_impl.h"

#define END_ADDR (UINT64_C(1) << RCH_TARGET_ADDR_BITS)
#define DELETED " (deleted)"
#define LAST_SYSCALL 4095  // what else may stand in orig_rax is negative: of an interrupt

struct note {
    uint32_t type;
    const uint8_t *desc;
    size_t num_bytes;
};

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static enum rch_status add_thread(struct rch_core *core, const struct note *note,
                                  struct rch_error *err)
{
    struct elf_prstatus status;
    if (note->num_bytes < sizeof(status))
        return RCH_OK;
    memcpy(&status, note->desc, sizeof(status));
    const elf_greg_t *reg = status.pr_reg;
    struct rch_os_thread thread = {
        .tid = (uint32_t)status.pr_pid,
        .state = '?',
        .was_stopped = true,
        .has_registers = true,
        .syscall = reg[ORIG_RAX] <= LAST_SYSCALL ? (int64_t)reg[ORIG_RAX] : -1,
        .args = {reg[RDI], reg[RSI], reg[RDX], reg[R10], reg[R8], reg[R9]},
        .pc = reg[RIP],
        .sp = reg[RSP],
    };
    return rch_vec_append(&core->threads, &thread, 1, err);
}

static void read_process(struct rch_core *core, const struct note *note)
{
    struct elf_prpsinfo info;
    if (note->num_bytes < sizeof(info))
        return;
    memcpy(&info, note->desc, sizeof(info));
    core->pid = (uint32_t)info.pr_pid;
    memcpy(core->name, info.pr_fname, sizeof(core->name) - 1);
}

static void read_auxv(struct rch_core *core, const struct note *note)
{
    for (size_t at = 0; note->num_bytes - at >= 16; at += 16) {
        uint64_t type = word_at(note->desc + at), value = word_at(note->desc + at + 8);
        switch (type) {
        case AT_NULL: return;
        case AT_PHDR: core->program_headers = value; break;
        case AT_ENTRY: core->entry = value; break;
        case AT_SYSINFO_EHDR: core->vdso = value; break;
        case AT_RANDOM: core->random = value; break;
        default: break;
        }
    }
}

// --- NT_FILE: a count, the unit of offsets, so many of (start, end, offset), so many paths ---

static enum rch_status add_file(struct rch_core *core, const uint8_t *row, uint64_t unit,
                                const char *path, size_t path_bytes, bool *is_sane,
                                struct rch_error *err)
{
    struct rch_core_file file = {.start = word_at(row), .end = word_at(row + 8)};
    size_t deleted_bytes = strlen(DELETED);
    *is_sane = file.start < file.end && (file.start | file.end) % RCH_CORE_PAGE == 0 &&
               !__builtin_mul_overflow(word_at(row + 16), unit, &file.offset) &&
               file.offset <= INT64_MAX - (file.end - file.start);
    if (!*is_sane || file.end > END_ADDR)
        return RCH_OK;
    if (path_bytes > deleted_bytes &&
        memcmp(path + path_bytes - deleted_bytes, DELETED, deleted_bytes) == 0) {
        file.is_deleted = true;
        path_bytes -= deleted_bytes;
    }
    file.path = rch_arena_copy(&core->arena, path, path_bytes);
    if (!file.path)
        return rch_fail(err, RCH_ENOMEM, "names of mapped files");
    return rch_vec_append(&core->files, &file, 1, err);
}

static enum rch_status read_files(struct rch_core *core, const struct note *note, bool *is_sane,
                                  struct rch_error *err)
{
    *is_sane = note->num_bytes >= 16;
    if (!*is_sane)
        return RCH_OK;
    uint64_t num = word_at(note->desc), unit = word_at(note->desc + 8);
    *is_sane = num <= (note->num_bytes - 16) / 24;
    if (!*is_sane)
        return RCH_OK;
    const uint8_t *row = note->desc + 16;
    const char *path = (const char *)row + num * 24;
    const char *end = (const char *)note->desc + note->num_bytes;
    for (uint64_t i = 0; i < num && *is_sane; i++, row += 24) {
        const char *path_end = memchr(path, '\0', (size_t)(end - path));
        *is_sane = path_end != NULL;
        if (!path_end)
            break;
        RCH_TRY(add_file(core, row, unit, path, (size_t)(path_end - path), is_sane, err));
        path = path_end + 1;
    }
    return RCH_OK;
}

// --- all of them ---

static enum rch_status take_note(struct rch_core *core, const struct note *note, bool *is_sane,
                                 struct rch_error *err)
{
    *is_sane = true;
    switch (note->type) {
    case NT_PRSTATUS: return add_thread(core, note, err);
    case NT_PRPSINFO: read_process(core, note); return RCH_OK;
    case NT_AUXV: read_auxv(core, note); return RCH_OK;
    case NT_FILE: return read_files(core, note, is_sane, err);
    default: return RCH_OK;
    }
}

static size_t padded(size_t num_bytes)
{
    return (num_bytes + 3) & ~(size_t)3;
}

enum rch_status rch_core_read_notes(struct rch_core *core, const uint8_t *bytes, size_t num_bytes,
                                    uint64_t offset, struct rch_error *err)
{
    size_t at = 0;
    bool is_sane = true;
    while (is_sane && num_bytes - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr header;
        memcpy(&header, bytes + at, sizeof(header));
        size_t name_at = at + sizeof(header), left = num_bytes - name_at;
        size_t name_bytes = padded(header.n_namesz);
        is_sane = name_bytes <= left && header.n_descsz <= left - name_bytes;
        if (!is_sane)
            break;
        struct note note = {header.n_type, bytes + name_at + name_bytes, header.n_descsz};
        if (header.n_namesz == 5 && memcmp(bytes + name_at, "CORE", 5) == 0)
            RCH_TRY(take_note(core, &note, &is_sane, err));
        left -= name_bytes;
        if (is_sane)
            at = padded(header.n_descsz) < left ? name_at + name_bytes + padded(header.n_descsz)
                                                : num_bytes;
    }
    if (!is_sane && !core->damaged_note_at)
        core->damaged_note_at = offset + at;
    return RCH_OK;
}
