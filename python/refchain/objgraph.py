# SPDX-License-Identifier: MIT
"""objgraph's functions on refchain's heap passes: ``from refchain import objgraph``.

Same names, arguments, output and DOT as objgraph 3.6.2. Where that is wrong on today's CPython this
module differs; docs/objgraph.md lists how. ``objgraph.strict = True`` turns the differences off.
"""
from __future__ import annotations

import collections
import gc
import inspect
import io
import itertools
import operator
import os
import subprocess
import sys
import tempfile
import types
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
from . import _objgraph_draw as _drawing
from . import _objgraph_text as _text
from ._graph import snapshot

IS_INTERACTIVE = False  # strict: show in the notebook instead of writing a file
try:
    import graphviz  # type: ignore[import-not-found, unused-ignore]
    IS_INTERACTIVE = (
        "TerminalInteractiveShell" not in type(get_ipython()).__name__)  # type: ignore[name-defined]
except (ImportError, NameError):
    pass

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


def get_leaking_objects(objects: Optional[Iterable[Any]] = None, *,
                        collect: Optional[bool] = None) -> List[Any]:
    """Objects that no object refers to: held by C code, a running function, or leaked.

    objects: look only among these, and only at their references. collect: run gc.collect() first;
    None: only if `strict`.
    """
    if objects is None:
        _collect(collect)
        found = _core.unreferred()
        if found is not None:
            return found
        objects = gc.get_objects()
    else:
        objects = list(objects)
    ids = set(map(id, objects))
    for obj in objects:
        ids.difference_update(map(id, _core.referents(obj)))
    return [obj for obj in objects if id(obj) in ids]


# ---- chains --------------------------------------------------------------------------------------


class _AnyDepth(int):
    """The default depth: objgraph's 20 when `strict`, else no limit."""


_ANY_DEPTH = _AnyDepth(20)
_OWN_FILES = (os.path.dirname(os.path.abspath(__file__)) + os.sep,)
_FIRST_BATCH = 1024
_MANY_CHANGES = 500  # containers made or gone, after which a heap counts as another
_kept_count = 0  # gc.get_count()[0] when the last pass was kept

_REASONS = {
    "depth": "no match within max_depth",
    "frame": "held by local variables of running functions, not by a match",
    "c-held": "held from C: it, or what leads to it, has more references than objects refer to it",
    "garbage": "held by nothing but the code that asks: garbage, or soon to be",
    "other": "what leads to it is held, but none of it is a match",
    "unknown": "nothing that leads to it is a match: it is held from C, or garbage",
}


def _cause_of(obj: Any) -> str:
    """Why is it alive, when no match leads to it? One more pass over the heap."""
    try:
        answer = snapshot().why([id(obj)])
    except (_core.Error, LookupError):
        return "unknown"
    kinds = [holder.root.kind for holder in answer.holders]
    if not kinds:
        return "garbage"
    if "c-held" in kinds:
        return "c-held"
    return "frame" if kinds[0] in ("frame", "thread", "coroutine") else "other"


class NoChain(List[Any]):
    """What a search returns that found no chain: [obj], and `reason`, of which there are four: no
    match within max_depth, held by running functions, held from C, garbage. It is found out when
    it is first asked for."""

    _cause = ""

    @property
    def reason(self) -> str:
        """Why there is no chain."""
        if not self._cause:
            obj = self.pop(0)  # this list is not what holds it
            try:
                self._cause = _cause_of(obj)
            finally:
                self.insert(0, obj)
        return _REASONS[self._cause]

    def __repr__(self) -> str:
        return "%s  # no chain: %s" % (list.__repr__(self), self.reason)


def _no_chain(obj: Any, cause: str) -> List[Any]:
    """cause: depth, frame, or whatever the search calls it when it does not know."""
    if strict:
        return [obj]
    found = NoChain([obj])
    if cause in ("depth", "frame"):
        found._cause = cause
    return found


