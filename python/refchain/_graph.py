# SPDX-License-Identifier: MIT
"""Snapshots of the heap, and the questions they answer."""
from __future__ import annotations

import gc
import json
import os
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Literal,
    Optional,
    Sequence,
    Tuple,
    Union,
    overload,
)

from . import _core
from ._answer import Answer
from ._fds import Fds
from ._keepers import DominatorsOf, Keepers, WhatIf
from ._known import for_core
from ._paths import Cycles, Paths
from ._picture import Picture, only
from ._stacks import Stacks

if TYPE_CHECKING:
    from ._growth import Growth
    from ._suspects import Suspects

_OWN_FILES = (os.path.dirname(os.path.abspath(__file__)) + os.sep,)
_PATH = Union[str, "os.PathLike[str]"]
_BY = ("type", "module", "holder", "dominator")
_SORT = ("retained", "objects", "bytes")  # as in analyze/keepers/keepers.h


@dataclass(frozen=True)
class Reference:
    """A reference out of an object. kind as in docs/json.md; strength: strong, weak or guessed."""

    kind: str
    name: Optional[str]
    strength: str
    target: int


@dataclass(frozen=True)
class Node:
    """An object in a snapshot. In the process it was taken from, `address` is its id()."""

    address: int
    type: str
    size: int
    tracked: bool
    references: Tuple[Reference, ...]


@dataclass(frozen=True)
class TypeCount:
    """How many objects of a type there are, their shallow bytes, and with top(sort="retained") the
    bytes that would be freed with all of them."""

    type: str
    count: int
    bytes: int
    retained: Optional[int] = None


class Top(Sequence[TypeCount]):
    """The histogram: types by number of objects. Prints as ``refchain top`` does."""

    def __init__(self, rows: List[TypeCount], text: Callable[[], str]) -> None:
        self._rows = rows
        self._text = text

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: Any) -> Any:
        return self._rows[i]

    def __iter__(self) -> Iterator[TypeCount]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return self._text().rstrip("\n")


