# SPDX-License-Identifier: MIT
"""Scenarios that leak nothing: real uses of the standard library, whose caches fill up at first."""

import abc
import argparse
import array
import ast
import asyncio
import base64
import bisect
import calendar
import codecs
import collections
import concurrent.futures
import configparser
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime
import decimal
import difflib
import dis
import email.message
import email.parser
import email.policy
import enum
import fractions
import functools
import gettext
import glob
import gzip
import hashlib
import heapq
import html.parser
import http.client
import http.server
import importlib
import importlib.util
import inspect
import io
import itertools
import json
import locale
import logging
import logging.handlers
import operator
import os
import pathlib
import pickle
import pprint
import queue
import random
import re
import sched
import selectors
import shelve
import shlex
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import string
import struct
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import threading
import time
import traceback
import types
import typing
import unicodedata
import unittest
import urllib.parse
import uuid
import warnings
import weakref
import xml.dom.minidom
import xml.etree.ElementTree
import zipfile
import zlib

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


@scenario
def regular_expressions():
    for pattern in (r"(\w+)@(\w+)\.com", r"(?P<year>\d{4})-(\d\d)", "[a-z]+(?=!)"):
        for text in ("mail bob@example.com today", "2014-11-03", "hello!"):
            re.search(pattern, text)
            re.sub(pattern, lambda m: m.group(0).upper(), text)
    assert re.compile(r"\s+").split("a b  c") == ["a", "b", "c"]


@scenario
def json_there_and_back():
    data = {"k%d" % i: [i, i / 3, None, True, {"x": "y" * i}] for i in range(50)}
    assert json.loads(json.dumps(data, indent=1, sort_keys=True)) == data
    try:
        json.loads("{broken")
    except json.JSONDecodeError:
        pass


@scenario
def logging_with_a_handler_of_its_own():
    stream = io.StringIO()
    logger = logging.getLogger("clean.scenario")
    logger.propagate = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    try:
        logger.warning("%d of %s", 3, "things")
        try:
            raise ValueError("for the log")
        except ValueError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert "for the log" in stream.getvalue()


@scenario
def logging_through_a_queue():
    waiting = queue.Queue()
    logger = logging.getLogger("clean.queue")
    logger.propagate = False
    sink = logging.handlers.MemoryHandler(1000)
    listener = logging.handlers.QueueListener(waiting, sink)
    handler = logging.handlers.QueueHandler(waiting)
    logger.addHandler(handler)
    listener.start()
    for i in range(10):
        logger.error("message %d", i)
    listener.stop()
    logger.removeHandler(handler)
    assert len(sink.buffer) == 10
    sink.close()
    handler.close()


@scenario
def sqlite_in_memory():
    connection = sqlite3.connect(":memory:")
    with connection:
        connection.execute("create table t (a integer primary key, b text)")
        connection.executemany("insert into t (b) values (?)", [("row %d" % i,) for i in range(99)])
        connection.create_function("twice", 1, lambda x: 2 * x)
    connection.row_factory = sqlite3.Row
    rows = connection.execute("select a, twice(a) as c from t where b like ?", ("%7%",)).fetchall()
    assert all(row["c"] == 2 * row["a"] for row in rows)
    connection.close()


@scenario
def asyncio_tasks_and_queues():
    async def worker(tasks, results):
        while True:
            number = await tasks.get()
            await asyncio.sleep(0)
            results.append(number * 2)
            tasks.task_done()

    async def main():
        tasks, results = asyncio.Queue(), []
        workers = [asyncio.ensure_future(worker(tasks, results)) for _ in range(4)]
        for i in range(20):
            tasks.put_nowait(i)
        await tasks.join()
        for one in workers:
            one.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert len(results) == 20
        try:
            await asyncio.wait_for(asyncio.sleep(30), 0.001)
        except asyncio.TimeoutError:
            pass

    asyncio.run(main())


@scenario
def asyncio_streams():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            assert await reader.readline() == b"HELLO\n"
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


