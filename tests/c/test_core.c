// SPDX-License-Identifier: MIT
// tests/c/test_core.c -- core files made up here: whole ones of every shape, ones cut at every place,
// ones that lie. What is had is right, what is not is counted, and nothing crashes.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_core.h"
#include "support.h"
#include "target/image.h"

#define PAGE MADE_PAGE
#define CHUNK RCH_CHUNK_BYTES
#define EXE (UINT64_C(0x55d0) << 32)
#define HEAP (EXE + 0x1000000)
#define BIG (UINT64_C(0x7f00) << 32)
#define LIB (BIG + 0x10000000)
#define VDSO (BIG + 0x20000000)
#define STACK (BIG + 0x30000000)

static char dir[64], file[96];

// --- files of the test ---

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_core.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof(file), "%s/core", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);  // fails if a test left something behind
}

static void write_file(const char *path, const uint8_t *mem, size_t num)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, mem, num), num);
    close(fd);
}

static unsigned num_open_files(void)
{
    DIR *fds = opendir("/proc/self/fd");
    unsigned num = 0;
    assert_non_null(fds);
    while (readdir(fds))
        num++;
    closedir(fds);
    return num;
}

// --- a process that never was ---

static const struct made_segment usual[] = {
    {EXE, EXE + 2 * PAGE, 2 * PAGE, PF_R | PF_W, NULL},
    {HEAP + PAGE, HEAP + CHUNK + 9 * PAGE, CHUNK + 8 * PAGE, PF_R | PF_W, NULL},
    {HEAP + CHUNK + 9 * PAGE, HEAP + CHUNK + 10 * PAGE, PAGE, PF_R | PF_W, NULL},
    {BIG, BIG + 100 * PAGE, 100 * PAGE, PF_R | PF_W, NULL},
    {BIG + 100 * PAGE, BIG + 101 * PAGE, 0, 0, NULL},  // a guard page
    {VDSO - 4 * PAGE, VDSO, 0, PF_R, NULL},            // what the kernel never gives
    {VDSO, VDSO + PAGE, PAGE, PF_R | PF_X, NULL},
    {STACK, STACK + 3 * PAGE, 3 * PAGE, PF_R | PF_W, NULL},
    {UINT64_C(0xffffffffff600000), UINT64_C(0xffffffffff601000), PAGE, PF_X, NULL},
};
#define NUM_USUAL (sizeof(usual) / sizeof(usual[0]))
static const struct made_file usual_files[] = {{EXE, EXE + 2 * PAGE, 5, "/bin/made-up (deleted)"}};

static struct made_plan usual_plan(void)
{
    return (struct made_plan){
        .segments = usual,
        .num_segments = NUM_USUAL,
        .files = usual_files,
        .num_files = 1,
        .pid = 501,
        .num_threads = 3,
        .program_headers = EXE + 64,
        .vdso = VDSO,
        .random = STACK + 2 * PAGE + 5,
    };
}

static const char nowhere[] = "/nonexistent";

static enum rch_status open_core(struct rch_image **image_out, struct rch_error *err)
{
    struct rch_image_options options = {.sysroot = nowhere};
    return rch_image_open_core(file, &options, image_out, err);
}

static struct rch_image *must_open(void)
{
    struct rch_image *image;
    struct rch_error err;
    assert_ok(open_core(&image, &err), &err);
    return image;
}

static void write_core(struct made_core core)
{
    write_file(file, core.file.mem, core.file.num);
    free(core.file.mem);
}

static void write_packed(struct made_bytes packed)
{
    write_file(file, packed.mem, packed.num);
    free(packed.mem);
}

static void assert_bytes(struct rch_image *image, uint64_t start, uint64_t end)
{
    size_t num = end - start;
    uint8_t *bytes = malloc(num);
    assert_non_null(bytes);
    assert_true(rch_target_read(&image->target, start, bytes, num));
    for (size_t i = 0; i < num; i++) {
        if (bytes[i] != made_byte(start + i))
            fail_msg("byte at %" PRIx64 " is %02x", start + i, bytes[i]);
    }
    free(bytes);
}

static bool reads(struct rch_image *image, uint64_t addr)
{
    uint8_t byte;
    return rch_target_read(&image->target, addr, &byte, 1);
}

static bool warns(const struct rch_image *image, const char *words)
{
    for (size_t i = 0; i < image->num_warnings; i++) {
        if (strstr(image->warnings[i], words))
            return true;
    }
    return false;
}

static void assert_warns(const struct rch_image *image, const char *words)
{
    for (size_t i = 0; i < image->num_warnings && !warns(image, words); i++)
        print_message("warning: %s\n", image->warnings[i]);
    if (!warns(image, words))
        fail_msg("no warning says \"%s\"", words);
}

static void assert_no_warnings(const struct rch_image *image)
{
    for (size_t i = 0; i < image->num_warnings; i++)
        print_message("warning: %s\n", image->warnings[i]);
    assert_int_equal(image->num_warnings, 0);
}

// --- whole cores ---