class Graph:
    """A snapshot: every object, every reference with its name, every root. Immutable."""

    def __init__(self, core: _core.Graph, source: str, max_memory: Optional[int] = None) -> None:
        self._core = core
        self._source = source
        if max_memory is not None:
            core.limit_memory(max_memory)

    def why(self, question: Union[str, int, Sequence[int]], *, max_holders: Optional[int] = None,
            raw: bool = False, all: bool = False, known: Optional[_PATH] = None) -> Answer:
        """Who keeps these objects alive?

        question: a type (short name, qualified name or glob), an address, or several addresses.
        max_holders: how many independent holders to look for, 1 to 64 (8).
        raw: show every hop, also those inside the interpreter's own structures.
        all: show every group of paths in the text.
        known: a list of known leaks (docs/known.md); what is in it is marked.
        Raises LookupError when nothing bears that name. One pass over the graph, no code of the
        program runs.
        """
        if max_holders is not None and not 1 <= max_holders <= 64:
            raise ValueError("max_holders must be 1 to 64, not %d" % max_holders)
        members: Union[str, Sequence[int]] = (
            [question] if isinstance(question, int) else question)
        text = None if isinstance(members, str) else self._text_of(members)
        pairs = self._core.why(members, text, self._source, max_holders or 0, raw, all,
                               known=for_core(known))
        answers = tuple(Answer(t, json.loads(j), _picture=p, _reports=r) for t, j, p, r in pairs)
        if len(answers) == 1:
            return answers[0]
        return Answer(answers[0]._text, answers[0].data, answers, answers[0]._picture)

    def paths(self, question: Union[str, int, Sequence[int]], k: int = 10, *,
              exclude: Sequence[str] = (), exclude_roots: Sequence[str] = (),
              all: bool = False) -> Paths:
        """All ways that hold an object, best first; of several objects the merged tree of their
        best paths, with counts.

        question: as of why(). k: of one object, so many paths that all read differently. all: also
        those that differ by keys and indices only, or lead through a module.
        exclude: references to leave out: a name ("_cache"), OWNER.NAME with a type or a module
        ("Node.parent"), or a kind ("item", "local", "weak", "frame", "observer", "registry").
        exclude_roots: roots to leave out, by name or kind. Both may be globs.
        """
        if k < 1:
            raise ValueError("k must be 1 or more, not %d" % k)
        references = (exclude,) if isinstance(exclude, str) else tuple(exclude)
        roots = (exclude_roots,) if isinstance(exclude_roots, str) else tuple(exclude_roots)
        members: Union[str, Sequence[int]] = (
            [question] if isinstance(question, int) else question)
        text = None if isinstance(members, str) else self._text_of(members)
        return Paths(self._core.paths(members, text, self._source, k, all, references,
                                      roots, 0))

    def cycles(self, question: Union[str, int, Sequence[int], None] = None, *,
               garbage: bool = False, limit: int = 20) -> Cycles:
        """Objects that keep each other alive, those that look alike together, with the references
        to cut.

        Without a question: garbage, which waits for the collector. question: as of why(): cycles
        that these objects are in, of living objects too, modules left out; garbage: only of those
        that wait for the collector. limit: at most so many groups.
        """
        members = [question] if isinstance(question, int) else question
        text = None if members is None or isinstance(members, str) else self._text_of(members)
        return Cycles(self._core.cycles(members, text, self._source, garbage, max(limit, 1)))

    def picture(self, question: Union[str, int, Sequence[int]], *, refs: bool = False,
                depth: int = 3, limit: int = 100, raw: bool = False) -> Picture:
        """What refers to these objects, or with `refs` what they refer to, as a picture.

        question: as of why(). depth: so many hops. limit: more objects than this (at most 200) are
        grouped by type and by how they are reached. raw: show every hop, also those inside the
        interpreter's own structures. Who holds them is why(...).picture().
        """
        if depth < 1 or limit < 1:
            raise ValueError("depth and limit must be 1 or more")
        members: Union[str, Sequence[int]] = (
            [question] if isinstance(question, int) else question)
        text = None if isinstance(members, str) else self._text_of(members)
        return only(self._core.around(members, text, self._source, refs, depth, min(limit, 200),
                                      raw))

    def _text_of(self, addresses: Sequence[int]) -> str:
        if len(addresses) != 1:
            return "%d objects" % len(addresses) if addresses else "no objects"
        name = self._core.type_of(addresses[0])
        if name is None:
            return "an object that is not in this snapshot"
        return "%s at 0x%x" % (name, addresses[0])

    @overload
    def top(self, limit: int = ..., *, by: Literal["type"] = ...,
            sort: Optional[str] = ...) -> Top: ...
    @overload
    def top(self, limit: int = ..., *, by: Literal["module", "holder", "dominator"],
            sort: Optional[str] = ...) -> Keepers: ...

    def top(self, limit: int = 20, *, by: str = "type",
            sort: Optional[str] = None) -> Union[Top, Keepers]:
        """Types by number of objects, with their shallow bytes; or who keeps the most.

        limit: rows of the text; by holder and dominator, rows in all. sort: "objects", "bytes" or
        "retained". By type "objects" if not given, and "retained" adds what the objects of a type
        retain: their own bytes and those of all that only they keep alive. Else "retained". by:
        "module", what would go with each module, and the rest of the heap; "holder", objects by the
        place they are at, a path without keys and indices; "dominator", the single objects that
        retain most.
        """
        if by not in _BY:
            raise ValueError("by must be one of %s, not %r" % (", ".join(_BY), by))
        if sort not in (None, *_SORT):
            raise ValueError("sort must be one of %s, not %r" % (", ".join(_SORT), sort))
        if by != "type":
            return Keepers(*self._core.keepers(_BY.index(by) - 1, _SORT.index(sort or "retained"),
                                               limit, self._source))
        if sort == "retained":
            rows = [TypeCount(*row) for row in self._core.histogram(True)]
            return Top(rows, lambda: self._core.top(limit, False, False, self._source, True))
        counts = self._core.counts()  # a fresh capture knows them before it is a graph
        if counts is None:
            rows = [TypeCount(*row) for row in self._core.histogram()]
        else:
            rows = [TypeCount(name, *both) for name, both in counts.items()]
        rows.sort(key=lambda row: (-row.bytes if sort == "bytes" else 0, -row.count, row.type))
        return Top(rows, lambda: self._core.top(limit, False, False, self._source, False,
                                                sort == "bytes"))

    def dominators(self, question: str) -> DominatorsOf:
        """What has the objects of a type in its hands: their immediate dominators, in groups, and
        the nearest object or root that is on all paths to all of them.

        question: a type (short name, qualified name or glob). Raises LookupError when nothing bears
        that name, ValueError when several types do.
        """
        pairs = self._core.dominators(question, self._source)
        if len(pairs) > 1:
            raise ValueError("%s names %d types: give one's full name" % (question, len(pairs)))
        return DominatorsOf(*pairs[0])

    def what_if(self, cuts: Union[str, Sequence[str]]) -> WhatIf:
        """What would become free if these references were cut, each alone and all together; exact.

        cuts: a reference as answers print it ("kombu.pools.connections", "app.cache.clear()",
        'app.cache["eu"].owner', "local conn in read()"), or several; "app.cache[*]" is all entries,
        a module's name the module as a whole, "0x7f41c0de" every reference to an object. Raises
        LookupError when one names nothing, ValueError when it names several; the message lists what
        may have been meant.
        """
        names = (cuts,) if isinstance(cuts, str) else tuple(cuts)
        return WhatIf(*self._core.what_if(names, self._source))

    def stacks(self, *, locals: bool = False, thread: Union[str, int, None] = None) -> Stacks:
        """Where every thread stood: function, file and line of its calls, most recent first.

        locals: with the local variables, their types and lengths. thread: only the one of this
        name or number.
        """
        only = None if thread is None else str(thread)
        text, data = (self._core.stacks(as_json, locals, only, self._source)
                      for as_json in (False, True))
        return Stacks(text, json.loads(data))

    def fds(self, *, why: bool = False, all: bool = False, limit: Optional[int] = None) -> Fds:
        """The open descriptors, and the objects that own them.

        Snapshots made with fds=True, by dump() or from outside have the system's list of them; of
        others only those are known that objects say they own. why: ask who holds the owners of each
        group of descriptors that are alike. all: a line each in the text. limit: at most so many
        lines, or with `why` groups; without it every group is asked about.
        """
        text, data = self._core.fds(why, all, limit or 0, self._source)
        return Fds(text, json.loads(data))

    def growth(self, since: "Graph", *, by: str = "holder", limit: int = 20) -> "Growth":
        """What came since an earlier snapshot of the same program, by address and type; as
        refchain.growth()."""
        from ._growth import compare  # which needs this module

        return compare(since, self, by=by, limit=limit)

    def suspects(self, baseline: Optional["Graph"] = None, *, limit: Optional[int] = None,
                 all: bool = False) -> "Suspects":
        """What looks like a leak, without a question; as refchain.suspects().

        baseline: an earlier snapshot of the same process.
        """
        from ._suspects import find  # which needs this module

        return find(self, baseline, limit, all)

    def count(self, pattern: str) -> int:
        """How many objects there are of the types `pattern` names."""
        return len(self._core.addresses(pattern))

    def by_type(self, pattern: str) -> List[int]:
        """Addresses of the objects of the types `pattern` names, ascending by kind and address."""
        return self._core.addresses(pattern)

    def node(self, address: int) -> Node:
        """The object at an address. Raises LookupError if there is none."""
        row = self._core.node(address)
        refs = tuple(Reference(*ref) for ref in row.pop("references"))
        return Node(references=refs, **row)

    def dump(self, path: _PATH) -> None:
        """Write the snapshot to a file, mode 0600, in one rename."""
        self._core.dump(path)

    @property
    def info(self) -> Dict[str, Any]:
        """Facts: numbers of objects, references and roots, Python version, pid, pause, warnings."""
        return self._core.info()

    def __repr__(self) -> str:
        info = self.info
        return "<refchain.Graph of %s: %d objects, %d references, %d roots>" % (
            self._source, info["objects"], info["references"], info["roots"])


