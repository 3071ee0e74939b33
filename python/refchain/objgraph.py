# SPDX-License-Identifier: MIT
"""objgraph's functions on refchain's heap passes: ``from refchain import objgraph``.

Same names, arguments, output and DOT as objgraph 3.6.2. Where that is wrong on today's CPython this
module differs; docs/objgraph.md lists how. ``objgraph.strict = True`` turns the differences off.
"""
from __future__ import annotations

import collections
import gc
import inspect
import operator
import sys
from typing import (
    Any,
    Callable,
    Collection,
    DefaultDict,
    Dict,
    Iterable,
    List,
    Optional,
    Set,
    TextIO,
    Tuple,
)

from . import _core

strict = False  # True: as objgraph 3.6.2, also where that is wrong

_Predicate = Callable[[Any], Any]


def _collect(collect: Optional[bool]) -> None:
    if strict if collect is None else collect:
        gc.collect()


# ---- statistics ----------------------------------------------------------------------------------


def count(typename: str, objects: Optional[Iterable[Any]] = None) -> int:
    """How many objects there are of a type, named 'Class' or 'module.Class'.

    objects: count among these, instead of all that the collector tracks.
    """
    is_long = "." in typename
    if objects is None:
        return sum(num for cls, num in _core.tracked_types()
                   if _core.type_name(cls, is_long) == typename)
    name_of = _long_typename if is_long else _short_typename
    return sum(1 for obj in objects if name_of(obj) == typename)


def typestats(objects: Optional[Iterable[Any]] = None, shortnames: bool = True,
              filter: Optional[_Predicate] = None) -> Dict[str, int]:
    """Number of instances by type name, of the objects that the collector tracks or of `objects`.

    filter: count only objects for which it returns a true value.
    """
    stats: Dict[str, int] = {}
    if objects is None and not filter:
        for cls, num in _core.tracked_types():
            name = _core.type_name(cls, not shortnames)
            stats[name] = stats.get(name, 0) + num
        return stats
    name_of = _short_typename if shortnames else _long_typename
    for obj in gc.get_objects() if objects is None else objects:
        if not filter or filter(obj):
            name = name_of(obj)
            stats[name] = stats.get(name, 0) + 1
    return stats


def most_common_types(limit: Optional[int] = 10, objects: Optional[Iterable[Any]] = None,
                      shortnames: bool = True,
                      filter: Optional[_Predicate] = None) -> List[Tuple[str, int]]:
    """[(type name, number of instances)], most first. limit: None or 0 for all."""
    stats = sorted(typestats(objects, shortnames=shortnames, filter=filter).items(),
                   key=operator.itemgetter(1), reverse=True)
    return stats[:limit] if limit else stats


def show_most_common_types(limit: Optional[int] = 10, objects: Optional[Iterable[Any]] = None,
                           shortnames: bool = True, file: Optional[TextIO] = None,
                           filter: Optional[_Predicate] = None) -> None:
    """Print the table of types with the most instances."""
    if file is None:
        file = sys.stdout
    stats = most_common_types(limit, objects, shortnames=shortnames, filter=filter)
    width = max(len(name) for name, _ in stats)
    for name, num in stats:
        file.write("%-*s %i\n" % (width, name, num))


def growth(limit: Optional[int] = 10, peak_stats: Dict[str, int] = {},  # noqa: B006  shared, as documented
           shortnames: bool = True, filter: Optional[_Predicate] = None,
           *, collect: Optional[bool] = None) -> List[Tuple[str, int, int]]:
    """[(type name, count, increase over its highest count so far)], greatest increase first.

    peak_stats: the highest counts so far, updated; by default one dict for the whole process.
    collect: run gc.collect() first; None: only if `strict`.
    """
    _collect(collect)
    stats = typestats(shortnames=shortnames, filter=filter)
    deltas: Dict[str, int] = {}
    for name, num in stats.items():
        peak = peak_stats.get(name, 0)
        if num > peak:
            deltas[name] = num - peak
            peak_stats[name] = num
    rows = sorted(deltas.items(), key=operator.itemgetter(1), reverse=True)
    return [(name, stats[name], delta) for name, delta in (rows[:limit] if limit else rows)]


def show_growth(limit: Optional[int] = 10, peak_stats: Optional[Dict[str, int]] = None,
                shortnames: bool = True, file: Optional[TextIO] = None,
                filter: Optional[_Predicate] = None, *, collect: Optional[bool] = None) -> None:
    """Print what `growth` returns."""
    shared = {} if peak_stats is None else {"peak_stats": peak_stats}
    rows = growth(limit, shortnames=shortnames, filter=filter, collect=collect, **shared)
    if not rows:
        return
    if file is None:
        file = sys.stdout
    width = max(len(name) for name, _, _ in rows)
    for name, num, delta in rows:
        file.write("%-*s%9d %+9d\n" % (width, name, num, delta))


