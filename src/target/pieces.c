// SPDX-License-Identifier: MIT
// target/pieces.c -- see pieces.h. Address space is reserved once, without access, and opened as pieces
// are added: neighbours stay one mapping, and a system that does not overcommit counts what is
// used. Blocks of the file are allocated with it: a full disk is an error then, not a signal later.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // O_TMPFILE
#endif
#include "target/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "target/quiet_thread.h"
#include "target/target.h"

#define PAGE_BYTES ((size_t)4096)
#define MOST_BYTES (UINT64_C(1) << 40)
#define LEAST_BYTES (UINT64_C(1) << 26)
#define SHARED_BYTES ((size_t)8 << 20)  // less is not worth a thread
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum rch_status rch_pieces_init(struct rch_pieces *pieces, uint64_t memory_limit,
                                const char *temp_dir, struct rch_error *err)
{
    *pieces = (struct rch_pieces){.fd = -1, .num_anonymous = SIZE_MAX, .temp_dir = temp_dir};
    pieces->memory_limit = memory_limit ? memory_limit : rch_memory_left() / 2;
    for (uint64_t bytes = MOST_BYTES; bytes >= LEAST_BYTES; bytes /= 2) {
        void *mem =
            mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mem == MAP_FAILED)
            continue;
        uintptr_t first = ((uintptr_t)mem + RCH_CHUNK_BYTES - 1) & ~(RCH_CHUNK_BYTES - 1);
        pieces->reserved = mem;
        pieces->reserved_bytes = bytes;
        pieces->mem = (uint8_t *)first;
        pieces->cap = ((uintptr_t)mem + bytes - first) / RCH_CHUNK_BYTES;
        (void)madvise(mem, bytes, MADV_DONTDUMP);  // other people's data
        return RCH_OK;
    }
    return rch_fail(err, RCH_ENOMEM, "no address space for a copy of the process's memory");
}

void rch_pieces_deinit(struct rch_pieces *pieces)
{
    if (pieces->reserved)
        (void)munmap(pieces->reserved, pieces->reserved_bytes);
    if (pieces->fd >= 0)
        (void)close(pieces->fd);
    *pieces = (struct rch_pieces){.fd = -1};
}

static const char *dir_of(const struct rch_pieces *pieces)
{
    if (pieces->temp_dir)
        return pieces->temp_dir;
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

static enum rch_status open_file(struct rch_pieces *pieces, struct rch_error *err)
{
    char path[PATH_MAX];
    pieces->fd = open(dir_of(pieces), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (pieces->fd < 0) {  // a file system without O_TMPFILE
        int num = snprintf(path, sizeof(path), "%s/refchain-XXXXXX", dir_of(pieces));
        if (num > 0 && (size_t)num < sizeof(path))
            pieces->fd = mkostemp(path, O_CLOEXEC);
        if (pieces->fd >= 0)
            (void)unlink(path);
    }
    if (pieces->fd < 0)
        return rch_fail(err, RCH_EIO, "%s: cannot make a file for the copy: %s", dir_of(pieces),
                        strerror(errno));
    pieces->num_anonymous = pieces->num;
    return RCH_OK;
}

static enum rch_status add_in_file(struct rch_pieces *pieces, size_t num, struct rch_error *err)
{
    if (pieces->fd < 0)
        RCH_TRY(open_file(pieces, err));
    size_t bytes = num * RCH_CHUNK_BYTES;
    off_t offset = (off_t)((pieces->num - pieces->num_anonymous) * RCH_CHUNK_BYTES);
    errno = posix_fallocate(pieces->fd, offset, (off_t)bytes);
    if (errno)
        return rch_fail(err, RCH_EIO, "%s: no room for a copy of %zu MiB: %s", dir_of(pieces),
                        bytes >> 20, strerror(errno));
    void *mem = mmap(pieces->mem + pieces->num * RCH_CHUNK_BYTES, bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, pieces->fd, offset);
    if (mem == MAP_FAILED)
        return rch_fail(err, RCH_EIO, "%s: cannot map the copy: %s", dir_of(pieces),
                        strerror(errno));
    (void)madvise(mem, bytes, MADV_DONTDUMP);
    pieces->num += num;
    return RCH_OK;
}

enum rch_status rch_pieces_add(struct rch_pieces *pieces, size_t num, uint64_t want_bytes,
                               struct rch_error *err)
{
    if (num > pieces->cap - pieces->num)
        return rch_fail(err, RCH_ENOMEM, "no address space for %zu MiB more of copied memory",
                        num << (RCH_CHUNK_SHIFT - 20));
    bool fits = want_bytes <= pieces->memory_limit &&
                pieces->memory_bytes <= pieces->memory_limit - want_bytes;
    if (want_bytes > 0 && (pieces->fd >= 0 || !fits))
        return add_in_file(pieces, num, err);
    uint8_t *mem = pieces->mem + pieces->num * RCH_CHUNK_BYTES;
    if (mprotect(mem, num * RCH_CHUNK_BYTES, PROT_READ | PROT_WRITE) < 0)
        return add_in_file(pieces, num, err);
    pieces->memory_bytes += want_bytes;
    pieces->num += num;
    return RCH_OK;
}

struct pages {
    uint8_t *start;
    size_t num_bytes;
};

// One byte a page, as it is: for kernels before 5.14, which do not know MADV_POPULATE_WRITE.
static void touch(const struct pages *pages)
{
    for (size_t i = 0; i < pages->num_bytes; i += PAGE_BYTES) {
        volatile uint8_t *byte = pages->start + i;
        *byte = *byte;
    }
}

static void *fault(void *arg)
{
    const struct pages *pages = arg;
    if (madvise(pages->start, pages->num_bytes, MADV_POPULATE_WRITE) < 0)
        touch(pages);
    return NULL;
}

// The kernel clears every page, which takes longer than copying to it: two threads share what is much.
static void fault_all(struct pages pages)
{
    struct pages first = pages, second = pages;
    pthread_t thread;
    first.num_bytes = pages.num_bytes / 2 & ~(RCH_CHUNK_BYTES - 1);
    second.start += first.num_bytes;
    second.num_bytes -= first.num_bytes;
    if (first.num_bytes < SHARED_BYTES / 2 || rch_quiet_thread(&thread, fault, &second) != 0) {
        fault(&pages);
        return;
    }
    fault(&first);
    (void)pthread_join(thread, NULL);
}

void rch_pieces_fault(struct rch_pieces *pieces, uint8_t *start, size_t num_bytes)
{
    uintptr_t from = ((uintptr_t)start + RCH_CHUNK_BYTES - 1) & ~(RCH_CHUNK_BYTES - 1);
    uintptr_t to = ((uintptr_t)start + num_bytes) & ~(RCH_CHUNK_BYTES - 1);
    uint8_t *file_mem = pieces->mem + pieces->cap * RCH_CHUNK_BYTES;
    if (pieces->fd >= 0)
        file_mem = pieces->mem + pieces->num_anonymous * RCH_CHUNK_BYTES;
    if (to > from && (uint8_t *)to <= file_mem)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    uintptr_t page = (uintptr_t)start & ~(PAGE_BYTES - 1);
    size_t bytes = ((uintptr_t)start + num_bytes - page + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    fault_all((struct pages){(uint8_t *)page, bytes});
}
