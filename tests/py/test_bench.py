# SPDX-License-Identifier: MIT
"""What measures is right itself: graphs that are the same for the same seed, figures that make sense, and
a gate that a slower algorithm does not pass."""
import importlib
import json
import subprocess
import sys

import native
import pytest

SHAPES = ["heap", "random", "chain", "star", "grid"]


def imported(root, name):
    """A module of bench/, which imports others from there."""
    sys.path.insert(0, str(root / "bench"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(root / "bench"))


@pytest.fixture(scope="module")
def instructions(root):
    return imported(root, "instructions")


def rows(*args):
    done = native.bench(*args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_shape_of_the_program_is_tested_here():
    lines = native.bench("--list").stdout.splitlines()
    assert [line.split()[1].rstrip(":") for line in lines if line.startswith("graph ")] == SHAPES


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1000, 1001, 20000])
def test_every_analysis_runs_on_every_shape(shape, size):
    """`verify` checks the graph, `holders` that the two that were planted are found."""
    names = [line.split()[1] for line in native.bench("--list").stdout.splitlines() if line[0] == "a"]
    found = rows(shape, size)
    assert [row["analysis"] for row in found] == ["make", *names]
    for row in found:
        assert row["objects"] == size and row["graph"] == shape
        assert row["cpu_s"] >= 0 and row["wall_s"] > 0
        assert row["peak_bytes"] < 4 << 20 or row["peak_bytes_an_object"] < 200


def references(*args):
    (row,) = rows(*args, "--only", "nothing")
    return row["references"]


def test_a_seed_makes_the_same_graph_again_and_another_seed_another():
    assert references("heap", 20000) == references("heap", 20000, "--seed", 1)
    assert references("heap", 20000) != references("heap", 20000, "--seed", 2)


def test_the_heap_is_as_dense_as_real_ones():
    assert 1.9 < references("heap", 200000) / 200000 < 3.6


@pytest.mark.parametrize("args", [["nosuch", 5000], ["heap", 10], ["heap", "1e30"], ["heap", "nan"]])
def test_a_graph_that_cannot_be_made_is_refused(args):
    done = native.bench(*args)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("rch_bench: ")


@pytest.mark.parametrize("args", [[], ["heap"], ["heap", 5000, "--rounds", 0], ["heap", 5000, "--what"]])
def test_wrong_arguments_show_the_usage(args):
    done = native.bench(*args)
    assert done.returncode == 2 and "usage: rch_bench" in done.stderr


# ---- the page ----


def figures(**changes):
    """What bench/performance.py measures, little of it; `changes` replace parts."""
    def graph(shape, size, name, cpu, peak):
        return {"graph": shape, "objects": size, "references": 2 * size, "analysis": name, "cpu_s": cpu,
                "ns_an_object": cpu / size * 1e9, "peak_bytes": peak * size, "peak_bytes_an_object": peak}

    tool = {"job": "count", "tool": "ours", "note": "", "objects": 1000, "ns_an_object": 50.0, "ratio": 1.0,
            "objects_a_second": 2e7, "file_bytes_an_object": None, "rounds": 3}
    made = [graph(shape, size, name, size * 1e-7, 60.0) for shape in ("heap", "random")
            for size in (10**6, 10**7) for name in ("verify", "reverse", "dominators", "retained")]
    return {
        "machine": {"cpu": "a CPU", "cores": 2, "memory_bytes": 8e9, "kernel": "6.1", "python": "3.11.7",
                    "refchain": "0.1", "compiler": "cc 1 -O3", "libc": "glibc 2", "latency_ns": 99.0},
        "graphs": made,
        "instructions": {"reverse": 1.0, "dominators": 1.01, "retained": 1.0},
        "heaps": [{"heap": "inst", "objects": 1000, "capture_ns": 50.0, "dominators_ns": 60.0,
                   "first_beside_capture": 0.3, "next_ms": 2.0, "open_ms": 9.0}],
        "peers": [tool, {"job": "count", "tool": "theirs", "absent": "no module"}],
        **changes,
    }


@pytest.fixture(scope="module")
def page(root):
    return imported(root, "performance_text").page


