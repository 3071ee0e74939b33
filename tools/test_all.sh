#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Python tests on every CPython from 3.9 to 3.15 that is here, each with an environment and a
# build of its own. Looks at python3.N on PATH and in ~/.pyenv/versions; says which are missing.
set -eu
cd "$(dirname "$0")/.."
unset PYTHON
versions=${VERSIONS:-3.9 3.10 3.11 3.12 3.13 3.14 3.15}

find_python() { # the newest working CPython $1 there is
    local candidate
    while read -r candidate; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1' \
            or sys.implementation.name != 'cpython' or hasattr(sys, 'gettotalrefcount'))" \
            2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done < <(
        find "${HOME:-/}"/.pyenv/versions/"$1".*/bin/python 2>/dev/null | sort -rV
        command -v "python$1" || true
    )
    return 1
}

passed=() failed=() absent=()
for version in $versions; do
    if ! python=$(find_python "$version"); then
        absent+=("$version")
        continue
    fi
    printf '\n--- Python %s\n' "$version"
    venv=.venv-$version
    if PYTHON=$python tools/bootstrap.sh "$venv" build test && tools/install.sh "$venv" &&
        "$venv/bin/python" -m pytest -p no:cacheprovider -q "$@"; then
        passed+=("$version")
    else
        failed+=("$version")
    fi
done
printf '\npassed: %s\nfailed: %s\nnot installed here: %s\n' \
    "${passed[*]:-none}" "${failed[*]:-none}" "${absent[*]:-none}"
[ ${#failed[@]} -eq 0 ] && [ ${#passed[@]} -gt 0 ]