def _depth_limit(max_depth: int) -> int:
    return -1 if max_depth is _ANY_DEPTH and not strict else max(int(max_depth), 0)


def find_ref_chain(obj: Any, predicate: _Predicate, max_depth: int = _ANY_DEPTH,
                   extra_ignore: Iterable[int] = (), *,
                   collect: Optional[bool] = None) -> List[Any]:
    """[obj, ..., match]: a shortest chain of references from obj to an object for which `predicate`
    is true; [obj] if there is none."""
    limit = _depth_limit(max_depth)
    return _find_chain(obj, predicate, _core.referents, sys.maxsize if limit < 0 else limit,
                       extra_ignore, collect=collect)[::-1]


def find_backref_chain(obj: Any, predicate: _Predicate, max_depth: int = _ANY_DEPTH,
                       extra_ignore: Iterable[int] = (), *,
                       collect: Optional[bool] = None) -> List[Any]:
    """[match, ..., obj]: a shortest chain of references to obj, from an object for which
    `predicate` is true; [obj] if there is none. extra_ignore: ids that it must not lead through."""
    global _kept_count
    limit, ignore = _depth_limit(max_depth), tuple(extra_ignore)
    _collect(collect)
    if predicate is not is_proper_module:
        return _search_back(obj, predicate, limit, ignore)
    if not ignore and not strict and abs(gc.get_count()[0] - _kept_count) < _MANY_CHANGES:
        again = _core.chain_again(obj, sys.modules, limit)
        if again is not None:
            return again
    modules = tuple(module for module in list(sys.modules.values()) if is_proper_module(module))
    found = _core.chain_from(obj, modules, ignore, _OWN_FILES, limit, strict)
    _kept_count = gc.get_count()[0]
    if found is None:
        return _find_chain(obj, predicate, gc.get_referrers, sys.maxsize if limit < 0 else limit,
                           ignore, collect=False)
    return _no_chain(obj, found) if isinstance(found, str) else found


def _search_back(obj: Any, predicate: _Predicate, limit: int,
                 ignore: Tuple[int, ...]) -> List[Any]:
    """The predicate may change the heap: it sees objects of a batch that is held. When none
    matches, a new pass makes a larger batch."""
    batches: List[List[Any]] = []  # what was tested stays alive, so that ids are not used again
    tested: Set[int] = set()
    size = _FIRST_BATCH
    while True:
        own = ignore + tuple(map(id, batches)) + (id(batches),)
        found = _core.referrers((obj,), own, _OWN_FILES, limit, size, strict)
        if found is None:
            return _find_chain(obj, predicate, gc.get_referrers,
                               sys.maxsize if limit < 0 else limit, ignore, collect=False)
        objects, parents, _, _, is_cut = found
        for place, candidate in enumerate(objects):
            if id(candidate) in tested:
                continue
            tested.add(id(candidate))
            if predicate(candidate):
                return _chain_of(objects, parents, place)
        if len(objects) < size:
            why = "depth" if is_cut else "unreferred" if len(objects) == 1 else "unreached"
            return _no_chain(obj, why)
        batches.append(objects)
        size *= 8


def _chain_of(objects: List[Any], parents: List[int], place: int) -> List[Any]:
    chain = [objects[place]]
    while parents[place] != place:
        place = parents[place]
        chain.append(objects[place])
    return chain


def _find_chain(obj: Any, predicate: _Predicate, edge_func: Callable[[Any], List[Any]],
                max_depth: int = 20, extra_ignore: Iterable[int] = (), *,
                collect: Optional[bool] = None) -> List[Any]:
    """Breadth first from obj along edge_func: [match, ..., obj]. Every object met is held."""
    met, parents, depths = [obj], [0], [0]
    seen = {id(obj)}
    ignore = set(extra_ignore)
    ignore.update(map(id, (extra_ignore, met, parents, depths, seen, ignore)))
    ignore.update((id(sys._getframe()), id(sys._getframe(1))))
    _collect(collect)
    is_cut = False
    for place, target in enumerate(met):  # which grows
        if predicate(target):
            return _chain_of(met, parents, place)
        if depths[place] >= max_depth:
            is_cut = True
            continue
        neighbours = edge_func(target)
        ignore.add(id(neighbours))
        for neighbour in neighbours:
            if id(neighbour) not in ignore and id(neighbour) not in seen:
                seen.add(id(neighbour))
                met.append(neighbour)
                parents.append(place)
                depths.append(depths[place] + 1)
        del neighbours
    return _no_chain(obj, "depth" if is_cut else "unreached")


