# SPDX-License-Identifier: MIT
"""What `paths` and `cycles` must answer, said as plainly as Python can: every simple path one after
the other, every set of names to cut. Slow and obvious; only for small graphs."""
from collections import defaultdict
from itertools import combinations

import oracle_why as o

REPEATS = {o.ITEM, o.KEY, o.VALUE, o.ELEMENT, o.STACK}
ROOT_PENALTY = {o.INTERPRETER: 2, o.COROUTINE: 3, o.THREAD: 4, o.FRAME: 5, o.STATIC_TYPE: 6,
                o.C_HELD: 8}


class Names:
    """How references show, on top of what holds."""

    def __init__(self, graph, members=None):
        self.o = o.Oracle(graph)
        self.g, self.nodes, self.to = graph, graph.nodes, self.o.to
        self.held = list(self.o.held)
        self.removed = set(self.o.removed)

    def key_text(self, edge):
        v, i = edge
        key = self.nodes[v].refs[i - 1][0]
        return self.g.texts.get(key)

    def shown(self, edge):
        v, i = edge
        _, kind, name, flags, _ = self.nodes[v].refs[i]
        fold = None
        root = self.nodes[v].root
        if root and kind == o.OBJECT and not (flags & o.GROUP or root[2]):
            fold = "forward"
        elif root and kind == o.OBJECT and root[2]:
            fold = None
        elif flags & o.FORWARD:
            fold = "forward"
        elif flags & o.BACK:
            fold = "back"
        if fold == "forward" and root and kind == o.OBJECT and root[0] in (o.C_HELD, o.GARBAGE):
            fold = None
        if kind == o.VALUE and v in self.o.attr_dicts:
            kind, name = o.ATTRIBUTE, self.key_text(edge)
        return kind, name, fold

    def step(self, edge):
        v, i = edge
        _, kind, _, _, cls = self.nodes[v].refs[i]
        penalty = 4 if cls == o.GUESSED_CLASS or kind == o.REFERENCE else 0
        if any(r[4] == o.WEAK_CLASS for r in self.nodes[v].refs):
            penalty += 3
        if v in self.o.direct:
            penalty += 6
        return penalty, self.shown(edge)[2] is None

    def reading(self, root, edges, ends=True):
        """Root and hops; `ends`: what folds into nothing at the end is a hop after all."""
        hops = []
        for n, e in enumerate(edges):
            kind, name, fold = self.shown(e)
            if fold == "forward" and ends and n + 1 == len(edges) and kind != o.OBJECT:
                fold = None
            if fold == "back" and not hops:
                fold = None
            type_ = self.nodes[self.to(e)].type
            if fold is None:
                hops.append((kind, "" if kind in REPEATS else name or "", type_))
            elif fold == "back":
                hops[-1] = hops[-1][:2] + (type_,)
        return self.nodes[root].root[:2] + tuple(hops)

    def starts(self, garbage):
        return [v for v, n in enumerate(self.nodes)
                if n.root and v not in self.removed and (garbage or n.root[0] != o.GARBAGE)]

    def modules(self, alive=True):
        """Modules that are roots, and their dictionaries; `alive`: and that their root holds."""
        found, held = set(), set(self.held)
        for v, n in enumerate(self.nodes):
            if not n.root or n.root[0] != o.MODULE or not n.refs or n.refs[0][0] is None:
                continue
            module = n.refs[0][0]
            dicts = {r[0] for i, r in enumerate(self.nodes[module].refs)
                     if r[1] == o.DICT and r[0] is not None and (not alive or (module, i) in held)}
            if dicts and not (alive and (v in self.removed or (v, 0) not in held)):
                found |= dicts | {module}
        return found

    def simple_paths(self, target, through_modules):
        """[(penalty, hops, root, edges)] from live roots; from garbage if there are none."""
        closed = set() if through_modules else self.modules() - {target}
        back = defaultdict(list)
        for e in self.held:
            if e[0] in self.removed or self.to(e) in self.removed:
                continue
            v, to = e[0], self.to(e)
            if to in closed:
                root = self.nodes[v].root
                if root and root[0] != o.MODULE:
                    continue
                if not root and not (v in closed and self.nodes[v].refs[e[1]][1] == o.DICT):
                    continue
            back[to].append(e)
        for garbage in (False, True):
            starts, found = set(self.starts(garbage)), []
            todo = [(target, ())] if target not in self.removed else []
            while todo:
                v, edges = todo.pop()
                if v in starts:
                    steps = [self.step(e) for e in edges]
                    found.append((ROOT_PENALTY.get(self.nodes[v].root[0], 0)
                                  + sum(p for p, _ in steps), sum(h for _, h in steps), v, edges))
                seen = {target} | {e[0] for e in edges}
                todo += [(e[0], (e,) + edges) for e in back[v] if e[0] not in seen]
            if found:
                return found, garbage
        return [], False

    # --- exclusion ---

    def matches(self, edge, pattern):
        v, i = edge
        _, kind, name, _, cls = self.nodes[v].refs[i]
        if pattern in o.KIND_WORDS and pattern != "weak":
            return self.shown(edge)[0] == o.KIND_WORDS.index(pattern)
        if pattern == "weak":
            return any(r[4] == o.WEAK_CLASS for r in self.nodes[v].refs)
        if pattern == "guessed":
            return cls == o.GUESSED_CLASS
        if pattern == "observer":
            return v in self.o.direct
        owner, _, want = pattern.rpartition(".")
        if kind == o.VALUE:
            name = self.key_text(edge)
        if not name or name != want:
            return False
        is_mapping = self.nodes[v].layout == "d"
        return not owner or self._is(v, owner) or is_mapping and any(
            self._is(u, owner) for u, n in enumerate(self.nodes)
            if any(r[0] == v and r[1] == o.DICT for r in n.refs))

    def _is(self, v, owner):
        n = self.nodes[v]
        return n.root[1] == owner if n.root else n.type == owner

    def exclude(self, edges=(), roots=()):
        words = ["module", "frame", "thread", "coroutine", "interpreter", "static-type", "c-held",
                 "garbage"]
        self.held = [e for e in self.held if not any(self.matches(e, p) for p in edges)]
        for v, n in enumerate(self.nodes):
            if not n.root or not any(words[n.root[0]] == p or n.root[1] == p for p in roots):
                continue
            self.removed.add(v)
            if n.root[0] == o.MODULE and n.refs and n.refs[0][0] is not None:
                dicts = {r[0] for r in self.nodes[n.refs[0][0]].refs
                         if r[1] == o.DICT and r[0] is not None}
                self.removed |= dicts | ({n.refs[0][0]} if dicts else set())

    # --- cycles ---

    def owner(self, v):
        if v not in self.o.attr_dicts or self.nodes[v].layout != "d":
            return v
        return next(u for u, n in enumerate(self.nodes)
                    if any(r[0] == v and r[1] == o.DICT for r in n.refs))

    def name(self, edge):
        kind, name, _ = self.shown(edge)
        return (self.nodes[self.owner(edge[0])].type, kind, "" if kind in REPEATS else name or "",
                self.o.arc(edge) != "fixed")

    def look(self, edges):
        return frozenset(self.name(e)[:3] + (self.nodes[self.to(e)].type,) for e in edges
                         if self.shown(e)[2] is None)

    def garbage(self):
        live = self.o.reach(self.starts(False), self.held)
        every = self.o.reach(set(self.starts(True)) - set(self.starts(False)),
                             [e for e in self.held if self.to(e) not in live])
        return {v for v in every - live if not self.nodes[v].root}, live


def is_acyclic(edges):
    """edges: (from, to)"""
    edges = set(edges)
    while True:
        ends = {v for v, _ in edges} & {v for _, v in edges}
        left = {e for e in edges if e[0] in ends and e[1] in ends}
        if left == edges:
            return not edges
        edges = left


def fewest_names(edges, name, to):
    """How many names must go until nothing is in a cycle; None: it takes what cannot be cut."""
    names = sorted({name(e) for e in edges if name(e)[3]})
    for size in range(len(names) + 1):
        for cut in combinations(names, size):
            if is_acyclic((e[0], to(e)) for e in edges if name(e) not in cut):
                return size
    return None
