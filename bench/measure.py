# SPDX-License-Identifier: MIT
"""Measure one heap in this process and print one JSON object: python bench/measure.py HEAP SIZE ...

All tools run in turn on the same heap, round after round, so that a ratio is of two runs that were
close in time. CPU time is that of the process (all its threads); wall time is kept beside it.
Memory is measured first, on the first capture of the process.
"""
from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import heaps

PEER_SECONDS = 20.0  # a tool that took this long in all is not run again
QUESTION = "heaps.Leaked"


# ---- clocks and memory ---------------------------------------------------------------------------


class Series:
    """What one tool took, round by round, in seconds."""

    def __init__(self) -> None:
        self.cpu: List[float] = []
        self.wall: List[float] = []

    def run(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return result

    def as_json(self) -> Dict[str, Any]:
        return {"cpu_ms": statistics.median(self.cpu) * 1e3,
                "wall_ms": statistics.median(self.wall) * 1e3,
                "runs": len(self.cpu), "cpu_ms_all": [round(s * 1e3, 3) for s in self.cpu]}


def memory_kib(field: str) -> int:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise LookupError(field)


def peak_bytes(work: Callable[[], Any]) -> Tuple[Any, Optional[int], Optional[int]]:
    """(result, how far resident memory rose at most, what of it stayed); None: not measurable."""
    try:
        before = memory_kib("VmRSS")
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # VmHWM starts again from here
    except OSError:
        return work(), None, None
    result = work()
    return (result, (memory_kib("VmHWM") - before) * 1024, (memory_kib("VmRSS") - before) * 1024)


def cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file
                        if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


# ---- tools ---------------------------------------------------------------------------------------


def find_chain(objgraph: Any, obj: Any) -> int:
    return len(objgraph.find_backref_chain(obj, objgraph.is_proper_module, max_depth=20))


def leaked() -> Any:
    """One of them, without a variable that would hold it."""
    app = next(iter(heaps.after_fork.values()))
    producer = app.protocol.producer_pool.resource.queue[0]
    return producer.channel.connection.wire.method_reader.source


def session() -> Any:
    return heaps.inbox.batches[5].requests[5].session


def imported(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        return None


class Bench:
    """The tools, their times, and the facts learnt on the way."""

    def __init__(self, refchain: Any, rounds: int, use_peers: bool) -> None:
        self.refchain = refchain
        self.rounds = rounds
        self.series: Dict[str, Series] = {}
        self.pauses: List[float] = []
        self.facts: Dict[str, Any] = {}
        self.objgraph = imported("objgraph") if use_peers else None
        self.guppy = imported("guppy") if use_peers else None

    def _run(self, tool: str, work: Callable[[], Any]) -> Any:
        return self.series.setdefault(tool, Series()).run(work)

    def _capture(self, tool: str) -> Any:
        """snapshot(), which reads the heap, and a question, which makes the graph: both count."""
        graph = self._run(tool + ": walk", self.refchain.snapshot)
        self._run(tool + ": finish", lambda: graph.info)
        total = self.series.setdefault(tool, Series())
        parts = self.series[tool + ": walk"], self.series[tool + ": finish"]
        total.cpu.append(sum(part.cpu[-1] for part in parts))
        total.wall.append(sum(part.wall[-1] for part in parts))
        return graph

    def _run_peer(self, tool: str, work: Callable[[], Any]) -> Any:
        if sum(self.series.get(tool, Series()).wall) < PEER_SECONDS:
            return self._run(tool, work)
        return None

    def _graph_and_info(self) -> Tuple[Any, Dict[str, Any]]:
        graph = self.refchain.snapshot()
        return graph, graph.info  # asking makes the graph

    def measure_memory(self) -> None:
        (graph, info), peak, held = peak_bytes(self._graph_and_info)
        num = info["objects"]
        self.facts.update(objects=num, references=info["references"], tracked=info["tracked"],
                          roots=info["roots"], partial=info["partial"],
                          peak_bytes_an_object=None if peak is None else peak / num,
                          graph_bytes_an_object=None if held is None else held / num)
        del graph
        answer, peak, _ = peak_bytes(lambda: self.refchain.why(QUESTION))
        self.facts["why_peak_bytes_an_object"] = None if peak is None else peak / num
        self.facts["holders"] = len(answer.holders)

    def _dump(self, graph: Any) -> None:
        with tempfile.TemporaryDirectory(prefix="refchain-bench-") as folder:
            path = os.path.join(folder, "heap.rch")
            self._run("dump", lambda: graph.dump(path))
            info = graph.info
            budget = 16 * (info["objects"] + info["roots"]) + 4 * info["references"]
            self.facts["file_bytes"] = os.path.getsize(path)
            self.facts["file_to_budget"] = os.path.getsize(path) / budget
            self._run("load", lambda: self.refchain.load(path))

    def _find_chains(self) -> None:
        far = self._run_peer("backref far", lambda: find_chain(self.objgraph, leaked()))
        near = self._run_peer("backref near", lambda: find_chain(self.objgraph, heaps.desk[5]))
        hub = self._run_peer("backref hub", lambda: find_chain(self.objgraph, session()))
        self.facts["backref_hub_length"] = hub or self.facts["backref_hub_length"]
        self.facts["backref_far_length"] = far or self.facts["backref_far_length"]
        self.facts["backref_near_length"] = near or self.facts["backref_near_length"]

    def one_round(self) -> None:
        self._run("gc.collect", gc.collect)
        graph = self._capture("capture")
        self.pauses.append(graph.info["pause_ns"] / 1e9)
        self._run("graph.why", lambda: graph.why(QUESTION))
        self._run("graph.why again", lambda: graph.why(QUESTION))
        self._dump(graph)

        def release() -> None:
            nonlocal graph
            graph = None

        self._run("free", release)
        self._run("why", lambda: self.refchain.why(QUESTION))
        self._run("why hub", lambda: self.refchain.why("heaps.Session"))
        if self.objgraph:
            self._find_chains()
        self._run("top", lambda: self.refchain.snapshot().top())
        if self.objgraph:
            self._run_peer("objgraph.typestats", self.objgraph.typestats)

    def guppy_rounds(self) -> None:
        """Last: guppy3 makes objects of its own and keeps them."""
        heapy = self.guppy.hpy()
        for _ in range(min(self.rounds, 3)):
            self._run("gc.collect before guppy", gc.collect)
            self._capture("capture before guppy")
            self._run_peer("guppy.heap", heapy.heap)

    def run(self) -> None:
        self.measure_memory()
        self.refchain.snapshot()
        for _ in range(self.rounds):
            self.one_round()
        if self.guppy:
            self.guppy_rounds()

    def ratio(self, over: str, under: str, clock: str = "cpu") -> Optional[float]:
        """Median of the ratios of CPU or wall time, round by round."""
        if over not in self.series or under not in self.series:
            return None
        pairs = zip(getattr(self.series[over], clock), getattr(self.series[under], clock))
        return statistics.median(a / b for a, b in pairs)

    def ratios(self) -> Dict[str, Optional[float]]:
        return {
            "capture/gc": self.ratio("capture", "gc.collect"),
            "capture/gc wall": self.ratio("capture", "gc.collect", "wall"),
            "walk/gc": self.ratio("capture: walk", "gc.collect"),
            "why/gc": self.ratio("why", "gc.collect"),
            "backref/why": self.ratio("backref far", "why"),
            "hub backref/why": self.ratio("backref hub", "why hub"),
            "near backref/why": self.ratio("backref near", "why"),
            "backref/graph.why": self.ratio("backref far", "graph.why again"),
            "top/typestats": self.ratio("top", "objgraph.typestats"),
            "guppy/capture": self.ratio("guppy.heap", "capture before guppy"),
        }

    def as_json(self) -> Dict[str, Any]:
        pause = statistics.median(self.pauses)
        return {**self.facts, "pause_ms": pause * 1e3, "ratios": self.ratios(),
                "ns_an_object": statistics.median(self.series["capture"].cpu) * 1e9
                                / self.facts["objects"],
                "times": {tool: series.as_json() for tool, series in self.series.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heap", choices=sorted(heaps.HEAPS))
    parser.add_argument("size", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    args = parser.parse_args()
    import refchain
    gc.disable()
    keep = heaps.build(args.heap, args.size, args.seed)
    gc.collect()
    gc.collect()
    load = os.getloadavg()[0]
    bench = Bench(refchain, args.rounds, not args.no_peers)
    bench.run()
    row = {"schema": "refchain.bench/1", "heap": args.heap, "size": args.size, "seed": args.seed,
           "python": platform.python_version(), "cpu": cpu_name(), "cpus": os.cpu_count(),
           "date": datetime.date.today().isoformat(), "load_before": load,
           "refchain": refchain.__version__, **bench.as_json()}
    json.dump(row, sys.stdout)
    print()
    del keep


if __name__ == "__main__":
    main()
