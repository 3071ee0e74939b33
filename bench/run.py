# SPDX-License-Identifier: MIT
"""Measure refchain beside gc.collect(), objgraph and guppy3 and print their ratios.

    python bench/run.py --quick
    python bench/run.py --heaps ast inline --sizes 1e6 3e6 --json out.jsonl

Each heap is measured in a process of its own (measure.py). The goals are information: a missed one
is marked, and never an error. objgraph and guppy3 are measured if they can be imported.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

import heaps

HERE = os.path.dirname(os.path.abspath(__file__))
QUICK_HEAPS = ["inline", "inst", "wide", "ast"]
BYTES_AN_OBJECT = 320  # of memory, heap and tools together; a size that does not fit is skipped

Row = Dict[str, Any]


# ---- goals ---------------------------------------------------------------------------------------


def capture_goal(row: Row) -> Optional[float]:
    """On the heaps and sizes the goals were set for."""
    if row["objects"] < 900_000 or row["heap"] in ("shuffled", "tuples"):
        return None  # of tuples gc.collect() sees one object in a thousand: nothing to compare with
    return 0.25 if row["heap"] in ("ast", "aged") else 1.4


def backref_goal(row: Row) -> Optional[float]:
    return 20.0 if row["objects"] >= 2_500_000 else None


def always(limit: float) -> Callable[[Row], Optional[float]]:
    return lambda row: limit


def from_a_million(limit: float) -> Callable[[Row], Optional[float]]:
    return lambda row: limit if row["objects"] >= 900_000 else None


@dataclass(frozen=True)
class Column:
    title: str
    value: Callable[[Row], Optional[float]]
    text: str
    goal: Optional[Callable[[Row], Optional[float]]] = None
    more_is_better: bool = False

    def cell(self, row: Row) -> str:
        value = self.value(row)
        if value is None:
            return "-  "
        limit = self.goal(row) if self.goal else None
        if limit is None:
            mark = "  "
        elif (value >= limit) if self.more_is_better else (value <= limit):
            mark = " +"
        else:
            mark = " !"
        return self.text % value + mark


def ratio(name: str) -> Callable[[Row], Optional[float]]:
    return lambda row: row["ratios"][name]


def milliseconds(tool: str) -> Callable[[Row], Optional[float]]:
    return lambda row: row["times"][tool]["cpu_ms"] if tool in row["times"] else None


def fact(name: str) -> Callable[[Row], Optional[float]]:
    return lambda row: row[name]


COLUMNS = [
    Column("Mobj", lambda row: row["objects"] / 1e6, "%.2f"),
    Column("refs/obj", lambda row: row["references"] / row["objects"], "%.1f"),
    Column("gc ms", milliseconds("gc.collect"), "%.0f"),
    Column("capture/gc", ratio("capture/gc"), "%.2f", capture_goal),
    Column("wall", ratio("capture/gc wall"), "%.2f", capture_goal),
    Column("walk/gc", ratio("walk/gc"), "%.2f"),
    Column("ns/obj", fact("ns_an_object"), "%.0f"),
    Column("peak B/obj", fact("peak_bytes_an_object"), "%.0f", from_a_million(50)),
    Column("file/goal", fact("file_to_budget"), "%.2f", from_a_million(1.0)),
    Column("why ms", milliseconds("why"), "%.0f"),
    Column("backref/why", ratio("backref/why"), "%.0fx", backref_goal, True),
    Column("hub/why", ratio("hub backref/why"), "%.0fx", backref_goal, True),
    Column("near/why", ratio("near backref/why"), "%.1fx"),
    Column("top/typestats", ratio("top/typestats"), "%.2f", from_a_million(1.0)),
    Column("guppy/capture", ratio("guppy/capture"), "%.0fx"),
]

LEGEND = """
+ goal met, ! goal missed, no mark: no goal for this heap and size. CPU time; medians of the ratios
of each round.
capture/gc     snapshot() and making its graph, beside gc.collect(); goal from a million objects:
               0.25 on ast and aged, 1.4 on the others; none on shuffled, nor on tuples, most of
               which gc.collect() does not see
