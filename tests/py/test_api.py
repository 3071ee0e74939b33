# SPDX-License-Identifier: MIT
"""The Python surface: what is there, what it gives, what it refuses, and that its types say so."""

import ast
import copy
import importlib.util
import inspect
import json
import os
import pathlib
import pickle
import re
import stat
import subprocess
import sys

import inside
import pytest
import refchain
from refchain import _core

PACKAGE = pathlib.Path(refchain.__file__).parent
CORRUPT = pathlib.Path(__file__).resolve().parents[1] / "corrupt"


class Conn:
    pass


class Pool:
    def __init__(self):
        self.conns = []


POOL = Pool()


@pytest.fixture(scope="module")
def graph():
    POOL.conns[:] = [Conn() for _ in range(12)]
    return refchain.snapshot()


# ---- documentation and types ---------------------------------------------------------------------


def test_everything_public_is_listed_and_documented():
    for name in refchain.__all__:
        thing = getattr(refchain, name)
        if name != "__version__":
            assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for method, value in vars(thing).items():
                if not method.startswith("_") and callable(value):
                    assert inspect.getdoc(value), f"{name}.{method}"
    public = {n for n in vars(refchain) if not n.startswith("_") and not inspect.ismodule(
        getattr(refchain, n))}  # fmt: skip
    assert public == set(refchain.__all__) - {"__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", refchain.__version__)


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
    for function in (refchain.why, refchain.load, refchain.dump, refchain.snapshot,
                     refchain.by_type, refchain.Graph.why):  # fmt: skip
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.name == "self" or parameter.annotation is not parameter.empty


