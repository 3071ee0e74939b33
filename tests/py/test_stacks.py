# SPDX-License-Identifier: MIT
"""Where threads stand: functions, lines and locals are those that CPython's own frames tell."""

import asyncio
import json
import os
import random
import sys
import textwrap
import threading
import traceback

import inside
import native
import pytest
import refchain


class Parked:
    """A thread that runs `function(park)` and stands in park() while the block runs."""

    def __init__(self, function, name="parked"):
        self.reached, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=function, args=(self.park,), name=name)
        self.frames = None

    def park(self, *ignored, **also_ignored):
        self.reached.set()
        self.go.wait(60)

    def __enter__(self):
        self.thread.start()
        assert self.reached.wait(60)
        while sys._current_frames()[self.thread.ident].f_code.co_name != "wait":
            pass  # until it really waits, it moves
        self.frames = list(traceback.walk_stack(sys._current_frames()[self.thread.ident]))
        return self

    def __exit__(self, *exc_info):
        self.go.set()
        self.thread.join()


def named(frame):
    code = frame.f_code
    return getattr(code, "co_qualname", code.co_name)


def stacks_of(parked, **options):
    (thread,) = refchain.snapshot().stacks(thread=parked.thread.name, **options)
    return thread


def assert_same_lines(parked):
    told = [(f.function, f.file, f.line) for f in stacks_of(parked).frames]
    # The thread may leave and enter the lock's C code, never another line.
    assert told == [(named(f), f.f_code.co_filename, line) for f, line in parked.frames]


def run_source(source):
    """Compile; `f(park)` of it parks somewhere."""
    names = {}
    exec(compile(textwrap.dedent(source), "made.py", "exec"), names)
    with Parked(names["f"]) as parked:
        assert [f for f in parked.frames if f[0].f_code.co_filename == "made.py"]
        assert_same_lines(parked)


