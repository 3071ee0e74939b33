# SPDX-License-Identifier: MIT
"""`why`, `growth` and `diff` of random small graphs against the plain answers of oracle_why.py,
oracle_growth.py and oracle_series.py, and `why` against itself: the same graph with its objects at other addresses must
give the same answer to the last byte.

RCH_GRAPHLAB names the shared library made of tests/c/graphlab.c; without it, one is compiled."""
import ctypes
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

hypothesis = pytest.importorskip("hypothesis")
import oracle_growth  # noqa: E402
import oracle_series  # noqa: E402
import oracle_why as o  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = os.environ.get("RCH_GRAPHLAB")
    if not path:
        path = tmp_path_factory.mktemp("lab") / "libgraphlab.so"
        sources = [str(p) for d in ("base", "model", "analyze", "render")
                   for p in sorted((TOP / "src" / d).glob("*.c"))]
        subprocess.run(["cc", "-std=gnu11", "-O1", "-g", "-fPIC", "-shared", "-I", TOP / "src",
                        "-o", path, TOP / "tests/c/graphlab.c", *sources], check=True)
    lib = ctypes.CDLL(str(path))
    lib.graphlab_free.argtypes = [ctypes.c_void_p]
    return lib


@pytest.fixture(scope="module")
def why(lab):
    lab.graphlab_why.restype = ctypes.c_void_p
    lab.graphlab_why.argtypes = [ctypes.c_char_p, ctypes.c_uint32, ctypes.c_int]

    def ask(text, most=8, raw=False):
        answer = lab.graphlab_why(text.encode(), most, raw)
        assert answer, "no graph:\n" + text
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return ask


@pytest.fixture(scope="module")
def growth(lab):
    lab.graphlab_growth.restype = ctypes.c_void_p
    lab.graphlab_growth.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p,
                                    ctypes.c_size_t, ctypes.c_int]
    lab.graphlab_free.argtypes = [ctypes.c_void_p]

    def compare(before, now, later=None, is_uncollected=False):
        array = None if later is None else (ctypes.c_uint64 * (len(later) + 1))(*sorted(later))
        answer = lab.graphlab_growth(before.encode(), now.encode(), array, len(later or ()),
                                     is_uncollected)
        assert answer, "no graph:\n" + before + "\n" + now
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return compare


@pytest.fixture(scope="module")
def series(lab):
    lab.graphlab_series.restype = ctypes.c_void_p
    lab.graphlab_series.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_uint32]

    def tell(texts):
        array = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        answer = lab.graphlab_series(array, len(texts))
        assert answer, "no graph:\n" + "\n".join(texts)
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return tell


NAMES = ["a", "b", "c"]
TYPES = ["m.A", "m.B", "list"]


@st.composite
def references(draw, nodes, layout, plain):
    targets = draw(st.lists(st.integers(0, nodes - 1), min_size=layout != "f", max_size=4))
    if layout == "l":
        return [(t, o.ITEM, None, o.GROUP, 0) for t in targets]
    if layout == "d":
        pairs = [draw(st.sampled_from([(None, t), (t, None), (targets[0], t)]))
                 for t in targets[:2]]
        return [(t, kind, None, o.GROUP, 0)
                for pair in pairs for t, kind in zip(pair, (o.KEY, o.VALUE))]
    refs = []
    for t in targets:
        kind, flags = draw(st.sampled_from(
            [(o.ATTRIBUTE, 0)] * 3 + [(o.FIELD, o.FIXED)] +
            ([] if plain else [(o.DICT, o.FORWARD), (o.CLOSURE, 0), (o.FIELD, o.BACK),
                               (o.SLOT, o.FORWARD | o.FIXED), (o.REFERENCE, 0)])))
        cls = draw(st.sampled_from([0] * 6 + [o.WEAK_CLASS] + ([] if plain else [o.GUESSED_CLASS])))
        refs.append((t, kind, draw(st.sampled_from(NAMES)), flags, cls))
    return refs


