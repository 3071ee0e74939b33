# SPDX-License-Identifier: MIT
"""Whoever asks holds some of the objects himself: at a prompt, in a function, in a test. None of
that is an answer. What other frames hold, running or suspended, is one."""

import ast
import importlib.util
import json
import textwrap

import inside
import pytest

N = 20
PATH = [".pool", ".connections", "[*]", ".transport"]
FINGERPRINT = "rc1:309205ecb78e9ca5"
Q = "TCPTransport"
WHY = f'refchain.why("{Q}")'
ONE = f'refchain.by_type("{Q}")[5]'


def check(data, number=N):
    """Only the pool holds them, whatever the questioner has."""
    holders = [(inside.root(h), inside.hops(h)) for h in data["holders"]]
    assert holders == [(("module", "leaky"), PATH)]
    (holder,) = data["holders"]
    assert holder["fingerprint"] == FINGERPRINT
    assert (data["objects"], holder["holds"], holder["holds_only"]) == (number, number, number)
    assert data["all_cut"]["question"] == number
    for key in ("observer", "garbage", "c_held", "uncuttable", "unexplained"):
        assert data[key] == 0, (key, data["observer_names"])


def check_only_asker(data, number, name=None):
    """Nothing of the program holds them any more."""
    assert data["holders"] == [], [(inside.root(h), inside.hops(h)) for h in data["holders"]]
    assert (data["objects"], data["observer"]) == (number, number)
    for key in ("garbage", "c_held", "uncuttable", "unexplained"):
        assert data[key] == 0, key
    if name:
        assert any(name in words for words in data["observer_names"]), data["observer_names"]


def check_pair(told):
    check(told[0])
    check_only_asker(told[1], 1)


# ---- the asking function -------------------------------------------------------------------------