@scenario
def asyncio_subprocess():
    async def main():
        process = await asyncio.create_subprocess_exec(
            "/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate(b"through a pipe")
        assert out == b"through a pipe"

    asyncio.run(main())


@scenario
def async_generators_and_contexts():
    @contextlib.asynccontextmanager
    async def managed():
        yield 5

    async def count(n):
        for i in range(n):
            yield i

    async def main():
        async with managed() as start:
            assert [start + i async for i in count(3)] == [5, 6, 7]
        broken_off = count(100)
        async for i in broken_off:
            if i == 3:
                break
        await broken_off.aclose()

    asyncio.run(main())


@scenario
def threads():
    found = []
    lock = threading.Lock()
    event = threading.Event()
    local = threading.local()

    def work(i):
        local.number = i
        event.wait()
        with lock:
            found.append(local.number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    for thread in threads:
        thread.start()
    event.set()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(5))


@scenario
def timers_and_barriers():
    barrier, done = threading.Barrier(2), []
    timer = threading.Timer(0.001, lambda: (barrier.wait(), done.append(1)))
    timer.start()
    barrier.wait()
    timer.join()
    cancelled = threading.Timer(30, print)
    cancelled.start()
    cancelled.cancel()
    cancelled.join()
    assert done == [1]


@scenario
def a_thread_pool():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(pow, 2, i) for i in range(10)]
        failing = pool.submit(int, "x")
        assert sorted(f.result() for f in concurrent.futures.as_completed(futures))[-1] == 512
        assert isinstance(failing.exception(), ValueError)
        assert list(pool.map(str, range(5))) == list("01234")


@scenario
def subprocesses():
    done = subprocess.run(["/bin/echo", "hello"], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"hello\n"
    process = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.communicate(b"abc")[0] == b"abc"
    try:
        subprocess.run(["/no/such/program"], check=True)
    except FileNotFoundError:
        pass


@scenario
def temporary_files():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sub" / "a.txt"
        path.parent.mkdir()
        path.write_text("text")
        shutil.copytree(path.parent, path.parent.parent / "copy")
        assert sorted(p.name for p in pathlib.Path(folder).rglob("*.txt")) == ["a.txt", "a.txt"]
        assert glob.glob(os.path.join(folder, "*", "*.txt"))
    with tempfile.NamedTemporaryFile() as file, tempfile.SpooledTemporaryFile(10) as spooled:
        file.write(b"x")
        spooled.write(b"more than ten bytes")


@scenario
def zip_files():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr("file%d" % i, "content " * 50)
    with zipfile.ZipFile(buffer) as archive:
        assert archive.testzip() is None
        assert archive.read("file3").startswith(b"content")


@scenario
def tar_and_gzip():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("a")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        assert archive.extractfile("a").read() == b"abc"
    assert gzip.decompress(gzip.compress(b"x" * 999)) == b"x" * 999
    assert zlib.decompress(zlib.compress(b"y" * 99)) == b"y" * 99


@scenario
def email_messages():
    message = email.message.EmailMessage()
    message["Subject"] = "Gr\u00fc\u00dfe"
    message["To"] = "a@example.com, B <b@example.com>"
    message.set_content("text")
    message.add_alternative("<p>text</p>", subtype="html")
    again = email.parser.BytesParser(policy=email.policy.default).parsebytes(message.as_bytes())
    assert again["Subject"] == "Gr\u00fc\u00dfe" and len(list(again.walk())) == 3


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@scenario
def http_server_and_client():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for i in range(3):
            client = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
            client.request("GET", "/page%d?q=1" % i)
            assert json.loads(client.getresponse().read())["path"].startswith("/page")
            client.close()
        server.shutdown()
        thread.join()


@scenario
def decimals_and_fractions():
    with decimal.localcontext() as context:
        context.prec = 50
        assert str(decimal.Decimal(1) / 3).startswith("0.333")
    try:
        decimal.Decimal("x")
    except decimal.InvalidOperation:
        pass
    assert fractions.Fraction("0.75") + fractions.Fraction(1, 4) == 1
    assert statistics.mean([1, 2, 3]) == 2


@scenario
def csv_files():
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["a", "b"], dialect="excel-tab")
    writer.writeheader()
    writer.writerows({"a": i, "b": "x,%d" % i} for i in range(50))
    buffer.seek(0)
    assert len(list(csv.DictReader(buffer, dialect="excel-tab"))) == 50
    csv.Sniffer().sniff("a;b;c\n1;2;3\n")


@scenario
def syntax_trees():
    tree = ast.parse("def f(x, *y):\n    return [i for i in y if i > x] or {x: lambda: y}")

    class Names(ast.NodeTransformer):
        def visit_Name(self, node):
            return ast.copy_location(ast.Name(node.id + "_", node.ctx), node)

    ast.dump(Names().visit(tree))
    space = {}
    exec(compile(ast.parse("a = sum(range(10))"), "<clean>", "exec"), space)
    assert space["a"] == 45


