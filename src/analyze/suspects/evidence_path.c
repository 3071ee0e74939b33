// SPDX-License-Identifier: MIT
// analyze/suspects/evidence_path.c -- evidence on the paths of the holders: what kind of thing they go through.
#include <inttypes.h>
#include <string.h>

#include "analyze/suspects/evidence.h"
#include "analyze/common/fingerprint.h"

static const struct rch__verdict nothing = {0, NULL};

/// Does a type's full name have this last part, or all of it?
static bool is_named(const char *type, const char *name)
{
    size_t num = strlen(type), num_name = strlen(name);
    if (num < num_name || strcmp(type + num - num_name, name) != 0)
        return false;
    return num == num_name || type[num - num_name - 1] == '.';
}

/// The hop that leads on from an object of a type of this name, of one that a holder of weight goes
/// through; NULL: none.
static const struct rch_hop *hop_from(struct rch__case *c, const char *type)
{
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        if (holder->holds < answer->objects / 4)
            continue;
        for (uint32_t k = 1; k < holder->num_hops; k++)
            if (is_named(holder->hops[k - 1].type, type))
                return &holder->hops[k];
    }
    return NULL;
}

static const struct rch_holder *holder_of_root(struct rch__case *c, enum rch_root_kind kind,
                                               const char *name)
{
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        if (holder->root_kind == kind && (!name || strstr(holder->root_name, name)))
            return holder;
    }
    return NULL;
}

/// A holder whose path begins with this name below this root.
static bool hop_named(const struct rch__case *c, enum rch_root_kind kind, const char *root,
                      const char *name)
{
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        if (holder->root_kind == kind && strcmp(holder->root_name, root) == 0 && holder->num_hops &&
            holder->hops[0].name && strcmp(holder->hops[0].name, name) == 0)
            return true;
    }
    return false;
}

/// What keeps the object that it will be called on.
static bool is_bound_name(const char *type)
{
    return is_named(type, "method") || is_named(type, "method-wrapper") ||
           is_named(type, "builtin_function_or_method") || is_named(type, "partial");
}

/// What C code is given to call; containers and strings of its own are its business.
static bool is_callable_name(const char *type)
{
    return is_named(type, "function") || is_bound_name(type);
}

// --- the place: whose container it is ---

static struct rch__verdict judge_stdlib_place(struct rch__case *c, const struct rch_holder *holder)
{
    enum { FOREIGN = 25, AT_HOME = -80 };
    if (rch__origin_of(c->s, c->lead->type) == RCH__PROGRAM)
        return RCH__VERDICT(c, FOREIGN,
                            "they hang in %s, a module of the standard library, which does not own "
                            "them",
                            holder->root_name);
    const char *reason =
        rch__benign_reason(holder->root_name, holder->num_hops ? holder->hops[0].name : NULL);
    if (reason)
        return RCH__VERDICT(c, AT_HOME, "known and benign: %s: %s", holder->root_name, reason);
    return RCH__VERDICT(c, AT_HOME, "a table of the standard library itself, in %s",
                        holder->root_name);
}

struct rch__verdict rch__judge_place(struct rch__case *c)
{
    enum { STATIC_TYPE = -80, IN_PROGRAM = 20, OF_C = -40 };
    const struct rch_answer *answer = c->lead->answer;
    bool is_own = rch__origin_of(c->s, c->lead->type) == RCH__PROGRAM;
    bool is_in_program = answer->num_holders != 0;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        if (holder->holds < answer->objects / 2)
            continue;
        enum rch__origin origin = holder->root_kind == RCH_ROOT_MODULE
                                      ? rch__origin_of_module(holder->root_name)
                                      : RCH__BUILTIN;
        if (origin == RCH__STDLIB && (!is_own || i == 0))
            return judge_stdlib_place(c, holder);
        if (holder->root_kind == RCH_ROOT_INTERPRETER && !is_own &&
            rch__benign_reason(holder->root_name, ""))
            return judge_stdlib_place(c, holder);
        if (holder->root_kind == RCH_ROOT_C_HELD && !is_own && !is_callable_name(holder->root_name))
            return (struct rch__verdict){OF_C, "a table that C code keeps for itself"};
        if (holder->root_kind == RCH_ROOT_STATIC_TYPE && !is_own)
            return (struct rch__verdict){STATIC_TYPE, "a part of the interpreter's own types"};
        is_in_program = is_in_program && origin == RCH__PROGRAM;
    }
    // For types of the program's own that is in the score of the size.
    return (struct rch__verdict){is_in_program && !is_own ? IN_PROGRAM : 0, NULL};
}

// --- things known to keep ---

