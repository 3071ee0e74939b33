# SPDX-License-Identifier: MIT
"""Where the threads of a snapshot stand, as Python values."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple


@dataclass(frozen=True)
class Local:
    """A local variable of a call. length: of a built-in container, as len(); else None. closure:
    it is a variable of an enclosing function."""

    name: str
    type: str
    address: int
    length: Optional[int] = None
    closure: bool = False


@dataclass(frozen=True)
class Frame:
    """A call that was running. line: being executed, None where that is not known."""

    function: str
    file: str
    line: Optional[int]
    locals: Tuple[Local, ...] = ()


@dataclass(frozen=True)
class Thread:
    """A thread and its calls, most recent first. id: the kernel's. waits_for: what it does in the
    kernel, known when the program was looked at from outside. asks: it made this snapshot."""

    name: str
    id: Optional[int]
    waits_for: Optional[str]
    has_gil: bool
    asks: bool
    frames: Tuple[Frame, ...]


def _frame(data: Dict[str, Any]) -> Frame:
    return Frame(data["function"], data["file"], data["line"], tuple(
        Local(v["name"], v["type"], int(v["address"], 16), v.get("length"), v.get("closure", False))
        for v in data.get("locals", ())))


def _thread(data: Dict[str, Any]) -> Thread:
    return Thread(data["name"], data["id"], data["waits_for"], data["has_gil"], data["asks"],
                  tuple(_frame(f) for f in data["frames"]))


class Stacks(Sequence[Thread]):
    """The threads, the main thread first. Prints as ``refchain stacks`` does."""

    def __init__(self, text: str, data: Dict[str, Any]) -> None:
        self._text = text
        self.data = data
        self._threads = tuple(_thread(t) for t in data["threads"])

    def __len__(self) -> int:
        return len(self._threads)

    def __getitem__(self, i: Any) -> Any:
        return self._threads[i]

    def __iter__(self) -> Iterator[Thread]:
        return iter(self._threads)

    def json(self, indent: Optional[int] = None) -> str:
        """The same as JSON, schema refchain.stacks/1 (docs/json.md)."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __repr__(self) -> str:
        return self._text.rstrip("\n")
