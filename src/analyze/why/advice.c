// SPDX-License-Identifier: MIT
// analyze/why/advice.c -- what usually helps, from a table: the first row whose pattern fits the path.
#include <string.h>

#include "analyze/common/fingerprint.h"
#include "analyze/why/solve.h"

enum { ANY_KIND = -1 };

struct pattern {
    int root_kind;          // enum rch_root_kind
    const char *root_name;  // part of it; NULL: any
    const char *container;  // part of the type that the hop goes out of, or of what owns
                            // that as an attribute (WeakValueDictionary.data); NULL: any
    int kind;               // enum rch_edge_kind of the hop
    const char *name;       // of the hop; NULL: any
    bool at_cut;            // the hop is the one to cut; else any hop
    const char *text;
};

// Special containers first, general shapes last.
static const struct pattern patterns[] = {
    {RCH_ROOT_GARBAGE, NULL, NULL, ANY_KIND, NULL, false,
     "Nothing reaches this but itself: gc.collect() frees it; if it comes back, break the "
     "reference "
     "cycle (or look for a disabled collector)."},
    {RCH_ROOT_C_HELD, NULL, NULL, ANY_KIND, NULL, false,
     "Held from C: more references are counted than objects refer to it; close or delete the "
     "object "
     "of the extension that was given this one (a callback, a connection, a handle)."},
    {ANY_KIND, "atexit", NULL, ANY_KIND, NULL, false,
     "A callback registered with atexit lives as long as the process: atexit.unregister() it, or "
     "register a function that holds only a weak reference."},
    {ANY_KIND, NULL, "WeakValueDictionary", RCH_EDGE_KEY, NULL, false,
     "Only the values of a WeakValueDictionary are weak: here the key keeps it alive. Use a key "
     "that does not refer to the object (an id, a name)."},
    {ANY_KIND, NULL, "WeakKeyDictionary", RCH_EDGE_VALUE, NULL, false,
     "Only the keys of a WeakKeyDictionary are weak: here a value keeps it alive, perhaps its own "
     "key. Let the value refer to the key weakly."},
    {ANY_KIND, "multiprocessing.util", NULL, RCH_EDGE_KEY, NULL, false,
     "register_after_fork() keeps the callback in the key of its registry: a bound method keeps "
     "its "
     "object alive for ever. Register a plain function or a static method."},
    {ANY_KIND, NULL, "_lru_cache_wrapper", ANY_KIND, NULL, false,
     "functools.lru_cache keeps the arguments (self too) and results of calls: cache_clear() it, "
     "bound it, or cache on the instance instead."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_TRACEBACK, NULL, false,
     "A stored exception keeps its traceback, and that the locals of every frame: store "
     "exc.with_traceback(None), or only what is needed of it."},
    {ANY_KIND, NULL, "traceback", ANY_KIND, NULL, false,
     "A traceback keeps the locals of every frame: clear it with traceback.clear_frames(), or do "
     "not store the exception."},
    {ANY_KIND, NULL, NULL, ANY_KIND, "__traceback__", false,
     "A stored exception keeps its traceback, and that the locals of every frame: store "
     "exc.with_traceback(None), or only what is needed of it."},
    {ANY_KIND, NULL, "TimerHandle", ANY_KIND, "_context", false,
     "A cancelled timer stays in the loop's heap with its context until it is due: keep contexts "
     "small, or schedule timers outside the request's context."},
    {ANY_KIND, NULL, "Context", ANY_KIND, NULL, false,
     "A contextvars.Context keeps the value of every variable set in it: reset() the variable with "
     "its token, or set it to None when the work is done."},
    {ANY_KIND, NULL, "_local", ANY_KIND, NULL, false,
     "threading.local keeps its attributes as long as the thread runs: delete them when the work "
     "is "
     "done; threads of a pool never end."},
    {ANY_KIND, NULL, "Task", ANY_KIND, NULL, false,
     "An asyncio task keeps its coroutine's locals until it is done: await or cancel it, and drop "
     "finished tasks from collections."},
    {ANY_KIND, NULL, "weakref.finalize", ANY_KIND, NULL, false,
     "weakref.finalize keeps its function and arguments until its object dies: none of them may "
     "refer to that object."},
    {ANY_KIND, NULL, "logging", RCH_EDGE_ITEM, NULL, true,
     "A logging handler or filter stays until it is removed: removeHandler() and close() it."},
    {RCH_ROOT_COROUTINE, NULL, NULL, ANY_KIND, NULL, false,
     "A suspended coroutine keeps its locals: let it finish, or close() it."},
    {RCH_ROOT_FRAME, NULL, NULL, RCH_EDGE_LOCAL, NULL, true,
     "A running function's local holds this: it goes when the function returns, or del the name."},
    {RCH_ROOT_THREAD, NULL, NULL, ANY_KIND, NULL, false,
     "A running thread holds this: it goes when the thread ends."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_CLOSURE, NULL, true,
     "A closure keeps every variable it uses: drop the function, or let it use a weak reference."},
    {ANY_KIND, NULL, "OrderedDict", ANY_KIND, NULL, true,
     "This cache drops the oldest only when it is full: bound it lower, key it by something that "
     "does not refer to the object, or clear it."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_KEY, NULL, true,
     "A key of a mapping keeps it alive: key by something that does not refer to the object (an "
     "id, "
     "a name), or delete the entry when done."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_VALUE, NULL, true,
     "This mapping keeps every value put in: delete the entry when done, bound it, or use "
     "weakref.WeakValueDictionary if the values have another owner."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_ITEM, NULL, true,
     "This sequence keeps everything appended: remove the item when done, or keep weak "
     "references."},
    {ANY_KIND, NULL, NULL, RCH_EDGE_ELEMENT, NULL, true,
     "This collection keeps everything added: discard() the element when done, or use "
     "weakref.WeakSet if it has another owner."},
};

