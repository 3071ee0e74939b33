// SPDX-License-Identifier: MIT
// target/stop.c -- see stop.h.
//
// That a thread slept from one moment to a later one is known so: at the first its count of context
// switches is read; at the second /proc/PID/task/TID/syscall tells where it sleeps, which the kernel
// only does of a thread that is off its processor, and then the count is still the same. Had it run in
// between, it would have had to leave the processor again, and that counts.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // tgkill
#endif
#include "target/stop.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "target/permit.h"
#include "target/proc.h"
#include "target/quiet_thread.h"

#define NS_PER_S UINT64_C(1000000000)
#define DEADLINE_NS (5 * NS_PER_S)              // for threads that wait for a processor
#define DEADLINE_SLEEPING_NS (300 * NS_PER_S / 1000)  // for those in an uninterruptible sleep
#define MAX_ROUNDS 1000                          // threads that start threads meanwhile
#define SEIZE_TRIES 10
#define SEIZE_NAP_NS 2000000

enum stage { FOUND, ASLEEP, SEIZED, INTERRUPTED, STOPPED, STUCK, GONE };

struct thread {
    struct rch_os_thread os;
    enum stage stage;
    int signal;               // that it was about to get when it stopped
    uint64_t switches;        // of its processor, when it was found asleep
    uint64_t first_switches;  // when it was first seen
    bool has_settled;         // its registers have been read
};

enum task { NOTHING, TRY, STOP_THREADS, RELEASE };

struct rch_stop {
    const struct rch_alloc *alloc;
    uint32_t pid;
    struct rch_vec threads;  // struct thread
    uint64_t begin_ns, end_ns;

    pthread_t helper;
    pid_t helper_tid;
    bool has_helper;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum task task;  // under the lock; the rest belongs to who is at work
    enum rch_spare spare;
    enum rch_status status;
    int tried;  // 0, or an errno
    struct rch_error err;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct thread *thread_at(const struct rch_stop *stop, size_t i)
{
    return &RCH_VEC_AT(&stop->threads, struct thread, i);
}

// --- finding threads --------------------------------------------------------------------------------

// The kernel lists threads in the order of their start, as we do: mostly the next one is meant.
static struct thread *find_thread(const struct rch_stop *stop, uint32_t tid, size_t *hint)
{
    size_t num = stop->threads.num;
    for (size_t k = 0; k < num; k++) {
        size_t i = (*hint + k) % num;
        if (thread_at(stop, i)->os.tid == tid) {
            *hint = i + 1;
            return thread_at(stop, i);
        }
    }
    return NULL;
}

static size_t num_in(const struct rch_stop *stop, enum stage stage)
{
    size_t num = 0;
    for (size_t i = 0; i < stop->threads.num; i++)
        num += thread_at(stop, i)->stage == stage;
    return num;
}

// Adds the threads we do not know.
static enum rch_status find_threads(struct rch_stop *stop, struct rch_error *err)
{
    char path[64];
    size_t hint = 0;
    enum rch_status st = RCH_OK;
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", stop->pid);
    DIR *dir = opendir(path);
    if (!dir && errno != ENOENT && errno != ESRCH)
        return rch_fail(err, RCH_EIO, "%s: %s", path, strerror(errno));
    if (!dir)
        return rch_fail(err, RCH_EIO, "process %" PRIu32 " ended while it was being read",
                        stop->pid);
    for (struct dirent *entry; st == RCH_OK && (entry = readdir(dir)) != NULL;) {
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid == 0 || find_thread(stop, tid, &hint))
            continue;
        struct rch_proc_status status;
        struct thread thread = {.os = {.tid = tid, .state = '?', .syscall = -1}};
        if (rch_proc_status(stop->pid, tid, &status))
            thread.first_switches = status.switches;
        st = rch_vec_append(&stop->threads, &thread, 1, err);
    }
    (void)closedir(dir);
    return st;
}

// What it does before it is stopped, and whether it sleeps. False: it has ended, or is the kernel's.
static bool look_at(const struct rch_stop *stop, struct thread *thread, bool *is_asleep,
                    uint32_t *tracer)
{
    struct rch_proc_status status;
    struct rch_proc_syscall call;
    bool is_known;
    *is_asleep = rch_proc_syscall(stop->pid, thread->os.tid, &call);
    is_known = rch_proc_status(stop->pid, thread->os.tid, &status);
    if (is_known ? status.is_kernel_worker || strchr("ZX", status.state)
                 : rch_proc_has_ended(stop->pid, thread->os.tid))
        return false;
    *is_asleep = *is_asleep && is_known;
    *tracer = status.tracer;
    thread->switches = status.switches;
    thread->os.state = status.state;
    memcpy(thread->os.name, status.name, sizeof(thread->os.name));
    thread->os.syscall = -1;
    if (!*is_asleep)
        return true;
    thread->os.syscall = call.number;
    memcpy(thread->os.args, call.args, sizeof(call.args));
    thread->os.sp = call.sp;
    thread->os.pc = call.pc;
    thread->os.has_registers = true;
    return true;
}

