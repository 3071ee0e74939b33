# SPDX-License-Identifier: MIT
"""A program to judge the accuracy from outside by: written after the decoders were done, and nothing
was tuned on it. If a number for it is bad, it stays in docs/accuracy.md; mend the decoders with
another program at hand.

`build()` imports most of the standard library and returns what keeps objects of many kinds alive.
"""

import contextlib
import importlib
import os
import pkgutil

# What would open windows, print, or start something when imported.
LEAVE_OUT = {"antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter", "lib2to3", "test"}
MORE = """
asyncio.subprocess asyncio.windows_utils concurrent.futures.process ctypes.wintypes curses.ascii
distutils.core email.mime.audio email.mime.multipart email.generator encodings.cp437 encodings.koi8_r
encodings.utf_7 html.entities http.cookiejar importlib.metadata importlib.resources json.tool
logging.config logging.handlers multiprocessing.managers multiprocessing.shared_memory os.path
sqlite3.dump unittest.mock urllib.robotparser wsgiref.validate xml.dom.pulldom xml.etree.cElementTree
xml.sax.saxutils xmlrpc.server zoneinfo
"""


def import_library():
    folder = os.path.dirname(os.__file__)
    names = {m.name for m in pkgutil.iter_modules([folder, os.path.join(folder, "lib-dynload")])}
    public = {name for name in names if not name.startswith("_")}
    found = []
    for name in [*sorted(public - LEAVE_OUT), *MORE.split()]:
        with contextlib.suppress(Exception):
            found.append(importlib.import_module(name))
    return found


def make_code():
    import ast
    import dis
    import inspect
    import io
    import symtable
    import tokenize
    import traceback

    source = inspect.getsource(ast)
    try:
        {}["x"].y
    except KeyError as err:
        told = traceback.TracebackException.from_exception(err, capture_locals=True)
    return [
        ast.parse(source),
        list(tokenize.generate_tokens(io.StringIO(source).readline)),
        symtable.symtable(source, "ast.py", "exec"),
        [inspect.signature(v) for v in vars(inspect).values() if inspect.isfunction(v)],
        list(dis.get_instructions(compile(source, "ast.py", "exec"))),
        inspect.getmembers(ast.NodeVisitor),
        told,
        inspect.stack(),
    ]


def make_text():
    import argparse
    import configparser
    import difflib
    import email.message
    import email.policy
    import html.parser
    import io
    import optparse
    import string
    import textwrap
    import xml.dom.minidom

    parser = argparse.ArgumentParser("x", parents=[argparse.ArgumentParser(add_help=False)])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--one", action="append", default=[[1]])
    group.add_argument("--two", type=lambda text: [text])
    more = parser.add_subparsers().add_parser("more")
    more.set_defaults(call=make_code)
    config = configparser.ConfigParser()
    config.read_string("[a]\nb = 1\nc = %(b)s\n[d]\n")
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "hi"
    message["To"] = "a@b.c, d@e.f"
    message.set_content("text")
    message.add_alternative("<b>text</b>", subtype="html")
    reader = html.parser.HTMLParser()
    reader.feed("<a href='x'>y<b")
    options = optparse.OptionParser()
    options.add_option("-x", action="store", dest="x")
    return [
        parser,
        parser.parse_args(["--one", "5"]),
        config,
        message,
        message["To"].addresses,
        reader,
        options,
        difflib.SequenceMatcher(None, "abcd", "bcde").get_opcodes(),
        list(difflib.unified_diff(["a", "b"], ["b", "c"])),
        string.Template("$a $b"),
        textwrap.TextWrapper(width=5),
        xml.dom.minidom.parseString("<a b='c'><d>e</d></a>"),
        io.StringIO("x").readlines(),
    ]


def make_classes():
    import abc
    import collections
    import dataclasses
    import enum
    import functools
    import types
    import typing

    class Base(abc.ABC):
        __slots__ = ("a", "__dict__")

        @abc.abstractmethod
        def run(self): ...

    class Mixed(Base, collections.UserDict):
        def run(self):
            return super().run

        @functools.cached_property
        def once(self):
            return [self]

        @functools.singledispatchmethod
        def by_type(self, arg):
            return arg

        partly = functools.partialmethod(run, 1)

    class Wide:
        __slots__ = tuple(f"s{i}" for i in range(60))

    class Kind(enum.IntFlag):
        A = 1
        B = 2
        BOTH = A | B

    @dataclasses.dataclass(order=True, frozen=True)
    class Row:
        x: int
        y: list = dataclasses.field(default_factory=list, compare=False)

    class Named(typing.NamedTuple):
        left: list
        right: "Named" = None

    class Speaks(typing.Protocol):
        def speak(self) -> str: ...

    class Count(int):
        __slots__ = ()

    class Words(list):
        __slots__ = ("extra", "__weakref__")

    class Pairs(tuple):
        def __new__(cls, *items):
            made = super().__new__(cls, items)
            made.more = [items]
            return made

    mixed, wide, words = Mixed(k=[1]), Wide(), Words([[1], [2]])
    mixed.a, mixed.other = [2], {"z": mixed.once}
    wide.s3, wide.s59 = [3], wide
    words.extra = {1: words}
    made = types.new_class("Made", (Mixed,), {}, lambda ns: ns.update(attr=[4]))
    return [
        mixed,
        mixed.run,
        mixed.partly,
        Mixed.by_type,
        wide,
        words,
        made(x=1),
        list(Kind),
        [Row(i, [i]) for i in range(50)],
        Named([1], Named([2])),
        Speaks,
        [Count(i) for i in (5, 10**30)],
        Pairs([1], [2]),
        types.SimpleNamespace(a=[1], b=types.MappingProxyType({"c": [2]})),
        dataclasses.fields(Row),
        collections.ChainMap({"a": [1]}, {"b": [2]}),
        collections.Counter("mississippi"),
        collections.OrderedDict((i, [i]) for i in range(40)),
        collections.defaultdict(list, {i: [i] for i in range(40)}),
        {i: {j: [j] for j in range(3)} for i in range(300)},
        [{"name": i, "value": [i]} for i in range(300)],
    ]


