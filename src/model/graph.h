// SPDX-License-Identifier: MIT
// model/graph.h -- the object graph: flat, immutable columns, forward references as compressed
// sparse rows. Knows nodes, references, names and sizes; nothing of CPython, files or printing.
//
//   node ids   [0, num_tracked)            objects the collector tracks, in address order
//              [num_tracked, num_objects)  all other objects, in address order
//              [num_objects, num_nodes)    roots: pseudo nodes that refer to what they hold
//
// Names cost nothing per reference. A node has a *shape* (its type and how its references are
// labelled); reference number i of a node has label i of its shape, and past those labels a tail
// pattern of 1..3 labels repeats: list = [item], dict = [key, value]. A missing field keeps its
// place as a hole (RCH_NO_NODE). The reference from an instance to its type is not stored: it
// follows from the shape.
#ifndef RCH_MODEL_GRAPH_H
#define RCH_MODEL_GRAPH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"

typedef uint32_t rch_node;
typedef uint32_t rch_str;  // index into the string table
typedef uint64_t rch_addr;
#define RCH_NO_NODE UINT32_MAX
#define RCH_NO_STR 0u  // string 0 is always ""
#define RCH_MAX_TAIL 3u  // labels that repeat

// Kinds of reference: enum name, the word in JSON. Append only: the numbers are in snapshots.
#define RCH_EDGE_KIND_LIST(X)    \
    X(REFERENCE, "reference")    \
    X(ATTRIBUTE, "attribute")    \
    X(ITEM, "item")              \
    X(KEY, "key")                \
    X(VALUE, "value")            \
    X(ELEMENT, "element")        \
    X(LOCAL, "local")            \
    X(CLOSURE, "closure")        \
    X(SLOT, "slot")              \
    X(FIELD, "field")            \
    X(DICT, "dict")              \
    X(STACK, "stack")            \
    X(TRACEBACK, "traceback")    \
    X(WEAK, "weak")              \
    X(OBJECT, "object")
// REFERENCE: found by traversal, without a name. DICT: an object's attribute dictionary; the keys
// of the dictionary it leads to are attribute names. OBJECT: a root to what it is a root of.
enum rch_edge_kind {
#define RCH_EDGE_KIND_ENUM(name, word) RCH_EDGE_##name,
    RCH_EDGE_KIND_LIST(RCH_EDGE_KIND_ENUM)
#undef RCH_EDGE_KIND_ENUM
    RCH_NUM_EDGE_KINDS
};

enum rch_edge_class {
    RCH_CLASS_STRONG,
    RCH_CLASS_WEAK,     // listed, never holding
    RCH_CLASS_GUESSED,  // strong, but found by guessing
};

enum rch_label_flags {
    RCH_LABEL_FIXED = 1,         // a programmer cannot cut it (tuple item, bound method's self)
    RCH_LABEL_FOLD_FORWARD = 2,  // not a hop of its own: merges with the hop after it (__dict__)
    RCH_LABEL_FOLD_BACK = 4,     // not a hop of its own: merges with the hop before it (cell)
    RCH_LABEL_GROUP = 8,         // an element of a container that can be cleared as a whole
};

struct rch_label {
    rch_str name;  // attribute, local, field ...; RCH_NO_STR if it has none
    uint8_t kind;  // enum rch_edge_kind
    uint8_t cls;   // enum rch_edge_class
    uint16_t flags;
};

struct rch_shape {
    uint32_t type;         // index into types
    uint32_t first_label;  // labels [first_label, +num_labels), then num_tail labels that repeat
    uint32_t num_labels;
    uint32_t num_tail;  // 0: no references past num_labels
};

struct rch_type {
    rch_str module;  // "" for builtins and for roots
    rch_str name;    // qualified name
    rch_node node;   // the type object, or RCH_NO_NODE
    uint32_t flags;  // enum rch_type_flags
};
enum rch_type_flags {
    RCH_TYPE_HEAP = 1,           // instances own a reference to it
    RCH_TYPE_IS_TYPE = 2,        // instances are types
    RCH_TYPE_IS_FUNCTION = 4,    // instances are Python functions
    RCH_TYPE_IS_MODULE = 8,      // instances are modules
    RCH_TYPE_SIZE_GUESSED = 16,  // shallow size is basic size + items: has its own __sizeof__
};

