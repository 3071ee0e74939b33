# SPDX-License-Identifier: MIT
"""The graphs of refchain.objgraph while they are drawn: what refers to an object, the DOT, and the
same as a Picture."""
from __future__ import annotations

import colorsys
import gc
import re
from typing import Any, Dict, List, NamedTuple, Optional, Set, TextIO, Tuple

from . import _core
from ._picture import Arrow, Box, Picture


def obj_node_id(obj: Any) -> str:
    return ("o%d" % id(obj)).replace("-", "_")


def gradient(start: Any, end: Any, depth: int, max_depth: int) -> Any:
    """The colour at a depth, as hue, saturation, value."""
    if max_depth == 0:
        return start
    part = float(depth) / max_depth
    return tuple(a * (1 - part) + b * part for a, b in zip(start, end))


class Referrers:
    """gc.get_referrers() for a picture: one pass over the heap for many objects. What it finds is
    held, so that what the user's functions free stays whole until the picture is done."""

    def __init__(self, max_depth: int, queue: List[Any], own_files: Tuple[str, ...],
                 is_strict: bool) -> None:
        self._max_depth = max_depth
        self._own_files = own_files
        self._is_strict = is_strict
        self._queue = queue
        self.held: List[List[Any]] = []
        self._rows: Dict[int, List[Any]] = {}
        self._num_held: Dict[int, int] = {}

    def num_held(self, obj: Any) -> int:
        """How many references to it are ours."""
        return self._num_held.get(id(obj), 0)

    def _hold(self, objects: List[Any]) -> List[Any]:
        for obj in objects:
            self._num_held[id(obj)] = self._num_held.get(id(obj), 0) + 1
        return objects

    def of(self, target: Any) -> List[Any]:
        if id(target) not in self._rows:
            self._look(target)
        return self._rows[id(target)]

    def _look(self, target: Any) -> None:
        place = 0
        while self._queue[place] is not target:
            place += 1
        starts = tuple(self._queue[place:])
        own = [self._queue, self._rows, self.held, *self.held, *self._rows.values(), vars(self)]
        found = _core.referrers(starts, tuple(map(id, own)), self._own_files,
                                max(self._max_depth, 1), 100 * len(starts) + 20000,
                                self._is_strict)
        if found is None:
            self._rows[id(target)] = self._hold(gc.get_referrers(target))
            return
        objects, _, rows, num_expanded, _ = found
        self.held.append(self._hold(objects))
        at = 0
        for obj in objects[:num_expanded]:
            row = rows[at + 1:at + 1 + rows[at]]
            at += 1 + rows[at]
            if id(obj) not in self._rows:
                self._rows[id(obj)] = self._hold(
                    [objects[i] for i in row if objects[i] is not None])


class _Node(NamedTuple):
    name: str
    label: str
    is_start: bool
    is_stub: bool
    color: Optional[str]


_Edge = Tuple[str, str, str]  # from id, to id, label


_LABEL = re.compile(r'label="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


def _unquote(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def display(dot_text: str, nodes: List[_Node], edges: List[_Edge]) -> Any:
    """What show_* return: it shows itself in a notebook. Here pictures are joined."""
    places = {node.name: place for place, node in enumerate(nodes)}
    boxes = [Box(_unquote(node.label), kind="stub" if node.is_stub else "object",
                 asked=node.is_start, color=node.color) for node in nodes]
    arrows = []
    for source, target, words in edges:
        label = _LABEL.search(words)
        arrows.append(Arrow(places[source], places[target], _unquote(label[1]) if label else ""))
    return Picture.of(boxes, arrows, dot=dot_text)


def _rgb(hue: float, saturation: float, value: float) -> str:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return "#%02x%02x%02x" % (round(red * 255), round(green * 255), round(blue * 255))


class Drawing:
    """The DOT of a graph while it is written, and its nodes and edges for other ways to draw it."""

    def __init__(self, out: TextIO, is_forward: bool, max_depth: int) -> None:
        self._out = out
        self.is_forward = is_forward
        self._max_depth = max_depth
        self.text: List[str] = []
        self.nodes: List[_Node] = []
        self.edges: List[_Edge] = []
        self.starts: Set[str] = set()
        self.write("digraph ObjectGraph {\n"
                   "  node[shape=box, style=filled, fillcolor=white];\n")

    def write(self, text: str) -> None:
        self._out.write(text)
        self.text.append(text)

    def start(self, obj: Any) -> None:
        node = obj_node_id(obj)
        self.starts.add(node)
        self.write("  %s[fontcolor=red];\n" % node)

    def node(self, obj: Any, label: str, attrs: str, depth: int, is_high: bool,
             is_module: bool) -> None:
        node = obj_node_id(obj)
        self.write('  %s[label="%s"%s];\n' % (node, label, attrs))
        hue, saturation, value = gradient((0, 0, 1), (0, 0, .3), depth, self._max_depth)
        if is_module:
            hue, saturation = .3, 1
        if is_high:
            hue, saturation, value = .6, .6, 0.5 + value * 0.5
        color = _rgb(hue, saturation, value) if is_high or is_module else None
        self.nodes.append(_Node(node, label, node in self.starts, False, color))
        self.write('  %s[fillcolor="%g,%g,%g"];\n' % (node, hue, saturation, value))
        if value < 0.5:
            self.write("  %s[fontcolor=white];\n" % node)

    def finalizer(self, obj: Any) -> None:
        node = obj_node_id(obj)
        self.write("  %s->%s_has_a_del[color=red,style=dotted,len=0.25,weight=10];\n"
                   "  %s_has_a_del[label=\"__del__\",shape=doublecircle,height=0.25,color=red,"
                   "fillcolor=\"0,.5,1\",fontsize=6];\n" % (node, node, node))

    def edge(self, source: Any, target: Any, label: str) -> None:
        ends = obj_node_id(source), obj_node_id(target)
        self.edges.append((*ends, label))
        self.write("  %s -> %s%s;\n" % (*ends, label))

    def too_many(self, obj: Any, num: int, depth: int) -> None:
        node = obj_node_id(obj)
        ends = (node, "too_many_" + node) if self.is_forward else ("too_many_" + node, node)
        label = "%d more %s" % (num, "references" if self.is_forward else "backreferences")
        self.nodes.append(_Node("too_many_" + node, label, False, True, None))
        self.edges.append((*ends, ""))
        color = gradient((0, 1, 1), (0, 1, .3), depth + 1, self._max_depth)
        self.write("  %s->%s[color=red,style=dotted,len=0.25,weight=10];\n" % ends)
        self.write('  too_many_%s[label="%s",shape=box,height=0.25,color=red,'
                   'fillcolor="%g,%g,%g",fontsize=6];\n' % (node, label, *color))
        self.write("  too_many_%s[fontcolor=white];\n" % node)
