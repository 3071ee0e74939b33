# SPDX-License-Identifier: MIT
"""The session of the story at a pdb prompt inside pytest, call by call: python bench/pdb_session.py

The stand-in of the corpus leaks 137 transports in a test, which stops at a breakpoint; the calls are
typed there, objgraph's and refchain's in turn, each round in a process of its own. The table has the
medians of the seconds that a call took by the clock, as whoever types it waits. Goal: each call of
refchain under 0.3 s. Needs pytest, and objgraph (pip install objgraph==3.6.2) for its column.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from typing import Dict, List, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOAL_SECONDS = 0.3

TEST = """
import story_standin

def test_leak():
    keep = [(i, [i]) for i in range(EXTRA)]
    story_standin.leak(137)
    breakpoint()
    assert keep is not None
"""

# name of the call, what is typed. `timed` prints how long its argument took.
CALLS: List[Tuple[str, str]] = [
    ("count", "n = objgraph.count('TCPTransport')"),
    ("by_type()[5]", "one = objgraph.by_type('TCPTransport')[5]"),
    ("find_backref_chain", "chain = objgraph.find_backref_chain(one, objgraph.is_proper_module)"),
    ("show_chain", "drawn = objgraph.show_chain(chain, filename='chain.dot')"),
    ("show_chain(find_backref_chain())",
     "drawn = objgraph.show_chain(objgraph.find_backref_chain(one, objgraph.is_proper_module), "
     "filename='chain.dot')"),
    ("", "story_standin.cut_a(); chain = drawn = None; one = objgraph.by_type('TCPTransport')[-1]"),
    ("again, cut off at depth 10",
     "chain = objgraph.find_backref_chain(one, objgraph.is_proper_module, max_depth=10)"),
    ("again, deeper",
     "chain = objgraph.find_backref_chain(one, objgraph.is_proper_module, max_depth=60)"),
    ("show_chain, deeper", "drawn = objgraph.show_chain(chain, filename='chain.dot')"),
    ("", "story_standin.cut_b(); one = chain = drawn = None; gc.collect() * 0"),
    ("count, at the end", "n = objgraph.count('TCPTransport')"),
]


def typed(module: str) -> str:
    lines = ["import gc, time, story_standin", "from refchain import objgraph"
             if module == "refchain" else "import objgraph"]
    for name, call in CALLS:
        if not name:
            lines.append(call)
            continue
        lines.append("began = time.perf_counter(); %s; seconds = time.perf_counter() - began" % call)
        lines.append("print('TOOK', %r, seconds, 'END')" % name)
    return "\n".join([*lines, "print('LEFT', n)", "c", ""])


def run(module: str, extra: int, max_seconds: float) -> Dict[str, float]:
    """{call: seconds} of one session."""
    with tempfile.TemporaryDirectory(prefix="refchain-pdb-") as folder:
        test = pathlib.Path(folder) / "test_story.py"
        test.write_text(TEST.replace("EXTRA", str(extra)))
        corpus = os.environ.get("REFCHAIN_CORPUS", str(ROOT / "tests" / "corpus"))
        paths = [corpus, os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths),
                       "PYTHONBREAKPOINT": "pdb.set_trace"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", str(test)],
            input=typed(module), capture_output=True, text=True, cwd=folder, env=environment,
            timeout=max_seconds, check=False)
    if "LEFT 0" not in done.stdout:
        raise SystemExit("the session of %s went wrong:\n%s%s" % (module, done.stdout, done.stderr))
    took = re.findall(r"TOOK (.*?) (\d\S*) END", done.stdout)
    return {name: float(seconds) for name, seconds in took}


def medians(sessions: List[Dict[str, float]]) -> Dict[str, float]:
    return {name: statistics.median(session[name] for session in sessions)
            for name in (sessions[0] if sessions else {})}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--extra", type=lambda text: int(float(text)), default=0,
                        help="more objects on the heap of the test")
    parser.add_argument("--alone", action="store_true", help="without objgraph")
    parser.add_argument("--max-seconds", type=float, default=600, help="for one session")
    args = parser.parse_args()
    ours: List[Dict[str, float]] = []
    theirs: List[Dict[str, float]] = []
    for _ in range(args.rounds):
        ours.append(run("refchain", args.extra, args.max_seconds))
        if not args.alone:
            theirs.append(run("objgraph", args.extra, args.max_seconds))
    objgraph = medians(theirs)
    print("%-34s %12s %12s" % ("", "objgraph s", "refchain s"))
    for name, seconds in medians(ours).items():
        other = "%12.4f" % objgraph[name] if name in objgraph else "%12s" % "-"
        print("%-34s %s %12.4f  goal %gs %s" % (name, other, seconds, GOAL_SECONDS,
                                               "+" if seconds < GOAL_SECONDS else "!"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
