# SPDX-License-Identifier: MIT
"""What grows in every repeat of a scenario: one object a run is found, clean scenarios are silent."""

import json
import pathlib
import subprocess
import sys

import inside
import native
import pytest

HERE = pathlib.Path(__file__).resolve().parent

SHARES = 5  # of the clean scenarios: each in a process of its own

CLEAN = """
    sys.path.insert(0, %r)
    import clean_scenarios
    noisy, share = {}, int(sys.argv[1])
    for scenario in clean_scenarios.SCENARIOS[share::%d]:
        found = refchain.growth_loop(scenario, loops=5)
        if found:
            noisy[scenario.__name__] = repr(found)
    tell({"ran": len(clean_scenarios.SCENARIOS), "noisy": noisy})
"""

LEAKS = """
    sys.path.insert(0, %r)
    import leak_scenarios
    found = []
    for scenario, type_name, word in leak_scenarios.LEAKS:
        rises = refchain.growth_loop(scenario, loops=5)
        found.append([scenario.__name__, type_name, word, rises.data["rows"], repr(rises)])
    tell(found)
"""


@pytest.mark.parametrize("share", range(SHARES))
def test_nothing_is_found_in_clean_scenarios(tmp_path, share):
    source = CLEAN % (str(HERE), SHARES)
    data = inside.ask(tmp_path, source, share, timeout=280)
    assert data["ran"] >= 50
    assert not data["noisy"], "\n\n".join(f"{k}\n{v}" for k, v in data["noisy"].items())


def is_named(row, type_name, word):
    types = {other["type"]: other["objects"] for other in row["with"]}
    is_type = row["type"] == type_name or types.get(type_name, 0) >= 5
    names = [row["root"]["name"], *(hop["name"] for hop in row["path"])]
    return is_type and word in names and row["each"] == 1 and row["even"]


def test_one_object_a_run_is_found_whatever_keeps_it(tmp_path):
    found = inside.ask(tmp_path, LEAKS % str(HERE), timeout=280)
    assert len(found) >= 12
    missed = [
        f"{name}: {type_name} at {word}\n{text}"
        for name, type_name, word, rows, text in found
        if not any(is_named(row, type_name, word) for row in rows)
    ]
    assert not missed, "\n\n".join(missed)
    for name, type_name, word, rows, text in found:  # besides, weak references to it at most
        others = [row for row in rows if not is_named(row, type_name, word)]
        assert all(row["type"] == "weakref.ReferenceType" for row in others), (name, text)


KEEPS = """
        import functools
        class Thing: pass
        kept = []
        def leaks():
            kept.append(Thing())
        def clean():
            [Thing() for _ in range(10)]
"""


