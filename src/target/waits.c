// SPDX-License-Identifier: MIT
// target/waits.c -- see waits.h. One table row a system call that can block; what its arguments mean is
// the row's form.
#include "target/waits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POLLED 65536u  // more is no number of descriptors
#define MAX_LISTED 4u
#define MAX_SELECT 1024u
#define PATH_BYTES 200u

struct words {
    char *buf;
    size_t num;  // below RCH_WAITS_BYTES
};

static void put(struct words *words, const char *fmt, ...) RCH_PRINTF(2, 3);

static void put(struct words *words, const char *fmt, ...)
{
    size_t room = RCH_WAITS_BYTES - words->num;
    va_list args;
    va_start(args, fmt);
    int num = vsnprintf(words->buf + words->num, room, fmt, args);
    va_end(args);
    if (num > 0)
        words->num += (size_t)num < room ? (size_t)num : room - 1;
}

struct wait {
    struct rch_target memory;  // the image's; a copy, so that failures here count nowhere
    const struct rch_os_thread *thread;
    const struct rch_os_fds *fds;
    int64_t syscall;
    struct words words;
};

// ---- descriptors -------------------------------------------------------------------------------

static const struct rch_os_fd *find_fd(const struct rch_os_fds *fds, int32_t fd)
{
    for (size_t i = 0; fds && i < fds->rows.num; i++) {
        const struct rch_os_fd *row = &RCH_VEC_AT(&fds->rows, struct rch_os_fd, i);
        if (row->fd == fd)
            return row;
    }
    return NULL;
}

static void describe(struct words *words, const struct rch_os_fd *row)
{
    static const char *const kinds[] = {
#define RCH_WAITS_KIND(name, word) word,
        RCH_FD_KIND_LIST(RCH_WAITS_KIND)
#undef RCH_WAITS_KIND
    };
    bool is_socket = row->kind == RCH_FD_SOCKET;
    const char *kind = (unsigned)row->kind < RCH_NUM_FD_KINDS ? kinds[row->kind] : "other";
    put(words, "%s", *row->protocol ? row->protocol : *row->local ? row->local : kind);
    if (*row->protocol && *row->local)
        put(words, " %s", row->local);
    if (*row->peer && is_socket)
        put(words, " -> %s", row->peer);
    else if (*row->peer && (row->kind == RCH_FD_PIPE || row->kind == RCH_FD_FIFO))
        put(words, ", other end: %s", row->peer);
    else if (*row->peer)
        put(words, " of %s", row->peer);
    if (is_socket && *row->state && strcmp(row->state, "ESTABLISHED") != 0)
        put(words, " %s", row->state);
}

/// "fd 7: ...", "fd 8" of several descriptors, one after the other.
static void list_fd(struct wait *wait, uint32_t i, int32_t fd)
{
    const struct rch_os_fd *row = find_fd(wait->fds, fd);
    if (i >= MAX_LISTED) {
        if (i == MAX_LISTED)
            put(&wait->words, ", ...");
        return;
    }
    put(&wait->words, "%sfd %" PRId32, i ? ", " : ": ", fd);
    if (row) {
        put(&wait->words, " ");
        describe(&wait->words, row);
    }
}

// What an epoll watches stands in `peer`: "fd 7, fd 8 and 3 more".
static void list_watched(struct wait *wait, const struct rch_os_fd *row)
{
    uint32_t num = 0;
    for (const char *at = row->peer; (at = strstr(at, "fd ")) != NULL; at += 3)
        list_fd(wait, num++, (int32_t)strtol(at + 3, NULL, 10));
    if (num <= MAX_LISTED && strstr(row->peer, " more"))
        put(&wait->words, ", ...");
}

static void put_fd(struct wait *wait, int32_t fd, const char *how)
{
    const struct rch_os_fd *row = find_fd(wait->fds, fd);
    put(&wait->words, " on fd %" PRId32 "%s", fd, how);
    if (row && row->kind == RCH_FD_EPOLL && *row->peer) {
        put(&wait->words, ", which watches");
        list_watched(wait, row);
    } else if (row) {
        put(&wait->words, ": ");
        describe(&wait->words, row);
    }
}

// ---- several descriptors at once ---------------------------------------------------------------

struct polled {  // struct pollfd
    int32_t fd;
    int16_t events, revents;
};

static void put_poll(struct wait *wait)
{
    const uint64_t *args = wait->thread->args;
    uint64_t num = args[1];
    struct polled polled;
    if (num == 0) {
        put(&wait->words, " (sleeps)");
    } else if (num == 1 && rch_target_read(&wait->memory, args[0], &polled, sizeof(polled))) {
        bool reads = polled.events & 1, writes = polled.events & 4;  // POLLIN, POLLOUT
        put_fd(wait, polled.fd,
               reads && !writes   ? " to read"
               : writes && !reads ? " to write"
                                  : "");
    } else {
        put(&wait->words, " on %" PRIu64 " descriptors", num);
        for (uint32_t i = 0; i < num && i <= MAX_LISTED; i++) {
            if (!rch_target_read(&wait->memory, args[0] + i * sizeof(polled), &polled,
                                 sizeof(polled)))
                return;
            list_fd(wait, i, polled.fd);
        }
    }
}

