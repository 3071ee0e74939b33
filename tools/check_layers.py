#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_layers.py [ROOT]: fail where a C file includes what its module may not, uses a banned
function or goto, or is too long. Prints "file:line: what"; warnings do not fail."""
import re
import sys
from pathlib import Path

# Who may include whom; leave is inherited: what `model` may include, `format` may too.
TOP = ["format", "capture", "analyze", "render"]
USES = {"base": [], "model": ["base"], "format": ["model"], "target": ["base"],
        "pylayout": ["target"], "capture": ["model", "pylayout", "target"],
        "analyze": ["model"], "render": ["analyze", "model"], "cli": TOP, "ext": TOP}
BANNED = re.compile(r"(?<![\w.>])(?:strcpy|strcat|v?sprintf|gets|strtok|alloca)(?=\s*\()|\bgoto\b")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
MAX_FILE, SOFT_FUNCTION, MAX_FUNCTION = 1000, 60, 120


def reach(module):
    """The module itself and everything that it may include."""
    return {module}.union(*(reach(used) for used in USES.get(module, [])))


def check_file(path, module):
    """Yield (line, what, is_error) for one file."""
    text = path.read_text()
    for found in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)', text, re.M):
        number, name, is_ours = text.count("\n", 0, found.start()) + 1, found[2], found[1] == '"'
        if module == "ext" and (name == "Python.h" or "/" not in name):
            continue
        if name == "Python.h" or (is_ours and name.split("/")[0] not in reach(module)):
            yield number, f'{module} may not include "{name}"', True
    blanked = NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    lines, start = blanked.splitlines(), 0
    for number, line in enumerate(lines, 1):
        yield from ((number, f"{name} is banned", True) for name in BANNED.findall(line))
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            length = number - start - 1
            if length > SOFT_FUNCTION:
                yield start, f"a function of {length} lines", length > MAX_FUNCTION
            start = 0
    if len(lines) > MAX_FILE:
        yield len(lines), f"a file of {len(lines)} lines", True


def main(root):
    src = root / "src"
    files = [(file, file.relative_to(src).parts[0]) for file in sorted(src.rglob("*.[ch]"))]
    files += [(file, "ext") for file in sorted((root / "python/ext").rglob("*.[ch]"))]
    found = [(file, *row) for file, module in files for row in check_file(file, module)]
    for file, line, what, is_error in found:
        print(f"{file.relative_to(root)}:{line}: {'error' if is_error else 'warning'}: {what}")
    print(f"layers: {len(files)} files, {sum(row[3] for row in found)} errors")
    return int(not files or any(row[3] for row in found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else __file__ + "/../..").resolve()))