def make_machinery():
    import asyncio
    import concurrent.futures
    import contextlib
    import contextvars
    import heapq
    import itertools
    import logging
    import logging.handlers
    import queue
    import sched
    import threading
    import unittest
    import unittest.mock
    import weakref

    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.add_done_callback(lambda done: done)

    async def waits(*args):
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(print, args)
            return await future

    async def generates():
        held = [1]
        yield held

    tasks = [loop.create_task(waits(i, [i])) for i in range(20)]
    loop.call_later(1000, print, [1])
    loop.run_until_complete(asyncio.sleep(0))
    variable = contextvars.ContextVar("variable", default=[1])
    contexts = [contextvars.copy_context() for _ in range(5)]
    for i, context in enumerate(contexts):
        context.run(variable.set, [i])
    pool = concurrent.futures.ThreadPoolExecutor(2)
    results = [pool.submit(list, [i]) for i in range(20)]
    concurrent.futures.wait(results)
    logger = logging.getLogger("heldout.a.b")
    logger.addHandler(logging.handlers.MemoryHandler(10, target=logging.NullHandler()))
    logger.warning("hi %s", [1])
    mock = unittest.mock.MagicMock(name="m", spec=dict)
    mock.get(1, [2])
    events = sched.scheduler()
    events.enter(10, 1, print, ([1],), {"sep": " "})
    heap = []
    for i in range(100):
        heapq.heappush(heap, (-i, [i]))
    jobs = queue.PriorityQueue()
    jobs.put((1, [2]))
    finalizer = weakref.finalize(logger, print, [3])
    proxies = [weakref.proxy(logger), weakref.WeakMethod(logger.warning)]
    weak = weakref.WeakKeyDictionary({logger: [4]})
    members = weakref.WeakSet([logger, pool])
    running = generates()
    steps = (x for x in [[1], [2]])
    next(steps)
    lock = threading.Condition(threading.RLock())
    chained = itertools.chain(*[itertools.tee(iter([[i]])) for i in range(5)])
    next(chained)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(unittest.TestCase)
    return {name: value for name, value in locals().items() if not name.startswith("_")}


def make_data():
    import array
    import datetime
    import decimal
    import fractions
    import graphlib
    import gzip
    import io
    import ipaddress
    import json
    import lzma
    import pickle
    import plistlib
    import random
    import re
    import shelve
    import sqlite3
    import statistics
    import struct
    import tarfile
    import urllib.parse
    import urllib.request
    import uuid
    import zipfile

    archive = zipfile.ZipFile(io.BytesIO(), "w")
    archive.writestr("a", "b")
    tar = tarfile.open(fileobj=io.BytesIO(), mode="w")
    tar.addfile(tarfile.TarInfo("x"))
    db = sqlite3.connect(":memory:", factory=type("Own", (sqlite3.Connection,), {}))
    db.execute("create table t (a, b)")
    db.executemany("insert into t values (?, ?)", [(i, str(i)) for i in range(20)])
    rows = db.execute("select * from t")
    rows.fetchmany(3)
    sorter = graphlib.TopologicalSorter({"a": {"b"}, "b": {"c"}})
    sorter.prepare()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": "x"}))
    request = urllib.request.Request("http://localhost/", headers={"A": "b"}, data=b"x")
    scanner = re.compile(r"(?P<a>\w+)(?:(b)|c)*", re.X)
    copies = pickle.loads(pickle.dumps([{"a": [i], "b": (i, [i])} for i in range(50)]))
    return [
        archive,
        tar,
        db,
        rows,
        sorter,
        opener,
        request,
        [scanner.match(text) for text in ("abc", "xbb")],
        copies,
        json.loads(json.dumps({str(i): [i, {"x": None}] for i in range(100)})),
        plistlib.loads(plistlib.dumps({"a": [1, {"b": b"c"}]})),
        gzip.GzipFile(fileobj=io.BytesIO(), mode="w"),
        lzma.LZMAFile(io.BytesIO(), "w"),
        shelve.Shelf({}),
        [ipaddress.ip_network(f"10.0.{i}.0/24") for i in range(20)],
        [uuid.uuid4() for _ in range(20)],
        [fractions.Fraction(i, 7) for i in range(20)],
        [decimal.Decimal(i) / 7 for i in range(20)],
        [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc) for _ in range(20)],
        datetime.timezone(datetime.timedelta(hours=3), "X"),
        statistics.NormalDist(0, 1),
        random.Random(3),
        struct.Struct("<ii"),
        array.array("d", [1.5] * 20),
        urllib.parse.urlsplit("http://a.b:80/c?d=e#f"),
        memoryview(bytearray(100))[5:50:3],
    ]


def build():
    return [
        import_library(),
        make_code(),
        make_text(),
        make_classes(),
        make_machinery(),
        make_data(),
    ]
