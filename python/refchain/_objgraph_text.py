# SPDX-License-Identifier: MIT
"""What refchain.objgraph says of an object and of a reference, in words: as objgraph has it, and
without running code of the program."""
from __future__ import annotations

import os
import re
import types
from typing import Any, Callable, Iterable, Iterator

from . import _core

KeyLabel = Callable[[Any, bool], str]  # of a key; the bool: with short names


def short_typename(obj: Any) -> str:
    return _core.type_name(type(obj), False)


def long_typename(obj: Any) -> str:
    return _core.type_name(type(obj), True)


def is_a(obj: Any, classes: Any) -> bool:
    return issubclass(type(obj), classes)  # isinstance() would believe __class__


def name_or_repr(obj: Any) -> str:
    try:
        name = obj.__name__
    except AttributeError:
        name = None
    return name if is_a(name, str) else repr(obj)[:40]


def repr_as_objgraph(obj: Any) -> str:
    if is_a(obj, (type, types.ModuleType, types.BuiltinFunctionType)):
        return name_or_repr(obj)
    if is_a(obj, types.MethodType):
        return name_or_repr(obj.__func__) + (" (bound)" if obj.__self__ else "")
    if is_a(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        return lambda_repr(obj)
    if is_a(obj, types.FrameType):
        return "%s:%s" % (obj.f_code.co_filename, obj.f_lineno)
    if is_a(obj, (tuple, list, dict, set)):
        return "%d items" % len(obj)
    return repr(obj)[:40]


def lambda_repr(function: Any) -> str:
    code = function.__code__
    return "lambda: %s:%s" % (os.path.basename(code.co_filename), code.co_firstlineno)


_PLAIN = (bool, float, complex, type(None), type(Ellipsis), type(NotImplemented),
          types.BuiltinFunctionType, types.CodeType, types.GeneratorType, types.CoroutineType)
_SIZED = (tuple, list, dict, set, frozenset)
_MANY_DIGITS = 256  # bits; the repr of a long int takes long


def builtin_repr(obj: Any) -> str:
    """Like objgraph's, but it runs no code of the program, however long it takes or whatever it
    says: objects whose type is not a builtin one look as object.__repr__ has them."""
    cls = type(obj)
    if cls in (str, bytes, bytearray):
        return repr(obj[:40])[:40]
    if cls in _PLAIN or (cls is int and obj.bit_length() <= _MANY_DIGITS):
        return repr(obj)[:40]
    if is_a(obj, type):
        return _core.type_name(obj, False)
    if cls is types.ModuleType:
        name = vars(obj).get("__name__")
        return name if type(name) is str else "module"
    if cls is types.MethodType:
        return (obj.__func__.__name__ if type(obj.__func__) is types.FunctionType
                else builtin_repr(obj.__func__)) + " (bound)"
    if cls is types.FunctionType:
        return lambda_repr(obj) if obj.__name__ == "<lambda>" else repr(obj)[:40]
    if cls is types.FrameType:
        return "%s:%s" % (obj.f_code.co_filename, obj.f_lineno)
    for base in _SIZED:
        if issubclass(cls, base):
            return "%d items" % base.__len__(obj)
    name = long_typename(obj)
    name = name[len("builtins."):] if name.startswith("builtins.") else name
    return ("<%s object at 0x%x>" % (name, id(obj)))[:40]


# ---- references ----------------------------------------------------------------------------------


def quote(text: str) -> str:
    return (text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            .replace("\0", "\\\\0"))


is_identifier = re.compile("[a-zA-Z_][a-zA-Z_0-9]*$").match

_FUNCTION_FIELDS = ("__closure__", "__code__", "__defaults__", "__dict__", "__doc__",
                    "__globals__", "__kwdefaults__", "__module__", "__name__", "__qualname__")


def labels(source: Any, target: Any, shortnames: bool, key_label: KeyLabel) -> Iterator[str]:
    """Labels of the references from source to target, without code of the program and without
    making an object's __dict__."""
    if is_a(source, dict):
        for key, value in list(dict.items(source)):
            if value is target:
                yield key_label(key, shortnames)
        return
    if type(source) is types.FrameType:
        if target is source.f_globals:
            yield ' [label="f_globals",weight=10]'
    elif type(source) is types.MethodType:
        if target is source.__self__:
            yield ' [label="__self__",weight=10]'
        if target is source.__func__:
            yield ' [label="__func__",weight=10]'
    elif type(source) is types.FunctionType:
        for field in _FUNCTION_FIELDS:
            if field != "__dict__" and getattr(source, field) is target:
                yield ' [label="%s",weight=10]' % field
    for kind, name in _core.reference_names(source, target):
        if kind == "dict":
            yield ' [label="__dict__",weight=10]'
        elif name:
            yield key_label(name, shortnames)


def labels_as_objgraph(source: Any, target: Any, shortnames: bool,
                        key_label: KeyLabel) -> Iterator[str]:
    if is_a(target, dict) and target is getattr(source, "__dict__", None):
        yield ' [label="__dict__",weight=10]'
    names: Iterable[str] = ()
    if is_a(source, types.FrameType):
        names = ("f_locals", "f_globals")
    elif is_a(source, types.MethodType):
        names = ("__self__", "__func__")
    elif is_a(source, types.FunctionType):
        names = dir(source)
    for name in names:
        if target is getattr(source, name):
            yield ' [label="%s",weight=10]' % quote(name)
    if is_a(source, dict):
        for key, value in source.items():
            if value is target:
                yield key_label(key, shortnames)
                return  # the first key is what objgraph says of each
