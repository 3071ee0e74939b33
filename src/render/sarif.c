// SPDX-License-Identifier: MIT
// render/sarif.c -- findings as SARIF 2.1.0 (Static Analysis Results Interchange Format, OASIS Standard of
// 27 March 2020; numbers below are its sections). Our findings are of a running program: what they have is
// a logical location (3.33), the path of the holder; a place in a file only where a frame holds.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/hop_text.h"
#include "render/report.h"

enum { MAX_PATH_COLUMNS = RCH_CLEAN_MAX_COLUMNS, MAX_TEXT_BYTES = 2000, MAX_RULES = 32 };

// Text put together before it becomes one JSON string; what does not fit is left out.
struct draft {
    struct rch_sink sink;
    char bytes[4 * RCH_CLEAN_BYTES];
    size_t num;
};

static enum rch_status write_draft(void *ctx, const char *bytes, size_t num, struct rch_error *err)
{
    struct draft *draft = ctx;
    (void)err;
    if (num >= sizeof(draft->bytes) - draft->num)
        return RCH_OK;
    memcpy(draft->bytes + draft->num, bytes, num);
    draft->num += num;
    draft->bytes[draft->num] = '\0';
    return RCH_OK;
}

static void draft_start(struct draft *draft)
{
    draft->sink = (struct rch_sink){.write = write_draft, .ctx = draft};
    draft->num = 0;
    draft->bytes[0] = '\0';
}

static void put_text(struct rch_json *json, const char *key, const char *text)
{
    rch_json_open(json, key, '{', true);
    rch_json_string(json, "text", text);
    rch_json_close(json, '}');
}

/// A message with names in it. Braces would be placeholders (3.11.5) and "[...](" a link (3.11.6).
static void put_message(struct rch_json *json, const char *key, const char *first,
                        const char *second)
{
    struct draft raw, message;
    draft_start(&raw);
    draft_start(&message);
    rch_put_escaped(&raw.sink, first, MAX_TEXT_BYTES);
    rch_put_escaped(&raw.sink, second, MAX_TEXT_BYTES);
    for (const char *at = raw.bytes; *at; at++) {
        if (*at == '{' || *at == '}')
            rch_put_bytes(&message.sink, at, 1);
        else if (at[0] == ']' && at[1] == '(')
            rch_put(&message.sink, "\\");
        rch_put_bytes(&message.sink, at, 1);
    }
    put_text(json, key, message.bytes);
}

static const char *level_word(enum rch_level level)
{
    return level == RCH_LEVEL_ERROR ? "error" : level == RCH_LEVEL_WARNING ? "warning" : "note";
}

// ---- the tool -------------------------------------------------------------------------------------

// The rules that findings have, each once, in the order of the findings.
struct rules {
    const struct rch_rule *items[MAX_RULES];
    uint32_t num;
};

static uint32_t rule_index(const struct rules *rules, const struct rch_rule *rule)
{
    uint32_t i = 0;
    while (i < rules->num && rules->items[i] != rule)
        i++;
    return i;
}

static struct rules rules_of(const struct rch_findings *list)
{
    struct rules rules = {.num = 0};
    for (size_t i = 0; i < list->rows.num; i++) {
        const struct rch_rule *rule = rch_finding_at(list, i)->rule;
        if (rule_index(&rules, rule) == rules.num && rules.num < MAX_RULES)
            rules.items[rules.num++] = rule;
    }
    return rules;
}

/// "held-objects" -> "HeldObjects": the name that viewers show (3.49.7).
static void put_rule_name(struct rch_json *json, const char *id)
{
    char name[64];
    size_t num = 0;
    for (bool is_first = true; *id && num + 1 < sizeof(name); id++) {
        if (*id != '-')
            name[num++] = (char)(is_first && *id >= 'a' && *id <= 'z' ? *id - 'a' + 'A' : *id);
        is_first = *id == '-';
    }
    name[num] = '\0';
    rch_json_string(json, "name", name);
}

static void put_tool(struct rch_json *json, const struct rch_report *report,
                     const struct rules *rules)
{
    rch_json_open(json, "tool", '{', false);
    rch_json_open(json, "driver", '{', false);
    rch_json_string(json, "name", "refchain");
    rch_json_string(json, "version", report->version);
    rch_json_open(json, "rules", '[', false);
    for (uint32_t i = 0; i < rules->num; i++) {
        const struct rch_rule *rule = rules->items[i];
        rch_json_open(json, NULL, '{', false);
        rch_json_string(json, "id", rule->id);
        put_rule_name(json, rule->id);
        put_text(json, "shortDescription", rule->name);
        put_text(json, "fullDescription", rule->summary);
        put_text(json, "help", rule->summary);
        rch_json_open(json, "defaultConfiguration", '{', true);
        rch_json_string(json, "level", level_word(rule->level));
        rch_json_close(json, '}');
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
    rch_json_close(json, '}');
    rch_json_close(json, '}');
}

static void put_notification(struct rch_json *json, const char *text)
{
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "level", "warning");
    put_message(json, "message", text, "");
    rch_json_close(json, '}');
}

static void put_invocation(struct rch_json *json, const struct rch_report *report)
{
    char text[96];
    uint64_t num = report->findings->num_unlisted;
    rch_json_open(json, "invocations", '[', false);
    rch_json_open(json, NULL, '{', false);
    rch_json_bool(json, "executionSuccessful", true);
    rch_json_open(json, "toolExecutionNotifications", '[', false);
    if (report->is_partial)
        put_notification(json, "Part of the heap could not be read: findings may be missing.");
    snprintf(text, sizeof(text), "%" PRIu64 " more %s not listed.", num, num == 1 ? "is" : "are");
    if (num)
        put_notification(json, text);
    for (uint32_t i = 0; report->g && i < report->g->num_warnings; i++)
        put_notification(json, rch_str_get(report->g, report->g->warnings[i]));
    rch_json_close(json, ']');
    rch_json_close(json, '}');
    rch_json_close(json, ']');
}