// System calls that may return EINTR to the program when nothing but a stop interrupted them
// (signal(7)); of sockets when they have a timeout, which is not told to others.
static bool is_disturbed(int64_t call)
{
    switch (call) {
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_rt_sigtimedwait:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_semop:
    case SYS_semtimedop:
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
        return true;
    default: return false;
    }
}

static bool may_sleep_on(enum rch_spare spare, const struct thread *thread)
{
    bool would_notice =
        thread->os.state == 'D' || thread->os.state == 'T' || is_disturbed(thread->os.syscall);
    if (spare == RCH_SPARE_SLEEPERS)  // who woke lately will wake again before we are done
        return would_notice || thread->switches == thread->first_switches;
    return spare == RCH_SPARE_DISTURBED && would_notice;
}

// --- stopping, in the helper --------------------------------------------------------------------------

// Another tracer may have it, and be about to go: hence the tries.
static enum rch_status seize(struct rch_stop *stop, struct thread *thread, struct rch_error *err)
{
    int os_errno = EPERM;
    for (unsigned i = 0; i < SEIZE_TRIES; i++) {
        if (ptrace(PTRACE_SEIZE, (pid_t)thread->os.tid, NULL, NULL) == 0) {
            thread->stage = SEIZED;
            return RCH_OK;
        }
        os_errno = errno;
        if (os_errno == ESRCH || rch_proc_has_ended(stop->pid, thread->os.tid)) {
            thread->stage = GONE;
            return RCH_OK;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = SEIZE_NAP_NS}, NULL);
    }
    return rch_permit_refuse(stop->pid, os_errno, err);
}

// Of the threads found: leave asleep or seize.
static enum rch_status seize_found(struct rch_stop *stop, struct rch_error *err)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        bool is_asleep;
        uint32_t tracer;
        if (thread->stage != FOUND)
            continue;
        if (!look_at(stop, thread, &is_asleep, &tracer))
            thread->stage = GONE;
        else if (tracer)
            return rch_permit_refuse(stop->pid, EPERM, err);
        else if (is_asleep && may_sleep_on(stop->spare, thread))
            thread->stage = ASLEEP;
        else
            RCH_TRY(seize(stop, thread, err));
    }
    return RCH_OK;
}

static void interrupt_seized(struct rch_stop *stop)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        if (thread->stage != SEIZED)
            continue;
        if (!stop->begin_ns)
            stop->begin_ns = now_ns();
        thread->stage = INTERRUPTED;
        if (ptrace(PTRACE_INTERRUPT, (pid_t)thread->os.tid, NULL, NULL) < 0 && errno == ESRCH)
            thread->stage = GONE;
    }
}

// Has it stopped? A stop that is not of our making is as good: the signal it was about to get is kept
// and given back, and a process that was stopped by SIGSTOP remains so.
static void wait_for(struct thread *thread)
{
    int status;
    pid_t got = waitpid((pid_t)thread->os.tid, &status, __WALL | __WNOTHREAD | WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    if (got < 0 || !WIFSTOPPED(status)) {
        thread->stage = GONE;
        return;
    }
    thread->stage = STOPPED;
    thread->signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
}

// In an uninterruptible sleep, or waiting for a processor?
static bool is_stuck(const struct rch_stop *stop, struct thread *thread)
{
    struct rch_proc_status status;
    if (!rch_proc_status(stop->pid, thread->os.tid, &status))
        return false;
    thread->os.state = status.state;
    return status.state == 'D';
}

// How many are still to stop, and whether any of them is not in an uninterruptible sleep.
static size_t wait_once(struct rch_stop *stop, bool look, bool *may_come)
{
    size_t num_left = 0;
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        if (thread->stage == INTERRUPTED)
            wait_for(thread);
        if (thread->stage != INTERRUPTED)
            continue;
        num_left++;
        if (look && !is_stuck(stop, thread))
            *may_come = true;
    }
    return num_left;
}

