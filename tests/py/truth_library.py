# SPDX-License-Identifier: MIT
"""Live objects of the types that modules of the standard library bring, for truth_app.py."""

import array
import ast
import collections
import contextlib
import csv
import ctypes
import datetime
import decimal
import email
import fractions
import hashlib
import hmac
import importlib
import io
import itertools
import json
import logging
import mmap
import operator
import os
import pathlib
import pickle
import queue
import random
import re
import selectors
import socket
import struct
import tempfile
import typing
import xml.etree.ElementTree
import zlib

from truth_objects import GenericBox, Plain, Target, annotated

# ---- iterators -------------------------------------------------------------------------------------


class OldSequence:
    def __len__(self):
        return 10

    def __getitem__(self, index):
        if index > 9:
            raise IndexError
        return [index]


def make_iterators():
    rows = [[i] for i in range(6)]
    table = {"a": [1], 2: [2]}
    it = itertools
    made = [
        it.count([1] and 5, 2),
        it.count(2.5),
        it.cycle(rows),
        it.repeat([1]),
        it.repeat([1], 5),
        it.chain(rows, rows),
        it.chain.from_iterable(rows),
        it.compress(rows, [1, 0, 1, 1]),
        it.dropwhile(lambda x: x == [0], rows),
        it.filterfalse(None, rows),
        it.groupby(rows, str),
        it.islice(rows, 1, 5),
        it.starmap(Plain, [()] * 3),
        it.takewhile(bool, rows),
        *it.tee(rows, 3),
        it.zip_longest(rows, [1], fillvalue=[9]),
        it.product(rows, rows),
        it.permutations(rows, 2),
        it.combinations(rows, 2),
        it.combinations_with_replacement(rows, 2),
        it.accumulate(rows),
        it.accumulate(rows, operator.add, initial=[]),
        map(operator.eq, rows, rows),
        filter(None, rows),
        zip(rows, table),
        enumerate(rows),
        reversed(rows),
        reversed(OldSequence()),
        iter(OldSequence()),
        iter(rows),
        iter(tuple(rows)),
        iter({1, 2}),
        iter(frozenset([1, 2])),
        iter(table),
        iter(table.values()),
        iter(table.items()),
        reversed(table),
        reversed(table.values()),
        reversed(table.items()),
        iter("text"),
        iter("été"),
        iter(b"bytes"),
        iter(bytearray(b"abc")),
        iter(lambda: [1], [2]),
        iter(array.array("i", [1, 2])),
        iter(memoryview(b"abc")),
        re.finditer("a", "banana"),
        iter(typing.List[int].__args__),
        iter(io.StringIO("a\nb")),
        iter(csv.reader(["a,b", "c,d"])),
        os.scandir("/"),
        struct.iter_unpack("<h", b"abcd"),
        iter(xml.etree.ElementTree.fromstring("<a><b/></a>")),
        xml.etree.ElementTree.fromstring("<a>t<b/>u</a>").iter(),
        xml.etree.ElementTree.fromstring("<a>t<b/>u</a>").itertext(),
        iter(pickle.dumps(1)),
    ]
    started = []
    for iterator in made:
        with contextlib.suppress(StopIteration):
            started.append(next(iterator))
    fresh = [
        it.chain(rows),
        it.cycle(rows),
        it.groupby(rows),
        it.tee(rows),
        zip(),
        enumerate([]),
        it.product(rows),
        it.zip_longest(rows),
        it.accumulate(rows),
        it.permutations(rows),
    ]
    finished = [
        iter([]),
        iter(()),
        iter({}),
        it.chain([]),
        it.cycle([]),
        map(str, []),
        iter(""),
        it.islice([], 0),
        iter(lambda: 1, 1),
        iter(OldSequence()),
        iter(set()),
    ]
    for iterator in finished:
        collections.deque(iterator, maxlen=0)
    return locals()


# ---- modules written in C --------------------------------------------------------------------------


class Pair(ctypes.Structure):
    _fields_ = [("left", ctypes.c_int), ("right", ctypes.POINTER(ctypes.c_int))]


class Either(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("pair", Pair)]


