# SPDX-License-Identifier: MIT
"""What came since the last time: new objects by the place they hang at, or by type."""
from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from . import _core
from ._answer import Hop, Root
from ._graph import Graph, _capture


@dataclass(frozen=True)
class Place:
    """New objects of one type whose paths from the root look alike. below: further new objects that
    hang at these; both bytes are shallow sizes."""

    type: str
    objects: int
    bytes: int
    below: int
    below_bytes: int
    fingerprint: str
    root: Root
    path: Tuple[Hop, ...]


@dataclass(frozen=True)
class TypeGrowth:
    """A type of which objects came or went: now - before = new - gone."""

    type: str
    before: int
    now: int
    new: int
    gone: int
    before_bytes: int
    now_bytes: int


def _place(data: Dict[str, Any]) -> Place:
    root = data["root"]
    return Place(
        data["type"], data["objects"], data["bytes"], data["below"], data["below_bytes"],
        data["fingerprint"], Root(root["kind"], root["name"], root["detail"] or ""),
        tuple(Hop(h["edge"], h["name"], h["type"], h["objects"], h["index"])
              for h in data["path"]))


class Growth:
    """What came and went between two moments. Prints as a table."""

    def __init__(self, text: str, data: str) -> None:
        self._text = text
        self._json = data  # parsed when asked: so that one result is not much of the next

    @property
    def data(self) -> Dict[str, Any]:
        """Everything, as in the JSON (schema refchain.growth/1, docs/json.md)."""
        return json.loads(self._json) if self._json else {"new": 0, "types": [], "places": []}

    @property
    def new(self) -> int:
        """How many objects are new."""
        return int(self.data["new"])

    @property
    def places(self) -> List[Place]:
        """Where new objects hang, most first. Empty when asked by="type"."""
        return [_place(row) for row in self.data["places"]]

    @property
    def types(self) -> List[TypeGrowth]:
        """Types of which objects came or went, those that grew most first."""
        return [TypeGrowth(*row.values()) for row in self.data["types"]]

    def json(self, indent: Optional[int] = None) -> str:
        """As JSON, schema refchain.growth/1 (docs/json.md)."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __repr__(self) -> str:
        return self._text.rstrip("\n")


def _is_by_type(by: str) -> bool:
    if by not in ("holder", "type"):
        raise ValueError('by must be "holder" or "type", not %r' % (by,))
    return by == "type"


class Watcher:
    """Remembers one moment after the other. Two baselines take turns, made once, so that they are
    not part of what came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = [_core.Baseline(), _core.Baseline()]
        self._has_begun = False

    def growth(self, by: str, limit: int) -> Optional[Growth]:
        """What came since the last call; None the first time. Remembers the new moment."""
        by_type = _is_by_type(by)
        with self._lock:
            last, now = self._turns
            now.mark()  # before the capture: what stands before it in the lists is in there
            graph = _capture()
            result = None
            if self._has_begun:
                result = Growth(*last.growth(graph._core, True, by_type, limit, graph._source))
            now.take(graph._core)
            self._turns.reverse()
            self._has_begun = True
            return result


_watcher: Optional[Watcher] = None
_FIRST = "refchain growth  this is the first call: from now on, what comes will be told"


def growth(*, by: str = "holder", limit: int = 20) -> Growth:
    """What came since the last call, without a garbage collection.

    by: "holder", new objects by the place they hang at, which is their path from a root without
    keys and indices; "type", how many of each type came and went. limit: rows. The first call only
    remembers: 8 bytes an object, and no object of the program. An object is the same as before if
    its address and type are; where the collector's lists still tell in which order objects came,
    one that took the place of a freed one is found to be new.
    """
    global _watcher
    if _watcher is None:
        _watcher = Watcher()
    found = _watcher.growth(by, limit)
    return Growth(_FIRST, "") if found is None else found


def show_growth(*, by: str = "holder", limit: int = 20) -> None:
    """Print growth(by=by, limit=limit)."""
    print(growth(by=by, limit=limit))


def compare(before: Graph, after: Graph, *, by: str = "holder", limit: int = 20) -> Growth:
    """What came and went between two graphs of one program, by address and type."""
    by_type = _is_by_type(by)
    base = _core.Baseline()
    base.take(before._core)
    return Growth(*base.growth(after._core, False, by_type, limit, after._source))
