# SPDX-License-Identifier: MIT
"""What cuts free, against the plain answer: take the references out, see what is no longer reached;
and against what `why` says of the same cut. RCH_GRAPHLAB as in test_oracles.py."""
import ctypes
import json
import os

import pytest

hypothesis = pytest.importorskip("hypothesis")
import oracle_why as o  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st
from test_dominators import tangles
from test_oracles import NAMES, graphs, lab, why  # noqa: E402, F401

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600"))


@pytest.fixture(scope="module")
def what_if(lab):  # noqa: F811
    lab.graphlab_what_if.restype = ctypes.c_void_p
    lab.graphlab_what_if.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p),
                                     ctypes.c_uint32]

    def ask(text, *cuts):
        array = (ctypes.c_char_p * len(cuts))(*(cut.encode() for cut in cuts))
        answer = lab.graphlab_what_if(text.encode(), array, len(cuts))
        assert answer, "no graph:\n" + text
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return ask


def alive(graph, without=()):
    """The objects that live roots reach when these references, (node, ordinal), are not there."""
    gone, removed = set(without), {v for v, scope in graph.observers if scope == o.ALL}
    todo = [v for v, n in enumerate(graph.nodes)
            if n.root and n.root[0] != o.GARBAGE and v not in removed]
    seen = set(todo)
    while todo:
        v = todo.pop()
        for i, ref in enumerate(graph.nodes[v].refs):
            if (ref[0] is not None and ref[4] != o.WEAK_CLASS and (v, i) not in gone
                    and ref[0] not in seen and ref[0] not in removed):
                seen.add(ref[0])
                todo.append(ref[0])
    return {v for v in seen if not graph.nodes[v].root}


def weigh(graph, nodes):
    return [len(nodes), sum(graph.nodes[v].size for v in nodes)]


def address(v):
    return "0x%x" % (8 * (v + 1))


@st.composite
def cuts_of(draw, graph):
    """A reference of the graph, in one of the ways to write it."""
    objects = [v for v, n in enumerate(graph.nodes) if not n.root]
    v = draw(st.sampled_from(objects))
    tail = draw(st.sampled_from(["", "[*]", "[0]", "[1]", " <key>", " <reference>", ".clear()",
                                 ".a", ".b.c", "[*].a", "[*][*]", ".a[0]", " closure b"]))
    head = draw(st.sampled_from([address(v)] * 3 + [
        "r", "s", "module r", "interpreter: r", "frame s() local a", "local b in r()",
        "held from C: r <object>"]))
    return head + tail


def check(graph, got):
    """Figures of an answer against the references that it says it cut."""
    before = alive(graph)
    together = set()
    for cut in got["cuts"]:
        edges = {tuple(e) for e in cut["edges"]}
        assert len(edges) == len(cut["edges"])
        assert all(graph.nodes[v].refs[i][0] is not None for v, i in edges)
        after = alive(graph, edges)
        assert cut["frees"][1:] == weigh(graph, before - after)
        live = {v for v, n in enumerate(graph.nodes) if n.root and n.root[0] != o.GARBAGE} | before
        removed = {v for v, scope in graph.observers if scope == o.ALL}
        targets = {graph.nodes[v].refs[i][0] for v, i in edges
                   if v in live - removed and graph.nodes[v].refs[i][4] != o.WEAK_CLASS} - removed
        assert (cut["targets"], cut["kept"]) == (len(targets), len(targets & after))
        assert bool(targets & after) <= cut["other"]
        together |= edges
    freed = before - alive(graph, together)
    assert got["frees"][1:] == weigh(graph, freed)
    types = {}
    for v in freed:
        row = types.setdefault(graph.nodes[v].type, [0, 0])
        row[0] += 1
        row[1] += graph.nodes[v].size
    assert got["types"] == types


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_what_cuts_free_is_what_is_no_longer_reached(what_if, data):
    graph = data.draw(graphs(plain=False))
    cuts = data.draw(st.lists(cuts_of(graph), min_size=1, max_size=4))
    got = what_if(graph.text(), *cuts)
    if "error" not in got:
        check(graph, got)
    elif got["error"] == 2:  # ambiguous, or no reference is written so
        assert got["found"] != 1


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_cuts_of_tangles(what_if, data):
    graph = data.draw(tangles())
    held = sorted(alive(graph))
    if not held:
        return
    nodes = data.draw(st.lists(st.sampled_from(held), min_size=1, max_size=5))
    tails = [data.draw(st.sampled_from(["", "[*]", "[0]", "[1]", ".clear()"])) for _ in nodes]
    cuts = [address(v) + tail for v, tail in zip(nodes, tails)]
    got = what_if(graph.text(), *cuts)
    want = [named(graph, v, tail) for v, tail in zip(nodes, tails)]
    if not all(want):
        assert got["error"] == 7  # not found
        return
    assert [{tuple(e) for e in cut["edges"]} for cut in got["cuts"]] == want
    check(graph, got)


