# SPDX-License-Identifier: MIT
"""What `why` must answer, said as plainly as Python can: subsets for minimum cuts, sets for
reachability, whole paths for path order. Slow and obvious; only for small graphs.

A graph here is a list of objects and a list of roots, in one numbering; every node has a layout and
references (to, kind, name, flags, cls), `to` None for a hole."""
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

REFERENCE, ATTRIBUTE, ITEM, KEY, VALUE, ELEMENT, LOCAL, CLOSURE, SLOT, FIELD, DICT, STACK, \
    TRACEBACK, WEAK, OBJECT = range(15)
FIXED, FORWARD, BACK, GROUP = 1, 2, 4, 8
STRONG_CLASS, WEAK_CLASS, GUESSED_CLASS = range(3)
MODULE, FRAME, THREAD, COROUTINE, INTERPRETER, STATIC_TYPE, C_HELD, GARBAGE = range(8)
ALL, DIRECT = range(2)
KIND_WORDS = ["reference", "attribute", "item", "key", "value", "element", "local", "closure",
              "slot", "field", "dict", "stack", "traceback", "weak", "object"]


@dataclass
class Node:
    refs: list = field(default_factory=list)
    layout: str = "f"
    size: int = 16
    type: str = "m.A"
    root: tuple = None  # (kind, name, flags)


@dataclass
class Graph:
    nodes: list  # objects, then roots
    members: set
    observers: list = field(default_factory=list)  # (node, scope)
    texts: dict = field(default_factory=dict)

    def text(self, addresses=None):
        """The lines graphlab.c reads; `addresses` orders the objects."""
        lines, objects = [], [v for v, n in enumerate(self.nodes) if not n.root]
        addresses = addresses or [8 * (v + 1) for v in objects]
        for v, n in enumerate(self.nodes):
            if n.root:
                lines.append("r %d %s %d %s" % (n.root[0], n.root[1], n.root[2], n.layout))
            else:
                lines.append("o %x %d %s %s" % (addresses[v], n.size, n.type, n.layout))
        for v, n in enumerate(self.nodes):
            for to, kind, name, flags, cls in n.refs:
                lines.append("e %d %d %d %s %d %d" % (v, -1 if to is None else to, kind,
                                                      name or "-", flags, cls))
        lines += ["t %d %s" % t for t in self.texts.items()]
        lines += ["x %d %d" % o for o in self.observers]
        lines += ["q %d" % q for q in sorted(self.members)]
        return "\n".join(lines) + "\n"


