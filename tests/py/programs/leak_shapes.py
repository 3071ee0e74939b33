# SPDX-License-Identifier: MIT
"""Ways to keep an object: each function keeps some objects of a class of its own, which is called as
the function is. They hang in KEPT under that name, or where else the function says. What CPython
has as one thing on one version and as another on the next is what this is about: attributes in a
dictionary or inline, cells, frames, C fields with new names."""

import abc
import asyncio
import collections
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import enum
import functools
import itertools
import logging
import operator
import queue
import sys
import threading
import types
import weakref

KEPT = {}
SHAPES = {}  # name of the class -> is it kept in KEPT
variable = contextvars.ContextVar("variable")
weak_keys = weakref.WeakKeyDictionary()
loop = asyncio.new_event_loop()


def shape(function):
    new = type(function.__name__, (), {"__module__": __name__})
    KEPT[function.__name__] = function(new)
    SHAPES[function.__name__] = new
    return function


class Plain:
    def method(self):
        pass


def plain(**attributes):
    made = Plain()
    made.__dict__.update(attributes)
    return made


def inline(value):
    """Attributes that were never in a dictionary."""
    made = Plain()
    made.value = value
    return made


# ---- attributes -----------------------------------------------------------------------------------


@shape
def attribute(new):
    return inline(new())


@shape
def attribute_in_dict(new):
    return plain(value=new())


@shape
def list_attribute(new):
    return inline([new() for _ in range(5)])


@shape
def many_attributes(new):
    made = Plain()
    for i in range(60):
        setattr(made, f"a{i}", new() if i == 7 else None)
    return made


@shape
def slot(new):
    class Slotted:
        __slots__ = ("one", "two")

    made = Slotted()
    made.two = new()
    return made


@shape
def slot_and_dict(new):
    class Base:
        __slots__ = ("one",)

    class Both(Base):
        pass

    made = Both()
    made.one, made.two = new(), new()
    return made


@shape
def class_attribute(new):
    class Registry:
        registry = [new() for _ in range(3)]

    return Registry


@shape
def metaclass_attribute(new):
    class Meta(type):
        registry = [new()]

    return Meta, Meta("Made", (), {})


@shape
def abstract_class(new):
    class Abstract(abc.ABC):
        value = new()

    return Abstract


@shape
def annotation(new):
    class Annotated:
        value: new()

    Annotated.__annotations__
    return Annotated


@shape
def enum_member(new):
    return enum.Enum("Made", {"A": new()})


@shape
def dataclass_field(new):
    @dataclasses.dataclass
    class Data:
        value: object

    return Data(new())


@shape
def named_tuple(new):
    return collections.namedtuple("Pair", "one two")(1, new())


@shape
def namespace(new):
    return types.SimpleNamespace(value=new())


@shape
def property_closure(new):
    kept = new()

    class Owner:
        @property
        def value(self):
            return kept

    return Owner


@shape
def cached_property(new):
    class Owner:
        @functools.cached_property
        def value(self):
            return new()

    made = Owner()
    made.value
    return made


@shape
def static_and_class_methods(new):
    kept = new()

    class Owner:
        @staticmethod
        def one():
            return kept

        @classmethod
        def two(cls):
            return kept

    return Owner


@shape
def class_cell(new):
    kept = new()

    class Owner:
        def method(self):
            return super().__init__, kept

    return Owner


@shape
def module_global(new):
    made = types.ModuleType("leak_shapes_made")
    made.value = new()
    sys.modules[made.__name__] = made


def subclass_of(base, *args):
    made = type(f"My{base.__name__}", (base,), {})(*args)
    made.other = 1
    return made


@shape
def attribute_of_int(new):
    made = subclass_of(int, 3)
    made.value = new()
    return made


@shape
def attribute_of_str(new):
    made = subclass_of(str, "x")
    made.value = new()
    return made


# ---- containers -----------------------------------------------------------------------------------


@shape
def value(new):
    return {i: new() for i in range(5)}


@shape
def named_value(new):
    return {"name": new()}


@shape
def key(new):
    return {new(): i for i in range(5)}


@shape
def member_of_set(new):
    return {new() for _ in range(5)}


@shape
def member_of_frozenset(new):
    return frozenset(new() for _ in range(5))


@shape
def member_of_deque(new):
    return collections.deque(new() for _ in range(100))


@shape
def ordered_value(new):
    return collections.OrderedDict((i, new()) for i in range(5))


@shape
def ordered_key(new):
    return collections.OrderedDict((new(), i) for i in range(5))


@shape
def value_of_default_dict(new):
    made = collections.defaultdict(list)
    for i in range(3):
        made[i].append(new())
    return made


@shape
def default_factory(new):
    return collections.defaultdict(functools.partial(list, new()))


@shape
def value_of_chain_map(new):
    return collections.ChainMap({}, {"name": new()})


@shape
def value_of_proxy(new):
    return types.MappingProxyType({"name": new()})


