// SPDX-License-Identifier: MIT
// target/fds.c -- the list of open descriptors: what each link in /proc/PID/fd names, and what its fdinfo
// tells. Sockets and the other ends of pipes are looked up afterwards, all at once.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // statx
#endif
#include "target/fds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/fds_impl.h"

enum {
    MAX_FDS = 1 << 22,
    LINK_BYTES = 4096,  // what the kernel gives at most
    MAX_WATCHED = 8,    // descriptors of an epoll that are named
    MAX_INFO_LINES = 1 << 20,
    NUM_SIGNALS = 64,
};
static const char deleted[] = " (deleted)";

uint64_t rch_inode_of_link(const char *link, const char *prefix)
{
    size_t num = strlen(prefix);
    char *end;
    if (strncmp(link, prefix, num) != 0 || link[num] < '0' || link[num] > '9')
        return 0;
    uint64_t inode = strtoull(link + num, &end, 10);
    return strcmp(end, "]") == 0 ? inode : 0;
}

// ---- fdinfo ---------------------------------------------------------------------------------------

static int open_info(int dir_fd, const char *fd_name)
{
    char name[48];
    snprintf(name, sizeof(name), "fdinfo/%.20s", fd_name);
    return openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
}

/// What stands behind "key:" in a line; NULL if the line is another.
static const char *value_of(const char *line, const char *key)
{
    size_t num = strlen(key);
    if (strncmp(line, key, num) != 0 || line[num] != ':')
        return NULL;
    return line + num + 1 + strspn(line + num + 1, " \t");
}

// The mode of the link itself tells how the descriptor was opened: no need to read its fdinfo.
bool rch_fd_access(int list_fd, const char *fd_name, bool *can_read_out, bool *can_write_out)
{
    struct stat st;
    if (fstatat(list_fd, fd_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *can_read_out = st.st_mode & S_IRUSR;
    *can_write_out = st.st_mode & S_IWUSR;
    return true;
}

// A line of text that grows in a fixed buffer; what does not fit is left out.
struct words {
    char text[256];
    size_t num;
};

static void RCH_PRINTF(2, 3) put(struct words *words, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int num = vsnprintf(words->text + words->num, sizeof(words->text) - words->num, fmt, args);
    va_end(args);
    if (num > 0 && (size_t)num < sizeof(words->text) - words->num)
        words->num += (size_t)num;
    words->text[words->num] = '\0';
}

struct info {  // the facts of one fdinfo that are shown
    struct words state, local, peer;
    uint32_t num_parts;  // descriptors or files watched
};

static void put_signals(struct words *words, const char *mask)
{
    static const char *const names[] = {
        "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};
    uint64_t bits = strtoull(mask, NULL, 16);
    for (size_t i = 0; i < NUM_SIGNALS; i++) {
        if (!(bits >> i & 1))
            continue;
        put(words, "%s", words->num ? ", " : "");
        if (i < sizeof(names) / sizeof(names[0]))
            put(words, "SIG%s", names[i]);
        else
            put(words, "signal %zu", i + 1);
    }
}

static void take_info_line(struct info *info, enum rch_fd_kind kind, const char *line)
{
    const char *value = NULL;
    if (kind == RCH_FD_EPOLL && (value = value_of(line, "tfd"))) {
        if (info->num_parts++ < MAX_WATCHED)
            put(&info->peer, "%s%ld", info->peer.num ? ", " : "fd ", strtol(value, NULL, 10));
    } else if (kind == RCH_FD_INOTIFY && strncmp(line, "inotify wd:", 11) == 0) {
        info->num_parts++;
    } else if (kind == RCH_FD_EVENTFD && (value = value_of(line, "eventfd-count"))) {
        put(&info->state, "count %llu", strtoull(value, NULL, 16));
    } else if (kind == RCH_FD_TIMERFD && (value = value_of(line, "it_value"))) {
        put(&info->state, "%s", strcmp(value, "(0, 0)") == 0 ? "not armed" : "armed");
    } else if (kind == RCH_FD_SIGNALFD && (value = value_of(line, "sigmask"))) {
        put_signals(&info->local, value);
    } else if (kind == RCH_FD_PIDFD && (value = value_of(line, "Pid"))) {
        long pid = strtol(value, NULL, 10);
        if (pid > 0)
            put(&info->peer, "pid %ld", pid);
        else
            put(&info->state, "%s", pid < 0 ? "ended" : "");
    }
}

static bool read_info(int dir_fd, const char *fd_name, enum rch_fd_kind kind, struct info *info)
{
    struct rch_lines lines;
    int fd = open_info(dir_fd, fd_name);
    if (fd < 0)
        return false;
    rch_lines_init(&lines, fd);
    const char *line;
    for (int i = 0; i < MAX_INFO_LINES && (line = rch_lines_next(&lines)); i++)
        take_info_line(info, kind, line);
    close(fd);
    if (kind == RCH_FD_EPOLL && info->num_parts > MAX_WATCHED)
        put(&info->peer, " and %u more", info->num_parts - MAX_WATCHED);
    if (kind == RCH_FD_EPOLL || kind == RCH_FD_INOTIFY)
        put(&info->state, "%u watched", info->num_parts);
    return true;
}

// ---- one descriptor -------------------------------------------------------------------------------

static enum rch_status keep(struct rch_fd_scan *scan, const char *text, size_t num_bytes,
                            const char **out, struct rch_error *err)
{
    *out = num_bytes ? rch_arena_copy(&scan->fds->arena, text, num_bytes) : "";
    return *out ? RCH_OK : rch_fail(err, RCH_ENOMEM, "the name of a descriptor");
}

static enum rch_fd_kind kind_of_anon(const char *link)
{
    static const struct {
        const char *name;
        enum rch_fd_kind kind;
    } rows[] = {{"[eventpoll]", RCH_FD_EPOLL}, {"[eventfd]", RCH_FD_EVENTFD},
                {"[timerfd]", RCH_FD_TIMERFD}, {"[signalfd]", RCH_FD_SIGNALFD},
                {"inotify", RCH_FD_INOTIFY},   {"[pidfd]", RCH_FD_PIDFD}};
    const char *name = strchr(link, ':');
    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(name + 1, rows[i].name) == 0)
            return rows[i].kind;
    return RCH_FD_OTHER;
}

static enum rch_fd_kind kind_of_mode(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return RCH_FD_FILE;
    case S_IFDIR: return RCH_FD_DIRECTORY;
    case S_IFCHR:
    case S_IFBLK: return RCH_FD_DEVICE;
    case S_IFIFO: return RCH_FD_FIFO;
    default: return RCH_FD_OTHER;
    }
}

// The kernel's " (deleted)" may also be the end of a file's real name.
static bool is_deleted(const struct rch_fd_scan *scan, const char *link, size_t num_bytes,
                       const struct statx *st)
{
    size_t num = sizeof(deleted) - 1;
    if (num_bytes <= num || strcmp(link + num_bytes - num, deleted) != 0)
        return false;
    if (st->stx_nlink == 0)
        return true;
    char path[LINK_BYTES + 64];
    struct statx real;
    snprintf(path, sizeof(path), "%s/root%s", scan->dir, link);
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_INO, &real) != 0 ||
           real.stx_ino != st->stx_ino || real.stx_dev_minor != st->stx_dev_minor ||
           real.stx_dev_major != st->stx_dev_major;
}

