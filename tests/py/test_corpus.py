# SPDX-License-Identifier: MIT
"""Leaks with proven answers (tests/corpus): asked from inside the program and from its snapshot,
the holders are the ones that the scripts themselves prove by cutting them."""

import json
import subprocess

import inside
import native
import pytest
import refchain

ASK = inside.PROGRAMS / "corpus_ask.py"


def ask(script, number, question, snapshot=None):
    args = [ASK, inside.corpus(), script, number, question]
    return inside.told(inside.run(args + ([snapshot] if snapshot else []), timeout=180))


def trace_of(text):
    """The trace of each holder: what stands between the headings and the figures."""
    lines = [line.rstrip() for line in text.splitlines()]
    keep = ("module ", "held from C", "interpreter", "├─", "╰→", "│", "~")
    return [" ".join(ln.split()) for ln in lines if ln.strip().startswith(keep)]


def cut_of(holder):
    assert holder["cuttable"]
    return inside.hops(holder)[holder["cut"]], holder["path"][holder["cut"]]


def figures(holder):
    return holder["holds"], holder["holds_only"], holder["frees_if_cut"]["question"]


# ---- the story ---------------------------------------------------------------------------------

TO_APP = {
    "multiprocessing.util": ["._afterfork_registry", ".data", "<key>", "[2]", ".__self__"],
    "minimq.backends": [
        ".get_backend_cls", "closure fun", "closure cache", ".data", "<key>", ".args", "[1]", ".app",
    ],
}  # fmt: skip
TO_TRANSPORT = [
    ".amqp", ".producer_pool", "._resource", ".queue", "[0]", ".channel", ".connection",
    "._connection", ".method_reader", ".source",
]  # fmt: skip
TRACE = """\
module multiprocessing.util
├─ ._afterfork_registry attribute weakref.WeakValueDictionary
├─ .data attribute dict
├─ <key> key tuple x137
│ ~~~~~ cut here: all 137 keys
├─ [2] item method x137
├─ .__self__ field minimq.app.MQApp x137
├─ .amqp attribute minimq.app.AMQP x137
├─ .producer_pool attribute minimq.app.ProducerPool x137
├─ ._resource attribute queue.LifoQueue x137
├─ .queue attribute list x137
├─ [0] item minimq.transport.Producer x137
├─ .channel attribute minimq.transport.Channel x137
├─ .connection attribute minimq.transport.Connection x137
├─ ._connection attribute minimq.transport.AMQPConnection x137
├─ .method_reader attribute minimq.transport.MethodReader x137
╰→ .source attribute minimq.transport.TCPTransport x137
module minimq.backends
├─ .get_backend_cls attribute function
├─ closure fun closure function
├─ closure cache closure minimq.functional.LRUCache
├─ .data attribute collections.OrderedDict
├─ <key> key minimq.functional.HashedKey x100
│ ~~~~~ cut here: all 100 keys
├─ .args attribute tuple x100
├─ [1] item minimq.app.AppLoader x100
├─ .app attribute minimq.app.MQApp x100
├─ .amqp attribute minimq.app.AMQP x100
├─ .producer_pool attribute minimq.app.ProducerPool x100
├─ ._resource attribute queue.LifoQueue x100
├─ .queue attribute list x100
├─ [0] item minimq.transport.Producer x100
├─ .channel attribute minimq.transport.Channel x100
├─ .connection attribute minimq.transport.Connection x100
├─ ._connection attribute minimq.transport.AMQPConnection x100
├─ .method_reader attribute minimq.transport.MethodReader x100
╰→ .source attribute minimq.transport.TCPTransport x100""".splitlines()


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    snapshot = tmp_path_factory.mktemp("story") / "story.rch"
    return ask("story_standin", 137, "TCPTransport", snapshot), snapshot


