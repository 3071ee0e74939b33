// SPDX-License-Identifier: MIT
// pylayout/fit.c -- try a version's table on a runtime state in an image. It starts from the head of
// the interpreters and believes nothing: the dict of sys must lead to `dict` and that to `type`, and
// the GC lists must be lists of objects.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "pylayout/find_impl.h"
#include "pylayout/peek.h"
#include "pylayout/validate.h"

#define MAX_BAD_NODES 200u
#define MAX_GC_NODES 20000u     // looked at, in all lists together
#define MAX_VOTERS 200000u      // entries of modules
#define MAX_ELECTED 64u
#define TRACE_REFS_BYTES 16     // before each object's count, up to 3.12
#define FLAG_HEAPTYPE (1u << 9)
#define FLAG_HAVE_GC (1u << 14)

struct fit {
    const struct rch_image *image;
    struct rch_target target;
    struct rch_peek peek;
    struct rch_python *python;
    uint64_t main;  // the interpreter that was first
    uint64_t sysdict;
    char *why_not;
    size_t why_bytes;
};

static enum rch_fit reject(struct fit *fit, const char *fmt, ...) RCH_PRINTF(2, 3);
static enum rch_fit reject(struct fit *fit, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(fit->why_not, fit->why_bytes, fmt, args);
    va_end(args);
    return RCH_FITS_NOT;
}

// The interpreters form a chain, newest first, that ends with the main one.
static enum rch_fit find_interps(struct fit *fit)
{
    const struct rch_layout *layout = fit->peek.layout;
    uint64_t head =
        rch_peek_word(&fit->peek, fit->python->runtime, layout->runtime_interpreters_head);
    uint64_t main =
        rch_peek_word(&fit->peek, fit->python->runtime, layout->runtime_main_interpreter);
    uint64_t last = head, next = head;
    if (head == 0)
        return RCH_FIT_NO_INTERPRETER;
    for (uint32_t i = 0; i < RCH_MAX_INTERPS && next != 0; i++) {
        last = next;
        next = rch_peek_word(&fit->peek, last, layout->interp_next);
    }
    if (next != 0 || last != main || last % 8 != 0)
        return reject(fit, "the chain of interpreters does not end with the main one");
    fit->python->first_interp = head;
    fit->main = main;
    return RCH_FITS;
}

static bool leads_to_type(struct fit *fit, uint64_t dict, int32_t shift)
{
    struct rch_layout shifted = *fit->peek.layout;
    struct rch_peek peek = {&fit->target, &shifted};
    shifted.object_type += shift;
    shifted.type_name += shift;
    uint64_t dict_type = rch_peek_word(&peek, dict, shifted.object_type);
    uint64_t type_type = rch_peek_word(&peek, dict_type, shifted.object_type);
    if (!rch_peek_is_type_named(&peek, dict_type, "dict") ||
        rch_peek_word(&peek, type_type, shifted.object_type) != type_type)
        return false;
    fit->python->dict_type = dict_type;
    fit->python->type_type = type_type;
    return true;
}

static enum rch_fit find_types(struct fit *fit)
{
    const struct rch_layout *layout = fit->peek.layout;
    fit->sysdict = rch_peek_word(&fit->peek, fit->main, layout->interp_sysdict);
    if (fit->sysdict == 0)
        return RCH_FIT_STARTING;
    if (leads_to_type(fit, fit->sysdict, 0))
        return RCH_FITS;
    if (leads_to_type(fit, fit->sysdict, TRACE_REFS_BYTES))
        return RCH_FIT_TRACE_REFS;
    return reject(fit, "the dict of sys is not a dict %" PRId32 " bytes into the interpreter state",
                  layout->interp_sysdict);
}

// Along the GC lists of the main interpreter, one after the other.
struct gc_walk {
    int32_t list;
    uint64_t head, node;  // 0: at a new list
    uint32_t num_left;
    uint32_t num_broken;  // lists that end in nothing
};

