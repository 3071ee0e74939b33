// SPDX-License-Identifier: MIT
// analyze/findings/known.c -- see known.h. A line is read by one function, whoever needs it: the parser, and the
// two that write the text again.
#include "analyze/findings/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/fingerprint.h"

#define UNTIL "until="

enum {
    PRINT_BYTES = RCH_FINGERPRINT_BYTES - 1,
    MAX_REASON_BYTES = 1000,
    MAX_SHOWN = 40,
};

// A piece of the text, not ended by a NUL.
struct piece {
    const char *at;
    size_t num;
};

// ---- days ---------------------------------------------------------------------------------------

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

static rch_day day_of(struct piece text)
{
    static const char form[] = "dddd-dd-dd";
    uint32_t number = 0;
    if (text.num != sizeof(form) - 1)
        return 0;
    for (size_t i = 0; i < text.num; i++) {
        char c = text.at[i];
        if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
            return 0;
        if (form[i] == 'd')
            number = number * 10 + (uint32_t)(c - '0');
    }
    uint32_t year = number / 10000, month = number / 100 % 100, day = number % 100;
    bool is_day =
        year && month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
    return is_day ? number : 0;
}

rch_day rch_day_of(const char *text)
{
    return day_of((struct piece){text, strlen(text)});
}

const char *rch_day_text(char out[RCH_DAY_BYTES], rch_day day)
{
    snprintf(out, RCH_DAY_BYTES, "%04u-%02u-%02u", day / 10000 % 10000, day / 100 % 100, day % 100);
    return out;
}

// ---- one line -----------------------------------------------------------------------------------

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trimmed(struct piece text)
{
    while (text.num && is_space(text.at[0]))
        text.at++, text.num--;
    while (text.num && is_space(text.at[text.num - 1]))
        text.num--;
    return text;
}

// The next word of *rest, which then begins behind it.
static struct piece next_word(struct piece *rest)
{
    *rest = trimmed(*rest);
    struct piece word = {rest->at, 0};
    while (word.num < rest->num && !is_space(rest->at[word.num]))
        word.num++;
    *rest = trimmed((struct piece){rest->at + word.num, rest->num - word.num});
    return word;
}

// The next line of *rest without its end; false: there is none.
static bool next_line(struct piece *rest, struct piece *line_out)
{
    if (!rest->num)
        return false;
    const char *end = memchr(rest->at, '\n', rest->num);
    size_t num = end ? (size_t)(end - rest->at) : rest->num;
    *line_out = (struct piece){rest->at, num};
    *rest = (struct piece){rest->at + num + !!end, rest->num - num - !!end};
    return true;
}

static bool is_fingerprint(struct piece word)
{
    if (word.num != PRINT_BYTES || memcmp(word.at, "rc1:", 4) != 0)
        return false;
    for (size_t i = 4; i < word.num; i++)
        if (!memchr("0123456789abcdef", word.at[i], 16))
            return false;
    return true;
}

static bool has_control(struct piece text)
{
    for (size_t i = 0; i < text.num; i++)
        if (((unsigned char)text.at[i] < 0x20 && text.at[i] != '\t') || text.at[i] == 0x7f)
            return true;
    return false;
}

static enum rch_status check_reason(struct piece reason, struct rch_error *err)
{
    if (!reason.num)
        return rch_fail(err, RCH_EINVAL, "there is no reason");
    if (reason.num > MAX_REASON_BYTES)
        return rch_fail(err, RCH_EINVAL, "the reason is longer than %d bytes", MAX_REASON_BYTES);
    if (has_control(reason))
        return rch_fail(err, RCH_EINVAL,
                        "the reason has a control character; it is one line of text");
    return RCH_OK;
}

static enum rch_status no_fingerprint(struct piece word, struct rch_error *err)
{
    int num = word.num < MAX_SHOWN ? (int)word.num : MAX_SHOWN;
    bool is_conflict =
        word.num == 7 && (memcmp(word.at, "<<<<<<<", 7) == 0 ||
                          memcmp(word.at, "=======", 7) == 0 || memcmp(word.at, ">>>>>>>", 7) == 0);
    if (is_conflict)
        return rch_fail(err, RCH_EINVAL,
                        "'%.*s' is left of a merge: keep the entries of both sides", num, word.at);
    return rch_fail(err, RCH_EINVAL, "'%.*s' is no fingerprint; one is rc1: and 16 of 0-9a-f", num,
                    word.at);
}

