// SPDX-License-Identifier: MIT
// target/image.h -- the memory of another process at one moment: copied from a live one (live.c) or
// found in a core file (core.c). Writable pages are ours at once; read-only file maps are read from
// their files when asked for. An image does not change and needs the process no more.
#ifndef RCH_TARGET_IMAGE_H
#define RCH_TARGET_IMAGE_H
#include "base/alloc.h"
#include "base/progress.h"
#include "target/target.h"

enum rch_map_flags {
    RCH_MAP_READ = 1,
    RCH_MAP_WRITE = 2,
    RCH_MAP_EXEC = 4,
    RCH_MAP_SHARED = 8,
    RCH_MAP_DELETED = 16,  // the file is no longer there under its name
    RCH_MAP_MISSING = 32,  // its contents could not be had (core: segment left out, file not found)
};

struct rch_map {  // one line of /proc/PID/maps, or of a core's segments and NT_FILE
    uint64_t start, end;
    uint64_t offset;  // in the file, of start
    uint64_t dev, inode;
    const char *path;  // as the target sees it; "" for anonymous memory, "[heap]" and the like
    uint32_t flags;    // enum rch_map_flags
};

struct rch_os_thread {
    uint32_t tid;
    char state;  // of /proc/PID/task/TID/stat when it was stopped: R, S, D ...; '?' not known
    bool
        was_stopped;  // it was, or it slept all the while; false: it did not stop in time, so what it
                      // wrote meanwhile may be torn
    bool has_registers;
    int64_t syscall;  // number of the system call it is in, -1: in none, or not known
    uint64_t args[6];
    uint64_t pc, sp;
    char name[16];
};

enum rch_image_kind { RCH_IMAGE_LIVE, RCH_IMAGE_CORE };

/// Read only for users; everything belongs to the image.
struct rch_image {
    struct rch_target target;  // reads from this image
    enum rch_image_kind kind;
    uint32_t pid;
    uint64_t time_ns;   // since the epoch, of the moment
    uint64_t pause_ns;  // how long threads were stopped; 0 for a core, and if all of them slept
    uint64_t bytes_copied;
    uint64_t bytes_missing;      // mapped and wanted, but not to be had
    const struct rch_map *maps;  // in address order
    size_t num_maps;
    const struct rch_os_thread *threads;
    size_t num_threads;
    uint32_t num_not_stopped;
    const char *exe;   // path of the program as the target sees it, "" not known
    const char *root;  // put before a path of the target to open it here: "/proc/7/root", a
                       // --sysroot, or ""
    const char *const *warnings;  // what is partial, in words, for people
    size_t num_warnings;
};

struct rch_image_options {
    const struct rch_alloc *alloc;
    uint64_t memory_limit;  // copies beyond this go to an unlinked file; 0: half of what is free
    const char *temp_dir;   // for that file; NULL: $TMPDIR or /tmp
    uint64_t max_memory;    // for the graph that is made of it (capture/); 0: what is free
    const char *sysroot;    // cores: where the files of the other machine are; NULL: here
    const struct rch_progress *progress;
};

/// Stop the threads of the process that run, copy what it could have written, let it go on. Nothing is run
/// or written in it; should we die in the middle, the kernel lets it go. Phases of progress: "prepare",
/// while it runs, then "copy". RCH_ENOTFOUND: no such
/// process, or a zombie; RCH_EUNSUPPORTED: not permitted (permit.h says why), a kernel thread,
/// ourselves; RCH_EIO: it ended while being read.
RCH_MUST_CHECK enum rch_status rch_image_open_pid(uint32_t pid,
                                                  const struct rch_image_options *options,
                                                  struct rch_image **image_out,
                                                  struct rch_error *err);
/// The process as it is, without stopping or copying: pages are read when asked for, and what is read at
/// different moments need not fit together. Good for looking at a few words. Errors as above.
RCH_MUST_CHECK enum rch_status rch_image_view_pid(uint32_t pid,
                                                  const struct rch_image_options *options,
                                                  struct rch_image **image_out,
                                                  struct rch_error *err);
/// An ELF core file of the kernel or of gcore, plain, gzip or zstd. RCH_ECORRUPT: no core, or too
/// damaged to use; what is missing otherwise is counted in bytes_missing and told in warnings.
RCH_MUST_CHECK enum rch_status rch_image_open_core(const char *path,
                                                   const struct rch_image_options *options,
                                                   struct rch_image **image_out,
                                                   struct rch_error *err);
void rch_image_free(struct rch_image *image);  // NULL is fine

/// Number of the first map that ends after addr: the one it is in, or the next. O(log maps).
size_t rch_image_map_after(const struct rch_image *image, uint64_t addr);
/// The map that contains addr, or NULL. O(log maps).
const struct rch_map *rch_image_map_at(const struct rch_image *image, uint64_t addr);

#endif
