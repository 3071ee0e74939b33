// SPDX-License-Identifier: MIT
// capture/families.h -- one row a built-in type: what its fields are called and where they are, how
// its content is read, how its size is reckoned. To name one more C type, add one row to families.c.
#ifndef RCH_CAPTURE_FAMILIES_H
#define RCH_CAPTURE_FAMILIES_H
#include "capture/state.h"

struct rch__family_field {
    const char *name;
    size_t layout_member;  // offsetof(struct rch_layout, ...), which holds the offset or RCH_ABSENT
    uint8_t kind;
    uint16_t flags;
    size_t inner_member;  // 0, or the layout's offset within a struct that lies at layout_member
};

struct rch__family {
    const char *name;   // tp_name
    const char *words;  // names of the pointers from offset 16 on, each used only where tp_traverse
                        // visits it; "!name": owned in any case; "-": none; "@96": on from there
    const char *shown;  // the name to show where it is not tp_name: what 3.13 calls the type
    const struct rch__family_field *fields;  // ended by a NULL name; may be NULL
    void (*emit)(struct rch__cap *cap, struct rch__type *type, rch_addr object);  // the content
    uint32_t (*label)(struct rch__cap *cap);  // adds its labels; returns how many repeat
    rch__decode_fn decode;  // instead of fields + emit: when the shape depends on the object
    rch__size_fn size;      // NULL: basic size and items
    int32_t num_hidden;     // references to each of its objects that no object shows
    /// From outside, with has_rest: finds what tp_traverse would; NULL: the words of the object.
    void (*scan)(struct rch__cap *cap, struct rch__type *type, rch_addr object);
    const char *own_members;  // of the members it exposes; NULL: all are its own
    bool has_rest;            // its tp_traverse visits more than the row names
    bool is_unchecked;        // cannot be compared with tp_traverse one object at a time

    struct rch__fd_source fd;  // the descriptor that its objects own
};

/// The row for a tp_name, or NULL.
const struct rch__family *rch__family_find(const char *tp_name);

// decode_object.c: fields and family; with a managed dict; members and whatever tp_traverse visits
uint32_t rch__decode_plain(struct rch__cap *cap, struct rch__type *type, rch_addr object);
uint32_t rch__decode_managed(struct rch__cap *cap, struct rch__type *type, rch_addr object);
uint32_t rch__decode_traversed(struct rch__cap *cap, struct rch__type *type, rch_addr object);
/// Is the reference an attribute that the object's dict tells, and not the object (3.13+)?
bool rch__is_told_by_dict(struct rch__cap *cap, const struct rch__type *type, rch_addr object,
                          rch_addr target);
/// tp_name of a type, as it is.
void rch__read_tp_name(struct rch__cap *cap, rch_addr type, char *buf, size_t buf_bytes);

// decode_mapping.c
uint32_t rch__decode_dict(struct rch__cap *cap, struct rch__type *type, rch_addr dict);
void rch__emit_dict(struct rch__cap *cap, struct rch__type *type, rch_addr dict);
uint32_t rch__label_dict(struct rch__cap *cap);
uint32_t rch__label_frozendict(struct rch__cap *cap);
void rch__emit_odict(struct rch__cap *cap, struct rch__type *type, rch_addr odict);
uint32_t rch__label_odict(struct rch__cap *cap);
void rch__emit_hamt_bitmap(struct rch__cap *cap, struct rch__type *type, rch_addr node);
uint32_t rch__label_hamt_bitmap(struct rch__cap *cap);
void rch__emit_hamt_array(struct rch__cap *cap, struct rch__type *type, rch_addr node);
uint32_t rch__label_hamt_array(struct rch__cap *cap);
void rch__emit_hamt_collision(struct rch__cap *cap, struct rch__type *type, rch_addr node);
uint32_t rch__label_hamt_collision(struct rch__cap *cap);
uint64_t rch__size_dict(struct rch__cap *cap, const struct rch__type *type, rch_addr dict);
uint64_t rch__size_odict(struct rch__cap *cap, const struct rch__type *type, rch_addr odict);
/// Bytes of a key table, header and entries (_PyDict_KeysSize).
uint64_t rch__keys_bytes(struct rch__cap *cap, rch_addr keys);
/// Labels named after the keys of a shared key table, `num` of them.
void rch__label_shared_keys(struct rch__cap *cap, rch_addr keys, int64_t num);

