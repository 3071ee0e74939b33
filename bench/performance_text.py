# SPDX-License-Identifier: MIT
"""The text of docs/performance.md: figures in, Markdown out; measures nothing."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from instructions import exponent

Row = Dict[str, Any]

HEAD = """\
# Performance

Written by `make performance`, which measures all of it again; do not edit. Seconds are CPU seconds of one thread;
memory is resident memory of the whole process at its peak.

"""

MADE = """
## Made graphs

`rch_bench` makes a graph from a seed and runs each analysis on it. `heap` has the shares of a Python program's heap: trees of dicts,
lists, instances and functions under modules, most atoms referred to once and a few by thousands, references back, linked lists;
{density:.2f} references an object. `random` is the worst case for a cache: 2.5 references an object, each to anywhere.

"""

HEAPS = """
## Real heaps

Real heaps of `bench/heaps.py` in one CPython {python}, measured in turn; nanoseconds an object, least of three rounds. Then what
`why` takes for one object, all its holders and what cutting them frees: the first question to a snapshot (beside its capture), and
the next one; and `refchain.load(file).top()`.

"""

PEERS = """
## Other tools

Heaps of about the same number of objects, each in a fresh process, all tools in turn, medians of {rounds} round{s}; ratios are taken within a
round. The Python heap is `{heap}` of `bench/heaps.py`: instances with a dict, a number and a string; JavaScript's and Java's
are like it. Java with the serial collector.

"""

PUBLISHED = """
## Published and earlier figures

Not of this machine, and with the reading of the file, which takes a good part: to place the orders of magnitude only.

| tool | what | figure | from |
| --- | --- | --- | --- |
| Eclipse MAT 1.17 | dominators and indexes of 10 million objects, 25 million references | 143 CPU s, 2.75 GB, 58.8 bytes of index an object | measured once, headless, 2 cores |
| Chrome DevTools' snapshot worker | the same graph | 104 CPU s, 2.5 GB | measured once, in node, 2 cores |
| Eclipse MAT | memory of an analysis | 28.25 bytes an object and more | its manual, "Memory Analyzer Configuration" |
| Eclipse MAT | largest heap on record | 2,041,300,061 objects, 172 GB | the same |
| LeakCanary (Shark) | indexing 918,623,867 objects, without dominators | 60 s | its change log |
| memlab (MCP server) | memory | 3 to 5 times the file; refuses more than 900 MB | its README |
| VisualVM | retained sizes of a heap of 20 GB | 12 hours and more | oracle/visualvm issue 465 |
"""


def table(head: Sequence[str], rows: List[Sequence[str]], numbers_from: int) -> str:
    marks = ["---" if i < numbers_from else "---:" for i in range(len(head))]
    return "".join("| %s |\n" % " | ".join(cells) for cells in [head, marks, *rows])


def power(number: float) -> str:
    return ("%.0e" % number).replace("e+0", "e")


def pick(rows: List[Row], graph: str, size: Optional[int] = None, analysis: Optional[str] = None) -> List[Row]:
    return [row for row in rows if row["graph"] == graph and size in (None, row["objects"]) and
            analysis in (None, row["analysis"])]


def names_of(rows: List[Row]) -> List[str]:
    return [name for name in dict.fromkeys(row["analysis"] for row in rows) if name != "make"]


def time_exponent(rows: List[Row], name: str) -> Optional[float]:
    points = [(row["objects"], row["cpu_s"]) for row in pick(rows, "heap", analysis=name)]
    return exponent(points) if len(points) > 1 else None


# ---- the goals -----------------------------------------------------------------------------------


def goal(what: str, limit: str, value: Optional[float], shown: str, most: float) -> List[str]:
    if value is None:
        return [what, limit, "not measured in this run", ""]
    return [what, limit, shown % value, "yes" if value <= most else "**no**"]


def kept_meanwhile(rows: List[Row]) -> Optional[float]:
    """Bytes an object of the dominators' peak on the random graph, with the index of referrers there too."""
    peak = {row["analysis"]: row["peak_bytes_an_object"] for row in pick(rows, "random", 10**7)}
    if not peak.keys() >= {"verify", "reverse", "dominators"}:
        return None
    return peak["dominators"] + peak["reverse"] - peak["verify"]  # verify needs the graph alone


