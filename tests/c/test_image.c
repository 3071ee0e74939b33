// SPDX-License-Identifier: MIT
// test_image.c -- images put together by hand: what is had, what comes from files, what is missing.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "target/image_impl.h"

#define CHUNK RCH_CHUNK_BYTES
#define BASE (UINT64_C(0x5612) << 32)
#define PAGE UINT64_C(4096)
#define RW (RCH_MAP_READ | RCH_MAP_WRITE)

static const struct rch_image_options plain;

static struct rch_image *image_new(const struct rch_image_options *options)
{
    struct rch_image *image;
    struct rch_error err;
    assert_ok(rch_image_new(options, &image, &err), &err);
    return image;
}

static void add_map(struct rch_image *image, uint64_t start, uint64_t end, uint32_t flags)
{
    struct rch_error err;
    struct rch_map map = {.start = start, .end = end, .flags = flags, .path = ""};
    assert_ok(rch_image_add_map(image, &map, &err), &err);
}

static void seal(struct rch_image *image)
{
    struct rch_error err;
    assert_ok(rch_image_seal(image, &err), &err);
}

// What the byte at an address of our made-up processes is.
static uint8_t byte_at(uint64_t addr)
{
    return (uint8_t)(addr * UINT64_C(0x9e3779b97f4a7c15) >> 56 | 1);
}

static void copy(struct rch_image *image, uint64_t start, uint64_t end)
{
    struct rch_error err;
    assert_ok(rch_image_reserve(image, start, end, start & PAGE, &err), &err);
    for (uint64_t addr = start; addr < end; addr++)
        *rch_image_at(image, addr) = byte_at(addr);
    rch_image_have(image, start, end);
}

static void assert_reads(struct rch_image *image, uint64_t start, uint64_t end)
{
    size_t num = end - start;
    uint8_t *bytes = malloc(num);
    assert_non_null(bytes);
    assert_true(rch_target_read(&image->target, start, bytes, num));
    for (size_t i = 0; i < num; i++)
        assert_int_equal(bytes[i], byte_at(start + i));
    free(bytes);
}

static bool reads(struct rch_image *image, uint64_t addr, size_t num_bytes)
{
    uint8_t bytes[64];
    assert_true(num_bytes <= sizeof(bytes));
    return rch_target_read(&image->target, addr, bytes, num_bytes);
}

static int file_of(uint64_t first_addr, size_t num_bytes)
{
    char path[] = "/tmp/test-image-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    uint8_t *bytes = malloc(num_bytes);
    assert_non_null(bytes);
    for (size_t i = 0; i < num_bytes; i++)
        bytes[i] = byte_at(first_addr + i);
    assert_int_equal(write(fd, bytes, num_bytes), num_bytes);
    free(bytes);
    return fd;
}

static void what_was_copied_is_read_across_chunks_and_maps(void **state)
{
    struct rch_image *image = image_new(&plain);
    (void)state;
    add_map(image, BASE + PAGE, BASE + CHUNK + PAGE, RW);
    add_map(image, BASE + CHUNK + PAGE, BASE + 3 * CHUNK, RW);
    copy(image, BASE + CHUNK + PAGE, BASE + 3 * CHUNK);  // the order does not matter
    copy(image, BASE + PAGE, BASE + CHUNK + PAGE);
    seal(image);
    assert_reads(image, BASE + PAGE, BASE + 3 * CHUNK);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(image->target.chunks[(BASE >> RCH_CHUNK_SHIFT) + i]);
    assert_null(image->target.chunks[(BASE >> RCH_CHUNK_SHIFT) + 3]);
    assert_int_equal(image->bytes_missing, 0);
    rch_image_free(image);
}

static void what_nobody_mapped_cannot_be_read_or_is_zero_beside_a_whole_chunk(void **state)
{
    struct rch_image *image = image_new(&plain);
    (void)state;
    add_map(image, BASE, BASE + PAGE, RW);
    add_map(image, BASE + PAGE, BASE + 2 * PAGE, 0);  // a guard page
    copy(image, BASE, BASE + PAGE);
    seal(image);
    assert_int_equal(rch_load64(&image->target, BASE + PAGE), 0);
    assert_int_equal(rch_load64(&image->target, BASE + CHUNK - 8), 0);
    assert_int_equal(image->target.num_failed, 0);
    assert_false(reads(image, BASE + CHUNK - 4, 8));
    assert_false(reads(image, BASE - 4, 8));
    assert_false(reads(image, 0, 1));
    assert_int_equal(image->bytes_missing, 0);
    rch_image_free(image);
}