def named(graph, v, tail):
    """The references that an address and one step of a list name."""
    if not tail:
        return {(u, i) for u, n in enumerate(graph.nodes) for i, r in enumerate(n.refs)
                if r[0] == v}
    refs = range(len(graph.nodes[v].refs))
    return {(v, i) for i in refs if tail in ("[*]", ".clear()", "[%d]" % i)}


@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles())
def test_networkx_loses_the_same_objects(what_if, graph):
    networkx = pytest.importorskip("networkx")
    live = networkx.DiGraph()
    live.add_node("top")
    for v, n in enumerate(graph.nodes):
        if n.root and n.root[0] != o.GARBAGE:
            live.add_edge("top", v)
        live.add_edges_from((v, r[0]) for r in n.refs)
    before = networkx.descendants(live, "top")
    for v in sorted(v for v in before if not graph.nodes[v].root)[:4]:
        less = live.copy()
        less.remove_edges_from(list(live.in_edges(v)))
        lost = before - networkx.descendants(less, "top")
        assert what_if(graph.text(), address(v))["frees"][1:] == weigh(graph, lost)


def hop_text(hop):
    kind, name, index = hop[0], hop[1], hop[2]
    if kind in ("attribute", "field", "slot"):
        return name and "." + name
    if kind in ("local", "closure"):
        return name and " %s %s" % (kind, name)
    if kind == "item" and index >= 0:
        return "[%d]" % index
    if kind == "value":
        return '["%s"]' % name if name else "[*]"
    return {"item": "[*]", "key": " <key>", "object": " <object>"}.get(kind)


def cut_text(holder):
    """The cut of a holder as the program prints it, and None where it is not one expression."""
    words = {"module": "module %s", "interpreter": "interpreter: %s", "frame": "frame %s()",
             "c-held": "held from C: %s"}
    kind, name = holder["root"]
    hops, cut = holder["groups"][0]["hops"], holder["cut"]
    texts = [hop_text(h) for h in hops[:cut + 1]]
    if None in texts or "" in texts or kind not in words:
        return None
    if holder["refs"] > 1:  # all entries of one container
        one = cut > 0 and hops[cut - 1][4] == 1 and hops[cut][5] == holder["refs"]
        texts[cut:] = [".clear()"] if one else []
        if not one:
            return None
    return words[kind] % name + "".join(texts)


SEEN = {"same": 0, "more": 0}


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_why_says_the_same_of_a_cut(why, what_if, graph):  # noqa: F811
    graph.observers = []  # `why` leaves out the asker's variables, these are not asked for here
    for node in graph.nodes:  # what folds is plumbing, which no program cuts by itself
        node.refs = [(to, kind, name, flags | o.FIXED if flags & (o.BACK | o.FORWARD) else flags, c)
                     for to, kind, name, flags, c in node.refs]
    for holder in why(graph.text())["holders"]:
        text = cut_text(holder) if holder["cuttable"] and not holder["also"] else None
        if text is None:
            continue
        got = what_if(graph.text(), text)
        if "error" in got:
            assert got["found"] > 1, text  # roots that are called the same
        elif got["cuts"][0]["references"] == holder["refs"]:
            SEEN["same"] += 1
            assert got["frees"][1:] == holder["frees"][1:], text
        else:
            SEEN["more"] += 1  # the text stands for others too
            assert got["frees"][1] >= holder["frees"][1], text


def test_that_comparison_was_made_often():
    assert SEEN["same"] > EXAMPLES / 4, SEEN


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False), st.text(st.sampled_from("0x18rsabc.[]*\"<>() keylocin:\\"), max_size=20))
def test_any_text_is_an_answer_or_an_error(what_if, graph, text):
    got = what_if(graph.text(), text)
    if "error" not in got:
        check(graph, got)
