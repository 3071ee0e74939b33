# SPDX-License-Identifier: MIT
"""refchain.objgraph's growth, new ids and tables beside objgraph's: both are asked in turn in one process
while a heap grows and shrinks at random. What they print is compared as it stands."""
import gc
import io
import os

import pytest
from refchain import objgraph as ours

hypothesis = pytest.importorskip("hypothesis")
theirs = pytest.importorskip("objgraph", reason="objgraph is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600")) // 100


class Thing:
    def __init__(self, other=None):
        self.other = other


class Slotted:
    __slots__ = ("one", "__weakref__")


class Longer(Thing):
    """With a name that widens the columns."""


KINDS = {"Thing": Thing, "Slotted": Slotted, "Longer": Longer,
         "function": lambda: (lambda x=[]: x), "set": lambda: {Thing()}}
KINDS["ring"] = lambda: (lambda ring: ring.append(ring) or Longer(ring))([])
STEPS = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(-4, 9)), min_size=1, max_size=5)
no_shrinking = settings(max_examples=EXAMPLES, phases=[hypothesis.Phase.generate], deadline=None)


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    """As objgraph, that is with a collection before each answer; and none at other moments."""
    monkeypatch.setattr(ours, "strict", True)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def settle():
    """A collection stops tracking tuples of what is not tracked, then tuples of those."""
    for _ in range(4):
        gc.collect()


def change(heap, kind, num):
    """More objects of a kind, or fewer of any."""
    if num < 0:
        del heap[num:]
    heap.extend(KINDS[kind]() for _ in range(num))
    settle()


def printed(function, *args, **kwargs):
    """As text: a list of rows would be counted by the next question."""
    out = io.StringIO()
    result = function(*args, file=out, **kwargs)
    assert result is None
    return out.getvalue()


@no_shrinking
@given(STEPS, st.booleans(), st.sampled_from([None, 0, 1, 3, 10]))
def test_growth_is_that_of_objgraph(steps, shortnames, limit):
    heap, their_peaks, our_peaks = [], {}, {}
    settle()
    for _ in range(2):  # the first call of a process leaves something of its own
        repr(theirs.growth(None, their_peaks, shortnames))
        repr(ours.growth(None, our_peaks, shortnames))
    for kind, num in steps:
        change(heap, kind, num)
        wanted = repr(theirs.growth(limit, their_peaks, shortnames))
        found = repr(ours.growth(limit, our_peaks, shortnames))
        assert found == wanted
        assert our_peaks == their_peaks


@no_shrinking
@given(STEPS, st.booleans(), st.sampled_from([None, 2, 10]))
def test_the_table_of_growth_is_that_of_objgraph(steps, shortnames, limit):
    heap, their_peaks, our_peaks = [], {}, {}
    settle()
    for _ in range(2):
        printed(theirs.show_growth, limit, their_peaks, shortnames)
        printed(ours.show_growth, limit, our_peaks, shortnames)
    for kind, num in steps:
        change(heap, kind, num)
        wanted = printed(theirs.show_growth, limit, their_peaks, shortnames)
        assert printed(ours.show_growth, limit, our_peaks, shortnames) == wanted


def is_ours(obj):
    return type(obj).__module__ == __name__


@no_shrinking
@given(STEPS, st.booleans(), st.sampled_from([None, 0, 1, 3, 10]))
def test_the_table_of_common_types_is_that_of_objgraph(steps, shortnames, limit):
    heap = []
    for kind, num in steps:
        change(heap, kind, num)
        heap.append(Thing())  # a table without rows is an error
        for given_to in ({}, {"objects": heap}, {"filter": is_ours}):
            wanted = printed(theirs.show_most_common_types, limit, shortnames=shortnames, **given_to)
            found = printed(ours.show_most_common_types, limit, shortnames=shortnames, **given_to)
            assert found == wanted


def rows_of(table, names):
    """What both remember of the objects they know is counted as well: only what neither makes."""
    lines = [line.split() for line in table.splitlines()]
    return [line for line in lines if line and line[0].rpartition(".")[2] in names]


NEUTRAL = ("Thing", "Slotted", "Longer")


@no_shrinking
@given(STEPS, st.booleans(), st.sampled_from(["old", "current", "new", "deltas"]))
def test_new_ids_are_those_of_objgraph(steps, shortnames, sortby):
    heap, their_state, our_state = [], {}, {}
    theirs.get_new_ids(limit=0, shortnames=shortnames, _state=their_state)
    ours.get_new_ids(limit=0, shortnames=shortnames, _state=our_state)
    for kind, num in steps:
        change(heap, kind, num)
        tables, ids = [], []
        for tool, state in ((theirs, their_state), (ours, our_state)):
            out = io.StringIO()
            new = tool.get_new_ids(limit=None, sortby=sortby, file=out, _state=state)
            tables.append(out.getvalue())
            ids.append(repr(sorted((name, sorted(new[name])) for name in new
                                   if name.rpartition(".")[2] in NEUTRAL)))
        assert sorted(rows_of(tables[0], NEUTRAL)) == sorted(rows_of(tables[1], NEUTRAL))
        assert ids[0] == ids[1]
        assert tables[0].splitlines()[1].split() == tables[1].splitlines()[1].split()


# ---- text, character by character ------------------------------------------------------------------


def test_the_table_of_growth_reads_so():
    peaks = {}

    def table(limit=10, shortnames=True):
        return printed(ours.show_growth, limit, peaks, shortnames, filter=is_ours)

    things = [Thing() for _ in range(12)] + [Longer() for _ in range(3)] + [Slotted()]
    assert table() == ("Thing         12       +12\n"
                       "Longer         3        +3\n"
                       "Slotted        1        +1\n")
    assert table() == ""
    del things[2:4]
    assert table() == ""
    things += [Longer() for _ in range(12345)]
    things += [Thing() for _ in range(5)]
    assert table(1) == "Longer    12348    +12345\n"
    assert table() == ""  # rows that are not shown count as reported
    things += [Thing() for _ in range(5)]
    assert table() == "Thing       20        +5\n"
    assert table(shortnames=False).splitlines()[0] == "%s.Longer     12348    +12348" % __name__


def test_the_table_of_new_ids_reads_so():
    state = {}
    ours.get_new_ids(limit=0, _state=state)
    things = [Thing() for _ in range(1000)]
    out = io.StringIO()
    ours.get_new_ids(limit=1, file=out, _state=state)
    rule = "=" * 57
    assert out.getvalue() == (
        rule + "\nType       Old_ids  Current_ids      New_ids Count_Deltas\n" + rule
        + "\nThing            0         1000        +1000        +1000\n" + rule + "\n")
    del things
