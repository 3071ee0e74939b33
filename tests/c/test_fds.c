// SPDX-License-Identifier: MIT
// test_fds.c -- the tables of /proc/net as text of our own, and the descriptors of this very process.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "target/fds.h"
#include "target/fds_impl.h"

// ---- the tables -------------------------------------------------------------------------------

struct table_test {
    struct rch_arena arena;
    struct rch_sockets sockets;
};

static void begin(struct table_test *test, uint64_t inode)
{
    rch_arena_init(&test->arena, rch_alloc_default());
    rch_sockets_init(&test->sockets, &test->arena, rch_alloc_default());
    assert_int_equal(rch_sockets_want(&test->sockets, inode, NULL), RCH_OK);
    assert_int_equal(rch_sockets_want(&test->sockets, inode, NULL), RCH_OK);
}

static const struct rch_socket *take(struct table_test *test, const char *table, const char *text)
{
    char line[RCH_LINE_BYTES];
    snprintf(line, sizeof(line), "%s", text);
    assert_int_equal(rch_sockets_take_line(&test->sockets, table, line, NULL), RCH_OK);
    return &RCH_VEC_AT(&test->sockets.items, struct rch_socket, 0);
}

static void finish(struct table_test *test)
{
    rch_sockets_deinit(&test->sockets);
    rch_arena_deinit(&test->arena);
}

static void assert_socket(const struct rch_socket *socket, const char *protocol, const char *state,
                          const char *local, const char *peer)
{
    assert_non_null(socket->protocol);
    assert_string_equal(socket->protocol, protocol);
    assert_string_equal(socket->state, state);
    assert_string_equal(socket->local, local);
    if (peer)
        assert_string_equal(socket->peer, peer);
    else
        assert_null(socket->peer);
}

static void a_line_of_tcp_gives_state_and_both_addresses(void **state)
{
    struct table_test test;
    (void)state;
    begin(&test, 7231);
    assert_socket(take(&test, "tcp",
                       "   1: 0100007F:9D78 0100007F:1628 08 00000000:00000000 00:00000000 "
                       "00000000   106        0 7231 1 0000000011f9cbff 100 0 0 10 0"),
                  "TCP", "CLOSE_WAIT", "127.0.0.1:40312", "127.0.0.1:5672");
    assert_int_equal(test.sockets.items.num, 1);
    finish(&test);
}

static void a_listening_socket_has_no_peer(void **state)
{
    struct table_test test;
    (void)state;
    begin(&test, 5747);
    assert_socket(take(&test, "tcp6",
                       "0: 00000000000000000000000001000000:1111 "
                       "00000000000000000000000000000000:0000 0A 0:0 00:0 0 106 0 5747 1 0 100"),
                  "TCP", "LISTEN", "[::1]:4369", "");
    finish(&test);
}

static void an_ipv4_address_mapped_into_ipv6_shows_as_such(void **state)
{
    struct table_test test;
    (void)state;
    begin(&test, 9);
    assert_socket(take(&test, "udp6",
                       "0: 0000000000000000FFFF00000100007F:0035 "
                       "0000000000000000FFFF00000200007F:A93D 01 0:0 00:0 0 0 0 9 1 0 0"),
                  "UDP", "CONNECTED", "[::ffff:127.0.0.1]:53", "[::ffff:127.0.0.2]:43325");
    finish(&test);
}

static void a_unix_path_may_contain_spaces(void **state)
{
    struct table_test test;
    (void)state;
    begin(&test, 4976);
    assert_socket(take(&test, "unix",
                       "0000000000000000: 00000002 00000000 00010000 0005 01  4976 /run/a b.sock"),
                  "UNIX seqpacket", "LISTEN", "/run/a b.sock", NULL);
    // what a path with a newline in it may look like: told already, so not believed
    assert_socket(
        take(&test, "unix", "0000000000000000: 00000002 00000000 00000000 0001 03  4976 /bin/evil"),
        "UNIX seqpacket", "LISTEN", "/run/a b.sock", NULL);
    finish(&test);
}

