# SPDX-License-Identifier: MIT
"""break_at: stops where a type gets its limit-th instance, in the thread and on the line that makes
it; programs of their own, real debuggers, pytest inside pytest."""

import ast
import json
import sys
import textwrap

import inside
import pytest

PROGRAM = """\
import gc, sys, threading
import refchain
{before}
class Plain: pass
class WithInit:
    def __init__(self):
        self.x = 1
class Slots:
    __slots__ = ("a",)
class Dict(dict): pass
class Derived(WithInit): pass
kept = []
def make(cls, num):
    for _ in range(num):
        one = cls()  # here
        kept.append(one)
told = []
def act(reached):
    told.append([reached.count, len(kept), reached.where])
"""
CLASSES = ["Plain", "WithInit", "Slots", "Dict"]


def run(tmp_path, source, before="", **options):
    prog = tmp_path / "prog.py"
    lines = PROGRAM.format(before=before) + textwrap.dedent(source)
    prog.write_text(lines + '\nimport json\nprint("@@" + json.dumps(told))\n')
    here = 1 + [n for n, line in enumerate(lines.splitlines()) if "# here" in line][0]
    return inside.told(inside.run([prog], **options)), "prog.py:%d in make, thread " % here


@pytest.mark.parametrize("cls", CLASSES)
def test_it_acts_at_the_line_that_makes_the_instance(cls, tmp_path):
    (reached,), line = run(tmp_path, f"refchain.break_at({cls}=100, action=act)\nmake({cls}, 150)")
    assert reached[:2] == [100, 99]
    assert line + "MainThread" in reached[2]


@pytest.mark.parametrize("collector", ["", "gc.disable()", "gc.set_threshold(5)"])
@pytest.mark.parametrize("cls", CLASSES)
def test_those_that_died_do_not_count(cls, collector, tmp_path):
    source = f"""
        refchain.break_at({cls}=100, action=act)
        for _ in range(3000): {cls}()
        make({cls}, 99)
        kept[:50] = []
        make({cls}, 50)
        for _ in range(20): make({cls}, 1)
    """
    ((count, *_), *more), _ = run(tmp_path, source, before=collector)
    assert count == 100 and not more
    told, _ = run(tmp_path, f"refchain.break_at({cls}=100, action=act)\nmake({cls}, 99)")
    assert told == []


@pytest.mark.parametrize("cls", CLASSES)
def test_in_another_thread(cls, tmp_path):
    source = f"""
        refchain.break_at({cls}=100, action=act)
        def work():
            make({cls}, 120)
        thread = threading.Thread(target=work, name="worker")
        thread.start()
        thread.join()
    """
    (reached,), line = run(tmp_path, source)
    if sys.version_info >= (3, 12):
        assert reached[:2] == [100, 99] and line + "worker" in reached[2]
    else:
        assert reached[0] >= 100 and "in make, thread worker" in reached[2]
    if sys.version_info >= (3, 10):
        assert reached[0] == 100


def test_while_other_threads_run(tmp_path):
    source = """
        done = threading.Event()
        def churn():
            while not done.is_set():
                [WithInit() for _ in range(20)]
        others = [threading.Thread(target=churn) for _ in range(3)]
        for thread in others: thread.start()
        refchain.break_at(Plain=300, action=act)
        workers = [threading.Thread(target=make, args=(Plain, 100)) for _ in range(3)]
        for thread in workers: thread.start()
        for thread in workers: thread.join()
        make(Plain, 50)
        done.set()
        for thread in others: thread.join()
    """
    (reached,), _ = run(tmp_path, source)
    assert reached[0] >= 300 and ", thread " in reached[2]
    if sys.version_info >= (3, 12):  # before, whichever thread is the first to look (docs/prompt.md)
        assert " in make, thread " in reached[2]


def test_a_count_that_is_over_already_acts_at_once(tmp_path):
    source = """
        make(Plain, 30)
        def caller():
            refchain.break_at(Plain=20, action=act)
            for _ in range(3): pass  # the interpreter looks up at jumps and calls
        caller()
    """
    (reached,), _ = run(tmp_path, source)
    assert reached[0] == 30 and "in caller" in reached[2]


def test_a_type_that_comes_later(tmp_path):
    source = """
        refchain.break_at("later.*.Thing", 40, action=act)
        def define():
            class Thing: __module__ = "later.deep"
            return Thing
        cls = define()
        gc.collect(0)
        make(cls, 60)
    """
    (reached,), line = run(tmp_path, source)
    assert reached[:2] == [40, 39] and line in reached[2]


def test_patterns_mean_what_they_mean_to_why(tmp_path):
    source = """
        for pattern in ("__main__.Plain", "Plain", "*.Pla?n"):
            kept.clear()
            refchain.break_at(pattern, 5, action=act)
            make(WithInit, 9)
            make(Derived, 9)
            make(Plain, 7)
    """
    told, _ = run(tmp_path, source)
    assert [row[0] for row in told] == [5, 5, 5]


