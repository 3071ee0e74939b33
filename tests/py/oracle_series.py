# SPDX-License-Identifier: MIT
"""What grew over a series of graphs, said as plainly as Python can: whole paths, counted. Only for
graphs without folds, see oracle_why.py."""

from collections import Counter, defaultdict

import oracle_why as o

MULTIPLIES, MAX_PERIOD = 8, 4


def circle(path):
    """A hop that was made a few hops before leads back there."""
    place = ()
    for hop in path:
        last = range(len(place), max(len(place) - MAX_PERIOD, 0), -1)
        back = [i for i in last if place[i - 1] == hop]
        place = place[: back[0]] if back else (*place, hop)
    return place


def count(graph):
    """{place: [objects, bytes]} of one graph."""
    graph.members = set()
    oracle = o.Oracle(graph)
    found = defaultdict(lambda: [0, 0])
    for v, path in oracle.paths({r: () for r in oracle.roots}, oracle.held).items():
        if path and not graph.nodes[v].root:
            place = found[circle(path)]
            place[0] += 1
            place[1] += graph.nodes[v].size
    return found


class Rises:
    def __init__(self, graphs):
        self.counts = [count(graph) for graph in graphs]
        places = {p[:i] for c in self.counts for p in c for i in range(1, len(p) + 1)}
        self.grown = {p: self._risen(p, 0) for p in places}
        self.bytes = {p: self._risen(p, 1) if self.grown[p] else 0 for p in places}
        self.all = {p: sum(self.bytes[q] for q in places if q[: len(p)] == p) for p in places}
        self.above = {p: p[:-1] for p in places}
        late = set()
        for p in sorted(places, key=len):
            leader = self._leader(p[:-1])
            if any(p[:i] in late for i in range(1, len(p))):
                late.add(p)
            elif self._is_entry(p) and leader and leader[-1][0] != p[-1][0]:
                self.above[p] = leader
                late.add(p)
        self.row = {}
        for p in sorted(places, key=lambda p: (p in late, len(p))):
            self._put(p)

    def numbers(self, place, which=0):
        return [c[place][which] if place in c else 0 for c in self.counts]

    def _risen(self, place, which):
        numbers = self.numbers(place, which)
        return max(numbers[-1] - numbers[0], 0)

    def _is_entry(self, place):
        return self.grown[place] and place[-1][0] in (o.KEY, o.VALUE)

    def _leader(self, parent):
        entries = [p for p in self.grown if p[:-1] == parent and self._is_entry(p)]
        return min(entries, default=None, key=lambda p: (
            -self.grown[p], -self.all[p], p[-1][0] != o.VALUE, p[-1][2]))

    def _put(self, place):
        row = self.row.get(self.above[place])
        if not self.grown[place]:
            return
        if row is None or self.grown[place] // MULTIPLIES > self.grown[row]:
            row = place
        self.row[place] = row

    def rows(self):
        """Counter of (place, objects a moment, grown, least step, below, bytes below)."""
        below, below_bytes = Counter(), Counter()
        for place, row in self.row.items():
            if place != row:
                below[row] += self.grown[place]
                below_bytes[row] += self.bytes[place]
        found = Counter()
        for row in set(self.row.values()):
            numbers = self.numbers(row)
            each = min(max(b - a, 0) for a, b in zip(numbers, numbers[1:]))
            found[row, tuple(numbers), self.grown[row], each, below[row], below_bytes[row]] += 1
        return found
