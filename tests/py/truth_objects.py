# SPDX-License-Identifier: MIT
"""Live objects of the types of the language itself, for truth_app.py: each `make_...` returns what
keeps its objects alive."""

import asyncio
import collections
import contextlib
import contextvars
import enum
import functools
import importlib
import operator
import os
import socket
import sys
import time
import types
import typing
import weakref
from dataclasses import dataclass, field

# ---- dictionaries, attributes, slots ---------------------------------------------------------------


class Plain:
    def __init__(self, **attributes):
        self.first = [1]
        self.second = {"k": [2]}
        self.__dict__.update(attributes)


class Shared:  # attributes in the order of the class's shared keys, some missing, one deleted
    def __init__(self, number):
        self.a = [number]
        self.b = [number + 1]
        if number % 2:
            self.c = [number + 2]
        if number % 3 == 0:
            del self.a


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class SlottedMore(Slotted):
    __slots__ = ("third", "_private", "__mangled")

    def __init__(self):
        self.left, self.third, self._private, self.__mangled = [1], [2], [3], [4]


class SlotsAndDict(SlottedMore):
    def __init__(self):
        super().__init__()
        self.attribute = [5]


class DictChild(dict):
    pass


class DictSlots(dict):
    __slots__ = ("extra",)


class Missing(collections.defaultdict):
    def __missing__(self, key):
        return None


class ListChild(list):
    pass


class ListSlots(list):
    __slots__ = ("extra",)


class TupleChild(tuple):
    pass


class IntChild(int):
    pass


class StrChild(str):
    pass


class BytesChild(bytes):
    pass


class FloatChild(float):
    pass


class SetChild(set):
    pass


class FrozenChild(frozenset):
    pass


class DequeChild(collections.deque):
    pass


class OrderedChild(collections.OrderedDict):
    pass


class ErrorChild(ValueError):
    def __init__(self, *args, extra=None):
        super().__init__(*args)
        self.extra = extra


class GenericBox(typing.Generic[typing.TypeVar("Item")]):
    def __init__(self, item):
        self.item = item


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    x: list
    y: dict = {}


@dataclass
class Data:
    items: list = field(default_factory=list)
    names: dict = field(default_factory=dict)


class Color(enum.Enum):
    RED = [1]
    BLUE = [2]


class Bits(enum.Flag):
    ONE = 1
    TWO = 2


class Meta(type):
    def __new__(mcs, name, bases, namespace, **extra):
        cls = super().__new__(mcs, name, bases, namespace)
        cls.extra = extra
        return cls


class MetaSlots(type):
    label = "a metaclass"


class WithMeta(metaclass=Meta, option=[1]):
    inner: "list[int]" = [2]


class WithMetaSlots(metaclass=MetaSlots):
    __slots__ = ("value",)


def with_value(obj, name, value):
    setattr(obj, name, value)
    return obj


def make_dicts():
    many = {i: [i] for i in range(300)}
    for i in range(0, 300, 7):
        del many[i]
    mixed = {"text": [1], 7: [2], ("a", "b"): [3], None: [4], frozenset([9]): [5], 2.5: [6]}
    ordered = collections.OrderedDict((f"key{i}", [i]) for i in range(40))
    for i in range(0, 40, 3):
        del ordered[f"key{i}"]
    ordered.move_to_end("key1")
    ordered.move_to_end("key2", last=False)
    small = collections.OrderedDict(a=[1])
    small.attribute = [2]
    plain = [Plain() for _ in range(3)]
    plain.append(Plain(more=[3], **{f"x{i}": [i] for i in range(60)}))
    seen = Plain()
    seen_dict = seen.__dict__
    cleared = Plain()
    cleared.__dict__.clear()
    replaced = Plain()
    replaced.__dict__ = {"only": [1]}
    general = Plain()
    general.__dict__[5] = [5]
    child = DictChild(a=[1])
    child.attribute = [2]
    with_slot = with_value(DictSlots({1: [1]}), "extra", [3])
    factory = collections.defaultdict(lambda: [0], {"a": [1]})
    missing = with_value(Missing(list, {1: [2]}), "attribute", [3])
    counter = collections.Counter("mississippi")
    chain = collections.ChainMap({"a": [1]}, {"b": [2]})
    wide = {"é%d" % i: [i] for i in range(30)}
    empty = [{}, {"a": 1}, dict.fromkeys("abc"), {**mixed}]
    proxies = [types.MappingProxyType(mixed), types.MappingProxyType(chain), Plain.__dict__]
    views = [
        mixed.keys(),
        mixed.values(),
        mixed.items(),
        ordered.keys(),
        ordered.values(),
        ordered.items(),
        iter(ordered),
        iter(ordered.items()),
        reversed(ordered),
        iter(ordered.values()),
    ]
    shared = [Shared(i) for i in range(12)]
    user = [collections.UserDict(a=[1]), collections.UserList([[1]]), collections.UserString("x")]
    ordered_child = with_value(OrderedChild(a=[1], b=[2]), "attribute", [3])
    return locals()