static const char class_list[] =
    "A class attribute is shared by all instances and lives as long as the class: make it in "
    "__init__, or remove the item when done.";

static bool contains(const char *text, const char *part)
{
    return !part || (text && strstr(text, part));
}

static bool fits(const struct pattern *p, const struct rch_hop *hops, uint32_t i)
{
    const char *container = i ? hops[i - 1].type : "";
    const char *owner = i > 1 && !rch_hop_repeats(&hops[i - 1]) ? hops[i - 2].type : "";
    return (p->kind == ANY_KIND || p->kind == (int)hops[i].kind) &&
           (contains(container, p->container) ||
            (rch_hop_repeats(&hops[i]) && contains(owner, p->container))) &&
           (!p->name || (hops[i].name && strcmp(hops[i].name, p->name) == 0));
}

// An entry of a container that is an attribute of a class.
static bool is_class_container(const struct rch_hop *hops, uint32_t cut)
{
    return cut >= 2 && hops[cut - 1].kind == RCH_EDGE_ATTRIBUTE &&
           (strcmp(hops[cut - 2].type, "type") == 0 || contains(hops[cut - 2].type, "ABCMeta")) &&
           (hops[cut].kind == RCH_EDGE_ITEM || hops[cut].kind == RCH_EDGE_VALUE ||
            hops[cut].kind == RCH_EDGE_ELEMENT);
}

const char *rch_advice(enum rch_root_kind root_kind, const char *root_name,
                       const struct rch_hop *hops, uint32_t num_hops, uint32_t cut)
{
    for (size_t r = 0; r < sizeof(patterns) / sizeof(patterns[0]); r++) {
        const struct pattern *p = &patterns[r];
        if ((p->root_kind != ANY_KIND && p->root_kind != (int)root_kind) ||
            !contains(root_name, p->root_name))
            continue;
        bool any_hop = p->kind == ANY_KIND && !p->container && !p->name;
        if (any_hop)
            return p->text;
        if (p->at_cut && cut < num_hops && fits(p, hops, cut))
            return !p->container && is_class_container(hops, cut) ? class_list : p->text;
        for (uint32_t i = 0; !p->at_cut && i < num_hops; i++) {
            if (fits(p, hops, i))
                return p->text;
        }
    }
    return NULL;
}