# Each asks twice: with the leak, and when the program has dropped all but what the asker has.
FUNCTIONS = {
    "a local": f"""
        def ask():
            x = {ONE}
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask()
    """,
    "an argument": f"""
        def ask(x):
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask({ONE})
    """,
    "a keyword argument": f"""
        def ask(*args, **kwargs):
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask(y=1, x={ONE})
    """,
    "a variable of an enclosed function": f"""
        def ask():
            x = {ONE}
            def use():
                return x
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask()
    """,
    "a lambda": f"""
        def ask():
            x = {ONE}
            again = lambda y=x: (x, {WHY}.json())[1]
            tell(again())
            leaky.plug()
            tell(again())
        ask()
    """,
    "a comprehension": f"""
        def ask():
            [tell((x, {WHY}.json(), leaky.plug())[1]) for x in [{ONE}, {ONE} if 0 else 1] if x != 2]
        ask()
    """,
    "a comprehension that uses a local": f"""
        def ask():
            x = {ONE}
            for i in range(2):
                [tell((x, {WHY}.json())[1]) for _ in range(1)]
                leaky.plug()
        ask()
    """,
    "a generator expression": f"""
        def ask():
            x = {ONE}
            for i in range(2):
                list(tell((x, {WHY}.json())[1]) for _ in range(1))
                leaky.plug()
        ask()
    """,
    "a loop": f"""
        def ask():
            for x in [{ONE}]:
                tell({WHY}.json())
                leaky.plug()
                tell({WHY}.json())
        ask()
    """,
    "an enumeration": f"""
        def ask():
            for i, x in enumerate(zip([1], [{ONE}])):
                tell({WHY}.json())
                leaky.plug()
                tell({WHY}.json())
        ask()
    """,
    "a method": f"""
        class Asker:
            def ask(self, x):
                tell({WHY}.json())
                leaky.plug()
                tell({WHY}.json())
        Asker().ask({ONE})
    """,
    "a list": f"""
        def ask():
            xs = {ONE.replace("[5]", "[:1]")}
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask()
    """,
    "a dict": f"""
        def ask():
            xs = {{i: {ONE} for i in range(3)}}
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask()
    """,
    "a set and a tuple": f"""
        def ask():
            xs = {{{ONE}}}
            ys = (1, 2, {ONE})
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        ask()
    """,
    "the question itself": f"""
        def ask():
            x = {ONE}
            tell(refchain.why([x]).json())
            leaky.plug()
            tell(refchain.why(x).json())
        ask()
    """,
    "a snapshot": f"""
        def ask(path):
            x = {ONE}
            tell(refchain.snapshot().why("{Q}").json())
            leaky.plug()
            refchain.dump(path)
            tell(refchain.load(path).why("{Q}").json())
        ask(sys.argv[0] + ".rch")
    """,
    "another thread": f"""
        import threading
        def ask():
            x = {ONE}
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    """,
    "a coroutine": f"""
        import asyncio
        async def ask():
            x = {ONE}
            await asyncio.sleep(0)
            tell({WHY}.json())
            leaky.plug()
            tell({WHY}.json())
        asyncio.run(ask())
    """,
    "a generator": f"""
        def ask():
            x = {ONE}
            tell({WHY}.json())
            leaky.plug()
            yield {WHY}.json()
        for text in ask():
            tell(text)
    """,
    "exec": f"""
        def ask():
            space = {{"tell": tell, "leaky": leaky}}
            exec('''import refchain
        x = {ONE}
        tell({WHY}.json())
        leaky.plug()
        tell({WHY}.json())
        ''', space)
        ask()
    """,
    "eval": f"""
        def ask():
            x = {ONE}
            for i in range(2):
                tell(eval('{WHY}.json()'))
                leaky.plug()
        ask()
    """,
    "code that was compiled under another name": f"""
        def ask():
            x = {ONE}
            code = compile('''tell({WHY}.json())
        leaky.plug()
        tell({WHY}.json())''', "<stdin>", "exec")
            exec(code)
        ask()
    """,
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_what_the_asking_function_has_is_no_holder(case, tmp_path):
    source = "\n".join(line[8:] for line in FUNCTIONS[case].splitlines())
    prog = inside.program(tmp_path, "import leaky\nleaky.leak()\n" + source)
    told = inside.told_all(inside.run([prog]))
    if case == "the question itself":
        check(told[0], 1)
        check_only_asker(told[1], 1)
    elif case == "a comprehension":
        check(told[0])
    else:
        check_pair(told)


def test_the_askers_variable_is_named(tmp_path):
    told = inside.ask(
        tmp_path,
        f"""
        import leaky
        leaky.leak()
        def ask():
            mine = {ONE}
            others = refchain.by_type("{Q}")[:3]
            leaky.plug()
            return {WHY}
        answer = ask()
        tell({{"text": str(answer), "json": json.loads(answer.json())}})
        """,
    )
    assert told["json"]["observer"] == 4
    assert told["json"]["observer_names"] == ["local mine of ask()", "local others of ask()"]
    assert "by the asker 4" in told["text"] or "4 are held" in told["text"]


def test_what_the_asking_function_has_in_a_structure_of_its_own_counts(tmp_path):
    data = inside.ask(
        tmp_path,
        f"""
        import leaky
        def ask():
            mine = leaky.Pool()
            mine.connections[1] = leaky.Connection()
            return {WHY}
        tell(ask().json())
        """,
    )
    (holder,) = data["holders"]
    assert inside.root(holder) == ("frame", "ask")
    assert inside.hops(holder)[:2] == ["local mine", ".connections"]
    assert data["observer"] == 0


# ---- what others have ----------------------------------------------------------------------------

OTHERS = {
    "the caller": (
        """
        def caller():
            conn = leaky.Connection()
            return ask()
        tell(caller())
        """,
        ("frame", "caller"), ["local conn", ".transport"],
    ),
    "a caller further out": (
        """
        def caller():
            transport = leaky.TCPTransport()
            return between()
        def between():
            return ask()
        tell(caller())
        """,
        ("frame", "caller"), ["local transport"],
    ),
    "a list of the caller": (
        """
        def caller():
            transports = [leaky.TCPTransport()]
            return ask()
        tell(caller())
        """,
        ("frame", "caller"), ["local transports", "[0]"],
    ),
    "another thread": (
        """
        import threading
        ready, done = threading.Event(), threading.Event()
        def work():
            conn = leaky.Connection()
            ready.set()
            done.wait()
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        tell(ask())
        done.set()
        """,
        ("frame", "work"), ["local conn", ".transport"],
    ),
    "a suspended generator": (
        """
        def generate():
            conn = leaky.Connection()
            yield 1
        suspended = generate()
        next(suspended)
        tell(ask())
        """,
        ("module", "__main__"), [".suspended", "local conn", ".transport"],
    ),
    "a suspended coroutine": (
        """
        import types
        @types.coroutine
        def pause():
            yield
        async def work():
            conn = leaky.Connection()
            await pause()
        suspended = work()
        suspended.send(None)
        tell(ask())
        """,
        ("module", "__main__"), [".suspended", "local conn", ".transport"],
    ),
    "a suspended async generator": (
        """
        async def generate():
            conn = leaky.Connection()
            yield 1
        suspended = generate()
        try:
            suspended.__anext__().send(None)
        except StopIteration:
            pass
        tell(ask())
        """,
        ("module", "__main__"), [".suspended", "local conn", ".transport"],
    ),
    "an exception that is handled further out": (
        """
        def caller():
            try:
                raise ValueError(leaky.Connection())
            except ValueError as error:
                return ask()
        tell(caller())
        """,
        ("thread", "MainThread"), [".exception being handled", ".args", "[0]", ".transport"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_what_other_frames_have_is_a_holder(case, tmp_path):
    source, root, path = OTHERS[case]
    ask = f"import leaky\ndef ask():\n    x = {ONE.replace('5', '0')}\n    return {WHY}.json()\n"
    data = inside.ask(tmp_path, ask + textwrap.dedent(source))
    (holder,) = data["holders"]
    assert (inside.root(holder), inside.hops(holder)) == (root, path)
    assert (data["objects"], holder["holds"], data["observer"]) == (1, 1, 0)


def test_a_waiting_task_holds_through_its_coroutine(tmp_path):
    data = inside.ask(
        tmp_path,
        f"""
        import asyncio, leaky
        async def work(event):
            conn = leaky.Connection()
            await event.wait()
        async def main():
            event = asyncio.Event()
            tasks = [asyncio.ensure_future(work(event)) for _ in range(5)]
            await asyncio.sleep(0)
            tell({WHY}.json())
            event.set()
            await asyncio.gather(*tasks)
        asyncio.run(main())
        """,
    )
    assert data["objects"] == data["all_cut"]["question"] == 5
    assert 0 < len(data["holders"]) <= 2
    assert all(inside.hops(h)[-2:] == ["local conn", ".transport"] for h in data["holders"])
    assert data["observer"] == 0


def test_names_of_a_script_are_holders(tmp_path):
    """A script that asks about itself at module level: its globals are the answer."""
    data = inside.ask(
        tmp_path,
        f"""
        import leaky
        idle = [leaky.TCPTransport() for _ in range(3)]
        tell({WHY}.json())
        """,
    )
    (holder,) = data["holders"]
    assert (inside.root(holder), inside.hops(holder)) == (("module", "__main__"), [".idle", "[*]"])


# ---- pdb -----------------------------------------------------------------------------------------

PDB_IN_FUNCTION = """
    import leaky
    leaky.leak()
    def handle(request):
        seconds = 5
        {stop}
        return seconds
    def outer():
        return handle("r")
    outer()
"""
PDB_IN_NESTED = """
    import leaky
    leaky.leak()
    def outer():
        seconds = 5
        def inner():
            def innermost():
                {stop}
                return seconds
            return innermost()
        return inner()
    outer()
"""
PDB_IN_METHOD_OF_CLASS_BODY = """
    import leaky
    leaky.leak()
    class Body:
        seconds = 5
        {stop}
        more = 6
"""
PDB_AT_MODULE_LEVEL = """
    import leaky
    leaky.leak()
    {stop}
    print(leaky)
"""
PDB_SOURCES = {
    "in a function": PDB_IN_FUNCTION,
    "in nested functions": PDB_IN_NESTED,
    "in a class body": PDB_IN_METHOD_OF_CLASS_BODY,
    "at module level": PDB_AT_MODULE_LEVEL,
}
STOPS = {"breakpoint": "breakpoint()", "set_trace": "import pdb; pdb.set_trace()"}


def from_pdb(out):
    """What `p ....json()` and `!print("@@" + ...)` showed."""
    data = []
    for line in out.splitlines():
        line = line[line.rfind("(Pdb) ") + 6 :] if "(Pdb) " in line else line
        if inside.MARK in line:
            data.append(json.loads(line.split(inside.MARK, 1)[1]))
        elif line.startswith(("'{\"schema", '"{\\"schema')):
            data.append(json.loads(ast.literal_eval(line)))
    return data


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("where", PDB_SOURCES)
def test_at_a_pdb_prompt(where, stop, tmp_path):
    source = textwrap.dedent(PDB_SOURCES[where]).format(stop=STOPS[stop])
    prog = tmp_path / "prog.py"
    prog.write_text(source)
    commands = f"""
        !import refchain
        x = {ONE}
        p {WHY}.json()
        !print("@@" + {WHY}.json())
        xs = refchain.by_type("{Q}")
        y = x
        print("@@" + {WHY}.json())
        p {WHY}
        p refchain.why(x).json()
        xs = None
        !leaky.plug()
        print("@@" + {WHY}.json())
        p refchain.why(x).json()
        c
    """
    out = inside.run([prog], stdin=textwrap.dedent(commands).lstrip(), check=False)
    told = from_pdb(out)
    assert len(told) == 6, out
    for data in told[:3]:
        check(data)
    check(told[3], 1)
    check_only_asker(told[4], 1)
    check_only_asker(told[5], 1)
    assert "Kept alive by 1 holder" in out


def test_under_python_m_pdb(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text(textwrap.dedent(PDB_IN_FUNCTION).format(stop="pass"))
    commands = f"""
        b handle
        c
        import refchain
        x = {ONE}
        p {WHY}.json()
        up
        import refchain
        z = {ONE}
        p {WHY}.json()
        !leaky.plug()
        p {WHY}.json()
        q
    """
    args = ["-m", "pdb", prog]
    out = inside.run(args, stdin=textwrap.dedent(commands).lstrip(), check=False)
    told = from_pdb(out)
    assert len(told) == 3, out
    check(told[0])
    check(told[1])
    assert told[2]["holders"] == [] and told[2]["observer"] == told[2]["objects"]


def test_pdb_does_not_hide_what_the_program_has(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text(
        textwrap.dedent("""
            import leaky
            def outer():
                conn = leaky.Connection()
                return handle()
            def handle():
                mine = leaky.Pool()
                mine.connections[1] = leaky.Connection()
                breakpoint()
            outer()
        """)
    )
    commands = f"import refchain\nx = {ONE.replace('5', '0')}\np {WHY}.json()\nc\n"
    (data,) = from_pdb(inside.run([prog], stdin=commands, check=False))
    found = {inside.root(h): inside.hops(h)[0] for h in data["holders"]}
    assert found == {("frame", "outer"): "local conn", ("frame", "handle"): "local mine"}
    assert data["objects"] == data["all_cut"]["question"] == 2


# ---- prompts -------------------------------------------------------------------------------------

TYPED = f"""\
import json, leaky
leaky.leak()
import refchain
x = {ONE}
print("@@" + {WHY}.json())
refchain.by_type("{Q}")[6] and None
{ONE}
xs = [_, _]
print("@@" + {WHY}.json())
def ask():
    y = refchain.by_type("{Q}")[7]
    return {WHY}.json()

print("@@" + ask())
print("@@" + refchain.why(x).json())
leaky.plug()
print("@@" + {WHY}.json())
"""


def check_typed(told):
    assert len(told) == 5
    for data in told[:3]:
        check(data)
    check(told[3], 1)
    check_only_asker(told[4], told[4]["objects"])


def test_in_the_interactive_interpreter():
    check_typed(inside.told_all(inside.run(["-i", "-q"], stdin=TYPED)))


def test_what_was_typed_before_the_import_is_the_programs():
    typed = f"""\
import leaky
idle = [leaky.TCPTransport() for _ in range(3)]
import refchain
x = refchain.by_type("{Q}")[0]
print("@@" + {WHY}.json())
"""
    (data,) = inside.told_all(inside.run(["-i", "-q"], stdin=typed))
    (holder,) = data["holders"]
    assert (inside.root(holder), inside.hops(holder)) == (("module", "__main__"), [".idle", "[*]"])


def test_a_structure_that_was_typed_is_a_holder():
    typed = f"""\
import leaky
from refchain import why, by_type
mine = leaky.Pool()
mine.connections[1] = leaky.Connection()
print("@@" + why("{Q}").json())
"""
    (data,) = inside.told_all(inside.run(["-i", "-q"], stdin=typed))
    (holder,) = data["holders"]
    assert inside.root(holder) == ("module", "__main__")
    assert inside.hops(holder)[:2] == [".mine", ".connections"]


def test_after_a_script_with_option_i(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text("import leaky\nleaky.leak()\n")
    typed = f'import refchain\nx = {ONE}\nprint("@@" + {WHY}.json())\n'
    check(inside.told(inside.run(["-i", "-q", prog], stdin=typed)))


def test_with_option_c():
    code = f"import leaky; leaky.leak(); import refchain; x = {ONE}; print('@@' + {WHY}.json())"
    check(inside.told(inside.run(["-c", code])))


def test_in_code_interact(tmp_path):
    prog = tmp_path / "prog.py"
    prog.write_text(
        textwrap.dedent("""
            import code
            def shell():
                seconds = 5
                code.interact(banner="", local=dict(seconds=seconds))
            def shell_in_place():
                code.interact(banner="", local=locals())
            import sys
            {"a": shell, "b": shell_in_place}[sys.argv[1]]()
        """)
    )
    for how in "ab":
        check_typed(inside.told_all(inside.run([prog, how], stdin=TYPED)))


def test_asking_from_a_thread_while_a_prompt_waits():
    typed = f"""\
import leaky, threading
leaky.leak()
import refchain
x = {ONE}
def ask(): print("@@" + {WHY}.json())

t = threading.Thread(target=ask); t.start(); t.join()
"""
    check(inside.told(inside.run(["-i", "-q"], stdin=typed)))


needs_ipython = pytest.mark.skipif(
    not importlib.util.find_spec("IPython"), reason="IPython is not installed"
)


@needs_ipython
def test_in_ipython(tmp_path):
    typed = f"""\
import leaky, refchain
leaky.leak()
x = {ONE}
print("@@" + {WHY}.json())
{ONE}
xs = [_, Out]
refchain.by_type("{Q}")[:3]
print("@@" + {WHY}.json())
{WHY}
print("@@" + refchain.why(x).json())
leaky.plug()
print("@@" + {WHY}.json())
"""
    args = ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit", "--quick"]
    out = inside.run(args, stdin=typed + "exit()\n", env={"IPYTHONDIR": str(tmp_path)}, timeout=180)
    told = inside.told_all(out)
    assert len(told) == 4, out
    check(told[0])
    check(told[1])
    check(told[2], 1)
    check_only_asker(told[3], told[3]["objects"])
    assert "Kept alive by 1 holder" in out


# ---- pytest --------------------------------------------------------------------------------------

PYTEST_FILE = f"""
import leaky
import pytest
import refchain

@pytest.fixture(scope="session")
def leaked():
    leaky.leak()
    return {ONE}

@pytest.fixture
def some(leaked):
    yield refchain.by_type("{Q}")[:4]

@pytest.fixture(params=[1, 2])
def each(request, some):
    return some[request.param]

@pytest.fixture(autouse=True)
def around(leaked):
    y = leaked
    yield y

def tell(data):
    print("@@" + data)

def test_function(leaked, some, each):
    assert leaked is not None and each in some
    x = refchain.by_type("{Q}")[9]
    assert [x] == [x] != some
    tell({WHY}.json())

class TestClass:
    @pytest.fixture
    def own(self, leaked):
        self.kept = 1
        return leaked

    def test_method(self, own, some):
        assert own in [own] and all(t is not None for t in some)
        tell({WHY}.json())
        with pytest.raises(ValueError):
            raise ValueError(own)
        tell({WHY}.json())

@pytest.mark.parametrize("i", [1, 2])
def test_parametrized(i, leaked):
    assert i and leaked
    tell({WHY}.json())

def test_failure_before(leaked):
    z = leaked
    assert z is None

def test_after_a_failure(leaked):
    tell({WHY}.json())

def test_last(leaked):
    leaky.plug()
    tell({WHY}.json())
"""


def test_in_a_test_with_fixtures(tmp_path):
    (tmp_path / "test_it.py").write_text(PYTEST_FILE)
    out = inside.run(
        ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        check=False,
        env={"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    told = inside.told_all(out)
    assert len(told) == 8, out
    for data in told[:-1]:
        check(data)
    check_only_asker(told[-1], told[-1]["objects"])


def test_in_unittest(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(f"""
            import leaky, refchain, unittest
            leaky.leak()
            class Test(unittest.TestCase):
                def test_it(self):
                    x = {ONE}
                    self.assertIsNotNone(x)
                    print("@@" + {WHY}.json())
        """)
    )
    check(inside.told(inside.run(["-m", "unittest", "-q", "test_it"], cwd=tmp_path)))


def test_the_answer_is_the_same_with_and_without_an_asker(tmp_path):
    """What the asker has changes nothing, not even the figures."""
    source = f"""
        import leaky
        leaky.leak()
        def without():
            return {WHY}.json()
        def having():
            x = {ONE}
            xs = refchain.by_type("{Q}")
            return {WHY}.json()
        tell(without())
        tell(having())
    """
    told = inside.told_all(inside.run([inside.program(tmp_path, source)]))
    assert told[0] == told[1]