static void addresses_no_process_has_fail(void **state)
{
    struct rch_image *image = image_new(&plain);
    struct rch_error err;
    uint64_t end = UINT64_C(1) << RCH_TARGET_ADDR_BITS;
    (void)state;
    add_map(image, end - PAGE, end, RW);
    add_map(image, UINT64_C(0xffffffffff600000), UINT64_C(0xffffffffff601000), RCH_MAP_EXEC);
    copy(image, end - PAGE, end);
    assert_status(rch_image_reserve(image, end - PAGE, end + PAGE, false, &err), RCH_EINVAL, &err);
    assert_status(rch_image_reserve(image, end, end, false, &err), RCH_EINVAL, &err);
    seal(image);
    assert_reads(image, end - 64, end);
    assert_null(rch_image_at(image, end));
    assert_false(reads(image, end - 4, 8));
    assert_false(reads(image, end, 1));
    assert_false(reads(image, UINT64_C(0xffffffffff600000), 8));
    assert_false(reads(image, UINT64_MAX, 1));
    assert_false(reads(image, UINT64_MAX - 3, 8));
    rch_image_free(image);
}

static void what_was_not_had_fails_and_its_neighbours_do_not(void **state)
{
    struct rch_image *image = image_new(&plain);
    (void)state;
    add_map(image, BASE, BASE + 8 * PAGE, RW);
    add_map(image, BASE + 8 * PAGE, BASE + 9 * PAGE, RW | RCH_MAP_SHARED);  // not wanted
    copy(image, BASE, BASE + 2 * PAGE);
    copy(image, BASE + 5 * PAGE, BASE + 8 * PAGE);
    seal(image);
    assert_null(image->target.chunks[BASE >> RCH_CHUNK_SHIFT]);
    assert_reads(image, BASE, BASE + 2 * PAGE);
    assert_reads(image, BASE + 5 * PAGE, BASE + 8 * PAGE);
    assert_false(reads(image, BASE + 2 * PAGE - 4, 8));
    assert_false(reads(image, BASE + 5 * PAGE - 4, 8));
    assert_false(reads(image, BASE + 8 * PAGE, 1));
    assert_int_equal(image->bytes_missing, 3 * PAGE);
    rch_image_free(image);
}

static void memory_never_written_is_had_without_a_copy(void **state)
{
    struct rch_image *image = image_new(&plain);
    uint64_t end = BASE + (UINT64_C(1) << 40);
    (void)state;
    add_map(image, BASE, end, RW);  // a terabyte
    copy(image, BASE + 5 * PAGE, BASE + 6 * PAGE);
    rch_image_have(image, BASE, end);
    seal(image);
    assert_reads(image, BASE + 5 * PAGE, BASE + 6 * PAGE);
    assert_int_equal(rch_load64(&image->target, BASE + 6 * PAGE), 0);
    assert_int_equal(rch_load64(&image->target, end - 8), 0);
    assert_int_equal(image->target.num_failed, 0);
    assert_int_equal(image->bytes_missing, 0);
    rch_image_free(image);
}

