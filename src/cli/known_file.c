// SPDX-License-Identifier: MIT
// cli/known_file.c -- see known_file.h.
#include "cli/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format/replace.h"

enum { MAX_FILE_BYTES = 64 << 20, READ_BYTES = 4096 };

static enum rch_status read_all(int fd, struct rch_text *text, struct rch_error *err)
{
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t num = read(fd, bytes, sizeof(bytes));
        if (num < 0 && errno == EINTR)
            continue;
        if (num < 0)
            return rch_fail(err, RCH_EIO, "cannot be read: %m");
        if (num == 0)
            return RCH_OK;
        rch_put_bytes(&text->sink, bytes, (size_t)num);
        if (text->sink.status != RCH_OK)
            return rch_fail(err, text->sink.status, "%s", text->sink.err.message);
        if (text->num_bytes > MAX_FILE_BYTES)
            return rch_fail(err, RCH_EINVAL, "it is larger than %d MiB", MAX_FILE_BYTES >> 20);
    }
}

enum rch_status rch_read_text(const char *path, struct rch_text *text, struct rch_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rch_fail(err, RCH_EIO, "%s cannot be opened: %m", path);
    enum rch_status st = read_all(fd, text, err);
    close(fd);
    return st;
}

enum rch_status rch_known_file_open(const char *path, enum rch_known_need need,
                                    struct rch_known_file *file_out, struct rch_error *err)
{
    *file_out = (struct rch_known_file){.path = path};
    rch_text_init(&file_out->text, rch_alloc_default());
    rch_arena_init(&file_out->list.arena, rch_alloc_default());
    file_out->is_there = access(path, F_OK) == 0 || errno != ENOENT;
    if (file_out->is_there || need == RCH_KNOWN_NEEDED)
        RCH_TRY(rch_read_text(path, &file_out->text, err));
    return rch_known_parse(file_out->text.bytes, file_out->text.num_bytes, rch_alloc_default(),
                           &file_out->list, err);
}

void rch_known_file_close(struct rch_known_file *file)
{
    rch_known_deinit(&file->list);
    rch_text_deinit(&file->text);
}

static enum rch_status write_text(void *ctx, int fd, struct rch_error *err)
{
    struct rch_text *text = ctx;
    for (size_t at = 0; at < text->num_bytes;) {
        ssize_t num = write(fd, text->bytes + at, text->num_bytes - at);
        if (num < 0 && errno != EINTR)
            return rch_fail(err, RCH_EIO, "cannot be written: %m");
        at += num > 0 ? (size_t)num : 0;
    }
    return RCH_OK;
}

enum rch_status rch_known_file_write(const struct rch_known_file *file, struct rch_text *text,
                                     struct rch_error *err)
{
    if (text->sink.status != RCH_OK)
        return rch_fail(err, text->sink.status, "%s", text->sink.err.message);
    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = stat(file->path, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask;
    char *real = realpath(file->path, NULL);  // NULL: there is none yet
    enum rch_status done =
        rch_file_replace(real ? real : file->path, mode, true, write_text, text, err);
    free(real);
    return done;
}

rch_day rch_today(void)
{
    struct tm day;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &day))
        return 0;
    return (rch_day)(day.tm_year + 1900) * 10000 + (rch_day)(day.tm_mon + 1) * 100 +
           (rch_day)day.tm_mday;
}