# ---- names ---------------------------------------------------------------------------------------

_short_typename = _text.short_typename
_long_typename = _text.long_typename
_is_a = _text.is_a


def _safe_repr(obj: Any) -> str:
    try:
        return _short_repr(obj)
    except Exception:
        return "(unrepresentable)"


def _short_repr(obj: Any) -> str:
    return _text.repr_as_objgraph(obj) if strict else _text.builtin_repr(obj)


# ---- DOT -----------------------------------------------------------------------------------------

_quote = _text.quote
_obj_node_id = _drawing.obj_node_id
_gradient = _drawing.gradient


def _obj_attrs(obj: Any, extra_node_attrs: Optional[Callable[[Any], Dict[str, str]]]) -> str:
    if extra_node_attrs is None:
        return ""
    attrs = extra_node_attrs(obj)
    return ", " + ", ".join('%s="%s"' % (name, _quote(value))
                            for name, value in sorted(attrs.items()) if value is not None)


def _obj_label(obj: Any, extra_info: Optional[Callable[[Any], Any]] = None,
               refcounts: bool = False, shortnames: bool = True,
               _count: Optional[int] = None) -> str:
    lines = [_short_typename(obj) if shortnames else _long_typename(obj)]
    if refcounts:
        lines[0] += " [%d]" % (sys.getrefcount(obj) - 4 if _count is None else _count)
    lines.append(_safe_repr(obj))
    if extra_info:
        lines.append(str(extra_info(obj)))
    return _quote("\n".join(lines))


def _key_label(key: Any, shortnames: bool) -> str:
    if _is_a(key, str) and _text.is_identifier(key):
        return ' [label="%s",weight=2]' % _quote(key)
    name = _short_typename(key) if shortnames else _long_typename(key)
    return ' [label="%s"]' % _quote(name + "\n" + _safe_repr(key))


def _edge_label(source: Any, target: Any, shortnames: bool = True, _nth: int = 0) -> str:
    """_nth: which of several references from source to target."""
    labels = _text.labels_as_objgraph if strict else _text.labels
    found = list(itertools.islice(labels(source, target, shortnames, _key_label), _nth + 1))
    return found[-1] if found else ""


# ---- pictures ------------------------------------------------------------------------------------


def _references(obj: Any) -> int:
    return _core.refcount(obj)


def _own_references() -> int:
    target: List[Any] = []  # as in _show_graph: a variable, and the call
    return _references(target)


def show_backrefs(objs: Any, max_depth: int = 3, extra_ignore: Iterable[int] = (),
                  filter: Optional[_Predicate] = None, too_many: int = 10,
                  highlight: Optional[_Predicate] = None, filename: Any = None,
                  extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
                  shortnames: bool = True, output: Optional[TextIO] = None,
                  extra_node_attrs: Optional[Callable[[Any], Dict[str, str]]] = None, *,
                  collect: Optional[bool] = None) -> Any:
    """Draw what refers to an object, or to the objects of a list.

    max_depth, too_many: limits of depth and of referrers of each. filter, highlight: predicates:
    draw only those; fill those with blue. extra_ignore: ids not to draw. filename: *.dot, or what
    Graphviz is to make; output: a file for the DOT text; neither: a temporary file and xdot, or a
    PNG.
    extra_info, extra_node_attrs: more text, more DOT attributes of a node. refcounts, shortnames:
    what the labels say. Returns the graph, which notebooks display. collect: run gc.collect()
    first; None: only if `strict`.
    """
    return _show_graph(objs, None, False, max_depth, extra_ignore, filter, too_many, highlight,
                       filename, extra_info, refcounts, shortnames, output, is_proper_module,
                       extra_node_attrs, collect=collect)


