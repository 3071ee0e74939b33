#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make src/pylayout/v3_NN.c (v3_NNt.c) from the headers of a CPython release (free-threaded).

usage: gen_layout.py [--check] [--stdout] INCLUDE_DIR...

INCLUDE_DIR is the directory that holds Python.h and internal/, e.g. what
`python3.13 -c 'import sysconfig; print(sysconfig.get_path("include"))'` prints. Without options
the table of that version is rewritten; --check compares and writes nothing; --stdout prints.
Exit status: 0 fine, 1 a table differs, 2 it could not be made.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read_header(include_dir, name):
    with open(os.path.join(include_dir, name), encoding="utf-8") as file:
        return file.read()


def version_of(include_dir):
    """(minor, "3.minor.micro...") that the headers are of."""
    text = read_header(include_dir, "patchlevel.h")
    minor = int(re.search(r"#define\s+PY_MINOR_VERSION\s+(\d+)", text).group(1))
    return minor, re.search(r'#define\s+PY_VERSION\s+"([^"]+)"', text).group(1)


def is_free_threaded(include_dir):
    text = read_header(include_dir, "pyconfig.h")
    return re.search(r"^#define\s+Py_GIL_DISABLED\s+1", text, re.M) is not None


def table_path(minor, free_threaded=False):
    name = "v3_%02d%s.c" % (minor, "t" if free_threaded else "")
    return os.path.join(ROOT, "src", "pylayout", name)


def make_table(include_dir, compiler=None):
    """The text of the table, from the headers in include_dir."""
    with tempfile.TemporaryDirectory() as work_dir:
        program = os.path.join(work_dir, "gen_layout")
        command = [compiler or os.environ.get("CC", "cc"), "-std=gnu11", "-Wall", "-Wextra",
                   "-Werror", "-DPy_BUILD_CORE", "-isystem", include_dir, "-isystem",
                   os.path.join(include_dir, "internal"), "-I", os.path.join(ROOT, "src"),
                   os.path.join(ROOT, "tools", "gen_layout.c"), "-o", program]
        subprocess.run(command, check=True)
        return subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout.decode("ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--stdout", action="store_true", help="print, write nothing")
    parser.add_argument("include_dir", nargs="+")
    options = parser.parse_args()
    status = 0
    for include_dir in options.include_dir:
        try:
            minor, version = version_of(include_dir)
            text = make_table(include_dir)
        except (OSError, AttributeError, subprocess.CalledProcessError) as error:
            print("gen_layout: %s: %s" % (include_dir, error), file=sys.stderr)
            return 2
        path = table_path(minor, is_free_threaded(include_dir))
        if options.stdout:
            sys.stdout.write(text)
        elif options.check:
            with open(path, encoding="ascii") as file:
                old = file.read()
            diff = list(difflib.unified_diff(old.splitlines(), text.splitlines(), path,
                                             "headers of " + version, lineterm="", n=0))
            if diff:
                print("\n".join(diff))
                status = 1
        else:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            print("%s: from the headers of %s" % (os.path.relpath(path, ROOT), version))
    return status


if __name__ == "__main__":
    sys.exit(main())
