// SPDX-License-Identifier: MIT
// tests/c/sitter.c -- a process to be read by tests. Each word of its command line is a thread that does
// one thing; what it finds when that ends is printed, so a test sees a system call that returned for no
// reason. Where known bytes are is printed first, then "ready". A line on stdin gives those who wait
// for data some; its end ends the program.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define GUARD_INSTALL 102  // MADV_GUARD_INSTALL, not in older headers
#define MAX_THREADS 600
#define LONG_S 100000

struct job {
    const char *word;
    int ours[2];  // a pair of sockets: the thread has the first
    uint32_t futex;
};

static struct job jobs[MAX_THREADS];
static size_t num_jobs;
static volatile uint64_t *ends[2];  // two words far apart that always agree, give or take one step
static uint8_t *bulk;
static size_t bulk_bytes;

// --- threads --------------------------------------------------------------------------------------------

static long wait_epoll(int fd, int timeout_ms)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -1;
    long num = epoll_wait(epoll, &event, 1, timeout_ms);
    int os_errno = errno;
    close(epoll);
    errno = os_errno;
    return num;
}

static long wait_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = LONG_S});
}

static long wait_semaphore(void)
{
    struct sembuf down = {.sem_op = -1};
    int sem = semget(IPC_PRIVATE, 1, 0600);
    long got = semop(sem, &down, 1);
    int os_errno = errno;
    (void)semctl(sem, 0, IPC_RMID);
    errno = os_errno;
    return got;
}

static long wait_recv(int fd, int timeout_s)
{
    char byte;
    struct timeval timeout = {.tv_sec = timeout_s};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return recv(fd, &byte, 1, 0);
}

static long wait_select(int fd)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return select(fd + 1, &set, NULL, NULL, &(struct timeval){.tv_sec = LONG_S});
}

static long wait_child(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execlp("sleep", "sleep", "100000", (char *)NULL);
        _exit(1);
    }
    return waitpid(child, NULL, 0);
}

// The child shares our memory and our thread waits for it, uninterruptibly, until it is gone.
static long wait_vfork(void)
{
    pid_t child = vfork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)nanosleep(&(struct timespec){.tv_sec = LONG_S}, NULL);
        _exit(0);
    }
    return 0;
}

static void step(void)
{
    uint64_t next = *ends[0] + 1;
    *ends[0] = next;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *ends[1] = next;
}

// Memory that is full of one byte or was never written, in turns; `phase` says which, 2: neither.
static uint8_t flickering[64 * 4096] __attribute__((aligned(4096)));
static volatile uint64_t phase = 2;

static void flicker(void)
{
    bool is_full = phase == 1;
    phase = 2;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (is_full)
        (void)madvise(flickering, sizeof(flickering), MADV_DONTNEED);
    else
        memset(flickering, 'F', sizeof(flickering));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    phase = is_full ? 0 : 1;
}