def test_several_limits_and_taking_them_back(tmp_path):
    source = """
        with refchain.break_at(Plain=10, WithInit=5, action=act) as both:
            make(WithInit, 8)
            assert both.is_set and both.counts() == {"Plain": 0}, both.counts()
        make(Plain, 30)
        assert not both.is_set
        one = refchain.break_at(Plain=1000, action=act)
        one.cancel()
        make(Plain, 1000)
        assert refchain._break._on_collection not in gc.callbacks
    """
    (reached,), _ = run(tmp_path, source)
    assert reached[0] == 5


def test_a_full_collection_finds_what_the_allocator_did_not_show(tmp_path):
    source = """
        refchain.break_at(Plain=20, action=act)
        others = [WithInit() for _ in range(30)]
        for one in others: one.__class__ = Plain
        gc.collect()
        make(WithInit, 5)
    """
    told, _ = run(tmp_path, source)
    assert [row[0] for row in told] == [30]


def test_every_counts_without_a_collection(tmp_path):
    source = """
        import time
        gc.disable()
        refchain.break_at(Plain=20, action=act, every=0.01)
        others = [WithInit() for _ in range(30)]
        for one in others: one.__class__ = Plain
        end = time.monotonic() + 60
        while not told and time.monotonic() < end:
            make(WithInit, 1)
    """
    told, _ = run(tmp_path, source)
    assert [row[0] for row in told] == [30]


def test_an_actions_exception_reaches_the_program(tmp_path):
    source = """
        def fail(reached): raise AssertionError("too many")
        refchain.break_at(Plain=20, action=fail)
        try:
            make(Plain, 30)
        except AssertionError as error:
            told.append([str(error), len(kept)])
    """
    told, _ = run(tmp_path, source)
    assert told == [["too many", 19]]


def test_a_snapshot(tmp_path):
    source = """
        path = sys.argv[0] + ".rch"
        refchain.break_at(Plain=20, action="dump", path=path)
        make(Plain, 30)
        told.append(refchain.load(path).count("__main__.Plain"))
    """
    told, _ = run(tmp_path, source)
    assert told == [20]


def test_tracemalloc_beside_it(tmp_path):
    source = """
        import tracemalloc
        refchain.break_at(Plain=20, action=act)
        tracemalloc.start()
        make(Plain, 30)
        tracemalloc.stop()
        kept.clear()
        refchain.break_at(Plain=20, action=act)
        make(Plain, 30)
    """
    told, _ = run(tmp_path, source)
    assert [row[:2] for row in told] == [[20, 19], [20, 19]]


@pytest.mark.parametrize(
    "call",
    ["int=5", "'Plain'", "", "Plain=0", "Plain=5, action='stop'"],
)
def test_what_cannot_be_is_said(call, tmp_path):
    source = f"""
        try:
            refchain.break_at({call})
        except (ValueError, TypeError) as error:
            told.append(str(error))
    """
    told, _ = run(tmp_path, source)
    assert len(told) == 1 and told[0]


# ---- debuggers -----------------------------------------------------------------------------------

HELD = """\
import leaky
import refchain
def make():
    for i in range(30):
        conn = leaky.Connection()
        leaky.pool.connections[str(i)] = conn
        del conn
refchain.break_at(TCPTransport=20)
make()
print("@@end")
"""


def test_at_the_pdb_prompt_why_leaves_the_debugger_out(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text(HELD)
    typed = "w\n!import refchain\np refchain.why('leaky.TCPTransport').json()\nc\n"
    out = inside.run([prog], stdin=typed, check=False)
    assert "refchain: 20 TCPTransport are alive (limit 20), the last made at" in out
    assert "@@end" in out  # and went on
    (data,) = [json.loads(ast.literal_eval(line[line.index("'{") :]))
               for line in out.splitlines() if '{"schema' in line]
    assert data["objects"] == 20
    holders = [(inside.root(h), h["holds"]) for h in data["holders"]]
    assert (("module", "leaky"), 19) in holders  # the last one is being made
    assert not [h for h in data["holders"] if "pdb" in json.dumps(h)]


def test_quitting_the_debugger_ends_the_program(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text(HELD)
    out = inside.run([prog], stdin="q\n", check=False)
    assert "refchain: 20 TCPTransport" in out and "@@end" not in out


def test_the_story_stops_in_the_test_that_makes_the_hundredth(tmp_path):
    """The counter and pdb of the story: in pytest, with its output captured."""
    corpus = inside.corpus()
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(corpus)!r})\n"
        "import refchain\nrefchain.break_at(TCPTransport=100)\n"
    )
    (tmp_path / "test_story.py").write_text("from story_standin import Story\n")
    typed = "w\n!import refchain\np refchain.why('TCPTransport').json()\nq\n"
    args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    out = inside.run(args, stdin=typed, cwd=tmp_path, check=False,
                     env={"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert "refchain: 100 TCPTransport are alive (limit 100), the last made at" in out
    assert "transport.py" in out and "in AMQPConnection.__init__" in out or "__init__" in out
    assert "lambda self, i=_i: one(i)" in out  # the test, below
    (data,) = [json.loads(ast.literal_eval(line[line.index("'{") :]))
               for line in out.splitlines() if "'{\"schema" in line]
    assert data["objects"] == 100
    roots = {inside.root(h)[1] for h in data["holders"]}
    assert {"multiprocessing.util", "minimq.backends"} <= roots
    assert not {r for r in roots if "pytest" in r or "pdb" in r}
