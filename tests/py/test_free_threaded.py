# SPDX-License-Identifier: MIT
"""A build of CPython without the GIL, read from outside: what it says of itself, answers that are those of
other builds, counts that several threads keep, and the warning that all this is an experiment. Also
test_outside.py, test_find.py and test_gen_layout.py look at it. Skipped where there is none:
tools/free_threaded.sh builds one."""

import json
import os
import shutil
import subprocess

import findable
import inside
import native
import outside_check
import pytest
import test_outside
from test_outside import program, running, why

core = pytest.importorskip("refchain._core")
PYTHON = findable.free_threaded()
if not PYTHON:
    pytest.skip("no python3.13t here: tools/free_threaded.sh", allow_module_level=True)

WARNING = (
    "a free-threaded build of CPython: reading those is experimental, so check what is said here "
    "before you rely on it"
)


def dump(process, folder):
    native.image_lab("dump", process.pid, folder / "f.rch")
    return core.load(str(folder / "f.rch"))


def answer(*args):
    done = native.run(*args, "--json")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


# ---- the truth -------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=outside_check.APPS)
def found(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hung")
    outside_check.build_hung(folder, PYTHON)
    return outside_check.check(request.param, folder, PYTHON)


def test_the_tracked_objects_are_those_of_gc_get_objects(found):
    figures = found.figures()
    assert (figures["lost"], figures["extra"]) == (0, 0), found.told_rows()
    assert figures["tracked"] > 20_000


def test_references_between_containers_are_those_that_tp_traverse_visits(found):
    figures = found.figures()
    print(figures, json.dumps(found.told_rows(), indent=2))
    assert figures["TP"] > 100_000
    assert figures["recall"] >= 0.9995
    assert figures["precision"] >= 0.995


def test_the_answer_says_that_it_is_an_experiment_and_is_whole(found):
    info = found.graph.info()
    assert info["warnings"] == [WARNING] and not info["partial"]


def test_counts_of_all_kinds_balance(found):
    """Split, deferred and immortal ones: what is left over is held from C on other builds too."""
    held = {
        name: len(references)
        for kind, name, _, references in found.graph.roots()
        if kind == "c-held"
    }
    assert 0 < sum(held.values()) < 150, held
    assert not [kind for kind, *_ in found.graph.roots() if kind == "garbage"]


SIZES = """
    import array, collections, datetime, io, struct, sys, threading, time

    class Plain:
        def __init__(self, **more):
            self.__dict__.update(more)

    class Slots:
        __slots__ = "one", "two"

    class List(list):
        pass

    def generator(one, two):
        yield one, two

    kept = [
        Plain(), Plain(a=1, b=[2]), Plain(**{str(i): i for i in range(50)}), Slots(), List([1, 2]),
        [], [1] * 100, (), (1, 2), {}, {1: 2}, {"a": 1}, dict.fromkeys(range(1000)), set(), {1},
        set(range(1000)), frozenset("abc"), collections.OrderedDict(a=1), collections.deque(range(99)),
        "text", "t\xe4xt", "\u20ac", b"bytes", bytearray(77), 0, 2**100, 1.5, generator(1, 2),
        array.array("i", range(9)), struct.Struct("ii"), io.BytesIO(b"x" * 99), datetime.datetime.now(),
        datetime.datetime.now(datetime.timezone.utc), ValueError(1), type, Plain, Slots, threading.Lock(),
        generator, generator.__code__, sys, range(5), slice(1), memoryview(b"x"), lambda: 0,
    ]
    print("@@" + " ".join("%x:%d" % (id(each), sys.getsizeof(each)) for each in kept), flush=True)
    time.sleep(1000)
"""


def test_sizes_are_those_of_sys_getsizeof(tmp_path):
    with running(program(tmp_path, SIZES), python=PYTHON) as (process, told):
        graph = dump(process, tmp_path)
    sizes = dict(word.split(":") for word in told.split())
    nodes = [graph.node(int(address, 16)) for address in sizes]
    wrong = [
        (node["type"], node["size"], int(size))
        for node, size in zip(nodes, sizes.values())
        if node["size"] != int(size)
    ]
    assert len(nodes) > 40 and not wrong


# ---- the same answers ------------------------------------------------------------------------------


def comparable(data):
    """Without addresses, bytes and numbers of freed objects, which differ between builds and versions."""
    if isinstance(data, dict):
        drop = {"bytes", "objects", "example", "source", "warnings"}
        return {key: comparable(value) for key, value in data.items() if key not in drop}
    return [comparable(value) for value in data] if isinstance(data, list) else data


@pytest.mark.parametrize("case", test_outside.CASES, ids=[case[0] for case in test_outside.CASES])
def test_holders_and_fingerprints_are_those_that_a_build_with_the_gil_tells(case, tmp_path):
    script, number, question = case
    waits = inside.PROGRAMS / "corpus_waits.py"
    with running(waits, inside.corpus(), script, number, question) as (_, told):
        expected = json.loads(told)
    with running(waits, inside.corpus(), script, number, python=PYTHON) as (process, _):
        dump(process, tmp_path)
    outside = why(tmp_path / "f.rch", question)
    assert outside["warnings"] == [WARNING]
    assert outside["objects"] == expected["objects"] == number and expected["holders"]
    assert comparable(outside) == comparable(expected)


@pytest.mark.skipif(not shutil.which("gcore"), reason="gcore is not installed")
def test_the_core_of_a_process_gives_the_answer_of_the_process(tmp_path):
    waits = inside.PROGRAMS / "corpus_waits.py"
    with running(waits, inside.corpus(), "story_standin", 20, python=PYTHON) as (process, _):
        live = answer("why", process.pid, "TCPTransport")
        subprocess.run(
            ["gcore", "-o", tmp_path / "core", str(process.pid)], check=True, capture_output=True
        )
    dead = answer("why", tmp_path / f"core.{process.pid}", "TCPTransport")
    assert live["objects"] == 20 and len(live["holders"]) == 2
    del live["source"], dead["source"]
    assert dead == live


# ---- counts that several threads keep -----------------------------------------------------------------

THREADS = """
    import threading, time

    class Given: pass
    class Kept: pass
    class Orphan: pass

    given, kept, orphans = [], [], []
    ready = threading.Event()

    def owner():
        given.extend(Given() for _ in range(100))
        kept.extend(Kept() for _ in range(100))
        ready.set()
        time.sleep(1000)

    threading.Thread(target=owner, daemon=True).start()
    brief = threading.Thread(target=lambda: orphans.extend(Orphan() for _ in range(100)))
    brief.start()
    brief.join()
    ready.wait()
    also = kept[:]
    given.clear()
    print("@@", flush=True)
    time.sleep(1000)
"""


def test_who_counts_what_makes_no_difference(tmp_path):
    """What a thread made that is gone, what another one refers to, and what another one gave up:
    that waits until its own thread looks, and is held by nobody."""
    with running(program(tmp_path, THREADS), python=PYTHON) as (process, _):
        dump(process, tmp_path)
    for name, held_by in ("Kept", {"kept", "also"}), ("Orphan", {"orphans"}), ("Given", set()):
        told = why(tmp_path / "f.rch", f"__main__.{name}")
        holders = {holder["path"][0]["name"] for holder in told["holders"] if not told["garbage"]}
        assert (told["objects"], holders, told["c_held"]) == (100, held_by, 0), told
        assert told["garbage"] == (0 if held_by else 100)


IMMORTAL = """
    import threading, time

    class Leaked: pass

    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()

    def make():
        class Forgotten:
            kept = [Leaked() for _ in range(10)]

    make()
    print("@@", flush=True)
    time.sleep(1000)
"""


def test_what_an_immortal_class_refers_to_is_no_garbage(tmp_path):
    """From the second thread on classes are never freed, whether or not anybody knows them."""
    with running(program(tmp_path, IMMORTAL), python=PYTHON) as (process, _):
        dump(process, tmp_path)
    told = why(tmp_path / "f.rch", "__main__.Leaked")
    (holder,) = told["holders"]
    assert (told["objects"], told["garbage"], told["c_held"]) == (10, 0, 0)
    assert inside.root(holder) == ("interpreter", "immortal objects"), holder
    assert [hop["name"] for hop in holder["path"][:2]] == ["never freed", "kept"]


# ---- threads, descriptors ------------------------------------------------------------------------------

OPEN = """
    import mmap, os, socket, sys, tempfile, time

    file = open(sys.argv[0], "rb", buffering=0)
    server = socket.create_server(("127.0.0.1", 0))
    image = tempfile.TemporaryFile()
    image.truncate(4096)
    mapped = mmap.mmap(image.fileno(), 4096)
    borrowed = open(server.fileno(), "rb", buffering=0, closefd=False)

    def sit():
        print("@@", file.fileno(), server.fileno(), image.fileno(), flush=True)
        server.accept()

    sit()
"""


def test_descriptors_have_their_owners_and_stacks_their_lines(tmp_path):
    path = program(tmp_path, OPEN)
    with running(path, python=PYTHON) as (process, told):
        rows = {row["fd"]: row["owner"] for row in answer("fds", process.pid)["descriptors"]}
        (thread,) = answer("stacks", process.pid)["threads"]
    file, server, image = (rows[int(word)]["type"] for word in told.split())
    assert (file, server, image) == ("_io.FileIO", "socket.socket", "_io.FileIO")
    assert "mmap.mmap" in {row["type"] for row in rows.values() if row}
    lines = path.read_text().splitlines()
    calls = [(frame["function"], lines[frame["line"] - 1].strip()) for frame in thread["frames"][-2:]]
    assert calls == [("sit", "server.accept()"), ("<module>", "sit()")]


# ---- words ---------------------------------------------------------------------------------------------


def test_doctor_says_that_it_is_an_experiment(tmp_path):
    with running(program(tmp_path, SIZES), python=PYTHON) as (process, _):
        checkup = answer("doctor", process.pid)["process"]
        text = native.run("doctor", process.pid).stdout.decode()
    assert checkup["readable"] and checkup["python"].startswith("3.13.")
    assert checkup["warnings"] == [WARNING]
    assert "(free-threaded)" in text and " ".join(WARNING.split()) in " ".join(text.split())


def test_inside_of_such_a_build_importing_is_refused(tmp_path):
    """And it does not bring the GIL back."""
    package = tmp_path / "refchain"
    shutil.copytree(native.ROOT / "python" / "refchain", package)
    sources = [*native.ROOT.glob("python/ext/*.c"), *native.ROOT.glob("src/[!c]*/*.c")]
    sources += native.ROOT.glob("src/capture/*.c")
    suffix = findable.config(PYTHON, "EXT_SUFFIX")
    include = findable.run_text(PYTHON, "-c", "import sysconfig as s; print(s.get_path('include'))")
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu11", "-shared", "-fPIC", '-DRCH_VERSION="0"']
        + ["-I", native.ROOT / "src", "-isystem", include.strip(), *sources, "-lz", "-lzstd", "-lm"]
        + ["-o", package / f"_core{suffix}"],
        check=True,
    )
    code = """if True:
        import sys
        try:
            import refchain
        except ImportError as error:
            print(error)
        print(sys._is_gil_enabled())"""
    done = subprocess.run(
        [PYTHON, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    words, is_gil_enabled = done.stdout.splitlines()
    assert "does not run inside free-threaded builds" in words and "refchain why PID TYPE" in words
    assert is_gil_enabled == "False"
