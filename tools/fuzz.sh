#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Run each fuzz target for so many seconds, from the files of tests/corrupt. What it
# learns stays in build/corpus; a crash is left beside it as crash-*. Needs clang with libFuzzer.
#
#   tools/fuzz.sh [SECONDS]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
command -v clang >/dev/null || {
    echo 'fuzzing needs clang: apt-get install clang' >&2
    exit 1
}
if [ ! -f build/fuzz/build.ninja ]; then
    CC=clang meson setup build/fuzz -Dfuzz=true -Dpython=disabled -Dtests=disabled \
        -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
fi
meson compile -C build/fuzz >/dev/null
for target in build/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=${target##*/}
    mkdir -p "build/corpus/$name"
    "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/corpus/" "build/corpus/$name" tests/corrupt
done