@dataclasses.dataclass(order=True)
class _Point:
    x: int
    y: float = 0.0
    tags: list = dataclasses.field(default_factory=list)


@scenario
def pickles_and_copies():
    points = [_Point(i, i / 2, [str(i)]) for i in range(20)]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(points, protocol)) == points
    circle = []
    circle.append(circle)
    again = copy.deepcopy([circle, points])
    assert again[0][0] is again[0]


@scenario
def a_test_run():
    class Test(unittest.TestCase):
        def setUp(self):
            self.addCleanup(lambda: None)
            self.data = [1]

        def test_ok(self):
            with self.assertRaises(KeyError):
                {}["x"]
            with self.subTest(i=1):
                self.assertEqual(self.data, [1])

        def test_fails(self):
            self.fail("on purpose")

    result = unittest.TextTestRunner(io.StringIO()).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Test)
    )
    assert len(result.failures) == 1


@scenario
def mocks():
    import unittest.mock

    with unittest.mock.patch("os.getcwd", return_value="/nowhere") as mock:
        assert os.getcwd() == "/nowhere"
    mock.assert_called_once_with()
    thing = unittest.mock.MagicMock(spec=["read", "close"])
    thing.read.side_effect = ValueError
    with contextlib.suppress(ValueError):
        thing.read(5)


_variable = contextvars.ContextVar("_variable", default=0)


@scenario
def context_variables():
    def inner():
        _variable.set(_variable.get() + 1)
        return _variable.get()

    assert contextvars.copy_context().run(inner) == 1
    token = _variable.set(5)
    _variable.reset(token)
    assert _variable.get() == 0


_T = typing.TypeVar("_T")


@scenario
def generic_types():
    class Box(typing.Generic[_T]):
        def get(self) -> "typing.Optional[typing.List[_T]]": ...

    assert Box[int] is not None and typing.Dict[str, typing.List[int]]
    typing.get_type_hints(Box.get)
    assert typing.get_args(typing.Union[int, str, None])


@scenario
def classes_made_and_dropped():
    class Base(abc.ABC):
        @abc.abstractmethod
        def run(self): ...

    made = type("Made", (Base,), {"run": lambda self: 1, "__slots__": ("a",)})
    Base.register(collections.UserDict)
    assert isinstance(made(), Base) and issubclass(collections.UserDict, Base)
    assert made().run() == 1


@scenario
def enums():
    class Color(enum.Enum):
        RED = 1
        BLUE = enum.auto()

    Flags = enum.IntFlag("Flags", "A B C")
    assert Color["BLUE"].name == "BLUE" and (Flags.A | Flags.C) & Flags.C
    assert isinstance(Color(1), Color)


@scenario
def made_dataclasses():
    made = dataclasses.make_dataclass("Made", [("a", int), ("b", str, "x")], frozen=True)
    one = dataclasses.replace(made(1), b="y")
    assert dataclasses.asdict(one) == {"a": 1, "b": "y"}
    assert sorted([_Point(2), _Point(1)])[0].x == 1


@functools.lru_cache(maxsize=None)
def _fibonacci(n):
    return n if n < 2 else _fibonacci(n - 1) + _fibonacci(n - 2)


class _Cached:
    @functools.cached_property
    def value(self):
        return [1, 2, 3]


@scenario
def caches_that_warm_up():
    assert _fibonacci(60) == 1548008755920
    assert _Cached().value is not None
    dispatch = functools.singledispatch(lambda x: "any")
    dispatch.register(int, lambda x: "int")
    assert dispatch(5) == "int" and dispatch([]) == "any"


class _Bounded:
    recent = collections.deque(maxlen=5)

    @staticmethod
    @functools.lru_cache(maxsize=4)
    def cached(key):
        return [key]


_counter = itertools.count()


@scenario
def bounded_caches_with_new_keys():
    for _ in range(10):
        number = next(_counter)
        _Bounded.recent.append({"number": number})
        _Bounded.cached("key %d" % number)


@scenario
def weak_references():
    class Node:
        pass

    gone = []
    nodes = [Node() for _ in range(5)]
    refs = [weakref.ref(node, gone.append) for node in nodes]
    cache = weakref.WeakValueDictionary(enumerate(nodes))
    keys = weakref.WeakKeyDictionary((node, i) for i, node in enumerate(nodes))
    members = weakref.WeakSet(nodes)
    for node in nodes:
        weakref.finalize(node, gone.append, None)
    del node
    nodes.clear()
    assert not (cache or keys or members) and len(gone) == 10 and refs[0]() is None