def check_story(data):
    assert (data["objects"], data["diffuse"], data["partial"]) == (137, False, False)
    assert [inside.root(h) for h in data["holders"]] == [("module", n) for n in TO_APP]
    for holder, name in zip(data["holders"], TO_APP):
        assert inside.hops(holder) == TO_APP[name] + TO_TRANSPORT
        label, hop = cut_of(holder)
        assert label == "<key>" and holder["cut_is_group"]
        assert holder["cut_references"] == hop["objects"] == holder["holds"]
        assert holder["also"] == [] and len(holder["groups"]) == 0
    assert [figures(h) for h in data["holders"]] == [(137, 37, 37), (100, 0, 0)]
    assert data["all_cut"]["question"] == 137
    assert data["all_cut"]["objects"] > sum(h["frees_if_cut"]["objects"] for h in data["holders"])
    assert data["warnings"] == []
    for key in ("garbage", "c_held", "observer", "uncuttable", "unexplained", "holders_omitted"):
        assert data[key] == 0, key


def test_the_story_has_two_holders_with_class_attribute_and_key_position(story):
    check_story(story[0]["json"])


def test_the_storys_types_stand_at_each_hop(story):
    first, second = story[0]["json"]["holders"]
    assert [h["type"] for h in first["path"]][:5] == [
        "weakref.WeakValueDictionary", "dict", "tuple", "method", "minimq.app.MQApp",
    ]  # fmt: skip
    assert [h["type"] for h in second["path"]][:8] == [
        "function", "function", "minimq.functional.LRUCache", "collections.OrderedDict",
        "minimq.functional.HashedKey", "tuple", "minimq.app.AppLoader", "minimq.app.MQApp",
    ]  # fmt: skip


def test_the_storys_trace_is_the_same_on_every_interpreter(story):
    assert trace_of(story[0]["text"]) == TRACE
    prints = [h["fingerprint"] for h in story[0]["json"]["holders"]]
    assert prints == ["rc1:970586f96bcd84e1", "rc1:e6cd7fd2b153d26b"]