/// The descriptors of the three sets of select, in order; returns how many.
static uint32_t selected(struct wait *wait, int32_t fds[MAX_SELECT])
{
    const uint64_t *args = wait->thread->args;
    uint64_t bits[MAX_SELECT / 64] = {0};
    uint64_t num_fds = args[0] < MAX_SELECT ? args[0] : MAX_SELECT;
    uint32_t num = 0;
    for (uint32_t set = 1; set <= 3; set++) {
        for (uint64_t i = 0; args[set] && i < (num_fds + 63) / 64; i++)
            bits[i] |= rch_load64(&wait->memory, args[set] + i * 8);
    }
    for (uint32_t fd = 0; fd < num_fds; fd++) {
        if (bits[fd / 64] >> (fd % 64) & 1)
            fds[num++] = (int32_t)fd;
    }
    return num;
}

static void put_select(struct wait *wait)
{
    int32_t fds[MAX_SELECT];
    uint32_t num = selected(wait, fds);
    if (num == 0) {
        put(&wait->words, " (sleeps)");
    } else if (num == 1) {
        put_fd(wait, fds[0], "");
    } else {
        put(&wait->words, " on %" PRIu32 " descriptors", num);
        for (uint32_t i = 0; i < num; i++)
            list_fd(wait, i, fds[i]);
    }
}

// ---- what the other arguments mean -------------------------------------------------------------

static void put_path(struct wait *wait, const char *before, uint64_t addr)
{
    char path[PATH_BYTES];
    size_t num = 0;
    while (num + 1 < sizeof(path) && rch_target_read(&wait->memory, addr + num, path + num, 1) &&
           path[num])
        num++;
    path[num] = '\0';
    if (num)
        put(&wait->words, "%s%s", before, path);
}

// Until there is a connection the descriptor has no peer: the address is in the call.
static void put_connect(struct wait *wait)
{
    const uint64_t *args = wait->thread->args;
    const struct rch_os_fd *row = find_fd(wait->fds, (int32_t)args[0]);
    uint8_t addr[8];
    put_fd(wait, (int32_t)args[0], "");
    if ((row && *row->peer) || !rch_target_read(&wait->memory, args[1], addr, sizeof(addr)))
        return;
    if (addr[0] == 2 && addr[1] == 0)  // AF_INET: port and address in network order
        put(&wait->words, "%s to %u.%u.%u.%u:%u", row ? "," : "", addr[4], addr[5], addr[6],
            addr[7], addr[2] * 256u + addr[3]);
    else if (addr[0] == 10 && addr[1] == 0)  // AF_INET6
        put(&wait->words, "%s to port %u (IPv6)", row ? "," : "", addr[2] * 256u + addr[3]);
    else if (addr[0] == 1 && addr[1] == 0 && addr[2])  // AF_UNIX
        put_path(wait, row ? ", to " : " to ", args[1] + 2);
}

static void put_child(struct wait *wait, int64_t kind, int64_t id)
{
    enum { ALL, PID, GROUP, PIDFD };
    if (kind == PIDFD)
        put_fd(wait, (int32_t)id, "");
    else if (kind == PID)
        put(&wait->words, " for pid %" PRId64, id);
    else
        put(&wait->words, kind == GROUP ? " for a process group" : " for any child");
}

static void put_wait4(struct wait *wait)
{
    int32_t pid = (int32_t)wait->thread->args[0];
    put_child(wait, pid > 0 ? 1 : pid == -1 ? 0 : 2, pid);
}

static void put_futex(struct wait *wait)
{
    put(&wait->words, " (a lock)");
}

static void put_fd_of_call(struct wait *wait)
{
    put_fd(wait, (int32_t)wait->thread->args[0], "");
}

static void put_fcntl(struct wait *wait)
{
    uint32_t command = (uint32_t)wait->thread->args[1];
    bool is_lock = command == 7 || command == 38;  // F_SETLKW, F_OFD_SETLKW
    put_fd(wait, (int32_t)wait->thread->args[0], is_lock ? " (a file lock)" : "");
}

static void put_open(struct wait *wait)
{
    put_path(wait, " of ", wait->thread->args[wait->syscall == 2 ? 0 : 1]);
}

static void put_waitid(struct wait *wait)
{
    put_child(wait, (int32_t)wait->thread->args[0], (int32_t)wait->thread->args[1]);
}

static void put_signal(struct wait *wait)
{
    put(&wait->words, " (a signal)");
}

// ---- the table ---------------------------------------------------------------------------------