static void assert_usual_threads(const struct rch_image *image)
{
    assert_int_equal(image->num_threads, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct rch_os_thread *thread = &image->threads[i];
        uint64_t base = UINT64_C(0x1000) * (501 + i);
        assert_int_equal(thread->tid, 501 + i);
        assert_int_equal(thread->syscall, thread->tid % 2 ? -1 : 232);
        assert_true(thread->has_registers && thread->was_stopped);
        assert_int_equal(thread->pc, base + 16);
        assert_int_equal(thread->sp, base + 19);
        assert_int_equal(thread->args[0], base + 14);  // rdi
        assert_int_equal(thread->args[3], base + 7);   // r10
        assert_string_equal(thread->name, i ? "" : "made-up");
    }
    assert_int_equal(image->num_not_stopped, 0);
}

static void assert_usual(struct rch_image *image)
{
    assert_int_equal(image->kind, RCH_IMAGE_CORE);
    assert_int_equal(image->pid, 501);
    assert_string_equal(image->exe, "/bin/made-up");
    assert_true(image->time_ns > UINT64_C(1600000000) * 1000000000);
    assert_no_warnings(image);
    assert_int_equal(image->bytes_missing, 0);
    assert_int_equal(image->num_maps, NUM_USUAL - 1);  // all but [vsyscall]
    uint64_t bytes_copied = 0;
    for (size_t i = 0; i < NUM_USUAL - 1; i++) {
        assert_int_equal(image->maps[i].start, usual[i].start);
        assert_int_equal(image->maps[i].end, usual[i].end);
        if (usual[i].file_bytes)
            assert_bytes(image, usual[i].start, usual[i].start + usual[i].file_bytes);
        bytes_copied += usual[i].file_bytes;
    }
    assert_int_equal(image->bytes_copied, bytes_copied);
    assert_int_equal(image->maps[0].offset, 5 * PAGE);
    assert_int_equal(image->maps[0].flags, RCH_MAP_READ | RCH_MAP_WRITE | RCH_MAP_DELETED);
    assert_int_equal(image->maps[6].flags, RCH_MAP_READ | RCH_MAP_EXEC);
    assert_string_equal(image->maps[1].path, "");
    assert_string_equal(image->maps[5].path, "[vvar]");
    assert_string_equal(image->maps[6].path, "[vdso]");
    assert_string_equal(image->maps[7].path, "[stack]");
    assert_bytes(image, HEAP + CHUNK - 3, HEAP + CHUNK + 10 * PAGE);
    assert_false(reads(image, VDSO - PAGE));
    assert_false(reads(image, EXE - 1));
    assert_usual_threads(image);
}

static void a_core_is_the_same_in_every_shape(void **state)
{
    unsigned num_files = num_open_files();
    (void)state;
    for (unsigned shape = 0; shape < 8; shape++) {
        struct made_plan plan = usual_plan();
        plan.skew = shape & 1 ? 0x150 : 0;
        plan.has_notes_last = shape & 2;
        plan.has_headers_last = shape & 4;
        struct made_core core = make_core(&plan);
        struct made_bytes packed[] = {
            {core.file.mem, core.file.num}, pack_gzip(core.file, 1), pack_gzip(core.file, 3),
            pack_zstd(core.file, 1),        pack_zstd(core.file, 3),
        };
        for (size_t i = 0; i < 5; i++) {
            write_packed(packed[i]);
            struct rch_image *image = must_open();
            assert_usual(image);
            rch_image_free(image);
        }
    }
    assert_int_equal(num_open_files(), num_files);
}

static void copies_beyond_the_limit_go_to_a_file(void **state)
{
    struct rch_image_options options = {.sysroot = nowhere, .memory_limit = 1, .temp_dir = dir};
    (void)state;
    for (unsigned skew = 0; skew < 2; skew++) {
        struct made_plan plan = usual_plan();
        struct rch_image *image;
        struct rch_error err;
        plan.skew = skew;
        write_core(make_core(&plan));
        unsigned num_files = num_open_files();
        assert_ok(rch_image_open_core(file, &options, &image, &err), &err);
        assert_int_equal(num_open_files(), num_files + 1);
        assert_usual(image);
        rch_image_free(image);
    }
    options.temp_dir = nowhere;
    struct rch_image *image;
    struct rch_error err;
    assert_status(rch_image_open_core(file, &options, &image, &err), RCH_EIO, &err);
}

static void more_segments_than_the_header_can_count_are_all_found(void **state)
{
    enum { NUM = 70000 };
    struct made_segment *segments = calloc(NUM, sizeof(*segments));
    (void)state;
    assert_non_null(segments);
    for (size_t i = 0; i < NUM; i++) {
        uint64_t start = BIG + 2 * i * PAGE;
        segments[i] =
            (struct made_segment){start, start + PAGE, i % 512 ? 0 : PAGE, PF_R | PF_W, NULL};
    }
    for (unsigned shape = 0; shape < 4; shape++) {
        struct made_plan plan = usual_plan();
        plan.segments = segments;
        plan.num_segments = NUM;
        plan.has_no_count = shape == 1;
        struct made_core core = make_core(&plan);
        if (shape < 2)
            write_core(core);
        else
            write_packed(shape == 2 ? pack_gzip(core.file, 1) : pack_zstd(core.file, 1));
        if (shape >= 2)
            free(core.file.mem);
        struct rch_image *image = must_open();
        assert_int_equal(image->num_maps, NUM + 1);  // and the file
        assert_int_equal(image->num_threads, 3);
        for (size_t i = 0; i < NUM; i += 512)
            assert_bytes(image, segments[i].start, segments[i].end);
        rch_image_free(image);
    }
    free(segments);
}

