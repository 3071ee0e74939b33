# SPDX-License-Identifier: MIT
"""All ways that hold an object, and objects that keep each other alive."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from ._answer import Hop, Root


@dataclass(frozen=True)
class Path:
    """One way from a root. penalty: what makes it explain less (a running frame, C, an import ...);
    the best have 0."""

    fingerprint: str
    root: Root
    path: Tuple[Hop, ...]
    penalty: int


@dataclass(frozen=True)
class Branch:
    """A hop of the merged tree, or a root. parent: its index in the tree. members: objects of the
    question that hang here or below; ends: those that are this hop's object."""

    parent: Optional[int]
    root: Optional[Root]
    hop: Optional[Hop]
    members: int
    ends: int


@dataclass(frozen=True)
class Excluded:
    """A pattern that was left out: how many references or roots it matched, and how many of the
    best paths it was on."""

    pattern: str
    of: str
    matched: int
    dropped: int


@dataclass(frozen=True)
class CycleType:
    """How many objects of a type are in cycles of one look. has_del: they have a __del__."""

    type: str
    objects: int
    bytes: int
    has_del: bool


@dataclass(frozen=True)
class CycleCut:
    """References of one name: without them, and those of the other cuts, nothing is in a cycle.
    path: the reference, or the one to a container and those out of it."""

    owner: str
    path: Tuple[Hop, ...]
    references: int


@dataclass(frozen=True)
class CycleGroup:
    """Components that look alike. path: a shortest cycle, from an object of type `start` back to
    it. minimum: no fewer names will do as cuts; cuttable: some will. frees_*: of garbage, what goes
    with them."""

    garbage: bool
    components: int
    objects: int
    bytes: int
    frees_objects: int
    frees_bytes: int
    start: str
    path: Tuple[Hop, ...]
    cuts: Tuple[CycleCut, ...]
    minimum: bool
    cuttable: bool
    types: Tuple[CycleType, ...]
    has_del: bool
    example: int


def _root(data: Dict[str, Any]) -> Root:
    return Root(data["kind"], data["name"], data["detail"] or "")


def _hop(data: Dict[str, Any]) -> Hop:
    return Hop(data["edge"], data["name"], data["type"], data.get("objects", 1), data.get("index"))


class _Told:
    """An answer: text and JSON. readings: one for each type, where the question named several."""

    def __init__(self, pairs: List[Tuple[str, str]]) -> None:
        self._text, data = pairs[0]
        #: Everything, as in the JSON (docs/json.md).
        self.data: Dict[str, Any] = json.loads(data)
        self.readings: Tuple[Any, ...] = ((self,) if len(pairs) == 1 else
                                          tuple(type(self)([pair]) for pair in pairs))

    def json(self, indent: Optional[int] = None) -> str:
        """As JSON, see docs/json.md."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __repr__(self) -> str:
        return "\n\n".join(reading._text.rstrip("\n") for reading in self.readings)


class Paths(_Told):
    """All ways that hold an object, best first; of several objects the tree of their best paths."""

    @property
    def paths(self) -> List[Path]:
        """Of one object: its best paths, each of which reads differently."""
        return [Path(row["fingerprint"], _root(row["root"]), tuple(map(_hop, row["path"])),
                     row["penalty"]) for row in self.data["paths"]]

    @property
    def tree(self) -> List[Branch]:
        """Of several objects: the tree of their best paths, each branch after its parent."""
        return [Branch(row["parent"], _root(row["root"]) if "root" in row else None,
                       None if "root" in row else _hop(row), row["members"], row["ends"])
                for row in self.data["tree"]]

    @property
    def excluded(self) -> List[Excluded]:
        """What each pattern took away."""
        return [Excluded(**row) for row in self.data["excluded"]]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.data["paths"])

    def __bool__(self) -> bool:
        return bool(self.data["paths"] or self.data["tree"])


class Cycles(_Told):
    """Objects that keep each other alive, in groups that look alike."""

    @property
    def groups(self) -> List[CycleGroup]:
        """Garbage first, then the most bytes."""
        return [CycleGroup(
            row["garbage"], row["components"], row["objects"], row["bytes"], row["frees_objects"],
            row["frees_bytes"], row["start"], tuple(map(_hop, row["path"])),
            tuple(CycleCut(cut["owner"], tuple(map(_hop, cut["path"])), cut["references"])
                  for cut in row["cuts"]),
            row["minimum"], row["cuttable"], tuple(CycleType(**kind) for kind in row["types"]),
            row["has_del"], int(row["example"], 16)) for row in self.data["groups"]]

    def __iter__(self) -> Iterator[CycleGroup]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.data["groups"])
