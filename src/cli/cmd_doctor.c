// SPDX-License-Identifier: MIT
// cli/cmd_doctor.c -- refchain doctor: what works here, what does not and what to do about it; with a
// snapshot, whether it is whole and what is in it.
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/doctor_process.h"
#include "cli/where.h"
#include "format/rch_file.h"
#include "pylayout/layout.h"
#include "render/json.h"
#include "render/line.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.doctor/1"},
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { FIRST_MINOR = 6, LAST_MINOR = 30 };  // of CPython 3, asked for a table

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CHECKS ", address sanitizer"
#else
#define CHECKS ""
#endif

struct checkup {
    const char *path;  // NULL: no snapshot asked about
    bool is_open, is_damaged;
    struct rch_graph *graph;
    struct rch_error err;  // what is wrong with it
};

static void check_snapshot(const char *path, struct checkup *checkup)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    checkup->path = path;
    enum rch_status st = rch_file_open(path, false, alloc, &checkup->graph, &checkup->err);
    if (st == RCH_ECORRUPT) {
        struct rch_error second;
        checkup->is_damaged = true;
        st = rch_file_open(path, true, alloc, &checkup->graph, &second);
    }
    checkup->is_open = st == RCH_OK;
}

// One row a count, for text and JSON alike.
struct count_row {
    const char *key, *words;
    uint64_t count;
};
enum { NUM_COUNTS = 12 };

static void count_all(const struct rch_graph *g, struct count_row rows[NUM_COUNTS])
{
    struct count_row counts[NUM_COUNTS] = {
        {"objects", "objects", g->num_objects},
        {"tracked", "of them tracked by the collector", g->num_tracked},
        {"references", "references", g->num_edges},
        {"roots", "roots", g->num_roots},
        {"types", "types", g->num_types},
        {"shapes", "shapes", g->num_shapes},
        {"labels", "names of references", g->num_labels},
        {"strings", "strings", g->num_strs},
        {"texts", "keys that are names", g->num_texts},
        {"observers", "objects of the observer", g->num_observers},
        {"unreadable", "unreadable objects or fields", g->info.num_unreadable},
        {"traversed", "objects without names (no decoder)", g->info.num_traversed},
    };
    memcpy(rows, counts, sizeof(counts));
}

