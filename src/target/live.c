// SPDX-License-Identifier: MIT
// target/live.c -- the image of a live process. All that takes time and can be done while it runs is
// done first: maps are read, their files opened, our memory faulted in. Then its threads are made to
// stand still (stop.h), maps and pages are looked at again, and what is its own is copied.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // process_vm_readv
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "target/image_impl.h"
#include "target/permit.h"
#include "target/proc.h"
#include "target/stop.h"
#include "target/survey.h"

#define PAGE_BYTES UINT64_C(4096)
#define BATCH_BYTES (UINT64_C(16) << 20)
#define BATCH_PARTS 512
#define FAULT_BYTES (UINT64_C(64) << 20)  // from one report to the next, at least
#define REPORT_NS UINT64_C(200000000)  // at least so long from one report to the next
#define MAX_THREAD_WARNINGS 5

struct live {
    const struct rch_image_options *options;
    const struct rch_alloc *alloc;
    struct rch_image *image;
    struct rch_stop *stop;
    uint32_t pid;
    uint32_t tid;      // of a thread that has the memory: pid, unless its main thread has ended
    int pagemap, mem;  // of /proc/PID, -1: cannot be opened
    struct rch_map_files files;
    struct rch_survey first;  // while it ran
    struct rch_vec had;       // struct rch_span: copied
    uint64_t num_copied;
    size_t num_tried;      // runs that may have been written to our memory
    uint64_t reported_ns;  // when, 0: not yet
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static enum rch_status take_survey(struct live *live, struct rch_survey *survey,
                                   struct rch_error *err)
{
    const struct rch_survey_of of = {
        .image = live->image,
        .tid = live->tid,
        .pagemap = live->pagemap,
        .files = &live->files,
        .before = survey == &live->first ? NULL : &live->first,
    };
    return rch_survey_take(survey, &of, err);
}

// A few times a second at most.
static enum rch_status report(struct live *live, const char *phase, uint64_t done, uint64_t total,
                              struct rch_error *err)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    if (live->reported_ns && now - live->reported_ns < REPORT_NS)
        return RCH_OK;
    live->reported_ns = now;
    if (rch_go_on(live->options->progress, phase, done, total))
        return RCH_OK;
    return rch_fail(err, RCH_ECANCELED, "canceled while process %" PRIu32 " was being read",
                    live->pid);
}

static enum rch_status reserve_runs(struct live *live, const struct rch_survey *survey,
                                    struct rch_error *err)
{
    for (size_t i = 0; i < survey->runs.num; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        RCH_TRY(rch_image_reserve(live->image, run.start, run.end, false, err));
    }
    return RCH_OK;
}

// The same, and the kernel gives us the pages now.
static enum rch_status fault_runs(struct live *live, const struct rch_survey *survey,
                                  struct rch_error *err)
{
    uint64_t done = 0;
    for (size_t i = 0; i < survey->runs.num; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        while (run.start < run.end) {
            uint64_t end = (run.start + FAULT_BYTES) & ~(FAULT_BYTES - 1);
            if (end > run.end)
                end = run.end;
            RCH_TRY(rch_image_reserve(live->image, run.start, end, true, err));
            done += end - run.start;
            run.start = end;
            RCH_TRY(report(live, "prepare", done, survey->num_bytes, err));
        }
    }
    live->reported_ns = 0;  // the first report of the copy is not held back
    return RCH_OK;
}

// --- copying --------------------------------------------------------------------------------------------

// Parts of the process's memory and where they go, for one call of the kernel.
struct batch {
    struct iovec remote[BATCH_PARTS], local[BATCH_PARTS];
    size_t num;
    uint64_t num_bytes;
};

static enum rch_status ended(const struct live *live, struct rch_error *err)
{
    return rch_fail(err, RCH_EIO, "process %" PRIu32 " ended while it was being read", live->pid);
}

// How many bytes could be read, from the start of the batch; 0 when not even the first page could.
static uint64_t read_batch(struct live *live, const struct batch *batch)
{
    ssize_t num =
        process_vm_readv((pid_t)live->tid, batch->local, batch->num, batch->remote, batch->num, 0);
    if (num > 0 || (num < 0 && errno == EFAULT))
        return num > 0 ? (uint64_t)num : 0;
    uint64_t done = 0;
    for (size_t i = 0; i < batch->num; i++) {  // refused by a filter of system calls, perhaps
        const struct iovec *to = &batch->local[i];
        off_t from = (off_t)(uintptr_t)batch->remote[i].iov_base;
        num = live->mem < 0 ? -1 : pread(live->mem, to->iov_base, to->iov_len, from);
        done += num > 0 ? (uint64_t)num : 0;
        if (num != (ssize_t)to->iov_len)
            break;
    }
    return done;
}

