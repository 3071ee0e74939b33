# SPDX-License-Identifier: MIT
"""Who keeps the most, the dominators of a type, and what cuts would free, as Python values."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar

from ._answer import Hop, Root

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Below:
    """Objects of one type that an object dominates directly, and what they retain. name: if there
    is only one and the object refers to it itself, by which attribute or key."""

    type: str
    count: int
    retained_objects: int
    retained: int
    name: Optional[str] = None


@dataclass(frozen=True)
class Keeper:
    """A row of top(by="holder") or "dominator": objects of one type at one place, what they are and
    what would go with them. address: of a single object. Of top(by="module"): root is the module;
    objects and bytes are 0, type is "module"; for other parts of the heap root is None and type a
    word in brackets."""

    type: str
    objects: int
    bytes: int
    retained_objects: int
    retained: int
    root: Optional[Root]
    path: Tuple[Hop, ...] = ()
    fingerprint: Optional[str] = None
    address: Optional[int] = None
    below: Tuple[Below, ...] = ()


@dataclass(frozen=True)
class Dominators:
    """Immediate dominators of one type (root: they are one root; both None: several roots, or only
    the asker, hold `objects`). count: how many; objects: of the question, that these dominate;
    retained: with those. root and path lead to the one that keeps most."""

    type: Optional[str]
    count: int
    objects: int
    retained_objects: int
    retained: int
    root: Optional[Root]
    path: Tuple[Hop, ...] = ()


@dataclass(frozen=True)
class CutResult:
    """What one cut alone would free. references: how many it takes away. stays: how many objects of
    the type stay_type next to it something else keeps, at kept_by. cuttable: False if a program
    cannot take the reference out by itself (a tuple's item)."""

    cut: str
    references: int
    cuttable: bool
    objects: int
    bytes: int
    stays: int = 0
    stay_type: Optional[str] = None
    kept_by: Optional[Root] = None
    kept_path: Tuple[Hop, ...] = ()


def _root(data: Optional[Dict[str, Any]]) -> Optional[Root]:
    return None if data is None else Root(data["kind"], data["name"] or "", data["detail"] or "")


def _path(data: List[Dict[str, Any]]) -> Tuple[Hop, ...]:
    return tuple(Hop(h["edge"], h["name"], h["type"], h["objects"], h["index"]) for h in data)


def _keeper(row: Dict[str, Any]) -> Keeper:
    if "kind" in row:
        name = row.get("module")
        return Keeper("module" if name is not None else "(%s)" % row["kind"], 0, 0,
                      row["retained_objects"], row["retained"],
                      None if name is None else Root("module", name))
    return Keeper(
        row["type"], row["objects"], row["bytes"], row["retained_objects"], row["retained"],
        _root(row["root"]), _path(row["path"]), row["fingerprint"],
        int(row["address"], 16) if "address" in row else None,
        tuple(Below(b["type"], b["count"], b["retained_objects"], b["retained"], b.get("name"))
              for b in row.get("below", ())))


class _Result:
    """Prints as the program does; data is the JSON (docs/json.md)."""

    def __init__(self, text: str, data: str) -> None:
        self._text = text
        self._json = data

    @property
    def data(self) -> Dict[str, Any]:
        """Everything, as in the JSON (docs/json.md)."""
        loaded: Dict[str, Any] = json.loads(self._json)
        return loaded

    def __repr__(self) -> str:
        return self._text.rstrip("\n")


class _Rows(_Result, Sequence[_Row]):
    _rows: List[_Row]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: Any) -> Any:
        return self._rows[i]

    def __iter__(self) -> Iterator[_Row]:
        return iter(self._rows)


class Keepers(_Rows[Keeper]):
    """Rows of top(by=...), the most first."""

    def __init__(self, text: str, data: str) -> None:
        super().__init__(text, data)
        self._rows = [_keeper(row) for row in self.data["rows"]]


class DominatorsOf(_Rows[Dominators]):
    """The immediate dominators of all objects of a type, in groups, most objects first."""

    def __init__(self, text: str, data: str) -> None:
        super().__init__(text, data)
        loaded = self.data
        self.question: str = loaded["question"]
        self.objects: int = loaded["objects"]
        self.retained: int = loaded["retained"]
        common = loaded["common"]
        #: The nearest object or root that is on all paths to all of them; None: there is none.
        self.common: Optional[Root] = _root(common["root"]) if common else None
        self.common_path: Tuple[Hop, ...] = _path(common["path"]) if common else ()
        self._rows = [
            Dominators(row["type"], row["dominators"], row["objects"], row["retained_objects"],
                       row["retained"], _root(row["root"]), _path(row["path"]))
            for row in loaded["dominators"]]


def _cut(row: Dict[str, Any]) -> CutResult:
    stays = row["stays"] or {}
    return CutResult(
        row["cut"], row["references"], row["cuttable"], row["frees"]["objects"],
        row["frees"]["bytes"], stays.get("objects", 0), stays.get("type"),
        _root(stays.get("root")), _path(stays.get("path", [])))


class WhatIf(_Result):
    """What would become free: `objects` and `bytes` by all cuts together, `cuts` each alone,
    `types` {name: (objects, bytes)} of all, most bytes first."""

    def __init__(self, text: str, data: str) -> None:
        super().__init__(text, data)
        loaded = self.data
        self.objects: int = loaded["frees"]["objects"]
        self.bytes: int = loaded["frees"]["bytes"]
        self.cuts: Tuple[CutResult, ...] = tuple(_cut(row) for row in loaded["cuts"])
        self.types: Dict[str, Tuple[int, int]] = {
            row["type"]: (row["objects"], row["bytes"]) for row in loaded["types"]}
