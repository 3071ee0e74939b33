#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write src/render/unicode_tables.h: which characters are hidden, take no column, or take two.

Run: python3 tools/gen_unicode_tables.py > src/render/unicode_tables.h
"""

import unicodedata

HIDDEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Zs", "Cs"}
FILLERS = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800}  # letters and symbols that look like nothing


def category(code):
    return unicodedata.category(chr(code))


def is_hidden(code):
    is_noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    is_tag = 0xE0000 <= code <= 0xE0FFF
    return category(code) in HIDDEN_CATEGORIES or code in FILLERS or is_noncharacter or is_tag


def is_zero(code):
    is_jamo_tail = 0x1161 <= code <= 0x11FF
    return (category(code) in ("Mn", "Me") or is_jamo_tail) and not is_hidden(code)


def is_wide(code):
    wide = unicodedata.east_asian_width(chr(code)) in ("W", "F")
    return wide and not is_hidden(code) and not is_zero(code)


def ranges(wanted):
    """Ranges of wanted characters; small gaps of unassigned ones are swallowed."""
    found = []
    for code in range(0x80, 0x110000):
        if not wanted(code):
            continue
        if (
            found
            and code - found[-1][1] < 64
            and all(
                category(gap) == "Cn" and not is_hidden(gap)
                for gap in range(found[-1][1] + 1, code)
            )
        ):
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def write_table(name, wanted):
    print(f"static const struct rch_code_range {name}[] = {{")
    line = "   "
    for first, last in ranges(wanted):
        cell = f" {{0x{first:x}, 0x{last:x}}},"
        if len(line) + len(cell) > 98:
            print(line)
            line = "   "
        line += cell
    print(line)
    print("};")


def main():
    print("// SPDX-License-Identifier: MIT")
    print("// render/unicode_tables.h -- made by tools/gen_unicode_tables.py from Unicode", end=" ")
    print(f"{unicodedata.unidata_version}.")
    print("// Sorted ranges of code points from U+0080 on, ends included.")
    print("#ifndef RCH_RENDER_UNICODE_TABLES_H\n#define RCH_RENDER_UNICODE_TABLES_H")
    print("#include <stdint.h>\n")
    print("struct rch_code_range {\n    uint32_t first, last;\n};\n")
    print("// Shown as \\u{N}: controls, format characters (bidirectional overrides), odd spaces.")
    write_table("hidden_codes", is_hidden)
    print("\n// Combining marks: no column of their own.")
    write_table("zero_codes", is_zero)
    print("\n// East Asian wide and full-width characters, emoji: two columns.")
    write_table("wide_codes", is_wide)
    print("\n#endif")


main()
