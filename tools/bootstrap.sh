#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Make a virtual environment that can build and test refchain, installing what is missing.
#
#   tools/bootstrap.sh VENV GROUP...     groups: see [dependency-groups] in pyproject.toml
#
# Needs a python3 and, to build, a C compiler. Debian packages come from apt when this is root or
# `sudo -n` works; otherwise they are listed and nothing is done. PYTHON and CC choose others than
# python3 and cc. A second run with nothing to do takes a fraction of a second.
set -eu
cd "$(dirname "$0")/.."
venv=$1
shift
PATH=${PATH#"$PWD/.venv/bin:"} # `python3` is the system's, not the one of an environment of ours
export CC="${CC:-cc}" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '%s\n' "$*" >&2; }
die() { say "refchain: $*"; exit 1; }

# --- which interpreter: $PYTHON, else the one the environment already has, else python3 ----------
if [ -n "${PYTHON:-}" ]; then
    python=$PYTHON
elif [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    python=$venv/bin/python
else
    python=python3
fi
facts=$("$python" - 2>/dev/null <<'PY'
import importlib.util, os, sys, sysconfig
print("%d.%d" % sys.version_info[:2])
print(os.path.isfile(os.path.join(sysconfig.get_paths()["include"], "Python.h")))
print(importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None)
print(sys.version.split()[0], sys.base_prefix, os.getcwd())
PY
) || die "'$python' does not run: install python3 (3.9 or newer), or name one with PYTHON=..."
{ read -r version; read -r has_header; read -r has_ensurepip; read -r identity; } <<<"$facts"
case $version in
    3.9 | 3.[1-9][0-9]) ;;
    *) die "Python $version is too old, 3.9 or newer is needed; name one with PYTHON=..." ;;
esac

# --- nothing to do? -------------------------------------------------------------------------------
key="$identity $(cat pyproject.toml tools/bootstrap.sh | cksum)"
missing=()
for group in "$@"; do
    if [ "$(cat "$venv/.group-$group" 2>/dev/null || true)" != "$key" ]; then
        missing+=("$group")
    fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

# --- what the system lacks ------------------------------------------------------------------------
compiles() { printf '#include <%s>\n' "$@" | $CC -E -x c - >/dev/null 2>&1; }
wants() { case " ${missing[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

look_for_packages() {
    packages=()
    reasons=()
    need() { packages+=("$1"); reasons+=("    $1: $2"); }
    if [ "$has_ensurepip" = False ]; then
        need "python$version-venv" "virtual environments for Python $version"
    fi
    if wants build; then
        if [ "$CC" = cc ] && ! command -v cc >/dev/null; then
            need gcc "a C compiler"
            need libc6-dev "the headers of the C library"
        elif ! compiles stdio.h; then
            need libc6-dev "the headers of the C library"
        fi
        [ "$has_header" = True ] || need "python$version-dev" "Python.h, for the extension"
        compiles xxhash.h || need libxxhash-dev "xxhash.h, the checksum in snapshot files"
        compiles zlib.h || need zlib1g-dev "zlib.h, for core files compressed with gzip"
        compiles zstd.h || need libzstd-dev "zstd.h, for core files compressed with zstd"
    fi
    if wants test && ! compiles stdarg.h stddef.h setjmp.h stdint.h cmocka.h; then
        need libcmocka-dev "cmocka, which runs the C tests"
    fi
    wishes=() # what can be done without
    if wants test && ! command -v valgrind >/dev/null; then
        wishes+=(valgrind)
    fi
}

apt_install() {
    local as_root=() log
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    log=$(mktemp)
    apt() {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q \
            -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null
    }
    say "installing Debian packages: $*"
    if apt install --no-install-recommends "$@" ||
        { apt update; apt install --no-install-recommends "$@"; }; then
        rm -f "$log"
        return 0
    fi
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
}

look_for_packages
if [ ${#packages[@]} -gt 0 ] && ! apt_install "${packages[@]}"; then
    say "refchain: these packages are missing, and apt could not install them from here:"
    say "$(printf '%s\n' "${reasons[@]}")"
    say "As an administrator run:"
    say "    apt-get install ${packages[*]}"
    die "then run the same command again"
fi

for package in ${wishes[@]+"${wishes[@]}"}; do
    apt_install "$package" || say "refchain: without $package; what needs it is skipped, and says so"
done

# --- the environment ------------------------------------------------------------------------------
if [ "$(cat "$venv/.identity" 2>/dev/null || true)" != "$identity" ]; then
    if [ -e "$venv" ]; then
        [ -f "$venv/pyvenv.cfg" ] || die "$venv is in the way: not a virtual environment"
        case $(command -v "$python") in
            "$venv"/* | "$PWD/$venv"/*) python=$("$python" -c 'import sys; print(sys._base_executable)') ;;
        esac
        rm -rf "$venv"
    fi
    say "making $venv with Python $version"
    "$python" -m venv "$venv" || die "Python $version cannot make a virtual environment"
    "$venv/bin/python" -m pip install -q --upgrade 'pip >= 25.1' || die "cannot upgrade pip in $venv"
    printf '%s\n' "$identity" >"$venv/.identity"
fi
say "installing into $venv: what refchain needs for: ${missing[*]}"
groups=()
for group in "${missing[@]}"; do groups+=(--group "$group"); done
"$venv/bin/python" -m pip install -q "${groups[@]}" || die "pip could not install: ${missing[*]}"
for group in "${missing[@]}"; do printf '%s\n' "$key" >"$venv/.group-$group"; done
