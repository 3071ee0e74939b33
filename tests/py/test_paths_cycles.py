# SPDX-License-Identifier: MIT
"""`paths` and `cycles` of random graphs against the plain answers of oracle_paths.py and against
networkx. RCH_GRAPHLAB as in test_oracles.py."""
import ctypes
import json
import os
from collections import Counter, defaultdict

import pytest

hypothesis = pytest.importorskip("hypothesis")
import oracle_paths as p  # noqa: E402
import oracle_why as o  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st
from test_dominators import tangles  # noqa: E402
from test_oracles import NAMES, graphs, lab  # noqa: E402, F401

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600"))
LOTS = 100_000


def asker(lab, name, *types):  # noqa: F811
    function = getattr(lab, name)
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_char_p, *types]

    def ask(graph, *args):
        answer = function(graph.text().encode(), *args)
        assert answer, "no graph:\n" + graph.text()
        words = ctypes.string_at(answer).decode()
        lab.graphlab_free(answer)
        return json.loads(words)
    return ask


@pytest.fixture(scope="module")
def paths(lab):  # noqa: F811
    ask = asker(lab, "graphlab_paths", ctypes.c_uint32, ctypes.c_int, ctypes.c_char_p)

    def find(graph, most, each=False, excludes=()):
        return ask(graph, most, each, "\n".join(excludes).encode())
    return find


@pytest.fixture(scope="module")
def cycles(lab):  # noqa: F811
    return asker(lab, "graphlab_cycles", ctypes.c_int, ctypes.c_int)


@pytest.fixture(scope="module")
def components(lab):  # noqa: F811
    return asker(lab, "graphlab_components")


def hop(row):
    kind = o.KIND_WORDS.index(row["edge"])
    unnamed = kind in p.REPEATS or row["name"] == "__dict__"  # what a dictionary's hop is called
    return (kind, "" if unnamed else row["name"] or "", row["type"])


def reading(path):
    kinds = ["module", "frame", "thread", "coroutine", "interpreter", "static-type", "c-held",
             "garbage"]
    return (kinds.index(path["root"]["kind"]), path["root"]["name"],
            *(hop(row) for row in path["path"]))


def cost(path):
    return path["penalty"], path["hops"]


def one_member(graph):
    objects = [v for v, n in enumerate(graph.nodes) if not n.root]
    graph.members = {max(graph.members) if graph.members else objects[-1]}
    return next(iter(graph.members))


def check_first(got, want, most):
    """got: [(cost, reading)], the best `most` of want: the same costs, and what is cheaper than the
    last is all there."""
    assert [c for c, _ in got] == sorted(c for c, _ in want)[:most]
    if not got:
        return
    last = got[-1][0]
    assert Counter(r for r in got if r[0] < last) == Counter(r for r in want if r[0] < last)
    assert not Counter(got) - Counter(want)


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False), st.sampled_from([1, 2, 3, 5, 20, LOTS]))
def test_every_simple_path_is_found_best_first(paths, graph, most):
    target = one_member(graph)
    names = p.Names(graph)
    every, garbage = names.simple_paths(target, True)
    got = paths(graph, most, True)
    want = [((a, b), names.reading(root, edges)) for a, b, root, edges in every]
    check_first([(cost(x), reading(x)) for x in got["paths"]], want, most)
    assert got["all"] == (len(want) <= most) and not got["given_up"]
    assert got["from_garbage"] == (garbage and bool(want))


def best_readings(names, target):
    every, garbage = names.simple_paths(target, False)
    best = {}
    for a, b, root, edges in every:
        key = names.reading(root, edges)
        best[key] = min(best.get(key, (a, b)), (a, b))
    return best, garbage


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False), st.sampled_from([1, 2, 3, 5, 20, LOTS]))
def test_every_way_to_read_is_found_best_first(paths, graph, most):
    target = one_member(graph)
    best, _ = best_readings(p.Names(graph), target)
    got = paths(graph, most)
    check_first([(cost(x), reading(x)) for x in got["paths"]],
                [(c, r) for r, c in best.items()], most)
    assert got["all"] == (len(best) <= most)


EDGES = NAMES + ["m.A." + n for n in NAMES] + ["m.B.a", "item", "value", "attribute", "closure",
                                               "field", "reference", "weak", "guessed", "observer"]
ROOTS = ["module", "frame", "interpreter", "c-held", "r", "s"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False), st.lists(st.sampled_from(EDGES), max_size=2, unique=True),
       st.lists(st.sampled_from(ROOTS), max_size=1))
