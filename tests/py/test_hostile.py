# SPDX-License-Identifier: MIT
"""Objects that fight back, and heaps of extreme shape: the answer is right, and none of their code
ran."""

import textwrap

import inside
import pytest


def ask(folder, source, **options):
    return inside.ask(folder, source, **options)


def one_path(data):
    (holder,) = data["holders"]
    return inside.root(holder), inside.hops(holder)


# ---- methods that raise or block -----------------------------------------------------------------

HOSTILE_CLASS = """
    import time
    ran = []
    def mine(name, block):
        def method(self, *args):
            ran.append(name)
            if block:
                time.sleep(3600)
            raise RuntimeError(name)
        return method
    NAMES = ["__repr__", "__str__", "__eq__", "__ne__", "__hash__", "__getattribute__",
             "__getattr__", "__len__", "__sizeof__", "__bool__", "__iter__", "__contains__",
             "__getitem__", "__dir__", "__reduce_ex__", "__instancecheck__", "__index__",
             "__format__", "__length_hint__", "__call__", "__get__", "__del__"]
    def hostile(block, *bases):
        space = {name: mine(name, block) for name in NAMES}
        space["__class__"] = property(mine("__class__", block))
        space["__dict__"] = property(mine("__dict__", block)) if bases else None
        if space["__dict__"] is None:
            del space["__dict__"]
        return type("Hostile", bases or (object,), space)
"""


@pytest.mark.parametrize("block", [False, True], ids=["raising", "blocking"])
@pytest.mark.parametrize("base", ["", "dict", "list", "tuple", "set", "str", "int", "Exception"])
def test_no_method_of_an_object_runs(base, block, tmp_path):
    told = ask(
        tmp_path,
        HOSTILE_CLASS
        + f"""
    import os
    Hostile = hostile({block}{", " + base if base else ""})
    class Keeper: pass
    keeper = Keeper()
    keeper.items = [Hostile() for _ in range(7)]
    keeper.by_name = {{"a": keeper.items[0]}}
    question = "Hostile"
    ran.clear()
    graph = refchain.snapshot()
    info = [graph.count("Hostile"), len(graph.by_type("Hostile")), len(refchain.by_type("Hostile"))]
    node = graph.node(id(keeper.items[1]))
    top = str(graph.top(5))
    one = refchain.why(keeper.items[3])
    several = refchain.why(keeper.items[2:5])
    path = sys.argv[0] + ".rch"
    refchain.dump(path)
    again = refchain.load(path).why(question)
    answer = refchain.why(question)
    tell({{"data": json.loads(answer.json()), "ran": ran, "info": info, "type": node.type,
          "one": json.loads(one.json()), "several": json.loads(several.json()),
          "same": str(again).splitlines()[3:] == str(answer).splitlines()[3:]}})
    os._exit(0)
    """,
        timeout=60,
    )
    assert told["ran"] == []
    tracked = 7 if base not in ("str", "int") else told["info"][2]
    assert told["info"] == [7, 7, tracked] and told["type"] == "__main__.Hostile"
    assert one_path(told["data"]) == (("module", "__main__"), [".keeper", ".items", "[*]"])
    assert told["data"]["objects"] == told["data"]["all_cut"]["question"] == 7
    assert told["same"]
    assert told["one"]["all_cut"]["question"] == 1
    assert told["several"]["all_cut"]["question"] == 3


