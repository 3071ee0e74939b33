# SPDX-License-Identifier: MIT
"""Count the instructions that each analysis takes on made graphs, and compare with the figures on record.

    python bench/instructions.py build/c/rch_bench             exit code 1: one takes more than it did
    python bench/instructions.py build/c/rch_bench --record    what is counted now is right

Counts do not depend on the load of the machine, so that a slower algorithm shows in any run. They do on
the compiler and the C library: bench/instructions.json has figures for each pair on record. For another
one, or without valgrind, nothing is compared, and that is said."""
from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Tuple

GRAPHS = [("heap", 10000), ("heap", 100000), ("random", 20000), ("chain", 20000), ("star", 20000), ("grid", 20000)]
TOLERANCE = 0.03  # the C library takes other copies of memcpy on other processors
RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")

Counts = Dict[str, Dict[str, int]]  # "heap 100000" -> analysis -> instructions


def key_of(program: str) -> str:
    """What the counts depend on, beside the source."""
    facts = json.loads(subprocess.run([program, "--built-by"], stdout=subprocess.PIPE, check=True).stdout)
    return "%s, %s, %s" % (facts["compiler"], facts["libc"], platform.machine())


def count_one(program: str, graph: str, num_objects: int) -> Dict[str, int]:
    """Instructions of each function run_NAME, what it calls included."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, program, graph,
                        str(num_objects)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--tree=none", out],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
    found = re.findall(r"^\s*([\d,]+) .*?:run_(\w+)(?: \[|$)", text, re.MULTILINE)
    return {name: int(number.replace(",", "")) for number, name in found}


def count_all(program: str) -> Counts:
    return {"%s %d" % (graph, num): count_one(program, graph, num) for graph, num in GRAPHS}


def compare(now: Counts, before: Counts, tolerance: float = TOLERANCE) -> Tuple[List[str], List[str]]:
    """(what got worse, what else there is to say), in words."""
    worse, notes = [], []
    for graph, counts in now.items():
        for name, count in counts.items():
            old = before.get(graph, {}).get(name)
            what = "%s of %s: %s instructions" % (name, graph, format(count, ","))
            if old is None:
                notes.append(what + ", none on record")
            elif count > old * (1 + tolerance):
                worse.append("%s, %s on record: %+.1f %%" % (what, format(old, ","), (count / old - 1) * 100))
            elif count < old * (1 - tolerance):
                notes.append("%s, %s on record: %+.1f %%; record it" %
                             (what, format(old, ","), (count / old - 1) * 100))
    for graph, counts in before.items():
        notes += ["%s of %s: on record, but not measured" % (name, graph)
                  for name in counts if name not in now.get(graph, {})]
    return worse, notes


def exponent(points: List[Tuple[float, float]]) -> float:
    """The p of the best fit of y = c * x**p: 1 is linear."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x, mean_y = (sum(p[i] for p in logs) / len(logs) for i in (0, 1))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def read_record() -> Dict[str, Counts]:
    if not os.path.exists(RECORD):
        return {}
    with open(RECORD) as file:
        record: Dict[str, Counts] = json.load(file)
    return record


def check(program: str, key: str) -> int:
    before = read_record().get(key)
    command = "python bench/instructions.py %s --record" % program
    if before is None:
        print("instruction counts: SKIPPED, none on record for %s; to put them there: %s" % (key, command))
        return 0
    now = count_all(program)
    worse, notes = compare(now, before)
    for line in notes + worse:
        print("instruction counts: " + line)
    if worse:
        print("instruction counts: more than %.0f %% above the record (%s). If that is meant: %s" %
              (TOLERANCE * 100, key, command))
    else:
        print("instruction counts: %d figures, none more than %.0f %% above the record for %s" %
              (sum(map(len, now.values())), TOLERANCE * 100, key))
    return int(bool(worse))


def record(program: str, key: str) -> int:
    now = count_all(program)
    with_these = {**read_record(), key: now}
    with open(RECORD, "w") as file:
        json.dump(with_these, file, indent=1, sort_keys=True)
        file.write("\n")
    print("recorded %d figures for %s" % (sum(map(len, now.values())), key))
    return 0


def main(argv: Any = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="rch_bench, as it was built")
    parser.add_argument("--record", action="store_true", help="write what is counted to bench/instructions.json")
    args = parser.parse_args(argv)
    if not shutil.which("valgrind"):
        print("instruction counts: SKIPPED, valgrind is not installed (apt-get install valgrind)")
        return 0
    return (record if args.record else check)(args.program, key_of(args.program))


if __name__ == "__main__":
    sys.exit(main())
