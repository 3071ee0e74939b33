// SPDX-License-Identifier: MIT
// render/watch.c -- see watch.h.
#include "render/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "render/json.h"
#include "render/line.h"
#include "render/spark.h"

enum { COUNT_END = 12, STEP_END = 23, ALL_END = 34, SPARK_START = 36, SPARK_COLUMNS = 24 };

static uint64_t count_at(const struct rch_watching *w, uint32_t sample, uint32_t name)
{
    return w->counts[(size_t)sample * w->num_names + name];
}

static const char *difference(char text[RCH_NUMBER_BYTES + 2], uint64_t before, uint64_t now)
{
    char number[RCH_NUMBER_BYTES];
    snprintf(text, RCH_NUMBER_BYTES + 2, "%s%s", now < before ? "-" : "+",
             rch_count_text(number, now < before ? before - now : now - before));
    return text;
}

static uint64_t most_pause(const struct rch_watching *w)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < w->num_samples; i++)
        most = w->samples[i].pause_ns > most ? w->samples[i].pause_ns : most;
    return most;
}

// --- a page ---

// The last counts of a name, as many as there are columns for.
static void put_bars(struct rch_page *page, const struct rch_watching *w, uint32_t name)
{
    uint64_t last[SPARK_COLUMNS];
    char bars[RCH_SPARK_BYTES];
    uint32_t num = w->num_samples < SPARK_COLUMNS ? w->num_samples : SPARK_COLUMNS;
    for (uint32_t i = 0; i < num; i++)
        last[i] = count_at(w, w->num_samples - num + i, name);
    uint32_t columns =
        rch_spark_text(bars, last, num, SPARK_COLUMNS, page->clean_flags & RCH_CLEAN_ASCII);
    rch_page_tab(page, SPARK_START);
    rch_page_box(page, bars, bars, columns);
}

static void put_row(struct rch_page *page, const struct rch_watching *w, uint32_t name)
{
    char text[RCH_NUMBER_BYTES + 2];
    uint32_t last = w->num_samples - 1;
    uint64_t now = count_at(w, last, name), before = last ? count_at(w, last - 1, name) : now;
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_right(page, rch_count_text(text, now), COUNT_END);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_right(page, difference(text, before, now), STEP_END);
    rch_page_right(page, difference(text, count_at(w, 0, name), now), ALL_END);
    put_bars(page, w, name);
    rch_page_tab(page, SPARK_START + SPARK_COLUMNS + 2);
    rch_page_name(page, w->names[name], 0);
    rch_page_end(page);
}

uint32_t rch_render_watch_page(const struct rch_watching *w,
                               const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    rch_page_style(&page, RCH_STYLE_BOLD);
    rch_page_words(&page, "refchain watch");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_words(
        &page, "  process %" PRIu32 ", %" PRIu32 " sample%s, it stood still %.3f s a time at most",
        w->pid, w->num_samples, w->num_samples == 1 ? "" : "s", (double)most_pause(w) / 1e9);
    rch_page_end(&page);
    rch_page_style(&page, RCH_STYLE_DIM);
    rch_page_right(&page, "objects", COUNT_END);
    rch_page_right(&page, "last step", STEP_END);
    rch_page_right(&page, "in all", ALL_END);
    rch_page_tab(&page, SPARK_START + SPARK_COLUMNS + 2);
    rch_page_words(&page, "type");
    rch_page_style(&page, RCH_STYLE_PLAIN);
    rch_page_end(&page);
    for (uint32_t i = 0; i < w->num_names; i++)
        put_row(&page, w, i);
    return w->num_names + 2;
}

// --- a line ---

void rch_render_watch_line(const struct rch_watching *w, const struct rch_render_options *options,
                           struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint32_t last = w->num_samples - 1;
    char number[RCH_NUMBER_BYTES], step[RCH_NUMBER_BYTES + 2], clock[16] = "";
    time_t seconds = (time_t)(w->samples[last].time_ns / 1000000000u);
    struct tm local;
    if (localtime_r(&seconds, &local))
        strftime(clock, sizeof(clock), "%H:%M:%S", &local);
    page.max_columns = UINT16_MAX;  // lines for programs are not cut
    rch_page_words(&page, "%s", clock);
    for (uint32_t i = 0; i < w->num_names; i++) {
        uint64_t now = count_at(w, last, i);
        rch_page_words(&page, "%s  %s ", i ? "," : "", rch_count_text(number, now));
        rch_page_words(&page, "(%s) ",
                       difference(step, last ? count_at(w, last - 1, i) : now, now));
        rch_page_name(&page, w->names[i], 0);
    }
    if (w->samples[last].is_partial)
        rch_page_words(&page, "  (partial)");
    rch_page_end(&page);
}

void rch_render_watch_json(const struct rch_watching *w, struct rch_sink *sink)
{
    struct rch_json json = {.sink = sink};
    const struct rch_sample *sample = &w->samples[w->num_samples - 1];
    rch_json_open(&json, NULL, '{', true);
    rch_json_string(&json, "schema", "refchain.watch/1");
    rch_json_count(&json, "pid", w->pid);
    rch_json_count(&json, "sample", w->num_samples);
    rch_json_count(&json, "time_ns", sample->time_ns);
    rch_json_count(&json, "pause_ns", sample->pause_ns);
    rch_json_bool(&json, "partial", sample->is_partial);
    rch_json_open(&json, "types", '[', true);
    for (uint32_t i = 0; i < w->num_names; i++) {
        rch_json_open(&json, NULL, '{', true);
        rch_json_string(&json, "type", w->names[i]);
        rch_json_count(&json, "objects", count_at(w, w->num_samples - 1, i));
        rch_json_close(&json, '}');
    }
    rch_json_close(&json, ']');
    rch_json_close(&json, '}');
}

// --- the end ---

static void put_outcome(struct rch_page *page, const struct rch_watching *w, uint32_t name)
{
    char first[RCH_NUMBER_BYTES], last[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES + 2];
    uint32_t num = w->num_samples, grew = 0;
    for (uint32_t i = 1; i < num; i++)
        grew += count_at(w, i, name) > count_at(w, i - 1, name);
    uint64_t begin = count_at(w, 0, name), end = count_at(w, num - 1, name);
    rch_page_name(page, w->names[name], 0);
    rch_page_words(page, "  %s to %s (%s)", rch_count_text(first, begin), rch_count_text(last, end),
                   difference(all, begin, end));
    if (num > 1)
        rch_page_words(page, ", grew in %" PRIu32 " of %" PRIu32 " steps", grew, num - 1);
    rch_page_end(page);
}

void rch_render_watch_summary(const struct rch_watching *w,
                              const struct rch_render_options *options, struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    uint64_t pauses = 0;
    for (uint32_t i = 0; i < w->num_samples; i++)
        pauses += w->samples[i].pause_ns;
    double seconds = (double)(w->samples[w->num_samples - 1].time_ns - w->samples[0].time_ns) / 1e9;
    rch_page_words(&page,
                   "%" PRIu32 " sample%s in %.1f s; the process stood still %.3f s in all, %.3f s "
                   "at most",
                   w->num_samples, w->num_samples == 1 ? "" : "s", seconds, (double)pauses / 1e9,
                   (double)most_pause(w) / 1e9);
    rch_page_end(&page);
    for (uint32_t i = 0; i < w->num_names; i++)
        put_outcome(&page, w, i);
}