def line_with(text, words):
    (line,) = [line for line in text.splitlines() if words in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_judges_each_goal(page):
    text = page(figures())
    assert line_with(text, "random graph, 10 million")[1:] == ["10 CPU s", "3.0 CPU s", "yes"]
    assert line_with(text, "the index kept meanwhile")[2:] == ["60 bytes an object", "yes"]
    assert line_with(text, "the next question, on")[1:] == ["1 ms", "2.0 ms at most", "**no**"]
    assert line_with(text, "100 million objects of a heap")[2] == "not measured in this run"


def test_the_page_says_what_was_absent(page):
    text = page(figures(instructions=None))
    assert line_with(text, "theirs")[2] == "absent: no module"
    assert line_with(text, "to the power of, instructions")[2] == "not measured in this run"
    assert "absent: valgrind" in text


def test_every_table_of_the_page_has_rows_of_one_width(page):
    text = page(figures())
    widths = {}
    for number, block in enumerate(text.split("\n\n")):
        rows = [line.count("|") for line in block.splitlines() if line.startswith("|")]
        if rows:
            widths[number] = set(rows)
    assert len(widths) == 6 and all(len(width) == 1 for width in widths.values()), widths


# ---- other tools ----


def test_a_tool_that_is_absent_or_fails_stands_in_the_table_and_stops_no_other(root, monkeypatch):
    peers = imported(root, "peers")

    def takes(seconds):
        return lambda size, folder: {"cpu_s": seconds, "wall_s": seconds, "objects": size}

    def is_absent(size, folder):
        raise peers.Absent("no such thing")

    def fails(size, folder):
        raise subprocess.CalledProcessError(3, ["tool"])

    tools = {"ours": takes(1.0), "absent": is_absent, "failing": fails, "slow": takes(2.0)}
    monkeypatch.setattr(peers, "JOBS", {"job": [peers.Tool(name, run) for name, run in tools.items()]})
    found = {row["tool"]: row for row in peers.run_all(100, 3)}
    assert found["absent"]["absent"] == "no such thing"
    assert found["failing"]["absent"] == "failed with exit code 3"
    assert found["slow"]["ratio"] == 2.0 and found["slow"]["rounds"] == 3
    assert found["ours"]["objects_a_second"] == pytest.approx(100)


# ---- the gate ----


def test_more_instructions_than_on_record_is_worse_and_a_little_more_is_not(instructions):
    before = {"heap 100": {"reverse": 1000, "verify": 1000}}
    worse, notes = instructions.compare({"heap 100": {"reverse": 1029, "verify": 1031}}, before)
    assert notes == []
    assert worse == ["verify of heap 100: 1,031 instructions, 1,000 on record: +3.1 %"]


def test_what_is_faster_or_new_or_gone_is_said_and_passes(instructions):
    before = {"heap 100": {"reverse": 1000, "gone": 5}}
    worse, notes = instructions.compare({"heap 100": {"reverse": 500, "new": 7}}, before)
    assert worse == []
    assert notes == [
        "reverse of heap 100: 500 instructions, 1,000 on record: -50.0 %; record it",
        "new of heap 100: 7 instructions, none on record",
        "gone of heap 100: on record, but not measured",
    ]


def test_the_gate_fails_on_a_regression_and_says_how_to_record(instructions, monkeypatch, capsys):
    monkeypatch.setattr(instructions, "read_record", lambda: {"cc 1": {"heap 100": {"verify": 100}}})
    monkeypatch.setattr(instructions, "count_all", lambda program: {"heap 100": {"verify": 104}})
    assert instructions.check("prog", "cc 1") == 1
    assert "python bench/instructions.py prog --record" in capsys.readouterr().out
    assert instructions.check("prog", "cc 2") == 0
    assert "SKIPPED, none on record for cc 2" in capsys.readouterr().out


def test_without_valgrind_the_gate_says_that_it_skips(instructions, monkeypatch, capsys):
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main(["prog"]) == 0
    assert "SKIPPED, valgrind is not installed" in capsys.readouterr().out


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_growth_is_that_of_the_points(instructions, power):
    points = [(size, 3.0 * size**power) for size in (1e5, 1e6, 1e7)]
    assert instructions.exponent(points) == pytest.approx(power)
