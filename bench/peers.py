# SPDX-License-Identifier: MIT
"""Objects a second of refchain and of other tools, on heaps of the same number of objects.

    python bench/peers.py --objects 1e6 --rounds 3

Tools of the same job stand together: counting by type, the whole graph in memory, the whole graph in a
file. They run in turn, round after round, each on a fresh heap in a fresh process; a ratio is taken
within a round. CPU time of the process that has the heap. What is not installed is said to be absent."""
from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
HEAP = "inst"  # instances with a dict, a number and a string: what the other languages' heaps have too

Row = Dict[str, Any]


class Absent(Exception):
    pass


def python_tool(name: str) -> Callable[[int, str], Row]:
    def run(size: int, folder: str) -> Row:
        command = [sys.executable, os.path.join(HERE, "in_python.py"), name, HEAP, str(size), folder]
        out = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)
        row: Row = json.loads(out.stdout)
        if "absent" in row:
            raise Absent(row["absent"])
        return row
    return run


def node_snapshot(size: int, folder: str) -> Row:
    if not shutil.which("node"):
        raise Absent("node is not installed")
    path = os.path.join(folder, "heap")
    out = subprocess.run(["node", "--max-old-space-size=8000", os.path.join(HERE, "heap.js"), str(size), path],
                         stdout=subprocess.PIPE, check=True)
    with open(path, "rb") as file:
        found = re.search(rb'"node_count":(\d+)', file.read(1 << 16))
    assert found, "no node_count in the snapshot"
    return {**json.loads(out.stdout), "objects": int(found.group(1))}


def cpu_of(pid: int) -> float:
    """Seconds of all threads that are alive, which those of a JVM stay."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as file:
            total += int(file.read().split()[0])
    return total / 1e9


def jvm(command: Callable[[str], List[str]]) -> Callable[[int, str], Row]:
    def run(size: int, folder: str) -> Row:
        if not all(map(shutil.which, ("javac", "java", "jcmd"))):
            raise Absent("no JDK is installed")
        subprocess.run(["javac", "-d", folder, os.path.join(HERE, "Heap.java")], check=True)
        java = subprocess.Popen(["java", "-XX:+UseSerialGC", "-Xmx8g", "-cp", folder, "Heap", str(size)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert java.stdin and java.stdout and java.stdout.readline() == b"ready\n"
            ask(java.pid, "VM.version")
            wall, cpu = time.perf_counter(), cpu_of(java.pid)
            ask(java.pid, *command(os.path.join(folder, "heap")))
            row = {"cpu_s": cpu_of(java.pid) - cpu, "wall_s": time.perf_counter() - wall}
            total = re.search(r"Total\s+(\d+)", ask(java.pid, "GC.class_histogram", "-all"))
            assert total, "no total in the class histogram"
            return {**row, "objects": int(total.group(1))}
        finally:
            java.kill()
            java.wait()
    return run


def ask(pid: int, *command: str) -> str:
    done = subprocess.run(["jcmd", str(pid), *command], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


@dataclass(frozen=True)
class Tool:
    name: str
    run: Callable[[int, str], Row]
    note: str = ""


JOBS: Dict[str, List[Tool]] = {  # the first one of each is ours
    "count by type": [
        Tool("`refchain.snapshot().top()`", python_tool("refchain_top"), "all objects, by way of the whole graph"),
        Tool("`objgraph.typestats()`", python_tool("objgraph_typestats"), "only those the collector tracks"),
        Tool("guppy3 `hpy().heap()`", python_tool("guppy_heap")),
        Tool("Pympler `muppy`, `summary.summarize`", python_tool("pympler_summary")),
        Tool("JVM `jcmd GC.class_histogram -all`", jvm(lambda path: ["GC.class_histogram", "-all"]),
             "walks its pages, follows no reference"),
    ],
    "whole graph, in memory": [
        Tool("`refchain.snapshot()`", python_tool("refchain_snapshot")),
        Tool("`refcycle.snapshot()`", python_tool("refcycle_snapshot"), "only those the collector tracks"),
    ],
    "whole graph, in a file": [
        Tool("`refchain.dump()`", python_tool("refchain_dump")),
        Tool("node `v8.writeHeapSnapshot()`", node_snapshot, "with the collection it starts with"),
        Tool("JVM `jcmd GC.heap_dump -all`", jvm(lambda path: ["GC.heap_dump", "-all", path])),
    ],
}


def measure(tool: Tool, size: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        row = tool.run(size, folder)
        path = os.path.join(folder, "heap")
        row["file_bytes"] = os.path.getsize(path) if os.path.exists(path) else None
        return row


def summary(job: str, tool: Tool, rows: List[Row], ours: List[Row], absent: Optional[str]) -> Row:
    """One line of the table; `rows` and `ours` are of the same rounds."""
    if absent is not None:
        return {"job": job, "tool": tool.name, "absent": absent}
    cost = [row["cpu_s"] / row["objects"] for row in rows]
    ratios = [c / (our["cpu_s"] / our["objects"]) for c, our in zip(cost, ours)]
    middle = statistics.median(cost)
    files = [row["file_bytes"] / row["objects"] for row in rows if row["file_bytes"]]
    return {"job": job, "tool": tool.name, "note": tool.note, "objects": rows[0]["objects"],
            "ns_an_object": middle * 1e9, "objects_a_second": 1 / middle, "ratio": statistics.median(ratios),
            "file_bytes_an_object": statistics.median(files) if files else None,
            "wall_s": statistics.median(row["wall_s"] for row in rows), "rounds": len(rows)}


def run_all(size: int, rounds: int) -> List[Row]:
    taken: Dict[str, List[Row]] = {}
    absent: Dict[str, str] = {}
    for number in range(rounds):
        for tools in JOBS.values():
            for tool in tools:
                if tool.name in absent:
                    continue
                print("round %d: %s" % (number + 1, tool.name), file=sys.stderr)
                try:
                    taken.setdefault(tool.name, []).append(measure(tool, size))
                except Absent as error:
                    absent[tool.name] = str(error)
                except subprocess.CalledProcessError as error:
                    if tool is tools[0]:
                        raise
                    absent[tool.name] = "failed with exit code %d" % error.returncode
    return [summary(job, tool, taken.get(tool.name, []), taken[tools[0].name], absent.get(tool.name))
            for job, tools in JOBS.items() for tool in tools]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=float, default=1e6)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for row in run_all(int(args.objects), args.rounds):
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
