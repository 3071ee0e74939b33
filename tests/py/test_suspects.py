# SPDX-License-Identifier: MIT
"""Leaks are found without a question: the true holder is the first suspect of every script of the
corpus and of every program in tests/py/leaks, inside and from the snapshot; programs in tests/py/clean
have nothing that is called likely."""

import json
import pathlib
import re

import inside
import native
import pytest
from test_corpus import OTHERS

HERE = pathlib.Path(__file__).resolve().parent
ASK = inside.PROGRAMS / "suspects_ask.py"
LEAKS, CLEAN = HERE / "leaks", HERE / "clean"


def ask(folder, script, number, snapshot=None):
    args = [ASK, folder, script, number]
    return inside.told(inside.run(args + ([snapshot] if snapshot else []), timeout=180))


def words(suspect):
    return {reason["evidence"] for reason in suspect["reasons"]}


def path_of(holder):
    return " ".join(inside.hops(holder)[: holder["cut"]]) if holder["cuttable"] else ""


# script: leaked, type, root, path up to the cut, the cut, evidence that must be told
CORPUS = {
    "h01_lru_cache_property": (
        50, "__main__.Parser", "module __main__", ".Parser .raw_fields .fget", "<key>", "cache"),
    "h06_timer_context": (
        50, "__main__.Request", "module __main__", ".loop ._scheduled", "[*]", "context"),
    "h07_sqlite_create_function": (
        50, "__main__.Store", "c-held method", "", "?", "held-from-c"),
    "h11_cached_exception": (
        50, "__main__.Request", "module __main__", ".cache .errors", "[*]", "exception"),
    "h12_atexit_method": (
        50, "__main__.Client", "interpreter atexit callbacks", "", "[*]", "callbacks"),
}  # fmt: skip

MAIN = "module __main__"
PROGRAMS = {
    "class_registry": (50, "__main__.Plugin", MAIN, ".Plugin .instances", "[*]", "class-container"),
    "closed_connections": (50, "__main__.Connection", MAIN, ".pool", "[*]", "closed"),
    "closures": (50, "function", MAIN, ".hooks", "[*]", "callbacks"),
    "context_vars": (50, "__main__.User", MAIN, ".pending", "[*]", "context"),
    "context_list": (50, "__main__.Span", "thread MainThread", None, "[*]", "context"),
    "ctypes_callbacks": (50, "__main__.Device", MAIN, ".keep", "[*]", "callbacks"),
    "default_argument": (50, "__main__.Row", MAIN, ".add .__defaults__ [0]", "[*]",
                         "default-argument"),
    "del_cycles": (50, ("__main__.Child", "__main__.Parent"), "garbage ", None, None, "garbage"),
    "done_tasks": (50, "__main__.Result", MAIN, ".tasks", "{*}", "finished"),
    "ended_threads": (50, "__main__.Worker", MAIN, ".workers", "[*]", "finished"),
    "event_bus": (50, "__main__.Widget", MAIN, ".bus .listeners", "[*]", "callbacks"),
    "exception_list": (50, "__main__.Payload", MAIN, ".errors", "[*]", "exception"),
    "expat_handlers": (50, "__main__.Query", "c-held method", "", "?", "held-from-c"),
    "excepthook_chain": (50, "__main__.Hook", "module threading", None, None, "chain"),
    "exit_stack": (50, "__main__.Lease", MAIN, ".stack ._exit_callbacks", "[*]", "callbacks"),
    "failed_tasks": (50, "__main__.Body", MAIN, ".tasks", "[*]", "exception"),
    "finalizer_registry": (50, "__main__.Pool", "module multiprocessing.util",
                           "._finalizer_registry", "[*]", "place"),
    "finalizers": (50, "__main__.Finalizable", "module weakref", ".finalize ._registry", "[*]",
                   "place"),
    "logging_handlers": (50, "__main__.JobHandler", MAIN, ".log .handlers", "[*]", "logging"),
    "loop_queue": (50, "__main__.Job", MAIN, ".loop ._ready", "[*]", "callbacks"),
    "lru_method": (50, "__main__.Report", MAIN, ".Report .total", "<key>", "cache"),
    "made_classes": (50, "type", MAIN, ".models", "[*]", "accumulation"),
    "mixed_with_data": (50, "__main__.Req", MAIN, ".errors", "[*]", "exception"),
    "nested_cache": (50, "__main__.Page", MAIN, ".app .cache .pages", "[*]", "accumulation"),
    "open_files": (50, "__main__.JobLog", MAIN, ".logs", "[*]", "resources"),
    "partial_hooks": (50, "__main__.Session", MAIN, ".hooks", "[*]", "callbacks"),
    "pending_tasks": (50, "__main__.Upload", MAIN, ".waiting", "[*]", "suspended"),
    "plain_dicts": (50, "dict", MAIN, ".responses", "[*]", "accumulation"),
    "record_buffer": (50, "__main__.Order", MAIN, ".h .buffer", "[*]", "exception"),
    "selector_keys": (50, "__main__.Peer", MAIN, ".sel ._fd_to_key", "[*]", "resources"),
    "signal_chain": (50, "__main__.Handler", None, "", None, "chain"),
    "sleeping_tasks": (50, "__main__.Poll", MAIN, ".loop ._scheduled", "[*]", "suspended"),
    "stored_frames": (50, "__main__.Job", MAIN, ".frames", "[*]", "exception"),
    "suspended_generators": (50, "__main__.Cursor", MAIN, ".readers", "[*]", "suspended"),
    "thread_locals": (50, "__main__.Request", MAIN, None, "[*]", "thread-local"),
    "thread_timers": (50, "__main__.Connection", "module threading", "._active [*]", ".function",
                      "suspended"),
    "two_holders": (50, "__main__.Order", MAIN, ".registry", "[*]", "several-holders"),
    "undo_history": (50, "__main__.State", MAIN, "", ".current", "chain"),
    "weak_keys": (50, "__main__.View", MAIN, ".views .data", "[*]", "weak-mapping"),
    "weak_values": (50, "__main__.Session", MAIN, ".sessions .data", "<key>", "weak-mapping"),
}  # fmt: skip
MANY_AND_NOTHING_ELSE = {"two_holders", "made_classes", "nested_cache", "plain_dicts", "del_cycles", "undo_history"}


