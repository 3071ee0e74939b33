// SPDX-License-Identifier: MIT
// capture/state.h -- what the files of this module share while a capture runs. Private to capture/.
//
// Order of a walk: gc_lists (mark what the collector tracks) -> roots -> sweep over the tracked in
// address order -> sweep over everything they lead to. Errors stick in `status`: the walk goes on
// emitting nothing, so that decoders need no checks.
#ifndef RCH_CAPTURE_STATE_H
#define RCH_CAPTURE_STATE_H
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/vec.h"
#include "capture/bigbuf.h"
#include "capture/capture.h"
#include "capture/index.h"
#include "model/builder.h"

#define RCH_IMMORTAL INT32_MIN  // in the column of reference counts
#define RCH_CHECKED_INSTANCES 3  // of each type, against tp_traverse
#define RCH_HEAD_BYTES 16  // of an object, where offsets are told that are in no table
#define RCH_MAX_HEAD_BYTES 32  // of an object of any build

// CPython's tp_flags that layouts share.
#define RCH_TPFLAGS_STATIC_BUILTIN (1ull << 1)  // 3.12+
#define RCH_TPFLAGS_INLINE_VALUES (1ull << 2)   // 3.13+
#define RCH_TPFLAGS_MANAGED_WEAKREF (1ull << 3)  // 3.12+
#define RCH_TPFLAGS_MANAGED_DICT (1ull << 4)    // 3.11+
#define RCH_TPFLAGS_HEAPTYPE (1ull << 9)
#define RCH_TPFLAGS_HAVE_GC (1ull << 14)
#define RCH_TPFLAGS_LIST_SUBCLASS (1ull << 25)
#define RCH_TPFLAGS_TUPLE_SUBCLASS (1ull << 26)
#define RCH_TPFLAGS_DICT_SUBCLASS (1ull << 29)
#define RCH_TPFLAGS_TYPE_SUBCLASS (1ull << 31)
#define RCH_MEMBER_AFTER_ITEMS (1u << 4)  // of PyMemberDef's flags, 3.15+

struct rch__cap;
struct rch__type;

