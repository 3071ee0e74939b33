// SPDX-License-Identifier: MIT
// tests/c/fake_python.c -- see fake_python.h.
#include "fake_python.h"

#include <elf.h>
#include <stdlib.h>

#define NUM_SYMBOLS 6u  // with the empty one
#define NUM_BUCKETS 2u
#define NUM_STATIC_TYPES 32u

enum {  // places in the ELF segment
    AT_SEGMENTS = sizeof(Elf64_Ehdr),
    AT_NOTE = 0x400,
    AT_DYNAMIC = 0x500,
    AT_SYMBOLS = 0x800,
    AT_STRINGS = 0xa00,
    AT_HASH = 0xc00,
    AT_VERSION = 0x3000,
};

static uint8_t *at(struct fake_python *python, uint64_t addr, size_t num_bytes)
{
    for (size_t i = 0; i < python->fake.num_segments; i++) {
        const struct rch_fake_segment *segment = &python->segments[i];
        if (addr >= segment->addr && addr + num_bytes <= segment->addr + segment->num_bytes)
            return python->bytes + ((const uint8_t *)segment->bytes - python->bytes) +
                   (addr - segment->addr);
    }
    abort();
}

void fake_put(struct fake_python *python, uint64_t addr, int32_t offset, uint64_t value,
              size_t num_bytes)
{
    if (offset != RCH_ABSENT)
        memcpy(at(python, addr + (uint64_t)(int64_t)offset, num_bytes), &value, num_bytes);
}

void fake_put64(struct fake_python *python, uint64_t addr, int32_t offset, uint64_t value)
{
    fake_put(python, addr, offset, value, 8);
}

static void put_bytes(struct fake_python *python, uint64_t addr, const void *bytes, size_t num)
{
    memcpy(at(python, addr, num), bytes, num);
}

// --- objects --------------------------------------------------------------------------------------

// With room for a GC head before it.
static uint64_t new_block(struct fake_python *python, size_t num_bytes)
{
    uint64_t addr = python->next + 64;
    python->next = (addr + num_bytes + 63) / 64 * 64;
    if (python->next > FAKE_HEAP + FAKE_HEAP_BYTES)
        abort();
    return addr;
}

static uint64_t new_object(struct fake_python *python, uint64_t type, size_t num_bytes)
{
    uint64_t obj = new_block(python, num_bytes);
    fake_put64(python, obj, python->layout->object_type, type);
    return obj;
}

uint64_t fake_str(struct fake_python *python, const char *text)
{
    const struct rch_layout *layout = python->layout;
    uint64_t obj = new_object(python, python->str_type, 128);
    fake_put64(python, obj, layout->str_length, strlen(text));
    fake_put(
        python, obj, layout->str_state,
        (uint64_t)(layout->str_compact_bit | layout->str_ascii_bit | 1 << layout->str_kind_shift),
        4);
    put_bytes(python, obj + (uint64_t)layout->str_ascii_data, text, strlen(text) + 1);
    return obj;
}

uint64_t fake_int(struct fake_python *python, uint32_t value)
{
    uint64_t obj = new_object(python, python->int_type, 32);
    fake_put64(python, obj, python->layout->long_size_or_tag,
               UINT64_C(1) << python->layout->long_tag_shift);
    fake_put(python, obj, python->layout->long_digits, value, 4);
    return obj;
}

uint64_t fake_dict(struct fake_python *python, uint32_t num, const uint64_t *keys,
                   const uint64_t *values)
{
    const struct rch_layout *layout = python->layout;
    uint64_t obj = new_object(python, python->dict_type, 64), table = new_block(python, 320);
    bool is_new = layout->keys_kind != RCH_ABSENT;
    int32_t key = is_new ? layout->unicode_entry_key : layout->entry_key;
    int32_t value = is_new ? layout->unicode_entry_value : layout->entry_value;
    int32_t entry_bytes = is_new ? layout->unicode_entry_size : layout->entry_size;
    fake_put64(python, obj, layout->dict_used, num);
    fake_put64(python, obj, layout->dict_keys, table);
    fake_put64(python, table, layout->keys_nentries, num);
    fake_put(python, table, layout->keys_kind, (uint64_t)layout->keys_unicode, 1);
    fake_put(python, table, layout->keys_log2_index_bytes, 3, 1);
    fake_put64(python, table, layout->keys_size, 8);
    for (uint32_t i = 0; i < num; i++) {
        uint64_t entry = table + (uint64_t)layout->keys_indices + 8 + i * (uint64_t)entry_bytes;
        fake_put64(python, entry, key, keys[i]);
        fake_put64(python, entry, value, values[i]);
    }
    return obj;
}

