// SPDX-License-Identifier: MIT
// tests/c/test_format.c -- snapshots: what is written comes back, and what is cut, flipped or made
// up gives a status or a graph that says it is partial.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file_impl.h"
#include "format/rch_file.h"
#include "model/builder.h"
#include "model/verify.h"
#include "support.h"

// --- a directory and a file of the test ---

static char dir[64], file[96];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_format.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof(file), "%s/a.rch", dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(file);
    bool is_empty = rmdir(dir) == 0;  // fails if a test left something behind
    return graphs_teardown(state) || !is_empty;
}

static struct rch_graph *sample(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "conn:70000:net.Conn pool:1000:net/Pool.Inner big:99999999999:bytes:untracked "
        "main::dict reg::collections.OrderedDict fn:136:function obs:1::observer "
        "!MainThread,4711,gil+asks,@thread.MainThread |recv,net.py,12,@frame.f |<module>,app.py,7 "
        "!io,4712,torn,,epoll_wait |loop,io.py,300,@coroutine.loop %4,pipe,,,pipe~81 "
        "%3,socket,TCP,ESTABLISHED,127.0.0.1:40312,127.0.0.1:5672 conn%3 conn%9 big%4",
        "@module.app>main{kp}>pool.items>lst[]>conn main{kr}>reg{k1}>conn reg{k2}> conn.buf>big "
        "fn(x)>conn @frame.f-local.x>conn @frame.f-local.fn>fn conn~pool lst[]>main lst[]> "
        "@thread.MainThread>main @coroutine.loop>fn @c-held(ssl.Context):2>conn "
        "@garbage.g>cyc.a>cyd.b>cyc conn.__dict__>d2{k1}>big");
    assert_true(g->num_texts == 4 && g->num_observers == 1 && g->num_big_sizes == 2);
    assert_true(g->num_threads == 2 && g->num_stack_frames == 3);
    assert_true(g->num_fds == 2 && g->num_fd_owners == 3);
    return g;
}

struct bytes {
    uint8_t *mem;
    size_t num;
};

// The bytes of the snapshot of g, in memory of exactly that size.
static struct bytes snapshot_of(const struct rch_graph *g)
{
    struct rch_error err;
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(rch_file_write_fd(g, fd, NULL, &err), &err);
    struct bytes snapshot = {.num = (size_t)lseek(fd, 0, SEEK_END)};
    snapshot.mem = malloc(snapshot.num);
    assert_non_null(snapshot.mem);
    assert_int_equal(pread(fd, snapshot.mem, snapshot.num, 0), snapshot.num);
    close(fd);
    return snapshot;
}

static enum rch_status open_bytes(const void *mem, size_t num, bool salvage,
                                  struct rch_graph **graph_out, struct rch_error *err)
{
    return rch_file_open_bytes(mem, num, salvage, rch_alloc_default(), NULL, graph_out, err);
}

static struct rch_section_header *header_of(const struct bytes *snapshot, uint32_t kind)
{
    for (size_t at = RCH_FILE_ALIGN; at < snapshot->num; at += RCH_FILE_ALIGN) {
        struct rch_section_header *header = (void *)(snapshot->mem + at);
        if (memcmp(header->magic, RCH_SECTION_MAGIC, RCH_MAGIC_BYTES) == 0 && header->kind == kind)
            return header;
    }
    fail_msg("no section of kind %" PRIu32, kind);
    return NULL;
}

static void seal_header(struct rch_section_header *header)
{
    header->checksum = rch_checksum(header, offsetof(struct rch_section_header, checksum));
}

static void seal_file_header(struct bytes *snapshot, const struct rch_file_header *header)
{
    memcpy(snapshot->mem, header, sizeof(*header));
    struct rch_file_header *at = (void *)snapshot->mem;
    at->checksum = rch_checksum(at, offsetof(struct rch_file_header, checksum));
}

