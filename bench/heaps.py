# SPDX-License-Identifier: MIT
"""Heaps to measure on: a name, a number of objects and a seed give the same objects every time.

A builder makes about `num` objects beyond those of the interpreter and returns something that keeps
them alive. In each heap 137 objects of the class Leaked are alive for two reasons that are known
(leak), so that there is a question to ask.
"""
from __future__ import annotations

import ast
import os
import random
import sys
import sysconfig
import warnings
import weakref
from typing import Any, Callable, Dict, List

# ---- the question --------------------------------------------------------------------------------
# Applications of a message queue that sent one message each, as in celery issue 1949: the transport
# is 17 references away from the registry that holds it, and the way is full of references back.

LEAKED = 137
CACHED = 100


class Leaked:
    """What `why` is asked about: the transport of a connection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.address = ("10.0.0.1", 40000 + number)


class MethodReader:
    def __init__(self, transport: Leaked) -> None:
        self.source = transport
        self.bodies: Dict[int, List[bytes]] = {}


class WireConnection:
    def __init__(self, number: int) -> None:
        self.method_reader = MethodReader(Leaked(number))
        self.channels: Dict[int, Any] = {}


class Connection:
    def __init__(self, number: int) -> None:
        self.wire = WireConnection(number)
        self.declared: set = set()


class Channel:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.callbacks: Dict[str, Any] = {"close": self.close}
        connection.wire.channels[1] = self

    def close(self) -> None:
        self.connection.wire.channels.clear()


class Producer:
    def __init__(self, pool: Any, channel: Channel) -> None:
        self.pool = pool
        self.channel = channel
        self.publish = self._publish

    def _publish(self) -> None:
        self.channel.close()


class Waiting:
    def __init__(self) -> None:
        self.queue: List[Producer] = []


class ProducerPool:
    def __init__(self, app: Any, number: int) -> None:
        self.app = app
        self.resource = Waiting()
        self.resource.queue.append(Producer(self, Channel(Connection(number))))


class Protocol:
    def __init__(self, app: Any, number: int) -> None:
        self.app = app
        self.producer_pool = ProducerPool(app, number)


class Loader:
    def __init__(self, app: Any) -> None:
        self.app = app


class App:
    def __init__(self, number: int) -> None:
        self.protocol = Protocol(self, number)
        self.loader = Loader(self)
        after_fork[number, id(self), self.reset] = self  # the bound method in the key: the leak

    def reset(self) -> None:
        self.protocol = None  # type: ignore[assignment]


class Ticket:
    """Held by a dict of this module: three references from a root."""


class Session:
    """One object that 300 others refer to, as a configuration or a logger is referred to."""


class Request:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.headers = {"host": "example.org"}


class Batch:
    def __init__(self, session: Session) -> None:
        self.requests = [Request(session) for _ in range(30)]


class Inbox:
    def __init__(self) -> None:
        session = Session()
        self.batches = {number: Batch(session) for number in range(10)}


after_fork: Any = weakref.WeakValueDictionary()
desk: Dict[int, Ticket] = {}
inbox: Any = None
find_backend: Any = None  # its closure `cache` holds the newest applications


def _cached() -> Callable[[Any], Any]:
    cache: Dict[Any, str] = {}

    def find_backend(loader: Any) -> str:
        if len(cache) >= CACHED:
            del cache[next(iter(cache))]
        return cache.setdefault(("disabled", loader), "backend")

    return find_backend


def leak() -> None:
    """LEAKED transports held by `after_fork`, CACHED of them by the cache of `find_backend` too."""
    global find_backend, inbox
    find_backend = _cached()
    inbox = Inbox()
    for number in range(LEAKED):
        find_backend(App(number).loader)
        desk[number] = Ticket()


# ---- flat heaps ----------------------------------------------------------------------------------


class Item:
    def __init__(self, i: int) -> None:
        self.number = i + 1000
        self.name = "item-%d" % i


class Link:
    __slots__ = ("next", "value")

    def __init__(self, following: Any, value: int) -> None:
        self.next = following
        self.value = value


def inline(num: int, rng: random.Random) -> Any:
    """Instances whose attributes lie in the object (3.11 and later), an int and a str each."""
    return [Item(i) for i in range(num // 3)]


def inst(num: int, rng: random.Random) -> Any:
    """Instances with a real `__dict__`, an int and a str each."""
    items = [Item(i) for i in range(num // 4)]
    for item in items:
        item.__dict__
    return items


def dicts(num: int, rng: random.Random) -> Any:
    """Small dicts that hold a list, so that the collector tracks them."""
    return [{"number": i + 1000, "parts": [i + 2000]} for i in range(num // 4)]


def lists(num: int, rng: random.Random) -> Any:
    """Lists of one list and one int."""
    return [[[], i + 1000] for i in range(num // 3)]


def tuples(num: int, rng: random.Random) -> Any:
    """Lists of 1,000 pairs (int, str), which the collector stops tracking."""
    return [[(i + j, "pair-%d" % (i + j)) for j in range(1000, 2000)]
            for i in range(0, num // 3, 1000)]


def chain(num: int, rng: random.Random) -> Any:
    """One linked list; instances with slots."""
    link = None
    for i in range(num // 2):
        link = Link(link, i + 1000)
    return link


def wide(num: int, rng: random.Random) -> Any:
    """One dict of str -> list of one int."""
    return {"key-%d" % i: [i + 1000] for i in range(num // 3)}


# ---- scattered heaps -----------------------------------------------------------------------------


def shuffled(num: int, rng: random.Random) -> Any:
    """Like inline, but the list, and so the collector's, is not in the order of addresses."""
    items = [Item(i) for i in range(num // 3)]
    rng.shuffle(items)
    return items


def _sources(rng: random.Random) -> List[str]:
    root = sysconfig.get_path("stdlib")
    paths = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(s for s in subfolders if s not in ("site-packages", "__pycache__"))
        paths += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    rng.shuffle(paths)
    return paths


class _Forest:
    """Parsed modules of the standard library, up to a number of objects."""

    def __init__(self, num: int, rng: random.Random) -> None:
        self._goal = sys.getallocatedblocks() + int(num * self._blocks_an_object())
        self._paths = _sources(rng)
        self._next = 0
        self.trees: List[ast.AST] = []

    @staticmethod
    def _blocks_an_object() -> float:  # lists, dicts and instances have blocks beside the object
        return 1.32 if sys.version_info >= (3, 13) else 1.27

    def _parse_next(self) -> None:
        path = self._paths[self._next % len(self._paths)]
        self._next += 1
        try:
            with open(path, "rb") as file:
                self.trees.append(ast.parse(file.read()))
        except (SyntaxError, ValueError, RecursionError):
            pass  # the standard library tests the parser with such files

    def grow(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while sys.getallocatedblocks() < self._goal:
                self._parse_next()

    def drop_half(self, rng: random.Random) -> None:
        rng.shuffle(self.trees)
        del self.trees[len(self.trees) // 2:]


def ast_trees(num: int, rng: random.Random) -> Any:
    """Syntax trees of the standard library, kept."""
    forest = _Forest(num, rng)
    forest.grow()
    return forest.trees


def aged(num: int, rng: random.Random) -> Any:
    """The same, but half of the trees dropped at random and others parsed instead, three times."""
    forest = _Forest(num, rng)
    forest.grow()
    for _ in range(3):
        forest.drop_half(rng)
        forest.grow()
    return forest.trees


HEAPS: Dict[str, Callable[[int, random.Random], Any]] = {
    "inline": inline, "inst": inst, "dicts": dicts, "lists": lists, "tuples": tuples,
    "chain": chain, "wide": wide, "shuffled": shuffled, "ast": ast_trees, "aged": aged,
}


def build(name: str, num: int, seed: int = 1) -> Any:
    """Make the heap `name` of about `num` objects, and the leak. Keep what is returned."""
    leak()
    return HEAPS[name](num, random.Random(seed))