static void fill_type(struct fake_python *python, uint64_t type, const char *name, uint64_t flags)
{
    const struct rch_layout *layout = python->layout;
    uint64_t text = new_block(python, strlen(name) + 1);
    put_bytes(python, text, name, strlen(name) + 1);
    fake_put64(python, type, layout->object_type, python->type_type);
    fake_put64(python, type, layout->type_name, text);
    fake_put64(python, type, layout->type_flags, flags | 1u << 12);
}

static uint64_t new_type(struct fake_python *python, const char *name)
{
    uint64_t type = new_block(python, (size_t)python->layout->heaptype_size);
    fill_type(python, type, name, 0);
    return type;
}

uint64_t fake_class(struct fake_python *python, const char *name, uint64_t traverse)
{
    uint64_t type = new_type(python, name);
    fake_put64(python, type, python->layout->type_flags, 1u << 12 | 1u << 9 | 1u << 14);
    fake_put64(python, type, python->layout->type_traverse, traverse);
    return type;
}

static void put_types(struct fake_python *python)
{
    const struct rch_layout *layout = python->layout;
    python->type_type = new_block(python, (size_t)layout->heaptype_size);
    python->object_type = new_type(python, "object");
    fill_type(python, python->type_type, "type", UINT64_C(1) << 31);
    python->dict_type = new_type(python, "dict");
    python->str_type = new_type(python, "str");
    python->int_type = new_type(python, "int");
    python->module_type = new_type(python, "module");
    python->none_type = new_type(python, "NoneType");
    python->none = new_object(python, python->none_type, 16);
    fake_put64(python, python->type_type, layout->type_basicsize, (uint64_t)layout->heaptype_size);
    fake_put64(python, python->type_type, layout->type_base, python->object_type);
    fake_put64(python, python->type_type, layout->type_traverse, FAKE_CODE + 0x100);
    uint64_t mro = new_object(python, python->type_type, 64);
    fake_put64(python, python->type_type, layout->type_mro, mro);
    fake_put64(python, mro, layout->var_size, 2);
    fake_put64(python, mro, layout->tuple_items, python->type_type);
    fake_put64(python, mro, layout->tuple_items + 8, python->object_type);
}

// --- the interpreter ------------------------------------------------------------------------------

static uint32_t hexversion(const struct rch_layout *layout)
{
    return (uint32_t)layout->py_major << 24 | (uint32_t)layout->py_minor << 16 | 4u << 8 | 0xf0u;
}

static uint64_t new_importlib(struct fake_python *python)
{
    python->subtype_traverse = FAKE_CODE + 0x200;
    const uint64_t keys[] = {fake_str(python, "ModuleSpec"), fake_str(python, "_ModuleLock"),
                             fake_str(python, "_io"), fake_str(python, "sys")};
    const uint64_t values[] = {fake_class(python, "ModuleSpec", python->subtype_traverse),
                               fake_class(python, "_ModuleLock", python->subtype_traverse),
                               fake_class(python, "_io", FAKE_CODE + 0x300), python->none};
    uint64_t module = new_object(python, python->module_type, 64);
    fake_put64(python, module, python->layout->module_dict, fake_dict(python, 4, keys, values));
    return module;
}

// A circular list of the head and these objects.
static void put_gc_list(struct fake_python *python, uint64_t head, uint32_t num,
                        const uint64_t *objects)
{
    uint64_t node = head;
    for (uint32_t i = 0; i < num; i++) {
        uint64_t next = objects[i] - (uint64_t)python->layout->gc_head_size;
        fake_put64(python, node, 0, next);
        fake_put64(python, next, python->layout->gc_prev, node);
        node = next;
    }
    fake_put64(python, node, 0, head);
    fake_put64(python, head, python->layout->gc_prev, node);
}