def show_refs(objs: Any, max_depth: int = 3, extra_ignore: Iterable[int] = (),
              filter: Optional[_Predicate] = None, too_many: int = 10,
              highlight: Optional[_Predicate] = None, filename: Any = None,
              extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
              shortnames: bool = True, output: Optional[TextIO] = None,
              extra_node_attrs: Optional[Callable[[Any], Dict[str, str]]] = None, *,
              collect: Optional[bool] = None) -> Any:
    """Draw what an object, or the objects of a list, refer to. Arguments as for show_backrefs."""
    return _show_graph(objs, _core.referents, True, max_depth, extra_ignore, filter, too_many,
                       highlight, filename, extra_info, refcounts, shortnames, output, None,
                       extra_node_attrs, collect=collect)


def show_chain(*chains: List[Any], **kw: Any) -> Any:
    """Draw chains that find_backref_chain or, with backrefs=False, find_ref_chain returned.

    Takes the arguments of show_backrefs but max_depth and filter.
    """
    is_backward = kw.pop("backrefs", True)
    chains = tuple(chain for chain in chains if chain)

    ids = set(map(id, itertools.chain(*chains)))

    def in_chains(obj: Any) -> bool:
        return id(obj) in ids

    depth = max(map(len, chains)) - 1
    show = show_backrefs if is_backward else show_refs
    starts = [chain[-1 if is_backward else 0] for chain in chains]
    drawn = show(starts, max_depth=depth, filter=in_chains, **kw)
    return None if strict else drawn


def _is_module(obj: Any) -> bool:
    return inspect.ismodule(obj) if strict else _is_a(obj, types.ModuleType)


def _has_finalizer(obj: Any) -> bool:
    if strict:
        return hasattr(getattr(obj, "__class__", None), "__del__")
    return any("__del__" in type.__dict__["__dict__"].__get__(cls)
               for cls in type.__dict__["__mro__"].__get__(type(obj))
               if not issubclass(cls, (types.GeneratorType, types.CoroutineType)))


def _open_dot(filename: Any, output: Optional[TextIO]) -> Tuple[TextIO, Optional[str]]:
    """Where the DOT goes, and the name of that file if it is one of ours."""
    if output:
        return output, None
    if filename and filename.endswith(".dot"):
        return open(filename, "w", encoding="utf-8", errors="backslashreplace"), filename
    if IS_INTERACTIVE and not filename:
        return io.StringIO(), None
    descriptor, name = tempfile.mkstemp(prefix="objgraph-", suffix=".dot", text=True)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace"), name


