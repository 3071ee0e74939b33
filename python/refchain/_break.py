# SPDX-License-Identifier: MIT
"""Stop where a type has too many instances: the counter and the debugger, in one line."""
from __future__ import annotations

import atexit
import dis
import fnmatch
import gc
import os
import sys
import threading
from dataclasses import dataclass
from types import FrameType
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Union

from . import _core
from ._graph import dump

_type_name = type.__dict__["__name__"].__get__  # not what a metaclass says it is
_type_module = type.__dict__["__module__"].__get__
_type_qualname = type.__dict__["__qualname__"].__get__


@dataclass(frozen=True)
class Reached:
    """What an action is told: `count` instances are alive. frame: of the code that was stopped, in
    the thread that made the last one. where: the line that made it, in words."""

    pattern: str
    count: int
    limit: int
    where: str
    frame: FrameType


_ACTION = Union[str, Callable[[Reached], Any]]


def _all_types() -> Iterator[type]:
    seen: Set[int] = set()
    todo: List[type] = [object]
    while todo:
        cls = todo.pop()
        if id(cls) in seen:
            continue
        seen.add(id(cls))
        yield cls
        todo.extend(type.__subclasses__(cls))


def full_name(cls: type) -> str:
    module, name = _type_module(cls), _type_qualname(cls)
    return name if module == "builtins" else "%s.%s" % (module, name)


def _is_named(cls: type, pattern: str) -> bool:
    full = full_name(cls)
    if any(c in pattern for c in "*?["):
        return fnmatch.fnmatchcase(full, pattern)
    return pattern in (_type_name(cls), full, "builtins." + full)


def _has_just_begun(frame: FrameType) -> bool:
    """Not a line of the function has run."""
    code = frame.f_code.co_code
    at = frame.f_lasti
    resume = dis.opmap.get("RESUME")
    if resume is None:  # up to 3.10
        return at < 0
    return at < 0 or (at < len(code) and code[at] == resume)


def _maker(frame: FrameType) -> FrameType:
    """The code that makes an instance: the caller of an __init__ that is about to run."""
    while frame.f_code.co_name in ("__init__", "__new__", "__call__") and frame.f_back is not None:
        if not _has_just_begun(frame):
            break
        frame = frame.f_back
    return frame


def _words(frame: FrameType) -> str:
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    return "%s:%d in %s, thread %s" % (code.co_filename, frame.f_lineno or code.co_firstlineno,
                                       name, threading.current_thread().name)


class _Condition:
    """One pattern and its limit."""

    def __init__(self, pattern: str, limit: int, action: _ACTION, path: Optional[str]) -> None:
        self.pattern = pattern
        self.limit = limit
        self.action = action
        self.path = path
        self.types = 0
        self.watch: Optional[int] = None

    def start(self) -> None:
        self.watch = _core.break_start(self.limit, _reached, threading.main_thread().ident or 0)
        _conditions[self.watch] = self
        untracked = [cls for cls in _all_types() if _is_named(cls, self.pattern)
                     and not self.add(cls)]
        if untracked and not self.types:
            self.end()
            raise ValueError("instances of %s cannot be counted: the collector does not track them"
                             % full_name(untracked[0]))
        if not self.types:
            print("refchain: no type is called %s yet; waiting for one" % self.pattern,
                  file=sys.stderr)
        _core.break_count(self.watch)

    def add(self, cls: type) -> bool:
        assert self.watch is not None
        is_tracked = _core.break_type(self.watch, cls)
        self.types += is_tracked
        return is_tracked

    def end(self) -> None:
        watch, self.watch = self.watch, None
        if watch is not None:
            del _conditions[watch]
            _core.break_end(watch)
            _follow_collector()


_conditions: Dict[int, _Condition] = {}


def _on_collection(phase: str, info: Dict[str, int]) -> None:
    """New types may be meant; a full collection counts what the allocator did not show."""
    if phase == "start":
        for cls in _core.break_young_types():
            for watch, condition in list(_conditions.items()):
                if _is_named(cls, condition.pattern) and condition.add(cls):
                    _core.break_count(watch, True)
    elif info["generation"] == 2:
        for watch in list(_conditions):
            _core.break_count(watch, True)


