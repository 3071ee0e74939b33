# SPDX-License-Identifier: MIT
"""refchain.objgraph: against objgraph itself on random heaps (strict), where it differs on purpose, with
hostile objects, with predicates that free what is searched, and at pdb inside a test run."""
import ctypes
import gc
import inspect
import io
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import weakref
from collections import Counter

import pytest
from refchain import objgraph as ours

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600")) // 12
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def strict(monkeypatch):
    monkeypatch.setattr(ours, "strict", True)


class Thing:
    def __init__(self, name):
        self.name = name


class Slotted:
    __slots__ = ("one", "two")


# ---- the same as objgraph --------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quiet():
    """A collection between two calls would change what they see."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def real_objgraph():
    return pytest.importorskip("objgraph", reason="objgraph is not installed")


def test_public_functions_have_the_parameters_and_defaults_of_objgraph():
    theirs = real_objgraph()
    names = ("count typestats most_common_types show_most_common_types growth show_growth get_new_ids "
             "get_leaking_objects by_type at at_addrs find_ref_chain find_backref_chain show_backrefs "
             "show_refs show_chain is_proper_module").split()
    for name in names:
        wanted = list(inspect.signature(getattr(theirs, name)).parameters.values())
        found = list(inspect.signature(getattr(ours, name)).parameters.values())[:len(wanted)]
        assert [(p.name, p.default, p.kind) for p in found if p.name not in ("peak_stats", "_state")] \
            == [(p.name, p.default, p.kind) for p in wanted if p.name not in ("peak_stats", "_state")], name


@st.composite
def heaps(draw):
    """Containers that refer to each other at random; everything is held by the first."""
    made = [[]]
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["list", "dict", "thing", "slotted", "tuple", "set", "closure"]))
        some = [made[i % len(made)] for i in draw(st.lists(st.integers(0, 30), max_size=3))]
        if kind == "list":
            new = list(some)
        elif kind == "dict":
            new = {draw(st.sampled_from(["a", "b c", 7, None, ("t",)])): x for x in some}
        elif kind == "thing":
            new = Thing(some)
        elif kind == "slotted":
            new = Slotted()
            new.one = some
        elif kind == "tuple":
            new = tuple(some) + ([],)
        elif kind == "set":
            new = {Thing(x) for x in some}
        else:
            def new(x=some):
                return x
        made.append(new)
        made[0].append(new)
        if draw(st.booleans()) and type(some) is list and some and type(some[0]) is list:
            some[0].append(new)
    return made[0]


def differences(found, wanted):
    return {name: (found.get(name), wanted.get(name)) for name in found.keys() | wanted.keys()
            if found.get(name) != wanted.get(name)}


@settings(max_examples=EXAMPLES, phases=[hypothesis.Phase.generate])
@given(heaps(), st.data())
def test_statistics_are_those_of_objgraph(heap, data):
    theirs = real_objgraph()
    ours.strict = True
    try:
        for shortnames in (True, False):
            wanted, found = theirs.typestats(shortnames=shortnames), ours.typestats(shortnames=shortnames)
            assert differences(found, wanted) == {}
            assert list(found) == list(wanted)
        for name in ("Thing", __name__ + ".Slotted", "module", "no such"):
            assert ours.count(name) == theirs.count(name)
            assert list(map(id, ours.by_type(name))) == list(map(id, theirs.by_type(name)))
        objects = [heap, *heap]
        assert ours.typestats(objects) == theirs.typestats(objects)
        assert ours.most_common_types(3, objects) == theirs.most_common_types(3, objects)
        obj = data.draw(st.sampled_from(objects))
        assert ours.at(id(obj)) is theirs.at(id(obj))
        some = {id(o) for o in objects[::2]} | {1}
        assert set(map(id, ours.at_addrs(some))) == set(map(id, theirs.at_addrs(some)))
        assert set(map(id, ours.get_leaking_objects(objects))) \
            == set(map(id, theirs.get_leaking_objects(objects)))
    finally:
        ours.strict = False


LEAKING = """
import objgraph as theirs
from collections import Counter
from refchain import objgraph as ours
ours.strict = True
theirs.get_leaking_objects(), ours.get_leaking_objects()
wanted = Counter(type(o).__name__ for o in theirs.get_leaking_objects())
found = Counter(type(o).__name__ for o in ours.get_leaking_objects())
assert found["tuple"] == wanted["tuple"] and found["dict"] == wanted["dict"], (found, wanted)
"""


def test_leaking_objects_are_those_of_objgraph():
    real_objgraph()
    # A process of its own: objgraph on 3.12 frees a second time what is on a free list of _asyncio.
    done = subprocess.run([sys.executable, "-c", LEAKING], stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


FREE_LIST = """
import asyncio, gc
from refchain import objgraph as ours

