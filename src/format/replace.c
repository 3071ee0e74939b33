// SPDX-License-Identifier: MIT
// format/replace.c -- see replace.h: written without a name where the file system can, else under another
// name in the same directory, synced, renamed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // O_TMPFILE
#endif
#include "format/replace.h"

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

static void dir_of(const struct fresh_file *fresh, const char *path, char dir[PATH_MAX])
{
    memcpy(dir, fresh->dir_bytes ? path : ".", fresh->dir_bytes ? fresh->dir_bytes : 1);
    dir[fresh->dir_bytes ? fresh->dir_bytes : 1] = '\0';
}

static void own_link(int fd, char link[64])
{
    (void)snprintf(link, 64, "/proc/self/fd/%d", fd);
}

// A file without a name: whoever dies while it is written leaves nothing. Not all file systems can.
static bool open_nameless(struct fresh_file *fresh, const char *path)
{
    char dir[PATH_MAX], link[64];
    dir_of(fresh, path, dir);
    fresh->fd = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (fresh->fd < 0)
        return false;
    own_link(fresh->fd, link);
    if (access(link, F_OK) == 0)
        return true;
    close(fresh->fd);  // without /proc it could not get a name
    fresh->fd = -1;
    return false;
}

// Try names that do not exist, ".rch-PID-N.tmp" beside `path`, for a new file or for the nameless one.
static bool take_name(struct fresh_file *fresh, const char *path)
{
    char name[PATH_MAX], link[64];
    bool is_nameless = fresh->fd >= 0, is_taken = true;
    if (is_nameless)
        own_link(fresh->fd, link);
    for (unsigned i = 0; i < MAX_TRIES && is_taken; i++) {
        (void)snprintf(name, sizeof(name), "%.*s.rch-%ld-%u.tmp", (int)fresh->dir_bytes, path,
                       (long)getpid(), i);
        int done = is_nameless
                       ? linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW)
                       : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        is_taken = done < 0 && errno == EEXIST;
        if (done < 0)
            continue;
        if (!is_nameless)
            fresh->fd = done;
        memcpy(fresh->path, name, sizeof(name));
        return true;
    }
    return false;
}

static enum rch_status open_fresh(struct fresh_file *fresh, const char *path, mode_t mode,
                                  struct rch_error *err)
{
    const char *slash = strrchr(path, '/');
    fresh->dir_bytes = slash ? (size_t)(slash - path) + 1 : 0;
    if (fresh->dir_bytes > PATH_MAX - 64)
        return rch_fail(err, RCH_EINVAL, "the path of the file is too long");
    if ((!open_nameless(fresh, path) && !take_name(fresh, path)) ||
        fchmod(fresh->fd, mode) != 0)  // whatever the umask says
        return rch_fail(err, RCH_EIO, "cannot create a file beside %s: %m", path);
    return RCH_OK;
}

// The rename is done by now and the contents are safe, so failure here is none of the caller's.
static void sync_dir(const struct fresh_file *fresh)
{
    char dir[PATH_MAX];
    dir_of(fresh, fresh->path, dir);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

enum rch_status rch_file_replace(const char *path, mode_t mode, bool is_synced,
                                 rch_file_writer *write_to, void *ctx, struct rch_error *err)
{
    __attribute__((cleanup(fresh_file_drop))) struct fresh_file fresh;
    fresh.fd = -1;
    fresh.path[0] = '\0';
    fresh.dir_bytes = 0;
    RCH_TRY(check_target(path, err));
    RCH_TRY(open_fresh(&fresh, path, mode, err));
    RCH_TRY(write_to(ctx, fresh.fd, err));
    if (is_synced && fsync(fresh.fd) != 0 && errno != EINVAL && errno != EROFS)
        return rch_fail(err, RCH_EIO, "cannot sync %s: %m", path);
    if (!fresh.path[0] && !take_name(&fresh, path))
        return rch_fail(err, RCH_EIO, "cannot name the file for %s: %m", path);
    int fd = fresh.fd;
    fresh.fd = -1;
    if (close(fd) != 0)
        return rch_fail(err, RCH_EIO, "cannot close %s: %m", path);
    if (rename(fresh.path, path) != 0)
        return rch_fail(err, RCH_EIO, "cannot rename the new file to %s: %m", path);
    if (is_synced)
        sync_dir(&fresh);
    fresh.path[0] = '\0';
    return RCH_OK;
}

struct snapshot {
    const struct rch_graph *graph;
    const struct rch_progress *progress;
};

static enum rch_status write_snapshot(void *ctx, int fd, struct rch_error *err)
{
    const struct snapshot *snapshot = ctx;
    return rch_file_write_fd(snapshot->graph, fd, snapshot->progress, err);
}

enum rch_status rch_file_write(const struct rch_graph *g, const char *path,
                               const struct rch_progress *progress, struct rch_error *err)
{
    struct snapshot snapshot = {g, progress};
    return rch_file_replace(path, 0600, true, write_snapshot, &snapshot, err);
}
