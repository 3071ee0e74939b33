# SPDX-License-Identifier: MIT
"""What grew over several moments: over snapshots, or over repeats of a scenario."""
from __future__ import annotations

import functools
import gc
import json
import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union, overload

from . import _core
from ._answer import Hop, Root
from ._graph import Graph, _capture, load

_SOURCE = Union[Graph, str, "os.PathLike[str]"]
_SCENARIO = Callable[[], Any]


@dataclass(frozen=True)
class Rise:
    """A place, or a type, of which there are more objects than at first.

    objects: how many there were, one number a moment. grown: from the first to the last. steady: it
    grew in every step, by `each` at least; even: by the same each time. companions: objects that
    came with these, at no row of their own, by type; below: all of them. resource: type of those
    that have sockets or files open, or None. Types have no fingerprint, root and path.
    """

    type: str
    grown: int
    grown_bytes: int
    steady: bool
    each: int
    even: bool
    objects: Tuple[int, ...]
    bytes: Tuple[int, ...]
    below: int = 0
    below_bytes: int = 0
    companions: Tuple[Tuple[str, int], ...] = ()
    resource: Optional[str] = None
    fingerprint: Optional[str] = None
    root: Optional[Root] = None
    path: Tuple[Hop, ...] = ()


def _rise(data: Dict[str, Any]) -> Rise:
    plain: Dict[str, Any] = {name: data[name] for name in (
        "type", "grown", "grown_bytes", "steady", "each", "even")}
    plain["objects"], plain["bytes"] = tuple(data["objects"]), tuple(data["bytes"])
    if "root" not in data:
        return Rise(**plain)
    root = data["root"]
    return Rise(
        **plain, below=data["below"], below_bytes=data["below_bytes"],
        companions=tuple((row["type"], row["objects"]) for row in data["with"]),
        resource=data["resource"], fingerprint=data["fingerprint"],
        root=Root(root["kind"], root["name"], root["detail"] or ""),
        path=tuple(Hop(h["edge"], h["name"], h["type"], h["objects"], h["index"])
                   for h in data["path"]))


class Rises:
    """What grew. Prints as a table; true if anything grew."""

    def __init__(self, text: str, data: str) -> None:
        self._text = text
        self._json = data

    @property
    def data(self) -> Dict[str, Any]:
        """Everything, as in the JSON (schema refchain.diff/1, docs/json.md)."""
        found: Dict[str, Any] = json.loads(self._json)
        return found

    @property
    def rows(self) -> List[Rise]:
        """What grew in every step first, then what grew most."""
        return [_rise(row) for row in self.data["rows"]]

    def json(self, indent: Optional[int] = None) -> str:
        """As JSON, schema refchain.diff/1 (docs/json.md)."""
        return json.dumps(self.data, indent=indent, ensure_ascii=False)

    def __len__(self) -> int:
        return len(self.data["rows"])

    def __iter__(self) -> Iterator[Rise]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return self._text.rstrip("\n")


def _thresholds(min_growth: Union[None, int, str]) -> Tuple[int, int]:
    """(objects, percent) of 3, "3" or "10%"."""
    if min_growth is None:
        return 0, 0
    text = str(min_growth)
    number = text[:-1] if text.endswith("%") else text
    if not number.isdigit() or int(number) < 1:
        raise ValueError('min_growth must be a number like 3 or a share like "10%%", not %r'
                         % (min_growth,))
    return (0, int(number)) if text.endswith("%") else (int(number), 0)


def diff(earlier: _SOURCE, later: _SOURCE, *more: _SOURCE, by: str = "holder",
         type: Optional[str] = None, min_growth: Union[None, int, str] = None,
         limit: int = 20) -> Rises:
    """What grew over two or more graphs, oldest first: snapshots, or paths of snapshot files.

    by: "holder", a row a place, which is a path from a root without keys and indices; "type"; or
    "identity", with how many came, went and survived, by address and type. type: only objects of
    these types (name or glob). min_growth: 3, what grew by three objects at least, or "10%".
    Without it a place with one object more is noise, unless it grew in every step of two or more.
    """
    objects, percent = _thresholds(min_growth)
    series = _core.Series(by, type, True)
    source = ""
    for one in (earlier, later, *more):
        graph = one if isinstance(one, Graph) else load(one)
        source = graph._source
        series.add(graph._core, source)
    return Rises(*series.rises(objects, percent, False, limit, "diff", source))