// DONT_SYNC: a network file system whose server is gone must not hang us.
static enum rch_status take_path(struct rch_fd_scan *scan, const char *fd_name, const char *link,
                                 size_t num_bytes, struct rch_fd_draft *draft,
                                 struct rch_error *err)
{
    struct statx st;
    if (statx(scan->list_fd, fd_name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_NLINK,
              &st) != 0) {
        scan->fds->num_unreadable++;
        return keep(scan, link, num_bytes, &draft->row.local, err);
    }
    draft->row.kind = kind_of_mode(st.stx_mode);
    if (is_deleted(scan, link, num_bytes, &st)) {
        draft->row.state = "deleted";
        num_bytes -= sizeof(deleted) - 1;
        if (strncmp(link, "/memfd:", 7) == 0) {
            draft->row.kind = RCH_FD_MEMFD;
            draft->row.state = "";
            link += 7;
            num_bytes -= 7;
        }
    }
    return keep(scan, link, num_bytes, &draft->row.local, err);
}

static enum rch_status take_anon(struct rch_fd_scan *scan, const char *fd_name, const char *link,
                                 struct rch_fd_draft *draft, struct rch_error *err)
{
    struct info info = {.num_parts = 0};
    draft->row.kind = kind_of_anon(link);
    if (draft->row.kind == RCH_FD_OTHER)
        return keep(scan, link, strlen(link), &draft->row.local, err);
    if (!read_info(scan->dir_fd, fd_name, draft->row.kind, &info))
        scan->fds->num_unreadable++;
    RCH_TRY(keep(scan, info.state.text, info.state.num, &draft->row.state, err));
    RCH_TRY(keep(scan, info.local.text, info.local.num, &draft->row.local, err));
    return keep(scan, info.peer.text, info.peer.num, &draft->row.peer, err);
}

static enum rch_status take_pipe(struct rch_fd_scan *scan, const char *fd_name,
                                 struct rch_fd_draft *draft, struct rch_error *err)
{
    struct words name = {.num = 0};
    draft->row.kind = RCH_FD_PIPE;
    draft->ends = draft->inode;
    if (!rch_fd_access(scan->list_fd, fd_name, &draft->can_read, &draft->can_write))
        scan->fds->num_unreadable++;
    if (draft->can_read != draft->can_write)
        draft->row.state = draft->can_read ? "read end" : "write end";
    put(&name, "pipe %llu", (unsigned long long)draft->inode);
    return keep(scan, name.text, name.num, &draft->row.local, err);
}

