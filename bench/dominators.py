# SPDX-License-Identifier: MIT
"""Dominators and retained bytes beside the capture of the same heap, in one process.

    python bench/dominators.py --objects 1000000 inst dicts ast

Takes CPU time, the least of some rounds each. Exit code 1: more than 1.3 times the capture."""
import argparse
import gc
import json
import time
from typing import Any, Callable, Tuple

import heaps
import refchain

GOAL = 1.3


def seconds(work: Callable[[], Any]) -> Tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def round_of() -> Tuple[float, float, int]:
    capture, (graph, num) = seconds(snapshot)
    plain, _ = seconds(graph.top)  # what the histogram costs without them
    retained, _ = seconds(lambda: graph.top(sort="retained"))
    return capture, retained - plain, num


def snapshot() -> Tuple[Any, int]:
    graph = refchain.snapshot()
    return graph, graph.info["objects"]  # asks for the finished graph


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heaps", nargs="*", default=["inst", "dicts", "chain", "shuffled", "ast"],
                        help="of heaps.py: %s" % " ".join(heaps.HEAPS))
    parser.add_argument("--objects", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="a JSON line a heap instead of the table")
    args = parser.parse_args()
    missed = False
    if not args.json:
        print("%-10s %10s %12s %12s %8s" % ("heap", "objects", "capture", "dominators", "ratio"))
    for name in args.heaps:
        keep = heaps.build(name, args.objects)
        gc.collect()
        rounds = [round_of() for _ in range(args.rounds)]
        del keep
        capture, dominators = (min(r[i] for r in rounds) for i in (0, 1))
        num = rounds[0][2]
        missed |= dominators > GOAL * capture
        if args.json:
            print(json.dumps({"heap": name, "objects": num, "capture_ns": capture / num * 1e9,
                              "dominators_ns": dominators / num * 1e9}), flush=True)
            continue
        print("%-10s %10d %9.0f ns %9.0f ns %8.2f%s" % (
            name, num, capture / num * 1e9, dominators / num * 1e9, dominators / capture,
            "  over %.1f" % GOAL if dominators > GOAL * capture else ""), flush=True)
    return int(missed and not args.json)


if __name__ == "__main__":
    raise SystemExit(main())
