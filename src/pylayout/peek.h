// SPDX-License-Identifier: MIT
// pylayout/peek.h -- the little of CPython's objects that must be read to know which CPython it is:
// types by name, entries of dicts with str keys, small ints. Bounded, and trusting nothing: what is
// not as it should be is not there. Private to pylayout/.
#ifndef RCH_PYLAYOUT_PEEK_H
#define RCH_PYLAYOUT_PEEK_H
#include "pylayout/layout.h"
#include "target/target.h"

struct rch_peek {
    struct rch_target *target;
    const struct rch_layout *layout;
};

/// The word at obj + offset; 0 if it cannot be read, obj is 0 or the offset RCH_ABSENT.
uint64_t rch_peek_word(const struct rch_peek *peek, uint64_t obj, int32_t offset);
/// Is this a type with that tp_name? The text is shorter than 64 bytes.
bool rch_peek_is_type_named(const struct rch_peek *peek, uint64_t type, const char *name);
/// Is there an object whose type is a type: `type_type` itself, an instance of it, or of a metaclass?
bool rch_peek_is_object(const struct rch_peek *peek, uint64_t obj, uint64_t type_type);
/// Is there an object that is a class?
bool rch_peek_is_class(const struct rch_peek *peek, uint64_t obj, uint64_t type_type);
/// Is this a compact ASCII str with that text, shorter than 64 bytes?
bool rch_peek_is_str(const struct rch_peek *peek, uint64_t str, const char *text);
/// An int of one digit that is not negative; 0 otherwise.
uint32_t rch_peek_small_int(const struct rch_peek *peek, uint64_t number);

struct rch_peek_dict {
    const struct rch_peek *peek;
    uint64_t entries;
    int32_t key, value, entry_bytes;
    uint64_t i, num;
};
/// Go through the entries in order of insertion. A dict that shares its keys has none here.
void rch_peek_dict_init(struct rch_peek_dict *entries, const struct rch_peek *peek, uint64_t dict);
bool rch_peek_dict_next(struct rch_peek_dict *entries, uint64_t *key, uint64_t *value);
/// Value of a str key, 0: none.
uint64_t rch_peek_dict_get(const struct rch_peek *peek, uint64_t dict, const char *key);

#endif