def check_first(data, expected):
    leaked, type_name, root, path, cut, evidence = expected
    first = data["suspects"][0]
    holder = first["why"]["holders"][0]
    assert first["objects"] == leaked
    assert first["type"] in type_name if isinstance(type_name, tuple) else first["type"] == type_name
    assert root is None or " ".join(inside.root(holder)).startswith(root)
    assert path is None or path_of(holder) == path
    assert cut is None or inside.hops(holder)[holder["cut"]] == cut
    assert evidence in words(first), first["reasons"]
    assert first["keeps"]["objects"] >= leaked
    assert first["fingerprint"] == holder["fingerprint"]
    ranks = [(s["level"] == "likely", s["score"]) for s in data["suspects"]]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("script", sorted(CORPUS))
def test_the_true_holder_of_the_corpus_comes_first(script, tmp_path):
    told = ask(inside.corpus(), script, 50, tmp_path / "snapshot.rch")
    for data in (told["json"], told["snapshot"]):
        check_first(data, CORPUS[script])
        assert data["suspects"][0]["level"] == "likely"
        (fingerprint,) = [case[-1] for case in OTHERS if case[0] == script]
        assert data["suspects"][0]["fingerprint"] == fingerprint  # the same on every interpreter


def test_every_program_that_leaks_has_an_answer():
    assert {path.stem for path in LEAKS.glob("*.py")} == set(PROGRAMS)


@pytest.mark.parametrize("script", sorted(PROGRAMS))
def test_the_true_holder_of_a_program_comes_first(script, tmp_path):
    told = ask(LEAKS, script, 50, tmp_path / "snapshot.rch")
    for data in (told["json"], told["snapshot"]):
        check_first(data, PROGRAMS[script])
        level = "possible" if script in MANY_AND_NOTHING_ELSE else "likely"
        assert data["suspects"][0]["level"] == level


# ---- the story -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    snapshot = tmp_path_factory.mktemp("story") / "story.rch"
    return ask(inside.corpus(), "story_standin", 137, snapshot), snapshot


