# SPDX-License-Identifier: MIT
"""What measures is right itself: graphs that are the same for the same seed, figures that make sense, and
a gate that a slower algorithm does not pass."""
import importlib.util
import json

import native
import pytest

SHAPES = ["heap", "random", "chain", "star", "grid"]


@pytest.fixture(scope="module")
def instructions(root):
    spec = importlib.util.spec_from_file_location("instructions", root / "bench/instructions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
