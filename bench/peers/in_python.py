# SPDX-License-Identifier: MIT
"""What one tool takes on one heap, in a process of its own: python in_python.py TOOL HEAP N FOLDER

Prints a JSON object: seconds, and the objects that refchain finds in the same heap (not timed)."""
from __future__ import annotations

import gc
import json
import os
import sys
import time
from typing import Any, Callable, Dict

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import heaps  # noqa: E402


def refchain_top(folder: str) -> Callable[[], Any]:
    import refchain
    return lambda: refchain.snapshot().top()


def refchain_snapshot(folder: str) -> Callable[[], Any]:
    import refchain
    return lambda: refchain.snapshot().info  # info makes the graph ready


def refchain_dump(folder: str) -> Callable[[], Any]:
    import refchain
    return lambda: refchain.dump(os.path.join(folder, "heap"))


def objgraph_typestats(folder: str) -> Callable[[], Any]:
    import objgraph
    return objgraph.typestats


def guppy_heap(folder: str) -> Callable[[], Any]:
    from guppy import hpy
    return lambda: str(hpy().heap())


def pympler_summary(folder: str) -> Callable[[], Any]:
    from pympler import muppy, summary
    return lambda: summary.summarize(muppy.get_objects())


def refcycle_snapshot(folder: str) -> Callable[[], Any]:
    import refcycle
    return refcycle.snapshot


TOOLS: Dict[str, Callable[[str], Callable[[], Any]]] = {
    function.__name__: function for function in (
        refchain_top, refchain_snapshot, refchain_dump, objgraph_typestats, guppy_heap, pympler_summary,
        refcycle_snapshot)
}


def main() -> int:
    tool, heap, size, folder = sys.argv[1:]
    try:
        work = TOOLS[tool](folder)
    except ImportError as error:
        print(json.dumps({"absent": str(error)}))
        return 0
    keep = heaps.build(heap, int(size))
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    row = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    del result
    import refchain
    row["objects"] = refchain.snapshot().info["objects"]
    del keep
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