static void put_gc(struct fake_python *python)
{
    const struct rch_layout *layout = python->layout;
    const uint64_t objects[] = {python->sysdict, python->modules, python->builtins};
    if (layout->gc_generation0 == RCH_ABSENT)
        return;
    uint64_t gc = python->interp + (uint64_t)layout->interp_gc;
    for (int32_t i = 0; i < layout->gc_num_generations; i++)
        put_gc_list(python,
                    gc + (uint64_t)(layout->gc_generation0 + i * layout->gc_generation_size),
                    i == 0 ? 3 : 0, objects);
    put_gc_list(python, gc + (uint64_t)layout->gc_permanent, 0, objects);
}

// Enough of them that they are not searched for elsewhere.
static void put_static_types(struct fake_python *python)
{
    const struct rch_layout *layout = python->layout;
    if (layout->interp_static_types == RCH_ABSENT)
        return;
    fake_put64(python, python->interp, layout->interp_num_static_types, NUM_STATIC_TYPES);
    for (uint32_t i = 0; i < NUM_STATIC_TYPES; i++) {
        uint64_t type = new_type(python, "static");
        fake_put64(python, type, layout->type_subclasses, i + 1);
        fake_put64(python,
                   python->interp + (uint64_t)layout->interp_static_types +
                       i * (uint64_t)layout->static_type_state_size,
                   layout->static_type_type, type);
    }
}

static void put_interp(struct fake_python *python)
{
    const struct rch_layout *layout = python->layout;
    const uint64_t sys_keys[] = {fake_str(python, "path"), fake_str(python, "hexversion")};
    const uint64_t sys_values[] = {python->none, fake_int(python, hexversion(layout))};
    const uint64_t builtins_keys[] = {fake_str(python, "None")};
    python->sysdict = fake_dict(python, 2, sys_keys, sys_values);
    python->modules = fake_dict(python, 0, NULL, NULL);
    python->builtins = fake_dict(python, 1, builtins_keys, &python->none);
    uint64_t importlib = new_importlib(python);
    python->interp = new_block(python, 0x34000);
    uint64_t tstate = new_block(python, 512);
    fake_put64(python, python->interp, layout->interp_threads_head, tstate);
    fake_put64(python, tstate, layout->tstate_interp, python->interp);
    fake_put64(python, python->interp, layout->interp_sysdict, python->sysdict);
    fake_put64(python, python->interp, layout->interp_modules, python->modules);
    fake_put64(python, python->interp, layout->interp_builtins, python->builtins);
    fake_put64(python, python->interp, layout->interp_importlib, importlib);
    put_gc(python);
    put_static_types(python);
}

static void put_runtime(struct fake_python *python, uint32_t clues)
{
    const struct rch_layout *layout = python->layout;
    python->runtime = FAKE_DATA + 0x1000;
    fake_put64(python, python->runtime, layout->runtime_interpreters_head, python->interp);
    fake_put64(python, python->runtime, layout->runtime_main_interpreter, python->interp);
    if (clues & FAKE_COOKIE) {
        put_bytes(python, python->runtime, "xdebugpy", 8);
        fake_put64(python, python->runtime, 8, hexversion(layout));
        fake_put64(python, python->runtime, 16, (uint64_t)layout->is_free_threaded);
        // Offsets that say nothing: too large to be any.
        for (int32_t i = 24; i < layout->runtime_interpreters_head - 8; i += 8)
            fake_put64(python, python->runtime, i, UINT64_MAX);
    }
}

// --- the program ----------------------------------------------------------------------------------

