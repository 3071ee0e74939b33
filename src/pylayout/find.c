// SPDX-License-Identifier: MIT
// pylayout/find.c -- which CPython runs in an image, and where: the ways to look, cheapest and surest
// first, the versions to try at each place, and why there is none that we can read.
#include "pylayout/find.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "pylayout/find_impl.h"
#include "pylayout/peek.h"

#define MAX_WHY 120
#define MAX_WHO_PATH 70
#define MAX_HOW_PATH 110

// Why a place was not it; a later one is the better reason.
enum refusal {
    REFUSAL_NONE,
    REFUSAL_IDLE,      // no interpreter there
    REFUSAL_STARTING,  // one that has no modules
    REFUSAL_FITS_NOT,  // of a known version, but something disagrees
    REFUSAL_UNKNOWN,   // no table for that version
    REFUSAL_TRACE_REFS,
    REFUSAL_FREE_THREADED,
};

struct search {
    const struct rch_image *image;
    struct rch_target target;
    const struct rch_modules *modules;
    struct rch_candidates candidates;
    uint32_t num_tried;
    struct rch_python *python;
    bool is_found;
    enum refusal refusal;
    struct rch_python_version refused;  // the version that was refused, as far as it is known
    char why[MAX_WHY];
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const struct rch_module *module_at(const struct search *search, uint64_t addr)
{
    const struct rch_image *image = search->image;
    for (size_t i = 0; i < search->modules->num; i++) {
        const struct rch_module *module = &search->modules->items[i];
        size_t last = module->first_map + module->num_maps - 1;
        uint64_t end = image->maps[last].end;
        // .bss: anonymous memory that follows without a gap
        if (last + 1 < image->num_maps && image->maps[last + 1].start == end &&
            image->maps[last + 1].path[0] == '\0')
            end = image->maps[last + 1].end;
        if (addr >= image->maps[module->first_map].start && addr < end)
            return module;
    }
    return NULL;
}

// --- versions -------------------------------------------------------------------------------------

// "libpython3.11.so.1.0", "python3.11", "python3.11d"
static bool version_of_path(const char *path, struct rch_python_version *version)
{
    const char *name = strstr(base_name(path), "python");
    unsigned major, minor;
    if (!name || sscanf(name, "python%3u.%3u", &major, &minor) != 2)
        return false;
    *version = (struct rch_python_version){.major = major, .minor = minor};
    return true;
}

static bool is_free_threaded_at(struct search *search, uint64_t runtime)
{
    struct rch_debug_offsets offsets;
    return rch_debug_offsets_read(&search->target, runtime, &offsets) && offsets.is_free_threaded;
}

static struct rch_python_version version_at(struct search *search, uint64_t runtime)
{
    const struct rch_module *module = module_at(search, runtime);
    struct rch_python_version version = {0};
    struct rch_debug_offsets offsets;
    if (rch_debug_offsets_read(&search->target, runtime, &offsets) &&
        rch_version_of_hex(offsets.version_hex, &version))
        return version;
    uint64_t addr = module ? rch_module_symbol(search->image, module, "Py_Version", NULL) : 0;
    if (addr && rch_version_of_hex(rch_load64(&search->target, addr), &version))
        return version;
    version = (struct rch_python_version){0};
    if (!module || !version_of_path(module->path, &version))
        (void)version_of_path(search->image->exe, &version);
    return version;
}

// --- one place, one table -------------------------------------------------------------------------

static void refuse(struct search *search, enum refusal refusal,
                   const struct rch_python_version *version, const char *why)
{
    if (refusal <= search->refusal)
        return;
    search->refusal = refusal;
    search->refused = *version;
    snprintf(search->why, sizeof(search->why), "%s", why);
}

static void say_how(struct search *search, const struct rch_candidate *candidate,
                    struct rch_python *python, uint32_t num_moved, const char *moved)
{
    static const char *const words[] = {
        [RCH_BY_SYMBOL] = "symbol _PyRuntime of",
        [RCH_BY_SECTION] = "section .PyRuntime of",
        [RCH_BY_COOKIE] = "debug cookie in the data of",
        [RCH_BY_SHAPE] = "the shape of the data of",
    };
    const struct rch_module *module = module_at(search, candidate->runtime);
    const struct rch_map *map = rch_image_map_at(search->image, candidate->runtime);
    const char *path = module ? module->path : map ? map->path : "";
    size_t num_bytes = strlen(path),
           too_many = num_bytes > MAX_HOW_PATH ? num_bytes - MAX_HOW_PATH : 0;
    int num = snprintf(python->how, sizeof(python->how), "%s %s%s", words[candidate->kind],
                       too_many ? "..." : "", path + too_many);
    if (num_moved > 0 && num > 0 && (size_t)num < sizeof(python->how))
        snprintf(python->how + num, sizeof(python->how) - (size_t)num,
                 "; its debug offsets differ from the table: %s", moved);
}

static bool is_right_version(const struct rch_python *python, const struct rch_python_version *told)
{
    if (told->is_certain || python->minor == 0)
        return told->minor == (uint32_t)python->layout.py_minor;
    return python->major == (uint32_t)python->layout.py_major &&
           python->minor == (uint32_t)python->layout.py_minor;
}

static void keep(struct search *search, struct rch_python *python,
                 const struct rch_python_version *told)
{
    python->is_free_threaded = python->layout.is_free_threaded;
    if (told->is_certain) {
        python->major = told->major;
        python->minor = told->minor;
        python->micro = told->micro;
    } else if (python->minor == 0) {
        python->major = (uint32_t)python->layout.py_major;
        python->minor = (uint32_t)python->layout.py_minor;
    }
    search->is_found = true;
    *search->python = *python;
}

// With what the interpreter says of itself, then without.
static bool try_table(struct search *search, const struct rch_candidate *candidate,
                      const struct rch_layout *table, const struct rch_python_version *told)
{
    static const enum refusal refusals[] = {
        [RCH_FITS] = REFUSAL_FITS_NOT,
        [RCH_FITS_NOT] = REFUSAL_FITS_NOT,
        [RCH_FIT_NO_INTERPRETER] = REFUSAL_IDLE,
        [RCH_FIT_STARTING] = REFUSAL_STARTING,
        [RCH_FIT_TRACE_REFS] = REFUSAL_TRACE_REFS,
    };
    struct rch_layout layout = *table;
    struct rch_python python;
    char moved[80], why[MAX_WHY];
    uint32_t num_moved =
        rch_debug_offsets_apply(&search->target, candidate->runtime, &layout, moved, sizeof(moved));
    enum rch_fit fit =
        rch_fit_layout(search->image, candidate->runtime, &layout, &python, why, sizeof(why));
    if (fit != RCH_FITS && num_moved > 0) {
        num_moved = 0;
        fit = rch_fit_layout(search->image, candidate->runtime, table, &python, why, sizeof(why));
    }
    struct rch_python_version tried = {(uint32_t)table->py_major, (uint32_t)table->py_minor,
                                       told->micro, told->is_certain};
    if (fit == RCH_FITS && is_right_version(&python, told)) {
        say_how(search, candidate, &python, num_moved, moved);
        keep(search, &python, told);
        return true;
    }
    // A table that was only guessed proves nothing by not fitting.
    if (told->minor == (uint32_t)table->py_minor)
        refuse(search, refusals[fit], &tried, why);
    return false;
}

static void try_place(struct search *search, const struct rch_candidate *candidate)
{
    struct rch_python_version told = version_at(search, candidate->runtime);
    bool is_free_threaded = is_free_threaded_at(search, candidate->runtime);
    const struct rch_layout *table = is_free_threaded
                                         ? rch_layout_free_threaded(told.major, told.minor)
                                         : rch_layout_for(told.major, told.minor);
    if (table && try_table(search, candidate, table, &told))
        return;
    if (is_free_threaded) {
        if (!table)
            refuse(search, REFUSAL_FREE_THREADED, &told, "");
        return;
    }
    for (uint32_t minor = RCH_MAX_MINOR; minor-- > 0 && !told.is_certain;) {
        table = rch_layout_for(3, minor);
        if (table && minor != told.minor && try_table(search, candidate, table, &told))
            return;
    }
    if (!rch_layout_for(told.major, told.minor) && candidate->kind != RCH_BY_SHAPE)
        refuse(search, REFUSAL_UNKNOWN, &told, "");
}

static void try_new_places(struct search *search)
{
    for (; !search->is_found && search->num_tried < search->candidates.num; search->num_tried++)
        try_place(search, &search->candidates.items[search->num_tried]);
}

// --- where to look --------------------------------------------------------------------------------

typedef uint64_t place_in_module(const struct rch_image *image, const struct rch_module *module,
                                 const char *name, uint64_t *bytes_out);

// The program itself, and what is called so. Of the other libraries there may be hundreds.
static bool is_likely(const struct search *search, const struct rch_module *module)
{
    const char *name = base_name(module->path);
    return strncmp(name, "libpython", 9) == 0 || strncmp(name, "python", 6) == 0 ||
           strcmp(module->path, search->image->exe) == 0;
}

static void add_places(struct search *search, bool are_likely, enum rch_candidate_kind kind,
                       place_in_module *place, const char *name)
{
    struct rch_candidates *candidates = &search->candidates;
    for (size_t i = 0; i < search->modules->num && candidates->num < RCH_MAX_CANDIDATES; i++) {
        const struct rch_module *module = &search->modules->items[i];
        if (is_likely(search, module) != are_likely)
            continue;
        uint64_t addr = place(search->image, module, name, NULL);
        bool is_known = addr == 0 || addr % 8 != 0;
        for (uint32_t j = 0; j < candidates->num && !is_known; j++)
            is_known = candidates->items[j].runtime == addr;
        if (!is_known)
            candidates->items[candidates->num++] = (struct rch_candidate){kind, addr};
    }
}

// A place with an interpreter that we cannot read ends the search: what is found by looking harder
// would be the same one, misread.
static bool is_settled(struct search *search)
{
    try_new_places(search);
    return search->is_found || search->refusal > REFUSAL_STARTING;
}

static void look(struct search *search)
{
    for (int are_likely = 1; are_likely >= 0; are_likely--) {
        add_places(search, are_likely, RCH_BY_SYMBOL, rch_module_dynamic_symbol, "_PyRuntime");
        if (is_settled(search))
            return;
    }
    for (int are_likely = 1; are_likely >= 0; are_likely--) {
        add_places(search, are_likely, RCH_BY_SYMBOL, rch_module_symbol, "_PyRuntime");
        add_places(search, are_likely, RCH_BY_SECTION, rch_module_section, ".PyRuntime");
        if (is_settled(search))
            return;
    }
    rch_find_by_cookie(search->image, &search->candidates);
    if (is_settled(search))
        return;
    rch_find_by_shape(search->image, &search->candidates);
    try_new_places(search);
}

// --- what to say when there is none ---------------------------------------------------------------

struct who {
    char text[120];
};

static struct who who_is(const struct rch_image *image)
{
    struct who who;
    size_t num_bytes = strlen(image->exe);
    size_t too_many = num_bytes > MAX_WHO_PATH ? num_bytes - MAX_WHO_PATH : 0;
    snprintf(who.text, sizeof(who.text), "process %" PRIu32 "%s%s%s%s", image->pid,
             num_bytes ? " (" : "", too_many ? "..." : "", image->exe + too_many,
             num_bytes ? ")" : "");
    return who;
}

static void known_versions(uint32_t *first, uint32_t *last)
{
    *first = *last = 0;
    for (uint32_t minor = 0; minor < RCH_MAX_MINOR; minor++) {
        if (!rch_layout_for(3, minor))
            continue;
        *last = minor;
        if (*first == 0)
            *first = minor;
    }
}

static enum rch_status refuse_version(const char *who, const struct rch_python_version *version,
                                      struct rch_error *err)
{
    char name[48] = "a CPython that does not tell its version";
    uint32_t first, last;
    known_versions(&first, &last);
    if (version->major != 0)
        snprintf(name, sizeof(name), "CPython %" PRIu32 ".%" PRIu32, version->major,
                 version->minor);
    return rch_fail(err, RCH_EUNSUPPORTED,
                    "%s: %s is not known to this version of refchain (3.%" PRIu32 " to 3.%" PRIu32
                    " are)",
                    who, name, first, last);
}

// Is there anything of a Python that has no _PyRuntime: PyPy, CPython up to 3.6?
static enum rch_status refuse_other(struct search *search, const char *who, struct rch_error *err)
{
    for (size_t i = 0; i < search->modules->num; i++) {
        const struct rch_module *module = &search->modules->items[i];
        struct rch_python_version version = {0};
        if (strncmp(base_name(module->path), "libpypy", 7) == 0 ||
            rch_module_dynamic_symbol(search->image, module, "pypy_main_startup", NULL))
            return rch_fail(err, RCH_EUNSUPPORTED, "%s: PyPy (%s); only CPython is supported", who,
                            base_name(module->path));
        bool is_python = rch_module_dynamic_symbol(search->image, module, "Py_Initialize", NULL) ||
                         rch_module_dynamic_symbol(search->image, module, "PyEval_EvalCode", NULL);
        if (!is_python)
            continue;
        if (!version_of_path(module->path, &version))
            (void)version_of_path(search->image->exe, &version);
        return refuse_version(who, &version, err);
    }
    return RCH_OK;
}

static enum rch_status refuse_32_bit(struct search *search, const char *who, struct rch_error *err)
{
    for (size_t i = 0; i < search->modules->num; i++) {
        if (search->modules->items[i].is_32_bit &&
            strcmp(search->modules->items[i].path, search->image->exe) == 0)
            return rch_fail(err, RCH_EUNSUPPORTED,
                            "%s: a 32-bit program; only 64-bit ones are supported", who);
    }
    return RCH_OK;
}

static enum rch_status say_why_not(struct search *search, struct rch_error *err)
{
    const struct who who = who_is(search->image);
    const struct rch_python_version *version = &search->refused;
    switch (search->refusal) {
    case REFUSAL_FREE_THREADED:
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "%s: CPython %" PRIu32 ".%" PRIu32 " without the GIL; of the free-threaded "
                        "builds only 3.13 can be read",
                        who.text, version->major, version->minor);
    case REFUSAL_TRACE_REFS:
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "%s: CPython %" PRIu32 ".%" PRIu32
                        " built with Py_TRACE_REFS, which is not "
                        "supported",
                        who.text, version->major, version->minor);
    case REFUSAL_UNKNOWN: return refuse_version(who.text, version, err);
    case REFUSAL_FITS_NOT:
        return rch_fail(err, RCH_EUNSUPPORTED,
                        "%s: CPython %" PRIu32 ".%" PRIu32 " that is not laid out as known: %s",
                        who.text, version->major, version->minor, search->why);
    case REFUSAL_STARTING:
        return rch_fail(err, RCH_ENOTFOUND, "%s: Python has no modules yet, or no more", who.text);
    case REFUSAL_IDLE:
        return rch_fail(err, RCH_ENOTFOUND, "%s: Python is loaded, but no interpreter is running",
                        who.text);
    case REFUSAL_NONE: break;
    }
    RCH_TRY(refuse_other(search, who.text, err));
    RCH_TRY(refuse_32_bit(search, who.text, err));
    return rch_fail(err, RCH_ENOTFOUND, "no Python in %s", who.text);
}

// --- the whole ------------------------------------------------------------------------------------

// The symbol, when there is one, is surer than the names of builtins.
static void find_none(struct search *search)
{
    struct rch_python *python = search->python;
    const struct rch_module *module = module_at(search, python->type_type);
    struct rch_peek peek = {&search->target, &python->layout};
    uint64_t none =
        module ? rch_module_dynamic_symbol(search->image, module, "_Py_NoneStruct", NULL) : 0;
    uint64_t type = rch_peek_word(&peek, none, python->layout.object_type);
    if (rch_peek_is_type_named(&peek, type, "NoneType"))
        python->none = none;
}

enum rch_status rch_python_find(const struct rch_image *image, const struct rch_alloc *alloc,
                                struct rch_python *python_out, struct rch_error *err)
{
    struct rch_modules modules;
    struct search search = {
        .image = image,
        .target = image->target,
        .modules = &modules,
        .python = python_out,
    };
    *python_out = (struct rch_python){0};
    RCH_TRY(rch_modules_init(&modules, image, alloc, err));
    look(&search);
    enum rch_status st = RCH_OK;
    if (search.is_found)
        find_none(&search);
    else
        st = say_why_not(&search, err);
    rch_modules_deinit(&modules);
    return st;
}
