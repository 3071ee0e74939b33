# SPDX-License-Identifier: MIT
"""refchain diff: two or more moments of one process, from snapshots and from the process itself."""

import json
import subprocess
import sys

import inside
import native
import pytest

GROWS = """
    import gc, os
    sys.path.insert(0, os.environ["RCH_CORPUS"])
    import story_standin
    folder = sys.argv[1]
    story_standin.leak(100)
    gc.collect()
    refchain.dump(folder + "/before.rch")
    for name in ("now", "later", "last"):
        story_standin.leak(37)
        gc.collect()
        refchain.dump(folder + "/" + name + ".rch")
"""
TRANSPORT = "minimq.transport.TCPTransport"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diff")
    path = inside.program(folder, GROWS)
    env = inside.environment(RCH_CORPUS=str(inside.corpus()), STORY_LIMIT="400")
    inside.run([path, folder], env=env)
    return folder


def diff(folder, *words):
    return native.run("diff", *words, cwd=folder)


def data(folder, *words):
    done = diff(folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def place(row):
    names = [hop["name"] for hop in row["path"]]
    return row["root"]["name"], names[0]


REGISTRY = ("multiprocessing.util", "_afterfork_registry")
TWO = ("before.rch", "now.rch")
ALL = ("before.rch", "now.rch", "later.rch", "last.rch")


def test_what_the_story_leaks_is_the_only_row(folder):
    """The cache of the other holder has as many new entries as old ones went: it has not grown."""
    (row,) = data(folder, *TWO)["rows"]
    assert place(row) == REGISTRY
    assert row["grown"] == row["resource_objects"] == 37
    assert row["resource"] == TRANSPORT
    grown = {other["type"]: other["objects"] for other in row["with"]}
    assert grown[TRANSPORT] == grown["minimq.app.MQApp"] == 37


def test_the_text_says_so(folder):
    lines = [line for line in diff(folder, *TWO).stdout.decode().splitlines() if line.strip()]
    rows = [line for line in lines if line.lstrip().startswith("+")]
    assert len(rows) == 1
    assert rows[0].split()[0] == "+37" and TRANSPORT in rows[0]
    assert "\u2190 multiprocessing.util._afterfork_registry.data" in lines[lines.index(rows[0]) + 1]
    assert max(map(len, lines)) <= 100


def test_what_is_under_the_noise_is_counted_and_can_be_seen(folder):
    found = data(folder, *TWO)
    every = data(folder, *TWO, "--all")
    assert len(every["rows"]) == 1 + found["noise"]["places"]
    assert every["noise"]["places"] == 0
    assert sum(row["grown"] + row["below"] for row in every["rows"][1:]) == found["noise"]["objects"]


def test_of_a_type_the_holder_has_the_fingerprint_that_why_says(folder):
    (row,) = data(folder, *TWO, "--type", "TCPTransport")["rows"]
    why = json.loads(native.run("why", "now.rch", "TCPTransport", "--json", cwd=folder).stdout)
    assert row["type"] == TRANSPORT
    assert row["fingerprint"] == why["holders"][0]["fingerprint"]
    assert [hop["edge"] for hop in row["path"]] == [
        hop["edge"] for hop in why["holders"][0]["path"]
    ]


LEAKS_ON_REQUEST = """
import os, sys
sys.path.insert(0, os.environ["RCH_CORPUS"])
import story_standin
for line in sys.stdin:
    story_standin.leak(int(line))
    print("leaked", flush=True)
"""


def test_from_outside_it_is_the_same_row(folder):
    env = inside.environment(RCH_CORPUS=str(inside.corpus()), STORY_LIMIT="400")
    with subprocess.Popen(
        [sys.executable, "-c", LEAKS_ON_REQUEST],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env,
    ) as process:
        for number, name in ((100, "outside1.rch"), (37, "outside2.rch")):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
            assert process.stdout.readline() == b"leaked\n"
            done = native.run("dump", process.pid, "-o", name, cwd=folder)
            assert done.returncode == 0, done.stderr
        live = diff(folder, "outside1.rch", process.pid, "--json")
        process.stdin.close()
    (within,) = data(folder, *TWO)["rows"]
    for found in (data(folder, "outside1.rch", "outside2.rch"), json.loads(live.stdout)):
        (row,) = found["rows"]
        assert row["fingerprint"] == within["fingerprint"]
        assert (row["grown"], row["resource"]) == (37, TRANSPORT)


def test_growth_in_every_step_comes_first(folder):
    rows = data(folder, *ALL)["rows"]
    assert place(rows[0]) == REGISTRY
    assert rows[0]["objects"] == [100, 137, 174, 211]
    assert rows[0]["steady"] and rows[0]["even"] and rows[0]["each"] == 37
    assert not [row for row in rows[1:] if row["steady"]]
    text = diff(folder, *ALL).stdout.decode()
    assert "\u2581\u2583\u2586\u2588" in text and "37 each step" in text
    ascii_text = native.run("diff", *ALL, cwd=folder, env={"LC_ALL": "C"}).stdout.decode("ascii")
    assert "_:+#" in ascii_text


def test_by_type_and_by_identity(folder):
    rows = {row["type"]: row for row in data(folder, *ALL, "--by", "type", "-n", "99")["rows"]}
    assert rows[TRANSPORT]["objects"] == [100, 137, 174, 211]
    assert "path" not in rows[TRANSPORT]
    found = data(folder, *ALL, "--by", "identity", "-n", "99")
    rows = {row["type"]: row for row in found["rows"]}
    app = rows["minimq.app.MQApp"]
    assert app["new"] == [0, 37, 37, 37]
    assert app["gone"] == [0, 0, 0, 0]
    assert app["survivors"] == [100, 100, 100, 100]
    key = rows["minimq.functional.HashedKey"]  # a hundred in the cache, the oldest go
    assert key["grown"] == 0
    assert key["survivors"][1] <= 63 and key["new"][1] + key["survivors"][1] >= 100
    for earlier, now in zip(found["moments"], found["moments"][1:]):
        assert now["objects"] == earlier["objects"] + now["new"] - now["gone"]


def test_min_growth_and_the_exit_code(folder):
    assert not data(folder, *TWO, "--min-growth", "38")["rows"]
    assert data(folder, *TWO, "--min-growth", "37")["rows"]
    assert not data(folder, *TWO, "-t", "TCPTransport", "--min-growth", "38%")["rows"]
    assert data(folder, *TWO, "-t", "TCPTransport", "--min-growth", "37%")["rows"]
    assert diff(folder, *TWO, "--fail-on-new").returncode == 1
    assert diff(folder, *TWO, "--fail-on-new", "--min-growth", "38").returncode == 0
    assert diff(folder, "now.rch", "before.rch", "--fail-on-new").returncode == 0
    assert diff(folder, *TWO, "--min-growth", "0").returncode == 2
    assert diff(folder, *TWO, "--min-growth", "5x").returncode == 2
    assert diff(folder, *TWO, "--by", "size").returncode == 2
    assert diff(folder, "now.rch").returncode == 2


@pytest.mark.parametrize("by", ["holder", "type", "identity"])
def test_the_json_is_as_its_schema_says(folder, by):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((native.ROOT / "docs/schema/refchain.diff-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data(folder, *ALL, "--by", by))


@pytest.mark.parametrize("by", ["holder", "type", "identity"])
def test_nothing_grows_between_a_snapshot_and_itself(folder, by):
    assert not data(folder, "now.rch", "now.rch", "now.rch", "--by", by)["rows"]
    assert "Nothing grew." in diff(folder, "now.rch", "now.rch", "--by", by).stdout.decode()


def test_what_went_is_no_growth(folder):
    assert not data(folder, "now.rch", "before.rch")["rows"]


def test_two_processes_are_compared_with_a_warning(folder):
    native.make_all(folder)
    done = diff(folder, "before.rch", "story.rch")
    assert "which objects are new cannot be told" in done.stderr.decode()


def test_a_file_that_is_not_there_is_named(folder):
    done = diff(folder, "before.rch", "absent.rch")
    assert done.returncode == 4
    assert "absent.rch" in done.stderr.decode()