def _capture(fds: bool = False, max_memory: Optional[int] = None) -> Graph:
    return Graph(_core.capture(_OWN_FILES, fds, max_memory or 0),
                 "this process (pid %d)" % os.getpid(), max_memory)


def snapshot(path: Optional[_PATH] = None, *, fds: bool = False,
             max_memory: Optional[int] = None) -> Graph:
    """Capture this process; with `path`, also write the snapshot there.

    fds: with the list of open descriptors for Graph.fds(), that is addresses and paths.
    max_memory: MemoryError as soon as it is clear that the graph, or later a question, needs more
    bytes than this; without it, more than is free.
    """
    graph = _capture(fds, max_memory)
    if path is not None:
        graph.dump(path)
    return graph


def dump(path: _PATH, *, fds: bool = True) -> None:
    """Capture this process into a snapshot file. fds=False leaves out the list of open descriptors,
    that is addresses of peers and paths of files."""
    _capture(fds).dump(path)


def load(path: _PATH, *, salvage: bool = False, cache: bool = True,
         max_memory: Optional[int] = None) -> Graph:
    """Open a snapshot file. It is mapped, not read.

    cache: keep what a question computes in a file beside it, PATH.idx, for the next process; the
    snapshot itself is never changed. Only for large ones, and only where that file can be written.
    The environment's REFCHAIN_CACHE=off has the last word.
    max_memory: questions that need more bytes than this raise MemoryError before they begin;
    without it those that need more than is free.

    A damaged file raises refchain.Error; with salvage=True it gives a graph of what can still be
    used, marked partial, with warnings that say what is missing.
    """
    wish = os.environ.get("REFCHAIN_CACHE", "")
    level = 0 if not cache or wish == "off" else 2 if wish == "all" else 1
    return Graph(_core.load(path, salvage, level),
                 "snapshot %s" % os.path.basename(os.fspath(path)), max_memory)