// The kernel lets nobody have so many mappings: the rest is copied. A sparse file, a page in each 999th.
static void segments_that_are_too_many_to_map_are_copied(void **state)
{
    enum { NUM = 20000, SEGMENT = 128 << 10 };
    struct made_segment *segments = calloc(NUM, sizeof(*segments));
    struct made_plan plan = usual_plan();
    (void)state;
    assert_non_null(segments);
    for (size_t i = 0; i < NUM; i++) {
        uint64_t start = BIG + i * (SEGMENT + PAGE);
        segments[i] = (struct made_segment){start, start + SEGMENT, 0, PF_R | PF_W, NULL};
    }
    plan.segments = segments;
    plan.num_segments = NUM;
    struct made_core core = make_core(&plan);
    Elf64_Phdr *headers = (Elf64_Phdr *)(core.file.mem + core.headers_at) + 1;
    for (size_t i = 0; i < NUM; i++) {
        headers[i].p_filesz = SEGMENT;
        headers[i].p_offset = core.contents_at + i * SEGMENT;
    }
    uint64_t contents_at = core.contents_at;
    write_core(core);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, (off_t)(contents_at + (uint64_t)NUM * SEGMENT)), 0);
    for (uint64_t i = 0; i < NUM; i += 999)
        assert_int_equal(pwrite(fd, &i, 8, (off_t)(contents_at + i * SEGMENT + 5 * PAGE)), 8);
    close(fd);
    struct rch_image *image = must_open();
    for (uint64_t i = 0; i < NUM; i += 999)
        assert_int_equal(rch_load64(&image->target, segments[i].start + 5 * PAGE), i);
    assert_int_equal(image->bytes_missing, 0);
    assert_int_equal(image->target.num_failed, 0);
    rch_image_free(image);
    free(segments);
}

// --- cut ones ---

static uint64_t expected_missing(const struct made_core *core, size_t num)
{
    uint64_t missing = 0;
    size_t at = core->contents_at;
    for (size_t i = 0; i < NUM_USUAL; i++) {
        uint64_t there = num > at ? num - at : 0;
        if (there < usual[i].file_bytes && usual[i].end <= UINT64_C(1) << 47)
            missing += usual[i].file_bytes - there / PAGE * PAGE;
        at += usual[i].file_bytes;
    }
    return missing;
}

static void assert_what_is_left(struct rch_image *image, const struct made_core *core, size_t num)
{
    size_t at = core->contents_at;
    for (size_t i = 0; i < NUM_USUAL - 1; i++) {
        uint64_t there = num > at ? num - at : 0;
        there = there < usual[i].file_bytes ? there / PAGE * PAGE : usual[i].file_bytes;
        if (there)
            assert_bytes(image, usual[i].start, usual[i].start + there);
        if (there < usual[i].file_bytes)
            assert_false(reads(image, usual[i].start + there));
        at += usual[i].file_bytes;
    }
}

// Cut a core to `num` bytes, open it, and judge what comes of it.
static void assert_cut(const struct made_core *core, size_t num)
{
    struct rch_image *image;
    struct rch_error err;
    write_file(file, core->file.mem, num);
    enum rch_status status = open_core(&image, &err);
    size_t headers_end = core->headers_at + (NUM_USUAL + 1) * sizeof(Elf64_Phdr);
    if (num < headers_end) {
        assert_status(status, RCH_ECORRUPT, &err);
        assert_true(strstr(err.message, num == 0        ? "empty"
                                        : num < SELFMAG ? "not a core"
                                                        : "cut short"));
        return;
    }
    assert_ok(status, &err);
    assert_int_equal(image->bytes_missing, expected_missing(core, num));
    if (num < core->file.num - PAGE)  // of [vsyscall], which is not read
        assert_warns(image, "the core is cut short");
    if (num < core->notes_at + 20)
        assert_warns(image, "does not tell which threads and mapped files");
    assert_what_is_left(image, core, num);
    rch_image_free(image);
}

static void a_core_cut_anywhere_is_refused_or_partial(void **state)
{
    (void)state;
    for (unsigned has_notes_last = 0; has_notes_last < 2; has_notes_last++) {
        struct made_plan plan = usual_plan();
        plan.has_notes_last = has_notes_last;
        plan.skew = has_notes_last ? 0x150 : 0;
        struct made_core core = make_core(&plan);
        size_t at = core.contents_at;
        for (size_t num = 0; num < core.headers_at + 3 * sizeof(Elf64_Phdr); num += 7)
            assert_cut(&core, num);
        for (size_t num = core.notes_at; num < core.notes_at + core.notes_num; num += 13)
            assert_cut(&core, num);
        for (size_t i = 0; i < NUM_USUAL; at += usual[i++].file_bytes) {
            assert_cut(&core, at - 1);
            assert_cut(&core, at);
            assert_cut(&core, at + 1);
            assert_cut(&core, at + PAGE - 1);
            assert_cut(&core, at + usual[i].file_bytes / 2);
        }
        free(core.file.mem);
    }
}