struct entry {
    struct piece fingerprint, reason;  // none: the line is empty or a comment
    rch_day until;
};

static enum rch_status read_line(struct piece line, struct entry *out, struct rch_error *err)
{
    struct piece rest = trimmed(line);
    *out = (struct entry){.until = 0};
    if (!rest.num || rest.at[0] == '#')
        return RCH_OK;
    struct piece word = next_word(&rest);
    if (!is_fingerprint(word))
        return no_fingerprint(word, err);
    out->fingerprint = word;
    if (rest.num >= strlen(UNTIL) && memcmp(rest.at, UNTIL, strlen(UNTIL)) == 0) {
        word = next_word(&rest);
        out->until = day_of((struct piece){word.at + strlen(UNTIL), word.num - strlen(UNTIL)});
        if (!out->until)
            return rch_fail(err, RCH_EINVAL, "'%.*s' is no day like until=2026-12-31",
                            (int)(word.num < MAX_SHOWN ? word.num : MAX_SHOWN), word.at);
    }
    out->reason = rest;
    return check_reason(rest, err);
}

static int compare(struct piece a, const char *b)
{
    return strncmp(a.at, b, PRINT_BYTES);
}

// ---- the list -----------------------------------------------------------------------------------

static enum rch_status at_line(enum rch_status st, uint32_t number, const struct rch_error *why,
                               struct rch_error *err)
{
    return rch_fail(err, st, "line %u: %s", number, why->message);
}