// Make a changed payload look right: checksums of section, directory and trailer.
static void seal_payload(struct bytes *snapshot, struct rch_section_header *header)
{
    struct rch_section_header *dir_header = header_of(snapshot, RCH_SECTION_DIRECTORY);
    struct rch_directory_row *rows = (void *)(dir_header + 1);
    header->payload_checksum = rch_checksum(header + 1, header->payload_bytes);
    for (uint64_t i = 0; i < dir_header->num; i++) {
        if (rows[i].kind == header->kind)
            rows[i].payload_checksum = header->payload_checksum;
    }
    dir_header->payload_checksum = rch_checksum(rows, dir_header->payload_bytes);
    seal_header(header);
    seal_header(dir_header);
}

// Bytes that are no snapshot any more: never a crash, never a graph that is not sound. With salvage
// a graph that comes of it says that it is partial. Returns whether there was one.
static bool check_damaged(const void *mem, size_t num)
{
    struct rch_graph *g = NULL;
    struct rch_error err;
    assert_status(open_bytes(mem, num, false, &g, &err), RCH_ECORRUPT, &err);
    assert_true(err.message[0] != '\0');
    assert_null(g);
    if (open_bytes(mem, num, true, &g, &err) != RCH_OK)
        return false;
    assert_ok(rch_graph_verify(g, &err), &err);
    assert_int_equal(g->info.is_partial, 1);
    assert_true(g->num_warnings > 0);
    rch_graph_free(g);
    return true;
}

// --- writing and reading ---

static void what_is_written_comes_back(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    g->info = (struct rch_capture_info){.pid = 1, .py_major = 3, .py_minor = 13, .time_ns = 5};
    assert_ok(rch_file_write(g, file, NULL, &err), &err);
    for (int salvage = 0; salvage < 2; salvage++) {
        assert_ok(rch_file_open(file, salvage, rch_alloc_default(), &back, &err), &err);
        assert_same_graph(g, back);
        assert_int_equal(back->info.is_partial, 0);
        rch_graph_free(back);
    }
}

static void an_empty_graph_comes_back(void **state)
{
    struct rch_graph *g = graph_of(state, "", ""), *back;
    struct rch_error err;
    assert_ok(rch_file_write(g, file, NULL, &err), &err);
    assert_ok(rch_file_open(file, false, rch_alloc_default(), &back, &err), &err);
    assert_same_graph(g, back);
    rch_graph_free(back);
}

static void the_bytes_are_those_of_the_document(void **state)
{
    struct bytes s = snapshot_of(graph_of(state, "", "@module.m>a>b"));
    static const uint8_t start[] = {
        0x93, 0x52, 0x43, 0x48, 0x0D, 0x0A, 0x1A, 0x0A, 1, 0, 1, 0, 4, 3, 2, 1, 64, 0, 0, 0,
        0,    0,    0,    0,    2,    0,    0,    0,    2, 0, 0, 0, 3, 0, 0, 0, 2,  0, 0, 0};
    static const uint8_t info[] = {0x93, 0x52, 0x43, 0x48, 0x53, 0x45, 0x43, 0x0A, 1,  0, 0, 0,
                                   0,    0,    0,    0,    72,   0,    0,    0,    0,  0, 0, 0,
                                   1,    0,    0,    0,    0,    0,    0,    0,    72, 0, 0, 0};
    assert_memory_equal(s.mem, start, sizeof(start));
    assert_memory_equal(s.mem + 64, info, sizeof(info));
    assert_int_equal(s.num % 64, 0);
    assert_memory_equal(s.mem + s.num - 64, "\x93RCHEND\n", 8);
    assert_int_equal(*(uint64_t *)(void *)(s.mem + s.num - 48), s.num);
    struct rch_section_header *edges = header_of(&s, 14);
    assert_int_equal(edges->num, 2);
    assert_memory_equal(edges + 1, "\1\0\0\0\0\0\0\0", 8);
    // XXH3-64 of nothing, from the specification's test vectors
    assert_int_equal(rch_checksum("", 0), UINT64_C(0x2d06800538d394c2));
    free(s.mem);
}