class Oracle:
    def __init__(self, graph):
        self.g, self.nodes = graph, graph.nodes
        self.removed = {v for v, scope in graph.observers if scope == ALL}
        self.direct = {v for v, scope in graph.observers if scope == DIRECT}
        self.attr_dicts = {to for n in self.nodes for to, kind, *_ in n.refs if kind == DICT}
        self.edges = [(v, i) for v, n in enumerate(self.nodes) for i, r in enumerate(n.refs)
                      if r[0] is not None and r[4] != WEAK_CLASS]
        self.direct |= self._temporaries()
        self.ignored = {e for e in self.edges if e[0] in self.direct and self._is_own(self.to(e))}
        self.held = [e for e in self.edges if e[0] not in self.removed and e not in self.ignored
                     and self.to(e) not in self.removed]
        self.roots = {v for v, n in enumerate(self.nodes)
                      if n.root and n.root[0] != GARBAGE and v not in self.removed}
        self.fixed = self.reach(self.roots, [e for e in self.held if self.arc(e) == "fixed"])
        self.sinks = graph.members - self.fixed - self.removed

    def to(self, edge):
        return self.nodes[edge[0]].refs[edge[1]][0]

    def _temporaries(self):
        """Built-in objects that nobody refers to but the questioner and other temporaries."""
        own = set(self.direct)
        while True:
            referred = {self.to(e) for e in self.edges if e[0] in own - self.removed}
            more = {v for v in referred - own - self.g.members
                    if self.nodes[v].type == "list" and not self.nodes[v].root
                    and not {e[0] for e in self.edges if self.to(e) == v} - self.removed - own}
            if not more:
                return own
            own |= more

    def _is_own(self, v):
        if v in self.g.members:
            return True
        n = self.nodes[v]
        return n.layout in "ld" and not n.root and any(r[0] in self.g.members for r in n.refs)

    def arc(self, edge):
        v, i = edge
        _, kind, _, flags, _ = self.nodes[v].refs[i]
        root = self.nodes[v].root
        if kind in (KEY, VALUE) and v in self.attr_dicts:
            return "unit" if kind == VALUE else "fixed"
        if flags & GROUP or root and (root[0] == C_HELD or root[2]):
            return "group"
        return "fixed" if flags & FIXED or kind == DICT or root and kind == OBJECT else "unit"

    def element(self, edge):
        """What is cut together with this reference; None: it cannot be."""
        arc = self.arc(edge)
        return None if arc == "fixed" else edge if arc == "unit" else edge[0]

    def reach(self, starts, edges, stop=frozenset()):
        seen, todo = set(starts), list(starts)
        out = {}
        for e in edges:
            out.setdefault(e[0], []).append(self.to(e))
        while todo:
            v = todo.pop()
            if v in stop:
                continue
            for to in out.get(v, ()):
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    def side(self, elements):
        """What reaches a sink, through no sink, when these are cut."""
        seen, grown = set(self.sinks), True
        edges = [e for e in self.held if self.element(e) is None or self.element(e) not in elements]
        while grown:
            more = {e[0] for e in edges if self.to(e) in seen} - seen
            grown = bool(more)
            seen |= more
        return seen

    def nearest_cut(self, most):
        """(elements, side) of the nearest minimum cut, or None: more than `most` are needed."""
        ahead = self.reach(self.roots, self.held, self.sinks) - self.sinks
        back = self.side(frozenset())
        relevant = {self.element(e) for e in self.held
                    if e[0] in ahead and self.to(e) in back} - {None}
        relevant = sorted(relevant, key=repr)
        for size in range(most + 1):
            cuts = [(frozenset(c), self.side(frozenset(c))) for c in combinations(relevant, size)]
            cuts = [(c, side) for c, side in cuts if not side & self.roots]
            if cuts:
                near = min(cuts, key=lambda cut: len(cut[1]))
                assert all(near[1] <= side for _, side in cuts), "no nearest cut"
                assert sum(side == near[1] for _, side in cuts) == 1
                return near
        return None

    def cut_edges(self, element, side):
        """The references that one act takes away: of a container, whole entries."""
        if isinstance(element, tuple):
            return {element}, 1
        n = self.nodes[element]
        width = {"l": 1, "d": 2}.get(n.layout, 1)
        leads = [e for e in self.held if self.element(e) == element and self.to(e) in side]
        entries = {e[1] // width for e in leads}
        return ({(element, i) for entry in entries
                 for i in range(entry * width, entry * width + width)}, len(entries))

    def freed(self, before, after):
        gone = [v for v in before - after if not self.nodes[v].root]
        return [len(self.g.members & set(gone)), len(gone), sum(self.nodes[v].size for v in gone)]

    def live(self, without=frozenset()):
        return self.reach(self.roots, [e for e in self.held if e not in without])

    def hop(self, edge):
        _, kind, name, _, _ = self.nodes[edge[0]].refs[edge[1]]
        return (kind, "" if kind in (ITEM, KEY, VALUE, ELEMENT) else name or "",
                self.nodes[self.to(edge)].type)

    def paths(self, starts, edges):
        """{node: least path}: fewest hops, then hop by hop. starts: {node: path}. A root's
        references to objects are no hop, unless they are a group. Nothing passes a sink."""
        best = dict(starts)
        grown = True
        while grown:
            grown = False
            for e in edges:
                if e[0] not in best or e[0] in self.sinks:
                    continue
                fold = (self.nodes[e[0]].root and self.arc(e) == "fixed"
                        and self.nodes[e[0]].refs[e[1]][1] == OBJECT)
                path = best[e[0]] + (() if fold else (self.hop(e),))
                old = best.get(self.to(e))
                if old is None or (len(path), path) < (len(old), old):
                    best[self.to(e)] = path
                    grown = True
        return best

    def answer(self, most):
        """What can be compared with the program's answer; holders as a Counter."""
        members, live = self.g.members, self.live()
        out = {"uncuttable": len(members & self.fixed)}
        held_edges = [e for e in self.edges if e not in self.ignored]
        observed = self.reach(live | self.removed | {self.to(e) for e in self.ignored} | self.direct,
                              held_edges)
        garbage = self.reach(observed | {v for v, n in enumerate(self.nodes)
                                         if n.root and n.root[0] == GARBAGE}, held_edges)
        out["observer"] = len(members & observed - live)
        out["garbage"] = len(members & garbage - observed)
        out["unexplained"] = len(members - garbage)
        near = self.nearest_cut(most)
        out["diffuse"] = near is None
        if near is None:
            return out
        elements, side = near
        cuts = {x: self.cut_edges(x, side) for x in elements}
        every = frozenset().union(*(edges for edges, _ in cuts.values())) if cuts else frozenset()
        base = self.live(every)
        out["all_cut"] = self.freed(live, base)
        out["holders"] = Counter()
        for x, (edges, refs) in cuts.items():
            others = frozenset().union(*(e for y, (e, _) in cuts.items() if y != x))
            holds = self.freed(self.live(others), base)[0]
            frees = self.freed(live, self.live(edges))
            first = [e for e in self.held if self.element(e) == x and self.to(e) in side]
            node = first[0][0]
            before = self.paths({r: () for r in self.roots},
                                [e for e in self.held if e[0] in base and self.to(e) in base
                                 and e not in every])[node]
            after = self.paths({node: before}, first)
            after.pop(node)
            inside = [e for e in self.held if e[0] in side and self.to(e) in side]
            after = self.paths(after, inside)
            groups = Counter(after[m] for m in self.sinks if m in after)
            out["holders"][(holds, frees[0], tuple(frees), refs, len(before),
                            frozenset(groups.items()))] += 1
        return out
