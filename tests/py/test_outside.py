# SPDX-License-Identifier: MIT
"""A process read from outside gives the graph that it gives of itself: what tp_traverse visits
(outside_check.py), the same answers, also in the middle of a collection, while threads change it,
with other interpreters in it, and from memory that is torn."""

import contextlib
import json
import subprocess
import sys
import textwrap

import findable
import inside
import native
import outside_check
import pytest
from processes import SAMPLES

core = pytest.importorskip("refchain._core")


@contextlib.contextmanager
def running(*args, python=sys.executable):
    """A Python program that has told something; (process, what it told)."""
    process = subprocess.Popen(
        [python, *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=inside.environment(),
    )
    try:
        told = next((line for line in process.stdout if inside.MARK in line), None)
        assert told is not None, f"exit {process.wait()}"
        yield process, told.split(inside.MARK, 1)[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def program(folder, source):
    path = folder / "prog.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


def why(snapshot, question):
    return json.loads(native.run("why", snapshot, question, "--json").stdout)


# ---- the truth -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hung(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hung")
    outside_check.build_hung(folder)
    return folder


@pytest.fixture(scope="module", params=outside_check.APPS)
def found(request, hung):
    return outside_check.check(request.param, hung)


def test_the_tracked_objects_are_those_of_gc_get_objects(found):
    figures = found.figures()
    assert figures["lost"] == 0, found.told_rows()
    assert figures["extra"] == found.frozen, found.told_rows()
    assert figures["tracked"] > 40_000


def test_references_between_containers_are_those_that_tp_traverse_visits(found):
    figures = found.figures()
    print(figures, json.dumps(found.told_rows(), indent=2))
    assert figures["TP"] > 80_000
    assert figures["recall"] >= 0.9995
    assert figures["precision"] >= 0.995


def test_nothing_is_missing_and_nothing_warned_about(found):
    info = found.graph.info()
    assert not info["partial"] and info["unreadable"] == 0
    assert info["warnings"] == []


def test_objects_are_found_by_their_types_when_the_lists_are_not_to_be_had(hung):
    found = outside_check.check("truth_app", hung, how="search")
    figures = found.figures()
    assert figures["lost"] == 0, found.told_rows()
    assert figures["extra"] <= found.frozen + figures["tracked"] // 1000, found.told_rows()
    assert figures["recall"] >= 0.9995 and figures["precision"] >= 0.995
    info = found.graph.info()
    assert info["partial"]
    (warning,) = info["warnings"]
    assert warning.startswith("a garbage collection was under way")


# ---- the same answers ------------------------------------------------------------------------------

CASES = [
    ("story_standin", 137, "TCPTransport"),
    ("h01_lru_cache_property", 50, "__main__.Parser"),
    ("h06_timer_context", 50, "__main__.Request"),
    ("h07_sqlite_create_function", 50, "__main__.Store"),
    ("h11_cached_exception", 50, "__main__.Request"),
    ("h12_atexit_method", 50, "__main__.Client"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_the_answer_is_the_one_from_inside(case, tmp_path):
    script, number, question = case
    waits = inside.PROGRAMS / "corpus_waits.py"
    with running(waits, inside.corpus(), script, number, question) as (process, told):
        native.image_lab("dump", process.pid, tmp_path / "f.rch")
    outside, expected = why(tmp_path / "f.rch", question), json.loads(told)
    assert expected["objects"] == number and expected["holders"]
    del outside["source"], expected["source"]
    assert outside == expected


# ---- processes that do not stand still ---------------------------------------------------------------


@pytest.fixture(params=filter(None, ["this", findable.free_threaded() and "3.13t"]))
def python(request):
    return sys.executable if request.param == "this" else findable.free_threaded()


COLLECTING = """
    import ctypes, gc, threading

    class Kept:
        def __init__(self, number):
            self.items = [number]
            self.other = {"me": self}

    def ghost(node):
        # Count, type and a link, as in memory that was freed; where the link leads is a number that could
        # be a count of the collector's, and no object.
        return [node + 32, node, 1, id(Kept), 0, 5 << 2 | 2, 0, 0]

    ghosts = (ctypes.c_uint64 * 8000)()
    for i in range(0, 8000, 8):
        ghosts[i : i + 8] = ghost(ctypes.addressof(ghosts) + i * 8)

    # A struct of C: a reference to an object whose address is as small as a count, then one to a class.
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_size_t
    libc.mmap.argtypes = [ctypes.c_size_t, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    low = libc.mmap(0x31000000, 4096, 3, 0x22 | 0x100000, -1, 0)  # MAP_FIXED_NOREPLACE
    assert low < 1 << 40
    (ctypes.c_uint64 * 2).from_address(low)[:] = [1, id(object)]
    struct = (ctypes.c_uint64 * 512)()
    node = ctypes.addressof(struct)
    struct[:4] = [node, node, low, id(Kept)]

    kept = [Kept(i) for i in range(20_000)]
    print("@@", flush=True)
    while True:
        gc.collect()
"""


def test_in_the_middle_of_a_collection_no_object_is_lost(python, tmp_path):
    num_marked, num_dumps, numbers = 0, 0, []
    with running(program(tmp_path, COLLECTING), python=python) as (process, _):
        while num_marked < SAMPLES and num_dumps < 20 * SAMPLES:  # some are between collections
            num_dumps += 1
            native.image_lab("dump", process.pid, tmp_path / "f.rch")
            graph = core.load(str(tmp_path / "f.rch"))
            assert len(graph.addresses("__main__.Kept")) == 20_000
            info = graph.info()
            marked = [w for w in info["warnings"] if w.startswith("a garbage collection")]
            assert info["partial"] == bool(marked)
            num_marked += bool(marked)
            numbers.append(info["tracked"])
            answer = why(tmp_path / "f.rch", "__main__.Kept")
            assert [inside.root(h) for h in answer["holders"]] == [("module", "__main__")]
    assert num_marked == SAMPLES
    assert max(numbers) - min(numbers) < 100  # of 65,000


CHANGING = """
    import threading

    class Kept:
        def __init__(self, number):
            self.items = [number]

    kept = [Kept(i) for i in range(5_000)]

    def change(number):
        table = {}
        while True:
            for i in range(1000):
                table[i] = [Kept(i), (i, [number]), {"x": table.get(i - 1)}]
            table.clear()

    for number in range(3):
        threading.Thread(target=change, args=(number,), daemon=True).start()
    print("@@", flush=True)
    threading.Event().wait()
"""


def test_while_threads_change_the_heap_a_capture_misses_next_to_nothing(python, tmp_path):
    """An object may be half made, or half way into a list, when its thread is stopped."""
    with running(program(tmp_path, CHANGING), python=python) as (process, _):
        for _ in range(SAMPLES):
            native.image_lab("dump", process.pid, tmp_path / "f.rch")
            graph = core.load(str(tmp_path / "f.rch"))
            assert len(graph.addresses("__main__.Kept")) >= 5_000
            assert graph.info()["unreadable"] <= 3


# ---- several interpreters -----------------------------------------------------------------------------

INTERPRETERS = """
    import time
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

    made = [interpreters.create() for _ in range(20)]
    for each in made:
        interpreters.run_string(each, "class Kept: pass\\nkept = [Kept() for _ in range(50)]")
    print("@@", flush=True)
    time.sleep(1000)
"""


def test_each_interpreter_has_its_roots(python, tmp_path):
    with running(program(tmp_path, INTERPRETERS), python=python) as (process, _):
        native.image_lab("dump", process.pid, tmp_path / "f.rch")
    graph = core.load(str(tmp_path / "f.rch"))
    assert len(graph.addresses("__main__.Kept")) == 1000
    details = {
        detail
        for kind, name, detail, references in graph.roots()
        if (kind, name) == ("module", "__main__")
        for _ in references
    }
    assert len(details) == 21 and "" in details
    answer = why(tmp_path / "f.rch", "__main__.Kept")
    assert answer["garbage"] == answer["c_held"] == answer["unexplained"] == 0


# ---- torn memory ----------------------------------------------------------------------------------------

SMALL = """
    import collections, json, sys, time
    rows = [{"a": [i], "b": (i, {i})} for i in range(100)]
    more = collections.deque(collections.OrderedDict({i: [i]}) for i in range(70))
    steps = (row for row in rows)
    next(steps)
    print("@@", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_torn_memory_neither_crashes_nor_hangs_a_capture(seed, python, tmp_path):
    """4000 words of an image overwritten, some at a time (tests/c/image_lab.c)."""
    with running(program(tmp_path, SMALL), python=python) as (process, _):
        done = native.image_lab("mutate", process.pid, seed, 200, 20, check=False)
        assert done.returncode == 0, done.stderr
        assert process.poll() is None
    captures, partial, refused = (int(word) for word in done.stdout.split() if word.isdigit())
    assert captures == 200 and partial > 100 and refused < 100
    assert done.stdout.strip().endswith("whole")