static void what_is_no_line_of_a_socket_is_passed_over(void **state)
{
    static const char *const lines[] = {
        "",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
        "0: 0100007F:1 0100007F:2 01 0:0 00:0 0 0 0 43",          // another socket
        "0: 0100007F:1 0100007F:2 01 0:0 00:0 0 0 0",             // cut
        "0: 0100007:1 0100007F:2 01 0:0 00:0 0 0 0 42",           // seven digits
        "0: 0100007F0100007F:1 0100007F:2 01 0:0 00:0 0 0 0 42",  // sixteen
        "0: 0100007F 0100007F:2 01 0:0 00:0 0 0 0 42",            // no port
        "0: :::: :::: :: :: :: :: :: :: 42",
        "Num RefCount Protocol Flags    Type St Inode Path",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct table_test test;
        begin(&test, 42);
        assert_null(take(&test, "tcp", lines[i])->protocol);
        assert_null(take(&test, "unix", lines[i])->protocol);
        assert_null(take(&test, "wireless", lines[i])->protocol);
        finish(&test);
    }
    for (const char *link = "socket:[12"; *link; link++)
        assert_int_equal(rch_inode_of_link(link, "socket:["), 0);
    assert_int_equal(rch_inode_of_link("socket:[12]", "socket:["), 12);
    assert_int_equal(rch_inode_of_link("socket:[12]x", "socket:["), 0);
    assert_int_equal(rch_inode_of_link("socket:[-1]", "socket:["), 0);
}

// ---- lines -------------------------------------------------------------------------------------

static int file_of(const char *bytes, size_t num_bytes)
{
    int fd = memfd_create("lines", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, num_bytes), num_bytes);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(void **state)
{
    enum { LONG = 5 * RCH_LINE_BYTES };
    static const size_t lengths[] = {RCH_LINE_BYTES - 2, RCH_LINE_BYTES - 1, RCH_LINE_BYTES,
                                     RCH_LINE_BYTES + 1, 4 * RCH_LINE_BYTES, LONG};
    static char text[LONG + 16];
    static struct rch_lines lines;
    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i], shown = len < RCH_LINE_BYTES ? len : RCH_LINE_BYTES - 1;
        memset(text, 'x', len);
        memcpy(text + len, "\nnext\n\nlast", 12);
        int fd = file_of(text, len + 11);
        rch_lines_init(&lines, fd);
        assert_int_equal(strlen(rch_lines_next(&lines)), shown);
        assert_string_equal(rch_lines_next(&lines), "next");
        assert_string_equal(rch_lines_next(&lines), "");
        assert_string_equal(rch_lines_next(&lines), "last");
        assert_null(rch_lines_next(&lines));
        close(fd);
    }
}

static void many_inodes_find_their_numbers(void **state)
{
    struct rch_inode_map map;
    uint32_t number;
    (void)state;
    rch_inode_map_init(&map, rch_alloc_default());
    assert_int_equal(rch_inode_map_find(&map, 1), UINT32_MAX);
    for (uint32_t i = 1; i <= 10000; i++)
        assert_int_equal(rch_inode_map_add(&map, i * UINT64_C(4096), i, &number, NULL), RCH_OK);
    assert_int_equal(rch_inode_map_add(&map, 4096, 77, &number, NULL), RCH_OK);
    assert_int_equal(number, 1);
    for (uint32_t i = 1; i <= 10000; i++)
        assert_int_equal(rch_inode_map_find(&map, i * UINT64_C(4096)), i);
    assert_int_equal(rch_inode_map_find(&map, 4097), UINT32_MAX);
    assert_int_equal(rch_inode_map_find(&map, 0), UINT32_MAX);
    rch_inode_map_deinit(&map);
}

// ---- this process ------------------------------------------------------------------------------

static const struct rch_os_fd *row_of(const struct rch_os_fds *fds, int fd)
{
    for (size_t i = 0; i < fds->rows.num; i++)
        if (RCH_VEC_AT(&fds->rows, struct rch_os_fd, i).fd == fd)
            return &RCH_VEC_AT(&fds->rows, struct rch_os_fd, i);
    fail_msg("no descriptor %d", fd);
    return NULL;
}

static void assert_row(const struct rch_os_fd *row, enum rch_fd_kind kind, const char *protocol,
                       const char *state, const char *local, const char *peer)
{
    assert_int_equal(row->kind, kind);
    assert_string_equal(row->protocol, protocol);
    assert_string_equal(row->state, state);
    if (local)
        assert_string_equal(row->local, local);
    assert_string_equal(row->peer, peer);
}

static void look(struct rch_os_fds *fds, uint32_t pid)
{
    struct rch_error err = {0};
    assert_int_equal(rch_os_fds_init(fds, pid, rch_alloc_default(), &err), RCH_OK);
    for (size_t i = 1; i < fds->rows.num; i++)
        assert_true(RCH_VEC_AT(&fds->rows, struct rch_os_fd, i - 1).fd <
                    RCH_VEC_AT(&fds->rows, struct rch_os_fd, i).fd);
    assert_int_equal(fds->num_unreadable, 0);
}