#define RCH_ROOT_KIND_LIST(X)        \
    X(MODULE, "module")              \
    X(FRAME, "frame")                \
    X(THREAD, "thread")              \
    X(COROUTINE, "coroutine")        \
    X(INTERPRETER, "interpreter")    \
    X(STATIC_TYPE, "static-type")    \
    X(C_HELD, "c-held")              \
    X(GARBAGE, "garbage")
enum rch_root_kind {
#define RCH_ROOT_KIND_ENUM(name, word) RCH_ROOT_##name,
    RCH_ROOT_KIND_LIST(RCH_ROOT_KIND_ENUM)
#undef RCH_ROOT_KIND_ENUM
    RCH_NUM_ROOT_KINDS
};
// GARBAGE roots refer to what no other root reaches (one a strongly connected source component);
// analyses follow them only where they say so. A C_HELD root stands for all objects of one type
// whose reference count is higher than the references found; its label flags say GROUP.

struct rch_root {
    rch_str name;    // module name, function's qualified name, "atexit callbacks", type name
    rch_str detail;  // "file.py:12, thread MainThread"; not part of any fingerprint
    uint8_t kind;    // enum rch_root_kind
    uint8_t flags;   // enum rch_root_flags
    uint16_t reserved;
    uint32_t extra;  // C_HELD: the most references one of its objects has too many
};
enum rch_root_flags { RCH_ROOT_CLEARABLE = 1 };  // what it holds can be cleared as a whole (atexit)

/// What the questioner holds, not the program (D2).
struct rch_observer {
    rch_node node;   // an object or a root
    uint32_t scope;  // enum rch_observer_scope
};
enum rch_observer_scope {
    RCH_OBSERVER_ALL,     // nothing it refers to counts as held by it
    RCH_OBSERVER_DIRECT,  // only members of the question it refers to directly, through one list,
                          // tuple, set, dict or cell with such members, or through temporaries
                          // (iterators, closures) that nobody else has (the caller's locals)
};

struct rch_text_of {  // contents of an identifier-like string object, sorted by node
    rch_node node;
    rch_str str;
};
struct rch_big_size {  // shallow size of an object of RCH_SIZE_BIG bytes or more, sorted by node
    rch_node node;
    uint32_t reserved;
    uint64_t bytes;
};
#define RCH_SIZE_BIG UINT16_MAX
struct rch_addr_run {  // nodes [first_node, next run's) lie at base + 8 * addr8[node]
    rch_addr base;
    rch_node first_node;
    uint32_t reserved;
};

/// Where a thread of the program stood. Its frames: stack_frames [first_frame, +num_frames), innermost
/// first.
struct rch_thread {
    rch_str name;  // "MainThread"
    rch_str
        waits_for;  // "recv on fd 7: TCP 127.0.0.1:40312 -> 127.0.0.1:5672"; RCH_NO_STR: not known
    uint32_t native_id;  // the kernel's, 0: not known
    uint32_t flags;      // enum rch_thread_flags
    rch_node root;       // its THREAD root, or RCH_NO_NODE
    uint32_t first_frame, num_frames;
    uint32_t reserved;
};
enum rch_thread_flags {
    RCH_THREAD_HAS_GIL = 1,
    RCH_THREAD_ASKS = 2,         // it is in the call that made this snapshot
    RCH_THREAD_NOT_STOPPED = 4,  // it went on while it was read: may be torn
};
struct rch_stack_frame {
    rch_str function;  // qualified name where the version has it
    rch_str file;
    uint32_t line;  // being executed; 0: not known
    rch_node root;  // the FRAME or COROUTINE root that has its locals, or RCH_NO_NODE
};

struct rch_fd {     // an open descriptor of the process, sorted by number
    int32_t fd;     // never negative
    uint32_t kind;  // enum rch_fd_kind (base/fd_kind.h); numbers not known there are "other"
    rch_str protocol, state, local, peer;  // as in target/fds.h
};
// A file object that will not close the descriptor is here only where no file object will.
struct rch_fd_owner {  // an object that says it owns a descriptor, sorted by node, then descriptor
    rch_node node;
    int32_t fd;  // it need not be open
};

/// Facts about the capture, all counts.
struct rch_capture_info {
    uint32_t pid, py_major, py_minor, py_micro;
    uint64_t time_ns;         // since the epoch
    uint64_t pause_ns;        // how long the program stood still
    uint64_t num_unreadable;  // objects or fields that could not be read
    uint64_t num_traversed;   // objects without a decoder: references unnamed
    uint64_t is_partial;      // 1: something is missing; the counts above or `warnings` say what
};