class OneHour(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(hours=1)

    def dst(self, when):
        return datetime.timedelta(0)


def make_ctypes():
    number = ctypes.c_int(5)
    pair = Pair(1, ctypes.pointer(number))
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)
    values = [
        number,
        pair,
        Either(),
        (ctypes.c_int * 4)(1, 2),
        ctypes.byref(number),
        callback,
        ctypes.c_char_p(b"abc"),
        ctypes.py_object([1]),
        ctypes.create_string_buffer(b"x", 200),
        ctypes.cast(ctypes.pointer(pair), ctypes.c_void_p),
        Pair.left,
        ctypes.pythonapi.Py_IsInitialized,
        (Pair * 3)(),
    ]
    return locals()


def make_io():
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "file")
    text = open(path, "w+", encoding="utf-8", newline="\n")
    text.write("some\nlines\n")
    text.flush()
    raw = open(path, "rb", buffering=0)
    reader, writer, both = open(path, "rb"), open(path, "ab"), open(path, "r+b")
    reader.read(3)
    memory, strings = io.BytesIO(b"x" * 100), io.StringIO("text")
    memory.attribute = [1]
    strings.attribute = [2]
    exported = memory.getbuffer()
    pair = io.BufferedRWPair(io.BytesIO(), io.BytesIO())
    wrapper = io.TextIOWrapper(io.BytesIO(b"a\r\nb"), newline=None)
    wrapper.readline()
    decoder = io.IncrementalNewlineDecoder(None, True)
    mapped = mmap.mmap(-1, 8192)
    in_file = mmap.mmap(both.fileno(), 0)
    sockets = socket.socketpair()
    files = [sockets[0].makefile("rb"), sockets[1].makefile("w")]
    selector = selectors.DefaultSelector()
    selector.register(sockets[0], selectors.EVENT_READ, [3])
    directory = tempfile.NamedTemporaryFile()
    spooled = tempfile.SpooledTemporaryFile()
    return locals()


def make_data():
    buffer = bytearray(b"abcdefgh" * 10)
    views = [
        memoryview(buffer),
        memoryview(buffer)[2:5],
        memoryview(buffer).cast("H"),
        memoryview(array.array("d", [1, 2])),
        memoryview(b"abc"),
    ]
    arrays = [array.array("i"), array.array("d", range(100)), array.array("b", b"abc")]
    arrays[0].append(5)
    structs = [struct.Struct("<ihq"), struct.Struct("10s")]
    moments = [
        datetime.datetime.now(),
        datetime.datetime.now(datetime.timezone.utc),
        datetime.datetime.now(OneHour()),
        datetime.date.today(),
        datetime.timedelta(5),
        datetime.time(1, tzinfo=OneHour()),
        datetime.timezone(datetime.timedelta(1 / 24), "x"),
        OneHour(),
    ]
    with contextlib.suppress(ImportError):
        import zoneinfo

        zones = [zoneinfo.ZoneInfo("UTC")]
        moments.append(datetime.datetime.now(zones[0]))
    amounts = [
        decimal.Decimal("1.5"),
        decimal.Decimal(10) ** 300,
        decimal.getcontext(),
        decimal.Context(prec=5),
        decimal.localcontext(),
        fractions.Fraction(1, 3),
    ]
    patterns = [
        re.compile("(?P<name>a+)(b)?"),
        re.compile(b"x"),
        re.match("(?P<n>a)", "abc"),
        re.search(b"b", b"abc"),
        re.compile("a").scanner("aaa"),
    ]
    hashes = [
        hashlib.sha256(b"a"),
        hashlib.md5(b"a"),
        hashlib.blake2b(b"a"),
        hmac.new(b"k", b"m", "md5"),
        hashlib.sha3_256(b"a"),
    ]
    packers = [zlib.compressobj(), zlib.decompressobj()]
    packers[0].compress(b"abc" * 100)
    for name, make in (
        ("bz2", "BZ2Compressor"),
        ("lzma", "LZMACompressor"),
        ("bz2", "BZ2Decompressor"),
        ("lzma", "LZMADecompressor"),
    ):
        with contextlib.suppress(ImportError):
            packers.append(getattr(importlib.import_module(name), make)())
    pickler = pickle.Pickler(io.BytesIO())
    pickler.dump([[1], {"a": (1, [2])}])
    unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([[1], (2, "x")])))
    unpickler.load()
    tables = [pickler.memo, unpickler.memo, {"a": "b"}.copy(), random.Random(5)]
    writer, reader = csv.writer(io.StringIO()), csv.reader(["a,b"])
    dialect = csv.get_dialect("excel")
    writer.writerow(["a", 1])
    rows = csv.DictReader(["a,b", "1,2"])
    first = next(rows)
    messages = [
        email.message_from_string("Subject: x\n\nbody"),
        logging.getLogger("truth"),
        logging.StreamHandler(),
        logging.Formatter("%(message)s"),
    ]
    parsed = json.loads('{"a": [1, {"b": null}], "c": 1.5}')
    coders = [json.JSONEncoder(), json.JSONDecoder(), json.decoder.scanner.c_make_scanner]
    tree = xml.etree.ElementTree.fromstring("<a x='1'>t<b><c y='2'/>tail</b></a>")
    parser = xml.etree.ElementTree.XMLParser()
    parser.feed("<a><b>")
    builder = xml.etree.ElementTree.TreeBuilder()
    paths = [pathlib.Path("/a/b"), pathlib.PurePath("c").parent]
    queues = [queue.Queue(), queue.SimpleQueue(), queue.PriorityQueue(), queue.LifoQueue()]
    for q in queues:
        q.put([1])
        q.put([2])
    return locals()


