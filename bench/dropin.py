# SPDX-License-Identifier: MIT
"""refchain.objgraph beside objgraph: python bench/dropin.py --heaps inline ast --sizes 1e6 3e6

Both run in turn on one heap in one process, a fresh one for each heap; the table has the medians of the
ratios of CPU time, round by round. `+` goal met, `!` goal missed. Needs objgraph (pip install
objgraph==3.6.2). objgraph runs gc.collect() before most searches and refchain does not: that is part
of the figures. Chains of refchain are asked for with nothing kept from the question before, except in
the rows `again`.
"""
from __future__ import annotations

import argparse
import gc
import importlib
import io
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

FLAT = ("inline", "inst", "dicts", "lists", "chain", "wide", "tuples")
DEPTH = 20

# row: goal on flat heaps, on scattered ones
GOALS: Dict[str, Tuple[float, float]] = {
    "count": (3, 3), "by_type": (3, 3), "typestats": (5, 5),
    "get_leaking_objects": (20, 20), "get_new_ids": (10, 10),
    "chain of 17": (5, 20), "chain of depth 20": (5, 20), "300 referrers": (40, 40),
    "chain again": (10_000, 10_000), "300 referrers again": (10_000, 10_000),
}


class Node:
    __slots__ = ("next",)


def deep(module: Any) -> Any:
    """An object 20 references from the module: module, dict, list, 16 nodes, the object."""
    module.deep_chain = [Node()]
    last = module.deep_chain[0]
    for _ in range(DEPTH - 3):
        last.next = Node()
        last = last.next
    return last


def cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def forget() -> None:
    """Drop what refchain keeps for the next question: garbage, which a collection takes."""
    gc.collect()


def tasks(theirs: Any, ours: Any, heaps: Any, measure: Any) -> List[Tuple[str, Any, Any]]:
    def chain(tool: Any, obj: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: tool.find_backref_chain(obj(), tool.is_proper_module)

    last = deep(heaps)
    targets = [("chain of 17", measure.leaked), ("chain of depth 20", lambda: last),
               ("300 referrers", measure.session)]
    rows: List[Tuple[str, Any, Any]] = [
        ("count", lambda: theirs.count("Leaked"), lambda: ours.count("Leaked")),
        ("by_type", lambda: theirs.by_type("Leaked"), lambda: ours.by_type("Leaked")),
        ("typestats", theirs.typestats, ours.typestats),
        ("get_leaking_objects", theirs.get_leaking_objects, ours.get_leaking_objects),
        ("get_new_ids", lambda: theirs.get_new_ids(file=io.StringIO()),
         lambda: ours.get_new_ids(file=io.StringIO())),
    ]
    return rows + [(name, chain(theirs, obj), chain(ours, obj)) for name, obj in targets]


def measure_heap(name: str, size: int, rounds: int) -> None:
    theirs = importlib.import_module("objgraph")
    import heaps
    import measure
    from refchain import objgraph as ours
    gc.disable()
    keep = heaps.build(name, size, 1)
    rows = tasks(theirs, ours, heaps, measure)
    theirs.get_new_ids(limit=0), ours.get_new_ids(limit=0)
    gc.collect()
    times: Dict[str, List[Tuple[float, float]]] = {}
    for _ in range(rounds):
        for row, their_work, our_work in rows:
            if row == "300 referrers" and sum(a for a, _ in times.get(row, [])) > 60:
                continue
            their_seconds = cpu_seconds(their_work)
            forget()
            our_seconds = cpu_seconds(our_work)
            times.setdefault(row, []).append((their_seconds, our_seconds))
            if row in ("chain of 17", "300 referrers"):
                again = min(cpu_seconds(our_work) for _ in range(9))
                key = "chain again" if row == "chain of 17" else row + " again"
                times.setdefault(key, []).append((their_seconds, again))
    print("%s %.0e objects, %d tracked; CPython %s, objgraph %s" % (
        name, size, len(gc.get_objects()), platform.python_version(), theirs.__version__))
    for row, pairs in times.items():
        ratio = statistics.median(a / max(b, 1e-9) for a, b in pairs)
        goal = GOALS[row][name not in FLAT]
        print("  %-22s %12.3f ms %12.3f ms %10.1fx  goal %gx %s" % (
            row, statistics.median(a for a, _ in pairs) * 1e3,
            statistics.median(b for _, b in pairs) * 1e3, ratio, goal,
            "+" if ratio >= goal else "!"), flush=True)
    del keep


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heaps", nargs="+", default=["inline", "ast"])
    parser.add_argument("--sizes", nargs="+", type=lambda text: int(float(text)),
                        default=[1_000_000, 3_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure_heap(args.heaps[0], args.sizes[0], args.rounds)
        return 0
    failed = 0
    for size in args.sizes:
        for heap in args.heaps:
            done = subprocess.run([sys.executable, os.path.abspath(__file__), "--one", "--heaps", heap,
                                   "--sizes", str(size), "--rounds", str(args.rounds)],
                                  env={**os.environ, "PYTHONHASHSEED": "0"})
            failed |= done.returncode != 0
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