@st.composite
def graphs(draw, plain=True):
    num = draw(st.integers(2, 9))
    nodes = []
    for _ in range(num):
        layout = draw(st.sampled_from("fffld"))
        nodes.append(o.Node(draw(references(num, layout, plain)), layout, draw(st.integers(16, 99)),
                            draw(st.sampled_from(TYPES))))
    kinds = [o.INTERPRETER] * 3 + [o.GARBAGE]
    if not plain:
        kinds += [o.MODULE, o.MODULE, o.FRAME, o.C_HELD]
    for i in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(kinds))
        targets = draw(st.lists(st.integers(0, num // 2), min_size=1, max_size=3))
        flags = int(kind == o.INTERPRETER and draw(st.booleans()))
        layout = "l" if kind == o.C_HELD else "f"
        label = (o.OBJECT, None, o.GROUP if layout == "l" else 0)
        if kind in (o.FRAME, o.INTERPRETER) and not flags and draw(st.booleans()):
            label = (o.LOCAL, draw(st.sampled_from(NAMES)), 0)
        nodes.append(o.Node([(t, *label, 0) for t in targets], layout,
                            root=(kind, "r" if plain else draw(st.sampled_from("rs")), flags)))
    members = draw(st.sets(st.integers(num // 2, num - 1), max_size=5))
    observer = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, 1))
    some = st.lists(observer, max_size=2, unique_by=lambda x: x[0])
    observers = draw(st.one_of(st.just([]), some))
    texts = {v: draw(st.sampled_from(NAMES)) for v in range(num) if draw(st.integers(0, 3)) == 0}
    return o.Graph(nodes, members, observers, texts)


def folded(hops):
    return tuple((o.KIND_WORDS.index(kind), "" if kind in ("item", "key", "value", "element")
                  else name or "", type_) for kind, name, _, type_, *_ in hops)


@settings(max_examples=int(os.environ.get("RCH_EXAMPLES", "600")), deadline=None)
@given(graphs(), st.integers(1, 3))
def test_holders_are_the_nearest_minimum_cut_with_exact_figures(why, graph, most):
    want = o.Oracle(graph).answer(most)
    got = why(graph.text(), most)
    for key in ("uncuttable", "observer", "garbage", "unexplained"):
        assert got[key] == want[key], key
    assert bool(got["diffuse"]) == want["diffuse"]
    if want["diffuse"]:
        return
    assert got["all_cut"] == want["all_cut"]
    holders = Counter()
    for h in got["holders"]:
        if not h["cuttable"]:
            continue
        assert h["more_groups"] == 0 and not h["also"]
        groups = frozenset((folded(g["hops"]), g["members"]) for g in h["groups"])
        holders[(h["holds"], h["holds_only"], tuple(h["frees"]), h["refs"], h["cut"], groups)] += 1
        assert h["frees"][0] == h["holds_only"]
        assert bool(h["group"]) <= (h["refs"] > 1)
    assert holders == want["holders"]


@settings(max_examples=int(os.environ.get("RCH_EXAMPLES", "600")), deadline=None)
@given(graphs(plain=False), st.integers(1, 3), st.booleans(), st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_addresses(why, graph, most, raw, random):
    num = sum(not n.root for n in graph.nodes)
    addresses = [8 * (v + 1) for v in range(num)]
    first = why(graph.text(addresses), most, raw)
    random.shuffle(addresses)
    assert why(graph.text(addresses), most, raw) == first
    if not first["diffuse"]:
        assert first["objects"] == first["all_cut"][0] + sum(
            first[k] for k in ("uncuttable", "observer", "garbage", "in_use", "unexplained"))
    for h in first["holders"]:
        assert 0 < h["groups"][0]["members"] <= max(h["holds"], 1)


@settings(max_examples=200, deadline=None)
@given(graphs(plain=False), st.integers(1, 3))
def test_folding_changes_what_is_shown_but_not_what_is_found(why, graph, most):
    plain, raw = why(graph.text(), most), why(graph.text(), most, True)
    for key in ("all_cut", "garbage", "observer", "uncuttable", "diffuse", "c_held"):
        assert plain[key] == raw[key]
    keys = ("fingerprint", "root", "holds", "frees", "refs", "also")
    assert (sorted([h[k] for k in keys] for h in plain["holders"])
            == sorted([h[k] for k in keys] for h in raw["holders"]))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(1, 2))
def test_diffuse_groups_are_the_most_common_shortest_paths(why, graph, most):
    oracle = o.Oracle(graph)
    got = why(graph.text(), most)
    if not got["diffuse"]:
        return
    paths = oracle.paths({r: () for r in oracle.roots}, oracle.held)
    groups = Counter(paths[m] for m in oracle.sinks if m in paths)
    assert len(got["holders"]) == min(most, len(groups))
    assert got["more_holders"] == len(groups) - len(got["holders"])
    for h in got["holders"]:
        assert groups[folded(h["groups"][0]["hops"])] == h["holds"]
    counts = sorted(groups.values(), reverse=True)[:most]
    assert sorted((h["holds"] for h in got["holders"]), reverse=True) == counts


@st.composite
def two_graphs(draw):
    """Two graphs and where their objects are: some of both at the same addresses."""
    graph, other = draw(graphs()), draw(graphs())
    addresses = st.permutations([8 * (v + 1) for v in range(12)])
    return graph, draw(addresses), other, draw(addresses)


@settings(max_examples=int(os.environ.get("RCH_EXAMPLES", "600")), deadline=None)
@given(two_graphs(), st.sampled_from([None, False, True]),
       st.sets(st.sampled_from([8 * (v + 1) for v in range(12)])))
def test_growth_tells_what_is_new_and_where_it_hangs(growth, pair, is_uncollected, later):
    before, old_addresses, now, addresses = pair
    later = None if is_uncollected is None else later
    new = oracle_growth.made(before, old_addresses, now, addresses, later, is_uncollected)
    got = growth(before.text(old_addresses), now.text(addresses), later, bool(is_uncollected))
    sizes = {v: n.size for v, n in enumerate(now.nodes)}
    assert got["new"] == len(new)
    assert got["new_bytes"] == sum(sizes[v] for v in new)
    assert got["before"] == len(oracle_growth.objects(before)) == got["kept"] + got["gone"]
    rows = {r["type"]: (r["before"], r["now"], r["new"], r["gone"]) for r in got["types"]}
    assert rows == oracle_growth.types(before, now, new)
    places = oracle_growth.Places(now, new)
    assert Counter(
        (folded([[h["edge"], h["name"], 0, h["type"]] for h in p["path"]]), p["objects"],
         p["bytes"], p["below"], p["below_bytes"]) for p in got["places"]) == places.rows()
    observer, garbage, unexplained, nowhere = places.rest()
    assert (got["observer"], got["garbage"], got["unexplained"]) == (observer, garbage, unexplained)
    assert got["objects_omitted"] == nowhere


def path_of(row):
    return folded([[h["edge"], h["name"], 0, h["type"]] for h in row["path"]])


@settings(max_examples=int(os.environ.get("RCH_EXAMPLES", "600")), deadline=None)
@given(st.lists(graphs(), min_size=2, max_size=4))
def test_a_series_tells_which_places_grew(series, moments):
    got = series([graph.text() for graph in moments])
    want = oracle_series.Rises(moments)
    assert Counter((path_of(row), tuple(row["objects"]), row["grown"], row["each"], row["below"],
                    row["below_bytes"]) for row in got["rows"]) == want.rows()
    assert [row["steady"] for row in got["rows"]] == [
        len(moments) > 2 and row["each"] > 0 for row in got["rows"]]
    assert got["noise"]["places"] == got["rows_omitted"] == 0
    ranks = [(-bool(row["each"]), -row["grown"]) for row in got["rows"]]
    assert ranks == sorted(ranks)


@settings(max_examples=200, deadline=None)
@given(st.lists(graphs(), min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_a_series_does_not_depend_on_addresses(series, moments, random):
    first = series([graph.text() for graph in moments])
    texts = []
    for graph in moments:
        addresses = [8 * (v + 1) for v, n in enumerate(graph.nodes) if not n.root]
        random.shuffle(addresses)
        texts.append(graph.text(addresses))
    again = series(texts)
    for answer in (first, again):
        for row in answer["rows"]:
            del row["addresses"]
    assert first == again