static void pipes_and_socket_pairs_name_their_other_end(void **state)
{
    int pipes[2], pair[2];
    char name[40], other[40], pipe_name[40];
    struct rch_os_fds fds;
    struct stat st;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    assert_int_equal(fstat(pipes[0], &st), 0);
    snprintf(pipe_name, sizeof(pipe_name), "pipe %llu", (unsigned long long)st.st_ino);
    look(&fds, 0);
    snprintf(name, sizeof(name), "fd %d", pipes[0]);
    snprintf(other, sizeof(other), "fd %d", pipes[1]);
    assert_row(row_of(&fds, pipes[0]), RCH_FD_PIPE, "", "read end", pipe_name, other);
    assert_row(row_of(&fds, pipes[1]), RCH_FD_PIPE, "", "write end", pipe_name, name);
    snprintf(name, sizeof(name), "fd %d", pair[0]);
    assert_row(row_of(&fds, pair[1]), RCH_FD_SOCKET, "UNIX datagram", "CONNECTED", "", name);
    rch_os_fds_deinit(&fds);
    for (int i = 0; i < 2; i++) {
        close(pipes[i]);
        close(pair[i]);
    }
}

static void the_end_of_a_pipe_in_another_process_is_found(void **state)
{
    int pipes[2], ready[2];
    struct rch_os_fds fds;
    char words[64], byte;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pipes[0]);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    close(pipes[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);  // the child has closed its reading end
    look(&fds, (uint32_t)child);
    snprintf(words, sizeof(words), "pid %d fd %d", (int)getpid(), pipes[0]);
    assert_row(row_of(&fds, pipes[1]), RCH_FD_PIPE, "", "write end", NULL, words);
    rch_os_fds_deinit(&fds);
    look(&fds, 0);
    snprintf(words, sizeof(words), "pid %d fd %d", (int)child, pipes[1]);
    assert_row(row_of(&fds, pipes[0]), RCH_FD_PIPE, "", "read end", NULL, words);
    rch_os_fds_deinit(&fds);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(pipes[0]);
    close(ready[0]);
    close(ready[1]);
}

static void sockets_of_both_families_have_addresses(void **state)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(any);
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    int fresh = socket(AF_INET6, SOCK_STREAM, 0);
    char address[40];
    struct rch_os_fds fds;
    (void)state;
    assert_int_equal(bind(server, (struct sockaddr *)&any, size), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&any, &size), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&any, size), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(any.sin_port));
    look(&fds, (uint32_t)getpid());
    assert_row(row_of(&fds, server), RCH_FD_SOCKET, "TCP", "LISTEN", address, "");
    assert_row(row_of(&fds, client), RCH_FD_SOCKET, "TCP", "ESTABLISHED", NULL, address);
    if (fresh >= 0)
        assert_row(row_of(&fds, fresh), RCH_FD_SOCKET, "TCP", "CLOSE", "", "");
    rch_os_fds_deinit(&fds);
    close(server);
    close(client);
    close(fresh);
}

static void an_abstract_unix_name_is_told_to_whoever_is_connected(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char shown[60];
    struct rch_os_fds fds;
    (void)state;
    int num = snprintf(name.sun_path + 1, 50, "refchain%ctest%d", '\0', (int)getpid());
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)num);
    snprintf(shown, sizeof(shown), "@refchain@test%d", (int)getpid());
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&name, size), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&name, size), 0);
    int accepted = accept(server, NULL, NULL);
    look(&fds, 0);
    assert_row(row_of(&fds, server), RCH_FD_SOCKET, "UNIX stream", "LISTEN", shown, "");
    assert_row(row_of(&fds, client), RCH_FD_SOCKET, "UNIX stream", "CONNECTED", "", shown);
    rch_os_fds_deinit(&fds);
    close(server);
    close(client);
    close(accepted);
}

