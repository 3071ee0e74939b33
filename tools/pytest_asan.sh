#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pytest in .venv-asan, whose extension is built with AddressSanitizer: the interpreter itself is
# not, so its run-time library comes first, and Python's own allocator steps aside. CPython leaks
# at exit by design, so leaks are not looked for here (the C tests do).
set -eu
cd "$(dirname "$0")/.."
preload=
for name in libasan.so libubsan.so; do
    path=$(${CC:-cc} -print-file-name="$name")
    case $path in
        /*) preload="$preload${preload:+:}$path" ;;
        *) echo "$name not found: run with CC=gcc" >&2; exit 1 ;;
    esac
done
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Left out: groff is not ours; the layout tests read CPython with ctypes, not with our code, and one of
# them does not hold with PYTHONMALLOC=malloc; the sanitizer keeps freed memory on purpose.
LD_PRELOAD=$preload PYTHONMALLOC=malloc .venv-asan/bin/python -m pytest -p no:cacheprovider \
    --deselect tests/py/test_cli.py::test_the_man_page_has_no_markup_errors \
    --deselect tests/py/test_gen_layout.py::test_the_table_agrees_with_live_objects \
    --deselect tests/py/test_layout_live_runtime.py \
    --deselect tests/py/test_unperturbed.py::test_memory_is_given_back \
    --deselect tests/py/test_unperturbed.py::test_interrupting_leaves_nothing_behind "$@"