def _run(test: Callable[..., Any], args: Tuple[Any, ...] = (),
         kwargs: Optional[Dict[str, Any]] = None) -> None:
    import asyncio  # not before: `import refchain` stays small

    result = test(*args, **(kwargs or {}))
    if asyncio.iscoroutine(result):
        asyncio.run(result)


# Caches of CPython that hold so much and no more, or that no program can empty, by where they are.
_KNOWN_PLACES = {
    ("interpreter", "interned strings"): "CPython 3.12 keeps interned names until it exits",
    ("re", "_cache"): "at most 512 patterns",
    ("re", "_cache2"): "at most 256 patterns",
    ("xml.etree.ElementPath", "_cache"): "at most 100 paths",
    ("_strptime", "_regex_cache"): "at most 6 formats",
    ("urllib.parse", "_parse_cache"): "at most 20 addresses",
}
_MAX_LIMIT = 1 << 16  # entries: a cache with more room does not stop to grow in a test
_LRU = "functools._lru_cache_wrapper"


def _is_known(row: Dict[str, Any]) -> bool:
    """Does it hang in a cache that is known, or in one that has a limit and will stop to grow?"""
    path = row["path"]
    if path and (row["root"]["name"], path[0]["name"]) in _KNOWN_PLACES:
        return True
    for hop, address in zip(path[:-1], row["addresses"]):
        if hop["type"] == _LRU and address is not None:
            for found in _core.tracked_at((int(address, 16),)):
                if type(found) is _lru_type:
                    cache: Any = found
                    limit = cache.cache_info().maxsize
                    if limit is not None and limit <= _MAX_LIMIT:
                        return True
    return False


_lru_type: type = type(functools.lru_cache(lambda: None))


def _settle() -> None:
    """Free what only cycles keep; finalizers may make more of it."""
    for _ in range(3):
        if not gc.collect():
            break


def growth_loop(scenario: _SCENARIO, *, loops: int = 5, warmup: int = 2,
                type: Optional[str] = None, ignore: Iterable[str] = (), limit: int = 20) -> Rises:
    """Run a scenario again and again; what grows every time?

    The first `warmup` runs fill caches and are not looked at. Then the heap is looked at after each
    of `loops` runs, each time after a garbage collection. Listed is what had more objects after
    every single run: one object a run is enough. What is replaced by as much is not listed, nor a
    cache that has filled up or has a limit: functools.lru_cache(maxsize=128), re's patterns. A
    coroutine function is run by asyncio.run(). type: only objects of these types (name or glob).
    ignore: fingerprints that are known.

        assert not refchain.growth_loop(lambda: client.get("/"))
    """
    if not 2 <= loops <= 255:
        raise ValueError("loops must be 2 to 255, not %r" % (loops,))
    series = _core.Series("holder", type, False)
    for _ in range(warmup):
        _run(scenario)
    _capture()  # what this keeps is there before the first look
    for turn in range(loops + 1):
        if turn:
            _run(scenario)
        _settle()
        series.add(_capture()._core, "")
    known = list(ignore)
    while True:
        found = Rises(*series.rises(0, 0, True, limit, _TITLE, None, tuple(known)))
        expected = [row["fingerprint"] for row in found.data["rows"] if _is_known(row)]
        if not expected:
            return found
        known.extend(expected)


_TITLE = "growth of every run"


@overload
def no_growth(function: _SCENARIO) -> _SCENARIO: ...
@overload
def no_growth(*, loops: int = ..., warmup: int = ..., type: Optional[str] = ...,
              ignore: Iterable[str] = ...) -> Callable[[Callable[..., Any]],
                                                       Callable[..., None]]: ...
def no_growth(function: Optional[Callable[..., Any]] = None, *, loops: int = 5, warmup: int = 2,
              type: Optional[str] = None, ignore: Iterable[str] = ()) -> Any:
    """Decorator: the test runs warmup + loops times, and fails if something grew every time.

        @refchain.no_growth
        def test_request(client): ...

        @refchain.no_growth(loops=10, ignore=["rc1:97849f92b948a63c"])
        def test_other(): ...
    """
    if function is None:
        return functools.partial(no_growth, loops=loops, warmup=warmup, type=type, ignore=ignore)
    test = function

    @functools.wraps(test)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        scenario = functools.partial(_run, test, args, kwargs)
        found = growth_loop(scenario, loops=loops, warmup=warmup, type=type, ignore=ignore)
        if found:
            raise AssertionError("%s leaks\n\n%r" % (test.__name__, found))

    return wrapper