@shape
def value_of_subclass(new):
    made = subclass_of(dict)
    made["name"] = new()
    return made


@shape
def item_of_subclass(new):
    return subclass_of(list, [new()])


@shape
def item_of_tuple_subclass(new):
    return subclass_of(tuple, [new()])


@shape
def nested(new):
    return [[({"name": (new(),)},)]]


@shape
def dict_views(new):
    made = {"name": new()}
    return [made.keys(), made.values(), made.items()]


@shape
def slice_end(new):
    return slice(new(), 1)


@shape
def cycle(new):
    made, other = new(), Plain()
    made.other, other.back = other, made
    return other


@shape
def value_of_weak_keys(new):
    made = Plain()
    weak_keys[made] = new()
    return made


@shape
def queued(new):
    made = queue.Queue()
    made.put(new())
    return made


@shape
def generic_alias(new):
    return types.GenericAlias(list, (new(),))


# ---- functions ------------------------------------------------------------------------------------


@shape
def default_argument(new):
    def function(one=new()):
        pass

    return function


@shape
def keyword_default(new):
    def function(*, one=new()):
        pass

    return function


@shape
def closure(new):
    kept = new()

    def function():
        return kept

    return function


@shape
def wrapped(new):
    kept = new()

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            return kept, function(*args)

        return wrapper

    @decorate
    def made():
        pass

    return made


@shape
def bound_method(new):
    return [inline(new()).method]


@shape
def partial(new):
    return functools.partial(print, new(), end=new())


@shape
def function_attribute(new):
    def function():
        pass

    function.memo = {1: new()}
    return function


@shape
def lru_cache(new):
    @functools.lru_cache(None)
    def cached(argument):
        return argument

    cached(new())
    return cached


@shape
def single_dispatch(new):
    kept = new()

    @functools.singledispatch
    def function(argument):
        pass

    @function.register(int)
    def _(argument):
        return kept

    return function


@shape
def compare_key(new):
    return functools.cmp_to_key(print)(new())


@shape
def item_getter(new):
    return operator.itemgetter(new())


@shape
def exit_stack(new):
    made = contextlib.ExitStack()
    made.callback(print, new())
    return made


# ---- what runs, or will ---------------------------------------------------------------------------


def suspended(argument):
    kept = argument
    yield
    print(kept)


@shape
def generator_local(new):
    made = suspended(new())
    next(made)
    return made


@shape
def generator_argument(new):
    return suspended(new())


async def coroutine(argument):
    await asyncio.Event().wait()
    print(argument)


async def async_suspended(argument):
    yield argument


@shape
def async_generator(new):
    return async_suspended(new())


def failing(argument):
    raise ValueError


@shape
def exception(new):
    try:
        failing(new())
    except ValueError as error:
        return error


@shape
def context_of_exception(new):
    try:
        try:
            failing(new())
        except ValueError:
            raise KeyError from None
    except KeyError as error:
        return error


def current_frame(argument):
    return sys._getframe()


@shape
def frame(new):
    return current_frame(new())


@shape
def thread_local(new):
    made = threading.local()
    made.value = new()
    return made


@shape
def context_variable(new):
    variable.set(new())


@shape
def context(new):
    made, kept = contextvars.copy_context(), new()
    made.run(variable.set, kept)
    return made


@shape
def finalizer(new):
    made = Plain()
    weakref.finalize(made, id, new()).atexit = False
    return made


@shape
def weak_callback(new):
    made, kept = Plain(), new()
    return made, weakref.ref(made, lambda ref, kept=kept: None)


@shape
def log_handler(new):
    class Handler(logging.Handler):
        def __init__(self):
            super().__init__()
            self.value = new()

    logging.getLogger("leak_shapes").addHandler(Handler())


@shape
def future_result(new):
    made = concurrent.futures.Future()
    made.set_result(new())
    return made


@shape
def asyncio_result(new):
    made = loop.create_future()
    made.set_result(new())
    return made


@shape
def asyncio_callback(new):
    made, kept = loop.create_future(), new()
    made.add_done_callback(lambda future, kept=kept: None)
    return made


@shape
def task(new):
    made = loop.create_task(coroutine(new()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    return made


@shape
def call_later(new):
    loop.call_later(100000, print, new())


@shape
def call_soon(new):
    loop.call_soon(print, new())


@shape
def profiler(new):
    kept = new()
    threading.setprofile(lambda *args, kept=kept: None)


# ---- iterators ------------------------------------------------------------------------------------


@shape
def list_iterators(new):
    return [iter([new()]), reversed([new()]), enumerate([new()])]


@shape
def chained(new):
    return [zip([new()]), map(str, [new()]), filter(None, [new()]), itertools.chain([new()])]


@shape
def teed(new):
    return itertools.tee(iter([new(), new()]))


@shape
def sliced(new):
    return [itertools.islice([new()], 3), itertools.product([new()], [1]), itertools.groupby([new()])]
