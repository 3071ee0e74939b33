// SPDX-License-Identifier: MIT
// test_elf.c -- programs and libraries of an image. The image is this very process, whose symbols the
// dynamic linker and the compiler tell as well; damaged ones are made up (fake_python.h).
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fake_python.h"
#include "support.h"
#include "target/elf_impl.h"

#define MAX_MAPS 512

static int only_in_the_symtab(int x)
{
    return x + 1;
}
int (*volatile keep_it)(int) = only_in_the_symtab;

__attribute__((section("rch_section"), used)) static char in_a_section[48] = "x";
extern char __start_rch_section[], __stop_rch_section[];

// --- this process as an image ---------------------------------------------------------------------

struct self {
    struct rch_image image;
    struct rch_map maps[MAX_MAPS];
    char paths[MAX_MAPS][256];
    struct rch_modules modules;
};

static void read_own_maps(struct self *self)
{
    char line[600];
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    while (self->image.num_maps < MAX_MAPS && fgets(line, sizeof(line), file)) {
        struct rch_map *map = &self->maps[self->image.num_maps];
        char *path = self->paths[self->image.num_maps++];
        unsigned major, minor;
        char mode[5];
        path[0] = '\0';
        assert_true(sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %255s",
                           &map->start, &map->end, mode, &map->offset, &major, &minor, &map->inode,
                           path) >= 7);
        map->dev = makedev(major, minor);
        map->path = path;
        map->flags = (mode[0] == 'r' ? RCH_MAP_READ : 0u) | (mode[1] == 'w' ? RCH_MAP_WRITE : 0u) |
                     (mode[2] == 'x' ? RCH_MAP_EXEC : 0u);
    }
    fclose(file);
}

static struct self *open_self(void)
{
    struct self *self = test_calloc(1, sizeof(*self));
    struct rch_error err;
    read_own_maps(self);
    rch_target_own_checked_init(&self->image.target);
    self->image.kind = RCH_IMAGE_LIVE;
    self->image.pid = (uint32_t)getpid();
    self->image.maps = self->maps;
    self->image.root = self->image.exe = "";
    assert_ok(rch_modules_init(&self->modules, &self->image, rch_alloc_default(), &err), &err);
    return self;
}

static void close_self(struct self *self)
{
    rch_modules_deinit(&self->modules);
    test_free(self);
}

static const struct rch_module *module_of(const struct self *self, const void *address)
{
    for (size_t i = 0; i < self->modules.num; i++) {
        const struct rch_module *module = &self->modules.items[i];
        const struct rch_map *first = &self->maps[module->first_map];
        if (first->start <= (uintptr_t)address &&
            (uintptr_t)address < first[module->num_maps - 1].end)
            return module;
    }
    fail_msg("no module has %p", address);
    return NULL;
}

static void dynamic_symbols_are_where_the_linker_says(void **state)
{
    static const char *const names[] = {
        "malloc",     "free",    "environ",      "stdout",
        "getenv",     "qsort",   "pthread_self", "program_invocation_name",
        "opendir",    "strtoul", "no_such_name", "",
        "getaddrinfo"};
    struct self *self = open_self();
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    const struct rch_module *module = module_of(self, dlsym(libc, "qsort"));
    uint32_t num_found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uintptr_t want = (uintptr_t)dlsym(libc, names[i]);
        uint64_t seen = rch_module_dynamic_symbol(&self->image, module, names[i], NULL);
        assert_int_equal(seen, want);
        num_found += seen != 0;
    }
    assert_int_equal(num_found, 11);
    dlclose(libc);
    close_self(self);
}

static void static_symbols_come_from_the_file(void **state)
{
    struct self *self = open_self();
    const struct rch_module *module = module_of(self, (const void *)(uintptr_t)only_in_the_symtab);
    uint64_t num_bytes = 0;
    (void)state;
    assert_true(module->has_file);
    assert_int_equal(rch_module_dynamic_symbol(&self->image, module, "only_in_the_symtab", NULL),
                     0);
    assert_int_equal(rch_module_symbol(&self->image, module, "only_in_the_symtab", &num_bytes),
                     (uintptr_t)only_in_the_symtab);
    assert_in_range(num_bytes, 1, 4096);
    assert_int_equal(rch_module_symbol(&self->image, module, "in_a_section", &num_bytes),
                     (uintptr_t)in_a_section);
    assert_int_equal(num_bytes, sizeof(in_a_section));
    assert_int_equal(rch_module_symbol(&self->image, module, "nly_in_the_symtab", NULL), 0);
    assert_int_equal(rch_module_symbol(&self->image, module, "no_such_symbol", NULL), 0);
    close_self(self);
}

