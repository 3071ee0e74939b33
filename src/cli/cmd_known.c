// SPDX-License-Identifier: MIT
// cli/cmd_known.c -- refchain known: the file of leaks that are accepted for now.
#include <string.h>

#include "cli/cli.h"
#include "cli/known_file.h"
#include "render/report.h"

static const struct rch_option options[] = {
    {RCH_OPT_FILE, 'f', "file", "FILE", "the file (" RCH_KNOWN_DEFAULT ")"},
    {RCH_OPT_REASON, 'r', "reason", "TEXT", "add: why it is accepted, one line"},
    {RCH_OPT_UNTIL, 'u', "until", "DAY", "add: the last day it is accepted, like 2026-12-31"},
    {RCH_OPT_JSON, 0, "json", NULL, "list, check: JSON, schema refchain.known/1"},
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static int say_cannot(const struct rch_known_file *file, const struct rch_error *err)
{
    rch_say_error(file->path, err);
    return RCH_EXIT_CANNOT;
}

// ---- add, remove --------------------------------------------------------------------------------

static void put_heading(const struct rch_known_file *file, struct rch_sink *sink)
{
    if (!file->text.num_bytes)
        rch_put(sink,
                "# Leaks that are known: fingerprint, until=last-day if there is one, reason.\n"
                "# Changed by 'refchain known add' and 'remove', or by hand.\n\n");
    rch_put_bytes(sink, file->text.bytes, file->text.num_bytes);
}

static void drop_texts(struct rch_text (*texts)[2])
{
    rch_text_deinit(&(*texts)[0]);
    rch_text_deinit(&(*texts)[1]);
}

/// Write the file with each fingerprint of the command line added as `known` says, or without it if NULL.
static enum rch_status rewrite(const struct rch_known_file *file, const struct rch_args *args,
                               const struct rch_known *known, struct rch_error *err)
{
    __attribute__((cleanup(drop_texts))) struct rch_text texts[2];
    rch_text_init(&texts[0], rch_alloc_default());
    rch_text_init(&texts[1], rch_alloc_default());
    if (known)
        put_heading(file, &texts[0].sink);
    else
        rch_put_bytes(&texts[0].sink, file->text.bytes, file->text.num_bytes);
    uint32_t now = 0;
    for (int i = 1; i < args->num_words; i++, now = !now) {
        struct rch_text *from = &texts[now], *to = &texts[!now];
        rch_text_deinit(to);
        if (from->sink.status != RCH_OK)
            return rch_fail(err, from->sink.status, "%s", from->sink.err.message);
        if (known) {
            struct rch_known one = *known;
            one.fingerprint = args->words[i];
            rch_known_put_added(from->bytes, from->num_bytes, &one, &to->sink);
        } else {
            rch_known_put_removed(from->bytes, from->num_bytes, args->words[i], &to->sink);
        }
    }
    return rch_known_file_write(file, &texts[now], err);
}

static bool has_fingerprints(const struct rch_args *args)
{
    if (args->num_words < 2)
        rch_say("known %s: which one? Give its fingerprint", args->words[0]);
    return args->num_words >= 2;
}

/// What the options say of the entry to add; false: that makes no sense.
static bool take_entry(const struct rch_args *args, struct rch_known *known)
{
    struct rch_error err = {0};
    *known = (struct rch_known){.reason = args->reason};
    if (!has_fingerprints(args))
        return false;
    if (!known->reason) {
        rch_say("known add: why is it accepted? Give --reason \"...\"");
        return false;
    }
    if (args->until && !(known->until = rch_day_of(args->until))) {
        rch_say("known add: '%s' is no day like 2026-12-31", args->until);
        return false;
    }
    for (int i = 1; i < args->num_words; i++) {
        known->fingerprint = args->words[i];
        if (rch_known_check(known, &err) != RCH_OK) {
            rch_say_error("known add", &err);
            return false;
        }
    }
    return true;
}

static int add(struct rch_known_file *file, const struct rch_args *args)
{
    struct rch_known known;
    struct rch_error err = {0};
    if (!take_entry(args, &known))
        return RCH_EXIT_USAGE;
    if (rewrite(file, args, &known, &err) != RCH_OK)
        return say_cannot(file, &err);
    for (int i = 1; i < args->num_words; i++)
        rch_say("%s: %s %s", file->path, args->words[i],
                rch_known_find(&file->list, args->words[i]) ? "changed" : "added");
    if (rch_known_is_over(&known, rch_today()))
        rch_say("that day is over: it counts as new");
    return RCH_EXIT_OK;
}

static int remove_all(struct rch_known_file *file, const struct rch_args *args)
{
    struct rch_error err = {0};
    if (!has_fingerprints(args))
        return RCH_EXIT_USAGE;
    for (int i = 1; i < args->num_words; i++) {
        if (rch_known_find(&file->list, args->words[i]))
            continue;
        rch_say("%s: %s is not in it", file->path, args->words[i]);
        return RCH_EXIT_CANNOT;
    }
    if (rewrite(file, args, NULL, &err) != RCH_OK)
        return say_cannot(file, &err);
    for (int i = 1; i < args->num_words; i++)
        rch_say("%s: %s removed", file->path, args->words[i]);
    return RCH_EXIT_OK;
}

// ---- list, check --------------------------------------------------------------------------------

static int list(struct rch_known_file *file, const struct rch_args *args)
{
    struct rch_known_report report = {
        .list = &file->list, .path = file->path, .today = rch_today()};
    struct rch_render_options render = rch_out_options(args);
    struct rch_sink sink = rch_out_sink();
    (args->json ? rch_render_known_json : rch_render_known_text)(&report, &render, &sink);
    return rch_out_finish(&sink, RCH_EXIT_OK);
}

static enum rch_status read_outputs(const struct rch_args *args, const struct rch_known_list *known,
                                    uint8_t *use, struct rch_error *err)
{
    for (int i = 1; i < args->num_words; i++) {
        __attribute__((cleanup(rch_text_deinit))) struct rch_text text;
        rch_text_init(&text, rch_alloc_default());
        RCH_TRY(rch_read_text(args->words[i], &text, err));
        rch_known_mark_used(known, text.bytes, text.num_bytes, use);
    }
    return RCH_OK;
}

static int check(struct rch_known_file *file, const struct rch_args *args)
{
    uint32_t num = file->list.num_items;
    RCH_BLOCK(block, rch_alloc_default(), num, 1);
    struct rch_error err = {0};
    if (!block.mem) {
        rch_fail(&err, RCH_ENOMEM, "%u entries", num);
        return say_cannot(file, &err);
    }
    bool reads = args->num_words > 1;
    if (read_outputs(args, &file->list, block.mem, &err) != RCH_OK) {
        rch_say_error("known check", &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_known_report report = {.list = &file->list,
                                      .path = file->path,
                                      .today = rch_today(),
                                      .used = reads ? block.mem : NULL,
                                      .only_stale = true};
    struct rch_render_options render = rch_out_options(args);
    struct rch_sink sink = rch_out_sink();
    (args->json ? rch_render_known_json : rch_render_known_text)(&report, &render, &sink);
    return rch_out_finish(&sink, rch_known_num_stale(&report) ? RCH_EXIT_FOUND : RCH_EXIT_OK);
}

// ---- the command --------------------------------------------------------------------------------

static const struct {
    const char *name;
    int (*run)(struct rch_known_file *file, const struct rch_args *args);
    bool makes_file;  // it need not be there
} actions[] = {
    {"add", add, true},
    {"list", list, false},
    {"remove", remove_all, false},
    {"check", check, false},
};

static int run(const struct rch_args *args)
{
    size_t i = 0, num = sizeof(actions) / sizeof(actions[0]);
    while (i < num && strcmp(actions[i].name, args->words[0]) != 0)
        i++;
    if (i == num) {
        rch_say("known: '%s' is neither add, list, remove nor check", args->words[0]);
        return RCH_EXIT_USAGE;
    }
    struct rch_known_file file __attribute__((cleanup(rch_known_file_close)));
    struct rch_error err = {0};
    enum rch_known_need need = actions[i].makes_file ? RCH_KNOWN_OPTIONAL : RCH_KNOWN_NEEDED;
    if (rch_known_file_open(args->file ? args->file : RCH_KNOWN_DEFAULT, need, &file, &err) !=
        RCH_OK)
        return say_cannot(&file, &err);
    return actions[i].run(&file, args);
}

const struct rch_command rch_command_known = {
    .name = "known",
    .words_help = "add|remove FINGERPRINT..., list, check [OUTPUT...]",
    .min_words = 1,
    .max_words = 1000,
    .summary = "Keep the list of leaks that are accepted for now",
    .details =
        "The list is a text file for the repository, one entry a line: fingerprint, until=DAY if\n"
        "it is accepted for a time only, reason. 'why' and 'diff' mark what is in it, and do not\n"
        "count it; with --fail-on-new they exit with 1 for what is not. After DAY (UTC) an entry\n"
        "counts as new.\n\n"
        "  add FINGERPRINT... accept it; --reason is needed. Changes the entry if there is one\n"
        "  remove FINGERPRINT...\n"
        "                     the entry goes, comments stay\n"
        "  list               all entries\n"
        "  check [OUTPUT...]  entries whose day is over; with outputs of refchain (any format) "
        "also\n"
        "                     those that none of them names. Exits with 1 if there are any\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