def stub_names():
    source = pathlib.Path(__file__).resolve().parents[2] / "python/refchain/_core.pyi"
    tree = ast.parse(source.read_text())
    names, methods = set(), {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods[node.name] = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
    return names, methods


def test_the_stub_has_the_names_of_the_binary():
    names, methods = stub_names()
    made_by_import = {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__"}
    assert names == set(vars(_core)) - made_by_import
    for name in ("Graph", "Picture"):
        assert methods[name] == {n for n in vars(getattr(_core, name)) if not n.startswith("__")}


def test_the_stub_has_the_arguments_of_the_binary(graph):
    """Each argument that the stub names is taken by name, unless it says otherwise."""
    _, json_text, picture, reports = graph._core.why(
        question="Conn", text=None, source=None, max_holders=1, raw=False, all=False, color=True,
        known=(b"", "none", 20261231),
    )[0]  # fmt: skip
    assert "0 known" not in reports[0] and json.loads(reports[1])["version"] == "2.1.0"
    assert json.loads(json_text)["objects"] == 12 and isinstance(picture, _core.Picture)
    assert "Conn" in graph._core.top(limit=100000, json=False, all=True, source="here")
    assert json.loads(graph._core.top(limit=1, json=True))["rows"]
    assert isinstance(_core.capture(observer_paths=()), _core.Graph)
    assert _core.doctor()["layout_fits"] is True


def test_the_package_passes_a_strict_type_check():
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed")
    source = pathlib.Path(__file__).resolve().parents[2] / "python/refchain"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, str(source)],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


# ---- answers -------------------------------------------------------------------------------------


def test_an_answer_as_python_values(graph):
    answer = graph.why("Conn")
    assert isinstance(answer, refchain.Answer)
    assert answer.question == f"{__name__}.Conn" and answer.objects == 12
    (holder,) = answer.holders
    assert isinstance(holder, refchain.Holder)
    assert holder.root == refchain.Root("module", __name__, "")
    assert [hop.name for hop in holder.path] == ["POOL", "conns", None]
    assert holder.path[-1] == refchain.Hop("item", None, f"{__name__}.Conn", 12, None)
    assert holder.cut == refchain.Cut(hop=2, references=12, is_group=True)
    assert (holder.holds, holder.holds_only) == (12, 12)
    assert holder.frees_if_cut == answer.all_cut and answer.all_cut.question == 12
    assert re.fullmatch("rc1:[0-9a-f]{16}", holder.fingerprint)
    assert not answer.is_partial and answer.apart == ()
    assert holder.advice is None or isinstance(holder.advice, str)


def test_an_answer_as_json_and_as_mime_bundle(graph):
    answer = graph.why("Conn")
    data = json.loads(answer.json())
    assert data["schema"] == "refchain.why/1"
    assert json.loads(answer.json(indent=2)) == data and "\n" in answer.json(2)
    bundle = answer._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"] == str(answer) == repr(answer)
    assert "<pre" in bundle["text/html"] and "<key>" not in bundle["text/html"]
    assert bundle["image/svg+xml"] in bundle["text/html"]


def test_answers_cannot_be_changed(graph):
    answer = graph.why("Conn")
    with pytest.raises(AttributeError):
        answer.apart = ()
    with pytest.raises(AttributeError):
        answer.holders[0].holds = 5


def test_a_question_may_be_an_object_a_list_or_a_type(graph):
    assert refchain.why(POOL.conns[0]).objects == 1
    assert refchain.why(POOL.conns[:5]).objects == 5
    assert refchain.why(tuple(POOL.conns[:5])).objects == 5
    assert refchain.why(set(POOL.conns[:5])).objects == 5
    assert refchain.why(frozenset(POOL.conns[:5])).objects == 5
    assert refchain.why([POOL.conns[0]] * 3).objects == 1
    assert refchain.why("Conn").objects == 12
    assert refchain.why(f"{__name__}.Conn").objects == 12
    globbed = refchain.why(__name__[:-1] + "?.Con*")
    assert globbed.objects == 12 and globbed.question == __name__[:-1] + "?.Con*"
    assert refchain.why([[1, 2]]).objects == 1


def test_a_graph_may_be_asked_by_address(graph):
    address = graph.by_type("Conn")[3]
    assert graph.why(address).objects == graph.why([address]).objects == 1
    assert "Conn at 0x%x" % address in str(graph.why(address))
    assert graph.why(graph.by_type("Conn")).objects == 12
    assert graph.why([]).objects == 0
    assert graph.why(8).objects == 0
    assert "not in this snapshot" in str(graph.why(8))
    question = {"text": "%s.Conn at 0x%x" % (__name__, address)}
    assert graph.why(address).data["question"] == question
    assert graph.why(address).question == question["text"]
    assert graph.why(graph.by_type("Conn")).data["question"] == {"text": "12 objects"}
    assert graph.why("dic?").data["question"]["glob"] == "dic?"


@pytest.mark.parametrize(
    "value",
    [5, 10**40, "text", b"bytes", 1.5, None, True, (), (1, "a"), ..., NotImplemented, object,
     type, dict, len, [].append, os, refchain, refchain.why, refchain.Graph, refchain.Error, _core,
     lambda: 5, Pool.__init__, POOL, sys, range(5), slice(1), Conn.__dict__, refchain.__dict__,
     type(None), re.compile("a"), ValueError("x"), property(), 1j],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_anything_can_be_asked_about(value):
    answer = refchain.why([value])
    data = json.loads(answer.json())
    assert data["objects"] == 1
    parts = data["all_cut"]["question"] + sum(
        data[k] for k in ("garbage", "observer", "uncuttable", "in_use", "unexplained"))  # fmt: skip
    assert data["diffuse"] or parts == 1
    assert str(answer)


def test_options_of_why(graph):
    raw, folded = graph.why("Conn", raw=True), graph.why("Conn")
    assert len(raw.holders[0].path) > len(folded.holders[0].path)
    assert raw.holders[0].fingerprint == folded.holders[0].fingerprint
    assert graph.why("Conn", max_holders=1).holders
    assert graph.why("Conn", all=True).holders
    for bad in (-1, 0, 65, 1 << 40, "many"):
        with pytest.raises((ValueError, TypeError)):
            graph.why("Conn", max_holders=bad)


# ---- names ---------------------------------------------------------------------------------------


def test_an_unknown_name_is_a_lookup_error_with_near_names(graph):
    with pytest.raises(LookupError, match="Conn"):
        graph.why("Con")
    with pytest.raises(LookupError):
        refchain.why("no.such.module.Type")
    with pytest.raises(LookupError):
        graph.why("")
    with pytest.raises(LookupError) as caught:
        graph.why("dikt")
    assert str(caught.value).count("did you mean") == 1 and "dict" in str(caught.value)
    assert graph.count("Con") == 0 and graph.by_type("Con") == []


def test_an_ambiguous_name_is_answered_apart(tmp_path):
    told = inside.ask(
        tmp_path,
        """
    import json, types
    a, b = types.ModuleType("shop_a"), types.ModuleType("shop_b")
    sys.modules.update(shop_a=a, shop_b=b)
    for module, number in ((a, 5), (b, 3)):
        exec("class Cart: pass\\nclass Keeper: pass\\nkeeper = Keeper()", module.__dict__)
        module.keeper.carts = [module.Cart() for _ in range(number)]
    answer = refchain.why("Cart")
    tell({"text": str(answer), "apart": [a.question for a in answer.apart],
          "objects": [a.objects for a in answer.apart], "json": json.loads(answer.json()),
          "one": json.loads(refchain.why("shop_b.Cart").json())["objects"]})
    """,
    )
    assert told["apart"] == ["shop_a.Cart", "shop_b.Cart"] and told["objects"] == [5, 3]
    assert told["one"] == 3
    assert [a["objects"] for a in told["json"]["answers"]] == [5, 3]
    assert told["text"].count("HOLDER 1 of 1") == 2
    jsonschema = pytest.importorskip("jsonschema")
    source = pathlib.Path(__file__).resolve().parents[2]
    schema = json.loads((source / "docs/schema/refchain.why-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(told["json"])


# ---- graphs --------------------------------------------------------------------------------------


def test_top_count_by_type_and_node(graph):
    top = graph.top(5)
    assert len(top) > 100 and isinstance(top[0], refchain.TypeCount)
    assert top[0].count >= top[1].count >= top[2].count
    assert [row.type for row in top][:2] == [top[0].type, top[1].type]
    assert len(repr(top).splitlines()) < 15
    row = next(row for row in top if row.type == f"{__name__}.Conn")
    assert (row.count, row.bytes) == (12, 12 * sys.getsizeof(POOL.conns[0]))
    assert graph.count("Conn") == len(graph.by_type("Conn")) == 12
    assert sorted(graph.by_type("Conn")) == sorted(id(c) for c in POOL.conns)
    node = graph.node(id(POOL.conns))
    assert isinstance(node, refchain.Node)
    assert (node.address, node.type, node.tracked) == (id(POOL.conns), "list", True)
    assert node.size == sys.getsizeof(POOL.conns)
    assert [ref.target for ref in node.references] == [id(c) for c in POOL.conns]
    assert {(ref.kind, ref.strength) for ref in node.references} == {("item", "strong")}
    with pytest.raises(LookupError, match="0x8"):
        graph.node(8)
    for bad in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            graph.node(bad)
    with pytest.raises(TypeError):
        graph.node("list")


def test_the_histogram_counts_every_object(graph):
    assert sum(row.count for row in graph.top()) == graph.info["objects"]


def test_retained_bytes_of_types(graph):
    top = graph.top(5, sort="retained")
    assert all(row.retained >= row.bytes for row in top)
    assert [row.retained for row in top] == sorted((row.retained for row in top), reverse=True)
    assert sorted((r.type, r.count, r.bytes) for r in top) == sorted(
        (r.type, r.count, r.bytes) for r in graph.top())
    pool, conn = (next(row for row in top if row.type == f"{__name__}.{name}")
                  for name in ("Pool", "Conn"))
    assert pool.retained > pool.bytes + conn.bytes  # its list of them, too
    assert "retained" in repr(top).splitlines()[2]
    assert graph.top()[0].retained is None
    with pytest.raises(ValueError, match="sort"):
        graph.top(sort="size")


def test_facts_of_a_graph(graph):
    info = graph.info
    assert info["python"] == sys.version_info[:3] and info["pid"] == os.getpid()
    assert 0 < info["tracked"] < info["objects"] and info["roots"] > len(sys.modules) // 2
    assert info["references"] > info["objects"] and not info["partial"]
    assert info["pause_ns"] > 0 and info["unreadable"] == 0 and info["warnings"] == []
    assert repr(graph).startswith("<refchain.Graph of this process")


def test_by_type_gives_live_objects():
    POOL.conns[:] = [Conn() for _ in range(12)]
    assert {id(c) for c in refchain.by_type("Conn")} == {id(c) for c in POOL.conns}
    assert len(refchain.by_type(f"{__name__}.Conn")) == 12
    assert refchain.by_type("NoSuchType") == []


# ---- files ---------------------------------------------------------------------------------------


def test_a_snapshot_file_is_private_and_gives_the_same(graph, tmp_path):
    path = tmp_path / "heap.rch"
    graph.dump(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["heap.rch"]
    loaded = refchain.load(path)
    assert loaded.info == graph.info
    assert loaded.by_type("Conn") == graph.by_type("Conn")
    assert list(loaded.top()) == list(graph.top())
    assert loaded.why("Conn").data["holders"] == graph.why("Conn").data["holders"]
    assert repr(loaded).startswith("<refchain.Graph of snapshot heap.rch:")
    path.unlink()  # it is mapped
    assert loaded.count("Conn") == 12


def test_snapshot_and_dump_write_a_file(tmp_path):
    graph = refchain.snapshot(str(tmp_path / "a.rch"))
    refchain.dump(tmp_path / "b.rch")
    refchain.dump(os.fsencode(tmp_path / "c.rch"))
    assert refchain.load(tmp_path / "a.rch").info == graph.info
    assert refchain.load(str(tmp_path / "b.rch")).count("dict")
    with pytest.raises(OSError) as caught:
        refchain.dump(tmp_path / "no" / "such" / "folder.rch")
    assert caught.value.errno


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        refchain.load(tmp_path / "missing.rch")
    for content in (b"", b"x", b"\0" * 4096, b"RCH" + b"\xff" * 9999, bytes(range(256)) * 64):
        path = tmp_path / "odd.rch"
        path.write_bytes(content)
        for salvage in (False, True):
            with pytest.raises(refchain.Error):
                refchain.load(path, salvage=salvage)
    with pytest.raises((OSError, ValueError)):
        refchain.load(tmp_path)
    with pytest.raises(TypeError):
        refchain.load(None)


@pytest.mark.parametrize("name", sorted(p.name for p in CORRUPT.glob("*.rch")))
def test_damaged_files(name):
    path = CORRUPT / name
    if name.startswith("good"):
        assert refchain.load(path).info["objects"] > 0
        return
    with pytest.raises(refchain.Error) as caught:
        refchain.load(path)
    assert str(caught.value)
    try:
        graph = refchain.load(path, salvage=True)
    except refchain.Error:
        return
    assert graph.info["partial"] and graph.info["warnings"]
    answer = graph.why(graph.top()[0].type)
    assert answer.is_partial


def test_a_snapshot_cut_anywhere_is_refused(graph, tmp_path):
    whole = tmp_path / "whole.rch"
    graph.dump(whole)
    content = whole.read_bytes()
    path = tmp_path / "cut.rch"
    for part in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(refchain.Error):
            refchain.load(path)
        try:
            salvaged = refchain.load(path, salvage=True)
        except refchain.Error:
            continue
        assert salvaged.info["partial"]


def test_a_core_graph_is_not_made_by_hand(graph):
    makers = [
        _core.Graph,
        lambda: _core.Graph.__new__(_core.Graph),
        lambda: object.__new__(_core.Graph),
        lambda: copy.copy(graph._core),
        lambda: pickle.loads(pickle.dumps(graph._core)),
        lambda: type("Sub", (_core.Graph,), {})(),
    ]
    for make in makers:
        with pytest.raises(TypeError):
            make().info()
