// SPDX-License-Identifier: MIT
// test_waits.c -- what a thread does in the kernel, in words, from made-up system calls and memory.
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "target/fake.h"
#include "target/waits.h"

#define MEMORY 0x7f0000001000u

static struct rch_os_fd rows[] = {
    {3, RCH_FD_FILE, "", "", "/var/log/app.log", ""},
    {4, RCH_FD_PIPE, "", "read end", "pipe 81234", "pid 812 fd 9"},
    {5, RCH_FD_EPOLL, "", "5 watched", "", "fd 7, fd 8 and 3 more"},
    {7, RCH_FD_SOCKET, "TCP", "ESTABLISHED", "127.0.0.1:40312", "127.0.0.1:5672"},
    {8, RCH_FD_SOCKET, "TCP", "LISTEN", "0.0.0.0:80", ""},
    {9, RCH_FD_SOCKET, "UNIX stream", "", "", "fd 10"},
    {12, RCH_FD_EPOLL, "", "0 watched", "", ""},
    {11, RCH_FD_SOCKET, "TCP", "SYN_SENT", "10.0.0.1:4000", "10.0.0.2:443"},
};

struct call {
    int64_t number;
    uint64_t args[6];
};

static char thread_state = 'S';

static const char *words_with(const struct call *call, const void *memory, size_t num_bytes,
                              bool has_fds)
{
    static char words[RCH_WAITS_BYTES];
    const struct rch_fake_segment segment = {MEMORY, memory, num_bytes};
    struct rch_fake fake = {&segment, memory ? 1 : 0};
    struct rch_image image = {.kind = RCH_IMAGE_LIVE};
    struct rch_os_fds fds = {.rows = {.mem = rows,
                                      .num = sizeof(rows) / sizeof(rows[0]),
                                      .elem_bytes = sizeof(rows[0])}};
    struct rch_os_thread thread = {.syscall = call->number, .state = thread_state};
    memcpy(thread.args, call->args, sizeof(thread.args));
    rch_target_fake_init(&image.target, &fake);
    memset(words, 'x', sizeof(words));
    rch_waits_words(&image, &thread, has_fds ? &fds : NULL, words);
    assert_int_equal(image.target.num_failed, 0);
    return words;
}

#define assert_words(want, ...)                                                              \
    assert_string_equal(words_with(&(const struct call){__VA_ARGS__}, NULL, 0, true), want)
#define assert_words_of(memory, want, ...)                                                   \
    assert_string_equal(                                                                     \
        words_with(&(const struct call){__VA_ARGS__}, memory, sizeof(memory), true), want)

static void a_read_names_its_descriptor(void **state)
{
    (void)state;
    assert_words("recv on fd 7: TCP 127.0.0.1:40312 -> 127.0.0.1:5672", 45, {7});
    assert_words("read on fd 4: pipe 81234, other end: pid 812 fd 9", 0, {4});
    assert_words("write on fd 3: /var/log/app.log", 1, {3});
    assert_words("accept on fd 8: TCP 0.0.0.0:80 LISTEN", 288, {8});
    assert_words("recvmsg on fd 9: UNIX stream -> fd 10", 47, {9});
    assert_words("epoll_wait on fd 5, which watches: fd 7 TCP 127.0.0.1:40312 -> 127.0.0.1:5672, "
                 "fd 8 TCP 0.0.0.0:80 LISTEN, ...",
                 232, {5});
    assert_words("epoll_wait on fd 12: epoll", 232, {12});
    assert_words("read on fd 6", 0, {6});
    assert_words("fcntl on fd 3 (a file lock): /var/log/app.log", 72, {3, 7});
    assert_words("fcntl on fd 3: /var/log/app.log", 72, {3, 1});
    assert_words("read on fd -1", 0, {UINT32_MAX});
    assert_string_equal(words_with(&(const struct call){45, {7}}, NULL, 0, false), "recv on fd 7");
}

static void a_poll_names_what_it_polls(void **state)
{
    (void)state;
    const struct {
        int32_t fd;
        int16_t events, revents;
    } polled[] = {{7, 1, 0}, {8, 5, 0}, {3, 4, 0}, {20, 1, 0}, {21, 1, 0}, {22, 1, 0}};
    assert_words_of(polled, "poll on fd 7 to read: TCP 127.0.0.1:40312 -> 127.0.0.1:5672", 7,
                    {MEMORY, 1});
    assert_words_of(polled, "poll on fd 3 to write: /var/log/app.log", 271, {MEMORY + 16, 1});
    assert_words_of(polled,
                    "poll on 2 descriptors: fd 7 TCP 127.0.0.1:40312 -> 127.0.0.1:5672, "
                    "fd 8 TCP 0.0.0.0:80 LISTEN",
                    7, {MEMORY, 2});
    assert_words_of(polled,
                    "poll on 6 descriptors: fd 7 TCP 127.0.0.1:40312 -> 127.0.0.1:5672, "
                    "fd 8 TCP 0.0.0.0:80 LISTEN, fd 3 /var/log/app.log, fd 20, ...",
                    7, {MEMORY, 6});
    assert_words("poll on 1 descriptors", 7, {0xdead000, 1});
    assert_words("poll on 18446744073709551615 descriptors", 7, {0xdead000, UINT64_MAX});
    assert_words("poll (sleeps)", 7, {0, 0, 1000});
}

