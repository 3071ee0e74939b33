// SPDX-License-Identifier: MIT
// render/stacks_text.c -- where each thread stands: a paragraph a thread, a line a call, most recent
// call first, as faulthandler and py-spy have it. Lines that repeat (recursion) are counted.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyze/common/locals.h"
#include "analyze/common/select.h"
#include "render/line.h"
#include "render/stacks.h"

enum { DEFAULT_FRAMES = 200, FRAME_INDENT = 4, LOCAL_INDENT = 8, REPEATS_SHOWN = 3 };

bool rch_is_thread_shown(const struct rch_graph *g, const struct rch_thread *thread,
                         const char *wanted)
{
    char number[16];
    snprintf(number, sizeof(number), "%" PRIu32, thread->native_id);
    return !wanted || strcmp(rch_str_get(g, thread->name), wanted) == 0 ||
           strcmp(number, wanted) == 0;
}

static void put_title(struct rch_page *page, const struct rch_graph *g,
                      const struct rch_render_options *options)
{
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "refchain stacks");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "  %" PRIu32 " thread%s, most recent call first", g->num_threads,
                   g->num_threads == 1 ? "" : "s");
    if (options->source) {
        rch_page_tab(page, page->columns + 3);
        rch_page_name(page, options->source, 0);
    }
    rch_page_end(page);
}

static void put_thread_line(struct rch_page *page, const struct rch_graph *g,
                            const struct rch_thread *thread)
{
    rch_page_style(page, RCH_STYLE_BOLD);
    rch_page_words(page, "Thread ");
    rch_page_name(page, rch_str_get(g, thread->name), 40);
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (thread->native_id)
        rch_page_words(page, "  id %" PRIu32, thread->native_id);
    if (thread->flags & RCH_THREAD_HAS_GIL)
        rch_page_words(page, ", has the GIL");
    if (thread->flags & RCH_THREAD_ASKS)
        rch_page_words(page, ", took this snapshot");
    if (thread->flags & RCH_THREAD_NOT_STOPPED)
        rch_page_words(page, ", went on while it was read");
    rch_page_end(page);
    if (thread->waits_for == RCH_NO_STR)
        return;
    rch_page_style(page, RCH_STYLE_ALARM);
    rch_page_tab(page, 2);
    rch_page_wrap(page, rch_str_get(g, thread->waits_for), 2);
    rch_page_style(page, RCH_STYLE_PLAIN);
}

// "function (file:line)": of a path that is too long the middle goes, never the line.
static void put_frame(struct rch_page *page, const struct rch_graph *g,
                      const struct rch_stack_frame *frame)
{
    char line[24] = ":?)";
    if (frame->line)
        snprintf(line, sizeof(line), ":%" PRIu32 ")", frame->line);
    rch_page_tab(page, FRAME_INDENT);
    rch_page_name(page, rch_str_get(g, frame->function), page->max_columns / 2);
    rch_page_words(page, " (");
    rch_page_style(page, RCH_STYLE_DIM);
    uint32_t room = page->max_columns - page->columns, num_line = (uint32_t)strlen(line);
    rch_page_name(page, rch_str_get(g, frame->file), room > num_line ? room - num_line : 1);
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_words(page, "%s", line);
    rch_page_end(page);
}

static void put_locals(struct rch_page *page, const struct rch_graph *g, rch_node root)
{
    struct rch_locals locals = rch_locals_of(g, root);
    struct rch_local local;
    while (rch_local_next(&locals, &local)) {
        char type[1024], number[RCH_NUMBER_BYTES];
        rch_type_full_name(g, g->shapes[g->shape_of[local.node]].type, type, sizeof(type));
        rch_page_tab(page, LOCAL_INDENT);
        rch_page_name(page, rch_str_get(g, local.name), page->max_columns / 3);
        rch_page_words(page, " = ");
        rch_page_name(page, type, page->max_columns - page->columns - 12);
        if (local.length != UINT64_MAX)
            rch_page_words(page, " of %s", rch_count_text(number, local.length));
        rch_page_end(page);
    }
}

static bool is_same_place(const struct rch_stack_frame *a, const struct rch_stack_frame *b)
{
    return a->function == b->function && a->file == b->file && a->line == b->line;
}

static void put_note(struct rch_page *page, uint64_t count, const char *one, const char *many)
{
    char number[RCH_NUMBER_BYTES];
    rch_page_tab(page, FRAME_INDENT);
    rch_page_style(page, RCH_STYLE_DIM);
    if (count)
        rch_page_words(page, "[%s %s]", rch_count_text(number, count), count == 1 ? one : many);
    else
        rch_page_words(page, "[no Python code]");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
}

static void put_frames(struct rch_page *page, const struct rch_graph *g,
                       const struct rch_thread *thread, const struct rch_render_options *options)
{
    const struct rch_stack_frame *frames = g->stack_frames + thread->first_frame;
    uint32_t num = thread->num_frames, num_same = 1, num_lines = 0, i = 0;
    uint32_t limit = options->all ? num : options->limit ? options->limit : DEFAULT_FRAMES;
    for (; i < num && num_lines < limit; i++) {
        num_same = i > 0 && is_same_place(&frames[i], &frames[i - 1]) ? num_same + 1 : 1;
        bool is_last = i + 1 == num || !is_same_place(&frames[i], &frames[i + 1]);
        if (num_same <= REPEATS_SHOWN) {
            put_frame(page, g, &frames[i]);
            num_lines++;
            if (options->locals)
                put_locals(page, g, frames[i].root);
        } else if (is_last) {
            put_note(page, num_same - REPEATS_SHOWN, "more call like this", "more calls like this");
        }
    }
    if (i < num)
        put_note(page, num - i, "more call, --all shows it", "more calls, --all shows them");
    if (num == 0)
        put_note(page, 0, NULL, NULL);
}

void rch_render_stacks_text(const struct rch_graph *g, const struct rch_render_options *options,
                            struct rch_sink *sink)
{
    struct rch_page page = rch_page_of(options, sink);
    put_title(&page, g, options);
    for (uint32_t i = 0; i < g->num_threads; i++) {
        if (!rch_is_thread_shown(g, &g->threads[i], options->thread))
            continue;
        rch_page_end(&page);
        put_thread_line(&page, g, &g->threads[i]);
        put_frames(&page, g, &g->threads[i], options);
    }
}
