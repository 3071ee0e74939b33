// SPDX-License-Identifier: MIT
// cli/judge.c -- see judge.h.
#include "cli/judge.h"

#include <inttypes.h>

int rch_judge_open(struct rch_judge *judge, const struct rch_args *args)
{
    struct rch_error err = {0};
    rch_findings_init(&judge->findings, rch_alloc_default());
    const char *path = args->known ? args->known : RCH_KNOWN_DEFAULT;
    enum rch_known_need need = args->known ? RCH_KNOWN_NEEDED : RCH_KNOWN_OPTIONAL;
    if (rch_known_file_open(path, need, &judge->known, &err) == RCH_OK)
        return RCH_EXIT_OK;
    rch_say_error(path, &err);
    return RCH_EXIT_CANNOT;
}

void rch_judge_close(struct rch_judge *judge)
{
    rch_findings_deinit(&judge->findings);
    rch_known_file_close(&judge->known);
}

bool rch_judge_wants_all(const struct rch_args *args)
{
    return args->fail_on_new || args->format == RCH_FORMAT_MARKDOWN ||
           args->format == RCH_FORMAT_SARIF;
}

void rch_judge_compare(struct rch_judge *judge)
{
    if (judge->known.is_there)
        rch_findings_judge(&judge->findings, &judge->known.list, judge->known.path, rch_today());
}

bool rch_judge_print(const struct rch_judge *judge, const struct rch_args *args,
                     struct rch_report report, const struct rch_render_options *options,
                     struct rch_sink *sink)
{
    report.findings = &judge->findings;
    report.version = rch_version();
    if (args->format == RCH_FORMAT_MARKDOWN)
        rch_render_markdown(&report, options, sink);
    else if (args->format == RCH_FORMAT_SARIF)
        rch_render_sarif(&report, options, sink);
    else
        return false;
    return true;
}

/// The first one, so that the line can be copied.
static const char *new_fingerprint(const struct rch_findings *list)
{
    for (size_t i = 0; i < list->rows.num; i++) {
        const struct rch_finding *row = rch_finding_at(list, i);
        if (row->state != RCH_FINDING_KNOWN && row->fingerprint)
            return row->fingerprint;
    }
    return NULL;
}

int rch_judge_code(const struct rch_judge *judge, const struct rch_args *args, const char *command,
                   int code)
{
    const struct rch_findings *list = &judge->findings;
    uint64_t num = (uint64_t)list->num_new + list->num_expired + list->num_unlisted;
    if (!args->fail_on_new || num == 0)
        return code;
    char over[80] = "";
    if (list->num_expired)
        snprintf(over, sizeof(over), ", %" PRIu32 " known until a day that is over: counted as new",
                 list->num_expired);
    rch_say("%s: %" PRIu32 " new, %" PRIu32 " known%s", command, list->num_new, list->num_known,
            over);
    if (list->num_unlisted)
        rch_say("%" PRIu64 " more were found but not listed: counted as new", list->num_unlisted);
    const char *fingerprint = new_fingerprint(list);
    if (fingerprint)
        rch_say("to accept one: refchain known add %s --reason \"...\"", fingerprint);
    return RCH_EXIT_FOUND;
}