static uint32_t hash_of(const char *name, bool is_gnu)
{
    uint32_t hash = is_gnu ? 5381 : 0;
    for (; *name; name++) {
        if (is_gnu) {
            hash = hash * 33 + (uint8_t)*name;
            continue;
        }
        hash = (hash << 4) + (uint8_t)*name;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    return hash;
}

struct symbol {
    const char *name;
    uint64_t addr, bytes;
};

// By bucket, as DT_GNU_HASH wants them.
static void sort_by_bucket(struct symbol *symbols)
{
    for (uint32_t i = 1; i < NUM_SYMBOLS; i++)
        for (uint32_t j = i; j > 1; j--) {
            struct symbol one = symbols[j - 1];
            if (hash_of(one.name, true) % NUM_BUCKETS <=
                hash_of(symbols[j].name, true) % NUM_BUCKETS)
                break;
            symbols[j - 1] = symbols[j];
            symbols[j] = one;
        }
}

static void put_gnu_hash(struct fake_python *python, const struct symbol *symbols)
{
    uint64_t table = FAKE_ELF + AT_HASH, buckets = table + 16 + 8,
             hashes = buckets + 4 * NUM_BUCKETS;
    fake_put(python, table, 0, NUM_BUCKETS, 4);
    fake_put(python, table, 4, 1, 4);  // first symbol
    fake_put(python, table, 8, 1, 4);  // words of the filter
    fake_put64(python, table, 16, UINT64_MAX);
    for (uint32_t i = NUM_SYMBOLS; i-- > 1;) {
        uint32_t hash = hash_of(symbols[i].name, true), bucket = hash % NUM_BUCKETS;
        bool is_last =
            i + 1 == NUM_SYMBOLS || hash_of(symbols[i + 1].name, true) % NUM_BUCKETS != bucket;
        fake_put(python, buckets, (int32_t)(4 * bucket), i, 4);
        fake_put(python, hashes, (int32_t)(4 * (i - 1)), (hash & ~1u) | is_last, 4);
    }
}

static void put_hash(struct fake_python *python, const struct symbol *symbols)
{
    uint64_t table = FAKE_ELF + AT_HASH, buckets = table + 8, chains = buckets + 4 * NUM_BUCKETS;
    uint32_t first[NUM_BUCKETS] = {0};
    fake_put(python, table, 0, NUM_BUCKETS, 4);
    fake_put(python, table, 4, NUM_SYMBOLS, 4);
    for (uint32_t i = 1; i < NUM_SYMBOLS; i++) {
        uint32_t bucket = hash_of(symbols[i].name, false) % NUM_BUCKETS;
        fake_put(python, chains, (int32_t)(4 * i), first[bucket], 4);
        first[bucket] = i;
        fake_put(python, buckets, (int32_t)(4 * bucket), i, 4);
    }
}

static void put_symbols(struct fake_python *python, uint32_t clues)
{
    const uint64_t none = python->none;
    bool is_python = !(clues & FAKE_NO_PYTHON);
    struct symbol symbols[NUM_SYMBOLS] = {
        {"", 0, 0},
        {"main", FAKE_CODE, 64},
        {is_python ? "_PyRuntime" : "runtime", FAKE_DATA + 0x1000, 4096},
        {is_python ? "Py_Version" : "version", FAKE_ELF + AT_VERSION, 8},
        {is_python ? "_Py_NoneStruct" : "none", none, 16},
        {"imported", 0, 0},
    };
    uint32_t text = 1;
    sort_by_bucket(symbols);
    for (uint32_t i = 1; i < NUM_SYMBOLS; i++) {
        Elf64_Sym row = {
            .st_name = text,
            .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
            .st_shndx = symbols[i].addr ? 1 : SHN_UNDEF,
            .st_value = symbols[i].addr ? symbols[i].addr - FAKE_ELF : 0,
            .st_size = symbols[i].bytes,
        };
        put_bytes(python, FAKE_ELF + AT_SYMBOLS + i * sizeof(row), &row, sizeof(row));
        put_bytes(python, FAKE_ELF + AT_STRINGS + text, symbols[i].name,
                  strlen(symbols[i].name) + 1);
        text += (uint32_t)strlen(symbols[i].name) + 1;
    }
    uint64_t bias = clues & FAKE_RELATIVE ? 0 : FAKE_ELF;
    const Elf64_Dyn rows[] = {
        {DT_SYMTAB, {bias + AT_SYMBOLS}},
        {DT_STRTAB, {bias + AT_STRINGS}},
        {DT_STRSZ, {text}},
        {clues & FAKE_GNU_HASH ? DT_GNU_HASH : DT_HASH, {bias + AT_HASH}},
        {DT_NULL, {0}},
    };
    put_bytes(python, FAKE_ELF + AT_DYNAMIC, rows, sizeof(rows));
    if (clues & FAKE_GNU_HASH)
        put_gnu_hash(python, symbols);
    else
        put_hash(python, symbols);
}

static void put_elf(struct fake_python *python, uint32_t clues)
{
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_phoff = AT_SEGMENTS,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 5,
    };
    const uint64_t code = FAKE_CODE - FAKE_ELF, data = FAKE_DATA - FAKE_ELF;
    bool has_symbols = clues & (FAKE_GNU_HASH | FAKE_HASH);
    const Elf64_Phdr segments[] = {
        {PT_LOAD, PF_R, 0, 0, 0, FAKE_ELF_BYTES, FAKE_ELF_BYTES, 4096},
        {PT_LOAD, PF_R | PF_X, code, code, code, FAKE_CODE_BYTES, FAKE_CODE_BYTES, 4096},
        {PT_LOAD, PF_R | PF_W, data, data, data, FAKE_DATA_BYTES, FAKE_DATA_BYTES, 4096},
        {PT_NOTE, PF_R, AT_NOTE, AT_NOTE, AT_NOTE, 36, 36, 4},
        {has_symbols ? PT_DYNAMIC : PT_NULL, PF_R, AT_DYNAMIC, AT_DYNAMIC, AT_DYNAMIC, 256, 256, 8},
    };
    const Elf64_Nhdr note = {4, 20, NT_GNU_BUILD_ID};
    put_bytes(python, FAKE_ELF, &header, sizeof(header));
    put_bytes(python, FAKE_ELF + AT_SEGMENTS, segments, sizeof(segments));
    put_bytes(python, FAKE_ELF + AT_NOTE, &note, sizeof(note));
    put_bytes(python, FAKE_ELF + AT_NOTE + sizeof(note), "GNU\0ABCDEFGHIJKLMNOPQRST", 24);
    fake_put64(python, FAKE_ELF + AT_VERSION, 0, hexversion(python->layout));
    if (has_symbols)
        put_symbols(python, clues);
}