wall           the same in wall time: its second half runs on two threads if another processor is idle
walk/gc        its first part, for which the interpreter stands still
peak B/obj     rise of resident memory while a snapshot is taken, bytes an object; goal 50
file/goal      size of the snapshot file beside 16 bytes an object + 4 bytes a reference; goal 1
why ms         one refchain.why() about all 137 Leaked, capture included
backref/why    objgraph.find_backref_chain(one Leaked, max_depth=20), 17 references from a module,
               beside that; goal 20 at 3 million objects
hub/why        the same for an object with 300 referrers
near/why       the same for an object three references from a module: objgraph's best case
top/typestats  snapshot().top() beside objgraph.typestats(); goal 1
guppy/capture  guppy3 hpy().heap() beside a capture"""


def table(rows: List[Row]) -> str:
    head = ["heap", "size"] + [column.title + "  " for column in COLUMNS]
    lines = [head]
    for row in rows:
        lines.append([row["heap"], "%.0e" % row["size"]] + [c.cell(row) for c in COLUMNS])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = []
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])]
        out.append(" ".join(cells).rstrip())
    return "\n".join(out)


# ---- running -------------------------------------------------------------------------------------


def available_bytes() -> int:
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return sys.maxsize


def measure(heap: str, size: int, args: argparse.Namespace) -> Optional[Row]:
    if size * BYTES_AN_OBJECT > available_bytes():
        print("%s %.0e: skipped, %.0f GiB of free memory wanted" %
              (heap, size, size * BYTES_AN_OBJECT / 2**30), file=sys.stderr)
        return None
    command = [sys.executable, os.path.join(HERE, "measure.py"), heap, str(size),
               "--rounds", str(args.rounds), "--seed", str(args.seed)]
    if args.no_peers:
        command.append("--no-peers")
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment)
    if done.returncode != 0:
        print("%s %.0e: failed (exit code %d)" % (heap, size, done.returncode), file=sys.stderr)
        return None
    row: Row = json.loads(done.stdout)
    return row


def count(text: str) -> int:
    number = int(float(text))
    if number < 1:
        raise ValueError(text)
    return number


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="four heaps of 1e5 and 1e6 objects, 3 rounds")
    parser.add_argument("--heaps", nargs="+", choices=list(heaps.HEAPS), metavar="HEAP",
                        help="of %s (all)" % ", ".join(heaps.HEAPS))
    parser.add_argument("--sizes", nargs="+", type=count, metavar="N", help="objects (1e5 1e6)")
    parser.add_argument("--rounds", type=count, metavar="N", help="odd is best (5)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true", help="without objgraph and guppy3")
    parser.add_argument("--json", metavar="FILE", help="append one JSON line a heap")
    args = parser.parse_args()
    args.heaps = args.heaps or (QUICK_HEAPS if args.quick else list(heaps.HEAPS))
    args.sizes = args.sizes or [100_000, 1_000_000]
    args.rounds = args.rounds or (3 if args.quick else 5)
    return args


def main() -> int:
    args = parse_args()
    rows, num_failed = [], 0
    for size in args.sizes:
        for heap in args.heaps:
            print("measuring %s, %.0e objects" % (heap, size), file=sys.stderr)
            row = measure(heap, size, args)
            if row is None:
                num_failed += 1
                continue
            rows.append(row)
            if args.json:
                with open(args.json, "a") as file:
                    file.write(json.dumps(row) + "\n")
    if rows:
        print("refchain %s, Python %s, %s, %d CPUs, %s" % tuple(
            rows[0][key] for key in ("refchain", "python", "cpu", "cpus", "date")))
        print(table(rows))
        print(LEGEND)
    return 3 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