static struct rch_graph *list_of(uint32_t num_objects, uint32_t num_refs)
{
    struct rch_builder *b;
    struct rch_graph *g;
    uint32_t type, shape, handle;
    const struct rch_type list = {.node = RCH_NO_NODE};
    const struct rch_label item = {.kind = RCH_EDGE_ITEM, .flags = RCH_LABEL_GROUP};
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_ok(rch_builder_type(b, &list, &type, NULL), NULL);
    assert_ok(rch_builder_shape(b, type, &item, 0, 1, &shape, NULL), NULL);
    for (uint32_t i = 0; i < num_objects; i++) {
        const struct rch_object object = {
            .addr = 16 * (i + UINT64_C(1)), .size_bytes = 56, .shape = shape, .is_tracked = true};
        assert_ok(rch_builder_object(b, &object, &handle, NULL), NULL);
    }
    for (uint32_t e = 0; e < num_refs; e++)
        assert_ok(rch_builder_ref(b, e % num_objects, e * 7919 % num_objects, NULL), NULL);
    assert_ok(rch_builder_finish(b, &g, NULL), NULL);
    rch_builder_free(b);
    return g;
}

static void a_big_file_takes_14_bytes_a_node_and_4_a_reference(void **state)
{
    (void)state;
    struct rch_graph *g = list_of(100000, 250000), *back;
    struct rch_error err;
    struct stat st;
    assert_ok(rch_file_write(g, file, NULL, &err), &err);
    assert_int_equal(stat(file, &st), 0);
    assert_in_range(st.st_size, 0, 14 * 100000 + 4 * 250000 + 6000);
    assert_ok(rch_file_open(file, false, rch_alloc_default(), &back, &err), &err);
    assert_same_graph(g, back);
    rch_graph_free(back);
    rch_graph_free(g);
}

static void opening_survives_every_failing_allocation(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    for (int damage = 0; damage < 3; damage++) {
        size_t num = s.num;
        if (damage == 1)
            num -= RCH_FILE_ALIGN;
        if (damage == 2)  // everything that can be repaired is
            for (uint32_t kind = RCH_SECTION_SIZE16; kind < RCH_NUM_SECTION_KINDS; kind++)
                header_of(&s, kind)->checksum ^= 1;
        FOR_EACH_FAILING_ALLOC (alloc) {
            struct rch_graph *g;
            if (ok_or_enomem(rch_file_open_bytes(s.mem, num, true, alloc, NULL, &g, NULL)))
                rch_graph_free(g);
        }
    }
    free(s.mem);
}

// --- the file on disk ---

static void snapshots_are_private(void **state)
{
    struct stat st;
    mode_t old = umask(0777);
    struct rch_error err;
    assert_ok(rch_file_write(sample(state), file, NULL, &err), &err);
    umask(old);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void an_old_snapshot_is_replaced(void **state)
{
    struct rch_error err;
    struct rch_graph *back, *small = graph_of(state, "a", "");
    assert_ok(rch_file_write(sample(state), file, NULL, &err), &err);
    assert_ok(rch_file_write(small, file, NULL, &err), &err);
    assert_ok(rch_file_open(file, false, rch_alloc_default(), &back, &err), &err);
    assert_same_graph(small, back);
    rch_graph_free(back);
}

static void an_open_snapshot_outlives_its_replacement(void **state)
{
    struct rch_error err;
    struct rch_graph *back, *g = sample(state);
    assert_ok(rch_file_write(g, file, NULL, &err), &err);
    assert_ok(rch_file_open(file, false, rch_alloc_default(), &back, &err), &err);
    assert_ok(rch_file_write(graph_of(state, "a", ""), file, NULL, &err), &err);
    assert_same_graph(g, back);
    rch_graph_free(back);
}

static void assert_file_is(const struct rch_graph *g)
{
    struct rch_error err;
    struct rch_graph *back;
    assert_ok(rch_file_open(file, false, rch_alloc_default(), &back, &err), &err);
    assert_same_graph(g, back);
    rch_graph_free(back);
}

// What else is in the directory makes rmdir fail in remove_dir.
static void a_full_disk_leaves_the_old_snapshot_and_nothing_else(void **state)
{
    struct rch_error err;
    struct rch_graph *old = graph_of(state, "a", ""), *big = list_of(20000, 40000);
    struct rlimit limit, no_limit;
    assert_ok(rch_file_write(old, file, NULL, &err), &err);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &no_limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t bytes = 0; bytes < 300000; bytes += 37777) {
        limit = (struct rlimit){bytes, no_limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum rch_status st = rch_file_write(big, file, NULL, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_limit), 0);
        assert_status(st, RCH_EIO, &err);
        assert_int_equal(err.os_errno, EFBIG);
        assert_file_is(old);
    }
    signal(SIGXFSZ, SIG_DFL);
    rch_graph_free(big);
}