def goals(figures: Row) -> str:
    rows = figures["graphs"]
    ten = [row for name in ("reverse", "dominators", "retained") for row in pick(rows, "random", 10**7, name)]
    hundred = pick(rows, "heap", 10**8)
    ratios = [row["dominators_ns"] / row["capture_ns"] for row in figures["heaps"]]
    grown = [e for e in (time_exponent(rows, name) for name in names_of(rows)) if e is not None]
    counted = figures["instructions"]

    def worst(name: str) -> Optional[float]:
        return max((row[name] for row in figures["heaps"]), default=None)

    lines = [
        goal("random graph, 10 million objects: index of referrers, dominators, retained bytes", "10 CPU s",
             sum(row["cpu_s"] for row in ten) if ten else None, "%.1f CPU s", 10),
        goal("the same, memory at its peak: the graph, and one after the other", "80 bytes an object",
             max(row["peak_bytes_an_object"] for row in ten) if ten else None, "%.0f bytes an object", 80),
        goal("the same, the index kept meanwhile, which only a Python program does that asked `why` before",
             "80 bytes an object", kept_meanwhile(rows), "%.0f bytes an object", 80),
        goal("100 million objects of a heap, every analysis", "8 GB",
             max(row["peak_bytes"] for row in hundred) / 1e9 if hundred else None, "%.1f GB", 8),
        goal("dominators and retained bytes, beside the capture of a real heap", "1.3",
             max(ratios) if ratios else None, "%.2f at most", 1.3),
        goal("first question to a snapshot, beside its capture", "0.4", worst("first_beside_capture"), "%.2f at most",
             0.4),
        goal("the next question, on the real heaps below", "1 ms", worst("next_ms"), "%.1f ms at most", 1),
        goal("from the snapshot file of one to its types", "200 ms", worst("open_ms"), "%.0f ms at most", 200),
        goal("work grows as objects to the power of, instructions, worst analysis", "1.1",
             max(counted.values()) if counted else None, "%.2f", 1.1),
        goal("the same in time, which has the caches in it", "1.1", max(grown) if grown else None, "%.2f", 1.1),
    ]
    return table(["what", "goal", "measured", "met"], lines, 4)


# ---- the other tables ----------------------------------------------------------------------------


def machine(figures: Row) -> str:
    facts = figures["machine"]
    return ("Machine: %s, %d cores, %.0f GB, %.0f ns to load a word from memory; Linux %s. refchain %s, built by %s; "
            "CPython %s.\n\n" % (facts["cpu"], facts["cores"], facts["memory_bytes"] / 1e9, facts["latency_ns"],
                                 facts["kernel"], facts["refchain"], facts["compiler"], facts["python"]))


def heap_by_size(figures: Row) -> str:
    rows = figures["graphs"]
    sizes = sorted({row["objects"] for row in pick(rows, "heap")})
    counted = figures["instructions"] or {}
    lines = []
    for name in names_of(rows):
        here = {row["objects"]: row for row in pick(rows, "heap", analysis=name)}
        grown = time_exponent(rows, name)
        lines.append([name.replace("_", " ")] + ["%.1f" % here[size]["ns_an_object"] for size in sizes] +
                     ["%.2f" % grown if grown is not None else "",
                      "%.2f" % counted[name] if name in counted else "absent: valgrind",
                      "%.0f" % here[sizes[-1]]["peak_bytes_an_object"],
                      "%.1f" % here[sizes[-1]]["cpu_s"]])
    head = ["`heap`, ns an object"] + [power(size) for size in sizes] + [
        "power, time", "power, instructions", "peak B/object at " + power(sizes[-1]), "CPU s there"]
    return table(head, lines, 1)


def shapes(figures: Row) -> str:
    rows = [row for row in figures["graphs"] if row["graph"] != "heap"]
    columns = list(dict.fromkeys((row["graph"], row["objects"]) for row in rows))
    lines = []
    for name in names_of(rows):
        cells = [pick(rows, graph, size, name)[0] for graph, size in columns]
        lines.append([name.replace("_", " ")] + ["%.1f (%.0f)" % (cell["ns_an_object"], cell["peak_bytes_an_object"])
                                                 for cell in cells])
    return table(["ns an object (peak B/object)"] + ["`%s` %s" % (graph, power(size)) for graph, size in columns],
                 lines, 1)


def heaps(figures: Row) -> str:
    lines = [["`%s`" % row["heap"], format(row["objects"], ","), "%.0f" % row["capture_ns"],
              "%.0f" % row["dominators_ns"], "%.2f" % (row["dominators_ns"] / row["capture_ns"]),
              "%.2f" % row["first_beside_capture"], "%.1f" % row["next_ms"], "%.1f" % row["open_ms"]]
             for row in figures["heaps"]]
    return table(["heap", "objects", "capture", "dominators and retained", "ratio", "first question, ratio",
                  "next question, ms", "file to types, ms"], lines, 1)


def peers(figures: Row) -> str:
    lines = []
    for row in figures["peers"]:
        if "absent" in row:
            lines.append([row["job"], row["tool"], "absent: " + row["absent"], "", "", "", "", ""])
            continue
        size = row["file_bytes_an_object"]
        lines.append([row["job"], row["tool"], row["note"], format(row["objects"], ","),
                      "%.2f" % (row["objects_a_second"] / 1e6), "%.0f" % row["ns_an_object"], "%.2g" % row["ratio"],
                      "%.0f" % size if size else ""])
    return table(["job", "tool", "", "objects", "million objects/s", "ns an object", "beside refchain", "file B/object"],
                 lines, 3)


def page(figures: Row) -> str:
    graphs = pick(figures["graphs"], "heap")
    density = graphs[-1]["references"] / graphs[-1]["objects"]
    rounds = max([row["rounds"] for row in figures["peers"] if "rounds" in row], default=0)
    return (HEAD + machine(figures) + goals(figures) + MADE.format(density=density) + heap_by_size(figures) + "\n" +
            shapes(figures) + HEAPS.format(python=figures["machine"]["python"]) + heaps(figures) +
            PEERS.format(rounds=rounds, s="" if rounds == 1 else "s", heap="inst") + peers(figures) + PUBLISHED)
