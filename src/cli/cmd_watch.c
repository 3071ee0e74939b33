// SPDX-License-Identifier: MIT
// cli/cmd_watch.c -- refchain watch: how many objects of some types a process has, again and again. The
// process is only read; each sample stops it for as long as its memory takes to copy.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyze/common/select.h"
#include "capture/process.h"
#include "cli/cli.h"
#include "cli/where.h"
#include "render/watch.h"

static const struct rch_option options[] = {
    {RCH_OPT_INTERVAL, 'i', "interval", "SECONDS", "from one sample to the next (1)"},
    {RCH_OPT_COUNT, 'c', "count", "N", "N samples, then end; without it until Ctrl-C"},
    {RCH_OPT_JSON, 0, "json", NULL, "a line of JSON a sample, schema refchain.watch/1"},
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { MAX_TYPES = 64 };
static const double MAX_SECONDS = 1e6;
static const double MAX_SHARE = 0.1;  // of the time that the process may stand still for us

static volatile sig_atomic_t is_over;

static void end_watch(int number)
{
    (void)number;
    is_over = 1;
}

struct watching {
    const struct rch_args *args;
    struct rch_watching seen;
    struct rch_vec samples, counts;  // rch_sample, uint64_t
    struct rch_render_options render;
    double interval;
    char begun[32];      // when the process began, in the kernel's words
    uint32_t num_lines;  // drawn on the terminal
    bool is_terminal;
    bool has_ended;  // the process
    bool has_said_slower;
};

// --- the process ---

/// When it began; "" if it has ended. A number that is used again began at another time.
static void read_begin(uint32_t pid, char begun[32])
{
    char path[32], text[1024] = "";
    begun[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    const char *at = strrchr(text, ')');  // the name may have any characters
    if (!at || !at[1] || at[2] == 'Z' || at[2] == 'X')
        return;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at)
        snprintf(begun, 32, "%.*s", (int)strcspn(at + 1, " \n"), at + 1);
}

static bool has_ended(const struct watching *w)
{
    char begun[32];
    read_begin(w->seen.pid, begun);
    return strcmp(begun, w->begun) != 0;
}

// --- one sample ---

static bool go_on(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx, (void)phase, (void)done, (void)total;
    return !is_over;
}

static enum rch_status count(const struct rch_graph *g, const char *name, uint64_t *out,
                             struct rch_error *err)
{
    RCH_VEC(types, rch_alloc_default(), uint32_t);
    RCH_VEC(nodes, rch_alloc_default(), rch_node);
    RCH_TRY(rch_select_types(g, name, &types, err));
    RCH_TRY(rch_select_instances(g, types.mem, (uint32_t)types.num, &nodes, err));
    if (types.num == 0)
        *out = UINT64_MAX;
    else
        *out = nodes.num;
    return RCH_OK;
}

static enum rch_status count_all(struct watching *w, const struct rch_graph *g,
                                 struct rch_error *err)
{
    for (uint32_t i = 0; i < w->seen.num_names; i++) {
        uint64_t num;
        RCH_TRY(count(g, w->seen.names[i], &num, err));
        if (num == UINT64_MAX && w->seen.num_samples == 0)
            rch_say("no type is called %s yet; waiting for one", w->seen.names[i]);
        num = num == UINT64_MAX ? 0 : num;
        RCH_TRY(rch_vec_append(&w->counts, &num, 1, err));
    }
    return RCH_OK;
}

static enum rch_status take_sample(struct watching *w, struct rch_error *err)
{
    struct rch_progress progress = {go_on, NULL};
    struct rch_image_options how = {.alloc = rch_alloc_default(), .progress = &progress};
    struct rch_process_read read = {0};
    struct rch_graph *g = NULL;
    RCH_TRY(rch_capture_pid(w->seen.pid, &how, &read, &g, err));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct rch_sample sample = {(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                                read.pause_ns, g->info.is_partial != 0};
    enum rch_status st = count_all(w, g, err);
    rch_graph_free(g);
    if (st == RCH_OK)
        st = rch_vec_append(&w->samples, &sample, 1, err);
    if (st != RCH_OK)
        return st;
    w->seen.samples = w->samples.mem;
    w->seen.counts = w->counts.mem;
    w->seen.num_samples++;
    return RCH_OK;
}

static int show(struct watching *w)
{
    struct rch_sink sink = rch_out_sink();
    if (w->args->json) {
        rch_render_watch_json(&w->seen, &sink);
    } else if (w->is_terminal) {
        if (w->num_lines)
            rch_putf(&sink, "\033[%uA\033[J", w->num_lines);  // over the page before
        w->num_lines = rch_render_watch_page(&w->seen, &w->render, &sink);
    } else {
        rch_render_watch_line(&w->seen, &w->render, &sink);
    }
    int code = rch_out_finish(&sink, RCH_EXIT_OK);
    return ferror(stdout) ? RCH_EXIT_CANNOT
                          : code;  // also when the reader went away: nobody watches
}

// --- all samples ---

/// Until `interval` after `last`, or after now if it is more than asked; false when it is over.
static bool wait_for_next(const struct watching *w, double interval, struct timespec *last)
{
    time_t whole = (time_t)interval;
    if (interval > w->interval)
        clock_gettime(CLOCK_MONOTONIC, last);
    last->tv_sec += whole;
    last->tv_nsec += (long)((interval - (double)whole) * 1e9);
    if (last->tv_nsec >= 1000000000) {
        last->tv_sec++;
        last->tv_nsec -= 1000000000;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > last->tv_sec || (now.tv_sec == last->tv_sec && now.tv_nsec > last->tv_nsec))
        *last = now;  // a sample took longer than the interval: no hurry after it
    else
        while (!is_over && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, last, NULL) == EINTR) {}
    return !is_over;
}

/// Seconds to the next sample: more than asked where the process would stand still too much of the time.
static double next_interval(struct watching *w)
{
    double pause = (double)w->seen.samples[w->seen.num_samples - 1].pause_ns / 1e9;
    if (pause <= MAX_SHARE * w->interval)
        return w->interval;
    if (!w->has_said_slower) {
        rch_say("the process stands still %.3f s a sample: samples are further apart than asked, "
                "so that it is a tenth of the time at most",
                pause);
        w->num_lines = 0;  // of the page, which the words came after
    }
    w->has_said_slower = true;
    return pause / MAX_SHARE;
}

static int sample_all(struct watching *w)
{
    struct timespec last;
    double interval = w->interval;
    clock_gettime(CLOCK_MONOTONIC, &last);
    do {
        struct rch_error err = {0};
        w->has_ended = has_ended(w);
        enum rch_status st = w->has_ended ? RCH_OK : take_sample(w, &err);
        if (st == RCH_ECANCELED)
            return RCH_EXIT_OK;
        w->has_ended = w->has_ended || (st != RCH_OK && has_ended(w));
        if (w->has_ended)
            return w->args->count ? RCH_EXIT_PARTIAL : RCH_EXIT_OK;
        if (st == RCH_EBUSY)
            continue;  // in the middle of a collection: the next one will do
        if (st != RCH_OK) {
            rch_say_error("watch", &err);
            return RCH_EXIT_CANNOT;
        }
        if (show(w) != RCH_EXIT_OK)
            return RCH_EXIT_CANNOT;
        interval = next_interval(w);
    } while (!is_over && (!w->args->count || w->seen.num_samples < w->args->count) &&
             wait_for_next(w, interval, &last));
    return RCH_EXIT_OK;
}

static int finish(struct watching *w, int code)
{
    if (w->has_ended)
        rch_say("process %u has ended", w->seen.pid);
    if (!w->seen.num_samples) {
        if (w->has_ended)
            rch_say("watch: it ended before it could be looked at");
        return code == RCH_EXIT_OK && !w->has_ended ? code : RCH_EXIT_CANNOT;
    }
    struct rch_sink sink = rch_talk_sink();
    rch_render_watch_summary(&w->seen, &w->render, &sink);
    return code;
}

static bool parse_interval(const char *text, double *seconds_out)
{
    char *end;
    *seconds_out = text ? strtod(text, &end) : 1;
    if (!text || (end != text && !*end && *seconds_out >= 0.001 && *seconds_out <= MAX_SECONDS))
        return true;
    rch_say("watch: '%s' is not a number of seconds from 0.001 on", text);
    return false;
}

static int run(const struct rch_args *args)
{
    struct watching w = {.args = args, .render = rch_out_options(args)};
    uint32_t pid = 0;
    if (!parse_interval(args->interval, &w.interval))
        return RCH_EXIT_USAGE;
    if (rch_where_kind_of(args->words[0], &pid) != RCH_WHERE_PROCESS) {
        rch_say("watch: '%s' is not the number of a process", args->words[0]);
        return RCH_EXIT_USAGE;
    }
    w.is_terminal = isatty(STDOUT_FILENO) == 1;
    w.seen = (struct rch_watching){
        .pid = pid, .names = args->words + 1, .num_names = (uint32_t)args->num_words - 1};
    rch_vec_init(&w.samples, rch_alloc_default(), sizeof(struct rch_sample));
    rch_vec_init(&w.counts, rch_alloc_default(), sizeof(uint64_t));
    read_begin(pid, w.begun);
    struct sigaction action = {.sa_handler = end_watch, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int code;
    if (w.begun[0]) {
        code = finish(&w, sample_all(&w));
    } else {
        rch_say("watch: there is no process %u", pid);
        code = RCH_EXIT_CANNOT;
    }
    rch_vec_deinit(&w.samples);
    rch_vec_deinit(&w.counts);
    return code;
}

const struct rch_command rch_command_watch = {
    .name = "watch",
    .words_help = "PID TYPE...",
    .min_words = 2,
    .max_words = MAX_TYPES,
    .summary = "Count objects of some types in a process, again and again",
    .details = "TYPE is a short name, a qualified name or a glob. On a terminal the counts are "
               "drawn over\n"
               "again, with a bar a sample; otherwise a sample is a line. For each sample the "
               "process stands\n"
               "still for as long as its memory takes to copy, which is told. Ctrl-C ends with a "
               "summary.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