static void a_device_that_is_full_gives_its_errno(void **state)
{
    struct rch_error err;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    assert_status(rch_file_write_fd(sample(state), fd, NULL, &err), RCH_EIO, &err);
    assert_int_equal(err.os_errno, ENOSPC);
    close(fd);
}

static void only_regular_files_are_replaced_or_read(void **state)
{
    struct rch_error err;
    struct rch_graph *g = sample(state), *back;
    assert_status(rch_file_write(g, "/dev/null", NULL, &err), RCH_EINVAL, &err);
    assert_status(rch_file_write(g, dir, NULL, &err), RCH_EINVAL, &err);
    assert_status(rch_file_open("/dev/null", true, rch_alloc_default(), &back, &err), RCH_EINVAL,
                  &err);
    assert_status(rch_file_open(dir, true, rch_alloc_default(), &back, &err), RCH_EINVAL, &err);
    assert_status(rch_file_open(file, true, rch_alloc_default(), &back, &err), RCH_EIO, &err);
    assert_int_equal(err.os_errno, ENOENT);
    assert_status(rch_file_write(g, "/nonexistent/dir/a.rch", NULL, &err), RCH_EIO, &err);
    assert_int_equal(err.os_errno, ENOENT);
    char *long_path = calloc(1, 100001);
    memset(long_path, '/', 100000);
    assert_status(rch_file_write(g, long_path, NULL, &err), RCH_EINVAL, &err);
    free(long_path);
}

struct stopper {
    int num_left;
    uint64_t last_done;
};

static bool stop_after(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct stopper *stopper = ctx;
    assert_non_null(phase);
    assert_true(done >= stopper->last_done && done <= total);
    stopper->last_done = done;
    return stopper->num_left-- > 0;
}

static void a_canceled_write_leaves_the_old_snapshot_and_nothing_else(void **state)
{
    struct rch_error err;
    struct rch_graph *old = graph_of(state, "a", ""), *g = sample(state);
    assert_ok(rch_file_write(old, file, NULL, &err), &err);
    for (int num = 0;; num++) {
        struct stopper stopper = {num, 0};
        const struct rch_progress progress = {stop_after, &stopper};
        enum rch_status st = rch_file_write(g, file, &progress, &err);
        if (st == RCH_OK)
            break;
        assert_status(st, RCH_ECANCELED, &err);
        assert_file_is(old);
    }
    assert_file_is(g);
}

// --- damage ---

static void a_snapshot_cut_anywhere_is_found_out(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    size_t num_saved = 0;
    for (size_t num = 0; num < s.num; num++) {
        uint8_t *cut =
            malloc(num ? num : 1);  // of this size, so that a read past its end is caught
        assert_non_null(cut);
        memcpy(cut, s.mem, num);
        num_saved += check_damaged(cut, num);
        free(cut);
    }
    assert_true(num_saved > s.num / 4);
    free(s.mem);
}