static void assert_packed_cut(const struct made_core *core, struct made_bytes packed, size_t num)
{
    struct rch_image *image;
    struct rch_error err;
    write_file(file, packed.mem, num);
    if (open_core(&image, &err) != RCH_OK) {
        assert_int_equal(err.code, RCH_ECORRUPT);
        assert_true(err.message[0] != '\0');
        return;
    }
    assert_warns(image, "the compressed core is damaged at byte");
    uint64_t had = image->bytes_copied - image->bytes_copied % PAGE;
    assert_true(image->bytes_missing <= expected_missing(core, core->contents_at));
    assert_true(had == 0 || image->bytes_missing < expected_missing(core, core->contents_at));
    for (size_t i = 0; i < NUM_USUAL - 1; i++) {
        uint64_t num_had = usual[i].file_bytes < had ? usual[i].file_bytes : had;
        if (num_had / PAGE)
            assert_bytes(image, usual[i].start, usual[i].start + num_had / PAGE * PAGE);
        had -= num_had;
    }
    rch_image_free(image);
}

static void a_compressed_core_cut_anywhere_gives_what_comes_before(void **state)
{
    struct made_plan plan = usual_plan();
    struct made_core core = make_core(&plan);
    (void)state;
    struct made_bytes packed[] = {pack_gzip(core.file, 2), pack_zstd(core.file, 2)};
    for (size_t i = 0; i < 2; i++) {
        size_t end = packed[i].num - (i ? 12 : 0);  // the last skippable frame may go
        for (size_t num = 1; num < end; num += num < 64 || end - num < 64 ? 1 : end / 97)
            assert_packed_cut(&core, packed[i], num);
        free(packed[i].mem);
    }
    free(core.file.mem);
}

static void a_compressed_core_with_a_flipped_bit_is_never_taken_for_whole(void **state)
{
    struct made_plan plan = usual_plan();
    struct made_core core = make_core(&plan);
    (void)state;
    struct made_bytes packed = pack_gzip(core.file, 1);
    for (size_t at = 10; at < packed.num - 4; at += packed.num / 61) {
        struct rch_image *image;
        packed.mem[at] ^= 0x10;
        write_file(file, packed.mem, packed.num);
        if (open_core(&image, NULL) == RCH_OK) {
            assert_warns(image, "damaged");
            rch_image_free(image);
        }
        packed.mem[at] ^= 0x10;
    }
    free(packed.mem);
    free(core.file.mem);
}

// --- damaged ones ---

#define IN_HEADER(field) offsetof(Elf64_Ehdr, field)
#define IN_SEGMENT(i, field) \
    (sizeof(Elf64_Ehdr) + ((i) + 1) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))

static const struct {
    size_t at, width;
    uint64_t value;
    enum rch_status status;
    const char *words;
} damages[] = {
    {EI_CLASS, 1, ELFCLASS32, RCH_EUNSUPPORTED, "32-bit"},
    {IN_HEADER(e_machine), 2, EM_AARCH64, RCH_EUNSUPPORTED, "64-bit ARM"},
    {IN_HEADER(e_machine), 2, EM_386, RCH_EUNSUPPORTED, "32-bit x86"},
    {IN_HEADER(e_machine), 2, 0xbeef, RCH_EUNSUPPORTED, "another machine"},
    {IN_HEADER(e_type), 2, ET_EXEC, RCH_ECORRUPT, "is a program or a library"},
    {IN_HEADER(e_type), 2, ET_DYN, RCH_ECORRUPT, "is a program or a library"},
    {IN_HEADER(e_type), 2, ET_REL, RCH_ECORRUPT, "is an object file"},
    {IN_HEADER(e_type), 2, 77, RCH_ECORRUPT, "not a core file"},
    {IN_HEADER(e_phentsize), 2, 32, RCH_ECORRUPT, "10 program headers of 32 bytes"},
    {IN_HEADER(e_phnum), 2, 0, RCH_ECORRUPT, "0 program headers"},
    {IN_HEADER(e_phnum), 2, 60000, RCH_ECORRUPT, ""},
    {IN_HEADER(e_phoff), 8, 3, RCH_ECORRUPT, "program headers at offset 3"},
    {IN_HEADER(e_phoff), 8, UINT64_MAX - 20, RCH_ECORRUPT, "program headers at offset"},
    {IN_HEADER(e_phoff), 8, INT64_MAX - 20, RCH_ECORRUPT, "cut short within its program headers"},
    {IN_SEGMENT(0, p_offset), 8, UINT64_MAX, RCH_ECORRUPT, "offset 120 lies outside of any file"},
    {IN_SEGMENT(0, p_filesz), 8, UINT64_MAX - 5, RCH_ECORRUPT, "offset 120 lies outside"},
    {IN_SEGMENT(0, p_filesz), 8, 3 * PAGE, RCH_ECORRUPT, "more bytes in the file than in memory"},
    {IN_SEGMENT(0, p_vaddr), 8, EXE + 1, RCH_ECORRUPT, "not made of whole pages"},
    {IN_SEGMENT(0, p_memsz), 8, 2 * PAGE + 1, RCH_ECORRUPT, "not made of whole pages"},
    {IN_SEGMENT(0, p_memsz), 8, 0 - PAGE, RCH_ECORRUPT, "goes past the end of memory"},
    {IN_SEGMENT(0, p_memsz), 8, UINT64_C(1) << 40, RCH_ECORRUPT, "176 overlaps another in memory"},
    {IN_SEGMENT(2, p_vaddr), 8, HEAP + CHUNK, RCH_ECORRUPT, "232 overlaps another in memory"},
    {IN_SEGMENT(2, p_offset), 8, 3 * PAGE, RCH_ECORRUPT, "overlaps another in the file"},
    {IN_SEGMENT(0, p_vaddr), 8, UINT64_C(1) << 50, RCH_OK, "beyond the 47-bit address space"},
    {IN_SEGMENT(0, p_memsz), 8, 3 * PAGE, RCH_OK, ""},  // then a page is missing
    {IN_SEGMENT(0, p_type), 4, PT_NULL, RCH_OK, ""},
};

