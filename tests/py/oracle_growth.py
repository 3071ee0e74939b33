# SPDX-License-Identifier: MIT
"""What `growth` must tell of two graphs, said as plainly as Python can: dicts of addresses for what
is new, whole paths for where it hangs. Only for graphs without folds, see oracle_why.py."""

from collections import Counter, defaultdict

import oracle_why as o

MULTIPLIES = 8


def objects(graph):
    return [v for v, n in enumerate(graph.nodes) if not n.root]


def made(before, old_addresses, now, addresses, later=None, is_uncollected=False):
    """Objects of `now` that are new: no object of that type was at their address, or order tells."""
    there = {old_addresses[v]: before.nodes[v].type for v in objects(before)}
    new = {v for v in objects(now) if there.get(addresses[v]) != now.nodes[v].type}
    if later is not None and is_uncollected:
        new |= {v for v in objects(now) if addresses[v] in later}
    return new


def types(before, now, new):
    """{type: (before, now, new, gone)} of those that changed."""
    had = Counter(before.nodes[v].type for v in objects(before))
    has = Counter(now.nodes[v].type for v in objects(now))
    came = Counter(now.nodes[v].type for v in new)
    rows = {t: (had[t], has[t], came[t], had[t] - (has[t] - came[t])) for t in had | has}
    return {t: row for t, row in rows.items() if row[2] or row[3]}


class Places:
    def __init__(self, graph, new):
        graph.members = set()
        self.oracle = o.Oracle(graph)
        self.g, self.new = graph, new
        self.paths = self.oracle.paths({r: () for r in self.oracle.roots}, self.oracle.held)
        self.groups = defaultdict(set)  # path: new objects; () is a root's own object, no hop
        for v in new & set(self.paths):
            self.groups[self.paths[v]].add(v)
        self.own = {p: len(g) for p, g in self.groups.items() if p}
        self.above = {p: self._above(p) for p in self.groups if p}
        self.place = {}
        late = {p for p in self.own if any(self._is_joined(p[:i]) for i in range(1, len(p) + 1))}
        for p in sorted(self.own, key=len):
            if p not in late:
                self._put(p)
        for p in sorted(late, key=len):
            self._put(p)

    def _values(self, parent):
        rows = [p for p in self.own if p[:-1] == parent and p[-1][0] == o.VALUE]
        return min(rows, key=lambda p: (-self.own[p], p), default=None)

    def _is_joined(self, path):
        """A class of new keys that goes with its values."""
        if path not in self.paths.values() or path[-1][0] != o.KEY:
            return False
        if any(self._is_joined(path[:i]) for i in range(1, len(path))):
            return False
        value = self._values(path[:-1])
        return value is not None and self.own[value] >= self.own.get(path, 0)

    def _above(self, path):
        return self._values(path[:-1]) if self._is_joined(path) else path[:-1]

    def _is_old(self, v):
        return v not in self.new or self.paths[v] == ()

    def _begins(self, path):
        for e in self.oracle.held:
            to = self.oracle.to(e)
            if (to in self.groups[path] and e[0] in self.paths and self._is_old(e[0])
                    and self.paths[e[0]] + (self.oracle.hop(e),) == path):
                return True
        return False

    def _put(self, path):
        above = self.place.get(self.above[path])
        if above is not None and (self._is_joined(path) or not self._begins(path)):
            if self.own[path] // MULTIPLIES <= self.own[above]:
                self.place[path] = above
                return
        self.place[path] = path

    def rows(self):
        """Counter of (path, objects, bytes, below, bytes below)."""
        size, below = Counter(), Counter()
        for p, place in self.place.items():
            num_bytes = sum(self.g.nodes[v].size for v in self.groups[p])
            size[p] = num_bytes
            if p != place:
                below[place] += self.own[p]
                size[place, "below"] += num_bytes
        return Counter((p, self.own[p], size[p], below[p], size[p, "below"])
                       for p, place in self.place.items() if p == place)

    def rest(self):
        """How many new objects the observer has, garbage has, nothing has; and at no place."""
        edges = self.oracle.edges
        live = set(self.paths)
        observed = self.oracle.reach(live | self.oracle.removed, edges)
        garbage = self.oracle.reach(observed | {v for v, n in enumerate(self.g.nodes)
                                                if n.root and n.root[0] == o.GARBAGE}, edges)
        return (len(self.new & observed - live), len(self.new & garbage - observed),
                len(self.new - garbage), len(self.groups.get((), ())))