static void a_snapshot_without_its_end_loses_nothing(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    size_t end = (size_t)((uint8_t *)header_of(&s, RCH_SECTION_DIRECTORY) - s.mem);
    assert_ok(open_bytes(s.mem, end, true, &back, &err), &err);
    assert_int_equal(back->num_edges, g->num_edges);
    assert_int_equal(back->num_texts, g->num_texts);
    assert_memory_equal(back->edges, g->edges, g->num_edges * sizeof(*g->edges));
    assert_int_equal(back->num_warnings, 1);
    rch_graph_free(back);
    free(s.mem);
}

static void a_snapshot_without_its_last_references_keeps_the_first(void **state)
{
    (void)state;
    struct rch_graph *g = list_of(1000, 3000), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    size_t cut = (size_t)((uint8_t *)(header_of(&s, RCH_SECTION_EDGES) + 1) - s.mem) + 4 * 1504;
    assert_ok(open_bytes(s.mem, cut, true, &back, &err), &err);
    assert_int_equal(back->num_edges, 1503);  // 501 nodes with 3 each
    assert_int_equal(back->info.num_unreadable, 1497);
    assert_int_equal(rch_num_refs(back, 500), 3);
    assert_int_equal(rch_num_refs(back, 501), 0);
    assert_memory_equal(back->edges, g->edges, 1503 * sizeof(*g->edges));
    assert_string_equal(rch_str_get(back, back->warnings[1]),
                        "references of 499 of 1000 nodes are lost: 1497 references");
    rch_graph_free(back);
    rch_graph_free(g);
    free(s.mem);
}

static void every_flipped_bit_is_found_out(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    struct rch_error err;
    for (size_t at = 0; at < s.num; at++) {
        struct rch_graph *g = NULL;
        uint8_t flip = (uint8_t)(1u << at % 8);
        s.mem[at] ^= flip;
        enum rch_status st = open_bytes(s.mem, s.num, false, &g, &err);
        if (st == RCH_OK)  // padding, which nothing covers
            rch_graph_free(g);
        else
            check_damaged(s.mem, s.num);
        s.mem[at] ^= flip;
    }
    for (uint32_t kind = 0; kind < RCH_NUM_SECTION_KINDS; kind++) {
        struct rch_section_header *header = header_of(&s, kind);
        uint8_t *payload = (uint8_t *)(header + 1);
        for (uint64_t i = 0; i < header->payload_bytes; i++) {
            payload[i] ^= 0x80;
            check_damaged(s.mem, s.num);
            payload[i] ^= 0x80;
        }
    }
    free(s.mem);
}

static void padding_between_sections_does_not_matter(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct bytes s = snapshot_of(g);
    struct rch_error err;
    struct rch_section_header *info = header_of(&s, RCH_SECTION_INFO);
    ((uint8_t *)(info + 1))[72] = 0xFF;
    assert_ok(open_bytes(s.mem, s.num, false, &back, &err), &err);
    assert_same_graph(g, back);
    rch_graph_free(back);
    free(s.mem);
}

static void each_lost_section_is_dropped_or_told(void **state)
{
    static const uint32_t essential[] = {
        RCH_SECTION_STR_START, RCH_SECTION_STR_BYTES, RCH_SECTION_TYPES,   RCH_SECTION_LABELS,
        RCH_SECTION_SHAPES,    RCH_SECTION_ROOTS,     RCH_SECTION_SHAPE_OF};
    struct rch_graph *g = sample(state);
    for (uint32_t kind = 1; kind < RCH_NUM_SECTION_KINDS; kind++) {
        bool is_essential = false;
        for (size_t i = 0; i < sizeof(essential) / sizeof(essential[0]); i++)
            is_essential |= essential[i] == kind;
        struct bytes s = snapshot_of(g);
        header_of(&s, kind)->magic[1] ^= 1;  // not there any more
        assert_int_equal(check_damaged(s.mem, s.num), !is_essential);
        free(s.mem);
        s = snapshot_of(g);
        struct rch_section_header *header = header_of(&s, kind);
        if (header->payload_bytes) {
            *(uint8_t *)(header + 1) ^= 1;
            assert_int_equal(check_damaged(s.mem, s.num), !is_essential);
        }
        free(s.mem);
    }
}

