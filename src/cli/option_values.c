// SPDX-License-Identifier: MIT
// cli/option_values.c -- what the value of each option is, and where it goes: a row an option.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool parse_count(const char *text, uint32_t *value_out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value == 0 || value > UINT32_MAX)
        return false;
    *value_out = (uint32_t)value;
    return true;
}

/// "500M", "8G", "1000000"
static bool parse_size(const char *text, uint64_t *value_out)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (errno || end == text || text[0] == '-' || (*end && (!unit || end[1])))
        return false;
    uint32_t shift = unit ? 10 * (uint32_t)(unit - units + 1) : 0;
    *value_out = (uint64_t)value << shift;
    return *value_out != 0 && *value_out >> shift == value;
}

// ---- words ---------------------------------------------------------------------------------------

struct words {
    const char *const *words;  // by number; NULL: that number has none
    int num;
    const char *list;  // of them all, for people
};

#define WORDS(list, ...)                                                                          \
    {                                                                                             \
        (const char *const[]){__VA_ARGS__},                                                       \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), list               \
    }

static const struct words sorts = WORDS("objects, bytes, retained", [RCH_TOP_OBJECTS] = "objects",
                                        [RCH_TOP_BYTES] = "bytes", [RCH_TOP_RETAINED] = "retained");
static const struct words bys = WORDS(
    "type, module, holder, dominator, identity", [RCH_BY_TYPE] = "type", [RCH_BY_MODULE] = "module",
    [RCH_BY_HOLDER] = "holder", [RCH_BY_DOMINATOR] = "dominator", [RCH_BY_IDENTITY] = "identity");
static const struct words formats =
    WORDS("text, json, markdown, sarif", [RCH_FORMAT_TEXT] = "text", [RCH_FORMAT_JSON] = "json",
          [RCH_FORMAT_MARKDOWN] = "markdown", [RCH_FORMAT_SARIF] = "sarif");

static bool take_word(const struct rch_command *command, const struct words *words,
                      const char *text, int *number_out)
{
    for (int i = 0; i < words->num; i++) {
        if (words->words[i] && strcmp(text, words->words[i]) == 0) {
            *number_out = i;
            return true;
        }
    }
    rch_say("%s: '%s' is not one of %s", command->name, text, words->list);
    return false;
}

// ---- options that may be given several times ------------------------------------------------------

static bool take_cut(const struct rch_command *command, const char *text, struct rch_args *args)
{
    if (args->num_cuts == RCH_MAX_CUTS) {
        rch_say("%s: more than %d references to cut", command->name, (int)RCH_MAX_CUTS);
        return false;
    }
    args->cuts[args->num_cuts++] = text;
    return true;
}

static bool add_exclude(const struct rch_command *command, struct rch_exclude exclude,
                        struct rch_args *args)
{
    if (args->num_excludes == RCH_MAX_EXCLUDES) {
        rch_say("%s: at most %d patterns can be excluded", command->name, RCH_MAX_EXCLUDES);
        return false;
    }
    args->excludes[args->num_excludes++] = exclude;
    return true;
}

static bool take_exclude(const struct rch_command *command, const char *text, struct rch_args *args)
{
    return add_exclude(command, (struct rch_exclude){text, false}, args);
}

static bool take_exclude_root(const struct rch_command *command, const char *text,
                              struct rch_args *args)
{
    return add_exclude(command, (struct rch_exclude){text, true}, args);
}

// ---- all options ---------------------------------------------------------------------------------

enum value { FLAG, TEXT, COUNT, SIZE, WORD, MANY };