static int by_fingerprint(const void *a, const void *b)
{
    const struct rch_known *x = a, *y = b;
    int order = strcmp(x->fingerprint, y->fingerprint);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static enum rch_status keep(struct rch_known_list *list, const struct entry *entry, uint32_t number,
                            struct rch_error *err)
{
    struct rch_arena *arena = &list->arena;
    struct rch_known *known = &list->items[list->num_items++];
    known->fingerprint = rch_arena_copy(arena, entry->fingerprint.at, entry->fingerprint.num);
    known->reason = rch_arena_copy(arena, entry->reason.at, entry->reason.num);
    known->until = entry->until;
    known->line = number;
    return known->fingerprint && known->reason ? RCH_OK
                                               : rch_fail(err, RCH_ENOMEM, "what is known");
}

static enum rch_status check_twice(const struct rch_known_list *list, struct rch_error *err)
{
    for (uint32_t i = 1; i < list->num_items; i++) {
        const struct rch_known *first = &list->items[i - 1], *again = &list->items[i];
        if (strcmp(first->fingerprint, again->fingerprint) == 0)
            return rch_fail(err, RCH_EINVAL, "line %u: %s is in line %u already", again->line,
                            again->fingerprint, first->line);
    }
    return RCH_OK;
}

static size_t count_lines(struct piece rest)
{
    struct piece line;
    size_t num = 0;
    while (next_line(&rest, &line))
        num++;
    return num;
}

enum rch_status rch_known_parse(const char *text, size_t num_bytes, const struct rch_alloc *alloc,
                                struct rch_known_list *list_out, struct rch_error *err)
{
    struct piece rest = {text, num_bytes}, line;
    *list_out = (struct rch_known_list){.num_items = 0};
    rch_arena_init(&list_out->arena, alloc);
    list_out->items = rch_arena_take(&list_out->arena, count_lines(rest), sizeof(struct rch_known));
    if (!list_out->items)
        return rch_fail(err, RCH_ENOMEM, "what is known");
    for (uint32_t number = 1; next_line(&rest, &line); number++) {
        struct entry entry;
        struct rch_error why = {0};
        enum rch_status st = read_line(line, &entry, &why);
        if (st == RCH_OK && entry.fingerprint.num)
            st = keep(list_out, &entry, number, &why);
        if (st != RCH_OK)
            return at_line(st, number, &why, err);
    }
    qsort(list_out->items, list_out->num_items, sizeof(struct rch_known), by_fingerprint);
    return check_twice(list_out, err);
}

void rch_known_deinit(struct rch_known_list *list)
{
    rch_arena_deinit(&list->arena);
    list->items = NULL;
    list->num_items = 0;
}

static int to_fingerprint(const void *key, const void *item)
{
    return strcmp(key, ((const struct rch_known *)item)->fingerprint);
}

const struct rch_known *rch_known_find(const struct rch_known_list *list, const char *fingerprint)
{
    return list->num_items ? bsearch(fingerprint, list->items, list->num_items,
                                     sizeof(struct rch_known), to_fingerprint)
                           : NULL;
}

void rch_known_mark_used(const struct rch_known_list *list, const char *text, size_t num_bytes,
                         uint8_t *used)
{
    char print[RCH_FINGERPRINT_BYTES];
    const size_t num = PRINT_BYTES;
    for (size_t at = 0; at + num <= num_bytes; at++) {
        if (text[at] != 'r' || !is_fingerprint((struct piece){text + at, num}))
            continue;
        memcpy(print, text + at, num);
        print[num] = '\0';
        const struct rch_known *known = rch_known_find(list, print);
        if (known)
            used[known - list->items] = 1;
    }
}

// ---- writing ------------------------------------------------------------------------------------

enum rch_status rch_known_check(const struct rch_known *known, struct rch_error *err)
{
    struct piece print = {known->fingerprint, strlen(known->fingerprint)};
    struct piece reason = {known->reason, strlen(known->reason)};
    if (!is_fingerprint(print))
        return no_fingerprint(print, err);
    RCH_TRY(check_reason(trimmed(reason), err));
    if (strncmp(trimmed(reason).at, UNTIL, strlen(UNTIL)) == 0)
        return rch_fail(err, RCH_EINVAL, "a reason cannot begin with " UNTIL);
    return RCH_OK;
}

static void put_entry(const struct rch_known *known, struct rch_sink *sink)
{
    char day[RCH_DAY_BYTES];
    struct piece reason = trimmed((struct piece){known->reason, strlen(known->reason)});
    rch_putf(sink, "%s ", known->fingerprint);
    if (known->until)
        rch_putf(sink, UNTIL "%s ", rch_day_text(day, known->until));
    rch_put_bytes(sink, reason.at, reason.num);
    rch_put(sink, "\n");
}

// A line as it was; the last one gets the end that it lacks.
static void put_line(struct piece line, struct rch_sink *sink)
{
    rch_put_bytes(sink, line.at, line.num);
    rch_put(sink, "\n");
}

// Does the entry of this fingerprint stand in the text?
static bool has_entry(struct piece rest, const char *fingerprint)
{
    struct piece line;
    struct entry entry;
    while (next_line(&rest, &line))
        if (read_line(line, &entry, NULL) == RCH_OK && entry.fingerprint.num &&
            compare(entry.fingerprint, fingerprint) == 0)
            return true;
    return false;
}

// Where a new entry goes: before the comment lines that stand right above the first greater entry.
static const char *place_of(struct piece rest, const char *fingerprint)
{
    const char *block = rest.at;  // where the comment above the line at hand begins
    struct piece line;
    struct entry entry;
    while (next_line(&rest, &line)) {
        bool is_entry = read_line(line, &entry, NULL) == RCH_OK && entry.fingerprint.num;
        if (is_entry && compare(entry.fingerprint, fingerprint) > 0)
            return block;
        if (is_entry || !trimmed(line).num)
            block = rest.at;
    }
    return rest.at;
}

void rch_known_put_added(const char *text, size_t num_bytes, const struct rch_known *known,
                         struct rch_sink *sink)
{
    struct piece rest = {text, num_bytes}, line;
    bool replaces = has_entry(rest, known->fingerprint);
    const char *place = replaces ? NULL : place_of(rest, known->fingerprint);
    const char *at = rest.at;
    for (struct entry entry; next_line(&rest, &line); at = rest.at) {
        if (!replaces && at == place) {
            put_entry(known, sink);
            place = NULL;
        }
        if (replaces && read_line(line, &entry, NULL) == RCH_OK && entry.fingerprint.num &&
            compare(entry.fingerprint, known->fingerprint) == 0)
            put_entry(known, sink);
        else
            put_line(line, sink);
    }
    if (!replaces && place)
        put_entry(known, sink);
}

void rch_known_put_removed(const char *text, size_t num_bytes, const char *fingerprint,
                           struct rch_sink *sink)
{
    struct piece rest = {text, num_bytes}, line;
    for (struct entry entry; next_line(&rest, &line);)
        if (read_line(line, &entry, NULL) != RCH_OK || !entry.fingerprint.num ||
            compare(entry.fingerprint, fingerprint) != 0)
            put_line(line, sink);
}