def make_instances():
    slotted = with_value(Slotted(), "right", [1])
    more, both = SlottedMore(), SlotsAndDict()
    ints = [
        with_value(IntChild(2**70), "attribute", [1]),
        IntChild(-5),
        IntChild(0),
        True,
        2**200,
        -(2**65),
        0,
        1,
        2**30,
        10**18,
    ]
    texts = [
        with_value(StrChild("text"), "attribute", [1]),
        StrChild("été"),
        "ascii",
        "été",
        "日本語",
        "\U0001f600" * 3,
        "",
        StrChild(""),
        sys.intern("a_name"),
        "\x00" * 70000,
    ]
    "日本語 with utf8 cached".encode()
    hashable = {text: None for text in texts}
    data = [
        with_value(BytesChild(b"bytes"), "attribute", [1]),
        b"",
        b"x" * 70000,
        bytearray(b"abc"),
        bytearray(),
    ]
    data[3].extend(b"more and more")
    floats = [with_value(FloatChild(1.5), "attribute", [1]), 1.5, 1 + 2j]
    boxes = [
        GenericBox([1]),
        Point([1], [2]),
        Typed([3]),
        Data([4]),
        Color.RED,
        Bits.ONE | Bits.TWO,
    ]
    spaces = [types.SimpleNamespace(a=[1], b={"c": [2]}), object(), Ellipsis, NotImplemented]
    metas = [WithMeta, WithMeta(), with_value(WithMetaSlots(), "value", [1]), Meta, MetaSlots]
    many_slots = type("ManySlots", (), {"__slots__": [f"s{i}" for i in range(30)]})()
    many_slots.s7 = [7]
    return locals()


# ---- sequences, sets -------------------------------------------------------------------------------


def make_sequences():
    deep = [[1]]
    for _ in range(100):
        deep = [deep]
    lists = [
        [],
        [1],
        [[1], [2]],
        list(range(1000)),
        ListChild([[1]]),
        with_value(ListSlots([1]), "extra", [2]),
        with_value(ListChild(), "attribute", [3]),
    ]
    lists[1].append([2])
    tuples = [
        (),
        ([1],),
        ([1], [2]),
        with_value(TupleChild(([1],)), "attribute", [2]),
        (1, 2, 3),
        TupleChild(),
        tuple([i] for i in range(300)),
    ]
    sequences = [
        os.stat("/"),
        time.localtime(),
        sys.flags,
        sys.float_info,
        sys.version_info,
        os.times(),
        sys.thread_info,
        sys.hash_info,
        os.uname(),
        time.gmtime(),
        os.stat_result(range(10), {"st_atime": [1]}),
        os.terminal_size((80, 25)),
    ]
    sets = [
        set(),
        {1, 2},
        {(1, 2), "a"},
        set(map(str, range(200))),
        frozenset([1]),
        frozenset(),
        frozenset(range(50)),
        with_value(SetChild(["a"]), "attribute", [1]),
        with_value(FrozenChild(["b"]), "attribute", [2]),
    ]
    sets[3] -= {str(i) for i in range(150)}
    of_objects = {Plain(), Plain(), Slotted()}
    deque = collections.deque([[i] for i in range(500)])
    deque.rotate(77)
    for _ in range(100):
        deque.popleft()
    bounded = collections.deque(([i] for i in range(90)), maxlen=70)
    deques = [
        deque,
        bounded,
        collections.deque(),
        with_value(DequeChild([[1]]), "attribute", [2]),
        iter(deque),
        reversed(deque),
    ]
    ranges = [
        range(10),
        range(2**70),
        range(5, 100, 3),
        slice(1, 2, 3),
        slice([1], None),
        iter(range(5)),
        iter(range(2**70)),
    ]
    cyclic = []
    cyclic.append(cyclic)
    return locals()