static void sections_are_found(void **state)
{
    struct self *self = open_self();
    const struct rch_module *module = module_of(self, in_a_section);
    uint64_t num_bytes = 0;
    (void)state;
    assert_int_equal(rch_module_section(&self->image, module, "rch_section", &num_bytes),
                     (uintptr_t)__start_rch_section);
    assert_int_equal(num_bytes, __stop_rch_section - __start_rch_section);
    assert_int_equal(rch_module_section(&self->image, module, ".no_such", NULL), 0);
    assert_int_equal(rch_module_section(&self->image, module, ".comment", NULL), 0);  // not loaded
    close_self(self);
}

static int check_loaded(struct dl_phdr_info *info, size_t num_bytes, void *ctx)
{
    const struct self *self = ctx;
    (void)num_bytes;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        uintptr_t addr = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        const struct rch_map *map = rch_image_map_at(&self->image, addr);
        if (map && map->path[0] == '/')  // not the vdso
            assert_int_equal(module_of(self, (const void *)addr)->bias, info->dlpi_addr);
    }
    return 0;
}

static void every_loaded_library_is_a_module_with_its_bias(void **state)
{
    struct self *self = open_self();
    (void)state;
    assert_in_range(self->modules.num, 3, 200);
    dl_iterate_phdr(check_loaded, self);
    close_self(self);
}

static void build_ids_of_memory_and_file_are_the_same(void **state)
{
    struct self *self = open_self();
    uint32_t num = 0;
    (void)state;
    for (size_t i = 0; i < self->modules.num; i++) {
        const struct rch_module *module = &self->modules.items[i];
        uint8_t build_id[RCH_BUILD_ID_BYTES];
        int fd = open(module->path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(rch_elf_file_build_id(fd, build_id), module->build_id_bytes);
        assert_memory_equal(build_id, module->build_id, module->build_id_bytes);
        num += module->build_id_bytes > 0;
        close(fd);
    }
    assert_true(num > 0);
    close_self(self);
}

// --- files ----------------------------------------------------------------------------------------

static int open_file_of(const struct rch_image *image, struct rch_map map, const char *path)
{
    map.path = path;
    return rch_image_open_file(image, &map);
}

static void only_the_file_that_is_mapped_is_opened(void **state)
{
    struct self *self = open_self();
    struct rch_map map = self->maps[module_of(self, in_a_section)->first_map];
    struct stat opened, own;
    (void)state;
    int fd = rch_image_open_file(&self->image, &map);
    assert_true(fd >= 0 && fstat(fd, &opened) == 0 && stat("/proc/self/exe", &own) == 0);
    assert_int_equal(opened.st_ino, own.st_ino);
    close(fd);
    map.flags |= RCH_MAP_DELETED;  // its name is not trusted, the kernel's link is
    fd = open_file_of(&self->image, map, "/etc/passwd");
    assert_true(fd >= 0 && fstat(fd, &opened) == 0);
    assert_int_equal(opened.st_ino, own.st_ino);
    close(fd);
    map.inode++;
    assert_int_equal(rch_image_open_file(&self->image, &map), -1);
    map.flags = 0;
    assert_int_equal(rch_image_open_file(&self->image, &map), -1);
    close_self(self);
}

static void what_is_no_file_is_not_opened(void **state)
{
    static const char *const paths[] = {"",         "[heap]", "relative", "/dev/zero",
                                        "/dev/tty", "/tmp",   "/no/such"};
    struct self *self = open_self();
    struct rch_map map = {.start = 4096, .end = 8192};
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        self->image.kind = kind ? RCH_IMAGE_CORE : RCH_IMAGE_LIVE;
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
            assert_int_equal(open_file_of(&self->image, map, paths[i]), -1);
    }
    close_self(self);
}