def test_no_method_of_a_metaclass_runs(tmp_path):
    told = ask(
        tmp_path,
        """
    import os
    ran = []
    class Meta(type):
        def __getattribute__(cls, name):
            ran.append(name)
            raise RuntimeError(name)
        def __instancecheck__(cls, other):
            ran.append("__instancecheck__")
            raise RuntimeError
        def __subclasscheck__(cls, other):
            ran.append("__subclasscheck__")
            raise RuntimeError
        def __repr__(cls):
            ran.append("__repr__")
            raise RuntimeError
        def __hash__(cls):
            ran.append("__hash__")
            return 1
        def __eq__(cls, other):
            ran.append("__eq__")
            raise RuntimeError
        __name__ = property(lambda cls: ran.append("__name__") or 1 / 0)
        __module__ = property(lambda cls: ran.append("__module__") or 1 / 0)
        __mro__ = property(lambda cls: ran.append("__mro__") or 1 / 0)
        __dict__ = property(lambda cls: ran.append("__dict__") or 1 / 0)
    Thing = Meta("Thing", (), {"__module__": "shop"})
    things = [object.__new__(Thing) for _ in range(3)]
    ran.clear()
    found = refchain.by_type("Thing") + refchain.by_type("shop.Thing")
    counts = [len(found), refchain.snapshot().count("shop.Thing")]
    del found
    data = json.loads(refchain.why("Thing").json())
    of_class = json.loads(refchain.why([Thing]).json())
    tell({"data": data, "of_class": of_class, "ran": ran, "counts": counts})
    os._exit(0)
    """,
    )
    assert told["ran"] == []
    assert told["counts"] == [6, 3]
    assert told["data"]["question"] == {"type": "shop.Thing"}
    assert one_path(told["data"]) == (("module", "__main__"), [".things", "[*]"])
    assert one_path(told["of_class"]) == (("module", "__main__"), [".Thing"])


def test_a_finalizer_does_not_run(tmp_path):
    told = ask(
        tmp_path,
        """
    import gc
    ran = []
    class Late:
        def __del__(self):
            ran.append(1)
    gc.disable()
    for _ in range(5):
        late = Late()
        late.me = late
    del late
    data = json.loads(refchain.why("Late").json())
    tell({"data": data, "ran": list(ran)})
    """,
    )
    assert told["ran"] == []
    assert told["data"]["garbage"] == told["data"]["objects"] == 5
    assert told["data"]["all_cut"]["question"] == 0


# ---- names ---------------------------------------------------------------------------------------

NAMES = {
    "quotes": 'it\'s \\"quoted\\"',
    "newlines": "two\\nlines\\r",
    "escapes": "\\x1b[31mred\\x1b]0;title\\x07",
    "bidi": "\\u202eevil\\u2066",
    "html": "<script>alert(1)</script>",
    "long": "x" * 10000,
    "spaces": "a b.c",
    "backslash": "back\\\\slash",
    "star": "st*r[?]",
    "wide": "\\u5927\\U0001f600",
    "lone surrogate": "half\\ud800",
    "percent": "%s%n%d",
    "empty": "",
}


@pytest.mark.parametrize("case", NAMES)
def test_any_name_of_a_type_can_be_shown(case, tmp_path):
    told = ask(
        tmp_path,
        f"""
    name = "{NAMES[case]}"
    class Base: pass
    Odd = type("Odd", (Base,), {{}})
    try:
        Odd.__qualname__ = name
        Odd.__module__ = name
        Odd.__name__ = name
    except (UnicodeEncodeError, ValueError):
        pass
    class Keeper: pass
    keeper = Keeper()
    keeper.odd = [Odd(), Odd()]
    keeper.__dict__[name] = keeper.odd[0]
    answer = refchain.why(list(keeper.odd))
    top = str(refchain.snapshot().top(100000))
    data = json.loads(answer.json())
    html = answer._repr_mimebundle_()["text/html"]
    path = sys.argv[0] + ".rch"
    refchain.dump(path)
    loaded = refchain.load(path)
    addresses = [id(x) for x in keeper.odd]
    again = json.loads(loaded.why(addresses).json())
    tell({{"data": data, "text": str(answer), "top": top, "html": html, "again": again}})
    """,
    )
    data = told["data"]
    assert data["objects"] == data["all_cut"]["question"] == 2
    (holder,) = data["holders"]
    assert inside.hops(holder)[0] == ".keeper" and holder["cut"] == 0
    for text in (told["text"], told["top"]):
        control = [c for c in text if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0)]
        bidi = [c for c in text if 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069]
        assert not control and not bidi
        assert all(len(line) <= 100 for line in text.splitlines()) or case == "wide"
    assert "<script" not in told["html"]
    assert told["again"]["holders"] == data["holders"]


# ---- types that change ---------------------------------------------------------------------------


