// SPDX-License-Identifier: MIT
// render/clean.h -- hostile names to text that a terminal shows as it is, counted in display
// columns and cut in the middle when too long. Bounded output, no allocation.
#ifndef RCH_RENDER_CLEAN_H
#define RCH_RENDER_CLEAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rch_clean_flags {
    RCH_CLEAN_ASCII = 1,   // everything that is not ASCII comes out as \u{N}
    RCH_CLEAN_QUOTED = 2,  // inside "...": quotes and backslashes get a backslash
};

/// One character of the input, as it will be shown.
struct rch_glyph {
    char bytes[12];
    uint8_t num_bytes;
    uint8_t columns;
};

/// Decode and escape the character at text[0]; num_left >= 1. Returns the input bytes used, 1..4.
/// Broken UTF-8 comes out byte by byte as \xNN.
size_t rch_glyph_next(const char *text, size_t num_left, unsigned flags, struct rch_glyph *out);

// No text of up to this many columns needs more than RCH_CLEAN_BYTES, its NUL included.
#define RCH_CLEAN_MAX_COLUMNS 200u
#define RCH_CLEAN_BYTES 4096u

/// Clean copy of `text` in at most `max_columns` display columns, NUL-terminated. What does not fit
/// is left out of the middle, an ellipsis in its place. Returns the columns used. O(length).
uint32_t rch_clean(char out[RCH_CLEAN_BYTES], const char *text, uint32_t max_columns,
                   unsigned flags);
/// Columns that the whole clean text takes.
uint64_t rch_clean_columns(const char *text, unsigned flags);

#endif
