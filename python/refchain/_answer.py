# SPDX-License-Identifier: MIT
"""The answer to "why are these objects alive?" as Python values."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from . import _core
from ._known import Known
from ._picture import Picture


@dataclass(frozen=True)
class Freed:
    """What one act frees: members of the question, all objects, and their bytes. Exact."""

    question: int
    objects: int
    bytes: int


@dataclass(frozen=True)
class Root:
    """Where a path starts. kind: module, frame, thread, coroutine, interpreter, static-type,
    c-held or garbage."""

    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class Hop:
    """One reference of a path and the objects it leads to."""

    edge: str
    name: Optional[str]
    type: str
    objects: int
    index: Optional[int] = None


@dataclass(frozen=True)
class Cut:
    """The reference to cut: hop number `hop` of the path. is_group: that hop stands for several
    entries of one container, `references` of them, which go together."""

    hop: int
    references: int
    is_group: bool


@dataclass(frozen=True)
class Holder:
    """One independent reference that keeps objects of the question alive."""

    fingerprint: str
    root: Root
    path: Tuple[Hop, ...]
    cut: Optional[Cut]
    holds: int
    holds_only: int
    frees_if_cut: Freed
    also: Tuple[str, ...] = ()
    advice: Optional[str] = None
    known: Optional[Known] = None


def _holder(data: Dict[str, Any]) -> Holder:
    root, cut, known = data["root"], data.get("cut"), data.get("known")
    return Holder(
        fingerprint=data["fingerprint"],
        root=Root(root["kind"], root["name"], root.get("detail") or ""),
        path=tuple(Hop(h["edge"], h.get("name"), h["type"], h["objects"], h.get("index"))
                   for h in data["path"]),
        cut=None if cut is None else Cut(cut, data["cut_references"], data["cut_is_group"]),
        holds=data["holds"],
        holds_only=data["holds_only"],
        frees_if_cut=_freed(data["frees_if_cut"]),
        also=tuple(data.get("also") or ()),
        advice=data.get("advice"),
        known=Known(known["reason"], known["until"]) if known else None,
    )


def _freed(data: Dict[str, Any]) -> Freed:
    return Freed(data["question"], data["objects"], data["bytes"])


@dataclass(frozen=True)
class Answer:
    """Who holds the objects of a question, and what cutting each holder frees.

    Printing it gives the text that ``refchain why`` prints. A short type name that several types
    share gives one answer whose `apart` holds an answer for each; its own figures are of the first.
    """

    _text: str = field(repr=False)
    data: Dict[str, Any] = field(repr=False)
    apart: Tuple["Answer", ...] = field(default=(), repr=False)
    _picture: Optional[_core.Picture] = field(default=None, repr=False, compare=False)
    _reports: Tuple[str, str] = field(default=("", ""), repr=False, compare=False)

    @property
    def question(self) -> str:
        """What was asked: the name of a type, a glob, or words for the objects."""
        question = self.data["question"]
        return str(question.get("glob") or question.get("text") or question["type"])

    @property
    def objects(self) -> int:
        """How many objects the question is about."""
        return int(self.data["objects"])

    @property
    def holders(self) -> List[Holder]:
        """All independent holders, most held first."""
        return [_holder(h) for h in self.data["holders"]]

    @property
    def new_holders(self) -> List[Holder]:
        """Those that are not in the list of known leaks that was given, or not any more. What waits
        for the collector is none."""
        return [h for h in self.holders
                if h.root.kind != "garbage" and (h.known is None or h.known.expired)]

    @property
    def all_cut(self) -> Freed:
        """What cutting all holders together frees."""
        return _freed(self.data["all_cut"])

    @property
    def is_partial(self) -> bool:
        """Part of the heap could not be read: holders may be missing, figures are lower bounds."""
        return bool(self.data["partial"])

    def json(self, indent: Optional[int] = None) -> str:
        """The answer as JSON, schema refchain.why/1 (docs/json.md)."""
        data: Any = self.data
        if self.apart:
            types = [{"type": a.question, "objects": a.objects} for a in self.apart]
            data = {"schema": "refchain.why/1", "ambiguous": types,
                    "answers": [a.data for a in self.apart]}
        return json.dumps(data, indent=indent, ensure_ascii=False)

    def markdown(self) -> str:
        """A table for a pull request, with the way to each new holder folded below it."""
        return "\n".join(a._reports[0] for a in self.apart or (self,))

    def sarif(self) -> str:
        """The answer as SARIF 2.1.0; known leaks are suppressed, with their reason."""
        if not self.apart:
            return self._reports[1]
        logs = [json.loads(a._reports[1]) for a in self.apart]
        logs[0]["runs"] = [run for log in logs for run in log["runs"]]
        return json.dumps(logs[0], indent=1, ensure_ascii=False)

    def picture(self) -> Picture:
        """The answer as a picture: every holder's path from its root, the reference to cut in red.

        For an answer about several types of one name: of the first; `apart` has them all.
        """
        if self._picture is None:
            raise ValueError("this answer is a copy without its picture: ask again")
        return Picture(self._picture, self._text.rstrip("\n"))

    def __str__(self) -> str:
        return "\n\n".join(a._text.rstrip("\n") for a in self.apart or (self,))

    def __repr__(self) -> str:  # what a prompt shows
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, Any]:
        import html  # only notebooks need it

        # no application/json: notebooks would show its tree instead of the page
        words = '<pre style="line-height:1.25">%s</pre>' % html.escape(str(self))
        if self._picture is None or self.apart:
            return {"text/plain": str(self), "text/html": words}
        svg = self._picture.svg()
        return {
            "text/plain": str(self),
            "text/html": '<div style="overflow:auto">%s</div>%s' % (svg, words),
            "image/svg+xml": svg,
        }

    def __getstate__(self) -> Dict[str, Any]:  # a picture is not pickled
        return dict(self.__dict__, _picture=None)