def _follow_collector() -> None:
    is_there = _on_collection in gc.callbacks
    if _conditions and not is_there:
        gc.callbacks.append(_on_collection)
    elif is_there and not _conditions:
        gc.callbacks.remove(_on_collection)


def _reached(watch: int, count: int) -> Optional[Callable[[], None]]:
    """Called where the limit was reached, by the thread that did it. For the debugger, gives back
    what to print before the prompt."""
    condition = _conditions.get(watch)
    if condition is None:
        return None
    frame = sys._getframe(1)
    what = Reached(condition.pattern, count, condition.limit, _words(_maker(frame)), frame)
    condition.end()
    text = "refchain: %d %s are alive (limit %d), the last made at %s" % (
        count, condition.pattern, condition.limit, what.where)
    if condition.action == "pdb":
        return lambda: print(text)
    if condition.action == "dump":
        path = condition.path or "refchain-%d-%s-%d.rch" % (
            os.getpid(), condition.pattern.replace("/", "_"), condition.limit)
        dump(path)
        print("%s; snapshot: %s" % (text, path), file=sys.stderr)
    elif callable(condition.action):
        condition.action(what)
    return None


class Break:
    """A break that was set; cancel() takes it back, and so does the end of a `with` block."""

    def __init__(self, conditions: List[_Condition], every: Optional[float]) -> None:
        self._conditions = conditions
        self._stopped = threading.Event()
        for condition in conditions:
            condition.start()
        _follow_collector()
        if every is not None:
            threading.Thread(target=self._watch, args=(every,), name="refchain-break",
                             daemon=True).start()

    def _watch(self, every: float) -> None:
        while self.is_set and not self._stopped.wait(every):
            for condition in self._conditions:
                if condition.watch is not None:
                    _core.break_count(condition.watch)

    @property
    def is_set(self) -> bool:
        """Some limit has not been reached yet."""
        return any(condition.watch is not None for condition in self._conditions)

    def counts(self) -> Dict[str, int]:
        """How many instances each pattern that still waits has now. Counts anew."""
        return {c.pattern: _core.break_count(c.watch)
                for c in self._conditions if c.watch is not None}

    def cancel(self) -> None:
        """Take it back; nothing happens if it was reached."""
        self._stopped.set()
        for condition in self._conditions:
            condition.end()

    def __enter__(self) -> "Break":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.cancel()

    def __repr__(self) -> str:
        rows = ["%s=%d%s" % (c.pattern, c.limit, "" if c.watch is not None else " (done)")
                for c in self._conditions]
        return "<refchain.break_at %s>" % ", ".join(rows)


def break_at(pattern: Optional[str] = None, limit: Optional[int] = None, *,
             action: _ACTION = "pdb", every: Optional[float] = None,
             path: Optional[str] = None, **limits: int) -> Break:
    """Stop where a type gets its `limit`-th living instance: break_at(TCPTransport=100).

    pattern: short name, qualified name or glob of types, also of types that do not exist yet;
    several short names may be given as keywords. action: "pdb" enters the debugger
    (sys.breakpointhook) at the line; "dump" writes a snapshot to `path` and goes on; a function is
    called with a Reached. Each limit acts once. every: also count every so many seconds, for types
    whose instances Python's allocator does not show (docs/prompt.md says which).
    """
    if action not in ("pdb", "dump") and not callable(action):
        raise ValueError('action must be "pdb", "dump" or a function, not %r' % (action,))
    if (pattern is None) != (limit is None) or (pattern is None and not limits):
        raise TypeError("break_at() takes a pattern and a limit, or TypeName=limit")
    wanted = dict(limits)
    if pattern is not None and limit is not None:
        wanted[pattern] = limit
    for name, number in wanted.items():
        if number < 1:
            raise ValueError("a limit must be 1 or more, not %r for %s" % (number, name))
    atexit.unregister(_end_all)
    atexit.register(_end_all)  # not before: who only imports us is not to find a callback of ours
    return Break([_Condition(name, number, action, path) for name, number in wanted.items()], every)


def _end_all() -> None:
    for condition in list(_conditions.values()):
        condition.end()