static void wait_for_all(struct rch_stop *stop)
{
    uint64_t begin = now_ns(), nap_ns = 20000;
    for (;;) {
        uint64_t waited = now_ns() - begin;
        bool is_late = waited > DEADLINE_SLEEPING_NS, may_come = false;
        if (wait_once(stop, is_late, &may_come) == 0)
            return;
        if (waited > DEADLINE_NS || (is_late && !may_come))
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)nap_ns}, NULL);
        if (nap_ns < 1000000)
            nap_ns *= 2;
    }
    for (size_t i = 0; i < stop->threads.num; i++)
        if (thread_at(stop, i)->stage == INTERRUPTED)
            thread_at(stop, i)->stage = STUCK;
}

#ifdef __x86_64__
// Is it inside the system call? It is if the kernel is going to start it again.
static bool is_restarted(uint64_t result)
{
    int64_t code = (int64_t)result;
    return code == -512 || code == -513 || code == -514 || code == -516;  // -ERESTART*
}

static void get_registers(struct thread *thread)
{
    struct user_regs_struct regs;
    struct iovec place = {&regs, sizeof(regs)};
    int64_t before = thread->os.syscall;
    thread->os.syscall = -1;
    thread->os.has_registers = false;
    if (ptrace(PTRACE_GETREGSET, (pid_t)thread->os.tid, (void *)(uintptr_t)NT_PRSTATUS, &place) <
            0 ||
        place.iov_len != sizeof(regs))  // a 32-bit program
        return;
    thread->os.has_registers = true;
    thread->os.pc = regs.rip;
    thread->os.sp = regs.rsp;
    int64_t call = (int64_t)regs.orig_rax;
    if (call < 0 || !(is_restarted(regs.rax) || (call == before && (int64_t)regs.rax == -EINTR)))
        return;
    const uint64_t args[6] = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9};
    thread->os.syscall = call;
    memcpy(thread->os.args, args, sizeof(args));
}
#else
static void get_registers(struct thread *thread)
{
    (void)thread;  // what /proc told of it before the stop must do
}
#endif

static void settle(struct rch_stop *stop)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        if (thread->stage == STOPPED && !thread->has_settled)
            get_registers(thread);
        thread->has_settled = thread->stage == STOPPED;
        thread->os.was_stopped = thread->stage == STOPPED || thread->stage == ASLEEP;
    }
}

// Until a look at the list of threads, with all that we know standing still, finds none that is new.
static enum rch_status stop_threads(struct rch_stop *stop, struct rch_error *err)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        if (thread->stage == ASLEEP)
            thread->stage = FOUND;
    }
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        RCH_TRY(find_threads(stop, err));
        if (num_in(stop, FOUND) == 0)
            break;
        RCH_TRY(seize_found(stop, err));
        interrupt_seized(stop);
        wait_for_all(stop);
    }
    settle(stop);
    if (num_in(stop, GONE) == stop->threads.num)
        return rch_fail(err, RCH_EIO, "process %" PRIu32 " ended while it was being read",
                        stop->pid);
    return RCH_OK;
}

// Those that have not stopped by now are let go when the helper ends.
static void release(struct rch_stop *stop)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        struct thread *thread = thread_at(stop, i);
        if (thread->stage == STUCK)
            wait_for(thread);
        if (thread->stage == STOPPED)
            (void)ptrace(PTRACE_DETACH, (pid_t)thread->os.tid, NULL,
                         (void *)(intptr_t)thread->signal);
    }
    if (stop->begin_ns)
        stop->end_ns = now_ns();
}

static void *help(void *arg)
{
    struct rch_stop *stop = arg;
    bool goes_on = true;
    (void)pthread_mutex_lock(&stop->lock);
    stop->helper_tid = (pid_t)syscall(SYS_gettid);
    while (goes_on) {
        while (stop->task == NOTHING)
            (void)pthread_cond_wait(&stop->changed, &stop->lock);
        goes_on = stop->task != RELEASE;
        if (stop->task == STOP_THREADS)
            stop->status = stop_threads(stop, &stop->err);
        else if (stop->task == TRY)
            stop->tried = ptrace(PTRACE_SEIZE, (pid_t)stop->pid, NULL, NULL) == 0 ? 0 : errno;
        else
            release(stop);
        stop->task = NOTHING;
        (void)pthread_cond_broadcast(&stop->changed);
    }
    (void)pthread_mutex_unlock(&stop->lock);
    return NULL;
}

// --- for the caller -----------------------------------------------------------------------------------