static void a_link_does_not_lead_out_of_the_root(void **state)
{
    char root[] = "/tmp/rch_test_rootXXXXXX", path[64];
    struct rch_image image = {.kind = RCH_IMAGE_CORE, .root = root};
    struct rch_map map = {.start = 4096, .end = 8192};
    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/link", root);
    assert_int_equal(symlink("/proc/self/exe", path), 0);
    assert_int_equal(open_file_of(&image, map, "/link"), -1);
    assert_int_equal(open_file_of(&image, map, "/../../../../../../../../bin/sh"), -1);
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    int fd = open_file_of(&image, map, "/link");
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    rmdir(root);
}

// A core says no inode: the file is known by the build id in memory.
static void a_core_takes_only_a_file_with_the_same_build_id(void **state)
{
    struct self *self = open_self();
    const struct rch_module *module = module_of(self, in_a_section);
    struct fake_python fake;
    struct rch_error err;
    struct rch_modules modules;
    (void)state;
    self->image.kind = RCH_IMAGE_CORE;
    for (size_t i = 0; i < self->image.num_maps; i++)
        self->maps[i].dev = self->maps[i].inode = 0;
    int fd = rch_image_open_file(&self->image, &self->maps[module->first_map + 1]);
    assert_true(fd >= 0);
    close(fd);
    fake_python_init(&fake, rch_layout_for(3, 13), FAKE_GNU_HASH);
    fake.image.root = "";
    for (size_t i = 0; i < 3; i++) {
        fake.maps[i].path = module->path;
        fake.maps[i].dev = fake.maps[i].inode = 0;
        assert_int_equal(rch_image_open_file(&fake.image, &fake.maps[i]), -1);
    }
    assert_ok(rch_modules_init(&modules, &fake.image, rch_alloc_default(), &err), &err);
    assert_int_equal(modules.num, 1);
    assert_false(modules.items[0].has_file);
    rch_modules_deinit(&modules);
    fake_python_deinit(&fake);
    close_self(self);
}

// --- made-up and damaged --------------------------------------------------------------------------

static void both_hash_tables_are_understood(void **state)
{
    static const uint32_t clues[] = {FAKE_GNU_HASH, FAKE_HASH, FAKE_GNU_HASH | FAKE_RELATIVE,
                                     FAKE_HASH | FAKE_RELATIVE};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct fake_python fake;
        struct rch_modules modules;
        struct rch_error err;
        uint64_t num_bytes = 0;
        fake_python_init(&fake, rch_layout_for(3, 13), clues[i]);
        assert_ok(rch_modules_init(&modules, &fake.image, rch_alloc_default(), &err), &err);
        assert_int_equal(modules.num, 1);
        const struct rch_module *module = modules.items;
        assert_int_equal(module->num_maps, 3);
        assert_int_equal(module->bias, FAKE_ELF);
        assert_int_equal(module->build_id_bytes, 20);
        assert_memory_equal(module->build_id, "ABCDEFGHIJKLMNOPQRST", 20);
        assert_int_equal(rch_module_symbol(&fake.image, module, "_PyRuntime", &num_bytes),
                         fake.runtime);
        assert_int_equal(num_bytes, 4096);
        assert_int_equal(rch_module_symbol(&fake.image, module, "main", NULL), FAKE_CODE);
        assert_int_equal(rch_module_symbol(&fake.image, module, "imported", NULL), 0);
        assert_int_equal(rch_module_symbol(&fake.image, module, "other", NULL), 0);
        assert_int_equal(rch_module_section(&fake.image, module, ".data", NULL), 0);
        rch_modules_deinit(&modules);
        fake_python_deinit(&fake);
    }
}

static void a_file_that_is_only_read_is_no_module(void **state)
{
    struct fake_python fake;
    struct rch_modules modules;
    struct rch_error err;
    (void)state;
    fake_python_init(&fake, rch_layout_for(3, 13), FAKE_GNU_HASH);
    fake.image.num_maps = 1;
    assert_ok(rch_modules_init(&modules, &fake.image, rch_alloc_default(), &err), &err);
    assert_int_equal(modules.num, 0);
    rch_modules_deinit(&modules);
    fake_python_deinit(&fake);
}

