# SPDX-License-Identifier: MIT
"""Measure everything and write docs/performance.md.

    python bench/performance.py            the full run: up to 1e8 objects, 8 GB, a quarter of an hour
    python bench/performance.py --quick    up to 1e6 objects, two minutes; written to standard output

`refchain` must be importable; meson and a C compiler build rch_bench with optimization. What is not
installed of the other tools is said to be absent. Nothing else should run meanwhile."""
from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from typing import Any, Dict, List, Optional

import instructions
import peers
import performance_text

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "bench")
BYTES_AN_OBJECT = 75  # of memory, for a made graph and its dominators

Row = Dict[str, Any]


def say(text: str) -> None:
    print("performance: " + text, file=sys.stderr, flush=True)


def build() -> str:
    """rch_bench as a release would be built."""
    program = os.path.join(BUILD, "rch_bench")
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", "--buildtype=release", "-Dpython=disabled", "-Dtests=disabled",
                        "-Dlibrary=false", BUILD, ROOT], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["meson", "compile", "-C", BUILD, "rch_bench"], stdout=subprocess.DEVNULL, check=True)
    return program


def json_lines(command: List[str]) -> List[Row]:
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [json.loads(line) for line in out.splitlines()]


# ---- the machine ---------------------------------------------------------------------------------


def first_value(path: str, name: str) -> str:
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return "unknown"


def available_bytes() -> int:
    return int(first_value("/proc/meminfo", "MemAvailable").split()[0]) * 1024


def machine(program: str) -> Row:
    import refchain
    return {
        "cpu": first_value("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_bytes": int(first_value("/proc/meminfo", "MemTotal").split()[0]) * 1024,
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "refchain": refchain.__version__,
        **json_lines([program, "--built-by"])[0],
        **json_lines([program, "--latency"])[0],
    }


# ---- measuring -----------------------------------------------------------------------------------


def made_graphs(program: str, sizes: List[int]) -> List[Row]:
    """heap and random at every size, the other shapes at the middle one."""
    rows: List[Row] = []
    for size in sizes:
        if size * BYTES_AN_OBJECT > available_bytes():
            say("%.0e objects: skipped, %.0f GB of free memory wanted" % (size, size * BYTES_AN_OBJECT / 1e9))
            continue
        shapes = ["heap"]
        if size <= 10**7:
            shapes.append("random")
        if size == sizes[(len(sizes) - 1) // 2]:
            shapes += ["chain", "star", "grid"]
        for shape in shapes:
            say("made graph: %s, %.0e objects" % (shape, size))
            rounds = "2" if size > 10**7 else "3"  # in a virtual machine the first touch of memory costs more
            rows += json_lines([program, shape, str(size), "--rounds", rounds])
    return rows


def counted(program: str) -> Optional[Dict[str, float]]:
    """How instructions grow with the graph, an exponent an analysis; None without valgrind."""
    if not instructions.shutil.which("valgrind"):
        return None
    say("counting instructions")
    sizes = (10**4, 10**5, 10**6)
    counts = [instructions.count_one(program, "heap", size) for size in sizes]
    return {name: instructions.exponent([(size, count[name]) for size, count in zip(sizes, counts)])
            for name in counts[0]}


def real_heaps(size: int) -> List[Row]:
    say("dominators and questions beside capture, %.0e objects" % size)
    more = ["--objects", str(size)]
    dominators = json_lines([sys.executable, os.path.join(HERE, "dominators.py"), "--json", *more])
    questions = json_lines([sys.executable, os.path.join(HERE, "questions.py"), *more])
    return [{**asked, **row} for row, asked in zip(dominators, questions)]


def other_tools(size: int, rounds: int) -> List[Row]:
    say("other tools, %.0e objects" % size)
    return peers.run_all(size, rounds)


# ---- the command ---------------------------------------------------------------------------------


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="sizes 1e5 1e6, others 2e5, one round, to standard output")
    parser.add_argument("--sizes", nargs="+", type=float, metavar="N", help="of made graphs (1e5 1e6 1e7 1e8)")
    parser.add_argument("--objects", type=float, metavar="N", help="of Python heaps (1e6)")
    parser.add_argument("--rounds", type=int, metavar="N", help="of the other tools (3)")
    parser.add_argument("--output", metavar="FILE", help="docs/performance.md; - is standard output")
    parser.add_argument("--json", metavar="FILE", help="also write all figures there")
    parser.add_argument("--from-json", metavar="FILE", help="measure nothing: write from these figures")
    args = parser.parse_args()
    args.sizes = sorted(map(int, args.sizes or ([1e5, 1e6] if args.quick else [1e5, 1e6, 1e7, 1e8])))
    args.objects = int(args.objects or (2e5 if args.quick else 1e6))
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.output = args.output or ("-" if args.quick else os.path.join(ROOT, "docs", "performance.md"))
    return args


def measure(args: argparse.Namespace) -> Row:
    program = build()
    return {
        "machine": machine(program),
        "graphs": made_graphs(program, args.sizes),
        "instructions": counted(program),
        "heaps": real_heaps(args.objects),
        "peers": other_tools(args.objects, args.rounds),
    }


def main() -> int:
    args = parse_args()
    if args.from_json:
        with open(args.from_json) as file:
            figures = json.load(file)
    else:
        figures = measure(args)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(figures, file, indent=1)
    text = performance_text.page(figures)
    if args.output == "-":
        print(text, end="")
    else:
        with open(args.output, "w") as file:
            file.write(text)
        say("wrote " + args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