static void headers_that_contradict_themselves_are_refused_with_words(void **state)
{
    struct made_plan plan = usual_plan();
    struct made_core core = make_core(&plan);
    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        uint8_t old[8];
        struct rch_image *image;
        struct rch_error err;
        memcpy(old, core.file.mem + damages[i].at, 8);
        memcpy(core.file.mem + damages[i].at, &damages[i].value, damages[i].width);
        write_file(file, core.file.mem, core.file.num);
        enum rch_status status = open_core(&image, &err);
        assert_status(status, damages[i].status, &err);
        if (status == RCH_OK) {
            if (damages[i].words[0])
                assert_warns(image, damages[i].words);
            rch_image_free(image);
        } else if (!strstr(err.message, damages[i].words)) {
            fail_msg("damage %zu: \"%s\" does not say \"%s\"", i, err.message, damages[i].words);
        }
        memcpy(core.file.mem + damages[i].at, old, 8);
    }
    free(core.file.mem);
}

// Put `value` at an offset in the notes of the usual core; what comes of it is the caller's.
static struct rch_image *open_with_note(size_t at, size_t width, uint64_t value)
{
    struct made_plan plan = usual_plan();
    struct made_core core = make_core(&plan);
    memcpy(core.file.mem + core.notes_at + at, &value, width);
    write_core(core);
    return must_open();
}

#define NOTE_BYTES(desc) (20 + (desc))
#define SECOND_NOTE NOTE_BYTES(sizeof(struct elf_prstatus))
#define AUXV_NOTE (SECOND_NOTE + NOTE_BYTES(sizeof(struct elf_prpsinfo)))
#define FILE_NOTE (AUXV_NOTE + NOTE_BYTES(64))

static void notes_that_lie_end_the_reading_of_notes_and_nothing_else(void **state)
{
    static const struct {
        size_t at, width;
        uint64_t value;
        size_t num_threads;
        bool is_damaged;
    } lies[] = {
        {4, 4, UINT32_MAX, 0, true},               // size of the first
        {0, 4, UINT32_MAX, 0, true},               // size of its name
        {SECOND_NOTE + 4, 4, 1 << 20, 1, true},    // size of the second
        {SECOND_NOTE + 4, 4, 0, 1, true},          // what follows is no note then
        {SECOND_NOTE + 8, 4, 0x12345, 3, false},   // of a kind nobody knows
        {SECOND_NOTE + 12, 4, 0, 3, false},        // of somebody else
        {FILE_NOTE + 20, 8, UINT64_MAX, 1, true},  // number of files
        {FILE_NOTE + 20, 8, UINT64_MAX / 24 + 2, 1, true},
        {FILE_NOTE + 20, 8, 2, 1, true},                       // one more than there are
        {FILE_NOTE + 28, 8, UINT64_MAX / 2, 1, true},          // unit of offsets
        {FILE_NOTE + 36, 8, EXE + 1, 1, true},                 // start
        {FILE_NOTE + 36, 8, EXE + 2 * PAGE, 1, true},          // which is the end
        {FILE_NOTE + 44, 8, UINT64_MAX - PAGE + 1, 3, false},  // end: no address of ours
        {FILE_NOTE + 52, 8, UINT64_MAX, 1, true},              // offset
        {FILE_NOTE + 4, 4, 15, 1, true},                       // too short for its counts
        {FILE_NOTE + 4, 4, 60, 1, true},                       // too short for the path
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct rch_image *image = open_with_note(lies[i].at, lies[i].width, lies[i].value);
        if (image->num_threads != lies[i].num_threads ||
            lies[i].is_damaged != warns(image, "notes"))
            fail_msg("lie %zu: %zu threads, %s", i, image->num_threads,
                     image->num_warnings ? image->warnings[0] : "no warning");
        assert_int_equal(image->bytes_missing, 0);
        assert_bytes(image, STACK, STACK + 3 * PAGE);
        rch_image_free(image);
    }
}