static enum rch_status add_had(struct live *live, uint64_t start, uint64_t end,
                               struct rch_error *err)
{
    if (live->had.num) {
        struct rch_span *last = &RCH_VEC_AT(&live->had, struct rch_span, live->had.num - 1);
        if (last->end == start) {
            last->end = end;
            return RCH_OK;
        }
    }
    return rch_vec_append(&live->had, &(struct rch_span){start, end}, 1, err);
}

// Take the first num_bytes off the batch.
static void advance(struct batch *batch, uint64_t num_bytes)
{
    size_t i = 0;
    while (i < batch->num && num_bytes >= batch->remote[i].iov_len)
        num_bytes -= batch->remote[i++].iov_len;
    batch->num -= i;
    memmove(batch->remote, batch->remote + i, batch->num * sizeof(batch->remote[0]));
    memmove(batch->local, batch->local + i, batch->num * sizeof(batch->local[0]));
    if (batch->num && num_bytes) {
        batch->remote[0].iov_base = (char *)batch->remote[0].iov_base + num_bytes;
        batch->local[0].iov_base = (char *)batch->local[0].iov_base + num_bytes;
        batch->remote[0].iov_len -= num_bytes;
        batch->local[0].iov_len -= num_bytes;
    }
}

static enum rch_status note_read(struct live *live, const struct batch *batch, uint64_t num_bytes,
                                 struct rch_error *err)
{
    for (size_t i = 0; i < batch->num && num_bytes; i++) {
        uint64_t start = (uintptr_t)batch->remote[i].iov_base;
        uint64_t num = batch->remote[i].iov_len < num_bytes ? batch->remote[i].iov_len : num_bytes;
        RCH_TRY(add_had(live, start, start + num, err));
        num_bytes -= num;
    }
    return RCH_OK;
}

// A page that cannot be read is left out; one that nobody can read holds nothing.
static enum rch_status copy_batch(struct live *live, struct batch *batch, struct rch_error *err)
{
    while (batch->num) {
        uint64_t num = read_batch(live, batch) & ~(PAGE_BYTES - 1);
        RCH_TRY(note_read(live, batch, num, err));
        live->num_copied += num;
        advance(batch, num);
        if (!batch->num)
            break;
        if (num == 0 && rch_proc_has_ended(live->tid, 0))
            return ended(live, err);
        if (num)
            continue;
        if (rch_proc_is_guard(live->pagemap, (uintptr_t)batch->remote[0].iov_base))
            RCH_TRY(note_read(live, batch, PAGE_BYTES, err));
        advance(batch, PAGE_BYTES);
    }
    batch->num_bytes = 0;
    return RCH_OK;
}

enum outcome { COPIED, DISTURBED };

// Between batches: may we go on, and does everybody stand still?
static enum rch_status look_around(struct live *live, const struct rch_survey *survey,
                                   enum outcome *outcome, struct rch_error *err)
{
    *outcome = rch_stop_holds(live->stop, false) ? COPIED : DISTURBED;
    return report(live, "copy", live->num_copied, survey->num_bytes, err);
}

static enum rch_status copy_runs(struct live *live, const struct rch_survey *survey,
                                 enum outcome *outcome, struct rch_error *err)
{
    struct batch batch = {.num = 0};
    for (size_t i = 0; i < survey->runs.num && *outcome == COPIED; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        live->num_tried = i + 1;
        while (run.start < run.end && *outcome == COPIED) {
            size_t num = rch_image_run(live->image, run.start, run.end);
            if (num > BATCH_BYTES - batch.num_bytes)
                num = BATCH_BYTES - batch.num_bytes;
            batch.remote[batch.num] = (struct iovec){(void *)(uintptr_t)run.start, num};
            batch.local[batch.num++] = (struct iovec){rch_image_at(live->image, run.start), num};
            batch.num_bytes += num;
            run.start += num;
            if (batch.num < BATCH_PARTS && batch.num_bytes < BATCH_BYTES)
                continue;
            RCH_TRY(copy_batch(live, &batch, err));
            RCH_TRY(look_around(live, survey, outcome, err));
        }
    }
    return *outcome == COPIED ? copy_batch(live, &batch, err) : RCH_OK;
}

// Our memory must be zero again where the next try copies nothing.
static void forget_copy(struct live *live, const struct rch_survey *survey)
{
    for (size_t i = 0; i < live->num_tried; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        while (run.start < run.end) {
            size_t num = rch_image_run(live->image, run.start, run.end);
            memset(rch_image_at(live->image, run.start), 0, num);
            run.start += num;
        }
    }
    live->had.num = live->num_tried = 0;
    live->num_copied = 0;
}