/// Emit the references of `object` and return its shape.
typedef uint32_t (*rch__decode_fn)(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// Shallow size in bytes of `object` as its __sizeof__ has it, without GC and other headers.
typedef uint64_t (*rch__size_fn)(struct rch__cap *cap, const struct rch__type *type,
                                 rch_addr object);

struct rch__field {  // a pointer at a fixed offset in the object
    int32_t offset;
    bool is_guess;  // a `words` row: emitted only if tp_traverse visits it
    struct rch_label label;
};

struct rch__family;  // families.h: how one built-in type is read

struct rch__fd_source {  // where the objects of a type have the descriptor that they own (fds.c)
    int32_t offset;      // of an int in their struct; 0: not there
    bool (*is_borrowed)(struct rch__cap *cap, rch_addr object);  // it may be another's; NULL: never
    const char *attribute;                                       // NULL: not in one
};

struct rch__type {  // one record a Python type met
    struct rch__fd_source fd;
    bool is_noted;  // each instance is looked at once more: an observer, or may own a descriptor
    rch_addr addr;
    rch__decode_fn decode;
    rch__size_fn size;
    rch_addr traverse;
    uint64_t flags;  // tp_flags
    int64_t basicsize, itemsize;
    int32_t dictoffset;     // of the instance dict when it is not managed; may be negative
    uint32_t header_bytes;  // before the object: GC head, managed dict and weak references
    uint32_t num_fields;
    struct rch__field *fields;
    uint32_t num_tail;
    struct rch__field *tail;  // slots behind the items (of tuples, 3.15+)
    int32_t storage[2];  // offsets of pointers to what decoding reads besides the object; 0: none
    const struct rch__family *family;  // NULL: none known
    rch_addr cached_keys;              // ht_cached_keys
    uint64_t shape_key;                // of the shape made last
    uint32_t shape;
    uint32_t plain_shape;  // the shape for key 0, RCH_NO_NODE until it is made
    uint32_t model_type;
    const char *full_name;  // "module.Name", "Name" for built-in types
    uint32_t num_instances;
    uint64_t num_bytes;  // of all instances
    uint8_t checks_left;
    bool is_unreached;  // garbage.c: only instances may lead to it
    bool is_observer, is_str, has_managed_dict, is_python_class;
    bool decode_rest;  // traverse, for what the fields do not tell
    bool has_guesses;  // some fields must be confirmed by tp_traverse
    bool scans;        // from outside: there may be references that no field tells
    int32_t *others;   // from outside: offsets of words that are none
    uint32_t num_others;
};

struct rch__rows {               // one row an object visited, in order of visit
    struct rch_column shape;     // uint32_t
    struct rch_column size16;    // uint16_t
    struct rch_column refcount;  // int32_t, RCH_IMMORTAL; the references found are taken off later
    struct rch_column start;     // uint32_t, index of the first reference in the log
    struct rch_vec big;          // struct rch_big_size, node = row
};

void rch__rows_deinit(struct rch__rows *rows);

struct rch__log {  // references as codes
    struct rch_column codes;
    size_t num_marked;
};

struct rch__shape_entry {  // hash: (type, key) -> shape
    const struct rch__type *type;
    uint64_t key;
    uint32_t shape;
};

struct rch__shape_info {     // by shape number
    struct rch__type *type;  // NULL: of a root
    uint32_t weak_ordinal;   // the reference that holds nothing, UINT32_MAX: none
};

struct rch__root {  // a root being collected: its references are codes in root_codes
    struct rch_root root;
    uint32_t shape, first_code, num_codes;
    uint32_t first_word, num_words;  // in stack_words: may be references, if counts are too high
    bool is_owner;                   // its references are counted ones
};

struct rch__thread {
    struct rch_thread row;  // root: the number of a root, or UINT32_MAX
    rch_addr gil;           // that it needs to run Python
    uint64_t ident;         // threading.get_ident()
    const char *name;       // the capture's
    rch_addr slots;         // variables and temporaries of its innermost frame
    uint32_t num_slots;
};

struct rch__observed {  // a node that belongs to the questioner
    uint32_t code;      // of an object, or the number of a root if is_root
    uint32_t scope;
    bool is_root;
};

struct rch__moved {  // a value of a namespace that the questioner made: taken out of the dict's row
    uint32_t dict_code, key_code, value_code;
    uint32_t num_refs;  // or so many references of some object's row, because a root tells them
};

struct rch__code_names {  // a closure tuple gets the names of the function's free variables
    uint32_t tuple_code;
    uint32_t shape;
};

struct rch__fd_claim {  // an object has this descriptor
    uint32_t code;
    int32_t fd;
    bool may_borrow, is_borrowed;  // it will not close it
};

struct rch__text {
    uint32_t code;
    rch_str str;
};

struct rch__cap {
    const struct rch_alloc *alloc;
    struct rch_capture_options opt;
    struct rch_target *t;
    const struct rch_layout *L;
    struct rch_arena arena;
    struct rch_builder *b;
    struct rch_index index;
    enum rch_status status;
    struct rch_error err;
    struct rch_asking asking;  // of the walk, then of the finish
    size_t num_tracked_rows;   // after the first sweep
    uint64_t index_bytes;      // of memory in use, when last counted (room.c)

    struct rch_vec types;  // struct rch__type *
    struct rch__type **type_slots;
    uint32_t num_type_slots;
    struct rch__shape_entry *shape_slots;
    uint32_t num_shape_slots, num_shapes;
    struct rch_vec shape_infos;  // struct rch__shape_info
    struct rch_vec labels;       // scratch for the shape being made

    struct rch__log *log;  // where rch__emit goes now
    struct rch__log main_log, late_log;
    struct rch__rows rows;      // the tracked in address order, then the others as swept
    struct rch__rows late;      // others that the sweep met too late, in any order
    struct rch_vec late_codes;  // uint32_t: which object each late row is
    struct rch_vec pending;     // uint32_t codes found behind the sweep
    bool is_sweeping_others;
    uint32_t sweep_position, sweep_granule;
    uint64_t num_marked;  // tracked objects, before the sweep
    // windows of the collector's lists where neighbours lie apart, less the others
    int64_t scatter;

    struct rch_vec roots;        // struct rch__root
    struct rch_vec root_codes;   // uint32_t
    struct rch_vec observed;     // struct rch__observed
    struct rch_vec moved;        // struct rch__moved
    struct rch_vec closures;     // struct rch__code_names
    struct rch_vec texts;        // struct rch__text
    struct rch_vec borrowed;     // uint32_t: targets of references that are not counted (3.14+)
    struct rch_vec fds;          // struct rch_fd, by descriptor
    struct rch_vec fd_claims;    // struct rch__fd_claim
    struct rch_vec stack_words;  // uint64_t: evaluation stacks whose height nobody saved
    struct rch_vec threads;      // struct rch__thread
    struct rch_vec frames;  // struct rch_stack_frame; root: the number of a root, or UINT32_MAX
    rch_addr last_code;     // of the frame added last, and where it stands
    int64_t last_instruction;
    uint64_t line_bytes;     // of line tables, read so far
    struct rch_vec interps;  // rch_addr: the interpreters to walk
    rch_addr home_interp;    // of whoever asks
    uint32_t num_skipped_interps;
    rch_addr atexit_module, threading_module;  // if imported
    bool has_ipython;
    uint64_t num_traversed;
    uint64_t pause_ns, num_unreadable;

    // From outside only (trust.c). Memory may be torn, an address may lead nowhere.
    bool is_foreign;
    struct rch_target probe;       // to try what may be none: failures here are no loss
    size_t last_map;               // where the last address was
    struct rch__type *not_a_type;  // what an address that leads to no type stands for
    uint64_t memory_bytes;         // of all maps
    uint32_t type_depth;           // types that are being made, one for the other
    uint64_t num_torn;             // what cannot be as it is
    bool is_partial;
};

static inline uint64_t rch__now_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

// ---- emitting -------------------------------------------------------------------------------

void rch__fail(struct rch__cap *cap, enum rch_status status, const char *words);
/// So many objects or references further. False: canceled, and cap->status says so.
static inline bool rch__goes_on(struct rch__cap *cap, uint32_t steps)
{
    if (__builtin_expect(rch_goes_on(&cap->asking, steps), 1))
        return true;
    rch__fail(cap, RCH_ECANCELED, "reading the objects was canceled");
    return false;
}
/// Something is missing: the graph is partial, and says why.
void rch__warn(struct rch__cap *cap, const char *words);
bool rch__log_grow(struct rch__cap *cap, struct rch__log *log, size_t num_more);
/// Mark the object as found; when the sweep is past it, put it aside.
void rch__discover(struct rch__cap *cap, uint32_t code);

static inline void rch__emit_code(struct rch__cap *cap, uint32_t code)
{
    struct rch__log *log = cap->log;
    if (__builtin_expect(log->codes.num == log->codes.cap, 0) && !rch__log_grow(cap, log, 1))
        return;
    RCH_COLUMN_AT(&log->codes, uint32_t, log->codes.num++) = code;
}

/// One reference; 0 is a hole.
static inline void rch__emit(struct rch__cap *cap, rch_addr target)
{
    uint32_t code = target ? rch_code(&cap->index, target) : RCH_NO_CODE;
    if (__builtin_expect(code != RCH_NO_CODE, 1))
        __builtin_prefetch(rch_cell_of(&cap->index, code), 1);
    rch__emit_code(cap, code);
}

/// The pointer at an offset from pylayout; 0 if there is no object or this version has no such field.
static inline rch_addr rch__field_at(struct rch__cap *cap, rch_addr object, int32_t offset)
{
    return offset == RCH_ABSENT || !object ? 0 : rch_load64(cap->t, object + (uint32_t)offset);
}

/// How much later a field of an object is than an offset that is in no table: without the GIL its head
/// is longer.
static inline uint32_t rch__late_by(const struct rch__cap *cap)
{
    return (uint32_t)cap->L->object_size - RCH_HEAD_BYTES;
}

uint32_t rch__split_refcount(struct rch__cap *cap, rch_addr object, uint32_t local);
/// Of an object; as int32_t negative, or more than 900,000,000, if it is immortal.
static inline uint32_t rch__refcount(struct rch__cap *cap, rch_addr object)
{
    // From 3.14 the other half of the word holds flags.
    uint32_t count = rch_load32(cap->t, object + (uint32_t)cap->L->object_refcnt);
    return cap->L->object_ref_shared == RCH_ABSENT ? count
                                                   : rch__split_refcount(cap, object, count);
}

/// What a word of an interpreter frame refers to. From 3.14 the low bits are a tag: 1 for a reference
/// that is not counted ("borrowed"; alone: NULL), 3 for a number.
static inline rch_addr rch__untag(const struct rch__cap *cap, uint64_t word)
{
    if (!cap->L->iframe_is_tagged)
        return word;
    return (word & 3) < 2 ? word & ~3ull : 0;
}

static inline rch_addr rch__iframe_field(struct rch__cap *cap, rch_addr iframe, int32_t offset)
{
    return rch__untag(cap, rch__field_at(cap, iframe, offset));
}

/// The same, for a reference that is emitted: remembers those that are not counted.
rch_addr rch__frame_ref(struct rch__cap *cap, uint64_t word);

static inline void rch__emit_fields(struct rch__cap *cap, const struct rch__type *type,
                                    rch_addr object)
{
    for (uint32_t i = 0; i < type->num_fields; i++)
        rch__emit(cap, rch_load64(cap->t, object + (rch_addr)(int64_t)type->fields[i].offset));
}

// ---- shapes (shapes.c) -------------------------------------------------------------------------

void rch__label_add(struct rch__cap *cap, enum rch_edge_kind kind, const char *name,
                    uint32_t flags);
void rch__label_add_str(struct rch__cap *cap, enum rch_edge_kind kind, rch_str name,
                        uint32_t flags);
/// Start a shape with the labels of the type's fields.
void rch__shape_begin(struct rch__cap *cap, const struct rch__type *type);
/// End it: the last num_tail labels repeat. Remembered for (type, key).
uint32_t rch__shape_end(struct rch__cap *cap, struct rch__type *type, uint64_t key,
                        uint32_t num_tail);
/// Make a shape of the labels at hand without remembering it; type NULL with model_type: of a root.
uint32_t rch__shape_make(struct rch__cap *cap, struct rch__type *type, uint32_t model_type,
                         uint32_t num_tail);
/// The shape made for (type, key), or RCH_NO_NODE.
uint32_t rch__shape_find(struct rch__cap *cap, struct rch__type *type, uint64_t key);
rch_str rch__intern(struct rch__cap *cap, const char *text);

// ---- reading CPython (read.c) ------------------------------------------------------------------

/// The text of a str object as UTF-8, cut at cap - 1 bytes; false if it is no str.
bool rch__read_str(struct rch__cap *cap, rch_addr object, char *buf, size_t buf_bytes);
/// A C string of the target.
void rch__read_cstring(struct rch__cap *cap, rch_addr addr, char *buf, size_t buf_bytes);
/// The str object interned into the string table.
rch_str rch__intern_str(struct rch__cap *cap, rch_addr object);

struct rch__entries {  // the entries of a dict or of a shared key table, whichever its format
    rch_addr first;
    int64_t num;
    int32_t stride, key_off, value_off;
};
struct rch__entries rch__keys_entries(struct rch__cap *cap, rch_addr keys);
/// Value of a str key in a dict, 0 if absent. Linear: for few look-ups.
rch_addr rch__dict_find(struct rch__cap *cap, rch_addr dict, const char *key);
/// tp_dict, wherever this version keeps it.
rch_addr rch__type_dict(struct rch__cap *cap, rch_addr type);
/// Value of an int that is not negative, as far as 64 bits go; 0 for what is no int.
uint64_t rch__int_value(struct rch__cap *cap, rch_addr number);
/// Value of an instance attribute, wherever it is kept; 0 if absent.
rch_addr rch__attribute(struct rch__cap *cap, rch_addr object, const char *name);
/// Fill cap->interps with those that may be walked.
void rch__find_interps(struct rch__cap *cap);
/// The state record of a static built-in type (3.12+), or 0.
rch_addr rch__static_type_state(struct rch__cap *cap, rch_addr type);

// ---- types, objects ----------------------------------------------------------------------------

struct rch__type *rch__type_of_addr(struct rch__cap *cap, rch_addr type_addr);
static inline struct rch__type *rch__type_get(struct rch__cap *cap, rch_addr type_addr)
{
    uint32_t mask = cap->num_type_slots - 1;
    uint32_t at = (uint32_t)(type_addr >> 4) * 2654435761u & mask;
    for (struct rch__type *type; (type = cap->type_slots[at]) != NULL; at = (at + 1) & mask)
        if (type->addr == type_addr)
            return type;
    return rch__type_of_addr(cap, type_addr);
}

/// A dict, or an instance of a subclass of it.
static inline bool rch__is_dict(struct rch__cap *cap, rch_addr object)
{
    return object &&
           (rch__type_get(cap, rch_load64(cap->t, object + (uint32_t)cap->L->object_type))->flags &
            RCH_TPFLAGS_DICT_SUBCLASS);
}

/// Decode and measure one object into a row.
void rch__visit(struct rch__cap *cap, struct rch__rows *rows, rch_addr object);
/// The fields, each guessed one only where tp_traverse visits it.
void rch__emit_confirmed_fields(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// The label of references that are not named; from outside they are guesses.
void rch__label_rest(struct rch__cap *cap);
/// What tp_traverse visits and the fields have not emitted yet, as unnamed references.
void rch__emit_rest(struct rch__cap *cap, struct rch__type *type, rch_addr object, size_t start);
/// Does everything that tp_traverse visits stand in the log from `start` on?
bool rch__agrees_with_traverse(struct rch__cap *cap, struct rch__type *type, rch_addr object,
                               size_t start);

// ---- descriptors (fds.c) ------------------------------------------------------------------------

/// Where instances of this type have a descriptor, if they do.
void rch__find_fd(struct rch__cap *cap, struct rch__type *type);
void rch__claim_fd(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
/// Copy what the system knows (options).
void rch__take_fds(struct rch__cap *cap);

// ---- what can be trusted from outside (trust.c, scan.c) ------------------------------------------

/// Make ready; nothing from inside.
void rch__trust_begin(struct rch__cap *cap);
/// Say what could not be trusted.
void rch__trust_end(struct rch__cap *cap);
/// Are all of these bytes memory of the target? (Some of it may still not be readable.)
bool rch__is_memory(struct rch__cap *cap, rch_addr addr, uint64_t num_bytes);
bool rch__all_fit(struct rch__cap *cap, rch_addr first, uint64_t num, uint64_t stride);
/// Can there be `num` elements at `first`? If not that is counted. Always true from inside.
static inline bool rch__fits(struct rch__cap *cap, rch_addr first, uint64_t num, uint64_t stride)
{
    return !cap->is_foreign || rch__all_fit(cap, first, num, stride);
}
struct rch__ring {  // Brent: remember a node, farther apart each time
    rch_addr seen;
    uint64_t num, power;
};
/// Is a list that is followed from node to node a ring? That is counted. From inside it never is.
bool rch__comes_back(struct rch__cap *cap, struct rch__ring *ring, rch_addr node);
/// Does this address lead to a type? Not trusted: its metaclasses lead to `type`, its sizes are sane.
bool rch__is_type(struct rch__cap *cap, rch_addr addr);
/// May an object be here: its type is one, its count is sane?
bool rch__is_object(struct rch__cap *cap, rch_addr addr);
/// An object of exactly the type that has this row of families.c.
bool rch__is_of(struct rch__cap *cap, rch_addr object, const char *family);
/// As many bytes as an object may have, else 0.
uint64_t rch__sane_size(struct rch__cap *cap, uint64_t num_bytes);
/// And it has a header for the collector, which tracks it.
bool rch__is_tracked_object(struct rch__cap *cap, rch_addr addr);
/// The fields, each guessed one only where it leads to an object.
void rch__emit_likely_fields(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// What tp_traverse would visit and no field tells, as unnamed guesses: words that lead to objects.
void rch__scan(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// The words of the object itself that no field tells.
void rch__scan_own_words(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// The same for the words of [from, end), offsets in the object or in a block of its own at `base`.
void rch__scan_words(struct rch__cap *cap, const struct rch__type *type, rch_addr base,
                     int64_t from, int64_t end);

// ---- phases ------------------------------------------------------------------------------------

/// A capture that knows the interpreters and no object yet. The caller owns *capture_out, *cap_out is
/// inside it.
RCH_MUST_CHECK enum rch_status rch__capture_begin(const struct rch_capture_options *options,
                                                  const struct rch_alloc *alloc,
                                                  struct rch_capture **capture_out,
                                                  struct rch__cap **cap_out, struct rch_error *err);
/// Fail if the index could not take all objects.
void rch__check_index(struct rch__cap *cap);

void rch__mark_tracked(struct rch__cap *cap);  // gc_lists.c
/// Mark the object as tracked; true if it was not before.
bool rch__mark_one_tracked(struct rch__cap *cap, rch_addr object);
/// From outside, where the lists are not to be had: mark all that looks like a tracked object.
void rch__discover_tracked(struct rch__cap *cap);      // discover.c
void rch__collect_roots(struct rch__cap *cap);         // roots.c
void rch__collect_static_types(struct rch__cap *cap);  // after the sweeps
void rch__collect_frames(struct rch__cap *cap, rch_addr thread, const char *thread_name);
void rch__sweep_tracked(struct rch__cap *cap);  // sweep.c
void rch__sweep_others(struct rch__cap *cap);
void rch__mark_log(struct rch__cap *cap, struct rch__log *log, size_t end);

/// Begin a root; references follow with rch__root_ref, then rch__root_end.
void rch__root_begin(struct rch__cap *cap);
void rch__root_ref(struct rch__cap *cap, enum rch_edge_kind kind, const char *name, uint32_t flags,
                   rch_addr target);
/// The root's number; UINT32_MAX when it has no references: then there is no root.
uint32_t rch__root_end(struct rch__cap *cap, enum rch_root_kind kind, const char *name,
                       const char *detail, bool is_owner);
/// With the last num_tail labels repeating.
uint32_t rch__root_end_tail(struct rch__cap *cap, enum rch_root_kind kind, const char *name,
                            const char *detail, bool is_owner, uint32_t num_tail);
/// A reference whose label is added apart.
void rch__root_code(struct rch__cap *cap, rch_addr target);
void rch__observe(struct rch__cap *cap, rch_addr object, enum rch_observer_scope scope);
void rch__observe_root(struct rch__cap *cap, uint32_t root, enum rch_observer_scope scope);

#endif