static __attribute__((noreturn)) void work_for_ever(const char *word, int fd)
{
    for (;;) {
        if (strcmp(word, "tick-epoll") == 0 || strcmp(word, "flicker") == 0)
            (void)wait_epoll(fd, 1);
        else if (strcmp(word, "tick-sleep") == 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (strcmp(word, "flicker") == 0)
            flicker();
        else if (strcmp(word, "spin") != 0)
            step();
    }
}

static long wait_for(struct job *job)
{
    const char *word = job->word;
    struct pollfd pollfd = {.fd = job->ours[0], .events = POLLIN};
    struct timespec until = {.tv_sec = LONG_S};
    char byte;
    if (strcmp(word, "sleep") == 0)
        return nanosleep(&until, NULL);
    if (strcmp(word, "recv") == 0)
        return wait_recv(job->ours[0], 0);
    if (strcmp(word, "recv-timeout") == 0)
        return wait_recv(job->ours[0], LONG_S);
    if (strcmp(word, "read") == 0)
        return read(job->ours[0], &byte, 1);
    if (strcmp(word, "poll") == 0)
        return poll(&pollfd, 1, LONG_S);
    if (strcmp(word, "select") == 0)
        return wait_select(job->ours[0]);
    if (strcmp(word, "epoll") == 0)
        return wait_epoll(job->ours[0], -1);
    if (strcmp(word, "epoll-timeout") == 0)
        return wait_epoll(job->ours[0], LONG_S);
    if (strcmp(word, "futex") == 0)
        return syscall(SYS_futex, &job->futex, FUTEX_WAIT_PRIVATE, 0, NULL);
    if (strcmp(word, "futex-timeout") == 0)
        return syscall(SYS_futex, &job->futex, FUTEX_WAIT_PRIVATE, 0, &until);
    if (strcmp(word, "signal") == 0)
        return wait_signal();
    if (strcmp(word, "semaphore") == 0)
        return wait_semaphore();
    if (strcmp(word, "pause") == 0)
        return pause();
    if (strcmp(word, "child") == 0)
        return wait_child();
    if (strcmp(word, "vfork") == 0)
        return wait_vfork();
    work_for_ever(word, job->ours[0]);
}

static void *run(void *arg)
{
    struct job *job = arg;
    long got = wait_for(job);
    (void)printf("returned %s %ld %s\n", job->word, got, got < 0 ? strerror(errno) : "fine");
    return NULL;
}

// Starts and ends threads, for ever.
static void *brief(void *arg)
{
    return arg;
}

static void *breed(void *arg)
{
    pthread_t thread;
    for (;;)
        if (pthread_create(&thread, NULL, brief, arg) == 0)
            (void)pthread_join(thread, NULL);
    return NULL;
}

// --- known bytes ----------------------------------------------------------------------------------------

static const char in_rodata[16] = "these are const";
static char in_data[16] = "those in .data";
static char in_bss[16];
const char *const in_relro[2] = {in_rodata, in_data};

static void show(const char *name, const volatile void *at)
{
    (void)printf("at %s %" PRIxPTR "\n", name, (uintptr_t)at);
}

static char *map(size_t num_bytes, int prot, int flags, int fd)
{
    void *mem = mmap(NULL, num_bytes, prot, flags, fd, 0);
    if (mem == MAP_FAILED)
        exit(3);
    return mem;
}

// Four pages of a file, the second of them written by us only; then the file may go.
static void show_file(const char *name, bool is_deleted)
{
    char path[] = "/tmp/sitter-XXXXXX", page[4096];
    int fd = mkstemp(path);
    for (int i = 0; i < 4; i++) {
        memset(page, 'a' + i, sizeof(page));
        if (write(fd, page, sizeof(page)) != sizeof(page))
            exit(3);
    }
    char *mem = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    mem[PAGE + 1] = 'X';
    show(name, mem);
    (void)printf("path %s %s\n", name, path);
    close(fd);
    if (is_deleted)
        (void)unlink(path);
}

static void show_bytes(void)
{
    static char on_heap[] = "on the heap";
    static char hidden[] = "hidden away";
    char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    char *untouched = map(1024 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *guard = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *inner = map(3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *vast = map((size_t)1 << 40, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    char *heap = malloc(64);
    if (!heap)
        exit(3);
    memcpy(heap, on_heap, sizeof(on_heap));
    memcpy(shared, on_heap, sizeof(on_heap));
    memcpy(guard, hidden, sizeof(hidden));
    memcpy(vast + ((size_t)1 << 39), hidden, sizeof(hidden));
    memcpy(in_bss, "those in .bss", 14);
    (void)mprotect(guard, PAGE, PROT_NONE);
    memset(inner, 'i', 3 * PAGE);
    (void)madvise(inner + PAGE, PAGE, GUARD_INSTALL);  // fails before Linux 6.13
    show("rodata", in_rodata);
    show("data", in_data);
    show("bss", in_bss);
    show("relro", in_relro);
    show("heap", heap);
    show("shared", shared);
    show("untouched", untouched + 512 * PAGE);
    show("guard", guard);
    show("inner", inner + PAGE);
    show("behind", inner + 2 * PAGE);
    show("vast", vast + ((size_t)1 << 39));
    show_file("file", false);
    show_file("deleted", true);
}

// Every word is its own address; the first and the last are the ends.
static void make_bulk(size_t mib, bool is_huge)
{
    bulk_bytes = mib << 20;
    char *mem =
        map(bulk_bytes + (2u << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    bulk = (uint8_t *)(((uintptr_t)mem + (2u << 20) - 1) & ~(((uintptr_t)2 << 20) - 1));
    (void)madvise(bulk, bulk_bytes, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    for (size_t i = 0; i < bulk_bytes; i += sizeof(uintptr_t)) {
        uintptr_t addr = (uintptr_t)bulk + i;
        memcpy(bulk + i, &addr, sizeof(addr));
    }
    ends[0] = (uint64_t *)(void *)bulk;
    ends[1] = (uint64_t *)(void *)(bulk + bulk_bytes - sizeof(uint64_t));
    *ends[0] = *ends[1] = 0;
    show("first", ends[0]);
    show("last", ends[1]);
    show("middle", bulk + bulk_bytes / 2);
}

// --- main -----------------------------------------------------------------------------------------------

static void start(const char *word)
{
    pthread_t thread;
    struct job *job = &jobs[num_jobs++];
    job->word = word;
    if (num_jobs >= MAX_THREADS || socketpair(AF_UNIX, SOCK_STREAM, 0, job->ours) < 0 ||
        pthread_create(&thread, NULL, strcmp(word, "breed") == 0 ? breed : run, job) != 0)
        exit(3);
    char name[16];
    (void)snprintf(name, sizeof(name), "%s", word);
    (void)pthread_setname_np(thread, name);
}

static void wake_all(void)
{
    for (size_t i = 0; i < num_jobs; i++) {
        if (send(jobs[i].ours[1], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            (void)printf("cannot wake %s\n", jobs[i].word);
        __atomic_store_n(&jobs[i].futex, 1, __ATOMIC_SEQ_CST);
        (void)syscall(SYS_futex, &jobs[i].futex, FUTEX_WAKE_PRIVATE, 1);
    }
}

static volatile uint64_t num_signals;

static void count_signal(int number)
{
    (void)number;
    __atomic_fetch_add(&num_signals, 1, __ATOMIC_SEQ_CST);
}

static void on_signal(int number)
{
    char text[] = "handled 00\n";
    text[8] = (char)('0' + number / 10);
    text[9] = (char)('0' + number % 10);
    (void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
}

int main(int argc, char **argv)
{
    char line[64];
    size_t mib = 4;
    bool is_huge = false;
    sigset_t set;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGUSR1, on_signal);
    (void)signal(SIGRTMIN, count_signal);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);  // where Yama allows parents only
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--huge") == 0)
            is_huge = true;
        else if (strcmp(argv[first], "--undumpable") == 0)
            (void)prctl(PR_SET_DUMPABLE, 0);
        else
            mib = strtoul(argv[first] + 2, NULL, 10);
    }
    show_bytes();
    show("signals", &num_signals);
    show("phase", &phase);
    show("flickering", flickering);
    make_bulk(mib, is_huge);
    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], "main-ends") != 0)
            start(argv[i]);
    (void)printf("ready\n");
    if (argc > first && strcmp(argv[argc - 1], "main-ends") == 0)
        pthread_exit(NULL);
    while (fgets(line, sizeof(line), stdin)) {
        wake_all();
        (void)printf("woken\n");
    }
    return 0;
}
