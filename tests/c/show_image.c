// SPDX-License-Identifier: MIT
// tests/c/show_image.c -- the image of a process or of a core file, for the Python tests:
//
//   show_image [OPTIONS] WHERE [ADDRESS:BYTES]...   what the image says, and those bytes
//   show_image --permit PID                         what is in the way
//
// WHERE is a pid, "self", or the path of a core. The exit code is the status.
//
//   --sysroot DIR   where the files of a core are
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
static bool cancels, shows_permit;
static unsigned num_reports;

static bool report(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx;
    bool is_copy = strcmp(phase, "copy") == 0;
    if ((!is_copy && strcmp(phase, "prepare") != 0) || done > total)
        (void)fprintf(stderr, "show_image: odd report: %s %" PRIu64 "/%" PRIu64 "\n", phase, done,
                      total);
    if (!is_copy)
        return true;
    num_reports++;
    if (done >= kill_at)
        (void)kill(getpid(), SIGKILL);
    return !cancels;
}

static int print_permit(uint32_t pid)
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

static void print_image(const struct rch_image *image)
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

static void print_bytes(struct rch_image *image, const char *what)
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
        (void)fprintf(stderr, "show_image: cannot forbid a call\n");
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

// The options from argv[1] on; the number of the first word behind them.
static int parse(int argc, char **argv, struct rch_image_options *options)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--forbid") == 0 && i + 1 < argc)
            forbid((uint32_t)strtoul(argv[++i], NULL, 10));
        else if (strcmp(argv[i], "--permit") == 0)
            shows_permit = true;
        else if (strcmp(argv[i], "--cancel") == 0)
            cancels = true;
        else if (strcmp(argv[i], "--sysroot") == 0 && i + 1 < argc)
            options->sysroot = argv[++i];
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            options->memory_limit = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--at") == 0 && i + 1 < argc)
            kill_at = strtoull(argv[++i], NULL, 10) << 20;
    }
    return i;
}

static enum rch_status open_image(const char *where, struct rch_image_options *options,
                                  struct rch_image **image, struct rch_error *err)
{
    static const struct rch_progress progress = {report, NULL};
    char *end;
    unsigned long pid = strtoul(where, &end, 10);
    if (strcmp(where, "self") == 0)
        pid = (unsigned long)getpid();
    else if (*end)
        return rch_image_open_core(where, options, image, err);
    options->progress = &progress;
    return rch_image_open_pid((uint32_t)pid, options, image, err);
}

int main(int argc, char **argv)
{
    struct rch_image_options options = {0};
    struct rch_image *image;
    struct rch_error err;
    int i = parse(argc, argv, &options);
    if (i >= argc)
        return 100;
    if (shows_permit)
        return print_permit((uint32_t)strtoul(argv[i], NULL, 10));
    unsigned num_files = num_open_files();
    enum rch_status st = open_image(argv[i], &options, &image, &err);
    if (st == RCH_OK) {
        print_image(image);
        for (i++; i < argc; i++)
            print_bytes(image, argv[i]);
        rch_image_free(image);
    } else {
        (void)printf("error %s: %s\n", rch_status_words(st), err.message);
    }
    (void)printf("left_open %u\n", num_open_files() - num_files);
    return (int)st;
}