# ---- new objects ---------------------------------------------------------------------------------

_SORT_COLUMNS = {"old": 1, "current": 2, "new": 3, "deltas": 4}
_IdRow = Tuple[str, int, int, int, int]  # name, old, current, new, difference


def get_new_ids(skip_update: bool = False, limit: Optional[int] = 10, sortby: str = "deltas",
                shortnames: Optional[bool] = None, file: Optional[TextIO] = None,
                _state: Dict[str, Any] = {},  # noqa: B006  what is remembered between calls
                *, collect: Optional[bool] = None) -> DefaultDict[str, Set[int]]:
    """{type name: ids of the objects that are new since the last call}; prints a table.

    The dict is the same in every call and is updated by the next. skip_update: return it as it is.
    limit: rows to print, 0 for none, None for all. sortby: old, current, new or deltas.
    shortnames: None for what it was the last time. collect: run gc.collect() first; None: only if
    `strict`.
    """
    if not _state:
        _state.update(new=collections.defaultdict(set), names={}, ids=None, shortnames=True)
    new_ids: DefaultDict[str, Set[int]] = _state["new"]
    if skip_update:
        return new_ids
    if shortnames is None:
        shortnames = _state["shortnames"]
    else:
        _state["shortnames"] = shortnames
    _collect(collect)
    rows = _update_ids(_state, not shortnames)
    rows.sort(key=operator.itemgetter(_SORT_COLUMNS[sortby], 0), reverse=True)
    if limit is not None:
        rows = rows[:limit]
    if rows:
        _print_ids(rows, sys.stdout if file is None else file)
    return new_ids


def _update_ids(state: Dict[str, Any], is_long: bool) -> List[_IdRow]:
    new_ids, names = state["new"], state["names"]
    state["ids"], counts = _core.tracked_ids(state["ids"], names, is_long)
    rows: List[_IdRow] = []
    for name, number in list(names.items()):
        num_old, num_current, ids = counts[number]
        if num_old == 0 and num_current == 0:
            new_ids.pop(name, None)
            continue
        known = new_ids[name]
        known.clear()
        known.update(ids)
        rows.append((name, num_old, num_current, len(ids), num_current - num_old))
    return rows


def _print_ids(rows: List[_IdRow], file: TextIO) -> None:
    width = max(len(row[0]) for row in rows)
    rule = "=" * (width + 13 * 4)
    print(rule, file=file)
    print("%-*s%13s%13s%13s%13s" %
          (width, "Type", "Old_ids", "Current_ids", "New_ids", "Count_Deltas"), file=file)
    print(rule, file=file)
    for row in rows:
        print("%-*s%13d%13d%+13d%+13d" % (width, *row), file=file)
    print(rule, file=file)


# ---- objects -------------------------------------------------------------------------------------


def by_type(typename: str, objects: Optional[Iterable[Any]] = None) -> List[Any]:
    """The objects of a type, named 'Class' or 'module.Class', of those the collector tracks or of
    `objects`."""
    is_long = "." in typename
    if objects is None:
        return _core.tracked_of_type(typename, is_long)
    name_of = _long_typename if is_long else _short_typename
    return [obj for obj in objects if name_of(obj) == typename]


def at(addr: int) -> Any:
    """The object with this id(), None if the collector tracks no such object."""
    if type(addr) is int:
        found = _core.tracked_at((addr,))
    else:
        found = [obj for obj in gc.get_objects() if id(obj) == addr]
    return found[0] if found else None


def at_addrs(address_set: Collection[int]) -> List[Any]:
    """The objects whose id() is in the set, of those the collector tracks."""
    if type(address_set) in (set, frozenset, list, tuple, dict):
        addresses = tuple(address_set)
        if all(type(addr) is int for addr in addresses):
            return _core.tracked_at(addresses)
    return [obj for obj in gc.get_objects() if id(obj) in address_set]


def is_proper_module(obj: Any) -> bool:
    """Is it a module that is in sys.modules? Such a module stays, whatever else goes."""
    return (inspect.ismodule(obj)
            and obj is sys.modules.get(getattr(obj, "__name__", None)))  # type: ignore[arg-type]


# ---- names ---------------------------------------------------------------------------------------


def _short_typename(obj: Any) -> str:
    return _core.type_name(type(obj), False)


def _long_typename(obj: Any) -> str:
    return _core.type_name(type(obj), True)