static void put_maps(struct fake_python *python)
{
    const struct rch_map maps[] = {
        {FAKE_ELF, FAKE_CODE, 0, 1, 7, "/opt/app", RCH_MAP_READ},
        {FAKE_CODE, FAKE_DATA, FAKE_CODE - FAKE_ELF, 1, 7, "/opt/app", RCH_MAP_READ | RCH_MAP_EXEC},
        {FAKE_DATA, FAKE_DATA + FAKE_DATA_BYTES, FAKE_DATA - FAKE_ELF, 1, 7, "/opt/app",
         RCH_MAP_READ | RCH_MAP_WRITE},
        {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, 0, 0, 0, "[heap]", RCH_MAP_READ | RCH_MAP_WRITE},
    };
    uint8_t *bytes = python->bytes;
    for (size_t i = 0; i < 4; i++) {
        python->maps[i] = maps[i];
        python->segments[i] =
            (struct rch_fake_segment){maps[i].start, bytes, (size_t)(maps[i].end - maps[i].start)};
        bytes += python->segments[i].num_bytes;
    }
}

void fake_python_init(struct fake_python *python, const struct rch_layout *layout, uint32_t clues)
{
    *python = (struct fake_python){.layout = layout, .next = FAKE_HEAP};
    python->bytes = calloc(1, FAKE_ELF_BYTES + FAKE_CODE_BYTES + FAKE_DATA_BYTES + FAKE_HEAP_BYTES);
    if (!python->bytes)
        abort();
    put_maps(python);
    python->fake = (struct rch_fake){python->segments, 4};
    rch_target_fake_init(&python->image.target, &python->fake);
    python->image.kind = RCH_IMAGE_CORE;
    python->image.pid = 4711;
    python->image.maps = python->maps;
    python->image.num_maps = 4;
    python->image.exe = "/opt/app";
    python->image.root = "/nowhere";
    if (!(clues & FAKE_NO_PYTHON)) {
        put_types(python);
        put_interp(python);
        put_runtime(python, clues);
    }
    put_elf(python, clues);
}

void fake_python_deinit(struct fake_python *python)
{
    free(python->bytes);
}