def test_the_answer_as_data_text_and_json(tmp_path):
    source = """
        found = refchain.growth_loop(leaks, loops=4, warmup=1)
        row = found.rows[0]
        print(found)
        tell({"len": len(found), "objects": row.objects, "each": row.each, "steady": row.steady,
              "path": [hop.name for hop in row.path], "root": row.root.name, "type": row.type,
              "clean": bool(refchain.growth_loop(clean)), "json": json.loads(found.json()),
              "known": len(refchain.growth_loop(leaks, ignore=[row.fingerprint])),
              "other": len(refchain.growth_loop(leaks, type="list"))})
    """
    out = inside.run([inside.program(tmp_path, KEEPS + source)])
    data = inside.told(out)
    assert data["objects"] == [1, 2, 3, 4, 5]
    assert (data["len"], data["each"], data["steady"]) == (1, 1, True)
    assert (data["root"], data["path"], data["type"]) == (
        "__main__", ["kept", None], "__main__.Thing")
    assert not data["clean"] and not data["known"] and not data["other"]
    assert "1 each step" in out and "\u2190 __main__.kept[*]" in out
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((native.ROOT / "docs/schema/refchain.diff-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data["json"])


def test_bounded_caches_are_told_from_unbounded_ones(tmp_path):
    source = """
        import itertools
        numbers = itertools.count()
        @functools.lru_cache(maxsize=500)
        def bounded(n): return Thing()
        @functools.lru_cache(maxsize=None)
        def unbounded(n): return Thing()
        @functools.lru_cache(maxsize=10**9)
        def huge(n): return Thing()
        tell([len(refchain.growth_loop(lambda: bounded(next(numbers)))),
              len(refchain.growth_loop(lambda: huge(next(numbers)))),
              len(refchain.growth_loop(lambda: unbounded(next(numbers))))])
    """
    assert inside.ask(tmp_path, KEEPS + source) == [0, 1, 1]


def test_what_grows_in_some_runs_only_is_not_told(tmp_path):
    source = """
        import itertools
        numbers = itertools.count()
        def sometimes():
            if next(numbers) % 3 != 2:
                kept.append(Thing())
        tell([len(refchain.growth_loop(sometimes)), len(kept)])
    """
    assert inside.ask(tmp_path, KEEPS + source) == [0, 5]


def test_coroutine_functions_are_run(tmp_path):
    source = """
        import asyncio
        async def leaks_too():
            await asyncio.sleep(0)
            kept.append(Thing())
        tell([row.type for row in refchain.growth_loop(leaks_too)])
    """
    assert inside.ask(tmp_path, KEEPS + source) == ["__main__.Thing"]


def test_exceptions_come_through_and_wrong_numbers_are_refused(tmp_path):
    source = """
        def fails(): raise KeyError("mine")
        said = []
        for call in (lambda: refchain.growth_loop(fails),
                     lambda: refchain.growth_loop(clean, loops=1)):
            try:
                call()
            except (KeyError, ValueError) as error:
                said.append(repr(error))
        tell(said)
    """
    key, value = inside.ask(tmp_path, KEEPS + source)
    assert key == "KeyError('mine')" and "loops must be 2 to 255" in value


PYTEST = """
import pytest
import refchain

class Session: pass
sessions = []

@pytest.fixture
def number():
    return 3

@refchain.no_growth
def test_clean(number):
    assert [Session() for _ in range(number)]

@refchain.no_growth(loops=3, warmup=1)
def test_leaks(number):
    sessions.extend(Session() for _ in range(number))

@refchain.no_growth
def test_fails():
    assert 0, "its own words"
"""


def test_in_pytest_the_test_that_leaks_fails_and_says_where(tmp_path):
    (tmp_path / "test_it.py").write_text(PYTEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path, env={**inside.environment(), "LC_ALL": "C.UTF-8", "COLUMNS": "120"},
        capture_output=True, encoding="utf-8", check=False,
    )
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "test_leaks leaks" in done.stdout and "test_it.sessions[*]" in done.stdout
    assert "3 each step" in done.stdout and "its own words" in done.stdout


def test_diff_in_python_is_that_of_the_command(tmp_path):
    source = """
        paths = []
        for i in range(3):
            leaks(); leaks()
            paths.append(sys.argv[1] + "/%d.rch" % i)
            refchain.dump(paths[-1], fds=False)
        last = refchain.load(paths[-1])
        found = refchain.diff(paths[0], paths[1], last, type="Thing")
        wrong = []
        for more in ({"by": "size"}, {"min_growth": "x"}, {"min_growth": 0}):
            try:
                refchain.diff(last, last, **more)
            except ValueError as error:
                wrong.append(str(error))
        tell({"rows": found.data["rows"], "wrong": len(wrong),
              "big": len(refchain.diff(*paths, type="Thing", min_growth=5)),
              "share": len(refchain.diff(*paths, type="Thing", min_growth="200%")),
              "identity": [(r.type, r.objects) for r in
                           refchain.diff(*paths, by="identity", type="Thing")]})
    """
    data = inside.told(inside.run([inside.program(tmp_path, KEEPS + source), tmp_path]))
    words = ["0.rch", "1.rch", "2.rch", "--type", "Thing", "--json"]
    done = native.run("diff", *words, cwd=tmp_path)
    assert json.loads(done.stdout)["rows"] == data["rows"]
    assert data["wrong"] == 3 and data["big"] == 0 and data["share"] == 1
    assert data["identity"] == [["__main__.Thing", [2, 4, 6]]]