def test_what_is_excluded_is_on_no_path_and_is_counted(paths, graph, edges, roots):
    target = one_member(graph)
    names = p.Names(graph)
    before, _ = names.simple_paths(target, True)
    held = [e for e in names.o.edges if e not in names.o.ignored and e[0] not in names.removed]
    names.exclude(edges, roots)
    after, _ = names.simple_paths(target, True)
    got = paths(graph, LOTS, True, edges + ["!" + r for r in roots])
    assert Counter(cost(x) for x in got["paths"]) == Counter((a, b) for a, b, *_ in after)
    words = ["module", "frame", "thread", "coroutine", "interpreter", "static-type", "c-held",
             "garbage"]

    def drops(root, way, row):
        if row["of"] == "references":
            return any(names.matches(e, row["pattern"]) for e in way)
        kind, name, _ = graph.nodes[root].root
        return row["pattern"] in (words[kind], name)
    for row in got["excluded"]:
        assert row["dropped"] == sum(drops(root, way, row) for *_, root, way in before)
        if row["of"] == "references":
            assert row["matched"] == sum(names.matches(e, row["pattern"]) for e in held)
    assert got["dropped"] == sum(any(drops(root, way, row) for row in got["excluded"])
                                 for *_, root, way in before)


def least_readings(names, member):
    """Readings with the least penalty, of these the ones with fewest hops."""
    every, _ = names.simple_paths(member, True)
    rows = [(a, names.reading(root, edges, False)) for a, _, root, edges in every]
    least = min((a, len(r)) for a, r in rows)
    return {r for a, r in rows if (a, len(r)) == least}


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False))
def test_the_merged_tree_has_the_best_path_of_each(paths, graph):
    names = p.Names(graph)
    if len(graph.members) < 2:
        return
    got = paths(graph, 10)
    live = names.o.reach(names.starts(False), names.held)
    garbage = names.o.reach(names.starts(True), names.held)
    assert got["reached"] == len(graph.members & live)
    assert got["garbage"] == len(graph.members & garbage - live)
    assert got["unheld"] == len(graph.members - garbage)
    tree, ends = got["tree"], Counter()
    for row in tree:
        above = tree[row["parent"]] if row["parent"] is not None else None
        kinds = ["module", "frame", "thread", "coroutine", "interpreter", "static-type", "c-held",
                 "garbage"]
        row["reading"] = (above["reading"] + (hop(row),) if above else
                          (kinds.index(row["root"]["kind"]), row["root"]["name"]))
        if row["ends"]:
            ends[row["reading"]] += row["ends"]
        assert row["members"] == row["ends"] + sum(
            r["members"] for r in tree if r["parent"] is not None and tree[r["parent"]] is row)
    allowed = [least_readings(names, member)
               for member in graph.members & (garbage if got["from_garbage"] else live)]
    surely = Counter(next(iter(rows)) for rows in allowed if len(rows) == 1)
    assert sum(ends.values()) == len(allowed) and not surely - ends
    assert set(ends) <= set().union(*allowed)


# --- components and cycles ---

@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles())
def test_networkx_finds_the_same_components(components, graph):
    networkx = pytest.importorskip("networkx")
    known = networkx.DiGraph()
    known.add_nodes_from(range(len(graph.nodes)))
    known.add_edges_from((v, r[0]) for v, n in enumerate(graph.nodes) for r in n.refs)
    got, found = components(graph), defaultdict(set)
    for v, number in enumerate(got["of"]):
        found[number].add(v)
    assert sorted(map(sorted, found.values())) == sorted(
        map(sorted, networkx.strongly_connected_components(known)))
    assert got["num"] == len(found) and set(found) == set(range(len(found)))
    for v, n in enumerate(graph.nodes):
        for r in n.refs:
            assert got["of"][v] >= got["of"][r[0]]


def plain_components(nodes, edges, to):
    """Sets of nodes that reach each other; those in a cycle."""
    out = defaultdict(set)
    for e in edges:
        out[e[0]].add(to(e))
    reach = {}
    for v in nodes:
        seen, todo = set(), [v]
        while todo:
            for u in out[todo.pop()] - seen:
                seen.add(u)
                todo.append(u)
        reach[v] = seen
    return {frozenset(u for u in nodes if u in reach[v] and v in reach[u])
            for v in nodes if v in reach[v]}