# ---- functions and what they are made of -----------------------------------------------------------


def outer(captured, other):
    unset = None

    def inner(x, y=[1], *args, z={"k": [2]}, **kwargs) -> list:
        """Says nothing."""
        return captured, other, unset, x, y, z

    def empty():
        return never

    if other == "never":
        never = 1
    return inner, empty


def annotated(a: "int", b: list = [1]) -> dict:
    return {}


class Methods:
    def method(self):
        return self

    @classmethod
    def cmethod(cls):
        return cls

    @staticmethod
    def smethod():
        return None

    @property
    def prop(self):
        """A property."""
        return self

    @prop.setter
    def prop(self, value):
        self.value = value

    @functools.cached_property
    def cached(self):
        return [1]

    @functools.lru_cache(maxsize=None)
    def unbounded(self, x):
        return [x]

    @functools.singledispatchmethod
    def dispatched(self, x):
        return x

    partial = functools.partialmethod(method)


@functools.lru_cache(maxsize=8)
def bounded_cache(x, y=None):
    return [x, y]


@functools.singledispatch
def dispatched(x):
    return x


@contextlib.contextmanager
def managed(x):
    yield [x]


def make_functions():
    inner, empty = outer([1], {"a": [2]})
    inner.attribute = [3]
    obj = Methods()
    cached = obj.cached
    results = [obj.unbounded(i) for i in range(20)] + [bounded_cache(i, y=(i,)) for i in range(20)]
    bound = [
        obj.method,
        Methods.cmethod,
        obj.smethod,
        "".join,
        [].append,
        len,
        dict.fromkeys,
        obj.partial,
        object().__str__,
        [].__len__,
        obj.prop,
        int.__add__,
        (5).__add__,
        Methods.__dict__["cmethod"],
        Methods.__dict__["smethod"],
        Methods.__dict__["prop"],
    ]
    with contextlib.suppress(AttributeError):
        Methods.__dict__["smethod"].attribute = [4]
    partials = [
        functools.partial(inner, [1], z=[2]),
        functools.partial(len),
        functools.partial(functools.partial(inner, 1), 2),
    ]
    partials[0].attribute = [5]
    key = functools.cmp_to_key(lambda a, b: 0)
    keys = [key, key([1])]
    getters = [
        operator.itemgetter(1),
        operator.itemgetter(1, "a"),
        operator.attrgetter("a"),
        operator.attrgetter("a.b", "c"),
        operator.methodcaller("f", [1], k=[2]),
    ]
    cells = [*inner.__closure__, *empty.__closure__, types.CellType(), types.CellType([1])]
    codes = [
        inner.__code__,
        compile("a = [1]\ndef f(): return lambda: a", "<text>", "exec"),
        compile("x", "<text>", "eval"),
    ]
    attributes_of_code = [
        c.co_code and (c.co_varnames, c.co_cellvars, c.co_freevars) for c in codes
    ]
    supers = [super(SlotsAndDict, SlotsAndDict()), super(Methods)]
    module = types.ModuleType("made_by_hand", "doc")
    module.content = [1]
    namespace = {}
    exec("class Made:\n    x = [1]\n    def f(self): return __class__\n", namespace)
    return locals()