static const struct {
    enum rch_option_id id;
    enum value value;
    size_t offset;  // in struct rch_args: bool, const char *, uint32_t, uint64_t, int
    const struct words *words;
    bool (*take)(const struct rch_command *command, const char *text, struct rch_args *args);
} rows[] = {
#define AT(field) offsetof(struct rch_args, field)
    {RCH_OPT_JSON, FLAG, AT(json), NULL, NULL},
    {RCH_OPT_RAW, FLAG, AT(raw), NULL, NULL},
    {RCH_OPT_ALL, FLAG, AT(all), NULL, NULL},
    {RCH_OPT_LOCALS, FLAG, AT(locals), NULL, NULL},
    {RCH_OPT_WHY, FLAG, AT(why), NULL, NULL},
    {RCH_OPT_SVG, FLAG, AT(svg), NULL, NULL},
    {RCH_OPT_HTML, FLAG, AT(html), NULL, NULL},
    {RCH_OPT_REFS, FLAG, AT(refs), NULL, NULL},
    {RCH_OPT_BACKREFS, FLAG, AT(backrefs), NULL, NULL},
    {RCH_OPT_GARBAGE, FLAG, AT(garbage), NULL, NULL},
    {RCH_OPT_NO_CACHE, FLAG, AT(no_cache), NULL, NULL},
    {RCH_OPT_FAIL_ON_NEW, FLAG, AT(fail_on_new), NULL, NULL},
    {RCH_OPT_KNOWN, TEXT, AT(known), NULL, NULL},
    {RCH_OPT_FILE, TEXT, AT(file), NULL, NULL},
    {RCH_OPT_REASON, TEXT, AT(reason), NULL, NULL},
    {RCH_OPT_UNTIL, TEXT, AT(until), NULL, NULL},
    {RCH_OPT_TYPE, TEXT, AT(type), NULL, NULL},
    {RCH_OPT_MIN_GROWTH, TEXT, AT(min_growth), NULL, NULL},
    {RCH_OPT_INTERVAL, TEXT, AT(interval), NULL, NULL},
    {RCH_OPT_OUTPUT, TEXT, AT(output), NULL, NULL},
    {RCH_OPT_SYSROOT, TEXT, AT(sysroot), NULL, NULL},
    {RCH_OPT_BASELINE, TEXT, AT(baseline), NULL, NULL},
    {RCH_OPT_THREAD, TEXT, AT(thread), NULL, NULL},
    {RCH_OPT_LIMIT, COUNT, AT(limit), NULL, NULL},
    {RCH_OPT_MAX_HOLDERS, COUNT, AT(max_holders), NULL, NULL},
    {RCH_OPT_PATHS, COUNT, AT(max_paths), NULL, NULL},
    {RCH_OPT_COUNT, COUNT, AT(count), NULL, NULL},
    {RCH_OPT_DEPTH, COUNT, AT(depth), NULL, NULL},
    {RCH_OPT_MEMORY_LIMIT, SIZE, AT(memory_limit), NULL, NULL},
    {RCH_OPT_MAX_MEMORY, SIZE, AT(max_memory), NULL, NULL},
    {RCH_OPT_SORT, WORD, AT(sort), &sorts, NULL},
    {RCH_OPT_BY, WORD, AT(by), &bys, NULL},
    {RCH_OPT_FORMAT, WORD, AT(format), &formats, NULL},
    {RCH_OPT_CUT, MANY, 0, NULL, take_cut},
    {RCH_OPT_EXCLUDE, MANY, 0, NULL, take_exclude},
    {RCH_OPT_EXCLUDE_ROOT, MANY, 0, NULL, take_exclude_root},
#undef AT
};

static bool take_number(const struct rch_command *command, const char *text, uint32_t *count)
{
    if (parse_count(text, count))
        return true;
    rch_say("%s: '%s' is not a number from 1 on", command->name, text);
    return false;
}

static bool take_size(const struct rch_command *command, const char *text, uint64_t *size)
{
    if (parse_size(text, size))
        return true;
    rch_say("%s: '%s' is not a size like 500M or 8G", command->name, text);
    return false;
}

bool rch_take_option(const struct rch_command *command, int id, const char *text,
                     struct rch_args *args)
{
    size_t i = 0;
    while (i < sizeof(rows) / sizeof(rows[0]) && (int)rows[i].id != id)
        i++;
    if (i == sizeof(rows) / sizeof(rows[0]))
        return false;
    void *field = (char *)args + rows[i].offset;
    switch (rows[i].value) {
    case FLAG: *(bool *)field = true; return true;
    case TEXT: *(const char **)field = text; return true;
    case COUNT: return take_number(command, text, field);
    case SIZE: return take_size(command, text, field);
    case WORD: return take_word(command, rows[i].words, text, field);
    default: return rows[i].take(command, text, args);
    }
}