def make_services():
    made = {}
    with contextlib.suppress(ImportError):
        import sqlite3

        db = sqlite3.connect(":memory:")
        db.row_factory = sqlite3.Row
        db.create_function("f", 1, lambda x: x)
        db.create_aggregate("g", 1, Target)
        db.create_collation("h", lambda a, b: 0)
        db.execute("create table t(a, b)")
        db.executemany("insert into t values (?, ?)", [(1, "x"), (2, "y")])
        cursor = db.execute("select * from t")
        answer = db.execute("select f(1)")
        db.set_trace_callback(print)
        made["sqlite"] = [db, cursor, cursor.fetchone(), answer]
    with contextlib.suppress(ImportError):
        import ssl

        context = ssl.create_default_context()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.sni_callback = lambda *args: None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        outgoing.write(b"x")
        made["ssl"] = [context, server, incoming, outgoing, tls]
    with contextlib.suppress(ImportError):
        import select

        made["select"] = [select.epoll(), select.poll()]
    with contextlib.suppress(ImportError):
        import pyexpat

        expat = pyexpat.ParserCreate()
        expat.StartElementHandler = lambda *args: None
        expat.Parse("<a><b>")
        made["expat"] = expat
    with contextlib.suppress(ImportError):
        import symtable

        made["symtable"] = symtable.symtable("def f(a): return a", "<text>", "exec")
    with contextlib.suppress(ImportError):
        import cProfile

        profile = cProfile.Profile()
        profile.runcall(raises_nothing, [1])
        made["profile"] = profile
    with contextlib.suppress(ImportError):
        import tracemalloc

        made["filter"] = tracemalloc.Filter(True, "x")
    return made


def raises_nothing(box):
    return box


def make_typing():
    variable = typing.TypeVar("variable", bound="Plain")
    forms = [
        typing.List[int],
        typing.Optional[str],
        typing.Union[int, str, None],
        typing.Callable[[int], str],
        typing.Dict[str, typing.List[variable]],
        variable,
        typing.ForwardRef("Plain"),
        typing.Any,
        typing.ClassVar[int],
        typing.Literal["a", 1],
        list[int],
        dict[str, list[int]],
        type[int],
        tuple[int, ...],
        list[variable],
        collections.deque[int],
        GenericBox[int],
        typing.NewType("N", int),
        typing.Tuple[int, str],
        typing.Annotated[int, [1]],
    ]
    hints = typing.get_type_hints(annotated)
    trees = [
        ast.parse("def f(a, *b, c=[1], **d):\n    return {x: y for x, y in a if x} or f'{a!r}'"),
        ast.parse("class A(B, metaclass=C):\n    x: int = 5\n    async def g(self): await x"),
    ]
    return locals()