def make_modern():
    """What newer grammars have, as far as this interpreter knows it."""
    made = {}
    sources = {
        "group": "group = ExceptionGroup('many', [ValueError([1]), OSError(2, 'no')])",
        "note": "e = ValueError(1)\ne.add_note('a note')\nnote = e",
        "params": "class Box[T: (int, str)]:\n    def f[U](self, x: U) -> T: return x\n"
        "type Alias[K] = dict[K, list]\ndef g[*Ts, **P](): pass\nparams = [Box, Alias, g]",
        "match": "match [1]:\n    case [x]: match_value = x",
        "union": "union = [int | None, list[int] | str]",
        "batched": "import itertools\nbatched = itertools.batched([[1], [2]], 2)",
        "pairwise": "import itertools\npairwise = itertools.pairwise([[1], [2]]); next(pairwise)",
    }
    for name, source in sources.items():
        namespace = {"__name__": name}
        with contextlib.suppress(SyntaxError, NameError, AttributeError, TypeError):
            exec(source, namespace)
        made[name] = namespace
    return made


# ---- frames, generators, exceptions ----------------------------------------------------------------


def raises(value):
    local = [value]
    raise ErrorChild("wrong", value, extra={"local": local})


def chained():
    try:
        try:
            raises([1])
        except ValueError as err:
            raise KeyError("inner", [2]) from err
    except KeyError:
        raise RuntimeError([3])


def caught(function, *args):
    try:
        function(*args)
    except BaseException as err:
        return err
    raise AssertionError("nothing was raised")


def make_exceptions():
    with_cause = caught(chained)
    errors = [
        with_cause,
        caught(raises, 5),
        caught(open, "/no/such/file"),
        caught(next, iter(())),
        caught(compile, "a b", "<text>", "exec"),
        caught(b"\xff".decode),
        caught("é".encode, "ascii"),
        caught(importlib.import_module, "no_such_module"),
        caught(int, "x"),
        caught(lambda: {}[1]),
        caught(lambda: [].nothing),
        caught(eval, "nothing"),
        StopIteration([1]),
        OSError(1, "a", "f"),
        OSError(17, "a", "f", None, "g"),
        SystemExit([2]),
        UnicodeTranslateError("é", 0, 1, "bad"),
        BlockingIOError(1, "b", 5),
        KeyboardInterrupt(),
        StopAsyncIteration([3]),
        MemoryError(),
    ]
    errors[1].attribute = [4]
    errors[1].__notes__ = ["a note"]
    traceback = with_cause.__traceback__
    frame = traceback.tb_frame
    return locals()


def numbers(limit, box):
    kept = [box]
    for i in range(limit):
        yield [i, kept]


def delegates(box):
    own = [box]
    yield from numbers(5, own)


def handling(box):
    try:
        raise ValueError(box)
    except ValueError as err:
        again = err
        yield again


async def agen(box):
    kept = [box]
    yield kept
    yield [2]


async def waits(future, box):
    kept = {"box": box}
    return await future, kept


@types.coroutine
def old_style(box):
    yield box


async def awaits_old(box):
    await old_style(box)


def receives():
    while True:
        got = yield
        del got


def make_generators():
    gens = [numbers(5, [1]), delegates([2]), handling([3]), receives(), (x for x in [[1], [2]])]
    for gen in gens:
        next(gen)
    fresh = numbers(9, [4])
    done = numbers(0, [5])
    list(done)
    failed = handling([6])
    next(failed)
    caught(failed.throw, KeyError, KeyError(1))
    coroutines = [awaits_old([7]), awaits_old([8])]
    coroutines[0].send(None)
    wrapper = coroutines[0].__await__() if False else awaits_old([9]).__await__()
    asyncgens = [agen([1]), agen([2]), agen([3])]
    asend = asyncgens[0].asend(None)
    caught(asend.send, None)
    waiting = [
        asyncgens[1].asend(None),
        asyncgens[1].__anext__(),
        asyncgens[2].athrow(ValueError),
        asyncgens[2].aclose(),
    ]
    frames = [gens[0].gi_frame, coroutines[0].cr_frame, asyncgens[0].ag_frame]
    context = managed([1])
    entered = managed([2])
    entered.__enter__()
    return locals()


