# SPDX-License-Identifier: MIT
"""Who keeps what in random graphs, against the plain answers of test_dominators.py: rows add up to the
heap, each is what would be lost with its objects. RCH_GRAPHLAB as in test_oracles.py."""
import ctypes
import json
import os
from collections import Counter

import pytest

hypothesis = pytest.importorskip("hypothesis")
import oracle_why as o  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st
from test_dominators import Plain, tangles
from test_oracles import graphs, lab  # noqa: E402, F401

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600"))
MODULE, HOLDER, DOMINATOR = range(3)
RETAINED, OBJECTS, BYTES = range(3)


def asker(function, *types):
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_char_p, *types]

    def ask(lab, text, *args):  # noqa: F811
        answer = function(text.encode(), *args)
        assert answer, "no graph:\n" + text
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return ask


@pytest.fixture(scope="module")
def keepers(lab):  # noqa: F811
    ask = asker(lab.graphlab_keepers, ctypes.c_int, ctypes.c_int)
    return lambda *args: ask(lab, *args)


@pytest.fixture(scope="module")
def dominators_of(lab):  # noqa: F811
    ask = asker(lab.graphlab_dominators_of)
    return lambda *args: ask(lab, *args)


class Tree(Plain):
    """With a look that leaves out plumbing, and sums for sets of nodes."""

    def __init__(self, graph):
        super().__init__(graph)
        self.idoms = {v: self.idom(v) for v in self.all if v != self.top}
        self.plumbing = set()
        for v, above in self.idoms.items():
            for to, _, _, flags, _ in self.nodes[v].refs if not self.nodes[v].root else ():
                if to is not None and flags & o.FORWARD and self.idoms.get(to) == v:
                    self.plumbing.add(to)
                if to is not None and flags & o.BACK and above != self.top:
                    self.plumbing.add(v)

    def owner(self, v):
        above = self.idoms[v]
        while above in self.plumbing:
            above = self.idoms[above]
        return above

    def objects(self, nodes):
        return sum(v != self.top and not self.nodes[v].root for v in nodes)

    def lost_with(self, nodes):
        return set().union(*(self.lost.get(v, {v}) for v in nodes)) if nodes else set()

    def sums(self, nodes):
        lost = self.lost_with(nodes)
        return self.objects(lost), self.bytes(lost)