def test_types_may_change_between_and_during(tmp_path):
    told = ask(
        tmp_path,
        """
    import threading
    class A: pass
    class B: pass
    class Keeper: pass
    keeper = Keeper()
    keeper.items = [A() for _ in range(100)]
    stop = False
    def churn():
        i = 0
        while not stop:
            i += 1
            for x in keeper.items[:50]:
                x.__class__ = B if i % 2 else A
            A.extra, B.other = i, [i]
            setattr(A, "name%d" % (i % 50), i)
            for x in keeper.items[50:60]:
                x.__dict__ = {"a": i}
                x.b = i
                del x.a
            A.__bases__ = (object,) if False else A.__bases__
            type("T%d" % i, (A,), {"__slots__": ("x", "y")})
    thread = threading.Thread(target=churn)
    thread.start()
    rows = []
    for _ in range(30):
        x = [json.loads(a.json()) for a in (refchain.why(keeper.items[70]), refchain.why(list(keeper.items)))]
        kept = [[[p["name"] for p in h["path"]][:2] for h in d["holders"]] for d in x]
        rows.append([[d["objects"], d["all_cut"]["question"], ["keeper", "items"] in k]
                     for d, k in zip(x, kept)])
    stop = True
    thread.join()
    tell(rows)
    """,
    )
    assert told == [[[1, 1, True], [100, 100, True]]] * 30


@pytest.mark.parametrize("base", ["dict", "collections.OrderedDict", "collections.UserDict"])
def test_a_mapping_that_lies_is_read_as_it_is(base, tmp_path):
    told = ask(
        tmp_path,
        f"""
    import collections
    ran = []
    class Liar({base}):
        def __getitem__(self, key): ran.append("getitem"); raise KeyError(key)
        def __iter__(self): ran.append("iter"); return iter(())
        def keys(self): ran.append("keys"); return []
        def values(self): ran.append("values"); return []
        def items(self): ran.append("items"); return []
        def get(self, *a): ran.append("get")
        def __len__(self): ran.append("len"); return 0
        def __contains__(self, key): ran.append("contains"); return False
        def __eq__(self, other): ran.append("eq"); return True
        def __sizeof__(self): ran.append("sizeof"); return 1 << 60
        __hash__ = None
    class Truth: pass
    class Keeper: pass
    keeper = Keeper()
    keeper.liar = Liar()
    for i in range(5):
        keeper.liar["k%d" % i] = Truth()
    ran.clear()
    data = json.loads(refchain.why("Truth").json())
    size = refchain.snapshot().node(id(keeper.liar)).size
    tell({{"data": data, "ran": ran, "size": size}})
    """,
    )
    assert told["ran"] == []
    root, path = one_path(told["data"])
    assert root == ("module", "__main__")
    assert path == [".keeper", ".liar", *([".data"] if "User" in base else []), "[*]"]
    assert told["data"]["all_cut"]["question"] == 5
    assert told["size"] < 1 << 20


# ---- deep and large ------------------------------------------------------------------------------