def make_frames():
    def nested(depth):
        kept = [depth]
        if depth:
            return nested(depth - 1)
        return sys._getframe(), kept

    frame, _ = nested(5)
    class_frame = None

    class InClass:
        value = [1]
        frame = sys._getframe()

    class_frame = InClass.frame
    frame_locals = frame.f_locals
    traced = sys._getframe()
    return {"frame": frame, "class": class_frame, "locals": frame_locals, "own": traced}


# ---- weak references, contexts, asyncio ------------------------------------------------------------


class Target:
    pass


def make_weak():
    targets = [Target() for _ in range(9)]
    log = []
    refs = [
        weakref.ref(targets[0]),
        weakref.ref(targets[0], log.append),
        weakref.ref(targets[1], lambda ref: log.append(ref)),
        weakref.ref(Target()),
        weakref.proxy(targets[2]),
        weakref.proxy(targets[2], log.append),
        weakref.proxy(raises),
        weakref.WeakMethod(Methods.cmethod),
    ]
    values = weakref.WeakValueDictionary((i, t) for i, t in enumerate(targets))
    by_key = weakref.WeakKeyDictionary((t, [i]) for i, t in enumerate(targets))
    weakset = weakref.WeakSet(targets)
    finalizer = weakref.finalize(
        targets[3],
        log.append,
        [1],
    )
    return locals()


def contexts_of(count, key_of=None):
    variables = [contextvars.ContextVar(f"v{i}", default=[i]) for i in range(count)]
    context = contextvars.copy_context()
    tokens = context.run(lambda: [var.set([i]) for i, var in enumerate(variables)])
    return context, variables, tokens


def colliding_variables():
    """Two variables whose hashes a context cannot tell apart; by chance, so perhaps none."""
    seen = {}
    for i in range(150_000):
        var = contextvars.ContextVar(f"chance{i}")
        short = (hash(var) ^ hash(var) >> 32) & 0xFFFFFFFF
        if short in seen:
            return [seen[short], var]
        seen[short] = var
    return None


def make_contexts():
    made = [contexts_of(count) for count in (1, 20, 2000)]
    pair = colliding_variables()
    context = contextvars.copy_context()
    if pair:
        context.run(lambda: [var.set([i]) for i, var in enumerate(pair)])
    current = contextvars.ContextVar("current")
    token = current.set([1])
    views = [
        context.keys(),
        context.values(),
        context.items(),
        iter(made[1][0]),
        iter(made[1][0].items()),
    ]
    missing = contextvars.Token.MISSING
    return locals()


async def gather_some(loop, keep):
    box = [1]
    futures = [loop.create_future() for _ in range(7)]
    futures[0].set_result([1])
    futures[1].set_exception(ValueError([2]))
    futures[2].cancel("told to")
    for _ in range(3):
        futures[3].add_done_callback(box.append)
    futures[4].add_done_callback(box.append)
    futures[5].attribute = [3]
    futures[1].exception()  # or it warns when it goes
    tasks = [loop.create_task(waits(futures[3], [i])) for i in range(3)]
    ready = loop.create_task(waits(futures[0], [9]))
    failing = loop.create_task(waits(futures[1], [9]))
    failing.add_done_callback(asyncio.Task.exception)
    cancelled = loop.create_task(waits(futures[4], [9]))
    gathered = asyncio.gather(futures[5], return_exceptions=True)
    shielded = asyncio.shield(futures[3])
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    queue_, lock, event = asyncio.Queue(), asyncio.Lock(), asyncio.Event()
    getter = loop.create_task(queue_.get())
    waiter = loop.create_task(event.wait())
    timer = loop.call_later(3600, box.append, [1])
    iterator = futures[6].__await__()
    iterator.send(None)
    reading, writing = socket.socketpair()
    loop.add_reader(reading.fileno(), box.append, [2])
    server = await asyncio.start_server(print, "127.0.0.1", 0)
    await asyncio.sleep(0)
    never_started = loop.create_task(waits(futures[3], [10]))
    keep.update(locals())


def make_asyncio():
    keep = {}
    loop = asyncio.new_event_loop()
    loop.run_until_complete(gather_some(loop, keep))
    keep["loop"] = loop
    return keep