// --- the moment -----------------------------------------------------------------------------------------

// A child made by vfork has its parent's memory until it runs another program, and was not stopped.
static bool has_vfork_child(const struct rch_os_thread *thread)
{
    if (thread->state != 'D')
        return false;
#ifdef SYS_vfork
    if (thread->syscall == SYS_vfork)
        return true;
#endif
    return thread->syscall == SYS_clone && (thread->args[0] & CLONE_VFORK);
}

static enum rch_status warn_of(struct live *live, const struct rch_os_thread *thread,
                               struct rch_error *err)
{
    struct rch_image *image = live->image;
    if (!thread->was_stopped && image->num_not_stopped <= MAX_THREAD_WARNINGS)
        RCH_TRY(rch_image_warn(image, err,
                               "thread %" PRIu32
                               " (%s) did not stop (state %c): what it wrote meanwhile "
                               "may be torn",
                               thread->tid, thread->name, thread->state));
    if (has_vfork_child(thread))
        RCH_TRY(rch_image_warn(image, err,
                               "thread %" PRIu32
                               " (%s) waits for a child made by vfork: what that one "
                               "wrote meanwhile may be torn",
                               thread->tid, thread->name));
    return RCH_OK;
}

static enum rch_status add_threads(struct live *live, struct rch_error *err)
{
    struct rch_image *image = live->image;
    for (size_t i = 0; i < rch_stop_num_threads(live->stop); i++) {
        const struct rch_os_thread *thread = rch_stop_thread(live->stop, i);
        if (!thread)
            continue;
        RCH_TRY(rch_image_add_thread(image, thread, err));
        RCH_TRY(warn_of(live, thread, err));
    }
    if (image->num_not_stopped > MAX_THREAD_WARNINGS)
        RCH_TRY(rch_image_warn(image, err, "%" PRIu32 " threads did not stop in all",
                               image->num_not_stopped));
    return RCH_OK;
}

static enum rch_status add_maps(struct live *live, const struct rch_survey *survey,
                                struct rch_error *err)
{
    for (size_t i = 0; i < survey->maps.num; i++) {
        int fd = RCH_VEC_AT(&survey->fds, int, i);
        const struct rch_map *map = &RCH_VEC_AT(&survey->maps, struct rch_map, i);
        RCH_TRY(rch_image_add_map(live->image, map, err));
        if (fd < 0)
            continue;
        rch_map_files_take(&live->files, map);
        rch_image_back_by_file(live->image, i, fd);
    }
    return RCH_OK;
}

static enum rch_status fill_image(struct live *live, const struct rch_survey *survey,
                                  struct rch_error *err)
{
    struct rch_image *image = live->image;
    RCH_TRY(add_maps(live, survey, err));
    for (size_t i = 0; i < live->had.num; i++) {
        struct rch_span span = RCH_VEC_AT(&live->had, struct rch_span, i);
        rch_image_have(image, span.start, span.end);
    }
    for (size_t i = 0; i < survey->zeros.num; i++) {
        struct rch_span span = RCH_VEC_AT(&survey->zeros, struct rch_span, i);
        rch_image_have(image, span.start, span.end);
    }
    image->bytes_copied = live->num_copied;
    return add_threads(live, err);
}