DEEP = {
    "a linked list": (
        """
        class Node:
            __slots__ = ("next",)
        head = tail = Node()
        for _ in range(N):
            tail.next = Node()
            tail = tail.next
        tail.next = Tail()
        """,
        ".next",
    ),
    "dicts in dicts": (
        """
        head = tail = {}
        for _ in range(N):
            tail["n"] = {}
            tail = tail["n"]
        tail["n"] = Tail()
        """,
        "[n]",
    ),
    "lists in lists": (
        """
        head = [Tail()]
        for _ in range(N):
            head = [head]
        """,
        "[0]",
    ),
    "tuples in tuples": (
        """
        head = (Tail(),)
        for _ in range(N):
            head = (head,)
        """,
        "[0]",
    ),
    "closures in closures": (
        """
        def wrap(inner):
            return lambda: inner
        head = Tail()
        for _ in range(N):
            head = wrap(head)
        """,
        "closure inner",
    ),
    "generators in generators": (
        """
        def wrap(inner):
            yield inner
        head = Tail()
        for _ in range(N):
            head = wrap(head)
            next(head)
        """,
        "local inner",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DEEP)
def test_a_million_hops(case, tmp_path):
    source, hop = DEEP[case]
    number = 1_000_000 if case in ("a linked list", "tuples in tuples") else 200_000
    told = ask(
        tmp_path,
        "\nimport os\nclass Tail: pass\nN = %d\nlimit = sys.getrecursionlimit()\n" % number
        + textwrap.dedent(source)
        + """
tail = None
answer = refchain.why("Tail")
data = json.loads(answer.json())
holder = data["holders"][0]
tell({"num": len(data["holders"]), "root": holder["root"], "hops": len(holder["path"]),
      "last": holder["path"][-2], "all_cut": data["all_cut"], "limit": limit - sys.getrecursionlimit(),
      "lines": len(str(answer).splitlines()), "first": holder["path"][0]})
os._exit(0)
""",
        timeout=280,
    )
    assert told["num"] == 1 and told["root"]["name"] == "__main__"
    assert abs(told["hops"] - number) <= 3
    assert told["first"]["name"] == "head"
    assert inside.hops({"path": [told["last"]]}) == [hop]
    assert told["all_cut"]["question"] == 1
    assert told["limit"] == 0
    assert told["lines"] < 200


def test_untracked_tuples_are_walked(tmp_path):
    told = ask(
        tmp_path,
        """
    import gc
    class Keeper: pass
    keeper = Keeper()
    x = int('12345678901234567890')
    for _ in range(10000):
        x = (x, "text")
    keeper.deep = x
    del x
    gc.collect()
    def ask():
        inner = keeper.deep
        while type(inner) is tuple:
            inner = inner[0]
        return json.loads(refchain.why([inner]).json())
    untracked = not gc.is_tracked(keeper.deep)
    data = ask()
    tell({"untracked": untracked, "num": len(data["holders"]), "cut": data["all_cut"]["question"],
          "path": inside_hops(data["holders"][0])})
    """.replace("inside_hops(data", "(lambda h: [x['name'] for x in h['path'][:2]])(data"),
    )
    assert told["num"] == 1 and told["cut"] == 1
    assert told["path"] == ["keeper", "deep"]


@pytest.mark.slow
def test_a_dict_of_a_million_entries(tmp_path):
    told = ask(
        tmp_path,
        """
    import os
    class Item:
        __slots__ = ("n",)
    by_number = {i: Item() for i in range(1000000)}
    by_name = {str(i): x for i, x in by_number.items()}
    everything = set(by_number.values())
    data = json.loads(refchain.why("Item").json())
    one = json.loads(refchain.why(by_number[500]).json())
    tell({"all": data, "one": one})
    os._exit(0)
    """,
        timeout=250,
    )
    data = told["all"]
    assert data["objects"] == data["all_cut"]["question"] == 1000000
    found = {inside.hops(h)[0]: h for h in data["holders"]}
    assert set(found) == {".by_number", ".by_name", ".everything"}
    for holder in found.values():
        assert (holder["holds"], holder["holds_only"]) == (1000000, 0)
        assert holder["cut_references"] == 1000000
    assert len(told["one"]["holders"]) == 3
    assert {h["cut_references"] for h in told["one"]["holders"]} == {1}


# ---- odd moments ---------------------------------------------------------------------------------


def test_during_a_collection_it_says_so(tmp_path):
    told = ask(
        tmp_path,
        """
    import gc
    said = []
    class Late:
        def __del__(self):
            try:
                said.append(["del", len(refchain.why("Late").holders)])
            except refchain.Error as error:
                said.append(["del", str(error)])
    def callback(phase, info):
        if said and said[0][0] == phase:
            return
        try:
            refchain.why("Late")
            said.append([phase, "answered"])
        except refchain.Error as error:
            said.append([phase, str(error)])
        except LookupError as error:
            said.append([phase, "answered"])
    late = Late()
    late.me = late
    del late
    gc.callbacks.append(callback)
    gc.collect()
    gc.callbacks.clear()
    keep = Late()
    after = refchain.why("Late")
    tell({"said": said, "after": len(after.holders)})
    """,
    )
    assert told["said"]
    kinds = {kind for kind, _ in told["said"]}
    assert "del" in kinds and kinds & {"start", "stop"}
    for kind, words in told["said"]:
        if kind == "del":
            assert "collection" in str(words), told
        else:
            assert words == "answered" or "collection" in words
    assert told["after"] == 1


def test_frozen_objects_are_found(tmp_path):
    told = ask(
        tmp_path,
        """
    import gc
    class Cold: pass
    class Keeper: pass
    keeper, other = Keeper(), Keeper()
    keeper.items = [Cold() for _ in range(10)]
    gc.freeze()
    other.items = [Cold() for _ in range(5)]
    data = json.loads(refchain.why("Cold").json())
    tell({"data": data, "frozen": gc.get_freeze_count()})
    """,
    )
    assert told["frozen"] > 1000
    data = told["data"]
    assert data["objects"] == data["all_cut"]["question"] == 15
    assert [inside.hops(h) for h in data["holders"]] == [
        [".keeper", ".items", "[*]"],
        [".other", ".items", "[*]"],
    ]


def test_beside_a_subinterpreter(tmp_path):
    told = ask(
        tmp_path,
        """
    import threading
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    class Here: pass
    class Keeper: pass
    keeper = Keeper()
    keeper.items = [Here() for _ in range(10)]
    sub = interpreters.create()
    run = getattr(interpreters, "run_string", None) or interpreters.exec
    run(sub, "class Elsewhere: pass\\nkeep = [Elsewhere() for _ in range(5)]\\n")
    graph = refchain.snapshot()
    data = json.loads(graph.why("Here").json())
    tell({"data": data, "elsewhere": graph.count("Elsewhere"), "objects": graph.info["objects"],
          "why": json.loads(graph.why("Elsewhere").json()) if graph.count("Elsewhere") else None})
    interpreters.destroy(sub)
    data = json.loads(refchain.why("Here").json())
    tell({"data": data, "elsewhere": 0, "why": None})
    """,
    )
    data = told["data"]
    assert one_path(data) == (("module", "__main__"), [".keeper", ".items", "[*]"])
    assert data["objects"] == data["all_cut"]["question"] == 10


def test_after_a_fork(tmp_path):
    told = ask(
        tmp_path,
        """
    import os, threading, time
    class Conn: pass
    class Keeper: pass
    keeper = Keeper()
    keeper.items = [Conn() for _ in range(10)]
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    before = refchain.why("Conn")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            after = refchain.why("Conn")
            os.write(write, after.json().encode())
        finally:
            os._exit(0)
    os.close(write)
    text = b""
    while True:
        part = os.read(read, 65536)
        if not part:
            break
        text += part
    status = os.waitpid(pid, 0)[1]
    stop.set()
    thread.join()
    tell({"status": status, "before": json.loads(before.json()), "after": json.loads(text)})
    """,
    )
    assert told["status"] == 0
    for data in (told["before"], told["after"]):
        data.pop("source")
    assert told["before"] == told["after"]
    assert one_path(told["after"])[1] == [".keeper", ".items", "[*]"]


def test_a_replaced_module_table_is_no_trouble(tmp_path):
    told = ask(
        tmp_path,
        """
    import threading
    class Odd(dict):
        def __getitem__(self, key): raise KeyError(key)
    class Here: pass
    sys.modules["nothing"] = None
    sys.modules["number"] = 5
    sys.modules["object"] = Here()
    sys.modules["loop"] = sys.modules
    sys.modules[7] = 8
    threading._active = 5
    class Keeper: pass
    keeper = Keeper()
    keeper.here = Here()
    data = json.loads(refchain.why("Here").json())
    threading._active = Odd()
    again = json.loads(refchain.why("Here").json())
    tell({"data": data, "again": again})
    import os; os._exit(0)
    """,
    )
    assert told["data"]["holders"] == told["again"]["holders"]
    assert told["data"]["objects"] == 2
    assert (("module", "__main__"), [".keeper", ".here"]) in [
        (inside.root(h), inside.hops(h)) for h in told["data"]["holders"]
    ]


def test_low_recursion_limit_and_deep_stack(tmp_path):
    told = ask(
        tmp_path,
        """
    class Conn: pass
    class Keeper: pass
    keeper = Keeper()
    keeper.items = [Conn() for _ in range(10)]
    def down(n):
        mine = Keeper()
        if n:
            return down(n - 1)
        return json.loads(refchain.why("Conn").json())
    sys.setrecursionlimit(3000)
    data = down(2900)
    tell({"data": data, "limit": sys.getrecursionlimit()})
    """,
    )
    assert told["limit"] == 3000
    assert one_path(told["data"]) == (("module", "__main__"), [".keeper", ".items", "[*]"])
