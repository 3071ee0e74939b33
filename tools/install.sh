#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Build this checkout and install it into a virtual environment, unless it is there already.
#
#   tools/install.sh VENV [MESON SETUP ARGUMENT...]
#
# Objects stay in build/, one directory for each environment and Python version, so that a second
# build compiles only what changed. tools/bootstrap.sh VENV build comes first.
set -eu
cd "$(dirname "$0")/.."
venv=$1
shift
python=$venv/bin/python
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
build=build/wheel${venv#.venv}-$version
stamp=$venv/.installed
key="$PWD $version $*"

is_current() {
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$key" ] && [ -f "$build/build.ninja" ] &&
        [ -z "$(find meson.build meson.options pyproject.toml README.md src python docs/man \
            -name __pycache__ -prune -o -newer "$stamp" -print -quit)" ]
}
if is_current; then exit 0; fi

if [ "$(cat "$build/.configured" 2>/dev/null || true)" != "$key" ]; then rm -rf "$build"; fi
mkdir -p "$build"
printf '%s\n' "$key" >"$build/.configured"
printf '%s\n' "$key" >"$stamp.new" # its time: before the build reads the sources
settings=("-Cbuild-dir=$build")
for argument in "$@"; do settings+=("-Csetup-args=$argument"); done
printf 'building refchain for Python %s into %s\n' "$version" "$venv" >&2
PATH="$PWD/$venv/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install -q \
    --no-build-isolation --no-deps --force-reinstall "${settings[@]}" . </dev/null
mv "$stamp.new" "$stamp"