static bool has_warning(const struct rch_graph *g, const char *words)
{
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        if (strstr(rch_str_get(g, g->warnings[i]), words))
            return true;
    }
    return false;
}

static void threads_are_not_told_without_their_frames(void **state)
{
    static const uint32_t kinds[] = {RCH_SECTION_THREADS, RCH_SECTION_STACK_FRAMES};
    for (size_t i = 0; i < 2; i++) {
        struct rch_graph *g = sample(state), *back;
        struct rch_error err;
        struct bytes s = snapshot_of(g);
        header_of(&s, kinds[i])->checksum ^= 1;
        assert_ok(open_bytes(s.mem, s.num, true, &back, &err), &err);
        assert_int_equal(back->num_threads, 0);
        assert_int_equal(back->num_stack_frames, 0);
        assert_int_equal(back->num_fds, 2);
        assert_true(has_warning(back, "threads and their stacks are lost"));
        assert_false(has_warning(back, "descriptors"));
        rch_graph_free(back);
        free(s.mem);
    }
}

static void lost_addresses_and_sizes_leave_the_references_as_they_were(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    static const uint32_t kinds[] = {RCH_SECTION_ADDR8, RCH_SECTION_SIZE16, RCH_SECTION_BIG_SIZES,
                                     RCH_SECTION_OBSERVERS};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        header_of(&s, kinds[i])->checksum ^= 1;
    assert_ok(open_bytes(s.mem, s.num, true, &back, &err), &err);
    assert_memory_equal(back->edges, g->edges, g->num_edges * sizeof(*g->edges));
    assert_int_equal(back->num_observers, 0);
    assert_int_equal(rch_size_bytes(back, graph_node(g, "conn")), 0);
    assert_int_equal(rch_addr_of(back, 1), 16);
    assert_int_equal(rch_node_at(back, 16), 1);
    assert_string_equal(rch_str_get(back, g->types[0].name), rch_str_get(g, g->types[0].name));
    rch_graph_free(back);
    free(s.mem);
}

static void a_lost_file_header_is_made_up_for_by_info(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    memset(s.mem, 0, 64);
    assert_status(open_bytes(s.mem, s.num, false, &back, &err), RCH_ECORRUPT, &err);
    assert_ok(open_bytes(s.mem, s.num, true, &back, &err), &err);
    assert_int_equal(back->num_tracked, g->num_tracked);
    assert_int_equal(back->num_edges, g->num_edges);
    rch_graph_free(back);
    header_of(&s, RCH_SECTION_INFO)->checksum ^= 1;
    assert_status(open_bytes(s.mem, s.num, true, &back, &err), RCH_ECORRUPT, &err);
    free(s.mem);
}

static void damaged_references_that_lead_nowhere_become_holes(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    rch_node *edges = (void *)(header_of(&s, RCH_SECTION_EDGES) + 1);
    edges[1] = g->num_objects;
    assert_ok(open_bytes(s.mem, s.num, true, &back, &err), &err);
    assert_int_equal(back->edges[1], RCH_NO_NODE);
    assert_int_equal(back->edges[2], g->edges[2]);
    assert_int_equal(back->info.num_unreadable, 1);
    rch_graph_free(back);
    free(s.mem);
}

// --- lies: checksums are right, numbers are not ---

static void numbers_out_of_range_under_right_checksums_are_found_out(void **state)
{
    struct rch_graph *g = sample(state);
    uint64_t seed = 1;
    for (uint32_t round = 0; round < 4000; round++) {
        struct bytes s = snapshot_of(g);
        struct rch_graph *back;
        struct rch_error err;
        struct rch_section_header *header =
            header_of(&s, (uint32_t)(next_random(&seed) % (RCH_NUM_SECTION_KINDS - 1)) + 1);
        if (header->payload_bytes) {
            uint8_t *at = (uint8_t *)(header + 1) + next_random(&seed) % header->payload_bytes;
            *at = (uint8_t)next_random(&seed);
            seal_payload(&s, header);
        }
        if (round % 3 == 0)  // and the scan instead of the directory
            memset(s.mem + s.num - 64, 0, 64);
        if (open_bytes(s.mem, s.num, round % 2, &back, &err) == RCH_OK) {
            assert_ok(rch_graph_verify(back, &err), &err);
            rch_graph_free(back);
        } else {
            assert_int_equal(err.code, RCH_ECORRUPT);
        }
        free(s.mem);
    }
}

