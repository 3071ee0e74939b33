# SPDX-License-Identifier: MIT
"""The open descriptors of a snapshot and the objects that own them, as Python values."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple


@dataclass(frozen=True)
class FdOwner:
    """An object that has the descriptor. of: type of the nearest object that has it, more telling
    than a bare socket; None where there is none."""

    address: int
    type: str
    of: Optional[str] = None


@dataclass(frozen=True)
class Fd:
    """An open descriptor. kind: "socket", "file", "pipe", "epoll" ... (docs/json.md); None when
    only an object says that it exists. owner: None when no Python object owns it."""

    fd: int
    kind: Optional[str]
    protocol: Optional[str]
    state: Optional[str]
    local: Optional[str]
    peer: Optional[str]
    owner: Optional[FdOwner]
    also: Tuple[FdOwner, ...] = ()


@dataclass(frozen=True)
class FdGroup:
    """Descriptors that are alike: of one kind, state and place, their owners of one type and had by
    objects of one type. data: the group as in the JSON, with "why" if that was asked."""

    fds: Tuple[int, ...]
    kind: Optional[str]
    protocol: Optional[str]
    state: Optional[str]
    place: Optional[str]
    owner: Optional[str]
    of: Optional[str]
    data: Dict[str, Any]


def _owner(data: Dict[str, Any]) -> FdOwner:
    return FdOwner(int(data["address"], 16), data["type"], data.get("of"))


def _fd(data: Dict[str, Any]) -> Fd:
    owner = data["owner"]
    return Fd(data["fd"], data["kind"], data["protocol"], data["state"], data["local"],
              data["peer"], None if owner is None else _owner(owner),
              tuple(_owner(o) for o in data["also"]))


def _group(data: Dict[str, Any]) -> FdGroup:
    return FdGroup(tuple(data["fds"]), data["kind"], data["protocol"], data["state"],
                   data["place"], data["owner"], data["of"], data)


class Fds(Sequence[Fd]):
    """Open descriptors by number. Prints as ``refchain fds`` does."""

    def __init__(self, text: str, data: Dict[str, Any]) -> None:
        self._text = text
        self.data = data
        self._rows = [_fd(row) for row in data["descriptors"]]

    @property
    def is_listed(self) -> bool:
        """The system's list is in the snapshot; if not, only what objects own is known."""
        return bool(self.data["listed"])

    @property
    def groups(self) -> List[FdGroup]:
        """Groups of descriptors that are alike, those with most first."""
        return [_group(group) for group in self.data["groups"]]

    def json(self, indent: Optional[int] = None) -> str:
        """As JSON, schema refchain.fds/1 (docs/json.md)."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: Any) -> Any:
        return self._rows[i]

    def __iter__(self) -> Iterator[Fd]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return self._text.rstrip("\n")