def check_story(data):
    first = data["suspects"][0]
    assert (first["type"], first["objects"]) == ("minimq.transport.TCPTransport", 137)
    assert first["level"] == "likely"
    assert (first["keeps"]["sockets"], first["keeps"]["files"]) == (137, 0)
    assert first["keeps"]["bytes"] > 400_000
    holders = first["why"]["holders"]
    assert [inside.root(h)[1] for h in holders] == ["multiprocessing.util", "minimq.backends"]
    assert [path_of(h) for h in holders] == [
        "._afterfork_registry .data", ".get_backend_cls closure fun closure cache .data"]  # fmt: skip
    assert [h["holds"] for h in holders] == [137, 100]
    assert {row["type"]: row["objects"] for row in first["with"]}["minimq.app.MQApp"] == 137
    assert {"resources", "weak-mapping", "several-holders", "place"} <= words(first)
    assert [h["fingerprint"] for h in holders] == ["rc1:970586f96bcd84e1", "rc1:e6cd7fd2b153d26b"]
    for other in data["suspects"][1:]:
        assert not other["type"].startswith("minimq.")


def test_the_two_holders_of_the_story_are_one_suspect_with_its_sockets(story):
    check_story(story[0]["json"])
    check_story(story[0]["snapshot"])


def test_the_native_program_finds_the_story(story):
    done = native.run("suspects", story[1], "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    check_story(json.loads(done.stdout))
    text = native.run("suspects", story[1]).stdout.decode()
    assert max(map(len, text.splitlines())) <= 100
    assert "likely: 137 minimq.transport.TCPTransport" in text
    assert "137 open sockets" in text and "they keep 137 sockets open" in text
    assert "cut     multiprocessing.util._afterfork_registry.data.clear()" in text


@pytest.mark.parametrize("place", ["json", "snapshot"])
def test_the_json_follows_its_schema(story, root, place):
    jsonschema = pytest.importorskip("jsonschema")
    folder = root / "docs/schema"
    schema = json.loads((folder / "refchain.suspects-1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(story[0][place])
    why = json.loads((folder / "refchain.why-1.schema.json").read_text())
    for suspect in story[0][place]["suspects"]:
        jsonschema.Draft202012Validator(why).validate(suspect["why"])


SILENT = {"plain-data"}  # evidence without a sentence


def test_every_word_of_evidence_is_described(root):
    source = (root / "src/analyze/suspects/evidence.c").read_text()
    words = set(re.findall(r'\{"([a-z-]+)", rch__judge_', source))
    described = (root / "docs/json.md").read_text().partition("| evidence | says |")[2]
    described = described.partition("New words may be added.")[0]
    assert len(words) > 20 and set(re.findall(r"`([a-z-]+)`", described)) == words - SILENT


def test_every_kind_of_evidence_that_paths_give_has_a_program():
    told = {expected[5] for expected in [*CORPUS.values(), *PROGRAMS.values()]}
    assert told >= {
        "cache", "callbacks", "exception", "weak-mapping", "held-from-c", "context", "logging",
        "thread-local", "suspended", "class-container", "default-argument", "chain", "closed",
        "finished", "resources", "garbage", "place", "several-holders", "accumulation",
    }  # fmt: skip


# ---- nothing wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(path.stem for path in CLEAN.glob("*.py")))
def test_a_program_that_does_not_leak_has_no_likely_suspect(script, tmp_path):
    told = ask(CLEAN, script, 50, tmp_path / "snapshot.rch")
    for data in (told["json"], told["snapshot"]):
        assert [s["type"] for s in data["suspects"] if s["level"] == "likely"] == []
    assert told["text"].splitlines()[2].startswith(("Nothing suspicious.", "No likely leak."))


def test_an_interpreter_that_does_nothing_is_not_suspected():
    assert inside.told(inside.run(["-c", inside.PRELUDE + "tell(len(refchain.suspects()))"])) == 0


# ---- growth --------------------------------------------------------------------------------------

GROWING = """
    class Row:
        pass

    class Order:
        pass

    rows = [Row() for i in range(400)]
    orders = [Order() for i in range(20)]
    before = refchain.snapshot()
    orders.extend([Order() for i in range(40)])
    def ask():
        plain, told = refchain.suspects(), refchain.suspects(before)
        refchain.dump(sys.argv[1])
        before.dump(sys.argv[2])
        tell([plain.data, told.data])
    ask()
"""


def test_what_has_grown_since_the_baseline_comes_first(tmp_path):
    late, early = tmp_path / "late.rch", tmp_path / "early.rch"
    plain, told = inside.ask(tmp_path, GROWING, late, early)
    assert not plain["baseline"] and told["baseline"]
    assert [s["type"] for s in plain["suspects"]][:2] == ["__main__.Row", "__main__.Order"]
    first = told["suspects"][0]
    assert (first["type"], first["objects"], first["level"]) == ("__main__.Order", 60, "likely")
    (reason,) = [r for r in first["reasons"] if r["evidence"] == "growth"]
    assert reason["sentence"] == "40 of the 60 are new since the baseline"
    rows = [s for s in told["suspects"] if s["type"] == "__main__.Row"]
    assert all(r["score"] < 0 for s in rows for r in s["reasons"] if r["evidence"] == "growth")
    done = native.run("suspects", late, "--baseline", early, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["suspects"][0]["type"] == "__main__.Order"


# ---- what is kept, by deletion -------------------------------------------------------------------


def reached(graph, without):
    """Addresses that roots reach by references that hold, without entering some objects."""
    ahead = [ref[3] for _, _, _, refs in graph._core.roots() for ref in refs if ref[2] != "weak"]
    seen = set(without)
    while ahead:
        address = ahead.pop()
        if address not in seen:
            seen.add(address)
            refs = graph.node(address).references
            ahead.extend(ref.target for ref in refs if ref.strength != "weak")
    return seen - set(without)


@pytest.mark.parametrize("script", ["closed_connections", "exception_list", "event_bus"])
def test_what_a_suspect_keeps_is_what_its_deletion_frees(script, tmp_path):
    ask(LEAKS, script, 30, tmp_path / "snapshot.rch")
    import refchain

    graph = refchain.load(tmp_path / "snapshot.rch")
    first = graph.suspects()[0]
    names = [first.type] + [name for name, _ in first.types_with]
    members = [address for name in names for address in graph.by_type(name)]
    assert len(members) == first.objects + sum(number for _, number in first.types_with)
    freed = reached(graph, ()) - reached(graph, members)
    assert first.keeps.objects == len(freed)
    assert first.keeps.bytes == sum(graph.node(address).size for address in freed)


# ---- Python --------------------------------------------------------------------------------------

VALUES = """
    class Session:
        pass

    class Manager:
        seen = []

    def leak():
        for i in range(60):
            session = Session()
            Manager.seen.append(session.__init__)

    leak()
    import refchain as rc
    def ask():
        found = refchain.suspects(limit=1)
        first = found[0]
        again = rc.Suspects("", json.loads(found.json()))
        tell({
            "number": len(found), "likely": len(found.likely), "type": first.type,
            "objects": first.objects, "is_likely": first.is_likely, "holder": first.holders[0].root.name,
            "print": first.fingerprint == first.holders[0].fingerprint, "kept": first.keeps.objects,
            "reasons": [r.evidence for r in first.reasons], "advice": first.advice,
            "same": again[0] == first, "text": repr(found)})
    ask()
    try:
        refchain.suspects(limit=0)
    except ValueError as error:
        print(error)
"""


def test_suspects_are_python_values(tmp_path):
    told = inside.ask(tmp_path, VALUES)
    assert (told["number"], told["likely"], told["type"]) == (1, 1, "__main__.Session")
    assert (told["objects"], told["is_likely"], told["holder"]) == (60, True, "__main__")
    assert told["print"] and told["same"] and told["kept"] >= 60
    assert {"callbacks", "class-container"} <= set(told["reasons"])
    assert told["advice"].startswith("A class attribute is shared by all instances")
    assert told["text"].startswith("refchain suspects  ")


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    native.make_all(folder)
    return folder


def test_names_from_the_program_are_escaped(folder):
    done = native.run("suspects", "hostile.rch", "--all", cwd=folder)
    assert done.returncode in (0, 3)
    assert b"\x1b" not in done.stdout and b"\r" not in done.stdout


def test_a_baseline_that_is_missing_is_said(folder):
    done = native.run("suspects", "story.rch", "--baseline", "no.rch", cwd=folder)
    assert done.returncode == 4 and b"no.rch" in done.stderr and done.stdout == b""


@pytest.mark.parametrize("args", [["--limit", "0"], ["--limit", "x"], []])
def test_wrong_usage_is_told(folder, args):
    done = native.run("suspects", *(["story.rch", *args] if args else []), cwd=folder)
    assert done.returncode == 2 and done.stdout == b""