@scenario
def a_tls_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(there, back, server_hostname="example.com").do_handshake()
    assert back.pending and context.get_ciphers()


@scenario
def xml_documents():
    text = "<a>%s</a>" % "".join('<b n="%d">t</b>' % i for i in range(30))
    tree = xml.etree.ElementTree.fromstring(text)
    assert len(tree.findall("./b[@n='3']")) == 1
    xml.etree.ElementTree.indent(tree) if sys.version_info >= (3, 9) else None
    document = xml.dom.minidom.parseString(text)
    assert len(document.getElementsByTagName("b")) == 30
    with contextlib.suppress(xml.etree.ElementTree.ParseError):
        xml.etree.ElementTree.fromstring("<a>")


@scenario
def html_documents():
    class Links(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.links = []

        def handle_starttag(self, tag, attrs):
            self.links.append(dict(attrs).get("href"))

    parser = Links()
    parser.feed("<p><a href='x'>y</a>&amp;<br></p>")
    parser.close()
    assert "x" in parser.links


@scenario
def dates_and_zones():
    when = datetime.datetime(2014, 11, 3, 12, tzinfo=datetime.timezone.utc)
    assert datetime.datetime.fromisoformat(when.isoformat()) == when
    assert datetime.datetime.strptime("03 Nov 2014", "%d %b %Y").year == 2014
    calendar.TextCalendar().formatmonth(2014, 11)
    with contextlib.suppress(ImportError, KeyError):
        import zoneinfo

        assert when.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).hour in (12, 13)


@scenario
def command_lines():
    parser = argparse.ArgumentParser(prog="clean", exit_on_error=False)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser("run", help="run it")
    run.add_argument("--level", type=int, default=1, choices=range(5))
    run.add_argument("files", nargs="*")
    assert parser.parse_args(["run", "--level", "3", "a", "b"]).files == ["a", "b"]
    parser.format_help()
    assert shlex.split("a 'b c'") == ["a", "b c"]


@scenario
def inspecting():
    def function(a, b=1, *c, d: int = 2, **e) -> str: ...

    signature = inspect.signature(function)
    signature.bind(1, d=5).apply_defaults()
    inspect.getmembers(_Point)
    assert "def json_there_and_back" in inspect.getsource(json_there_and_back)
    list(dis.get_instructions(function))
    inspect.stack(0)


@scenario
def modules_made_and_dropped():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "clean_temporary_module.py"
        path.write_text("import os\nclass A:\n    b = [1, 2]\ndef f(): return A.b\n")
        sys.path.insert(0, folder)
        try:
            importlib.invalidate_caches()
            module = importlib.import_module("clean_temporary_module")
            assert module.f() == [1, 2]
            importlib.reload(module)
        finally:
            sys.path.remove(folder)
            sys.path_importer_cache.pop(folder, None)
            del sys.modules["clean_temporary_module"]


@scenario
def exceptions_with_tracebacks():
    def deep(n):
        if n == 0:
            raise RuntimeError("at the bottom")
        deep(n - 1)

    try:
        try:
            deep(10)
        except RuntimeError as error:
            raise KeyError("above") from error
    except KeyError:
        assert "at the bottom" in traceback.format_exc()
    with contextlib.suppress(RecursionError):
        deep(-1)


@scenario
def generators_broken_off():
    def numbers():
        try:
            while True:
                yield object()
        finally:
            list(range(3))

    one = numbers()
    next(one)
    assert len(list(itertools.islice(numbers(), 10))) == 10
    assert [len(list(g)) for _, g in itertools.groupby("aab")] == [2, 1]
    first, second = itertools.tee(range(5))
    next(first)


@scenario
def contexts():
    @contextlib.contextmanager
    def managed(log):
        log.append("in")
        yield log
        log.append("out")

    with contextlib.ExitStack() as stack:
        log = stack.enter_context(managed([]))
        stack.callback(log.append, "callback")
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        print("unseen")
    assert log == ["in", "callback", "out"]


@scenario
def reference_cycles():
    class Parent:
        def __init__(self):
            self.children = [Child(self) for _ in range(3)]
            self.method = self.__init__

    class Child:
        def __init__(self, parent):
            self.parent = parent

        def __del__(self):
            self.gone = True

    for _ in range(20):
        Parent()


@scenario
def sockets_and_selectors():
    here, there = socket.socketpair()
    with here, there, selectors.DefaultSelector() as selector:
        selector.register(there, selectors.EVENT_READ, {"some": "data"})
        here.sendall(b"ping")
        for key, _ in selector.select(5):
            assert key.fileobj.recv(10) == b"ping"
    assert socket.getaddrinfo("127.0.0.1", 80)