def sums_of(row):
    return row["retained_objects"], row["retained"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_modules_and_the_rest_are_the_whole_heap(keepers, graph):
    got, tree = keepers(graph.text(), MODULE, RETAINED), Tree(graph)
    objects = [n for n in graph.nodes if not n.root]
    assert (got["objects"], got["bytes"]) == (len(objects), sum(n.size for n in objects))
    for column, total in zip(zip(*map(sums_of, got["rows"])), (got["objects"], got["bytes"])):
        assert sum(column) == total
    want = Counter()
    for v, n in enumerate(graph.nodes):
        if n.root and n.root[0] == o.MODULE and v in tree.all:
            module = n.refs[0][0]
            own = [v, module] + [to for to, kind, _, _, cls in graph.nodes[module].refs
                                 if kind == o.DICT and cls != o.WEAK_CLASS and to in tree.all]
            want[n.root[1]] += tree.objects(tree.lost_with(u for u in own if u in tree.all))
    named = {}
    for row in got["rows"]:
        if row["kind"] == "module":
            named[row["module"]] = named.get(row["module"], 0) + row["retained_objects"]
    modules = [n for n in graph.nodes if n.root and n.root[0] == o.MODULE]
    parts = [u for n in modules for to in n.refs[:1] for u in
             {to[0], *(r[0] for r in graph.nodes[to[0]].refs if r[1] == o.DICT)}]
    if len(parts) == len(set(parts)) and len(want) == len(modules):  # else some share what they are
        assert named == {name: num for name, num in want.items() if num}


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_single_objects_retain_what_is_lost_with_them(keepers, graph):
    got, tree = keepers(graph.text(), DOMINATOR, RETAINED), Tree(graph)
    listed = [int(row["address"], 16) // 8 - 1 for row in got["rows"]]
    below = {}
    for v in tree.all:
        if v != tree.top and not tree.nodes[v].root and v not in tree.plumbing:
            below.setdefault(tree.owner(v), []).append(v)
    passages = set()
    for v, children in below.items():
        whole = tree.retained(v) if v != tree.top else 0
        if any(0 < tree.retained(c) >= whole - whole // 10 * 3 for c in children):
            passages.add(v)
    want = [v for v in tree.all if v != tree.top and not tree.nodes[v].root
            and v not in tree.plumbing | passages]
    assert listed == sorted(want, key=lambda v: (-tree.retained(v), v))
    for v, row in zip(listed, got["rows"]):
        assert sums_of(row) == tree.sums([v])
        assert (row["objects"], row["bytes"]) == (1, tree.nodes[v].size)
        kinds = {tree.nodes[c].type for c in below.get(v, ())}
        assert row["below_omitted"] == max(len(kinds) - 3, 0)
        for part in row["below"]:
            children = [c for c in below[v] if tree.nodes[c].type == part["type"]]
            assert part["count"] == len(children)
            assert sums_of(part) == tree.sums(children)


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(), st.sampled_from([OBJECTS, BYTES]))
def test_places_retain_what_is_lost_with_their_objects(keepers, graph, sort):
    graph.observers, graph.members = [], set()
    got, tree, oracle = keepers(graph.text(), HOLDER, sort), Tree(graph), o.Oracle(graph)
    paths = oracle.paths({r: () for r in oracle.roots}, oracle.held)
    places = {}
    for v, path in paths.items():
        if not graph.nodes[v].root:
            places.setdefault(path, set()).add(v)
    want = Counter((len(p), tree.bytes(p), *tree.sums(p)) for p in places.values())
    assert Counter((r["objects"], r["bytes"], *sums_of(r)) for r in got["rows"]) == want
    key = "objects" if sort == OBJECTS else "bytes"
    assert [r[key] for r in got["rows"]] == sorted((r[key] for r in got["rows"]), reverse=True)


def check_dominators(dominators_of, graph):
    got, tree = dominators_of(graph.text()), Tree(graph)
    members = sorted(graph.members)
    assert (got["objects"], got["bytes"]) == (len(members), tree.bytes(members))
    assert sums_of(got) == tree.sums(members)
    groups = {}
    for v in members:
        owner = tree.owner(v) if v in tree.all else None
        key = ("asker" if owner is None else "shared" if owner == tree.top else
               owner if tree.nodes[owner].root else tree.nodes[owner].type)
        groups.setdefault(key, {}).setdefault(owner, []).append(v)
    want = Counter((len(hands) if isinstance(key, str) and key not in ("asker", "shared") else
                    1 if isinstance(key, int) else 0,
                    sum(map(len, hands.values())), *tree.sums(sum(hands.values(), [])))
                   for key, hands in groups.items())
    assert Counter((d["dominators"], d["objects"], *sums_of(d)) for d in got["dominators"]) == want
    over = [u for u in tree.all if u not in {tree.top, *tree.plumbing, *members}
            and set(members) <= tree.lost[u]] if members else []
    assert (got["common"] is not None) == bool(over)
    if over:
        assert got["common"]["retained"] == min(tree.retained(u) for u in over)


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_immediate_dominators_of_a_set(dominators_of, graph):
    check_dominators(dominators_of, graph)


@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles(), st.data())
def test_immediate_dominators_in_tangles(dominators_of, graph, data):
    objects = [v for v, n in enumerate(graph.nodes) if not n.root]
    graph.members = data.draw(st.sets(st.sampled_from(objects), max_size=12))
    check_dominators(dominators_of, graph)