async def waits():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 1)
    await future

for _ in range(3):
    asyncio.run(waits())
for obj in gc.get_objects():
    ours.get_leaking_objects([obj])
ours.find_ref_chain(asyncio, lambda o: False)
gc.collect()
"""


def test_what_is_on_a_free_list_is_left_there():
    done = subprocess.run([sys.executable, "-c", FREE_LIST], stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


@settings(max_examples=EXAMPLES)
@given(heaps(), st.data())
def test_chains_are_as_long_as_those_of_objgraph(heap, data):
    theirs = real_objgraph()
    ours.strict = True
    try:
        target = data.draw(st.sampled_from([heap, *heap]))
        depth = data.draw(st.integers(0, 4))
        ignore = [id(data.draw(st.sampled_from([heap, *heap])))]

        def is_thing(o):
            return type(o) is Thing

        def is_heap(o):
            return o is heap

        for predicate in (is_thing, is_heap):
            for name in ("find_ref_chain", "find_backref_chain"):
                wanted = getattr(theirs, name)(target, predicate, depth, ignore)
                found = getattr(ours, name)(target, predicate, depth, ignore)
                assert len(found) == len(wanted), name
                assert found[0 if name == "find_ref_chain" else -1] is target
                for before, after in zip(found, found[1:]):
                    assert any(o is after for o in gc.get_referents(before))
    finally:
        ours.strict = False


def lines_of(show, *args, **kwargs):
    """The DOT lines that do not depend on the order, each as often as it is there."""
    out = io.StringIO()
    show(*args, output=out, too_many=1000, **kwargs)
    return Counter(out.getvalue().splitlines())


@settings(max_examples=EXAMPLES)
@given(heaps(), st.data())
def test_pictures_have_the_lines_of_objgraph(heap, data):
    theirs = real_objgraph()
    ours.strict = True
    try:
        start = data.draw(st.sampled_from([heap, *heap]))
        depth = data.draw(st.integers(0, 3))
        ids = {id(heap)} | {id(o) for o in heap}

        def is_ours(o):
            return id(o) in ids

        for name in ("show_refs", "show_backrefs"):
            wanted = lines_of(getattr(theirs, name), [start], max_depth=depth, filter=is_ours)
            found = lines_of(getattr(ours, name), [start], max_depth=depth, filter=is_ours)
            assert found == wanted, name
    finally:
        ours.strict = False


# ---- growth and ids --------------------------------------------------------------------------------


def test_growth_reports_what_is_above_the_peak():
    peak = {}
    ours.growth(limit=None, peak_stats=peak)
    keep = [Thing(i) for i in range(7)]
    assert ("Thing", ours.count("Thing"), 7) in ours.growth(limit=None, peak_stats=peak)
    del keep
    assert not [row for row in ours.growth(limit=None, peak_stats=peak) if row[0] == "Thing"]


def test_new_ids_come_and_go_and_the_dict_stays_the_same():
    state = {}
    first = ours.get_new_ids(limit=0, _state=state)
    keep = [Thing(i) for i in range(5)]
    new = ours.get_new_ids(limit=0, _state=state)
    assert new is first and new["Thing"] == set(map(id, keep))
    assert ours.get_new_ids(skip_update=True, _state=state)["Thing"] == set(map(id, keep))
    assert {id(o) for o in ours.at_addrs(new["Thing"])} == set(map(id, keep))
    assert ours.get_new_ids(limit=0, _state=state)["Thing"] == set()
    with pytest.raises(KeyError):
        ours.get_new_ids(sortby="name", _state=state)


def test_tables_have_the_columns_of_objgraph():
    out = io.StringIO()
    ours.show_most_common_types(2, [1, 2, "x"], file=out)
    assert out.getvalue() == "int 2\nstr 1\n"
    with pytest.raises(ValueError):
        ours.show_most_common_types(objects=[])


def test_calls_leave_no_reference_behind():
    thing = Thing(1)
    before = len(gc.get_referrers(thing)), sys.getrefcount(thing)
    ours.count("Thing"), ours.typestats(), ours.by_type("Thing"), ours.at(id(thing))
    ours.find_backref_chain(thing, ours.is_proper_module)
    ours.find_backref_chain(thing, lambda o: False)
    ours.show_backrefs([thing], output=io.StringIO())
    ours.show_refs([thing], output=io.StringIO())
    assert (len(gc.get_referrers(thing)), sys.getrefcount(thing)) == before


# ---- differences on purpose ------------------------------------------------------------------------

shelf = {}


def dot_of(show, *args, **kwargs):
    out = io.StringIO()
    drawn = show(*args, output=out, **kwargs)
    assert drawn.dot == out.getvalue()
    return drawn.dot


def test_attributes_have_their_names_and_no_dict_is_made():
    thing = Thing(["payload"])
    thing.table = {}
    size = sys.getsizeof(thing)
    dot = dot_of(ours.show_refs, [thing], max_depth=2)
    assert 'label="name"' in dot and 'label="table"' in dot
    assert sys.getsizeof(thing) == size
    own = [line for line in dot.splitlines() if line.startswith("  o%d -> " % id(thing))]
    assert any("__dict__" in line for line in own) == (sys.version_info < (3, 11))


def test_two_keys_with_one_value_have_a_label_each():
    value = []
    dot = dot_of(ours.show_refs, [{"first": value, "second": value}], max_depth=1)
    assert 'label="first"' in dot and 'label="second"' in dot


def test_reference_counts_count_no_reference_of_ours():
    inner = []
    box = [inner]
    del inner
    dot = dot_of(ours.show_refs, [box], refcounts=True)
    assert re.search(r'label="list \[1\]\\n0 items"', dot), dot


def test_local_variables_of_running_functions_are_referrers():
    def outer():
        thing = Thing("local")
        return inner(thing)

    def inner(thing):
        return ours.find_backref_chain(thing, lambda o: type(o).__name__ == "frame")

    chain = outer()
    assert [type(o).__name__ for o in chain] == ["frame", "Thing"]
    assert chain[0].f_code.co_name == "outer"


def test_a_chain_of_any_depth_is_found_and_a_limit_is_kept():
    shelf["deep"] = last = []
    for _ in range(60):
        last.append([])
        last = last[0]
    try:
        assert len(ours.find_backref_chain(last, ours.is_proper_module)) == 64
        short = ours.find_backref_chain(last, ours.is_proper_module, max_depth=20)
        assert short == [last] and "max_depth" in short.reason
    finally:
        shelf.clear()


def ring():
    thing = Thing(0)
    thing.name = [thing]
    return thing


def ring_held_from_c():
    thing = ring()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing.name))
    return thing


def is_no_match(obj):
    return False


def search_from_a_function(thing):
    return search_from_within(thing)


def search_from_within(thing):
    return ours.find_backref_chain(thing, ours.is_proper_module)


@pytest.mark.parametrize("predicate", [ours.is_proper_module, is_no_match])
def test_chains_that_are_not_there_say_which_of_four_causes_it_was(predicate):
    def reason(make, **limits):  # an argument would be on the stack of the caller up to 3.10
        found = ours.find_backref_chain(make(), predicate, **limits)
        assert type(found[0]) is Thing and len(found) == 1
        return found.reason

    shelf["deep"] = [[[Thing(1)]]]
    deep = reason(lambda: shelf["deep"][0][0][0], max_depth=2)
    shelf.clear()
    in_circle = reason(ring)
    alone = reason(lambda: Thing(2))
    held = weakref.ref(ring_held_from_c())
    from_c = reason(held)
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(held().name))
    let_go = reason(held)
    assert "max_depth" in deep and "from C" in from_c
    assert [cause for cause in (in_circle, alone, let_go) if "garbage" not in cause] == []


def test_what_a_running_function_holds_is_held_by_it():
    assert "running functions" in search_from_a_function(Thing(3)).reason


def test_whoever_matches_nothing_is_told_so():
    thing = shelf["thing"] = Thing(4)
    try:
        found = ours.find_backref_chain(thing, is_no_match)
        assert found == [thing] and "none of it is a match" in found.reason
        assert "none of it is a match" in repr(found)
    finally:
        shelf.clear()


def test_a_cause_is_found_when_it_is_asked_for_and_leaves_the_list_as_it_was():
    found = ours.find_backref_chain(ring(), ours.is_proper_module)
    thing = found[0]
    assert "garbage" in found.reason and found[0] is thing and len(found) == 1
    found.insert(0, None)  # it is the caller's
    assert "garbage" in found.reason and found[1] is thing


def test_a_second_chain_is_true_after_the_first_was_cut():
    thing = Thing("twice")
    shelf["a"], shelf["b"] = [thing], [[[thing]]]
    try:
        first = ours.find_backref_chain(thing, ours.is_proper_module)
        assert len(first) == 5 and first[3] is shelf["a"]
        assert len(ours.find_backref_chain(thing, ours.is_proper_module)) == 5
        del shelf["a"], first
        assert len(ours.find_backref_chain(thing, ours.is_proper_module)) == 7
        del shelf["b"]
        assert len(ours.find_backref_chain(thing, ours.is_proper_module)) == 1
    finally:
        shelf.clear()


def test_paths_may_be_paths_and_chains_are_displayed(tmp_path, capsys):
    thing = shelf["thing"] = Thing("shown")
    try:
        drawn = ours.show_chain(ours.find_backref_chain(thing, ours.is_proper_module),
                                filename=tmp_path / "chain.dot")
        assert (tmp_path / "chain.dot").read_text() == drawn.dot
        assert "(4 nodes)" in capsys.readouterr().out
        svg = drawn._repr_mimebundle_()["image/svg+xml"]
        assert svg.startswith("<svg") and "Thing" in svg and "shelf" in svg
    finally:
        shelf.clear()
    with pytest.raises(ValueError, match="Cannot specify both output and filename."):
        ours.show_refs([1], filename="x.dot", output=io.StringIO())


# ---- hostile objects -------------------------------------------------------------------------------


class Hostile:
    """Whatever is asked of it ends the program."""

    def _stop(self, *args):
        raise SystemExit("code of an inspected object ran")

    __repr__ = __str__ = __bool__ = __len__ = __hash__ = __eq__ = __getattr__ = _stop
    __iter__ = __format__ = _stop

    def method(self):
        pass


class HostileDict(dict):
    items = keys = values = __iter__ = __len__ = __repr__ = Hostile._stop


class HostileMeta(type):
    @property
    def __name__(cls):
        raise SystemExit("a metaclass was asked")

    @property
    def __module__(cls):
        raise SystemExit("a metaclass was asked")


def test_no_code_of_inspected_objects_runs():
    odd = HostileMeta("Odd", (), {})
    evil = Hostile()
    box = [evil, evil.method, HostileDict(k=evil), odd(), odd]
    shelf["evil"] = box
    try:
        ours.count("Hostile"), ours.typestats(shortnames=False), ours.growth(peak_stats={})
        ours.get_new_ids(limit=0, _state={})
        assert len(ours.by_type("Hostile")) == 1 and len(ours.by_type("Odd")) == 1
        assert len(ours.find_backref_chain(evil, ours.is_proper_module)) == 5
        for show in (ours.show_refs, ours.show_backrefs):
            dot = dot_of(show, [box, evil], refcounts=True, shortnames=False, max_depth=4)
            assert "Hostile" in dot and "unrepresentable" not in dot
    finally:
        shelf.clear()


def test_names_that_would_break_dot_are_quoted():
    name = 'a"\\\n\0\u202e</script>' * 3
    dot = dot_of(ours.show_refs, [{name: []}])
    assert not re.search(r'[^\\]"[^,;\]= ]', re.sub(r'\\\\|\\"', "", dot.split("label=", 2)[2].split("\n")[0])
                         .replace('"];', ""))


# ---- predicates that change the heap ---------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 3000])
def test_predicates_may_free_everything_that_is_searched(size):
    target = Thing("target")
    roots = shelf["roots"] = [[[Thing(target)] for _ in range(3)] for _ in range(size)]
    for group in roots:
        group[0][0].name = [target]
    seen = []

    def free_all(obj):
        roots.clear()
        shelf.clear()
        seen.append(type(obj))
        gc.collect()
        return len(seen) > 40 and type(obj) is list

    chain = ours.find_backref_chain(target, free_all)
    assert chain[-1] is target and len(seen) > 1


def test_filters_may_free_what_is_drawn():
    things = shelf["things"] = [Thing([i]) for i in range(50)]
    hub = []
    for thing in things:
        thing.name = [hub]

    def free_some(obj):
        if things:
            things.pop()
            shelf.clear()
        gc.collect()
        return True

    dot = dot_of(ours.show_backrefs, [hub], filter=free_some, max_depth=5, too_many=100)
    assert dot.count("fontcolor=red") == 1


def test_extra_info_may_run_a_search_of_its_own():
    thing = shelf["thing"] = Thing([1])
    try:
        dot = dot_of(ours.show_refs, [thing], max_depth=1,
                     extra_info=lambda o: len(ours.find_backref_chain(o, ours.is_proper_module)))
        assert "\\n4" in dot
    finally:
        shelf.clear()


def test_during_a_collection_the_gc_module_answers():
    answers = []

    def ask(phase, info):
        answers.append((ours.count("Thing"), len(ours.by_type("Thing")),
                        len(ours.find_backref_chain(kept, ours.is_proper_module))))

    kept = shelf["kept"] = Thing(1)
    gc.callbacks.append(ask)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(ask)
        shelf.clear()
    assert len(answers) == 2 and set(answers) == {(1, 1, 4)}


# ---- the session of the story ----------------------------------------------------------------------

SESSION = """
from refchain import objgraph
print('COUNT', objgraph.count('TCPTransport'))
one = objgraph.by_type('TCPTransport')[5]
chain = objgraph.find_backref_chain(one, objgraph.is_proper_module)
print('FIRST', chain[0].__name__, len(chain))
drawn = objgraph.show_chain(chain, filename='chain.dot')
import story_standin
story_standin.cut_a()
chain = drawn = None
one = objgraph.by_type('TCPTransport')[-1]
chain = objgraph.find_backref_chain(one, objgraph.is_proper_module, max_depth=10)
print('TOO DEEP', len(chain))
chain = objgraph.find_backref_chain(one, objgraph.is_proper_module)
print('SECOND', chain[0].__name__, len(chain))
story_standin.cut_b()
one = chain = None
import gc
gc.collect() * 0
print('LEFT', objgraph.count('TCPTransport'))
c
"""


def test_the_session_of_the_story_at_pdb_inside_pytest(tmp_path):
    test = tmp_path / "test_story.py"
    test.write_text(textwrap.dedent("""
        import story_standin
        def test_leak():
            story_standin.leak(137)
            breakpoint()
            done = True
    """))
    corpus = os.environ.get("REFCHAIN_CORPUS", str(ROOT / "tests" / "corpus"))
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(
        [corpus, os.environ.get("PYTHONPATH", "")]), PYTHONBREAKPOINT="pdb.set_trace")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", "-p", "no:timeout",
         str(test)], input=SESSION, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        env=environment)
    out = done.stdout
    assert "COUNT 137" in out, out + done.stderr
    assert re.search(r"FIRST multiprocessing\S* (\d+)", out), out
    assert "TOO DEEP 1" in out, out
    assert re.search(r"SECOND minimq\S* (2[0-9]|3[0-9])", out), out
    assert "LEFT 0" in out, out
    assert "digraph" in (tmp_path / "chain.dot").read_text()