struct rch__verdict rch__judge_cache(struct rch__case *c)
{
    enum { OWN = 35, UNBOUNDED = 25, BOUNDED = -25 };
    bool is_bounded =
        is_named(c->lead->told.type, "_lru_list_elem") || hop_from(c, "_lru_list_elem");
    if (!hop_from(c, "_lru_cache_wrapper"))
        return nothing;
    if (rch__origin_of(c->s, c->lead->type) == RCH__PROGRAM)
        return (struct rch__verdict){
            OWN, "a functools cache keeps the arguments of calls, self too, and their results"};
    if (is_bounded)
        return (struct rch__verdict){BOUNDED, "a functools cache that has a bound"};
    return (struct rch__verdict){UNBOUNDED,
                                 "a functools cache keeps the arguments of calls and their "
                                 "results"};
}

struct rch__verdict rch__judge_callbacks(struct rch__case *c)
{
    enum { AT_EXIT = 35, METHODS = 25, FUNCTIONS = 15 };
    if (holder_of_root(c, RCH_ROOT_INTERPRETER, "atexit") ||
        holder_of_root(c, RCH_ROOT_MODULE, "atexit"))
        return (struct rch__verdict){AT_EXIT,
                                     "callbacks registered with atexit keep them to the end"};
    if (holder_of_root(c, RCH_ROOT_INTERPRETER, "signal"))
        return (struct rch__verdict){METHODS, "a handler of a signal keeps them"};
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        for (uint32_t k = holder->cut; holder->cut_is_group && k < holder->num_hops; k++) {
            if (is_bound_name(holder->hops[k].type) && k + 1 < holder->num_hops)
                return RCH__VERDICT(c, METHODS,
                                    "bound methods in a registry keep their objects (%" PRIu32
                                    " callbacks)",
                                    holder->hops[k].num_objects);
            if (k < holder->cut + 2 && is_named(holder->hops[k].type, "function") &&
                holder->hops[k].num_objects > 1)
                return RCH__VERDICT(c, FUNCTIONS,
                                    "functions in a registry keep what they close over (%" PRIu32
                                    " callbacks)",
                                    holder->hops[k].num_objects);
        }
    }
    return nothing;
}

struct rch__verdict rch__judge_exception(struct rch__case *c)
{
    enum { EXCEPTION = 35, FRAME = 25 };
    const struct rch_hop *hop = hop_from(c, "frame");
    if (!hop_from(c, "traceback"))
        return hop ? (struct rch__verdict){FRAME, "stored frames keep the variables of functions "
                                                  "that have ended"}
                   : nothing;
    if (hop && hop->name)
        return RCH__VERDICT(
            c, EXCEPTION,
            "stored exceptions keep their tracebacks, and those the variable %s of a "
            "function that has ended",
            hop->name);
    return (struct rch__verdict){EXCEPTION,
                                 "stored exceptions keep their tracebacks, and those the variables "
                                 "of functions that have ended"};
}

struct rch__verdict rch__judge_weak_mapping(struct rch__case *c)
{
    enum { WEAK = 35 };
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        for (uint32_t k = 1; k < holder->num_hops; k++) {
            // The mapping's own dictionary may stand between.
            const char *type = holder->hops[k - 1].type;
            const char *owner = k > 1 ? holder->hops[k - 2].type : "";
            bool is_values =
                is_named(type, "WeakValueDictionary") || is_named(owner, "WeakValueDictionary");
            bool is_keys =
                is_named(type, "WeakKeyDictionary") || is_named(owner, "WeakKeyDictionary");
            if (is_values && holder->hops[k].kind == RCH_EDGE_KEY)
                return (struct rch__verdict){
                    WEAK, "keys of a WeakValueDictionary keep them: only its values are weak"};
            if (is_keys && holder->hops[k].kind == RCH_EDGE_VALUE)
                return (struct rch__verdict){
                    WEAK, "values of a WeakKeyDictionary keep them: only its keys are weak"};
        }
    }
    return nothing;
}

struct rch__verdict rch__judge_c_held(struct rch__case *c)
{
    enum { FROM_C = 35 };
    const struct rch_answer *answer = c->lead->answer;
    const struct rch_holder *holder = holder_of_root(c, RCH_ROOT_C_HELD, NULL);
    if (!holder || answer->c_held < answer->objects / 2 ||
        (rch__origin_of(c->s, c->lead->type) != RCH__PROGRAM &&
         !is_callable_name(holder->root_name)))
        return nothing;
    return RCH__VERDICT(c, FROM_C,
                        "C code holds %" PRIu64 " of them through references that no object has, "
                        "to objects of type %s",
                        answer->c_held, holder->root_name);
}