static enum rch_status ask_helper(struct rch_stop *stop, enum task task)
{
    (void)pthread_mutex_lock(&stop->lock);
    stop->task = task;
    (void)pthread_cond_broadcast(&stop->changed);
    while (stop->task != NOTHING)
        (void)pthread_cond_wait(&stop->changed, &stop->lock);
    enum rch_status st = stop->status;
    (void)pthread_mutex_unlock(&stop->lock);
    return st;
}

// No signal of ours is handled in the helper, so none interrupts it.
static int start_helper(struct rch_stop *stop)
{
    int code = rch_quiet_thread(&stop->helper, help, stop);
    stop->has_helper = code == 0;
    return code;
}

enum rch_status rch_stop_new(uint32_t pid, const struct rch_alloc *alloc,
                             struct rch_stop **stop_out, struct rch_error *err)
{
    struct rch_stop *stop = rch_calloc(alloc, 1, sizeof(*stop));
    if (!stop)
        return rch_fail(err, RCH_ENOMEM, "the list of threads");
    stop->alloc = alloc;
    stop->pid = pid;
    rch_vec_init(&stop->threads, alloc, sizeof(struct thread));
    (void)pthread_mutex_init(&stop->lock, NULL);
    (void)pthread_cond_init(&stop->changed, NULL);
    int code = start_helper(stop);
    enum rch_status st = RCH_OK;
    if (code)
        st = rch_fail(err, RCH_ENOMEM, "cannot start a thread: %s", strerror(code));
    if (st == RCH_OK)
        st = find_threads(stop, err);
    if (st == RCH_OK)
        *stop_out = stop;
    else
        rch_stop_free(stop);
    return st;
}

enum rch_status rch_stop_threads(struct rch_stop *stop, enum rch_spare spare, struct rch_error *err)
{
    stop->spare = spare;
    enum rch_status st = ask_helper(stop, STOP_THREADS);
    if (st != RCH_OK && err)
        *err = stop->err;
    return st;
}

// The kernel lets go of the threads while our thread ends, which is after it can be joined.
static void wait_for_end_of_helper(const struct rch_stop *stop)
{
    uint64_t begin = now_ns();
    while (syscall(SYS_tgkill, getpid(), stop->helper_tid, 0) == 0 && now_ns() - begin < NS_PER_S)
        (void)sched_yield();
}

void rch_stop_release(struct rch_stop *stop)
{
    if (!stop->has_helper)
        return;
    (void)ask_helper(stop, RELEASE);
    (void)pthread_join(stop->helper, NULL);
    stop->has_helper = false;
    wait_for_end_of_helper(stop);
}

void rch_stop_free(struct rch_stop *stop)
{
    if (!stop)
        return;
    rch_stop_release(stop);
    rch_vec_deinit(&stop->threads);
    (void)pthread_cond_destroy(&stop->changed);
    (void)pthread_mutex_destroy(&stop->lock);
    rch_free(stop->alloc, stop, 1, sizeof(*stop));
}

int rch_stop_try(uint32_t tid)
{
    struct rch_stop *stop;
    if (rch_stop_new(tid, rch_alloc_default(), &stop, NULL) != RCH_OK)
        return ESRCH;
    (void)ask_helper(stop, TRY);
    int tried = stop->tried;
    rch_stop_free(stop);
    return tried;
}

static bool has_slept(const struct rch_stop *stop, const struct thread *thread, bool is_last)
{
    struct rch_proc_status status;
    struct rch_proc_syscall call;
    if (is_last && !rch_proc_syscall(stop->pid, thread->os.tid, &call))
        return false;
    return rch_proc_status(stop->pid, thread->os.tid, &status) &&
           status.switches == thread->switches;
}

bool rch_stop_holds(struct rch_stop *stop, bool is_last)
{
    for (size_t i = 0; i < stop->threads.num; i++) {
        const struct thread *thread = thread_at(stop, i);
        if (thread->stage == ASLEEP && !has_slept(stop, thread, is_last))
            return false;
    }
    return !is_last || (find_threads(stop, NULL) == RCH_OK && num_in(stop, FOUND) == 0);
}

size_t rch_stop_num_threads(const struct rch_stop *stop)
{
    return stop->threads.num;
}

const struct rch_os_thread *rch_stop_thread(const struct rch_stop *stop, size_t i)
{
    const struct thread *thread = thread_at(stop, i);
    return thread->stage == GONE ? NULL : &thread->os;
}

uint64_t rch_stop_pause_ns(const struct rch_stop *stop)
{
    return stop->end_ns - stop->begin_ns;
}