static bool next_gc_object(struct fit *fit, struct gc_walk *walk, uint64_t *obj)
{
    const struct rch_layout *layout = fit->peek.layout;
    uint64_t gc = fit->main + (uint64_t)layout->interp_gc;
    if (layout->gc_generation0 == RCH_ABSENT)
        return false;
    for (; walk->list <= layout->gc_num_generations && walk->num_left > 0; walk->list++) {
        if (walk->node == 0) {
            walk->head = gc + (uint64_t)layout->gc_permanent;
            if (walk->list < layout->gc_num_generations)
                walk->head = gc + (uint64_t)(layout->gc_generation0 +
                                             walk->list * layout->gc_generation_size);
            walk->node = walk->head;
        }
        walk->node = rch_peek_word(&fit->peek, walk->node, 0) & ~UINT64_C(3);
        if (walk->node != 0 && walk->node != walk->head) {
            walk->num_left--;
            *obj = walk->node + (uint64_t)layout->gc_head_size;
            return true;
        }
        walk->num_broken += walk->node == 0;
        walk->node = 0;
    }
    return false;
}

// Is it objects that hang on the GC lists?
static bool are_objects(struct fit *fit)
{
    const struct rch_layout *layout = fit->peek.layout;
    uint64_t gc = fit->main + (uint64_t)layout->interp_gc, obj;
    struct gc_walk walk = {.num_left = MAX_GC_NODES};
    uint32_t num_good = 0, num_bad = 0;
    if (layout->gc_generation0 == RCH_ABSENT ||
        rch_load32(&fit->target, gc + (uint64_t)layout->gc_collecting) != 0)
        return true;  // there are no lists, or they are being worked on
    while (num_bad < MAX_BAD_NODES && next_gc_object(fit, &walk, &obj)) {
        bool is_good = rch_peek_is_object(&fit->peek, obj, fit->python->type_type);
        num_good += is_good;
        num_bad += !is_good;
    }
    return num_good > 0 && num_bad + walk.num_broken <= num_good / 100;
}

// What sys.hexversion says; 0.0.0 if nothing.
static void find_version(struct fit *fit)
{
    uint64_t number = rch_peek_dict_get(&fit->peek, fit->sysdict, "hexversion");
    struct rch_python_version version;
    if (!rch_version_of_hex(rch_peek_small_int(&fit->peek, number), &version))
        return;
    fit->python->major = version.major;
    fit->python->minor = version.minor;
    fit->python->micro = version.micro;
}

static void find_none(struct fit *fit)
{
    uint64_t builtins = rch_peek_word(&fit->peek, fit->main, fit->peek.layout->interp_builtins);
    uint64_t none = rch_peek_dict_get(&fit->peek, builtins, "None");
    uint64_t type = rch_peek_word(&fit->peek, none, fit->peek.layout->object_type);
    if (rch_peek_is_type_named(&fit->peek, type, "NoneType"))
        fit->python->none = none;
}

// --- subtype_traverse: the tp_traverse that most classes have -------------------------------------

struct election {
    const struct rch_map *code;  // where the interpreter's functions are
    uint64_t elected[MAX_ELECTED];
    uint32_t votes[MAX_ELECTED];
    uint32_t num, voters_left;
};

static void vote(struct fit *fit, struct election *election, uint64_t type)
{
    const struct rch_layout *layout = fit->peek.layout;
    uint64_t flags = rch_peek_word(&fit->peek, type, layout->type_flags);
    uint64_t traverse = rch_peek_word(&fit->peek, type, layout->type_traverse);
    uint64_t wanted = FLAG_HEAPTYPE | FLAG_HAVE_GC;
    if ((flags & wanted) != wanted || rch_image_map_at(fit->image, traverse) != election->code)
        return;
    uint32_t i = 0;
    while (i < election->num && election->elected[i] != traverse)
        i++;
    if (i == MAX_ELECTED)
        return;
    election->elected[i] = traverse;
    election->votes[i]++;
    if (i == election->num)
        election->num++;
}

