// SPDX-License-Identifier: MIT
// tests/c/fake_python.h -- a process made of bytes with a CPython in it, laid out as a table says: an ELF
// program with dynamic symbols, its data with a runtime state, a heap with an interpreter and the
// few objects that finding it needs. To be broken by tests.
#ifndef RCH_TESTS_FAKE_PYTHON_H
#define RCH_TESTS_FAKE_PYTHON_H
#include "pylayout/layout.h"
#include "target/fake.h"
#include "target/image.h"

#define FAKE_ELF UINT64_C(0x555500000000)   // header, symbols; then code
#define FAKE_CODE (FAKE_ELF + 0x4000)
#define FAKE_DATA (FAKE_ELF + 0x6000)
#define FAKE_HEAP UINT64_C(0x555600000000)
#define FAKE_ELF_BYTES 0x4000u
#define FAKE_CODE_BYTES 0x2000u
#define FAKE_DATA_BYTES 0x4000u
#define FAKE_HEAP_BYTES 0x80000u

enum fake_clue {
    FAKE_GNU_HASH = 1,    // dynamic symbols, found by DT_GNU_HASH
    FAKE_HASH = 2,        // by DT_HASH
    FAKE_RELATIVE = 4,    // addresses in the dynamic section are not relocated (musl)
    FAKE_COOKIE = 8,      // the runtime state begins with _Py_DebugOffsets
    FAKE_NO_PYTHON = 16,  // no interpreter, no symbols of one
};

struct fake_python {
    struct rch_image image;
    struct rch_map maps[4];
    struct rch_fake_segment segments[4];
    struct rch_fake fake;
    uint8_t *bytes;  // of all segments, one after the other
    const struct rch_layout *layout;
    uint64_t next;  // free heap
    uint64_t runtime, interp, type_type, object_type, dict_type, str_type, int_type, module_type;
    uint64_t none, none_type, sysdict, modules, builtins, subtype_traverse;
};

/// Symbols (with FAKE_GNU_HASH or FAKE_HASH) are _PyRuntime, Py_Version, _Py_NoneStruct and two others.
void fake_python_init(struct fake_python *python, const struct rch_layout *layout, uint32_t clues);
void fake_python_deinit(struct fake_python *python);

/// Write into it; the address must be in one of the segments.
void fake_put(struct fake_python *python, uint64_t addr, int32_t offset, uint64_t value,
              size_t num_bytes);
void fake_put64(struct fake_python *python, uint64_t addr, int32_t offset, uint64_t value);
uint64_t fake_str(struct fake_python *python, const char *text);
uint64_t fake_int(struct fake_python *python, uint32_t value);
/// A dict of num (8 at most) str keys.
uint64_t fake_dict(struct fake_python *python, uint32_t num, const uint64_t *keys,
                   const uint64_t *values);
uint64_t fake_class(struct fake_python *python, const char *name, uint64_t traverse);

#endif
