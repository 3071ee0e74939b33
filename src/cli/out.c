// SPDX-License-Identifier: MIT
// cli/out.c -- the ways out: data on standard output, talk and progress on standard error.
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/interrupt.h"

static enum rch_status write_to_file(void *ctx, const char *bytes, size_t num_bytes,
                                     struct rch_error *err)
{
    if (fwrite(bytes, 1, num_bytes, ctx) != num_bytes)
        return rch_fail(err, RCH_EIO, "cannot write");
    return RCH_OK;
}

struct rch_sink rch_out_sink(void)
{
    return (struct rch_sink){.write = write_to_file, .ctx = stdout};
}

struct rch_sink rch_talk_sink(void)
{
    return (struct rch_sink){.write = write_to_file, .ctx = stderr};
}

int rch_out_finish(const struct rch_sink *sink, int code)
{
    int error = 0;
    if (sink->status == RCH_EIO)
        error = sink->err.os_errno;
    if (fflush(stdout) != 0 && error == 0)
        error = errno;
    if (error == EPIPE)
        return code;
    if (error != 0) {
        rch_say("cannot write to standard output: %s", strerror(error));
        return RCH_EXIT_CANNOT;
    }
    if (sink->status != RCH_OK) {
        rch_say_error("cannot write the answer", &sink->err);
        return RCH_EXIT_CANNOT;
    }
    return code;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool wants_color(void)
{
    const char *term = getenv("TERM"), *force = getenv("FORCE_COLOR");
    if (is_set("NO_COLOR"))
        return false;
    if (force && *force)
        return strcmp(force, "0") != 0;
    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static uint32_t terminal_columns(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return 0;
}

static bool has_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

struct rch_render_options rch_out_options(const struct rch_args *args)
{
    return (struct rch_render_options){.color = wants_color(),
                                       .ascii = !has_utf8(),
                                       .all = args->all,
                                       .limit = args->limit,
                                       .columns = terminal_columns()};
}

static void say_line(const char *text)
{
    struct rch_sink sink = rch_talk_sink();
    rch_put(&sink, "refchain: ");
    rch_put_escaped(&sink, text, 0);
    rch_put(&sink, "\n");
}

void rch_say(const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    say_line(text);
}

void rch_say_error(const char *what, const struct rch_error *err)
{
    if (err->code == RCH_ECANCELED && rch_was_interrupted())
        return;  // main says it, once
    const char *system = err->os_errno ? strerror(err->os_errno) : "";
    bool says_system = err->os_errno && !strstr(err->message, system);
    char where[48] = "";
    if (err->where && err->code == RCH_ECORRUPT)
        snprintf(where, sizeof(where), " (at byte %" PRIu64 ")", err->where);
    rch_say("%s: %s%s%s%s", what, err->message[0] ? err->message : rch_status_words(err->code),
            says_system ? ": " : "", says_system ? system : "", where);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Phases that count bytes; the others count objects, or what only they know.
static bool counts_bytes(const char *phase)
{
    static const char *const phases[] = {"copy", "decompress", "read core", "write snapshot"};
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
        if (strcmp(phases[i], phase) == 0)
            return true;
    return false;
}

static void put_share(const struct rch_watch *watch, const char *phase, uint64_t done,
                      uint64_t total)
{
    double share = (double)done / (double)total;
    double passed = (double)(now_ns() - watch->phase_ns) / 1e9;
    fprintf(stderr, "\r\033[K%s: %.0f %%", phase, 100 * share);
    if (counts_bytes(phase))
        fprintf(stderr, " of %.1f MiB", (double)total / (1 << 20));
    if (share > 0.02 && passed > 0.5)
        fprintf(stderr, ", %.0f s left", passed / share - passed);
}

static bool report(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    struct rch_watch *watch = ctx;
    if (rch_was_interrupted())
        return false;
    uint64_t now = now_ns();
    if (phase != watch->phase) {
        watch->phase = phase;
        watch->phase_ns = now;
    }
    if (!watch->is_terminal || now - watch->start_ns < 1000000000u ||
        now - watch->drawn_ns < 100000000u)
        return true;
    watch->has_drawn = true;
    watch->drawn_ns = now;
    if (total)
        put_share(watch, phase, done, total);
    else
        fprintf(stderr, "\r\033[K%s: %" PRIu64, phase, done);
    fflush(stderr);
    return true;
}

void rch_watch_start(struct rch_watch *watch)
{
    *watch = (struct rch_watch){.progress = {report, watch},
                                .start_ns = now_ns(),
                                .is_terminal = isatty(STDERR_FILENO) == 1};
}

void rch_watch_end(struct rch_watch *watch)
{
    if (watch->has_drawn)
        fputs("\r\033[K", stderr);
    watch->has_drawn = false;
}
