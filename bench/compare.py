# SPDX-License-Identifier: MIT
"""Compare two runs: python bench/compare.py BEFORE.jsonl AFTER.jsonl

For each heap measured in both: what it cost before and after, relative to gc.collect() in the same
process, and the change. Later lines of a file for the same heap replace earlier ones.
"""
from __future__ import annotations

import json
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

Row = Dict[str, Any]
Key = Tuple[str, int, str]

METRICS: List[Tuple[str, Callable[[Row], Optional[float]]]] = [
    ("capture/gc", lambda row: row["ratios"]["capture/gc"]),
    ("walk/gc", lambda row: row["ratios"]["walk/gc"]),
    ("why/gc", lambda row: row["ratios"]["why/gc"]),
    ("graph.why again ms", lambda row: row["times"]["graph.why again"]["cpu_ms"]),
    ("peak B/obj", lambda row: row["peak_bytes_an_object"]),
    ("file B/obj", lambda row: row["file_bytes"] / row["objects"]),
]


def read(path: str) -> Dict[Key, Row]:
    rows: Dict[Key, Row] = {}
    with open(path) as file:
        for line in file:
            row = json.loads(line)
            rows[row["heap"], row["size"], row["python"].rsplit(".", 1)[0]] = row
    return rows


def main(argv: List[str]) -> int:
    if len(argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    before, after = read(argv[1]), read(argv[2])
    keys = sorted(set(before) & set(after), key=lambda key: (key[2], key[1], key[0]))
    if not keys:
        print("no heap was measured in both files", file=sys.stderr)
        return 4
    print("%-10s %7s %6s  %-20s %9s %9s %8s" %
          ("heap", "size", "python", "", "before", "after", "change"))
    for key in keys:
        for name, value in METRICS:
            old, new = value(before[key]), value(after[key])
            if old is None or new is None:
                continue
            print("%-10s %7.0e %6s  %-20s %9.2f %9.2f %+7.0f%%" %
                  (key[0], key[1], key[2], name, old, new, (new / old - 1) * 100 if old else 0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
