# SPDX-License-Identifier: MIT
"""The likely leaks of a heap, found without a question, as Python values."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from . import _core
from ._answer import Answer, Holder
from ._graph import Graph, _capture


@dataclass(frozen=True)
class Reason:
    """Why a suspect is one. evidence: a word, docs/json.md has them all; score: tenths of bits, ten
    for "twice as often with a leak as without", below 0 against it."""

    evidence: str
    sentence: str
    score: int


@dataclass(frozen=True)
class Keeps:
    """What only the objects of a suspect keep alive, themselves included; exact."""

    objects: int
    bytes: int
    sockets: int
    files: int
    other_fds: int


@dataclass(frozen=True)
class Suspect:
    """Objects that look like a leak. is_likely: there is more against them than their number.
    types_with: further types that the same holders keep, and how many objects of each."""

    type: str
    objects: int
    is_likely: bool
    score: int
    fingerprint: Optional[str]
    keeps: Keeps
    reasons: Tuple[Reason, ...]
    types_with: Tuple[Tuple[str, int], ...]
    advice: Optional[str]
    data: Dict[str, Any] = field(repr=False)

    @property
    def holders(self) -> List[Holder]:
        """Who keeps them: every independent holder with its path and the reference to cut."""
        return Answer("", self.data["why"]).holders


def _suspect(data: Dict[str, Any]) -> Suspect:
    return Suspect(
        data["type"], data["objects"], data["level"] == "likely", data["score"],
        data["fingerprint"], Keeps(**data["keeps"]),
        tuple(Reason(**reason) for reason in data["reasons"]),
        tuple((row["type"], row["objects"]) for row in data["with"]), data["advice"], data)


class Suspects(Sequence[Suspect]):
    """Suspects, those that are most likely leaks first. Prints as ``refchain suspects`` does."""

    def __init__(self, text: str, data: Dict[str, Any]) -> None:
        self._text = text
        self.data = data
        self._rows = [_suspect(row) for row in data["suspects"]]

    @property
    def likely(self) -> List[Suspect]:
        """Those that are called likely."""
        return [row for row in self._rows if row.is_likely]

    @property
    def is_partial(self) -> bool:
        """Part of the heap could not be read: suspects may be missing."""
        return bool(self.data["partial"])

    def json(self, indent: Optional[int] = None) -> str:
        """As JSON, schema refchain.suspects/1 (docs/json.md)."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: Any) -> Any:
        return self._rows[i]

    def __iter__(self) -> Iterator[Suspect]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return self._text.rstrip("\n")


def find(graph: Graph, baseline: Optional[Graph], limit: Optional[int], all: bool) -> Suspects:
    """Suspects of a graph; see Graph.suspects()."""
    if limit is not None and limit < 1:
        raise ValueError("limit must be 1 or more, not %d" % limit)
    earlier = None if baseline is None else baseline._core
    text, data = _core.suspects(graph._core, earlier, limit or 0, all, graph._source)
    return Suspects(text, json.loads(data))


def suspects(baseline: Optional[Graph] = None, *, limit: Optional[int] = None,
             all: bool = False) -> Suspects:
    """What looks like a leak in this process, most suspicious first, without a question.

    baseline: an earlier refchain.snapshot() of it: what has grown since is more suspicious. limit:
    at most so many (the text shows 3, the list 10). all: every shape of path in the text.
    """
    return find(_capture(fds=True), baseline, limit, all)
