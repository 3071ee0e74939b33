// SPDX-License-Identifier: MIT
// cli/picture_file.c -- see picture_file.h.
#include "cli/picture_file.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool rch_picture_format_of(const char *path, enum rch_picture_format *out)
{
    static const struct {
        const char *end;
        enum rch_picture_format format;
    } rows[] = {{".dot", RCH_PICTURE_DOT},   {".gv", RCH_PICTURE_DOT},   {".svg", RCH_PICTURE_SVG},
                {".html", RCH_PICTURE_HTML}, {".htm", RCH_PICTURE_HTML}, {".png", RCH_PICTURE_PNG}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(rows) / sizeof(rows[0]); i++) {
        *out = rows[i].format;
        if (strcasecmp(dot, rows[i].end) == 0)
            return true;
    }
    return false;
}

bool rch_has_dot(void)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];
    struct stat st;
    for (size_t num; path && *path; path += num + (path[num] == ':')) {
        num = strcspn(path, ":");
        int length = snprintf(file, sizeof(file), "%.*s/dot", num ? (int)num : 1, num ? path : ".");
        if (length < (int)sizeof(file) && stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
            access(file, X_OK) == 0)
            return true;
    }
    return false;
}

static enum rch_status write_all(FILE *file, const struct rch_text *text, struct rch_error *err)
{
    if (fwrite(text->bytes, 1, text->num_bytes, file) != text->num_bytes)
        return rch_fail(err, RCH_EIO, "cannot write");
    return RCH_OK;
}

static enum rch_status write_file(const char *path, const struct rch_text *text,
                                  struct rch_error *err)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return rch_fail(err, RCH_EIO, "cannot write");
    enum rch_status st = write_all(file, text, err);
    if (fclose(file) != 0 && st == RCH_OK)
        st = rch_fail(err, RCH_EIO, "cannot write");
    return st;
}

static enum rch_status wait_for(pid_t pid, struct rch_error *err)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return rch_fail(err, RCH_EIO, "cannot wait for 'dot'");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return rch_fail(err, RCH_EUNSUPPORTED, "'dot' of Graphviz could not draw it");
    return RCH_OK;
}

/// dot -Tpng -oPATH < text
static enum rch_status run_dot(const char *path, const struct rch_text *text, struct rch_error *err)
{
    char target[PATH_MAX + 4];
    int ends[2];
    snprintf(target, sizeof(target), "-o%s", path);
    char program[] = "dot", type[] = "-Tpng";
    char *const argv[] = {program, type, target, NULL};
    if (pipe(ends) != 0)
        return rch_fail(err, RCH_EIO, "cannot run 'dot'");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    pid_t pid = 0;
    errno = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
    int spawn_errno = errno;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (spawn_errno != 0) {
        close(ends[1]);
        errno = spawn_errno;
        return rch_fail(err, RCH_EIO, "cannot run 'dot'");
    }
    FILE *file = fdopen(ends[1], "w");
    if (file) {
        (void)write_all(file, text, NULL);  // if it does not read, its exit says so
        fclose(file);
    } else {
        close(ends[1]);
    }
    return wait_for(pid, err);
}

enum rch_status rch_picture_put(const struct rch_picture *picture, const char *words,
                                enum rch_picture_format format, const struct rch_alloc *alloc,
                                struct rch_sink *sink, struct rch_error *err)
{
    if (format == RCH_PICTURE_SVG)
        return rch_render_svg(picture, alloc, sink, err);
    if (format == RCH_PICTURE_HTML)
        return rch_render_html(picture, words, alloc, sink, err);
    rch_render_dot(picture, sink);
    return RCH_OK;
}

static enum rch_status save(const struct rch_picture *picture, const char *words,
                            enum rch_picture_format format, const char *path, struct rch_text *text,
                            struct rch_error *err)
{
    RCH_TRY(rch_picture_put(picture, words, format, text->alloc, &text->sink, err));
    if (text->sink.status != RCH_OK) {
        *err = text->sink.err;
        return text->sink.status;
    }
    return format == RCH_PICTURE_PNG ? run_dot(path, text, err) : write_file(path, text, err);
}

enum rch_status rch_picture_save(const struct rch_picture *picture, const char *words,
                                 enum rch_picture_format format, const char *path,
                                 struct rch_error *err)
{
    struct rch_text text;
    rch_text_init(&text, rch_alloc_default());
    enum rch_status st = save(picture, words, format, path, &text, err);
    rch_text_deinit(&text);
    return st;
}