// ---- a result -------------------------------------------------------------------------------------

/// A path as a URI reference (RFC 3986): an absolute one with its scheme, other bytes than the unreserved
/// and "/" percent-encoded.
static void put_uri(struct rch_json *json, const char *path)
{
    struct draft draft;
    draft_start(&draft);
    if (path[0] == '/')
        rch_put(&draft.sink, "file://");
    for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || strchr("/-._~", *at);
        if (is_plain)
            rch_put_bytes(&draft.sink, (const char *)at, 1);
        else
            rch_putf(&draft.sink, "%%%02X", *at);
    }
    rch_json_open(json, "artifactLocation", '{', true);
    rch_json_string(json, "uri", draft.bytes);
    rch_json_close(json, '}');
}

static void put_place(struct rch_json *json, const char *path, uint32_t line)
{
    rch_json_open(json, "physicalLocation", '{', false);
    put_uri(json, path);
    if (line) {
        rch_json_open(json, "region", '{', true);
        rch_json_count(json, "startLine", line);
        rch_json_close(json, '}');
    }
    rch_json_close(json, '}');
}

static void put_locations(struct rch_json *json, const struct rch_finding *row, const char *path)
{
    rch_json_open(json, "locations", '[', false);
    if (row->holder || row->file) {
        rch_json_open(json, NULL, '{', false);
        if (row->file && *row->file)
            put_place(json, row->file, row->line);
        if (row->holder) {
            rch_json_open(json, "logicalLocations", '[', false);
            rch_json_open(json, NULL, '{', true);
            rch_json_string(json, "fullyQualifiedName", path);
            rch_json_string(json, "kind", "object");
            rch_json_close(json, '}');
            rch_json_close(json, ']');
        }
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

/// All results of a run have the property or none has (3.27.23): an empty one says "not suppressed".
static void put_suppressions(struct rch_json *json, const struct rch_findings *list,
                             const struct rch_finding *row)
{
    if (!list->judged_by)
        return;
    rch_json_open(json, "suppressions", '[', false);
    if (row->state == RCH_FINDING_KNOWN) {
        rch_json_open(json, NULL, '{', false);
        rch_json_string(json, "kind", "external");
        rch_json_string(json, "status", "accepted");
        rch_json_string(json, "justification", row->known->reason);
        rch_json_open(json, "location", '{', false);
        put_place(json, list->judged_by, row->known->line);
        rch_json_close(json, '}');
        rch_json_close(json, '}');
    }
    rch_json_close(json, ']');
}

static void put_properties(struct rch_json *json, const struct rch_finding *row)
{
    char clean[RCH_CLEAN_BYTES], day[RCH_DAY_BYTES];
    rch_json_open(json, "properties", '{', false);
    if (row->type) {
        rch_clean(clean, row->type, MAX_PATH_COLUMNS, 0);
        rch_json_string(json, "type", clean);
    }
    rch_json_count(json, "objects", row->objects);
    rch_json_count(json, "bytes", row->bytes);
    if (row->advice)
        rch_json_string(json, "advice", row->advice);
    if (row->known && row->known->until)
        rch_json_string(json, "knownUntil", rch_day_text(day, row->known->until));
    rch_json_close(json, '}');
}

static void put_result(struct rch_json *json, const struct rch_findings *list,
                       const struct rch_finding *row, const struct rules *rules)
{
    char path[RCH_CLEAN_BYTES] = "", tail[RCH_CLEAN_BYTES + 32];
    if (row->holder)
        rch_path_text(path, row->holder, MAX_PATH_COLUMNS, 0);
    snprintf(tail, sizeof(tail), "%s%s%s", *path ? ": " : "", path,
             row->state == RCH_FINDING_EXPIRED ? " (known until a day that is over)" : "");
    rch_json_open(json, NULL, '{', false);
    rch_json_string(json, "ruleId", row->rule->id);
    if (rule_index(rules, row->rule) < rules->num)
        rch_json_count(json, "ruleIndex", rule_index(rules, row->rule));
    rch_json_string(json, "level", level_word(row->rule->level));
    put_message(json, "message", row->message, tail);
    put_locations(json, row, path);
    if (row->fingerprint) {
        rch_json_open(json, "partialFingerprints", '{', true);
        rch_json_string(json, "refchainHolder/v1", row->fingerprint);
        rch_json_close(json, '}');
    }
    put_suppressions(json, list, row);
    put_properties(json, row);
    rch_json_close(json, '}');
}

void rch_render_sarif(const struct rch_report *report, const struct rch_render_options *options,
                      struct rch_sink *sink)
{
    const struct rch_findings *list = report->findings;
    struct rules rules = rules_of(list);
    struct rch_json json = {.sink = sink};
    (void)options;
    rch_json_open(&json, NULL, '{', false);
    rch_json_string(&json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    rch_json_string(&json, "version", "2.1.0");
    rch_json_open(&json, "runs", '[', false);
    rch_json_open(&json, NULL, '{', false);
    put_tool(&json, report, &rules);
    put_invocation(&json, report);
    rch_json_open(&json, "results", '[', false);
    for (size_t i = 0; i < list->rows.num; i++)
        put_result(&json, list, rch_finding_at(list, i), &rules);
    rch_json_close(&json, ']');
    rch_json_close(&json, '}');
    rch_json_close(&json, ']');
    rch_json_close(&json, '}');
}