@scenario
def signals():
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [1]


@scenario
def heaps_and_schedules():
    heap = []
    for i in (5, 1, 4):
        heapq.heappush(heap, (i, object()))
    assert heapq.heappop(heap)[0] == 1
    done = []
    plan = sched.scheduler(time.monotonic, lambda seconds: None)
    plan.enter(0, 1, done.append, (1,))
    plan.cancel(plan.enter(500, 1, done.append, (2,)))
    plan.run()
    order = queue.PriorityQueue()
    order.put((1, "x"))
    assert order.get()[1] == "x" and bisect.bisect([1, 3], 2) == 1 and done == [1]


@scenario
def texts():
    text = " ".join(string.ascii_letters) * 5
    assert textwrap.wrap(text, 40) and pprint.pformat({i: text for i in range(3)})
    assert list(difflib.unified_diff(["a", "b"], ["a", "c"]))
    assert difflib.get_close_matches("appel", ["apple", "ape"])
    assert string.Template("$a").substitute(a=1) == "1" and "{:>{}}".format("x", 3) == "  x"
    assert unicodedata.normalize("NFC", "e\u0301") == "\u00e9"
    gettext.NullTranslations().gettext("x")
    locale.getlocale()


@scenario
def bytes_and_codecs():
    assert base64.b64decode(base64.b64encode(b"abc" * 50)) == b"abc" * 50
    assert struct.unpack("<IhB", struct.pack("<IhB", 5, -2, 3)) == (5, -2, 3)
    assert array.array("d", range(100))[::3][1] == 3
    assert memoryview(bytearray(b"abcd"))[1:3].tobytes() == b"bc"
    for name in ("utf-8", "latin-1", "utf-16", "cp1252", "idna"):
        assert codecs.decode("text".encode(name), name) == "text"
    assert hashlib.sha256(b"x").hexdigest() and uuid.uuid4() != uuid.uuid5(uuid.NAMESPACE_DNS, "x")


@scenario
def addresses():
    parts = urllib.parse.urlsplit("https://user@host:8080/a/b?x=1&y=2#z")
    assert urllib.parse.parse_qs(parts.query)["y"] == ["2"]
    assert urllib.parse.urljoin("http://a/b/c", "../d") == "http://a/d"
    assert urllib.parse.quote("\u00fc /") and urllib.parse.urlencode({"a": [1, 2]}, doseq=True)


@scenario
def configurations():
    parser = configparser.ConfigParser()
    parser.read_string("[a]\nb = 1\nc = %(b)s2\n[d]\n")
    assert parser.getint("a", "c") == 12 and parser.sections() == ["a", "d"]
    parser.write(io.StringIO())


@scenario
def a_shelf():
    with tempfile.TemporaryDirectory() as folder:
        with shelve.open(os.path.join(folder, "shelf"), flag="n") as shelf:
            for i in range(10):
                shelf[str(i)] = {"i": i}
        with shelve.open(os.path.join(folder, "shelf")) as shelf:
            assert shelf["3"] == {"i": 3}


@scenario
def random_numbers():
    generator = random.Random(5)
    assert len(generator.sample(range(100), 10)) == 10
    generator.shuffle(list(range(50)))
    collections.Counter(random.choices("abc", k=50)).most_common(1)


@scenario
def warnings_caught():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert len(found) == 1


@scenario
def compiled_sources():
    code = compile("def f(x):\n    def g(): return x\n    return g\nr = f(3)()", "<clean>", "exec")
    space = {"__builtins__": __builtins__}
    exec(code, space)
    assert space["r"] == 3 and eval("[i for i in (1, 2)]") == [1, 2]
    function = types.FunctionType(space["f"].__code__, space, "copy", None, None)
    assert function(5)() == 5


@scenario
def collections_of_collections():
    chain = collections.ChainMap({"a": 1}, {"b": 2})
    ordered = collections.OrderedDict.fromkeys("abc")
    ordered.move_to_end("a")
    named = collections.namedtuple("named", "x y")
    grouped = collections.defaultdict(list)
    for i in range(20):
        grouped[i % 3].append(named(i, object()))
    assert chain["b"] == 2 and list(ordered) == ["b", "c", "a"]
    assert sum(map(len, grouped.values())) == 20
    assert operator.itemgetter(1, 0)("ab") == ("b", "a")
