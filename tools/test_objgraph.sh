#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# objgraph's own suite against refchain.objgraph, on .venv's interpreter and on every environment that
# tools/test_all.sh has made (build/all/*). Says so when there is no network.
set -u
cd "$(dirname "$0")/.."
failed=0
for python in .venv/bin/python build/all/*/bin/python; do
    [ -x "$python" ] || continue
    "$python" -c 'import refchain' 2>/dev/null || continue
    echo "== $("$python" --version)"
    "$python" tests/objgraph/run_suite.py
    code=$?
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then failed=1; fi
done
exit "$failed"
