#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Build the C tests in a directory of their own and run them.
#
#   tools/ctest.sh [--build] BUILD-DIR [MESON SETUP ARGUMENT...]      --build: do not run them
set -eu
cd "$(dirname "$0")/.."
only_build=false
if [ "$1" = --build ]; then
    only_build=true
    shift
fi
build=$1
shift
key="$PWD ${CC:-cc} $*"
if [ "$(cat "$build/.configured" 2>/dev/null || true)" != "$key" ]; then
    rm -rf "$build"
    mkdir -p "$build"
    meson setup "$build" -Dtests=enabled "$@" >"$build.log" 2>&1 </dev/null ||
        { cat "$build.log" >&2; exit 1; }
    printf '%s\n' "$key" >"$build/.configured"
fi
meson compile -C "$build" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
"$only_build" || meson test -C "$build" --no-rebuild --print-errorlogs </dev/null