static enum rch_status take_link(struct rch_fd_scan *scan, const char *fd_name,
                                 struct rch_fd_draft *draft, struct rch_error *err)
{
    char link[LINK_BYTES + 1];
    ssize_t num = readlinkat(scan->list_fd, fd_name, link, LINK_BYTES);
    if (num < 0) {
        scan->fds->num_unreadable++;  // closed meanwhile, or a path longer than the kernel tells
        return RCH_OK;
    }
    link[num] = '\0';
    if ((draft->inode = rch_inode_of_link(link, "socket:["))) {
        draft->row.kind = RCH_FD_SOCKET;
        return RCH_OK;
    }
    if ((draft->inode = rch_inode_of_link(link, "pipe:[")))
        return take_pipe(scan, fd_name, draft, err);
    if (link[0] == '/')
        return take_path(scan, fd_name, link, (size_t)num, draft, err);
    return take_anon(scan, fd_name, link, draft, err);
}

// ---- all of them ----------------------------------------------------------------------------------

static int compare_drafts(const void *a, const void *b)
{
    int32_t x = ((const struct rch_fd_draft *)a)->row.fd,
            y = ((const struct rch_fd_draft *)b)->row.fd;
    return (x > y) - (x < y);
}

static enum rch_status list(struct rch_fd_scan *scan, DIR *dir, struct rch_error *err)
{
    struct dirent *entry;
    for (int i = 0; i < MAX_FDS && (entry = readdir(dir)); i++) {
        struct rch_fd_draft draft = {.row = {.protocol = "", .state = "", .local = "", .peer = ""}};
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        draft.row.fd = (int32_t)strtol(entry->d_name, NULL, 10);
        if (scan->pid == 0 && (draft.row.fd == dirfd(dir) || draft.row.fd == scan->dir_fd))
            continue;  // ours, for this list
        RCH_TRY(take_link(scan, entry->d_name, &draft, err));
        RCH_TRY(rch_vec_append(&scan->drafts, &draft, 1, err));
    }
    if (scan->drafts.num)
        qsort(scan->drafts.mem, scan->drafts.num, sizeof(struct rch_fd_draft), compare_drafts);
    return RCH_OK;
}

static enum rch_status cannot_open(uint32_t pid, const char *dir, struct rch_error *err)
{
    int os_errno = errno;
    enum rch_status st =
        os_errno == ENOENT || os_errno == ESRCH
            ? rch_fail(err, RCH_ENOTFOUND, "no process %u", pid)
            : rch_fail(err, RCH_EUNSUPPORTED, "the descriptors of %s cannot be read", dir);
    if (err && st != RCH_ENOTFOUND)
        err->os_errno = os_errno;
    return st;
}

static enum rch_status look_up(struct rch_fd_scan *scan, DIR *dir, struct rch_error *err)
{
    rch_vec_init(&scan->drafts, scan->alloc, sizeof(struct rch_fd_draft));
    enum rch_status st = list(scan, dir, err);
    if (st == RCH_OK)
        st = rch_tell_sockets(scan, err);
    if (st == RCH_OK)
        st = rch_tell_ends(scan, err);
    for (size_t i = 0; i < scan->drafts.num && st == RCH_OK; i++)
        st = rch_vec_append(&scan->fds->rows, &RCH_FD_DRAFT(&scan->drafts, i)->row, 1, err);
    rch_vec_deinit(&scan->drafts);
    return st;
}

static enum rch_status open_and_look_up(struct rch_fd_scan *scan, struct rch_error *err)
{
    int list_fd = openat(scan->dir_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return cannot_open(scan->pid, scan->dir, err);
    DIR *dir = fdopendir(list_fd);
    if (!dir) {
        close(list_fd);
        return rch_fail(err, RCH_ENOMEM, "the list of descriptors");
    }
    scan->list_fd = list_fd;
    enum rch_status st = look_up(scan, dir, err);
    closedir(dir);
    return st;
}

enum rch_status rch_os_fds_init(struct rch_os_fds *fds, uint32_t pid, const struct rch_alloc *alloc,
                                struct rch_error *err)
{
    struct rch_fd_scan scan = {.fds = fds, .alloc = alloc, .pid = pid};
    *fds = (struct rch_os_fds){.num_unreadable = 0};
    rch_arena_init(&fds->arena, alloc);
    rch_vec_init(&fds->rows, alloc, sizeof(struct rch_os_fd));
    if (pid)
        snprintf(scan.dir, sizeof(scan.dir), "/proc/%u", pid);
    else
        snprintf(scan.dir, sizeof(scan.dir), "/proc/self");
    scan.dir_fd = open(scan.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scan.dir_fd < 0)
        return cannot_open(pid, scan.dir, err);
    enum rch_status st = open_and_look_up(&scan, err);
    close(scan.dir_fd);
    if (st != RCH_OK)
        rch_os_fds_deinit(fds);
    return st;
}

void rch_os_fds_deinit(struct rch_os_fds *fds)
{
    rch_vec_deinit(&fds->rows);
    rch_arena_deinit(&fds->arena);
}
