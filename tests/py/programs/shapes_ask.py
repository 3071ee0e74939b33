# SPDX-License-Identifier: MIT
"""shapes_ask.py wait | SNAPSHOT: keep objects in all ways of leak_shapes, and wait on standard input; or
tell the fingerprints of each class's holders from inside, and write a snapshot."""

import gc
import json
import os
import sys

import leak_shapes

gc.collect()
if sys.argv[1:] == ["wait"]:
    print("READY", flush=True)
    sys.stdin.readline()
    os._exit(0)

import refchain  # noqa: E402

graph = refchain.snapshot()
told = {}
for name in leak_shapes.SHAPES:
    answer = graph.why(f"leak_shapes.{name}")
    told[name] = sorted(holder.fingerprint for holder in answer.holders)
refchain.dump(sys.argv[1])
print("@@" + json.dumps(told), flush=True)
os._exit(0)