def _show_graph(objs: Any, edge_func: Optional[Callable[[Any], List[Any]]],
                swap_source_target: bool, max_depth: int = 3, extra_ignore: Iterable[int] = (),
                filter: Optional[_Predicate] = None, too_many: int = 10,
                highlight: Optional[_Predicate] = None, filename: Any = None,
                extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
                shortnames: bool = True, output: Optional[TextIO] = None,
                cull_func: Optional[_Predicate] = None,
                extra_node_attrs: Optional[Callable[[Any], Dict[str, str]]] = None, *,
                collect: Optional[bool] = None) -> Any:
    if filename is not None and not strict:
        filename = os.fspath(filename)
    if filename and output:
        raise ValueError("Cannot specify both output and filename.")
    if not _is_a(objs, (list, tuple)):
        objs = [objs]
    out, dot_filename = _open_dot(filename, output)
    drawing = _drawing.Drawing(out, swap_source_target, max_depth)
    queue: List[Any] = list(objs)
    depth: Dict[int, int] = {}
    ignore = set(extra_ignore)
    ignore.update(map(id, (objs, extra_ignore, queue, depth, ignore, drawing, vars(drawing),
                           sys._getframe(), sys._getframe(1))))
    for obj in queue:
        drawing.start(obj)
        depth[id(obj)] = 0
    obj = None
    _collect(collect)
    referrers = _drawing.Referrers(max_depth, queue, _OWN_FILES, strict)
    for target in queue:  # which grows
        at = depth[id(target)]
        count = None
        if refcounts and not strict:
            count = _references(target) - _OWN_REFERENCES - 1 - referrers.num_held(target)
        label = _obj_label(target, extra_info, refcounts, shortnames, count)
        attrs = _obj_attrs(target, extra_node_attrs)
        drawing.node(target, label, attrs, at, bool(highlight and highlight(target)),
                     _is_module(target))
        if _has_finalizer(target):
            drawing.finalizer(target)
        if at >= max_depth or (cull_func is not None and cull_func(target)):
            continue
        neighbours = edge_func(target) if edge_func else referrers.of(target)
        ignore.add(id(neighbours))
        wanted = [other for other in neighbours
                  if id(other) not in ignore and not (filter and not filter(other))]
        del neighbours
        ignore.add(id(wanted))
        for other in _draw_references(drawing, target, wanted[:too_many], shortnames):
            if id(other) not in depth:
                depth[id(other)] = at + 1
                queue.append(other)
            del other
        if len(wanted) > too_many:
            drawing.too_many(target, len(wanted) - too_many, at)
        del wanted
    drawing.write("}\n")
    return _finish(drawing, out, output, dot_filename, filename, len(queue))


def _draw_references(drawing: _drawing.Drawing, target: Any, others: List[Any],
                     shortnames: bool) -> List[Any]:
    times: Dict[int, int] = {}
    for other in others:
        ends = (target, other) if drawing.is_forward else (other, target)
        nth = times[id(other)] = times.get(id(other), -1) + 1
        drawing.edge(*ends, _edge_label(*ends, shortnames, nth))
    return others


def _finish(drawing: _drawing.Drawing, out: TextIO, output: Optional[TextIO],
            dot_filename: Optional[str], filename: Any, num_nodes: int) -> Any:
    drawn = None
    if not strict:
        drawn = _drawing.display("".join(drawing.text), drawing.nodes, drawing.edges)
    if output:
        return drawn
    if dot_filename is None:
        return graphviz.Source(out.getvalue()) if strict else drawn  # type: ignore[attr-defined]
    out.close()
    print("Graph written to %s (%d nodes)" % (dot_filename, num_nodes))
    _present_graph(dot_filename, filename)
    return drawn


def _present_graph(dot_filename: str, filename: Optional[str] = None) -> None:
    """Make the image that was asked for, or show the graph."""
    if filename == dot_filename:
        return
    if not filename and _program_in_path("xdot"):
        print("Spawning graph viewer (xdot)")
        subprocess.Popen(["xdot", dot_filename], close_fds=True)
        return
    if not _program_in_path("dot"):
        missing = ("Image renderer (dot) not found" if filename else
                   "Graph viewer (xdot) and image renderer (dot) not found")
        print(missing + ", not doing anything else")
        return
    if not filename:
        print("Graph viewer (xdot) not found, generating a png instead")
        filename = dot_filename[:-4] + ".png"
    command = ["dot", "-T" + os.path.splitext(filename)[1][1:], "-o" + filename, dot_filename]
    dot = subprocess.Popen(command, close_fds=False)
    dot.wait()
    if dot.returncode != 0:
        print('dot failed (exit code %d) while executing "%s"'
              % (dot.returncode, " ".join(command)))
    else:
        print("Image generated as %s" % filename)


def _program_in_path(program: str) -> bool:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = [os.path.join(folder, program) for folder in folders]
    return any(os.path.isfile(path) or os.path.isfile(path + ".exe") for path in paths)


_OWN_REFERENCES = _own_references()