static void mapped_files_that_overlap_count_once(void **state)
{
    static const struct made_file files[] = {
        {EXE + PAGE, EXE + 3 * PAGE, 0, "/b"},
        {EXE, EXE + 2 * PAGE, 0, "/a"},
        {EXE + 4 * PAGE, EXE + 5 * PAGE, 9, "/c"},
    };
    struct made_plan plan = usual_plan();
    (void)state;
    plan.files = files;
    plan.num_files = 3;
    write_core(make_core(&plan));
    struct rch_image *image = must_open();
    assert_string_equal(image->maps[0].path, "/a");
    assert_string_equal(image->maps[1].path, "/c");
    assert_int_equal(image->maps[1].offset, 9 * PAGE);
    assert_int_equal(image->num_maps, NUM_USUAL);
    rch_image_free(image);
}

// --- no cores ---

static void assert_refused(const char *path, enum rch_status status, const char *words)
{
    struct rch_image_options options = {.sysroot = nowhere};
    struct rch_image *image;
    struct rch_error err;
    assert_status(rch_image_open_core(path, &options, &image, &err), status, &err);
    if (!strstr(err.message, words) || !strstr(err.message, path))
        fail_msg("\"%s\" does not say \"%s\" of %s", err.message, words, path);
}

static void assert_bytes_refused(const char *bytes, size_t num, const char *words)
{
    write_file(file, (const uint8_t *)bytes, num);
    assert_refused(file, RCH_ECORRUPT, words);
}

static void what_is_no_core_is_refused_with_words(void **state)
{
    char text[600] = "this is a text\n", fifo[112];
    struct made_bytes elf = {(uint8_t *)text, sizeof(text)};
    (void)state;
    assert_bytes_refused("", 0, "is empty");
    assert_bytes_refused(text, sizeof(text), "is not a core file");
    assert_bytes_refused(text, 5, "is not a core file");
    assert_bytes_refused("\x89RCH\r\n\x1a\n", 8, "is a refchain snapshot");
    assert_bytes_refused("\xfd"
                         "7zXZ\0",
                         6, "unxz");
    assert_bytes_refused("\x04\x22\x4d\x18", 4, "unlz4");
    assert_bytes_refused("BZh9", 4, "bunzip2");
    assert_bytes_refused("\x7f"
                         "ELF\2\1\1",
                         7, "cut short within its ELF header");
    assert_bytes_refused("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff", 12,
                         "cannot be decompressed");
    write_packed(pack_zstd(elf, 1));
    assert_refused(file, RCH_ECORRUPT, "nor is what it decompresses to");
    assert_refused("/proc/self/exe", RCH_ECORRUPT, "is a program or a library");
    assert_refused(dir, RCH_ECORRUPT, "is a directory");
    assert_refused("/dev/null", RCH_ECORRUPT, "not a regular file");
    assert_refused("/nonexistent", RCH_ENOTFOUND, "No such file");
    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused(fifo, RCH_ECORRUPT, "not a regular file");
    unlink(fifo);
}

// --- what the core leaves out ---

enum { LIB_PAGES = 40, LIB_CODE = 3, LIB_DATA = 30, LIB_END = 34 };

struct lib_case {
    uint8_t id_in_core, id_of_file;  // 0: none
    bool has_header_in_core;
    const char *path;  // as the core tells it
};

// Header page, code, data that was written, and a data file; as the kernel dumps them.
static struct made_core make_lib_core(const struct lib_case *c, size_t *code_bytes)
{
    static struct made_segment segments[5];
    static struct made_file files[4];
    struct made_bytes lib = make_library(LIB_PAGES, c->id_in_core);
    size_t header = c->has_header_in_core ? PAGE : 0;
    struct made_segment all[] = {
        {LIB, LIB + LIB_CODE * PAGE, header, PF_R, lib.mem},
        {LIB + LIB_CODE * PAGE, LIB + LIB_DATA * PAGE, *code_bytes, PF_R | PF_X,
         lib.mem + LIB_CODE * PAGE},
        {LIB + LIB_DATA * PAGE, LIB + LIB_END * PAGE, 4 * PAGE, PF_R | PF_W, NULL},
        {LIB + LIB_END * PAGE, LIB + (LIB_END + 3) * PAGE, 0, PF_R | PF_W, NULL},  // bss, untouched
        {LIB + LIB_PAGES * PAGE, LIB + (LIB_PAGES + 2) * PAGE, 0, PF_R, NULL},
    };
    struct made_file all_files[] = {
        {LIB, LIB + LIB_CODE * PAGE, 0, c->path},
        {LIB + LIB_CODE * PAGE, LIB + LIB_DATA * PAGE, LIB_CODE, c->path},
        {LIB + LIB_DATA * PAGE, LIB + LIB_END * PAGE, LIB_DATA, c->path},
        {LIB + LIB_PAGES * PAGE, LIB + (LIB_PAGES + 2) * PAGE, 0, "/usr/lib/locale.data"},
    };
    memcpy(segments, all, sizeof(all));
    memcpy(files, all_files, sizeof(all_files));
    struct made_segment with_heap[] = {usual[1],    segments[0], segments[1],
                                       segments[2], segments[3], segments[4]};
    struct made_plan plan = usual_plan();
    plan.segments = with_heap;
    plan.num_segments = 6;
    plan.files = files;
    plan.num_files = 4;
    struct made_core core = make_core(&plan);
    free(lib.mem);
    return core;
}

