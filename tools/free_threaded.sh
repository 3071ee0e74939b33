#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A free-threaded CPython for the tests to read: Debian's source of python3.13 (trixie), built with
# --disable-gil, once. Needs neither root nor apt's sources of this machine changed.
#
#   tools/free_threaded.sh
#
# PREFIX  where it goes (build/free-threaded)
# MIRROR  where Debian's sources come from (where this machine's apt gets its own packages)
# JOBS    of make (as many as there are processors)
set -eu
cd "$(dirname "$0")/.."
prefix=$(realpath -m "${PREFIX:-build/free-threaded}")
work=$prefix.work
log=$prefix.log
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

cannot() {
    printf 'free_threaded.sh cannot run here: %s\n' "$*" >&2
    exit 2
}

own_apt() { # with lists and sources of its own
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
        -o Acquire::Check-Valid-Until=false "$@"
}

get_source() {
    rm -rf "$work"
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
    printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$1" "$suite" "$keyring" >"$work/sources/$suite.sources"
    own_apt update && (cd "$work" && own_apt --download-only source python3.13) &&
        tar --extract --directory="$work" --file "$(echo "$work"/python3.13_*.orig.tar.xz)"
}

build() {
    cd "$work"/Python-3.13*/ && ./configure --disable-gil --prefix="$prefix" &&
        make -j"${JOBS:-$(nproc)}" && make install
}

if [ ! -x "$prefix/bin/python3.13t" ]; then
    from=${MIRROR:-$(tools/debian_mirror.sh)}
    [ -n "$from" ] || cannot "no mirror of Debian in apt's sources: name one with MIRROR=..."
    [ -e "$keyring" ] || cannot "$keyring is missing: apt-get install debian-archive-keyring"
    printf 'building a free-threaded CPython 3.13 in %s\n' "$prefix" >&2
    mkdir -p "$(dirname "$prefix")"
    (get_source "$from" && build) >"$log" 2>&1 </dev/null || {
        tail -n 5 "$log" >&2
        cannot "see $log"
    }
    rm -rf "$work"
fi
printf '%s\n' "$prefix/bin/python3.13t"