def load_core(path: _PATH, *, sysroot: Optional[_PATH] = None) -> Graph:
    """The graph of a core file (of the kernel or of gcore, plain, gzip or zstd).

    sysroot: where the programs and libraries of the machine it is from are.
    """
    where = () if sysroot is None else (sysroot,)
    return Graph(_core.load_core(path, *where), "core %s" % os.path.basename(os.fspath(path)))


def attach(pid: int) -> Graph:
    """The graph of another process, live or hung. Nothing runs in it; it stands still while its
    memory is copied (Graph.info["pause_ns"]) and goes on."""
    return Graph(_core.attach(pid), "process %d" % pid)


def why(question: Any, *, max_holders: Optional[int] = None, raw: bool = False,
        all: bool = False, known: Optional[_PATH] = None) -> Answer:
    """Why are these objects of this process still alive?

    question: a str names a type (short name, qualified name or glob); a list, tuple or set stands
    for the objects in it; anything else is the object itself. To ask about a str or a list itself,
    put it into a list. The caller's own references to them are told apart as the observer's.
    """
    if type(question) is str:
        return _capture().why(question, max_holders=max_holders, raw=raw, all=all, known=known)
    if type(question) in (list, tuple, set, frozenset):
        addresses = [id(member) for member in question]
    else:
        addresses = [id(question)]
    return _capture().why(addresses, max_holders=max_holders, raw=raw, all=all, known=known)


_type_name = type.__dict__["__name__"].__get__  # not what a metaclass says it is
_type_module = type.__dict__["__module__"].__get__


def by_type(name: str) -> List[Any]:
    """The live objects, tracked by the collector, whose type has this short or full name."""
    matches: Dict[int, bool] = {}
    found = []
    for obj in gc.get_objects():
        cls = type(obj)
        match = matches.get(id(cls))
        if match is None:
            short, module = _type_name(cls), _type_module(cls)
            match = matches[id(cls)] = name in (short, "%s.%s" % (module, short))
        if match:
            found.append(obj)
    return found