static void pages_of_files_are_read_when_wanted(void **state)
{
    struct rch_image *image = image_new(&plain);
    size_t chunk = BASE >> RCH_CHUNK_SHIFT;
    (void)state;
    add_map(image, BASE, BASE + PAGE, RCH_MAP_READ);
    struct rch_map map = {.start = BASE + PAGE,
                          .end = BASE + 6 * PAGE,
                          .offset = PAGE,
                          .path = "x",
                          .flags = RCH_MAP_READ | RCH_MAP_EXEC};
    assert_ok(rch_image_add_map(image, &map, NULL), NULL);
    int fd = file_of(BASE, 4 * PAGE + 10);
    rch_image_back_by_file(image, 0, fd);
    rch_image_back_by_file(image, 1, fd);
    seal(image);
    assert_int_equal(image->bytes_missing, 0);
    assert_reads(image, BASE + 2 * PAGE, BASE + 4 * PAGE + 10);
    assert_reads(image, BASE, BASE + 8);
    assert_int_equal(rch_load64(&image->target, BASE + 5 * PAGE - 8), 0);  // its last page
    assert_int_equal(image->target.num_failed, 0);
    assert_false(reads(image, BASE + 5 * PAGE - 4, 8));  // behind its end
    assert_null(image->target.chunks[chunk]);
    rch_image_free(image);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void pages_that_were_copied_are_not_read_from_the_file(void **state)
{
    struct rch_image *image = image_new(&plain);
    size_t chunk = BASE >> RCH_CHUNK_SHIFT;
    (void)state;
    add_map(image, BASE, BASE + 4 * PAGE, RCH_MAP_READ);
    rch_image_back_by_file(image, 0, file_of(BASE + 7, 4 * PAGE));  // other bytes
    copy(image, BASE + PAGE, BASE + 2 * PAGE);
    seal(image);
    assert_reads(image, BASE + PAGE, BASE + 2 * PAGE);
    assert_null(image->target.chunks[chunk]);
    assert_int_equal(rch_load8(&image->target, BASE), byte_at(BASE + 7));
    assert_non_null(image->target.chunks[chunk]);  // from now on a look-up and a load
    assert_reads(image, BASE + PAGE, BASE + 2 * PAGE);
    assert_int_equal(rch_load8(&image->target, BASE + 2 * PAGE), byte_at(BASE + 2 * PAGE + 7));
    rch_image_free(image);
}

static size_t num_files(const char *dir)
{
    DIR *opened = opendir(dir);
    size_t num = 0;
    assert_non_null(opened);
    while (readdir(opened))
        num++;
    closedir(opened);
    return num - 2;
}

static void beyond_the_memory_limit_the_copy_is_in_an_unlinked_file(void **state)
{
    char dir[] = "/tmp/test-image-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct rch_image *image =
        image_new(&(struct rch_image_options){.memory_limit = CHUNK, .temp_dir = dir});
    (void)state;
    add_map(image, BASE, BASE + 4 * CHUNK, RW);
    for (unsigned i = 0; i < 4; i++)
        copy(image, BASE + i * CHUNK, BASE + (i + 1) * CHUNK);
    assert_int_equal(num_files(dir), 0);
    seal(image);
    assert_reads(image, BASE, BASE + 4 * CHUNK);
    rch_image_free(image);
    assert_int_equal(rmdir(dir), 0);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    struct rch_error err;
    struct rch_image *image =
        image_new(&(struct rch_image_options){.memory_limit = 1, .temp_dir = "/nonexistent"});
    (void)state;
    assert_status(rch_image_reserve(image, BASE, BASE + PAGE, true, &err), RCH_EIO, &err);
    assert_non_null(strstr(err.message, "/nonexistent"));
    assert_null(rch_image_at(image, BASE));
    rch_image_free(image);
}

static void maps_come_in_order(void **state)
{
    struct rch_image *image = image_new(&plain);
    struct rch_map bad = {.start = BASE + PAGE, .end = BASE + 3 * PAGE, .flags = RW, .path = ""};
    char path[] = "/usr/lib/x";
    (void)state;
    add_map(image, BASE, BASE + 2 * PAGE, RW);
    assert_status(rch_image_add_map(image, &bad, NULL), RCH_EINVAL, NULL);
    bad.start = bad.end;
    assert_status(rch_image_add_map(image, &bad, NULL), RCH_EINVAL, NULL);
    struct rch_map good = {.start = BASE + 4 * PAGE, .end = BASE + 5 * PAGE, .path = path};
    assert_ok(rch_image_add_map(image, &good, NULL), NULL);
    path[0] = '!';
    assert_int_equal(image->num_maps, 2);
    assert_ptr_equal(rch_image_map_at(image, BASE + 2 * PAGE - 1), &image->maps[0]);
    assert_null(rch_image_map_at(image, BASE + 2 * PAGE));
    assert_null(rch_image_map_at(image, BASE - 1));
    assert_null(rch_image_map_at(image, BASE + 5 * PAGE));
    assert_string_equal(rch_image_map_at(image, BASE + 4 * PAGE)->path, "/usr/lib/x");
    rch_image_free(image);
}

static void threads_and_warnings_are_kept(void **state)
{
    struct rch_image *image = image_new(&plain);
    struct rch_error err;
    (void)state;
    for (uint32_t tid = 1; tid <= 100; tid++) {
        struct rch_os_thread thread = {.tid = tid, .was_stopped = tid % 10, .name = "worker"};
        assert_ok(rch_image_add_thread(image, &thread, &err), &err);
        assert_ok(rch_image_warn(image, &err, "number %u", tid), &err);
    }
    assert_int_equal(image->num_threads, 100);
    assert_int_equal(image->threads[99].tid, 100);
    assert_int_equal(image->num_not_stopped, 10);
    assert_int_equal(image->num_warnings, 100);
    assert_string_equal(image->warnings[0], "number 1");
    assert_string_equal(image->warnings[99], "number 100");
    rch_image_free(image);
}

static void nothing_leaks_when_memory_runs_out(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_image_options options = {.alloc = alloc};
        struct rch_image *image;
        if (!ok_or_enomem(rch_image_new(&options, &image, NULL)))
            continue;
        for (unsigned i = 0; i < 20; i++) {
            struct rch_map map = {.start = BASE + i * CHUNK,
                                  .end = BASE + i * CHUNK + 2 * PAGE,
                                  .flags = RW,
                                  .path = "somewhere"};
            if (!ok_or_enomem(rch_image_add_map(image, &map, NULL)))
                continue;
            rch_image_back_by_file(image, image->num_maps - 1, file_of(map.start, PAGE));
            assert_ok_or_enomem(rch_image_reserve(image, map.start, map.start + PAGE, false, NULL));
            rch_image_have(image, map.start, map.start + PAGE);
            assert_ok_or_enomem(rch_image_warn(image, NULL, "%s", map.path));
        }
        if (ok_or_enomem(rch_image_seal(image, NULL)))
            (void)rch_load8(&image->target, BASE + 1);
        rch_image_free(image);
    }
}