SOURCES = {
    "a call over several lines": """
        def f(park):
            x = [
                1,
                park(
                    1 +
                    2
                ),
                3,
            ]
        """,
    "arguments after the call's line": """
        def g(*args): args[0](
            *args
        )
        def f(park):
            g(
                park,
                (lambda: 1)(),
            )
        """,
    "a decorator": """
        def decorate(park):
            park()
            return lambda function: function
        def f(park):
            @decorate(
                park
            )
            @(lambda function: function)
            def inner():
                pass
        """,
    "loops": """
        def f(park):
            for i in range(3):
                while i:

                    if i == 2:
                        park()
                    break
                else:
                    pass
        """,
    "try and finally": """
        def f(park):
            try:
                try:
                    raise ValueError(
                        1
                    )
                except KeyError:
                    pass
                finally:
                    try:
                        pass
                    finally:
                        park()
            except ValueError as error:
                pass
        """,
    "an exception handler": """
        def f(park):
            try:
                {}[1]
            except (
                ValueError,
                KeyError,
            ) as error:
                park()
        """,
    "the end of a with block": """
        class Context:
            def __init__(self, park): self.park = park
            def __enter__(self): return self
            def __exit__(self, *args):
                self.park()
        def f(park):
            with Context(park) as a, \\
                 Context(int) as b:
                pass

            return 1
        """,
    "a generator and yield from": """
        def inner(park):
            yield 1
            park()
            yield 2
        def outer(park):
            yield from inner(
                park
            )
        def f(park):
            for x in outer(park):
                pass
        """,
    "comprehensions": """
        def f(park):
            return [
                {
                    k: park()
                    for k in range(2)
                }
                for x in range(2)
                if x
            ]
        """,
    "a generator expression": """
        def f(park):
            return sum(
                park() or 1
                for x in range(3)
                if
                x > 1
            )
        """,
    "a lambda": """
        def f(park):
            g = lambda x: (
                x,
                park(),
            )
            return sorted([3, 1], key=
                g
            )
        """,
    "a class body": """
        def f(park):
            class A:
                x = 1

                y = park()
        """,
    "a coroutine": """
        class Wait:
            def __init__(self, park): self.park = park
            def __await__(self):
                self.park()
                yield
        async def inner(park):
            async def agen():
                yield 1
                await Wait(
                    park
                )
            async for x in agen():
                pass
        async def outer(park):
            await inner(park)
        def f(park):
            try:
                outer(park).send(None)
            except StopIteration:
                pass
        """,
    "a finalizer": """
        class A:
            def __init__(self, park): self.park = park
            def __del__(self):
                self.park()
        def f(park):
            a = A(park)
            del a
            return
        """,
    "attributes and operators": """
        class A:
            def __getattr__(self, name):
                return self + 1
            def __add__(self, other):
                park()
        def f(park_):
            global park
            park = park_
            A().x
        """,
    "an assertion": """
        def f(park):
            assert (
                park()
                is not
                None
            ), (
                "x"
            )
        """,
    "an f-string": """
        def f(park):
            x = f'''
            {1}
            {park()}
            '''
        """,
    "a function on line 1": "def f(park): park()",
    "the end of a chain of conditions": """
        def f(park):
            if park is None:
                return
            elif (
                park == 1
                or
                park() is None
            ):
                pass
        """,
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", SOURCES)
def test_the_line_is_the_one_cpython_tells(name):
    run_source(SOURCES[name])


@pytest.mark.parametrize("gap", [1, 127, 128, 129, 254, 255, 256, 300, 600, 70000])
def test_jumps_over_many_lines(gap):
    blank = "\n" * gap
    run_source(f"def f(park):\n    x = [1,{blank}\n    park(1,{blank}\n    2)]\n")
    run_source(f"{blank}def f(park):\n    x = 1{blank}\n    park()\n{blank}\n    x = 2\n")


@pytest.mark.parametrize("num", [40, 120, 260, 3000])
def test_much_code_on_one_line_and_on_many(num):
    one_line = "; ".join(["x = park"] * num)
    run_source(f"def f(park):\n    {one_line}; park()\n    x = 2\n")
    run_source(f"def f(park):\n    {one_line}\n    park(); {one_line}\n    x = 2\n")
    many = "\n".join(f"    x{i} = {i + 1000}" for i in range(num))
    run_source(f"def f(park):\n{many}\n    park(\n        x0)\n{many}\n")


def random_program(rng):
    """Statements nested at random around park(), with blank lines at random."""

    def wrap(body, depth):
        pad, inner = "    " * depth, "    " * (depth + 1)
        gap = "\n" * rng.choice([0, 0, 0, 1, 3, 130, 260])
        return rng.choice([
            f"{pad}if 1:{gap}\n{{}}",
            f"{pad}for i in (1,{gap}\n{inner}):\n{{}}",
            f"{pad}try:\n{{}}{gap}\n{pad}finally:\n{inner}pass",
            f"{pad}try:\n{inner}1/0\n{pad}except ZeroDivisionError:{gap}\n{{}}",
            f"{pad}while True:\n{{}}{gap}\n{inner}break",
            f"{pad}with open('/dev/null') as o, \\\n{inner}open('/dev/null'):\n{gap}{{}}",
            f"{pad}def g{depth}(*args):{gap}\n{{}}\n{pad}g{depth}(1,{gap}\n{inner}2)",
            f"{pad}def h{depth}():\n{{}}\n{inner}yield\n{pad}next({gap}\n{inner}h{depth}())",
            f"{pad}class C{depth}:{gap}\n{{}}",
            f"{pad}x = [1, {gap}\n{inner}2]\n{pad}if x:\n{{}}",
        ]).format(body)  # fmt: skip

    depth = rng.randrange(1, 7)
    pad = "    " * (depth + 1)
    program = rng.choice([
        f"{pad}park()",
        f"{pad}x = [park() for y in [1,\n{pad}2]]",
        f"{pad}(lambda:\n{pad}park(\n{pad}1,\n{pad}2))()",
        f"{pad}x = {{1: 2,\n\n{pad}3: park(\n{pad}*[1, 2],\n{pad}a=1)}}",
        f"{pad}assert park(\n{pad}) is None, (\n{pad}1)",
    ])  # fmt: skip
    while depth > 0:
        program = wrap(program, depth)
        depth -= 1
    return "def f(park):\n" + program + "\n"


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    source = random_program(random.Random(seed))
    try:
        run_source(source)
    except AssertionError:
        print(source)
        raise


# ---- the asking thread, all threads --------------------------------------------------------------


def test_the_asking_threads_own_lines():
    def ask():
        frame = sys._getframe()
        graph, lines = (refchain
            .snapshot(
                None
            ), [(named(f), f.f_code.co_filename, line)
                for f, line in traceback.walk_stack(frame)])  # fmt: skip
        return graph, lines

    (graph, lines), after = ask(), sys._getframe().f_lineno
    (asker,) = [t for t in graph.stacks() if t.asks]
    told = [(f.function, f.file, f.line) for f in asker.frames]
    while told[0][1].startswith(os.path.dirname(refchain.__file__)):
        del told[0]
    ours = [(f, file) for f, file, _ in told]
    assert ours == [(f, file) for f, file, _ in lines]
    assert told[1:] == lines[1:] and told[1][2] == after
    assert abs(told[0][2] - lines[0][2]) < 5  # the list was made on a later line of the expression


def test_every_thread_is_there_with_its_number_and_the_asker_has_the_gil():
    ids = {}

    def note(park):
        ids[threading.current_thread().name] = threading.get_native_id()
        park()

    parked = [Parked(note, f"number {i}") for i in range(5)]
    for one in parked:
        one.__enter__()
    threads = list(refchain.snapshot().stacks())
    for one in parked:
        one.__exit__()
    assert threads[0].name == "MainThread" and threads[0].id == os.getpid()
    told = [(t.name, t.id) for t in threads if t.name.startswith("number")]
    assert told == sorted(ids.items())
    assert [t.name for t in threads if t.has_gil] == [t.name for t in threads if t.asks]
    assert [t.name for t in threads if t.asks] == ["MainThread"]
    assert {t.waits_for for t in threads} == {None}


def test_another_thread_may_ask():
    graphs = []
    thread = threading.Thread(target=lambda: graphs.append(refchain.snapshot()), name="asker")
    thread.start()
    thread.join()
    (asker,) = [t for t in graphs[0].stacks() if t.asks]
    assert (asker.name, asker.has_gil, asker.frames[2].function.split(".")[-1]) == (
        "asker", True, "<lambda>")  # fmt: skip


def test_one_thread_by_name_or_number():
    with Parked(lambda park: park(), "just me") as parked:
        stacks = refchain.snapshot().stacks(thread="just me")
        by_number = refchain.snapshot().stacks(thread=stacks[0].id)
    assert [t.name for t in stacks] == [t.name for t in by_number] == ["just me"]
    assert parked.thread.native_id == stacks[0].id
    assert list(refchain.snapshot().stacks(thread="nobody")) == []


def test_asyncio_tasks_that_run_are_frames():
    async def inner():
        return refchain.snapshot().stacks()

    async def outer():
        return await asyncio.ensure_future(inner())

    (asker,) = [t for t in asyncio.run(outer()) if t.asks]
    names = [f.function.split(".")[-1] for f in asker.frames]
    assert names[2] == "inner" and "outer" not in names and "run_forever" in names


# ---- locals --------------------------------------------------------------------------------------


def test_locals_have_their_types_lengths_and_addresses():
    keep = {}

    def work(park, first, *rest, **options):
        listed, empty, mapped = [None, None, 3], [], {"a": None, 2: 3}
        one_of, closed, unbound = {1, 2, 3}, 4.5, 1
        keep.update(listed=id(listed), mapped=id(mapped))
        del unbound
        mapped.pop("a")

        def inner():
            park(closed)
            return closed, first

        inner()
        return empty, one_of

    with Parked(lambda park: work(park, "x", 1, 2, k=3)) as parked:
        frames = stacks_of(parked, locals=True).frames
    told = {f.function.split(".")[-1]: {v.name: v for v in f.locals} for f in frames}
    work_locals, inner = told["work"], told["inner"]
    assert {name: v.type for name, v in work_locals.items()} == {
        "park": "method", "first": "str", "rest": "tuple", "options": "dict", "listed": "list",
        "empty": "list", "mapped": "dict", "one_of": "set", "closed": "float", "inner": "function",
        "keep": "dict",
    }  # fmt: skip
    lengths = {name: v.length for name, v in work_locals.items() if v.length is not None}
    assert lengths == {"rest": 2, "options": 1, "listed": 3, "empty": 0, "mapped": 1, "one_of": 3,
                       "keep": 2}  # fmt: skip
    assert keep == {name: work_locals[name].address for name in ("listed", "mapped")}
    assert work_locals["keep"].closure and not work_locals["listed"].closure
    assert {name: (v.type, v.closure) for name, v in inner.items()} == {
        "park": ("method", True), "closed": ("float", True), "first": ("str", True),
    }  # fmt: skip


def test_generators_that_run_tell_their_locals():
    def numbers(park):
        inside = (1, 2)
        park()
        yield inside

    with Parked(lambda park: next(numbers(park))) as parked:
        frames = stacks_of(parked, locals=True).frames
    (gen,) = [f for f in frames if f.function.endswith("numbers")]
    assert {(v.name, v.type, v.length) for v in gen.locals} == {
        ("park", "method", None), ("inside", "tuple", 2)}  # fmt: skip


# ---- text, files, the command --------------------------------------------------------------------


def recurse(depth, park):
    if depth:
        return recurse(depth - 1, park)
    return park()


def test_recursion_is_counted_in_the_text_and_whole_in_the_data():
    with Parked(lambda park: recurse(500, park)) as parked:
        stacks = refchain.snapshot().stacks(thread=parked.thread.name)
    assert [f.function for f in stacks[0].frames].count("recurse") == 501
    lines = repr(stacks).splitlines()
    assert "    [497 more calls like this]" in lines
    assert len([line for line in lines if "recurse (" in line]) == 4
    assert max(map(len, lines)) <= 100


def test_a_file_tells_the_same(tmp_path):
    path = tmp_path / "hang.rch"
    with Parked(lambda park: recurse(3, park), "im Geb\u00fcsch") as parked:
        graph = refchain.snapshot(path)
    stacks = graph.stacks(locals=True)
    loaded = refchain.load(path).stacks(locals=True)
    assert {**stacks.data, "source": ""} == {**loaded.data, "source": ""}
    assert list(stacks) == list(loaded)
    done = native.run("stacks", str(path), "--json", "--locals", "--thread", parked.thread.name)
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)
    assert told["threads"] == [t for t in loaded.data["threads"] if t["name"] == "im Geb\u00fcsch"]
    text = native.run("stacks", str(path)).stdout.decode()
    assert text.splitlines()[1:] == repr(graph.stacks()).splitlines()[1:]


def test_the_json_follows_its_schema():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        (native.ROOT / "docs" / "schema" / "refchain.stacks-1.schema.json").read_text()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with Parked(lambda park: recurse(3, park)):
        graph = refchain.snapshot()
    for with_locals in (False, True):
        validator.validate(json.loads(graph.stacks(locals=with_locals).json()))


def test_the_frame_below_an_init_tells_no_function(tmp_path):
    """From 3.13 it has none, and what stands in its place is left from another frame."""
    source = """
        class Hot:
            def __init__(self, i):
                if i == 99:
                    Hot.graph = refchain.snapshot()
        def make():
            for i in range(100):
                Hot(i)
        make()
        tell([[name, [ref[1] for ref in refs]] for kind, name, _, refs in Hot.graph._core.roots()
              if kind == "frame"])
    """
    roots = inside.ask(tmp_path, source)
    names = [name for name, _ in roots]
    assert names.index("make") in (names.index("__init__") + 1, names.index("__init__") + 2)
    if sys.version_info >= (3, 13):
        below = roots[names.index("make") - 1]
        assert below[0] == "__init__" and "function" not in below[1]
        assert "function" in roots[names.index("make") - 2][1]