def groups_of(names, graph, has_question, garbage_only):
    """[(garbage, [component], [edges])] of components that look alike."""
    garbage, live = names.garbage()
    nodes = set(garbage)
    if has_question and not garbage_only:
        nodes |= {v for v in live - names.removed if not graph.nodes[v].root}
        nodes -= names.modules(alive=False)
    edges = [e for e in names.held if e[0] in nodes and names.to(e) in nodes]
    groups = defaultdict(list)
    for part in plain_components(nodes, edges, names.to):
        if has_question and not part & graph.members:
            continue
        inner = [e for e in edges if e[0] in part and names.to(e) in part]
        groups[min(part) in garbage, names.look(inner)].append((part, inner))
    return groups, garbage


def check_cuts(names, row, inner):
    """Without what was named nothing is in a cycle; if it says so, no fewer names do."""
    least = p.fewest_names(inner, names.name, names.to)
    assert row["cuttable"] == (least is not None)
    if least is None:
        assert not row["cuts"]
        return
    cut = set()
    for c in row["cuts"]:
        last = c["path"][-1]
        kind = o.KIND_WORDS.index(last["edge"])
        owner = c["path"][0]["type"] if len(c["path"]) > 1 else c["owner"]
        cut.add((owner, kind, "" if kind in p.REPEATS else last["name"] or ""))
    left = [e for e in inner if not names.name(e)[3] or names.name(e)[:3] not in cut]
    assert p.is_acyclic((e[0], names.to(e)) for e in left)
    assert len(row["cuts"]) == least if row["minimum"] else len(row["cuts"]) >= least
    assert row["minimum"] or least > 3


def check_cycles(cycles, graph, has_question, garbage_only):
    names = p.Names(graph)
    if not has_question:
        names = p.Names(o.Graph(graph.nodes, set(), graph.observers, graph.texts))
    got = cycles(graph, has_question, garbage_only)
    groups, garbage = groups_of(names, graph, has_question, garbage_only)

    def size(nodes):
        return sum(graph.nodes[v].size for v in nodes)
    assert got["garbage"] == len(garbage) and got["garbage_bytes"] == size(garbage)
    assert got["components"] == sum(map(len, groups.values()))
    facts, rest = Counter(), defaultdict(list)
    for (is_garbage, _), parts in groups.items():
        every = frozenset().union(*(part for part, _ in parts))
        fact = (is_garbage, len(parts), len(every), size(every),
                min(len(part) for part, _ in parts), max(len(part) for part, _ in parts))
        facts[fact] += 1
        rest[fact].append((every, [e for _, inner in parts for e in inner], parts))
    rows = got["groups"]
    assert facts == Counter((r["garbage"], r["components"], r["objects"], r["bytes"],
                             r["least_objects"], r["most_objects"]) for r in rows)
    for row in rows:
        fact = (row["garbage"], row["components"], row["objects"], row["bytes"],
                row["least_objects"], row["most_objects"])
        if facts[fact] > 1:
            continue
        every, inner, parts = rest[fact][0]
        check_cuts(names, row, inner)
        yield names, row, every, inner, parts
        if row["garbage"]:
            starts = set(names.starts(True)) - set(names.starts(False))
            left = names.o.reach(starts - every, [e for e in names.held if names.to(e) not in every
                                                  and names.to(e) in garbage])
            assert row["frees_objects"] == len(garbage - left)
            assert row["frees_bytes"] == size(garbage - left)


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs(plain=False), st.booleans(), st.booleans())
def test_components_groups_and_cuts_are_right(cycles, graph, has_question, garbage_only):
    for _ in check_cycles(cycles, graph, has_question, garbage_only):
        pass


def shortest(inner, to, starts):
    """Edges of a shortest cycle through one of `starts`."""
    best = None
    for start in starts:
        seen, edge, length = {start}, [start], 0
        while edge and (best is None or length < best):
            length += 1
            reached = {to(e) for e in inner if e[0] in edge}
            if start in reached:
                best = length
                break
            edge = list(reached - seen)
            seen |= reached
    return best


@settings(max_examples=EXAMPLES, deadline=None)
@given(tangles(), st.booleans())
def test_a_shortest_cycle_is_shown(cycles, graph, has_question):
    graph.members = {v for v, n in enumerate(graph.nodes) if n.type == "m.A" and not n.root}
    for names, row, _, inner, parts in check_cycles(cycles, graph, has_question, False):
        least = [shortest(edges, names.to, part & graph.members if has_question else part)
                 for part, edges in parts if len(part) == row["least_objects"]]
        assert len(row["path"]) in least and row["shortest"]
        assert row["path"][-1]["type"] == row["start"]