static void counts_beyond_the_file_cost_no_memory(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    struct rch_file_header header;
    struct tracked_alloc tracked;
    struct rch_graph *g;
    struct rch_error err;
    memcpy(&header, s.mem, sizeof(header));
    header.counts = (struct rch_file_counts){0, UINT32_MAX - 1, UINT32_MAX - 1, UINT32_MAX - 1};
    seal_file_header(&s, &header);
    for (uint32_t kind = RCH_SECTION_SHAPE_OF; kind <= RCH_SECTION_EDGES; kind++) {
        struct rch_section_header *section = header_of(&s, kind);
        section->num = UINT32_MAX - 1;
        section->payload_bytes = section->num * section->elem_bytes;
        seal_header(section);
    }
    tracked_alloc_init(&tracked, 0);
    assert_status(rch_file_open_bytes(s.mem, s.num, true, &tracked.alloc, NULL, &g, &err),
                  RCH_ECORRUPT, &err);
    assert_in_range(tracked.peak_bytes, 0, 10 * s.num);
    tracked_alloc_finish(&tracked);
    free(s.mem);
}

static void sizes_that_overflow_are_found_out(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    struct rch_section_header *edges = header_of(&s, RCH_SECTION_EDGES);
    edges->num = UINT64_C(1) << 62;  // times 4 bytes: 0
    edges->payload_bytes = 0;
    seal_header(edges);
    check_damaged(s.mem, s.num);
    edges->num = UINT64_MAX / 4;
    edges->payload_bytes = UINT64_MAX / 4 * 4;
    seal_header(edges);
    check_damaged(s.mem, s.num);
    free(s.mem);
}

// --- versions ---

static void another_major_version_is_refused_and_a_minor_one_is_not(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct rch_file_header header;
    struct bytes s = snapshot_of(g);
    memcpy(&header, s.mem, sizeof(header));
    header.minor = 7;
    seal_file_header(&s, &header);
    assert_ok(open_bytes(s.mem, s.num, false, &back, &err), &err);
    rch_graph_free(back);
    header.major = 2;
    seal_file_header(&s, &header);
    assert_status(open_bytes(s.mem, s.num, true, &back, &err), RCH_EUNSUPPORTED, &err);
    header.major = 1;
    header.byte_order = 0x04030201;
    seal_file_header(&s, &header);
    assert_status(open_bytes(s.mem, s.num, true, &back, &err), RCH_EUNSUPPORTED, &err);
    free(s.mem);
}

// Rename a section's kind, in its header and in the directory.
static void set_kind(struct bytes *s, uint32_t old, uint32_t kind)
{
    struct rch_section_header *header = header_of(s, old);
    struct rch_section_header *dir_header = header_of(s, RCH_SECTION_DIRECTORY);
    struct rch_directory_row *rows = (void *)(dir_header + 1);
    header->kind = kind;
    for (uint64_t i = 0; i < dir_header->num; i++) {
        if (rows[i].kind == old)
            rows[i].kind = kind;
    }
    dir_header->payload_checksum = rch_checksum(rows, dir_header->payload_bytes);
    seal_header(header);
    seal_header(dir_header);
}

static void sections_of_unknown_kinds_are_skipped(void **state)
{
    struct rch_graph *g = sample(state), *back;
    struct rch_error err;
    struct bytes s = snapshot_of(g);
    set_kind(&s, RCH_SECTION_TEXTS, 4711);
    assert_ok(open_bytes(s.mem, s.num, false, &back, &err), &err);
    assert_int_equal(back->num_texts, 0);
    assert_int_equal(back->info.is_partial, 0);
    rch_graph_free(back);
    set_kind(&s, 4711, RCH_SECTION_OBSERVERS);
    check_damaged(s.mem, s.num);  // comes twice
    set_kind(&s, RCH_SECTION_EDGES, 4711);
    check_damaged(s.mem, s.num);  // is missing
    free(s.mem);
}