def test_the_storys_json_follows_the_schema(story, root):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((root / "docs/schema/refchain.why-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(story[0]["json"])
    jsonschema.Draft202012Validator(schema).validate(story[0]["snapshot"])


STORY_CUTS = [
    "multiprocessing.util._afterfork_registry.data.clear()",
    "minimq.backends.get_backend_cls closure fun closure cache.data.clear()",
]


def test_the_storys_cuts_by_name_free_what_why_says(story):
    graph = refchain.load(story[1])
    answer, holders = graph.what_if(STORY_CUTS), story[0]["snapshot"]["holders"]
    for cut, holder in zip(answer.cuts, holders):
        assert cut.references == holder["cut_references"]
        assert (cut.objects, cut.bytes) == tuple(
            holder["frees_if_cut"][key] for key in ("objects", "bytes"))
    both = story[0]["snapshot"]["all_cut"]
    assert (answer.objects, answer.bytes) == (both["objects"], both["bytes"])
    assert answer.types["minimq.transport.TCPTransport"][0] == 137
    # what the second cut leaves is held by the first holder
    assert (answer.cuts[1].stays, answer.cuts[1].stay_type) == (100, "minimq.app.AppLoader")
    assert answer.cuts[1].kept_by.name == "multiprocessing.util"


def test_the_story_in_the_tree_of_dominators(story):
    graph = refchain.load(story[1])
    rows = graph.top(by="module")
    assert sum(row.retained for row in rows) == rows.data["bytes"]
    assert sum(row.retained_objects for row in rows) == graph.info["objects"]
    registry = [row for row in graph.top(400, by="dominator")
                if [hop.name for hop in row.path] == ["_afterfork_registry", "data"]]
    assert [row.below[0].count for row in registry] == [137]
    places = {(row.type, row.objects) for row in graph.top(400, by="holder")}
    assert ("queue.LifoQueue", 137) in places
    transports = graph.dominators("TCPTransport")
    assert [(row.type, row.count, row.objects) for row in transports] == [
        ("minimq.transport.MethodReader", 137, 137)]
    apps = {(row.type, row.objects) for row in graph.dominators("MQApp")}
    assert apps == {("method", 37), (None, 100)}  # what both holders have belongs to neither


def without(data, *keys):
    return {key: value for key, value in data.items() if key not in keys}


def test_a_snapshot_gives_the_storys_answer_in_python(story):
    check_story(story[0]["snapshot"])
    assert without(story[0]["snapshot"], "source") == without(story[0]["json"], "source")
    assert trace_of(story[0]["snapshot_text"]) == TRACE
    assert story[0]["snapshot"]["source"].startswith("snapshot ")


def test_the_native_program_gives_the_snapshots_answer(story):
    done = native.run("why", story[1], "TCPTransport", "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    check_story(data)
    assert without(data, "source") == without(story[0]["snapshot"], "source")
    text = native.run("why", story[1], "TCPTransport").stdout.decode()
    assert trace_of(text) == TRACE


def test_the_storys_apps_have_the_same_two_holders():
    data = ask("story_standin", 137, "MQApp")["json"]
    assert data["question"] == {"type": "minimq.app.MQApp"}
    assert [inside.root(h) for h in data["holders"]] == [("module", n) for n in TO_APP]
    assert [inside.hops(h) for h in data["holders"]] == list(TO_APP.values())
    assert [figures(h) for h in data["holders"]] == [(137, 37, 37), (100, 0, 0)]
    assert data["all_cut"]["question"] == 137
    prints = [h["fingerprint"] for h in data["holders"]]
    assert prints == ["rc1:97304cf18d373ea6", "rc1:82f7f4faf0563bea"]


# ---- the others, one holder each -----------------------------------------------------------------

# script, type, leaked, root, path, cut, fingerprint
OTHERS = [
    ("h01_lru_cache_property", "__main__.Parser", 50, ("module", "__main__"),
     [".Parser", ".raw_fields", ".fget", "<key>", "[0]"], "<key>", "rc1:2ce2401159c344fe"),
    ("h06_timer_context", "__main__.Request", 50, ("module", "__main__"),
     [".loop", "._scheduled", "[*]", "._context", "[*]"], "[*]", "rc1:59822e4bdde83596"),
    ("h07_sqlite_create_function", "__main__.Store", 50, ("c-held", "method"),
     ["?", ".__self__"], "?", "rc1:4ceb3b77ec991500"),
    ("h11_cached_exception", "__main__.Request", 50, ("module", "__main__"),
     [".cache", ".errors", "[*]", ".__traceback__", ".tb_frame", "local request"], "[*]",
     "rc1:c5ec437525557231"),
    ("h12_atexit_method", "__main__.Client", 50, ("interpreter", "atexit callbacks"),
     ["[*]", ".__self__"], "[*]", "rc1:8497d9a371f90d45"),
]  # fmt: skip


@pytest.mark.parametrize("case", OTHERS, ids=[case[0] for case in OTHERS])
def test_the_only_holder_is_found(case, tmp_path):
    script, question, number, root, path, cut, fingerprint = case
    told = ask(script, number, question, tmp_path / "snapshot.rch")
    for data in (told["json"], told["snapshot"]):
        (holder,) = data["holders"]
        assert (inside.root(holder), inside.hops(holder)) == (root, path)
        assert holder["fingerprint"] == fingerprint
        assert cut_of(holder)[0] == cut and holder["cut_is_group"]
        assert holder["cut_references"] == number
        assert figures(holder) == (number, number, number)
        assert holder["frees_if_cut"] == data["all_cut"]
        assert data["c_held"] == (number if root[0] == "c-held" else 0)
        for key in ("garbage", "observer", "uncuttable", "unexplained"):
            assert data[key] == 0, key


def test_the_lru_cache_holds_no_more_than_its_size():
    data = ask("h01_lru_cache_property", 200, "__main__.Parser")["json"]
    assert data["objects"] == data["all_cut"]["question"] == 128


def test_a_reference_from_c_is_called_what_it_is():
    told = ask("h07_sqlite_create_function", 50, "__main__.Store")
    (line,) = [
        ln for ln in told["text"].splitlines() if "held from C: method" in ln and "more" in ln
    ]
    assert line.split() == "held from C: method 1 reference more than found".split()
    assert told["json"]["holders"][0]["root"]["detail"] == "1 reference more than found"


def test_the_scripts_prove_their_answers():
    """The answers above are those of the scripts: each verifies its own by cutting."""
    for script in ["h11_cached_exception", "story_standin"]:
        done = subprocess.run(
            [inside.sys.executable, inside.corpus() / f"{script}.py", "--leak", "50", "--verify"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            env=inside.environment(),
        )
        assert ", 0 failed" in done.stdout, done.stdout + done.stderr