// x86-64: arch/x86/entry/syscalls/syscall_64.tbl of Linux. Names as people call them.
enum { POLL = 7, NANOSLEEP = 35, FUTEX = 202, RESTART = 219, CLOCK_NANOSLEEP = 230 };
static const struct call {
    int32_t number;
    const char *name;
    void (*put)(struct wait *wait);  // NULL: the name says it all
} calls[] = {
    {0, "read", put_fd_of_call},
    {1, "write", put_fd_of_call},
    {2, "open", put_open},
    {3, "close", put_fd_of_call},
    {POLL, "poll", put_poll},
    {16, "ioctl", put_fd_of_call},
    {17, "pread", put_fd_of_call},
    {18, "pwrite", put_fd_of_call},
    {19, "readv", put_fd_of_call},
    {20, "writev", put_fd_of_call},
    {23, "select", put_select},
    {24, "sched_yield", NULL},
    {26, "msync", NULL},
    {34, "pause", put_signal},
    {NANOSLEEP, "nanosleep", NULL},
    {40, "sendfile", put_fd_of_call},
    {42, "connect", put_connect},
    {43, "accept", put_fd_of_call},
    {44, "send", put_fd_of_call},
    {45, "recv", put_fd_of_call},
    {46, "sendmsg", put_fd_of_call},
    {47, "recvmsg", put_fd_of_call},
    {58, "vfork", NULL},
    {61, "wait4", put_wait4},
    {65, "semop", NULL},
    {69, "msgsnd", NULL},
    {70, "msgrcv", NULL},
    {72, "fcntl", put_fcntl},
    {73, "flock", put_fd_of_call},
    {74, "fsync", put_fd_of_call},
    {75, "fdatasync", put_fd_of_call},
    {128, "sigtimedwait", put_signal},
    {130, "sigsuspend", put_signal},
    {162, "sync", NULL},
    {FUTEX, "futex", put_futex},
    {208, "io_getevents", NULL},
    {220, "semtimedop", NULL},
    {CLOCK_NANOSLEEP, "clock_nanosleep", NULL},
    {232, "epoll_wait", put_fd_of_call},
    {242, "mq_timedsend", put_fd_of_call},
    {243, "mq_timedreceive", put_fd_of_call},
    {247, "waitid", put_waitid},
    {257, "open", put_open},
    {270, "select", put_select},
    {271, "poll", put_poll},
    {275, "splice", put_fd_of_call},
    {277, "sync_file_range", put_fd_of_call},
    {281, "epoll_wait", put_fd_of_call},
    {288, "accept", put_fd_of_call},
    {295, "preadv", put_fd_of_call},
    {296, "pwritev", put_fd_of_call},
    {299, "recvmmsg", put_fd_of_call},
    {306, "syncfs", put_fd_of_call},
    {307, "sendmmsg", put_fd_of_call},
    {318, "getrandom", NULL},
    {326, "copy_file_range", put_fd_of_call},
    {426, "io_uring_enter", put_fd_of_call},
    {437, "open", put_open},
    {441, "epoll_wait", put_fd_of_call},
    {449, "futex", put_futex},
    {455, "futex", put_futex},
};

static const struct call *find_call(int64_t number)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number == number)
            return &calls[i];
    }
    return NULL;
}

// A call with a timeout that was interrupted (by us, once) goes on as restart_syscall, with the arguments
// of the first: it was a futex, a poll or a sleep.
static int64_t first_call(const struct rch_image *image, const struct rch_os_thread *thread)
{
    enum { REALTIME = 256, WAIT_PRIVATE = 128, WAIT_BITSET_PRIVATE = 128 | 9 };  // futex operations
    const uint64_t *args = thread->args;
    uint64_t operation = args[1] & ~(uint64_t)REALTIME;
    struct rch_target memory = image->target;
    uint32_t word;
    if (thread->syscall != RESTART)
        return thread->syscall;
    bool is_memory = rch_target_read(&memory, args[0], &word, sizeof(word));
    if (is_memory && args[0] % 4 == 0 &&
        (operation == WAIT_PRIVATE || operation == WAIT_BITSET_PRIVATE))
        return FUTEX;
    if (is_memory && args[1] > 0 && args[1] <= MAX_POLLED)
        return POLL;
    return is_memory ? NANOSLEEP : CLOCK_NANOSLEEP;
}

uint64_t rch_waits_futex(const struct rch_image *image, const struct rch_os_thread *thread)
{
    int64_t number = first_call(image, thread);
    return number == FUTEX || number == 455 ? thread->args[0] : 0;
}

void rch_waits_words(const struct rch_image *image, const struct rch_os_thread *thread,
                     const struct rch_os_fds *fds, char words[RCH_WAITS_BYTES])
{
    struct wait wait = {.memory = image->target,
                        .thread = thread,
                        .fds = fds,
                        .syscall = first_call(image, thread),
                        .words = {.buf = words}};
    words[0] = '\0';
    const struct call *call = find_call(wait.syscall);
    bool is_in_user_code = thread->state == 'R' || (thread->state == '?' && thread->has_registers);
    if (wait.syscall < 0)
        put(&wait.words, "%s", is_in_user_code ? "running" : "");
    else if (call)
        put(&wait.words, "%s", call->name);
    else
        put(&wait.words, "system call %" PRId64, wait.syscall);
    if (call && call->put)
        call->put(&wait);
}
