// SPDX-License-Identifier: MIT
// cli/doctor_process.c -- see doctor_process.h.
#include "cli/doctor_process.h"

#include <inttypes.h>
#include <stdio.h>

#include "target/image.h"

enum { KEY_COLUMN = 2, VALUE_COLUMN = 15 };

static const char *const permit_names[RCH_NUM_PERMITS] = {
    [RCH_PERMIT_EXISTS] = "process",  [RCH_PERMIT_TRACED] = "tracer",
    [RCH_PERMIT_UID] = "user",        [RCH_PERMIT_DUMPABLE] = "dumpable",
    [RCH_PERMIT_YAMA] = "yama",       [RCH_PERMIT_CAPABILITY] = "capability",
    [RCH_PERMIT_SECCOMP] = "seccomp", [RCH_PERMIT_NAMESPACE] = "namespace",
};

void rch_process_check(uint32_t pid, struct rch_process_checkup *checkup)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    *checkup = (struct rch_process_checkup){.pid = pid};
    rch_permit_check(pid, &checkup->permit);
    if (!checkup->permit.may_read)
        return;
    struct rch_image_options options = {.alloc = alloc};
    struct rch_image *image = NULL;
    enum rch_status st = rch_image_view_pid(pid, &options, &image, &checkup->err);
    if (st == RCH_OK)
        st = rch_python_find(image, alloc, &checkup->python, &checkup->err);
    checkup->has_python = st == RCH_OK;
    rch_image_free(image);
}

static void put_row(struct rch_page *page, const struct rch_permit_row *row)
{
    rch_page_tab(page, KEY_COLUMN);
    rch_page_words(page, "%s", permit_names[row->kind]);
    rch_page_tab(page, VALUE_COLUMN);
    rch_page_style(page, row->is_in_the_way ? RCH_STYLE_ALARM : RCH_STYLE_PLAIN);
    rch_page_wrap(page, row->words, VALUE_COLUMN);
    rch_page_style(page, RCH_STYLE_PLAIN);
    if (!row->remedy[0])
        return;
    rch_page_tab(page, VALUE_COLUMN);
    rch_page_words(page, "->");
    rch_page_wrap(page, row->remedy, VALUE_COLUMN + 3);
}

static void put_python(struct rch_page *page, const struct rch_process_checkup *checkup)
{
    const struct rch_python *python = &checkup->python;
    rch_page_tab(page, KEY_COLUMN);
    rch_page_words(page, "Python");
    rch_page_tab(page, VALUE_COLUMN);
    if (!checkup->has_python) {
        rch_page_style(page, RCH_STYLE_ALARM);
        rch_page_wrap(page, checkup->err.message, VALUE_COLUMN);
        rch_page_style(page, RCH_STYLE_PLAIN);
        return;
    }
    rch_page_words(page, "CPython %" PRIu32 ".%" PRIu32 ".%" PRIu32 "%s%s, by", python->major,
                   python->minor, python->micro, python->is_debug_build ? " (debug build)" : "",
                   python->is_free_threaded ? " (free-threaded)" : "");
    rch_page_wrap(page, python->how, VALUE_COLUMN);
    if (!python->is_free_threaded)
        return;
    rch_page_tab(page, KEY_COLUMN);
    rch_page_words(page, "warning");
    rch_page_tab(page, VALUE_COLUMN);
    rch_page_wrap(page, RCH_FREE_THREADED_WARNING, VALUE_COLUMN);
}

void rch_process_put_text(struct rch_page *page, const struct rch_process_checkup *checkup)
{
    bool is_fine = checkup->permit.may_read && checkup->has_python;
    rch_page_end(page);
    rch_page_words(page, "process %" PRIu32 ": ", checkup->pid);
    rch_page_style(page, is_fine ? RCH_STYLE_GOOD : RCH_STYLE_ALARM);
    rch_page_words(page, "%s", is_fine ? "can be read" : "cannot be read");
    rch_page_style(page, RCH_STYLE_PLAIN);
    rch_page_end(page);
    for (int i = 0; i < RCH_NUM_PERMITS; i++)
        if (checkup->permit.rows[i].words[0])
            put_row(page, &checkup->permit.rows[i]);
    if (!checkup->permit.may_read)
        return;
    put_python(page, checkup);
    if (!checkup->has_python)
        return;
    rch_page_end(page);
    rch_page_words(page, "  refchain why %" PRIu32 " TYPE", checkup->pid);
    rch_page_end(page);
}

static void put_permit_json(struct rch_json *json, const struct rch_permit *permit)
{
    rch_json_open(json, "permissions", '[', false);
    for (int i = 0; i < RCH_NUM_PERMITS; i++) {
        const struct rch_permit_row *row = &permit->rows[i];
        rch_json_open(json, NULL, '{', true);
        rch_json_string(json, "name", permit_names[i]);
        rch_json_bool(json, "ok", row->is_ok);
        rch_json_bool(json, "in_the_way", row->is_in_the_way);
        rch_json_string(json, "words", row->words);
        rch_json_string(json, "remedy", row->remedy[0] ? row->remedy : NULL);
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

void rch_process_put_json(struct rch_json *json, const struct rch_process_checkup *checkup)
{
    const struct rch_python *python = &checkup->python;
    char version[48];
    rch_json_open(json, "process", '{', false);
    rch_json_count(json, "pid", checkup->pid);
    rch_json_bool(json, "readable", checkup->permit.may_read);
    put_permit_json(json, &checkup->permit);
    snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32 ".%" PRIu32, python->major,
             python->minor, python->micro);
    rch_json_string(json, "python", checkup->has_python ? version : NULL);
    rch_json_string(json, "found_by", checkup->has_python ? python->how : NULL);
    rch_json_open(json, "warnings", '[', true);
    if (checkup->has_python && python->is_free_threaded)
        rch_json_string(json, NULL, RCH_FREE_THREADED_WARNING);
    rch_json_close(json, ']');
    rch_json_string(json, "error", checkup->err.code == RCH_OK ? NULL : checkup->err.message);
    rch_json_close(json, '}');
}