static void files_tell_path_and_whether_they_are_deleted(void **state)
{
    char dir[] = "/tmp/refchain-fds-XXXXXX", path[4][64];
    static const char *const names[4] = {"plain", "gone", "still (deleted)", "two\nlines"};
    int fds_open[4];
    struct rch_os_fds fds;
    (void)state;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 4; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%s", dir, names[i]);
        fds_open[i] = open(path[i], O_CREAT | O_RDWR, 0600);
        assert_true(fds_open[i] >= 0);
    }
    char linked[64];
    snprintf(linked, sizeof(linked), "%s/linked", dir);
    assert_int_equal(link(path[1], linked), 0);  // deleted, though another name is left
    assert_int_equal(unlink(path[1]), 0);
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY), mem_fd = memfd_create("some memory", 0);
    look(&fds, 0);
    for (int i = 0; i < 4; i++)
        assert_row(row_of(&fds, fds_open[i]), RCH_FD_FILE, "", i == 1 ? "deleted" : "", path[i],
                   "");
    assert_row(row_of(&fds, dir_fd), RCH_FD_DIRECTORY, "", "", dir, "");
    assert_row(row_of(&fds, mem_fd), RCH_FD_MEMFD, "", "", "some memory", "");
    rch_os_fds_deinit(&fds);
    for (int i = 0; i < 4; i++) {
        close(fds_open[i]);
        unlink(path[i]);
    }
    unlink(linked);
    close(dir_fd);
    close(mem_fd);
    rmdir(dir);
}

static void an_epoll_tells_what_it_watches(void **state)
{
    enum { MANY = 12 };
    int watched[MANY], epoll = epoll_create1(0), counter = eventfd(17, 0);
    struct rch_os_fds fds;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        watched[i] = eventfd(0, 0);
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &event), 0);
    }
    look(&fds, 0);
    const struct rch_os_fd *row = row_of(&fds, epoll);
    assert_int_equal(row->kind, RCH_FD_EPOLL);
    assert_string_equal(row->state, "12 watched");
    assert_int_equal(strncmp(row->peer, "fd ", 3), 0);
    assert_non_null(strstr(row->peer, " and 4 more"));
    assert_row(row_of(&fds, counter), RCH_FD_EVENTFD, "", "count 17", "", "");
    rch_os_fds_deinit(&fds);
    for (int i = 0; i < MANY; i++)
        close(watched[i]);
    close(epoll);
    close(counter);
}

static void our_own_looking_leaves_nothing_open_and_is_not_listed(void **state)
{
    struct rch_os_fds first, second;
    (void)state;
    look(&first, 0);
    look(&second, 0);
    assert_int_equal(first.rows.num, second.rows.num);
    for (size_t i = 0; i < first.rows.num; i++) {
        int fd = RCH_VEC_AT(&first.rows, struct rch_os_fd, i).fd;
        assert_true(fcntl(fd, F_GETFD) >= 0);
    }
    rch_os_fds_deinit(&first);
    rch_os_fds_deinit(&second);
}

static void no_such_process_is_said(void **state)
{
    struct rch_os_fds fds;
    struct rch_error err = {0};
    (void)state;
    assert_int_equal(rch_os_fds_init(&fds, 4194305, rch_alloc_default(), &err), RCH_ENOTFOUND);
    assert_non_null(strstr(err.message, "4194305"));
}

static void running_out_of_memory_anywhere_is_reported(void **state)
{
    int pipes[2], pair[2];
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_os_fds fds;
        enum rch_status st = rch_os_fds_init(&fds, 0, alloc, NULL);
        if (ok_or_enomem(st))
            rch_os_fds_deinit(&fds);
    }
    for (int i = 0; i < 2; i++) {
        close(pipes[i]);
        close(pair[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_tcp_gives_state_and_both_addresses),
        cmocka_unit_test(a_listening_socket_has_no_peer),
        cmocka_unit_test(an_ipv4_address_mapped_into_ipv6_shows_as_such),
        cmocka_unit_test(a_unix_path_may_contain_spaces),
        cmocka_unit_test(what_is_no_line_of_a_socket_is_passed_over),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_the_next_one_is_whole),
        cmocka_unit_test(many_inodes_find_their_numbers),
        cmocka_unit_test(pipes_and_socket_pairs_name_their_other_end),
        cmocka_unit_test(the_end_of_a_pipe_in_another_process_is_found),
        cmocka_unit_test(sockets_of_both_families_have_addresses),
        cmocka_unit_test(an_abstract_unix_name_is_told_to_whoever_is_connected),
        cmocka_unit_test(files_tell_path_and_whether_they_are_deleted),
        cmocka_unit_test(an_epoll_tells_what_it_watches),
        cmocka_unit_test(our_own_looking_leaves_nothing_open_and_is_not_listed),
        cmocka_unit_test(no_such_process_is_said),
        cmocka_unit_test(running_out_of_memory_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