struct rch__verdict rch__judge_context(struct rch__case *c)
{
    enum { CONTEXT = 25 };
    if (!hop_from(c, "Context"))
        return nothing;
    return (struct rch__verdict){CONTEXT, "stored contextvars contexts keep what was set in them"};
}

struct rch__verdict rch__judge_thread_local(struct rch__case *c)
{
    enum { THREAD_LOCAL = 25 };
    if (!hop_from(c, "_local") && !hop_from(c, "local"))
        return nothing;
    return (struct rch__verdict){THREAD_LOCAL,
                                 "a threading.local keeps them as long as its thread runs"};
}

struct rch__verdict rch__judge_suspended(struct rch__case *c)
{
    enum { SUSPENDED = 25 };
    if (hop_from(c, "Task"))
        return (struct rch__verdict){SUSPENDED,
                                     "asyncio tasks that do not end keep their variables"};
    if (hop_from(c, "coroutine") || hop_from(c, "generator") || hop_from(c, "async_generator"))
        return (struct rch__verdict){SUSPENDED,
                                     "suspended generators or coroutines keep their variables"};
    if (hop_named(c, RCH_ROOT_MODULE, "threading", "_active") ||
        holder_of_root(c, RCH_ROOT_THREAD, NULL))
        return (struct rch__verdict){SUSPENDED, "threads that still run keep them"};
    if (hop_from(c, "Thread"))
        return (struct rch__verdict){SUSPENDED, "thread objects keep them"};
    return nothing;
}

/// Entry `k` of the container of a class leads to instances of the class, or to methods, rather than to a
/// table made with the class.
static bool collects_itself(const struct rch__case *c, const struct rch_holder *holder, uint32_t k)
{
    const struct rch_graph *g = c->s->g;
    rch_node class = holder->hops[k - 2].example;
    for (; k < holder->num_hops; k++) {
        rch_node v = holder->hops[k].example;
        if (is_callable_name(holder->hops[k].type) ||
            (v < g->num_objects && rch_type_of(g, v)->node == class))
            return true;
    }
    return false;
}

struct rch__verdict rch__judge_class_container(struct rch__case *c)
{
    enum { OF_ITSELF = 25, OF_CLASS = 10 };
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        for (uint32_t k = 2; k <= holder->cut && k < holder->num_hops; k++) {
            const char *owner = holder->hops[k - 2].type;
            if (holder->hops[k - 1].kind == RCH_EDGE_ATTRIBUTE &&
                rch_hop_repeats(&holder->hops[k]) && holder->hops[k - 2].num_objects == 1 &&
                (strcmp(owner, "type") == 0 || is_named(owner, "ABCMeta")) &&
                !is_named(holder->hops[k - 1].type, "_lru_cache_wrapper"))
                return RCH__VERDICT(c, collects_itself(c, holder, k) ? OF_ITSELF : OF_CLASS,
                                    "a container that is an attribute of a class, .%s, lives as "
                                    "long as the class",
                                    holder->hops[k - 1].name ? holder->hops[k - 1].name : "?");
        }
    }
    return nothing;
}

struct rch__verdict rch__judge_default_argument(struct rch__case *c)
{
    enum { DEFAULT = 25 };
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++) {
        const struct rch_holder *holder = &answer->holders[i];
        for (uint32_t k = 0; holder->cut_is_group && k < holder->cut; k++)
            if (holder->hops[k].name && (strcmp(holder->hops[k].name, "__defaults__") == 0 ||
                                         strcmp(holder->hops[k].name, "__kwdefaults__") == 0))
                return (struct rch__verdict){
                    DEFAULT, "the default value of an argument is made once, and collects them"};
    }
    return nothing;
}

struct rch__verdict rch__judge_logging(struct rch__case *c)
{
    enum { LOGGING = 25 };
    const struct rch_hop *hop = hop_from(c, "Logger");
    hop = hop ? hop : hop_from(c, "RootLogger");
    if (!hop || !hop->name ||
        (strcmp(hop->name, "handlers") != 0 && strcmp(hop->name, "filters") != 0))
        return nothing;
    return RCH__VERDICT(c, LOGGING, "a logger keeps its %s until they are removed", hop->name);
}

struct rch__verdict rch__judge_closure(struct rch__case *c)
{
    enum { CLOSURE = 10 };
    const struct rch_answer *answer = c->lead->answer;
    for (uint32_t i = 0; i < answer->num_holders; i++)
        for (uint32_t k = 0; k < answer->holders[i].num_hops; k++)
            if (answer->holders[i].hops[k].kind == RCH_EDGE_CLOSURE)
                return (struct rch__verdict){CLOSURE, "functions that close over them keep them"};
    return nothing;
}