// What the names of this module stand for.
static void let_module_vote(struct fit *fit, struct election *election, uint64_t module)
{
    struct rch_peek_dict entries;
    uint64_t key, value;
    uint64_t type = rch_peek_word(&fit->peek, module, fit->peek.layout->object_type);
    if (!rch_peek_is_type_named(&fit->peek, type, "module"))
        return;
    rch_peek_dict_init(&entries, &fit->peek,
                       rch_peek_word(&fit->peek, module, fit->peek.layout->module_dict));
    while (election->voters_left > 0 && rch_peek_dict_next(&entries, &key, &value)) {
        election->voters_left--;
        if (rch_peek_is_class(&fit->peek, value, fit->python->type_type))
            vote(fit, election, value);
    }
}

static uint64_t winner(const struct election *election)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < election->num; i++) {
        if (election->votes[i] > election->votes[best])
            best = i;
    }
    return election->num ? election->elected[best] : 0;
}

static void let_modules_vote(struct fit *fit, struct election *election)
{
    struct rch_peek_dict modules;
    uint64_t key, module;
    rch_peek_dict_init(&modules, &fit->peek,
                       rch_peek_word(&fit->peek, fit->main, fit->peek.layout->interp_modules));
    while (election->voters_left > 0 && rch_peek_dict_next(&modules, &key, &module))
        let_module_vote(fit, election, module);
}

static void let_objects_vote(struct fit *fit, struct election *election)
{
    struct gc_walk walk = {.num_left = MAX_VOTERS};
    uint64_t obj;
    while (next_gc_object(fit, &walk, &obj)) {
        if (rch_peek_is_class(&fit->peek, obj, fit->python->type_type))
            vote(fit, election, obj);
    }
}

// importlib's classes are all written in Python and always there, but for an interpreter at its end.
// Then all modules are asked, and if they are empty already, all classes there still are.
static void find_subtype_traverse(struct fit *fit)
{
    const struct rch_layout *layout = fit->peek.layout;
    uint64_t own = rch_peek_word(&fit->peek, fit->python->type_type, layout->type_traverse);
    struct election election = {.code = rch_image_map_at(fit->image, own),
                                .voters_left = MAX_VOTERS};
    if (!election.code)
        return;
    let_module_vote(fit, &election, rch_peek_word(&fit->peek, fit->main, layout->interp_importlib));
    if (election.num == 0)
        let_modules_vote(fit, &election);
    if (election.num == 0)
        let_objects_vote(fit, &election);
    fit->python->subtype_traverse = winner(&election);
}

static enum rch_fit check(struct fit *fit, struct rch_layout *layout)
{
    struct rch_python *python = fit->python;
    enum rch_fit found = find_interps(fit);
    if (found != RCH_FITS || (found = find_types(fit)) != RCH_FITS)
        return found;
    struct rch_layout_probe probe = {
        .type_type = python->type_type, .dict_type = python->dict_type, .interp = fit->main};
    if (rch_layout_validate(layout, &fit->target, &probe, fit->why_not, fit->why_bytes) != RCH_OK)
        return RCH_FITS_NOT;
    if (!are_objects(fit))
        return reject(fit, "what is on the GC lists are not objects");
    find_version(fit);
    (void)rch_layout_refit(layout, &fit->target, &probe);
    find_none(fit);
    find_subtype_traverse(fit);
    if (layout->gc_generation0 == RCH_ABSENT && python->subtype_traverse == 0)
        return RCH_FIT_STARTING;  // no modules, and no lists: no class is known
    python->is_debug_build = rch_peek_dict_get(&fit->peek, fit->sysdict, "gettotalrefcount") != 0;
    return RCH_FITS;
}

enum rch_fit rch_fit_layout(const struct rch_image *image, uint64_t runtime,
                            const struct rch_layout *layout, struct rch_python *python,
                            char *why_not, size_t why_bytes)
{
    struct fit fit = {
        .image = image,
        .target = image->target,
        .python = python,
        .why_not = why_not,
        .why_bytes = why_bytes,
    };
    *python = (struct rch_python){.layout = *layout, .runtime = runtime};
    fit.peek = (struct rch_peek){&fit.target, &python->layout};
    why_not[0] = '\0';
    return check(&fit, &python->layout);
}