static int open_of(const struct live *live, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", live->tid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void close_memory(struct live *live)
{
    if (live->pagemap >= 0)
        close(live->pagemap);
    if (live->mem >= 0)
        close(live->mem);
    live->pagemap = live->mem = -1;
}

// Of the program that it runs now: these files stay with the one that ran when they were opened.
static void open_memory(struct live *live)
{
    uint64_t entry;
    close_memory(live);
    live->mem = open_of(live, "mem");
    live->pagemap = open_of(live, "pagemap");
    if (live->pagemap >= 0 && pread(live->pagemap, &entry, sizeof(entry), 0) != sizeof(entry)) {
        close(live->pagemap);
        live->pagemap = -1;
    }
}

static enum rch_status describe(struct live *live, struct rch_error *err)
{
    char path[64], exe[PATH_MAX];
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", live->tid);
    ssize_t num = readlink(path, exe, sizeof(exe) - 1);
    exe[num > 0 ? num : 0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root", live->tid);
    live->image->kind = RCH_IMAGE_LIVE;
    live->image->pid = live->pid;
    live->image->exe = rch_image_text(live->image, exe);
    live->image->root = rch_image_text(live->image, path);
    if (!live->image->exe || !live->image->root)
        return rch_fail(err, RCH_ENOMEM, "the name of a program");
    return RCH_OK;
}

static enum rch_status copy_once(struct live *live, struct rch_survey *survey,
                                 enum outcome *outcome, struct rch_error *err)
{
    live->image->time_ns = now_ns(CLOCK_REALTIME);
    open_memory(live);
    RCH_TRY(describe(live, err));
    RCH_TRY(take_survey(live, survey, err));
    if (survey->maps.num == 0)
        return ended(live, err);
    RCH_TRY(reserve_runs(live, survey, err));
    *outcome = COPIED;
    RCH_TRY(copy_runs(live, survey, outcome, err));
    if (rch_proc_has_ended(live->tid, 0))
        return ended(live, err);
    if (*outcome == COPIED && !rch_stop_holds(live->stop, true))
        *outcome = DISTURBED;
    return RCH_OK;
}

// First those who sleep are left asleep; if one woke, we start again and leave fewer.
static enum rch_status copy_moment(struct live *live, struct rch_error *err)
{
    static const enum rch_spare spares[] = {RCH_SPARE_SLEEPERS, RCH_SPARE_DISTURBED,
                                            RCH_SPARE_NOBODY};
    for (size_t i = 0; i < sizeof(spares) / sizeof(*spares); i++) {
        struct rch_survey survey;
        enum outcome outcome = DISTURBED;
        bool is_last = spares[i] == RCH_SPARE_NOBODY;
        rch_survey_init(&survey, live->alloc);
        enum rch_status st = rch_stop_threads(live->stop, spares[i], err);
        if (st == RCH_OK)
            st = copy_once(live, &survey, &outcome, err);
        if (st == RCH_OK && outcome == DISTURBED && !is_last)
            forget_copy(live, &survey);
        bool is_done = st != RCH_OK || outcome == COPIED || is_last;
        if (is_done)
            rch_stop_release(live->stop);
        if (is_done && st == RCH_OK)
            st = fill_image(live, &survey, err);
        rch_survey_deinit(&survey);
        if (is_done)
            return st;
    }
    return RCH_OK;
}

// A stop of ours while the process is stopped would leave it so: no stop by ^Z, nor for writing progress
// to a terminal in the background, until it goes on.
static enum rch_status copy_undisturbed(struct live *live, struct rch_error *err)
{
    sigset_t stops, before;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGTSTP);
    (void)sigaddset(&stops, SIGTTOU);
    (void)sigaddset(&stops, SIGTTIN);
    (void)pthread_sigmask(SIG_BLOCK, &stops, &before);
    enum rch_status st = copy_moment(live, err);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return st;
}

// --- the whole ------------------------------------------------------------------------------------------

// While it runs: whether we may, what will be needed.
static enum rch_status prepare(struct live *live, struct rch_error *err)
{
    RCH_TRY(describe(live, err));
    open_memory(live);
    int maps = open_of(live, "maps");
    if (maps < 0)
        return rch_permit_refuse(live->pid, errno, err);
    close(maps);
    RCH_TRY(take_survey(live, &live->first, err));
    return fault_runs(live, &live->first, err);
}

static enum rch_status read_process(struct live *live, struct rch_error *err)
{
    RCH_TRY(rch_permit_look(live->pid, err));
    live->tid = live->pid;
    if (rch_proc_has_ended(live->pid, 0))  // its main thread, that is
        live->tid = rch_proc_live_thread(live->pid);
    RCH_TRY(rch_image_new(live->options, &live->image, err));
    RCH_TRY(rch_stop_new(live->pid, live->alloc, &live->stop, err));
    RCH_TRY(prepare(live, err));
    RCH_TRY(copy_undisturbed(live, err));
    live->image->pause_ns = rch_stop_pause_ns(live->stop);
    RCH_TRY(rch_image_seal(live->image, err));
    if (live->image->bytes_missing)
        RCH_TRY(rch_image_warn(live->image, err, "%" PRIu64 " KiB of its memory could not be read",
                               live->image->bytes_missing / 1024));
    return RCH_OK;
}

enum rch_status rch_image_open_pid(uint32_t pid, const struct rch_image_options *options,
                                   struct rch_image **image_out, struct rch_error *err)
{
    const struct rch_alloc *alloc = options->alloc ? options->alloc : rch_alloc_default();
    struct live live = {.options = options, .alloc = alloc, .pid = pid, .pagemap = -1, .mem = -1};
    rch_map_files_init(&live.files, alloc);
    rch_survey_init(&live.first, alloc);
    rch_vec_init(&live.had, alloc, sizeof(struct rch_span));
    enum rch_status st = read_process(&live, err);
    rch_stop_free(live.stop);
    close_memory(&live);
    rch_map_files_deinit(&live.files);
    rch_survey_deinit(&live.first);
    rch_vec_deinit(&live.had);
    if (st == RCH_OK)
        *image_out = live.image;
    else
        rch_image_free(live.image);
    return st;
}