// Version 1.0 had no threads and no descriptors: they are not lost, they never were.
static void a_file_of_version_1_0_has_lost_no_threads(void **state)
{
    static const uint32_t kinds[] = {RCH_SECTION_THREADS, RCH_SECTION_STACK_FRAMES, RCH_SECTION_FDS,
                                     RCH_SECTION_FD_OWNERS};
    struct rch_graph *back;
    struct rch_error err;
    struct rch_file_header header;
    struct bytes s = snapshot_of(sample(state));
    memcpy(&header, s.mem, sizeof(header));
    header.minor = 0;
    seal_file_header(&s, &header);
    for (uint32_t i = 0; i < 4; i++)
        set_kind(&s, kinds[i], 5000 + i);
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        size_t num = s.num - (is_cut ? 64 : 0);
        assert_ok(open_bytes(s.mem, num, is_cut, &back, &err), &err);
        assert_int_equal(back->num_threads + back->num_stack_frames, 0);
        assert_int_equal(back->num_fds + back->num_fd_owners, 0);
        assert_int_equal(back->num_warnings, is_cut);
        rch_graph_free(back);
    }
    free(s.mem);
}

static void text_mode_transfers_are_recognised(void **state)
{
    struct bytes s = snapshot_of(sample(state));
    struct rch_graph *g;
    struct rch_error err;
    memmove(s.mem + 4, s.mem + 5, s.num - 5);  // CR LF became LF
    assert_status(open_bytes(s.mem, s.num - 1, false, &g, &err), RCH_ECORRUPT, &err);
    assert_non_null(strstr(err.message, "as text"));
    assert_status(open_bytes("hello, world!!!", 15, false, &g, &err), RCH_ECORRUPT, &err);
    assert_string_equal(err.message, "not a snapshot");
    free(s.mem);
}

int main(void)
{
#define file_test(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        file_test(what_is_written_comes_back),
        file_test(an_empty_graph_comes_back),
        graph_test(the_bytes_are_those_of_the_document),
        file_test(a_big_file_takes_14_bytes_a_node_and_4_a_reference),
        graph_test(opening_survives_every_failing_allocation),
        file_test(snapshots_are_private),
        file_test(an_old_snapshot_is_replaced),
        file_test(an_open_snapshot_outlives_its_replacement),
        file_test(a_full_disk_leaves_the_old_snapshot_and_nothing_else),
        graph_test(a_device_that_is_full_gives_its_errno),
        file_test(only_regular_files_are_replaced_or_read),
        file_test(a_canceled_write_leaves_the_old_snapshot_and_nothing_else),
        graph_test(a_snapshot_cut_anywhere_is_found_out),
        graph_test(a_snapshot_without_its_end_loses_nothing),
        graph_test(a_snapshot_without_its_last_references_keeps_the_first),
        graph_test(every_flipped_bit_is_found_out),
        graph_test(padding_between_sections_does_not_matter),
        graph_test(each_lost_section_is_dropped_or_told),
        graph_test(threads_are_not_told_without_their_frames),
        graph_test(lost_addresses_and_sizes_leave_the_references_as_they_were),
        graph_test(a_lost_file_header_is_made_up_for_by_info),
        graph_test(damaged_references_that_lead_nowhere_become_holes),
        graph_test(numbers_out_of_range_under_right_checksums_are_found_out),
        graph_test(counts_beyond_the_file_cost_no_memory),
        graph_test(sizes_that_overflow_are_found_out),
        graph_test(another_major_version_is_refused_and_a_minor_one_is_not),
        graph_test(sections_of_unknown_kinds_are_skipped),
        graph_test(a_file_of_version_1_0_has_lost_no_threads),
        graph_test(text_mode_transfers_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
