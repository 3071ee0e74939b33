#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Python tests on CPythons newer than this machine's: in a Debian sid of its own, made once with
# debootstrap and kept. What happens in it stays in it: the checkout is copied, mounts are private.
#
#   tools/test_sid.sh [PYTEST ARGUMENT...]
#
# SID         its directory (build/sid)
# SID_MIRROR  where Debian's packages come from (where this machine's apt gets its own)
# VERSIONS    of Python (3.14 3.15)
set -eu
cd "$(dirname "$0")/.."
sid=$(realpath -m "${SID:-build/sid}")
versions=${VERSIONS:-3.14 3.15}
in_process=(test_api test_corpus test_gen_layout test_hostile test_observer test_threads test_truth
    test_unperturbed)
outside=(test_core test_fds test_find test_hung test_live test_live_permit test_outside test_stacks_outside
    test_targets)

cannot() {
    printf 'test-sid cannot run here: %s\n' "$*" >&2
    exit 2
}

is_complete() {
    local version
    for version in $versions; do
        [ -x "$sid/usr/bin/python$version" ] && [ -d "$sid/usr/include/python$version/internal" ] ||
            return 1
    done
    [ -x "$sid/usr/bin/gcc" ] && [ -x "$sid/usr/bin/gcore" ] && [ -x "$sid/usr/bin/zstd" ]
}

make_sid() {
    local from packages=gcc,gdb,libc6-dev,libcmocka-dev,libxxhash-dev,libzstd-dev,zlib1g-dev,zstd version log=$sid.log
    command -v debootstrap >/dev/null || cannot "debootstrap is missing: apt-get install debootstrap"
    from=${SID_MIRROR:-$(tools/debian_mirror.sh)}
    [ -n "$from" ] || cannot "no mirror of Debian in apt's sources: name one with SID_MIRROR=..."
    for version in $versions; do
        packages+=,python$version,python$version-dev,python$version-venv
    done
    mkdir -p "$(dirname "$sid")"
    rm -rf "$sid.new"
    printf 'making a Debian sid in %s\n' "$sid" >&2
    debootstrap --variant=minbase --include="$packages" sid "$sid.new" "$from" >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        cannot "debootstrap failed, see $log"
    }
    # A mirror that is not kept up to date says so in its Release file; here that does not matter.
    printf 'Acquire::Check-Valid-Until "false";\n' >"$sid.new/etc/apt/apt.conf.d/90refchain"
    rm -rf "$sid"
    mv "$sid.new" "$sid"
}

# What is in the checkout, not what was built from it. A file keeps its time unless it differs: it may
# be older than what was built there from another one.
copy_checkout() {
    local there=$sid/root/refchain new=$sid/root/refchain.new file
    rm -rf "$new"
    mkdir -p "$there" "$new"
    git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
        tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
        tar --extract --touch --directory="$new" --no-same-owner
    (cd "$new" && find . -type f -print0) | while IFS= read -r -d '' file; do
        cmp -s "$there/$file" "$new/$file" && touch -r "$there/$file" "$new/$file"
    done || true
    find "$there" -mindepth 1 -maxdepth 1 ! -name build ! -name '.venv*' -exec rm -rf {} +
    find "$new" -mindepth 1 -maxdepth 1 -exec mv -t "$there" {} +
    rmdir "$new"
}

# Names, certificates and package index as they are out here.
settings=()
copy_settings() {
    local certificates=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}} index name
    cp -L /etc/resolv.conf /etc/hosts "$sid/etc/"
    if [ -f "$certificates" ]; then
        install -D -m 644 "$certificates" "$sid/etc/ssl/certs/refchain.pem"
        settings+=(PIP_CERT=/etc/ssl/certs/refchain.pem)
    fi
    index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || settings+=("PIP_INDEX_URL=$index")
    for name in PIP_DEFAULT_TIMEOUT http_proxy https_proxy no_proxy; do
        [ -z "${!name:-}" ] || settings+=("$name=${!name}")
    done
}

[ "$(id -u)" = 0 ] || cannot "chroot and mount need root"
command -v unshare >/dev/null || cannot "unshare (util-linux) is missing"
unshare --mount true 2>/dev/null || cannot "mounts of our own are not allowed in this container"
is_complete || make_sid
is_complete || cannot "$sid has no Python $versions with headers, or no gcc, gdb or zstd"
copy_checkout
copy_settings
if [ $# -eq 0 ]; then
    set -- $(printf 'tests/py/%s.py ' "${in_process[@]}" ${outside[@]+"${outside[@]}"})
fi
exec unshare --mount --propagation private bash -c '
    set -eu
    sid=$1
    shift
    mount --bind "$sid" "$sid" # a root of its own: unshare(1) wants one
    mount -t proc proc "$sid/proc"
    mount --rbind /dev "$sid/dev"
    exec chroot "$sid" "$@"' sid "$sid" \
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 VERSIONS="$versions" \
    ${settings[@]+"${settings[@]}"} bash -c '
    set -eu
    cd /root/refchain
    venv=.venv-${VERSIONS%% *}
    PYTHON=python${VERSIONS%% *} tools/bootstrap.sh "$venv" build test
    PATH="$PWD/$venv/bin:$PATH" tools/ctest.sh --build build/c # image_lab and the like
    exec tools/test_all.sh "$@"' sid "$@"