static void a_select_names_the_bits_that_are_set(void **state)
{
    (void)state;
    const uint64_t sets[3][2] = {{1u << 7, 0}, {0, 2}, {1u << 7, 0}};
    assert_words_of(sets, "select on fd 7: TCP 127.0.0.1:40312 -> 127.0.0.1:5672", 23,
                    {8, MEMORY, 0, MEMORY + 32});
    assert_words_of(sets,
                    "select on 2 descriptors: fd 7 TCP 127.0.0.1:40312 -> 127.0.0.1:5672, fd 65",
                    270, {66, MEMORY, MEMORY + 16, 0});
    assert_words_of(sets, "select on fd 7: TCP 127.0.0.1:40312 -> 127.0.0.1:5672", 23,
                    {65, MEMORY, MEMORY + 16, 0});
    assert_words("select (sleeps)", 23, {0, 0, 0, 0, MEMORY});
    assert_words("select (sleeps)", 23, {UINT64_MAX, 0xdead000, 0, 0});
}

static void a_connect_names_where_to(void **state)
{
    (void)state;
    const uint8_t inet[16] = {2, 0, 0x16, 0x28, 10, 1, 2, 3};
    const char local[] = "\1\0/run/app.sock";
    assert_words_of(inet, "connect on fd 6 to 10.1.2.3:5672", 42, {6, MEMORY, 16});
    assert_words_of(local, "connect on fd 6 to /run/app.sock", 42, {6, MEMORY, 16});
    assert_words_of(inet, "connect on fd 11: TCP 10.0.0.1:4000 -> 10.0.0.2:443 SYN_SENT", 42,
                    {11, MEMORY, 16});
    assert_words("connect on fd 6", 42, {6, 0xdead000, 16});
}

static void an_open_names_its_path(void **state)
{
    (void)state;
    char path[400] = "/tmp/a fifo";
    assert_words_of(path, "open of /tmp/a fifo", 257, {(uint64_t)-100, MEMORY});
    assert_words_of(path, "open of /tmp/a fifo", 2, {MEMORY});
    memset(path, 'p', sizeof(path));  // no end
    const char *words = words_with(&(const struct call){2, {MEMORY}}, path, sizeof(path), true);
    assert_int_equal(strlen(words), strlen("open of ") + 199);
}

static void waits_for_children_locks_and_time_are_told(void **state)
{
    (void)state;
    assert_words("wait4 for pid 812", 61, {812});
    assert_words("wait4 for any child", 61, {UINT32_MAX});
    assert_words("wait4 for a process group", 61, {0});
    assert_words("waitid for pid 812", 247, {1, 812});
    assert_words("waitid on fd 6", 247, {3, 6});
    assert_words("futex (a lock)", 202, {MEMORY});
    assert_words("nanosleep", 35, {MEMORY});
    assert_words("clock_nanosleep", 230, {1});
    assert_words("system call 9999", 9999, {1});
    assert_words("", -1, {0});
    thread_state = 'R';
    assert_words("running", -1, {0});
    thread_state = 'S';
}

static void a_restarted_call_is_recognised_by_its_arguments(void **state)
{
    (void)state;
    const struct {
        int32_t fd;
        int16_t events, revents;
    } polled[] = {{7, 1, 0}};
    assert_words_of(polled, "futex (a lock)", 219, {MEMORY, 0x189, 0});
    assert_words_of(polled, "futex (a lock)", 219, {MEMORY, 0x80, 0});
    assert_words_of(polled, "poll on fd 7 to read: TCP 127.0.0.1:40312 -> 127.0.0.1:5672", 219,
                    {MEMORY, 1, 30000});
    assert_words_of(polled, "nanosleep", 219, {MEMORY, MEMORY});
    assert_words_of(polled, "nanosleep", 219, {MEMORY, 0});
    assert_words("clock_nanosleep", 219, {1, 0, MEMORY});
}

static void only_futex_calls_have_a_futex(void **state)
{
    (void)state;
    struct rch_fake fake = {NULL, 0};
    struct rch_image image = {.kind = RCH_IMAGE_LIVE};
    struct rch_os_thread thread = {.syscall = 202, .args = {MEMORY}};
    rch_target_fake_init(&image.target, &fake);
    assert_int_equal(rch_waits_futex(&image, &thread), MEMORY);
    thread.syscall = 0;
    assert_int_equal(rch_waits_futex(&image, &thread), 0);
    thread.syscall = -1;
    assert_int_equal(rch_waits_futex(&image, &thread), 0);
}

static void long_names_are_cut_to_the_buffer(void **state)
{
    (void)state;
    static char path[2000];
    memset(path, 'p', sizeof(path) - 1);
    const char *old = rows[0].local;
    rows[0].local = path;
    const char *words = words_with(&(const struct call){0, {3}}, NULL, 0, true);
    assert_int_equal(strlen(words), RCH_WAITS_BYTES - 1);
    rows[0].local = old;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_names_its_descriptor),
        cmocka_unit_test(a_poll_names_what_it_polls),
        cmocka_unit_test(a_select_names_the_bits_that_are_set),
        cmocka_unit_test(a_connect_names_where_to),
        cmocka_unit_test(an_open_names_its_path),
        cmocka_unit_test(waits_for_children_locks_and_time_are_told),
        cmocka_unit_test(a_restarted_call_is_recognised_by_its_arguments),
        cmocka_unit_test(only_futex_calls_have_a_futex),
        cmocka_unit_test(long_names_are_cut_to_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