// A made-up process, page by page.
enum page { UNMAPPED, GUARD, NOT_HAD, COPIED, FROM_FILE, UNTOUCHED };
#define NUM_PAGES (3u * 512)

// Expected of a byte in a page: -1 must fail, else its value. In a whole chunk all reads succeed.
static int expected(const enum page *pages, size_t i, bool is_whole, uint64_t addr)
{
    switch (pages[i]) {
    case COPIED:
    case FROM_FILE: return byte_at(addr);
    case UNTOUCHED: return 0;
    case UNMAPPED:
    case GUARD: return is_whole ? 0 : -1;
    default: return -1;
    }
}

static struct rch_image *random_image(uint64_t *seed, enum page *pages)
{
    struct rch_image *image = image_new(&plain);
    int fd = file_of(BASE, NUM_PAGES * PAGE);
    for (size_t i = 0, end; i < NUM_PAGES; i = end) {
        enum page kind = (enum page)(next_random(seed) % 6);
        end = i + 1 + next_random(seed) % 200;
        if (kind == NOT_HAD && next_random(seed) % 4)
            kind = COPIED;
        if (end > NUM_PAGES)
            end = NUM_PAGES;
        for (size_t k = i; k < end; k++)
            pages[k] = kind;
        struct rch_map map = {.start = BASE + i * PAGE,
                              .end = BASE + end * PAGE,
                              .path = "",
                              .offset = i * PAGE,
                              .flags = kind == GUARD ? 0 : RCH_MAP_READ};
        if (kind == UNMAPPED)
            continue;
        assert_ok(rch_image_add_map(image, &map, NULL), NULL);
        if (kind == FROM_FILE)
            rch_image_back_by_file(image, image->num_maps - 1, dup(fd));
        if (kind == COPIED)
            copy(image, map.start, map.end);
        if (kind == UNTOUCHED)
            rch_image_have(image, map.start, map.end);
    }
    close(fd);
    seal(image);
    return image;
}

static void any_mixture_reads_as_its_pages_say(void **state)
{
    uint64_t seed = 1;
    enum page pages[NUM_PAGES];
    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        struct rch_image *image = random_image(&seed, pages);
        for (unsigned i = 0; i < 20000; i++) {
            uint64_t addr = BASE + next_random(&seed) % (NUM_PAGES * PAGE);
            uint8_t byte;
            bool is_read = rch_target_read(&image->target, addr, &byte, 1);
            bool is_whole = image->target.chunks[addr >> RCH_CHUNK_SHIFT] != NULL;
            int want = expected(pages, (addr - BASE) / PAGE, is_whole, addr);
            assert_int_equal(is_read ? byte : -1, want);
        }
        rch_image_free(image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_copied_is_read_across_chunks_and_maps),
        cmocka_unit_test(what_nobody_mapped_cannot_be_read_or_is_zero_beside_a_whole_chunk),
        cmocka_unit_test(addresses_no_process_has_fail),
        cmocka_unit_test(what_was_not_had_fails_and_its_neighbours_do_not),
        cmocka_unit_test(memory_never_written_is_had_without_a_copy),
        cmocka_unit_test(pages_of_files_are_read_when_wanted),
        cmocka_unit_test(pages_that_were_copied_are_not_read_from_the_file),
        cmocka_unit_test(beyond_the_memory_limit_the_copy_is_in_an_unlinked_file),
        cmocka_unit_test(a_file_that_cannot_be_made_is_an_error),
        cmocka_unit_test(maps_come_in_order),
        cmocka_unit_test(threads_and_warnings_are_kept),
        cmocka_unit_test(nothing_leaks_when_memory_runs_out),
        cmocka_unit_test(any_mixture_reads_as_its_pages_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