// decode_sequence.c
void rch__emit_tuple(struct rch__cap *cap, struct rch__type *type, rch_addr tuple);
uint32_t rch__label_tuple(struct rch__cap *cap);
void rch__emit_list(struct rch__cap *cap, struct rch__type *type, rch_addr list);
uint32_t rch__label_list(struct rch__cap *cap);
uint64_t rch__size_list(struct rch__cap *cap, const struct rch__type *type, rch_addr list);
void rch__emit_set(struct rch__cap *cap, struct rch__type *type, rch_addr set);
uint32_t rch__label_set(struct rch__cap *cap);
uint32_t rch__label_frozenset(struct rch__cap *cap);
uint64_t rch__size_set(struct rch__cap *cap, const struct rch__type *type, rch_addr set);
void rch__emit_deque(struct rch__cap *cap, struct rch__type *type, rch_addr deque);
uint64_t rch__size_deque(struct rch__cap *cap, const struct rch__type *type, rch_addr deque);

// decode_code.c
uint32_t rch__decode_function(struct rch__cap *cap, struct rch__type *type, rch_addr function);
uint32_t rch__decode_code(struct rch__cap *cap, struct rch__type *type, rch_addr code);
uint64_t rch__size_code(struct rch__cap *cap, const struct rch__type *type, rch_addr code);

// decode_frame.c
uint32_t rch__decode_frame(struct rch__cap *cap, struct rch__type *type, rch_addr frame);
uint32_t rch__decode_generator(struct rch__cap *cap, struct rch__type *type, rch_addr gen);
uint64_t rch__size_frame(struct rch__cap *cap, const struct rch__type *type, rch_addr frame);
uint64_t rch__size_generator(struct rch__cap *cap, const struct rch__type *type, rch_addr gen);
/// Labels of a code object's local variables, in the order of their slots; returns how many.
uint32_t rch__label_locals(struct rch__cap *cap, rch_addr code);
/// How many slots of an interpreter frame (3.11+) are in use, locals first; -1: not saved.
int64_t rch__iframe_top(struct rch__cap *cap, rch_addr iframe);
/// _PyInterpreterFrame (3.11+): fields, locals, stack; and their labels.
void rch__emit_iframe(struct rch__cap *cap, rch_addr iframe);
uint32_t rch__label_iframe(struct rch__cap *cap, rch_addr code);

// decode_type.c
uint32_t rch__decode_type(struct rch__cap *cap, struct rch__type *type, rch_addr object);
uint64_t rch__size_type(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
void rch__emit_lru_link(struct rch__cap *cap, struct rch__type *type, rch_addr link);

// decode_extension.c
void rch__emit_element(struct rch__cap *cap, struct rch__type *type, rch_addr element);
uint32_t rch__label_element(struct rch__cap *cap);
void rch__emit_datetime(struct rch__cap *cap, struct rch__type *type, rch_addr datetime);
void rch__emit_time(struct rch__cap *cap, struct rch__type *type, rch_addr time);
uint32_t rch__label_tzinfo(struct rch__cap *cap);
void rch__emit_simplequeue(struct rch__cap *cap, struct rch__type *type, rch_addr queue);
uint32_t rch__label_simplequeue(struct rch__cap *cap);
uint64_t rch__size_simplequeue(struct rch__cap *cap, const struct rch__type *type, rch_addr queue);
uint64_t rch__size_element(struct rch__cap *cap, const struct rch__type *type, rch_addr element);
uint64_t rch__size_array(struct rch__cap *cap, const struct rch__type *type, rch_addr array);
uint64_t rch__size_struct(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
uint64_t rch__size_bytesio(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
uint64_t rch__size_buffered(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
uint64_t rch__size_product(struct rch__cap *cap, const struct rch__type *type, rch_addr object);
uint64_t rch__size_combinations(struct rch__cap *cap, const struct rch__type *type,
                                rch_addr object);
uint64_t rch__size_permutations(struct rch__cap *cap, const struct rch__type *type,
                                rch_addr object);

// fds.c
bool rch__fileio_borrows(struct rch__cap *cap, rch_addr fileio);

// decode_rest.c: from outside, what tp_traverse would visit
void rch__scan_module(struct rch__cap *cap, struct rch__type *type, rch_addr module);
void rch__scan_blocks(struct rch__cap *cap, struct rch__type *type, rch_addr object);
void rch__scan_tee(struct rch__cap *cap, struct rch__type *type, rch_addr data);
void rch__scan_connection(struct rch__cap *cap, struct rch__type *type, rch_addr connection);
void rch__scan_capsule(struct rch__cap *cap, struct rch__type *type, rch_addr capsule);

// decode_atom.c
uint64_t rch__size_str(struct rch__cap *cap, const struct rch__type *type, rch_addr str);
uint64_t rch__size_bytes(struct rch__cap *cap, const struct rch__type *type, rch_addr bytes);
uint64_t rch__size_bytearray(struct rch__cap *cap, const struct rch__type *type, rch_addr bytes);
uint64_t rch__size_int(struct rch__cap *cap, const struct rch__type *type, rch_addr number);
uint64_t rch__size_plain(struct rch__cap *cap, const struct rch__type *type, rch_addr object);

#endif