static void when_text(uint64_t time_ns, char *buf, size_t buf_bytes)
{
    time_t seconds = (time_t)(time_ns / 1000000000u);
    struct tm tm;
    if (time_ns == 0 || !gmtime_r(&seconds, &tm) ||
        strftime(buf, buf_bytes, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(buf, buf_bytes, "unknown");
}

static void put_program_text(struct rch_page *page)
{
    struct utsname os = {0};
    uname(&os);
    rch_page_words(page, "refchain %s", rch_version());
    rch_page_end(page);
    rch_page_words(page, "  built with   %s%s", COMPILER, CHECKS);
    rch_page_end(page);
    rch_page_words(page, "  runs on      %s %s %s", os.sysname, os.release, os.machine);
    rch_page_end(page);
    rch_page_words(page, "  knows        CPython");
    for (uint32_t minor = FIRST_MINOR; minor <= LAST_MINOR; minor++)
        if (rch_layout_for(3, minor))
            rch_page_words(page, " 3.%" PRIu32, minor);
    rch_page_words(page, "; 3.13t from outside, as an experiment");
    rch_page_end(page);
    rch_page_words(page, "  text         %s",
                   page->clean_flags ? "ASCII only: the locale is not UTF-8 (set LC_ALL=C.UTF-8)"
                                     : "UTF-8");
    rch_page_end(page);
    rch_page_words(page, "  reads        processes (try: refchain doctor PID), cores, snapshots");
    rch_page_end(page);
}

static void put_snapshot_text(struct rch_page *page, const struct checkup *checkup)
{
    const struct rch_graph *g = checkup->graph;
    struct count_row rows[NUM_COUNTS];
    char number[RCH_NUMBER_BYTES], when[40];
    rch_page_end(page);
    rch_page_words(page, "snapshot ");
    rch_page_name(page, checkup->path, 60);
    rch_page_words(page, ": %s",
                   checkup->is_damaged  ? "DAMAGED"
                   : g->info.is_partial ? "partial"
                                        : "whole");
    rch_page_end(page);
    when_text(g->info.time_ns, when, sizeof(when));
    rch_page_words(
        page, "  taken        %s of CPython %" PRIu32 ".%" PRIu32 ".%" PRIu32 ", process %" PRIu32,
        when, g->info.py_major, g->info.py_minor, g->info.py_micro, g->info.pid);
    rch_page_end(page);
    rch_page_words(page, "  stood still  %" PRIu64 ".%" PRIu64 " ms", g->info.pause_ns / 1000000,
                   g->info.pause_ns / 100000 % 10);
    rch_page_end(page);
    count_all(g, rows);
    for (int i = 0; i < NUM_COUNTS; i++) {
        rch_page_words(page, "%14s  %s", rch_count_text(number, rows[i].count), rows[i].words);
        rch_page_end(page);
    }
    for (uint32_t i = 0; i < g->num_warnings; i++) {
        rch_page_words(page, "  warning:");
        rch_page_wrap(page, rch_str_get(g, g->warnings[i]), 11);
    }
}

static void put_snapshot_json(struct rch_json *json, const struct checkup *checkup)
{
    const struct rch_graph *g = checkup->graph;
    struct count_row rows[NUM_COUNTS];
    char text[40];
    rch_json_open(json, "snapshot", '{', false);
    rch_json_string(json, "path", checkup->path);
    rch_json_bool(json, "usable", checkup->is_open);
    rch_json_bool(json, "damaged", checkup->is_damaged);
    rch_json_string(json, "error", checkup->err.code == RCH_OK ? NULL : checkup->err.message);
    if (checkup->is_open) {
        rch_json_bool(json, "partial", g->info.is_partial != 0);
        snprintf(text, sizeof(text), "%" PRIu32 ".%" PRIu32 ".%" PRIu32, g->info.py_major,
                 g->info.py_minor, g->info.py_micro);
        rch_json_string(json, "python", text);
        when_text(g->info.time_ns, text, sizeof(text));
        rch_json_string(json, "taken", text);
        rch_json_count(json, "pid", g->info.pid);
        rch_json_count(json, "pause_ns", g->info.pause_ns);
        count_all(g, rows);
        for (int i = 0; i < NUM_COUNTS; i++)
            rch_json_count(json, rows[i].key, rows[i].count);
        rch_json_warnings(json, g);
    }
    rch_json_close(json, '}');
}

static void put_json(struct rch_sink *sink, const struct checkup *checkup,
                     const struct rch_process_checkup *process)
{
    struct rch_json json = {.sink = sink};
    char version[16];
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "schema", "refchain.doctor/1");
    rch_json_string(&json, "version", rch_version());
    rch_json_string(&json, "compiler", COMPILER CHECKS);
    rch_json_open(&json, "cpython", '[', true);
    for (uint32_t minor = FIRST_MINOR; minor <= LAST_MINOR; minor++) {
        snprintf(version, sizeof(version), "3.%" PRIu32, minor);
        if (rch_layout_for(3, minor))
            rch_json_string(&json, NULL, version);
    }
    rch_json_close(&json, ']');
    if (checkup->path)
        put_snapshot_json(&json, checkup);
    if (process)
        rch_process_put_json(&json, process);
    rch_json_close(&json, '}');
}

static int run_process(const struct rch_args *args, uint32_t pid)
{
    static struct rch_process_checkup process;
    rch_process_check(pid, &process);
    struct rch_render_options render = rch_out_options(args);
    struct rch_sink sink = rch_out_sink();
    struct rch_page page = rch_page_of(&render, &sink);
    if (args->json) {
        put_json(&sink, &(struct checkup){0}, &process);
    } else {
        put_program_text(&page);
        rch_process_put_text(&page, &process);
    }
    bool is_fine = process.permit.may_read && process.has_python;
    return rch_out_finish(&sink, is_fine ? RCH_EXIT_OK : RCH_EXIT_CANNOT);
}

static int run(const struct rch_args *args)
{
    struct checkup checkup = {0};
    uint32_t pid = 0;
    if (args->num_words && rch_where_kind_of(args->words[0], &pid) == RCH_WHERE_PROCESS)
        return run_process(args, pid);
    if (args->num_words)
        check_snapshot(args->words[0], &checkup);
    struct rch_render_options render = rch_out_options(args);
    struct rch_sink sink = rch_out_sink();
    struct rch_page page = rch_page_of(&render, &sink);
    int code = RCH_EXIT_OK;
    if (checkup.path && !checkup.is_open)
        code = RCH_EXIT_CANNOT;
    else if (checkup.path && (checkup.is_damaged || checkup.graph->info.is_partial))
        code = RCH_EXIT_PARTIAL;
    if (args->json) {
        put_json(&sink, &checkup, NULL);
    } else {
        put_program_text(&page);
        if (checkup.is_open)
            put_snapshot_text(&page, &checkup);
    }
    if (checkup.err.code != RCH_OK)
        rch_say_error(checkup.path, &checkup.err);
    rch_graph_free(checkup.graph);
    return rch_out_finish(&sink, code);
}

const struct rch_command rch_command_doctor = {
    .name = "doctor",
    .words_help = "[PID|FILE.rch]",
    .min_words = 0,
    .max_words = 1,
    .summary = "Say what works here, whether a process can be read, a snapshot is whole",
    .details =
        "With a process number: what is in the way of reading it, what removes that, and which "
        "Python it\n"
        "is. It is not stopped.\n"
        "With a snapshot: checks every checksum and every invariant and counts what is in it.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