static void write_library(const char *path, uint8_t build_id)
{
    struct made_bytes lib = make_library(LIB_PAGES, build_id);
    write_file(path, lib.mem, lib.num);
    free(lib.mem);
}

static struct rch_image *open_with_sysroot(void)
{
    struct rch_image_options options = {.sysroot = dir};
    struct rch_image *image;
    struct rch_error err;
    assert_ok(rch_image_open_core(file, &options, &image, &err), &err);
    return image;
}

static void assert_lib_bytes(struct rch_image *image, uint64_t start, uint64_t end)
{
    struct made_bytes lib = make_library(LIB_PAGES, 0xab);
    for (uint64_t addr = start; addr < end; addr++)
        assert_int_equal(rch_load8(&image->target, addr), lib.mem[addr - LIB]);
    free(lib.mem);
}

static void what_the_core_leaves_out_comes_from_the_same_file(void **state)
{
    static const struct lib_case cases[] = {
        {0xab, 0xab, true, "/lib.so"},          {0xab, 0xab, true, "/lib.so (deleted)"},
        {0xab, 0xab, true, "/../../../lib.so"},  // never above the sysroot
        {0xab, 0xab, false, "/lib.so"},         {0, 0, true, "/lib.so"},
    };
    char path[112];
    unsigned num_files = num_open_files();
    (void)state;
    snprintf(path, sizeof(path), "%s/lib.so", dir);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t code_bytes = 0;
        write_core(make_lib_core(&cases[i], &code_bytes));
        write_library(path, cases[i].id_of_file);
        struct rch_image *image = open_with_sysroot();
        unlink(path);
        if (!cases[i].has_header_in_core)
            assert_warns(image, "1 mapped files were taken unchecked");
        else
            assert_no_warnings(image);
        assert_int_equal(image->bytes_missing, 0);
        assert_lib_bytes(image, LIB + PAGE, LIB + LIB_DATA * PAGE);
        assert_bytes(image, LIB + LIB_DATA * PAGE, LIB + LIB_END * PAGE);
        assert_int_equal(rch_load8(&image->target, LIB + LIB_END * PAGE), 0);
        assert_int_equal(image->target.num_failed, 0);
        assert_false(reads(image, LIB + LIB_PAGES * PAGE));  // the data file
        rch_image_free(image);
    }
    assert_int_equal(num_open_files(), num_files);
}

static void a_file_that_is_another_is_named_and_not_used(void **state)
{
    static const struct lib_case cases[] = {
        {0xab, 0xcd, true, "/lib.so"}, {0xab, 0, true, "/lib.so"}, {0, 0xcd, true, "/lib.so"}};
    static const char *const words[] = {
        "build id abababababababababababababababababababab in the core, "
        "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd of the file",
        "none of the file", "build id none in the core"};
    char path[112];
    unsigned num_files = num_open_files();
    (void)state;
    snprintf(path, sizeof(path), "%s/lib.so", dir);
    for (size_t i = 0; i < 3; i++) {
        size_t code_bytes = 0;
        write_core(make_lib_core(&cases[i], &code_bytes));
        write_library(path, cases[i].id_of_file);
        struct rch_image *image = open_with_sysroot();
        unlink(path);
        assert_warns(image, "/lib.so is not the file that was mapped");
        assert_warns(image, words[i]);
        assert_int_equal(image->bytes_missing, (LIB_DATA - 1) * PAGE);
        assert_true(image->maps[2].flags & RCH_MAP_MISSING);
        assert_false(reads(image, LIB + LIB_CODE * PAGE));
        assert_true(reads(image, LIB));
        rch_image_free(image);
    }
    assert_int_equal(num_open_files(), num_files);
}

static void a_file_that_is_not_there_is_named_with_the_way_out(void **state)
{
    struct lib_case c = {0xab, 0, true, "/lib.so"};
    size_t code_bytes = 0;
    char path[112];
    (void)state;
    snprintf(path, sizeof(path), "%s/lib.so", dir);
    write_core(make_lib_core(&c, &code_bytes));
    for (unsigned i = 0; i < 3; i++) {
        if (i == 1)
            assert_int_equal(mkfifo(path, 0600),
                             0);  // nobody writes: to open it would take for ever
        if (i == 2)
            write_file(path, (const uint8_t *)"text", 4);
        struct rch_image *image = open_with_sysroot();
        unlink(path);
        if (i < 2) {
            assert_warns(image, "/lib.so");
            assert_warns(image, "--sysroot DIR");
        } else {
            assert_warns(image, "not the file that was mapped");
        }
        assert_int_equal(image->bytes_missing, (LIB_DATA - 1) * PAGE);
        assert_true(image->maps[2].flags & RCH_MAP_MISSING);
        rch_image_free(image);
    }
}

