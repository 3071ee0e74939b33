// SPDX-License-Identifier: MIT
// format/replace.c -- a new snapshot takes the place of an old file at once or not at all: written
// under another name in the same directory, synced, renamed.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file_impl.h"
#include "format/rch_file.h"

#define MAX_TRIES 100u

struct fresh_file {
    int fd;               // -1: closed
    char path[PATH_MAX];  // "": nothing to remove
    size_t dir_bytes;     // of path, the slash included
};

static void fresh_file_drop(struct fresh_file *fresh)
{
    int os_errno = errno;
    if (fresh->fd >= 0)
        close(fresh->fd);
    if (fresh->path[0])
        unlink(fresh->path);
    errno = os_errno;
}

static enum rch_status check_target(const char *path, struct rch_error *err)
{
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return rch_fail(err, RCH_EINVAL, "%s is not a regular file", path);
    return RCH_OK;
}

// open_fresh: a file that did not exist, ".rch-PID-N.tmp" beside `path`.
static enum rch_status open_fresh(struct fresh_file *fresh, const char *path, struct rch_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t dir_bytes = slash ? (size_t)(slash - path) + 1 : 0;
    char name[PATH_MAX];
    if (dir_bytes > PATH_MAX - 64)
        return rch_fail(err, RCH_EINVAL, "the path of the snapshot is too long");
    for (unsigned i = 0; i < MAX_TRIES; i++) {
        (void)snprintf(name, sizeof(name), "%.*s.rch-%ld-%u.tmp", (int)dir_bytes, path,
                       (long)getpid(), i);
        fresh->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fresh->fd >= 0) {
            memcpy(fresh->path, name, sizeof(name));
            fresh->dir_bytes = dir_bytes;
            break;
        }
        if (errno != EEXIST)
            break;
    }
    if (fresh->fd < 0 || fchmod(fresh->fd, 0600) != 0)  // whatever the umask says
        return rch_fail(err, RCH_EIO, "cannot create a file beside %s: %m", path);
    return RCH_OK;
}

// The rename is done by now and the contents are safe, so failure here is none of the caller's.
static void sync_dir(const struct fresh_file *fresh)
{
    char dir[PATH_MAX] = ".";
    if (fresh->dir_bytes) {
        memcpy(dir, fresh->path, fresh->dir_bytes);
        dir[fresh->dir_bytes] = '\0';
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

enum rch_status rch_file_replace(const char *path, bool is_synced,
                                 enum rch_status (*fill)(void *ctx, int fd, struct rch_error *err),
                                 void *ctx, struct rch_error *err)
{
    __attribute__((cleanup(fresh_file_drop))) struct fresh_file fresh;
    fresh.fd = -1;
    fresh.path[0] = '\0';
    fresh.dir_bytes = 0;
    RCH_TRY(check_target(path, err));
    RCH_TRY(open_fresh(&fresh, path, err));
    RCH_TRY(fill(ctx, fresh.fd, err));
    if (is_synced && fsync(fresh.fd) != 0 && errno != EINVAL && errno != EROFS)
        return rch_fail(err, RCH_EIO, "cannot sync %s: %m", path);
    int fd = fresh.fd;
    fresh.fd = -1;
    if (close(fd) != 0)
        return rch_fail(err, RCH_EIO, "cannot close %s: %m", path);
    if (rename(fresh.path, path) != 0)
        return rch_fail(err, RCH_EIO, "cannot rename the snapshot to %s: %m", path);
    if (is_synced)
        sync_dir(&fresh);
    fresh.path[0] = '\0';
    return RCH_OK;
}

struct snapshot {
    const struct rch_graph *g;
    const struct rch_progress *progress;
};

static enum rch_status fill_snapshot(void *ctx, int fd, struct rch_error *err)
{
    const struct snapshot *snapshot = ctx;
    return rch_file_write_fd(snapshot->g, fd, snapshot->progress, err);
}

enum rch_status rch_file_write(const struct rch_graph *g, const char *path,
                               const struct rch_progress *progress, struct rch_error *err)
{
    struct snapshot snapshot = {g, progress};
    return rch_file_replace(path, true, fill_snapshot, &snapshot, err);
}
