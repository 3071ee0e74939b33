# SPDX-License-Identifier: MIT
"""Dominators and retained bytes of random graphs against the plain answers: take a node out, see
what is no longer reached. RCH_GRAPHLAB as in test_oracles.py."""
import ctypes
import json
import os

import pytest

hypothesis = pytest.importorskip("hypothesis")
import oracle_why as o  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st
from test_oracles import graphs, lab  # noqa: E402, F401

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600"))


@pytest.fixture(scope="module")
def dominators(lab):  # noqa: F811
    lab.graphlab_dominators.restype = ctypes.c_void_p
    lab.graphlab_dominators.argtypes = [ctypes.c_char_p]

    def ask(text):
        answer = lab.graphlab_dominators(text.encode())
        assert answer, "no graph:\n" + text
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return ask


class Plain:
    """Node len(nodes) is the super root. The living do not depend on what garbage refers to."""

    def __init__(self, graph):
        self.nodes, self.top = graph.nodes, len(graph.nodes)
        removed = {v for v, scope in graph.observers if scope == o.ALL}
        self.out = {v: {r[0] for r in n.refs if r[0] is not None and r[4] != o.WEAK_CLASS} - removed
                    for v, n in enumerate(self.nodes)}
        roots = {v for v, n in enumerate(self.nodes) if n.root} - removed
        self.out[self.top] = {v for v in roots if self.nodes[v].root[0] != o.GARBAGE}
        living = self.reached()
        for v in set(self.out) - living:
            self.out[v] -= living
        self.out[self.top] |= roots
        self.all = self.reached()
        self.lost = {v: self.all - self.reached(v) for v in self.all}

    def reached(self, without=None):
        seen, todo = {self.top} - {without}, [self.top] if without != self.top else []
        while todo:
            for to in self.out[todo.pop()] - {without}:
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    def idom(self, v):
        """Of its dominators the one that all others dominate."""
        over = [u for u in self.all if v in self.lost[u] and u != v]
        return min(over, key=lambda u: len(self.lost[u])) if over else -1

    def bytes(self, nodes):
        return sum(self.nodes[v].size for v in nodes if v != self.top and not self.nodes[v].root)

    def retained(self, v):
        return self.bytes(self.lost.get(v, [v]))

    def retained_by(self, type_):
        """What goes when all objects of the type go that none of the others keeps."""
        own = [v for v, n in enumerate(self.nodes) if not n.root and n.type == type_]
        return self.bytes(set().union(*(self.lost.get(v, {v}) for v in own)))


def check(dominators, graph):
    got, plain = dominators(graph.text()), Plain(graph)
    assert got["idom"] == [plain.idom(v) for v in range(plain.top)]
    assert got["retained"] == [plain.retained(v) for v in range(plain.top + 1)]
    for name, num_bytes in got["types"].items():
        assert num_bytes == plain.retained_by(name.lstrip(".")), name
    tops = [v for v in range(plain.top) if got["idom"][v] == plain.top]
    assert sum(got["retained"][v] for v in tops) == plain.bytes(plain.all)
    return got, plain


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_dominators_by_removal_and_retained_bytes_by_deletion(dominators, graph):
    check(dominators, graph)


@st.composite
def tangles(draw):
    """More objects and references than graphs() makes, all of one kind."""
    num = draw(st.integers(2, 40))
    pairs = draw(st.lists(st.tuples(st.integers(0, num - 1), st.integers(0, num - 1)),
                          max_size=3 * num))
    nodes = [o.Node([(to, o.ITEM, None, o.GROUP, 0) for source, to in pairs if source == v], "l",
                    draw(st.integers(16, 99)), draw(st.sampled_from(["m.A", "m.B", "m.C"])))
             for v in range(num)]
    for kind in draw(st.lists(st.sampled_from([o.MODULE, o.MODULE, o.GARBAGE]), min_size=1,
                              max_size=3)):
        targets = draw(st.lists(st.integers(0, num - 1), min_size=1, max_size=3))
        nodes.append(o.Node([(to, o.OBJECT, None, 0, 0) for to in targets], root=(kind, "r", 0)))
    return o.Graph(nodes, set())


@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles())
def test_dominators_of_tangles(dominators, graph):
    check(dominators, graph)


@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles())
def test_networkx_finds_the_same_dominators(dominators, graph):
    networkx = pytest.importorskip("networkx")
    got, plain = dominators(graph.text()), Plain(graph)
    known = networkx.DiGraph([(v, to) for v in plain.all for to in plain.out[v]])
    want = dict(networkx.immediate_dominators(known, plain.top))
    want.pop(plain.top, None)
    assert {v: above for v, above in enumerate(got["idom"]) if above >= 0} == want