// Code does not change, so a file may stand in for it; data may have been relocated.
static void of_a_cut_core_only_code_comes_from_files(void **state)
{
    struct lib_case c = {0xab, 0xab, true, "/lib.so"};
    size_t code_bytes = (LIB_DATA - LIB_CODE) * PAGE;
    char path[112];
    (void)state;
    snprintf(path, sizeof(path), "%s/lib.so", dir);
    struct made_core core = make_lib_core(&c, &code_bytes);
    core.file.num = core.contents_at + usual[1].file_bytes + PAGE + 5 * PAGE;
    write_core(core);
    write_library(path, 0xab);
    struct rch_image *image = open_with_sysroot();
    unlink(path);
    assert_lib_bytes(image, LIB, LIB + LIB_DATA * PAGE);
    assert_false(reads(image, LIB + LIB_DATA * PAGE));
    assert_int_equal(image->bytes_missing, 4 * PAGE);
    assert_true(image->maps[3].flags & RCH_MAP_MISSING);
    rch_image_free(image);
}

static void a_core_without_the_processs_own_memory_says_so(void **state)
{
    static const struct made_segment segments[] = {
        {EXE, EXE + 2 * PAGE, 2 * PAGE, PF_R | PF_X, NULL},
        {HEAP, HEAP + 5 * PAGE, 0, PF_R | PF_W, NULL},
        {STACK, STACK + 3 * PAGE, 0, PF_R | PF_W, NULL},
    };
    struct made_plan plan = usual_plan();
    (void)state;
    plan.segments = segments;
    plan.num_segments = 3;
    plan.random = 0;
    write_core(make_core(&plan));
    struct rch_image *image = must_open();
    assert_warns(image, "none of the process's own memory (32768 bytes)");
    assert_warns(image, "coredump_filter");
    assert_int_equal(image->bytes_missing, 8 * PAGE);
    assert_false(reads(image, HEAP));
    rch_image_free(image);
}

// --- progress ---

struct listener {
    const char *phase;
    uint64_t num_calls, cancel_at, last_done, total;
};

static bool listen(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct listener *listener = ctx;
    if (strcmp(phase, listener->phase) != 0)
        return true;
    assert_true(done >= listener->last_done && done <= total);
    listener->last_done = done;
    listener->total = total;
    return ++listener->num_calls != listener->cancel_at;
}

static void progress_is_told_and_can_cancel(void **state)
{
    struct made_plan plan = usual_plan();
    (void)state;
    for (unsigned is_packed = 0; is_packed < 2; is_packed++) {
        struct made_core core = make_core(&plan);
        struct made_bytes packed = pack_zstd(core.file, 1);
        if (is_packed)
            write_file(file, packed.mem, packed.num);
        else
            write_file(file, core.file.mem, core.file.num);
        free(core.file.mem);
        free(packed.mem);
        uint64_t num_calls = UINT64_MAX;
        for (uint64_t cancel_at = 0; cancel_at <= num_calls; cancel_at++) {
            struct listener listener = {.phase = is_packed ? "decompress" : "read core",
                                        .cancel_at = cancel_at};
            struct rch_progress progress = {listen, &listener};
            struct rch_image_options options = {.sysroot = nowhere, .progress = &progress};
            struct rch_image *image;
            struct rch_error err;
            enum rch_status status = rch_image_open_core(file, &options, &image, &err);
            assert_status(status, cancel_at ? RCH_ECANCELED : RCH_OK, &err);
            if (cancel_at == 0) {
                rch_image_free(image);
                num_calls = listener.num_calls;
                assert_true(num_calls >= 1 && listener.total > 0);
            }
        }
    }
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    struct lib_case c = {0xab, 0xab, true, "/lib.so"};
    size_t code_bytes = 0;
    char path[112];
    unsigned num_files = num_open_files();
    (void)state;
    snprintf(path, sizeof(path), "%s/lib.so", dir);
    struct made_core core = make_lib_core(&c, &code_bytes);
    write_packed(pack_gzip(core.file, 1));
    free(core.file.mem);
    write_library(path, 0xab);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_image_options options = {.alloc = alloc, .sysroot = dir};
        struct rch_image *image;
        if (ok_or_enomem(rch_image_open_core(file, &options, &image, NULL)))
            rch_image_free(image);
        assert_int_equal(num_open_files(), num_files);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_is_the_same_in_every_shape),
        cmocka_unit_test(copies_beyond_the_limit_go_to_a_file),
        cmocka_unit_test(more_segments_than_the_header_can_count_are_all_found),
        cmocka_unit_test(segments_that_are_too_many_to_map_are_copied),
        cmocka_unit_test(a_core_cut_anywhere_is_refused_or_partial),
        cmocka_unit_test(a_compressed_core_cut_anywhere_gives_what_comes_before),
        cmocka_unit_test(a_compressed_core_with_a_flipped_bit_is_never_taken_for_whole),
        cmocka_unit_test(headers_that_contradict_themselves_are_refused_with_words),
        cmocka_unit_test(notes_that_lie_end_the_reading_of_notes_and_nothing_else),
        cmocka_unit_test(mapped_files_that_overlap_count_once),
        cmocka_unit_test(what_is_no_core_is_refused_with_words),
        cmocka_unit_test(what_the_core_leaves_out_comes_from_the_same_file),
        cmocka_unit_test(a_file_that_is_another_is_named_and_not_used),
        cmocka_unit_test(a_file_that_is_not_there_is_named_with_the_way_out),
        cmocka_unit_test(of_a_cut_core_only_code_comes_from_files),
        cmocka_unit_test(a_core_without_the_processs_own_memory_says_so),
        cmocka_unit_test(progress_is_told_and_can_cancel),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
