#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Format and lint, with the versions in .venv.
#
#   tools/check_style.sh           fail where clang-format or ruff would change or report something
#   tools/check_style.sh --fix     change it
#   tools/check_style.sh --tidy    also clang-tidy over src/ and python/ext (minutes)
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

mapfile -t c_files < <(find src python/ext tests/c bench/c fuzz tools -name '*.[ch]' 2>/dev/null | sort)
case ${1:-} in
    --fix)
        clang-format -i "${c_files[@]}"
        ruff check --quiet --fix .
        exit
        ;;
esac
clang-format --dry-run -Werror "${c_files[@]}"
ruff check --quiet .
printf 'style: %d C files and the Python files are as clang-format and ruff want them\n' \
    "${#c_files[@]}"

if [ "${1:-}" = --tidy ]; then
    command -v clang-tidy >/dev/null ||
        { echo 'clang-tidy is missing: apt-get install clang-tidy' >&2; exit 1; }
    [ -f build/tidy/compile_commands.json ] || meson setup build/tidy -Dtests=disabled >/dev/null
    mapfile -t linted < <(find src python/ext -name '*.c' | sort)
    printf '%s\0' "${linted[@]}" | xargs -0 -P 2 -n 4 clang-tidy -p build/tidy --quiet
fi
