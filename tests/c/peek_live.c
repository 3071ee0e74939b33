// SPDX-License-Identifier: MIT
// tests/c/peek_live.c -- reads a live process for tests: `peek_live PID [ADDRESS:BYTES]...` prints what the
// image says and those bytes, `peek_live --permit PID` what is in the way. The exit code is the status.
//
//   --limit BYTES   the rest of the copy goes to a file
//   --at MIB        kill ourselves when so much is copied
//   --cancel        stop at the first report
//   --forbid CALL   have the kernel refuse this system call (its number) from now on
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "target/image.h"
#include "target/permit.h"

static uint64_t kill_at = UINT64_MAX;
static bool cancels;
static unsigned num_reports;

static bool report(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx;
    bool is_copy = strcmp(phase, "copy") == 0;
    if ((!is_copy && strcmp(phase, "prepare") != 0) || done > total)
        (void)fprintf(stderr, "peek_live: odd report: %s %" PRIu64 "/%" PRIu64 "\n", phase, done,
                      total);
    if (!is_copy)
        return true;
    num_reports++;
    if (done >= kill_at)
        (void)kill(getpid(), SIGKILL);
    return !cancels;
}

static int show_permit(uint32_t pid)
{
    struct rch_permit permit;
    rch_permit_check(pid, &permit);
    (void)printf("may_read %d\n", permit.may_read);
    for (size_t i = 0; i < RCH_NUM_PERMITS; i++) {
        const struct rch_permit_row *row = &permit.rows[i];
        (void)printf("row %d\t%d\t%d\t%s\t%s\n", (int)row->kind, row->is_ok, row->is_in_the_way,
                     row->words, row->remedy);
    }
    return 0;
}

static void show_image(const struct rch_image *image)
{
    (void)printf("pid %" PRIu32 "\ntime_ns %" PRIu64 "\npause_ns %" PRIu64 "\ncopied %" PRIu64
                 "\nmissing %" PRIu64 "\nnot_stopped %" PRIu32 "\nreports %u\n",
                 image->pid, image->time_ns, image->pause_ns, image->bytes_copied,
                 image->bytes_missing, image->num_not_stopped, num_reports);
    (void)printf("exe %s\nroot %s\n", image->exe, image->root);
    for (size_t i = 0; i < image->num_maps; i++) {
        const struct rch_map *map = &image->maps[i];
        (void)printf("map %" PRIx64 "\t%" PRIx64 "\t%" PRIu32 "\t%" PRIx64 "\t%s\n", map->start,
                     map->end, map->flags, map->offset, map->path);
    }
    for (size_t i = 0; i < image->num_threads; i++) {
        const struct rch_os_thread *thread = &image->threads[i];
        (void)printf("thread %" PRIu32 "\t%c\t%d\t%d\t%" PRId64 "\t%" PRIx64 "\t%" PRIx64
                     "\t%" PRIx64 "\t%s\n",
                     thread->tid, thread->state, thread->was_stopped, thread->has_registers,
                     thread->syscall, thread->args[0], thread->pc, thread->sp, thread->name);
    }
    for (size_t i = 0; i < image->num_warnings; i++)
        (void)printf("warning %s\n", image->warnings[i]);
}

static void show_bytes(struct rch_image *image, const char *what)
{
    char *colon;
    uint64_t addr = strtoull(what, &colon, 16);
    size_t num = *colon == ':' ? strtoull(colon + 1, NULL, 10) : 8;
    uint8_t *bytes = malloc(num ? num : 1);
    if (!bytes || !rch_target_read(&image->target, addr, bytes, num)) {
        (void)printf("bytes %" PRIx64 " unreadable\n", addr);
    } else {
        (void)printf("bytes %" PRIx64 " ", addr);
        for (size_t i = 0; i < num; i++)
            (void)printf("%02x", bytes[i]);
        (void)printf("\n");
    }
    free(bytes);
}

static void forbid(uint32_t call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),  // the number
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        (void)fprintf(stderr, "peek_live: cannot forbid a call\n");
}

static unsigned num_open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned num = 0;
    while (dir && readdir(dir))
        num++;
    if (dir)
        (void)closedir(dir);
    return num;
}

int main(int argc, char **argv)
{
    struct rch_progress progress = {report, NULL};
    struct rch_image_options options = {.progress = &progress};
    struct rch_image *image;
    struct rch_error err;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--forbid") == 0 && i + 1 < argc)
            forbid((uint32_t)strtoul(argv[++i], NULL, 10));
        else if (strcmp(argv[i], "--permit") == 0 && i + 1 < argc)
            return show_permit((uint32_t)strtoul(argv[i + 1], NULL, 10));
        else if (strcmp(argv[i], "--cancel") == 0)
            cancels = true;
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            options.memory_limit = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--at") == 0 && i + 1 < argc)
            kill_at = strtoull(argv[++i], NULL, 10) << 20;
    }
    if (i >= argc)
        return 100;
    uint32_t pid =
        strcmp(argv[i], "self") ? (uint32_t)strtoul(argv[i], NULL, 10) : (uint32_t)getpid();
    unsigned num_files = num_open_files();
    enum rch_status st = rch_image_open_pid(pid, &options, &image, &err);
    if (st != RCH_OK) {
        (void)printf("error %s: %s\n", rch_status_words(st), err.message);
        (void)printf("left_open %u\n", num_open_files() - num_files);
        return (int)st;
    }
    show_image(image);
    for (i++; i < argc; i++)
        show_bytes(image, argv[i]);
    rch_image_free(image);
    (void)printf("left_open %u\n", num_open_files() - num_files);
    return 0;
}