static void use_modules(const struct rch_image *image)
{
    struct rch_modules modules;
    struct rch_error err;
    if (rch_modules_init(&modules, image, rch_alloc_default(), &err) != RCH_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < modules.num; i++) {
        (void)rch_module_symbol(image, &modules.items[i], "_PyRuntime", NULL);
        (void)rch_module_section(image, &modules.items[i], ".PyRuntime", NULL);
    }
    rch_modules_deinit(&modules);
}

static void one_wrong_word_of_a_header_never_crashes(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (uint32_t clues = FAKE_GNU_HASH; clues <= FAKE_HASH; clues++) {
        struct fake_python fake;
        fake_python_init(&fake, rch_layout_for(3, 13), clues);
        for (uint32_t i = 0; i < 20000; i++) {
            uint64_t at = next_random(&seed) % (0xd00 / 4) * 4, old;
            uint64_t word = next_random(&seed) >> next_random(&seed) % 64;
            memcpy(&old, fake.bytes + at, 8);
            memcpy(fake.bytes + at, &word, i % 2 ? 4 : 8);
            use_modules(&fake.image);
            memcpy(fake.bytes + at, &old, 8);
        }
        fake_python_deinit(&fake);
    }
}

static int copy_of_this_program(char *path, uint64_t *bytes_out)
{
    char piece[65536];
    int to = mkstemp(path), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    *bytes_out = 0;
    for (ssize_t num; (num = read(from, piece, sizeof(piece))) > 0; *bytes_out += (uint64_t)num)
        assert_int_equal(write(to, piece, (size_t)num), num);
    close(from);
    return to;
}

// The headers at its start and the section headers at its end, which say where all else is.
static void one_wrong_word_of_a_file_never_crashes(void **state)
{
    char path[] = "/tmp/rch_test_elfXXXXXX";
    uint64_t seed = 5, file_bytes, num_found = 0;
    uint8_t build_id[RCH_BUILD_ID_BYTES];
    int fd = copy_of_this_program(path, &file_bytes);
    (void)state;
    assert_true(rch_elf_file_symbol(fd, "only_in_the_symtab", NULL) != 0);
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t old, word = next_random(&seed) >> next_random(&seed) % 64;
        uint64_t at = i % 2 ? file_bytes - 8 - next_random(&seed) % (40 * sizeof(Elf64_Shdr))
                            : next_random(&seed) % 0x400;
        assert_int_equal(pread(fd, &old, 8, (off_t)at), 8);
        assert_int_equal(pwrite(fd, &word, 8, (off_t)at), 8);
        num_found += rch_elf_file_symbol(fd, "only_in_the_symtab", NULL) != 0;
        (void)rch_elf_file_section(fd, ".data", NULL);
        assert_in_range(rch_elf_file_build_id(fd, build_id), 0, RCH_BUILD_ID_BYTES);
        assert_int_equal(pwrite(fd, &old, 8, (off_t)at), 8);
    }
    assert_in_range(num_found, 200, 1999);  // some of it mattered
    close(fd);
    unlink(path);
}

static void out_of_memory_is_told(void **state)
{
    struct fake_python fake;
    (void)state;
    fake_python_init(&fake, rch_layout_for(3, 13), FAKE_GNU_HASH);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_modules modules;
        struct rch_error err;
        assert_ok_or_enomem(rch_modules_init(&modules, &fake.image, alloc, &err));
        rch_modules_deinit(&modules);
    }
    fake_python_deinit(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dynamic_symbols_are_where_the_linker_says),
        cmocka_unit_test(static_symbols_come_from_the_file),
        cmocka_unit_test(sections_are_found),
        cmocka_unit_test(every_loaded_library_is_a_module_with_its_bias),
        cmocka_unit_test(build_ids_of_memory_and_file_are_the_same),
        cmocka_unit_test(only_the_file_that_is_mapped_is_opened),
        cmocka_unit_test(what_is_no_file_is_not_opened),
        cmocka_unit_test(a_link_does_not_lead_out_of_the_root),
        cmocka_unit_test(a_core_takes_only_a_file_with_the_same_build_id),
        cmocka_unit_test(both_hash_tables_are_understood),
        cmocka_unit_test(a_file_that_is_only_read_is_no_module),
        cmocka_unit_test(one_wrong_word_of_a_header_never_crashes),
        cmocka_unit_test(one_wrong_word_of_a_file_never_crashes),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