/// Everything is borrowed by readers and owned by the graph; see rch_graph_free.
struct rch_graph {
    uint32_t num_tracked, num_objects, num_nodes;
    uint32_t num_edges;          // holes included
    const uint32_t *edge_start;  // num_nodes + 1
    const rch_node *edges;       // num_edges
    const uint32_t *shape_of;    // num_nodes
    const uint16_t *size16;      // num_nodes; RCH_SIZE_BIG: look in big_sizes
    const uint32_t *addr8;       // num_objects
    const struct rch_big_size *big_sizes;
    const struct rch_addr_run *addr_runs;
    const struct rch_shape *shapes;
    const struct rch_label *labels;
    const struct rch_type *types;
    const struct rch_root *roots;  // root i is node num_objects + i
    const struct rch_observer *observers;
    const struct rch_text_of *texts;
    const struct rch_thread *threads;
    const struct rch_stack_frame *stack_frames;
    const struct rch_fd *fds;
    const struct rch_fd_owner *fd_owners;
    const uint32_t *str_start;  // num_strs + 1 offsets into str_bytes; each string is also followed
    const char *str_bytes;      // by a NUL that is not part of it
    const rch_str *warnings;
    uint32_t num_big_sizes, num_addr_runs, num_shapes, num_labels, num_types, num_roots;
    uint32_t num_observers, num_texts, num_threads, num_stack_frames, num_fds, num_fd_owners;
    uint32_t num_strs, num_str_bytes, num_warnings;
    struct rch_capture_info info;
    void (*release)(struct rch_graph *graph);  // frees the columns, then the struct itself
    void *owner;                               // for release
    struct rch_derived
        *derived;  // what was computed from it (model/derived.h); NULL: nothing is kept
};

void rch_graph_free(struct rch_graph *graph);  // NULL is fine

static inline uint32_t rch_num_refs(const struct rch_graph *g, rch_node v)
{
    return g->edge_start[v + 1] - g->edge_start[v];
}

/// Label of reference `ordinal` of a node of this shape. Must be one the shape has.
static inline const struct rch_label *rch_shape_label(const struct rch_graph *g,
                                                      const struct rch_shape *shape,
                                                      uint32_t ordinal)
{
    if (ordinal >= shape->num_labels)
        ordinal = shape->num_labels + (ordinal - shape->num_labels) % shape->num_tail;
    return &g->labels[shape->first_label + ordinal];
}

static inline const struct rch_label *rch_label_of(const struct rch_graph *g, rch_node v,
                                                   uint32_t ordinal)
{
    return rch_shape_label(g, &g->shapes[g->shape_of[v]], ordinal);
}

static inline const char *rch_str_get(const struct rch_graph *g, rch_str s)
{
    return g->str_bytes + g->str_start[s];
}
static inline uint32_t rch_str_bytes(const struct rch_graph *g, rch_str s)
{
    return g->str_start[s + 1] - g->str_start[s] - 1;
}

static inline const struct rch_type *rch_type_of(const struct rch_graph *g, rch_node v)
{
    return &g->types[g->shapes[g->shape_of[v]].type];
}
static inline bool rch_is_root(const struct rch_graph *g, rch_node v)
{
    return v >= g->num_objects;
}

/// Shallow size in bytes, as sys.getsizeof. O(1), O(log) for objects of 64 KiB and more.
uint64_t rch_size_bytes(const struct rch_graph *g, rch_node v);
/// Address of an object. O(log runs), runs are few.
rch_addr rch_addr_of(const struct rch_graph *g, rch_node v);
/// The object at this address, or RCH_NO_NODE. O(log nodes).
rch_node rch_node_at(const struct rch_graph *g, rch_addr addr);
/// The contents of a string object that is kept (identifier-like), or RCH_NO_STR.
rch_str rch_text_of_node(const struct rch_graph *g, rch_node v);
/// For the value of a mapping, the node of its key; for others RCH_NO_NODE. O(1).
rch_node rch_key_of_value(const struct rch_graph *g, rch_node v, uint32_t ordinal);
/// For a repeating reference, which repetition (list index, entry number); else UINT32_MAX.
uint32_t rch_index_of_ref(const struct rch_graph *g, rch_node v, uint32_t ordinal);

const char *rch_edge_kind_word(enum rch_edge_kind kind);
const char *rch_root_kind_word(enum rch_root_kind kind);

#endif
