# SPDX-License-Identifier: MIT
"""What the first question to a snapshot costs, the next one, and the list of types of a snapshot file.

    python bench/questions.py --objects 1000000 inst ast

Each heap in this process, medians of the rounds; the question is why one object is alive, the file is in the
page cache. Seconds are CPU seconds, but those of the file wall time."""
from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from typing import Any, Callable, Dict, List, Tuple

import heaps
import measure
import refchain

Row = Dict[str, Any]


def timed(work: Callable[[], Any]) -> Tuple[float, float, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def snapshot() -> Any:
    graph = refchain.snapshot()
    graph.info  # asks for the finished graph
    return graph


def round_of(path: str) -> Row:
    capture, _, graph = timed(snapshot)
    first, second = id(measure.leaked()), id(measure.session())
    first_s, _, _ = timed(lambda: str(graph.why(first)))
    next_s, _, _ = timed(lambda: str(graph.why(second)))
    graph.dump(path)
    _, open_s, _ = timed(lambda: str(refchain.load(path).top()))
    return {"capture_s": capture, "first_s": first_s, "next_s": next_s, "open_s": open_s,
            "objects": graph.info["objects"]}


def measure_heap(name: str, size: int, rounds: int) -> Row:
    keep = heaps.build(name, size)
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        rows: List[Row] = [round_of(os.path.join(folder, "heap.rch")) for _ in range(rounds)]
    del keep
    return {"heap": name, "objects": rows[0]["objects"],
            "first_beside_capture": statistics.median(row["first_s"] / row["capture_s"] for row in rows),
            "next_ms": statistics.median(row["next_s"] for row in rows) * 1e3,
            "open_ms": statistics.median(row["open_s"] for row in rows) * 1e3}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heaps", nargs="*", default=["inst", "dicts", "chain", "shuffled", "ast"],
                        help="of heaps.py: %s" % " ".join(heaps.HEAPS))
    parser.add_argument("--objects", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for name in args.heaps:
        print(json.dumps(measure_heap(name, args.objects, args.rounds)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
